/*
 * A client's connection: from its first bytes to its last. One enum holds its state and connection_enter changes it.
 *
 *   HELLO ─ QUEUED ─ HANDSHAKE ─ WAITING ⇄ HEAD ⇄ EXCHANGE
 *      └───────┴─────────┴──────────┴───────┴──────┴─── CLOSING
 */
#ifndef EDGE_CONNECTION_H
#define EDGE_CONNECTION_H

#include "edge/pace.h"
#include "edge/shard.h"

enum connection_state {
    CONNECTION_HELLO,     /* the ClientHello is not complete; no TLS object exists */
    CONNECTION_QUEUED,    /* the hello waits to be taken up: see gate.h */
    CONNECTION_HANDSHAKE, /* wolfSSL is at work */
    CONNECTION_WAITING,   /* for the first byte of a request */
    CONNECTION_HEAD,      /* a part of a request's head is there */
    CONNECTION_EXCHANGE,  /* a request is being answered */
    CONNECTION_CLOSING,   /* no handler of ours has anything to do any more */
    CONNECTION_STATES,
};

/* How a connection ends. */
enum connection_end {
    CONNECTION_POLITELY,    /* close_notify, what is queued, FIN */
    CONNECTION_TRUNCATED,   /* what is queued, FIN, but no close_notify: the answer is not complete */
    CONNECTION_ABRUPTLY,    /* now */
    CONNECTION_AFTER_ALERT, /* what is queued, a moment to read it while there is time, and then nothing of it is left */
    CONNECTION_BY_RESET,    /* now, and nothing of it is left: for those who deserve no better */
};

enum {
    CONNECTION_ADDRESS_SIZE = 46,
};

/* How far a refusal speaks against the client's source: see reputation.h. */
enum connection_blame {
    CONNECTION_BLAME_NONE,
    CONNECTION_BLAME_FAILURE,    /* the client did what no client of ours does */
    CONNECTION_BLAME_IMPATIENCE, /* the client left; the server is to blame where the client has waited long for it */
};

struct exchange;

/* Bytes that wait to be worked through: of a hello, a handshake's flight, a head, a request behind another. */
struct connection_held {
    uint8_t *data; /* from the shard's pieces; NULL most of the time */
    uint32_t size;
    uint32_t capacity;
};

struct connection {
    struct connection *next; /* of the shard's connections */
    struct connection *previous;
    struct place place; /* see place.h */
    struct shard *shard;
    struct stream *stream;
    struct site *site;
    const struct config_host *host; /* of the site; the hello's name leads to it. NULL before that */
    const char *name;               /* the server name of the hello, "" when it had none */
    char *name_copy;                /* where `name` is, unless it is the host's own */
    struct tls_session *tls;
    struct identity *identity;  /* NULL before the handshake is complete, unless the chain or a ticket has come */
    uint8_t *chain;             /* the client's certificates, to be judged again: see verdict.h */
    struct relay_client origin; /* the connection to an origin that is this client's alone */
    struct exchange *exchange;  /* from the first byte of a request to the last of its answer */
    struct connection_held held;
    uint32_t chain_size;
    uint8_t chain_digest[IDENTITY_DIGEST_SIZE]; /* zeros: no chain, or one that was too large */
    struct pace pace;                           /* with the deadline of the current state */
    uint64_t accepted_ns;
    uint64_t handshake_ns;  /* from there to its end */
    uint32_t bytes_counted; /* that are kept for it, as far as the shard counts them, those of its TLS session among them */
    uint32_t tls_bytes;     /* that its TLS session holds of them, when it has had its input */
    uint32_t requests;      /* begun */
    struct admission_entry admission;
    uint64_t ticket; /* that it came with, as far as the gate has looked: see guard/replays.h */
    uint32_t source; /* see gate.h */
    uint32_t holder; /* of its certificate, once it has proved a valid one: see reputation.h */
    uint8_t class;   /* enum admission_class */
    uint8_t state;
    bool waits_of_source; /* counted as waiting */
    bool proved;          /* its client has shown a valid certificate */
    bool credited;        /* which counts for its source */
    bool first_of_holder; /* then: no other connection of its certificate was open */
    bool over_bound;      /* its certificate is used more than any device needs: see reputation.h */
    bool handshake_counted;
    bool lingers;       /* counted in the shard's lingering */
    bool peer_closed;   /* the client has sent close_notify or FIN; what it asked before is still answered */
    bool processing;    /* input is being worked through further up the stack */
    bool resumable;     /* the hello allows a ticket */
    bool early_data;    /* the hello says that early data follows, which is refused and stepped over */
    bool is_new;        /* the cache does not have the identity; it is to, once its possession is proved */
    bool by_ticket;     /* identity and chain are those of a ticket, not of this handshake */
    bool verdict_stale; /* it was reached under another policy than the host's */
    bool verdict_lost;  /* it was reached anew since the handshake, and does not let the client in any more */
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } peer;
    char address[CONNECTION_ADDRESS_SIZE]; /* of the client, without port; once the handshake is complete */
};

/* A connection whose stream, shard and site are set begins to live. */
void connection_start(struct connection *connection);

/* Ends it, with its exchange. It is gone when its stream has closed. Nothing happens when it is ending already. */
void connection_end(struct connection *connection, enum connection_end how);

/* For the exchange: request and answer are complete and the exchange may go. Waits for the next request, or closes. */
void connection_exchange_done(struct connection *connection, bool keep_alive);
/* Goes on after an event from the origin's side: with a request that was pipelined, or with more input. */
void connection_continue(struct connection *connection);
/* Asks for more input, if any could be of use. */
void connection_arm(struct connection *connection);
/* Moves the deadline of the current state: something has progressed. */
void connection_progress(struct connection *connection);

/* For the modules of a connection. The only place where the state changes; sets the new state's deadline. */
void connection_enter(struct connection *connection, enum connection_state state);
/* Keeps a copy of bytes behind those that are held already. */
void connection_hold(struct connection *connection, struct bytes bytes);
/* What it holds becomes the caller's, until that gives it back. */
struct connection_held connection_take_held(struct connection *connection);
void connection_give_back(struct connection *connection, const struct connection_held *held);
/* Decrypts and works through what was fed to the TLS session, until wolfSSL wants more. */
void connection_read(struct connection *connection);
/* The counters of its host in its shard. */
struct stats_host *connection_host_stats(const struct connection *connection);
/*
 * Turns the client away: counts why, and the handshake's outcome if a handshake has begun and is not complete; blames the
 * source; ends the connection. Nothing of it happens when the connection is ending already.
 */
void connection_refuse(struct connection *connection, enum stats_stage stage, enum stats_rejection why,
                       enum connection_blame blame, enum connection_end how);
/* Where it is on the way to its first request, or that it has come so far. */
enum stats_stage connection_stage(const struct connection *connection);
/* Counts the handshake's outcome, once. */
void connection_count_handshake(struct connection *connection, enum stats_result result);

/* Ends the connections that wait for a request; the others will follow their answers. */
void connection_drain_all(struct shard *shard);
void connection_stop_all(struct shard *shard);

#endif
