/* The warnings about rules for headers. */
#ifndef CONFIG_WARNINGS_HEADERS_H
#define CONFIG_WARNINGS_HEADERS_H

#include "config/config.h"
#include "config/values.h"

/* Adds the warnings of a host, whose mapping is `node`. */
void warnings_find_headers(const struct loader *loader, const struct document_node *node, const struct config *config,
                           const struct config_host *host);

#endif
