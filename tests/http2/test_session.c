#include "pair.h"
#include "wire.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#define GET   "GET /a?b HTTP/1.1\r\nHost: a.example\r\nX-One: 1\r\nX-Two: 2\r\n\r\n"
#define POST  "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"
#define OK    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n"
#define EMPTY "HTTP/1.1 204 No Content\r\n\r\n"

static const struct bytes nothing;

static void answer(struct talk *talk) {
    cr_assert(http2_stream_head(&talk->stream, bytes_of_string(OK), false));
    cr_assert(http2_stream_send(&talk->stream, bytes_of_string("hello")));
    cr_assert(http2_stream_end(&talk->stream, nothing));
}

static void answer_empty(struct talk *talk) {
    cr_assert(http2_stream_head(&talk->stream, bytes_of_string(EMPTY), true));
}

Test(session, request_and_answer) {
    struct pair *pair = pair_open(&usual_settings);
    pair->server.on_end = answer;
    struct talk *asked = ask(pair, GET, true);
    pump(pair);
    cr_assert_eq(pair->server.begun, 1);
    struct talk *came = pair->server.talks[0];
    cr_assert_str_eq(span_of(came, came->message.method), "GET");
    cr_assert_str_eq(span_of(came, came->message.path), "/a?b");
    cr_assert_str_eq(span_of(came, came->message.authority), "a.example");
    cr_assert_str_eq(header_of(came, "x-two"), "2");
    cr_assert(came->message.http2 && came->message.idempotent);
    cr_assert(came->closed && came->error == HTTP2_NO_ERROR);
    cr_assert_eq(asked->message.status, 200);
    cr_assert_str_eq(header_of(asked, "content-type"), "text/plain");
    cr_assert_str_eq(header_of(asked, "connection"), "(none)");
    cr_assert_eq(asked->message.framing, HTTP_LENGTH);
    cr_assert(asked->ended && asked->closed && asked->error == HTTP2_NO_ERROR);
    cr_assert_eq(asked->body.size, 5);
    cr_assert_eq(http2_session_streams(pair->client.session), 0);
    cr_assert_eq(http2_session_streams(pair->server.session), 0);
    cr_assert(http2_session_is_idle(pair->server.session));
    pair_close(pair);
}

/* The answer is one HEADERS frame and one DATA frame, which ends the stream. */
Test(session, small_answer_takes_two_frames) {
    struct side side;
    struct buffer input = {0};
    side_open(&side, true, &usual_settings);
    side.on_end = answer;
    buffer_append_string(&input, WIRE_PREFACE);
    wire_write(&input, "SETTINGS; HEADERS+ES+EH@1 GET");
    give(&side, bytes_of(input.data, input.size));
    struct bytes out = bytes_of(side.out.data, side.out.size);
    struct wire_frame frame;
    unsigned data = 0;
    while (wire_read(&out, &frame)) {
        data += frame.type == 0;
        cr_assert(frame.type != 0 || frame.flags == 1);
    }
    cr_assert_eq(data, 1);
    free(input.data);
    side_close(&side);
}

Test(session, byte_by_byte) {
    struct pair *pair = pair_open(&usual_settings);
    pair->piece = 1;
    pair->server.on_end = answer;
    struct talk *asked[10];
    for (size_t i = 0; i < 10; i++) {
        asked[i] = ask(pair, GET, true);
    }
    pump(pair);
    for (size_t i = 0; i < 10; i++) {
        cr_assert(asked[i]->closed && asked[i]->body.size == 5);
    }
    pair_close(pair);
}

