#include "edge/websocket_key.h"

#include "base/check.h"
#include "base/text.h"
#include "x509/signature.h"

enum { ACCEPT_SIZE = 28 /* a digest of SHA-1 in base64 */ };

void websocket_key_make(struct random_stock *random, char key[static WEBSOCKET_KEY_SIZE]) {
    uint64_t words[2];
    struct text out = text_over(key, WEBSOCKET_KEY_SIZE);

    random_take(random, words);
    text_append_base64(&out, bytes_of(words, sizeof words));
    CHECK(!out.overflow && out.size == WEBSOCKET_KEY_SIZE);
}

bool websocket_key_is_accepted(const char key[static WEBSOCKET_KEY_SIZE], const struct http_message *response,
                               const void *head) {
    static const char suffix[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    const struct http_header *accept = http_find_header(response, head, "Sec-WebSocket-Accept");
    uint8_t digest[SIGNATURE_SHA1_SIZE];
    char joined[WEBSOCKET_KEY_SIZE + sizeof suffix];
    char expected[ACCEPT_SIZE];
    struct text text = text_over(joined, sizeof joined);
    struct text out = text_over(expected, sizeof expected);

    text_append(&text, key, WEBSOCKET_KEY_SIZE);
    text_append_string(&text, suffix);
    signature_sha1(text_bytes(&text), digest);
    text_append_base64(&out, bytes_of(digest, sizeof digest));
    CHECK(!text.overflow && !out.overflow);
    return accept != NULL && bytes_equal(http_view(head, accept->value), text_bytes(&out));
}
