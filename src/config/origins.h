/* The keys of a host that say where its requests go, and how its origins are spoken to. */
#ifndef CONFIG_ORIGINS_H
#define CONFIG_ORIGINS_H

#include "config/choice.h"

/* The values of these keys; NULL: absent. */
struct origins_nodes {
    const struct document_node *origin;
    const struct document_node *pool;
    const struct document_node *protocol;
    const struct document_node *proxy_protocol;
    const struct document_node *timeouts;
    struct choice_nodes choice;
};

/* Reads them to the host, of which it sets the members that concern origins. Reports each problem to the loader. */
void origins_load(const struct loader *loader, const struct origins_nodes *nodes, struct config_host *host);

#endif
