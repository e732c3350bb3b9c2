/*
 * AES-GCM by VAES beside wolfCrypt's. The first octets of the input choose the sizes of key, additional data and text, where
 * the text lies, and which octet of it is changed before it is decrypted. The rest is key, nonce and data, over and over.
 */
#include "base/check.h"
#include "crypto/gcm.h"

#include <stdlib.h>
#include <string.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD_SIZE = 8, ADDITIONAL_MAX = 63, TEXT_MAX = 20000, ALIGNMENTS = 64 };

static uint8_t text[TEXT_MAX];
static uint8_t expected[TEXT_MAX];
static uint8_t buffers[2][TEXT_MAX + ALIGNMENTS];

/* Fills with the input, over and over. */
static void fill(uint8_t *to, size_t count, const uint8_t *data, size_t size, size_t from) {
    for (size_t i = 0; i < count; i++) {
        to[i] = size == 0 ? (uint8_t)i : data[(from + i) % size];
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < HEAD_SIZE || !gcm_supported()) {
        return 0;
    }
    uint32_t key_size = 16 + data[0] % 3 * 8;
    uint32_t additional_size = data[1] & ADDITIONAL_MAX;
    uint32_t text_size = (uint32_t)(data[2] << 8 | data[3]) % (TEXT_MAX + 1);
    bool in_place = (data[1] & 0x80) != 0;
    uint8_t *in = buffers[0] + data[4] % ALIGNMENTS;
    uint8_t *out = in_place ? in : buffers[1] + data[5] % ALIGNMENTS;
    size_t changed = (size_t)(data[6] << 8 | data[7]);
    data += HEAD_SIZE;
    size -= HEAD_SIZE;
    uint8_t key[32];
    uint8_t nonce[GCM_NONCE_SIZE];
    uint8_t additional[ADDITIONAL_MAX];
    uint8_t tag[GCM_TAG_SIZE];
    uint8_t expected_tag[GCM_TAG_SIZE];
    fill(key, sizeof key, data, size, 0);
    fill(nonce, sizeof nonce, data, size, sizeof key);
    fill(additional, sizeof additional, data, size, sizeof key + sizeof nonce);
    fill(text, text_size, data, size, sizeof key + sizeof nonce + sizeof additional);
    Aes aes;
    CHECK(wc_AesInit(&aes, NULL, INVALID_DEVID) == 0 && wc_AesGcmSetKey(&aes, key, key_size) == 0);
    CHECK(wc_AesGcmEncrypt(&aes, expected, text, text_size, nonce, sizeof nonce, expected_tag, sizeof expected_tag,
                           additional, additional_size) == 0);
    memcpy(in, text, text_size);
    gcm_encrypt(&aes, out, in, text_size, nonce, tag, additional, additional_size);
    CHECK(memcmp(out, expected, text_size) == 0 && memcmp(tag, expected_tag, sizeof tag) == 0);
    memcpy(in, expected, text_size);
    bool is_changed = changed < text_size;
    if (is_changed) {
        in[changed] ^= 1;
    }
    int result = gcm_decrypt(&aes, out, in, text_size, nonce, tag, additional, additional_size);
    CHECK(result == (is_changed ? AES_GCM_AUTH_E : 0));
    for (size_t i = 0; i < text_size; i++) {
        CHECK(out[i] == (is_changed ? 0 : text[i]));
    }
    wc_AesFree(&aes);
    return 0;
}
