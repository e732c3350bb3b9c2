#include "server/server.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/problems.h"
#include "edge/reputation_store.h"
#include "ring/cores.h"
#include "server/capacity.h"
#include "server/control.h"
#include "server/host_facts.h"
#include "server/names.h"
#include "server/shard_thread.h"
#include "server/sockets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SOURCES_MIN = 65536,
    CHAIN_LOG_ENTRY = 112, /* bytes for each of cert_cache.entries: enough for the chains of every fourth or fifth entry */
};

struct server {
    struct config *config;
    struct stats stats;
    struct shared shared;
    struct capacity capacity;     /* for as long as the process runs */
    struct sockets sockets;       /* that are not given away yet */
    struct shard_thread **shards; /* each its own allocation: they are large and of one thread each */
    unsigned shard_count;
    unsigned running; /* shards whose thread was started and accepts */
    struct control *control;
    struct names *names;
    struct access_log *access_log; /* NULL: off */
};

static unsigned count_shards(const struct config *config) {
    static int cores[CORES_MAX];

    return config->shards == 0 ? (unsigned)cores_usable(cores) : config->shards;
}

/* Returns how many cores the shards are pinned to; 0: to none. */
static int cores_for(int cores[static CORES_MAX], unsigned shard_count) {
    int usable = cores_usable(cores);

    if ((int)shard_count > usable) {
        log_warning("%u shards share %d usable cores: they are not pinned", shard_count, usable);
        return 0;
    }
    return usable;
}

/* Says what the limit of connections comes to, as a problem of the configuration. */
static void describe_capacity(const struct config *config, char *message, struct error *error) {
    enum { PATH_SHOWN_MAX = 512 }; /* so that the message fits behind any path */
    char path[PATH_SHOWN_MAX + 1];

    snprintf(path, sizeof path, "%s", config->path);
    char *text = problem_text(
        &(struct config_problem){.file = path, .line = config->limits.connections_line, .message = message}, "");
    error_set(error, "%s", text);
    free(text);
}

static int settle_capacity(struct server *server, struct error *error) {
    const struct config *config = server->config;
    char text[CAPACITY_TEXT_SIZE];

    if (capacity_settle(config, server->shard_count, &server->capacity, text) < 0) {
        describe_capacity(config, text, error);
        return -1;
    }
    if (text[0] != '\0') {
        describe_capacity(config, text, error);
        log_warning("%s", error->text);
    }
    return 0;
}

static uint32_t for_each_shard(const struct server *server, uint32_t connections) {
    return (connections + server->shard_count - 1) / server->shard_count;
}

static void read_cache(void *owner, struct stats_cache *counts) {
    struct identity_cache_counts now = identity_cache_count(owner);

    *counts = (struct stats_cache){now.hits, now.misses, now.evictions, now.entries};
}

static int create_stats(struct server *server) {
    if (stats_create(&server->stats, server->shard_count) < 0) {
        return -ENOMEM;
    }
    struct stats_hosts *hosts = host_facts_gather(server->config, server->shard_count, NULL, clock_wall_seconds());
    if (hosts == NULL) {
        return -ENOMEM;
    }
    stats_set_hosts(&server->stats, hosts);
    stats_hosts_release(hosts);
    server->stats.read_cache = read_cache;
    server->stats.cache_owner = server->shared.cache;
    stats_note_start(&server->stats, clock_wall_seconds());
    stats_set(&server->stats.connections_limit, server->capacity.connections);
    server->stats.version = SALLYPORT_VERSION;
    server->stats.wolfssl = tls_library_version();
    server->stats.crypto = tls_library_crypto();
    return 0;
}

/*
 * Returns how many places the table of sources has: four for each connection, so that in few of its sets all places are held
 * by open connections; and some for the history of small sites.
 */
static size_t sources_for(const struct capacity *capacity) {
    size_t places = 4 * (size_t)capacity->connections_max;

    return places > SOURCES_MIN ? places : SOURCES_MIN;
}

/* Makes what all shards share. */
static int create_shared(struct server *server) {
    size_t chains_size = (size_t)server->config->cert_cache_entries * CHAIN_LOG_ENTRY;

    server->shared.cache = identity_cache_create(server->config->cert_cache_entries);
    server->shared.chains = chain_log_create(chains_size < CHAIN_LOG_SIZE_MIN ? CHAIN_LOG_SIZE_MIN : chains_size);
    server->shared.tickets = tls_tickets_create();
    server->shared.sources = sources_create(sources_for(&server->capacity));
    server->shared.replays = calloc(1, sizeof *server->shared.replays);
    server->shared.health = health_board_create();
    server->shared.reputation = reputation_create(sources_for(&server->capacity), server->shard_count);
    if (server->shared.cache == NULL || server->shared.chains == NULL || server->shared.tickets == NULL ||
        server->shared.sources == NULL || server->shared.replays == NULL || server->shared.health == NULL ||
        server->shared.reputation == NULL) {
        return -ENOMEM;
    }
    return create_stats(server);
}

