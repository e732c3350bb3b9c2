#include "pair.h"
#include "wire.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define POST "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"
#define OK   "HTTP/1.1 200 OK\r\n\r\n"

static const struct bytes nothing;

static struct buffer sent;

static void begin(struct talk *talk) {
    cr_assert(http2_stream_head(&talk->stream, bytes_of_string(OK), false));
}

/* Sends as much of `sent` as the stream has room for, beginning at the bytes that have been sent; then ends. */
static size_t send_more(struct talk *talk, size_t from) {
    while (from < sent.size) {
        size_t room = http2_stream_room(&talk->stream);
        size_t size = sent.size - from < room ? sent.size - from : room;
        if (size == 0) {
            return from;
        }
        cr_assert(http2_stream_send(&talk->stream, bytes_of(sent.data + from, size)));
        from += size;
    }
    cr_assert(http2_stream_end(&talk->stream, nothing));
    return from;
}

static size_t at;

static void go_on(struct talk *talk) {
    at = send_more(talk, at);
}

static void begin_all(struct talk *talk) {
    begin(talk);
    go_on(talk);
}

static void check_body(const struct talk *talk) {
    cr_assert(talk->ended);
    cr_assert_eq(talk->body.size, sent.size);
    cr_assert_eq(memcmp(talk->body.data, sent.data, sent.size), 0);
}

/* A request of a megabyte goes through windows of 64 KiB, as its owner takes it. */
Test(body, request_larger_than_windows) {
    struct pair *pair = pair_open(&usual_settings);
    fill(&sent, 1 << 20);
    pair->client.on_room = go_on;
    struct talk *asked = ask(pair, POST, false);
    go_on(asked);
    pump(pair);
    check_body(pair->server.talks[0]);
    cr_assert_gt(asked->rooms, 10);
    pair_close(pair);
}

Test(body, answer_larger_than_windows) {
    struct pair *pair = pair_open(&usual_settings);
    fill(&sent, 1 << 20);
    pair->server.on_head = begin_all;
    pair->server.on_room = go_on;
    struct talk *asked = ask(pair, POST, false);
    cr_assert(http2_stream_end(&asked->stream, nothing));
    pump(pair);
    check_body(asked);
    cr_assert(asked->closed);
    pair_close(pair);
}

/* As much comes as the window of the stream has, and no more until the owner takes some. */
Test(body, window_opens_as_the_owner_takes) {
    struct pair *pair = pair_open(&usual_settings);
    fill(&sent, 200000);
    struct talk *asked = ask(pair, POST, false);
    pump(pair);
    struct talk *came = pair->server.talks[0];
    came->takes = 1000;
    pair->client.on_room = go_on;
    go_on(asked);
    pump(pair);
    cr_assert_eq(came->body.size, 1000);
    cr_assert_eq(came->stream.in.size, usual_settings.stream_window - 1000);
    cr_assert_eq(http2_stream_room(&asked->stream), 0);
    size_t memory = http2_session_memory(pair->server.session);
    cr_assert_gt(memory, usual_settings.stream_window - 1000);
    came->takes = 2000;
    http2_stream_resume(&came->stream);
    pump(pair);
    cr_assert_eq(came->body.size, 2000);
    came->takes = ALL;
    http2_stream_resume(&came->stream);
    pump(pair);
    check_body(came);
    cr_assert_lt(http2_session_memory(pair->server.session), memory - 50000);
    pair_close(pair);
}

/* An owner that has taken a body's first bytes gets more of it at once than one that has not. */
Test(body, window_grows_for_an_owner_that_takes) {
    struct http2_settings settings = usual_settings;
    settings.stream_window_max = 4 * settings.stream_window;
    settings.growth_max = 3 * settings.stream_window;
    struct pair *pair = pair_open(&settings);
    fill(&sent, 600000);
    pair->client.on_room = go_on;
    struct talk *asked = ask(pair, POST, false);
    pump(pair);
    struct talk *came = pair->server.talks[0];
    came->takes = settings.stream_window - 1;
    go_on(asked);
    pump(pair);
    cr_assert_lt(came->stream.in.size, settings.stream_window + 1);
    came->takes = settings.stream_window;
    http2_stream_resume(&came->stream);
    pump(pair);
    cr_assert_gt(came->stream.in.size, 3 * settings.stream_window);
    cr_assert_lt(came->stream.in.size, settings.stream_window_max + 1);
    came->takes = ALL;
    http2_stream_resume(&came->stream);
    pump(pair);
    check_body(came);
    pair_close(pair);
}

