#include "crypto/lanes.h"

/* As bench/micro measures on an AMD EPYC: bench/RESULTS.md has the figures. */
static const struct {
    const char *name;
    size_t worth;
} kinds[LANES_KINDS] = {
    [LANES_X25519_PUBLIC] = {"x25519_public", 4},
    [LANES_X25519_SHARED] = {"x25519_shared", 2},
    [LANES_P256_PUBLIC] = {"p256_public", 3},
    [LANES_P256_SHARED] = {"p256_shared", 3},
    [LANES_P256_SIGN] = {"p256_sign", 3},
    [LANES_P256_VERIFY] = {"p256_verify", 3},
    [LANES_P384_PUBLIC] = {"p384_public", 4},
    [LANES_P384_SHARED] = {"p384_shared", 3},
    [LANES_P384_SIGN] = {"p384_sign", 3},
    [LANES_P384_VERIFY] = {"p384_verify", 4},
    [LANES_RSA2048_PRIVATE] = {"rsa2048_private", 3},
    [LANES_RSA2048_PUBLIC] = {"rsa2048_public", 3},
    [LANES_RSA3072_PRIVATE] = {"rsa3072_private", 3},
    [LANES_RSA3072_PUBLIC] = {"rsa3072_public", 4},
    [LANES_RSA4096_PRIVATE] = {"rsa4096_private", 3},
    [LANES_RSA4096_PUBLIC] = {"rsa4096_public", 4},
    [LANES_ED25519_SIGN] = {"ed25519_sign", 3},
    [LANES_ED25519_VERIFY] = {"ed25519_verify", 3},
};

/* crypto_mb's own test knows only processors of its maker. These are the instructions that tools/deps compiles it for. */
bool lanes_supported(void) {
#ifdef __x86_64__
    /* With AVX-512, libgcc has asked at the start whether the kernel keeps those registers too (XGETBV). */
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("avx512vbmi") &&
           __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2");
#else
    return false;
#endif
}

size_t lanes_worth(enum lanes_kind kind) {
    return kinds[kind].worth;
}

const char *lanes_name(enum lanes_kind kind) {
    return kinds[kind].name;
}
