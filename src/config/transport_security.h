/* `strict_transport_security` of a host: the header of HTTP Strict Transport Security (RFC 6797) on all of its answers. */
#ifndef CONFIG_TRANSPORT_SECURITY_H
#define CONFIG_TRANSPORT_SECURITY_H

#include "base/buffer.h"
#include "config/values.h"
#include "http/removals.h"

/*
 * Appends the header's line, and adds its name to those that no origin's answer keeps. `node` is a duration, or a mapping
 * with max_age, include_subdomains and preload; NULL: there is none.
 */
void transport_security_load(const struct loader *loader, const struct document_node *node, struct buffer *lines,
                             struct http_removals *removals);

#endif
