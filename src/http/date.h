/* The time as HTTP writes it: IMF-fixdate (RFC 9110 section 5.6.7), in English and in GMT whatever the process's locale is.
 */
#ifndef HTTP_DATE_H
#define HTTP_DATE_H

#include "base/bytes.h"

enum { HTTP_DATE_SIZE = 29 }; /* "Sun, 06 Nov 1994 08:49:37 GMT" */

/* `seconds` since the epoch, 1970 to 9999; without a NUL. */
void http_date_write(int64_t seconds, char text[static HTTP_DATE_SIZE]);

/* The text of one second, kept until it is over. One thread's; zeros at first. */
struct http_date {
    int64_t second;
    bool written;
    char text[HTTP_DATE_SIZE];
};

/* The text for `seconds`; valid until the next call. */
struct bytes http_date_at(struct http_date *date, int64_t seconds);

#endif
