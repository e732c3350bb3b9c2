#include "server/shard_thread.h"

#include "base/check.h"
#include "base/log.h"
#include "base/recycler.h"
#include "crypto/p256.h"
#include "crypto/p256_keys.h"
#include "crypto/supply.h"
#include "edge/arrival.h"
#include "edge/connection.h"
#include "edge/eviction.h"
#include "edge/gate.h"
#include "edge/handshake.h"
#include "edge/http1.h"
#include "edge/http2.h"
#include "edge/http2_stream.h"
#include "edge/output.h"
#include "edge/passage.h"
#include "edge/screen.h"
#include "edge/tcp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    RECEIVE_BUFFERS = 128,
    CLOSING_STREAMS = 256,
    CHUNKS_MIN = 256,
    CHUNKS_MAX = 65536,
    IDLE_TURN_MS = 1000, /* how long a turn sleeps when nothing is due */
    LEAVE_MS = 2000,     /* before the limit of a drain, for last words to clients and their answers */
};

struct drain_mail {
    struct mail mail;
    uint32_t timeout_ms;
};

/* Makes the memory that all connections of this shard can need at once. */
static int create_pools(struct shard *shard, uint32_t idle_max) {
    uint32_t limit = shard->connections_capacity + SHARD_SPARE;

    if (slab_create(&shard->connections, sizeof(struct connection), limit) < 0) {
        return -ENOMEM;
    }
    if (slab_create(&shard->exchanges, sizeof(struct http1_exchange), limit) < 0) {
        goto fail_exchanges;
    }
    if (slab_create(&shard->streams, sizeof(struct http2_exchange), limit + idle_max) < 0) {
        goto fail_streams;
    }
    if (slab_create(&shard->rooms, sizeof(struct passage_room), limit) < 0) {
        goto fail_rooms;
    }
    /* A connection has a piece for its name, one for its chain, and two for bytes that it holds: while it works through one
       of these it may copy the rest to the other. */
    if (pieces_create(&shard->pieces, 4 * limit) < 0) {
        goto fail_pieces;
    }
    if (slab_create(&shard->tunnels, sizeof(struct tcp_tunnel), limit) < 0) {
        goto fail_tunnels;
    }
    /* A step that does not pause is over before another begins, but for those that end while it makes room for itself. */
    if (slab_create(&shard->steps, sizeof(struct handshake_step), BATCH_TASKS_MAX + 1) < 0) {
        goto fail_steps;
    }
    return 0;

fail_steps:
    slab_destroy(&shard->tunnels);
fail_tunnels:
    pieces_destroy(&shard->pieces);
fail_pieces:
    slab_destroy(&shard->rooms);
fail_rooms:
    slab_destroy(&shard->streams);
fail_streams:
    slab_destroy(&shard->exchanges);
fail_exchanges:
    slab_destroy(&shard->connections);
    return -ENOMEM;
}

static void destroy_pools(struct shard *shard) {
    slab_destroy(&shard->steps);
    slab_destroy(&shard->tunnels);
    pieces_destroy(&shard->pieces);
    slab_destroy(&shard->rooms);
    slab_destroy(&shard->streams);
    slab_destroy(&shard->exchanges);
    slab_destroy(&shard->connections);
}

static struct ring_options options_of_ring(const struct shard *shard) {
    uint32_t accepts = (uint32_t)(shard->listener_count * LISTENER_ACCEPTS);
    uint32_t chunks = 4 * shard->connections_capacity;

    return (struct ring_options){
        .accepted = shard->connections_capacity + SHARD_SPARE + accepts,
        /* One connection to an origin for each exchange, idle ones, and those that are closing. */
        .streams = 2 * (shard->connections_capacity + SHARD_SPARE) + accepts + RELAY_IDLE_TOTAL_MAX + CLOSING_STREAMS,
        .receive_buffers = RECEIVE_BUFFERS,
        .chunks = chunks < CHUNKS_MIN   ? CHUNKS_MIN
                  : chunks > CHUNKS_MAX ? CHUNKS_MAX
                                        : chunks,
    };
}

static int start_listeners(struct shard_thread *thread) {
    struct shard *shard = &thread->shard;

    shard->listeners = calloc(shard->listener_count, sizeof *shard->listeners);
    if (shard->listeners == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < shard->listener_count; i++) {
        listener_start(&shard->listeners[i], &shard->ring, thread->descriptors[i], arrival_accept, shard);
    }
    return 0;
}