static int open_access_log(struct server *server, struct error *error) {
    if (server->config->access_log == NULL) {
        return 0;
    }
    server->access_log = access_log_open(server->config->access_log, server->shard_count, error);
    if (server->access_log == NULL) {
        return -1;
    }
    server->stats.access_log = server->access_log;
    return 0;
}

/* Returns one shard that accepts, or NULL with `error`. */
static struct shard_thread *start_shard(struct server *server, unsigned index, int core, struct error *error) {
    struct shard_thread *thread = calloc(1, sizeof *thread);

    if (thread == NULL) {
        error_set(error, "not enough memory");
        return NULL;
    }
    struct shard *shard = &thread->shard;
    shard->index = index;
    shard->stats = &server->stats.shards[index];
    shard->shared = server->shared;
    shard->journal = (struct journal){.log = server->access_log, .shard = index};
    shard->connections_max = for_each_shard(server, server->capacity.connections);
    shard->connections_capacity = for_each_shard(server, server->capacity.connections_max);
    shard->listener_count = server->config->listen_count;
    thread->worker.core = core;
    thread->config = server->config;
    thread->hosts = server->stats.hosts;
    thread->idle_max = server->capacity.idle;
    thread->descriptors = sockets_of_shard(&server->sockets, index);
    if (shard_thread_start(thread, error) < 0) {
        free(thread);
        return NULL;
    }
    sockets_give_shard(&server->sockets, index);
    return thread;
}

static int start_shards(struct server *server, struct error *error) {
    static int cores[CORES_MAX];
    int usable = cores_for(cores, server->shard_count);

    for (unsigned i = 0; i < server->shard_count; i++) {
        if (sockets_listen(&server->sockets, server->config, i, error) < 0) {
            return -1;
        }
        server->shards[i] = start_shard(server, i, usable == 0 ? -1 : cores[i], error);
        if (server->shards[i] == NULL) {
            return -1;
        }
        server->running++;
    }
    return 0;
}

static int start_control(struct server *server, struct error *error) {
    if (sockets_listen_admin(&server->sockets, server->config, error) < 0) {
        return -1;
    }
    struct control_plan plan = {
        .config = server->config,
        .hosts = server->stats.hosts,
        .stats = &server->stats,
        .tickets = server->shared.tickets,
        .health = server->shared.health,
        .admin_listener = sockets_take_admin(&server->sockets),
    };

    server->control = control_start(&plan, error);
    if (server->control == NULL) {
        return error_fail(error, -1, "control thread: %s", error->text);
    }
    return 0;
}

static int start_names(struct server *server, struct error *error) {
    server->names = names_start(server->config, server->shards, server->shard_count, server->control, &server->stats, error);
    return server->names == NULL ? -1 : 0;
}

struct server *server_start(struct config *config, struct error *error) {
    struct server *server = calloc(1, sizeof *server);

    error_set(error, "not enough memory");
    if (server == NULL) {
        return NULL;
    }
    server->config = config_retain(config);
    server->shard_count = count_shards(config);
    server->shards = calloc(server->shard_count, sizeof(struct shard_thread *));
    if (server->shards == NULL || settle_capacity(server, error) < 0) {
        goto fail;
    }
    error_set(error, "not enough memory");
    if (create_shared(server) < 0 || open_access_log(server, error) < 0 ||
        sockets_open(&server->sockets, config, server->shard_count, error) < 0 || start_shards(server, error) < 0 ||
        start_control(server, error) < 0 || start_names(server, error) < 0) {
        goto fail;
    }
    return server;

fail:
    server_stop(server);
    server_join(server);
    return NULL;
}

