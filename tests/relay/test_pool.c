#include "scene.h"

#include <criterion/criterion.h>
#include <sys/socket.h>

Test(pool, keeps_a_connection_for_the_next_request) {
    begin(serve_forever, NULL);
    for (int i = 0; i < 20; i++) {
        call_get(&bench, 200);
    }
    cr_assert_eq(atomic_load(&fake.accepted), 1);
    cr_assert_eq(events(STATS_ORIGIN_OPENED), 1);
    cr_assert_eq(events(STATS_ORIGIN_REUSED), 19);
    cr_assert_eq(results(STATS_ORIGIN_COMPLETED), 20);
    cr_assert_eq(bench.relay->hosts[0].origins[0]->idle_count, 1);
    finish();
}

static void say_number(struct fake_origin *origin, int socket, int number) {
    char head[4096];
    char answer[128];

    while (fake_read_head(socket, head, sizeof head)) {
        snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d", number);
        fake_wait(origin, number + 1);
        fake_say(socket, answer);
    }
}

Test(pool, prefers_the_most_recently_used) {
    struct call first = {0}, second = {0}, third = {0}, fourth = {0};

    begin(say_number, NULL);
    call_start(&first, &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_turn_for(&bench, 30);
    call_start(&second, &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_turn_for(&bench, 30);
    atomic_store(&fake.signal, 1);
    bench_until(&bench, &first.done);
    atomic_store(&fake.signal, 2);
    bench_until(&bench, &second.done);
    cr_assert_str_eq(second.body, "1");
    call_run_get(&third, &bench);
    cr_assert_str_eq(third.body, "1");
    cr_assert_eq(bench.relay->hosts[0].origins[0]->idle_count, 2);
    call_run_get(&fourth, &bench);
    cr_assert_str_eq(fourth.body, "1");
    finish();
}

Test(pool, notices_that_the_origin_closes) {
    struct call call = {0};

    begin(serve_one_each, NULL);
    call_get(&bench, 200);
    bench_turn_for(&bench, 50);
    cr_assert_eq(events(STATS_ORIGIN_DROPPED), 1);
    cr_assert_eq(bench.relay->connections.in_use, 0);
    /* So even what may not be repeated is safe. */
    call_start(&call, &bench, POST_HEAD, HTTP_LENGTH, false);
    relay_exchange_body(call.exchange, bytes_of_string("abcd"));
    relay_exchange_body_end(call.exchange);
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    cr_assert_eq(events(STATS_ORIGIN_OPENED), 2);
    cr_assert_eq(events(STATS_ORIGIN_REPLACED), 0);
    finish();
}

static void serve_one_and_reset(struct fake_origin *origin, int socket, int number) {
    struct linger now = {.l_onoff = 1};

    serve_one_each(origin, socket, number);
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    fake_wait(origin, 1);
}

Test(pool, notices_that_the_origin_resets) {
    begin(serve_one_and_reset, NULL);
    call_get(&bench, 200);
    atomic_store(&fake.signal, 1);
    bench_turn_for(&bench, 50);
    cr_assert_eq(events(STATS_ORIGIN_DROPPED), 1);
    cr_assert_eq(bench.relay->connections.in_use, 0);
    finish();
}

static void speak_unasked(struct fake_origin *origin, int socket, int number) {
    char head[4096];

    if (fake_read_head(socket, head, sizeof head)) {
        fake_say(socket, OK_HELLO);
        fake_wait(origin, number + 1);
        fake_say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
        fake_reads_end(socket);
    }
}

Test(pool, drops_a_connection_that_speaks_unasked) {
    struct call call = {0};

    begin(speak_unasked, NULL);
    call_get(&bench, 200);
    cr_assert_eq(events(STATS_ORIGIN_POOLED), 1);
    atomic_store(&fake.signal, 1);
    bench_turn_for(&bench, 50);
    cr_assert_eq(events(STATS_ORIGIN_DROPPED), 1);
    call_run_get(&call, &bench);
    cr_assert_str_eq(call.body, "hello");
    finish();
}

Test(pool, ends_idle_connections_after_their_time) {
    begin(serve_forever, NULL);
    bench_hold_clock(&bench);
    bench.relay->timeouts.idle_ms = 40;
    call_get(&bench, 200);
    bench_pass(&bench, 20);
    call_get(&bench, 200);
    bench_pass(&bench, 30);
    cr_assert_eq(events(STATS_ORIGIN_EXPIRED), 0);
    cr_assert_eq(bench.relay->connections.in_use, 1);
    bench_pass(&bench, 60);
    cr_assert_eq(events(STATS_ORIGIN_EXPIRED), 1);
    cr_assert_eq(bench.relay->connections.in_use, 0);
    finish();
}

Test(pool, keeps_no_more_in_all_than_the_shard_can_spare, .timeout = 60) {
    enum { MANY = 5 };
    static struct call calls[MANY];
    struct ring_options options = {.streams = 64, .accepted = 16, .receive_buffers = 64, .chunks = 64};

    fake_origin_start(&fake, 0, serve_when_told, NULL);
    bench_create(&bench, &options, &fake.port, 1);
    bench.relay->idle_total_max = 2;
    for (int i = 0; i < MANY; i++) {
        call_start(&calls[i], &bench, GET_HEAD, HTTP_NO_BODY, true);
    }
    bench_turn_for(&bench, 50);
    atomic_store(&fake.signal, 1);
    for (int i = 0; i < MANY; i++) {
        bench_until(&bench, &calls[i].done);
    }
    bench_turn_for(&bench, 20);
    cr_assert_eq(bench.relay->idle_total, 2);
    cr_assert_eq(events(STATS_ORIGIN_EXPIRED), MANY - 2);
    finish();
}

/* Requests at the same time, so that there are as many connections. The other origin is passed over. */
static void use_origin(struct fake_origin *used, int index, int count) {
    static struct call calls[8];
    struct relay_origin **origins = bench.relay->hosts[0].origins;

    origins[index]->down_until_ms = 0;
    origins[1 - index]->down_until_ms = UINT64_MAX;
    for (int i = 0; i < count; i++) {
        calls[i] = (struct call){0};
        call_start(&calls[i], &bench, GET_HEAD, HTTP_NO_BODY, true);
    }
    bench_turn_for(&bench, 20);
    atomic_store(&used->signal, 1);
    for (int i = 0; i < count; i++) {
        bench_until(&bench, &calls[i].done);
    }
}

Test(pool, one_origin_does_not_cost_another_its_connections, .timeout = 60) {
    static struct fake_origin other;

    fake_origin_start(&fake, 0, serve_when_told, NULL);
    fake_origin_start(&other, 0, serve_when_told, NULL);
    bench_create(&bench, NULL, (uint16_t[]){fake.port, other.port}, 2);
    bench.relay->idle_total_max = 4;
    use_origin(&other, 1, 2);
    use_origin(&fake, 0, 6);
    for (int i = 0; i < 2; i++) {
        uint32_t count = bench.relay->hosts[0].origins[i]->idle_count;

        cr_expect_eq(count, 2, "%u", count);
    }
    finish();
    fake_origin_stop(&other);
}

/* Its first connection serves one request and takes a second one, only to close. */
static void close_on_second(struct fake_origin *origin, int socket, int number) {
    if (number > 0) {
        serve_forever(origin, socket, number);
        return;
    }
    char head[4096];
    if (fake_read_head(socket, head, sizeof head)) {
        fake_say(socket, OK_HELLO);
        fake_read_head(socket, head, sizeof head);
    }
}

Test(pool, replaces_a_stale_connection_for_an_idempotent_request) {
    begin(close_on_second, NULL);
    call_get(&bench, 200);
    call_get(&bench, 200);
    cr_assert_eq(events(STATS_ORIGIN_REPLACED), 1);
    cr_assert_eq(events(STATS_ORIGIN_OPENED), 2);
    call_get(&bench, 200);
    cr_assert_eq(events(STATS_ORIGIN_OPENED), 2);
    finish();
}

Test(pool, does_not_repeat_what_is_not_idempotent) {
    struct call call = {0};

    begin(close_on_second, NULL);
    call_get(&bench, 200);
    call_start(&call, &bench, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", HTTP_NO_BODY, false);
    bench_until(&bench, &call.done);
    cr_assert(call.failed);
    cr_assert_eq(call.error, RELAY_BROKEN);
    cr_assert_eq(events(STATS_ORIGIN_REPLACED), 0);
    cr_assert_eq(atomic_load(&fake.accepted), 1);
    finish();
}

Test(pool, does_not_repeat_a_request_with_a_body) {
    struct call call = {0};

    begin(close_on_second, NULL);
    call_get(&bench, 200);
    call_start(&call, &bench, "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n", HTTP_LENGTH, true);
    relay_exchange_body(call.exchange, bytes_of_string("ab"));
    bench_until(&bench, &call.done);
    cr_assert(call.failed);
    cr_assert_eq(call.error, RELAY_BROKEN);
    cr_assert_eq(events(STATS_ORIGIN_REPLACED), 0);
    finish();
}

/*
 * An empty chunked body: its end is a part of the request too, and of that no copy is kept. The head lacks its last byte, so
 * that the origin, which closes when it has an empty line, waits for the chunk.
 */
Test(pool, does_not_repeat_what_it_has_only_a_part_of) {
    struct call call = {0};

    begin(close_on_second, NULL);
    call_get(&bench, 200);
    call_start(&call, &bench, "PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r", HTTP_CHUNKED, true);
    bench_turn_for(&bench, 10);
    relay_exchange_body_end(call.exchange);
    bench_until(&bench, &call.done);
    cr_assert_eq(call.error, RELAY_BROKEN);
    cr_assert_eq(events(STATS_ORIGIN_REPLACED), 0);
    finish();
}

static void close_on_second_when_told(struct fake_origin *origin, int socket, int number) {
    close_on_second(origin, socket, number);
    fake_wait(origin, 1);
}

Test(pool, replaces_a_stale_connection_elsewhere_where_health_checks_fail_meanwhile) {
    static struct health_entry entries[2];
    struct call call = {0};

    fake_origin_start(&fake, 0, close_on_second_when_told, NULL);
    struct fake_origin other;
    fake_origin_start(&other, 0, serve_forever, NULL);
    uint16_t ports[2];
    ports[0] = fake.port;
    ports[1] = other.port;
    bench_create(&bench, NULL, ports, 2);
    struct relay_origin **origins = bench.relay->hosts[0].origins;
    origins[0]->health = &entries[0];
    origins[1]->health = &entries[1];
    call_get(&bench, 200);
    call_get(&bench, 200);
    call_start(&call, &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_turn_for(&bench, 30);
    health_entry_set(&entries[0], true);
    atomic_store(&fake.signal, 1);
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    cr_assert_eq(events(STATS_ORIGIN_REPLACED), 1);
    cr_assert_eq(atomic_load(&fake.accepted), 1);
    origins[0]->health = origins[1]->health = NULL;
    finish();
    fake_origin_stop(&other);
}

static void reset_on_second(struct fake_origin *origin, int socket, int number) {
    struct linger now = {.l_onoff = 1};

    close_on_second(origin, socket, number);
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

Test(pool, a_reset_is_replaced_like_a_close) {
    begin(reset_on_second, NULL);
    call_get(&bench, 200);
    call_get(&bench, 200);
    cr_assert_eq(events(STATS_ORIGIN_REPLACED), 1);
    finish();
}

static void serve_only_first(struct fake_origin *origin, int socket, int number) {
    char head[4096];

    if (number == 0 && fake_read_head(socket, head, sizeof head)) {
        fake_say(socket, OK_HELLO);
    }
    fake_read_head(socket, head, sizeof head);
}

Test(pool, replaces_once_only) {
    struct call call = {0};

    begin(serve_only_first, NULL);
    call_get(&bench, 200);
    call_run_get(&call, &bench);
    cr_assert(call.failed);
    cr_assert_eq(call.error, RELAY_BROKEN);
    cr_assert_eq(events(STATS_ORIGIN_REPLACED), 1);
    cr_assert_eq(atomic_load(&fake.accepted), 2);
    finish();
}

Test(pool, a_replacement_that_is_refused_goes_to_the_next_address) {
    struct call call = {0};

    fake_origin_start(&fake, 0, close_on_second, NULL);
    struct fake_origin other;
    fake_origin_start(&other, 0, serve_forever, NULL);
    uint16_t ports[2];
    ports[0] = fake.port;
    ports[1] = other.port;
    bench_create(&bench, NULL, ports, 2);
    call_get(&bench, 200);
    call_get(&bench, 200);
    /* The first address has one connection left, and listens no more. */
    shutdown(fake.listener, SHUT_RDWR);
    call_run_get(&call, &bench);
    cr_assert(call.ended);
    cr_assert_eq(events(STATS_ORIGIN_REPLACED), 1);
    cr_assert_eq(events(STATS_ORIGIN_CONNECT_FAILED), 1);
    /* The second one has a pooled connection, but after one bad experience a fresh one is taken. */
    cr_assert_eq(atomic_load(&other.accepted), 2);
    fake_origin_stop(&other);
    finish();
}

Test(pool, a_replacement_that_cannot_be_begun_fails) {
    struct call call = {0};

    begin(close_on_second, NULL);
    call_get(&bench, 200);
    bench.ring.streams.limit = bench.ring.streams.touched;
    call_run_get(&call, &bench);
    cr_assert(call.failed);
    cr_assert_eq(call.error, RELAY_UNREACHABLE);
    cr_assert_eq(events(STATS_ORIGIN_REPLACED), 1);
    finish();
}

static void break_in_head(struct fake_origin *origin, int socket, int number) {
    char head[4096];

    if (fake_read_head(socket, head, sizeof head)) {
        fake_say(socket, OK_HELLO);
        fake_read_head(socket, head, sizeof head);
        fake_say(socket, "HTTP/1.1 2");
    }
}

Test(pool, does_not_replace_once_an_answer_has_begun) {
    struct call call = {0};

    begin(break_in_head, NULL);
    call_get(&bench, 200);
    call_run_get(&call, &bench);
    cr_assert(call.failed);
    cr_assert_eq(call.error, RELAY_BROKEN);
    cr_assert_eq(events(STATS_ORIGIN_REPLACED), 0);
    finish();
}

/*
 * Two connections. The origin answers on the second with "close", and then the first, idle one gets `last` and maybe its
 * end, all before the ring takes its next turn: so the POST that the second's end() starts on the first meets a connection
 * of which the kernel knows already that it is gone.
 */
struct race {
    const char *last;
    struct call answered;
    struct call post;
    const char *body; /* of the post, NULL for none */
    atomic_bool posted;
    char got[4096]; /* by the third connection */
};

static void serve_race(struct fake_origin *origin, int socket, int number) {
    struct race *race = origin->context;
    char head[4096];

    fake_read_head(socket, head, sizeof head);
    if (number == 0) {
        fake_wait(origin, 1);
        fake_say(socket, OK_HELLO);
        fake_wait(origin, 3);
        fake_say(socket, race->last);
        if (race->last[0] != '\0') {
            fake_reads_end(socket);
        }
    } else if (number == 1) {
        fake_wait(origin, 2);
        fake_say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
        fake_reads_end(socket);
    } else {
        memcpy(race->got, head, sizeof race->got);
        if (race->body != NULL) {
            fake_read_exactly(socket, race->got + strlen(head), strlen(race->body));
        }
        fake_say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfresh");
        fake_reads_end(socket);
    }
}

static void start_post(struct call *call) {
    struct race *race = call->context;

    call_start(&race->post, &bench, POST_HEAD, HTTP_LENGTH, false);
    if (race->body != NULL) {
        relay_exchange_body(race->post.exchange, bytes_of_string(race->body));
        relay_exchange_body_end(race->post.exchange);
    }
}

static void run_race(struct race *race) {
    struct call first = {0};

    fake_origin_start(&fake, 0, serve_race, race);
    bench_create(&bench, NULL, &fake.port, 1);
    call_start(&first, &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_turn_for(&bench, 30);
    race->answered.context = race;
    race->answered.on_done = start_post;
    call_start(&race->answered, &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_turn_for(&bench, 30);
    atomic_store(&fake.signal, 1);
    bench_until(&bench, &first.done);
    /* From here on the ring stands still until both have happened. */
    atomic_store(&fake.signal, 2);
    sleep_ms(50);
    atomic_store(&fake.signal, 3);
    sleep_ms(50);
    bench_until(&bench, &race->answered.done);
    cr_assert(race->post.started);
    bench_until(&bench, &race->post.done);
    cr_assert(race->post.ended);
    cr_assert_str_eq(race->post.body, "fresh");
    /* It was seen before the request was put on it, or before the request left. */
    cr_assert_eq(events(STATS_ORIGIN_DROPPED) + events(STATS_ORIGIN_REPLACED), 1);
    finish();
}

Test(pool, sends_any_request_anew_when_none_of_it_had_left) {
    struct race race = {.last = ""};

    run_race(&race);
    cr_assert_str_eq(race.got, POST_HEAD);
}

Test(pool, sends_its_body_anew_too) {
    struct race race = {.last = "", .body = "abcd"};

    run_race(&race);
    cr_assert_str_eq(race.got, POST_HEAD "abcd");
}

Test(pool, takes_nothing_for_an_answer_that_came_before_the_request) {
    struct race race = {.last = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged", .body = "abcd"};

    run_race(&race);
}

/* The connection is reset while the ring stands still. */
Test(pool, sends_any_request_elsewhere_when_its_connection_was_reset) {
    struct call call = {0};

    begin(serve_one_and_reset, NULL);
    call_get(&bench, 200);
    atomic_store(&fake.signal, 1);
    sleep_ms(50);
    call_start(&call, &bench, POST_HEAD, HTTP_LENGTH, false);
    relay_exchange_body(call.exchange, bytes_of_string("abcd"));
    relay_exchange_body_end(call.exchange);
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    cr_assert_eq(events(STATS_ORIGIN_DROPPED) + events(STATS_ORIGIN_REPLACED), 1);
    finish();
}

/* A client of HTTP/2 that resets each of its streams at once must cost no connections. */
Test(pool, opens_nothing_for_what_is_taken_back_in_its_turn, .timeout = 60) {
    static struct call calls[3];
    struct relay_request request = {.host = &bench.host, .head = bytes_of_string(GET_HEAD), .idempotent = true};

    begin(serve_forever, NULL);
    request.put_off = true;
    for (int i = 0; i < 3; i++) {
        call_start_request(&calls[i], &bench, &request);
        cr_assert_eq(bench.relay->connections.in_use, 0);
    }
    call_abort(&calls[0]);
    call_abort(&calls[2]);
    bench_until(&bench, &calls[1].done);
    cr_assert(calls[1].ended && calls[1].status == 200);
    cr_assert_eq(events(STATS_ORIGIN_OPENED), 1);
    finish();
}
