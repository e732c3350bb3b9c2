#include "load/http2.h"

#include <nghttp2/nghttp2.h>

enum { REPLY_MAX = 64 /* bytes, of the largest one */ };

void http2_reset(struct http2 *http2) {
    if (http2->inflater != NULL) {
        nghttp2_hd_inflate_del(http2->inflater);
    }
    *http2 = (struct http2){0};
}

void http2_put_request(struct frames *frames, enum hpack_index method, const char *authority, const char *path) {
    hpack_indexed(frames, method);
    hpack_indexed(frames, HPACK_SCHEME_HTTPS);
    hpack_named(frames, HPACK_PATH, bytes_of_string(path));
    hpack_named(frames, HPACK_AUTHORITY, bytes_of_string(authority));
}

static void open_connection(struct frames *frames) {
    frames_preface(frames);
    size_t begin = frames_begin(frames, FRAME_SETTINGS, 0, 0);

    frames_put_setting(frames, FRAME_ENABLE_PUSH, 0);
    frames_put_setting(frames, FRAME_INITIAL_WINDOW_SIZE, FRAME_WINDOW_MAX);
    frames_end(frames, begin);
    frames_number(frames, FRAME_WINDOW_UPDATE, 0, FRAME_WINDOW_MAX - FRAME_INITIAL_WINDOW);
}

void http2_request(struct http2 *http2, struct frames *frames, const char *authority, const char *path) {
    if (http2->stream == 0) {
        open_connection(frames);
    }
    http2->stream += http2->stream == 0 ? 1 : 2;
    http2->status = 0;
    size_t begin = frames_begin(frames, FRAME_HEADERS, FRAME_END_HEADERS | FRAME_END_STREAM, http2->stream);

    http2_put_request(frames, HPACK_METHOD_GET, authority, path);
    frames_end(frames, begin);
}

static void note_field(struct http2 *http2, const nghttp2_nv *field) {
    const uint8_t *digit = field->value;

    if (bytes_equal(bytes_of(field->name, field->namelen), bytes_of_string(":status")) && field->valuelen == 3) {
        http2->status = (unsigned)(100 * (digit[0] - '0') + 10 * (digit[1] - '0') + (digit[2] - '0'));
    }
}

/* Reads a piece of a head. `last`: the head ends with it. */
static bool take_fields(struct http2 *http2, struct bytes piece, bool last) {
    if (http2->inflater == NULL && nghttp2_hd_inflate_new(&http2->inflater) != 0) {
        return false;
    }
    for (int flags = 0; (flags & NGHTTP2_HD_INFLATE_FINAL) == 0;) {
        nghttp2_nv field;
        nghttp2_ssize size = nghttp2_hd_inflate_hd3(http2->inflater, &field, &flags, piece.data, piece.size, last);

        if (size < 0) {
            return false;
        }
        piece = bytes_of(piece.data + size, piece.size - (size_t)size);
        if (flags & NGHTTP2_HD_INFLATE_EMIT) {
            note_field(http2, &field);
        } else if (piece.size == 0 && !last) {
            return true;
        }
    }
    nghttp2_hd_inflate_end_headers(http2->inflater);
    return http2->status >= 100;
}

static enum answer_result broken(const char **error, const char *text) {
    *error = text;
    return ANSWER_BROKEN;
}

static enum answer_result take_piece(struct http2 *http2, struct bytes piece, const char **error) {
    const struct frame_reader *reader = &http2->reader;
    bool last = reader->left == 0 && (reader->flags & FRAME_END_HEADERS) != 0;

    if (reader->type != FRAME_HEADERS && reader->type != FRAME_CONTINUATION) {
        return ANSWER_GOES_ON;
    }
    if ((reader->flags & (FRAME_PADDED | FRAME_WITH_PRIORITY)) != 0) {
        return broken(error, "an answer with padding or priority, which this client does not read");
    }
    return take_fields(http2, piece, last) ? ANSWER_GOES_ON : broken(error, "a head that is no HPACK, or has no status");
}

static enum answer_result take_frame(struct http2 *http2, struct frames *replies, const char **error) {
    const struct frame_reader *reader = &http2->reader;
    bool answers = frames_room(replies) >= REPLY_MAX && (reader->flags & FRAME_ACK) == 0;

    switch (reader->type) {
    case FRAME_SETTINGS:
        if (answers) {
            frames_empty(replies, FRAME_SETTINGS, FRAME_ACK, 0);
        }
        return ANSWER_GOES_ON;
    case FRAME_PING:
        if (answers) {
            frames_ping(replies, FRAME_ACK, reader->first);
        }
        return ANSWER_GOES_ON;
    case FRAME_RST_STREAM:
        return reader->stream == http2->stream ? broken(error, "RST_STREAM") : ANSWER_GOES_ON;
    case FRAME_GOAWAY:
        return broken(error, "GOAWAY");
    case FRAME_HEADERS:
    case FRAME_DATA:
        if (reader->stream != http2->stream || (reader->flags & FRAME_END_STREAM) == 0) {
            return ANSWER_GOES_ON;
        }
        return http2->status > 0 ? ANSWER_COMPLETE : broken(error, "an answer whose head does not end in its frame");
    default:
        return ANSWER_GOES_ON;
    }
}

enum answer_result http2_take(struct http2 *http2, struct bytes data, struct frames *replies, const char **error) {
    enum answer_result result = ANSWER_GOES_ON;
    struct bytes piece;

    while (result != ANSWER_BROKEN) {
        enum answer_result next = ANSWER_GOES_ON;

        switch (frame_reader_next(&http2->reader, &data, &piece)) {
        case FRAME_MORE:
            return result;
        case FRAME_PIECE:
            next = take_piece(http2, piece, error);
            break;
        case FRAME_WHOLE:
            next = take_frame(http2, replies, error);
            break;
        }
        result = next == ANSWER_GOES_ON ? result : next;
    }
    return result;
}
