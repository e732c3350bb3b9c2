/* Exchanges with an origin that speaks HTTP/2. */
#include "frames.h"
#include "http2/stream.h"
#include "scene.h"

#include <criterion/criterion.h>

#define CHUNKED_HEAD "POST /x HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"

static bool say_nothing(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    return true;
}

static void run_get(struct call *call) {
    call_run_get(call, &bench);
}

Test(http2, requests_share_a_connection) {
    begin_http2(say_hello);
    for (int i = 0; i < 3; i++) {
        struct call call = {0};

        run_get(&call);
        cr_assert(call.ended);
        cr_assert_eq(call.status, 200);
        cr_assert_str_eq(call.body, "hello");
        cr_assert_eq(call.framing, HTTP_CHUNKED);
    }
    cr_assert_eq(atomic_load(&fake.accepted), 1);
    cr_assert_eq(events(STATS_ORIGIN_OPENED), 1);
    cr_assert_eq(events(STATS_ORIGIN_REUSED), 2);
    cr_assert_eq(results(STATS_ORIGIN_COMPLETED), 3);
    finish();
    cr_assert_eq(atomic_load(&script.resets), 0);
}

/* Answers only when all have come. */
static bool say_hello_to_fifty(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    if (atomic_load(&script.requests) == 50) {
        for (uint32_t stream = 99; stream <= 99; stream -= 2) {
            frames_hello(socket, stream);
        }
    }
    return true;
}

Test(http2, many_are_under_way_at_once) {
    static struct call calls[50];

    begin_http2(say_hello_to_fifty);
    for (size_t i = 0; i < ARRAY_LENGTH(calls); i++) {
        call_start(&calls[i], &bench, GET_HEAD, HTTP_NO_BODY, true);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(calls); i++) {
        bench_until(&bench, &calls[i].done);
        cr_assert_str_eq(calls[i].body, "hello");
    }
    cr_assert_eq(atomic_load(&fake.accepted), 1);
    finish();
}

static bool answer_without_body(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    return frames_head(socket, frame->stream, 200, true);
}

Test(http2, an_answer_may_have_no_body) {
    struct call call = {0};

    begin_http2(answer_without_body);
    run_get(&call);
    cr_assert(call.ended);
    cr_assert_eq(call.framing, HTTP_LENGTH);
    cr_assert_eq(call.message.content_length, 0);
    finish();
}

/* Echoes DATA; lets more come when the test says so. */
static bool echo(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    if (frame->type == FRAME_HEADERS) {
        return frame_ends(frame) ? frame_send(socket, FRAME_DATA, FRAME_END_STREAM, frame->stream, NULL, 0)
                                 : frames_head(socket, frame->stream, 200, false);
    }
    if (atomic_load(&script.body) == 65535) {
        fake_wait(origin, 1);
    }
    if (atomic_load(&script.body) >= 65535) {
        frames_window(socket, 0, 1 << 20);
        frames_window(socket, frame->stream, 1 << 20);
    }
    return frame_send(socket, FRAME_DATA, frame->flags & FRAME_END_STREAM, frame->stream, frame->payload, frame->size);
}

static void give(struct call *call, size_t from, size_t size) {
    uint8_t piece[4096];

    cr_assert_leq(size, sizeof piece);
    pattern_fill(piece, from, size);
    relay_exchange_body(call->exchange, bytes_of(piece, size));
}

