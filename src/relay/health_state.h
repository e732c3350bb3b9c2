/*
 * Whether an origin is up, as its probes find: a state that only several like results in a row change, so that one lost
 * probe takes no origin away, and one good answer of an origin that flaps brings none back. Pure.
 */
#ifndef RELAY_HEALTH_STATE_H
#define RELAY_HEALTH_STATE_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed, the origin is up: it is until probes have failed. */
struct health_state {
    bool down;
    uint32_t against; /* results in a row, up to the last one, that speak against the state */
};

/*
 * Takes the result of a probe: `rise` good ones in a row bring an origin up that was down, `fall` bad ones in a row take one
 * down that was up; both are at least 1. Returns whether the state has changed.
 */
bool health_state_note(struct health_state *state, bool good, uint32_t rise, uint32_t fall);

#endif
