#include "stats/labels.h"

#include "base/check.h"

static const char *const results[] = {
    [STATS_OK] = "ok",
    [STATS_FAILED] = "failed",
    [STATS_TIMEOUT] = "timeout",
};
_Static_assert(ARRAY_LENGTH(results) == STATS_RESULT_COUNT, "each result has a name");

static const char *const kinds[] = {
    [STATS_FULL] = "full",
    [STATS_RESUMED] = "resumed",
};
_Static_assert(ARRAY_LENGTH(kinds) == STATS_KIND_COUNT, "each kind has a name");

static const char *const paths[] = {
    [STATS_CACHED] = "cached",
    [STATS_JUDGED] = "full",
};
_Static_assert(ARRAY_LENGTH(paths) == STATS_PATH_COUNT, "each path has a name");

static const char *const classes[] = {
    [STATS_KNOWN] = "known",
    [STATS_RETURNING] = "returning",
    [STATS_UNKNOWN] = "unknown",
    [STATS_SUSPECT] = "suspect",
};
_Static_assert(ARRAY_LENGTH(classes) == STATS_CLASS_COUNT, "each class has a name");

static const char *const budgets[] = {
    [STATS_OVER_SOURCE_WORK] = "source_work",
    [STATS_OVER_CERTIFICATE_RATE] = "certificate_rate",
    [STATS_OVER_CERTIFICATE_CONNECTIONS] = "certificate_connections",
    [STATS_OVER_CERTIFICATE_SOURCES] = "certificate_sources",
};
_Static_assert(ARRAY_LENGTH(budgets) == STATS_BUDGET_COUNT, "each budget has a name");

static const char *const reloads[] = {
    [STATS_RELOAD_OK] = "ok",
    [STATS_RELOAD_FAILED] = "failed",
};
_Static_assert(ARRAY_LENGTH(reloads) == STATS_RELOAD_COUNT, "each outcome of a reload has a name");

static const char *const dns_results[] = {
    [STATS_DNS_OK] = "ok",
    [STATS_DNS_NOT_FOUND] = "not_found",
    [STATS_DNS_FAILED] = "failed",
    [STATS_DNS_TIMED_OUT] = "timed_out",
    [STATS_DNS_MALFORMED] = "malformed",
};
_Static_assert(ARRAY_LENGTH(dns_results) == STATS_DNS_COUNT, "each outcome of a look-up has a name");

static const char *const versions[] = {
    [STATS_TLS12] = "TLSv1.2",
    [STATS_TLS13] = "TLSv1.3",
    [STATS_TLS_NONE] = "none",
};
_Static_assert(ARRAY_LENGTH(versions) == STATS_VERSION_COUNT, "each version has a name");

#define GROUP_NAME(NAME, number, text, ...) text,
static const char *const groups[] = {KEY_GROUPS(GROUP_NAME) "none"};
_Static_assert(ARRAY_LENGTH(groups) == KEY_GROUP_COUNT, "each group has a name");

static const char *const protocols[] = {
    [STATS_HTTP1] = "http1",
    [STATS_HTTP2] = "http2",
};
_Static_assert(ARRAY_LENGTH(protocols) == STATS_PROTOCOL_COUNT, "each protocol has a name");

static const char *const stages[] = {
    [STATS_AT_ACCEPT] = "accept",           [STATS_AT_HELLO] = "hello",
    [STATS_AT_ADMISSION] = "admission",     [STATS_AT_HANDSHAKE] = "handshake",
    [STATS_AT_CERTIFICATE] = "certificate", [STATS_AT_REQUEST] = "request",
};
_Static_assert(ARRAY_LENGTH(stages) == STATS_STAGE_COUNT, "each stage has a name");

static const char *const origin_events[] = {
    [STATS_ORIGIN_OPENED] = "opened",   [STATS_ORIGIN_CONNECT_FAILED] = "connect_failed",
    [STATS_ORIGIN_REUSED] = "reused",   [STATS_ORIGIN_REPLACED] = "replaced",
    [STATS_ORIGIN_POOLED] = "pooled",   [STATS_ORIGIN_OWNED] = "owned",
    [STATS_ORIGIN_DROPPED] = "dropped", [STATS_ORIGIN_EXPIRED] = "expired",
};
_Static_assert(ARRAY_LENGTH(origin_events) == STATS_ORIGIN_EVENT_COUNT, "each event has a name");

static const char *const origin_handshakes[] = {
    [STATS_ORIGIN_HANDSHAKE_FULL] = "full",
    [STATS_ORIGIN_HANDSHAKE_RESUMED] = "resumed",
    [STATS_ORIGIN_HANDSHAKE_CERTIFICATE] = "certificate",
    [STATS_ORIGIN_HANDSHAKE_NAME] = "name",
    [STATS_ORIGIN_HANDSHAKE_ALPN] = "alpn",
    [STATS_ORIGIN_HANDSHAKE_FAILED] = "failed",
};
_Static_assert(ARRAY_LENGTH(origin_handshakes) == STATS_ORIGIN_HANDSHAKE_COUNT, "each end has a name");

