#include "relay/tls_handshake.h"

#include "base/clock.h"
#include "base/tls_alert.h"

#include <stdio.h>

const struct tls_resumption *tls_handshake_begin(struct tls_handshake *handshake) {
    const struct tls_resumption *resumption = tls_origin_resumption(handshake->origin, clock_wall_seconds());

    /* A session that is resumed shows no certificate: what the first one has shown holds on. */
    handshake->until = handshake->origin->resumable_until;
    return resumption;
}

static void end(struct tls_handshake *handshake, enum stats_origin_handshake outcome) {
    handshake->has_ended = true;
    handshake->outcome = outcome;
}

static int alert_for(enum reason reason) {
    switch (reason) {
    case REASON_UNKNOWN_ISSUER:
        return TLS_ALERT_UNKNOWN_CA;
    case REASON_EXPIRED:
        return TLS_ALERT_CERTIFICATE_EXPIRED;
    case REASON_REVOKED:
        return TLS_ALERT_CERTIFICATE_REVOKED;
    case REASON_WRONG_USAGE:
    case REASON_UNSUPPORTED_CRITICAL_EXTENSION:
        return TLS_ALERT_UNSUPPORTED_CERTIFICATE;
    default:
        return TLS_ALERT_BAD_CERTIFICATE;
    }
}

int tls_handshake_judge(struct tls_handshake *handshake, const struct tls_peer_chain *chain,
                        char detail[static TLS_HANDSHAKE_DETAIL_SIZE]) {
    struct server_verdict verdict;

    server_judge(&handshake->origin->expected, chain->certificates, chain->count, chain->too_large, clock_wall_seconds(),
                 &verdict);
    handshake->until = verdict.until;
    if (verdict.reason == REASON_OK && verdict.is_named) {
        return TLS_ORIGIN_ACCEPTED;
    }
    if (verdict.reason == REASON_OK) {
        end(handshake, STATS_ORIGIN_HANDSHAKE_NAME);
        snprintf(detail, TLS_HANDSHAKE_DETAIL_SIZE, "%s", verdict.detail);
    } else {
        end(handshake, STATS_ORIGIN_HANDSHAKE_CERTIFICATE);
        snprintf(detail, TLS_HANDSHAKE_DETAIL_SIZE, "%s: %s", reason_name(verdict.reason), verdict.detail);
    }
    return alert_for(verdict.reason);
}

bool tls_handshake_complete(struct tls_handshake *handshake, const struct tls_origin_session *session) {
    bool resumed = tls_origin_session_is_resumed(session);
    int64_t most = clock_wall_seconds() + TLS_ORIGIN_RESUMPTION_MAX_S;

    if (handshake->origin->http2 && !tls_origin_session_is_http2(session)) {
        end(handshake, STATS_ORIGIN_HANDSHAKE_ALPN);
        return false;
    }
    end(handshake, resumed ? STATS_ORIGIN_HANDSHAKE_RESUMED : STATS_ORIGIN_HANDSHAKE_FULL);
    if (!resumed && handshake->until > most) {
        handshake->until = most;
    }
    return true;
}

enum relay_fault tls_handshake_fail(struct tls_handshake *handshake) {
    if (!handshake->has_ended) {
        end(handshake, STATS_ORIGIN_HANDSHAKE_FAILED);
    }
    switch (handshake->outcome) {
    case STATS_ORIGIN_HANDSHAKE_CERTIFICATE:
        return RELAY_FAULT_TLS_CERTIFICATE;
    case STATS_ORIGIN_HANDSHAKE_NAME:
        return RELAY_FAULT_TLS_NAME;
    default:
        return RELAY_FAULT_TLS_HANDSHAKE;
    }
}

void tls_handshake_keep(const struct tls_handshake *handshake, struct tls_origin_session *session) {
    struct tls_resumption *resumption = tls_origin_session_take_resumption(session);

    if (resumption != NULL) {
        tls_origin_keep(handshake->origin, resumption, handshake->until);
    }
}