Test(http2, a_request_body_goes_as_far_as_the_windows_allow) {
    enum { SIZE = 1 << 20 };
    struct call call = {0};
    size_t given = 4096;

    begin_http2(echo);
    call_start(&call, &bench, CHUNKED_HEAD, HTTP_CHUNKED, false);
    cr_assert_eq(relay_exchange_room(call.exchange), 0);
    give(&call, 0, 4096); /* before there is a connection */
    bench_until(&bench, &call.got_head);
    cr_assert(call.was_drained);
    while (given < SIZE && relay_exchange_room(call.exchange) > 0) {
        give(&call, given, 4096);
        given += 4096;
        bench_turn_for(&bench, 1);
    }
    cr_assert_geq(given, 65535);
    cr_assert_leq(given, 65535 + 2 * 4096);
    call.was_drained = false;
    bench_turn_for(&bench, 50);
    cr_assert_not(call.was_drained);
    atomic_store(&fake.signal, 1);
    while (given < SIZE) {
        if (relay_exchange_room(call.exchange) == 0) {
            call.was_drained = false;
            bench_until(&bench, &call.was_drained);
        }
        give(&call, given, 4096);
        given += 4096;
    }
    relay_exchange_body_end(call.exchange);
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    cr_assert_eq(call.body_size, SIZE);
    cr_assert_not(call.pattern_broken);
    finish();
}

static bool end_with_trailer(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    return !frame_ends(frame) ||
           (frames_head(socket, frame->stream, 200, false) && frames_trailer(socket, frame->stream, "grpc-status", "0"));
}

Test(http2, trailers_come_to_those_that_want_them) {
    struct relay_request request = {.host = &bench.host, .head = bytes_of_string(GET_HEAD), .idempotent = true};
    struct call plain = {0}, wants = {0};

    begin_http2(end_with_trailer);
    call_start_request(&plain, &bench, &request);
    request.trailers = true;
    call_start_request(&wants, &bench, &request);
    bench_until(&bench, &plain.done);
    bench_until(&bench, &wants.done);
    cr_assert(plain.ended && wants.ended);
    cr_assert_str_eq(plain.trailers, "");
    cr_assert_eq(strncmp(wants.trailers, "grpc-status: 0\r\n", 16), 0, "%s", wants.trailers);
    finish();
}

/* Trailers are given before, and after there is a connection. */
Test(http2, trailers_of_requests_come_last) {
    struct call early = {0}, late = {0};

    begin_http2(end_with_trailer);
    call_start(&early, &bench, CHUNKED_HEAD, HTTP_CHUNKED, false);
    give(&early, 0, 100);
    relay_exchange_body_end_with(early.exchange, bytes_of_string("x-sum: 1\r\n"));
    bench_until(&bench, &early.done);
    cr_assert(early.ended);
    cr_assert_eq(atomic_load(&script.requests), 2);
    cr_assert_eq(atomic_load(&script.body), 100);
    call_start(&late, &bench, CHUNKED_HEAD, HTTP_CHUNKED, false);
    give(&late, 0, 100);
    relay_exchange_body_end_with(late.exchange, bytes_of_string("x-sum: 1\r\n"));
    bench_until(&bench, &late.done);
    cr_assert(late.ended);
    cr_assert_eq(atomic_load(&script.requests), 4);
    finish();
}

static unsigned interim_count;

static bool say_interim(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    frames_head(socket, frame->stream, 100, false);
    for (unsigned i = 0; i < interim_count; i++) {
        frames_head(socket, frame->stream, 103, false);
    }
    return frames_hello(socket, frame->stream);
}

Test(http2, informational_responses_pass) {
    struct call call = {0}, many = {0};

    begin_http2(say_interim);
    interim_count = 3;
    run_get(&call);
    cr_assert(call.ended);
    cr_assert_eq(call.interim, 3);
    interim_count = RELAY_INTERIM_MAX;
    run_get(&many);
    cr_assert(many.failed);
    cr_assert_eq(many.fault, RELAY_FAULT_TOO_MANY_INTERIM);
    finish();
}

/* A head with so many fields whose values have that size: in CONTINUATION frames as it must be. */
static unsigned field_count;
static size_t value_size;

