/*
 * How slow a client may be: the deadline of what the client is doing, the least rate of a body, and pauses behind small
 * pieces, so that a client which sends a byte at a time costs little more than a silent one. Pure but for the timer: the
 * caller tells the time.
 */
#ifndef EDGE_PACE_H
#define EDGE_PACE_H

#include "base/timer.h"

#include <stddef.h>

enum {
    PACE_SMALL_SIZE = 256, /* bytes; fewer, which end nothing, are a small piece */
    PACE_SMALL_FREE = 4,   /* small pieces that are taken as they come */
    PACE_PAUSE_MS = 32,    /* behind the next small piece; doubles with each */
    PACE_PAUSE_MAX_MS = 1024,
    /* A body is too slow if it comes more slowly than this over a window of time in which only the client was waited for. */
    PACE_BODY_RATE_MIN = 256, /* bytes a second, as they come from the network */
    PACE_BODY_WINDOW_MS = 10000,
};

struct pace {
    struct timer timer;
    uint64_t deadline_ms;
    uint64_t armed_ms;     /* when input was asked for */
    uint64_t waited_ms;    /* for a body, in this window */
    uint32_t waited_bytes; /* of the body, that came in this window */
    uint8_t small_pieces;  /* since something new has begun */
    bool paused;           /* the client is not to be read */
};

/* `expired` is called by the wheel: see pace_resume. */
void pace_init(struct pace *pace, void (*expired)(struct timer *timer));
/* Sets the deadline of what the client does from now on. Ends a pause. */
void pace_set_deadline(struct pace *pace, struct timer_wheel *wheel, uint64_t now_ms, uint32_t delay_ms);
/* For `expired`. Returns true when only a pause is over, and the client may be read; false: the deadline has passed. */
bool pace_resume(struct pace *pace, struct timer_wheel *wheel, uint64_t now_ms);
void pace_stop(struct pace *pace, struct timer_wheel *wheel);

/* Begins something new, with small pieces and a body of its own. */
void pace_begin(struct pace *pace);
/* Notes that input was asked for. */
static inline void pace_arm(struct pace *pace, uint64_t now_ms) {
    pace->armed_ms = now_ms;
}
/* Notes that `size` bytes have come which have not ended what the client is doing; a pause may begin. */
void pace_take_small_piece(struct pace *pace, struct timer_wheel *wheel, uint64_t now_ms, size_t size);
/* Notes that `size` bytes of a body have come. False: the body comes too slowly. */
bool pace_take_body(struct pace *pace, uint64_t now_ms, size_t size);

#endif
