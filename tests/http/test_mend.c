#include "heads.h"
#include "http/mend.h"

#include <criterion/criterion.h>

struct mend_case {
    const char *head;
    const char *mended; /* NULL: it is not to be mended */
};

static const struct mend_case cases[] = {
    {"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b   c\r\n\r\n"},
    {"HTTP/1.1 200 OK\r\nA: b\r\n\tc\r\n  d\r\nE: f\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b  \tc    d\r\nE: f\r\n\r\n"},
    {"HTTP/1.1 200 OK\r\nA:\r\n \r\n\r\n", "HTTP/1.1 200 OK\r\nA:   \r\n\r\n"},
    {"HTTP/1.1 200 OK\r\nA : b\r\nC\t:d\r\n\r\n", "HTTP/1.1 200 OK\r\nA:  b\r\nC: d\r\n\r\n"},
    {"HTTP/1.2 200 OK\r\nA: b\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n\r\n"},
    {"HTTP/1.1 200 OK\nA: b\n\n", "HTTP/1.1 200 OK\r\nA: b\r\n\r\n"},
    {"HTTP/1.0 200\nA : b\n c\n\n", "HTTP/1.0 200\r\nA:  b   c\r\n\r\n"},
    {"HTTP/1.1 200 OK\nA: b\n\nHTTP/1.1 200 OK\nContent-Length: 6\n\n", "HTTP/1.1 200 OK\r\nA: b\r\n\r\n"},
    /* Strict already, so another fault is to blame. */
    {"HTTP/1.1 200 OK\r\nA: b\r\n\r\n", NULL},
    {"HTTP/1.1 200 OK\r\nA\r\n\r\n", NULL},
    /* How a value looks that has brought a line of its own. */
    {"HTTP/1.1 200 OK\r\nA: b\nSet-Cookie: c\r\n\r\n", NULL},
    {"HTTP/1.1 200 OK\r\nA: b\n\nbody", NULL},
    {"HTTP/1.1 200 OK\nA: b\r\n\n", NULL},
};

Test(mend, heads) {
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size = strlen(cases[i].head);
        uint8_t buffer[256];
        memcpy(buffer, cases[i].head, size);
        size = http_mend_head(buffer, http_mend_head_size(bytes_of(buffer, size), 0), sizeof buffer);
        cr_expect(bytes_equal(bytes_of(buffer, size), bytes_of_string(cases[i].mended == NULL ? "" : cases[i].mended)),
                  "%s became %.*s", cases[i].head, (int)size, (const char *)buffer);
        if (cases[i].mended != NULL) {
            struct parse *parse = parse_all_ways(RESPONSE, bytes_of(buffer, size));
            cr_expect_eq(parse->result, HTTP_PARSE_HEAD, "%s", cases[i].head);
            cr_expect_eq(parse->message.head_size, size);
            parse_free(parse);
        }
    }
}

/* Mended heads that stay what they are: no HTTP. */
Test(mend, does_not_hide_what_is_wrong) {
    static const char *const heads[] = {
        "HTTP/1.1 200 OK\r\n A: b\r\n C: d\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length : 5\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA : b\r\nTransfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\nA: b\x01\n\n",
        "HTTP/1.9 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        size_t size = strlen(heads[i]);
        uint8_t buffer[256];
        memcpy(buffer, heads[i], size);
        size = http_mend_head(buffer, size, sizeof buffer);
        if (size > 0) {
            struct parse *parse = parse_all_ways(RESPONSE, bytes_of(buffer, size));
            cr_expect_eq(parse->result, HTTP_PARSE_ERROR, "%s", heads[i]);
            parse_free(parse);
        }
    }
}

Test(mend, needs_room_for_the_line_ends_that_it_adds) {
    static const char head[] = "HTTP/1.1 200 OK\nA: b\n\n";
    uint8_t buffer[64];
    memcpy(buffer, head, sizeof head - 1);
    cr_assert_eq(http_mend_head(buffer, sizeof head - 1, sizeof head + 1), 0);
    memcpy(buffer, head, sizeof head - 1);
    cr_assert_eq(http_mend_head(buffer, sizeof head - 1, sizeof head + 2), sizeof head + 2);
}

Test(mend, finds_the_end_wherever_it_begins_to_look) {
    static const char *const heads[] = {"HTTP/1.1 200 OK\r\nA: b\r\n\r\n", "HTTP/1.1 200 OK\nA: b\n\n"};
    for (size_t i = 0; i < 2; i++) {
        size_t size = strlen(heads[i]);
        for (size_t known = 0; known < size; known++) {
            cr_assert_eq(http_mend_head_size(bytes_of(heads[i], known), 0), 0);
            cr_assert_eq(http_mend_head_size(bytes_of(heads[i], size), known), size);
        }
    }
}

Test(mend, waits_for_nothing_but_http) {
    static const char *const good[] = {
        "", "H", "HTTP/1.", "HTTP/1.1 20", "HTTP/1.0 200\n", "HTTP/1.7 200 OK", "HTTP/1.1 200\r"};
    static const char *const bad[] = {"h", "SSH", "HTTP/2", "HTTP/1.x", "HTTP/1.1 2000", "HTTP/1.1  200", "ICY 200 OK"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cr_expect(http_mend_is_response(bytes_of_string(good[i])), "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_expect_not(http_mend_is_response(bytes_of_string(bad[i])), "%s", bad[i]);
    }
}

Test(mend, helps_lines_that_are_wrong_in_responses_alone) {
    struct bytes response = bytes_of_string("HTTP/1.1 200 OK\n");

    cr_expect(http_mend_may_help(HTTP_FAULT_STATUS_LINE, response));
    cr_expect(http_mend_may_help(HTTP_FAULT_HEADER, response));
    cr_expect_not(http_mend_may_help(HTTP_FAULT_TOO_LARGE, response));
    cr_expect_not(http_mend_may_help(HTTP_FAULT_HEADER, bytes_of_string("SSH-2.0")));
}
