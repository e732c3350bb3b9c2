/*
 * The /metrics page. Counters of shards and hosts are rows of the tables in stats/counters.h; the functions below make
 * metrics of what is no counter there: histograms, the cache, certificates, origins, the process.
 */
#include "base/check.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "stats/access_log.h"
#include "stats/page.h"
#include "stats/stats.h"

#include <stdio.h>
#include <stdlib.h>

struct rendering {
    const struct stats *stats;
    const struct stats_hosts *hosts;
    size_t host_count;
    struct buffer page;
    char bounds[STATS_BUCKETS][DECIMAL_SECONDS_SIZE]; /* values of the label `le` */
};

static const char *host_name(const struct rendering *rendering, size_t host) {
    return stats_hosts_facts(rendering->hosts, host)->host;
}

static void render_bounds(struct rendering *rendering) {
    for (unsigned i = 0; i < STATS_BUCKETS - 1; i++) {
        decimal_write_seconds(rendering->bounds[i], stats_bucket_bound_ns(i));
    }
    memcpy(rendering->bounds[STATS_BUCKETS - 1], "+Inf", sizeof "+Inf");
}

/* The counters of a histogram, added up over the shards. */
struct merged {
    uint64_t buckets[STATS_BUCKETS];
    uint64_t sum_ns;
};

static void merge(struct merged *merged, const struct stats_histogram *histogram) {
    for (unsigned i = 0; i < STATS_BUCKETS; i++) {
        merged->buckets[i] += stats_read(&histogram->buckets[i]);
    }
    merged->sum_ns += stats_read(&histogram->sum_ns);
}

static void render_histogram(struct rendering *rendering, const char *name, const struct page_labels *labels,
                             const struct merged *merged) {
    struct page_labels with_bound = *labels;
    struct page_label *bound = &with_bound.items[with_bound.count++];
    uint64_t count = 0;
    for (unsigned i = 0; i < STATS_BUCKETS; i++) {
        count += merged->buckets[i];
        *bound = (struct page_label){"le", rendering->bounds[i]};
        page_sample(&rendering->page, name, "_bucket", &with_bound, count);
    }
    page_sample_seconds(&rendering->page, name, "_sum", labels, merged->sum_ns);
    page_sample(&rendering->page, name, "_count", labels, count);
}

/* One metric of counters: a row of STATS_SHARD_COUNTERS or STATS_HOST_COUNTERS. */
struct metric {
    size_t offset; /* in the block, of the first of its counters */
    size_t count;  /* of its counters: one for each combination of its labels' values */
    const char *name;
    const char *type;
    enum stats_unit unit;
    const char *help;
    enum stats_label labels[4]; /* up to STATS_LABEL_NONE */
};

#define COUNTERS_OF(block, member) (sizeof(((block *)NULL)->member) / sizeof(stats_counter))
#define SHARD_METRIC(member, extent, name, type, unit, help, ...)                                                           \
    {offsetof(struct stats_shard, member), COUNTERS_OF(struct stats_shard, member), name, type, unit, help, {__VA_ARGS__}},
static const struct metric shard_metrics[] = {STATS_SHARD_COUNTERS(SHARD_METRIC)};

#define HOST_METRIC(member, extent, name, type, unit, help, ...)                                                            \
    {offsetof(struct stats_host, member), COUNTERS_OF(struct stats_host, member), name, type, unit, help, {__VA_ARGS__}},
static const struct metric host_metrics[] = {STATS_HOST_COUNTERS(HOST_METRIC)};

/* Adds the labels of a metric's counter number `index`, the last label being the one that changes fastest. */
static void add_labels(struct page_labels *labels, const struct metric *metric, size_t index) {
    size_t count = 0;
    while (count < ARRAY_LENGTH(metric->labels) && metric->labels[count] != STATS_LABEL_NONE) {
        count++;
    }
    unsigned values[ARRAY_LENGTH(metric->labels)];
    for (size_t i = count; i-- > 0;) {
        unsigned extent = stats_label_values(metric->labels[i]);
        values[i] = (unsigned)(index % extent);
        index /= extent;
    }
    CHECK(index == 0); /* the labels have as many values as the member has counters */
    for (size_t i = 0; i < count; i++) {
        enum stats_label label = metric->labels[i];
        if (label == STATS_LABEL_VERDICT) {
            labels->items[labels->count++] =
                (struct page_label){"status", status_name(reason_status((enum reason)values[i]))};
        }
        labels->items[labels->count++] = (struct page_label){stats_label_name(label), stats_label_value(label, values[i])};
    }
}

