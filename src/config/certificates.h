/* The certificates that a host serves: the pair of `certificate` and `key`, or a list of such pairs, `certificates`. */
#ifndef CONFIG_CERTIFICATES_H
#define CONFIG_CERTIFICATES_H

#include "config/config.h"
#include "config/values.h"

/* The values of a host's keys; NULL: absent. */
struct certificates_nodes {
    const struct document_node *certificate;
    const struct document_node *key;
    const struct document_node *certificates;
};

/* Loads the certificates of the host that `node` is. After problems it may have too few, or some without credentials. */
void certificates_load(const struct loader *loader, const struct document_node *node, const struct certificates_nodes *nodes,
                       struct config_host *host);

/* Returns the mapping that has `certificate` and `key` of host->certificates[index]; there were no problems with `node`. */
const struct document_node *certificates_node(const struct document_node *node, size_t index);

/* Loads one chain with its key into `loaded`, zeroed before. Each fault of theirs is a problem. */
void certificates_load_pair(const struct loader *loader, const struct document_node *certificate,
                            const struct document_node *key, struct config_certificate *loaded);

#endif
