#include "relay/slot.h"

#include "base/bits.h"
#include "base/check.h"
#include "relay/channel.h"
#include "relay/choose.h"

#include <errno.h>
#include <stdio.h>

_Static_assert((int)DNS_SET_MAX <= (int)BITS_MAX, "each address of a set has a bit");

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

/* Puts the origin on its host's list. 0 or a negative errno. */
static int enlist(struct relay *relay, struct relay_origin *origin) {
    int error = choose_add(origin);

    if (error < 0) {
        return error;
    }
    error = origin_join(origin);
    if (error < 0) {
        choose_remove(origin);
        return error;
    }
    choose_share(origin, relay->shards);
    relay->origin_count++;
    return 0;
}

struct relay_origin *slot_begin(struct relay *relay, struct relay_host *host, const struct config_origin *configured,
                                const struct config_address *address, struct dns_rank rank) {
    if (!has_room(relay, host)) {
        return NULL;
    }
    struct relay_origin *origin = slab_take(&relay->origins);
    *origin = (struct relay_origin){
        .host = host,
        .configured = configured,
        .address = *address,
        .rank = rank,
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
    if (enlist(relay, origin) < 0) {
        tls_origin_end(&origin->tls);
        health_board_give(relay->board, origin->health);
        slab_give(&relay->origins, origin);
        return NULL;
    }
    return origin;
}

/* Takes the origin off its host's list. */
static void unlist(struct relay *relay, struct relay_origin *origin) {
    choose_remove(origin);
    origin_part(origin);
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
            struct relay_origin *origin = relay->hosts[i].origins[relay->hosts[i].count - 1];

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
    if (enlist(relay, origin) < 0) {
        return false;
    }
    list_remove(&origin->in_leaving);
    origin->leaves = false;
    return true;
}

/* The way from the addresses that an item of the configuration had to those that it has now. */
struct plan {
    struct relay *relay;
    struct relay_host *host;
    const struct config_origin *configured;
    const struct dns_set *set; /* the addresses that it stands for now */
    struct bits there;         /* those of the set, by place, that the host has */
    uint32_t looked_at;        /* of the host's list: none before this place is gone */
};

/* Returns the place of the origin's address in the set, or set->count: it is gone. */
static size_t place_of(const struct plan *plan, const struct relay_origin *origin) {
    return dns_set_find(plan->set, (const struct sockaddr *)&origin->address.address, origin->address.size);
}

/* The address has the rank of the set from now on. Where memory is short it keeps the one that it has. */
static void take_rank(const struct plan *plan, struct relay_origin *origin, size_t place) {
    const struct dns_rank *rank = &plan->set->items[place].rank;

    if (!dns_rank_equal(&origin->rank, rank)) {
        choose_rank(origin, *rank);
    }
}

static void find_those_there(struct plan *plan) {
    for (uint32_t i = 0; i < plan->host->count; i++) {
        struct relay_origin *origin = plan->host->origins[i];
        size_t place = origin->configured == plan->configured ? place_of(plan, origin) : plan->set->count;

        if (place < plan->set->count) {
            bits_add(&plan->there, place);
            take_rank(plan, origin, place);
        }
    }
}

/* Returns one whose address is gone; NULL: there is none. */
static struct relay_origin *next_gone(struct plan *plan) {
    for (; plan->looked_at < plan->host->count; plan->looked_at++) {
        struct relay_origin *origin = plan->host->origins[plan->looked_at];

        if (origin->configured == plan->configured && place_of(plan, origin) == plan->set->count) {
            return origin;
        }
    }
    return NULL;
}

/* In a full host one whose address is gone leaves. False: there is no room for one more. */
static bool make_room(struct plan *plan) {
    if (plan->host->count == CONFIG_ORIGIN_ADDRESSES_MAX) {
        struct relay_origin *gone = next_gone(plan);

        if (gone == NULL) {
            return false;
        }
        leave(plan->relay, gone);
    }
    return true;
}

/* Has origins go on that leave, and whose addresses have come back. False: there is no room for all. */
static bool call_back(struct plan *plan) {
    struct relay *relay = plan->relay;

    for (struct list *link = list_first(&relay->leaving); link != NULL;) {
        struct relay_origin *origin = of_leaving_link(link);
        size_t place = origin->configured == plan->configured ? place_of(plan, origin) : plan->set->count;

        link = list_after(&relay->leaving, link);
        if (place == plan->set->count || bits_has(&plan->there, place)) {
            continue;
        }
        origin->rank = plan->set->items[place].rank;
        if (!make_room(plan) || !stay(relay, origin)) {
            return false;
        }
        bits_add(&plan->there, place);
    }
    return true;
}

/* Has the host use those addresses that it does not have yet. False: there is no room for all. */
static bool begin_new(struct plan *plan) {
    for (size_t i = 0; i < plan->set->count; i++) {
        if (bits_has(&plan->there, i)) {
            continue;
        }
        char text[ADDRESS_TEXT_SIZE];
        const struct dns_item *item = &plan->set->items[i];
        struct config_address copy = {.size = dns_address_size(&item->address), .text = text};
        memcpy(&copy.address, &item->address, copy.size);
        address_write(&copy, text);
        if (plan->relay->origins.in_use == plan->relay->origins.limit || !make_room(plan) ||
            slot_begin(plan->relay, plan->host, plan->configured, &copy, item->rank) == NULL) {
            return false;
        }
    }
    return true;
}

/* Those that are new begin before others leave, so that the host never has none; but for a full host, one by one. */
static void reconcile(struct relay *relay, struct relay_host *host, const struct config_origin *configured,
                      const struct dns_set *set) {
    struct plan plan = {.relay = relay, .host = host, .configured = configured, .set = set};

    find_those_there(&plan);
    if (!call_back(&plan) || !begin_new(&plan)) {
        host->short_of_room = true;
        return;
    }
    for (struct relay_origin *gone; (gone = next_gone(&plan)) != NULL;) {
        leave(relay, gone);
    }
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
