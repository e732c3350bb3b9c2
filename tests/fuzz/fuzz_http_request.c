/*
 * Any bytes as a request head: whole and in two pieces it must read the same, and what is written for the origin must
 * read as the same request, with no header that a client may not set. So must what is offered of its Upgrade.
 */
#include "base/check.h"
#include "base/hash.h"
#include "http/accept.h"
#include "http/authority.h"
#include "http/forward.h"
#include "http/parser.h"
#include "http/upgrade.h"

#include <stdlib.h>

enum { HEAD_MAX = 4096, OUTPUT_MAX = 2 * HEAD_MAX, OWN_HEADERS_MAX = 7 };

static struct http_header whole_headers[HTTP_HEADERS_MAX], pieces_headers[HTTP_HEADERS_MAX],
    written_headers[HTTP_HEADERS_MAX];
static struct http_message whole = {.headers_max = HTTP_HEADERS_MAX, .headers = whole_headers};
static struct http_message pieces = {.headers_max = HTTP_HEADERS_MAX, .headers = pieces_headers};
static struct http_message written = {.headers_max = HTTP_HEADERS_MAX, .headers = written_headers};

static uint8_t *copy_of(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size + (size == 0));
    CHECK(copy != NULL);
    if (size > 0) {
        memcpy(copy, data, size);
    }
    return copy;
}

/* Parses a copy of exactly that size; the copy is the caller's to free. */
static enum http_result feed(struct http_parser *parser, const uint8_t *data, size_t size, uint8_t **copy) {
    *copy = copy_of(data, size);
    return http_parser_head(parser, bytes_of(*copy, size));
}

static void check_split(const struct http_parser *expected, enum http_result result, const uint8_t *data, size_t size,
                        size_t split) {
    struct http_parser parser;
    http_parser_init_request(&parser, &pieces, HEAD_MAX);
    uint8_t *copy;
    enum http_result now = feed(&parser, data, split, &copy);
    free(copy);
    if (now == HTTP_PARSE_MORE) {
        now = feed(&parser, data, size, &copy);
        free(copy);
    }
    CHECK(now == result && parser.error_status == expected->error_status && pieces.head_request == whole.head_request);
    if (result == HTTP_PARSE_HEAD) {
        CHECK(memcmp(&whole, &pieces, offsetof(struct http_message, headers)) == 0);
        for (uint32_t i = 0; i < whole.header_count; i++) {
            CHECK(whole.headers[i].kind == pieces.headers[i].kind);
            CHECK(whole.headers[i].name.offset == pieces.headers[i].name.offset);
            CHECK(whole.headers[i].name.size == pieces.headers[i].name.size);
            CHECK(whole.headers[i].value.size == pieces.headers[i].value.size);
        }
    }
}

static void check_written(const uint8_t *head, const struct http_removals *removals) {
    static char output[OUTPUT_MAX];
    struct text out = text_over(output, sizeof output);
    struct http_forwarding forwarding = {.removals = removals,
                                         .client_address = bytes_of_string("192.0.2.1"),
                                         .host_name = bytes_of_string("named"),
                                         .request_id = bytes_of_string("1")};
    http_write_request(&out, &whole, head, &forwarding);
    CHECK(!out.overflow);
    if (whole.header_count > HTTP_HEADERS_MAX - OWN_HEADERS_MAX) {
        return; /* an origin may take more headers than we do, but our own parser cannot read it back */
    }
    struct http_parser parser;
    http_parser_init_request(&parser, &written, OUTPUT_MAX);
    CHECK(http_parser_head(&parser, text_bytes(&out)) == HTTP_PARSE_HEAD);
    CHECK(written.head_size == out.size && written.minor == 1);
    CHECK(written.keep_alive == !http_content_may_be_left(&whole));
    CHECK(written.framing == whole.framing && written.content_length == whole.content_length);
    CHECK(!written.expect_continue && !written.absolute_form && written.connection_names == 0);
    CHECK(bytes_equal(http_view(output, written.method), http_view(head, whole.method)));
    CHECK(bytes_equal(http_view(output, written.authority),
                      whole.authority.size > 0 ? http_view(head, whole.authority) : forwarding.host_name));
    if (!whole.absolute_form) {
        CHECK(bytes_equal(http_view(output, written.path), http_view(head, whole.path)));
    }
    unsigned ours = 0;
    for (uint32_t i = 0; i < written.header_count; i++) {
        CHECK(written.headers[i].kind != HTTP_HEADER_HOP_BY_HOP && written.headers[i].kind != HTTP_HEADER_LOOKALIKE);
        CHECK(written.headers[i].kind != HTTP_HEADER_UPGRADE);
        CHECK(written.headers[i].kind != HTTP_HEADER_CONNECTION || !written.keep_alive);
        ours += http_removals_has(removals, http_view(output, written.headers[i].name));
    }
    CHECK(ours == 3);
}

/* An offer that is passed on is read by the next one as the same offer. */
static void check_offer(const uint8_t *head) {
    char first[HTTP_UPGRADE_MAX], second[HTTP_UPGRADE_MAX], request[256];
    struct text offer = text_over(first, sizeof first), again = text_over(second, sizeof second);
    struct text out = text_over(request, sizeof request);
    http_upgrade_offer(&offer, &whole, head);
    CHECK(!offer.overflow);
    text_append_format(&out, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: %.*s\r\n\r\n", (int)offer.size,
                       offer.data);
    struct http_parser parser;
    http_parser_init_request(&parser, &written, OUTPUT_MAX);
    CHECK(http_parser_head(&parser, text_bytes(&out)) == HTTP_PARSE_HEAD);
    http_upgrade_offer(&again, &written, request);
    CHECK(bytes_equal(text_bytes(&offer), text_bytes(&again)));
    CHECK(offer.size == 0 || http_upgrade_is_of(&written, request, text_bytes(&offer)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct http_removals *removals;
    if (removals == NULL) {
        hash_init();
        removals = http_removals_create();
        CHECK(http_removals_add_own(removals) == 0 && http_removals_add(removals, bytes_of_string("X-A")) == 0);
    }
    struct http_parser parser;
    http_parser_init_request(&parser, &whole, HEAD_MAX);
    uint8_t *head;
    enum http_result result = feed(&parser, data, size, &head);
    if (result == HTTP_PARSE_HEAD) {
        CHECK(whole.head_size <= size);
        http_prefers_html(&whole, head);
        char name[HTTP_NAME_SIZE];
        http_authority_name(http_view(head, whole.authority), name);
        if (whole.method_kind != HTTP_METHOD_CONNECT) {
            check_written(head, removals);
        }
        check_offer(head);
    }
    size_t step = size < 64 ? 1 : size / 16;
    for (size_t split = 1; split < size; split += step) {
        check_split(&parser, result, data, size, split);
    }
    free(head);
    return 0;
}
