/*
 * Decides by the verdict on a client whether a host lets the client in, and counts that: once for each request, and once for
 * each connection to a tcp host.
 */
#ifndef EDGE_DECISION_H
#define EDGE_DECISION_H

#include "edge/shard.h"

/* Returns whether the host turns away a client of this identity. */
bool decision_denies(const struct config_host *host, const struct identity *identity);
/* Counts that a client was turned away, at a host of `site`. */
void decision_count_denied(struct shard *shard, const struct site *site, const struct config_host *host,
                           const struct identity *identity);
/* Counts by reason, in mode report, that a client was let in whom mode enforce would have turned away. */
void decision_count_let_in(struct shard *shard, const struct site *site, const struct config_host *host,
                           const struct identity *identity);

#endif
