/*
 * Proof of possession: whether a client has the private key of the certificate that it presents (CertificateVerify, RFC 8446
 * section 4.4.3, RFC 5246 section 7.4.8). x509/leaf finds the key in the leaf, x509/signature checks the signature, and this
 * module alone knows the signature schemes, those that a CertificateRequest offers and those that are accepted.
 *
 * With some keys there is no check: keys of a kind or a size that is not accepted, keys that cannot be read, and keys of
 * certificates that cannot be read. identity/ judges by the same functions, and finds every such certificate invalid. Their
 * handshakes complete without proof, so that the client can be told by HTTP what is wrong, and without any arithmetic that a
 * stranger has chosen. Ed25519 cannot be checked either in TLS 1.2 for a chain that was cut: it needs all of the handshake
 * (RFC 8422 section 5.8), and such a chain is too large whatever is in it. Whatever a valid certificate earns is given for
 * TLS_PROOF_GIVEN alone.
 */
#ifndef TLS_PROOF_H
#define TLS_PROOF_H

#include "base/bytes.h"

enum tls_proof_state {
    TLS_PROOF_NONE,       /* no certificate was presented */
    TLS_PROOF_OWED,       /* CertificateVerify has not come */
    TLS_PROOF_IMPOSSIBLE, /* and not looked at when it comes */
    TLS_PROOF_GIVEN,
};

enum tls_proof_answer {
    TLS_PROOF_ACCEPTED,
    TLS_PROOF_WRONG,      /* the signature does not hold: decrypt_error */
    TLS_PROOF_UNSUITABLE, /* the scheme was not offered, or is not for this key or this version: illegal_parameter */
};

/* The proof of one handshake. Zeroed before its first use; ended by tls_proof_free. */
struct tls_proof {
    enum tls_proof_state state;
    uint8_t *key; /* SubjectPublicKeyInfo, while OWED; malloc'd */
    size_t key_size;
};

/* The content of a CertificateVerify, and the data that its signature covers. */
struct tls_proof_claim {
    bool is_tls13;
    bool is_cut;          /* the Certificate message was too large, and the handshake's messages were not kept */
    uint16_t scheme;      /* SignatureScheme, any */
    struct bytes message; /* the signed bytes; in TLS 1.2 for Ed25519 alone, and not there when is_cut */
    struct bytes digest;  /* TLS 1.2: the signed bytes under the scheme's hash, empty where it has none */
    struct bytes signature;
};

/*
 * SignatureSchemes for the CertificateRequest, two bytes each, the preferred first (RFC 8446 section 4.2.3). Those at the
 * beginning are for TLS 1.3 alone: ML-DSA (draft-ietf-tls-mldsa). TLS 1.2 has the others, which are the last ones.
 */
enum { TLS_PROOF_SCHEMES_SIZE = 32, TLS_PROOF_SCHEMES_TLS12_SIZE = 26 };
extern const uint8_t tls_proof_schemes[TLS_PROOF_SCHEMES_SIZE];

/* Demands proof: the client has presented `leaf`, its first certificate of this handshake. False: out of memory. */
bool tls_proof_demand(struct tls_proof *proof, struct bytes leaf);
/* Checks a CertificateVerify. On ACCEPTED the state is GIVEN or still IMPOSSIBLE; else the handshake must end. */
enum tls_proof_answer tls_proof_check(struct tls_proof *proof, const struct tls_proof_claim *claim);
/* Forgets the key, and keeps the state. */
void tls_proof_free(struct tls_proof *proof);

#endif
