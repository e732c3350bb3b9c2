#include "server/host_facts.h"

#include "path/terms.h"

#include <stdlib.h>

/* Memory that the facts of one host point to, until they are copied. */
struct host_texts {
    const char **origins;
    struct term certificates[CONFIG_CERTIFICATES_MAX];
    struct term origin_certificate;
    struct terms roots;
    struct terms lists;
    struct terms origin_roots;
};

static int compare_ends(const void *a, const void *b) {
    const struct term *left = a;
    const struct term *right = b;

    return (left->end > right->end) - (left->end < right->end);
}

static struct term term_of(const struct config_certificate *certificate) {
    return (struct term){.name = certificate->path,
                         .begin = certificate->credentials->not_before,
                         .end = certificate->credentials->not_after};
}

static void gather_certificates(const struct config_host *host, struct term *terms) {
    for (size_t i = 0; i < host->certificate_count; i++) {
        terms[i] = term_of(&host->certificates[i]);
    }
    qsort(terms, host->certificate_count, sizeof *terms, compare_ends);
}

static struct term_list list_of(const struct terms *terms) {
    return (struct term_list){terms->items, terms->count};
}

/* Adds what ends of `origin_tls`. False: out of memory. */
static bool gather_origin_tls(const struct config_origin_tls *tls, struct host_texts *texts,
                              struct stats_host_facts *facts) {
    if (terms_of_roots(&texts->origin_roots, tls->trust) < 0) {
        return false;
    }
    facts->terms[STATS_ORIGIN_CAS] = list_of(&texts->origin_roots);
    if (tls->certificate.credentials != NULL) {
        texts->origin_certificate = term_of(&tls->certificate);
        facts->terms[STATS_ORIGIN_CERTIFICATES] = (struct term_list){&texts->origin_certificate, 1};
    }
    return true;
}

static bool gather_host(const struct config_host *host, int64_t now_s, struct host_texts *texts,
                        struct stats_host_facts *facts) {
    if (terms_of_roots(&texts->roots, host->trust) < 0 || terms_of_lists(&texts->lists, host->revocation, now_s) < 0) {
        return false;
    }
    texts->origins = calloc(host->origin_count + 1, sizeof *texts->origins);
    if (texts->origins == NULL) {
        return false;
    }
    for (size_t i = 0; i < host->origin_count; i++) {
        texts->origins[i] = host->origins[i].text;
    }
    gather_certificates(host, texts->certificates);
    *facts = (struct stats_host_facts){.host = host->name,
                                       .terms[STATS_CERTIFICATES] = {texts->certificates, host->certificate_count},
                                       .terms[STATS_CLIENT_CAS] = list_of(&texts->roots),
                                       .terms[STATS_CRLS] = list_of(&texts->lists),
                                       .mode = config_mode_name(host->mode),
                                       .is_tcp = host->is_tcp,
                                       .origins = texts->origins,
                                       .origin_count = host->origin_count,
                                       .takes_old_crls = host->policy.accept_stale_crls,
                                       .probed = host->health != NULL,
                                       .required = host->required};
    return host->origin_tls == NULL || gather_origin_tls(host->origin_tls, texts, facts);
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
        terms_free(&texts[i].origin_roots);
        free(texts[i].origins);
    }
    free(texts);
    free(facts);
    return hosts;
}
