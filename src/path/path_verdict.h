/* The vocabulary of path validation: the settings of a judgement, and the faults and the verdict that come of it. */
#ifndef PATH_PATH_VERDICT_H
#define PATH_PATH_VERDICT_H

#include "path/constraints.h"
#include "path/path_chain.h"
#include "path/revocation.h"

enum {
    /* Candidates that are looked at. A path needs one for each of its certificates; a set that is made to branch at each of
     * them would need as many as there are permutations. */
    PATH_STEPS_MAX = 128,
    /* Signatures that are checked: one for each certificate of the longest path, and some for wrong guesses among CAs of one
     * name. */
    PATH_SIGNATURES_MAX = PATH_CHAIN_MAX + 8,
    /* Signatures on CRLs and on their delegates, for one judgement. Each is remembered once it is checked, so that only the
     * first chain that leads to its CRLs needs them. */
    PATH_CRL_SIGNATURES_MAX = 2 * PATH_CHAIN_MAX,
};

/* The side that a chain is to authenticate: each extendedKeyUsage in a path has to allow it, where there is one. */
enum path_purpose {
    PATH_OF_CLIENT, /* clientAuth */
    PATH_OF_SERVER, /* serverAuth */
};

/* The settings of one judgement. */
struct path_settings {
    enum path_purpose purpose;
    const struct trust *trust;
    size_t depth_max;                    /* intermediates + leaf, 1 to PATH_CHAIN_MAX */
    int64_t now;                         /* seconds since the epoch */
    const struct revocation *revocation; /* NULL: not checked */
    enum revocation_scope revocation_scope;
    bool accept_stale_crls;
};

/* The kinds of faults, in the order in which those of one certificate are reported. */
enum path_phase {
    PATH_PHASE_ISSUER,    /* no path to a root, or one that is too long */
    PATH_PHASE_ALGORITHM, /* of the signature */
    PATH_PHASE_SIGNATURE,
    PATH_PHASE_KEY,
    PATH_PHASE_DATES,
    PATH_PHASE_REVOCATION,
    PATH_PHASE_USAGE,
    PATH_PHASE_NAMES,
};

/* The progress of the search for a CRL, with the CRL that came furthest. */
enum path_crl_progress {
    PATH_CRL_NONE,         /* of that issuer none was given */
    PATH_CRL_NOT_COVERING, /* of other distribution points or of other kinds of certificates */
    PATH_CRL_NOT_YET,      /* its thisUpdate is to come */
    PATH_CRL_NOT_GENUINE,  /* not by anybody who may sign it */
    PATH_CRL_NOT_CHECKED,  /* PATH_CRL_SIGNATURES_MAX was not enough; the next time it may be, with the answers that are
                              remembered */
};

/* The statement of a CRL, by the name of the certificate's issuer. */
struct path_crl_fault {
    int64_t time;                    /* REVOKED: since when; CRL_STALE: its nextUpdate. Seconds since the epoch */
    uint8_t reason;                  /* REVOKED: CRLReason, see crl_reason_text */
    enum path_crl_progress progress; /* CRL_MISSING */
};

/* The fault of a path. The pointers are into the chain or the trust store. */
struct path_fault {
    enum reason reason;
    enum path_phase phase;
    size_t height;                         /* certificates below the one at fault: 0 for the leaf */
    const struct certificate *certificate; /* the one at fault */
    /* The one above it, or whose constraint it breaks. UNKNOWN_ISSUER: a root of another name that has the key identifier
     * which was looked for, or NULL. */
    const struct certificate *issuer;
    const char *usage;              /* WRONG_USAGE: what is missing, a static text */
    struct constraints_fault names; /* NAME_CONSTRAINT */
    struct path_crl_fault crl;      /* REVOKED, CRL_STALE, CRL_MISSING */
};

struct path_verdict {
    struct path_fault fault; /* reason REASON_OK: the path is valid */
    int64_t valid_from;      /* as struct identity says */
    int64_t valid_until;
    const struct trust_anchor *anchor; /* of the path that is reported; NULL: none was reached */
    uint8_t order[PATH_CHAIN_MAX];     /* its certificates below the root as indices into members, the leaf first */
    size_t length;
    unsigned signatures; /* checked to come to it, those on CRLs included */
};

#endif
