#include "heads.h"
#include "http/chunks.h"

#include <criterion/criterion.h>

static struct parse *begin(void) {
    struct parse *parse = parse_whole(RESPONSE, bytes_of_string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
    cr_assert_eq(parse->result, HTTP_PARSE_HEAD);
    return parse;
}

static enum http_result read_all(struct parse *parse, struct bytes input) {
    char buffer[16];
    struct text body = text_over(buffer, sizeof buffer);
    size_t left;
    return decode(&parse->parser, input, input.size, &body, &left);
}

Test(chunks, sizes_reach_to_their_bound_and_no_further) {
    struct bytes input = LITERAL("7fffffffffffffff \r\nx");
    struct bytes too_large = LITERAL("8000000000000000\r\nx");
    struct bytes longer = LITERAL("00000000000000000000000000001\r\nx\r\n0\r\n\r\n");
    struct parse *parse = begin();
    cr_assert_eq(read_all(parse, input), HTTP_PARSE_MORE);
    cr_assert_eq(parse->parser.chunks.left, (uint64_t)INT64_MAX - 1);
    parse_free(parse);
    parse = begin();
    cr_assert_eq(read_all(parse, too_large), HTTP_PARSE_ERROR);
    cr_assert_eq(parse->parser.fault, HTTP_FAULT_CHUNK);
    parse_free(parse);
    parse = begin();
    cr_assert_eq(read_all(parse, longer), HTTP_PARSE_END);
    parse_free(parse);
}

Test(chunks, faults_tell_chunks_from_trailers) {
    struct bytes chunk = LITERAL("1\r\nxy");
    struct bytes trailer = LITERAL("0\r\nA b\r\n");
    struct parse *parse = begin();
    cr_assert_eq(read_all(parse, chunk), HTTP_PARSE_ERROR);
    cr_assert_eq(parse->parser.fault, HTTP_FAULT_CHUNK);
    parse_free(parse);
    parse = begin();
    cr_assert_eq(read_all(parse, trailer), HTTP_PARSE_ERROR);
    cr_assert_eq(parse->parser.fault, HTTP_FAULT_TRAILERS);
    parse_free(parse);
}
