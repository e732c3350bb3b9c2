/* HTTP/1 on a connection: requests in whatever pieces, and answers as they leave. The decisions are made up.
 */
#include "edge/exchange_tunnel.h"
#include "edge/held.h"
#include "edge/plaintext.h"
#include "served.h"

#include <string.h>

/* Linked with --wrap. */
void __wrap_exchange_begin(struct exchange *exchange, struct bytes head);
size_t __wrap_relay_exchange_room(const struct relay_exchange *exchange);
void __wrap_relay_exchange_body(struct relay_exchange *exchange, struct bytes piece);
void __wrap_relay_exchange_body_end_with(struct relay_exchange *exchange, struct bytes trailers);
void __wrap_relay_exchange_body_end(struct relay_exchange *exchange);
void __wrap_relay_exchange_doubt(struct relay_exchange *exchange);
bool __wrap_relay_exchange_part(struct relay_exchange *exchange);
void __wrap_relay_exchange_abort(struct relay_exchange *exchange);
bool __wrap_output_send(struct connection *connection, struct bytes plaintext);
void __wrap_stats_time_of_host(struct stats_shard *shard, struct stats_histogram *histogram, enum stats_latency what,
                               uint64_t duration_ns);
void __wrap_stream_close(struct stream *stream);
void __wrap_stream_finish(struct stream *stream);
void __wrap_stream_receive(struct stream *stream);
void __wrap_stream_watch(struct stream *stream);
void __wrap_tls_session_shutdown(struct tls_session *session);
void __wrap_tls_session_welcome_small(struct tls_session *session);

static size_t room = 1000; /* that the origin has */
static char sent[8192];
static char body[256]; /* that the origin has got */
static bool relays;    /* requests go to an origin; else each is answered at once */
static unsigned begun, closed, finished, shut_down, bodies_ended;

void __wrap_exchange_begin(struct exchange *exchange, struct bytes head) {
    const struct http_message *request = &exchange->request;
    struct http_reply reply = {.status = 200, .content_type = "text/plain", .body = bytes_of_string("ok")};

    begun++;
    exchange->started_ns = 1;
    exchange->request_done = request->framing == HTTP_NO_BODY;
    if (relays) {
        exchange->relay = (struct relay_exchange *)&relays;
        if (!exchange->request_done) {
            exchange->carrier->invite_body(exchange);
        }
    } else {
        exchange->code = 200;
        exchange->carrier->send_reply(exchange, &reply);
    }
}

size_t __wrap_relay_exchange_room(const struct relay_exchange *exchange) {
    return room;
}

void __wrap_relay_exchange_body_end(struct relay_exchange *exchange) {
    bodies_ended++;
}

static unsigned doubted, parted;

void __wrap_relay_exchange_doubt(struct relay_exchange *exchange) {
    doubted++;
}

bool __wrap_relay_exchange_part(struct relay_exchange *exchange) {
    parted++;
    return true;
}

void __wrap_tls_session_welcome_small(struct tls_session *session) {}

void __wrap_relay_exchange_body(struct relay_exchange *exchange, struct bytes piece) {
    strncat(body, (const char *)piece.data, piece.size);
    room -= piece.size < room ? piece.size : room;
}

void __wrap_relay_exchange_body_end_with(struct relay_exchange *exchange, struct bytes trailers) {
    bodies_ended++;
}

void __wrap_relay_exchange_abort(struct relay_exchange *exchange) {}

