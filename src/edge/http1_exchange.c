#include "edge/http1_exchange.h"

#include "edge/place.h"
#include "edge/site_switch.h"

enum {
    DISCARD_MAX = 64 * 1024, /* bytes of a body that nobody wants; a longer one costs the connection */
};

void http1_end_exchange(struct connection *connection) {
    struct http1_exchange *http1 = connection->http1.exchange;

    exchange_end(&http1->exchange);
    slab_give(&connection->client.shard->exchanges, http1);
    connection->http1.exchange = NULL;
}

/*
 * Returns whether the client has asked for something that is still to be answered. A client that has said its last word, by
 * close_notify or by FIN, may still listen (RFC 8446 section 6.1, RFC 9112 section 9.6): its whole requests are answered,
 * and a part of one is no request. Held bytes are worked through later, and decided upon then.
 */
static bool has_asked(const struct connection *connection) {
    const struct http1_exchange *http1 = connection->http1.exchange;

    if (connection->stage == &http1_head) {
        return false;
    }
    return connection->held.size > 0 || (http1 != NULL && http1->exchange.request_done);
}

void http1_part(struct connection *connection) {
    const struct http1_exchange *http1 = connection->http1.exchange;

    if (!connection->http1.peer_closed || connection->processing || has_asked(connection)) {
        return;
    }
    /* Earlier answers leave whole; only an answer that is cut off must not look complete. */
    bool in_answer = http1 != NULL && http1->exchange.code != 0 && !http1->answered;
    connection_end(connection, in_answer ? CONNECTION_TRUNCATED : CONNECTION_POLITELY);
}

bool http1_is_worth_keeping(struct http1_exchange *http1) {
    const struct exchange *exchange = &http1->exchange;
    const struct http_message *request = &exchange->request;

    /* A client may have begun its tunnel already: what comes behind a CONNECT must not be taken for requests. */
    if (http1->refused || !request->keep_alive || request->method_kind == HTTP_METHOD_CONNECT ||
        http1->framing == HTTP_UNTIL_CLOSE || exchange->dismissed || exchange->client->shard->draining) {
        return false;
    }
    if (exchange->request_done) {
        return true;
    }
    if (exchange->relay != NULL || request->framing != HTTP_LENGTH || request->content_length > DISCARD_MAX ||
        request->expect_continue) {
        return false;
    }
    http1->discard_left = request->content_length;
    return true;
}

void http1_complete(struct connection *connection) {
    bool keep_alive = connection->http1.exchange->keep_alive;
    bool may_ask = !connection->http1.peer_closed || connection->processing || connection->held.size > 0;

    http1_end_exchange(connection);
    if (keep_alive && may_ask && !connection->client.shard->draining && site_switch(&connection->client)) {
        connection_enter(connection, &http1_waiting);
        place_update(connection);
    } else {
        connection_end(connection, CONNECTION_POLITELY);
    }
}

void http1_finish_answer(struct http1_exchange *http1) {
    http1->answered = true;
    if (http1->exchange.request_done || !http1->keep_alive) {
        http1_complete(http1_connection(&http1->exchange));
    }
}
