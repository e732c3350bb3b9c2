#include "base/hash.h"
#include "guard/holders.h"
#include "guard/sources.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

TestSuite(sources, .init = hash_init);

enum { HOUR_MS = 60 * 60 * 1000 };

/* The table keeps the low 32 bits of the time in milliseconds apart: shortly before they wrap. */
static const uint64_t START_MS = UINT32_MAX - 500;

static const struct source_limits unlimited;

static struct sockaddr_storage address_of(const char *text) {
    struct sockaddr_storage storage = {0};
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&storage;
    struct sockaddr_in *in = (struct sockaddr_in *)&storage;
    if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
    } else {
        cr_assert_eq(inet_pton(AF_INET, text, &in->sin_addr), 1, "%s", text);
        in->sin_family = AF_INET;
    }
    return storage;
}

static struct sockaddr_storage address_at(uint32_t number) {
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *in = (struct sockaddr_in *)&storage;
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = htonl(number);
    return storage;
}

struct visit {
    enum source_arrival arrival;
    enum source_standing standing;
    uint32_t source;
};

static struct visit visit(struct sources *sources, struct sockaddr_storage peer, const struct source_limits *limits,
                          uint64_t now_ms) {
    struct visit visit;
    visit.arrival = sources_arrive(sources, (struct sockaddr *)&peer, limits, now_ms, &visit.source, &visit.standing);
    return visit;
}

static enum source_standing standing_of(struct sources *sources, const char *text, uint64_t now_ms) {
    struct visit one = visit(sources, address_of(text), &unlimited, now_ms);
    cr_assert_eq(one.arrival, SOURCE_ADMITTED);
    sources_leave(sources, one.source);
    return one.standing;
}

static void fail(struct sources *sources, const char *text, unsigned times, uint64_t now_ms) {
    struct visit one = visit(sources, address_of(text), &unlimited, now_ms);
    for (unsigned i = 0; i < times; i++) {
        sources_fail(sources, one.source, 1, now_ms);
    }
    sources_leave(sources, one.source);
}

static void prove(struct sources *sources, const char *text, uint64_t now_ms) {
    struct visit one = visit(sources, address_of(text), &unlimited, now_ms);
    sources_prove(sources, one.source, true, now_ms);
    sources_leave(sources, one.source);
}

Test(sources, open_connections_are_bounded) {
    struct sources *sources = sources_create(1000);
    const struct source_limits limits = {.connections = 3};
    struct visit held[3];
    for (size_t i = 0; i < 3; i++) {
        held[i] = visit(sources, address_of("192.0.2.1"), &limits, START_MS);
        cr_assert_eq(held[i].arrival, SOURCE_ADMITTED);
        cr_assert_eq(held[i].source, held[0].source);
    }
    cr_expect_eq(visit(sources, address_of("192.0.2.1"), &limits, START_MS).arrival, SOURCE_OVER_CONNECTIONS);
    struct visit other = visit(sources, address_of("192.0.2.2"), &limits, START_MS);
    cr_expect_eq(other.arrival, SOURCE_ADMITTED);
    cr_expect_neq(other.source, held[0].source);
    sources_leave(sources, held[0].source);
    cr_expect_eq(visit(sources, address_of("192.0.2.1"), &limits, START_MS).arrival, SOURCE_ADMITTED);
    sources_free(sources);
}

Test(sources, the_bucket_gives_a_burst_and_then_the_rate) {
    struct sources *sources = sources_create(1000);
    const struct source_limits limits = {.rate = 20, .burst = 5};
    struct sockaddr_storage peer = address_of("192.0.2.1");
    unsigned admitted = 0;
    for (unsigned i = 0; i < 8; i++) {
        struct visit one = visit(sources, peer, &limits, START_MS);
        cr_assert_eq(one.arrival, i < 5 ? SOURCE_ADMITTED : SOURCE_OVER_RATE, "%u", i);
    }
    /* Ten seconds of a knock each millisecond, over the wrap of the clock. */
    for (unsigned ms = 1; ms <= 10000; ms++) {
        struct visit one = visit(sources, peer, &limits, START_MS + ms);
        admitted += one.arrival == SOURCE_ADMITTED;
    }
    cr_expect_eq(admitted, 200);
    /* A client with a valid certificate frees its source. */
    prove(sources, "192.0.2.9", START_MS);
    for (unsigned i = 0; i < 100; i++) {
        cr_assert_eq(visit(sources, address_of("192.0.2.9"), &limits, START_MS).arrival, SOURCE_ADMITTED);
    }
    /* After a long rest a burst, and no more. */
    for (unsigned i = 0; i < 8; i++) {
        struct visit one = visit(sources, peer, &limits, START_MS + HOUR_MS);
        cr_expect_eq(one.arrival, i < 5 ? SOURCE_ADMITTED : SOURCE_OVER_RATE, "%u", i);
    }
    sources_free(sources);
}

