#include "tls/session.h"

#include "base/check.h"
#include "base/clock.h"
#include "guard/retry.h"
#include "tls/alert.h"
#include "tls/context_parts.h"
#include "tls/fragment.h"
#include "tls/peer.h"
#include "tls/session_hooks.h"

#include <stdlib.h>
#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

_Static_assert(TLS_TICKET_OVERHEAD <= WOLFSSL_TICKET_EXTRA_PADDING_SZ, "wolfSSL's tickets have room for ours");
_Static_assert(TLS_TICKET_NAME_SIZE == WOLFSSL_TICKET_NAME_SZ && TLS_TICKET_NONCE_SIZE == WOLFSSL_TICKET_IV_SZ &&
                   TLS_TICKET_TAG_SIZE == WOLFSSL_TICKET_MAC_SZ,
               "tickets.h has wolfSSL's sizes");

/* The bytes of a Certificate message beside certificates: lengths (RFC 8446 section 4.4.2), and extensions in reason. */
enum { CHAIN_OVERHEAD = 1024 };

struct tls_session {
    WOLFSSL *wolfssl;
    const struct tls_session_handler *handler;
    void *owner;
    struct bytes input; /* fed and not yet consumed */
    size_t chain_size_max;
    int error; /* of the call that has failed; 0 before */
    bool established;
    bool shut_down;
    bool accepted_ticket;
    struct tls_peer peer;
    struct tls_proof proof;
    bool retried;                             /* the hello that answers a HelloRetryRequest has come */
    uint8_t max_fragment;                     /* see struct tls_client_offer */
    struct fragment fragment;                 /* of records that leave in the clear */
    struct retry *retry;                      /* the digests of the first hello, while the second is waited for; else NULL */
    uint64_t authenticated_s;                 /* of the ticket that was accepted */
    uint8_t binding[TLS_TICKET_BINDING_SIZE]; /* likewise */
    uint8_t record_type;                      /* of the last record whose plaintext came */
    uint8_t excess;                           /* enum tls_excess */
    struct allowance allowance;
};

int tls_session_receive(WOLFSSL *wolfssl, char *buffer, int capacity, void *owner) {
    struct tls_session *session = owner;
    if (session->input.size == 0) {
        return WOLFSSL_CBIO_ERR_WANT_READ;
    }
    size_t size = session->input.size < (size_t)capacity ? session->input.size : (size_t)capacity;
    memcpy(buffer, session->input.data, size);
    session->input.data += size;
    session->input.size -= size;
    return (int)size;
}

int tls_session_send(WOLFSSL *wolfssl, char *buffer, int size, void *owner) {
    struct tls_session *session = owner;
    struct bytes rest = bytes_of(buffer, (size_t)size);
    /* In TLS 1.3 the limits are for what is encrypted, which wolfSSL has split. */
    if (session->fragment.limit == 0 || tls_session_is_tls13(session)) {
        return session->handler->output(session->owner, rest) == 0 ? size : WOLFSSL_CBIO_ERR_GENERAL;
    }
    while (rest.size > 0) {
        struct bytes record = fragment_next(&session->fragment, &rest);
        if (session->handler->output(session->owner, record) != 0) {
            return WOLFSSL_CBIO_ERR_GENERAL;
        }
    }
    return size;
}

int tls_session_hello_retry(WOLFSSL *wolfssl, const unsigned char *hello, unsigned size, unsigned short group) {
    struct tls_session *session = wolfSSL_GetIOReadCtx(wolfssl);
    struct bytes body = bytes_of(hello, size);
    if (group == 0) {
        session->retry = malloc(sizeof *session->retry);
        return session->retry != NULL && retry_keep(session->retry, body) ? 0 : TLS_ALERT_INTERNAL_ERROR;
    }
    CHECK(session->retry != NULL);
    session->retried = true;
    struct hello second;
    bool good = retry_check(session->retry, body, group, &second);
    free(session->retry);
    session->retry = NULL;
    return good ? 0 : (int)second.alert;
}

