#include "config/settings.h"

#include "base/check.h"
#include "config/address.h"
#include "config/admission_settings.h"
#include "config/memory.h"
#include "tls/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

_Static_assert((int)SETTINGS_CHAIN_SIZE_MAX == (int)TLS_PEER_CHAIN_SIZE_MAX, "the bound is that of a TLS session");

static void set_defaults(struct config *config) {
    config->limits = (struct config_limits){
        .handshake_timeout_ms = 5000,
        .request_header_timeout_ms = 10000,
        .idle_timeout_ms = 60000,
        .request_header_size = 32 * 1024,
        .connections = SETTINGS_CONNECTIONS_DEFAULT,
        .certificate_chain_size = 16 * 1024,
        .response_headers = 100,
    };
    config->shards = 0;
    config->cert_cache_entries = 262144;
    config->ticket_lifetime_s = 3600;
}

/* The text of `address`, parsed. NULL after a problem. */
static const char *load_address(const struct loader *loader, const struct document_node *at, struct config_address *parsed) {
    const char *text = value_address(loader, at, "127.0.0.1");
    char error[ADDRESS_ERROR_SIZE];
    if (text != NULL && address_parse(text, parsed, error) < 0) {
        loader_problem(loader, at, "address \"%s\": %s", text, error);
        return NULL;
    }
    return text;
}

/* Returns how many addresses are in `parsed`. */
static size_t load_listeners(const struct loader *loader, const struct document_node *list, struct config *config,
                             struct config_address parsed[static SETTINGS_LISTENERS_MAX]) {
    if (!value_list(loader, list, "listen")) {
        return 0;
    }
    if (list->count > SETTINGS_LISTENERS_MAX) {
        loader_problem(loader, list, "listen has more than 64 items");
        return 0;
    }
    config->listen = memory_allocate(list->count, sizeof *config->listen);
    for (const struct document_node *item = list->first; item != NULL; item = item->next) {
        const struct document_node *at = NULL;
        struct config_address *address = &parsed[config->listen_count];
        const struct value_key keys[] = {{"address", &at, true}};
        value_mapping(loader, item, "a listener", keys, ARRAY_LENGTH(keys));
        const char *text = load_address(loader, at, address);
        if (text == NULL) {
            continue;
        }
        bool is_new = true;
        for (size_t i = 0; i < config->listen_count; i++) {
            is_new = is_new && !address_equal(&parsed[i], address);
        }
        if (is_new) {
            config->listen[config->listen_count++] = memory_copy_string(text);
        } else {
            loader_problem(loader, at, "address \"%s\" is listened on already", text);
        }
    }
    return config->listen_count;
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
        char *name = memory_copy_string(text);
        for (char *c = name; *c != '\0'; c++) {
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
        }
        config->admin_names[config->admin_name_count++] = name;
    }
}

static void load_admin(const struct loader *loader, const struct document_node *node, struct config *config,
                       const struct config_address *listeners, size_t count) {
    const struct document_node *at = NULL;
    const struct document_node *names = NULL;
    const struct value_key keys[] = {{"address", &at, true}, {"names", &names, false}};
    struct config_address address;
    if (node == NULL || !value_mapping(loader, node, "admin", keys, ARRAY_LENGTH(keys))) {
        return;
    }
    load_admin_names(loader, names, config);
    const char *text = load_address(loader, at, &address);
    if (text == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (address_overlaps(&listeners[i], &address)) {
            loader_problem(loader, at, "admin address \"%s\" is that of a listener; give it a port of its own", text);
            return;
        }
    }
    config->admin_address = memory_copy_string(text);
}

static void load_shards(const struct loader *loader, const struct document_node *node, struct config *config) {
    if (node != NULL && node->type == DOCUMENT_SCALAR && strcmp(node->text, "auto") == 0) {
        return;
    }
    value_number(loader, node, "shards (if not \"auto\")", 1, SETTINGS_SHARDS_MAX, &config->shards);
}

