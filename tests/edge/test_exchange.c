/* An exchange between a carrier and an origin that are both made up. */
#include "edge/site_switch.h"
#include "served.h"

#include <stdio.h>
#include <string.h>

/* Linked with --wrap: the origin's side. */
struct relay_exchange *__wrap_relay_exchange_start(struct relay *relay, const struct relay_request *request,
                                                   const struct relay_handler *handler, void *owner,
                                                   enum relay_fault *fault);
size_t __wrap_relay_exchange_room(struct relay_exchange *exchange);
void __wrap_relay_exchange_body(struct relay_exchange *exchange, struct bytes piece);
void __wrap_relay_exchange_body_end(struct relay_exchange *exchange);
void __wrap_relay_exchange_body_end_with(struct relay_exchange *exchange, struct bytes trailers);
void __wrap_relay_exchange_part(struct relay_exchange *exchange);
void __wrap_relay_exchange_pause(struct relay_exchange *exchange);
void __wrap_relay_exchange_resume(struct relay_exchange *exchange);
void __wrap_relay_exchange_refuse(struct relay_exchange *exchange, enum relay_fault fault);
void __wrap_relay_exchange_abort(struct relay_exchange *exchange);
/* And what a head for the origin has of TLS and headers. */
const char *__wrap_tls_session_version(const struct tls_session *session);
const char *__wrap_tls_session_cipher(const struct tls_session *session);
void __wrap_http_write_request(struct text *out, const struct http_message *request, const void *head,
                               const struct http_forwarding *forwarding);
void __wrap_stats_time_of_host(struct stats_shard *shard, struct stats_histogram *histogram, enum stats_latency what,
                               uint64_t duration_ns);

const struct config_host *__wrap_config_find_host(const struct config *config, const char *name);

const struct config_host *__wrap_config_find_host(const struct config *config, const char *name) {
    return strcmp(name, "s.test") == 0 ? &scene.host : NULL;
}

/* All that has happened, a letter each, in order. */
static char events[64];
static struct exchange exchange;
static const struct relay_handler *origin;
static bool is_reachable, is_busy, takes_heads;
static bool patient; /* the last request that was relayed */
static size_t origin_room, client_room;
static unsigned status; /* of the last reply */
static char reply_fields[256];
static char sent_trailers[256], given_trailers[256]; /* of the last request, and answer */

static void note(const char *event) {
    strncat(events, event, sizeof events - strlen(events) - 1);
}

/* Expects these events since the last time. */
static void expect_events(const char *expected, int line) {
    cr_expect_str_eq(events, expected, "line %d: %s", line, events);
    events[0] = '\0';
}
#define EXPECT_EVENTS(expected) expect_events(expected, __LINE__)

struct relay_exchange *__wrap_relay_exchange_start(struct relay *relay, const struct relay_request *request,
                                                   const struct relay_handler *handler, void *owner,
                                                   enum relay_fault *fault) {
    note("S");
    cr_expect_eq(owner, &exchange);
    cr_expect_eq(request->client, &exchange.client->origin);
    origin = handler;
    patient = request->patient;
    *fault = is_busy ? RELAY_FAULT_BUSY : RELAY_FAULT_REFUSED;
    return is_reachable ? (struct relay_exchange *)&origin : NULL;
}

size_t __wrap_relay_exchange_room(struct relay_exchange *relayed) {
    return origin_room;
}

void __wrap_relay_exchange_body(struct relay_exchange *relayed, struct bytes piece) {
    note("b");
}

void __wrap_relay_exchange_body_end(struct relay_exchange *relayed) {
    note("e");
}

void __wrap_relay_exchange_body_end_with(struct relay_exchange *relayed, struct bytes trailers) {
    note("e");
    memcpy(sent_trailers, trailers.data == NULL ? (const void *)"" : trailers.data, trailers.size);
    sent_trailers[trailers.size] = '\0';
}

void __wrap_relay_exchange_part(struct relay_exchange *relayed) {
    note("P");
}

void __wrap_relay_exchange_pause(struct relay_exchange *relayed) {
    note("p");
}

void __wrap_relay_exchange_resume(struct relay_exchange *relayed) {
    note("r");
}

void __wrap_relay_exchange_refuse(struct relay_exchange *relayed, enum relay_fault fault) {
    note("f");
}

void __wrap_relay_exchange_abort(struct relay_exchange *relayed) {
    note("a");
}

const char *__wrap_tls_session_version(const struct tls_session *session) {
    return "TLSv1.3";
}

