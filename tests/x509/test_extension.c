#include "support.h"
#include "x509/extension.h"

#define CRITICAL "\x01\x01\xff"

static bool is_read(struct bytes in) {
    struct extension extension;
    return extension_read(&in, &extension) && in.size == 0;
}

Test(extension, has_a_type_a_value_and_may_be_critical) {
    struct extension extension;
    struct bytes in = SUPPORT_BYTES("\x30\x09\x06\x02\x2a\x03" CRITICAL "\x04\x00\x30\x07\x06\x02\x2a\x04\x04\x01z");
    cr_assert(extension_read(&in, &extension));
    cr_assert(extension.critical && extension.value.size == 0 && bytes_equal(extension.oid, SUPPORT_BYTES("\x2a\x03")));
    cr_assert(extension_read(&in, &extension));
    cr_assert(!extension.critical && bytes_equal(extension.value, SUPPORT_BYTES("z")));
    cr_assert_eq(in.size, 0);
}

Test(extension, outer_form) {
    cr_assert(is_read(SUPPORT_BYTES("\x30\x09\x06\x02\x2a\x03\x01\x01\x00\x04\x00")), "FALSE spelled out");
    cr_assert(!is_read(SUPPORT_BYTES("\x30\x09\x06\x02\x2a\x03\x01\x01\x01\x04\x00")), "TRUE is ff");
    cr_assert(!is_read(SUPPORT_BYTES("\x30\x04\x06\x02\x2a\x03")), "no value");
    cr_assert(!is_read(SUPPORT_BYTES("\x30\x08\x06\x02\x2a\x03\x04\x00\x05\x00")), "something behind the value");
    cr_assert(!is_read(SUPPORT_BYTES("\x30\x06\x06\x02\x2a\x03\x03\x00")), "no OCTET STRING");
    cr_assert(!is_read(SUPPORT_BYTES("\x30\x06\x06\x02\x2a\x83\x04\x00")), "no OID");
    cr_assert(!is_read(SUPPORT_BYTES("\x30\x06\x06\x02\x2a\x03\x04")));
}

Test(extension, is_looked_for_among_the_first_ones_alone) {
    struct bytes two = SUPPORT_BYTES("\x30\x06\x06\x02\x2a\x03\x04\x00\x30\x06\x06\x02\x2a\x04\x04\x00");
    cr_assert(extension_occurred_before(two, 1, SUPPORT_BYTES("\x2a\x03")));
    cr_assert(!extension_occurred_before(two, 1, SUPPORT_BYTES("\x2a\x04")));
    cr_assert(extension_occurred_before(two, 2, SUPPORT_BYTES("\x2a\x04")));
    cr_assert(!extension_occurred_before(two, 0, SUPPORT_BYTES("\x2a\x03")));
}

Test(extension, authority_key_identifiers) {
    struct bytes key;
    cr_assert(extension_read_authority_key(SUPPORT_BYTES("\x30\x04\x80\x02kk"), &key) &&
              bytes_equal(key, SUPPORT_BYTES("kk")));
    cr_assert(extension_read_authority_key(SUPPORT_BYTES("\x30\x00"), &key) && key.size == 0);
    cr_assert(extension_read_authority_key(SUPPORT_BYTES("\x30\x05\xa1\x00\x82\x01\x05"), &key) && key.size == 0);
    cr_assert(!extension_read_authority_key(SUPPORT_BYTES("\x30\x02\x80\x00"), &key), "an empty key identifier");
    cr_assert(!extension_read_authority_key(SUPPORT_BYTES("\x30\x03\x83\x01\x00"), &key), "no such member");
}
