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
static struct forward_header headers[] = {{(char *)"X-Status", {.kind = FIELD_STATUS}}};
static const struct forward forward = {headers, 1};
static struct identity_policy policy = {.depth_max = 4, .forward = &forward};

static void setup(void) {
    hash_init();
    trust = trust_create();
    support_add_root(trust, CORPUS, "roots/root.pem");
    policy.trust = trust;
}

static void teardown(void) {
    trust_free(trust);
}

TestSuite(cache, .init = setup, .fini = teardown);

/* As from identity_judge: one reference, freed with the last. */
static struct identity *make_identity(uint32_t number) {
    struct identity *identity = calloc(1, sizeof(*identity));
    atomic_init(&identity->references, 1);
    identity->status = STATUS_VALID;
    identity->valid_from = FROM;
    identity->valid_until = UNTIL;
    memcpy(identity->fingerprint, &number, sizeof(number));
    return identity;
}

static void make_key(uint32_t number, uint8_t key[static IDENTITY_CACHE_KEY_SIZE]) {
    const struct bytes chain = bytes_of(&number, sizeof(number));
    identity_cache_key(&policy, &chain, 1, key);
}

static void insert(struct identity_cache *cache, uint32_t number) {
    uint8_t key[IDENTITY_CACHE_KEY_SIZE];
    make_key(number, key);
    struct identity *identity = make_identity(number);
    identity_cache_insert(cache, key, identity);
    identity_release(identity);
}

static bool find_at(struct identity_cache *cache, uint32_t number, int64_t now) {
    uint8_t key[IDENTITY_CACHE_KEY_SIZE];
    make_key(number, key);
    struct identity *identity = identity_cache_find(cache, key, now);
    if (identity == NULL) {
        return false;
    }
    cr_assert_eq(memcmp(identity->fingerprint, &number, sizeof(number)), 0, "%u gave another's identity", number);
    identity_release(identity);
    return true;
}

static bool find(struct identity_cache *cache, uint32_t number) {
    return find_at(cache, number, AT);
}

static unsigned references(struct identity *identity) {
    return atomic_load(&identity->references);
}

static void assert_counts(const struct identity_cache *cache, uint64_t hits, uint64_t misses, uint64_t evictions,
                          uint64_t entries) {
    struct identity_cache_counts counts = identity_cache_count(cache);
    cr_assert(counts.hits == hits && counts.misses == misses && counts.evictions == evictions && counts.entries == entries,
              "%lu hits, %lu misses, %lu evictions, %lu entries", counts.hits, counts.misses, counts.evictions,
              counts.entries);
}

Test(cache, keys_tell_policy_bytes_order_and_cuts_apart) {
    const struct identity_policy other = policy;
    uint8_t a[] = "leaf", b[] = "intermediate", c[] = "leafintermediate", d[] = "leaF";
    const struct bytes chain[] = {bytes_of(a, 4), bytes_of(b, 12)};
    const struct bytes swapped[] = {chain[1], chain[0]};
    const struct bytes joined[] = {bytes_of(c, 16)};
    const struct bytes cut[] = {bytes_of(c, 5), bytes_of(c + 5, 11)};
    const struct bytes changed[] = {bytes_of(d, 4), chain[1]};
    const struct bytes padded[] = {chain[0], chain[1], bytes_of(NULL, 0)};
    uint8_t keys[8][IDENTITY_CACHE_KEY_SIZE];
    identity_cache_key(&policy, chain, 2, keys[0]);
    identity_cache_key(&other, chain, 2, keys[1]);
    identity_cache_key(&policy, swapped, 2, keys[2]);
    identity_cache_key(&policy, joined, 1, keys[3]);
    identity_cache_key(&policy, cut, 2, keys[4]);
    identity_cache_key(&policy, changed, 2, keys[5]);
    identity_cache_key(&policy, padded, 3, keys[6]);
    identity_cache_key(&policy, chain, 1, keys[7]);
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++) {
        for (size_t j = 0; j < i; j++) {
            cr_assert_neq(memcmp(keys[i], keys[j], IDENTITY_CACHE_KEY_SIZE), 0, "%zu and %zu", j, i);
        }
    }
    uint8_t again[IDENTITY_CACHE_KEY_SIZE];
    identity_cache_key(&policy, chain, 2, again);
    cr_assert_eq(memcmp(again, keys[0], sizeof(again)), 0);
}

