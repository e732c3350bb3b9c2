#include "limit/bare.h"

#include "base/check.h"
#include "crypto/p256.h"

#include <stdlib.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/curve25519.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/rsa.h>
#include <wolfssl/wolfcrypt/wc_mlkem.h>

enum { RECORD_SIZE = 16 * 1024, SHORT_SIZE = 256, RSA_BITS = 2048, RSA_SIZE = RSA_BITS / 8, P256_SIZE = 32 };

struct bare_work {
    WC_RNG rng;
    curve25519_key share; /* made anew each time */
    curve25519_key peer;
    ecc_key ecc;
    RsaKey rsa;
    ed25519_key ed25519;
    MlKemKey kem;
    Aes aes;
    byte hash[WC_SHA256_DIGEST_SIZE];
    byte ecc_signature[ECC_MAX_SIG_SIZE];
    word32 ecc_signature_size;
    bool has_p256; /* crypto/p256: asked once, since CPUID may take as long as a check where a hypervisor answers it */
    struct p256_affine ecc_point;
    byte ecc_r[P256_SIZE];
    byte ecc_s[P256_SIZE];
    struct p256_multiples multiples; /* of the point */
    byte rsa_signature[RSA_SIZE];
    byte ed25519_signature[ED25519_SIG_SIZE];
    byte kem_public[WC_ML_KEM_768_PUBLIC_KEY_SIZE];
    byte record[RECORD_SIZE];
};

static void make_share(struct bare_work *work) {
    CHECK(wc_curve25519_make_key(&work->rng, CURVE25519_KEYSIZE, &work->share) == 0);
}

static void agree(struct bare_work *work) {
    byte secret[CURVE25519_KEYSIZE];
    word32 size = sizeof secret;

    CHECK(wc_curve25519_shared_secret_ex(&work->share, &work->peer, secret, &size, EC25519_LITTLE_ENDIAN) == 0);
}

static void sign_p256(struct bare_work *work) {
    work->ecc_signature_size = sizeof work->ecc_signature;
    CHECK(wc_ecc_sign_hash(work->hash, sizeof work->hash, work->ecc_signature, &work->ecc_signature_size, &work->rng,
                           &work->ecc) == 0);
}

static void verify_p256_otherwise(struct bare_work *work) {
    int verified = 0;

    CHECK(wc_ecc_verify_hash(work->ecc_signature, work->ecc_signature_size, work->hash, sizeof work->hash, &verified,
                             &work->ecc) == 0);
    CHECK(verified == 1);
}

static void verify_p256_by(struct bare_work *work, bool is_known) {
    struct bytes hash = bytes_of(work->hash, sizeof work->hash);
    struct bytes r = bytes_of(work->ecc_r, P256_SIZE);
    struct bytes s = bytes_of(work->ecc_s, P256_SIZE);

    if (!work->has_p256) {
        verify_p256_otherwise(work);
        return;
    }
    CHECK(is_known ? p256_verify(&work->multiples, hash, r, s) : p256_verify_once(&work->ecc_point, hash, r, s));
}

static void verify_p256(struct bare_work *work) {
    verify_p256_by(work, true);
}

static void verify_p256_new(struct bare_work *work) {
    verify_p256_by(work, false);
}

static void sign_rsa(struct bare_work *work) {
    CHECK(wc_RsaSSL_Sign(work->hash, sizeof work->hash, work->rsa_signature, RSA_SIZE, &work->rsa, &work->rng) == RSA_SIZE);
}

static void verify_rsa(struct bare_work *work) {
    byte out[RSA_SIZE];

    CHECK(wc_RsaSSL_Verify(work->rsa_signature, RSA_SIZE, out, sizeof out, &work->rsa) == sizeof work->hash);
}

static void verify_ed25519(struct bare_work *work) {
    int verified = 0;

    CHECK(wc_ed25519_verify_msg(work->ed25519_signature, ED25519_SIG_SIZE, work->hash, sizeof work->hash, &verified,
                                &work->ed25519) == 0);
    CHECK(verified == 1);
}

static void encapsulate(struct bare_work *work) {
    byte text[WC_ML_KEM_768_CIPHER_TEXT_SIZE];
    byte secret[WC_ML_KEM_SS_SZ];

    CHECK(wc_MlKemKey_DecodePublicKey(&work->kem, work->kem_public, sizeof work->kem_public) == 0);
    CHECK(wc_MlKemKey_Encapsulate(&work->kem, text, secret, &work->rng) == 0);
}

static void seal(struct bare_work *work, word32 size) {
    static const byte nonce[GCM_NONCE_MID_SZ];
    static const byte additional[5];
    byte tag[WC_AES_BLOCK_SIZE];

    CHECK(wc_AesGcmEncrypt(&work->aes, work->record, work->record, size, nonce, sizeof nonce, tag, sizeof tag, additional,
                           sizeof additional) == 0);
}

static void seal_record(struct bare_work *work) {
    seal(work, RECORD_SIZE);
}

static void seal_short(struct bare_work *work) {
    seal(work, SHORT_SIZE);
}

