#include "edge/gate.h"

#include "base/check.h"
#include "base/clock.h"
#include "crypto/batch.h"
#include "edge/held.h"
#include "edge/place.h"
#include "edge/reputation.h"
#include "edge/screen.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    WAITING_MAX = 8192, /* hellos of one shard */
    COMPANY = 16,       /* handshakes that are taken up together: enough for full batches, and some 2 ms of work */
    /*
     * The dearest step of a handshake, a proof with an RSA key of 8,192 bits, takes 3 ms. A step that took longer than this
     * did not work for all of the time: the machine had stopped the thread.
     */
    STEP_NS_MAX = 20 * 1000 * 1000,
};

_Static_assert((int)ADMISSION_GROUP_MAX == (int)LANES_MAX, "a group fills a batch");
_Static_assert((int)STATS_CLASS_COUNT == (int)ADMISSION_CLASSES && (int)STATS_SUSPECT == (int)ADMISSION_SUSPECT,
               "counted by the same classes");

static uint64_t thread_cpu_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/*
 * Returns the time in ns during which this thread ran, or was ready to run and waited for a CPU (proc(5), schedstat). The
 * rest of a window is idle time. If schedstat cannot be read, only CPU time is counted, and waiting for a CPU looks like
 * idle time.
 */
static uint64_t thread_busy_ns(const struct shard *shard) {
    char text[80];
    ssize_t size = shard->gate.schedstat < 0 ? -1 : pread(shard->gate.schedstat, text, sizeof text - 1, 0);

    if (size > 0) {
        text[size] = '\0';
        char *behind_used;
        uint64_t used_ns = strtoull(text, &behind_used, 10);
        char *behind_waited;
        uint64_t waited_ns = strtoull(behind_used, &behind_waited, 10);
        if (behind_waited != behind_used) {
            return used_ns + waited_ns;
        }
    }
    return thread_cpu_ns();
}

void gate_open(struct shard *shard) {
    uint32_t waiting_max = shard->connections_capacity < WAITING_MAX ? shard->connections_capacity : WAITING_MAX;

    admission_init(&shard->gate.admission, waiting_max, clock_monotonic_ns());
    admission_begin_groups(&shard->gate.admission, shard->batch == NULL ? 1 : LANES_MAX);
    shard->gate.schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    shard->gate.busy_ns = thread_busy_ns(shard);
    screen_open(shard);
}

void gate_close(struct shard *shard) {
    if (shard->gate.schedstat >= 0) {
        close(shard->gate.schedstat);
    }
}

enum admission_class gate_class_of(enum source_standing standing) {
    switch (standing) {
    case SOURCE_KNOWN:
        return ADMISSION_KNOWN;
    case SOURCE_SUSPECT:
        return ADMISSION_SUSPECT;
    case SOURCE_UNKNOWN:
        break;
    }
    return ADMISSION_UNKNOWN;
}

static void refuse_arrival(struct shard *shard, enum stats_rejection why) {
    stats_add(&shard->stats->rejected[STATS_AT_ACCEPT][why], 1);
}

/* Has the kernel drop the SYNs of the client for a while, if it sees them: those of a balancer are of all its clients. */
static void block(struct shard *shard, const struct sockaddr *client, bool direct) {
    if (direct) {
        screen_block(shard, client);
    }
}

bool gate_arrive(struct shard *shard, const struct sockaddr *client, bool direct, uint32_t *source, uint8_t *class) {
    const struct config_admission *settings = &shard->site->config->admission;

    *source = SOURCE_UNTRACKED;
    *class = ADMISSION_KNOWN;
    if (prefix_any_covers(settings->allow, settings->allow_count, client)) {
        return true;
    }
    enum source_standing standing;
    enum source_arrival arrival =
        sources_arrive(shard->shared.sources, client, &settings->source, ring_now_ms(&shard->ring), source, &standing);
    if (standing != SOURCE_KNOWN && direct) {
        sampling_count(&shard->screen.sampling);
    }
    switch (arrival) {
    case SOURCE_OVER_RATE:
        refuse_arrival(shard, STATS_REJECT_SOURCE_RATE);
        if (!shard_is_calm(shard)) { /* even a refusal costs something, and the source may be one that was known */
            block(shard, client, direct);
        }
        return false;
    case SOURCE_OVER_CONNECTIONS:
        refuse_arrival(shard, STATS_REJECT_SOURCE_LIMIT);
        return false;
    case SOURCE_ADMITTED:
        break;
    }
    *class = (uint8_t)gate_class_of(standing);
    if (standing == SOURCE_SUSPECT && !shard_is_calm(shard)) {
        sources_leave(shard->shared.sources, *source);
        *source = SOURCE_UNTRACKED;
        admission_refuse(&shard->gate.admission, 1);
        refuse_arrival(shard, STATS_REJECT_SUSPECT);
        block(shard, client, direct);
        return false;
    }
    return true;
}

void gate_stop_counting(struct connection *connection) {
    if (connection->queue.counts_for_source) {
        connection->queue.counts_for_source = false;
        sources_end_wait(connection->client.shard->shared.sources, connection->client.standing.source);
    }
}

void gate_forget(struct connection *connection) {
    admission_forget(&connection->client.shard->gate.admission, &connection->queue.entry);
    gate_stop_counting(connection);
}

void gate_refuse(struct connection *connection, enum stats_rejection why) {
    admission_refuse(&connection->client.shard->gate.admission, 1);
    connection_refuse(connection, STATS_AT_ADMISSION, why, CONNECTION_BLAME_NONE, CONNECTION_BY_RESET);
}

