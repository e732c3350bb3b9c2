#include "config/origin_lookup.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* tests/integration/test_names.py and test_services.py have what servers answer; here is what needs none. */

static unsigned told;
static enum dns_result last;

static void note(struct origin_lookup *lookup, enum dns_result result) {
    told++;
    last = result;
}

static void look_up(const char *servers, struct origin_lookup *lookup, const char *text) {
    struct dns *dns = dns_create(servers);
    unsigned before = told;

    cr_assert_not_null(dns);
    lookup->done = note;
    origin_lookup_begin(dns, lookup, text);
    while (told == before) {
        dns_turn(dns, -1, -1);
    }
    dns_free(dns);
}

Test(origin_lookup, a_name_again_and_again) {
    struct origin_lookup lookup = {0};

    for (unsigned i = 0; i < 3; i++) {
        look_up(NULL, &lookup, "localhost:9000");
        cr_assert_eq(last, DNS_OK);
        cr_assert_geq(lookup.found.count, 1);
        cr_assert_eq(lookup.found.items[0].address.in.sin_port, htons(9000));
        cr_assert_eq(lookup.lacks, 0);
        dns_set_free(&lookup.found);
    }
    origin_lookup_free(&lookup);
}

/* Nobody is at port 1: the kernel says so at once, or c-ares gives up. */
Test(origin_lookup, of_a_name_and_of_a_service_that_fail, .timeout = 60) {
    static const char *const texts[] = {"a.invalid:80", "srv:_http._tcp.a.invalid"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct origin_lookup lookup = {0};

        look_up("127.0.0.1:1", &lookup, texts[i]);
        cr_assert(last == DNS_FAILED || last == DNS_TIMED_OUT, "%s: %s", texts[i], dns_result_text(last));
        cr_assert_eq(lookup.found.count, 0);
        origin_lookup_free(&lookup);
    }
}

Test(origin_lookup, of_which_nobody_hears_again) {
    static const char *const texts[] = {"a.invalid:80", "srv:_http._tcp.a.invalid"};
    int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    char silent[32];

    cr_assert_eq(bind(udp, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(getsockname(udp, (struct sockaddr *)&address, &size), 0);
    snprintf(silent, sizeof silent, "127.0.0.1:%u", ntohs(address.sin_port));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct origin_lookup lookup = {.done = note};
        struct dns *dns = dns_create(silent);

        origin_lookup_begin(dns, &lookup, texts[i]);
        dns_free(dns);
        origin_lookup_free(&lookup);
    }
    cr_assert_eq(told, 0);
    close(udp);
}
