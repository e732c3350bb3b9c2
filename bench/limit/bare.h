/*
 * Cryptography that no server can do without, each operation alone, as Sallyport does it one at a time: by wolfCrypt, and
 * signatures of P-256 are checked by crypto/p256 where the processor allows.
 */
#ifndef BENCH_LIMIT_BARE_H
#define BENCH_LIMIT_BARE_H

#include "micro/measure.h"

enum bare {
    BARE_X25519_PUBLIC,
    BARE_X25519_SHARED,
    BARE_P256_SIGN,
    BARE_P256_VERIFY,     /* by a key whose multiples are known */
    BARE_P256_VERIFY_NEW, /* by another */
    BARE_RSA2048_PRIVATE,
    BARE_RSA2048_PUBLIC,
    BARE_ED25519_VERIFY,
    BARE_MLKEM768_ENCAPSULATE, /* the client's key is read from its bytes, too */
    BARE_AES_GCM_RECORD,       /* AES-128-GCM of a record of 16 KiB */
    BARE_AES_GCM_SHORT,        /* ... and of one of 256 bytes */
    BARES,
};

struct bare_work;

/* As crypto/lanes has them, where it has them. */
const char *bare_name(enum bare bare);
/* Makes keys, which takes a second. */
struct bare_work *bare_create(void);
void bare_free(struct bare_work *work);
/* Adds to each series the nanoseconds that one operation takes, as the mean of some. */
void bare_measure(struct bare_work *work, struct series series[static BARES]);

#endif
