/* The part of a file that is set once for the whole process: everything but the hosts. */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include "config/config.h"
#include "config/values.h"

/* The bounds that other folders build on. Further ranges stand in the rows of settings.c; docs/contract.md has them all. */
enum {
    SETTINGS_LISTENERS_MAX = 64,
    SETTINGS_PROXIES_MAX = 256, /* networks of one listener */
    SETTINGS_ADMIN_NAMES_MAX = 64,
    SETTINGS_HEADER_SIZE_MAX = 64 * 1024, /* a stream queues as much towards an origin */
    SETTINGS_CONNECTIONS_MAX = 1000000,   /* with its accepts, one ring holds 2^20 sockets at most */
    SETTINGS_CONNECTIONS_DEFAULT = 65536, /* fewer where there are not enough file descriptors */
    SETTINGS_CHAIN_SIZE_MAX = 64 * 1024,  /* TLS_PEER_CHAIN_SIZE_MAX */
    SETTINGS_RESPONSE_HEADERS_MAX = 1000, /* RELAY_RESPONSE_HEADERS_MAX */
};

/*
 * Fills everything in `config` but hosts from the document's top level; what is absent gets its default. `*hosts` becomes
 * the value of `hosts`, NULL when it is absent. False when the document is no mapping.
 */
bool settings_load(const struct loader *loader, const struct document_node *root, struct config *config,
                   const struct document_node **hosts);

#endif
