/* Heads as they leave here: the request for the origin, the response for the client, with hop-by-hop headers gone. */
#ifndef HTTP_FORWARD_H
#define HTTP_FORWARD_H

#include "base/text.h"
#include "http/message.h"

/*
 * The names that no client may set: every header that any host's configuration can set, and our forwarding headers.
 * Matching ignores letter case and takes '-' and '_' for the same. Immutable once built.
 */
struct http_removals;
struct http_removals *http_removals_create(void);
/* 0 or -ENOMEM. `<name>-Too-Large` is added with it. */
int http_removals_add(struct http_removals *removals, const char *name);
bool http_removals_has(const struct http_removals *removals, struct bytes name);
void http_removals_free(struct http_removals *removals);

/* True when `name` is an RFC 9110 token and none of the names that frame or route a message (Host, Connection, ...). */
bool http_name_may_be_set(const char *name);

struct http_forwarding {
    const struct http_removals *removals;
    struct bytes client_address; /* for X-Forwarded-For, without port or brackets */
    uint64_t request_id[2];      /* for X-Request-Id, when the client sent none that is usable */
    struct bytes identity;       /* header lines of the identity, each ending in CRLF */
    struct bytes connection;     /* header lines of the connection, likewise */
};

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
 * Expect is not passed on: 100-continue is answered here. TE and Trailer as request->trailers_wanted and trailers_pass say.
 * `out->overflow` when it did not fit.
 */
void http_write_request(struct text *out, const struct http_message *request, const void *head,
                        const struct http_forwarding *forwarding);

/* How a response's body is framed for this client, given what the origin sent and what the client speaks. */
enum http_framing http_response_framing(const struct http_message *response, uint8_t client_minor, bool to_head);

/*
 * Appends the response head for the client: the origin's status and end-to-end headers, framing as given (a HEAD answer
 * keeps the origin's Content-Length), `Connection: close` or keep-alive for HTTP/1.0 as `keep_alive` says, Trailer as
 * response->trailers_pass does. An informational response (1xx) is written as one whose connection is kept.
 */
void http_write_response(struct text *out, const struct http_message *response, const void *head, enum http_framing framing,
                         uint8_t client_minor, bool keep_alive, bool to_head);

/* Framing of a chunk (RFC 9112 section 7.1): size line before it, CRLF after it; the last chunk. */
enum { HTTP_CHUNK_LINE_MAX = 18 };
size_t http_chunk_line(char line[static HTTP_CHUNK_LINE_MAX], size_t chunk_size);
#define HTTP_CHUNK_END      "\r\n"
#define HTTP_LAST_CHUNK     "0\r\n\r\n"
#define HTTP_TRAILERS_BEGIN "0\r\n" /* the last chunk's line, before trailers, which an empty line ends */

/*
 * Appends a whole answer of our own: status line, Date left out, Content-Type, Content-Length, Cache-Control: no-store,
 * Connection, `fields` (header lines, each ending in CRLF, or ""), body (left out when `to_head`).
 */
void http_write_reply(struct text *out, unsigned status, const char *content_type, const char *fields, struct bytes body,
                      bool keep_alive, bool to_head);
/* The plain-text body that goes with a status of ours ("421 Misdirected Request ..."). A static text. */
const char *http_status_text(unsigned status);

#endif
