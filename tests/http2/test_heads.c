/* Heads through sessions that are joined. */
#include "pair.h"
#include "wire.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct side side;

static void open_side(const struct http2_settings *settings) {
    struct buffer input = {0};
    side_open(&side, true, settings);
    buffer_append_string(&input, WIRE_PREFACE);
    wire_write(&input, "SETTINGS");
    give(&side, bytes_of(input.data, input.size));
    free(input.data);
}

/* Sends frames, and returns the last stream's talk. */
static struct talk *send(const char *frames) {
    struct buffer input = {0};
    wire_write(&input, frames);
    give(&side, bytes_of(input.data, input.size));
    free(input.data);
    return side.begun == 0 ? NULL : side.talks[side.begun - 1];
}

static const struct http2_settings connect_settings = {
    .streams_max = 100, .head_size_max = 4096, .stream_window = 65535, .connection_window = 65535, .extended_connect = true};

Test(heads, members_of_a_request) {
    open_side(&usual_settings);
    struct talk *talk = send("HEADERS+EH@1 f::method=PUT f::scheme=https f::authority=A.example:8443 f::path=/x?y "
                             "f:content-length=5 f:expect=100-continue f:x-request-id=7");
    const struct http_message *message = &talk->message;
    cr_assert_str_eq(span_of(talk, message->method), "PUT");
    cr_assert_str_eq(span_of(talk, message->target), "/x?y");
    cr_assert_str_eq(span_of(talk, message->path), "/x?y");
    cr_assert_str_eq(span_of(talk, message->authority), "A.example:8443");
    cr_assert(message->http2 && message->minor == 1 && message->keep_alive && message->idempotent);
    cr_assert(message->expect_continue && !message->content_unexpected && !message->head_request && !message->absolute_form);
    cr_assert(message->framing == HTTP_LENGTH && message->content_length == 5);
    cr_assert_eq(message->header_count, 3);
    cr_assert_eq(message->headers[2].kind, HTTP_HEADER_REQUEST_ID);
    side_close(&side);
}

Test(heads, framing_of_requests) {
    open_side(&usual_settings);
    cr_assert_eq(send("HEADERS+ES+EH@1 GET")->message.framing, HTTP_NO_BODY);
    cr_assert_eq(send("HEADERS+EH@3 POST")->message.framing, HTTP_CHUNKED);
    struct talk *talk = send("HEADERS+ES+EH@5 POST f:content-length=0");
    cr_assert(talk->message.framing == HTTP_LENGTH && talk->message.content_length == 0);
    talk = send("HEADERS+EH@7 POST f:content-length=0");
    cr_assert(talk->message.framing == HTTP_LENGTH && !talk->ended && !talk->message.expect_continue);
    side_close(&side);
}

/* RFC 9113 section 8.2.3: in HTTP/1.1 there is one Cookie, whatever stands between the crumbs. */
Test(heads, crumbs_of_cookies_are_joined) {
    open_side(&usual_settings);
    struct talk *talk = send("HEADERS+ES+EH@1 GET f:cookie=a=1 f:x-one=1 f:cookie=b=2%3b%20c=3 f:x-two=2 i:cookie=d=4");
    cr_assert_str_eq(header_of(talk, "cookie"), "a=1; b=2; c=3; d=4");
    cr_assert_eq(talk->message.header_count, 3);
    cr_assert_str_eq(header_of(send("HEADERS+ES+EH@3 GET f:cookie=a"), "cookie"), "a");
    cr_assert_str_eq(header_of(send("HEADERS+ES+EH@5 GET f:cookie= f:cookie="), "cookie"), "(none)");
    side_close(&side);
}

/* Crumbs are not headers: some browsers send a hundred of them. */
Test(heads, many_crumbs) {
    char frames[8192] = "HEADERS+ES+EH@1 GET";
    for (unsigned i = 0; i < 300; i++) {
        strcat(frames, " f:cookie=a=1");
    }
    open_side(&usual_settings);
    struct talk *talk = send(frames);
    cr_assert_eq(talk->refused, 0);
    cr_assert_eq(talk->message.headers[0].value.size, 300 * 5 - 2);
    side_close(&side);
}

Test(heads, connect) {
    open_side(&usual_settings);
    struct talk *talk = send("HEADERS+EH@1 f::method=CONNECT f::authority=a:443");
    cr_assert_eq(talk->message.method_kind, HTTP_METHOD_CONNECT);
    cr_assert_str_eq(span_of(talk, talk->message.authority), "a:443");
    cr_assert_eq(talk->message.path.size, 0);
    cr_assert_eq(talk->message.protocol.size, 0);
    side_close(&side);
}

