/* One request and its response on a stream of HTTP/2. */
#include "base/check.h"
#include "http/persistence.h"
#include "relay/choose.h"
#include "relay/dispatch.h"
#include "relay/seats.h"

#include <errno.h>

enum { STATUS_CONTINUE = 100, STATUS_SWITCHING = 101, STATUS_FINAL = 200 };

static struct relay_exchange *of_stream(struct http2_stream *stream) {
    return CONTAINER_OF(stream, struct relay_exchange, http2.stream);
}

/* Has the exchange go to an origin. False: it cannot, and exchange->fault says why. */
static bool join(struct relay_exchange *exchange, struct relay_origin *origin) {
    exchange->detail = NULL;
    exchange->state = EXCHANGE_CONNECTING;
    int error = seats_join(exchange);
    if (error == -EAGAIN) {
        exchange->fault = RELAY_FAULT_BUSY;
    } else if (error < 0) {
        exchange_note_shortage(exchange, error);
    } else {
        exchange_watch(exchange, true);
    }
    return error == 0;
}

static bool begin(struct relay_exchange *exchange) {
    exchange->http2.head_size = exchange->buffered;
    return dispatch_begin(exchange);
}

/* Gives the stream all that was given of the request but its head. False: out of memory. */
static bool send_rest(struct relay_exchange *exchange) {
    struct exchange_stream *own = &exchange->http2;
    uint32_t body_size = exchange->buffered - own->head_size - own->trailers_size;

    own->given = own->moved = body_size;
    if (body_size > 0 && !http2_stream_send(&own->stream, bytes_of(exchange->buffer + own->head_size, body_size))) {
        return false;
    }
    return !exchange->request_done ||
           http2_stream_end(&own->stream, bytes_of(exchange->buffer + own->head_size + body_size, own->trailers_size));
}

static int seat(struct relay_exchange *exchange, struct relay_channel *channel) {
    struct exchange_stream *own = &exchange->http2;
    struct relay *relay = exchange->relay;
    bool end = exchange->request_done && exchange->buffered == own->head_size;

    own->stream = (struct http2_stream){.message = &exchange->message};
    exchange->message.headers = (struct http_header *)(void *)(exchange->buffer + EXCHANGE_BUFFER_SIZE);
    exchange->message.headers_max = relay->config->limits.response_headers;
    exchange->place = link_place(&channel->link);
    int error = http2_session_open(channel->session, &own->stream, bytes_of(exchange->buffer, own->head_size),
                                   channel->link.tls != NULL ? "https" : "http", end);
    if (error < 0) {
        return error;
    }
    own->channel = channel;
    own->seated_ms = ring_now_ms(relay->ring);
    list_append(&channel->exchanges, &own->link);
    exchange->state = EXCHANGE_HEAD;
    exchange->reused = channel->reused;
    if (!end && !send_rest(exchange)) {
        http2_stream_reset(&own->stream, HTTP2_CANCEL);
        channel_part(exchange);
        return -ENOMEM;
    }
    return 0;
}

static void seated(struct relay_exchange *exchange) {
    exchange_watch(exchange, true);
    if (!exchange->request_done) {
        exchange->handler->drained(exchange->owner);
    }
}

static void unconnected(struct relay_exchange *exchange, const struct relay_failure *failure) {
    exchange_note_unconnected(exchange, failure);
    dispatch_next(exchange);
}

/* Sends a request again of which the origin has made nothing. */
static void send_again(struct relay_exchange *exchange) {
    origin_count(exchange->origin, STATS_ORIGIN_REPLACED);
    if (!choose_may_stay(exchange->origin) || !join(exchange, exchange->origin)) {
        dispatch_next(exchange);
    } else if (exchange->state == EXCHANGE_HEAD) {
        seated(exchange);
    }
}

static bool can_be_sent_again(const struct relay_exchange *exchange) {
    return exchange->whole && !exchange->answered && !exchange->relay->closing;
}

