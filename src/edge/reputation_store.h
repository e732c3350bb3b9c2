/*
 * The process's memory of clients that have shown valid certificates: of their sources (guard/familiar) and of their
 * certificates (guard/holders). Shared by all shards.
 */
#ifndef EDGE_REPUTATION_STORE_H
#define EDGE_REPUTATION_STORE_H

#include "guard/familiar.h"
#include "guard/holders.h"
#include "ring/syn_filter.h"

struct reputation {
    struct familiar familiar;
    struct holders *holders;
    struct syn_filter_secret secret; /* of the names that the kernel knows sources by */
    unsigned cores;                  /* that serve: one for each shard */
};

/* Makes one. `holders`: certificates that are known of, at least; `cores`: 1 to 1,000. NULL: out of memory. */
struct reputation *reputation_create(size_t holders, unsigned cores);
/* Frees it; NULL is allowed. */
void reputation_free(struct reputation *reputation);

#endif
