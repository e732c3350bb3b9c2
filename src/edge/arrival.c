#include "edge/arrival.h"

#include "base/check.h"
#include "edge/gate.h"

#include <string.h>

enum {
    SILENT_MS = 250,                   /* what a client may take for its first bytes before its place may be taken */
    EARLY_MS = 1000,                   /* and for its handshake */
    EARLY_BYTES_MAX = 8 * 1024 * 1024, /* of hellos and flights that are not complete or wait, in one shard */
};

static struct arrival_queue *queue_of(struct connection *connection) {
    return &connection->shard->arrivals[connection->early];
}

static void enlist(struct connection *connection, enum arrival_stage stage) {
    connection->early = (uint8_t)stage;
    struct arrival_queue *queue = queue_of(connection);

    connection->newer_early = NULL;
    connection->older_early = queue->newest;
    *(queue->newest != NULL ? &queue->newest->newer_early : &queue->oldest) = connection;
    queue->newest = connection;
}

static void leave_queue(struct connection *connection) {
    struct arrival_queue *queue = queue_of(connection);
    struct connection *newer = connection->newer_early;
    struct connection *older = connection->older_early;

    *(newer != NULL ? &newer->older_early : &queue->newest) = older;
    *(older != NULL ? &older->newer_early : &queue->oldest) = newer;
    connection->early = ARRIVAL_OVER;
}

static void move_on(struct connection *connection, enum arrival_stage stage) {
    if (connection->early != stage) {
        leave_queue(connection);
        enlist(connection, stage);
    }
}

void arrival_has_spoken(struct connection *connection) {
    if (connection->early == ARRIVAL_SILENT) {
        move_on(connection, ARRIVAL_SPEAKING);
    }
}

/* Whether it has had its time, and has not used it. */
static bool has_dallied(const struct connection *connection) {
    uint64_t most_ms = connection->early == ARRIVAL_SILENT ? SILENT_MS : EARLY_MS;

    return connection->shard->ring.now_ns - connection->accepted_ns >= most_ms * 1000000;
}

static void evict(struct connection *connection) {
    if (has_dallied(connection)) {
        gate_fail(connection);
    }
    connection_reject(connection, connection_stage(connection), STATS_REJECT_EVICTED);
    connection_end(connection, CONNECTION_BY_RESET);
}

/* Whoever has held bytes for longest, but for one that just asks for more. */
static struct connection *oldest_holder(const struct shard *shard, const struct connection *asking) {
    struct connection *oldest = shard->arrivals[ARRIVAL_HOLDING].oldest;

    if (oldest == asking) {
        oldest = oldest->newer_early;
    }
    CHECK(oldest != NULL); /* one alone does not hold as much */
    return oldest;
}

static void hold(struct connection *connection, uint32_t size) {
    struct shard *shard = connection->shard;
    bool more = size > connection->early_bytes;

    if (connection->early == ARRIVAL_OVER || size == connection->early_bytes) {
        return;
    }
    shard->early_bytes += size;
    shard->early_bytes -= connection->early_bytes;
    connection->early_bytes = size;
    move_on(connection, size > 0 ? ARRIVAL_HOLDING : ARRIVAL_SPEAKING);
    while (more && shard->early_bytes > EARLY_BYTES_MAX) {
        evict(oldest_holder(shard, connection));
    }
}

void arrival_holds(struct connection *connection, uint32_t size) {
    hold(connection, size + connection->tls_bytes);
}

void arrival_session_holds(struct connection *connection, size_t size) {
    uint32_t own = connection->early_bytes - connection->tls_bytes;

    if (connection->early == ARRIVAL_OVER) {
        return;
    }
    CHECK(size <= UINT32_MAX - own);
    connection->tls_bytes = (uint32_t)size;
    hold(connection, own + connection->tls_bytes);
}

void arrival_is_over(struct connection *connection) {
    if (connection->early != ARRIVAL_OVER) {
        connection->tls_bytes = 0;
        hold(connection, 0);
        leave_queue(connection);
    }
}

static struct connection *oldest_unknown(const struct arrival_queue *queue) {
    struct connection *oldest = queue->oldest;

    while (oldest != NULL && oldest->class == ADMISSION_KNOWN) {
        oldest = oldest->newer_early;
    }
    return oldest;
}

/*
 * Whose place a newcomer may have: that of who has said nothing, or else of who takes its time for its handshake; the oldest
 * of them. A known client need not wait until they have had their time, and is not sent away itself.
 */
static struct connection *find_victim(const struct shard *shard, enum admission_class class) {
    struct connection *any = NULL;

    for (size_t stage = ARRIVAL_SILENT; stage < ARRIVAL_STAGES; stage++) {
        struct connection *oldest = oldest_unknown(&shard->arrivals[stage]);

        if (oldest != NULL && has_dallied(oldest)) {
            return oldest;
        }
        any = any != NULL ? any : oldest;
    }
    return class == ADMISSION_KNOWN ? any : NULL;
}

/* Makes room for one more of that class, if need be and if it can. */
static bool has_room(struct shard *shard, enum admission_class class) {
    struct connection *victim;

    if (shard->connections.in_use < shard->connections_max) {
        return true;
    }
    admission_crowd(&shard->admission);
    victim = find_victim(shard, class);
    if (victim == NULL) {
        return false;
    }
    evict(victim);
    return shard->connections.in_use < shard->connections_max + SHARD_SPARE;
}

static void nobody_closed(struct stream *stream) {}

static const struct stream_handler nobody = {.closed = nobody_closed};

static void turn_away(struct stream *stream) {
    stream->handler = &nobody;
    stream_reset(stream);
}

void arrival_accept(struct listener *listener, struct stream *stream, const struct sockaddr *peer) {
    struct shard *shard = listener->owner;
    struct connection *connection;
    uint32_t source;
    uint8_t class;

    stats_add(&shard->stats->connections_total, 1);
    if (!gate_arrive(shard, peer, &source, &class)) {
        turn_away(stream);
        return;
    }
    if (shard->draining || !has_room(shard, class)) {
        stats_add(&shard->stats->rejected[STATS_AT_ACCEPT][STATS_REJECT_LIMIT], 1);
        sources_leave(shard->sources, source);
        turn_away(stream);
        return;
    }
    connection = slab_take(&shard->connections);
    CHECK(connection != NULL); /* as many as may be accepted */
    *connection = (struct connection){
        .shard = shard,
        .stream = stream,
        .site = site_retain(shard->site),
        .accepted_ns = shard->ring.now_ns,
        .source = source,
        .class = class,
        .next = shard->first,
    };
    memcpy(&connection->peer, peer, peer->sa_family == AF_INET6 ? sizeof connection->peer.in6 : sizeof connection->peer.in);
    if (shard->first != NULL) {
        shard->first->previous = connection;
    }
    shard->first = connection;
    if (listener->blocks) {
        stream_drop_filter(stream);
    }
    enlist(connection, ARRIVAL_SILENT);
    stats_add(&shard->stats->connections, 1);
    connection_start(connection);
}
