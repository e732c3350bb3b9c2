#include "config/lookup.h"

#include "config/memory.h"

#include <stdlib.h>
#include <string.h>

static bool is_wildcard(const struct config_host *host) {
    return host->name[0] == '*';
}

/* Returns the text that a table is sorted by: the name, and of a wildcard the name without its "*" but with the dot. */
static const char *key_of(const struct config_host *host) {
    return is_wildcard(host) ? host->name + 1 : host->name;
}

static int compare_hosts(const void *a, const void *b) {
    const struct config_host *const *left = a;
    const struct config_host *const *right = b;
    int order = strcmp(key_of(*left), key_of(*right));
    return order != 0 ? order : (*left)->index < (*right)->index ? -1 : 1;
}

static int compare_name(const void *name, const void *host) {
    const struct config_host *const *other = host;
    return strcmp(name, key_of(*other));
}

void lookup_build(struct config *config) {
    config->exact = memory_allocate(config->host_count, sizeof(struct config_host *));
    config->wildcards = memory_allocate(config->host_count, sizeof(struct config_host *));
    for (size_t i = 0; i < config->host_count; i++) {
        struct config_host *host = &config->hosts[i];
        if (host->is_default && config->default_host == NULL) {
            config->default_host = host;
        }
        if (host->name == NULL) {
            continue;
        }
        if (is_wildcard(host)) {
            config->wildcards[config->wildcard_count++] = host;
        } else {
            config->exact[config->exact_count++] = host;
        }
    }
    qsort(config->exact, config->exact_count, sizeof(struct config_host *), compare_hosts);
    qsort(config->wildcards, config->wildcard_count, sizeof(struct config_host *), compare_hosts);
}

static const struct config_host *find(struct config_host *const *table, size_t count, const char *key) {
    struct config_host *const *found = bsearch(key, table, count, sizeof *table, compare_name);
    return found == NULL ? NULL : *found;
}

const struct config_host *config_find_host(const struct config *config, const char *name) {
    if (name[0] == '\0') {
        return config->default_host;
    }
    const struct config_host *host = find(config->exact, config->exact_count, name);
    const char *suffix = strchr(name, '.');
    if (host != NULL || suffix == NULL || suffix == name) {
        return host;
    }
    return find(config->wildcards, config->wildcard_count, suffix);
}

size_t config_choose_certificate(const struct config_host *host, const struct hello *hello) {
    size_t chosen = host->certificate_count; /* none yet */
    for (size_t i = 0; i < host->certificate_count; i++) {
        const struct tls_credentials *credentials = host->certificates[i].credentials;
        if ((credentials->needs_key & hello->keys) == 0) {
            continue;
        }
        if ((credentials->needs_chain & ~(unsigned)hello->chain_schemes) == 0) {
            return i;
        }
        chosen = chosen < host->certificate_count ? chosen : i;
    }
    return chosen < host->certificate_count ? chosen : 0;
}
