#include "base/check.h"
#include "base/hash.h"
#include "identity/sieve.h"
#include "support.h"

#include <pthread.h>

enum {
    AT = 1780315200,
    FROM = 1577836800,
    UNTIL = 2208988800,
};

TestSuite(sieve, .init = hash_init);

/* As from identity_judge: one reference, freed with the last. */
static struct identity *make_identity(uint32_t number) {
    struct identity *identity = calloc(1, sizeof *identity);
    atomic_init(&identity->references, 1);
    identity->status = STATUS_VALID;
    identity->valid_from = FROM;
    identity->valid_until = UNTIL;
    memcpy(identity->fingerprint, &number, sizeof number);
    return identity;
}

static void make_key(uint32_t number, uint8_t key[static SIEVE_KEY_SIZE]) {
    signature_sha256(bytes_of(&number, sizeof number), key);
    memset(key + SIGNATURE_SHA256_SIZE, 7, SIEVE_KEY_SIZE - SIGNATURE_SHA256_SIZE);
}

static void insert(struct sieve *sieve, uint32_t number) {
    uint8_t key[SIEVE_KEY_SIZE];
    make_key(number, key);
    struct identity *identity = make_identity(number);
    sieve_insert(sieve, key, identity);
    identity_release(identity);
}

static bool find_at(struct sieve *sieve, uint32_t number, int64_t now) {
    uint8_t key[SIEVE_KEY_SIZE];
    make_key(number, key);
    struct identity *identity = sieve_find(sieve, key, now);
    if (identity == NULL) {
        return false;
    }
    cr_assert_eq(memcmp(identity->fingerprint, &number, sizeof number), 0, "%u gave another's identity", number);
    identity_release(identity);
    return true;
}

static bool find(struct sieve *sieve, uint32_t number) {
    return find_at(sieve, number, AT);
}

static unsigned references(struct identity *identity) {
    return atomic_load(&identity->references);
}

static void assert_counts(const struct sieve *sieve, uint64_t hits, uint64_t misses, uint64_t evictions, uint64_t entries) {
    struct sieve_counts counts = sieve_count(sieve);
    cr_assert(counts.hits == hits && counts.misses == misses && counts.evictions == evictions && counts.entries == entries,
              "%lu hits, %lu misses, %lu evictions, %lu entries", counts.hits, counts.misses, counts.evictions,
              counts.entries);
}

static void insert_of_size(struct sieve *sieve, uint32_t number, uint32_t size) {
    uint8_t key[SIEVE_KEY_SIZE];
    make_key(number, key);
    struct identity *identity = make_identity(number);
    identity->size = size;
    sieve_insert(sieve, key, identity);
    identity_release(identity);
}

Test(sieve, bytes_are_bounded_as_well) {
    enum { ENTRIES = 32, LARGE = 4 * SIEVE_ENTRY_BYTES };
    struct sieve *sieve = sieve_create(ENTRIES);
    for (uint32_t i = 0; i < 1000; i++) {
        insert_of_size(sieve, i, LARGE);
        cr_assert_leq(sieve_count(sieve).entries, ENTRIES / 4);
    }
    cr_expect_eq(sieve_count(sieve).entries, ENTRIES / 4);
    cr_expect(find(sieve, 999));
    /* The same one again, and larger, is counted once. */
    insert_of_size(sieve, 999, 2 * LARGE);
    cr_expect_eq(sieve_count(sieve).entries, ENTRIES / 4 - 1);
    /* One that would take all of it takes all of it; one larger than that is not kept, and pushes nobody out. */
    insert_of_size(sieve, 2000, ENTRIES * SIEVE_ENTRY_BYTES);
    cr_expect_eq(sieve_count(sieve).entries, 1);
    insert_of_size(sieve, 2001, ENTRIES * SIEVE_ENTRY_BYTES + 1);
    cr_expect_not(find(sieve, 2001));
    cr_expect(find(sieve, 2000));
    for (uint32_t i = 0; i < ENTRIES; i++) {
        insert_of_size(sieve, i, SIEVE_ENTRY_BYTES);
    }
    cr_expect_eq(sieve_count(sieve).entries, ENTRIES);
    sieve_free(sieve);
}