Test(heads, extended_connect) {
    open_side(&connect_settings);
    struct talk *talk = send("HEADERS+EH@1 f::method=CONNECT f::protocol=websocket f::scheme=https f::path=/chat "
                             "f::authority=a f:sec-websocket-version=13");
    cr_assert_eq(talk->message.method_kind, HTTP_METHOD_CONNECT);
    cr_assert_str_eq(span_of(talk, talk->message.protocol), "websocket");
    cr_assert_str_eq(span_of(talk, talk->message.path), "/chat");
    cr_assert_str_eq(span_of(talk, talk->message.authority), "a");
    send("DATA@1 n:100");
    cr_assert_eq(talk->body.size, 100);
    side_close(&side);
}

Test(heads, too_many_headers) {
    char frames[4096] = "HEADERS+ES+EH@1 GET";
    for (unsigned i = 0; i < HTTP_HEADERS_MAX; i++) {
        strcat(frames, " f:a=b");
    }
    open_side(&usual_settings);
    cr_assert_eq(send(frames)->refused, 0);
    strcat(frames, " f:a=b");
    frames[14] = '3';
    cr_assert_eq(send(frames)->refused, 431);
    side_close(&side);
}

static char text[40000];

static const char *large_head(unsigned id, size_t value_size) {
    int size = sprintf(text, "HEADERS+ES@%u GET; CONT+EH@%u f:a=", id, id);
    memset(text + size, 'v', value_size);
    text[(size_t)size + value_size] = '\0';
    return text;
}

/* A head that is too large gets an answer; one that is far too large a reset. */
Test(heads, too_large) {
    struct http2_settings settings = usual_settings;
    settings.head_size_max = 1000;
    open_side(&settings);
    /* :method GET, :scheme https, :path /, :authority a, a: 11 + 16 + 10 + 15 + ... */
    size_t others = strlen(":methodGET:schemehttps:path/:authoritya") + 4 * 4 + 1 + 4;
    cr_assert_eq(send(large_head(1, 1000 - others))->refused, 0);
    struct talk *refused = send(large_head(3, 1001 - others));
    cr_assert_eq(refused->refused, 431);
    cr_assert_str_eq(span_of(refused, refused->message.method), "GET");
    cr_assert_str_eq(header_of(refused, "a"), "(none)");
    cr_assert_eq(send(large_head(5, 3900))->refused, 431);
    struct talk *talk = send(large_head(7, 4100));
    cr_assert(talk->refused == 0 && talk->heads == 0 && talk->closed && talk->error == HTTP2_ENHANCE_YOUR_CALM);
    talk = send("HEADERS+ES+EH@9 GET");
    cr_assert_eq(talk->heads, 1);
    side_close(&side);
}

Test(heads, refused_target_and_method) {
    open_side(&usual_settings);
    int size = sprintf(text, "HEADERS+ES+EH@1 x:8287 f::authority=a f::path=/");
    memset(text + size, 'p', 7000);
    text[size + 7000] = '\0';
    cr_assert_eq(send(text)->refused, 0);
    size = sprintf(text, "HEADERS+ES+EH@3 x:8784 f::authority=a f::method=");
    memset(text + size, 'M', 129);
    text[size + 129] = '\0';
    cr_assert_eq(send(text)->refused, 501);
    side_close(&side);
}

/* No body() and no end() follow, and what comes does not shut the window of the connection. */
Test(heads, body_of_a_refused_request_is_dropped) {
    open_side(&connect_settings);
    for (unsigned i = 0; i < 100; i++) {
        char frames[200];
        sprintf(frames, "HEADERS+EH@%u POST f:expect=x; DATA@%u n:8000; DATA+ES@%u n:8000", 2 * i + 1, 2 * i + 1, 2 * i + 1);
        struct talk *talk = send(frames);
        cr_assert_eq(side.outcome, HTTP2_GOES_ON);
        cr_assert_eq(talk->refused, 417);
        cr_assert_str_eq(header_of(talk, "expect"), "x");
        cr_assert(http2_stream_head(&talk->stream, bytes_of_string("HTTP/1.1 417 No\r\n\r\n"), true));
        cr_assert(talk->closed && talk->body.size == 0 && !talk->ended);
    }
    side_close(&side);
}

/* --- Responses ----------------------------------------------------------------------------------------------------- */

static struct talk *respond(const char *request, const char *frames) {
    struct buffer input = {0};
    side_open(&side, false, &connect_settings);
    wire_write(&input, "SETTINGS");
    give(&side, bytes_of(input.data, input.size));
    struct talk *talk = talk_new(&side);
    cr_assert_eq(http2_session_open(side.session, &talk->stream, bytes_of_string(request), "http", true), 0);
    input.size = 0;
    wire_write(&input, frames);
    give(&side, bytes_of(input.data, input.size));
    free(input.data);
    return talk;
}

#define GET  "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define HEAD "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"

Test(heads, interim_responses) {
    struct talk *talk = respond(GET, "HEADERS+EH@1 f::status=103 f:link=a");
    cr_assert(talk->heads == 1 && talk->message.status == 103 && !talk->ended);
    cr_assert_eq(talk->message.framing, HTTP_NO_BODY);
    struct buffer input = {0};
    wire_write(&input, "HEADERS+EH@1 f::status=200 f:content-length=3; DATA+ES@1 n:3");
    give(&side, bytes_of(input.data, input.size));
    free(input.data);
    cr_assert(talk->heads == 2 && talk->message.status == 200 && talk->ended && talk->closed);
    cr_assert_str_eq(header_of(talk, "link"), "(none)");
    side_close(&side);
}