static bool send_long_head(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    static uint8_t block[256 * 1024];
    uint8_t *to = block;

    *to++ = 0x88; /* :status 200 */
    for (unsigned i = 0; i < field_count; i++) {
        size_t left = value_size - 127;

        memcpy(to, "\0\1a", 3);
        to += 3;
        /* An integer of a prefix of seven bits (RFC 7541 section 5.1). */
        for (*to++ = 127; left >= 128; left /= 128) {
            *to++ = (uint8_t)(left % 128 + 128);
        }
        *to++ = (uint8_t)left;
        memset(to, 'v', value_size);
        to += value_size;
    }
    size_t size = (size_t)(to - block), at = 0;
    do {
        size_t part = size - at < FRAME_SIZE_MAX ? size - at : FRAME_SIZE_MAX;

        frame_send(socket, at == 0 ? FRAME_HEADERS : FRAME_CONTINUATION, at + part == size ? FRAME_END_HEADERS : 0,
                   frame->stream, block + at, part);
        at += part;
    } while (at < size);
    return frames_data(socket, frame->stream, "hello", true);
}

static enum relay_fault fault_of_head(unsigned count, size_t size) {
    struct call call = {0};

    field_count = count;
    value_size = size;
    run_get(&call);
    cr_assert(call.ended || call.error == RELAY_BAD_RESPONSE);
    return call.fault;
}

Test(http2, heads_are_bounded) {
    begin_http2(send_long_head);
    cr_assert_eq(fault_of_head(99, 200), RELAY_FAULT_NONE);
    cr_assert_eq(fault_of_head(101, 200), RELAY_FAULT_TOO_MANY_HEADERS);
    cr_assert_eq(fault_of_head(6, 10000), RELAY_FAULT_NONE);
    cr_assert_eq(fault_of_head(8, 10000), RELAY_FAULT_TOO_LARGE);
    cr_assert_eq(atomic_load(&fake.accepted), 1);
    finish();
}

/* Resets every other stream, with the code that the test has chosen, `in_body` or at once. */
static uint32_t reset_code;
static bool reset_in_body;

static bool reset_some(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    if (frame->stream % 4 == 3) {
        return frames_hello(socket, frame->stream);
    }
    if (reset_in_body) {
        frames_head(socket, frame->stream, 200, false);
        frames_data(socket, frame->stream, "hel", false);
    }
    return frames_reset(socket, frame->stream, reset_code);
}

