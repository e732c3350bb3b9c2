#include "load/answer.h"

#include <stdlib.h>

enum { HEAD_SIZE_MAX = 16 * 1024 };

void answer_begin(struct answer *answer) {
    answer->in_body = false;
}

void answer_drop(struct answer *answer) {
    free(answer->held);
    answer->held = NULL;
    answer->held_size = 0;
}

static bool hold(struct answer *answer, struct bytes data) {
    if (answer->held == NULL) {
        answer->held = malloc(HEAD_SIZE_MAX);
    }
    if (answer->held == NULL || data.size > HEAD_SIZE_MAX - answer->held_size) {
        return false;
    }
    memcpy(answer->held + answer->held_size, data.data, data.size);
    answer->held_size += (uint32_t)data.size;
    return true;
}

static enum answer_result broken(const char **error, const char *text) {
    *error = text;
    return ANSWER_BROKEN;
}

static enum answer_result take_body(struct answer *answer, struct bytes data, const char **error) {
    struct bytes piece;
    enum http_result result;

    do {
        result = http_parser_body(&answer->parser, &data, &piece);
    } while (result == HTTP_PARSE_BODY);
    if (result == HTTP_PARSE_ERROR) {
        return broken(error, answer->parser.error);
    }
    if (result != HTTP_PARSE_END) {
        return ANSWER_GOES_ON;
    }
    return data.size > 0 ? broken(error, "bytes behind the answer") : ANSWER_COMPLETE;
}

/* A head in pieces is parsed from its beginning each time: the message it goes to is shared by all connections. */
static enum answer_result take_head(struct answer *answer, struct answer_room *room, struct bytes data, const char **error) {
    bool in_pieces = answer->held != NULL;

    if (in_pieces) {
        if (!hold(answer, data)) {
            return broken(error, "the answer's head is larger than 16 KiB");
        }
        data = bytes_of(answer->held, answer->held_size);
    }
    room->message.headers = room->headers;
    room->message.headers_max = HTTP_HEADERS_MAX;
    http_parser_init_response(&answer->parser, &room->message, HEAD_SIZE_MAX, false);
    switch (http_parser_head(&answer->parser, data)) {
    case HTTP_PARSE_HEAD: {
        size_t size = room->message.head_size;

        answer->status = room->message.status;
        answer->in_body = true;
        answer->parser.message = NULL;
        enum answer_result result = take_body(answer, bytes_of(data.data + size, data.size - size), error);

        answer_drop(answer);
        return result;
    }
    case HTTP_PARSE_ERROR:
        return broken(error, answer->parser.error);
    default:
        return in_pieces || hold(answer, data) ? ANSWER_GOES_ON : broken(error, "the answer's head is larger than 16 KiB");
    }
}

enum answer_result answer_take(struct answer *answer, struct answer_room *room, struct bytes data, const char **error) {
    return answer->in_body ? take_body(answer, data, error) : take_head(answer, room, data, error);
}
