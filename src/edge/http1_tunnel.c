#include "edge/http1_tunnel.h"

#include "edge/eviction.h"
#include "edge/exchange_tunnel.h"
#include "edge/http1_exchange.h"
#include "edge/plaintext.h"
#include "edge/site_switch.h"

static struct exchange *exchange_of(const struct connection *connection) {
    return &connection->http1.exchange->exchange;
}

void http1_tunnel_begin(struct connection *connection) {
    pace_stop(&connection->pace, &connection->client.shard->ring.timers);
    tls_session_welcome_small(connection->client.tls);
}

size_t http1_tunnel_read(struct connection *connection, struct bytes input) {
    struct exchange *exchange = exchange_of(connection);
    size_t room = exchange_room(exchange);
    struct bytes piece = bytes_of(input.data, input.size < room ? input.size : room);

    if (piece.size > 0) {
        exchange_body(exchange, piece);
    }
    return piece.size;
}

/* Few bytes are read as soon as they can be; of many, as many at once as the origin takes. */
size_t http1_tunnel_bulk(const struct connection *connection) {
    return connection->stream->flows ? exchange_room(exchange_of(connection)) : 0;
}

void http1_tunnel_go_on(struct connection *connection) {
    struct exchange *exchange = exchange_of(connection);

    if (connection->held.size > 0 && exchange_room(exchange) > 0) {
        plaintext_resume(connection);
    }
    if (!connection_is_closing(connection) && connection->http1.peer_closed && connection->held.size == 0 &&
        !exchange->request_done) {
        exchange_body_end(exchange, (struct bytes){0});
    }
}

void http1_tunnel_received(struct connection *connection, struct bytes data) {
    if (connection->http1.peer_closed) {
        connection_end(connection, CONNECTION_ABRUPTLY); /* the client had said its last word */
    } else if (eviction_allows_sending(connection)) {
        tls_session_feed(connection->client.tls, data);
        plaintext_read(connection);
    }
}

void http1_tunnel_finished(struct connection *connection, bool by_fin) {
    connection->http1.peer_closed = true;
    http1_tunnel_go_on(connection);
    if (by_fin && !connection_is_closing(connection)) {
        stream_watch(connection->stream); /* from here on only a reset tells that the client is gone */
    }
}

void http1_tunnel_site_changed(struct connection *connection) {
    exchange_switch_tunnel(exchange_of(connection), site_switch(&connection->client));
}

void http1_tunnel_take_leave(struct connection *connection) {
    exchange_end_tunnel(exchange_of(connection), STATS_TUNNEL_DRAIN);
}
