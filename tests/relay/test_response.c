#include "scene.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

static void say_context_bytewise(struct fake_origin *origin, int socket, int number) {
    char head[4096];

    while (fake_read_head(socket, head, sizeof head)) {
        for (const char *next = origin->context; *next != '\0'; next++) {
            fake_send(socket, next, 1);
            sleep_ms(1);
        }
    }
}

static void say_context_and_close(struct fake_origin *origin, int socket, int number) {
    char head[4096];

    if (fake_read_head(socket, head, sizeof head)) {
        fake_say(socket, origin->context);
    }
}

struct answer {
    const char *text;
    unsigned status;
    const char *body;
    bool to_head;
    bool pooled; /* whether the connection may be used again */
};

static const struct answer answers[] = {
    {OK_EMPTY, 200, "", false, true},
    {OK_HELLO, 200, "hello", false, true},
    {"HTTP/1.1 204 No Content\r\n\r\n", 204, "", false, true},
    {"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n", 304, "", false, true},
    /* To what follows these some origin or other has added a body. */
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\nETag: \"x\"\r\n\r\n", 304, "", false, false},
    {"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, "", false, false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", 200, "", true, false},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, "", true, false},
    {"HTTP/1.1 200 OK\r\n\r\n", 200, "", true, false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "", true, true},
    {"HTTP/1.1 304 Not Modified\r\n\r\n", 304, "", true, true},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3  \r\nhel\r\n2 ; ext = 1\r\nlo\r\n0 \r\n\r\n", 200, "hello",
     false, true},
    {"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=0\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", false, false},
    {"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5, max=0\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", false, false},
    {"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5, max=1\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", false, true},
    {"HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", false, false},
    /* As old origins write; what needed mending is in doubt. */
    {"HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", false, false},
    {"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello", 200, "hello", false, false},
    {"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", 200, "hello", false, false},
    {"HTTP/1.2 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", false, false},
    {"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", false, true},
    {"HTTP/1.1 103 Early Hints\nLink: </a>\n\n" OK_HELLO, 200, "hello", false, false},
    /* Nobody has a client to leave these to. */
    {"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\", ntlm\r\nContent-Length: 5\r\n\r\nhello", 401, "hello", false,
     false},
    {"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 5\r\n\r\nhello", 401, "hello", false, true},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;ext=1\r\nlo\r\n0\r\n\r\n", 200, "hello", false,
     true},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n", 200, "hello", false,
     true},
    {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", false, false},
    {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", false, false},
    {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", false, true},
    {"HTTP/1.1 100 Continue\r\n\r\n" OK_HELLO, 200, "hello", false, true},
    {"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 404 Not "
     "Found\r\nContent-Length: 2\r\n\r\nno",
     404, "no", false, true},
    {"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n" OK_HELLO, 200, "hello", false, false},
    {OK_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged", 200, "hello", false, false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello", 200, "", true, false},
    {OK_HELLO "\r\n", 200, "hello", false, false},
};

static void run_answer(const struct answer *answer, void (*serve)(struct fake_origin *origin, int socket, int number)) {
    struct call call = {0};
    struct relay_request request = {.host = &bench.host,
                                    .head =
                                        bytes_of_string(answer->to_head ? "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" : GET_HEAD),
                                    .to_head = answer->to_head,
                                    .idempotent = true};

    begin(serve, (void *)answer->text);
    call_start_request(&call, &bench, &request);
    bench_until(&bench, &call.done);
    cr_assert(call.ended, "%s: error %d", answer->text, (int)call.error);
    cr_assert_eq(call.status, answer->status);
    cr_assert_str_eq(call.body, answer->body);
    cr_assert_eq(call.body_size, strlen(answer->body));
    cr_assert(strncmp(call.head, "HTTP/1.", 7) == 0);
    cr_assert_eq(events(STATS_ORIGIN_POOLED) - events(STATS_ORIGIN_DROPPED), answer->pooled ? 1 : 0, "%s", answer->text);
    bench_turn_for(&bench, 10);
    cr_assert_eq(bench.relay->connections.in_use, answer->pooled ? 1 : 0, "%s", answer->text);
    finish();
}

Test(response, is_understood_in_one_delivery) {
    for (size_t i = 0; i < ARRAY_LENGTH(answers); i++) {
        run_answer(&answers[i], say_context);
    }
}

Test(response, is_understood_byte_by_byte, .timeout = 60) {
    for (size_t i = 0; i < ARRAY_LENGTH(answers); i++) {
        /* Bytes behind an answer would come when the connection is in the pool already, or in use again. */
        if (answers[i].pooled || strchr(answers[i].text, '\n')[-1] != '\r' || strstr(answers[i].text, "lose") != NULL ||
            strstr(answers[i].text, "1.0") != NULL || strstr(answers[i].text, "Continue") != NULL) {
            run_answer(&answers[i], say_context_bytewise);
        }
    }
}

Test(response, until_close_ends_with_the_connection) {
    struct call call = {0};

    begin(say_context_and_close, "HTTP/1.1 200 OK\r\nX-A: b\r\n\r\nall of it");
    call_run_get(&call, &bench);
    cr_assert(call.ended);
    cr_assert_eq(call.framing, HTTP_UNTIL_CLOSE);
    cr_assert_str_eq(call.body, "all of it");
    cr_assert_eq(events(STATS_ORIGIN_POOLED), 0);
    finish();
}

struct bad_answer {
    const char *text;
    enum relay_fault fault;
    enum relay_error error;
    bool with_head; /* whether the head is delivered before it fails */
};

/* Each followed by the end of the connection. */
static const struct bad_answer bad_answers[] = {
    {"", RELAY_FAULT_CLOSED_EARLY, RELAY_BROKEN, false},
    {"HTTP/1.1 200 O", RELAY_FAULT_CLOSED_EARLY, RELAY_BROKEN, false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", RELAY_FAULT_CLOSED_EARLY, RELAY_BROKEN, false},
    {"HTTP/1.1 100 Continue\r\n\r\n", RELAY_FAULT_CLOSED_EARLY, RELAY_BROKEN, false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", RELAY_FAULT_TRUNCATED, RELAY_BROKEN, true},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", RELAY_FAULT_TRUNCATED, RELAY_BROKEN, true},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", RELAY_FAULT_TRUNCATED, RELAY_BROKEN, true},
    {"SSH-2.0-OpenSSH_9.2p1\r\n", RELAY_FAULT_STATUS_LINE, RELAY_BAD_RESPONSE, false},
    {"\x16\x03\x01\x02\x01garbage", RELAY_FAULT_STATUS_LINE, RELAY_BAD_RESPONSE, false},
    {"HTTP/2.0 200 OK\r\n\r\n", RELAY_FAULT_STATUS_LINE, RELAY_BAD_RESPONSE, false},
    {"HTTP/1.1 2000 OK\r\n\r\n", RELAY_FAULT_STATUS_LINE, RELAY_BAD_RESPONSE, false},
    {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", RELAY_FAULT_UPGRADE,
     RELAY_BAD_RESPONSE, false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", RELAY_FAULT_LENGTH, RELAY_BAD_RESPONSE,
     false},
    {"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", RELAY_FAULT_LENGTH, RELAY_BAD_RESPONSE, false},
    {"HTTP/1.1 200 OK\r\nX: y\nContent-Length: 5\r\n\r\nhello", RELAY_FAULT_HEADER, RELAY_BAD_RESPONSE, false},
    {"HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello", RELAY_FAULT_LENGTH,
     RELAY_BAD_RESPONSE, false},
    {"HTTP/1.1 200 OK\nX: y\r\n\nhello", RELAY_FAULT_HEADER, RELAY_BAD_RESPONSE, false},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX y\r\n\r\n", RELAY_FAULT_TRAILERS,
     RELAY_BAD_RESPONSE, true},
    {"HTTP/1.1 100 Continue\r\n\r\ngarbage", RELAY_FAULT_STATUS_LINE, RELAY_BAD_RESPONSE, false},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n0\r\n\r\n", RELAY_FAULT_CHUNK, RELAY_BAD_RESPONSE,
     true},
};

static void run_bad_answer(const struct bad_answer *answer,
                           void (*serve)(struct fake_origin *origin, int socket, int number)) {
    struct call call = {0};

    begin(serve, (void *)answer->text);
    call_run_get(&call, &bench);
    cr_assert(call.failed, "%s", answer->text);
    cr_assert_eq(call.error, answer->error, "%s: %d", answer->text, (int)call.error);
    cr_assert_eq(call.fault, answer->fault, "%s: %s", answer->text, relay_fault_name(call.fault));
    cr_assert_eq(call.got_head, answer->with_head, "%s", answer->text);
    cr_assert_eq(results((enum stats_origin_result)(STATS_ORIGIN_UNREACHABLE + answer->error)), 1);
    /* A fresh connection is not replaced. */
    cr_assert_eq(events(STATS_ORIGIN_OPENED), 1);
    cr_assert_eq(events(STATS_ORIGIN_POOLED), 0);
    finish();
}

Test(response, that_is_bad_or_cut_short_fails) {
    for (size_t i = 0; i < ARRAY_LENGTH(bad_answers); i++) {
        run_bad_answer(&bad_answers[i], say_context_and_close);
    }
}

/* An answer that is not HTTP is refused at once; an origin that leaves its connection open cannot hold it up. */
Test(response, that_is_bad_fails_without_a_close) {
    for (size_t i = 0; i < ARRAY_LENGTH(bad_answers); i++) {
        if (bad_answers[i].error == RELAY_BAD_RESPONSE) {
            run_bad_answer(&bad_answers[i], say_context);
        }
    }
}

/* A head of exactly `size` bytes, and an empty body. */
static char *long_head(size_t size) {
    static const char start[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
    char *text = malloc(size + 1);
    size_t used = sizeof start - 1;

    memcpy(text, start, used);
    /* Lines of at most 8,000 bytes. */
    while (size - used > 2) {
        size_t line = size - used - 2;

        line = line > 8000 + 16 ? 8000 : line;
        memset(text + used, 'v', line);
        memcpy(text + used, "X-L: ", 5);
        memcpy(text + used + line - 2, "\r\n", 2);
        used += line;
    }
    memcpy(text + used, "\r\n", 3);
    return text;
}

static void run_long_head(size_t size, bool fits) {
    struct call call = {0};
    char *text = long_head(size);

    cr_assert_eq(strlen(text), size);
    begin(say_context, text);
    call_run_get(&call, &bench);
    if (fits) {
        cr_assert(call.ended);
        cr_assert_eq(call.message.head_size, size);
        cr_assert_eq(events(STATS_ORIGIN_POOLED), 1);
    } else {
        cr_assert(call.failed);
        cr_assert_eq(call.error, RELAY_BAD_RESPONSE);
        cr_assert_eq(call.fault, RELAY_FAULT_TOO_LARGE);
    }
    finish();
    free(text);
}

Test(response, head_may_have_its_bound_and_no_more) {
    run_long_head(RING_RECEIVE_SIZE - 1, true);
    run_long_head(RING_RECEIVE_SIZE, true);
    run_long_head(RING_RECEIVE_SIZE + 1, true);
    run_long_head(60 * 1024, true);
    run_long_head(RELAY_RESPONSE_HEAD_MAX - 1, true);
    run_long_head(RELAY_RESPONSE_HEAD_MAX, true);
    run_long_head(RELAY_RESPONSE_HEAD_MAX + 1, false);
    run_long_head(200 * 1024, false);
}

/* A head that is mended may have as many bytes, where its line ends leave room for what they lack. */
static void run_mended_head(size_t size, bool fits) {
    struct call call = {0};
    char *text = long_head(size);

    memcpy(strstr(text, "X-L: "), "X-L :", 5);
    begin(say_context, text);
    call_run_get(&call, &bench);
    cr_assert_eq(call.ended, fits, "%zu: %s", size, relay_fault_name(call.fault));
    cr_assert(fits || call.fault == RELAY_FAULT_TOO_LARGE);
    cr_assert_eq(events(STATS_ORIGIN_POOLED), 0);
    finish();
    free(text);
}

Test(response, head_that_is_mended_has_the_same_bound) {
    run_mended_head(RING_RECEIVE_SIZE + 1, true);
    run_mended_head(RELAY_RESPONSE_HEAD_MAX - 1, true);
    run_mended_head(RELAY_RESPONSE_HEAD_MAX, true);
    run_mended_head(RELAY_RESPONSE_HEAD_MAX + 1, false);
    run_mended_head(200 * 1024, false);
}

static void say_endless_head(struct fake_origin *origin, int socket, int number) {
    char head[4096];

    fake_read_head(socket, head, sizeof head);
    fake_say(socket, "HTTP/1.1 200 OK\r\nX-Endless: ");
    while (fake_say(socket, "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv")) {
    }
}

Test(response, head_without_end_fails) {
    struct call call = {0};

    begin(say_endless_head, NULL);
    call_run_get(&call, &bench);
    cr_assert_eq(call.error, RELAY_BAD_RESPONSE);
    finish();
}

static void keep_silent(struct fake_origin *origin, int socket, int number) {
    char head[4096];

    fake_read_head(socket, head, sizeof head);
    fake_say(socket, origin->context);
    fake_reads_end(socket);
}

static void run_silence(const char *start, bool with_head) {
    struct call call = {0};

    begin(keep_silent, (void *)start);
    bench_be_impatient(&bench, 60);
    call_start(&call, &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_turn_for(&bench, 30);
    cr_assert_not(call.done);
    bench_until(&bench, &call.done);
    cr_assert(call.failed);
    cr_assert_eq(call.error, RELAY_TIMEOUT);
    cr_assert_eq(call.fault, RELAY_FAULT_TIMED_OUT);
    cr_assert_eq(call.got_head, with_head);
    finish();
}

Test(response, that_does_not_come_times_out) {
    run_silence("", false);
    run_silence("HTTP/1.1 200 OK\r\n", false);
    run_silence("HTTP/1.1 100 Continue\r\n\r\n", false);
    run_silence("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", true);
    run_silence("HTTP/1.1 200 OK\r\n\r\nuntil close", true);
}

/* The head and the body have a deadline each. */
Test(response, each_part_has_its_own_deadline) {
    struct call call = {0};

    begin(keep_silent, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell");
    bench.origins[0].timeouts.body_ms = 60;
    call_run_get(&call, &bench);
    cr_assert_eq(call.error, RELAY_TIMEOUT);
    cr_assert(call.got_head);
    finish();
    memset(&call, 0, sizeof call);
    begin(keep_silent, "");
    bench.origins[0].timeouts.response_ms = 60;
    call_run_get(&call, &bench);
    cr_assert_eq(call.error, RELAY_TIMEOUT);
    cr_assert_not(call.got_head);
    finish();
}

static void trickle_head(struct fake_origin *origin, int socket, int number) {
    char head[4096];

    fake_read_head(socket, head, sizeof head);
    for (const char *next = origin->context; *next != '\0' && fake_send(socket, next, 1); next++) {
        sleep_ms(10);
    }
    fake_reads_end(socket);
}

Test(response, head_has_one_deadline_however_it_trickles) {
    struct call call = {0};

    begin(trickle_head, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX-A: 1111111111111111111111\r\n\r\n");
    bench_be_impatient(&bench, 150);
    call_run_get(&call, &bench);
    cr_assert(call.failed);
    cr_assert_eq(call.error, RELAY_TIMEOUT);
    cr_assert_not(call.got_head);
    finish();
}

static void trickle_body(struct fake_origin *origin, int socket, int number) {
    char head[4096];

    fake_read_head(socket, head, sizeof head);
    fake_say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n");
    for (int i = 0; i < 20; i++) {
        fake_say(socket, "x");
        sleep_ms(20);
    }
}

Test(response, body_has_a_deadline_for_each_piece) {
    struct call call = {0};

    begin(trickle_body, NULL);
    bench_be_impatient(&bench, 200);
    call_run_get(&call, &bench);
    cr_assert(call.ended);
    cr_assert_eq(call.body_size, 20);
    finish();
}

enum { LONG_BODY = 8 * 1024 * 1024 };

static void say_long_body(struct fake_origin *origin, int socket, int number) {
    static uint8_t body[LONG_BODY];
    char head[4096];

    fake_read_head(socket, head, sizeof head);
    pattern_fill(body, 0, LONG_BODY);
    if (origin->context == NULL) {
        fake_say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 8388608\r\n\r\n");
        fake_send(socket, body, LONG_BODY);
    } else {
        fake_say(socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (size_t offset = 0, size = 1; offset < LONG_BODY; offset += size, size = (size * 3 + 1) % 70000 + 1) {
            size = size < LONG_BODY - offset ? size : LONG_BODY - offset;
            char line[32];
            snprintf(line, sizeof line, "%zx\r\n", size);
            fake_say(socket, line);
            fake_send(socket, body + offset, size);
            fake_say(socket, "\r\n");
        }
        fake_say(socket, "0\r\n\r\n");
    }
    atomic_store(&origin->signal, 1);
    fake_reads_end(socket);
}

struct paused {
    size_t since; /* bytes of body since the last pause */
    size_t worst;
    bool is_paused;
    unsigned pauses;
};

/* Pauses after every 100,000 bytes. */
static void pause_now_and_then(struct call *call, size_t size) {
    struct paused *paused = call->context;
    size_t before = call->body_size - size;

    if (paused->is_paused) {
        paused->since += size;
        paused->worst = paused->since > paused->worst ? paused->since : paused->worst;
    } else if (before / 100000 != call->body_size / 100000) {
        relay_exchange_pause(call->exchange);
        paused->is_paused = true;
        paused->since = 0;
        paused->pauses++;
    }
}

static void run_long_body(void *chunked) {
    struct paused paused = {0};
    struct call call = {.on_body = pause_now_and_then, .context = &paused};

    begin(say_long_body, chunked);
    /* Shorter than the pauses: they must not count. */
    bench_be_impatient(&bench, 500);
    call_start(&call, &bench, GET_HEAD, HTTP_NO_BODY, true);
    for (unsigned seen = 0; !call.done;) {
        cr_assert_eq(ring_turn(&bench.ring, 10), 0);
        if (paused.is_paused && !call.done) {
            bench_turn_for(&bench, paused.pauses == 3 ? 600 : 3);
            cr_assert_lt(call.body_size, (size_t)LONG_BODY + 1);
            paused.is_paused = false;
            relay_exchange_resume(call.exchange);
        }
        cr_assert_lt(seen++, 100000u);
    }
    cr_assert(call.ended, "error %d", (int)call.error);
    cr_assert_eq(call.body_size, LONG_BODY);
    cr_assert_not(call.pattern_broken);
    cr_assert_gt(paused.pauses, 50);
    cr_assert_leq(paused.worst, RING_RECEIVE_SIZE);
    cr_assert_eq(events(STATS_ORIGIN_POOLED), 1);
    finish();
}

Test(response, long_body_is_held_by_a_pause, .timeout = 60) {
    run_long_body(NULL);
}

Test(response, long_chunked_body_is_held_by_a_pause, .timeout = 60) {
    run_long_body("chunked");
}

/* Pauses until the origin's bytes fill the socket, so that the next piece could be as large as can be. */
static void pause_at_times(struct call *call, size_t size) {
    if (!call->done) {
        relay_exchange_pause(call->exchange);
    }
}

static size_t largest_piece(size_t room) {
    struct call call = {.on_body = pause_at_times, .room = room};

    begin(say_long_body, NULL);
    call_start(&call, &bench, GET_HEAD, HTTP_NO_BODY, true);
    while (!call.done) {
        bench_turn_for(&bench, call.body_size < 512 * 1024 ? 3 : 0);
        cr_assert_eq(ring_turn(&bench.ring, 10), 0);
        if (!call.done) {
            relay_exchange_resume(call.exchange);
        }
    }
    cr_assert(call.ended && !call.pattern_broken);
    cr_assert_eq(call.body_size, LONG_BODY);
    finish();
    return call.piece_max;
}

Test(response, a_piece_is_as_large_as_its_owner_has_room_for, .timeout = 60) {
    cr_assert_eq(largest_piece(64 * 1024), 64 * 1024);
    cr_assert_eq(largest_piece(63 * 1024), 48 * 1024);
    cr_assert_leq(largest_piece(1), RING_RECEIVE_SIZE);
}

/* While paused the origin must be unable to get rid of the body: nothing of it piles up here. */
static void pause_at_head(struct call *call) {
    relay_exchange_pause(call->exchange);
}

Test(response, a_pause_reaches_the_origin) {
    struct call call = {.on_head = pause_at_head};

    begin(say_long_body, NULL);
    call_start(&call, &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_until(&bench, &call.got_head);
    bench_turn_for(&bench, 200);
    cr_assert_eq(atomic_load(&fake.signal), 0, "the kernel's buffers take 8 MiB here: raise the body");
    cr_assert_leq(call.body_size, RING_RECEIVE_SIZE);
    relay_exchange_resume(call.exchange);
    bench_until(&bench, &call.done);
    cr_assert(call.ended && !call.pattern_broken);
    finish();
}
