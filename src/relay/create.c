/* All relay state of one shard: made, watched, and freed. */
#include "base/check.h"
#include "config/settings.h"
#include "relay/channel.h"

#include <errno.h>
#include <stdlib.h>

_Static_assert((int)RELAY_RESPONSE_HEADERS_MAX == (int)SETTINGS_RESPONSE_HEADERS_MAX, "what may be set is what fits");

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
    if (slab_create(&relay->buffers, EXCHANGE_MEMORY_SIZE, limit) < 0) {
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

static int make_hosts(struct relay *relay) {
    const struct config *config = relay->config;
    uint32_t next = 0;

    for (size_t i = 0; i < config->host_count; i++) {
        relay->origin_count += (uint32_t)config->hosts[i].origin_count;
    }
    relay->hosts = calloc(config->host_count, sizeof *relay->hosts);
    relay->origins = calloc(relay->origin_count, sizeof *relay->origins);
    if (relay->hosts == NULL || relay->origins == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < config->host_count; i++) {
        struct relay_host *host = &relay->hosts[i];

        host->origins = relay->origins + next;
        host->count = (uint32_t)config->hosts[i].origin_count;
        host->name = config->hosts[i].name;
        host->has_preface = config->hosts[i].origin_proxy != CONFIG_ORIGIN_PROXY_OFF;
        host->shares = !config->hosts[i].origin_pool_off && !host->has_preface;
        host->http2 = config->hosts[i].origin_http2;
        host->events_ms = config->hosts[i].tunnel_idle_ms;
        CHECK(host->count >= 1 && host->count <= CONFIG_ORIGIN_ADDRESSES_MAX);
        for (uint32_t j = 0; j < host->count; j++) {
            host->origins[j].host = host;
            list_init(&host->origins[j].idle);
            list_init(&host->origins[j].channels);
            list_init(&host->origins[j].waiting);
            host->origins[j].streams_max = 1;
            host->origins[j].configured = &config->hosts[i].origins[j];
        }
        next += host->count;
    }
    return 0;
}

static void free_all(struct relay *relay) {
    free(relay->hosts);
    free(relay->origins);
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
    relay->begin.run = exchange_begin_put_off;
    relay->idle_total_max = RELAY_IDLE_TOTAL_MAX;
    relay->owned_total_max = RELAY_OWNED_MAX;
    relay->channels_max = RELAY_CHANNELS_MAX;
    relay->waiting_max = RELAY_WAITING_MAX;
    relay->timeouts = (struct relay_timeouts){
        .idle_ms = RELAY_IDLE_TIMEOUT_MS,
        .fresh_ms = RELAY_FRESH_MS,
        .down_ms = RELAY_DOWN_MS,
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

void relay_watch(struct relay *relay, size_t host, _Atomic uint64_t *down) {
    struct relay_host *watched = &relay->hosts[host];

    if (down != NULL) {
        atomic_store_explicit(down, 0, memory_order_relaxed);
    }
    for (uint32_t i = 0; i < watched->count; i++) {
        watched->origins[i].down = down;
        watched->origins[i].down_bit = UINT64_C(1) << i;
    }
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
    slab_destroy(&relay->buffers);
    slab_destroy(&relay->exchanges);
    slab_destroy(&relay->channels);
    slab_destroy(&relay->connections);
    free_all(relay);
}
