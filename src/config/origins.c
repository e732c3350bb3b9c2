#include "config/origins.h"

#include "base/check.h"
#include "config/memory.h"
#include "config/name_lookups.h"
#include "config/service.h"
#include "config/units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool has_origin(const struct config_host *host, const char *text) {
    for (size_t i = 0; i < host->origin_count; i++) {
        if (strcmp(host->origins[i].text, text) == 0) {
            return true;
        }
    }
    return false;
}

/*
 * Reads `timeouts`: those towards an origin, with those of `absent` in place of what is not set, and for a host the idle
 * time of tunnels, which are between a client and its origin. `what` is the path of the mapping in messages.
 */
static void load_timeouts(const struct loader *loader, const struct document_node *node, const char *what,
                          const struct config_timeouts *absent, struct config_timeouts *timeouts, uint32_t *tunnel_idle_ms) {
    const struct value_key keys[] = {
        value_key_duration("connect", &timeouts->connect_ms, absent->connect_ms, 10, 5 * UNITS_MINUTE_MS),
        value_key_duration("response", &timeouts->response_ms, absent->response_ms, 100, 24 * UNITS_HOUR_MS),
        value_key_duration("body", &timeouts->body_ms, absent->body_ms, 100, 24 * UNITS_HOUR_MS),
        value_key_duration("tunnel_idle", tunnel_idle_ms, 1 * UNITS_HOUR_MS, 100, 7 * 24 * UNITS_HOUR_MS),
    };
    value_mapping(loader, node, what, keys, ARRAY_LENGTH(keys) - (tunnel_idle_ms == NULL));
}

static enum config_origin_kind kind_of(const char *text) {
    if (address_is_unix(text)) {
        return CONFIG_ORIGIN_UNIX;
    }
    if (service_is(text)) {
        return CONFIG_ORIGIN_SERVICE;
    }
    return address_is_name(text) ? CONFIG_ORIGIN_NAME : CONFIG_ORIGIN_DIGITS;
}

/* Says why there is no address. */
static void refuse_answer(const struct name_answer *answer, struct error *error) {
    if (answer == NULL || answer->stopped) {
        error_set(error, "was not looked up: the load was ended before");
    } else if (answer->result == DNS_OK) {
        error_set(error, "does not resolve: its domain says that it does not offer the service");
    } else {
        error_set(error, "does not resolve: %s; correct the name, or write its address", dns_result_text(answer->result));
    }
}

/* The address is used although there is no good answer for it, as the server has it already. */
static void warn_of_answer(const struct loader *loader, const struct document_node *node, const char *text,
                           const struct name_answer *answer) {
    if (answer->result == DNS_OK) {
        loader_warning(loader, node,
                       "address \"%s\": its domain says that it does not offer the service; it has no addresses", text);
    } else {
        loader_warning(loader, node, "address \"%s\": does not resolve: %s; the addresses that it had are kept", text,
                       dns_result_text(answer->result));
    }
}

/*
 * Makes the addresses, and of a service their ranks, of the answer for a name or service. Returns their number, or -EINVAL
 * with `error`.
 */
static int take_answer(const struct loader *loader, const struct document_node *node, struct config_origin *origin,
                       struct config_address *found, struct error *error) {
    const struct name_answer *answer = name_lookups_find(loader->lookups, origin->text);
    if (answer == NULL || (answer->found.count == 0 && !answer->known)) {
        refuse_answer(answer, error);
        return -EINVAL;
    }
    if (origin->kind == CONFIG_ORIGIN_SERVICE) {
        origin->ranks = memory_allocate(answer->found.count + 1, sizeof *origin->ranks);
    }
    for (size_t i = 0; i < answer->found.count; i++) {
        address_of_dns(&answer->found.items[i].address, &found[i]);
        if (origin->ranks != NULL) {
            origin->ranks[i] = answer->found.items[i].rank;
        }
    }
    origin->ttl_s = answer->ttl_s;
    if (answer->known) {
        warn_of_answer(loader, node, origin->text, answer);
    }
    if (answer->found.cut) {
        loader_warning(loader, node, "address \"%s\": has more than %d addresses; the rest is not used", origin->text,
                       CONFIG_ORIGIN_ADDRESSES_MAX);
    }
    return (int)answer->found.count;
}

