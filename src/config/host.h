/* One entry of `hosts`: name, credentials, policy, headers and origins. */
#ifndef CONFIG_HOST_H
#define CONFIG_HOST_H

#include "config/config.h"
#include "config/values.h"

/* Fills `host`, which must be zeroed and stay where it is. After problems parts of it may be missing. */
void host_load(const struct loader *loader, const struct document_node *node, const struct config_limits *limits,
               struct config_host *host);

#endif
