/* XXH3 with a secret drawn at start, for tables that peers can aim at. It is not for keys that must not collide. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Draws the process's secret from getrandom: once, before any thread. Aborts when the kernel gives no randomness. */
void hash_init(void);
uint64_t hash_bytes(const void *data, size_t size);
/* XXH3 without a secret: the same in each process and on each machine. For what nobody gains by aiming at. */
uint64_t hash_fixed(const void *data, size_t size);

#endif
