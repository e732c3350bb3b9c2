#include "dns/set.h"

#include <string.h>

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

void dns_set_add(struct dns_set *set, const struct sockaddr *address, size_t size) {
    union dns_address added;
    size_t place = 0;

    if (!read_address(address, size, &added)) {
        return;
    }
    while (place < set->count && compare(&set->items[place], &added) < 0) {
        place++;
    }
    if (place < set->count && compare(&set->items[place], &added) == 0) {
        return;
    }
    if (set->count == DNS_SET_MAX) {
        set->cut = true;
        if (place == DNS_SET_MAX) {
            return;
        }
        set->count--;
    }
    memmove(&set->items[place + 1], &set->items[place], (set->count - place) * sizeof set->items[0]);
    set->items[place] = added;
    set->count++;
}

void dns_set_add_family(struct dns_set *set, const struct dns_set *from, sa_family_t family) {
    for (size_t i = 0; i < from->count; i++) {
        if (from->items[i].any.sa_family == family) {
            dns_set_add(set, &from->items[i].any, sizeof from->items[i]);
        }
    }
}

bool dns_set_has(const struct dns_set *set, const union dns_address *address) {
    for (size_t i = 0; i < set->count; i++) {
        if (compare(&set->items[i], address) == 0) {
            return true;
        }
    }
    return false;
}

bool dns_set_equal(const struct dns_set *a, const struct dns_set *b) {
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (compare(&a->items[i], &b->items[i]) != 0) {
            return false;
        }
    }
    return true;
}

void dns_set_shorten(struct dns_set *set, size_t count) {
    if (set->count > count) {
        set->count = count;
        set->cut = true;
    }
}

socklen_t dns_address_size(const union dns_address *address) {
    return address->any.sa_family == AF_INET ? sizeof address->in : sizeof address->in6;
}
