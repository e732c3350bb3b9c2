/*
 * A connection of HTTP/2 whose client is a session of http2/ as well; the decisions about its requests are made up. The
 * functions that take others' places are here too: one file of each test includes this.
 */
#ifndef TESTS_EDGE_HTTP2_CLIENT_H
#define TESTS_EDGE_HTTP2_CLIENT_H

#include "../http2/pair.h"
#include "edge/handshake.h"
#include "edge/held.h"
#include "edge/plaintext.h"
#include "served.h"

#include <string.h>

/* Linked with --wrap. */
const struct config_host *__wrap_config_find_host(const struct config *config, const char *name);
void __wrap_exchange_begin(struct exchange *exchange, struct bytes head);
size_t __wrap_relay_exchange_room(const struct relay_exchange *exchange);
void __wrap_relay_exchange_body(struct relay_exchange *exchange, struct bytes piece);
void __wrap_relay_exchange_body_end_with(struct relay_exchange *exchange, struct bytes trailers);
void __wrap_relay_exchange_abort(struct relay_exchange *exchange);
void __wrap_relay_exchange_doubt(struct relay_exchange *exchange);
void __wrap_relay_exchange_resume(struct relay_exchange *exchange);
bool __wrap_output_send(struct connection *connection, struct bytes plaintext);
void __wrap_stats_time_of_host(struct stats_shard *shard, struct stats_histogram *histogram, enum stats_latency what,
                               uint64_t duration_ns);
void __wrap_stream_close(struct stream *stream);
void __wrap_stream_finish(struct stream *stream);
void __wrap_stream_receive(struct stream *stream);
size_t __wrap_tls_session_held(const struct tls_session *session);
enum tls_result __wrap_tls_session_read(struct tls_session *session, void *plaintext, size_t capacity, size_t *size);
void __wrap_tls_session_shutdown(struct tls_session *session);
void __wrap_tls_session_welcome_small(struct tls_session *session);

static struct buffer sent;
static struct buffer body; /* that the origins have got */
static size_t origin_room;
static bool relays;    /* requests go to an origin; else each is answered at once */
static bool dismisses; /* the answer says that the client need not stay */
static unsigned
    breaks; /* the so-many-th piece that leaves ends the connection, as if there were no memory for it; 0: none */
static struct exchange *begun[SERVED_PLACES * 4];
static unsigned begun_count, aborted, closed, doubted, finished, shut_down, bodies_ended;

const struct config_host *__wrap_config_find_host(const struct config *config, const char *name) {
    return &scene.host;
}

void __wrap_exchange_begin(struct exchange *exchange, struct bytes head) {
    const struct http_message *request = &exchange->request;
    struct http_reply reply = {.status = 200, .content_type = "text/plain", .body = bytes_of_string("ok")};

    begun[begun_count++] = exchange;
    exchange->started_ns = 1;
    exchange->request_done = request->framing == HTTP_NO_BODY;
    exchange->dismissed = dismisses;
    if (relays) {
        exchange->relay = (struct relay_exchange *)&relays;
    } else {
        exchange->code = 200;
        exchange->carrier->send_reply(exchange, &reply);
    }
}

size_t __wrap_relay_exchange_room(const struct relay_exchange *exchange) {
    return origin_room;
}

void __wrap_relay_exchange_body(struct relay_exchange *exchange, struct bytes piece) {
    buffer_append(&body, piece.data, piece.size);
}

void __wrap_relay_exchange_body_end_with(struct relay_exchange *exchange, struct bytes trailers) {
    bodies_ended++;
}

void __wrap_relay_exchange_abort(struct relay_exchange *exchange) {
    aborted++;
}

void __wrap_relay_exchange_doubt(struct relay_exchange *exchange) {
    doubted++;
}

void __wrap_relay_exchange_resume(struct relay_exchange *exchange) {}

bool __wrap_output_send(struct connection *connection, struct bytes plaintext) {
    if (connection_is_closing(connection)) {
        return false;
    }
    if (breaks > 0 && --breaks == 0) {
        connection_end(connection, CONNECTION_ABRUPTLY);
        return false;
    }
    buffer_append(&sent, plaintext.data, plaintext.size);
    return true;
}

void __wrap_stats_time_of_host(struct stats_shard *shard, struct stats_histogram *histogram, enum stats_latency what,
                               uint64_t duration_ns) {}

void __wrap_stream_close(struct stream *stream) {
    closed++;
}

void __wrap_stream_finish(struct stream *stream) {
    finished++;
}

void __wrap_stream_receive(struct stream *stream) {}

size_t __wrap_tls_session_held(const struct tls_session *session) {
    return 0;
}

enum tls_result __wrap_tls_session_read(struct tls_session *session, void *plaintext, size_t capacity, size_t *size) {
    return TLS_WANT_INPUT;
}

void __wrap_tls_session_welcome_small(struct tls_session *session) {}

void __wrap_tls_session_shutdown(struct tls_session *session) {
    shut_down++;
}

static struct connection *connection;
static struct side client;

#define GET  "GET / HTTP/1.1\r\nHost: s.test\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: s.test\r\nTransfer-Encoding: chunked\r\n\r\n"

/* Has the shard's turn end, and moves frames until none move any more. */
static inline void exchange_frames(void) {
    do {
        http2_session_flush(client.session);
        if (client.out.size > 0 && !connection_is_closing(connection)) {
            held_add(connection, bytes_of(client.out.data, client.out.size));
            client.out.size = 0;
            plaintext_resume(connection);
        }
        client.out.size = 0;
        http2_turn(&scene.shard);
        if (sent.size > 0) {
            size_t size = sent.size;

            sent.size = 0;
            give(&client, bytes_of(sent.data, size));
        }
    } while (client.out.size > 0);
}

static inline void begin(void) {
    connection->stage = &handshake_stage;
    http2_begin(connection);
    exchange_frames();
}

static inline void open_all(void) {
    served_open();
    connection = served_connect();
    side_open(&client, false, &usual_settings);
    scene.host.http2 = true;
    origin_room = 100000;
}

static inline void close_all(void) {
    connection_end(connection, CONNECTION_ABRUPTLY);
    side_close(&client);
    free(sent.data);
    free(body.data);
    served_close();
}

static inline struct talk *ask_for(const char *head, bool end) {
    struct talk *talk = talk_new(&client);

    cr_assert_eq(http2_session_open(client.session, &talk->stream, bytes_of_string(head), "https", end), 0);
    exchange_frames();
    return talk;
}

/* The answer of an origin's to the request that was begun as that one. */
static inline void answer(unsigned number, const char *text) {
    struct exchange *exchange = begun[number];

    exchange->code = 200;
    cr_expect(exchange->carrier->send_head(exchange,
                                           &(struct http_message){.status = 200, .minor = 1, .framing = HTTP_CHUNKED}, ""));
    cr_expect(exchange->carrier->send_body(exchange, bytes_of_string(text)));
    exchange->relay = NULL;
    exchange->carrier->send_end(exchange, (struct bytes){0});
}

static inline uint64_t rejected(enum stats_rejection why) {
    return stats_read(&scene.stats.rejected[STATS_AT_REQUEST][why]);
}

static inline const struct stats_host *host_stats(void) {
    return stats_hosts_at(scene.site.stats, 0, 0);
}

static inline bool has_body(const struct talk *talk, const char *text) {
    return bytes_equal(bytes_of(talk->body.data, talk->body.size), bytes_of_string(text));
}

#endif
