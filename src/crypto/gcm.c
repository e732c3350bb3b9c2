/* wolfSSL's own headers need its options first. */
#include "crypto/gcm.h"

#include "base/check.h"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/aes.h>

#ifdef __x86_64__

#include <cpuid.h>
#include <immintrin.h>
#include <string.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

enum { BLOCK_SIZE = GCM_TAG_SIZE, KEY_WORDS = 60 /* of AES-256 */, POWERS = 16 };

/* A key as BoringSSL has it. */
struct round_keys {
    uint32_t words[KEY_WORDS];
    uint32_t rounds; /* without the last one */
};

/* There is no header for these, which are in pregenerated/aes-gcm-avx2-x86_64-elf.S of ring. Sizes are multiples of a
 * block's. */
void gcm_init_vpclmulqdq_avx2(uint8_t powers[POWERS * BLOCK_SIZE], const uint64_t hash_key[2]);
void gcm_ghash_vpclmulqdq_avx2_1(uint8_t hash[BLOCK_SIZE], const uint8_t powers[POWERS * BLOCK_SIZE], const uint8_t *block,
                                 size_t size);
void aes_gcm_enc_update_vaes_avx2(const uint8_t *in, uint8_t *out, size_t size, const struct round_keys *key,
                                  const uint8_t counter[BLOCK_SIZE], const uint8_t powers[POWERS * BLOCK_SIZE],
                                  uint8_t hash[BLOCK_SIZE]);
void aes_gcm_dec_update_vaes_avx2(const uint8_t *in, uint8_t *out, size_t size, const struct round_keys *key,
                                  const uint8_t counter[BLOCK_SIZE], const uint8_t powers[POWERS * BLOCK_SIZE],
                                  uint8_t hash[BLOCK_SIZE]);

/* A message on its way. All of it is wiped at the end. */
struct message {
    struct round_keys key;
    uint64_t hash_key[2];
    uint8_t powers[POWERS * BLOCK_SIZE]; /* of the hash key */
    uint8_t hash[BLOCK_SIZE];
    uint8_t counter[BLOCK_SIZE];
    uint8_t block[BLOCK_SIZE];
};

bool gcm_supported(void) {
    unsigned a;
    unsigned b;
    unsigned c;
    unsigned d;
    /* With AVX2, libgcc has asked at the start whether the kernel keeps those registers (XGETBV). */
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("aes") && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 &&
           (c & bit_VAES) != 0 && (c & bit_VPCLMULQDQ) != 0;
}

static void write_u32(uint8_t at[static 4], uint32_t number) {
    number = __builtin_bswap32(number);
    memcpy(at, &number, sizeof number);
}

static uint64_t read_u64(const uint8_t at[static 8]) {
    uint64_t number;
    memcpy(&number, at, sizeof number);
    return __builtin_bswap64(number);
}

static void write_u64(uint8_t at[static 8], uint64_t number) {
    number = __builtin_bswap64(number);
    memcpy(at, &number, sizeof number);
}

static void hash_block(struct message *message) {
    gcm_ghash_vpclmulqdq_avx2_1(message->hash, message->powers, message->block, BLOCK_SIZE);
}

/* Takes less than a block as one with zeros behind it. */
static void load_block(struct message *message, const uint8_t *data, size_t size) {
    memset(message->block, 0, BLOCK_SIZE);
    memcpy(message->block, data, size);
}

static void begin(struct message *message, const Aes *aes, const uint8_t *nonce, const uint8_t *additional, size_t size) {
    memcpy(message->key.words, aes->key, sizeof message->key.words);
    message->key.rounds = aes->rounds - 1;
    message->hash_key[0] = read_u64(aes->gcm.H);
    message->hash_key[1] = read_u64(aes->gcm.H + sizeof(uint64_t));
    gcm_init_vpclmulqdq_avx2(message->powers, message->hash_key);
    memset(message->hash, 0, sizeof message->hash);
    memcpy(message->counter, nonce, GCM_NONCE_SIZE);
    for (size_t at = 0; at < size; at += BLOCK_SIZE) {
        load_block(message, additional + at, size - at < BLOCK_SIZE ? size - at : BLOCK_SIZE);
        hash_block(message);
    }
}

