#include "base/calendar.h"
#include "random.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <time.h>

static void assert_time(int64_t seconds) {
    struct tm parts;
    time_t time = (time_t)seconds;
    struct calendar found = calendar_of(seconds);
    cr_assert_not_null(gmtime_r(&time, &parts));
    cr_assert_eq(found.year, (unsigned)(parts.tm_year + 1900));
    cr_assert_eq(found.month, (unsigned)parts.tm_mon + 1);
    cr_assert_eq(found.day, (unsigned)parts.tm_mday);
    cr_assert_eq(found.hour, (unsigned)parts.tm_hour);
    cr_assert_eq(found.minute, (unsigned)parts.tm_min);
    cr_assert_eq(found.second, (unsigned)parts.tm_sec);
    cr_assert_eq(found.weekday, (unsigned)parts.tm_wday);
    int64_t days = calendar_days(found.year, found.month, found.day);
    cr_assert_eq(days * CALENDAR_DAY_S + found.hour * 3600 + found.minute * 60 + found.second, seconds);
    cr_assert_leq(found.day, calendar_month_days(found.year, found.month));
}

Test(calendar, is_gmtimes_on_every_day_of_ten_thousand_years, .timeout = 100) {
    uint64_t seed = 3;
    for (int64_t day = CALENDAR_FIRST; day <= CALENDAR_LAST; day += CALENDAR_DAY_S) {
        assert_time(day + (int64_t)random_below(&seed, CALENDAR_DAY_S));
    }
}

Test(calendar, is_gmtimes_at_its_ends_and_at_ends_of_days) {
    assert_time(CALENDAR_FIRST);
    assert_time(CALENDAR_LAST);
    for (int64_t day = -1000; day < 1000; day++) {
        assert_time(day * CALENDAR_DAY_S);
        assert_time(day * CALENDAR_DAY_S - 1);
    }
}

Test(calendar, months_have_the_days_that_they_have) {
    static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (unsigned month = 1; month <= 12; month++) {
        cr_expect_eq(calendar_month_days(2025, month), days[month - 1]);
    }
    cr_expect_eq(calendar_month_days(0, 2), 29);
    cr_expect_eq(calendar_month_days(1900, 2), 28);
    cr_expect_eq(calendar_month_days(2000, 2), 29);
    cr_expect_eq(calendar_month_days(2024, 2), 29);
}

Test(calendar, ends_before_year_0, .signal = SIGABRT) {
    calendar_of(CALENDAR_FIRST - 1);
}

Test(calendar, ends_after_year_9999, .signal = SIGABRT) {
    calendar_of(CALENDAR_LAST + 1);
}

Test(calendar, has_twelve_months, .signal = SIGABRT) {
    calendar_month_days(2025, 13);
}
