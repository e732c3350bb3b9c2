/*
 * The process's memory of clients that have shown valid certificates, and the worth of a connection's own certificate to
 * the connection. The module joins guard/sources, guard/holders and guard/familiar to the lives of connections. Reputation
 * decides classes and places, never verdicts.
 */
#ifndef EDGE_REPUTATION_H
#define EDGE_REPUTATION_H

#include "guard/familiar.h"
#include "guard/holders.h"
#include "ring/syn_filter.h"

struct client;

/* One for the process, shared by all shards. */
struct reputation {
    struct familiar familiar;
    struct holders *holders;
    struct syn_filter_secret secret; /* of the names that the kernel knows sources by */
    unsigned cores;                  /* that serve: one for each shard */
};

/* `holders`: certificates that are known of, at least; `cores`: 1 to 1,000. NULL: out of memory. */
struct reputation *reputation_create(size_t holders, unsigned cores);
/* NULL is allowed. */
void reputation_free(struct reputation *reputation);

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
 * The handshake is complete, and the identity is valid. `in_person`: by proof of possession of the key, and not by a ticket,
 * which may be used from anywhere, so that it says nothing of the source.
 */
void reputation_prove(struct client *client, bool in_person);
/* Ends what the client counts for at its source and its certificate: its connection is gone. May be called again. */
void reputation_leave(struct client *client);

/* Its handshake has taken so much. */
void reputation_spend(struct client *client, uint64_t spent_ns);
/* Whether its source, which is known, may be served as such now. */
bool reputation_has_work(struct client *client);

#endif
