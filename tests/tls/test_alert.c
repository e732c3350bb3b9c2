#include "tls/alert.h"
#include "tls/wolfssl.h"

#include <criterion/criterion.h>
#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

static void expect(int error, int alert) {
    cr_expect_eq(tls_alert_for(error), alert, "%d: %d", error, tls_alert_for(error));
}

Test(alert, each_kind_of_error_has_its_alert) {
    expect(OUT_OF_ORDER_E, TLS_ALERT_UNEXPECTED_MESSAGE);
    expect(DUPLICATE_MSG_E, TLS_ALERT_UNEXPECTED_MESSAGE);
    expect(DECRYPT_ERROR, TLS_ALERT_BAD_RECORD_MAC);
    expect(BUFFER_ERROR, TLS_ALERT_DECODE_ERROR);
    expect(BUFFER_E, TLS_ALERT_DECODE_ERROR);
    expect(HANDSHAKE_SIZE_ERROR, TLS_ALERT_DECODE_ERROR);
    expect(VERIFY_FINISHED_ERROR, TLS_ALERT_DECRYPT_ERROR);
    expect(SIG_VERIFY_E, TLS_ALERT_DECRYPT_ERROR);
    expect(BAD_BINDER, TLS_ALERT_DECRYPT_ERROR);
    expect(ECC_PEERKEY_ERROR, TLS_ALERT_ILLEGAL_PARAMETER);
    expect(INVALID_PARAMETER, TLS_ALERT_ILLEGAL_PARAMETER);
    expect(PUBLIC_KEY_E, TLS_ALERT_ILLEGAL_PARAMETER);
    expect(VERSION_ERROR, TLS_ALERT_PROTOCOL_VERSION);
    expect(MATCH_SUITE_ERROR, TLS_ALERT_HANDSHAKE_FAILURE);
    expect(EXT_MISSING, TLS_ALERT_MISSING_EXTENSION);
    expect(UNKNOWN_ALPN_PROTOCOL_NAME_E, TLS_ALERT_NO_APPLICATION_PROTOCOL);
}

Test(alert, nobody_is_told_who_has_ended_it_or_takes_nothing) {
    expect(FATAL_ERROR, TLS_NO_ALERT);
    expect(SOCKET_ERROR_E, TLS_NO_ALERT);
    expect(ZERO_RETURN, TLS_NO_ALERT);
}

/* Whatever wolfSSL may say, the peer is told something that it can understand. */
Test(alert, what_is_not_known_is_an_internal_error) {
    expect(MEMORY_E, TLS_ALERT_INTERNAL_ERROR);
    for (int error = 1; error > -3000; error--) {
        int alert = tls_alert_for(error);
        cr_expect(alert == TLS_NO_ALERT ||
                      (alert >= TLS_ALERT_UNEXPECTED_MESSAGE && alert <= TLS_ALERT_NO_APPLICATION_PROTOCOL),
                  "%d", error);
    }
}
