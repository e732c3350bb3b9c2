#include "relay/request.h"

#include "http/forward.h"

bool request_is_unsent(const struct relay_exchange *exchange) {
    return link_is_unsent(exchange_link(exchange), exchange->place);
}

/* Queues a part of the request, and keeps a copy while it may have to be sent again. False when the part did not fit. */
static bool put(struct relay_exchange *exchange, struct bytes part) {
    bool connecting = exchange->state == EXCHANGE_CONNECTING;

    exchange_drop_kept(exchange); /* some of the response has come, and this part is in no copy */
    exchange->whole = exchange->whole && (connecting || exchange->keeps || request_is_unsent(exchange)) &&
                      part.size <= EXCHANGE_BUFFER_SIZE - exchange->buffered;
    if (exchange->whole) {
        memcpy(exchange->buffer + exchange->buffered, part.data, part.size);
        exchange->buffered += (uint32_t)part.size;
    }
    if (connecting) {
        return exchange->whole;
    }
    return link_write(exchange_link(exchange), part) == 0;
}

bool request_send(struct relay_exchange *exchange) {
    struct relay_link *link = exchange_link(exchange);

    exchange->state = EXCHANGE_HEAD;
    exchange->place = link_place(link); /* a preface is not the request's */
    if (link_write(link, bytes_of(exchange->buffer, exchange->buffered)) < 0) {
        return false;
    }
    exchange_watch(exchange, true);
    return true;
}

size_t request_room(struct relay_exchange *exchange) {
    return link_send_failed(exchange_link(exchange)) ? 0 : link_room(exchange_link(exchange));
}

static bool put_chunk(struct relay_exchange *exchange, struct bytes piece) {
    char line[HTTP_CHUNK_LINE_MAX];
    size_t size = http_chunk_line(line, piece.size);

    return put(exchange, bytes_of(line, size)) && put(exchange, piece) && put(exchange, bytes_of_string(HTTP_CHUNK_END));
}

bool request_body(struct relay_exchange *exchange, struct bytes piece) {
    return exchange->framing == HTTP_CHUNKED ? put_chunk(exchange, piece) : put(exchange, piece);
}

bool request_body_end(struct relay_exchange *exchange, struct bytes trailers) {
    /* An origin that does not read the trailers whole takes the rest of them for the next request. */
    exchange->last = exchange->last || trailers.size > 0;
    if (exchange->state == EXCHANGE_TUNNEL && !link_send_failed(exchange_link(exchange))) {
        link_end_half(exchange_link(exchange));
    }
    if (exchange->framing != HTTP_CHUNKED) {
        return true;
    }
    if (trailers.size == 0) {
        return put(exchange, bytes_of_string(HTTP_LAST_CHUNK));
    }
    return put(exchange, bytes_of_string(HTTP_TRAILERS_BEGIN)) && put(exchange, trailers) &&
           put(exchange, bytes_of_string(HTTP_CHUNK_END));
}
