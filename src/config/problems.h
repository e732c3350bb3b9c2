/* Collects what is wrong with a configuration, or worth a warning, so that one run of `check` shows all of it. */
#ifndef CONFIG_PROBLEMS_H
#define CONFIG_PROBLEMS_H

#include "config/config.h"

#include <stdarg.h>

/*
 * Adds a problem in its place: items are always sorted by line, those of one line in the order in which they were found.
 * Control bytes in the message become '?', so that a problem is always one line.
 */
void problems_add(struct config_problems *problems, const char *file, unsigned line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Returns the problem, which stays where it is until another is added. */
struct config_problem *problems_add_list(struct config_problems *problems, const char *file, unsigned line,
                                         const char *format, va_list arguments) __attribute__((format(printf, 4, 0)));

#endif
