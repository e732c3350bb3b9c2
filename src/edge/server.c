#include "edge/server.h"

#include "base/check.h"
#include "base/log.h"
#include "edge/admin.h"
#include "edge/shard.h"
#include "ring/cores.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    DESCRIPTORS_APART = 256, /* beside connections: files, eventfds, listeners */
};

struct server {
    struct config *config;
    struct stats stats;
    struct identity_cache *cache;
    const char **host_names;
    struct stats_certificate *certificates;
    struct shard **shards; /* each its own allocation: they are large and of one thread each */
    unsigned shard_count;
    unsigned running; /* shards whose thread was started and accepts */
    struct admin *admin;
};

static int cores_for(const struct config *config, int cores[static CORES_MAX], unsigned *shard_count) {
    int usable = cores_usable(cores);

    *shard_count = config->shards == 0 ? (unsigned)usable : config->shards;
    if ((int)*shard_count > usable) {
        log_warning("%u shards share %d usable cores: they are not pinned", *shard_count, usable);
        return 0;
    }
    return usable;
}

/* Each connection of a client can need one to an origin, which is a file descriptor of the process. */
static int raise_descriptor_limit(const struct config *config, unsigned shard_count, char error[static SERVER_ERROR_SIZE]) {
    rlim_t needed = config->limits.connections + DESCRIPTORS_APART +
                    shard_count * (RELAY_IDLE_TOTAL_MAX + LISTENER_ACCEPTS * (config->listen_count + 1));
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= needed) {
        return 0;
    }
    limit.rlim_cur = needed;
    if (limit.rlim_max < needed) {
        limit.rlim_max = needed; /* allowed with CAP_SYS_RESOURCE */
    }
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0) {
        return 0;
    }
    getrlimit(RLIMIT_NOFILE, &limit);
    snprintf(
        error, SERVER_ERROR_SIZE,
        "limits.connections: %u needs %llu file descriptors, the limit is %llu: raise it (ulimit -n, or LimitNOFILE= in the "
        "systemd unit) or lower limits.connections",
        config->limits.connections, (unsigned long long)needed, (unsigned long long)limit.rlim_max);
    return -1;
}

static int create_stats(struct server *server) {
    const struct config *config = server->config;

    server->host_names = calloc(config->host_count, sizeof *server->host_names);
    server->certificates = calloc(config->host_count, sizeof *server->certificates);
    if (server->host_names == NULL || server->certificates == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < config->host_count; i++) {
        const struct config_host *host = &config->hosts[i];

        server->host_names[i] = host->name;
        server->certificates[i] =
            (struct stats_certificate){host->name, host->certificate_path, host->credentials->not_after};
    }
    if (stats_create(&server->stats, server->shard_count, server->host_names, config->host_count) < 0) {
        return -ENOMEM;
    }
    server->stats.certificates = server->certificates;
    server->stats.certificate_count = config->host_count;
    server->stats.version = SALLYPORT_VERSION;
    server->stats.wolfssl = tls_library_version();
    server->stats.crypto = tls_library_crypto();
    return 0;
}

static int probe_addresses(const struct config *config, char error[static SERVER_ERROR_SIZE]) {
    char reason[RING_ERROR_SIZE];

    for (size_t i = 0; i < config->listen_count; i++) {
        if (listener_probe(config->listen[i], reason) < 0) {
            snprintf(error, SERVER_ERROR_SIZE, "%s", reason);
            return -1;
        }
    }
    if (config->admin_address != NULL && listener_probe(config->admin_address, reason) < 0) {
        snprintf(error, SERVER_ERROR_SIZE, "admin: %s", reason);
        return -1;
    }
    return 0;
}

static void close_descriptors(struct shard *shard, size_t count) {
    for (size_t i = 0; i < count; i++) {
        close(shard->descriptors[i]);
    }
}

static int bind_listeners(struct shard *shard, char error[static SERVER_ERROR_SIZE]) {
    const struct config *config = shard->config;
    char reason[RING_ERROR_SIZE];

    shard->listener_count = config->listen_count;
    shard->descriptors = calloc(config->listen_count, sizeof *shard->descriptors);
    if (shard->descriptors == NULL) {
        snprintf(error, SERVER_ERROR_SIZE, "not enough memory");
        return -1;
    }
    for (size_t i = 0; i < config->listen_count; i++) {
        shard->descriptors[i] = listener_bind(config->listen[i], reason);
        if (shard->descriptors[i] < 0) {
            snprintf(error, SERVER_ERROR_SIZE, "%s", reason);
            close_descriptors(shard, i);
            return -1;
        }
    }
    return 0;
}

static void free_shard(struct shard *shard) {
    mailbox_destroy(&shard->mailbox);
    free(shard->descriptors);
    free(shard);
}

/* One shard, up and accepting, or NULL with `error`. */
static struct shard *start_shard(struct server *server, unsigned index, int core, char error[static SERVER_ERROR_SIZE]) {
    uint32_t limit = server->config->limits.connections;
    struct shard *shard = calloc(1, sizeof *shard);
    sem_t started;
    int result;

