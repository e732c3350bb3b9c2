#include "stats/sampler.h"

#include "base/check.h"
#include "stats/access_log.h"
#include "stats/findings_server.h"
#include "stats/hosts.h"
#include "stats/watch.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static const char *const names[] = {
    [SAMPLER_HANDSHAKES_FULL] = "handshakes_full",
    [SAMPLER_HANDSHAKES_RESUMED] = "handshakes_resumed",
    [SAMPLER_HANDSHAKES_FAILED] = "handshakes_failed",
    [SAMPLER_REQUESTS] = "requests",
    [SAMPLER_REQUESTS_2XX] = "requests_2xx",
    [SAMPLER_REQUESTS_3XX] = "requests_3xx",
    [SAMPLER_REQUESTS_4XX] = "requests_4xx",
    [SAMPLER_REQUESTS_5XX] = "requests_5xx",
    [SAMPLER_REJECTED + STATS_AT_ACCEPT] = "rejected_accept",
    [SAMPLER_REJECTED + STATS_AT_HELLO] = "rejected_hello",
    [SAMPLER_REJECTED + STATS_AT_ADMISSION] = "rejected_admission",
    [SAMPLER_REJECTED + STATS_AT_HANDSHAKE] = "rejected_handshake",
    [SAMPLER_REJECTED + STATS_AT_CERTIFICATE] = "rejected_certificate",
    [SAMPLER_REJECTED + STATS_AT_REQUEST] = "rejected_request",
    [SAMPLER_CERTS_VALID] = "certs_valid",
    [SAMPLER_CERTS_INVALID] = "certs_invalid",
    [SAMPLER_CERTS_NONE] = "certs_none",
    [SAMPLER_CACHE_HITS] = "cache_hits",
    [SAMPLER_CACHE_MISSES] = "cache_misses",
    [SAMPLER_RECEIVED_BYTES] = "received_bytes",
    [SAMPLER_SENT_BYTES] = "sent_bytes",
    [SAMPLER_WORK_KNOWN] = "work_known",
    [SAMPLER_WORK_OTHERS] = "work_others",
    [SAMPLER_CONNECTIONS] = "connections",
    [SAMPLER_ADMISSION_STATE] = "admission_state",
    [SAMPLER_HANDSHAKE_FULL_P50] = "handshake_full_p50",
    [SAMPLER_HANDSHAKE_FULL_P99] = "handshake_full_p99",
    [SAMPLER_REQUEST_P50] = "request_p50",
    [SAMPLER_REQUEST_P99] = "request_p99",
};
_Static_assert(ARRAY_LENGTH(names) == SAMPLER_SERIES, "each has a name");

const char *sampler_series_name(enum sampler_series series) {
    CHECK(series < SAMPLER_SERIES);
    return names[series];
}

static void add_shard(uint64_t counters[static SAMPLER_COUNTERS], const struct stats_shard *shard) {
    counters[SAMPLER_HANDSHAKES_FULL] += stats_handshakes(shard, STATS_OK, STATS_FULL);
    counters[SAMPLER_HANDSHAKES_RESUMED] += stats_handshakes(shard, STATS_OK, STATS_RESUMED);
    for (unsigned kind = 0; kind < STATS_KIND_COUNT; kind++) {
        counters[SAMPLER_HANDSHAKES_FAILED] += stats_handshakes(shard, STATS_FAILED, (enum stats_kind)kind) +
                                               stats_handshakes(shard, STATS_TIMEOUT, (enum stats_kind)kind);
    }
    for (unsigned stage = 0; stage < STATS_STAGE_COUNT; stage++) {
        for (unsigned rejection = 0; rejection < STATS_REJECTION_COUNT; rejection++) {
            counters[SAMPLER_REJECTED + stage] += stats_read(&shard->rejected[stage][rejection]);
        }
    }
    counters[SAMPLER_RECEIVED_BYTES] += stats_read(&shard->received_bytes);
    counters[SAMPLER_SENT_BYTES] += stats_read(&shard->sent_bytes);
    for (unsigned class = 0; class < STATS_CLASS_COUNT; class ++) {
        counters[class == STATS_KNOWN ? SAMPLER_WORK_KNOWN : SAMPLER_WORK_OTHERS] +=
            stats_read(&shard->handshake_work_ns[class]);
    }
}

