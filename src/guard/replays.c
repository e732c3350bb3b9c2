#include "guard/replays.h"

#include "base/hash.h"

uint64_t replays_name(struct bytes ticket) {
    uint64_t name = hash_bytes(ticket.data, ticket.size);
    return name != 0 ? name : 1;
}

static _Atomic uint64_t *entry_of(struct replays *replays, uint64_t name) {
    return &replays->used[name % REPLAYS_ENTRIES];
}

void replays_note(struct replays *replays, uint64_t name) {
    atomic_store_explicit(entry_of(replays, name), name, memory_order_relaxed);
}

bool replays_has(struct replays *replays, uint64_t name) {
    return atomic_load_explicit(entry_of(replays, name), memory_order_relaxed) == name;
}