/* A source that comes back after a long time has a full bucket, wherever the clock's halves and wraps of 32 bits lie. */
Test(sources, a_long_absence_is_a_rest) {
    static const double days[] = {1, 24.8, 24.9, 25, 30, 49.7, 49.71, 49.8, 50, 75, 99.5, 365, 1000, 10000};
    static const uint64_t starts[] = {0, 1000, INT32_MAX - 500, UINT32_MAX - 500, (uint64_t)UINT32_MAX * 7};
    const struct source_limits limits = {.rate = 1, .burst = 5};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        for (size_t j = 0; j < sizeof days / sizeof days[0]; j++) {
            struct sources *sources = sources_create(8);
            uint64_t back_ms = starts[i] + (uint64_t)(days[j] * 24 * HOUR_MS);
            for (unsigned round = 0; round < 2; round++) {
                for (unsigned k = 0; k < 7; k++) {
                    struct visit one = visit(sources, address_of("192.0.2.1"), &limits, round == 0 ? starts[i] : back_ms);
                    cr_expect_eq(one.arrival, k < 5 ? SOURCE_ADMITTED : SOURCE_OVER_RATE, "%g days after %llu: %u", days[j],
                                 (unsigned long long)starts[i], k);
                    if (one.arrival == SOURCE_ADMITTED) {
                        sources_leave(sources, one.source);
                    }
                }
                fail(sources, "192.0.2.1", SOURCES_SUSPECT_FAILURES, round == 0 ? starts[i] : back_ms);
            }
            fail(sources, "192.0.2.2", SOURCES_FAILURES_MAX, starts[i]);
            prove(sources, "192.0.2.3", starts[i]);
            cr_expect_eq(standing_of(sources, "192.0.2.1", back_ms), SOURCE_SUSPECT);
            cr_expect_eq(standing_of(sources, "192.0.2.2", back_ms), SOURCE_UNKNOWN, "%g days", days[j]);
            cr_expect_eq(standing_of(sources, "192.0.2.3", back_ms), SOURCE_UNKNOWN, "%g days", days[j]);
            sources_free(sources);
        }
    }
}

/* The one that was away for longest makes room, not the one that a clock of 32 bits would take for it. */
Test(sources, age_decides_however_long_ago) {
    struct sources *sources = sources_create(SOURCES_WAYS);
    uint64_t now_ms = START_MS;
    uint32_t places[SOURCES_WAYS];
    for (uint32_t i = 0; i < SOURCES_WAYS; i++) {
        places[i] = visit(sources, address_at(i), &unlimited, now_ms).source;
        sources_leave(sources, places[i]);
        now_ms += (uint64_t)26 * 24 * HOUR_MS;
    }
    for (uint32_t i = 0; i < SOURCES_WAYS; i++) {
        cr_expect_eq(visit(sources, address_at(100 + i), &unlimited, now_ms).source, places[i], "%u", i);
    }
    sources_free(sources);
}

