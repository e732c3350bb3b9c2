#include "tls/alert.h"
#include "tls/wolfssl.h"

#include <criterion/criterion.h>
#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

static void expect(int error, int alert) {
    cr_expect_eq(tls_alert_for(error), alert, "%d: %d", error, tls_alert_for(error));
}

Test(alert, each_kind_of_error_has_its_alert) {
    expect(OUT_OF_ORDER_E, unexpected_message);
    expect(DUPLICATE_MSG_E, unexpected_message);
    expect(DECRYPT_ERROR, bad_record_mac);
    expect(BUFFER_ERROR, decode_error);
    expect(BUFFER_E, decode_error);
    expect(HANDSHAKE_SIZE_ERROR, decode_error);
    expect(VERIFY_FINISHED_ERROR, decrypt_error);
    expect(SIG_VERIFY_E, decrypt_error);
    expect(BAD_BINDER, decrypt_error);
    expect(ECC_PEERKEY_ERROR, illegal_parameter);
    expect(INVALID_PARAMETER, illegal_parameter);
    expect(PUBLIC_KEY_E, illegal_parameter);
    expect(VERSION_ERROR, protocol_version);
    expect(MATCH_SUITE_ERROR, handshake_failure);
    expect(EXT_MISSING, missing_extension);
    expect(UNKNOWN_ALPN_PROTOCOL_NAME_E, no_application_protocol);
}

Test(alert, nobody_is_told_who_has_ended_it_or_takes_nothing) {
    expect(FATAL_ERROR, TLS_NO_ALERT);
    expect(SOCKET_ERROR_E, TLS_NO_ALERT);
    expect(ZERO_RETURN, TLS_NO_ALERT);
}

/* Whatever wolfSSL may say, the peer is told something that it can understand. */
Test(alert, what_is_not_known_is_an_internal_error) {
    expect(MEMORY_E, internal_error);
    for (int error = 1; error > -3000; error--) {
        int alert = tls_alert_for(error);
        cr_expect(alert == TLS_NO_ALERT || (alert >= unexpected_message && alert <= no_application_protocol), "%d", error);
    }
}

Test(alert, has_a_name) {
    cr_assert_str_eq(tls_alert_name(0), "close_notify");
    cr_assert_str_eq(tls_alert_name(48), "unknown_ca");
    cr_assert_str_eq(tls_alert_name(116), "certificate_required");
    cr_assert_str_eq(tls_alert_name(255), "unknown");
    cr_assert_str_eq(tls_alert_name(-1), "unknown");
}
