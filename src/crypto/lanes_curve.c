#include "crypto/lanes_curve.h"

/* SP 800-186 section 3.2.1 */
static const struct lanes_curve_numbers curves[] = {
    [LANES_P256] =
        {
            .size = 32,
            .words = 4,
            .prime = {0xffffffffffffffff, 0x00000000ffffffff, 0x0000000000000000, 0xffffffff00000001},
            .order = {0xf3b9cac2fc632551, 0xbce6faada7179e84, 0xffffffffffffffff, 0xffffffff00000000},
        },
    [LANES_P384] =
        {
            .size = 48,
            .words = 6,
            .prime = {0x00000000ffffffff, 0xffffffff00000000, 0xfffffffffffffffe, 0xffffffffffffffff, 0xffffffffffffffff,
                      0xffffffffffffffff},
            .order = {0xecec196accc52973, 0x581a0db248b0a77a, 0xc7634d81f4372ddf, 0xffffffffffffffff, 0xffffffffffffffff,
                      0xffffffffffffffff},
        },
};

const struct lanes_curve_numbers *lanes_curve_numbers(enum lanes_curve curve) {
    return &curves[curve];
}

bool lanes_curve_read_scalar(const struct lanes_curve_numbers *curve, lanes_word *scalar, struct bytes big_endian) {
    return lanes_number_read(scalar, curve->words, big_endian) && !lanes_number_is_zero(scalar, curve->words) &&
           lanes_number_is_less(scalar, curve->order, curve->words);
}

bool lanes_curve_read_point(const struct lanes_curve_numbers *curve, lanes_word *x, lanes_word *y, struct bytes point) {
    if (point.size != 1 + 2 * curve->size || point.data[0] != LANES_CURVE_UNCOMPRESSED) {
        return false;
    }
    return lanes_number_read(x, curve->words, bytes_of(point.data + 1, curve->size)) &&
           lanes_number_read(y, curve->words, bytes_of(point.data + 1 + curve->size, curve->size)) &&
           lanes_number_is_less(x, curve->prime, curve->words) && lanes_number_is_less(y, curve->prime, curve->words);
}

static bool is_zero(struct bytes bytes) {
    uint8_t bits = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        bits |= bytes.data[i];
    }
    return bits == 0;
}

bool lanes_curve_read_digest(const struct lanes_curve_numbers *curve, lanes_word *number, struct bytes digest) {
    size_t size = digest.size < curve->size ? digest.size : curve->size;
    if (is_zero(digest)) {
        return false;
    }
    lanes_number_read(number, curve->words, bytes_of(digest.data, size));
    lanes_number_reduce_once(number, curve->order, curve->words);
    return true;
}