Test(sieve, equality_is_all_of_the_key) {
    struct sieve *sieve = sieve_create(1);
    uint8_t key[SIEVE_KEY_SIZE];
    make_key(1, key);
    insert(sieve, 1);
    for (size_t i = 0; i < sizeof key; i++) {
        key[i] ^= 0x80;
        cr_assert_null(sieve_find(sieve, key, AT), "byte %zu", i);
        key[i] ^= 0x80;
    }
    cr_assert(find(sieve, 1));
    sieve_free(sieve);
}

Test(sieve, a_hit_is_the_same_object_with_a_reference_more) {
    struct sieve *sieve = sieve_create(1000);
    uint8_t key[SIEVE_KEY_SIZE];
    make_key(7, key);
    cr_assert_null(sieve_find(sieve, key, AT));
    struct identity *identity = make_identity(7);
    sieve_insert(sieve, key, identity);
    cr_assert_eq(references(identity), 2);
    cr_assert(sieve_find(sieve, key, AT) == identity);
    cr_assert_eq(references(identity), 3);
    identity_release(identity);
    assert_counts(sieve, 1, 1, 0, 1);
    sieve_free(sieve);
    cr_assert_eq(references(identity), 1);
    identity_release(identity);
    sieve_free(NULL);
}

Test(sieve, an_entry_holds_from_its_first_second_to_its_last) {
    struct sieve *sieve = sieve_create(10);
    insert(sieve, 1);
    cr_assert(find_at(sieve, 1, FROM));
    cr_assert(find_at(sieve, 1, UNTIL));
    assert_counts(sieve, 2, 0, 0, 1);
    cr_assert_not(find_at(sieve, 1, UNTIL + 1LL));
    assert_counts(sieve, 2, 1, 0, 0);
    cr_assert_not(find(sieve, 1), "it was dropped");
    insert(sieve, 1);
    cr_assert_not(find_at(sieve, 1, FROM - 1LL));
    assert_counts(sieve, 2, 3, 0, 0);
    sieve_free(sieve);
}

Test(sieve, a_second_insert_of_a_key_replaces) {
    struct sieve *sieve = sieve_create(2);
    uint8_t key[SIEVE_KEY_SIZE];
    make_key(1, key);
    struct identity *first = make_identity(1);
    struct identity *second = make_identity(1);
    sieve_insert(sieve, key, first);
    sieve_insert(sieve, key, second);
    cr_assert(references(first) == 1 && references(second) == 2);
    struct identity *found = sieve_find(sieve, key, AT);
    cr_assert(found == second);
    identity_release(found);
    sieve_insert(sieve, key, second);
    cr_assert_eq(references(second), 2, "the same object again");
    assert_counts(sieve, 1, 0, 0, 1);
    sieve_free(sieve);
    identity_release(first);
    identity_release(second);
}

/* The oldest that was not found goes; the hand stays where it was, which tells SIEVE from FIFO, LRU and second chance. */
Test(sieve, sieve_keeps_what_was_found) {
    struct sieve *sieve = sieve_create(4);
    for (uint32_t i = 0; i < 4; i++) {
        insert(sieve, i);
    }
    cr_assert(find(sieve, 0) && find(sieve, 2));
    insert(sieve, 4); /* passes 0, takes 1 */
    insert(sieve, 5); /* passes 2, takes 3 */
    insert(sieve, 6); /* takes 4, though 0 and 2 are older and their bits are gone */
    assert_counts(sieve, 2, 0, 3, 4);
    static const bool survive[] = {true, false, true, false, false, true, true};
    for (uint32_t i = 0; i < ARRAY_LENGTH(survive); i++) {
        cr_assert_eq(find(sieve, i), survive[i], "%u", i);
    }
    insert(sieve, 7); /* all were found, so it takes the one it was at: 5, after a turn */
    cr_assert(!find(sieve, 5) && find(sieve, 0) && find(sieve, 2) && find(sieve, 6) && find(sieve, 7));
    sieve_free(sieve);
}

