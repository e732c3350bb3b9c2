/*
 * HTTP/1.x messages as bytes (RFC 9110, RFC 9112), parsed by llhttp in its strict mode, with what llhttp leaves open
 * decided here: how a body is framed, what is refused and with which status.
 *
 * A head is parsed where it lies: the caller keeps all its bytes contiguous until it is done with the message, and may
 * move them, since every view is an offset. A body is handed through piece by piece and never kept.
 */
#ifndef HTTP_MESSAGE_H
#define HTTP_MESSAGE_H

#include "base/bytes.h"

#include <llhttp.h>

enum {
    HTTP_HEADERS_MAX = 100, /* of a request */
    HTTP_METHOD_MAX = 128,
    HTTP_TARGET_MAX = 16 * 1024,
    HTTP_HEAD_SIZE_MIN = 64,        /* of what http_parser_init_* take as head_size_max */
    HTTP_CONNECTION_NAMES_MAX = 32, /* headers that Connection may name in one message */
    HTTP_CHUNK_HEAD_MAX = 1024,     /* bytes between two pieces of a chunked body: a size line with its extensions */
    HTTP_TRAILERS_MAX = 8 * 1024,   /* bytes of the trailer section */
};

/* A place in the head, relative to its first byte. */
struct http_span {
    uint32_t offset;
    uint32_t size;
};

/* What a header means to whoever relays the message. Set by the parser from the name, letter case ignored. */
enum http_header_kind {
    HTTP_HEADER_END_TO_END,
    HTTP_HEADER_HOST,
    HTTP_HEADER_CONNECTION,
    HTTP_HEADER_CONTENT_LENGTH,
    HTTP_HEADER_TRANSFER_ENCODING,
    HTTP_HEADER_EXPECT,
    HTTP_HEADER_UPGRADE,
    HTTP_HEADER_REQUEST_ID,
    HTTP_HEADER_HOP_BY_HOP, /* Keep-Alive, Proxy-Connection, TE, Trailer, HTTP2-Settings */
    HTTP_HEADER_LOOKALIKE,  /* has no meaning here, but an origin may read it as one of the above (http/names) */
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

/* Methods that mean something here; letter case counts. All others are relayed without a look. */
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
    uint8_t minor;       /* HTTP/1.minor: 0 or 1, which stands for all above it in requests */
    uint8_t method_kind; /* requests: enum http_method */
    bool head_request;   /* requests: the method is HEAD; known once the method has come, also when what follows is bad */
    bool idempotent;     /* requests: the method is idempotent (RFC 9110 section 9.2.2) */
    bool content_unexpected; /* requests: content means nothing to the method (RFC 9110 section 9.3) */
    bool keep_alive;         /* the sender will keep its connection open, as far as it has said */
    bool end_in_doubt;       /* responses: it has no body, but its sender may send one all the same */
    bool expect_continue;    /* requests: Expect: 100-continue, and a body is to come */
    bool absolute_form;      /* requests: target is absolute-form; `path` is what an origin gets */
    struct http_span path;   /* requests: origin-form or asterisk-form of the target; of absolute-form what follows the
                                authority, so it may be empty or begin with '?'; empty for CONNECT */
    enum http_framing framing;
    uint64_t content_length;   /* for HTTP_LENGTH */
    uint32_t head_size;        /* bytes of the head, final CRLF included */
    uint32_t connection_names; /* headers that Connection names, beyond the hop-by-hop ones that go anyway */
    bool trailers_wanted;      /* requests, set by whoever relays it: the origin is told that its trailers are welcome */
    bool trailers_pass;        /* set by whoever relays it: its trailers go on, and so does what announces them */
    uint32_t header_count;     /* up to headers_max; more are refused */
    uint32_t headers_max;      /* this and the next are the owner's, set before the parser is and never changed by it */
    struct http_header *headers;
};

enum http_result {
    HTTP_PARSE_MORE,  /* all was consumed; give more */
    HTTP_PARSE_HEAD,  /* the head is complete: `message` is filled */
    HTTP_PARSE_BODY,  /* a piece of the body */
    HTTP_PARSE_END,   /* the message is complete; what follows belongs to the next one */
    HTTP_PARSE_ERROR, /* refused: `error_status` (requests: 400, 413, 414, 417, 431, 501, 505; responses: 502), `error` */
};

/* The fault of a response that is refused. */
enum http_fault {
    HTTP_FAULT_STATUS_LINE,
    HTTP_FAULT_HEADER,
    HTTP_FAULT_LENGTH, /* Content-Length, or both it and Transfer-Encoding */
    HTTP_FAULT_TRANSFER_ENCODING,
    HTTP_FAULT_CHUNK,
    HTTP_FAULT_TRAILERS,
    HTTP_FAULT_UPGRADE, /* 101, which nobody asked for */
    HTTP_FAULT_TOO_LARGE,
    HTTP_FAULT_TOO_MANY, /* headers */
};

/* A chunked body of a response, as far as it has been read: see chunks.h. */
struct http_chunks {
    uint64_t left;  /* of the chunk's size, or of its data */
    uint8_t state;  /* enum chunk_state in chunks.c */
    bool has_digit; /* the size has begun */
};

