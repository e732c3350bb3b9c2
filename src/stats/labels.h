/*
 * The labels of metrics: which values each has, and how the contract calls them. The same values index the counters
 * (stats/counters.h).
 */
#ifndef STATS_LABELS_H
#define STATS_LABELS_H

#include "base/key_group.h"
#include "base/reason.h"

enum stats_result { STATS_OK, STATS_FAILED, STATS_TIMEOUT, STATS_RESULT_COUNT };
enum stats_kind { STATS_FULL, STATS_RESUMED, STATS_KIND_COUNT };
/* The way to a verdict: known from the cache, or judged. */
enum stats_path { STATS_CACHED, STATS_JUDGED, STATS_PATH_COUNT };
/* The class of a client when its handshake began, as in guard/admission.h. */
enum stats_class { STATS_KNOWN, STATS_RETURNING, STATS_UNKNOWN, STATS_SUSPECT, STATS_CLASS_COUNT };
/* Bounds on known clients. A known client that is over one is served as unknown. */
enum stats_budget {
    STATS_OVER_SOURCE_WORK,             /* handshakes of a known source */
    STATS_OVER_CERTIFICATE_RATE,        /* handshakes a second with one certificate */
    STATS_OVER_CERTIFICATE_CONNECTIONS, /* connections at the same time with one certificate */
    STATS_OVER_CERTIFICATE_SOURCES,     /* sources that become known by one certificate */
    STATS_BUDGET_COUNT
};
/* The outcomes of looking a name up: as enum dns_result of dns/lookup.h. */
enum stats_dns {
    STATS_DNS_OK,
    STATS_DNS_NOT_FOUND,
    STATS_DNS_FAILED,
    STATS_DNS_TIMED_OUT,
    STATS_DNS_MALFORMED,
    STATS_DNS_COUNT
};

enum stats_reload { STATS_RELOAD_OK, STATS_RELOAD_FAILED, STATS_RELOAD_COUNT };
/* STATS_TLS_NONE: the handshake ended before a version was agreed. */
enum stats_version { STATS_TLS12, STATS_TLS13, STATS_TLS_NONE, STATS_VERSION_COUNT };
/* The version of HTTP in which a client has asked. */
enum stats_protocol { STATS_HTTP1, STATS_HTTP2, STATS_PROTOCOL_COUNT };
enum stats_stage {
    STATS_AT_ACCEPT,
    STATS_AT_HELLO,
    STATS_AT_ADMISSION,
    STATS_AT_HANDSHAKE,
    STATS_AT_CERTIFICATE,
    STATS_AT_REQUEST,
    STATS_STAGE_COUNT
};

/*
 * Why a connection or request was turned away, beside the certificate's own reasons (base/reason.h). ROW(NAME, text, stages)
 * declares STATS_REJECT_NAME: the label's value, and the stages at which it can happen.
 */
