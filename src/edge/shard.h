/*
 * The state of one shard, which one thread owns alone: a ring, listeners, connections, exchanges, TLS contexts, origin pools
 * and counters. The thread itself is in server/shard_thread.h.
 */
#ifndef EDGE_SHARD_H
#define EDGE_SHARD_H

#include "base/list.h"
#include "base/pieces.h"
#include "base/random.h"
#include "config/settings.h"
#include "edge/journal.h"
#include "edge/screen_state.h"
#include "edge/site.h"
#include "guard/admission.h"
#include "guard/places.h"
#include "guard/replays.h"
#include "http/date.h"
#include "identity/cache.h"
#include "identity/chain_log.h"
#include "ring/listener.h"
#include "stats/stats.h"
#include "tls/session.h"

enum {
    SHARD_HELD_MAX =
        SETTINGS_HEADER_SIZE_MAX + 2 * RING_RECEIVE_SIZE, /* the largest head that may be configured, and more */
    SHARD_SPARE = 64,                     /* connections above the limit, for those that come while others make room */
    SHARD_OUT_SIZE = TLS_RECORD_SIZE_MAX, /* plaintext gathered into one record */
    SHARD_HEAD_SIZE = 128 * 1024,         /* the largest head written for an origin or a client */
    SHARD_FIELDS_SIZE = 64 * 1024, /* a head's lines about the connection: server name and suite, in up to 64 headers */
    SHARD_ANSWER_FIELDS_SIZE = IDENTITY_ANSWER_SIZE_MAX + 8 * 1024, /* those of an answer */
};

struct batch;
struct connection;
struct health_board;
struct p256_keys;
struct reputation;
struct supply;

/* The process's, shared by all shards: each behind locks of its own, or atomic. */
struct shared {
    struct identity_cache *cache;
    struct chain_log *chains;
    struct tls_tickets *tickets;
    struct sources *sources;
    struct replays *replays;
    struct reputation *reputation;
    struct health_board *health;
};

/* How loaded the shard is, and which hellos it takes up: gate.c's. */
struct gate {
    struct admission admission;
    uint64_t behind_proxies_ns; /* handshakes of strangers behind balancers, in this window */
    uint64_t busy_ns;           /* how long the thread had been busy when its last window ended */
    int schedstat;              /* the kernel's account of that; -1: none */
};

/* Memory for one call at a time: no connection's data stays here. */
struct scratch {
    uint8_t plaintext[TLS_RECORD_SIZE_MAX];
    char head[SHARD_HEAD_SIZE];
    char fields[SHARD_FIELDS_SIZE];
    char answer_fields[SHARD_ANSWER_FIELDS_SIZE];
};

/* Plaintext that is gathered for one connection, until the end of the turn: output.c's. */
struct output {
    uint8_t gathered[SHARD_OUT_SIZE];
    size_t size;
    struct connection *owner; /* NULL: nothing is gathered */
};

struct shard {
    struct ring ring;
    struct site *site;    /* for new connections; the others switch to it between two requests */
    struct site *retired; /* sites that were replaced, until their last user has gone */
    struct stats_shard *stats;
    struct shared shared;
    struct gate gate;
    struct screen screen;
    struct slab connections;
    struct slab exchanges;
    struct slab streams;   /* of HTTP/2, with their exchanges */
    struct slab rooms;     /* for trailers of requests: see passage.h */
    struct slab tunnels;   /* of tcp hosts: tcp.c's */
    struct slab steps;     /* of handshakes: handshake.c's */
    struct batch *batch;   /* where handshakes have company; NULL: they have none */
    struct supply *supply; /* keys and nonces made ahead for them; NULL: none are */
    /* Of clients and CAs, with what makes the next check cheap; NULL: each costs what the first one does. */
    struct p256_keys *p256_keys;
    struct pieces pieces;   /* certificate chains, and names under wildcards */
    struct list all;        /* connections, the newest first */
    struct list http2_turn; /* connections that may have frames to send when the turn ends: http2.c's */
    struct places places;   /* that connections hold: see place.h */
    size_t early_bytes;     /* kept for connections whose handshakes are not complete */
    size_t late_bytes;      /* kept for the others, but for those of valid clients */
    uint32_t judge_turn;    /* milliseconds from a reload to the next tunnel's verdict: tunnel.c's */
    uint32_t lingering;     /* connections that wait for their alert to be read */
    struct listener *listeners;
    size_t listener_count;
    bool draining;              /* no keep-alive any more; ends with the last connection */
    struct random_stock random; /* for X-Request-Id */
    struct http_date date;
    struct journal journal;

    struct scratch scratch;
    struct output output;

    /* Set before the thread starts. */
    unsigned index;
    uint32_t connections_capacity; /* connections that the pools are made for */
    uint32_t connections_max;      /* this shard's part of limits.connections; never above its capacity */
};

/* Returns whether the shard has time for courtesies. */
static inline bool shard_is_calm(const struct shard *shard) {
    return shard->gate.admission.state == ADMISSION_CALM;
}

#endif
