/*
 * The admin listener: /healthz, /readyz, /metrics, /stats.json and the dashboard at / over plain HTTP, in the control
 * thread. Its clients are as hostile as any other port's: they get the same parser, bounded connections of which the oldest
 * makes room, GET and HEAD only, deadlines that nothing moves, and no answer under a name of others in Host.
 */
#ifndef SERVER_ADMIN_H
#define SERVER_ADMIN_H

#include "base/list.h"
#include "config/config.h"
#include "ring/listener.h"
#include "server/admin_page.h"
#include "stats/sampler.h"

#include <stdatomic.h>

enum {
    ADMIN_CONNECTIONS_MAX = 64,
    ADMIN_STREAMS_MAX = ADMIN_CONNECTIONS_MAX + 2 * LISTENER_ACCEPTS, /* with accepts in flight, and closing ones */
    ADMIN_CHUNKS = ADMIN_STREAMS_MAX * 5,                             /* send chunks that the ring needs for all of them */
    ADMIN_HEAD_MAX = 8 * 1024,
    ADMIN_TIMEOUT_MS = 10000,        /* for a request to come whole */
    ADMIN_ANSWER_TIMEOUT_MS = 30000, /* for its answer to be taken whole, and the connection to end */
};

struct admin {
    struct ring *ring;
    struct listener listener;
    struct slab connections;
    struct list all; /* connections, the newest first */
    size_t count;    /* connections, less those that are closing */
    struct admin_pages pages;
    int descriptor; /* until it is the listener's */
    const struct config *config;
    struct stats *stats;
    struct sampler *sampler;
    atomic_bool draining; /* shown by /readyz; any thread may set it */
    bool ending;
};

/* Sets it up, before the thread starts that will run it. The rest must outlive it; `config` may be replaced in the thread.
 */
void admin_prepare(struct admin *admin, int descriptor, const struct config *config, struct stats *stats,
                   struct sampler *sampler);
/* Accepts from now on, and owns the descriptor. 0 or -ENOMEM. This and the rest: in the ring's thread. */
int admin_open(struct admin *admin, struct ring *ring);
/* Stops accepting and ends all connections. */
void admin_close(struct admin *admin);
/* Returns whether nothing of it is left in the ring. After admin_close. */
bool admin_is_closed(const struct admin *admin);
void admin_free(struct admin *admin);

#endif
