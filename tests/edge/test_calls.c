/* Calls of gRPC, which come by HTTP/2, at an exchange. */
#include "made_up.h"

TestSuite(calls, .init = open_all, .fini = close_all);

static const char get[] = "GET / HTTP/1.1\r\nHost: s.test\r\n\r\n";
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

Test(calls, answers_a_call_in_terms_of_grpc) {
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

Test(calls, answers_nothing_else_so) {
    is_reachable = false;
    begin(call); /* by HTTP/1 */
    cr_expect_eq(status, 502);
    exchange_end(&exchange);
    begin_stream(get);
    cr_expect_eq(status, 502);
    exchange_end(&exchange);
}

Test(calls, says_that_an_origin_is_busy) {
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

Test(calls, has_no_deadline_for_a_call_to_an_origin_of_http2) {
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

Test(calls, ends_the_answer_to_a_call_that_breaks_off_by_trailers) {
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

Test(calls, passes_trailers_unannounced_where_both_sides_speak_http2) {
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
