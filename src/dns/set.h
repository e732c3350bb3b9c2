/* Sets of addresses, as a name stands for: no address twice, in an order of their own, so that two sets can be compared. */
#ifndef DNS_SET_H
#define DNS_SET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DNS_SET_MAX = 1024 }; /* addresses of a set; further ones are left out */

union dns_address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

enum { DNS_SHARE_ONE = 256 /* the share of weight 1 */ };

/* Which of several addresses is asked, as SRV records say. All 0 for those that no record ranks. */
struct dns_rank {
    uint32_t share; /* of the requests of its level */
    uint16_t level; /* it is asked while none of a lower one is up */
};

static inline bool dns_rank_equal(const struct dns_rank *a, const struct dns_rank *b) {
    return a->share == b->share && a->level == b->level;
}

struct dns_item {
    union dns_address address;
    struct dns_rank rank;
};

/* Zeroed, it is empty. Its memory grows with it, up to 36 KiB. */
struct dns_set {
    struct dns_item *items; /* in the set's order: by address; owned */
    size_t count;
    size_t capacity;
    bool cut; /* some had no room */
};

/* Leaves an empty set. */
void dns_set_free(struct dns_set *set);
struct dns_set dns_set_copy(const struct dns_set *set);
/*
 * Adds an IPv4 or IPv6 address, which is copied; one of another family is not. In a set that is full, the last one in the
 * order gives way, so that the same answer leaves the same set, in whatever order it comes.
 */
void dns_set_add(struct dns_set *set, const struct sockaddr *address, size_t size);
/*
 * Likewise adds an item with its rank. An address that is there twice has the lower of its levels, and the sum of its shares
 * of that one.
 */
void dns_set_add_item(struct dns_set *set, const struct dns_item *item);
/* Adds those of `from` that have this family. */
void dns_set_add_family(struct dns_set *set, const struct dns_set *from, sa_family_t family);
/* Returns the place of an address in set->items, or set->count if it is not there. O(log n). */
size_t dns_set_find(const struct dns_set *set, const struct sockaddr *address, size_t size);
bool dns_set_has(const struct dns_set *set, const union dns_address *address);
bool dns_set_equal(const struct dns_set *a, const struct dns_set *b);
/* Leaves out the last ones, those of the highest levels first, so that `count` at most remain. */
void dns_set_shorten(struct dns_set *set, size_t count);
/* Returns the size of the socket address. */
socklen_t dns_address_size(const union dns_address *address);

#endif
