/*
 * Exchanges whose origins switch to another protocol, those that are no HTTP from the start, and streams of events, which
 * may be silent for as long.
 */
#include "scene.h"

#include <criterion/criterion.h>
#include <sys/socket.h>

#define ASKS   "GET /t HTTP/1.1\r\nHost: a.test\r\nUpgrade: test\r\nConnection: Upgrade\r\n\r\n"
#define SWITCH "HTTP/1.1 101 Switching Protocols\r\nUpgrade: test\r\nConnection: Upgrade\r\n\r\n"

static void ask(struct call *call) {
    call_start_request(
        call, &bench,
        &(struct relay_request){.host = &bench.host, .head = bytes_of_string(ASKS), .idempotent = true, .upgrades = true});
}

static void say(struct call *call, const char *text) {
    relay_exchange_body(call->exchange, bytes_of_string(text));
}

static void part(struct call *call) {
    relay_exchange_part(call->exchange);
    call->exchange = NULL;
}

/* Turns until so many bytes have come. */
static void hear(struct call *call, size_t size) {
    for (unsigned i = 0; i < 2000 && call->body_size < size; i++) {
        bench_turn_for(&bench, 1);
    }
    cr_assert_eq(call->body_size, size, "%zu", call->body_size);
}

/* Switches, with bytes behind the head; echoes; and ends its half behind that of its peer. */
static void switch_and_echo(struct fake_origin *origin, int socket, int number) {
    char data[4096];
    ssize_t size;

    if (!fake_read_head(socket, data, sizeof data)) {
        return;
    }
    fake_say(socket, SWITCH "hi ");
    while ((size = recv(socket, data, sizeof data, 0)) > 0) {
        fake_send(socket, data, (size_t)size);
    }
    origin->signal = 1;
}

Test(tunnel, bytes_pass_both_ways_until_both_halves_have_ended) {
    struct call call = {0};

    begin(switch_and_echo, NULL);
    ask(&call);
    cr_assert_eq(relay_exchange_room(call.exchange), 0);
    bench_until(&bench, &call.got_head);
    cr_expect_eq(call.status, 101);
    cr_expect_eq(call.interim, 0);
    cr_assert_gt(relay_exchange_room(call.exchange), 0);
    say(&call, "one ");
    hear(&call, 7);
    say(&call, "two");
    relay_exchange_body_end(call.exchange);
    bench_until(&bench, &call.half_ended);
    hear(&call, 10);
    cr_expect_str_eq(call.body, "hi one two");
    cr_expect_not(call.done, "the owner ends it");
    part(&call);
    cr_expect_eq(results(STATS_ORIGIN_COMPLETED), 1);
    cr_expect_eq(events(STATS_ORIGIN_POOLED), 0);
    finish();
}

static void switch_and_end(struct fake_origin *origin, int socket, int number) {
    char data[64];

    if (fake_read_head(socket, (char[4096]){0}, 4096)) {
        fake_say(socket, SWITCH "all");
        shutdown(socket, SHUT_WR);
        origin->signal = fake_read_exactly(socket, data, 9) && memcmp(data, "and more ", 9) == 0 && fake_reads_end(socket);
    }
}

Test(tunnel, the_half_of_the_client_goes_on_without_that_of_the_origin) {
    struct call call = {0};

    begin(switch_and_end, NULL);
    ask(&call);
    bench_until(&bench, &call.half_ended);
    cr_expect_str_eq(call.body, "all");
    say(&call, "and ");
    bench_turn_for(&bench, 20);
    say(&call, "more ");
    relay_exchange_body_end(call.exchange);
    part(&call);
    for (unsigned i = 0; i < 1000 && fake.signal == 0; i++) {
        bench_turn_for(&bench, 2);
    }
    cr_expect_eq(fake.signal, 1, "what was given before the end has left");
    finish();
}

static void say_hello_at_head(struct call *call) {
    say(call, "hello");
}

