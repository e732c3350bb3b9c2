/* Lists of networks, each "192.0.2.0/24", "2001:db8::/32" or one address. */
#ifndef CONFIG_NETWORKS_H
#define CONFIG_NETWORKS_H

#include "config/values.h"
#include "guard/prefix.h"

/*
 * Reads a list of 1 to `most` networks. *networks, owned by the caller (free()), and *count become those that are good, and
 * stay as they are when the list is absent.
 */
void networks_load(const struct loader *loader, const struct document_node *list, const char *key, size_t most,
                   struct prefix **networks, size_t *count);

#endif
