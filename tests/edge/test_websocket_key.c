#include "edge/websocket_key.h"

#include <criterion/criterion.h>
#include <string.h>

/* Whether a 101 with that line answers the key of RFC 6455 section 1.3. */
static bool is_accepted(const char *line, uint32_t name_size) {
    struct http_header header = {.name = {0, name_size}, .value = {name_size + 2, (uint32_t)strlen(line) - name_size - 2}};
    struct http_message response = {.status = 101, .headers = &header, .header_count = 1};
    return websocket_key_is_accepted("dGhlIHNhbXBsZSBub25jZQ==", &response, line);
}

Test(websocket_key, has_one_answer) {
    cr_expect(is_accepted("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 20));
    cr_expect(is_accepted("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 20));
    cr_expect_not(is_accepted("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo", 20));
    cr_expect_not(is_accepted("Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 20));
    cr_expect_not(is_accepted("Sec-WebSocket-Accept: ", 20));
    cr_expect_not(is_accepted("Sec-WebSocket-Answer: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 20));
    cr_expect_not(websocket_key_is_accepted("dGhlIHNhbXBsZSBub25jZQ==", &(struct http_message){.status = 101}, ""));
}

Test(websocket_key, is_another_each_time) {
    struct random_stock random = {0};
    char keys[2][WEBSOCKET_KEY_SIZE];
    websocket_key_make(&random, keys[0]);
    websocket_key_make(&random, keys[1]);
    cr_expect_neq(memcmp(keys[0], keys[1], WEBSOCKET_KEY_SIZE), 0);
    cr_expect_eq(memcmp(keys[0] + WEBSOCKET_KEY_SIZE - 2, "==", 2), 0, "16 bytes");
}
