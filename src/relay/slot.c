#include "relay/slot.h"

#include "base/check.h"
#include "relay/channel.h"
#include "relay/choose.h"

#include <errno.h>
#include <stdio.h>

static bool has_room(const struct relay *relay, const struct relay_host *host) {
    return host->count < CONFIG_ORIGIN_ADDRESSES_MAX && relay->origins.in_use < relay->origins.limit;
}

int slot_heed(struct relay *relay, struct relay_origin *origin) {
    if (relay->board == NULL || !origin->host->probed) {
        return 0;
    }
    origin->health = health_board_take(relay->board, origin->host->configured->name,
                                       (const struct sockaddr *)&origin->address.address, origin->address.size);
    return origin->health == NULL ? -ENOMEM : 0;
}

struct relay_origin *slot_begin(struct relay *relay, struct relay_host *host, const struct config_origin *configured,
                                const struct config_address *address) {
    if (!has_room(relay, host)) {
        return NULL;
    }
    struct relay_origin *origin = slab_take(&relay->origins);
    *origin = (struct relay_origin){
        .host = host,
        .configured = configured,
        .address = *address,
        .streams_max = 1,
    };
    origin->address.text = origin->text;
    if (slot_heed(relay, origin) < 0) {
        slab_give(&relay->origins, origin);
        return NULL;
    }
    snprintf(origin->text, sizeof origin->text, "%s", address->text);
    if (host->tls != NULL) {
        tls_origin_begin(&origin->tls, host->configured->origin_tls, configured->tls_name, host->http2, host->tls);
    }
    list_init(&origin->idle);
    list_init(&origin->channels);
    list_init(&origin->waiting);
    if (choose_add(origin) < 0) {
        tls_origin_end(&origin->tls);
        health_board_give(relay->board, origin->health);
        slab_give(&relay->origins, origin);
        return NULL;
    }
    choose_share(origin, relay->shards);
    host->origins[host->count++] = origin;
    relay->origin_count++;
    return origin;
}

/* Takes the origin off its host's list. */
static void unlist(struct relay *relay, struct relay_origin *origin) {
    struct relay_host *host = origin->host;
    uint32_t place = 0;

    while (host->origins[place] != origin) {
        place++;
    }
    choose_remove(origin);
    host->count--;
    memmove(&host->origins[place], &host->origins[place + 1], (host->count - place) * sizeof(struct relay_origin *));
    relay->origin_count--;
}

static void end(struct relay *relay, struct relay_origin *origin) {
    CHECK(origin->uses == 0 && list_is_empty(&origin->idle) && list_is_empty(&origin->channels) &&
          list_is_empty(&origin->waiting));
    tls_origin_end(&origin->tls);
    health_board_give(relay->board, origin->health);
    slab_give(&relay->origins, origin);
}

static struct relay_origin *of_leaving_link(struct list *link) {
    return CONTAINER_OF(link, struct relay_origin, in_leaving);
}

void slot_end_all(struct relay *relay) {
    for (size_t i = 0; i < relay->config->host_count; i++) {
        while (relay->hosts[i].count > 0) {
            struct relay_origin *origin = relay->hosts[i].origins[0];

            unlist(relay, origin);
            end(relay, origin);
        }
    }
    for (struct list *link; (link = list_first(&relay->leaving)) != NULL;) {
        list_remove(link);
        end(relay, of_leaving_link(link));
    }
}

static void leave(struct relay *relay, struct relay_origin *origin) {
    unlist(relay, origin);
    origin->leaves = true;
    list_append(&relay->leaving, &origin->in_leaving);
    origin->uses++; /* the ends of idle connections are not to end it within the next calls */
    pool_empty_origin(relay, origin);
    channel_close_idle_of(origin);
    pool_let_go(relay, origin);
}

/* Has an origin whose address has come back go on. False: out of memory. */
static bool stay(struct relay *relay, struct relay_origin *origin) {
    struct relay_host *host = origin->host;

    if (choose_add(origin) < 0) {
        return false;
    }
    list_remove(&origin->in_leaving);
    origin->leaves = false;
    choose_share(origin, relay->shards);
    host->origins[host->count++] = origin;
    relay->origin_count++;
    return true;
}

static bool is_at(const struct relay_origin *origin, const union dns_address *address) {
    return origin->address.size == dns_address_size(address) &&
           memcmp(&origin->address.address, address, origin->address.size) == 0;
}

static bool is_wanted(const struct relay_origin *origin, const struct dns_set *set) {
    for (size_t i = 0; i < set->count; i++) {
        if (is_at(origin, &set->items[i])) {
            return true;
        }
    }
    return false;
}

