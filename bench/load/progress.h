/* A line a second while a run lasts, on stderr. */
#ifndef BENCH_LOAD_PROGRESS_H
#define BENCH_LOAD_PROGRESS_H

#include "load/load_shared.h"

struct progress {
    uint64_t begin_ns;
    uint64_t last_ns; /* when the last line was due */
    uint64_t counters[TALLY_COUNTERS];
    uint64_t outcomes[OUTCOMES];
};

void progress_begin(struct progress *progress, uint64_t now_ns);
/* Prints a line when it is time for one. `open`: connections with a stream. */
void progress_tell(struct progress *progress, const struct load_shared *shared, uint32_t open, uint64_t now_ns);

#endif
