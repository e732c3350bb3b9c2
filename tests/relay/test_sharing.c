/* The next user of an origin connection: any client, one client, or none; and for how long it is kept. */
#include "http/forward.h"
#include "scene.h"

#include <criterion/criterion.h>
#include <sys/socket.h>

/* Answers with the number of the connection; /ntlm with a challenge, /bye with what ends the connection. */
static void say_number(struct fake_origin *origin, int socket, int number) {
    char head[4096];
    char answer[256];

    while (fake_read_head(socket, head, sizeof head)) {
        bool challenge = strstr(head, "/ntlm") != NULL;

        snprintf(answer, sizeof answer, "HTTP/1.1 %s\r\n%s%sContent-Length: 1\r\n\r\n%d", challenge ? "401 No" : "200 OK",
                 challenge ? "WWW-Authenticate: Basic realm=\"a\", NTLM\r\n" : "",
                 origin->context == NULL ? "" : (const char *)origin->context, number);
        fake_say(socket, answer);
    }
}

/* The number of the connection that a GET of `path` came on. */
static char get(struct relay_client *client, const char *path, bool signs_in) {
    struct call call = {0};
    struct relay_request request = {.host = &bench.host, .idempotent = true, .client = client, .signs_in = signs_in};

    char head[128];
    snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
    request.head = bytes_of_string(head);
    call_start_request(&call, &bench, &request);
    bench_until(&bench, &call.done);
    cr_assert(call.ended, "%s", relay_fault_name(call.fault));
    return call.body[0];
}

Test(sharing, ends_when_a_client_signs_in) {
    struct relay_client first = {0}, second = {0};

    begin(say_number, NULL);
    cr_assert_eq(get(&first, "/", false), '0');
    cr_assert_eq(get(&second, "/", false), '0');
    cr_assert_eq(get(&first, "/", true), '0');
    cr_assert_not_null(first.connection);
    /* Nobody else gets it, and its client gets no other. */
    cr_assert_eq(get(&second, "/", false), '1');
    cr_assert_null(second.connection);
    cr_assert_eq(get(&first, "/", false), '0');
    cr_assert_eq(get(&first, "/", false), '0');
    cr_assert_eq(get(&second, "/", false), '1');
    cr_assert_eq(events(STATS_ORIGIN_OWNED), 3);
    relay_client_leave(&first);
    cr_assert_null(first.connection);
    bench_turn_for(&bench, 20);
    cr_assert_eq(bench.relay->connections.in_use, 1);
    cr_assert_eq(get(&first, "/", false), '1');
    finish();
}

Test(sharing, ends_when_the_origin_asks_to_sign_in) {
    struct relay_client first = {0}, second = {0};

    begin(say_number, NULL);
    cr_assert_eq(get(&first, "/ntlm", false), '0');
    cr_assert_eq(get(&second, "/", false), '1');
    cr_assert_eq(get(&first, "/", true), '0');
    relay_client_leave(&first);
    relay_client_leave(&second);
    finish();
}

/* Three messages on one connection, as NTLM signs in; each answer announces a body that HEAD does not get. */
static void shake_hands(struct fake_origin *origin, int socket, int number) {
    char head[4096];
    char answer[256];

    for (int i = 0; fake_read_head(socket, head, sizeof head); i++) {
        snprintf(answer, sizeof answer, "HTTP/1.1 %s\r\n%sContent-Length: 5\r\n\r\n%s", i >= 2 ? "200 OK" : "401 No",
                 i >= 2   ? ""
                 : i == 1 ? "WWW-Authenticate: NTLM TlRMTVNTUAAC\r\n"
                          : "WWW-Authenticate: NTLM\r\n",
                 strstr(head, "/body") == NULL ? "" : "hello");
        fake_say(socket, answer);
        if (strstr(head, "/late") != NULL) {
            fake_wait(origin, 1);
            fake_say(socket, "hello");
        }
    }
}

