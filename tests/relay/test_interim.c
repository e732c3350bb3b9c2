/* Informational responses, which come before an answer, and trailers, which come behind it. */
#include "scene.h"

#include <criterion/criterion.h>

static void run_interim(unsigned count, bool fits) {
    static char text[4096];
    struct call call = {0};
    size_t used = 0;

    for (unsigned i = 0; i < count; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "HTTP/1.1 103 Early Hints\r\nX: %u\r\n\r\n", i);
    }
    snprintf(text + used, sizeof text - used, "%s", OK_HELLO);
    begin(say_context, text);
    call_run_get(&call, &bench);
    cr_assert_eq(call.ended, fits);
    cr_assert_eq(call.interim, count < RELAY_INTERIM_MAX ? count : RELAY_INTERIM_MAX);
    cr_assert(fits || call.fault == RELAY_FAULT_TOO_MANY_INTERIM);
    finish();
}

Test(interim, informational_ones_are_told_up_to_a_bound) {
    run_interim(0, true);
    run_interim(2, true);
    run_interim(RELAY_INTERIM_MAX, true);
    run_interim(RELAY_INTERIM_MAX + 1, false);
}

Test(interim, continue_is_not_told) {
    struct call call = {0};

    begin(say_context, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nA: b\r\n\r\n" OK_HELLO);
    call_run_get(&call, &bench);
    cr_assert(call.ended);
    cr_assert_str_eq(call.interim_heads, "HTTP/1.1 102 Processing\r\nA: b\r\n\r\n");
    cr_assert_eq(events(STATS_ORIGIN_POOLED), 1);
    finish();
}

static void abort_now(struct call *call) {
    call_abort(call);
}

Test(interim, informational_ones_may_be_the_last_straw) {
    struct call call = {.on_interim = abort_now};

    begin(say_context, "HTTP/1.1 103 Early Hints\r\n\r\n" OK_HELLO);
    call_start(&call, &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_turn_for(&bench, 50);
    cr_assert(call.aborted);
    cr_assert_eq(bench.relay->exchanges.in_use, 0);
    finish();
}

static void run_trailers(bool wanted, const char *expected) {
    struct call call = {0};
    struct relay_request request = {
        .host = &bench.host, .head = bytes_of_string(GET_HEAD), .idempotent = true, .trailers = wanted};

    begin(say_context, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n");
    call_start_request(&call, &bench, &request);
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    cr_assert_str_eq(call.trailers, expected);
    cr_assert_eq(events(STATS_ORIGIN_POOLED), 1);
    finish();
}

/* They are between the origin and us, be they trailers (RFC 9110 section 7.6.1). */
static void run_named(const char *answer, const char *expected) {
    struct call call = {0};
    struct relay_request request = {
        .host = &bench.host, .head = bytes_of_string(GET_HEAD), .idempotent = true, .trailers = true};

    begin(say_context, (void *)answer);
    call_start_request(&call, &bench, &request);
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    cr_assert_str_eq(call.body, "hello");
    cr_assert_str_eq(call.trailers, expected);
    finish();
}

Test(interim, trailers_that_connection_names_end_here) {
    run_named("HTTP/1.1 200 OK\r\nConnection: X-Hop, keep-alive\r\nTransfer-Encoding: chunked\r\nConnection: X-Last\r\n\r\n"
              "5\r\nhello\r\n0\r\nX-Hop: 1\r\nA: b\r\nx_hop: 2\r\nX-Last: 3\r\nX-Hops: 4\r\n\r\n",
              "A: b\r\nX-Hops: 4\r\n\r\n");
    run_named("HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nTransfer-Encoding: chunked\r\n\r\n"
              "5\r\nhello\r\n0\r\nX-Hop: 1\r\n\r\n",
              "\r\n");
    /* A mended head lies in the buffer. */
    run_named("HTTP/1.1 200\r\nConnection: X-Hop,\r\n X-Last\r\nTransfer-Encoding: chunked\r\n\r\n"
              "5\r\nhello\r\n0\r\nX-Last: 1\r\nA: b\r\n\r\n",
              "A: b\r\n\r\n");
    /* An informational answer speaks for itself. */
    run_named("HTTP/1.1 103 Hints\r\nConnection: A\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
              "5\r\nhello\r\n0\r\nA: b\r\n\r\n",
              "A: b\r\n\r\n");
}

/* As much as a head can hold, in one line and in many that are mended. */
Test(interim, as_many_names_as_connection_can_list_end_here) {
    static char answer[RELAY_RESPONSE_HEAD_MAX + 1024];

    for (int folded = 0; folded < 2; folded++) {
        struct text out = text_over(answer, sizeof answer - 1);

        text_append_string(&out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: ");
        while (out.size < RELAY_RESPONSE_HEAD_MAX - 100) {
            text_append_string(&out, folded == 1 ? "close,\r\n " : "close,");
        }
        text_append_string(&out, "X-Hop\r\n\r\n5\r\nhello\r\n0\r\nX-Hop: 1\r\nA: b\r\n\r\n");
        cr_assert_not(out.overflow);
        answer[out.size] = '\0';
        run_named(answer, "A: b\r\n\r\n");
    }
}

Test(interim, trailers_are_kept_for_those_who_want_them) {
    run_trailers(true, "A: b\r\n\r\n");
    run_trailers(false, "");
}

static void keep_request(struct fake_origin *origin, int socket, int number) {
    char *rest = origin->context;

    char head[4096];
    fake_read_head(socket, head, sizeof head);
    fake_read_exactly(socket, rest, strlen("2\r\nhi\r\n0\r\nA: b\r\n\r\n"));
    fake_say(socket, OK_HELLO);
    fake_reads_end(socket);
}

Test(interim, trailers_of_a_request_go_behind_its_body) {
    static char rest[64];
    struct call call = {0};

    begin(keep_request, rest);
    call_start(&call, &bench, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_CHUNKED, false);
    relay_exchange_body(call.exchange, bytes_of_string("hi"));
    relay_exchange_body_end_with(call.exchange, bytes_of_string("A: b\r\n"));
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    cr_assert_str_eq(rest, "2\r\nhi\r\n0\r\nA: b\r\n\r\n");
    cr_assert_eq(events(STATS_ORIGIN_POOLED), 0);
    finish();
}
