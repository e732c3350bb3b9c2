#include "tls/peer.h"

#include "base/check.h"

#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

/*
 * Exported by wolfSSL, but declared only in its internal header, which drags in the whole library. The callback runs for
 * every certificate of the peer's message, the last one first and the leaf at the end. Of the others wolfSSL parses nothing,
 * and takes no answer (tools/patches/wolfssl-chain.patch). For the leaf, also when parsing it has failed, the callback
 * returns the error that wolfSSL goes on with. Needs WOLFSSL_PUBLIC_ASN and HAVE_PK_CALLBACKS.
 */
void wolfSSL_CTX_SetProcessPeerCertCb(WOLFSSL_CTX *wolfssl, int (*callback)(WOLFSSL *, struct DecodedCert *));

_Static_assert(MAX_CHAIN_DEPTH <= TLS_PEER_CHAIN_MAX, "wolfSSL accepts more certificates than a chain has room for");

enum {
    RSA_MODULUS_SIZE_MAX = 8192 / 8,
    RSA_EXPONENT_SIZE_MAX = 8,
};

/* One for each thread rather than for each session: a chain is judged before its thread turns to another session. */
static _Thread_local struct {
    const void *owner;
    struct tls_peer_chain chain; /* last certificate first, until tls_peer_end */
    size_t size;                 /* bytes of `bytes` in use */
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
    if (!capture.open)
        return;
    struct bytes *certificates = capture.chain.certificates;
    for (size_t left = 0, right = capture.chain.count; left + 1 < right; left++) {
        right--;
        struct bytes moved = certificates[left];
        certificates[left] = certificates[right];
        certificates[right] = moved;
    }
    capture.open = false;
}

const struct tls_peer_chain *tls_peer_chain(const void *owner) {
    return capture.caught && capture.owner == owner ? &capture.chain : NULL;
}

static void add(struct bytes certificate) {
    CHECK(capture.open);
    capture.caught = true;
    if (certificate.size > capture.size_max - capture.size) {
        /* What is held so far comes after this one in the message: it goes, so that the leaf, which comes last, stays. */
        capture.chain.too_large = true;
        capture.chain.count = 0;
        capture.size = 0;
        if (certificate.size > capture.size_max)
            return;
    }
    CHECK(capture.chain.count < TLS_PEER_CHAIN_MAX);
    uint8_t *copy = capture.bytes + capture.size;
    if (certificate.size > 0)
        memcpy(copy, certificate.data, certificate.size);
    capture.size += certificate.size;
    capture.chain.certificates[capture.chain.count++] = bytes_of(copy, certificate.size);
}

/*
 * Whether CertificateVerify can be checked with the certificate's key, at a price that is bounded: RSA_EXPONENT_SIZE_MAX
 * holds any exponent in use, and one as long as the modulus would make a check a thousand times as dear.
 */
static bool key_is_usable(const struct DecodedCert *certificate) {
    if (certificate->publicKey == NULL || certificate->pubKeySize == 0)
        return false;
    if (certificate->keyOID != RSAk && certificate->keyOID != RSAPSSk)
        return true;
    const byte *modulus = NULL;
    const byte *exponent = NULL;
    word32 index = 0, modulus_size = 0, exponent_size = 0;
    return wc_RsaPublicKeyDecode_ex(certificate->publicKey, &index, certificate->pubKeySize, &modulus, &modulus_size,
                                    &exponent, &exponent_size) == 0 &&
           modulus_size <= RSA_MODULUS_SIZE_MAX && exponent_size <= RSA_EXPONENT_SIZE_MAX;
}

/*
 * Without an error wolfSSL checks no signature, and with isCA at 0 it does not add the certificate to the context's list of
 * authorities, which peers could grow for ever. The error for a key that is not usable is one that overrule does not let
 * pass.
 */
static int catch_certificate(WOLFSSL *wolfssl, struct DecodedCert *certificate) {
    CHECK(wolfSSL_GetIOReadCtx(wolfssl) == capture.owner);
    /*
     * Who resumes has no certificate to present (RFC 8446 section 4.4.2), and wolfSSL would ask for no CertificateVerify:
     * anybody's certificate would do.
     */
    if (wolfSSL_session_reused(wolfssl)) {
        certificate->isCA = 0;
        return PEER_KEY_ERROR;
    }
    add(bytes_of(certificate->source, certificate->maxIdx));
    certificate->isCA = 0;
    return key_is_usable(certificate) ? 0 : PEER_KEY_ERROR;
}

/*
 * wolfSSL asks this about each error. Its doubts about versions, usages, dates and sizes are for identity/ to judge, and do
 * not end a handshake. A leaf without a key that CertificateVerify can be checked with does.
 */
static int overrule(int verified, WOLFSSL_X509_STORE_CTX *store) {
    return verified || (store->error != PEER_KEY_ERROR && store->error != MEMORY_E && store->error != MEMORY_ERROR);
}

/* RFC 8446 section 4.2.3: in TLS 1.3 each ECDSA scheme is for one curve. wolfSSL checks only that the key is of some curve.
 */
static bool scheme_matches_curve(const WOLFSSL *wolfssl, const ecc_key *key, unsigned int hash_size) {
    if (wolfSSL_GetVersion(wolfssl) != WOLFSSL_TLSV1_3)
        return true;
    switch (hash_size) {
    case WC_SHA256_DIGEST_SIZE:
        return key->dp->id == ECC_SECP256R1;
    case WC_SHA384_DIGEST_SIZE:
        return key->dp->id == ECC_SECP384R1;
    case WC_SHA512_DIGEST_SIZE:
        return key->dp->id == ECC_SECP521R1;
    default:
        return false;
    }
}

/* The check of an ECDSA CertificateVerify, as wolfSSL does it and with the scheme held against the curve. */
static int verify_ecdsa(WOLFSSL *wolfssl, const unsigned char *signature, unsigned int signature_size,
                        const unsigned char *hash, unsigned int hash_size, const unsigned char *key_der,
                        unsigned int key_size, int *verified, void *context) {
    *verified = 0;
    ecc_key key;
    int error = wc_ecc_init(&key);
    if (error != 0)
        return error;
    word32 index = 0;
    error = wc_EccPublicKeyDecode(key_der, &index, &key, key_size);
    if (error == 0 && !scheme_matches_curve(wolfssl, &key, hash_size))
        error = SIG_VERIFY_E;
    if (error == 0)
        error = wc_ecc_verify_hash(signature, signature_size, hash, hash_size, verified, &key);
    wc_ecc_free(&key);
    return error;
}

void tls_peer_install(WOLFSSL_CTX *wolfssl) {
    wolfSSL_CTX_set_verify(wolfssl, WOLFSSL_VERIFY_PEER, overrule);
    wolfSSL_CTX_SetProcessPeerCertCb(wolfssl, catch_certificate);
    wolfSSL_CTX_SetEccVerifyCb(wolfssl, verify_ecdsa);
}
