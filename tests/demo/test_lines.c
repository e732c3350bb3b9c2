#include "demo/lines.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const struct demo_ports ports = {.https = 65535, .admin = 65534, .origin = 65533, .ipv6 = true};

static const char ski[] = "0123456789abcdef0123456789abcdef01234567";

static const struct demo_line line = {
    .title = "a line",
    .target = DEMO_TO_ENFORCE,
    .expected = "200 valid, ok",
    .has = {"X-Device: pizza\n"},
    .lacks = {"forged"},
    .shows_ski = true,
};

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
#define GOOD                                                                                                                \
    HEAD "GET / HTTP/1.1\nX-Client-Cert-Status: valid\nX-Client-Cert-Reason: ok\nX-Device: pizza\nX-Client-Cert-SKI: "      \
         "0123456789abcdef0123456789abcdef01234567\n"

static struct demo_verdict judge(const struct demo_line *judged, const char *output) {
    return demo_line_judge(judged, bytes_of_string(output), ski);
}

Test(demo_lines, every_line_can_be_typed_and_fits_on_a_screen) {
    for (size_t i = 0; i < demo_line_count; i++) {
        char buffer[256];
        struct text text = text_over(buffer, sizeof buffer - 1);
        demo_line_write(&demo_lines[i], &ports, &text);
        cr_assert_not(text.overflow);
        buffer[text.size] = '\0';
        cr_assert_eq(strncmp(buffer, "curl -i ", 8), 0);
        /* Each row is printed with an indent of two, which rows that go on have here already. */
        size_t first_row = strcspn(buffer, "\n");
        cr_assert_leq(first_row, 78, "%s", buffer);
        for (const char *row = buffer + first_row; *row != '\0';) {
            size_t width = strcspn(row + 1, "\n");
            cr_assert_leq(width, 80, "%s", buffer);
            cr_assert_eq(row[-1], '\\', "%s", buffer);
            row += 1 + width;
        }
        cr_assert_leq(strlen(demo_lines[i].title) + strlen(demo_lines[i].shows), 74, "%s", demo_lines[i].title);
        cr_assert_leq(strlen(demo_lines[i].title), 36, "%s", demo_lines[i].title);
        cr_assert_leq(strlen(demo_lines[i].expected), 27, "%s", demo_lines[i].title);
    }
}

Test(demo_lines, four_come_first) {
    cr_assert_eq(demo_line_count_first(), 4);
    cr_assert_gt(demo_line_count, 4);
}

Test(demo_lines, arguments_are_those_that_are_printed) {
    static const char *const extra[] = {"-q", NULL};
    struct demo_line quoted = {.target = DEMO_TO_REPORT, .path = "json", .options = {"-H", "Accept: text/html"}};
    char url[DEMO_LINE_URL_SIZE];
    const char *arguments[DEMO_LINE_ARGUMENTS_MAX];
    demo_line_arguments(&quoted, &ports, extra, url, arguments);
    static const char *const expected[] = {
        "curl", "-q", "-i", "--cacert", "root.pem", "-H", "Accept: text/html", "https://report.localhost:65535/json"};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        cr_assert_str_eq(arguments[i], expected[i]);
    }
    cr_assert_null(arguments[8]);

    char buffer[256];
    struct text text = text_over(buffer, sizeof buffer - 1);
    demo_line_write(&quoted, &ports, &text);
    buffer[text.size] = '\0';
    cr_assert_str_eq(buffer,
                     "curl -i --cacert root.pem -H 'Accept: text/html' \\\n      https://report.localhost:65535/json");
}

Test(demo_lines, the_admin_listener_is_plain_http) {
    struct demo_line metrics = {.target = DEMO_TO_ADMIN, .path = "metrics"};
    char buffer[256];
    struct text text = text_over(buffer, sizeof buffer - 1);
    demo_line_write(&metrics, &ports, &text);
    buffer[text.size] = '\0';
    cr_assert_str_eq(buffer, "curl -i http://127.0.0.1:65534/metrics");
}

