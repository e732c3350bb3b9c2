/*
 * struct exchange, and struct exchange_carrier, by which an exchange speaks to its client. exchange.h has the functions for
 * carriers; the modules below that one need the structs alone.
 */
#ifndef EDGE_EXCHANGE_STATE_H
#define EDGE_EXCHANGE_STATE_H

#include "edge/client.h"
#include "edge/journal.h"
#include "edge/tunnel.h"
#include "edge/websocket_key.h"
#include "http/forward.h"
#include "http/upgrade.h"

struct exchange;
struct passage_room;

/* How an answer ends that cannot be completed. */
enum exchange_reset {
    EXCHANGE_CUT_SHORT, /* the queued part leaves, so that the client sees that the answer is not whole */
    EXCHANGE_GIVEN_UP,  /* the client does not take it: nothing more leaves */
};

/*
 * The functions that an exchange needs of its carrier. Each but `room` may end the exchange, where nothing else is said:
 * then the exchange is gone when the function returns.
 */
struct exchange_carrier {
    bool many; /* the client may have other exchanges at the same time, so that none can have its connection to an origin */
    /* Sends an informational response of the origin's. False: the exchange is gone. */
    bool (*send_interim)(struct exchange *exchange, const struct http_message *response, const void *head);
    /*
     * Sends the head of the origin's answer. False: it is too large; nothing was sent, and the exchange is there. With the
     * head of a 101 (HTTP_STATUS_SWITCHING) the exchange is a tunnel: see below.
     */
    bool (*send_head)(struct exchange *exchange, const struct http_message *response, const void *head);
    /* Sends a piece of the answer's body. False: the exchange is gone. */
    bool (*send_body)(struct exchange *exchange, struct bytes piece);
    /* The answer is complete, but for its trailers. */
    void (*send_end)(struct exchange *exchange, struct bytes trailers);
    /* Sends an answer of ours, whole; sets reply->keep_alive. */
    void (*send_reply)(struct exchange *exchange, struct http_reply *reply);
    /* The request's body is wanted, which the client may wait to be told (RFC 9110 section 10.1.1). */
    void (*invite_body)(struct exchange *exchange);
    /* Of a tunnel: tells the client that the origin sends no more. The client may go on. */
    void (*send_half_end)(struct exchange *exchange);
    /* Ends an answer that cannot be completed. */
    void (*reset)(struct exchange *exchange, enum exchange_reset how);
    /* Returns how many bytes of the answer the client takes now. */
    size_t (*room)(const struct exchange *exchange);
    /* Something has happened at the origin's side: more of the request may be read, or the next one begun. */
    void (*read_more)(void *owner);
};

/*
 * An exchange becomes a tunnel when its origin switches to another protocol, as the request has offered. From then on what
 * the client sends is a body that begins anew, without framing: exchange_body takes at most exchange_room of it at a time,
 * and exchange_body_end, without trailers, ends the client's half. send_body and send_half_end have what the origin sends.
 * The tunnel ends by send_end when both halves have ended or when a last word could be said, else by reset. Its idle limit
 * and its client's verdict are the exchange's own business; the carrier tells of a new site and of the end of the shard.
 */
struct exchange {
    const struct exchange_carrier *carrier;
    void *owner; /* the carrier's own */
    struct client *client;
    struct site *site;              /* with a reference: stays for the exchange when a reload gives the client another */
    const struct config_host *host; /* of the site */
    struct identity *identity;      /* with a reference */
    struct relay_exchange *relay;   /* NULL when the answer is ours, or complete */
    struct passage_room *room;      /* for trailers of the request; NULL: it announces none, or they go nowhere */
    uint64_t started_ns;            /* the head was complete */
    uint64_t relayed_ns;
    uint64_t origin_ns; /* from there to the head of its answer; 0: there is none */
    uint64_t body_in;   /* bytes of the request's body, and of the answer's */
    uint64_t body_out;
    uint32_t stream_id;            /* of HTTP/2, which its carrier sets behind exchange_init; 0: HTTP/1 */
    unsigned code;                 /* of the answer, once its head is sent */
    uint32_t tries;                /* origins that the request went to, one that it went to twice twice */
    enum relay_fault origin_fault; /* why there is no whole answer of an origin's; RELAY_FAULT_NONE */
    bool grpc;                     /* the request is a call of gRPC */
    bool conversation;             /* ... which is relayed as such: neither side need speak while the other waits */
    bool grpc_open;                /* ... and so is its answer, whose trailers can say how it ends */
    bool unannounced;              /* its trailers pass without announcement: both sides speak HTTP/2, which frames them */
    bool request_done;             /* the request is complete, with its body */
    bool dismissed;                /* further requests of the client can lead to nothing: its carrier need not stay */
    bool paused;                   /* the origin has been told to wait */
    bool is_tunnel;
    bool has_clock;       /* `tunnel` runs: it is a tunnel or a conversation */
    bool is_connect;      /* the request is an extended CONNECT (RFC 8441): it has no body, but a tunnel may come */
    uint8_t upgrade_size; /* of `upgrade` */

    /* exchange_init zeroes what is above; each of these is written before it is read. */
    struct http_message request;            /* its spans are only good while the head is */
    char upgrade[HTTP_UPGRADE_MAX];         /* the protocols that were offered to the origin */
    char websocket_key[WEBSOCKET_KEY_SIZE]; /* with the offer of an extended CONNECT to go on as a WebSocket */
    struct tunnel tunnel;                   /* if has_clock */
    struct journal_note note;
    struct http_header headers[HTTP_HEADERS_MAX];
};

/* The counters of the exchange's host in its shard. */
static inline struct stats_host *exchange_host_stats(const struct exchange *exchange) {
    return stats_hosts_at(exchange->site->stats, exchange->host->index, exchange->client->shard->index);
}

/* Returns memory for a head that a carrier sends: the shard's. */
static inline struct text exchange_head_memory(const struct exchange *exchange) {
    struct scratch *scratch = &exchange->client->shard->scratch;

    return text_over(scratch->head, sizeof scratch->head);
}

#endif
