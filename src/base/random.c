#include "base/random.h"

#include "base/check.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

enum { TAKE_SIZE = 2 * sizeof(uint64_t) };
_Static_assert(RANDOM_STOCK_SIZE % TAKE_SIZE == 0, "a stock is used up to its last byte");

static void fill(struct random_stock *stock) {
    ssize_t got;

    do {
        got = getrandom(stock->bytes, sizeof stock->bytes, 0);
    } while (got < 0 && errno == EINTR);
    CHECK(got == (ssize_t)sizeof stock->bytes);
    stock->left = sizeof stock->bytes;
}

void random_take(struct random_stock *stock, uint64_t words[static 2]) {
    if (stock->left == 0) {
        fill(stock);
    }
    stock->left -= TAKE_SIZE;
    memcpy(words, stock->bytes + stock->left, TAKE_SIZE);
    memset(stock->bytes + stock->left, 0, TAKE_SIZE); /* the stock must not tell later what was given */
}
