/* The life of an exchange, as far as it is the same whatever protocol the origin speaks. */
#include "scene.h"

#include <criterion/criterion.h>

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
