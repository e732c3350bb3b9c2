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
    dns_set_free(&a);
    dns_set_free(&b);
}

Test(set, has_what_was_added) {
    struct dns_set a = {0}, b = {0};

    add(&a, "10.0.0.1", 80);
    add(&b, "10.0.0.2", 80);
    cr_assert(dns_set_has(&a, &a.items[0].address));
    cr_assert_not(dns_set_has(&a, &b.items[0].address));
    cr_assert_eq(dns_address_size(&a.items[0].address), sizeof(struct sockaddr_in));
    dns_set_free(&a);
    dns_set_free(&b);
}

/* Of more than it holds, a set has the same ones, however they come. */
Test(set, is_bounded) {
    struct dns_set up = {0}, down = {0};
    enum { MANY = 3 * DNS_SET_MAX };
    char text[INET_ADDRSTRLEN];

    for (int i = 0; i < MANY; i++) {
        int other = MANY - 1 - i;

        snprintf(text, sizeof text, "10.0.%d.%d", i / 256, i % 256);
        add(&up, text, 80);
        snprintf(text, sizeof text, "10.0.%d.%d", other / 256, other % 256);
        add(&down, text, 80);
    }
    cr_assert_eq(up.count, DNS_SET_MAX);
    cr_assert(up.cut && down.cut);
    cr_assert(dns_set_equal(&up, &down));
    dns_set_shorten(&up, DNS_SET_MAX + 1);
    cr_assert_eq(up.count, DNS_SET_MAX);
    dns_set_shorten(&up, 3);
    cr_assert_eq(up.count, 3);
    dns_set_free(&up);
    dns_set_free(&down);
    cr_assert_eq(up.count, 0);
}

Test(set, is_copied_and_searched) {
    struct dns_set set = {0};

    add(&set, "10.0.0.1", 80);
    add(&set, "::1", 80);
    add(&set, "10.0.0.9", 80);
    struct dns_set copy = dns_set_copy(&set);
    dns_set_free(&set);
    cr_assert_eq(copy.count, 3);
    for (size_t i = 0; i < copy.count; i++) {
        cr_expect_eq(dns_set_find(&copy, &copy.items[i].address.any, sizeof copy.items[i].address), i);
    }
    struct sockaddr_in absent = {.sin_family = AF_INET, .sin_port = htons(81)};
    cr_expect_eq(dns_set_find(&copy, (struct sockaddr *)&absent, sizeof absent), 3);
    cr_expect_eq(dns_set_find(&copy, &(struct sockaddr){.sa_family = AF_UNIX}, sizeof(struct sockaddr)), 3);
    dns_set_free(&copy);
    copy = dns_set_copy(&set);
    cr_assert(copy.count == 0 && copy.items == NULL);
}

Test(set, families) {
    struct dns_set a = {0}, b = {0};
    struct sockaddr other = {.sa_family = AF_UNIX};

    add(&a, "10.0.0.1", 80);
    add(&a, "::1", 80);
    dns_set_add_family(&b, &a, AF_INET6);
    cr_assert_eq(b.count, 1);
    cr_assert_eq(b.items[0].address.any.sa_family, AF_INET6);
    dns_set_add(&b, &other, sizeof other);
    cr_assert_eq(b.count, 1);
    dns_set_free(&a);
    dns_set_free(&b);
}

static struct dns_item item(const char *text, uint16_t level, uint32_t share) {
    struct dns_item made = {.address.in = {.sin_family = AF_INET, .sin_port = htons(80)}, .rank = {share, level}};

    cr_assert_eq(inet_pton(AF_INET, text, &made.address.in.sin_addr), 1);
    return made;
}

static void add_ranked(struct dns_set *set, const char *text, uint16_t level, uint32_t share) {
    struct dns_item added = item(text, level, share);

    dns_set_add_item(set, &added);
}

Test(set, an_address_has_one_rank) {
    struct dns_set a = {0}, b = {0};

    add_ranked(&a, "10.0.0.1", 1, 256);
    add_ranked(&a, "10.0.0.1", 1, 512);
    cr_assert_eq(a.count, 1);
    cr_assert_eq(a.items[0].rank.share, 768, "the sum");
    add_ranked(&b, "10.0.0.1", 1, 256);
    cr_assert_not(dns_set_equal(&a, &b));
    add_ranked(&a, "10.0.0.1", 0, 1);
    add_ranked(&a, "10.0.0.1", 2, 4096);
    cr_assert(a.items[0].rank.level == 0 && a.items[0].rank.share == 1, "of the lowest level");
    dns_set_free(&a);
    dns_set_free(&b);
}

Test(set, the_highest_levels_give_way) {
    struct dns_set set = {0};

    add_ranked(&set, "10.0.0.1", 2, 1);
    add_ranked(&set, "10.0.0.2", 0, 1);
    add_ranked(&set, "10.0.0.3", 1, 1);
    add_ranked(&set, "10.0.0.4", 2, 1);
    dns_set_shorten(&set, 2);
    cr_assert(set.cut && set.count == 2);
    cr_assert_eq(set.items[0].rank.level, 0);
    cr_assert_eq(set.items[1].rank.level, 1);
    dns_set_free(&set);
}