static void render_sample(struct rendering *rendering, const struct metric *metric, const struct page_labels *labels,
                          uint64_t value) {
    if (metric->unit == STATS_UNIT_NANOSECOND) {
        page_sample_seconds(&rendering->page, metric->name, "", labels, value);
    } else {
        page_sample(&rendering->page, metric->name, "", labels, value);
    }
}

static void render_each_shard(struct rendering *rendering, const struct metric *metric) {
    for (unsigned shard = 0; shard < rendering->stats->shard_count; shard++) {
        char number[16];
        snprintf(number, sizeof number, "%u", shard);
        const char *block = (const char *)&rendering->stats->shards[shard];
        const stats_counter *counter = (const stats_counter *)(const void *)(block + metric->offset);
        render_sample(rendering, metric, &(struct page_labels){{{stats_label_name(STATS_LABEL_SHARD), number}}, 1},
                      stats_read(counter));
    }
}

/* A rejection that was counted at a stage where it cannot occur is shown all the same: better an odd line than a lost one.
 */
static bool has_sample(const struct metric *metric, size_t index, uint64_t value) {
    return metric->offset != offsetof(struct stats_shard, rejected) || value > 0 ||
           stats_rejection_occurs((enum stats_stage)(index / STATS_REJECTION_COUNT),
                                  (enum stats_rejection)(index % STATS_REJECTION_COUNT));
}

static void render_all_shards(struct rendering *rendering, const struct metric *metric) {
    for (size_t index = 0; index < metric->count; index++) {
        struct page_labels labels = {.count = 0};
        uint64_t sum = stats_sum(rendering->stats, metric->offset + index * sizeof(stats_counter));
        if (has_sample(metric, index, sum)) {
            add_labels(&labels, metric, index);
            render_sample(rendering, metric, &labels, sum);
        }
    }
}

static void render_shard_metrics(struct rendering *rendering) {
    for (size_t i = 0; i < ARRAY_LENGTH(shard_metrics); i++) {
        const struct metric *metric = &shard_metrics[i];
        page_open_metric(&rendering->page, metric->name, metric->type, metric->help);
        if (metric->labels[0] == STATS_LABEL_SHARD) {
            render_each_shard(rendering, metric);
        } else {
            render_all_shards(rendering, metric);
        }
    }
}

/* Mode report alone would have blocked anything, and nobody whose certificate is good. Only tcp hosts relay plain bytes. */
static bool host_has_sample(const struct rendering *rendering, size_t host, const struct metric *metric, size_t index) {
    if (metric->offset == offsetof(struct stats_host, tcp_bytes)) {
        return stats_hosts_facts(rendering->hosts, host)->is_tcp;
    }
    return metric->offset != offsetof(struct stats_host, would_block) ||
           (index != REASON_OK && stats_hosts_rollout(rendering->hosts, host) != NULL);
}

static void render_host_metric(struct rendering *rendering, size_t host, const struct metric *metric) {
    for (size_t index = 0; index < metric->count; index++) {
        struct page_labels labels = {{{"host", host_name(rendering, host)}}, 1};
        if (host_has_sample(rendering, host, metric, index)) {
            add_labels(&labels, metric, index);
            render_sample(rendering, metric, &labels,
                          stats_hosts_sum(rendering->hosts, host, metric->offset + index * sizeof(stats_counter)));
        }
    }
}

static void render_host_metrics(struct rendering *rendering) {
    for (size_t i = 0; i < ARRAY_LENGTH(host_metrics); i++) {
        if (host_metrics[i].name == NULL) {
            continue;
        }
        page_open_metric(&rendering->page, host_metrics[i].name, host_metrics[i].type, host_metrics[i].help);
        for (size_t host = 0; host < rendering->host_count; host++) {
            render_host_metric(rendering, host, &host_metrics[i]);
        }
    }
}

