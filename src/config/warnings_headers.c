#include "config/warnings_headers.h"

#include "base/check.h"
#include "http/names.h"

/* Returns whether clients send the header for reasons of their own, which most origins go by. */
static bool is_of_clients(struct bytes name) {
    static const char *const names[] = {
        "Accept",   "Accept-Encoding", "Accept-Language",   "Authorization", "Cache-Control", "Content-Type", "Cookie",
        "If-Match", "If-None-Match",   "If-Modified-Since", "Origin",        "Range",         "Referer",      "User-Agent",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        if (http_names_alike(name, bytes_of_string(names[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_set(const struct config_host *host, struct bytes name) {
    for (size_t i = 0; i < host->forward.count; i++) {
        if (http_names_alike(name, bytes_of_string(host->forward.headers[i].name))) {
            return true;
        }
    }
    return false;
}

/* Returns a host that loses the header because another one sets it, or NULL. */
static const struct config_host *find_loser(const struct config *config, struct bytes name) {
    for (size_t i = 0; i < config->host_count; i++) {
        if (!is_set(&config->hosts[i], name)) {
            return &config->hosts[i];
        }
    }
    return NULL;
}

/* `map`: request_headers.set or add; NULL when absent. */
static void warn_of_losers(const struct loader *loader, const struct document_node *map, const struct config *config,
                           const struct config_host *host) {
    for (const struct document_node *key = map == NULL ? NULL : map->first; key != NULL; key = key->next->next) {
        struct bytes name = bytes_of_string(key->text);
        const struct config_host *loser = is_of_clients(name) && is_set(host, name) ? find_loser(config, name) : NULL;
        if (loser != NULL) {
            loader_warning(loader, key,
                           "request_headers: what clients send as \"%s\" is removed on all hosts now, also on %s, which "
                           "sets none; if its origins need it, serve that host by another process",
                           key->text, loser->name);
        }
    }
}

/* Lists of browsers have whole sites, by the name that was registered. */
static void warn_of_preload(const struct loader *loader, const struct document_node *security,
                            const struct config_host *host) {
    const struct document_node *preload = document_value(security, "preload");
    if (preload != NULL && strcmp(preload->text, "true") == 0 && host->name[0] == '*') {
        loader_warning(loader, preload,
                       "strict_transport_security.preload does nothing on \"%s\": browsers' lists take names as they were "
                       "registered; set it on the host of the site's own name",
                       host->name);
    }
}

void warnings_find_headers(const struct loader *loader, const struct document_node *node, const struct config *config,
                           const struct config_host *host) {
    const struct document_node *requests = document_value(node, "request_headers");
    const struct document_node *security = document_value(node, "strict_transport_security");
    if (requests != NULL) {
        warn_of_losers(loader, document_value(requests, "set"), config, host);
        warn_of_losers(loader, document_value(requests, "add"), config, host);
    }
    if (security != NULL && security->type == DOCUMENT_MAPPING) {
        warn_of_preload(loader, security, host);
    }
}
