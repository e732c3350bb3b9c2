#include "http/date.h"

#include "base/calendar.h"
#include "base/check.h"

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

    CHECK(seconds >= 0);
    struct calendar time = calendar_of(seconds);
    memcpy(text, "Sun, 06 Nov 1994 08:49:37 GMT", HTTP_DATE_SIZE);
    memcpy(text, weekdays + (size_t)time.weekday * 3, 3);
    put_number(text + 5, 2, time.day);
    memcpy(text + 8, months + (size_t)(time.month - 1) * 3, 3);
    put_number(text + 12, 4, time.year);
    put_number(text + 17, 2, time.hour);
    put_number(text + 20, 2, time.minute);
    put_number(text + 23, 2, time.second);
}

struct bytes http_date_at(struct http_date *date, int64_t seconds) {
    if (!date->written || date->second != seconds) {
        http_date_write(seconds, date->text);
        date->second = seconds;
        date->written = true;
    }
    return bytes_of(date->text, sizeof date->text);
}
