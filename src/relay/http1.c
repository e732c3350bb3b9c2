/* The exchange on its connection of HTTP/1: which one it takes, its events, and the connection behind it. */
#include "http/persistence.h"
#include "relay/choose.h"
#include "relay/dispatch.h"
#include "relay/request.h"
#include "relay/response.h"
#include "relay/tunnel.h"

#include <errno.h>

static const struct link_handler exchange_link_handler;

static struct relay_exchange *of_link(struct relay_link *link) {
    return CONTAINER_OF(link, struct relay_connection, link)->exchange;
}

static void drop_connection(struct relay_exchange *exchange) {
    if (exchange->connection != NULL) {
        pool_close(exchange->connection);
        exchange->connection = NULL;
    }
}

/*
 * The request comes to nothing. A connection that is not made yet is reset: it may be one of thousands, and no port is to
 * wait for each. So is a tunnel from the start whose client has not ended its half: the origin has nothing but the end of
 * the connection to tell a whole message from one that is cut off.
 */
static void abandon(struct relay_exchange *exchange) {
    bool cut_off = exchange->bare && !exchange->request_done;

    if (exchange->connection != NULL && (cut_off || exchange->state == EXCHANGE_CONNECTING)) {
        pool_reset(exchange->connection);
        exchange->connection = NULL;
    }
    drop_connection(exchange);
    if (list_is_linked(&exchange->in_turn)) {
        list_remove(&exchange->in_turn);
    }
}

/*
 * Returns whether the next request may go on this connection: only where the end of the request and the end of the answer
 * are beyond doubt. Where a client has signed in, the end of the answer may be in doubt: no other client would get the bytes
 * behind it, and without the connection that client could never sign in by HEAD.
 */
