/* The warnings about what a host shows its clients: its certificate, the chain behind it, and who can read its key. */
#ifndef CONFIG_WARNINGS_SERVER_H
#define CONFIG_WARNINGS_SERVER_H

#include "config/config.h"
#include "config/values.h"

/* `node` is the host's mapping. `now_s`: seconds since the epoch. */
void warnings_find_server(const struct loader *loader, const struct document_node *node, const struct config *config,
                          const struct config_host *host, int64_t now_s);

#endif
