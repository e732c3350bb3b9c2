#include "edge/connection.h"

#include "base/check.h"
#include "base/clock.h"
#include "edge/exchange.h"
#include "guard/hello.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void hold(struct connection *connection, struct bytes bytes) {
    if (connection->held == NULL) {
        connection->held = slab_take(&connection->shard->held);
        CHECK(connection->held != NULL); /* one for each connection */
        connection->held_size = 0;
    }
    /* A head's limit and one receive: what is held is parsed before more is asked for. */
    CHECK(connection->held_size + bytes.size <= connection->shard->held_size);
    memcpy(connection->held + connection->held_size, bytes.data, bytes.size);
    connection->held_size += (uint32_t)bytes.size;
}

static void let_go_of_held(struct connection *connection) {
    if (connection->held != NULL) {
        slab_give(&connection->shard->held, connection->held);
        connection->held = NULL;
        connection->held_size = 0;
    }
}

static void set_deadline(struct connection *connection, uint32_t delay_ms) {
    struct ring *ring = &connection->shard->ring;

    timer_set(&ring->timers, &connection->timer, ring_now_ms(ring), delay_ms);
}

static const struct config_limits *limits(const struct connection *connection) {
    return &connection->site->config->limits;
}

/* The only place where the state changes. HELLO and HANDSHAKE share the deadline that was set at accept. */
static void enter(struct connection *connection, enum connection_state state) {
    CHECK(connection->state != CONNECTION_CLOSING);
    connection->state = (uint8_t)state;
    switch (state) {
    case CONNECTION_HELLO:
        set_deadline(connection, limits(connection)->handshake_timeout_ms);
        break;
    case CONNECTION_WAITING:
        set_deadline(connection, connection->requests == 0 ? limits(connection)->request_header_timeout_ms
                                                           : limits(connection)->idle_timeout_ms);
        break;
    case CONNECTION_HEAD:
        set_deadline(connection, limits(connection)->request_header_timeout_ms);
        break;
    case CONNECTION_EXCHANGE:
        set_deadline(connection, limits(connection)->idle_timeout_ms);
        break;
    default:
        break;
    }
}

void connection_progress(struct connection *connection) {
    if (connection->state == CONNECTION_EXCHANGE) {
        set_deadline(connection, limits(connection)->idle_timeout_ms);
    }
}

static void count_rejection(struct connection *connection, enum stats_stage stage, enum stats_rejection why) {
    stats_add(&connection->shard->stats->rejected[stage][why], 1);
}

static void count_handshake(struct connection *connection, enum stats_result result) {
    struct stats_shard *stats = connection->shard->stats;
    enum stats_version version = STATS_TLS_NONE;

    if (connection->handshake_counted) {
        return;
    }
    connection->handshake_counted = true;
    if (result == STATS_OK) {
        version = tls_session_is_tls13(connection->tls) ? STATS_TLS13 : STATS_TLS12;
        stats_record(&stats->handshake_seconds[STATS_FULL], connection->shard->ring.now_ns - connection->accepted_ns);
    }
    stats_add(&stats->handshakes[result][STATS_FULL][version], 1);
}

void connection_flush(struct shard *shard) {
    struct connection *connection = shard->out_owner;
    struct bytes gathered = bytes_of(shard->out, shard->out_size);

    if (connection == NULL) {
        return;
    }
    shard->out_owner = NULL;
    shard->out_size = 0;
    if (tls_session_write(connection->tls, gathered) != TLS_DONE) {
        connection_end(connection, CONNECTION_ABRUPTLY);
    }
}

bool connection_send(struct connection *connection, struct bytes plaintext) {
    struct shard *shard = connection->shard;

    if (connection->state == CONNECTION_CLOSING) {
        return false;
    }
    if (shard->out_owner != connection) {
        connection_flush(shard);
        shard->out_owner = connection;
    }
    while (plaintext.size > 0) {
        size_t room = SHARD_OUT_SIZE - shard->out_size;
        size_t size = plaintext.size < room ? plaintext.size : room;

        memcpy(shard->out + shard->out_size, plaintext.data, size);
        shard->out_size += size;
        plaintext = bytes_of(plaintext.data + size, plaintext.size - size);
        if (shard->out_size == SHARD_OUT_SIZE) {
            connection_flush(shard);
            if (connection->state == CONNECTION_CLOSING) {
                return false;
            }
            shard->out_owner = connection;
        }
    }
    return true;
}

