/* The server log: one line an event on stderr, `LEVEL message`. Safe from any thread; a line is one write. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO };

/* Lines above `level` are dropped. Default: LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);
/* At most 1,024 bytes; control bytes in the message are printed as '?'. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_line(LOG_LEVEL_INFO, __VA_ARGS__)

#endif
