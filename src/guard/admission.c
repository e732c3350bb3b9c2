#include "guard/admission.h"

#include "base/check.h"

enum {
    MILLE = 1000,
    /* Shares of the time, in thousandths. */
    HEADROOM = 30,             /* of the idle time: what no class gets */
    KNOWN_HEADROOM = 150,      /* the same while known clients come, so that they find the CPU free */
    RETURNING = 200,           /* at least */
    LOADED_UNKNOWN = 100,      /* at least */
    LOADED_SUSPECT = 20,       /* of all suspects, and never more */
    FLOODED_UNKNOWN = 60,      /* at least */
    BUSY_IDLE_MAX = 100,       /* a shard with less idle time is saturated */
    RELAXED_IDLE_MIN = 250,    /* a shard with at least this idle time has room */
    RELAXED_REFUSED_MAX = 100, /* time that the refused handshakes would have cost */
    PATIENCE_WINDOWS = 50,     /* windows with time to spare, in a row, after which refused clients are given a try */
    PATIENCE_MAX_WINDOWS = 600,
    PRESSED_WINDOWS = 2, /* windows with load, in a row, that lead out of calm */
    FLOODED_WINDOWS = 3, /* the same, with demand refused, that lead from loaded to flooded */
    /* Hellos of one source that may wait while the shard is flooded. */
    WAITING_KNOWN = 64,
    WAITING_OTHERS = 1,
};

static const uint64_t BUDGET_SPAN_NS = 50000000; /* time whose share a class may save up; a debt has no limit */
static const uint64_t FILL_MAX_NS = UINT64_C(3600) * 1000000000;
static const uint64_t HANDSHAKE_NS = 200000; /* a first estimate, of which each of the two steps is half */
static const uint64_t WAIT_MAX_NS[ADMISSION_CLASSES] = {
    [ADMISSION_KNOWN] = 3000000000,
    [ADMISSION_RETURNING] = 2000000000,
    [ADMISSION_UNKNOWN] = 1000000000,
    [ADMISSION_SUSPECT] = 500000000,
};

static size_t queue_of(enum admission_class class, enum admission_step step) {
    return (size_t) class * ADMISSION_STEPS + step;
}

static enum admission_class class_of(size_t queue) {
    return (enum admission_class)(queue / ADMISSION_STEPS);
}

static bool is_flight(size_t queue) {
    return queue % ADMISSION_STEPS == ADMISSION_FLIGHT;
}

/* Returns whether a class has a budget in this state. */
static bool is_limited(const struct admission *admission, enum admission_class class) {
    return admission->state != ADMISSION_CALM && class >= ADMISSION_RETURNING;
}

void admission_init(struct admission *admission, uint32_t waiting_max, uint64_t now_ns) {
    CHECK(waiting_max >= 1);
    *admission = (struct admission){
        .waiting_max = waiting_max,
        .window_began_ns = now_ns,
        .budgets_at_ns = now_ns,
        .standing_ns = UINT64_MAX,
        .handshake_ns = HANDSHAKE_NS,
        .group_most = 1,
        .group_max = 1,
        .patience_windows = PATIENCE_WINDOWS,
        .calm_windows = PATIENCE_MAX_WINDOWS,
    };
    for (size_t i = 0; i < ADMISSION_QUEUES; i++) {
        list_init(&admission->queues[i].entries);
        admission->estimates_ns[i] = HANDSHAKE_NS / 2;
    }
}

void admission_begin_groups(struct admission *admission, uint32_t most) {
    CHECK(most >= 1 && most <= ADMISSION_GROUP_MAX);
    admission->group_most = most;
    admission->group_max = most;
}

/* Returns the entry that has waited longest, NULL when none waits. */
static struct admission_entry *first_of(const struct admission_queue *queue) {
    struct list *first = list_first(&queue->entries);
    return first == NULL ? NULL : CONTAINER_OF(first, struct admission_entry, link);
}

void admission_forget(struct admission *admission, struct admission_entry *entry) {
    if (!entry->waits) {
        return;
    }
    list_remove(&entry->link);
    admission->queues[entry->queue].count--;
    admission->waiting--;
    entry->waits = false;
}

static uint64_t oldest_wait(const struct admission *admission, uint64_t now_ns) {
    uint64_t longest = 0;
    for (size_t i = 0; i < ADMISSION_QUEUES; i++) {
        const struct admission_entry *first = first_of(&admission->queues[i]);
        if (first != NULL && now_ns - first->since_ns > longest) {
            longest = now_ns - first->since_ns;
        }
    }
    return longest;
}

