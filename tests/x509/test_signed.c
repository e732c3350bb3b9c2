#include "support.h"
#include "x509/signed.h"

#define TBS       "\x30\x02\x05\x00"
#define ALGORITHM "\x30\x04\x06\x02\x2a\x03"

static bool is_read(struct bytes content, struct signed_parts *parts) {
    return signed_read(content, parts);
}

Test(signed, has_three_parts) {
    struct signed_parts parts;
    cr_assert(is_read(SUPPORT_BYTES(TBS ALGORITHM "\x03\x03\x00zz"), &parts));
    cr_assert(bytes_equal(parts.tbs, SUPPORT_BYTES(TBS)) && bytes_equal(parts.content, SUPPORT_BYTES("\x05\x00")));
    cr_assert(bytes_equal(parts.algorithm.oid, SUPPORT_BYTES("\x2a\x03")) &&
              bytes_equal(parts.signature, SUPPORT_BYTES("zz")));
}

Test(signed, has_no_other_parts) {
    struct signed_parts parts;
    cr_assert(!is_read(SUPPORT_BYTES(TBS ALGORITHM), &parts), "no signature");
    cr_assert(!is_read(SUPPORT_BYTES(TBS ALGORITHM "\x03\x03\x01zz"), &parts), "a bit is unused");
    cr_assert(!is_read(SUPPORT_BYTES(TBS ALGORITHM "\x03\x03\x00zz\x05\x00"), &parts), "a fourth part");
    cr_assert(!is_read(SUPPORT_BYTES("\x31\x02\x05\x00" ALGORITHM "\x03\x03\x00zz"), &parts), "no SEQUENCE is signed");
    cr_assert(!is_read(bytes_of(NULL, 0), &parts));
}
