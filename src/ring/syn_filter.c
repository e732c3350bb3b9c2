#include "ring/syn_filter.h"

#include "base/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>

enum {
    LEAF_SIZE = 8,     /* names or words that are compared one after another */
    TCP_FLAGS_AT = 13, /* in the TCP header, where the program begins */
    TCP_SYN = 0x02,
    TCP_ACK = 0x10,
    IPV4_SOURCE_AT = 12, /* in the IP header */
    IPV6_SOURCE_AT = 8,
    PASS = 0xffff, /* bytes that are kept; 0 drops */
    DROP = 0,
    NAME_CELL = 0, /* of the program's memory */
    BIT_CELL = 1,
    BUCKET_SHIFT = 18, /* a bucket is the first 14 bits of a hash */
    /* The hash of a name for one sample: xorshift and multiply, as in many such hashes. */
    DRAW_SHIFT = 16,
};
_Static_assert(SYN_FILTER_BUCKETS == 1 << (32 - BUCKET_SHIFT), "a bucket for each value");

static const uint32_t DRAW_MULTIPLY = 0x9e3779b1; /* 2^32 divided by the golden ratio, which is odd */

/* The distance of jumps to the end of the part of the program that is being written; end_part fills in the true distance. */
static const uint32_t TO_THE_END = UINT32_MAX;

struct compiler {
    const struct syn_filter_rules *rules;
    const uint32_t *values; /* the numbers that compile_range searches for, ascending */
    const uint32_t *words;  /* the word for each of these values; NULL: to find the value is enough */
    struct sock_filter *program;
    size_t size; /* may pass the maximum: then nothing is written */
};

static void emit(struct compiler *compiler, uint16_t code, uint32_t k, size_t if_true, size_t if_false) {
    CHECK(if_true <= UINT8_MAX && if_false <= UINT8_MAX);
    if (compiler->size < SYN_FILTER_PROGRAM_MAX) {
        compiler->program[compiler->size] =
            (struct sock_filter){.code = code, .jt = (uint8_t)if_true, .jf = (uint8_t)if_false, .k = k};
    }
    compiler->size++;
}

static void emit_one(struct compiler *compiler, uint16_t code, uint32_t k) {
    emit(compiler, code, k, 0, 0);
}

/* Has the jumps to the end that were written since `first` lead to the next instruction. */
static void end_part(struct compiler *compiler, size_t first) {
    for (size_t i = first; i < compiler->size && i < SYN_FILTER_PROGRAM_MAX; i++) {
        struct sock_filter *one = &compiler->program[i];
        if (one->code == (BPF_JMP | BPF_JA) && one->k == TO_THE_END) {
            one->k = (uint32_t)(compiler->size - i - 1);
        }
    }
}

/* Writes the comparisons of a leaf: a source whose name is found is dropped, for others the program goes on. */
static void compile_leaf_of_names(struct compiler *compiler, size_t first, size_t end) {
    for (size_t i = first; i < end; i++) {
        /* Over the comparisons that are left and the jump behind them. */
        emit(compiler, BPF_JMP | BPF_JEQ | BPF_K, compiler->values[i], end - i, 0);
    }
    emit_one(compiler, BPF_JMP | BPF_JA, TO_THE_END);
    emit_one(compiler, BPF_RET | BPF_K, DROP);
}

/*
 * Writes the comparisons of a leaf: with a word that is found the program goes on; when none is found, no bucket is
 * familiar.
 */
static void compile_leaf_of_words(struct compiler *compiler, size_t first, size_t end) {
    for (size_t i = first; i < end; i++) {
        /* Over the comparisons that are left, the return, and two instructions for each word before its own. */
        emit(compiler, BPF_JMP | BPF_JEQ | BPF_K, compiler->values[i], end - i + 2 * (i - first), 0);
    }
    emit_one(compiler, BPF_RET | BPF_K, DROP);
    for (size_t i = first; i < end; i++) {
        emit_one(compiler, BPF_LD | BPF_IMM, compiler->words[i]);
        emit_one(compiler, BPF_JMP | BPF_JA, TO_THE_END);
    }
}

/* Writes a binary search. Conditional jumps reach 255 instructions, so that far jumps go by way of an unconditional one. */
static void compile_range(struct compiler *compiler, size_t first, size_t end) {
    if (end - first <= LEAF_SIZE) {
        if (compiler->words != NULL) {
            compile_leaf_of_words(compiler, first, end);
        } else {
            compile_leaf_of_names(compiler, first, end);
        }
        return;
    }
    size_t middle = first + (end - first) / 2;
    emit(compiler, BPF_JMP | BPF_JGE | BPF_K, compiler->values[middle], 0, 1);
    size_t jump = compiler->size;
    emit_one(compiler, BPF_JMP | BPF_JA, 0);
    compile_range(compiler, first, middle);
    if (jump < SYN_FILTER_PROGRAM_MAX) {
        compiler->program[jump].k = (uint32_t)(compiler->size - jump - 1);
    }
    compile_range(compiler, middle, end);
}

