#include "pair.h"
#include "tls/alert.h"
#include "tls/session_hooks.h"
#include "tls/wire.h"

#include <criterion/criterion.h>
#include <wolfssl/error-ssl.h>

static unsigned alerts;

static int count_alerts(WOLFSSL *wolfssl, char *buffer, int size, void *wire) {
    alerts += buffer[0] == TLS_RECORD_ALERT;
    return size;
}

static WOLFSSL_CTX *wolfssl;
static struct tls_wire wire;

static void set_up(void) {
    tls_library_init();
    wolfssl = wolfSSL_CTX_new(wolfTLS_client_method());
    wolfSSL_CTX_SetIORecv(wolfssl, tls_wire_receive);
    wolfSSL_CTX_SetIOSend(wolfssl, count_alerts);
    wolfSSL_CTX_set_record_cb(wolfssl, tls_wire_record);
    alerts = 0;
    cr_assert(tls_wire_begin(&wire, wolfssl));
}

static void tear_down(void) {
    tls_wire_end(&wire);
    wolfSSL_CTX_free(wolfssl);
    tls_library_cleanup();
}

TestSuite(wire, .init = set_up, .fini = tear_down);

Test(wire, hands_its_input_over_and_waits_for_more) {
    cr_assert_eq(tls_session_peer(&wire), &wire.peer);
    cr_assert_eq(tls_session_proof(&wire), &wire.proof);
    uint8_t record[] = {22, 3, 3, 0, 50, 2, 0};
    uint8_t moved[sizeof record];
    tls_wire_feed(&wire, bytes_of(record, sizeof record));
    tls_wire_move_input(&wire, moved);
    cr_assert_eq(wire.input.data, moved);
    int returned = wolfSSL_connect(wire.wolfssl);
    cr_assert_eq(tls_wire_unfinished(&wire, returned), TLS_WANT_INPUT);
    cr_assert_eq(wire.input.size, 0);
    cr_assert_eq(wire.error, 0);
}

Test(wire, ends_by_one_alert) {
    uint8_t record[] = {22, 3, 3, 0, 4, 99, 0, 0, 0};
    tls_wire_feed(&wire, bytes_of(record, sizeof record));
    int returned = wolfSSL_connect(wire.wolfssl);
    cr_assert_eq(tls_wire_unfinished(&wire, returned), TLS_FAILED);
    cr_assert_eq(alerts, 1);
    cr_assert_neq(wire.error, 0);
    cr_assert_eq(tls_wire_fail(&wire, MATCH_SUITE_ERROR, 40), TLS_FAILED);
    cr_assert_eq(alerts, 1);
    tls_wire_shutdown(&wire);
    cr_assert_eq(alerts, 1);
}

Test(wire, refuses_records_of_unknown_types) {
    cr_assert_neq(tls_wire_record(wire.wolfssl, 99, (const uint8_t *)"", 0), 0);
    cr_assert_eq(tls_wire_record(wire.wolfssl, TLS_RECORD_HANDSHAKE, (const uint8_t *)"x", 1), 0);
}
