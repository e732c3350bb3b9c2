/* Requests that an origin of HTTP/2 has not begun, and says so (RFC 9113 sections 6.8 and 8.7). */
#include "frames.h"
#include "http2/stream.h"
#include "scene.h"

#include <criterion/criterion.h>

#define CHUNKED_HEAD "POST /x HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"

/* A request that the origin has not begun goes again, with its body. */
static bool hello_to_four(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    if (!frame_ends(frame)) {
        return true;
    }
    return frame->stream < 5 ? frames_reset(socket, frame->stream, HTTP2_REFUSED_STREAM)
                             : frames_hello(socket, frame->stream);
}

Test(refusals, a_stream_that_is_refused_goes_again) {
    static const uint8_t piece[1000];
    struct call call = {0};

    begin_http2(hello_to_four);
    call_start(&call, &bench, CHUNKED_HEAD, HTTP_CHUNKED, false);
    relay_exchange_body(call.exchange, bytes_of(piece, sizeof piece));
    relay_exchange_body_end(call.exchange);
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    cr_assert_eq(atomic_load(&script.body), 3000);
    cr_assert_eq(events(STATS_ORIGIN_REPLACED), 2);
    finish();
}

static bool refuse_all(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    return frames_reset(socket, frame->stream, HTTP2_REFUSED_STREAM);
}

Test(refusals, an_origin_that_refuses_all_is_busy) {
    struct call call = {0};

    begin_http2(refuse_all);
    call_run_get(&call, &bench);
    cr_assert(call.failed);
    cr_assert_eq(call.error, RELAY_BUSY);
    cr_assert_eq(call.fault, RELAY_FAULT_BUSY);
    cr_assert_eq(results(STATS_ORIGIN_BUSY), 1);
    cr_assert_eq(atomic_load(&script.requests), 1 + RELAY_REFUSALS_MAX);
    finish();
}

/* Each connection takes one request, and leaves out all others, which have come with it. */
static bool take_one(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    return frame->stream > 1 || (frames_goaway(socket, 1, HTTP2_NO_ERROR) && frames_hello(socket, 1));
}

Test(refusals, an_origin_that_takes_one_of_each_connection_loses_none) {
    struct call calls[8] = {0};

    begin_http2(take_one);
    for (size_t i = 0; i < ARRAY_LENGTH(calls); i++) {
        call_start(&calls[i], &bench, GET_HEAD, HTTP_NO_BODY, false);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(calls); i++) {
        bench_until(&bench, &calls[i].done);
        cr_assert(calls[i].ended, "%zu", i);
    }
    cr_assert_eq(atomic_load(&fake.accepted), ARRAY_LENGTH(calls));
    finish();
}

/* No connection takes any. */
static bool take_none(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    return frames_goaway(socket, 0, HTTP2_NO_ERROR);
}

Test(refusals, an_origin_that_always_goes_away_is_busy) {
    struct call call = {0};

    begin_http2(take_none);
    call_run_get(&call, &bench);
    cr_assert(call.failed);
    cr_assert_eq(call.fault, RELAY_FAULT_BUSY);
    cr_assert_eq(atomic_load(&fake.accepted), 1 + RELAY_REFUSALS_MAX);
    finish();
}

/* The first connection takes the first request only. */
static bool go_away(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    if (number == 0 && frame->stream == 3) {
        return frames_goaway(socket, 1, HTTP2_NO_ERROR) && frames_hello(socket, 1);
    }
    return number == 0 || frames_hello(socket, frame->stream);
}

Test(refusals, what_a_goaway_leaves_out_goes_elsewhere) {
    struct call calls[4] = {0};

    begin_http2(go_away);
    for (size_t i = 0; i < ARRAY_LENGTH(calls); i++) {
        call_start(&calls[i], &bench, POST_HEAD, HTTP_LENGTH, false);
        relay_exchange_body(calls[i].exchange, bytes_of_string("body"));
        relay_exchange_body_end(calls[i].exchange);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(calls); i++) {
        bench_until(&bench, &calls[i].done);
        cr_assert(calls[i].ended, "%zu", i);
    }
    cr_assert_eq(atomic_load(&fake.accepted), 2);
    finish();
}
