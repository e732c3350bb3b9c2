/* SHA-256 over several parts: the one place that wraps wolfCrypt's. */
#ifndef X509_SHA256_H
#define X509_SHA256_H

#include "base/bytes.h"
#include "base/check.h"

#include <wolfssl/options.h> /* wolfSSL's own headers need it first */
#include <wolfssl/wolfcrypt/sha256.h>

enum { SHA256_SIZE = 32 };

struct sha256 {
    wc_Sha256 state;
};

static inline void sha256_begin(struct sha256 *hash) {
    CHECK(wc_InitSha256(&hash->state) == 0);
}

/* Adds a part of less than 4 GiB. */
static inline void sha256_add(struct sha256 *hash, const void *data, size_t size) {
    CHECK(size <= UINT32_MAX);
    CHECK(size == 0 || wc_Sha256Update(&hash->state, data, (word32)size) == 0); /* an empty view may be at NULL */
}

/* Writes the digest; the hash is used up. */
static inline void sha256_end(struct sha256 *hash, uint8_t digest[static SHA256_SIZE]) {
    CHECK(wc_Sha256Final(&hash->state, digest) == 0);
    wc_Sha256Free(&hash->state);
}

#endif
