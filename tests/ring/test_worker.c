#include "ring/worker.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The owner of a worker. */
struct crew {
    struct worker worker;
    struct ring ring;
    pthread_t thread; /* that ran the job */
    unsigned begun;
    unsigned mails;
    unsigned ended;
    bool refuses;
    bool leaves_over;
    bool stopping;
};

static int begin(void *owner, struct error *error) {
    struct crew *crew = owner;

    crew->begun++;
    crew->thread = pthread_self();
    if (crew->refuses) {
        return error_fail(error, -ENOMEM, "not today");
    }
    return 0;
}

static bool turn(void *owner, uint64_t *wait_ms) {
    struct crew *crew = owner;

    *wait_ms = 10000;
    if (crew->stopping) {
        worker_close(&crew->worker);
        worker_close(&crew->worker);
    }
    return !crew->stopping || !worker_is_quiet(&crew->worker);
}

static bool end(void *owner) {
    struct crew *crew = owner;

    crew->ended++;
    return !crew->leaves_over;
}

static const struct worker_job job = {begin, turn, end};

static struct crew *make_crew(void) {
    struct crew *crew = calloc(1, sizeof *crew);

    cr_assert_not_null(crew);
    crew->worker = (struct worker){
        .ring = &crew->ring,
        .options = {.accepted = 16, .streams = 16, .receive_buffers = 16, .chunks = 16},
        .job = &job,
        .owner = crew,
        .name = "crew",
        .core = -1,
    };
    return crew;
}

static void deliver(struct mail *mail, void *owner) {
    ((struct crew *)owner)->mails++;
    free(mail);
}

static void deliver_stop(struct mail *mail, void *owner) {
    ((struct crew *)owner)->stopping = true;
    free(mail);
}

static void post(struct crew *crew, void (*how)(struct mail *, void *)) {
    struct mail *mail = malloc(sizeof *mail);

    cr_assert_not_null(mail);
    *mail = (struct mail){.deliver = how};
    worker_post(&crew->worker, mail);
}

Test(worker, begins_gets_its_mail_and_ends) {
    struct crew *crew = make_crew();
    struct error error;

    cr_assert_eq(worker_start(&crew->worker, &error), 0, "%s", error.text);
    cr_assert_eq(crew->begun, 1);
    cr_assert_not(worker_has_ended(&crew->worker));
    post(crew, deliver);
    post(crew, deliver);
    post(crew, deliver_stop);
    worker_join(&crew->worker);
    cr_assert(worker_has_ended(&crew->worker));
    cr_assert_eq(crew->mails, 2);
    cr_assert_eq(crew->ended, 1);
    cr_assert_not(pthread_equal(crew->thread, pthread_self()));
    free(crew);
}

/* The address sanitizer finds mail that is not freed. */
Test(worker, mail_behind_the_end_is_freed) {
    struct crew *crew = make_crew();
    struct error error;

    cr_assert_eq(worker_start(&crew->worker, &error), 0, "%s", error.text);
    post(crew, deliver_stop);
    while (!worker_has_ended(&crew->worker)) {
        usleep(1000);
    }
    post(crew, deliver);
    worker_join(&crew->worker);
    cr_assert_eq(crew->mails, 0);
    free(crew);
}

Test(worker, a_job_that_cannot_begin_is_told_and_leaves_no_thread) {
    struct crew *crew = make_crew();
    struct error error;

    crew->refuses = true;
    cr_assert_lt(worker_start(&crew->worker, &error), 0);
    cr_assert_str_eq(error.text, "not today");
    cr_assert_eq(crew->ended, 0);
    free(crew);
}

Test(worker, a_ring_that_cannot_be_made_is_told) {
    struct crew *crew = make_crew();
    struct error error;

    crew->worker.options.accepted = 1 << 30;
    cr_assert_lt(worker_start(&crew->worker, &error), 0);
    cr_assert_str_neq(error.text, "");
    cr_assert_eq(crew->begun, 0);
    free(crew);
}
