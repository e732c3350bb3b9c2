/*
 * Public-key work in batches. A shard's handshakes run on fibers, and each stops where it needs a public-key operation. At
 * the end of the turn the operations that the turn has brought are computed, up to eight of a kind at once (crypto/lanes),
 * and the handshakes go on, until none waits. The thread never sleeps for more to come: an operation that has no company is
 * its caller's to compute, as if there were no batches. But when the next turn has work already, what does not fill a group
 * is left for it, once.
 *
 * Everything is one thread's: each thread may have one batch.
 */
#ifndef CRYPTO_BATCH_H
#define CRYPTO_BATCH_H

#include "base/fiber.h"
#include "base/list.h"
#include "crypto/lanes.h"

enum {
    BATCH_TASKS_MAX = 64,          /* that may be paused at once */
    BATCH_STACK_SIZE = 256 * 1024, /* bytes: wolfCrypt's RSA of 8,192 bits and the path code need some 60 KiB, ASan more */
};

struct batch;

/*
 * The environment's wish: SALLYPORT_CRYPTO is `single` or `batch`. Where it is absent or empty, there are batches if the
 * processor has what they need; `batch` gives no more than that, but it is a demand.
 */
bool batch_wish_is_known(void);
/*
 * Returns whether the wish is `single`: then wolfCrypt computes what could have company, and long messages of AES-GCM
 * (crypto/gcm).
 */
bool batch_wish_is_single(void);
/* Returns whether batches are demanded and the processor does not have what they need: then there are none. */
bool batch_is_missed(void);

/* Returns whether there are batches in this process: the processor has what they need, and the wish is not `single`. */
bool batch_is_wanted(void);

/* A piece of work that may pause. */
struct batch_task {
    void (*run)(struct batch_task *task);
    /* Called by batch_flush when a `run` that had paused has returned. May free the task. */
    void (*ended)(struct batch_task *task);
    /*
     * CPU time in ns that the task has cost since it paused first, with its shares of what was computed in company. Before
     * that, its time is part of its caller's.
     */
    uint64_t spent_ns;
    /* This and the rest are the batch's. */
    struct fiber *fiber;
    struct list link; /* among those that wait for operations of a kind, or that may go on */
    void *job;
    void (*prepare)(void *job);
    bool done; /* the job was computed */
    bool has_paused;
    bool was_left;     /* by batch_turn */
    uint64_t since_ns; /* it paused, or went on */
    uint64_t away_ns;  /* of its time on the clock it was paused, without its shares */
};

/* Makes the thread's batch. NULL: batches are not wanted, or there is no memory for one; all goes on without. */
struct batch *batch_create(void);
/* Frees the batch. No task may be paused. NULL is allowed. */
void batch_destroy(struct batch *batch);

/*
 * Runs task->run. Returns whether it has paused: then task->ended is called by a later batch_flush. Not in a task. Without a
 * batch (NULL), or when it is full, the task does not pause.
 */
bool batch_run(struct batch *batch, struct batch_task *task);
/* Computes what tasks wait for, and has them go on, until none is paused. May be called by task->ended. Not in a task. */
void batch_flush(struct batch *batch);
/* Does the same only for groups of eight, and for tasks that batch_turn has left. */
void batch_flush_full(struct batch *batch);
/*
 * For the end of a turn. `more`: the next turn has work and begins at once, so that tasks whose group is not full are left
 * for its end. None is left twice.
 */
void batch_turn(struct batch *batch, bool more);
/* Returns how many tasks are paused; and whether they are as many as may be. */
uint32_t batch_paused(const struct batch *batch);
bool batch_is_full(const struct batch *batch);

/*
 * Has the operation computed in company, while the task that runs pauses. False: it was not computed, and the caller is to
 * compute it. `job` is the struct of crypto/lanes that belongs to the kind, whose `good` tells the result. There is never
 * company for LANES_KINDS, which is no kind.
 */
bool batch_compute(enum lanes_kind kind, void *job);
/*
 * The same for a job that lacks what costs time, or should not lie around: secrets, or numbers as lanes want them. `prepare`
 * adds them when the job has company, and is not called otherwise. It runs outside of the task, and may not pause.
 */
bool batch_compute_prepared(enum lanes_kind kind, void *job, void (*prepare)(void *job));

/* Returns whether a task runs that may pause. If not, batch_compute is false. */
bool batch_may_pause(void);

/*
 * Returns a clock in ns that stands still while the task that runs is paused, but for its share of what was computed, and
 * runs ahead by what is charged.
 */
uint64_t batch_clock_ns(void);
/* Charges whoever runs on this thread for work that was done before, or for less than passes (negative) when it is for
 * others. */
void batch_charge(int64_t ns);

#endif
