/*
 * Catches the client's certificates for their owner on their way through wolfSSL, which hands them over as they came and
 * makes nothing of them. The module asks for proof of the leaf's key (tls/proof). The worth of the certificates is decided
 * elsewhere.
 */
#ifndef TLS_PEER_H
#define TLS_PEER_H

#include "tls/peer_chain.h"
#include "tls/wolfssl.h"

/* Has `wolfssl` ask for a client certificate and hand over each that comes. WOLFSSL_SUCCESS, or wolfSSL's error. */
int tls_peer_install(WOLFSSL_CTX *wolfssl);

/*
 * Catch a certificate, and check the proof of the leaf's key, for hooks of a caller's own: those of WOLFSSL_CLIENT_AUTH, for
 * the session that is wolfSSL's IO context. They return an error of wolfSSL's, or 0.
 */
int tls_peer_catch(WOLFSSL *wolfssl, const unsigned char *der, unsigned int size);
int tls_peer_check_proof(WOLFSSL *wolfssl, const WOLFSSL_CLIENT_PROOF *from);

struct tls_capture;

/* The certificates that a session has caught in one call. Zeroed at first. */
struct tls_peer {
    size_t size_max; /* bytes of certificates that are caught, up to TLS_PEER_CHAIN_SIZE_MAX */
    bool open;
    struct tls_capture *capture; /* NULL: no certificate has come */
};

/* Forgets what was caught, and captures from now on, at most `size_max` bytes. */
void tls_peer_begin(struct tls_peer *peer, size_t size_max);
/* Marks the caught chain as too large: the client presented more certificates than were caught. */
void tls_peer_lacks_some(struct tls_peer *peer);
/* Ends the capture, if it has not ended yet. A certificate after this is a broken invariant. */
void tls_peer_end(struct tls_peer *peer);
/* Returns the chain that was caught, valid until it is forgotten, or NULL when no certificate came. */
const struct tls_peer_chain *tls_peer_chain(const struct tls_peer *peer);
/* Forgets what was caught. */
void tls_peer_forget(struct tls_peer *peer);

#endif
