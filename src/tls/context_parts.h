/* A context from inside: for context.c, which makes it, and session.c, which runs sessions under it. */
#ifndef TLS_CONTEXT_PARTS_H
#define TLS_CONTEXT_PARTS_H

#include "tls/wolfssl.h"

#include <stdint.h>

struct tls_context {
    WOLFSSL_CTX *wolfssl;
    uint8_t *ca_names; /* as the CertificateRequest has them; NULL when none are sent */
    size_t ca_names_size;
    struct tls_tickets *tickets; /* NULL: sessions are not resumed */
    uint32_t ticket_lifetime_s;
};

#endif
