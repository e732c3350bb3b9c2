/* What is set once for the whole process: listeners, admin, shards, limits, cache, tickets. */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include "config/values.h"

/* The ranges that docs/contract.md promises. Each protects from a value that only a slip can mean. */
enum {
    SETTINGS_LISTENERS_MAX = 64,
    SETTINGS_ADMIN_NAMES_MAX = 64,
    SETTINGS_SHARDS_MAX = 1024,
    SETTINGS_TIMEOUT_MIN_MS = 100,
    SETTINGS_HANDSHAKE_TIMEOUT_MAX_MS = 5 * 60 * 1000,
    SETTINGS_REQUEST_HEADER_TIMEOUT_MAX_MS = 10 * 60 * 1000,
    SETTINGS_IDLE_TIMEOUT_MAX_MS = 24 * 60 * 60 * 1000,
    SETTINGS_HEADER_SIZE_MIN = 1024,
    SETTINGS_HEADER_SIZE_MAX = 64 * 1024, /* what a stream queues towards an origin */
    SETTINGS_CONNECTIONS_MAX = 1000000,   /* with its accepts, one ring holds 2^20 sockets at most */
    SETTINGS_CONNECTIONS_DEFAULT = 65536, /* fewer where there are not enough file descriptors */
    SETTINGS_CHAIN_SIZE_MIN = 1024,
    SETTINGS_CHAIN_SIZE_MAX = 64 * 1024, /* TLS_PEER_CHAIN_SIZE_MAX */
    SETTINGS_RESPONSE_HEADERS_MIN = 10,
    SETTINGS_RESPONSE_HEADERS_MAX = 1000, /* RELAY_RESPONSE_HEADERS_MAX */
    SETTINGS_CACHE_ENTRIES_MAX = 1 << 24,
    SETTINGS_TICKET_LIFETIME_MAX_MS = 7 * 24 * 60 * 60 * 1000, /* RFC 8446 section 4.6.1 */
};

/* The values of the document's top level; NULL for keys that are absent. */
struct settings_nodes {
    const struct document_node *listen;
    const struct document_node *admin;
    const struct document_node *shards;
    const struct document_node *limits;
    const struct document_node *admission;
    const struct document_node *cert_cache;
    const struct document_node *tickets;
    const struct document_node *access_log;
};

/* Fills everything in `config` but hosts; what is absent gets its default. */
void settings_load(const struct loader *loader, const struct settings_nodes *nodes, struct config *config);
void settings_free(struct config *config);

#endif