/* Histograms of a shard: `what` is the first of as many latencies as the label has values, or of one without a label. */
static const struct {
    const char *name;
    const char *help;
    enum stats_latency what;
    enum stats_label label;
} histograms[] = {
    {"sallyport_hello_seconds", "Time from accept to a complete ClientHello.", STATS_ACCEPT_TO_HELLO, STATS_LABEL_NONE},
    {"sallyport_admission_wait_seconds", "Time that a ClientHello waited for its turn.", STATS_HELLO_QUEUE,
     STATS_LABEL_NONE},
    {"sallyport_handshake_seconds", "Time from accept to the end of a handshake that succeeded.", STATS_HANDSHAKE_FULL,
     STATS_LABEL_KIND},
    {"sallyport_cert_verify_seconds", "Time to a verdict on a chain.", STATS_VERIFY_CACHED, STATS_LABEL_PATH},
};

static void render_shard_histograms(struct rendering *rendering) {
    for (size_t i = 0; i < ARRAY_LENGTH(histograms); i++) {
        enum stats_label label = histograms[i].label;
        unsigned values = label == STATS_LABEL_NONE ? 1 : stats_label_values(label);
        page_open_metric(&rendering->page, histograms[i].name, "histogram", histograms[i].help);
        for (unsigned value = 0; value < values; value++) {
            struct page_labels labels = {.count = 0};
            struct merged merged = {0};
            if (label != STATS_LABEL_NONE) {
                labels = (struct page_labels){{{stats_label_name(label), stats_label_value(label, value)}}, 1};
            }
            for (unsigned shard = 0; shard < rendering->stats->shard_count; shard++) {
                merge(&merged, &rendering->stats->shards[shard].seconds[histograms[i].what + value]);
            }
            render_histogram(rendering, histograms[i].name, &labels, &merged);
        }
    }
}

static void render_host_histograms(struct rendering *rendering) {
    static const struct {
        const char *name, *help;
        size_t offset;
    } metrics[] = {
        {"sallyport_request_seconds", "Time from a request's head to the end of its answer.",
         offsetof(struct stats_host, request_seconds)},
        {"sallyport_origin_seconds", "Time from handing a request to the origin to the head of its answer.",
         offsetof(struct stats_host, origin_seconds)},
    };
    const struct stats *stats = rendering->stats;
    for (size_t i = 0; i < ARRAY_LENGTH(metrics); i++) {
        page_open_metric(&rendering->page, metrics[i].name, "histogram", metrics[i].help);
        for (size_t host = 0; host < rendering->host_count; host++) {
            struct merged merged = {0};
            for (unsigned shard = 0; shard < stats->shard_count; shard++) {
                const char *block = (const char *)stats_hosts_at(rendering->hosts, host, shard);
                merge(&merged, (const struct stats_histogram *)(const void *)(block + metrics[i].offset));
            }
            render_histogram(rendering, metrics[i].name, &(struct page_labels){{{"host", host_name(rendering, host)}}, 1},
                             &merged);
        }
    }
}

/* Of several terms with one name, the first to end has the sample: the others are marked as repeats. */
static void render_terms_of_host(struct rendering *rendering, const char *name, const char *label, const char *host,
                                 const struct term_list *terms) {
    for (size_t i = 0; i < terms->count; i++) {
        const struct term *term = &terms->items[i];
        if (!term->repeats && term->end != TERM_NEVER) {
            struct page_labels labels = {{{"host", host}, {label, term->name}}, 2};
            page_sample_signed(&rendering->page, name, &labels, term->end);
        }
    }
}

