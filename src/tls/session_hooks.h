/*
 * The functions that wolfSSL calls while a server's session runs, beside those of wire.h. session.c has them and context.c
 * installs them; peer.c asks for the proof of the session that is running, which wire.c has.
 */
#ifndef TLS_SESSION_HOOKS_H
#define TLS_SESSION_HOOKS_H

#include "tls/proof.h"
#include "tls/wolfssl.h"

/* wolfSSL's output: hands it on. `session` is a struct tls_session. */
int tls_session_send(WOLFSSL *wolfssl, char *buffer, int size, void *session);

struct tls_peer;

/* Return the place where a session catches certificates, and its proof of possession. `session` is a struct tls_wire. */
struct tls_peer *tls_session_peer(void *session);
struct tls_proof *tls_session_proof(void *session);

/*
 * Gets both hellos where there is a HelloRetryRequest, each behind its handshake header: the first one with a `group` of 0,
 * the second with the group of the share that was asked for. Returns 0, or the alert to end with.
 */
int tls_session_hello_retry(WOLFSSL *wolfssl, const unsigned char *hello, unsigned size, unsigned short group);
/* Seals or opens one of wolfSSL's tickets. `context` is a struct tls_context. */
int tls_session_ticket(WOLFSSL *wolfssl, unsigned char name[WOLFSSL_TICKET_NAME_SZ],
                       unsigned char nonce[WOLFSSL_TICKET_IV_SZ], unsigned char tag[WOLFSSL_TICKET_MAC_SZ], int sealing,
                       unsigned char *body, int size, int *size_out, void *context);

#endif