static uint32_t share_of(uint64_t part_ns, uint64_t whole_ns) {
    if (part_ns >= whole_ns) {
        return MILLE;
    }
    /* A process that was stopped for months has a window of months: its thousandth parts are exact enough then. */
    return (uint32_t)(part_ns < UINT64_MAX / MILLE ? part_ns * MILLE / whole_ns : part_ns / (whole_ns / MILLE));
}

/*
 * Returns the next share of `class`: the idle part of the last window and what the class itself spent in that window, less
 * headroom; at least `least`.
 */
static uint32_t leftover(const struct admission *admission, enum admission_class class, uint64_t window_ns, uint64_t idle_ns,
                         uint32_t least) {
    uint32_t free = share_of(idle_ns + admission->budgets[class].spent, window_ns);
    uint32_t headroom = admission->budgets[ADMISSION_KNOWN].spent > 0 ? KNOWN_HEADROOM : HEADROOM;
    return free > least + headroom ? free - headroom : least;
}

static void set_shares(struct admission *admission, uint64_t window_ns, uint64_t idle_ns) {
    bool flooded = admission->state == ADMISSION_FLOODED;
    admission->budgets[ADMISSION_RETURNING].share = leftover(admission, ADMISSION_RETURNING, window_ns, idle_ns, RETURNING);
    admission->budgets[ADMISSION_UNKNOWN].share =
        leftover(admission, ADMISSION_UNKNOWN, window_ns, idle_ns, flooded ? FLOODED_UNKNOWN : LOADED_UNKNOWN);
    admission->budgets[ADMISSION_SUSPECT].share = flooded ? 0 : LOADED_SUSPECT;
}

/* Enters the next higher state. A class owes nothing for work in the calm state, where no class has a limit. */
static void rise(struct admission *admission) {
    bool counted = admission->state != ADMISSION_CALM;
    /* If load returned before `patience_windows` calm windows, wait twice as many next time, so that the state does not
     * swing. */
    if (admission->state == ADMISSION_CALM && admission->calm_windows < admission->patience_windows) {
        admission->patience_windows *= 2;
        if (admission->patience_windows > PATIENCE_MAX_WINDOWS) {
            admission->patience_windows = PATIENCE_MAX_WINDOWS;
        }
    } else if (admission->state == ADMISSION_CALM) {
        admission->patience_windows = PATIENCE_WINDOWS;
    }
    admission->state++;
    admission->pressed_windows = 0;
    admission->calm_windows = 0;
    for (size_t class = 0; class < ADMISSION_CLASSES; class ++) {
        struct admission_budget *budget = &admission->budgets[class];
        budget->left = counted && budget->left < 0 ? budget->left : 0;
    }
}

static void fall(struct admission *admission) {
    admission->state--;
    admission->relaxed_windows = 0;
    admission->rested_windows = 0;
    admission->pressed_windows = 0;
}

/* Adds windows to a count of windows in a row, which ends at PATIENCE_MAX_WINDOWS. */
static uint32_t add_windows(uint32_t windows, uint64_t more) {
    return more < PATIENCE_MAX_WINDOWS - windows ? windows + (uint32_t)more : PATIENCE_MAX_WINDOWS;
}

static void set_state(struct admission *admission, uint64_t window_ns, uint64_t idle_ns) {
    uint64_t windows = window_ns / ADMISSION_WINDOW_NS; /* a thread that slept through several lengths counts as many */
    uint32_t idle = share_of(idle_ns, window_ns);
    uint32_t refused = share_of(admission->refused * admission->handshake_ns, window_ns);
    uint64_t standing_ns = admission->standing_ns == UINT64_MAX ? 0 : admission->standing_ns;
    bool pressed = admission->crowded || idle < BUSY_IDLE_MAX || standing_ns > ADMISSION_TARGET_NS;
    bool rested = !admission->crowded && idle >= RELAXED_IDLE_MIN && standing_ns <= ADMISSION_TARGET_NS;
    bool relaxed = rested && refused < RELAXED_REFUSED_MAX;

    admission->pressed_windows = pressed ? add_windows(admission->pressed_windows, 1) : 0;
    admission->rested_windows = rested ? add_windows(admission->rested_windows, windows) : 0;
    admission->relaxed_windows = relaxed ? add_windows(admission->relaxed_windows, windows) : 0;
    if (admission->state == ADMISSION_CALM) {
        admission->calm_windows = add_windows(admission->calm_windows, windows);
        if (admission->pressed_windows >= PRESSED_WINDOWS) {
            rise(admission);
        }
        return;
    }
    if (admission->state == ADMISSION_LOADED &&
        (standing_ns > ADMISSION_FLOOD_NS || (admission->pressed_windows >= FLOODED_WINDOWS && admission->refused > 0))) {
        rise(admission);
    }
    /* The refused clients may be few and cheap. To see whether they are, let them in now and then. */
    if (admission->relaxed_windows >= ADMISSION_CALM_WINDOWS || admission->rested_windows >= admission->patience_windows) {
        fall(admission);
    }
}

