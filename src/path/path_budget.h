/*
 * The budget that all paths of one judgement share: the work that is left, the signatures that were checked, and the time
 * within which the verdict stays as it is.
 */
#ifndef PATH_PATH_BUDGET_H
#define PATH_PATH_BUDGET_H

#include "path/key_memo.h"
#include "path/path_verdict.h"

/* A signature that was checked: no other path pays for it again. */
struct path_edge {
    const struct path_member *child;
    const struct signature_key *key;
    bool holds;
};

/* Seconds since the epoch, both included. Each comparison with a date that was made comes out alike at any time between. */
struct path_window {
    int64_t from;
    int64_t until;
};

struct path_budget {
    const struct path_settings *settings;
    const struct path_chain *chain;
    int64_t now;
    struct path_window window;         /* of all comparisons */
    struct path_window window_of_path; /* of those for the path that was checked last */
    unsigned comparisons;              /* left for name constraints */
    struct key_allowance crl_signatures;
    uint32_t spki_known;                                 /* bit i: of member i */
    uint8_t spki[PATH_CHAIN_MAX][SIGNATURE_SHA256_SIZE]; /* of the members' keys, for revocation */
    size_t edge_count;
    struct path_edge edges[PATH_SIGNATURES_MAX];
};

/* A path from a root down to the leaf, while it is built or checked. */
struct path_candidate {
    const struct trust_anchor *anchor;
    const struct path_member *members[PATH_CHAIN_MAX]; /* the leaf first */
    size_t length;
};

void path_budget_init(struct path_budget *budget, const struct path_settings *settings, const struct path_chain *chain);

/* Begins a path: the comparisons for other paths do not narrow its window. */
void path_window_begin(struct path_budget *budget);
/* Tell whether it is `from` or later, and whether it is later than `until`. Both narrow the windows to where that holds. */
bool path_window_reaches(struct path_budget *budget, int64_t from);
bool path_window_passes(struct path_budget *budget, int64_t until);

/* Returns 1 or 0 when the signature of `child` by `key` holds or not; -1 when no more are checked for this chain. */
int path_check_signature(struct path_budget *budget, const struct path_member *child, const struct signature_key *key);

/* Returns the SHA-256 of the member's SubjectPublicKeyInfo, which is taken once. */
const uint8_t *path_spki(struct path_budget *budget, const struct path_member *member);

/* Returns true when the signature of `child` was checked with `key` and does not hold. */
bool path_edge_is_broken(const struct path_budget *budget, const struct path_member *child, const struct signature_key *key);

#endif