static void unlink_connection(struct connection *connection) {
    if (connection->previous != NULL) {
        connection->previous->next = connection->next;
    } else {
        connection->shard->first = connection->next;
    }
    if (connection->next != NULL) {
        connection->next->previous = connection->previous;
    }
}

void connection_end(struct connection *connection, enum connection_end how) {
    struct shard *shard = connection->shard;

    if (connection->state == CONNECTION_CLOSING) {
        return;
    }
    if (shard->out_owner == connection) {
        if (how == CONNECTION_ABRUPTLY) {
            shard->out_owner = NULL;
            shard->out_size = 0;
        } else {
            connection_flush(shard);
            if (connection->state == CONNECTION_CLOSING) {
                return;
            }
        }
    }
    if (connection->state == CONNECTION_HANDSHAKE) {
        count_handshake(connection, STATS_FAILED);
    }
    if (how == CONNECTION_POLITELY && connection->state > CONNECTION_HANDSHAKE) {
        tls_session_shutdown(connection->tls);
    }
    enter(connection, CONNECTION_CLOSING);
    timer_clear(&shard->ring.timers, &connection->timer);
    if (connection->exchange != NULL) {
        exchange_destroy(connection->exchange);
        connection->exchange = NULL;
    }
    let_go_of_held(connection);
    if (how == CONNECTION_ABRUPTLY) {
        stream_close(connection->stream);
    } else {
        stream_finish(connection->stream);
    }
}

static void on_closed(struct stream *stream) {
    struct connection *connection = stream->owner;
    struct shard *shard = connection->shard;

    CHECK(connection->state == CONNECTION_CLOSING);
    CHECK(connection->exchange == NULL && connection->held == NULL);
    if (connection->tls != NULL) {
        tls_session_free(connection->tls);
    }
    identity_release(connection->identity);
    free(connection->chain);
    free(connection->name_copy);
    site_release(connection->site);
    unlink_connection(connection);
    stats_subtract(&shard->stats->connections, 1);
    slab_give(&shard->connections, connection);
}

/* Whether there is anything that more input could do now. */
static bool wants_input(const struct connection *connection) {
    switch ((enum connection_state)connection->state) {
    case CONNECTION_EXCHANGE:
        /* With the request complete one receive stays armed, to notice a client that goes away. */
        return connection->held_size == 0 && exchange_wants_body(connection->exchange);
    case CONNECTION_CLOSING:
        return false;
    default:
        return true;
    }
}

static void arm(struct connection *connection) {
    if (wants_input(connection)) {
        stream_receive(connection->stream);
    }
}

static void begin_request(struct connection *connection) {
    connection->exchange = exchange_create(connection);
    CHECK(connection->exchange != NULL); /* one for each connection */
    connection->requests++;
    enter(connection, CONNECTION_HEAD);
}

/*
 * Works through plaintext: heads, bodies, requests behind them. What is left when the exchange cannot take it yet waits in
 * `held`, together with heads that are not complete. Never nested: what an exchange causes on the way, the loop sees.
 */
static void process(struct connection *connection, struct bytes input) {
    uint8_t *buffer = NULL;

    CHECK(!connection->processing);
    if (connection->held_size > 0) {
        hold(connection, input);
        buffer = connection->held;
        input = bytes_of(buffer, connection->held_size);
        connection->held = NULL;
        connection->held_size = 0;
    }
    connection->processing = true;
    while (input.size > 0 && connection->state != CONNECTION_CLOSING) {
        size_t used;

        if (connection->state == CONNECTION_WAITING) {
            begin_request(connection);
        }
        if (connection->state == CONNECTION_HEAD) {
            struct exchange *exchange = connection->exchange;
            struct bytes head = input;
            enum http_result result = exchange_head(exchange, head);

            if (result == HTTP_PARSE_MORE) {
                break;
            }
            used = result == HTTP_PARSE_HEAD ? exchange->request.head_size : input.size;
            enter(connection, CONNECTION_EXCHANGE);
            exchange_begin(exchange, head);
        } else {
            used = exchange_body(connection->exchange, input);
            if (used == 0) {
                break;
            }
        }
        input = bytes_of(input.data + used, input.size - used);
    }
    connection->processing = false;
    if (input.size > 0 && connection->state != CONNECTION_CLOSING) {
        if (buffer != NULL) {
            memmove(buffer, input.data, input.size);
            connection->held = buffer;
            connection->held_size = (uint32_t)input.size;
            return;
        }
        hold(connection, input);
    }
    if (buffer != NULL) {
        slab_give(&connection->shard->held, buffer);
    }
}

