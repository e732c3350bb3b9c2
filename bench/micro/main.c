/*
 * sallyport-micro: what a handshake and a verdict cost in memory, without sockets, against the public-key operations that no
 * handshake can do without. All that is measured takes turns in each round; figures are medians over the rounds.
 */
#include "base/check.h"
#include "base/hash.h"
#include "base/text.h"
#include "identity/cache.h"
#include "micro/counting.h"
#include "micro/handshake.h"
#include "micro/lanes.h"
#include "micro/operations.h"
#include "micro/verdict.h"
#include "tls/context.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2, OPERATIONS_EACH = 64, CALLS_EACH = 32, BATCHES = 4, ENTRIES_DEFAULT = 1000000 };

#define KNOWN_RATIO_MAX 1.35   /* known handshake to its four operations */
#define HIT_NS_MAX      1000.0 /* besides hashing */
#define MILLION_MIB_MAX 512.0  /* for a million identities, all told */
#define LATENCY_NS_MAX  50.0   /* to record one */

static const char usage[] =
    "usage: sallyport-micro [OPTION]...\n"
    "\n"
    "Measures the server's side of TLS handshakes, and verdicts on client certificates, in memory.\n"
    "\n"
    "  --rounds N        1 to 1000 (default: 41)\n"
    "  --entries N       in the cache of verified chains, 1 to 16777216 (default: 1000000)\n"
    "  --only WHAT       handshake, verdict, counting or lanes (default: all)\n"
    "  --kind KIND       of the handshakes this one alone: anonymous, known, unknown, resumed or tls12\n"
    "  --json            one JSON object instead of the table\n"
    "  --help            this text\n";

struct options {
    uint64_t rounds;
    uint64_t entries;
    bool handshake;
    bool verdict;
    bool counting;
    bool lanes;
    bool json;
    int kind; /* -1: all of them */
};

/* Everything that was measured. */
struct results {
    struct series operations[OPERATIONS];
    struct series operations_sum;
    struct handshake_series handshakes[HANDSHAKE_KINDS];
    bool resumes;
    struct verdict_series verdict;
    struct series latency;
    struct lanes_series lanes[LANES_KINDS];
};

static bool wanted(const struct options *options, const struct results *results, int kind) {
    return (options->kind < 0 || options->kind == kind) && (kind != HANDSHAKE_RESUMED || results->resumes);
}

static void measure_handshakes(const struct options *options, struct results *results) {
    struct operations *operations = operations_create();
    struct handshakes *handshakes = handshakes_create();

    results->resumes = handshakes_resume(handshakes);
    for (uint64_t round = 0; round < options->rounds; round++) {
        operations_measure(operations, OPERATIONS_EACH, results->operations, &results->operations_sum);
        for (int kind = 0; kind < HANDSHAKE_KINDS; kind++) {
            if (wanted(options, results, kind)) {
                handshakes_measure(handshakes, (enum handshake_kind)kind, BATCHES, &results->handshakes[kind]);
            }
        }
    }
    handshakes_free(handshakes);
    operations_free(operations);
}

static void measure_verdicts(const struct options *options, struct results *results) {
    struct verdicts *verdicts = verdicts_create((uint32_t)options->entries, &results->verdict);

    for (uint64_t round = 0; round < options->rounds; round++) {
        verdicts_measure(verdicts, &results->verdict);
    }
    verdicts_free(verdicts);
}

static void measure_counting(const struct options *options, struct results *results) {
    struct counting *counting = counting_create();

    for (uint64_t round = 0; round < options->rounds; round++) {
        counting_measure(counting, &results->latency);
    }
    counting_free(counting);
}

static void measure_lanes(const struct options *options, struct results *results) {
    if (!lanes_supported()) {
        return;
    }
    struct lanes_bench *bench = lanes_bench_create();
    for (uint64_t round = 0; round < options->rounds; round++) {
        lanes_bench_measure(bench, CALLS_EACH, results->lanes);
    }
    lanes_bench_free(bench);
}

static double known_ratio(const struct results *results) {
    return series_ratio(&results->handshakes[HANDSHAKE_KNOWN].whole, &results->operations_sum);
}

static double million_mib(const struct verdict_series *verdict) {
    return (verdict->identity_bytes + verdict->entry_bytes) * 1e6 / (1024 * 1024);
}

static const char *reaches(double value, double max) {
    return value <= max ? "within" : "BEYOND";
}

