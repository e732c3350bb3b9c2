#include "relay/choose.h"
#include "relay/exchange.h"
#include "scene.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct fake_origin others[2];

static struct relay_host *host(void) {
    return &bench.relay->hosts[0];
}

static uint64_t retries(enum stats_retry cause) {
    return stats_read(&bench.counters.origin_retries[cause]);
}

static uint64_t lines(enum stats_line_end end) {
    return stats_read(&bench.counters.origin_lines[end]);
}

typedef void script(struct fake_origin *origin, int socket, int number);

/* One origin for each script, of two or three, and what `retry` of the host says. */
static void begin_two(script *first, script *second, unsigned causes) {
    uint16_t ports[2];

    fake_origin_start(&fake, 0, first, NULL);
    fake_origin_start(&others[0], 0, second, NULL);
    ports[0] = fake.port;
    ports[1] = others[0].port;
    bench_create(&bench, NULL, ports, 2);
    bench.host.retry = (struct config_retry){.causes = causes, .attempts = 2, .budget = 20};
    host()->budget.percent = 20;
}

/* Statuses may be awaited only where there are buffers for that: a relay that is made with `retry`. */
static void begin_with_statuses(script *first, script *second, unsigned causes) {
    begin_two(first, second, causes);
    relay_close(bench.relay);
    relay_free(bench.relay);
    bench.relay = relay_create(&bench.ring, &bench.config);
    relay_count_in(bench.relay, 0, &bench.counters);
}

static void finish_two(void) {
    bench_destroy(&bench);
    fake_origin_stop(&fake);
    fake_origin_stop(&others[0]);
}

static void read_and_close(struct fake_origin *origin, int socket, int number) {
    char head[1024];

    fake_read_head(socket, head, sizeof head);
}

static void read_and_wait(struct fake_origin *origin, int socket, int number) {
    char head[1024];

    fake_read_head(socket, head, sizeof head);
    fake_reads_end(socket);
}