/* Finds what the text stands for. Returns the number of addresses, or -EINVAL with `error`. */
static int find(const struct loader *loader, const struct document_node *node, struct config_origin *origin,
                struct config_address *found, struct error *error) {
    int result;
    origin->ttl_s = UINT32_MAX;
    switch (origin->kind) {
    case CONFIG_ORIGIN_UNIX:
        result = address_unix(origin->text, loader->directory, &found[0], error);
        break;
    case CONFIG_ORIGIN_SERVICE:
        result = service_check(origin->text, error);
        break;
    default:
        result = address_read(origin->text, &found[0], error);
        break;
    }
    if (result < 0) {
        return result;
    }
    return config_is_name(origin) ? take_answer(loader, node, origin, found, error) : 1;
}

/*
 * Makes the addresses of an origin. Reports a problem at `node`, also when the host has no room for all of them; then the
 * first ones are kept. False: there are none, nor may there be.
 */
static bool find_addresses(const struct loader *loader, const struct document_node *node, size_t room,
                           struct config_origin *origin) {
    size_t capacity = config_is_name(origin) ? CONFIG_ORIGIN_ADDRESSES_MAX : 1;
    struct config_address *found = memory_allocate(capacity, sizeof *found);
    struct error error;
    int count = find(loader, node, origin, found, &error);
    if (count < 0) {
        loader_problem(loader, node, "address \"%s\": %s", origin->text, error.text);
        free(found);
        return false;
    }
    size_t kept = (size_t)count < room ? (size_t)count : room;
    if (kept < (size_t)count && (kept == 0 || !config_is_name(origin))) {
        loader_problem(loader, node, "address \"%s\": more than %d origin addresses for one host", origin->text,
                       CONFIG_ORIGIN_ADDRESSES_MAX);
    } else if (kept < (size_t)count) {
        loader_warning(loader, node,
                       "address \"%s\": has %d addresses, and the host has more than %d then; the rest is not used",
                       origin->text, count, CONFIG_ORIGIN_ADDRESSES_MAX);
    }
    for (size_t i = kept; i < (size_t)count; i++) {
        free(found[i].text);
    }
    origin->addresses = memory_allocate(kept + 1, sizeof *found);
    origin->address_count = kept;
    memcpy(origin->addresses, found, kept * sizeof *found);
    free(found);
    return kept > 0 || count == 0;
}

/* Adds an origin to the host, unless it has no address and needs one: what `read` has, and its addresses. */
static void add_origin(const struct loader *loader, const struct document_node *node, const char *text,
                       const struct config_origin *read, struct config_host *host) {
    size_t room = CONFIG_ORIGIN_ADDRESSES_MAX - config_count_addresses(host);
    struct config_origin origin = *read;
    origin.text = memory_copy_string(text);
    origin.kind = kind_of(text);
    if (find_addresses(loader, node, room, &origin)) {
        host->origins[host->origin_count++] = origin;
    } else {
        free(origin.addresses);
        free(origin.ranks);
        free(origin.text);
    }
}

static void load_origin(const struct loader *loader, const struct document_node *node,
                        const struct config_timeouts *host_timeouts, struct config_host *host) {
    const struct document_node *address = NULL;
    const struct document_node *timeouts_node = NULL;
    struct choice_origin_nodes choice;
    const struct value_key keys[] = {
        value_key_required("address", &address),
        value_key_optional("timeouts", &timeouts_node),
        value_key_optional("weight", &choice.weight),
        value_key_optional("backup", &choice.backup),
        value_key_optional("in_flight", &choice.in_flight),
    };
    value_mapping(loader, node, "an origin", keys, ARRAY_LENGTH(keys));
    struct config_origin read = {0};
    load_timeouts(loader, timeouts_node, "an origin's timeouts", host_timeouts, &read.timeouts, NULL);
    choice_load_origin(loader, &choice, &read);
    const char *text = value_address(loader, address, "127.0.0.1");
    if (text != NULL && service_is(text) && choice.weight != NULL) {
        loader_problem(loader, choice.weight,
                       "weight does not go with a service: its SRV records have the weights; leave weight out");
    }
    if (text != NULL && has_origin(host, text)) {
        loader_warning(
            loader, address,
            "address \"%s\" is listed twice: it counts once, as the first item says; use weight for a larger part "
            "of the requests",
            text);
    } else if (text != NULL) {
        add_origin(loader, address, text, &read, host);
    }
}