static void render_terms(struct rendering *rendering) {
    static const struct {
        const char *name, *help, *label;
    } metrics[STATS_TERMS] = {
        [STATS_CERTIFICATES] = {"sallyport_certificate_not_after_seconds",
                                "When a certificate ends, in seconds since the epoch.", "file"},
        [STATS_CLIENT_CAS] = {"sallyport_client_ca_not_after_seconds",
                              "When a root of client_auth.ca ends, in seconds since the epoch; of those with one name the "
                              "first.",
                              "subject"},
        [STATS_CRLS] =
            {"sallyport_crl_next_update_seconds",
             "When the revocation lists of an issuer end, in seconds since the epoch; of several lists the first.",
             "issuer"},
        [STATS_ORIGIN_CAS] = {"sallyport_origin_ca_not_after_seconds",
                              "When a root of origin_tls.ca ends, in seconds since the epoch; of those with one name the "
                              "first.",
                              "subject"},
        [STATS_ORIGIN_CERTIFICATES] = {"sallyport_origin_certificate_not_after_seconds",
                                       "When the certificate that origins are shown ends, in seconds since the epoch.",
                                       "file"},
    };
    for (size_t i = 0; i < STATS_TERMS; i++) {
        page_open_metric(&rendering->page, metrics[i].name, "gauge", metrics[i].help);
        for (size_t host = 0; host < rendering->host_count; host++) {
            const struct stats_host_facts *facts = stats_hosts_facts(rendering->hosts, host);
            render_terms_of_host(rendering, metrics[i].name, metrics[i].label, facts->host, &facts->terms[i]);
        }
    }
}

static void render_origins(struct rendering *rendering) {
    static const char name[] = "sallyport_origin_up";
    page_open_metric(
        &rendering->page, name, "gauge",
        "Whether an origin is up: by its health checks or, without any, because the last connection to it was made, in "
        "every shard: 1 yes or not tried yet, 0 no.");
    for (size_t host = 0; host < rendering->host_count; host++) {
        const struct stats_host_facts *facts = stats_hosts_facts(rendering->hosts, host);
        struct bits down = stats_hosts_origins_down(rendering->hosts, host);
        for (size_t i = 0; i < facts->origin_count; i++) {
            struct page_labels labels = {{{"host", facts->host}, {"origin", facts->origins[i]}}, 2};
            page_sample(&rendering->page, name, "", &labels, !bits_has(&down, i));
        }
    }
}

static void render_cache(struct rendering *rendering) {
    const struct stats *stats = rendering->stats;
    struct stats_cache counts = {0};
    if (stats->read_cache != NULL) {
        stats->read_cache(stats->cache_owner, &counts);
    }
    const struct {
        const char *name, *type, *help;
        uint64_t value;
    } metrics[] = {
        {"sallyport_cert_cache_hits_total", "counter", "Chains whose verdict was known.", counts.hits},
        {"sallyport_cert_cache_misses_total", "counter", "Chains whose verdict was not known.", counts.misses},
        {"sallyport_cert_cache_evictions_total", "counter", "Valid identities that made room for others.", counts.evictions},
        {"sallyport_cert_cache_entries", "gauge", "Valid identities that are kept.", counts.entries},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(metrics); i++) {
        page_open_metric(&rendering->page, metrics[i].name, metrics[i].type, metrics[i].help);
        page_sample(&rendering->page, metrics[i].name, "", &(struct page_labels){.count = 0}, metrics[i].value);
    }
}

static void render_reloads(struct rendering *rendering) {
    static const char name[] = "sallyport_config_reloads_total";
    page_open_metric(&rendering->page, name, "counter", "Reloads of the configuration.");
    for (unsigned reload = 0; reload < STATS_RELOAD_COUNT; reload++) {
        struct page_labels labels = {{{"result", stats_label_value(STATS_LABEL_RELOAD, reload)}}, 1};
        page_sample(&rendering->page, name, "", &labels, stats_read(&rendering->stats->reloads[reload]));
    }
}

static void render_fetches(struct rendering *rendering) {
    static const char name[] = "sallyport_fetch_total";
    page_open_metric(&rendering->page, name, "counter", "What the server fetches by itself: dns, the names of origins.");
    for (unsigned result = 0; result < STATS_DNS_COUNT; result++) {
        struct page_labels labels = {{{"kind", "dns"}, {"result", stats_label_value(STATS_LABEL_DNS, result)}}, 2};
        page_sample(&rendering->page, name, "", &labels, stats_read(&rendering->stats->dns_lookups[result]));
    }
}

static void render_single(struct rendering *rendering, const char *name, const char *type, const char *help,
                          uint64_t value) {
    page_open_metric(&rendering->page, name, type, help);
    page_sample(&rendering->page, name, "", &(struct page_labels){.count = 0}, value);
}

