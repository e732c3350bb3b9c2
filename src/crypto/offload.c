/* wolfSSL's own headers need its options first. */
#include "crypto/offload.h"

#include "crypto/batch.h"
#include "crypto/supply.h"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/cryptocb.h>
#include <wolfssl/wolfcrypt/curve25519.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/memory.h>
#include <wolfssl/wolfcrypt/rsa.h>

enum { EXPONENT = 65537 /* of the RSA keys that lanes know */ };

static void wipe(void *secret, size_t size) {
    wc_ForceZero(secret, size);
}

static int make_x25519_key(int size, curve25519_key *key) {
    if (size != CURVE25519_KEYSIZE || !supply_take_x25519(key->k, key->p.point)) {
        return CRYPTOCB_UNAVAILABLE;
    }
    key->privSet = 1;
    key->pubSet = 1;
    return 0;
}

static int share_x25519_secret(curve25519_key *own, curve25519_key *peer, uint8_t *out, word32 *size, int endian) {
    struct lanes_x25519_shared job = {.private_key = own->k, .peer = peer->p.point};
    if (endian != EC25519_LITTLE_ENDIAN || !batch_compute(LANES_X25519_SHARED, &job)) {
        return CRYPTOCB_UNAVAILABLE;
    }
    memcpy(out, job.secret, sizeof job.secret); /* wolfCrypt has checked that there is room */
    *size = sizeof job.secret;
    wipe(job.secret, sizeof job.secret);
    return job.good ? 0 : ECC_OUT_OF_RANGE_E;
}

/* Tells whether lanes know the curve. */
static bool find_curve(int number, enum lanes_curve *curve) {
    *curve = number == ECC_SECP384R1 ? LANES_P384 : LANES_P256;
    return number == ECC_SECP256R1 || number == ECC_SECP384R1;
}

enum lanes_kind offload_curve_kind(enum lanes_operation operation, int curve) {
    enum lanes_curve found;
    return find_curve(curve, &found) ? lanes_find(operation, found) : LANES_KINDS;
}

static int curve_of(const ecc_key *key) {
    return key->dp == NULL ? ECC_CURVE_INVALID : key->dp->id;
}

/* Zeros where the key has no private part. */
static void export_private(ecc_key *key, uint8_t private_key[static LANES_EC_SIZE_MAX]) {
    word32 size = LANES_EC_SIZE_MAX;
    if (wc_ecc_export_private_only(key, private_key, &size) != 0) {
        wipe(private_key, LANES_EC_SIZE_MAX);
    }
}

static int make_ec_key(ecc_key *key) {
    enum lanes_curve curve;
    uint8_t private_key[LANES_EC_SIZE_MAX];
    uint8_t point[LANES_EC_POINT_MAX];
    if (!find_curve(curve_of(key), &curve) || !supply_take_ec_key(curve, private_key, point)) {
        return CRYPTOCB_UNAVAILABLE;
    }
    const uint8_t *x = point + 1;
    int result = wc_ecc_import_unsigned(key, x, x + key->dp->size, private_key, curve_of(key));
    wipe(private_key, sizeof private_key);
    return result;
}

static int sign_ecdsa(struct bytes digest, uint8_t *out, word32 *size, ecc_key *key) {
    enum lanes_curve curve;
    if (!find_curve(curve_of(key), &curve)) {
        return CRYPTOCB_UNAVAILABLE;
    }
    uint8_t private_key[LANES_EC_SIZE_MAX];
    uint8_t signature[2 * LANES_EC_SIZE_MAX];
    word32 half = (word32)key->dp->size;
    export_private(key, private_key);
    bool signed_it = supply_sign(curve, digest, private_key, signature);
    wipe(private_key, sizeof private_key);
    return signed_it ? wc_ecc_rs_raw_to_sig(signature, half, signature + half, half, out, size) : CRYPTOCB_UNAVAILABLE;
}

struct ecdh_sharing {
    struct lanes_ecdh_shared job;
    ecc_key *own;
    ecc_key *peer;
    uint8_t private_key[LANES_EC_SIZE_MAX];
    uint8_t point[LANES_EC_POINT_MAX];
};

