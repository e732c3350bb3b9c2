/* The names of headers in the file: which there may be, and which get in each other's way. */
#ifndef CONFIG_HEADER_NAMES_H
#define CONFIG_HEADER_NAMES_H

#include "config/values.h"
#include "http/removals.h"
#include "identity/forward.h"

enum {
    HEADER_NAMES_SIZE_MAX = 128,   /* characters */
    HEADER_NAMES_REMOVED_MAX = 64, /* names in one list of those to be removed */
    HEADER_NAMES_LONG_SIZE = HEADER_NAMES_SIZE_MAX + sizeof IDENTITY_TOO_LARGE,
};

/* Returns the name of the header that replaces `name` when its value is too large. */
struct bytes header_names_too_large(const char *name, char buffer[static HEADER_NAMES_LONG_SIZE]);
/* Returns whether a recipient may take one name for the other, or for the one that replaces the other. */
bool header_names_clash(const char *name, const char *other);
/* Adds the name, and the one that replaces it, to a set. */
void header_names_add(struct http_removals *removals, const char *name);

/*
 * Finds whether the configuration may set the header: in requests, or in answers. False after a problem at `node`, which has
 * the line of the name.
 */
bool header_names_check(const struct loader *loader, const struct document_node *node, const char *name);
bool header_names_check_of_answers(const struct loader *loader, const struct document_node *node, const char *name);
/*
 * Finds that no header of `forward`, all of one direction, clashes with the name. False after a problem at `node`.
 */
bool header_names_check_free(const struct loader *loader, const struct document_node *node, const char *name,
                             const struct forward *forward);

/*
 * Adds the names in a list to the set, which is made if it is NULL. "X-SSL-*" is each name that begins with "X-SSL-".
 * `may_be_removed` is asked of each. `key` names the list in messages.
 */
void header_names_load_removals(const struct loader *loader, const struct document_node *list, const char *key,
                                bool (*may_be_removed)(struct bytes name, bool is_prefix), struct http_removals **removals);

#endif
