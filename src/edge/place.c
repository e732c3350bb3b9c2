#include "edge/place.h"

#include "base/check.h"

enum {
    EARLY_BYTES_MAX = 8 * 1024 * 1024, /* of hellos and flights that are not complete or wait, in one shard */
    LATE_BYTES_MAX = 32 * 1024 * 1024, /* of requests, of clients that are not valid */
};

enum places_rank place_rank_of_class(enum admission_class class) {
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

/* Once the handshake is complete a ticket is worth what came of it. */
static enum places_rank rank_of(const struct connection *connection) {
    enum places_rank rank = place_rank_of_class((enum admission_class)connection->client.standing.class);

    if (connection->stage->is_early) {
        return rank;
    }
    /* A certificate over its bounds keeps its verdict, but has no claim to places: it must not hold all of them. */
    if (connection->client.verdict.identity->status == STATUS_VALID) {
        return connection->client.standing.over_bound ? PLACES_STRANGER : PLACES_VALID;
    }
    if (rank < PLACES_KNOWN) {
        bool denied = connection->client.host->mode == CONFIG_ENFORCE;

        return denied || rank == PLACES_SUSPECT ? PLACES_SUSPECT : PLACES_STRANGER;
    }
    return rank;
}

static enum places_stage stage_of(const struct connection *connection) {
    uint32_t unsent = connection->stream->queue.size;

    if (connection->stage->is_early) {
        bool silent = connection->place.stage <= PLACES_SILENT;

        return connection->kept.counted > 0 ? PLACES_HOLDING : silent ? PLACES_SILENT : PLACES_SPEAKING;
    }
    if (unsent > RING_CHUNK_SIZE) {
        return PLACES_UNREAD;
    }
    if (connection->kept.counted > 0) {
        return PLACES_KEEPING;
    }
    /* A connection is busy until its answer has left. */
    return connection->stage->is_idle && unsent == 0 && connection->client.shard->output.owner != connection ? PLACES_IDLE
                                                                                                             : PLACES_BUSY;
}

static void set(struct connection *connection, enum places_rank rank, enum places_stage stage) {
    connection->stream->favoured = rank >= PLACES_KNOWN;
    places_set(&connection->client.shard->places, &connection->place, rank, stage, connection->client.shard->ring.now_ns);
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
    places_ask(&connection->client.shard->places, &connection->place, connection->client.shard->ring.now_ns);
}

void place_give_up(struct connection *connection) {
    if (connection->place.stage == PLACES_ENDING) {
        set(connection, (enum places_rank)connection->place.rank, PLACES_GOING);
    }
}

/* Returns the shard's count of bytes for connections in the stage of `connection`. */
static size_t *bytes_of_stage(const struct connection *connection) {
    struct shard *shard = connection->client.shard;

    return connection->stage->is_early ? &shard->early_bytes : &shard->late_bytes;
}

bool place_is_over_bytes(const struct connection *connection) {
    return *bytes_of_stage(connection) > (size_t)(connection->stage->is_early ? EARLY_BYTES_MAX : LATE_BYTES_MAX);
}

bool place_keep(struct connection *connection, uint32_t size) {
    uint32_t before = connection->kept.counted;
    /* The place of a valid client is its own, and bounds the bytes that the client sends. */
    uint32_t now = connection->place.rank == PLACES_VALID ? 0 : size + connection->kept.by_tls + connection->kept.by_http;

    if (now == before || connection_is_closing(connection)) {
        return false;
    }
    size_t *bytes = bytes_of_stage(connection);
    *bytes = *bytes + now - before;
    connection->kept.counted = now;
    place_update(connection);
    return now > before && place_is_over_bytes(connection);
}

bool place_keep_tls(struct connection *connection, size_t size) {
    if (connection_is_closing(connection)) {
        return false;
    }
    CHECK(size <= UINT32_MAX / 2);
    connection->kept.by_tls = (uint32_t)size;
    return place_keep(connection, connection->held.capacity);
}

bool place_keep_http(struct connection *connection, size_t size) {
    if (connection_is_closing(connection)) {
        return false;
    }
    CHECK(size <= UINT32_MAX / 4);
    connection->kept.by_http = (uint32_t)size;
    return place_keep(connection, connection->held.capacity);
}

void place_end(struct connection *connection, bool soon) {
    connection->kept.by_tls = connection->kept.by_http = 0;
    place_keep(connection, 0);
    if (soon) {
        places_leave(&connection->client.shard->places, &connection->place);
    } else {
        set(connection, (enum places_rank)connection->place.rank, PLACES_ENDING);
    }
}

void place_leave(struct connection *connection) {
    places_leave(&connection->client.shard->places, &connection->place);
}

bool place_is_full(const struct shard *shard) {
    return places_are_full(&shard->places, shard->connections_max);
}
