#include "crypto/batch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct batch *batch;

static void begin(void) {
    batch = batch_create();
    if (batch == NULL) {
        cr_skip_test("this processor has no AVX-512 IFMA, or SALLYPORT_CRYPTO is single");
    }
}

static void end(void) {
    batch_destroy(batch);
}

TestSuite(batch, .init = begin, .fini = end);

static char events[256];

static void note(const char *event) {
    strncat(events, event, sizeof events - strlen(events) - 1);
}

/* A task that needs `rounds` operations, one behind the other. */
struct work {
    struct batch_task task;
    int rounds;
    int done;  /* that were computed in company */
    int alone; /* and that were not */
    bool over;
    uint8_t key[LANES_X25519_SIZE];
    struct lanes_x25519_public job;
};

static void run(struct batch_task *task) {
    struct work *work = CONTAINER_OF(task, struct work, task);

    for (int i = 0; i < work->rounds; i++) {
        work->job = (struct lanes_x25519_public){.private_key = work->key};
        bool done = batch_compute(LANES_X25519_PUBLIC, &work->job);
        work->done += done;
        work->alone += !done;
    }
}

static void ended(struct batch_task *task) {
    CONTAINER_OF(task, struct work, task)->over = true;
    note(".");
}

static bool start(struct work *work, int rounds, uint8_t key) {
    *work = (struct work){.task = {.run = run, .ended = ended}, .rounds = rounds};
    memset(work->key, key, sizeof work->key);
    return batch_run(batch, &work->task);
}

static void check_result(const struct work *work, uint8_t key) {
    uint8_t secret[LANES_X25519_SIZE];
    struct lanes_x25519_public job = {.private_key = secret};
    struct lanes_x25519_public *jobs[] = {&job};

    memset(secret, key, sizeof secret);
    lanes_x25519_public(jobs, 1);
    cr_assert(work->job.good);
    cr_assert_arr_eq(work->job.public_key, job.public_key, sizeof job.public_key);
}

Test(batch, a_task_without_operations_never_pauses) {
    struct work work;

    cr_assert_not(start(&work, 0, 1));
    cr_assert_eq(batch_paused(batch), 0);
    batch_flush(batch);
    cr_assert_not(work.over, "ended() is for tasks that have paused");
}

Test(batch, an_operation_without_company_is_its_callers) {
    struct work work;

    cr_assert(start(&work, 2, 1));
    cr_assert_eq(batch_paused(batch), 1);
    batch_flush(batch);
    cr_assert(work.over);
    cr_assert_eq(work.alone, 2);
    cr_assert_eq(work.done, 0);
    cr_assert_eq(batch_paused(batch), 0);
}

Test(batch, operations_in_company_are_computed_each_with_its_own_key) {
    struct work works[2 * LANES_MAX + 1];
    size_t count = ARRAY_LENGTH(works);

    for (size_t i = 0; i < count; i++) {
        cr_assert(start(&works[i], 1, (uint8_t)(i + 1)));
    }
    cr_assert_eq(batch_paused(batch), count);
    batch_flush(batch);
    for (size_t i = 0; i < count; i++) {
        cr_assert(works[i].over);
        cr_assert_eq(works[i].done + works[i].alone, 1);
        cr_assert_eq(works[i].done, i < 2 * LANES_MAX, "the last one is left over");
        if (works[i].done == 1) {
            check_result(&works[i], (uint8_t)(i + 1));
        }
    }
}

Test(batch, a_group_is_computed_from_as_many_on_as_it_is_worth) {
    size_t worth = lanes_worth(LANES_X25519_PUBLIC);
    struct work works[LANES_MAX];

    cr_assert_gt(worth, 1);
    cr_assert_leq(worth, LANES_MAX);
    for (size_t count = worth - 1; count <= worth; count++) {
        for (size_t i = 0; i < count; i++) {
            start(&works[i], 1, 3);
        }
        batch_flush(batch);
        for (size_t i = 0; i < count; i++) {
            cr_assert_eq(works[i].done, count >= worth);
        }
    }
}

Test(batch, tasks_pause_as_often_as_they_need_to) {
    struct work works[LANES_MAX];

    for (int i = 0; i < LANES_MAX; i++) {
        start(&works[i], 1 + i, (uint8_t)(i + 1));
    }
    batch_flush(batch);
    for (int i = 0; i < LANES_MAX; i++) {
        cr_assert(works[i].over);
        cr_assert_eq(works[i].done + works[i].alone, 1 + i);
    }
    /* As long as there are enough of them. */
    cr_assert_eq(works[LANES_MAX - 1].done, LANES_MAX + 1 - (int)lanes_worth(LANES_X25519_PUBLIC));
}

