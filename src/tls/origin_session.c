#include "tls/origin_session.h"

#include "base/check.h"
#include "base/key_group.h"
#include "tls/alert.h"
#include "tls/origin_context_parts.h"
#include "tls/wire.h"

#include <stdlib.h>
#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

_Static_assert((int)TLS_ORIGIN_ACCEPTED == (int)TLS_NO_ALERT, "an alert, or none");

/* The bytes of a Certificate message beside certificates: lengths, and extensions in reason. */
enum { CHAIN_OVERHEAD = 1024 };

enum { RECORD_HEADER_SIZE = 5 };

struct tls_origin_session {
    struct tls_wire wire;
    const struct tls_origin_handler *handler;
    void *owner;
    int refusal;                        /* the alert by which the owner has refused the chain; TLS_NO_ALERT: it has not */
    bool resumable;                     /* something to resume has come that was not taken yet */
    bool heard;                         /* the origin has sent a ticket or data behind the handshake */
    uint8_t header[RECORD_HEADER_SIZE]; /* of the record that comes in part: its first `header_size` bytes */
    uint8_t header_size;
    uint32_t record_left; /* bytes of a record behind its header that have not been fed */
};

int tls_origin_session_send(WOLFSSL *wolfssl, char *buffer, int size, void *owner) {
    struct tls_origin_session *session = owner;
    struct bytes ciphertext = bytes_of(buffer, (size_t)size);
    return session->handler->output(session->owner, ciphertext) == 0 ? size : WOLFSSL_CBIO_ERR_GENERAL;
}

/* The origin has signed: before the signature is worth a look, its chain is judged. */
static int prove(WOLFSSL *wolfssl, const WOLFSSL_CLIENT_PROOF *proof) {
    struct tls_origin_session *session = wolfSSL_GetIOReadCtx(wolfssl);
    tls_wire_end_capture(&session->wire);
    const struct tls_peer_chain *chain = tls_peer_chain(&session->wire.peer);
    if (chain == NULL) {
        return PEER_KEY_ERROR;
    }
    session->refusal = session->handler->judge(session->owner, chain);
    tls_peer_forget(&session->wire.peer);
    return session->refusal == TLS_ORIGIN_ACCEPTED ? tls_peer_check_proof(wolfssl, proof) : VERIFY_CERT_ERROR;
}

const WOLFSSL_CLIENT_AUTH tls_origin_session_hooks = {
    .certificate = tls_peer_catch,
    .prove = prove,
    .schemes = tls_proof_schemes,
    .schemesSz = TLS_PROOF_SCHEMES_SIZE,
    .schemes12Sz = TLS_PROOF_SCHEMES_TLS12_SIZE,
};

static int note_ticket(WOLFSSL *wolfssl, const unsigned char *ticket, int size, void *owner) {
    struct tls_origin_session *session = owner;
    session->resumable = size > 0;
    session->heard = true;
    return 0;
}

/*
 * Sends shares of the first hybrid and of the first curve, so that an origin that has either of them needs no second hello
 * (RFC 8446 section 4.1.4).
 */
static bool use_key_shares(WOLFSSL *wolfssl, bool without_hybrids) {
    bool found[2] = {without_hybrids, false};
    for (unsigned i = 0; i < KEY_GROUP_NONE; i++) {
        bool is_curve = !key_group_is_hybrid((enum key_group)i);
        if (found[is_curve]) {
            continue;
        }
        found[is_curve] = true;
        if (wolfSSL_UseKeyShare(wolfssl, (unsigned short)key_group_number((enum key_group)i)) != WOLFSSL_SUCCESS) {
            return false;
        }
    }
    return true;
}

static bool use_protocol(WOLFSSL *wolfssl, enum tls_protocols protocols) {
    char http2[] = "h2";
    char http1[] = "http/1.1";
    char *name = protocols == TLS_HTTP2 ? http2 : http1;
    return protocols == TLS_ANY ||
           wolfSSL_UseALPN(wolfssl, name, (unsigned)strlen(name), WOLFSSL_ALPN_CONTINUE_ON_MISMATCH) == WOLFSSL_SUCCESS;
}

