#include "base/socket_address.h"
#include "ring/listener.h"
#include "ring/syn_filter.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct syn_filter_secret secret = {0x7feb352d, 0x846ca68b, 0x9e485565};
static struct sock_filter program[SYN_FILTER_PROGRAM_MAX];
static uint32_t names[SYN_FILTER_BLOCKED_MAX];
static uint32_t familiar[SYN_FILTER_WORDS];

/* The state of the machine that runs a program. */
struct machine {
    uint32_t a;
    uint32_t x;
    uint32_t cells[BPF_MEMWORDS];
};

/* A word of the IP header, of which there is only the source address. */
static uint32_t word_at(const struct sockaddr_storage *source, uint32_t at) {
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)source;
    if (source->ss_family == AF_INET) {
        cr_assert_eq(at, (uint32_t)(SKF_NET_OFF + 12));
        return ntohl(((const struct sockaddr_in *)source)->sin_addr.s_addr);
    }
    cr_assert(at == (uint32_t)(SKF_NET_OFF + 8) || at == (uint32_t)(SKF_NET_OFF + 12));
    uint32_t word;
    memcpy(&word, &in6->sin6_addr.s6_addr[at - (uint32_t)(SKF_NET_OFF + 8)], sizeof word);
    return ntohl(word);
}

static void compute(struct machine *machine, const struct sock_filter *one) {
    uint32_t operand = BPF_SRC(one->code) == BPF_X ? machine->x : one->k;
    switch (BPF_OP(one->code)) {
    case BPF_AND:
        machine->a &= operand;
        break;
    case BPF_XOR:
        machine->a ^= operand;
        break;
    case BPF_MUL:
        machine->a *= operand;
        break;
    case BPF_RSH:
        cr_assert_lt(operand, 32);
        machine->a >>= operand;
        break;
    default:
        cr_assert_fail("operation %#x", one->code);
    }
}

/* Runs the instructions that the compiler uses as the kernel does; any other instruction fails the test. */
static uint32_t run(size_t size, uint8_t flags, const struct sockaddr_storage *source) {
    struct machine m = {0};
    for (size_t at = 0; at < size;) {
        const struct sock_filter *one = &program[at++];
        switch (one->code) {
        case BPF_LD | BPF_B | BPF_ABS:
            cr_assert_eq(one->k, 13);
            m.a = flags;
            break;
        case BPF_LD | BPF_W | BPF_ABS:
            m.a = word_at(source, one->k);
            break;
        case BPF_LD | BPF_IMM:
            m.a = one->k;
            break;
        case BPF_LD | BPF_MEM:
            m.a = m.cells[one->k];
            break;
        case BPF_LDX | BPF_MEM:
            m.x = m.cells[one->k];
            break;
        case BPF_ST:
            m.cells[one->k] = m.a;
            break;
        case BPF_MISC | BPF_TAX:
            m.x = m.a;
            break;
        case BPF_MISC | BPF_TXA:
            m.a = m.x;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            at += m.a == one->k ? one->jt : one->jf;
            break;
        case BPF_JMP | BPF_JGE | BPF_K:
            at += m.a >= one->k ? one->jt : one->jf;
            break;
        case BPF_JMP | BPF_JA:
            at += one->k;
            break;
        case BPF_RET | BPF_K:
            return one->k;
        default:
            cr_assert_eq(BPF_CLASS(one->code), BPF_ALU, "code %#x", one->code);
            compute(&m, one);
        }
    }
    cr_assert_fail("runs over its end");
    return 0;
}

enum { SYN = 0x02, ACK = 0x10, RST = 0x04, ECE = 0x40, CWR = 0x80 };

static struct sockaddr_storage ipv4(uint32_t address) {
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *in = (struct sockaddr_in *)&storage;
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = htonl(address);
    return storage;
}

static struct sockaddr_storage ipv6(uint32_t first, uint32_t second, uint32_t host) {
    struct sockaddr_storage storage = {0};
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&storage;
    uint32_t words[4] = {htonl(first), htonl(second), htonl(host), htonl(host + 1)};
    in6->sin6_family = AF_INET6;
    memcpy(&in6->sin6_addr, words, sizeof words);
    return storage;
}

