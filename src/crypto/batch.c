#include "crypto/batch.h"

#include "base/check.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

/* Tasks that wait for operations of one kind, the oldest first. */
struct queue {
    struct list tasks;
    uint32_t length;
};

struct batch {
    struct fiber_pool fibers;
    struct queue waiting[LANES_KINDS];
    struct list ready; /* tasks that go on */
    uint32_t paused;
    struct batch_task *running; /* on a fiber */
};

/* This thread's. */
static _Thread_local struct batch *own;
static _Thread_local uint64_t charged_ns;

/* Runs ahead of the clock by what was charged. */
static uint64_t work_clock_ns(void) {
    return clock_monotonic_ns() + charged_ns;
}

/* Returns whether SALLYPORT_CRYPTO is this word; the empty one, also where there is no such variable. */
static bool is_wish(const char *word) {
    const char *wish = getenv("SALLYPORT_CRYPTO");

    return strcmp(wish == NULL ? "" : wish, word) == 0;
}

bool batch_wish_is_known(void) {
    return is_wish("") || is_wish("single") || is_wish("batch");
}

bool batch_wish_is_single(void) {
    return is_wish("single");
}

bool batch_is_missed(void) {
    return is_wish("batch") && !lanes_supported();
}

bool batch_is_wanted(void) {
    return lanes_supported() && !batch_wish_is_single();
}

struct batch *batch_create(void) {
    CHECK(own == NULL);
    if (!batch_is_wanted()) {
        return NULL;
    }
    struct batch *batch = calloc(1, sizeof *batch);
    if (batch == NULL) {
        return NULL;
    }
    if (fiber_pool_create(&batch->fibers, BATCH_TASKS_MAX, BATCH_STACK_SIZE) < 0) {
        free(batch);
        return NULL;
    }
    for (size_t i = 0; i < LANES_KINDS; i++) {
        list_init(&batch->waiting[i].tasks);
    }
    list_init(&batch->ready);
    own = batch;
    return batch;
}

void batch_destroy(struct batch *batch) {
    if (batch == NULL) {
        return;
    }
    CHECK(batch == own && batch->paused == 0);
    own = NULL;
    fiber_pool_destroy(&batch->fibers);
    free(batch);
}

uint32_t batch_paused(const struct batch *batch) {
    return batch == NULL ? 0 : batch->paused;
}

bool batch_is_full(const struct batch *batch) {
    return batch != NULL && !fiber_is_free(&batch->fibers);
}

static struct batch_task *first_of(const struct list *list) {
    return CONTAINER_OF(list_first(list), struct batch_task, link);
}

static void run_on_fiber(void *argument) {
    struct batch_task *task = argument;

    task->run(task);
}

bool batch_run(struct batch *batch, struct batch_task *task) {
    CHECK(fiber_current() == NULL);
    task->spent_ns = 0;
    task->away_ns = 0;
    task->has_paused = false;
    if (batch == NULL || batch_is_full(batch)) {
        task->run(task);
        return false;
    }
    CHECK(batch == own);
    batch->running = task;
    bool paused = fiber_start(&batch->fibers, run_on_fiber, task) != NULL;
    batch->running = NULL;
    return paused;
}

bool batch_may_pause(void) {
    return own != NULL && own->running != NULL;
}

bool batch_compute(enum lanes_kind kind, void *job) {
    return batch_compute_prepared(kind, job, NULL);
}

bool batch_compute_prepared(enum lanes_kind kind, void *job, void (*prepare)(void *job)) {
    if (kind == LANES_KINDS || !batch_may_pause()) {
        return false;
    }
    struct batch *batch = own;
    struct batch_task *task = batch->running;
    uint64_t now_ns = work_clock_ns();

    if (task->has_paused) {
        task->spent_ns += now_ns - task->since_ns;
    }
    task->has_paused = true;
    task->since_ns = now_ns;
    task->fiber = fiber_current();
    task->job = job;
    task->prepare = prepare;
    task->done = false;
    task->was_left = false;
    list_append(&batch->waiting[kind].tasks, &task->link);
    batch->waiting[kind].length++;
    batch->paused++;
    fiber_pause();
    return task->done;
}

