/*
 * Has a client's source and certificate gain and lose by the client's behaviour: joins guard/sources, guard/holders and
 * guard/familiar to the lives of connections. Reputation decides classes and places, never verdicts.
 */
#ifndef EDGE_REPUTATION_H
#define EDGE_REPUTATION_H

#include "edge/client.h"

/* Counts one failure against the source: the client did what no client of ours does. */
void reputation_fail(struct client *client);
/* Counts two failures: the client sent a certificate that is not valid, and to check it has cost signatures. */
void reputation_fail_certificate(struct client *client);
/*
 * Counts one failure for a client that left before its handshake was complete, unless it had waited in the shard's queue
 * for half a second: then the server was too slow. `waited_ns`: how long it waits there by now, 0 if it does not.
 */
void reputation_fail_if_impatient(struct client *client, uint64_t waited_ns);
/*
 * The client has resumed a session: records its ticket as used. The source earns no more by it than reputation_prove says,
 * because a ticket can be used from any address.
 */
void reputation_resume(struct client *client);
/*
 * Has a client gain by a valid identity: the handshake is complete. `in_person`: by proof of possession of the key, and not
 * by a ticket, which may be used from anywhere, so that a ticket says nothing of the source.
 */
void reputation_prove(struct client *client, bool in_person);
/* Ends what the client counts for at its source and its certificate: its connection is gone. May be called again. */
void reputation_leave(struct client *client);

/* Charges the client's source with CPU time that the handshake has taken. */
void reputation_spend(struct client *client, uint64_t spent_ns);
/* Returns whether the client's source, which is known, may be served as such now. */
bool reputation_has_work(struct client *client);

#endif