/* Decrypts what was fed, until wolfSSL wants more. */
static void read_plaintext(struct connection *connection) {
    struct shard *shard = connection->shard;

    while (connection->state != CONNECTION_CLOSING) {
        size_t size = 0;

        switch (tls_session_read(connection->tls, shard->plaintext, sizeof shard->plaintext, &size)) {
        case TLS_DONE:
            connection_progress(connection);
            process(connection, bytes_of(shard->plaintext, size));
            break;
        case TLS_WANT_INPUT:
            return;
        case TLS_CLOSED:
            connection_end(connection, CONNECTION_POLITELY);
            return;
        case TLS_FAILED:
            connection_end(connection, CONNECTION_TRUNCATED);
            return;
        }
    }
}

/* The chain is kept, in one piece with a size before each certificate, so that its verdict can be reached anew. */
static void keep_chain(struct connection *connection, const struct tls_peer_chain *chain) {
    size_t size = 0;
    uint8_t *next;

    for (size_t i = 0; i < chain->count; i++) {
        size += sizeof(uint32_t) + chain->certificates[i].size;
    }
    connection->chain = malloc(size);
    if (connection->chain == NULL) {
        return;
    }
    connection->chain_size = (uint32_t)size;
    next = connection->chain;
    for (size_t i = 0; i < chain->count; i++) {
        uint32_t part = (uint32_t)chain->certificates[i].size;

        memcpy(next, &part, sizeof part);
        memcpy(next + sizeof part, chain->certificates[i].data, part);
        next += sizeof part + part;
    }
}

static bool judge(struct connection *connection, const struct tls_peer_chain *chain) {
    const struct identity_policy *policy = &connection->host->policy;

    connection->identity = identity_judge(policy, chain->certificates, chain->count, chain->too_large, clock_wall_seconds());
    if (connection->identity != NULL && chain->count > 0 && !chain->too_large) {
        keep_chain(connection, chain);
        if (connection->chain != NULL) {
            return true;
        }
    } else if (connection->identity != NULL) {
        return true;
    }
    count_rejection(connection, STATS_AT_HANDSHAKE, STATS_REJECT_NO_MEMORY);
    connection_end(connection, CONNECTION_ABRUPTLY);
    return false;
}

const struct identity *connection_identity(struct connection *connection) {
    struct bytes certificates[TLS_PEER_CHAIN_MAX];
    size_t count = 0;
    int64_t now = clock_wall_seconds();
    struct identity *anew;

    if (connection->chain == NULL || (now >= connection->identity->valid_from && now <= connection->identity->valid_until)) {
        return connection->identity;
    }
    for (uint32_t at = 0; at < connection->chain_size && count < TLS_PEER_CHAIN_MAX; count++) {
        uint32_t part;

        memcpy(&part, connection->chain + at, sizeof part);
        certificates[count] = bytes_of(connection->chain + at + sizeof part, part);
        at += (uint32_t)sizeof part + part;
    }
    anew = identity_judge(&connection->host->policy, certificates, count, false, now);
    if (anew == NULL) {
        return NULL;
    }
    identity_release(connection->identity);
    connection->identity = anew;
    return anew;
}

static void complete_handshake(struct connection *connection) {
    struct connection *c = connection;
    const void *address = c->peer.any.sa_family == AF_INET6 ? (const void *)&c->peer.in6.sin6_addr : &c->peer.in.sin_addr;

    if (connection->identity == NULL) {
        connection->identity = identity_retain(connection->site->absent[connection->host->index]);
    }
    inet_ntop(connection->peer.any.sa_family, address, connection->address, sizeof connection->address);
    count_handshake(connection, STATS_OK);
    stats_add(&connection->shard->stats->hosts[connection->host->index].client_certs[connection->identity->reason], 1);
    enter(connection, CONNECTION_WAITING);
    read_plaintext(connection);
}

static void continue_handshake(struct connection *connection, struct bytes input) {
    enum tls_result result;

    tls_session_feed(connection->tls, input);
    result = tls_session_handshake(connection->tls);
    if (result == TLS_FAILED || result == TLS_CLOSED) {
        count_rejection(connection, STATS_AT_HANDSHAKE, result == TLS_FAILED ? STATS_REJECT_TLS_ERROR : STATS_REJECT_CLOSED);
        connection_end(connection, CONNECTION_TRUNCATED); /* after wolfSSL's alert */
        return;
    }
    const struct tls_peer_chain *chain = tls_session_peer_chain(connection->tls);

    if (chain != NULL && connection->identity == NULL && !judge(connection, chain)) {
        return;
    }
    if (result == TLS_DONE) {
        complete_handshake(connection);
    }
}

