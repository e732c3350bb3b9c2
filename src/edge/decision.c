#include "edge/decision.h"

#include "base/check.h"

bool decision_denies(const struct config_host *host, const struct identity *identity) {
    return host->mode == CONFIG_ENFORCE && identity->status != STATUS_VALID;
}

void decision_count_denied(struct shard *shard, const struct site *site, const struct config_host *host,
                           const struct identity *identity) {
    stats_add(&shard->stats->rejected[STATS_AT_CERTIFICATE][STATS_REJECT_DENIED], 1);
    stats_add(&stats_hosts_at(site->stats, host->index, shard->index)->denied[identity->reason], 1);
}

void decision_count_let_in(struct shard *shard, const struct site *site, const struct config_host *host,
                           const struct identity *identity) {
    if (host->mode != CONFIG_REPORT || identity->status == STATUS_VALID) {
        return;
    }
    stats_add(&stats_hosts_at(site->stats, host->index, shard->index)->would_block[identity->reason], 1);
    if (identity->status == STATUS_INVALID) {
        struct rollout_clients *clients = stats_hosts_rollout_clients(site->stats, host->index, shard->index);

        CHECK(clients != NULL); /* the mode is that of the same configuration */
        rollout_note_client(clients, identity->issuer, identity->ski);
    }
}
