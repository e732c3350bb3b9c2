/* An exchange between a carrier and an origin that are both made up. */
#include "made_up.h"

TestSuite(exchange, .init = open_all, .fini = close_all);

static const char get[] = "GET / HTTP/1.1\r\nHost: s.test\r\n\r\n";
static const char post[] = "POST / HTTP/1.1\r\nHost: s.test\r\nContent-Length: 10\r\n\r\n";

Test(exchange, relays_a_request_and_its_answer) {
    begin(get);
    EXPECT_EVENTS("Se");
    origin->interim(&exchange, &(struct http_message){.status = 103}, "");
    answer(200);
    origin->body(&exchange, bytes_of_string("12345"));
    origin->end(&exchange, (struct bytes){0});
    EXPECT_EVENTS("IHBEM");
    cr_expect_eq(exchange.body_out, 5);
    cr_expect_eq(requests(&scene.site, 200), 0, "it is not over");
    exchange_end(&exchange);
    EXPECT_EVENTS("");
    cr_expect_eq(requests(&scene.site, 200), 1);
}

Test(exchange, is_counted_by_its_protocol) {
    for (uint32_t stream_id = 0; stream_id < 4; stream_id++) {
        begin(get);
        exchange.stream_id = stream_id;
        answer(200);
        exchange_end(&exchange);
    }
    const stats_counter *counters = stats_hosts_at(scene.site.stats, 0, 0)->requests[stats_code_slot(200)];
    cr_expect_eq(stats_read(&counters[STATS_HTTP1]), 1);
    cr_expect_eq(stats_read(&counters[STATS_HTTP2]), 3);
}

Test(exchange, relays_a_body_as_far_as_the_origin_takes_it) {
    begin(post);
    EXPECT_EVENTS("SC");
    cr_expect(exchange_wants_body(&exchange));
    cr_expect(exchange_body(&exchange, bytes_of_string("12345")));
    origin_room = 0;
    cr_expect_not(exchange_wants_body(&exchange));
    origin->drained(&exchange);
    cr_expect(exchange_body(&exchange, bytes_of_string("67890")));
    exchange_body_end(&exchange, (struct bytes){0});
    EXPECT_EVENTS("bMbe");
    cr_expect_eq(exchange.body_in, 10);
    cr_expect(exchange_wants_body(&exchange), "a client that goes away is to be noticed");
    exchange_end(&exchange);
    EXPECT_EVENTS("a");
}

Test(exchange, has_the_origin_wait_for_the_client) {
    begin(get);
    answer(200);
    client_room = 0;
    origin->body(&exchange, bytes_of_string("1"));
    origin->body(&exchange, bytes_of_string("2"));
    exchange_drained(&exchange);
    client_room = 1;
    exchange_drained(&exchange);
    exchange_drained(&exchange);
    EXPECT_EVENTS("SeHBpBr");
    exchange_end(&exchange);
}

Test(exchange, answers_for_an_origin_that_does_not) {
    is_reachable = false;
    begin(get);
    EXPECT_EVENTS("SR");
    cr_expect_eq(status, 502);
    exchange_end(&exchange);
    is_reachable = true;
    begin(get);
    origin->failed(&exchange, RELAY_TIMEOUT, RELAY_FAULT_NONE);
    EXPECT_EVENTS("SeRM");
    cr_expect_eq(status, 504);
    exchange_end(&exchange);
    EXPECT_EVENTS("");
    cr_expect_eq(requests(&scene.site, 502) + requests(&scene.site, 504), 2);
}

Test(exchange, cuts_an_answer_short_that_the_origin_does_not_complete) {
    begin(get);
    answer(200);
    origin->failed(&exchange, RELAY_BROKEN, RELAY_FAULT_NONE);
    EXPECT_EVENTS("SeHX");
    exchange_end(&exchange);
}

Test(exchange, takes_no_head_that_its_carrier_cannot_send) {
    begin(get);
    takes_heads = false;
    answer(200);
    EXPECT_EVENTS("SeHfRM");
    cr_expect_eq(status, 502);
    cr_expect_eq(exchange.code, 502);
    cr_expect_eq(exchange.origin_fault, RELAY_FAULT_TOO_LARGE);
    exchange_end(&exchange);
}

