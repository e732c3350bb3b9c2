#include "heads.h"
#include "http/head.h"

#include <criterion/criterion.h>

/* Examines a head of these header lines, whose values may have white space behind them. */
static bool examine(struct parse *parse, const char *lines, struct http_head_facts *facts) {
    parse->message.headers = parse->headers;
    parse->message.header_count = 0;
    for (const char *line = lines; *line != '\0'; line = strchr(line, '\n') + 1) {
        const char *colon = strchr(line, ':');
        struct http_header *header = &parse->headers[parse->message.header_count++];
        *header = (struct http_header){
            .name = {(uint32_t)(line - lines), (uint32_t)(colon - line)},
            .value = {(uint32_t)(colon + 1 - lines), (uint32_t)(strchr(line, '\n') - colon - 1)},
        };
    }
    return http_head_examine(&parse->message, lines, facts);
}

Test(head, is_examined_in_one_pass) {
    static const char lines[] = "Host:a \t\nhost:b\nContent-Length:1\nExpect:x\nTransfer-Encoding:chunked \n"
                                "Connection:close, X-A, TE, keep-alive\nX_Host:c\n";
    struct parse parse = {0};
    struct http_head_facts facts;
    cr_assert(examine(&parse, lines, &facts));
    cr_expect_eq(facts.hosts, 2);
    cr_expect_eq(facts.host, &parse.headers[0], "the first one");
    cr_expect_eq(facts.host->value.size, 1);
    cr_expect_eq(facts.content_lengths, 1);
    cr_expect_eq(facts.expects, 1);
    cr_expect_eq(facts.expect, &parse.headers[3]);
    cr_expect_eq(facts.transfer_encodings, 1);
    cr_expect_eq(facts.transfer_encoding->value.size, 7);
    cr_expect(facts.close && facts.keep_alive);
    cr_expect_eq(parse.message.connection_names, 1, "hop-by-hop names go anyway");
    cr_expect_eq(parse.headers[6].kind, HTTP_HEADER_END_TO_END);
}

Test(head, names_few_headers_in_connection) {
    for (size_t count = HTTP_CONNECTION_NAMES_MAX; count <= HTTP_CONNECTION_NAMES_MAX + 1; count++) {
        char buffer[1024];
        struct text lines = text_over(buffer, sizeof buffer - 1);
        struct parse parse = {0};
        struct http_head_facts facts;
        for (size_t i = 0; i < count; i++) {
            text_append_string(&lines, i % 2 == 0 ? "Connection:x" : ",y\n");
        }
        text_append_string(&lines, count % 2 == 0 ? "" : "\n");
        buffer[lines.size] = '\0';
        cr_expect_eq(examine(&parse, buffer, &facts), count <= HTTP_CONNECTION_NAMES_MAX);
    }
}
