/*
 * Reaches the verdict on a client's certificates: in the handshake, again on resumption, and as of now at each request.
 */
#ifndef EDGE_VERDICT_H
#define EDGE_VERDICT_H

#include "edge/client.h"

/* Judges the client's chain, which has come, if that has not been done. False: out of memory. */
bool verdict_judge(struct client *client, const struct tls_peer_chain *chain);

/*
 * Takes the verdict over for the client: the handshake is done. `resumed`: the ticket that was accepted counts; else only
 * the chain that came in this handshake, which is none when the client has no certificate. A valid verdict goes to the cache
 * only now: before, the client had not proved that the certificate is its own. False: ticket and chain do not go together,
 * and neither may count.
 */
bool verdict_settle(struct client *client, bool resumed);

/*
 * Returns the client's identity as of now, client->verdict.identity. A verdict whose dates have run out, or that was reached
 * under a policy which a reload has replaced, is reached anew; when that is a reason to turn the client away, verdict.lost
 * is set. NULL: out of memory, or the client has never proved that the certificate, judged valid, is its own.
 */
const struct identity *verdict_now(struct client *client);

/* Notes that the client has another host: verdict_now reaches the verdict anew if the policy is not the same. */
void verdict_policy_changed(struct client *client, const struct config_host *before);

/* Returns the client's own certificate, in DER; empty when none is kept. */
struct bytes verdict_leaf(const struct client *client);

/* Gives back all that the verdict holds. */
void verdict_release(struct client *client);

/* For the TLS session: see tls/session.h. */
bool verdict_bind_ticket(struct client *client, bool resumed, uint8_t binding[static TLS_TICKET_BINDING_SIZE]);
bool verdict_accept_ticket(struct client *client, const uint8_t binding[static TLS_TICKET_BINDING_SIZE]);

#endif