Test(batch, a_full_one_has_tasks_run_alone) {
    static struct work works[BATCH_TASKS_MAX + 1];

    for (size_t i = 0; i < BATCH_TASKS_MAX; i++) {
        cr_assert_not(batch_is_full(batch));
        cr_assert(start(&works[i], 1, 1));
    }
    cr_assert(batch_is_full(batch));
    cr_assert_not(start(&works[BATCH_TASKS_MAX], 1, 1));
    cr_assert_eq(works[BATCH_TASKS_MAX].alone, 1);
    batch_flush(batch);
    for (size_t i = 0; i < BATCH_TASKS_MAX; i++) {
        cr_assert_eq(works[i].done, 1);
    }
}

static size_t count_over(const struct work *works, size_t count) {
    size_t over = 0;

    for (size_t i = 0; i < count; i++) {
        over += works[i].over;
    }
    return over;
}

Test(batch, a_turn_that_others_follow_leaves_what_fills_no_group_and_leaves_nothing_twice) {
    struct work works[LANES_MAX + 2];
    struct work later;

    for (size_t i = 0; i < ARRAY_LENGTH(works); i++) {
        start(&works[i], 1, 1);
    }
    batch_turn(batch, true);
    cr_assert_eq(count_over(works, LANES_MAX), LANES_MAX);
    cr_assert_eq(batch_paused(batch), 2);
    start(&later, 1, 1);
    batch_turn(batch, true);
    cr_assert_eq(count_over(works, ARRAY_LENGTH(works)), ARRAY_LENGTH(works));
    cr_assert(later.over, "it is in the same group");
    cr_assert_eq(batch_paused(batch), 0);
}

Test(batch, a_turn_that_none_follows_leaves_nothing) {
    struct work works[LANES_MAX + 2];

    for (size_t i = 0; i < ARRAY_LENGTH(works); i++) {
        start(&works[i], 2, 1);
    }
    batch_turn(batch, false);
    cr_assert_eq(count_over(works, ARRAY_LENGTH(works)), ARRAY_LENGTH(works));
    cr_assert_eq(batch_paused(batch), 0);
}

Test(batch, those_left_find_company_in_the_next_turn) {
    struct work works[LANES_MAX];

    for (size_t i = 0; i < ARRAY_LENGTH(works); i++) {
        start(&works[i], 1, (uint8_t)i);
        if (i == 0) {
            batch_turn(batch, true);
        }
    }
    batch_turn(batch, true);
    for (size_t i = 0; i < ARRAY_LENGTH(works); i++) {
        cr_assert_eq(works[i].done, 1);
        check_result(&works[i], (uint8_t)i);
    }
}

Test(batch, a_flush_of_full_groups_leaves_the_rest) {
    struct work works[LANES_MAX + 2];

    for (size_t i = 0; i < ARRAY_LENGTH(works); i++) {
        start(&works[i], 1, 1);
    }
    batch_flush_full(batch);
    batch_flush_full(batch);
    cr_assert_eq(batch_paused(batch), 2);
    batch_flush(batch);
    cr_assert_eq(batch_paused(batch), 0);
}

/* Has all others come to their ends, as the owner of a task may do that ends. */
static void flush_others(struct batch_task *task) {
    note("(");
    batch_flush(batch);
    note(")");
}

Test(batch, may_be_flushed_by_a_task_that_ends) {
    struct work works[LANES_MAX];

    for (int i = 0; i < LANES_MAX; i++) {
        start(&works[i], 1, 1);
    }
    works[2].task.ended = flush_others;
    batch_flush(batch);
    cr_assert_str_eq(events, "..(.....)");
}

/* Frees itself, as the owner of a task may do. */
static void free_itself(struct batch_task *task) {
    free(CONTAINER_OF(task, struct work, task));
    note("f");
}

Test(batch, lets_go_of_a_task_that_has_ended) {
    for (int i = 0; i < LANES_MAX; i++) {
        struct work *work = malloc(sizeof *work);

        start(work, 1, 1);
        work->task.ended = free_itself;
    }
    batch_flush(batch);
    cr_assert_str_eq(events, "ffffffff");
}

