#include "tls/offload.h"

#include "crypto/batch.h"
#include "crypto/lanes_curve.h"

#include <string.h>
#include <wolfssl/wolfcrypt/cryptocb.h>
#include <wolfssl/wolfcrypt/curve25519.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/memory.h>

enum { DEVICE = 0x53706f72 /* any number that is not INVALID_DEVID */ };

static void wipe(void *secret, size_t size) {
    wc_ForceZero(secret, size);
}

/* A fresh key is made in any case: wolfSSL would otherwise make another one. */
static int make_x25519_key(WC_RNG *rng, int size, curve25519_key *key) {
    int result = wc_curve25519_make_priv(rng, size, key->k);
    if (result != 0) {
        return result;
    }
    struct lanes_x25519_public job = {.private_key = key->k};
    if (batch_compute(LANES_X25519_PUBLIC, &job)) {
        memcpy(key->p.point, job.public_key, sizeof job.public_key);
    } else {
        result = wc_curve25519_make_pub((int)sizeof key->p.point, key->p.point, (int)sizeof key->k, key->k);
    }
    key->privSet = 1;
    key->pubSet = result == 0;
    return result;
}

static int share_x25519_secret(curve25519_key *own, curve25519_key *peer, uint8_t *out, word32 *size, int endian) {
    struct lanes_x25519_shared job = {.private_key = own->k, .peer = peer->p.point};
    if (endian != EC25519_LITTLE_ENDIAN || !batch_compute(LANES_X25519_SHARED, &job)) {
        return CRYPTOCB_UNAVAILABLE;
    }
    memcpy(out, job.secret, sizeof job.secret); /* wolfSSL has checked that there is room */
    *size = sizeof job.secret;
    wipe(job.secret, sizeof job.secret);
    return job.good ? 0 : ECC_OUT_OF_RANGE_E;
}

/* A curve of those that lanes know. */
struct curve {
    int id;
    word32 size; /* bytes of a coordinate, and of the order */
    enum lanes_curve lanes;
    enum lanes_kind sign;
    enum lanes_kind shared;
};

static const struct curve curves[] = {
    {ECC_SECP256R1, 32, LANES_P256, LANES_P256_SIGN, LANES_P256_SHARED},
    {ECC_SECP384R1, 48, LANES_P384, LANES_P384_SIGN, LANES_P384_SHARED},
};

static const struct curve *curve_of(const ecc_key *key) {
    for (size_t i = 0; i < ARRAY_LENGTH(curves); i++) {
        if (key->dp != NULL && key->dp->id == curves[i].id) {
            return &curves[i];
        }
    }
    return NULL;
}

/*
 * Draws a nonce that is uniform from 1 to the order less 1, by trial (FIPS 186-5 appendix A.3.2). Of numbers of this size at
 * most one in 2^32 is not below the order; how often it is drawn again says nothing of the nonce. 0, or wolfSSL's error.
 */
static int draw_nonce(WC_RNG *rng, const struct curve *curve, uint8_t *nonce) {
    const struct lanes_curve_numbers *numbers = lanes_curve_numbers(curve->lanes);
    lanes_word number[LANES_CURVE_WORDS_MAX];
    int result;
    do {
        result = wc_RNG_GenerateBlock(rng, nonce, curve->size);
    } while (result == 0 && !lanes_curve_read_scalar(numbers, number, bytes_of(nonce, curve->size)));
    wipe(number, sizeof number);
    return result;
}

static int sign_ecdsa(struct bytes digest, uint8_t *out, word32 *size, WC_RNG *rng, ecc_key *key) {
    const struct curve *curve = curve_of(key);
    if (curve == NULL || !batch_may_pause()) {
        return CRYPTOCB_UNAVAILABLE;
    }
    uint8_t private_key[LANES_EC_SIZE_MAX];
    uint8_t nonce[LANES_EC_SIZE_MAX];
    word32 key_size = curve->size;
    int result = wc_ecc_export_private_only(key, private_key, &key_size);
    if (result == 0) {
        result = draw_nonce(rng, curve, nonce);
    }
    struct lanes_ecdsa_sign job = {.digest = digest, .private_key = private_key, .nonce = nonce};
    if (result == 0) {
        result = batch_compute(curve->sign, &job) && job.good
                     ? wc_ecc_rs_raw_to_sig(job.signature, curve->size, job.signature + curve->size, curve->size, out, size)
                     : CRYPTOCB_UNAVAILABLE;
    }
    wipe(private_key, sizeof private_key);
    wipe(nonce, sizeof nonce);
    return result;
}

static int share_ecdh_secret(ecc_key *own, ecc_key *peer, uint8_t *out, word32 *size) {
    const struct curve *curve = curve_of(own);
    if (curve == NULL || curve_of(peer) != curve || !batch_may_pause() || *size < curve->size) {
        return CRYPTOCB_UNAVAILABLE;
    }
    uint8_t private_key[LANES_EC_SIZE_MAX];
    uint8_t point[LANES_EC_POINT_MAX];
    word32 key_size = curve->size;
    word32 point_size = sizeof point;
    int result = wc_ecc_export_private_only(own, private_key, &key_size);
    if (result == 0) {
        result = wc_ecc_export_x963(peer, point, &point_size);
    }
    struct lanes_ecdh_shared job = {.private_key = private_key, .peer = bytes_of(point, point_size)};
    if (result == 0 && batch_compute(curve->shared, &job) && job.good) {
        memcpy(out, job.x, curve->size);
        *size = curve->size;
    } else {
        result = CRYPTOCB_UNAVAILABLE; /* wolfCrypt computes it, or says what is wrong */
    }
    wipe(job.x, sizeof job.x);
    wipe(private_key, sizeof private_key);
    return result;
}

/* wolfCrypt asks before it computes. CRYPTOCB_UNAVAILABLE has it compute itself. */
static int compute(int device, wc_CryptoInfo *info, void *context) {
    if (info->algo_type != WC_ALGO_TYPE_PK) {
        return CRYPTOCB_UNAVAILABLE;
    }
    switch (info->pk.type) {
    case WC_PK_TYPE_CURVE25519_KEYGEN:
        return make_x25519_key(info->pk.curve25519kg.rng, info->pk.curve25519kg.size, info->pk.curve25519kg.key);
    case WC_PK_TYPE_CURVE25519:
        return share_x25519_secret(info->pk.curve25519.private_key, info->pk.curve25519.public_key, info->pk.curve25519.out,
                                   info->pk.curve25519.outlen, info->pk.curve25519.endian);
    case WC_PK_TYPE_ECDSA_SIGN:
        return sign_ecdsa(bytes_of(info->pk.eccsign.in, info->pk.eccsign.inlen), info->pk.eccsign.out,
                          info->pk.eccsign.outlen, info->pk.eccsign.rng, info->pk.eccsign.key);
    case WC_PK_TYPE_ECDH:
        return share_ecdh_secret(info->pk.ecdh.private_key, info->pk.ecdh.public_key, info->pk.ecdh.out,
                                 info->pk.ecdh.outlen);
    default:
        return CRYPTOCB_UNAVAILABLE;
    }
}

int offload_register(void) {
    return wc_CryptoCb_RegisterDevice(DEVICE, compute, NULL);
}

int offload_use(WOLFSSL_CTX *wolfssl) {
    return wolfSSL_CTX_SetDevId(wolfssl, DEVICE);
}