static void lost(struct relay_exchange *exchange, enum relay_error error, enum relay_fault fault, bool untouched) {
    if (exchange->state == EXCHANGE_ENDED) {
        exchange_release(exchange);
    } else if (can_be_sent_again(exchange) && !exchange->replaced &&
               (untouched || (exchange->reused && exchange->idempotent && !exchange->body_given))) {
        exchange->replaced = true;
        send_again(exchange);
    } else {
        bool truncated = fault == RELAY_FAULT_CLOSED_EARLY && exchange->state == EXCHANGE_BODY;

        exchange_fail(exchange, error, truncated ? RELAY_FAULT_TRUNCATED : fault);
    }
}

static void turned_away(struct relay_exchange *exchange, const struct relay_failure *failure) {
    if (exchange->state == EXCHANGE_ENDED) {
        exchange_release(exchange);
    } else if (can_be_sent_again(exchange)) {
        unconnected(exchange, failure);
    } else {
        exchange->detail = failure->detail;
        exchange_fail(exchange, RELAY_BROKEN, failure->fault);
    }
}

/*
 * Notes that the origin has not begun the request. Returns whether it may go again: up to RELAY_REFUSALS_MAX times, and
 * where the origin ends the connection behind requests that it has taken, without counting. Among many requests one may be
 * left out again and again by an origin that takes few on each connection, but each connection has brought others forward.
 */
static bool note_refusal(struct relay_exchange *exchange, bool left_out) {
    if (!left_out && exchange->http2.refusals == RELAY_REFUSALS_MAX) {
        return false;
    }
    exchange->http2.refusals += !left_out;
    return true;
}

static void refuse(struct relay_exchange *exchange, enum relay_fault fault, const char *detail) {
    exchange->detail = detail;
    exchange_fail(exchange, RELAY_BAD_RESPONSE, fault);
}

/* Fails an exchange whose stream the origin has reset, or the session, for what the origin sent (RFC 9113 section 8.1.1). */
static void fail_by_reset(struct relay_exchange *exchange, uint32_t error) {
    if (!exchange->http2.stream.in_reset && (error == HTTP2_PROTOCOL_ERROR || error == HTTP2_FLOW_CONTROL_ERROR)) {
        refuse(exchange, RELAY_FAULT_HTTP2, "a malformed message, or more of it than the window allows");
    } else if (!exchange->http2.stream.in_reset && error == HTTP2_ENHANCE_YOUR_CALM) {
        refuse(exchange, RELAY_FAULT_TOO_LARGE, NULL);
    } else {
        exchange_fail(exchange, RELAY_BROKEN, RELAY_FAULT_RESET);
    }
}

/* The stream is gone. */
static void closed(struct http2_stream *stream, uint32_t error) {
    struct relay_exchange *exchange = of_stream(stream);
    bool left_out = http2_session_leaves_out(exchange->http2.channel->session, stream);

    channel_part(exchange);
    if (exchange->state == EXCHANGE_ENDED) {
        exchange_release(exchange);
    } else if (error != HTTP2_REFUSED_STREAM) {
        fail_by_reset(exchange, error);
    } else if (can_be_sent_again(exchange) && note_refusal(exchange, left_out)) {
        send_again(exchange);
    } else {
        exchange_fail(exchange, RELAY_BUSY, RELAY_FAULT_BUSY);
    }
}

static void refused(struct http2_stream *stream, struct bytes head, unsigned status, const char *error) {
    struct relay_exchange *exchange = of_stream(stream);

    channel_part(exchange);
    refuse(exchange, relay_fault_of_response(stream->fault), error);
}

/* Returns whether the exchange goes on after a handler's call; if not, nothing of it is there any more. */
static bool goes_on(struct relay_exchange *exchange) {
    exchange->reading = false;
    if (exchange->state != EXCHANGE_ABORTED) {
        return true;
    }
    exchange_release(exchange);
    return false;
}

