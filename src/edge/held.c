#include "edge/held.h"

#include "base/check.h"
#include "edge/eviction.h"
#include "edge/place.h"

#include <string.h>

static void grow(struct connection *connection, size_t size) {
    struct pieces *pieces = &connection->client.shard->pieces;
    struct connection_held *held = &connection->held;

    CHECK(size <= SHARD_HELD_MAX); /* a head's limit and one receive: what is held is parsed before more is asked for */
    uint8_t *larger = pieces_take(pieces, size);
    CHECK(larger != NULL); /* there is one of each size for each connection */
    if (held->data != NULL) {
        memcpy(larger, held->data, held->size);
        pieces_give(pieces, held->data, held->capacity);
    }
    held->data = larger;
    held->capacity = (uint32_t)pieces_fitting(pieces, size);
    /* Later stages count their bytes when all input has been worked through: see plaintext.c. */
    if (connection->stage->is_early) {
        eviction_keep(connection, held->capacity);
    }
}

void held_add(struct connection *connection, struct bytes bytes) {
    struct connection_held *held = &connection->held;

    if (held->size + bytes.size > held->capacity) {
        grow(connection, held->size + bytes.size);
    }
    memcpy(held->data + held->size, bytes.data, bytes.size);
    held->size += (uint32_t)bytes.size;
}

struct connection_held held_take(struct connection *connection) {
    struct connection_held held = connection->held;

    connection->held = (struct connection_held){0};
    if (connection->stage->is_early) {
        place_keep(connection, 0);
    }
    return held;
}

void held_give_back(struct connection *connection, const struct connection_held *held) {
    if (held->data != NULL) {
        pieces_give(&connection->client.shard->pieces, held->data, held->capacity);
    }
}