const char *__wrap_tls_session_cipher(const struct tls_session *session) {
    return "TLS_AES_128_GCM_SHA256";
}

void __wrap_http_write_request(struct text *out, const struct http_message *request, const void *head,
                               const struct http_forwarding *forwarding) {
    cr_expect_eq(forwarding->identity.data, scene.identity.headers.data);
}

void __wrap_stats_time_of_host(struct stats_shard *shard, struct stats_histogram *histogram, enum stats_latency what,
                               uint64_t duration_ns) {}

/* The carrier. */

static bool send_interim(struct exchange *e, const struct http_message *response, const void *head) {
    note("I");
    return true;
}

static bool send_head(struct exchange *e, const struct http_message *response, const void *head) {
    note("H");
    return takes_heads;
}

static bool send_body(struct exchange *e, struct bytes piece) {
    note("B");
    return true;
}

static void send_end(struct exchange *e, struct bytes trailers) {
    note("E");
    memcpy(given_trailers, trailers.data == NULL ? (const void *)"" : trailers.data, trailers.size);
    given_trailers[trailers.size] = '\0';
}

static void send_half_end(struct exchange *e) {
    note("h");
}

static void send_reply(struct exchange *e, struct http_reply *reply) {
    note("R");
    status = reply->status;
    snprintf(reply_fields, sizeof reply_fields, "%s|%s|%zu", reply->content_type, reply->fields == NULL ? "" : reply->fields,
             reply->body.size);
}

static void invite_body(struct exchange *e) {
    note("C");
}

static void reset(struct exchange *e, enum exchange_reset how) {
    note(how == EXCHANGE_CUT_SHORT ? "X" : "G");
}

static size_t room(const struct exchange *e) {
    return client_room;
}

static void read_more(void *owner) {
    note("M");
}

static const struct exchange_carrier carrier = {
    .send_interim = send_interim,
    .send_head = send_head,
    .send_body = send_body,
    .send_end = send_end,
    .send_half_end = send_half_end,
    .send_reply = send_reply,
    .invite_body = invite_body,
    .reset = reset,
    .room = room,
    .read_more = read_more,
};

static struct client *client;

static void open_all(void) {
    served_open();
    is_reachable = takes_heads = true;
    is_busy = false;
    origin_room = client_room = 1000;
    client = &served_connect()->client;
}

static void close_all(void) {
    served_close();
}

TestSuite(exchange, .init = open_all, .fini = close_all);

/* Reads a head as any carrier may, and begins. */
static void begin(const char *head) {
    exchange_init(&exchange, &carrier, NULL, client);
    struct http_parser parser;
    http_parser_init_request(&parser, &exchange.request, 8192);
    cr_assert_eq(http_parser_head(&parser, bytes_of_string(head)), HTTP_PARSE_HEAD);
    exchange_begin(&exchange, bytes_of_string(head));
}

static void answer(unsigned code) {
    origin->head(&exchange, &(struct http_message){.status = code}, "");
}

static uint64_t requests(const struct site *site, unsigned code) {
    return stats_requests(stats_hosts_at(site->stats, 0, 0), stats_code_slot(code));
}

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
    exchange_refuse(&exchange, 413);
    EXPECT_EVENTS("SCaR");
    cr_expect_eq(status, 413);
    cr_expect_eq(scene.stats.rejected[STATS_AT_REQUEST][STATS_REJECT_TOO_LARGE], 1);
    exchange_end(&exchange);
    begin(post);
    answer(200);
    exchange_refuse(&exchange, 400);
    exchange_refuse(&exchange, 408);
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

    /* Calls of gRPC, which come by HTTP/2. */

