#include "http2/frames.h"
#include "wire.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct http2_frames frames;

/* Reads all frames of an input that comes in pieces. Returns their number; `last` is the last. */
static unsigned read_all(const char *text, size_t piece, struct http2_frame *last) {
    struct buffer input = {0};
    unsigned count = 0;
    frames = (struct http2_frames){0};
    wire_write(&input, text);
    for (size_t at = 0; at < input.size; at += piece) {
        struct bytes part = bytes_of(input.data + at, input.size - at < piece ? input.size - at : piece);
        for (;;) {
            http2_frames_skip(&frames, &part);
            if (!http2_frames_next(&frames, &part, last)) {
                break;
            }
            count++;
        }
        cr_assert_eq(part.size, 0);
    }
    free(input.data);
    return count;
}

Test(frames, heads_and_payloads_cut_anywhere) {
    for (size_t piece = 1; piece < 60; piece++) {
        struct http2_frame last;
        cr_assert_eq(read_all("SETTINGS s:4=1; DATA+PAD@3 x:07 n:20; PING n:8; HEADERS+EH@0x80000005 GET", piece, &last), 4);
        cr_assert_eq(last.type, 1);
        cr_assert_eq(last.flags, 4);
        cr_assert_eq(last.stream_id, 5);
        cr_assert_eq(last.length, 6);
        cr_assert(http2_frames_are_whole(&frames));
    }
}

Test(frames, pad_length_dependency_and_increment) {
    for (size_t piece = 1; piece < 20; piece++) {
        struct http2_frame last;
        cr_assert_eq(read_all("DATA+PAD@3 x:07 n:20", piece, &last), 1);
        cr_assert_eq(last.padding, 7);
        cr_assert_eq(read_all("PRIORITY@3 w:0x80000009 x:10", piece, &last), 1);
        cr_assert_eq(last.dependency, 9);
        cr_assert_eq(last.increment, 0);
        cr_assert(http2_frames_are_whole(&frames));
        cr_assert_eq(read_all("PRIORITY@3 n:3", piece, &last), 1);
        cr_assert_eq(last.dependency, 0);
        cr_assert_eq(read_all("WINDOW@3 w:0x80000007", piece, &last), 1);
        cr_assert_eq(last.increment, 7);
        cr_assert_eq(last.dependency, 0);
        cr_assert(http2_frames_are_whole(&frames));
        cr_assert_eq(read_all("WINDOW@3 n:3", piece, &last), 1);
        cr_assert_eq(last.increment, 0);
        cr_assert_eq(read_all("DATA+PAD@3", piece, &last), 1);
        cr_assert_eq(last.padding, 0);
        cr_assert(http2_frames_are_whole(&frames));
    }
}

Test(frames, is_not_whole_within_a_section) {
    struct http2_frame last;
    read_all("HEADERS@1 GET", 100, &last);
    cr_assert_not(http2_frames_are_whole(&frames));
    read_all("HEADERS@1 GET; CONT@1", 100, &last);
    cr_assert_not(http2_frames_are_whole(&frames));
    read_all("HEADERS@1 GET; CONT+EH@1", 100, &last);
    cr_assert(http2_frames_are_whole(&frames));
    read_all("PING#8 n:7", 100, &last);
    cr_assert_not(http2_frames_are_whole(&frames));
}
