#include "crypto/lanes_call.h"

#include "base/check.h"

enum {
    WIPED_SIZE = 32 * 1024,        /* the deepest operation on secrets, ECDH with P-384, takes 27 KiB */
    WIPED_SHALLOW_SIZE = 8 * 1024, /* the last step of a signature takes 5 KiB */
};

void lanes_call_check(size_t count) {
    CHECK(count >= 1 && count <= LANES_MAX && lanes_supported());
}

bool lanes_call_begin(struct lanes_call *call) {
    size_t first = 0;
    while (first < LANES_MAX && !call->sound[first]) {
        first++;
    }
    for (size_t i = 0; i < LANES_MAX; i++) {
        call->source[i] = call->sound[i] ? i : first;
    }
    return first < LANES_MAX;
}

bool lanes_call_good(const struct lanes_call *call, unsigned status, size_t lane) {
    return call->sound[lane] && (status >> (4 * lane) & 0xf) == 0;
}

__attribute__((noinline)) void lanes_call_wipe_stack(void) {
    uint8_t stack[WIPED_SIZE];
    explicit_bzero(stack, sizeof stack);
}

__attribute__((noinline)) void lanes_call_wipe_shallow_stack(void) {
    uint8_t stack[WIPED_SHALLOW_SIZE];
    explicit_bzero(stack, sizeof stack);
}
