/* The warnings about a host's certificate, the chain behind it, and the users who can read its key. */
#ifndef CONFIG_WARNINGS_SERVER_H
#define CONFIG_WARNINGS_SERVER_H

#include "config/root_names.h"
#include "config/values.h"

/* Adds the warnings of a host. `node` is its mapping, `roots` are those of all hosts. `now_s`: seconds since the epoch. */
void warnings_find_server(const struct loader *loader, const struct document_node *node, const struct root_names *roots,
                          const struct config_host *host, int64_t now_s);

#endif
