/* The prober on a clock of the test's own, with probes that end when the test says so, and as it says. */
#include "base/hash.h"
#include "server/prober.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

enum { FAKES_MAX = 128, ORIGINS_MAX = 64, HOSTS_MAX = 8, SITES_MAX = 16 };

/* In place of probes: those that are in flight, in the order in which they began. */
static struct probe *in_flight[FAKES_MAX];
static uint16_t in_flight_port[FAKES_MAX];
static size_t in_flight_count;
static size_t begun;
static size_t aborted;
static uint64_t begun_ms[4096]; /* when each began */
static uint16_t begun_port[4096];
static int error_of_begin;

int __wrap_probe_begin(struct probe *probe, struct ring *ring, const struct probe_target *target);
int __wrap_probe_begin(struct probe *probe, struct ring *ring, const struct probe_target *target) {
    cr_assert(in_flight_count < FAKES_MAX && begun < ARRAY_LENGTH(begun_ms));
    begun_port[begun] = ntohs(((const struct sockaddr_in *)(const void *)&target->address->address)->sin_port);
    begun_ms[begun++] = ring_now_ms(ring);
    if (error_of_begin == 0) {
        in_flight_port[in_flight_count] = begun_port[begun - 1];
        in_flight[in_flight_count++] = probe;
    }
    return error_of_begin;
}

static void forget(struct probe *probe) {
    size_t i = 0;

    while (in_flight[i] != probe) {
        i++;
    }
    in_flight_count--;
    memmove(&in_flight[i], &in_flight[i + 1], (in_flight_count - i) * sizeof(struct probe *));
    memmove(&in_flight_port[i], &in_flight_port[i + 1], (in_flight_count - i) * sizeof(uint16_t));
}

void __wrap_probe_abort(struct probe *probe);
void __wrap_probe_abort(struct probe *probe) {
    aborted++;
    forget(probe);
    probe->gone(probe);
}

static void finish(struct probe *probe, enum stats_probe_result result) {
    struct probe_outcome outcome = {.result = result};

    snprintf(outcome.why, sizeof outcome.why, "%s", result == STATS_PROBE_OK ? "" : "status 503");
    forget(probe);
    probe->done(probe, &outcome);
    probe->gone(probe);
}

/* Ends the oldest probe. */
static void finish_next(bool good) {
    cr_assert_gt(in_flight_count, 0);
    finish(in_flight[0], good ? STATS_PROBE_OK : STATS_PROBE_STATUS);
}

static struct ring ring;
static struct prober prober;
static struct health_board *board;

static void pass(uint64_t ms) {
    for (uint64_t i = 0; i < ms; i += TIMER_TICK_MS) {
        ring.now_ns += UINT64_C(1000000) * TIMER_TICK_MS;
        timer_wheel_advance(&ring.timers, ring_now_ms(&ring));
    }
}

/* A configuration of hosts a.test, b.test ..., each with so many origins; all have their own port from 1 on. */
struct site {
    struct config config;
    struct config_host hosts[HOSTS_MAX];
    struct config_health health[HOSTS_MAX];
    struct config_origin origins[HOSTS_MAX][ORIGINS_MAX];
    struct config_address addresses[HOSTS_MAX][ORIGINS_MAX];
    char texts[HOSTS_MAX][ORIGINS_MAX][32];
    char names[HOSTS_MAX][16];
    struct stats_hosts *stats;
};

static struct site *made[SITES_MAX];
static size_t made_count;

static void set_port(struct site *site, size_t host, size_t origin, uint16_t port) {
    struct config_address *address = &site->addresses[host][origin];
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    memcpy(&address->address, &in, sizeof in);
    address->size = sizeof in;
    snprintf(site->texts[host][origin], sizeof site->texts[host][origin], "127.0.0.1:%u", port);
    address->text = site->texts[host][origin];
}

/* Makes one that lasts to the end of the test. */
static struct site *make_site(size_t host_count, size_t origin_count, struct stats_hosts *before) {
    cr_assert(made_count < SITES_MAX);
    struct site *site = made[made_count++] = calloc(1, sizeof *site);
    struct stats_host_facts facts[HOSTS_MAX];