bool __wrap_output_send(struct connection *connection, struct bytes plaintext) {
    strncat(sent, (const char *)plaintext.data, plaintext.size);
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

void __wrap_stream_watch(struct stream *stream) {}

void __wrap_tls_session_shutdown(struct tls_session *session) {
    shut_down++;
}

static struct connection *connection;

static void open_all(void) {
    served_open();
    connection = served_connect();
}

static void close_all(void) {
    connection_end(connection, CONNECTION_ABRUPTLY);
    served_close();
}

TestSuite(http1, .init = open_all, .fini = close_all);

/* The client has said something, or something more. */
static void say(const char *text) {
    held_add(connection, bytes_of_string(text));
    plaintext_resume(connection);
}

static unsigned count(const char *text) {
    unsigned found = 0;

    for (const char *at = strstr(sent, text); at != NULL; at = strstr(at + 1, text)) {
        found++;
    }
    return found;
}

static struct exchange *exchange(void) {
    return &connection->http1.exchange->exchange;
}

/* The origin's answer, with a body of which nothing is said but that it ends. */
static void answer(enum http_framing framing) {
    struct exchange *e = exchange();

    e->code = 200;
    cr_expect(e->carrier->send_head(e, &(struct http_message){.status = 200, .minor = 1, .framing = framing}, ""));
    cr_expect(e->carrier->send_body(e, bytes_of_string("hello")));
    e->relay = NULL;
    e->carrier->send_end(e, (struct bytes){0});
}

Test(http1, answers_pipelined_requests_in_order) {
    say("GET /1 HTTP/1.1\r\nHost: s.test\r\n\r\nGET /2 HTTP/1.1\r\nHost: s.test\r\n\r\nGET /3 HT");
    cr_expect_eq(begun, 2);
    cr_expect_eq(count("HTTP/1.1 200"), 2);
    cr_expect_eq(connection->stage, &http1_head);
    cr_expect_eq(connection->held.size, 9);
    say("TP/1.1\r\nHost: s.test\r\n\r\n");
    cr_expect_eq(begun, 3);
    cr_expect_eq(connection->stage, &http1_waiting);
    cr_expect_eq(connection->http1.requests, 3);
    cr_expect_null(connection->held.data);
}

Test(http1, holds_a_request_while_another_is_answered) {
    relays = true;
    say("GET /1 HTTP/1.1\r\nHost: s.test\r\n\r\nGET /2 HTTP/1.1\r\nHost: s.test\r\n\r\n");
    cr_expect_eq(begun, 1);
    cr_expect_eq(connection->stage, &http1_answering);
    cr_expect_not(connection->stage->wants_input(connection));
    answer(HTTP_CHUNKED);
    cr_expect_eq(connection->stage, &http1_waiting);
    connection->stage->drained(connection);
    cr_expect_eq(begun, 2);
    cr_expect(connection->stage->wants_input(connection), "to notice a client that goes away");
}

Test(http1, begins_no_request_whose_answer_would_not_be_taken) {
    connection->stream->queue.size = STREAM_QUEUE_MAX;
    say("GET /1 HTTP/1.1\r\nHost: s.test\r\n\r\n");
    cr_expect_eq(begun, 0);
    cr_expect_eq(connection->stage, &http1_waiting);
    connection->stream->queue.size = 0;
    connection->stage->drained(connection);
    cr_expect_eq(begun, 1);
}

struct keeping {
    const char *request;
    enum http_framing framing; /* of an origin's answer; HTTP_NO_BODY: the answer is ours */
    bool kept;
    const char *says; /* is in the answer; NULL: anything */
};

#define HOST_LINE "Host: s.test\r\n"

static const struct keeping keepings[] = {
    {"GET / HTTP/1.1\r\n" HOST_LINE "\r\n", HTTP_NO_BODY, true, NULL},
    {"GET / HTTP/1.1\r\n" HOST_LINE "Connection: close\r\n\r\n", HTTP_NO_BODY, false, "Connection: close\r\n"},
    {"GET / HTTP/1.0\r\n" HOST_LINE "\r\n", HTTP_NO_BODY, false, "Connection: close\r\n"},
    {"GET / HTTP/1.0\r\n" HOST_LINE "Connection: keep-alive\r\n\r\n", HTTP_NO_BODY, true, NULL},
    {"POST / HTTP/1.1\r\n" HOST_LINE "Content-Length: 3\r\n\r\nabc", HTTP_NO_BODY, true, NULL},
    {"POST / HTTP/1.1\r\n" HOST_LINE "Content-Length: 65537\r\n\r\n", HTTP_NO_BODY, false, "Connection: close\r\n"},
    {"POST / HTTP/1.1\r\n" HOST_LINE "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n", HTTP_NO_BODY, false, NULL},
    {"POST / HTTP/1.1\r\n" HOST_LINE "Transfer-Encoding: chunked\r\n\r\n", HTTP_NO_BODY, false, NULL},
    {"GET / HTTP/1.1\r\n" HOST_LINE "\r\n", HTTP_CHUNKED, true, "\r\n5\r\nhello\r\n0\r\n\r\n"},
    {"GET / HTTP/1.1\r\n" HOST_LINE "\r\n", HTTP_UNTIL_CLOSE, true, "\r\n5\r\nhello\r\n0\r\n\r\n"},
    {"GET / HTTP/1.0\r\n" HOST_LINE "Connection: keep-alive\r\n\r\n", HTTP_CHUNKED, false, "\r\n\r\nhello"},
    {"POST / HTTP/1.1\r\n" HOST_LINE "Content-Length: 3\r\n\r\n", HTTP_CHUNKED, false, "Connection: close\r\n"},
};

Test(http1, keeps_the_connection_where_the_next_request_can_be_found) {
    for (size_t i = 0; i < sizeof keepings / sizeof keepings[0]; i++) {
        const struct keeping *keeping = &keepings[i];

        connection = served_connect();
        sent[0] = '\0';
        relays = keeping->framing != HTTP_NO_BODY;
        say(keeping->request);
        if (relays) {
            answer(keeping->framing);
        }
        cr_expect_eq(connection->stage, keeping->kept ? &http1_waiting : &connection_closing, "%zu: %s", i,
                     connection->stage->name);
        cr_expect(keeping->says == NULL || strstr(sent, keeping->says) != NULL, "%zu: %s", i, sent);
        connection_end(connection, CONNECTION_ABRUPTLY);
    }
}

Test(http1, keeps_no_connection_of_a_shard_that_drains) {
    scene.shard.draining = true;
    say("GET / HTTP/1.1\r\nHost: s.test\r\n\r\n");
    cr_expect_eq(count("Connection: close"), 1);
    cr_expect(connection_is_closing(connection));
    cr_expect_eq(finished, 1);
    cr_expect_eq(shut_down, 1);
}

Test(http1, drops_a_body_that_nobody_wants) {
    say("POST / HTTP/1.1\r\nHost: s.test\r\nContent-Length: 6\r\n\r\nabc");
    cr_expect_eq(count("HTTP/1.1 200"), 1);
    cr_expect_eq(connection->stage, &http1_answering);
    say("defGET / HTTP/1.1\r\nHost: s.test\r\n\r\n");
    cr_expect_eq(count("HTTP/1.1 200"), 2);
    cr_expect_eq(connection->stage, &http1_waiting);
}

Test(http1, hands_a_body_on_piece_by_piece) {
    relays = true;
    say("POST / HTTP/1.1\r\nHost: s.test\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
    cr_expect_str_eq(sent, "HTTP/1.1 100 Continue\r\n\r\n");
    say("3\r\nabc\r\n2\r\n");
    cr_expect_str_eq(body, "abc");
    say("de\r\n0\r\n\r\n");
    cr_expect_str_eq(body, "abcde");
    cr_expect_eq(bodies_ended, 1);
    cr_expect(exchange()->request_done);
}

/* As much of a body as may be read at once: never more than the origin has room for, nor what comes behind. */
Test(http1, knows_how_much_of_a_body_is_to_come) {
    relays = true;
    room = 1000;
    say("POST / HTTP/1.1\r\nHost: s.test\r\nContent-Length: 100000\r\n\r\n");
    cr_expect_eq(connection->stage->bulk(connection), 1000);
    room = 1000000;
    cr_expect_eq(connection->stage->bulk(connection), 100000);
    say("0123456789");
    cr_expect_eq(connection->stage->bulk(connection), 99990);
    exchange()->request_done = true;
    cr_expect_eq(connection->stage->bulk(connection), 0);
}

/* Its end is not known: what has come behind it has to be held. */
Test(http1, reads_much_of_a_chunked_body_at_once_where_it_comes_fast) {
    relays = true;
    room = 1000000;
    say("POST / HTTP/1.1\r\nHost: s.test\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\nabc");
    cr_expect_eq(connection->stage->bulk(connection), 0);
    connection->stream->flows = true;
    cr_expect_eq(connection->stage->bulk(connection), RING_LARGE_MAX);
    room = 40000;
    cr_expect_eq(connection->stage->bulk(connection), 40000);
    exchange()->request_done = true;
    cr_expect_eq(connection->stage->bulk(connection), 0);
}

Test(http1, invites_no_body_of_http_1_0) {
    relays = true;
    say("POST / HTTP/1.0\r\nHost: s.test\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n");
    cr_expect_str_eq(sent, "");
}

Test(http1, refuses_what_is_no_request) {
    say("no request\r\n\r\nGET / HTTP/1.1\r\nHost: s.test\r\n\r\n");
    cr_expect_eq(begun, 0);
    cr_expect_eq(count("HTTP/1.1 400"), 1);
    cr_expect_eq(count("Content-Length:"), 1);
    cr_expect(connection_is_closing(connection));
    cr_expect_eq(finished, 1);
}

Test(http1, refuses_a_body_that_is_none) {
    relays = true;
    say("POST / HTTP/1.1\r\nHost: s.test\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n");
    cr_expect_eq(count("HTTP/1.1 400"), 1);
    cr_expect(connection_is_closing(connection));
}

Test(http1, tells_a_slow_client_so) {
    say("GET / HT");
    connection->stage->timed_out(connection);
    cr_expect_eq(count("HTTP/1.1 408"), 1);
    cr_expect(connection_is_closing(connection));
}

Test(http1, does_not_blame_the_client_for_a_slow_origin) {
    relays = true;
    say("GET / HTTP/1.1\r\nHost: s.test\r\n\r\n");
    uint64_t deadline_ms = connection->pace.deadline_ms;
    scene_pass(1000);
    connection->stage->timed_out(connection);
    cr_expect_eq(connection->stage, &http1_answering);
    cr_expect_eq(connection->pace.deadline_ms, deadline_ms + 1000);
}

Test(http1, answers_what_was_asked_before_the_last_word) {
    relays = true;
    say("GET / HTTP/1.1\r\nHost: s.test\r\n\r\n");
    connection->stage->finished(connection, true);
    cr_expect_eq(connection->stage, &http1_answering);
    answer(HTTP_CHUNKED);
    cr_expect(connection_is_closing(connection));
    cr_expect_eq(shut_down, 1);
    cr_expect_eq(finished, 1);
}

Test(http1, ends_with_a_request_that_will_never_be_whole) {
    say("GET / HT");
    connection->stage->finished(connection, false);
    cr_expect(connection_is_closing(connection));
    cr_expect_eq(shut_down, 1);
}

Test(http1, does_not_let_an_answer_look_whole_that_is_cut_off) {
    relays = true;
    say("POST / HTTP/1.1\r\nHost: s.test\r\nContent-Length: 3\r\n\r\n");
    struct exchange *e = exchange();
    e->code = 200;
    cr_expect(e->carrier->send_head(e, &(struct http_message){.status = 200, .minor = 1, .framing = HTTP_CHUNKED}, ""));
    connection->stage->finished(connection, true);
    cr_expect(connection_is_closing(connection));
    cr_expect_eq(finished, 1);
    cr_expect_eq(shut_down, 0);
}

Test(http1, gives_a_client_nothing_that_has_asked_for_nothing) {
    connection->stage->finished(connection, true);
    cr_expect_eq(closed, 1);
    cr_expect_eq(shut_down, 0);
}

/* Tunnels. */

static const char upgrade[] = "GET / HTTP/1.1\r\nHost: s.test\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n";

/* As an exchange does whose origin has switched. */
static void switch_protocols(void) {
    struct exchange *e = exchange();

    e->code = 101;
    exchange_tunnel_open(e, false);
    cr_assert(e->carrier->send_head(e, &(struct http_message){.status = 101, .minor = 1, .framing = HTTP_NO_BODY}, ""));
    e->carrier->read_more(connection);
}

static void open_tunnel(void) {
    relays = true;
    say(upgrade);
    switch_protocols();
    cr_assert_eq(connection->stage, &http1_tunnelling);
    cr_expect_eq(count("HTTP/1.1 101 "), 1);
    cr_expect_eq(count("Connection: Upgrade\r\n\r\n"), 1);
    cr_expect_not(timer_is_set(&connection->pace.timer));
}

Test(http1, passes_bytes_on_in_a_tunnel) {
    open_tunnel();
    say("whatever");
    cr_expect_str_eq(body, "whatever");
    cr_expect(exchange()->carrier->send_body(exchange(), bytes_of_string("as it is")));
    cr_expect_eq(count("\r\n\r\nas it is"), 1);
}

Test(http1, holds_bytes_in_haste_until_the_tunnel_begins) {
    relays = true;
    say(upgrade);
    say("in haste");
    cr_expect_str_eq(body, "");
    cr_expect_eq(connection->held.size, 8);
    switch_protocols();
    cr_expect_str_eq(body, "in haste");
    cr_expect_null(connection->held.data);
}

Test(http1, takes_no_more_into_a_tunnel_than_its_origin_does) {
    open_tunnel();
    room = 3;
    say("12345");
    cr_expect_eq(connection->held.size, 2, "%u", connection->held.size);
    room = 0;
    cr_expect_not(connection->stage->wants_input(connection));
    room = 1000;
    exchange()->carrier->read_more(connection);
    cr_expect_str_eq(body, "12345");
    cr_expect(connection->stage->wants_input(connection));
}

Test(http1, ends_a_half_behind_what_was_held) {
    open_tunnel();
    room = 0;
    say("last words");
    connection->stage->finished(connection, true);
    cr_expect_eq(bodies_ended, 0);
    room = 1000;
    exchange()->carrier->read_more(connection);
    cr_expect_str_eq(body, "last words");
    cr_expect_eq(bodies_ended, 1);
    cr_expect_eq(connection->stage, &http1_tunnelling);
    exchange()->carrier->send_half_end(exchange());
    cr_expect_eq(shut_down, 1);
    exchange()->carrier->send_end(exchange(), (struct bytes){0});
    cr_expect(connection_is_closing(connection));
    cr_expect_eq(finished, 1);
}

Test(http1, a_tunnel_may_begin_when_its_client_has_ended) {
    relays = true;
    say(upgrade);
    connection->stage->finished(connection, true);
    cr_expect_eq(connection->stage, &http1_answering);
    switch_protocols();
    cr_expect_eq(connection->stage, &http1_tunnelling);
    cr_expect_eq(bodies_ended, 1);
}

Test(http1, doubts_that_a_client_listens_that_has_said_its_last_word) {
    relays = true;
    say("GET / HTTP/1.1\r\nHost: s.test\r\n\r\n");
    connection->stage->finished(connection, true);
    cr_expect_eq(doubted, 1);
}

Test(http1, leaves_a_tunnel_when_the_shard_does) {
    open_tunnel();
    connection->stage->take_leave(connection);
    cr_expect(connection_is_closing(connection));
    cr_expect_eq(finished, 1);
    cr_expect_eq(shut_down, 0, "cut off");
}
