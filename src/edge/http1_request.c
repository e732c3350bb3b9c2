#include "edge/http1_request.h"

#include "base/check.h"
#include "edge/exchange.h"
#include "edge/http1_carrier.h"
#include "edge/http1_exchange.h"
#include "edge/place.h"

static void begin_exchange(struct connection *connection) {
    struct http1_exchange *http1 = slab_take(&connection->client.shard->exchanges);

    CHECK(http1 != NULL); /* one for each connection */
    exchange_init(&http1->exchange, &http1_carrier, connection, &connection->client);
    http1->discard_left = 0;
    http1->framing = HTTP_NO_BODY;
    http1->refused = http1->answered = http1->keep_alive = false;
    http_parser_init_request(&http1->parser, &http1->exchange.request, connection_limits(connection)->request_header_size);
    connection->http1.exchange = http1;
    connection->http1.requests++;
}

size_t http1_read_head(struct connection *connection, struct bytes input) {
    struct http1_exchange *http1 = connection->http1.exchange;
    struct exchange *exchange = &http1->exchange;
    enum http_result result = http_parser_head(&http1->parser, input);

    if (result == HTTP_PARSE_MORE) {
        return 0;
    }
    connection_enter(connection, &http1_answering);
    if (result == HTTP_PARSE_HEAD) {
        size_t used = exchange->request.head_size;

        exchange_begin(exchange, input);
        return used;
    }
    http1->refused = true;
    exchange_refuse(exchange, input, http1->parser.error_status);
    return input.size;
}

size_t http1_read_first(struct connection *connection, struct bytes input) {
    if (stream_room(connection->stream) == 0) {
        return 0;
    }
    begin_exchange(connection);
    pace_begin(&connection->pace);
    place_ask(connection);
    connection_enter(connection, &http1_head);
    return http1_read_head(connection, input);
}

/* Takes a piece of a body, or drops it. False: the connection has been given up. */
static bool take_piece(struct connection *connection, struct bytes piece) {
    struct http1_exchange *http1 = connection->http1.exchange;

    if (exchange_body(&http1->exchange, piece)) {
        return true;
    }
    if (piece.size > http1->discard_left) {
        connection_end(connection, CONNECTION_POLITELY);
        return false;
    }
    http1->discard_left -= piece.size;
    return true;
}

static void end_body(struct connection *connection) {
    struct http1_exchange *http1 = connection->http1.exchange;
    bool answered = http1->answered;

    exchange_body_end(&http1->exchange, http_parser_trailers(&http1->parser));
    if (answered) {
        http1_complete(connection);
    }
}

size_t http1_read_body(struct connection *connection, struct bytes input) {
    struct http1_exchange *http1 = connection->http1.exchange;
    size_t size = input.size;

    if (http1->exchange.request_done) {
        return 0;
    }
    http1->parser.trailers = exchange_trailers_memory(&http1->exchange);
    /* Each step may end the connection or the exchange, by way of the origin or of the answer's completion. */
    while (connection->stage == &http1_answering && connection->http1.exchange == http1) {
        struct bytes piece;

        switch (http_parser_body(&http1->parser, &input, &piece)) {
        case HTTP_PARSE_BODY:
            if (!take_piece(connection, piece)) {
                return size;
            }
            break;
        case HTTP_PARSE_END:
            size -= input.size;
            end_body(connection);
            return size;
        case HTTP_PARSE_MORE:
            return size - input.size;
        default:
            http1->refused = true;
            exchange_refuse(&http1->exchange, (struct bytes){0}, http1->parser.error_status);
            return size;
        }
    }
    return size - input.size;
}
