/*
 * A set of header names that are not relayed, in any spelling that an origin may take for one of them (http/names).
 * Immutable once built, and read by all shards.
 */
#ifndef HTTP_REMOVALS_H
#define HTTP_REMOVALS_H

#include "base/bytes.h"

struct http_removals;

/* Makes an empty set. NULL when there is no memory. http_removals_free() takes NULL. */
struct http_removals *http_removals_create(void);
/* Adds one name, which is not empty. 0 or -ENOMEM. */
int http_removals_add(struct http_removals *removals, struct bytes name);
/* Adds all names of http_own_name(). 0 or -ENOMEM. */
int http_removals_add_own(struct http_removals *removals);
/* Adds all names that begin with `prefix`, which is not empty; at most HTTP_REMOVALS_PREFIXES_MAX prefixes. 0 or -ENOMEM. */
enum { HTTP_REMOVALS_PREFIXES_MAX = 128 };
int http_removals_add_prefix(struct http_removals *removals, struct bytes prefix);
bool http_removals_has(const struct http_removals *removals, struct bytes name);
void http_removals_free(struct http_removals *removals);

#endif
