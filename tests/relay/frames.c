#include "frames.h"

#include "scene.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/socket.h>

enum { HEAD_SIZE = 9, PREFACE_SIZE = 24, SETTING_STREAMS_MAX = 3 };

static void put_32(uint8_t *to, uint32_t value) {
    for (int i = 0; i < 4; i++) {
        to[i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

static uint32_t get_32(const uint8_t *from) {
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

bool frame_send(int socket, enum frame_type type, uint8_t flags, uint32_t stream, const void *payload, size_t size) {
    uint8_t bytes[HEAD_SIZE + FRAME_SIZE_MAX];

    cr_assert_leq(size, FRAME_SIZE_MAX);
    put_32(bytes, (uint32_t)size << 8 | (uint32_t)type);
    bytes[4] = flags;
    put_32(bytes + 5, stream);
    if (size > 0) {
        memcpy(bytes + HEAD_SIZE, payload, size);
    }
    return fake_send(socket, bytes, HEAD_SIZE + size);
}

static bool read_frame(int socket, struct frame *frame) {
    uint8_t head[HEAD_SIZE];

    if (!fake_read_exactly(socket, head, sizeof head)) {
        return false;
    }
    frame->size = get_32(head) >> 8;
    frame->type = head[3];
    frame->flags = head[4];
    frame->stream = get_32(head + 5);
    return frame->size <= FRAME_SIZE_MAX && fake_read_exactly(socket, frame->payload, frame->size);
}

static bool answer(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    struct frames_script *answers = origin->context;

    switch (frame->type) {
    case FRAME_SETTINGS:
        return (frame->flags & FRAME_ACK) != 0 || frame_send(socket, FRAME_SETTINGS, FRAME_ACK, 0, NULL, 0);
    case FRAME_PING:
        atomic_fetch_add(&answers->pings, 1);
        return answers->mute || frame_send(socket, FRAME_PING, FRAME_ACK, 0, frame->payload, frame->size);
    case FRAME_RST_STREAM:
        atomic_store(&answers->reset_code, (int)get_32(frame->payload));
        atomic_fetch_add(&answers->resets, 1);
        return true;
    case FRAME_DATA:
    case FRAME_HEADERS:
        atomic_fetch_add(&answers->requests, frame->type == FRAME_HEADERS);
        atomic_fetch_add(&answers->body, frame->type == FRAME_DATA ? (int)frame->size : 0);
        return answers->take(origin, socket, number, frame);
    default:
        return true;
    }
}

void serve_frames(struct fake_origin *origin, int socket, int number) {
    const struct frames_script *answers = origin->context;
    char preface[PREFACE_SIZE];
    uint8_t setting[6] = {0, SETTING_STREAMS_MAX};
    struct frame frame;

    put_32(setting + 2, answers->streams_max);
    if (!fake_read_exactly(socket, preface, sizeof preface) || memcmp(preface, "PRI * HTTP/2.0", 14) != 0 ||
        !frame_send(socket, FRAME_SETTINGS, 0, 0, setting, answers->streams_max > 0 ? sizeof setting : 0)) {
        return;
    }
    while (read_frame(socket, &frame) && answer(origin, socket, number, &frame)) {
    }
    /* A socket that is closed with bytes unread resets the connection, and destroys what was sent last. */
    shutdown(socket, SHUT_WR);
    while (read_frame(socket, &frame)) {
    }
}

bool frames_head(int socket, uint32_t stream, unsigned status, bool end) {
    char fields[8];

    /* A literal without indexing, whose name is the entry 8 of the static table, :status (RFC 7541 section 6.2.2). */
    snprintf(fields, sizeof fields, "\x08\x03%03u", status);
    return frame_send(socket, FRAME_HEADERS, (uint8_t)(FRAME_END_HEADERS | (end ? FRAME_END_STREAM : 0)), stream, fields, 5);
}

bool frames_data(int socket, uint32_t stream, const char *text, bool end) {
    return frame_send(socket, FRAME_DATA, end ? FRAME_END_STREAM : 0, stream, text, strlen(text));
}

static bool send_number(int socket, enum frame_type type, uint32_t stream, uint32_t number) {
    uint8_t payload[4];

    put_32(payload, number);
    return frame_send(socket, type, 0, stream, payload, sizeof payload);
}

bool frames_reset(int socket, uint32_t stream, uint32_t code) {
    return send_number(socket, FRAME_RST_STREAM, stream, code);
}

bool frames_window(int socket, uint32_t stream, uint32_t size) {
    return send_number(socket, FRAME_WINDOW_UPDATE, stream, size);
}

bool frames_goaway(int socket, uint32_t last, uint32_t code) {
    uint8_t payload[8];

    put_32(payload, last);
    put_32(payload + 4, code);
    return frame_send(socket, FRAME_GOAWAY, 0, 0, payload, sizeof payload);
}

bool frames_trailer(int socket, uint32_t stream, const char *name, const char *value) {
    char field[256];
    size_t size =
        (size_t)snprintf(field, sizeof field, "%c%c%s%c%s", '#', (int)strlen(name), name, (int)strlen(value), value);

    field[0] = 0; /* a literal without indexing, with a name of its own */
    return frame_send(socket, FRAME_HEADERS, FRAME_END_HEADERS | FRAME_END_STREAM, stream, field, size);
}

bool frames_hello(int socket, uint32_t stream) {
    return frames_head(socket, stream, 200, false) && frames_data(socket, stream, "hello", true);
}

struct frames_script script;

void begin_http2(bool (*take)(struct fake_origin *origin, int socket, int number, const struct frame *frame)) {
    script.take = take;
    fake_origin_start(&fake, 0, serve_frames, &script);
    bench_create_http2(&bench, NULL, &fake.port, 1);
}

bool say_hello(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    return !frame_ends(frame) || frames_hello(socket, frame->stream);
}