static void render_single_seconds(struct rendering *rendering, const char *name, const char *type, const char *help,
                                  uint64_t value_ns) {
    page_open_metric(&rendering->page, name, type, help);
    page_sample_seconds(&rendering->page, name, "", &(struct page_labels){.count = 0}, value_ns);
}

static void render_server(struct rendering *rendering) {
    const struct stats *stats = rendering->stats;
    render_single(rendering, "sallyport_config_last_reload_successful", "gauge",
                  "Whether the newest reload of the configuration was taken: 1 yes, or there was none; 0 no.",
                  stats_read(&stats->last_reload_failed) == 0);
    render_single(rendering, "sallyport_config_last_reload_timestamp_seconds", "gauge",
                  "When the configuration that is served was loaded, in seconds since the epoch.",
                  stats_read(&stats->loaded_s));
    render_single(rendering, "sallyport_connections_limit", "gauge", "Connections that may be open: limits.connections.",
                  stats_read(&stats->connections_limit));
}

/* Uses the names that Prometheus' client libraries give to these metrics. */
static void render_process(struct rendering *rendering) {
    const struct process_reading *now = &rendering->stats->process;
    if (now->has_memory) {
        render_single(rendering, "process_resident_memory_bytes", "gauge", "Memory that is in use.", now->resident_bytes);
        render_single(rendering, "process_virtual_memory_bytes", "gauge",
                      "Address space, most of which is reserved and not used.", now->virtual_bytes);
    }
    if (now->has_descriptors) {
        render_single(rendering, "process_open_fds", "gauge",
                      "File descriptors that are open: connections to origins are among them, those of clients are not.",
                      now->open_descriptors);
    }
    render_single(rendering, "process_max_fds", "gauge", "File descriptors that may be open.", now->max_descriptors);
    render_single_seconds(rendering, "process_cpu_seconds_total", "counter", "CPU time, user and system.", now->cpu_ns);
    render_single_seconds(rendering, "process_start_time_seconds", "gauge",
                          "When the process began, in seconds since the epoch.", rendering->stats->process_started_ns);
}

static void render_access_log(struct rendering *rendering) {
    static const char name[] = "sallyport_access_log_lines_total";
    struct access_log_counts counts = {0};
    if (rendering->stats->access_log != NULL) {
        counts = access_log_count(rendering->stats->access_log);
    }
    page_open_metric(&rendering->page, name, "counter", "Lines of the access log.");
    page_sample(&rendering->page, name, "", &(struct page_labels){{{"result", "written"}}, 1}, counts.written);
    page_sample(&rendering->page, name, "", &(struct page_labels){{{"result", "dropped"}}, 1}, counts.dropped);
}

static void render_build_info(struct rendering *rendering) {
    static const char name[] = "sallyport_build_info";
    const struct stats *stats = rendering->stats;
    struct page_labels labels = {{{"version", stats->version}, {"wolfssl", stats->wolfssl}, {"crypto", stats->crypto}}, 3};
    page_open_metric(&rendering->page, name, "gauge", "What is running: always 1.");
    page_sample(&rendering->page, name, "", &labels, 1);
}

char *stats_render_prometheus(struct stats *stats, size_t *size) {
    struct stats_hosts *hosts = stats_take_hosts(stats);
    process_read(&stats->process, clock_monotonic_ms());
    struct rendering rendering = {
        .stats = stats, .hosts = hosts, .host_count = hosts == NULL ? 0 : stats_hosts_count(hosts)};
    render_bounds(&rendering);
    render_build_info(&rendering);
    render_shard_metrics(&rendering);
    render_shard_histograms(&rendering);
    render_cache(&rendering);
    render_host_metrics(&rendering);
    render_host_histograms(&rendering);
    render_terms(&rendering);
    render_origins(&rendering);
    render_reloads(&rendering);
    render_fetches(&rendering);
    render_server(&rendering);
    render_access_log(&rendering);
    render_process(&rendering);
    stats_hosts_release(hosts);
    if (rendering.page.failed) {
        free(rendering.page.data);
        return NULL;
    }
    *size = rendering.page.size;
    return rendering.page.data;
}
