#include "base/hash.h"
#include "guard/holders.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

TestSuite(holders, .init = hash_init);

static const uint64_t START_MS = UINT32_MAX - 500; /* 32 bits of it wrap soon, which must not matter */

static const struct holder_limits unlimited;

static uint32_t arrive(struct holders *holders, uint32_t certificate, const struct holder_limits *limits, bool new_source,
                       uint64_t now_ms, struct holder_worth *worth) {
    uint8_t fingerprint[32] = {0};
    memcpy(fingerprint, &certificate, sizeof certificate);
    return holders_arrive(holders, fingerprint, limits, true, new_source, now_ms, worth);
}

/* It comes and goes. */
static struct holder_worth visit(struct holders *holders, uint32_t certificate, const struct holder_limits *limits,
                                 bool new_source, uint64_t now_ms) {
    struct holder_worth worth;
    holders_leave(holders, arrive(holders, certificate, limits, new_source, now_ms, &worth));
    return worth;
}

Test(holders, the_rate_of_one_is_bounded) {
    struct holders *holders = holders_create(1000);
    const struct holder_limits limits = {.rate = 10};
    unsigned within = 0;
    for (unsigned ms = 0; ms < 100000; ms++) {
        within += visit(holders, 1, &limits, false, START_MS + ms).within_rate;
    }
    cr_expect_leq(within, 10 * HOLDERS_BURST_S + 1000);
    cr_expect_geq(within, 10 * HOLDERS_BURST_S + 999);
    cr_expect(visit(holders, 2, &limits, false, START_MS).within_rate);
    /* A clock that is a little behind gives nothing. */
    for (unsigned i = 0; i < 1000; i++) {
        within = visit(holders, 1, &limits, false, START_MS + 99000 + i % 2).within_rate;
    }
    cr_expect_not(within);
    for (unsigned i = 0; i < 1000; i++) {
        cr_assert(visit(holders, 1, &unlimited, false, START_MS + 100000).within_rate);
    }
    holders_free(holders);
}

Test(holders, connections_of_one_are_bounded) {
    struct holders *holders = holders_create(1000);
    const struct holder_limits limits = {.connections = 3};
    struct holder_worth worth;
    uint32_t held[5];
    for (unsigned i = 0; i < 5; i++) {
        held[i] = arrive(holders, 1, &limits, false, START_MS, &worth);
        cr_expect_eq(worth.within_connections, i < 3);
    }
    cr_expect(visit(holders, 2, &limits, false, START_MS).within_connections);
    for (unsigned i = 0; i < 5; i++) {
        holders_leave(holders, held[i]);
    }
    cr_expect(visit(holders, 1, &limits, false, START_MS).within_connections);
    holders_free(holders);
}

Test(holders, few_sources_become_known_by_one) {
    struct holders *holders = holders_create(1000);
    const struct holder_limits limits = {.rate = 100000, .sources = 8};
    unsigned made = 0;
    for (unsigned i = 0; i < 100; i++) {
        cr_assert(visit(holders, 1, &limits, false, START_MS).within_sources, "of one that is known already");
        made += visit(holders, 1, &limits, true, START_MS).within_sources;
    }
    cr_expect_eq(made, 8);
    for (unsigned s = 1; s <= 300; s++) {
        made += visit(holders, 1, &limits, true, START_MS + s * UINT64_C(1000)).within_sources;
    }
    cr_expect_eq(made, 8 + 300 * 1000 / HOLDERS_SOURCE_REFILL_MS);
    holders_free(holders);
}

Test(holders, one_vouches_once_in_a_while) {
    struct holders *holders = holders_create(1000);
    unsigned vouched = 0;
    for (unsigned s = 0; s < 10 * HOLDERS_VOUCH_S; s++) {
        vouched += visit(holders, 1, &unlimited, false, START_MS + s * UINT64_C(1000)).vouches;
    }
    cr_expect_eq(vouched, 10);
    cr_expect(visit(holders, 2, &unlimited, false, START_MS).vouches);
    holders_free(holders);
}

/* A client that only resumes does not use up the worth of its next full handshake. */
Test(holders, a_ticket_does_not_vouch) {
    struct holders *holders = holders_create(1000);
    const uint8_t fingerprint[32] = {1};
    struct holder_worth worth;
    holders_leave(holders, holders_arrive(holders, fingerprint, &unlimited, false, false, START_MS, &worth));
    cr_expect_not(worth.vouches);
    holders_leave(holders, holders_arrive(holders, fingerprint, &unlimited, true, false, START_MS, &worth));
    cr_expect(worth.vouches);
    holders_free(holders);
}

