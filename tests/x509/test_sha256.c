#include "support.h"
#include "x509/sha256.h"
#include "x509/signature.h"

/* FIPS 180-4, its example of one block. */
static const uint8_t of_abc[SHA256_SIZE] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                            0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                            0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};

Test(sha256, is_of_all_parts_one_after_the_other) {
    struct sha256 hash;
    sha256_begin(&hash);
    sha256_add(&hash, "a", 1);
    sha256_add(&hash, NULL, 0);
    sha256_add(&hash, "bc", 2);
    uint8_t digest[SHA256_SIZE];
    sha256_end(&hash, digest);
    cr_assert_arr_eq(digest, of_abc, SHA256_SIZE);
}

Test(sha256, of_one_part_is_signature_sha256) {
    uint8_t digest[SIGNATURE_SHA256_SIZE];
    signature_sha256(SUPPORT_BYTES("abc"), digest);
    cr_assert_arr_eq(digest, of_abc, SHA256_SIZE);
}
