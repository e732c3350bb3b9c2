#include "http/message.h"

const struct http_header *http_find_header(const struct http_message *message, const void *head, const char *name) {
    for (uint32_t i = 0; i < message->header_count; i++) {
        if (bytes_equal_ignoring_case(http_view(head, message->headers[i].name), bytes_of_string(name))) {
            return &message->headers[i];
        }
    }
    return NULL;
}

const char *http_path_front(const struct http_message *request, const void *head) {
    struct bytes path = http_view(head, request->path);

    if (!request->absolute_form || (path.size > 0 && path.data[0] == '/')) {
        return "";
    }
    return path.size == 0 && request->method_kind == HTTP_METHOD_OPTIONS ? "*" : "/";
}

bool http_content_may_be_left(const struct http_message *request) {
    return request->content_unexpected &&
           (request->framing == HTTP_CHUNKED || (request->framing == HTTP_LENGTH && request->content_length > 0));
}
