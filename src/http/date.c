#include "http/date.h"

#include "base/check.h"

enum {
    DAY = 86400,       /* seconds */
    EPOCH_WEEKDAY = 4, /* 1970-01-01 was the fifth day of a week that begins with Sunday */
    EPOCH_YEAR = 1970,
    MONTHS = 12,
};

static bool is_leap(unsigned year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned days_of_year(unsigned year) {
    return is_leap(year) ? 366 : 365;
}

static unsigned days_of_month(unsigned year, unsigned month) {
    static const uint8_t days[MONTHS] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month] + (month == 1 && is_leap(year) ? 1 : 0);
}

/* In decimal, with zeros in front. */
static void put_number(char *to, unsigned width, unsigned number) {
    while (width-- > 0) {
        to[width] = (char)('0' + number % 10);
        number /= 10;
    }
}

void http_date_write(int64_t seconds, char text[static HTTP_DATE_SIZE]) {
    static const char weekdays[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    CHECK(seconds >= 0 && seconds <= INT64_C(253402300799));
    unsigned time = (unsigned)(seconds % DAY);
    unsigned day = (unsigned)(seconds / DAY);
    unsigned weekday = (day + EPOCH_WEEKDAY) % 7;
    unsigned year = EPOCH_YEAR;
    unsigned month = 0;

    /* Once a second at most: to count years is fast enough. */
    while (day >= days_of_year(year)) {
        day -= days_of_year(year++);
    }
    while (day >= days_of_month(year, month)) {
        day -= days_of_month(year, month++);
    }
    memcpy(text, "Sun, 06 Nov 1994 08:49:37 GMT", HTTP_DATE_SIZE);
    memcpy(text, weekdays + (size_t)weekday * 3, 3);
    put_number(text + 5, 2, day + 1);
    memcpy(text + 8, months + (size_t)month * 3, 3);
    put_number(text + 12, 4, year);
    put_number(text + 17, 2, time / 3600);
    put_number(text + 20, 2, time / 60 % 60);
    put_number(text + 23, 2, time % 60);
}

struct bytes http_date_at(struct http_date *date, int64_t seconds) {
    if (!date->written || date->second != seconds) {
        http_date_write(seconds, date->text);
        date->second = seconds;
        date->written = true;
    }
    return bytes_of(date->text, sizeof date->text);
}
