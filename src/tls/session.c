#include "tls/session.h"

#include "base/check.h"
#include "base/clock.h"
#include "guard/retry.h"
#include "tls/context_parts.h"
#include "tls/fragment.h"
#include "tls/session_hooks.h"
#include "tls/wire.h"

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
    struct tls_wire wire;
    const struct tls_session_handler *handler;
    void *owner;
    size_t chain_size_max;
    bool accepted_ticket;
    bool retried;                             /* the hello that answers a HelloRetryRequest has come */
    uint8_t max_fragment;                     /* see struct tls_client_offer */
    struct fragment fragment;                 /* of records that leave in the clear */
    struct retry *retry;                      /* the digests of the first hello, while the second is waited for; else NULL */
    uint64_t authenticated_s;                 /* of the ticket that was accepted */
    uint8_t binding[TLS_TICKET_BINDING_SIZE]; /* likewise */
};

int tls_session_send(WOLFSSL *wolfssl, char *buffer, int size, void *owner) {
    struct tls_session *session = owner;
    struct bytes rest = bytes_of(buffer, (size_t)size);
    /* In TLS 1.3 the limits are for what is encrypted, which wolfSSL has split. */
    if (session->fragment.limit == 0 || tls_wire_is_tls13(&session->wire)) {
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

static uint64_t now_s(void) {
    return clock_monotonic_ns() / 1000000000;
}

/*
 * Returns the version that a ticket carries, with wolfSSL's minor version: a ticket of TLS 1.2 must never open in a hello of
 * TLS 1.3, nor the reverse. In TLS 1.2 a max_fragment_length holds for the resumptions too (RFC 6066 section 4), and the
 * client has to ask for it again.
 */
static uint8_t ticket_version(const struct tls_session *session) {
    return tls_wire_is_tls13(&session->wire) ? 4 : (uint8_t)(3 | session->max_fragment << 4);
}

static int seal_ticket(struct tls_session *session, const struct tls_context *context, struct tls_ticket_parts *parts) {
    /* To resume is no proof of possession: the time of the full handshake stays. */
    bool resumed = session->accepted_ticket && wolfSSL_session_reused(session->wire.wolfssl) != 0;
    struct tls_ticket ticket = {
        .version = ticket_version(session),
        .authenticated_s = resumed ? session->authenticated_s : now_s(),
    };
    tls_wire_end_capture(&session->wire);
    /* A certificate without a proof of possession earns no ticket. */
    if (session->wire.proof.state != TLS_PROOF_NONE && session->wire.proof.state != TLS_PROOF_GIVEN) {
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
    return wolfSSL_UseALPN(session->wire.wolfssl, names, (unsigned)strlen(names), WOLFSSL_ALPN_FAILED_ON_MISMATCH) ==
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
    if (!tls_wire_begin(&session->wire, context->wolfssl)) {
        free(session);
        return NULL;
    }
    wolfSSL_set_certificate_list_max(session->wire.wolfssl, (unsigned)chain_size_max + CHAIN_OVERHEAD);
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
    tls_wire_end(&session->wire);
    free(session->retry);
    free(session);
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
    if (wolfSSL_set_groups(session->wire.wolfssl, groups, count) != WOLFSSL_SUCCESS) {
        tls_wire_fail(&session->wire, MEMORY_E, TLS_ALERT_INTERNAL_ERROR);
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
    wolfSSL_set_client_offer(session->wire.wolfssl, &asked);
    if (offer->only_hybrids) {
        use_hybrids_alone(session);
    }
    if (offer->early_data_max != 0) {
        wolfSSL_skip_early_data(session->wire.wolfssl, offer->early_data_max);
    }
}

void tls_session_feed(struct tls_session *session, struct bytes ciphertext) {
    tls_wire_feed(&session->wire, ciphertext);
}

size_t tls_session_input_left(const struct tls_session *session) {
    return session->wire.input.size;
}

void tls_session_move_input(struct tls_session *session, uint8_t *to) {
    tls_wire_move_input(&session->wire, to);
}

enum tls_result tls_session_handshake(struct tls_session *session) {
    CHECK(!session->wire.established);
    if (session->wire.error != 0) {
        return TLS_FAILED;
    }
    tls_peer_begin(&session->wire.peer, session->chain_size_max);
    int returned = wolfSSL_accept(session->wire.wolfssl);
    tls_wire_end_capture(&session->wire);
    if (returned != WOLFSSL_SUCCESS) {
        return tls_wire_unfinished(&session->wire, returned);
    }
    /* Neither can happen: wolfSSL refuses a certificate of a client that resumes, and a certificate without its proof. */
    bool resumed = wolfSSL_session_reused(session->wire.wolfssl) != 0;
    if (session->wire.proof.state == TLS_PROOF_OWED || (resumed && session->wire.proof.state != TLS_PROOF_NONE)) {
        return tls_wire_fail(&session->wire, PEER_KEY_ERROR, TLS_ALERT_UNEXPECTED_MESSAGE);
    }
    tls_wire_establish(&session->wire);
    return TLS_DONE;
}

const struct tls_peer_chain *tls_session_peer_chain(const struct tls_session *session) {
    return tls_peer_chain(&session->wire.peer);
}

void tls_session_forget_chain(struct tls_session *session) {
    tls_peer_forget(&session->wire.peer);
}

enum tls_result tls_session_read(struct tls_session *session, void *plaintext, size_t capacity, size_t *size) {
    return tls_wire_read(&session->wire, plaintext, capacity, size);
}

void tls_session_welcome_small(struct tls_session *session) {
    allowance_welcome_small(&session->wire.allowance);
}

enum tls_result tls_session_write(struct tls_session *session, struct bytes plaintext) {
    return tls_wire_write(&session->wire, plaintext);
}

void tls_session_shutdown(struct tls_session *session) {
    tls_wire_shutdown(&session->wire);
}

void tls_session_deny(struct tls_session *session) {
    CHECK(session->wire.established);
    if (session->wire.error == 0 && !session->wire.shut_down) {
        tls_wire_fail(&session->wire, VERIFY_CERT_ERROR, access_denied);
    }
}

size_t tls_session_held(const struct tls_session *session) {
    return wolfSSL_held(session->wire.wolfssl);
}

enum tls_excess tls_session_excess(const struct tls_session *session) {
    return (enum tls_excess)session->wire.excess;
}

bool tls_session_is_tls13(const struct tls_session *session) {
    return tls_wire_is_tls13(&session->wire);
}

bool tls_session_is_http2(const struct tls_session *session) {
    return tls_wire_is_http2(&session->wire);
}

bool tls_session_is_proved(const struct tls_session *session) {
    return session->wire.proof.state == TLS_PROOF_GIVEN;
}

bool tls_session_is_resumed(const struct tls_session *session) {
    CHECK(session->wire.established);
    bool resumed = wolfSSL_session_reused(session->wire.wolfssl) != 0;
    CHECK(!resumed || session->accepted_ticket);
    return resumed;
}

enum key_group tls_session_key_group(const struct tls_session *session) {
    CHECK(session->wire.established);
    if (!tls_wire_is_tls13(&session->wire) && tls_session_is_resumed(session)) {
        return KEY_GROUP_NONE;
    }
    return key_group_find(wolfSSL_get_curve_name(session->wire.wolfssl));
}

const char *tls_session_version(const struct tls_session *session) {
    return tls_wire_is_tls13(&session->wire) ? "TLSv1.3" : "TLSv1.2";
}

const char *tls_session_cipher(const struct tls_session *session) {
    int suite = wolfSSL_get_current_cipher_suite(session->wire.wolfssl);
    return wolfSSL_get_cipher_name_iana_from_suite((unsigned char)(suite >> 8), (unsigned char)suite);
}
