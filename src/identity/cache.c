#include "identity/cache.h"

#include "base/check.h"
#include "x509/sha256.h"

#include <stdlib.h>

struct identity_cache {
    struct sieve *good;
    struct sieve *bad;
};

struct identity_cache *identity_cache_create(uint32_t entries) {
    struct identity_cache *cache = malloc(sizeof *cache);
    if (cache == NULL) {
        return NULL;
    }
    cache->good = sieve_create(entries);
    cache->bad = sieve_create(entries < IDENTITY_CACHE_BAD_MAX ? entries : IDENTITY_CACHE_BAD_MAX);
    if (cache->good == NULL || cache->bad == NULL) {
        identity_cache_free(cache);
        return NULL;
    }
    return cache;
}

void identity_cache_free(struct identity_cache *cache) {
    if (cache == NULL) {
        return;
    }
    sieve_free(cache->bad);
    sieve_free(cache->good);
    free(cache);
}

void identity_chain_digest(const struct bytes *chain, size_t count, uint8_t digest[static IDENTITY_DIGEST_SIZE]) {
    struct sha256 hash;
    sha256_begin(&hash);
    for (size_t i = 0; i < count; i++) {
        size_t size = chain[i].size;
        CHECK(size <= UINT32_MAX);
        const uint8_t length[] = {(uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size};
        sha256_add(&hash, length, sizeof length);
        sha256_add(&hash, chain[i].data, size);
    }
    sha256_end(&hash, digest);
}

/* Makes the key of a chain within its policy. Policies are the operator's own, and few: 64 bits of their digests differ. */
static void make_key(const struct identity_policy *policy, const uint8_t *digest, uint8_t key[static SIEVE_KEY_SIZE]) {
    memcpy(key, digest, IDENTITY_DIGEST_SIZE);
    memcpy(key + IDENTITY_DIGEST_SIZE, policy->digest, SIEVE_KEY_SIZE - IDENTITY_DIGEST_SIZE);
}

struct identity *identity_cache_find(struct identity_cache *cache, const struct identity_policy *policy,
                                     const uint8_t digest[static IDENTITY_DIGEST_SIZE], int64_t now) {
    uint8_t key[SIEVE_KEY_SIZE];
    make_key(policy, digest, key);
    struct identity *identity = sieve_find(cache->good, key, now);
    return identity != NULL ? identity : sieve_find(cache->bad, key, now);
}

void identity_cache_insert(struct identity_cache *cache, const struct identity_policy *policy,
                           const uint8_t digest[static IDENTITY_DIGEST_SIZE], struct identity *identity) {
    if (identity->signatures == 0) {
        return;
    }
    uint8_t key[SIEVE_KEY_SIZE];
    make_key(policy, digest, key);
    sieve_insert(identity->status == STATUS_VALID ? cache->good : cache->bad, key, identity);
}

struct identity *identity_cache_judge(struct identity_cache *cache, const struct identity_policy *policy,
                                      const struct bytes *chain, size_t count, bool too_large, int64_t now,
                                      uint8_t digest[static IDENTITY_DIGEST_SIZE], bool *cached) {
    *cached = false;
    if (count == 0 || too_large) {
        memset(digest, 0, IDENTITY_DIGEST_SIZE);
        return identity_judge(policy, chain, count, too_large, now);
    }
    identity_chain_digest(chain, count, digest);
    struct identity *identity = identity_cache_find(cache, policy, digest, now);
    if (identity != NULL) {
        *cached = true;
        return identity;
    }
    identity = identity_judge(policy, chain, count, false, now);
    if (identity != NULL && identity->status != STATUS_VALID) {
        identity_cache_insert(cache, policy, digest, identity);
    }
    return identity;
}

struct identity_cache_counts identity_cache_count(const struct identity_cache *cache) {
    struct sieve_counts good = sieve_count(cache->good);
    struct sieve_counts bad = sieve_count(cache->bad);
    return (struct identity_cache_counts){
        .hits = good.hits + bad.hits,
        .misses = bad.misses,
        .evictions = good.evictions,
        .entries = good.entries,
        .bad = bad.entries,
    };
}
