#include "config/config.h"

#include "base/check.h"
#include "config/file.h"
#include "config/headers.h"

#include <stdlib.h>

const char *config_mode_name(enum config_mode mode) {
    static const char *const names[] = {"off", "report", "enforce"};
    return names[mode];
}

const struct config_certificate *config_first_to_end(const struct config_host *host) {
    const struct config_certificate *first = &host->certificates[0];
    for (size_t i = 1; i < host->certificate_count; i++) {
        if (host->certificates[i].credentials->not_after < first->credentials->not_after) {
            first = &host->certificates[i];
        }
    }
    return first;
}

size_t config_count_addresses(const struct config_host *host) {
    size_t count = 0;
    for (size_t i = 0; i < host->origin_count; i++) {
        count += host->origins[i].address_count;
    }
    return count;
}

struct dns_rank config_rank(const struct config_origin *origin, size_t address) {
    return origin->ranks == NULL ? (struct dns_rank){0} : origin->ranks[address];
}

bool config_is_name(const struct config_origin *origin) {
    return origin->kind == CONFIG_ORIGIN_NAME || origin->kind == CONFIG_ORIGIN_SERVICE;
}

size_t config_count_names(const struct config_host *host) {
    size_t count = 0;
    for (size_t i = 0; i < host->origin_count; i++) {
        count += config_is_name(&host->origins[i]);
    }
    return count;
}

struct config *config_retain(struct config *config) {
    unsigned references = atomic_fetch_add_explicit(&config->references, 1, memory_order_relaxed);
    CHECK(references > 0);
    return config;
}

static void free_origin(struct config_origin *origin) {
    for (size_t i = 0; i < origin->address_count; i++) {
        free(origin->addresses[i].text);
    }
    free(origin->addresses);
    free(origin->ranks);
    free(origin->tls_name);
    free(origin->text);
}

static void free_origin_tls(struct config_origin_tls *tls) {
    if (tls != NULL) {
        trust_free(tls->trust);
        tls_credentials_free(tls->certificate.credentials);
        free(tls->certificate.path);
        free(tls);
    }
}

static void free_host(struct config_host *host) {
    free(host->name);
    for (size_t i = 0; i < host->certificate_count; i++) {
        tls_credentials_free(host->certificates[i].credentials);
        free(host->certificates[i].path);
    }
    revocation_free(host->revocation);
    trust_free(host->trust);
    headers_free(&host->forward);
    http_removals_free(host->strip);
    headers_free(&host->answers);
    http_removals_free(host->answer_rules.removals);
    free((void *)(uintptr_t)host->answer_rules.constant.data);
    free((void *)(uintptr_t)host->request_lines.data);
    file_content_free(&host->deny_json);
    file_content_free(&host->deny_html);
    free(host->methods);
    for (size_t i = 0; i < host->origin_count; i++) {
        free_origin(&host->origins[i]);
    }
    free(host->origins);
    free_origin_tls(host->origin_tls);
    if (host->health != NULL) {
        free(host->health->path);
        free(host->health);
    }
}

void config_release(struct config *config) {
    unsigned references = atomic_fetch_sub_explicit(&config->references, 1, memory_order_acq_rel);
    CHECK(references > 0);
    if (references > 1) {
        return;
    }
    for (size_t i = 0; i < config->host_count; i++) {
        free_host(&config->hosts[i]);
    }
    free(config->hosts);
    free(config->exact);
    free(config->wildcards);
    for (size_t i = 0; i < config->listen_count; i++) {
        free(config->listen[i].address.text);
        free(config->listen[i].proxies);
    }
    free(config->listen);
    free(config->admin_address.text);
    for (size_t i = 0; i < config->admin_name_count; i++) {
        free(config->admin_names[i]);
    }
    free(config->admin_names);
    free(config->admission.allow);
    free(config->access_log);
    free(config->dns_servers);
    http_removals_free(config->removals);
    config_problems_free(&config->warnings);
    free(config->path);
    free(config);
}
