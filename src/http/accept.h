/* The header Accept (RFC 9110 section 12.5.1). */
#ifndef HTTP_ACCEPT_H
#define HTTP_ACCEPT_H

#include "http/message.h"

/* Returns whether the Accept headers prefer text/html to application/json. False for a tie, or without such a header. */
bool http_prefers_html(const struct http_message *message, const void *head);

#endif