    site->config = (struct config){.references = 100, .hosts = site->hosts, .host_count = host_count};
    for (size_t i = 0; i < host_count; i++) {
        const char *texts[ORIGINS_MAX];

        snprintf(site->names[i], sizeof site->names[i], "%c.test", (char)('a' + i));
        site->health[i] = (struct config_health){.interval_ms = 5000, .timeout_ms = 2000, .rise = 2, .fall = 3};
        site->hosts[i] = (struct config_host){.name = site->names[i],
                                              .index = (uint32_t)i,
                                              .health = &site->health[i],
                                              .origins = site->origins[i],
                                              .origin_count = origin_count};
        for (size_t j = 0; j < origin_count; j++) {
            set_port(site, i, j, (uint16_t)(1 + i * ORIGINS_MAX + j));
            texts[j] = site->texts[i][j];
            site->origins[i][j] =
                (struct config_origin){.text = site->texts[i][j], .addresses = &site->addresses[i][j], .address_count = 1};
        }
        facts[i] = (struct stats_host_facts){
            .host = site->names[i], .origins = texts, .origin_count = origin_count, .probed = true};
        struct stats_hosts *stats = stats_hosts_create(1, facts, i + 1, before);
        stats_hosts_release(site->stats);
        site->stats = stats;
    }
    return site;
}

static void free_sites(void) {
    while (made_count > 0) {
        struct site *site = made[--made_count];

        cr_expect_eq(site->config.references, 100, "given back");
        stats_hosts_release(site->stats);
        free(site);
    }
}

static uint64_t down_of(const struct site *site, size_t host) {
    return stats_hosts_origins_down(site->stats, host).words[0];
}

static uint64_t count_of(const struct site *site, size_t host, enum stats_probe_result result) {
    return stats_read(&stats_hosts_at_control(site->stats, host)->probes[result]);
}

static bool is_down_on_board(const char *host, uint16_t port) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct health_entry *entry = health_board_take(board, host, (const struct sockaddr *)&in, sizeof in);
    bool down = health_entry_is_down(entry);

    health_board_give(board, entry);
    return down;
}

static void set_up(void) {
    hash_init();
    ring.now_ns = UINT64_C(1000000) * 1000000;
    timer_wheel_init(&ring.timers, ring_now_ms(&ring));
    board = health_board_create();
    cr_assert_eq(prober_create(&prober, &ring, board), 0);
}

static void tear_down(void) {
    prober_close(&prober);
    cr_expect(prober_is_closed(&prober));
    prober_destroy(&prober);
    free_sites();
    cr_expect_eq(in_flight_count, 0);
    cr_expect_eq(ring.timers.set, 0);
    health_board_free(board);
}

TestSuite(prober, .init = set_up, .fini = tear_down);

Test(prober, the_first_probe_goes_at_once_and_the_next_an_interval_later) {
    struct site *site = make_site(1, 1, NULL);

    prober_configure(&prober, &site->config, site->stats);
    pass(2 * TIMER_TICK_MS);
    cr_assert_eq(begun, 1);
    pass(60000);
    cr_assert_eq(begun, 1, "one at a time");
    finish_next(true);
    pass(2 * TIMER_TICK_MS);
    cr_assert_eq(begun, 2, "it is overdue");
    for (size_t i = 2; i < 22; i++) {
        finish_next(true);
        while (in_flight_count == 0) {
            pass(TIMER_TICK_MS);
        }
        uint64_t since_ms = begun_ms[i] - begun_ms[i - 1];
        cr_expect(since_ms >= 4500 && since_ms <= 5500 + 2 * TIMER_TICK_MS, "%zu ms", (size_t)since_ms);
    }
    cr_expect_eq(count_of(site, 0, STATS_PROBE_OK), 21);
}

/* Ends each probe soon, for so long. */
static void answer_for(uint64_t ms) {
    for (uint64_t i = 0; i < ms; i += TIMER_TICK_MS) {
        pass(TIMER_TICK_MS);
        while (in_flight_count > 0) {
            finish_next(true);
        }
    }
}

