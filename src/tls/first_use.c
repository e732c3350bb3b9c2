#include "tls/first_use.h"

#include "tls/wolfssl.h"

#include <errno.h>
#include <stdbool.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/chacha20_poly1305.h>
#include <wolfssl/wolfcrypt/curve25519.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/wc_mldsa.h>
#include <wolfssl/wolfcrypt/wc_mlkem.h>

/* Serves as a key, a nonce and a text. */
static const uint8_t some[CURVE25519_KEYSIZE] = {64, [CURVE25519_KEYSIZE - 1] = 64};

/* SHA-512 shares with SHA-384 what it notes, and all kinds of SHA-3 share it too. */
static bool use_hashes(void) {
    uint8_t digest[WC_SHA384_DIGEST_SIZE];

    return wc_Sha256Hash(some, sizeof some, digest) == 0 && wc_Sha384Hash(some, sizeof some, digest) == 0 &&
           wc_Sha3_256Hash(some, sizeof some, digest) == 0;
}

static bool use_random(void) {
    WC_RNG random;

    return wc_InitRng(&random) == 0 && wc_FreeRng(&random) == 0;
}

static bool use_ciphers(void) {
    uint8_t text[sizeof some];
    uint8_t tag[CHACHA20_POLY1305_AEAD_AUTHTAG_SIZE];
    Aes aes;

    if (wc_AesInit(&aes, NULL, INVALID_DEVID) != 0) {
        return false;
    }
    bool works = wc_AesGcmSetKey(&aes, some, AES_128_KEY_SIZE) == 0;
    wc_AesFree(&aes);
    return works && wc_ChaCha20Poly1305_Encrypt(some, some, NULL, 0, some, sizeof some, text, tag) == 0;
}

static bool use_public_keys(void) {
    uint8_t public_key[CURVE25519_KEYSIZE];
    MlKemKey *ml_kem = wc_MlKemKey_New(WC_ML_KEM_768, NULL, INVALID_DEVID);
    bool works = ml_kem != NULL;
    wc_MlDsaKey ml_dsa;

    wc_MlKemKey_Delete(ml_kem, NULL);
    if (wc_MlDsaKey_Init(&ml_dsa, NULL, INVALID_DEVID) != 0) {
        return false;
    }
    wc_MlDsaKey_Free(&ml_dsa);
    return works && wc_curve25519_make_pub(sizeof public_key, public_key, sizeof some, some) == 0;
}

int first_use_all(void) {
    return use_hashes() && use_random() && use_ciphers() && use_public_keys() ? 0 : -ENOSYS;
}
