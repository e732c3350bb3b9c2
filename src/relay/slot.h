/*
 * Where the origins of a relay begin and end. An origin of the configuration stands for any number of addresses, and each of
 * them is one struct relay_origin. Those of a name come and go: one whose address is gone leaves, and ends when no
 * connection and no exchange points to it any more. No other module makes or frees one.
 */
#ifndef RELAY_SLOT_H
#define RELAY_SLOT_H

#include "relay/addresses.h"
#include "relay/pool.h"

/*
 * Begins an origin: `configured`, of the host's configuration, at one of its addresses, which is copied. The host, with
 * fewer than CONFIG_ORIGIN_ADDRESSES_MAX, has it from now on. NULL when the relay has no room.
 */
struct relay_origin *slot_begin(struct relay *relay, struct relay_host *host, const struct config_origin *configured,
                                const struct config_address *address, struct dns_rank rank);
/*
 * Takes the entry of an origin whose host is probed from relay->board, if there is a board. slot_begin does so too. 0 or
 * -ENOMEM.
 */
int slot_heed(struct relay *relay, struct relay_origin *origin);
/* Ends all origins of a relay without connections and exchanges. */
void slot_end_all(struct relay *relay);

/*
 * The host's origins become those of the addresses: what is new begins, what is gone leaves, and the others go on. A relay
 * without room for all keeps some that are gone, until others have ended. Retains the addresses.
 */
void slot_take(struct relay *relay, struct relay_host *host, const struct config_origin *configured,
               struct relay_addresses *addresses);
/* The function of relay->end_unused. */
void slot_end_unused(struct ring_task *task);

#endif
