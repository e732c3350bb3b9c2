/* Sets of addresses, as a name stands for: no address twice, in an order of their own, so that two sets can be compared. */
#ifndef DNS_SET_H
#define DNS_SET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DNS_SET_MAX = 64 }; /* addresses of a set; further ones are left out */

union dns_address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

struct dns_set {
    size_t count;
    bool cut; /* some had no room */
    union dns_address items[DNS_SET_MAX];
};

/*
 * Adds an IPv4 or IPv6 address, which is copied; one of another family is not. In a set that is full, the last one in the
 * order gives way, so that the same answer leaves the same set, in whatever order it comes.
 */
void dns_set_add(struct dns_set *set, const struct sockaddr *address, size_t size);
/* Adds those of `from` that have this family. */
void dns_set_add_family(struct dns_set *set, const struct dns_set *from, sa_family_t family);
bool dns_set_has(const struct dns_set *set, const union dns_address *address);
bool dns_set_equal(const struct dns_set *a, const struct dns_set *b);
/* Leaves out the last ones, so that `count` at most remain. */
void dns_set_shorten(struct dns_set *set, size_t count);
/* Returns the size of the socket address. */
socklen_t dns_address_size(const union dns_address *address);

#endif
