/* The two clocks: one only goes forward, for durations; the other is the one that people read, for certificates and logs. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

uint64_t clock_monotonic_ns(void);
uint64_t clock_monotonic_ms(void);
/* Return the time since the epoch. */
int64_t clock_wall_seconds(void);
uint64_t clock_wall_ms(void);

#endif