static void limit_expired(struct timer *timer) {
    struct shard_thread *thread = CONTAINER_OF(timer, struct shard_thread, drain_limit);
    struct shard *shard = &thread->shard;

    if (thread->leave_ms == 0) {
        connection_stop_all(shard);
        return;
    }
    timer_set(&shard->ring.timers, &thread->drain_limit, ring_now_ms(&shard->ring), thread->leave_ms);
    thread->leave_ms = 0;
    connection_take_leave_all(shard);
}

static int begin(void *owner, struct error *error) {
    struct shard_thread *thread = owner;
    struct shard *shard = &thread->shard;

    list_init(&shard->all);
    list_init(&shard->http2_turn);
    error_set(error, "not enough memory: lower limits.connections");
    if (create_pools(shard, thread->idle_max) < 0) {
        return -ENOMEM;
    }
    shard->site = site_create(&shard->ring, thread->config, thread->hosts, shard->shared.tickets, shard->shared.health,
                              thread->idle_max, error);
    if (shard->site == NULL) {
        goto fail_site;
    }
    site_watch_origins(shard->site, shard->index, true);
    if (start_listeners(thread) < 0) {
        goto fail_listeners;
    }
    timer_init(&thread->drain_limit, limit_expired);
    shard->batch = batch_create();
    shard->supply = supply_create();
    shard->p256_keys = p256_keys_create();
    if ((shard->batch == NULL || shard->supply == NULL) && batch_is_wanted()) {
        log_warning("shard %u: not enough memory for batches: its public-key operations are computed one at a time",
                    shard->index);
    }
    if (shard->p256_keys == NULL && p256_supported()) {
        log_warning("shard %u: not enough memory to remember keys: each check of a signature costs as much as the first",
                    shard->index);
    }
    gate_open(shard);
    return 0;

fail_listeners:
    relay_close(shard->site->relay);
    site_release(shard->site);
fail_site:
    destroy_pools(shard);
    return -ENOMEM;
}

/* Ends, once no connection is left, what no connection needs: timer, mailbox, connections to origins. */
static void wind_up(struct shard_thread *thread) {
    if (thread->wound_up) {
        return;
    }
    thread->wound_up = true;
    timer_clear(&thread->shard.ring.timers, &thread->drain_limit);
    worker_close(&thread->worker);
    relay_close(thread->shard.site->relay);
}

/* Releases replaced sites that no connection uses any more. */
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

/* Copies the ring's counts of bytes to the counters, once a turn. */
static void tell_bytes(struct shard *shard) {
    stats_set(&shard->stats->received_bytes, shard->ring.accepted_received);
    stats_set(&shard->stats->sent_bytes, shard->ring.accepted_sent);
}

static bool is_over(struct shard_thread *thread) {
    struct shard *shard = &thread->shard;

    if (!shard->draining || !list_is_empty(&shard->all) || batch_paused(shard->batch) > 0) {
        return false;
    }
    wind_up(thread);
    return worker_is_quiet(&thread->worker) && relay_is_idle(shard->site->relay) && shard->retired == NULL;
}

/* Counts at the end, in every build, what was not given back: it would have leaked in a longer life. */
static int count_leftover(const struct shard *shard) {
    int leftover =
        (int)(shard->connections.in_use + shard->exchanges.in_use + shard->streams.in_use + shard->rooms.in_use +
              shard->tunnels.in_use + shard->steps.in_use + pieces_in_use(&shard->pieces) + shard->ring.in_flight +
              shard->ring.streams.in_use + shard->ring.chunks.in_use + shard->ring.timers.set);

    if (leftover != 0) {
        log_error("shard %u: left over: %u connections, %u exchanges, %u HTTP/2 streams, %u tunnels, %u steps, %u pieces, "
                  "%u operations, %u streams, %u chunks, %u timers",
                  shard->index, shard->connections.in_use, shard->exchanges.in_use, shard->streams.in_use,
                  shard->tunnels.in_use, shard->steps.in_use, pieces_in_use(&shard->pieces), shard->ring.in_flight,
                  shard->ring.streams.in_use, shard->ring.chunks.in_use, shard->ring.timers.set);
    }
    return leftover;
}

/* Nobody waits for what is made for those to come: what this turn has written leaves first. */
static void replenish(struct shard *shard) {
    if (supply_is_low(shard->supply)) {
        ring_submit(&shard->ring);
        supply_replenish(shard->supply);
    }
}

