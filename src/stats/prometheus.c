/* The contract's metrics, from the shards' blocks to a page. */
#include "base/check.h"
#include "base/clock.h"
#include "stats/access_log.h"
#include "stats/hosts.h"
#include "stats/page.h"

#include <stdio.h>
#include <stdlib.h>

struct rendering {
    const struct stats *stats;
    const struct stats_hosts *hosts;
    size_t host_count;
    struct page page;
    char bounds[STATS_BUCKETS][PAGE_SECONDS_SIZE]; /* values of the label `le` */
};

/* The sum over all shards of the counter at `path` in each shard's block. */
#define SUM_OVER_SHARDS(stats, path)                                                                                        \
    ({                                                                                                                      \
        uint64_t sum_ = 0;                                                                                                  \
        for (unsigned shard_ = 0; shard_ < (stats)->shard_count; shard_++) {                                                \
            sum_ += stats_read(&(stats)->shards[shard_].path);                                                              \
        }                                                                                                                   \
        sum_;                                                                                                               \
    })

/* The same for a host's counter. */
#define SUM_OF_HOST(rendering, host, path)                                                                                  \
    ({                                                                                                                      \
        uint64_t sum_ = 0;                                                                                                  \
        for (unsigned shard_ = 0; shard_ < (rendering)->stats->shard_count; shard_++) {                                     \
            sum_ += stats_read(&stats_hosts_at((rendering)->hosts, host, shard_)->path);                                    \
        }                                                                                                                   \
        sum_;                                                                                                               \
    })

static const char *host_name(const struct rendering *rendering, size_t host) {
    return stats_hosts_facts(rendering->hosts, host)->host;
}

static void render_bounds(struct rendering *rendering) {
    for (unsigned i = 0; i < STATS_BUCKETS - 1; i++) {
        page_seconds(rendering->bounds[i], stats_bucket_bound_ns(i));
    }
    memcpy(rendering->bounds[STATS_BUCKETS - 1], "+Inf", sizeof "+Inf");
}

/* A histogram's counters, added up over the shards. */
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

static const char *kind_name(unsigned kind) {
    return stats_kind_name((enum stats_kind)kind);
}

static const char *path_name(unsigned path) {
    return stats_path_name((enum stats_path)path);
}

/* The histograms at `offset` of a shard's block, one for each value of a label. */
static void render_histograms(struct rendering *rendering, const char *name, const char *help, const char *label,
                              const char *(*value_name)(unsigned), unsigned values, size_t offset) {
    const struct stats *stats = rendering->stats;
    page_open_metric(&rendering->page, name, "histogram", help);
    for (unsigned value = 0; value < values; value++) {
        struct merged merged = {0};
        for (unsigned shard = 0; shard < stats->shard_count; shard++) {
            const struct stats_histogram *histograms =
                (const struct stats_histogram *)(const void *)((const char *)&stats->shards[shard] + offset);
            merge(&merged, &histograms[value]);
        }
        render_histogram(rendering, name, &(struct page_labels){{{label, value_name(value)}}, 1}, &merged);
    }
}

static void render_histogram_of_shards(struct rendering *rendering, const char *name, const char *help,
                                       enum stats_latency what) {
    struct merged merged = {0};
    page_open_metric(&rendering->page, name, "histogram", help);
    for (unsigned shard = 0; shard < rendering->stats->shard_count; shard++) {
        merge(&merged, &rendering->stats->shards[shard].seconds[what]);
    }
    render_histogram(rendering, name, &(struct page_labels){.count = 0}, &merged);
}

