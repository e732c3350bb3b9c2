/* The facts about hosts that the pages of counters show beside the counters, gathered from a configuration. */
#ifndef SERVER_HOST_FACTS_H
#define SERVER_HOST_FACTS_H

#include "config/config.h"
#include "stats/hosts.h"

/*
 * Makes counters for the hosts of `config`, which go on from those of `previous`: see stats_hosts_create. `now_s` is the
 * wall clock, which tells revocation lists that were replaced from current ones. One reference; NULL when out of memory.
 */
struct stats_hosts *host_facts_gather(const struct config *config, unsigned shard_count, const struct stats_hosts *previous,
                                      int64_t now_s);

#endif
