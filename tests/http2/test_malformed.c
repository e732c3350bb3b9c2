/*
 * Sequences of frames that break the rules, or only seem to, with the answer of RFC 9113 and RFC 7541 to each. Where the RFC
 * has a stream error, an error of the connection is allowed too (RFC 9113 section 5.4.2 sets no bound on it): nghttp2 ends
 * the connection for most.
 */
#include "malformed.h"
#include "pair.h"
#include "wire.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* The answer of the session, as far as these tests ask for it. */
struct answer {
    unsigned goaways;
    unsigned resets;
    uint32_t goaway_code;
    uint32_t reset_code;
    bool ping_answered;
    bool response; /* HEADERS for the last stream */
};

static struct answer read_answer(const struct side *side) {
    struct bytes input = bytes_of(side->out.data, side->out.size);
    struct wire_frame frame;
    struct answer answer = {0};
    while (wire_read(&input, &frame)) {
        if (frame.type == 7) {
            answer.goaways++;
            answer.goaway_code = wire_word(&frame, 4);
        } else if (frame.type == 3 && wire_word(&frame, 0) != 0) {
            answer.resets++;
            answer.reset_code = wire_word(&frame, 0);
        } else if (frame.type == 6 && frame.flags == 1) {
            answer.ping_answered = frame.payload.data[7] == 0x55;
        } else if (frame.type == 1) {
            answer.response = true;
        }
    }
    return answer;
}

static void answer_all(struct talk *talk) {
    cr_assert(http2_stream_head(&talk->stream, bytes_of_string("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), true));
}

static void check_answer(const struct malformed *test, const struct side *side, const char *how) {
    struct answer answer = read_answer(side);
    const struct talk *last = side->begun == 0 ? NULL : side->talks[side->begun - 1];
    unsigned status = last == NULL ? 0 : last->refused;
    bool good = false;
    switch (test->outcome) {
    case FINE:
    case ANSWERED:
        good = answer.goaways == 0 && answer.resets == 0 && answer.ping_answered && status == 0 &&
               (test->outcome == FINE || answer.response);
        break;
    case ENDED:
        good = answer.goaways == 0 && answer.resets == 0 && side->outcome == HTTP2_OVER;
        break;
    case STREAM:
        good = answer.goaways == 0 && answer.resets == 1 && answer.reset_code == test->code && answer.ping_answered;
        break;
    case CONNECTION:
        good = answer.goaways == 1 && answer.goaway_code == test->code && side->outcome == HTTP2_OVER;
        break;
    case STATUS:
        good = answer.goaways == 0 && answer.resets == 0 && answer.ping_answered && status == test->code;
        break;
    }
    cr_expect(good,
              "%s, %s: %s\n  expected %d %u; %u GOAWAY with %u, %u RST_STREAM with %u, PING %d, HEADERS %d, status %u (%s)",
              test->section, how, test->frames, (int)test->outcome, test->code, answer.goaways, answer.goaway_code,
              answer.resets, answer.reset_code, answer.ping_answered, answer.response, status,
              last == NULL || last->refusal == NULL ? "" : last->refusal);
}

static void run(const struct malformed *test, size_t piece, const char *how) {
    struct side side;
    struct buffer input = {0};
    const char *frames = test->frames;
    side_open(&side, true, &usual_settings);
    side.on_end = frames[0] == '-' ? NULL : answer_all;
    if (frames[0] != '!') {
        buffer_append_string(&input, WIRE_PREFACE);
        wire_write(&input, "SETTINGS; SETTINGS+ACK");
    }
    /* SETTINGS+ACK acknowledges ours, which must have left before. */
    give(&side, bytes_of(NULL, 0));
    if (strncmp(frames, "!x", 2) == 0) {
        buffer_append_string(&input, frames + 2);
    } else {
        wire_write(&input, frames + (frames[0] == '-' || frames[0] == '!'));
    }
    wire_write(&input, "PING w:0 w:0x55");
    for (size_t at = 0; at < input.size && side.outcome == HTTP2_GOES_ON; at += piece) {
        give(&side, bytes_of(input.data + at, input.size - at < piece ? input.size - at : piece));
    }
    check_answer(test, &side, how);
    free(input.data);
    side_close(&side);
}

static const struct malformed *case_at(size_t i) {
    return i < malformed_frames_count ? &malformed_frames[i] : &malformed_messages[i - malformed_frames_count];
}

static void run_all(size_t piece, const char *how) {
    for (size_t i = 0; i < malformed_frames_count + malformed_messages_count; i++) {
        run(case_at(i), piece, how);
    }
}

Test(malformed, whole) {
    run_all(SIZE_MAX / 2, "whole");
}

Test(malformed, byte_by_byte) {
    run_all(1, "byte by byte");
}

Test(malformed, none_is_there_twice) {
    for (size_t i = 0; i < malformed_frames_count + malformed_messages_count; i++) {
        for (size_t j = 0; j < i; j++) {
            cr_expect(strcmp(case_at(i)->frames, case_at(j)->frames) != 0, "twice: %s", case_at(i)->frames);
        }
    }
}
