#include "load/record.h"

#include "base/check.h"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/hmac.h>
#include <wolfssl/wolfcrypt/kdf.h>

enum { TAG_SIZE = 16 };

static void expand_of(const uint8_t *secret, const char *label, struct bytes context, uint8_t *out, size_t size) {
    CHECK(wc_Tls13_HKDF_Expand_Label(out, (word32)size, secret, RECORD_HASH_SIZE, (const byte *)"tls13 ", 6,
                                     (const byte *)label, (word32)strlen(label), context.data, (word32)context.size,
                                     WC_SHA256) == 0);
}

static void expand(const uint8_t *secret, const char *label, const uint8_t *hash, uint8_t *out, size_t size) {
    expand_of(secret, label, bytes_of(hash, hash == NULL ? 0 : RECORD_HASH_SIZE), out, size);
}

static void extract(const uint8_t *salt, const uint8_t *input, uint8_t *out) {
    uint8_t copy[RECORD_HASH_SIZE] = {0};

    if (input != NULL) {
        memcpy(copy, input, sizeof copy);
    }
    CHECK(wc_Tls13_HKDF_Extract(out, salt, salt == NULL ? 0 : RECORD_HASH_SIZE, copy, sizeof copy, WC_SHA256) == 0);
}

/* The step from one secret to the salt of the next, or to a key, that depends on no message. */
static void expand_empty(const uint8_t *secret, const char *label, uint8_t *out) {
    static uint8_t empty[RECORD_HASH_SIZE];
    static bool ready;

    if (!ready) {
        CHECK(wc_Sha256Hash((const byte *)"", 0, empty) == 0);
        ready = true;
    }
    expand(secret, label, empty, out, RECORD_HASH_SIZE);
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
        uint8_t early[RECORD_HASH_SIZE];
        extract(NULL, NULL, early);
        expand_empty(early, "derived", salt);
        ready = true;
    }
    return salt;
}

void record_derive_early(const uint8_t psk[static RECORD_HASH_SIZE], uint8_t early[static RECORD_HASH_SIZE]) {
    extract(NULL, psk, early);
}

void record_bind(const uint8_t early[static RECORD_HASH_SIZE], const uint8_t hash[static RECORD_HASH_SIZE],
                 uint8_t binder[static RECORD_HASH_SIZE]) {
    uint8_t binder_key[RECORD_HASH_SIZE];
    uint8_t finished[RECORD_HASH_SIZE];

    expand_empty(early, "res binder", binder_key);
    expand(binder_key, "finished", NULL, finished, sizeof finished);
    record_finish(finished, hash, binder);
}

void record_derive_handshake(struct record_secrets *secrets, const uint8_t *early, const uint8_t shared[static 32],
                             const uint8_t hash[static RECORD_HASH_SIZE]) {
    uint8_t handshake[RECORD_HASH_SIZE];
    uint8_t salt[RECORD_HASH_SIZE];

    if (early != NULL) {
        expand_empty(early, "derived", salt);
    }
    extract(early != NULL ? salt : first_salt(), shared, handshake);
    uint8_t traffic[RECORD_HASH_SIZE];
    expand(handshake, "s hs traffic", hash, traffic, sizeof traffic);
    set_keys(&secrets->server, traffic);
    expand(traffic, "finished", NULL, secrets->server_finished, sizeof secrets->server_finished);
    expand(handshake, "c hs traffic", hash, traffic, sizeof traffic);
    set_keys(&secrets->client, traffic);
    expand(traffic, "finished", NULL, secrets->client_finished, sizeof secrets->client_finished);
    expand_empty(handshake, "derived", salt);
    extract(salt, NULL, secrets->master);
}

void record_derive_application(struct record_secrets *secrets, const uint8_t hash[static RECORD_HASH_SIZE]) {
    uint8_t traffic[RECORD_HASH_SIZE];

    expand(secrets->master, "s ap traffic", hash, traffic, sizeof traffic);
    set_keys(&secrets->server, traffic);
    expand(secrets->master, "c ap traffic", hash, traffic, sizeof traffic);
    set_keys(&secrets->client, traffic);
}

void record_finish(const uint8_t key[static RECORD_HASH_SIZE], const uint8_t hash[static RECORD_HASH_SIZE],
                   uint8_t verify[static RECORD_HASH_SIZE]) {
    Hmac hmac;

    CHECK(wc_HmacInit(&hmac, NULL, INVALID_DEVID) == 0);
    CHECK(wc_HmacSetKey(&hmac, WC_SHA256, key, RECORD_HASH_SIZE) == 0);
    CHECK(wc_HmacUpdate(&hmac, hash, RECORD_HASH_SIZE) == 0 && wc_HmacFinal(&hmac, verify) == 0);
    wc_HmacFree(&hmac);
}

void record_derive_resumption(const struct record_secrets *secrets, const uint8_t hash[static RECORD_HASH_SIZE],
                              uint8_t resumption[static RECORD_HASH_SIZE]) {
    expand(secrets->master, "res master", hash, resumption, RECORD_HASH_SIZE);
}

void record_derive_psk(const uint8_t resumption[static RECORD_HASH_SIZE], struct bytes nonce,
                       uint8_t psk[static RECORD_HASH_SIZE]) {
    expand_of(resumption, "resumption", nonce, psk, RECORD_HASH_SIZE);
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
