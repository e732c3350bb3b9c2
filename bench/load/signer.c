#include "load/signer.h"

#include "base/check.h"

#include <stdlib.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/hash.h>

/* s = k^-1 (h + r d), mod the order of the group: what does not depend on the hash is there once. */
struct signer {
    mp_int order;
    mp_int inverse; /* k^-1 */
    mp_int product; /* r d */
    uint8_t r[SIGNER_HALF_SIZE];
    uint8_t key[SIGNER_KEY_SIZE];
};

static bool is_half(const uint8_t *number) {
    return number[0] > 0 && number[0] < 0x80;
}

/* A nonce whose point gives an r of the shape that signer_sign promises. */
static bool choose_nonce(struct signer *signer, ecc_key *key, mp_int *r) {
    bool good = false;

    uint8_t seed[SIGNER_HASH_SIZE + 1];
    if (mp_to_unsigned_bin_len(wc_ecc_key_get_priv(key), seed, SIGNER_HASH_SIZE) != MP_OKAY) {
        return false;
    }
    ecc_key nonce;
    for (int i = 0; i < 100 && !good; i++) {
        uint8_t number[SIGNER_HASH_SIZE];

        seed[SIGNER_HASH_SIZE] = (uint8_t)i;
        CHECK(wc_Sha256Hash(seed, sizeof seed, number) == 0 && wc_ecc_init(&nonce) == 0);
        good = wc_ecc_import_private_key_ex(number, sizeof number, NULL, 0, &nonce, ECC_SECP256R1) == 0 &&
               wc_ecc_make_pub(&nonce, NULL) == 0 && mp_mod(nonce.pubkey.x, &signer->order, r) == MP_OKAY &&
               mp_to_unsigned_bin_len(r, signer->r, SIGNER_HALF_SIZE) == MP_OKAY && is_half(signer->r) &&
               mp_invmod(wc_ecc_key_get_priv(&nonce), &signer->order, &signer->inverse) == MP_OKAY;
        wc_ecc_free(&nonce);
    }
    return good;
}

struct signer *signer_create(struct bytes der) {
    struct signer *signer = calloc(1, sizeof *signer);
    int curve = wc_ecc_get_curve_idx(ECC_SECP256R1);
    word32 index = 0;
    ecc_key key;
    mp_int r;

    CHECK(wc_ecc_init(&key) == 0 && mp_init(&r) == MP_OKAY);
    bool good = signer != NULL &&
                mp_init_multi(&signer->order, &signer->inverse, &signer->product, NULL, NULL, NULL) == MP_OKAY &&
                wc_EccPrivateKeyDecode(der.data, &index, &key, (word32)der.size) == 0 && key.idx == curve &&
                mp_read_radix(&signer->order, wc_ecc_get_curve_params(curve)->order, MP_RADIX_HEX) == MP_OKAY &&
                choose_nonce(signer, &key, &r) &&
                mp_to_unsigned_bin_len(wc_ecc_key_get_priv(&key), signer->key, SIGNER_KEY_SIZE) == MP_OKAY;
    wc_ecc_free(&key);
    if (!good) {
        free(signer);
        return NULL;
    }
    signer_take_key(signer, signer->key);
    return signer;
}

void signer_take_key(struct signer *signer, const uint8_t private_key[static SIGNER_KEY_SIZE]) {
    mp_int key;
    mp_int r;

    CHECK(mp_init_multi(&key, &r, NULL, NULL, NULL, NULL) == MP_OKAY);
    CHECK(mp_read_unsigned_bin(&key, private_key, SIGNER_KEY_SIZE) == MP_OKAY);
    CHECK(mp_read_unsigned_bin(&r, signer->r, SIGNER_HALF_SIZE) == MP_OKAY);
    CHECK(mp_mulmod(&r, &key, &signer->order, &signer->product) == MP_OKAY);
}

void signer_find_point(const uint8_t private_key[static SIGNER_KEY_SIZE], uint8_t point[static SIGNER_POINT_SIZE]) {
    enum { HALF = SIGNER_POINT_SIZE / 2 };
    ecc_key key;

    CHECK(wc_ecc_init(&key) == 0);
    CHECK(wc_ecc_import_private_key_ex(private_key, SIGNER_KEY_SIZE, NULL, 0, &key, ECC_SECP256R1) == 0);
    CHECK(wc_ecc_make_pub(&key, NULL) == 0);
    CHECK(mp_to_unsigned_bin_len(key.pubkey.x, point, HALF) == MP_OKAY);
    CHECK(mp_to_unsigned_bin_len(key.pubkey.y, point + HALF, HALF) == MP_OKAY);
    wc_ecc_free(&key);
}

const uint8_t *signer_key(const struct signer *signer) {
    return signer->key;
}

void signer_free(struct signer *signer) {
    free(signer);
}

void signer_sign(struct signer *signer, const uint8_t hash[static SIGNER_HASH_SIZE], uint8_t r[static SIGNER_HALF_SIZE],
                 uint8_t s[static SIGNER_HALF_SIZE]) {
    mp_int sum;

    CHECK(mp_init(&sum) == MP_OKAY && mp_read_unsigned_bin(&sum, hash, SIGNER_HASH_SIZE) == MP_OKAY);
    CHECK(mp_addmod(&sum, &signer->product, &signer->order, &sum) == MP_OKAY);
    CHECK(mp_mulmod(&sum, &signer->inverse, &signer->order, &sum) == MP_OKAY);
    CHECK(mp_to_unsigned_bin_len(&sum, s, SIGNER_HALF_SIZE) == MP_OKAY);
    if (s[0] >= 0x80) { /* n - s is as good, and smaller */
        CHECK(mp_sub(&signer->order, &sum, &sum) == MP_OKAY);
        CHECK(mp_to_unsigned_bin_len(&sum, s, SIGNER_HALF_SIZE) == MP_OKAY);
    }
    memcpy(r, signer->r, SIGNER_HALF_SIZE);
}

static size_t put_half(const uint8_t *number, uint8_t *out) {
    size_t zeros = 0;

    while (zeros < SIGNER_HALF_SIZE - 1 && number[zeros] == 0 && number[zeros + 1] < 0x80) {
        zeros++;
    }
    size_t size = SIGNER_HALF_SIZE - zeros;
    out[0] = 0x02;
    out[1] = (uint8_t)size;
    memcpy(out + 2, number + zeros, size);
    return size + 2;
}

size_t signer_encode(const uint8_t r[static SIGNER_HALF_SIZE], const uint8_t s[static SIGNER_HALF_SIZE],
                     uint8_t der[static SIGNER_DER_MAX]) {
    size_t size = 2;

    size += put_half(r, der + size);
    size += put_half(s, der + size);
    der[0] = 0x30;
    der[1] = (uint8_t)(size - 2);
    return size;
}
