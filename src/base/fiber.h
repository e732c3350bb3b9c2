/*
 * Fibers: functions on stacks of their own, which can stop in the middle of their calls and go on later. All of a pool's
 * fibers run in the thread that made the pool, one at a time, and only when that thread says so: no locks are needed, and
 * what is thread-local is the same in all of them.
 *
 * There are fibers on x86-64 alone (System V ABI). A fiber has no shadow stack (CET): the project is compiled so that its
 * programs are not marked for them (meson.build), and the C library turns them on for marked programs alone.
 */
#ifndef BASE_FIBER_H
#define BASE_FIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fiber;

struct fiber_pool {
    uint8_t *stacks; /* all of them, each above memory that cannot be touched; NULL: none */
    struct fiber *all;
    size_t stack_size;
    uint32_t count;
    struct fiber *free; /* the one that ended last is the first to be taken, since its stack is in the caches */
};

/*
 * Makes a pool of `count` fibers, at least 1, with at least `stack_size` bytes of stack each. Memory is backed as stacks are
 * used. 0, -ENOMEM, or -ENOSYS where there are no fibers.
 */
int fiber_pool_create(struct fiber_pool *pool, uint32_t count, size_t stack_size);
/* Frees the stacks. No fiber may be paused. Does nothing to a pool of zeros. */
void fiber_pool_destroy(struct fiber_pool *pool);

/* Returns whether fiber_start may be called: a fiber is free. */
bool fiber_is_free(const struct fiber_pool *pool);
/*
 * Runs function(argument) on a free fiber until it returns or pauses. Returns the fiber if it has paused, and NULL if the
 * function has returned. Not in a fiber.
 */
struct fiber *fiber_start(struct fiber_pool *pool, void (*function)(void *argument), void *argument);
/* Goes on with a paused fiber. Returns whether it has paused again; if not, the fiber is the pool's. Not in a fiber. */
bool fiber_resume(struct fiber *fiber);

/* Returns the fiber that runs; NULL: the thread's own stack is in use. */
struct fiber *fiber_current(void);
/* In a fiber: has fiber_start or fiber_resume return, and returns itself when the fiber is resumed. */
void fiber_pause(void);

#endif
