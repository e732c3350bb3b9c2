#include "crypto/lanes_call.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

Test(lanes_call, nothing_is_sound) {
    struct lanes_call call = {.sound = {false}};
    cr_assert(!lanes_call_begin(&call));
    for (size_t i = 0; i < LANES_MAX; i++) {
        cr_assert(!lanes_call_good(&call, 0, i));
    }
}

Test(lanes_call, lanes_repeat_the_first_sound_job) {
    struct lanes_call call = {.sound = {false, false, true, false, true}};
    cr_assert(lanes_call_begin(&call));
    for (size_t i = 0; i < LANES_MAX; i++) {
        cr_assert_eq(call.source[i], i == 4 ? 4 : 2, "%zu", i);
    }
}

Test(lanes_call, results_of_sound_jobs_without_a_fault) {
    struct lanes_call call = {.sound = {true, true, false, true, true, true, true, true}};
    cr_assert(lanes_call_begin(&call));
    for (size_t i = 0; i < LANES_MAX; i++) {
        /* Faults in the lanes 1 and 7. */
        cr_assert_eq(lanes_call_good(&call, 0x80000010, i), i != 1 && i != 2 && i != 7, "%zu", i);
    }
}

/* STACK_SIZE: ThreadSanitizer refuses a thread with less than some 900 KiB. */
enum { STACK_SIZE = 1024 * 1024, LEFT_SIZE = 27 * 1024 };

static const char secret[] = "something that nobody may find";

__attribute__((noinline)) static void leave_secrets(void) {
    volatile char left[LEFT_SIZE];
    for (size_t i = 0; i < sizeof left; i++) {
        left[i] = secret[i % sizeof secret];
    }
}

static void *leave_and_wipe(void *wipes) {
    leave_secrets();
    if (wipes != NULL) {
        lanes_call_wipe_stack();
    }
    return NULL;
}

/* Runs on a stack that can be searched: tells whether the secret is there. */
static bool is_left(bool wipes) {
    pthread_attr_t attributes;
    pthread_t thread;
    uint8_t *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert(stack != MAP_FAILED);
    cr_assert_eq(pthread_attr_init(&attributes), 0);
    cr_assert_eq(pthread_attr_setstack(&attributes, stack, STACK_SIZE), 0);
    cr_assert_eq(pthread_create(&thread, &attributes, leave_and_wipe, wipes ? &attributes : NULL), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    bool found = memmem(stack, STACK_SIZE, secret, sizeof secret) != NULL;
    munmap(stack, STACK_SIZE);
    pthread_attr_destroy(&attributes);
    return found;
}

/* As much as crypto_mb's deepest operation uses. */
Test(lanes_call, the_stack_is_wiped) {
    cr_assert(is_left(false));
    cr_assert(!is_left(true));
}
