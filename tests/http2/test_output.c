#include "pair.h"
#include "wire.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define OK "HTTP/1.1 200 OK\r\n\r\n"

static const struct bytes nothing;

static uint8_t zeros[1 << 20];

static void begin_answer(struct talk *talk) {
    cr_assert(http2_stream_head(&talk->stream, bytes_of_string(OK), false));
}

/* Sends without end, as there is room. */
static void send_on(struct talk *talk) {
    size_t room;
    while ((room = http2_stream_room(&talk->stream)) > 0) {
        cr_assert(http2_stream_send(&talk->stream, bytes_of(zeros, room)));
    }
}

static void begin_endless(struct talk *talk) {
    begin_answer(talk);
    send_on(talk);
}

/* Opens a server with endless answers; `heads` asks for them. */
static void open_endless(struct side *side, const char *heads, size_t room) {
    struct buffer input = {0};
    side_open(side, true, &usual_settings);
    side->on_head = begin_endless;
    side->on_room = send_on;
    side->room = room;
    buffer_append_string(&input, WIRE_PREFACE);
    wire_write(&input, "SETTINGS s:4=0x7fffffff; WINDOW w:0x7fff0000");
    wire_write(&input, heads);
    give(side, bytes_of(input.data, input.size));
    free(input.data);
}

static void flush(struct side *side) {
    cr_assert_eq(http2_session_flush(side->session), HTTP2_GOES_ON);
}

/* Adds the DATA of what has left to `sizes`, by stream ID, and lets the client read it. */
static void count_data(struct side *side, size_t sizes[static 64]) {
    struct bytes out = bytes_of(side->out.data, side->out.size);
    struct wire_frame frame;
    while (wire_read(&out, &frame)) {
        if (frame.type == 0) {
            sizes[frame.stream] += frame.payload.size;
        }
    }
    side->out.size = 0;
}

/* Three streams of one urgency get the same, whatever they say of being incremental. */
Test(output, streams_take_turns) {
    struct side side;
    size_t sizes[64] = {0};
    open_endless(&side, "HEADERS+ES+EH@1 GET; HEADERS+ES+EH@3 GET f:priority=i; HEADERS+ES+EH@5 GET f:priority=u=3", 20000);
    for (unsigned i = 0; i < 300; i++) {
        count_data(&side, sizes);
        flush(&side);
    }
    size_t most = sizes[1] > sizes[3] ? sizes[1] : sizes[3];
    most = most > sizes[5] ? most : sizes[5];
    for (unsigned id = 1; id <= 5; id += 2) {
        cr_assert_gt(sizes[id], most / 2, "%zu %zu %zu", sizes[1], sizes[3], sizes[5]);
    }
    side_close(&side);
}

/* RFC 9218 section 4.1. */
Test(output, urgent_streams_go_first) {
    struct side side;
    size_t sizes[64] = {0};
    open_endless(&side, "HEADERS+ES+EH@1 GET f:priority=u=5; HEADERS+ES+EH@3 GET f:priority=u=1; HEADERS+ES+EH@5 GET",
                 20000);
    flush(&side);
    size_t first[64] = {0};
    count_data(&side, first);
    for (unsigned i = 0; i < 100; i++) {
        flush(&side);
        count_data(&side, sizes);
    }
    cr_assert_eq(side.talks[1]->stream.urgency, 1);
    cr_assert_gt(sizes[3], 1000000, "%zu %zu %zu", sizes[1], sizes[3], sizes[5]);
    cr_assert_lt(sizes[1] + sizes[5], 200000, "%zu %zu %zu", sizes[1], sizes[3], sizes[5]);
    side_close(&side);
}

