#include "pair.h"

#include <criterion/criterion.h>

TestSuite(library, .init = (void (*)(void))tls_library_init, .fini = tls_library_cleanup);

#ifdef __x86_64__
#include <cpuid.h>

/* Whether the CPU tells which register state is in use: XGETBV with ECX = 1 (Intel SDM, volume 1, section 13.6). */
static bool can_tell(void) {
    unsigned eax = 0, ebx, ecx, edx;

    return __get_cpuid_count(0x0d, 1, &eax, &ebx, &ecx, &edx) && (eax & 1u << 2) != 0 && __builtin_cpu_supports("avx2");
}

static bool upper_halves_in_use(void) {
    unsigned eax, edx;

    __asm__ volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(1));
    return (eax & 1u << 2) != 0;
}

/* Else every SSE instruction of the thread is slow from then on: tools/patches/wolfssl-vzeroupper.patch. */
Test(library, leaves_the_upper_halves_of_vector_registers_alone) {
    static const char *const clients[] = {"p256", "p384", "p521", "rsa2048", "ed25519"};

    if (!can_tell()) {
        cr_skip_test("this CPU does not tell which registers are in use");
    }
    __asm__ volatile("vpcmpeqd %%ymm0, %%ymm0, %%ymm0" ::: "xmm0");
    cr_assert(upper_halves_in_use());
    __asm__ volatile("vzeroupper");
    cr_assert_not(upper_halves_in_use());
    for (size_t i = 0; i < 2 * sizeof clients / sizeof clients[0]; i++) {
        struct tls_credentials *credentials = server_credentials(i % 2 == 0 ? "p256" : "rsa2048");
        struct tls_context *context = server_context(credentials, true);
        struct pair *pair = pair_open(context, &(struct pair_options){.client = clients[i / 2], .tls12 = i % 2 == 0});

        cr_assert_not_null(pair);
        cr_assert(pair_handshake(pair), "%s", clients[i / 2]);
        cr_assert_not(upper_halves_in_use(), "%s", clients[i / 2]);
        pair_close(pair);
        tls_context_free(context);
        tls_credentials_free(credentials);
    }
}
#endif
