#include "http/syntax.h"

#include "base/ascii.h"

bool http_is_token_character(uint8_t c) {
    return ascii_is_alphanumeric(c) || (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

bool http_is_token(struct bytes text) {
    for (size_t i = 0; i < text.size; i++) {
        if (!http_is_token_character(text.data[i])) {
            return false;
        }
    }
    return text.size > 0;
}

struct bytes http_trim(struct bytes text) {
    while (text.size > 0 && http_is_blank(text.data[0])) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && http_is_blank(text.data[text.size - 1])) {
        text.size--;
    }
    return text;
}

bool http_list_next(struct bytes *list, struct bytes *element) {
    while (list->size > 0) {
        const uint8_t *comma = memchr(list->data, ',', list->size);
        size_t size = comma == NULL ? list->size : (size_t)(comma - list->data);
        size_t used = comma == NULL ? size : size + 1;
        *element = http_trim(bytes_of(list->data, size));
        list->data += used;
        list->size -= used;
        if (element->size > 0) {
            return true;
        }
    }
    return false;
}

bool http_text_is(struct bytes text, const char *lower_case) {
    return bytes_equal_ignoring_case(text, bytes_of_string(lower_case));
}

bool http_is_method(const char *name) {
    struct bytes text = bytes_of_string(name);

    return text.size <= HTTP_METHOD_MAX && http_is_token(text);
}
