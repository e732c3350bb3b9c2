#include "edge/place.h"

#include "base/check.h"
#include "edge/gate.h"

enum {
    EARLY_BYTES_MAX = 8 * 1024 * 1024, /* of hellos and flights that are not complete or wait, in one shard */
    LATE_BYTES_MAX = 32 * 1024 * 1024, /* of requests, of clients that are not valid */
    RELIEVED_MAX = 32,                 /* connections that end in one turn for what they hold */
    RELIEF_MS = 10000,                 /* what a stranger's request may take while chunks are short */
};

static struct connection *connection_of(struct place *place) {
    return CONTAINER_OF(place, struct connection, place);
}

static enum places_rank rank_of_class(enum admission_class class) {
    switch (class) {
    case ADMISSION_KNOWN:
        return PLACES_KNOWN;
    case ADMISSION_RETURNING:
        return PLACES_RETURNING;
    case ADMISSION_SUSPECT:
        return PLACES_SUSPECT;
    default:
        return PLACES_STRANGER;
    }
}

/* A ticket is worth what came of it, once its handshake is complete. */
static enum places_rank rank_of(const struct connection *connection) {
    enum places_rank rank = rank_of_class((enum admission_class)connection->class);

    if (connection->state <= CONNECTION_HANDSHAKE) {
        return rank;
    }
    /* One certificate that is over its bounds must not hold all places: it has the verdict, but no claim to them. */
    if (connection->identity->status == STATUS_VALID) {
        return connection->over_bound ? PLACES_STRANGER : PLACES_VALID;
    }
    if (rank < PLACES_KNOWN) {
        bool denied = connection->host->mode == CONFIG_ENFORCE;

        return denied || rank == PLACES_SUSPECT ? PLACES_SUSPECT : PLACES_STRANGER;
    }
    return rank;
}

static enum places_stage stage_of(const struct connection *connection) {
    uint32_t unsent = connection->stream->queue.size;

    if (connection->state <= CONNECTION_HANDSHAKE) {
        bool silent = connection->place.stage <= PLACES_SILENT;

        return connection->bytes_counted > 0 ? PLACES_HOLDING : silent ? PLACES_SILENT : PLACES_SPEAKING;
    }
    if (unsent > RING_CHUNK_SIZE) {
        return PLACES_UNREAD;
    }
    if (connection->bytes_counted > 0) {
        return PLACES_KEEPING;
    }
    /* Until its answer has left it is busy with that. */
    return connection->state == CONNECTION_WAITING && unsent == 0 && connection->shard->out_owner != connection
               ? PLACES_IDLE
               : PLACES_BUSY;
}

static void set(struct connection *connection, enum places_rank rank, enum places_stage stage) {
    connection->stream->favoured = rank >= PLACES_KNOWN;
    places_set(&connection->shard->places, &connection->place, rank, stage, connection->shard->ring.now_ns);
}

void place_take(struct connection *connection) {
    set(connection, rank_of(connection), PLACES_SILENT);
}

void place_has_spoken(struct connection *connection) {
    if (connection->place.stage == PLACES_SILENT) {
        set(connection, (enum places_rank)connection->place.rank, PLACES_SPEAKING);
    }
}

void place_update(struct connection *connection) {
    set(connection, rank_of(connection), stage_of(connection));
}

void place_ask(struct connection *connection) {
    places_ask(&connection->shard->places, &connection->place, connection->shard->ring.now_ns);
}

/* Returns the shard's count of bytes for connections in the stage of `connection`; `most` is the largest count allowed. */
static size_t *bytes_of_stage(struct shard *shard, const struct connection *connection, size_t *most) {
    bool early = connection->state <= CONNECTION_HANDSHAKE;

    *most = early ? EARLY_BYTES_MAX : LATE_BYTES_MAX;
    return early ? &shard->early_bytes : &shard->late_bytes;
}

static void hurry(struct shard *shard) {
    while (shard->places.going > PLACES_GOING_MAX) {
        struct connection *oldest = connection_of(places_oldest(&shard->places, PLACES_GOING, NULL));

        places_leave(&shard->places, &oldest->place);
        stream_reset(oldest->stream);
    }
}

/*
 * Ends the connection for a newcomer: an idle client gets a close_notify, as long as there is room to send one; for any
 * other client there is only time for a reset.
 */
static void evict(struct connection *connection) {
    struct shard *shard = connection->shard;
    enum places_stage stage = (enum places_stage)connection->place.stage;

    if (stage == PLACES_ENDING) {
        places_leave(&shard->places, &connection->place);
        stats_add(&shard->stats->rejected[STATS_AT_REQUEST][STATS_REJECT_EVICTED_ENDING], 1);
        stream_reset(connection->stream);
    } else if (stage == PLACES_IDLE) {
        stats_add(&shard->stats->rejected[STATS_AT_REQUEST][STATS_REJECT_EVICTED_IDLE], 1);
        connection_end(connection, CONNECTION_POLITELY);
        if (connection->place.stage == PLACES_ENDING) {
            set(connection, (enum places_rank)connection->place.rank, PLACES_GOING);
        }
        hurry(shard);
    } else {
        /* A client that waits in a queue of ours is not to blame for the time. */
        if (stage < PLACES_IDLE && !connection->admission.waits &&
            places_is_overdue(&connection->place, shard->ring.now_ns)) {
            gate_fail(connection);
        }
        connection_reject(connection, connection_stage(connection), STATS_REJECT_EVICTED);
        connection_end(connection, CONNECTION_BY_RESET);
    }
}