void admission_end_window(struct admission *admission, uint64_t now_ns, uint64_t busy_ns) {
    uint64_t window_ns = now_ns - admission->window_began_ns;
    uint64_t idle_ns = busy_ns < window_ns ? window_ns - busy_ns : 0;
    uint64_t spent_ns = 0;
    CHECK(window_ns > 0);
    set_state(admission, window_ns, idle_ns);
    set_shares(admission, window_ns, idle_ns);
    for (size_t class = 0; class < ADMISSION_CLASSES; class ++) {
        spent_ns += admission->budgets[class].spent;
        admission->budgets[class].spent = 0;
    }
    if (admission->begun > 0) {
        admission->handshake_ns = (7 * admission->handshake_ns + spent_ns / admission->begun) / 8;
    }
    admission->window_began_ns = now_ns;
    admission->standing_ns = UINT64_MAX;
    admission->begun = 0;
    admission->refused = 0;
    admission->crowded = false;
}

static int64_t savings_max(const struct admission_budget *budget) {
    return (int64_t)(BUDGET_SPAN_NS * budget->share / MILLE);
}

static void fill_budgets(struct admission *admission, uint64_t now_ns) {
    /* The cap keeps the products below from overflow after a long stop; an hour's least share pays off a minute's debt. */
    uint64_t passed_ns = now_ns - admission->budgets_at_ns;
    uint64_t elapsed_ns = passed_ns < FILL_MAX_NS ? passed_ns : FILL_MAX_NS;
    for (size_t class = 0; class < ADMISSION_CLASSES; class ++) {
        struct admission_budget *budget = &admission->budgets[class];
        int64_t most = savings_max(budget);
        int64_t left = budget->left + (int64_t)(elapsed_ns * budget->share / MILLE);
        budget->left = left < most ? left : most;
    }
    admission->budgets_at_ns = now_ns;
}

bool admission_turn(struct admission *admission, uint64_t now_ns) {
    uint64_t wait_ns = oldest_wait(admission, now_ns);
    admission->slice_began_ns = 0;
    admission->group_steps = 0;
    admission->group_spent_ns = 0;
    if (wait_ns < admission->standing_ns) {
        admission->standing_ns = wait_ns;
    }
    fill_budgets(admission, now_ns);
    return now_ns - admission->window_began_ns >= ADMISSION_WINDOW_NS;
}

/* Returns whether steps of both may be in one group: flights of one class, or hellos of one class. */
static bool is_same_kind(size_t queue, size_t other) {
    return class_of(queue) == class_of(other) && is_flight(queue) == is_flight(other);
}

/* Returns how many steps a group may have that begins with one of that queue: 1 to ADMISSION_GROUP_MAX. */
static uint32_t group_limit(const struct admission *admission, size_t queue) {
    uint64_t estimate_ns = admission->estimates_ns[queue];
    uint64_t most_ns = (uint64_t)savings_max(&admission->budgets[class_of(queue)]);
    uint64_t steps = (most_ns < ADMISSION_SLICE_NS ? most_ns : ADMISSION_SLICE_NS) / estimate_ns;

    steps = steps < admission->group_max ? steps : admission->group_max;
    return steps > 1 ? (uint32_t)steps : 1;
}

/* Returns how many steps would be in a group that begins with the first of that queue, if it began now. */
static uint32_t group_size(const struct admission *admission, size_t queue) {
    uint32_t limit = group_limit(admission, queue);
    uint32_t waiting = admission->queues[queue].count;

    for (size_t i = queue + 1; i < ADMISSION_QUEUES && is_same_kind(i, queue); i++) {
        waiting += admission->queues[i].count;
    }
    return waiting < 1 ? 1 : waiting < limit ? waiting : limit;
}

