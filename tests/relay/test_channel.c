/* The connections of HTTP/2 to an origin: how they live and end. */
#include "frames.h"
#include "relay/channel.h"
#include "scene.h"

#include <criterion/criterion.h>
#include <sys/socket.h>

/* Answers when the test says so. */
static bool say_hello_later(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    fake_wait(origin, 1);
    return frames_hello(socket, frame->stream);
}

static bool say_nothing(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    return true;
}

static struct call calls[8];

static const struct relay_channel *first_channel(void) {
    return CONTAINER_OF(list_first(&bench.relay->hosts[0].origins[0]->channels), struct relay_channel, in_origin);
}

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

Test(channel, an_idle_one_closes_after_a_while) {
    begin_http2(say_hello);
    call_get(&bench, 200);
    bench_hold_clock(&bench);
    bench_pass(&bench, 0);
    cr_assert_eq(events(STATS_ORIGIN_POOLED), 1);
    bench_pass(&bench, RELAY_IDLE_TIMEOUT_MS - 100);
    cr_assert_eq(bench.relay->channels.in_use, 1);
    bench_pass(&bench, 200);
    cr_assert_eq(events(STATS_ORIGIN_EXPIRED), 1);
    cr_assert_eq(bench.relay->channels.in_use, 0);
    finish();
}

static void ask(struct timer *timer) {
    start(1);
}

static void leave(struct timer *timer) {
    call_abort(&calls[0]);
}

/* An exchange comes before the end of the idle time and goes behind it, all in one turn. */
Test(channel, an_idle_one_closes_after_a_visit_at_the_end_of_its_time) {
    struct timer before, behind;

    begin_http2(say_hello);
    call_get(&bench, 200);
    bench_hold_clock(&bench);
    bench_pass(&bench, 0);
    timer_init(&before, ask);
    timer_init(&behind, leave);
    timer_set(&bench.ring.timers, &before, ring_now_ms(&bench.ring), RELAY_IDLE_TIMEOUT_MS - 100);
    timer_set(&bench.ring.timers, &behind, ring_now_ms(&bench.ring), RELAY_IDLE_TIMEOUT_MS + 100);
    bench_pass(&bench, RELAY_IDLE_TIMEOUT_MS + 200);
    cr_assert_eq(bench.relay->channels.in_use, 1);
    bench_pass(&bench, RELAY_IDLE_TIMEOUT_MS + 200);
    cr_assert_eq(bench.relay->channels.in_use, 0);
    cr_assert_eq(events(STATS_ORIGIN_POOLED), 2);
    cr_assert_eq(events(STATS_ORIGIN_EXPIRED), 1);
    finish();
}

static bool say_hello_but_to_the_second(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    return frame->stream == 3 || !frame_ends(frame) || frames_hello(socket, frame->stream);
}

/* The seat of one that has gone is for the next, also where the connection is to close once it carries nothing. */
Test(channel, one_for_which_others_wait_is_not_idle) {
    script.streams_max = 1;
    begin_http2(say_hello_but_to_the_second);
    call_get(&bench, 200); /* from now on it is known how many exchanges the connection takes */
    struct relay_origin *origin = bench.relay->hosts[0].origins[0];
    bench.relay->channels_max = 1;
    start(2);
    cr_assert_eq(origin->waiting_count, 1);
    call_abort(&calls[0]);
    channel_close_idle_of(origin);
    bench_until(&bench, &calls[1].done);
    cr_assert(calls[1].ended);
    cr_assert_eq(events(STATS_ORIGIN_OPENED), 1);
    finish();
}

