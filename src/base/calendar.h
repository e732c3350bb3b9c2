/* The Gregorian calendar in UTC, also before it came into use: years 0 to 9999, months and days from 1, no leap seconds. */
#ifndef BASE_CALENDAR_H
#define BASE_CALENDAR_H

#include <stdint.h>

enum { CALENDAR_DAY_S = 86400 };

/* Seconds since the epoch of 0000-01-01T00:00:00Z and of 9999-12-31T23:59:59Z. */
#define CALENDAR_FIRST INT64_C(-62167219200)
#define CALENDAR_LAST  INT64_C(253402300799)

struct calendar {
    unsigned year;
    unsigned month;
    unsigned day;
    unsigned hour;
    unsigned minute;
    unsigned second;
    unsigned weekday; /* 0: Sunday */
};

/* Takes seconds since the epoch apart, CALENDAR_FIRST to CALENDAR_LAST. */
struct calendar calendar_of(int64_t seconds);
/* Returns the days from the epoch to a date; negative before it. */
int64_t calendar_days(unsigned year, unsigned month, unsigned day);
/* Returns the days of that month, 28 to 31. */
unsigned calendar_month_days(unsigned year, unsigned month);

#endif
