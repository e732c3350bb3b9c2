/*
 * Whether a certificate of a path is revoked (RFC 5280 section 6.3.3, with complete CRLs for all reasons). Used by
 * path_check.c alone.
 *
 * Who may have signed a CRL: the CA right above the certificate; a CA further up that has the same name, each of those
 * between having it too (a new key of one authority); or a delegate of that name (revocation_delegate.h) that came with the
 * CRLs, among the roots or in the chain, is signed by a CA of this path, is within its dates, and is in no CRL that the CA
 * itself has signed. Nobody else, so that a CRL rests on the same root as the path.
 *
 * The newest CRL by the CA's own key decides, else the newest by another of these; the certificate is revoked when either
 * has it. A CRL counts from its thisUpdate on. One that is stale still revokes.
 */
#ifndef PATH_PATH_REVOCATION_H
#define PATH_PATH_REVOCATION_H

#include "path/path_budget.h"

/*
 * Judges the certificate at `height`, whose signature and all above it were found to hold. True when it is not revoked, or
 * when there is nothing to judge it by or no need to; else *fault has reason, phase and what the sentence needs.
 */
bool path_is_unrevoked(struct path_budget *budget, const struct path_candidate *candidate, size_t height,
                       struct path_fault *fault);

#endif