#define STATS_REJECTIONS(ROW)                                                                                               \
    /* Connection limit. */                                                                                                 \
    ROW(LIMIT, "limit", ACCEPT)                                                                                             \
    /* Too many connections of one source in too short a time. */                                                           \
    ROW(SOURCE_RATE, "source_rate", ACCEPT)                                                                                 \
    /* At accept: too many connections of one source at once. At admission: another hello of the source waits already. */   \
    ROW(SOURCE_LIMIT, "source_limit", ACCEPT | ADMISSION)                                                                   \
    /* The listener is for balancers, and the peer is none of those from which it takes a PROXY header. */                  \
    ROW(PROXY_PEER, "proxy_peer", ACCEPT)                                                                                   \
    /* A PROXY header that is malformed, or none. */                                                                        \
    ROW(PROXY_HEADER, "proxy_header", ACCEPT)                                                                               \
    /* The source has failed lately, and there is no time for such sources. */                                              \
    ROW(SUSPECT, "suspect", ACCEPT | ADMISSION)                                                                             \
    /* A suspect's SYN, which the kernel dropped. */                                                                        \
    ROW(BLOCKED, "blocked", ACCEPT)                                                                                         \
    /* Too many hellos wait, or this one has waited too long. */                                                            \
    ROW(OVERLOAD, "overload", ADMISSION)                                                                                    \
    /* An allocation or a pool failed. */                                                                                   \
    ROW(NO_MEMORY, "no_memory", ACCEPT | HELLO | HANDSHAKE | REQUEST)                                                       \
    ROW(NOT_TLS, "not_tls", HELLO)                                                                                          \
    ROW(PLAIN_HTTP, "plain_http", HELLO)                                                                                    \
    /* At admission: more bytes behind a hello that waits. */                                                               \
    ROW(MALFORMED, "malformed", HELLO | ADMISSION | REQUEST)                                                                \
    /* No TLS version in common. */                                                                                         \
    ROW(OLD_VERSION, "unsupported_version", HELLO)                                                                          \
    /* No suite, group or signature scheme in common. */                                                                    \
    ROW(NO_COMMON, "no_common_algorithm", HELLO)                                                                            \
    /* No application protocol in common. */                                                                                \
    ROW(NO_PROTOCOL, "no_application_protocol", HELLO)                                                                      \
    ROW(UNKNOWN_HOST, "unknown_host", HELLO)                                                                                \
    ROW(TIMEOUT, "timeout", ACCEPT | HELLO | ADMISSION | HANDSHAKE | REQUEST)                                               \
    /* The connection's place was needed, or the memory that it held. */                                                    \
    ROW(EVICTED, "evicted", ACCEPT | HELLO | ADMISSION | HANDSHAKE | REQUEST)                                               \
    /* The connection's place was needed while it asked for nothing. */                                                     \
    ROW(EVICTED_IDLE, "evicted_idle", REQUEST)                                                                              \
    /* The connection's place was needed while it was being closed. */                                                      \
    ROW(EVICTED_ENDING, "evicted_ending", REQUEST)                                                                          \
    /* The peer went away. */                                                                                               \
    ROW(CLOSED, "closed", ACCEPT | HELLO | ADMISSION | HANDSHAKE)                                                           \
    /* A fault in what came, which an alert has told. */                                                                    \
    ROW(TLS_ERROR, "tls_error", HANDSHAKE | REQUEST)                                                                        \
    /* More of these than tls/allowance.h allows. The ChangeCipherSpec of TLS 1.3 that is ignored is not among them. */     \
    ROW(KEY_UPDATES, "key_updates", REQUEST)                                                                                \
    ROW(EMPTY_RECORDS, "empty_records", REQUEST)                                                                            \
    ROW(SMALL_RECORDS, "small_records", HANDSHAKE | REQUEST)                                                                \
    ROW(WARNING_ALERTS, "warning_alerts", HANDSHAKE | REQUEST)                                                              \
    ROW(CHANGE_CIPHERS, "change_cipher_specs", HANDSHAKE | REQUEST)                                                         \
    /* More of these than http2/allowance.h allows: GOAWAY. */                                                              \
    ROW(HTTP2_RESETS, "http2_resets", REQUEST)                                                                              \
    ROW(HTTP2_FAULTS, "http2_faults", REQUEST)                                                                              \
    ROW(HTTP2_CONTINUATIONS, "http2_continuations", REQUEST)                                                                \
    ROW(HTTP2_HEADS, "http2_heads", REQUEST)                                                                                \
    ROW(HTTP2_SETTINGS, "http2_settings", REQUEST)                                                                          \
    ROW(HTTP2_PINGS, "http2_pings", REQUEST)                                                                                \
    ROW(HTTP2_PRIORITIES, "http2_priorities", REQUEST)                                                                      \
    ROW(HTTP2_EMPTY_FRAMES, "http2_empty_frames", REQUEST)                                                                  \
    ROW(HTTP2_WINDOW_UPDATES, "http2_window_updates", REQUEST)                                                              \
    ROW(HTTP2_UNKNOWN_FRAMES, "http2_unknown_frames", REQUEST)                                                              \
    /* A fault in frames that ends the connection: GOAWAY. */                                                               \
    ROW(HTTP2_ERROR, "http2_error", REQUEST)                                                                                \
    /* A stream for which there was no room: REFUSED_STREAM. */                                                             \
    ROW(HTTP2_STREAMS, "http2_streams", REQUEST)                                                                            \
    /* 403 in mode enforce. */                                                                                              \
    ROW(DENIED, "denied", CERTIFICATE)                                                                                      \
    /* 421. */                                                                                                              \
    ROW(MISDIRECTED, "misdirected", REQUEST)                                                                                \
    /* At the handshake: certificates, when there is no time for them. At a request: 413, 414, 431. */                      \
    ROW(TOO_LARGE, "too_large", HANDSHAKE | REQUEST)                                                                        \
    /* 501. */                                                                                                              \
    ROW(NOT_IMPLEMENTED, "not_implemented", REQUEST)                                                                        \
    /* 405. */                                                                                                              \
    ROW(METHOD, "method", REQUEST)

