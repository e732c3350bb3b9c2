/*
 * What the server counts. Each shard writes its own block and nobody else's; a scrape reads all of them and adds up.
 * Counting is a relaxed store by the one writer: no lock, no shared cache line.
 */
#ifndef STATS_STATS_H
#define STATS_STATS_H

#include "base/reason.h"
#include "stats/latency.h"
#include "stats/process.h"
#include "stats/rollout.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
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

enum stats_result { STATS_OK, STATS_FAILED, STATS_TIMEOUT, STATS_RESULT_COUNT };
enum stats_kind { STATS_FULL, STATS_RESUMED, STATS_KIND_COUNT };
/* How a verdict was reached. */
enum stats_path { STATS_CACHED, STATS_JUDGED, STATS_PATH_COUNT };
/* What a client was worth when its handshake began: as guard/admission.h has it. */
enum stats_class { STATS_KNOWN, STATS_RETURNING, STATS_UNKNOWN, STATS_SUSPECT, STATS_CLASS_COUNT };
/* Bounds on known clients, over which one is served as unknown. */
enum stats_budget {
    STATS_OVER_SOURCE_WORK,             /* a known source: handshakes */
    STATS_OVER_CERTIFICATE_RATE,        /* a certificate: handshakes a second */
    STATS_OVER_CERTIFICATE_CONNECTIONS, /* connections at the same time */
    STATS_OVER_CERTIFICATE_SOURCES,     /* sources that become known by it */
    STATS_BUDGET_COUNT
};
enum stats_reload { STATS_RELOAD_OK, STATS_RELOAD_FAILED, STATS_RELOAD_COUNT };
/* STATS_TLS_NONE: ended before a version was agreed. */
enum stats_version { STATS_TLS12, STATS_TLS13, STATS_TLS_NONE, STATS_VERSION_COUNT };
enum stats_stage {
    STATS_AT_ACCEPT,
    STATS_AT_HELLO,
    STATS_AT_ADMISSION,
    STATS_AT_HANDSHAKE,
    STATS_AT_CERTIFICATE,
    STATS_AT_REQUEST,
    STATS_STAGE_COUNT
};

/*
 * Why a connection or request was turned away, beside the certificate's own reasons (base/reason.h), and at which stages
 * that can happen: the same table is in names.c.
 */
enum stats_rejection {
    STATS_REJECT_LIMIT,           /* accept: connection limit */
    STATS_REJECT_SOURCE_RATE,     /* accept: too many connections of one source in too short a time */
    STATS_REJECT_SOURCE_LIMIT,    /* accept: too many at once; admission: another hello of its source waits already */
    STATS_REJECT_SUSPECT,         /* accept, admission: its source has failed lately, and there is no time for such */
    STATS_REJECT_BLOCKED,         /* accept: a suspect's SYN, which the kernel has dropped for us */
    STATS_REJECT_OVERLOAD,        /* admission: too many wait, or it has waited too long */
    STATS_REJECT_NO_MEMORY,       /* accept, hello, handshake: an allocation or a pool failed */
    STATS_REJECT_NOT_TLS,         /* hello */
    STATS_REJECT_PLAIN_HTTP,      /* hello */
    STATS_REJECT_MALFORMED,       /* hello, admission (more behind a hello that waits), request */
    STATS_REJECT_OLD_VERSION,     /* hello: no TLS version in common */
    STATS_REJECT_NO_COMMON,       /* hello: no suite, group or signature scheme in common */
    STATS_REJECT_NO_PROTOCOL,     /* hello: no application protocol in common */
    STATS_REJECT_UNKNOWN_HOST,    /* hello */
    STATS_REJECT_TIMEOUT,         /* hello, admission, handshake, request */
    STATS_REJECT_EVICTED,         /* hello, admission, handshake, request: its place was needed, or the memory it held */
    STATS_REJECT_EVICTED_IDLE,    /* request: its place was needed while it asked for nothing */
    STATS_REJECT_EVICTED_ENDING,  /* request: its place was needed while its connection was being closed */
    STATS_REJECT_CLOSED,          /* hello, admission, handshake: the peer went away */
    STATS_REJECT_TLS_ERROR,       /* handshake, request: a fault in what came, as an alert has told */
    STATS_REJECT_KEY_UPDATES,     /* request: this and the next three: more of them than tls/allowance.h allows */
    STATS_REJECT_EMPTY_RECORDS,   /* request */
    STATS_REJECT_SMALL_RECORDS,   /* handshake, request */
    STATS_REJECT_WARNING_ALERTS,  /* handshake, request */
    STATS_REJECT_CHANGE_CIPHERS,  /* handshake, request: a ChangeCipherSpec of TLS 1.3 beyond the one that is ignored */
    STATS_REJECT_DENIED,          /* certificate: 403 in enforce */
    STATS_REJECT_MISDIRECTED,     /* request: 421 */
    STATS_REJECT_TOO_LARGE,       /* handshake: certificates, when there is no time for them; request: 413, 414, 431 */
    STATS_REJECT_NOT_IMPLEMENTED, /* request: 501 */
    STATS_REJECT_METHOD,          /* request: 405 */
    STATS_REJECTION_COUNT
};

