/* The streams of an HTTP/2 connection: their room, their deadlines and their ends. */
#include "edge/place.h"
#include "http2_client.h"

TestSuite(http2_stream, .init = open_all, .fini = close_all);

Test(http2_stream, refuses_streams_that_have_no_room) {
    relays = true;
    begin();
    for (unsigned i = 0; i < SERVED_PLACES; i++) {
        ask_for(GET, true);
    }
    struct talk *refused = ask_for(GET, true);
    cr_expect(refused->closed);
    cr_expect_eq(refused->error, HTTP2_REFUSED_STREAM);
    cr_expect_eq(rejected(STATS_REJECT_HTTP2_STREAMS), 1);
    cr_expect_eq(connection->http2.open, SERVED_PLACES);
    answer(0, "");
    exchange_frames();
    ask_for(GET, true);
    cr_expect_eq(begun_count, SERVED_PLACES + 1);
}

Test(http2_stream, keeps_an_eighth_of_the_room_for_known_clients) {
    relays = true;
    scene.identity.status = STATUS_NONE;
    begin();
    cr_assert_lt(connection->place.rank, PLACES_KNOWN);
    for (unsigned i = 0; i < SERVED_PLACES - SERVED_PLACES / 8; i++) {
        cr_expect_not(ask_for(GET, true)->closed);
    }
    cr_expect_eq(ask_for(GET, true)->error, HTTP2_REFUSED_STREAM);
    cr_expect_eq(rejected(STATS_REJECT_HTTP2_STREAMS), 1);
    scene.identity.status = STATUS_VALID;
    place_update(connection);
    cr_assert_geq(connection->place.rank, PLACES_KNOWN);
    cr_expect_not(ask_for(GET, true)->closed);
    cr_expect_eq(ask_for(GET, true)->error, HTTP2_REFUSED_STREAM);
}

Test(http2_stream, leaves_a_connection_its_first_stream_when_the_shard_is_full) {
    relays = true;
    begin();
    scene.shard.connections.in_use = scene.shard.connections_capacity + SHARD_SPARE;
    cr_expect_not(ask_for(GET, true)->closed);
    cr_expect_eq(ask_for(GET, true)->error, HTTP2_REFUSED_STREAM);
    scene.shard.connections.in_use = 0;
}

Test(http2_stream, lets_go_of_a_stream_that_the_client_resets) {
    relays = true;
    begin();
    struct talk *talk = ask_for(GET, true);
    http2_stream_reset(&talk->stream, HTTP2_CANCEL);
    exchange_frames();
    cr_expect_eq(aborted, 1);
    cr_expect_eq(scene.shard.streams.in_use, 0);
    cr_expect_eq(connection->stage, &http2_quiet);
}

Test(http2_stream, resets_an_answer_that_is_cut_short) {
    relays = true;
    begin();
    struct talk *talk = ask_for(GET, true);
    begun[0]->code = 200;
    cr_expect(begun[0]->carrier->send_head(begun[0], &(struct http_message){.status = 200, .framing = HTTP_CHUNKED}, ""));
    begun[0]->relay = NULL;
    begun[0]->carrier->reset(begun[0], EXCHANGE_CUT_SHORT);
    exchange_frames();
    cr_expect(talk->closed);
    cr_expect_eq(talk->error, HTTP2_INTERNAL_ERROR);
    cr_expect_eq(scene.shard.streams.in_use, 0);
}

Test(http2_stream, tells_a_slow_client_so) {
    relays = true;
    begin();
    struct talk *talk = ask_for(POST, false);
    struct http2_exchange *exchange = CONTAINER_OF(begun[0], struct http2_exchange, exchange);
    scene_pass(3000);
    exchange->pace.timer.fire(&exchange->pace.timer);
    exchange_frames();
    cr_expect_eq(talk->message.status, 408);
    cr_expect_eq(rejected(STATS_REJECT_TIMEOUT), 1);
    cr_expect_eq(aborted, 1);
    cr_expect(timer_is_set(&exchange->pace.timer), "the rest of the request is waited for, but not for ever");
    exchange->pace.timer.fire(&exchange->pace.timer);
    exchange_frames();
    cr_expect(talk->closed);
    cr_expect_eq(talk->error, HTTP2_NO_ERROR);
    cr_expect_eq(connection->stage, &http2_quiet);
}