Test(cache, equality_is_all_32_bytes) {
    struct identity_cache *cache = identity_cache_create(1);
    uint8_t key[IDENTITY_CACHE_KEY_SIZE];
    make_key(1, key);
    insert(cache, 1);
    for (size_t i = 0; i < sizeof(key); i++) {
        key[i] ^= 0x80;
        cr_assert_null(identity_cache_find(cache, key, AT), "byte %zu", i);
        key[i] ^= 0x80;
    }
    cr_assert(find(cache, 1));
    identity_cache_free(cache);
}

Test(cache, a_hit_is_the_same_object_with_a_reference_more) {
    struct identity_cache *cache = identity_cache_create(1000);
    uint8_t key[IDENTITY_CACHE_KEY_SIZE];
    make_key(7, key);
    cr_assert_null(identity_cache_find(cache, key, AT));
    struct identity *identity = make_identity(7);
    identity_cache_insert(cache, key, identity);
    cr_assert_eq(references(identity), 2);
    cr_assert(identity_cache_find(cache, key, AT) == identity);
    cr_assert_eq(references(identity), 3);
    identity_release(identity);
    assert_counts(cache, 1, 1, 0, 1);
    identity_cache_free(cache);
    cr_assert_eq(references(identity), 1);
    identity_release(identity);
    identity_cache_free(NULL);
}

Test(cache, an_entry_holds_from_its_first_second_to_its_last) {
    struct identity_cache *cache = identity_cache_create(10);
    insert(cache, 1);
    cr_assert(find_at(cache, 1, FROM));
    cr_assert(find_at(cache, 1, UNTIL));
    assert_counts(cache, 2, 0, 0, 1);
    cr_assert_not(find_at(cache, 1, UNTIL + 1LL));
    assert_counts(cache, 2, 1, 0, 0);
    cr_assert_not(find(cache, 1), "it was dropped");
    insert(cache, 1);
    cr_assert_not(find_at(cache, 1, FROM - 1LL));
    assert_counts(cache, 2, 3, 0, 0);
    identity_cache_free(cache);
}

Test(cache, a_second_insert_of_a_key_replaces) {
    struct identity_cache *cache = identity_cache_create(2);
    uint8_t key[IDENTITY_CACHE_KEY_SIZE];
    make_key(1, key);
    struct identity *first = make_identity(1);
    struct identity *second = make_identity(1);
    identity_cache_insert(cache, key, first);
    identity_cache_insert(cache, key, second);
    cr_assert(references(first) == 1 && references(second) == 2);
    struct identity *found = identity_cache_find(cache, key, AT);
    cr_assert(found == second);
    identity_release(found);
    identity_cache_insert(cache, key, second);
    cr_assert_eq(references(second), 2, "the same object again");
    assert_counts(cache, 1, 0, 0, 1);
    identity_cache_free(cache);
    identity_release(first);
    identity_release(second);
}

Test(cache, what_is_not_valid_never_enters) {
    struct identity_cache *cache = identity_cache_create(2);
    uint8_t key[IDENTITY_CACHE_KEY_SIZE];
    make_key(1, key);
    static const enum status statuses[] = {STATUS_NONE, STATUS_INVALID};
    for (size_t i = 0; i < ARRAY_LENGTH(statuses); i++) {
        struct identity *identity = make_identity(1);
        identity->status = statuses[i];
        identity_cache_insert(cache, key, identity);
        cr_assert_eq(references(identity), 1);
        identity_release(identity);
    }
    cr_assert_not(find(cache, 1));
    assert_counts(cache, 0, 1, 0, 0);
    identity_cache_free(cache);
}

/* The oldest that was not found goes; the hand stays where it was, which tells SIEVE from FIFO, LRU and second chance. */
Test(cache, sieve_keeps_what_was_found) {
    struct identity_cache *cache = identity_cache_create(4);
    for (uint32_t i = 0; i < 4; i++) {
        insert(cache, i);
    }
    cr_assert(find(cache, 0) && find(cache, 2));
    insert(cache, 4); /* passes 0, takes 1 */
    insert(cache, 5); /* passes 2, takes 3 */
    insert(cache, 6); /* takes 4, though 0 and 2 are older and their bits are gone */
    assert_counts(cache, 2, 0, 3, 4);
    static const bool survive[] = {true, false, true, false, false, true, true};
    for (uint32_t i = 0; i < ARRAY_LENGTH(survive); i++) {
        cr_assert_eq(find(cache, i), survive[i], "%u", i);
    }
    insert(cache, 7); /* all were found, so it takes the one it was at: 5, after a turn */
    cr_assert(!find(cache, 5) && find(cache, 0) && find(cache, 2) && find(cache, 6) && find(cache, 7));
    identity_cache_free(cache);
}