/* Streams that stand still have no more than they may have together, however many there are. */
Test(body, windows_of_all_streams_grow_within_a_bound) {
    struct http2_settings settings = usual_settings;
    settings.stream_window_max = 4 * settings.stream_window;
    settings.growth_max = 4 * settings.stream_window; /* for one stream, and not for two */
    struct pair *pair = pair_open(&settings);
    fill(&sent, 600000);
    struct talk *came[2];
    for (size_t i = 0; i < 2; i++) {
        struct talk *asked = ask(pair, POST, false);
        pump(pair);
        came[i] = pair->server.talks[i];
        came[i]->takes = settings.stream_window;
        at = 0;
        pair->client.on_room = go_on;
        go_on(asked);
        pump(pair);
    }
    cr_assert_gt(came[0]->stream.in.size, 3 * settings.stream_window);
    cr_assert_lt(came[1]->stream.in.size, settings.stream_window + 1);
    /* The bound is there for others when a stream is through. */
    http2_stream_reset(&came[0]->stream, HTTP2_CANCEL);
    struct talk *asked = ask(pair, POST, false);
    pump(pair);
    struct talk *third = pair->server.talks[2];
    third->takes = settings.stream_window;
    at = 0;
    go_on(asked);
    pump(pair);
    cr_assert_gt(third->stream.in.size, 3 * settings.stream_window);
    pair_close(pair);
}

/* The window of the connection is not lost with the streams that have part of it. */
Test(body, held_bytes_are_given_back) {
    struct http2_settings settings = usual_settings;
    settings.connection_window = 65535;
    struct pair *pair = pair_open(&settings);
    fill(&sent, 30000); /* nghttp2 opens a window when half of it is used */
    for (unsigned round = 0; round < 40; round++) {
        struct talk *asked = ask(pair, POST, false);
        pump(pair);
        struct talk *came = pair->server.talks[pair->server.begun - 1];
        came->takes = 10;
        at = 0;
        pair->client.on_room = go_on;
        go_on(asked);
        pump(pair);
        cr_assert_eq(came->body.size, 10);
        cr_assert_eq(at, sent.size, "round %u: %zu", round, at);
        if (round % 4 == 0) {
            http2_stream_reset(&came->stream, HTTP2_CANCEL);
        } else if (round % 4 == 1) {
            http2_stream_reset(&asked->stream, HTTP2_CANCEL);
        } else if (round % 4 == 2) { /* answered, although the request waits */
            cr_assert(http2_stream_head(&came->stream, bytes_of_string(OK), true));
        } else { /* while the owner reads */
            came->takes = ALL;
            http2_stream_resume(&came->stream);
            http2_stream_reset(&came->stream, HTTP2_CANCEL);
        }
        pump(pair);
        cr_assert_eq(http2_session_streams(pair->server.session), 0);
    }
    pair_close(pair);
}

static void reset_it(struct talk *talk) {
    http2_stream_reset(&talk->stream, HTTP2_CANCEL);
}

Test(body, held_bytes_are_given_back_when_the_owner_resets_while_it_reads) {
    struct http2_settings settings = usual_settings;
    settings.connection_window = 65535;
    struct pair *pair = pair_open(&settings);
    fill(&sent, 30000); /* nghttp2 opens a window when half of it is used */
    for (unsigned round = 0; round < 10; round++) {
        struct talk *asked = ask(pair, POST, false);
        pump(pair);
        struct talk *came = pair->server.talks[pair->server.begun - 1];
        came->takes = round % 2 == 0 ? 0 : ALL;
        at = 0;
        pair->client.on_room = go_on;
        pair->server.on_body = round % 2 == 0 ? NULL : reset_it;
        go_on(asked);
        pump(pair);
        if (round % 2 == 0) {
            cr_assert_eq(at, sent.size);
            pair->server.on_body = reset_it;
            came->takes = 5;
            http2_stream_resume(&came->stream);
            pump(pair);
        }
        cr_assert(asked->closed);
    }
    pair_close(pair);
}

static void take_all(struct talk *talk) {
    talk->takes = ALL;
    http2_stream_resume(&talk->stream);
}

/* The owner says within body() that it takes more. */
Test(body, resume_within_body) {
    struct pair *pair = pair_open(&usual_settings);
    fill(&sent, 5000);
    struct talk *asked = ask(pair, POST, false);
    pump(pair);
    struct talk *came = pair->server.talks[0];
    came->takes = 100;
    pair->server.on_body = take_all;
    go_on(asked);
    pump(pair);
    check_body(came);
    pair_close(pair);
}

/* A response that is complete is given to its owner although nghttp2's stream is gone, and then it is closed. */
Test(body, response_waits_for_its_owner) {
    struct pair *pair = pair_open(&usual_settings);
    fill(&sent, 30000);
    pair->server.on_head = begin_all;
    struct talk *asked = ask(pair, POST, false);
    asked->takes = 10;
    cr_assert(http2_stream_end(&asked->stream, nothing));
    pump(pair);
    cr_assert(pair->server.talks[0]->closed);
    cr_assert(!asked->ended && !asked->closed);
    asked->takes = 20;
    http2_stream_resume(&asked->stream);
    cr_assert(!asked->ended && !asked->closed);
    cr_assert_eq(asked->body.size, 20);
    asked->takes = ALL;
    http2_stream_resume(&asked->stream);
    check_body(asked);
    cr_assert(asked->closed && asked->error == HTTP2_NO_ERROR);
    pair_close(pair);
}