static const char *const origin_results[] = {
    [STATS_ORIGIN_COMPLETED] = "completed", [STATS_ORIGIN_UNREACHABLE] = "unreachable",
    [STATS_ORIGIN_BROKEN] = "broken",       [STATS_ORIGIN_BAD_RESPONSE] = "bad_response",
    [STATS_ORIGIN_TIMEOUT] = "timeout",     [STATS_ORIGIN_BUSY] = "busy",
    [STATS_ORIGIN_ABORTED] = "aborted",
};
_Static_assert(ARRAY_LENGTH(origin_results) == STATS_ORIGIN_RESULT_COUNT, "each result has a name");

static const char *const retries[] = {
    [STATS_RETRY_REFUSED] = "refused",
    [STATS_RETRY_TIMEOUT] = "timeout",
    [STATS_RETRY_502] = "502",
    [STATS_RETRY_503] = "503",
};
_Static_assert(ARRAY_LENGTH(retries) == STATS_RETRY_COUNT, "each reason has a name");

static const char *const line_ends[] = {
    [STATS_LINE_SERVED] = "served",
    [STATS_LINE_TIMED_OUT] = "timed_out",
    [STATS_LINE_FULL] = "full",
    [STATS_LINE_LEFT] = "left",
};
_Static_assert(ARRAY_LENGTH(line_ends) == STATS_LINE_END_COUNT, "each end has a name");

static const char *const probe_results[] = {
    [STATS_PROBE_OK] = "ok",           [STATS_PROBE_STATUS] = "status",
    [STATS_PROBE_REFUSED] = "refused", [STATS_PROBE_UNREACHABLE] = "unreachable",
    [STATS_PROBE_TLS] = "tls",         [STATS_PROBE_TIMED_OUT] = "timed_out",
    [STATS_PROBE_CLOSED] = "closed",   [STATS_PROBE_MALFORMED] = "malformed",
    [STATS_PROBE_SKIPPED] = "skipped",
};
_Static_assert(ARRAY_LENGTH(probe_results) == STATS_PROBE_RESULT_COUNT, "each result has a name");

static const char *const tunnel_ends[] = {
    [STATS_TUNNEL_CLOSED] = "closed",
    [STATS_TUNNEL_IDLE] = "idle",
    [STATS_TUNNEL_VERDICT] = "verdict",
    [STATS_TUNNEL_DRAIN] = "drain",
};
_Static_assert(ARRAY_LENGTH(tunnel_ends) == STATS_TUNNEL_END_COUNT, "each end has a name");

static const char *const directions[] = {[STATS_IN] = "in", [STATS_OUT] = "out"};
_Static_assert(ARRAY_LENGTH(directions) == STATS_DIRECTION_COUNT, "each direction has a name");

#define REJECTION_NAME(NAME, text, stages) text,
static const char *const rejections[] = {STATS_REJECTIONS(REJECTION_NAME)};

#define ACCEPT      (1u << STATS_AT_ACCEPT)
#define HELLO       (1u << STATS_AT_HELLO)
#define ADMISSION   (1u << STATS_AT_ADMISSION)
#define HANDSHAKE   (1u << STATS_AT_HANDSHAKE)
#define CERTIFICATE (1u << STATS_AT_CERTIFICATE)
#define REQUEST     (1u << STATS_AT_REQUEST)

#define REJECTION_STAGES(NAME, text, stages) stages,
static const unsigned rejection_stages[] = {STATS_REJECTIONS(REJECTION_STAGES)};

/* The codes that have a slot of their own, after the six slots for the rest. */
#define OWN_CODES(X)                                                                                                        \
    X(101), X(200), X(201), X(202), X(204), X(206), X(301), X(302), X(303), X(304), X(307), X(308), X(400), X(401), X(403), \
        X(404), X(405), X(408), X(409), X(412), X(413), X(414), X(415), X(416), X(417), X(421), X(422), X(429), X(431),     \
        X(500), X(501), X(502), X(503), X(504), X(505)

#define CODE_SLOT(code) SLOT_##code
enum { SLOT_OTHER, SLOT_1XX, SLOT_2XX, SLOT_3XX, SLOT_4XX, SLOT_5XX, OWN_CODES(CODE_SLOT), SLOT_COUNT };
_Static_assert((int)SLOT_COUNT == (int)STATS_CODES, "each slot has a code");

#define CODE_NAME(code) #code
static const char *const codes[] = {"other", "1xx", "2xx", "3xx", "4xx", "5xx", OWN_CODES(CODE_NAME)};
_Static_assert(ARRAY_LENGTH(codes) == STATS_CODES, "each slot has a name");

