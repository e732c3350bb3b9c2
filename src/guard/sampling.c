#include "guard/sampling.h"

#include "base/check.h"

enum {
    MILLE = 1000,
    /* Shares of the time, in thousandths. */
    LOADED_LEAST = 100, /* time that strangers may take in any case */
    FLOODED_LEAST = 60,
    HEADROOM = 30,        /* of the time left over: it is not given away */
    KNOWN_HEADROOM = 150, /* likewise, where known clients come */
    SATURATED = 50,       /* a shard that rests less than this, where known clients come, may have far more to do */
    DEMAND_WINDOWS = 12,  /* a little longer than a client waits before it sends its SYN again */
    /* The cost of so many connections or fewer says little. */
    FEW = 4,
};

void sampling_init(struct sampling *sampling) {
    *sampling = (struct sampling){.share = SAMPLING_ALL};
}

/* Returns the time that strangers may cost in any case, in nanoseconds of the window. */
static uint64_t least_of(const struct sampling_window *window) {
    return window->duration_ns * (window->state == ADMISSION_FLOODED ? FLOODED_LEAST : LOADED_LEAST) / MILLE;
}

/* Returns the time that strangers may cost, in nanoseconds of the window. */
static uint64_t budget_of(const struct sampling_window *window, uint64_t spent_ns) {
    uint64_t headroom = window->known_ns > 0 ? KNOWN_HEADROOM : HEADROOM;
    uint64_t least_ns = least_of(window);
    uint64_t headroom_ns = window->duration_ns * headroom / MILLE;
    uint64_t free_ns = window->idle_ns + spent_ns;
    uint64_t others_ns = window->known_ns < window->duration_ns ? window->duration_ns - window->known_ns : 0;

    /* In a saturated shard strangers may have taken time that known clients wanted: accepts go in order of arrival. */
    if (window->known_ns > 0 && window->idle_ns < window->duration_ns * SATURATED / MILLE) {
        return least_ns;
    }
    /* The cost of a connection is an estimate, and many connections together may seem to take more time than there is. */
    free_ns = free_ns < others_ns ? free_ns : others_ns;
    return free_ns > least_ns + headroom_ns ? free_ns - headroom_ns : least_ns;
}

/* Returns a share of the time, of which SAMPLING_ALL is all of it. */
static uint64_t share_of(uint64_t part_ns, uint64_t duration_ns) {
    /* A process that was stopped for days has a window as long. */
    return part_ns < UINT64_MAX / SAMPLING_ALL ? part_ns * SAMPLING_ALL / duration_ns
                                               : part_ns / (duration_ns / SAMPLING_ALL);
}

/* Returns what all strangers would have cost in this window, if all had been heard: see struct sampling. */
static uint64_t demand_in(const struct sampling_window *window, uint32_t strangers, uint64_t spent_ns) {
    return strangers <= FEW ? 0 : share_of(spent_ns, window->duration_ns) * SAMPLING_ALL / window->heard;
}

static void note_demand(struct sampling *sampling, uint64_t demand) {
    if (sampling->windows == DEMAND_WINDOWS) {
        sampling->demand_before = sampling->demand;
        sampling->demand = 0;
        sampling->windows = 0;
    }
    sampling->windows++;
    if (sampling->demand < demand) {
        sampling->demand = demand;
    }
}

void sampling_end_window(struct sampling *sampling, const struct sampling_window *window) {
    uint64_t spent_ns = sampling->strangers * (uint64_t)SAMPLING_CONNECTION_NS + window->strangers_ns;

    CHECK(window->duration_ns > 0 && window->heard > 0);
    uint64_t budget = share_of(budget_of(window, spent_ns), window->duration_ns);
    note_demand(sampling, demand_in(window, sampling->strangers, spent_ns));
    sampling->strangers = 0;
    if (window->state == ADMISSION_CALM) {
        sampling->share = SAMPLING_ALL;
        return;
    }
    uint64_t highest = sampling->demand > sampling->demand_before ? sampling->demand : sampling->demand_before;
    uint64_t most = sampling->share + sampling->share / 2 + SAMPLING_LEAST;
    uint64_t wanted = highest <= budget ? SAMPLING_ALL : budget * SAMPLING_ALL / highest;
    wanted = wanted < most ? wanted : most;
    wanted = wanted > SAMPLING_LEAST ? wanted : SAMPLING_LEAST;
    sampling->share = wanted < SAMPLING_ALL ? (uint32_t)wanted : SAMPLING_ALL;
}
