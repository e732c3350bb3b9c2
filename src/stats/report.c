/* /stats.json: the figures of /metrics, latencies as percentiles, and the last minutes. report_host.c has the part of hosts.
 */
#include "base/check.h"
#include "base/clock.h"
#include "base/json.h"
#include "stats/access_log.h"
#include "stats/report_host.h"
#include "stats/sampler.h"

#include <math.h>
#include <stdlib.h>

struct report {
    struct json json;
    struct stats *stats;
    const struct stats_hosts *hosts;
    size_t host_count;
    struct sampler *sampler;
};

static const char *const admission_states[] = {"calm", "loaded", "flooded"};

static uint64_t of_hosts(const struct report *report, size_t offset) {
    uint64_t sum = 0;
    for (size_t host = 0; host < report->host_count; host++) {
        sum += stats_hosts_sum(report->hosts, host, offset);
    }
    return sum;
}

static void report_server(struct report *report) {
    struct json *json = &report->json;
    json_begin_object(json, "server");
    report_text(json, "version", report->stats->version);
    report_text(json, "wolfssl", report->stats->wolfssl);
    report_text(json, "crypto", report->stats->crypto);
    json_signed(json, "started", report->stats->started_s);
    json_signed(json, "now", report->sampler->sampled_at_s);
    json_end_object(json);
}

static void report_findings(struct report *report) {
    struct json *json = &report->json;
    const struct findings *findings = &report->sampler->findings;
    json_begin_array(json, "findings");
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        json_begin_object(json, NULL);
        report_text(json, "level", finding_level_name(finding->level));
        report_text(json, "what", finding_what_name(finding->what));
        if (finding->host[0] != '\0') {
            report_text(json, "host", finding->host);
        }
        report_text(json, "text", finding->text);
        json_end_object(json);
    }
    json_end_array(json);
    json_unsigned(json, "findings_left_out", findings->left_out);
}

static void report_shards(struct report *report) {
    struct json *json = &report->json;
    json_begin_array(json, "shards");
    for (unsigned i = 0; i < report->stats->shard_count; i++) {
        const struct stats_shard *shard = &report->stats->shards[i];
        json_begin_object(json, NULL);
        json_unsigned(json, "connections", stats_read(&shard->connections));
        json_unsigned(json, "connections_total", stats_read(&shard->connections_total));
        report_text(json, "admission_state", admission_states[stats_read(&shard->admission_state) % 3]);
        json_end_object(json);
    }
    json_end_array(json);
}

static uint64_t handshakes_with(const struct report *report, enum stats_result result, enum stats_kind kind) {
    uint64_t sum = 0;
    for (unsigned shard = 0; shard < report->stats->shard_count; shard++) {
        sum += stats_handshakes(&report->stats->shards[shard], result, kind);
    }
    return sum;
}

static void report_handshakes(struct report *report) {
    struct json *json = &report->json;
    json_begin_object(json, "handshakes");
    json_begin_object(json, stats_result_name(STATS_OK));
    for (unsigned kind = 0; kind < STATS_KIND_COUNT; kind++) {
        json_unsigned(json, stats_kind_name((enum stats_kind)kind),
                      handshakes_with(report, STATS_OK, (enum stats_kind)kind));
    }
    json_end_object(json);
    for (unsigned result = STATS_FAILED; result < STATS_RESULT_COUNT; result++) {
        json_unsigned(json, stats_result_name((enum stats_result)result),
                      handshakes_with(report, (enum stats_result)result, STATS_FULL) +
                          handshakes_with(report, (enum stats_result)result, STATS_RESUMED));
    }
    json_begin_object(json, "work_seconds");
    for (unsigned class = 0; class < STATS_CLASS_COUNT; class ++) {
        json_seconds(json, stats_class_name((enum stats_class) class),
                     stats_sum(report->stats, offsetof(struct stats_shard, handshake_work_ns[class])));
    }
    json_end_object(json);
    json_end_object(json);
}

