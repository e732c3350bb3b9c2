#include "http/mend.h"

#include "base/ascii.h"
#include "http/syntax.h"

bool http_mend_is_response(struct bytes start) {
    /* Each '0' stands for any digit. */
    static const char pattern[] = "HTTP/1.0 000";
    for (size_t i = 0; i < sizeof pattern - 1 && i < start.size; i++) {
        if (pattern[i] == '0' ? !ascii_is_digit(start.data[i]) : start.data[i] != (uint8_t)pattern[i]) {
            return false;
        }
    }
    return start.size < sizeof pattern || start.data[12] == ' ' || start.data[12] == '\r' || start.data[12] == '\n';
}

bool http_mend_may_help(enum http_fault fault, struct bytes start) {
    return (fault == HTTP_FAULT_STATUS_LINE || fault == HTTP_FAULT_HEADER) && http_mend_is_response(start);
}

size_t http_mend_head_size(struct bytes input, size_t known) {
    /* The end of a head is at most three bytes: LF CR LF. One that reaches beyond `known` begins at most three before it. */
    const uint8_t *at = input.data + (known > 3 ? known - 3 : 0);
    const uint8_t *end = input.data + input.size;
    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        at++;
        if (at < end && *at == '\n') {
            return (size_t)(at + 1 - input.data);
        }
        if (end - at >= 2 && at[0] == '\r' && at[1] == '\n') {
            return (size_t)(at + 2 - input.data);
        }
    }
    return 0;
}

/* Counts the lines that end in LF alone; *all becomes the number of all lines. */
static size_t count_bare(const uint8_t *head, size_t size, size_t *all) {
    size_t bare = 0;
    *all = 0;
    for (size_t i = 0; i < size; i++) {
        if (head[i] == '\n') {
            ++*all;
            bare += i == 0 || head[i - 1] != '\r';
        }
    }
    return bare;
}

/* Works from the end to the front, so that no byte is overwritten before it has moved. */
static void end_lines_in_crlf(uint8_t *head, size_t size, size_t new_size) {
    while (size > 0) {
        head[--new_size] = head[--size];
        if (head[new_size] == '\n') {
            head[--new_size] = '\r';
        }
    }
}

/* Changes "Name : value" to "Name:  value", of the same size. True when it was needed. */
static bool mend_colon(uint8_t *line, size_t size) {
    uint8_t *colon = memchr(line, ':', size);
    if (colon == NULL || colon == line || !http_is_blank(colon[-1])) {
        return false;
    }
    size_t name = (size_t)(colon - line);
    while (name > 0 && http_is_blank(line[name - 1])) {
        name--;
    }
    if (!http_is_token(bytes_of(line, name))) {
        return false;
    }
    *colon = ' ';
    line[name] = ':';
    return true;
}

/* Mends each line; all of them end in CRLF. True when a line was changed. */
static bool mend_lines(uint8_t *head, size_t size) {
    bool changed = ascii_is_digit(head[7]) && head[7] > '1';
    if (changed) {
        head[7] = '1';
    }
    uint8_t *line = (uint8_t *)memchr(head, '\n', size) + 1;
    for (bool first = true; line < head + size; first = false) {
        uint8_t *end = memchr(line, '\n', (size_t)(head + size - line));
        if (end == NULL) {
            break;
        }
        if (http_is_blank(line[0]) && !first) {
            line[-2] = line[-1] = ' ';
            changed = true;
        } else if (!http_is_blank(line[0])) {
            changed = mend_colon(line, (size_t)(end - line)) || changed;
        }
        line = end + 1;
    }
    return changed;
}

size_t http_mend_head(uint8_t *head, size_t size, size_t capacity) {
    size_t all;
    size_t bare = count_bare(head, size, &all);
    if (all == 0 || size < 8 || (bare > 0 && (bare < all || size + bare > capacity))) {
        return 0;
    }
    if (bare > 0) {
        end_lines_in_crlf(head, size, size + bare);
        size += bare;
    }
    return mend_lines(head, size) || bare > 0 ? size : 0;
}
