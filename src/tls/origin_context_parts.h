/* A context towards origins from inside: for origin_context.c, which makes it, and origin_session.c. */
#ifndef TLS_ORIGIN_CONTEXT_PARTS_H
#define TLS_ORIGIN_CONTEXT_PARTS_H

#include "tls/protocols.h"
#include "tls/wolfssl.h"

#include <stdbool.h>

struct tls_origin_context {
    WOLFSSL_CTX *wolfssl;
    enum tls_protocols protocols;
    bool without_hybrids;
};

/* wolfSSL's output and its events of one session; origin_session.c has them. `session` is a struct tls_origin_session. */
int tls_origin_session_send(WOLFSSL *wolfssl, char *buffer, int size, void *session);
extern const WOLFSSL_CLIENT_AUTH tls_origin_session_hooks;

#endif
