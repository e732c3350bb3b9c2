/*
 * One TLS connection as bytes in and bytes out: the caller feeds the bytes that the socket has received, and gets the bytes
 * that the socket is to send. A session knows no socket and judges no certificate: it hands the client's chain out as it
 * came.
 */
#ifndef TLS_SESSION_H
#define TLS_SESSION_H

#include "base/key_group.h"
#include "tls/allowance.h"
#include "tls/context.h"
#include "tls/peer_chain.h"
#include "tls/protocols.h"
#include "tls/result.h"
#include "tls/tickets.h"

struct tls_session;

/* The functions that a session needs of its owner. */
struct tls_session_handler {
    /* Takes ciphertext to send, all of it, at once: 0, or a negative errno after which the session is failed. */
    int (*output)(void *owner, struct bytes ciphertext);
    /*
     * Binds a ticket: the handshake is good and a ticket could be sent. True: `binding` is what the ticket stands for.
     * False: this client gets no ticket. `resumed`: the client has presented no certificate, but the ticket that was
     * accepted; else tls_session_peer_chain gives the chain if the call under way has received it. Called from
     * tls_session_handshake, after the client has proved possession; not called when the context has no tickets.
     */
    bool (*bind_ticket)(void *owner, bool resumed, uint8_t binding[static TLS_TICKET_BINDING_SIZE]);
    /*
     * Accepts a ticket: the client has presented one that opens, of the right TLS version and within its lifetime. True: the
     * client that it was bound to is still welcome, and this session may resume; tls_session_is_resumed tells in the end
     * whether it did. After a true answer the function is not called again, so that there is no doubt which ticket was
     * taken.
     */
    bool (*accept_ticket)(void *owner, const uint8_t binding[static TLS_TICKET_BINDING_SIZE]);
};

/*
 * Makes a session; NULL when out of memory. `chain_size_max` bounds the client's chain, in bytes, 1 to
 * TLS_PEER_CHAIN_SIZE_MAX. A client that offers protocols, and none of `protocols`, gets no_application_protocol, unless
 * these are TLS_ANY; one that offers none speaks HTTP/1, or what else the host is for. `handler` must outlive the session,
 * the context its handshake.
 */
struct tls_session *tls_session_create(struct tls_context *context, size_t chain_size_max, enum tls_protocols protocols,
                                       const struct tls_session_handler *handler, void *owner);
/* The parts of a ClientHello, as the caller has read it, that wolfSSL is to heed. */
struct tls_client_offer {
    bool named;                 /* its server name has chosen the host, which is acknowledged (RFC 6066 section 3) */
    uint8_t max_fragment;       /* RFC 6066 section 4: 1 to 4 for 512 to 4096 bytes; 0: none */
    uint16_t record_size_limit; /* RFC 8449: 64 or more bytes, and max_fragment does not count; 0: none */
    bool only_hybrids;          /* it shall send a key share of a hybrid group (base/key_group.h), if it has not */
    uint32_t early_data_max;    /* bytes of records with early data to step over (RFC 8446 section 4.2.10); 0: none */
};

/* Sets the offer, before the handshake. Without this call the client has asked for none of it. */
void tls_session_heed(struct tls_session *session, const struct tls_client_offer *offer);

/* Frees the session and sends nothing: see tls_session_shutdown. */
void tls_session_free(struct tls_session *session);

/* Sets the input that the next calls consume. The bytes must stay until one of these calls has returned TLS_WANT_INPUT,
 * TLS_CLOSED or TLS_FAILED. */
void tls_session_feed(struct tls_session *session, struct bytes ciphertext);

/*
 * Goes on with the handshake. Returns TLS_DONE once; from then on the calls below are used. After any return but TLS_FAILED,
 * tls_session_peer_chain tells whether this call has received the client's Certificate message.
 */
enum tls_result tls_session_handshake(struct tls_session *session);
/*
 * Returns the chain that the last tls_session_handshake has received, or NULL. Proof of possession may still be to come. The
 * chain is there until tls_session_forget_chain, which frees its memory, or the next tls_session_handshake.
 */
const struct tls_peer_chain *tls_session_peer_chain(const struct tls_session *session);
void tls_session_forget_chain(struct tls_session *session);
/*
 * For a caller of tls_session_handshake that stops in the middle of it (crypto/batch). The first returns how many bytes of
 * the input are not consumed yet, the second copies them to `to`, where they must stay as tls_session_feed says.
 */
size_t tls_session_input_left(const struct tls_session *session);
void tls_session_move_input(struct tls_session *session, uint8_t *to);

/* Decrypts up to `capacity` bytes to `plaintext`. Returns TLS_DONE with *size > 0, else as above. */
enum tls_result tls_session_read(struct tls_session *session, void *plaintext, size_t capacity, size_t *size);
/* Notes that from now on the peer may send as many records of few bytes as it has to say: see tls/allowance.h. */
void tls_session_welcome_small(struct tls_session *session);
/* Encrypts all of `plaintext` into as few records as possible. TLS_DONE or TLS_FAILED. */
enum tls_result tls_session_write(struct tls_session *session, struct bytes plaintext);
/* Sends close_notify. */
void tls_session_shutdown(struct tls_session *session);
/*
 * Sends the fatal alert access_denied (RFC 8446 section 6.2): the client's certificate is good TLS, but the client is not
 * welcome. After the handshake. The session has failed by that, and sends nothing more.
 */
void tls_session_deny(struct tls_session *session);

/*
 * Returns the bytes that are allocated for a record and a handshake message of which a part has come. They grow with the
 * bytes that come, whatever a header claims: up to a record of 16 KiB and its overhead, and a message in which
 * `chain_size_max` and a kilobyte are certificates, or the leaf where it is larger. TLS 1.2 may keep the handshake's
 * messages beside.
 */
size_t tls_session_held(const struct tls_session *session);
/* Returns the kind of record that the peer sent too many of, if the session has failed for this; else TLS_EXCESS_NONE. */
enum tls_excess tls_session_excess(const struct tls_session *session);

/* Return "TLSv1.3" or "TLSv1.2", and the suite's IANA name, "TLS_AES_128_GCM_SHA256": static texts, after the handshake. */
const char *tls_session_version(const struct tls_session *session);
const char *tls_session_cipher(const struct tls_session *session);
/*
 * Returns the group by which the handshake, which is done, has exchanged keys. A session of TLS 1.2 that is resumed has
 * exchanged none.
 */
enum key_group tls_session_key_group(const struct tls_session *session);
bool tls_session_is_tls13(const struct tls_session *session);
/*
 * Tells whether the handshake, which is done, has agreed on h2. Each handshake agrees anew (RFC 7301 section 3.1); a session
 * is resumed only under the protocol that it had.
 */
bool tls_session_is_http2(const struct tls_session *session);
/* Tells whether the handshake, which is done, has resumed an earlier session, without a certificate of the client. */
bool tls_session_is_resumed(const struct tls_session *session);
/*
 * Tells whether the client has proved in this handshake that it has the key of the leaf that it presented. False for a
 * certificate whose key allows no proof (tls/proof.h), which is never a valid one. Whatever a valid certificate earns may be
 * given only after this proof, or to a client that resumes an earlier session.
 */
bool tls_session_is_proved(const struct tls_session *session);
#endif
