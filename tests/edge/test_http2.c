/*
 * HTTP/2 on a connection: stages, streams, deadlines and ends. The client is a session of http2/ as well; the decisions
 * about its requests are made up.
 */
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

static struct buffer sent;
static struct buffer body; /* that the origins have got */
static size_t origin_room;
static bool relays;    /* requests go to an origin; else each is answered at once */
static bool dismisses; /* the answer says that the client need not stay */
static unsigned
    breaks; /* the so-many-th piece that leaves ends the connection, as if there were no memory for it; 0: none */
static struct exchange *begun[SERVED_PLACES * 4];
static unsigned begun_count, aborted, closed, finished, shut_down, bodies_ended;

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

void __wrap_tls_session_shutdown(struct tls_session *session) {
    shut_down++;
}

static struct connection *connection;
static struct side client;

#define GET  "GET / HTTP/1.1\r\nHost: s.test\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: s.test\r\nTransfer-Encoding: chunked\r\n\r\n"

/* Has the shard's turn end, and moves frames until none move any more. */
static void exchange_frames(void) {
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

static void begin(void) {
    connection->stage = &handshake_stage;
    http2_begin(connection);
    exchange_frames();
}

static void open_all(void) {
    served_open();
    connection = served_connect();
    side_open(&client, false, &usual_settings);
    scene.host.http2 = true;
    origin_room = 100000;
}

static void close_all(void) {
    connection_end(connection, CONNECTION_ABRUPTLY);
    side_close(&client);
    free(sent.data);
    free(body.data);
    served_close();
}

TestSuite(http2, .init = open_all, .fini = close_all);

static struct talk *ask_for(const char *head, bool end) {
    struct talk *talk = talk_new(&client);

    cr_assert_eq(http2_session_open(client.session, &talk->stream, bytes_of_string(head), "https", end), 0);
    exchange_frames();
    return talk;
}

/* The answer of an origin's to the request that was begun as that one. */
static void answer(unsigned number, const char *text) {
    struct exchange *exchange = begun[number];

    exchange->code = 200;
    cr_expect(exchange->carrier->send_head(exchange,
                                           &(struct http_message){.status = 200, .minor = 1, .framing = HTTP_CHUNKED}, ""));
    cr_expect(exchange->carrier->send_body(exchange, bytes_of_string(text)));
    exchange->relay = NULL;
    exchange->carrier->send_end(exchange, (struct bytes){0});
}

static uint64_t rejected(enum stats_rejection why) {
    return stats_read(&scene.stats.rejected[STATS_AT_REQUEST][why]);
}

static const struct stats_host *host_stats(void) {
    return stats_hosts_at(scene.site.stats, 0, 0);
}

static bool has_body(const struct talk *talk, const char *text) {
    return bytes_equal(bytes_of(talk->body.data, talk->body.size), bytes_of_string(text));
}

Test(http2, lets_a_client_open_as_many_streams_as_its_verdict_allows) {
    begin();
    cr_expect_eq(http2_session_vacancies(client.session), HTTP2_STREAMS_VALID);
    cr_expect_eq(connection->stage, &http2_quiet);
    connection_end(connection, CONNECTION_ABRUPTLY);
    side_close(&client);
    side_open(&client, false, &usual_settings);
    scene.identity.status = STATUS_NONE;
    connection = served_connect();
    begin();
    cr_expect_eq(http2_session_vacancies(client.session), HTTP2_STREAMS_OTHERS);
}

Test(http2, answers_each_stream_with_its_own) {
    relays = true;
    begin();
    struct talk *first = ask_for(GET, true);
    struct talk *second = ask_for(GET, true);
    cr_expect_eq(begun_count, 2);
    cr_expect_eq(begun[0]->stream_id, 1);
    cr_expect_eq(begun[1]->stream_id, 3);
    cr_expect_eq(connection->http2.open, 2);
    cr_expect_eq(connection->stage, &http2_streams);
    answer(1, "second");
    answer(0, "first");
    exchange_frames();
    cr_expect(has_body(first, "first") && first->closed && first->error == HTTP2_NO_ERROR);
    cr_expect(has_body(second, "second") && second->closed);
    cr_expect_eq(connection->stage, &http2_quiet);
    cr_expect_eq(connection->http2.requests, 2);
    cr_expect_eq(scene.shard.streams.in_use, 0);
    cr_expect_eq(stats_read(&host_stats()->streams), 2);
    cr_expect_eq(stats_read(&host_stats()->requests[stats_code_slot(200)][STATS_HTTP2]), 2);
    cr_expect_eq(stats_read(&host_stats()->requests[stats_code_slot(200)][STATS_HTTP1]), 0);
}

Test(http2, knows_a_frame_that_is_not_complete) {
    begin();
    held_add(connection, bytes_of("\0\0\x8\6", 4));
    plaintext_resume(connection);
    http2_turn(&scene.shard);
    cr_expect_eq(connection->stage, &http2_frames);
    cr_expect_eq(connection->pace.deadline_ms, ring_now_ms(&scene.shard.ring) + 2000);
    scene_pass(1000);
    held_add(connection, bytes_of("\0\0\0\0\0pingpong", 13));
    plaintext_resume(connection);
    http2_turn(&scene.shard);
    cr_expect_eq(connection->stage, &http2_quiet);
    cr_expect_eq(connection->pace.deadline_ms, ring_now_ms(&scene.shard.ring) + 1000, "the time goes on from the handshake");
    held_add(connection, bytes_of("\0", 1));
    plaintext_resume(connection);
    http2_turn(&scene.shard);
    connection->stage->timed_out(connection);
    cr_expect(connection_is_closing(connection));
    cr_expect_eq(rejected(STATS_REJECT_TIMEOUT), 1);
}

Test(http2, hands_a_body_on_as_its_origin_takes_it) {
    relays = true;
    begin();
    struct talk *talk = ask_for(POST, false);
    http2_stream_send(&talk->stream, bytes_of_string("abc"));
    exchange_frames();
    cr_expect_eq(body.size, 3);
    origin_room = 0;
    http2_stream_send(&talk->stream, bytes_of_string("def"));
    http2_stream_end(&talk->stream, (struct bytes){0});
    exchange_frames();
    cr_expect_eq(body.size, 3);
    cr_expect_eq(bodies_ended, 0);
    cr_expect_not(list_is_empty(&connection->http2.waiting));
    origin_room = 100;
    begun[0]->carrier->read_more(connection);
    cr_expect(bytes_equal(bytes_of(body.data, body.size), bytes_of_string("abcdef")));
    cr_expect_eq(bodies_ended, 1);
    cr_expect(begun[0]->request_done);
}

Test(http2, refuses_streams_that_have_no_room) {
    relays = true;
    begin();
    for (unsigned i = 0; i < SERVED_PLACES; i++) {
        ask_for(GET, true);
    }
    struct talk *refused = ask_for(GET, true);
    cr_expect(refused->closed);
    cr_expect_eq(refused->error, HTTP2_REFUSED_STREAM);
    cr_expect_eq(rejected(STATS_REJECT_HTTP2_STREAMS), 1);
    cr_expect_eq(connection->http2.open, SERVED_PLACES);
    answer(0, "");
    exchange_frames();
    ask_for(GET, true);
    cr_expect_eq(begun_count, SERVED_PLACES + 1);
}

Test(http2, leaves_a_connection_its_first_stream_when_the_shard_is_full) {
    relays = true;
    begin();
    scene.shard.connections.in_use = scene.shard.connections_capacity + SHARD_SPARE;
    cr_expect_not(ask_for(GET, true)->closed);
    cr_expect_eq(ask_for(GET, true)->error, HTTP2_REFUSED_STREAM);
    scene.shard.connections.in_use = 0;
}

Test(http2, lets_go_of_a_stream_that_the_client_resets) {
    relays = true;
    begin();
    struct talk *talk = ask_for(GET, true);
    http2_stream_reset(&talk->stream, HTTP2_CANCEL);
    exchange_frames();
    cr_expect_eq(aborted, 1);
    cr_expect_eq(scene.shard.streams.in_use, 0);
    cr_expect_eq(connection->stage, &http2_quiet);
}

Test(http2, resets_an_answer_that_is_cut_short) {
    relays = true;
    begin();
    struct talk *talk = ask_for(GET, true);
    begun[0]->code = 200;
    cr_expect(begun[0]->carrier->send_head(begun[0], &(struct http_message){.status = 200, .framing = HTTP_CHUNKED}, ""));
    begun[0]->relay = NULL;
    begun[0]->carrier->reset(begun[0], EXCHANGE_CUT_SHORT);
    exchange_frames();
    cr_expect(talk->closed);
    cr_expect_eq(talk->error, HTTP2_INTERNAL_ERROR);
    cr_expect_eq(scene.shard.streams.in_use, 0);
}

Test(http2, tells_a_slow_client_so) {
    relays = true;
    begin();
    struct talk *talk = ask_for(POST, false);
    struct http2_exchange *exchange = CONTAINER_OF(begun[0], struct http2_exchange, exchange);
    scene_pass(3000);
    exchange->pace.timer.fire(&exchange->pace.timer);
    exchange_frames();
    cr_expect_eq(talk->message.status, 408);
    cr_expect_eq(rejected(STATS_REJECT_TIMEOUT), 1);
    cr_expect_eq(aborted, 1);
    cr_expect(timer_is_set(&exchange->pace.timer), "the rest of the request is waited for, but not for ever");
    exchange->pace.timer.fire(&exchange->pace.timer);
    exchange_frames();
    cr_expect(talk->closed);
    cr_expect_eq(talk->error, HTTP2_NO_ERROR);
    cr_expect_eq(connection->stage, &http2_quiet);
}

Test(http2, does_not_blame_the_client_for_a_slow_origin) {
    relays = true;
    begin();
    struct talk *talk = ask_for(GET, true);
    struct http2_exchange *exchange = CONTAINER_OF(begun[0], struct http2_exchange, exchange);
    uint64_t deadline_ms = exchange->pace.deadline_ms;
    scene_pass(1000);
    exchange->pace.timer.fire(&exchange->pace.timer);
    exchange_frames();
    cr_expect_not(talk->closed);
    cr_expect_eq(exchange->pace.deadline_ms, deadline_ms + 1000);
}

Test(http2, gives_up_an_answer_that_nobody_takes) {
    struct http2_settings shut = usual_settings;
    shut.stream_window = 0;
    side_close(&client);
    side_open(&client, false, &shut);
    begin();
    struct talk *talk = ask_for(GET, true);
    struct http2_exchange *exchange = CONTAINER_OF(begun[0], struct http2_exchange, exchange);
    cr_expect_eq(talk->message.status, 200);
    cr_expect_not(talk->closed);
    exchange->pace.timer.fire(&exchange->pace.timer);
    exchange_frames();
    cr_expect(talk->closed);
    cr_expect_eq(talk->error, HTTP2_CANCEL);
    cr_expect_eq(rejected(STATS_REJECT_TIMEOUT), 1);
}

static void time_out(struct exchange *exchange) {
    struct timer *timer = &CONTAINER_OF(exchange, struct http2_exchange, exchange)->pace.timer;

    scene_pass(3000);
    timer->fire(timer);
    exchange_frames();
}

/* From the end of the answer on nobody asks whether there is room: the bytes that leave show that the client reads. */
Test(http2, gives_a_slow_reader_of_the_last_piece_its_time) {
    struct http2_settings small = usual_settings;
    small.stream_window = 4;
    side_close(&client);
    side_open(&client, false, &small);
    relays = true;
    begin();
    struct talk *talk = ask_for(GET, true);
    talk->takes = 0;
    answer(0, "more than the window lets through");
    exchange_frames();
    for (unsigned i = 0; i < 3; i++) {
        time_out(begun[0]);
        cr_assert_not(talk->closed);
        talk->takes += 4;
        http2_stream_resume(&talk->stream);
        exchange_frames();
    }
    time_out(begun[0]);
    cr_expect_not(talk->closed);
    time_out(begun[0]);
    cr_expect(talk->closed, "it has read nothing since");
    cr_expect_eq(talk->error, HTTP2_CANCEL);
    cr_expect_eq(rejected(STATS_REJECT_TIMEOUT), 1);
}

/* Room is said to be there again only when much of what waited has left. */
Test(http2, gives_a_slow_reader_of_an_answer_that_goes_on_its_time) {
    struct http2_settings small = usual_settings;
    small.stream_window = 4;
    side_close(&client);
    side_open(&client, false, &small);
    relays = true;
    begin();
    struct talk *talk = ask_for(GET, true);
    talk->takes = 0;
    begun[0]->code = 200;
    cr_expect(begun[0]->carrier->send_head(begun[0], &(struct http_message){.status = 200, .framing = HTTP_CHUNKED}, ""));
    cr_expect(begun[0]->carrier->send_body(begun[0], bytes_of_string("more than the window lets through")));
    exchange_frames();
    time_out(begun[0]);
    cr_expect_not(talk->closed);
    cr_expect_eq(aborted, 0);
    time_out(begun[0]);
    cr_expect(talk->closed);
    cr_expect_eq(aborted, 1);
}

Test(http2, shuts_down_in_two_steps) {
    relays = true;
    begin();
    struct talk *talk = ask_for(GET, true);
    connection->stage->drain(connection);
    http2_turn(&scene.shard);
    give(&client, bytes_of(sent.data, sent.size));
    sent.size = 0;
    cr_expect_eq(http2_session_vacancies(client.session), 0);
    exchange_frames();
    cr_expect_eq(connection->stage, &http2_streams);
    answer(0, "late");
    exchange_frames();
    cr_expect(has_body(talk, "late"));
    cr_expect(connection_is_closing(connection));
    cr_expect_eq(finished, 1);
    cr_expect_eq(shut_down, 1);
}

Test(http2, names_a_stream_that_begins_before_the_last_goaway_leaves) {
    static const uint8_t frames[] = "\0\0\x8\6\1\0\0\0\0shutdown"
                                    "\0\0\x0b\1\5\0\0\0\1\x82\x87\x84\1\6s.test";
    static const uint8_t goaway[] = {0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};

    relays = true;
    begin();
    connection->stage->drain(connection);
    http2_turn(&scene.shard);
    held_add(connection, bytes_of(frames, sizeof frames - 1));
    plaintext_resume(connection);
    http2_turn(&scene.shard);
    cr_expect_eq(begun_count, 1);
    cr_expect_not_null(memmem(sent.data, sent.size, goaway, sizeof goaway));
}

Test(http2, hurries_a_quiet_client_that_is_to_go) {
    scene.config.limits.idle_timeout_ms = 60000;
    relays = true;
    begin();
    ask_for(GET, true);
    answer(0, "");
    exchange_frames();
    cr_expect_eq(connection->pace.deadline_ms, ring_now_ms(&scene.shard.ring) + 60000);
    connection->stage->drain(connection);
    http2_turn(&scene.shard); /* the client does not answer */
    cr_expect_eq(connection->pace.deadline_ms, ring_now_ms(&scene.shard.ring) + HTTP2_LAST_WORD_MS);
    scene_pass(HTTP2_LAST_WORD_MS);
    connection->stage->timed_out(connection);
    cr_expect(connection_is_closing(connection));
}

Test(http2, keeps_no_connection_of_a_shard_that_drains) {
    scene.shard.draining = true;
    begin();
    cr_expect(connection_is_closing(connection), "nothing was asked, and the client has answered");
    cr_expect_eq(finished, 1);
}

Test(http2, takes_no_streams_of_a_host_that_has_turned_it_off) {
    begin();
    connection->stage->site_changed(connection);
    cr_expect_not(connection->http2.shut_down);
    scene.host.http2 = false;
    connection->stage->site_changed(connection);
    cr_expect(connection->http2.shut_down);
}

Test(http2, takes_no_more_streams_of_a_client_that_is_dismissed) {
    dismisses = true;
    begin();
    struct talk *talk = ask_for(GET, true);
    cr_expect_eq(talk->message.status, 200);
    cr_expect(connection_is_closing(connection));
}

Test(http2, ends_for_a_fault) {
    begin();
    held_add(connection, bytes_of("\0\0\1\0\0\0\0\0\0x", 10)); /* DATA of no stream */
    plaintext_resume(connection);
    http2_turn(&scene.shard);
    cr_expect(connection_is_closing(connection));
    cr_expect_eq(rejected(STATS_REJECT_HTTP2_ERROR), 1);
    cr_expect_eq(finished, 1, "behind its GOAWAY");
}

Test(http2, ends_for_a_flood) {
    static const uint8_t ping[17] = {0, 0, 8, 6};

    begin();
    for (unsigned i = 0; i < 2000 && !connection_is_closing(connection); i++) {
        held_add(connection, bytes_of(ping, sizeof ping));
        plaintext_resume(connection);
        http2_turn(&scene.shard);
    }
    cr_expect(connection_is_closing(connection));
    cr_expect_eq(rejected(STATS_REJECT_HTTP2_PINGS), 1);
}

Test(http2, ends_a_client_s_streams_with_its_connection) {
    relays = true;
    begin();
    ask_for(GET, true);
    ask_for(POST, false);
    connection_end(connection, CONNECTION_ABRUPTLY);
    cr_expect_eq(sent.size, 0, "frames that leave now would go to the next connection in this memory");
    cr_expect_eq(aborted, 2);
    cr_expect_eq(scene.shard.streams.in_use, 0);
    cr_expect_null(connection->http2.session);
    cr_expect_not(list_is_linked(&connection->http2.in_turn));
    cr_expect_eq(closed, 1);
}

Test(http2, may_end_while_frames_leave) {
    static const uint8_t piece[40000];

    relays = true;
    begin();
    ask_for(GET, true);
    begun[0]->code = 200;
    cr_expect(begun[0]->carrier->send_head(begun[0], &(struct http_message){.status = 200, .framing = HTTP_CHUNKED}, ""));
    breaks = 1;
    cr_expect_not(begun[0]->carrier->send_body(begun[0], bytes_of(piece, sizeof piece)), "some of it would have waited");
    cr_expect(connection_is_closing(connection));
    cr_expect_null(connection->http2.session);
    cr_expect_eq(scene.shard.streams.in_use, 0);
}

Test(http2, may_end_while_frames_that_waited_leave) {
    struct http2_settings shut = usual_settings;
    shut.stream_window = 10;
    side_close(&client);
    side_open(&client, false, &shut);
    relays = true;
    begin();
    struct talk *talk = ask_for(GET, true);
    talk->takes = 0;
    answer(0, "this is more than the window lets through");
    exchange_frames();
    http2_stream_widen(&talk->stream, 1000);
    breaks = 2; /* behind the head of DATA */
    exchange_frames();
    cr_expect(connection_is_closing(connection));
    cr_expect_eq(scene.shard.streams.in_use, 0);
}

Test(http2, gives_a_client_nothing_that_has_asked_for_nothing) {
    begin();
    connection->stage->finished(connection, true);
    cr_expect_eq(closed, 1);
    cr_expect_eq(shut_down, 0);
}

Test(http2, says_goodbye_to_a_client_that_has_asked) {
    begin();
    ask_for(GET, true);
    connection->stage->finished(connection, true);
    cr_expect_eq(finished, 1);
    cr_expect_eq(shut_down, 1);
    cr_expect_gt(sent.size, 0, "GOAWAY");
}

Test(http2, keeps_no_idle_connection) {
    begin();
    ask_for(GET, true);
    scene_pass(2000);
    connection->stage->timed_out(connection);
    cr_expect_eq(connection->stage, &http2_quiet, "the time began with the answer");
    scene_pass(1000);
    connection->stage->timed_out(connection);
    cr_expect(connection_is_closing(connection));
    cr_expect_eq(rejected(STATS_REJECT_TIMEOUT), 0);
    give(&client, bytes_of(sent.data, sent.size));
    cr_expect_eq(http2_session_vacancies(client.session), 0);
}