struct tls_peer *tls_session_peer(void *owner) {
    struct tls_session *session = owner;
    return &session->peer;
}

struct tls_proof *tls_session_proof(void *owner) {
    struct tls_session *session = owner;
    return &session->proof;
}

static uint64_t now_s(void) {
    return clock_monotonic_ns() / 1000000000;
}

/* Tells whether an alert of TLS 1.2 has neither of the two levels (RFC 5246 section 7.2). */
static bool is_bad_alert(const struct tls_session *session, struct bytes alert) {
    return alert.size == 2 && (alert.data[0] < alert_warning || alert.data[0] > alert_fatal) &&
           !tls_session_is_tls13(session);
}

int tls_session_record(WOLFSSL *wolfssl, int type, const unsigned char *data, unsigned size) {
    struct tls_session *session = wolfSSL_GetIOReadCtx(wolfssl);
    struct bytes plaintext = bytes_of(data, size);
    if (type < TLS_RECORD_CHANGE_CIPHER_SPEC || type > TLS_RECORD_APPLICATION_DATA) {
        return unexpected_message;
    }
    if (type == TLS_RECORD_ALERT && is_bad_alert(session, plaintext)) {
        return illegal_parameter;
    }
    if (type == TLS_RECORD_APPLICATION_DATA && !session->established) /* wolfSSL ends it */
    {
        return 0;
    }
    const struct allowance_stage stage = {
        .tls13 = tls_session_is_tls13(session), .established = session->established, .now_s = now_s()};
    enum tls_excess excess = allowance_take(&session->allowance, &stage, (enum tls_record_type)type, plaintext);
    if (type == TLS_RECORD_CHANGE_CIPHER_SPEC && stage.tls13 &&
        (session->established || wolfSSL_change_cipher_received(wolfssl))) {
        excess = TLS_EXCESS_CHANGE_CIPHER_SPECS;
    }
    if (excess == TLS_EXCESS_NONE) {
        return 0;
    }
    session->excess = (uint8_t)excess;
    return unexpected_message;
}

/* Ends the capture. A chain of which wolfSSL has kept only the front is too large, however much of it came. */
static void end_capture(struct tls_session *session) {
    if (wolfSSL_certificate_list_cut(session->wolfssl)) {
        tls_peer_lacks_some(&session->peer);
    }
    tls_peer_end(&session->peer);
}

/*
 * Returns the version that a ticket carries, with wolfSSL's minor version: a ticket of TLS 1.2 must never open in a hello of
 * TLS 1.3, nor the reverse. In TLS 1.2 a max_fragment_length holds for the resumptions too (RFC 6066 section 4), and the
 * client has to ask for it again.
 */
static uint8_t ticket_version(const struct tls_session *session) {
    return tls_session_is_tls13(session) ? 4 : (uint8_t)(3 | session->max_fragment << 4);
}

static int seal_ticket(struct tls_session *session, const struct tls_context *context, struct tls_ticket_parts *parts) {
    /* To resume is no proof of possession: the time of the full handshake stays. */
    bool resumed = session->accepted_ticket && wolfSSL_session_reused(session->wolfssl) != 0;
    struct tls_ticket ticket = {
        .version = ticket_version(session),
        .authenticated_s = resumed ? session->authenticated_s : now_s(),
    };
    end_capture(session);
    /* A certificate without a proof of possession earns no ticket. */
    if (session->proof.state != TLS_PROOF_NONE && session->proof.state != TLS_PROOF_GIVEN) {
        return WOLFSSL_TICKET_RET_REJECT;
    }
    if (!session->handler->bind_ticket(session->owner, resumed, ticket.binding)) {
        return WOLFSSL_TICKET_RET_REJECT;
    }
    if (!tls_tickets_seal(context->tickets, &ticket, now_s(), context->ticket_lifetime_s, parts)) {
        return WOLFSSL_TICKET_RET_REJECT;
    }
    parts->body_size += TLS_TICKET_OVERHEAD;
    return WOLFSSL_TICKET_RET_OK;
}

