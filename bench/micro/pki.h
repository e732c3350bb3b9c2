/*
 * Certificates for one process's use, made with wolfCrypt: a root, an intermediate and leaves, all with keys of one kind.
 * A failure is wolfCrypt's and ends the program: there is nothing that a benchmark could do about it.
 */
#ifndef BENCH_MICRO_PKI_H
#define BENCH_MICRO_PKI_H

#include "base/bytes.h"

enum { PKI_LEAVES = 2, PKI_CHAIN = 2, PKI_DER_SIZE_MAX = 2048 };

enum pki_key {
    PKI_P256,
    PKI_P384,
    PKI_RSA2048,
    PKI_ED25519,
    PKI_KEYS,
};

struct pki_certificate {
    uint8_t der[PKI_DER_SIZE_MAX];
    size_t der_size;
    uint8_t key[PKI_DER_SIZE_MAX]; /* PKCS#8; only of leaves of P-256 and P-384, which are all that anybody presents here */
    size_t key_size;
};

struct pki {
    struct pki_certificate root;
    struct pki_certificate intermediate;
    struct pki_certificate leaves[PKI_LEAVES]; /* for client and server alike */
};

/* "P-256", ... */
const char *pki_key_name(enum pki_key key);
/* Malloc'd. */
struct pki *pki_create(enum pki_key key);
/* Leaf `index` and the intermediate, as a client presents them. Views. */
void pki_chain(const struct pki *pki, size_t index, struct bytes chain[static PKI_CHAIN]);
/* Leaf `index` and the intermediate, or the leaf's key, as PEM. Malloc'd, NUL-terminated. */
struct bytes pki_chain_pem(const struct pki *pki, size_t index);
struct bytes pki_key_pem(const struct pki *pki, size_t index);

#endif
