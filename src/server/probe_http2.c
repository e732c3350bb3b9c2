#include "server/probe_http2.h"

#include "base/check.h"

enum { STATUS_FINAL = 200, WINDOW = 64 * 1024 - 1 /* the body is dropped as it comes */ };

static struct probe_http2 *of_stream(struct http2_stream *stream) {
    return CONTAINER_OF(stream, struct probe_http2, request);
}

static void head(struct http2_stream *stream, struct bytes bytes, bool end) {
    struct probe_http2 *http2 = of_stream(stream);

    if (stream->message->status >= STATUS_FINAL) {
        http2->status = stream->message->status;
    } else if (++http2->interim > RELAY_INTERIM_MAX) {
        http2->error = "more informational responses than anybody needs";
    }
}

static void refused(struct http2_stream *stream, struct bytes head, unsigned status, const char *error) {
    of_stream(stream)->error = error;
}

static size_t body(struct http2_stream *stream, struct bytes piece) {
    return piece.size;
}

static void message_ended(struct http2_stream *stream, struct bytes trailers) {}

static void room(struct http2_stream *stream) {}

static void closed(struct http2_stream *stream, uint32_t error) {
    struct probe_http2 *http2 = of_stream(stream);

    if (http2->error == NULL) {
        http2->error = "the stream was reset";
    }
}

static void output(void *owner, struct bytes frames) {
    struct probe_http2 *http2 = owner;

    http2->stuck = http2->stuck || link_write(http2->link, frames) < 0;
}

static size_t output_room(void *owner) {
    const struct probe_http2 *http2 = owner;

    return http2->stuck ? 0 : link_room(http2->link);
}

static const struct http2_handler handler = {
    .head = head,
    .refused = refused,
    .body = body,
    .end = message_ended,
    .room = room,
    .closed = closed,
    .output = output,
    .output_room = output_room,
};

/* Judges where things stand when a function of the session has returned. */
static enum probe_reading look(struct probe_http2 *http2, enum http2_outcome outcome) {
    if (http2->status != 0) {
        return PROBE_ANSWERED;
    }
    if (outcome == HTTP2_NO_MEMORY || http2->stuck) {
        return PROBE_UNMADE;
    }
    if (http2_session_fault(http2->session) != HTTP2_NO_ERROR) {
        http2->error = "its frames break the rules, or are none";
    } else if (outcome == HTTP2_OVER && http2->error == NULL) {
        http2->error = "the session has ended";
    }
    return http2->error == NULL ? PROBE_MORE : PROBE_MALFORMED;
}

enum probe_reading probe_http2_begin(struct probe_http2 *http2, struct relay_link *link, struct probe_answer *answer,
                                     struct bytes request) {
    const struct http2_settings settings = {
        .head_size_max = RELAY_RESPONSE_HEAD_MAX,
        .stream_window = WINDOW,
        .stream_window_max = WINDOW,
        .connection_window = WINDOW,
    };

    answer->message.headers = answer->headers;
    answer->message.headers_max = RELAY_RESPONSE_HEADERS_MAX;
    *http2 = (struct probe_http2){.link = link, .request.message = &answer->message};
    http2->session = http2_session_client(&settings, &handler, http2);
    if (http2->session == NULL ||
        http2_session_open(http2->session, &http2->request, request, link->tls != NULL ? "https" : "http", true) < 0) {
        return PROBE_UNMADE;
    }
    return look(http2, http2_session_flush(http2->session));
}

enum probe_reading probe_http2_read(struct probe_http2 *http2, struct bytes data, uint64_t now_s) {
    return look(http2, http2_session_receive(http2->session, data, now_s));
}

void probe_http2_end(struct probe_http2 *http2) {
    http2_session_terminate(http2->session, HTTP2_NO_ERROR);
    http2_session_flush(http2->session); /* the last thing that is said, whatever comes of it */
}

void probe_http2_free(struct probe_http2 *http2) {
    http2_session_free(http2->session);
    http2->session = NULL;
}
