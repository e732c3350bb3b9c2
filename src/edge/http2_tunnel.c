#include "edge/http2_tunnel.h"

#include "edge/exchange_tunnel.h"
#include "edge/site_switch.h"

static struct http2_exchange *of_link(struct list *link) {
    return CONTAINER_OF(link, struct http2_exchange, in_connection);
}

void http2_tunnel_begin(struct http2_exchange *http2) {
    if (http2->hasty) {
        exchange_body_end(&http2->exchange, (struct bytes){0});
    }
}

void http2_tunnel_end_half(struct exchange *exchange) {
    struct http2_exchange *http2 = http2_of_exchange(exchange);
    struct connection *connection = http2_connection(http2);

    http2_enter(connection);
    http2->ended = true;
    if (!http2_stream_end(&http2->stream, (struct bytes){0}) && !http2->over) {
        exchange->carrier->reset(exchange, EXCHANGE_CUT_SHORT); /* there is no memory for it */
    }
    http2_leave(connection);
    http2_flush_later(connection);
}

/* Tunnels and conversations go on when their client is welcome no more, unless they are told. */
static bool is_long(const struct http2_exchange *http2) {
    return http2->exchange.has_clock && !http2->over;
}

static bool has_long(const struct connection *connection) {
    for (struct list *link = list_first(&connection->http2.streams); link != NULL;
         link = list_after(&connection->http2.streams, link)) {
        if (is_long(of_link(link))) {
            return true;
        }
    }
    return false;
}

/* Calls `act` for each of them, which may end by that, and the connection with it. */
static void for_each(struct connection *connection, void (*act)(struct exchange *exchange, bool argument), bool argument) {
    struct list *link = list_first(&connection->http2.streams);

    http2_enter(connection);
    while (link != NULL && !connection_is_closing(connection)) {
        struct http2_exchange *http2 = of_link(link);

        link = list_after(&connection->http2.streams, link);
        if (is_long(http2)) {
            act(&http2->exchange, argument);
        }
    }
    http2_leave(connection);
}

void http2_tunnel_switch_all(struct connection *connection) {
    if (has_long(connection)) {
        for_each(connection, exchange_switch_tunnel, site_switch(&connection->client));
    }
}

static void take_leave(struct exchange *exchange, bool argument) {
    exchange_end_tunnel(exchange, STATS_TUNNEL_DRAIN);
}

void http2_tunnel_leave_all(struct connection *connection) {
    for_each(connection, take_leave, true);
}
