/*
 * The clock of a tunnel, which is an exchange whose origin has switched to another protocol (edge/exchange.h): how long no
 * byte may pass, and when the verdict on its client is to be reached anew. And its last word, which a WebSocket has.
 */
#ifndef EDGE_TUNNEL_H
#define EDGE_TUNNEL_H

#include "edge/client.h"
#include "http/websocket.h"

struct tunnel {
    struct client *client;
    struct timer timer; /* for whichever of the two comes first */
    void (*over)(struct tunnel *tunnel, enum stats_tunnel_end why);
    uint64_t active_ms;        /* when the last byte has passed */
    uint64_t judge_ms;         /* when the verdict is to be reached anew */
    enum stats_tunnel_end why; /* it ends */
    bool was_valid;            /* the origin has been told that the client's certificate is valid */
    bool is_websocket;
    bool client_ended;              /* the client sends no more */
    bool origin_ended;              /* likewise */
    struct websocket_frames frames; /* from the origin */
};

/*
 * Begins. `over` is called from the shard's timers when the tunnel is to end: no byte has passed for timeouts.tunnel_idle of
 * the client's host, or for limits.idle_timeout once one half has ended; or the client, for which the origin was told
 * `identity`, is not welcome any more.
 */
void tunnel_open(struct tunnel *tunnel, struct client *client, const struct identity *identity, bool is_websocket,
                 void (*over)(struct tunnel *tunnel, enum stats_tunnel_end why));
void tunnel_close(struct tunnel *tunnel);

/* Bytes have passed, or were taken by the one side or the other. */
void tunnel_pass(struct tunnel *tunnel);
/* Bytes of the origin pass on to the client. */
void tunnel_pass_to_client(struct tunnel *tunnel, struct bytes passed);
/* One half has ended: `half` is client_ended or origin_ended. */
void tunnel_end_half(struct tunnel *tunnel, bool *half);
/* The client's host has another policy: has the verdict reached anew, one tunnel after the other within a second. */
void tunnel_judge_soon(struct tunnel *tunnel);
/* Writes the frame by which the client is told why the tunnel ends. Returns 0 when no frame can be sent. */
size_t tunnel_last_word(const struct tunnel *tunnel, enum stats_tunnel_end why, uint8_t frame[static WEBSOCKET_CLOSE_SIZE]);

#endif
