/* A page of Prometheus text format 0.0.4 while it is written: samples, one a line. */
#ifndef STATS_PAGE_H
#define STATS_PAGE_H

#include "base/buffer.h"

struct page_label {
    const char *name;
    const char *value; /* escaped as it is written */
};

struct page_labels {
    struct page_label items[4];
    size_t count;
};

/* The two lines that open a metric. `help` has no backslash and no newline; `type` is counter, gauge or histogram. */
void page_open_metric(struct buffer *page, const char *name, const char *type, const char *help);

/* One sample: `name` and `suffix` (which may be "") together are its name. */
void page_sample(struct buffer *page, const char *name, const char *suffix, const struct page_labels *labels,
                 uint64_t value);
void page_sample_signed(struct buffer *page, const char *name, const struct page_labels *labels, int64_t value);
/* The value in seconds, to the nanosecond. */
void page_sample_seconds(struct buffer *page, const char *name, const char *suffix, const struct page_labels *labels,
                         uint64_t value_ns);

#endif