static void render_connections(struct rendering *rendering) {
    static const struct {
        const char *name, *type, *help;
        size_t offset;
    } metrics[] = {
        {"sallyport_connections_total", "counter", "Connections accepted.", offsetof(struct stats_shard, connections_total)},
        {"sallyport_connections", "gauge", "Connections that are open.", offsetof(struct stats_shard, connections)},
        {"sallyport_admission_state", "gauge", "How a shard stands: 0 calm, 1 loaded, 2 flooded.",
         offsetof(struct stats_shard, admission_state)},
    };
    const struct stats *stats = rendering->stats;
    for (size_t i = 0; i < ARRAY_LENGTH(metrics); i++) {
        page_open_metric(&rendering->page, metrics[i].name, metrics[i].type, metrics[i].help);
        for (unsigned shard = 0; shard < stats->shard_count; shard++) {
            char number[16];
            snprintf(number, sizeof number, "%u", shard);
            const stats_counter *counter =
                (const stats_counter *)(const void *)((const char *)&stats->shards[shard] + metrics[i].offset);
            page_sample(&rendering->page, metrics[i].name, "", &(struct page_labels){{{"shard", number}}, 1},
                        stats_read(counter));
        }
    }
}

static void render_handshakes(struct rendering *rendering) {
    static const char total[] = "sallyport_handshakes_total", seconds[] = "sallyport_handshake_seconds",
                      work[] = "sallyport_handshake_work_seconds_total";
    const struct stats *stats = rendering->stats;
    page_open_metric(&rendering->page, total, "counter", "TLS handshakes that ended.");
    for (unsigned result = 0; result < STATS_RESULT_COUNT; result++) {
        for (unsigned kind = 0; kind < STATS_KIND_COUNT; kind++) {
            for (unsigned version = 0; version < STATS_VERSION_COUNT; version++) {
                struct page_labels labels = {{{"result", stats_result_name(result)},
                                              {"kind", stats_kind_name(kind)},
                                              {"version", stats_version_name(version)}},
                                             3};
                page_sample(&rendering->page, total, "", &labels, SUM_OVER_SHARDS(stats, handshakes[result][kind][version]));
            }
        }
    }
    render_histograms(rendering, seconds, "Time from accept to the end of a handshake that succeeded.", "kind", kind_name,
                      STATS_KIND_COUNT, offsetof(struct stats_shard, seconds[STATS_HANDSHAKE_FULL]));
    render_histogram_of_shards(rendering, "sallyport_hello_seconds", "Time from accept to a complete ClientHello.",
                               STATS_ACCEPT_TO_HELLO);
    render_histogram_of_shards(rendering, "sallyport_admission_wait_seconds", "Time that a ClientHello waited for its turn.",
                               STATS_HELLO_QUEUE);
    page_open_metric(&rendering->page, work, "counter", "Time spent on handshakes, by what the client was worth.");
    for (unsigned class = 0; class < STATS_CLASS_COUNT; class ++) {
        struct page_labels labels = {{{"class", stats_class_name(class)}}, 1};
        page_sample_seconds(&rendering->page, work, "", &labels, SUM_OVER_SHARDS(stats, handshake_work_ns[class]));
    }
}

static void render_over_budget(struct rendering *rendering) {
    static const char name[] = "sallyport_over_budget_total";
    page_open_metric(&rendering->page, name, "counter",
                     "Times that a known client was over a bound, and served as unknown.");
    for (unsigned budget = 0; budget < STATS_BUDGET_COUNT; budget++) {
        struct page_labels labels = {{{"bound", stats_budget_name(budget)}}, 1};
        page_sample(&rendering->page, name, "", &labels, SUM_OVER_SHARDS(rendering->stats, over_budget[budget]));
    }
}

static void render_rejected(struct rendering *rendering) {
    static const char name[] = "sallyport_rejected_total";
    page_open_metric(&rendering->page, name, "counter", "Connections and requests that were turned away.");
    for (unsigned stage = 0; stage < STATS_STAGE_COUNT; stage++) {
        for (unsigned rejection = 0; rejection < STATS_REJECTION_COUNT; rejection++) {
            uint64_t count = SUM_OVER_SHARDS(rendering->stats, rejected[stage][rejection]);
            /* What was counted where it cannot occur is shown all the same: better an odd line than a lost one. */
            if (count > 0 || stats_rejection_occurs(stage, rejection)) {
                struct page_labels labels = {
                    {{"stage", stats_stage_name(stage)}, {"reason", stats_rejection_name(rejection)}}, 2};
                page_sample(&rendering->page, name, "", &labels, count);
            }
        }
    }
}

