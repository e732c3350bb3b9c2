#include "http2/head.h"

#include "base/ascii.h"
#include "http/syntax.h"

enum { BUFFER_MIN = 1000 };

static bool buffer_append(struct http2_buffer *buffer, struct http2_memory *memory, struct bytes bytes) {
    if (bytes.size > buffer->capacity - buffer->size) {
        size_t capacity = 2 * ((size_t)buffer->capacity + bytes.size);
        capacity = capacity < BUFFER_MIN ? BUFFER_MIN : capacity;
        uint8_t *data = capacity > UINT32_MAX ? NULL : http2_resize(memory, buffer->data, capacity);
        if (data == NULL) {
            return false;
        }
        buffer->data = data;
        buffer->capacity = (uint32_t)capacity;
    }
    if (bytes.size > 0) {
        memcpy(buffer->data + buffer->size, bytes.data, bytes.size);
        buffer->size += (uint32_t)bytes.size;
    }
    return true;
}

static void buffer_release(struct http2_buffer *buffer, struct http2_memory *memory) {
    http2_release(memory, buffer->data);
    *buffer = (struct http2_buffer){0};
}

void http2_head_begin(struct http2_head *head, struct http_message *message, uint32_t size_max) {
    head->arena.size = head->crumbs.size = 0;
    head->message = message;
    head->counted = 0;
    head->size_max = size_max;
    head->too_large = head->too_many = head->path_too_long = false;
    head->authority = head->scheme = (struct http_span){0};
    if (message != NULL) {
        *message = (struct http_message){
            .http2 = true, .minor = 1, .keep_alive = true, .headers_max = message->headers_max, .headers = message->headers};
    }
}

void http2_head_release(struct http2_head *head, struct http2_memory *memory) {
    buffer_release(&head->arena, memory);
    buffer_release(&head->crumbs, memory);
    head->message = NULL;
}

bool http2_head_count(struct http2_head *head, struct bytes name, struct bytes value) {
    head->counted += name.size + value.size + 4;
    head->too_large = head->counted > head->size_max;
    return !head->too_large;
}

bool http2_head_is_hopeless(const struct http2_head *head) {
    return head->counted > (uint64_t)HTTP2_HEAD_PATIENCE * head->size_max;
}

bool http2_head_keep(struct http2_head *head, struct http2_memory *memory, struct bytes bytes, struct http_span *span) {
    *span = (struct http_span){head->arena.size, (uint32_t)bytes.size};
    return buffer_append(&head->arena, memory, bytes);
}

bool http2_head_add_crumb(struct http2_head *head, struct http2_memory *memory, struct bytes value) {
    return value.size == 0 || ((head->crumbs.size == 0 || buffer_append(&head->crumbs, memory, bytes_of_string("; "))) &&
                               buffer_append(&head->crumbs, memory, value));
}

bool http2_head_add(struct http2_head *head, struct http2_memory *memory, struct bytes name, struct bytes value) {
    struct http_message *message = head->message;
    if (message->header_count == message->headers_max) {
        head->too_many = true;
        return true;
    }
    struct http_header *header = &message->headers[message->header_count];
    *header = (struct http_header){0};
    if (!http2_head_keep(head, memory, name, &header->name) || !http2_head_keep(head, memory, value, &header->value)) {
        return false;
    }
    message->header_count++;
    return true;
}

bool http2_head_join_crumbs(struct http2_head *head, struct http2_memory *memory) {
    return head->crumbs.size == 0 ||
           http2_head_add(head, memory, bytes_of_string("cookie"), bytes_of(head->crumbs.data, head->crumbs.size));
}

bool http2_head_add_trailer(struct http2_head *head, struct http2_memory *memory, struct bytes name, struct bytes value) {
    return buffer_append(&head->arena, memory, name) && buffer_append(&head->arena, memory, bytes_of_string(": ")) &&
           buffer_append(&head->arena, memory, value) && buffer_append(&head->arena, memory, bytes_of_string("\r\n"));
}

static bool read_length(struct bytes digits, uint64_t *length) {
    *length = 0;
    for (size_t i = 0; i < digits.size; i++) {
        if (!ascii_is_digit(digits.data[i]) || *length > (INT64_MAX - 9) / 10) {
            return false;
        }
        *length = *length * 10 + (digits.data[i] - '0');
    }
    return digits.size > 0;
}

bool http2_head_frame(struct http2_head *head, bool end) {
    struct http_message *message = head->message;
    message->framing = end ? HTTP_NO_BODY : HTTP_CHUNKED;
    for (uint32_t i = 0; i < message->header_count; i++) {
        if (message->headers[i].kind == HTTP_HEADER_CONTENT_LENGTH) {
            message->framing = HTTP_LENGTH;
            return read_length(http_view(head->arena.data, message->headers[i].value), &message->content_length);
        }
    }
    return true;
}
