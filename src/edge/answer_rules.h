/* Has answers gain and lose headers as the host's configuration says: response_headers and strict_transport_security. */
#ifndef EDGE_ANSWER_RULES_H
#define EDGE_ANSWER_RULES_H

#include "edge/client.h"
#include "http/forward.h"

/*
 * Adds the rules of `host` to the stamp of an answer to the client, whose identity is of that host. The stamp is valid until
 * the shard's next call.
 */
void answer_rules_apply(const struct client *client, const struct config_host *host, const struct identity *identity,
                        struct http_stamp *stamp);

#endif