static uint32_t name_of(struct sockaddr_storage source) {
    return syn_filter_name(&secret, (struct sockaddr *)&source);
}

static bool passes(size_t size, struct sockaddr_storage source) {
    cr_assert_neq(run(size, SYN | ACK, &source), 0);
    cr_assert_neq(run(size, ACK, &source), 0);
    cr_assert_neq(run(size, RST, &source), 0);
    bool does = run(size, SYN, &source) != 0;
    cr_assert_eq(run(size, SYN | ECE | CWR, &source) != 0, does);
    return does;
}

static size_t compile(const struct syn_filter_rules *rules) {
    size_t size = syn_filter_compile(rules, program);
    cr_assert_leq(size, SYN_FILTER_PROGRAM_MAX);
    return size;
}

static int ascending(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

Test(syn_filter, drops_what_is_listed_and_nothing_else) {
    static const size_t counts[] = {1, 2, 7, 8, 9, 16, 17, 100, 1000, 2047, SYN_FILTER_BLOCKED_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        size_t count = counts[i];
        struct syn_filter_rules rules = {
            .secret = &secret, .blocked = names, .blocked_count = count, .sample = SYN_FILTER_ALL};
        for (size_t j = 0; j < count; j++) {
            names[j] = (uint32_t)((uint64_t)UINT32_MAX * j / count) & ~1u;
        }
        size_t size = compile(&rules);
        cr_assert_gt(size, 0);
        for (size_t j = 0; j < count; j++) {
            cr_assert_not(passes(size, ipv4(names[j])), "%zu of %zu", j, count);
            cr_assert(passes(size, ipv4(names[j] + 1)));
        }
        cr_assert(passes(size, ipv4(UINT32_MAX)));
    }
}

/* By /64: of 1,000 in one /32, and as many with the same second half. */
Test(syn_filter, drops_networks_of_ipv6) {
    struct syn_filter_rules rules = {
        .secret = &secret, .ipv6 = true, .blocked = names, .blocked_count = 2000, .sample = SYN_FILTER_ALL};
    for (uint32_t i = 0; i < 1000; i++) {
        names[2 * i] = name_of(ipv6(0x20010db8, 2 * i, 0));
        names[2 * i + 1] = name_of(ipv6(0x20020000 + 2 * i, 7, 0));
    }
    qsort(names, 2000, sizeof *names, ascending);
    for (size_t i = 1; i < 2000; i++) {
        cr_assert_neq(names[i], names[i - 1]);
    }
    size_t size = compile(&rules);
    cr_assert_gt(size, 0);
    for (uint32_t i = 0; i < 1000; i++) {
        cr_assert_not(passes(size, ipv6(0x20010db8, 2 * i, 0)));
        cr_assert_not(passes(size, ipv6(0x20010db8, 2 * i, 99)), "another address of it");
        cr_assert(passes(size, ipv6(0x20010db8, 2 * i + 1, 0)));
        cr_assert_not(passes(size, ipv6(0x20020000 + 2 * i, 7, 1)));
        cr_assert(passes(size, ipv6(0x20020001 + 2 * i, 7, 1)));
        cr_assert(passes(size, ipv6(0x20020000 + 2 * i, 8, 1)));
    }
}

static void meet(struct sockaddr_storage source) {
    uint32_t bucket = syn_filter_bucket(&secret, name_of(source));
    cr_assert_lt(bucket, SYN_FILTER_BUCKETS);
    familiar[bucket / 32] |= UINT32_C(1) << bucket % 32;
}

static struct sockaddr_storage source_at(bool is_ipv6, uint32_t i) {
    return is_ipv6 ? ipv6(0x20010db8 + i % 7, i * 16, i) : ipv4(0x0a000000 + i);
}

/* Known sources pass, however many they are; of others the share that was asked for. */
static void sample(bool is_ipv6, uint32_t known, uint32_t share) {
    struct syn_filter_rules rules = {
        .secret = &secret, .ipv6 = is_ipv6, .sample = share, .salt = 12345 * known, .familiar = familiar};
    memset(familiar, 0, sizeof familiar);
    for (uint32_t i = 0; i < known; i++) {
        meet(source_at(is_ipv6, i));
    }
    unsigned set = 0;
    for (size_t i = 0; i < SYN_FILTER_WORDS; i++) {
        set += (unsigned)__builtin_popcount(familiar[i]);
    }
    size_t size = compile(&rules);
    cr_assert_gt(size, 0);
    for (uint32_t i = 0; i < known; i++) {
        cr_assert(passes(size, source_at(is_ipv6, i)), "%u of %u", i, known);
    }
    unsigned passed = 0;
    for (uint32_t i = 0; i < 20000; i++) {
        passed += passes(size, source_at(is_ipv6, 1000000 + i));
    }
    double heard = (double)share / SYN_FILTER_ALL;
    double expected = heard + (1 - heard) * set / SYN_FILTER_BUCKETS;
    cr_expect_float_eq(passed / 20000.0, expected, 0.02, "%u known, %u: %f for %f", known, share, passed / 20000.0,
                       expected);
}

Test(syn_filter, passes_the_known_and_a_sample_of_the_rest) {
    static const uint32_t known[] = {0, 1, 4, 100, 3000, 20000, 200000};
    static const uint32_t shares[] = {0, 655, 6554, 32768, 65535};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        for (size_t j = 0; j < sizeof shares / sizeof shares[0]; j++) {
            sample(false, known[i], shares[j]);
            sample(true, known[i], shares[j]);
        }
    }
}