Test(sieve, the_hand_moves_on_when_its_entry_is_dropped) {
    struct sieve *sieve = sieve_create(4);
    for (uint32_t i = 0; i < 4; i++) {
        insert(sieve, i);
    }
    insert(sieve, 4); /* takes 0; the hand is at 1 */
    cr_assert_not(find_at(sieve, 1, UNTIL + 1LL));
    cr_assert_not(find_at(sieve, 3, UNTIL + 1LL));
    insert(sieve, 5);
    insert(sieve, 6);
    assert_counts(sieve, 0, 2, 1, 4);
    insert(sieve, 7);
    cr_assert(!find(sieve, 2) && find(sieve, 4) && find(sieve, 5) && find(sieve, 6) && find(sieve, 7));
    for (uint32_t i = 4; i < 8; i++) {
        cr_assert_not(find_at(sieve, i, UNTIL + 1LL));
    }
    insert(sieve, 8);
    cr_assert(find(sieve, 8));
    sieve_free(sieve);
}

Test(sieve, capacity_is_what_was_asked_for) {
    static const uint32_t sizes[] = {1, 2, 3, 64, 127, 128, 129, 4095, 4096, 5001};
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        struct sieve *sieve = sieve_create(sizes[i]);
        cr_assert_not_null(sieve);
        for (uint32_t j = 0; j < 2 * sizes[i]; j++) {
            insert(sieve, j);
            cr_assert(find(sieve, j), "the newest of %u", j);
        }
        /* Keys fall unevenly on stripes; ten times the size fills all of them. */
        for (uint32_t j = 0; j < 10 * sizes[i]; j++) {
            insert(sieve, j + 2 * sizes[i]);
        }
        struct sieve_counts counts = sieve_count(sieve);
        cr_assert_eq(counts.entries, sizes[i], "%lu of %u", counts.entries, sizes[i]);
        cr_assert_eq(counts.entries + counts.evictions, 12 * (uint64_t)sizes[i]);
        sieve_free(sieve);
    }
}

Test(sieve, the_largest_can_be_made) {
    struct sieve *sieve = sieve_create(SIEVE_ENTRIES_MAX);
    cr_assert_not_null(sieve);
    insert(sieve, 1);
    cr_assert(find(sieve, 1));
    sieve_free(sieve);
}

enum { THREADS = 4, CHAINS = 1000, ROUNDS = 100000 };

struct crowd {
    struct sieve *sieve;
    struct identity *shared[CHAINS];
    uint8_t keys[CHAINS][SIEVE_KEY_SIZE];
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
        struct identity *identity = sieve_find(crowd->sieve, crowd->keys[number], now);
        atomic_fetch_add(&crowd->finds, 1);
        if (identity == NULL) {
            identity = random % 4 < 2 ? make_identity(number) : identity_retain(crowd->shared[number]);
            sieve_insert(crowd->sieve, crowd->keys[number], identity);
        }
        if (memcmp(identity->fingerprint, &number, sizeof number) != 0) {
            atomic_fetch_add(&crowd->wrong, 1);
        }
        identity_release(identity);
    }
    return NULL;
}

static void run_crowd(uint32_t capacity) {
    struct crowd *crowd = calloc(1, sizeof *crowd);
    crowd->sieve = sieve_create(capacity);
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
    struct sieve_counts counts = sieve_count(crowd->sieve);
    cr_assert_eq(atomic_load(&crowd->wrong), 0);
    cr_assert_eq(counts.hits + counts.misses, atomic_load(&crowd->finds));
    cr_assert(counts.entries <= capacity && counts.hits > 0 && counts.evictions > 0);
    sieve_free(crowd->sieve);
    for (size_t i = 0; i < CHAINS; i++) {
        cr_assert_eq(references(crowd->shared[i]), 1, "chain %zu", i);
        identity_release(crowd->shared[i]);
    }
    free(crowd);
}

Test(sieve, threads_share_one_stripe) {
    run_crowd(64);
}

Test(sieve, threads_share_several_stripes) {
    run_crowd(256);
}
