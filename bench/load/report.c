#include "load/report.h"

#include "base/check.h"
#include "base/text.h"

#include <hdr/hdr_histogram.h>
#include <stdio.h>

static const struct {
    const char *name;
    double percentile;
} percentiles[] = {{"p50", 50}, {"p90", 90}, {"p99", 99}, {"p99.9", 99.9}, {"max", 100}};

static double seconds(const struct load *load) {
    return (double)(load->end.ns - load->begin.ns) / 1e9;
}

static uint64_t measured(const struct load *load, enum tally_counter counter) {
    return load->end.counters[counter] - load->begin.counters[counter];
}

static double rate(const struct load *load, enum tally_counter counter) {
    return load->end.ns == load->begin.ns ? 0 : (double)measured(load, counter) / seconds(load);
}

/* The generator's share of its core. Near 1 it measures itself. */
static double busy(const struct load *load) {
    return load->end.ns == load->begin.ns ? 0 : (double)(load->end.cpu_ns - load->begin.cpu_ns) / (seconds(load) * 1e9);
}

static size_t certificates_used(const struct load *load) {
    return load->shared.options->cert_count == 0 ? 0 : load->shared.certs.count + load->shared.forges.count;
}

static void print_counters(const struct load *load) {
    for (int i = TALLY_CONNECTIONS; i <= TALLY_TIMED_OUT; i++) {
        printf("%-17s %10llu %12.1f /s\n", tally_counter_name(i), (unsigned long long)measured(load, i), rate(load, i));
    }
}

static uint64_t outcomes(const struct load *load, unsigned outcome) {
    return load->end.outcomes[outcome] - load->begin.outcomes[outcome];
}

static void print_outcomes(const struct load *load) {
    printf("%-17s %10llu %12.1f /s\n", tally_counter_name(TALLY_CONNECTIONS),
           (unsigned long long)measured(load, TALLY_CONNECTIONS), rate(load, TALLY_CONNECTIONS));
    for (unsigned i = 0; i < OUTCOMES; i++) {
        char name[OUTCOME_NAME_SIZE];

        if (outcomes(load, i) > 0) {
            outcome_name(i, name);
            printf("  %-15s %10llu %12.1f /s%s\n", name, (unsigned long long)outcomes(load, i),
                   (double)outcomes(load, i) / seconds(load),
                   load->shared.options->expected_outcomes[i] ? "" : "   unexpected");
        }
    }
}

void report_table(const struct load *load) {
    const struct load_options *options = load->shared.options;
    size_t certificates = certificates_used(load);

    printf("%s, %s, %s, %u connections, %zu client certificate%s, %.2f s\n\n", options->behaviour->name,
           options->connect_text, load->tls[0] == '\0' ? "no handshake" : load->tls, options->connections, certificates,
           certificates == 1 ? "" : "s", seconds(load));
    if (options->behaviour->hostile) {
        print_outcomes(load);
    } else {
        print_counters(load);
    }
    printf("%-17s %10u   the oldest since %.1f ms\n", "in flight at end", load->in_flight_at_end,
           (double)load->oldest_in_flight_ns / 1e6);
    printf("%-17s %9.0f%%   of one core%s\n", "generator busy", busy(load) * 100,
           busy(load) > 0.95 ? ": it may be what limits the figures" : "");
    printf("\n%-17s %10s", "latency, ms", "count");
    for (size_t i = 0; i < ARRAY_LENGTH(percentiles); i++) {
        printf(" %9s", percentiles[i].name);
    }
    putchar('\n');
    for (int i = 0; i < LATENCIES; i++) {
        const struct hdr_histogram *latency = load->shared.tally.latencies[i];

        if (latency->total_count == 0) {
            continue;
        }
        printf("%-17s %10lld", tally_latency_name(i), (long long)latency->total_count);
        for (size_t j = 0; j < ARRAY_LENGTH(percentiles); j++) {
            printf(" %9.3f", (double)hdr_value_at_percentile(latency, percentiles[j].percentile) / 1e6);
        }
        putchar('\n');
    }
    if (load->shared.first_error[0] != '\0') {
        printf("\nfirst failure: %s\n", load->shared.first_error);
    }
}

