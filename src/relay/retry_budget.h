/*
 * How many requests of a host may be sent once more: a part of all its requests lately, so that a fault of the origins does
 * not become a storm of retries. Pure: the caller gives the time.
 */
#ifndef RELAY_RETRY_BUDGET_H
#define RELAY_RETRY_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

enum {
    RETRY_BUDGET_WINDOW_S = 10, /* the window slides by seconds */
    RETRY_BUDGET_LEAST = 10,    /* retries in a window, however few requests there were */
};

/* All 0 at first, but `percent`. */
struct retry_budget {
    uint32_t percent;                         /* of requests, 1 to 100 */
    uint64_t second;                          /* the newest of the window */
    uint32_t requests[RETRY_BUDGET_WINDOW_S]; /* of each second, by its remainder */
    uint32_t retries[RETRY_BUDGET_WINDOW_S];
    uint64_t requests_total; /* in the window */
    uint64_t retries_total;
};

/* Counts a request, which is no retry. */
void retry_budget_note(struct retry_budget *budget, uint64_t now_ms);
/* Takes one retry. False: there are none left, and none is counted. */
bool retry_budget_take(struct retry_budget *budget, uint64_t now_ms);

#endif
