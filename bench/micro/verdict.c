#include "micro/verdict.h"

#include "base/check.h"
#include "base/clock.h"
#include "identity/cache.h"

#include <malloc.h>
#include <stdlib.h>

enum { JUDGED = 32, HASHED = 512, LOOKED_UP = 16384 };

struct verdicts {
    struct pki *pkis[PKI_KEYS];
    struct trust *trusts[PKI_KEYS];
    struct identity_policy policies[PKI_KEYS];
    struct forward forward;
    struct identity_cache *cache;
    uint32_t entries;
    uint64_t random; /* which entry is looked up next */
    int64_t now;
};

static const struct {
    char *name;
    const char *field;
} headers[] = {
    {"X-Client-Cert-Status", "status"}, {"X-Client-Cert-SKI", "ski"}, {"X-Client-Cert-Reason", "reason"},
    {"X-Client-Cert-Serial", "serial"}, {"X-Device", "subject.cn"},   {"X-Client-Cert-Not-After", "not_after"},
};

/* SplitMix64 (Steele et al., OOPSLA '14): the digest of chain `index`. */
static uint64_t mix(uint64_t value) {
    value += 0x9e3779b97f4a7c15;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
}

static void make_digest(uint64_t index, uint8_t key[static IDENTITY_DIGEST_SIZE]) {
    for (uint64_t i = 0; i < IDENTITY_DIGEST_SIZE / sizeof i; i++) {
        uint64_t word = mix(4 * index + i);

        memcpy(key + i * sizeof word, &word, sizeof word);
    }
}

static void make_forward(struct forward *forward) {
    forward->count = ARRAY_LENGTH(headers);
    forward->headers = calloc(forward->count, sizeof forward->headers[0]);
    CHECK(forward->headers != NULL);
    for (size_t i = 0; i < forward->count; i++) {
        forward->headers[i].name = headers[i].name;
        CHECK(field_parse(headers[i].field, &forward->headers[i].field));
    }
}

static struct identity *judge(const struct verdicts *verdicts, enum pki_key key) {
    struct bytes chain[PKI_CHAIN];

    pki_chain(verdicts->pkis[key], 0, chain);
    struct identity *identity = identity_judge(&verdicts->policies[key], chain, PKI_CHAIN, false, verdicts->now);
    CHECK(identity != NULL && identity->status == STATUS_VALID);
    return identity;
}

/* As identity_judge leaves it: one block, the headers right behind the object. */
static struct identity *copy_of(const struct identity *identity) {
    size_t size = sizeof *identity + identity->headers.size + strlen(identity->detail) + 1;
    struct identity *copy = malloc(size);

    CHECK(copy != NULL && identity->headers.data == (const uint8_t *)(identity + 1));
    memcpy((void *)copy, identity, size);
    atomic_init(&copy->references, 1);
    copy->headers.data = (const uint8_t *)(copy + 1);
    copy->detail = (const char *)(copy + 1) + copy->headers.size;
    return copy;
}

static void fill(struct verdicts *verdicts, struct verdict_series *series) {
    struct identity *typical = judge(verdicts, PKI_P256);
    size_t heap = mallinfo2().uordblks + mallinfo2().hblkhd;

    verdicts->cache = identity_cache_create(verdicts->entries);
    CHECK(verdicts->cache != NULL);
    size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
    series->entry_bytes = (double)(after - heap) / verdicts->entries;
    for (uint32_t i = 0; i < verdicts->entries; i++) {
        struct identity *identity = copy_of(typical);

        uint8_t key[IDENTITY_DIGEST_SIZE];
        make_digest(i, key);
        identity_cache_insert(verdicts->cache, &verdicts->policies[PKI_P256], key, identity);
        identity_release(identity);
    }
    series->identity_bytes = (double)(mallinfo2().uordblks + mallinfo2().hblkhd - after) / verdicts->entries;
    identity_release(typical);
}

struct verdicts *verdicts_create(uint32_t entries, struct verdict_series *series) {
    struct verdicts *verdicts = calloc(1, sizeof *verdicts);

    CHECK(verdicts != NULL);
    verdicts->entries = series->entries = entries;
    verdicts->now = clock_wall_seconds();
    make_forward(&verdicts->forward);
    struct error error;
    for (int i = 0; i < PKI_KEYS; i++) {
        verdicts->pkis[i] = pki_create((enum pki_key)i);
        verdicts->trusts[i] = trust_create();
        const struct pki_certificate *root;
        root = &verdicts->pkis[i]->root;
        CHECK(verdicts->trusts[i] != NULL);
        CHECK(trust_add_file(verdicts->trusts[i], bytes_of(root->der, root->der_size), &error) == 0);
        verdicts->policies[i] =
            (struct identity_policy){.trust = verdicts->trusts[i], .depth_max = 4, .forward = &verdicts->forward};
        identity_policy_seal(&verdicts->policies[i]);
    }
    fill(verdicts, series);
    return verdicts;
}

void verdicts_free(struct verdicts *verdicts) {
    identity_cache_free(verdicts->cache);
    for (int i = 0; i < PKI_KEYS; i++) {
        trust_free(verdicts->trusts[i]);
        free(verdicts->pkis[i]);
    }
    free(verdicts->forward.headers);
    free(verdicts);
}

static void measure_judge(struct verdicts *verdicts, enum pki_key key, struct series *series) {
    uint64_t begin = measure_cpu_ns();

    for (unsigned i = 0; i < JUDGED; i++) {
        identity_release(judge(verdicts, key));
    }
    series_add(series, (double)(measure_cpu_ns() - begin) / JUDGED);
}

static void measure_hash(struct verdicts *verdicts, struct series *series) {
    struct bytes chain[PKI_CHAIN];

    pki_chain(verdicts->pkis[PKI_P256], 0, chain);
    uint64_t begin = measure_cpu_ns();
    uint8_t key[IDENTITY_DIGEST_SIZE];
    for (unsigned i = 0; i < HASHED; i++) {
        identity_chain_digest(chain, PKI_CHAIN, key);
    }
    series_add(series, (double)(measure_cpu_ns() - begin) / HASHED);
}

/* Entries in an order that no cache of the CPU's can foresee. `from`: added to their number; beyond the entries are misses.
 */
static void measure_lookup(struct verdicts *verdicts, uint64_t from, struct series *series) {
    static uint8_t keys[LOOKED_UP][IDENTITY_DIGEST_SIZE];
    uint64_t found = 0;

    for (unsigned i = 0; i < LOOKED_UP; i++) {
        verdicts->random = mix(verdicts->random);
        make_digest(from + verdicts->random % verdicts->entries, keys[i]);
    }
    uint64_t begin = measure_cpu_ns();
    for (unsigned i = 0; i < LOOKED_UP; i++) {
        struct identity *identity =
            identity_cache_find(verdicts->cache, &verdicts->policies[PKI_P256], keys[i], verdicts->now);

        found += identity != NULL;
        identity_release(identity);
    }
    series_add(series, (double)(measure_cpu_ns() - begin) / LOOKED_UP);
    CHECK(from > 0 ? found == 0 : 10 * found >= 9 * LOOKED_UP);
}

void verdicts_measure(struct verdicts *verdicts, struct verdict_series *series) {
    for (int i = 0; i < PKI_KEYS; i++) {
        measure_judge(verdicts, (enum pki_key)i, &series->judge[i]);
    }
    measure_hash(verdicts, &series->hash);
    measure_lookup(verdicts, 0, &series->hit);
    measure_lookup(verdicts, verdicts->entries, &series->miss);
}
