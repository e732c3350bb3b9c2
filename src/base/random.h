/* Random bytes that nobody can guess, from the kernel's generator (getrandom, random(7)), drawn in small stocks. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* The kernel gives up to this many bytes at once without an interruption. */
enum { RANDOM_STOCK_SIZE = 256 };

/* Bytes in stock, for one thread. Zeroed at first. */
struct random_stock {
    uint8_t bytes[RANDOM_STOCK_SIZE];
    size_t left;
};

/* Takes 128 bits that no one has had before. Aborts when the kernel has none: it has some from its boot on. */
void random_take(struct random_stock *stock, uint64_t words[static 2]);

/* Returns a random number below `bound`, which is not 0 and small beside 2^64, so that all come up alike. */
uint64_t random_below(struct random_stock *stock, uint64_t bound);

/* Fills `bytes` straight from the kernel's generator. Aborts when the kernel has none. */
void random_fill(void *bytes, size_t size);

#endif
