/* The warnings about what clients are held against: roots and revocation lists. */
#ifndef CONFIG_WARNINGS_CLIENTS_H
#define CONFIG_WARNINGS_CLIENTS_H

#include "config/config.h"
#include "config/values.h"

/* `client_auth` is the node of that name in the host's mapping, or NULL. `now_s`: seconds since the epoch. */
void warnings_find_clients(const struct loader *loader, const struct document_node *client_auth,
                           const struct config_host *host, int64_t now_s);

#endif
