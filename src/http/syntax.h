/* The grammar that heads are made of (RFC 9110 section 5): bytes in, answers out. */
#ifndef HTTP_SYNTAX_H
#define HTTP_SYNTAX_H

#include "base/bytes.h"

enum { HTTP_METHOD_MAX = 128 };

/* Returns whether it is a character of a token (RFC 9110 section 5.6.2). */
bool http_is_token_character(uint8_t c);
/* Returns whether it is one or more token characters. */
bool http_is_token(struct bytes text);
/* Returns whether it is a token of at most HTTP_METHOD_MAX characters. */
bool http_is_method(const char *name);

/* White space within a line: a space or a tab. */
static inline bool http_is_blank(uint8_t c) {
    return c == ' ' || c == '\t';
}

/* Returns `text` without spaces and tabs at either end. */
struct bytes http_trim(struct bytes text);

/* Takes the next element that is not empty from a comma-separated list (RFC 9110 section 5.6.1). False at its end. */
bool http_list_next(struct bytes *list, struct bytes *element);

/* Returns whether `text` is `lower_case`, which has no capitals, where letter case is ignored. */
bool http_text_is(struct bytes text, const char *lower_case);

#endif
