/*
 * Plaintext on its way to origins: what a stream with TLS is given within a turn is gathered, and leaves at the turn's end,
 * in as few records as it fits into. The one buffer serves all streams of a shard, one after the other: the bytes of one
 * leave when another is given some.
 */
#ifndef RELAY_TLS_GATHER_H
#define RELAY_TLS_GATHER_H

#include "base/bytes.h"
#include "ring/ring.h"
#include "tls/result.h"

/*
 * Has plaintext of the owner leave in records, within any of these functions that says so. False: it cannot. Calls none of
 * them.
 */
typedef bool tls_gather_encrypt(void *owner, struct bytes plaintext);

struct tls_gather {
    struct ring *ring;
    tls_gather_encrypt *encrypt;
    struct ring_task flush;
    void *owner; /* of the bytes; NULL: there are none */
    size_t size;
    uint8_t bytes[TLS_RECORD_SIZE_MAX];
};

/* `ring` must outlive it. */
void tls_gather_init(struct tls_gather *gather, struct ring *ring, tls_gather_encrypt *encrypt);
/* Nothing may be gathered any more. */
void tls_gather_end(struct tls_gather *gather);

/* Gathers `data`, which is copied, or encrypts at once what fills records. Stops when the owner's bytes cannot leave. */
void tls_gather_write(struct tls_gather *gather, void *owner, struct bytes data);
/* Encrypts what was gathered of this owner's; or drops it. */
void tls_gather_flush(struct tls_gather *gather, const void *owner);
void tls_gather_drop(struct tls_gather *gather, const void *owner);
/* Returns how many bytes of this owner's are not encrypted yet. */
size_t tls_gather_size(const struct tls_gather *gather, const void *owner);

#endif
