#include "relay/tunnel.h"

#include "base/check.h"

void tunnel_begin(struct relay_exchange *exchange) {
    exchange->state = EXCHANGE_TUNNEL;
    exchange->framing = HTTP_UNTIL_CLOSE;
    exchange->request_done = false;
    exchange->trailers = false;
}

void tunnel_begin_at_start(struct relay_exchange *exchange) {
    tunnel_begin(exchange);
    exchange->answered = true;
    exchange->whole = false;
    slab_give(&exchange->relay->buffers, exchange->buffer);
    exchange->buffer = NULL;
    exchange_watch(exchange, true);
}

bool relay_exchange_part(struct relay_exchange *exchange) {
    if (exchange_is_over(exchange)) {
        return false;
    }
    CHECK(exchange->state == EXCHANGE_TUNNEL && exchange->request_done && !exchange->reading);
    exchange_note_complete(exchange);
    pool_finish(exchange->connection);
    exchange->connection = NULL;
    exchange_release(exchange);
    return true;
}

bool relay_exchange_is_cut(const struct relay_exchange *exchange) {
    return exchange->connection != NULL && link_is_cut(exchange_link(exchange));
}

const char *relay_exchange_origin(const struct relay_exchange *exchange) {
    return exchange->origin == NULL ? NULL : exchange->origin->configured->text;
}
