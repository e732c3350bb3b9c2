#include "load/record.h"

#include "base/check.h"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/hmac.h>
#include <wolfssl/wolfcrypt/kdf.h>

enum { TAG_SIZE = 16 };

static void expand(const uint8_t *secret, const char *label, const uint8_t *hash, uint8_t *out, size_t size) {
    CHECK(wc_Tls13_HKDF_Expand_Label(out, (word32)size, secret, RECORD_HASH_SIZE, (const byte *)"tls13 ", 6,
                                     (const byte *)label, (word32)strlen(label), hash, hash == NULL ? 0 : RECORD_HASH_SIZE,
                                     WC_SHA256) == 0);
}

static void extract(const uint8_t *salt, const uint8_t *input, uint8_t *out) {
    uint8_t copy[RECORD_HASH_SIZE] = {0};

    if (input != NULL) {
        memcpy(copy, input, sizeof copy);
    }
    CHECK(wc_Tls13_HKDF_Extract(out, salt, salt == NULL ? 0 : RECORD_HASH_SIZE, copy, sizeof copy, WC_SHA256) == 0);
}

static void hash_of_nothing(uint8_t hash[static RECORD_HASH_SIZE]) {
    CHECK(wc_Sha256Hash((const byte *)"", 0, hash) == 0);
}

static void set_keys(struct record_keys *keys, const uint8_t *secret) {
    expand(secret, "key", NULL, keys->key, sizeof keys->key);
    expand(secret, "iv", NULL, keys->iv, sizeof keys->iv);
    keys->sequence = 0;
}

/* Without a pre-shared key the first step is the same for everybody. */
static const uint8_t *first_salt(void) {
    static uint8_t salt[RECORD_HASH_SIZE];
    static bool ready;

    if (!ready) {
        uint8_t empty[RECORD_HASH_SIZE];

        hash_of_nothing(empty);
        uint8_t early[RECORD_HASH_SIZE];
        extract(NULL, NULL, early);
        expand(early, "derived", empty, salt, sizeof salt);
        ready = true;
    }
    return salt;
}

void record_derive_handshake(struct record_secrets *secrets, const uint8_t shared[static 32],
                             const uint8_t hash[static RECORD_HASH_SIZE]) {
    uint8_t handshake[RECORD_HASH_SIZE];

    extract(first_salt(), shared, handshake);
    uint8_t traffic[RECORD_HASH_SIZE];
    expand(handshake, "s hs traffic", hash, traffic, sizeof traffic);
    set_keys(&secrets->server, traffic);
    expand(handshake, "c hs traffic", hash, traffic, sizeof traffic);
    set_keys(&secrets->client, traffic);
    expand(traffic, "finished", NULL, secrets->finished, sizeof secrets->finished);
    uint8_t empty[RECORD_HASH_SIZE];
    hash_of_nothing(empty);
    expand(handshake, "derived", empty, traffic, sizeof traffic);
    extract(traffic, NULL, secrets->master);
}

void record_derive_application(struct record_secrets *secrets, const uint8_t hash[static RECORD_HASH_SIZE]) {
    uint8_t traffic[RECORD_HASH_SIZE];

    expand(secrets->master, "s ap traffic", hash, traffic, sizeof traffic);
    set_keys(&secrets->server, traffic);
    expand(secrets->master, "c ap traffic", hash, traffic, sizeof traffic);
    set_keys(&secrets->client, traffic);
}

void record_finish(const struct record_secrets *secrets, const uint8_t hash[static RECORD_HASH_SIZE],
                   uint8_t verify[static RECORD_HASH_SIZE]) {
    Hmac hmac;

    CHECK(wc_HmacInit(&hmac, NULL, INVALID_DEVID) == 0);
    CHECK(wc_HmacSetKey(&hmac, WC_SHA256, secrets->finished, RECORD_HASH_SIZE) == 0);
    CHECK(wc_HmacUpdate(&hmac, hash, RECORD_HASH_SIZE) == 0 && wc_HmacFinal(&hmac, verify) == 0);
    wc_HmacFree(&hmac);
}

/* The cipher set up for one record; its nonce is the IV with the record's number mixed in. */
static void set_up(Aes *aes, struct record_keys *keys, uint8_t nonce[static 12]) {
    memcpy(nonce, keys->iv, 12);
    for (int i = 0; i < 8; i++) {
        nonce[4 + i] ^= (uint8_t)(keys->sequence >> (56 - 8 * i));
    }
    keys->sequence++;
    CHECK(wc_AesInit(aes, NULL, INVALID_DEVID) == 0 && wc_AesGcmSetKey(aes, keys->key, sizeof keys->key) == 0);
}

size_t record_seal(struct record_keys *keys, uint8_t type, struct bytes plaintext, uint8_t *out) {
    size_t body = plaintext.size + 1 + TAG_SIZE;
    uint8_t *inner = out + RECORD_HEADER_SIZE;

    CHECK(plaintext.size <= RECORD_PLAINTEXT_MAX);
    out[0] = RECORD_DATA;
    out[1] = 0x03;
    out[2] = 0x03;
    out[3] = (uint8_t)(body >> 8);
    out[4] = (uint8_t)body;
    memcpy(inner, plaintext.data, plaintext.size);
    inner[plaintext.size] = type;
    uint8_t nonce[12];
    Aes aes;
    set_up(&aes, keys, nonce);
    CHECK(wc_AesGcmEncrypt(&aes, inner, inner, (word32)(plaintext.size + 1), nonce, sizeof nonce, inner + plaintext.size + 1,
                           TAG_SIZE, out, RECORD_HEADER_SIZE) == 0);
    wc_AesFree(&aes);
    return RECORD_HEADER_SIZE + body;
}

bool record_open(struct record_keys *keys, uint8_t *record, size_t size, uint8_t *type, struct bytes *plaintext) {
    uint8_t *inner = record + RECORD_HEADER_SIZE;

    if (size < RECORD_OVERHEAD) {
        return false;
    }
    size_t inner_size = size - RECORD_HEADER_SIZE - TAG_SIZE;
    uint8_t nonce[12];
    Aes aes;
    set_up(&aes, keys, nonce);
    int result = wc_AesGcmDecrypt(&aes, inner, inner, (word32)inner_size, nonce, sizeof nonce, inner + inner_size, TAG_SIZE,
                                  record, RECORD_HEADER_SIZE);
    wc_AesFree(&aes);
    while (inner_size > 0 && inner[inner_size - 1] == 0) {
        inner_size--;
    }
    if (result != 0 || inner_size == 0) {
        return false;
    }
    *type = inner[inner_size - 1];
    *plaintext = bytes_of(inner, inner_size - 1);
    return true;
}
