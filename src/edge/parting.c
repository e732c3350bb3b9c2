#include "edge/parting.h"

#include "edge/exchange.h"

/* No more bytes will come: how the connection ends, when what it is at cannot be completed any more. */
static void end_unfinished(struct connection *connection) {
    const struct exchange *exchange = connection->http1.exchange;
    bool in_answer = connection->state == CONNECTION_EXCHANGE && exchange->code != 0 && !exchange->answer_done;

    /* Earlier answers leave whole; only an answer that is cut off must not look complete. */
    connection_end(connection, in_answer ? CONNECTION_TRUNCATED : CONNECTION_POLITELY);
}

void parting_settle(struct connection *connection) {
    if (!connection->http1.peer_closed || connection->http1.processing) {
        return;
    }
    switch ((enum connection_state)connection->state) {
    case CONNECTION_WAITING:
        /* Held bytes wait for room in the send queue, and are processed when there is room. */
        if (connection->held.size == 0) {
            connection_end(connection, CONNECTION_POLITELY);
        }
        break;
    case CONNECTION_HEAD:
        end_unfinished(connection);
        break;
    case CONNECTION_EXCHANGE:
        if (!connection->http1.exchange->request_done && connection->held.size == 0) {
            end_unfinished(connection);
        }
        break;
    default:
        break;
    }
}

void parting_by_notify(struct connection *connection) {
    connection->http1.peer_closed = true;
    parting_settle(connection);
}

void parting_by_fin(struct connection *connection) {
    if (connection->state == CONNECTION_WAITING && connection->http1.requests == 0) {
        connection_end(connection, CONNECTION_ABRUPTLY); /* it has asked for nothing: it gets nothing, a record neither */
        return;
    }
    connection->http1.peer_closed = true;
    parting_settle(connection);
    if (connection->state != CONNECTION_CLOSING) {
        stream_watch(connection->stream);
    }
}
