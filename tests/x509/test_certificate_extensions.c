#include "support.h"
#include "x509/certificate.h"

/* Extensions of a certificate, one after the other, each typed whole. */
static const char *read_all(struct certificate *certificate, struct bytes extensions) {
    *certificate = (struct certificate){.version = 3, .extensions = extensions};
    return certificate_read_extensions(certificate);
}

static bool is_read(struct bytes extensions) {
    struct certificate certificate;
    return read_all(&certificate, extensions) == NULL;
}

#define KEY_USAGE(bits) "\x30\x0b\x06\x03\x55\x1d\x0f\x04\x04\x03\x02" bits
#define CRITICAL        "\x01\x01\xff"
#define PURPOSE_CLIENT  "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02"
#define PURPOSE_SERVER  "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01"
#define PURPOSE_ANY     "\x06\x04\x55\x1d\x25\x00"

Test(certificate_extensions, basic_constraints) {
    struct certificate certificate;
    cr_assert(read_all(&certificate, SUPPORT_BYTES("\x30\x0c\x06\x03\x55\x1d\x13\x04\x05\x30\x03\x01\x01\xff")) == NULL);
    cr_assert(certificate.is_ca && !certificate.has_path_length);
    cr_assert(read_all(&certificate,
                       SUPPORT_BYTES("\x30\x0f\x06\x03\x55\x1d\x13\x04\x08\x30\x06\x01\x01\xff\x02\x01\x05")) == NULL);
    cr_assert(certificate.is_ca && certificate.has_path_length && certificate.path_length == 5);
    cr_assert(read_all(&certificate, SUPPORT_BYTES("\x30\x09\x06\x03\x55\x1d\x13\x04\x02\x30\x00")) == NULL);
    cr_assert(!certificate.is_ca);
    cr_assert(read_all(&certificate, SUPPORT_BYTES("\x30\x0c\x06\x03\x55\x1d\x13\x04\x05\x30\x03\x01\x01\x00")) == NULL);
    cr_assert(!certificate.is_ca, "FALSE spelled out");
    cr_assert(!is_read(SUPPORT_BYTES("\x30\x0c\x06\x03\x55\x1d\x13\x04\x05\x30\x03\x01\x01\x01")), "TRUE is ff");
    cr_assert(!is_read(SUPPORT_BYTES("\x30\x0d\x06\x03\x55\x1d\x13\x04\x06\x30\x03\x01\x01\xff\x00")), "a byte behind it");
    cr_assert(!is_read(SUPPORT_BYTES("\x30\x0c\x06\x03\x55\x1d\x13\x04\x05\x30\x03\x02\x01\xff")), "a negative length");
}

Test(certificate_extensions, key_usage) {
    struct certificate certificate;
    cr_assert(read_all(&certificate, SUPPORT_BYTES(KEY_USAGE("\x07\x80"))) == NULL);
    cr_assert_eq(certificate.key_usage, KEY_USAGE_DIGITAL_SIGNATURE);
    cr_assert(read_all(&certificate, SUPPORT_BYTES(KEY_USAGE("\x01\x06"))) == NULL);
    cr_assert_eq(certificate.key_usage, KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_CRL_SIGN);
    cr_assert(read_all(&certificate, SUPPORT_BYTES("\x30\x0c\x06\x03\x55\x1d\x0f\x04\x05\x03\x03\x07\x00\x80")) == NULL);
    cr_assert_eq(certificate.key_usage, 1u << 8, "decipherOnly is the ninth bit");
    cr_assert(read_all(&certificate, SUPPORT_BYTES(KEY_USAGE("\x00\x00"))) == NULL);
    cr_assert(certificate.has_key_usage && certificate.key_usage == 0, "allows nothing");
    cr_assert(!is_read(SUPPORT_BYTES("\x30\x0d\x06\x03\x55\x1d\x0f\x04\x06\x03\x04\x00\x00\x00\x80")),
              "more bits than there are");
}

Test(certificate_extensions, extended_key_usage) {
    struct certificate certificate;
    cr_assert(read_all(&certificate,
                       SUPPORT_BYTES("\x30\x1d\x06\x03\x55\x1d\x25\x04\x16\x30\x14" PURPOSE_SERVER PURPOSE_CLIENT)) == NULL);
    cr_assert(certificate.has_extended_key_usage && certificate.allows_client_auth);
    cr_assert(read_all(&certificate, SUPPORT_BYTES("\x30\x13\x06\x03\x55\x1d\x25\x04\x0c\x30\x0a" PURPOSE_SERVER)) == NULL);
    cr_assert(certificate.has_extended_key_usage && !certificate.allows_client_auth);
    cr_assert(read_all(&certificate, SUPPORT_BYTES("\x30\x0f\x06\x03\x55\x1d\x25\x04\x08\x30\x06" PURPOSE_ANY)) == NULL);
    cr_assert(certificate.allows_client_auth);
    cr_assert(!is_read(SUPPORT_BYTES("\x30\x09\x06\x03\x55\x1d\x25\x04\x02\x30\x00")));
}

