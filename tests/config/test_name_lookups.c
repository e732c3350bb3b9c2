#include "config/name_lookups.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* tests/integration/test_names_at_load.py has what servers answer; here is what needs none, or one that says nothing. */

static struct document document;
static struct config_problems problems;
static int silent = -1; /* a port that takes questions and never answers */
static char server[32];

static const struct document_node *hosts_of(const char *yaml) {
    cr_assert(document_read(&document, bytes_of_string(yaml), "s.yaml", &problems));
    return document_value(document.root, "hosts");
}

static void begin(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    silent = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(silent, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(getsockname(silent, (struct sockaddr *)&address, &size), 0);
    snprintf(server, sizeof server, "127.0.0.1:%u", ntohs(address.sin_port));
}

static void end(void) {
    close(silent);
    document_free(&document);
    config_problems_free(&problems);
}

TestSuite(name_lookups, .init = begin, .fini = end, .timeout = 60);

Test(name_lookups, names_alone_are_looked_up) {
    static const char yaml[] = "hosts:\n"
                               "  - origin: [{address: localhost:9000}, {address: 127.0.0.1:9000}, {address: unix:/a}]\n"
                               "  - origin: [{address: localhost:9000}, {address: 'a b:1'}, {address: [x]}, {}]\n"
                               "  - origin: none\n"
                               "  - {}\n"
                               "  - none\n";
    const struct config_surroundings surroundings = {.stop = -1};
    struct name_lookups *lookups = name_lookups_run(hosts_of(yaml), NULL, &surroundings);
    const struct name_answer *answer = name_lookups_find(lookups, "localhost:9000");

    cr_assert_not_null(answer);
    cr_assert_eq(answer->result, DNS_OK);
    cr_assert_geq(answer->found.count, 1);
    cr_assert_eq(answer->found.items[0].address.in.sin_port, htons(9000));
    cr_assert_not(answer->known || answer->stopped);
    cr_assert_null(name_lookups_find(lookups, "127.0.0.1:9000"));
    cr_assert_null(name_lookups_find(lookups, "unix:/a"));
    cr_assert_null(name_lookups_find(lookups, "a b:1"));
    name_lookups_free(lookups);
}

Test(name_lookups, without_names_there_is_nothing_to_wait_for) {
    const struct config_surroundings surroundings = {.stop = -1};
    struct name_lookups *lookups = name_lookups_run(hosts_of("hosts: []\n"), server, &surroundings);

    cr_assert_null(name_lookups_find(lookups, "localhost:9000"));
    name_lookups_free(lookups);
    lookups = name_lookups_run(NULL, server, &surroundings);
    name_lookups_free(lookups);
    name_lookups_free(NULL);
}

static bool know(void *owner, const char *text, struct dns_set *set) {
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    if (strcmp(text, owner) != 0) {
        return false;
    }
    dns_set_add(set, (const struct sockaddr *)&address, sizeof address);
    return true;
}

Test(name_lookups, a_name_that_fails_keeps_what_is_known) {
    char known[] = "old.invalid:80";
    const struct config_surroundings surroundings = {.known = know, .owner = known, .stop = -1};
    const struct document_node *hosts =
        hosts_of("hosts: [{origin: [{address: old.invalid:80}, {address: new.invalid:80}]}]\n");
    /* Nobody is at port 1: the kernel says so at once, or c-ares gives up. */
    struct name_lookups *lookups = name_lookups_run(hosts, "127.0.0.1:1", &surroundings);
    const struct name_answer *old = name_lookups_find(lookups, "old.invalid:80");
    const struct name_answer *new = name_lookups_find(lookups, "new.invalid:80");

    cr_assert(old->known && old->result != DNS_OK && old->found.count == 1);
    cr_assert(!new->known &&new->result != DNS_OK &&new->found.count == 0);
    name_lookups_free(lookups);
}

Test(name_lookups, the_wait_can_be_ended) {
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(write(ends[1], "x", 1), 1);
    char known[] = "a.invalid:80";
    const struct config_surroundings surroundings = {.known = know, .owner = known, .stop = ends[0]};
    const struct document_node *hosts =
        hosts_of("hosts: [{origin: [{address: a.invalid:80}, {address: 'srv:_http._tcp.a.invalid'}]}]\n");
    struct name_lookups *lookups = name_lookups_run(hosts, server, &surroundings);

    cr_assert(name_lookups_find(lookups, "a.invalid:80")->stopped);
    cr_assert_eq(name_lookups_find(lookups, "a.invalid:80")->found.count, 0);
    cr_assert(name_lookups_find(lookups, "srv:_http._tcp.a.invalid")->stopped);
    name_lookups_free(lookups);
    close(ends[0]);
    close(ends[1]);
}