/*
 * Returns the budget, in ns, that the class must have left for so many steps of that queue: their likely cost, or the most
 * that the class can save up, where this is less; at least 1.
 */
static int64_t price(const struct admission *admission, size_t queue, uint32_t steps) {
    int64_t estimate = (int64_t)(admission->estimates_ns[queue] * steps);
    int64_t most = savings_max(&admission->budgets[class_of(queue)]);
    int64_t least = estimate < most ? estimate : most;
    return least > 0 ? least : 1;
}

/* Returns whether this turn's group, or a new one, has room for a step of that queue, and the class has the budget. */
static bool group_has_room(const struct admission *admission, size_t queue) {
    int64_t left = admission->budgets[class_of(queue)].left;

    if (admission->group_steps == 0) {
        return left >= price(admission, queue, group_size(admission, queue));
    }
    return is_same_kind(queue, admission->group_queue) && admission->group_steps < group_limit(admission, queue) &&
           left >= price(admission, queue, 1);
}

/* Returns whether this turn has room for a step of that queue. */
static bool has_room(const struct admission *admission, size_t queue, uint64_t now_ns) {
    if (admission->slice_began_ns != 0 && now_ns - admission->slice_began_ns >= ADMISSION_SLICE_NS) {
        return false;
    }
    return !is_limited(admission, class_of(queue)) || group_has_room(admission, queue);
}

static void count(struct admission *admission, enum admission_class class, enum admission_step step, uint64_t now_ns) {
    if (step != ADMISSION_FLIGHT) {
        admission->begun++;
    }
    /* Charge the estimate before the step; admission_spend replaces it by the cost. */
    admission->charged_queue = queue_of(class, step);
    admission->charged_ns = admission->estimates_ns[admission->charged_queue];
    admission->budgets[class].left -= (int64_t)admission->charged_ns;
    if (is_limited(admission, class)) {
        admission->group_queue = admission->group_steps == 0 ? admission->charged_queue : admission->group_queue;
        admission->group_steps++;
    }
    if (admission->slice_began_ns == 0) {
        admission->slice_began_ns = now_ns;
    }
}

bool admission_may_go(struct admission *admission, enum admission_class class, enum admission_step step, uint64_t now_ns) {
    /*
     * A known client's flight never queues behind others. Anything else may go at once only if it is the first step of this
     * turn and nothing waits; the order of the rest is decided at the end of the turn.
     */
    bool is_first = class == ADMISSION_KNOWN && step == ADMISSION_FLIGHT;
    if (!is_first &&
        (admission->waiting > 0 || admission->slice_began_ns != 0 || !has_room(admission, queue_of(class, step), now_ns))) {
        return false;
    }
    count(admission, class, step, now_ns);
    return true;
}

struct admission_entry *admission_wait(struct admission *admission, struct admission_entry *entry,
                                       enum admission_class class, enum admission_step step, uint64_t now_ns) {
    struct admission_entry *refused = NULL;
    size_t queue = queue_of(class, step);
    CHECK(!entry->waits);
    if (admission->waiting >= admission->waiting_max) {
        size_t last = ADMISSION_QUEUES - 1;
        while (admission->queues[last].count == 0) {
            last--;
        }
        if (last <= queue) {
            return entry;
        }
        refused = first_of(&admission->queues[last]);
        admission_forget(admission, refused);
    }
    entry->queue = (uint8_t)queue;
    entry->since_ns = now_ns;
    entry->waits = true;
    list_append(&admission->queues[queue].entries, &entry->link);
    admission->queues[queue].count++;
    admission->waiting++;
    return refused;
}

/* Returns the first queue of the class in which someone waits; ADMISSION_QUEUES: nobody does. */
static size_t first_queue_of(const struct admission *admission, enum admission_class class) {
    for (size_t i = queue_of(class, 0); i < queue_of(class, ADMISSION_STEPS); i++) {
        if (admission->queues[i].count > 0) {
            return i;
        }
    }
    return ADMISSION_QUEUES;
}