Test(body, response_that_waits_may_be_reset) {
    struct pair *pair = pair_open(&usual_settings);
    fill(&sent, 30000);
    pair->server.on_head = begin_all;
    struct talk *asked = ask(pair, POST, false);
    asked->takes = 0;
    cr_assert(http2_stream_end(&asked->stream, nothing));
    pump(pair);
    http2_session_shut_down(pair->server.session);
    pump(pair);
    cr_assert_eq(pair->client.outcome, HTTP2_GOES_ON, "a response waits");
    http2_stream_reset(&asked->stream, HTTP2_CANCEL);
    pump(pair);
    cr_assert_not(asked->closed);
    cr_assert_eq(http2_session_flush(pair->client.session), HTTP2_OVER);
    pair_close(pair);
}

Test(body, trailers_of_a_request_and_an_answer) {
    for (size_t held = 0; held < 2; held++) {
        struct pair *pair = pair_open(&usual_settings);
        struct talk *asked = ask(pair, POST, false);
        pump(pair);
        struct talk *came = pair->server.talks[0];
        came->takes = asked->takes = held ? 0 : ALL;
        cr_assert(http2_stream_send(&asked->stream, bytes_of_string("question")));
        cr_assert(http2_stream_end(&asked->stream, bytes_of_string("X-Sum: 1\r\nx-more: 2 3\r\n")));
        pump(pair);
        cr_assert_eq(came->ended, !held);
        take_all(came);
        cr_assert_eq(came->trailers.size, strlen("x-sum: 1\r\nx-more: 2 3\r\n\r\n"));
        cr_assert_eq(memcmp(came->trailers.data, "x-sum: 1\r\nx-more: 2 3\r\n\r\n", came->trailers.size), 0);
        begin(came);
        cr_assert(http2_stream_send(&came->stream, bytes_of_string("answer")));
        cr_assert(http2_stream_end(&came->stream, bytes_of_string("grpc-status: 0\r\n")));
        pump(pair);
        take_all(asked);
        cr_assert(asked->ended && asked->closed);
        cr_assert_eq(asked->body.size, 6);
        cr_assert_eq(memcmp(asked->trailers.data, "grpc-status: 0\r\n\r\n", asked->trailers.size), 0);
        pair_close(pair);
    }
}

Test(body, trailers_without_a_body) {
    struct pair *pair = pair_open(&usual_settings);
    struct talk *asked = ask(pair, POST, false);
    cr_assert(http2_stream_end(&asked->stream, bytes_of_string("x-sum: 1\r\n")));
    pump(pair);
    struct talk *came = pair->server.talks[0];
    cr_assert(came->ended && came->body.size == 0 && came->trailers.size > 0);
    begin(came);
    cr_assert(http2_stream_end(&came->stream, bytes_of_string("grpc-status: 0\r\n")));
    pump(pair);
    cr_assert(asked->ended && asked->closed && asked->trailers.size > 0);
    pair_close(pair);
}

Test(body, trailers_too_large) {
    struct pair *pair = pair_open(&usual_settings);
    char trailers[10000];
    memset(trailers, 'x', sizeof trailers);
    memcpy(trailers, "a: ", 3);
    memcpy(trailers + sizeof trailers - 2, "\r\n", 2);
    struct talk *asked = ask(pair, POST, false);
    cr_assert(http2_stream_end(&asked->stream, bytes_of(trailers, sizeof trailers)));
    pump(pair);
    struct talk *came = pair->server.talks[0];
    cr_assert(came->heads == 1 && came->refused == 431 && !came->ended);
    begin(came);
    cr_assert(http2_stream_end(&came->stream, bytes_of(trailers, sizeof trailers)));
    pump(pair);
    cr_assert(asked->refused == 502 && asked->stream.fault == HTTP_FAULT_TRAILERS && !asked->ended);
    pair_close(pair);
}

/* As a tunnel does, and a body that is not stopped. */
Test(body, request_goes_on_behind_its_answer) {
    struct pair *pair = pair_open(&usual_settings);
    struct talk *asked = ask(pair, POST, false);
    pump(pair);
    struct talk *got = pair->server.talks[0];
    begin(got);
    cr_assert(http2_stream_end(&got->stream, nothing));
    cr_assert_neq(http2_session_flush(pair->server.session), HTTP2_NO_MEMORY);
    pump(pair);
    cr_assert(asked->ended, "the client has the whole answer");
    cr_assert(!asked->closed && got->stream.out_left_whole);
    cr_assert(http2_stream_send(&asked->stream, bytes_of_string("more")));
    cr_assert(http2_stream_end(&asked->stream, nothing));
    cr_assert_neq(http2_session_flush(pair->client.session), HTTP2_NO_MEMORY);
    pump(pair);
    cr_assert(got->ended && got->closed);
    cr_assert_eq(got->body.size, 4);
    cr_assert_eq(got->error, HTTP2_NO_ERROR);
    pair_close(pair);
}