Test(session, is_not_idle_within_a_frame) {
    struct side side;
    struct buffer input = {0};
    side_open(&side, true, &usual_settings);
    buffer_append_string(&input, WIRE_PREFACE);
    wire_write(&input, "SETTINGS");
    for (size_t i = 0; i + 1 < input.size; i++) {
        give(&side, bytes_of(input.data + i, 1));
        cr_assert(!http2_session_is_idle(side.session) || i + 1 == strlen(WIRE_PREFACE));
    }
    give(&side, bytes_of(input.data + input.size - 1, 1));
    cr_assert(http2_session_is_idle(side.session));
    input.size = 0;
    wire_write(&input, "HEADERS+ES@1 GET");
    give(&side, bytes_of(input.data, input.size));
    cr_assert_not(http2_session_is_idle(side.session), "the header section goes on");
    input.size = 0;
    wire_write(&input, "CONT+EH@1");
    give(&side, bytes_of(input.data, input.size));
    cr_assert(http2_session_is_idle(side.session));
    side.room = 0;
    input.size = 0;
    wire_write(&input, "PING n:8");
    give(&side, bytes_of(input.data, input.size));
    cr_assert_not(http2_session_is_idle(side.session), "the answer waits");
    free(input.data);
    side_close(&side);
}

/* RFC 9113 section 6.8: two GOAWAY frames; a stream that crosses the first is served, and the session ends with the last. */
Test(session, shut_down_loses_no_stream) {
    struct pair *pair = pair_open(&usual_settings);
    struct talk *first = ask(pair, POST, false);
    pump(pair);
    http2_session_shut_down(pair->server.session);
    http2_session_shut_down(pair->server.session);
    struct talk *crossing = ask(pair, GET, true);
    pump(pair);
    cr_assert_eq(pair->server.begun, 2);
    cr_assert_eq(http2_session_vacancies(pair->client.session), 0);
    struct talk *late = talk_new(&pair->client);
    cr_assert_eq(http2_session_open(pair->client.session, &late->stream, bytes_of_string(GET), "https", true), -ESHUTDOWN);
    cr_assert_eq(pair->server.outcome, HTTP2_GOES_ON);
    answer(pair->server.talks[1]);
    pump(pair);
    cr_assert(crossing->ended && crossing->closed);
    cr_assert_eq(pair->server.outcome, HTTP2_GOES_ON);
    cr_assert(http2_stream_end(&first->stream, nothing));
    pump(pair);
    answer(pair->server.talks[0]);
    pump(pair);
    cr_assert(first->ended && first->closed && first->error == HTTP2_NO_ERROR);
    cr_assert_eq(pair->server.outcome, HTTP2_OVER);
    cr_assert_eq(pair->client.outcome, HTTP2_OVER);
    cr_assert_eq(http2_session_excess(pair->server.session), HTTP2_EXCESS_NONE);
    pair_close(pair);
}

Test(session, shut_down_of_an_idle_session) {
    struct pair *pair = pair_open(&usual_settings);
    http2_session_shut_down(pair->server.session);
    pump(pair);
    cr_assert_eq(pair->server.outcome, HTTP2_OVER);
    pair_close(pair);
}

/* A client that does not answer the PING cannot have the session go on. */
Test(session, shut_down_now_waits_for_no_answer) {
    struct side side;
    struct buffer input = {0};
    side_open(&side, true, &usual_settings);
    buffer_append_string(&input, WIRE_PREFACE);
    wire_write(&input, "SETTINGS; SETTINGS+ACK; HEADERS+ES+EH@1 GET");
    give(&side, bytes_of(input.data, input.size));
    http2_session_shut_down_now(side.session);
    cr_assert(http2_session_is_idle(side.session), "nothing to hasten");
    http2_session_shut_down(side.session);
    input.size = 0;
    wire_write(&input, "HEADERS+ES+EH@3 GET");
    give(&side, bytes_of(input.data, input.size));
    cr_assert_eq(side.begun, 2);
    side.out.size = 0;
    http2_session_shut_down_now(side.session);
    http2_session_shut_down_now(side.session);
    http2_session_flush(side.session);
    struct bytes out = bytes_of(side.out.data, side.out.size);
    struct wire_frame frame;
    cr_assert(wire_read(&out, &frame));
    cr_assert_eq(frame.type, 7, "GOAWAY");
    cr_assert_eq(wire_word(&frame, 0), 3);
    cr_assert_eq(out.size, 0);
    input.size = 0;
    wire_write(&input, "HEADERS+ES+EH@5 GET; PING+ACK x:73687574646f776e");
    give(&side, bytes_of(input.data, input.size));
    cr_assert_eq(side.begun, 2);
    answer(side.talks[0]);
    answer(side.talks[1]);
    cr_assert_eq(http2_session_flush(side.session), HTTP2_OVER);
    free(input.data);
    side_close(&side);
}

