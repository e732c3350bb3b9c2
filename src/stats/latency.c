#include "stats/latency.h"

#include "base/check.h"

#include <errno.h>

enum { SIGNIFICANT_DIGITS = 3 };

static const char *const names[] = {
    [STATS_ACCEPT_TO_HELLO] = "accept_to_hello",
    [STATS_HELLO_QUEUE] = "hello_queue",
    [STATS_HANDSHAKE_FULL] = "handshake_full",
    [STATS_HANDSHAKE_RESUMED] = "handshake_resumed",
    [STATS_VERIFY_CACHED] = "verify_cached",
    [STATS_VERIFY_FULL] = "verify_full",
    [STATS_REQUEST] = "request",
    [STATS_ORIGIN] = "origin",
};
_Static_assert(ARRAY_LENGTH(names) == STATS_LATENCY_COUNT, "each has a name");

const char *stats_latency_name(enum stats_latency what) {
    CHECK(what < STATS_LATENCY_COUNT);
    return names[what];
}

struct hdr_histogram *latency_histogram(void) {
    struct hdr_histogram *histogram = NULL;
    if (hdr_init(1, LATENCY_MAX_US, SIGNIFICANT_DIGITS, &histogram) != 0) {
        return NULL;
    }
    hdr_reset(histogram); /* its memory is there from the start, so that nothing grows with use */
    return histogram;
}

int latency_create(struct latencies *latencies) {
    *latencies = (struct latencies){0};
    for (size_t i = 0; i < STATS_LATENCY_COUNT; i++) {
        struct hdr_interval_recorder *recorder = &latencies->recorders[i];
        struct hdr_histogram *histogram = latency_histogram();
        if (histogram == NULL) {
            return -ENOMEM;
        }
        if (hdr_interval_recorder_init(recorder) != 0) {
            hdr_close(histogram);
            return -ENOMEM;
        }
        recorder->active = histogram;
    }
    return 0;
}

void latency_destroy(struct latencies *latencies) {
    for (size_t i = 0; i < STATS_LATENCY_COUNT; i++) {
        if (latencies->recorders[i].active != NULL) {
            hdr_interval_recorder_destroy(&latencies->recorders[i]);
        }
    }
    *latencies = (struct latencies){0};
}

void latency_record(struct latencies *latencies, enum stats_latency what, uint64_t duration_ns) {
    uint64_t duration_us = duration_ns / 1000;
    if (duration_us > LATENCY_MAX_US) {
        duration_us = LATENCY_MAX_US;
    }
    hdr_interval_recorder_record_value(&latencies->recorders[what], duration_us == 0 ? 1 : (int64_t)duration_us);
    atomic_store_explicit(&latencies->recorded[what], latency_count(latencies, what) + 1, memory_order_relaxed);
}

struct hdr_histogram *latency_take(struct latencies *latencies, enum stats_latency what, struct hdr_histogram *recycled) {
    return hdr_interval_recorder_sample_and_recycle(&latencies->recorders[what], recycled);
}
