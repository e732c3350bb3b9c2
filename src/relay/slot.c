#include "relay/slot.h"

#include "base/check.h"

#include <stdio.h>

/* Returns a bit that no other origin of the host has. */
static uint64_t free_bit(const struct relay_host *host) {
    uint64_t taken = 0;

    for (uint32_t i = 0; i < host->count; i++) {
        taken |= host->origins[i]->bit;
    }
    return ~taken & (taken + 1);
}

struct relay_origin *slot_begin(struct relay *relay, struct relay_host *host, const struct config_origin *configured,
                                const struct config_address *address) {
    CHECK(host->count < CONFIG_ORIGIN_ADDRESSES_MAX);
    struct relay_origin *origin = slab_take(&relay->origins);

    if (origin == NULL) {
        return NULL;
    }
    *origin = (struct relay_origin){
        .host = host,
        .configured = configured,
        .address = *address,
        .bit = free_bit(host),
        .streams_max = 1,
    };
    origin->address.text = origin->text;
    snprintf(origin->text, sizeof origin->text, "%s", address->text);
    if (host->tls != NULL) {
        tls_origin_begin(&origin->tls, host->configured->origin_tls, configured->tls_name, host->http2, host->tls);
    }
    list_init(&origin->idle);
    list_init(&origin->channels);
    list_init(&origin->waiting);
    host->origins[host->count++] = origin;
    relay->origin_count++;
    return origin;
}

void slot_end(struct relay *relay, struct relay_origin *origin) {
    struct relay_host *host = origin->host;
    uint32_t place = 0;

    CHECK(list_is_empty(&origin->idle) && list_is_empty(&origin->channels) && list_is_empty(&origin->waiting));
    while (host->origins[place] != origin) {
        place++;
    }
    tls_origin_end(&origin->tls);
    host->count--;
    memmove(&host->origins[place], &host->origins[place + 1], (host->count - place) * sizeof(struct relay_origin *));
    relay->origin_count--;
    slab_give(&relay->origins, origin);
}
