#include "command/timestamp.h"

#include <criterion/criterion.h>

Test(timestamp, is_seconds_since_the_epoch) {
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-24T02:26:00Z", 1795487160},
        {"2026-11-24T03:26:00+01:00", 1795487160},
        {"2026-11-23T23:56:00-02:30", 1795487160},
        {"2026-11-24t02:26:00z", 1795487160},
        {"2026-11-24T02:26:00.999Z", 1795487160},
        {"2024-02-29T23:59:59Z", 1709251199},
        {"1969-12-31T23:59:59Z", -1},
        {"9999-12-31T23:59:59Z", 253402300799},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t seconds = 1;
        cr_assert(timestamp_parse(cases[i].text, &seconds), "%s", cases[i].text);
        cr_assert_eq(seconds, cases[i].seconds, "%s: %ld", cases[i].text, (long)seconds);
    }
}

Test(timestamp, refuses_what_is_none) {
    static const char *const bad[] = {
        "",
        "2026-11-24",
        "2026-11-24T02:26:00",
        "2026-11-24 02:26:00Z",
        "2026-11-24T02:26Z",
        "2026-1-24T02:26:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-11-24T24:00:00Z",
        "2026-11-24T02:60:00Z",
        "2026-11-24T02:26:60Z",
        "2026-11-24T02:26:00.Z",
        "2026-11-24T02:26:00+0100",
        "2026-11-24T02:26:00+24:00",
        "2026-11-24T02:26:00Z ",
        " 2026-11-24T02:26:00Z",
        "1795487160",
        "now",
    };
    int64_t seconds;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert(!timestamp_parse(bad[i], &seconds), "%s", bad[i]);
    }
}