/* Writes code that xors the accumulator with itself, shifted. */
static void emit_fold(struct compiler *compiler, uint32_t shift) {
    emit_one(compiler, BPF_MISC | BPF_TAX, 0);
    emit_one(compiler, BPF_ALU | BPF_RSH | BPF_K, shift);
    emit_one(compiler, BPF_ALU | BPF_XOR | BPF_X, 0);
}

static void load_source(struct compiler *compiler, size_t word) {
    size_t at = (compiler->rules->ipv6 ? IPV6_SOURCE_AT : IPV4_SOURCE_AT) + 4 * word;
    emit_one(compiler, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_NET_OFF + (int)at));
}

/* Writes code that computes the name as syn_filter_name does, into the accumulator and the program's memory. */
static void compile_name(struct compiler *compiler) {
    const struct syn_filter_secret *secret = compiler->rules->secret;
    load_source(compiler, 0);
    if (compiler->rules->ipv6) {
        emit_one(compiler, BPF_ALU | BPF_MUL | BPF_K, secret->multiply_high);
        emit_fold(compiler, DRAW_SHIFT);
        emit_one(compiler, BPF_ST, NAME_CELL);
        load_source(compiler, 1);
        emit_one(compiler, BPF_ALU | BPF_MUL | BPF_K, secret->multiply_low);
        emit_one(compiler, BPF_LDX | BPF_MEM, NAME_CELL);
        emit_one(compiler, BPF_ALU | BPF_XOR | BPF_X, 0);
    }
    emit_one(compiler, BPF_ST, NAME_CELL);
}

static void compile_networks(struct compiler *compiler) {
    for (size_t i = 0; i < compiler->rules->network_count; i++) {
        const struct syn_filter_network *network = &compiler->rules->networks[i];
        bool both = network->mask[1] != 0;
        load_source(compiler, 0);
        emit_one(compiler, BPF_ALU | BPF_AND | BPF_K, network->mask[0]);
        emit(compiler, BPF_JMP | BPF_JEQ | BPF_K, network->bits[0], 0, both ? 4 : 1);
        if (both) {
            load_source(compiler, 1);
            emit_one(compiler, BPF_ALU | BPF_AND | BPF_K, network->mask[1]);
            emit(compiler, BPF_JMP | BPF_JEQ | BPF_K, network->bits[1], 0, 1);
        }
        emit_one(compiler, BPF_RET | BPF_K, PASS);
    }
}

/* Writes code that passes a random share of the sources, the same ones as long as the salt is the same. */
static void compile_sample(struct compiler *compiler) {
    emit_one(compiler, BPF_LD | BPF_MEM, NAME_CELL);
    emit_one(compiler, BPF_ALU | BPF_XOR | BPF_K, compiler->rules->salt);
    emit_one(compiler, BPF_ALU | BPF_MUL | BPF_K, compiler->rules->secret->multiply_bucket);
    emit_fold(compiler, DRAW_SHIFT);
    emit_one(compiler, BPF_ALU | BPF_MUL | BPF_K, DRAW_MULTIPLY);
    emit_one(compiler, BPF_ALU | BPF_RSH | BPF_K, 16);
    emit(compiler, BPF_JMP | BPF_JGE | BPF_K, compiler->rules->sample, 1, 0);
    emit_one(compiler, BPF_RET | BPF_K, PASS);
}

