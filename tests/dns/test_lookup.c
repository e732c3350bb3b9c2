#include "dns/lookup.h"
#include "dns/schedule.h"
#include "now.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* tests/integration/test_names.py has what servers answer; here is what needs none. */

Test(lookup, a_name_of_this_machine_is_in_a_file) {
    static struct dns_lookup lookup;

    cr_assert_eq(dns_lookup_now(NULL, &lookup, "localhost", 9000), DNS_OK);
    cr_assert_geq(lookup.found.count, 1);
    cr_assert_eq(lookup.ttl_s, DNS_TTL_OF_FILE_S);
    cr_assert_eq(lookup.lacks, 0);
    for (size_t i = 0; i < lookup.found.count; i++) {
        cr_assert_eq(lookup.found.items[i].address.in.sin_port, htons(9000));
    }
}

/* The port is closed, which the kernel may tell or not. */
Test(lookup, a_server_that_is_not_there, .timeout = 60) {
    static struct dns_lookup lookup;
    int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    char server[32];

    cr_assert_eq(bind(udp, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(getsockname(udp, (struct sockaddr *)&address, &size), 0);
    snprintf(server, sizeof server, "127.0.0.1:%u", ntohs(address.sin_port));
    close(udp);
    enum dns_result result = dns_lookup_now(server, &lookup, "app.internal", 80);
    cr_assert(result == DNS_FAILED || result == DNS_TIMED_OUT, "%s", dns_result_text(result));
    cr_assert_eq(lookup.found.count, 0);
}

static bool told;

static void tell(struct dns_lookup *lookup, enum dns_result result) {
    told = true;
}

/* Ending all look-ups tells none of them: their owners may be gone. */
Test(lookup, an_end_is_silent) {
    static struct dns_lookup lookup = {.done = tell};
    int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    char server[32];

    cr_assert_eq(bind(udp, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(getsockname(udp, (struct sockaddr *)&address, &size), 0);
    snprintf(server, sizeof server, "127.0.0.1:%u", ntohs(address.sin_port));
    struct dns *dns = dns_create(server);
    cr_assert_not_null(dns);
    dns_lookup_begin(dns, &lookup, "app.internal", 80);
    dns_turn(dns, -1, 10);
    struct pollfd asked = {.fd = udp, .events = POLLIN};
    cr_assert_eq(poll(&asked, 1, 5000), 1, "the server was asked");
    dns_free(dns);
    cr_assert_not(told);
    close(udp);
}

Test(lookup, each_result_has_words) {
    for (int i = 0; i < DNS_RESULT_COUNT; i++) {
        cr_assert_neq(dns_result_text((enum dns_result)i)[0], '\0');
    }
}