/* Label values: the contract's words, in snake_case; the version's as tls/session.h has it, or "none". Static texts. */
const char *stats_result_name(enum stats_result result);
const char *stats_kind_name(enum stats_kind kind);
const char *stats_version_name(enum stats_version version);
const char *stats_path_name(enum stats_path path);
const char *stats_class_name(enum stats_class class);
const char *stats_budget_name(enum stats_budget budget);
const char *stats_reload_name(enum stats_reload reload);
const char *stats_stage_name(enum stats_stage stage);
const char *stats_rejection_name(enum stats_rejection rejection);
/* Whether a rejection can happen at a stage, so that its counter is exposed from the start. */
bool stats_rejection_occurs(enum stats_stage stage, enum stats_rejection rejection);

/* Each bucket counts the durations up to its bound that are over the bound before it; the last bucket has no bound. */
enum { STATS_BUCKETS = 24 };
struct stats_histogram {
    stats_counter buckets[STATS_BUCKETS];
    stats_counter sum_ns;
};
void stats_record(struct stats_histogram *histogram, uint64_t duration_ns);
/* The largest duration that a bucket counts, in nanoseconds, 10 us to 60 s; UINT64_MAX for the last bucket. */
uint64_t stats_bucket_bound_ns(unsigned bucket);

enum {
    STATS_CODES = 40,
    STATS_ORIGINS_MAX = 64, /* of one host */
};
/* One host in one shard: see stats/hosts.h. */
struct stats_host {
    _Alignas(64) stats_counter client_certs[REASON_COUNT];
    stats_counter requests[STATS_CODES];        /* by stats_code_slot */
    stats_counter denied[REASON_COUNT];         /* of these, answered 403 for the client's certificate */
    stats_counter would_block[REASON_COUNT];    /* requests that went to the origin, and would not have in mode enforce */
    stats_counter valid_by_span[ROLLOUT_SPANS]; /* handshakes with a valid certificate, by the days that it had left */
    stats_counter origins_down;                 /* a bit for each of its origins whose last connection failed */
    struct stats_histogram request_seconds;
    struct stats_histogram origin_seconds;
};

/* The slot of an HTTP status: the codes in common use have their own, others share one for each hundred. */
unsigned stats_code_slot(unsigned status);
/* 1 to 5: the hundred that it belongs to; 0: none of these. */
unsigned stats_code_class(unsigned slot);
/* "404"; "4xx" for the codes of a hundred that have no slot of their own; "other" for what is not 100 to 599. */
const char *stats_code_name(unsigned slot);

