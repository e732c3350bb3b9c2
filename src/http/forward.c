#include "http/forward.h"

#include "base/ascii.h"
#include "base/check.h"
#include "http/names.h"
#include "http/syntax.h"
#include "http/upgrade.h"

static const char max_forwards_name[] = "Max-Forwards";
static const char upgrade_name[] = "Upgrade";
static const char websocket_key_name[] = "Sec-WebSocket-Key";

/* The headers that Connection names (RFC 9110 section 7.6.1). The parser refuses more than fit. */
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
        if (http_names_alike(names->names[i], name)) {
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

/*
 * Appends TE where trailers are welcome, and Trailer where they will come; both are for the next hop alone. If the
 * connection is to end, no trailers are asked for: TE must be an option of Connection too, and some origins do not
 * understand a list with `close` in it.
 */
static void append_neighbour_fields(struct text *out, const struct http_message *message, const void *head,
                                    struct bytes upgrade) {
    if (upgrade.size > 0) {
        append_named(out, upgrade_name, upgrade);
        append_named(out, "Connection", bytes_of_string(upgrade_name));
    } else if (http_content_may_be_left(message)) {
        append_named(out, "Connection", bytes_of_string("close"));
    } else if (message->trailers_wanted) {
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

static void append_request_line(struct text *out, const struct http_message *request, const void *head) {
    struct bytes method = request->protocol.size > 0 ? bytes_of_string("GET") : http_view(head, request->method);
    struct bytes path = http_view(head, request->path);
    CHECK(path.size > 0 || request->absolute_form);
    text_append_bytes(out, method);
    text_append_char(out, ' ');
    text_append_string(out, http_path_front(request, head));
    text_append_bytes(out, path);
    text_append_string(out, " HTTP/1.1\r\n");
}

static bool is_usable_request_id(struct bytes id) {
    for (size_t i = 0; i < id.size; i++) {
        if (id.data[i] <= ' ' || id.data[i] >= 0x7f) {
            return false;
        }
    }
    return id.size > 0 && id.size <= HTTP_REQUEST_ID_MAX;
}

struct bytes http_request_id_sent(const struct http_message *request, const void *head) {
    struct bytes sent = {0};
    size_t count = 0;
    for (uint32_t i = 0; i < request->header_count; i++) {
        if (request->headers[i].kind == HTTP_HEADER_REQUEST_ID) {
            sent = http_view(head, request->headers[i].value);
            count++;
        }
    }
    return count == 1 && is_usable_request_id(sent) ? sent : bytes_of(NULL, 0);
}

static bool is_listed(const struct http_forwarding *forwarding, struct bytes name) {
    return http_removals_has(forwarding->removals, name) ||
           (forwarding->strip != NULL && http_removals_has(forwarding->strip, name));
}

bool http_forwarding_removes(const struct http_forwarding *forwarding, struct bytes name) {
    return http_header_kind_of(name) != HTTP_HEADER_END_TO_END || is_listed(forwarding, name);
}

void http_request_id_write(const uint64_t random[static 2], char digits[static HTTP_REQUEST_ID_DIGITS]) {
    for (size_t i = 0; i < HTTP_REQUEST_ID_DIGITS; i++) {
        digits[i] = "0123456789abcdef"[random[i / 16] >> (60 - 4 * (i % 16)) & 15];
    }
}

enum http_hops http_max_forwards(const struct http_message *request, const void *head, uint32_t *left) {
    enum http_hops hops = HTTP_HOPS_ABSENT;
    uint64_t number = 0;
    for (uint32_t i = 0; i < request->header_count; i++) {
        if (!bytes_equal_ignoring_case(http_view(head, request->headers[i].name), bytes_of_string(max_forwards_name))) {
            continue;
        }
        struct bytes value = http_view(head, request->headers[i].value);
        if (hops != HTTP_HOPS_ABSENT || value.size == 0) {
            return HTTP_HOPS_UNREADABLE;
        }
        for (size_t digit = 0; digit < value.size; digit++) {
            if (!ascii_is_digit(value.data[digit])) {
                return HTTP_HOPS_UNREADABLE;
            }
            number = number * 10 + (value.data[digit] - '0');
            number = number < INT32_MAX ? number : INT32_MAX;
        }
        hops = HTTP_HOPS_LEFT;
    }
    *left = (uint32_t)number;
    return hops;
}

/* Appends the value with one hop less, or as it came if it cannot be read. */
static void append_max_forwards(struct text *out, const struct http_message *request, const void *head, struct bytes value) {
    char digits[16];
    struct text lowered = text_over(digits, sizeof digits);
    uint32_t left;
    if (http_max_forwards(request, head, &left) == HTTP_HOPS_LEFT && left > 0) {
        text_append_format(&lowered, "%u", left - 1);
        value = text_bytes(&lowered);
    }
    append_named(out, max_forwards_name, value);
}

static void append_end_to_end(struct text *out, const struct http_message *request, const void *head,
                              const struct http_forwarding *forwarding) {
    struct connection_names names;
    gather_connection_names(request, head, &names);
    for (uint32_t i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        struct bytes name = http_view(head, header->name);
        struct bytes value = http_view(head, header->value);
        if (header->kind != HTTP_HEADER_END_TO_END || is_listed(forwarding, name) || is_connection_name(&names, name)) {
            continue;
        }
        if (forwarding->websocket_key.size > 0 && http_names_alike(name, bytes_of_string(websocket_key_name))) {
            continue;
        }
        if (request->method_kind == HTTP_METHOD_OPTIONS &&
            bytes_equal_ignoring_case(name, bytes_of_string(max_forwards_name))) {
            append_max_forwards(out, request, head, value);
        } else {
            append_line(out, name, value);
        }
    }
}

/* RFC 9110 section 7.6.3; a version without a minor one has the minor 0 (section 2.5). */
static struct bytes via_of(const struct http_message *request) {
    if (request->http2) {
        return bytes_of_string("2.0 sallyport");
    }
    return bytes_of_string(request->minor == 0 ? "1.0 sallyport" : "1.1 sallyport");
}

void http_write_request(struct text *out, const struct http_message *request, const void *head,
                        const struct http_forwarding *forwarding) {
    struct bytes authority = request->authority.size > 0 ? http_view(head, request->authority) : forwarding->host_name;
    append_request_line(out, request, head);
    append_named(out, "Host", authority);
    append_end_to_end(out, request, head, forwarding);
    if (forwarding->constant.size > 0) {
        text_append_bytes(out, forwarding->constant);
    }
    text_append_bytes(out, forwarding->identity);
    text_append_bytes(out, forwarding->connection);
    append_named(out, HTTP_NAME_FORWARDED_FOR, forwarding->client_address);
    append_named(out, HTTP_NAME_FORWARDED_PROTO, bytes_of_string("https"));
    if (authority.size > 0) {
        append_named(out, HTTP_NAME_FORWARDED_HOST, authority);
    }
    append_named(out, HTTP_NAME_REQUEST_ID, forwarding->request_id);
    append_named(out, HTTP_NAME_VIA, via_of(request));
    if (forwarding->websocket_key.size > 0) {
        append_named(out, websocket_key_name, forwarding->websocket_key);
    }
    append_framing(out, request->framing, request->content_length);
    append_neighbour_fields(out, request, head, forwarding->upgrade);
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

static void append_stamp(struct text *out, const struct http_stamp *stamp) {
    if (stamp->date.size > 0) {
        append_named(out, "Date", stamp->date);
    }
    if (stamp->request_id.size > 0) {
        append_named(out, HTTP_NAME_REQUEST_ID, stamp->request_id);
    }
    if ((stamp->constant.size | stamp->identity.size | stamp->connection.size) > 0) { /* rules are rare */
        text_append_bytes(out, stamp->constant);
        text_append_bytes(out, stamp->identity);
        text_append_bytes(out, stamp->connection);
    }
}

/* Returns whether a header of an origin's answer goes to the client as it is. */
static inline bool answer_keeps(const struct http_header *header, struct bytes name, const struct connection_names *names,
                                const struct http_removals *removals) {
    return (header->kind == HTTP_HEADER_END_TO_END || header->kind == HTTP_HEADER_REQUEST_ID) &&
           !is_connection_name(names, name) && (removals == NULL || !http_removals_has(removals, name));
}

void http_write_response(struct text *out, const struct http_message *response, const void *head, enum http_framing framing,
                         uint8_t client_minor, bool keep_alive, bool to_head, const struct http_stamp *stamp) {
    bool is_switch = response->status == HTTP_STATUS_SWITCHING;
    struct http_stamp missing = response->status < 200 && !is_switch ? (struct http_stamp){0} : *stamp;
    /* In a response without a body, Content-Length is the length that the body would have (RFC 9110 section 8.6). */
    bool keeps_length = framing == HTTP_NO_BODY && response->status >= 200 && response->status != 204 &&
                        (to_head || response->status == 304);
    struct connection_names names;
    gather_connection_names(response, head, &names);
    append_status_line(out, response->status, http_view(head, response->reason_phrase));
    for (uint32_t i = 0; i < response->header_count; i++) {
        const struct http_header *header = &response->headers[i];
        struct bytes name = http_view(head, header->name);
        if (answer_keeps(header, name, &names, missing.removals) ||
            (header->kind == HTTP_HEADER_CONTENT_LENGTH && keeps_length) ||
            (header->kind == HTTP_HEADER_UPGRADE && is_switch)) {
            append_line(out, name, http_view(head, header->value));
            if (header->kind == HTTP_HEADER_REQUEST_ID) {
                missing.request_id.size = 0;
            } else if (bytes_equal_ignoring_case(name, bytes_of_string("Date"))) {
                missing.date.size = 0;
            }
        }
    }
    append_stamp(out, &missing);
    append_framing(out, framing, response->content_length);
    append_neighbour_fields(out, response, head, (struct bytes){0});
    if (is_switch) {
        append_named(out, "Connection", bytes_of_string(upgrade_name));
    } else if (!keep_alive || framing == HTTP_UNTIL_CLOSE) {
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
