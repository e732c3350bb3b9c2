#include "stats/report_host.h"

#include "base/check.h"

#include <stdio.h>

enum { NAMES_SHOWN = 10 };

void report_codes(struct json *json, const char *key, const uint64_t counts[static STATS_CODES]) {
    json_begin_object(json, key);
    for (unsigned slot = 0; slot < STATS_CODES; slot++) {
        if (counts[slot] > 0) {
            json_unsigned(json, stats_code_name(slot), counts[slot]);
        }
    }
    json_end_object(json);
}

static void report_origins(struct json *json, const struct stats_hosts *hosts, size_t host) {
    const struct stats_host_facts *facts = stats_hosts_facts(hosts, host);
    struct bits down = stats_hosts_origins_down(hosts, host);
    char(*why)[STATS_WHY_SIZE] = stats_hosts_why(hosts, host);
    json_begin_array(json, "origins");
    for (size_t i = 0; i < facts->origin_count; i++) {
        json_begin_object(json, NULL);
        report_text(json, "address", facts->origins[i]);
        bool up = !bits_has(&down, i);
        json_bool(json, "up", up);
        if (!up && why != NULL) {
            report_text(json, "why", why[i]);
        }
        json_end_object(json);
    }
    json_end_array(json);
}

static void report_labelled(struct json *json, const struct stats_hosts *hosts, size_t host, const char *key, size_t offset,
                            enum stats_label label) {
    json_begin_object(json, key);
    for (unsigned value = 0; value < stats_label_values(label); value++) {
        json_unsigned(json, stats_label_value(label, value),
                      stats_hosts_sum(hosts, host, offset + value * sizeof(stats_counter)));
    }
    json_end_object(json);
}

/* How origins were chosen where the first one would not do. */
static void report_choice(struct json *json, const struct stats_hosts *hosts, size_t host) {
    report_labelled(json, hosts, host, "origin_retries", offsetof(struct stats_host, origin_retries), STATS_LABEL_RETRY);
    json_unsigned(json, "origin_retries_denied",
                  stats_hosts_sum(hosts, host, offsetof(struct stats_host, origin_retries_denied)));
    json_unsigned(json, "origin_ejections", stats_hosts_sum(hosts, host, offsetof(struct stats_host, origin_ejections)));
    report_labelled(json, hosts, host, "origin_waits", offsetof(struct stats_host, origin_lines), STATS_LABEL_LINE_END);
}

static void report_list(struct json *json, const char *key, const char *name_key, const char *end_key,
                        const struct term_list *terms) {
    json_begin_array(json, key);
    for (size_t i = 0; i < terms->count; i++) {
        json_begin_object(json, NULL);
        report_text(json, name_key, terms->items[i].name);
        if (terms->items[i].end == TERM_NEVER) {
            json_null(json, end_key);
        } else {
            json_signed(json, end_key, terms->items[i].end);
        }
        json_end_object(json);
    }
    json_end_array(json);
}

static void report_terms(struct json *json, const struct stats_host_facts *facts) {
    static const struct {
        const char *key, *name_key, *end_key;
    } lists[STATS_TERMS] = {
        [STATS_CERTIFICATES] = {"certificates", "file", "not_after"},
        [STATS_CLIENT_CAS] = {"client_cas", "subject", "not_after"},
        [STATS_CRLS] = {"crls", "issuer", "next_update"},
        [STATS_ORIGIN_CAS] = {"origin_cas", "subject", "not_after"},
        [STATS_ORIGIN_CERTIFICATES] = {"origin_certificates", "file", "not_after"},
    };
    const struct term_list *own = &facts->terms[STATS_CERTIFICATES];
    if (own->count > 0) { /* the one that ends first by itself too, for programs that know of one only */
        json_begin_object(json, "certificate");
        report_text(json, "file", own->items[0].name);
        json_signed(json, "not_after", own->items[0].end);
        json_end_object(json);
    }
    for (size_t i = 0; i < STATS_TERMS; i++) {
        report_list(json, lists[i].key, lists[i].name_key, lists[i].end_key, &facts->terms[i]);
    }
}

/* Leaves out reasons that did not occur. `offset`: of the first of their counters. */
static void report_reasons(struct json *json, const struct stats_hosts *hosts, size_t host, const char *key, size_t offset) {
    json_begin_object(json, key);
    for (unsigned reason = 0; reason < REASON_COUNT; reason++) {
        uint64_t count = stats_hosts_sum(hosts, host, offset + reason * sizeof(stats_counter));
        if (count > 0) {
            json_unsigned(json, reason_name((enum reason)reason), count);
        }
    }
    json_end_object(json);
}