/* While it was there no other could be opened. */
Test(channel, one_that_is_given_up_makes_room_for_those_that_wait) {
    script.streams_max = 1;
    script.mute = true;
    begin_http2(say_hello_but_to_the_second);
    call_get(&bench, 200);
    bench.relay->channels_max = 1;
    start(1);
    bench_turn_for(&bench, 20);
    bench_hold_clock(&bench);
    bench_pass(&bench, RELAY_PING_MS + 100);
    call_start(&calls[1], &bench, GET_HEAD, HTTP_NO_BODY, true);
    cr_assert_eq(bench.relay->hosts[0].origins[0]->waiting_count, 1);
    call_abort(&calls[0]);
    bench_until(&bench, &calls[1].done);
    cr_assert(calls[1].ended);
    cr_assert_eq(events(STATS_ORIGIN_OPENED), 2);
    finish();
}

enum { BODY_SIZE = 2 * FRAME_SIZE_MAX }; /* as much as the first window lets come */

static atomic_bool may_say; /* nobody receives meanwhile */

/* Answers with a body as soon as it may, and says when all of it is on its way. */
static bool say_much(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    static const uint8_t payload[FRAME_SIZE_MAX];

    if (!frame_ends(frame)) {
        return true;
    }
    while (!atomic_load(&may_say)) {
        usleep(100);
    }
    bool sent = frames_head(socket, frame->stream, 200, false);
    for (unsigned at = 0; at < BODY_SIZE; at += FRAME_SIZE_MAX) {
        bool last = at + FRAME_SIZE_MAX == BODY_SIZE;

        sent = sent && frame_send(socket, FRAME_DATA, last ? FRAME_END_STREAM : 0, frame->stream, payload, sizeof payload);
    }
    atomic_store(&origin->signal, 1);
    return sent;
}

static uint32_t appetites[8]; /* of the receives that have brought a body: 0 for one into a buffer */
static unsigned receives;

static void note_appetite(struct call *call, size_t size) {
    const struct stream *stream = call->exchange->http2.channel->link.stream;

    if (receives == 0 || appetites[receives - 1] != stream->appetite) {
        cr_assert_lt(receives, ARRAY_LENGTH(appetites));
        appetites[receives++] = stream->appetite;
    }
}

Test(channel, receives_much_at_once_where_a_receive_has_filled_its_buffer) {
    struct call call = {.on_body = note_appetite};

    begin_http2(say_much);
    call_start(&call, &bench, GET_HEAD, HTTP_NO_BODY, true);
    while (atomic_load(&script.requests) == 0) {
        bench_turn_for(&bench, 1);
    }
    atomic_store(&may_say, true);
    fake_wait(&fake, 1); /* all is in the socket */
    bench_until(&bench, &call.done);
    cr_assert_eq(call.body_size, BODY_SIZE);
    cr_expect_eq(receives, 2);
    cr_expect_eq(appetites[0], 0);
    cr_expect_eq(appetites[1], RING_LARGE_MAX);
    cr_expect_eq(first_channel()->link.stream->appetite, 0, "the last one has brought little");
    finish();
}

Test(channel, receives_small_answers_as_soon_as_they_come) {
    begin_http2(say_hello);
    for (unsigned i = 0; i < 3; i++) {
        struct call call = {.on_body = note_appetite};

        call_run_get(&call, &bench);
        cr_expect_eq(first_channel()->link.stream->appetite, 0);
    }
    cr_expect_eq(receives, 1);
    cr_expect_eq(appetites[0], 0);
    finish();
}

static bool hello_and_close(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    frames_hello(socket, frame->stream);
    return false;
}

Test(channel, an_idle_one_may_be_closed_by_the_origin) {
    begin_http2(hello_and_close);
    call_get(&bench, 200);
    bench_turn_for(&bench, 50);
    cr_assert_eq(bench.relay->channels.in_use, 0);
    call_get(&bench, 200);
    cr_assert_eq(atomic_load(&fake.accepted), 2);
    finish();
}

/* Lets the time pass after which a silent origin may be sent a PING, and turns until the PING is answered, if any is sent.
 */
static void pass_and_wait_for_answer(void) {
    bench_pass(&bench, RELAY_PING_MS + 100);
    for (int i = 0; i < 10000 && first_channel()->pulse.pinged; i++) {
        sleep_ms(1);
        bench_pass(&bench, 0);
    }
}