#define STATS_REJECT(NAME, ...) STATS_REJECT_##NAME,
enum stats_rejection { STATS_REJECTIONS(STATS_REJECT) STATS_REJECTION_COUNT };

/* Events in the life of connections to origins. */
enum stats_origin_event {
    STATS_ORIGIN_OPENED,         /* a connection is begun */
    STATS_ORIGIN_CONNECT_FAILED, /* a begun one comes to nothing, for whatever reason */
    STATS_ORIGIN_REUSED,         /* a request takes an idle one */
    STATS_ORIGIN_REPLACED,       /* an idle one that was taken proves closed, and a fresh one takes its place */
    STATS_ORIGIN_POOLED,         /* one becomes idle in a pool */
    STATS_ORIGIN_OWNED,          /* one becomes idle, and only the client that has used it may take it */
    STATS_ORIGIN_DROPPED,        /* the origin closes an idle one, or speaks on it without being asked */
    STATS_ORIGIN_EXPIRED,        /* an idle one is closed: idle for too long, or one too many */
    STATS_ORIGIN_EVENT_COUNT
};
/* The ends of TLS handshakes with origins. */
enum stats_origin_handshake {
    STATS_ORIGIN_HANDSHAKE_FULL,
    STATS_ORIGIN_HANDSHAKE_RESUMED,
    STATS_ORIGIN_HANDSHAKE_CERTIFICATE, /* this and the next ones have failed: the chain is not good */
    STATS_ORIGIN_HANDSHAKE_NAME,        /* it is good, for another name */
    STATS_ORIGIN_HANDSHAKE_ALPN,        /* the origin does not agree on h2 */
    STATS_ORIGIN_HANDSHAKE_FAILED,      /* for any other reason */
    STATS_ORIGIN_HANDSHAKE_COUNT
};
/* The ends of requests to origins. */
enum stats_origin_result {
    STATS_ORIGIN_COMPLETED,
    STATS_ORIGIN_UNREACHABLE, /* this and the next four: as enum relay_error of relay/relay.h */
    STATS_ORIGIN_BROKEN,
    STATS_ORIGIN_BAD_RESPONSE,
    STATS_ORIGIN_TIMEOUT,
    STATS_ORIGIN_BUSY,
    STATS_ORIGIN_ABORTED, /* the client is gone, or the answer was refused here */
    STATS_ORIGIN_RESULT_COUNT
};

/* Why requests were sent again. */
enum stats_retry {
    STATS_RETRY_REFUSED, /* the connection ended before an answer began, or the origin said that it does not serve now */
    STATS_RETRY_TIMEOUT, /* the answer did not begin in time */
    STATS_RETRY_502,     /* the answer was this */
    STATS_RETRY_503,
    STATS_RETRY_COUNT
};
/* The ends of waits for an origin that has room for one request more. */
enum stats_line_end {
    STATS_LINE_SERVED,
    STATS_LINE_TIMED_OUT,
    STATS_LINE_FULL, /* as many waited already as may */
    STATS_LINE_LEFT, /* the client is gone */
    STATS_LINE_END_COUNT
};

/* The results of probes of origins. */
enum stats_probe_result {
    STATS_PROBE_OK,
    STATS_PROBE_STATUS,      /* an answer, but with a status that is not among the good ones */
    STATS_PROBE_REFUSED,     /* the connection */
    STATS_PROBE_UNREACHABLE, /* no connection could be made, for another reason */
    STATS_PROBE_TLS,         /* its handshake failed: the origin is not the one that is expected, say */
    STATS_PROBE_TIMED_OUT,   /* no connection, or no answer, in time */
    STATS_PROBE_CLOSED,      /* by the origin, before its answer */
    STATS_PROBE_MALFORMED,   /* the bytes that came are no answer of HTTP */
    STATS_PROBE_SKIPPED,     /* none was made, for want of resources here: it says nothing about the origin */
    STATS_PROBE_RESULT_COUNT
};

