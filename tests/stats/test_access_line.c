#include "stats/access_line.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char memory[ACCESS_LINE_SIZE];

static void expect(const struct text *out, const char *line) {
    cr_expect_not(out->overflow);
    cr_expect(out->size == strlen(line) && memcmp(out->data, line, out->size) == 0, "%.*s", (int)out->size, out->data);
}

Test(access_line, a_request_says_all_there_is) {
    static const uint8_t fingerprint[32] = {0xab, 0xcd};
    struct access_request request = {
        .client = {.time_ms = 1764205000042,
                   .address = bytes_of_string("192.0.2.7"),
                   .port = 50000,
                   .host = bytes_of_string("a.example")},
        .method = bytes_of_string("POST"),
        .path = bytes_of_string("/x"),
        .http = "2",
        .stream = 2147483647,
        .request_id = bytes_of_string("r-1"),
        .code = 200,
        .tries = 2,
        .origin_error = "truncated",
        .body_in = 5,
        .body_out = 6,
        .origin_ns = 1000,
        .total_ns = UINT64_C(61000000000),
        .session = {.handshake_ns = 1234567,
                    .tls_version = "TLSv1.3",
                    .tls_cipher = "TLS_AES_128_GCM_SHA256",
                    .key_exchange_group = "X25519MLKEM768",
                    .resumed = true,
                    .status = "valid",
                    .reason = "ok",
                    .ski = bytes_of_string("0102"),
                    .serial = bytes_of_string("77"),
                    .issuer = bytes_of_string("CN=Root"),
                    .fingerprint = bytes_of(fingerprint, sizeof fingerprint)},
    };
    struct text out = text_over(memory, sizeof memory);
    access_line_request(&out, &request);
    expect(&out,
           "{\"time\":\"2025-11-27T00:56:40.042Z\",\"event\":\"request\",\"source\":\"192.0.2.7\",\"port\":50000,\"host\":"
           "\"a.example\","
           "\"method\":\"POST\",\"path\":\"/"
           "x\",\"http\":2,\"stream\":2147483647,\"code\":200,\"tries\":2,\"origin_error\":\"truncated\",\"body_in\":5,"
           "\"body_out\":6,"
           "\"handshake\":0.001234,\"origin\":"
           "0.000001,"
           "\"total\":61.000000,\"tls_version\":\"TLSv1.3\",\"tls_cipher\":\"TLS_AES_128_GCM_SHA256\","
           "\"key_exchange_group\":\"X25519MLKEM768\",\"resumed\":true,"
           "\"status\":\"valid\",\"reason\":\"ok\",\"ski\":\"0102\",\"serial\":\"77\",\"issuer\":\"CN=Root\","
           "\"fingerprint\":\"abcd000000000000000000000000000000000000000000000000000000000000\",\"request_id\":\"r-1\"}\n");
}

Test(access_line, what_is_not_there_is_left_out) {
    struct access_request request = {
        .client = {.address = bytes_of_string("::1")}, .code = 400, .session = {.status = "none", .reason = "absent"}};
    struct text out = text_over(memory, sizeof memory);
    access_line_request(&out, &request);
    expect(&out, "{\"time\":\"1970-01-01T00:00:00.000Z\",\"event\":\"request\",\"source\":\"::1\",\"port\":0,\"code\":400,"
                 "\"body_in\":0,"
                 "\"body_out\":0,\"total\":0.000000}\n");
    request.session.tls_version = "TLSv1.3";
    out.size = 0;
    access_line_request(&out, &request);
    expect(&out, "{\"time\":\"1970-01-01T00:00:00.000Z\",\"event\":\"request\",\"source\":\"::1\",\"port\":0,\"code\":400,"
                 "\"body_in\":0,\"body_out\":0,\"handshake\":0.000000,\"total\":0.000000,\"tls_version\":\"TLSv1.3\","
                 "\"resumed\":false,\"status\":\"none\",\"reason\":\"absent\"}\n");
}

