/*
 * One CRL as it is kept: the parts that verdicts need, and no more. Of the signed bytes only the digest stays; a signature
 * of Ed25519 or ML-DSA needs the bytes themselves until it is checked. Immutable but for its memo.
 */
#ifndef PATH_REVOCATION_LIST_H
#define PATH_REVOCATION_LIST_H

#include "path/key_memo.h"
#include "path/serials.h"
#include "path/trust.h"
#include "x509/crl.h"
#include "x509/distribution_point.h"
#include "x509/pem_file.h"

struct revocation_list {
    struct pem_file_place origin; /* where it came from, for messages */
    struct bytes issuer;          /* a whole Name; this and the views below are of bytes that the list owns */
    uint64_t issuer_hash;
    int64_t this_update;
    int64_t next_update; /* INT64_MAX: none */
    struct bytes aki;
    struct distribution_scope scope;
    struct serials *serials;
    uint8_t fingerprint[SIGNATURE_SHA256_SIZE]; /* SHA-256 of the whole CRL */

    struct signature_algorithm algorithm;
    struct bytes signature;
    struct bytes digest;
    struct bytes message; /* Ed25519, ML-DSA: what is signed; size 0: no longer needed */
    struct key_memo memo;
    uint8_t *storage;
};

/*
 * Reads a whole CRL. NULL with -EINVAL or -ENOMEM in *result and in *error a text without file and block, such as "entry 3:
 * its date cannot be read". Nothing of `der` is needed afterwards.
 */
struct revocation_list *revocation_list_create(struct bytes der, const struct pem_file_place *origin, int *result,
                                               struct error *error);
void revocation_list_free(struct revocation_list *list);

/*
 * Tells whether `key` has signed the list; `spki` is the SHA-256 of the key. An answer that is not known yet is found by a
 * check and remembered; each check takes one of `allowance`, and with none left the answer is false.
 */
bool revocation_list_is_by(struct revocation_list *list, const struct signature_key *key,
                           const uint8_t spki[static SIGNATURE_SHA256_SIZE], struct key_allowance *allowance);

/*
 * Frees the signed bytes: the memo learns of no further key then. Does nothing when the memo is full, since it may have had
 * no room for the key that counts. Not to be called while the list is shared.
 */
void revocation_list_drop_message(struct revocation_list *list);

#endif
