/* The section `resolver`: the DNS servers that are asked for the names of origins. */
#ifndef CONFIG_RESOLVER_H
#define CONFIG_RESOLVER_H

#include "config/config.h"
#include "config/values.h"

enum { RESOLVER_SERVERS_MAX = 8 };

/* Reads it to config->dns_servers. `node` NULL: the section is absent, and the system's servers are asked. */
void resolver_load(const struct loader *loader, const struct document_node *node, struct config *config);

#endif
