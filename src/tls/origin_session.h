/*
 * One TLS connection to an origin, whose client this server is, as bytes in and bytes out. A session knows no socket and
 * judges no certificate: its owner judges the origin's chain, before the session says anything but its hello. wolfSSL's part
 * is the protocol; the proof that the origin has the leaf's key is checked by tls/proof.
 */
#ifndef TLS_ORIGIN_SESSION_H
#define TLS_ORIGIN_SESSION_H

#include "tls/origin_context.h"
#include "tls/peer_chain.h"
#include "tls/result.h"

enum {
    TLS_ORIGIN_CHAIN_SIZE = 32 * 1024, /* bytes of the origin's certificates that are looked at */
    TLS_ORIGIN_ACCEPTED = -1,          /* of judge(): no alert */
};

struct tls_origin_session;
/* Keys that were agreed on with an origin that was verified: a later session with the same origin may resume by them. */
struct tls_resumption;

/* The functions that a session needs of its owner. */
struct tls_origin_handler {
    /* Takes ciphertext to send, all of it, at once: 0, or a negative errno after which the session is failed. */
    int (*output)(void *owner, struct bytes ciphertext);
    /*
     * Judges the chain that the origin has presented, valid during the call: TLS_ORIGIN_ACCEPTED, or the description of the
     * alert that ends the handshake (RFC 8446 section 6.2). Called once in a handshake that resumes nothing, from
     * tls_origin_session_handshake, before the proof of possession is checked.
     */
    int (*judge)(void *owner, const struct tls_peer_chain *chain);
};

/*
 * Makes a session; NULL when out of memory. `name`: the server name to send (RFC 6066 section 3), or NULL. `resumption`:
 * offered to the origin, which may decline it; NULL: none. It is copied. `handler` must outlive the session, the context
 * its handshake.
 */
struct tls_origin_session *tls_origin_session_create(struct tls_origin_context *context, const char *name,
                                                     const struct tls_resumption *resumption,
                                                     const struct tls_origin_handler *handler, void *owner);
/* Frees the session and sends nothing: see tls_origin_session_shutdown. */
void tls_origin_session_free(struct tls_origin_session *session);

/* As tls_session_feed. */
void tls_origin_session_feed(struct tls_origin_session *session, struct bytes ciphertext);
/* Begins or goes on with the handshake. Returns TLS_DONE once; from then on the calls below are used. */
enum tls_result tls_origin_session_handshake(struct tls_origin_session *session);
/* As tls_session_read, _write and _shutdown. */
enum tls_result tls_origin_session_read(struct tls_origin_session *session, void *plaintext, size_t capacity, size_t *size);
enum tls_result tls_origin_session_write(struct tls_origin_session *session, struct bytes plaintext);
void tls_origin_session_shutdown(struct tls_origin_session *session);

/* As tls_session_move_input. */
void tls_origin_session_move_input(struct tls_origin_session *session, uint8_t *to);
/* Returns the front of what was fed and is not consumed, which is empty after TLS_WANT_INPUT. */
struct bytes tls_origin_session_input(const struct tls_origin_session *session);
/* Returns whether plaintext is there that no read has taken, without any more input. */
bool tls_origin_session_has_plaintext(const struct tls_origin_session *session);
/* Returns whether what was fed ends within a record. */
bool tls_origin_session_has_part(const struct tls_origin_session *session);

/* Tell of the handshake, which is done, whether it has agreed on h2, and whether it has resumed an earlier session. */
bool tls_origin_session_is_http2(const struct tls_origin_session *session);
bool tls_origin_session_is_resumed(const struct tls_origin_session *session);

/*
 * Takes what a later session may resume, if the origin has given something new since the last call: a ticket, or in TLS 1.2
 * the session itself. Else NULL. The caller frees it. After the handshake.
 */
struct tls_resumption *tls_origin_session_take_resumption(struct tls_origin_session *session);
void tls_resumption_free(struct tls_resumption *resumption);

/*
 * Returns why the session has failed, for people: a static text. *is_alert: the text is the name of the alert by which the
 * origin has ended it.
 */
const char *tls_origin_session_fault(const struct tls_origin_session *session, bool *is_alert);
/* Returns whether the session has failed for want of memory here, which says nothing of the origin. */
bool tls_origin_session_lacks_memory(const struct tls_origin_session *session);
/*
 * Returns whether the origin, in TLS 1.3, has refused our certificate, or that there is none: by an alert about it, before
 * anything else of it behind the handshake, which is complete for the client then (RFC 8446 section 4.4.2.4). It has read
 * nothing of what was written.
 */
bool tls_origin_session_is_refused(const struct tls_origin_session *session);

#endif
