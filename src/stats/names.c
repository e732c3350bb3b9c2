/* What the counters are called: the values of the metrics' labels. */
#include "base/check.h"
#include "stats/stats.h"

static const char *const result_names[] = {
    [STATS_OK] = "ok",
    [STATS_FAILED] = "failed",
    [STATS_TIMEOUT] = "timeout",
};
_Static_assert(ARRAY_LENGTH(result_names) == STATS_RESULT_COUNT, "each result has a name");

static const char *const kind_names[] = {
    [STATS_FULL] = "full",
    [STATS_RESUMED] = "resumed",
};
_Static_assert(ARRAY_LENGTH(kind_names) == STATS_KIND_COUNT, "each kind has a name");

static const char *const path_names[] = {
    [STATS_CACHED] = "cached",
    [STATS_JUDGED] = "full",
};
_Static_assert(ARRAY_LENGTH(path_names) == STATS_PATH_COUNT, "each path has a name");

static const char *const class_names[] = {
    [STATS_KNOWN] = "known",
    [STATS_RETURNING] = "returning",
    [STATS_UNKNOWN] = "unknown",
    [STATS_SUSPECT] = "suspect",
};
_Static_assert(ARRAY_LENGTH(class_names) == STATS_CLASS_COUNT, "each class has a name");

static const char *const budget_names[] = {
    [STATS_OVER_SOURCE_WORK] = "source_work",
    [STATS_OVER_CERTIFICATE_RATE] = "certificate_rate",
    [STATS_OVER_CERTIFICATE_CONNECTIONS] = "certificate_connections",
    [STATS_OVER_CERTIFICATE_SOURCES] = "certificate_sources",
};
_Static_assert(ARRAY_LENGTH(budget_names) == STATS_BUDGET_COUNT, "each budget has a name");

static const char *const reload_names[] = {
    [STATS_RELOAD_OK] = "ok",
    [STATS_RELOAD_FAILED] = "failed",
};
_Static_assert(ARRAY_LENGTH(reload_names) == STATS_RELOAD_COUNT, "each outcome of a reload has a name");

static const char *const version_names[] = {
    [STATS_TLS12] = "TLSv1.2",
    [STATS_TLS13] = "TLSv1.3",
    [STATS_TLS_NONE] = "none",
};
_Static_assert(ARRAY_LENGTH(version_names) == STATS_VERSION_COUNT, "each version has a name");

static const char *const stage_names[] = {
    [STATS_AT_ACCEPT] = "accept",           [STATS_AT_HELLO] = "hello",
    [STATS_AT_ADMISSION] = "admission",     [STATS_AT_HANDSHAKE] = "handshake",
    [STATS_AT_CERTIFICATE] = "certificate", [STATS_AT_REQUEST] = "request",
};
_Static_assert(ARRAY_LENGTH(stage_names) == STATS_STAGE_COUNT, "each stage has a name");

#define ACCEPT      (1u << STATS_AT_ACCEPT)
#define HELLO       (1u << STATS_AT_HELLO)
#define ADMISSION   (1u << STATS_AT_ADMISSION)
#define HANDSHAKE   (1u << STATS_AT_HANDSHAKE)
#define CERTIFICATE (1u << STATS_AT_CERTIFICATE)
#define REQUEST     (1u << STATS_AT_REQUEST)

