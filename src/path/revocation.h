/*
 * A host's CRLs, which its operator configured. The store is built before it is used, and then shared by all threads: only
 * the memory of signatures that were checked still changes.
 *
 * A CRL counts for the certificates of its issuer's name when that issuer is known to have signed it: by a key of the CA on
 * the certificate's own verified path, or by a delegate, a certificate of the same name that may sign CRLs and is itself
 * signed by a CA of that path (path_revocation.h). Of several CRLs the newest counts.
 *
 * Files are refused, with the reason, when they have delta and indirect CRLs, CRLs for some reasons or for attribute
 * certificates only, critical extensions that are not processed, and signatures of algorithms that are not accepted on
 * certificates.
 *
 * Serials are looked up by base/hash.h: hash_init comes first.
 */
#ifndef PATH_REVOCATION_H
#define PATH_REVOCATION_H

#include "base/bytes.h"
#include "path/trust.h"

enum {
    REVOCATION_CRLS_MAX = 4096,
    REVOCATION_DELEGATES_MAX = 256,
};

struct revocation;
struct revocation_delegate;
struct revocation_list;

/* The certificates that are checked: the whole path below the root, or the leaf alone. */
enum revocation_scope { REVOCATION_CHAIN, REVOCATION_LEAF };

struct revocation *revocation_create(void);
/* Frees the store. NULL is allowed. */
void revocation_free(struct revocation *revocation);

/*
 * Adds every CRL of a file: PEM with one or several "X509 CRL" blocks, and "CERTIFICATE" blocks of delegates; or one DER
 * CRL. All or nothing: 0, or a negative errno with one line in *error that says which block is at fault, its line in the
 * file and why. The same CRL twice is kept once. Nothing of `file` is needed afterwards.
 */
int revocation_add_file(struct revocation *revocation, struct bytes file, struct error *error);

/*
 * Checks, after all files were added, that each CRL whose issuer has the name of a root is signed by such a root or by a
 * delegate of it. 0, or a negative errno with one line in *error. CRLs of intermediates are checked when a chain first leads
 * to them.
 */
int revocation_check(struct revocation *revocation, const struct trust *trust, struct error *error);
/* Returns the file at which the last revocation_check has failed: from 1, in the order in which they were added; 0: none. */
unsigned revocation_file_at_fault(const struct revocation *revocation);

/* Tells, after revocation_check, whether there is a CRL, of any scope and date, for certificates that this root has issued.
 */
bool revocation_speaks_for(const struct revocation *revocation, const struct trust_anchor *anchor);

/* Returns the number of CRLs. */
size_t revocation_count(const struct revocation *revocation);
/* Returns CRL `index`, 0 to revocation_count - 1. The CRLs of one issuer stand together, the newest first. */
const struct revocation_list *revocation_list_at(const struct revocation *revocation, size_t index);
/*
 * Tells whether a newer CRL of the same issuer, key identifier and scope takes the place of CRL `index`: now, or, while CRL
 * `index` has not ended, by the time at which it ends.
 */
bool revocation_is_replaced(const struct revocation *revocation, size_t index, int64_t now_s);
/* Returns delegate `index`, from 0 on; after revocation_check those among the roots too. NULL behind the last. */
const struct revocation_delegate *revocation_delegate_at(const struct revocation *revocation, size_t index);
/* Returns the number of revoked serials in all CRLs together. */
uint64_t revocation_entries(const struct revocation *revocation);
/* Writes the SHA-256 over all that was added, in order. Stores of one digest judge every certificate alike. */
void revocation_digest(const struct revocation *revocation, uint8_t digest[static 32]);

/*
 * Returns the next CRL of an issuer, the newest first; NULL after the last. `*at` is 0 at first. `issuer_hash` is name_hash
 * of `issuer`. CRLs are shared, and only their memos change.
 */
struct revocation_list *revocation_next_list(const struct revocation *revocation, struct bytes issuer, uint64_t issuer_hash,
                                             size_t *at);
/* Returns the next delegate of that name that was given with the CRLs or among the roots, likewise. */
struct revocation_delegate *revocation_next_delegate(const struct revocation *revocation, struct bytes subject,
                                                     uint64_t subject_hash, size_t *at);

#endif