Test(cache, the_hand_moves_on_when_its_entry_is_dropped) {
    struct identity_cache *cache = identity_cache_create(4);
    for (uint32_t i = 0; i < 4; i++) {
        insert(cache, i);
    }
    insert(cache, 4); /* takes 0; the hand is at 1 */
    cr_assert_not(find_at(cache, 1, UNTIL + 1LL));
    cr_assert_not(find_at(cache, 3, UNTIL + 1LL));
    insert(cache, 5);
    insert(cache, 6);
    assert_counts(cache, 0, 2, 1, 4);
    insert(cache, 7);
    cr_assert(!find(cache, 2) && find(cache, 4) && find(cache, 5) && find(cache, 6) && find(cache, 7));
    for (uint32_t i = 4; i < 8; i++) {
        cr_assert_not(find_at(cache, i, UNTIL + 1LL));
    }
    insert(cache, 8);
    cr_assert(find(cache, 8));
    identity_cache_free(cache);
}

Test(cache, capacity_is_what_was_asked_for) {
    static const uint32_t sizes[] = {1, 2, 3, 64, 127, 128, 129, 4095, 4096, 5001};
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        struct identity_cache *cache = identity_cache_create(sizes[i]);
        cr_assert_not_null(cache);
        for (uint32_t j = 0; j < 2 * sizes[i]; j++) {
            insert(cache, j);
            cr_assert(find(cache, j), "the newest of %u", j);
        }
        /* Keys fall unevenly on stripes; ten times the size fills all of them. */
        for (uint32_t j = 0; j < 10 * sizes[i]; j++) {
            insert(cache, j + 2 * sizes[i]);
        }
        struct identity_cache_counts counts = identity_cache_count(cache);
        cr_assert_eq(counts.entries, sizes[i], "%lu of %u", counts.entries, sizes[i]);
        cr_assert_eq(counts.entries + counts.evictions, 12 * (uint64_t)sizes[i]);
        identity_cache_free(cache);
    }
}

Test(cache, the_largest_can_be_made) {
    struct identity_cache *cache = identity_cache_create(IDENTITY_CACHE_ENTRIES_MAX);
    cr_assert_not_null(cache);
    insert(cache, 1);
    cr_assert(find(cache, 1));
    identity_cache_free(cache);
}

Test(cache, clearing_gives_everything_back) {
    struct identity_cache *cache = identity_cache_create(1000);
    for (uint32_t i = 0; i < 500; i++) {
        insert(cache, i);
    }
    uint8_t key[IDENTITY_CACHE_KEY_SIZE];
    make_key(3, key);
    struct identity *held = identity_cache_find(cache, key, AT);
    identity_cache_clear(cache);
    cr_assert_eq(references(held), 1);
    identity_release(held);
    cr_assert_eq(identity_cache_count(cache).entries, 0);
    cr_assert_not(find(cache, 3));
    insert(cache, 3);
    cr_assert(find(cache, 3));
    identity_cache_free(cache);
}

static struct identity *judge(struct identity_cache *cache, const struct identity_policy *by, const char *file,
                              bool too_large, int64_t now) {
    struct bytes chain[SUPPORT_CHAIN_MAX];
    size_t count = support_chain(CORPUS "/chains", file, chain);
    struct identity *identity = identity_cache_judge(cache, by, chain, count, too_large, now);
    support_free_chain(chain, count);
    return identity;
}

Test(cache, a_valid_chain_is_judged_once_for_each_policy) {
    struct identity_cache *cache = identity_cache_create(10);
    struct identity *first = judge(cache, &policy, "one-intermediate.pem", false, AT);
    cr_assert(first->status == STATUS_VALID && first->valid_from == FROM && first->valid_until == UNTIL);
    struct identity *second = judge(cache, &policy, "one-intermediate.pem", false, AT);
    cr_assert(second == first);
    cr_assert_eq(references(first), 3);
    struct trust *empty = trust_create();
    const struct identity_policy other = {.trust = empty, .depth_max = 4, .forward = &forward};
    struct identity *stranger = judge(cache, &other, "one-intermediate.pem", false, AT);
    cr_assert_eq(stranger->reason, REASON_UNKNOWN_ISSUER, "another host's verdict");
    assert_counts(cache, 1, 2, 0, 1);
    identity_release(stranger);
    identity_release(second);
    identity_release(first);
    identity_cache_free(cache);
    trust_free(empty);
}