Test(syn_filter, a_sample_is_the_same_until_the_salt_changes_and_grows_with_the_share) {
    struct syn_filter_rules rules = {.secret = &secret, .salt = 1, .familiar = familiar};
    static bool heard[4][10000];
    static const uint32_t shares[] = {6554, 6554, 13107, 6554}, salts[] = {1, 1, 1, 2};
    for (size_t i = 0; i < 4; i++) {
        rules.sample = shares[i];
        rules.salt = salts[i];
        size_t size = compile(&rules);
        for (uint32_t j = 0; j < 10000; j++) {
            heard[i][j] = passes(size, ipv4(0x0a000000 + j));
        }
    }
    unsigned again = 0, first = 0;
    for (uint32_t j = 0; j < 10000; j++) {
        cr_assert_eq(heard[0][j], heard[1][j]);
        cr_assert(heard[2][j] || !heard[0][j]);
        first += heard[0][j];
        again += heard[0][j] && heard[3][j];
    }
    /* Chance is independent of what it was: a tenth of a tenth. */
    cr_expect(again < first / 5, "%u of %u", again, first);
}

Test(syn_filter, a_suspect_is_dropped_though_its_bucket_is_familiar) {
    struct syn_filter_rules rules = {.secret = &secret, .blocked = names, .blocked_count = 1, .familiar = familiar};
    names[0] = 0x0a000001;
    meet(ipv4(0x0a000001));
    meet(ipv4(0x0a000002));
    size_t size = compile(&rules);
    cr_expect_not(passes(size, ipv4(0x0a000001)));
    cr_expect(passes(size, ipv4(0x0a000002)));
    cr_expect_not(passes(size, ipv4(0x0a000003)));
}

Test(syn_filter, listed_networks_pass) {
    static const struct syn_filter_network networks4[] = {{{0x0a000000, 0}, {0xff000000, 0}},
                                                          {{0xc0000201, 0}, {UINT32_MAX, 0}}};
    static const struct syn_filter_network networks6[] = {{{0x20010db8, 0}, {UINT32_MAX, 0}},
                                                          {{0xfd000000, 0x00010000}, {UINT32_MAX, 0xffff0000}},
                                                          {{0xfc000000, 0}, {0xff000000, 0}}};
    struct syn_filter_rules rules = {.secret = &secret, .familiar = familiar, .networks = networks4, .network_count = 2};
    size_t size = compile(&rules);
    cr_expect(passes(size, ipv4(0x0a123456)) && passes(size, ipv4(0xc0000201)));
    cr_expect(!passes(size, ipv4(0x0b000000)) && !passes(size, ipv4(0xc0000202)));
    rules = (struct syn_filter_rules){
        .secret = &secret, .ipv6 = true, .familiar = familiar, .networks = networks6, .network_count = 3};
    size = compile(&rules);
    cr_expect(passes(size, ipv6(0x20010db8, 5, 6)) && passes(size, ipv6(0xfd000000, 0x1ffff, 1)) &&
              passes(size, ipv6(0xfc123456, 1, 1)));
    cr_expect(!passes(size, ipv6(0x20010db9, 5, 6)) && !passes(size, ipv6(0xfd000000, 0x20000, 1)));
    static const struct syn_filter_network everybody;
    rules.networks = &everybody;
    rules.network_count = 1;
    cr_expect(passes(compile(&rules), ipv6(1, 2, 3)));
}

