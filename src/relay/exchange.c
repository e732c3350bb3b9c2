#include "relay/exchange.h"

#include "base/check.h"
#include "base/log.h"
#include "http/forward.h"

#include <errno.h>

static const struct stream_handler exchange_stream_handler;

static struct relay_exchange *of_stream(struct stream *stream) {
    struct relay_connection *connection = stream->owner;

    return connection->exchange;
}

static struct stream *stream_of(const struct relay_exchange *exchange) {
    return exchange->connection->stream;
}

static bool is_over(const struct relay_exchange *exchange) {
    return exchange->state == EXCHANGE_FAILING || exchange->state == EXCHANGE_ABORTED;
}

static void drop_connection(struct relay_exchange *exchange) {
    if (exchange->connection != NULL) {
        pool_close(exchange->connection);
        exchange->connection = NULL;
    }
}

static void release(struct relay_exchange *exchange) {
    struct relay *relay = exchange->relay;

    timer_clear(&relay->ring->timers, &exchange->timer);
    if (exchange->buffer != NULL) {
        slab_give(&relay->buffers, exchange->buffer);
    }
    slab_give(&relay->exchanges, exchange);
}

static void fail(struct relay_exchange *exchange, enum relay_error error) {
    const struct relay_handler *handler = exchange->handler;
    void *owner = exchange->owner;

    exchange->relay->counters.failed[error]++;
    drop_connection(exchange);
    release(exchange);
    handler->failed(owner, error);
}

/* For failures inside a call of the owner's, which must return before its handler runs. */
static void fail_later(struct relay_exchange *exchange, enum relay_error error) {
    struct ring *ring = exchange->relay->ring;

    drop_connection(exchange);
    exchange->state = EXCHANGE_FAILING;
    exchange->error = error;
    timer_set(&ring->timers, &exchange->timer, ring_now_ms(ring), 0);
}

static void complete(struct relay_exchange *exchange, bool can_go_on) {
    const struct relay_handler *handler = exchange->handler;
    void *owner = exchange->owner;

    exchange->relay->counters.completed++;
    /* An origin that answers before it has the whole request would take the rest for the next one. */
    if (can_go_on && exchange->message.keep_alive && !exchange->last && exchange->request_done &&
        stream_of(exchange)->queue.size == 0 && !exchange->relay->closing) {
        pool_put(exchange->connection);
        exchange->connection = NULL;
    }
    drop_connection(exchange);
    release(exchange);
    handler->end(owner);
}

static enum exchange_wait awaited(const struct relay_exchange *exchange) {
    if (exchange->state == EXCHANGE_CONNECTING) {
        return WAIT_CONNECT;
    }
    /* While paused an origin may be stuck with what it cannot get rid of, so nothing is held against it. */
    if (is_over(exchange) || exchange->paused) {
        return WAIT_NOTHING;
    }
    if (stream_of(exchange)->queue.size > 0) {
        return WAIT_SEND;
    }
    if (!exchange->request_done) {
        return WAIT_NOTHING;
    }
    return exchange->state == EXCHANGE_HEAD ? WAIT_HEAD : WAIT_BODY;
}

/* Sets the deadline for what the origin must do next. It is not moved while that is the same and nothing has come of it. */
static void watch(struct relay_exchange *exchange, bool progress) {
    const struct relay *relay = exchange->relay;
    enum exchange_wait wait = awaited(exchange);
    struct ring *ring = relay->ring;

    if (is_over(exchange) || (wait == exchange->wait && !progress)) {
        return;
    }
    exchange->wait = wait;
    if (wait == WAIT_NOTHING) {
        timer_clear(&ring->timers, &exchange->timer);
        return;
    }
    timer_set(&ring->timers, &exchange->timer, ring_now_ms(ring),
              wait == WAIT_CONNECT ? relay->timeouts.connect_ms : relay->timeouts.response_ms);
}

/*
 * The kernel has taken nothing of the request, so nothing can have come of it. (A send that fails has taken nothing; one
 * that is cut short yields what it took.)
 */
