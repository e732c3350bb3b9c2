#include "support.h"
#include "x509/attribute.h"

Test(attribute, is_known_by_oid_and_by_name) {
    struct bytes oid;
    cr_assert_str_eq(attribute_name(SUPPORT_BYTES("\x55\x04\x03")), "CN");
    cr_assert_str_eq(attribute_name(SUPPORT_BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01")), "emailAddress");
    cr_assert(attribute_find("CN", &oid) && bytes_equal(oid, SUPPORT_BYTES("\x55\x04\x03")));
    cr_assert(attribute_find("emailaddress", &oid) && oid.size == 9);
    cr_assert(attribute_find("jurisdictionST", &oid));
    cr_assert_str_eq(attribute_name(oid), "jurisdictionST");
}

Test(attribute, others_are_not_known) {
    struct bytes oid;
    cr_assert_null(attribute_name(SUPPORT_BYTES("\x55\x04\x63")));
    cr_assert_null(attribute_name(bytes_of(NULL, 0)));
    cr_assert(!attribute_find("", &oid) && !attribute_find("CNN", &oid));
}
