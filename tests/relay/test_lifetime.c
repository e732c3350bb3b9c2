/* The life of an exchange, as far as it is the same whatever protocol the origin speaks. */
#include "frames.h"
#include "scene.h"

#include <criterion/criterion.h>

#define UPLOAD_HEAD "POST /x HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"

static struct call chain[50];

static void start_next(struct call *call) {
    size_t next = (size_t)(call - chain) + 1;

    if (next < ARRAY_LENGTH(chain)) {
        chain[next].on_done = start_next;
        call_start(&chain[next], &bench, GET_HEAD, HTTP_NO_BODY, true);
    }
}

Test(lifetime, the_next_may_begin_where_one_ends) {
    begin(serve_forever, NULL);
    chain[0].on_done = start_next;
    call_start(&chain[0], &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_until(&bench, &chain[ARRAY_LENGTH(chain) - 1].done);
    for (size_t i = 0; i < ARRAY_LENGTH(chain); i++) {
        cr_assert_str_eq(chain[i].body, "hello");
    }
    cr_assert_eq(events(STATS_ORIGIN_OPENED), 1);
    cr_assert_eq(events(STATS_ORIGIN_REUSED), ARRAY_LENGTH(chain) - 1);
    finish();
}

Test(lifetime, goes_on_while_its_relay_closes) {
    struct call call = {0};

    begin(serve_forever, NULL);
    call_start(&call, &bench, GET_HEAD, HTTP_NO_BODY, true);
    relay_close(bench.relay);
    cr_assert_not(relay_is_idle(bench.relay));
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    cr_assert_eq(events(STATS_ORIGIN_POOLED), 0);
    bench_turn_for(&bench, 20);
    cr_assert(relay_is_idle(bench.relay));
    finish();
}

Test(lifetime, a_relay_that_closes_starts_none) {
    enum relay_fault fault;
    struct relay_request request = {.host = &bench.host, .head = bytes_of_string(GET_HEAD), .idempotent = true};

    begin(serve_forever, NULL);
    call_get(&bench, 200);
    relay_close(bench.relay);
    cr_assert_null(relay_exchange_start(bench.relay, &request, NULL, NULL, &fault));
    finish();
}

/* An origin of HTTP/2 that takes a request, as far as its first windows go, and never says anything. */
static bool say_nothing(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    return true;
}

static void begin_silent(void) {
    memset(&script, 0, sizeof script);
    begin_http2(say_nothing);
}

static void start_upload(struct call *call, bool patient) {
    struct relay_request request = {
        .host = &bench.host, .head = bytes_of_string(UPLOAD_HEAD), .framing = HTTP_CHUNKED, .patient = patient};

    call_start_request(call, &bench, &request);
}

/* Gives pieces of a body until the origin has `size` bytes of all bodies: 65535 are what its windows let come. */
static void upload(struct call *call, int size) {
    static const uint8_t zeros[4096];
    size_t given = 0;
    int before = atomic_load(&script.body);

    while (atomic_load(&script.body) < size) {
        size_t room = relay_exchange_room(call->exchange), left = (size_t)(size - before) - given;
        size_t piece = room < left ? room : left;

        piece = piece < sizeof zeros ? piece : sizeof zeros;
        relay_exchange_body(call->exchange, bytes_of(zeros, piece));
        given += piece;
        bench_turn_for(&bench, 1);
    }
}

Test(lifetime, an_origin_that_keeps_its_window_shut_times_out) {
    struct call call = {0};

    begin_silent();
    start_upload(&call, false);
    upload(&call, 65535);
    bench_be_impatient(&bench, 100);
    cr_assert_eq(relay_exchange_room(call.exchange), 0);
    /* The deadline that runs is the long one. */
    relay_exchange_pause(call.exchange);
    relay_exchange_resume(call.exchange);
    bench_until(&bench, &call.done);
    cr_assert_eq(call.error, RELAY_TIMEOUT);
    cr_assert_eq(call.fault, RELAY_FAULT_SEND_TIMED_OUT);
    finish();
}

/* The second stream uses up the window of the connection. */
Test(lifetime, a_window_that_others_have_used_up_counts_too) {
    struct call one = {0}, other = {0};

    begin_silent();
    start_upload(&one, false);
    upload(&one, 4096);
    start_upload(&other, false);
    upload(&other, 65535);
    bench_be_impatient(&bench, 100);
    cr_assert_eq(relay_exchange_room(one.exchange), 0);
    bench_until(&bench, &one.done);
    cr_assert_eq(one.fault, RELAY_FAULT_SEND_TIMED_OUT);
    cr_assert_not(other.done);
    call_abort(&other);
    finish();
}

static void outlast(bool patient, int size) {
    struct call call = {0};

    begin_silent();
    bench_be_impatient(&bench, 100);
    start_upload(&call, patient);
    upload(&call, size);
    bench_turn_for(&bench, 400);
    cr_assert_not(call.done);
    call_abort(&call);
    finish();
}

Test(lifetime, an_upload_has_no_deadline_while_the_client_is_awaited) {
    outlast(false, 4096);
    outlast(true, 65535); /* the window is shut */
}
