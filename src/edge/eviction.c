#include "edge/eviction.h"

#include "base/check.h"
#include "edge/place.h"

enum {
    RELIEVED_MAX = 32, /* connections that end in one turn for what they hold */
    RELIEF_MS = 10000, /* that a stranger's request may take while chunks are short */
};

static struct connection *connection_of(struct place *place) {
    return CONTAINER_OF(place, struct connection, place);
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
    struct shard *shard = connection->client.shard;
    enum places_stage stage = (enum places_stage)connection->place.stage;

    if (stage == PLACES_ENDING) {
        places_leave(&shard->places, &connection->place);
        stats_add(&shard->stats->rejected[STATS_AT_REQUEST][STATS_REJECT_EVICTED_ENDING], 1);
        stream_reset(connection->stream);
    } else if (stage == PLACES_IDLE) {
        connection_refuse(connection, STATS_AT_REQUEST, STATS_REJECT_EVICTED_IDLE, CONNECTION_BLAME_NONE,
                          CONNECTION_POLITELY);
        place_give_up(connection);
        hurry(shard);
    } else {
        /* A client that waits in a queue of ours is not to blame for the time. */
        bool overdue = stage < PLACES_IDLE && !connection->queue.entry.waits &&
                       places_is_overdue(&connection->place, shard->ring.now_ns);

        connection_refuse(connection, connection->stage->counted_as, STATS_REJECT_EVICTED,
                          overdue ? CONNECTION_BLAME_FAILURE : CONNECTION_BLAME_NONE, CONNECTION_BY_RESET);
    }
}

bool eviction_has_memory(const struct shard *shard) {
    return shard->connections.in_use < shard->connections_capacity + SHARD_SPARE;
}

bool eviction_make_room(struct shard *shard, enum admission_class class) {
    return eviction_has_memory(shard) && eviction_make_place(shard, class);
}

bool eviction_make_place(struct shard *shard, enum admission_class class) {
    enum places_rank rank = place_rank_of_class(class);

    if (!places_have_room(&shard->places, rank, shard->connections_max)) {
        admission_crowd(&shard->gate.admission);
        struct place *victim = places_find(&shard->places, rank, shard->connections_max, shard->ring.now_ns);
        if (victim == NULL) {
            return false;
        }
        evict(connection_of(victim));
    }
    return true;
}

/* Ends the oldest of the others, as long as the connections in the stage of `connection` hold too many bytes. */
static void relieve(struct connection *connection) {
    enum places_stage stage = connection->stage->is_early ? PLACES_HOLDING : PLACES_KEEPING;

    while (place_is_over_bytes(connection)) {
        struct place *oldest = places_oldest(&connection->client.shard->places, stage, &connection->place);

        if (oldest == NULL) {
            return; /* one alone does not hold as much, nor do those that do not take what they are sent */
        }
        evict(connection_of(oldest));
    }
}

void eviction_keep(struct connection *connection, uint32_t size) {
    if (place_keep(connection, size)) {
        relieve(connection);
    }
}

void eviction_keep_tls(struct connection *connection, size_t size) {
    if (place_keep_tls(connection, size)) {
        relieve(connection);
    }
}

void eviction_keep_http(struct connection *connection, size_t size) {
    if (place_keep_http(connection, size)) {
        relieve(connection);
    }
}

bool eviction_allows_sending(struct connection *connection) {
    const struct slab *chunks = &connection->client.shard->ring.chunks;

    if (connection->place.rank >= PLACES_KNOWN || chunks->in_use <= chunks->limit - chunks->limit / 8) {
        return true;
    }
    evict(connection);
    return false;
}

/* Returns the oldest request of a stranger that has had its time, whether or not a part of it is kept here; or NULL. */
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

void eviction_turn(struct shard *shard) {
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
