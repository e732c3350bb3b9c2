/*
 * The rules of a host for headers: `request_headers` and `response_headers`, with `set`, `add` and `remove`, and
 * `strict_transport_security`.
 */
#ifndef CONFIG_HEADER_RULES_H
#define CONFIG_HEADER_RULES_H

#include "config/config.h"
#include "config/values.h"

/* The keys of a host that this module reads; NULL where absent. */
struct header_rules_nodes {
    const struct document_node *request_headers;
    const struct document_node *response_headers;
    const struct document_node *strict_transport_security;
};

/*
 * Loads the rules. host->forward is loaded already: headers that requests get set, and those that are added to them with a
 * field, become a part of it, so that no client can send a header of their names on any host. A header that is added without
 * a field goes behind those that a client has sent.
 */
void header_rules_load(const struct loader *loader, const struct header_rules_nodes *nodes, struct config_host *host);

#endif
