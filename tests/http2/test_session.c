#include "pair.h"

#include <criterion/criterion.h>

#define GET  "GET /a?b HTTP/1.1\r\nHost: a.example\r\nX-One: 1\r\nX-Two: 2\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"
#define OK   "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n"

static bool send(struct talk *talk, const char *piece) {
    return http2_stream_send(&talk->stream, bytes_of_string(piece));
}

static void answer(struct talk *talk) {
    cr_assert(http2_stream_head(&talk->stream, bytes_of_string(OK), false));
    cr_assert(send(talk, "hello"));
    cr_assert(http2_stream_end(&talk->stream, bytes_of(NULL, 0)));
}

Test(session, request_and_answer) {
    struct pair *pair = pair_open(&usual_settings);
    pair->server.on_end = answer;
    struct talk *asked = ask(pair, GET, true);
    pump(pair);
    cr_assert_eq(pair->server.begun, 1);
    struct talk *came = pair->server.talks[0];
    cr_assert_str_eq(span_of(came, came->message.method), "GET");
    cr_assert_str_eq(span_of(came, came->message.path), "/a?b");
    cr_assert_str_eq(span_of(came, came->message.authority), "a.example");
    cr_assert_str_eq(header_of(came, "x-two"), "2");
    cr_assert(came->message.http2 && came->message.idempotent);
    cr_assert(came->closed && came->error == HTTP2_NO_ERROR);
    cr_assert_eq(asked->message.status, 200);
    cr_assert_str_eq(header_of(asked, "content-type"), "text/plain");
    cr_assert_str_eq(header_of(asked, "connection"), "(none)");
    cr_assert_eq(asked->message.framing, HTTP_LENGTH);
    cr_assert(asked->ended && asked->closed && asked->error == HTTP2_NO_ERROR);
    cr_assert_eq(asked->body.size, 5);
    cr_assert_eq(http2_session_streams(pair->client.session), 0);
    cr_assert_eq(http2_session_streams(pair->server.session), 0);
    cr_assert(http2_session_is_idle(pair->server.session));
    pair_close(pair);
}
