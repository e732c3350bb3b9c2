/* Floods, and the clients that look like them. */
#include "pair.h"
#include "wire.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

struct flood {
    const char *setup; /* once, before the flood */
    const char *frames;
    unsigned most; /* repetitions that are allowed */
    enum http2_excess excess;
};

/* Streams are numbered: each %u is the next odd number. */
static void write_numbered(struct buffer *buffer, const char *frames, unsigned *id) {
    char text[1024];
    size_t size = 0;
    bool numbered = false;
    for (const char *at = frames; *at != '\0'; at++) {
        if (at[0] == '%' && at[1] == 'u') {
            size += (size_t)snprintf(text + size, sizeof text - size, "%u", *id);
            numbered = true;
            at++;
        } else {
            text[size++] = *at;
        }
    }
    text[size] = '\0';
    *id += numbered ? 2 : 0;
    wire_write(buffer, text);
}

static void answer_all(struct talk *talk) {
    cr_assert(http2_stream_head(&talk->stream, bytes_of_string("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), true));
}

static void begin(struct side *side, struct buffer *input) {
    static const struct http2_settings large = {
        .streams_max = 100, .head_size_max = 32 * 1024, .stream_window = 65535, .connection_window = 1 << 24};
    side_open(side, true, &large);
    give(side, bytes_of(NULL, 0));
    buffer_append_string(input, WIRE_PREFACE);
    wire_write(input, "SETTINGS; SETTINGS+ACK");
}

static void feed(struct side *side, struct buffer *input) {
    if (side->outcome == HTTP2_GOES_ON) {
        give(side, bytes_of(input->data, input->size));
    }
    input->size = 0;
    side->out.size = 0;                                                /* the client reads all */
    for (size_t i = side->begun; i > TALKS_MAX - 8; i = side->begun) { /* makes room for more */
        for (size_t j = 0; j < side->begun; j++) {
            if (!side->talks[j]->closed && side->talks[j]->refused == 0) {
                return;
            }
        }
        for (size_t j = 0; j < side->begun; j++) {
            free(side->talks[j]->head.data);
            free(side->talks[j]->body.data);
            free(side->talks[j]->trailers.data);
            free(side->talks[j]);
        }
        side->begun = 0;
    }
}

/* Sends the frames `times` times. Returns how many times passed before the session ended. */
static unsigned run(const struct flood *flood, unsigned times, enum http2_excess *excess) {
    struct side side;
    struct buffer input = {0};
    unsigned id = 1;
    unsigned passed = 0;
    begin(&side, &input);
    write_numbered(&input, flood->setup, &id);
    feed(&side, &input);
    while (passed < times && side.outcome == HTTP2_GOES_ON) {
        write_numbered(&input, flood->frames, &id);
        feed(&side, &input);
        passed += side.outcome == HTTP2_GOES_ON;
    }
    *excess = http2_session_excess(side.session);
    cr_assert(side.outcome == (passed < times ? HTTP2_OVER : HTTP2_GOES_ON));
    free(input.data);
    side_close(&side);
    return passed;
}

static const struct flood floods[] = {
    {"", "HEADERS+ES+EH@%u GET; RST@%u w:8", HTTP2_RESETS, HTTP2_EXCESS_RESETS},
    {"", "HEADERS+ES+EH@%u f::method=GET", HTTP2_FAULTS, HTTP2_EXCESS_FAULTS},
    {"", "HEADERS+EH@%u POST f:content-length=1; DATA+ES@%u n:2", HTTP2_FAULTS, HTTP2_EXCESS_FAULTS},
    {"", "HEADERS+ES+EH@%u GET f:host=b", HTTP2_FAULTS, HTTP2_EXCESS_FAULTS},
    {"", "HEADERS+ES+EH@%u GET; WINDOW@%u w:0", HTTP2_FAULTS, HTTP2_EXCESS_FAULTS},
    {"", "HEADERS+EH@%u POST; WINDOW@%u w:0x7fffffff", HTTP2_FAULTS, HTTP2_EXCESS_FAULTS},
    {"", "HEADERS+ES+EH@%u GET f:transfer-encoding=chunked", HTTP2_FAULTS, HTTP2_EXCESS_FAULTS},
    {"", "SETTINGS s:4=65535", HTTP2_SETTINGS - 2, HTTP2_EXCESS_SETTINGS},
    {"", "PING n:8", HTTP2_PINGS, HTTP2_EXCESS_PINGS},
    {"", "PING+ACK n:8", HTTP2_PINGS, HTTP2_EXCESS_PINGS},
    {"", "PRIORITY@1 w:3 x:10", HTTP2_PRIORITIES, HTTP2_EXCESS_PRIORITIES},
    {"", "PRIUP w:1 x:753d31", HTTP2_PRIORITIES, HTTP2_EXCESS_PRIORITIES},
    {"HEADERS+EH@%u POST", "DATA@1", HTTP2_EMPTY_FRAMES / HTTP2_EMPTY_POINTS, HTTP2_EXCESS_EMPTY_FRAMES},
    {"HEADERS+EH@%u POST", "DATA+PAD@1 x:ff n:255", HTTP2_EMPTY_FRAMES / HTTP2_EMPTY_POINTS, HTTP2_EXCESS_EMPTY_FRAMES},
    {"HEADERS+EH@%u POST", "DATA@1 n:1", HTTP2_EMPTY_FRAMES, HTTP2_EXCESS_EMPTY_FRAMES},
    {"HEADERS+EH@%u POST", "WINDOW@1 w:1", HTTP2_WINDOW_UPDATES + HTTP2_UPDATES_FOR_FRAME, HTTP2_EXCESS_WINDOW_UPDATES},
    {"", "WINDOW w:1", HTTP2_WINDOW_UPDATES, HTTP2_EXCESS_WINDOW_UPDATES},
    {"", "T16 n:1000", HTTP2_UNKNOWN_FRAMES, HTTP2_EXCESS_UNKNOWN_FRAMES},
    {"", "T0c", HTTP2_UNKNOWN_FRAMES, HTTP2_EXCESS_UNKNOWN_FRAMES},
    {"HEADERS+EH@%u POST", "GOAWAY w:0 w:0 n:500", HTTP2_UNKNOWN_FRAMES, HTTP2_EXCESS_UNKNOWN_FRAMES},
};

Test(input, floods) {
    for (size_t i = 0; i < sizeof floods / sizeof floods[0]; i++) {
        enum http2_excess excess;
        unsigned passed = run(&floods[i], floods[i].most + 10, &excess);
        cr_expect_eq(passed, floods[i].most, "%s: %u, expected %u", floods[i].frames, passed, floods[i].most);
        cr_expect_eq(excess, floods[i].excess, "%s: %d", floods[i].frames, (int)excess);
    }
}

/* Frames that come in single bytes move little forward, whatever they are. */
Test(input, crumbs) {
    struct side side;
    struct buffer input = {0};
    unsigned id = 1;
    begin(&side, &input);
    write_numbered(&input, "HEADERS+EH@%u POST", &id);
    for (unsigned i = 0; i < 4; i++) {
        wire_write(&input, "DATA@1 n:16384");
    }
    size_t fed = 0;
    while (fed < input.size && side.outcome == HTTP2_GOES_ON) {
        side.outcome = give(&side, bytes_of((const char *)input.data + fed, 1));
        fed++;
    }
    cr_expect_eq(side.outcome, HTTP2_OVER);
    cr_expect_eq(http2_session_excess(side.session), HTTP2_EXCESS_EMPTY_FRAMES);
    cr_expect(fed > 32768 && fed < 36000, "%zu", fed);
    free(input.data);
    side_close(&side);
}

/* A stream that the owner refuses costs as much as one that the client resets. */
Test(input, flood_of_streams_that_the_owner_refuses) {
    struct side side;
    struct buffer input = {0};
    unsigned id = 1;
    unsigned passed = 0;
    begin(&side, &input);
    side.refuses = true;
    feed(&side, &input);
    while (passed < HTTP2_RESETS + 10 && side.outcome == HTTP2_GOES_ON) {
        write_numbered(&input, "HEADERS+ES+EH@%u GET", &id);
        feed(&side, &input);
        passed += side.outcome == HTTP2_GOES_ON;
    }
    cr_expect_eq(passed, HTTP2_RESETS);
    cr_expect_eq(http2_session_excess(side.session), HTTP2_EXCESS_RESETS);
    free(input.data);
    side_close(&side);
}

/* So does one that the client begins although it has as many as it was told: the others go on (RFC 9113 section 5.1.2). */
Test(input, flood_of_streams_beyond_the_limit) {
    struct side side;
    struct buffer input = {0};
    unsigned id = 1;
    unsigned passed = 0;
    begin(&side, &input);
    feed(&side, &input);
    while (passed < 100 + HTTP2_RESETS + 10 && side.outcome == HTTP2_GOES_ON) {
        write_numbered(&input, "HEADERS+ES+EH@%u GET", &id);
        feed(&side, &input);
        passed += side.outcome == HTTP2_GOES_ON;
    }
    cr_expect_eq(passed, 100 + HTTP2_RESETS);
    cr_expect_eq(http2_session_excess(side.session), HTTP2_EXCESS_RESETS);
    cr_expect_eq(side.begun, 100);
    free(input.data);
    side_close(&side);
}

/* A bomb: one field of 4000 bytes, whose entry is named 16,000 times. It ends in few heads, and costs little. */
Test(input, header_bombs) {
    char value[3901];
    memset(value, 'b', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    struct side side;
    struct buffer input = {0};
    unsigned id = 1;
    unsigned heads = 0;
    begin(&side, &input);
    while (side.outcome == HTTP2_GOES_ON && heads < 100) {
        char text[8192];
        id += 2;
        snprintf(text, sizeof text, "HEADERS+ES@%u GET i:x-a=%s", id, value);
        wire_write(&input, text);
        snprintf(text, sizeof text, "CONT+EH@%u#16000", id);
        wire_write(&input, text);
        static uint8_t indexes[16000];
        memset(indexes, 0xbe, sizeof indexes);
        buffer_append(&input, indexes, sizeof indexes);
        feed(&side, &input);
        heads += side.outcome == HTTP2_GOES_ON;
    }
    cr_assert_eq(http2_session_excess(side.session), HTTP2_EXCESS_HEADS);
    cr_assert_eq(heads, HTTP2_HEADS / HTTP2_HEADS_HOPELESS);
    free(input.data);
    side_close(&side);
}

/* Clients at work. */
static void run_well(const char *setup, const char *frames, unsigned times, bool answer, unsigned for_each_second) {
    struct side side;
    struct buffer input = {0};
    unsigned id = 1;
    begin(&side, &input);
    side.on_end = answer ? answer_all : NULL;
    write_numbered(&input, setup, &id);
    feed(&side, &input);
    for (unsigned i = 0; i < times; i++) {
        write_numbered(&input, frames, &id);
        feed(&side, &input);
        side.now_s += for_each_second > 0 && i % for_each_second == 0;
        cr_assert_eq(side.outcome, HTTP2_GOES_ON, "%s: %d after %u", frames, (int)http2_session_excess(side.session), i);
    }
    free(input.data);
    side_close(&side);
}

Test(input, requests_without_end) {
    run_well("", "HEADERS+ES+EH@%u GET", 20000, true, 0);
}

/* A browser that leaves four pages of 100 images in ten seconds. */
Test(input, cancelled_pages) {
    run_well("", "HEADERS+ES+EH@%u GET; RST@%u w:8", 4000, false, 40);
}

Test(input, one_reset_for_each_answer) {
    run_well("", "HEADERS+EH@%u POST; DATA+ES@%u n:1", 5000, true, 0);
}

/* gRPC: streams of messages of five bytes. */
Test(input, small_messages) {
    run_well("HEADERS+EH@%u POST", "DATA@1 n:5", 10000, false, 0);
}

/* gRPC measures the round trip with a PING for each piece of data. */
Test(input, pings_beside_data) {
    run_well("HEADERS+EH@%u POST", "DATA@1 n:100; PING n:8", 10000, false, 0);
}

Test(input, grease) {
    run_well("", "HEADERS+ES+EH@%u GET; T16 n:8", 5000, true, 0);
}

Test(input, priorities_of_images) {
    run_well("", "HEADERS+ES+EH@%u GET; PRIUP w:1 x:753d31; PRIUP w:1 x:753d32", 5000, true, 0);
}

/* Firefox opens the window of each stream. */
Test(input, windows_of_new_streams) {
    run_well("", "HEADERS+ES+EH@%u GET; WINDOW@%u w:12582912", 5000, true, 0);
}

/* Streams that have lived for a second may be reset without end. */
Test(input, late_resets) {
    struct side side;
    struct buffer input = {0};
    char text[100];
    begin(&side, &input);
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(text, sizeof text, "HEADERS+EH@%u POST", 2 * i + 1);
        wire_write(&input, text);
        if (i >= 99) {
            snprintf(text, sizeof text, "RST@%u w:8", 2 * (i - 99) + 1);
            struct buffer reset = {0};
            wire_write(&reset, text);
            feed(&side, &reset);
            free(reset.data);
        }
        feed(&side, &input);
        side.now_s += i % 100 == 98;
        cr_assert_eq(side.outcome, HTTP2_GOES_ON, "%u: %d", i, (int)http2_session_excess(side.session));
        if (side.begun == TALKS_MAX) {
            break;
        }
    }
    free(input.data);
    side_close(&side);
}

/* The whole answers that a client reads pay for its WINDOW_UPDATE frames. */
static void answer_kilobyte(struct talk *talk) {
    static char body[1024];
    cr_assert(http2_stream_head(&talk->stream, bytes_of_string("HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\n"), false));
    cr_assert(http2_stream_send(&talk->stream, bytes_of(body, sizeof body)));
    cr_assert(http2_stream_end(&talk->stream, bytes_of(NULL, 0)));
}

Test(input, two_window_updates_for_each_frame) {
    struct side side;
    struct buffer input = {0};
    unsigned id = 1;
    begin(&side, &input);
    side.on_end = answer_kilobyte;
    for (unsigned i = 0; i < 5000; i++) {
        write_numbered(&input, "HEADERS+ES+EH@%u GET; WINDOW@%u w:1024; WINDOW w:1024", &id);
        feed(&side, &input);
        cr_assert_eq(side.outcome, HTTP2_GOES_ON, "%d after %u", (int)http2_session_excess(side.session), i);
    }
    free(input.data);
    side_close(&side);
}

/* A stream of small messages, as gRPC has it: each leaves in a frame of its own, and is acknowledged in both windows. */
Test(input, two_window_updates_for_each_small_message) {
    struct side side;
    struct buffer input = {0};
    begin(&side, &input);
    wire_write(&input, "HEADERS+ES+EH@1 GET");
    feed(&side, &input);
    struct http2_stream *stream = &side.talks[0]->stream;
    cr_assert(http2_stream_head(stream, bytes_of_string("HTTP/1.1 200 OK\r\n\r\n"), false));
    for (unsigned i = 0; i < 5000; i++) {
        cr_assert(http2_stream_send(stream, bytes_of("ten bytes!", 10)));
        wire_write(&input, "WINDOW@1 w:10; WINDOW w:10");
        feed(&side, &input);
        cr_assert_eq(side.outcome, HTTP2_GOES_ON, "%d after %u", (int)http2_session_excess(side.session), i);
    }
    free(input.data);
    side_close(&side);
}

/* RFC 9113 section 5.1: frames for a stream that was reset here may have crossed the reset. */
Test(input, frames_that_crossed_a_reset_are_ignored) {
    struct side side;
    struct buffer input = {0};
    begin(&side, &input);
    wire_write(&input, "HEADERS+EH@1 POST; DATA@1 n:100");
    feed(&side, &input);
    http2_stream_reset(&side.talks[0]->stream, HTTP2_CANCEL);
    wire_write(&input, "DATA@1 n:100; WINDOW@1 w:100; HEADERS+ES+EH@1 f:x-sum=1; RST@1 w:8; HEADERS+ES+EH@3 GET");
    feed(&side, &input);
    cr_assert_eq(side.outcome, HTTP2_GOES_ON);
    cr_assert_eq(side.begun, 2);
    free(input.data);
    side_close(&side);
}

/* Uploads that are answered early are reset in one turn, with the trailers of all of them on their way. */
Test(input, trailers_that_crossed_many_resets_are_ignored) {
    struct side side;
    struct buffer input = {0};
    char text[100];
    begin(&side, &input);
    for (unsigned id = 1; id < 100; id += 2) {
        snprintf(text, sizeof text, "HEADERS+EH@%u POST", id);
        wire_write(&input, text);
    }
    feed(&side, &input);
    cr_assert_eq(side.begun, 50);
    for (size_t i = 0; i < side.begun; i++) {
        http2_stream_reset(&side.talks[i]->stream, HTTP2_NO_ERROR);
    }
    for (unsigned id = 1; id < 100; id += 2) {
        snprintf(text, sizeof text, "DATA@%u n:10; HEADERS+ES+EH@%u f:x-sum=1", id, id);
        wire_write(&input, text);
    }
    wire_write(&input, "HEADERS+ES+EH@101 GET");
    feed(&side, &input);
    cr_expect_eq(side.outcome, HTTP2_GOES_ON);
    cr_expect_eq(side.begun, 51);
    for (unsigned i = 0; i < HTTP2_FAULTS && side.outcome == HTTP2_GOES_ON; i++) { /* but not without end */
        wire_write(&input, "HEADERS+ES+EH@1 f:x-sum=1");
        feed(&side, &input);
    }
    cr_expect_eq(side.outcome, HTTP2_OVER);
    cr_expect_eq(http2_session_excess(side.session), HTTP2_EXCESS_FAULTS);
    free(input.data);
    side_close(&side);
}