struct stats_shard {
    _Alignas(64) stats_counter connections_total;
    stats_counter connections;     /* gauge */
    stats_counter admission_state; /* gauge: 0 calm, 1 loaded, 2 flooded */
    stats_counter received_bytes;  /* of all clients' connections, TLS records included; set once a turn */
    stats_counter sent_bytes;      /* likewise */
    stats_counter handshakes[STATS_RESULT_COUNT][STATS_KIND_COUNT][STATS_VERSION_COUNT];
    stats_counter handshake_work_ns[STATS_CLASS_COUNT];
    stats_counter over_budget[STATS_BUDGET_COUNT];
    stats_counter rejected[STATS_STAGE_COUNT][STATS_REJECTION_COUNT];
    struct stats_histogram seconds[STATS_SHARD_LATENCIES];
    struct latencies latencies;
};

/* What took a shard so long, for both of the above. One of its first STATS_SHARD_LATENCIES. */
void stats_time(struct stats_shard *shard, enum stats_latency what, uint64_t duration_ns);
/* The same where `histogram` is a host's. */
void stats_time_of_host(struct stats_shard *shard, struct stats_histogram *histogram, enum stats_latency what,
                        uint64_t duration_ns);

/* The cache of verdicts, as identity/cache.h counts. */
struct stats_cache {
    uint64_t hits;
    uint64_t misses;
    uint64_t evictions;
    uint64_t entries;
};

struct access_log;
struct stats_hosts;

/* What a scrape needs beside the shards' blocks. */
struct stats {
    struct stats_shard *shards; /* 64-byte aligned */
    unsigned shard_count;
    pthread_mutex_t hosts_lock; /* of the pointer */
    struct stats_hosts *hosts;
    stats_counter reloads[STATS_RELOAD_COUNT]; /* this and the next three: written by the thread that reloads */
    stats_counter last_reload_failed;          /* 1: the newest came to nothing, and an older configuration is served */
    stats_counter loaded_s;                    /* since the epoch: when what is served was loaded */
    stats_counter connections_limit;           /* limits.connections in effect */
    void (*read_cache)(void *owner, struct stats_cache *counts); /* NULL: all 0 */
    void *cache_owner;
    const struct access_log *access_log; /* NULL: off */
    struct process_reading process;      /* the newest; of the thread that renders */
    int64_t started_s;                   /* since the epoch: when it was ready to serve */
    uint64_t process_started_ns;         /* likewise: when the process began */
    const char *version;                 /* this and the next two: not owned, never NULL */
    const char *wolfssl;
    const char *crypto;
};

/*
 * 0 or -ENOMEM. `shard_count` is at least 1. All counters are 0, there are no hosts, and the texts are "": set them before
 * the first scrape.
 */
int stats_create(struct stats *stats, unsigned shard_count);
/* Gives its reference to the hosts back too. */
void stats_destroy(struct stats *stats);
/* What is shown from now on, also to a scrape in another thread. Takes a reference. */
void stats_set_hosts(struct stats *stats, struct stats_hosts *hosts);
/* Those that are shown now, and a reference to them; NULL when there are none. */
struct stats_hosts *stats_take_hosts(struct stats *stats);

/* The configuration of the start was loaded. */
void stats_note_start(struct stats *stats, int64_t now_s);
/* So was another one, or it was not and the one before goes on. */
void stats_note_reload(struct stats *stats, enum stats_reload result, int64_t now_s);

/*
 * The whole /metrics page, Prometheus text format 0.0.4: malloc'd, *size bytes; NULL when out of memory. The counters of
 * one page are read one after another while their shards go on counting. About 100 lines a host.
 */
char *stats_render_prometheus(struct stats *stats, size_t *size);

struct sampler;
/* /stats.json, which docs/stats.md describes: malloc'd, *size bytes; NULL when out of memory. By the sampler's thread. */
char *stats_render_json(struct stats *stats, struct sampler *sampler, size_t *size);

#endif