#define CALL "POST /a.B/c HTTP/1.1\r\nHost: s.test\r\nTE: trailers\r\nContent-Type: application/grpc+proto\r\n"
    static const char call[] = CALL "Transfer-Encoding: chunked\r\n\r\n";

    static void begin_stream(const char *head) {
        exchange_init(&exchange, &carrier, NULL, client);
        exchange.stream_id = 1;
        struct http_parser parser;
        http_parser_init_request(&parser, &exchange.request, 8192);
        cr_assert_eq(http_parser_head(&parser, bytes_of_string(head)), HTTP_PARSE_HEAD);
        exchange_begin(&exchange, bytes_of_string(head));
    }

    Test(exchange, answers_a_call_in_terms_of_grpc) {
        is_reachable = false;
        begin_stream(call);
        EXPECT_EVENTS("SR");
        cr_expect_eq(status, 200);
        cr_expect_str_eq(reply_fields,
                         "application/grpc|grpc-status: 14\r\ngrpc-message: 502 Bad Gateway: no origin gave a usable "
                         "answer.\r\n|0");
        cr_expect_eq(exchange.code, 502);
        cr_expect_eq(exchange.body_out, 0);
        exchange_end(&exchange);
        cr_expect_eq(requests(&scene.site, 502), 1);
        cr_expect_eq(requests(&scene.site, 200), 0);
    }

    Test(exchange, answers_nothing_else_so) {
        is_reachable = false;
        begin(call); /* by HTTP/1 */
        cr_expect_eq(status, 502);
        exchange_end(&exchange);
        begin_stream(get);
        cr_expect_eq(status, 502);
        exchange_end(&exchange);
    }

<<<<<<< HEAD
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
=======
    Test(exchange, says_that_an_origin_is_busy) {
        is_reachable = false;
        is_busy = true;
        begin(get);
        cr_expect_eq(status, 503);
        exchange_end(&exchange);
        is_reachable = true;
        begin(get);
        origin->failed(&exchange, RELAY_BUSY, RELAY_FAULT_BUSY);
        cr_expect_eq(status, 503);
        exchange_end(&exchange);
    }

    Test(exchange, has_no_deadline_for_a_call_to_an_origin_of_http2) {
        begin_stream(call);
        cr_expect_not(patient);
        cr_expect_not(exchange.conversation);
        exchange_end(&exchange);
        scene.host.origin_http2 = true;
        begin_stream(call);
        cr_expect(patient);
        cr_expect(exchange.conversation);
        exchange_end(&exchange);
        begin_stream(get);
        cr_expect_not(patient);
        exchange_end(&exchange);
        begin(call);
        cr_expect_not(patient);
        exchange_end(&exchange);
    }

    Test(exchange, ends_the_answer_to_a_call_that_breaks_off_by_trailers) {
        static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\nTransfer-Encoding: chunked\r\n\r\n";
        struct http_header headers[8];
        struct http_message response = {.headers = headers, .headers_max = 8};
        struct http_parser parser;
        http_parser_init_response(&parser, &response, 8192, false);
        cr_assert_eq(http_parser_head(&parser, bytes_of_string(head)), HTTP_PARSE_HEAD);

        begin_stream(call);
        EXPECT_EVENTS("SC");
        origin->head(&exchange, &response, head);
        origin->failed(&exchange, RELAY_BROKEN, RELAY_FAULT_TRUNCATED);
        EXPECT_EVENTS("HEM");
        cr_expect_eq(strncmp(given_trailers, "grpc-status: 14\r\n", 17), 0, "%s", given_trailers);
        cr_expect_eq(exchange.code, 200);
        exchange_end(&exchange);
        /* Any other answer must not look whole. */
        begin_stream(call);
        answer(200);
        origin->failed(&exchange, RELAY_BROKEN, RELAY_FAULT_TRUNCATED);
        EXPECT_EVENTS("SCHX");
        exchange_end(&exchange);
    }

    Test(exchange, passes_trailers_unannounced_where_both_sides_speak_http2) {
        struct bytes trailers = bytes_of_string("x-sum: 1\r\nx_client.cert-status: forged\r\ncontent-length: 5\r\n\r\n");
        struct http_removals *removals = http_removals_create();
        cr_assert_eq(http_removals_add_own(removals), 0);
        scene.config.removals = removals;

        begin_stream(call);
        exchange_body_end(&exchange, trailers);
        cr_expect_str_eq(sent_trailers, "");
        exchange_end(&exchange);
        scene.host.origin_http2 = true;
        begin_stream(call);
        exchange_body_end(&exchange, trailers);
        cr_expect_str_eq(sent_trailers, "x-sum: 1\r\n");
        exchange_end(&exchange);
        begin(call);
        exchange_body_end(&exchange, trailers);
        cr_expect_str_eq(sent_trailers, "");
        exchange_end(&exchange);
        /* A body of a length that was said has no trailers behind it. */
        begin_stream(CALL "Content-Length: 10\r\n\r\n");
        exchange_body_end(&exchange, trailers);
        cr_expect_str_eq(sent_trailers, "");
        exchange_end(&exchange);
        scene.config.removals = NULL;
        http_removals_free(removals);
    }
>>>>>>> a520c85 (Test what exchanges make of calls of gRPC)