static unsigned ask_head(struct relay_client *client, const char *path, bool signs_in) {
    struct call call = {0};
    struct relay_request request = {
        .host = &bench.host, .to_head = true, .idempotent = true, .client = client, .signs_in = signs_in};

    char head[128];
    snprintf(head, sizeof head, "HEAD %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
    request.head = bytes_of_string(head);
    call_start_request(&call, &bench, &request);
    bench_until(&bench, &call.done);
    cr_assert(call.ended, "%s", relay_fault_name(call.fault));
    return call.status;
}

Test(sharing, a_client_can_sign_in_by_head) {
    struct relay_client client = {0}, other = {0};

    begin(shake_hands, NULL);
    cr_assert_eq(ask_head(&client, "/", false), 401);
    cr_assert_not_null(client.connection);
    cr_assert_eq(ask_head(&other, "/", false), 401);
    cr_assert_eq(ask_head(&client, "/", true), 401);
    cr_assert_eq(ask_head(&client, "/", true), 200);
    cr_assert_eq(ask_head(&client, "/", false), 200);
    cr_assert_eq(events(STATS_ORIGIN_REUSED), 3);
    cr_assert_eq(events(STATS_ORIGIN_POOLED), 0);
    /* A body that comes all the same, at once or late, ends it. */
    cr_assert_eq(ask_head(&client, "/late", false), 200);
    cr_assert_not_null(client.connection);
    atomic_store(&fake.signal, 1);
    bench_turn_for(&bench, 50);
    cr_assert_null(client.connection);
    cr_assert_eq(events(STATS_ORIGIN_DROPPED), 1);
    cr_assert_eq(ask_head(&other, "/body", true), 401);
    bench_turn_for(&bench, 50);
    cr_assert_null(other.connection);
    finish();
}

static void announce(struct fake_origin *origin, int socket, int number) {
    char head[4096];

    while (fake_read_head(socket, head, sizeof head)) {
        fake_say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    }
}

/* A connection whose state is in doubt goes to no other request where no client has signed in, shared or not. */
Test(sharing, an_answer_to_head_costs_the_connection_of_who_has_not_signed_in) {
    struct relay_client client = {0};

    for (int shares = 0; shares < 2; shares++) {
        begin(announce, NULL);
        bench.relay->hosts[0].shares = shares == 1;
        struct call call = {0};
        struct relay_request request = {.host = &bench.host,
                                        .head = bytes_of_string("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"),
                                        .to_head = true,
                                        .idempotent = true,
                                        .client = &client};
        call_start_request(&call, &bench, &request);
        bench_until(&bench, &call.done);
        cr_assert(call.ended);
        cr_assert_null(client.connection);
        cr_assert_eq(events(STATS_ORIGIN_POOLED) + events(STATS_ORIGIN_OWNED), 0);
        finish();
    }
}

/* Both at once: each gets its own. */
Test(sharing, two_that_sign_in_have_a_connection_each) {
    struct relay_client first = {0}, second = {0};

    begin(say_number, NULL);
    cr_assert_eq(get(&first, "/", true), '0');
    cr_assert_eq(get(&second, "/", true), '1');
    for (int i = 0; i < 5; i++) {
        cr_assert_eq(get(&first, "/", true), '0');
        cr_assert_eq(get(&second, "/", false), '1');
    }
    cr_assert_eq(events(STATS_ORIGIN_POOLED), 0);
    /* A relay that closes takes them along; the clients stay. */
    finish();
    cr_assert_null(first.connection);
    cr_assert_null(second.connection);
}

Test(sharing, an_owned_connection_is_nobodys_when_there_is_no_client) {
    begin(say_number, NULL);
    cr_assert_eq(get(NULL, "/", true), '0');
    cr_assert_eq(get(NULL, "/", false), '1');
    cr_assert_eq(events(STATS_ORIGIN_OWNED) + events(STATS_ORIGIN_POOLED), 1);
    finish();
}

Test(sharing, what_clients_own_has_a_bound) {
    struct relay_client clients[4] = {0};

    begin(say_number, NULL);
    bench.relay->owned_total_max = 2;
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(get(&clients[i], "/", true), '0' + i);
    }
    bench_turn_for(&bench, 20);
    cr_assert_eq(bench.relay->owned_total, 2);
    cr_assert_eq(bench.relay->connections.in_use, 2);
    cr_assert_eq(events(STATS_ORIGIN_EXPIRED), 2);
    cr_assert_null(clients[0].connection);
    cr_assert_null(clients[1].connection);
    cr_assert_eq(get(&clients[3], "/", false), '3');
    cr_assert_eq(get(&clients[0], "/", true), '4');
    cr_assert_null(clients[2].connection);
    finish();
}