static void print_handshakes(const struct results *results) {
    double floor = series_median(&results->operations_sum);

    printf("public-key operation     us\n");
    for (int i = 0; i < OPERATIONS; i++) {
        printf("%-20s %6.2f\n", operation_name((enum operation)i), series_median(&results->operations[i]) / 1e3);
    }
    printf("%-20s %6.2f\n\nserver's side, us       all", "sum", floor / 1e3);
    for (int part = 0; part < HANDSHAKE_PARTS; part++) {
        printf(" %7s", handshake_part_name((enum handshake_part)part));
    }
    printf("   : sum  allocations  their bytes\n");
    for (int kind = 0; kind < HANDSHAKE_KINDS; kind++) {
        const struct handshake_series *series = &results->handshakes[kind];

        if (series->whole.count == 0) {
            continue;
        }
        printf("%-20s %6.2f", handshake_kind_name((enum handshake_kind)kind), series_median(&series->whole) / 1e3);
        for (int part = 0; part < HANDSHAKE_PARTS; part++) {
            printf(" %7.2f", series_median(&series->parts[part]) / 1e3);
        }
        printf("  %5.2fx  %11.1f  %11.0f\n", series_ratio(&series->whole, &results->operations_sum), series->allocations,
               series->allocated_bytes);
    }
    if (!results->resumes) {
        printf("%-20s not measured: the server gives no tickets\n", handshake_kind_name(HANDSHAKE_RESUMED));
    }
    if (results->handshakes[HANDSHAKE_KNOWN].whole.count > 0) {
        printf("known : sum %.3fx, %s %.2fx\n", known_ratio(results), reaches(known_ratio(results), KNOWN_RATIO_MAX),
               KNOWN_RATIO_MAX);
    }
}

static void print_verdicts(const struct verdict_series *verdict) {
    double hit = series_median(&verdict->hit);

    printf("verdict in full          us\n");
    for (int i = 0; i < PKI_KEYS; i++) {
        printf("%-20s %6.2f\n", pki_key_name((enum pki_key)i), series_median(&verdict->judge[i]) / 1e3);
    }
    printf("\ncache of %u\n", verdict->entries);
    printf("%-20s %6.3f us\n", "key (hash of chain)", series_median(&verdict->hash) / 1e3);
    printf("%-20s %6.3f us, %s %.0f us\n", "hit behind that", hit / 1e3, reaches(hit, HIT_NS_MAX), HIT_NS_MAX / 1e3);
    printf("%-20s %6.3f us\n", "miss behind that", series_median(&verdict->miss) / 1e3);
    printf("%-20s %6.0f bytes, and %.0f of the cache: %.0f MiB for a million, %s %.0f MiB\n", "one identity",
           verdict->identity_bytes, verdict->entry_bytes, million_mib(verdict),
           reaches(million_mib(verdict), MILLION_MIB_MAX), MILLION_MIB_MAX);
}

static void print_lanes(const struct lanes_series series[static LANES_KINDS]) {
    if (!lanes_supported()) {
        printf("lanes are not measured: this processor has no AVX-512 IFMA\n");
        return;
    }
    printf("us each                wolfCrypt  %d at a time  a call  is worth it from\n", LANES_MAX);
    for (int kind = 0; kind < LANES_KINDS; kind++) {
        double call = series_median(&series[kind].call) / 1e3;

        printf("%-20s %11.2f  %11.2f  %6.1f  %16zu\n", lanes_name((enum lanes_kind)kind),
               series_median(&series[kind].single) / 1e3, call / LANES_MAX, call, lanes_bench_worth(&series[kind]));
    }
}

static void append_handshakes(struct text *json, const struct results *results) {
    text_append_string(json, "\"operations_ns\":{");
    for (int i = 0; i < OPERATIONS; i++) {
        text_append_format(json, "\"%s\":%.1f,", operation_name((enum operation)i), series_median(&results->operations[i]));
    }
    text_append_format(json, "\"sum\":%.1f},\"handshakes\":{", series_median(&results->operations_sum));
    for (int kind = 0; kind < HANDSHAKE_KINDS; kind++) {
        const struct handshake_series *series = &results->handshakes[kind];

        text_append_format(json, "%s\"%s\":", kind == 0 ? "" : ",", handshake_kind_name((enum handshake_kind)kind));
        if (series->whole.count == 0) {
            text_append_string(json, "null");
            continue;
        }
        text_append_format(json, "{\"ns\":%.1f,\"to_operations\":%.4f,\"allocations\":%.1f,\"allocated_bytes\":%.0f",
                           series_median(&series->whole), series_ratio(&series->whole, &results->operations_sum),
                           series->allocations, series->allocated_bytes);
        for (int part = 0; part < HANDSHAKE_PARTS; part++) {
            text_append_format(json, ",\"%s_ns\":%.1f", handshake_part_name((enum handshake_part)part),
                               series_median(&series->parts[part]));
        }
        text_append_char(json, '}');
    }
    text_append_char(json, '}');
}

static void append_verdicts(struct text *json, const struct verdict_series *verdict) {
    text_append_string(json, "\"judge_ns\":{");
    for (int i = 0; i < PKI_KEYS; i++) {
        text_append_format(json, "%s\"%s\":%.1f", i == 0 ? "" : ",", pki_key_name((enum pki_key)i),
                           series_median(&verdict->judge[i]));
    }
    text_append_format(json,
                       "},\"cache\":{\"entries\":%u,\"hash_ns\":%.1f,\"hit_ns\":%.1f,\"miss_ns\":%.1f,"
                       "\"identity_bytes\":%.1f,\"entry_bytes\":%.1f,\"million_mib\":%.1f}",
                       verdict->entries, series_median(&verdict->hash), series_median(&verdict->hit),
                       series_median(&verdict->miss), verdict->identity_bytes, verdict->entry_bytes, million_mib(verdict));
}

