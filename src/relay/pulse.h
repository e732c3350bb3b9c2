/*
 * Whether the origin at the other end of a channel is alive: a PING goes when the origin has been silent for a while, and an
 * origin that does not answer one is given up. Servers of gRPC bear few PINGs between two of their responses
 * (RELAY_PING_AGAIN_MS). Pure; all times are milliseconds of the ring's clock.
 */
#ifndef RELAY_PULSE_H
#define RELAY_PULSE_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed: nothing has been heard yet. */
struct pulse {
    uint64_t heard_ms;        /* when bytes came last, or the origin was given something to do */
    uint64_t ping_allowed_ms; /* without a response since the last PING, the next one goes no sooner */
    uint64_t pinged_ms;
    bool pinged;    /* and nothing has come since */
    bool responded; /* a part of a response has come since the last PING */
};

enum pulse_step {
    PULSE_WAIT,
    PULSE_PING, /* send one now */
    PULSE_LOST, /* give the origin up */
};

/* Bytes have come. */
void pulse_hear(struct pulse *pulse, uint64_t now_ms);
/* A part of a response has come. */
void pulse_note_response(struct pulse *pulse);
/* The origin, which had nothing to do, has something to do from now on: until then it could be silent. */
void pulse_wake(struct pulse *pulse, uint64_t now_ms);
/*
 * Returns what is to be done now: asked every `ping_ms`, while the origin has something to do. For PULSE_PING the PING
 * counts as sent, and the next one goes no sooner than `ping_again_ms` later if no response comes.
 */
enum pulse_step pulse_look(struct pulse *pulse, uint64_t now_ms, uint32_t ping_ms, uint32_t ping_again_ms);
/* Returns for how long nothing has come since `since_ms`. */
uint64_t pulse_silence_ms(const struct pulse *pulse, uint64_t since_ms, uint64_t now_ms);

#endif