struct framing_case {
    const char *request;
    const char *frames;
    enum http_framing framing;
};

/* An answer that goes on to a client of HTTP/1.1 must not end with its connection. */
Test(heads, framing_of_responses) {
    static const struct framing_case cases[] = {
        {GET, "HEADERS+EH@1 x:88", HTTP_CHUNKED},
        {GET, "HEADERS+EH@1 x:88 f:content-length=3", HTTP_LENGTH},
        {GET, "HEADERS+ES+EH@1 x:88", HTTP_LENGTH},
        {GET, "HEADERS+ES+EH@1 x:88 f:content-length=0", HTTP_LENGTH},
        {GET, "HEADERS+ES+EH@1 x:89", HTTP_NO_BODY},
        {GET, "HEADERS+ES+EH@1 f::status=304 f:content-length=7", HTTP_NO_BODY},
        {HEAD, "HEADERS+ES+EH@1 x:88 f:content-length=7", HTTP_NO_BODY},
        {HEAD, "HEADERS+ES+EH@1 x:88", HTTP_NO_BODY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct talk *talk = respond(cases[i].request, cases[i].frames);
        cr_expect_eq(talk->heads, 1, "%s", cases[i].frames);
        cr_expect_eq(talk->message.framing, cases[i].framing, "%s: %d", cases[i].frames, (int)talk->message.framing);
        side_close(&side);
    }
}

struct bad_response {
    const char *frames;
    uint32_t error; /* of closed(); 0: refused() */
    enum http_fault fault;
};

Test(heads, bad_responses) {
    static char large[8000] = "HEADERS+ES+EH@1 x:88 f:a=";
    memset(large + strlen(large), 'v', 5000);
    static char many[4000] = "HEADERS+ES+EH@1 x:88";
    for (unsigned i = 0; i <= HTTP_HEADERS_MAX; i++) {
        strcat(many, " f:a=b");
    }
    const struct bad_response cases[] = {
        {large, 0, HTTP_FAULT_TOO_LARGE},
        {many, 0, HTTP_FAULT_TOO_MANY},
        {"HEADERS+ES+EH@1 f:a=b", HTTP2_PROTOCOL_ERROR, 0},
        {"HEADERS+ES+EH@1 f::status=99", HTTP2_PROTOCOL_ERROR, 0},
        {"HEADERS+ES+EH@1 f::status=101", HTTP2_PROTOCOL_ERROR, 0},
        {"HEADERS+ES+EH@1 x:88 x:88", HTTP2_PROTOCOL_ERROR, 0},
        {"HEADERS+ES+EH@1 x:88 f:A=b", HTTP2_PROTOCOL_ERROR, 0},
        {"HEADERS+ES+EH@1 x:88 f:a=b%0d", HTTP2_PROTOCOL_ERROR, 0},
        {"HEADERS+ES+EH@1 x:88 f:transfer-encoding=chunked", HTTP2_PROTOCOL_ERROR, 0},
        {"HEADERS+ES+EH@1 x:88 f:content-length=1", HTTP2_PROTOCOL_ERROR, 0},
        {"HEADERS+EH@1 x:88 f:content-length=1; DATA+ES@1 n:2", HTTP2_PROTOCOL_ERROR, 0},
        {"HEADERS+ES+EH@1 f::status=103", HTTP2_PROTOCOL_ERROR, 0},
        {"HEADERS+EH@1 f::status=103; DATA+ES@1 n:2", HTTP2_PROTOCOL_ERROR, 0},
        {"RST@1 w:7", HTTP2_REFUSED_STREAM, 0},
        {"HEADERS+EH@1 x:88; RST@1 w:2", HTTP2_INTERNAL_ERROR, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct talk *talk = respond(GET, cases[i].frames);
        bool refused = cases[i].error == 0;
        cr_expect_eq(talk->refused, refused ? 502 : 0, "%.40s", cases[i].frames);
        cr_expect_eq(talk->closed, !refused, "%.40s", cases[i].frames);
        cr_expect_eq(talk->error, cases[i].error, "%.40s: %u", cases[i].frames, talk->error);
        cr_expect(!refused || talk->stream.fault == cases[i].fault, "%.40s", cases[i].frames);
        cr_expect_not(talk->ended);
        cr_expect_eq(http2_session_streams(side.session), 0);
        side_close(&side);
    }
}

Test(heads, server_push_is_refused) {
    struct talk *talk = respond(GET, "SETTINGS+ACK; PUSH+EH@1 w:2 GET");
    cr_assert_eq(side.outcome, HTTP2_OVER);
    cr_assert_not(talk->closed);
    side_close(&side);
}
