#include "http/trailers.h"

#include "base/check.h"
#include "http/names.h"
#include "http/syntax.h"

/* Folded. Headers that frame a message or belong to one connection are not in the list: their kind tells them. */
static const char *const forbidden[] = {
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "age",
    "allow",
    "alt-svc",
    "authentication-info",
    "authorization",
    "cache-control",
    "client-cert",
    "client-cert-chain",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-location",
    "content-range",
    "content-security-policy",
    "content-type",
    "cookie",
    "date",
    "expires",
    "forwarded",
    "from",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-modified",
    "location",
    "max-forwards",
    "origin",
    "pragma",
    "proxy",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "range",
    "referer",
    "refresh",
    "retry-after",
    "set-cookie",
    "strict-transport-security",
    "user-agent",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-http-method-override",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
};

static bool is_forbidden(struct bytes name) {
    for (size_t i = 0; i < ARRAY_LENGTH(forbidden); i++) {
        if (http_names_alike(name, bytes_of_string(forbidden[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_listed(struct bytes list, struct bytes name) {
    struct bytes element;
    while (http_list_next(&list, &element)) {
        if (bytes_equal_ignoring_case(element, name)) {
            return true;
        }
    }
    return false;
}

bool http_takes_trailers(const struct http_message *request, const void *head) {
    for (uint32_t i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        if (header->kind == HTTP_HEADER_HOP_BY_HOP && http_text_is(http_view(head, header->name), "te") &&
            is_listed(http_view(head, header->value), bytes_of_string("trailers"))) {
            return true;
        }
    }
    return false;
}

/* Returns whether an element of the list is alike to the name. */
static bool has_alike(struct bytes list, struct bytes name) {
    struct bytes element;
    while (http_list_next(&list, &element)) {
        if (http_names_alike(element, name)) {
            return true;
        }
    }
    return false;
}

static bool is_named_by_connection(const struct http_message *message, const void *head, struct bytes name) {
    for (uint32_t i = 0; message->connection_names > 0 && i < message->header_count; i++) {
        if (message->headers[i].kind == HTTP_HEADER_CONNECTION &&
            has_alike(http_view(head, message->headers[i].value), name)) {
            return true;
        }
    }
    return false;
}

void http_gather_announced(struct text *out, const struct http_message *message, const void *head) {
    for (uint32_t i = 0; i < message->header_count; i++) {
        const struct http_header *header = &message->headers[i];
        if (header->kind != HTTP_HEADER_HOP_BY_HOP || !http_text_is(http_view(head, header->name), "trailer")) {
            continue;
        }
        struct bytes list = http_view(head, header->value);
        struct bytes element;
        while (!out->overflow && http_list_next(&list, &element)) {
            if (!is_named_by_connection(message, head, element)) {
                text_append_string(out, out->size > 0 ? ", " : "");
                text_append_bytes(out, element);
            }
        }
    }
}

void http_gather_connection_names(struct text *out, const struct http_message *message, const void *head) {
    for (uint32_t i = 0; message->connection_names > 0 && i < message->header_count; i++) {
        if (message->headers[i].kind != HTTP_HEADER_CONNECTION) {
            continue;
        }
        struct bytes list = http_view(head, message->headers[i].value);
        struct bytes element;
        while (http_list_next(&list, &element)) {
            text_append_string(out, out->size > 0 ? "," : "");
            text_append_bytes(out, element);
        }
    }
}

size_t http_trailers_drop(uint8_t *section, size_t size, struct bytes names) {
    size_t kept = 0;
    for (size_t at = 0; names.size > 0 && at < size;) {
        const uint8_t *end = memchr(section + at, '\n', size - at);
        size_t line = end == NULL ? size - at : (size_t)(end - (section + at)) + 1;
        const uint8_t *colon = memchr(section + at, ':', line);
        if (colon == NULL || !has_alike(names, bytes_of(section + at, (size_t)(colon - (section + at))))) {
            memmove(section + kept, section + at, line);
            kept += line;
        }
        at += line;
    }
    return names.size > 0 ? kept : size;
}

static bool is_printable(struct bytes value) {
    for (size_t i = 0; i < value.size; i++) {
        if ((value.data[i] < ' ' && value.data[i] != '\t') || value.data[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool may_pass(struct bytes name, struct bytes value, struct bytes announced,
                     const struct http_forwarding *forwarding) {
    return http_is_token(name) && !is_forbidden(name) && !http_forwarding_removes(forwarding, name) && is_printable(value) &&
           (announced.data == NULL || is_listed(announced, name));
}

/* Takes the next line of the section, without its CRLF. False at its end. */
static bool next_line(struct bytes *section, struct bytes *line) {
    const uint8_t *end = section->size == 0 ? NULL : memchr(section->data, '\n', section->size);
    if (end == NULL || end == section->data) {
        return false;
    }
    *line = bytes_of(section->data, (size_t)(end - section->data) - 1);
    *section = bytes_of(end + 1, section->size - line->size - 2);
    return line->size > 0;
}

void http_write_trailers(struct text *out, struct bytes section, struct bytes announced,
                         const struct http_forwarding *forwarding) {
    struct bytes line;
    while (next_line(&section, &line)) {
        const uint8_t *colon = memchr(line.data, ':', line.size);
        if (colon == NULL) {
            continue;
        }
        struct bytes name = bytes_of(line.data, (size_t)(colon - line.data));
        struct bytes value = http_trim(bytes_of(colon + 1, line.size - name.size - 1));
        if (may_pass(name, value, announced, forwarding)) {
            text_append_bytes(out, name);
            text_append_string(out, ": ");
            text_append_bytes(out, value);
            text_append_string(out, "\r\n");
        }
    }
}
