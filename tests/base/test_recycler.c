#include "base/recycler.h"
#include "base/sanitizers.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(WITH_ASAN) || defined(WITH_TSAN)
static const bool keeps = false;
#else
static const bool keeps = true;
#endif

Test(recycler, blocks_have_the_size_that_was_asked_for) {
    for (size_t round = 0; round < 3; round++) {
        void *blocks[64];
        for (size_t size = 0; size < RECYCLER_SIZE_MAX + 100; size += 1 + size / 7) {
            for (size_t i = 0; i < 64; i++) {
                blocks[i] = recycler_take(size);
                cr_assert_not_null(blocks[i]);
                cr_assert_geq(malloc_usable_size(blocks[i]), size);
                memset(blocks[i], (int)i, size);
            }
            for (size_t i = 0; i < 64; i++) {
                for (size_t at = 0; at < size; at++) {
                    cr_assert_eq(((uint8_t *)blocks[i])[at], i, "two blocks are one");
                }
                recycler_give(blocks[i]);
            }
        }
    }
    recycler_empty();
}

Test(recycler, a_block_comes_back_to_the_next_of_its_size) {
    void *block = recycler_take(1000);
    recycler_give(block);
    void *larger = recycler_take(1100);
    void *again = recycler_take(1000);
#ifndef WITH_TSAN /* its allocator may give the same block, ASan's never does */
    cr_assert_eq(again == block, keeps);
#endif
    cr_assert_neq(larger, block);
    recycler_give(again);
    recycler_give(larger);
    recycler_empty();
}

Test(recycler, takes_what_malloc_has_given_and_gives_what_free_takes) {
    char *block = malloc(100);
    recycler_give(block);
    block = recycler_take(90);
    block = realloc(block, 5000);
    cr_assert_not_null(block);
    recycler_give(block);
    free(recycler_take(5000));
    recycler_give(NULL);
    recycler_empty();
}

Test(recycler, keeps_no_more_than_it_says) {
    enum { COUNT = 4 * RECYCLER_KEPT_MAX };
    void *blocks[COUNT];
    struct mallinfo2 before = mallinfo2();
    for (size_t i = 0; i < COUNT; i++) {
        blocks[i] = recycler_take(2000);
    }
    for (size_t i = 0; i < COUNT; i++) {
        recycler_give(blocks[i]);
    }
    if (keeps) { /* a sanitizer's allocator tells nothing here */
        struct mallinfo2 after = mallinfo2();
        cr_assert_geq(after.uordblks - before.uordblks, RECYCLER_KEPT_MAX * 2000);
        cr_assert_lt(after.uordblks - before.uordblks, (RECYCLER_KEPT_MAX + 1) * 2100);
        recycler_empty();
        after = mallinfo2();
        cr_assert_lt(after.uordblks - before.uordblks, 2000, "they were given back");
    }
}

/* A buffer that grows in any steps would else leave a block of each size. */
Test(recycler, keeps_no_more_of_all_sizes_than_it_says) {
    enum { COUNT = 16 };
    struct mallinfo2 before = mallinfo2();
    for (size_t size = 16; size <= RECYCLER_SIZE_MAX; size += 16) {
        void *blocks[COUNT];
        for (size_t i = 0; i < COUNT; i++) {
            blocks[i] = recycler_take(size);
        }
        for (size_t i = 0; i < COUNT; i++) {
            recycler_give(blocks[i]);
        }
    }
    if (keeps) {
        struct mallinfo2 after = mallinfo2();
        cr_assert_gt(after.uordblks - before.uordblks, RECYCLER_BYTES_MAX / 2);
        cr_assert_lt(after.uordblks - before.uordblks, RECYCLER_BYTES_MAX * 3 / 2, "with malloc's own headers");
        recycler_empty();
    }
}

static void *give(void *block) {
    recycler_give(block);
    recycler_empty();
    return NULL;
}

Test(recycler, another_thread_may_give_back) {
    for (size_t i = 0; i < 10; i++) {
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, give, recycler_take(300)), 0);
        cr_assert_eq(pthread_join(thread, NULL), 0);
    }
    recycler_empty();
}
