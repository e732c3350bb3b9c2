#include "edge/shard.h"

#include "base/check.h"
#include "base/log.h"
#include "edge/arrival.h"
#include "edge/connection.h"
#include "edge/eviction.h"
#include "edge/gate.h"
#include "edge/http1.h"
#include "edge/output.h"
#include "edge/passage.h"
#include "ring/cores.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    RECEIVE_BUFFERS = 128,
    CLOSING_STREAMS = 256,
    CHUNKS_MIN = 256,
    CHUNKS_MAX = 65536,
    IDLE_TURN_MS = 1000, /* how long a turn sleeps when nothing is due */
};

struct drain_mail {
    struct mail mail;
    uint32_t timeout_ms;
};

/* What all connections of this shard can need at once. */
static int create_pools(struct shard *shard) {
    uint32_t limit = shard->connections_capacity + SHARD_SPARE;

    if (slab_create(&shard->connections, sizeof(struct connection), limit) < 0) {
        return -ENOMEM;
    }
    if (slab_create(&shard->exchanges, sizeof(struct http1_exchange), limit) < 0) {
        goto fail_exchanges;
    }
    if (slab_create(&shard->rooms, sizeof(struct passage_room), limit) < 0) {
        goto fail_rooms;
    }
    /* For a name, a chain, and two of what it holds: working through one, it may fill another with what is left of it. */
    if (pieces_create(&shard->pieces, 4 * limit) < 0) {
        goto fail_pieces;
    }
    return 0;

fail_pieces:
    slab_destroy(&shard->rooms);
fail_rooms:
    slab_destroy(&shard->exchanges);
fail_exchanges:
    slab_destroy(&shard->connections);
    return -ENOMEM;
}

static void destroy_pools(struct shard *shard) {
    pieces_destroy(&shard->pieces);
    slab_destroy(&shard->rooms);
    slab_destroy(&shard->exchanges);
    slab_destroy(&shard->connections);
}

static int create_ring(struct shard *shard) {
    uint32_t accepts = (uint32_t)(shard->listener_count * LISTENER_ACCEPTS);
    uint32_t chunks = 4 * shard->connections_capacity;
    struct ring_options options = {
        .accepted = shard->connections_capacity + SHARD_SPARE + accepts,
        /* One connection to an origin for each exchange, idle ones, and those that are on their way out. */
        .streams = 2 * (shard->connections_capacity + SHARD_SPARE) + accepts + RELAY_IDLE_TOTAL_MAX + CLOSING_STREAMS,
        .receive_buffers = RECEIVE_BUFFERS,
        .chunks = chunks < CHUNKS_MIN   ? CHUNKS_MIN
                  : chunks > CHUNKS_MAX ? CHUNKS_MAX
                                        : chunks,
    };
    char reason[RING_ERROR_SIZE];
    int result = ring_create(&shard->ring, &options, reason);

    if (result < 0) {
        snprintf(shard->error, sizeof shard->error, "%s", reason);
    }
    return result;
}

static int start_listeners(struct shard *shard) {
    shard->listeners = calloc(shard->listener_count, sizeof *shard->listeners);
    if (shard->listeners == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < shard->listener_count; i++) {
        listener_start(&shard->listeners[i], &shard->ring, shard->descriptors[i], arrival_accept, shard);
    }
    return 0;
}

static void limit_expired(struct timer *timer) {
    connection_stop_all(CONTAINER_OF(timer, struct shard, drain_limit));
}

/* The way up: everything or nothing, with the reason in shard->error. */
static int set_up(struct shard *shard) {
    char reason[SITE_ERROR_SIZE];

    if (shard->core >= 0 && cores_pin(shard->core) < 0) {
        log_warning("shard %u: cannot be pinned to core %d", shard->index, shard->core);
    }
    if (create_ring(shard) < 0) {
        return -1;
    }
    snprintf(shard->error, sizeof shard->error, "not enough memory: lower limits.connections");
    if (create_pools(shard) < 0) {
        goto fail_pools;
    }
    shard->site = site_create(&shard->ring, shard->config, shard->hosts, shard->shared.tickets, shard->idle_max, reason);
    if (shard->site == NULL) {
        snprintf(shard->error, sizeof shard->error, "%s", reason);
        goto fail_site;
    }
    site_watch_origins(shard->site, shard->index, true);
    if (start_listeners(shard) < 0) {
        goto fail_listeners;
    }
    timer_init(&shard->drain_limit, limit_expired);
    gate_open(shard);
    mailbox_attach(&shard->mailbox, &shard->ring, shard);
    shard->error[0] = '\0';
    return 0;

fail_listeners:
    relay_close(shard->site->relay);
    site_release(shard->site);
fail_site:
    destroy_pools(shard);
fail_pools:
    ring_destroy(&shard->ring);
    return -1;
}

/* No connection is left: lets go of what waits for none. */
static void wind_up(struct shard *shard) {
    if (shard->wound_up) {
        return;
    }
    shard->wound_up = true;
    timer_clear(&shard->ring.timers, &shard->drain_limit);
    mailbox_detach(&shard->mailbox);
    relay_close(shard->site->relay);
}

/* Lets go of replaced sites that nobody uses any more. */
static void release_retired(struct shard *shard) {
    struct site **link = &shard->retired;

    while (*link != NULL) {
        struct site *site = *link;

        if (site->references == 1 && relay_is_idle(site->relay)) {
            *link = site->next;
            site_release(site);
        } else {
            link = &site->next;
        }
    }
}

