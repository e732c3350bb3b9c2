#include "base/fiber.h"

#include "base/check.h"
#include "base/sanitizers.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef WITH_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef WITH_TSAN
#include <sanitizer/tsan_interface.h>
#endif

/*
 * The memory below each stack that cannot be touched. Libraries are not compiled with -fstack-clash-protection: no frame may
 * be larger than this, or it could step over.
 */
enum { GUARD_SIZE = 64 * 1024 };

struct fiber {
    struct fiber_pool *pool;
    struct fiber *next_free;
    uint8_t *stack; /* its lowest byte */
    void *at;       /* where its stack ends while it does not run */
    void (*function)(void *argument);
    void *argument;
    bool ended;
#ifdef WITH_ASAN
    void *fake_stack;
#endif
#ifdef WITH_TSAN
    void *tsan;
#endif
};

/* The fiber that runs in this thread, and the thread's own stack meanwhile. */
static _Thread_local struct {
    struct fiber *fiber;
    void *at;
#ifdef WITH_ASAN
    void *fake_stack;
    const void *stack;
    size_t stack_size;
#endif
#ifdef WITH_TSAN
    void *tsan;
#endif
} running;

struct fiber *fiber_current(void) {
    return running.fiber;
}

#ifdef __x86_64__

/*
 * Puts the registers that a call must preserve on the stack, and takes those of another stack, whose end is `to`. Where the
 * stack that is left ends is written to `*from`.
 */
void fiber_switch(void **from, void *to) __asm__("sallyport_fiber_switch");
/* The first frame of a fiber: there is no caller to return to, which the unwinder sees. */
void fiber_first(void) __asm__("sallyport_fiber_first");
/* Runs the fiber's function. Does not return. */
__attribute__((used)) void fiber_main(void) __asm__("sallyport_fiber_main");

__asm__(".text\n"
        ".p2align 4\n"
        ".hidden sallyport_fiber_switch\n"
        ".type sallyport_fiber_switch, @function\n"
        "sallyport_fiber_switch:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size sallyport_fiber_switch, .-sallyport_fiber_switch\n"
        ".p2align 4\n"
        ".hidden sallyport_fiber_first\n"
        ".type sallyport_fiber_first, @function\n"
        "sallyport_fiber_first:\n"
        "    .cfi_startproc\n"
        "    .cfi_undefined rip\n"
        "    call sallyport_fiber_main\n"
        "    ud2\n"
        "    .cfi_endproc\n"
        ".size sallyport_fiber_first, .-sallyport_fiber_first\n");

enum { SAVED_REGISTERS = 6 };

/* Lays out a stack from which fiber_switch goes to fiber_first. */
static void prepare(struct fiber *fiber) {
    void **top = (void **)(void *)(fiber->stack + fiber->pool->stack_size);

    *--top = NULL; /* so that fiber_first calls from a stack that is aligned as the ABI asks */
    *--top = NULL;
    *--top = (void *)(uintptr_t)fiber_first;
    for (int i = 0; i < SAVED_REGISTERS; i++) {
        *--top = NULL;
    }
    fiber->at = top;
}

/* Goes to the fiber, and returns when it has paused or ended. */
static void enter(struct fiber *fiber) {
    CHECK(running.fiber == NULL);
    running.fiber = fiber;
#ifdef WITH_TSAN
    running.tsan = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(fiber->tsan, 0);
#endif
#ifdef WITH_ASAN
    __sanitizer_start_switch_fiber(&running.fake_stack, fiber->stack, fiber->pool->stack_size);
#endif
    fiber_switch(&running.at, fiber->at);
#ifdef WITH_ASAN
    __sanitizer_finish_switch_fiber(running.fake_stack, NULL, NULL);
#endif
    running.fiber = NULL;
}

/* Goes back to the thread's own stack. */
static void leave(struct fiber *fiber) {
#ifdef WITH_TSAN
    __tsan_switch_to_fiber(running.tsan, 0);
#endif
#ifdef WITH_ASAN
    /* A fiber that has ended has no use for its frames any more. */
    __sanitizer_start_switch_fiber(fiber->ended ? NULL : &fiber->fake_stack, running.stack, running.stack_size);
#endif
    fiber_switch(&fiber->at, running.at);
#ifdef WITH_ASAN
    __sanitizer_finish_switch_fiber(fiber->fake_stack, &running.stack, &running.stack_size);
#endif
}

