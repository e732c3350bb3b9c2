/*
 * A host's CRLs: what the operator configured. Built before it is used, then shared by all threads; the only thing that
 * changes is what is remembered of signatures that were checked.
 *
 * A CRL speaks for the certificates of its issuer's name once its signature is known to be by that issuer: by a key of the
 * CA on the certificate's own verified path, or by a delegate, a certificate of the same name that may sign CRLs and is
 * itself signed by a CA of that path (path_revocation.h). Of several CRLs the newest counts.
 *
 * Refused where they are given, with the reason: delta and indirect CRLs, CRLs for some reasons or for attribute
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

/* What is checked: the whole path below the root, or the leaf alone. */
enum revocation_scope { REVOCATION_CHAIN, REVOCATION_LEAF };

struct revocation *revocation_create(void);
/* NULL is allowed. */
void revocation_free(struct revocation *revocation);

/*
 * Adds every CRL of a file: PEM with one or several "X509 CRL" blocks, and "CERTIFICATE" blocks of delegates; or one DER
 * CRL. All or nothing: 0, or a negative errno with one line in `error` that says which block is at fault, its line in the
 * file and why. The same CRL twice is kept once. Nothing of `file` is needed afterwards.
 */
int revocation_add_file(struct revocation *revocation, struct bytes file, struct error *error);

/*
 * After all files: a CRL whose issuer has the name of a root must be signed by such a root or by a delegate of it. 0, or a
 * negative errno with one line in `error`. CRLs of intermediates are checked when a chain first leads to them.
 */
int revocation_check(struct revocation *revocation, const struct trust *trust, struct error *error);
/* Which file the last revocation_check has found fault with: from 1, in the order in which they were added; 0: none. */
unsigned revocation_file_at_fault(const struct revocation *revocation);

/* After revocation_check: whether there is a CRL, of whatever scope and date, for certificates that this root has issued. */
bool revocation_speaks_for(const struct revocation *revocation, const struct trust_anchor *anchor);

/* CRLs. */
size_t revocation_count(const struct revocation *revocation);
/* CRL `index`, 0 to revocation_count - 1: those of one issuer stand together, the newest first. */
const struct revocation_list *revocation_list_at(const struct revocation *revocation, size_t index);
/*
 * Whether a newer CRL of the same issuer, key identifier and scope stands in for CRL `index`: now, or, while that one has
 * not ended, by the time it ends.
 */
bool revocation_is_replaced(const struct revocation *revocation, size_t index, int64_t now_s);
/* Delegate `index`, from 0 on, those among the roots too after revocation_check; NULL behind the last. */
const struct revocation_delegate *revocation_delegate_at(const struct revocation *revocation, size_t index);
/* Revoked serials, all CRLs together. */
uint64_t revocation_entries(const struct revocation *revocation);
/* SHA-256 over all that was added, in order: equal digests say the same of every certificate. */
void revocation_digest(const struct revocation *revocation, uint8_t digest[static 32]);

/*
 * The CRLs of an issuer, the newest first; NULL after the last. `*at` is 0 at first. `issuer_hash` is name_hash of `issuer`.
 * They are shared, and only what they remember changes.
 */
struct revocation_list *revocation_next_list(const struct revocation *revocation, struct bytes issuer, uint64_t issuer_hash,
                                             size_t *at);
/* The delegates of that name that were given with the CRLs or among the roots, likewise. */
struct revocation_delegate *revocation_next_delegate(const struct revocation *revocation, struct bytes subject,
                                                     uint64_t subject_hash, size_t *at);

#endif
