#include "stats/json.h"

#include "base/check.h"
#include "base/utf8.h"

#include <math.h>
#include <stdio.h>

static void put_string(struct json *json, const char *string) {
    page_put(&json->page, string, strlen(string));
}

static void begin_value(struct json *json, const char *key) {
    if (json->follows) {
        page_put(&json->page, ",", 1);
    }
    json->follows = true;
    if (key != NULL) {
        page_put(&json->page, "\"", 1);
        put_string(json, key);
        page_put(&json->page, "\":", 2);
    }
}

static void enter(struct json *json, const char *key, const char *bracket) {
    begin_value(json, key);
    page_put(&json->page, bracket, 1);
    json->follows = false;
}

static void leave(struct json *json, const char *bracket) {
    page_put(&json->page, bracket, 1);
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

/* Bytes at the front that stand for themselves. */
static size_t plain_size(struct bytes value) {
    size_t size = 0;
    while (size < value.size && value.data[size] >= ' ' && value.data[size] < 0x7f && value.data[size] != '\\' &&
           value.data[size] != '"') {
        size++;
    }
    return size;
}

/* One character, which `value` begins with. Returns its size there. */
static size_t put_character(struct json *json, struct bytes value) {
    uint8_t first = value.data[0];
    size_t skip;
    size_t size = utf8_size(value, &skip);
    if (size == 0) {
        put_string(json, UTF8_REPLACEMENT);
        return skip;
    }
    if (first < ' ' || first == 0x7f) {
        char escape[8];
        page_put(&json->page, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", first));
        return size;
    }
    page_put(&json->page, "\\", first == '\\' || first == '"');
    page_put(&json->page, (const char *)value.data, size);
    return size;
}

void json_string(struct json *json, const char *key, struct bytes value) {
    begin_value(json, key);
    page_put(&json->page, "\"", 1);
    while (value.size > 0) {
        size_t size = plain_size(value);
        page_put(&json->page, (const char *)value.data, size);
        value = bytes_of(value.data + size, value.size - size);
        if (value.size > 0) {
            size = put_character(json, value);
            value = bytes_of(value.data + size, value.size - size);
        }
    }
    page_put(&json->page, "\"", 1);
}

void json_unsigned(struct json *json, const char *key, uint64_t value) {
    char digits[24];
    begin_value(json, key);
    page_put(&json->page, digits, (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)value));
}

void json_signed(struct json *json, const char *key, int64_t value) {
    char digits[24];
    begin_value(json, key);
    page_put(&json->page, digits, (size_t)snprintf(digits, sizeof digits, "%lld", (long long)value));
}

void json_double(struct json *json, const char *key, double value) {
    char digits[32];
    CHECK(isfinite(value));
    begin_value(json, key);
    page_put(&json->page, digits, (size_t)snprintf(digits, sizeof digits, "%.6g", value));
}

void json_seconds(struct json *json, const char *key, uint64_t value_ns) {
    char digits[PAGE_SECONDS_SIZE];
    page_seconds(digits, value_ns);
    begin_value(json, key);
    put_string(json, digits);
}

void json_bool(struct json *json, const char *key, bool value) {
    begin_value(json, key);
    put_string(json, value ? "true" : "false");
}

void json_null(struct json *json, const char *key) {
    begin_value(json, key);
    put_string(json, "null");
}