/* Operations that sign come before those that verify the signature. */
static const struct {
    const char *name;
    unsigned count; /* in a round */
    void (*run)(struct bare_work *work);
} table[BARES] = {
    [BARE_X25519_PUBLIC] = {"x25519_public", 64, make_share},
    [BARE_X25519_SHARED] = {"x25519_shared", 64, agree},
    [BARE_P256_SIGN] = {"p256_sign", 64, sign_p256},
    [BARE_P256_VERIFY] = {"p256_verify", 64, verify_p256},
    [BARE_P256_VERIFY_NEW] = {"p256_verify_new", 64, verify_p256_new},
    [BARE_RSA2048_PRIVATE] = {"rsa2048_private", 8, sign_rsa},
    [BARE_RSA2048_PUBLIC] = {"rsa2048_public", 64, verify_rsa},
    [BARE_ED25519_VERIFY] = {"ed25519_verify", 64, verify_ed25519},
    [BARE_MLKEM768_ENCAPSULATE] = {"mlkem768_encapsulate", 64, encapsulate},
    [BARE_AES_GCM_RECORD] = {"aes_gcm_16k", 128, seal_record},
    [BARE_AES_GCM_SHORT] = {"aes_gcm_256", 512, seal_short},
};

const char *bare_name(enum bare bare) {
    return table[bare].name;
}

static void make_kem(struct bare_work *work) {
    MlKemKey client;

    CHECK(wc_MlKemKey_Init(&client, WC_ML_KEM_768, NULL, INVALID_DEVID) == 0 &&
          wc_MlKemKey_MakeKey(&client, &work->rng) == 0 &&
          wc_MlKemKey_EncodePublicKey(&client, work->kem_public, sizeof work->kem_public) == 0);
    wc_MlKemKey_Free(&client);
    CHECK(wc_MlKemKey_Init(&work->kem, WC_ML_KEM_768, NULL, INVALID_DEVID) == 0);
}

/* Makes a key and a signature, as wolfCrypt and as crypto/p256 take them. */
static void make_p256(struct bare_work *work) {
    byte point[1 + 2 * P256_SIZE];
    word32 size = sizeof point;
    byte r[P256_SIZE];
    byte s[P256_SIZE];
    word32 r_size = sizeof r;
    word32 s_size = sizeof s;

    CHECK(wc_ecc_init(&work->ecc) == 0 && wc_ecc_make_key_ex(&work->rng, 0, &work->ecc, ECC_SECP256R1) == 0);
    CHECK(wc_ecc_export_x963(&work->ecc, point, &size) == 0);
    sign_p256(work);
    /* They come without zeros at the front. */
    CHECK(wc_ecc_sig_to_rs(work->ecc_signature, work->ecc_signature_size, r, &r_size, s, &s_size) == 0);
    memcpy(work->ecc_r + P256_SIZE - r_size, r, r_size);
    memcpy(work->ecc_s + P256_SIZE - s_size, s, s_size);
    work->has_p256 = p256_supported();
    if (work->has_p256) {
        CHECK(p256_read_key(&work->ecc_point, bytes_of(point, size)));
        p256_make_multiples(&work->multiples, &work->ecc_point);
    }
}

struct bare_work *bare_create(void) {
    struct bare_work *work = calloc(1, sizeof *work);
    word32 size = ED25519_SIG_SIZE;
    byte key[16] = {1};

    CHECK(work != NULL && wc_InitRng(&work->rng) == 0);
    CHECK(wc_RNG_GenerateBlock(&work->rng, work->hash, sizeof work->hash) == 0);
    CHECK(wc_curve25519_init(&work->share) == 0 && wc_curve25519_init(&work->peer) == 0);
    CHECK(wc_curve25519_make_key(&work->rng, CURVE25519_KEYSIZE, &work->peer) == 0);
    make_p256(work);
    CHECK(wc_InitRsaKey(&work->rsa, NULL) == 0 && wc_RsaSetRNG(&work->rsa, &work->rng) == 0);
    CHECK(wc_MakeRsaKey(&work->rsa, RSA_BITS, WC_RSA_EXPONENT, &work->rng) == 0);
    CHECK(wc_ed25519_init(&work->ed25519) == 0);
    CHECK(wc_ed25519_make_key(&work->rng, ED25519_KEY_SIZE, &work->ed25519) == 0);
    CHECK(wc_ed25519_sign_msg(work->hash, sizeof work->hash, work->ed25519_signature, &size, &work->ed25519) == 0);
    CHECK(wc_AesInit(&work->aes, NULL, INVALID_DEVID) == 0 && wc_AesGcmSetKey(&work->aes, key, sizeof key) == 0);
    make_kem(work);
    return work;
}

void bare_free(struct bare_work *work) {
    wc_MlKemKey_Free(&work->kem);
    wc_AesFree(&work->aes);
    wc_ed25519_free(&work->ed25519);
    wc_FreeRsaKey(&work->rsa);
    wc_ecc_free(&work->ecc);
    wc_curve25519_free(&work->peer);
    wc_curve25519_free(&work->share);
    wc_FreeRng(&work->rng);
    free(work);
}

void bare_measure(struct bare_work *work, struct series series[static BARES]) {
    for (int i = 0; i < BARES; i++) {
        uint64_t begin = measure_cpu_ns();

        for (unsigned j = 0; j < table[i].count; j++) {
            table[i].run(work);
        }
        series_add(&series[i], (double)(measure_cpu_ns() - begin) / table[i].count);
    }
}
