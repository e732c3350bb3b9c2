#include "base/log.h"

#include "base/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE_MAX = 1024 };

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "ERROR",
    [LOG_LEVEL_WARNING] = "WARNING",
    [LOG_LEVEL_INFO] = "INFO",
};

static atomic_int shown = LOG_LEVEL_INFO;

void log_set_level(enum log_level level) {
    atomic_store_explicit(&shown, (int)level, memory_order_relaxed);
}

void log_line(enum log_level level, const char *format, ...) {
    CHECK((unsigned)level < ARRAY_LENGTH(level_names));
    if ((int)level > atomic_load_explicit(&shown, memory_order_relaxed)) {
        return;
    }
    char line[LINE_SIZE_MAX + 1]; /* one more, for the NUL that vsnprintf writes and the newline replaces */
    size_t start = (size_t)snprintf(line, sizeof line, "%s ", level_names[level]);
    va_list arguments;
    va_start(arguments, format);
    int wanted = vsnprintf(line + start, LINE_SIZE_MAX - start, format, arguments);
    va_end(arguments);
    CHECK(wanted >= 0);
    size_t end = strlen(line); /* what fitted */
    for (size_t i = start; i < end; i++) {
        unsigned char c = (unsigned char)line[i];
        if (c < 0x20 || c == 0x7f) {
            line[i] = '?'; /* what a peer sent must not forge a line or drive a terminal */
        }
    }
    line[end++] = '\n';
    /* One write, so that lines of several threads do not mix; if it fails there is nowhere left to say so. */
    while (write(STDERR_FILENO, line, end) < 0 && errno == EINTR) {
    }
}
