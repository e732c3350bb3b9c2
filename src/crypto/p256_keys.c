#include "crypto/p256_keys.h"

#include "base/check.h"
#include "base/hash.h"
#include "crypto/p256.h"

#include <stdlib.h>

enum {
    WAYS = 4,
    SETS = P256_KEYS_MAX / WAYS,
    POINT_SIZE = 65,
    /* Verifications for which a key that came back is kept before others. A fleet of P256_KEYS_MAX comes often meanwhile. */
    RETURNS_WITHIN = 16 * P256_KEYS_MAX,
};

/* A search looks at these first. */
struct label {
    uint64_t hash;
    uint64_t used;  /* when it was used last, in verifications of this table; 0: there is no key */
    bool came_back; /* only then are its multiples there */
};

struct set {
    struct label labels[WAYS];
    uint8_t points[WAYS][POINT_SIZE];
    struct p256_multiples multiples[WAYS];
};

struct p256_keys {
    uint64_t now; /* verifications so far */
    struct p256_keys_counts counts;
    struct set sets[SETS];
};

static _Thread_local struct p256_keys *own;

struct p256_keys *p256_keys_create(void) {
    CHECK(own == NULL);
    own = p256_supported() ? calloc(1, sizeof *own) : NULL;
    return own;
}

void p256_keys_destroy(struct p256_keys *keys) {
    CHECK(keys == own);
    own = NULL;
    free(keys);
}

struct p256_keys_counts p256_keys_count(const struct p256_keys *keys) {
    return keys->counts;
}

/* Returns the way that has the key, or WAYS. */
static unsigned find(const struct set *set, uint64_t hash, struct bytes point) {
    unsigned way = 0;

    while (way < WAYS && (set->labels[way].used == 0 || set->labels[way].hash != hash ||
                          memcmp(set->points[way], point.data, POINT_SIZE) != 0)) {
        way++;
    }
    return way;
}

/* Tells whether the key is one of those that return. One that has not come for long is not, or it would stay for ever. */
static bool returns(const struct p256_keys *keys, const struct label *label) {
    return label->came_back && keys->now - label->used < RETURNS_WITHIN;
}

static bool goes_before(const struct p256_keys *keys, const struct label *a, const struct label *b) {
    bool a_returns = returns(keys, a);
    bool b_returns = returns(keys, b);

    return a_returns == b_returns ? a->used < b->used : b_returns;
}

static unsigned choose_for_new(const struct p256_keys *keys, const struct set *set) {
    unsigned chosen = 0;

    for (unsigned way = 1; way < WAYS; way++) {
        if (goes_before(keys, &set->labels[way], &set->labels[chosen])) {
            chosen = way;
        }
    }
    return chosen;
}

/* Makes the place of a key that has not been seen, or not lately. */
static void note(struct p256_keys *keys, struct set *set, uint64_t hash, struct bytes point) {
    unsigned way = choose_for_new(keys, set);

    set->labels[way] = (struct label){.hash = hash, .used = keys->now};
    memcpy(set->points[way], point.data, POINT_SIZE);
    keys->counts.noted++;
}

static bool verify(struct p256_keys *keys, const struct lanes_ecdsa_verify *job) {
    uint64_t hash = hash_bytes(job->point.data, job->point.size);
    struct set *set = &keys->sets[hash % SETS];
    unsigned way = find(set, hash, job->point);
    struct p256_affine key;

    keys->now++;
    if (way < WAYS) {
        struct label *label = &set->labels[way];

        label->used = keys->now;
        if (label->came_back) {
            keys->counts.found++;
        } else {
            CHECK(p256_read_key(&key, job->point)); /* it was one before */
            p256_make_multiples(&set->multiples[way], &key);
            label->came_back = true;
            keys->counts.made++;
        }
        return p256_verify(&set->multiples[way], job->digest, job->r, job->s);
    }
    if (!p256_read_key(&key, job->point)) {
        return false;
    }
    note(keys, set, hash, job->point);
    return p256_verify_once(&key, job->digest, job->r, job->s);
}

bool p256_keys_verify(struct lanes_ecdsa_verify *job) {
    if (own == NULL) {
        return false;
    }
    job->good = job->point.size == POINT_SIZE && verify(own, job);
    return true;
}
