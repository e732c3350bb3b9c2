/* Writes the answers of this server itself. */
#include "base/check.h"
#include "http/forward.h"
#include "http/names.h"

struct reply {
    unsigned status;
    const char *reason;
    const char *text;
};

#define REPLY(status, reason, text)                                                                                         \
    { status, reason, #status " " reason ": " text "\n" }

static const struct reply replies[] = {
    REPLY(200, "OK", "all is well."),
    REPLY(308, "Permanent Redirect", "this site is served over HTTPS."),
    REPLY(400, "Bad Request", "the request is not well-formed HTTP/1.1, or can be read in more than one way."),
    REPLY(403, "Forbidden", "a valid client certificate is required."),
    REPLY(404, "Not Found", "there is nothing at this path."),
    REPLY(405, "Method Not Allowed", "nothing here takes this method."),
    REPLY(408, "Request Timeout", "the request took too long to arrive."),
    REPLY(413, "Content Too Large", "the request's content is larger than this server takes."),
    REPLY(414, "URI Too Long", "the request target is longer than this server takes."),
    REPLY(417, "Expectation Failed", "the only expectation that is supported is 100-continue."),
    REPLY(421, "Misdirected Request", "this connection was opened for another host name."),
    REPLY(431, "Request Header Fields Too Large", "the request's headers are more or larger than this server takes."),
    REPLY(500, "Internal Server Error", "the server could not handle the request."),
    REPLY(501, "Not Implemented", "the request needs something that this server does not implement."),
    REPLY(502, "Bad Gateway", "no origin gave a usable answer."),
    REPLY(503, "Service Unavailable", "the server cannot take the request now."),
    REPLY(504, "Gateway Timeout", "the origin took too long to answer."),
    REPLY(505, "HTTP Version Not Supported", "the versions that are supported are HTTP/1.1 and HTTP/1.0."),
};

static const struct reply *find_reply(unsigned status) {
    size_t i = 0;
    while (i < ARRAY_LENGTH(replies) && replies[i].status != status) {
        i++;
    }
    CHECK(i < ARRAY_LENGTH(replies));
    return &replies[i];
}

const char *http_status_text(unsigned status) {
    return find_reply(status)->text;
}

static void append_field(struct text *out, const char *name, struct bytes value) {
    if (value.size > 0) {
        text_append_string(out, name);
        text_append_string(out, ": ");
        text_append_bytes(out, value);
        text_append_string(out, "\r\n");
    }
}

/* The headers by which an answer of ours says what it is: those of an origin's answers are configured for its content. */
static const char *const own_fields[] = {"Allow",
                                         "Cache-Control",
                                         "Content-Disposition",
                                         "Content-Language",
                                         "Content-Type",
                                         "Expires",
                                         "ETag",
                                         "Last-Modified",
                                         "Age",
                                         "Pragma",
                                         "Location",
                                         "Retry-After",
                                         "Grpc-Status",
                                         "Grpc-Message"};

static bool is_own_field(struct bytes name) {
    for (size_t i = 0; i < ARRAY_LENGTH(own_fields); i++) {
        if (http_names_alike(name, bytes_of_string(own_fields[i]))) {
            return true;
        }
    }
    return false;
}

/* Appends those of the lines that do not contradict what such an answer has. */
static void append_lines(struct text *out, struct bytes lines) {
    while (lines.size > 0) {
        const uint8_t *end = memchr(lines.data, '\n', lines.size);
        const uint8_t *colon = memchr(lines.data, ':', lines.size);
        CHECK(end != NULL && colon != NULL && colon < end);
        struct bytes line = bytes_of(lines.data, (size_t)(end - lines.data) + 1);
        if (!is_own_field(bytes_of(lines.data, (size_t)(colon - lines.data)))) {
            text_append_bytes(out, line);
        }
        lines = bytes_of(end + 1, lines.size - line.size);
    }
}

void http_write_reply(struct text *out, const struct http_reply *reply) {
    text_append_format(out, "HTTP/1.1 %u %s\r\n", reply->status, find_reply(reply->status)->reason);
    append_field(out, "Date", reply->stamp.date);
    text_append_format(out,
                       "Content-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n"
                       "Connection: %s\r\n",
                       reply->content_type, reply->body.size, reply->keep_alive ? "keep-alive" : "close");
    append_field(out, HTTP_NAME_REQUEST_ID, reply->stamp.request_id);
    text_append_string(out, reply->fields == NULL ? "" : reply->fields);
    append_lines(out, reply->stamp.constant);
    append_lines(out, reply->stamp.identity);
    append_lines(out, reply->stamp.connection);
    text_append_string(out, "\r\n");
    if (!reply->to_head) {
        text_append_bytes(out, reply->body);
    }
}
