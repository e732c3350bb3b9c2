/*
 * Tickets that have been used already. A client of TLS 1.3 uses each once (RFC 8446 appendix C.4), so that one which comes
 * again may be a session that somebody plays from many addresses: it still resumes, but says nothing of who comes. A table
 * of 512 KiB for the process, whatever comes: a ticket is remembered until another takes its entry. Which entry it has is
 * keyed, see base/hash.h.
 */
#ifndef GUARD_REPLAYS_H
#define GUARD_REPLAYS_H

#include "base/bytes.h"

#include <stdatomic.h>

enum { REPLAYS_ENTRIES = 1 << 16 };

/* Zeroed before its first use. Safe from any thread. */
struct replays {
    _Atomic uint64_t used[REPLAYS_ENTRIES]; /* the name of the ticket that had this entry last; 0: none */
};

/* What a ticket is remembered by; never 0. */
uint64_t replays_name(struct bytes ticket);
void replays_note(struct replays *replays, uint64_t name);
/* Whether it was noted; true by mistake for one in 2^48 that was not. */
bool replays_has(struct replays *replays, uint64_t name);

#endif
