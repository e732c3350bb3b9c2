#include "server/sockets.h"

#include "ring/listener.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ADMIN_SEND_BUFFER = 128 * 1024 /* of one socket, in the kernel */ };

static struct listener_address at(const struct config_address *address) {
    return (struct listener_address){(const struct sockaddr *)&address->address, address->size, address->text};
}

static int probe(const struct config *config, struct error *error) {
    for (size_t i = 0; i < config->listen_count; i++) {
        if (listener_probe(at(&config->listen[i].address), error) < 0) {
            return -1;
        }
    }
    if (config->admin_address.text != NULL && listener_probe(at(&config->admin_address), error) < 0) {
        error_set(error, "admin: %s", error->text);
        return -1;
    }
    return 0;
}

static int *slot(const struct sockets *sockets, unsigned shard, size_t address) {
    return &sockets->listeners[shard * sockets->per_shard + address];
}

static int bind_shard(struct sockets *sockets, const struct config *config, unsigned shard, struct error *error) {
    for (size_t i = 0; i < sockets->per_shard; i++) {
        int descriptor = listener_reserve(at(&config->listen[i].address), error);

        if (descriptor < 0) {
            return -1;
        }
        *slot(sockets, shard, i) = descriptor;
    }
    return 0;
}

static int bind_admin(struct sockets *sockets, const struct config *config, struct error *error) {
    if (config->admin_address.text == NULL) {
        return 0;
    }
    int descriptor = listener_reserve(at(&config->admin_address), error);
    if (descriptor < 0) {
        error_set(error, "admin: %s", error->text);
        return -1;
    }
    /* Accepted sockets inherit the size. Else the kernel would take megabytes for each slow reader of the admin listener,
       and keep them beyond the end of the process. */
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &(int){ADMIN_SEND_BUFFER}, sizeof(int));
    sockets->admin = descriptor;
    return 0;
}

static int bind_all(struct sockets *sockets, const struct config *config, struct error *error) {
    for (unsigned shard = 0; shard < sockets->shards; shard++) {
        if (bind_shard(sockets, config, shard, error) < 0) {
            return -1;
        }
    }
    return bind_admin(sockets, config, error);
}

int sockets_open(struct sockets *sockets, const struct config *config, unsigned shards, struct error *error) {
    *sockets = (struct sockets){.per_shard = config->listen_count, .shards = shards, .admin = -1};
    if (probe(config, error) < 0) {
        return -1;
    }
    size_t count = shards * config->listen_count;
    sockets->listeners = malloc(count * sizeof *sockets->listeners);
    if (sockets->listeners == NULL) {
        error_set(error, "not enough memory");
        return -1;
    }
    memset(sockets->listeners, -1, count * sizeof *sockets->listeners);
    if (bind_all(sockets, config, error) < 0) {
        sockets_close(sockets);
        return -1;
    }
    return 0;
}

int sockets_listen(const struct sockets *sockets, const struct config *config, unsigned shard, struct error *error) {
    for (size_t i = 0; i < sockets->per_shard; i++) {
        if (listener_listen(*slot(sockets, shard, i), at(&config->listen[i].address), error) < 0) {
            return -1;
        }
    }
    return 0;
}

int sockets_listen_admin(const struct sockets *sockets, const struct config *config, struct error *error) {
    if (sockets->admin >= 0 && listener_listen(sockets->admin, at(&config->admin_address), error) < 0) {
        error_set(error, "admin: %s", error->text);
        return -1;
    }
    return 0;
}

const int *sockets_of_shard(const struct sockets *sockets, unsigned shard) {
    return slot(sockets, shard, 0);
}

void sockets_give_shard(struct sockets *sockets, unsigned shard) {
    for (size_t i = 0; i < sockets->per_shard; i++) {
        *slot(sockets, shard, i) = -1;
    }
}

int sockets_take_admin(struct sockets *sockets) {
    int descriptor = sockets->admin;

    sockets->admin = -1;
    return descriptor;
}

void sockets_close(struct sockets *sockets) {
    if (sockets->listeners == NULL) {
        return;
    }
    for (size_t i = 0; i < sockets->shards * sockets->per_shard; i++) {
        if (sockets->listeners[i] >= 0) {
            close(sockets->listeners[i]);
        }
    }
    if (sockets->admin >= 0) {
        close(sockets->admin);
    }
    free(sockets->listeners);
    *sockets = (struct sockets){.admin = -1};
}
