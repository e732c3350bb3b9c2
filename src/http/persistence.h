/* Reads from a message how long its connection will stay open, and to which client the connection belongs from now on. */
#ifndef HTTP_PERSISTENCE_H
#define HTTP_PERSISTENCE_H

#include "http/message.h"

enum { HTTP_KEEP_ALIVE_UNSAID = UINT32_MAX, HTTP_KEEP_ALIVE_MAX_S = 24 * 60 * 60 };

/*
 * For how many seconds without a request the sender will keep its connection, by `Keep-Alive: timeout=N` (RFC 2068 section
 * 19.7.1.1), N cut to HTTP_KEEP_ALIVE_MAX_S; the least where it says several. 0 as well for `max=0`: no further request.
 * HTTP_KEEP_ALIVE_UNSAID when it does not say.
 */
uint32_t http_keep_alive_s(const struct http_message *message, const void *head);

/*
 * Whether a request signs in its connection, or a response asks for that: credentials, or among the challenges one, of the
 * schemes NTLM and Negotiate (RFC 4559), by which all that comes on the connection later is that client's. In doubt true.
 */
bool http_request_signs_in(const struct http_message *request, const void *head);
bool http_response_signs_in(const struct http_message *response, const void *head);

#endif
