#include "config/units.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const char *const nowhere[] = {"",
                                      " ",
                                      "-1",
                                      "+1",
                                      "01",
                                      "00",
                                      "1 ",
                                      " 1",
                                      "1.5",
                                      "1e3",
                                      "0x10",
                                      "1_000",
                                      "1,000",
                                      "99999999999999999999",
                                      "10000000000000001",
                                      "s",
                                      "KiB",
                                      "1\n"};

Test(units, numbers) {
    uint64_t number = 7;
    cr_assert(units_parse_number("0", &number) && number == 0);
    cr_assert(units_parse_number("65536", &number) && number == 65536);
    cr_assert(units_parse_number("1000000000000000", &number) && number == 1000000000000000);
    cr_assert_not(units_parse_number("1000000000000001", &number));
    cr_assert_not(units_parse_number("5s", &number));
    for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++) {
        cr_assert_not(units_parse_number(nowhere[i], &number), "%s", nowhere[i]);
    }
}

Test(units, durations) {
    static const struct {
        const char *text;
        uint64_t milliseconds;
    } good[] = {{"0", 0},      {"0s", 0},       {"100ms", 100}, {"5s", 5000},
                {"1m", 60000}, {"1h", 3600000}, {"90s", 90000}, {"2d", 172800000}};
    static const char *const bad[] = {
        "5", "5 s", "5S", "5sec", "1m30s", "1w", "1us", "-5s", "0.5s", "05s", "1000000000000000h", "ms", "5ss"};
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cr_assert(units_parse_duration(good[i].text, &value) && value == good[i].milliseconds, "%s", good[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert_not(units_parse_duration(bad[i], &value), "%s", bad[i]);
    }
    for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++) {
        cr_assert_not(units_parse_duration(nowhere[i], &value), "%s", nowhere[i]);
    }
}

Test(units, sizes) {
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {{"0", 0}, {"16384", 16384}, {"32KiB", 32768}, {"1MiB", 1048576}, {"2GiB", 2147483648}};
    static const char *const bad[] = {"32kib", "32KB", "32K", "32 KiB", "1.5MiB", "-1KiB", "1TiB", "1000000000000000KiB",
                                      "1KiBs"};
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cr_assert(units_parse_size(good[i].text, &value) && value == good[i].bytes, "%s", good[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert_not(units_parse_size(bad[i], &value), "%s", bad[i]);
    }
    for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++) {
        cr_assert_not(units_parse_size(nowhere[i], &value), "%s", nowhere[i]);
    }
}

Test(units, formats_with_the_largest_unit_that_divides) {
    char text[UNITS_TEXT_SIZE];
    units_format_duration(100, text);
    cr_assert_str_eq(text, "100ms");
    units_format_duration(90000, text);
    cr_assert_str_eq(text, "90s");
    units_format_duration(604800000, text);
    cr_assert_str_eq(text, "168h");
    units_format_duration(0, text);
    cr_assert_str_eq(text, "0");
    units_format_number(65536, text);
    cr_assert_str_eq(text, "65536");
    units_format_size(65536, text);
    cr_assert_str_eq(text, "64KiB");
    units_format_size(1025, text);
    cr_assert_str_eq(text, "1025");
}

Test(units, whole_seconds) {
    uint64_t seconds = 0;
    cr_assert(units_parse_seconds("365d", &seconds) && seconds == 31536000);
    cr_assert(units_parse_seconds("0", &seconds) && seconds == 0);
    cr_assert(units_parse_seconds("2000ms", &seconds) && seconds == 2);
    cr_assert_not(units_parse_seconds("1500ms", &seconds));
    cr_assert_not(units_parse_seconds("5", &seconds));
    char text[UNITS_TEXT_SIZE];
    units_format_seconds(3650 * 86400, text);
    cr_assert_str_eq(text, "3650d");
    units_format_seconds(3600, text);
    cr_assert_str_eq(text, "1h");
}
