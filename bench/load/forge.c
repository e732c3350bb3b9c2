#include "load/forge.h"

#include "base/check.h"
#include "base/random.h"
#include "load/intruder.h"
#include "x509/der.h"
#include "x509/pem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/hash.h>

enum {
    CHAIN_MAX = 16, /* certificates of a file */
    SERIAL_SIZE = 16,
    LEAF_SIZE_MAX = 8192,
    COPIES = 60,
    MESSAGE_CERTIFICATE = 11,
    LIST_AT = 8, /* behind type and length of the message, an empty context, and the list's length */
};

struct bundle {
    struct bytes chain[CHAIN_MAX]; /* each malloc'd */
    size_t count;
    struct bytes key; /* malloc'd */
};

static void bundle_free(struct bundle *bundle) {
    for (size_t i = 0; i < bundle->count; i++) {
        free((void *)(uintptr_t)bundle->chain[i].data);
    }
    free((void *)(uintptr_t)bundle->key.data);
}

static bool is_key(const struct pem_block *block) {
    return pem_label_is(block, "PRIVATE KEY") || pem_label_is(block, "EC PRIVATE KEY");
}

/* False: something is missing, or too much. */
static bool bundle_read(struct bundle *bundle, struct bytes text) {
    struct pem_reader reader = pem_reader_of(text);
    struct pem_block block;
    enum pem_result result;

    while ((result = pem_next(&reader, &block)) == PEM_BLOCK) {
        uint8_t *der = malloc(block.size);

        CHECK(der != NULL);
        pem_decode(&block, der);
        if (pem_label_is(&block, "CERTIFICATE") && bundle->count < CHAIN_MAX) {
            bundle->chain[bundle->count++] = bytes_of(der, block.size);
        } else if (bundle->key.size == 0 && is_key(&block)) {
            bundle->key = bytes_of(der, block.size);
        } else {
            free(der);
            return false;
        }
    }
    return result == PEM_END && bundle->count > 0 && bundle->key.size > 0;
}

static void put(struct forge *forge, const void *data, size_t size) {
    CHECK(size <= INTRUDER_CHAIN_MAX - forge->size);
    memcpy(forge->message + forge->size, data, size);
    forge->size += size;
}

static void put_u24(uint8_t *out, size_t value) {
    out[0] = (uint8_t)(value >> 16);
    out[1] = (uint8_t)(value >> 8);
    out[2] = (uint8_t)value;
}

/* An entry of the list, without extensions. Where its certificate begins. */
static uint8_t *put_certificate(struct forge *forge, struct bytes der) {
    static const uint8_t no_extensions[2];
    uint8_t length[3];

    put_u24(length, der.size);
    put(forge, length, sizeof length);
    uint8_t *at = forge->message + forge->size;
    put(forge, der.data, der.size);
    put(forge, no_extensions, sizeof no_extensions);
    return at;
}

/* Tag and length, the length in its shortest form. Returns their size, at most 5. */
static size_t put_head(uint8_t *out, uint8_t tag, size_t size) {
    out[0] = tag;
    if (size < 0x80) {
        out[1] = (uint8_t)size;
        return 2;
    }
    if (size < 0x100) {
        out[1] = 0x81;
        out[2] = (uint8_t)size;
        return 3;
    }
    CHECK(size < 0x10000);
    out[1] = 0x82;
    out[2] = (uint8_t)(size >> 8);
    out[3] = (uint8_t)size;
    return 4;
}

struct leaf {
    struct bytes version; /* whole, or empty */
    struct bytes rest;    /* of the TBSCertificate, behind the serial number */
    struct bytes algorithm;
};

static bool leaf_read(struct leaf *leaf, struct bytes certificate) {
    struct bytes outer;
    struct bytes tbs;
    struct der element;

    if (!der_read(&certificate, DER_SEQUENCE, &outer) || !der_read(&outer, DER_SEQUENCE, &tbs) ||
        !der_next(&tbs, &element)) {
        return false;
    }
    leaf->version = bytes_of(NULL, 0);
    if (element.tag == (DER_CONTEXT_CONSTRUCTED | 0)) {
        leaf->version = element.whole;
        if (!der_next(&tbs, &element)) {
            return false;
        }
    }
    leaf->rest = tbs;
    if (element.tag != DER_INTEGER || !der_next(&outer, &element)) {
        return false;
    }
    leaf->algorithm = element.whole;
    return true;
}

/* NULL: it is not the key of the signer that stands in the certificate. */
static uint8_t *find_point(const struct forge *forge) {
    uint8_t point[SIGNER_POINT_SIZE];

    signer_find_point(signer_key(forge->signer), point);
    return memmem(forge->signed_part.data, forge->signed_part.size, point, sizeof point);
}

/*
 * Rebuilds the certificate with a serial number and a signature of fixed sizes, so that a new one is a matter of writing
 * over them. False: it is too large, or the key is not its own.
 */
