#include "base/json.h"

#include "base/check.h"
#include "base/decimal.h"
#include "base/utf8.h"

#include <math.h>
#include <stdio.h>

/* Returns how many bytes at the front stand for themselves, ASCII alone. */
static size_t plain_size(struct bytes value) {
    size_t size = 0;
    while (size < value.size && value.data[size] >= ' ' && value.data[size] < 0x7f && value.data[size] != '\\' &&
           value.data[size] != '"') {
        size++;
    }
    return size;
}

/* Escapes an ASCII character that cannot stand for itself. */
static struct bytes escape_ascii(uint8_t c, char escape[static JSON_ESCAPE_SIZE]) {
    static const char digits[] = "0123456789abcdef";
    static const char plain[] = "\b\t\n\f\r\"\\";
    static const char letters[] = "btnfr\"\\";
    const char *found = c == 0 ? NULL : strchr(plain, c);
    escape[0] = '\\';
    if (found != NULL) {
        escape[1] = letters[found - plain];
        return bytes_of(escape, 2);
    }
    memcpy(escape + 1, "u00", 3);
    escape[4] = digits[c >> 4];
    escape[5] = digits[c & 15];
    return bytes_of(escape, 6);
}

static struct bytes take(struct bytes *rest, size_t size) {
    struct bytes taken = bytes_of(rest->data, size);
    *rest = bytes_of(rest->data + size, rest->size - size);
    return taken;
}

struct bytes json_next_piece(struct bytes *rest, char escape[static JSON_ESCAPE_SIZE]) {
    size_t plain = plain_size(*rest);
    if (plain > 0) {
        return take(rest, plain);
    }
    size_t skip;
    size_t size = utf8_size(*rest, &skip);
    if (size == 1) {
        return escape_ascii(take(rest, 1).data[0], escape);
    }
    struct bytes character = take(rest, size > 0 ? size : skip);
    return size > 0 ? character : bytes_of_string(UTF8_REPLACEMENT);
}

static void begin_value(struct json *json, const char *key) {
    if (json->follows) {
        buffer_append(&json->buffer, ",", 1);
    }
    json->follows = true;
    if (key != NULL) {
        buffer_append(&json->buffer, "\"", 1);
        buffer_append_string(&json->buffer, key);
        buffer_append(&json->buffer, "\":", 2);
    }
}

static void enter(struct json *json, const char *key, const char *bracket) {
    begin_value(json, key);
    buffer_append(&json->buffer, bracket, 1);
    json->follows = false;
}

static void leave(struct json *json, const char *bracket) {
    buffer_append(&json->buffer, bracket, 1);
    json->follows = true;
}

void json_begin_object(struct json *json, const char *key) {
    enter(json, key, "{");
}

void json_end_object(struct json *json) {
    leave(json, "}");
}

void json_begin_array(struct json *json, const char *key) {
    enter(json, key, "[");
}

void json_end_array(struct json *json) {
    leave(json, "]");
}

void json_string(struct json *json, const char *key, struct bytes value) {
    begin_value(json, key);
    buffer_append(&json->buffer, "\"", 1);
    while (value.size > 0) {
        char escape[JSON_ESCAPE_SIZE];
        struct bytes piece = json_next_piece(&value, escape);
        buffer_append(&json->buffer, piece.data, piece.size);
    }
    buffer_append(&json->buffer, "\"", 1);
}

void json_unsigned(struct json *json, const char *key, uint64_t value) {
    begin_value(json, key);
    char digits[24];
    buffer_append(&json->buffer, digits, (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)value));
}

void json_signed(struct json *json, const char *key, int64_t value) {
    begin_value(json, key);
    char digits[24];
    buffer_append(&json->buffer, digits, (size_t)snprintf(digits, sizeof digits, "%lld", (long long)value));
}

void json_double(struct json *json, const char *key, double value) {
    CHECK(isfinite(value));
    begin_value(json, key);
    char digits[32];
    buffer_append(&json->buffer, digits, (size_t)snprintf(digits, sizeof digits, "%.6g", value));
}

void json_seconds(struct json *json, const char *key, uint64_t value_ns) {
    char digits[DECIMAL_SECONDS_SIZE];
    decimal_write_seconds(digits, value_ns);
    begin_value(json, key);
    buffer_append_string(&json->buffer, digits);
}

void json_bool(struct json *json, const char *key, bool value) {
    begin_value(json, key);
    buffer_append_string(&json->buffer, value ? "true" : "false");
}

void json_null(struct json *json, const char *key) {
    begin_value(json, key);
    buffer_append_string(&json->buffer, "null");
}
