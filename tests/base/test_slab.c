#include "base/sanitizers.h"
#include "base/slab.h"
#include "random.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>

#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#endif

Test(slab, hands_out_as_many_as_its_limit_and_no_more) {
    struct slab slab;
    cr_assert_eq(slab_create(&slab, 48, 100), 0);
    void *objects[100];
    for (uint32_t i = 0; i < 100; i++) {
        objects[i] = slab_take(&slab);
        cr_assert_not_null(objects[i]);
        cr_assert_eq((uintptr_t)objects[i] % 64, 0);
        memset(objects[i], (int)i, 64);
        cr_assert_eq(slab.in_use, i + 1);
    }
    cr_assert_null(slab_take(&slab));
    cr_assert_null(slab_take(&slab));
    cr_assert_eq(slab.in_use, 100);
    for (uint32_t i = 0; i < 100; i++) {
        cr_assert_eq(((uint8_t *)objects[i])[63], i);
    }
    slab_give(&slab, objects[40]);
    cr_assert_eq(slab_take(&slab), objects[40]);
    cr_assert_null(slab_take(&slab));
    slab_destroy(&slab);
}

Test(slab, one_object_is_a_slab_too) {
    struct slab slab;
    cr_assert_eq(slab_create(&slab, 1, 1), 0);
    for (int i = 0; i < 10; i++) {
        void *object = slab_take(&slab);
        cr_assert_eq(object, slab.base);
        cr_assert_null(slab_take(&slab));
        slab_give(&slab, object);
    }
    cr_assert_eq(slab.in_use, 0);
    cr_assert_eq(slab.touched, 1);
    slab_destroy(&slab);
}

Test(slab, the_most_recently_given_comes_first) {
    struct slab slab;
    cr_assert_eq(slab_create(&slab, 64, 10), 0);
    void *objects[3];
    for (int i = 0; i < 3; i++) {
        objects[i] = slab_take(&slab);
    }
    slab_give(&slab, objects[1]);
    slab_give(&slab, objects[0]);
    slab_give(&slab, objects[2]);
    cr_assert_eq(slab_take(&slab), objects[2]);
    cr_assert_eq(slab_take(&slab), objects[0]);
    cr_assert_eq(slab_take(&slab), objects[1]);
    cr_assert_eq(slab.touched, 3, "no fresh memory while something is free");
    slab_destroy(&slab);
}

Test(slab, sizes_are_rounded_up_to_cache_lines) {
    static const size_t sizes[][2] = {{1, 64}, {63, 64}, {64, 64}, {65, 128}, {4096, 4096}, {4097, 4160}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct slab slab;
        cr_assert_eq(slab_create(&slab, sizes[i][0], 4), 0);
        cr_assert_eq(slab.object_size, sizes[i][1]);
        slab_destroy(&slab);
    }
}

Test(slab, index_and_address_are_each_others_inverse) {
    struct slab slab;
    cr_assert_eq(slab_create(&slab, 200, 50), 0);
    for (uint32_t i = 0; i < 50; i++) {
        void *object = slab_take(&slab);
        cr_assert_eq(slab_index(&slab, object), i);
        cr_assert_eq(slab_at(&slab, i), object);
    }
    slab_destroy(&slab);
}

/* A naive model knows which indices are in use. Objects carry their index, so an overlap shows. */
Test(slab, stays_consistent_under_random_use) {
    enum { LIMIT = 37, STEPS = 200000 };
    uint64_t seed = 1;
    struct slab slab;
    uint32_t count = 0;
    cr_assert_eq(slab_create(&slab, 40, LIMIT), 0);
    void *taken[LIMIT];
    for (int step = 0; step < STEPS; step++) {
        if (random_below(&seed, 2) == 0) {
            uint32_t *object = slab_take(&slab);
            cr_assert_eq(object == NULL, count == LIMIT);
            if (object != NULL) {
                object[9] = slab_index(&slab, object);
                taken[count++] = object;
            }
        } else if (count > 0) {
            uint32_t which = (uint32_t)random_below(&seed, count);
            uint32_t *object = taken[which];
            cr_assert_eq(object[9], slab_index(&slab, object));
            slab_give(&slab, object);
            taken[which] = taken[--count];
        }
        cr_assert_eq(slab.in_use, count);
        cr_assert_leq(slab.touched, LIMIT);
    }
    slab_destroy(&slab);
}