/* While a class saves up for flights, its hellos do not take the savings. */
struct admission_entry *admission_next(struct admission *admission, uint64_t now_ns) {
    for (size_t class = 0; class < ADMISSION_CLASSES; class ++) {
        size_t queue = first_queue_of(admission, (enum admission_class) class);
        if (queue < ADMISSION_QUEUES && has_room(admission, queue, now_ns)) {
            struct admission_entry *first = first_of(&admission->queues[queue]);
            admission_forget(admission, first);
            count(admission, (enum admission_class) class, (enum admission_step)(queue % ADMISSION_STEPS), now_ns);
            return first;
        }
    }
    return NULL;
}

/* Flights are left out: a handshake that was begun has its own deadline. */
struct admission_entry *admission_next_expired(struct admission *admission, uint64_t now_ns) {
    for (size_t i = 0; i < ADMISSION_QUEUES; i++) {
        struct admission_entry *first = first_of(&admission->queues[i]);
        if (!is_flight(i) && first != NULL && now_ns - first->since_ns > WAIT_MAX_NS[class_of(i)]) {
            admission_forget(admission, first);
            return first;
        }
    }
    return NULL;
}

void admission_spend(struct admission *admission, enum admission_class class, uint64_t spent_ns) {
    struct admission_budget *budget = &admission->budgets[class];
    budget->spent += spent_ns;
    budget->left -= (int64_t)spent_ns;
    admission->group_spent_ns += is_limited(admission, class) ? spent_ns : 0;
    if (admission->charged_ns > 0 && class_of(admission->charged_queue) == class) {
        uint64_t *estimate_ns = &admission->estimates_ns[admission->charged_queue];
        budget->left += (int64_t)admission->charged_ns;
        *estimate_ns = (15 * *estimate_ns + spent_ns + 15) / 16;
        admission->charged_ns = 0;
    }
}

struct admission_charge admission_put_off(struct admission *admission) {
    struct admission_charge charge = {.queue = (uint8_t)admission->charged_queue, .ns = admission->charged_ns};

    admission->charged_ns = 0;
    return charge;
}

void admission_take_up(struct admission *admission, struct admission_charge charge) {
    admission->charged_queue = charge.queue;
    admission->charged_ns = charge.ns;
}

void admission_end_group(struct admission *admission, uint64_t used_ns) {
    uint64_t cost_ns = used_ns < admission->group_spent_ns ? used_ns : admission->group_spent_ns;

    if (admission->group_steps == 0) {
        return;
    }
    if (cost_ns > 2 * (uint64_t)ADMISSION_SLICE_NS) {
        admission->group_max = 1;
        admission->cheap_groups = 0;
        return;
    }
    admission->cheap_groups++;
    if (admission->cheap_groups >= ADMISSION_GROUP_TRUST) {
        uint32_t more = 2 * admission->group_max;
        admission->group_max = more < admission->group_most ? more : admission->group_most;
        admission->cheap_groups = 0;
    }
}

void admission_refuse(struct admission *admission, uint32_t count) {
    admission->refused += count;
}

void admission_crowd(struct admission *admission) {
    admission->crowded = true;
}

uint64_t admission_sleep_ms(const struct admission *admission, uint64_t now_ns) {
    uint64_t sleep_ms = UINT64_MAX;
    for (size_t class = 0; class < ADMISSION_CLASSES; class ++) {
        const struct admission_budget *budget = &admission->budgets[class];
        size_t queue = first_queue_of(admission, (enum admission_class) class);
        if (queue == ADMISSION_QUEUES) {
            continue;
        }
        int64_t owed_ns = price(admission, queue, group_size(admission, queue)) - budget->left;
        if (!is_limited(admission, (enum admission_class) class) || owed_ns <= 0) {
            return 0;
        }
        uint64_t owed_ms = budget->share == 0 ? UINT64_MAX : (uint64_t)owed_ns / 1000 / budget->share + 1;
        /* Nor beyond the end of the window: the next window may have another share. */
        uint64_t end_ms = (admission->window_began_ns + ADMISSION_WINDOW_NS - now_ns) / 1000000 + 1;
        owed_ms = owed_ms < end_ms ? owed_ms : end_ms;
        sleep_ms = owed_ms < sleep_ms ? owed_ms : sleep_ms;
    }
    return sleep_ms;
}

uint32_t admission_waiting_of_source(const struct admission *admission, enum admission_class class) {
    if (admission->state != ADMISSION_FLOODED) {
        return UINT32_MAX;
    }
    return class == ADMISSION_KNOWN ? WAITING_KNOWN : WAITING_OTHERS;
}
