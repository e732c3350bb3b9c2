/* Checks of one complete path, root to leaf (RFC 5280 section 6.1). Used by path.c alone. */
#ifndef IDENTITY_PATH_CHECK_H
#define IDENTITY_PATH_CHECK_H

#include "identity/path.h"

/* A signature that was checked, so that no path pays for it again. */
struct path_edge {
    const struct path_member *child;
    const struct signature_key *key;
    bool holds;
};

/* What all paths of one judgement share. */
struct path_budget {
    int64_t now;
    int64_t window_from;  /* no comparison with a date that was made comes out differently from here ... */
    int64_t window_until; /* ... to here */
    unsigned comparisons; /* left for name constraints */
    size_t edge_count;
    struct path_edge edges[PATH_SIGNATURES_MAX];
};

struct path_candidate {
    const struct trust_anchor *anchor;
    const struct path_member *members[PATH_CHAIN_MAX]; /* the leaf first */
    size_t length;
};

/* REASON_OK in fault->reason when the path is valid. False when signatures ran out before that was known. */
bool path_check(struct path_budget *budget, const struct path_candidate *candidate, struct path_fault *fault);

/* True when the signature of `child` was checked with `key` and does not hold. */
bool path_edge_is_broken(const struct path_budget *budget, const struct path_member *child, const struct signature_key *key);

#endif
