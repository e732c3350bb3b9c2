/* The order in which admission gives out what waits, and its bounds; what it does over time is in
 * test_admission_simulated.c. */
#include "guard/admission.h"

#include <criterion/criterion.h>

static const uint64_t SECOND = 1000 * 1000 * (uint64_t)1000;

static void fill(struct admission *admission, struct admission_entry *entries, const enum admission_class *classes,
                 size_t count) {
    admission_init(admission, (uint32_t)count, 0);
    for (size_t i = 0; i < count; i++) {
        cr_assert_null(admission_wait(admission, &entries[i], classes[i], ADMISSION_HELLO, 1000 + i));
    }
}

Test(admission, classes_go_in_order_and_each_is_a_queue) {
    struct admission_entry entries[6] = {0};
    const enum admission_class classes[] = {ADMISSION_SUSPECT, ADMISSION_UNKNOWN,   ADMISSION_KNOWN,
                                            ADMISSION_UNKNOWN, ADMISSION_RETURNING, ADMISSION_KNOWN};
    const size_t order[] = {2, 5, 4, 1, 3, 0};
    struct admission admission;
    fill(&admission, entries, classes, 6);
    for (size_t i = 0; i < 6; i++) {
        cr_expect_eq(admission_next(&admission, 2000), &entries[order[i]], "%zu", i);
    }
    cr_expect_null(admission_next(&admission, 2000));
}

Test(admission, of_one_class_what_was_begun_goes_first) {
    struct admission_entry entries[4] = {0};
    struct admission admission;
    admission_init(&admission, 4, 0);
    cr_expect_null(admission_wait(&admission, &entries[0], ADMISSION_UNKNOWN, ADMISSION_HELLO, 1000));
    cr_expect_null(admission_wait(&admission, &entries[1], ADMISSION_UNKNOWN, ADMISSION_FLIGHT, 1001));
    cr_expect_null(admission_wait(&admission, &entries[2], ADMISSION_KNOWN, ADMISSION_HELLO, 1002));
    cr_expect_null(admission_wait(&admission, &entries[3], ADMISSION_SUSPECT, ADMISSION_FLIGHT, 1003));
    const size_t order[] = {2, 1, 0, 3};
    for (size_t i = 0; i < 4; i++) {
        cr_expect_eq(admission_next(&admission, 2000), &entries[order[i]], "%zu", i);
    }
}

Test(admission, flights_do_not_expire_and_those_of_known_clients_do_not_wait) {
    struct admission_entry entries[2] = {0};
    struct admission admission;
    admission_init(&admission, 4, 0);
    cr_expect_null(admission_wait(&admission, &entries[0], ADMISSION_UNKNOWN, ADMISSION_FLIGHT, 1000));
    cr_expect_null(admission_next_expired(&admission, 1000 + 60 * SECOND), "a handshake's deadline is the caller's");
    cr_expect_not(admission_may_go(&admission, ADMISSION_KNOWN, ADMISSION_HELLO, 2000));
    cr_expect(admission_may_go(&admission, ADMISSION_KNOWN, ADMISSION_FLIGHT, 2000));
    cr_expect_null(admission_wait(&admission, &entries[1], ADMISSION_UNKNOWN, ADMISSION_HELLO, 3000));
    cr_expect_eq(admission_next_expired(&admission, 3000 + 2 * SECOND), &entries[1]);
}

