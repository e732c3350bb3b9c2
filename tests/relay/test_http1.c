#include "scene.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#define CHUNKED_HEAD "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

static void take_nothing(struct fake_origin *origin, int socket, int number) {
    fake_wait(origin, 1);
}

Test(http1, is_refused_when_no_stream_is_left) {
    struct ring_options options = {.streams = 16, .accepted = 16, .receive_buffers = 16, .chunks = 64};
    enum relay_fault fault;
    struct relay_request request = {.host = &bench.host, .head = bytes_of_string(GET_HEAD), .idempotent = true};
    struct call calls[16] = {0};

    fake_origin_start(&fake, 0, take_nothing, NULL);
    bench_create(&bench, &options, &fake.port, 1);
    for (int i = 0; i < 16; i++) {
        call_start(&calls[i], &bench, GET_HEAD, HTTP_NO_BODY, true);
    }
    cr_assert_null(relay_exchange_start(bench.relay, &request, NULL, NULL, &fault));
    bench_turn_for(&bench, 20);
    for (int i = 0; i < 16; i++) {
        call_abort(&calls[i]);
    }
    atomic_store(&fake.signal, 1);
    bench_turn_for(&bench, 50);
    cr_assert_eq(bench.ring.streams.in_use, 0);
    finish();
}

Test(http1, is_refused_when_the_ring_has_no_stream) {
    enum relay_fault fault;
    struct relay_request request = {.host = &bench.host, .head = bytes_of_string(GET_HEAD), .idempotent = true};
    struct call call = {0};

    begin(serve_forever, NULL);
    call_start(&call, &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench.ring.streams.limit = bench.ring.streams.touched;
    cr_assert_null(relay_exchange_start(bench.relay, &request, NULL, NULL, &fault));
    cr_assert_null(relay_exchange_start(bench.relay, &request, NULL, NULL, &fault));
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

Test(http1, fails_when_the_ring_is_out_of_chunks) {
    struct ring_options options = {.streams = 16, .accepted = 16, .receive_buffers = 16, .chunks = 2};
    static uint8_t body[64 * 1024];
    struct call call = {0}, connecting = {0}, ending = {0};

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
    void *held[2];
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

Test(http1, fails_when_a_pooled_connection_has_no_chunks_either) {
    struct ring_options options = {.streams = 16, .accepted = 16, .receive_buffers = 16, .chunks = 2};
    struct call call = {0};

    fake_origin_start(&fake, 0, serve_forever, NULL);
    bench_create(&bench, &options, &fake.port, 1);
    call_get(&bench, 200);
    void *held[2];
    hold_chunks(held);
    call_run_get(&call, &bench);
    cr_assert_eq(call.error, RELAY_BROKEN);
    cr_assert_eq(events(STATS_ORIGIN_REUSED), 1);
    cr_assert_eq(events(STATS_ORIGIN_OPENED), 2);
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
    cr_assert_eq(events(STATS_ORIGIN_POOLED), 0);
}

Test(http1, can_be_aborted_before_it_is_connected) {
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

Test(http1, can_be_aborted_in_its_handlers) {
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

Test(http1, can_be_aborted_in_the_middle) {
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
    cr_assert_eq(results(STATS_ORIGIN_ABORTED), 5);
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

Test(http1, takes_calls_inside_its_handlers) {
    run_calls_in_head(NULL);
    run_calls_in_head("with failure");
}

/* Reads a post's head, whose acknowledgement the kernel puts off, and breaks off. */
static void read_and_break_off(struct fake_origin *origin, int socket, int number) {
    char head[4096];

    if (!fake_read_head(socket, head, sizeof head) || !fake_say(socket, OK_HELLO)) {
        return;
    }
    setsockopt(socket, IPPROTO_TCP, TCP_QUICKACK, &(int){0}, sizeof(int));
    if (fake_read_head(socket, head, sizeof head)) {
        fake_wait(origin, 1);
        fake_break_off(socket);
        atomic_store(&origin->signal, 2);
    }
}

static struct call post;

static void go_on_posting(struct timer *timer) {
    atomic_store(&fake.signal, 1);
    fake_wait(&fake, 2);
    relay_exchange_body(post.exchange, bytes_of_string("body"));
    relay_exchange_body_end(post.exchange);
}

Test(http1, posts_once_what_the_origin_may_have_read_before_its_reset) {
    struct timer behind;

    begin(read_and_break_off, NULL);
    call_get(&bench, 200);
    call_start(&post, &bench, POST_HEAD, HTTP_LENGTH, false);
    bench_turn_for(&bench, 10);
    timer_init(&behind, go_on_posting);
    timer_set(&bench.ring.timers, &behind, ring_now_ms(&bench.ring), 1);
    bench_until(&bench, &post.done);
    cr_assert(post.failed);
    cr_assert_eq(post.fault, RELAY_FAULT_RESET, "%s", relay_fault_name(post.fault));
    cr_assert_eq(atomic_load(&fake.accepted), 1);
    finish();
}