static uint64_t seen_ns; /* by a task, on the batch's clock, from before it paused to after */

static void watch_the_clock(struct batch_task *task) {
    uint64_t began_ns = batch_clock_ns();

    run(task);
    seen_ns = batch_clock_ns() - began_ns;
}

static void sleep_ms(long ms) {
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000 * 1000}, NULL);
}

Test(batch, a_task_is_charged_for_its_own_time_and_its_share) {
    struct work works[LANES_MAX];

    for (int i = 0; i < LANES_MAX; i++) {
        works[i] = (struct work){.task = {.run = i == 0 ? watch_the_clock : run, .ended = ended}, .rounds = 1};
        batch_run(batch, &works[i].task);
    }
    sleep_ms(100); /* nobody's */
    batch_flush(batch);
    cr_assert_gt(works[0].task.spent_ns, 0);
    cr_assert_lt(works[0].task.spent_ns, 50 * 1000 * 1000);
    cr_assert_gt(seen_ns, 0);
    cr_assert_lt(seen_ns, 50 * 1000 * 1000);
}

Test(batch, computes_nothing_outside_of_tasks) {
    uint8_t key[LANES_X25519_SIZE] = {1};
    struct lanes_x25519_public job = {.private_key = key};

    cr_assert_not(batch_may_pause());
    cr_assert_not(batch_compute(LANES_X25519_PUBLIC, &job));
}

/* One of each kind, with what it needs, whatever its result is. */
struct any {
    struct batch_task task;
    enum lanes_kind kind;
    bool done;
};

static void run_any(struct batch_task *task) {
    struct any *any = CONTAINER_OF(task, struct any, task);
    static const uint8_t zeros[LANES_RSA_SIZE_MAX];
    union {
        struct lanes_x25519_public x25519_public;
        struct lanes_x25519_shared x25519_shared;
        struct lanes_ecdh_public ecdh_public;
        struct lanes_ecdh_shared ecdh_shared;
        struct lanes_ecdsa_prepare ecdsa_prepare;
        struct lanes_ecdsa_verify ecdsa_verify;
        struct lanes_rsa_public rsa_public;
        struct lanes_rsa_private rsa_private;
        struct lanes_ed25519_sign ed25519_sign;
        struct lanes_ed25519_verify ed25519_verify;
    } job;
    struct bytes number = bytes_of(zeros, 32);

    memset(&job, 0, sizeof job);
    switch (lanes_operation(any->kind)) {
    case LANES_OPERATION_X25519_PUBLIC:
        job.x25519_public.private_key = zeros;
        break;
    case LANES_OPERATION_X25519_SHARED:
        job.x25519_shared.private_key = job.x25519_shared.peer = zeros;
        break;
    case LANES_OPERATION_ECDH_PUBLIC:
        job.ecdh_public.private_key = zeros;
        break;
    case LANES_OPERATION_ECDH_SHARED:
        job.ecdh_shared.private_key = zeros;
        job.ecdh_shared.peer = number;
        break;
    case LANES_OPERATION_ECDSA_PREPARE:
        job.ecdsa_prepare.nonce = zeros;
        break;
    case LANES_OPERATION_ECDSA_VERIFY:
        job.ecdsa_verify = (struct lanes_ecdsa_verify){.digest = number, .point = number, .r = number, .s = number};
        break;
    case LANES_OPERATION_RSA_PRIVATE:
        job.rsa_private = (struct lanes_rsa_private){.modulus = number,
                                                     .p = number,
                                                     .q = number,
                                                     .dp = number,
                                                     .dq = number,
                                                     .qinv = number,
                                                     .input = bytes_of(zeros, lanes_variant(any->kind))};
        break;
    case LANES_OPERATION_RSA_PUBLIC:
        job.rsa_public = (struct lanes_rsa_public){.modulus = number, .input = bytes_of(zeros, lanes_variant(any->kind))};
        break;
    case LANES_OPERATION_ED25519_SIGN:
        job.ed25519_sign = (struct lanes_ed25519_sign){.private_key = zeros, .public_key = zeros, .message = number};
        break;
    case LANES_OPERATION_ED25519_VERIFY:
        job.ed25519_verify = (struct lanes_ed25519_verify){.public_key = zeros, .signature = zeros, .message = number};
        break;
    }
    any->done = batch_compute(any->kind, &job);
}