static bool is_unsent(const struct relay_exchange *exchange) {
    const struct stream *stream = stream_of(exchange);

    return stream->sending == 0 && stream->bytes_sent == exchange->sent_before;
}

/* Queues a part of the request, and keeps a copy as long as it might have to be sent again. False when it did not fit. */
static bool put(struct relay_exchange *exchange, struct bytes part) {
    bool connecting = exchange->state == EXCHANGE_CONNECTING;

    exchange->whole =
        exchange->whole && (connecting || is_unsent(exchange)) && part.size <= EXCHANGE_BUFFER_SIZE - exchange->buffered;
    if (exchange->whole) {
        memcpy(exchange->buffer + exchange->buffered, part.data, part.size);
        exchange->buffered += (uint32_t)part.size;
    }
    if (connecting) {
        return exchange->whole;
    }
    return exchange->send_failed || stream_write(stream_of(exchange), part) == 0;
}

/* Puts what there is of the request on the connection, which is made. False when the ring is out of chunks. */
static bool send_request(struct relay_exchange *exchange) {
    struct stream *stream = stream_of(exchange);

    exchange->state = EXCHANGE_HEAD;
    exchange->sent_before = stream->bytes_sent;
    exchange->send_failed = false;
    if (stream_write(stream, bytes_of(exchange->buffer, exchange->buffered)) < 0) {
        return false;
    }
    watch(exchange, true);
    return true;
}

/* Errors that tell of this machine's limits and not of the origin. */
static bool is_local_shortage(int error) {
    return error == -EMFILE || error == -ENFILE || error == -ENOBUFS || error == -ENOMEM || error == -EADDRNOTAVAIL;
}

/* One line a while: a shortage strikes every request. */
static void report_shortage(struct relay *relay, const struct relay_origin *origin, int error) {
    uint64_t now_ms = ring_now_ms(relay->ring);

    if (now_ms >= relay->quiet_until_ms) {
        relay->quiet_until_ms = now_ms + relay->timeouts.down_ms;
        log_limited(LOG_LEVEL_WARNING, "origin %s: no connection can be made from here: %s", origin->address->text,
                    strerror(-error));
    }
}

static bool open_fresh(struct relay_exchange *exchange, struct relay_origin *origin) {
    int error;

    exchange->reused = false;
    exchange->state = EXCHANGE_CONNECTING;
    exchange->connection = pool_open(exchange->relay, origin, &exchange_stream_handler, exchange, &error);
    if (exchange->connection == NULL) {
        report_shortage(exchange->relay, origin, error);
        return false;
    }
    watch(exchange, true);
    return true;
}

static bool reuse_pooled(struct relay_exchange *exchange, struct relay_origin *origin) {
    exchange->connection = pool_take(exchange->relay, origin, &exchange_stream_handler, exchange);
    if (exchange->connection == NULL) {
        return false;
    }
    exchange->reused = true;
    if (!send_request(exchange)) {
        drop_connection(exchange);
        return false;
    }
    return true;
}

/* A connection to the next of the host's origins that has not been tried. False when there is none. */
static bool open_next(struct relay_exchange *exchange) {
    struct relay_host *host = exchange->host;

    for (;;) {
        struct relay_origin *origin = origin_choose(host, exchange->tried, ring_now_ms(exchange->relay->ring));

        if (origin == NULL) {
            return false;
        }
        exchange->tried |= UINT64_C(1) << (origin - host->origins);
        if ((!exchange->replaced && reuse_pooled(exchange, origin)) || open_fresh(exchange, origin)) {
            return true;
        }
    }
}

static void connect_failed(struct relay_exchange *exchange, int error) {
    struct relay *relay = exchange->relay;
    struct relay_origin *origin = exchange->connection->origin;

    relay->counters.connects_failed++;
    if (is_local_shortage(error)) {
        report_shortage(relay, origin, error);
    } else if (origin_mark_down(origin, ring_now_ms(relay->ring), relay->timeouts.down_ms)) {
        log_limited(LOG_LEVEL_WARNING, "origin %s: %s; passed over for %u ms", origin->address->text, strerror(-error),
                    relay->timeouts.down_ms);
    }
    drop_connection(exchange);
    if (!open_next(exchange)) {
        fail(exchange, RELAY_UNREACHABLE);
    }
}

