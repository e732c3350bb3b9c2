#include "base/check.h"
#include "base/hash.h"
#include "identity/cache.h"
#include "support.h"

#include <pthread.h>

enum {
    AT = 1780315200,
    FROM = 1577836800, /* of one-intermediate.pem */
    UNTIL = 2208988800,
};

static struct trust *trust;
static struct forward_header headers[] = {{.name = (char *)"X-Status", .field = {.kind = FIELD_STATUS}}};
static const struct forward forward = {headers, 1};
static struct identity_policy policy = {.depth_max = 4, .forward = &forward};

static struct identity_cache *cache;

static void setup(void) {
    hash_init();
    trust = trust_create();
    support_add_root(trust, CORPUS, "roots/root.pem");
    policy.trust = trust;
    identity_policy_seal(&policy);
    cache = identity_cache_create(10000);
}

static void teardown(void) {
    identity_cache_free(cache);
    trust_free(trust);
}

TestSuite(cache, .init = setup, .fini = teardown);

static unsigned references(struct identity *identity) {
    return atomic_load(&identity->references);
}

static void assert_counts(uint64_t hits, uint64_t misses, uint64_t entries, uint64_t bad) {
    struct identity_cache_counts counts = identity_cache_count(cache);
    cr_assert(counts.hits == hits && counts.misses == misses && counts.entries == entries && counts.bad == bad,
              "%lu hits, %lu misses, %lu entries, %lu bad", counts.hits, counts.misses, counts.entries, counts.bad);
}

Test(cache, digests_tell_bytes_order_and_cuts_apart) {
    uint8_t a[] = "leaf", b[] = "intermediate", c[] = "leafintermediate", d[] = "leaF";
    const struct bytes chain[] = {bytes_of(a, 4), bytes_of(b, 12)};
    const struct bytes swapped[] = {chain[1], chain[0]};
    const struct bytes joined[] = {bytes_of(c, 16)};
    const struct bytes cut[] = {bytes_of(c, 5), bytes_of(c + 5, 11)};
    const struct bytes changed[] = {bytes_of(d, 4), chain[1]};
    const struct bytes padded[] = {chain[0], chain[1], bytes_of(NULL, 0)};
    uint8_t digests[7][IDENTITY_DIGEST_SIZE];
    identity_chain_digest(chain, 2, digests[0]);
    identity_chain_digest(swapped, 2, digests[1]);
    identity_chain_digest(joined, 1, digests[2]);
    identity_chain_digest(cut, 2, digests[3]);
    identity_chain_digest(changed, 2, digests[4]);
    identity_chain_digest(padded, 3, digests[5]);
    identity_chain_digest(chain, 1, digests[6]);
    for (size_t i = 0; i < ARRAY_LENGTH(digests); i++) {
        for (size_t j = 0; j < i; j++) {
            cr_assert_neq(memcmp(digests[i], digests[j], IDENTITY_DIGEST_SIZE), 0, "%zu and %zu", j, i);
        }
    }
    uint8_t again[IDENTITY_DIGEST_SIZE];
    identity_chain_digest(chain, 2, again);
    cr_assert_eq(memcmp(again, digests[0], sizeof again), 0);
}

static struct identity *judge(const struct identity_policy *by, const char *file, bool too_large, int64_t now,
                              bool *cached) {
    uint8_t digest[IDENTITY_DIGEST_SIZE], expected[IDENTITY_DIGEST_SIZE] = {0};
    struct bytes chain[SUPPORT_CHAIN_MAX];
    size_t count = support_chain(CORPUS "/chains", file, chain);
    struct identity *identity = identity_cache_judge(cache, by, chain, count, too_large, now, digest, cached);
    if (!*cached) {
        identity_cache_insert(cache, by, digest, identity);
    }
    if (!too_large) {
        identity_chain_digest(chain, count, expected);
    }
    cr_assert_eq(memcmp(digest, expected, sizeof digest), 0);
    support_free_chain(chain, count);
    return identity;
}

