#include "bench.h"
#include "relay/exchange.h"

#include <criterion/criterion.h>
#include <sys/socket.h>

static struct bench bench;
static struct fake_origin fake;
static const struct relay_counters *counters;

static void begin(void (*serve)(struct fake_origin *origin, int socket, int number), void *context) {
    fake_origin_start(&fake, 0, serve, context);
    bench_create(&bench, NULL, &fake.port, 1);
    counters = relay_counters(bench.relay);
}

static void finish(void) {
    bench_destroy(&bench);
    fake_origin_stop(&fake);
}

/* What an origin got on its first connection, until it had `wanted` bytes. */
struct got {
    size_t wanted;
    char text[160 * 1024];
    size_t size;
};

static void take_wanted(struct fake_origin *origin, int socket, int number) {
    struct got *got = origin->context;

    while (got->size < got->wanted) {
        ssize_t size = recv(socket, got->text + got->size, sizeof got->text - 1 - got->size, 0);

        if (size <= 0) {
            return;
        }
        got->size += (size_t)size;
    }
    fake_say(socket, OK_HELLO);
    fake_reads_end(socket);
}

static void run_request(const char *head, enum http_framing framing, const char *const *pieces, const char *expected) {
    static struct got got;
    struct call call = {0};

    got = (struct got){.wanted = strlen(expected)};
    begin(take_wanted, &got);
    call_start(&call, &bench, head, framing, false);
    for (; *pieces != NULL; pieces++) {
        bench_turn_for(&bench, 5);
        relay_exchange_body(call.exchange, bytes_of_string(*pieces));
    }
    relay_exchange_body_end(call.exchange);
    bench_until(&bench, &call.done);
    cr_assert(call.ended, "error %d", (int)call.error);
    cr_assert_str_eq(got.text, expected);
    cr_assert_eq(counters->pooled, 1);
    finish();
}

#define CHUNKED_HEAD "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

Test(exchange, frames_the_body_as_the_request_says) {
    run_request(GET_HEAD, HTTP_NO_BODY, (const char *const[]){NULL}, GET_HEAD);
    run_request(POST_HEAD, HTTP_LENGTH, (const char *const[]){"abcd", NULL}, POST_HEAD "abcd");
    run_request(POST_HEAD, HTTP_LENGTH, (const char *const[]){"a", "", "b", "cd", NULL}, POST_HEAD "abcd");
    run_request(CHUNKED_HEAD, HTTP_CHUNKED, (const char *const[]){NULL}, CHUNKED_HEAD "0\r\n\r\n");
    run_request(CHUNKED_HEAD, HTTP_CHUNKED, (const char *const[]){"0123456789abcdefg", "", "b", NULL},
                CHUNKED_HEAD "11\r\n0123456789abcdefg\r\n1\r\nb\r\n0\r\n\r\n");
}

static void serve_forever(struct fake_origin *origin, int socket, int number) {
    char head[4096];

    while (fake_read_head(socket, head, sizeof head)) {
        fake_say(socket, OK_HELLO);
    }
}

/* Takes a request without a body, then one whose text goes to the context. */
static void take_second(struct fake_origin *origin, int socket, int number) {
    char head[4096];

    fake_read_head(socket, head, sizeof head);
    fake_say(socket, OK_HELLO);
    take_wanted(origin, socket, number);
}

/* There the body goes straight to the stream; before there was a connection, through the buffer. */
Test(exchange, frames_the_body_on_a_pooled_connection_too) {
    static struct got got = {.wanted = sizeof CHUNKED_HEAD "4\r\nabcd\r\n0\r\n\r\n" - 1};
    struct call call = {0};

    begin(take_second, &got);
    call_get(&bench, 200);
    call_start(&call, &bench, CHUNKED_HEAD, HTTP_CHUNKED, false);
    cr_assert_eq(relay_exchange_room(call.exchange), STREAM_QUEUE_MAX - strlen(CHUNKED_HEAD));
    relay_exchange_body(call.exchange, bytes_of_string("abcd"));
    relay_exchange_body_end(call.exchange);
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    cr_assert_str_eq(got.text, CHUNKED_HEAD "4\r\nabcd\r\n0\r\n\r\n");
    cr_assert_eq(counters->reused, 1);
    finish();
}

