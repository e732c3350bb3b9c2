#include "base/decimal.h"

#include <criterion/criterion.h>

Test(decimal, digits_end_where_they_should) {
    static const struct {
        uint64_t value;
        const char *text;
    } cases[] = {{0, "0"}, {7, "7"}, {10, "10"}, {1234567890, "1234567890"}, {UINT64_MAX, "18446744073709551615"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char digits[DECIMAL_DIGITS_MAX + 1] = "";
        char *begin = decimal_write(digits + DECIMAL_DIGITS_MAX, cases[i].value);
        cr_expect(begin >= digits);
        cr_expect_str_eq(begin, cases[i].text);
    }
}

Test(decimal, seconds_are_exact_and_short) {
    static const struct {
        uint64_t ns;
        const char *text;
    } cases[] = {
        {0, "0"},
        {1, "0.000000001"},
        {10000, "0.00001"},
        {999999999, "0.999999999"},
        {1000000000, "1"},
        {10000000000, "10"},
        {60000000000, "60"},
        {2500000000, "2.5"},
        {1000000001, "1.000000001"},
        {UINT64_MAX, "18446744073.709551615"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[DECIMAL_SECONDS_SIZE];
        decimal_write_seconds(text, cases[i].ns);
        cr_assert_str_eq(text, cases[i].text);
    }
}
