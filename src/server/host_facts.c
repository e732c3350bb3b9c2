#include "server/host_facts.h"

#include "path/terms.h"

#include <stdlib.h>

/* Memory that the facts of one host point to, until they are copied. */
struct host_texts {
    const char *origins[CONFIG_ORIGIN_ADDRESSES_MAX];
    struct term certificates[CONFIG_CERTIFICATES_MAX];
    struct terms roots;
    struct terms lists;
};

static int compare_ends(const void *a, const void *b) {
    const struct term *left = a;
    const struct term *right = b;

    return (left->end > right->end) - (left->end < right->end);
}

static void gather_certificates(const struct config_host *host, struct term *terms) {
    for (size_t i = 0; i < host->certificate_count; i++) {
        const struct config_certificate *certificate = &host->certificates[i];
        terms[i] = (struct term){.name = certificate->path,
                                 .begin = certificate->credentials->not_before,
                                 .end = certificate->credentials->not_after};
    }
    qsort(terms, host->certificate_count, sizeof *terms, compare_ends);
}

static bool gather_host(const struct config_host *host, int64_t now_s, struct host_texts *texts,
                        struct stats_host_facts *facts) {
    if (terms_of_roots(&texts->roots, host->trust) < 0 || terms_of_lists(&texts->lists, host->revocation, now_s) < 0) {
        return false;
    }
    for (size_t i = 0; i < host->origin_count; i++) {
        texts->origins[i] = host->origins[i].text;
    }
    gather_certificates(host, texts->certificates);
    *facts = (struct stats_host_facts){.host = host->name,
                                       .certificates = texts->certificates,
                                       .certificate_count = host->certificate_count,
                                       .mode = config_mode_name(host->mode),
                                       .is_tcp = host->is_tcp,
                                       .origins = texts->origins,
                                       .origin_count = host->origin_count,
                                       .client_cas = texts->roots.items,
                                       .client_ca_count = texts->roots.count,
                                       .crls = texts->lists.items,
                                       .crl_count = texts->lists.count,
                                       .takes_old_crls = host->policy.accept_stale_crls,
                                       .probed = host->health != NULL,
                                       .required = host->required};
    return true;
}

struct stats_hosts *host_facts_gather(const struct config *config, unsigned shard_count, const struct stats_hosts *previous,
                                      int64_t now_s) {
    struct stats_host_facts *facts = calloc(config->host_count + 1, sizeof *facts);
    struct host_texts *texts = calloc(config->host_count + 1, sizeof *texts);
    struct stats_hosts *hosts = NULL;
    bool good = facts != NULL && texts != NULL;

    for (size_t i = 0; i < config->host_count && good; i++) {
        good = gather_host(&config->hosts[i], now_s, &texts[i], &facts[i]);
    }
    if (good) {
        hosts = stats_hosts_create(shard_count, facts, config->host_count, previous);
    }
    for (size_t i = 0; texts != NULL && i < config->host_count; i++) {
        terms_free(&texts[i].roots);
        terms_free(&texts[i].lists);
    }
    free(texts);
    free(facts);
    return hosts;
}
