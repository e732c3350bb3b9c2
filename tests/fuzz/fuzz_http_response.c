/*
 * Any bytes as a response, head and body: whole and byte by byte it must read the same, and the head that is written for
 * the client must read as the same response. A refused head may be mended: the mended head has no more lines than before.
 * The first byte chooses the circumstances.
 */
#include "base/check.h"
#include "http/forward.h"
#include "http/mend.h"
#include "http/parser.h"
#include "http/persistence.h"

#include <stdlib.h>

enum { HEAD_MAX = 4096, OUTPUT_MAX = 2 * HEAD_MAX, OWN_HEADERS_MAX = 4 };

static struct http_header whole_headers[HTTP_HEADERS_MAX], pieces_headers[HTTP_HEADERS_MAX],
    written_headers[HTTP_HEADERS_MAX];
static struct http_message whole = {.headers_max = HTTP_HEADERS_MAX, .headers = whole_headers};
static struct http_message pieces = {.headers_max = HTTP_HEADERS_MAX, .headers = pieces_headers};
static struct http_message written = {.headers_max = HTTP_HEADERS_MAX, .headers = written_headers};

static void check_bytewise(const struct http_parser *expected, enum http_result result, const uint8_t *data, size_t size,
                           bool to_head) {
    enum http_result now = HTTP_PARSE_MORE;
    struct http_parser parser;
    http_parser_init_response(&parser, &pieces, HEAD_MAX, to_head);
    for (size_t have = 1; have <= size && now == HTTP_PARSE_MORE; have++) {
        uint8_t *copy = malloc(have);
        CHECK(copy != NULL);
        memcpy(copy, data, have);
        now = http_parser_head(&parser, bytes_of(copy, have));
        free(copy);
    }
    CHECK(now == result && parser.error_status == expected->error_status);
    if (result == HTTP_PARSE_HEAD) {
        CHECK(memcmp(&whole, &pieces, offsetof(struct http_message, headers)) == 0);
    }
}

static void check_written(const uint8_t *head, uint8_t client_minor, bool keep_alive, bool to_head) {
    static char output[OUTPUT_MAX];
    struct text out = text_over(output, sizeof output);
    enum http_framing framing = http_response_framing(&whole, client_minor, to_head);
    const struct http_stamp stamp = {.date = bytes_of_string("Sun, 06 Nov 1994 08:49:37 GMT"),
                                     .request_id = bytes_of_string("1")};
    http_write_response(&out, &whole, head, framing, client_minor, keep_alive, to_head, &stamp);
    CHECK(!out.overflow);
    if (whole.header_count > HTTP_HEADERS_MAX - OWN_HEADERS_MAX) {
        return; /* our own parser cannot read it back */
    }
    struct http_parser parser;
    http_parser_init_response(&parser, &written, OUTPUT_MAX, to_head);
    CHECK(http_parser_head(&parser, text_bytes(&out)) == HTTP_PARSE_HEAD);
    CHECK(written.head_size == out.size && written.status == whole.status);
    CHECK(written.framing == framing);
    if (whole.status >= 200) {
        CHECK(http_find_header(&written, output, "Date") != NULL &&
              http_find_header(&written, output, "X-Request-Id") != NULL);
    }
    CHECK(written.content_length == whole.content_length || framing == HTTP_NO_BODY);
    CHECK(written.keep_alive == (keep_alive && framing != HTTP_UNTIL_CLOSE));
}

static size_t count(const uint8_t *data, size_t size, uint8_t byte) {
    size_t found = 0;
    for (size_t i = 0; i < size; i++) {
        found += data[i] == byte;
    }
    return found;
}

/* A head that is mended has no more lines than before nor other colons, and where it is accepted, nothing is left to mend.
 */
static void check_mended(const uint8_t *data, size_t size, bool to_head) {
    static uint8_t mended[2 * HEAD_MAX];
    static uint8_t again[2 * HEAD_MAX];
    size_t head_size = http_mend_head_size(bytes_of(data, size), 0);
    CHECK(head_size <= size);
    if (head_size == 0 || head_size > HEAD_MAX || !http_mend_is_response(bytes_of(data, size))) {
        return;
    }
    memcpy(mended, data, head_size);
    size_t mended_size = http_mend_head(mended, head_size, sizeof mended);
    CHECK(mended_size == 0 || (mended_size >= head_size && mended_size <= sizeof mended));
    if (mended_size == 0) {
        return;
    }
    CHECK(count(mended, mended_size, '\n') <= count(data, head_size, '\n'));
    CHECK(count(mended, mended_size, ':') == count(data, head_size, ':'));
    struct http_parser parser;
    http_parser_init_response(&parser, &whole, sizeof mended, to_head);
    if (http_parser_head(&parser, bytes_of(mended, mended_size)) == HTTP_PARSE_HEAD) {
        CHECK(whole.head_size == mended_size);
        memcpy(again, mended, mended_size);
        CHECK(http_mend_head(again, mended_size, sizeof again) == 0);
    }
}

static void drain(struct http_parser *parser, struct bytes rest) {
    size_t left = rest.size;
    enum http_result result;
    struct bytes piece;
    while ((result = http_parser_body(parser, &rest, &piece)) == HTTP_PARSE_BODY) {
        CHECK(piece.size > 0 && rest.size < left);
        left = rest.size;
    }
    CHECK(result != HTTP_PARSE_MORE || rest.size == 0);
    http_parser_finish(parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    uint8_t choice = data[0];
    bool to_head = (choice & 1) != 0;
    data++;
    size--;
    struct http_parser parser;
    http_parser_init_response(&parser, &whole, HEAD_MAX, to_head);
    enum http_result result = http_parser_head(&parser, bytes_of(data, size));
    check_bytewise(&parser, result, data, size, to_head);
    if (result == HTTP_PARSE_HEAD) {
        uint32_t keep_s = http_keep_alive_s(&whole, data);
        CHECK(keep_s <= HTTP_KEEP_ALIVE_MAX_S || keep_s == HTTP_KEEP_ALIVE_UNSAID);
        http_response_signs_in(&whole, data);
        check_written(data, (choice & 2) != 0, (choice & 4) != 0, to_head);
        drain(&parser, bytes_of(data + whole.head_size, size - whole.head_size));
    } else if (result == HTTP_PARSE_ERROR) {
        check_mended(data, size, to_head);
    }
    return 0;
}