void fiber_main(void) {
    struct fiber *fiber = running.fiber;

#ifdef WITH_ASAN
    __sanitizer_finish_switch_fiber(NULL, &running.stack, &running.stack_size);
#endif
    fiber->function(fiber->argument);
    fiber->ended = true;
    leave(fiber);
    CHECK(false); /* it has ended */
}

enum { THERE_ARE_FIBERS = true };

#else

static void prepare(struct fiber *fiber) {}

static void enter(struct fiber *fiber) {}

static void leave(struct fiber *fiber) {}

enum { THERE_ARE_FIBERS = false };

#endif

void fiber_pause(void) {
    struct fiber *fiber = running.fiber;

    CHECK(fiber != NULL);
    leave(fiber);
}

static void release(struct fiber_pool *pool) {
#ifdef WITH_TSAN
    for (uint32_t i = 0; pool->all != NULL && i < pool->count; i++) {
        if (pool->all[i].tsan != NULL) {
            __tsan_destroy_fiber(pool->all[i].tsan);
        }
    }
#endif
    if (pool->stacks != NULL) {
        munmap(pool->stacks, pool->count * (pool->stack_size + GUARD_SIZE));
    }
    free(pool->all);
    *pool = (struct fiber_pool){0};
}

/* Makes a fiber of the stack in `memory`, whose lowest part stays untouchable. */
static bool make_fiber(struct fiber_pool *pool, struct fiber *fiber, uint8_t *memory) {
    *fiber = (struct fiber){.pool = pool, .stack = memory + GUARD_SIZE, .next_free = pool->free};
    if (mprotect(fiber->stack, pool->stack_size, PROT_READ | PROT_WRITE) < 0) {
        return false;
    }
#ifdef WITH_TSAN
    fiber->tsan = __tsan_create_fiber(0);
#endif
    pool->free = fiber;
    return true;
}

int fiber_pool_create(struct fiber_pool *pool, uint32_t count, size_t stack_size) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    CHECK(count > 0);
    *pool = (struct fiber_pool){.count = count, .stack_size = (stack_size + page - 1) / page * page};
    if (!THERE_ARE_FIBERS) {
        *pool = (struct fiber_pool){0};
        return -ENOSYS;
    }
    size_t step = GUARD_SIZE + pool->stack_size;
    void *stacks = mmap(NULL, count * step, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

    if (stacks == MAP_FAILED) {
        *pool = (struct fiber_pool){0};
        return -ENOMEM;
    }
    pool->stacks = stacks;
    madvise(stacks, count * step, MADV_DONTDUMP); /* secrets pass over them */
    pool->all = calloc(count, sizeof *pool->all);
    bool made = pool->all != NULL;

    for (uint32_t i = 0; made && i < count; i++) {
        made = make_fiber(pool, &pool->all[i], pool->stacks + i * step);
    }
    if (!made) {
        release(pool);
    }
    return made ? 0 : -ENOMEM;
}

void fiber_pool_destroy(struct fiber_pool *pool) {
    uint32_t free_count = 0;

    for (const struct fiber *fiber = pool->free; fiber != NULL; fiber = fiber->next_free) {
        free_count++;
    }
    CHECK(free_count == pool->count);
    release(pool);
}

bool fiber_is_free(const struct fiber_pool *pool) {
    return pool->free != NULL;
}

bool fiber_resume(struct fiber *fiber) {
    struct fiber_pool *pool = fiber->pool;

    CHECK(!fiber->ended);
    enter(fiber);
    if (fiber->ended) {
        fiber->next_free = pool->free;
        pool->free = fiber;
    }
    return !fiber->ended;
}

struct fiber *fiber_start(struct fiber_pool *pool, void (*function)(void *argument), void *argument) {
    struct fiber *fiber = pool->free;

    CHECK(fiber != NULL && running.fiber == NULL);
    pool->free = fiber->next_free;
    fiber->function = function;
    fiber->argument = argument;
    fiber->ended = false;
    prepare(fiber);
    return fiber_resume(fiber) ? fiber : NULL;
}
