/*
 * An origin as TLS sees it, in one shard: the settings of its host, the name that it has to prove, and what it has given to
 * resume. The last verified session alone is kept, for an hour from the full handshake on at most, and never beyond the
 * certificates that were judged then. A reload makes relays, and so origins, anew: no session outlives its settings.
 */
#ifndef RELAY_TLS_ORIGIN_H
#define RELAY_TLS_ORIGIN_H

#include "config/config.h"
#include "identity/server_verdict.h"
#include "tls/origin_session.h"

enum { TLS_ORIGIN_RESUMPTION_MAX_S = 3600 };

/* Zeroed: the origin speaks in the clear. */
struct tls_origin {
    struct tls_origin_context *context; /* of its host */
    struct server_expectation expected;
    bool http2;                        /* h2 has to be agreed on */
    struct tls_resumption *resumption; /* owned; NULL: none */
    int64_t resumable_until;           /* seconds since the epoch */
};

/*
 * Makes the context of a host whose origins have TLS. NULL with one line in `error`. `without_hybrids`: no key shares of
 * ML-KEM.
 */
struct tls_origin_context *tls_origin_open(const struct config_host *host, bool without_hybrids, struct error *error);
/*
 * Sets up an origin by its host's settings. `name`: what it has to prove, a DNS name or an address in digits. All must
 * outlive it.
 */
void tls_origin_begin(struct tls_origin *origin, const struct config_origin_tls *settings, const char *name, bool http2,
                      struct tls_origin_context *context);
/* Forgets what was kept. */
void tls_origin_end(struct tls_origin *origin);

/* Returns what a session that begins now may resume, or NULL. */
const struct tls_resumption *tls_origin_resumption(struct tls_origin *origin, int64_t now_s);
/* Keeps what a session may resume, and frees what was kept before; `until`: no longer than this. */
void tls_origin_keep(struct tls_origin *origin, struct tls_resumption *resumption, int64_t until);

#endif