/* Goes on with a task whose operation was computed, or is its own to compute. */
static void go_on(struct batch *batch, struct batch_task *task) {
    uint64_t now_ns = work_clock_ns();

    list_remove(&task->link);
    batch->paused--;
    task->away_ns += now_ns - task->since_ns;
    task->since_ns = now_ns;
    batch->running = task;
    bool paused = fiber_resume(task->fiber);
    batch->running = NULL;
    if (!paused) {
        task->spent_ns += work_clock_ns() - task->since_ns;
        task->ended(task);
    }
}

/*
 * Computes for the first tasks that wait for operations of that kind, and has them be ready. A call costs the same however
 * many jobs it has. So nine operations are cheapest as a call of eight and a single one: two calls with five and four would
 * cost a call instead of the single one, and a rest that is worth a call gets one in any case.
 */
static void serve(struct batch *batch, enum lanes_kind kind) {
    struct queue *queue = &batch->waiting[kind];
    struct batch_task *tasks[LANES_MAX];
    void *jobs[LANES_MAX];
    size_t count = 0;

    while (count < LANES_MAX && queue->length > 0) {
        struct batch_task *task = first_of(&queue->tasks);

        list_remove(&task->link);
        queue->length--;
        list_append(&batch->ready, &task->link);
        tasks[count] = task;
        jobs[count] = task->job;
        count++;
    }
    CHECK(count > 0);
    if (count < lanes_worth(kind)) {
        return;
    }
    uint64_t began_ns = work_clock_ns();
    for (size_t i = 0; i < count; i++) {
        if (tasks[i]->prepare != NULL) {
            tasks[i]->prepare(jobs[i]);
        }
    }
    lanes_compute(kind, jobs, count);
    uint64_t share_ns = (work_clock_ns() - began_ns) / count;
    for (size_t i = 0; i < count; i++) {
        tasks[i]->done = true;
        tasks[i]->spent_ns += share_ns;
        tasks[i]->away_ns -= share_ns; /* go_on adds more than that */
    }
}

/*
 * Returns the kind to be served next; LANES_KINDS: none. A group that is full comes first: it cannot become cheaper. Then
 * come the kinds in the order in which a handshake needs them. So those that are behind come to where others wait already.
 */
static enum lanes_kind next_kind(const struct batch *batch, bool leaves) {
    size_t best = LANES_KINDS;

    for (size_t kind = LANES_KINDS; kind-- > 0;) {
        const struct queue *queue = &batch->waiting[kind];

        if (queue->length >= LANES_MAX) {
            return (enum lanes_kind)kind;
        }
        if (queue->length > 0 && (!leaves || first_of(&queue->tasks)->was_left)) {
            best = kind;
        }
    }
    return (enum lanes_kind)best;
}

/* Has tasks go on until none is paused, or only those are that may be left. */
static void compute(struct batch *batch, bool leaves) {
    CHECK(fiber_current() == NULL);
    while (batch->paused > 0) {
        if (list_is_empty(&batch->ready)) {
            enum lanes_kind kind = next_kind(batch, leaves);

            if (kind == LANES_KINDS) {
                return;
            }
            serve(batch, kind);
        }
        go_on(batch, first_of(&batch->ready));
    }
}

void batch_flush(struct batch *batch) {
    if (batch != NULL) {
        compute(batch, false);
    }
}

void batch_flush_full(struct batch *batch) {
    if (batch != NULL) {
        compute(batch, true);
    }
}

void batch_turn(struct batch *batch, bool more) {
    if (batch == NULL) {
        return;
    }
    compute(batch, more);
    for (size_t kind = 0; kind < LANES_KINDS; kind++) {
        if (batch->waiting[kind].length > 0) {
            first_of(&batch->waiting[kind].tasks)->was_left = true; /* the others are in its group */
        }
    }
}

void batch_charge(int64_t ns) {
    charged_ns += (uint64_t)ns; /* which may be negative */
}

uint64_t batch_clock_ns(void) {
    uint64_t now_ns = work_clock_ns();

    return own == NULL || own->running == NULL ? now_ns : now_ns - own->running->away_ns;
}
