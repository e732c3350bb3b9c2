/*
 * Sources that are not to be heard for a while: what the kernel is told to drop. Each has an address of 32 bits, which for
 * one of IPv6 is the name that ring/syn_filter.h gives its /64. A fixed table with a bounded probe; the hash is keyed
 * (base/hash.h: hash_init comes first). Clocks are given.
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

struct blocklist {
    uint64_t until_ms[BLOCKLIST_SLOTS]; /* 0: free */
    uint32_t addresses[BLOCKLIST_SLOTS];
    uint32_t count; /* slots in use */
    bool changed;   /* since blocklist_collect */
};

/* `duration_ms` is not 0. One that has no room near its place is left out. Empty is all zeros. */
void blocklist_add(struct blocklist *list, uint32_t address, uint64_t now_ms, uint32_t duration_ms);

/* It may be heard again. Nothing happens when it is not there. */
void blocklist_remove(struct blocklist *list, uint32_t address);

/* Forgets what is over, writes up to `capacity` of the others to `addresses`, ascending, and returns their number. */
size_t blocklist_collect(struct blocklist *list, uint64_t now_ms, uint32_t *addresses, size_t capacity);

void blocklist_clear(struct blocklist *list);

#endif