Test(tunnel, may_be_spoken_into_from_its_head_on) {
    struct call call = {.on_head = say_hello_at_head};

    begin(switch_and_echo, NULL);
    ask(&call);
    hear(&call, 8);
    cr_expect_str_eq(call.body, "hi hello");
    call_abort(&call);
    cr_expect_eq(results(STATS_ORIGIN_ABORTED), 1);
    finish();
}

static void abort_now(struct call *call) {
    call_abort(call);
}

static void abort_at_body(struct call *call, size_t size) {
    call_abort(call);
}

Test(tunnel, may_be_ended_by_each_handler) {
    struct call calls[] = {{.on_head = abort_now}, {.on_body = abort_at_body}};

    begin(switch_and_echo, NULL);
    for (size_t i = 0; i < ARRAY_LENGTH(calls); i++) {
        ask(&calls[i]);
        bench_turn_for(&bench, 50);
        cr_expect(calls[i].aborted);
    }
    cr_expect_eq(bench.relay->exchanges.in_use, 0);
    finish();
}

Test(tunnel, has_no_deadline) {
    struct call call = {0};

    begin(switch_and_echo, NULL);
    ask(&call);
    bench_until(&bench, &call.got_head);
    hear(&call, 3);
    bench_hold_clock(&bench);
    bench_pass(&bench, 10 * BENCH_PATIENCE_MS);
    cr_expect_not(call.done);
    say(&call, "still");
    hear(&call, 8);
    bench_pass(&bench, 10 * BENCH_PATIENCE_MS);
    cr_expect_not(call.done);
    call_abort(&call);
    finish();
}

static void switch_and_reset(struct fake_origin *origin, int socket, int number) {
    const struct linger linger = {.l_onoff = 1};

    if (fake_read_head(socket, (char[4096]){0}, 4096)) {
        fake_say(socket, SWITCH "x");
        fake_wait(origin, 1);
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    }
}

Test(tunnel, a_reset_is_no_end_of_a_half) {
    struct call call = {0};

    begin(switch_and_reset, NULL);
    ask(&call);
    hear(&call, 1);
    fake.signal = 1;
    bench_until(&bench, &call.done);
    cr_expect(call.failed && !call.half_ended);
    cr_expect_eq(call.fault, RELAY_FAULT_RESET);
    finish();
}

/* The head has promised a body, of which nothing has been given. */
Test(tunnel, does_not_begin_before_the_end_of_the_request) {
    struct call call = {0};

    begin(switch_and_echo, NULL);
    call_start_request(&call, &bench,
                       &(struct relay_request){
                           .host = &bench.host, .head = bytes_of_string(ASKS), .framing = HTTP_LENGTH, .upgrades = true});
    bench_until(&bench, &call.done);
    cr_expect(call.failed && !call.got_head);
    cr_expect_eq(call.fault, RELAY_FAULT_UPGRADE);
    finish();
}

Test(tunnel, what_was_offered_may_be_ignored_but_costs_the_connection) {
    struct call calls[2] = {{0}};

    begin(say_context, OK_HELLO);
    for (size_t i = 0; i < ARRAY_LENGTH(calls); i++) {
        ask(&calls[i]);
        bench_until(&bench, &calls[i].done);
        cr_expect(calls[i].ended);
        cr_expect_eq(calls[i].status, 200);
    }
    cr_expect_eq(events(STATS_ORIGIN_OPENED), 2);
    cr_expect_eq(events(STATS_ORIGIN_POOLED), 0);
    finish();
}

/* Tunnels from the start. */

static void open_tunnel(struct call *call) {
    call_start_request(call, &bench,
                       &(struct relay_request){.host = &bench.host, .head = bytes_of_string(""), .bare = true});
}

/* Speaks first; then echoes, and ends its half behind that of its peer. */
static void greet_and_echo(struct fake_origin *origin, int socket, int number) {
    char data[4096];
    ssize_t size;

    fake_say(socket, "220 ");
    while ((size = recv(socket, data, sizeof data, 0)) > 0) {
        fake_send(socket, data, (size_t)size);
    }
    origin->signal = size == 0 ? 1 : 2;
}

