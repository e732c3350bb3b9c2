/*
 * Finds hosts by name (config_find_host) in two sorted tables, made when a configuration is loaded; and of a host's
 * certificates the one for a client (config_choose_certificate).
 */
#ifndef CONFIG_LOOKUP_H
#define CONFIG_LOOKUP_H

#include "config/config.h"

/*
 * Makes config.exact, config.wildcards and config.default_host from config.hosts; hosts without a name (NULL) are left out.
 * Hosts of one name stand beside each other in the order of the file.
 */
void lookup_build(struct config *config);

#endif