static int open_ticket(struct tls_session *session, const struct tls_context *context, struct tls_ticket_parts *parts) {
    struct tls_ticket ticket;
    if ((session->accepted_ticket && !session->retried) ||
        !tls_tickets_open(context->tickets, &ticket, now_s(), context->ticket_lifetime_s, parts) ||
        ticket.version != ticket_version(session)) {
        return WOLFSSL_TICKET_RET_REJECT;
    }
    /* After a HelloRetryRequest wolfSSL begins again, and only the ticket that was accepted before is accepted again. */
    if (session->accepted_ticket) {
        return ticket.authenticated_s == session->authenticated_s &&
                       memcmp(ticket.binding, session->binding, sizeof ticket.binding) == 0
                   ? WOLFSSL_TICKET_RET_OK
                   : WOLFSSL_TICKET_RET_REJECT;
    }
    if (!session->handler->accept_ticket(session->owner, ticket.binding)) {
        return WOLFSSL_TICKET_RET_REJECT;
    }
    session->accepted_ticket = true;
    session->authenticated_s = ticket.authenticated_s;
    memcpy(session->binding, ticket.binding, sizeof session->binding);
    return WOLFSSL_TICKET_RET_OK;
}

int tls_session_ticket(WOLFSSL *wolfssl, unsigned char name[WOLFSSL_TICKET_NAME_SZ],
                       unsigned char nonce[WOLFSSL_TICKET_IV_SZ], unsigned char tag[WOLFSSL_TICKET_MAC_SZ], int sealing,
                       unsigned char *body, int size, int *size_out, void *owner) {
    const struct tls_context *context = owner;
    struct tls_session *session = wolfSSL_GetIOReadCtx(wolfssl);
    struct tls_ticket_parts parts = {.name = name, .nonce = nonce, .tag = tag, .body = body, .body_size = (size_t)size};
    int result = sealing ? seal_ticket(session, context, &parts) : open_ticket(session, context, &parts);
    *size_out = (int)parts.body_size;
    return result;
}

/*
 * Sets what may be agreed on. wolfSSL goes by the client's order, so h2 stands alone where it shall win. All suites of
 * context.c are good for h2: none is in the list of RFC 9113, appendix A.
 */
static bool use_protocols(struct tls_session *session, enum tls_protocols protocols) {
    char only_http2[] = "h2";
    char only_http1[] = "http/1.1,http/1.0";
    if (protocols == TLS_ANY) {
        return true;
    }
    char *names = protocols == TLS_HTTP2 ? only_http2 : only_http1;
    return wolfSSL_UseALPN(session->wolfssl, names, (unsigned)strlen(names), WOLFSSL_ALPN_FAILED_ON_MISMATCH) ==
           WOLFSSL_SUCCESS;
}

struct tls_session *tls_session_create(struct tls_context *context, size_t chain_size_max, enum tls_protocols protocols,
                                       const struct tls_session_handler *handler, void *owner) {
    CHECK(chain_size_max > 0 && chain_size_max <= TLS_PEER_CHAIN_SIZE_MAX);
    struct tls_session *session = calloc(1, sizeof *session);
    if (session == NULL) {
        return NULL;
    }
    session->handler = handler;
    session->owner = owner;
    session->chain_size_max = chain_size_max;
    session->wolfssl = wolfSSL_new(context->wolfssl);
    if (session->wolfssl == NULL) {
        free(session);
        return NULL;
    }
    wolfSSL_SetIOReadCtx(session->wolfssl, session);
    wolfSSL_SetIOWriteCtx(session->wolfssl, session);
    wolfSSL_set_certificate_list_max(session->wolfssl, (unsigned)chain_size_max + CHAIN_OVERHEAD);
    if (!use_protocols(session, protocols)) {
        tls_session_free(session);
        return NULL;
    }
    return session;
}