    snprintf(error, SERVER_ERROR_SIZE, "not enough memory");
    if (shard == NULL || mailbox_create(&shard->mailbox) < 0) {
        free(shard);
        return NULL;
    }
    shard->index = index;
    shard->core = core;
    shard->config = server->config;
    shard->stats = &server->stats.shards[index];
    shard->cache = server->cache;
    shard->connections_max = (limit + server->shard_count - 1) / server->shard_count;
    if (bind_listeners(shard, error) < 0) {
        free_shard(shard);
        return NULL;
    }
    sem_init(&started, 0, 0);
    shard->started = &started;
    result = shard_start(shard);
    if (result < 0) {
        snprintf(error, SERVER_ERROR_SIZE, "cannot start a thread: %s", strerror(-result));
    } else {
        while (sem_wait(&started) < 0) {
        }
        if (shard->error[0] != '\0') {
            snprintf(error, SERVER_ERROR_SIZE, "%s", shard->error);
            pthread_join(shard->thread, NULL);
            result = -1;
        }
    }
    sem_destroy(&started);
    if (result < 0) {
        close_descriptors(shard, shard->listener_count);
        free_shard(shard);
        return NULL;
    }
    return shard;
}

static int start_admin(struct server *server, char error[static SERVER_ERROR_SIZE]) {
    char reason[RING_ERROR_SIZE];
    struct admin *admin;
    int descriptor;

    if (server->config->admin_address == NULL) {
        return 0;
    }
    descriptor = listener_bind(server->config->admin_address, reason);
    if (descriptor < 0) {
        snprintf(error, SERVER_ERROR_SIZE, "admin: %s", reason);
        return -1;
    }
    admin = calloc(1, sizeof *admin);
    if (admin == NULL) {
        close(descriptor);
        return -1;
    }
    admin->descriptor = descriptor;
    admin->stats = &server->stats;
    atomic_store(&admin->ready, true);
    if (admin_start(admin) < 0) {
        snprintf(error, SERVER_ERROR_SIZE, "admin: %s", admin->error);
        free(admin);
        return -1;
    }
    server->admin = admin;
    return 0;
}

struct server *server_start(struct config *config, char error[static SERVER_ERROR_SIZE]) {
    static int cores[CORES_MAX];
    struct server *server = calloc(1, sizeof *server);
    int usable;

    snprintf(error, SERVER_ERROR_SIZE, "not enough memory");
    if (server == NULL) {
        return NULL;
    }
    server->config = config_retain(config);
    usable = cores_for(config, cores, &server->shard_count);
    server->shards = calloc(server->shard_count, sizeof(struct shard *));
    server->cache = identity_cache_create(config->cert_cache_entries);
    if (server->shards == NULL || server->cache == NULL || create_stats(server) < 0) {
        goto fail;
    }
    if (raise_descriptor_limit(config, server->shard_count, error) < 0 || probe_addresses(config, error) < 0) {
        goto fail;
    }
    for (unsigned i = 0; i < server->shard_count; i++) {
        server->shards[i] = start_shard(server, i, usable == 0 ? -1 : cores[i], error);
        if (server->shards[i] == NULL) {
            goto fail;
        }
        server->running++;
    }
    if (start_admin(server, error) < 0) {
        goto fail;
    }
    return server;

fail:
    server_stop(server);
    server_join(server);
    return NULL;
}

void server_drain(struct server *server, uint32_t timeout_ms) {
    if (server->admin != NULL) {
        atomic_store(&server->admin->ready, false);
    }
    for (unsigned i = 0; i < server->running; i++) {
        shard_post_drain(server->shards[i], timeout_ms);
    }
}

void server_stop(struct server *server) {
    if (server->admin != NULL) {
        atomic_store(&server->admin->ready, false);
    }
    for (unsigned i = 0; i < server->running; i++) {
        shard_post_stop(server->shards[i]);
    }
}

bool server_has_ended(const struct server *server) {
    for (unsigned i = 0; i < server->running; i++) {
        if (!atomic_load(&server->shards[i]->ended)) {
            return false;
        }
    }
    return true;
}

/* Messages that came after a shard's end: nobody will deliver them. */
static void drop_mail(struct mailbox *mailbox) {
    struct mail *mail = atomic_exchange(&mailbox->first, NULL);

    while (mail != NULL) {
        struct mail *next = mail->next;

        free(mail);
        mail = next;
    }
}

int server_join(struct server *server) {
    int leftover = 0;

    for (unsigned i = 0; i < server->running; i++) {
        struct shard *shard = server->shards[i];

        pthread_join(shard->thread, NULL);
        leftover += shard->leftover;
        drop_mail(&shard->mailbox);
        free_shard(shard);
    }
    if (server->admin != NULL) {
        admin_stop(server->admin);
        free(server->admin);
    }
    if (server->stats.shards != NULL) {
        stats_destroy(&server->stats);
    }
    identity_cache_free(server->cache);
    free(server->certificates);
    free(server->host_names);
    free(server->shards);
    config_release(server->config);
    free(server);
    return leftover == 0 ? 0 : 1;
}