/* The connection is of no use any more. Unless the request can safely be sent again, that is the exchange's end. */
static void connection_lost(struct relay_exchange *exchange) {
    struct relay_origin *origin = exchange->connection->origin;

    if (!exchange->reused || !exchange->whole || !(is_unsent(exchange) || (exchange->idempotent && !exchange->body_given))) {
        fail(exchange, RELAY_BROKEN);
        return;
    }
    exchange->replaced = true;
    exchange->relay->counters.replaced++;
    drop_connection(exchange);
    if (!open_fresh(exchange, origin) && !open_next(exchange)) {
        fail(exchange, RELAY_UNREACHABLE);
    }
}

static void stream_connected(struct stream *stream) {
    struct relay_exchange *exchange = of_stream(stream);
    struct relay_origin *origin = exchange->connection->origin;

    if (origin_mark_up(origin)) {
        log_limited(LOG_LEVEL_INFO, "origin %s: accepts connections again", origin->address->text);
    }
    if (!send_request(exchange)) {
        fail(exchange, RELAY_BROKEN);
        return;
    }
    if (!exchange->paused) {
        stream_receive(stream);
    }
    if (!exchange->request_done) {
        exchange->handler->drained(exchange->owner);
    }
}

static void stream_received(struct stream *stream, struct bytes data) {
    struct relay_exchange *exchange = of_stream(stream);
    enum response_outcome outcome;

    if (data.size == 0) {
        if (exchange->state == EXCHANGE_BODY && http_parser_finish(&exchange->parser)) {
            complete(exchange, false);
        } else {
            connection_lost(exchange);
        }
        return;
    }
    if (is_unsent(exchange)) {
        /* Bytes that came before the request left are no answer to it, whatever they look like. */
        connection_lost(exchange);
        return;
    }
    if (!exchange->answered) {
        exchange->answered = true;
        exchange->whole = false;
        response_begin(exchange);
    }
    exchange->reading = true;
    outcome = response_read(exchange, &data);
    exchange->reading = false;
    switch (outcome) {
    case RESPONSE_MORE:
        if (!exchange->paused) {
            stream_receive(stream);
        }
        watch(exchange, exchange->state == EXCHANGE_BODY);
        break;
    case RESPONSE_COMPLETE:
        complete(exchange, data.size == 0);
        break;
    case RESPONSE_BAD:
        fail(exchange, RELAY_BAD_RESPONSE);
        break;
    case RESPONSE_STOPPED:
        if (exchange->state == EXCHANGE_ABORTED) {
            release(exchange);
        }
        break;
    }
}

static void stream_drained(struct stream *stream) {
    struct relay_exchange *exchange = of_stream(stream);

    watch(exchange, true);
    if (!exchange->request_done) {
        exchange->handler->drained(exchange->owner);
    }
}

static void stream_failed(struct stream *stream, int error) {
    struct relay_exchange *exchange = of_stream(stream);

    if (exchange->state == EXCHANGE_CONNECTING) {
        connect_failed(exchange, error);
    } else if (stream->receiving && !is_unsent(exchange)) {
        /* An origin that refuses a long request closes without reading it. Its answer came before the reset: it is read
         * first. */
        exchange->send_failed = true;
        watch(exchange, true);
    } else {
        connection_lost(exchange);
    }
}

static const struct stream_handler exchange_stream_handler = {
    .connected = stream_connected,
    .received = stream_received,
    .drained = stream_drained,
    .failed = stream_failed,
    .closed = pool_closed,
};

static void deadline_passed(struct timer *timer) {
    struct relay_exchange *exchange = CONTAINER_OF(timer, struct relay_exchange, timer);

    if (exchange->state == EXCHANGE_FAILING) {
        fail(exchange, exchange->error);
    } else if (exchange->wait == WAIT_CONNECT) {
        connect_failed(exchange, -ETIMEDOUT);
    } else {
        fail(exchange, RELAY_TIMEOUT);
    }
}

