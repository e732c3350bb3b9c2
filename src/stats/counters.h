/*
 * The blocks in which a shard counts: one of its own, and one for each host (stats/hosts.h). Each shard writes its own
 * blocks and nobody else's; a scrape reads all of them and adds up. To count is a relaxed store by the one writer: no lock,
 * and no cache line that two shards write to.
 *
 * One row of a table below declares a counter and says which metric it is; prometheus.c makes the metric from the row.
 */
#ifndef STATS_COUNTERS_H
#define STATS_COUNTERS_H

#include "base/bits.h"
#include "base/reason.h"
#include "stats/labels.h"
#include "stats/latency.h"
#include "stats/rollout.h"

#include <stdatomic.h>
#include <stdint.h>

/* A counter or gauge with one writer. */
typedef _Atomic uint64_t stats_counter;

static inline void stats_add(stats_counter *counter, uint64_t amount) {
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + amount, memory_order_relaxed);
}
static inline void stats_subtract(stats_counter *counter, uint64_t amount) {
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) - amount, memory_order_relaxed);
}
static inline void stats_set(stats_counter *counter, uint64_t value) {
    atomic_store_explicit(counter, value, memory_order_relaxed);
}
static inline uint64_t stats_read(const stats_counter *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* Each bucket counts the durations up to its bound that are over the bound before it; the last bucket has no bound. */
enum { STATS_BUCKETS = 24 };
struct stats_histogram {
    stats_counter buckets[STATS_BUCKETS];
    stats_counter sum_ns;
};
void stats_record(struct stats_histogram *histogram, uint64_t duration_ns);
/* Returns the largest duration that a bucket counts, in nanoseconds, 10 us to 60 s; UINT64_MAX for the last bucket. */
uint64_t stats_bucket_bound_ns(unsigned bucket);

/*
 * ROW(member, extent, metric, type, unit, help, labels...) is one counter: its member in the block, with an [extent] for
 * each label that has several values; the metric's name and type, or NULL where only /stats.json shows it; the unit in which
 * it counts; its line of help; and the labels (stats/labels.h), from the first extent to the last, or STATS_LABEL_NONE. A
 * metric has the sum over all shards, but with STATS_LABEL_SHARD a sample of each.
 */
#define STATS_SHARD_COUNTERS(ROW)                                                                                           \
    ROW(connections_total, , "sallyport_connections_total", "counter", STATS_UNIT_ONE, "Connections accepted.",             \
        STATS_LABEL_SHARD)                                                                                                  \
    ROW(connections, , "sallyport_connections", "gauge", STATS_UNIT_ONE, "Connections that are open.", STATS_LABEL_SHARD)   \
    ROW(admission_state, , "sallyport_admission_state", "gauge", STATS_UNIT_ONE,                                            \
        "How a shard stands: 0 calm, 1 loaded, 2 flooded.", STATS_LABEL_SHARD)                                              \
    /* Bytes are those of all clients' connections, TLS records included; set once a turn. */                               \
    ROW(received_bytes, , "sallyport_received_bytes_total", "counter", STATS_UNIT_ONE,                                      \
        "Bytes received on clients' connections, with those of TLS.", STATS_LABEL_NONE)                                     \
    ROW(sent_bytes, , "sallyport_sent_bytes_total", "counter", STATS_UNIT_ONE,                                              \
        "Bytes sent on clients' connections, with those of TLS.", STATS_LABEL_NONE)                                         \
    ROW(handshakes, [STATS_RESULT_COUNT][STATS_KIND_COUNT][STATS_VERSION_COUNT][KEY_GROUP_COUNT],                           \
        "sallyport_handshakes_total", "counter", STATS_UNIT_ONE, "TLS handshakes that ended.", STATS_LABEL_RESULT,          \
        STATS_LABEL_KIND, STATS_LABEL_VERSION, STATS_LABEL_GROUP)                                                           \
    ROW(handshake_work_ns, [STATS_CLASS_COUNT], "sallyport_handshake_work_seconds_total", "counter", STATS_UNIT_NANOSECOND, \
        "Time spent on handshakes, by what the client was worth.", STATS_LABEL_CLASS)                                       \
    ROW(over_budget, [STATS_BUDGET_COUNT], "sallyport_over_budget_total", "counter", STATS_UNIT_ONE,                        \
        "Times that a known client was over a bound, and served as unknown.", STATS_LABEL_BUDGET)                           \
    ROW(redirects, , "sallyport_redirects_total", "counter", STATS_UNIT_ONE,                                                \
        "Requests in plain HTTP that were sent on to https.", STATS_LABEL_NONE)                                             \
    ROW(rejected, [STATS_STAGE_COUNT][STATS_REJECTION_COUNT], "sallyport_rejected_total", "counter", STATS_UNIT_ONE,        \
        "Connections and requests that were turned away.", STATS_LABEL_STAGE, STATS_LABEL_REJECTION)

#define STATS_HOST_COUNTERS(ROW)                                                                                            \
    ROW(client_certs, [REASON_COUNT], "sallyport_client_certs_total", "counter", STATS_UNIT_ONE,                            \
        "Verdicts on clients, one for each handshake.", STATS_LABEL_VERDICT)                                                \
    /* Requests, and connections to tcp hosts, that went to the origin, and would not have in mode enforce. */              \
    ROW(would_block, [REASON_COUNT], "sallyport_would_block_total", "counter", STATS_UNIT_ONE,                              \
        "Requests that mode report let through and enforce would not have.", STATS_LABEL_REASON)                            \
    ROW(requests, [STATS_CODES][STATS_PROTOCOL_COUNT], "sallyport_requests_total", "counter", STATS_UNIT_ONE,               \
        "Requests answered, by the status code of the answer.", STATS_LABEL_CODE, STATS_LABEL_PROTOCOL)                     \
    /* Of the requests, those answered 403 for the client's certificate. */                                                 \
    ROW(denied, [REASON_COUNT], NULL, NULL, STATS_UNIT_ONE, NULL, STATS_LABEL_REASON)                                       \
    /* Whether or not they are answered. */                                                                                 \
    ROW(streams, , "sallyport_streams_total", "counter", STATS_UNIT_ONE, "Streams of HTTP/2 that clients have begun.",      \
        STATS_LABEL_NONE)                                                                                                   \
    /* Handshakes with a valid certificate, by the days that it had left. */                                                \
    ROW(valid_by_span, [ROLLOUT_SPANS], NULL, NULL, STATS_UNIT_ONE, NULL, STATS_LABEL_NONE)                                 \
    ROW(origin_connections, [STATS_ORIGIN_EVENT_COUNT], "sallyport_origin_connections_total", "counter", STATS_UNIT_ONE,    \
        "What happened to connections to origins.", STATS_LABEL_ORIGIN_EVENT)                                               \
    ROW(origin_handshakes, [STATS_ORIGIN_HANDSHAKE_COUNT], "sallyport_origin_handshakes_total", "counter", STATS_UNIT_ONE,  \
        "TLS handshakes with origins, by how they ended.", STATS_LABEL_ORIGIN_HANDSHAKE)                                    \
    ROW(origin_requests, [STATS_ORIGIN_RESULT_COUNT], "sallyport_origin_requests_total", "counter", STATS_UNIT_ONE,         \
        "Requests to origins, by how they ended.", STATS_LABEL_ORIGIN_RESULT)                                               \
    ROW(origin_retries, [STATS_RETRY_COUNT], "sallyport_origin_retries_total", "counter", STATS_UNIT_ONE,                   \
        "Requests sent to an origin again, by what had become of them before.", STATS_LABEL_RETRY)                          \
    ROW(origin_retries_denied, , "sallyport_origin_retries_denied_total", "counter", STATS_UNIT_ONE,                        \
        "Requests not sent again, since the budget for that was used up.", STATS_LABEL_NONE)                                \
    ROW(origin_ejections, , "sallyport_origin_ejections_total", "counter", STATS_UNIT_ONE,                                  \
        "Times that a shard passed over an origin because of failures in a row.", STATS_LABEL_NONE)                         \
    ROW(origin_lines, [STATS_LINE_END_COUNT], "sallyport_origin_waits_total", "counter", STATS_UNIT_ONE,                    \
        "Requests that found no origin with room, by what became of their wait.", STATS_LABEL_LINE_END)                     \
    ROW(tunnels, , "sallyport_tunnels", "gauge", STATS_UNIT_ONE,                                                            \
        "Tunnels that are open: WebSockets and other upgrades, and connections to tcp hosts.", STATS_LABEL_NONE)            \
    ROW(tunnel_ends, [STATS_TUNNEL_END_COUNT], "sallyport_tunnels_ended_total", "counter", STATS_UNIT_ONE,                  \
        "Tunnels that have ended, by what ended them.", STATS_LABEL_TUNNEL_END)                                             \
    ROW(tcp_bytes, [STATS_DIRECTION_COUNT], "sallyport_tcp_bytes_total", "counter", STATS_UNIT_ONE,                         \
        "Bytes, decrypted, that a tcp host took from clients (in) and gave to them (out).", STATS_LABEL_DIRECTION)          \
    ROW(probes, [STATS_PROBE_RESULT_COUNT], "sallyport_health_probes_total", "counter", STATS_UNIT_ONE,                     \
        "Health checks of origins, by their results.", STATS_LABEL_PROBE_RESULT)                                            \
    ROW(unhealthy_used, , "sallyport_unhealthy_origins_used_total", "counter", STATS_UNIT_ONE,                              \
        "Requests to an origin whose health checks fail, since those of all others do too.", STATS_LABEL_NONE)              \
    /* A bit for each of its origins that is down at all its addresses: the last connection to each failed or, in the */    \
    /* control thread's block, its health checks fail. prometheus.c makes sallyport_origin_up from it. */                   \
    ROW(origins_down, [STATS_ORIGIN_WORDS], NULL, NULL, STATS_UNIT_ONE, NULL, STATS_LABEL_NONE)

enum {
    STATS_ORIGINS_MAX = BITS_MAX, /* of one host: bits of origins_down, as base/bits.h has them */
    STATS_ORIGIN_WORDS = BITS_WORDS,
};

enum stats_unit { STATS_UNIT_ONE, STATS_UNIT_NANOSECOND };

#define STATS_MEMBER(member, extent, ...) stats_counter member extent;

/* One host's block in one shard, or in the control thread: see stats/hosts.h. */
struct stats_host {
    _Alignas(64) STATS_HOST_COUNTERS(STATS_MEMBER) struct stats_histogram request_seconds;
    struct stats_histogram origin_seconds;
};
enum { STATS_WHY_SIZE = 160 /* bytes of a text that says why an origin is down */ };

/* Returns the requests that were answered with the codes of a slot, in any protocol. */
uint64_t stats_requests(const struct stats_host *block, unsigned slot);

struct stats_shard {
    _Alignas(64) STATS_SHARD_COUNTERS(STATS_MEMBER) struct stats_histogram seconds[STATS_SHARD_LATENCIES];
    struct latencies latencies;
};

/* Returns the handshakes of a shard that ended in this way, of any version and group. */
uint64_t stats_handshakes(const struct stats_shard *shard, enum stats_result result, enum stats_kind kind);

/* Records what took the shard so long, in both of its kinds of histograms. `what` is one of the first STATS_SHARD_LATENCIES.
 */
void stats_time(struct stats_shard *shard, enum stats_latency what, uint64_t duration_ns);
/* Records it where `histogram` is a host's, and `what` one of the other latencies. */
void stats_time_of_host(struct stats_shard *shard, struct stats_histogram *histogram, enum stats_latency what,
                        uint64_t duration_ns);

#endif
