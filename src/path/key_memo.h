/*
 * The keys that were found to have made one certain signature or not to have made it, so that each is checked once. Shared
 * by all threads. Only keys of CAs whose own path was verified get in, and only a few, so that peers cannot make it grow.
 */
#ifndef PATH_KEY_MEMO_H
#define PATH_KEY_MEMO_H

#include "x509/signature.h"

#include <pthread.h>
#include <stdatomic.h>

enum { KEY_MEMO_MAX = 8 /* keys of one CA's name; the answers for more are not kept */ };

struct key_memo {
    pthread_mutex_t lock; /* of the threads that add; never held during a check */
    atomic_uint count;    /* entries that are complete: readers need no lock */
    struct {
        uint8_t key[SIGNATURE_SHA256_SIZE]; /* SHA-256 of the SubjectPublicKeyInfo */
        bool holds;
    } entries[KEY_MEMO_MAX];
};

/* Signatures that may still be checked. */
struct key_allowance {
    unsigned left;
    bool exceeded; /* one more was wanted and not checked: it must not count as a signature that does not hold */
};

/* Takes one. False when none is left. */
bool key_allowance_take(struct key_allowance *allowance);

void key_memo_init(struct key_memo *memo);
void key_memo_destroy(struct key_memo *memo);

/* Tells whether the key is known; then *holds says whether it has made the signature. */
bool key_memo_find(struct key_memo *memo, const uint8_t key[static SIGNATURE_SHA256_SIZE], bool *holds);
void key_memo_add(struct key_memo *memo, const uint8_t key[static SIGNATURE_SHA256_SIZE], bool holds);

#endif
