#include "edge/plaintext.h"

#include "base/check.h"
#include "edge/eviction.h"
#include "edge/held.h"

#include <string.h>

/* Gives the stage `input` until it can take no more of it, or takes nothing any more. Returns what is left. */
static struct bytes work_through(struct connection *connection, struct bytes input) {
    CHECK(!connection->processing);
    connection->processing = true;
    while (input.size > 0 && connection->stage->plaintext != NULL) {
        size_t used = connection->stage->plaintext(connection, input);

        if (used == 0) {
            break;
        }
        input = bytes_of(input.data + used, input.size - used);
    }
    connection->processing = false;
    return input;
}

/*
 * Works through the bytes that are held, and `input` behind them. The rest of both waits in `held`. Never nested: the loop
 * in work_through sees all that a stage causes on the way.
 */
static void process(struct connection *connection, struct bytes input) {
    struct connection_held held = {0};

    if (connection->held.size > 0) {
        if (input.size > 0) {
            held_add(connection, input);
        }
        held = held_take(connection);
        input = bytes_of(held.data, held.size);
    }
    input = work_through(connection, input);
    if (input.size > 0 && !connection_is_closing(connection)) {
        if (held.data != NULL) {
            memmove(held.data, input.data, input.size);
            connection->held = held;
            connection->held.size = (uint32_t)input.size;
            eviction_keep(connection, held.capacity);
            return;
        }
        held_add(connection, input);
    }
    held_give_back(connection, &held);
    if (!connection_is_closing(connection)) {
        eviction_keep(connection, connection->held.capacity);
    }
}

void plaintext_resume(struct connection *connection) {
    process(connection, (struct bytes){0});
}

void plaintext_read(struct connection *connection) {
    struct scratch *scratch = &connection->client.shard->scratch;

    while (!connection_is_closing(connection)) {
        size_t size = 0;

        switch (tls_session_read(connection->client.tls, scratch->plaintext, sizeof scratch->plaintext, &size)) {
        case TLS_DONE:
            connection_progress(connection);
            process(connection, bytes_of(scratch->plaintext, size));
            break;
        case TLS_WANT_INPUT:
            eviction_keep_tls(connection, tls_session_held(connection->client.tls));
            return;
        case TLS_CLOSED:
            connection->stage->finished(connection, false);
            return;
        case TLS_FAILED:
            connection_refuse(connection, STATS_AT_REQUEST, connection_tls_fault(connection), CONNECTION_BLAME_NONE,
                              CONNECTION_AFTER_ALERT);
            return;
        }
    }
}