static bool set_up(struct tls_origin_session *session, const struct tls_origin_context *context, const char *name) {
    WOLFSSL *wolfssl = session->wire.wolfssl;
    wolfSSL_set_certificate_list_max(wolfssl, TLS_ORIGIN_CHAIN_SIZE + CHAIN_OVERHEAD);
    wolfSSL_set_SessionTicket_cb(wolfssl, note_ticket, session);
    return wolfSSL_UseSessionTicket(wolfssl) == WOLFSSL_SUCCESS && use_protocol(wolfssl, context->protocols) &&
           (name == NULL ||
            wolfSSL_UseSNI(wolfssl, WOLFSSL_SNI_HOST_NAME, name, (unsigned short)strlen(name)) == WOLFSSL_SUCCESS);
}

/* Offers the keys of an earlier session, with a share of its group, unless it has expired; else shares for a new one. */
static bool begin_keys(struct tls_origin_session *session, const struct tls_origin_context *context,
                       const struct tls_resumption *resumption) {
    WOLFSSL *wolfssl = session->wire.wolfssl;
    bool offered =
        resumption != NULL && wolfSSL_set_session(wolfssl, (WOLFSSL_SESSION *)(uintptr_t)resumption) == WOLFSSL_SUCCESS;
    return offered || use_key_shares(wolfssl, context->without_hybrids);
}

struct tls_origin_session *tls_origin_session_create(struct tls_origin_context *context, const char *name,
                                                     const struct tls_resumption *resumption,
                                                     const struct tls_origin_handler *handler, void *owner) {
    struct tls_origin_session *session = calloc(1, sizeof *session);
    if (session == NULL) {
        return NULL;
    }
    session->handler = handler;
    session->owner = owner;
    session->refusal = TLS_NO_ALERT;
    if (!tls_wire_begin(&session->wire, context->wolfssl) || !set_up(session, context, name) ||
        !begin_keys(session, context, resumption)) {
        tls_origin_session_free(session);
        return NULL;
    }
    tls_peer_begin(&session->wire.peer, TLS_ORIGIN_CHAIN_SIZE);
    /* An origin that was chosen may speak in small pieces, as one that streams events does. */
    allowance_welcome_small(&session->wire.allowance);
    return session;
}

void tls_origin_session_free(struct tls_origin_session *session) {
    if (session == NULL) {
        return;
    }
    tls_wire_end(&session->wire);
    free(session);
}

/* Follows the records through what is fed, so that it is known whether one has come in part. */
static void follow_records(struct tls_origin_session *session, struct bytes ciphertext) {
    while (ciphertext.size > 0) {
        size_t step = 1;
        if (session->record_left > 0) {
            step = session->record_left < ciphertext.size ? session->record_left : ciphertext.size;
            session->record_left -= (uint32_t)step;
        } else {
            session->header[session->header_size++] = ciphertext.data[0];
        }
        if (session->header_size == RECORD_HEADER_SIZE) {
            session->record_left = (uint32_t)(session->header[3] << 8 | session->header[4]);
            session->header_size = 0;
        }
        ciphertext = bytes_of(ciphertext.data + step, ciphertext.size - step);
    }
}

void tls_origin_session_feed(struct tls_origin_session *session, struct bytes ciphertext) {
    follow_records(session, ciphertext);
    tls_wire_feed(&session->wire, ciphertext);
}

/* Returns whether the origin is known: it has proved that it has the key of a chain that was accepted, now or earlier. */
static bool is_known(const struct tls_origin_session *session) {
    enum tls_proof_state expected = wolfSSL_session_reused(session->wire.wolfssl) ? TLS_PROOF_NONE : TLS_PROOF_GIVEN;
    return session->wire.proof.state == expected;
}

enum tls_result tls_origin_session_handshake(struct tls_origin_session *session) {
    struct tls_wire *wire = &session->wire;
    CHECK(!wire->established);
    if (wire->error != 0) {
        return TLS_FAILED;
    }
    int returned = wolfSSL_connect(wire->wolfssl);
    if (returned != WOLFSSL_SUCCESS && session->refusal != TLS_NO_ALERT) {
        return tls_wire_fail(wire, VERIFY_CERT_ERROR, session->refusal);
    }
    if (returned != WOLFSSL_SUCCESS) {
        return tls_wire_unfinished(wire, returned);
    }
    if (!is_known(session)) {
        return tls_wire_fail(wire, PEER_KEY_ERROR, TLS_ALERT_BAD_CERTIFICATE);
    }
    tls_wire_establish(wire);
    /* A session of TLS 1.2 is resumed by its ticket, or by its number. */
    session->resumable = session->resumable || (!tls_wire_is_tls13(wire) && !tls_origin_session_is_resumed(session));
    return TLS_DONE;
}

