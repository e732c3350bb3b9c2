#include "guard/blocklist.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

void blocklist_add(struct blocklist *list, uint32_t address, uint64_t now_ms, uint32_t duration_ms) {
    uint64_t hash = hash_bytes(&address, sizeof address);
    size_t chosen = BLOCKLIST_SLOTS;

    for (size_t i = 0; i < BLOCKLIST_PROBES; i++) {
        size_t slot = (hash + i) % BLOCKLIST_SLOTS;
        if (list->until_ms[slot] != 0 && list->addresses[slot] == address) {
            chosen = slot;
            break;
        }
        if (list->until_ms[slot] == 0 && chosen == BLOCKLIST_SLOTS) {
            chosen = slot;
        }
    }
    if (chosen == BLOCKLIST_SLOTS) {
        return;
    }
    if (list->until_ms[chosen] == 0) {
        list->addresses[chosen] = address;
        list->count++;
        list->changed = true;
    }
    list->until_ms[chosen] = now_ms + duration_ms;
}

void blocklist_remove(struct blocklist *list, uint32_t address) {
    uint64_t hash = hash_bytes(&address, sizeof address);

    for (size_t i = 0; i < BLOCKLIST_PROBES; i++) {
        size_t slot = (hash + i) % BLOCKLIST_SLOTS;
        if (list->until_ms[slot] != 0 && list->addresses[slot] == address) {
            list->until_ms[slot] = 0;
            list->count--;
            list->changed = true;
        }
    }
}

static int compare(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

size_t blocklist_collect(struct blocklist *list, uint64_t now_ms, uint32_t *addresses, size_t capacity) {
    size_t count = 0;

    for (size_t slot = 0; slot < BLOCKLIST_SLOTS; slot++) {
        if (list->until_ms[slot] == 0) {
            continue;
        }
        if (list->until_ms[slot] <= now_ms) {
            list->until_ms[slot] = 0;
            list->count--;
        } else if (count < capacity) {
            addresses[count++] = list->addresses[slot];
        }
    }
    list->changed = false;
    qsort(addresses, count, sizeof *addresses, compare);
    return count;
}

void blocklist_clear(struct blocklist *list) {
    memset(list, 0, sizeof *list);
}