static void load_list(const struct loader *loader, const struct document_node *list, const struct config_timeouts *timeouts,
                      struct config_host *host) {
    if (!value_list(loader, list, "origin")) {
        return;
    }
    size_t items = 0;
    for (const struct document_node *item = list->first; item != NULL; item = item->next) {
        items++;
    }
    host->origins = memory_allocate(items, sizeof *host->origins);
    for (const struct document_node *item = list->first; item != NULL; item = item->next) {
        load_origin(loader, item, timeouts, host);
    }
}

static void load_pool(const struct loader *loader, const struct document_node *node, struct config_host *host) {
    static const char *const words[] = {"on", "off"};
    size_t index = 0;
    value_choice(loader, node, "origin_pool", words, ARRAY_LENGTH(words), &index);
    host->origin_pool_off = index == 1;
}

/* A connection of HTTP/2 carries the requests of many clients at once, and none is any client's own. */
static void load_protocol(const struct loader *loader, const struct document_node *node, const struct document_node *pool,
                          struct config_host *host) {
    static const char *const words[] = {"http1", "http2"};
    size_t index = 0;
    value_choice(loader, node, "origin_protocol", words, ARRAY_LENGTH(words), &index);
    host->origin_http2 = index == 1;
    if (host->origin_http2 && host->origin_pool_off) {
        loader_problem(loader, pool,
                       "origin_pool: off does not go with origin_protocol: http2, since a connection of HTTP/2 carries "
                       "requests of all clients; leave one of the two out");
    }
}

/*
 * Behind load_protocol: the header names one client. Without HTTP there are no headers, and this one is how the origin
 * learns who the client is.
 */
static void load_proxy_protocol(const struct loader *loader, const struct document_node *node, struct config_host *host) {
    static const char *const words[] = {
        [CONFIG_ORIGIN_PROXY_OFF] = "off", [CONFIG_ORIGIN_PROXY_V1] = "v1", [CONFIG_ORIGIN_PROXY_V2] = "v2"};
    size_t index = host->is_tcp ? CONFIG_ORIGIN_PROXY_V2 : CONFIG_ORIGIN_PROXY_OFF;
    value_choice(loader, node, "origin_proxy_protocol", words, ARRAY_LENGTH(words), &index);
    host->origin_proxy = (enum config_origin_proxy)index;
    if (host->origin_http2 && host->origin_proxy != CONFIG_ORIGIN_PROXY_OFF) {
        loader_problem(loader, node,
                       "origin_proxy_protocol: %s does not go with origin_protocol: http2, since a connection of HTTP/2 "
                       "carries requests of all clients, and the header names one; leave one of the two out",
                       words[index]);
    }
}

void origins_load(const struct loader *loader, const struct origins_nodes *nodes, struct config_host *host) {
    static const struct config_timeouts usual = {
        .connect_ms = 5 * UNITS_SECOND_MS, .response_ms = 60 * UNITS_SECOND_MS, .body_ms = 30 * UNITS_SECOND_MS};
    struct config_timeouts timeouts;

    load_timeouts(loader, nodes->timeouts, "timeouts", &usual, &timeouts, &host->tunnel_idle_ms);
    load_list(loader, nodes->origin, &timeouts, host);
    choice_load(loader, &nodes->choice, nodes->origin, host);
    load_pool(loader, nodes->pool, host);
    load_protocol(loader, nodes->protocol, nodes->pool, host);
    load_proxy_protocol(loader, nodes->proxy_protocol, host);
}
