#include "http2/fields.h"

#include "base/check.h"
#include "http/names.h"
#include "http/syntax.h"

enum {
    PSEUDO_HEADERS_MAX = 4,
    STATUS_OFFSET = sizeof "HTTP/1.1 " - 1,
    STATUS_SIZE = 3,
    SET_COOKIE_SHORT = 20, /* nghttp2's own bound for Cookie: a value that is shorter could be guessed by its compression */
};

static size_t count_lines(struct bytes text) {
    size_t count = 0;
    const uint8_t *end = text.data + text.size;
    const uint8_t *at = text.data;
    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        count++;
        at++;
    }
    return count;
}

/* Makes room for a field for each line, and for the pseudo-headers. */
static bool begin(struct http2_fields *fields, struct http2_memory *memory, struct bytes text) {
    size_t most = count_lines(text) + PSEUDO_HEADERS_MAX;
    fields->count = 0;
    fields->all = fields->few;
    if (most > HTTP2_FIELDS_FEW) {
        fields->all = http2_allocate(memory, most * sizeof *fields->all);
    }
    return fields->all != NULL;
}

void http2_fields_release(struct http2_fields *fields, struct http2_memory *memory) {
    if (fields->all != fields->few) {
        http2_release(memory, fields->all);
    }
    fields->all = NULL;
}

static void add(struct http2_fields *fields, struct bytes name, struct bytes value, uint8_t flags) {
    fields->all[fields->count++] =
        (nghttp2_nv){(uint8_t *)(uintptr_t)name.data, (uint8_t *)(uintptr_t)value.data, name.size, value.size, flags};
}

static void add_pseudo(struct http2_fields *fields, const char *name, struct bytes value) {
    add(fields, bytes_of_string(name), value, NGHTTP2_NV_FLAG_NONE);
}

/* Takes the next line, without its CRLF. False at the empty line, and at the end of the text. */
static bool next_line(struct bytes *text, struct bytes *line) {
    const uint8_t *end = text->size == 0 ? NULL : memchr(text->data, '\n', text->size);
    if (end == NULL) {
        return false;
    }
    size_t size = (size_t)(end - text->data);
    *line = bytes_of(text->data, size > 0 && end[-1] == '\r' ? size - 1 : size);
    *text = bytes_of(end + 1, text->size - size - 1);
    return line->size > 0;
}

static bool split_line(struct bytes line, struct bytes *name, struct bytes *value) {
    const uint8_t *colon = memchr(line.data, ':', line.size);
    if (colon == NULL || colon == line.data) {
        return false;
    }
    *name = bytes_of(line.data, (size_t)(colon - line.data));
    *value = http_trim(bytes_of(colon + 1, line.size - name->size - 1));
    return true;
}

/* Returns whether the field goes beyond one connection of HTTP/1. */
static bool passes(struct bytes name, struct bytes value) {
    switch (http_header_kind_of(name)) {
    case HTTP_HEADER_HOST:
    case HTTP_HEADER_CONNECTION:
    case HTTP_HEADER_TRANSFER_ENCODING:
    case HTTP_HEADER_UPGRADE:
        return false;
    case HTTP_HEADER_HOP_BY_HOP:
        return http_text_is(name, "trailer") || (http_text_is(name, "te") && http_text_is(value, "trailers"));
    case HTTP_HEADER_END_TO_END:
    case HTTP_HEADER_CONTENT_LENGTH:
    case HTTP_HEADER_EXPECT:
    case HTTP_HEADER_REQUEST_ID:
    case HTTP_HEADER_LOOKALIKE:
        return true;
    }
    return false;
}

/* Credentials are never to be put in a table, here or further on (RFC 7541 section 7.1.3). */
static uint8_t flags_of(struct bytes name, struct bytes value) {
    bool sensitive = http_text_is(name, "authorization") || http_text_is(name, "proxy-authorization") ||
                     ((http_text_is(name, "cookie") || http_text_is(name, "set-cookie")) && value.size < SET_COOKIE_SHORT);
    return sensitive ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
}

static void add_lines(struct http2_fields *fields, struct bytes text) {
    struct bytes line;
    struct bytes name;
    struct bytes value;
    while (next_line(&text, &line)) {
        if (split_line(line, &name, &value) && passes(name, value)) {
            add(fields, name, value, flags_of(name, value));
        }
    }
}

static struct bytes find_host(struct bytes text) {
    struct bytes line;
    struct bytes name;
    struct bytes value;
    while (next_line(&text, &line)) {
        if (split_line(line, &name, &value) && http_text_is(name, "host")) {
            return value;
        }
    }
    return bytes_of(NULL, 0);
}

/* Takes the text before the next space. */
static struct bytes next_part(struct bytes *line) {
    const uint8_t *space = memchr(line->data, ' ', line->size);
    CHECK(space != NULL);
    struct bytes part = bytes_of(line->data, (size_t)(space - line->data));
    *line = bytes_of(space + 1, line->size - part.size - 1);
    return part;
}

bool http2_fields_of_request(struct http2_fields *fields, struct http2_memory *memory, struct bytes head,
                             const char *scheme) {
    if (!begin(fields, memory, head)) {
        return false;
    }
    struct bytes line;
    CHECK(next_line(&head, &line));
    struct bytes method = next_part(&line);
    struct bytes target = next_part(&line);
    struct bytes authority = find_host(head);
    add_pseudo(fields, ":method", method);
    add_pseudo(fields, ":scheme", bytes_of_string(scheme));
    if (authority.size > 0) {
        add_pseudo(fields, ":authority", authority);
    }
    add_pseudo(fields, ":path", target);
    add_lines(fields, head);
    return true;
}

bool http2_fields_of_response(struct http2_fields *fields, struct http2_memory *memory, struct bytes head) {
    if (!begin(fields, memory, head)) {
        return false;
    }
    struct bytes line;
    CHECK(next_line(&head, &line) && line.size >= STATUS_OFFSET + STATUS_SIZE);
    add_pseudo(fields, ":status", bytes_of(line.data + STATUS_OFFSET, STATUS_SIZE));
    add_lines(fields, head);
    return true;
}

bool http2_fields_of_trailers(struct http2_fields *fields, struct http2_memory *memory, struct bytes section) {
    if (!begin(fields, memory, section)) {
        return false;
    }
    add_lines(fields, section);
    return true;
}
