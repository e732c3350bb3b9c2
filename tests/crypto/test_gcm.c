/* All is held against Wycheproof's vectors, and against what wolfCrypt computes by itself. */
#include "crypto/gcm.h"
#include "vectors.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

/* STACK_SIZE: ThreadSanitizer refuses a thread with less than some 900 KiB. */
enum { SIZE_MAX_TESTED = 17000, ADDITIONAL_MAX = 80, STACK_SIZE = 1024 * 1024, ROUND_KEY_SIZE = 16 };

/* Each file of a guarded buffer ends where reading and writing ends the process. */
struct guarded {
    uint8_t *begin;
    uint8_t *end;
};

struct aead {
    Aes aes;
    uint8_t key[32];
    uint8_t nonce[GCM_NONCE_SIZE];
    uint8_t additional[ADDITIONAL_MAX];
    uint8_t text[SIZE_MAX_TESTED];
};

static const uint32_t key_sizes[] = {16, 24, 32};

static uint64_t state = 1;

static void draw(uint8_t *to, size_t size) {
    for (size_t i = 0; i < size; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        to[i] = (uint8_t)(state >> 56);
    }
}

static void need_gcm(void) {
    if (!gcm_supported()) {
        cr_skip_test("this processor has no VAES");
    }
}

TestSuite(gcm, .init = need_gcm);

static void set_key(Aes *aes, const uint8_t *key, size_t size) {
    cr_assert_eq(wc_AesInit(aes, NULL, INVALID_DEVID), 0);
    cr_assert_eq(wc_AesGcmSetKey(aes, key, (word32)size), 0);
}

static struct aead *make(size_t key_size) {
    static struct aead aead;
    draw(aead.key, sizeof aead.key);
    draw(aead.nonce, sizeof aead.nonce);
    draw(aead.additional, sizeof aead.additional);
    draw(aead.text, sizeof aead.text);
    set_key(&aead.aes, aead.key, key_size);
    return &aead;
}

static struct guarded guard(size_t size) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = (size + page - 1) / page * page;
    uint8_t *pages = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert(pages != MAP_FAILED);
    cr_assert_eq(mprotect(pages + room, page, PROT_NONE), 0);
    return (struct guarded){pages, pages + room};
}

static bool is_zero(const uint8_t *data, size_t size) {
    uint8_t all = 0;
    for (size_t i = 0; i < size; i++) {
        all |= data[i];
    }
    return all == 0;
}

/* Reads of the vectors those with a nonce of the size of TLS. */
static size_t check_vectors(void (*check)(Aes *aes, const struct vector *vector)) {
    struct vectors *vectors = vectors_read("aes_gcm_test");
    size_t checked = 0;
    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector *vector = &vectors->all[i];
        if (vector->fields[1].size == GCM_NONCE_SIZE && vector->fields[5].size == GCM_TAG_SIZE) {
            Aes aes;
            set_key(&aes, vector->fields[0].data, vector->fields[0].size);
            check(&aes, vector);
            wc_AesFree(&aes);
            checked++;
        }
    }
    vectors_free(vectors);
    return checked;
}

static void check_vector(Aes *aes, const struct vector *vector) {
    const struct bytes *fields = vector->fields;
    const struct bytes nonce = fields[1];
    const struct bytes additional = fields[2];
    const struct bytes text = fields[3];
    const struct bytes ciphertext = fields[4];
    uint8_t out[4096];
    uint8_t tag[GCM_TAG_SIZE];
    cr_assert_leq(text.size, sizeof out);
    bool valid = vector->result == VECTORS_VALID;
    int result = gcm_decrypt(aes, out, ciphertext.data, (uint32_t)ciphertext.size, nonce.data, fields[5].data,
                             additional.data, (uint32_t)additional.size);
    cr_assert_eq(result, valid ? 0 : AES_GCM_AUTH_E, "%u", vector->number);
    cr_assert(valid ? bytes_equal(bytes_of(out, text.size), text) : is_zero(out, text.size), "%u", vector->number);
    gcm_encrypt(aes, out, text.data, (uint32_t)text.size, nonce.data, tag, additional.data, (uint32_t)additional.size);
    cr_assert(bytes_equal(bytes_of(out, text.size), ciphertext), "%u", vector->number);
    cr_assert_eq(bytes_equal(bytes_of(tag, sizeof tag), fields[5]), valid, "%u", vector->number);
}

Test(gcm, agrees_with_wycheproof) {
    cr_assert_gt(check_vectors(check_vector), 150);
}

