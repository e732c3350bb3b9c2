/*
 * The head of an HTTP message, request or response, taken apart (RFC 9110). http/parser makes it from the text of HTTP/1.x,
 * http2/session from the fields of HTTP/2.
 * The owner of a message keeps the bytes of its head contiguous for as long as the message is used, and may move them, since
 * every view is an offset.
 */
#ifndef HTTP_MESSAGE_H
#define HTTP_MESSAGE_H

#include "base/bytes.h"
#include "http/names.h"

enum {
    HTTP_HEADERS_MAX = 100,         /* of a request */
    HTTP_CONNECTION_NAMES_MAX = 32, /* headers that Connection may name in one message */
};

/* A place in the head, relative to its first byte. */
struct http_span {
    uint32_t offset;
    uint32_t size;
};

struct http_header {
    struct http_span name;
    struct http_span value; /* without surrounding white space */
    enum http_header_kind kind;
};

enum http_framing {
    HTTP_NO_BODY,
    HTTP_LENGTH, /* content_length bytes */
    HTTP_CHUNKED,
    HTTP_UNTIL_CLOSE, /* responses only */
};

/* The methods that mean something here; letter case counts. All others are relayed alike. */
enum http_method {
    HTTP_METHOD_OTHER,
    HTTP_METHOD_CONNECT,
    HTTP_METHOD_HEAD,
    HTTP_METHOD_OPTIONS,
    HTTP_METHOD_TRACE,
};

struct http_message {
    struct http_span method; /* requests */
    struct http_span target;
    struct http_span authority; /* requests: of an absolute-form target, else the value of Host; size 0 when an HTTP/1.0
                                   request names none */
    unsigned status;            /* responses */
    struct http_span reason_phrase;
    struct http_span protocol; /* requests of HTTP/2: :protocol of an extended CONNECT (RFC 8441 section 4), else empty */
    bool http2;                /* it came by HTTP/2: then minor is 1 */
    uint8_t minor;             /* HTTP/1.minor: 0 or 1, which stands for all above it in requests */
    uint8_t method_kind;       /* requests: enum http_method */
    bool head_request; /* requests: the method is HEAD; known once the method has come, also when what follows is bad */
    bool idempotent;   /* requests: the method is idempotent (RFC 9110 section 9.2.2) */
    bool content_unexpected; /* requests: content means nothing to the method (RFC 9110 section 9.3) */
    bool keep_alive;         /* the sender will keep its connection open, as far as it has said */
    bool end_in_doubt;       /* responses: it has no body, but its sender may send one all the same */
    bool expect_continue;    /* requests: Expect: 100-continue, and a body is to come */
    bool upgrades;           /* Connection has the option `upgrade` */
    bool absolute_form;      /* requests: target is absolute-form; `path` is what an origin gets */
    struct http_span path;   /* requests: origin-form or asterisk-form of the target; of absolute-form what follows the
                                authority, so it may be empty or begin with '?'; empty for CONNECT */
    enum http_framing framing;
    uint64_t content_length;   /* for HTTP_LENGTH */
    uint32_t head_size;        /* bytes of the head, final CRLF included */
    uint32_t connection_names; /* headers that Connection names, beyond the hop-by-hop ones that go anyway */
    bool trailers_wanted;      /* requests, set by the relay: the origin is told that its trailers are welcome */
    bool trailers_pass;        /* set by the relay: its trailers are passed on, and so is their announcement */
    uint32_t header_count;     /* up to headers_max; more are refused */
    uint32_t headers_max;      /* this and the next are the owner's, set before the parser is and never changed by it */
    struct http_header *headers;
};

static inline struct bytes http_view(const void *head, struct http_span span) {
    return bytes_of((const char *)head + span.offset, span.size);
}

/*
 * Returns whether a request has content although its method gives content no meaning. An origin may leave the content
 * unread, and take it for the next request on the same connection.
 */
bool http_content_may_be_left(const struct http_message *request);

/*
 * Returns what the target that an origin gets has in front of a request's `path`: "/", or "*" for OPTIONS, where an
 * absolute-form target has no path of its own (RFC 9112 sections 3.2.1 and 3.2.4), else "".
 */
const char *http_path_front(const struct http_message *request, const void *head);

/* Returns the first header of that name (letter case ignored), or NULL. */
const struct http_header *http_find_header(const struct http_message *message, const void *head, const char *name);

#endif