Test(session, terminate_ends_at_once) {
    struct pair *pair = pair_open(&usual_settings);
    struct talk *asked = ask(pair, GET, true);
    pump(pair);
    http2_session_terminate(pair->server.session, HTTP2_INTERNAL_ERROR);
    pump(pair);
    cr_assert_eq(pair->server.outcome, HTTP2_OVER);
    cr_assert_not(asked->closed, "the client waits for the end of the connection, since its stream was taken");
    pair_close(pair);
}

/* Streams above the last one of GOAWAY have not been touched (RFC 9113 section 6.8). */
Test(session, goaway_refuses_what_it_does_not_name) {
    struct side side;
    struct buffer input = {0};
    side_open(&side, false, &usual_settings);
    wire_write(&input, "SETTINGS");
    give(&side, bytes_of(input.data, input.size));
    struct talk *talks[3];
    for (size_t i = 0; i < 3; i++) {
        talks[i] = talk_new(&side);
        cr_assert_eq(http2_session_open(side.session, &talks[i]->stream, bytes_of_string(GET), "http", true), 0);
    }
    input.size = 0;
    wire_write(&input, "GOAWAY w:1 w:0");
    give(&side, bytes_of(input.data, input.size));
    cr_assert_not(talks[0]->closed);
    cr_assert(talks[1]->closed && talks[1]->error == HTTP2_REFUSED_STREAM);
    cr_assert(talks[2]->closed && talks[2]->error == HTTP2_REFUSED_STREAM);
    cr_assert_eq(http2_session_vacancies(side.session), 0);
    cr_assert_eq(side.outcome, HTTP2_GOES_ON);
    input.size = 0;
    wire_write(&input, "HEADERS+ES+EH@1 x:88");
    give(&side, bytes_of(input.data, input.size));
    cr_assert(talks[0]->ended && talks[0]->closed && talks[0]->error == HTTP2_NO_ERROR);
    cr_assert_eq(side.outcome, HTTP2_OVER);
    free(input.data);
    side_close(&side);
}

Test(session, vacancies) {
    struct http2_settings settings = usual_settings;
    settings.streams_max = 3;
    struct pair *pair = pair_open(&settings);
    struct talk *talks[3];
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(http2_session_vacancies(pair->client.session), 3 - i);
        talks[i] = ask(pair, GET, true);
    }
    struct talk *more = talk_new(&pair->client);
    cr_assert_eq(http2_session_open(pair->client.session, &more->stream, bytes_of_string(GET), "https", true), -EAGAIN);
    pump(pair);
    cr_assert_eq(pair->server.begun, 3);
    http2_stream_reset(&talks[1]->stream, HTTP2_CANCEL);
    cr_assert_eq(http2_session_streams(pair->client.session), 2);
    cr_assert_eq(http2_session_vacancies(pair->client.session), 1);
    pump(pair);
    cr_assert(pair->server.talks[1]->closed && pair->server.talks[1]->error == HTTP2_CANCEL);
    cr_assert_eq(http2_session_open(pair->client.session, &more->stream, bytes_of_string(GET), "https", true), 0);
    pump(pair);
    cr_assert_eq(pair->server.begun, 4);
    pair_close(pair);
}

Test(session, begin_may_refuse) {
    struct pair *pair = pair_open(&usual_settings);
    pair->server.refuses = true;
    struct talk *asked = ask(pair, POST, false);
    cr_assert(http2_stream_send(&asked->stream, bytes_of_string("some of it")));
    pump(pair);
    cr_assert(asked->closed && asked->error == HTTP2_REFUSED_STREAM);
    cr_assert_eq(http2_session_streams(pair->server.session), 0);
    pair->server.refuses = false;
    pair->server.on_end = answer;
    asked = ask(pair, GET, true);
    pump(pair);
    cr_assert(asked->ended && asked->closed);
    pair_close(pair);
}

