#include "config/load.h"

#include "base/check.h"
#include "config/file.h"
#include "config/headers.h"
#include "config/host.h"
#include "config/lookup.h"
#include "config/memory.h"
#include "config/name_lookups.h"
#include "config/settings.h"
#include "config/warnings.h"

#include <stdlib.h>

enum {
    FILE_SIZE_MAX = 1024 * 1024, /* bytes of the YAML */
    HOSTS_MAX = 4096,
};

static char *directory_of(const char *path) {
    const char *slash = strrchr(path, '/');
    char *directory = memory_copy_string(path);
    directory[slash == NULL ? 0 : slash - path + 1] = '\0';
    return directory;
}

static void load_hosts(const struct loader *loader, const struct document_node *list, struct config *config) {
    if (!value_list(loader, list, "hosts")) {
        return;
    }
    if (list->count > HOSTS_MAX) {
        loader_problem(loader, list, "hosts has more than 4096 items");
        return;
    }
    config->hosts = memory_allocate(list->count, sizeof *config->hosts);
    for (const struct document_node *item = list->first; item != NULL; item = item->next) {
        struct config_host *host = &config->hosts[config->host_count];
        host->index = (uint32_t)config->host_count++;
        host_load(loader, item, &config->limits, host);
    }
}

/* Returns the node of the key in a host's mapping, or the host when it has no such key. */
static const struct document_node *host_key(const struct document_node *host, const char *key) {
    for (const struct document_node *node = host->first; node != NULL; node = node->next->next) {
        if (strcmp(node->text, key) == 0) {
            return node;
        }
    }
    return host;
}

/* `nodes`: the mapping of each host. */
static void check_names_differ(const struct loader *loader, const struct document_node *const *nodes,
                               struct config_host *const *table, size_t count) {
    for (size_t i = 1; i < count; i++) {
        if (strcmp(table[i - 1]->name, table[i]->name) == 0) {
            loader_problem(loader, host_key(nodes[table[i]->index], "name"), "host \"%s\" is configured already, at line %u",
                           table[i]->name, host_key(nodes[table[i - 1]->index], "name")->line);
        }
    }
}

static void check_one_default(const struct loader *loader, const struct document_node *const *nodes,
                              const struct config *config) {
    for (size_t i = 0; i < config->host_count; i++) {
        const struct config_host *host = &config->hosts[i];
        if (!host->is_default || host == config->default_host) {
            continue;
        }
        const struct document_node *first = host_key(nodes[config->default_host->index], "default");
        loader_problem(loader, host_key(nodes[host->index], "default"), "a second default host; the first is at line %u",
                       first->line);
    }
}

/* Finds hosts of one name, and default hosts behind the first. */
static void check_hosts_differ(const struct loader *loader, const struct document_node *list, const struct config *config) {
    const struct document_node **nodes = memory_allocate(config->host_count, sizeof *nodes);
    const struct document_node *item = config->host_count > 0 ? list->first : NULL;
    for (size_t i = 0; i < config->host_count; i++, item = item->next) {
        nodes[i] = item;
    }
    check_names_differ(loader, nodes, config->exact, config->exact_count);
    check_names_differ(loader, nodes, config->wildcards, config->wildcard_count);
    check_one_default(loader, nodes, config);
    free(nodes);
}

static void collect_removals(struct config *config) {
    config->removals = http_removals_create();
    CHECK(config->removals != NULL);
    headers_add_own_removals(config->removals);
    for (size_t i = 0; i < config->host_count; i++) {
        headers_add_removals(config->removals, &config->hosts[i].forward);
    }
}

static void load_document(const struct loader *loader, const struct document_node *root, struct config *config) {
    const struct document_node *hosts = NULL;
    if (!settings_load(loader, root, config, &hosts)) {
        return;
    }
    struct name_lookups *lookups = name_lookups_run(hosts, config->dns_servers, loader->surroundings);
    struct loader knowing = *loader;
    knowing.lookups = lookups;
    load_hosts(&knowing, hosts, config);
    name_lookups_free(lookups);
    lookup_build(config);
    check_hosts_differ(loader, hosts, config);
    if (loader->problems->count == 0) {
        warnings_find(loader, root, config);
    }
}

static void load_text(const char *path, struct bytes text, const struct config_surroundings *surroundings,
                      struct config *config, struct config_problems *problems) {
    struct loader loader = {.file = path,
                            .directory = directory_of(path),
                            .surroundings = surroundings,
                            .problems = problems,
                            .warnings = &config->warnings};
    struct document document;
    if (document_read(&document, text, path, problems)) {
        load_document(&loader, document.root, config);
    }
    document_free(&document);
    free(loader.directory);
}

struct config *config_load(const char *path, struct config_problems *problems) {
    return config_load_among(path, &(struct config_surroundings){.stop = -1}, problems);
}

struct config *config_load_among(const char *path, const struct config_surroundings *surroundings,
                                 struct config_problems *problems) {
    size_t problems_before = problems->count;
    struct config *config = memory_allocate(1, sizeof *config);
    atomic_init(&config->references, 1);
    config->path = memory_copy_string(path);
    struct bytes text;
    struct error error;
    if (file_read(path, FILE_SIZE_MAX, &text, &error) < 0) {
        problems_add(problems, path, 1, "the file %s", error.text);
    } else {
        load_text(path, text, surroundings, config, problems);
    }
    file_content_free(&text);
    if (problems->count == problems_before) {
        collect_removals(config);
        return config;
    }
    config_release(config);
    return NULL;
}
