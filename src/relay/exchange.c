#include "relay/exchange.h"

#include "base/check.h"
#include "base/log.h"
#include "http/persistence.h"

#include <errno.h>

static const struct stream_handler exchange_stream_handler;

static struct relay_exchange *of_stream(struct stream *stream) {
    struct relay_connection *connection = stream->owner;

    return connection->exchange;
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

static void report(const struct relay_exchange *exchange, enum relay_fault fault, const char *detail) {
    relay_fault_report(fault, exchange->host->name, exchange->origin == NULL ? NULL : exchange->origin->address->text,
                       detail);
}

static void count(const struct relay_exchange *exchange, enum stats_origin_result result) {
    if (exchange->host->counters != NULL) {
        stats_add(&exchange->host->counters->origin_requests[result], 1);
    }
}

static enum stats_origin_result result_of(enum relay_error error) {
    static const enum stats_origin_result results[] = {
        [RELAY_UNREACHABLE] = STATS_ORIGIN_UNREACHABLE,
        [RELAY_BROKEN] = STATS_ORIGIN_BROKEN,
        [RELAY_BAD_RESPONSE] = STATS_ORIGIN_BAD_RESPONSE,
        [RELAY_TIMEOUT] = STATS_ORIGIN_TIMEOUT,
    };

    return results[error];
}

static void fail(struct relay_exchange *exchange, enum relay_error error, enum relay_fault fault) {
    const struct relay_handler *handler = exchange->handler;
    void *owner = exchange->owner;

    count(exchange, result_of(error));
    report(exchange, fault, exchange->detail);
    drop_connection(exchange);
    release(exchange);
    handler->failed(owner, error, fault);
}

void exchange_fail_later(struct relay_exchange *exchange, enum relay_error error, enum relay_fault fault) {
    struct ring *ring = exchange->relay->ring;

    drop_connection(exchange);
    exchange->state = EXCHANGE_FAILING;
    exchange->error = error;
    exchange->fault = fault;
    timer_set(&ring->timers, &exchange->timer, ring_now_ms(ring), 0);
}

/*
 * Returns whether the next request may go on this connection: only where the end of the request and the end of the answer
 * are beyond doubt. Where a client has signed in, the end of the answer may be in doubt: no other client would get the bytes
 * behind it, and without the connection that client could never sign in by HEAD.
 */
static bool can_go_on(const struct relay_exchange *exchange) {
    return exchange->message.keep_alive && (!exchange->message.end_in_doubt || exchange->connection->signed_in) &&
           !exchange->last && exchange->keep_s > 0 && exchange->request_done && !exchange->send_failed &&
           !exchange->relay->closing;
}

/* Gives the connection to the pool, or to the client that it belongs to, or keeps it, to be closed. */
static void part(struct relay_exchange *exchange) {
    struct relay_connection *connection = exchange->connection;
    bool owned = connection->signed_in || exchange->signs_in || !exchange->host->shares;
    struct relay_client *client = owned ? exchange->client : NULL;

    connection->signed_in = connection->signed_in || exchange->signs_in;
    if (can_go_on(exchange) && (!owned || (client != NULL && client->connection == NULL))) {
        pool_put(connection, client, exchange->keep_s);
        exchange->connection = NULL;
    }
}

/* Ends the exchange with success. `exact`: nothing has come behind the response. */
static void complete(struct relay_exchange *exchange, bool exact) {
    const struct relay_handler *handler = exchange->handler;
    struct relay *relay = exchange->relay;
    void *owner = exchange->owner;
    struct bytes trailers = response_trailers(exchange);

    count(exchange, STATS_ORIGIN_COMPLETED);
    if (exact) {
        part(exchange);
    }
    drop_connection(exchange);
    timer_clear(&relay->ring->timers, &exchange->timer);
    handler->end(owner, trailers); /* which may lie in the buffer */
    release(exchange);
}

static enum exchange_wait awaited(const struct relay_exchange *exchange) {
    if (exchange->state == EXCHANGE_CONNECTING) {
        return WAIT_CONNECT;
    }
    /* While paused an origin may be stuck with what it cannot get rid of, so nothing is held against it. */
    if (exchange_is_over(exchange) || exchange->paused || exchange->state == EXCHANGE_TUNNEL) {
        return WAIT_NOTHING;
    }
    if (exchange_stream(exchange)->queue.size > 0) {
        return WAIT_SEND;
    }
    if (!exchange->request_done) {
        return WAIT_NOTHING;
    }
    return exchange->state == EXCHANGE_HEAD ? WAIT_HEAD : WAIT_BODY;
}

static uint32_t deadline_ms(const struct relay_exchange *exchange) {
    const struct relay_timeouts *timeouts = &exchange->relay->timeouts;

    if (exchange->wait == WAIT_CONNECT) {
        return timeouts->connect_ms;
    }
    return exchange->wait == WAIT_BODY && exchange->events ? exchange->host->events_ms : timeouts->response_ms;
}

void exchange_watch(struct relay_exchange *exchange, bool progress) {
    enum exchange_wait wait = awaited(exchange);
    struct ring *ring = exchange->relay->ring;

    if (exchange_is_over(exchange) || (wait == exchange->wait && !progress)) {
        return;
    }
    exchange->wait = wait;
    if (wait == WAIT_NOTHING) {
        timer_clear(&ring->timers, &exchange->timer);
        return;
    }
    timer_set(&ring->timers, &exchange->timer, ring_now_ms(ring), deadline_ms(exchange));
}

/* Returns whether an error comes from a limit of this machine, and says nothing of the origin. */
static bool is_local_shortage(int error) {
    return error == -EMFILE || error == -ENFILE || error == -ENOBUFS || error == -ENOMEM || error == -EADDRNOTAVAIL;
}

/* Logs one line in timeouts.down_ms: a shortage strikes every request. */
static void report_shortage(struct relay *relay, const struct relay_origin *origin, int error) {
    uint64_t now_ms = ring_now_ms(relay->ring);

    if (now_ms >= relay->quiet_until_ms) {
        relay->quiet_until_ms = now_ms + relay->timeouts.down_ms;
        log_limited(LOG_LEVEL_WARNING, "origin %s: no connection can be made from here: %s", origin->address->text,
                    strerror(-error));
    }
}

static bool open_fresh(struct relay_exchange *exchange, struct relay_origin *origin) {
    exchange->origin = origin;
    exchange->reused = false;
    exchange->state = EXCHANGE_CONNECTING;
    int error;
    exchange->connection = pool_open(exchange->relay, origin, &exchange_stream_handler, exchange, &error);
    if (exchange->connection == NULL) {
        report_shortage(exchange->relay, origin, error);
        exchange->fault = RELAY_FAULT_NO_RESOURCES;
        return false;
    }
    exchange_watch(exchange, true);
    return true;
}

/* Sends the request on a connection that was used before. False when that failed, and the connection is closed. */
static bool begin_again(struct relay_exchange *exchange) {
    exchange->origin = exchange->connection->origin;
    exchange->reused = true;
    if (!request_send(exchange)) {
        drop_connection(exchange);
        return false;
    }
    return true;
}

/* Returns whether the request could not be sent again if the connection proved closed. */
static bool is_precious(const struct relay_exchange *exchange) {
    return !exchange->idempotent || exchange->framing != HTTP_NO_BODY;
}

static bool reuse_pooled(struct relay_exchange *exchange, struct relay_origin *origin) {
    if (exchange->replaced || !exchange->host->shares) {
        return false;
    }
    exchange->connection = pool_take(exchange->relay, origin, is_precious(exchange), &exchange_stream_handler, exchange);
    return exchange->connection != NULL && begin_again(exchange);
}

/* Takes the connection that the client has to itself. Its origin counts as tried only when another has to be found. */
static bool reuse_owned(struct relay_exchange *exchange) {
    if (exchange->client == NULL) {
        return false;
    }
    exchange->connection = pool_take_owned(exchange->relay, exchange->host, exchange->client, is_precious(exchange),
                                           &exchange_stream_handler, exchange);
    return exchange->connection != NULL && begin_again(exchange);
}

/* Takes or opens a connection to the next of the host's origins that has not been tried. False when there is none. */
static bool open_next(struct relay_exchange *exchange) {
    struct relay_host *host = exchange->host;

    for (;;) {
        struct relay_origin *origin = origin_choose(host, exchange->tried, ring_now_ms(exchange->relay->ring));

        if (origin == NULL) {
            return false;
        }
        exchange->tried |= UINT64_C(1) << (origin - host->origins);
        if (reuse_pooled(exchange, origin) || open_fresh(exchange, origin)) {
            return true;
        }
    }
}

static void connect_failed(struct relay_exchange *exchange, int error) {
    struct relay *relay = exchange->relay;
    struct relay_origin *origin = exchange->connection->origin;

    origin_count(origin, STATS_ORIGIN_CONNECT_FAILED);
    exchange->fault = relay_fault_of_connect(error);
    exchange->detail = NULL;
    if (is_local_shortage(error)) {
        report_shortage(relay, origin, error);
    } else if (origin_mark_down(origin, ring_now_ms(relay->ring), relay->timeouts.down_ms)) {
        log_limited(LOG_LEVEL_WARNING, "origin %s: %s; passed over for %u ms", origin->address->text, strerror(-error),
                    relay->timeouts.down_ms);
    }
    drop_connection(exchange);
    if (!open_next(exchange)) {
        fail(exchange, RELAY_UNREACHABLE, exchange->fault);
    }
}

/*
 * Returns whether nothing of the request has reached the origin, though some has left: the origin closed before the first
 * byte arrived, which it has not acknowledged. A reset proves nothing, since one may cross the acknowledgement of the
 * request.
 */
static bool is_untouched(const struct relay_exchange *exchange, enum relay_fault fault) {
    struct stream *stream = exchange_stream(exchange);

    return fault == RELAY_FAULT_CLOSED_EARLY && stream_unacknowledged(stream) == stream->bytes_sent - exchange->sent_before;
}

/* Drops the connection, and sends the request again if that is safe; else fails the exchange. */
static void connection_lost(struct relay_exchange *exchange, enum relay_fault fault) {
    struct relay_origin *origin = exchange->connection->origin;

    if (!exchange->reused || !exchange->whole ||
        !(exchange_is_unsent(exchange) || (exchange->idempotent && !exchange->body_given) ||
          is_untouched(exchange, fault))) {
        fail(exchange, RELAY_BROKEN, fault);
        return;
    }
    exchange->replaced = true;
    origin_count(origin, STATS_ORIGIN_REPLACED);
    drop_connection(exchange);
    if (!open_fresh(exchange, origin) && !open_next(exchange)) {
        fail(exchange, RELAY_UNREACHABLE, exchange->fault);
    }
}

static void stream_connected(struct stream *stream) {
    struct relay_exchange *exchange = of_stream(stream);
    struct relay_origin *origin = exchange->connection->origin;

    if (origin_mark_up(origin)) {
        log_limited(LOG_LEVEL_INFO, "origin %s: accepts connections again", origin->address->text);
    }
    if (!request_send(exchange)) {
        fail(exchange, RELAY_BROKEN, RELAY_FAULT_NO_RESOURCES);
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

    if (data.size == 0) {
        if (exchange->state == EXCHANGE_TUNNEL) {
            exchange->handler->half_end(exchange->owner);
        } else if (exchange->state == EXCHANGE_BODY && http_parser_finish(&exchange->parser)) {
            complete(exchange, false);
        } else {
            connection_lost(exchange, exchange->state == EXCHANGE_BODY ? RELAY_FAULT_TRUNCATED : RELAY_FAULT_CLOSED_EARLY);
        }
        return;
    }
    if (exchange_is_unsent(exchange)) {
        /* Bytes that came before the request left are no answer to it, whatever they look like. */
        connection_lost(exchange, RELAY_FAULT_SPOKE_FIRST);
        return;
    }
    if (!exchange->answered) {
        exchange->answered = true;
        exchange->whole = false;
        response_begin(exchange);
    }
    exchange->reading = true;
    enum response_outcome outcome = response_read(exchange, &data);
    exchange->reading = false;
    switch (outcome) {
    case RESPONSE_MORE:
        if (!exchange->paused) {
            stream_receive(stream);
        }
        exchange_watch(exchange, exchange->state == EXCHANGE_BODY);
        break;
    case RESPONSE_COMPLETE:
        complete(exchange, data.size == 0);
        break;
    case RESPONSE_BAD:
        fail(exchange, RELAY_BAD_RESPONSE, exchange->fault);
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

    exchange_watch(exchange, true);
    if (!exchange->request_done) {
        exchange->handler->drained(exchange->owner);
    }
}

static void stream_failed(struct stream *stream, int error) {
    struct relay_exchange *exchange = of_stream(stream);

    if (exchange->state == EXCHANGE_CONNECTING) {
        connect_failed(exchange, error);
    } else if (stream->receiving && !exchange_is_unsent(exchange)) {
        /* An origin that refuses a long request closes without reading it. Its answer came before the reset, and is read
         * first. */
        exchange->send_failed = true;
        exchange_watch(exchange, true);
    } else {
        connection_lost(exchange, error == -ETIMEDOUT ? RELAY_FAULT_TIMED_OUT : RELAY_FAULT_RESET);
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
        fail(exchange, exchange->error, exchange->fault);
    } else if (exchange->wait == WAIT_CONNECT) {
        connect_failed(exchange, -ETIMEDOUT);
    } else {
        fail(exchange, RELAY_TIMEOUT, exchange->wait == WAIT_SEND ? RELAY_FAULT_SEND_TIMED_OUT : RELAY_FAULT_TIMED_OUT);
    }
}

static void set_up(struct relay_exchange *exchange, const struct relay_request *request) {
    struct relay *relay = exchange->relay;

    exchange->host = &relay->hosts[request->host->index];
    exchange->client = request->client;
    exchange->framing = request->framing;
    exchange->to_head = request->to_head;
    exchange->idempotent = request->idempotent;
    exchange->signs_in = request->signs_in;
    /* An origin may take a request for the last one that has offered another protocol, whatever its answer is. */
    exchange->last = request->last || request->upgrades;
    exchange->trailers = request->trailers;
    exchange->upgrades = request->upgrades;
    exchange->request_done = request->framing == HTTP_NO_BODY;
    exchange->whole = true;
    exchange->keep_s = HTTP_KEEP_ALIVE_UNSAID;
    timer_init(&exchange->timer, deadline_passed);
    /* There are as many buffers as exchanges. */
    exchange->buffer = slab_take(&relay->buffers);
    CHECK(exchange->buffer != NULL);
    memcpy(exchange->buffer, request->head.data, request->head.size);
    exchange->buffered = (uint32_t)request->head.size;
}

struct relay_exchange *relay_exchange_start(struct relay *relay, const struct relay_request *request,
                                            const struct relay_handler *handler, void *owner, enum relay_fault *fault) {
    CHECK(request->host->index < relay->config->host_count && request->framing != HTTP_UNTIL_CLOSE);
    *fault = RELAY_FAULT_NO_RESOURCES;
    struct relay_exchange *exchange =
        relay->closing || request->head.size > RELAY_REQUEST_HEAD_MAX ? NULL : slab_take(&relay->exchanges);
    if (exchange == NULL) {
        relay_fault_report(*fault, relay->hosts[request->host->index].name, NULL, NULL);
        return NULL;
    }
    /* The parser and the message, the bulk of it, are set up when a response comes. */
    memset(exchange, 0, sizeof *exchange);
    exchange->relay = relay;
    exchange->handler = handler;
    exchange->owner = owner;
    set_up(exchange, request);
    if (!reuse_owned(exchange) && !open_next(exchange)) {
        *fault = exchange->fault == RELAY_FAULT_NONE ? RELAY_FAULT_NO_RESOURCES : exchange->fault;
        report(exchange, *fault, NULL);
        release(exchange);
        return NULL;
    }
    return exchange;
}

void relay_exchange_pause(struct relay_exchange *exchange) {
    exchange->paused = true;
    exchange_watch(exchange, false);
}

void relay_exchange_resume(struct relay_exchange *exchange) {
    exchange->paused = false;
    if (!exchange_is_over(exchange) && exchange->state != EXCHANGE_CONNECTING) {
        stream_receive(exchange_stream(exchange));
    }
    exchange_watch(exchange, false);
}

void relay_exchange_part(struct relay_exchange *exchange) {
    CHECK(exchange->state == EXCHANGE_TUNNEL && exchange->request_done && !exchange->reading);
    count(exchange, STATS_ORIGIN_COMPLETED);
    pool_finish(exchange->connection);
    exchange->connection = NULL;
    release(exchange);
}

void relay_exchange_refuse(struct relay_exchange *exchange, enum relay_fault fault) {
    report(exchange, fault, NULL);
    relay_exchange_abort(exchange);
}

void relay_exchange_abort(struct relay_exchange *exchange) {
    count(exchange, STATS_ORIGIN_ABORTED);
    drop_connection(exchange);
    if (exchange->reading) {
        exchange->state = EXCHANGE_ABORTED;
        timer_clear(&exchange->relay->ring->timers, &exchange->timer);
        return;
    }
    release(exchange);
}
