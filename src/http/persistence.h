/*
 * Reads from a message how long its connection will stay open, to which client the connection belongs from now on, and
 * whether the message may be silent for long.
 */
#ifndef HTTP_PERSISTENCE_H
#define HTTP_PERSISTENCE_H

#include "http/message.h"

enum { HTTP_KEEP_ALIVE_UNSAID = UINT32_MAX, HTTP_KEEP_ALIVE_MAX_S = 24 * 60 * 60 };

/*
 * Returns for how many seconds without a request the sender will keep its connection, by `Keep-Alive: timeout=N` (RFC 2068
 * section 19.7.1.1), at most HTTP_KEEP_ALIVE_MAX_S; of several numbers the least. 0 also for `max=0`: no further request.
 * HTTP_KEEP_ALIVE_UNSAID when the message has no such number.
 */
uint32_t http_keep_alive_s(const struct http_message *message, const void *head);

/*
 * Return whether a request signs in its whole connection, or a response asks for that: they have credentials, or a
 * challenge, of the schemes NTLM and Negotiate (RFC 4559). Then all later requests on the connection are that client's. True
 * in doubt.
 */
bool http_request_signs_in(const struct http_message *request, const void *head);
bool http_response_signs_in(const struct http_message *response, const void *head);

/* Returns whether a response's content is a stream of server-sent events (HTML Standard, section 9.2: text/event-stream). */
bool http_is_event_stream(const struct http_message *response, const void *head);

#endif