static bool put_pattern(struct forge *forge, const struct leaf *leaf) {
    static const uint8_t signature[] = {0x03, 0x47, 0x00, 0x30, 0x44, 0x02, 0x20}; /* and 32 bytes, 02 20, and 32 bytes */
    enum { HALVES = 2 * SIGNER_HALF_SIZE + 2 };
    size_t tbs_size = leaf->version.size + 2 + SERIAL_SIZE + leaf->rest.size;
    uint8_t der[LEAF_SIZE_MAX] = {0};
    uint8_t tbs_head[5];
    size_t tbs_head_size = put_head(tbs_head, DER_SEQUENCE, tbs_size);
    size_t size = tbs_head_size + tbs_size + leaf->algorithm.size + sizeof signature + HALVES;
    size_t tbs_at = put_head(der, DER_SEQUENCE, size);
    size_t at = tbs_at;

    if (size + 8 > sizeof der) {
        return false;
    }
    memcpy(der + at, tbs_head, tbs_head_size);
    at += tbs_head_size;
    if (leaf->version.size > 0) {
        memcpy(der + at, leaf->version.data, leaf->version.size);
        at += leaf->version.size;
    }
    size_t serial_at = at + put_head(der + at, DER_INTEGER, SERIAL_SIZE);
    at = serial_at + SERIAL_SIZE;
    memcpy(der + at, leaf->rest.data, leaf->rest.size);
    at += leaf->rest.size;
    memcpy(der + at, leaf->algorithm.data, leaf->algorithm.size);
    at += leaf->algorithm.size;
    memcpy(der + at, signature, sizeof signature);
    at += sizeof signature;
    der[at + SIGNER_HALF_SIZE] = DER_INTEGER;
    der[at + SIGNER_HALF_SIZE + 1] = SIGNER_HALF_SIZE;
    uint8_t *placed = put_certificate(forge, bytes_of(der, at + HALVES));
    forge->signed_part = bytes_of(placed + tbs_at, tbs_head_size + tbs_size);
    forge->serial = placed + serial_at;
    forge->point = find_point(forge);
    forge->signature_halves = placed + at;
    return forge->point != NULL;
}

static bool has_pattern(enum forge_kind kind) {
    return kind == FORGE_SELF_SIGNED || kind == FORGE_FOREIGN || kind == FORGE_ISSUED;
}

static bool put_list(struct forge *forge, const struct bundle *bundle) {
    struct bytes last = bundle->chain[bundle->count - 1];
    struct leaf leaf;

    if (has_pattern(forge->kind)) {
        if (!leaf_read(&leaf, bundle->chain[0]) || !put_pattern(forge, &leaf)) {
            return false;
        }
    } else {
        put_certificate(forge, bundle->chain[0]);
    }
    for (int i = 0; forge->kind == FORGE_LONG && i < COPIES && forge->size + last.size + 5 <= INTRUDER_CHAIN_MAX; i++) {
        put_certificate(forge, last);
    }
    for (size_t i = 1; forge->kind != FORGE_LONG && i < bundle->count; i++) {
        put_certificate(forge, bundle->chain[i]);
    }
    return true;
}

static bool forge_create(struct forge *forge, enum forge_kind kind, const struct bundle *bundle) {
    *forge = (struct forge){.kind = kind, .signer = signer_create(bundle->key), .message = calloc(1, INTRUDER_CHAIN_MAX)};
    forge->size = LIST_AT;
    if (forge->signer == NULL || forge->message == NULL || !put_list(forge, bundle)) {
        signer_free(forge->signer);
        free(forge->message);
        return false;
    }
    forge->message[0] = MESSAGE_CERTIFICATE;
    put_u24(forge->message + 1, forge->size - 4);
    put_u24(forge->message + 5, forge->size - LIST_AT);
    return true;
}

struct loading {
    struct forges *forges;
    enum forge_kind kind;
};

static int add(void *owner, const char *path, char error[static PEM_FILE_ERROR_SIZE]) {
    struct loading *loading = owner;
    struct forges *forges = loading->forges;
    struct bundle bundle = {0};
    size_t size = 0;
    uint8_t *text = pem_file_read(path, &size);
    bool good = text != NULL && bundle_read(&bundle, bytes_of(text, size));

    if (text == NULL) {
        snprintf(error, PEM_FILE_ERROR_SIZE, "%s: %s", path, strerror(errno));
        return -1;
    }
    struct forge *all;
    all = realloc(forges->all, (forges->count + 1) * sizeof *all);
    CHECK(all != NULL);
    forges->all = all;
    good = good && forge_create(&all[forges->count], loading->kind, &bundle);
    forges->count += good ? 1 : 0;
    if (!good) {
        snprintf(error, PEM_FILE_ERROR_SIZE,
                 "%s: it should have a certificate chain and the leaf's key, P-256, and nothing else", path);
    }
    bundle_free(&bundle);
    free(text);
    return good ? 0 : -1;
}