/* Two shards whose turns began a moment apart. */
Test(sources, a_clock_that_is_behind_gives_nothing) {
    struct sources *sources = sources_create(1000);
    const struct source_limits limits = {.rate = 1, .burst = 20};
    unsigned admitted = 0;
    for (unsigned i = 0; i < 1000; i++) {
        admitted += visit(sources, address_of("192.0.2.1"), &limits, START_MS + 1000 - i % 2).arrival == SOURCE_ADMITTED;
    }
    cr_expect_eq(admitted, 20, "%u", admitted);
    fail(sources, "192.0.2.2", 4, START_MS + 2000);
    fail(sources, "192.0.2.2", 1, START_MS + 900);
    cr_expect_eq(standing_of(sources, "192.0.2.2", START_MS + 900), SOURCE_SUSPECT);
    sources_free(sources);
}

Test(sources, a_slow_rate_fills_up_however_often_one_knocks) {
    struct sources *sources = sources_create(1000);
    const struct source_limits limits = {.rate = 1, .burst = 1};
    unsigned admitted = 0;
    for (unsigned i = 0; i < 40000; i++) {
        admitted += visit(sources, address_of("192.0.2.1"), &limits, START_MS + i / 4).arrival == SOURCE_ADMITTED;
    }
    cr_expect(admitted == 10 || admitted == 11, "%u", admitted);
    sources_free(sources);
}

Test(sources, an_address_is_32_bits_of_ipv4_and_64_of_ipv6) {
    struct sources *sources = sources_create(1000);
    uint32_t source = visit(sources, address_of("2001:db8:1:2::1"), &unlimited, START_MS).source;
    cr_expect_eq(visit(sources, address_of("2001:db8:1:2:ffff::9"), &unlimited, START_MS).source, source);
    cr_expect_neq(visit(sources, address_of("2001:db8:1:3::1"), &unlimited, START_MS).source, source);
    source = visit(sources, address_of("192.0.2.7"), &unlimited, START_MS).source;
    cr_expect_eq(visit(sources, address_of("::ffff:192.0.2.7"), &unlimited, START_MS).source, source);
    cr_expect_neq(visit(sources, address_of("192.0.2.8"), &unlimited, START_MS).source, source);
    /* The same bits in the other family. */
    cr_expect_neq(visit(sources, address_of("c000:207::"), &unlimited, START_MS).source, source);
    sources_free(sources);
}

Test(sources, failures_make_a_suspect_and_fade) {
    struct sources *sources = sources_create(1000);
    fail(sources, "192.0.2.1", SOURCES_SUSPECT_FAILURES - 1, START_MS);
    cr_expect_eq(standing_of(sources, "192.0.2.1", START_MS), SOURCE_UNKNOWN);
    fail(sources, "192.0.2.1", 1, START_MS);
    cr_expect_eq(standing_of(sources, "192.0.2.1", START_MS), SOURCE_SUSPECT);
    cr_expect_eq(standing_of(sources, "192.0.2.2", START_MS), SOURCE_UNKNOWN);
    cr_expect_eq(standing_of(sources, "192.0.2.1", START_MS + 6000), SOURCE_SUSPECT);
    cr_expect_eq(standing_of(sources, "192.0.2.1", START_MS + 10000), SOURCE_UNKNOWN);
    /* However long it went on, forgiven after 40 s. */
    fail(sources, "192.0.2.1", 100000, START_MS + 20000);
    cr_expect_eq(standing_of(sources, "192.0.2.1", START_MS + 50000), SOURCE_SUSPECT);
    cr_expect_eq(standing_of(sources, "192.0.2.1", START_MS + 70000), SOURCE_UNKNOWN);
    /* A source that fails a little all the time stays a suspect: twice a second against a half-life of 8 s. */
    for (unsigned ms = 100000; ms < 200000; ms += 500) {
        fail(sources, "192.0.2.1", 1, START_MS + ms);
        cr_assert(ms < 103000 || standing_of(sources, "192.0.2.1", START_MS + ms) == SOURCE_SUSPECT, "%u", ms);
    }
    sources_free(sources);
}