static void report_client_certs(struct report *report) {
    struct json *json = &report->json;
    uint64_t by_status[STATUS_COUNT] = {0};
    uint64_t by_reason[REASON_COUNT];
    for (unsigned reason = 0; reason < REASON_COUNT; reason++) {
        by_reason[reason] = of_hosts(report, offsetof(struct stats_host, client_certs[reason]));
        by_status[reason_status((enum reason)reason)] += by_reason[reason];
    }
    json_begin_object(json, "client_certs");
    for (unsigned status = 0; status < STATUS_COUNT; status++) {
        json_unsigned(json, status_name((enum status)status), by_status[status]);
    }
    json_begin_object(json, "by_reason");
    for (unsigned reason = 0; reason < REASON_COUNT; reason++) {
        json_unsigned(json, reason_name((enum reason)reason), by_reason[reason]);
    }
    json_end_object(json);
    json_end_object(json);
}

static void report_cache(struct report *report) {
    struct json *json = &report->json;
    struct stats_cache counts = {0};
    if (report->stats->read_cache != NULL) {
        report->stats->read_cache(report->stats->cache_owner, &counts);
    }
    json_begin_object(json, "cert_cache");
    json_unsigned(json, "hits", counts.hits);
    json_unsigned(json, "misses", counts.misses);
    json_unsigned(json, "evictions", counts.evictions);
    json_unsigned(json, "entries", counts.entries);
    json_end_object(json);
}

static void report_over_budget(struct report *report) {
    struct json *json = &report->json;
    json_begin_object(json, "over_budget");
    for (unsigned budget = 0; budget < STATS_BUDGET_COUNT; budget++) {
        json_unsigned(json, stats_budget_name((enum stats_budget)budget),
                      stats_sum(report->stats, offsetof(struct stats_shard, over_budget[budget])));
    }
    json_end_object(json);
}

static void report_rejected(struct report *report) {
    struct json *json = &report->json;
    json_begin_object(json, "rejected");
    for (unsigned stage = 0; stage < STATS_STAGE_COUNT; stage++) {
        json_begin_object(json, stats_stage_name((enum stats_stage)stage));
        for (unsigned rejection = 0; rejection < STATS_REJECTION_COUNT; rejection++) {
            uint64_t count = stats_sum(report->stats, offsetof(struct stats_shard, rejected[stage][rejection]));
            if (count > 0 || stats_rejection_occurs((enum stats_stage)stage, (enum stats_rejection)rejection)) {
                json_unsigned(json, stats_rejection_name((enum stats_rejection)rejection), count);
            }
        }
        json_end_object(json);
    }
    json_end_object(json);
}

static void report_requests(struct report *report) {
    uint64_t total = 0;
    uint64_t counts[STATS_CODES];
    for (unsigned slot = 0; slot < STATS_CODES; slot++) {
        counts[slot] = 0;
        for (size_t host = 0; host < report->host_count; host++) {
            counts[slot] += stats_hosts_requests(report->hosts, host, slot);
        }
        total += counts[slot];
    }
    json_begin_object(&report->json, "requests");
    json_unsigned(&report->json, "total", total);
    report_codes(&report->json, "by_code", counts);
    json_end_object(&report->json);
}

static void report_percentiles(struct json *json, const char *key, const struct hdr_histogram *histogram) {
    static const struct {
        const char *name;
        double percentile;
    } points[] = {{"p50", 50}, {"p90", 90}, {"p99", 99}, {"p99.9", 99.9}, {"max", 100}};
    json_begin_object(json, key);
    json_signed(json, "count", histogram->total_count);
    for (size_t i = 0; i < ARRAY_LENGTH(points); i++) {
        if (histogram->total_count == 0) {
            json_null(json, points[i].name);
        } else {
            int64_t value_us = hdr_value_at_percentile(histogram, points[i].percentile);
            json_seconds(json, points[i].name, (uint64_t)value_us * 1000);
        }
    }
    json_end_object(json);
}

static void report_latencies(struct report *report) {
    struct json *json = &report->json;
    json_begin_object(json, "latencies");
    for (unsigned what = 0; what < STATS_LATENCY_COUNT; what++) {
        json_begin_object(json, stats_latency_name((enum stats_latency)what));
        report_percentiles(json, "last_10s", sampler_latest(report->sampler, (enum stats_latency)what));
        report_percentiles(json, "since_start", sampler_since_start(report->sampler, (enum stats_latency)what));
        json_end_object(json);
    }
    json_end_object(json);
}

