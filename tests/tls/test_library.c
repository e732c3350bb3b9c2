#include "crypto/batch.h"
#include "crypto/gcm.h"
#include "pair.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/hmac.h>
#include <wolfssl/wolfcrypt/memory.h>
#include <wolfssl/wolfcrypt/rsa.h>

TestSuite(library, .init = (void (*)(void))tls_library_init, .fini = tls_library_cleanup);

/* SP 800-90A section 10.1: Hash_DRBG. tools/deps leaves the SHA-512 one out, which is slower where the CPU knows SHA-256. */
Test(library, the_random_generator_is_seeded_and_seeded_again) {
    WC_RNG random;
    WC_RNG other;
    uint8_t ours[32];
    uint8_t theirs[32];

    cr_assert_eq(wc_InitRng(&random), 0);
    cr_assert_eq(wc_InitRng(&other), 0);
    cr_assert_eq(random.drbgType, WC_DRBG_SHA256);
    const struct DRBG_internal *state = (const struct DRBG_internal *)random.drbg;
    const struct DRBG_internal *other_state = (const struct DRBG_internal *)other.drbg;
    cr_assert_neq(memcmp(state->V, other_state->V, sizeof state->V), 0);
    cr_assert_eq(wc_RNG_GenerateBlock(&random, ours, sizeof ours), 0);
    cr_assert_eq(wc_RNG_GenerateBlock(&other, theirs, sizeof theirs), 0);
    cr_assert_neq(memcmp(ours, theirs, sizeof ours), 0);
    uint8_t constant[sizeof state->C]; /* changes with the seed alone */
    memcpy(constant, state->C, sizeof constant);
    uint8_t one;
    while (state->reseedCtr < WC_RESEED_INTERVAL) {
        cr_assert_eq(wc_RNG_GenerateBlock(&random, &one, 1), 0);
    }
    cr_assert_eq(memcmp(constant, state->C, sizeof constant), 0);
    cr_assert_eq(wc_RNG_GenerateBlock(&random, &one, 1), 0);
    cr_assert_leq(state->reseedCtr, 2);
    cr_assert_neq(memcmp(constant, state->C, sizeof constant), 0);
    wc_FreeRng(&random);
    wc_FreeRng(&other);
}

/* tools/patches/wolfssl-wipe.patch: all of it and nothing else, wherever it begins. */
Test(library, wipes_what_it_is_told_to) {
    for (size_t begin = 0; begin < 16; begin++) {
        for (size_t size = 0; size < 80; size++) {
            uint8_t memory[128];
            memset(memory, 0x5a, sizeof memory);
            wc_ForceZero(memory + begin, size);
            for (size_t i = 0; i < sizeof memory; i++) {
                cr_assert_eq(memory[i], i >= begin && i < begin + size ? 0 : 0x5a);
            }
        }
    }
}

static uint8_t text[2 * GCM_WORTH_SIZE];

/* Encrypts and decrypts the text. Where the tag is wrong, crypto/gcm leaves zeros, and wolfCrypt does not. */
static bool crypto_gcm_is_used(void) {
    static const uint8_t key[16] = {1};
    static const uint8_t nonce[GCM_NONCE_SIZE] = {2};
    static const uint8_t zeros[sizeof text];
    uint8_t tag[GCM_TAG_SIZE];
    uint8_t buffer[sizeof text];
    Aes aes;
    memset(text, 3, sizeof text);
    cr_assert(wc_AesInit(&aes, NULL, INVALID_DEVID) == 0 && wc_AesGcmSetKey(&aes, key, sizeof key) == 0);
    cr_assert_eq(wc_AesGcmEncrypt(&aes, buffer, text, sizeof text, nonce, sizeof nonce, tag, sizeof tag, NULL, 0), 0);
    cr_assert_eq(wc_AesGcmDecrypt(&aes, buffer, buffer, sizeof text, nonce, sizeof nonce, tag, sizeof tag, NULL, 0), 0);
    cr_assert(memcmp(buffer, text, sizeof text) == 0);
    tag[0] ^= 1;
    cr_assert_neq(wc_AesGcmDecrypt(&aes, buffer, buffer, sizeof text, nonce, sizeof nonce, tag, sizeof tag, NULL, 0), 0);
    wc_AesFree(&aes);
    return memcmp(buffer, zeros, sizeof text) == 0;
}

Test(library, computes_long_messages_as_the_processor_can) {
    cr_assert_eq(crypto_gcm_is_used(), gcm_supported() && !batch_wish_is_single());
}

static void begin_single(void) {
    setenv("SALLYPORT_CRYPTO", "single", 1);
    tls_library_init();
}

Test(library_single, has_wolfcrypt_compute_all_messages, .init = begin_single, .fini = tls_library_cleanup) {
    cr_assert_not(crypto_gcm_is_used());
}