static void pass_interim(struct relay_exchange *exchange, struct bytes head) {
    if (exchange->message.status == STATUS_SWITCHING) {
        refuse(exchange, RELAY_FAULT_UPGRADE, "HTTP/2 has no upgrade");
    } else if (++exchange->interim > RELAY_INTERIM_MAX) {
        refuse(exchange, RELAY_FAULT_TOO_MANY_INTERIM, "more informational responses than anybody needs");
    } else if (exchange->message.status != STATUS_CONTINUE && exchange->handler->interim != NULL) {
        exchange->reading = true;
        exchange->handler->interim(exchange->owner, &exchange->message, head.data);
        goes_on(exchange);
    }
}

/* The response is complete. */
static void complete(struct relay_exchange *exchange, struct bytes trailers) {
    struct exchange_stream *own = &exchange->http2;
    struct relay_channel *channel = own->channel;
    /* A stream whose request is not through is reset: there is no more to be said on it. One without connection is, too. */
    bool closes = own->stream.out_ended && own->stream.out.size == 0 && channel->state == CHANNEL_OPEN;

    exchange_note_complete(exchange);
    timer_clear(&exchange->relay->ring->timers, &exchange->timer);
    exchange->state = EXCHANGE_ENDED;
    exchange->handler->end(exchange->owner, exchange->trailers ? trailers : (struct bytes){0});
    if (!closes) {
        http2_stream_reset(&own->stream, HTTP2_CANCEL);
        channel_part(exchange);
        exchange_release(exchange);
        channel_defer(channel);
    }
}

static void head(struct http2_stream *stream, struct bytes head, bool end) {
    struct relay_exchange *exchange = of_stream(stream);
    struct http_message *message = &exchange->message;

    exchange->answered = true;
    pulse_note_response(&exchange->http2.channel->pulse);
    if (message->status < STATUS_FINAL) {
        pass_interim(exchange, head);
        return;
    }
    if (exchange_note_status(exchange)) {
        return;
    }
    exchange->whole = false;
    exchange->events = http_is_event_stream(message, head.data);
    exchange->state = EXCHANGE_BODY;
    exchange->reading = true;
    exchange->handler->head(exchange->owner, message, head.data);
    if (!goes_on(exchange)) {
        return;
    }
    slab_give(&exchange->relay->buffers, exchange->buffer);
    exchange->buffer = NULL;
    if (end) {
        complete(exchange, (struct bytes){0});
    } else {
        exchange_watch(exchange, true);
    }
}

static size_t body(struct http2_stream *stream, struct bytes piece) {
    struct relay_exchange *exchange = of_stream(stream);

    if (exchange->paused || piece.size == 0) {
        return 0;
    }
    pulse_note_response(&exchange->http2.channel->pulse);
    exchange->reading = true;
    exchange->handler->body(exchange->owner, piece);
    if (goes_on(exchange)) {
        exchange_watch(exchange, true);
    }
    return piece.size;
}

static void end(struct http2_stream *stream, struct bytes trailers) {
    struct relay_exchange *exchange = of_stream(stream);

    pulse_note_response(&exchange->http2.channel->pulse);
    complete(exchange, trailers);
}

static void room(struct http2_stream *stream) {
    struct relay_exchange *exchange = of_stream(stream);

    if (exchange_is_over(exchange)) {
        return;
    }
    seated(exchange);
}

const struct seats_user seats_user = {.seat = seat, .seated = seated, .unconnected = unconnected};

const struct channel_user channel_user = {
    .vacant = seats_serve,
    .unconnected = seats_disappoint,
    .lost = lost,
    .refused = turned_away,
    .session =
        {
            .head = head,
            .refused = refused,
            .body = body,
            .end = end,
            .room = room,
            .closed = closed,
            .output = channel_output,
            .output_room = channel_output_room,
        },
};

static size_t room_for_body(struct relay_exchange *exchange) {
    size_t room = http2_stream_room(&exchange->http2.stream);

    if (room == 0) {
        exchange_watch(exchange, false); /* others may have used up the connection's window since a piece was given */
    }
    return room;
}

