#include "load/run.h"

#include "base/clock.h"
/* For stream_flush_all, see run_flush. */
#include "ring/operation.h"

#include <stdio.h>

void run_count_outcome(struct run *run, unsigned outcome) {
    run->tally.outcomes[outcome]++;
    run_count(run, TALLY_OUTCOMES);
    if (!run->options->expected_outcomes[outcome]) {
        char name[OUTCOME_NAME_SIZE];

        outcome_name(outcome, name);
        run_count(run, TALLY_UNEXPECTED);
        run_note_error(run, "unexpected", name);
    }
}

void run_record(struct run *run, enum tally_latency latency, uint64_t since_ns) {
    if (run->measures) {
        tally_record(&run->tally, latency, clock_monotonic_ns() - since_ns);
    }
}

void run_note_error(struct run *run, const char *kind, const char *text) {
    if (run->first_error[0] == '\0') {
        snprintf(run->first_error, sizeof run->first_error, "%s: %s", kind, text);
    }
}

uint32_t run_next_source(struct run *run) {
    return run->options->source_first + run->source_next++ % run->options->source_addresses;
}

void run_flush(struct run *run) {
    stream_flush_all(&run->ring);
    io_uring_submit(&run->ring.uring);
}
