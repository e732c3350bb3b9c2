#include "talk.h"

#include "kernel.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *const talk_host_names[TALK_HOSTS] = {"enforce.test", "report.test", "off.test", "tcp.test"};

char talk_body_byte(uint32_t number, size_t at) {
    return (char)('a' + (number * 7 + at) % 26);
}

char talk_answer_byte(uint32_t number, size_t at) {
    return (char)('A' + (number * 11 + at) % 26);
}

void talk_put(struct talk_buffer *buffer, const void *data, size_t size) {
    if (size == 0) {
        return;
    }
    if (buffer->size + size > buffer->capacity) {
        buffer->capacity = 2 * (buffer->size + size) + 64;
        buffer->data = realloc(buffer->data, buffer->capacity);
    }
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

void talk_print(struct talk_buffer *buffer, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    char text[1024];
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    talk_put(buffer, text, (size_t)size);
}

void talk_drop(struct talk_buffer *buffer, size_t size) {
    buffer->size -= size;
    if (buffer->size > 0) {
        memmove(buffer->data, buffer->data + size, buffer->size);
    }
}

void talk_free(struct talk_buffer *buffer) {
    free(buffer->data);
    *buffer = (struct talk_buffer){0};
}

void talk_put_bytes(struct talk_buffer *buffer, size_t from, size_t size, uint32_t number, char byte(uint32_t, size_t)) {
    for (size_t i = 0; i < size; i++) {
        char value = byte(number, from + i);

        talk_put(buffer, &value, 1);
    }
}

void talk_put_body(struct talk_buffer *buffer, bool chunked, size_t size, uint32_t number, char byte(uint32_t, size_t)) {
    if (!chunked) {
        talk_put_bytes(buffer, 0, size, number, byte);
        return;
    }
    for (size_t at = 0; at < size;) {
        size_t part = size - at < 1 + number * 97 % 5000 ? size - at : 1 + number * 97 % 5000;

        talk_print(buffer, "%zx\r\n", part);
        talk_put_bytes(buffer, at, part, number, byte);
        talk_print(buffer, "\r\n");
        at += part;
    }
    talk_print(buffer, "0\r\n\r\n");
}

size_t talk_head_size(const struct talk_buffer *buffer) {
    const char *end = buffer->size == 0 ? NULL : memmem(buffer->data, buffer->size, "\r\n\r\n", 4);

    return end == NULL ? 0 : (size_t)(end - buffer->data) + 4;
}

unsigned talk_header(const char *head, size_t head_size, const char *name, char *value, size_t value_size) {
    size_t name_size = strlen(name);
    unsigned count = 0;
    const char *line = memmem(head, head_size, "\r\n", 2);

    value[0] = '\0';
    while (line != NULL && (size_t)(line - head) + 4 < head_size) {
        const char *start = line + 2;
        const char *end = memmem(start, head_size - (size_t)(start - head), "\r\n", 2);

        if ((size_t)(end - start) > name_size && start[name_size] == ':' && strncasecmp(start, name, name_size) == 0) {
            const char *text = start + name_size + 1;

            text += *text == ' ';
            if (count++ == 0) {
                snprintf(value, value_size, "%.*s", (int)(end - text), text);
            }
        }
        line = end;
    }
    return count;
}

static bool take_content(struct talk_body *body, struct talk_buffer *buffer, uint32_t number, char byte(uint32_t, size_t)) {
    size_t size = body->until_end || buffer->size < body->left ? buffer->size : body->left;

    for (size_t i = 0; i < size; i++) {
        if (buffer->data[i] != byte(number, body->at + i)) {
            return false;
        }
    }
    body->at += size;
    body->left -= body->until_end ? 0 : size;
    talk_drop(buffer, size);
    return true;
}

enum { CHUNK_LINE, CHUNK_DATA, CHUNK_END, TRAILERS };

/* One step through chunks. False: more is needed. */
static bool take_chunk_line(struct talk_body *body, struct talk_buffer *buffer) {
    char *end = buffer->size == 0 ? NULL : memmem(buffer->data, buffer->size, "\r\n", 2);

    if (end == NULL) {
        return false;
    }
    size_t size = (size_t)(end - buffer->data);

    if (body->stage == CHUNK_LINE) {
        body->left = strtoul(buffer->data, NULL, 16);
        body->stage = body->left == 0 ? TRAILERS : CHUNK_DATA;
    } else if (body->stage == CHUNK_END) {
        body->stage = CHUNK_LINE;
    } else {
        body->complete = size == 0;
    }
    talk_drop(buffer, size + 2);
    return true;
}

bool talk_take_body(struct talk_body *body, struct talk_buffer *buffer, uint32_t number, char byte(uint32_t, size_t)) {
    if (body->framing != TALK_CHUNKED) {
        if (!take_content(body, buffer, number, byte)) {
            return false;
        }
        body->complete = !body->until_end && body->left == 0;
        return true;
    }
    while (!body->complete) {
        if (body->stage != CHUNK_DATA) {
            if (!take_chunk_line(body, buffer)) {
                return true;
            }
            continue;
        }
        if (!take_content(body, buffer, number, byte)) {
            return false;
        }
        if (body->left > 0) {
            return true;
        }
        body->stage = CHUNK_END;
    }
    return true;
}

void talk_put_proxy_header(struct talk_buffer *buffer, const char *address) {
    static const uint8_t front[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c";
    struct in_addr source;

    if (kernel_chance(500)) {
        talk_print(buffer, "PROXY TCP4 %s 203.0.113.9 1024 443\r\n", address);
        return;
    }
    SIMULATOR_EXPECT(inet_pton(AF_INET, address, &source) == 1, "%s", address);
    talk_put(buffer, front, sizeof front - 1);
    talk_put(buffer, &source, sizeof source);
    talk_put(buffer, "\xcb\0\x71\x09\4\0\1\xbb", 8);
}