Test(sources, a_valid_certificate_speaks_for_its_source) {
    struct sources *sources = sources_create(1000);
    fail(sources, "192.0.2.1", 6, START_MS);
    prove(sources, "192.0.2.1", START_MS);
    cr_expect_eq(standing_of(sources, "192.0.2.1", START_MS), SOURCE_KNOWN);
    cr_expect_eq(standing_of(sources, "192.0.2.1", START_MS + (SOURCES_KNOWN_S - 2) * 1000), SOURCE_KNOWN);
    cr_expect_eq(standing_of(sources, "192.0.2.1", START_MS + (SOURCES_KNOWN_S + 2) * 1000), SOURCE_UNKNOWN);
    /* Beside many bad neighbours it does not, but their source is not condemned for them either. */
    prove(sources, "192.0.2.2", START_MS);
    fail(sources, "192.0.2.2", SOURCES_KNOWN_FAILURES_MAX - 1, START_MS);
    cr_expect_eq(standing_of(sources, "192.0.2.2", START_MS), SOURCE_KNOWN);
    fail(sources, "192.0.2.2", 1, START_MS);
    cr_expect_eq(standing_of(sources, "192.0.2.2", START_MS), SOURCE_UNKNOWN);
    prove(sources, "192.0.2.2", START_MS);
    cr_expect_eq(standing_of(sources, "192.0.2.2", START_MS), SOURCE_KNOWN);
    sources_free(sources);
}

static void set_credit(struct sources *sources, struct visit one, bool vouches, uint64_t now_ms) {
    sources_prove(sources, one.source, true, now_ms);
    sources_credit(sources, one.source, vouches, true, now_ms);
}

static void go(struct sources *sources, struct visit one, bool credited, uint64_t now_ms) {
    if (credited) {
        sources_discredit(sources, one.source, true, now_ms);
    }
    sources_leave(sources, one.source);
}

enum { CLIENTS = 50000 };

/* A proxy, or a carrier's NAT: each connection has a certificate of its own. */
Test(sources, connections_that_proved_themselves_do_not_count) {
    struct sources *sources = sources_create(1000);
    const struct source_limits limits = {.connections = 100};
    static struct visit visits[CLIENTS];
    struct sockaddr_storage nat = address_of("192.0.2.1");
    for (size_t i = 0; i < CLIENTS; i++) {
        visits[i] = visit(sources, nat, &limits, START_MS + i);
        cr_assert_eq(visits[i].arrival, SOURCE_ADMITTED, "%zu", i);
        set_credit(sources, visits[i], true, START_MS + i);
    }
    /* All at once they are gone, and come again before one of them has shown anything. */
    for (size_t i = 0; i < CLIENTS; i++) {
        go(sources, visits[i], true, START_MS + CLIENTS);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        visits[i] = visit(sources, nat, &limits, START_MS + CLIENTS + 1000);
        cr_assert_eq(visits[i].arrival, SOURCE_ADMITTED, "%zu", i);
    }
    /* But not without end. */
    unsigned more = 0;
    while (visit(sources, nat, &limits, START_MS + CLIENTS + 2000).arrival == SOURCE_ADMITTED) {
        more++;
    }
    cr_expect_eq(more, limits.connections);
    sources_free(sources);
}

Test(sources, one_client_does_not_widen_the_bound) {
    struct sources *sources = sources_create(1000);
    const struct source_limits limits = {.connections = 100};
    struct sockaddr_storage peer = address_of("192.0.2.1");
    /* It comes again and again, for many half-lives; its certificate vouches once in a while. */
    uint64_t vouched_ms = 0, now_ms = START_MS;
    for (unsigned i = 0; i < 100000; i++, now_ms += 100) {
        struct visit one = visit(sources, peer, &limits, now_ms);
        bool vouches = now_ms - vouched_ms >= (uint64_t)HOLDERS_VOUCH_S * 1000;
        cr_assert_eq(one.arrival, SOURCE_ADMITTED);
        set_credit(sources, one, vouches, now_ms);
        vouched_ms = vouches ? now_ms : vouched_ms;
        go(sources, one, true, now_ms);
    }
    unsigned open = 0;
    while (visit(sources, peer, &limits, now_ms).arrival == SOURCE_ADMITTED) {
        open++;
    }
    cr_expect(open > 100 && open <= 102, "%u", open);
    sources_free(sources);
}

