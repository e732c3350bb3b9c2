#include "relay/addresses.h"

#include <criterion/criterion.h>

Test(addresses, are_a_copy_that_is_shared) {
    struct dns_item item = {.address.in = {.sin_family = AF_INET, .sin_port = 1}};
    struct dns_set set = {.count = 1, .items = &item};
    struct relay_addresses *addresses = relay_addresses_create(&set);

    set.items[0].address.in.sin_port = 2;
    cr_assert_eq(relay_addresses_retain(addresses), addresses);
    relay_addresses_release(addresses);
    cr_assert_eq(addresses->set.count, 1);
    cr_assert_eq(addresses->set.items[0].address.in.sin_port, 1);
    relay_addresses_release(addresses);
    relay_addresses_release(NULL);
}
