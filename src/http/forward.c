#include "http/forward.h"

#include "base/check.h"
#include "http/syntax.h"

enum { REQUEST_ID_MAX = 128 };

/* The headers that Connection names (RFC 9110 section 7.6.1). They are few: the parser refuses more than fit. */
struct connection_names {
    size_t count;
    struct bytes names[HTTP_CONNECTION_NAMES_MAX];
};

static void gather_connection_names(const struct http_message *message, const void *head, struct connection_names *names) {
    names->count = 0;
    for (uint32_t i = 0; message->connection_names > 0 && i < message->header_count; i++) {
        if (message->headers[i].kind != HTTP_HEADER_CONNECTION) {
            continue;
        }
        struct bytes list = http_view(head, message->headers[i].value);
        struct bytes element;
        while (http_list_next(&list, &element)) {
            if (http_header_kind_of(element) == HTTP_HEADER_END_TO_END && !http_text_is(element, "close")) {
                CHECK(names->count < HTTP_CONNECTION_NAMES_MAX);
                names->names[names->count++] = element;
            }
        }
    }
}

static bool is_connection_name(const struct connection_names *names, struct bytes name) {
    for (size_t i = 0; i < names->count; i++) {
        if (bytes_equal_ignoring_case(names->names[i], name)) {
            return true;
        }
    }
    return false;
}

/* Appends one line, or nothing when it does not fit. */
static void append_line(struct text *out, struct bytes name, struct bytes value) {
    size_t size = name.size + value.size + 4;
    if (out->overflow || size > out->capacity - out->size) {
        out->overflow = true;
        return;
    }
    char *to = out->data + out->size;
    memcpy(to, name.data, name.size);
    to += name.size;
    *to++ = ':';
    *to++ = ' ';
    if (value.size > 0) {
        memcpy(to, value.data, value.size);
        to += value.size;
    }
    *to++ = '\r';
    *to = '\n';
    out->size += size;
}

static void append_named(struct text *out, const char *name, struct bytes value) {
    append_line(out, bytes_of_string(name), value);
}

static void append_framing(struct text *out, enum http_framing framing, uint64_t content_length) {
    if (framing == HTTP_LENGTH) {
        char digits[20];
        size_t at = sizeof digits;
        do {
            digits[--at] = (char)('0' + content_length % 10);
            content_length /= 10;
        } while (content_length > 0);
        append_named(out, "Content-Length", bytes_of(digits + at, sizeof digits - at));
    } else if (framing == HTTP_CHUNKED) {
        append_named(out, "Transfer-Encoding", bytes_of_string("chunked"));
    }
}

/* Trailers, where they are welcome (TE) or will come (Trailer, which hops one by one as they do). */
static void append_trailer_fields(struct text *out, const struct http_message *message, const void *head) {
    if (message->trailers_wanted) {
        append_named(out, "TE", bytes_of_string("trailers"));
        append_named(out, "Connection", bytes_of_string("TE"));
    }
    for (uint32_t i = 0; message->trailers_pass && i < message->header_count; i++) {
        const struct http_header *header = &message->headers[i];
        struct bytes name = http_view(head, header->name);
        if (header->kind == HTTP_HEADER_HOP_BY_HOP && http_text_is(name, "trailer")) {
            append_line(out, name, http_view(head, header->value));
        }
    }
}

/* An absolute-form target may lack its path: RFC 9112 section 3.2.1, and 3.2.4 for OPTIONS. */
static void append_request_line(struct text *out, const struct http_message *request, const void *head) {
    struct bytes method = http_view(head, request->method);
    struct bytes path = http_view(head, request->path);
    CHECK(path.size > 0 || request->absolute_form);
    text_append_bytes(out, method);
    text_append_char(out, ' ');
    if (path.size == 0 && bytes_equal(method, bytes_of_string("OPTIONS"))) {
        text_append_char(out, '*');
    } else if (path.size == 0 || path.data[0] == '?') {
        text_append_char(out, '/');
    }
    text_append_bytes(out, path);
    text_append_string(out, " HTTP/1.1\r\n");
}

static bool is_usable_request_id(struct bytes id) {
    for (size_t i = 0; i < id.size; i++) {
        if (id.data[i] <= ' ' || id.data[i] >= 0x7f) {
            return false;
        }
    }
    return id.size > 0 && id.size <= REQUEST_ID_MAX;
}

