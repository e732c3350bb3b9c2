/*
 * JSON (RFC 8259): the one rule by which strings are escaped, and a document while it is written, in memory that grows.
 * Members of an object have a key, elements of an array have none (NULL); keys are texts of ours and need no escaping.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buffer.h"

enum { JSON_ESCAPE_SIZE = 8 /* bytes */ };

/*
 * Takes the next piece off the front of `*rest`, which is not empty, and returns the bytes that stand for it in a JSON
 * string: a view of the piece itself, of `escape`, or of a static text. Quotes, backslashes and control bytes are escaped;
 * bytes that are not UTF-8 become U+FFFD. A string is all of its pieces between quotes.
 */
struct bytes json_next_piece(struct bytes *rest, char escape[static JSON_ESCAPE_SIZE]);

/* Zeroed at first. */
struct json {
    struct buffer buffer; /* the text so far */
    bool follows;         /* another value of the same object or array has been written */
};

void json_begin_object(struct json *json, const char *key);
void json_end_object(struct json *json);
void json_begin_array(struct json *json, const char *key);
void json_end_array(struct json *json);

void json_string(struct json *json, const char *key, struct bytes value);
void json_unsigned(struct json *json, const char *key, uint64_t value);
void json_signed(struct json *json, const char *key, int64_t value);
/* Writes a finite number, to six digits. */
void json_double(struct json *json, const char *key, double value);
/* Writes nanoseconds as seconds, to the nanosecond. */
void json_seconds(struct json *json, const char *key, uint64_t value_ns);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

#endif
