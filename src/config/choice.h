/* The keys of a host, and of its origins, that say which origin a request goes to, and where to next when that fails. */
#ifndef CONFIG_CHOICE_H
#define CONFIG_CHOICE_H

#include "config/config.h"
#include "config/values.h"

/* The values of these keys of a host; NULL: absent. */
struct choice_nodes {
    const struct document_node *balance;
    const struct document_node *retry;
};

/* Those of an origin. */
struct choice_origin_nodes {
    const struct document_node *weight;
    const struct document_node *backup;
    const struct document_node *in_flight;
};

/* Reads them to the host, whose origins are read. Reports each problem to the loader; `origins` is the list of them. */
void choice_load(const struct loader *loader, const struct choice_nodes *nodes, const struct document_node *origins,
                 struct config_host *host);
/* Reads those of an origin. */
void choice_load_origin(const struct loader *loader, const struct choice_origin_nodes *nodes, struct config_origin *origin);

#endif
