/*
 * Warns of settings that are valid but hardly meant: certificates that clients will refuse, statistics that strangers can
 * read, keys that others can read. The configuration has no problems, so that no part of it is missing.
 */
#ifndef CONFIG_WARNINGS_H
#define CONFIG_WARNINGS_H

#include "config/config.h"
#include "config/values.h"

/* Adds all warnings. `root` is the document of `config`; each warning has the line of the value that it is about. */
void warnings_find(const struct loader *loader, const struct document_node *root, const struct config *config);

#endif