/* Keys that nobody needs any more shall not wait for the next client to be wiped. */
static void expire_ticket_keys(struct shard *shard) {
    uint64_t now_s = shard->ring.now_ns / 1000000000;

    if (shard->index == 0 && now_s != shard->tickets_expired_s) {
        shard->tickets_expired_s = now_s;
        tls_tickets_expire(shard->shared.tickets, now_s, shard->site->config->ticket_lifetime_s);
    }
}

/* Counted by the ring in passing, and told once a turn. */
static void tell_bytes(struct shard *shard) {
    stats_set(&shard->stats->received_bytes, shard->ring.accepted_received);
    stats_set(&shard->stats->sent_bytes, shard->ring.accepted_sent);
}

static bool is_over(struct shard *shard) {
    if (!shard->draining || shard->first != NULL) {
        return false;
    }
    wind_up(shard);
    return shard->ring.in_flight == 0 && relay_is_idle(shard->site->relay) && shard->retired == NULL;
}

/* A debug count at the end, in every build: what is left over now would have leaked in a longer life. */
static int count_leftover(const struct shard *shard) {
    int leftover =
        (int)(shard->connections.in_use + shard->exchanges.in_use + shard->rooms.in_use + pieces_in_use(&shard->pieces) +
              shard->ring.in_flight + shard->ring.streams.in_use + shard->ring.chunks.in_use + shard->ring.timers.set);

    if (leftover != 0) {
        log_error("shard %u: left over: %u connections, %u exchanges, %u pieces, %u operations, %u streams, "
                  "%u chunks, %u timers",
                  shard->index, shard->connections.in_use, shard->exchanges.in_use, pieces_in_use(&shard->pieces),
                  shard->ring.in_flight, shard->ring.streams.in_use, shard->ring.chunks.in_use, shard->ring.timers.set);
    }
    return leftover;
}

static void *run(void *argument) {
    struct shard *shard = argument;
    int result = set_up(shard);

    sem_post(shard->started);
    if (result < 0) {
        return NULL;
    }
    while (!is_over(shard)) {
        result = ring_turn(&shard->ring, gate_sleep_ms(shard, IDLE_TURN_MS));
        if (result < 0) {
            log_error("shard %u: io_uring failed: %s", shard->index, strerror(-result));
            abort();
        }
        gate_turn(shard);
        output_flush(shard);
        eviction_turn(shard);
        tell_bytes(shard);
        journal_turn(&shard->journal, shard->ring.now_ns);
        release_retired(shard);
        expire_ticket_keys(shard);
    }
    gate_close(shard);
    shard->leftover = count_leftover(shard);
    site_release(shard->site);
    free(shard->listeners);
    if (shard->leftover == 0) {
        destroy_pools(shard);
        ring_destroy(&shard->ring);
    }
    atomic_store(&shard->ended, true);
    return NULL;
}

int shard_start(struct shard *shard) {
    char name[16];
    int result = -pthread_create(&shard->thread, NULL, run, shard);

    if (result == 0) {
        snprintf(name, sizeof name, "shard %u", shard->index);
        pthread_setname_np(shard->thread, name);
    }
    return result;
}

static void begin_end(struct shard *shard) {
    if (shard->draining) {
        return;
    }
    shard->draining = true;
    for (size_t i = 0; i < shard->listener_count; i++) {
        listener_stop(&shard->listeners[i]);
    }
}

static void deliver_drain(struct mail *mail, void *owner) {
    struct shard *shard = owner;

    begin_end(shard);
    connection_drain_all(shard);
    timer_set(&shard->ring.timers, &shard->drain_limit, ring_now_ms(&shard->ring), ((struct drain_mail *)mail)->timeout_ms);
    free(mail);
}

static void deliver_stop(struct mail *mail, void *owner) {
    struct shard *shard = owner;

    begin_end(shard);
    connection_stop_all(shard);
    free(mail);
}

static void deliver_site(struct mail *mail, void *owner) {
    struct shard *shard = owner;
    struct site *site = CONTAINER_OF(mail, struct site, mail);
    struct site *before = shard->site;

    shard->site = site;
    shard->connections_max = site->connections_max;
    before->next = shard->retired;
    shard->retired = before;
    connection_switch_all(shard);
    site_watch_origins(before, shard->index, false);
    site_watch_origins(site, shard->index, true);
    relay_close(before->relay);
    sem_post(site->taken);
}

void shard_post_site(struct shard *shard, struct site *site) {
    CHECK(site->connections_max <= shard->connections_capacity);
    site->mail.deliver = deliver_site;
    mailbox_post(&shard->mailbox, &site->mail);
}

static void post(struct shard *shard, void (*deliver)(struct mail *, void *), uint32_t timeout_ms) {
    struct drain_mail *mail = malloc(sizeof *mail);

    CHECK(mail != NULL);
    mail->mail.deliver = deliver;
    mail->timeout_ms = timeout_ms;
    mailbox_post(&shard->mailbox, &mail->mail);
}

void shard_post_drain(struct shard *shard, uint32_t timeout_ms) {
    post(shard, deliver_drain, timeout_ms);
}

void shard_post_stop(struct shard *shard) {
    post(shard, deliver_stop, 0);
}