static void report_history(struct report *report) {
    struct json *json = &report->json;
    uint32_t count = sampler_count(report->sampler);
    json_begin_object(json, "history");
    json_seconds(json, "interval", (uint64_t)SAMPLER_INTERVAL_MS * 1000000);
    json_signed(json, "end", report->sampler->sampled_at_s);
    json_begin_object(json, "series");
    for (unsigned series = 0; series < SAMPLER_SERIES; series++) {
        json_begin_array(json, sampler_series_name((enum sampler_series)series));
        for (uint32_t at = 0; at < count; at++) {
            float value = sampler_value(report->sampler, (enum sampler_series)series, at);
            if (isnan(value)) {
                json_null(json, NULL);
            } else {
                json_double(json, NULL, (double)value);
            }
        }
        json_end_array(json);
    }
    json_end_object(json);
    json_end_object(json);
}

static void report_access_log(struct report *report) {
    struct access_log_counts counts = {0};
    if (report->stats->access_log != NULL) {
        counts = access_log_count(report->stats->access_log);
    }
    json_begin_object(&report->json, "access_log");
    json_unsigned(&report->json, "written", counts.written);
    json_unsigned(&report->json, "dropped", counts.dropped);
    json_end_object(&report->json);
}

static void report_process(struct report *report) {
    struct json *json = &report->json;
    const struct process_reading *now = &report->stats->process;
    json_begin_object(json, "process");
    if (now->has_memory) {
        json_unsigned(json, "resident_bytes", now->resident_bytes);
    } else {
        json_null(json, "resident_bytes");
    }
    if (now->has_descriptors) {
        json_unsigned(json, "open_descriptors", now->open_descriptors);
    } else {
        json_null(json, "open_descriptors");
    }
    json_unsigned(json, "max_descriptors", now->max_descriptors);
    json_seconds(json, "cpu_seconds", now->cpu_ns);
    json_seconds(json, "started", report->stats->process_started_ns);
    json_end_object(json);
}

/* The configuration that is served, its limits, the bytes on the line, the process. */
static void report_running(struct report *report) {
    struct json *json = &report->json;
    const struct stats *stats = report->stats;
    json_begin_object(json, "config");
    json_bool(json, "last_reload_successful", stats_read(&stats->last_reload_failed) == 0);
    json_unsigned(json, "last_reload", stats_read(&stats->loaded_s));
    json_end_object(json);
    json_begin_object(json, "limits");
    json_unsigned(json, "connections", stats_read(&stats->connections_limit));
    json_end_object(json);
    json_begin_object(json, "bytes");
    json_unsigned(json, "received", stats_sum(report->stats, offsetof(struct stats_shard, received_bytes)));
    json_unsigned(json, "sent", stats_sum(report->stats, offsetof(struct stats_shard, sent_bytes)));
    json_end_object(json);
    report_process(report);
}

char *stats_render_json(struct stats *stats, struct sampler *sampler, size_t *size) {
    struct stats_hosts *hosts = stats_take_hosts(stats);
    process_read(&stats->process, clock_monotonic_ms());
    struct report report = {
        .stats = stats, .hosts = hosts, .host_count = hosts == NULL ? 0 : stats_hosts_count(hosts), .sampler = sampler};
    json_begin_object(&report.json, NULL);
    report_server(&report);
    report_findings(&report);
    report_shards(&report);
    report_handshakes(&report);
    report_client_certs(&report);
    report_cache(&report);
    report_over_budget(&report);
    report_rejected(&report);
    report_requests(&report);
    report_latencies(&report);
    report_history(&report);
    report_hosts(&report.json, hosts);
    report_access_log(&report);
    report_running(&report);
    json_end_object(&report.json);
    stats_hosts_release(hosts);
    buffer_append(&report.json.buffer, "\n", 1);
    if (report.json.buffer.failed) {
        free(report.json.buffer.data);
        return NULL;
    }
    *size = report.json.buffer.size;
    return report.json.buffer.data;
}
