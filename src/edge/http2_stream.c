#include "edge/http2_stream.h"

#include "base/check.h"
#include "edge/output.h"
#include "edge/place.h"

static struct http2_exchange *of_stream(const struct http2_stream *stream) {
    return CONTAINER_OF(stream, struct http2_exchange, stream);
}

static struct shard *shard_of(const struct connection *connection) {
    return connection->client.shard;
}

void http2_flush_later(struct connection *connection) {
    if (!list_is_linked(&connection->http2.in_turn) && connection->http2.session != NULL) {
        list_append(&shard_of(connection)->http2_turn, &connection->http2.in_turn);
    }
}

static void free_gone(struct connection *connection) {
    struct list *link;

    while ((link = list_first(&connection->http2.gone)) != NULL) {
        list_remove(link);
        slab_give(&shard_of(connection)->streams, CONTAINER_OF(link, struct http2_exchange, in_connection));
    }
}

static void free_session(struct connection *connection) {
    http2_session_free(connection->http2.session);
    connection->http2.session = NULL;
    if (list_is_linked(&connection->http2.in_turn)) {
        list_remove(&connection->http2.in_turn);
    }
}

void http2_enter(struct connection *connection) {
    connection->http2.inside++;
}

void http2_leave(struct connection *connection) {
    CHECK(connection->http2.inside > 0);
    if (--connection->http2.inside > 0) {
        return;
    }
    if (connection_is_closing(connection)) {
        free_session(connection);
    }
    free_gone(connection);
}

void http2_shut_down(struct connection *connection) {
    if (!connection->http2.shut_down) {
        connection->http2.shut_down = true;
        connection->http2.shut_down_ms = connection_now_ms(connection);
        http2_session_shut_down(connection->http2.session);
        http2_flush_later(connection);
    }
}

static void set_deadline(struct http2_exchange *http2, uint32_t delay_ms) {
    struct connection *connection = http2_connection(http2);

    pace_set_deadline(&http2->pace, &shard_of(connection)->ring.timers, connection_now_ms(connection), delay_ms);
}

static void progress(struct http2_exchange *http2) {
    http2->sent_then = http2->stream.out_sent;
    set_deadline(http2, connection_limits(http2_connection(http2))->idle_timeout_ms);
}

static void finish_exchange(struct http2_exchange *http2) {
    if (!http2->over) {
        http2->over = true;
        exchange_end(&http2->exchange);
    }
}

/* The exchange is over, and its stream off all lists; the memory goes back once nothing on the stack can use it. */
static void put_away(struct http2_exchange *http2) {
    struct connection *connection = http2_connection(http2);

    finish_exchange(http2);
    pace_stop(&http2->pace, &shard_of(connection)->ring.timers);
    if (list_is_linked(&http2->in_waiting)) {
        list_remove(&http2->in_waiting);
    }
    list_remove(&http2->in_connection);
    connection->http2.open--;
    connection->http2.quiet_ms = connection_now_ms(connection);
    list_append(&connection->http2.gone, &http2->in_connection);
}

/* The stream is ours alone again. */
static void drop_stream(struct http2_exchange *http2) {
    struct connection *connection = http2_connection(http2);

    put_away(http2);
    if (connection->http2.inside == 0) {
        free_gone(connection);
    }
}

void http2_reset_stream(struct http2_exchange *http2, enum http2_error error) {
    struct connection *connection = http2_connection(http2);

    if (!http2->closed) {
        http2_stream_reset(&http2->stream, error);
    }
    drop_stream(http2);
    http2_flush_later(connection);
}

/*
 * The answer to a request that is still on its way has left, or its client has had enough time: has the client stop (RFC
 * 9113 section 8.1). A reset would lose the part of the answer that has not left.
 */
static void stop_request(struct http2_exchange *http2) {
    if (http2->stream.out_left_whole) {
        http2_reset_stream(http2, HTTP2_NO_ERROR);
    }
}

/* The answer is queued. */
void http2_finish_answer(struct http2_exchange *http2) {
    struct connection *connection = http2_connection(http2);
    bool dismissed = http2->exchange.dismissed;

    http2->answered = true;
    if (http2->exchange.request_done || http2->exchange.is_tunnel) {
        finish_exchange(http2);
    }
    if (http2->closed) {
        drop_stream(http2);
    } else if (!http2->stream.in_ended) {
        http2->discard_left = HTTP2_DISCARD_MAX;
        pace_set_deadline(&http2->pace, &shard_of(connection)->ring.timers, connection_now_ms(connection), HTTP2_DISCARD_MS);
    }
    if (dismissed) {
        http2_shut_down(connection);
    }
    http2_flush_later(connection);
}

static void give_up(struct http2_exchange *http2) {
    struct connection *connection = http2_connection(http2);

    stats_add(&shard_of(connection)->stats->rejected[STATS_AT_REQUEST][STATS_REJECT_TIMEOUT], 1);
    connection->http2.head_is_late = connection->http2.head_is_late || http2->exchange.started_ns == 0;
    http2_reset_stream(http2, HTTP2_CANCEL);
}