Test(exchange, refuses_a_request_before_its_answer_and_not_after) {
    begin(post);
    exchange_refuse(&exchange, (struct bytes){0}, 413);
    EXPECT_EVENTS("SCaR");
    cr_expect_eq(status, 413);
    cr_expect_eq(scene.stats.rejected[STATS_AT_REQUEST][STATS_REJECT_TOO_LARGE], 1);
    exchange_end(&exchange);
    begin(post);
    answer(200);
    exchange_refuse(&exchange, (struct bytes){0}, 400);
    exchange_refuse(&exchange, (struct bytes){0}, 408);
    EXPECT_EVENTS("SCHXG");
    cr_expect_eq(scene.stats.rejected[STATS_AT_REQUEST][STATS_REJECT_MALFORMED], 1);
    cr_expect_eq(scene.stats.rejected[STATS_AT_REQUEST][STATS_REJECT_TIMEOUT], 1);
    exchange_end(&exchange);
}

Test(exchange, denies_a_certificate_that_is_not_valid) {
    scene.host.mode = CONFIG_ENFORCE;
    scene.identity.status = STATUS_NONE;
    scene.identity.reason = REASON_ABSENT;
    begin(get);
    EXPECT_EVENTS("R");
    cr_expect_eq(status, 403);
    cr_expect_not(exchange.dismissed, "the client may find another certificate");
    exchange_end(&exchange);
    client->verdict.lost = true;
    begin(get);
    cr_expect(exchange.dismissed, "its certificate was valid in the handshake");
    exchange_end(&exchange);
    cr_expect_eq(scene.stats.rejected[STATS_AT_CERTIFICATE][STATS_REJECT_DENIED], 2);
}

Test(exchange, is_for_the_host_of_the_handshake_alone) {
    begin("GET / HTTP/1.1\r\nHost: other.test\r\n\r\n");
    EXPECT_EVENTS("R");
    cr_expect_eq(status, 421);
    exchange_end(&exchange);
    begin("CONNECT other.test:443 HTTP/1.1\r\nHost: s.test\r\n\r\n");
    cr_expect_eq(status, 421);
    exchange_end(&exchange);
}

Test(exchange, makes_no_tunnel) {
    static const char *const heads[] = {"CONNECT s.test:443 HTTP/1.1\r\nHost: s.test\r\n\r\n",
                                        "TRACE / HTTP/1.1\r\nHost: s.test\r\n\r\n"};

    for (size_t i = 0; i < ARRAY_LENGTH(heads); i++) {
        begin(heads[i]);
        EXPECT_EVENTS("R");
        cr_expect_eq(status, 405, "%s", heads[i]);
        exchange_end(&exchange);
    }
    cr_expect_eq(scene.stats.rejected[STATS_AT_REQUEST][STATS_REJECT_METHOD], 2);
    scene.host.mode = CONFIG_ENFORCE;
    scene.identity.status = STATUS_NONE;
    scene.identity.reason = REASON_ABSENT;
    for (size_t i = 0; i < ARRAY_LENGTH(heads); i++) {
        begin(heads[i]);
        cr_expect_eq(status, 403, "%s", heads[i]);
        exchange_end(&exchange);
    }
}

/* As one of several on a connection, it may be under way when another one begins after a reload. */
Test(exchange, keeps_its_site_when_the_client_gets_another) {
    begin(get);
    cr_expect_eq(scene.site.references, 101);
    scene.shard.site = &served_site_then;
    cr_expect(site_switch(client));
    cr_expect_eq(client->site, &served_site_then);
    answer(200);
    exchange_end(&exchange);
    cr_expect_eq(requests(&scene.site, 200), 1);
    cr_expect_eq(requests(&served_site_then, 200), 0);
    cr_expect_eq(scene.site.references, 99, "neither client nor exchange");
    begin(get);
    answer(200);
    exchange_end(&exchange);
    cr_expect_eq(requests(&served_site_then, 200), 1);
}

