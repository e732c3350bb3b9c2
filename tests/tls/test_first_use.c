#include "tls/context.h"
#include "tls/first_use.h"

#include <criterion/criterion.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/chacha20_poly1305.h>
#include <wolfssl/wolfcrypt/cpuid.h>
#include <wolfssl/wolfcrypt/curve25519.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/wc_mldsa.h>
#include <wolfssl/wolfcrypt/wc_mlkem.h>

static unsigned asked; /* how often anybody wanted to know what the processor has */

cpuid_flags_t __real_cpuid_get_flags(void);
cpuid_flags_t __wrap_cpuid_get_flags(void);

cpuid_flags_t __wrap_cpuid_get_flags(void) {
    asked++;
    return __real_cpuid_get_flags();
}

static const uint8_t key[32] = {64, [31] = 64};
static uint8_t out[64];

TestSuite(first_use, .init = (void (*)(void))tls_library_init, .fini = tls_library_cleanup);

/* The one that asks notes the answer, and two threads would do so at once. */
#define EXPECT_KNOWN(use)                                                                                                   \
    do {                                                                                                                    \
        asked = 0;                                                                                                          \
        cr_expect_eq(use, 0);                                                                                               \
        cr_expect_eq(asked, 0, "%s has asked", #use);                                                                       \
    } while (0)

Test(first_use, hashes_and_random_numbers_know_the_processor) {
    WC_RNG random;

    EXPECT_KNOWN(wc_Sha256Hash(key, sizeof key, out));
    EXPECT_KNOWN(wc_Sha384Hash(key, sizeof key, out));
    EXPECT_KNOWN(wc_Sha512Hash(key, sizeof key, out));
    EXPECT_KNOWN(wc_Sha3_256Hash(key, sizeof key, out));
    EXPECT_KNOWN(wc_InitRng(&random));
    wc_FreeRng(&random);
}

Test(first_use, ciphers_know_the_processor) {
    uint8_t tag[16];
    Aes aes;

    cr_assert_eq(wc_AesInit(&aes, NULL, INVALID_DEVID), 0);
    EXPECT_KNOWN(wc_AesGcmSetKey(&aes, key, 32));
    EXPECT_KNOWN(wc_AesGcmEncrypt(&aes, out, key, sizeof key, key, 12, tag, sizeof tag, NULL, 0));
    wc_AesFree(&aes);
    EXPECT_KNOWN(wc_ChaCha20Poly1305_Encrypt(key, key, NULL, 0, key, sizeof key, out, tag));
}

Test(first_use, public_keys_know_the_processor) {
    static MlKemKey ml_kem;
    static wc_MlDsaKey ml_dsa;

    EXPECT_KNOWN(wc_curve25519_make_pub(32, out, sizeof key, key));
    EXPECT_KNOWN(wc_MlKemKey_Init(&ml_kem, WC_ML_KEM_768, NULL, INVALID_DEVID));
    wc_MlKemKey_Free(&ml_kem);
    EXPECT_KNOWN(wc_MlDsaKey_Init(&ml_dsa, NULL, INVALID_DEVID));
    wc_MlDsaKey_Free(&ml_dsa);
}
