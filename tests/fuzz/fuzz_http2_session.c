/*
 * A session of HTTP/2, of a server or of a client, and any bytes from its peer, cut anywhere. The first bytes of the input
 * choose what the owner does with its streams. Whatever comes, the calls of the owner's functions have their order, the
 * memory has its bound, and nothing is left at the end.
 */
#include "base/check.h"
#include "base/hash.h"
#include "http/forward.h"
#include "http2/session.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    TALKS_MAX = 128,
    STREAMS_MAX = 16,
    WINDOW = 65535,
    MEMORY_MAX = 2 * WINDOW + 256 * 1024, /* windows, and heads and frames under way */
    CLIENT_REQUESTS = 4,
    CHOICES = 4,
};

struct talk {
    struct http2_stream stream;
    struct http_message message;
    struct http_header headers[HTTP_HEADERS_MAX];
    bool used;
    bool head;
    bool ended;
    bool answered;
};

static struct talk talks[TALKS_MAX];
static struct http2_session *session;
static bool server;
static uint8_t choices[CHOICES];
static size_t room;   /* bytes that may leave */
static uint64_t turn; /* of calls, so that they do not all do the same */

static bool chance(unsigned bit) {
    return choices[1] >> bit & 1 && ++turn % 3 == 0;
}

static struct talk *talk_of(struct http2_stream *stream) {
    struct talk *talk = CONTAINER_OF(stream, struct talk, stream);
    CHECK(talk->used);
    return talk;
}

static struct talk *talk_new(void) {
    for (size_t i = 0; i < TALKS_MAX; i++) {
        if (!talks[i].used) {
            talks[i] = (struct talk){.used = true};
            talks[i].message.headers = talks[i].headers;
            talks[i].message.headers_max = HTTP_HEADERS_MAX;
            talks[i].stream.message = &talks[i].message;
            return &talks[i];
        }
    }
    return NULL;
}

static void reset(struct talk *talk) {
    http2_stream_reset(&talk->stream, HTTP2_CANCEL);
    *talk = (struct talk){0};
}

static void answer(struct talk *talk) {
    static const char *const heads[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: a=b\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    };
    if (talk->answered) {
        return;
    }
    talk->answered = true;
    const struct http2_stream *stream = &talk->stream;
    if (chance(0)) {
        http2_stream_head(&talk->stream, bytes_of_string("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"), false);
    }
    if (chance(1)) {
        http2_stream_head(&talk->stream, bytes_of_string("HTTP/1.1 204 No Content\r\n\r\n"), true);
        return;
    }
    http2_stream_head(&talk->stream, bytes_of_string(heads[turn % 2]), false);
    http2_stream_room(&talk->stream);
    http2_stream_send(&talk->stream, bytes_of_string("hello"));
    if (!chance(2) && talk->used && !stream->out_ended) {
        http2_stream_end(&talk->stream, chance(3) ? bytes_of_string("x-sum: 1\r\n") : bytes_of(NULL, 0));
    }
}

static struct http2_stream *on_begin(void *owner) {
    struct talk *talk = chance(4) ? NULL : talk_new();
    return talk == NULL ? NULL : &talk->stream;
}

static void check_fields(const struct http_message *message, struct bytes head) {
    CHECK(message->header_count <= HTTP_HEADERS_MAX);
    for (uint32_t i = 0; i < message->header_count; i++) {
        struct bytes value = http_view(head.data, message->headers[i].value);
        CHECK(message->headers[i].name.size > 0 && value.data + value.size <= head.data + head.size);
        CHECK(value.size == 0 ||
              (memchr(value.data, '\n', value.size) == NULL && memchr(value.data, 0, value.size) == NULL));
    }
}

static void on_head(struct http2_stream *stream, struct bytes head, bool end) {
    struct talk *talk = talk_of(stream);
    const struct http_message *message = stream->message;
    CHECK(!talk->head && !talk->ended);
    check_fields(message, head);
    CHECK(server ? message->authority.size > 0 : message->status >= 100 && message->status <= 999);
    talk->head = server || message->status >= 200;
    talk->ended = end;
    if (chance(5)) {
        reset(talk);
    } else if (server && (end || chance(6))) {
        answer(talk);
    }
}

static void on_refused(struct http2_stream *stream, struct bytes head, unsigned status, const char *error) {
    struct talk *talk = talk_of(stream);
    CHECK(error != NULL && !talk->ended && status == (server ? status : 502));
    if (head.size > 0) {
        check_fields(stream->message, head);
    }
    if (server) {
        CHECK(http_status_text(status) != NULL);
        answer(talk);
    } else {
        *talk = (struct talk){0};
    }
}

