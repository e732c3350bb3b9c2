#include "tls/wire.h"

#include "base/check.h"
#include "base/clock.h"
#include "tls/alert.h"
#include "tls/session_hooks.h"

#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

bool tls_wire_begin(struct tls_wire *wire, WOLFSSL_CTX *wolfssl) {
    wire->wolfssl = wolfSSL_new(wolfssl);
    if (wire->wolfssl == NULL) {
        return false;
    }
    wolfSSL_SetIOReadCtx(wire->wolfssl, wire);
    wolfSSL_SetIOWriteCtx(wire->wolfssl, wire);
    return true;
}

void tls_wire_end(struct tls_wire *wire) {
    wolfSSL_free(wire->wolfssl);
    tls_peer_forget(&wire->peer);
    tls_proof_free(&wire->proof);
}

struct tls_peer *tls_session_peer(void *session) {
    struct tls_wire *wire = session;
    return &wire->peer;
}

struct tls_proof *tls_session_proof(void *session) {
    struct tls_wire *wire = session;
    return &wire->proof;
}

int tls_wire_receive(WOLFSSL *wolfssl, char *buffer, int capacity, void *owner) {
    struct tls_wire *wire = owner;
    if (wire->input.size == 0) {
        return WOLFSSL_CBIO_ERR_WANT_READ;
    }
    size_t size = wire->input.size < (size_t)capacity ? wire->input.size : (size_t)capacity;
    memcpy(buffer, wire->input.data, size);
    wire->input.data += size;
    wire->input.size -= size;
    return (int)size;
}

static uint64_t now_s(void) {
    return clock_monotonic_ns() / 1000000000;
}

/* Tells whether an alert of TLS 1.2 has neither of the two levels (RFC 5246 section 7.2). */
static bool is_bad_alert(const struct tls_wire *wire, struct bytes alert) {
    return alert.size == 2 && (alert.data[0] < alert_warning || alert.data[0] > alert_fatal) && !tls_wire_is_tls13(wire);
}

int tls_wire_record(WOLFSSL *wolfssl, int type, const unsigned char *data, unsigned size) {
    struct tls_wire *wire = wolfSSL_GetIOReadCtx(wolfssl);
    struct bytes plaintext = bytes_of(data, size);
    if (type < TLS_RECORD_CHANGE_CIPHER_SPEC || type > TLS_RECORD_APPLICATION_DATA) {
        return TLS_ALERT_UNEXPECTED_MESSAGE;
    }
    if (type == TLS_RECORD_ALERT && is_bad_alert(wire, plaintext)) {
        return TLS_ALERT_ILLEGAL_PARAMETER;
    }
    if (type == TLS_RECORD_APPLICATION_DATA && !wire->established) /* wolfSSL ends it */
    {
        return 0;
    }
    const struct allowance_stage stage = {
        .tls13 = tls_wire_is_tls13(wire), .established = wire->established, .now_s = now_s()};
    enum tls_excess excess = allowance_take(&wire->allowance, &stage, (enum tls_record_type)type, plaintext);
    if (type == TLS_RECORD_CHANGE_CIPHER_SPEC && stage.tls13 &&
        (wire->established || wolfSSL_change_cipher_received(wolfssl))) {
        excess = TLS_EXCESS_CHANGE_CIPHER_SPECS;
    }
    if (excess == TLS_EXCESS_NONE) {
        return 0;
    }
    wire->excess = (uint8_t)excess;
    return TLS_ALERT_UNEXPECTED_MESSAGE;
}

void tls_wire_move_input(struct tls_wire *wire, uint8_t *to) {
    if (wire->input.size > 0) {
        memcpy(to, wire->input.data, wire->input.size);
        wire->input.data = to;
    }
}

void tls_wire_end_capture(struct tls_wire *wire) {
    if (wolfSSL_certificate_list_cut(wire->wolfssl)) {
        tls_peer_lacks_some(&wire->peer);
    }
    tls_peer_end(&wire->peer);
}

void tls_wire_establish(struct tls_wire *wire) {
    wire->established = true;
    allowance_establish(&wire->allowance);
}

enum tls_result tls_wire_fail(struct tls_wire *wire, int error, int alert) {
    wire->input.size = 0;
    wire->error = error;
    if (alert != TLS_NO_ALERT) {
        wolfSSL_send_fatal_alert(wire->wolfssl, alert);
    }
    return TLS_FAILED;
}

void tls_wire_feed(struct tls_wire *wire, struct bytes ciphertext) {
    CHECK(wire->input.size == 0 && ciphertext.size <= UINT_MAX);
    wire->input = ciphertext;
    wolfSSL_set_input(wire->wolfssl, (unsigned)ciphertext.size);
}

enum tls_result tls_wire_unfinished(struct tls_wire *wire, int returned) {
    int error = wolfSSL_get_error(wire->wolfssl, returned);
    if (error == WOLFSSL_ERROR_WANT_READ) {
        CHECK(wire->input.size == 0);
        return TLS_WANT_INPUT;
    }
    if (error == WOLFSSL_ERROR_ZERO_RETURN) {
        wire->input.size = 0;
        return TLS_CLOSED;
    }
    return tls_wire_fail(wire, error, tls_alert_for(error));
}

enum tls_result tls_wire_read(struct tls_wire *wire, void *plaintext, size_t capacity, size_t *size) {
    CHECK(wire->established && capacity > 0);
    *size = 0;
    if (wire->error != 0) {
        return TLS_FAILED;
    }
    int returned = wolfSSL_read(wire->wolfssl, plaintext, capacity > INT_MAX ? INT_MAX : (int)capacity);
    if (returned <= 0) {
        return tls_wire_unfinished(wire, returned);
    }
    *size = (size_t)returned;
    return TLS_DONE;
}

enum tls_result tls_wire_write(struct tls_wire *wire, struct bytes plaintext) {
    CHECK(wire->established);
    allowance_pay_back(&wire->allowance, plaintext.size);
    while (plaintext.size > 0) {
        if (wire->error != 0) {
            return TLS_FAILED;
        }
        int size = plaintext.size > INT_MAX ? INT_MAX : (int)plaintext.size;
        int returned = wolfSSL_write(wire->wolfssl, plaintext.data, size);
        if (returned <= 0) {
            int error = wolfSSL_get_error(wire->wolfssl, returned);
            return tls_wire_fail(wire, error, tls_alert_for(error));
        }
        plaintext.data += returned;
        plaintext.size -= (size_t)returned;
    }
    return TLS_DONE;
}

void tls_wire_shutdown(struct tls_wire *wire) {
    /* A second wolfSSL_shutdown would wait for the peer's close_notify, for which the caller waits. */
    if (wire->shut_down || wire->error != 0) {
        return;
    }
    wire->shut_down = true;
    wolfSSL_shutdown(wire->wolfssl);
}

bool tls_wire_is_tls13(const struct tls_wire *wire) {
    return wolfSSL_GetVersion(wire->wolfssl) == WOLFSSL_TLSV1_3;
}

bool tls_wire_is_http2(const struct tls_wire *wire) {
    CHECK(wire->established);
    char *name;
    unsigned short size;
    return wolfSSL_ALPN_GetProtocol(wire->wolfssl, &name, &size) == WOLFSSL_SUCCESS &&
           bytes_equal(bytes_of(name, size), bytes_of_string("h2"));
}