static struct connection *connection_of(struct admission_entry *entry) {
    return CONTAINER_OF(entry, struct connection, queue.entry);
}

void gate_wait(struct connection *connection, enum admission_step step) {
    struct shard *shard = connection->client.shard;
    struct admission_entry *refused = admission_wait(&shard->gate.admission, &connection->queue.entry,
                                                     connection->client.standing.class, step, shard->ring.now_ns);

    if (refused != NULL) {
        gate_refuse(connection_of(refused), STATS_REJECT_OVERLOAD);
    }
}

struct gate_work gate_work_begin(const struct connection *connection) {
    return (struct gate_work){.began_ns = batch_clock_ns(),
                              .class = (enum admission_class)connection->client.standing.class};
}

void gate_work_put_off(const struct connection *connection, struct gate_work *work) {
    work->spent_ns += batch_clock_ns() - work->began_ns;
    work->charge = admission_put_off(&connection->client.shard->gate.admission);
}

void gate_work_take_up(const struct connection *connection, struct gate_work *work, uint64_t spent_ns) {
    work->spent_ns += spent_ns;
    work->began_ns = batch_clock_ns();
    admission_take_up(&connection->client.shard->gate.admission, work->charge);
}

void gate_work_end(struct connection *connection, struct gate_work work) {
    struct shard *shard = connection->client.shard;
    uint64_t passed_ns = batch_clock_ns() - work.began_ns + work.spent_ns;
    uint64_t spent_ns = passed_ns < STEP_NS_MAX ? passed_ns : STEP_NS_MAX;

    admission_spend(&shard->gate.admission, work.class, spent_ns);
    if (connection->client.by_proxy && work.class != ADMISSION_KNOWN) {
        shard->gate.behind_proxies_ns += spent_ns;
    }
    if (work.class == ADMISSION_KNOWN && !shard_is_calm(shard)) {
        reputation_spend(&connection->client, spent_ns);
    }
    stats_add(&shard->stats->handshake_work_ns[work.class], spent_ns);
}

/* Takes up a connection whose turn has come. */
static void take_up(struct connection *connection) {
    struct connection_held held = held_take(connection);

    connection->stage->taken_up(connection, bytes_of(held.data, held.size));
    held_give_back(connection, &held);
    connection_arm(connection);
}

/* Returns the time that handshakes of these classes took in the window that is about to end. */
static uint64_t work_of(const struct shard *shard, enum admission_class first, enum admission_class last) {
    uint64_t sum_ns = 0;

    for (size_t class = first; class <= last; class ++) {
        sum_ns += shard->gate.admission.budgets[class].spent;
    }
    return sum_ns;
}

/* Returns the time that strangers took in that window whose SYNs the kernel can drop, and begins to count anew. */
static uint64_t work_of_heard(struct shard *shard) {
    uint64_t all_ns = work_of(shard, ADMISSION_RETURNING, ADMISSION_SUSPECT);
    uint64_t behind_proxies_ns = shard->gate.behind_proxies_ns;

    shard->gate.behind_proxies_ns = 0;
    return all_ns > behind_proxies_ns ? all_ns - behind_proxies_ns : 0;
}

/* Does not take the time spent in io_uring_enter as idle time: the kernel does much of the thread's work in that call. */
static void end_window(struct shard *shard) {
    uint64_t busy_ns = thread_busy_ns(shard);
    uint64_t used_ns = busy_ns - shard->gate.busy_ns;
    struct sampling_window window = {
        .duration_ns = shard->ring.now_ns - shard->gate.admission.window_began_ns,
        .known_ns = work_of(shard, ADMISSION_KNOWN, ADMISSION_KNOWN),
        .strangers_ns = work_of_heard(shard),
    };

    window.idle_ns = used_ns < window.duration_ns ? window.duration_ns - used_ns : 0;
    screen_count_drops(shard);
    if (place_is_full(shard)) {
        admission_crowd(&shard->gate.admission);
    }
    admission_end_window(&shard->gate.admission, shard->ring.now_ns, used_ns);
    shard->gate.busy_ns = busy_ns;
    atomic_store_explicit(&shard->stats->admission_state, shard->gate.admission.state, memory_order_relaxed);
    window.state = shard->gate.admission.state;
    screen_end_window(shard, &window);
}

static void take_up_all(struct shard *shard) {
    struct admission_entry *entry;

    while ((entry = admission_next(&shard->gate.admission, clock_monotonic_ns())) != NULL) {
        take_up(connection_of(entry));
        /* The cost that they share is known when they are computed, and says whether there is time for more. */
        if (batch_paused(shard->batch) >= COMPANY) {
            batch_flush_full(shard->batch);
        }
    }
}

void gate_turn(struct shard *shard) {
    struct admission *admission = &shard->gate.admission;

    if (admission_turn(admission, shard->ring.now_ns)) {
        end_window(shard);
    }
    struct admission_entry *entry;
    while ((entry = admission_next_expired(admission, shard->ring.now_ns)) != NULL) {
        gate_refuse(connection_of(entry), STATS_REJECT_OVERLOAD);
    }
    if (admission->waiting == 0) {
        return;
    }
    if (shard_is_calm(shard)) {
        take_up_all(shard);
        return;
    }
    uint64_t began_ns = thread_cpu_ns();
    take_up_all(shard);
    batch_flush_full(shard->batch);
    admission_end_group(admission, thread_cpu_ns() - began_ns);
}

uint64_t gate_sleep_ms(const struct shard *shard, uint64_t most) {
    uint64_t sleep_ms = admission_sleep_ms(&shard->gate.admission, shard->ring.now_ns);

    return sleep_ms < most ? sleep_ms : most;
}
