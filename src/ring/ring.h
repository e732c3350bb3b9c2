/*
 * One io_uring for one pinned thread: its submission and completion loop, the provided receive buffers, the chunks that
 * hold what is still to be sent, and the timer wheel that sets how long the loop may sleep. Nothing here is shared
 * between threads; other threads reach a ring only through a mailbox (mailbox.h).
 *
 * Needs Linux 6.1: buffer rings, direct descriptors, DEFER_TASKRUN.
 */
#ifndef RING_RING_H
#define RING_RING_H

#include "base/error.h"
#include "ring/state.h"

/*
 * Makes the ring in the thread that will use it. 0, or a negative errno with one line in `error` that names the limit at
 * fault and what to change (RLIMIT_NOFILE, RLIMIT_MEMLOCK, kernel version, io_uring disabled).
 */
int ring_create(struct ring *ring, const struct ring_options *options, struct error *error);
/* Frees the ring. Every stream and listener must be closed, and `in_flight` be 0. */
void ring_destroy(struct ring *ring);

/*
 * One turn: runs the tasks that were put off, submits what was prepared, sleeps until a completion or a timer is due (at
 * most `wait_ms_max`), runs the handlers of all completions, then the timers, then the large receives. A turn that has run
 * tasks does not sleep, since what they have done may be a reason for the caller to act. 0, or a negative errno when the
 * ring itself is broken.
 */
int ring_turn(struct ring *ring, uint64_t wait_ms_max);

/*
 * Submits what was prepared, before the turn ends: for callers that have long work to do for which nobody waits. An error is
 * the next turn's to report.
 */
void ring_submit(struct ring *ring);

/* Returns whether operations have completed meanwhile, so that the next turn has work. */
bool ring_has_more(struct ring *ring);

/*
 * Has `task` run once, when all handlers that run now have returned, and before anything that they wrote leaves: for what a
 * function must not do while its caller is at work. Does nothing when this was asked for already.
 */
void ring_defer(struct ring *ring, struct ring_task *task);
/*
 * Runs the tasks that are put off now, for a caller that acts on what they do before it lets the next turn begin. One that
 * is put off anew meanwhile waits. Returns whether there were any.
 */
bool ring_run_tasks(struct ring *ring);
/* Has `task` not run. Does nothing when it is not put off. */
void ring_forget(struct ring_task *task);

#endif