Test(certificate_extensions, only_the_critical_and_unknown_are_noted) {
    struct certificate certificate;
    struct bytes unknown = SUPPORT_BYTES("\x30\x06\x06\x02\x2a\x03\x04\x00");
    cr_assert(read_all(&certificate, unknown) == NULL && certificate.unknown_critical.size == 0);
    struct bytes critical =
        SUPPORT_BYTES("\x30\x09\x06\x02\x2a\x03" CRITICAL "\x04\x00\x30\x09\x06\x02\x2a\x04" CRITICAL "\x04\x00");
    cr_assert(read_all(&certificate, critical) == NULL);
    cr_assert(bytes_equal(certificate.unknown_critical, SUPPORT_BYTES("\x2a\x03")), "the first");
    struct bytes policies = SUPPORT_BYTES("\x30\x0c\x06\x03\x55\x1d\x20" CRITICAL "\x04\x02\x30\x00");
    cr_assert(read_all(&certificate, policies) == NULL && certificate.unknown_critical.size == 0);
    struct bytes mappings = SUPPORT_BYTES("\x30\x0c\x06\x03\x55\x1d\x21" CRITICAL "\x04\x02\x30\x00");
    cr_assert(read_all(&certificate, mappings) == NULL && certificate.unknown_critical.size == 3);
}

Test(certificate_extensions, comes_once) {
    cr_assert(!is_read(SUPPORT_BYTES("\x30\x06\x06\x02\x2a\x03\x04\x00\x30\x06\x06\x02\x2a\x03\x04\x00")));
    cr_assert(is_read(SUPPORT_BYTES("\x30\x06\x06\x02\x2a\x03\x04\x00\x30\x06\x06\x02\x2a\x04\x04\x00")));
}

Test(certificate_extensions, outer_form) {
    cr_assert(!is_read(SUPPORT_BYTES("\x30\x04\x06\x02\x2a\x03")), "no value");
    cr_assert(!is_read(SUPPORT_BYTES("\x30\x08\x06\x02\x2a\x03\x04\x00\x05\x00")), "something behind the value");
    cr_assert(!is_read(SUPPORT_BYTES("\x30\x06\x06\x02\x2a\x03\x03\x00")), "no OCTET STRING");
    cr_assert(!is_read(SUPPORT_BYTES("\x30\x06\x06\x02\x2a\x83\x04\x00")), "no OID");
    cr_assert(!is_read(SUPPORT_BYTES("\x30\x06\x06\x02\x2a\x03\x04")));
}

Test(certificate_extensions, alternative_names) {
    struct certificate certificate;
    struct bytes names = SUPPORT_BYTES("\x30\x12\x06\x03\x55\x1d\x11\x04\x0b\x30\x09\x82\x01"
                                       "a"
                                       "\x87\x04\x0a\x00\x00\x01");
    cr_assert(read_all(&certificate, names) == NULL);
    uint8_t tag;
    struct bytes value;
    struct bytes rest = certificate.san;
    cr_assert(general_name_next(&rest, &tag, &value) && tag == GENERAL_NAME_DNS && value.size == 1);
    cr_assert(general_name_next(&rest, &tag, &value) && tag == GENERAL_NAME_IP && value.size == 4);
    cr_assert(!general_name_next(&rest, &tag, &value));
    cr_assert(!is_read(SUPPORT_BYTES("\x30\x0c\x06\x03\x55\x1d\x11\x04\x05\x30\x03\x82\x01\x00")), "a NUL");
    cr_assert(!is_read(SUPPORT_BYTES("\x30\x0c\x06\x03\x55\x1d\x11\x04\x05\x30\x03\x89\x01"
                                     "a")),
              "no such form");
    cr_assert(!is_read(SUPPORT_BYTES("\x30\x0c\x06\x03\x55\x1d\x11\x04\x05\x30\x03\x82\x02"
                                     "a")),
              "cut short");
}

Test(certificate_extensions, name_constraints) {
    struct certificate certificate;
    struct bytes both = SUPPORT_BYTES("\x30\x17\x06\x03\x55\x1d\x1e\x04\x10\x30\x0e\xa0\x05\x30\x03\x82\x01"
                                      "a"
                                      "\xa1\x05\x30\x03\x82\x01"
                                      "b");
    cr_assert(read_all(&certificate, both) == NULL);
    uint8_t tag;
    struct bytes base;
    struct bytes rest = certificate.permitted;
    cr_assert(general_name_next_subtree(&rest, &tag, &base) && tag == GENERAL_NAME_DNS && base.data[0] == 'a');
    cr_assert(!general_name_next_subtree(&rest, &tag, &base));
    rest = certificate.excluded;
    cr_assert(general_name_next_subtree(&rest, &tag, &base) && base.data[0] == 'b');
    cr_assert(!is_read(SUPPORT_BYTES("\x30\x09\x06\x03\x55\x1d\x1e\x04\x02\x30\x00")), "neither");
    cr_assert(!is_read(SUPPORT_BYTES("\x30\x13\x06\x03\x55\x1d\x1e\x04\x0c\x30\x0a\xa0\x08\x30\x06\x82\x01"
                                     "a"
                                     "\x80\x01\x00")),
              "a minimum");
}