/* RFC 9218 section 7: a stream's urgency may change. */
Test(output, priority_update) {
    struct side side;
    size_t sizes[64] = {0};
    open_endless(&side, "PRIUP w:1 x:753d32; HEADERS+ES+EH@1 GET f:priority=u=6; HEADERS+ES+EH@3 GET", 20000);
    cr_assert_eq(side.talks[0]->stream.urgency, 2, "it came before the request");
    struct buffer input = {0};
    wire_write(&input, "PRIUP w:1 x:753d37");
    give(&side, bytes_of(input.data, input.size));
    cr_assert_eq(side.talks[0]->stream.urgency, 7);
    size_t first[64] = {0};
    count_data(&side, first);
    for (unsigned i = 0; i < 100; i++) {
        flush(&side);
        count_data(&side, sizes);
    }
    cr_assert_gt(sizes[3], 1000000);
    cr_assert_lt(sizes[1], 100000);
    free(input.data);
    side_close(&side);
}

/* A stream has at most one piece here, and what cannot leave is no more than the room that was told. */
Test(output, memory_has_its_bound_when_the_client_does_not_read) {
    struct side side;
    char heads[8192] = "";
    for (unsigned i = 0; i < 100; i++) {
        size_t size = strlen(heads);
        snprintf(heads + size, sizeof heads - size, "HEADERS+ES+EH@%u GET;", 2 * i + 1);
    }
    open_endless(&side, heads, 50000);
    for (unsigned i = 0; i < 10; i++) {
        flush(&side);
    }
    cr_assert_eq(side.begun, 100);
    cr_assert_lt(side.out.size, 50000 + 16 * 1024);
    cr_assert_lt(http2_session_memory(side.session), 200 * 1024, "%zu", http2_session_memory(side.session));
    side_close(&side);
}

/* An answer that waits for the window of its stream takes no room from the others. */
Test(output, shut_windows_of_others_do_not_matter) {
    struct side side;
    struct buffer input = {0};
    size_t sizes[64] = {0};
    side_open(&side, true, &usual_settings);
    side.room = 20000;
    buffer_append_string(&input, WIRE_PREFACE);
    wire_write(&input, "SETTINGS s:4=0; HEADERS+ES+EH@1 GET; HEADERS+ES+EH@3 GET; WINDOW@3 w:50000");
    give(&side, bytes_of(input.data, input.size));
    begin_answer(side.talks[0]);
    cr_assert(http2_stream_send(&side.talks[0]->stream, bytes_of(zeros, 30000)));
    side.on_room = send_on;
    begin_endless(side.talks[1]);
    for (unsigned i = 0; i < 10; i++) {
        count_data(&side, sizes);
        flush(&side);
    }
    cr_assert_eq(sizes[1], 0);
    cr_assert_eq(sizes[3], 50000, "%zu", sizes[3]);
    free(input.data);
    side_close(&side);
}

/* The window of a stream is zero, and then one byte at a time. */
Test(output, tiny_windows) {
    struct side side;
    struct buffer input = {0};
    size_t sizes[64] = {0};
    side_open(&side, true, &usual_settings);
    side.on_head = begin_endless;
    side.on_room = send_on;
    buffer_append_string(&input, WIRE_PREFACE);
    wire_write(&input, "SETTINGS s:4=0; HEADERS+ES+EH@1 GET");
    give(&side, bytes_of(input.data, input.size));
    cr_assert_eq(http2_stream_room(&side.talks[0]->stream), 0);
    count_data(&side, sizes);
    cr_assert_eq(sizes[1], 0);
    input.size = 0;
    wire_write(&input, "WINDOW@1 w:1");
    for (unsigned i = 1; i <= 100; i++) {
        give(&side, bytes_of(input.data, input.size));
        count_data(&side, sizes);
        cr_assert_eq(sizes[1], i);
    }
    free(input.data);
    side_close(&side);
}

/* RFC 9113 section 6.9.2: a window may become negative. */
Test(output, window_becomes_negative) {
    struct side side;
    struct buffer input = {0};
    size_t sizes[64] = {0};
    side_open(&side, true, &usual_settings);
    side.on_head = begin_endless;
    side.on_room = send_on;
    buffer_append_string(&input, WIRE_PREFACE);
    wire_write(&input, "SETTINGS s:4=1000; HEADERS+ES+EH@1 GET; SETTINGS s:4=10");
    give(&side, bytes_of(input.data, input.size));
    count_data(&side, sizes);
    size_t before = sizes[1];
    input.size = 0;
    wire_write(&input, "WINDOW@1 w:900");
    give(&side, bytes_of(input.data, input.size));
    count_data(&side, sizes);
    input.size = 0;
    wire_write(&input, "WINDOW@1 w:200");
    give(&side, bytes_of(input.data, input.size));
    count_data(&side, sizes);
    cr_assert_leq(before, 1000);
    cr_assert_eq(sizes[1], 1110, "%zu", sizes[1]);
    free(input.data);
    side_close(&side);
}