Test(admission, a_full_queue_gives_up_the_oldest_of_those_worth_least) {
    struct admission_entry entries[4] = {0};
    struct admission_entry more[4] = {0};
    const enum admission_class classes[] = {ADMISSION_KNOWN, ADMISSION_SUSPECT, ADMISSION_UNKNOWN, ADMISSION_SUSPECT};
    struct admission admission;
    fill(&admission, entries, classes, 4);
    cr_expect_eq(admission_wait(&admission, &more[0], ADMISSION_SUSPECT, ADMISSION_HELLO, 2000), &more[0]);
    cr_expect_eq(admission_wait(&admission, &more[0], ADMISSION_UNKNOWN, ADMISSION_HELLO, 2000), &entries[1]);
    cr_expect_eq(admission_wait(&admission, &more[1], ADMISSION_KNOWN, ADMISSION_HELLO, 2000), &entries[3]);
    cr_expect_eq(admission_wait(&admission, &more[2], ADMISSION_RETURNING, ADMISSION_HELLO, 2000), &entries[2]);
    cr_expect_eq(admission_wait(&admission, &more[3], ADMISSION_UNKNOWN, ADMISSION_HELLO, 2000), &more[3]);
    cr_expect_not(more[3].waits);
    cr_expect_eq(admission.waiting, 4);
}

Test(admission, who_is_forgotten_is_not_given) {
    struct admission_entry entries[3] = {0};
    const enum admission_class classes[] = {ADMISSION_UNKNOWN, ADMISSION_UNKNOWN, ADMISSION_UNKNOWN};
    for (size_t gone = 0; gone < 3; gone++) {
        memset(entries, 0, sizeof entries);
        struct admission admission;
        fill(&admission, entries, classes, 3);
        admission_forget(&admission, &entries[gone]);
        admission_forget(&admission, &entries[gone]);
        cr_expect_eq(admission.waiting, 2);
        for (size_t i = 0; i < 3; i++) {
            if (i != gone) {
                cr_expect_eq(admission_next(&admission, 2000), &entries[i]);
            }
        }
        cr_expect_null(admission_next(&admission, 2000));
    }
}

Test(admission, a_turn_has_an_end) {
    struct admission_entry entries[2] = {0};
    const enum admission_class classes[] = {ADMISSION_KNOWN, ADMISSION_KNOWN};
    struct admission admission;
    fill(&admission, entries, classes, 2);
    cr_expect_eq(admission_next(&admission, 2000), &entries[0]);
    cr_expect_null(admission_next(&admission, 2000 + ADMISSION_SLICE_NS));
    cr_expect_eq(admission_sleep_ms(&admission, 2000 + ADMISSION_SLICE_NS), 0);
    cr_expect_not(admission_turn(&admission, 3000 + ADMISSION_SLICE_NS));
    cr_expect_eq(admission_next(&admission, 3000 + ADMISSION_SLICE_NS), &entries[1]);
    cr_expect_eq(admission_sleep_ms(&admission, 3000 + ADMISSION_SLICE_NS), UINT64_MAX);
}

/* A process that was stopped, as a debugger or a frozen container does it, finds no budget and no share that overflows. */
Test(admission, a_long_stop_is_a_rest) {
    static const uint64_t days[] = {1, 25, 50, 214, 1000, 10000};
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        uint64_t now_ns = SECOND;
        struct admission admission;
        admission_init(&admission, 8, now_ns);
        for (unsigned window = 0; window < 8; window++) {
            now_ns += ADMISSION_WINDOW_NS;
            admission_turn(&admission, now_ns);
            admission_end_window(&admission, now_ns, ADMISSION_WINDOW_NS);
        }
        cr_assert_neq(admission.state, ADMISSION_CALM);
        admission_spend(&admission, ADMISSION_UNKNOWN, SECOND);
        now_ns += days[i] * 24 * 3600 * SECOND;
        cr_expect(admission_turn(&admission, now_ns));
        cr_expect(admission.budgets[ADMISSION_UNKNOWN].left > 0, "%lld",
                  (long long)admission.budgets[ADMISSION_UNKNOWN].left);
        cr_expect(admission_may_go(&admission, ADMISSION_UNKNOWN, ADMISSION_HELLO, now_ns));
        admission_end_window(&admission, now_ns, ADMISSION_WINDOW_NS);
        cr_expect_eq(admission.state, ADMISSION_CALM, "%llu days", (unsigned long long)days[i]);
        cr_expect_geq(admission.budgets[ADMISSION_UNKNOWN].share, 200);
    }
}