Test(http2_stream, does_not_blame_the_client_for_a_slow_origin) {
    relays = true;
    begin();
    struct talk *talk = ask_for(GET, true);
    struct http2_exchange *exchange = CONTAINER_OF(begun[0], struct http2_exchange, exchange);
    uint64_t deadline_ms = exchange->pace.deadline_ms;
    scene_pass(1000);
    exchange->pace.timer.fire(&exchange->pace.timer);
    exchange_frames();
    cr_expect_not(talk->closed);
    cr_expect_eq(exchange->pace.deadline_ms, deadline_ms + 1000);
}

Test(http2_stream, gives_up_an_answer_that_nobody_takes) {
    struct http2_settings shut = usual_settings;
    shut.stream_window = 0;
    side_close(&client);
    side_open(&client, false, &shut);
    begin();
    struct talk *talk = ask_for(GET, true);
    struct http2_exchange *exchange = CONTAINER_OF(begun[0], struct http2_exchange, exchange);
    cr_expect_eq(talk->message.status, 200);
    cr_expect_not(talk->closed);
    exchange->pace.timer.fire(&exchange->pace.timer);
    exchange_frames();
    cr_expect(talk->closed);
    cr_expect_eq(talk->error, HTTP2_CANCEL);
    cr_expect_eq(rejected(STATS_REJECT_TIMEOUT), 1);
}

static void time_out(struct exchange *exchange) {
    struct timer *timer = &CONTAINER_OF(exchange, struct http2_exchange, exchange)->pace.timer;

    scene_pass(3000);
    timer->fire(timer);
    exchange_frames();
}

/* From the end of the answer on nobody asks whether there is room: the bytes that leave show that the client reads. */
Test(http2_stream, gives_a_slow_reader_of_the_last_piece_its_time) {
    struct http2_settings small = usual_settings;
    small.stream_window = 4;
    side_close(&client);
    side_open(&client, false, &small);
    relays = true;
    begin();
    struct talk *talk = ask_for(GET, true);
    talk->takes = 0;
    answer(0, "more than the window lets through");
    exchange_frames();
    for (unsigned i = 0; i < 3; i++) {
        time_out(begun[0]);
        cr_assert_not(talk->closed);
        talk->takes += 4;
        http2_stream_resume(&talk->stream);
        exchange_frames();
    }
    time_out(begun[0]);
    cr_expect_not(talk->closed);
    time_out(begun[0]);
    cr_expect(talk->closed, "it has read nothing since");
    cr_expect_eq(talk->error, HTTP2_CANCEL);
    cr_expect_eq(rejected(STATS_REJECT_TIMEOUT), 1);
}

/* Room is said to be there again only when much of what waited has left. */
Test(http2_stream, gives_a_slow_reader_of_an_answer_that_goes_on_its_time) {
    struct http2_settings small = usual_settings;
    small.stream_window = 4;
    side_close(&client);
    side_open(&client, false, &small);
    relays = true;
    begin();
    struct talk *talk = ask_for(GET, true);
    talk->takes = 0;
    begun[0]->code = 200;
    cr_expect(begun[0]->carrier->send_head(begun[0], &(struct http_message){.status = 200, .framing = HTTP_CHUNKED}, ""));
    cr_expect(begun[0]->carrier->send_body(begun[0], bytes_of_string("more than the window lets through")));
    exchange_frames();
    time_out(begun[0]);
    cr_expect_not(talk->closed);
    cr_expect_eq(aborted, 0);
    time_out(begun[0]);
    cr_expect(talk->closed);
    cr_expect_eq(aborted, 1);
}
