/*
 * The findings of one host: its clients are refused, its origins do not answer, something that it needs ends. Pure: the last
 * minute and the facts of its configuration in, findings out. The thresholds are in findings.h.
 *
 * The hard part is to tell a host whose own clients are refused, by an ended list or other roots, from a host at which
 * strangers try: both have many refused handshakes. In the first case the own clients are missed, which strangers cannot
 * cause: the valid handshakes and requests fall to nothing. And some reasons are the server's own: a list that has ended or
 * is missing.
 */
#ifndef STATS_FINDINGS_HOST_H
#define STATS_FINDINGS_HOST_H

#include "stats/findings.h"
#include "stats/hosts.h"

struct findings_host {
    const char *name;
    const struct recent *recent;
    int64_t now_s;              /* since the epoch */
    bool asks;                  /* for client certificates, in mode report or enforce */
    bool is_tcp;                /* protocol: tcp: its connections are no requests */
    bool enforces;              /* else a fault of clients is a warning: their requests go to the origin all the same */
    bool calm;                  /* no shard was loaded in the last ten seconds */
    bool takes_old_lists;       /* crl_stale: accept */
    const char *const *origins; /* as its file has them */
    size_t origin_count;
    const char (*why)[STATS_WHY_SIZE]; /* by origin: why its health checks fail; NULL: it has none */
    const struct term_list *terms;     /* STATS_TERMS lists of its needs */
};

/* Adds the findings of a host. `marks` has those of the last time, and afterwards those of this time. */
void findings_of_host(struct findings *findings, const struct findings_host *host, struct findings_marks *marks);

#endif
