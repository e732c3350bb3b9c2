/*
 * The settings of handshakes with origins, for one host and one shard (a WOLFSSL_CTX). It has no roots: the owner of each
 * session judges what the origin presents.
 */
#ifndef TLS_ORIGIN_CONTEXT_H
#define TLS_ORIGIN_CONTEXT_H

#include "tls/credentials.h"
#include "tls/protocols.h"

#include <stdbool.h>

struct tls_origin_context;

struct tls_origin_options {
    const struct tls_credentials *credentials; /* for an origin that asks; must outlive the context; NULL: there are none */
    bool only_tls13;                           /* else TLS 1.2 too */
    bool without_hybrids;                      /* keys are exchanged by curves alone; else hybrids with ML-KEM go first */
    enum tls_protocols protocols;              /* for the offer of ALPN */
};

/* Makes a context for one thread. NULL with one line in *error. tls_library_init comes before. */
struct tls_origin_context *tls_origin_context_create(const struct tls_origin_options *options, struct error *error);
/* Frees the context. No session of it may be left. */
void tls_origin_context_free(struct tls_origin_context *context);

#endif
