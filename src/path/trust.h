/* A host's roots, which its operator configured. The store is immutable once it is built, and shared by all shards. */
#ifndef PATH_TRUST_H
#define PATH_TRUST_H

#include "base/bytes.h"
#include "base/error.h"
#include "x509/certificate.h"
#include "x509/signature.h"

struct trust;

struct trust *trust_create(void);
void trust_free(struct trust *trust);

/* A root, read once. */
struct trust_anchor {
    struct certificate certificate; /* views of bytes that the store owns */
    struct signature_key key;
    uint64_t subject_hash;               /* name_hash of its subject */
    uint8_t spki[SIGNATURE_SHA256_SIZE]; /* SHA-256 of its SubjectPublicKeyInfo */
    size_t next_of_name;                 /* the next root of the same subject, or TRUST_NONE */
    unsigned file;                       /* the number of its file: from 1, in the order in which files were added */
};

#define TRUST_NONE SIZE_MAX

/*
 * Adds every certificate of a CA file: PEM with one or several blocks, or one DER certificate. All or nothing: 0, or a
 * negative errno with one line in *error that says which block is at fault, its line in the file and why (no certificate at
 * all, text that is no PEM, does not parse, is not a CA, key or signature algorithm not supported). Expired roots load:
 * their dates are judged at verification. The same root twice is kept once. A root's signature on itself must hold, since
 * nothing else would show that a file is damaged; one made with SHA-1 or MD5 is not looked at, since no verdict rests on it.
 */
int trust_add_file(struct trust *trust, struct bytes file, struct error *error);

size_t trust_count(const struct trust *trust);
/* Returns the DER subject Name of root `index`, for the CertificateRequest. It lives as long as the store. */
struct bytes trust_name(const struct trust *trust, size_t index);
/* Returns notAfter of root `index`, seconds since the epoch. */
int64_t trust_not_after(const struct trust *trust, size_t index);

/* Finds the first root from `from` on whose subject has that name_hash, or TRUST_NONE. hash_init comes before any root. */
size_t trust_first_with_hash(const struct trust *trust, uint64_t hash, size_t from);

/* Returns root `index`, 0 to trust_count - 1. */
const struct trust_anchor *trust_anchor(const struct trust *trust, size_t index);

#endif