struct relay_exchange *relay_exchange_start(struct relay *relay, const struct relay_request *request,
                                            const struct relay_handler *handler, void *owner) {
    struct relay_exchange *exchange;

    CHECK(request->host->index < relay->config->host_count && request->framing != HTTP_UNTIL_CLOSE);
    if (relay->closing || request->head.size > RELAY_REQUEST_HEAD_MAX) {
        return NULL;
    }
    exchange = slab_take(&relay->exchanges);
    if (exchange == NULL) {
        return NULL;
    }
    /* The parser and the message, the bulk of it, are set up when a response comes. */
    memset(exchange, 0, offsetof(struct relay_exchange, parser));
    exchange->relay = relay;
    exchange->handler = handler;
    exchange->owner = owner;
    exchange->host = &relay->hosts[request->host->index];
    exchange->framing = request->framing;
    exchange->to_head = request->to_head;
    exchange->idempotent = request->idempotent;
    exchange->request_done = request->framing == HTTP_NO_BODY;
    exchange->whole = true;
    timer_init(&exchange->timer, deadline_passed);
    /* There are as many buffers as exchanges. */
    exchange->buffer = slab_take(&relay->buffers);
    CHECK(exchange->buffer != NULL);
    memcpy(exchange->buffer, request->head.data, request->head.size);
    exchange->buffered = (uint32_t)request->head.size;
    if (!open_next(exchange)) {
        release(exchange);
        return NULL;
    }
    return exchange;
}

size_t relay_exchange_room(const struct relay_exchange *exchange) {
    if ((exchange->state != EXCHANGE_HEAD && exchange->state != EXCHANGE_BODY) || exchange->send_failed) {
        return 0;
    }
    return stream_room(stream_of(exchange));
}

static bool put_chunk(struct relay_exchange *exchange, struct bytes piece) {
    char line[HTTP_CHUNK_LINE_MAX];
    size_t size = http_chunk_line(line, piece.size);

    return put(exchange, bytes_of(line, size)) && put(exchange, piece) && put(exchange, bytes_of_string(HTTP_CHUNK_END));
}

void relay_exchange_body(struct relay_exchange *exchange, struct bytes piece) {
    bool fits;

    CHECK(!exchange->request_done);
    /* A chunk of no bytes would end the body. */
    if (is_over(exchange) || piece.size == 0) {
        return;
    }
    exchange->body_given = true;
    fits = exchange->framing == HTTP_CHUNKED ? put_chunk(exchange, piece) : put(exchange, piece);
    if (!fits) {
        fail_later(exchange, RELAY_BROKEN);
        return;
    }
    watch(exchange, false);
}

void relay_exchange_body_end(struct relay_exchange *exchange) {
    if (exchange->request_done) {
        return;
    }
    exchange->request_done = true;
    if (is_over(exchange)) {
        return;
    }
    if (exchange->framing == HTTP_CHUNKED && !put(exchange, bytes_of_string(HTTP_LAST_CHUNK))) {
        fail_later(exchange, RELAY_BROKEN);
        return;
    }
    watch(exchange, false);
}

void relay_exchange_pause(struct relay_exchange *exchange) {
    exchange->paused = true;
    watch(exchange, false);
}

void relay_exchange_resume(struct relay_exchange *exchange) {
    exchange->paused = false;
    if (exchange->state == EXCHANGE_HEAD || exchange->state == EXCHANGE_BODY) {
        stream_receive(stream_of(exchange));
    }
    watch(exchange, false);
}

void relay_exchange_abort(struct relay_exchange *exchange) {
    exchange->relay->counters.aborted++;
    drop_connection(exchange);
    if (exchange->reading) {
        exchange->state = EXCHANGE_ABORTED;
        timer_clear(&exchange->relay->ring->timers, &exchange->timer);
        return;
    }
    release(exchange);
}
