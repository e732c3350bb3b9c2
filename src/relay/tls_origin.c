#include "relay/tls_origin.h"

#include <arpa/inet.h>
#include <string.h>

/* Reads an address in digits. False: `host` is none. */
static bool read_address(struct server_expectation *expected, const char *host) {
    if (inet_pton(AF_INET, host, expected->address) == 1) {
        expected->address_size = 4;
        return true;
    }
    if (inet_pton(AF_INET6, host, expected->address) == 1) {
        expected->address_size = 16;
        return true;
    }
    return false;
}

struct tls_origin_context *tls_origin_open(const struct config_host *host, bool without_hybrids, struct error *error) {
    const struct config_origin_tls *settings = host->origin_tls;
    const struct tls_origin_options options = {
        .credentials = settings->certificate.credentials,
        .only_tls13 = settings->only_tls13,
        .without_hybrids = without_hybrids,
        .protocols = host->is_tcp         ? TLS_ANY
                     : host->origin_http2 ? TLS_HTTP2
                                          : TLS_HTTP1,
    };

    return tls_origin_context_create(&options, error);
}

void tls_origin_begin(struct tls_origin *origin, const struct config_origin_tls *settings, const char *name, bool http2,
                      struct tls_origin_context *context) {
    *origin = (struct tls_origin){.context = context, .http2 = http2, .expected.trust = settings->trust};
    if (!read_address(&origin->expected, name)) {
        origin->expected.name = name;
    }
}

void tls_origin_end(struct tls_origin *origin) {
    tls_resumption_free(origin->resumption);
    origin->resumption = NULL;
}

const struct tls_resumption *tls_origin_resumption(struct tls_origin *origin, int64_t now_s) {
    if (origin->resumption != NULL && now_s > origin->resumable_until) {
        tls_origin_end(origin);
    }
    return origin->resumption;
}

void tls_origin_keep(struct tls_origin *origin, struct tls_resumption *resumption, int64_t until) {
    tls_resumption_free(origin->resumption);
    origin->resumption = resumption;
    origin->resumable_until = until;
}
