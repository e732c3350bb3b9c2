#include "crypto/lanes_number.h"

bool lanes_number_read(lanes_word *number, size_t count, struct bytes big_endian) {
    memset(number, 0, count * LANES_WORD_SIZE);
    if (big_endian.size > count * LANES_WORD_SIZE) {
        return false;
    }
    size_t left = big_endian.size;
    for (; left >= LANES_WORD_SIZE; left -= LANES_WORD_SIZE) {
        lanes_word word;
        memcpy(&word, big_endian.data + left - LANES_WORD_SIZE, LANES_WORD_SIZE);
        *number++ = __builtin_bswap64(word);
    }
    for (size_t i = 0; i < left; i++) {
        *number = *number << 8 | big_endian.data[i];
    }
    return true;
}

void lanes_number_write(uint8_t *big_endian, const lanes_word *number, size_t count) {
    for (size_t i = 0; i < count; i++) {
        lanes_word word = __builtin_bswap64(number[count - 1 - i]);
        memcpy(big_endian + i * LANES_WORD_SIZE, &word, LANES_WORD_SIZE);
    }
}

bool lanes_number_is_zero(const lanes_word *number, size_t count) {
    lanes_word bits = 0;
    for (size_t i = 0; i < count; i++) {
        bits |= number[i];
    }
    return bits == 0;
}

/* Writes a word of a difference, and returns what is borrowed from the next: 1 or 0. */
static lanes_word subtract(lanes_word a, lanes_word b, lanes_word borrow, lanes_word *difference) {
    lanes_word without;
    bool first = __builtin_sub_overflow(a, b, &without);
    bool second = __builtin_sub_overflow(without, borrow, difference);
    return (lanes_word)(first | second);
}

/* The same for a sum. By value: GCC 12 reads operands that it takes for constant twice, and the sum may be one of them. */
static lanes_word add(lanes_word a, lanes_word b, lanes_word carry, lanes_word *sum) {
    lanes_word without;
    bool first = __builtin_add_overflow(a, b, &without);
    bool second = __builtin_add_overflow(without, carry, sum);
    return (lanes_word)(first | second);
}

lanes_word lanes_number_add(lanes_word *sum, const lanes_word *a, const lanes_word *b, size_t count) {
    lanes_word carry = 0;
    for (size_t i = 0; i < count; i++) {
        carry = add(a[i], b[i], carry, &sum[i]);
    }
    return carry;
}

bool lanes_number_is_less(const lanes_word *a, const lanes_word *b, size_t count) {
    lanes_word borrow = 0;
    for (size_t i = 0; i < count; i++) {
        lanes_word difference;
        borrow = subtract(a[i], b[i], borrow, &difference);
    }
    return borrow != 0;
}

void lanes_number_reduce_once(lanes_word *number, const lanes_word *modulus, size_t count) {
    lanes_word keep = 0 - (lanes_word)lanes_number_is_less(number, modulus, count);
    lanes_word borrow = 0;
    for (size_t i = 0; i < count; i++) {
        borrow = subtract(number[i], modulus[i] & ~keep, borrow, &number[i]);
    }
}