Test(demo_lines, a_good_answer_is_ok) {
    struct demo_verdict verdict = judge(&line, GOOD);
    cr_assert(verdict.ok);
    cr_assert_str_eq(verdict.got, "200 valid, ok");
}

Test(demo_lines, an_answer_of_http2_is_one_too) {
    static const char version[] = "HTTP/1.1 ";
    char output[4096];

    cr_assert_eq(strncmp(GOOD, version, strlen(version)), 0);
    snprintf(output, sizeof output, "HTTP/2 %s", GOOD + strlen(version));
    struct demo_verdict verdict = judge(&line, output);
    cr_assert(verdict.ok);
    cr_assert_str_eq(verdict.got, "200 valid, ok");
}

Test(demo_lines, what_is_missing_or_unwanted_is_named) {
    struct demo_verdict verdict = judge(&line, GOOD "X: forged\n");
    cr_assert_not(verdict.ok);
    cr_assert_str_eq(verdict.unwanted, "forged");
    struct demo_line other = line;
    other.has[0] = "X-Device: pasta\n";
    verdict = judge(&other, GOOD);
    cr_assert_not(verdict.ok);
    cr_assert_str_eq(verdict.missing, "X-Device: pasta\n");
    other = line;
    other.expected = "200 none, absent";
    cr_assert_not(judge(&other, GOOD).ok);
}

Test(demo_lines, the_ski_must_be_exact) {
    struct demo_verdict verdict = demo_line_judge(&line, bytes_of_string(GOOD), "0123456789abcdef");
    cr_assert_not(verdict.ok);
    cr_assert_not_null(verdict.missing);
}

Test(demo_lines, a_status_in_the_head_is_not_the_origins) {
    struct demo_verdict verdict =
        judge(&line, "HTTP/1.1 200 OK\r\nX-Client-Cert-Status: valid\r\nContent-Type: text/plain\r\n\r\nhello\n");
    cr_assert_str_eq(verdict.got, "200 plain");
    cr_assert_not(verdict.ok);
}

Test(demo_lines, answers_are_summed_up) {
    cr_assert_str_eq(judge(&line, "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\n\r\n{}").got, "403 json");
    cr_assert_str_eq(judge(&line, "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html; charset=utf-8\r\n\r\n").got,
                     "403 html");
    cr_assert_str_eq(judge(&line, "HTTP/1.1 403 Forbidden\r\nContent-Type: odd\r\n\r\n").got, "403 odd");
    cr_assert_str_eq(judge(&line, "HTTP/1.1 403 Forbidden\r\n\r\n").got, "403");
    cr_assert_str_eq(judge(&line, "HTTP/1.1 421 Misdirected Request\r\nContent-Type: text/plain\r\n\r\n").got, "421");
    cr_assert_str_eq(judge(&line, HEAD "X-Client-Cert-Status: none").got, "200 none, no reason");
}

Test(demo_lines, what_is_no_answer_is_called_so) {
    static const char *const outputs[] = {"", "curl: (7) Failed to connect",
                                          "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n", "\n",
                                          "HTTP/9.9 200 OK\r\n\r\n"};
    for (size_t i = 0; i < sizeof outputs / sizeof outputs[0]; i++) {
        struct demo_verdict verdict = judge(&line, outputs[i]);
        cr_assert_not(verdict.ok);
        cr_assert_str_eq(verdict.got, "no answer", "%s", outputs[i]);
    }
}

Test(demo_lines, a_long_value_does_not_fit_and_is_not_ok) {
    struct demo_verdict verdict =
        judge(&line, HEAD "X-Client-Cert-Status: "
                          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n");
    cr_assert_not(verdict.ok);
    cr_assert_lt(strlen(verdict.got), DEMO_LINE_GOT_SIZE);
}
