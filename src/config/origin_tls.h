/* `origin_tls` of a host: TLS to its origins. */
#ifndef CONFIG_ORIGIN_TLS_H
#define CONFIG_ORIGIN_TLS_H

#include "config/config.h"
#include "config/values.h"

/*
 * Loads the settings, behind the origins, whose names they set. `node` is NULL where the origins speak in the clear.
 * Settings that cannot be used are problems.
 */
void origin_tls_load(const struct loader *loader, const struct document_node *node, struct config_host *host);

/* Returns the host part of "HOST:PORT" or "[ADDRESS]:PORT", without brackets and without a dot at its end. free(). */
char *origin_tls_host_of(const char *address);

#endif
