#include "base/check.h"
#include "base/hash.h"
#include "http/names.h"

#include <criterion/criterion.h>
#include <stdio.h>

TestSuite(names, .init = hash_init);

/* All characters of a token that are no letter or digit (RFC 9110 section 5.6.2). */
static const char separators[] = "!#$%&'*+-.^_`|~";

static bool alike(const char *a, const char *b) {
    bool result = http_names_alike(bytes_of_string(a), bytes_of_string(b));
    cr_assert_eq(http_names_alike(bytes_of_string(b), bytes_of_string(a)), result, "%s, %s: one way only", a, b);
    bool same_hash = http_name_hash(bytes_of_string(a)) == http_name_hash(bytes_of_string(b));
    cr_assert_eq(same_hash, result, "%s, %s: hash", a, b);
    return result;
}

Test(names, the_fold_knows_letters_and_digits_alone) {
    for (unsigned c = 0; c < 256; c++) {
        bool upper = c >= 'A' && c <= 'Z';
        bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        cr_assert_eq(http_name_fold((uint8_t)c), upper ? c + 32 : kept ? c : '-', "%u", c);
    }
}

Test(names, every_separator_is_alike_and_counts) {
    for (const char *c = separators; *c != '\0'; c++) {
        for (const char *d = separators; *d != '\0'; d++) {
            char name[64];
            snprintf(name, sizeof name, "X%cCLIENT%ccert%cStatus", *c, *d, *c);
            cr_expect(alike(name, HTTP_NAME_STATUS), "%s", name);
        }
    }
    cr_expect(alike("a@", "a`"));
    cr_expect_not(alike("XClientCertStatus", HTTP_NAME_STATUS));
    cr_expect_not(alike("X--Client-Cert-Status", HTTP_NAME_STATUS));
    cr_expect_not(alike("X-Device", "X-Device-"));
    cr_expect_not(alike("X-Device", "-X-Device"));
    cr_expect_not(alike("X-Device", "X-Devicf"));
    cr_expect_not(alike("X-Device", ""));
    cr_expect(alike("", ""));
}

Test(names, the_prefix_of_variables_does_not_count) {
    cr_expect(alike("HTTP_X_DEVICE", "X-Device"));
    cr_expect(alike("http.Http-HTTP_x.device", "X-Device"));
    cr_expect_not(alike("HTTPX-Device", "X-Device"));
    cr_expect_not(alike("HTTPS_X_DEVICE", "X-Device"));
    cr_expect(alike("HTTP-", "http_"));
    cr_expect_not(alike("HTTP-", ""));
    cr_assert_eq(http_name_core(bytes_of_string("HTTP_HTTP-")).size, 5);
}

