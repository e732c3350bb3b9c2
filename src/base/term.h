/* The end of something that has a name: a certificate authority, or the lists of one. */
#ifndef BASE_TERM_H
#define BASE_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TERM_NEVER INT64_MAX

struct term {
    const char *name; /* UTF-8, NUL-terminated */
    int64_t end;      /* its last good second, since the epoch; TERM_NEVER: it names none */
    bool repeats;     /* another term has the same name and ends no later */
    int64_t begin;    /* its first good second, since the epoch; 0: not known */
};

/* Terms that the owner of the list has, the earliest end first. Zeroed is empty. */
struct term_list {
    const struct term *items;
    size_t count;
};

#endif
