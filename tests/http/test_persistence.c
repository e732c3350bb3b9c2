#include "heads.h"
#include "http/persistence.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct parse *response_with(const char *lines) {
    char head[512];
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\n%s\r\n", lines);
    struct parse *parse = parse_whole(RESPONSE, bytes_of_string(head));
    cr_assert_eq(parse->result, HTTP_PARSE_HEAD, "%s", lines);
    return parse;
}

Test(persistence, keep_alive_says_for_how_long) {
    static const struct {
        const char *lines;
        uint32_t seconds;
    } cases[] = {
        {"", HTTP_KEEP_ALIVE_UNSAID},
        {"Connection: keep-alive\r\n", HTTP_KEEP_ALIVE_UNSAID},
        {"Keep-Alive: timeout=5\r\n", 5},
        {"Keep-Alive: timeout=5, max=100\r\n", 5},
        {"Keep-Alive: max=100, timeout=5\r\n", 5},
        {"keep-alive: TIMEOUT = \"5\"\r\n", 5},
        {"Keep-Alive: timeout=5; max=3\r\n", 5},
        {"Keep-Alive: timeout=5, max=0\r\n", 0},
        {"Keep-Alive: max=0\r\n", 0},
        {"Keep-Alive: timeout=0\r\n", 0},
        {"Keep-Alive: max=1\r\n", HTTP_KEEP_ALIVE_UNSAID},
        {"Keep-Alive: timeout=9\r\nKeep-Alive: timeout=7\r\n", 7},
        {"Keep-Alive: timeout=99999999999999999999\r\n", HTTP_KEEP_ALIVE_MAX_S},
        {"Keep-Alive: timeout=x\r\n", HTTP_KEEP_ALIVE_UNSAID},
        {"Keep-Alive: timeout=\r\n", HTTP_KEEP_ALIVE_UNSAID},
        {"Keep-Alive: timeout\r\n", HTTP_KEEP_ALIVE_UNSAID},
        {"Keep-Alive: 300\r\n", HTTP_KEEP_ALIVE_UNSAID},
        {"Keep-Alive: ,;,\r\n", HTTP_KEEP_ALIVE_UNSAID},
        {"X-Keep-Alive: timeout=5\r\n", HTTP_KEEP_ALIVE_UNSAID},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parse *parse = response_with(cases[i].lines);
        cr_expect_eq(http_keep_alive_s(&parse->message, parse->head), cases[i].seconds, "%s", cases[i].lines);
        parse_free(parse);
    }
}

Test(persistence, a_challenge_of_a_connection_is_found_in_every_list) {
    static const struct {
        const char *lines;
        bool signs_in;
    } cases[] = {
        {"WWW-Authenticate: NTLM\r\n", true},
        {"WWW-Authenticate: Negotiate\r\n", true},
        {"www-authenticate: nEGOTIATE YIIabc==\r\n", true},
        {"Proxy-Authenticate: ntlm\r\n", true},
        {"WWW-Authenticate: Basic realm=\"a\", NTLM\r\n", true},
        {"WWW-Authenticate: Basic realm=\"a, b\",Digest nonce=\"c\", qop=auth ,\tNegotiate\r\n", true},
        {"WWW-Authenticate: Basic realm=\"a\"\r\nWWW-Authenticate: NTLM TlRMTVNTUAAC\r\n", true},
        {"WWW-Authenticate: ,, ,NTLM,\r\n", true},
        {"WWW-Authenticate: Basic realm=\"a\", Bearer\r\n", false},
        {"WWW-Authenticate: Basic realm=\"NTLM\"\r\n", false},
        {"WWW-Authenticate: NTLMx\r\n", false},
        {"WWW-Authenticate:\r\n", false},
        {"Authorization: NTLM\r\n", false},
        {"X-Authenticate: NTLM\r\n", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parse *parse = response_with(cases[i].lines);
        cr_expect_eq(http_response_signs_in(&parse->message, parse->head), cases[i].signs_in, "%s", cases[i].lines);
        parse_free(parse);
    }
}

Test(persistence, credentials_of_a_connection_are_found) {
    static const struct {
        const char *lines;
        bool signs_in;
    } cases[] = {
        {"Authorization: NTLM TlRMTVNTUAAB\r\n", true}, {"AUTHORIZATION: NEGOTIATE YII=\r\n", true},
        {"authorization:\tnegotiate\r\n", true},        {"Proxy-Authorization: Ntlm x\r\n", true},
        {"Authorization: Basic eDp5\r\n", false},       {"Authorization: Bearer ntlm\r\n", false},
        {"WWW-Authenticate: NTLM\r\n", false},          {"Authorization: Basic a\r\nAuthorization: NTLM b\r\n", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char head[256];
        snprintf(head, sizeof head, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", cases[i].lines);
        struct parse *parse = parse_whole(REQUEST, bytes_of_string(head));
        cr_assert_eq(parse->result, HTTP_PARSE_HEAD, "%s", head);
        cr_expect_eq(http_request_signs_in(&parse->message, parse->head), cases[i].signs_in, "%s", cases[i].lines);
        parse_free(parse);
    }
}

Test(persistence, streams_of_events_are_known_by_their_type) {
    static const struct {
        const char *lines;
        bool events;
    } cases[] = {
        {"Content-Type: text/event-stream\r\n", true},
        {"content-type: TEXT/Event-Stream;charset=utf-8\r\n", true},
        {"Content-Type: text/event-stream ; charset=utf-8\r\n", true},
        {"", false},
        {"Content-Type: text/event-streams\r\n", false},
        {"Content-Type: text/plain; text/event-stream\r\n", false},
        {"Accept: text/event-stream\r\n", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parse *parse = response_with(cases[i].lines);
        cr_expect_eq(http_is_event_stream(&parse->message, parse->head), cases[i].events, "%s", cases[i].lines);
        parse_free(parse);
    }
}