static int send_ciphertext(void *owner, struct bytes ciphertext) {
    struct connection *connection = owner;

    if (connection->state == CONNECTION_CLOSING) {
        return -ECONNABORTED;
    }
    return stream_write(connection->stream, ciphertext);
}

static void refuse_hello(struct connection *connection, enum tls_alert alert, enum stats_rejection why) {
    uint8_t record[7];

    count_rejection(connection, STATS_AT_HELLO, why);
    hello_alert(alert, record);
    if (stream_write(connection->stream, bytes_of(record, sizeof record)) < 0) {
        connection_end(connection, CONNECTION_ABRUPTLY);
        return;
    }
    connection_end(connection, CONNECTION_TRUNCATED);
}

/* Only a wildcard's names are not in the configuration already. */
static bool keep_name(struct connection *connection, const char *name) {
    if (name[0] == '\0') {
        connection->name = "";
    } else if (strcmp(name, connection->host->name) == 0) {
        connection->name = connection->host->name;
    } else {
        connection->name_copy = strdup(name);
        connection->name = connection->name_copy;
    }
    return connection->name != NULL;
}

static void accept_hello(struct connection *connection, const struct hello *hello, struct bytes received) {
    const struct config *config = connection->site->config;

    connection->host = config_find_host(config, hello->name);
    if (connection->host == NULL) {
        refuse_hello(connection, TLS_ALERT_UNRECOGNIZED_NAME, STATS_REJECT_UNKNOWN_HOST);
        return;
    }
    if (!keep_name(connection, hello->name)) {
        refuse_hello(connection, TLS_ALERT_INTERNAL_ERROR, STATS_REJECT_NO_MEMORY);
        return;
    }
    if (hello->alpn && !hello->alpn_http11) {
        refuse_hello(connection, TLS_ALERT_NO_APPLICATION_PROTOCOL, STATS_REJECT_MALFORMED);
        return;
    }
    connection->tls = tls_session_create(connection->site->contexts[connection->host->index],
                                         config->limits.certificate_chain_size, send_ciphertext, connection);
    if (connection->tls == NULL) {
        refuse_hello(connection, TLS_ALERT_INTERNAL_ERROR, STATS_REJECT_NO_MEMORY);
        return;
    }
    enter(connection, CONNECTION_HANDSHAKE);
    continue_handshake(connection, received);
}

static void receive_hello(struct connection *connection, struct bytes data) {
    struct hello hello;
    struct bytes received = data;

    if (connection->held != NULL) {
        size_t room = connection->shard->held_size - connection->held_size;

        /* The parser refuses at HELLO_SIZE_MAX, which is less than held_size: nothing it needs is cut off. */
        hold(connection, bytes_of(data.data, data.size < room ? data.size : room));
        received = bytes_of(connection->held, connection->held_size);
    }
    switch (hello_parse(received, &hello)) {
    case HELLO_OK: {
        /* `held` is for plaintext from here on. */
        uint8_t *buffer = connection->held;

        connection->held = NULL;
        connection->held_size = 0;
        accept_hello(connection, &hello, received);
        if (buffer != NULL) {
            slab_give(&connection->shard->held, buffer);
        }
        break;
    }
    case HELLO_INCOMPLETE:
        if (connection->held == NULL) {
            hold(connection, data);
        }
        break;
    case HELLO_NOT_TLS:
        count_rejection(connection, STATS_AT_HELLO, STATS_REJECT_NOT_TLS);
        connection_end(connection, CONNECTION_ABRUPTLY);
        break;
    case HELLO_PLAIN_HTTP: {
        static const char answer[] = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 34\r\n"
                                     "Connection: close\r\n\r\nThis port speaks TLS: use https://\n";

        count_rejection(connection, STATS_AT_HELLO, STATS_REJECT_PLAIN_HTTP);
        if (stream_write(connection->stream, bytes_of(answer, sizeof answer - 1)) < 0) {
            connection_end(connection, CONNECTION_ABRUPTLY);
        } else {
            connection_end(connection, CONNECTION_TRUNCATED);
        }
        break;
    }
    case HELLO_REJECTED:
        refuse_hello(connection, hello.alert, STATS_REJECT_MALFORMED);
        break;
    }
}