struct bytes http_request_id(const struct http_message *request, const void *head, const uint64_t made[static 2],
                             char digits[static HTTP_REQUEST_ID_DIGITS]) {
    struct bytes sent = {0};
    size_t count = 0;
    for (uint32_t i = 0; i < request->header_count; i++) {
        if (request->headers[i].kind == HTTP_HEADER_REQUEST_ID) {
            sent = http_view(head, request->headers[i].value);
            count++;
        }
    }
    if (count == 1 && is_usable_request_id(sent)) {
        return sent;
    }
    for (size_t i = 0; i < HTTP_REQUEST_ID_DIGITS; i++) {
        digits[i] = "0123456789abcdef"[made[i / 16] >> (60 - 4 * (i % 16)) & 15];
    }
    return bytes_of(digits, HTTP_REQUEST_ID_DIGITS);
}

void http_write_request(struct text *out, const struct http_message *request, const void *head,
                        const struct http_forwarding *forwarding) {
    struct connection_names names;
    char digits[HTTP_REQUEST_ID_DIGITS];
    struct bytes authority = http_view(head, request->authority);
    gather_connection_names(request, head, &names);
    append_request_line(out, request, head);
    append_named(out, "Host", authority);
    for (uint32_t i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        struct bytes name = http_view(head, header->name);
        struct bytes value = http_view(head, header->value);
        if (header->kind == HTTP_HEADER_END_TO_END && !http_removals_has(forwarding->removals, name) &&
            !is_connection_name(&names, name)) {
            append_line(out, name, value);
        }
    }
    text_append_bytes(out, forwarding->identity);
    text_append_bytes(out, forwarding->connection);
    append_named(out, "X-Forwarded-For", forwarding->client_address);
    append_named(out, "X-Forwarded-Proto", bytes_of_string("https"));
    append_named(out, "X-Forwarded-Host", authority);
    append_named(out, "X-Request-Id", http_request_id(request, head, forwarding->request_id, digits));
    append_framing(out, request->framing, request->content_length);
    append_trailer_fields(out, request, head);
    text_append_string(out, "\r\n");
}

enum http_framing http_response_framing(const struct http_message *response, uint8_t client_minor, bool to_head) {
    if (to_head || response->framing == HTTP_NO_BODY || response->framing == HTTP_LENGTH) {
        return to_head ? HTTP_NO_BODY : response->framing;
    }
    return client_minor == 0 ? HTTP_UNTIL_CLOSE : HTTP_CHUNKED;
}

static void append_status_line(struct text *out, unsigned status, struct bytes reason) {
    CHECK(status >= 100 && status <= 999);
    char digits[3] = {(char)('0' + status / 100), (char)('0' + status / 10 % 10), (char)('0' + status % 10)};
    text_append_string(out, "HTTP/1.1 ");
    text_append(out, digits, sizeof digits);
    text_append_char(out, ' ');
    text_append_bytes(out, reason);
    text_append_string(out, "\r\n");
}

void http_write_response(struct text *out, const struct http_message *response, const void *head, enum http_framing framing,
                         uint8_t client_minor, bool keep_alive, bool to_head) {
    /* Without a body the origin's Content-Length says how long it would be (RFC 9110 section 8.6). */
    bool keeps_length = framing == HTTP_NO_BODY && response->status >= 200 && response->status != 204 &&
                        (to_head || response->status == 304);
    struct connection_names names;
    gather_connection_names(response, head, &names);
    append_status_line(out, response->status, http_view(head, response->reason_phrase));
    for (uint32_t i = 0; i < response->header_count; i++) {
        const struct http_header *header = &response->headers[i];
        struct bytes name = http_view(head, header->name);
        bool end_to_end = header->kind == HTTP_HEADER_END_TO_END || header->kind == HTTP_HEADER_REQUEST_ID;
        if ((end_to_end && !is_connection_name(&names, name)) ||
            (header->kind == HTTP_HEADER_CONTENT_LENGTH && keeps_length)) {
            append_line(out, name, http_view(head, header->value));
        }
    }
    append_framing(out, framing, response->content_length);
    append_trailer_fields(out, response, head);
    if (!keep_alive || framing == HTTP_UNTIL_CLOSE) {
        append_named(out, "Connection", bytes_of_string("close"));
    } else if (client_minor == 0) {
        append_named(out, "Connection", bytes_of_string("keep-alive"));
    }
    text_append_string(out, "\r\n");
}

size_t http_chunk_line(char line[static HTTP_CHUNK_LINE_MAX], size_t chunk_size) {
    CHECK(chunk_size > 0);
    size_t digits = (67 - (size_t)__builtin_clzll(chunk_size)) / 4;
    for (size_t i = 0; i < digits; i++) {
        line[i] = "0123456789abcdef"[chunk_size >> (4 * (digits - 1 - i)) & 15];
    }
    memcpy(line + digits, "\r\n", 2);
    return digits + 2;
}
