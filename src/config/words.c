#include "config/words.h"

#include "base/text.h"
#include "x509/name.h"

const char *words_time(int64_t seconds, char buffer[static WORDS_TIME_SIZE]) {
    struct text text = text_over(buffer, WORDS_TIME_SIZE - 1);
    text_append_time(&text, seconds);
    buffer[text.size] = '\0';
    return buffer;
}

const char *words_name(struct bytes name, char buffer[static WORDS_NAME_SIZE]) {
    struct text text = text_over(buffer, WORDS_NAME_SIZE - 1);
    name_append_text(&text, name);
    buffer[text.size] = '\0';
    return buffer;
}