/* Keeps a copy of a part of the request while it may have to be sent, or sent again. */
static void keep(struct relay_exchange *exchange, struct bytes part) {
    exchange->whole = exchange->whole && part.size <= EXCHANGE_BUFFER_SIZE - exchange->buffered;
    if (exchange->whole && part.size > 0) {
        memcpy(exchange->buffer + exchange->buffered, part.data, part.size);
        exchange->buffered += (uint32_t)part.size;
    }
}

static bool put_body(struct relay_exchange *exchange, struct bytes piece) {
    struct exchange_stream *own = &exchange->http2;

    keep(exchange, piece);
    if (exchange->state == EXCHANGE_CONNECTING) {
        return exchange->whole;
    }
    own->given += piece.size;
    channel_defer(own->channel);
    return http2_stream_send(&own->stream, piece);
}

static bool put_end(struct relay_exchange *exchange, struct bytes trailers) {
    struct exchange_stream *own = &exchange->http2;

    keep(exchange, trailers);
    own->trailers_size = exchange->whole ? (uint32_t)trailers.size : 0;
    if (exchange->state == EXCHANGE_CONNECTING) {
        return exchange->whole;
    }
    channel_defer(own->channel);
    return http2_stream_end(&own->stream, trailers);
}

static void resume(struct relay_exchange *exchange) {
    struct exchange_stream *own = &exchange->http2;

    if (!list_is_linked(&own->resumed)) {
        list_append(&own->channel->resumed, &own->resumed);
        channel_defer(own->channel);
    }
}

/*
 * The exchange is given up, by its client or by the time limit. Where nothing at all has come while it waited, for so long,
 * the connection may be dead, and others need not find that out once more.
 */
static void note_silence(const struct relay_exchange *exchange, uint32_t silent_ms) {
    struct relay_channel *channel = exchange->http2.channel;
    uint64_t silence_ms = pulse_silence_ms(&channel->pulse, exchange->http2.seated_ms, ring_now_ms(channel->relay->ring));

    channel->doubted = channel->doubted || silence_ms >= silent_ms;
}

/* All that was given may have left, and have shut the origin's window, so that the client can give no more. */
static bool is_sending(struct relay_exchange *exchange) {
    struct http2_stream *stream = &exchange->http2.stream;

    if (stream->out.size > 0) {
        return true;
    }
    return !exchange->request_done && !exchange->patient && !stream->in_ended && http2_stream_room(stream) == 0;
}

static void drop(struct relay_exchange *exchange) {
    struct exchange_stream *own = &exchange->http2;

    if (own->channel != NULL) {
        note_silence(exchange, exchange->relay->timeouts.ping_ms);
        http2_stream_reset(&own->stream, HTTP2_CANCEL);
    }
    seats_leave(exchange);
}

/* Neither a connection nor a seat has come in time. */
static void give_up_waiting(struct relay_exchange *exchange) {
    bool busy = channel_is_open(exchange->origin);

    seats_leave(exchange);
    exchange->fault = busy ? RELAY_FAULT_BUSY : RELAY_FAULT_CONNECT_TIMED_OUT;
    dispatch_next(exchange);
}

/* Returns whether the origin has taken some of the request since this was asked last, or all of it. */
static bool has_moved(struct relay_exchange *exchange) {
    struct exchange_stream *own = &exchange->http2;
    uint64_t moved = own->given - own->stream.out.size;
    bool has = moved != own->moved || !is_sending(exchange);

    own->moved = moved;
    return has;
}

static bool timed_out(struct relay_exchange *exchange) {
    if (exchange->wait == WAIT_CONNECT) {
        give_up_waiting(exchange);
        return true;
    }
    if (exchange->wait == WAIT_SEND && has_moved(exchange)) {
        exchange_watch(exchange, true);
        return true;
    }
    note_silence(exchange, exchange->origin->configured->timeouts.response_ms / 2);
    return false;
}

const struct exchange_transport exchange_http2 = {
    .begin = begin,
    .go = join,
    .timed_out = timed_out,
    .room = room_for_body,
    .body = put_body,
    .body_end = put_end,
    .resume = resume,
    .is_sending = is_sending,
    .drop = drop,
};