static void prepare_ecdh_sharing(void *job) {
    struct ecdh_sharing *sharing = CONTAINER_OF((struct lanes_ecdh_shared *)job, struct ecdh_sharing, job);
    word32 size = sizeof sharing->point;
    export_private(sharing->own, sharing->private_key);
    if (wc_ecc_export_x963(sharing->peer, sharing->point, &size) == 0) {
        sharing->job.peer = bytes_of(sharing->point, size);
    }
}

static int share_ecdh_secret(ecc_key *own, ecc_key *peer, uint8_t *out, word32 *size) {
    int curve = curve_of(own);
    struct ecdh_sharing sharing = {.job = {.private_key = sharing.private_key}, .own = own, .peer = peer};
    if (curve_of(peer) != curve || (curve != ECC_CURVE_INVALID && *size < (word32)own->dp->size) ||
        !batch_compute_prepared(offload_curve_kind(LANES_OPERATION_ECDH_SHARED, curve), &sharing.job,
                                prepare_ecdh_sharing)) {
        return CRYPTOCB_UNAVAILABLE;
    }
    if (sharing.job.good) {
        *size = (word32)own->dp->size;
        memcpy(out, sharing.job.x, *size);
    }
    wipe(sharing.job.x, sizeof sharing.job.x);
    wipe(sharing.private_key, sizeof sharing.private_key);
    return sharing.job.good ? 0 : CRYPTOCB_UNAVAILABLE; /* wolfCrypt computes it, or says what is wrong */
}

/* Writes a number of `size` bytes at most. Nothing, which lanes refuse, where it is longer. */
static struct bytes export_number(const mp_int *number, uint8_t *to, size_t size) {
    return bytes_of(to, mp_to_unsigned_bin_len(number, to, (int)size) == MP_OKAY ? size : 0);
}

struct rsa_verification {
    struct lanes_rsa_public job;
    const RsaKey *key;
    uint8_t modulus[LANES_RSA_SIZE_MAX];
};

static void prepare_rsa_verification(void *job) {
    struct rsa_verification *verification = CONTAINER_OF((struct lanes_rsa_public *)job, struct rsa_verification, job);
    verification->job.modulus = export_number(&verification->key->n, verification->modulus, verification->job.input.size);
}

static int open_rsa(struct bytes in, uint8_t *out, const RsaKey *key) {
    struct rsa_verification verification = {.job = {.input = in}, .key = key};
    enum lanes_kind kind = lanes_find(LANES_OPERATION_RSA_PUBLIC, (unsigned)in.size);
    if (!batch_compute_prepared(kind, &verification.job, prepare_rsa_verification) || !verification.job.good) {
        return CRYPTOCB_UNAVAILABLE;
    }
    memcpy(out, verification.job.output, in.size);
    return 0;
}

struct rsa_signing {
    struct lanes_rsa_private job;
    const RsaKey *key;
    uint8_t modulus[LANES_RSA_SIZE_MAX];
    uint8_t secrets[5][LANES_RSA_SIZE_MAX / 2];
};

static void prepare_rsa_signing(void *job) {
    struct rsa_signing *signing = CONTAINER_OF((struct lanes_rsa_private *)job, struct rsa_signing, job);
    const RsaKey *key = signing->key;
    size_t size = signing->job.input.size;
    signing->job.modulus = export_number(&key->n, signing->modulus, size);
    signing->job.p = export_number(&key->p, signing->secrets[0], size / 2);
    signing->job.q = export_number(&key->q, signing->secrets[1], size / 2);
    signing->job.dp = export_number(&key->dP, signing->secrets[2], size / 2);
    signing->job.dq = export_number(&key->dQ, signing->secrets[3], size / 2);
    signing->job.qinv = export_number(&key->u, signing->secrets[4], size / 2);
}