Test(cache, a_valid_chain_is_judged_once_for_each_policy) {
    bool cached;
    struct identity *first = judge(&policy, "one-intermediate.pem", false, AT, &cached);
    cr_assert(!cached && first->status == STATUS_VALID && first->valid_from == FROM && first->valid_until == UNTIL);
    cr_assert_eq(first->signatures, 2);
    struct identity *second = judge(&policy, "one-intermediate.pem", false, AT, &cached);
    cr_assert(cached && second == first);
    cr_assert_eq(references(first), 3);
    struct trust *empty = trust_create();
    struct identity_policy other = {.trust = empty, .depth_max = 4, .forward = &forward};
    identity_policy_seal(&other);
    struct identity *stranger = judge(&other, "one-intermediate.pem", false, AT, &cached);
    cr_assert(!cached);
    cr_assert_eq(stranger->reason, REASON_UNKNOWN_ISSUER, "another host's verdict");
    assert_counts(1, 2, 1, 0);
    identity_release(stranger);
    identity_release(second);
    identity_release(first);
    trust_free(empty);
}

Test(cache, a_policy_of_the_same_content_is_the_same_policy) {
    struct trust *reloaded = trust_create();
    support_add_root(reloaded, CORPUS, "roots/root.pem");
    struct identity_policy again = {.trust = reloaded, .depth_max = 4, .forward = &forward};
    identity_policy_seal(&again);
    bool cached;
    identity_release(judge(&policy, "one-intermediate.pem", false, AT, &cached));
    identity_release(judge(&again, "one-intermediate.pem", false, AT, &cached));
    cr_assert(cached);
    trust_free(reloaded);
}

Test(cache, a_chain_is_judged_anew_after_its_last_second) {
    bool cached;
    identity_release(judge(&policy, "one-intermediate.pem", false, UNTIL, &cached));
    struct identity *last = judge(&policy, "one-intermediate.pem", false, UNTIL, &cached);
    cr_assert(cached && last->status == STATUS_VALID);
    struct identity *late = judge(&policy, "one-intermediate.pem", false, UNTIL + 1LL, &cached);
    cr_assert(!cached);
    cr_assert_eq(late->reason, REASON_EXPIRED);
    identity_release(late);
    identity_release(last);
}

Test(cache, only_verdicts_that_cost_a_signature_are_kept) {
    static const struct {
        const char *file;
        bool kept;
    } cases[] = {{"leaf-signature-flipped.pem", true}, {"self-signed.pem", false}, {"malformed-cut.pem", false}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        bool cached;
        for (int round = 0; round < 2; round++) {
            struct identity *identity = judge(&policy, cases[i].file, false, AT, &cached);
            cr_assert_eq(identity->status, STATUS_INVALID);
            cr_assert_eq(identity->signatures > 0, cases[i].kept, "%s: %u signatures", cases[i].file, identity->signatures);
            identity_release(identity);
            cr_assert_eq(cached, round == 1 && cases[i].kept, "%s", cases[i].file);
        }
    }
    assert_counts(1, 5, 0, 1);
}

/* Counts what the C library is asked for; the sanitizers have an allocator of their own. */
static _Thread_local size_t allocations;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { COUNTS_ALLOCATIONS = false };
#else
enum { COUNTS_ALLOCATIONS = true };
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

void *malloc(size_t size) {
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    allocations++;
    return __libc_realloc(memory, size);
}
#endif

Test(cache, a_hit_allocates_nothing) {
    struct bytes chain[SUPPORT_CHAIN_MAX];
    size_t count = support_chain(CORPUS "/chains", "one-intermediate.pem", chain);
    size_t before = allocations;
    bool cached;
    identity_release(judge(&policy, "one-intermediate.pem", false, AT, &cached));
    cr_assert(!cached && (!COUNTS_ALLOCATIONS || allocations > before));
    before = allocations;
    uint8_t digest[IDENTITY_DIGEST_SIZE];
    for (unsigned i = 0; i < 100; i++) {
        identity_release(identity_cache_judge(cache, &policy, chain, count, false, AT, digest, &cached));
        cr_assert(cached);
    }
    cr_expect_eq(allocations, before);
    support_free_chain(chain, count);
}

