#include "crypto/lanes.h"

#include "base/check.h"

#define ROW(kind, name, operation, variant, worth) [LANES_##kind] = {name, LANES_OPERATION_##operation, variant, worth},
static const struct {
    const char *name;
    enum lanes_operation operation;
    unsigned variant;
    size_t worth;
} kinds[LANES_KINDS] = {LANES_TABLE(ROW)};
#undef ROW

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

enum lanes_kind lanes_find(enum lanes_operation operation, unsigned variant) {
    unsigned kind = 0;
    while (kind < LANES_KINDS && (kinds[kind].operation != operation || kinds[kind].variant != variant)) {
        kind++;
    }
    return (enum lanes_kind)kind;
}

const char *lanes_name(enum lanes_kind kind) {
    return kinds[kind].name;
}

enum lanes_operation lanes_operation(enum lanes_kind kind) {
    return kinds[kind].operation;
}

unsigned lanes_variant(enum lanes_kind kind) {
    return kinds[kind].variant;
}

size_t lanes_worth(enum lanes_kind kind) {
    return kinds[kind].worth;
}

void lanes_compute(enum lanes_kind kind, void *const jobs[], size_t count) {
    CHECK(kind < LANES_KINDS);
    unsigned variant = kinds[kind].variant;
    enum lanes_curve curve = (enum lanes_curve)variant; /* where the operation is on one */
    switch (kinds[kind].operation) {
    case LANES_OPERATION_X25519_PUBLIC:
        lanes_x25519_public((struct lanes_x25519_public *const *)jobs, count);
        return;
    case LANES_OPERATION_X25519_SHARED:
        lanes_x25519_shared((struct lanes_x25519_shared *const *)jobs, count);
        return;
    case LANES_OPERATION_ECDH_PUBLIC:
        lanes_ecdh_public(curve, (struct lanes_ecdh_public *const *)jobs, count);
        return;
    case LANES_OPERATION_ECDH_SHARED:
        lanes_ecdh_shared(curve, (struct lanes_ecdh_shared *const *)jobs, count);
        return;
    case LANES_OPERATION_ECDSA_PREPARE:
        lanes_ecdsa_prepare(curve, (struct lanes_ecdsa_prepare *const *)jobs, count);
        return;
    case LANES_OPERATION_ECDSA_VERIFY:
        lanes_ecdsa_verify(curve, (struct lanes_ecdsa_verify *const *)jobs, count);
        return;
    case LANES_OPERATION_RSA_PRIVATE:
        lanes_rsa_private(variant, (struct lanes_rsa_private *const *)jobs, count);
        return;
    case LANES_OPERATION_RSA_PUBLIC:
        lanes_rsa_public(variant, (struct lanes_rsa_public *const *)jobs, count);
        return;
    case LANES_OPERATION_ED25519_SIGN:
        lanes_ed25519_sign((struct lanes_ed25519_sign *const *)jobs, count);
        return;
    case LANES_OPERATION_ED25519_VERIFY:
        lanes_ed25519_verify((struct lanes_ed25519_verify *const *)jobs, count);
        return;
    }
}
