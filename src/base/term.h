/* When something that has a name ends: a certificate authority, the lists of one. */
#ifndef BASE_TERM_H
#define BASE_TERM_H

#include <stdbool.h>
#include <stdint.h>

#define TERM_NEVER INT64_MAX

struct term {
    const char *name; /* UTF-8, NUL-terminated */
    int64_t end;      /* the last second that it is good for, since the epoch; TERM_NEVER: it names none */
    bool repeats;     /* another of the same name stands beside it, and ends no later */
    int64_t begin;    /* since when it is good, since the epoch; 0: not known */
};

#endif
