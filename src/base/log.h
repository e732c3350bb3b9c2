/*
 * The server log: one line for each event on stderr, `TIME LEVEL message`, with the time as in 2026-11-27T16:45:06.123Z. In
 * the journal a line is `<PRIORITY>LEVEL message`, and the journal shows level and message. All calls are safe from any
 * thread; a line is one write.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO };

/* Drops lines above `level` from now on. Default: LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);
/* Writes a line of at most 1,024 bytes, time and level included. Control bytes in the message are printed as '?'. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Lines of one kind, for events that peers can cause as often as they like: five at once, then one in ten seconds. The next
 * line that is written says how many were left out. A kind of which each line is about another thing, at a rate that its
 * owner bounds, has a larger burst, so that none is hidden by the others.
 */
enum { LOG_KIND_BURST = 5, LOG_NEWS_BURST = 256, LOG_KIND_INTERVAL_S = 10 };
struct log_kind {
    pthread_mutex_t lock;
    uint32_t burst;
    uint64_t filled_s; /* when the kind last earned a line */
    uint32_t spent;    /* of its burst */
    uint64_t left_out;
};
#define LOG_KIND_OF(lines)                                                                                                  \
    { .lock = PTHREAD_MUTEX_INITIALIZER, .burst = (lines) }
#define LOG_KIND_INITIALIZER LOG_KIND_OF(LOG_KIND_BURST)

/* Tells whether a line may be written at `now_s`, seconds of a clock that only goes forward; *left_out were left out. */
bool log_kind_allows(struct log_kind *kind, uint64_t now_s, uint64_t *left_out);
void log_line_of_kind(struct log_kind *kind, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Write a line of a kind of its own: that of the place of the call. */
#define log_bounded(burst, level, ...)                                                                                      \
    do {                                                                                                                    \
        static struct log_kind kind_ = LOG_KIND_OF(burst);                                                                  \
        log_line_of_kind(&kind_, level, __VA_ARGS__);                                                                       \
    } while (0)
#define log_limited(level, ...) log_bounded(LOG_KIND_BURST, level, __VA_ARGS__)
#define log_news(level, ...)    log_bounded(LOG_NEWS_BURST, level, __VA_ARGS__)

#define log_error(...)   log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_line(LOG_LEVEL_INFO, __VA_ARGS__)

#endif
