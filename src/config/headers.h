/* The `forward` part of a host: which header carries which field to the origin. */
#ifndef CONFIG_HEADERS_H
#define CONFIG_HEADERS_H

#include "config/values.h"

enum {
    HEADERS_MAX = 64,       /* in forward.headers */
    HEADERS_NAME_MAX = 128, /* characters of a name */
};

#define HEADERS_STATUS_NAME "X-Client-Cert-Status"
#define HEADERS_SKI_NAME    "X-Client-Cert-SKI"

/* `node` may be NULL: status and SKI under their default names. They always come first, then the others in file order. */
void headers_load(const struct loader *loader, const struct document_node *node, struct forward *forward);
void headers_free(struct forward *forward);

/* Adds what no client may set on any host, whatever it forwards: our forwarding headers and the two default names. */
void headers_add_common_removals(struct http_removals *removals);

#endif
