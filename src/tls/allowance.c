#include "tls/allowance.h"

#include "base/check.h"

#include <string.h>

/* RFC 8446 section 6. */
enum {
    ALERT_SIZE = 2,
    ALERT_LEVEL_FATAL = 2,
    ALERT_CLOSE_NOTIFY = 0,
    ALERT_USER_CANCELED = 90,
};

/* Tells whether the session goes on after an alert. In TLS 1.3 only user_canceled is such an alert, whatever its level. */
static bool is_warning(struct bytes alert, bool tls13) {
    if (alert.size != ALERT_SIZE || alert.data[1] == ALERT_CLOSE_NOTIFY) {
        return false;
    }
    return tls13 ? alert.data[1] == ALERT_USER_CANCELED : alert.data[0] != ALERT_LEVEL_FATAL;
}

static enum tls_excess kind_of(const struct allowance_stage *stage, enum tls_record_type type, struct bytes plaintext) {
    switch (type) {
    case TLS_RECORD_ALERT:
        return is_warning(plaintext, stage->tls13) ? TLS_EXCESS_WARNINGS : TLS_EXCESS_NONE;
    case TLS_RECORD_HANDSHAKE:
        if (stage->established) { /* in TLS 1.2 HelloRequest alone is borne with, but all may come a byte a record */
            return TLS_EXCESS_KEY_UPDATES;
        }
        break;
    case TLS_RECORD_APPLICATION_DATA:
        if (plaintext.size == 0) {
            return TLS_EXCESS_EMPTY_RECORDS;
        }
        break;
    case TLS_RECORD_CHANGE_CIPHER_SPEC:
        return TLS_EXCESS_NONE;
    }
    return plaintext.size < ALLOWANCE_SMALL_SIZE ? TLS_EXCESS_SMALL_RECORDS : TLS_EXCESS_NONE;
}

static uint16_t most_of(enum tls_excess kind, bool established) {
    switch (kind) {
    case TLS_EXCESS_KEY_UPDATES:
        return ALLOWANCE_KEY_UPDATES;
    case TLS_EXCESS_EMPTY_RECORDS:
        return ALLOWANCE_EMPTY_RECORDS;
    case TLS_EXCESS_SMALL_RECORDS:
        return established ? ALLOWANCE_SMALL_RECORDS : ALLOWANCE_SMALL_EARLY;
    default:
        return ALLOWANCE_WARNINGS;
    }
}

static void turn_window(struct allowance *allowance, uint64_t now_s) {
    if (now_s - allowance->window_began_s >= ALLOWANCE_WINDOW_S) {
        allowance->window_began_s = now_s;
        allowance->counts[TLS_EXCESS_KEY_UPDATES] = 0;
        allowance->counts[TLS_EXCESS_EMPTY_RECORDS] = 0;
        allowance->counts[TLS_EXCESS_SMALL_RECORDS] = 0;
    }
}

void allowance_pay_back(struct allowance *allowance, size_t size) {
    uint16_t *small = &allowance->counts[TLS_EXCESS_SMALL_RECORDS];
    size_t paid = size < ALLOWANCE_SMALL_SIZE ? 0 : 1 + size / ALLOWANCE_SMALL_PAID_BY;

    *small = paid < *small ? (uint16_t)(*small - paid) : 0;
}

void allowance_establish(struct allowance *allowance) {
    allowance->counts[TLS_EXCESS_SMALL_RECORDS] = 0;
}

void allowance_welcome_small(struct allowance *allowance) {
    allowance->small_welcome = true;
}

enum tls_excess allowance_take(struct allowance *allowance, const struct allowance_stage *stage, enum tls_record_type type,
                               struct bytes plaintext) {
    enum tls_excess kind = kind_of(stage, type, plaintext);

    if (kind == TLS_EXCESS_SMALL_RECORDS && type == TLS_RECORD_APPLICATION_DATA && allowance->small_welcome) {
        return TLS_EXCESS_NONE;
    }
    if (kind == TLS_EXCESS_NONE) {
        if (stage->established && type == TLS_RECORD_APPLICATION_DATA) {
            allowance_pay_back(allowance, plaintext.size);
        }
        return TLS_EXCESS_NONE;
    }
    turn_window(allowance, stage->now_s);
    if (allowance->counts[kind] >= most_of(kind, stage->established)) {
        return kind;
    }
    allowance->counts[kind]++;
    return TLS_EXCESS_NONE;
}
