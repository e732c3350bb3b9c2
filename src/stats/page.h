/* A page of Prometheus text format 0.0.4 while it is written: samples, one a line, in memory that grows. */
#ifndef STATS_PAGE_H
#define STATS_PAGE_H

#include "base/bytes.h"

struct page {
    char *data; /* malloc'd; the caller frees it, also after a failure */
    size_t size;
    size_t capacity;
    bool failed; /* out of memory: everything after is left out */
};

struct page_label {
    const char *name;
    const char *value; /* escaped as it is written */
};

struct page_labels {
    struct page_label items[4];
    size_t count;
};

/* Adds text as it is. */
void page_put(struct page *page, const char *data, size_t size);

/* The two lines that open a metric. `help` has no backslash and no newline; `type` is counter, gauge or histogram. */
void page_open_metric(struct page *page, const char *name, const char *type, const char *help);

/* One sample: `name` and `suffix` (which may be "") together are its name. */
void page_sample(struct page *page, const char *name, const char *suffix, const struct page_labels *labels, uint64_t value);
void page_sample_signed(struct page *page, const char *name, const struct page_labels *labels, int64_t value);
/* The value in seconds, to the nanosecond. */
void page_sample_seconds(struct page *page, const char *name, const char *suffix, const struct page_labels *labels,
                         uint64_t value_ns);

/* `ns` nanoseconds as decimal seconds without trailing zeros: "0.00001", "60". NUL-terminated. */
enum { PAGE_SECONDS_SIZE = 32 };
void page_seconds(char out[static PAGE_SECONDS_SIZE], uint64_t ns);

#endif