static void add_host(uint64_t counters[static SAMPLER_COUNTERS], const uint64_t counts[static RECENT_COUNTS]) {
    counters[SAMPLER_REQUESTS] += recent_requests(counts);
    counters[SAMPLER_REQUESTS_2XX] += counts[RECENT_2XX];
    counters[SAMPLER_REQUESTS_3XX] += counts[RECENT_3XX];
    counters[SAMPLER_REQUESTS_4XX] += counts[RECENT_4XX];
    counters[SAMPLER_REQUESTS_5XX] += counts[RECENT_GATEWAY] + counts[RECENT_ERRORS];
    for (unsigned reason = 0; reason < REASON_COUNT; reason++) {
        enum status status = reason_status((enum reason)reason);
        enum sampler_series series = status == STATUS_VALID  ? SAMPLER_CERTS_VALID
                                     : status == STATUS_NONE ? SAMPLER_CERTS_NONE
                                                             : SAMPLER_CERTS_INVALID;
        counters[series] += counts[RECENT_VERDICTS + reason];
    }
}

/* Reads all counters, and gives each host's to its last minutes (stats/recent.h). */
static void read_counters(struct stats *stats, uint64_t counters[static SAMPLER_COUNTERS], uint64_t second) {
    struct stats_hosts *hosts = stats_take_hosts(stats);
    struct stats_cache cache = {0};
    memset(counters, 0, SAMPLER_COUNTERS * sizeof *counters);
    for (unsigned shard = 0; shard < stats->shard_count; shard++) {
        add_shard(counters, &stats->shards[shard]);
    }
    for (size_t host = 0; hosts != NULL && host < stats_hosts_count(hosts); host++) {
        uint64_t counts[RECENT_COUNTS];
        stats_hosts_counts(hosts, host, counts);
        add_host(counters, counts);
        struct bits down = stats_hosts_origins_down(hosts, host);
        recent_sample(stats_hosts_recent(hosts, host), counts, &down, second);
    }
    stats_hosts_release(hosts);
    if (stats->read_cache != NULL) {
        stats->read_cache(stats->cache_owner, &cache);
    }
    counters[SAMPLER_CACHE_HITS] = cache.hits;
    counters[SAMPLER_CACHE_MISSES] = cache.misses;
}

static void sample_rollouts(struct stats *stats, uint64_t minute) {
    struct stats_hosts *hosts = stats_take_hosts(stats);
    for (size_t host = 0; hosts != NULL && host < stats_hosts_count(hosts); host++) {
        struct rollout *rollout = stats_hosts_rollout(hosts, host);
        uint64_t counters[REASON_COUNT] = {0};
        for (unsigned shard = 0; rollout != NULL && shard < stats->shard_count; shard++) {
            const struct stats_host *block = stats_hosts_at(hosts, host, shard);
            for (unsigned reason = 0; reason < REASON_COUNT; reason++) {
                counters[reason] += stats_read(&block->would_block[reason]);
            }
        }
        if (rollout != NULL) {
            rollout_sample(rollout, counters, minute);
        }
    }
    stats_hosts_release(hosts);
}

int sampler_create(struct sampler *sampler, struct stats *stats, uint64_t now_ms, int64_t now_s) {
    *sampler = (struct sampler){.stats = stats, .sampled_ms = now_ms, .sampled_at_s = now_s};
    bool good = (sampler->newest = latency_histogram()) != NULL && (sampler->scratch = latency_histogram()) != NULL &&
                (sampler->recycled = latency_histogram()) != NULL &&
                (sampler->taken = calloc(stats->shard_count, STATS_LATENCY_COUNT * sizeof *sampler->taken)) != NULL;
    for (size_t what = 0; what < STATS_LATENCY_COUNT && good; what++) {
        good = (sampler->since_start[what] = latency_histogram()) != NULL;
        for (size_t i = 0; i < SAMPLER_WINDOW && good; i++) {
            good = (sampler->window[what][i] = latency_histogram()) != NULL;
        }
    }
    if (!good) {
        return -ENOMEM;
    }
    read_counters(stats, sampler->before, now_ms / 1000);
    sample_rollouts(stats, now_ms / 60000);
    return 0;
}

static void free_histogram(struct hdr_histogram *histogram) {
    if (histogram != NULL) {
        hdr_close(histogram);
    }
}

void sampler_destroy(struct sampler *sampler) {
    free(sampler->taken);
    free_histogram(sampler->newest);
    free_histogram(sampler->scratch);
    free_histogram(sampler->recycled);
    for (size_t what = 0; what < STATS_LATENCY_COUNT; what++) {
        free_histogram(sampler->since_start[what]);
        for (size_t i = 0; i < SAMPLER_WINDOW; i++) {
            free_histogram(sampler->window[what][i]);
        }
    }
    *sampler = (struct sampler){0};
}