static void load_limits(const struct loader *loader, const struct document_node *node, struct config_limits *limits) {
    const struct document_node *handshake, *header_time, *idle, *header_size, *connections, *chain, *response;
    const struct value_key keys[] = {
        {"handshake_timeout", &handshake, false}, {"request_header_timeout", &header_time, false},
        {"idle_timeout", &idle, false},           {"request_header_size", &header_size, false},
        {"connections", &connections, false},     {"certificate_chain_size", &chain, false},
        {"response_headers", &response, false},
    };
    if (!value_mapping(loader, node, "limits", keys, ARRAY_LENGTH(keys))) {
        return;
    }
    value_duration(loader, handshake, "limits.handshake_timeout", SETTINGS_TIMEOUT_MIN_MS, SETTINGS_HANDSHAKE_TIMEOUT_MAX_MS,
                   &limits->handshake_timeout_ms);
    value_duration(loader, header_time, "limits.request_header_timeout", SETTINGS_TIMEOUT_MIN_MS,
                   SETTINGS_REQUEST_HEADER_TIMEOUT_MAX_MS, &limits->request_header_timeout_ms);
    value_duration(loader, idle, "limits.idle_timeout", SETTINGS_TIMEOUT_MIN_MS, SETTINGS_IDLE_TIMEOUT_MAX_MS,
                   &limits->idle_timeout_ms);
    value_size(loader, header_size, "limits.request_header_size", SETTINGS_HEADER_SIZE_MIN, SETTINGS_HEADER_SIZE_MAX,
               &limits->request_header_size);
    if (value_number(loader, connections, "limits.connections", 1, SETTINGS_CONNECTIONS_MAX, &limits->connections)) {
        limits->connections_line = connections->line;
    }
    value_size(loader, chain, "limits.certificate_chain_size", SETTINGS_CHAIN_SIZE_MIN, SETTINGS_CHAIN_SIZE_MAX,
               &limits->certificate_chain_size);
    value_number(loader, response, "limits.response_headers", SETTINGS_RESPONSE_HEADERS_MIN, SETTINGS_RESPONSE_HEADERS_MAX,
                 &limits->response_headers);
}

static void load_cache(const struct loader *loader, const struct document_node *node, struct config *config) {
    const struct document_node *entries;
    const struct value_key keys[] = {{"entries", &entries, false}};
    if (value_mapping(loader, node, "cert_cache", keys, ARRAY_LENGTH(keys))) {
        value_number(loader, entries, "cert_cache.entries", 1, SETTINGS_CACHE_ENTRIES_MAX, &config->cert_cache_entries);
    }
}

static void load_tickets(const struct loader *loader, const struct document_node *node, struct config *config) {
    const struct document_node *lifetime;
    const struct value_key keys[] = {{"lifetime", &lifetime, false}};
    uint32_t lifetime_ms = 0;
    if (!value_mapping(loader, node, "tickets", keys, ARRAY_LENGTH(keys)) ||
        !value_duration(loader, lifetime, "tickets.lifetime", 0, SETTINGS_TICKET_LIFETIME_MAX_MS, &lifetime_ms)) {
        return;
    }
    if (lifetime_ms % 1000 != 0) {
        loader_problem(loader, lifetime, "tickets.lifetime must be whole seconds, not %s", lifetime->text);
    } else {
        config->ticket_lifetime_s = lifetime_ms / 1000;
    }
}

/* The file itself need not be there yet; a directory that is not would be found out only at the start. */
static void load_access_log(const struct loader *loader, const struct document_node *node, struct config *config) {
    const char *name = value_string(loader, node, "access_log");
    if (name == NULL) {
        return;
    }
    if (strcmp(name, "-") == 0) {
        config->access_log = memory_copy_string(name);
        return;
    }
    struct stat status;
    CHECK(asprintf(&config->access_log, "%s%s", name[0] == '/' ? "" : loader->directory, name) >= 0);
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

void settings_load(const struct loader *loader, const struct settings_nodes *nodes, struct config *config) {
    set_defaults(config);
    struct config_address listeners[SETTINGS_LISTENERS_MAX];
    size_t count = load_listeners(loader, nodes->listen, config, listeners);
    load_admin(loader, nodes->admin, config, listeners, count);
    load_shards(loader, nodes->shards, config);
    load_limits(loader, nodes->limits, &config->limits);
    admission_settings_load(loader, nodes->admission, &config->admission);
    load_cache(loader, nodes->cert_cache, config);
    load_tickets(loader, nodes->tickets, config);
    load_access_log(loader, nodes->access_log, config);
}

void settings_free(struct config *config) {
    for (size_t i = 0; i < config->listen_count; i++) {
        free(config->listen[i]);
    }
    free(config->listen);
    free(config->admin_address);
    for (size_t i = 0; i < config->admin_name_count; i++) {
        free(config->admin_names[i]);
    }
    free(config->admin_names);
    admission_settings_free(&config->admission);
    free(config->access_log);
}
