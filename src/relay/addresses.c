#include "relay/addresses.h"

#include "base/check.h"

#include <stdlib.h>

struct relay_addresses *relay_addresses_create(const struct dns_set *set) {
    struct relay_addresses *addresses = malloc(sizeof *addresses);

    if (addresses != NULL) {
        atomic_init(&addresses->references, 1);
        addresses->set = dns_set_copy(set);
    }
    return addresses;
}

struct relay_addresses *relay_addresses_retain(struct relay_addresses *addresses) {
    unsigned references = atomic_fetch_add_explicit(&addresses->references, 1, memory_order_relaxed);

    CHECK(references > 0);
    return addresses;
}

void relay_addresses_release(struct relay_addresses *addresses) {
    if (addresses == NULL) {
        return;
    }
    unsigned references = atomic_fetch_sub_explicit(&addresses->references, 1, memory_order_acq_rel);
    CHECK(references > 0);
    if (references == 1) {
        dns_set_free(&addresses->set);
        free(addresses);
    }
}
