/*
 * Tickets that have been used already. A client of TLS 1.3 uses each ticket once (RFC 8446 appendix C.4), so a ticket that
 * comes again may be a session that is replayed from many addresses: it still resumes, but it is no evidence of who the
 * client is. A table of 512 KiB for the process, whatever comes: a ticket is remembered until another takes its entry. The
 * hash that chooses the entry is keyed, see base/hash.h.
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

/* Returns the number by which a ticket is remembered; never 0. */
uint64_t replays_name(struct bytes ticket);
void replays_note(struct replays *replays, uint64_t name);
/* Returns whether the ticket was noted; true by mistake for one in 2^48 that was not. */
bool replays_has(struct replays *replays, uint64_t name);

#endif