static void report_last_minute(struct json *json, const struct stats_hosts *hosts, size_t host) {
    uint64_t counts[RECENT_COUNTS], by_status[STATUS_COUNT] = {0}, refused = 0;
    recent_last_minute(stats_hosts_recent(hosts, host), counts);
    for (unsigned reason = 0; reason < REASON_COUNT; reason++) {
        by_status[reason_status((enum reason)reason)] += counts[RECENT_VERDICTS + reason];
        refused += counts[RECENT_REFUSED + reason];
    }
    json_begin_object(json, "last_minute");
    for (unsigned status = 0; status < STATUS_COUNT; status++) {
        json_unsigned(json, status_name((enum status)status), by_status[status]);
    }
    json_unsigned(json, "requests", recent_requests(counts));
    json_unsigned(json, "refused", refused);
    json_unsigned(json, "2xx", counts[RECENT_2XX]);
    json_unsigned(json, "3xx", counts[RECENT_3XX]);
    json_unsigned(json, "4xx", counts[RECENT_4XX]);
    json_unsigned(json, "5xx", counts[RECENT_GATEWAY] + counts[RECENT_ERRORS]);
    json_end_object(json);
}

static void report_names(struct json *json, const char *key, const struct sketch *sketch) {
    json_begin_array(json, key);
    for (uint32_t i = 0; i < sketch->used && i < NAMES_SHOWN; i++) {
        json_begin_object(json, NULL);
        json_string(json, "value", sketch_key(&sketch->entries[i]));
        json_unsigned(json, "count", sketch->entries[i].count);
        json_unsigned(json, "error", sketch->entries[i].error);
        json_end_object(json);
    }
    json_end_array(json);
}

static void report_would_block(struct json *json, const struct stats_hosts *hosts, size_t host,
                               const struct rollout *rollout) {
    static const char *const spans[] = {"last_hour", "last_day", "since_start"};
    json_begin_object(json, "would_block");
    for (size_t i = 0; i < ARRAY_LENGTH(spans); i++) {
        json_begin_object(json, spans[i]);
        for (unsigned reason = 0; reason < REASON_COUNT; reason++) {
            uint64_t total = stats_hosts_sum(hosts, host, offsetof(struct stats_host, would_block[reason]));
            uint64_t count = i == 0   ? rollout_last_hour(rollout, (enum reason)reason)
                             : i == 1 ? rollout_last_day(rollout, (enum reason)reason)
                                      : total;
            if (total > 0) {
                json_unsigned(json, reason_name((enum reason)reason), count);
            }
        }
        json_end_object(json);
    }
    json_end_object(json);
}

static void report_rollout(struct json *json, const struct stats_hosts *hosts, size_t host) {
    const struct rollout *rollout = stats_hosts_rollout(hosts, host);
    struct sketch issuers = {.used = 0}, skis = {.used = 0};
    if (rollout == NULL) {
        json_null(json, "report");
        return;
    }
    for (unsigned shard = 0; shard < stats_hosts_shards(hosts); shard++) {
        rollout_gather_clients(stats_hosts_rollout_clients(hosts, host, shard), &issuers, &skis);
    }
    json_begin_object(json, "report");
    report_would_block(json, hosts, host, rollout);
    report_names(json, "top_issuers", &issuers);
    report_names(json, "top_skis", &skis);
    json_begin_object(json, "valid_by_days_left");
    for (unsigned i = 0; i < ROLLOUT_SPANS; i++) {
        char days[16] = "more";
        if (i < ARRAY_LENGTH(rollout_span_days)) {
            snprintf(days, sizeof days, "%u", rollout_span_days[i]);
        }
        json_unsigned(json, days, stats_hosts_sum(hosts, host, offsetof(struct stats_host, valid_by_span[i])));
    }
    json_end_object(json);
    json_end_object(json);
}

static void report_host(struct json *json, const struct stats_hosts *hosts, size_t host) {
    const struct stats_host_facts *facts = stats_hosts_facts(hosts, host);
    uint64_t total = 0;
    uint64_t counts[STATS_CODES];
    for (unsigned slot = 0; slot < STATS_CODES; slot++) {
        counts[slot] = stats_hosts_requests(hosts, host, slot);
        total += counts[slot];
    }
    json_begin_object(json, NULL);
    report_text(json, "name", facts->host);
    report_text(json, "mode", facts->mode == NULL ? "off" : facts->mode);
    report_text(json, "protocol", facts->is_tcp ? "tcp" : "http");
    report_terms(json, facts);
    json_unsigned(json, "requests", total);
    report_codes(json, "requests_by_code", counts);
    report_reasons(json, hosts, host, "client_certs", offsetof(struct stats_host, client_certs));
    report_reasons(json, hosts, host, "denied", offsetof(struct stats_host, denied));
    report_last_minute(json, hosts, host);
    report_choice(json, hosts, host);
    json_bool(json, "required", facts->required);
    json_bool(json, "health_checks", facts->probed);
    report_origins(json, hosts, host);
    report_rollout(json, hosts, host);
    json_end_object(json);
}

void report_hosts(struct json *json, const struct stats_hosts *hosts) {
    json_begin_array(json, "hosts");
    for (size_t host = 0; hosts != NULL && host < stats_hosts_count(hosts); host++) {
        report_host(json, hosts, host);
    }
    json_end_array(json);
}