Test(exchange, takes_a_reload_in_when_it_begins) {
    struct exchange *early = &exchange;

    exchange_init(early, &carrier, NULL, client);
    cr_expect_eq(early->site, &scene.site);
    exchange_end(early);
    scene.shard.site = &served_site_then;
    begin(get);
    cr_expect_eq(early->site, &served_site_then);
    cr_expect_eq(client->site, &served_site_then);
    exchange_end(early);
}

/* Tunnels. */

static const char upgrade[] = "GET / HTTP/1.1\r\nHost: s.test\r\nConnection: Upgrade\r\nUpgrade: h2c, websocket\r\n\r\n";

/* The origin's 101 goes on in that protocol. */
static void switch_to(const char *protocol) {
    char head[128];
    struct http_header line = {.name = {0, 7}, .value = {9, (uint32_t)strlen(protocol)}, .kind = HTTP_HEADER_UPGRADE};

    snprintf(head, sizeof head, "Upgrade: %s", protocol);
    origin->head(&exchange, &(struct http_message){.status = 101, .headers = &line, .header_count = 1}, head);
}

static const struct stats_host *counters(void) {
    return stats_hosts_at(scene.site.stats, 0, 0);
}

static void open_tunnel(void) {
    begin(upgrade);
    EXPECT_EVENTS("Se");
    switch_to("websocket");
    EXPECT_EVENTS("HM");
    cr_assert(exchange.is_tunnel);
    cr_expect_eq(exchange.code, 101);
    cr_expect_eq(stats_read(&counters()->tunnels), 1);
}

static void expect_end(enum stats_tunnel_end why) {
    exchange_end(&exchange);
    cr_expect_eq(stats_read(&counters()->tunnels), 0);
    cr_expect_eq(stats_read(&counters()->tunnel_ends[why]), 1);
    cr_expect_eq(requests(&scene.site, 101), 1);
    cr_expect_eq(scene.shard.ring.timers.set, 0);
}

Test(exchange, becomes_a_tunnel) {
    open_tunnel();
    cr_expect(exchange_wants_body(&exchange));
    cr_expect(exchange_body(&exchange, bytes_of_string("12345")));
    origin->body(&exchange, bytes_of_string("123"));
    EXPECT_EVENTS("bB");
    client_room = origin_room = 0;
    origin->body(&exchange, bytes_of_string("45"));
    cr_expect_not(exchange_wants_body(&exchange));
    client_room = 1;
    exchange_drained(&exchange);
    EXPECT_EVENTS("Bpr");
    cr_expect_eq(exchange.body_in, 5);
    cr_expect_eq(exchange.body_out, 5);
    expect_end(STATS_TUNNEL_CLOSED);
    EXPECT_EVENTS("a");
}

Test(exchange, becomes_a_tunnel_of_what_was_offered_alone) {
    static const char *const others[] = {"h2c", "websocket, h2c", "other", ""};

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        begin(upgrade);
        EXPECT_EVENTS("Se");
        switch_to(others[i]);
        EXPECT_EVENTS("fRM");
        cr_expect_eq(status, 502);
        cr_expect_eq(exchange.origin_fault, RELAY_FAULT_UPGRADE);
        exchange_end(&exchange);
    }
    cr_expect_eq(stats_read(&counters()->tunnel_ends[STATS_TUNNEL_CLOSED]), 0);
}

Test(exchange, is_no_tunnel_if_its_head_cannot_be_sent) {
    begin(upgrade);
    takes_heads = false;
    switch_to("websocket");
    EXPECT_EVENTS("SeHfRM");
    cr_expect_eq(status, 502);
    cr_expect(exchange.request_done && !exchange.is_tunnel);
    cr_expect_eq(stats_read(&counters()->tunnels), 0);
    exchange_end(&exchange);
    cr_expect_eq(scene.shard.ring.timers.set, 0);
}

Test(exchange, as_a_tunnel_ends_with_both_halves) {
    open_tunnel();
    origin->half_end(&exchange);
    EXPECT_EVENTS("h");
    exchange_body_end(&exchange, (struct bytes){0});
    EXPECT_EVENTS("ePE");
    expect_end(STATS_TUNNEL_CLOSED);
    EXPECT_EVENTS("");
}

