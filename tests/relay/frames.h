/* A scripted origin's side of HTTP/2, frame by frame (RFC 9113 section 4.1), by blocking sockets. */
#ifndef TESTS_RELAY_FRAMES_H
#define TESTS_RELAY_FRAMES_H

#include "bench.h"

enum frame_type {
    FRAME_DATA,
    FRAME_HEADERS,
    FRAME_PRIORITY,
    FRAME_RST_STREAM,
    FRAME_SETTINGS,
    FRAME_PUSH_PROMISE,
    FRAME_PING,
    FRAME_GOAWAY,
    FRAME_WINDOW_UPDATE,
    FRAME_CONTINUATION,
};

enum { FRAME_ACK = 1, FRAME_END_STREAM = 1, FRAME_END_HEADERS = 4, FRAME_SIZE_MAX = 16384 };

struct frame {
    uint32_t size;
    uint32_t stream;
    uint8_t type;
    uint8_t flags;
    uint8_t payload[FRAME_SIZE_MAX];
};

/* How an origin answers: the context of fake_origin. */
struct frames_script {
    uint32_t streams_max; /* 0: SETTINGS do not say */
    bool mute;            /* PINGs are not answered */
    /* Takes each frame of a stream. False: the connection is closed. */
    bool (*take)(struct fake_origin *origin, int socket, int number, const struct frame *frame);
    atomic_int requests;
    atomic_int resets; /* RST_STREAM that have come, and the code of the last one */
    atomic_int reset_code;
    atomic_int pings;
    atomic_int body; /* bytes of DATA that have come */
};

/* A script of fake_origin: says SETTINGS, answers those of the peer and its PINGs, and hands all other frames to `take`. */
void serve_frames(struct fake_origin *origin, int socket, int number);

static inline bool frame_ends(const struct frame *frame) {
    return frame->type <= FRAME_HEADERS && (frame->flags & FRAME_END_STREAM) != 0;
}

bool frame_send(int socket, enum frame_type type, uint8_t flags, uint32_t stream, const void *payload, size_t size);
/* Send a head of that status without fields, DATA (a text), RST_STREAM, GOAWAY, WINDOW_UPDATE, a section of one trailer. */
bool frames_head(int socket, uint32_t stream, unsigned status, bool end);
bool frames_data(int socket, uint32_t stream, const char *text, bool end);
bool frames_reset(int socket, uint32_t stream, uint32_t code);
bool frames_goaway(int socket, uint32_t last, uint32_t code);
bool frames_window(int socket, uint32_t stream, uint32_t size);
bool frames_trailer(int socket, uint32_t stream, const char *name, const char *value);
/* Answers with "hello". */
bool frames_hello(int socket, uint32_t stream);

/* The script of `fake`, and the begin of a test with it (scene.h). */
extern struct frames_script script;
void begin_http2(bool (*take)(struct fake_origin *origin, int socket, int number, const struct frame *frame));
/* Answers each request that is complete with "hello". */
bool say_hello(struct fake_origin *origin, int socket, int number, const struct frame *frame);

#endif