Test(sources, what_was_vouched_for_fades) {
    struct sources *sources = sources_create(1000);
    const struct source_limits limits = {.connections = 10};
    struct sockaddr_storage peer = address_of("192.0.2.1");
    for (unsigned i = 0; i < 1000; i++) {
        struct visit one = visit(sources, peer, &limits, START_MS);
        set_credit(sources, one, true, START_MS);
        go(sources, one, true, START_MS);
    }
    unsigned open = 0;
    uint64_t later_ms = START_MS + (2 * SOURCES_VOUCHED_HALF_LIFE_S + 2) * UINT64_C(1000);
    while (visit(sources, peer, &limits, later_ms).arrival == SOURCE_ADMITTED) {
        open++;
    }
    cr_expect_eq(open, 10 + 250);
    /* With many failures of late it counts for nothing. */
    struct sockaddr_storage other = address_of("192.0.2.2");
    struct visit one = visit(sources, other, &limits, START_MS);
    for (unsigned i = 0; i < 100; i++) {
        struct visit valid = visit(sources, other, &limits, START_MS);
        set_credit(sources, valid, true, START_MS);
        go(sources, valid, true, START_MS);
    }
    sources_fail(sources, one.source, SOURCES_KNOWN_FAILURES_MAX, START_MS);
    for (open = 1; visit(sources, other, &limits, START_MS).arrival == SOURCE_ADMITTED; open++) {
    }
    cr_expect_eq(open, 10);
    sources_free(sources);
}

/* A site with so many known sources, each of which makes a handshake now and then. */
static void keep_others_busy(struct sources *sources, unsigned others, uint64_t now_ms) {
    for (unsigned i = 0; i < others; i++) {
        struct visit other = visit(sources, address_at(0x0a000000 + i), &unlimited, now_ms);
        cr_expect(sources_has_work(sources, other.source, 1, now_ms), "%u", i);
        sources_spend(sources, other.source, 130000, 1, now_ms);
        sources_leave(sources, other.source);
    }
}

/* Handshakes of 130 us, so often in each of ten seconds: how many of them had work left, of a second. */
static unsigned work(struct sources *sources, uint32_t source, unsigned rate, unsigned others, unsigned cores,
                     uint64_t begin_ms) {
    unsigned had = 0;
    for (unsigned i = 0; i < 10 * rate; i++) {
        uint64_t now_ms = begin_ms + i * UINT64_C(1000) / rate;
        if (i % rate == 0) {
            keep_others_busy(sources, others, now_ms);
        }
        if (sources_has_work(sources, source, cores, now_ms)) {
            sources_spend(sources, source, 130000, cores, now_ms);
            had++;
        }
    }
    return had / 10;
}

Test(sources, a_known_source_has_its_share_of_handshakes) {
    struct sources *sources = sources_create(1000);
    uint32_t source = visit(sources, address_of("192.0.2.1"), &unlimited, START_MS).source;
    unsigned had = work(sources, source, 500, 100, 1, START_MS);
    cr_expect_eq(had, 500, "more than any device needs: %u", had);
    /* A tenth of a core, with what was saved up, is 770 a second. */
    had = work(sources, source, 7000, 100, 1, START_MS + 20000);
    cr_expect(had > 760 && had < 860, "%u", had);
    had = work(sources, source, 7000, 100, 4, START_MS + 40000);
    cr_expect(had > 4 * 760 && had < 4 * 860, "%u", had);
    /* Where few use it they may have more: twice an equal share. */
    had = work(sources, source, 7000, 4, 1, START_MS + 60000);
    cr_expect(had > 3000 && had < 3500, "%u", had);
    had = work(sources, source, 7000, 0, 1, START_MS + 80000);
    cr_expect(had > 6900, "%u", had);
    cr_expect(sources_has_work(sources, SOURCE_UNTRACKED, 1, START_MS));
    sources_spend(sources, SOURCE_UNTRACKED, 1, 1, START_MS);
    sources_free(sources);
}

