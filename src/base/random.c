#include "base/random.h"

#include "base/check.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

enum { TAKE_SIZE = 2 * sizeof(uint64_t) };
_Static_assert(RANDOM_STOCK_SIZE % TAKE_SIZE == 0, "a stock is used up to its last byte");

void random_fill(void *bytes, size_t size) {
    uint8_t *to = bytes;

    while (size > 0) {
        size_t part = size < RANDOM_STOCK_SIZE ? size : RANDOM_STOCK_SIZE;
        ssize_t got = getrandom(to, part, 0);

        CHECK(got == (ssize_t)part || (got < 0 && errno == EINTR));
        if (got > 0) {
            to += got;
            size -= (size_t)got;
        }
    }
}

void random_take(struct random_stock *stock, uint64_t words[static 2]) {
    if (stock->left == 0) {
        random_fill(stock->bytes, sizeof stock->bytes);
        stock->left = sizeof stock->bytes;
    }
    stock->left -= TAKE_SIZE;
    memcpy(words, stock->bytes + stock->left, TAKE_SIZE);
    memset(stock->bytes + stock->left, 0, TAKE_SIZE); /* the stock must not tell later what was given */
}

uint64_t random_below(struct random_stock *stock, uint64_t bound) {
    uint64_t words[2];

    random_take(stock, words);
    return words[0] % bound;
}
