#include "base/hash.h"
#include "heads.h"
#include "http/trailers.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct http_removals *removals;
static struct http_removals *strip;

static void begin(void) {
    hash_init();
    removals = http_removals_create();
    strip = http_removals_create();
    cr_assert_eq(http_removals_add(strip, bytes_of_string("X-Real-Name")), 0);
    cr_assert_eq(http_removals_add_own(removals), 0);
    cr_assert_eq(http_removals_add(removals, bytes_of_string("X-Device")), 0);
    cr_assert_eq(http_removals_add(removals, bytes_of_string("X-Device-Too-Large")), 0);
}

static void finish(void) {
    http_removals_free(removals);
    http_removals_free(strip);
}

TestSuite(trailers, .init = begin, .fini = finish);

static void check(const char *section, const char *announced, const char *expected) {
    char buffer[512];
    struct text out = text_over(buffer, sizeof buffer);
    http_write_trailers(&out, bytes_of_string(section), announced == NULL ? (struct bytes){0} : bytes_of_string(announced),
                        &(struct http_forwarding){.removals = removals, .strip = strip});
    cr_expect(bytes_equal(text_bytes(&out), bytes_of_string(expected)), "%s: %.*s", section, (int)out.size, out.data);
}

Test(trailers, pass_when_their_names_may) {
    check("\r\n", NULL, "");
    check("", NULL, "");
    check("X-Checksum: 1\r\n\r\n", NULL, "X-Checksum: 1\r\n");
    check("grpc-status:0\r\nGrpc-Message: \t a b \r\nServer-Timing: x\r\n\r\n", NULL,
          "grpc-status: 0\r\nGrpc-Message: a b\r\nServer-Timing: x\r\n");
    check("ETag: \"x\"\r\nDigest: y\r\n\r\n", NULL, "ETag: \"x\"\r\nDigest: y\r\n");
    check("X-A: b\r\nX-C: d\r\n\r\n", "x-c, X-Z", "X-C: d\r\n");
    check("X-A: b\r\n\r\n", "", "");
}

/* RFC 9110 section 6.5.1, and what no client may set, in every spelling that an origin takes for the same. */
Test(trailers, never_pass_with_a_name_that_means_more) {
    static const char *const names[] = {
        "Content-Length",
        "Transfer-Encoding",
        "Host",
        "Connection",
        "Trailer",
        "TE",
        "Keep-Alive",
        "Upgrade",
        "Expect",
        "Set-Cookie",
        "Cookie",
        "Authorization",
        "Cache-Control",
        "Content-Type",
        "Content-Range",
        "Range",
        "If-Match",
        "Max-Forwards",
        "Date",
        "Location",
        "Vary",
        "Retry-After",
        "Age",
        "Expires",
        "Via",
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Request-Id",
        "X-Device",
        "X-Device-Too-Large",
        "x_device",
        "X.Device",
        "HTTP_X_DEVICE",
        "X~Client~Cert~SKI",
        "X-Real.Name",
        "Content.Type",
        "X-FORWARDED_FOR",
        "set_cookie",
        "content_length",
        "Client-Cert",
        "Client-Cert-Chain",
        "Proxy",
        "X-Real-IP",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char section[128];
        snprintf(section, sizeof section, "%s: x\r\nX-Ok: y\r\n\r\n", names[i]);
        check(section, NULL, "X-Ok: y\r\n");
        char announced[64];
        snprintf(announced, sizeof announced, "%s, x-ok", names[i]);
        check(section, announced, "X-Ok: y\r\n");
    }
}

Test(trailers, never_pass_with_what_is_no_header) {
    check("A\x01: b\r\nB : c\r\nC: d\x01\r\nD\r\n: e\r\nF: g\r\n\r\n", NULL, "F: g\r\n");
}