/* The ends of tunnels. */
enum stats_tunnel_end {
    STATS_TUNNEL_CLOSED,  /* by client or origin, or with the connection of one of them */
    STATS_TUNNEL_IDLE,    /* no byte has passed for too long */
    STATS_TUNNEL_VERDICT, /* the client is not welcome any more, or its host is gone */
    STATS_TUNNEL_DRAIN,   /* the server ends */
    STATS_TUNNEL_END_COUNT
};

/* The directions of a client's bytes. */
enum stats_direction { STATS_IN, STATS_OUT, STATS_DIRECTION_COUNT };

enum { STATS_CODES = 41 }; /* slots of HTTP statuses: see stats_code_slot */

enum stats_label {
    STATS_LABEL_NONE,
    STATS_LABEL_SHARD, /* the shard's number: no fixed values */
    STATS_LABEL_RESULT,
    STATS_LABEL_KIND,
    STATS_LABEL_PATH,
    STATS_LABEL_CLASS,
    STATS_LABEL_BUDGET,
    STATS_LABEL_RELOAD,
    STATS_LABEL_DNS,
    STATS_LABEL_VERSION,
    STATS_LABEL_GROUP, /* of base/key_group.h */
    STATS_LABEL_STAGE,
    STATS_LABEL_REJECTION,
    STATS_LABEL_REASON,  /* of base/reason.h */
    STATS_LABEL_VERDICT, /* the same, with the status beside it as a label of its own */
    STATS_LABEL_CODE,
    STATS_LABEL_PROTOCOL,
    STATS_LABEL_ORIGIN_EVENT,
    STATS_LABEL_ORIGIN_HANDSHAKE,
    STATS_LABEL_ORIGIN_RESULT,
    STATS_LABEL_RETRY,
    STATS_LABEL_LINE_END,
    STATS_LABEL_PROBE_RESULT,
    STATS_LABEL_TUNNEL_END,
    STATS_LABEL_DIRECTION,
    STATS_LABEL_COUNT
};

/* Returns the label's name in /metrics: "result". A static text. */
const char *stats_label_name(enum stats_label label);
/* Returns how many values it has; 0 for STATS_LABEL_NONE and STATS_LABEL_SHARD. */
unsigned stats_label_values(enum stats_label label);
/* Returns the name of one of its values: "ok". A static text. */
const char *stats_label_value(enum stats_label label, unsigned value);

/* Names of values, as static texts. A version's is that of tls/session.h, or "none". */
static inline const char *stats_result_name(enum stats_result result) {
    return stats_label_value(STATS_LABEL_RESULT, result);
}
static inline const char *stats_kind_name(enum stats_kind kind) {
    return stats_label_value(STATS_LABEL_KIND, kind);
}
static inline const char *stats_class_name(enum stats_class class) {
    return stats_label_value(STATS_LABEL_CLASS, class);
}
static inline const char *stats_budget_name(enum stats_budget budget) {
    return stats_label_value(STATS_LABEL_BUDGET, budget);
}
static inline const char *stats_stage_name(enum stats_stage stage) {
    return stats_label_value(STATS_LABEL_STAGE, stage);
}
static inline const char *stats_rejection_name(enum stats_rejection rejection) {
    return stats_label_value(STATS_LABEL_REJECTION, rejection);
}
/* Returns whether a rejection can happen at a stage, so that its counter is exposed from the start. */
bool stats_rejection_occurs(enum stats_stage stage, enum stats_rejection rejection);

/* Returns why a request is refused that is answered by this status, 400 to 505, for its form or the time it takes. */
enum stats_rejection stats_rejection_of_status(unsigned status);

/* Returns the slot of an HTTP status: the codes in common use have their own, the others share one for each hundred. */
unsigned stats_code_slot(unsigned status);
/* Returns 1 to 5, the hundred that the slot belongs to; 0 when it belongs to none of these. */
unsigned stats_code_class(unsigned slot);
/* Returns "404"; "4xx" for the codes of a hundred without a slot of their own; "other" for what is not 100 to 599. */
static inline const char *stats_code_name(unsigned slot) {
    return stats_label_value(STATS_LABEL_CODE, slot);
}

#endif
