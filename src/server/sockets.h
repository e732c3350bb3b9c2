/*
 * The listening sockets of the process: bound here before any thread starts, and then given to the shards and to the control
 * thread. Each listens only when its thread is about to start, so that no client waits for a shard that is not there yet. A
 * process that takes over from another one would find inherited sockets here, by address and shard.
 */
#ifndef SERVER_SOCKETS_H
#define SERVER_SOCKETS_H

#include "base/error.h"
#include "config/config.h"

struct sockets {
    int *listeners;   /* of each shard one for each address, in the order of config->listen; -1: given away */
    size_t per_shard; /* addresses */
    unsigned shards;
    int admin; /* -1: none, or given away */
};

/*
 * Sees that no other process listens on the addresses of `config`, and binds them: config->listen once for each shard, and
 * the admin address. 0; or -1 with one line in `error`, and nothing is open.
 */
int sockets_open(struct sockets *sockets, const struct config *config, unsigned shards, struct error *error);
/* Lets clients connect to the sockets of one shard, or to the admin address. 0; or -1 with one line in `error`. */
int sockets_listen(const struct sockets *sockets, const struct config *config, unsigned shard, struct error *error);
int sockets_listen_admin(const struct sockets *sockets, const struct config *config, struct error *error);
/* Returns the descriptors of one shard, which stay in `sockets` until they are given away. */
const int *sockets_of_shard(const struct sockets *sockets, unsigned shard);
/* The descriptors of the shard belong to its listeners from now on. */
void sockets_give_shard(struct sockets *sockets, unsigned shard);
/* Returns the descriptor of the admin listener, which belongs to the caller from now on; -1: there is none. */
int sockets_take_admin(struct sockets *sockets);
/* Closes what was not given away, also after a failure to open, or when all is zero. */
void sockets_close(struct sockets *sockets);

#endif
