#include "dns/set.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

enum {
    CAPACITY_BEGIN = 4,
    DNS_SHARE_MAX = UINT16_MAX * DNS_SHARE_ONE,
};
_Static_assert((DNS_SET_MAX & (DNS_SET_MAX - 1)) == 0 && CAPACITY_BEGIN == 4,
               "by doubling, the memory grows to the bound and no further");

static int compare(const union dns_address *a, const union dns_address *b) {
    if (a->any.sa_family != b->any.sa_family) {
        return a->any.sa_family < b->any.sa_family ? -1 : 1;
    }
    if (a->any.sa_family == AF_INET) {
        int order = memcmp(&a->in.sin_addr, &b->in.sin_addr, sizeof a->in.sin_addr);

        return order != 0 ? order : memcmp(&a->in.sin_port, &b->in.sin_port, sizeof a->in.sin_port);
    }
    int order = memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof a->in6.sin6_addr);
    if (order == 0) {
        order = memcmp(&a->in6.sin6_port, &b->in6.sin6_port, sizeof a->in6.sin6_port);
    }
    return order != 0 ? order : memcmp(&a->in6.sin6_scope_id, &b->in6.sin6_scope_id, sizeof a->in6.sin6_scope_id);
}

/* Copies what tells an address from others, and nothing else. False: it is of another family. */
static bool read_address(const struct sockaddr *address, size_t size, union dns_address *out) {
    memset(out, 0, sizeof *out);
    if (address->sa_family == AF_INET && size >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in in;

        memcpy(&in, address, sizeof in);
        out->in.sin_family = AF_INET;
        out->in.sin_port = in.sin_port;
        out->in.sin_addr = in.sin_addr;
        return true;
    }
    if (address->sa_family == AF_INET6 && size >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 in6;

        memcpy(&in6, address, sizeof in6);
        out->in6.sin6_family = AF_INET6;
        out->in6.sin6_port = in6.sin6_port;
        out->in6.sin6_addr = in6.sin6_addr;
        out->in6.sin6_scope_id = in6.sin6_scope_id;
        return true;
    }
    return false;
}

void dns_set_free(struct dns_set *set) {
    free(set->items);
    *set = (struct dns_set){0};
}

struct dns_set dns_set_copy(const struct dns_set *set) {
    struct dns_set copy = {.count = set->count, .capacity = set->count, .cut = set->cut};

    if (set->count > 0) {
        copy.items = calloc(set->count, sizeof copy.items[0]);
        CHECK(copy.items != NULL);
        memcpy(copy.items, set->items, set->count * sizeof copy.items[0]);
    }
    return copy;
}

static void grow(struct dns_set *set) {
    set->capacity = set->capacity == 0 ? CAPACITY_BEGIN : 2 * set->capacity;
    set->items = realloc(set->items, set->capacity * sizeof set->items[0]);
    CHECK(set->items != NULL);
}

/* Returns the place of the first address that does not come before `address`. */
static size_t place_of(const struct dns_set *set, const union dns_address *address) {
    size_t low = 0;
    size_t high = set->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(&set->items[middle].address, address) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_at(const struct dns_set *set, size_t place, const union dns_address *address) {
    return place < set->count && compare(&set->items[place].address, address) == 0;
}

static void join_ranks(struct dns_rank *rank, const struct dns_rank *other) {
    if (other->level < rank->level) {
        *rank = *other;
    } else if (other->level == rank->level) {
        uint32_t sum = rank->share + other->share;

        rank->share = sum < DNS_SHARE_MAX ? sum : DNS_SHARE_MAX;
    }
}

void dns_set_add_item(struct dns_set *set, const struct dns_item *item) {
    struct dns_item added = {.rank = item->rank};

    if (!read_address(&item->address.any, sizeof item->address, &added.address)) {
        return;
    }
    size_t place = place_of(set, &added.address);
    if (is_at(set, place, &added.address)) {
        join_ranks(&set->items[place].rank, &added.rank);
        return;
    }
    if (set->count == DNS_SET_MAX) {
        set->cut = true;
        if (place == DNS_SET_MAX) {
            return;
        }
        set->count--;
    } else if (set->count == set->capacity) {
        grow(set);
    }
    memmove(&set->items[place + 1], &set->items[place], (set->count - place) * sizeof set->items[0]);
    set->items[place] = added;
    set->count++;
}

void dns_set_add(struct dns_set *set, const struct sockaddr *address, size_t size) {
    struct dns_item item = {0};

    if (read_address(address, size, &item.address)) {
        dns_set_add_item(set, &item);
    }
}

void dns_set_add_family(struct dns_set *set, const struct dns_set *from, sa_family_t family) {
    for (size_t i = 0; i < from->count; i++) {
        if (from->items[i].address.any.sa_family == family) {
            dns_set_add_item(set, &from->items[i]);
        }
    }
}

size_t dns_set_find(const struct dns_set *set, const struct sockaddr *address, size_t size) {
    union dns_address wanted;

    if (!read_address(address, size, &wanted)) {
        return set->count;
    }
    size_t place = place_of(set, &wanted);
    return is_at(set, place, &wanted) ? place : set->count;
}

bool dns_set_has(const struct dns_set *set, const union dns_address *address) {
    return is_at(set, place_of(set, address), address);
}

bool dns_set_equal(const struct dns_set *a, const struct dns_set *b) {
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (compare(&a->items[i].address, &b->items[i].address) != 0 ||
            !dns_rank_equal(&a->items[i].rank, &b->items[i].rank)) {
            return false;
        }
    }
    return true;
}

void dns_set_shorten(struct dns_set *set, size_t count) {
    while (set->count > count) {
        size_t last = set->count - 1;

        for (size_t i = last; i-- > 0;) {
            last = set->items[i].rank.level > set->items[last].rank.level ? i : last;
        }
        set->count--;
        memmove(&set->items[last], &set->items[last + 1], (set->count - last) * sizeof set->items[0]);
        set->cut = true;
    }
}

socklen_t dns_address_size(const union dns_address *address) {
    return address->any.sa_family == AF_INET ? sizeof address->in : sizeof address->in6;
}