/* A result that is not good, because of a fault or of a key without primes, is left for wolfCrypt. */
static int sign_rsa(struct bytes in, uint8_t *out, const RsaKey *key) {
    struct rsa_signing signing = {.job = {.input = in}, .key = key};
    enum lanes_kind kind = lanes_find(LANES_OPERATION_RSA_PRIVATE, (unsigned)in.size);
    if (!batch_compute_prepared(kind, &signing.job, prepare_rsa_signing)) {
        return CRYPTOCB_UNAVAILABLE;
    }
    if (signing.job.good) {
        memcpy(out, signing.job.output, in.size);
    }
    wipe(signing.secrets, sizeof signing.secrets);
    return signing.job.good ? 0 : CRYPTOCB_UNAVAILABLE;
}

/* `in` is padded, and as long as the modulus. It may be where the output goes. */
static int compute_rsa(struct bytes in, uint8_t *out, word32 *size, int type, const RsaKey *key) {
    if (mp_cmp_d(&key->e, EXPONENT) != MP_EQ || *size < in.size) {
        return CRYPTOCB_UNAVAILABLE;
    }
    int result = type == RSA_PRIVATE_ENCRYPT  ? sign_rsa(in, out, key)
                 : type == RSA_PUBLIC_DECRYPT ? open_rsa(in, out, key)
                                              : CRYPTOCB_UNAVAILABLE;
    if (result == 0) {
        *size = (word32)in.size;
    }
    return result;
}

static int sign_ed25519(struct bytes message, uint8_t *out, word32 *size, const ed25519_key *key, byte type) {
    struct lanes_ed25519_sign job = {.private_key = key->k, .public_key = key->p, .message = message};
    bool fits = type == (byte)Ed25519 && key->privKeySet && key->pubKeySet && *size >= sizeof job.signature;
    if (!fits || !batch_compute(LANES_ED25519_SIGN, &job) || !job.good) {
        return CRYPTOCB_UNAVAILABLE;
    }
    memcpy(out, job.signature, sizeof job.signature);
    *size = sizeof job.signature;
    return 0;
}

/* wolfCrypt asks before it computes. CRYPTOCB_UNAVAILABLE has it compute itself. */
static int compute(int device, wc_CryptoInfo *info, void *context) {
    if (info->algo_type != WC_ALGO_TYPE_PK) {
        return CRYPTOCB_UNAVAILABLE;
    }
    switch (info->pk.type) {
    case WC_PK_TYPE_CURVE25519_KEYGEN:
        return make_x25519_key(info->pk.curve25519kg.size, info->pk.curve25519kg.key);
    case WC_PK_TYPE_CURVE25519:
        return share_x25519_secret(info->pk.curve25519.private_key, info->pk.curve25519.public_key, info->pk.curve25519.out,
                                   info->pk.curve25519.outlen, info->pk.curve25519.endian);
    case WC_PK_TYPE_EC_KEYGEN:
        return make_ec_key(info->pk.eckg.key);
    case WC_PK_TYPE_ECDH:
        return share_ecdh_secret(info->pk.ecdh.private_key, info->pk.ecdh.public_key, info->pk.ecdh.out,
                                 info->pk.ecdh.outlen);
    case WC_PK_TYPE_ECDSA_SIGN:
        return sign_ecdsa(bytes_of(info->pk.eccsign.in, info->pk.eccsign.inlen), info->pk.eccsign.out,
                          info->pk.eccsign.outlen, info->pk.eccsign.key);
    case WC_PK_TYPE_RSA:
        return compute_rsa(bytes_of(info->pk.rsa.in, info->pk.rsa.inLen), info->pk.rsa.out, info->pk.rsa.outLen,
                           info->pk.rsa.type, info->pk.rsa.key);
    case WC_PK_TYPE_ED25519_SIGN:
        return sign_ed25519(bytes_of(info->pk.ed25519sign.in, info->pk.ed25519sign.inLen), info->pk.ed25519sign.out,
                            info->pk.ed25519sign.outLen, info->pk.ed25519sign.key, info->pk.ed25519sign.type);
    default:
        return CRYPTOCB_UNAVAILABLE;
    }
}

int offload_register(void) {
    return wc_CryptoCb_RegisterDevice(OFFLOAD_DEVICE, compute, NULL);
}