Test(sources, many_clients_behind_one_address_may_do_more) {
    struct sources *sources = sources_create(1000);
    uint32_t source = visit(sources, address_of("192.0.2.1"), &unlimited, START_MS).source;
    for (unsigned i = 0; i < 100; i++) {
        struct visit client = visit(sources, address_of("192.0.2.1"), &unlimited, START_MS);
        set_credit(sources, client, true, START_MS);
    }
    unsigned had = work(sources, source, 7000, 100, 1, START_MS);
    cr_expect_gt(had, 6900, "%u", had);
    /* A debt is paid within a second or two. */
    sources_spend(sources, source, UINT64_C(3600000000000), 1, START_MS + 20000);
    cr_expect_not(sources_has_work(sources, source, 1, START_MS + 20050));
    cr_expect(sources_has_work(sources, source, 1, START_MS + 22000));
    sources_free(sources);
}

/* It shows its valid certificate between two failures, so often that it seems to be better than its neighbours. */
/* Its device holds as many as a certificate may have, which is worth their places and nothing more. */
Test(sources, connections_of_one_client_are_one_client) {
    enum { OPEN = 256 };
    struct sources *sources = sources_create(1000);
    const struct source_limits limits = {.connections = 10};
    struct sockaddr_storage peer = address_of("192.0.2.1");
    uint32_t source = SOURCE_UNTRACKED;
    for (unsigned i = 0; i < OPEN; i++) {
        struct visit one = visit(sources, peer, &limits, START_MS);
        cr_assert_eq(one.arrival, SOURCE_ADMITTED, "%u", i);
        sources_prove(sources, one.source, i == 0, START_MS);
        sources_credit(sources, one.source, i == 0, i == 0, START_MS);
        source = one.source;
    }
    unsigned had = work(sources, source, 7000, 100, 1, START_MS);
    cr_expect(had > 700 && had < 900, "a tenth of a core: %u", had);
    cr_expect(sources_begin_wait(sources, source, 0, START_MS) && !sources_begin_wait(sources, source, 0, START_MS));
    sources_end_wait(sources, source);
    unsigned more = 0;
    while (visit(sources, peer, &limits, START_MS).arrival == SOURCE_ADMITTED) {
        more++;
    }
    cr_expect_eq(more, 10 + 1);
    sources_discredit(sources, source, true, START_MS);
    sources_free(sources);
}

Test(sources, one_client_does_not_pay_for_its_failures) {
    struct sources *sources = sources_create(1000);
    struct visit one = visit(sources, address_of("192.0.2.1"), &unlimited, START_MS);
    sources_prove(sources, one.source, true, START_MS);
    for (unsigned i = 0; i < 2 * SOURCES_KNOWN_FAILURES_MAX; i++) {
        sources_fail(sources, one.source, 1, START_MS + i);
        sources_prove(sources, one.source, false, START_MS + i);
    }
    cr_expect_eq(sources_standing(sources, one.source, START_MS + 100), SOURCE_UNKNOWN);
    cr_expect_eq(sources_standing(sources, one.source, START_MS + 40000), SOURCE_KNOWN);
    sources_free(sources);
}

Test(sources, waiting_hellos_are_bounded) {
    struct sources *sources = sources_create(1000);
    uint32_t source = visit(sources, address_of("192.0.2.1"), &unlimited, START_MS).source;
    cr_assert_eq(visit(sources, address_of("192.0.2.1"), &unlimited, START_MS).source, source);
    cr_assert(sources_begin_wait(sources, source, 2, START_MS));
    cr_assert(sources_begin_wait(sources, source, 2, START_MS));
    cr_assert_not(sources_begin_wait(sources, source, 2, START_MS));
    sources_end_wait(sources, source);
    cr_assert(sources_begin_wait(sources, source, 2, START_MS));
    cr_assert(sources_begin_wait(sources, SOURCE_UNTRACKED, 0, START_MS));
    sources_free(sources);
}

