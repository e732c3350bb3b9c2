/* An allocator for wolfSSL that counts, fails when told to, and knows what is live. One thread. */
#ifndef TESTS_TLS_ALLOCATOR_H
#define TESTS_TLS_ALLOCATOR_H

#include "base/bytes.h"

/* To be called before anything of wolfSSL's. */
void allocator_install(void);
/* Bytes that wolfSSL holds now, and blocks. */
size_t allocator_live_bytes(void);
size_t allocator_live_blocks(void);
/* Allocations since the start or the last allocator_fail_at. */
size_t allocator_count(void);
/* The `n`th allocation from now on fails, from 1, and only that; 0: none. */
void allocator_fail_at(size_t n);
/* The `index`th place in live memory that holds `wanted`, or NULL. */
uint8_t *allocator_find(struct bytes wanted, size_t index);

#endif