enum tls_result tls_origin_session_read(struct tls_origin_session *session, void *plaintext, size_t capacity, size_t *size) {
    enum tls_result result = tls_wire_read(&session->wire, plaintext, capacity, size);
    session->heard = session->heard || *size > 0;
    return result;
}

enum tls_result tls_origin_session_write(struct tls_origin_session *session, struct bytes plaintext) {
    return tls_wire_write(&session->wire, plaintext);
}

void tls_origin_session_shutdown(struct tls_origin_session *session) {
    tls_wire_shutdown(&session->wire);
}

void tls_origin_session_move_input(struct tls_origin_session *session, uint8_t *to) {
    tls_wire_move_input(&session->wire, to);
}

struct bytes tls_origin_session_input(const struct tls_origin_session *session) {
    return session->wire.input;
}

bool tls_origin_session_has_plaintext(const struct tls_origin_session *session) {
    return wolfSSL_pending(session->wire.wolfssl) > 0;
}

bool tls_origin_session_has_part(const struct tls_origin_session *session) {
    return session->header_size > 0 || session->record_left > 0;
}

bool tls_origin_session_is_http2(const struct tls_origin_session *session) {
    return tls_wire_is_http2(&session->wire);
}

bool tls_origin_session_is_resumed(const struct tls_origin_session *session) {
    CHECK(session->wire.established);
    return wolfSSL_session_reused(session->wire.wolfssl) != 0;
}

struct tls_resumption *tls_origin_session_take_resumption(struct tls_origin_session *session) {
    if (!session->resumable) {
        return NULL;
    }
    session->resumable = false;
    return (struct tls_resumption *)wolfSSL_get1_session(session->wire.wolfssl);
}

void tls_resumption_free(struct tls_resumption *resumption) {
    wolfSSL_SESSION_free((WOLFSSL_SESSION *)resumption);
}

/* Returns the alert by which the origin has ended the session, or TLS_NO_ALERT. */
static int received_alert(const struct tls_origin_session *session) {
    WOLFSSL_ALERT_HISTORY alerts;
    bool is_alert = tls_alert_for(session->wire.error) == TLS_NO_ALERT &&
                    wolfSSL_get_alert_history(session->wire.wolfssl, &alerts) == WOLFSSL_SUCCESS && alerts.last_rx.code >= 0;
    return is_alert ? alerts.last_rx.code : TLS_NO_ALERT;
}

const char *tls_origin_session_fault(const struct tls_origin_session *session, bool *is_alert) {
    int alert = received_alert(session);
    *is_alert = alert != TLS_NO_ALERT;
    return *is_alert ? tls_alert_name(alert) : tls_error_text(session->wire.error);
}

bool tls_origin_session_is_refused(const struct tls_origin_session *session) {
    if (session->heard || !session->wire.established || !tls_wire_is_tls13(&session->wire) ||
        tls_origin_session_is_resumed(session)) {
        return false;
    }
    switch (received_alert(session)) {
    case TLS_ALERT_BAD_CERTIFICATE:
    case TLS_ALERT_UNSUPPORTED_CERTIFICATE:
    case TLS_ALERT_CERTIFICATE_REVOKED:
    case TLS_ALERT_CERTIFICATE_EXPIRED:
    case TLS_ALERT_CERTIFICATE_UNKNOWN:
    case TLS_ALERT_UNKNOWN_CA:
    case TLS_ALERT_ACCESS_DENIED:
    case TLS_ALERT_DECRYPT_ERROR:
    case TLS_ALERT_CERTIFICATE_REQUIRED:
        return true;
    default:
        return false;
    }
}

bool tls_origin_session_lacks_memory(const struct tls_origin_session *session) {
    return session->wire.error == MEMORY_E;
}
