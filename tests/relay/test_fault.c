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

static enum relay_fault of_connect(int error) {
    return relay_fault_of_connect(&(struct relay_failure){.error = error});
}

Test(fault, tells_whose_it_is_that_no_connection_is_made) {
    cr_assert_eq(of_connect(-ECONNREFUSED), RELAY_FAULT_REFUSED);
    cr_assert_eq(of_connect(-ETIMEDOUT), RELAY_FAULT_CONNECT_TIMED_OUT);
    cr_assert_eq(of_connect(-EHOSTUNREACH), RELAY_FAULT_UNREACHABLE);
    cr_assert_eq(of_connect(-ENETUNREACH), RELAY_FAULT_UNREACHABLE);
    cr_assert_eq(of_connect(-EMFILE), RELAY_FAULT_NO_RESOURCES);
    cr_assert_eq(of_connect(-EADDRNOTAVAIL), RELAY_FAULT_NO_RESOURCES);
}

Test(fault, says_of_a_connection_that_was_lost_what_is_known) {
    const struct relay_failure certificate = {.error = -EPROTO, .fault = RELAY_FAULT_TLS_CERTIFICATE};
    cr_assert_eq(relay_fault_of_connect(&certificate), RELAY_FAULT_TLS_CERTIFICATE);
    cr_assert_eq(relay_fault_of_loss(&certificate), RELAY_FAULT_TLS_CERTIFICATE);
    cr_assert_eq(relay_fault_of_loss(&(struct relay_failure){.error = -ETIMEDOUT}), RELAY_FAULT_TIMED_OUT);
    cr_assert_eq(relay_fault_of_loss(&(struct relay_failure){.error = -ECONNRESET}), RELAY_FAULT_RESET);
    cr_assert_eq(relay_fault_of_loss(&(struct relay_failure){.error = -ENOBUFS}), RELAY_FAULT_NO_RESOURCES);
    cr_assert_eq(relay_fault_of_loss(&(struct relay_failure){.error = -EPROTO}), RELAY_FAULT_TLS_BROKEN);
}

Test(fault, of_a_response_has_a_name_for_each_kind) {
    for (int i = HTTP_FAULT_STATUS_LINE; i <= HTTP_FAULT_TOO_MANY; i++) {
        cr_assert_not_null(relay_fault_name(relay_fault_of_response((enum http_fault)i)));
    }
}