static void begin_silence(bool mute) {
    struct relay_request request = {
        .host = &bench.host, .head = bytes_of_string(GET_HEAD), .idempotent = true, .patient = true};

    script.mute = mute;
    begin_http2(say_nothing);
    call_start_request(&calls[0], &bench, &request);
    while (atomic_load(&script.requests) == 0) {
        bench_turn_for(&bench, 1);
    }
    bench_turn_for(&bench, 20);
    bench_hold_clock(&bench);
}

Test(channel, a_silent_origin_is_asked_whether_it_lives) {
    begin_silence(false);
    pass_and_wait_for_answer();
    cr_assert_eq(atomic_load(&script.pings), 1);
    /* It has answered, and it is not asked again so soon. */
    uint32_t passed = 0;
    for (; passed + 2 * RELAY_PING_MS < RELAY_PING_AGAIN_MS; passed += RELAY_PING_MS + 100) {
        pass_and_wait_for_answer();
    }
    cr_assert_eq(atomic_load(&script.pings), 1);
    for (int i = 0; i < 3; i++) {
        pass_and_wait_for_answer();
    }
    cr_assert_eq(atomic_load(&script.pings), 2);
    cr_assert_not(calls[0].done);
    call_abort(&calls[0]);
    finish();
}

Test(channel, an_origin_that_does_not_say_so_is_given_up) {
    begin_silence(true);
    bench_pass(&bench, RELAY_PING_MS + 100);
    cr_assert(first_channel()->pulse.pinged);
    cr_assert_not(calls[0].done);
    bench_pass(&bench, RELAY_PING_MS + 100);
    cr_assert(calls[0].failed);
    cr_assert_eq(calls[0].fault, RELAY_FAULT_TIMED_OUT);
    cr_assert_eq(bench.relay->hosts[0].origins[0]->channel_count, 0);
    finish();
}

/*
 * One PING was answered, and the next may not be sent for minutes. Clients that have waited in vain, and then go, leave no
 * dead connection to those behind them.
 */
