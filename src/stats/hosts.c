#include "stats/hosts.h"

#include "base/check.h"
#include "stats/lines.h"

#include <stdlib.h>
#include <string.h>

/* The counters of one host, shared by all sets that have the host. */
struct block {
    atomic_uint references;
    char *name;
    struct stats_host *shards; /* one for each, and behind them the control thread's */
    struct recent recent;
    char (*why)[STATS_WHY_SIZE];     /* by origin; NULL before it is probed */
    struct rollout *rollout;         /* this and the next: NULL before mode report; give_rollout alone reads them */
    struct rollout_clients *clients; /* one for each shard */
};

struct host {
    struct block *block;
    struct rollout *rollout; /* this and the next: the block's, if the host is in mode report in this set; else NULL */
    struct rollout_clients *clients;
    struct stats_host_facts facts; /* texts owned; `host` is the block's name */
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
    free(block->clients);
    free(block->rollout);
    free(block->why);
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
    block->shards = lines_allocate(shard_count + 1, sizeof *block->shards);
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

/* Returns a copy, for free_texts. NULL when out of memory. */
static const char *const *copy_texts(const char *const *texts, size_t count) {
    char **copy = calloc(count + 1, sizeof *copy);
    for (size_t i = 0; copy != NULL && i < count; i++) {
        copy[i] = strdup(texts[i]);
        if (copy[i] == NULL) {
            while (i > 0) {
                free(copy[--i]);
            }
            free(copy);
            copy = NULL;
        }
    }
    return (const char *const *)copy;
}

static void free_texts(const char *const *texts, size_t count) {
    for (size_t i = 0; texts != NULL && i < count; i++) {
        free((char *)texts[i]);
    }
    free((void *)texts);
}

static void free_terms(const struct term_list *terms) {
    for (size_t i = 0; i < terms->count; i++) {
        free((char *)terms->items[i].name);
    }
    free((void *)terms->items);
}

/* Makes `to`, which must be freed, a copy. False: out of memory, and `to` is empty. */
static bool copy_terms(struct term_list *to, const struct term_list *from) {
    struct term *copy = calloc(from->count + 1, sizeof *copy);

    *to = (struct term_list){.items = copy};
    if (copy == NULL) {
        return false;
    }
    while (to->count < from->count) {
        struct term *term = &copy[to->count];
        *term = from->items[to->count];
        term->name = strdup(term->name);
        if (term->name == NULL) {
            free_terms(to);
            *to = (struct term_list){0};
            return false;
        }
        to->count++;
    }
    return true;
}

static bool give_rollout(struct host *host, unsigned shard_count) {
    struct block *block = host->block;
    if (block->rollout == NULL) {
        block->rollout = calloc(1, sizeof *block->rollout);
    }
    if (block->clients == NULL) {
        block->clients = lines_allocate(shard_count, sizeof *block->clients);
        for (unsigned i = 0; block->clients != NULL && i < shard_count; i++) {
            CHECK(pthread_mutex_init(&block->clients[i].lock, NULL) == 0);
        }
    }
    host->rollout = block->rollout;
    host->clients = block->clients;
    return host->rollout != NULL && host->clients != NULL;
}

static bool give_why(struct block *block) {
    if (block->why == NULL) {
        block->why = calloc(STATS_ORIGINS_MAX, sizeof *block->why);
    }
    return block->why != NULL;
}

static bool add(struct stats_hosts *hosts, const struct stats_host_facts *facts, const struct stats_hosts *previous) {
    struct host *host = &hosts->hosts[hosts->count];
    CHECK(facts->origin_count <= STATS_ORIGINS_MAX);
    host->block = find(previous, facts->host);
    if (host->block != NULL) {
        atomic_fetch_add_explicit(&host->block->references, 1, memory_order_relaxed);
    } else {
        host->block = create_block(hosts->shard_count, facts->host);
    }
    if (host->block == NULL) {
        return false;
    }
    hosts->by_name[hosts->count++] = host->block;
    host->facts = *facts;
    host->facts.host = host->block->name;
    host->facts.origins = copy_texts(facts->origins, facts->origin_count);
    bool copied = host->facts.origins != NULL;
    for (size_t i = 0; i < STATS_TERMS; i++) {
        copied = copy_terms(&host->facts.terms[i], &facts->terms[i]) && copied;
    }
    if (facts->mode != NULL && strcmp(facts->mode, "report") == 0 && !give_rollout(host, hosts->shard_count)) {
        return false;
    }
    if (facts->probed && !give_why(host->block)) {
        return false;
    }
    return copied;
}

struct stats_hosts *stats_hosts_create(unsigned shard_count, const struct stats_host_facts *facts, size_t count,
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
        good = add(hosts, &facts[i], previous);
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
        const struct stats_host_facts *facts = &hosts->hosts[i].facts;
        free_texts(facts->origins, facts->origin_count);
        for (size_t kind = 0; kind < STATS_TERMS; kind++) {
            free_terms(&facts->terms[kind]);
        }
        release_block(hosts->hosts[i].block);
    }
    free(hosts->by_name);
    free(hosts->hosts);
    free(hosts);
}