bool place_make_room(struct shard *shard, enum admission_class class) {
    enum places_rank rank = rank_of_class(class);
    struct place *victim;

    /* An evicted connection needs a moment to be gone: evict none for a newcomer that the slab cannot hold. */
    if (shard->connections.in_use >= shard->connections_capacity + SHARD_SPARE) {
        return false;
    }
    if (!places_have_room(&shard->places, rank, shard->connections_max)) {
        admission_crowd(&shard->admission);
        victim = places_find(&shard->places, rank, shard->connections_max, shard->ring.now_ns);
        if (victim == NULL) {
            return false;
        }
        evict(connection_of(victim));
    }
    return true;
}

/* `size`: with what the TLS session holds. */
static void count_bytes(struct connection *connection, uint32_t size) {
    struct shard *shard = connection->shard;
    bool early = connection->state <= CONNECTION_HANDSHAKE;
    enum places_stage stage = early ? PLACES_HOLDING : PLACES_KEEPING;
    uint32_t before = connection->bytes_counted;
    size_t most;
    size_t *bytes = bytes_of_stage(shard, connection, &most);

    /* The place of a valid client is its own, and bounds the bytes that the client sends. */
    if (connection->place.rank == PLACES_VALID) {
        size = 0;
    }
    if (size == before || connection->state == CONNECTION_CLOSING) {
        return;
    }
    *bytes = *bytes + size - before;
    connection->bytes_counted = size;
    place_update(connection);
    while (size > before && *bytes > most) {
        struct place *oldest = places_oldest(&shard->places, stage, &connection->place);

        if (oldest == NULL) {
            return; /* one alone does not hold as much, nor those that do not take what they are sent */
        }
        evict(connection_of(oldest));
    }
}

void place_holds(struct connection *connection, uint32_t size) {
    count_bytes(connection, size + connection->tls_bytes);
}

void place_session_holds(struct connection *connection, size_t size) {
    if (connection->state == CONNECTION_CLOSING) {
        return;
    }
    CHECK(size <= UINT32_MAX / 2);
    connection->tls_bytes = (uint32_t)size;
    place_holds(connection, connection->held.capacity);
}

void place_end(struct connection *connection, bool soon) {
    connection->tls_bytes = 0;
    place_holds(connection, 0);
    if (soon) {
        places_leave(&connection->shard->places, &connection->place);
    } else {
        set(connection, (enum places_rank)connection->place.rank, PLACES_ENDING);
    }
}

void place_leave(struct connection *connection) {
    places_leave(&connection->shard->places, &connection->place);
}

/*
 * Returns whether the connection may take chunks to send; false: evicts it. One turn can take more chunks than place_turn
 * has freed, and the last eighth of the chunks is for known clients.
 */
bool place_may_send(struct connection *connection) {
    const struct slab *chunks = &connection->shard->ring.chunks;

    if (connection->place.rank >= PLACES_KNOWN || chunks->in_use <= chunks->limit - chunks->limit / 8) {
        return true;
    }
    evict(connection);
    return false;
}

/* A stranger's request that has had its time, whether or not a part of it is kept here; or NULL. */
static struct place *find_slow(struct shard *shard) {
    static const enum places_stage stages[] = {PLACES_BUSY, PLACES_KEEPING};

    for (size_t i = 0; i < ARRAY_LENGTH(stages); i++) {
        struct place *oldest = places_oldest(&shard->places, stages[i], NULL);

        if (oldest != NULL && oldest->rank < PLACES_KNOWN &&
            shard->ring.now_ns - oldest->since_ns >= (uint64_t)RELIEF_MS * 1000000) {
            return oldest;
        }
    }
    return NULL;
}

/*
 * Chunks are there for all who send. When few are left those go that have held some for longest: clients that do not take
 * their answers, then strangers' requests that may be for origins which do not take them.
 */
void place_turn(struct shard *shard) {
    const struct slab *chunks = &shard->ring.chunks;
    uint32_t enough = chunks->limit - chunks->limit / 4;

    for (uint32_t i = 0; i < RELIEVED_MAX && chunks->in_use > enough + i; i++) {
        struct place *oldest = places_oldest(&shard->places, PLACES_UNREAD, NULL);

        if (oldest == NULL) {
            oldest = find_slow(shard);
        }
        if (oldest == NULL) {
            return;
        }
        evict(connection_of(oldest));
    }
}

bool place_is_full(const struct shard *shard) {
    return places_are_full(&shard->places, shard->connections_max);
}

bool place_is_scarce(const struct shard *shard) {
    return places_are_crowded(&shard->places, shard->connections_max);
}