/* Loaded, with a share for unknown clients and nothing saved. */
static void load(struct admission *admission, uint32_t share) {
    admission_init(admission, 4, 0);
    admission->state = ADMISSION_LOADED;
    admission->budgets[ADMISSION_UNKNOWN].share = share;
    admission->budgets_at_ns = SECOND;
}

Test(admission, a_step_is_charged_before_it_is_done_and_paid_for_after) {
    struct admission admission;
    load(&admission, 200);
    const struct admission_budget *budget = &admission.budgets[ADMISSION_UNKNOWN];
    admission_turn(&admission, 2 * SECOND);
    int64_t saved = budget->left;
    cr_assert_gt(saved, 0);
    cr_assert(admission_may_go(&admission, ADMISSION_UNKNOWN, ADMISSION_HELLO, 2 * SECOND));
    cr_expect_lt(budget->left, saved, "its estimate is gone at once");
    admission_spend(&admission, ADMISSION_UNKNOWN, 1234567);
    cr_expect_eq(budget->left, saved - 1234567, "and what it was takes its place");
    cr_expect_eq(budget->spent, 1234567);
}

Test(admission, an_estimate_follows_what_steps_cost) {
    struct admission admission;
    load(&admission, 1000);
    const struct admission_budget *budget = &admission.budgets[ADMISSION_UNKNOWN];
    for (unsigned i = 0; i < 100; i++) {
        uint64_t now_ns = 2 * SECOND + i * SECOND;
        admission_turn(&admission, now_ns);
        cr_assert(admission_may_go(&admission, ADMISSION_UNKNOWN, ADMISSION_FLIGHT, now_ns));
        admission_spend(&admission, ADMISSION_UNKNOWN, 3000000);
    }
    admission_turn(&admission, 200 * SECOND);
    int64_t saved = budget->left;
    cr_assert(admission_may_go(&admission, ADMISSION_UNKNOWN, ADMISSION_FLIGHT, 200 * SECOND));
    cr_expect(saved - budget->left > 2500000 && saved - budget->left <= 3000000, "%ld", (long)(saved - budget->left));
}

Test(admission, nobody_begins_what_its_class_cannot_pay_for) {
    struct admission admission;
    load(&admission, 200);
    struct admission_entry entry = {0};
    struct admission_budget *budget = &admission.budgets[ADMISSION_UNKNOWN];
    budget->left = 1;
    cr_assert_null(admission_wait(&admission, &entry, ADMISSION_UNKNOWN, ADMISSION_HELLO, SECOND));
    cr_expect_null(admission_next(&admission, SECOND));
    uint64_t sleep_ms = admission_sleep_ms(&admission, SECOND - 900000000);
    cr_expect_gt(sleep_ms, 0, "no turn after the other without doing anything");
    admission_turn(&admission, SECOND + 1000000);
    cr_expect_eq(admission_next(&admission, SECOND + 1000000), &entry);
}

/* A quarter of a second for one client is five spans of the whole CPU: all of it is paid back. */
Test(admission, what_is_owed_stays_owed) {
    struct admission admission;
    load(&admission, 200);
    admission_turn(&admission, 2 * SECOND);
    cr_assert(admission_may_go(&admission, ADMISSION_UNKNOWN, ADMISSION_FLIGHT, 2 * SECOND));
    admission_spend(&admission, ADMISSION_UNKNOWN, SECOND);
    struct admission_entry entry = {0};
    cr_assert_null(admission_wait(&admission, &entry, ADMISSION_UNKNOWN, ADMISSION_FLIGHT, 2 * SECOND));
    uint64_t waited_ms = 0;
    struct admission_entry *next = NULL;
    while (next == NULL && waited_ms < 10000) {
        waited_ms += 10;
        admission_turn(&admission, 2 * SECOND + waited_ms * 1000000);
        next = admission_next(&admission, 2 * SECOND + waited_ms * 1000000);
    }
    cr_expect_eq(next, &entry);
    /* At a fifth of the time a second takes five, less what was saved. */
    cr_expect(waited_ms > 4900 && waited_ms <= 5010, "%lu ms", (unsigned long)waited_ms);
}

