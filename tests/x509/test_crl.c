#include "revocation_support.h"
#include "x509/crl.h"
#include "x509/name.h"

static const char *why;

/* The CRL in the first block of a file, in memory of its own size. */
static struct bytes load(const char *name) {
    struct bytes blocks[SUPPORT_CHAIN_MAX];
    size_t count = support_chain(REVOCATION "/crls", name, blocks);
    support_free_chain(blocks + 1, count - 1);
    return blocks[0];
}

static struct bytes der;
static struct crl crl;

static void read(const char *name) {
    der = load(name);
    cr_assert(crl_read(&crl, der, &why), "%s: %s", name, why);
}

static void teardown(void) {
    support_free(der);
}

TestSuite(crl, .fini = teardown);

Test(crl, says_what_is_in_it) {
    read("middle.pem");
    cr_assert(crl.version == 2 && crl.this_update == 1777593600 && crl.next_update == 1782864000);
    char buffer[64];
    struct text text = text_over(buffer, sizeof buffer);
    name_append_text(&text, crl.issuer);
    cr_assert(bytes_equal(text_bytes(&text), bytes_of_string("CN=Middle,O=Corpus")));
    cr_assert_eq(crl.aki.size, 20);
    cr_assert(crl.point_names.size == 0 && crl.point_relative.size == 0);
    cr_assert(!crl.only_user_certificates && !crl.only_ca_certificates);
    cr_assert(bytes_equal(crl.der, der) && crl.tbs.data > der.data && crl.tbs.size < der.size);
    cr_assert(crl.signature.data + crl.signature.size == der.data + der.size);
}

Test(crl, yields_its_entries_in_order) {
    read("middle.pem");
    struct bytes rest = crl.entries;
    struct crl_entry entry;
    cr_assert_eq(crl_next_entry(&crl, &rest, &entry, &why), CRL_ENTRY);
    cr_assert(bytes_equal(entry.serial, SUPPORT_BYTES("\x77")) && entry.date == 1776249000 && entry.reason == 0);
    cr_assert_eq(crl_next_entry(&crl, &rest, &entry, &why), CRL_ENTRY);
    cr_assert(bytes_equal(entry.serial, SUPPORT_BYTES("\x78")) && entry.reason == 1);
    cr_assert_eq(crl_next_entry(&crl, &rest, &entry, &why), CRL_END);
}

Test(crl, takes_serials_as_certificates_have_them) {
    static const struct {
        const char *file;
        struct bytes serial;
    } serials[] = {
        {"serial-20-octets.pem",
         {(const uint8_t *)"\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 21}},
        {"serial-negative.pem", {(const uint8_t *)"\xff\x7f", 2}},
        {"serial-zero.pem", {(const uint8_t *)"\0", 1}},
        {"serial-minus-one.pem", {(const uint8_t *)"\xff", 1}},
        {"serial-sign-octet.pem", {(const uint8_t *)"\0\xff\x7f", 3}},
    };
    for (size_t i = 0; i < sizeof serials / sizeof serials[0]; i++) {
        read(serials[i].file);
        struct bytes rest = crl.entries;
        struct crl_entry entry;
        cr_assert_eq(crl_next_entry(&crl, &rest, &entry, &why), CRL_ENTRY);
        cr_assert_eq(crl_next_entry(&crl, &rest, &entry, &why), CRL_ENTRY);
        cr_expect(bytes_equal(entry.serial, serials[i].serial), "%s", serials[i].file);
        teardown();
    }
    der = bytes_of(NULL, 0);
}

Test(crl, may_lack_what_is_optional) {
    read("version-1.pem");
    cr_assert(crl.version == 1 && crl.aki.size == 0 && crl.entries.size > 0);
    teardown();
    read("empty-list.pem");
    cr_assert_eq(crl.entries.size, 0);
    teardown();
    read("no-next-update.pem");
    cr_assert(crl.next_update == INT64_MAX && crl.entries.size == 0);
    teardown();
    read("generalized-time.pem");
    cr_assert_eq(crl.next_update, 2524608000);
}

Test(crl, reads_what_it_is_for) {
    read("middle-users.pem");
    cr_assert(crl.only_user_certificates && !crl.only_ca_certificates && crl.point_names.size == 0);
    teardown();
    read("middle-cas.pem");
    cr_assert(!crl.only_user_certificates && crl.only_ca_certificates);
    teardown();
    read("middle-here.pem");
    cr_assert(bytes_equal(crl.point_names, SUPPORT_BYTES("\x86\x1c"
                                                         "http://crl.example.com/1.crl")));
}

/* Cut anywhere, and with any one octet turned into another, it is refused or read; never past its end. */
Test(crl, stays_within_its_bytes) {
    read("other-entry-extensions.pem");
    for (size_t size = 0; size < der.size; size++) {
        uint8_t *cut = malloc(size > 0 ? size : 1);
        memcpy(cut, der.data, size);
        struct crl other;
        cr_expect(!crl_read(&other, bytes_of(cut, size), &why), "%zu", size);
        free(cut);
    }
    for (size_t at = 0; at < der.size; at++) {
        uint8_t *octet = (uint8_t *)der.data + at;
        uint8_t before = *octet;
        for (unsigned bit = 0; bit < 8; bit++) {
            *octet = (uint8_t)(before ^ 1u << bit);
            struct crl other;
            struct crl_entry entry;
            if (crl_read(&other, der, &why)) {
                struct bytes rest = other.entries;
                while (crl_next_entry(&other, &rest, &entry, &why) == CRL_ENTRY) {
                    cr_assert(entry.serial.size >= 1 && entry.serial.size <= 21 && entry.reason <= 10);
                }
            }
        }
        *octet = before;
    }
}

Test(crl, names_reasons_for_people) {
    cr_assert_str_eq(crl_reason_text(1), "key compromise");
    cr_assert_str_eq(crl_reason_text(6), "on hold");
    cr_assert(crl_reason_text(0) == NULL && crl_reason_text(7) == NULL && crl_reason_text(8) == NULL);
    cr_assert(crl_reason_text(10) != NULL && crl_reason_text(11) == NULL && crl_reason_text(255) == NULL);
    der = bytes_of(NULL, 0);
}
