/* Heads as they leave here: the request for the origin, the response for the client, with hop-by-hop headers gone. */
#ifndef HTTP_FORWARD_H
#define HTTP_FORWARD_H

#include "base/text.h"
#include "http/message.h"
#include "http/removals.h"

struct http_forwarding {
    const struct http_removals *removals; /* names that no client may set: our own, and each that any host can set */
    const struct http_removals *strip;    /* names that the host's origins are to get from no client; may be NULL */
    struct bytes client_address;          /* for X-Forwarded-For, without port or brackets */
    uint64_t request_id[2];               /* for X-Request-Id, when the client sent none that is usable */
    struct bytes identity;                /* header lines of the identity, each ending in CRLF */
    struct bytes connection;              /* header lines of the connection, likewise */
};

/* Whether a field of that name ends here, be it in a client's head or in its trailers. */
bool http_forwarding_removes(const struct http_forwarding *forwarding, struct bytes name);

/*
 * The request's X-Request-Id when it is one that is usable, 1 to 128 visible characters, else one that is made: `made` in
 * hex, in `digits`.
 */
enum { HTTP_REQUEST_ID_DIGITS = 32 };
struct bytes http_request_id(const struct http_message *request, const void *head, const uint64_t made[static 2],
                             char digits[static HTTP_REQUEST_ID_DIGITS]);

/*
 * Appends the request head for the origin: origin-form target, HTTP/1.1, Host as the client sent it, end-to-end headers
 * less the removals and less what Connection names, Content-Length or Transfer-Encoding as `framing` says, Via left out,
 * X-Forwarded-For, -Proto and -Host replaced, X-Request-Id as http_request_id says.
 * Expect is not passed on: 100-continue is answered here. `out->overflow` when it did not fit.
 */
void http_write_request(struct text *out, const struct http_message *request, const void *head,
                        const struct http_forwarding *forwarding);

/* How a response's body is framed for this client, given what the origin sent and what the client speaks. */
enum http_framing http_response_framing(const struct http_message *response, uint8_t client_minor, bool to_head);

/*
 * Appends the response head for the client: the origin's status and end-to-end headers, framing as given (a HEAD answer
 * keeps the origin's Content-Length), and `Connection: close` or keep-alive for HTTP/1.0 as `keep_alive` says.
 */
void http_write_response(struct text *out, const struct http_message *response, const void *head, enum http_framing framing,
                         uint8_t client_minor, bool keep_alive, bool to_head);

/* Framing of a chunk (RFC 9112 section 7.1): size line before it, CRLF after it; the last chunk. */
enum { HTTP_CHUNK_LINE_MAX = 18 };
size_t http_chunk_line(char line[static HTTP_CHUNK_LINE_MAX], size_t chunk_size);
#define HTTP_CHUNK_END  "\r\n"
#define HTTP_LAST_CHUNK "0\r\n\r\n"

/*
 * Appends a whole answer of our own: status line, Date left out, Content-Type, Content-Length, Cache-Control: no-store,
 * Connection, `fields` (header lines, each ending in CRLF, or ""), body (left out when `to_head`).
 */
void http_write_reply(struct text *out, unsigned status, const char *content_type, const char *fields, struct bytes body,
                      bool keep_alive, bool to_head);
/* The plain-text body that goes with a status of ours ("421 Misdirected Request ..."). A static text. */
const char *http_status_text(unsigned status);

#endif