Test(sources, a_few_hellos_go_before_further_ones) {
    struct sources *sources = sources_create(1000);
    uint32_t source = visit(sources, address_of("192.0.2.1"), &unlimited, START_MS).source;
    for (unsigned i = 1; i <= 10; i++) {
        cr_assert(sources_begin_wait(sources, source, 100, START_MS));
        cr_expect_eq(sources_waits_behind(sources, source, START_MS), i > SOURCES_WAITING_FRONT, "%u", i);
    }
    for (unsigned i = 0; i < 40; i++) {
        set_credit(sources, visit(sources, address_of("192.0.2.1"), &unlimited, START_MS), true, START_MS);
    }
    cr_expect_not(sources_waits_behind(sources, source, START_MS), "many clients are there");
    unsigned more = 0;
    while (sources_begin_wait(sources, source, 10, START_MS)) {
        more++;
    }
    cr_expect_eq(more, 40, "and each may wait");
    cr_expect_not(sources_waits_behind(sources, SOURCE_UNTRACKED, START_MS));
    sources_free(sources);
}

Test(sources, the_table_is_fixed_and_the_known_and_the_connected_stay) {
    struct sources *sources = sources_create(4096);
    prove(sources, "10.0.0.1", START_MS);
    struct visit held = visit(sources, address_of("10.0.0.2"), &unlimited, START_MS);
    fail(sources, "10.0.0.3", SOURCES_FAILURES_MAX, START_MS);
    /* A million others, each later than all before. */
    for (uint32_t i = 0; i < 1000000; i++) {
        struct visit one = visit(sources, address_at(0xc0000000 + i), &unlimited, START_MS + i / 100);
        cr_assert(one.source < 4096 || one.source == SOURCE_UNTRACKED);
        sources_fail(sources, one.source, 1, START_MS + i / 100);
        sources_leave(sources, one.source);
    }
    cr_expect_eq(standing_of(sources, "10.0.0.1", START_MS + 10000), SOURCE_KNOWN);
    cr_expect_eq(visit(sources, address_of("10.0.0.2"), &unlimited, START_MS + 10000).source, held.source);
    cr_expect_eq(standing_of(sources, "10.0.0.3", START_MS + 10000), SOURCE_UNKNOWN, "forgotten, being the oldest");
    sources_free(sources);
}

Test(sources, a_full_set_leaves_others_untracked) {
    struct sources *sources = sources_create(1);
    const struct source_limits one_each = {.connections = 1};
    struct visit last;
    for (uint32_t i = 0; i < SOURCES_WAYS; i++) {
        last = visit(sources, address_at(i), &one_each, START_MS);
        cr_assert(last.arrival == SOURCE_ADMITTED && last.source != SOURCE_UNTRACKED);
    }
    for (unsigned i = 0; i < 3; i++) {
        struct visit more = visit(sources, address_at(100), &one_each, START_MS);
        cr_assert(more.arrival == SOURCE_ADMITTED && more.source == SOURCE_UNTRACKED && more.standing == SOURCE_UNKNOWN);
        sources_fail(sources, more.source, 1, START_MS);
        sources_prove(sources, more.source, true, START_MS);
        cr_assert_eq(sources_standing(sources, more.source, START_MS), SOURCE_UNKNOWN);
        sources_leave(sources, more.source);
    }
    sources_leave(sources, last.source);
    cr_assert_neq(visit(sources, address_at(100), &one_each, START_MS).source, SOURCE_UNTRACKED);
    sources_free(sources);
}

enum { THREADS = 4, ROUNDS = 20000, ADDRESSES = 64 };

static void *hammer(void *argument) {
    struct sources *sources = argument;
    const struct source_limits limits = {.connections = 2};
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct visit one = visit(sources, address_at(i % ADDRESSES), &limits, START_MS + i / 100);
        if (one.arrival != SOURCE_ADMITTED) {
            continue;
        }
        if (sources_begin_wait(sources, one.source, 1, START_MS)) {
            sources_end_wait(sources, one.source);
        }
        sources_fail(sources, one.source, 1, START_MS + i / 100);
        sources_leave(sources, one.source);
    }
    return NULL;
}

Test(sources, threads_share_it) {
    struct sources *sources = sources_create(4 * ADDRESSES);
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, hammer, sources), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    /* Nobody is counted as connected any more. */
    const struct source_limits limits = {.connections = 1};
    for (uint32_t i = 0; i < ADDRESSES; i++) {
        cr_expect_eq(visit(sources, address_at(i), &limits, START_MS + ROUNDS).arrival, SOURCE_ADMITTED);
    }
    sources_free(sources);
}
