#include "edge/site.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

static int prepare_host(struct site *site, const struct config_host *host, struct tls_tickets *tickets,
                        struct error *error) {
    size_t name_count = host->mode != CONFIG_OFF && host->advertise_ca_names ? trust_count(host->trust) : 0;
    struct bytes *names = calloc(name_count + 1, sizeof *names);
    struct tls_context_options options = {
        .credentials = host->credentials,
        .request_certificate = host->mode != CONFIG_OFF,
        .ca_names = names,
        .ca_names_count = name_count,
        .tickets = site->config->ticket_lifetime_s > 0 ? tickets : NULL,
        .ticket_lifetime_s = site->config->ticket_lifetime_s,
    };
    struct error reason = {"out of memory"};

    if (names != NULL) {
        for (size_t i = 0; i < name_count; i++) {
            names[i] = trust_name(host->trust, i);
        }
        site->contexts[host->index] = tls_context_create(&options, &reason);
        free(names);
    }
    site->absent[host->index] = identity_judge(&host->policy, NULL, 0, false, 0);
    if (site->contexts[host->index] == NULL || site->absent[host->index] == NULL) {
        error_set(error, "host %s: %s", host->name, reason.text);
        return -1;
    }
    return 0;
}

struct site *site_create(struct ring *ring, struct config *config, struct stats_hosts *stats, struct tls_tickets *tickets,
                         uint32_t idle_max, struct error *error) {
    struct site *site = calloc(1, sizeof *site);

    error_set(error, "out of memory");
    if (site == NULL) {
        return NULL;
    }
    site->references = 1;
    site->config = config_retain(config);
    site->stats = stats_hosts_retain(stats);
    site->contexts = calloc(config->host_count, sizeof(struct tls_context *));
    site->absent = calloc(config->host_count, sizeof(struct identity *));
    site->relay = relay_create(ring, config);
    if (site->contexts == NULL || site->absent == NULL || site->relay == NULL) {
        site_release(site);
        return NULL;
    }
    relay_limit_idle(site->relay, idle_max);
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

        relay_watch(site->relay, i, watch ? &counters->origins_down : NULL);
        relay_count_in(site->relay, i, counters);
    }
}

void site_release(struct site *site) {
    CHECK(site->references > 0);
    if (--site->references > 0) {
        return;
    }
    for (size_t i = 0; i < site->config->host_count; i++) {
        if (site->contexts != NULL && site->contexts[i] != NULL) {
            tls_context_free(site->contexts[i]);
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
