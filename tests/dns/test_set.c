#include "dns/set.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>

static void add(struct dns_set *set, const char *text, uint16_t port) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_flowinfo = 7};

    if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
        dns_set_add(set, (struct sockaddr *)&in, sizeof in);
        return;
    }
    cr_assert_eq(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    dns_set_add(set, (struct sockaddr *)&in6, sizeof in6);
}

Test(set, the_order_of_additions_does_not_matter) {
    struct dns_set a = {0}, b = {0};

    add(&a, "10.0.0.1", 80);
    add(&a, "::1", 80);
    add(&a, "10.0.0.2", 80);
    add(&b, "::1", 80);
    add(&b, "10.0.0.2", 80);
    cr_assert_not(dns_set_equal(&a, &b));
    add(&b, "10.0.0.1", 80);
    cr_assert(dns_set_equal(&a, &b));
    add(&b, "10.0.0.1", 80);
    cr_assert_eq(b.count, 3, "none twice");
    add(&b, "10.0.0.1", 81);
    cr_assert_eq(b.count, 4, "but at another port");
    cr_assert_not(dns_set_equal(&a, &b));
}

Test(set, has_what_was_added) {
    struct dns_set a = {0}, b = {0};

    add(&a, "10.0.0.1", 80);
    add(&b, "10.0.0.2", 80);
    cr_assert(dns_set_has(&a, &a.items[0]));
    cr_assert_not(dns_set_has(&a, &b.items[0]));
    cr_assert_eq(dns_address_size(&a.items[0]), sizeof(struct sockaddr_in));
}

/* Of more than it holds, a set has the same ones, however they come. */
Test(set, is_bounded) {
    struct dns_set up = {0}, down = {0};
    char text[INET_ADDRSTRLEN];

    for (int i = 0; i < 200; i++) {
        snprintf(text, sizeof text, "10.0.0.%d", i);
        add(&up, text, 80);
        snprintf(text, sizeof text, "10.0.0.%d", 199 - i);
        add(&down, text, 80);
    }
    cr_assert_eq(up.count, DNS_SET_MAX);
    cr_assert(up.cut && down.cut);
    cr_assert(dns_set_equal(&up, &down));
    dns_set_shorten(&up, 100);
    cr_assert_eq(up.count, DNS_SET_MAX);
    dns_set_shorten(&up, 3);
    cr_assert_eq(up.count, 3);
}

Test(set, families) {
    struct dns_set a = {0}, b = {0};
    struct sockaddr other = {.sa_family = AF_UNIX};

    add(&a, "10.0.0.1", 80);
    add(&a, "::1", 80);
    dns_set_add_family(&b, &a, AF_INET6);
    cr_assert_eq(b.count, 1);
    cr_assert_eq(b.items[0].any.sa_family, AF_INET6);
    dns_set_add(&b, &other, sizeof other);
    cr_assert_eq(b.count, 1);
}