Test(channel, a_connection_on_which_a_client_has_waited_in_vain_takes_no_more_until_it_speaks) {
    begin_silence(false);
    pass_and_wait_for_answer();
    call_start(&calls[1], &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_turn_for(&bench, 5);
    bench_pass(&bench, RELAY_PING_MS - 100);
    call_abort(&calls[1]);
    bench_turn_for(&bench, 5);
    /* Not long enough to say so. */
    call_start(&calls[2], &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_turn_for(&bench, 5);
    cr_assert_eq(bench.relay->hosts[0].origins[0]->channel_count, 1);
    bench_pass(&bench, RELAY_PING_MS + 100);
    call_abort(&calls[2]);
    bench_turn_for(&bench, 5);
    cr_assert_eq(bench.relay->hosts[0].origins[0]->channel_count, 1); /* calls[0] has its stream on it */
    call_start(&calls[3], &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_turn_for(&bench, 50);
    cr_assert_eq(bench.relay->hosts[0].origins[0]->channel_count, 2);
    call_abort(&calls[0]);
    call_abort(&calls[3]);
    finish();
}

Test(channel, a_relay_that_closes_lets_exchanges_end) {
    begin_http2(say_hello_later);
    start(3);
    bench_turn_for(&bench, 50);
    relay_close(bench.relay);
    cr_assert_not(relay_is_idle(bench.relay));
    atomic_store(&fake.signal, 1);
    end_well(3);
    bench_turn_for(&bench, 20);
    cr_assert(relay_is_idle(bench.relay));
    finish();
}

Test(channel, a_relay_that_closes_closes_idle_ones) {
    begin_http2(say_hello);
    call_get(&bench, 200);
    relay_close(bench.relay);
    bench_turn_for(&bench, 20);
    cr_assert(relay_is_idle(bench.relay));
    finish();
}

/* The handler of the last exchange closes the relay, while the session is at work. */
static void close_relay(struct call *call) {
    relay_close(bench.relay);
}

Test(channel, a_handler_may_close_the_relay) {
    begin_http2(say_hello);
    calls[0].on_done = close_relay;
    start(1);
    end_well(1);
    bench_turn_for(&bench, 20);
    cr_assert(relay_is_idle(bench.relay));
    finish();
}

/* A handler that ends all other exchanges of the connection, as a client does that goes. */
static void abort_others(struct call *call) {
    for (size_t i = 0; i < ARRAY_LENGTH(calls); i++) {
        if (&calls[i] != call && calls[i].exchange != NULL) {
            call_abort(&calls[i]);
        }
    }
}

static bool close_now(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    return frame->stream < 15;
}

Test(channel, a_loss_may_end_other_exchanges) {
    begin_http2(close_now);
    for (size_t i = 0; i < ARRAY_LENGTH(calls); i++) {
        calls[i].on_done = abort_others;
    }
    start(ARRAY_LENGTH(calls));
    bench_until(&bench, &calls[0].done);
    cr_assert(calls[0].failed);
    finish();
}

/* Answers the first request at once, and no other; then the connection ends, in one of three ways. */
static enum { BY_FIN, BY_RESET, BY_SILENCE } ending;

static bool hello_to_the_first(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    if (frame->stream == 1) {
        return frame->type != FRAME_HEADERS || frames_hello(socket, 1);
    }
    if (ending == BY_SILENCE) {
        return true;
    }
    fake_wait(origin, 1);
    if (ending == BY_RESET) {
        connect(socket, &(struct sockaddr){.sa_family = AF_UNSPEC}, sizeof(struct sockaddr));
    }
    return false;
}

static void pause_call(struct call *call) {
    relay_exchange_pause(call->exchange);
}

/* Loses a connection with two exchanges: the answer to the first one is complete, and its client has taken none of it. */
static void lose_behind_answer(unsigned how, const char *head, enum http_framing framing) {
    memset(calls, 0, sizeof calls);
    memset(&script, 0, sizeof script);
    ending = how;
    script.mute = true;
    begin_http2(hello_to_the_first);
    bench.relay->timeouts.ping_ms = how == BY_SILENCE ? 100 : RELAY_PING_MS;
    calls[0].on_head = pause_call;
    call_start(&calls[0], &bench, head, framing, false);
    call_start(&calls[1], &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_until(&bench, &calls[0].got_head);
    bench_until(&bench, &calls[0].exchange->http2.stream.in_ended);
    atomic_store(&fake.signal, 1);
    bench_until(&bench, &calls[1].done);
    cr_assert(calls[1].failed);
    cr_assert_eq(bench.relay->hosts[0].origins[0]->channel_count, 0);
    bench_turn_for(&bench, 20);
    cr_assert_not(calls[0].done);
}

static void take_the_rest(void) {
    relay_exchange_resume(calls[0].exchange);
    bench_until(&bench, &calls[0].done);
    cr_assert(calls[0].ended);
    cr_assert_str_eq(calls[0].body, "hello");
    cr_assert_eq(results(STATS_ORIGIN_COMPLETED), 1);
    bench_turn_for(&bench, 20);
    cr_assert_eq(bench.relay->channels.in_use, 0);
    finish();
}

Test(channel, an_answer_that_is_complete_outlives_its_connection) {
    for (unsigned how = BY_FIN; how <= BY_SILENCE; how++) {
        lose_behind_answer(how, GET_HEAD, HTTP_NO_BODY);
        take_the_rest();
    }
}

Test(channel, so_does_the_answer_to_a_request_that_is_not_through) {
    lose_behind_answer(BY_FIN, POST_HEAD, HTTP_LENGTH);
    take_the_rest();
    lose_behind_answer(BY_FIN, POST_HEAD, HTTP_LENGTH);
    relay_exchange_body(calls[0].exchange, bytes_of_string("body"));
    relay_exchange_body_end(calls[0].exchange);
    take_the_rest();
}

Test(channel, a_client_may_leave_an_answer_that_has_outlived_its_connection) {
    lose_behind_answer(BY_RESET, GET_HEAD, HTTP_NO_BODY);
    call_abort(&calls[0]);
    bench_turn_for(&bench, 20);
    cr_assert_eq(bench.relay->channels.in_use, 0);
    /* The next request has a new connection. */
    memset(&calls[0], 0, sizeof calls[0]);
    call_start(&calls[0], &bench, GET_HEAD, HTTP_NO_BODY, true);
    end_well(1);
    cr_assert_eq(atomic_load(&fake.accepted), 2);
    finish();
}

/* Answers the second of two requests, says something as the test is at work, and breaks off. */
static bool (*last_words)(int socket);

static bool speak_and_break_off(struct fake_origin *origin, int socket, int number, const struct frame *frame) {
    if (number > 0) {
        return frames_hello(socket, frame->stream);
    }
    if (frame->stream == 1) {
        return true;
    }
    frames_hello(socket, frame->stream);
    fake_wait(origin, 1);
    last_words(socket);
    fake_break_off(socket);
    atomic_store(&origin->signal, 2);
    return false;
}

/* The origin has spoken and is gone; what this turn writes finds that out, and only then its words are read. */
static void write_to_the_dead(struct call *call) {
    atomic_store(&fake.signal, 1);
    fake_wait(&fake, 2);
    call_start(&calls[2], &bench, POST_HEAD, HTTP_LENGTH, false);
    relay_exchange_body(calls[2].exchange, bytes_of_string("body"));
    relay_exchange_body_end(calls[2].exchange);
}

static void let_it_break_off(bool (*words)(int socket)) {
    last_words = words;
    begin_http2(speak_and_break_off);
    calls[1].on_done = write_to_the_dead;
    call_start(&calls[0], &bench, GET_HEAD, HTTP_NO_BODY, false);
    call_start(&calls[1], &bench, GET_HEAD, HTTP_NO_BODY, false);
    bench_until(&bench, &calls[0].done);
    bench_until(&bench, &calls[2].done);
    /* Nothing of it has left, so nothing has arrived. */
    cr_assert(calls[1].ended);
    cr_assert(calls[2].ended, "%s", relay_fault_name(calls[2].fault));
    cr_assert_eq(calls[2].status, 200);
    cr_assert_eq(atomic_load(&fake.accepted), 2);
}

static bool late_hello(int socket) {
    return frames_hello(socket, 1);
}

Test(channel, an_answer_that_came_before_a_reset_is_read) {
    let_it_break_off(late_hello);
    cr_assert(calls[0].ended, "%s", relay_fault_name(calls[0].fault));
    cr_assert_str_eq(calls[0].body, "hello");
    finish();
}

static bool goaway_to_all(int socket) {
    return frames_goaway(socket, 0, 0);
}

Test(channel, so_is_what_was_not_processed) {
    let_it_break_off(goaway_to_all);
    cr_assert(calls[0].ended, "%s", relay_fault_name(calls[0].fault));
    cr_assert_eq(results(STATS_ORIGIN_COMPLETED), 3);
    finish();
}

static bool nonsense(int socket) {
    return fake_say(socket, "HTTP/1.1 400 Bad Request\r\n\r\n");
}

Test(channel, and_so_is_nonsense) {
    let_it_break_off(nonsense);
    cr_assert(calls[0].failed);
    cr_assert_eq(calls[0].fault, RELAY_FAULT_HTTP2);
    finish();
}

static bool nothing(int socket) {
    return true;
}

/* The kernel may hold what it has sent for unacknowledged, though the origin has read it. */
Test(channel, a_reset_does_not_prove_that_nothing_arrived) {
    let_it_break_off(nothing);
    cr_assert(calls[0].failed);
    cr_assert_eq(calls[0].fault, RELAY_FAULT_RESET);
    finish();
}
