/* The names of a request: the request's id, the host that it names, and the stamp (date and id) of its answer. */
#ifndef EDGE_NAMING_H
#define EDGE_NAMING_H

#include "edge/exchange.h"
#include "http/forward.h"

/*
 * Gives the request the id that the client sent, or one of ours, for origin, answer and log alike. `head` is not looked at
 * when the exchange is refused.
 */
void naming_identify(struct exchange *exchange, struct bytes head);
/* That id. Valid as long as the exchange. */
struct bytes naming_id(const struct exchange *exchange);
/* The time and that id. The time is valid until the shard's next call. */
struct http_stamp naming_stamp(const struct exchange *exchange);

/* The name for a request that has none: the server name, else the host's own unless that is a wildcard, else empty. */
struct bytes naming_for_origin(const struct connection *connection);

/*
 * Whether the authority leads to the very host that the hello has led to. Not merely to a name that fits it: beside a
 * wildcard another host may have that name, with a policy of its own. An address leads to the default host, as a hello
 * without a name does. A request of HTTP/1.0 that names none is for the host of the hello (RFC 9112 section 3.3).
 */
bool naming_is_ours(const struct exchange *exchange, struct bytes head);

#endif
