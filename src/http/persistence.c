#include "http/persistence.h"

#include "base/ascii.h"
#include "base/check.h"
#include "http/names.h"
#include "http/syntax.h"

/* Returns the decimal number at the front, at most `max`; `unsaid` when there is none. */
static uint32_t number_at(struct bytes text, uint32_t max, uint32_t unsaid) {
    uint32_t number = 0;
    size_t i = 0;
    if (text.size > 0 && text.data[0] == '"') {
        i = 1;
    }
    size_t first = i;
    for (; i < text.size && ascii_is_digit(text.data[i]); i++) {
        number = number * 10 + (uint32_t)(text.data[i] - '0');
        number = number < max ? number : max;
    }
    return i > first ? number : unsaid;
}

/* Takes the value of a parameter `name=value`; white space may be around the '='. False when the element is another. */
static bool parameter_is(struct bytes element, const char *name, struct bytes *value) {
    const uint8_t *equals = memchr(element.data, '=', element.size);
    if (equals == NULL) {
        return false;
    }
    size_t size = (size_t)(equals - element.data);
    *value = http_trim(bytes_of(equals + 1, element.size - size - 1));
    return http_text_is(http_trim(bytes_of(element.data, size)), name);
}

/* Takes the next parameter of a list. Commas stand between parameters, and from some origins semicolons. */
static bool next_parameter(struct bytes *list, struct bytes *element) {
    size_t size = 0;
    if (list->size == 0) {
        return false;
    }
    while (size < list->size && list->data[size] != ',' && list->data[size] != ';') {
        size++;
    }
    *element = http_trim(bytes_of(list->data, size));
    size += size < list->size;
    *list = bytes_of(list->data + size, list->size - size);
    return true;
}

uint32_t http_keep_alive_s(const struct http_message *message, const void *head) {
    uint32_t least = HTTP_KEEP_ALIVE_UNSAID;
    for (uint32_t i = 0; i < message->header_count; i++) {
        const struct http_header *header = &message->headers[i];
        if (header->kind != HTTP_HEADER_HOP_BY_HOP || !http_text_is(http_view(head, header->name), "keep-alive")) {
            continue;
        }
        struct bytes list = http_view(head, header->value);
        struct bytes element;
        struct bytes value;
        while (next_parameter(&list, &element)) {
            uint32_t said = HTTP_KEEP_ALIVE_UNSAID;
            if (parameter_is(element, "timeout", &value)) {
                said = number_at(value, HTTP_KEEP_ALIVE_MAX_S, HTTP_KEEP_ALIVE_UNSAID);
            } else if (parameter_is(element, "max", &value) && number_at(value, 1, 1) == 0) {
                said = 0;
            }
            least = said < least ? said : least;
        }
    }
    return least;
}

static bool is_connection_scheme(struct bytes challenge) {
    static const char *const schemes[] = {"ntlm", "negotiate"};
    size_t size = 0;
    while (size < challenge.size && http_is_token_character(challenge.data[size])) {
        size++;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(schemes); i++) {
        if (http_text_is(bytes_of(challenge.data, size), schemes[i])) {
            return true;
        }
    }
    return false;
}

/*
 * A challenge may begin behind each comma, here also behind a comma within a quoted string: a mistake costs some speed,
 * while to read quotes in another way than the client does would cost safety.
 */
static bool has_connection_scheme(struct bytes list) {
    struct bytes element;
    while (http_list_next(&list, &element)) {
        if (is_connection_scheme(element)) {
            return true;
        }
    }
    return false;
}

static bool signs_in(const struct http_message *message, const void *head, const char *const names[static 2]) {
    for (uint32_t i = 0; i < message->header_count; i++) {
        const struct http_header *header = &message->headers[i];
        struct bytes name = http_view(head, header->name);
        if (header->kind != HTTP_HEADER_END_TO_END) {
            continue;
        }
        for (size_t j = 0; j < 2; j++) {
            if (http_names_alike(name, bytes_of_string(names[j])) && has_connection_scheme(http_view(head, header->value))) {
                return true;
            }
        }
    }
    return false;
}

bool http_request_signs_in(const struct http_message *request, const void *head) {
    static const char *const names[2] = {"authorization", "proxy-authorization"};
    return signs_in(request, head, names);
}

bool http_response_signs_in(const struct http_message *response, const void *head) {
    static const char *const names[2] = {"www-authenticate", "proxy-authenticate"};
    return signs_in(response, head, names);
}

bool http_is_event_stream(const struct http_message *response, const void *head) {
    const struct http_header *type = http_find_header(response, head, "Content-Type");
    if (type == NULL) {
        return false;
    }
    struct bytes value = http_view(head, type->value);
    const uint8_t *end = memchr(value.data, ';', value.size);
    return http_text_is(http_trim(end == NULL ? value : bytes_of(value.data, (size_t)(end - value.data))),
                        "text/event-stream");
}
