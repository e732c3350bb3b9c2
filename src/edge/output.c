#include "edge/output.h"

#include "edge/eviction.h"
#include "edge/place.h"

#include <string.h>

void output_flush(struct shard *shard) {
    struct connection *connection = shard->output.owner;
    struct bytes gathered = bytes_of(shard->output.gathered, shard->output.size);

    if (connection == NULL) {
        return;
    }
    shard->output.owner = NULL;
    shard->output.size = 0;
    if (!eviction_allows_sending(connection)) {
        return;
    }
    if (tls_session_write(connection->client.tls, gathered) != TLS_DONE) {
        connection_end(connection, CONNECTION_ABRUPTLY);
        return;
    }
    place_update(connection);
}

bool output_send(struct connection *connection, struct bytes plaintext) {
    struct shard *shard = connection->client.shard;

    if (connection_is_closing(connection)) {
        return false;
    }
    if (shard->output.owner != connection) {
        output_flush(shard);
        shard->output.owner = connection;
    }
    while (plaintext.size > 0) {
        size_t room = SHARD_OUT_SIZE - shard->output.size;
        size_t size = plaintext.size < room ? plaintext.size : room;

        memcpy(shard->output.gathered + shard->output.size, plaintext.data, size);
        shard->output.size += size;
        plaintext = bytes_of(plaintext.data + size, plaintext.size - size);
        if (shard->output.size == SHARD_OUT_SIZE) {
            output_flush(shard);
            if (connection_is_closing(connection)) {
                return false;
            }
            shard->output.owner = connection;
        }
    }
    return true;
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
