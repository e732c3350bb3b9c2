#include "ring/listener.h"
#include "ring/syn_filter.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static struct sock_filter program[SYN_FILTER_PROGRAM_MAX];

/* What the kernel makes of the instructions that the compiler uses; anything else fails the test. */
static uint32_t run(size_t size, uint8_t flags, uint32_t source) {
    uint32_t a = 0;
    for (size_t at = 0; at < size;) {
        const struct sock_filter *one = &program[at++];
        switch (one->code) {
        case BPF_LD | BPF_B | BPF_ABS:
            cr_assert_eq(one->k, 13);
            a = flags;
            break;
        case BPF_LD | BPF_W | BPF_ABS:
            cr_assert_eq(one->k, (uint32_t)(SKF_NET_OFF + 12));
            a = source;
            break;
        case BPF_ALU | BPF_AND | BPF_K:
            a &= one->k;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            at += a == one->k ? one->jt : one->jf;
            break;
        case BPF_JMP | BPF_JGE | BPF_K:
            at += a >= one->k ? one->jt : one->jf;
            break;
        case BPF_JMP | BPF_JA:
            at += one->k;
            break;
        case BPF_RET | BPF_K:
            return one->k;
        default:
            cr_assert_fail("code %#x", one->code);
        }
    }
    cr_assert_fail("runs over its end");
    return 0;
}

enum { SYN = 0x02, ACK = 0x10, RST = 0x04, ECE = 0x40, CWR = 0x80 };

Test(syn_filter, drops_what_is_listed_and_nothing_else) {
    static uint32_t addresses[SYN_FILTER_ADDRESSES_MAX];
    static const size_t counts[] = {1, 2, 7, 8, 9, 16, 17, 100, 1000, 2047, SYN_FILTER_ADDRESSES_MAX};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        size_t count = counts[i];
        for (size_t j = 0; j < count; j++) {
            addresses[j] = (uint32_t)((uint64_t)UINT32_MAX * j / count) & ~1u;
        }
        size_t size = syn_filter_compile(addresses, count, program);
        cr_assert_leq(size, SYN_FILTER_PROGRAM_MAX);
        for (size_t j = 0; j < count; j++) {
            cr_assert_eq(run(size, SYN, addresses[j]), 0, "%zu of %zu", j, count);
            cr_assert_eq(run(size, SYN | ECE | CWR, addresses[j]), 0);
            cr_assert_neq(run(size, SYN | ACK, addresses[j]), 0);
            cr_assert_neq(run(size, ACK, addresses[j]), 0);
            cr_assert_neq(run(size, RST, addresses[j]), 0);
            cr_assert_neq(run(size, SYN, addresses[j] + 1), 0);
        }
        cr_assert_neq(run(size, SYN, UINT32_MAX), 0);
    }
}

/* Whether a connection from that address comes to be within a moment. */
static bool connects(int listener, const char *from) {
    struct sockaddr_in local = {.sin_family = AF_INET};
    struct sockaddr_in remote;
    socklen_t size = sizeof remote;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    cr_assert_eq(inet_pton(AF_INET, from, &local.sin_addr), 1);
    cr_assert_eq(bind(descriptor, (struct sockaddr *)&local, sizeof local), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&remote, &size), 0);
    cr_assert(connect(descriptor, (struct sockaddr *)&remote, sizeof remote) == 0 || errno == EINPROGRESS);
    struct pollfd poller = {.fd = descriptor, .events = POLLOUT};
    bool connected = poll(&poller, 1, 200) == 1;
    close(descriptor);
    return connected;
}

Test(syn_filter, the_kernel_takes_it) {
    static uint32_t addresses[SYN_FILTER_ADDRESSES_MAX];
    char error[RING_ERROR_SIZE];
    int listener = listener_bind("127.0.0.1:0", error);
    cr_assert_geq(listener, 0, "%s", error);
    for (uint32_t i = 0; i < SYN_FILTER_ADDRESSES_MAX; i++) {
        addresses[i] = 0x7f000102 + 2 * i;
    }
    syn_filter_detach(listener);
    cr_assert(connects(listener, "127.0.1.2"));
    int taken = syn_filter_attach(listener, addresses, SYN_FILTER_ADDRESSES_MAX);
    cr_assert_geq(taken, 256, "%d", taken);
    uint32_t before = syn_filter_drops(listener);
    cr_expect_not(connects(listener, "127.0.1.2"));
    cr_expect_not(connects(listener, "127.0.1.4"));
    cr_expect(connects(listener, "127.0.1.3"));
    cr_expect(connects(listener, "127.0.0.1"));
    cr_expect_eq(syn_filter_drops(listener) - before, 2);
    cr_assert_eq(syn_filter_attach(listener, addresses + 1, 1), 1);
    cr_expect(connects(listener, "127.0.1.2"));
    cr_expect_not(connects(listener, "127.0.1.4"));
    syn_filter_detach(listener);
    cr_expect(connects(listener, "127.0.1.4"));
    close(listener);
}