Test(slab, only_what_is_used_costs_memory) {
    struct slab slab;
    /* 64 GiB of addresses. */
    cr_assert_eq(slab_create(&slab, 1 << 20, 1 << 16), 0);
    for (int i = 0; i < 3; i++) {
        memset(slab_take(&slab), 1, 4096);
    }
    struct rusage usage;
    cr_assert_eq(getrusage(RUSAGE_SELF, &usage), 0);
    cr_assert_lt(usage.ru_maxrss, 1024 * 1024, "KiB");
    slab_destroy(&slab);
    cr_assert_null(slab.base);
}

Test(slab, a_size_that_no_address_space_holds_is_enomem) {
    struct slab slab;
    cr_assert_eq(slab_create(&slab, SIZE_MAX / 2, 16), -ENOMEM);
    cr_assert_eq(slab_create(&slab, SIZE_MAX, 1), -ENOMEM);
    cr_assert_eq(slab_create(&slab, (size_t)1 << 46, 1 << 10), -ENOMEM);
}

Test(slab, destroying_twice_is_harmless) {
    struct slab slab;
    cr_assert_eq(slab_create(&slab, 64, 4), 0);
    slab_take(&slab);
    slab_destroy(&slab);
    slab_destroy(&slab);
}

Test(slab, a_limit_of_zero_aborts, .signal = SIGABRT) {
    struct slab slab;
    slab_create(&slab, 64, 0);
}

Test(slab, a_limit_past_2_to_the_31_aborts, .signal = SIGABRT) {
    struct slab slab;
    slab_create(&slab, 64, (UINT32_C(1) << 31) + 1);
}

Test(slab, giving_a_pointer_into_an_object_aborts, .signal = SIGABRT) {
    struct slab slab;
    cr_assert_eq(slab_create(&slab, 128, 4), 0);
    slab_give(&slab, (uint8_t *)slab_take(&slab) + 64);
}

Test(slab, giving_what_was_never_taken_aborts, .signal = SIGABRT) {
    struct slab slab;
    cr_assert_eq(slab_create(&slab, 64, 4), 0);
    slab_give(&slab, (uint8_t *)slab_take(&slab) + 64);
}

Test(slab, giving_what_lies_below_aborts, .signal = SIGABRT) {
    struct slab slab;
    cr_assert_eq(slab_create(&slab, 64, 4), 0);
    slab_give(&slab, (uint8_t *)slab_take(&slab) - 64);
}

Test(slab, an_index_that_was_never_handed_out_aborts, .signal = SIGABRT) {
    struct slab slab;
    cr_assert_eq(slab_create(&slab, 64, 4), 0);
    slab_take(&slab);
    slab_at(&slab, 1);
}

#ifdef WITH_ASAN
Test(slab, what_was_given_is_poisoned_and_what_is_taken_is_not) {
    struct slab slab;
    cr_assert_eq(slab_create(&slab, 100, 4), 0);
    uint8_t *first = slab_take(&slab);
    uint8_t *second = slab_take(&slab);
    slab_give(&slab, first);
    for (size_t i = 0; i < slab.object_size; i++) {
        cr_assert_eq(__asan_address_is_poisoned(first + i), i >= 4, "byte %zu", i);
        cr_assert(!__asan_address_is_poisoned(second + i));
    }
    cr_assert_eq(slab_take(&slab), first);
    cr_assert_null(__asan_region_is_poisoned(first, slab.object_size));
    slab_give(&slab, first);
    uint8_t *base = slab.base;
    slab_destroy(&slab);
    cr_assert(!__asan_address_is_poisoned(base + 8), "the addresses go back clean");
}

Test(slab, giving_twice_aborts, .signal = SIGABRT) {
    struct slab slab;
    cr_assert_eq(slab_create(&slab, 64, 4), 0);
    void *object = slab_take(&slab);
    slab_take(&slab);
    slab_give(&slab, object);
    slab_give(&slab, object);
}
#endif
