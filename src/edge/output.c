#include "edge/output.h"

#include "edge/eviction.h"
#include "edge/place.h"

#include <string.h>

/* Has plaintext leave in records. The connection may have ended by that. */
static void encrypt(struct connection *connection, struct bytes plaintext) {
    if (!eviction_allows_sending(connection)) {
        return;
    }
    if (tls_session_write(connection->client.tls, plaintext) != TLS_DONE) {
        connection_end(connection, CONNECTION_ABRUPTLY);
        return;
    }
    place_update(connection);
}

void output_flush(struct shard *shard) {
    struct connection *connection = shard->output.owner;
    struct bytes gathered = bytes_of(shard->output.gathered, shard->output.size);

    if (connection == NULL) {
        return;
    }
    shard->output.owner = NULL;
    shard->output.size = 0;
    encrypt(connection, gathered);
}

/* Moves the front of `plaintext` to the gathered bytes, as far as there is room. They leave when they fill a record. */
static void gather(struct shard *shard, struct bytes *plaintext) {
    size_t room = SHARD_OUT_SIZE - shard->output.size;
    size_t size = plaintext->size < room ? plaintext->size : room;

    memcpy(shard->output.gathered + shard->output.size, plaintext->data, size);
    shard->output.size += size;
    *plaintext = bytes_of(plaintext->data + size, plaintext->size - size);
    if (shard->output.size == SHARD_OUT_SIZE) {
        output_flush(shard);
    }
}

bool output_send(struct connection *connection, struct bytes plaintext) {
    struct shard *shard = connection->client.shard;

    if (connection_is_closing(connection)) {
        return false;
    }
    if (shard->output.owner != connection) {
        output_flush(shard);
    }
    while (plaintext.size > 0 && !connection_is_closing(connection)) {
        size_t whole = plaintext.size - plaintext.size % SHARD_OUT_SIZE;

        shard->output.owner = connection;
        if (shard->output.size > 0 || whole == 0) {
            gather(shard, &plaintext);
            continue;
        }
        /* Whole records need not be gathered. */
        shard->output.owner = NULL;
        encrypt(connection, bytes_of(plaintext.data, whole));
        plaintext = bytes_of(plaintext.data + whole, plaintext.size - whole);
    }
    return !connection_is_closing(connection);
}

bool output_finish(struct connection *connection, bool send) {
    struct shard *shard = connection->client.shard;

    if (shard->output.owner != connection) {
        return true;
    }
    if (send) {
        output_flush(shard);
        return !connection_is_closing(connection);
    }
    shard->output.owner = NULL;
    shard->output.size = 0;
    return true;
}

bool output_leave(struct connection *connection, enum connection_end how) {
    if (!output_finish(connection, how == CONNECTION_POLITELY || how == CONNECTION_TRUNCATED)) {
        return false;
    }
    if (how == CONNECTION_POLITELY) {
        tls_session_shutdown(connection->client.tls);
    }
    return true;
}
