#include "relay/retry_budget.h"

#include <criterion/criterion.h>

static void note(struct retry_budget *budget, uint32_t times, uint64_t now_ms) {
    for (uint32_t i = 0; i < times; i++) {
        retry_budget_note(budget, now_ms);
    }
}

static uint32_t take_all(struct retry_budget *budget, uint64_t now_ms) {
    uint32_t taken = 0;

    while (retry_budget_take(budget, now_ms)) {
        taken++;
    }
    return taken;
}

Test(retry_budget, a_few_retries_are_always_there) {
    struct retry_budget budget = {.percent = 20};

    cr_assert_eq(take_all(&budget, 123456), RETRY_BUDGET_LEAST);
    cr_assert_not(retry_budget_take(&budget, 124000));
}

Test(retry_budget, retries_are_a_part_of_requests) {
    struct retry_budget budget = {.percent = 20};

    note(&budget, 1000, 5000);
    cr_assert_eq(take_all(&budget, 5999), 200);
    note(&budget, 10, 6000);
    cr_assert_eq(take_all(&budget, 6000), 2);
}

Test(retry_budget, the_window_slides) {
    struct retry_budget budget = {.percent = 50};

    note(&budget, 100, 1000);
    note(&budget, 100, 2000);
    cr_assert_eq(take_all(&budget, 2000), 100);
    cr_assert_eq(take_all(&budget, 10999), 0);
    /* The first hundred has left the window, the retries have not. */
    cr_assert_eq(take_all(&budget, 11000), 0);
    /* Now they have, with all requests. */
    cr_assert_eq(take_all(&budget, 12000), RETRY_BUDGET_LEAST);
}

Test(retry_budget, long_silence_empties_the_window) {
    struct retry_budget budget = {.percent = 100};

    note(&budget, 500, 1000);
    cr_assert_eq(take_all(&budget, 1000), 500);
    note(&budget, 30, 1000000000);
    cr_assert_eq(take_all(&budget, 1000000000), 30);
}

/* The rate over any ten seconds of an outage in which each request fails. */
Test(retry_budget, a_steady_outage_gets_its_part_and_no_more) {
    struct retry_budget budget = {.percent = 20};
    uint32_t retries = 0;

    for (uint64_t now_ms = 0; now_ms < 60000; now_ms++) {
        retry_budget_note(&budget, now_ms);
        retries += retry_budget_take(&budget, now_ms);
    }
    cr_assert(retries > 10000 && retries <= 12000 + RETRY_BUDGET_LEAST, "%u", retries);
}
