/* Looks at all hosts for what is wrong, once a second, in the sampling thread. */
#ifndef STATS_WATCH_H
#define STATS_WATCH_H

#include "stats/findings.h"
#include "stats/hosts.h"

/* Adds what is wrong with any of them. `hosts` may be NULL; `calm`: see findings_host.h. `now_s` since the epoch. */
void watch_hosts(struct findings *findings, const struct stats_hosts *hosts, bool calm, int64_t now_s);

#endif
