#include "relay/fault.h"

#include "base/check.h"
#include "base/log.h"

#include <errno.h>

static const char *const names[RELAY_FAULT_COUNT] = {
    [RELAY_FAULT_REFUSED] = "refused",
    [RELAY_FAULT_UNREACHABLE] = "unreachable",
    [RELAY_FAULT_CONNECT_TIMED_OUT] = "connect_timed_out",
    [RELAY_FAULT_NO_RESOURCES] = "no_resources",
    [RELAY_FAULT_SPOKE_FIRST] = "spoke_first",
    [RELAY_FAULT_SEND_TIMED_OUT] = "send_timed_out",
    [RELAY_FAULT_TIMED_OUT] = "timed_out",
    [RELAY_FAULT_CLOSED_EARLY] = "closed_early",
    [RELAY_FAULT_TRUNCATED] = "truncated",
    [RELAY_FAULT_RESET] = "reset",
    [RELAY_FAULT_TOO_LARGE] = "too_large",
    [RELAY_FAULT_TOO_MANY_HEADERS] = "too_many_headers",
    [RELAY_FAULT_TOO_MANY_INTERIM] = "too_many_interim",
    [RELAY_FAULT_STATUS_LINE] = "malformed_status_line",
    [RELAY_FAULT_HEADER] = "malformed_header",
    [RELAY_FAULT_LENGTH] = "malformed_length",
    [RELAY_FAULT_TRANSFER_ENCODING] = "malformed_transfer_encoding",
    [RELAY_FAULT_CHUNK] = "malformed_chunk",
    [RELAY_FAULT_TRAILERS] = "malformed_trailers",
    [RELAY_FAULT_UPGRADE] = "unasked_upgrade",
    [RELAY_FAULT_HTTP2] = "malformed_http2",
    [RELAY_FAULT_BUSY] = "busy",
    [RELAY_FAULT_TLS_HANDSHAKE] = "tls_handshake",
    [RELAY_FAULT_TLS_CERTIFICATE] = "tls_certificate",
    [RELAY_FAULT_TLS_NAME] = "tls_name",
    [RELAY_FAULT_TLS_ALPN] = "tls_alpn",
    [RELAY_FAULT_TLS_BROKEN] = "tls_broken",
    [RELAY_FAULT_NO_ADDRESS] = "no_address",
};

const char *relay_fault_name(enum relay_fault fault) {
    CHECK((unsigned)fault < RELAY_FAULT_COUNT);
    return names[fault];
}

enum relay_fault relay_fault_of_loss(const struct relay_failure *failure) {
    if (failure->fault != RELAY_FAULT_NONE) {
        return failure->fault;
    }
    switch (-failure->error) {
    case ETIMEDOUT:
        return RELAY_FAULT_TIMED_OUT;
    case ENOBUFS:
    case ENOMEM:
        return RELAY_FAULT_NO_RESOURCES;
    case EPROTO:
        return RELAY_FAULT_TLS_BROKEN;
    default:
        return RELAY_FAULT_RESET;
    }
}

enum relay_fault relay_fault_of_connect(const struct relay_failure *failure) {
    if (failure->fault != RELAY_FAULT_NONE) {
        return failure->fault;
    }
    switch (-failure->error) {
    case ECONNREFUSED:
        return RELAY_FAULT_REFUSED;
    case ETIMEDOUT:
        return RELAY_FAULT_CONNECT_TIMED_OUT;
    case ECONNRESET:
        return RELAY_FAULT_RESET;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EADDRNOTAVAIL:
        return RELAY_FAULT_NO_RESOURCES;
    default:
        return RELAY_FAULT_UNREACHABLE;
    }
}

enum relay_fault relay_fault_of_response(enum http_fault fault) {
    switch (fault) {
    case HTTP_FAULT_STATUS_LINE:
        return RELAY_FAULT_STATUS_LINE;
    case HTTP_FAULT_HEADER:
        return RELAY_FAULT_HEADER;
    case HTTP_FAULT_LENGTH:
        return RELAY_FAULT_LENGTH;
    case HTTP_FAULT_TRANSFER_ENCODING:
        return RELAY_FAULT_TRANSFER_ENCODING;
    case HTTP_FAULT_CHUNK:
        return RELAY_FAULT_CHUNK;
    case HTTP_FAULT_TRAILERS:
        return RELAY_FAULT_TRAILERS;
    case HTTP_FAULT_UPGRADE:
        return RELAY_FAULT_UPGRADE;
    case HTTP_FAULT_TOO_LARGE:
        return RELAY_FAULT_TOO_LARGE;
    case HTTP_FAULT_TOO_MANY:
        return RELAY_FAULT_TOO_MANY_HEADERS;
    }
    CHECK(false);
    return RELAY_FAULT_NONE;
}

void relay_fault_report(enum relay_fault fault, const char *host, const char *origin, const char *detail, bool is_news) {
    static struct log_kind news = LOG_KIND_OF(LOG_NEWS_BURST);
    static struct log_kind kinds[RELAY_FAULT_COUNT] = {[0 ... RELAY_FAULT_COUNT - 1] = LOG_KIND_INITIALIZER};
    const char *name = relay_fault_name(fault);

    CHECK(name != NULL);
    log_line_of_kind(is_news ? &news : &kinds[fault], LOG_LEVEL_WARNING, "host %s: origin %s: %s%s%s",
                     host == NULL ? "?" : host, origin == NULL ? "none" : origin, name, detail == NULL ? "" : ": ",
                     detail == NULL ? "" : detail);
}
