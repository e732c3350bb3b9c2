/*
 * How many of the sources that nobody knows are heard at all. To accept a connection and to reset it costs a tenth of a
 * handshake, which a flood from very many sources can make up for by its number: admission's budgets hold what such clients
 * get of handshakes, but not what it costs to see them. So while a shard is not calm, strangers have one budget for both,
 * and the kernel drops the SYNs of so many sources that the others keep within it (ring/syn_filter.h).
 *
 * The budget is what nobody else uses, less some headroom, and a little in any case. Which sources are heard is drawn by
 * lot, anew each second: of all strangers the same share, however often one knocks, and a client whose SYN was dropped sends
 * it again after a second (RFC 6298 section 2.1), then after two, four, and so on. Pure: the caller counts and has the
 * clock.
 */
#ifndef GUARD_SAMPLING_H
#define GUARD_SAMPLING_H

#include "guard/admission.h"

enum {
    SAMPLING_ALL = 1 << 16,         /* the share that is everybody */
    SAMPLING_LEAST = 16,            /* that is heard in any case: one in 4,096 */
    SAMPLING_CONNECTION_NS = 20000, /* cost of one connection beside its handshake, to begin and end it */
};

struct sampling {
    uint32_t share;     /* of SAMPLING_ALL */
    uint32_t strangers; /* connections of others than the known, in this window */
    /*
     * The cost of all strangers together if all were heard, in shares of the time, where SAMPLING_ALL is the whole time. It
     * is the highest value of a window, in these windows and in as many before them. One window alone tells little: the
     * clients that were not heard come again after a second, all at once.
     */
    uint64_t demand;
    uint64_t demand_before;
    uint32_t windows; /* of `demand`, so far */
};

/* The measures of one window of admission. */
struct sampling_window {
    enum admission_state state; /* at its end */
    uint32_t heard;             /* the share that was heard in it: more than 0, up to SAMPLING_ALL */
    uint64_t duration_ns;       /* more than 0 */
    uint64_t idle_ns;           /* up to `duration_ns` */
    uint64_t known_ns;          /* handshakes of the known */
    uint64_t strangers_ns;      /* and of all others */
};

void sampling_init(struct sampling *sampling);
/* A connection has come from a source that is not known, whatever becomes of it. */
static inline void sampling_count(struct sampling *sampling) {
    sampling->strangers++;
}
/* Sets the share anew. */
void sampling_end_window(struct sampling *sampling, const struct sampling_window *window);

#endif
