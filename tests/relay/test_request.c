#include "relay/exchange.h"
#include "scene.h"

#include <criterion/criterion.h>
#include <sys/socket.h>

/* The bytes that an origin got on its first connection, until it had `wanted` of them. */
struct got {
    size_t wanted;
    char text[192 * 1024];
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
    cr_assert_eq(events(STATS_ORIGIN_POOLED), 1);
    finish();
}

#define CHUNKED_HEAD "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

Test(request, frames_the_body_as_the_request_says) {
    run_request(GET_HEAD, HTTP_NO_BODY, (const char *const[]){NULL}, GET_HEAD);
    run_request(POST_HEAD, HTTP_LENGTH, (const char *const[]){"abcd", NULL}, POST_HEAD "abcd");
    run_request(POST_HEAD, HTTP_LENGTH, (const char *const[]){"a", "", "b", "cd", NULL}, POST_HEAD "abcd");
    run_request(CHUNKED_HEAD, HTTP_CHUNKED, (const char *const[]){NULL}, CHUNKED_HEAD "0\r\n\r\n");
    run_request(CHUNKED_HEAD, HTTP_CHUNKED, (const char *const[]){"0123456789abcdefg", "", "b", NULL},
                CHUNKED_HEAD "11\r\n0123456789abcdefg\r\n1\r\nb\r\n0\r\n\r\n");
}

/* Takes a request without a body, then one whose text goes to the context. */
static void take_second(struct fake_origin *origin, int socket, int number) {
    char head[4096];

    fake_read_head(socket, head, sizeof head);
    fake_say(socket, OK_HELLO);
    take_wanted(origin, socket, number);
}

/* There the body goes straight to the stream; before there was a connection, through the buffer. */
Test(request, frames_the_body_on_a_pooled_connection_too) {
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
    cr_assert_eq(events(STATS_ORIGIN_REUSED), 1);
    finish();
}

Test(request, takes_sixteen_kib_before_there_is_a_connection) {
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

Test(request, fails_later_when_far_more_than_that_comes) {
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
Test(request, takes_its_body_to_the_next_address) {
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
    bool right = true;

    char head[4096];
    fake_read_head(socket, head, sizeof head);
    uint8_t piece[8192];
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
        queued = call->exchange->connection->link.stream->queue.size;
        upload->queued_worst = queued > upload->queued_worst ? queued : upload->queued_worst;
    }
    relay_exchange_body_end(call->exchange);
}

Test(request, long_upload_goes_at_the_pace_of_the_origin, .timeout = 60) {
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
    cr_assert_eq(events(STATS_ORIGIN_POOLED), 1);
    finish();
}

static void take_nothing(struct fake_origin *origin, int socket, int number) {
    fake_wait(origin, 1);
}

Test(request, times_out_when_the_origin_takes_nothing) {
    struct upload upload = {0};
    struct call call = {.on_drained = give_more, .context = &upload};

    begin(take_nothing, NULL);
    bench_be_impatient(&bench, 150);
    call_start(&call, &bench, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 8388608\r\n\r\n", HTTP_LENGTH, true);
    bench_until(&bench, &call.done);
    cr_assert(call.failed);
    cr_assert_eq(call.error, RELAY_TIMEOUT);
    cr_assert_lt(upload.given, LONG_BODY);
    atomic_store(&fake.signal, 1);
    finish();
}

/* The client's slowness is not the origin's. */
Test(request, does_not_time_out_while_the_client_owes_body) {
    static struct got got = {.wanted = sizeof POST_HEAD "abcd" - 1};
    struct call call = {0};

    begin(take_wanted, &got);
    bench_be_impatient(&bench, 50);
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

Test(request, an_answer_before_the_request_is_complete_ends_it_and_the_connection) {
    struct call call = {0};

    begin(answer_early, NULL);
    call_start(&call, &bench, POST_HEAD, HTTP_LENGTH, false);
    relay_exchange_body(call.exchange, bytes_of_string("ab"));
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    cr_assert_eq(call.status, 413);
    cr_assert_str_eq(call.body, "no");
    cr_assert_eq(events(STATS_ORIGIN_POOLED), 0);
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
Test(request, a_refusal_survives_the_reset_that_follows_it) {
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
Test(request, an_answer_may_come_before_the_first_send_is_done) {
    static char head[RELAY_REQUEST_HEAD_MAX];
    struct relay_request request = {.host = &bench.host, .head = bytes_of(head, sizeof head), .idempotent = true};
    struct call call = {0};
    int small = 4096;

    memset(head, 'v', sizeof head);
    memcpy(head, POST_HEAD, strlen(POST_HEAD));
    begin(answer_early, NULL);
    setsockopt(fake.listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    call_start_request(&call, &bench, &request);
    setsockopt(call.exchange->connection->link.stream->descriptor, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    cr_assert_eq(call.status, 413);
    cr_assert_eq(events(STATS_ORIGIN_POOLED), 0);
    finish();
}

static void echo(struct fake_origin *origin, int socket, int number) {
    char head[4096];

    fake_read_head(socket, head, sizeof head);
    fake_say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
    char byte;
    for (int i = 0; i < 4 && fake_read_exactly(socket, &byte, 1); i++) {
        fake_send(socket, &byte, 1);
    }
    fake_reads_end(socket);
}

Test(request, both_bodies_may_run_at_the_same_time) {
    struct call call = {0};

    begin(echo, NULL);
    bench_be_impatient(&bench, 100);
    call_start(&call, &bench, POST_HEAD, HTTP_LENGTH, false);
    bench_until(&bench, &call.got_head);
    relay_exchange_body(call.exchange, bytes_of_string("ab"));
    bench_turn_for(&bench, 150);
    cr_assert_str_eq(call.body, "ab");
    relay_exchange_body(call.exchange, bytes_of_string("cd"));
    relay_exchange_body_end(call.exchange);
    bench_until(&bench, &call.done);
    cr_assert_str_eq(call.body, "abcd");
    /* It works, but whoever answers before the request is whole is not trusted with another one. */
    cr_assert_eq(events(STATS_ORIGIN_POOLED), 0);
    finish();
}

Test(request, takes_a_head_up_to_its_bound) {
    static struct got got;
    static char head[RELAY_REQUEST_HEAD_MAX + 2];
    enum relay_fault fault;
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
    cr_assert_null(relay_exchange_start(bench.relay, &request, NULL, NULL, &fault));
    cr_assert_eq(bench.relay->exchanges.in_use, 0);
    finish();
}