static bool same_text(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_listeners(const struct config *a, const struct config *b) {
    bool same = a->listen_count == b->listen_count;

    for (size_t i = 0; i < a->listen_count && same; i++) {
        same = same_text(a->listen[i].address.text, b->listen[i].address.text) &&
               a->listen[i].redirect_port == b->listen[i].redirect_port;
    }
    return same;
}

static bool same_admin(const struct config *a, const struct config *b) {
    bool same = same_text(a->admin_address.text, b->admin_address.text) && a->admin_name_count == b->admin_name_count;
    for (size_t i = 0; i < a->admin_name_count && same; i++) {
        same = same_text(a->admin_names[i], b->admin_names[i]);
    }
    return same;
}

/*
 * Adds a problem for each setting that only a start can change. The reload is refused rather than the change passed over:
 * the operator shall not believe in a change that did not happen.
 */
static void find_restarts(const struct server *server, const struct config *config, struct config_problems *problems) {
    const struct config *before = server->config;
    const struct {
        const char *key;
        bool same;
    } settings[] = {
        {"listen", same_listeners(before, config)},
        {"admin", same_admin(before, config)},
        {"access_log", same_text(before->access_log, config->access_log)},
        {"shards", before->shards == config->shards},
        {"cert_cache.entries", before->cert_cache_entries == config->cert_cache_entries},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(settings); i++) {
        if (!settings[i].same) {
            problems_add(problems, config->path, 0, "%s has changed: that takes a restart", settings[i].key);
        }
    }
    if (capacity_connections(&server->capacity, config) > server->capacity.connections_max) {
        problems_add(problems, config->path, config->limits.connections_line,
                     "limits.connections has been raised to %u: without a restart it can be %u at most",
                     capacity_connections(&server->capacity, config), server->capacity.connections_max);
    }
}

/* Makes a site for each shard, or none at all. */
static int create_sites(struct server *server, struct config *config, struct stats_hosts *hosts, struct site **sites,
                        struct config_problems *problems) {
    struct error error;

    for (unsigned i = 0; i < server->shard_count; i++) {
        sites[i] = site_create(&server->shards[i]->shard.ring, config, hosts, server->shared.tickets, server->shared.health,
                               server->capacity.idle, &error);
        if (sites[i] == NULL) {
            problems_add(problems, config->path, 0, "%s", error.text);
            while (i-- > 0) {
                site_release(sites[i]);
            }
            return -1;
        }
    }
    return 0;
}

/* Gives each shard its site, and returns when all have it: nothing new is begun under the old configuration any more. */
static void hand_over(struct server *server, const struct config *config, struct site **sites) {
    sem_t taken;

    sem_init(&taken, 0, 0);
    for (unsigned i = 0; i < server->shard_count; i++) {
        sites[i]->taken = &taken;
        sites[i]->connections_max = for_each_shard(server, capacity_connections(&server->capacity, config));
        shard_thread_post_site(server->shards[i], sites[i]);
    }
    for (unsigned i = 0; i < server->shard_count; i++) {
        while (sem_wait(&taken) < 0) {
        }
    }
    sem_destroy(&taken);
}

int server_reload(struct server *server, struct config *config, struct config_problems *problems) {
    int result = -1;

    find_restarts(server, config, problems);
    if (problems->count > 0) {
        return -1;
    }
    struct stats_hosts *hosts;
    hosts = host_facts_gather(config, server->shard_count, server->stats.hosts, clock_wall_seconds());
    struct site **sites = calloc(server->shard_count, sizeof(struct site *));
    if (hosts == NULL || sites == NULL) {
        problems_add(problems, config->path, 0, "not enough memory");
    } else if (create_sites(server, config, hosts, sites, problems) == 0) {
        hand_over(server, config, sites);
        stats_set_hosts(&server->stats, hosts);
        stats_set(&server->stats.connections_limit, capacity_connections(&server->capacity, config));
        control_post_config(server->control, config, hosts);
        names_post_config(server->names, config);
        config_release(server->config);
        server->config = config_retain(config);
        result = 0;
    }
    stats_hosts_release(hosts);
    free(sites);
    return result;
}

bool server_knows_name(void *server, const char *text, struct dns_set *set) {
    return names_known(((struct server *)server)->names, text, set);
}

void server_count_reload(struct server *server, bool taken) {
    stats_note_reload(&server->stats, taken ? STATS_RELOAD_OK : STATS_RELOAD_FAILED, clock_wall_seconds());
}

void server_reopen_logs(struct server *server) {
    if (server->access_log != NULL) {
        access_log_reopen(server->access_log);
    }
}

void server_leave(struct server *server) {
    if (server->control != NULL) {
        control_set_draining(server->control);
    }
}

void server_drain(struct server *server, uint32_t timeout_ms) {
    server_leave(server);
    for (unsigned i = 0; i < server->running; i++) {
        shard_thread_post_drain(server->shards[i], timeout_ms);
    }
}

void server_stop(struct server *server) {
    server_leave(server);
    for (unsigned i = 0; i < server->running; i++) {
        shard_thread_post_stop(server->shards[i]);
    }
}

bool server_has_ended(const struct server *server) {
    for (unsigned i = 0; i < server->running; i++) {
        if (!shard_thread_has_ended(server->shards[i])) {
            return false;
        }
    }
    return true;
}

int server_join(struct server *server) {
    int leftover = 0;

    names_stop(server->names);
    for (unsigned i = 0; i < server->running; i++) {
        leftover += shard_thread_join(server->shards[i]);
        free(server->shards[i]);
    }
    if (server->control != NULL) {
        control_stop(server->control);
    }
    sockets_close(&server->sockets);
    access_log_close(server->access_log);
    if (server->stats.shards != NULL) {
        stats_destroy(&server->stats);
    }
    sources_free(server->shared.sources);
    free(server->shared.replays);
    health_board_free(server->shared.health);
    reputation_free(server->shared.reputation);
    tls_tickets_free(server->shared.tickets);
    chain_log_free(server->shared.chains);
    identity_cache_free(server->shared.cache);
    free(server->shards);
    config_release(server->config);
    free(server);
    return leftover == 0 ? 0 : 1;
}
