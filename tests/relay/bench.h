/*
 * Shared by the tests of relay/: a scripted origin (threads with plain blocking sockets on 127.0.0.1), a ring with a relay
 * in the test's own thread, and a call, which is an exchange with everything written down that its handlers were told.
 */
#ifndef TESTS_RELAY_BENCH_H
#define TESTS_RELAY_BENCH_H

#include "base/check.h"
#include "relay/pool.h"
#include "ring/ring.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    BENCH_ORIGINS_MAX = 4,
    FAKE_CONNECTIONS_MAX = 2048,
    BENCH_PATIENCE_MS = 60000, /* the timeouts of a bench's origins, but for bench_be_impatient */
};

struct fake_origin {
    /* Serves one connection; the socket is closed when it returns. `number` counts connections from 0. */
    void (*serve)(struct fake_origin *origin, int socket, int number);
    void *context;
    uint16_t port;
    int listener;
    atomic_int accepted;
    atomic_int signal; /* for scripts and tests to wait for one another */
    pthread_t acceptor;
    pthread_t threads[FAKE_CONNECTIONS_MAX];
    int sockets[FAKE_CONNECTIONS_MAX];
    pthread_mutex_t lock;
};

/* Listens; port 0 picks one. */
void fake_origin_start(struct fake_origin *origin, uint16_t port,
                       void (*serve)(struct fake_origin *origin, int socket, int number), void *context);
void fake_origin_stop(struct fake_origin *origin);
void fake_wait(struct fake_origin *origin, int signal);
/* Reads up to the end of a head. False at the end of the stream. `head` is NUL-terminated. */
bool fake_read_head(int socket, char *head, size_t capacity);
bool fake_read_exactly(int socket, void *data, size_t size);
/* True when the peer ends or resets its side with nothing more to read. */
bool fake_reads_end(int socket);
bool fake_send(int socket, const void *data, size_t size);
bool fake_say(int socket, const char *text);
/* Ends the connection by a reset, at once; the socket stays to be closed. */
void fake_break_off(int socket);
/* A port on which nothing listens. */
uint16_t fake_dead_port(void);
void sleep_ms(unsigned ms);

/* Byte `i` of every long body. */
static inline uint8_t pattern_at(size_t i) {
    return (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16));
}
void pattern_fill(uint8_t *data, size_t offset, size_t size);
bool pattern_holds(const uint8_t *data, size_t offset, size_t size);

struct bench {
    struct ring ring;
    struct config config;
    struct config_host host;
    struct config_origin origins[BENCH_ORIGINS_MAX];
    struct config_address addresses[BENCH_ORIGINS_MAX];
    char texts[BENCH_ORIGINS_MAX][32];
    struct relay *relay;
    struct stats_host counters; /* where the relay counts */
};

void bench_create(struct bench *bench, const struct ring_options *options, const uint16_t *ports, size_t count);
/* Likewise, but the origins speak HTTP/2. */
/* Likewise, of one origin that is a name, with all these addresses. */
void bench_create_name(struct bench *bench, const uint16_t *ports, size_t count, bool http2);
void bench_create_http2(struct bench *bench, const struct ring_options *options, const uint16_t *ports, size_t count);
/* Sets what all the origins have for the head of an answer, and for each step of a body. */
void bench_be_impatient(struct bench *bench, uint32_t ms);
/* Also checks that no stream, slab slot or operation is left. */
void bench_destroy(struct bench *bench);
void bench_turn_for(struct bench *bench, unsigned ms);
/*
 * From now on the clock of all rings stands still, however long the machine takes, until bench_pass or the end of the bench:
 * for tests of what happens after a time, and not before it.
 */
void bench_hold_clock(struct bench *bench);
/* Moves the clock that stands still on by `ms`, and turns until what that has begun is done: no close is under way. */
void bench_pass(struct bench *bench, unsigned ms);
/* Turns until *flag, or fails the test after some seconds. */
void bench_until(struct bench *bench, const bool *flag);

struct call {
    struct bench *bench;
    struct relay_exchange *exchange;
    bool started; /* relay_exchange_start has returned */
    bool bare;    /* a tunnel from the start, which has no head */
    bool got_head;
    bool done; /* ended or failed */
    bool ended;
    bool failed;
    bool aborted;
    bool half_ended; /* a tunnel, by the origin */
    enum relay_error error;
    enum relay_fault fault;
    unsigned interim;        /* informational responses */
    char interim_heads[256]; /* the starts of them */
    char trailers[256];
    unsigned status;
    enum http_framing framing;
    char head[256]; /* the start of the response's head */
    size_t body_size;
    size_t room;         /* that is told for the body; 0: for a receive buffer */
    size_t piece_max;    /* the largest piece of the body */
    char body[256];      /* the start of the body */
    bool pattern_broken; /* the body is not pattern_at all along */
    unsigned drained;
    bool was_drained;
    struct http_message message;
    /* The test's own part of the handlers, NULL for none. */
    void (*on_interim)(struct call *call);
    void (*on_head)(struct call *call);
    void (*on_body)(struct call *call, size_t size);
    void (*on_drained)(struct call *call);
    void (*on_done)(struct call *call);
    void *context;
};

/* Starts; fails the test unless it starts. `head` without the final empty line's CRLF gets it. */
void call_start(struct call *call, struct bench *bench, const char *head, enum http_framing framing, bool idempotent);
void call_start_request(struct call *call, struct bench *bench, const struct relay_request *request);
void call_abort(struct call *call);
/* A GET from start to its end; fails the test unless the answer is `status`. */
void call_get(struct bench *bench, unsigned status);
/* Starts a GET, turns until it is done. */
void call_run_get(struct call *call, struct bench *bench);

#define GET_HEAD  "GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n"
#define POST_HEAD "POST /x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\n"
#define OK_EMPTY  "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define OK_HELLO  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

#endif
