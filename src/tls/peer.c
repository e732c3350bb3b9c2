#include "tls/peer.h"

#include "base/check.h"
#include "tls/proof.h"
#include "tls/session_hooks.h"

#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

/* One for each thread rather than for each session: a chain is judged before its thread turns to another session. */
static _Thread_local struct {
    const void *owner;
    struct tls_peer_chain chain;
    size_t size; /* bytes of `bytes` in use */
    size_t size_max;
    bool open;
    bool caught;
    uint8_t bytes[TLS_PEER_CHAIN_SIZE_MAX];
} capture;

void tls_peer_begin(const void *owner, size_t size_max) {
    CHECK(size_max > 0 && size_max <= TLS_PEER_CHAIN_SIZE_MAX);
    capture.owner = owner;
    capture.chain.count = 0;
    capture.chain.too_large = false;
    capture.size = 0;
    capture.size_max = size_max;
    capture.open = true;
    capture.caught = false;
}

void tls_peer_lacks_some(void) {
    capture.chain.too_large = true;
}

void tls_peer_end(void) {
    capture.open = false;
}

const struct tls_peer_chain *tls_peer_chain(const void *owner) {
    return capture.caught && capture.owner == owner ? &capture.chain : NULL;
}

/* Keeps a certificate: of a chain that is too large its beginning, and of one that is too long one more than is judged. */
static void add(struct bytes certificate) {
    struct tls_peer_chain *chain = &capture.chain;
    CHECK(capture.open);
    capture.caught = true;
    if (chain->too_large || certificate.size > capture.size_max - capture.size) {
        chain->too_large = true;
        return;
    }
    if (chain->count == TLS_PEER_CHAIN_MAX) {
        return;
    }
    uint8_t *copy = capture.bytes + capture.size;
    memcpy(copy, certificate.data, certificate.size);
    capture.size += certificate.size;
    chain->certificates[chain->count++] = bytes_of(copy, certificate.size);
}

/* wolfSSL has a certificate of the client's message, the leaf first, and has looked at none of its bytes. */
static int catch_certificate(WOLFSSL *wolfssl, const unsigned char *der, unsigned int size) {
    struct tls_session *session = wolfSSL_GetIOReadCtx(wolfssl);
    struct tls_proof *proof = tls_session_proof(session);
    CHECK(session == capture.owner && size > 0);
    /*
     * A client that resumes has no certificate to present (RFC 8446 section 4.4.2), and nobody would ask for its proof.
     * wolfSSL refuses its message before it comes here.
     */
    if (wolfSSL_session_reused(wolfssl)) {
        return PEER_KEY_ERROR;
    }
    struct bytes certificate = bytes_of(der, size);
    if (proof->state == TLS_PROOF_NONE && !tls_proof_demand(proof, certificate)) {
        return MEMORY_E;
    }
    add(certificate);
    return 0;
}

static int check_proof(WOLFSSL *wolfssl, const WOLFSSL_CLIENT_PROOF *from) {
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
        .prove = check_proof,
        .schemes = tls_proof_schemes,
        .schemesSz = TLS_PROOF_SCHEMES_SIZE,
        .schemes12Sz = TLS_PROOF_SCHEMES_TLS12_SIZE,
    };
    return wolfSSL_CTX_set_client_auth(wolfssl, &hooks);
}
