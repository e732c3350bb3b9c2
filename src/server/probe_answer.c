#include "server/probe_answer.h"

enum { STATUS_FINAL = 200 };

static void begin_head(struct probe_answer *answer) {
    answer->message.headers = answer->headers;
    answer->message.headers_max = RELAY_RESPONSE_HEADERS_MAX;
    answer->gather = (struct http_gather){0};
    http_parser_init_response(&answer->parser, &answer->message, RELAY_RESPONSE_HEAD_MAX, false);
}

void probe_answer_begin(struct probe_answer *answer) {
    answer->interim = 0;
    begin_head(answer);
}

static enum probe_reading refuse(struct probe_answer *answer, const char *error) {
    answer->parser.fault = HTTP_FAULT_TOO_MANY;
    answer->parser.error = error;
    return PROBE_MALFORMED;
}

bool probe_answer_is_http(const struct probe_answer *answer) {
    return answer->parser.fault != HTTP_FAULT_STATUS_LINE;
}

enum probe_reading probe_answer_read(struct probe_answer *answer, struct bytes data) {
    const uint8_t *head;

    while (data.size > 0) {
        switch (http_gather_head(&answer->gather, &answer->parser, answer->buffer, PROBE_ANSWER_BUFFER_SIZE, &data, &head)) {
        case HTTP_PARSE_MORE:
            return PROBE_MORE;
        case HTTP_PARSE_HEAD:
            break;
        default:
            return PROBE_MALFORMED;
        }
        if (answer->message.status >= STATUS_FINAL) {
            return PROBE_ANSWERED;
        }
        if (++answer->interim > RELAY_INTERIM_MAX) {
            return refuse(answer, "more informational responses than anybody needs");
        }
        begin_head(answer);
    }
    return PROBE_MORE;
}
