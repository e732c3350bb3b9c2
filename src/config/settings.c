#include "config/settings.h"

#include "base/check.h"
#include "config/admission_settings.h"
#include "config/memory.h"
#include "config/networks.h"
#include "config/resolver.h"
#include "config/units.h"
#include "tls/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

_Static_assert((int)SETTINGS_CHAIN_SIZE_MAX == (int)TLS_PEER_CHAIN_SIZE_MAX, "the bound is that of a TLS session");

enum { KIB = 1024 };

/* Reads an address to listen on. False after a problem. */
static bool load_address(const struct loader *loader, const struct document_node *at, struct config_address *address) {
    const char *text = value_address(loader, at, "127.0.0.1");
    if (text == NULL) {
        return false;
    }
    struct error error;
    if (address_parse(text, address, &error) < 0) {
        loader_problem(loader, at, "address \"%s\": %s", text, error.text);
        return false;
    }
    return true;
}

/* Reads the address of a listener, which none of config.listen has. False after a problem. */
static bool load_listener_address(const struct loader *loader, const struct document_node *at, const struct config *config,
                                  struct config_address *address) {
    if (!load_address(loader, at, address)) {
        return false;
    }
    for (size_t i = 0; i < config->listen_count; i++) {
        if (address_equal(&config->listen[i].address, address)) {
            loader_problem(loader, at, "address \"%s\" is listened on already", at->text);
            return false;
        }
    }
    address->text = memory_copy_string(at->text);
    return true;
}

enum { HTTPS_PORT = 443, PORT_MAX = 65535 };

/* Reads `redirect` and `redirect_port` of a listener. */
static void load_redirect(const struct loader *loader, const struct document_node *redirect,
                          const struct document_node *port, struct config_listener *listener) {
    static const char *const words[] = {"https"};
    size_t index;
    uint32_t number = HTTPS_PORT;
    value_number(loader, port, "redirect_port", 1, PORT_MAX, &number);
    if (redirect == NULL && port != NULL) {
        loader_problem(loader, port, "redirect_port is for a listener with redirect: https");
    } else if (value_choice(loader, redirect, "redirect", words, ARRAY_LENGTH(words), &index)) {
        listener->redirect_port = (uint16_t)number;
    }
}

/* Adds a listener to config.listen, which has room for it. */
static void load_listener(const struct loader *loader, const struct document_node *item, struct config *config) {
    const struct document_node *at = NULL;
    const struct document_node *proxies = NULL;
    const struct document_node *redirect = NULL;
    const struct document_node *redirect_port = NULL;
    struct config_listener *listener = &config->listen[config->listen_count];
    const struct value_key keys[] = {value_key_required("address", &at), value_key_optional("proxy_protocol", &proxies),
                                     value_key_optional("redirect", &redirect),
                                     value_key_optional("redirect_port", &redirect_port)};
    value_mapping(loader, item, "a listener", keys, ARRAY_LENGTH(keys));
    load_redirect(loader, redirect, redirect_port, listener);
    networks_load(loader, proxies, "proxy_protocol", SETTINGS_PROXIES_MAX, &listener->proxies, &listener->proxy_count);
    if (!load_listener_address(loader, at, config, &listener->address)) {
        free(listener->proxies);
        *listener = (struct config_listener){0};
        return;
    }
    config->listen_count++;
}

static void load_listeners(const struct loader *loader, const struct document_node *list, struct config *config) {
    if (!value_list(loader, list, "listen")) {
        return;
    }
    if (list->count > SETTINGS_LISTENERS_MAX) {
        loader_problem(loader, list, "listen has more than 64 items");
        return;
    }
    config->listen = memory_allocate(list->count, sizeof *config->listen);
    for (const struct document_node *item = list->first; item != NULL; item = item->next) {
        load_listener(loader, item, config);
    }
    bool serves = false;
    for (size_t i = 0; i < config->listen_count; i++) {
        serves = serves || config->listen[i].redirect_port == 0;
    }
    if (config->listen_count == list->count && !serves) {
        loader_problem(loader, list, "listen: all listeners redirect, and none is left to serve https");
    }
}

