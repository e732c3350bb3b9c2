/*
 * Frames as bytes, written in a small language, for tests that must send what no library sends; and frames read back.
 *
 * A text is frames with ';' between them; spaces do not matter but between words. A frame is
 *
 *     TYPE[+FLAG...][@STREAM][#LENGTH] [ITEM...]
 *
 * TYPE: DATA HEADERS PRIORITY RST SETTINGS PUSH PING GOAWAY WINDOW CONT PRIUP, or Txx, in hex. FLAG: ES EH PAD PRI ACK, or
 * Fxx. STREAM: a number, 0 unless it is given. LENGTH: the one to claim, if it is not that of the items. An ITEM is
 *
 *     x:HEX         bytes               n:COUNT       so many zero bytes
 *     w:NUMBER      four bytes          s:ID=NUMBER   a setting
 *     f:NAME=VALUE  a field, as a literal that no table keeps; %xx stands for a byte; NAME may begin with ':'
 *     i:NAME=VALUE  likewise, but the dynamic table keeps it
 *     GET POST      pseudo-headers of such a request, of https://a/
 */
#ifndef TESTS_HTTP2_WIRE_H
#define TESTS_HTTP2_WIRE_H

#include "base/buffer.h"

#define WIRE_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

/* Appends the frames of the text. */
void wire_write(struct buffer *buffer, const char *text);

/* A frame that was read. */
struct wire_frame {
    uint8_t type;
    uint8_t flags;
    uint32_t stream;
    struct bytes payload;
};

/* Takes the next frame. False at the end; a frame that is cut short fails the test. */
bool wire_read(struct bytes *input, struct wire_frame *frame);
/* Returns the four bytes at `offset` of the payload. */
uint32_t wire_word(const struct wire_frame *frame, size_t offset);

#endif
