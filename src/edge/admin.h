/*
 * The admin listener: /healthz, /readyz, /metrics, /stats.json and the dashboard at / over plain HTTP, in a thread and ring
 * of its own, so that a scrape never delays a shard; the same thread samples the counters once a second. As hostile as any
 * other port: same parser, bounded connections of which the oldest makes room, GET and HEAD only, deadlines that nothing
 * moves, and no name of others in Host.
 */
#ifndef EDGE_ADMIN_H
#define EDGE_ADMIN_H

#include "config/config.h"
#include "edge/admin_page.h"
#include "ring/listener.h"
#include "ring/mailbox.h"
#include "ring/ring.h"
#include "stats/sampler.h"

#include <pthread.h>
#include <semaphore.h>

enum {
    ADMIN_CONNECTIONS_MAX = 64,
    ADMIN_STREAMS_MAX = ADMIN_CONNECTIONS_MAX + 2 * LISTENER_ACCEPTS, /* those that are waited for, or closing, included */
    ADMIN_HEAD_MAX = 8 * 1024,
    ADMIN_SEND_BUFFER = 128 * 1024,  /* of a socket, in the kernel */
    ADMIN_TIMEOUT_MS = 10000,        /* for a request to come whole */
    ADMIN_ANSWER_TIMEOUT_MS = 30000, /* for its answer to be taken whole, and the connection to end */
};

struct admin {
    struct ring ring;
    struct mailbox mailbox;
    struct listener listener;
    struct slab connections;
    struct admin_connection *first; /* the newest */
    struct admin_connection *last;
    size_t count; /* connections, less those that are closing */
    struct admin_pages pages;
    bool ending;
    bool detached;

    /* Set before the start. */
    int descriptor;
    struct config *config; /* for admin_names; retained from the start to the end */
    struct stats *stats;
    struct sampler sampler; /* the thread's own */
    atomic_bool ready;      /* what /readyz says; any thread may clear it */
    pthread_t thread;
    sem_t started;
    char error[RING_ERROR_SIZE];
};

/* Starts the thread and waits until it accepts. 0, or -1 with `error` set and the descriptor closed. */
int admin_start(struct admin *admin);
/* Ends all connections and the thread, and waits for that. */
void admin_stop(struct admin *admin);

#endif