static const struct {
    const char *name;
    unsigned stages; /* at which it can happen */
} rejections[] = {
    [STATS_REJECT_LIMIT] = {"limit", ACCEPT},
    [STATS_REJECT_SOURCE_RATE] = {"source_rate", ACCEPT},
    [STATS_REJECT_SOURCE_LIMIT] = {"source_limit", ACCEPT | ADMISSION},
    [STATS_REJECT_SUSPECT] = {"suspect", ACCEPT | ADMISSION},
    [STATS_REJECT_BLOCKED] = {"blocked", ACCEPT},
    [STATS_REJECT_OVERLOAD] = {"overload", ADMISSION},
    [STATS_REJECT_NO_MEMORY] = {"no_memory", ACCEPT | HELLO | HANDSHAKE},
    [STATS_REJECT_NOT_TLS] = {"not_tls", HELLO},
    [STATS_REJECT_PLAIN_HTTP] = {"plain_http", HELLO},
    [STATS_REJECT_MALFORMED] = {"malformed", HELLO | ADMISSION | REQUEST},
    [STATS_REJECT_OLD_VERSION] = {"unsupported_version", HELLO},
    [STATS_REJECT_NO_COMMON] = {"no_common_algorithm", HELLO},
    [STATS_REJECT_NO_PROTOCOL] = {"no_application_protocol", HELLO},
    [STATS_REJECT_UNKNOWN_HOST] = {"unknown_host", HELLO},
    [STATS_REJECT_TIMEOUT] = {"timeout", HELLO | ADMISSION | HANDSHAKE | REQUEST},
    [STATS_REJECT_EVICTED] = {"evicted", HELLO | ADMISSION | HANDSHAKE | REQUEST},
    [STATS_REJECT_EVICTED_IDLE] = {"evicted_idle", REQUEST},
    [STATS_REJECT_EVICTED_ENDING] = {"evicted_ending", REQUEST},
    [STATS_REJECT_CLOSED] = {"closed", HELLO | ADMISSION | HANDSHAKE},
    [STATS_REJECT_TLS_ERROR] = {"tls_error", HANDSHAKE | REQUEST},
    [STATS_REJECT_KEY_UPDATES] = {"key_updates", REQUEST},
    [STATS_REJECT_EMPTY_RECORDS] = {"empty_records", REQUEST},
    [STATS_REJECT_SMALL_RECORDS] = {"small_records", HANDSHAKE | REQUEST},
    [STATS_REJECT_WARNING_ALERTS] = {"warning_alerts", HANDSHAKE | REQUEST},
    [STATS_REJECT_CHANGE_CIPHERS] = {"change_cipher_specs", HANDSHAKE | REQUEST},
    [STATS_REJECT_DENIED] = {"denied", CERTIFICATE},
    [STATS_REJECT_MISDIRECTED] = {"misdirected", REQUEST},
    [STATS_REJECT_TOO_LARGE] = {"too_large", HANDSHAKE | REQUEST},
    [STATS_REJECT_NOT_IMPLEMENTED] = {"not_implemented", REQUEST},
    [STATS_REJECT_METHOD] = {"method", REQUEST},
};
_Static_assert(ARRAY_LENGTH(rejections) == STATS_REJECTION_COUNT, "each rejection has a name and stages");

/* The codes that have a slot of their own, after the six slots for the rest. */
#define OWN_CODES(X)                                                                                                        \
    X(200), X(201), X(202), X(204), X(206), X(301), X(302), X(303), X(304), X(307), X(308), X(400), X(401), X(403), X(404), \
        X(405), X(408), X(409), X(412), X(413), X(414), X(415), X(416), X(417), X(421), X(422), X(429), X(431), X(500),     \
        X(501), X(502), X(503), X(504), X(505)

#define CODE_SLOT(code) SLOT_##code
enum { SLOT_OTHER, SLOT_1XX, SLOT_2XX, SLOT_3XX, SLOT_4XX, SLOT_5XX, OWN_CODES(CODE_SLOT), SLOT_COUNT };
_Static_assert((int)SLOT_COUNT == (int)STATS_CODES, "each slot has a code");

#define CODE_NAME(code) #code
static const char *const code_names[] = {"other", "1xx", "2xx", "3xx", "4xx", "5xx", OWN_CODES(CODE_NAME)};
_Static_assert(ARRAY_LENGTH(code_names) == STATS_CODES, "each slot has a name");

/* 0 where a code has no slot of its own. */
#define CODE_ENTRY(code) [code] = SLOT_##code
static const uint8_t own_slots[600] = {OWN_CODES(CODE_ENTRY)};

const char *stats_result_name(enum stats_result result) {
    CHECK((unsigned)result < STATS_RESULT_COUNT);
    return result_names[result];
}

const char *stats_kind_name(enum stats_kind kind) {
    CHECK((unsigned)kind < STATS_KIND_COUNT);
    return kind_names[kind];
}

const char *stats_path_name(enum stats_path path) {
    CHECK((unsigned)path < STATS_PATH_COUNT);
    return path_names[path];
}

const char *stats_class_name(enum stats_class class) {
    CHECK((unsigned)class < STATS_CLASS_COUNT);
    return class_names[class];
}

const char *stats_budget_name(enum stats_budget budget) {
    CHECK((unsigned)budget < STATS_BUDGET_COUNT);
    return budget_names[budget];
}

const char *stats_reload_name(enum stats_reload reload) {
    CHECK((unsigned)reload < STATS_RELOAD_COUNT);
    return reload_names[reload];
}

const char *stats_version_name(enum stats_version version) {
    CHECK((unsigned)version < STATS_VERSION_COUNT);
    return version_names[version];
}

const char *stats_stage_name(enum stats_stage stage) {
    CHECK((unsigned)stage < STATS_STAGE_COUNT);
    return stage_names[stage];
}

const char *stats_rejection_name(enum stats_rejection rejection) {
    CHECK((unsigned)rejection < STATS_REJECTION_COUNT);
    return rejections[rejection].name;
}

bool stats_rejection_occurs(enum stats_stage stage, enum stats_rejection rejection) {
    CHECK((unsigned)stage < STATS_STAGE_COUNT && (unsigned)rejection < STATS_REJECTION_COUNT);
    return (rejections[rejection].stages >> stage & 1) != 0;
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

const char *stats_code_name(unsigned slot) {
    CHECK(slot < STATS_CODES);
    return code_names[slot];
}