Test(sharing, is_off_where_the_host_says_so) {
    struct relay_client first = {0}, second = {0};

    fake_origin_start(&fake, 0, say_number, NULL);
    bench_create(&bench, NULL, &fake.port, 1);
    bench.relay->hosts[0].shares = false;
    cr_assert_eq(get(&first, "/", false), '0');
    cr_assert_eq(get(&second, "/", false), '1');
    cr_assert_eq(get(&first, "/", false), '0');
    cr_assert_eq(get(&second, "/", false), '1');
    cr_assert_eq(events(STATS_ORIGIN_POOLED), 0);
    relay_client_leave(&first);
    relay_client_leave(&second);
    finish();
}

static void answer_early(struct fake_origin *origin, int socket, int number) {
    char head[4096];
    char body[4];

    while (fake_read_head(socket, head, sizeof head)) {
        fake_say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
        if (strstr(head, "POST") != NULL && !fake_read_exactly(socket, body, sizeof body)) {
            return;
        }
        fake_say(socket, "hello");
    }
}

/* The answer has begun before the request was whole, though it ends behind it. */
Test(sharing, an_answer_that_begins_before_the_request_ends_costs_the_connection) {
    struct call call = {0};

    begin(answer_early, NULL);
    call_start(&call, &bench, POST_HEAD, HTTP_LENGTH, false);
    bench_until(&bench, &call.got_head);
    relay_exchange_body(call.exchange, bytes_of_string("abcd"));
    relay_exchange_body_end(call.exchange);
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    cr_assert_str_eq(call.body, "hello");
    cr_assert_eq(events(STATS_ORIGIN_POOLED), 0);
    call_get(&bench, 200);
    cr_assert_eq(events(STATS_ORIGIN_POOLED), 1);
    finish();
}

/* Reads the last chunk, but not what may stand behind it. */
static void leave_trailers(struct fake_origin *origin, int socket, int number) {
    char head[4096];
    char body[sizeof HTTP_TRAILERS_BEGIN - 1];

    while (fake_read_head(socket, head, sizeof head) && fake_read_exactly(socket, body, sizeof body)) {
        fake_say(socket, OK_HELLO);
    }
}

static void send_trailers(const char *trailers, uint64_t pooled) {
    struct call call = {0};

    begin(leave_trailers, NULL);
    call_start(&call, &bench, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_CHUNKED, false);
    relay_exchange_body_end_with(call.exchange, bytes_of_string(trailers));
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    cr_assert_eq(events(STATS_ORIGIN_POOLED), pooled, "%s", trailers);
    finish();
}

/* Trailers that such an origin leaves unread would be read as the next request. */
Test(sharing, trailers_of_a_request_cost_the_connection) {
    send_trailers("X-Sum: 1\r\n", 0);
    send_trailers("", 1);
}

/* Answers each request on a connection but the last, which it takes and closes. */
static void close_on_third(struct fake_origin *origin, int socket, int number) {
    char head[4096];

    for (int i = 0; i < 2 && fake_read_head(socket, head, sizeof head); i++) {
        fake_say(socket, OK_HELLO);
    }
    fake_read_head(socket, head, sizeof head);
}

Test(sharing, an_owned_connection_that_proved_closed_is_replaced_by_another_of_its_own) {
    struct relay_client client = {0};

    begin(close_on_third, NULL);
    for (int i = 0; i < 6; i++) {
        get(&client, "/", i == 0);
        cr_assert(i != 2 || events(STATS_ORIGIN_REPLACED) == 1);
    }
    relay_client_leave(&client);
    finish();
}