/* Skips hdr_reset, which clears the whole array, for a histogram that is empty already, as most are. */
static void empty(struct hdr_histogram *histogram) {
    if (histogram->total_count > 0) {
        hdr_reset(histogram);
    }
}

static void add(struct hdr_histogram *to, const struct hdr_histogram *from) {
    if (from->total_count > 0) {
        hdr_add(to, from);
    }
}

/* Takes the latencies of one kind that all shards have recorded since the last sample. */
static const struct hdr_histogram *take_latencies(struct sampler *sampler, enum stats_latency what) {
    struct hdr_histogram *slot = sampler->window[what][sampler->samples / SAMPLER_SLOT % SAMPLER_WINDOW];
    empty(sampler->newest);
    for (unsigned shard = 0; shard < sampler->stats->shard_count; shard++) {
        struct latencies *latencies = &sampler->stats->shards[shard].latencies;
        uint64_t *taken = &sampler->taken[shard * STATS_LATENCY_COUNT + what];
        uint64_t recorded = latency_count(latencies, what);
        if (recorded != *taken) {
            *taken = recorded;
            sampler->recycled = latency_take(latencies, what, sampler->recycled);
            add(sampler->newest, sampler->recycled);
        }
    }
    if (sampler->samples % SAMPLER_SLOT == 0) {
        empty(slot);
    }
    add(slot, sampler->newest);
    add(sampler->since_start[what], sampler->newest);
    return sampler->newest;
}

static float seconds_at(const struct hdr_histogram *histogram, double percentile) {
    return histogram->total_count == 0 ? NAN : (float)((double)hdr_value_at_percentile(histogram, percentile) / 1e6);
}

static void sample_states(struct sampler *sampler, uint32_t at) {
    uint64_t connections = 0;
    uint64_t state = 0;
    for (unsigned i = 0; i < sampler->stats->shard_count; i++) {
        const struct stats_shard *shard = &sampler->stats->shards[i];
        uint64_t own = stats_read(&shard->admission_state);
        connections += stats_read(&shard->connections);
        state = own > state ? own : state;
    }
    sampler->history[SAMPLER_CONNECTIONS][at] = (float)connections;
    sampler->history[SAMPLER_ADMISSION_STATE][at] = (float)state;
}

static void sample_rates(struct sampler *sampler, uint32_t at, double seconds, uint64_t now_ms) {
    uint64_t now[SAMPLER_COUNTERS];
    read_counters(sampler->stats, now, now_ms / 1000);
    for (unsigned series = 0; series < SAMPLER_COUNTERS; series++) {
        /* Fewer than before: a host is gone, and its counters with it. */
        uint64_t came = now[series] > sampler->before[series] ? now[series] - sampler->before[series] : 0;
        bool is_time = series == SAMPLER_WORK_KNOWN || series == SAMPLER_WORK_OTHERS;
        sampler->history[series][at] = (float)((double)came * (is_time ? 1e-9 : 1.0) / seconds);
        sampler->before[series] = now[series];
    }
}

static void sample(struct sampler *sampler, uint64_t elapsed_ms, uint64_t now_ms) {
    uint32_t at = sampler->samples % SAMPLER_HISTORY;
    sample_rates(sampler, at, (double)elapsed_ms / 1000, now_ms);
    sample_states(sampler, at);
    for (unsigned what = 0; what < STATS_LATENCY_COUNT; what++) {
        const struct hdr_histogram *newest = take_latencies(sampler, (enum stats_latency)what);
        if (what == STATS_HANDSHAKE_FULL) {
            sampler->history[SAMPLER_HANDSHAKE_FULL_P50][at] = seconds_at(newest, 50);
            sampler->history[SAMPLER_HANDSHAKE_FULL_P99][at] = seconds_at(newest, 99);
        } else if (what == STATS_REQUEST) {
            sampler->history[SAMPLER_REQUEST_P50][at] = seconds_at(newest, 50);
            sampler->history[SAMPLER_REQUEST_P99][at] = seconds_at(newest, 99);
        }
    }
    sampler->samples++;
}

uint32_t sampler_count(const struct sampler *sampler) {
    return sampler->samples < SAMPLER_HISTORY ? sampler->samples : SAMPLER_HISTORY;
}

float sampler_value(const struct sampler *sampler, enum sampler_series series, uint32_t at) {
    CHECK(series < SAMPLER_SERIES && at < sampler_count(sampler));
    return sampler->history[series][(sampler->samples - sampler_count(sampler) + at) % SAMPLER_HISTORY];
}