static void render_client_certs(struct rendering *rendering) {
    static const char name[] = "sallyport_client_certs_total";
    page_open_metric(&rendering->page, name, "counter", "Verdicts on clients, one for each handshake.");
    for (size_t host = 0; host < rendering->host_count; host++) {
        for (unsigned reason = 0; reason < REASON_COUNT; reason++) {
            struct page_labels labels = {{{"host", host_name(rendering, host)},
                                          {"status", status_name(reason_status(reason))},
                                          {"reason", reason_name(reason)}},
                                         3};
            page_sample(&rendering->page, name, "", &labels, SUM_OF_HOST(rendering, host, client_certs[reason]));
        }
    }
}

static void render_would_block(struct rendering *rendering) {
    static const char name[] = "sallyport_would_block_total";
    page_open_metric(&rendering->page, name, "counter", "Requests that mode report let through and enforce would not have.");
    for (size_t host = 0; host < rendering->host_count; host++) {
        for (unsigned reason = 0; reason < REASON_COUNT; reason++) {
            struct page_labels labels = {{{"host", host_name(rendering, host)}, {"reason", reason_name(reason)}}, 2};
            if (reason != REASON_OK && stats_hosts_rollout(rendering->hosts, host) != NULL) {
                page_sample(&rendering->page, name, "", &labels, SUM_OF_HOST(rendering, host, would_block[reason]));
            }
        }
    }
}

