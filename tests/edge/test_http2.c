/* HTTP/2 on a connection: stages, deadlines and ends. */
#include "http2_client.h"

#include <string.h>

TestSuite(http2, .init = open_all, .fini = close_all);

Test(http2, lets_a_client_open_as_many_streams_as_its_verdict_allows) {
    begin();
    cr_expect_eq(http2_session_vacancies(client.session), HTTP2_STREAMS_VALID);
    cr_expect_eq(connection->stage, &http2_quiet);
    connection_end(connection, CONNECTION_ABRUPTLY);
    side_close(&client);
    side_open(&client, false, &usual_settings);
    scene.identity.status = STATUS_NONE;
    connection = served_connect();
    begin();
    cr_expect_eq(http2_session_vacancies(client.session), HTTP2_STREAMS_OTHERS);
}

Test(http2, answers_each_stream_with_its_own) {
    relays = true;
    begin();
    struct talk *first = ask_for(GET, true);
    struct talk *second = ask_for(GET, true);
    cr_expect_eq(begun_count, 2);
    cr_expect_eq(begun[0]->stream_id, 1);
    cr_expect_eq(begun[1]->stream_id, 3);
    cr_expect_eq(connection->http2.open, 2);
    cr_expect_eq(connection->stage, &http2_streams);
    answer(1, "second");
    answer(0, "first");
    exchange_frames();
    cr_expect(has_body(first, "first") && first->closed && first->error == HTTP2_NO_ERROR);
    cr_expect(has_body(second, "second") && second->closed);
    cr_expect_eq(connection->stage, &http2_quiet);
    cr_expect_eq(connection->http2.requests, 2);
    cr_expect_eq(scene.shard.streams.in_use, 0);
    cr_expect_eq(stats_read(&host_stats()->streams), 2);
    cr_expect_eq(stats_read(&host_stats()->requests[stats_code_slot(200)][STATS_HTTP2]), 2);
    cr_expect_eq(stats_read(&host_stats()->requests[stats_code_slot(200)][STATS_HTTP1]), 0);
}

Test(http2, knows_a_frame_that_is_not_complete) {
    begin();
    held_add(connection, bytes_of("\0\0\x8\6", 4));
    plaintext_resume(connection);
    http2_turn(&scene.shard);
    cr_expect_eq(connection->stage, &http2_frames);
    cr_expect_eq(connection->pace.deadline_ms, ring_now_ms(&scene.shard.ring) + 2000);
    scene_pass(1000);
    held_add(connection, bytes_of("\0\0\0\0\0pingpong", 13));
    plaintext_resume(connection);
    http2_turn(&scene.shard);
    cr_expect_eq(connection->stage, &http2_quiet);
    cr_expect_eq(connection->pace.deadline_ms, ring_now_ms(&scene.shard.ring) + 1000, "the time goes on from the handshake");
    held_add(connection, bytes_of("\0", 1));
    plaintext_resume(connection);
    http2_turn(&scene.shard);
    connection->stage->timed_out(connection);
    cr_expect(connection_is_closing(connection));
    cr_expect_eq(rejected(STATS_REJECT_TIMEOUT), 1);
}

Test(http2, hands_a_body_on_as_its_origin_takes_it) {
    relays = true;
    begin();
    struct talk *talk = ask_for(POST, false);
    http2_stream_send(&talk->stream, bytes_of_string("abc"));
    exchange_frames();
    cr_expect_eq(body.size, 3);
    origin_room = 0;
    http2_stream_send(&talk->stream, bytes_of_string("def"));
    http2_stream_end(&talk->stream, (struct bytes){0});
    exchange_frames();
    cr_expect_eq(body.size, 3);
    cr_expect_eq(bodies_ended, 0);
    cr_expect_not(list_is_empty(&connection->http2.waiting));
    origin_room = 100;
    begun[0]->carrier->read_more(connection);
    cr_expect(bytes_equal(bytes_of(body.data, body.size), bytes_of_string("abcdef")));
    cr_expect_eq(bodies_ended, 1);
    cr_expect(begun[0]->request_done);
}

Test(http2, shuts_down_in_two_steps) {
    relays = true;
    begin();
    struct talk *talk = ask_for(GET, true);
    connection->stage->drain(connection);
    http2_turn(&scene.shard);
    give(&client, bytes_of(sent.data, sent.size));
    sent.size = 0;
    cr_expect_eq(http2_session_vacancies(client.session), 0);
    exchange_frames();
    cr_expect_eq(connection->stage, &http2_streams);
    answer(0, "late");
    exchange_frames();
    cr_expect(has_body(talk, "late"));
    cr_expect(connection_is_closing(connection));
    cr_expect_eq(finished, 1);
    cr_expect_eq(shut_down, 1);
}

