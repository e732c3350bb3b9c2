/*
 * The chains of clients that hold session tickets. A ticket carries only its chain's digest; whoever resumes is given the
 * chain from here, so that a later change of roots or CRLs can judge that client anew. A log in rings of fixed memory: the
 * oldest go first, as the tickets themselves do. Safe from any thread; after creation it allocates nothing.
 */
#ifndef IDENTITY_CHAIN_LOG_H
#define IDENTITY_CHAIN_LOG_H

#include "identity/identity.h"

enum {
    CHAIN_LOG_SIZE_MIN = 1024 * 1024, /* bytes */
    CHAIN_LOG_PART = 8,               /* what is larger than this part of a stripe's ring is not kept */
};

struct chain_log;

/* `size`: bytes for all chains together, CHAIN_LOG_SIZE_MIN to 16 GiB, backed as they are first used. NULL: no memory. */
struct chain_log *chain_log_create(size_t size);
/* No other thread may be using it. NULL is allowed. */
void chain_log_free(struct chain_log *log);

/*
 * Keeps a chain: the client's own certificate and what it sent beside, in whatever form the caller has them. The rest, which
 * whole fleets have in common, is kept once for all of them. What is there already is only made younger when its end is
 * near.
 */
void chain_log_put(struct chain_log *log, const uint8_t digest[static IDENTITY_DIGEST_SIZE], struct bytes leaf,
                   struct bytes rest);

/*
 * Bytes of leaf and rest together, which are copied to `out`, one behind the other, when `capacity` is enough; 0 when they
 * are not there. Call it with no capacity to learn the size; it may be gone at the next call.
 */
size_t chain_log_get(struct chain_log *log, const uint8_t digest[static IDENTITY_DIGEST_SIZE], void *out, size_t capacity);

#endif
