/* Bytes that nobody can tell from random ones at a glance, for next to nothing: SplitMix64 (Steele et al., OOPSLA '14). */
#ifndef BENCH_LOAD_NOISE_H
#define BENCH_LOAD_NOISE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct noise {
    uint64_t state; /* the seed, before */
};

static inline uint64_t noise_next(struct noise *noise) {
    uint64_t mixed = noise->state += 0x9e3779b97f4a7c15;

    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return mixed ^ mixed >> 31;
}

static inline void noise_fill(struct noise *noise, uint8_t *data, size_t size) {
    while (size > 0) {
        uint64_t word = noise_next(noise);
        size_t part = size < sizeof word ? size : sizeof word;

        memcpy(data, &word, part);
        data += part;
        size -= part;
    }
}

#endif