static struct relay_origin *find(const struct relay_host *host, const struct config_origin *configured,
                                 const union dns_address *address) {
    for (uint32_t i = 0; i < host->count; i++) {
        if (host->origins[i]->configured == configured && is_at(host->origins[i], address)) {
            return host->origins[i];
        }
    }
    return NULL;
}

static struct relay_origin *find_leaving(const struct relay *relay, const struct config_origin *configured,
                                         const union dns_address *address) {
    for (struct list *link = list_first(&relay->leaving); link != NULL; link = list_after(&relay->leaving, link)) {
        struct relay_origin *origin = of_leaving_link(link);

        if (origin->configured == configured && is_at(origin, address)) {
            return origin;
        }
    }
    return NULL;
}

/* Returns one whose address is gone; NULL: there is none. */
static struct relay_origin *find_gone(const struct relay_host *host, const struct config_origin *configured,
                                      const struct dns_set *set) {
    for (uint32_t i = 0; i < host->count; i++) {
        if (host->origins[i]->configured == configured && !is_wanted(host->origins[i], set)) {
            return host->origins[i];
        }
    }
    return NULL;
}

/* Has the host use one address more. False: there is no room. */
static bool add(struct relay *relay, struct relay_host *host, const struct config_origin *configured,
                const union dns_address *address) {
    struct relay_origin *back = find_leaving(relay, configured, address);

    if (back != NULL && host->count < CONFIG_ORIGIN_ADDRESSES_MAX) {
        return stay(relay, back);
    }
    char text[ADDRESS_TEXT_SIZE];
    struct config_address copy = {.size = dns_address_size(address), .text = text};
    memcpy(&copy.address, address, copy.size);
    address_write(&copy, text);
    return slot_begin(relay, host, configured, &copy) != NULL;
}

/* Those that are new begin before others leave, so that the host never has none; but for a full host, one by one. */
static void reconcile(struct relay *relay, struct relay_host *host, const struct config_origin *configured,
                      const struct dns_set *set) {
    bool complete = true;

    for (size_t i = 0; i < set->count && complete; i++) {
        if (find(host, configured, &set->items[i]) != NULL) {
            continue;
        }
        struct relay_origin *gone = find_gone(host, configured, set);
        if (host->count == CONFIG_ORIGIN_ADDRESSES_MAX && gone != NULL && relay->origins.in_use < relay->origins.limit) {
            leave(relay, gone);
        }
        complete = add(relay, host, configured, &set->items[i]);
    }
    for (struct relay_origin *gone; complete && (gone = find_gone(host, configured, set)) != NULL;) {
        leave(relay, gone);
    }
    host->short_of_room = host->short_of_room || !complete;
    origin_tell_of(host, configured);
}

void slot_take(struct relay *relay, struct relay_host *host, const struct config_origin *configured,
               struct relay_addresses *addresses) {
    size_t place = (size_t)(configured - host->configured->origins);

    CHECK(host->wanted != NULL && place < host->configured->origin_count);
    relay_addresses_retain(addresses);
    relay_addresses_release(host->wanted[place]);
    host->wanted[place] = addresses;
    if (!relay->closing) {
        reconcile(relay, host, configured, &addresses->set);
    }
}

void relay_take_addresses(struct relay *relay, size_t host, size_t origin, struct relay_addresses *addresses) {
    CHECK(host < relay->config->host_count);
    slot_take(relay, &relay->hosts[host], &relay->config->hosts[host].origins[origin], addresses);
}

/* There is room again: addresses that had to wait for it have their turn. */
static void catch_up(struct relay *relay, struct relay_host *host) {
    host->short_of_room = false;
    for (size_t i = 0; i < host->configured->origin_count; i++) {
        if (host->wanted[i] != NULL) {
            reconcile(relay, host, &host->configured->origins[i], &host->wanted[i]->set);
        }
    }
}

void slot_end_unused(struct ring_task *task) {
    struct relay *relay = CONTAINER_OF(task, struct relay, end_unused);

    for (struct list *link = list_first(&relay->leaving); link != NULL;) {
        struct relay_origin *origin = of_leaving_link(link);

        link = list_after(&relay->leaving, link);
        if (origin->uses == 0) {
            list_remove(&origin->in_leaving);
            end(relay, origin);
        }
    }
    for (size_t i = 0; i < relay->config->host_count && !relay->closing; i++) {
        if (relay->hosts[i].short_of_room) {
            catch_up(relay, &relay->hosts[i]);
        }
    }
}
