#include "load/tally.h"

#include <errno.h>
#include <hdr/hdr_histogram.h>

#define LATENCY_MIN_NS 1000
#define LATENCY_MAX_NS 60000000000

static const char *const counter_names[TALLY_COUNTERS] = {
    [TALLY_CONNECTIONS] = "connections",
    [TALLY_HANDSHAKES] = "handshakes",
    [TALLY_RESUMED] = "resumed",
    [TALLY_ANSWERS] = "answers",
    [TALLY_CONNECT_FAILED] = "connect_failed",
    [TALLY_TLS_FAILED] = "tls_failed",
    [TALLY_CLOSED] = "closed_by_server",
    [TALLY_HTTP_FAILED] = "http_failed",
    [TALLY_STATUS_FAILED] = "status_failed",
    [TALLY_NOT_RESUMED] = "not_resumed",
    [TALLY_TIMED_OUT] = "timed_out",
    [TALLY_OUTCOMES] = "outcomes",
    [TALLY_UNEXPECTED] = "unexpected",
    [TALLY_REPEATS] = "repeats",
    [TALLY_STREAMS_ANSWERED] = "streams_answered",
    [TALLY_STREAMS_RESET] = "streams_reset",
    [TALLY_BYTES_SENT] = "bytes_sent",
    [TALLY_BYTES_RECEIVED] = "bytes_received",
};

static const char *const latency_names[LATENCIES] = {
    [LATENCY_HANDSHAKE] = "handshake", [LATENCY_REQUEST] = "request", [LATENCY_EXCHANGE] = "exchange",
    [LATENCY_CONNECT] = "connect",     [LATENCY_OUTCOME] = "outcome",
};

const char *tally_counter_name(enum tally_counter counter) {
    return counter_names[counter];
}

const char *tally_latency_name(enum tally_latency latency) {
    return latency_names[latency];
}

int tally_create(struct tally *tally) {
    *tally = (struct tally){0};
    for (int i = 0; i < LATENCIES; i++) {
        if (hdr_init(LATENCY_MIN_NS, LATENCY_MAX_NS, 3, &tally->latencies[i]) != 0) {
            tally_destroy(tally);
            return -ENOMEM;
        }
    }
    return 0;
}

void tally_destroy(struct tally *tally) {
    for (int i = 0; i < LATENCIES; i++) {
        if (tally->latencies[i] != NULL) {
            hdr_close(tally->latencies[i]);
        }
    }
}

void tally_record(struct tally *tally, enum tally_latency latency, uint64_t ns) {
    hdr_record_value(tally->latencies[latency], ns < LATENCY_MAX_NS ? (int64_t)ns : LATENCY_MAX_NS);
}

void tally_reset_latencies(struct tally *tally) {
    for (int i = 0; i < LATENCIES; i++) {
        hdr_reset(tally->latencies[i]);
    }
}

uint64_t tally_failures(const uint64_t *from, const uint64_t to[TALLY_COUNTERS]) {
    uint64_t failures = 0;

    for (int i = TALLY_CONNECT_FAILED; i <= TALLY_TIMED_OUT; i++) {
        failures += to[i] - (from == NULL ? 0 : from[i]);
    }
    return failures;
}