static void ignore(struct batch_task *task) {}

/* Each kind goes to the function that its job is for: under ASan another one would read beyond the job. */
Test(batch, has_all_kinds) {
    struct any all[LANES_MAX];

    for (unsigned kind = 0; kind < LANES_KINDS; kind++) {
        for (int i = 0; i < LANES_MAX; i++) {
            all[i] = (struct any){.task = {.run = run_any, .ended = ignore}, .kind = (enum lanes_kind)kind};
            batch_run(batch, &all[i].task);
        }
        batch_flush(batch);
        for (int i = 0; i < LANES_MAX; i++) {
            cr_expect_eq(all[i].done, lanes_worth((enum lanes_kind)kind) <= LANES_MAX, "%s",
                         lanes_name((enum lanes_kind)kind));
        }
    }
}

static unsigned prepared;

static void give_key(void *job) {
    static const uint8_t key[LANES_X25519_SIZE] = {7};

    cr_assert_not(batch_may_pause());
    ((struct lanes_x25519_public *)job)->private_key = key;
    prepared++;
}

static void run_prepared(struct batch_task *task) {
    struct work *work = CONTAINER_OF(task, struct work, task);

    work->done = batch_compute_prepared(LANES_X25519_PUBLIC, &work->job, give_key);
}

/* Nonces are not drawn, and keys not copied, for operations that have no company. */
Test(batch, a_job_is_prepared_when_it_has_company) {
    struct work works[LANES_MAX];

    for (int count = 1; count <= LANES_MAX; count++) {
        prepared = 0;
        for (int i = 0; i < count; i++) {
            works[i] = (struct work){.task = {.run = run_prepared, .ended = ended}};
            cr_assert(batch_run(batch, &works[i].task));
        }
        cr_assert_eq(prepared, 0);
        batch_flush(batch);
        bool worth = (size_t)count >= lanes_worth(LANES_X25519_PUBLIC);
        cr_assert_eq(prepared, worth ? (unsigned)count : 0);
        for (int i = 0; i < count; i++) {
            cr_assert_eq(works[i].done, worth);
            cr_assert_eq(works[i].job.good, worth);
        }
    }
}

static void run_no_kind(struct batch_task *task) {
    struct work *work = CONTAINER_OF(task, struct work, task);

    work->done = batch_compute(LANES_KINDS, &work->job);
}

Test(batch, what_is_no_kind_never_pauses) {
    struct work work = {.task = {.run = run_no_kind, .ended = ended}};

    cr_assert_not(batch_run(batch, &work.task));
    cr_assert_eq(work.done, 0);
}

Test(no_batch, is_made_where_the_environment_says_so) {
    setenv("SALLYPORT_CRYPTO", "single", 1);
    cr_assert_not(batch_is_wanted());
    cr_assert_null(batch_create());
    struct work work = {.task = {.run = run, .ended = ended}, .rounds = 1};
    cr_assert_not(batch_run(NULL, &work.task));
    cr_assert_eq(work.alone, 1);
    batch_flush(NULL);
    cr_assert_eq(batch_paused(NULL), 0);
    cr_assert_not(batch_is_full(NULL));
    batch_destroy(NULL);
}

Test(no_batch, has_a_wish_of_three_values) {
    static const struct {
        const char *word;
        bool known;
        bool single;
    } wishes[] = {{"", true, false},        {"single", true, true},    {"batch", true, false},
                  {"Single", false, false}, {"singles", false, false}, {"0", false, false}};

    unsetenv("SALLYPORT_CRYPTO");
    cr_expect(batch_wish_is_known());
    cr_expect_not(batch_wish_is_single());
    cr_expect_not(batch_is_missed());
    bool supported = batch_is_wanted();
    for (size_t i = 0; i < ARRAY_LENGTH(wishes); i++) {
        setenv("SALLYPORT_CRYPTO", wishes[i].word, 1);
        cr_expect_eq(batch_wish_is_known(), wishes[i].known, "%s", wishes[i].word);
        cr_expect_eq(batch_wish_is_single(), wishes[i].single, "%s", wishes[i].word);
        cr_expect_eq(batch_is_wanted(), supported && !wishes[i].single, "%s", wishes[i].word);
        cr_expect_eq(batch_is_missed(), !supported && strcmp(wishes[i].word, "batch") == 0, "%s", wishes[i].word);
    }
}