/* Frames fit the records of TLS, and are as large as they may be. */
Test(output, frames_of_a_large_answer) {
    struct side side;
    open_endless(&side, "HEADERS+ES+EH@1 GET", 1 << 20);
    struct bytes out = bytes_of(side.out.data, side.out.size);
    struct wire_frame frame;
    size_t largest = 0;
    while (wire_read(&out, &frame)) {
        largest = frame.type == 0 && frame.payload.size > largest ? frame.payload.size : largest;
    }
    cr_assert_eq(largest, 16 * 1024 - 9);
    side_close(&side);
}

/* The pieces leave without waiting for more. */
Test(output, events_leave_at_once) {
    struct pair *pair = pair_open(&usual_settings);
    struct talk *asked = ask(pair, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", true);
    pump(pair);
    struct talk *came = pair->server.talks[0];
    begin_answer(came);
    pump(pair);
    cr_assert_eq(asked->heads, 1);
    for (unsigned i = 1; i <= 10; i++) {
        cr_assert(http2_stream_send(&came->stream, bytes_of_string("event")));
        pump(pair);
        cr_assert_eq(asked->body.size, 5 * i);
    }
    cr_assert(http2_stream_end(&came->stream, nothing));
    pump(pair);
    cr_assert(asked->closed);
    pair_close(pair);
}

/* An answer that has fewer bytes than its Content-Length says, or more, is what the origin made of it. */
Test(output, last_piece_waits_for_the_end_or_a_flush) {
    struct pair *pair = pair_open(&usual_settings);
    struct talk *asked = ask(pair, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", true);
    pump(pair);
    struct talk *came = pair->server.talks[0];
    cr_assert(http2_stream_head(&came->stream, bytes_of_string("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), false));
    size_t before = pair->server.out.size;
    cr_assert(http2_stream_send(&came->stream, bytes_of_string("hello")));
    cr_assert_eq(pair->server.out.size, before);
    pump(pair);
    cr_assert_eq(asked->body.size, 5);
    cr_assert_not(asked->ended);
    cr_assert(http2_stream_end(&came->stream, nothing));
    pump(pair);
    cr_assert(asked->ended && asked->closed);
    pair_close(pair);
}

Test(output, large_heads_are_continued) {
    struct http2_settings settings = usual_settings;
    settings.head_size_max = 100000;
    struct pair *pair = pair_open(&settings);
    static char head[60000];
    memset(head, 'x', sizeof head);
    memcpy(head, "HTTP/1.1 200 OK\r\nX-Large: ", 26);
    memcpy(head + sizeof head - 5, "\r\n\r\n", 5);
    struct talk *asked = ask(pair, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", true);
    pump(pair);
    cr_assert(http2_stream_head(&pair->server.talks[0]->stream, bytes_of_string(head), true));
    pump(pair);
    cr_assert_eq(asked->heads, 1);
    cr_assert(asked->closed);
    pair_close(pair);
}

/* A reset while the piece waits; and the session goes on. */
Test(output, reset_with_bytes_that_wait) {
    struct pair *pair = pair_open(&usual_settings);
    struct talk *asked = ask(pair, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", true);
    pump(pair);
    struct talk *came = pair->server.talks[0];
    begin_answer(came);
    cr_assert(http2_stream_send(&came->stream, bytes_of(zeros, 100000)));
    cr_assert_gt(came->stream.out.size, 30000);
    http2_stream_reset(&came->stream, HTTP2_INTERNAL_ERROR);
    pump(pair);
    cr_assert(asked->closed && asked->error == HTTP2_INTERNAL_ERROR);
    pair_close(pair);
}
