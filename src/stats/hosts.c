#include "stats/hosts.h"

#include "base/check.h"
#include "stats/lines.h"

#include <stdlib.h>
#include <string.h>

/* One host over all configurations that have it. */
struct block {
    atomic_uint references;
    char *name;
    struct stats_host *shards; /* one for each */
};

struct host {
    struct block *block;
    struct stats_certificate certificate; /* texts owned; `host` is the block's name */
};

struct stats_hosts {
    atomic_uint references;
    unsigned shard_count;
    size_t count;
    struct host *hosts;
    struct block **by_name; /* sorted */
};

static void release_block(struct block *block) {
    if (block == NULL || atomic_fetch_sub_explicit(&block->references, 1, memory_order_acq_rel) > 1) {
        return;
    }
    free(block->shards);
    free(block->name);
    free(block);
}

static struct block *create_block(unsigned shard_count, const char *name) {
    struct block *block = calloc(1, sizeof *block);
    if (block == NULL) {
        return NULL;
    }
    atomic_init(&block->references, 1);
    block->name = strdup(name);
    block->shards = lines_allocate(shard_count, sizeof *block->shards);
    if (block->name == NULL || block->shards == NULL) {
        release_block(block);
        return NULL;
    }
    return block;
}

static int compare_name(const void *name, const void *element) {
    const struct block *const *block = element;
    return strcmp(name, (*block)->name);
}

static int compare_blocks(const void *a, const void *b) {
    const struct block *const *left = a;
    return compare_name((*left)->name, b);
}

static struct block *find(const struct stats_hosts *hosts, const char *name) {
    if (hosts == NULL || hosts->count == 0) {
        return NULL;
    }
    struct block **found = bsearch(name, hosts->by_name, hosts->count, sizeof(struct block *), compare_name);
    return found == NULL ? NULL : *found;
}

static bool add(struct stats_hosts *hosts, const struct stats_certificate *certificate, const struct stats_hosts *previous) {
    struct host *host = &hosts->hosts[hosts->count];
    host->block = find(previous, certificate->host);
    if (host->block != NULL) {
        atomic_fetch_add_explicit(&host->block->references, 1, memory_order_relaxed);
    } else {
        host->block = create_block(hosts->shard_count, certificate->host);
    }
    if (host->block == NULL) {
        return false;
    }
    hosts->by_name[hosts->count++] = host->block;
    char *file = strdup(certificate->file);
    host->certificate = (struct stats_certificate){host->block->name, file, certificate->not_after};
    return file != NULL;
}

struct stats_hosts *stats_hosts_create(unsigned shard_count, const struct stats_certificate *certificates, size_t count,
                                       const struct stats_hosts *previous) {
    CHECK(shard_count > 0 && (previous == NULL || previous->shard_count == shard_count));
    struct stats_hosts *hosts = calloc(1, sizeof *hosts);
    if (hosts == NULL) {
        return NULL;
    }
    atomic_init(&hosts->references, 1);
    hosts->shard_count = shard_count;
    hosts->hosts = calloc(count + 1, sizeof *hosts->hosts);
    hosts->by_name = calloc(count + 1, sizeof(struct block *));
    bool good = hosts->hosts != NULL && hosts->by_name != NULL;
    for (size_t i = 0; i < count && good; i++) {
        good = add(hosts, &certificates[i], previous);
    }
    if (!good) {
        stats_hosts_release(hosts);
        return NULL;
    }
    qsort(hosts->by_name, hosts->count, sizeof(struct block *), compare_blocks);
    return hosts;
}

struct stats_hosts *stats_hosts_retain(struct stats_hosts *hosts) {
    atomic_fetch_add_explicit(&hosts->references, 1, memory_order_relaxed);
    return hosts;
}

void stats_hosts_release(struct stats_hosts *hosts) {
    if (hosts == NULL || atomic_fetch_sub_explicit(&hosts->references, 1, memory_order_acq_rel) > 1) {
        return;
    }
    for (size_t i = 0; i < hosts->count; i++) {
        free((char *)hosts->hosts[i].certificate.file);
        release_block(hosts->hosts[i].block);
    }
    free(hosts->by_name);
    free(hosts->hosts);
    free(hosts);
}

size_t stats_hosts_count(const struct stats_hosts *hosts) {
    return hosts->count;
}

const struct stats_certificate *stats_hosts_certificate(const struct stats_hosts *hosts, size_t host) {
    CHECK(host < hosts->count);
    return &hosts->hosts[host].certificate;
}

struct stats_host *stats_hosts_at(const struct stats_hosts *hosts, size_t host, unsigned shard) {
    CHECK(host < hosts->count && shard < hosts->shard_count);
    return &hosts->hosts[host].block->shards[shard];
}