/*
 * The client has had its time: to send a head or a body, or to take an answer, whose last frame waits as long as the stream
 * is there. As long as a head is not complete nobody knows what answer it may get: to HEAD, one without a body.
 */
static void refuse_slow(struct http2_exchange *http2) {
    const struct exchange *exchange = &http2->exchange;
    bool asks = !http2->answered && !exchange->request_done && !exchange->conversation && exchange_wants_body(exchange);
    bool reads = http2->stream.out_sent > http2->sent_then;
    bool in_tunnel = !http2->answered && exchange->is_tunnel; /* which has limits of its own */

    progress(http2); /* an answer of ours may wait as well: the client does not take it either */
    if (in_tunnel) {
        return;
    }
    if (http2->answered && !http2->stream.in_ended && http2->stream.out_left_whole) {
        stop_request(http2);
    } else if (http2->discard_left > 0) {
        http2->discard_left = 0; /* the time of the request is over; that of its answer goes on */
    } else if (exchange->started_ns == 0 || (http2->answered && !reads)) {
        give_up(http2);
    } else if (asks || (!reads && http2->stream.out.size > 0)) {
        exchange_refuse(&http2->exchange, (struct bytes){0}, 408);
    } /* else the origin has deadlines of its own: with nothing for the client to do, this is not its fault */
}

static void on_timer(struct timer *timer) {
    struct http2_exchange *http2 = CONTAINER_OF(timer, struct http2_exchange, pace.timer);
    struct connection *connection = http2_connection(http2);

    if (pace_resume(&http2->pace, &shard_of(connection)->ring.timers, connection_now_ms(connection))) {
        return;
    }
    http2_enter(connection);
    refuse_slow(http2);
    http2_leave(connection);
}

/*
 * Returns whether there is memory, and may be a connection to an origin, for one more stream. A connection's first stream
 * has both by right, as an HTTP/1 connection has them for its one request; the others share what no connection uses, and
 * what idle connections to origins would take. The last eighth is for known clients.
 */
static bool has_room(const struct connection *connection) {
    const struct shard *shard = shard_of(connection);
    uint32_t limit = shard->streams.limit;
    uint32_t most = connection->place.rank >= PLACES_KNOWN ? limit : limit - limit / 8;

    return connection->http2.open == 0 || shard->connections.in_use + shard->streams.in_use < most;
}

static struct http2_stream *on_begin(void *owner) {
    struct connection *connection = owner;
    struct shard *shard = shard_of(connection);

    if (connection_is_closing(connection)) {
        return NULL;
    }
    struct http2_exchange *http2 = has_room(connection) ? slab_take(&shard->streams) : NULL;
    if (http2 == NULL) {
        stats_add(&shard->stats->rejected[STATS_AT_REQUEST][STATS_REJECT_HTTP2_STREAMS], 1);
        return NULL;
    }
    exchange_init(&http2->exchange, &http2_carrier, connection, &connection->client);
    http2->stream = (struct http2_stream){.message = &http2->exchange.request};
    http2->in_waiting = (struct list){0};
    http2->in_connection = (struct list){0};
    http2->sent_then = 0;
    http2->discard_left = 0;
    http2->ended = http2->answered = http2->over = http2->closed = http2->hasty = false;
    pace_init(&http2->pace, on_timer);
    set_deadline(http2, connection_limits(connection)->request_header_timeout_ms);
    list_prepend(&connection->http2.streams, &http2->in_connection);
    connection->http2.open++;
    connection->http2.requests++;
    connection->http2.head_is_late = false;
    stats_add(&client_host_stats(&connection->client)->streams, 1);
    place_ask(connection);
    return &http2->stream;
}

/* The session may go on for a while with the streams of a connection that has ended below it. */
static bool is_put_away(const struct http2_exchange *http2) {
    return connection_is_closing(http2_connection(http2));
}

static void on_head(struct http2_stream *stream, struct bytes head, bool end) {
    struct http2_exchange *http2 = of_stream(stream);

    if (is_put_away(http2)) {
        return;
    }
    http2->exchange.stream_id = (uint32_t)stream->id;
    pace_begin(&http2->pace);
    pace_arm(&http2->pace, connection_now_ms(http2_connection(http2)));
    progress(http2);
    http2->hasty = end;
    exchange_begin(&http2->exchange, head);
}

static void on_refused(struct http2_stream *stream, struct bytes head, unsigned status, const char *error) {
    struct http2_exchange *http2 = of_stream(stream);

    http2->exchange.stream_id = (uint32_t)stream->id;
    if (!is_put_away(http2) && !http2->answered) {
        exchange_refuse(&http2->exchange, head, status);
    }
}

/* Returns how many bytes of a body were dropped behind its answer; the others stay, and shut the stream's window. */
static size_t discard(struct http2_exchange *http2, size_t size) {
    if (size <= http2->discard_left) {
        http2->discard_left -= (uint32_t)size;
        http2->exchange.body_in += size;
        return size;
    }
    http2->discard_left = 0;
    stop_request(http2);
    return 0;
}

