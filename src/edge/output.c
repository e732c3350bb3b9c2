#include "edge/output.h"

#include "edge/place.h"

#include <string.h>

void output_flush(struct shard *shard) {
    struct connection *connection = shard->out_owner;
    struct bytes gathered = bytes_of(shard->out, shard->out_size);

    if (connection == NULL) {
        return;
    }
    shard->out_owner = NULL;
    shard->out_size = 0;
    if (!place_may_send(connection)) {
        return;
    }
    if (tls_session_write(connection->tls, gathered) != TLS_DONE) {
        connection_end(connection, CONNECTION_ABRUPTLY);
        return;
    }
    place_update(connection);
}

bool output_send(struct connection *connection, struct bytes plaintext) {
    struct shard *shard = connection->shard;

    if (connection->state == CONNECTION_CLOSING) {
        return false;
    }
    if (shard->out_owner != connection) {
        output_flush(shard);
        shard->out_owner = connection;
    }
    while (plaintext.size > 0) {
        size_t room = SHARD_OUT_SIZE - shard->out_size;
        size_t size = plaintext.size < room ? plaintext.size : room;

        memcpy(shard->out + shard->out_size, plaintext.data, size);
        shard->out_size += size;
        plaintext = bytes_of(plaintext.data + size, plaintext.size - size);
        if (shard->out_size == SHARD_OUT_SIZE) {
            output_flush(shard);
            if (connection->state == CONNECTION_CLOSING) {
                return false;
            }
            shard->out_owner = connection;
        }
    }
    return true;
}

bool output_settle(struct connection *connection, bool may) {
    struct shard *shard = connection->shard;

    if (shard->out_owner != connection) {
        return true;
    }
    if (may) {
        output_flush(shard);
        return connection->state != CONNECTION_CLOSING;
    }
    shard->out_owner = NULL;
    shard->out_size = 0;
    return true;
}
