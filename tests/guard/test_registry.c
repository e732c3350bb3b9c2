#include "guard/registry.h"

#include <criterion/criterion.h>

/* How many of the 65,536 numbers have any use. */
static unsigned count_used(unsigned (*use)(uint16_t)) {
    unsigned count = 0;
    for (uint32_t number = 0; number <= UINT16_MAX; number++) {
        count += use((uint16_t)number) != 0;
    }
    return count;
}

Test(registry, holds_nothing_beside_what_is_served) {
    cr_expect_eq(count_used(registry_suite_use), 3 + 3 + 3 + 1);
    cr_expect_eq(count_used(registry_group_use), 4 + 2);
    cr_expect_eq(count_used(registry_scheme), 4 + 3 + 3);
    cr_expect_eq(count_used(registry_chain_scheme), 4 + 2 * 3 + 3);
}

Test(registry, suites) {
    cr_expect_eq(registry_suite_use(0x1301), USE_SUITE_TLS13);
    cr_expect_eq(registry_suite_use(0x1302), USE_SUITE_TLS13);
    cr_expect_eq(registry_suite_use(0x1303), USE_SUITE_TLS13);
    cr_expect_eq(registry_suite_use(0xc02b), USE_SUITE_ECDSA);
    cr_expect_eq(registry_suite_use(0xc02c), USE_SUITE_ECDSA);
    cr_expect_eq(registry_suite_use(0xcca9), USE_SUITE_ECDSA);
    cr_expect_eq(registry_suite_use(0xc02f), USE_SUITE_RSA);
    cr_expect_eq(registry_suite_use(0xc030), USE_SUITE_RSA);
    cr_expect_eq(registry_suite_use(0xcca8), USE_SUITE_RSA);
    cr_expect_eq(registry_suite_use(0x5600), USE_FALLBACK_SCSV);
}

/* RFC 8446 section 4.2.8.2: 32 bytes for X25519, for a curve of n bits the form's byte and two coordinates of n bits. */
Test(registry, key_share_sizes) {
    cr_expect_eq(registry_key_share_size(0x001d), 32);
    cr_expect_eq(registry_key_share_size(0x0017), 1 + 2 * 32);
    cr_expect_eq(registry_key_share_size(0x0018), 1 + 2 * 48);
    cr_expect_eq(registry_key_share_size(0x0019), 1 + 2 * 66);
    cr_expect_eq(registry_key_share_size(0x11ec), 1184 + 32);
    cr_expect_eq(registry_key_share_size(0x11eb), 65 + 1184);
    cr_expect_eq(registry_key_share_size(0x11ed), 0);
}

Test(registry, groups) {
    cr_expect_eq(registry_group_use(0x0017), USE_GROUP | USE_CURVE_P256);
    cr_expect_eq(registry_group_use(0x0018), USE_GROUP | USE_CURVE_P384);
    cr_expect_eq(registry_group_use(0x0019), USE_GROUP);
    cr_expect_eq(registry_group_use(0x001d), USE_GROUP);
    cr_expect_eq(registry_group_use(0x11ec), USE_GROUP_HYBRID);
    cr_expect_eq(registry_group_use(0x11eb), USE_GROUP_HYBRID);
    cr_expect_eq(registry_group_use(0x0201), 0, "ML-KEM-768 alone");
}

Test(registry, schemes) {
    static const struct {
        uint16_t number;
        unsigned scheme;
    } cases[] = {
        {0x0403, SCHEME_ECDSA_SHA256},
        {0x0503, SCHEME_ECDSA_SHA384},
        {0x0603, SCHEME_ECDSA_SHA512},
        {0x0807, SCHEME_ED25519},
        {0x0804, SCHEME_PSS_SHA256},
        {0x0805, SCHEME_PSS_SHA384},
        {0x0806, SCHEME_PSS_SHA512},
        {0x0401, SCHEME_PKCS1_SHA256},
        {0x0501, SCHEME_PKCS1_SHA384},
        {0x0601, SCHEME_PKCS1_SHA512},
        {0x0201, 0},
        {0x0203, 0},
        {0x0808, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_expect_eq(registry_scheme(cases[i].number), cases[i].scheme, "%04x", cases[i].number);
        cr_expect_eq(registry_chain_scheme(cases[i].number), cases[i].scheme, "%04x", cases[i].number);
    }
    cr_expect_eq(registry_scheme(0x0809), 0, "no server key is one for RSASSA-PSS alone");
    cr_expect_eq(registry_chain_scheme(0x0809), SCHEME_PSS_SHA256, "but that of a CA may be");
    cr_expect_eq(registry_chain_scheme(0x080a), SCHEME_PSS_SHA384);
    cr_expect_eq(registry_chain_scheme(0x080b), SCHEME_PSS_SHA512);
}