/* A /64 has one name: blocked for what others in it did, it would take the listed host there with it. */
Test(syn_filter, listed_networks_pass_where_only_suspects_are_blocked) {
    static const struct syn_filter_network network4 = {{0x0a000001, 0}, {UINT32_MAX, 0}};
    static const struct syn_filter_network network6 = {{0x20010db8, 7}, {UINT32_MAX, UINT32_MAX}};
    struct syn_filter_rules rules = {.secret = &secret,
                                     .blocked = names,
                                     .blocked_count = 2,
                                     .sample = SYN_FILTER_ALL,
                                     .networks = &network4,
                                     .network_count = 1};
    names[0] = 0x0a000001;
    names[1] = 0x0a000002;
    size_t size = compile(&rules);
    cr_expect(passes(size, ipv4(0x0a000001)) && passes(size, ipv4(0x0a000003)));
    cr_expect_not(passes(size, ipv4(0x0a000002)));
    rules.ipv6 = true;
    rules.networks = &network6;
    names[0] = name_of(ipv6(0x20010db8, 7, 0));
    names[1] = name_of(ipv6(0x20010db8, 8, 0));
    qsort(names, 2, sizeof *names, ascending);
    size = compile(&rules);
    cr_expect(passes(size, ipv6(0x20010db8, 7, 1)) && passes(size, ipv6(0x20010db8, 9, 1)));
    cr_expect_not(passes(size, ipv6(0x20010db8, 8, 1)));
}

/* The rules of the worst case: what does not fit is left out from the end of the list of suspects, and nothing else. */
Test(syn_filter, says_when_it_would_be_too_long) {
    static struct syn_filter_network networks[SYN_FILTER_NETWORKS_MAX];
    struct syn_filter_rules rules = {
        .secret = &secret, .ipv6 = true, .blocked = names, .familiar = familiar, .networks = networks};
    memset(familiar, 0xff, sizeof familiar);
    for (uint32_t i = 0; i < SYN_FILTER_BLOCKED_MAX; i++) {
        names[i] = 2 * i;
    }
    for (uint32_t i = 0; i < SYN_FILTER_NETWORKS_MAX; i++) {
        networks[i] = (struct syn_filter_network){{i, i}, {UINT32_MAX, UINT32_MAX}};
    }
    rules.blocked_count = SYN_FILTER_BLOCKED_MAX;
    rules.network_count = SYN_FILTER_NETWORKS_MAX;
    cr_expect_eq(compile(&rules), 0);
    rules.blocked_count = 256;
    cr_expect_gt(compile(&rules), 0);
    rules.network_count = 0;
    rules.blocked_count = 1024;
    cr_expect_gt(compile(&rules), 0);
}

/* Whether a connection from that address comes to be within a moment. */
static bool connects(int listener, const char *from) {
    struct sockaddr_storage local = {0}, remote;
    socklen_t size = sizeof remote;
    socklen_t local_size;
    char text[64];
    snprintf(text, sizeof text, strchr(from, ':') != NULL ? "[%s]:0" : "%s:0", from);
    cr_assert_eq(socket_address_parse(text, &local, &local_size), 0);
    int descriptor = socket(local.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    cr_assert_eq(bind(descriptor, (struct sockaddr *)&local, local_size), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&remote, &size), 0);
    cr_assert(connect(descriptor, (struct sockaddr *)&remote, size) == 0 || errno == EINPROGRESS);
    struct pollfd poller = {.fd = descriptor, .events = POLLOUT};
    bool connected = poll(&poller, 1, 200) == 1;
    close(descriptor);
    return connected;
}

