/* Writes heads: the request for the origin, the response for the client, without hop-by-hop headers. */
#ifndef HTTP_FORWARD_H
#define HTTP_FORWARD_H

#include "base/text.h"
#include "http/message.h"
#include "http/removals.h"

struct http_forwarding {
    const struct http_removals *removals; /* names that no client may set: those of http_own_name, and of all hosts */
    const struct http_removals *strip;    /* names that the host's origins get from no client; may be NULL */
    struct bytes constant;                /* header lines that are the same for all clients, each ending in CRLF */
    struct bytes client_address;          /* for X-Forwarded-For, without port or brackets */
    struct bytes host_name;               /* for Host, when an HTTP/1.0 client has named none; may be empty */
    struct bytes request_id;              /* for X-Request-Id */
    struct bytes identity;                /* header lines of the identity, likewise */
    struct bytes connection;              /* header lines of the connection, likewise */
    struct bytes upgrade;                 /* for Upgrade, as http_upgrade_offer gives it; empty: nothing is offered */
    struct bytes websocket_key;           /* for Sec-WebSocket-Key, instead of any that came; empty: as it came */
};

/* Returns whether a field of that name is removed, from a client's head and from its trailers. */
bool http_forwarding_removes(const struct http_forwarding *forwarding, struct bytes name);

enum { HTTP_REQUEST_ID_MAX = 128, HTTP_REQUEST_ID_DIGITS = 32 };
/* Returns the request's own X-Request-Id if it is usable: 1 to HTTP_REQUEST_ID_MAX visible characters. Else empty. */
struct bytes http_request_id_sent(const struct http_message *request, const void *head);
/* Writes a request ID of this server, in hex; nobody must be able to guess `random`. */
void http_request_id_write(const uint64_t random[static 2], char digits[static HTTP_REQUEST_ID_DIGITS]);

/*
 * Reads Max-Forwards (RFC 9110 section 7.6.2). HTTP_HOPS_LEFT: *left is the value, at most INT32_MAX. HTTP_HOPS_UNREADABLE:
 * the header is there more than once, or is no number.
 */
enum http_hops { HTTP_HOPS_ABSENT, HTTP_HOPS_LEFT, HTTP_HOPS_UNREADABLE };
enum http_hops http_max_forwards(const struct http_message *request, const void *head, uint32_t *left);

/*
 * Appends the request head for the origin: origin-form target, HTTP/1.1, Host as the client sent it, end-to-end headers
 * without the removals and without those that Connection names, Content-Length or Transfer-Encoding as `framing` says,
 * Max-Forwards of OPTIONS lowered by one, X-Forwarded-For, -Proto and -Host replaced, X-Request-Id, and a line of Via behind
 * those that came (RFC 9110 section 7.6.3).
 * Expect is not passed on: this server answers 100-continue. Upgrade is as forwarding->upgrade says, with its option of
 * Connection, and then without TE. An extended CONNECT (RFC 8441 section 4) becomes a GET. TE and Trailer are as
 * request->trailers_wanted and trailers_pass say. If http_content_may_be_left, `Connection: close` comes instead of TE, so
 * that the origin ends the connection behind its answer. `out->overflow` when the head did not fit.
 */
void http_write_request(struct text *out, const struct http_message *request, const void *head,
                        const struct http_forwarding *forwarding);

/* Returns how a response's body is framed for a client of this version, given the framing that the origin chose. */
enum http_framing http_response_framing(const struct http_message *response, uint8_t client_minor, bool to_head);

/* The headers that this server adds to each answer, and takes from it; an empty value is left out. */
struct http_stamp {
    struct bytes date;       /* as http_date_at writes it: for answers that have no Date (RFC 9110 section 6.6.1) */
    struct bytes request_id; /* for X-Request-Id, if the origin has set none */
    const struct http_removals *removals; /* names of end-to-end headers that no origin's answer keeps; NULL: none */
    struct bytes constant;                /* this and the next two: header lines, each ending in CRLF */
    struct bytes identity;
    struct bytes connection;
};

/*
 * Appends the response head for the client: the origin's status and end-to-end headers without the stamp's removals, framing
 * as given (a HEAD answer keeps the origin's Content-Length), the stamp (on no 1xx answer), `Connection: close` or
 * keep-alive for HTTP/1.0 as `keep_alive` says, Trailer as response->trailers_pass says. Via is left out: a gateway need not
 * send one (RFC 9110 section 7.6.3). An informational response (1xx) is written as one whose connection is kept. A 101 has
 * its Upgrade, with the option of Connection, and the stamp.
 */
void http_write_response(struct text *out, const struct http_message *response, const void *head, enum http_framing framing,
                         uint8_t client_minor, bool keep_alive, bool to_head, const struct http_stamp *stamp);

/* Framing of a chunk (RFC 9112 section 7.1): size line before it, CRLF after it; the last chunk. */
enum { HTTP_CHUNK_LINE_MAX = 18 };
size_t http_chunk_line(char line[static HTTP_CHUNK_LINE_MAX], size_t chunk_size);
#define HTTP_CHUNK_END      "\r\n"
#define HTTP_LAST_CHUNK     "0\r\n\r\n"
#define HTTP_TRAILERS_BEGIN "0\r\n" /* the line of the last chunk, before trailers, which an empty line ends */

/* An answer of this server itself. */
struct http_reply {
    unsigned status;
    const char *content_type;
    struct http_stamp stamp; /* with a date: RFC 9110 section 6.6.1 */
    const char *fields;      /* header lines, each ending in CRLF; NULL: none */
    struct bytes body;       /* left out when `to_head`, but for its size */
    bool keep_alive;
    bool to_head;
};

/*
 * Appends the whole answer: status line, Date, Content-Type, Content-Length, Cache-Control: no-store, Connection, fields,
 * the stamp's lines but for names of headers by which such answers say what they are (Cache-Control, Location, ...), body.
 */
void http_write_reply(struct text *out, const struct http_reply *reply);
/* Returns the plain-text body for a status of this server ("421 Misdirected Request ..."). A static text. */
const char *http_status_text(unsigned status);

#endif
