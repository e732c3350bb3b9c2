/* The keys of a host that say how its origins are probed, which answers are good, and what depends on them. */
#ifndef CONFIG_HEALTH_H
#define CONFIG_HEALTH_H

#include "config/config.h"
#include "config/values.h"

enum { HEALTH_PATH_MAX = 1024 /* bytes */ };

/* The values of these keys; NULL: absent. */
struct health_nodes {
    const struct document_node *health;
    const struct document_node *required;
};

/*
 * Reads them to host->health and host->required. The origins of a required host are probed in any case, since else nothing
 * would tell that one is up again while no requests come. Reports each problem to the loader.
 */
void health_load(const struct loader *loader, const struct health_nodes *nodes, struct config_host *host);
/* Returns whether an answer with this status is good. */
bool health_takes_status(const struct config_health *health, unsigned status);
/*
 * Returns whether both ask an origin for the same: path and statuses are equal. How often they ask, and how long they wait,
 * may differ.
 */
bool health_asks_the_same(const struct config_health *a, const struct config_health *b);

#endif