Test(cache, a_chain_is_judged_anew_after_its_last_second) {
    struct identity_cache *cache = identity_cache_create(10);
    identity_release(judge(cache, &policy, "one-intermediate.pem", false, UNTIL));
    struct identity *last = judge(cache, &policy, "one-intermediate.pem", false, UNTIL);
    cr_assert_eq(last->status, STATUS_VALID);
    struct identity *late = judge(cache, &policy, "one-intermediate.pem", false, UNTIL + 1LL);
    cr_assert_eq(late->reason, REASON_EXPIRED);
    assert_counts(cache, 1, 2, 0, 0);
    identity_release(late);
    identity_release(last);
    identity_cache_free(cache);
}

Test(cache, bad_chains_are_judged_each_time) {
    struct identity_cache *cache = identity_cache_create(10);
    static const char *const files[] = {"expired.pem", "leaf-signature-flipped.pem", "malformed-cut.pem"};
    for (size_t i = 0; i < 2 * ARRAY_LENGTH(files); i++) {
        struct identity *identity = judge(cache, &policy, files[i / 2], false, AT);
        cr_assert_eq(identity->status, STATUS_INVALID);
        cr_assert_eq(references(identity), 1);
        identity_release(identity);
    }
    assert_counts(cache, 0, 6, 0, 0);
    identity_cache_free(cache);
}

Test(cache, a_chain_that_was_too_large_is_not_the_one_that_was_cached) {
    struct identity_cache *cache = identity_cache_create(10);
    identity_release(judge(cache, &policy, "one-intermediate.pem", false, AT));
    struct identity *identity = judge(cache, &policy, "one-intermediate.pem", true, AT);
    cr_assert_eq(identity->reason, REASON_TOO_LARGE);
    identity_release(identity);
    identity = identity_cache_judge(cache, &policy, NULL, 0, false, AT);
    cr_assert_eq(identity->reason, REASON_ABSENT);
    identity_release(identity);
    assert_counts(cache, 0, 1, 0, 1);
    identity_cache_free(cache);
}

enum { THREADS = 4, CHAINS = 1000, ROUNDS = 100000 };

struct crowd {
    struct identity_cache *cache;
    struct identity *shared[CHAINS];
    uint8_t keys[CHAINS][IDENTITY_CACHE_KEY_SIZE];
    atomic_uint finds;
    atomic_uint wrong;
};

struct member {
    struct crowd *crowd;
    uint32_t random;
};

/* xorshift32 */
static uint32_t next_random(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Half of the finds go to a few chains, some come too late, and some misses bring an object that nobody else holds. */
static void *hammer(void *argument) {
    struct member *member = argument;
    struct crowd *crowd = member->crowd;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t random = next_random(&member->random);
        uint32_t number = (random >> 8) % (random % 2 == 0 ? 16 : CHAINS);
        int64_t now = random % 64 == 1 ? UNTIL + 1LL : AT;
        struct identity *identity = identity_cache_find(crowd->cache, crowd->keys[number], now);
        atomic_fetch_add(&crowd->finds, 1);
        if (identity == NULL) {
            identity = random % 4 < 2 ? make_identity(number) : identity_retain(crowd->shared[number]);
            identity_cache_insert(crowd->cache, crowd->keys[number], identity);
        }
        if (memcmp(identity->fingerprint, &number, sizeof(number)) != 0) {
            atomic_fetch_add(&crowd->wrong, 1);
        }
        identity_release(identity);
        if (random % 16384 == 5) {
            identity_cache_clear(crowd->cache);
        }
    }
    return NULL;
}

static void run_crowd(uint32_t capacity) {
    struct crowd *crowd = calloc(1, sizeof(*crowd));
    crowd->cache = identity_cache_create(capacity);
    for (uint32_t i = 0; i < CHAINS; i++) {
        crowd->shared[i] = make_identity(i);
        make_key(i, crowd->keys[i]);
    }
    pthread_t threads[THREADS];
    struct member members[THREADS];
    for (uint32_t i = 0; i < THREADS; i++) {
        members[i] = (struct member){crowd, 12345 + i};
        cr_assert_eq(pthread_create(&threads[i], NULL, hammer, &members[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    struct identity_cache_counts counts = identity_cache_count(crowd->cache);
    cr_assert_eq(atomic_load(&crowd->wrong), 0);
    cr_assert_eq(counts.hits + counts.misses, atomic_load(&crowd->finds));
    cr_assert(counts.entries <= capacity && counts.hits > 0 && counts.evictions > 0);
    identity_cache_free(crowd->cache);
    for (size_t i = 0; i < CHAINS; i++) {
        cr_assert_eq(references(crowd->shared[i]), 1, "chain %zu", i);
        identity_release(crowd->shared[i]);
    }
    free(crowd);
}

Test(cache, threads_share_one_stripe) {
    run_crowd(64);
}

Test(cache, threads_share_several_stripes) {
    run_crowd(256);
}
