/* The `forward` part of a host: the header for each field that goes to the origin. */
#ifndef CONFIG_HEADERS_H
#define CONFIG_HEADERS_H

#include "config/values.h"
#include "http/removals.h"
#include "identity/identity.h"

enum {
    HEADERS_MAX = 64,       /* in forward.headers */
    HEADERS_RULES_MAX = 64, /* in each mapping of header_rules.h: values */
    HEADERS_OF_REQUESTS_MAX = 2 + HEADERS_MAX + 2 * HEADERS_RULES_MAX,
    HEADERS_OF_ANSWERS_MAX = 2 * HEADERS_RULES_MAX,
};

/*
 * Loads `forward` of a host, with room for HEADERS_OF_REQUESTS_MAX headers. Status and SKI always come first, then the
 * others in file order; `node` may be NULL: then they have their default names, and there are no others. `*strip` becomes
 * the set of names in forward.strip, or stays NULL; free it with http_removals_free().
 */
void headers_load(const struct loader *loader, const struct document_node *node, struct forward *forward,
                  struct http_removals **strip);
void headers_free(struct forward *forward);

/* Adds the names in a list of those that the host's origins get from no client. `key` names it in messages. */
void headers_load_strip(const struct loader *loader, const struct document_node *list, const char *key,
                        struct http_removals **strip);

/* Adds the names that no client may set on any host, whatever the hosts forward: http_own_name(). */
void headers_add_own_removals(struct http_removals *removals);
/* Adds each name that `forward` can set. */
void headers_add_removals(struct http_removals *removals, const struct forward *forward);

#endif
