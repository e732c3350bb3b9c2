#include "relay/retry_budget.h"

#include <string.h>

enum { MS_PER_SECOND = 1000, PERCENT = 100 };

/* Forgets the seconds that have left the window. Returns the place of the newest one. */
static unsigned slide(struct retry_budget *budget, uint64_t now_ms) {
    uint64_t second = now_ms / MS_PER_SECOND;

    if (second >= budget->second + RETRY_BUDGET_WINDOW_S) {
        memset(budget->requests, 0, sizeof budget->requests);
        memset(budget->retries, 0, sizeof budget->retries);
        budget->requests_total = budget->retries_total = 0;
        budget->second = second;
    }
    while (budget->second < second) {
        unsigned place = (unsigned)(++budget->second % RETRY_BUDGET_WINDOW_S);

        budget->requests_total -= budget->requests[place];
        budget->retries_total -= budget->retries[place];
        budget->requests[place] = budget->retries[place] = 0;
    }
    return (unsigned)(budget->second % RETRY_BUDGET_WINDOW_S);
}

void retry_budget_note(struct retry_budget *budget, uint64_t now_ms) {
    budget->requests[slide(budget, now_ms)]++;
    budget->requests_total++;
}

bool retry_budget_take(struct retry_budget *budget, uint64_t now_ms) {
    unsigned place = slide(budget, now_ms);
    uint64_t most = budget->requests_total * budget->percent / PERCENT;

    if (budget->retries_total >= (most > RETRY_BUDGET_LEAST ? most : RETRY_BUDGET_LEAST)) {
        return false;
    }
    budget->retries[place]++;
    budget->retries_total++;
    return true;
}