static void append_lanes(struct text *json, const struct lanes_series series[static LANES_KINDS]) {
    if (!lanes_supported()) {
        text_append_string(json, "\"lanes\":null");
        return;
    }
    text_append_string(json, "\"lanes\":{");
    for (int kind = 0; kind < LANES_KINDS; kind++) {
        text_append_format(json, "%s\"%s\":{\"single_ns\":%.1f,\"call_ns\":%.1f,\"worth\":%zu}", kind == 0 ? "" : ",",
                           lanes_name((enum lanes_kind)kind), series_median(&series[kind].single),
                           series_median(&series[kind].call), lanes_bench_worth(&series[kind]));
    }
    text_append_char(json, '}');
}

static void print_json(const struct options *options, const struct results *results) {
    char buffer[8 * 1024];
    struct text json = text_over(buffer, sizeof buffer);

    text_append_format(&json, "{\"rounds\":%llu", (unsigned long long)options->rounds);
    if (options->handshake) {
        text_append_char(&json, ',');
        append_handshakes(&json, results);
    }
    if (options->verdict) {
        text_append_char(&json, ',');
        append_verdicts(&json, &results->verdict);
    }
    if (options->counting) {
        text_append_format(&json, ",\"latency_ns\":%.1f", series_median(&results->latency));
    }
    if (options->lanes) {
        text_append_char(&json, ',');
        append_lanes(&json, results->lanes);
    }
    text_append_string(&json, "}\n");
    CHECK(!json.overflow);
    fwrite(json.data, 1, json.size, stdout);
}

static bool read_number(const char *text, uint64_t max, uint64_t *number) {
    errno = 0;
    char *end;
    *number = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *number >= 1 && *number <= max;
}

static bool read_kind(const char *text, int *kind) {
    for (*kind = 0; *kind < HANDSHAKE_KINDS; (*kind)++) {
        if (strcmp(text, handshake_kind_name((enum handshake_kind) * kind)) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_option(struct options *options, int letter, const char *text) {
    switch (letter) {
    case 'r':
        return read_number(text, MEASURE_ROUNDS_MAX, &options->rounds);
    case 'e':
        return read_number(text, IDENTITY_CACHE_ENTRIES_MAX, &options->entries);
    case 'o':
        options->handshake = strcmp(text, "handshake") == 0;
        options->verdict = strcmp(text, "verdict") == 0;
        options->counting = strcmp(text, "counting") == 0;
        options->lanes = strcmp(text, "lanes") == 0;
        return options->handshake || options->verdict || options->counting || options->lanes;
    case 'k':
        return read_kind(text, &options->kind);
    case 'j':
        options->json = true;
        return true;
    default:
        return false;
    }
}

static bool parse(struct options *options, int argc, char **argv) {
    static const struct option names[] = {
        {"rounds", required_argument, NULL, 'r'}, {"entries", required_argument, NULL, 'e'},
        {"only", required_argument, NULL, 'o'},   {"kind", required_argument, NULL, 'k'},
        {"json", no_argument, NULL, 'j'},         {NULL, 0, NULL, 0},
    };

    *options = (struct options){.rounds = 41,
                                .entries = ENTRIES_DEFAULT,
                                .handshake = true,
                                .verdict = true,
                                .counting = true,
                                .lanes = true,
                                .kind = -1};
    for (int letter; (letter = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (!read_option(options, letter, optarg)) {
            return false;
        }
    }
    return optind == argc;
}

static void print_tables(const struct options *options, const struct results *results) {
    if (options->handshake) {
        print_handshakes(results);
    }
    if (options->verdict) {
        fputs(options->handshake ? "\n" : "", stdout);
        print_verdicts(&results->verdict);
    }
    if (options->counting) {
        double latency = series_median(&results->latency);

        fputs(options->handshake || options->verdict ? "\n" : "", stdout);
        printf("%-20s %6.1f ns, %s %.0f ns\n", "one latency counted", latency, reaches(latency, LATENCY_NS_MAX),
               LATENCY_NS_MAX);
    }
    if (options->lanes) {
        fputs(options->handshake || options->verdict || options->counting ? "\n" : "", stdout);
        print_lanes(results->lanes);
    }
}

int main(int argc, char **argv) {
    static struct results results;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    struct options options;
    if (!parse(&options, argc, argv)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    hash_init();
    CHECK(tls_library_init() == 0);
    measure_allocations_install();
    if (options.handshake) {
        measure_handshakes(&options, &results);
    }
    if (options.verdict) {
        measure_verdicts(&options, &results);
    }
    if (options.counting) {
        measure_counting(&options, &results);
    }
    if (options.lanes) {
        measure_lanes(&options, &results);
    }
    if (options.json) {
        print_json(&options, &results);
    } else {
        print_tables(&options, &results);
    }
    tls_library_cleanup();
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
