/*
 * How slow a client may be: the deadline of what it is doing, the least rate of a body, and pauses for those who send
 * crumbs, so that a byte at a time costs little more than silence. Pure but for the timer: the caller tells the time.
 */
#ifndef EDGE_PACE_H
#define EDGE_PACE_H

#include "base/timer.h"

#include <stddef.h>

enum {
    PACE_CRUMB_SIZE = 256, /* less than this, ending nothing, is a crumb */
    PACE_CRUMBS_FREE = 4,  /* that are taken as they come */
    PACE_PAUSE_MS = 32,    /* after the next one; doubles with each */
    PACE_PAUSE_MAX_MS = 1024,
    /* A body that comes more slowly, over so long a time in which nothing but the client was waited for, comes too slowly.
     */
    PACE_BODY_RATE_MIN = 256, /* bytes a second, as they come from the network */
    PACE_BODY_WINDOW_MS = 10000,
};

struct pace {
    struct timer timer;
    uint64_t deadline_ms;
    uint64_t armed_ms;     /* when input was asked for */
    uint64_t waited_ms;    /* for a body, in this window */
    uint32_t waited_bytes; /* that came of it */
    uint8_t crumbs;        /* of what has begun last */
    bool paused;           /* nothing is to be asked of the client */
};

/* `expired` is called by the wheel: see pace_resume. */
void pace_init(struct pace *pace, void (*expired)(struct timer *timer));
/* For what the client does from now on. Ends a pause. */
void pace_set_deadline(struct pace *pace, struct timer_wheel *wheel, uint64_t now_ms, uint32_t delay_ms);
/* In `expired`. True: only a pause is over, and the client may be asked for more. False: the deadline has passed. */
bool pace_resume(struct pace *pace, struct timer_wheel *wheel, uint64_t now_ms);
void pace_stop(struct pace *pace, struct timer_wheel *wheel);

/* Something new begins, which has its own crumbs and body. */
void pace_begin(struct pace *pace);
/* Input was asked for. */
static inline void pace_arm(struct pace *pace, uint64_t now_ms) {
    pace->armed_ms = now_ms;
}
/* `size` bytes have come and have not ended what the client is doing; a pause may begin. */
void pace_take_crumb(struct pace *pace, struct timer_wheel *wheel, uint64_t now_ms, size_t size);
/* So many bytes of a body have come. False: it comes too slowly. */
bool pace_take_body(struct pace *pace, uint64_t now_ms, size_t size);

#endif
