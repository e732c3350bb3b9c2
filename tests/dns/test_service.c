/* Look-ups of services at a small DNS server that runs in a thread of its own. */
#include "dns/service.h"
#include "now.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TYPE_A = 1, SERVFAIL = 2, NXDOMAIN = 3 };

/* A record of the service. */
struct line {
    uint16_t priority, weight, port;
    const char *host; /* one label below the root; "" is the root */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the next two */
static struct line lines[8];
static size_t line_count;
static _Atomic(const char *) failing; /* the host of which questions fail; NULL: none */
static int server;
static char address[32];
static pthread_t thread;

static size_t append_number(uint8_t *out, unsigned value) {
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
    return 2;
}

static size_t append_record(uint8_t *out, unsigned type, unsigned ttl, const uint8_t *data, size_t size) {
    size_t at = append_number(out, 0xC00C);
    at += append_number(out + at, type);
    at += append_number(out + at, 1);
    at += append_number(out + at, 0);
    at += append_number(out + at, ttl);
    at += append_number(out + at, (unsigned)size);
    memcpy(out + at, data, size);
    return at + size;
}

static size_t append_lines(uint8_t *out, unsigned *count) {
    size_t at = 0;
    pthread_mutex_lock(&lock);
    *count = (unsigned)line_count;
    for (size_t i = 0; i < line_count; i++) {
        uint8_t data[80];
        size_t length = strlen(lines[i].host), size = 0;
        size += append_number(data + size, lines[i].priority);
        size += append_number(data + size, lines[i].weight);
        size += append_number(data + size, lines[i].port);
        if (length > 0) {
            data[size++] = (uint8_t)length;
            memcpy(data + size, lines[i].host, length);
            size += length;
        }
        data[size++] = 0;
        at += append_record(out + at, SRV_TYPE, 50, data, size);
    }
    pthread_mutex_unlock(&lock);
    return at;
}

/* Turns a question into its answer. Host "aN" has the address 10.0.0.N; "twoN" 10.0.1.N and 10.0.2.N; others have none. */
static size_t answer(uint8_t *message, size_t size) {
    unsigned type = message[size - 3], records = 0, code = 0;
    char host[64] = "";
    unsigned number = 0;
    size_t at = size;

    memcpy(host, message + 13, message[12] < 63 ? message[12] : 63);
    const char *fails = atomic_load(&failing);
    if (fails != NULL && strcmp(fails, host) == 0) {
        code = SERVFAIL;
    } else if (type == SRV_TYPE) {
        at += append_lines(message + at, &records);
    } else if (sscanf(host, "a%u", &number) == 1 && type == TYPE_A) {
        at += append_record(message + at, TYPE_A, 40, (uint8_t[]){10, 0, 0, (uint8_t)number}, 4);
        records = 1;
    } else if (sscanf(host, "two%u", &number) == 1 && type == TYPE_A) {
        at += append_record(message + at, TYPE_A, 40, (uint8_t[]){10, 0, 1, (uint8_t)number}, 4);
        at += append_record(message + at, TYPE_A, 40, (uint8_t[]){10, 0, 2, (uint8_t)number}, 4);
        records = 2;
    } else if (number == 0) {
        code = NXDOMAIN;
    }
    message[2] = 0x81;
    message[3] = (uint8_t)(0x80 | code);
    append_number(message + 6, records);
    return at;
}

static void *serve(void *unused) {
    struct sockaddr_in peer;
    socklen_t peer_size = sizeof peer;
    uint8_t message[2048];
    ssize_t size;

    while ((size = recvfrom(server, message, 512, 0, (struct sockaddr *)&peer, &peer_size)) > 16) {
        sendto(server, message, answer(message, (size_t)size), 0, (struct sockaddr *)&peer, peer_size);
    }
    return unused;
}

static void begin(void) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof in;

    server = socket(AF_INET, SOCK_DGRAM, 0);
    cr_assert_eq(bind(server, (struct sockaddr *)&in, size), 0);
    cr_assert_eq(getsockname(server, (struct sockaddr *)&in, &size), 0);
    snprintf(address, sizeof address, "127.0.0.1:%u", ntohs(in.sin_port));
    cr_assert_eq(pthread_create(&thread, NULL, serve, NULL), 0);
}

static void end(void) {
    shutdown(server, SHUT_RDWR);
    struct sockaddr_in in;
    socklen_t size = sizeof in;
    getsockname(server, (struct sockaddr *)&in, &size);
    sendto(server, "", 0, 0, (struct sockaddr *)&in, size); /* ends its wait */
    pthread_join(thread, NULL);
    close(server);
}

TestSuite(service, .init = begin, .fini = end, .timeout = 60);

