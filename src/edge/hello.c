#include "edge/hello.h"

#include "base/check.h"
#include "base/clock.h"
#include "edge/handshake.h"
#include "edge/held.h"
#include "edge/queue.h"
#include "http/forward.h"

#include <string.h>

/* Counts a client that is too old apart from one that is broken. */
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

/* Tells people who have forgotten the "s" of https, as long as there is time for it. */
static void answer_plain_http(struct connection *connection, struct bytes received) {
    static const char head[] = "HEAD ";
    struct shard *shard = connection->client.shard;
    char answer[512];
    struct text out = text_over(answer, sizeof answer);

    http_write_reply(&out,
                     &(struct http_reply){
                         .status = 400,
                         .content_type = "text/plain",
                         .stamp = {.date = http_date_at(&shard->date, clock_wall_seconds())},
                         .body = bytes_of_string("This port speaks TLS: use https://\n"),
                         .to_head = received.size >= sizeof head - 1 && memcmp(received.data, head, sizeof head - 1) == 0,
                     });
    CHECK(!out.overflow);
    bool told = shard_is_calm(shard) && stream_write(connection->stream, text_bytes(&out)) == 0;
    connection_refuse(connection, STATS_AT_HELLO, STATS_REJECT_PLAIN_HTTP, CONNECTION_BLAME_FAILURE,
                      told ? CONNECTION_TRUNCATED : CONNECTION_BY_RESET);
}

static void received_hello(struct connection *connection, struct bytes data) {
    struct bytes received = data;

    if (connection->held.data != NULL) {
        /* The bytes held so far are fewer than HELLO_SIZE_MAX. Early data may follow the hello, and TLS gets all of it. */
        held_add(connection, data);
        received = bytes_of(connection->held.data, connection->held.size);
    }
    struct hello hello;
    switch (hello_parse(received, &hello)) {
    case HELLO_OK:
        stats_time(connection->client.shard->stats, STATS_ACCEPT_TO_HELLO,
                   connection->client.shard->ring.now_ns - connection->accepted_ns);
        queue_hello(connection, &hello, received);
        break;
    case HELLO_INCOMPLETE:
        /* A hello in many small records is legal, and not worth it while others wait. */
        if (hello.records > HELLO_RECORDS_BUSY_MAX && !shard_is_calm(connection->client.shard)) {
            handshake_refuse_hello(connection, TLS_ALERT_ILLEGAL_PARAMETER, STATS_REJECT_MALFORMED);
        } else if (connection->held.data == NULL) {
            held_add(connection, data);
        }
        break;
    case HELLO_NOT_TLS:
        connection_refuse(connection, STATS_AT_HELLO, STATS_REJECT_NOT_TLS, CONNECTION_BLAME_FAILURE, CONNECTION_BY_RESET);
        break;
    case HELLO_PLAIN_HTTP:
        answer_plain_http(connection, received);
        break;
    case HELLO_REJECTED:
        handshake_refuse_hello(connection, hello.alert, rejection_of(hello.alert));
        break;
    }
}

/* A balancer that checks whether somebody listens here ends its connection before a hello, which is no fault of anybody. */
static void lost(struct connection *connection) {
    if (connection->client.is_balancer && connection->held.data == NULL) {
        connection_end(connection, CONNECTION_ABRUPTLY);
    } else {
        connection_lose_early(connection);
    }
}

static void finished(struct connection *connection, bool by_fin) {
    lost(connection);
}

/* A balancer may have taken a part of the time, for its header. */
static uint32_t deadline_ms(const struct connection *connection) {
    uint64_t passed_ms = (connection->client.shard->ring.now_ns - connection->accepted_ns) / 1000000;
    uint32_t timeout_ms = connection_limits(connection)->handshake_timeout_ms;

    return passed_ms < timeout_ms ? timeout_ms - (uint32_t)passed_ms : 0;
}

/* The deadline that begins here is that of the whole handshake. */
const struct stage hello_stage = {
    .name = "hello",
    .state = CONNECTION_HELLO,
    .next = STAGE_BIT(CONNECTION_QUEUED) | STAGE_BIT(CONNECTION_HANDSHAKE) | STAGE_BIT(CONNECTION_CLOSING),
    .counted_as = STATS_AT_HELLO,
    .is_early = true,
    .may_switch_site = true,
    .pauses = true,
    .deadline_ms = deadline_ms,
    .received = received_hello,
    .finished = finished,
    .failed = lost,
    .timed_out = connection_time_out_early,
};
