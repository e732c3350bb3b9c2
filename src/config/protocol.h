/* The key `protocol` of a host: whether its clients speak HTTP, or a protocol that is not looked into. */
#ifndef CONFIG_PROTOCOL_H
#define CONFIG_PROTOCOL_H

#include "config/config.h"
#include "config/values.h"

/*
 * Sets host->is_tcp by the value of the key; NULL: absent. `host_node` is the host's mapping: with protocol: tcp each of its
 * keys that is about HTTP is a problem, which names the key and says what to do.
 */
void protocol_load(const struct loader *loader, const struct document_node *node, const struct document_node *host_node,
                   struct config_host *host);

#endif
