#include "http/date.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <stdlib.h>
#include <time.h>

static void assert_date(int64_t seconds, const char *expected) {
    char text[HTTP_DATE_SIZE + 1] = {0};
    http_date_write(seconds, text);
    cr_assert_str_eq(text, expected);
}

Test(date, is_written_as_the_rfc_writes_it) {
    assert_date(784111777, "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_date(0, "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_date(951782399, "Mon, 28 Feb 2000 23:59:59 GMT");
    assert_date(951782400, "Tue, 29 Feb 2000 00:00:00 GMT");
    assert_date(4107542400, "Mon, 01 Mar 2100 00:00:00 GMT");
    assert_date(253402300799, "Fri, 31 Dec 9999 23:59:59 GMT");
}

/* Against the C library, in which a locale may rename days and months: ours must not follow. */
Test(date, agrees_with_the_c_library_over_130_years) {
    setlocale(LC_ALL, "");
    setenv("TZ", "Asia/Kolkata", 1);
    tzset();
    locale_t english = newlocale(LC_ALL_MASK, "C", NULL);
    for (int64_t seconds = 0; seconds < INT64_C(130) * 366 * 86400; seconds += 86400 - 1001) {
        char expected[64];
        time_t time = (time_t)seconds;
        struct tm parts;
        cr_assert_not_null(gmtime_r(&time, &parts));
        cr_assert_eq(strftime_l(expected, sizeof expected, "%a, %d %b %Y %H:%M:%S GMT", &parts, english), HTTP_DATE_SIZE);
        assert_date(seconds, expected);
    }
    freelocale(english);
}

Test(date, a_second_is_written_once) {
    struct http_date date = {0};
    struct bytes text = http_date_at(&date, 0);
    cr_assert_eq(text.size, HTTP_DATE_SIZE);
    cr_assert_eq(memcmp(text.data, "Thu, 01 Jan 1970 00:00:00 GMT", HTTP_DATE_SIZE), 0, "the epoch's first second too");
    date.text[0] = 'x';
    cr_assert_eq(http_date_at(&date, 0).data[0], 'x');
    text = http_date_at(&date, 1);
    cr_assert_eq(memcmp(text.data, "Thu, 01 Jan 1970 00:00:01 GMT", HTTP_DATE_SIZE), 0);
    text = http_date_at(&date, 0);
    cr_assert_eq(memcmp(text.data, "Thu, 01 Jan 1970 00:00:00 GMT", HTTP_DATE_SIZE), 0, "clocks are set back");
}
