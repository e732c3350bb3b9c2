/* The addresses that an origin of the configuration stands for now: an immutable list with a reference count, which any
 * thread may hold. */
#ifndef RELAY_ADDRESSES_H
#define RELAY_ADDRESSES_H

#include "dns/set.h"

#include <stdatomic.h>

struct relay_addresses {
    atomic_uint references;
    struct dns_set set; /* may be empty: a service that is not offered */
};

/* Copies the set. The result has one reference; NULL when out of memory. */
struct relay_addresses *relay_addresses_create(const struct dns_set *set);
struct relay_addresses *relay_addresses_retain(struct relay_addresses *addresses);
/* NULL is allowed. */
void relay_addresses_release(struct relay_addresses *addresses);

#endif