Test(admission, a_flood_does_not_forgive_what_was_owed_under_load) {
    struct admission admission;
    load(&admission, 200);
    admission_turn(&admission, 2 * SECOND);
    cr_assert(admission_may_go(&admission, ADMISSION_UNKNOWN, ADMISSION_FLIGHT, 2 * SECOND));
    admission_spend(&admission, ADMISSION_UNKNOWN, SECOND);
    admission.window_began_ns = 2 * SECOND;
    for (unsigned i = 1; i <= 3; i++) {
        uint64_t now_ns = 2 * SECOND + (uint64_t)i * ADMISSION_WINDOW_NS;
        admission_turn(&admission, now_ns);
        admission_refuse(&admission, 1);
        admission_end_window(&admission, now_ns, ADMISSION_WINDOW_NS);
    }
    cr_assert_eq(admission.state, ADMISSION_FLOODED);
    cr_expect_lt(admission.budgets[ADMISSION_UNKNOWN].left, -800000000);
    cr_expect_eq(admission.budgets[ADMISSION_RETURNING].left, 0, "what was saved is not kept");
}

/* Steps that are put off stay charged by their estimates, and each is then charged what it has cost. */
Test(admission, steps_may_be_put_off_side_by_side) {
    struct admission_entry entries[2] = {0};
    struct admission admission;
    admission_init(&admission, 4, 0);
    for (size_t i = 0; i < 2; i++) {
        cr_expect_null(admission_wait(&admission, &entries[i], ADMISSION_UNKNOWN, ADMISSION_HELLO, 1000));
    }
    struct admission_charge charges[2];
    int64_t before = admission.budgets[ADMISSION_UNKNOWN].left;
    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(admission_next(&admission, 2000), &entries[i]);
        charges[i] = admission_put_off(&admission);
        cr_expect_gt(charges[i].ns, 0);
    }
    cr_expect_eq(admission.budgets[ADMISSION_UNKNOWN].left, before - (int64_t)(charges[0].ns + charges[1].ns));
    uint64_t estimate = charges[0].ns;
    for (size_t i = 0; i < 2; i++) {
        admission_take_up(&admission, charges[i]);
        admission_spend(&admission, ADMISSION_UNKNOWN, 64 * estimate);
    }
    cr_expect_eq(admission.budgets[ADMISSION_UNKNOWN].left, before - (int64_t)(2 * 64 * estimate));
    /* And the estimates learn from the cost. */
    cr_expect_null(admission_wait(&admission, &entries[0], ADMISSION_UNKNOWN, ADMISSION_HELLO, 3000));
    admission.budgets[ADMISSION_UNKNOWN].left = (int64_t)SECOND;
    admission_turn(&admission, 3000);
    cr_assert_eq(admission_next(&admission, 3000), &entries[0]);
    cr_expect_gt(admission_put_off(&admission).ns, 4 * estimate);
}

/* Loaded, with groups, a share of a tenth for unknown clients, nothing saved, and so many of their hellos that wait. */
static void load_group(struct admission *admission, struct admission_entry *entries, size_t count, uint64_t estimate_ns) {
    admission_init(admission, 64, 0);
    admission_begin_groups(admission, ADMISSION_GROUP_MAX);
    admission->state = ADMISSION_LOADED;
    admission->budgets[ADMISSION_UNKNOWN].share = 100;
    admission->budgets_at_ns = SECOND;
    admission->window_began_ns = SECOND;
    for (size_t i = 0; i < ADMISSION_QUEUES; i++) {
        admission->estimates_ns[i] = estimate_ns;
    }
    for (size_t i = 0; i < count; i++) {
        cr_assert_null(admission_wait(admission, &entries[i], ADMISSION_UNKNOWN, ADMISSION_HELLO, SECOND));
    }
}

