/* The names of a request: the request's id, the host that it names, and the stamp (date and id) of its answer. */
#ifndef EDGE_NAMING_H
#define EDGE_NAMING_H

#include "edge/client.h"
#include "http/forward.h"

/*
 * Gives a request the id that the client sent, or one of ours, for origin, answer and log alike. `request`: NULL when its
 * head is not complete or not well-formed.
 */
void naming_identify(struct shard *shard, struct journal_note *note, const struct http_message *request, struct bytes head);
/* Returns that id, which is valid as long as the note. */
struct bytes naming_id(const struct journal_note *note);
/* Returns the time and that id. The time is valid until the shard's next call. */
struct http_stamp naming_stamp(struct shard *shard, const struct journal_note *note);

/*
 * Returns the name of the host for a request that names none: the server name, else the host's own unless that is a
 * wildcard, else empty.
 */
struct bytes naming_for_origin(const struct client *client, const struct config_host *host);

/*
 * Returns the host that a request's authority, which is not empty, leads to: an address leads to the default host, as a
 * hello without a name does. NULL: none is served by that name.
 */
const struct config_host *naming_find(const struct config *config, struct bytes authority);
/*
 * Returns whether the request's authority leads to `host`, which is the very host that the hello has led to. A name that
 * merely fits `host` is not enough: beside a wildcard another host may have that name, with a policy of its own. A request
 * of HTTP/1.0 that names none is for the host of the hello (RFC 9112 section 3.3).
 */
bool naming_is_ours(const struct config *config, const struct config_host *host, const struct http_message *request,
                    struct bytes head);

#endif