static bool turn(void *owner, uint64_t *wait_ms) {
    struct shard_thread *thread = owner;
    struct shard *shard = &thread->shard;

    gate_turn(shard);
    batch_turn(shard->batch, batch_paused(shard->batch) > 0 && ring_has_more(&shard->ring));
    http2_turn(shard);
    /* Tasks end the work of this turn for origins, and may have more to say to clients. */
    if (ring_run_tasks(&shard->ring)) {
        http2_turn(shard);
    }
    output_flush(shard);
    eviction_turn(shard);
    tell_bytes(shard);
    journal_turn(&shard->journal, shard->ring.now_ns);
    release_retired(shard);
    if (is_over(thread)) {
        return false;
    }
    replenish(shard);
    *wait_ms = batch_paused(shard->batch) > 0 ? 0 : gate_sleep_ms(shard, IDLE_TURN_MS);
    return true;
}

static bool end(void *owner) {
    struct shard_thread *thread = owner;
    struct shard *shard = &thread->shard;

    gate_close(shard);
    p256_keys_destroy(shard->p256_keys);
    supply_destroy(shard->supply);
    batch_destroy(shard->batch);
    thread->leftover = count_leftover(shard);
    site_release(shard->site);
    free(shard->listeners);
    if (thread->leftover != 0) {
        return false;
    }
    destroy_pools(shard);
    recycler_empty(); /* last: sites that are released give blocks back */
    return true;
}

int shard_thread_start(struct shard_thread *thread, struct error *error) {
    static const struct worker_job job = {begin, turn, end};

    thread->worker.ring = &thread->shard.ring;
    thread->worker.options = options_of_ring(&thread->shard);
    thread->worker.job = &job;
    thread->worker.owner = thread;
    snprintf(thread->worker.name, sizeof thread->worker.name, "shard %u", thread->shard.index);
    return worker_start(&thread->worker, error);
}

bool shard_thread_has_ended(const struct shard_thread *thread) {
    return worker_has_ended(&thread->worker);
}

int shard_thread_join(struct shard_thread *thread) {
    worker_join(&thread->worker);
    return thread->leftover;
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
    struct shard_thread *thread = owner;
    struct shard *shard = &thread->shard;

    begin_end(shard);
    connection_drain_all(shard);
    uint32_t timeout_ms = ((struct drain_mail *)mail)->timeout_ms;
    thread->leave_ms = timeout_ms > 2 * LEAVE_MS ? LEAVE_MS : timeout_ms / 2;
    timer_set(&shard->ring.timers, &thread->drain_limit, ring_now_ms(&shard->ring), timeout_ms - thread->leave_ms);
    free(mail);
}

static void deliver_stop(struct mail *mail, void *owner) {
    struct shard *shard = &((struct shard_thread *)owner)->shard;

    begin_end(shard);
    connection_stop_all(shard);
    free(mail);
}

static void deliver_site(struct mail *mail, void *owner) {
    struct shard *shard = &((struct shard_thread *)owner)->shard;
    struct site *site = CONTAINER_OF(mail, struct site, mail);
    struct site *before = shard->site;

    shard->site = site;
    shard->connections_max = site->connections_max;
    before->next = shard->retired;
    shard->retired = before;
    screen_site_changed(shard);
    connection_switch_all(shard);
    site_watch_origins(before, shard->index, false);
    site_watch_origins(site, shard->index, true);
    relay_close(before->relay);
    sem_post(site->taken);
}

void shard_thread_post_site(struct shard_thread *thread, struct site *site) {
    CHECK(site->connections_max <= thread->shard.connections_capacity);
    site->mail.deliver = deliver_site;
    worker_post(&thread->worker, &site->mail);
}

static void post(struct shard_thread *thread, void (*deliver)(struct mail *, void *), uint32_t timeout_ms) {
    struct drain_mail *mail = malloc(sizeof *mail);

    CHECK(mail != NULL);
    *mail = (struct drain_mail){.mail.deliver = deliver, .timeout_ms = timeout_ms};
    worker_post(&thread->worker, &mail->mail);
}

void shard_thread_post_drain(struct shard_thread *thread, uint32_t timeout_ms) {
    post(thread, deliver_drain, timeout_ms);
}

void shard_thread_post_stop(struct shard_thread *thread) {
    post(thread, deliver_stop, 0);
}