/* Adds the key stream's block of this number to message->block. Block 1 is the tag's, and the text begins with block 2. */
__attribute__((target("aes"))) static void add_key_stream(struct message *message, uint32_t number) {
    write_u32(message->counter + GCM_NONCE_SIZE, number);
    const uint8_t *round_key = (const uint8_t *)message->key.words;
    __m128i state = _mm_loadu_si128((const __m128i *)(const void *)message->counter);
    state = _mm_xor_si128(state, _mm_loadu_si128((const __m128i *)(const void *)round_key));
    for (uint32_t i = 0; i < message->key.rounds; i++) {
        round_key += BLOCK_SIZE;
        state = _mm_aesenc_si128(state, _mm_loadu_si128((const __m128i *)(const void *)round_key));
    }
    state = _mm_aesenclast_si128(state, _mm_loadu_si128((const __m128i *)(const void *)(round_key + BLOCK_SIZE)));
    state = _mm_xor_si128(state, _mm_loadu_si128((const __m128i *)(const void *)message->block));
    _mm_storeu_si128((__m128i *)(void *)message->block, state);
}

/* Leaves the tag in message->block. */
static void finish(struct message *message, uint32_t size, uint32_t additional_size) {
    write_u64(message->block, 8 * (uint64_t)additional_size);
    write_u64(message->block + 8, 8 * (uint64_t)size);
    hash_block(message);
    memcpy(message->block, message->hash, BLOCK_SIZE);
    add_key_stream(message, 1);
}

void gcm_encrypt(const Aes *aes, uint8_t *out, const uint8_t *in, uint32_t size, const uint8_t *nonce, uint8_t *tag,
                 const uint8_t *additional, uint32_t additional_size) {
    struct message message;
    size_t rest = size % BLOCK_SIZE;
    size_t whole = size - rest;
    begin(&message, aes, nonce, additional, additional_size);
    write_u32(message.counter + GCM_NONCE_SIZE, 2);
    aes_gcm_enc_update_vaes_avx2(in, out, whole, &message.key, message.counter, message.powers, message.hash);
    if (rest > 0) {
        load_block(&message, in + whole, rest);
        add_key_stream(&message, (uint32_t)(2 + whole / BLOCK_SIZE));
        memcpy(out + whole, message.block, rest);
        memset(message.block + rest, 0, BLOCK_SIZE - rest);
        hash_block(&message);
    }
    finish(&message, size, additional_size);
    memcpy(tag, message.block, GCM_TAG_SIZE);
    wc_ForceZero(&message, sizeof message);
}

static bool is_tag(const uint8_t block[static BLOCK_SIZE], const uint8_t *tag) {
    uint8_t differences = 0;
    for (size_t i = 0; i < GCM_TAG_SIZE; i++) {
        differences |= block[i] ^ tag[i];
    }
    return differences == 0;
}

int gcm_decrypt(const Aes *aes, uint8_t *out, const uint8_t *in, uint32_t size, const uint8_t *nonce, const uint8_t *tag,
                const uint8_t *additional, uint32_t additional_size) {
    struct message message;
    size_t rest = size % BLOCK_SIZE;
    size_t whole = size - rest;
    begin(&message, aes, nonce, additional, additional_size);
    write_u32(message.counter + GCM_NONCE_SIZE, 2);
    aes_gcm_dec_update_vaes_avx2(in, out, whole, &message.key, message.counter, message.powers, message.hash);
    if (rest > 0) {
        load_block(&message, in + whole, rest);
        hash_block(&message);
        add_key_stream(&message, (uint32_t)(2 + whole / BLOCK_SIZE));
        memcpy(out + whole, message.block, rest);
    }
    finish(&message, size, additional_size);
    bool good = is_tag(message.block, tag);
    wc_ForceZero(&message, sizeof message);
    if (!good) {
        wc_ForceZero(out, size);
    }
    return good ? 0 : AES_GCM_AUTH_E;
}

void gcm_register(void) {
    if (gcm_supported()) {
        wc_AesGcmSetBulk(gcm_encrypt, gcm_decrypt, GCM_WORTH_SIZE);
    }
}

#else /* BoringSSL's loops are for x86-64 */

bool gcm_supported(void) {
    return false;
}

void gcm_register(void) {}

void gcm_encrypt(const Aes *aes, uint8_t *out, const uint8_t *in, uint32_t size, const uint8_t *nonce, uint8_t *tag,
                 const uint8_t *additional, uint32_t additional_size) {
    CHECK(gcm_supported());
}

int gcm_decrypt(const Aes *aes, uint8_t *out, const uint8_t *in, uint32_t size, const uint8_t *nonce, const uint8_t *tag,
                const uint8_t *additional, uint32_t additional_size) {
    CHECK(gcm_supported());
    return -1;
}

#endif
