/*
 * TLS to an origin over a stream of the ring. Plaintext goes in and out under the rules of ring/stream.h: a delivery for
 * each time that one is asked for, and what is written in a turn leaves with it, in as few records as it fits into.
 */
#ifndef RELAY_TLS_STREAM_H
#define RELAY_TLS_STREAM_H

#include "relay/fault.h"
#include "relay/tls_origin.h"
#include "ring/ring.h"
#include "ring/stream.h"
#include "stats/labels.h"

struct tls_stream;
/* The buffers that all streams of a shard use one after the other. */
struct tls_memory;

/* All run from ring_turn. */
struct tls_stream_handler {
    /* The handshake is complete: the origin is the one that is expected. */
    void (*established)(void *owner);
    /* As of a stream; empty: the origin has ended its side, by close_notify unless tls_stream_is_cut. */
    void (*received)(void *owner, struct bytes data);
    /* Nothing more will come, and nothing can be sent. A negative errno; tls_stream_fault says more. */
    void (*failed)(void *owner, int error);
};

/* NULL when out of memory. */
struct tls_memory *tls_memory_create(struct ring *ring);
/* No stream may be left that uses it. */
void tls_memory_free(struct tls_memory *memory);

/* Makes the TLS of a stream to come. NULL when out of memory. `origin` and `memory` must outlive it. */
struct tls_stream *tls_stream_create(struct tls_origin *origin, struct tls_memory *memory,
                                     const struct tls_stream_handler *handler, void *owner);
/* Frees it: the stream is gone. */
void tls_stream_free(struct tls_stream *tls);

/* The stream's own events: it is connected, and what its owner had to say first is written; it has received; it has failed.
 */
void tls_stream_begin(struct tls_stream *tls, struct stream *stream);
void tls_stream_input(struct tls_stream *tls, struct bytes ciphertext);
void tls_stream_broken(struct tls_stream *tls, int error);
/*
 * The owner has waited for `timeout_ms`, and waits no longer: a handshake that is under way has failed by that, without a
 * call of failed(). The stream is the owner's to close.
 */
void tls_stream_time_out(struct tls_stream *tls, uint32_t timeout_ms);
/* Returns whether the handshake is complete, so that the stream's drained() is of what the owner has written. */
bool tls_stream_is_open(const struct tls_stream *tls);

/*
 * Asks for one delivery, of 16 KiB of plaintext at most; `room`: 0, or the bytes that the reader has room for, by which the
 * stream receives.
 */
void tls_stream_receive(struct tls_stream *tls, size_t room);
bool tls_stream_is_receiving(const struct tls_stream *tls);
/* Encrypts `data` with what else is written in this turn. 0, or a negative errno, after which failed() comes too. */
int tls_stream_write(struct tls_stream *tls, struct bytes data);
/* Returns how many bytes were written that are not encrypted yet. */
size_t tls_stream_gathered(const struct tls_stream *tls);
/* Returns whether nothing has come that was not delivered. */
bool tls_stream_is_clean(const struct tls_stream *tls);
/* Returns whether the origin has ended its side without close_notify: what it was saying may have been cut off by others. */
bool tls_stream_is_cut(const struct tls_stream *tls);

/* Sends what was written, then close_notify if `politely`; nothing may be written, and unless `goes_on` nothing comes. */
void tls_stream_end(struct tls_stream *tls, bool politely, bool goes_on);

/* Returns the fault for which the stream has failed, with a text that is there until the next one fails, or NULL. */
enum relay_fault tls_stream_fault(const struct tls_stream *tls, const char **detail);
/*
 * Returns whether the stream has failed for a fault of the origin's, and the alert that says so has not left. False also
 * where some of what the owner has written would leave with the alert: its owner may have sent that elsewhere.
 */
bool tls_stream_has_alert(const struct tls_stream *tls);
/* Returns whether a handshake has ended, and how. */
bool tls_stream_handshake(const struct tls_stream *tls, enum stats_origin_handshake *outcome);

#endif
