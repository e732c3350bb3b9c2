#include "ring/worker.h"

#include "base/log.h"
#include "ring/cores.h"

#include <stdlib.h>
#include <string.h>

/* A worker and the place where its thread writes why it has failed, until worker_start returns. */
struct start {
    struct worker *worker;
    struct error *error;
};

static int begin(struct worker *worker, struct error *error) {
    if (worker->core >= 0 && cores_pin(worker->core) < 0) {
        log_warning("%s: cannot be pinned to core %d", worker->name, worker->core);
    }
    int result = ring_create(worker->ring, &worker->options, error);
    if (result < 0) {
        return result;
    }
    result = worker->job->begin(worker->owner, error);
    if (result < 0) {
        ring_destroy(worker->ring);
        return result;
    }
    mailbox_attach(&worker->mailbox, worker->ring, worker->owner);
    return 0;
}

static void *run(void *argument) {
    struct start *start = argument;
    struct worker *worker = start->worker;
    uint64_t wait_ms = 0;

    worker->failed = begin(worker, start->error) < 0;
    sem_post(&worker->started); /* `start` is gone from now on */
    if (worker->failed) {
        return NULL;
    }
    do {
        int result = ring_turn(worker->ring, wait_ms);

        if (result < 0) {
            log_error("%s: io_uring failed: %s", worker->name, strerror(-result));
            abort();
        }
    } while (worker->job->turn(worker->owner, &wait_ms));
    if (worker->job->end(worker->owner)) {
        ring_destroy(worker->ring);
    }
    atomic_store(&worker->ended, true);
    return NULL;
}

static void wait_for_start(struct worker *worker) {
    while (sem_wait(&worker->started) < 0) {
    }
}

/* Creates the thread and waits until its job has begun. On failure no thread is left. */
static int create_thread(struct worker *worker, struct start *start, struct error *error) {
    int result = -pthread_create(&worker->thread, NULL, run, start);

    if (result < 0) {
        return error_fail(error, result, "cannot start a thread: %s", strerror(-result));
    }
    pthread_setname_np(worker->thread, worker->name);
    wait_for_start(worker);
    if (worker->failed) {
        pthread_join(worker->thread, NULL);
        return -1;
    }
    return 0;
}

int worker_start(struct worker *worker, struct error *error) {
    struct start start = {worker, error};
    int result = mailbox_create(&worker->mailbox);

    if (result < 0) {
        return error_fail(error, result, "cannot make an eventfd: %s", strerror(-result));
    }
    sem_init(&worker->started, 0, 0);
    result = create_thread(worker, &start, error);
    sem_destroy(&worker->started);
    if (result < 0) {
        mailbox_destroy(&worker->mailbox);
    }
    return result;
}

void worker_post(struct worker *worker, struct mail *mail) {
    mailbox_post(&worker->mailbox, mail);
}

void worker_close(struct worker *worker) {
    if (!worker->closed) {
        worker->closed = true;
        mailbox_detach(&worker->mailbox);
    }
}

bool worker_has_ended(const struct worker *worker) {
    return atomic_load(&worker->ended);
}

static void drop_mail(struct mailbox *mailbox) {
    struct mail *mail = atomic_exchange(&mailbox->first, NULL);

    while (mail != NULL) {
        struct mail *next = mail->next;

        if (mail->drop != NULL) {
            mail->drop(mail);
        } else {
            free(mail);
        }
        mail = next;
    }
}

void worker_join(struct worker *worker) {
    pthread_join(worker->thread, NULL);
    drop_mail(&worker->mailbox);
    mailbox_destroy(&worker->mailbox);
}