/* Encrypts and decrypts, and compares each with wolfCrypt. All buffers end at a guard. */
static void agree(struct aead *aead, const struct guarded *in, const struct guarded *out, uint32_t size,
                  uint32_t additional_size) {
    static uint8_t expected[SIZE_MAX_TESTED];
    uint8_t expected_tag[GCM_TAG_SIZE];
    uint8_t tag[GCM_TAG_SIZE];
    const uint8_t *additional = aead->additional + ADDITIONAL_MAX - additional_size;
    uint8_t *from = in->end - size;
    uint8_t *to = out->end - size;
    cr_assert_eq(wc_AesGcmEncrypt(&aead->aes, expected, aead->text, size, aead->nonce, GCM_NONCE_SIZE, expected_tag,
                                  GCM_TAG_SIZE, additional, additional_size),
                 0);
    memcpy(from, aead->text, size);
    gcm_encrypt(&aead->aes, to, from, size, aead->nonce, tag, additional, additional_size);
    cr_assert(memcmp(to, expected, size) == 0 && memcmp(tag, expected_tag, sizeof tag) == 0, "%u, %u", size,
              additional_size);
    memcpy(from, expected, size);
    cr_assert_eq(gcm_decrypt(&aead->aes, to, from, size, aead->nonce, tag, additional, additional_size), 0, "%u, %u", size,
                 additional_size);
    cr_assert(memcmp(to, aead->text, size) == 0, "%u, %u", size, additional_size);
}

Test(gcm, agrees_with_wolfcrypt_for_all_sizes, .timeout = 60) {
    struct guarded in = guard(SIZE_MAX_TESTED);
    struct guarded out = guard(SIZE_MAX_TESTED);
    for (size_t i = 0; i < ARRAY_LENGTH(key_sizes); i++) {
        struct aead *aead = make(key_sizes[i]);
        for (uint32_t size = 0; size <= SIZE_MAX_TESTED; size += size < 600 ? 1 : 37) {
            agree(aead, &in, &out, size, 5 + size % 2 * 8); /* as TLS 1.3 and 1.2 have it */
            agree(aead, &in, &in, size, 5);
        }
        for (uint32_t size = 0; size <= ADDITIONAL_MAX; size++) {
            agree(aead, &in, &out, 1000 + size, size);
        }
    }
}

Test(gcm, agrees_with_wolfcrypt_at_all_alignments) {
    static uint8_t buffer[SIZE_MAX_TESTED + 128];
    static uint8_t other[SIZE_MAX_TESTED + 128];
    struct aead *aead = make(16);
    for (uint32_t i = 0; i < 64; i++) {
        struct guarded in = {buffer, buffer + 2048 + i};
        struct guarded out = {other, other + 2048 + i * 7 % 64};
        agree(aead, &in, &out, 1400, 13);
        agree(aead, &in, &in, 1400, 13);
    }
}

/* Writes nothing behind or before the text. */
Test(gcm, leaves_what_is_around_the_text) {
    static uint8_t buffer[2048];
    struct aead *aead = make(32);
    uint8_t tag[GCM_TAG_SIZE];
    for (uint32_t size = 0; size < 400; size++) {
        memset(buffer, 0xa5, sizeof buffer);
        gcm_encrypt(&aead->aes, buffer + 64, aead->text, size, aead->nonce, tag, aead->additional, 5);
        cr_assert_eq(gcm_decrypt(&aead->aes, buffer + 64, buffer + 64, size, aead->nonce, tag, aead->additional, 5), 0);
        for (size_t i = 0; i < sizeof buffer; i++) {
            cr_assert(buffer[i] == 0xa5 || (i >= 64 && i < 64 + size), "%u, %zu", size, i);
        }
    }
}

/* Decrypts what differs in one bit, which must fail and leave nothing. */
static void refuse(struct aead *aead, uint8_t *spoilt, size_t bit, const uint8_t *ciphertext, uint32_t size,
                   const uint8_t *tag) {
    static uint8_t out[SIZE_MAX_TESTED];
    memset(out, 1, sizeof out);
    spoilt[bit / 8] ^= (uint8_t)(1 << bit % 8);
    cr_assert_eq(gcm_decrypt(&aead->aes, out, ciphertext, size, aead->nonce, tag, aead->additional, 13), AES_GCM_AUTH_E,
                 "%zu", bit);
    cr_assert(is_zero(out, size) && out[size] == 1);
    spoilt[bit / 8] ^= (uint8_t)(1 << bit % 8);
}

Test(gcm, refuses_what_was_changed) {
    static const uint32_t sizes[] = {1, 16, 47, 128, 1024, 1500};
    static uint8_t ciphertext[SIZE_MAX_TESTED];
    struct aead *aead = make(16);
    uint8_t tag[GCM_TAG_SIZE];
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        uint32_t size = sizes[i];
        gcm_encrypt(&aead->aes, ciphertext, aead->text, size, aead->nonce, tag, aead->additional, 13);
        for (size_t bit = 0; bit < 8 * sizeof tag; bit++) {
            refuse(aead, tag, bit, ciphertext, size, tag);
        }
        for (size_t bit = 0; bit < (size_t)8 * size; bit += 5) {
            refuse(aead, ciphertext, bit, ciphertext, size, tag);
        }
        for (size_t bit = 0; bit < (size_t)8 * 13; bit++) {
            refuse(aead, aead->additional, bit, ciphertext, size, tag);
        }
        for (size_t bit = 0; bit < (size_t)8 * GCM_NONCE_SIZE; bit++) {
            refuse(aead, aead->nonce, bit, ciphertext, size, tag);
        }
    }
}

