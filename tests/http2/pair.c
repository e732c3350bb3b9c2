#include "pair.h"

#include "base/check.h"
#include "base/hash.h"

#include <criterion/criterion.h>
#include <stdlib.h>

const struct http2_settings usual_settings = {
    .streams_max = 100, .head_size_max = 32 * 1024, .stream_window = 65535, .connection_window = 1024 * 1024};

static struct talk *talk_of(struct http2_stream *stream) {
    return CONTAINER_OF(stream, struct talk, stream);
}

struct talk *talk_new(struct side *side) {
    CHECK(side->begun < TALKS_MAX);
    struct talk *talk = calloc(1, sizeof *talk);
    CHECK(talk != NULL);
    talk->message.headers = talk->headers;
    talk->message.headers_max = HTTP_HEADERS_MAX;
    talk->stream.message = &talk->message;
    talk->takes = ALL;
    talk->side = side;
    side->talks[side->begun++] = talk;
    return talk;
}

static struct http2_stream *on_begin(void *owner) {
    struct side *side = owner;
    return side->refuses ? NULL : &talk_new(side)->stream;
}

static void on_head(struct http2_stream *stream, struct bytes head, bool end) {
    struct talk *talk = talk_of(stream);
    cr_assert(!talk->closed && talk->refused == 0);
    talk->head.size = 0;
    buffer_append(&talk->head, head.data, head.size);
    talk->heads++;
    talk->head_ends = talk->ended = end;
    if (talk->side->on_head != NULL) {
        talk->side->on_head(talk);
    }
    if (end && talk->side->on_end != NULL) {
        talk->side->on_end(talk);
    }
}

static void on_refused(struct http2_stream *stream, struct bytes head, unsigned status, const char *error) {
    struct talk *talk = talk_of(stream);
    if (head.size > 0) {
        talk->head.size = 0;
        buffer_append(&talk->head, head.data, head.size);
    }
    talk->refused = status;
    talk->refusal = error;
}

static size_t on_body(struct http2_stream *stream, struct bytes piece) {
    struct talk *talk = talk_of(stream);
    cr_assert(!talk->closed && !talk->ended && talk->refused == 0 && piece.size > 0);
    size_t left = talk->takes - talk->body.size;
    size_t size = piece.size < left ? piece.size : left;
    buffer_append(&talk->body, piece.data, size);
    if (talk->side->on_body != NULL) {
        talk->side->on_body(talk);
    }
    return size;
}

static void on_end(struct http2_stream *stream, struct bytes trailers) {
    struct talk *talk = talk_of(stream);
    cr_assert(!talk->closed && !talk->ended && talk->refused == 0);
    talk->ended = true;
    buffer_append(&talk->trailers, trailers.data, trailers.size);
    if (talk->side->on_end != NULL) {
        talk->side->on_end(talk);
    }
}

static void on_room(struct http2_stream *stream) {
    struct talk *talk = talk_of(stream);
    talk->rooms++;
    if (talk->side->on_room != NULL) {
        talk->side->on_room(talk);
    }
}

static void on_closed(struct http2_stream *stream, uint32_t error) {
    struct talk *talk = talk_of(stream);
    cr_assert(!talk->closed);
    talk->closed = true;
    talk->error = error;
    if (talk->side->on_closed != NULL) {
        talk->side->on_closed(talk);
    }
}

static void on_output(void *owner, struct bytes frames) {
    struct side *side = owner;
    cr_assert(frames.size > 0);
    buffer_append(&side->out, frames.data, frames.size);
    if (side->fails_after > 0 && --side->fails_after == 0) {
        for (size_t i = 0; i < side->begun; i++) {
            if (!side->talks[i]->closed) {
                side->talks[i]->closed = true;
                http2_stream_reset(&side->talks[i]->stream, HTTP2_CANCEL);
            }
        }
    }
}

static size_t on_output_room(void *owner) {
    const struct side *side = owner;
    return side->out.size < side->room ? side->room - side->out.size : 0;
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

void side_open(struct side *side, bool server, const struct http2_settings *settings) {
    hash_init();
    *side = (struct side){.room = ALL};
    side->session = server ? http2_session_server(settings, &handler, side) : http2_session_client(settings, &handler, side);
    cr_assert_not_null(side->session);
}

void side_close(struct side *side) {
    http2_session_free(side->session);
    for (size_t i = 0; i < side->begun; i++) {
        free(side->talks[i]->head.data);
        free(side->talks[i]->body.data);
        free(side->talks[i]->trailers.data);
        free(side->talks[i]);
    }
    free(side->out.data);
}

struct pair *pair_open(const struct http2_settings *settings) {
    struct pair *pair = calloc(1, sizeof *pair);
    CHECK(pair != NULL);
    side_open(&pair->client, false, settings);
    side_open(&pair->server, true, settings);
    pump(pair);
    return pair;
}

void pair_close(struct pair *pair) {
    side_close(&pair->client);
    side_close(&pair->server);
    free(pair);
}

/* The bytes are in memory of exactly their size, so that a sanitizer sees a read behind them. */
enum http2_outcome give(struct side *side, struct bytes bytes) {
    uint8_t *copy = malloc(bytes.size + (bytes.size == 0));
    CHECK(copy != NULL);
    if (bytes.size > 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
    side->outcome = http2_session_receive(side->session, bytes_of(copy, bytes.size), side->now_s);
    free(copy);
    return side->outcome;
}

static void flush(struct side *side) {
    enum http2_outcome outcome = http2_session_flush(side->session);
    side->outcome = outcome != HTTP2_GOES_ON ? outcome : side->outcome;
}

/* Returns whether any byte was moved. */
static bool move(struct side *from, struct side *to, size_t piece) {
    size_t size = piece == 0 || from->out.size < piece ? from->out.size : piece;
    if (size == 0) {
        return false;
    }
    struct bytes moved = bytes_of(from->out.data, size);
    give(to, moved);
    from->out.size -= size;
    memmove(from->out.data, from->out.data + size, from->out.size);
    flush(from);
    return true;
}

void pump(struct pair *pair) {
    flush(&pair->client);
    flush(&pair->server);
    bool moved = true;
    while (moved) {
        moved = move(&pair->client, &pair->server, pair->piece);
        moved = move(&pair->server, &pair->client, pair->piece) || moved;
    }
}

struct talk *ask(struct pair *pair, const char *head, bool end) {
    struct talk *talk = talk_new(&pair->client);
    cr_assert_eq(http2_session_open(pair->client.session, &talk->stream, bytes_of_string(head), "https", end), 0);
    return talk;
}

const char *span_of(const struct talk *talk, struct http_span span) {
    static char values[4][1024];
    static unsigned turn;
    char *value = values[turn++ % 4];
    struct bytes view = http_view(talk->head.data, span);
    size_t size = view.size < sizeof values[0] ? view.size : sizeof values[0] - 1;
    memcpy(value, view.data, size);
    value[size] = '\0';
    return value;
}

const char *header_of(const struct talk *talk, const char *name) {
    const struct http_header *header = http_find_header(&talk->message, talk->head.data, name);
    return header == NULL ? "(none)" : span_of(talk, header->value);
}

void fill(struct buffer *buffer, size_t size) {
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)((buffer->size >> 8) * 31 + buffer->size);
        buffer_append(buffer, &byte, 1);
    }
}
