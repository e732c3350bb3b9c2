#include "kernel_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t wall_begin_s = 1798761600; /* 2027-01-01, when the test certificates are valid */

struct kernel_state kernel;

uint64_t kernel_draw(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

uint32_t kernel_below(uint32_t limit) {
    return (uint32_t)(kernel_draw(&kernel.schedule) % limit);
}

bool kernel_chance(uint32_t share) {
    return kernel_below(1000) < share;
}

void simulator_fail(const char *file, int line, const char *condition, const char *format, ...) {
    fprintf(stderr, "\nseed %llu, at %.3f s: ", (unsigned long long)kernel.seed, (double)kernel.now_ns / 1e9);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n%s:%d: not so: %s\nthe same again, with its events: SIMULATOR_SEED=%llu SIMULATOR_TRACE=1\n", file,
            line, condition, (unsigned long long)kernel.seed);
    abort();
}

void simulator_trace(const char *format, ...) {
    static int wanted = -1;

    if (wanted < 0) {
        wanted = getenv("SIMULATOR_TRACE") != NULL;
    }
    if (!wanted) {
        return;
    }
    fprintf(stderr, "%10.3f ms  ", (double)kernel.now_ns / 1e6);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

void kernel_note(uint64_t value) {
    kernel.digest = (kernel.digest ^ value) * 0x100000001b3; /* FNV-1a */
}

uint64_t kernel_digest(void) {
    return kernel.digest;
}

uint64_t kernel_now_ns(void) {
    return kernel.now_ns;
}

void kernel_pass_ms(uint64_t ms) {
    kernel.now_ns += ms * 1000000;
    kernel.busy_ns += ms * 1000 * kernel.load;
}

void kernel_set_load(uint32_t share) {
    kernel.load = share;
}

void kernel_begin(uint64_t seed, const struct kernel_faults *faults, kernel_world_fn *world, void *owner) {
    memset(&kernel, 0, sizeof kernel);
    kernel.seed = kernel.schedule = seed;
    kernel.secrets = ~seed;
    kernel.digest = 0xcbf29ce484222325;
    kernel.now_ns = 1000000000000;
    kernel.faults = *faults;
    kernel.world = world;
    kernel.owner = owner;
    kernel.listening = true;
    kernel.orderly = false;
}

bool kernel_has_completions(void) {
    return kernel.cq_tail != kernel.cq_head;
}

bool kernel_may_sleep(void) {
    return kernel.may_sleep;
}

void kernel_set_orderly(bool orderly) {
    kernel.orderly = orderly;
}

size_t kernel_open_sockets(void) {
    size_t count = 0;

    for (size_t i = 0; i < KERNEL_SOCKETS_MAX; i++) {
        count += kernel.sockets[i] != NULL && !kernel.sockets[i]->closed;
    }
    return count;
}

void kernel_end(void) {
    SIMULATOR_EXPECT(kernel.pending_count == 0, "%zu operations are pending", kernel.pending_count);
    SIMULATOR_EXPECT(kernel_open_sockets() == 0, "%zu sockets are open", kernel_open_sockets());
    for (size_t i = 0; i < KERNEL_SOCKETS_MAX; i++) {
        SIMULATOR_EXPECT(kernel.sockets[i] == NULL, "the peer of socket %zu has not released it", i);
    }
}

uint64_t kernel_wall_ns(void) {
    return (uint64_t)wall_begin_s * 1000000000 + kernel.now_ns;
}
