#include "tls/origin_context.h"

#include "tls/origin_context_parts.h"
#include "tls/settings.h"
#include "tls/wire.h"

#include <stdlib.h>

/* wolfSSL caches no session: the owner of sessions keeps what they may resume, and only with a fresh key exchange. */
static int limit_resumption(WOLFSSL_CTX *wolfssl) {
    wolfSSL_CTX_set_session_cache_mode(wolfssl, WOLFSSL_SESS_CACHE_OFF);
    return wolfSSL_CTX_only_dhe_psk(wolfssl) == 0 ? WOLFSSL_SUCCESS : BAD_FUNC_ARG;
}

/* Returns WOLFSSL_SUCCESS, or wolfSSL's error and in *step the step that has failed. */
static int configure(WOLFSSL_CTX *wolfssl, const struct tls_origin_options *options, const char **step) {
    wolfSSL_CTX_SetIORecv(wolfssl, tls_wire_receive);
    wolfSSL_CTX_SetIOSend(wolfssl, tls_origin_session_send);
    wolfSSL_CTX_set_record_cb(wolfssl, tls_wire_record);
    *step = "hand certificates over";
    int result = wolfSSL_CTX_set_client_auth(wolfssl, &tls_origin_session_hooks);
    if (result != WOLFSSL_SUCCESS) {
        return result;
    }
    *step = "limit versions, suites and groups";
    result = tls_settings_limit(wolfssl, options->only_tls13, options->without_hybrids);
    if (result != WOLFSSL_SUCCESS) {
        return result;
    }
    *step = "set resumption up";
    result = limit_resumption(wolfssl);
    if (result != WOLFSSL_SUCCESS) {
        return result;
    }
    *step = "use the certificate and its key";
    result = options->credentials == NULL ? WOLFSSL_SUCCESS : tls_settings_use_credentials(wolfssl, options->credentials);
    if (result != WOLFSSL_SUCCESS) {
        return result;
    }
    *step = "make a random generator";
    return wolfSSL_CTX_new_rng(wolfssl);
}

struct tls_origin_context *tls_origin_context_create(const struct tls_origin_options *options, struct error *error) {
    struct tls_origin_context *context = calloc(1, sizeof *context);
    if (context == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    context->protocols = options->protocols;
    context->without_hybrids = options->without_hybrids;
    context->wolfssl = wolfSSL_CTX_new(wolfTLS_client_method());
    if (context->wolfssl == NULL) {
        error_set(error, "out of memory");
        free(context);
        return NULL;
    }
    const char *step = NULL;
    int result = configure(context->wolfssl, options, &step);
    if (result == WOLFSSL_SUCCESS) {
        return context;
    }
    error_set(error, "wolfSSL could not %s: %s (%d)", step, tls_error_text(result), result);
    tls_origin_context_free(context);
    return NULL;
}

void tls_origin_context_free(struct tls_origin_context *context) {
    if (context == NULL) {
        return;
    }
    wolfSSL_CTX_free(context->wolfssl);
    free(context);
}