size_t stats_hosts_count(const struct stats_hosts *hosts) {
    return hosts->count;
}

unsigned stats_hosts_shards(const struct stats_hosts *hosts) {
    return hosts->shard_count;
}

uint64_t stats_hosts_sum(const struct stats_hosts *hosts, size_t host, size_t offset) {
    uint64_t sum = 0;
    CHECK(offset <= sizeof(struct stats_host) - sizeof(stats_counter));
    CHECK(host < hosts->count);
    for (unsigned shard = 0; shard <= hosts->shard_count; shard++) {
        const char *block = (const char *)&hosts->hosts[host].block->shards[shard];
        sum += stats_read((const stats_counter *)(const void *)(block + offset));
    }
    return sum;
}

uint64_t stats_hosts_requests(const struct stats_hosts *hosts, size_t host, unsigned slot) {
    uint64_t sum = 0;
    for (unsigned shard = 0; shard < hosts->shard_count; shard++) {
        sum += stats_requests(stats_hosts_at(hosts, host, shard), slot);
    }
    return sum;
}

const struct stats_host_facts *stats_hosts_facts(const struct stats_hosts *hosts, size_t host) {
    CHECK(host < hosts->count);
    return &hosts->hosts[host].facts;
}

struct stats_host *stats_hosts_at(const struct stats_hosts *hosts, size_t host, unsigned shard) {
    CHECK(host < hosts->count && shard < hosts->shard_count);
    return &hosts->hosts[host].block->shards[shard];
}

struct stats_host *stats_hosts_at_control(const struct stats_hosts *hosts, size_t host) {
    CHECK(host < hosts->count);
    return &hosts->hosts[host].block->shards[hosts->shard_count];
}

char (*stats_hosts_why(const struct stats_hosts *hosts, size_t host))[STATS_WHY_SIZE] {
    CHECK(host < hosts->count);
    return hosts->hosts[host].facts.probed ? hosts->hosts[host].block->why : NULL;
}

struct recent *stats_hosts_recent(const struct stats_hosts *hosts, size_t host) {
    CHECK(host < hosts->count);
    return &hosts->hosts[host].block->recent;
}

static unsigned count_of_code(unsigned slot) {
    static const unsigned of_class[] = {[2] = RECENT_2XX, [3] = RECENT_3XX, [4] = RECENT_4XX, [5] = RECENT_ERRORS};
    unsigned class = stats_code_class(slot);
    if (slot == stats_code_slot(502) || slot == stats_code_slot(504)) {
        return RECENT_GATEWAY;
    }
    return class < 2 ? RECENT_OTHER : of_class[class];
}

void stats_hosts_counts(const struct stats_hosts *hosts, size_t host, uint64_t counts[static RECENT_COUNTS]) {
    memset(counts, 0, RECENT_COUNTS * sizeof *counts);
    for (unsigned shard = 0; shard < hosts->shard_count; shard++) {
        const struct stats_host *block = stats_hosts_at(hosts, host, shard);
        for (unsigned reason = 0; reason < REASON_COUNT; reason++) {
            counts[RECENT_VERDICTS + reason] += stats_read(&block->client_certs[reason]);
            counts[RECENT_REFUSED + reason] += stats_read(&block->would_block[reason]) + stats_read(&block->denied[reason]);
        }
        for (unsigned slot = 0; slot < STATS_CODES; slot++) {
            counts[count_of_code(slot)] += stats_requests(block, slot);
        }
    }
}

static void join_down(struct bits *down, const struct stats_host *block) {
    for (size_t i = 0; i < STATS_ORIGIN_WORDS; i++) {
        down->words[i] |= stats_read(&block->origins_down[i]);
    }
}

struct bits stats_hosts_origins_down(const struct stats_hosts *hosts, size_t host) {
    struct bits down = {0};
    if (stats_hosts_facts(hosts, host)->probed) {
        join_down(&down, stats_hosts_at_control(hosts, host));
        return down;
    }
    for (unsigned shard = 0; shard < hosts->shard_count; shard++) {
        join_down(&down, stats_hosts_at(hosts, host, shard));
    }
    return down;
}

bool stats_hosts_is_missed(const struct stats_hosts *hosts, size_t host) {
    const struct stats_host_facts *facts = stats_hosts_facts(hosts, host);
    if (!facts->required) {
        return false;
    }
    struct bits down = stats_hosts_origins_down(hosts, host);
    return bits_count(&down) == facts->origin_count;
}

struct rollout *stats_hosts_rollout(const struct stats_hosts *hosts, size_t host) {
    CHECK(host < hosts->count);
    return hosts->hosts[host].rollout;
}

struct rollout_clients *stats_hosts_rollout_clients(const struct stats_hosts *hosts, size_t host, unsigned shard) {
    CHECK(host < hosts->count && shard < hosts->shard_count);
    return hosts->hosts[host].clients == NULL ? NULL : &hosts->hosts[host].clients[shard];
}
