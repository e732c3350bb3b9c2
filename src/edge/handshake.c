#include "edge/handshake.h"

#include "base/check.h"
#include "base/clock.h"
#include "edge/adopt.h"
#include "edge/gate.h"
#include "edge/place.h"
#include "edge/verdict.h"
#include "http/forward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static void complete_handshake(struct connection *connection) {
    struct connection *c = connection;
    const void *address = c->peer.any.sa_family == AF_INET6 ? (const void *)&c->peer.in6.sin6_addr : &c->peer.in.sin_addr;

    if (!verdict_settle(connection, tls_session_is_resumed(connection->tls))) {
        connection_reject(connection, STATS_AT_HANDSHAKE, STATS_REJECT_TLS_ERROR);
        connection_end(connection, CONNECTION_ABRUPTLY);
        return;
    }
    inet_ntop(connection->peer.any.sa_family, address, connection->address, sizeof connection->address);
    connection_count_handshake(connection, STATS_OK);
    stats_add(&connection_host_stats(connection)->client_certs[connection->identity->reason], 1);
    if (connection->identity->status == STATUS_VALID) {
        int64_t left_s = connection->identity->not_after - clock_wall_seconds();

        stats_add(&connection_host_stats(connection)->valid_by_span[rollout_span_of(left_s)], 1);
    }
    if (connection->identity->status == STATUS_INVALID) {
        gate_fail_dearly(connection);
    } else if (connection->by_ticket) {
        gate_resume(connection);
    } else if (connection->identity->status == STATUS_VALID) {
        gate_prove(connection);
    }
    if (!adopt_site(connection)) {
        connection_end(connection, CONNECTION_POLITELY);
        return;
    }
    place_session_holds(connection, 0);
    place_holds(connection, 0);
    connection_enter(connection, CONNECTION_WAITING);
    connection_read(connection);
}

enum stats_rejection handshake_fault(const struct connection *connection) {
    static const uint8_t rejections[TLS_EXCESS_KINDS] = {
        [TLS_EXCESS_NONE] = STATS_REJECT_TLS_ERROR,
        [TLS_EXCESS_KEY_UPDATES] = STATS_REJECT_KEY_UPDATES,
        [TLS_EXCESS_EMPTY_RECORDS] = STATS_REJECT_EMPTY_RECORDS,
        [TLS_EXCESS_SMALL_RECORDS] = STATS_REJECT_SMALL_RECORDS,
        [TLS_EXCESS_WARNINGS] = STATS_REJECT_WARNING_ALERTS,
        [TLS_EXCESS_CHANGE_CIPHER_SPECS] = STATS_REJECT_CHANGE_CIPHERS,
    };

    return (enum stats_rejection)rejections[tls_session_excess(connection->tls)];
}

static void go_on(struct connection *connection, struct bytes input) {
    enum tls_result result;

    tls_session_feed(connection->tls, input);
    result = tls_session_handshake(connection->tls);
    if (result == TLS_FAILED || result == TLS_CLOSED) {
        connection_reject(connection, STATS_AT_HANDSHAKE,
                          result == TLS_FAILED ? handshake_fault(connection) : STATS_REJECT_CLOSED);
        gate_fail(connection);
        connection_end(connection, CONNECTION_AFTER_ALERT); /* wolfSSL's */
        return;
    }
    const struct tls_peer_chain *chain = tls_session_peer_chain(connection->tls);

    if (chain != NULL && !verdict_judge(connection, chain)) {
        connection_reject(connection, STATS_AT_HANDSHAKE, STATS_REJECT_NO_MEMORY);
        connection_end(connection, CONNECTION_ABRUPTLY);
        return;
    }
    if (result == TLS_DONE) {
        complete_handshake(connection);
    } else {
        place_session_holds(connection, tls_session_held(connection->tls));
    }
}

/* Apart, for its frame: few hellos come in several records. */
static __attribute__((noinline)) void go_on_joined(struct connection *connection, struct bytes received) {
    uint8_t record[HELLO_SIZE_MAX];
    struct bytes rest;
    size_t size = hello_join(received, record, &rest);

    go_on(connection, bytes_of(record, size));
    if (rest.size > 0 && connection->state == CONNECTION_HANDSHAKE) {
        go_on(connection, rest);
    }
}

void handshake_continue(struct connection *connection, struct bytes input) {
    struct gate_work work = gate_work_begin(connection);

    go_on(connection, input);
    gate_work_end(connection, work);
}

static int send_ciphertext(void *owner, struct bytes ciphertext) {
    struct connection *connection = owner;

    if (connection->state == CONNECTION_CLOSING) {
        return -ECONNABORTED;
    }
    return stream_write(connection->stream, ciphertext);
}

/* A client that is too old is something else than one that is broken. */
static enum stats_rejection rejection_of(enum tls_alert alert) {
    switch (alert) {
    case TLS_ALERT_PROTOCOL_VERSION:
        return STATS_REJECT_OLD_VERSION;
    case TLS_ALERT_HANDSHAKE_FAILURE:
        return STATS_REJECT_NO_COMMON;
    default:
        return STATS_REJECT_MALFORMED;
    }
}

