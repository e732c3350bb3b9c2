#include "base/check.h"
#include "heads.h"
#include "http/forward.h"
#include "http/grpc.h"

#include <criterion/criterion.h>

static bool is_call(const char *fields) {
    char buffer[1024];
    struct text head = text_over(buffer, sizeof buffer);
    text_append_format(&head, "POST /a.B/c HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
    struct parse *parse = parse_whole(REQUEST, text_bytes(&head));
    cr_assert_eq(parse->result, HTTP_PARSE_HEAD, "%s", fields);
    bool is = http_grpc_is(&parse->message, parse->head);
    parse_free(parse);
    return is;
}

Test(grpc, a_call_is_known_by_its_content_type) {
    static const char *const calls[] = {
        "Content-Type: application/grpc\r\n",       "content-type: application/grpc+proto\r\n",
        "CONTENT-TYPE: Application/gRPC+json\r\n",  "Content-Type: application/grpc;charset=utf-8\r\n",
        "Content-Type: application/grpc ; a=b\r\n",
    };
    static const char *const others[] = {
        "",
        "Content-Type:\r\n",
        "Content-Type: application/json\r\n",
        "Content-Type: application/grp\r\n",
        "Content-Type: application/grpc-web\r\n",
        "Content-Type: application/grpc-web-text+proto\r\n",
        "Content-Type: application/grpcx\r\n",
        "Accept: application/grpc\r\n",
    };

    for (size_t i = 0; i < ARRAY_LENGTH(calls); i++) {
        cr_assert(is_call(calls[i]), "%s", calls[i]);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++) {
        cr_assert_not(is_call(others[i]), "%s", others[i]);
    }
}

/* The table of http-grpc-status-mapping.md, and codes that are not in it. */
Test(grpc, each_code_has_its_status) {
    static const struct {
        unsigned code;
        unsigned status;
    } cases[] = {{200, 0},  {400, 13}, {401, 16}, {403, 7}, {404, 12}, {405, 2},  {408, 2},  {413, 2}, {421, 2},
                 {429, 14}, {431, 2},  {500, 2},  {501, 2}, {502, 14}, {503, 14}, {504, 14}, {505, 2}, {418, 2}};

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        cr_assert_eq((unsigned)http_grpc_status_of(cases[i].code), cases[i].status, "%u", cases[i].code);
    }
}

Test(grpc, writes_fields) {
    char buffer[256];
    struct text out = text_over(buffer, sizeof buffer);

    http_grpc_write(&out, 403);
    cr_assert_not(out.overflow);
    cr_assert(bytes_equal(text_bytes(&out), bytes_of_string("grpc-status: 7\r\ngrpc-message: 403 Forbidden: a valid client "
                                                            "certificate is required.\r\n")));
}