Test(prober, the_probes_of_many_spread_over_the_interval) {
    struct site *site = make_site(8, ORIGINS_MAX, NULL);
    unsigned parts[10] = {0};

    prober_configure(&prober, &site->config, site->stats);
    answer_for(15000);
    uint64_t end_ms = ring_now_ms(&ring);
    for (size_t i = 0; i < begun; i++) {
        if (end_ms - begun_ms[i] < 5000) {
            parts[(end_ms - begun_ms[i]) / 500]++;
        }
    }
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++) {
        cr_expect(parts[i] > 15 && parts[i] < 110, "%zu: %u", i, parts[i]); /* 51 on the average */
    }
}

Test(prober, few_are_in_flight_at_once_and_those_that_fail_leave_places_to_the_others) {
    struct site *site = make_site(3, ORIGINS_MAX, NULL);

    prober_configure(&prober, &site->config, site->stats);
    pass(2 * TIMER_TICK_MS);
    cr_assert_eq(in_flight_count, PROBER_PROBES_MAX);
    /* All origins of the first two hosts fail once; later probes of them do not end any more. */
    while (begun < 3 * ORIGINS_MAX || in_flight_count > 0) {
        finish_next(in_flight[0]->words->host == &site->hosts[2]);
    }
    size_t good_before = count_of(site, 2, STATS_PROBE_OK);
    for (unsigned i = 0; i < 20000 / TIMER_TICK_MS; i++) {
        pass(TIMER_TICK_MS);
        for (size_t j = 0; j < in_flight_count;) {
            if (in_flight[j]->words->host == &site->hosts[2]) {
                finish(in_flight[j], STATS_PROBE_OK);
            } else {
                j++;
            }
        }
        cr_assert_leq(in_flight_count, PROBER_DOUBTFUL_MAX);
    }
    cr_expect_eq(in_flight_count, PROBER_DOUBTFUL_MAX);
    cr_expect_geq(count_of(site, 2, STATS_PROBE_OK) - good_before, 3 * ORIGINS_MAX);
}

static void probe_all(struct site *site, uint64_t bad_ports) {
    pass(6000);
    while (in_flight_count > 0) {
        uint16_t port = in_flight_port[0];

        finish(in_flight[0], port < 64 && (bad_ports >> port & 1) != 0 ? STATS_PROBE_STATUS : STATS_PROBE_OK);
    }
}

Test(prober, shards_and_pages_learn_of_each_change) {
    struct site *site = make_site(2, 2, NULL);

    prober_configure(&prober, &site->config, site->stats);
    probe_all(site, 1 << 2);
    probe_all(site, 1 << 2);
    cr_expect_eq(down_of(site, 0), 0);
    probe_all(site, 1 << 2);
    cr_expect_eq(down_of(site, 0), 2);
    cr_expect_eq(down_of(site, 1), 0);
    cr_expect(is_down_on_board("a.test", 2));
    cr_expect_not(is_down_on_board("a.test", 1) || is_down_on_board("b.test", 2));
    cr_expect_str_eq(stats_hosts_why(site->stats, 0)[1], "status 503");
    cr_expect_str_eq(stats_hosts_why(site->stats, 0)[0], "");
    probe_all(site, 0);
    cr_expect(is_down_on_board("a.test", 2));
    probe_all(site, 0);
    cr_expect_not(is_down_on_board("a.test", 2));
    cr_expect_eq(down_of(site, 0), 0);
}

Test(prober, an_origin_is_up_while_any_of_its_addresses_is) {
    struct site *site = make_site(1, 3, NULL);

    /* The first origin has two addresses, and the second one of these too. */
    site->origins[0][0].address_count = 2;
    site->origins[0][2] =
        (struct config_origin){.text = site->texts[0][2], .addresses = &site->addresses[0][2], .address_count = 1};
    prober_configure(&prober, &site->config, site->stats);
    pass(2 * TIMER_TICK_MS);
    cr_expect_eq(in_flight_count, 3, "each address once");
    for (unsigned i = 0; i < 3; i++) {
        probe_all(site, 1 << 2);
    }
    cr_expect_eq(down_of(site, 0), 2);
    for (unsigned i = 0; i < 3; i++) {
        probe_all(site, 1 << 1 | 1 << 2);
    }
    cr_expect_eq(down_of(site, 0), 3);
}