Test(exchange, takes_sixteen_kib_before_there_is_a_connection) {
    static struct got got;
    static uint8_t body[16 * 1024];
    struct call call = {0};
    size_t head_size = strlen(POST_HEAD);

    pattern_fill(body, 0, sizeof body);
    got = (struct got){.wanted = head_size + sizeof body};
    begin(take_wanted, &got);
    call_start(&call, &bench, POST_HEAD, HTTP_LENGTH, false);
    cr_assert_eq(relay_exchange_room(call.exchange), 0);
    relay_exchange_body(call.exchange, bytes_of(body, sizeof body));
    relay_exchange_body_end(call.exchange);
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    cr_assert(pattern_holds((uint8_t *)got.text + head_size, 0, sizeof body));
    finish();
}

Test(exchange, fails_later_when_far_more_than_that_comes) {
    static uint8_t body[200 * 1024];
    struct call call = {0};

    begin(serve_forever, NULL);
    call_start(&call, &bench, POST_HEAD, HTTP_LENGTH, false);
    relay_exchange_body(call.exchange, bytes_of(body, sizeof body));
    cr_assert_not(call.done);
    /* All of these are allowed until it says so. */
    cr_assert_eq(relay_exchange_room(call.exchange), 0);
    relay_exchange_body(call.exchange, bytes_of(body, 100));
    relay_exchange_pause(call.exchange);
    relay_exchange_resume(call.exchange);
    relay_exchange_body_end(call.exchange);
    bench_until(&bench, &call.done);
    cr_assert(call.failed);
    cr_assert_eq(call.error, RELAY_BROKEN);
    finish();
}

/* The early body goes along when the first address refuses. */
Test(exchange, takes_its_body_to_the_next_address) {
    static struct got got = {.wanted = sizeof POST_HEAD "abcd" - 1};
    uint16_t ports[2] = {fake_dead_port(), 0};
    struct call call = {0};

    fake_origin_start(&fake, 0, take_wanted, &got);
    ports[1] = fake.port;
    bench_create(&bench, NULL, ports, 2);
    call_start(&call, &bench, POST_HEAD, HTTP_LENGTH, false);
    relay_exchange_body(call.exchange, bytes_of_string("abcd"));
    relay_exchange_body_end(call.exchange);
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    cr_assert_str_eq(got.text, POST_HEAD "abcd");
    finish();
}

enum { LONG_BODY = 8 * 1024 * 1024 };

static void take_long_body(struct fake_origin *origin, int socket, int number) {
    char head[4096];
    uint8_t piece[8192];
    bool right = true;

    fake_read_head(socket, head, sizeof head);
    for (size_t offset = 0; offset < LONG_BODY; offset += sizeof piece) {
        right = right && fake_read_exactly(socket, piece, sizeof piece) && pattern_holds(piece, offset, sizeof piece);
        if (offset % (1024 * 1024) == 0) {
            sleep_ms(20);
        }
    }
    fake_say(socket, right ? OK_EMPTY : "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n");
    fake_reads_end(socket);
}

struct upload {
    size_t given;
    size_t queued_worst;
};

static void give_more(struct call *call) {
    struct upload *upload = call->context;
    uint8_t piece[10000];

    while (upload->given < LONG_BODY) {
        size_t size = relay_exchange_room(call->exchange), queued;

        size = size < sizeof piece ? size : sizeof piece;
        size = size < LONG_BODY - upload->given ? size : LONG_BODY - upload->given;
        if (size == 0) {
            return;
        }
        pattern_fill(piece, upload->given, size);
        relay_exchange_body(call->exchange, bytes_of(piece, size));
        upload->given += size;
        queued = call->exchange->connection->stream->queued;
        upload->queued_worst = queued > upload->queued_worst ? queued : upload->queued_worst;
    }
    relay_exchange_body_end(call->exchange);
}

