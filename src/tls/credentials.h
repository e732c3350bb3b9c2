/*
 * A server's certificate chain and private key, which were checked to belong together. Immutable once loaded. The
 * certificates are sent as they are, and clients judge them: only the places of the key and of the dates are read here.
 */
#ifndef TLS_CREDENTIALS_H
#define TLS_CREDENTIALS_H

#include "base/bytes.h"
#include "base/error.h"
#include "guard/registry.h"

enum { TLS_CHAIN_MAX = 8 };

struct tls_credentials {
    struct bytes chain[TLS_CHAIN_MAX]; /* DER, leaf first; owned */
    size_t chain_count;
    struct bytes key;     /* DER, PKCS#8 or traditional; owned; wiped when freed */
    int key_type;         /* wolfSSL's key sum (ECDSAk, RSAk, ED25519k) */
    int key_curve;        /* wolfSSL's sum of the curve's OID; RSA: 0 */
    int key_size;         /* bytes: RSA of the modulus, else of a coordinate */
    unsigned needs_key;   /* enum registry_key: what a client must be able to verify; one bit */
    unsigned needs_chain; /* enum registry_scheme: likewise in the chain, but for certificates that are self-issued */
    int64_t not_before;   /* this and the next: of the leaf, seconds since the epoch */
    int64_t not_after;
};

/*
 * Loads both from whole PEM files. NULL with one line in *error that says why: no PEM block, block N does not parse, key
 * type or size not supported, encrypted key, key does not belong to the leaf. *at_key tells whether the key file is at
 * fault.
 */
struct tls_credentials *tls_credentials_load(struct bytes chain_pem, struct bytes key_pem, bool *at_key,
                                             struct error *error);
void tls_credentials_free(struct tls_credentials *credentials);

/* Returns "ECDSA", "RSA" or "Ed25519": the kind of the key. */
const char *tls_credentials_kind(const struct tls_credentials *credentials);

#endif
