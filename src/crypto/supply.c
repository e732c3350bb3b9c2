#include "crypto/supply.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/random.h"
#include "crypto/batch.h"
#include "crypto/lanes_curve.h"

#include <stdlib.h>
#include <string.h>

enum { STOCK_MAX = 2 * LANES_MAX }; /* with eight left at the turn's begin, a lone handshake finds what it needs */

enum kind { X25519_KEY, P256_KEY, P384_KEY, P256_NONCE, P384_NONCE, KINDS };

union item {
    struct {
        uint8_t private_key[LANES_EC_SIZE_MAX];
        uint8_t public_key[LANES_EC_POINT_MAX];
    } key;
    struct lanes_ecdsa_prepared nonce;
};

struct stock {
    union item items[STOCK_MAX];
    int64_t costs_ns[STOCK_MAX]; /* of each */
    size_t left;
    bool in_use;
};

struct supply {
    struct stock stocks[KINDS];
};

/* This thread's. */
static _Thread_local struct supply *own;

static enum lanes_curve curve_of(enum kind kind) {
    return kind == P256_KEY || kind == P256_NONCE ? LANES_P256 : LANES_P384;
}

struct supply *supply_create(void) {
    CHECK(own == NULL);
    own = batch_is_wanted() ? calloc(1, sizeof *own) : NULL;
    return own;
}

void supply_destroy(struct supply *supply) {
    if (supply != NULL) {
        CHECK(supply == own);
        own = NULL;
        explicit_bzero(supply, sizeof *supply);
        free(supply);
    }
}

/* Eight private numbers, each big or little-endian as its kind has it. */
struct drawn {
    uint8_t numbers[LANES_MAX][LANES_EC_SIZE_MAX];
};

static void make_x25519_keys(struct drawn *drawn, union item *items) {
    struct lanes_x25519_public jobs[LANES_MAX];
    struct lanes_x25519_public *to[LANES_MAX];

    for (size_t i = 0; i < LANES_MAX; i++) {
        uint8_t *private_key = drawn->numbers[i];

        private_key[0] &= 248; /* RFC 7748 section 5 */
        private_key[LANES_X25519_SIZE - 1] &= 127;
        private_key[LANES_X25519_SIZE - 1] |= 64;
        jobs[i].private_key = private_key;
        to[i] = &jobs[i];
    }
    lanes_x25519_public(to, LANES_MAX);
    for (size_t i = 0; i < LANES_MAX; i++) {
        memcpy(items[i].key.private_key, drawn->numbers[i], LANES_X25519_SIZE);
        memcpy(items[i].key.public_key, jobs[i].public_key, LANES_X25519_SIZE);
    }
}

/*
 * Has each number be uniform from 1 to the order less 1, by trial (FIPS 186-5 appendix A.3.2). Of numbers of this size at
 * most one in 2^32 is not below the order; how often it is drawn again says nothing of the number.
 */
static void have_scalars(enum lanes_curve curve, struct drawn *drawn) {
    const struct lanes_curve_numbers *numbers = lanes_curve_numbers(curve);
    lanes_word number[LANES_CURVE_WORDS_MAX];

    for (size_t i = 0; i < LANES_MAX; i++) {
        while (!lanes_curve_read_scalar(numbers, number, bytes_of(drawn->numbers[i], numbers->size))) {
            random_fill(drawn->numbers[i], numbers->size);
        }
    }
    explicit_bzero(number, sizeof number);
}

static bool make_ec_keys(enum lanes_curve curve, struct drawn *drawn, union item *items) {
    struct lanes_ecdh_public jobs[LANES_MAX];
    struct lanes_ecdh_public *to[LANES_MAX];
    bool good = true;

    have_scalars(curve, drawn);
    for (size_t i = 0; i < LANES_MAX; i++) {
        jobs[i].private_key = drawn->numbers[i];
        to[i] = &jobs[i];
    }
    lanes_ecdh_public(curve, to, LANES_MAX);
    for (size_t i = 0; i < LANES_MAX; i++) {
        memcpy(items[i].key.private_key, drawn->numbers[i], sizeof drawn->numbers[i]);
        memcpy(items[i].key.public_key, jobs[i].point, sizeof jobs[i].point);
        good = good && jobs[i].good;
    }
    return good;
}