Test(exchange, long_upload_goes_at_the_pace_of_the_origin, .timeout = 60) {
    struct upload upload = {0};
    struct call call = {.on_drained = give_more, .context = &upload};

    begin(take_long_body, NULL);
    call_start(&call, &bench, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 8388608\r\n\r\n", HTTP_LENGTH, true);
    bench_until(&bench, &call.done);
    cr_assert(call.ended, "error %d", (int)call.error);
    cr_assert_eq(call.status, 200);
    cr_assert_eq(upload.given, LONG_BODY);
    cr_assert_leq(upload.queued_worst, STREAM_QUEUE_MAX);
    cr_assert_gt(call.drained, 10);
    cr_assert_eq(counters->pooled, 1);
    finish();
}

static void take_nothing(struct fake_origin *origin, int socket, int number) {
    fake_wait(origin, 1);
}

Test(exchange, times_out_when_the_origin_takes_nothing) {
    struct upload upload = {0};
    struct call call = {.on_drained = give_more, .context = &upload};

    begin(take_nothing, NULL);
    bench.relay->timeouts.response_ms = 150;
    call_start(&call, &bench, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 8388608\r\n\r\n", HTTP_LENGTH, true);
    bench_until(&bench, &call.done);
    cr_assert(call.failed);
    cr_assert_eq(call.error, RELAY_TIMEOUT);
    cr_assert_lt(upload.given, LONG_BODY);
    atomic_store(&fake.signal, 1);
    finish();
}

/* The client's slowness is not the origin's. */
Test(exchange, does_not_time_out_while_the_client_owes_body) {
    static struct got got = {.wanted = sizeof POST_HEAD "abcd" - 1};
    struct call call = {0};

    begin(take_wanted, &got);
    bench.relay->timeouts.response_ms = 50;
    call_start(&call, &bench, POST_HEAD, HTTP_LENGTH, false);
    relay_exchange_body(call.exchange, bytes_of_string("ab"));
    bench_turn_for(&bench, 200);
    cr_assert_not(call.done);
    relay_exchange_body(call.exchange, bytes_of_string("cd"));
    relay_exchange_body_end(call.exchange);
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    finish();
}

static void answer_early(struct fake_origin *origin, int socket, int number) {
    char head[4096];

    while (fake_read_head(socket, head, sizeof head)) {
        fake_say(socket, "HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\n\r\nno");
    }
}

Test(exchange, an_answer_before_the_request_is_complete_ends_it_and_the_connection) {
    struct call call = {0};

    begin(answer_early, NULL);
    call_start(&call, &bench, POST_HEAD, HTTP_LENGTH, false);
    relay_exchange_body(call.exchange, bytes_of_string("ab"));
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    cr_assert_eq(call.status, 413);
    cr_assert_str_eq(call.body, "no");
    cr_assert_eq(counters->pooled, 0);
    bench_turn_for(&bench, 20);
    cr_assert_eq(bench.relay->connections.in_use, 0);
    finish();
}

static void refuse_and_close(struct fake_origin *origin, int socket, int number) {
    char head[4096];

    fake_read_head(socket, head, sizeof head);
    fake_say(socket, "HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\n\r\nno");
}

/* The close resets the connection, since the origin leaves bytes unread: the answer must not be lost over it. */
Test(exchange, a_refusal_survives_the_reset_that_follows_it) {
    begin(refuse_and_close, NULL);
    for (int i = 0; i < 30; i++) {
        struct upload upload = {0};
        struct call call = {.on_drained = give_more, .context = &upload};

        call_start(&call, &bench, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 8388608\r\n\r\n", HTTP_LENGTH, true);
        bench_until(&bench, &call.done);
        cr_assert(call.ended, "error %d in round %d", (int)call.error, i);
        cr_assert_eq(call.status, 413);
    }
    finish();
}

/* The first send of the request is still in flight, so the ring cannot tell yet that any of it has left. */
Test(exchange, an_answer_may_come_before_the_first_send_is_done) {
    static char head[RELAY_REQUEST_HEAD_MAX];
    struct relay_request request = {.host = &bench.host, .head = bytes_of(head, sizeof head), .idempotent = true};
    struct call call = {0};
    int small = 4096;

    memset(head, 'v', sizeof head);
    memcpy(head, POST_HEAD, strlen(POST_HEAD));
    begin(answer_early, NULL);
    setsockopt(fake.listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    call_start_request(&call, &bench, &request);
    setsockopt(call.exchange->connection->stream->descriptor, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    cr_assert_eq(call.status, 413);
    cr_assert_eq(counters->pooled, 0);
    finish();
}

static void echo(struct fake_origin *origin, int socket, int number) {
    char head[4096], byte;

    fake_read_head(socket, head, sizeof head);
    fake_say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
    for (int i = 0; i < 4 && fake_read_exactly(socket, &byte, 1); i++) {
        fake_send(socket, &byte, 1);
    }
    fake_reads_end(socket);
}

Test(exchange, both_bodies_may_run_at_the_same_time) {
    struct call call = {0};

    begin(echo, NULL);
    bench.relay->timeouts.response_ms = 100;
    call_start(&call, &bench, POST_HEAD, HTTP_LENGTH, false);
    bench_until(&bench, &call.got_head);
    relay_exchange_body(call.exchange, bytes_of_string("ab"));
    bench_turn_for(&bench, 150);
    cr_assert_str_eq(call.body, "ab");
    relay_exchange_body(call.exchange, bytes_of_string("cd"));
    relay_exchange_body_end(call.exchange);
    bench_until(&bench, &call.done);
    cr_assert_str_eq(call.body, "abcd");
    cr_assert_eq(counters->pooled, 1);
    finish();
}

Test(exchange, takes_a_head_up_to_its_bound) {
    static struct got got;
    static char head[RELAY_REQUEST_HEAD_MAX + 2];
    struct relay_request request = {.host = &bench.host, .idempotent = true};
    struct call call = {0};

    memset(head, 'v', sizeof head - 1);
    memcpy(head, "GET / HTTP/1.1\r\nX: ", 19);
    memcpy(head + RELAY_REQUEST_HEAD_MAX - 4, "\r\n\r\n", 4);
    got = (struct got){.wanted = RELAY_REQUEST_HEAD_MAX};
    begin(take_wanted, &got);
    request.head = bytes_of(head, RELAY_REQUEST_HEAD_MAX);
    call_start_request(&call, &bench, &request);
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    cr_assert_eq(memcmp(got.text, head, RELAY_REQUEST_HEAD_MAX), 0);
    request.head.size++;
    cr_assert_null(relay_exchange_start(bench.relay, &request, NULL, NULL));
    cr_assert_eq(bench.relay->exchanges.in_use, 0);
    finish();
}

Test(exchange, is_refused_when_no_stream_is_left) {
    struct ring_options options = {.streams = 16, .accepted = 16, .receive_buffers = 16, .chunks = 64};
    struct relay_request request = {.host = &bench.host, .head = bytes_of_string(GET_HEAD), .idempotent = true};
    struct call calls[16] = {0};

    fake_origin_start(&fake, 0, take_nothing, NULL);
    bench_create(&bench, &options, &fake.port, 1);
    for (int i = 0; i < 16; i++) {
        call_start(&calls[i], &bench, GET_HEAD, HTTP_NO_BODY, true);
    }
    cr_assert_null(relay_exchange_start(bench.relay, &request, NULL, NULL));
    bench_turn_for(&bench, 20);
    for (int i = 0; i < 16; i++) {
        call_abort(&calls[i]);
    }
    atomic_store(&fake.signal, 1);
    bench_turn_for(&bench, 50);
    cr_assert_eq(bench.ring.streams.in_use, 0);
    finish();
}

Test(exchange, is_refused_when_the_ring_has_no_stream) {
    struct relay_request request = {.host = &bench.host, .head = bytes_of_string(GET_HEAD), .idempotent = true};
    struct call call = {0};

    begin(serve_forever, NULL);
    call_start(&call, &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench.ring.streams.limit = bench.ring.streams.touched;
    cr_assert_null(relay_exchange_start(bench.relay, &request, NULL, NULL));
    cr_assert_null(relay_exchange_start(bench.relay, &request, NULL, NULL));
    cr_assert_eq(bench.relay->exchanges.in_use, 1);
    cr_assert_eq(bench.relay->buffers.in_use, 1);
    cr_assert_eq(bench.relay->connections.in_use, 1);
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    finish();
}

/* Takes all chunks of a ring that has two. */
static void hold_chunks(void *held[2]) {
    held[0] = slab_take(&bench.ring.chunks);
    held[1] = slab_take(&bench.ring.chunks);
    cr_assert(held[0] != NULL && held[1] != NULL);
}

static void give_chunks(void *held[2]) {
    slab_give(&bench.ring.chunks, held[0]);
    slab_give(&bench.ring.chunks, held[1]);
}

Test(exchange, fails_when_the_ring_is_out_of_chunks) {
    struct ring_options options = {.streams = 16, .accepted = 16, .receive_buffers = 16, .chunks = 2};
    static uint8_t body[64 * 1024];
    struct call call = {0}, connecting = {0}, ending = {0};
    void *held[2];

    fake_origin_start(&fake, 0, take_nothing, NULL);
    bench_create(&bench, &options, &fake.port, 1);
    call_start(&call, &bench, CHUNKED_HEAD, HTTP_CHUNKED, false);
    bench_until(&bench, &call.was_drained);
    relay_exchange_body(call.exchange, bytes_of(body, sizeof body));
    cr_assert_not(call.done);
    bench_until(&bench, &call.done);
    cr_assert(call.failed);
    cr_assert_eq(call.error, RELAY_BROKEN);
    bench_turn_for(&bench, 20);
    cr_assert_eq(bench.ring.chunks.in_use, 0);
    /* When not even the request fits. */
    call_start(&connecting, &bench, POST_HEAD, HTTP_LENGTH, false);
    hold_chunks(held);
    bench_until(&bench, &connecting.done);
    cr_assert_eq(connecting.error, RELAY_BROKEN);
    give_chunks(held);
    /* When the end of the body does not. */
    call_start(&ending, &bench, CHUNKED_HEAD, HTTP_CHUNKED, false);
    bench_until(&bench, &ending.was_drained);
    bench_turn_for(&bench, 20);
    hold_chunks(held);
    relay_exchange_body_end(ending.exchange);
    cr_assert_not(ending.done);
    bench_until(&bench, &ending.done);
    cr_assert_eq(ending.error, RELAY_BROKEN);
    give_chunks(held);
    atomic_store(&fake.signal, 1);
    finish();
}

Test(exchange, fails_when_a_pooled_connection_has_no_chunks_either) {
    struct ring_options options = {.streams = 16, .accepted = 16, .receive_buffers = 16, .chunks = 2};
    struct call call = {0};
    void *held[2];

    fake_origin_start(&fake, 0, serve_forever, NULL);
    bench_create(&bench, &options, &fake.port, 1);
    counters = relay_counters(bench.relay);
    call_get(&bench, 200);
    hold_chunks(held);
    call_run_get(&call, &bench);
    cr_assert_eq(call.error, RELAY_BROKEN);
    cr_assert_eq(counters->reused, 1);
    cr_assert_eq(counters->opened, 2);
    give_chunks(held);
    finish();
}

static void abort_it(struct call *call) {
    call_abort(call);
}

static void abort_in_body(struct call *call, size_t size) {
    call_abort(call);
}

static void say_slowly(struct fake_origin *origin, int socket, int number) {
    char head[4096];

    fake_read_head(socket, head, sizeof head);
    fake_say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    while (!fake_reads_end(socket)) {
    }
}

static void expect_gone(const struct call *call) {
    cr_assert(call->aborted);
    bench_turn_for(&bench, 30);
    cr_assert_eq(bench.relay->exchanges.in_use, 0);
    cr_assert_eq(bench.relay->connections.in_use, 0);
    cr_assert_eq(bench.relay->buffers.in_use, 0);
    cr_assert_eq(counters->pooled, 0);
}

Test(exchange, can_be_aborted_before_it_is_connected) {
    struct call at_once = {0}, with_body = {0};

    begin(say_slowly, NULL);
    call_start(&at_once, &bench, GET_HEAD, HTTP_NO_BODY, true);
    call_abort(&at_once);
    expect_gone(&at_once);
    call_start(&with_body, &bench, POST_HEAD, HTTP_LENGTH, false);
    relay_exchange_body(with_body.exchange, bytes_of_string("ab"));
    call_abort(&with_body);
    expect_gone(&with_body);
    finish();
}

Test(exchange, can_be_aborted_in_its_handlers) {
    struct call in_head = {.on_head = abort_it}, in_body = {.on_body = abort_in_body}, in_drained = {.on_drained = abort_it};

    begin(say_slowly, NULL);
    call_start(&in_head, &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_until(&bench, &in_head.aborted);
    expect_gone(&in_head);
    call_start(&in_body, &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_until(&bench, &in_body.aborted);
    expect_gone(&in_body);
    call_start(&in_drained, &bench, POST_HEAD, HTTP_LENGTH, false);
    bench_until(&bench, &in_drained.aborted);
    expect_gone(&in_drained);
    finish();
}

Test(exchange, can_be_aborted_in_the_middle) {
    struct call waiting = {0}, in_body = {0}, paused = {0}, sending = {0}, failing = {0};
    static uint8_t body[60 * 1024];

    begin(say_slowly, NULL);
    call_start(&waiting, &bench, POST_HEAD, HTTP_LENGTH, false);
    bench_until(&bench, &waiting.was_drained);
    call_abort(&waiting);
    expect_gone(&waiting);
    call_start(&in_body, &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_until(&bench, &in_body.got_head);
    bench_turn_for(&bench, 10);
    call_abort(&in_body);
    expect_gone(&in_body);
    call_start(&paused, &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_until(&bench, &paused.got_head);
    relay_exchange_pause(paused.exchange);
    bench_turn_for(&bench, 10);
    call_abort(&paused);
    expect_gone(&paused);
    call_start(&sending, &bench, CHUNKED_HEAD, HTTP_CHUNKED, false);
    bench_until(&bench, &sending.was_drained);
    relay_exchange_body(sending.exchange, bytes_of(body, sizeof body));
    call_abort(&sending);
    expect_gone(&sending);
    call_start(&failing, &bench, POST_HEAD, HTTP_LENGTH, false);
    relay_exchange_body(failing.exchange, bytes_of(body, sizeof body));
    call_abort(&failing);
    expect_gone(&failing);
    cr_assert_eq(counters->aborted, 5);
    finish();
}

/* The other calls, from inside the handlers; and a failure that they bring about there. */
static void do_all(struct call *call) {
    static uint8_t body[64 * 1024];

    relay_exchange_pause(call->exchange);
    relay_exchange_resume(call->exchange);
    relay_exchange_body(call->exchange, bytes_of(body, 16));
    if (call->context != NULL) {
        bench.ring.chunks.limit = bench.ring.chunks.in_use;
        relay_exchange_body(call->exchange, bytes_of(body, sizeof body));
    }
}

static void run_calls_in_head(void *with_failure) {
    struct call call = {.on_head = do_all, .context = with_failure};

    begin(say_slowly, NULL);
    call_start(&call, &bench, CHUNKED_HEAD, HTTP_CHUNKED, false);
    if (with_failure != NULL) {
        bench_until(&bench, &call.done);
        cr_assert_eq(call.error, RELAY_BROKEN);
        cr_assert_eq(call.body_size, 0);
    } else {
        bench_until(&bench, &call.got_head);
        bench_turn_for(&bench, 20);
        cr_assert_str_eq(call.body, "hello");
        call_abort(&call);
    }
    finish();
}

Test(exchange, takes_calls_inside_its_handlers) {
    run_calls_in_head(NULL);
    run_calls_in_head("with failure");
}

static struct call chain[50];

static void start_next(struct call *call) {
    size_t next = (size_t)(call - chain) + 1;

    if (next < ARRAY_LENGTH(chain)) {
        chain[next].on_done = start_next;
        call_start(&chain[next], &bench, GET_HEAD, HTTP_NO_BODY, true);
    }
}

Test(exchange, the_next_may_begin_where_one_ends) {
    begin(serve_forever, NULL);
    chain[0].on_done = start_next;
    call_start(&chain[0], &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_until(&bench, &chain[ARRAY_LENGTH(chain) - 1].done);
    for (size_t i = 0; i < ARRAY_LENGTH(chain); i++) {
        cr_assert_str_eq(chain[i].body, "hello");
    }
    cr_assert_eq(counters->opened, 1);
    cr_assert_eq(counters->reused, ARRAY_LENGTH(chain) - 1);
    finish();
}

Test(exchange, goes_on_while_its_relay_closes) {
    struct call call = {0};

    begin(serve_forever, NULL);
    call_start(&call, &bench, GET_HEAD, HTTP_NO_BODY, true);
    relay_close(bench.relay);
    cr_assert_not(relay_is_idle(bench.relay));
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    cr_assert_eq(counters->pooled, 0);
    bench_turn_for(&bench, 20);
    cr_assert(relay_is_idle(bench.relay));
    finish();
}

Test(exchange, a_relay_that_closes_starts_none) {
    struct relay_request request = {.host = &bench.host, .head = bytes_of_string(GET_HEAD), .idempotent = true};

    begin(serve_forever, NULL);
    call_get(&bench, 200);
    relay_close(bench.relay);
    cr_assert_null(relay_exchange_start(bench.relay, &request, NULL, NULL));
    finish();
}