static void *work_on_stack(void *argument) {
    static uint8_t ciphertext[SIZE_MAX_TESTED];
    struct aead *aead = argument;
    uint8_t tag[GCM_TAG_SIZE];
    gcm_encrypt(&aead->aes, ciphertext, aead->text, 1500, aead->nonce, tag, aead->additional, 5);
    cr_assert_eq(gcm_decrypt(&aead->aes, ciphertext, ciphertext, 1500, aead->nonce, tag, aead->additional, 5), 0);
    return NULL;
}

static bool has(const uint8_t *stack, const void *secret, size_t size) {
    return memmem(stack, STACK_SIZE, secret, size) != NULL;
}

Test(gcm, leaves_no_secrets_on_the_stack) {
    struct aead *aead = make(32);
    const uint64_t hash_key[2] = {__builtin_bswap64(*(uint64_t *)(void *)aead->aes.gcm.H),
                                  __builtin_bswap64(*(uint64_t *)(void *)(aead->aes.gcm.H + 8))};
    uint8_t *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert(stack != MAP_FAILED);
    pthread_attr_t attributes;
    pthread_t thread;
    cr_assert_eq(pthread_attr_init(&attributes), 0);
    cr_assert_eq(pthread_attr_setstack(&attributes, stack, STACK_SIZE), 0);
    cr_assert_eq(pthread_create(&thread, &attributes, work_on_stack, aead), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert_not(is_zero(stack, STACK_SIZE));
    for (size_t i = 0; i < 15; i++) {
        cr_expect_not(has(stack, (uint8_t *)aead->aes.key + i * ROUND_KEY_SIZE, ROUND_KEY_SIZE), "round key %zu", i);
    }
    cr_expect_not(has(stack, aead->aes.gcm.H, sizeof aead->aes.gcm.H));
    cr_expect_not(has(stack, hash_key, sizeof hash_key));
    munmap(stack, STACK_SIZE);
}

/* A message that fails tells who has decrypted it: wolfCrypt leaves what it has decrypted. */
static bool is_ours(struct aead *aead, uint32_t size, uint32_t nonce_size, uint32_t tag_size) {
    static uint8_t buffer[SIZE_MAX_TESTED];
    uint8_t tag[GCM_TAG_SIZE];
    cr_assert_eq(wc_AesGcmEncrypt(&aead->aes, buffer, aead->text, size, aead->nonce, nonce_size, tag, tag_size, NULL, 0), 0);
    tag[0] ^= 1;
    cr_assert_eq(wc_AesGcmDecrypt(&aead->aes, buffer, buffer, size, aead->nonce, nonce_size, tag, tag_size, NULL, 0),
                 AES_GCM_AUTH_E);
    tag[0] ^= 1;
    bool ours = is_zero(buffer, size);
    cr_assert_eq(wc_AesGcmEncrypt(&aead->aes, buffer, aead->text, size, aead->nonce, nonce_size, tag, tag_size, NULL, 0), 0);
    cr_assert_eq(wc_AesGcmDecrypt(&aead->aes, buffer, buffer, size, aead->nonce, nonce_size, tag, tag_size, NULL, 0), 0);
    cr_assert(memcmp(buffer, aead->text, size) == 0);
    return ours;
}

Test(gcm, has_long_messages_from_wolfcrypt) {
    struct aead *aead = make(16);
    cr_expect_not(is_ours(aead, GCM_WORTH_SIZE, GCM_NONCE_SIZE, GCM_TAG_SIZE));
    gcm_register();
    cr_expect(is_ours(aead, GCM_WORTH_SIZE, GCM_NONCE_SIZE, GCM_TAG_SIZE));
    cr_expect(is_ours(aead, SIZE_MAX_TESTED, GCM_NONCE_SIZE, GCM_TAG_SIZE));
    cr_expect_not(is_ours(aead, GCM_WORTH_SIZE - 1, GCM_NONCE_SIZE, GCM_TAG_SIZE));
    cr_expect_not(is_ours(aead, GCM_WORTH_SIZE, GCM_NONCE_SIZE - 1, GCM_TAG_SIZE));
    cr_expect_not(is_ours(aead, GCM_WORTH_SIZE, GCM_NONCE_SIZE, GCM_TAG_SIZE - 1));
}
