/* Dates of HTTP: IMF-fixdate (RFC 9110 section 5.6.7), in English and in GMT whatever the process's locale is. */
#ifndef HTTP_DATE_H
#define HTTP_DATE_H

#include "base/bytes.h"

enum { HTTP_DATE_SIZE = 29 }; /* "Sun, 06 Nov 1994 08:49:37 GMT" */

/* Writes the date of `seconds` since the epoch, 1970 to 9999; without a NUL. */
void http_date_write(int64_t seconds, char text[static HTTP_DATE_SIZE]);

/* The date of the current second, kept until the second is over. Of one thread; zeros at first. */
struct http_date {
    int64_t second;
    bool written;
    char text[HTTP_DATE_SIZE];
};

/* Returns the date of `seconds`; valid until the next call. */
struct bytes http_date_at(struct http_date *date, int64_t seconds);

#endif