static size_t on_body(struct http2_stream *stream, struct bytes piece) {
    struct talk *talk = talk_of(stream);
    CHECK(talk->head && !talk->ended && piece.size > 0);
    if (chance(7)) {
        reset(talk);
        return 0;
    }
    return choices[2] % 2 == 0 || ++turn % 2 == 0 ? piece.size : piece.size / 2;
}

static void on_end(struct http2_stream *stream, struct bytes trailers) {
    struct talk *talk = talk_of(stream);
    CHECK(talk->head && !talk->ended);
    CHECK(trailers.size == 0 || trailers.data[trailers.size - 1] == '\n');
    talk->ended = true;
    if (server) {
        answer(talk);
    }
}

static void on_room(struct http2_stream *stream) {
    const struct talk *talk = talk_of(stream);
    if (!talk->stream.out_ended && talk->stream.head_sent) {
        http2_stream_send(stream, bytes_of_string("more"));
        if (chance(2)) {
            http2_stream_end(stream, bytes_of(NULL, 0));
        }
    }
}

static void on_closed(struct http2_stream *stream, uint32_t error) {
    *talk_of(stream) = (struct talk){0};
}

static void on_output(void *owner, struct bytes frames) {
    CHECK(frames.size > 0);
    room = frames.size < room ? room - frames.size : 0;
}

static size_t on_output_room(void *owner) {
    return room;
}

static const struct http2_handler handler = {
    .begin = on_begin,
    .head = on_head,
    .refused = on_refused,
    .body = on_body,
    .end = on_end,
    .room = on_room,
    .closed = on_closed,
    .output = on_output,
    .output_room = on_output_room,
};

static void open_requests(void) {
    for (unsigned i = 0; i < CLIENT_REQUESTS; i++) {
        struct talk *talk = talk_new();
        const char *head = i % 2 == 0 ? "GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n"
                                      : "POST / HTTP/1.1\r\nHost: a\r\nCookie: a=b\r\nContent-Length: 5\r\n\r\n";
        CHECK(http2_session_open(session, &talk->stream, bytes_of_string(head), "http", i % 2 == 0) == 0);
        if (i % 2 == 1) {
            http2_stream_send(&talk->stream, bytes_of_string("hello"));
            http2_stream_end(&talk->stream, bytes_of(NULL, 0));
        }
    }
}

static enum http2_outcome give(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size);
    CHECK(copy != NULL);
    memcpy(copy, data, size);
    enum http2_outcome outcome = http2_session_receive(session, bytes_of(copy, size), turn / 64);
    free(copy);
    return outcome;
}

static void resume_all(void) {
    for (size_t i = 0; i < TALKS_MAX; i++) {
        if (talks[i].used) {
            http2_stream_resume(&talks[i].stream);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct http2_settings settings = {.streams_max = STREAMS_MAX,
                                                   .head_size_max = 4096,
                                                   .stream_window = WINDOW,
                                                   .stream_window_max = 2 * WINDOW,
                                                   .growth_max = WINDOW,
                                                   .connection_window = 2 * WINDOW};
    static const uint8_t opening[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00";
    if (size < CHOICES) {
        return 0;
    }
    hash_init();
    memcpy(choices, data, CHOICES);
    memset(talks, 0, sizeof talks);
    turn = 0;
    room = SIZE_MAX;
    server = choices[0] % 2 == 0;
    size_t piece = choices[3] == 0 ? size : choices[3];
    session = server ? http2_session_server(&settings, &handler, NULL) : http2_session_client(&settings, &handler, NULL);
    CHECK(session != NULL);
    enum http2_outcome outcome = HTTP2_GOES_ON;
    if (server) {
        outcome = give(opening, sizeof opening);
    } else {
        open_requests();
    }
    for (size_t at = CHOICES; at < size && outcome == HTTP2_GOES_ON; at += piece) {
        room = choices[2] & 2 ? choices[2] : SIZE_MAX;
        outcome = give(data + at, size - at < piece ? size - at : piece);
        CHECK(http2_session_memory(session) < MEMORY_MAX);
        if (outcome == HTTP2_GOES_ON && choices[2] & 4) {
            resume_all();
        }
        if (choices[2] & 8 && at > size / 2) {
            http2_session_shut_down(session);
        }
    }
    room = SIZE_MAX;
    CHECK(outcome != HTTP2_NO_MEMORY);
    http2_session_flush(session);
    http2_session_free(session);
    return 0;
}