#ifndef __SANITIZE_ADDRESS__ /* which has stacks of its own */
enum { SECRET_SIZE = 32 };
static const uint8_t input[SECRET_SIZE] = {1, 2, 3};

/* By way of a pseudorandom key, which is local to it. */
static __attribute__((noinline)) int derive(void) {
    uint8_t derived[SECRET_SIZE];

    return wc_HKDF(WC_SHA256, input, sizeof input, NULL, 0, NULL, 0, derived, sizeof derived);
}

/* How often `secret` stands in what the calls before have left below this frame. */
static __attribute__((noinline)) unsigned count_below(const uint8_t *secret) {
    unsigned count = 0;

    uint8_t below[8192];
    __asm__ volatile("" : : "r"(below) : "memory");
    for (size_t i = 0; i + SECRET_SIZE <= sizeof below; i++) {
        size_t same = 0;
        while (same < SECRET_SIZE && below[i + same] == secret[same]) {
            same++;
        }
        count += same == SECRET_SIZE;
    }
    return count;
}

/* The stores of a wipe are all dead to a compiler that looks no further than the function. */
Test(library, leaves_no_secret_on_the_stack) {
    uint8_t pseudorandom_key[SECRET_SIZE];

    cr_assert_eq(wc_HKDF_Extract(WC_SHA256, NULL, 0, input, sizeof input, pseudorandom_key), 0);
    int error = derive();
    unsigned count = count_below(pseudorandom_key);
    cr_assert_eq(error, 0);
    cr_assert_eq(count, 0);
}
#endif

#ifdef __x86_64__
#include <cpuid.h>

/* Whether the CPU tells which register state is in use: XGETBV with ECX = 1 (Intel SDM, volume 1, section 13.6). */
static bool can_tell(void) {
    unsigned eax = 0, ebx, ecx, edx;

    return __get_cpuid_count(0x0d, 1, &eax, &ebx, &ecx, &edx) && (eax & 1u << 2) != 0 && __builtin_cpu_supports("avx2");
}

static bool upper_halves_in_use(void) {
    unsigned eax;
    unsigned edx;

    __asm__ volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(1));
    return (eax & 1u << 2) != 0;
}

/* Else every SSE instruction of the thread is slow from then on: tools/patches/wolfssl-vzeroupper.patch. */
static void expect_clean(const char *after) {
    cr_expect_not(upper_halves_in_use(), "after %s", after);
    __asm__ volatile("vzeroupper");
}

static void use_curve(WC_RNG *random, int key_size) {
    uint8_t digest[32] = {1};
    uint8_t signature[160];
    word32 size = sizeof signature;
    ecc_key key;
    int good = 0;

    cr_assert_eq(wc_ecc_init(&key), 0);
    cr_assert_eq(wc_ecc_make_key(random, key_size, &key), 0);
    expect_clean("making an ECC key");
    cr_assert_eq(wc_ecc_sign_hash(digest, sizeof digest, signature, &size, random, &key), 0);
    expect_clean("an ECDSA signature");
    cr_assert_eq(wc_ecc_verify_hash(signature, size, digest, sizeof digest, &good, &key), 0);
    cr_assert_eq(good, 1);
    expect_clean("an ECDSA verification");
    wc_ecc_free(&key);
}

static void use_rsa(WC_RNG *random) {
    struct bytes der = {0};
    struct tls_credentials *credentials = server_credentials("rsa2048");
    uint8_t message[32] = {1};
    uint8_t signature[256];
    RsaKey key;
    word32 index = 0;

    der = credentials->key;
    cr_assert_eq(wc_InitRsaKey(&key, NULL), 0);
    cr_assert_eq(wc_RsaPrivateKeyDecode(der.data, &index, &key, (word32)der.size), 0);
    cr_assert_eq(wc_RsaSetRNG(&key, random), 0);
    cr_assert_eq(wc_RsaSSL_Sign(message, sizeof message, signature, sizeof signature, &key, random), sizeof signature);
    expect_clean("an RSA signature");
    wc_FreeRsaKey(&key);
    tls_credentials_free(credentials);
}

static void use_aes_gcm(void) {
    crypto_gcm_is_used();
    expect_clean("AES-GCM");
}

Test(library, leaves_the_upper_halves_of_vector_registers_alone) {
    WC_RNG random;

    if (!can_tell()) {
        cr_skip_test("this CPU does not tell which registers are in use");
    }
    __asm__ volatile("vpcmpeqd %%ymm0, %%ymm0, %%ymm0" ::: "xmm0");
    cr_assert(upper_halves_in_use());
    __asm__ volatile("vzeroupper");
    cr_assert_not(upper_halves_in_use());
    cr_assert_eq(wc_InitRng(&random), 0);
    use_curve(&random, 32);
    use_curve(&random, 48);
    use_curve(&random, 66);
    use_rsa(&random);
    use_aes_gcm();
    wc_FreeRng(&random);
}
#endif
