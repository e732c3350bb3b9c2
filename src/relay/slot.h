/*
 * Where the origins of a relay begin and end. An origin of the configuration stands for any number of addresses, and each of
 * them is one struct relay_origin.
 */
#ifndef RELAY_SLOT_H
#define RELAY_SLOT_H

#include "relay/pool.h"

/*
 * Begins an origin: `configured`, of the host's configuration, at one of its addresses, which is copied. The host, with
 * fewer than CONFIG_ORIGIN_ADDRESSES_MAX, has it from now on. NULL when out of memory.
 */
struct relay_origin *slot_begin(struct relay *relay, struct relay_host *host, const struct config_origin *configured,
                                const struct config_address *address);
/* Ends an origin, on which nothing is in flight or idle. */
void slot_end(struct relay *relay, struct relay_origin *origin);

#endif