static void load_admin_names(const struct loader *loader, const struct document_node *list, struct config *config) {
    if (list == NULL || !value_list(loader, list, "admin.names")) {
        return;
    }
    if (list->count > SETTINGS_ADMIN_NAMES_MAX) {
        loader_problem(loader, list, "admin.names has more than 64 names");
        return;
    }
    config->admin_names = memory_allocate(list->count, sizeof *config->admin_names);
    for (const struct document_node *item = list->first; item != NULL; item = item->next) {
        const char *text = value_string(loader, item, "admin.names");
        const char *fault = text == NULL ? NULL : address_check_name(text);
        if (fault != NULL) {
            loader_problem(loader, item, "name \"%s\" is no host name: %s", text, fault);
        }
        if (text == NULL || fault != NULL) {
            continue;
        }
        config->admin_names[config->admin_name_count++] = memory_copy_lower_case(text);
    }
}

static void load_admin(const struct loader *loader, const struct document_node *node, struct config *config) {
    const struct document_node *at = NULL;
    const struct document_node *names = NULL;
    const struct value_key keys[] = {value_key_required("address", &at), value_key_optional("names", &names)};
    if (node == NULL || !value_mapping(loader, node, "admin", keys, ARRAY_LENGTH(keys))) {
        return;
    }
    load_admin_names(loader, names, config);
    struct config_address address;
    if (!load_address(loader, at, &address)) {
        return;
    }
    for (size_t i = 0; i < config->listen_count; i++) {
        if (address_overlaps(&config->listen[i].address, &address)) {
            loader_problem(loader, at, "admin address \"%s\" is that of a listener; give it a port of its own", at->text);
            return;
        }
    }
    config->admin_address = address;
    config->admin_address.text = memory_copy_string(at->text);
}

static void load_shards(const struct loader *loader, const struct document_node *node, struct config *config) {
    enum { SHARDS_MAX = 1024 };
    bool is_auto = node != NULL && node->type == DOCUMENT_SCALAR && strcmp(node->text, "auto") == 0;
    if (!is_auto) {
        value_number(loader, node, "shards (if not \"auto\")", 1, SHARDS_MAX, &config->shards);
    }
}

static void load_limits(const struct loader *loader, const struct document_node *node, struct config_limits *limits) {
    const struct value_key keys[] = {
        value_key_duration("handshake_timeout", &limits->handshake_timeout_ms, 5 * UNITS_SECOND_MS, 100,
                           5 * UNITS_MINUTE_MS),
        value_key_duration("request_header_timeout", &limits->request_header_timeout_ms, 10 * UNITS_SECOND_MS, 100,
                           10 * UNITS_MINUTE_MS),
        value_key_duration("idle_timeout", &limits->idle_timeout_ms, 60 * UNITS_SECOND_MS, 100, 24 * UNITS_HOUR_MS),
        value_key_size("request_header_size", &limits->request_header_size, 32 * KIB, 1 * KIB, SETTINGS_HEADER_SIZE_MAX),
        value_key_number("connections", &limits->connections, SETTINGS_CONNECTIONS_DEFAULT, 1, SETTINGS_CONNECTIONS_MAX),
        value_key_size("certificate_chain_size", &limits->certificate_chain_size, 16 * KIB, 1 * KIB,
                       SETTINGS_CHAIN_SIZE_MAX),
        value_key_number("response_headers", &limits->response_headers, 100, 10, SETTINGS_RESPONSE_HEADERS_MAX),
    };
    value_mapping(loader, node, "limits", keys, ARRAY_LENGTH(keys));
    const struct document_node *connections = document_value(node, "connections");
    limits->connections_line = connections == NULL ? 0 : connections->line;
}

static void load_cache(const struct loader *loader, const struct document_node *node, struct config *config) {
    const struct value_key keys[] = {value_key_number("entries", &config->cert_cache_entries, 262144, 1, 1 << 24)};
    value_mapping(loader, node, "cert_cache", keys, ARRAY_LENGTH(keys));
}

/* A lifetime is at most seven days: RFC 8446 section 4.6.1. */
static void load_tickets(const struct loader *loader, const struct document_node *node, struct config *config) {
    uint32_t lifetime_ms = 0;
    const struct value_key keys[] = {
        value_key_duration("lifetime", &lifetime_ms, 1 * UNITS_HOUR_MS, 0, 7 * 24 * UNITS_HOUR_MS)};
    value_mapping(loader, node, "tickets", keys, ARRAY_LENGTH(keys));
    if (lifetime_ms % UNITS_SECOND_MS != 0) {
        const struct document_node *lifetime = document_value(node, "lifetime");
        loader_problem(loader, lifetime, "tickets.lifetime must be whole seconds, not %s", lifetime->text);
    }
    config->ticket_lifetime_s = lifetime_ms / UNITS_SECOND_MS;
}