Test(names, prefixes) {
    static const struct {
        const char *name;
        const char *prefix;
        bool begins;
    } cases[] = {
        {"X-SSL-Verify", "x_ssl_", true}, {"HTTP_X.SSL.A", "X-SSL-", true},
        {"X-SSL-", "X-SSL-", true},       {"X-SSL", "X-SSL-", false},
        {"XX-SSL-A", "X-SSL-", false},    {"HTTP-X-A", "HTTP-", true},
        {"HTTP-X-A", "HTTP-X", true},     {"", "X", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        cr_expect_eq(http_name_begins(bytes_of_string(cases[i].name), bytes_of_string(cases[i].prefix)), cases[i].begins,
                     "%s %s", cases[i].name, cases[i].prefix);
    }
}

Test(names, long_names_hash_by_their_first_256_bytes) {
    char name[400];
    memset(name, 'n', sizeof name);
    uint64_t whole = http_name_hash(bytes_of(name, 256));
    name[256] = 'x';
    cr_assert_eq(http_name_hash(bytes_of(name, sizeof name)), whole);
    cr_assert_neq(http_name_hash(bytes_of(name, 255)), whole);
    name[255] = 'x';
    cr_assert_neq(http_name_hash(bytes_of(name, sizeof name)), whole);
    cr_assert_eq(http_name_hash(bytes_of(NULL, 0)), hash_bytes("", 0));
}

Test(names, kinds_of_headers) {
    static const struct {
        const char *name;
        enum http_header_kind kind;
    } cases[] = {
        {"Host", HTTP_HEADER_HOST},
        {"Host_", HTTP_HEADER_LOOKALIKE},
        {"_Host", HTTP_HEADER_LOOKALIKE},
        {"~host!", HTTP_HEADER_LOOKALIKE},
        {"HTTP_Host", HTTP_HEADER_LOOKALIKE},
        {"-http--HTTP_HOST.", HTTP_HEADER_LOOKALIKE},
        {"CONTENT-LENGTH", HTTP_HEADER_CONTENT_LENGTH},
        {"content_length", HTTP_HEADER_LOOKALIKE},
        {"Content.Length", HTTP_HEADER_LOOKALIKE},
        {"Content-Length-", HTTP_HEADER_LOOKALIKE},
        {"transfer-encoding", HTTP_HEADER_TRANSFER_ENCODING},
        {"Transfer_Encoding", HTTP_HEADER_LOOKALIKE},
        {"Transfer~Encoding", HTTP_HEADER_LOOKALIKE},
        {"connection", HTTP_HEADER_CONNECTION},
        {"Connection'", HTTP_HEADER_LOOKALIKE},
        {"Keep-Alive", HTTP_HEADER_HOP_BY_HOP},
        {"keep_alive", HTTP_HEADER_LOOKALIKE},
        {"te", HTTP_HEADER_HOP_BY_HOP},
        {"Trailer", HTTP_HEADER_HOP_BY_HOP},
        {"Upgrade", HTTP_HEADER_UPGRADE},
        {"Expect", HTTP_HEADER_EXPECT},
        {"X-Request-ID", HTTP_HEADER_REQUEST_ID},
        {"X_Request-ID", HTTP_HEADER_LOOKALIKE},
        {"X|Request|ID", HTTP_HEADER_LOOKALIKE},
        {"Proxy-Connection", HTTP_HEADER_HOP_BY_HOP},
        {"HTTP2-Settings", HTTP_HEADER_HOP_BY_HOP},
        {"Hosts", HTTP_HEADER_END_TO_END},
        {"Hos", HTTP_HEADER_END_TO_END},
        {"Ho-st", HTTP_HEADER_END_TO_END},
        {"Upgrade-Insecure-Requests", HTTP_HEADER_END_TO_END},
        {"", HTTP_HEADER_END_TO_END},
        {"-", HTTP_HEADER_END_TO_END},
        {"HTTP-", HTTP_HEADER_END_TO_END},
        {"Accept_Language", HTTP_HEADER_END_TO_END},
        {"A-Name-Of-Seventeen-And-More", HTTP_HEADER_END_TO_END},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        cr_expect_eq(http_header_kind_of(bytes_of_string(cases[i].name)), cases[i].kind, "%s", cases[i].name);
    }
}

Test(names, those_that_may_be_set) {
    static const char *const good[] = {
        HTTP_NAME_STATUS, HTTP_NAME_SKI,      "Client-Cert", "Client-Cert-Chain", "X_Y", "a", "X-Forwarded-Client-Cert",
        "Authorization",  "X-Forwarded-Port", "HTTP-X"};
    static const char *const bad[] = {
        "",
        "X Y",
        "X:",
        "X\r\n",
        "X\xc3\xa9",
        "(X)",
        "Host",
        "host",
        "Host_",
        "Connection",
        "KEEP-ALIVE",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "transfer_encoding",
        "Content-Length",
        "Content.Length",
        "HTTP_Content_Length",
        "Upgrade",
        "Expect",
        "X-Request-Id",
        "X.Request.Id",
        "X-Forwarded-For",
        "x_forwarded_for",
        "X|Forwarded|Proto",
        "X-Forwarded-Host",
        "Forwarded",
        "Proxy",
        "HTTP_PROXY",
        "Via",
        "Content_Encoding",
        "HTTP2-Settings",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        cr_expect(http_name_may_be_set(bytes_of_string(good[i])), "%s", good[i]);
        cr_expect(http_name_may_be_stripped(bytes_of_string(good[i])), "%s", good[i]);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        cr_expect_not(http_name_may_be_set(bytes_of_string(bad[i])), "%s", bad[i]);
    }
}

Test(names, those_that_may_be_stripped) {
    static const char *const good[] = {"X-Real-IP", "Forwarded", "X-Forwarded-For", "Via", "Cookie", "Proxy"};
    static const char *const bad[] = {"", "a b", "Host", "Host.", "content_length", "Upgrade", "X-Request-Id", "HTTP-TE"};
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        cr_expect(http_name_may_be_stripped(bytes_of_string(good[i])), "%s", good[i]);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        cr_expect_not(http_name_may_be_stripped(bytes_of_string(bad[i])), "%s", bad[i]);
    }
}

Test(names, what_answers_may_have_set_and_removed) {
    static const struct {
        const char *name;
        bool set;
        bool removed;
    } cases[] = {
        {"X-Frame-Options", true, true},
        {"Server", true, true},
        {"Set-Cookie", true, true},
        {"Content-Type", true, true},
        {"Via", false, true},
        {"Date", false, false},
        {"X-Request-Id", false, false},
        {"X_Request_Id", false, false},
        {"Content-Length", false, false},
        {"content_length", false, false},
        {"Content-Encoding", false, false},
        {"Content-Range", false, false},
        {"Transfer-Encoding", false, false},
        {"Connection", false, false},
        {"Keep-Alive", false, false},
        {"Upgrade", false, false},
        {"Trailer", false, false},
        {"TE", false, false},
        {"Proxy-Authenticate", false, false},
        {"Sec-WebSocket-Accept", false, false},
        {"a b", false, false},
        {"", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bytes name = bytes_of_string(cases[i].name);
        cr_expect_eq(http_name_may_be_set_in_answers(name), cases[i].set, "%s", cases[i].name);
        cr_expect_eq(http_name_may_be_removed_from_answers(name, false), cases[i].removed, "%s", cases[i].name);
    }
    cr_expect(http_name_may_be_removed_from_answers(bytes_of_string("X-"), true));
    cr_expect_not(http_name_may_be_removed_from_answers(bytes_of_string("Content-"), true), "it includes Content-Encoding");
    cr_expect_not(http_name_may_be_removed_from_answers(bytes_of_string("sec_"), true));
    cr_expect_not(http_name_may_be_set(bytes_of_string("Sec-WebSocket-Key")));
}
