/* The text of a failure, one line for people, of one size for all modules: handed up to the module that prints it. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

enum { ERROR_SIZE = 1024 };

struct error {
    char text[ERROR_SIZE]; /* NUL-terminated; a longer text is cut */
};

/* Sets the text. The arguments may include error->text itself, to put something before it. */
void error_set(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Sets the text and returns `result`, a negative errno. */
int error_fail(struct error *error, int result, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
