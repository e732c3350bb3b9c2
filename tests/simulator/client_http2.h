/*
 * HTTP/2 of a simulated client: a session of nghttp2's, which finds each frame of the shard's that breaks a rule, and
 * streams whose answers must be those to their own requests. It sends bodies in pieces, resets streams, keeps windows shut,
 * leaves frames without their end, and breaks rules, all at any moment.
 */
#ifndef TESTS_SIMULATOR_CLIENT_HTTP2_H
#define TESTS_SIMULATOR_CLIENT_HTTP2_H

#include "client.h"

#include <nghttp2/nghttp2.h>

enum { CLIENT_STREAMS_MAX = 12, CLIENT_WINDOW = 65535 };

struct client_stream {
    int32_t id;      /* 0: this place is free */
    uint32_t number; /* of its request */
    size_t body_size;
    size_t may_send; /* bytes of the body that may leave by now */
    size_t sent;
    bool stalls;   /* the rest of the body never leaves */
    bool is_deaf;  /* its window never opens again */
    bool is_reset; /* by the client */
    bool final;    /* the head of the answer has come, and no informational one */
    bool by_origin;
    bool ended; /* the answer is complete */
    bool dated;
    unsigned status; /* of the answer's last head */
    size_t at;       /* bytes of the answer's body that have come */
    size_t unread;   /* ... of which the shard has not been told yet that there is room again */
};

struct client_http2 {
    nghttp2_session *session;
    struct client_stream streams[CLIENT_STREAMS_MAX];
    unsigned open;
    struct talk_buffer frames; /* that wait for TLS */
    int32_t last_stream;       /* that the last GOAWAY takes */
    bool stuck;                /* sends no more bytes, even if in the middle of a frame */
    bool withholds;            /* the connection's window never opens again */
    bool is_faulty;            /* has broken the rules: whatever comes then is right */
    bool goes_away;            /* has sent GOAWAY */
};

/* The handshake has chosen h2. */
void client_http2_begin(struct simulated_client *client);
/* Frees all of it. Streams that are open are lost. */
void client_http2_end(struct simulated_client *client);
/* Plaintext has come. */
void client_http2_take(struct simulated_client *client, const char *data, size_t size);
/* Begins a stream for the next request. NULL: nothing more is to be asked, or may be. */
struct client_stream *client_http2_ask(struct simulated_client *client);
/* Lets up to `size` bytes more of a stream's body leave. */
void client_http2_feed(struct simulated_client *client, struct client_stream *stream, size_t size);
/* Hands up to `size` bytes of the frames that wait to TLS. */
void client_http2_write(struct simulated_client *client, size_t size);
/* Resets a stream. */
void client_http2_reset(struct simulated_client *client, struct client_stream *stream);
/* Does some things, as the seed has it. */
void client_http2_step(struct simulated_client *client);
/* Nothing is asked and nothing waits. */
bool client_http2_is_idle(const struct simulated_client *client);

/* Of client.c: writes a request's numbers and sizes, by the seed. Returns its number, or TALK_REQUESTS_MAX: none is left. */
uint32_t client_plan_request(struct simulated_client *client);
/* Checks the status of an answer that is none of an origin's. */
void client_expect_own_answer(const struct talk *talk, const struct talk_request *request, unsigned status);

#endif
