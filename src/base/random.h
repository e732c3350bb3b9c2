/* Random bytes that nobody can guess, from the kernel's generator (getrandom, random(7)), drawn a few at a time. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Up to this many the kernel gives at once, without being interrupted. */
enum { RANDOM_STOCK_SIZE = 256 };

/* Bytes in stock. One thread's; zeros at first. */
struct random_stock {
    uint8_t bytes[RANDOM_STOCK_SIZE];
    size_t left;
};

/* 128 bits that were given to nobody before. Aborts when the kernel has none, which it always has once it has booted. */
void random_take(struct random_stock *stock, uint64_t words[static 2]);

#endif