Test(access_line, hostile_texts_are_escaped_and_cut) {
    static char longest[70000];
    memset(longest, 1, sizeof longest); /* each takes six bytes */
    struct bytes hostile = bytes_of(longest, sizeof longest);
    struct access_request request = {
        .client = {.address = hostile, .port = 65535, .host = hostile},
        .method = hostile,
        .path = hostile,
        .request_id = hostile,
        .session = {.ski = hostile, .serial = hostile, .issuer = hostile},
    };
    struct text out = text_over(memory, sizeof memory);
    access_line_request(&out, &request);
    cr_expect_not(out.overflow);
    cr_expect_eq(memchr(out.data, 1, out.size), NULL);
    cr_expect_eq((char *)memchr(out.data, '\n', out.size), out.data + out.size - 1, "one line");
}

Test(access_line, a_text_is_cut_between_characters) {
    char issuer[ACCESS_ISSUER_MAX + 2];
    memset(issuer, 'x', sizeof issuer);
    memcpy(issuer + ACCESS_ISSUER_MAX - 1, "\xc3\xa9", 2);
    struct access_request request = {.session = {.issuer = bytes_of(issuer, sizeof issuer)}};
    struct text out = text_over(memory, sizeof memory);
    access_line_request(&out, &request);
    cr_expect_null(memmem(out.data, out.size, "\xef\xbf\xbd", 3));
    cr_expect_null(memmem(out.data, out.size, "\xc3", 1));
}

Test(access_line, a_connection_says_why_it_has_ended) {
    struct access_connection connection = {
        .client = {.address = bytes_of_string("192.0.2.7"), .port = 50000, .host = bytes_of_string("mqtt.example")},
        .session = {.handshake_ns = 2000000, .tls_version = "TLSv1.2", .status = "valid", .reason = "ok"},
        .end = "idle",
        .origin_address = "127.0.0.1:1883",
        .origin_error = "reset",
        .bytes_in = 14,
        .bytes_out = 4,
        .origin_ns = 300000,
        .total_ns = UINT64_C(3600000000000),
    };
    struct text out = text_over(memory, sizeof memory);
    access_line_connection(&out, &connection);
    expect(&out,
           "{\"time\":\"1970-01-01T00:00:00.000Z\",\"event\":\"connection\",\"source\":\"192.0.2.7\",\"port\":50000,"
           "\"host\":\"mqtt.example\",\"end\":\"idle\",\"origin_address\":\"127.0.0.1:1883\",\"origin_error\":\"reset\","
           "\"bytes_in\":14,\"bytes_out\":4,\"handshake\":0.002000,\"origin\":0.000300,\"total\":3600.000000,"
           "\"tls_version\":\"TLSv1.2\",\"resumed\":false,\"status\":\"valid\",\"reason\":\"ok\"}\n");
    out.size = 0;
    access_line_connection(&out,
                           &(struct access_connection){.client = {.address = bytes_of_string("::1")}, .end = "denied"});
    expect(&out, "{\"time\":\"1970-01-01T00:00:00.000Z\",\"event\":\"connection\",\"source\":\"::1\",\"port\":0,"
                 "\"end\":\"denied\",\"bytes_in\":0,\"bytes_out\":0,\"total\":0.000000}\n");
}

Test(access_line, a_failure_and_what_was_left_out) {
    struct access_failure failure = {.client = {.time_ms = 999, .address = bytes_of_string("192.0.2.7"), .port = 1},
                                     .stage = "hello",
                                     .reason = "not_tls",
                                     .total_ns = 500000};
    struct text out = text_over(memory, sizeof memory);
    access_line_failure(&out, &failure);
    access_line_left_out(&out, 1000, 7);
    expect(&out, "{\"time\":\"1970-01-01T00:00:00.999Z\",\"event\":\"handshake_failed\",\"source\":\"192.0.2.7\",\"port\":1,"
                 "\"stage\":\"hello\",\"reason\":\"not_tls\",\"total\":0.000500}\n"
                 "{\"time\":\"1970-01-01T00:00:01.000Z\",\"event\":\"handshakes_left_out\",\"count\":7}\n");
}
