/* All relay state of one shard: made, watched, and freed. */
#include "base/check.h"
#include "base/log.h"
#include "config/settings.h"
#include "relay/channel.h"
#include "relay/choose.h"
#include "relay/dispatch.h"
#include "relay/slot.h"

#include <errno.h>
#include <stdlib.h>

_Static_assert((int)RELAY_RESPONSE_HEADERS_MAX == (int)SETTINGS_RESPONSE_HEADERS_MAX, "what may be set is what fits");

/* Returns whether an exchange may need a second buffer: see exchange.h. */
static bool retries_statuses(const struct config *config) {
    for (size_t i = 0; i < config->host_count; i++) {
        if ((config->hosts[i].retry.causes & (CONFIG_RETRY_502 | CONFIG_RETRY_503)) != 0) {
            return true;
        }
    }
    return false;
}

static int make_slabs(struct relay *relay) {
    uint32_t limit = relay->ring->options.streams;

    if (slab_create(&relay->connections, sizeof(struct relay_connection), limit) < 0) {
        return -ENOMEM;
    }
    if (slab_create(&relay->channels, sizeof(struct relay_channel), limit) < 0) {
        goto fail_channels;
    }
    if (slab_create(&relay->exchanges, sizeof(struct relay_exchange), limit) < 0) {
        goto fail_exchanges;
    }
    if (slab_create(&relay->buffers, EXCHANGE_MEMORY_SIZE, retries_statuses(relay->config) ? 2 * limit : limit) < 0) {
        goto fail_buffers;
    }
    return 0;

fail_buffers:
    slab_destroy(&relay->exchanges);
fail_exchanges:
    slab_destroy(&relay->channels);
fail_channels:
    slab_destroy(&relay->connections);
    return -ENOMEM;
}

static int make_host(struct relay_host *host, const struct config_host *configured) {
    host->configured = configured;
    host->up = calloc(configured->origin_count, sizeof *host->up);
    host->has_preface = configured->origin_proxy != CONFIG_ORIGIN_PROXY_OFF;
    host->shares = !configured->origin_pool_off && !host->has_preface;
    host->http2 = configured->origin_http2;
    host->probed = configured->health != NULL;
    host->events_ms = configured->tunnel_idle_ms;
    host->budget.percent = configured->retry.budget;
    list_init(&host->line);
    host->serve.run = dispatch_serve;
    choose_begin(host);
    if (config_count_names(configured) > 0) {
        host->wanted = calloc(configured->origin_count, sizeof(struct relay_addresses *));
        return host->up == NULL || host->wanted == NULL ? -ENOMEM : 0;
    }
    return host->up == NULL ? -ENOMEM : 0;
}

/* Makes the TLS of a host whose origins have it. 0, or -ENOMEM. */
static int make_tls(struct relay *relay, struct relay_host *host) {
    if (host->configured->origin_tls == NULL) {
        return 0;
    }
    struct error error;
    host->tls = tls_origin_open(host->configured, relay->config->prefer_post_quantum == CONFIG_POST_QUANTUM_OFF, &error);
    if (host->tls == NULL) {
        log_error("host %s: no TLS to its origins: %s", host->configured->name, error.text);
        return -ENOMEM;
    }
    relay->tls = relay->tls == NULL ? tls_memory_create(relay->ring) : relay->tls;
    return relay->tls == NULL ? -ENOMEM : 0;
}

/* Makes the origins of a host, whose list has room for them. */
static int make_origins(struct relay *relay, struct relay_host *host) {
    const struct config_host *configured = host->configured;

    for (size_t i = 0; i < configured->origin_count; i++) {
        const struct config_origin *origin = &configured->origins[i];

        for (size_t j = 0; j < origin->address_count; j++) {
            if (slot_begin(relay, host, origin, &origin->addresses[j], config_rank(origin, j)) == NULL) {
                return -ENOMEM;
            }
        }
    }
    return 0;
}

/* Returns how many origins the host may have at once. Where there are names: as many again that leave. */
static uint32_t most_origins(const struct config_host *host) {
    return config_count_names(host) > 0 ? 2 * CONFIG_ORIGIN_ADDRESSES_MAX : (uint32_t)config_count_addresses(host);
}

