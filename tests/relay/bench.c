#include "bench.h"

#include "base/clock.h"
#include "base/hash.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000 };

static uint64_t now_ms(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/*
 * Rings and relays read the time from here (see meson.build): the machine's clock, and what was skipped; or a clock that
 * stands still. It never goes back.
 */
static uint64_t held_ns; /* 0: the clock runs */
static uint64_t skipped_ns;

uint64_t __real_clock_monotonic_ns(void);
uint64_t __wrap_clock_monotonic_ns(void);
uint64_t __wrap_clock_monotonic_ns(void) {
    return held_ns != 0 ? held_ns : __real_clock_monotonic_ns() + skipped_ns;
}

static void release_clock(void) {
    uint64_t now_ns = __real_clock_monotonic_ns() + skipped_ns;

    if (held_ns > now_ns) {
        skipped_ns += held_ns - now_ns;
    }
    held_ns = 0;
}

void sleep_ms(unsigned ms) {
    usleep(ms * 1000);
}

struct served {
    struct fake_origin *origin;
    int socket;
    int number;
};

static void *serve_one(void *argument) {
    struct served served = *(struct served *)argument;

    free(argument);
    served.origin->serve(served.origin, served.socket, served.number);
    pthread_mutex_lock(&served.origin->lock);
    close(served.socket);
    served.origin->sockets[served.number] = -1;
    pthread_mutex_unlock(&served.origin->lock);
    return NULL;
}

static void *accept_all(void *argument) {
    struct fake_origin *origin = argument;

    for (;;) {
        int socket = accept(origin->listener, NULL, NULL);

        if (socket < 0) {
            return NULL;
        }
        struct served *served;
        served = malloc(sizeof *served);
        int number = atomic_load(&origin->accepted);
        *served = (struct served){origin, socket, number};
        origin->sockets[number] = socket;
        /* Counted before it can answer; fake_origin_stop waits for this thread before it looks at the others. */
        atomic_store(&origin->accepted, number + 1);
        pthread_create(&origin->threads[number], NULL, serve_one, served);
    }
}

static struct sockaddr_in loopback(uint16_t port) {
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

void fake_origin_start(struct fake_origin *origin, uint16_t port,
                       void (*serve)(struct fake_origin *origin, int socket, int number), void *context) {
    struct sockaddr_in address = loopback(port);
    socklen_t size = sizeof address;
    int on = 1;

    signal(SIGPIPE, SIG_IGN);
    memset(origin, 0, sizeof *origin);
    origin->serve = serve;
    origin->context = context;
    pthread_mutex_init(&origin->lock, NULL);
    origin->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(origin->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    cr_assert_eq(bind(origin->listener, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(origin->listener, 512), 0);
    cr_assert_eq(getsockname(origin->listener, (struct sockaddr *)&address, &size), 0);
    origin->port = ntohs(address.sin_port);
    pthread_create(&origin->acceptor, NULL, accept_all, origin);
}

void fake_origin_stop(struct fake_origin *origin) {
    atomic_store(&origin->signal, INT_MAX);
    shutdown(origin->listener, SHUT_RDWR);
    pthread_join(origin->acceptor, NULL);
    close(origin->listener);
    int count = atomic_load(&origin->accepted);
    pthread_mutex_lock(&origin->lock);
    for (int i = 0; i < count; i++) {
        if (origin->sockets[i] >= 0) {
            shutdown(origin->sockets[i], SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&origin->lock);
    for (int i = 0; i < count; i++) {
        pthread_join(origin->threads[i], NULL);
    }
    pthread_mutex_destroy(&origin->lock);
}

void fake_wait(struct fake_origin *origin, int signal) {
    uint64_t end = now_ms() + PATIENCE_MS;

    while (atomic_load(&origin->signal) < signal && now_ms() < end) {
        sleep_ms(1);
    }
}

bool fake_read_head(int socket, char *head, size_t capacity) {
    size_t size = 0;

    while (size + 1 < capacity) {
        if (recv(socket, head + size, 1, 0) != 1) {
            return false;
        }
        head[++size] = '\0';
        if (size >= 4 && memcmp(head + size - 4, "\r\n\r\n", 4) == 0) {
            return true;
        }
    }
    return false;
}

bool fake_read_exactly(int socket, void *data, size_t size) {
    return size == 0 || recv(socket, data, size, MSG_WAITALL) == (ssize_t)size;
}

bool fake_reads_end(int socket) {
    char byte;

    return recv(socket, &byte, 1, 0) <= 0;
}

bool fake_send(int socket, const void *data, size_t size) {
    const char *next = data;

    while (size > 0) {
        ssize_t sent = send(socket, next, size, MSG_NOSIGNAL);

        if (sent <= 0) {
            return false;
        }
        next += sent;
        size -= (size_t)sent;
    }
    return true;
}

bool fake_say(int socket, const char *text) {
    return fake_send(socket, text, strlen(text));
}

void fake_break_off(int socket) {
    cr_assert_eq(connect(socket, &(struct sockaddr){.sa_family = AF_UNSPEC}, sizeof(struct sockaddr)), 0);
}

uint16_t fake_dead_port(void) {
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    /* Bound and never listened on: refused, and nobody else can take it while the test runs. */
    cr_assert_eq(bind(probe, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(getsockname(probe, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

void pattern_fill(uint8_t *data, size_t offset, size_t size) {
    for (size_t i = 0; i < size; i++) {
        data[i] = pattern_at(offset + i);
    }
}

bool pattern_holds(const uint8_t *data, size_t offset, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (data[i] != pattern_at(offset + i)) {
            return false;
        }
    }
    return true;
}

static void create(struct bench *bench, const struct ring_options *options, const uint16_t *ports, size_t count, bool http2,
                   bool name) {
    struct ring_options usual = {.streams = 64, .accepted = 16, .receive_buffers = 64, .chunks = 512};
    struct error error;

    memset(bench, 0, sizeof *bench);
    cr_assert_eq(ring_create(&bench->ring, options != NULL ? options : &usual, &error), 0, "%s", error.text);
    for (size_t i = 0; i < count; i++) {
        struct sockaddr_in address = loopback(ports[i]);

        memcpy(&bench->addresses[i].address, &address, sizeof address);
        bench->addresses[i].size = sizeof address;
        snprintf(bench->texts[i], sizeof bench->texts[i], "127.0.0.1:%u", ports[i]);
        bench->addresses[i].text = bench->texts[i];
        bench->origins[i] = (struct config_origin){
            .text = bench->texts[i],
            .timeouts = {.connect_ms = 5000, .response_ms = BENCH_PATIENCE_MS, .body_ms = BENCH_PATIENCE_MS},
            .addresses = &bench->addresses[i],
            .address_count = 1,
            .weight = 1,
        };
    }
    bench->config.limits.response_headers = 100;
    bench->host.name = "a.test";
    if (name) {
        bench->origins[0].kind = CONFIG_ORIGIN_NAME;
        bench->origins[0].address_count = count;
    }
    bench->host.origins = bench->origins;
    bench->host.origin_count = name ? 1 : count;
    bench->host.origin_http2 = http2;
    bench->config.hosts = &bench->host;
    bench->config.host_count = 1;
    bench->relay = relay_create(&bench->ring, &bench->config);
    cr_assert_not_null(bench->relay);
    relay_count_in(bench->relay, 0, &bench->counters);
}

void bench_create(struct bench *bench, const struct ring_options *options, const uint16_t *ports, size_t count) {
    create(bench, options, ports, count, false, false);
}

static void draw_hash_once(void) {
    static bool drawn;

    if (!drawn) {
        hash_init();
        drawn = true;
    }
}

void bench_create_http2(struct bench *bench, const struct ring_options *options, const uint16_t *ports, size_t count) {
    draw_hash_once();
    create(bench, options, ports, count, true, false);
}

void bench_create_name(struct bench *bench, const uint16_t *ports, size_t count, bool http2) {
    draw_hash_once();
    create(bench, NULL, ports, count, http2, true);
}

void bench_be_impatient(struct bench *bench, uint32_t ms) {
    for (size_t i = 0; i < bench->host.origin_count; i++) {
        bench->origins[i].timeouts.response_ms = ms;
        bench->origins[i].timeouts.body_ms = ms;
    }
}

void bench_turn_for(struct bench *bench, unsigned ms) {
    uint64_t end = now_ms() + ms;

    do {
        cr_assert_eq(ring_turn(&bench->ring, 2), 0);
    } while (now_ms() < end);
}

void bench_hold_clock(struct bench *bench) {
    held_ns = __wrap_clock_monotonic_ns();
    cr_assert_eq(ring_turn(&bench->ring, 0), 0);
}

/* Streams that are closing are in the slab, and belong to no exchange and to no pool. */
static bool closes(const struct bench *bench) {
    const struct relay *relay = bench->relay;
    uint32_t channels = 0;

    for (uint32_t i = 0; i < relay->hosts[0].count; i++) {
        channels += relay->hosts[0].origins[i]->channel_count;
    }
    return relay->channels.in_use > channels ||
           relay->connections.in_use > relay->exchanges.in_use + relay->idle_total + relay->owned_total;
}

void bench_pass(struct bench *bench, unsigned ms) {
    uint64_t end = now_ms() + PATIENCE_MS;

    cr_assert_neq(held_ns, 0);
    held_ns += (uint64_t)ms * 1000000;
    do {
        cr_assert_eq(ring_turn(&bench->ring, 0), 0);
        cr_assert_lt(now_ms(), end, "a connection does not close");
    } while (closes(bench));
}

void bench_until(struct bench *bench, const bool *flag) {
    uint64_t end = now_ms() + PATIENCE_MS;

    while (!*flag) {
        cr_assert_eq(ring_turn(&bench->ring, 10), 0);
        cr_assert_lt(now_ms(), end, "what the test waits for does not come");
    }
}

void bench_destroy(struct bench *bench) {
    uint64_t end = now_ms() + PATIENCE_MS;

    release_clock();
    relay_close(bench->relay);
    while (!relay_is_idle(bench->relay) || bench->ring.in_flight > 0) {
        cr_assert_eq(ring_turn(&bench->ring, 10), 0);
        cr_assert_lt(now_ms(), end, "the relay does not come to rest");
    }
    cr_assert_eq(bench->ring.timers.set, 0);
    relay_free(bench->relay);
    ring_destroy(&bench->ring);
}

static void told_head(void *owner, const struct http_message *response, const void *head) {
    struct call *call = owner;
    size_t size = response->head_size < sizeof call->head ? response->head_size : sizeof call->head - 1;

    cr_assert(call->started && !call->got_head && !call->done && !call->aborted);
    call->got_head = true;
    call->status = response->status;
    call->framing = response->framing;
    call->message = *response;
    memcpy(call->head, head, size);
    call->head[size] = '\0';
    if (call->on_head != NULL) {
        call->on_head(call);
    }
}

static void told_interim(void *owner, const struct http_message *response, const void *head) {
    struct call *call = owner;
    size_t used = strlen(call->interim_heads);
    size_t room = sizeof call->interim_heads - 1 - used;

    cr_assert(call->started && !call->got_head && !call->done && !call->aborted);
    cr_assert(response->status >= 102 && response->status < 200);
    call->interim++;
    memcpy(call->interim_heads + used, head, response->head_size < room ? response->head_size : room);
    if (call->on_interim != NULL) {
        call->on_interim(call);
    }
}

static void told_body(void *owner, struct bytes piece) {
    struct call *call = owner;

    cr_assert((call->got_head || call->bare) && !call->done && !call->aborted);
    cr_assert_gt(piece.size, 0);
    if (call->body_size < sizeof call->body - 1) {
        size_t room = sizeof call->body - 1 - call->body_size;

        memcpy(call->body + call->body_size, piece.data, piece.size < room ? piece.size : room);
    }
    call->pattern_broken |= !pattern_holds(piece.data, call->body_size, piece.size);
    call->body_size += piece.size;
    call->piece_max = piece.size > call->piece_max ? piece.size : call->piece_max;
    if (call->on_body != NULL) {
        call->on_body(call, piece.size);
    }
}

static size_t told_room(void *owner) {
    return ((struct call *)owner)->room;
}

static void finish(struct call *call) {
    cr_assert(call->started && !call->done && !call->aborted);
    call->done = true;
    call->exchange = NULL;
    if (call->on_done != NULL) {
        call->on_done(call);
    }
}

static void told_end(void *owner, struct bytes trailers) {
    struct call *call = owner;

    cr_assert(call->got_head);
    cr_assert_lt(trailers.size, sizeof call->trailers);
    memcpy(call->trailers, trailers.data == NULL ? (const void *)"" : trailers.data, trailers.size);
    call->ended = true;
    finish(call);
}

static void told_half_end(void *owner) {
    struct call *call = owner;

    cr_assert((call->got_head || call->bare) && !call->done && !call->aborted && !call->half_ended);
    call->half_ended = true;
}

static void told_failure(void *owner, enum relay_error error, enum relay_fault fault) {
    struct call *call = owner;

    cr_assert_neq(fault, RELAY_FAULT_NONE);
    call->failed = true;
    call->error = error;
    call->fault = fault;
    finish(call);
}

static void told_drained(void *owner) {
    struct call *call = owner;

    cr_assert(call->started && !call->done && !call->aborted);
    call->drained++;
    call->was_drained = true;
    if (call->on_drained != NULL) {
        call->on_drained(call);
    }
}

static const struct relay_handler call_handler = {
    .interim = told_interim,
    .head = told_head,
    .body = told_body,
    .room = told_room,
    .end = told_end,
    .half_end = told_half_end,
    .failed = told_failure,
    .drained = told_drained,
};

void call_start_request(struct call *call, struct bench *bench, const struct relay_request *request) {
    call->bench = bench;
    call->bare = request->bare;
    enum relay_fault fault;

    call->exchange = relay_exchange_start(bench->relay, request, &call_handler, call, &fault);
    cr_assert_not_null(call->exchange);
    call->started = true;
}

void call_start(struct call *call, struct bench *bench, const char *head, enum http_framing framing, bool idempotent) {
    struct relay_request request = {
        .host = &bench->host, .head = bytes_of_string(head), .framing = framing, .idempotent = idempotent};

    call_start_request(call, bench, &request);
}

void call_abort(struct call *call) {
    relay_exchange_abort(call->exchange);
    call->exchange = NULL;
    call->aborted = true;
}

void call_run_get(struct call *call, struct bench *bench) {
    call_start(call, bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_until(bench, &call->done);
}

void call_get(struct bench *bench, unsigned status) {
    struct call call = {0};

    call_run_get(&call, bench);
    cr_assert(call.ended, "failed with error %d", (int)call.error);
    cr_assert_eq(call.status, status);
}