static struct parse *request_with(const char *lines) {
    char head[512];
    snprintf(head, sizeof head, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", lines);
    struct parse *parse = parse_whole(REQUEST, bytes_of_string(head));
    cr_assert_eq(parse->result, HTTP_PARSE_HEAD);
    return parse;
}

Test(trailers, are_taken_by_those_who_say_so) {
    static const struct {
        const char *lines;
        bool takes;
    } cases[] = {
        {"TE: trailers\r\n", true},
        {"te: Trailers\r\nConnection: TE\r\n", true},
        {"TE: gzip;q=0.5, trailers\r\n", true},
        {"TE: gzip\r\n", false},
        {"", false},
        {"TE: xtrailers\r\n", false},
        {"Trailer: trailers\r\n", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parse *parse = request_with(cases[i].lines);
        cr_expect_eq(http_takes_trailers(&parse->message, parse->head), cases[i].takes, "%s", cases[i].lines);
        parse_free(parse);
    }
}

Test(trailers, are_announced_in_one_list) {
    struct parse *parse = request_with("Trailer: A, B\r\nX: y\r\ntrailer: C\r\nTrailer:\r\n");
    char buffer[16];
    struct text out = text_over(buffer, sizeof buffer);
    http_gather_announced(&out, &parse->message, parse->head);
    cr_assert(bytes_equal(text_bytes(&out), bytes_of_string("A, B, C")));
    out = text_over(buffer, 6);
    http_gather_announced(&out, &parse->message, parse->head);
    cr_assert(out.overflow);
    parse_free(parse);
}

static void check_announced(const char *lines, const char *expected) {
    struct parse *parse = request_with(lines);
    char buffer[64];
    struct text out = text_over(buffer, sizeof buffer);
    http_gather_announced(&out, &parse->message, parse->head);
    cr_expect(bytes_equal(text_bytes(&out), bytes_of_string(expected)), "%s: %.*s", lines, (int)out.size, out.data);
    parse_free(parse);
}

Test(trailers, that_connection_names_are_not_announced) {
    check_announced("Trailer: X-Hop, X-End\r\nConnection: x-hop\r\n", "X-End");
    check_announced("Connection: keep-alive, X-Hop\r\nTrailer: X_Hop\r\nTrailer: X-End,x.hop\r\n", "X-End");
    check_announced("Connection: X-A\r\nConnection: X-B\r\nTrailer: X-A, X-B\r\n", "");
    check_announced("Connection: X-Hops\r\nTrailer: X-Hop\r\n", "X-Hop");
}

static void check_dropped(const char *section, const char *names, const char *expected) {
    uint8_t copy[256];
    memcpy(copy, section, strlen(section));
    size_t size = http_trailers_drop(copy, strlen(section), bytes_of_string(names));
    cr_expect(bytes_equal(bytes_of(copy, size), bytes_of_string(expected)), "%s: %.*s", section, (int)size, (char *)copy);
}

Test(trailers, are_dropped_by_name) {
    check_dropped("A: b\r\nC: d\r\n\r\n", "", "A: b\r\nC: d\r\n\r\n");
    check_dropped("A: b\r\nC: d\r\nE: f\r\n\r\n", "x, a,E", "C: d\r\n\r\n");
    check_dropped("X-A: b\r\nHTTP_X_A: d\r\nX-AA: f\r\nx.a:\r\n\r\n", "X-A", "X-AA: f\r\n\r\n");
    check_dropped("A: b\r\n\r\n", "a", "\r\n");
    check_dropped("", "a", "");
    check_dropped("A\r\nA : b\r\n", "a", "A\r\nA : b\r\n");
    check_dropped("A: b", "a", "");
}

Test(trailers, names_of_connection_are_gathered) {
    struct parse *parse = request_with("Connection: X-A,, close\r\nX: y\r\nConnection:\r\nconnection: TE , X-B\r\n");
    char buffer[16];
    struct text out = text_over(buffer, sizeof buffer);
    http_gather_connection_names(&out, &parse->message, parse->head);
    cr_assert(bytes_equal(text_bytes(&out), bytes_of_string("X-A,close,TE,X-B")));
    out = text_over(buffer, 15);
    http_gather_connection_names(&out, &parse->message, parse->head);
    cr_assert(out.overflow);
    parse_free(parse);
}
