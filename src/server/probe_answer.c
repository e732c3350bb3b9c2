#include "server/probe_answer.h"

#include "base/check.h"
#include "http/mend.h"

enum { STATUS_FINAL = 200 };

static void begin_head(struct probe_answer *answer) {
    answer->message.headers = answer->headers;
    answer->message.headers_max = RELAY_RESPONSE_HEADERS_MAX;
    answer->mending = false;
    http_parser_init_response(&answer->parser, &answer->message, RELAY_RESPONSE_HEAD_MAX, false);
}

void probe_answer_begin(struct probe_answer *answer) {
    answer->size = 0;
    answer->interim = 0;
    begin_head(answer);
}

static enum probe_reading refuse(struct probe_answer *answer, const char *error) {
    answer->parser.error = error;
    return PROBE_MALFORMED;
}

/* `known`: the head does not end within so many bytes. */
static enum http_result mend(struct probe_answer *answer, size_t known) {
    size_t size = http_mend_head_size(bytes_of(answer->buffer, answer->size), known);

    if (size == 0 && answer->size < RELAY_RESPONSE_HEAD_MAX) {
        return HTTP_PARSE_MORE;
    }
    if (size == 0 || size > RELAY_RESPONSE_HEAD_MAX) {
        return HTTP_PARSE_ERROR;
    }
    uint8_t behind[RING_RECEIVE_SIZE]; /* the head was not complete before the last delivery */
    size_t behind_size = answer->size - size;
    CHECK(behind_size <= sizeof behind);
    memcpy(behind, answer->buffer + size, behind_size);
    size = http_mend_head(answer->buffer, size, PROBE_ANSWER_BUFFER_SIZE - RING_RECEIVE_SIZE);
    if (size == 0) {
        return HTTP_PARSE_ERROR;
    }
    memcpy(answer->buffer + size, behind, behind_size);
    answer->size = (uint32_t)(size + behind_size);
    begin_head(answer);
    return http_parser_head(&answer->parser, bytes_of(answer->buffer, answer->size));
}

/* Reads one head. `known`: as in mend. */
static enum http_result read_head(struct probe_answer *answer, size_t known) {
    if (!answer->mending) {
        struct bytes head = bytes_of(answer->buffer, answer->size);
        enum http_result result = http_parser_head(&answer->parser, head);

        if (result != HTTP_PARSE_ERROR || !http_mend_may_help(answer->parser.fault, head)) {
            return result;
        }
        answer->mending = true;
        known = 0;
    }
    return mend(answer, known);
}

static void drop_head(struct probe_answer *answer) {
    answer->size -= answer->message.head_size;
    memmove(answer->buffer, answer->buffer + answer->message.head_size, answer->size);
    begin_head(answer);
}

enum probe_reading probe_answer_read(struct probe_answer *answer, struct bytes data) {
    size_t known = answer->size;

    CHECK(data.size <= PROBE_ANSWER_BUFFER_SIZE - answer->size);
    memcpy(answer->buffer + answer->size, data.data, data.size);
    answer->size += (uint32_t)data.size;
    while (answer->size > 0) {
        enum http_result result = read_head(answer, known);

        if (result == HTTP_PARSE_MORE) {
            break;
        }
        if (result != HTTP_PARSE_HEAD) {
            return PROBE_MALFORMED;
        }
        if (answer->message.status >= STATUS_FINAL) {
            return PROBE_ANSWERED;
        }
        if (++answer->interim > RELAY_INTERIM_MAX) {
            return refuse(answer, "more informational responses than anybody needs");
        }
        drop_head(answer);
        known = 0;
    }
    return PROBE_MORE;
}
