#include "base/bytes.h"
#include "config/bodies.h"
#include "config/client_auth.h"

#include <criterion/criterion.h>

static void assert_is_small_text(const char *body) {
    size_t size = strlen(body);
    cr_assert(size > 0 && size <= CLIENT_AUTH_BODY_SIZE_MAX && body[size - 1] == '\n');
    for (size_t i = 0; i < size; i++) {
        cr_assert((body[i] >= 0x20 && body[i] < 0x7f) || body[i] == '\n', "byte %zu", i);
    }
}

Test(bodies, json_is_one_object) {
    assert_is_small_text(bodies_json);
    cr_assert_eq(bodies_json[0], '{');
    cr_assert_eq(bodies_json[strlen(bodies_json) - 2], '}');
    cr_assert_not_null(strstr(bodies_json, "\"error\":\"client_certificate_required\""));
}

/* A client that is turned away must be able to see the page: nothing in the page may need another request. */
Test(bodies, html_stands_alone) {
    assert_is_small_text(bodies_html);
    cr_assert_eq(strncmp(bodies_html, "<!DOCTYPE html>\n", 16), 0);
    cr_assert_not_null(strstr(bodies_html, "</html>"));
    static const char *const needs[] = {"http:", "https:", "src=", "href=", "url(", "<script", "@import"};
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        cr_assert_null(strstr(bodies_html, needs[i]), "%s", needs[i]);
    }
}