static void until_signal(int signal) {
    for (unsigned i = 0; i < 1000 && fake.signal == 0; i++) {
        bench_turn_for(&bench, 2);
    }
    cr_expect_eq(fake.signal, signal, "%d", fake.signal);
}

Test(tunnel, from_the_start_has_no_request_and_the_origin_may_speak_first) {
    struct call call = {0};

    begin(greet_and_echo, NULL);
    open_tunnel(&call);
    cr_assert_eq(relay_exchange_room(call.exchange), 0);
    hear(&call, 4);
    cr_expect_eq(call.drained, 1, "the connection is made");
    cr_assert_gt(relay_exchange_room(call.exchange), 0);
    cr_expect_str_eq(relay_exchange_origin(call.exchange), bench.texts[0]);
    cr_expect_eq(bench.relay->buffers.in_use, 0, "nothing is kept to be sent again");
    say(&call, "one ");
    hear(&call, 8);
    say(&call, "two");
    relay_exchange_body_end(call.exchange);
    bench_until(&bench, &call.half_ended);
    cr_expect_str_eq(call.body, "220 one two");
    part(&call);
    cr_expect_not(call.got_head || call.done);
    cr_expect_eq(results(STATS_ORIGIN_COMPLETED), 1);
    cr_expect_eq(events(STATS_ORIGIN_OPENED), 1);
    cr_expect_eq(events(STATS_ORIGIN_POOLED), 0);
    finish();
}

/* The origin could not tell an end from a message that is cut off. */
Test(tunnel, from_the_start_that_is_aborted_is_reset) {
    struct call call = {0};

    begin(greet_and_echo, NULL);
    open_tunnel(&call);
    hear(&call, 4);
    say(&call, "half of i");
    hear(&call, 13);
    call_abort(&call);
    until_signal(2);
    finish();
}

Test(tunnel, from_the_start_has_no_deadline_but_that_of_the_connection) {
    struct call call = {0};

    begin(greet_and_echo, NULL);
    open_tunnel(&call);
    hear(&call, 4);
    bench_hold_clock(&bench);
    bench_pass(&bench, 10 * BENCH_PATIENCE_MS);
    cr_expect_not(call.done);
    call_abort(&call);
    finish();
}

