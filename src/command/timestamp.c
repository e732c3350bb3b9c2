#include "command/timestamp.h"

#include "base/calendar.h"

/* Reads exactly `count` digits, a number up to `limit`, and moves *at behind them. */
static bool parse_number(const char **at, unsigned count, unsigned limit, unsigned *value) {
    *value = 0;
    for (; count > 0; count--, (*at)++) {
        if (**at < '0' || **at > '9') {
            return false;
        }
        *value = *value * 10 + (unsigned)(**at - '0');
    }
    return *value <= limit;
}

static bool parse_character(const char **at, char wanted) {
    char found = **at >= 'a' && **at <= 'z' ? (char)(**at - 'a' + 'A') : **at;
    if (found != wanted) {
        return false;
    }
    (*at)++;
    return true;
}

static bool parse_date(const char **at, int64_t *days) {
    unsigned year;
    unsigned month;
    unsigned day;
    if (!parse_number(at, 4, 9999, &year) || !parse_character(at, '-') || !parse_number(at, 2, 12, &month) ||
        !parse_character(at, '-') || !parse_number(at, 2, 31, &day) || month < 1 || day < 1 ||
        day > calendar_month_days(year, month)) {
        return false;
    }
    *days = calendar_days(year, month, day);
    return true;
}

static bool parse_clock(const char **at, int64_t *seconds) {
    unsigned hour;
    unsigned minute;
    unsigned second;
    if (!parse_number(at, 2, 23, &hour) || !parse_character(at, ':') || !parse_number(at, 2, 59, &minute) ||
        !parse_character(at, ':') || !parse_number(at, 2, 59, &second)) {
        return false;
    }
    *seconds = hour * 3600 + minute * 60 + second;
    if (**at != '.') {
        return true;
    }
    (*at)++;
    unsigned digit;
    if (!parse_number(at, 1, 9, &digit)) {
        return false;
    }
    while (**at >= '0' && **at <= '9') {
        (*at)++;
    }
    return true;
}

static bool parse_offset(const char **at, int64_t *seconds) {
    *seconds = 0;
    if (parse_character(at, 'Z')) {
        return true;
    }
    bool west = **at == '-';
    if (!west && **at != '+') {
        return false;
    }
    (*at)++;
    unsigned hour;
    unsigned minute;
    if (!parse_number(at, 2, 23, &hour) || !parse_character(at, ':') || !parse_number(at, 2, 59, &minute)) {
        return false;
    }
    *seconds = (west ? -1 : 1) * (int64_t)(hour * 3600 + minute * 60);
    return true;
}

bool timestamp_parse(const char *text, int64_t *seconds) {
    int64_t days;
    int64_t of_day;
    int64_t offset;
    if (!parse_date(&text, &days) || !parse_character(&text, 'T') || !parse_clock(&text, &of_day) ||
        !parse_offset(&text, &offset) || *text != '\0') {
        return false;
    }
    *seconds = days * 86400 + of_day - offset;
    return true;
}
