#include "relay/health_board.h"

#include "base/check.h"
#include "base/hash.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 4096 };

/* An entry, with what it is found by: the address, and behind it the name of the host. */
struct item {
    struct health_entry entry;
    struct item *next; /* in its bucket */
    uint64_t hash;
    unsigned holders;
    size_t address_size;
    size_t key_size;
    uint8_t key[];
};

struct health_board {
    pthread_mutex_t lock;
    size_t count;
    _Atomic uint64_t changes;
    struct item *buckets[BUCKETS];
};

struct health_board *health_board_create(void) {
    struct health_board *board = calloc(1, sizeof *board);

    if (board != NULL) {
        CHECK(pthread_mutex_init(&board->lock, NULL) == 0);
        atomic_init(&board->changes, 1);
    }
    return board;
}

void health_board_free(struct health_board *board) {
    if (board != NULL) {
        CHECK(board->count == 0);
        CHECK(pthread_mutex_destroy(&board->lock) == 0);
        free(board);
    }
}

static struct item *create_item(const char *host, const struct sockaddr *address, socklen_t address_size) {
    size_t host_size = strlen(host);
    struct item *item = calloc(1, sizeof *item + address_size + host_size);

    if (item == NULL) {
        return NULL;
    }
    atomic_init(&item->entry.down, false);
    item->address_size = address_size;
    item->key_size = address_size + host_size;
    memcpy(item->key, address, address_size);
    memcpy(item->key + address_size, host, host_size);
    item->hash = hash_bytes(item->key, item->key_size);
    return item;
}

static bool is_same(const struct item *a, const struct item *b) {
    return a->hash == b->hash && a->address_size == b->address_size && a->key_size == b->key_size &&
           memcmp(a->key, b->key, a->key_size) == 0;
}

/* Returns the item that is on the board for the key of `wanted`: itself, if there was none. */
static struct item *find_or_add(struct health_board *board, struct item *wanted) {
    struct item **bucket = &board->buckets[wanted->hash % BUCKETS];

    for (struct item *item = *bucket; item != NULL; item = item->next) {
        if (is_same(item, wanted)) {
            return item;
        }
    }
    wanted->entry.changes = &board->changes;
    wanted->next = *bucket;
    *bucket = wanted;
    board->count++;
    return wanted;
}

struct health_entry *health_board_take(struct health_board *board, const char *host, const struct sockaddr *address,
                                       socklen_t size) {
    struct item *wanted = create_item(host, address, size);

    if (wanted == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&board->lock);
    struct item *item = find_or_add(board, wanted);
    item->holders++;
    pthread_mutex_unlock(&board->lock);
    if (item != wanted) {
        free(wanted);
    }
    return &item->entry;
}

void health_board_give(struct health_board *board, struct health_entry *entry) {
    if (entry == NULL) {
        return;
    }
    struct item *item = CONTAINER_OF(entry, struct item, entry);

    pthread_mutex_lock(&board->lock);
    CHECK(item->holders > 0);
    bool ends = --item->holders == 0;
    if (ends) {
        struct item **link = &board->buckets[item->hash % BUCKETS];

        while (*link != item) {
            link = &(*link)->next;
        }
        *link = item->next;
        board->count--;
    }
    pthread_mutex_unlock(&board->lock);
    if (ends) {
        free(item);
    }
}
