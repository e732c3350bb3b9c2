/* Lists of files of the configuration, each of which adds to one store: roots, and revocation lists. */
#ifndef CONFIG_STORES_H
#define CONFIG_STORES_H

#include "config/advice.h"
#include "config/values.h"
#include "path/trust.h"

/* A key whose value is such a list. */
struct store_files {
    const char *key; /* its path in the file */
    size_t size_max; /* of each file, in bytes */
    enum advice_wanted wanted;
    int (*add)(void *store, struct bytes content, struct error *error);
};

/* Adds each file of the list to the store. False when one of them is not good; each of those is a problem. */
bool stores_add(const struct loader *loader, const struct document_node *list, const struct store_files *files, void *store);

/* Loads a list of files with roots; NULL when it is none, or not all of the files are good. */
struct trust *stores_load_trust(const struct loader *loader, const struct document_node *list, const char *key);

#endif
