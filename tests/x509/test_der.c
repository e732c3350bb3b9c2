#include "support.h"
#include "x509/der.h"

static bool reads(struct bytes in, struct der *element) {
    return der_next(&in, element);
}

Test(der, reads_an_element_and_leaves_the_rest) {
    struct bytes in = SUPPORT_BYTES("\x30\x03\x02\x01\x05\x05\x00");
    struct der element;
    cr_assert(der_next(&in, &element));
    cr_assert(element.tag == DER_SEQUENCE && element.content.size == 3 && element.whole.size == 5);
    cr_assert(der_next(&in, &element));
    cr_assert(element.tag == DER_NULL && element.content.size == 0);
    cr_assert(!der_next(&in, &element));
}

Test(der, lengths_are_definite_and_shortest) {
    struct der element;
    uint8_t long_form[3 + 128] = {0x04, 0x81, 0x80};
    cr_assert(reads(bytes_of(long_form, sizeof long_form), &element));
    cr_assert_eq(element.content.size, 128);
    uint8_t two_octets[4 + 256] = {0x04, 0x82, 0x01, 0x00};
    cr_assert(reads(bytes_of(two_octets, sizeof two_octets), &element));
    cr_assert_eq(element.content.size, 256);

    uint8_t padded[4 + 128] = {0x04, 0x82, 0x00, 0x80};
    cr_assert(!reads(bytes_of(padded, sizeof padded), &element));
    uint8_t too_short[3 + 127] = {0x04, 0x81, 0x7f};
    cr_assert(!reads(bytes_of(too_short, sizeof too_short), &element));
    cr_assert(!reads(SUPPORT_BYTES("\x30\x80\x05\x00\x00\x00"), &element), "indefinite");
    cr_assert(!reads(SUPPORT_BYTES("\x04\xff\x01"), &element));
    cr_assert(!reads(SUPPORT_BYTES("\x04\x85\x01\x00\x00\x00\x00"), &element), "five length octets");
    cr_assert(!reads(SUPPORT_BYTES("\x04\x84\xff\xff\xff\xff"), &element));
}

Test(der, never_goes_past_the_end) {
    struct der element;
    cr_assert(!reads(bytes_of(NULL, 0), &element));
    cr_assert(!reads(SUPPORT_BYTES("\x04"), &element));
    cr_assert(!reads(SUPPORT_BYTES("\x04\x01"), &element));
    cr_assert(!reads(SUPPORT_BYTES("\x04\x82\x01"), &element));
    cr_assert(!reads(SUPPORT_BYTES("\x04\x02x"), &element));
}

Test(der, tags_of_several_bytes_are_refused) {
    struct der element;
    cr_assert(!reads(SUPPORT_BYTES("\x1f\x81\x00\x00"), &element));
    cr_assert(!reads(SUPPORT_BYTES("\xbf\x1f\x00"), &element));
}

Test(der, a_whole_has_nothing_behind_it) {
    struct bytes content;
    cr_assert(der_only(SUPPORT_BYTES("\x30\x00"), DER_SEQUENCE, &content));
    cr_assert(!der_only(SUPPORT_BYTES("\x30\x00\x00"), DER_SEQUENCE, &content));
    cr_assert(!der_only(SUPPORT_BYTES("\x31\x00"), DER_SEQUENCE, &content));
}

Test(der, an_optional_element_that_is_another_stays) {
    struct bytes in = SUPPORT_BYTES("\x02\x01\x07");
    struct bytes content;
    bool present = true;
    cr_assert(der_read_optional(&in, DER_NULL, &content, &present) && !present && in.size == 3);
    cr_assert(der_read_optional(&in, DER_INTEGER, &content, &present) && present && in.size == 0);
    cr_assert(der_read_optional(&in, DER_INTEGER, &content, &present) && !present);
    in = SUPPORT_BYTES("\x02\x05\x07");
    cr_assert(!der_read_optional(&in, DER_INTEGER, &content, &present), "there, but cut short");
}

Test(der, booleans_are_00_or_ff) {
    bool value = false;
    struct bytes in = SUPPORT_BYTES("\x01\x01\xff");
    cr_assert(der_read_boolean(&in, &value) && value);
    in = SUPPORT_BYTES("\x01\x01\x00");
    cr_assert(der_read_boolean(&in, &value) && !value);
    in = SUPPORT_BYTES("\x01\x01\x01");
    cr_assert(!der_read_boolean(&in, &value));
    in = SUPPORT_BYTES("\x01\x00");
    cr_assert(!der_read_boolean(&in, &value));
    in = SUPPORT_BYTES("\x01\x02\xff\xff");
    cr_assert(!der_read_boolean(&in, &value));
}