enum http_phase {
    HTTP_PHASE_START, /* before the first byte of the start line */
    HTTP_PHASE_LINE,  /* in a request's start line */
    HTTP_PHASE_HEAD,
    HTTP_PHASE_BODY,
    HTTP_PHASE_TRAILERS,
    HTTP_PHASE_END,
    HTTP_PHASE_FAILED,
};

struct http_parser {
    llhttp_t llhttp;
    struct http_message *message; /* where the head goes; may be NULL once the body has begun */
    const char *head;             /* during a call */
    uint32_t parsed;              /* bytes of the head that are done with */
    uint32_t start;               /* where the start line begins: behind a CRLF that was skipped */
    uint32_t part_start;          /* of a request line: where the part that is being read begins */
    uint32_t head_size_max;
    uint8_t pending; /* what the last callback announced */
    uint8_t phase;   /* enum http_phase */
    uint8_t part;    /* of a request line: see start_line.c */
    uint8_t framing; /* enum http_framing of the body */
    bool to_head;
    uint64_t body_left;    /* for HTTP_LENGTH: bytes of the body still to come */
    uint32_t framing_size; /* for HTTP_CHUNKED: bytes since the last piece of the body, or of the trailers */
    struct http_chunks chunks;
    uint8_t *trailers; /* where the trailer section goes, HTTP_TRAILERS_MAX bytes; NULL: it is checked and dropped */
    uint32_t trailers_size;
    struct bytes piece;
    unsigned error_status;
    enum http_fault fault; /* of a response */
    const char *error;     /* a static text */
};

/* `message` has its headers and headers_max set. `head_size_max`: 431 (414 for the target) beyond it. */
void http_parser_init_request(struct http_parser *parser, struct http_message *message, uint32_t head_size_max);
/* `to_head`: the response answers a HEAD request, so it has no body whatever it says. */
void http_parser_init_response(struct http_parser *parser, struct http_message *message, uint32_t head_size_max,
                               bool to_head);

/*
 * `head` is all of the head that has come so far, from its first byte (and maybe more behind it). HTTP_PARSE_MORE,
 * HTTP_PARSE_HEAD (then message->head_size bytes of it are used up) or HTTP_PARSE_ERROR. One CRLF before a request is
 * skipped. An informational response (1xx) is a message of its own: HTTP_PARSE_HEAD, and the next http_parser_body call
 * yields HTTP_PARSE_END.
 */
enum http_result http_parser_head(struct http_parser *parser, struct bytes head);

/*
 * Goes on behind the head. Consumes from the front of `*input` (advancing it): HTTP_PARSE_BODY with a view of decoded bytes
 * in `*piece`, HTTP_PARSE_END, HTTP_PARSE_MORE or HTTP_PARSE_ERROR. Call until HTTP_PARSE_MORE or HTTP_PARSE_END. Trailers
 * are checked, and kept where parser->trailers says. HTTP_PARSE_END waits for no byte beyond the message's own.
 *
 * A request must keep to the letter of RFC 9112 section 7.1. A response may have white space around its chunks' sizes and
 * within their extensions: nothing that is read here goes on as it came.
 */
enum http_result http_parser_body(struct http_parser *parser, struct bytes *input, struct bytes *piece);

/* Returns the trailer section once HTTP_PARSE_END has come: lines that end in CRLF, or empty bytes when none was kept. */
static inline struct bytes http_parser_trailers(const struct http_parser *parser) {
    return bytes_of(parser->trailers, parser->trailers_size);
}

/* The sender has closed: true when the message is complete by that (HTTP_UNTIL_CLOSE), false when it was cut short. */
bool http_parser_finish(struct http_parser *parser);

static inline struct bytes http_view(const void *head, struct http_span span) {
    return bytes_of((const char *)head + span.offset, span.size);
}

/*
 * Whether a request has content although its method gives it no meaning. An origin may leave it unread, and take it for the
 * next request on the same connection.
 */
bool http_content_may_be_left(const struct http_message *request);

/* The first header of that name (letter case ignored), or NULL. */
const struct http_header *http_find_header(const struct http_message *message, const void *head, const char *name);

/* True for an RFC 9110 token of at most HTTP_METHOD_MAX characters. */
bool http_is_method(const char *name);

enum { HTTP_NAME_SIZE = 256 };

/*
 * The host name in an authority, as names are compared: lower case, without port and one trailing dot, NUL-terminated, never
 * empty. False when there is none: an IP literal in brackets, user information, percent-encoding, a bad port.
 */
bool http_authority_name(struct bytes authority, char name[static HTTP_NAME_SIZE]);

/* Whether the host in an authority is an IP address: IPv4 with four decimal numbers, or IPv6 in brackets. */
bool http_authority_is_address(struct bytes authority);

/* Whether an Accept header prefers text/html to application/json (RFC 9110 section 12.5.1). Absent or a tie: false. */
bool http_prefers_html(const struct http_message *message, const void *head);

#endif