static void append_counters(struct text *json, const uint64_t *from, const uint64_t *to) {
    for (int i = 0; i < TALLY_COUNTERS; i++) {
        text_append_format(json, "%s\"%s\":%llu", i == 0 ? "" : ",", tally_counter_name(i),
                           (unsigned long long)(to[i] - (from == NULL ? 0 : from[i])));
    }
}

static void append_outcomes(struct text *json, const struct load *load) {
    bool first = true;

    for (unsigned i = 0; i < OUTCOMES; i++) {
        char name[OUTCOME_NAME_SIZE];

        if (outcomes(load, i) > 0) {
            outcome_name(i, name);
            text_append_format(json, "%s\"%s\":%llu", first ? "" : ",", name, (unsigned long long)outcomes(load, i));
            first = false;
        }
    }
}

static void append_latencies(struct text *json, const struct load *load) {
    bool first = true;

    for (int i = 0; i < LATENCIES; i++) {
        const struct hdr_histogram *latency = load->shared.tally.latencies[i];

        if (latency->total_count == 0) {
            continue;
        }
        text_append_format(json, "%s\"%s\":{\"count\":%lld,\"mean\":%.1f", first ? "" : ",", tally_latency_name(i),
                           (long long)latency->total_count, hdr_mean(latency) / 1e3);
        for (size_t j = 0; j < ARRAY_LENGTH(percentiles); j++) {
            text_append_format(json, ",\"%s\":%.1f", percentiles[j].name,
                               (double)hdr_value_at_percentile(latency, percentiles[j].percentile) / 1e3);
        }
        text_append_char(json, '}');
        first = false;
    }
}

static void append_string(struct text *json, const char *name, const char *value) {
    text_append_format(json, "\"%s\":", name);
    if (value[0] == '\0') {
        text_append_string(json, "null");
    } else {
        text_append_json(json, bytes_of_string(value));
    }
    text_append_char(json, ',');
}

void report_json(const struct load *load) {
    char buffer[64 * 1024];
    struct text json = text_over(buffer, sizeof buffer);
    const struct load_options *options = load->shared.options;

    text_append_char(&json, '{');
    append_string(&json, "mode", options->behaviour->name);
    append_string(&json, "connect", options->connect_text);
    append_string(&json, "tls", load->tls);
    append_string(&json, "first_failure", load->shared.first_error);
    append_string(&json, "given_up", load->fatal);
    text_append_format(&json, "\"connections\":%u,\"client_certificates\":%zu,\"seconds\":%.6f,", options->connections,
                       certificates_used(load), seconds(load));
    text_append_format(&json,
                       "\"answers_per_second\":%.1f,\"handshakes_per_second\":%.1f,\"connections_per_second\":%.1f,"
                       "\"stand\":%u,",
                       rate(load, TALLY_ANSWERS), rate(load, TALLY_HANDSHAKES), rate(load, TALLY_CONNECTIONS), load->stand);
    text_append_format(&json, "\"in_flight_at_end\":%u,\"oldest_in_flight_us\":%.1f,\"generator_busy\":%.4f,",
                       load->in_flight_at_end, (double)load->oldest_in_flight_ns / 1e3, busy(load));
    text_append_string(&json, "\"measured\":{");
    append_counters(&json, load->begin.counters, load->end.counters);
    text_append_string(&json, "},\"whole_run\":{");
    append_counters(&json, NULL, load->shared.tally.counters);
    text_append_string(&json, "},\"outcomes\":{");
    append_outcomes(&json, load);
    text_append_string(&json, "},\"latency_us\":{");
    append_latencies(&json, load);
    text_append_string(&json, "}}\n");
    CHECK(!json.overflow);
    fwrite(json.data, 1, json.size, stdout);
}
