#include "config/host.h"

#include "base/check.h"
#include "config/certificates.h"
#include "config/client_auth.h"
#include "config/headers.h"
#include "config/memory.h"
#include "config/methods.h"
#include "config/units.h"

#include <stdlib.h>

enum { NAME_SIZE_MAX = 2 + ADDRESS_NAME_MAX + 1 /* with "*." and its NUL */ };

static void load_name(const struct loader *loader, const struct document_node *node, struct config_host *host) {
    const char *name = value_string(loader, node, "name");
    if (name == NULL) {
        return;
    }
    bool is_wildcard = name[0] == '*';
    const char *checked = name;
    if (is_wildcard && name[1] != '.') {
        loader_problem(loader, node, "name \"%s\": a wildcard is \"*.\" and a domain; it stands for one whole label", name);
        return;
    }
    if (is_wildcard) {
        checked += 2;
    }
    const char *fault = address_check_name(checked);
    if (fault != NULL) {
        loader_problem(loader, node, "name \"%s\" is no host name: %s", name, fault);
        return;
    }
    host->name = memory_copy_lower_case(name);
}

static bool has_origin(const struct config_host *host, const struct config_address *address) {
    for (size_t i = 0; i < host->origin_count; i++) {
        if (address_equal(&host->origins[i].address, address)) {
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

static void load_origin(const struct loader *loader, const struct document_node *node,
                        const struct config_timeouts *host_timeouts, struct config_host *host) {
    const struct document_node *address = NULL;
    const struct document_node *timeouts_node = NULL;
    const struct value_key keys[] = {value_key_required("address", &address),
                                     value_key_optional("timeouts", &timeouts_node)};
    value_mapping(loader, node, "an origin", keys, ARRAY_LENGTH(keys));
    struct config_timeouts timeouts;
    load_timeouts(loader, timeouts_node, "an origin's timeouts", host_timeouts, &timeouts, NULL);
    const char *text = value_address(loader, address, "127.0.0.1");
    if (text == NULL) {
        return;
    }
    struct config_address found[CONFIG_ORIGIN_ADDRESSES_MAX];
    struct error error;
    int count = address_resolve(text, found, ARRAY_LENGTH(found), &error);
    if (count < 0) {
        loader_problem(loader, address, "address \"%s\": %s", text, error.text);
    }
    for (int i = 0; i < count; i++) {
        bool is_new = !has_origin(host, &found[i]);
        if (is_new && host->origin_count < CONFIG_ORIGIN_ADDRESSES_MAX) {
            host->origins[host->origin_count++] = (struct config_origin){.address = found[i], .timeouts = timeouts};
            continue;
        }
        if (is_new) {
            loader_problem(loader, address, "address \"%s\": more than 64 origin addresses for one host", text);
        }
        free(found[i].text);
    }
}

static void load_origins(const struct loader *loader, const struct document_node *list,
                         const struct config_timeouts *timeouts, struct config_host *host) {
    if (!value_list(loader, list, "origin")) {
        return;
    }
    host->origins = memory_allocate(CONFIG_ORIGIN_ADDRESSES_MAX, sizeof *host->origins);
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

/* Behind load_protocol: the header names one client. */
static void load_origin_proxy(const struct loader *loader, const struct document_node *node, struct config_host *host) {
    static const char *const words[] = {
        [CONFIG_ORIGIN_PROXY_OFF] = "off", [CONFIG_ORIGIN_PROXY_V1] = "v1", [CONFIG_ORIGIN_PROXY_V2] = "v2"};
    size_t index = CONFIG_ORIGIN_PROXY_OFF;
    value_choice(loader, node, "origin_proxy_protocol", words, ARRAY_LENGTH(words), &index);
    host->origin_proxy = (enum config_origin_proxy)index;
    if (host->origin_http2 && host->origin_proxy != CONFIG_ORIGIN_PROXY_OFF) {
        loader_problem(loader, node,
                       "origin_proxy_protocol: %s does not go with origin_protocol: http2, since a connection of HTTP/2 "
                       "carries requests of all clients, and the header names one; leave one of the two out",
                       words[index]);
    }
}

/*
 * Makes the host's ticket scope from content, as the policy's digest is: a host that a reload does not change goes on
 * resuming its sessions.
 */
static void seal(struct config_host *host) {
    size_t size = strlen(host->name) + 1;
    CHECK(size <= NAME_SIZE_MAX);
    identity_policy_seal(&host->policy);
    uint8_t scope[NAME_SIZE_MAX + 1 + IDENTITY_DIGEST_SIZE];
    memcpy(scope, host->name, size);
    scope[size++] = (uint8_t)host->mode;
    memcpy(scope + size, host->policy.digest, IDENTITY_DIGEST_SIZE);
    signature_sha256(bytes_of(scope, size + IDENTITY_DIGEST_SIZE), host->ticket_scope);
}

void host_load(const struct loader *loader, const struct document_node *node, const struct config_limits *limits,
               struct config_host *host) {
    const struct document_node *name;
    const struct document_node *is_default;
    struct certificates_nodes certificates;
    const struct document_node *client_auth;
    const struct document_node *forward;
    const struct document_node *methods;
    const struct document_node *origin;
    const struct document_node *http2;
    const struct document_node *pool;
    const struct document_node *protocol;
    const struct document_node *origin_proxy;
    const struct document_node *timeouts;
    const struct value_key keys[] = {
        value_key_required("name", &name),
        value_key_optional("default", &is_default),
        value_key_optional("certificate", &certificates.certificate),
        value_key_optional("key", &certificates.key),
        value_key_optional("certificates", &certificates.certificates),
        value_key_optional("client_auth", &client_auth),
        value_key_optional("forward", &forward),
        value_key_optional("methods", &methods),
        value_key_optional("http2", &http2),
        value_key_required("origin", &origin),
        value_key_optional("origin_pool", &pool),
        value_key_optional("origin_protocol", &protocol),
        value_key_optional("origin_proxy_protocol", &origin_proxy),
        value_key_optional("timeouts", &timeouts),
    };
    if (!value_mapping(loader, node, "this host", keys, ARRAY_LENGTH(keys))) {
        return;
    }
    load_name(loader, name, host);
    value_boolean(loader, is_default, "default", &host->is_default);
    certificates_load(loader, node, &certificates, host);
    client_auth_load(loader, client_auth, host);
    headers_load(loader, forward, &host->forward, &host->strip);
    host->policy.forward = &host->forward;
    host->policy.chain_size_max = limits->certificate_chain_size;
    methods_load(loader, methods, host);
    host->http2 = true;
    value_boolean(loader, http2, "http2", &host->http2);
    static const struct config_timeouts usual = {
        .connect_ms = 5 * UNITS_SECOND_MS, .response_ms = 60 * UNITS_SECOND_MS, .body_ms = 30 * UNITS_SECOND_MS};
    struct config_timeouts host_timeouts;
    load_timeouts(loader, timeouts, "timeouts", &usual, &host_timeouts, &host->tunnel_idle_ms);
    load_origins(loader, origin, &host_timeouts, host);
    load_pool(loader, pool, host);
    load_protocol(loader, protocol, pool, host);
    load_origin_proxy(loader, origin_proxy, host);
    if (host->name != NULL) {
        seal(host);
    }
}
