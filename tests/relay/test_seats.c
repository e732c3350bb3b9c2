/* How many connections of HTTP/2 there are to an origin, and which exchanges wait for one. */
#include "base/bits.h"
#include "frames.h"
#include "scene.h"

#include <criterion/criterion.h>

/* Answers when the test says so. */
static bool say_hello_later(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    fake_wait(origin, 1);
    return frames_hello(socket, frame->stream);
}

static struct call calls[8];

static void start(size_t count) {
    for (size_t i = 0; i < count; i++) {
        call_start(&calls[i], &bench, GET_HEAD, HTTP_NO_BODY, true);
    }
}

static void end_well(size_t count) {
    for (size_t i = 0; i < count; i++) {
        bench_until(&bench, &calls[i].done);
        cr_assert(calls[i].ended, "%zu: %s", i, relay_fault_name(calls[i].fault));
    }
}

Test(seats, there_are_as_many_as_the_origin_makes_necessary) {
    script.streams_max = 2;
    begin_http2(say_hello_later);
    start(5);
    bench_turn_for(&bench, 100);
    cr_assert_eq(atomic_load(&fake.accepted), 3);
    atomic_store(&fake.signal, 1);
    end_well(5);
    cr_assert_eq(events(STATS_ORIGIN_OPENED), 3);
    /* The next ones find seats. */
    memset(calls, 0, sizeof calls);
    start(5);
    end_well(5);
    cr_assert_eq(atomic_load(&fake.accepted), 3);
    finish();
}

Test(seats, exchanges_wait_their_turn) {
    script.streams_max = 1;
    begin_http2(say_hello_later);
    bench.relay->channels_max = 1;
    start(4);
    bench_turn_for(&bench, 50);
    cr_assert_eq(atomic_load(&script.requests), 1);
    call_abort(&calls[2]);
    atomic_store(&fake.signal, 1);
    end_well(2);
    bench_until(&bench, &calls[3].done);
    cr_assert(calls[3].ended);
    cr_assert_eq(atomic_load(&fake.accepted), 1);
    cr_assert_eq(bench.relay->hosts[0].origins[0]->waiting_count, 0);
    finish();
}

Test(seats, exchanges_wait_for_so_long_only) {
    script.streams_max = 1;
    begin_http2(say_hello_later);
    bench.relay->channels_max = 1;
    bench.origins[0].timeouts.connect_ms = 100;
    start(2);
    bench_until(&bench, &calls[1].done);
    cr_assert_eq(calls[1].error, RELAY_BUSY);
    cr_assert_eq(calls[1].fault, RELAY_FAULT_BUSY);
    cr_assert_not(calls[0].done);
    atomic_store(&fake.signal, 1);
    end_well(1);
    finish();
}

Test(seats, so_many_exchanges_wait_only) {
    struct relay_request request = {.host = &bench.host, .head = bytes_of_string(GET_HEAD), .idempotent = true};
    enum relay_fault fault;

    begin_http2(say_hello);
    bench.relay->waiting_max = 3;
    start(3);
    cr_assert_null(relay_exchange_start(bench.relay, &request, NULL, NULL, &fault));
    cr_assert_eq(fault, RELAY_FAULT_BUSY);
    end_well(3);
    finish();
}

Test(seats, an_origin_that_refuses_connections_fails_all_that_wait) {
    uint16_t dead = fake_dead_port();
    _Atomic uint64_t down[BITS_WORDS] = {0};

    bench_create_http2(&bench, NULL, &dead, 1);
    relay_watch(bench.relay, 0, down);
    start(3);
    for (size_t i = 0; i < 3; i++) {
        bench_until(&bench, &calls[i].done);
        cr_assert_eq(calls[i].error, RELAY_UNREACHABLE);
        cr_assert_eq(calls[i].fault, RELAY_FAULT_REFUSED);
    }
    cr_assert_eq(atomic_load(down), 1);
    cr_assert_eq(events(STATS_ORIGIN_CONNECT_FAILED), 1);
    relay_watch(bench.relay, 0, NULL);
    bench_destroy(&bench);
}

Test(seats, the_next_address_serves_those_that_wait) {
    script.take = say_hello;
    fake_origin_start(&fake, 0, serve_frames, &script);
    uint16_t ports[] = {fake_dead_port(), fake.port};
    bench_create_http2(&bench, NULL, ports, 2);
    start(4);
    end_well(4);
    cr_assert_eq(events(STATS_ORIGIN_CONNECT_FAILED), 1);
    cr_assert_eq(atomic_load(&fake.accepted), 1);
    /* While the first one is down nobody asks it. */
    memset(calls, 0, sizeof calls);
    start(4);
    end_well(4);
    cr_assert_eq(events(STATS_ORIGIN_CONNECT_FAILED), 1);
    finish();
}

/* The next exchange begins in the handler of the one that has failed, towards the same origin. */
static void start_another(struct call *call) {
    if (call != &calls[7]) {
        (call + 1)->on_done = start_another;
        call_start(call + 1, &bench, GET_HEAD, HTTP_NO_BODY, true);
    }
}

Test(seats, a_failure_may_lead_to_the_next_attempt) {
    uint16_t dead = fake_dead_port();

    bench_create_http2(&bench, NULL, &dead, 1);
    calls[0].on_done = start_another;
    start(1);
    bench_until(&bench, &calls[7].done);
    cr_assert_eq(events(STATS_ORIGIN_CONNECT_FAILED), 8);
    bench_destroy(&bench);
}
