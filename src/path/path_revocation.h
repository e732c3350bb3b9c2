/*
 * The check whether a certificate of a path is revoked (RFC 5280 section 6.3.3, with complete CRLs for all reasons). Used by
 * path_check.c alone.
 *
 * A CRL counts when one of these has signed it: the CA right above the certificate; a CA further up of the same name, if
 * each CA between has that name too (a new key of one authority); or a delegate of that name (revocation_delegate.h) that
 * came with the CRLs, among the roots or in the chain, is signed by a CA of this path, is within its dates, and is in no CRL
 * that the CA itself has signed. All others are passed over, so that a CRL rests on the same root as the path.
 *
 * The newest CRL by the CA's own key decides, else the newest by another of these; the certificate is revoked when either
 * has it. A CRL counts from its thisUpdate on. A stale CRL still revokes.
 */
#ifndef PATH_PATH_REVOCATION_H
#define PATH_PATH_REVOCATION_H

#include "path/path_budget.h"

/*
 * Judges the certificate at `height`; its signature and all above it were found to hold. True when it is not revoked, or
 * when revocation is not checked for it; else *fault has reason, phase and the members that the sentence needs.
 */
bool path_is_unrevoked(struct path_budget *budget, const struct path_candidate *candidate, size_t height,
                       struct path_fault *fault);

#endif
