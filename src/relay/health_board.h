/*
 * The board on which the prober writes which origins are down, and from which all shards read it: one atomic word for each
 * address of each host. An entry is taken in any thread and in any order: for each origin of a shard when it is made, and by
 * the prober when it begins to probe. All get the same one for the same host and address, and the last to give it back ends
 * it. So an entry outlives the configurations in which its address is, and so does what it says.
 */
#ifndef RELAY_HEALTH_BOARD_H
#define RELAY_HEALTH_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct health_board;

struct health_entry {
    atomic_bool down;          /* the prober alone writes it */
    _Atomic uint64_t *changes; /* the board's: how often an entry was written; NULL: of no board */
    void *prober;              /* of the prober, for its own use; NULL at first */
};

static inline bool health_entry_is_down(const struct health_entry *entry) {
    return atomic_load_explicit(&entry->down, memory_order_relaxed);
}

static inline void health_entry_set(struct health_entry *entry, bool down) {
    atomic_store_explicit(&entry->down, down, memory_order_relaxed);
    if (entry->changes != NULL) {
        atomic_fetch_add_explicit(entry->changes, 1, memory_order_release);
    }
}

/*
 * Returns a number that no conclusion from the entries of the board outlives: it is another one after each write. 0: the
 * entry is of no board, and nothing is known.
 */
static inline uint64_t health_entry_changes(const struct health_entry *entry) {
    return entry->changes == NULL ? 0 : atomic_load_explicit(entry->changes, memory_order_acquire);
}

/* NULL when out of memory. */
struct health_board *health_board_create(void);
/* Every entry must have been given back. NULL is allowed. */
void health_board_free(struct health_board *board);

/* Returns the entry of an address of a host; a new one is up. NULL when out of memory. Takes a lock for a moment. */
struct health_entry *health_board_take(struct health_board *board, const char *host, const struct sockaddr *address,
                                       socklen_t size);
/* Likewise; NULL is allowed. */
void health_board_give(struct health_board *board, struct health_entry *entry);

#endif
