#include "tls/fragment.h"

#include "base/check.h"

/* RFC 5246 section 6.2.1. */
enum { TYPE_CHANGE_CIPHER_SPEC = 20, TYPE_HANDSHAKE = 22, SIZE_AT = 3 };

static struct bytes take(struct bytes *rest, size_t size) {
    struct bytes taken = bytes_of(rest->data, size);

    CHECK(size <= rest->size);
    *rest = bytes_of(rest->data + size, rest->size - size);
    return taken;
}

static void begin_record(struct fragment *fragment, struct bytes *rest) {
    memcpy(fragment->header, take(rest, FRAGMENT_HEADER_SIZE).data, FRAGMENT_HEADER_SIZE);
    fragment->record_left = (size_t)fragment->header[SIZE_AT] << 8 | fragment->header[SIZE_AT + 1];
    bool split = fragment->header[0] == TYPE_HANDSHAKE && !fragment->sealed;
    fragment->piece_max = split ? fragment->limit : fragment->record_left;
    fragment->sealed |= fragment->header[0] == TYPE_CHANGE_CIPHER_SPEC;
}

struct bytes fragment_next(struct fragment *fragment, struct bytes *rest) {
    if (fragment->piece > 0) {
        struct bytes piece = take(rest, fragment->piece);
        fragment->record_left -= fragment->piece;
        fragment->piece = 0;
        return piece;
    }
    if (fragment->record_left == 0) {
        begin_record(fragment, rest);
    }
    fragment->piece = fragment->record_left < fragment->piece_max ? fragment->record_left : fragment->piece_max;
    fragment->header[SIZE_AT] = (uint8_t)(fragment->piece >> 8);
    fragment->header[SIZE_AT + 1] = (uint8_t)fragment->piece;
    return bytes_of(fragment->header, FRAGMENT_HEADER_SIZE);
}