/* Returns the first of the last samples, of which there are ten at most. */
static uint32_t recent_from(const struct sampler *sampler) {
    uint32_t count = sampler_count(sampler);
    return count > SAMPLER_RECENT ? count - SAMPLER_RECENT : 0;
}

static double recent_mean(const struct sampler *sampler, enum sampler_series series) {
    uint32_t from = recent_from(sampler), count = sampler_count(sampler);
    double sum = 0;
    for (uint32_t at = from; at < count; at++) {
        sum += (double)sampler_value(sampler, series, at);
    }
    return count > from ? sum / (count - from) : 0;
}

/* Returns in how many of the last samples a shard was in that state or a worse one. */
static unsigned recent_states(const struct sampler *sampler, unsigned least) {
    unsigned seconds = 0;
    for (uint32_t at = recent_from(sampler); at < sampler_count(sampler); at++) {
        seconds += sampler_value(sampler, SAMPLER_ADMISSION_STATE, at) >= (float)least;
    }
    return seconds;
}

/* Returns what was added to a counter since the sample of a minute ago, or since the first one. */
static uint64_t of_last_minute(const struct sampler *sampler, uint64_t kept[static SAMPLER_MINUTE], uint64_t now) {
    uint32_t at = sampler->samples % SAMPLER_MINUTE;
    uint64_t before = sampler->samples < SAMPLER_MINUTE ? kept[0] : kept[at];
    kept[at] = now;
    return now > before ? now - before : 0;
}

static void judge(struct sampler *sampler, int64_t now_s) {
    struct stats *stats = sampler->stats;
    struct stats_hosts *hosts = stats_take_hosts(stats);
    uint64_t places = 0;
    uint64_t dropped = stats->access_log == NULL ? 0 : access_log_count(stats->access_log).dropped;
    for (unsigned i = 0; i < stats->shard_count; i++) {
        places += stats_read(&stats->shards[i].rejected[STATS_AT_ACCEPT][STATS_REJECT_LIMIT]);
    }
    struct findings_server server = {
        .loaded_s = recent_states(sampler, 1),
        .flooded_s = recent_states(sampler, 2),
        .handshakes = recent_mean(sampler, SAMPLER_HANDSHAKES_FULL) + recent_mean(sampler, SAMPLER_HANDSHAKES_RESUMED),
        .valid = recent_mean(sampler, SAMPLER_CERTS_VALID),
        .work_known = recent_mean(sampler, SAMPLER_WORK_KNOWN),
        .work_others = recent_mean(sampler, SAMPLER_WORK_OTHERS),
        .places_refused = of_last_minute(sampler, sampler->places_refused, places),
        .log_dropped = of_last_minute(sampler, sampler->log_dropped, dropped),
        .reload_failed = stats_read(&stats->last_reload_failed) != 0,
        .config_loaded_s = (int64_t)stats_read(&stats->loaded_s),
    };
    for (unsigned stage = STATS_AT_ACCEPT; stage <= STATS_AT_CERTIFICATE; stage++) {
        server.refused += recent_mean(sampler, (enum sampler_series)(SAMPLER_REJECTED + stage));
    }
    sampler->findings = (struct findings){0};
    findings_of_server(&sampler->findings, &server, &sampler->marks);
    watch_hosts(&sampler->findings, hosts, server.loaded_s == 0, now_s);
    stats_hosts_release(hosts);
}

void sampler_tick(struct sampler *sampler, uint64_t now_ms, int64_t now_s) {
    uint64_t elapsed_ms = now_ms - sampler->sampled_ms;
    if (elapsed_ms >= SAMPLER_INTERVAL_MS) {
        sample(sampler, elapsed_ms, now_ms);
        judge(sampler, now_s);
        sample_rollouts(sampler->stats, now_ms / 60000);
        sampler->sampled_ms = now_ms;
        sampler->sampled_at_s = now_s;
    }
}

const struct hdr_histogram *sampler_latest(struct sampler *sampler, enum stats_latency what) {
    CHECK(what < STATS_LATENCY_COUNT);
    empty(sampler->scratch);
    for (size_t i = 0; i < SAMPLER_WINDOW; i++) {
        add(sampler->scratch, sampler->window[what][i]);
    }
    return sampler->scratch;
}

const struct hdr_histogram *sampler_since_start(const struct sampler *sampler, enum stats_latency what) {
    CHECK(what < STATS_LATENCY_COUNT);
    return sampler->since_start[what];
}
