/* The warnings about roots and revocation lists, by which clients are judged. */
#ifndef CONFIG_WARNINGS_CLIENTS_H
#define CONFIG_WARNINGS_CLIENTS_H

#include "config/config.h"
#include "config/values.h"

/* Adds the warnings of a host. `client_auth` is the node of that name in its mapping, or NULL. `now_s`: seconds since the
 * epoch. */
void warnings_find_clients(const struct loader *loader, const struct document_node *client_auth, const struct config *config,
                           const struct config_host *host, int64_t now_s);

#endif