/* The signer of the one key in a file. NULL: there is none, or no P-256 key. */
static struct signer *read_issuer(const char *path) {
    struct signer *signer = NULL;
    size_t size = 0;
    uint8_t *text = pem_file_read(path, &size);
    struct pem_reader reader = pem_reader_of(bytes_of(text, size));
    struct pem_block block;

    while (text != NULL && signer == NULL && pem_next(&reader, &block) == PEM_BLOCK) {
        uint8_t *der = malloc(block.size);

        CHECK(der != NULL);
        pem_decode(&block, der);
        signer = is_key(&block) ? signer_create(bytes_of(der, block.size)) : NULL;
        free(der);
    }
    free(text);
    return signer;
}

/*
 * Each is the hash of its number and of what they are drawn from: as good as any below the order, which all but one in 2^32
 * are.
 */
static struct forge_key *make_keys(uint64_t drawn_from) {
    struct forge_key *keys = malloc(FORGE_KEYS * sizeof *keys);

    CHECK(keys != NULL);
    for (uint64_t i = 0; i < FORGE_KEYS; i++) {
        const uint64_t words[] = {drawn_from, i};
        CHECK(wc_Sha256Hash((const uint8_t *)words, sizeof words, keys[i].private_key) == 0);
        signer_find_point(keys[i].private_key, keys[i].point);
    }
    return keys;
}

int forges_load(struct forges *forges, const struct forge_settings *settings, const char *const *paths, unsigned count,
                char error[static PEM_FILE_ERROR_SIZE]) {
    struct loading loading = {forges, settings->kind};

    forges->identities = settings->identities;
    if (settings->kind == FORGE_ISSUED && (forges->issuer = read_issuer(settings->issuer)) == NULL) {
        snprintf(error, PEM_FILE_ERROR_SIZE, "%s: it should have the issuer's key, P-256", settings->issuer);
        return -1;
    }
    if (settings->kind == FORGE_ISSUED) {
        uint64_t drawn_from = 0;
        if (settings->identities == 0) {
            random_fill(&drawn_from, sizeof drawn_from);
        }
        forges->keys = make_keys(drawn_from);
    }
    return pem_file_each(paths, count, add, &loading, error);
}

void forges_free(struct forges *forges) {
    for (size_t i = 0; i < forges->count; i++) {
        signer_free(forges->all[i].signer);
        free(forges->all[i].message);
    }
    free(forges->all);
    free(forges->keys);
    signer_free(forges->issuer);
}

/* A number that takes up its bytes in full: not zero in front, and not negative. */
static void draw_number(struct noise *noise, uint8_t *number, size_t size) {
    noise_fill(noise, number, size);
    number[0] = (uint8_t)((number[0] & 0x3f) | 0x40);
}

static void sign_leaf(struct forge *forge, struct signer *signer) {
    uint8_t *second = forge->signature_halves + SIGNER_HALF_SIZE + 2;
    uint8_t hash[SIGNER_HASH_SIZE];

    CHECK(wc_Sha256Hash(forge->signed_part.data, (word32)forge->signed_part.size, hash) == 0);
    signer_sign(signer, hash, forge->signature_halves, second);
}

/* Numbers that come again with the same seed: the certificate of an identity is the same each time. */
static void issue(struct forge *forge, struct signer *issuer, struct noise *noise) {
    do { /* one of 128 is too small */
        draw_number(noise, forge->serial, SERIAL_SIZE);
        sign_leaf(forge, issuer);
    } while (forge->signature_halves[SIGNER_HALF_SIZE + 2] == 0);
}

struct forge *forges_next(struct forges *forges, struct noise *noise) {
    uint64_t number = forges->identities == 0 ? forges->next : forges->next % forges->identities;
    struct forge *forge = &forges->all[number % forges->count];
    uint8_t *second = forge->signature_halves + SIGNER_HALF_SIZE + 2;
    struct noise identity = {.state = number};

    forges->next++;

    if (forge->kind == FORGE_FOREIGN) {
        draw_number(noise, forge->serial, SERIAL_SIZE);
        draw_number(noise, forge->signature_halves, SIGNER_HALF_SIZE);
        draw_number(noise, second, SIGNER_HALF_SIZE);
    } else if (forge->kind == FORGE_SELF_SIGNED) {
        issue(forge, forge->signer, noise);
    } else if (forge->kind == FORGE_ISSUED) {
        const struct forge_key *key = &forges->keys[number % FORGE_KEYS];
        signer_take_key(forge->signer, key->private_key);
        memcpy(forge->point, key->point, SIGNER_POINT_SIZE);
        issue(forge, forges->issuer, forges->identities == 0 ? noise : &identity);
    }
    return forge;
}
