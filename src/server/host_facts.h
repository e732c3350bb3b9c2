/* What the counters' exposition says of hosts beside their counters: gathered from a configuration. */
#ifndef SERVER_HOST_FACTS_H
#define SERVER_HOST_FACTS_H

#include "config/config.h"
#include "stats/hosts.h"

/*
 * Counters for the hosts of `config`, with those of `previous` going on: see stats_hosts_create. `now_s` is the wall clock,
 * which tells lists that were replaced from those that count. One reference; NULL when out of memory.
 */
struct stats_hosts *host_facts_gather(const struct config *config, unsigned shard_count, const struct stats_hosts *previous,
                                      int64_t now_s);

#endif
