/*
 * The handshake of a WebSocket over HTTP/1.1 (RFC 6455 section 4), on behalf of a client that has none: over HTTP/2 there is
 * no key (RFC 8441 section 5).
 */
#ifndef EDGE_WEBSOCKET_KEY_H
#define EDGE_WEBSOCKET_KEY_H

#include "base/random.h"
#include "http/message.h"

enum { WEBSOCKET_KEY_SIZE = 24 /* 128 bits in base64 */ };

void websocket_key_make(struct random_stock *random, char key[static WEBSOCKET_KEY_SIZE]);
/* Returns whether a 101 has the answer to the key, Sec-WebSocket-Accept: it comes from a WebSocket server then. */
bool websocket_key_is_accepted(const char key[static WEBSOCKET_KEY_SIZE], const struct http_message *response,
                               const void *head);

#endif
