#include "guard/sampling.h"

#include "base/check.h"

enum {
    MILLE = 1000,
    /* Shares of the time, in thousandths. */
    LOADED_LEAST = 100, /* what strangers may cost in any case */
    FLOODED_LEAST = 60,
    HEADROOM = 30,        /* of what is left over: what is not given away */
    KNOWN_HEADROOM = 150, /* likewise, where known clients come */
    SATURATED = 50,       /* a shard that rests less than this, where known clients come, may have far more to do */
    CALM_GROWTH = 1100,   /* in each window: a hundredth is forgotten within five seconds */
    /* The cost of so many connections or fewer says little. */
    FEW = 4,
};

void sampling_init(struct sampling *sampling) {
    *sampling = (struct sampling){.share = SAMPLING_ALL, .left = SAMPLING_ALL};
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

    /* The cost of a connection is an estimate, and many connections together may seem to take more time than there is. */
    free_ns = free_ns < others_ns ? free_ns : others_ns;
    return free_ns > least_ns + headroom_ns ? free_ns - headroom_ns : least_ns;
}

void sampling_end_window(struct sampling *sampling, const struct sampling_window *window) {
    uint64_t spent_ns = sampling->strangers * (uint64_t)SAMPLING_CONNECTION_NS + window->strangers_ns;
    uint32_t strangers = sampling->strangers;

    CHECK(window->duration_ns > 0);
    sampling->strangers = 0;
    if (window->state == ADMISSION_CALM) {
        if (sampling->share < SAMPLING_ALL) {
            sampling->left = sampling->share;
            sampling->share = SAMPLING_ALL;
        }
        uint64_t later = (uint64_t)sampling->left * CALM_GROWTH / MILLE + 1;
        sampling->left = later < SAMPLING_ALL ? (uint32_t)later : SAMPLING_ALL;
        return;
    }
    /* A flood that was let in to see whether it goes on would else be as heavy as at its begin. */
    if (sampling->left < SAMPLING_ALL) {
        sampling->share = sampling->left;
        sampling->left = SAMPLING_ALL;
        return;
    }
    uint64_t share = sampling->share;
    uint64_t budget_ns = budget_of(window, spent_ns);
    uint64_t most = share + share / 2 + SAMPLING_LEAST;
    uint64_t wanted = strangers <= FEW || spent_ns == 0 ? most : share * budget_ns / spent_ns;
    bool saturated = window->known_ns > 0 && window->idle_ns < window->duration_ns * SATURATED / MILLE;
    /* Then nothing tells how many more there are: they wait to be accepted, and known clients among them. */
    if (saturated && spent_ns > least_of(window) && wanted > share / 2) {
        wanted = share / 2;
    }
    /* Not down to nothing at once: the window may have begun before the last change. */
    if (wanted < share / 4) {
        wanted = share / 4;
    }
    wanted = wanted < most ? wanted : most;
    wanted = wanted > SAMPLING_LEAST ? wanted : SAMPLING_LEAST;
    sampling->share = wanted < SAMPLING_ALL ? (uint32_t)wanted : SAMPLING_ALL;
}
