/*
 * Sources whose SYNs the kernel drops for a while. Each has an address of 32 bits; for IPv6 it is the name that
 * ring/syn_filter.h gives the /64. A fixed table with a bounded probe; the hash is keyed (base/hash.h: hash_init comes
 * first). The caller gives the clock.
 */
#ifndef GUARD_BLOCKLIST_H
#define GUARD_BLOCKLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BLOCKLIST_SLOTS = 4096,
    BLOCKLIST_PROBES = 16,
};

/* Zeroed, it is empty. */
struct blocklist {
    uint64_t until_ms[BLOCKLIST_SLOTS]; /* 0: free */
    uint32_t addresses[BLOCKLIST_SLOTS];
    uint32_t count; /* slots in use */
    bool changed;   /* since blocklist_collect */
};

/* Adds an address for `duration_ms`, which is not 0. An address without a free slot near its place is left out. */
void blocklist_add(struct blocklist *list, uint32_t address, uint64_t now_ms, uint32_t duration_ms);

/* Removes an address. Nothing happens when it is not there. */
void blocklist_remove(struct blocklist *list, uint32_t address);

/* Forgets addresses whose time is over, writes up to `capacity` others to `addresses`, ascending, and returns how many. */
size_t blocklist_collect(struct blocklist *list, uint64_t now_ms, uint32_t *addresses, size_t capacity);

void blocklist_clear(struct blocklist *list);

#endif
