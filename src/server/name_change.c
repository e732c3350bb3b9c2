#include "server/name_change.h"

#include "base/check.h"
#include "relay/addresses.h"
#include "relay/relay.h"

#include <stdlib.h>

struct name_change {
    atomic_uint holders;
    struct config *config;
    uint32_t host;
    uint32_t origin;
    struct relay_addresses *addresses;
};

struct change_mail {
    struct mail mail;
    struct name_change *change;
};

void name_change_release(struct name_change *change) {
    if (change == NULL || atomic_fetch_sub_explicit(&change->holders, 1, memory_order_acq_rel) > 1) {
        return;
    }
    relay_addresses_release(change->addresses);
    config_release(change->config);
    free(change);
}

static void drop(struct mail *mail) {
    name_change_release(((struct change_mail *)mail)->change);
    free(mail);
}

/* In the shard's thread. A change of another configuration than that which the shard serves is none of its business. */
static void deliver(struct mail *mail, void *owner) {
    struct site *site = ((struct shard_thread *)owner)->shard.site;
    struct name_change *change = ((struct change_mail *)mail)->change;

    if (site->config == change->config) {
        relay_take_addresses(site->relay, change->host, change->origin, change->addresses);
    }
    drop(mail);
}

static void deliver_to_control(struct mail *mail, void *owner) {
    const struct name_change *change = ((struct change_mail *)mail)->change;

    control_take_addresses(owner, change->config, change->host, change->origin, &change->addresses->set);
    drop(mail);
}

/* Makes mail that holds the change. */
static struct mail *make_mail(struct name_change *change, void (*deliver_it)(struct mail *mail, void *owner)) {
    struct change_mail *mail = malloc(sizeof *mail);

    CHECK(mail != NULL);
    atomic_fetch_add_explicit(&change->holders, 1, memory_order_relaxed);
    *mail = (struct change_mail){.mail = {.deliver = deliver_it, .drop = drop}, .change = change};
    return &mail->mail;
}

struct name_change *name_change_post(const struct name_change_readers *readers, struct config *config, uint32_t host,
                                     uint32_t origin, const struct dns_set *set) {
    struct name_change *change = malloc(sizeof *change);
    struct relay_addresses *addresses = relay_addresses_create(set);

    CHECK(change != NULL && addresses != NULL);
    *change = (struct name_change){.config = config_retain(config), .host = host, .origin = origin, .addresses = addresses};
    atomic_init(&change->holders, 1);
    for (unsigned i = 0; i < readers->shard_count; i++) {
        worker_post(&readers->shards[i]->worker, make_mail(change, deliver));
    }
    control_post(readers->control, make_mail(change, deliver_to_control));
    return change;
}

bool name_change_is_applied(const struct name_change *change) {
    return atomic_load_explicit(&change->holders, memory_order_acquire) == 1;
}