static void load_tls(const struct loader *loader, const struct document_node *node, struct config *config) {
    static const char *const words[] = {
        [CONFIG_POST_QUANTUM_AUTO] = "auto", [CONFIG_POST_QUANTUM_STRICT] = "strict", [CONFIG_POST_QUANTUM_OFF] = "off"};
    const struct document_node *prefer;
    const struct value_key keys[] = {value_key_optional("prefer_post_quantum", &prefer)};
    size_t index = CONFIG_POST_QUANTUM_AUTO;
    if (value_mapping(loader, node, "tls", keys, ARRAY_LENGTH(keys))) {
        value_choice(loader, prefer, "tls.prefer_post_quantum", words, ARRAY_LENGTH(words), &index);
    }
    config->prefer_post_quantum = (enum config_post_quantum)index;
}

/* The file need not exist yet. Its directory must: a missing one would else be found only at the start. */
static void load_access_log(const struct loader *loader, const struct document_node *node, struct config *config) {
    const char *name = value_string(loader, node, "access_log");
    if (name == NULL) {
        return;
    }
    if (strcmp(name, "-") == 0) {
        config->access_log = memory_copy_string(name);
        return;
    }
    CHECK(asprintf(&config->access_log, "%s%s", name[0] == '/' ? "" : loader->directory, name) >= 0);
    struct stat status;
    if (stat(config->access_log, &status) == 0) {
        if (S_ISDIR(status.st_mode)) {
            loader_problem(loader, node, "access_log: %s is a directory, not a file", config->access_log);
        }
        return;
    }
    char *directory = memory_copy_string(config->access_log);
    char *slash = strrchr(directory, '/');
    if (slash != NULL) {
        slash[slash == directory ? 1 : 0] = '\0';
        if (stat(directory, &status) != 0 || !S_ISDIR(status.st_mode)) {
            loader_problem(loader, node, "access_log: there is no directory %s", directory);
        }
    }
    free(directory);
}

static void load_drain(const struct loader *loader, const struct document_node *node, struct config_drain *drain) {
    const struct value_key keys[] = {
        value_key_duration("delay", &drain->delay_ms, 0, 0, 10 * UNITS_MINUTE_MS),
        value_key_duration("timeout", &drain->timeout_ms, 30 * UNITS_SECOND_MS, 1 * UNITS_SECOND_MS, 24 * UNITS_HOUR_MS),
    };
    value_mapping(loader, node, "drain", keys, ARRAY_LENGTH(keys));
}

bool settings_load(const struct loader *loader, const struct document_node *root, struct config *config,
                   const struct document_node **hosts) {
    const struct document_node *listen;
    const struct document_node *admin;
    const struct document_node *shards;
    const struct document_node *limits;
    const struct document_node *drain;
    const struct document_node *admission;
    const struct document_node *cert_cache;
    const struct document_node *tickets;
    const struct document_node *tls;
    const struct document_node *access_log;
    const struct document_node *resolver;
    const struct value_key keys[] = {
        value_key_required("listen", &listen),
        value_key_optional("admin", &admin),
        value_key_optional("shards", &shards),
        value_key_optional("limits", &limits),
        value_key_optional("drain", &drain),
        value_key_optional("admission", &admission),
        value_key_optional("cert_cache", &cert_cache),
        value_key_optional("tickets", &tickets),
        value_key_optional("tls", &tls),
        value_key_optional("access_log", &access_log),
        value_key_optional("resolver", &resolver),
        value_key_required("hosts", hosts),
    };
    if (!value_mapping(loader, root, "the file", keys, ARRAY_LENGTH(keys))) {
        return false;
    }
    load_listeners(loader, listen, config);
    load_admin(loader, admin, config);
    load_shards(loader, shards, config);
    load_limits(loader, limits, &config->limits);
    load_drain(loader, drain, &config->drain);
    admission_settings_load(loader, admission, &config->admission);
    load_cache(loader, cert_cache, config);
    load_tickets(loader, tickets, config);
    load_tls(loader, tls, config);
    load_access_log(loader, access_log, config);
    resolver_load(loader, resolver, config);
    return true;
}