Test(holders, connections_are_of_one_client) {
    struct holders *holders = holders_create(1000);
    struct holder_worth worth;
    uint32_t held = arrive(holders, 1, &unlimited, false, START_MS, &worth);
    cr_expect(worth.first);
    for (unsigned i = 0; i < 3; i++) {
        cr_expect_not(visit(holders, 1, &unlimited, false, START_MS).first);
    }
    cr_expect(visit(holders, 2, &unlimited, false, START_MS).first);
    holders_leave(holders, held);
    cr_expect(visit(holders, 1, &unlimited, false, START_MS).first);
    holders_free(holders);
}

Test(holders, each_bound_is_news_once) {
    struct holders *holders = holders_create(1000);
    const struct holder_limits limits = {.rate = 10, .sources = 1};
    unsigned rate = 0, sources = 0;
    for (unsigned i = 0; i < 1000; i++) {
        struct holder_worth worth = visit(holders, 1, &limits, true, START_MS);
        cr_expect(!worth.rate_is_news || !worth.within_rate);
        cr_expect(!worth.sources_are_news || !worth.within_sources);
        rate += worth.rate_is_news;
        sources += worth.sources_are_news;
    }
    cr_expect(rate == 1 && sources == 1, "%u, %u", rate, sources);
    struct holder_worth other = visit(holders, 2, &limits, true, START_MS);
    cr_expect(!other.rate_is_news && !other.sources_are_news);
    holders_free(holders);
}

Test(holders, the_table_is_fixed_and_the_connected_stay) {
    struct holders *holders = holders_create(4096);
    const struct holder_limits limits = {.rate = 1, .connections = 1};
    struct holder_worth worth;
    uint32_t held = arrive(holders, 7, &limits, false, START_MS, &worth);
    for (uint32_t i = 100; i < 200000; i++) {
        uint32_t holder = arrive(holders, i, &limits, false, START_MS + i, &worth);
        cr_assert(worth.within_connections && (holder < 4096 || holder == HOLDER_UNTRACKED));
        holders_leave(holders, holder);
    }
    arrive(holders, 7, &limits, false, START_MS, &worth);
    cr_expect_not(worth.within_connections, "it is still there");
    holders_leave(holders, held);
    holders_leave(holders, held);
    holders_free(holders);
}

Test(holders, a_full_set_leaves_others_untracked) {
    struct holders *holders = holders_create(1);
    const struct holder_limits limits = {.rate = 1, .connections = 1, .sources = 1};
    struct holder_worth worth;
    uint32_t held[HOLDERS_WAYS];
    for (uint32_t i = 0; i < HOLDERS_WAYS; i++) {
        held[i] = arrive(holders, i, &limits, false, START_MS, &worth);
        cr_assert_neq(held[i], HOLDER_UNTRACKED);
    }
    for (unsigned i = 0; i < 10; i++) {
        uint32_t more = arrive(holders, 100, &limits, true, START_MS, &worth);
        cr_assert_eq(more, HOLDER_UNTRACKED);
        cr_assert(worth.within_rate && worth.within_connections && worth.within_sources && !worth.vouches && !worth.first);
        holders_leave(holders, more);
    }
    for (uint32_t i = 0; i < HOLDERS_WAYS; i++) {
        holders_leave(holders, held[i]);
    }
    holders_free(holders);
}

enum { THREADS = 4, ROUNDS = 20000, CERTIFICATES = 64 };

static void *hammer(void *argument) {
    const struct holder_limits limits = {.connections = 2};
    for (uint32_t i = 0; i < ROUNDS; i++) {
        visit(argument, i % CERTIFICATES, &limits, true, START_MS + i / 100);
    }
    return NULL;
}

Test(holders, threads_share_it) {
    struct holders *holders = holders_create(4 * CERTIFICATES);
    const struct holder_limits limits = {.connections = 1};
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, hammer, holders), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (uint32_t i = 0; i < CERTIFICATES; i++) {
        cr_expect(visit(holders, i, &limits, false, START_MS + ROUNDS).within_connections);
    }
    holders_free(holders);
}