Test(exchange, as_a_tunnel_ends_with_both_halves_in_either_order) {
    open_tunnel();
    exchange_body_end(&exchange, (struct bytes){0});
    EXPECT_EVENTS("e");
    origin->body(&exchange, bytes_of_string("x"));
    origin->half_end(&exchange);
    EXPECT_EVENTS("BPE");
    expect_end(STATS_TUNNEL_CLOSED);
}

Test(exchange, as_a_tunnel_has_a_last_word_between_frames) {
    open_tunnel();
    origin->body(&exchange, bytes_of_string("\x81\x02hi"));
    EXPECT_EVENTS("B");
    exchange_end_tunnel(&exchange, STATS_TUNNEL_DRAIN);
    EXPECT_EVENTS("BE");
    expect_end(STATS_TUNNEL_DRAIN);
}

Test(exchange, as_a_tunnel_is_cut_off_within_a_frame) {
    open_tunnel();
    origin->body(&exchange, bytes_of_string("\x81\x02h"));
    exchange_end_tunnel(&exchange, STATS_TUNNEL_VERDICT);
    EXPECT_EVENTS("BX");
    expect_end(STATS_TUNNEL_VERDICT);
}

/* The client has the end already, and nothing may follow. */
Test(exchange, as_a_tunnel_says_nothing_behind_the_end_of_the_origin) {
    open_tunnel();
    origin->half_end(&exchange);
    exchange_end_tunnel(&exchange, STATS_TUNNEL_IDLE);
    EXPECT_EVENTS("hE");
    expect_end(STATS_TUNNEL_IDLE);
}

Test(exchange, as_a_tunnel_ends_with_its_host) {
    open_tunnel();
    exchange_switch_tunnel(&exchange, false);
    EXPECT_EVENTS("BE");
    expect_end(STATS_TUNNEL_VERDICT);
}

Test(exchange, offers_nothing_to_an_origin_of_http2) {
    scene.host.origin_http2 = true;
    begin(upgrade);
    cr_expect_eq(exchange.upgrade_size, 0);
    exchange_end(&exchange);
}

/* As HTTP/2 has it: the client's bytes may come at once. */
static void begin_connect(const char *protocol) {
    static char head[256];

    exchange_init(&exchange, &carrier, NULL, client);
    snprintf(head, sizeof head, "CONNECT/s.test%s", protocol);
    exchange.request.http2 = true;
    exchange.request.minor = 1;
    exchange.request.header_count = 0;
    exchange.request.expect_continue = false;
    exchange.request.framing = HTTP_CHUNKED;
    exchange.request.method = (struct http_span){0, 7};
    exchange.request.method_kind = HTTP_METHOD_CONNECT;
    exchange.request.path = (struct http_span){7, 1};
    exchange.request.authority = (struct http_span){8, 6};
    exchange.request.protocol = (struct http_span){14, (uint32_t)strlen(protocol)};
    exchange_begin(&exchange, bytes_of_string(head));
}

Test(exchange, of_an_extended_connect_waits_for_its_tunnel) {
    begin_connect("test/1");
    EXPECT_EVENTS("Se");
    cr_expect_not(exchange_wants_body(&exchange), "it has none before");
    switch_to("test/1");
    EXPECT_EVENTS("HM");
    cr_expect(exchange_wants_body(&exchange));
    expect_end(STATS_TUNNEL_CLOSED);
}

Test(exchange, of_an_extended_connect_takes_no_websocket_without_its_key) {
    begin_connect("websocket");
    EXPECT_EVENTS("Se");
    switch_to("websocket");
    EXPECT_EVENTS("fRM");
    cr_expect_eq(status, 502);
    exchange_end(&exchange);
}

Test(exchange, of_an_extended_connect_knows_what_must_not_pass) {
    begin_connect("h2c");
    EXPECT_EVENTS("R");
    cr_expect_eq(status, 501);
    cr_expect(exchange_wants_body(&exchange), "to be dropped");
    exchange_end(&exchange);
    scene.host.methods = (char *)"POST";
    begin_connect("websocket");
    EXPECT_EVENTS("R");
    cr_expect_eq(status, 405);
    exchange_end(&exchange);
}
