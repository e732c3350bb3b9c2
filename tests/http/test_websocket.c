#include "base/array.h"
#include "http/websocket.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define LITERAL(text) bytes_of(text, sizeof(text) - 1)

/* Whether a frame may come behind `passed`, which comes in pieces of that size. */
static bool takes(struct bytes passed, size_t piece_size) {
    struct websocket_frames frames = {0};
    while (passed.size > 0) {
        size_t size = passed.size < piece_size ? passed.size : piece_size;
        websocket_follow(&frames, bytes_of(passed.data, size));
        passed = bytes_of(passed.data + size, passed.size - size);
    }
    return websocket_takes_frame(&frames);
}

Test(websocket, knows_where_frames_end) {
    static const struct {
        const char *what;
        const char *bytes;
        size_t size;
        bool takes;
    } cases[] = {
#define CASE(what, bytes, takes) {what, bytes, sizeof(bytes) - 1, takes}
        CASE("nothing", "", true),
        CASE("a text", "\x81\x02hi", true),
        CASE("a part of a text", "\x81\x02h", false),
        CASE("half a header", "\x81", false),
        CASE("two texts", "\x81\x02hi\x81\x01x", true),
        CASE("a fragment, behind which a control frame may come", "\x01\x02hi", true),
        CASE("an empty frame", "\x82\x00", true),
        CASE("a masked text", "\x81\x82maskhi", true),
        CASE("a mask", "\x81\x80mask", true),
        CASE("a part of a mask", "\x81\x80mas", false),
        CASE("the size in two bytes",
             "\x82\x7e\x00\x03"
             "abc",
             true),
        CASE("a part of two bytes", "\x82\x7e\x00", false),
        CASE("a part of what follows",
             "\x82\x7e\x01\x00"
             "abc",
             false),
        CASE("the size in eight bytes",
             "\x82\x7f\x00\x00\x00\x00\x00\x00\x00\x03"
             "abc",
             true),
        CASE("a part of eight bytes", "\x82\x7f\x00\x00\x00\x00\x00\x00\x00", false),
        CASE("a size without end",
             "\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff"
             "abc",
             false),
        CASE("a ping", "\x89\x00", true),
        CASE("a close", "\x88\x02\x03\xe8", false),
        CASE("the header of a close", "\x88\x02", false),
        CASE("an empty close", "\x88\x00", false),
#undef CASE
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bytes bytes = bytes_of(cases[i].bytes, cases[i].size);
        for (size_t piece_size = 1; piece_size <= bytes.size + 1; piece_size++) {
            cr_expect_eq(takes(bytes, piece_size), cases[i].takes, "%s, in pieces of %zu", cases[i].what, piece_size);
        }
    }
}

Test(websocket, follows_large_frames_in_large_pieces) {
    enum { SIZE = 100000 };
    uint8_t *frame = calloc(1, SIZE + 10);
    cr_assert_not_null(frame);
    memcpy(frame, "\x82\x7f\x00\x00\x00\x00\x00\x01\x86\xa0", 10);
    cr_expect(takes(bytes_of(frame, SIZE + 10), SIZE));
    cr_expect(takes(bytes_of(frame, SIZE + 10), 4096));
    cr_expect_not(takes(bytes_of(frame, SIZE + 9), 4096));
    free(frame);
}

Test(websocket, says_goodbye) {
    uint8_t frame[WEBSOCKET_CLOSE_SIZE];
    websocket_write_close(WEBSOCKET_POLICY_VIOLATION, frame);
    cr_expect(bytes_equal(bytes_of(frame, sizeof frame), LITERAL("\x88\x02\x03\xf0")));
    websocket_write_close(WEBSOCKET_GOING_AWAY, frame);
    cr_expect(bytes_equal(bytes_of(frame, sizeof frame), LITERAL("\x88\x02\x03\xe9")));
    cr_expect_not(takes(bytes_of(frame, sizeof frame), 4), "it is the last frame");
}
