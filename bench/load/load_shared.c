#include "load/load_shared.h"

#include "base/clock.h"
/* For stream_flush_all, see load_flush. */
#include "ring/stream_internal.h"

#include <stdio.h>

void load_count_outcome(struct load_shared *shared, unsigned outcome) {
    shared->tally.outcomes[outcome]++;
    load_count(shared, TALLY_OUTCOMES);
    if (!shared->options->expected_outcomes[outcome]) {
        char name[OUTCOME_NAME_SIZE];

        outcome_name(outcome, name);
        load_count(shared, TALLY_UNEXPECTED);
        load_note_error(shared, "unexpected", name);
    }
}

void load_record(struct load_shared *shared, enum tally_latency latency, uint64_t since_ns) {
    if (shared->measures) {
        tally_record(&shared->tally, latency, clock_monotonic_ns() - since_ns);
    }
}

void load_note_error(struct load_shared *shared, const char *kind, const char *text) {
    if (shared->first_error[0] == '\0') {
        snprintf(shared->first_error, sizeof shared->first_error, "%s: %s", kind, text);
    }
}

uint32_t load_next_source(struct load_shared *shared) {
    return shared->options->source_first + shared->source_next++ % shared->options->source_addresses;
}

void load_flush(struct load_shared *shared) {
    stream_flush_all(&shared->ring);
    io_uring_submit(&shared->ring.uring);
}