/* Nothing was sent, which for a request means that its answer cannot have come. */
static void greet_and_reset(struct fake_origin *origin, int socket, int number) {
    const struct linger linger = {.l_onoff = 1};

    fake_say(socket, "220 bye");
    fake_wait(origin, 1);
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

Test(tunnel, from_the_start_fails_with_its_origin) {
    struct call call = {0};

    begin(greet_and_reset, NULL);
    open_tunnel(&call);
    hear(&call, 7);
    fake.signal = 1;
    bench_until(&bench, &call.done);
    cr_expect(call.failed && !call.half_ended);
    cr_expect_eq(call.fault, RELAY_FAULT_RESET);
    cr_expect_eq(results(STATS_ORIGIN_BROKEN), 1);
    finish();
}

Test(tunnel, from_the_start_goes_to_the_next_origin_when_one_is_down) {
    struct call call = {0};

    fake_origin_start(&fake, 0, greet_and_echo, NULL);
    bench_create(&bench, NULL, (uint16_t[]){fake_dead_port(), fake.port}, 2);
    open_tunnel(&call);
    hear(&call, 4);
    cr_expect_str_eq(relay_exchange_origin(call.exchange), bench.texts[1]);
    cr_expect_eq(events(STATS_ORIGIN_CONNECT_FAILED), 1);
    call_abort(&call);
    finish();
}

Test(tunnel, from_the_start_without_an_origin_fails) {
    struct call call = {0};

    fake_origin_start(&fake, 0, greet_and_echo, NULL);
    bench_create(&bench, NULL, (uint16_t[]){fake_dead_port()}, 1);
    open_tunnel(&call);
    bench_until(&bench, &call.done);
    cr_expect(call.failed);
    cr_expect_eq(call.error, RELAY_UNREACHABLE);
    cr_expect_eq(call.fault, RELAY_FAULT_REFUSED);
    cr_expect_eq(bench.relay->buffers.in_use, 0);
    finish();
}

/* Says much, for which large receives are made. */
static void pour(struct fake_origin *origin, int socket, int number) {
    static uint8_t data[4 * 1024 * 1024];

    pattern_fill(data, 0, sizeof data);
    fake_send(socket, data, sizeof data);
}

Test(tunnel, from_the_start_is_read_as_its_owner_has_room) {
    struct call call = {.room = 20000};

    begin(pour, NULL);
    open_tunnel(&call);
    bench_until(&bench, &call.half_ended);
    cr_expect_eq(call.body_size, 4 * 1024 * 1024);
    cr_expect_not(call.pattern_broken);
    cr_expect_leq(call.piece_max, 20000);
    call_abort(&call);
    call = (struct call){.room = 60000};
    open_tunnel(&call);
    bench_until(&bench, &call.half_ended);
    cr_expect_gt(call.piece_max, RING_RECEIVE_SIZE, "many bytes come at once");
    call_abort(&call);
    finish();
}

static void switch_and_pour(struct fake_origin *origin, int socket, int number) {
    if (fake_read_head(socket, (char[4096]){0}, 4096) && fake_say(socket, SWITCH)) {
        pour(origin, socket, number);
    }
}

Test(tunnel, behind_a_switch_is_read_as_its_owner_has_room) {
    struct call call = {.room = 60000};

    begin(switch_and_pour, NULL);
    ask(&call);
    bench_until(&bench, &call.half_ended);
    cr_expect_eq(call.body_size, 4 * 1024 * 1024);
    cr_expect_not(call.pattern_broken);
    cr_expect_gt(call.piece_max, RING_RECEIVE_SIZE);
    cr_expect_leq(call.piece_max, 60000);
    call_abort(&call);
    finish();
}

/* Streams of events. */

static void stream_events(struct fake_origin *origin, int socket, int number) {
    if (fake_read_head(socket, (char[4096]){0}, 4096)) {
        fake_say(socket, origin->context);
        fake_reads_end(socket);
    }
}

/* Returns whether the exchange has failed by a deadline when so much time has passed. */
static bool is_cut_off(const char *answer, bool doubted, unsigned pass_ms) {
    struct call call = {0};

    begin(stream_events, (void *)answer);
    bench.relay->hosts[0].events_ms = 10 * BENCH_PATIENCE_MS;
    call_start(&call, &bench, GET_HEAD, HTTP_NO_BODY, true);
    hear(&call, 3);
    bench_hold_clock(&bench);
    if (doubted) {
        relay_exchange_doubt(call.exchange);
    }
    bench_pass(&bench, pass_ms);
    bool failed = call.failed;
    cr_expect(!failed || call.fault == RELAY_FAULT_TIMED_OUT);
    if (!failed) {
        call_abort(&call);
    }
    finish();
    return failed;
}

Test(tunnel, a_stream_of_events_may_be_silent_for_as_long) {
    static const char events[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\na:b";
    static const char others[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\na:b";

    cr_expect(is_cut_off(others, false, BENCH_PATIENCE_MS + 100));
    cr_expect_not(is_cut_off(events, false, BENCH_PATIENCE_MS + 100));
    cr_expect_not(is_cut_off(events, false, 9 * BENCH_PATIENCE_MS));
    cr_expect(is_cut_off(events, false, 10 * BENCH_PATIENCE_MS + 100));
    cr_expect(is_cut_off(events, true, BENCH_PATIENCE_MS + 100), "nobody may listen");
}
