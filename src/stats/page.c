#include "stats/page.h"

#include "base/check.h"
#include "base/utf8.h"

#include <stdlib.h>

enum {
    FIRST_CAPACITY = 64 * 1024,
    DIGITS_MAX = 20, /* of 2^64 - 1 */
    FRACTION_DIGITS = 9,
};

static bool reserve(struct page *page, size_t size) {
    if (page->failed) {
        return false;
    }
    if (size <= page->capacity - page->size) {
        return true;
    }
    size_t capacity = page->capacity > 0 ? page->capacity : FIRST_CAPACITY;
    while (capacity - page->size < size) {
        if (__builtin_mul_overflow(capacity, (size_t)2, &capacity)) {
            page->failed = true;
            return false;
        }
    }
    char *grown = realloc(page->data, capacity);
    if (grown == NULL) {
        page->failed = true;
        return false;
    }
    page->data = grown;
    page->capacity = capacity;
    return true;
}

void page_put(struct page *page, const char *data, size_t size) {
    if (reserve(page, size)) {
        memcpy(page->data + page->size, data, size);
        page->size += size;
    }
}

static void put_string(struct page *page, const char *string) {
    page_put(page, string, strlen(string));
}

/* Digits end at `end`; returns where they begin. */
static char *write_digits(char *end, uint64_t value) {
    do {
        *--end = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return end;
}

static void put_unsigned(struct page *page, uint64_t value) {
    char digits[DIGITS_MAX];
    char *end = digits + sizeof digits;
    char *begin = write_digits(end, value);
    page_put(page, begin, (size_t)(end - begin));
}

/* Bytes at the front that stand for themselves. */
static size_t plain_size(const char *text) {
    size_t size = 0;
    while (text[size] >= ' ' && text[size] < 0x7f && text[size] != '\\' && text[size] != '"') {
        size++;
    }
    return size;
}

/*
 * A label's value: backslash, quote and newline escaped. The page must be UTF-8 or none of it is taken, and file names
 * need not be: what is not UTF-8 becomes U+FFFD.
 */
static void put_label_value(struct page *page, const char *value) {
    for (;;) {
        size_t size = plain_size(value), skip;
        page_put(page, value, size);
        value += size;
        if (*value == '\0') {
            return;
        }
        size = utf8_size(bytes_of(value, strnlen(value, 4)), &skip);
        if (size == 0) {
            put_string(page, UTF8_REPLACEMENT);
            size = skip;
        } else if (*value == '\n') {
            put_string(page, "\\n");
        } else {
            page_put(page, "\\", *value == '\\' || *value == '"');
            page_put(page, value, size);
        }
        value += size;
    }
}

/* Everything of a line up to its value. */
static void put_series(struct page *page, const char *name, const char *suffix, const struct page_labels *labels) {
    CHECK(labels->count <= ARRAY_LENGTH(labels->items));
    put_string(page, name);
    put_string(page, suffix);
    for (size_t i = 0; i < labels->count; i++) {
        page_put(page, i == 0 ? "{" : ",", 1);
        put_string(page, labels->items[i].name);
        page_put(page, "=\"", 2);
        put_label_value(page, labels->items[i].value);
        page_put(page, "\"", 1);
    }
    put_string(page, labels->count > 0 ? "} " : " ");
}

void page_open_metric(struct page *page, const char *name, const char *type, const char *help) {
    const char *const pieces[] = {"# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n"};
    for (size_t i = 0; i < ARRAY_LENGTH(pieces); i++) {
        put_string(page, pieces[i]);
    }
}

void page_sample(struct page *page, const char *name, const char *suffix, const struct page_labels *labels, uint64_t value) {
    put_series(page, name, suffix, labels);
    put_unsigned(page, value);
    page_put(page, "\n", 1);
}

void page_sample_signed(struct page *page, const char *name, const struct page_labels *labels, int64_t value) {
    put_series(page, name, "", labels);
    if (value < 0) {
        page_put(page, "-", 1);
    }
    put_unsigned(page, value < 0 ? -(uint64_t)value : (uint64_t)value);
    page_put(page, "\n", 1);
}

void page_seconds(char out[static PAGE_SECONDS_SIZE], uint64_t ns) {
    char digits[PAGE_SECONDS_SIZE];
    char *end = digits + sizeof digits;
    char *begin = write_digits(end, ns);
    char *point = end - FRACTION_DIGITS;
    while (begin >= point) { /* at least one digit before the point */
        *--begin = '0';
    }
    while (end > point && end[-1] == '0') {
        end--;
    }
    size_t whole = (size_t)(point - begin), fraction = (size_t)(end - point);
    memcpy(out, begin, whole);
    if (fraction > 0) {
        out[whole++] = '.';
        memcpy(out + whole, point, fraction);
    }
    out[whole + fraction] = '\0';
}

void page_sample_seconds(struct page *page, const char *name, const char *suffix, const struct page_labels *labels,
                         uint64_t value_ns) {
    char seconds[PAGE_SECONDS_SIZE];
    page_seconds(seconds, value_ns);
    put_series(page, name, suffix, labels);
    put_string(page, seconds);
    page_put(page, "\n", 1);
}
