/* Sessions whose owners keep all that happens, for the tests of this folder: one alone, or a client's and a server's joined.
 */
#ifndef TESTS_HTTP2_PAIR_H
#define TESTS_HTTP2_PAIR_H

#include "base/buffer.h"
#include "http/message.h"
#include "http2/session.h"

enum { TALKS_MAX = 256, ALL = 1 << 30 };

struct side;

/* One stream, with what has come of it. */
struct talk {
    struct http2_stream stream;
    struct side *side;
    struct http_message message;
    struct http_header headers[HTTP_HEADERS_MAX];
    struct buffer head; /* the last head that came, also one that was refused, as far as it was kept */
    struct buffer body;
    struct buffer trailers;
    size_t takes; /* bytes of body that its owner takes in all */
    unsigned heads;
    unsigned refused; /* the status, or 0 */
    const char *refusal;
    unsigned rooms; /* calls of room() */
    bool head_ends;
    bool ended;
    bool closed;
    uint32_t error;
};

struct side {
    struct http2_session *session;
    struct buffer out;    /* frames that have left and are not taken yet */
    size_t room;          /* bytes of `out` at most, so that there is output_room */
    bool refuses;         /* begin() returns NULL */
    unsigned fails_after; /* outputs, of which the last resets all streams; 0: none does */
    size_t begun;         /* talks in use */
    struct talk *talks[TALKS_MAX];
    void (*on_head)(struct talk *talk); /* may be NULL, and these: */
    void (*on_body)(struct talk *talk);
    void (*on_end)(struct talk *talk); /* also for a head that ends */
    void (*on_room)(struct talk *talk);
    void (*on_closed)(struct talk *talk);
    uint64_t now_s;
    enum http2_outcome outcome; /* of the last receive */
};

struct pair {
    struct side client;
    struct side server;
    size_t piece; /* bytes that are moved at once; 0: all */
};

extern const struct http2_settings usual_settings;

/* Begin one side, or both, and free all of it. */
void side_open(struct side *side, bool server, const struct http2_settings *settings);
void side_close(struct side *side);
struct pair *pair_open(const struct http2_settings *settings);
void pair_close(struct pair *pair);

/* Moves bytes until nothing moves any more. */
void pump(struct pair *pair);
/* Gives bytes to a side. */
enum http2_outcome give(struct side *side, struct bytes bytes);

/* A talk of that side's, for http2_session_open. */
struct talk *talk_new(struct side *side);
/* Opens a stream of the client's; `head` is the text of a request. */
struct talk *ask(struct pair *pair, const char *head, bool end);
/* Returns the value of a header of the last head, or "(none)"; good until the next call. */
const char *header_of(const struct talk *talk, const char *name);
/* Returns a span of the last head, likewise. */
const char *span_of(const struct talk *talk, struct http_span span);
/* Appends so many bytes, which differ from place to place. */
void fill(struct buffer *buffer, size_t size);

#endif