static void render_requests(struct rendering *rendering) {
    static const char name[] = "sallyport_requests_total";
    page_open_metric(&rendering->page, name, "counter", "Requests answered, by the status code of the answer.");
    for (size_t host = 0; host < rendering->host_count; host++) {
        for (unsigned slot = 0; slot < STATS_CODES; slot++) {
            struct page_labels labels = {{{"host", host_name(rendering, host)}, {"code", stats_code_name(slot)}}, 2};
            page_sample(&rendering->page, name, "", &labels, SUM_OF_HOST(rendering, host, requests[slot]));
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

static void render_certificates(struct rendering *rendering) {
    static const char name[] = "sallyport_certificate_not_after_seconds";
    page_open_metric(&rendering->page, name, "gauge", "When a certificate ends, in seconds since the epoch.");
    for (size_t i = 0; i < rendering->host_count; i++) {
        const struct stats_host_facts *facts = stats_hosts_facts(rendering->hosts, i);
        struct page_labels labels = {{{"host", facts->host}, {"file", facts->file}}, 2};
        page_sample_signed(&rendering->page, name, &labels, facts->not_after);
    }
}

/* One sample for each name: of several with the same, the one that ends first. */
static void render_terms_of_host(struct rendering *rendering, const char *name, const char *label, const char *host,
                                 const struct term *terms, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!terms[i].repeats && terms[i].end != TERM_NEVER) {
            struct page_labels labels = {{{"host", host}, {label, terms[i].name}}, 2};
            page_sample_signed(&rendering->page, name, &labels, terms[i].end);
        }
    }
}

static void render_client_cas(struct rendering *rendering) {
    static const char name[] = "sallyport_client_ca_not_after_seconds";
    page_open_metric(&rendering->page, name, "gauge",
                     "When a root of client_auth.ca ends, in seconds since the epoch; of those with one name the first.");
    for (size_t i = 0; i < rendering->host_count; i++) {
        const struct stats_host_facts *facts = stats_hosts_facts(rendering->hosts, i);
        render_terms_of_host(rendering, name, "subject", facts->host, facts->client_cas, facts->client_ca_count);
    }
}

static void render_crls(struct rendering *rendering) {
    static const char name[] = "sallyport_crl_next_update_seconds";
    page_open_metric(&rendering->page, name, "gauge",
                     "When the revocation lists of an issuer end, in seconds since the epoch; of several lists the first.");
    for (size_t i = 0; i < rendering->host_count; i++) {
        const struct stats_host_facts *facts = stats_hosts_facts(rendering->hosts, i);
        render_terms_of_host(rendering, name, "issuer", facts->host, facts->crls, facts->crl_count);
    }
}

/* An address may be listed more than once: the last sample of its name says it for all. */
static bool is_listed_again(const struct stats_host_facts *facts, size_t origin) {
    for (size_t i = origin + 1; i < facts->origin_count; i++) {
        if (strcmp(facts->origins[i], facts->origins[origin]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_up(const struct stats_host_facts *facts, const char *origin, uint64_t down) {
    for (size_t i = 0; i < facts->origin_count; i++) {
        if ((down >> i & 1) != 0 && strcmp(facts->origins[i], origin) == 0) {
            return false;
        }
    }
    return true;
}

static void render_origins(struct rendering *rendering) {
    static const char name[] = "sallyport_origin_up";
    page_open_metric(&rendering->page, name, "gauge",
                     "Whether the last connection to an origin was made, in every shard: 1 yes or not tried yet, 0 no.");
    for (size_t host = 0; host < rendering->host_count; host++) {
        const struct stats_host_facts *facts = stats_hosts_facts(rendering->hosts, host);
        uint64_t down = stats_hosts_origins_down(rendering->hosts, host);
        for (size_t i = 0; i < facts->origin_count; i++) {
            struct page_labels labels = {{{"host", facts->host}, {"origin", facts->origins[i]}}, 2};
            if (!is_listed_again(facts, i)) {
                page_sample(&rendering->page, name, "", &labels, is_up(facts, facts->origins[i], down));
            }
        }
    }
}

static void render_verdicts(struct rendering *rendering) {
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
    render_histograms(rendering, "sallyport_cert_verify_seconds", "Time to a verdict on a chain.", "path", path_name,
                      STATS_PATH_COUNT, offsetof(struct stats_shard, seconds[STATS_VERIFY_CACHED]));
}

static void render_reloads(struct rendering *rendering) {
    static const char name[] = "sallyport_config_reloads_total";
    page_open_metric(&rendering->page, name, "counter", "Reloads of the configuration.");
    for (unsigned reload = 0; reload < STATS_RELOAD_COUNT; reload++) {
        struct page_labels labels = {{{"result", stats_reload_name(reload)}}, 1};
        page_sample(&rendering->page, name, "", &labels, stats_read(&rendering->stats->reloads[reload]));
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
    render_single(rendering, "sallyport_received_bytes_total", "counter",
                  "Bytes received on clients' connections, with those of TLS.", SUM_OVER_SHARDS(stats, received_bytes));
    render_single(rendering, "sallyport_sent_bytes_total", "counter",
                  "Bytes sent on clients' connections, with those of TLS.", SUM_OVER_SHARDS(stats, sent_bytes));
}

/* Under the names that Prometheus' client libraries give them. */
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
    process_read(&stats->process, clock_monotonic_ns() / 1000000);
    struct rendering rendering = {
        .stats = stats, .hosts = hosts, .host_count = hosts == NULL ? 0 : stats_hosts_count(hosts)};
    render_bounds(&rendering);
    render_build_info(&rendering);
    render_connections(&rendering);
    render_handshakes(&rendering);
    render_verdicts(&rendering);
    render_over_budget(&rendering);
    render_rejected(&rendering);
    render_client_certs(&rendering);
    render_would_block(&rendering);
    render_requests(&rendering);
    render_host_histograms(&rendering);
    render_certificates(&rendering);
    render_client_cas(&rendering);
    render_crls(&rendering);
    render_origins(&rendering);
    render_reloads(&rendering);
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
