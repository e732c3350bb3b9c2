/*
 * A thread with a ring and a mailbox of its own: started, turned until its work is over, and joined. In the
 * meantime the thread does a job, which its owner describes.
 */
#ifndef RING_WORKER_H
#define RING_WORKER_H

#include "ring/mailbox.h"
#include "ring/ring.h"

#include <pthread.h>
#include <semaphore.h>

enum { WORKER_NAME_SIZE = 16 /* the kernel's own limit */ };

/* The owner's functions, which all run in the worker's thread. */
struct worker_job {
    /* Makes what the thread needs beside its ring. 0, or a negative errno with `error` and nothing left in flight. */
    int (*begin)(void *owner, struct error *error);
    /* Does what is due after a turn of the ring, and sets how long the next one may sleep. False: the work is over. */
    bool (*turn)(void *owner, uint64_t *wait_ms);
    /* Frees what `begin` made. False: something was left over that the ring still knows, so that the ring is not freed. */
    bool (*end)(void *owner);
};

struct worker {
    /* Set before worker_start. The ring is part of the owner, whose functions use it all the time. */
    struct ring *ring;
    struct ring_options options;
    const struct worker_job *job;
    void *owner; /* handed to the job's functions and to mail */
    char name[WORKER_NAME_SIZE];
    int core; /* to which the thread is pinned; -1: none */

    struct mailbox mailbox;
    pthread_t thread;
    sem_t started; /* posted once, when `begin` has succeeded or the thread has failed */
    bool failed;
    bool closed;
    atomic_bool ended; /* the thread has nothing left to do */
};

/*
 * Starts the thread and returns when its job has begun: 0; or a negative errno with one line in `error`, and no thread is
 * left.
 */
int worker_start(struct worker *worker, struct error *error);
/* Posts mail to the thread, from any thread. Mail that comes after worker_close is dropped by worker_join. */
void worker_post(struct worker *worker, struct mail *mail);
/* Ends the delivery of mail. In the thread, before its work is over. A second call does nothing. */
void worker_close(struct worker *worker);
/* Returns whether no operation is in flight any more. In the thread. */
static inline bool worker_is_quiet(const struct worker *worker) {
    return worker->ring->in_flight == 0;
}
/* Returns whether the thread has ended, so that worker_join will not wait. From any thread. */
bool worker_has_ended(const struct worker *worker);
/* Waits for the end of the thread, and frees the mailbox. */
void worker_join(struct worker *worker);

#endif