/* Takes up all that may go in this turn, and puts it off, as the shard does. Returns how many. */
static size_t take_up_group(struct admission *admission, struct admission_charge charges[static 20], uint64_t now_ns) {
    size_t count = 0;
    while (admission_next(admission, now_ns) != NULL) {
        cr_assert_lt(count, 20);
        charges[count] = admission_put_off(admission);
        cr_assert_gt(charges[count].ns, 0);
        count++;
    }
    return count;
}

/* Eight steps have cost so much each. */
static void pay_group(struct admission *admission, const struct admission_charge charges[static 20], uint64_t cost_ns,
                      uint64_t used_ns) {
    for (size_t i = 0; i < 8; i++) {
        admission_take_up(admission, charges[i]);
        admission_spend(admission, ADMISSION_UNKNOWN, cost_ns);
    }
    admission_end_group(admission, used_ns);
}

Test(admission, a_limited_class_saves_up_for_a_batch) {
    struct admission_entry entries[20] = {0};
    struct admission_charge charges[20];
    struct admission admission;
    load_group(&admission, entries, 20, 50000);
    /* Eight steps of 50 us at a tenth of the time: 4 ms. */
    admission_turn(&admission, SECOND + 3900000);
    cr_expect_null(admission_next(&admission, SECOND + 3900000), "the budget covers seven");
    cr_expect_eq(admission_sleep_ms(&admission, SECOND + 3900000), 1);
    admission_turn(&admission, SECOND + 4100000);
    cr_expect_eq(admission_sleep_ms(&admission, SECOND + 4100000), 0);
    cr_expect_eq(take_up_group(&admission, charges, SECOND + 4100000), 8);
    cr_expect_geq(admission.budgets[ADMISSION_UNKNOWN].left, 0);
    cr_expect_lt(admission.budgets[ADMISSION_UNKNOWN].left, 50000);
}

Test(admission, a_group_is_of_those_who_wait) {
    for (size_t waiting = 1; waiting <= 8; waiting++) {
        struct admission_entry entries[8] = {0};
        struct admission_charge charges[20];
        struct admission admission;
        load_group(&admission, entries, waiting, 50000);
        uint64_t now_ns = SECOND + waiting * 500000;
        admission_turn(&admission, now_ns - 1000);
        cr_expect_null(admission_next(&admission, now_ns - 1000), "%zu", waiting);
        admission_turn(&admission, now_ns);
        cr_expect_eq(take_up_group(&admission, charges, now_ns), waiting);
    }
}

Test(admission, a_turn_has_one_group_and_flights_go_before_hellos) {
    struct admission_entry entries[20] = {0};
    struct admission_charge charges[20];
    struct admission admission;
    load_group(&admission, entries, 12, 50000);
    for (size_t i = 12; i < 15; i++) {
        cr_assert_null(admission_wait(&admission, &entries[i], ADMISSION_UNKNOWN, ADMISSION_FLIGHT, SECOND));
    }
    admission_turn(&admission, SECOND + 1400000);
    cr_expect_null(admission_next(&admission, SECOND + 1400000), "what is saved for flights is not for hellos");
    admission_turn(&admission, 2 * SECOND);
    for (size_t i = 12; i < 15; i++) {
        cr_expect_eq(admission_next(&admission, 2 * SECOND), &entries[i]);
    }
    cr_expect_null(admission_next(&admission, 2 * SECOND), "hellos are of another kind");
    admission_turn(&admission, 2 * SECOND);
    cr_expect_eq(take_up_group(&admission, charges, 2 * SECOND), 8);
    admission_turn(&admission, 2 * SECOND);
    cr_expect_eq(take_up_group(&admission, charges, 2 * SECOND), 4);
}

