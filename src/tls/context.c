#include "tls/context.h"

#include "base/check.h"
#include "crypto/batch.h"
#include "crypto/offload.h"
#include "tls/context_parts.h"
#include "tls/peer.h"
#include "tls/session_hooks.h"
#include "tls/settings.h"
#include "tls/wire.h"

#include <stdlib.h>

/* Rejects any ticket that a client presents where sessions are not resumed. */
static int reject_ticket(WOLFSSL *wolfssl, unsigned char name[WOLFSSL_TICKET_NAME_SZ],
                         unsigned char nonce[WOLFSSL_TICKET_IV_SZ], unsigned char tag[WOLFSSL_TICKET_MAC_SZ], int sealing,
                         unsigned char *body, int size, int *size_out, void *context) {
    return WOLFSSL_TICKET_RET_REJECT;
}

static int forbid_resumption(WOLFSSL_CTX *wolfssl) {
    if (wolfSSL_CTX_no_ticket_TLSv13(wolfssl) != 0) {
        return BAD_FUNC_ARG;
    }
    int result = wolfSSL_CTX_NoTicketTLSv12(wolfssl);
    return result == WOLFSSL_SUCCESS ? wolfSSL_CTX_set_TicketEncCb(wolfssl, reject_ticket) : result;
}

/* Sessions resume by tickets alone: none is kept here, and none is resumed without a fresh key exchange. */
static int set_up_resumption(struct tls_context *context) {
    WOLFSSL_CTX *wolfssl = context->wolfssl;
    wolfSSL_CTX_set_session_cache_mode(wolfssl, WOLFSSL_SESS_CACHE_OFF);
    if (wolfSSL_CTX_only_dhe_psk(wolfssl) != 0) {
        return BAD_FUNC_ARG;
    }
    if (context->tickets == NULL) {
        return forbid_resumption(wolfssl);
    }
    int result = wolfSSL_CTX_set_timeout(wolfssl, context->ticket_lifetime_s);
    if (result == WOLFSSL_SUCCESS) {
        result = wolfSSL_CTX_set_TicketHint(wolfssl, (int)context->ticket_lifetime_s);
    }
    if (result == WOLFSSL_SUCCESS) {
        result = wolfSSL_CTX_set_TicketEncCtx(wolfssl, context);
    }
    return result == WOLFSSL_SUCCESS ? wolfSSL_CTX_set_TicketEncCb(wolfssl, tls_session_ticket) : result;
}

/* Lays the names out as both versions send them: each behind its 16-bit length (RFC 5246 7.4.4, RFC 8446 4.2.4). */
static bool lay_out_ca_names(struct tls_context *context, const struct tls_context_options *options, struct error *error) {
    size_t size = 0;
    for (size_t i = 0; i < options->ca_names_count; i++) {
        size += 2 + options->ca_names[i].size;
    }
    if (size > TLS_CA_NAMES_SIZE_MAX) {
        error_set(error, "the names of the CAs take %zu bytes of a CertificateRequest, at most %d fit", size,
                  TLS_CA_NAMES_SIZE_MAX);
        return false;
    }
    context->ca_names = malloc(size);
    if (context->ca_names == NULL) {
        error_set(error, "out of memory");
        return false;
    }
    uint8_t *end = context->ca_names;
    for (size_t i = 0; i < options->ca_names_count; i++) {
        struct bytes name = options->ca_names[i];
        *end++ = (uint8_t)(name.size >> 8);
        *end++ = (uint8_t)name.size;
        memcpy(end, name.data, name.size);
        end += name.size;
    }
    context->ca_names_size = size;
    return true;
}

/* Returns WOLFSSL_SUCCESS, or wolfSSL's error and in *step the step that has failed. */
static int configure(struct tls_context *context, const struct tls_context_options *options, const char **step) {
    WOLFSSL_CTX *wolfssl = context->wolfssl;
    wolfSSL_CTX_SetIORecv(wolfssl, tls_wire_receive);
    wolfSSL_CTX_SetIOSend(wolfssl, tls_session_send);
    wolfSSL_CTX_set_hello_retry_cb(wolfssl, tls_session_hello_retry);
    wolfSSL_CTX_set_record_cb(wolfssl, tls_wire_record);
    wolfSSL_CTX_set_verify(wolfssl, WOLFSSL_VERIFY_NONE, NULL);
    *step = "ask for certificates";
    int result = options->request_certificate ? tls_peer_install(wolfssl) : WOLFSSL_SUCCESS;
    if (result != WOLFSSL_SUCCESS) {
        return result;
    }
    *step = "limit versions, suites and groups";
    result = tls_settings_limit(wolfssl, false, options->without_hybrids);
    if (result != WOLFSSL_SUCCESS) {
        return result;
    }
    *step = "set resumption up";
    result = set_up_resumption(context);
    if (result != WOLFSSL_SUCCESS) {
        return result;
    }
    *step = "use the certificate and its key";
    result = tls_settings_use_credentials(wolfssl, options->credentials);
    if (result != WOLFSSL_SUCCESS) {
        return result;
    }
    /* One generator for all sessions of the context, which one thread owns: one for each costs 5 us and more. */
    *step = "make a random generator";
    result = wolfSSL_CTX_new_rng(wolfssl);
    if (result != WOLFSSL_SUCCESS) {
        return result;
    }
    *step = "compute in batches";
    result = batch_is_wanted() ? wolfSSL_CTX_SetDevId(wolfssl, OFFLOAD_DEVICE) : WOLFSSL_SUCCESS;
    if (result != WOLFSSL_SUCCESS) {
        return result;
    }
    *step = "name the CAs in the CertificateRequest";
    return wolfSSL_CTX_set_ca_names_der(wolfssl, context->ca_names, (unsigned short)context->ca_names_size);
}

struct tls_context *tls_context_create(const struct tls_context_options *options, struct error *error) {
    struct tls_context *context = calloc(1, sizeof *context);
    if (context == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    CHECK(options->tickets == NULL ||
          (options->ticket_lifetime_s >= 1 && options->ticket_lifetime_s <= TLS_TICKET_LIFETIME_MAX_S));
    context->tickets = options->tickets;
    context->ticket_lifetime_s = options->ticket_lifetime_s;
    if (options->request_certificate && options->ca_names_count > 0 && !lay_out_ca_names(context, options, error)) {
        goto failed;
    }
    context->wolfssl = wolfSSL_CTX_new(wolfTLS_server_method());
    if (context->wolfssl == NULL) {
        error_set(error, "out of memory");
        goto failed;
    }
    const char *step = NULL;
    int result = configure(context, options, &step);
    if (result == WOLFSSL_SUCCESS) {
        return context;
    }
    error_set(error, "wolfSSL could not %s: %s (%d)", step, tls_error_text(result), result);
failed:
    tls_context_free(context);
    return NULL;
}

void tls_context_free(struct tls_context *context) {
    if (context == NULL) {
        return;
    }
    wolfSSL_CTX_free(context->wolfssl);
    free(context->ca_names);
    free(context);
}
