#include "base/error.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void set(struct error *error, const char *format, va_list arguments) {
    char text[ERROR_SIZE]; /* the old text may be among the arguments */
    CHECK(vsnprintf(text, sizeof text, format, arguments) >= 0);
    memcpy(error->text, text, strlen(text) + 1);
}

void error_set(struct error *error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    set(error, format, arguments);
    va_end(arguments);
}

int error_fail(struct error *error, int result, const char *format, ...) {
    CHECK(result < 0);
    va_list arguments;
    va_start(arguments, format);
    set(error, format, arguments);
    va_end(arguments);
    return result;
}