Test(http2, names_a_stream_that_begins_before_the_last_goaway_leaves) {
    static const uint8_t frames[] = "\0\0\x8\6\1\0\0\0\0shutdown"
                                    "\0\0\x0b\1\5\0\0\0\1\x82\x87\x84\1\6s.test";
    static const uint8_t goaway[] = {0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};

    relays = true;
    begin();
    connection->stage->drain(connection);
    http2_turn(&scene.shard);
    held_add(connection, bytes_of(frames, sizeof frames - 1));
    plaintext_resume(connection);
    http2_turn(&scene.shard);
    cr_expect_eq(begun_count, 1);
    cr_expect_not_null(memmem(sent.data, sent.size, goaway, sizeof goaway));
}

Test(http2, hurries_a_quiet_client_that_is_to_go) {
    scene.config.limits.idle_timeout_ms = 60000;
    relays = true;
    begin();
    ask_for(GET, true);
    answer(0, "");
    exchange_frames();
    cr_expect_eq(connection->pace.deadline_ms, ring_now_ms(&scene.shard.ring) + 60000);
    connection->stage->drain(connection);
    http2_turn(&scene.shard); /* the client does not answer */
    cr_expect_eq(connection->pace.deadline_ms, ring_now_ms(&scene.shard.ring) + HTTP2_LAST_WORD_MS);
    scene_pass(HTTP2_LAST_WORD_MS);
    connection->stage->timed_out(connection);
    cr_expect(connection_is_closing(connection));
}

/* The client goes on with streams, and does not answer the PING. */
Test(http2, takes_no_streams_for_ever_of_a_client_that_is_to_go) {
    static const uint8_t third[] = "\0\0\x0b\1\5\0\0\0\3\x82\x87\x84\1\6s.test";
    static const uint8_t fifth[] = "\0\0\x0b\1\5\0\0\0\5\x82\x87\x84\1\6s.test";
    static const uint8_t seventh[] = "\0\0\x0b\1\5\0\0\0\7\x82\x87\x84\1\6s.test";
    static const uint8_t goaway[] = {0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0};

    relays = true;
    begin();
    ask_for(GET, true);
    connection->stage->drain(connection);
    http2_turn(&scene.shard);
    scene_pass(HTTP2_LAST_WORD_MS - 1);
    held_add(connection, bytes_of(third, sizeof third - 1));
    plaintext_resume(connection);
    http2_turn(&scene.shard);
    cr_expect_eq(begun_count, 2, "it may not have read the first GOAWAY");
    scene_pass(1);
    held_add(connection, bytes_of(fifth, sizeof fifth - 1));
    plaintext_resume(connection);
    http2_turn(&scene.shard);
    cr_expect_not_null(memmem(sent.data, sent.size, goaway, sizeof goaway));
    unsigned taken = begun_count;
    held_add(connection, bytes_of(seventh, sizeof seventh - 1));
    plaintext_resume(connection);
    http2_turn(&scene.shard);
    cr_expect_eq(begun_count, taken);
    for (unsigned i = 0; i < taken; i++) {
        answer(i, "");
    }
    http2_turn(&scene.shard);
    cr_expect(connection_is_closing(connection));
}

Test(http2, keeps_no_connection_of_a_shard_that_drains) {
    scene.shard.draining = true;
    begin();
    cr_expect(connection_is_closing(connection), "nothing was asked, and the client has answered");
    cr_expect_eq(finished, 1);
}

Test(http2, takes_no_streams_of_a_host_that_has_turned_it_off) {
    begin();
    connection->stage->site_changed(connection);
    cr_expect_not(connection->http2.shut_down);
    scene.host.http2 = false;
    connection->stage->site_changed(connection);
    cr_expect(connection->http2.shut_down);
}

Test(http2, takes_no_more_streams_of_a_client_that_is_dismissed) {
    dismisses = true;
    begin();
    struct talk *talk = ask_for(GET, true);
    cr_expect_eq(talk->message.status, 200);
    cr_expect(connection_is_closing(connection));
}