static void close_when_told(struct fake_origin *origin, int socket, int number) {
    char head[4096];

    while (fake_read_head(socket, head, sizeof head)) {
        fake_say(socket, OK_HELLO);
        if (number == 0) {
            fake_wait(origin, 1);
            fake_say(socket, origin->context);
            return;
        }
    }
}

/* Posts on the client's own connection: the number of the connection that it came on. */
static char post_owned(struct relay_client *client, bool signs_in) {
    struct call call = {0};
    struct relay_request request = {.host = &bench.host,
                                    .head = bytes_of_string("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
                                    .client = client,
                                    .signs_in = signs_in};

    call_start_request(&call, &bench, &request);
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    return call.body[0];
}

Test(sharing, a_connection_that_is_owned_since_none_are_shared_ages_like_a_pooled_one) {
    struct relay_client client = {0};

    begin(say_number, NULL);
    bench_hold_clock(&bench);
    bench.relay->hosts[0].shares = false;
    bench.relay->timeouts.fresh_ms = 100;
    cr_assert_eq(get(&client, "/", false), '0');
    cr_assert_eq(post_owned(&client, false), '0');
    bench_pass(&bench, 200);
    cr_assert_eq(get(&client, "/", false), '0');
    bench_pass(&bench, 200);
    cr_assert_eq(post_owned(&client, false), '1');
    bench.relay->timeouts.idle_ms = 50;
    cr_assert_eq(get(&client, "/", false), '1');
    bench_pass(&bench, 200);
    cr_assert_null(client.connection);
    cr_assert_eq(events(STATS_ORIGIN_EXPIRED), 1);
    /* One that somebody has signed in on cannot be replaced. */
    cr_assert_eq(get(&client, "/", true), '2');
    bench_pass(&bench, 200);
    cr_assert_eq(post_owned(&client, false), '2');
    relay_client_leave(&client);
    finish();
}

/* The ring stands still meanwhile, so that only a look at the socket can tell. */
static void run_stale(const char *last, bool owned) {
    struct relay_client client = {0};
    struct call call = {0};
    struct relay_request request = {
        .host = &bench.host, .head = bytes_of_string(POST_HEAD), .framing = HTTP_LENGTH, .client = &client};

    begin(close_when_told, (void *)last);
    get(&client, "/", owned);
    cr_assert_eq(client.connection != NULL, owned);
    atomic_store(&fake.signal, 1);
    sleep_ms(50);
    call_start_request(&call, &bench, &request);
    relay_exchange_body(call.exchange, bytes_of_string("abcd"));
    relay_exchange_body_end(call.exchange);
    bench_until(&bench, &call.done);
    cr_assert(call.ended, "%s", relay_fault_name(call.fault));
    cr_assert_str_eq(call.body, "hello");
    cr_assert_eq(events(STATS_ORIGIN_DROPPED), 1);
    cr_assert_eq(atomic_load(&fake.accepted), 2);
    relay_client_leave(&client);
    finish();
}

Test(sharing, what_has_come_meanwhile_is_seen_before_a_connection_is_used) {
    run_stale("", false);
    run_stale("", true);
    run_stale("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged", false);
    run_stale("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged", true);
}

Test(sharing, the_last_request_of_a_connection_costs_it) {
    struct relay_client client = {0};
    struct relay_request request = {
        .host = &bench.host, .head = bytes_of_string(GET_HEAD), .idempotent = true, .last = true, .client = &client};

    begin(say_number, NULL);
    for (int owned = 0; owned < 2; owned++) {
        struct call call = {0};

        request.signs_in = owned == 1;
        call_start_request(&call, &bench, &request);
        bench_until(&bench, &call.done);
        cr_assert(call.ended);
        cr_assert_eq(call.body[0], '0' + owned);
        cr_assert_null(client.connection);
    }
    cr_assert_eq(events(STATS_ORIGIN_POOLED) + events(STATS_ORIGIN_OWNED), 0);
    finish();
}

static void post(unsigned idle_ms, int connections) {
    struct call call = {0};

    bench_pass(&bench, idle_ms);
    call_start(&call, &bench, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", HTTP_NO_BODY, false);
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    cr_assert_eq(atomic_load(&fake.accepted), connections, "after %u ms", idle_ms);
}

Test(sharing, what_may_not_be_repeated_takes_a_connection_that_was_just_used) {
    begin(say_number, NULL);
    bench_hold_clock(&bench);
    bench.relay->timeouts.fresh_ms = 100;
    call_get(&bench, 200);
    post(10, 1);
    post(10, 1);
    post(200, 2);
    /* A request that may be repeated takes any connection. */
    bench_pass(&bench, 200);
    call_get(&bench, 200);
    cr_assert_eq(atomic_load(&fake.accepted), 2);
    finish();
}

Test(sharing, an_origin_that_says_how_long_is_believed) {
    begin(say_number, "Keep-Alive: timeout=5\r\n");
    bench_hold_clock(&bench);
    bench.relay->timeouts.fresh_ms = 0;
    bench.relay->timeouts.idle_ms = 10;
    call_get(&bench, 200);
    post(100, 1);
    finish();
    begin(say_number, "Keep-Alive: timeout=1\r\n");
    bench_hold_clock(&bench);
    call_get(&bench, 200);
    bench_pass(&bench, 300);
    cr_assert_eq(events(STATS_ORIGIN_EXPIRED), 0);
    bench_pass(&bench, 400);
    cr_assert_eq(events(STATS_ORIGIN_EXPIRED), 1);
    cr_assert_eq(bench.relay->connections.in_use, 0);
    finish();
}

/* An owned one too, whose client would keep it for ever. */
Test(sharing, an_owned_connection_ends_before_its_origin_ends_it) {
    struct relay_client client = {0};

    begin(say_number, "Keep-Alive: timeout=1\r\n");
    bench_hold_clock(&bench);
    get(&client, "/", true);
    bench_pass(&bench, 700);
    cr_assert_null(client.connection);
    cr_assert_eq(events(STATS_ORIGIN_EXPIRED), 1);
    finish();
}

static void end_without_reading(struct fake_origin *origin, int socket, int number) {
    char head[4096];

    while (fake_read_head(socket, head, sizeof head)) {
        fake_say(socket, OK_HELLO);
        if (number == 0) {
            fake_wait(origin, 1);
            shutdown(socket, SHUT_WR);
            fake_wait(origin, 2);
            return;
        }
    }
}

/* Acknowledged is what its kernel has, whether it reads it or not: then it may have been acted upon. */
Test(sharing, what_the_origin_may_have_got_is_not_repeated) {
    struct call call = {0};

    begin(end_without_reading, NULL);
    call_get(&bench, 200);
    call_start(&call, &bench, POST_HEAD, HTTP_LENGTH, false);
    relay_exchange_body(call.exchange, bytes_of_string("abcd"));
    relay_exchange_body_end(call.exchange);
    bench_turn_for(&bench, 50);
    atomic_store(&fake.signal, 1);
    bench_until(&bench, &call.done);
    cr_assert(call.failed);
    cr_assert_eq(call.fault, RELAY_FAULT_CLOSED_EARLY);
    cr_assert_eq(atomic_load(&fake.accepted), 1);
    atomic_store(&fake.signal, 2);
    finish();
}

/*
 * Its end is on the way when the request is put on the connection: the socket that the request gets to is gone, and whatever
 * the order in which the ring tells of both, the request has not been read.
 */
Test(sharing, what_crosses_the_origins_end_is_sent_again_whatever_it_is) {
    struct call call = {0};

    begin(close_when_told, "");
    call_get(&bench, 200);
    call_start(&call, &bench, POST_HEAD, HTTP_LENGTH, false);
    relay_exchange_body(call.exchange, bytes_of_string("abcd"));
    relay_exchange_body_end(call.exchange);
    atomic_store(&fake.signal, 1);
    sleep_ms(50);
    bench_until(&bench, &call.done);
    cr_assert(call.ended, "%s", relay_fault_name(call.fault));
    cr_assert_eq(events(STATS_ORIGIN_REPLACED), 1);
    cr_assert_eq(atomic_load(&fake.accepted), 2);
    finish();
}