Test(prober, a_probe_that_cannot_be_made_says_nothing_of_the_origin) {
    struct site *site = make_site(1, 1, NULL);

    site->health[0].fall = 1;
    prober_configure(&prober, &site->config, site->stats);
    pass(2 * TIMER_TICK_MS);
    finish(in_flight[0], STATS_PROBE_SKIPPED);
    error_of_begin = -EMFILE;
    pass(12000);
    error_of_begin = 0;
    cr_expect_eq(down_of(site, 0), 0);
    cr_expect_geq(count_of(site, 0, STATS_PROBE_SKIPPED), 2);
    cr_expect_eq(prober.in_flight, 0);
    pass(6000);
    finish_next(false);
    cr_expect_eq(down_of(site, 0), 1);
}

static void fall(struct site *site, uint64_t bad_ports) {
    prober_configure(&prober, &site->config, site->stats);
    for (unsigned i = 0; i < 3; i++) {
        probe_all(site, bad_ports);
    }
}

Test(prober, a_reload_keeps_what_is_known_under_the_same_check) {
    struct site *before = make_site(2, 2, NULL);
    struct site *after = make_site(2, 2, before->stats);

    fall(before, 1 << 1);
    cr_assert_eq(down_of(before, 0), 1);
    after->health[0].fall = 1;
    after->health[0].interval_ms = 100000;
    prober_configure(&prober, &after->config, after->stats);
    cr_expect_eq(down_of(after, 0), 1);
    cr_expect(is_down_on_board("a.test", 1));
    cr_expect_str_eq(stats_hosts_why(after->stats, 0)[0], "status 503");
    cr_expect_eq(before->config.references, 100, "given back");
}

Test(prober, a_reload_with_another_check_begins_anew) {
    struct site *before = make_site(1, 1, NULL);

    for (unsigned i = 0; i < 4; i++) {
        struct site *after = make_site(1, 1, before->stats);

        fall(before, 1 << 1);
        cr_assert_eq(down_of(before, 0), 1);
        after->health[0].path = i == 0 ? (char *)"/healthz" : NULL;
        after->health[0].status_count = i == 1;
        after->hosts[0].origin_http2 = i == 2;
        after->hosts[0].origin_proxy = i == 3 ? CONFIG_ORIGIN_PROXY_V2 : CONFIG_ORIGIN_PROXY_OFF;
        prober_configure(&prober, &after->config, after->stats);
        cr_expect_eq(down_of(after, 0), 0);
        cr_expect_not(is_down_on_board("a.test", 1));
        pass(2 * TIMER_TICK_MS);
        cr_expect_eq(in_flight_count, 1, "the first probe goes at once");
        finish_next(true);
        before = make_site(1, 1, after->stats);
        prober_configure(&prober, &before->config, before->stats);
    }
}

Test(prober, a_reload_goes_on_with_the_times_of_probes) {
    struct site *before = make_site(1, ORIGINS_MAX, NULL);
    struct site *after = make_site(1, ORIGINS_MAX, before->stats);

    prober_configure(&prober, &before->config, before->stats);
    answer_for(10000);
    size_t count = begun;
    for (unsigned i = 0; i < 10; i++) {
        prober_configure(&prober, i % 2 == 0 ? &after->config : &before->config, i % 2 == 0 ? after->stats : before->stats);
        answer_for(TIMER_TICK_MS);
    }
    cr_expect_lt(begun - count, 10, "no more than are due in so short a time: %zu", begun - count);
}

Test(prober, origins_that_are_gone_are_probed_no_more) {
    struct site *before = make_site(2, 2, NULL);
    struct site *after = make_site(1, 1, before->stats);

    prober_configure(&prober, &before->config, before->stats);
    pass(2 * TIMER_TICK_MS);
    cr_assert_eq(in_flight_count, 4);
    prober_configure(&prober, &after->config, after->stats);
    cr_expect_eq(aborted, 4);
    begun = 0;
    pass(2 * TIMER_TICK_MS);
    cr_expect_eq(begun, 1, "the one that is left has another probe in place of the lost one");
    finish_next(true);
    pass(30000);
    for (size_t i = 0; i < begun; i++) {
        cr_expect_eq(begun_port[i], 1);
    }
}

