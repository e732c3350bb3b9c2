/* Assertions, in release builds too. A broken invariant ends the process: to serve although a state is in doubt is worse. */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#include <stddef.h>

/* Prints file, line and the condition to stderr, then aborts. */
_Noreturn void check_failed(const char *file, int line, const char *condition);

#define CHECK(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Gives the object of `type` whose `member` is at `pointer`. */
#define CONTAINER_OF(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
