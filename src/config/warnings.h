/*
 * Warns of what a configuration says and hardly means: files that clients will refuse, statistics that strangers can read,
 * keys that others can. It looks at a configuration that has no problems, so that nothing of it is missing.
 */
#ifndef CONFIG_WARNINGS_H
#define CONFIG_WARNINGS_H

#include "config/config.h"
#include "config/values.h"

/* `root` is the document of `config`; each warning is at the line of the value that it is about. */
void warnings_find(const struct loader *loader, const struct document_node *root, const struct config *config);

#endif