/* Known clients wait for a group, so it is no longer than a slice; nor dearer than what the class can save up. */
Test(admission, dear_steps_make_small_groups) {
    static const struct {
        uint64_t estimate_ns;
        uint32_t share;
        size_t steps;
    } cases[] = {{100000, 500, 8}, {250000, 500, 4}, {600000, 500, 1}, {3000000, 500, 1}, {100000, 10, 5}, {100000, 1, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct admission_entry entries[20] = {0};
        struct admission_charge charges[20];
        struct admission admission;
        load_group(&admission, entries, 20, cases[i].estimate_ns);
        admission.budgets[ADMISSION_UNKNOWN].share = cases[i].share;
        admission_turn(&admission, 2 * SECOND);
        cr_expect_eq(take_up_group(&admission, charges, 2 * SECOND), cases[i].steps, "%zu", i);
    }
}

Test(admission, a_group_is_overdrawn_once_and_paid_back) {
    struct admission_entry entries[20] = {0};
    struct admission_charge charges[20];
    struct admission admission;
    load_group(&admission, entries, 20, 50000);
    admission_turn(&admission, 2 * SECOND);
    int64_t saved = admission.budgets[ADMISSION_UNKNOWN].left;
    cr_assert_eq(take_up_group(&admission, charges, 2 * SECOND), 8);
    pay_group(&admission, charges, 3000000, 24000000);
    cr_expect_lt(admission.budgets[ADMISSION_UNKNOWN].left, saved - 8 * 2900000);
    cr_expect_eq(admission.budgets[ADMISSION_UNKNOWN].spent, 8 * 3000000);
    /* 24 ms less the 5 ms that were saved, at a tenth of the time. */
    admission_turn(&admission, 2 * SECOND + 170000000);
    cr_expect_null(admission_next(&admission, 2 * SECOND + 170000000));
}

Test(admission, after_a_dear_group_steps_go_one_by_one_for_a_while) {
    struct admission_entry entries[20] = {0};
    struct admission_charge charges[20];
    struct admission admission;
    load_group(&admission, entries, 20, 50000);
    admission_turn(&admission, 2 * SECOND);
    cr_assert_eq(take_up_group(&admission, charges, 2 * SECOND), 8);
    pay_group(&admission, charges, 3000000, 1500000);
    cr_expect_eq(admission.group_max, 8, "the thread was stopped for most of the time");
    admission.group_spent_ns = 0;
    pay_group(&admission, charges, 3000000, 24000000);
    cr_expect_eq(admission.group_max, 1);
    uint64_t groups = 0;
    for (uint32_t size = 1; size < 8; size *= 2) {
        for (unsigned i = 0; i < ADMISSION_GROUP_TRUST; i++) {
            cr_assert_eq(admission.group_max, size);
            admission.group_steps = 1;
            admission.group_spent_ns = 50000;
            admission_end_group(&admission, 50000);
            groups++;
        }
    }
    cr_expect_eq(admission.group_max, 8);
    cr_expect_eq(groups, 3 * ADMISSION_GROUP_TRUST);
}

/* In the calm state nobody has a budget, and where nothing is computed together a group is one step. */
Test(admission, groups_are_of_limited_classes_and_for_batches) {
    struct admission_entry entries[20] = {0};
    struct admission_charge charges[20];
    struct admission admission;
    load_group(&admission, entries, 20, 50000);
    admission.state = ADMISSION_CALM;
    admission_turn(&admission, SECOND);
    cr_expect_eq(take_up_group(&admission, charges, SECOND), 20);
    memset(entries, 0, sizeof entries);
    load_group(&admission, entries, 20, 50000);
    admission_begin_groups(&admission, 1);
    admission_turn(&admission, 2 * SECOND);
    cr_expect_eq(take_up_group(&admission, charges, 2 * SECOND), 1);
}
