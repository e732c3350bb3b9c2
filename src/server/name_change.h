/*
 * A change of the addresses of an origin that is a name, as the shards and the control thread are told of it by mail. Each
 * of them holds the change until it has applied it.
 */
#ifndef SERVER_NAME_CHANGE_H
#define SERVER_NAME_CHANGE_H

#include "config/config.h"
#include "dns/set.h"
#include "server/control.h"
#include "server/shard_thread.h"

struct name_change;

/* Those who are told. */
struct name_change_readers {
    struct shard_thread *const *shards;
    unsigned shard_count;
    struct control *control;
};

/*
 * Tells that an origin of this configuration, by the indexes of its host and in its host, stands for these addresses from
 * now on. `set` is copied. The caller holds the change, too. Any thread.
 */
struct name_change *name_change_post(const struct name_change_readers *readers, struct config *config, uint32_t host,
                                     uint32_t origin, const struct dns_set *set);
/* Returns whether all who were told have applied the change. */
bool name_change_is_applied(const struct name_change *change);
/* The caller holds it no longer. NULL is allowed. */
void name_change_release(struct name_change *change);

#endif
