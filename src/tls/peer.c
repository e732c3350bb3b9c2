#include "tls/peer.h"

#include "base/check.h"
#include "tls/proof.h"
#include "tls/session_hooks.h"

#include <stdlib.h>
#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

struct tls_capture {
    struct tls_peer_chain chain;
    size_t size; /* bytes of `bytes` in use */
    uint8_t bytes[];
};

void tls_peer_forget(struct tls_peer *peer) {
    free(peer->capture);
    peer->capture = NULL;
}

void tls_peer_begin(struct tls_peer *peer, size_t size_max) {
    CHECK(size_max > 0 && size_max <= TLS_PEER_CHAIN_SIZE_MAX);
    tls_peer_forget(peer);
    peer->size_max = size_max;
    peer->open = true;
}

void tls_peer_lacks_some(struct tls_peer *peer) {
    if (peer->capture != NULL) {
        peer->capture->chain.too_large = true;
    }
}

void tls_peer_end(struct tls_peer *peer) {
    peer->open = false;
}

const struct tls_peer_chain *tls_peer_chain(const struct tls_peer *peer) {
    return peer->capture == NULL ? NULL : &peer->capture->chain;
}

/*
 * Keeps a certificate: of a chain that is too large its beginning, and of one that is too long one more than is judged.
 * False: out of memory.
 */
static bool add(struct tls_peer *peer, struct bytes certificate) {
    CHECK(peer->open);
    if (peer->capture == NULL) {
        peer->capture = malloc(sizeof *peer->capture + peer->size_max);
        if (peer->capture == NULL) {
            return false;
        }
        peer->capture->chain = (struct tls_peer_chain){0};
        peer->capture->size = 0;
    }
    struct tls_capture *capture = peer->capture;
    struct tls_peer_chain *chain = &capture->chain;
    if (chain->too_large || certificate.size > peer->size_max - capture->size) {
        chain->too_large = true;
        return true;
    }
    if (chain->count == TLS_PEER_CHAIN_MAX) {
        return true;
    }
    uint8_t *copy = capture->bytes + capture->size;
    memcpy(copy, certificate.data, certificate.size);
    capture->size += certificate.size;
    chain->certificates[chain->count++] = bytes_of(copy, certificate.size);
    return true;
}

/* wolfSSL has a certificate of the peer's message, the leaf first, and has looked at none of its bytes. */
int tls_peer_catch(WOLFSSL *wolfssl, const unsigned char *der, unsigned int size) {
    void *session = wolfSSL_GetIOReadCtx(wolfssl);
    struct tls_proof *proof = tls_session_proof(session);
    CHECK(size > 0);
    struct bytes certificate = bytes_of(der, size);
    if (proof->state == TLS_PROOF_NONE && !tls_proof_demand(proof, certificate)) {
        return MEMORY_E;
    }
    return add(tls_session_peer(session), certificate) ? 0 : MEMORY_E;
}

/*
 * A client that resumes has no certificate to present (RFC 8446 section 4.4.2), and nobody would ask for its proof. wolfSSL
 * refuses its message before it comes here.
 */
static int catch_certificate(WOLFSSL *wolfssl, const unsigned char *der, unsigned int size) {
    return wolfSSL_session_reused(wolfssl) ? PEER_KEY_ERROR : tls_peer_catch(wolfssl, der, size);
}

int tls_peer_check_proof(WOLFSSL *wolfssl, const WOLFSSL_CLIENT_PROOF *from) {
    struct tls_proof_claim claim = {
        .is_tls13 = wolfSSL_GetVersion(wolfssl) == WOLFSSL_TLSV1_3,
        .is_cut = wolfSSL_certificate_list_cut(wolfssl) != 0,
        .scheme = from->scheme,
        .message = bytes_of(from->message, from->messageSz),
        .digest = bytes_of(from->digest, from->digestSz),
        .signature = bytes_of(from->signature, from->signatureSz),
    };
    switch (tls_proof_check(tls_session_proof(wolfSSL_GetIOReadCtx(wolfssl)), &claim)) {
    case TLS_PROOF_ACCEPTED:
        return 0;
    case TLS_PROOF_UNSUITABLE:
        return INVALID_PARAMETER;
    case TLS_PROOF_WRONG:
        break;
    }
    return SIG_VERIFY_E;
}

int tls_peer_install(WOLFSSL_CTX *wolfssl) {
    static const WOLFSSL_CLIENT_AUTH hooks = {
        .certificate = catch_certificate,
        .prove = tls_peer_check_proof,
        .schemes = tls_proof_schemes,
        .schemesSz = TLS_PROOF_SCHEMES_SIZE,
        .schemes12Sz = TLS_PROOF_SCHEMES_TLS12_SIZE,
    };
    return wolfSSL_CTX_set_client_auth(wolfssl, &hooks);
}