/* Has the first host's second origin stand for the addresses with these ports. */
static void take_ports(const struct site *site, const uint16_t *ports, size_t count) {
    struct dns_set set = {0};

    for (size_t i = 0; i < count; i++) {
        struct sockaddr_in in = {
            .sin_family = AF_INET, .sin_port = htons(ports[i]), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        dns_set_add(&set, (const struct sockaddr *)&in, sizeof in);
    }
    prober_take_addresses(&prober, &site->config, 0, 1, &set);
    dns_set_free(&set);
}

Test(prober, addresses_of_a_name_come_and_go_and_the_others_go_on) {
    struct site *site = make_site(1, 2, NULL);

    fall(site, 1 << 2);
    cr_assert_eq(down_of(site, 0), 2);
    struct health_entry *entry =
        health_board_take(board, "a.test",
                          (const struct sockaddr *)&(struct sockaddr_in){
                              .sin_family = AF_INET, .sin_port = htons(2), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
                          sizeof(struct sockaddr_in));
    size_t before = begun;
    take_ports(site, (const uint16_t[]){2, 40, 41}, 3);
    cr_expect_eq(down_of(site, 0), 0, "those that are new are up");
    cr_expect(is_down_on_board("a.test", 2));
    pass(2 * TIMER_TICK_MS);
    size_t of_new = 0;
    for (size_t i = before; i < begun; i++) {
        of_new += begun_port[i] >= 40;
    }
    cr_expect_eq(of_new, 2, "at once");
    for (unsigned i = 0; i < 3; i++) {
        probe_all(site, UINT64_C(1) << 2 | UINT64_C(1) << 40 | UINT64_C(1) << 41);
    }
    cr_expect_eq(down_of(site, 0), 2);
    take_ports(site, (const uint16_t[]){40, 42}, 2);
    cr_expect_eq(down_of(site, 0), 0);
    cr_expect(is_down_on_board("a.test", 40));
    before = begun;
    probe_all(site, 0);
    probe_all(site, 0);
    for (size_t i = before; i < begun; i++) {
        cr_expect(begun_port[i] != 2 && begun_port[i] != 41, "%u is gone", begun_port[i]);
    }
    cr_expect_not(is_down_on_board("a.test", 40));
    /* The one that is gone for the prober has an origin of a shard still; when it comes back, it is new. */
    cr_expect(health_entry_is_down(entry));
    take_ports(site, (const uint16_t[]){2}, 1);
    cr_expect_not(health_entry_is_down(entry));
    health_board_give(board, entry);
}

Test(prober, probes_in_flight_of_addresses_that_go_end_and_others_do_not) {
    struct site *site = make_site(1, 2, NULL);

    prober_configure(&prober, &site->config, site->stats);
    pass(2 * TIMER_TICK_MS);
    cr_assert_eq(in_flight_count, 2);
    take_ports(site, (const uint16_t[]){1, 40}, 2);
    cr_expect_eq(aborted, 1);
    pass(2 * TIMER_TICK_MS);
    cr_expect_eq(in_flight_count, 2, "that of the address that both origins have, and of the new one");
    for (unsigned i = 0; i < 3; i++) {
        probe_all(site, 1 << 1);
    }
    cr_expect_eq(down_of(site, 0), 1, "the other origin has an address that is up");
}

Test(prober, addresses_of_another_configuration_or_of_a_host_without_checks_change_nothing) {
    struct site *site = make_site(2, 2, NULL);
    struct site *other = make_site(2, 2, NULL);

    site->hosts[0].health = NULL;
    prober_configure(&prober, &site->config, site->stats);
    take_ports(other, (const uint16_t[]){40}, 1);
    take_ports(site, (const uint16_t[]){41}, 1);
    pass(2 * TIMER_TICK_MS);
    cr_expect_eq(in_flight_count, 2);
    prober_close(&prober);
    take_ports(site, (const uint16_t[]){41}, 1);
    cr_expect_eq(in_flight_count, 0);
}
