#include "base/calendar.h"

#include "base/check.h"

#include <stdbool.h>

enum {
    DAYS_TO_EPOCH = 719528, /* from 0000-01-01 */
    DAYS_IN_400_YEARS = 146097,
    WEEKDAY_OF_FIRST = 6, /* 0000-01-01 was a Saturday */
};

/* Days of a year before each month, where February has 28; and of the whole year. */
static const uint16_t before_month[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

static bool is_leap(unsigned year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Returns the days from 0000-01-01 to the first of January of `year`. Year 0 is a leap year. */
static unsigned days_before_year(unsigned year) {
    return 365 * year + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
}

unsigned calendar_month_days(unsigned year, unsigned month) {
    CHECK(month >= 1 && month <= 12);
    return before_month[month] - before_month[month - 1] + (month == 2 && is_leap(year));
}

int64_t calendar_days(unsigned year, unsigned month, unsigned day) {
    CHECK(month >= 1 && month <= 12);
    unsigned days = days_before_year(year) + before_month[month - 1] + (month > 2 && is_leap(year)) + day - 1;
    return (int64_t)days - DAYS_TO_EPOCH;
}

struct calendar calendar_of(int64_t seconds) {
    CHECK(seconds >= CALENDAR_FIRST && seconds <= CALENDAR_LAST);
    uint64_t since_year_0 = (uint64_t)(seconds - CALENDAR_FIRST);
    unsigned second = (unsigned)(since_year_0 % CALENDAR_DAY_S);
    unsigned day = (unsigned)(since_year_0 / CALENDAR_DAY_S);
    unsigned weekday = (day + WEEKDAY_OF_FIRST) % 7;

    unsigned year = (unsigned)((uint64_t)day * 400 / DAYS_IN_400_YEARS); /* by the mean year: at most one off */
    if (days_before_year(year) > day) {
        year--;
    } else if (days_before_year(year + 1) <= day) {
        year++;
    }
    day -= days_before_year(year);
    bool leap = is_leap(year);
    unsigned month = 1;
    while (day >= before_month[month] + (unsigned)(leap && month >= 2)) {
        month++;
    }
    day -= before_month[month - 1] + (unsigned)(leap && month > 2);
    return (struct calendar){year, month, day + 1, second / 3600, second / 60 % 60, second % 60, weekday};
}
