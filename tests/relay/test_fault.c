#include "base/check.h"
#include "relay/fault.h"

#include <criterion/criterion.h>
#include <errno.h>

/* The access log's vocabulary: operations.md has the same. */
Test(fault, names_are_fixed_and_unlike) {
    cr_assert_null(relay_fault_name(RELAY_FAULT_NONE));
    for (int i = 1; i < RELAY_FAULT_COUNT; i++) {
        cr_assert_not_null(relay_fault_name((enum relay_fault)i));
        for (int j = 1; j < i; j++) {
            cr_assert_str_neq(relay_fault_name((enum relay_fault)i), relay_fault_name((enum relay_fault)j));
        }
    }
    cr_assert_str_eq(relay_fault_name(RELAY_FAULT_REFUSED), "refused");
    cr_assert_str_eq(relay_fault_name(RELAY_FAULT_LENGTH), "malformed_length");
}

Test(fault, tells_whose_it_is_that_no_connection_is_made) {
    cr_assert_eq(relay_fault_of_connect(-ECONNREFUSED), RELAY_FAULT_REFUSED);
    cr_assert_eq(relay_fault_of_connect(-ETIMEDOUT), RELAY_FAULT_CONNECT_TIMED_OUT);
    cr_assert_eq(relay_fault_of_connect(-EHOSTUNREACH), RELAY_FAULT_UNREACHABLE);
    cr_assert_eq(relay_fault_of_connect(-ENETUNREACH), RELAY_FAULT_UNREACHABLE);
    cr_assert_eq(relay_fault_of_connect(-EMFILE), RELAY_FAULT_NO_RESOURCES);
    cr_assert_eq(relay_fault_of_connect(-EADDRNOTAVAIL), RELAY_FAULT_NO_RESOURCES);
}

Test(fault, of_a_response_has_a_name_for_each_kind) {
    for (int i = HTTP_FAULT_STATUS_LINE; i <= HTTP_FAULT_TOO_MANY; i++) {
        cr_assert_not_null(relay_fault_name(relay_fault_of_response((enum http_fault)i)));
    }
}
