/*
 * P-256 keys that signatures were checked by: those of known clients, and of the CAs that issue certificates to new ones.
 * One that has come twice is kept with its multiples (crypto/p256), and the third check is the first that takes half of the
 * time. A key is found again by its point alone, so that it does not matter whose it is, nor whether it is trusted.
 *
 * Everything is one thread's: each thread may have one table, of P256_KEYS_MAX keys at most. Its memory, 17 MiB, is taken
 * from the system as keys come. A new key replaces the one in its set of four that has not been used for longest, but of
 * those that have not come back lately if there is one: strangers who come once take one place in four from those who
 * return. Strangers who come again and again can take more, and then a key costs what a new one does, and no more than that.
 * Whether a key has been seen shows in the time that its signatures take, the wrong ones too. That is no secret here.
 */
#ifndef CRYPTO_P256_KEYS_H
#define CRYPTO_P256_KEYS_H

#include "crypto/lanes.h"

enum { P256_KEYS_MAX = 16 * 1024 };

struct p256_keys;

/* Checks of signatures by keys that were new, that came for the second time, and that came again. */
struct p256_keys_counts {
    uint64_t noted;
    uint64_t made;
    uint64_t found;
};

/* Makes the thread's table, behind hash_init. NULL: p256_supported says no, or there is no memory; all goes on without. */
struct p256_keys *p256_keys_create(void);
/* Frees the table. NULL is allowed. */
void p256_keys_destroy(struct p256_keys *keys);

/*
 * Checks a signature by a key of P-256, which the table has from then on. False where the thread has no table: then the
 * caller is to check it otherwise.
 */
bool p256_keys_verify(struct lanes_ecdsa_verify *job);

/* Returns what the table has counted since it was made. */
struct p256_keys_counts p256_keys_count(const struct p256_keys *keys);

#endif