/* Writes code that passes sources whose buckets are familiar, and drops the others. */
static void compile_familiar(struct compiler *compiler) {
    size_t count = 0;
    uint32_t indices[SYN_FILTER_WORDS];
    uint32_t words[SYN_FILTER_WORDS];
    for (uint32_t i = 0; i < SYN_FILTER_WORDS; i++) {
        if (compiler->rules->familiar[i] != 0) {
            indices[count] = i;
            words[count++] = compiler->rules->familiar[i];
        }
    }
    if (count == 0) {
        emit_one(compiler, BPF_RET | BPF_K, DROP);
        return;
    }
    emit_one(compiler, BPF_LD | BPF_MEM, NAME_CELL);
    emit_one(compiler, BPF_ALU | BPF_MUL | BPF_K, compiler->rules->secret->multiply_bucket);
    emit_fold(compiler, DRAW_SHIFT);
    emit_one(compiler, BPF_ALU | BPF_MUL | BPF_K, DRAW_MULTIPLY);
    emit_one(compiler, BPF_ALU | BPF_RSH | BPF_K, BUCKET_SHIFT);
    emit_one(compiler, BPF_MISC | BPF_TAX, 0);
    emit_one(compiler, BPF_ALU | BPF_AND | BPF_K, 31);
    emit_one(compiler, BPF_ST, BIT_CELL);
    emit_one(compiler, BPF_MISC | BPF_TXA, 0);
    emit_one(compiler, BPF_ALU | BPF_RSH | BPF_K, 5);
    size_t first = compiler->size;
    compiler->values = indices;
    compiler->words = words;
    compile_range(compiler, 0, count);
    end_part(compiler, first);
    emit_one(compiler, BPF_LDX | BPF_MEM, BIT_CELL);
    emit_one(compiler, BPF_ALU | BPF_RSH | BPF_X, 0);
    emit_one(compiler, BPF_ALU | BPF_AND | BPF_K, 1);
    emit(compiler, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
    emit_one(compiler, BPF_RET | BPF_K, PASS);
    emit_one(compiler, BPF_RET | BPF_K, DROP);
}

size_t syn_filter_compile(const struct syn_filter_rules *rules, struct sock_filter program[static SYN_FILTER_PROGRAM_MAX]) {
    struct compiler compiler = {.rules = rules, .program = program};
    bool samples = rules->sample < SYN_FILTER_ALL;

    CHECK(rules->blocked_count <= SYN_FILTER_BLOCKED_MAX && rules->network_count <= SYN_FILTER_NETWORKS_MAX);
    CHECK(rules->blocked_count > 0 || samples);
    emit_one(&compiler, BPF_LD | BPF_B | BPF_ABS, TCP_FLAGS_AT);
    emit_one(&compiler, BPF_ALU | BPF_AND | BPF_K, TCP_SYN | TCP_ACK);
    emit(&compiler, BPF_JMP | BPF_JEQ | BPF_K, TCP_SYN, 1, 0);
    emit_one(&compiler, BPF_RET | BPF_K, PASS);
    /* Networks come before names: an IPv6 name is that of a whole /64, and a host in it may be in a listed network. */
    compile_networks(&compiler);
    compile_name(&compiler);
    if (rules->blocked_count > 0) {
        size_t first = compiler.size;
        compiler.values = rules->blocked;
        compile_range(&compiler, 0, rules->blocked_count);
        end_part(&compiler, first);
    }
    if (samples) {
        compile_sample(&compiler);
        compile_familiar(&compiler);
    } else {
        emit_one(&compiler, BPF_RET | BPF_K, PASS);
    }
    return compiler.size <= SYN_FILTER_PROGRAM_MAX ? compiler.size : 0;
}

/*
 * Attaches the program. While a new program replaces an old one, both count for the kernel's limit, so that the old one may
 * have to go first. 0, or a negative errno.
 */
static int attach(int descriptor, struct sock_filter *program, size_t size) {
    struct sock_fprog filter = {.len = (unsigned short)size, .filter = program};

    if (setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0) {
        return 0;
    }
    if (errno != ENOMEM) {
        return -errno;
    }
    syn_filter_detach(descriptor);
    return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0 ? 0 : -errno;
}

int syn_filter_attach(int descriptor, const struct syn_filter_rules *rules) {
    struct syn_filter_rules fewer = *rules;
    int result = -ENOMEM;

    struct sock_filter program[SYN_FILTER_PROGRAM_MAX];
    for (;;) {
        size_t size = syn_filter_compile(&fewer, program);
        result = size == 0 ? -ENOMEM : attach(descriptor, program, size);
        if (result == 0) {
            return (int)fewer.blocked_count;
        }
        if (result != -ENOMEM || fewer.blocked_count == 0) {
            break;
        }
        fewer.blocked_count /= 2;
        if (fewer.blocked_count == 0 && fewer.sample >= SYN_FILTER_ALL) {
            break;
        }
    }
    if (result == -ENOMEM && rules->sample < SYN_FILTER_ALL && rules->blocked_count > 0) {
        fewer = *rules;
        fewer.sample = SYN_FILTER_ALL;
        return syn_filter_attach(descriptor, &fewer);
    }
    syn_filter_detach(descriptor);
    return result;
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

static uint32_t fold(uint32_t value) {
    return value ^ value >> DRAW_SHIFT;
}

uint32_t syn_filter_name(const struct syn_filter_secret *secret, const struct sockaddr *peer) {
    if (peer->sa_family == AF_INET) {
        return ntohl(((const struct sockaddr_in *)(const void *)peer)->sin_addr.s_addr);
    }
    uint32_t words[2];
    memcpy(words, &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr, sizeof words);
    return fold(ntohl(words[0]) * secret->multiply_high) ^ ntohl(words[1]) * secret->multiply_low;
}

uint32_t syn_filter_bucket(const struct syn_filter_secret *secret, uint32_t name) {
    return fold(name * secret->multiply_bucket) * DRAW_MULTIPLY >> BUCKET_SHIFT;
}
