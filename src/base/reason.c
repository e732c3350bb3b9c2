#include "base/reason.h"

#include "base/check.h"

#define REASON_TEXT(NAME, text) text,
static const char *const reason_names[] = {REASONS(REASON_TEXT)};

static const char *const status_names[] = {
    [STATUS_NONE] = "none",
    [STATUS_VALID] = "valid",
    [STATUS_INVALID] = "invalid",
};
_Static_assert(ARRAY_LENGTH(status_names) == STATUS_COUNT, "each status has a name");

const char *reason_name(enum reason reason) {
    CHECK((unsigned)reason < REASON_COUNT);
    return reason_names[reason];
}

const char *status_name(enum status status) {
    CHECK((unsigned)status < STATUS_COUNT);
    return status_names[status];
}

enum status reason_status(enum reason reason) {
    CHECK((unsigned)reason < REASON_COUNT);
    switch (reason) {
    case REASON_OK:
        return STATUS_VALID;
    case REASON_ABSENT:
        return STATUS_NONE;
    default:
        return STATUS_INVALID;
    }
}