static void say(const struct line *list, size_t count) {
    pthread_mutex_lock(&lock);
    for (line_count = 0; line_count < count; line_count++) {
        lines[line_count] = list[line_count];
    }
    pthread_mutex_unlock(&lock);
}

static void expect_item(const struct dns_set *set, size_t place, const char *text, uint16_t port, uint16_t level,
                        uint32_t share) {
    const struct dns_item *item = &set->items[place];
    char written[INET_ADDRSTRLEN];

    inet_ntop(AF_INET, &item->address.in.sin_addr, written, sizeof written);
    cr_expect_str_eq(written, text);
    cr_expect_eq(ntohs(item->address.in.sin_port), port);
    cr_expect_eq(item->rank.level, level, "%s: level %u", text, item->rank.level);
    cr_expect_eq(item->rank.share, share, "%s: share %u", text, item->rank.share);
}

Test(service, priorities_are_levels_and_addresses_share_a_weight) {
    struct dns_set found;
    uint32_t ttl_s;

    say((struct line[]){{20, 0, 80, "a4"}, {10, 3, 81, "a1"}, {10, 2, 82, "two7"}, {15, 1, 83, "gone"}}, 4);
    cr_assert_eq(dns_service_now(address, "_http._tcp.x", &found, &ttl_s), DNS_OK);
    cr_assert_eq(found.count, 4);
    expect_item(&found, 0, "10.0.0.1", 81, 0, 3 * DNS_SHARE_ONE);
    expect_item(&found, 1, "10.0.0.4", 80, 1, DNS_SHARE_ONE / 32);
    expect_item(&found, 2, "10.0.1.7", 82, 0, DNS_SHARE_ONE);
    expect_item(&found, 3, "10.0.2.7", 82, 0, DNS_SHARE_ONE);
    cr_assert_eq(ttl_s, 40, "the least of all");
    dns_set_free(&found);
}

Test(service, the_root_says_that_there_is_none) {
    struct dns_set found;
    uint32_t ttl_s;

    say((struct line[]){{0, 0, 0, ""}}, 1);
    cr_assert_eq(dns_service_now(address, "_http._tcp.x", &found, &ttl_s), DNS_OK);
    cr_assert_eq(found.count, 0);
    cr_assert_eq(ttl_s, 50);
}

Test(service, without_records_or_addresses_nothing_is_found) {
    struct dns_set found;
    uint32_t ttl_s;

    say(lines, 0);
    cr_assert_eq(dns_service_now(address, "_http._tcp.x", &found, &ttl_s), DNS_NOT_FOUND);
    say((struct line[]){{0, 0, 80, "gone"}}, 1);
    cr_assert_eq(dns_service_now(address, "_http._tcp.x", &found, &ttl_s), DNS_NOT_FOUND);
    say((struct line[]){{0, 0, 0, "a1"}}, 1);
    cr_assert_eq(dns_service_now(address, "_http._tcp.x", &found, &ttl_s), DNS_MALFORMED);
}

static struct {
    enum dns_result result;
    bool done;
} told;

static void tell(struct dns_service *service, enum dns_result result) {
    told.result = result;
    told.done = true;
}

static void look_up(struct dns *dns, struct dns_service *service) {
    told.done = false;
    dns_service_begin(dns, service, "_http._tcp.x");
    while (!told.done) {
        dns_turn(dns, -1, -1);
    }
}

/* A host that cannot be looked up keeps the addresses that it had, with what its records say now. */
Test(service, a_host_that_fails_keeps_its_addresses) {
    struct dns *dns = dns_create(address);
    struct dns_service service = {.done = tell};

    say((struct line[]){{0, 1, 80, "a1"}, {0, 1, 80, "a2"}}, 2);
    look_up(dns, &service);
    cr_assert_eq(service.found.count, 2);
    dns_set_free(&service.found);
    atomic_store(&failing, "a2");
    say((struct line[]){{0, 1, 80, "a1"}, {0, 5, 81, "a2"}, {0, 1, 80, "a3"}}, 3);
    look_up(dns, &service);
    cr_assert_eq(told.result, DNS_OK);
    cr_assert_eq(service.found.count, 3);
    expect_item(&service.found, 1, "10.0.0.2", 81, 0, 5 * DNS_SHARE_ONE);
    cr_expect_eq(service.ttl_s, 30, "asked for again soon");
    dns_set_free(&service.found);
    atomic_store(&failing, "_http");
    look_up(dns, &service);
    cr_assert_eq(told.result, DNS_FAILED);
    cr_assert_eq(service.found.count, 0);
    atomic_store(&failing, NULL);
    dns_service_begin(dns, &service, "_http._tcp.x");
    dns_free(dns);
    dns_service_free(&service);
}