static void run_reset(bool in_body) {
    struct call one = {0}, other = {0};

    memset(&script, 0, sizeof script);
    reset_code = HTTP2_INTERNAL_ERROR;
    reset_in_body = in_body;
    begin_http2(reset_some);
    call_start(&one, &bench, GET_HEAD, HTTP_NO_BODY, true);
    call_start(&other, &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_until(&bench, &one.done);
    bench_until(&bench, &other.done);
    cr_assert(one.failed);
    cr_assert_eq(one.error, RELAY_BROKEN);
    cr_assert_eq(one.fault, RELAY_FAULT_RESET);
    cr_assert_eq(one.got_head, in_body);
    cr_assert(other.ended);
    cr_assert_eq(atomic_load(&fake.accepted), 1);
    finish();
}

static bool answer_malformed(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    if (frame->type != FRAME_HEADERS) {
        return true;
    }
    return frames_head(socket, frame->stream, 204, false) && frames_data(socket, frame->stream, "body", true);
}

/* RFC 9113 section 8.1.1: the stream is reset from here, and the origin is to blame for more than a reset. */
Test(http2, a_malformed_response_is_no_reset_of_the_origin) {
    struct call call = {0};

    begin_http2(answer_malformed);
    call_start(&call, &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_until(&bench, &call.done);
    cr_assert(call.failed);
    cr_assert_eq(call.error, RELAY_BAD_RESPONSE);
    cr_assert_eq(call.fault, RELAY_FAULT_HTTP2, "%s", relay_fault_name(call.fault));
    finish();
}

Test(http2, a_stream_that_is_reset_fails_alone) {
    run_reset(false);
    run_reset(true);
}

/* Closes at the second request of a connection. */
static bool close_at_second(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    return frame->stream == 1 && (!frame_ends(frame) || frames_hello(socket, 1));
}

Test(http2, an_idempotent_request_survives_the_end_of_a_used_connection) {
    struct call first = {0}, second = {0}, post = {0};

    begin_http2(close_at_second);
    run_get(&first);
    run_get(&second);
    cr_assert(first.ended && second.ended);
    cr_assert_eq(events(STATS_ORIGIN_REPLACED), 1);
    cr_assert_eq(atomic_load(&fake.accepted), 2);
    call_start(&post, &bench, POST_HEAD, HTTP_LENGTH, false);
    relay_exchange_body(post.exchange, bytes_of_string("body"));
    relay_exchange_body_end(post.exchange);
    bench_until(&bench, &post.done);
    cr_assert(post.failed);
    cr_assert_eq(post.error, RELAY_BROKEN);
    finish();
}

static bool close_in_body(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    frames_head(socket, frame->stream, 200, false);
    frames_data(socket, frame->stream, "hel", false);
    return false;
}

Test(http2, an_answer_that_breaks_off_fails) {
    struct call call = {0};

    begin_http2(close_in_body);
    run_get(&call);
    cr_assert(call.failed && call.got_head);
    cr_assert_eq(call.fault, RELAY_FAULT_TRUNCATED);
    finish();
}

static void say_http1(struct fake_origin *origin, int socket, int number) {
    fake_say(socket, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    fake_wait(origin, 1);
}

Test(http2, an_origin_that_speaks_something_else_is_found_out) {
    struct call call = {0};

    fake_origin_start(&fake, 0, say_http1, NULL);
    bench_create_http2(&bench, NULL, &fake.port, 1);
    run_get(&call);
    cr_assert(call.failed);
    cr_assert_eq(call.error, RELAY_BAD_RESPONSE);
    cr_assert_eq(call.fault, RELAY_FAULT_HTTP2);
    finish();
}

/* The first stream has an answer without end. */
static bool begin_long_answer(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    if (frame->stream != 1) {
        return frames_hello(socket, frame->stream);
    }
    return frames_head(socket, 1, 200, false) && frames_data(socket, 1, "hel", false);
}

static void abort_call(struct call *call) {
    call_abort(call);
}

static void abort_by_piece(struct call *call, size_t size) {
    call_abort(call);
}

static void run_abort(bool in_head, bool in_body) {
    struct call call = {0};

    memset(&script, 0, sizeof script);
    begin_http2(begin_long_answer);
    call.on_head = in_head ? abort_call : NULL;
    call.on_body = in_body ? abort_by_piece : NULL;
    call_start(&call, &bench, GET_HEAD, HTTP_NO_BODY, true);
    if (in_head || in_body) {
        bench_until(&bench, &call.aborted);
    } else {
        bench_until(&bench, &call.got_head);
        call_abort(&call);
    }
    call_get(&bench, 200);
    cr_assert_eq(atomic_load(&script.resets), 1);
    cr_assert_eq(atomic_load(&script.reset_code), HTTP2_CANCEL);
    cr_assert_eq(atomic_load(&fake.accepted), 1);
    cr_assert_eq(results(STATS_ORIGIN_ABORTED), 1);
    finish();
}

Test(http2, an_abort_resets_one_stream) {
    run_abort(false, false);
    run_abort(true, false);
    run_abort(false, true);
}

Test(http2, can_be_aborted_before_it_is_connected) {
    struct call call = {0};

    begin_http2(say_hello);
    call_start(&call, &bench, GET_HEAD, HTTP_NO_BODY, true);
    call_abort(&call);
    call_get(&bench, 200);
    cr_assert_eq(atomic_load(&script.requests), 1);
    finish();
}

/* Sends to each stream as much as the windows of HTTP/2 allow, 16 KiB at a time and in turns. */
static bool send_in_turns(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    uint8_t piece[FRAME_SIZE_MAX];

    if (frame->stream < 3) {
        return true;
    }
    frames_head(socket, 1, 200, false);
    frames_head(socket, 3, 200, false);
    for (size_t i = 0; i < RELAY_STREAM_WINDOW; i += sizeof piece) {
        pattern_fill(piece, i, sizeof piece);
        frame_send(socket, FRAME_DATA, i + sizeof piece == RELAY_STREAM_WINDOW, 1, piece, sizeof piece);
        frame_send(socket, FRAME_DATA, i + sizeof piece == RELAY_STREAM_WINDOW, 3, piece, sizeof piece);
    }
    return true;
}

static void pause_call(struct call *call) {
    relay_exchange_pause(call->exchange);
}

Test(http2, a_pause_holds_back_one_stream) {
    struct call paused = {.on_head = pause_call}, other = {0};

    begin_http2(send_in_turns);
    call_start(&paused, &bench, GET_HEAD, HTTP_NO_BODY, true);
    call_start(&other, &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_until(&bench, &other.done);
    cr_assert_eq(other.body_size, RELAY_STREAM_WINDOW);
    cr_assert_not(other.pattern_broken);
    bench_turn_for(&bench, 50);
    cr_assert_eq(paused.body_size, 0);
    relay_exchange_resume(paused.exchange);
    cr_assert_eq(paused.body_size, 0); /* not in the call itself */
    bench_until(&bench, &paused.done);
    cr_assert(paused.ended);
    cr_assert_eq(paused.body_size, RELAY_STREAM_WINDOW);
    cr_assert_not(paused.pattern_broken);
    finish();
}

static bool hello_to_all_but_the_first(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    return frame->stream == 1 || frames_hello(socket, frame->stream);
}

Test(http2, a_silent_stream_times_out_alone) {
    struct call silent = {0};

    begin_http2(hello_to_all_but_the_first);
    bench_be_impatient(&bench, 100);
    call_start(&silent, &bench, GET_HEAD, HTTP_NO_BODY, true);
    while (!silent.done) {
        call_get(&bench, 200);
    }
    cr_assert_eq(silent.error, RELAY_TIMEOUT);
    cr_assert_eq(silent.fault, RELAY_FAULT_TIMED_OUT);
    call_get(&bench, 200);
    cr_assert_eq(atomic_load(&fake.accepted), 1);
    finish();
}

Test(http2, a_connection_on_which_nothing_comes_is_not_used_again) {
    struct call silent = {0}, next = {0};

    begin_http2(say_nothing);
    bench_be_impatient(&bench, 100);
    call_start(&silent, &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_until(&bench, &silent.done);
    cr_assert_eq(silent.error, RELAY_TIMEOUT);
    run_get(&next);
    cr_assert_eq(atomic_load(&fake.accepted), 2);
    finish();
}

Test(http2, a_patient_request_has_no_deadline) {
    struct relay_request request = {
        .host = &bench.host, .head = bytes_of_string(GET_HEAD), .idempotent = true, .patient = true};
    struct call call = {0};

    begin_http2(say_nothing);
    bench_be_impatient(&bench, 50);
    call_start_request(&call, &bench, &request);
    bench_turn_for(&bench, 300);
    cr_assert_not(call.done);
    call_abort(&call);
    finish();
}

/* An origin that says all before it has the request: no more of that is sent. */
static bool answer_at_once(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    return frame->type != FRAME_HEADERS || frames_hello(socket, frame->stream);
}

Test(http2, an_early_answer_ends_the_request) {
    struct call call = {0};

    begin_http2(answer_at_once);
    call_start(&call, &bench, CHUNKED_HEAD, HTTP_CHUNKED, false);
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    call_start(&(struct call){0}, &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_turn_for(&bench, 50);
    cr_assert_eq(atomic_load(&script.resets), 1);
    cr_assert_eq(atomic_load(&fake.accepted), 1);
    finish();
}