Test(der, integers_are_in_their_shortest_form) {
    static const struct {
        struct bytes der;
        bool good;
        bool is_unsigned;
        int64_t small; /* -1: not small */
    } cases[] = {
        {{(const uint8_t *)"\x02\x01\x00", 3}, true, true, 0},
        {{(const uint8_t *)"\x02\x01\x7f", 3}, true, true, 127},
        {{(const uint8_t *)"\x02\x02\x00\x80", 4}, true, true, 128},
        {{(const uint8_t *)"\x02\x01\x80", 3}, true, false, -1},
        {{(const uint8_t *)"\x02\x02\xff\x7f", 4}, true, false, -1},
        {{(const uint8_t *)"\x02\x04\x7f\xff\xff\xff", 6}, true, true, 0x7fffffff},
        {{(const uint8_t *)"\x02\x05\x00\x80\x00\x00\x00", 7}, true, true, -1},
        {{(const uint8_t *)"\x02\x05\x01\x00\x00\x00\x00", 7}, true, true, -1},
        {{(const uint8_t *)"\x02\x00", 2}, false, false, -1},
        {{(const uint8_t *)"\x02\x02\x00\x7f", 4}, false, false, -1},
        {{(const uint8_t *)"\x02\x02\xff\x80", 4}, false, false, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bytes in = cases[i].der;
        struct bytes content;
        uint32_t small;
        cr_assert_eq(der_read_integer(&in, &content), cases[i].good, "case %zu", i);
        in = cases[i].der;
        cr_assert_eq(der_read_unsigned(&in, &content), cases[i].is_unsigned, "case %zu", i);
        in = cases[i].der;
        cr_assert_eq(der_read_small(&in, &small), cases[i].small >= 0, "case %zu", i);
        cr_assert(cases[i].small < 0 || small == cases[i].small, "case %zu", i);
    }
}

Test(der, an_unsigned_comes_without_its_sign_octet) {
    struct bytes in = SUPPORT_BYTES("\x02\x02\x00\x80");
    struct bytes magnitude;
    cr_assert(der_read_unsigned(&in, &magnitude));
    cr_assert(magnitude.size == 1 && magnitude.data[0] == 0x80);
    in = SUPPORT_BYTES("\x02\x01\x00");
    cr_assert(der_read_unsigned(&in, &magnitude));
    cr_assert(magnitude.size == 1 && magnitude.data[0] == 0);
}

Test(der, bit_strings_have_zeros_where_nothing_is) {
    struct bytes bits;
    unsigned unused;
    struct bytes in = SUPPORT_BYTES("\x03\x02\x03\xf8");
    cr_assert(der_read_bits(&in, &bits, &unused) && unused == 3 && bits.size == 1);
    in = SUPPORT_BYTES("\x03\x01\x00");
    cr_assert(der_read_bits(&in, &bits, &unused) && unused == 0 && bits.size == 0);
    in = SUPPORT_BYTES("\x03\x02\x03\xfc");
    cr_assert(!der_read_bits(&in, &bits, &unused));
    in = SUPPORT_BYTES("\x03\x01\x01");
    cr_assert(!der_read_bits(&in, &bits, &unused));
    in = SUPPORT_BYTES("\x03\x02\x08\x00");
    cr_assert(!der_read_bits(&in, &bits, &unused));
    in = SUPPORT_BYTES("\x03\x00");
    cr_assert(!der_read_bits(&in, &bits, &unused));
}

Test(der, object_identifiers_end_and_are_shortest) {
    cr_assert(der_oid_is_valid(SUPPORT_BYTES("\x55\x1d\x0f")));
    cr_assert(der_oid_is_valid(SUPPORT_BYTES("\x81\x00")));
    cr_assert(!der_oid_is_valid(bytes_of(NULL, 0)));
    cr_assert(!der_oid_is_valid(SUPPORT_BYTES("\x55\x81")));
    cr_assert(!der_oid_is_valid(SUPPORT_BYTES("\x55\x80\x01")));
    cr_assert(der_oid_is_valid(SUPPORT_BYTES("\x55\xff\xff\xff\xff\xff\xff\xff\xff\x7f")));
    cr_assert(!der_oid_is_valid(SUPPORT_BYTES("\x55\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f")));
}

static bool reads_time(uint8_t tag, const char *text, int64_t *seconds) {
    uint8_t der[32] = {tag, (uint8_t)strlen(text)};
    memcpy(der + 2, text, strlen(text));
    struct bytes in = bytes_of(der, 2 + strlen(text));
    return der_read_time(&in, seconds);
}

Test(der, times_are_seconds_since_the_epoch) {
    static const struct {
        uint8_t tag;
        const char *text;
        int64_t seconds;
    } cases[] = {
        {DER_UTC_TIME, "700101000000Z", 0},
        {DER_UTC_TIME, "491231235959Z", 2524607999},
        {DER_UTC_TIME, "500101000000Z", -631152000},
        {DER_UTC_TIME, "000229120000Z", 951825600},
        {DER_UTC_TIME, "260531235959Z", 1780271999},
        {DER_GENERALIZED_TIME, "20500101000000Z", 2524608000},
        {DER_GENERALIZED_TIME, "21000301000000Z", 4107542400},
        {DER_GENERALIZED_TIME, "99991231235959Z", 253402300799},
        {DER_GENERALIZED_TIME, "00000101000000Z", -62167219200},
        {DER_GENERALIZED_TIME, "19691231235959Z", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t seconds = 1;
        cr_assert(reads_time(cases[i].tag, cases[i].text, &seconds), "%s", cases[i].text);
        cr_assert_eq(seconds, cases[i].seconds, "%s: %ld", cases[i].text, (long)seconds);
    }
}

Test(der, times_are_strict) {
    static const char *const bad[] = {
        "7001010000Z",   "700101000000",  "700101000000+0000", "701301000000Z", "700001000000Z",
        "700100000000Z", "700132000000Z", "010229000000Z",     "700101240000Z", "700101006000Z",
        "700101000060Z", "70010100000 Z", "7o0101000000Z",     "700431000000Z", "",
    };
    int64_t seconds;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert(!reads_time(DER_UTC_TIME, bad[i], &seconds), "%s", bad[i]);
    }
    cr_assert(!reads_time(DER_GENERALIZED_TIME, "20260101000000.0Z", &seconds));
    cr_assert(!reads_time(DER_GENERALIZED_TIME, "21000229000000Z", &seconds), "2100 is no leap year");
    cr_assert(!reads_time(DER_GENERALIZED_TIME, "700101000000Z", &seconds));
    cr_assert(!reads_time(DER_UTC_TIME, "20260101000000Z", &seconds));
    cr_assert(!reads_time(DER_IA5_STRING, "700101000000Z", &seconds));
}
