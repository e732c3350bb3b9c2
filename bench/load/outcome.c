#include "load/outcome.h"

#include <ctype.h>
#include <stdio.h>

static const char *const names[OUTCOME_ALERT] = {
    [OUTCOME_LEFT] = "left",
    [OUTCOME_HELLO] = "hello",
    [OUTCOME_FIN] = "fin",
    [OUTCOME_RESET] = "reset",
    [OUTCOME_TIMEOUT] = "timeout",
    [OUTCOME_REFUSED] = "refused",
    [OUTCOME_CONNECT_TIMEOUT] = "connect_timeout",
    [OUTCOME_CONNECT_FAILED] = "connect_failed",
    [OUTCOME_TLS_FAILED] = "tls_failed",
    [OUTCOME_GIBBERISH] = "gibberish",
    [OUTCOME_HTTP1] = "http1",
};

void outcome_name(unsigned outcome, char name[static OUTCOME_NAME_SIZE]) {
    if (outcome >= OUTCOME_GOAWAY) {
        snprintf(name, OUTCOME_NAME_SIZE, "goaway_%u", outcome - OUTCOME_GOAWAY);
    } else if (outcome >= OUTCOME_STATUS) {
        snprintf(name, OUTCOME_NAME_SIZE, "status_%u", outcome - OUTCOME_STATUS + 100);
    } else if (outcome >= OUTCOME_ALERT) {
        snprintf(name, OUTCOME_NAME_SIZE, "alert_%u", outcome - OUTCOME_ALERT);
    } else {
        snprintf(name, OUTCOME_NAME_SIZE, "%s", names[outcome] == NULL ? "" : names[outcome]);
    }
}

unsigned outcome_find(struct bytes name) {
    for (unsigned outcome = 0; name.size > 0 && outcome < OUTCOMES; outcome++) {
        char own[OUTCOME_NAME_SIZE];

        outcome_name(outcome, own);
        if (bytes_equal(bytes_of_string(own), name)) {
            return outcome;
        }
    }
    return OUTCOMES;
}

unsigned outcome_of_bytes(struct bytes data) {
    enum { RECORD_ALERT = 21, RECORD_HANDSHAKE = 22, ALERT_RECORD_SIZE = 7, STATUS_AT = 9, STATUS_END = 12 };
    const uint8_t *byte = data.data;

    if (byte[0] == RECORD_HANDSHAKE) {
        return OUTCOME_HELLO;
    }
    if (byte[0] == RECORD_ALERT && data.size >= ALERT_RECORD_SIZE) {
        return OUTCOME_ALERT + byte[ALERT_RECORD_SIZE - 1];
    }
    if (data.size >= STATUS_END && memcmp(byte, "HTTP/1.", 7) == 0 && byte[STATUS_AT] >= '1' && byte[STATUS_AT] <= '9' &&
        isdigit(byte[STATUS_AT + 1]) && isdigit(byte[STATUS_AT + 2])) {
        return outcome_of_status(
            (unsigned)(100 * (byte[STATUS_AT] - '0') + 10 * (byte[STATUS_AT + 1] - '0') + (byte[STATUS_AT + 2] - '0')));
    }
    return OUTCOME_GIBBERISH;
}
