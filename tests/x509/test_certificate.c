#include "support.h"
#include "x509/certificate.h"
#include "x509/general_name.h"
#include "x509/name.h"
#include "x509/oid.h"

static struct bytes chain[SUPPORT_CHAIN_MAX];
static size_t count;
static struct certificate certificate;

static void setup(void) {
    const char *why;
    count = support_chain(CORPUS "/fields", "full.pem", chain);
    cr_assert(certificate_read(&certificate, chain[0], &why), "%s", why);
}

static void teardown(void) {
    support_free_chain(chain, count);
}

TestSuite(certificate, .init = setup, .fini = teardown);

static bool is_inside(struct bytes part, struct bytes whole) {
    return part.size == 0 || (part.data >= whole.data && part.data + part.size <= whole.data + whole.size);
}

Test(certificate, is_views_of_what_was_presented) {
    const struct bytes parts[] = {
        certificate.tbs,  certificate.serial, certificate.issuer,    certificate.subject,
        certificate.spki, certificate.key,    certificate.signature, certificate.extensions,
        certificate.ski,  certificate.aki,    certificate.san,
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        cr_assert(parts[i].size > 0 && is_inside(parts[i], chain[0]), "part %zu", i);
    }
    cr_assert(bytes_equal(certificate.der, chain[0]));
}

Test(certificate, has_what_it_was_made_with) {
    cr_assert_eq(certificate.version, 3);
    cr_assert(bytes_equal(certificate.serial, SUPPORT_BYTES("\x0a\x00\xff")));
    cr_assert_eq(certificate.not_before, 1577836800);
    cr_assert_eq(certificate.not_after, 2208988800);
    cr_assert(bytes_equal(certificate.ski, SUPPORT_BYTES("\x00\xff\x10\xab\xcd\xef")));
    cr_assert(!certificate.is_ca && !certificate.has_path_length);
    cr_assert(certificate.has_key_usage && certificate.key_usage == KEY_USAGE_DIGITAL_SIGNATURE);
    cr_assert(certificate.has_extended_key_usage && certificate.allows_client_auth);
    cr_assert(certificate.unknown_critical.size == 0);
    cr_assert(!certificate_is_self_issued(&certificate));
}

Test(certificate, of_a_ca) {
    struct certificate ca;
    const char *why;
    cr_assert(certificate_read(&ca, chain[1], &why));
    cr_assert(ca.is_ca && !ca.has_path_length);
    cr_assert_eq(ca.key_usage, KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_CRL_SIGN);
    cr_assert(name_equal(ca.subject, certificate.issuer));
    cr_assert(bytes_equal(ca.ski, certificate.aki));
}

Test(certificate, every_extension_can_be_reached) {
    size_t found = 0;
    struct extension extension;
    for (struct bytes rest = certificate.extensions; certificate_next_extension(&rest, &extension);) {
        found++;
    }
    cr_assert_eq(found, 6);
    uint8_t oid[16];
    size_t size;
    cr_assert(oid_parse("1.3.6.1.4.1.99999.7", oid, sizeof oid, &size));
    cr_assert(certificate_find_extension(&certificate, bytes_of(oid, size), &extension));
    cr_assert(bytes_equal(extension.value, SUPPORT_BYTES("\0\1\2private")) && !extension.critical);
    cr_assert(certificate_find_extension(&certificate, OID_KEY_USAGE, &extension) && extension.critical);
    cr_assert(!certificate_find_extension(&certificate, OID_NAME_CONSTRAINTS, &extension));
}

Test(certificate, alternative_names_come_in_order) {
    static const uint8_t tags[] = {GENERAL_NAME_DNS, GENERAL_NAME_EMAIL, GENERAL_NAME_URI, GENERAL_NAME_IP,
                                   GENERAL_NAME_DNS, GENERAL_NAME_URI,   GENERAL_NAME_IP,  GENERAL_NAME_OTHER};
    struct bytes rest = certificate.san;
    struct bytes value;
    uint8_t tag;
    for (size_t i = 0; i < sizeof tags; i++) {
        cr_assert(general_name_next(&rest, &tag, &value) && tag == tags[i], "name %zu", i);
    }
    cr_assert(!general_name_next(&rest, &tag, &value));
}

/* Each in memory of exactly its size, so that a read past it is seen. */
Test(certificate, every_cut_is_malformed) {
    for (size_t size = 0; size < chain[0].size; size++) {
        uint8_t *copy = malloc(size > 0 ? size : 1);
        memcpy(copy, chain[0].data, size);
        struct certificate cut;
        const char *why = NULL;
        cr_assert(!certificate_read(&cut, bytes_of(copy, size), &why) && why != NULL, "%zu bytes", size);
        free(copy);
    }
}

Test(certificate, survives_every_change_of_a_byte) {
    static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0x81, 0x84, 0xff};
    uint8_t *copy = malloc(chain[0].size);
    memcpy(copy, chain[0].data, chain[0].size);
    for (size_t at = 0; at < chain[0].size; at++) {
        for (size_t i = 0; i < sizeof values; i++) {
            const char *why = NULL;
            copy[at] = values[i];
            struct certificate changed;
            if (certificate_read(&changed, bytes_of(copy, chain[0].size), &why)) {
                cr_assert(is_inside(changed.san, bytes_of(copy, chain[0].size)));
            } else {
                cr_assert(why != NULL);
            }
        }
        copy[at] = chain[0].data[at];
    }
    free(copy);
}
