/*
 * Both ends of a simulated exchange know the number of each request, and the bodies follow from the number. So both ends can
 * tell an exchange that was mixed up with another, or changed, from one that was only cut short.
 */
#ifndef TESTS_SIMULATOR_TALK_H
#define TESTS_SIMULATOR_TALK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum talk_certificate { TALK_NO_CERTIFICATE, TALK_VALID, TALK_EXPIRED, TALK_CERTIFICATES };
enum talk_host { TALK_ENFORCE, TALK_REPORT, TALK_OFF, TALK_TCP, TALK_HOSTS };
/*
 * At the tcp host the origin speaks first; then the client says the number of its one request, as a line; and then both
 * bodies follow, without framing.
 */
#define TALK_GREETING "ready\n"
extern const char *const talk_host_names[TALK_HOSTS];

enum talk_framing { TALK_NOTHING, TALK_LENGTH, TALK_CHUNKED };

/* A request that a client has begun to send. */
struct talk_request {
    enum talk_certificate certificate; /* its client's, and the next one */
    struct in_addr from;
    enum talk_host host;
    enum talk_framing framing;
    bool head;       /* HEAD */
    bool upgrade;    /* offers another protocol, in which both bodies are sent without framing */
    bool switches;   /* the origin goes on in it, if it answers well */
    bool http2;      /* asked for over HTTP/2 */
    bool bad;        /* breaks rules of HTTP/2, or names a host that is not the handshake's: no origin may get it */
    bool short_body; /* the body ends before the length that it announces */
    bool reached;    /* an origin has got its head */
    bool cut;        /* the origin has closed in the middle of an answer that only its end delimits: nobody can tell */
    size_t body_size;
    size_t answer_size; /* of the origin's body */
};

enum { TALK_REQUESTS_MAX = 512 };
struct talk {
    struct talk_request requests[TALK_REQUESTS_MAX];
    uint32_t count;
    bool may_be_busy; /* there are origins that take few requests at once */
    bool answered_by_origin[TALK_REQUESTS_MAX];
};

/* Byte `at` of the body of request `number`, or of the answer to it. */
char talk_body_byte(uint32_t number, size_t at);
char talk_answer_byte(uint32_t number, size_t at);

/* Bytes that are gathered. */
struct talk_buffer {
    char *data;
    size_t size;
    size_t capacity;
};
void talk_put(struct talk_buffer *buffer, const void *data, size_t size);
void talk_print(struct talk_buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Puts a balancer's header that names a client's IPv4 address, in either version of the PROXY protocol. */
void talk_put_proxy_header(struct talk_buffer *buffer, const char *address);
void talk_drop(struct talk_buffer *buffer, size_t size); /* from the front */
void talk_free(struct talk_buffer *buffer);

/* Bytes of a body from `from` on. */
void talk_put_bytes(struct talk_buffer *buffer, size_t from, size_t size, uint32_t number, char byte(uint32_t, size_t));
/* A body that is written, framed as chunks or not. */
void talk_put_body(struct talk_buffer *buffer, bool chunked, size_t size, uint32_t number, char byte(uint32_t, size_t));

/* The size of the head at the front, with its empty line; 0: it is not complete. */
size_t talk_head_size(const struct talk_buffer *buffer);
/* How often a header occurs in a head, whatever its letters' case; the first value is copied to `value`, cut to its size. */
unsigned talk_header(const char *head, size_t head_size, const char *name, char *value, size_t value_size);

/* A body that comes in. */
struct talk_body {
    enum talk_framing framing;
    bool until_end; /* of the connection */
    bool complete;
    size_t left; /* of the length, or of a chunk */
    size_t at;   /* bytes of content so far */
    uint8_t stage;
};
/* Takes what it can from the front of `buffer`, and checks each byte. False: it is not the body of `number`. */
bool talk_take_body(struct talk_body *body, struct talk_buffer *buffer, uint32_t number, char byte(uint32_t, size_t));

#endif
