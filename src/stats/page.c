#include "stats/page.h"

#include "base/check.h"
#include "base/decimal.h"
#include "base/utf8.h"

static void put_unsigned(struct buffer *page, uint64_t value) {
    char digits[DECIMAL_DIGITS_MAX];
    char *end = digits + sizeof digits;
    char *begin = decimal_write(end, value);
    buffer_append(page, begin, (size_t)(end - begin));
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
static void put_label_value(struct buffer *page, const char *value) {
    for (;;) {
        size_t size = plain_size(value);
        buffer_append(page, value, size);
        value += size;
        if (*value == '\0') {
            return;
        }
        size_t skip;
        size = utf8_size(bytes_of(value, strnlen(value, 4)), &skip);
        if (size == 0) {
            buffer_append_string(page, UTF8_REPLACEMENT);
            size = skip;
        } else if (*value == '\n') {
            buffer_append_string(page, "\\n");
        } else {
            buffer_append(page, "\\", *value == '\\' || *value == '"');
            buffer_append(page, value, size);
        }
        value += size;
    }
}

/* Everything of a line up to its value. */
static void put_series(struct buffer *page, const char *name, const char *suffix, const struct page_labels *labels) {
    CHECK(labels->count <= ARRAY_LENGTH(labels->items));
    buffer_append_string(page, name);
    buffer_append_string(page, suffix);
    for (size_t i = 0; i < labels->count; i++) {
        buffer_append(page, i == 0 ? "{" : ",", 1);
        buffer_append_string(page, labels->items[i].name);
        buffer_append(page, "=\"", 2);
        put_label_value(page, labels->items[i].value);
        buffer_append(page, "\"", 1);
    }
    buffer_append_string(page, labels->count > 0 ? "} " : " ");
}

void page_open_metric(struct buffer *page, const char *name, const char *type, const char *help) {
    const char *const pieces[] = {"# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n"};
    for (size_t i = 0; i < ARRAY_LENGTH(pieces); i++) {
        buffer_append_string(page, pieces[i]);
    }
}

void page_sample(struct buffer *page, const char *name, const char *suffix, const struct page_labels *labels,
                 uint64_t value) {
    put_series(page, name, suffix, labels);
    put_unsigned(page, value);
    buffer_append(page, "\n", 1);
}

void page_sample_signed(struct buffer *page, const char *name, const struct page_labels *labels, int64_t value) {
    put_series(page, name, "", labels);
    if (value < 0) {
        buffer_append(page, "-", 1);
    }
    put_unsigned(page, value < 0 ? -(uint64_t)value : (uint64_t)value);
    buffer_append(page, "\n", 1);
}

void page_sample_seconds(struct buffer *page, const char *name, const char *suffix, const struct page_labels *labels,
                         uint64_t value_ns) {
    char seconds[DECIMAL_SECONDS_SIZE];
    decimal_write_seconds(seconds, value_ns);
    put_series(page, name, suffix, labels);
    buffer_append_string(page, seconds);
    buffer_append(page, "\n", 1);
}
