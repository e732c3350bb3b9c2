/*
 * What a connection's client has shown, and what it is worth: its chain judged in the handshake, found again on resumption,
 * and held against the policy of the day at each request.
 */
#ifndef EDGE_VERDICT_H
#define EDGE_VERDICT_H

#include "edge/client.h"

/* The client's chain has come: judges it, if that has not been done. False when out of memory. */
bool verdict_judge(struct client *client, const struct tls_peer_chain *chain);

/*
 * The handshake is done. `resumed`: the ticket that was accepted counts; else only what came in this handshake, which is
 * nothing when the client has no certificate. What was judged in it is remembered from now on: before, the client had not
 * proved that the certificate is its own. False: what it shows does not go together, and nothing of it may count.
 */
bool verdict_settle(struct client *client, bool resumed);

/*
 * The client's identity as of now. A verdict whose dates have run out, or that was reached under a policy which a reload has
 * replaced, is reached anew; when that is a reason to turn the client away, verdict.lost is set. NULL when out
 * of memory, or when what is judged valid has never been proved to be the client's own.
 */
const struct identity *verdict_now(struct client *client);

/* The client's host has become another: the verdict is reached anew when the policy is not the same. */
void verdict_policy_changed(struct client *client, const struct config_host *before);

/* Gives back all that it holds for the connection. */
void verdict_release(struct client *client);

/* For the TLS session: see tls/session.h. */
bool verdict_bind_ticket(struct client *client, bool resumed, uint8_t binding[static TLS_TICKET_BINDING_SIZE]);
bool verdict_accept_ticket(struct client *client, const uint8_t binding[static TLS_TICKET_BINDING_SIZE]);

#endif