/* The owner may free a stream in any call, and reset others. */
static struct talk *victim;

static void reset_victim(struct talk *talk) {
    if (victim != NULL) {
        http2_stream_reset(&victim->stream, HTTP2_CANCEL);
        memset(&victim->stream, 0xa5, sizeof victim->stream);
        victim = NULL;
    }
}

static void reset_itself(struct talk *talk) {
    http2_stream_reset(&talk->stream, HTTP2_INTERNAL_ERROR);
    memset(&talk->stream, 0xa5, sizeof talk->stream);
}

static void run_resets(void (*set)(struct side *side)) {
    for (size_t piece = 0; piece <= 7; piece += 7) {
        struct pair *pair = pair_open(&usual_settings);
        pair->piece = piece;
        set(&pair->server);
        struct talk *asked = ask(pair, POST, false);
        cr_assert(http2_stream_send(&asked->stream, bytes_of_string("some of the body of the request")));
        cr_assert(http2_stream_send(&asked->stream, bytes_of_string("and more of it")));
        cr_assert(http2_stream_end(&asked->stream, bytes_of_string("x-sum: 1\r\n")));
        pump(pair);
        cr_assert(asked->closed && asked->error == HTTP2_INTERNAL_ERROR);
        cr_assert_eq(http2_session_streams(pair->server.session), 0);
        cr_assert_not(pair->server.talks[0]->closed);
        pair->server.on_head = pair->server.on_body = NULL;
        pair->server.on_end = answer;
        asked = ask(pair, GET, true);
        pump(pair);
        cr_assert(asked->closed && asked->error == HTTP2_NO_ERROR);
        pair_close(pair);
    }
}

static void set_head(struct side *side) {
    side->on_head = reset_itself;
}

static void set_body(struct side *side) {
    side->on_body = reset_itself;
}

static void set_end(struct side *side) {
    side->on_end = reset_itself;
}

Test(session, reset_in_head) {
    run_resets(set_head);
}

Test(session, reset_in_body) {
    run_resets(set_body);
}

Test(session, reset_in_end) {
    run_resets(set_end);
}

Test(session, reset_of_another_stream) {
    struct pair *pair = pair_open(&usual_settings);
    struct talk *first = ask(pair, POST, false);
    pump(pair);
    victim = pair->server.talks[0];
    pair->server.on_head = reset_victim;
    pair->server.on_end = answer;
    struct talk *second = ask(pair, GET, true);
    pump(pair);
    cr_assert(first->closed && first->error == HTTP2_CANCEL);
    cr_assert(second->closed && second->error == HTTP2_NO_ERROR);
    pair_close(pair);
}

Test(session, reset_of_another_stream_when_one_is_closed) {
    struct pair *pair = pair_open(&usual_settings);
    struct talk *first = ask(pair, POST, false);
    struct talk *second = ask(pair, POST, false);
    pump(pair);
    victim = pair->server.talks[1];
    pair->server.on_closed = reset_victim;
    http2_stream_reset(&first->stream, HTTP2_CANCEL);
    pump(pair);
    cr_assert(second->closed && second->error == HTTP2_CANCEL);
    cr_assert_eq(http2_session_streams(pair->server.session), 0);
    pair_close(pair);
}

/* RFC 9113 section 8.1: the rest of a request may come behind its answer, until its owner has the client stop. */
Test(session, early_answer_leaves_the_request_to_its_owner) {
    struct pair *pair = pair_open(&usual_settings);
    pair->server.on_head = answer;
    struct talk *asked = ask(pair, POST, false);
    pump(pair);
    struct talk *answering = pair->server.talks[0];
    cr_assert(asked->ended && asked->body.size == 5);
    cr_assert(!asked->closed && !answering->closed && answering->stream.out_left_whole);
    cr_assert(http2_stream_send(&asked->stream, bytes_of_string("late")));
    pump(pair);
    cr_assert_eq(answering->body.size, 4);
    http2_stream_reset(&answering->stream, HTTP2_NO_ERROR);
    pump(pair);
    cr_assert(asked->closed && asked->error == HTTP2_NO_ERROR);
    pair_close(pair);
}