static void say_503(struct fake_origin *origin, int socket, int number) {
    char head[1024];

    while (fake_read_head(socket, head, sizeof head) &&
           fake_say(socket, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy")) {
    }
}

/* A head in two pieces, which is gathered in a buffer. */
static void say_502_in_pieces(struct fake_origin *origin, int socket, int number) {
    char head[1024];

    while (fake_read_head(socket, head, sizeof head)) {
        fake_say(socket, "HTTP/1.1 502 Bad Gateway\r\nContent-");
        sleep_ms(30);
        fake_say(socket, "Length: 0\r\n\r\n");
    }
}

/* Answers when half of the body has come: with one half of a head, and with the other when told. */
static void say_503_early_in_pieces(struct fake_origin *origin, int socket, int number) {
    char head[1024], half[2];

    fake_read_head(socket, head, sizeof head);
    fake_read_exactly(socket, half, sizeof half);
    fake_say(socket, "HTTP/1.1 503 Service Unavailable\r\nContent-");
    fake_wait(origin, 1);
    fake_say(socket, "Length: 0\r\n\r\n");
    fake_reads_end(socket);
}

/* Echoes the body of a POST of 4 bytes. */
static void echo_four(struct fake_origin *origin, int socket, int number) {
    char head[1024], body[5] = "";

    while (fake_read_head(socket, head, sizeof head) && fake_read_exactly(socket, body, 4)) {
        char answer[128];

        snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n%s", body);
        fake_say(socket, answer);
    }
}

static void expect_hello(void) {
    struct call call = {0};

    call_run_get(&call, &bench);
    cr_assert(call.ended, "fault %d", call.fault);
    cr_assert_eq(call.status, 200);
    cr_assert_str_eq(call.body, "hello");
}

Test(dispatch, a_request_that_came_to_nothing_is_sent_to_another) {
    begin_two(read_and_close, serve_forever, CONFIG_RETRY_REFUSED);
    for (int i = 0; i < 4; i++) {
        expect_hello();
    }
    /* Both have had a turn by each request. */
    cr_assert_eq(atomic_load(&fake.accepted), 4);
    cr_assert_eq(retries(STATS_RETRY_REFUSED), 4);
    cr_assert_eq(results(STATS_ORIGIN_COMPLETED), 4);
    cr_assert_eq(results(STATS_ORIGIN_BROKEN), 0);
    finish_two();
}

Test(dispatch, without_the_rule_the_failure_is_the_answer) {
    struct call call = {0};

    begin_two(read_and_close, serve_forever, CONFIG_RETRY_TIMEOUT | CONFIG_RETRY_502 | CONFIG_RETRY_503);
    call_run_get(&call, &bench);
    cr_assert(call.failed);
    cr_assert_eq(call.error, RELAY_BROKEN);
    cr_assert_eq(call.fault, RELAY_FAULT_CLOSED_EARLY);
    cr_assert_eq(retries(STATS_RETRY_REFUSED), 0);
    finish_two();
}

Test(dispatch, what_may_not_be_repeated_is_not) {
    struct call call = {0};

    begin_two(read_and_close, serve_forever, CONFIG_RETRY_REFUSED);
    call_start(&call, &bench, GET_HEAD, HTTP_NO_BODY, false);
    bench_until(&bench, &call.done);
    cr_assert(call.failed);
    cr_assert_eq(call.error, RELAY_BROKEN);
    cr_assert_eq(atomic_load(&others[0].accepted), 0);
    finish_two();
}

Test(dispatch, the_body_that_was_sent_is_sent_again) {
    struct call call = {0};

    begin_two(read_and_close, echo_four, CONFIG_RETRY_REFUSED);
    call_start(&call, &bench, POST_HEAD, HTTP_LENGTH, true);
    while (!call.was_drained) {
        ring_turn(&bench.ring, 10);
    }
    relay_exchange_body(call.exchange, bytes_of_string("ab"));
    bench_turn_for(&bench, 20);
    if (!call.done) {
        relay_exchange_body(call.exchange, bytes_of_string("cd"));
        relay_exchange_body_end(call.exchange);
    }
    bench_until(&bench, &call.done);
    cr_assert(call.ended, "fault %d", call.fault);
    cr_assert_str_eq(call.body, "abcd");
    cr_assert_eq(retries(STATS_RETRY_REFUSED), 1);
    finish_two();
}

/* A body of which some has come behind the first byte of the answer is not there whole. */
Test(dispatch, a_body_that_outlasts_the_wait_for_a_status_is_not_sent_again_in_part) {
    struct call call = {0};

    begin_with_statuses(say_503_early_in_pieces, echo_four, CONFIG_RETRY_503);
    call_start(&call, &bench, POST_HEAD, HTTP_LENGTH, true);
    while (!call.was_drained) {
        ring_turn(&bench.ring, 10);
    }
    relay_exchange_body(call.exchange, bytes_of_string("ab"));
    while (!call.exchange->answered) {
        ring_turn(&bench.ring, 10);
    }
    relay_exchange_body(call.exchange, bytes_of_string("cd"));
    relay_exchange_body_end(call.exchange);
    atomic_store(&fake.signal, 1);
    bench_until(&bench, &call.done);
    cr_assert(call.ended, "fault %d", call.fault);
    cr_assert_eq(call.status, 503);
    cr_assert_eq(retries(STATS_RETRY_503), 0);
    cr_assert_eq(atomic_load(&others[0].accepted), 0);
    finish_two();
}

/* With a second try at the same origin, where there is no other. */
Test(dispatch, the_only_origin_is_tried_again_when_it_refused) {
    struct call call = {0};

    begin(read_and_close, NULL);
    bench.host.retry = (struct config_retry){.causes = CONFIG_RETRY_REFUSED, .attempts = 2, .budget = 20};
    call_run_get(&call, &bench);
    cr_assert(call.failed);
    cr_assert_eq(call.error, RELAY_BROKEN);
    cr_assert_eq(atomic_load(&fake.accepted), 3, "attempts are those after the first one");
    cr_assert_eq(retries(STATS_RETRY_REFUSED), 2);
    finish();
}

Test(dispatch, an_answer_that_does_not_come_is_asked_of_another) {
    begin_two(read_and_wait, serve_forever, CONFIG_RETRY_TIMEOUT);
    bench_be_impatient(&bench, 50);
    expect_hello();
    cr_assert_eq(retries(STATS_RETRY_TIMEOUT), 1);
    finish_two();
}

Test(dispatch, an_origin_that_is_too_slow_is_not_asked_twice) {
    struct call call = {0};

    begin(read_and_wait, NULL);
    bench.host.retry = (struct config_retry){.causes = CONFIG_RETRY_TIMEOUT, .attempts = 2, .budget = 20};
    bench_be_impatient(&bench, 50);
    call_run_get(&call, &bench);
    cr_assert_eq(call.error, RELAY_TIMEOUT);
    cr_assert_eq(atomic_load(&fake.accepted), 1);
    finish();
}

Test(dispatch, a_status_is_asked_of_another) {
    begin_with_statuses(say_503, serve_forever, CONFIG_RETRY_503);
    expect_hello();
    cr_assert_eq(retries(STATS_RETRY_503), 1);
    finish_two();
    begin_with_statuses(say_502_in_pieces, serve_forever, CONFIG_RETRY_502);
    expect_hello();
    cr_assert_eq(retries(STATS_RETRY_502), 1);
    finish_two();
}

/* When no other knows better the last one's answer is delivered, whole. */
Test(dispatch, the_last_answer_is_the_answer) {
    struct call call = {0};

    begin_with_statuses(say_503, say_503, CONFIG_RETRY_503);
    call_run_get(&call, &bench);
    cr_assert(call.ended);
    cr_assert_eq(call.status, 503);
    cr_assert_str_eq(call.body, "busy");
    cr_assert_eq(retries(STATS_RETRY_503), 2);
    cr_assert_eq(bench.relay->buffers.in_use, 0);
    finish_two();
}

Test(dispatch, a_status_that_is_not_named_is_delivered) {
    struct call call = {0};

    begin_with_statuses(say_503, serve_forever, CONFIG_RETRY_502);
    call_run_get(&call, &bench);
    cr_assert_eq(call.status, 503);
    cr_assert_str_eq(call.body, "busy");
    cr_assert_eq(bench.relay->buffers.in_use, 0);
    finish_two();
}

Test(dispatch, retries_end_with_their_budget) {
    begin_two(read_and_close, read_and_close, CONFIG_RETRY_REFUSED);
    bench_hold_clock(&bench);
    for (int i = 0; i < 30; i++) {
        struct call call = {0};

        call_run_get(&call, &bench);
        cr_assert_eq(call.error, RELAY_BROKEN);
    }
    cr_assert_eq(retries(STATS_RETRY_REFUSED), RETRY_BUDGET_LEAST);
    cr_assert_eq(stats_read(&bench.counters.origin_retries_denied), 30 - RETRY_BUDGET_LEAST / 2);
    finish_two();
}

Test(dispatch, tries_are_counted_for_the_owner) {
    struct call call = {0};
    uint32_t tries = 0;
    struct relay_request request = {.host = &bench.host,
                                    .head = bytes_of_string(GET_HEAD),
                                    .framing = HTTP_NO_BODY,
                                    .idempotent = true,
                                    .tries = &tries};

    begin_two(read_and_close, serve_forever, CONFIG_RETRY_REFUSED);
    call_start_request(&call, &bench, &request);
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    cr_assert_eq(tries, 2);
    finish_two();
}

/* Answers when the test says so. */
static void answer_at_signal(struct fake_origin *origin, int socket, int number) {
    char head[1024];

    while (fake_read_head(socket, head, sizeof head)) {
        fake_wait(origin, number + 1);
        fake_say(socket, OK_HELLO);
    }
}

static void begin_bounded(script *serve, uint32_t in_flight) {
    begin(serve, NULL);
    bench.origins[0].in_flight = in_flight;
    relay_share(bench.relay, 1);
}

Test(dispatch, requests_wait_in_line_and_are_served_in_order) {
    struct call calls[4] = {0};

    begin_bounded(serve_forever, 1);
    host()->line_max = 3;
    for (int i = 0; i < 4; i++) {
        call_start(&calls[i], &bench, GET_HEAD, HTTP_NO_BODY, true);
    }
    cr_assert_eq(host()->line_count, 3);
    for (int i = 0; i < 4; i++) {
        for (int j = i + 1; j < 4; j++) {
            cr_assert_not(calls[j].done);
        }
        bench_until(&bench, &calls[i].done);
        cr_assert(calls[i].ended);
        cr_assert_eq(atomic_load(&fake.accepted), 1);
    }
    cr_assert_eq(lines(STATS_LINE_SERVED), 3);
    cr_assert_eq(host()->origins[0]->member.in_flight, 0);
    finish();
}

Test(dispatch, the_line_has_an_end) {
    struct call calls[2] = {0};
    enum relay_fault fault;
    struct relay_request request = {
        .host = &bench.host, .head = bytes_of_string(GET_HEAD), .framing = HTTP_NO_BODY, .idempotent = true};

    begin_bounded(answer_at_signal, 1);
    call_start(&calls[0], &bench, GET_HEAD, HTTP_NO_BODY, true);
    call_start(&calls[1], &bench, GET_HEAD, HTTP_NO_BODY, true);
    cr_assert_null(relay_exchange_start(bench.relay, &request, calls[0].exchange->handler, &calls[0], &fault));
    cr_assert_eq(fault, RELAY_FAULT_BUSY);
    cr_assert_eq(lines(STATS_LINE_FULL), 1);
    atomic_store(&fake.signal, 10);
    bench_until(&bench, &calls[0].done);
    bench_until(&bench, &calls[1].done);
    cr_assert(calls[0].ended && calls[1].ended);
    finish();
}

Test(dispatch, nobody_waits_for_long) {
    struct call calls[2] = {0};

    begin_bounded(answer_at_signal, 1);
    bench_hold_clock(&bench);
    call_start(&calls[0], &bench, GET_HEAD, HTTP_NO_BODY, true);
    call_start(&calls[1], &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_pass(&bench, RELAY_LINE_MS - 10);
    cr_assert_not(calls[1].done);
    bench_pass(&bench, 20);
    cr_assert(calls[1].failed);
    cr_assert_eq(calls[1].error, RELAY_BUSY);
    cr_assert_eq(calls[1].fault, RELAY_FAULT_BUSY);
    cr_assert_eq(lines(STATS_LINE_TIMED_OUT), 1);
    atomic_store(&fake.signal, 10);
    bench_until(&bench, &calls[0].done);
    finish();
}

Test(dispatch, clients_that_go_leave_the_line_and_their_places) {
    struct call calls[3] = {0};

    begin_bounded(answer_at_signal, 1);
    host()->line_max = 2;
    for (int i = 0; i < 3; i++) {
        call_start(&calls[i], &bench, GET_HEAD, HTTP_NO_BODY, true);
    }
    call_abort(&calls[1]);
    cr_assert_eq(host()->line_count, 1);
    cr_assert_eq(lines(STATS_LINE_LEFT), 1);
    atomic_store(&fake.signal, 10);
    call_abort(&calls[0]);
    bench_until(&bench, &calls[2].done);
    cr_assert(calls[2].ended);
    finish();
}

Test(dispatch, those_that_wait_go_before_newcomers) {
    struct call calls[3] = {0};

    begin_bounded(serve_forever, 1);
    host()->line_max = 2;
    call_start(&calls[0], &bench, GET_HEAD, HTTP_NO_BODY, true);
    call_start(&calls[1], &bench, GET_HEAD, HTTP_NO_BODY, true);
    call_abort(&calls[0]);
    /* The origin has room, and who comes now is the second all the same. */
    call_start(&calls[2], &bench, GET_HEAD, HTTP_NO_BODY, true);
    cr_assert_eq(host()->line_count, 2);
    bench_until(&bench, &calls[1].done);
    cr_assert_not(calls[2].done);
    bench_until(&bench, &calls[2].done);
    finish();
}

/* The bodies of requests that wait are kept, and a body too large for that ends the wait. */
Test(dispatch, a_body_comes_while_its_request_waits) {
    struct call calls[2] = {0};

    begin_bounded(echo_four, 1);
    for (int i = 0; i < 2; i++) {
        call_start(&calls[i], &bench, POST_HEAD, HTTP_LENGTH, true);
        cr_assert_eq(relay_exchange_room(calls[i].exchange), 0);
        relay_exchange_body(calls[i].exchange, bytes_of_string("abcd"));
        relay_exchange_body_end(calls[i].exchange);
    }
    for (int i = 0; i < 2; i++) {
        bench_until(&bench, &calls[i].done);
        cr_assert_str_eq(calls[i].body, "abcd");
    }
    finish();
}

Test(dispatch, an_origin_that_fails_in_a_row_is_left_alone) {
    begin_two(read_and_close, serve_forever, CONFIG_RETRY_REFUSED);
    for (int i = 0; i < 30; i++) {
        expect_hello();
    }
    cr_assert_eq(atomic_load(&fake.accepted), EJECTION_FAILURES);
    cr_assert_eq(stats_read(&bench.counters.origin_ejections), 1);
    finish_two();
}
