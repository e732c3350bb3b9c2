#include "base/log.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_SIZE_MAX = 1024 };

static const struct {
    const char *name;
    int priority; /* syslog(3) */
} levels[] = {
    [LOG_LEVEL_ERROR] = {"ERROR", 3},
    [LOG_LEVEL_WARNING] = {"WARNING", 4},
    [LOG_LEVEL_INFO] = {"INFO", 6},
};

static atomic_int shown = LOG_LEVEL_INFO;

void log_set_level(enum log_level level) {
    atomic_store_explicit(&shown, (int)level, memory_order_relaxed);
}

/* Tells whether stderr is the stream that JOURNAL_STREAM names: systemd.exec(5). A child may have the variable alone. */
static bool is_journal(void) {
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat status;

    if (stream == NULL || fstat(STDERR_FILENO, &status) != 0) {
        return false;
    }
    char *end;
    unsigned long long device = strtoull(stream, &end, 10);
    return *end == ':' && device == status.st_dev && strtoull(end + 1, NULL, 10) == status.st_ino;
}

/* Appends time and level. The journal has its own clock, and takes the priority off the line (sd-daemon(3)). */
static void append_start(struct text *text, enum log_level level) {
    if (is_journal()) {
        text_append_format(text, "<%d>", levels[level].priority);
    } else {
        uint64_t now_ms = clock_wall_ms();

        text_append_time(text, (int64_t)(now_ms / 1000));
        text->size--; /* takes the Z off again: milliseconds follow */
        text_append_format(text, ".%03uZ ", (unsigned)(now_ms % 1000));
    }
    text_append_format(text, "%s ", levels[level].name);
}

static void write_line(enum log_level level, uint64_t left_out, const char *format, va_list arguments) {
    char line[LINE_SIZE_MAX + 1]; /* one more, for the NUL that vsnprintf writes and the newline replaces */
    char suffix[64] = "";
    CHECK((unsigned)level < ARRAY_LENGTH(levels));
    if ((int)level > atomic_load_explicit(&shown, memory_order_relaxed)) {
        return;
    }
    if (left_out > 0) {
        snprintf(suffix, sizeof suffix, " (%llu lines like this were left out)", (unsigned long long)left_out);
    }
    size_t most = LINE_SIZE_MAX - strlen(suffix);
    struct text text = text_over(line, most);
    append_start(&text, level);
    size_t start = text.size;
    CHECK(vsnprintf(line + start, most - start, format, arguments) >= 0);
    size_t end = strlen(line); /* the message may have been cut */
    for (size_t i = start; i < end; i++) {
        unsigned char c = (unsigned char)line[i];
        if (c < 0x20 || c == 0x7f) {
            line[i] = '?'; /* a peer's bytes must not forge a line or drive a terminal */
        }
    }
    memcpy(line + end, suffix, strlen(suffix));
    end += strlen(suffix);
    line[end++] = '\n';
    /* One write, so that lines of several threads do not mix. There is no place to report its failure. */
    while (write(STDERR_FILENO, line, end) < 0 && errno == EINTR) {
    }
}

void log_line(enum log_level level, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    write_line(level, 0, format, arguments);
    va_end(arguments);
}

bool log_kind_allows(struct log_kind *kind, uint64_t now_s, uint64_t *left_out) {
    pthread_mutex_lock(&kind->lock);
    uint64_t earned = now_s > kind->filled_s ? (now_s - kind->filled_s) / LOG_KIND_INTERVAL_S : 0;
    if (earned > 0) {
        kind->spent = earned < kind->spent ? kind->spent - (uint32_t)earned : 0;
        kind->filled_s += earned * LOG_KIND_INTERVAL_S;
    }
    bool allowed = kind->spent < kind->burst;
    *left_out = kind->left_out;
    if (allowed && kind->spent == 0) {
        kind->filled_s = now_s; /* the next line is earned from this one on */
    }
    kind->spent += allowed;
    kind->left_out = allowed ? 0 : kind->left_out + 1;
    pthread_mutex_unlock(&kind->lock);
    return allowed;
}

void log_line_of_kind(struct log_kind *kind, enum log_level level, const char *format, ...) {
    uint64_t left_out;
    if (!log_kind_allows(kind, clock_monotonic_ns() / 1000000000, &left_out)) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    write_line(level, left_out, format, arguments);
    va_end(arguments);
}