static bool make_nonces(enum lanes_curve curve, struct drawn *drawn, union item *items) {
    struct lanes_ecdsa_prepare jobs[LANES_MAX];
    struct lanes_ecdsa_prepare *to[LANES_MAX];
    bool good = true;

    have_scalars(curve, drawn);
    for (size_t i = 0; i < LANES_MAX; i++) {
        jobs[i].nonce = drawn->numbers[i];
        to[i] = &jobs[i];
    }
    lanes_ecdsa_prepare(curve, to, LANES_MAX);
    for (size_t i = 0; i < LANES_MAX; i++) {
        items[i].nonce = jobs[i].prepared;
        good = good && jobs[i].good;
    }
    explicit_bzero(jobs, sizeof jobs);
    return good;
}

static bool make(enum kind kind, union item *items) {
    struct drawn drawn;
    bool good = true;

    random_fill(&drawn, sizeof drawn);
    switch (kind) {
    case X25519_KEY:
        make_x25519_keys(&drawn, items);
        break;
    case P256_KEY:
    case P384_KEY:
        good = make_ec_keys(curve_of(kind), &drawn, items);
        break;
    case P256_NONCE:
    case P384_NONCE:
        good = make_nonces(curve_of(kind), &drawn, items);
        break;
    case KINDS:
        CHECK(false);
    }
    explicit_bzero(&drawn, sizeof drawn);
    return good;
}

/* Makes eight more. Their cost is charged to those who take them, and to nobody now. */
static void add(struct stock *stock, enum kind kind) {
    uint64_t began_ns = clock_monotonic_ns();

    CHECK(stock->left + LANES_MAX <= STOCK_MAX);
    CHECK(make(kind, stock->items + stock->left)); /* no number that is drawn fails */
    uint64_t cost_ns = clock_monotonic_ns() - began_ns;
    for (size_t i = 0; i < LANES_MAX; i++) {
        stock->costs_ns[stock->left++] = (int64_t)(cost_ns / LANES_MAX);
    }
    batch_charge(-(int64_t)cost_ns);
}

static bool is_low(const struct stock *stock) {
    return stock->in_use && stock->left + LANES_MAX <= STOCK_MAX;
}

bool supply_is_low(const struct supply *supply) {
    for (size_t kind = 0; supply != NULL && kind < KINDS; kind++) {
        if (is_low(&supply->stocks[kind])) {
            return true;
        }
    }
    return false;
}

void supply_replenish(struct supply *supply) {
    for (size_t kind = 0; supply != NULL && kind < KINDS; kind++) {
        if (is_low(&supply->stocks[kind])) {
            add(&supply->stocks[kind], (enum kind)kind);
        }
    }
}

/* Returns an item, which the caller wipes before anything else is taken; or NULL. */
static union item *take(enum kind kind) {
    if (own == NULL) {
        return NULL;
    }
    struct stock *stock = &own->stocks[kind];

    if (!stock->in_use) {
        stock->in_use = true;
        return NULL;
    }
    if (stock->left == 0) {
        add(stock, kind);
    }
    stock->left--;
    batch_charge(stock->costs_ns[stock->left]);
    return &stock->items[stock->left];
}

bool supply_take_x25519(uint8_t private_key[static LANES_X25519_SIZE], uint8_t public_key[static LANES_X25519_SIZE]) {
    union item *item = take(X25519_KEY);

    if (item == NULL) {
        return false;
    }
    memcpy(private_key, item->key.private_key, LANES_X25519_SIZE);
    memcpy(public_key, item->key.public_key, LANES_X25519_SIZE);
    explicit_bzero(item, sizeof *item);
    return true;
}

bool supply_take_ec_key(enum lanes_curve curve, uint8_t private_key[static LANES_EC_SIZE_MAX],
                        uint8_t point[static LANES_EC_POINT_MAX]) {
    union item *item = take(curve == LANES_P256 ? P256_KEY : P384_KEY);

    if (item == NULL) {
        return false;
    }
    memcpy(private_key, item->key.private_key, LANES_EC_SIZE_MAX);
    memcpy(point, item->key.public_key, LANES_EC_POINT_MAX);
    explicit_bzero(item, sizeof *item);
    return true;
}

bool supply_sign(enum lanes_curve curve, struct bytes digest, const uint8_t *private_key,
                 uint8_t signature[static 2 * LANES_EC_SIZE_MAX]) {
    union item *item = take(curve == LANES_P256 ? P256_NONCE : P384_NONCE);

    if (item == NULL) {
        return false;
    }
    struct lanes_ecdsa_finish job = {.digest = digest, .private_key = private_key, .prepared = &item->nonce};
    lanes_ecdsa_finish(curve, &job);
    explicit_bzero(item, sizeof *item);
    memcpy(signature, job.signature, sizeof job.signature);
    return job.good;
}