static bool can_go_on(const struct relay_exchange *exchange) {
    const struct relay_link *link = exchange_link(exchange);

    return exchange->message.keep_alive && link_has_sent_all(link) && !link_send_failed(link) &&
           (!exchange->message.end_in_doubt || exchange->connection->signed_in) && !exchange->last && exchange->keep_s > 0 &&
           exchange->request_done && !exchange->relay->closing && !exchange->origin->leaves;
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

/*
 * Asks for more of the response: of a body in pieces as large as the owner has room for, and likewise in a tunnel while its
 * bytes are many; few come as soon as they can.
 */
static void ask(struct relay_exchange *exchange) {
    const struct relay_handler *handler = exchange->handler;
    struct relay_link *link = exchange_link(exchange);
    bool bulk = exchange->state == EXCHANGE_BODY || (exchange->state == EXCHANGE_TUNNEL && link_flows(link));

    if (bulk && handler->room != NULL) {
        link_receive_up_to(link, handler->room(exchange->owner));
    } else {
        link_receive(link);
    }
}

/* Ends the exchange with success. `exact`: nothing has come behind the response. */
static void complete(struct relay_exchange *exchange, bool exact) {
    const struct relay_handler *handler = exchange->handler;
    struct relay *relay = exchange->relay;
    void *owner = exchange->owner;
    struct bytes trailers = response_trailers(exchange);

    exchange_note_complete(exchange);
    if (exact) {
        part(exchange);
    }
    drop_connection(exchange);
    timer_clear(&relay->ring->timers, &exchange->timer);
    handler->end(owner, trailers); /* which may lie in the buffer */
    exchange_release(exchange);
}

static bool open_fresh(struct relay_exchange *exchange, struct relay_origin *origin) {
    exchange->detail = NULL;
    exchange->reused = false;
    exchange->state = EXCHANGE_CONNECTING;
    int error;
    exchange->connection = pool_open(exchange->relay, origin, &exchange_link_handler, exchange, &error);
    if (exchange->connection == NULL) {
        exchange_note_shortage(exchange, error);
        return false;
    }
    exchange_watch(exchange, true);
    return true;
}

/* Sends the request on a connection that was used before. False when that failed, and the connection is closed. */
static bool begin_again(struct relay_exchange *exchange) {
    exchange->detail = NULL;
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
    exchange->connection = pool_take(exchange->relay, origin, is_precious(exchange), &exchange_link_handler, exchange);
    return exchange->connection != NULL && begin_again(exchange);
}

/* Takes the connection that the client has to itself, if it leads to this origin. */
static bool reuse_owned(struct relay_exchange *exchange, struct relay_origin *origin) {
    struct relay_client *client = exchange->client;

    if (client == NULL || client->connection == NULL || client->connection->origin != origin) {
        return false;
    }
    exchange->connection =
        pool_take_owned(exchange->relay, exchange->host, client, is_precious(exchange), &exchange_link_handler, exchange);
    return exchange->connection != NULL && begin_again(exchange);
}

static bool go(struct relay_exchange *exchange, struct relay_origin *origin) {
    return reuse_owned(exchange, origin) || reuse_pooled(exchange, origin) || open_fresh(exchange, origin);
}

static void connect_failed(struct relay_exchange *exchange, const struct relay_failure *failure) {
    origin_count(exchange->origin, STATS_ORIGIN_CONNECT_FAILED);
    exchange_note_unconnected(exchange, failure);
    drop_connection(exchange);
    dispatch_next(exchange);
}

/*
 * Returns whether nothing of the request has reached the origin, though some has left: the origin closed before the first
 * byte arrived, which it has not acknowledged. A reset proves nothing, since one may cross the acknowledgement of the
 * request.
 */
static bool is_untouched(const struct relay_exchange *exchange, enum relay_fault fault) {
    return fault == RELAY_FAULT_CLOSED_EARLY && link_is_untouched(exchange_link(exchange), exchange->place);
}

/* Drops the connection, and sends the request again if that is safe; else fails the exchange. */
static void connection_lost(struct relay_exchange *exchange, enum relay_fault fault) {
    struct relay_origin *origin = exchange->connection->origin;

    if (!exchange->reused || !exchange->whole ||
        !(request_is_unsent(exchange) || (exchange->idempotent && !exchange->body_given) || is_untouched(exchange, fault))) {
        exchange_fail(exchange, RELAY_BROKEN, fault);
        return;
    }
    exchange->replaced = true;
    origin_count(origin, STATS_ORIGIN_REPLACED);
    drop_connection(exchange);
    exchange->fault = fault; /* if no other origin is left */
    if (!choose_may_stay(origin) || !open_fresh(exchange, origin)) {
        dispatch_next(exchange);
    }
}

/*
 * Returns whether the end of what a tunnel's origin says, without TLS's own, may have cut something off. Many origins end
 * that way once they have read the client's end: then it counts only in an answer to it.
 */
static bool cuts_tunnel(const struct relay_exchange *exchange) {
    bool ends_in_turn = exchange->bare && exchange->request_done && !exchange->speaks_last;

    return link_is_cut(exchange_link(exchange)) && !ends_in_turn;
}

/* Returns the fault of an end that comes before the end of the answer. */
static enum relay_fault fault_of_end(const struct relay_exchange *exchange) {
    if (exchange->state == EXCHANGE_BODY) {
        return RELAY_FAULT_TRUNCATED;
    }
    /* The kernel tells of a reset once: the send that failed was told. */
    return link_send_failed(exchange_link(exchange)) ? RELAY_FAULT_RESET : RELAY_FAULT_CLOSED_EARLY;
}

/* The origin has sent its last byte. */
static void end_received(struct relay_exchange *exchange) {
    bool cut = link_is_cut(exchange_link(exchange));

    if (exchange->state == EXCHANGE_TUNNEL && cuts_tunnel(exchange)) {
        exchange_fail(exchange, RELAY_BROKEN, RELAY_FAULT_TRUNCATED);
    } else if (exchange->state == EXCHANGE_TUNNEL) {
        exchange->handler->half_end(exchange->owner);
    } else if (exchange->state == EXCHANGE_BODY && !cut && http_parser_finish(&exchange->parser)) {
        complete(exchange, false);
    } else {
        connection_lost(exchange, fault_of_end(exchange));
    }
}

static bool connection_opened(struct relay_link *link) {
    struct relay_exchange *exchange = of_link(link);
    uint8_t preface[RELAY_PREFACE_MAX];

    if (!exchange->host->has_preface) {
        return true;
    }
    size_t size = exchange->handler->preface(exchange->owner, preface);
    return stream_write(link->stream, bytes_of(preface, size)) == 0;
}

static void connection_made(struct relay_link *link) {
    struct relay_exchange *exchange = of_link(link);

    exchange_note_connected(exchange->connection->origin, link);
    if (!exchange->bare && !request_send(exchange)) {
        exchange_fail(exchange, RELAY_BROKEN, RELAY_FAULT_NO_RESOURCES);
        return;
    }
    if (exchange->bare) {
        tunnel_begin_at_start(exchange);
    }
    if (!exchange->paused) {
        link_receive(link);
    }
    if (!exchange->request_done) {
        exchange->handler->drained(exchange->owner);
    }
}

/* Returns whether the origin can have nothing to say yet. In a tunnel it may speak first. */
static bool is_unsent_request(const struct relay_exchange *exchange) {
    return exchange->state != EXCHANGE_TUNNEL && request_is_unsent(exchange);
}

/* Puts the request by, where the response may be a reason to send it again. */
static void keep_request(struct relay_exchange *exchange) {
    if (!dispatch_awaits_status(exchange)) {
        return;
    }
    uint8_t *buffer = slab_take(&exchange->relay->buffers);
    if (buffer != NULL) {
        exchange->kept = exchange->buffer;
        exchange->buffer = buffer;
    }
}

static void received(struct relay_link *link, struct bytes data) {
    struct relay_exchange *exchange = of_link(link);

    if (data.size == 0) {
        end_received(exchange);
        return;
    }
    if (is_unsent_request(exchange)) {
        /* Bytes that came before the request left are no answer to it, whatever they look like. */
        connection_lost(exchange, RELAY_FAULT_SPOKE_FIRST);
        return;
    }
    if (!exchange->answered) {
        keep_request(exchange);
        exchange->answered = true;
        exchange->whole = false;
        response_begin(exchange);
    }
    exchange->speaks_last = exchange->state == EXCHANGE_TUNNEL && exchange->request_done;
    exchange->reading = true;
    enum response_outcome outcome = response_read(exchange, &data);
    exchange->reading = false;
    switch (outcome) {
    case RESPONSE_MORE:
        if (!exchange->paused) {
            ask(exchange);
        }
        exchange_watch(exchange, exchange->state == EXCHANGE_BODY);
        break;
    case RESPONSE_COMPLETE:
        complete(exchange, data.size == 0 && link_is_clean(link));
        break;
    case RESPONSE_BAD:
        exchange_fail(exchange, RELAY_BAD_RESPONSE, exchange->fault);
        break;
    case RESPONSE_STOPPED:
        if (exchange->state == EXCHANGE_ABORTED) {
            exchange_release(exchange);
        }
        break;
    }
}

static void drained(struct relay_link *link) {
    struct relay_exchange *exchange = of_link(link);

    exchange_watch(exchange, true);
    if (!exchange->request_done) {
        exchange->handler->drained(exchange->owner);
    }
}

static void connection_failed(struct relay_link *link, int error) {
    struct relay_exchange *exchange = of_link(link);
    const struct relay_failure failure = link_failure(link, error);

    if (exchange->state == EXCHANGE_CONNECTING) {
        pool_count_handshake(exchange->origin, link);
        connect_failed(exchange, &failure);
    } else if (failure.fault == RELAY_FAULT_TLS_HANDSHAKE && exchange->whole) {
        connect_failed(exchange, &failure);
    } else if (link_is_receiving(link) && (link->tls != NULL || !is_unsent_request(exchange))) {
        /* An origin that refuses a long request closes without reading it. Its answer came before the reset, and is read
         * first; so is its alert. */
        exchange_watch(exchange, true);
    } else {
        exchange->detail = failure.detail;
        connection_lost(exchange, relay_fault_of_loss(&failure));
    }
}

static const struct link_handler exchange_link_handler = {
    .opened = connection_opened,
    .connected = connection_made,
    .received = received,
    .drained = drained,
    .failed = connection_failed,
    .closed = pool_closed,
};

/*
 * A client that has signed in on its connection stays at that origin, whether it has room or not. Its origin counts as tried
 * only when another has to be found.
 */
static bool begin_owned(struct relay_exchange *exchange) {
    struct relay_connection *owned = exchange->client == NULL ? NULL : exchange->client->connection;

    if (owned == NULL) {
        return false;
    }
    struct relay_origin *origin = owned->origin;
    if (owned->relay != exchange->relay || origin->host != exchange->host) {
        relay_client_leave(exchange->client);
        return false;
    }
    if (!owned->signed_in && !dispatch_may_enter(exchange, origin)) {
        return false;
    }
    dispatch_enter(exchange, origin);
    if (reuse_owned(exchange, origin)) {
        return true;
    }
    dispatch_leave(exchange);
    return false;
}

static bool find_connection(struct relay_exchange *exchange) {
    return begin_owned(exchange) || dispatch_begin(exchange);
}

static bool begin(struct relay_exchange *exchange) {
    struct relay *relay = exchange->relay;

    if (!exchange->put_off) {
        return find_connection(exchange);
    }
    exchange->state = EXCHANGE_CONNECTING;
    list_append(&relay->put_off, &exchange->in_turn);
    ring_defer(relay->ring, &relay->begin);
    return true;
}

void exchange_begin_put_off(struct ring_task *task) {
    struct relay *relay = CONTAINER_OF(task, struct relay, begin);
    struct list *link;

    while ((link = list_first(&relay->put_off)) != NULL) {
        struct relay_exchange *exchange = CONTAINER_OF(link, struct relay_exchange, in_turn);

        list_remove(link);
        if (!find_connection(exchange)) {
            dispatch_fail(exchange);
        }
    }
}

static bool timed_out(struct relay_exchange *exchange) {
    bool connects = exchange->wait == WAIT_CONNECT;

    if (connects) {
        struct relay_link *link = exchange_link(exchange);
        const struct relay_failure failure = link_time_out(link, exchange->origin->configured->timeouts.connect_ms);

        pool_count_handshake(exchange->origin, link);
        connect_failed(exchange, &failure);
    }
    return connects;
}

static bool is_sending(struct relay_exchange *exchange) {
    return !link_has_sent_all(exchange_link(exchange));
}

const struct exchange_transport exchange_http1 = {
    .begin = begin,
    .go = go,
    .timed_out = timed_out,
    .room = request_room,
    .body = request_body,
    .body_end = request_body_end,
    .resume = ask,
    .is_sending = is_sending,
    .drop = abandon,
};
