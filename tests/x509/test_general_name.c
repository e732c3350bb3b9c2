#include "support.h"
#include "x509/general_name.h"

static bool is_read(struct bytes in, size_t ip_size) {
    uint8_t tag;
    struct bytes value;
    return general_name_read(&in, ip_size, &tag, &value) && in.size == 0;
}

Test(general_name, each_form_has_its_rule) {
    enum { IP = GENERAL_NAME_IP_SIZE, MASKED = GENERAL_NAME_IP_AND_MASK_SIZE };
    cr_assert(is_read(SUPPORT_BYTES("\x82\x01z"), IP));
    cr_assert(is_read(SUPPORT_BYTES("\x82\x00"), IP), "whether an empty one will do is for others to say");
    cr_assert(!is_read(SUPPORT_BYTES("\x82\x01\x00"), IP), "a NUL");
    cr_assert(!is_read(SUPPORT_BYTES("\x81\x01\x7f"), IP) && !is_read(SUPPORT_BYTES("\x86\x01\xc3"), IP), "not printable");
    cr_assert(is_read(SUPPORT_BYTES("\x87\x04\x0a\x00\x00\x01"), IP));
    cr_assert(!is_read(SUPPORT_BYTES("\x87\x04\x0a\x00\x00\x01"), MASKED));
    cr_assert(is_read(SUPPORT_BYTES("\x87\x08\x0a\x00\x00\x01\xff\x00\x00\x00"), MASKED));
    cr_assert(!is_read(SUPPORT_BYTES("\x87\x08\x0a\x00\x00\x01\xff\x00\x00\x00"), IP));
    cr_assert(is_read(SUPPORT_BYTES("\xa4\x02\x30\x00"), IP) && !is_read(SUPPORT_BYTES("\xa4\x02\x31\x00"), IP));
    cr_assert(is_read(SUPPORT_BYTES("\x88\x01\x2a"), IP) && !is_read(SUPPORT_BYTES("\x88\x01\xaa"), IP));
    cr_assert(is_read(SUPPORT_BYTES("\xa0\x01z"), IP) && is_read(SUPPORT_BYTES("\xa3\x01z"), IP) &&
              is_read(SUPPORT_BYTES("\xa5\x01z"), IP));
    cr_assert(!is_read(SUPPORT_BYTES("\x89\x01z"), IP), "no such form");
    cr_assert(!is_read(SUPPORT_BYTES("\x82\x02z"), IP), "cut short");
}

Test(general_name, come_one_after_the_other) {
    struct bytes names = SUPPORT_BYTES("\x82\x01z\x87\x04\x0a\x00\x00\x01");
    uint8_t tag;
    struct bytes value;
    cr_assert(general_name_next(&names, &tag, &value) && tag == GENERAL_NAME_DNS && bytes_equal(value, SUPPORT_BYTES("z")));
    cr_assert(general_name_next(&names, &tag, &value) && tag == GENERAL_NAME_IP && value.size == 4);
    cr_assert(!general_name_next(&names, &tag, &value));
}

Test(general_name, subtrees_are_a_name_and_nothing_else) {
    struct bytes in = SUPPORT_BYTES("\x30\x03\x82\x01y\x30\x03\x82\x01z");
    struct bytes read = in;
    uint8_t tag;
    struct bytes base;
    cr_assert(general_name_read_subtree(&read, &tag, &base) && tag == GENERAL_NAME_DNS && base.data[0] == 'y');
    cr_assert(general_name_read_subtree(&read, &tag, &base) && base.data[0] == 'z' && read.size == 0);
    cr_assert(general_name_next_subtree(&in, &tag, &base) && base.data[0] == 'y');
    cr_assert(general_name_next_subtree(&in, &tag, &base) && base.data[0] == 'z');
    cr_assert(!general_name_next_subtree(&in, &tag, &base));
    struct bytes minimum = SUPPORT_BYTES("\x30\x06\x82\x01z\x80\x01\x00");
    cr_assert(!general_name_read_subtree(&minimum, &tag, &base));
}

Test(general_name, addresses_as_text) {
    char buffer[64];
    struct text text = text_over(buffer, sizeof buffer);
    general_name_append_ip(&text, SUPPORT_BYTES("\x0a\x00\x00\x01"));
    text_append_char(&text, ' ');
    general_name_append_ip(&text, SUPPORT_BYTES("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"));
    cr_assert(bytes_equal(text_bytes(&text), bytes_of_string("10.0.0.1 2001:db8::1")));
}