static int listen_on(const char *address) {
    struct error error;
    int listener = listener_bind(address, &error);
    if (listener == -EADDRNOTAVAIL || listener == -EAFNOSUPPORT) {
        cr_skip_test("no IPv6 here");
    }
    cr_assert_geq(listener, 0, "%s", error.text);
    return listener;
}

Test(syn_filter, the_kernel_takes_it) {
    struct syn_filter_rules rules = {
        .secret = &secret, .blocked = names, .blocked_count = SYN_FILTER_BLOCKED_MAX, .sample = SYN_FILTER_ALL};
    int listener = listen_on("127.0.0.1:0");
    for (uint32_t i = 0; i < SYN_FILTER_BLOCKED_MAX; i++) {
        names[i] = 0x7f000102 + 2 * i;
    }
    syn_filter_detach(listener);
    cr_assert(connects(listener, "127.0.1.2"));
    int taken = syn_filter_attach(listener, &rules);
    cr_assert_geq(taken, 256, "%d", taken);
    uint32_t before = syn_filter_drops(listener);
    cr_expect_not(connects(listener, "127.0.1.2"));
    cr_expect_not(connects(listener, "127.0.1.4"));
    cr_expect(connects(listener, "127.0.1.3"));
    cr_expect(connects(listener, "127.0.0.1"));
    cr_expect_eq(syn_filter_drops(listener) - before, 2);
    rules.blocked = names + 1;
    rules.blocked_count = 1;
    cr_assert_eq(syn_filter_attach(listener, &rules), 1);
    cr_expect(connects(listener, "127.0.1.2"));
    cr_expect_not(connects(listener, "127.0.1.4"));
    syn_filter_detach(listener);
    cr_expect(connects(listener, "127.0.1.4"));
    close(listener);
}

Test(syn_filter, the_kernel_hears_the_known_and_a_sample) {
    struct syn_filter_rules rules = {.secret = &secret, .blocked = names, .blocked_count = 1024, .familiar = familiar};
    int listener = listen_on("127.0.0.1:0");
    for (uint32_t i = 0; i < 1024; i++) {
        names[i] = 0x7f000102 + 2 * i;
    }
    meet(ipv4(0x7f000003));
    cr_assert_geq(syn_filter_attach(listener, &rules), 0);
    cr_expect(connects(listener, "127.0.0.3"));
    cr_expect_not(connects(listener, "127.0.0.5"));
    cr_expect_not(connects(listener, "127.0.1.2"));
    memset(familiar, 0xff, sizeof familiar);
    familiar[syn_filter_bucket(&secret, 0x7f000005) / 32] = 0;
    int taken = syn_filter_attach(listener, &rules);
    cr_assert_geq(taken, 0, "%d", taken);
    cr_expect(connects(listener, "127.0.0.3"));
    cr_expect_not(connects(listener, "127.0.0.5"));
    rules.sample = SYN_FILTER_ALL - 1;
    cr_assert_geq(syn_filter_attach(listener, &rules), 0);
    cr_expect(connects(listener, "127.0.0.5"));
    close(listener);
}

Test(syn_filter, the_kernel_takes_it_for_ipv6) {
    struct syn_filter_rules rules = {
        .secret = &secret, .ipv6 = true, .blocked = names, .blocked_count = 1, .sample = SYN_FILTER_ALL};
    int listener = listen_on("[::1]:0");
    names[0] = name_of(ipv6(0, 1, 0));
    cr_assert_eq(syn_filter_attach(listener, &rules), 1);
    cr_expect(connects(listener, "::1"));
    names[0] = name_of(ipv6(0, 0, 0));
    cr_assert_eq(syn_filter_attach(listener, &rules), 1);
    uint32_t before = syn_filter_drops(listener);
    cr_expect_not(connects(listener, "::1"));
    cr_expect_eq(syn_filter_drops(listener) - before, 1);
    rules = (struct syn_filter_rules){.secret = &secret, .ipv6 = true, .familiar = familiar};
    cr_assert_geq(syn_filter_attach(listener, &rules), 0);
    cr_expect_not(connects(listener, "::1"));
    meet(ipv6(0, 0, 0));
    cr_assert_geq(syn_filter_attach(listener, &rules), 0);
    cr_expect(connects(listener, "::1"));
    close(listener);
}
