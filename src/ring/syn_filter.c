#include "ring/syn_filter.h"

#include "base/check.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

enum {
    LEAF_ADDRESSES = 8, /* compared one after another */
    TCP_FLAGS_AT = 13,  /* in the TCP header, where the program begins */
    TCP_SYN = 0x02,
    TCP_ACK = 0x10,
    IP_SOURCE_AT = 12, /* in the IPv4 header */
    PASS = 0xffff,     /* bytes that are kept; 0 drops */
    DROP = 0,
};

struct compiler {
    const uint32_t *addresses;
    struct sock_filter *program;
    size_t size;
};

static void emit(struct compiler *compiler, uint16_t code, uint32_t k, uint8_t if_true, uint8_t if_false) {
    CHECK(compiler->size < SYN_FILTER_PROGRAM_MAX);
    compiler->program[compiler->size++] = (struct sock_filter){.code = code, .jt = if_true, .jf = if_false, .k = k};
}

static void compile_leaf(struct compiler *compiler, size_t first, size_t end) {
    for (size_t i = first; i < end; i++) {
        /* Over the comparisons that are left and the return behind them. */
        emit(compiler, BPF_JMP | BPF_JEQ | BPF_K, compiler->addresses[i], (uint8_t)(end - i), 0);
    }
    emit(compiler, BPF_RET | BPF_K, PASS, 0, 0);
    emit(compiler, BPF_RET | BPF_K, DROP, 0, 0);
}

/* A binary search. Conditional jumps reach 255 instructions, so that the far ones go by way of an unconditional jump. */
static void compile_range(struct compiler *compiler, size_t first, size_t end) {
    if (end - first <= LEAF_ADDRESSES) {
        compile_leaf(compiler, first, end);
        return;
    }
    size_t middle = first + (end - first) / 2;
    emit(compiler, BPF_JMP | BPF_JGE | BPF_K, compiler->addresses[middle], 0, 1);
    size_t jump = compiler->size;
    emit(compiler, BPF_JMP | BPF_JA, 0, 0, 0);
    compile_range(compiler, first, middle);
    compiler->program[jump].k = (uint32_t)(compiler->size - jump - 1);
    compile_range(compiler, middle, end);
}

size_t syn_filter_compile(const uint32_t *addresses, size_t count,
                          struct sock_filter program[static SYN_FILTER_PROGRAM_MAX]) {
    struct compiler compiler = {.addresses = addresses, .program = program};

    CHECK(count >= 1 && count <= SYN_FILTER_ADDRESSES_MAX);
    emit(&compiler, BPF_LD | BPF_B | BPF_ABS, TCP_FLAGS_AT, 0, 0);
    emit(&compiler, BPF_ALU | BPF_AND | BPF_K, TCP_SYN | TCP_ACK, 0, 0);
    emit(&compiler, BPF_JMP | BPF_JEQ | BPF_K, TCP_SYN, 1, 0);
    emit(&compiler, BPF_RET | BPF_K, PASS, 0, 0);
    emit(&compiler, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_NET_OFF + IP_SOURCE_AT), 0, 0);
    compile_range(&compiler, 0, count);
    return compiler.size;
}

int syn_filter_attach(int descriptor, const uint32_t *addresses, size_t count) {
    struct sock_filter program[SYN_FILTER_PROGRAM_MAX];

    for (; count > 0; count /= 2) {
        struct sock_fprog filter = {.len = (unsigned short)syn_filter_compile(addresses, count, program), .filter = program};

        if (setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0) {
            return (int)count;
        }
        if (errno != ENOMEM) {
            return -errno;
        }
    }
    return -ENOMEM;
}

void syn_filter_detach(int descriptor) {
    int unused = 0;

    setsockopt(descriptor, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused);
}

uint32_t syn_filter_drops(int descriptor) {
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t size = sizeof info;

    return getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, info, &size) == 0 ? info[SK_MEMINFO_DROPS] : 0;
}