Test(http2, ends_for_a_fault) {
    begin();
    held_add(connection, bytes_of("\0\0\1\0\0\0\0\0\0x", 10)); /* DATA of no stream */
    plaintext_resume(connection);
    http2_turn(&scene.shard);
    cr_expect(connection_is_closing(connection));
    cr_expect_eq(rejected(STATS_REJECT_HTTP2_ERROR), 1);
    cr_expect_eq(finished, 1, "behind its GOAWAY");
}

Test(http2, ends_for_a_flood) {
    static const uint8_t ping[17] = {0, 0, 8, 6};

    begin();
    for (unsigned i = 0; i < 2000 && !connection_is_closing(connection); i++) {
        held_add(connection, bytes_of(ping, sizeof ping));
        plaintext_resume(connection);
        http2_turn(&scene.shard);
    }
    cr_expect(connection_is_closing(connection));
    cr_expect_eq(rejected(STATS_REJECT_HTTP2_PINGS), 1);
}

Test(http2, ends_a_client_s_streams_with_its_connection) {
    relays = true;
    begin();
    ask_for(GET, true);
    ask_for(POST, false);
    connection_end(connection, CONNECTION_ABRUPTLY);
    cr_expect_eq(sent.size, 0, "frames that leave now would go to the next connection in this memory");
    cr_expect_eq(aborted, 2);
    cr_expect_eq(scene.shard.streams.in_use, 0);
    cr_expect_null(connection->http2.session);
    cr_expect_not(list_is_linked(&connection->http2.in_turn));
    cr_expect_eq(closed, 1);
}

Test(http2, may_end_while_frames_leave) {
    static const uint8_t piece[40000];

    relays = true;
    begin();
    ask_for(GET, true);
    begun[0]->code = 200;
    cr_expect(begun[0]->carrier->send_head(begun[0], &(struct http_message){.status = 200, .framing = HTTP_CHUNKED}, ""));
    breaks = 1;
    cr_expect_not(begun[0]->carrier->send_body(begun[0], bytes_of(piece, sizeof piece)), "some of it would have waited");
    cr_expect(connection_is_closing(connection));
    cr_expect_null(connection->http2.session);
    cr_expect_eq(scene.shard.streams.in_use, 0);
}

Test(http2, may_end_while_frames_that_waited_leave) {
    struct http2_settings shut = usual_settings;
    shut.stream_window = 10;
    side_close(&client);
    side_open(&client, false, &shut);
    relays = true;
    begin();
    struct talk *talk = ask_for(GET, true);
    talk->takes = 0;
    answer(0, "this is more than the window lets through");
    exchange_frames();
    http2_stream_widen(&talk->stream, 1000);
    breaks = 2; /* behind the head of DATA */
    exchange_frames();
    cr_expect(connection_is_closing(connection));
    cr_expect_eq(scene.shard.streams.in_use, 0);
}

Test(http2, gives_a_client_nothing_that_has_asked_for_nothing) {
    begin();
    connection->stage->finished(connection, true);
    cr_expect_eq(closed, 1);
    cr_expect_eq(shut_down, 0);
}

Test(http2, says_goodbye_to_a_client_that_has_asked) {
    begin();
    ask_for(GET, true);
    connection->stage->finished(connection, true);
    cr_expect_eq(finished, 1);
    cr_expect_eq(shut_down, 1);
    cr_expect_gt(sent.size, 0, "GOAWAY");
}

Test(http2, answers_a_client_that_has_said_its_last_word) {
    relays = true;
    begin();
    struct talk *whole = ask_for(GET, true);
    struct talk *cut_off = ask_for(POST, false);
    connection->stage->finished(connection, false);
    exchange_frames();
    cr_expect(cut_off->closed && cut_off->error == HTTP2_CANCEL);
    cr_expect_eq(aborted, 1);
    cr_expect_eq(doubted, 1);
    cr_expect_not(connection_is_closing(connection));
    answer(0, "late");
    exchange_frames();
    cr_expect(has_body(whole, "late"));
    cr_expect(connection_is_closing(connection));
    cr_expect_eq(finished, 1);
    cr_expect_eq(shut_down, 1);
}

Test(http2, keeps_no_idle_connection) {
    begin();
    ask_for(GET, true);
    scene_pass(2000);
    connection->stage->timed_out(connection);
    cr_expect_eq(connection->stage, &http2_quiet, "the time began with the answer");
    scene_pass(1000);
    connection->stage->timed_out(connection);
    cr_expect(connection_is_closing(connection));
    cr_expect_eq(rejected(STATS_REJECT_TIMEOUT), 0);
    give(&client, bytes_of(sent.data, sent.size));
    cr_expect_eq(http2_session_vacancies(client.session), 0);
}
