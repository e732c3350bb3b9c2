#include "base/hash.h"
#include "identity/chain_log.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

TestSuite(chain_log, .init = hash_init);

enum { LARGEST = CHAIN_LOG_SIZE_MIN / 16 / CHAIN_LOG_PART - 48 - 40 /* of a leaf */ };

static void make_digest(uint32_t number, uint8_t digest[static IDENTITY_DIGEST_SIZE]) {
    memset(digest, 0, IDENTITY_DIGEST_SIZE);
    memcpy(digest, &number, sizeof number);
}

/* A chain that tells its number and its size. */
static size_t make_chain(uint32_t number, size_t size, uint8_t *chain) {
    for (size_t i = 0; i < size; i++) {
        chain[i] = (uint8_t)(number + i * 31);
    }
    return size;
}

static void put(struct chain_log *log, uint32_t number, size_t size) {
    uint8_t *chain = malloc(size + 1);
    uint8_t digest[IDENTITY_DIGEST_SIZE];
    make_digest(number, digest);
    make_chain(number, size, chain);
    chain_log_put(log, digest, bytes_of(chain, size), bytes_of(NULL, 0));
    free(chain);
}

/* The size of the chain that is there, which is checked; 0: none. */
static size_t get(struct chain_log *log, uint32_t number) {
    uint8_t digest[IDENTITY_DIGEST_SIZE];
    make_digest(number, digest);
    size_t size = chain_log_get(log, digest, NULL, 0);
    if (size == 0) {
        return 0;
    }
    uint8_t *found = malloc(size);
    uint8_t *expected = malloc(size);
    make_chain(number, size, expected);
    cr_assert_eq(chain_log_get(log, digest, found, size), size);
    cr_assert_eq(memcmp(found, expected, size), 0, "chain %u is not what was put", number);
    free(expected);
    free(found);
    return size;
}

Test(chain_log, gives_what_was_put) {
    struct chain_log *log = chain_log_create(CHAIN_LOG_SIZE_MIN);
    static const size_t sizes[] = {1, 7, 8, 9, 900, 4096, LARGEST};
    for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        cr_assert_eq(get(log, i), 0);
        put(log, i, sizes[i]);
        cr_assert_eq(get(log, i), sizes[i]);
    }
    cr_assert_eq(get(log, 1000), 0);
    chain_log_free(log);
    chain_log_free(NULL);
}

Test(chain_log, what_is_too_large_is_not_kept) {
    struct chain_log *log = chain_log_create(CHAIN_LOG_SIZE_MIN);
    put(log, 1, LARGEST + 1);
    cr_assert_eq(get(log, 1), 0);
    chain_log_free(log);
}

Test(chain_log, copies_only_what_there_is_room_for) {
    struct chain_log *log = chain_log_create(CHAIN_LOG_SIZE_MIN);
    uint8_t digest[IDENTITY_DIGEST_SIZE];
    make_digest(1, digest);
    put(log, 1, 8);
    uint8_t out[8];
    memset(out, 0xee, sizeof out);
    cr_assert_eq(chain_log_get(log, digest, out, 7), 8);
    cr_assert_eq(out[0], 0xee);
    cr_assert_eq(chain_log_get(log, digest, out, 8), 8);
    cr_assert_neq(out[1], 0xee);
    chain_log_free(log);
}

/*
 * A fleet whose rest alone would fill the log many times over. Its leaves fit with room to spare in each of the log's parts,
 * over which a random hash spreads them: of 2,000, one part had too many in one run of 150.
 */
Test(chain_log, a_common_rest_is_kept_once) {
    struct chain_log *log = chain_log_create(CHAIN_LOG_SIZE_MIN);
    enum { CLIENTS = 1600, LEAF = 300, REST = 3000 };
    static uint8_t rest[REST];
    make_chain(77, REST, rest);
    uint8_t leaf[LEAF];
    uint8_t digest[IDENTITY_DIGEST_SIZE];
    for (uint32_t i = 0; i < CLIENTS; i++) {
        make_digest(i, digest);
        make_chain(i, LEAF, leaf);
        chain_log_put(log, digest, bytes_of(leaf, LEAF), bytes_of(rest, REST));
    }
    uint8_t found[LEAF + REST];
    for (uint32_t i = 0; i < CLIENTS; i++) {
        make_digest(i, digest);
        make_chain(i, LEAF, leaf);
        cr_assert_eq(chain_log_get(log, digest, NULL, 0), LEAF + REST, "%u", i);
        cr_assert_eq(chain_log_get(log, digest, found, sizeof found), LEAF + REST);
        cr_assert(memcmp(found, leaf, LEAF) == 0 && memcmp(found + LEAF, rest, REST) == 0);
    }
    chain_log_free(log);
}

/* Thousands of chains of every size through rings that hold some hundreds: what is found is right, the newest are found. */
Test(chain_log, the_oldest_go_first) {
    struct chain_log *log = chain_log_create(CHAIN_LOG_SIZE_MIN);
    enum { COUNT = 60000, RECENT = 200 };
    for (uint32_t i = 0; i < COUNT; i++) {
        put(log, i, 1 + (size_t)i * 2654435761u % 1500);
        if (i % 977 == 0) {
            size_t found = 0;
            for (uint32_t j = i >= 5000 ? i - 5000 : 0; j <= i; j++) {
                bool there = get(log, j) > 0;
                found += there;
                cr_assert(there || i - j > RECENT, "%u is gone after %u more", j, i - j);
            }
            cr_assert_lt(found, 2500);
        }
    }
    chain_log_free(log);
}

Test(chain_log, who_comes_again_stays) {
    struct chain_log *log = chain_log_create(CHAIN_LOG_SIZE_MIN);
    for (uint32_t i = 0; i < 50000; i++) {
        put(log, 1000000 + i, 600);
        put(log, 1, 700);
        cr_assert_eq(get(log, 1), 700);
    }
    chain_log_free(log);
}

static void *hammer(void *argument) {
    struct chain_log *log = argument;
    for (uint32_t i = 0; i < 40000; i++) {
        uint32_t number = i * 2654435761u % 3000;
        size_t size = 1 + number % 1000;
        uint8_t digest[IDENTITY_DIGEST_SIZE];
        make_digest(number, digest);
        uint8_t chain[1024];
        make_chain(number, size, chain);
        uint8_t found[1024];
        size_t got = chain_log_get(log, digest, found, sizeof found);
        if (got != 0 && (got != size || memcmp(found, chain, size) != 0)) {
            abort();
        }
        chain_log_put(log, digest, bytes_of(chain, size / 2 + 1), bytes_of(chain + size / 2 + 1, size - size / 2 - 1));
    }
    return NULL;
}

Test(chain_log, threads_share_it) {
    struct chain_log *log = chain_log_create(CHAIN_LOG_SIZE_MIN);
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, hammer, log), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    chain_log_free(log);
}
