/*
 * Delegates, which may sign a CA's CRLs beside the CA's own key: certificates of the CA's name whose keyUsage has cRLSign,
 * made by the CA itself or by one above it (RFC 5280 section 6.3.3 (f)).
 */
#ifndef PATH_REVOCATION_DELEGATE_H
#define PATH_REVOCATION_DELEGATE_H

#include "path/key_memo.h"

/* Read once, immutable but for its memo. */
struct revocation_delegate {
    struct certificate certificate; /* views of bytes that it owns */
    struct signature_key key;
    struct signature_algorithm algorithm; /* of the signature on it */
    uint64_t subject_hash;                /* name_hash */
    uint64_t issuer_hash;
    uint8_t spki[SIGNATURE_SHA256_SIZE];
    struct key_memo memo; /* which keys have signed it */
    uint8_t der[];
};

/* Reads `der` and copies it. NULL with -EINVAL or -ENOMEM in *result and a static text in *why. */
struct revocation_delegate *revocation_delegate_create(struct bytes der, int *result, const char **why);
void revocation_delegate_free(struct revocation_delegate *delegate);

/* Tells whether `key` has signed the delegate, as revocation_list_is_by does. */
bool revocation_delegate_is_by(struct revocation_delegate *delegate, const struct signature_key *key,
                               const uint8_t spki[static SIGNATURE_SHA256_SIZE], struct key_allowance *allowance);

/* Tells whether a CA may sign CRLs with its own key: a keyUsage, where there is one, must have cRLSign. */
bool revocation_ca_may_sign(const struct certificate *certificate);
/* Returns NULL when a certificate may sign CRLs for the CA of its name, else a static text that says why not. */
const char *revocation_delegate_fault(const struct certificate *certificate, enum reason key_reason,
                                      enum reason algorithm_reason);

#endif
