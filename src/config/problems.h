/* Collects the problems and warnings of a configuration, so that one run of `check` shows all of them. */
#ifndef CONFIG_PROBLEMS_H
#define CONFIG_PROBLEMS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* One thing that is wrong, or worth a warning. */
struct config_problem {
    char *file;
    unsigned line; /* from 1; 0: the problem is of the file as a whole */
    bool is_end;   /* a warning that something has ended: the log reports the end by itself (command/expiry) */
    char *message;
};

/* Zeroed, it is empty. */
struct config_problems {
    struct config_problem *items;
    size_t count;
    size_t capacity;
};

/*
 * Adds a problem in its place: items are always sorted by line, those of one line in the order in which they were found.
 * Control bytes in the message become '?', so that a problem is always one line.
 */
void problems_add(struct config_problems *problems, const char *file, unsigned line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Returns the problem, which stays where it is until another is added. */
struct config_problem *problems_add_list(struct config_problems *problems, const char *file, unsigned line,
                                         const char *format, va_list arguments) __attribute__((format(printf, 4, 0)));
void config_problems_free(struct config_problems *problems);

/*
 * Returns the problem as one line without its end: "FILE:LINE: KIND message", or "FILE: KIND message" when the problem has
 * no line. `kind` is "", or a word and what separates it from the message, such as "warning: ". free().
 */
char *problem_text(const struct config_problem *problem, const char *kind);

/* Print the text of each problem in a line; of warnings with the kind "warning: ". */
void config_problems_print(const struct config_problems *problems, FILE *out);
void config_warnings_print(const struct config_problems *warnings, FILE *out);

#endif