void tls_session_free(struct tls_session *session) {
    if (session == NULL) {
        return;
    }
    wolfSSL_free(session->wolfssl);
    tls_peer_forget(&session->peer);
    tls_proof_free(&session->proof);
    free(session->retry);
    free(session);
}

/*
 * Fails the session. It ends with one alert: the one that wolfSSL has sent, or else the one that fits the error.
 */
static enum tls_result fail(struct tls_session *session, int error, int alert) {
    session->input.size = 0;
    session->error = error;
    if (alert != TLS_NO_ALERT) {
        wolfSSL_send_fatal_alert(session->wolfssl, alert);
    }
    return TLS_FAILED;
}

/* Leaves no group but the hybrids, so that wolfSSL asks for a share of one. */
static void use_hybrids_alone(struct tls_session *session) {
    int groups[KEY_GROUP_COUNT];
    int count = 0;
    for (unsigned i = 0; i < KEY_GROUP_NONE; i++) {
        if (key_group_is_hybrid((enum key_group)i)) {
            groups[count++] = key_group_number((enum key_group)i);
        }
    }
    if (wolfSSL_set_groups(session->wolfssl, groups, count) != WOLFSSL_SUCCESS) {
        fail(session, MEMORY_E, internal_error);
    }
}

void tls_session_heed(struct tls_session *session, const struct tls_client_offer *offer) {
    WOLFSSL_OFFER asked = {
        .serverName = offer->named, .maxFragment = offer->max_fragment, .recordSizeLimit = offer->record_size_limit};
    if (offer->record_size_limit != 0) {
        session->fragment.limit = offer->record_size_limit;
    } else if (offer->max_fragment != 0) {
        session->fragment.limit = 256u << offer->max_fragment;
        session->max_fragment = offer->max_fragment;
    }
    wolfSSL_set_client_offer(session->wolfssl, &asked);
    if (offer->only_hybrids) {
        use_hybrids_alone(session);
    }
    if (offer->early_data_max != 0) {
        wolfSSL_skip_early_data(session->wolfssl, offer->early_data_max);
    }
}

void tls_session_feed(struct tls_session *session, struct bytes ciphertext) {
    CHECK(session->input.size == 0 && ciphertext.size <= UINT_MAX);
    session->input = ciphertext;
    wolfSSL_set_input(session->wolfssl, (unsigned)ciphertext.size);
}

size_t tls_session_input_left(const struct tls_session *session) {
    return session->input.size;
}

void tls_session_move_input(struct tls_session *session, uint8_t *to) {
    if (session->input.size > 0) {
        memcpy(to, session->input.data, session->input.size);
        session->input.data = to;
    }
}

/* Finds the result of a wolfSSL call that did not succeed. `returned` is its return value. */
static enum tls_result unfinished(struct tls_session *session, int returned) {
    int error = wolfSSL_get_error(session->wolfssl, returned);
    if (error == WOLFSSL_ERROR_WANT_READ) {
        CHECK(session->input.size == 0);
        return TLS_WANT_INPUT;
    }
    if (error == WOLFSSL_ERROR_ZERO_RETURN) {
        session->input.size = 0;
        return TLS_CLOSED;
    }
    return fail(session, error, tls_alert_for(error));
}

enum tls_result tls_session_handshake(struct tls_session *session) {
    CHECK(!session->established);
    if (session->error != 0) {
        return TLS_FAILED;
    }
    tls_peer_begin(&session->peer, session->chain_size_max);
    int returned = wolfSSL_accept(session->wolfssl);
    end_capture(session);
    if (returned != WOLFSSL_SUCCESS) {
        return unfinished(session, returned);
    }
    /* Neither can happen: wolfSSL refuses a certificate of a client that resumes, and a certificate without its proof. */
    bool resumed = wolfSSL_session_reused(session->wolfssl) != 0;
    if (session->proof.state == TLS_PROOF_OWED || (resumed && session->proof.state != TLS_PROOF_NONE)) {
        return fail(session, PEER_KEY_ERROR, unexpected_message);
    }
    session->established = true;
    allowance_establish(&session->allowance);
    return TLS_DONE;
}