static int make_hosts(struct relay *relay) {
    const struct config *config = relay->config;
    uint32_t total = 0;

    for (size_t i = 0; i < config->host_count; i++) {
        total += most_origins(&config->hosts[i]);
    }
    relay->hosts = calloc(config->host_count, sizeof *relay->hosts);
    if (relay->hosts == NULL || slab_create(&relay->origins, sizeof(struct relay_origin), total) < 0) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < config->host_count; i++) {
        struct relay_host *host = &relay->hosts[i];

        if (make_host(host, &config->hosts[i]) < 0 || make_tls(relay, host) < 0 || make_origins(relay, host) < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

static void free_wanted(struct relay_host *host) {
    for (size_t i = 0; host->wanted != NULL && i < host->configured->origin_count; i++) {
        relay_addresses_release(host->wanted[i]);
    }
    free(host->wanted);
}

static void free_all(struct relay *relay) {
    if (relay->hosts != NULL) {
        slot_end_all(relay);
        for (size_t i = 0; i < relay->config->host_count; i++) {
            free_wanted(&relay->hosts[i]);
            free(relay->hosts[i].origins);
            free(relay->hosts[i].up);
            choose_end(&relay->hosts[i]);
            tls_origin_context_free(relay->hosts[i].tls);
        }
    }
    tls_memory_free(relay->tls);
    slab_destroy(&relay->origins);
    free(relay->hosts);
    free(relay);
}

struct relay *relay_create(struct ring *ring, const struct config *config) {
    struct relay *relay = calloc(1, sizeof *relay);

    if (relay == NULL) {
        return NULL;
    }
    relay->ring = ring;
    relay->config = config;
    list_init(&relay->idle);
    list_init(&relay->owned);
    list_init(&relay->put_off);
    list_init(&relay->leaving);
    relay->end_unused.run = slot_end_unused;
    relay->begin.run = exchange_begin_put_off;
    relay->idle_total_max = RELAY_IDLE_TOTAL_MAX;
    relay->owned_total_max = RELAY_OWNED_MAX;
    relay->shards = 1;
    relay->channels_max = RELAY_CHANNELS_MAX;
    relay->waiting_max = RELAY_WAITING_MAX;
    relay->timeouts = (struct relay_timeouts){
        .idle_ms = RELAY_IDLE_TIMEOUT_MS,
        .fresh_ms = RELAY_FRESH_MS,
        .down_ms = RELAY_DOWN_MS,
        .line_ms = RELAY_LINE_MS,
        .ping_ms = RELAY_PING_MS,
        .ping_again_ms = RELAY_PING_AGAIN_MS,
    };
    if (make_hosts(relay) < 0 || make_slabs(relay) < 0) {
        free_all(relay);
        return NULL;
    }
    return relay;
}

void relay_limit_idle(struct relay *relay, uint32_t most) {
    CHECK(relay->idle_total == 0 && most >= 1 && most <= RELAY_IDLE_TOTAL_MAX);
    relay->idle_total_max = most;
}

void relay_share(struct relay *relay, uint32_t shards) {
    CHECK(relay_is_idle(relay) && shards >= 1);
    relay->shards = shards;
    for (size_t i = 0; i < relay->config->host_count; i++) {
        for (uint32_t j = 0; j < relay->hosts[i].count; j++) {
            choose_share(relay->hosts[i].origins[j], shards);
        }
    }
}

int relay_heed(struct relay *relay, struct health_board *board) {
    relay->board = board;
    for (size_t i = 0; i < relay->config->host_count; i++) {
        for (uint32_t j = 0; j < relay->hosts[i].count; j++) {
            if (slot_heed(relay, relay->hosts[i].origins[j]) < 0) {
                return -ENOMEM;
            }
        }
    }
    return 0;
}

void relay_watch(struct relay *relay, size_t host, _Atomic uint64_t *down) {
    origin_tell(&relay->hosts[host], down);
}

void relay_count_in(struct relay *relay, size_t host, struct stats_host *counters) {
    relay->hosts[host].counters = counters;
}

void relay_close(struct relay *relay) {
    relay->closing = true;
    pool_empty(relay);
    channel_close_idle(relay);
}

bool relay_is_idle(const struct relay *relay) {
    return relay->connections.in_use == 0 && relay->channels.in_use == 0 && relay->exchanges.in_use == 0;
}

void relay_free(struct relay *relay) {
    CHECK(relay_is_idle(relay) && relay->buffers.in_use == 0);
    ring_forget(&relay->begin);
    ring_forget(&relay->end_unused);
    for (size_t i = 0; i < relay->config->host_count; i++) {
        ring_forget(&relay->hosts[i].serve);
    }
    slab_destroy(&relay->buffers);
    slab_destroy(&relay->exchanges);
    slab_destroy(&relay->channels);
    slab_destroy(&relay->connections);
    free_all(relay);
}
