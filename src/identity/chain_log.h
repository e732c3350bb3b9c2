/*
 * The chain log: chains of clients that hold session tickets. A ticket has only the digest of its chain; when its client
 * resumes, the chain is taken from here, so that the client can be judged anew after a change of roots or CRLs. The log is
 * in rings of fixed memory: the oldest chains go first, as the tickets themselves do. All calls are safe from any thread,
 * and after creation none allocates memory.
 */
#ifndef IDENTITY_CHAIN_LOG_H
#define IDENTITY_CHAIN_LOG_H

#include "identity/identity.h"

enum {
    CHAIN_LOG_SIZE_MIN = 1024 * 1024, /* bytes */
    CHAIN_LOG_PART = 8,               /* a chain that is larger than this part of a stripe's ring is not kept */
};

struct chain_log;

/* Makes a log with `size` bytes for all chains, CHAIN_LOG_SIZE_MIN to 16 GiB, backed when first used. NULL: no memory. */
struct chain_log *chain_log_create(size_t size);
/* Frees the log. No other thread may be using it. NULL is allowed. */
void chain_log_free(struct chain_log *log);

/*
 * Keeps a chain: the client's own certificate, and in `rest` the certificates beside it, in any form that the caller
 * chooses. The rest, which whole fleets have in common, is kept once for all of them. A chain that is there already is
 * written again only when it is among the older half.
 */
void chain_log_put(struct chain_log *log, const uint8_t digest[static IDENTITY_DIGEST_SIZE], struct bytes leaf,
                   struct bytes rest);

/*
 * Copies leaf and rest to `out`, one behind the other, when `capacity` is enough. Returns the bytes of both together; 0 when
 * they are not there. Call with no capacity to learn the size; the chain may be gone at the next call.
 */
size_t chain_log_get(struct chain_log *log, const uint8_t digest[static IDENTITY_DIGEST_SIZE], void *out, size_t capacity);

#endif
