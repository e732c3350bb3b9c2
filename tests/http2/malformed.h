/* The tables of test_malformed.c: sequences of frames, each with the answer of the RFC that it names. */
#ifndef TESTS_HTTP2_MALFORMED_H
#define TESTS_HTTP2_MALFORMED_H

#include <stddef.h>

enum outcome {
    FINE,       /* no error at all; the connection goes on */
    ANSWERED,   /* likewise, and the last stream's request is answered with 200 */
    ENDED,      /* no error, and the connection ends */
    STREAM,     /* RST_STREAM, and the connection goes on */
    CONNECTION, /* GOAWAY */
    STATUS,     /* the request is refused with that status, and the connection goes on */
};

/* RFC 9113 section 7. */
enum code {
    PROTOCOL = 1,
    FLOW = 3,
    CLOSED = 5,
    SIZE = 6,
    REFUSED = 7,
    COMPRESSION = 9,
    CALM = 11,
};

struct malformed {
    const char *section;
    const char *frames; /* see wire.h; behind the preface and a SETTINGS frame. '!x': bytes; '-': no answer is given */
    enum outcome outcome;
    unsigned code; /* an error code, or a status */
};

extern const struct malformed malformed_frames[];
extern const size_t malformed_frames_count;
extern const struct malformed malformed_messages[];
extern const size_t malformed_messages_count;

#endif