/* A client that shows a chain has not yet shown that the chain is its own. */
Test(cache, a_valid_chain_is_kept_when_the_caller_says_so) {
    struct bytes chain[SUPPORT_CHAIN_MAX];
    size_t count = support_chain(CORPUS "/chains", "one-intermediate.pem", chain);
    bool cached;
    uint8_t digest[IDENTITY_DIGEST_SIZE];
    for (int round = 0; round < 2; round++) {
        struct identity *identity = identity_cache_judge(cache, &policy, chain, count, false, AT, digest, &cached);
        cr_assert(identity->status == STATUS_VALID && !cached);
        if (round == 1) {
            identity_cache_insert(cache, &policy, digest, identity);
        }
        identity_release(identity);
    }
    identity_release(identity_cache_judge(cache, &policy, chain, count, false, AT, digest, &cached));
    cr_assert(cached);
    support_free_chain(chain, count);
    assert_counts(1, 2, 1, 0);
}

/* An identity that somebody's chain was found to have. */
static void keep(uint32_t number, enum status status) {
    struct identity *identity = calloc(1, sizeof *identity);
    uint8_t digest[IDENTITY_DIGEST_SIZE] = {0};
    memcpy(digest, &number, sizeof number);
    atomic_init(&identity->references, 1);
    identity->status = status;
    identity->signatures = 1;
    identity->valid_until = INT64_MAX;
    identity_cache_insert(cache, &policy, digest, identity);
    identity_release(identity);
}

static bool is_kept(uint32_t number) {
    uint8_t digest[IDENTITY_DIGEST_SIZE] = {0};
    memcpy(digest, &number, sizeof number);
    struct identity *identity = identity_cache_find(cache, &policy, digest, AT);
    identity_release(identity);
    return identity != NULL;
}

Test(cache, no_number_of_bad_chains_pushes_out_a_good_one) {
    enum { GOOD = 1000, BAD = 100 * 1000 };
    for (uint32_t i = 0; i < GOOD; i++) {
        keep(i, STATUS_VALID);
    }
    for (uint32_t i = GOOD; i < GOOD + BAD; i++) {
        keep(i, STATUS_INVALID);
    }
    for (uint32_t i = 0; i < GOOD; i++) {
        cr_assert(is_kept(i), "%u", i);
    }
    struct identity_cache_counts counts = identity_cache_count(cache);
    cr_assert(counts.entries == GOOD && counts.bad <= IDENTITY_CACHE_BAD_MAX && counts.evictions == 0);
    cr_assert(is_kept(GOOD + BAD - 1), "the latest is known");
}

Test(cache, a_chain_that_was_too_large_is_not_the_one_that_was_cached) {
    bool cached;
    identity_release(judge(&policy, "one-intermediate.pem", false, AT, &cached));
    struct identity *identity = judge(&policy, "one-intermediate.pem", true, AT, &cached);
    cr_assert_eq(identity->reason, REASON_TOO_LARGE);
    identity_release(identity);
    uint8_t digest[IDENTITY_DIGEST_SIZE];
    identity = identity_cache_judge(cache, &policy, NULL, 0, false, AT, digest, &cached);
    cr_assert_eq(identity->reason, REASON_ABSENT);
    identity_release(identity);
    assert_counts(0, 1, 1, 0);
}

enum { THREADS = 4, ROUNDS = 300 };

/* All miss at once, again and again: whoever comes second finds the first one's verdict or makes the same one. */
static void *judge_often(void *argument) {
    atomic_uint *full = argument;
    for (unsigned i = 0; i < ROUNDS; i++) {
        bool cached;
        struct identity *identity =
            judge(&policy, i % 2 == 0 ? "one-intermediate.pem" : "leaf-under-root.pem", false, AT, &cached);
        if (identity->status != STATUS_VALID || identity->headers.size == 0) {
            abort();
        }
        atomic_fetch_add(full, !cached);
        identity_release(identity);
    }
    return NULL;
}

Test(cache, threads_that_miss_together_check_at_most_once_each) {
    atomic_uint full = 0;
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, judge_often, &full), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    struct identity_cache_counts counts = identity_cache_count(cache);
    cr_assert(counts.entries == 2 && counts.misses == full && counts.hits + counts.misses == THREADS * ROUNDS);
    cr_assert(full >= 2 && full <= 2 * THREADS, "%u full verifications of 2 chains by %d threads", full, THREADS);
}