static size_t on_body(struct http2_stream *stream, struct bytes piece) {
    struct http2_exchange *http2 = of_stream(stream);
    struct exchange *exchange = &http2->exchange;
    struct connection *connection = http2_connection(http2);

    if (is_put_away(http2)) {
        return piece.size;
    }
    if (http2->answered) {
        return discard(http2, piece.size);
    }
    if (!exchange_wants_body(exchange)) {
        if (!list_is_linked(&http2->in_waiting)) {
            list_append(&connection->http2.waiting, &http2->in_waiting);
        }
        return 0;
    }
    if (!exchange->is_tunnel && !exchange->conversation &&
        !pace_take_body(&http2->pace, connection_now_ms(connection), piece.size)) {
        exchange_refuse(exchange, (struct bytes){0}, 408);
        return piece.size;
    }
    progress(http2);
    exchange_body(exchange, piece);
    pace_arm(&http2->pace, connection_now_ms(connection));
    return piece.size;
}

/* curl 7.88 has the answer, has sent the rest of its request, and waits for any frame before it looks at the answer. */
static void wake_client(struct connection *connection) {
    http2_session_ping(connection->http2.session);
    http2_flush_later(connection);
}

static void on_end(struct http2_stream *stream, struct bytes trailers) {
    struct http2_exchange *http2 = of_stream(stream);

    http2->hasty = http2->hasty || (http2->exchange.is_connect && !http2->exchange.is_tunnel);
    if (is_put_away(http2) || http2->over || http2->exchange.request_done) {
        return;
    }
    exchange_body_end(&http2->exchange, trailers);
    if (http2->answered) {
        finish_exchange(http2);
        wake_client(http2_connection(http2));
    }
}

static void on_room(struct http2_stream *stream) {
    struct http2_exchange *http2 = of_stream(stream);

    if (is_put_away(http2)) {
        return;
    }
    progress(http2);
    if (!http2->over) {
        exchange_drained(&http2->exchange);
    }
}

/*
 * The session itself resets a stream whose request is malformed (RFC 9113 section 8.1.1), in its head or behind it, or whose
 * window is opened wrongly.
 */
static void on_closed(struct http2_stream *stream, uint32_t error) {
    struct http2_exchange *http2 = of_stream(stream);

    if (is_put_away(http2)) {
        return;
    }
    if ((error == HTTP2_PROTOCOL_ERROR || error == HTTP2_FLOW_CONTROL_ERROR) && !http2->answered) {
        stats_add(&shard_of(http2_connection(http2))->stats->rejected[STATS_AT_REQUEST][STATS_REJECT_MALFORMED], 1);
    }
    http2->closed = true;
    /* Behind a head that ends the answer the exchange with the origin is about to end too, and drops the stream then. */
    if (!http2->ended || http2->answered || http2->over) {
        drop_stream(http2);
    }
}

static void on_output(void *owner, struct bytes frames) {
    output_send(owner, frames);
}

static size_t output_room(void *owner) {
    const struct connection *connection = owner;
    const struct output *output = &shard_of(connection)->output;
    size_t gathered = output->owner == connection ? output->size : 0;
    size_t room = connection_is_closing(connection) ? 0 : stream_room(connection->stream);

    return room > gathered ? room - gathered : 0;
}

static const struct http2_handler handler = {
    .begin = on_begin,
    .head = on_head,
    .refused = on_refused,
    .body = on_body,
    .end = on_end,
    .room = on_room,
    .closed = on_closed,
    .output = on_output,
    .output_room = output_room,
};

struct http2_session *http2_stream_session(struct connection *connection, const struct http2_settings *settings) {
    list_init(&connection->http2.streams);
    list_init(&connection->http2.waiting);
    list_init(&connection->http2.gone);
    connection->http2.session = http2_session_server(settings, &handler, connection);
    return connection->http2.session;
}

void http2_end_cut_off(struct connection *connection) {
    struct list *link = list_first(&connection->http2.streams);

    http2_enter(connection);
    while (link != NULL &&
           !connection_is_closing(connection)) { /* a stream that ends may end the connection, and no other */
        struct http2_exchange *http2 = CONTAINER_OF(link, struct http2_exchange, in_connection);

        link = list_after(&connection->http2.streams, link);
        if (!http2->stream.in_ended && http2->answered) {
            stop_request(http2);
        } else if (!http2->stream.in_ended) {
            http2_reset_stream(http2, HTTP2_CANCEL);
        }
    }
    http2_leave(connection);
}

void http2_doubt_all(struct connection *connection) {
    for (struct list *link = list_first(&connection->http2.streams); link != NULL;
         link = list_after(&connection->http2.streams, link)) {
        struct http2_exchange *http2 = CONTAINER_OF(link, struct http2_exchange, in_connection);

        if (!http2->over) {
            exchange_doubt(&http2->exchange);
        }
    }
}

void http2_drop_all(struct connection *connection) {
    struct list *link;

    while ((link = list_first(&connection->http2.streams)) != NULL) {
        put_away(CONTAINER_OF(link, struct http2_exchange, in_connection));
    }
    if (connection->http2.inside == 0) {
        free_session(connection); /* which knows the streams until then */
        free_gone(connection);
    }
}