/* 0 where a code has no slot of its own. */
#define CODE_ENTRY(code) [code] = SLOT_##code
static const uint8_t own_slots[600] = {OWN_CODES(CODE_ENTRY)};

static const struct {
    const char *name;
    const char *const *values; /* NULL: reasons, which have their names in base/reason.h */
    unsigned count;
} labels[] = {
    [STATS_LABEL_NONE] = {"", NULL, 0},
    [STATS_LABEL_SHARD] = {"shard", NULL, 0},
    [STATS_LABEL_RESULT] = {"result", results, ARRAY_LENGTH(results)},
    [STATS_LABEL_KIND] = {"kind", kinds, ARRAY_LENGTH(kinds)},
    [STATS_LABEL_PATH] = {"path", paths, ARRAY_LENGTH(paths)},
    [STATS_LABEL_CLASS] = {"class", classes, ARRAY_LENGTH(classes)},
    [STATS_LABEL_BUDGET] = {"bound", budgets, ARRAY_LENGTH(budgets)},
    [STATS_LABEL_RELOAD] = {"result", reloads, ARRAY_LENGTH(reloads)},
    [STATS_LABEL_DNS] = {"result", dns_results, ARRAY_LENGTH(dns_results)},
    [STATS_LABEL_VERSION] = {"version", versions, ARRAY_LENGTH(versions)},
    [STATS_LABEL_GROUP] = {"group", groups, ARRAY_LENGTH(groups)},
    [STATS_LABEL_STAGE] = {"stage", stages, ARRAY_LENGTH(stages)},
    [STATS_LABEL_REJECTION] = {"reason", rejections, ARRAY_LENGTH(rejections)},
    [STATS_LABEL_REASON] = {"reason", NULL, REASON_COUNT},
    [STATS_LABEL_VERDICT] = {"reason", NULL, REASON_COUNT},
    [STATS_LABEL_CODE] = {"code", codes, ARRAY_LENGTH(codes)},
    [STATS_LABEL_PROTOCOL] = {"protocol", protocols, ARRAY_LENGTH(protocols)},
    [STATS_LABEL_ORIGIN_EVENT] = {"event", origin_events, ARRAY_LENGTH(origin_events)},
    [STATS_LABEL_ORIGIN_HANDSHAKE] = {"result", origin_handshakes, ARRAY_LENGTH(origin_handshakes)},
    [STATS_LABEL_ORIGIN_RESULT] = {"result", origin_results, ARRAY_LENGTH(origin_results)},
    [STATS_LABEL_RETRY] = {"reason", retries, ARRAY_LENGTH(retries)},
    [STATS_LABEL_LINE_END] = {"result", line_ends, ARRAY_LENGTH(line_ends)},
    [STATS_LABEL_PROBE_RESULT] = {"result", probe_results, ARRAY_LENGTH(probe_results)},
    [STATS_LABEL_TUNNEL_END] = {"end", tunnel_ends, ARRAY_LENGTH(tunnel_ends)},
    [STATS_LABEL_DIRECTION] = {"direction", directions, ARRAY_LENGTH(directions)},
};
_Static_assert(ARRAY_LENGTH(labels) == STATS_LABEL_COUNT, "each label has a name");

const char *stats_label_name(enum stats_label label) {
    CHECK((unsigned)label < STATS_LABEL_COUNT);
    return labels[label].name;
}

unsigned stats_label_values(enum stats_label label) {
    CHECK((unsigned)label < STATS_LABEL_COUNT);
    return labels[label].count;
}

const char *stats_label_value(enum stats_label label, unsigned value) {
    CHECK(value < stats_label_values(label));
    return labels[label].values == NULL ? reason_name((enum reason)value) : labels[label].values[value];
}

bool stats_rejection_occurs(enum stats_stage stage, enum stats_rejection rejection) {
    CHECK((unsigned)stage < STATS_STAGE_COUNT && (unsigned)rejection < STATS_REJECTION_COUNT);
    return (rejection_stages[rejection] >> stage & 1) != 0;
}

enum stats_rejection stats_rejection_of_status(unsigned status) {
    switch (status) {
    case 408:
        return STATS_REJECT_TIMEOUT;
    case 413:
    case 414:
    case 431:
        return STATS_REJECT_TOO_LARGE;
    case 501:
        return STATS_REJECT_NOT_IMPLEMENTED;
    default:
        return STATS_REJECT_MALFORMED;
    }
}

unsigned stats_code_slot(unsigned status) {
    if (status < 100 || status >= ARRAY_LENGTH(own_slots)) {
        return SLOT_OTHER;
    }
    return own_slots[status] != 0 ? own_slots[status] : SLOT_1XX + status / 100 - 1;
}

unsigned stats_code_class(unsigned slot) {
    char first = stats_code_name(slot)[0];
    return first >= '1' && first <= '5' ? (unsigned)(first - '0') : 0;
}
