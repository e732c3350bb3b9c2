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
    cr_expect_eq(count_used(registry_group_use), 4);
    cr_expect_eq(count_used(registry_signature_use), 4 + 3 + 3);
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
    cr_expect_eq(registry_key_share_size(0x11ec), 0);
}

Test(registry, signatures) {
    cr_expect_eq(registry_signature_use(0x0403), USE_SIGNATURE_EC);
    cr_expect_eq(registry_signature_use(0x0807), USE_SIGNATURE_EC);
    cr_expect_eq(registry_signature_use(0x0804), USE_SIGNATURE_PSS);
    cr_expect_eq(registry_signature_use(0x0809), 0, "no server key is one for RSASSA-PSS alone");
    cr_expect_eq(registry_signature_use(0x0401), USE_SIGNATURE_PKCS1);
    cr_expect_eq(registry_signature_use(0x0201), 0);
    cr_expect_eq(registry_signature_use(0x0203), 0);
    cr_expect_eq(registry_signature_use(0x0808), 0);
}