static void refuse_hello(struct connection *connection, enum tls_alert alert, enum stats_rejection why) {
    uint8_t record[7];

    connection_reject(connection, STATS_AT_HELLO, why);
    connection_count_handshake(connection, STATS_FAILED);
    gate_fail(connection);
    hello_alert(alert, record);
    if (stream_write(connection->stream, bytes_of(record, sizeof record)) < 0) {
        connection_end(connection, CONNECTION_ABRUPTLY);
        return;
    }
    connection_end(connection, CONNECTION_AFTER_ALERT);
}

static const struct tls_session_handler session_handler = {
    .output = send_ciphertext,
    .bind_ticket = verdict_bind_ticket,
    .accept_ticket = verdict_accept_ticket,
};

static void accept_hello(struct connection *connection, const struct hello *hello, struct bytes received) {
    const struct config *config = connection->site->config;

    connection->host = config_find_host(config, hello->name);
    if (connection->host == NULL) {
        refuse_hello(connection, TLS_ALERT_UNRECOGNIZED_NAME, STATS_REJECT_UNKNOWN_HOST);
        return;
    }
    if (!adopt_name(connection, hello->name)) {
        refuse_hello(connection, TLS_ALERT_INTERNAL_ERROR, STATS_REJECT_NO_MEMORY);
        return;
    }
    if (hello->alpn && !hello->alpn_http11 && !hello->alpn_http10) {
        refuse_hello(connection, TLS_ALERT_NO_APPLICATION_PROTOCOL, STATS_REJECT_NO_PROTOCOL);
        return;
    }
    connection->resumable = hello->resumable;
    connection->tls = tls_session_create(connection->site->contexts[connection->host->index],
                                         config->limits.certificate_chain_size, &session_handler, connection);
    if (connection->tls == NULL) {
        refuse_hello(connection, TLS_ALERT_INTERNAL_ERROR, STATS_REJECT_NO_MEMORY);
        return;
    }
    const struct tls_client_offer offer = {
        .named = hello->name[0] != '\0',
        .max_fragment = hello->max_fragment,
        .record_size_limit = hello->record_size_limit,
        .early_data_max = hello->early_data ? HELLO_EARLY_DATA_MAX : 0,
    };

    tls_session_heed(connection->tls, &offer);
    connection_enter(connection, CONNECTION_HANDSHAKE);
    if (hello->records > 1) {
        go_on_joined(connection, received);
    } else {
        go_on(connection, received);
    }
}

void handshake_begin(struct connection *connection, const struct hello *hello, struct bytes received) {
    struct gate_work work = gate_work_begin(connection);
    struct connection_held held = connection_take_held(connection);

    accept_hello(connection, hello, received);
    connection_give_back(connection, &held);
    gate_work_end(connection, work);
}

/* People who have forgotten the "s" are told, as long as there is time for it. */
static void answer_plain_http(struct connection *connection, struct bytes received) {
    static const char head[] = "HEAD ";
    struct shard *shard = connection->shard;
    char answer[512];
    struct text out = text_over(answer, sizeof answer);

    connection_reject(connection, STATS_AT_HELLO, STATS_REJECT_PLAIN_HTTP);
    gate_fail(connection);
    http_write_reply(&out,
                     &(struct http_reply){
                         .status = 400,
                         .content_type = "text/plain",
                         .stamp = {.date = http_date_at(&shard->date, clock_wall_seconds())},
                         .body = bytes_of_string("This port speaks TLS: use https://\n"),
                         .to_head = received.size >= sizeof head - 1 && memcmp(received.data, head, sizeof head - 1) == 0,
                     });
    CHECK(!out.overflow);
    if (!gate_is_calm(shard) || stream_write(connection->stream, text_bytes(&out)) < 0) {
        connection_end(connection, CONNECTION_BY_RESET);
    } else {
        connection_end(connection, CONNECTION_TRUNCATED);
    }
}

void handshake_hello(struct connection *connection, struct bytes data) {
    struct hello hello;
    struct bytes received = data;

    if (connection->held.data != NULL) {
        /* The bytes held so far are fewer than HELLO_SIZE_MAX. Early data may follow the hello, and TLS gets all of it. */
        connection_hold(connection, data);
        received = bytes_of(connection->held.data, connection->held.size);
    }
    switch (hello_parse(received, &hello)) {
    case HELLO_OK:
        stats_time(connection->shard->stats, STATS_ACCEPT_TO_HELLO,
                   connection->shard->ring.now_ns - connection->accepted_ns);
        gate_hello(connection, &hello, received);
        break;
    case HELLO_INCOMPLETE:
        /* A hello in crumbs is legal, and not worth it while others wait. */
        if (hello.records > HELLO_RECORDS_BUSY_MAX && !gate_is_calm(connection->shard)) {
            refuse_hello(connection, TLS_ALERT_ILLEGAL_PARAMETER, STATS_REJECT_MALFORMED);
        } else if (connection->held.data == NULL) {
            connection_hold(connection, data);
        }
        break;
    case HELLO_NOT_TLS:
        connection_reject(connection, STATS_AT_HELLO, STATS_REJECT_NOT_TLS);
        gate_fail(connection);
        connection_end(connection, CONNECTION_BY_RESET);
        break;
    case HELLO_PLAIN_HTTP:
        answer_plain_http(connection, received);
        break;
    case HELLO_REJECTED:
        refuse_hello(connection, hello.alert, rejection_of(hello.alert));
        break;
    }
}
