#include "base/tls_alert.h"

#include <criterion/criterion.h>

Test(tls_alert, has_the_name_and_the_number_of_the_rfc) {
    cr_assert_eq(TLS_ALERT_CLOSE_NOTIFY, 0);
    cr_assert_str_eq(tls_alert_name(TLS_ALERT_CLOSE_NOTIFY), "close_notify");
    cr_assert_eq(TLS_ALERT_UNKNOWN_CA, 48);
    cr_assert_str_eq(tls_alert_name(48), "unknown_ca");
    cr_assert_str_eq(tls_alert_name(116), "certificate_required");
}

Test(tls_alert, is_unknown_by_any_other_number) {
    cr_assert_str_eq(tls_alert_name(1), "unknown");
    cr_assert_str_eq(tls_alert_name(255), "unknown");
    cr_assert_str_eq(tls_alert_name(-1), "unknown");
}