/* The client is gone, or has ended its side, which for HTTP over TLS means the same. */
static void lose(struct connection *connection) {
    if (connection->state == CONNECTION_HELLO) {
        count_rejection(connection, STATS_AT_HELLO, STATS_REJECT_CLOSED);
    } else if (connection->state == CONNECTION_HANDSHAKE) {
        count_rejection(connection, STATS_AT_HANDSHAKE, STATS_REJECT_CLOSED);
    }
    connection_end(connection, CONNECTION_ABRUPTLY);
}

static void on_received(struct stream *stream, struct bytes data) {
    struct connection *connection = stream->owner;

    if (data.size == 0) {
        lose(connection);
        return;
    }
    if (connection->state == CONNECTION_HELLO) {
        receive_hello(connection, data);
    } else if (connection->state == CONNECTION_HANDSHAKE) {
        continue_handshake(connection, data);
    } else {
        tls_session_feed(connection->tls, data);
        read_plaintext(connection);
    }
    arm(connection);
}

static void on_drained(struct stream *stream) {
    struct connection *connection = stream->owner;

    if (connection->state == CONNECTION_EXCHANGE) {
        connection_progress(connection);
        exchange_drained(connection->exchange);
    }
}

static void on_failed(struct stream *stream, int error) {
    lose(stream->owner);
}

static void on_timer(struct timer *timer) {
    struct connection *connection = CONTAINER_OF(timer, struct connection, timer);

    switch ((enum connection_state)connection->state) {
    case CONNECTION_HELLO:
        count_rejection(connection, STATS_AT_HELLO, STATS_REJECT_TIMEOUT);
        connection_end(connection, CONNECTION_ABRUPTLY);
        break;
    case CONNECTION_HANDSHAKE:
        count_rejection(connection, STATS_AT_HANDSHAKE, STATS_REJECT_TIMEOUT);
        count_handshake(connection, STATS_TIMEOUT);
        connection_end(connection, CONNECTION_ABRUPTLY);
        break;
    case CONNECTION_WAITING:
        connection_end(connection, CONNECTION_POLITELY);
        break;
    default:
        exchange_timed_out(connection->exchange);
    }
}

static const struct stream_handler handler = {
    .received = on_received,
    .drained = on_drained,
    .failed = on_failed,
    .closed = on_closed,
};

static void nobody_closed(struct stream *stream) {}

static const struct stream_handler nobody = {.closed = nobody_closed};

void connection_accept(struct listener *listener, struct stream *stream, const struct sockaddr *peer) {
    struct shard *shard = listener->owner;
    struct connection *connection = shard->draining ? NULL : slab_take(&shard->connections);

    stats_add(&shard->stats->connections_total, 1);
    if (connection == NULL) {
        stats_add(&shard->stats->rejected[STATS_AT_ACCEPT][STATS_REJECT_LIMIT], 1);
        stream->handler = &nobody;
        stream_close(stream);
        return;
    }
    *connection = (struct connection){
        .shard = shard,
        .stream = stream,
        .site = site_retain(shard->site),
        .accepted_ns = shard->ring.now_ns,
        .next = shard->first,
    };
    memcpy(&connection->peer, peer, peer->sa_family == AF_INET6 ? sizeof connection->peer.in6 : sizeof connection->peer.in);
    if (shard->first != NULL) {
        shard->first->previous = connection;
    }
    shard->first = connection;
    stats_add(&shard->stats->connections, 1);
    timer_init(&connection->timer, on_timer);
    stream->handler = &handler;
    stream->owner = connection;
    enter(connection, CONNECTION_HELLO);
    arm(connection);
}

void connection_exchange_done(struct connection *connection, bool keep_alive) {
    exchange_destroy(connection->exchange);
    connection->exchange = NULL;
    if (keep_alive && !connection->shard->draining) {
        enter(connection, CONNECTION_WAITING);
    } else {
        connection_end(connection, CONNECTION_POLITELY);
    }
}

void connection_continue(struct connection *connection) {
    if (connection->processing) {
        return;
    }
    if (connection->state == CONNECTION_WAITING && connection->held_size > 0) {
        process(connection, (struct bytes){0});
    }
    arm(connection);
}

void connection_drain_all(struct shard *shard) {
    struct connection *connection = shard->first;

    while (connection != NULL) {
        struct connection *next = connection->next;

        if (connection->state == CONNECTION_WAITING) {
            connection_end(connection, CONNECTION_POLITELY);
        }
        connection = next;
    }
}

void connection_stop_all(struct shard *shard) {
    struct connection *connection = shard->first;

    while (connection != NULL) {
        struct connection *next = connection->next;

        connection_end(connection, CONNECTION_ABRUPTLY);
        /* Those that were lingering already. */
        stream_close(connection->stream);
        connection = next;
    }
}