/* RFC 9113 section 8.5: the directions of a tunnel end one by one. */
Test(session, tunnel_ends_on_both_sides) {
    struct side side;
    struct buffer input = {0};
    side_open(&side, true, &usual_settings);
    side.on_head = answer;
    buffer_append_string(&input, WIRE_PREFACE);
    wire_write(&input, "SETTINGS; HEADERS+EH@1 f::method=CONNECT f::authority=a:443; DATA@1 n:10");
    give(&side, bytes_of(input.data, input.size));
    cr_assert(!side.talks[0]->closed && side.talks[0]->body.size == 10);
    input.size = 0;
    wire_write(&input, "DATA+ES@1 n:10");
    give(&side, bytes_of(input.data, input.size));
    cr_assert(side.talks[0]->closed && side.talks[0]->error == HTTP2_NO_ERROR && side.talks[0]->body.size == 20);
    free(input.data);
    side_close(&side);
}

/* Nothing is kept of a head that was malformed. */
Test(session, memory_behind_a_malformed_head) {
    struct side side;
    struct buffer input = {0};
    side_open(&side, true, &usual_settings);
    side.on_end = answer_empty;
    buffer_append_string(&input, WIRE_PREFACE);
    wire_write(&input, "SETTINGS; HEADERS+ES+EH@1 GET");
    give(&side, bytes_of(input.data, input.size));
    size_t before = http2_session_memory(side.session);
    input.size = 0;
    wire_write(&input, "HEADERS+ES+EH@3 GET f:a=b f:A=b");
    give(&side, bytes_of(input.data, input.size));
    cr_assert(side.talks[1]->closed && side.talks[1]->error == HTTP2_PROTOCOL_ERROR);
    cr_assert_eq(http2_session_memory(side.session), before);
    free(input.data);
    side_close(&side);
}

static void answer_victim(struct talk *talk) {
    if (victim != NULL) {
        answer(victim);
        cr_assert_eq(http2_stream_room(&victim->stream), 0);
        http2_stream_resume(&victim->stream);
        victim = NULL;
    }
}

/* Both streams are gone when the owner is told of the first. */
Test(session, calls_on_a_stream_that_is_gone_do_nothing) {
    struct pair *pair = pair_open(&usual_settings);
    struct talk *first = ask(pair, POST, false);
    struct talk *second = ask(pair, POST, false);
    pump(pair);
    victim = pair->server.talks[1];
    pair->server.on_closed = answer_victim;
    http2_stream_reset(&first->stream, HTTP2_CANCEL);
    http2_stream_reset(&second->stream, HTTP2_CANCEL);
    pump(pair);
    cr_assert_null(victim);
    cr_assert(pair->server.talks[0]->closed && pair->server.talks[1]->closed);
    pair_close(pair);
}

/* An idle client costs at most 10 KiB in all, of which TLS and the connection have the rest. curl's fields are in the table.
 */
Test(session, memory_when_idle) {
    struct side side;
    struct buffer input = {0};
    side_open(&side, true, &usual_settings);
    side.on_end = answer_empty;
    give(&side, nothing);
    buffer_append_string(&input, WIRE_PREFACE);
    wire_write(&input, "SETTINGS s:3=100 s:4=33554432 s:2=0; WINDOW w:0x1ff0001; SETTINGS+ACK;"
                       "HEADERS+ES+EH@1 x:828784 i::authority=localhost:8443 i:user-agent=curl/7.88.1 i:accept=*/*");
    give(&side, bytes_of(input.data, input.size));
    cr_assert(side.talks[0]->closed);
    cr_assert(http2_session_is_idle(side.session));
    size_t memory = http2_session_memory(side.session);
    cr_assert_leq(memory, 3300, "%zu bytes", memory);
    free(input.data);
    side_close(&side);
}
