/*
 * Attacks on servers of HTTP/2, as bytes: the frames that an attacker sends on one connection, again and again. They are
 * what the CVEs name, sent at full blast, or streams that are held open. flood_http2.h has the connections.
 */
#ifndef BENCH_LOAD_ATTACK_H
#define BENCH_LOAD_ATTACK_H

#include "load/frames.h"

enum {
    ATTACK_STREAMS_MAX = 100, /* as many as most servers take at the same time */
    ATTACK_REPEAT_MAX = 8400, /* bytes of frames of one repeat, beside the path */
};

struct attacker;

struct attack {
    /* Appends what is sent once, behind the preface. May be NULL. */
    void (*begin)(struct attacker *attacker, struct frames *frames);
    /* Appends what is sent again and again. NULL: the streams are held, and that is all. */
    void (*repeat)(struct attacker *attacker, struct frames *frames);
    uint32_t streams; /* that are held open; each that the server ends is followed by another. 0 to ATTACK_STREAMS_MAX */
    bool posts;       /* their requests have a body that never ends; else their answers cannot leave */
    bool deaf;        /* reads nothing behind the handshake */
    bool open_head;   /* all that is sent is one head that does not end */
    uint32_t window;  /* SETTINGS_INITIAL_WINDOW_SIZE */
};

/* One connection's side of an attack. */
struct attacker {
    const struct attack *attack;
    const char *authority;
    const char *path;
    uint32_t stream;                   /* the last that was opened, 0 before */
    uint64_t repeats;                  /* that have been appended */
    uint32_t held[ATTACK_STREAMS_MAX]; /* streams; 0: none, or it has ended */
};

extern const struct attack attack_rapid_reset, attack_made_reset, attack_continuation, attack_endless_head,
    attack_hpack_bomb, attack_settings, attack_settings_deaf, attack_ping, attack_ping_deaf, attack_priority,
    attack_empty_data, attack_tiny_window, attack_zero_window, attack_half_open;

/* Appends what begins the connection: the preface, the settings, begin() and the held streams. */
void attack_begin(struct attacker *attacker, struct frames *frames);
/* Appends the next repeat. There is room for ATTACK_REPEAT_MAX and the path. */
void attack_repeat(struct attacker *attacker, struct frames *frames);
/* Appends requests in the place of held streams that have ended, as far as there is room. */
void attack_hold(struct attacker *attacker, struct frames *frames);
/* The server has ended its side of a stream, or reset it. */
void attack_note_end(struct attacker *attacker, uint32_t stream, bool reset);

#endif
