/*
 * A JSON document (RFC 8259) while it is written, in memory that grows. Members of an object have a key, elements of an
 * array have none (NULL); keys are texts of ours and need no escaping.
 */
#ifndef STATS_JSON_H
#define STATS_JSON_H

#include "stats/page.h"

struct json {
    struct page page; /* the text so far */
    bool follows;     /* another value of the same object or array has been written */
};

void json_begin_object(struct json *json, const char *key);
void json_end_object(struct json *json);
void json_begin_array(struct json *json, const char *key);
void json_end_array(struct json *json);

/* Quotes, backslashes and control bytes are escaped; what is not UTF-8 becomes U+FFFD. */
void json_string(struct json *json, const char *key, struct bytes value);
void json_unsigned(struct json *json, const char *key, uint64_t value);
void json_signed(struct json *json, const char *key, int64_t value);
/* A finite number, to six digits. */
void json_double(struct json *json, const char *key, double value);
/* In seconds, to the nanosecond. */
void json_seconds(struct json *json, const char *key, uint64_t value_ns);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

#endif