const struct tls_peer_chain *tls_session_peer_chain(const struct tls_session *session) {
    return tls_peer_chain(&session->peer);
}

void tls_session_forget_chain(struct tls_session *session) {
    tls_peer_forget(&session->peer);
}

enum tls_result tls_session_read(struct tls_session *session, void *plaintext, size_t capacity, size_t *size) {
    CHECK(session->established && capacity > 0);
    *size = 0;
    if (session->error != 0) {
        return TLS_FAILED;
    }
    int returned = wolfSSL_read(session->wolfssl, plaintext, capacity > INT_MAX ? INT_MAX : (int)capacity);
    if (returned <= 0) {
        return unfinished(session, returned);
    }
    *size = (size_t)returned;
    return TLS_DONE;
}

void tls_session_welcome_small(struct tls_session *session) {
    allowance_welcome_small(&session->allowance);
}

enum tls_result tls_session_write(struct tls_session *session, struct bytes plaintext) {
    CHECK(session->established);
    allowance_pay_back(&session->allowance, plaintext.size);
    while (plaintext.size > 0) {
        if (session->error != 0) {
            return TLS_FAILED;
        }
        int size = plaintext.size > INT_MAX ? INT_MAX : (int)plaintext.size;
        int returned = wolfSSL_write(session->wolfssl, plaintext.data, size);
        if (returned <= 0) {
            int error = wolfSSL_get_error(session->wolfssl, returned);
            return fail(session, error, tls_alert_for(error));
        }
        plaintext.data += returned;
        plaintext.size -= (size_t)returned;
    }
    return TLS_DONE;
}

void tls_session_shutdown(struct tls_session *session) {
    /* A second wolfSSL_shutdown would wait for the peer's close_notify, for which the caller waits. */
    if (session->shut_down || session->error != 0) {
        return;
    }
    session->shut_down = true;
    wolfSSL_shutdown(session->wolfssl);
}

void tls_session_deny(struct tls_session *session) {
    CHECK(session->established);
    if (session->error == 0 && !session->shut_down) {
        fail(session, VERIFY_CERT_ERROR, access_denied);
    }
}

size_t tls_session_held(const struct tls_session *session) {
    return wolfSSL_held(session->wolfssl);
}

enum tls_excess tls_session_excess(const struct tls_session *session) {
    return (enum tls_excess)session->excess;
}

bool tls_session_is_tls13(const struct tls_session *session) {
    return wolfSSL_GetVersion(session->wolfssl) == WOLFSSL_TLSV1_3;
}

bool tls_session_is_http2(const struct tls_session *session) {
    CHECK(session->established);
    char *name;
    unsigned short size;
    return wolfSSL_ALPN_GetProtocol(session->wolfssl, &name, &size) == WOLFSSL_SUCCESS &&
           bytes_equal(bytes_of(name, size), bytes_of_string("h2"));
}

bool tls_session_is_proved(const struct tls_session *session) {
    return session->proof.state == TLS_PROOF_GIVEN;
}

bool tls_session_is_resumed(const struct tls_session *session) {
    CHECK(session->established);
    bool resumed = wolfSSL_session_reused(session->wolfssl) != 0;
    CHECK(!resumed || session->accepted_ticket);
    return resumed;
}

enum key_group tls_session_key_group(const struct tls_session *session) {
    CHECK(session->established);
    if (!tls_session_is_tls13(session) && tls_session_is_resumed(session)) {
        return KEY_GROUP_NONE;
    }
    return key_group_find(wolfSSL_get_curve_name(session->wolfssl));
}

const char *tls_session_version(const struct tls_session *session) {
    return tls_session_is_tls13(session) ? "TLSv1.3" : "TLSv1.2";
}

const char *tls_session_cipher(const struct tls_session *session) {
    int suite = wolfSSL_get_current_cipher_suite(session->wolfssl);
    return wolfSSL_get_cipher_name_iana_from_suite((unsigned char)(suite >> 8), (unsigned char)suite);
}
