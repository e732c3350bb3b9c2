/* A strict reader of Prometheus text format 0.0.4, for tests: any fault of the page fails the test. */
#ifndef TESTS_STATS_EXPOSITION_H
#define TESTS_STATS_EXPOSITION_H

#include <stddef.h>

struct sample {
    const char *series; /* "name{label=\"value\"}" as it stands on the page */
    double value;
};

struct exposition {
    struct sample *samples;
    size_t count;
    char *text; /* the series point into it */
};

/*
 * Checks the format's rules over `page`: HELP and TYPE once for each metric and before its samples, which stand together;
 * names, escapes and numbers; no series twice; buckets that rise to +Inf, which is the count.
 */
void exposition_read(struct exposition *exposition, const char *page, size_t size);
void exposition_free(struct exposition *exposition);

/* The value of a series, which must be there. */
double exposition_value(const struct exposition *exposition, const char *series);
/* Series that begin with `prefix`. */
size_t exposition_count(const struct exposition *exposition, const char *prefix);

#endif
