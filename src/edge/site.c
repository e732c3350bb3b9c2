#include "edge/site.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

/* Makes a context for each certificate of the host. */
static bool create_contexts(struct site *site, const struct config_host *host, struct tls_tickets *tickets,
                            const struct bytes *names, size_t name_count, struct error *error) {
    for (size_t i = 0; i < host->certificate_count; i++) {
        struct tls_context_options options = {
            .credentials = host->certificates[i].credentials,
            .request_certificate = host->mode != CONFIG_OFF,
            .ca_names = names,
            .ca_names_count = name_count,
            .without_hybrids = site->config->prefer_post_quantum == CONFIG_POST_QUANTUM_OFF,
            .tickets = site->config->ticket_lifetime_s > 0 ? tickets : NULL,
            .ticket_lifetime_s = site->config->ticket_lifetime_s,
        };

        site->contexts[host->index][i] = tls_context_create(&options, error);
        if (site->contexts[host->index][i] == NULL) {
            return false;
        }
    }
    return true;
}

static int prepare_host(struct site *site, const struct config_host *host, struct tls_tickets *tickets,
                        struct error *error) {
    size_t name_count = host->mode != CONFIG_OFF && host->advertise_ca_names ? trust_count(host->trust) : 0;
    struct bytes *names = calloc(name_count + 1, sizeof *names);
    struct error reason = {"out of memory"};
    bool good = names != NULL;

    for (size_t i = 0; good && i < name_count; i++) {
        names[i] = trust_name(host->trust, i);
    }
    good = good && create_contexts(site, host, tickets, names, name_count, &reason);
    free(names);
    site->absent[host->index] = identity_judge(&host->policy, NULL, 0, false, 0);
    if (!good || site->absent[host->index] == NULL) {
        error_set(error, "host %s: %s", host->name, reason.text);
        return -1;
    }
    return 0;
}

struct site *site_create(struct ring *ring, struct config *config, struct stats_hosts *stats, struct tls_tickets *tickets,
                         struct health_board *health, uint32_t idle_max, struct error *error) {
    struct site *site = calloc(1, sizeof *site);

    error_set(error, "out of memory");
    if (site == NULL) {
        return NULL;
    }
    site->references = 1;
    site->config = config_retain(config);
    site->stats = stats_hosts_retain(stats);
    site->contexts = calloc(config->host_count, sizeof *site->contexts);
    site->absent = calloc(config->host_count, sizeof(struct identity *));
    site->relay = relay_create(ring, config);
    if (site->contexts == NULL || site->absent == NULL || site->relay == NULL || relay_heed(site->relay, health) < 0) {
        site_release(site);
        return NULL;
    }
    relay_limit_idle(site->relay, idle_max);
    relay_share(site->relay, stats_hosts_shards(stats));
    for (size_t i = 0; i < config->host_count; i++) {
        if (prepare_host(site, &config->hosts[i], tickets, error) < 0) {
            site_release(site);
            return NULL;
        }
    }
    return site;
}

struct site *site_retain(struct site *site) {
    site->references++;
    return site;
}

void site_watch_origins(struct site *site, unsigned shard, bool watch) {
    for (size_t i = 0; i < site->config->host_count; i++) {
        struct stats_host *counters = stats_hosts_at(site->stats, i, shard);

        relay_watch(site->relay, i, watch ? counters->origins_down : NULL);
        relay_count_in(site->relay, i, counters);
    }
}

void site_release(struct site *site) {
    CHECK(site->references > 0);
    if (--site->references > 0) {
        return;
    }
    for (size_t i = 0; i < site->config->host_count; i++) {
        for (size_t j = 0; site->contexts != NULL && j < CONFIG_CERTIFICATES_MAX; j++) {
            tls_context_free(site->contexts[i][j]);
        }
        if (site->absent != NULL) {
            identity_release(site->absent[i]);
        }
    }
    if (site->relay != NULL) {
        relay_free(site->relay);
    }
    free(site->contexts);
    free(site->absent);
    stats_hosts_release(site->stats);
    config_release(site->config);
    free(site);
}
