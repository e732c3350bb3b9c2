#include "revocation_support.h"
#include "x509/der.h"
#include "x509/distribution_point.h"
#include "x509/name.h"

static struct bytes chain[SUPPORT_CHAIN_MAX];
static size_t count;
static struct certificate certificate;

static void read(const char *file) {
    const char *why;
    count = support_chain(REVOCATION "/chains", file, chain);
    cr_assert(certificate_read(&certificate, chain[0], &why), "%s", why);
}

static void teardown(void) {
    support_free_chain(chain, count);
}

TestSuite(distribution_point, .fini = teardown);

#define HERE  SUPPORT_BYTES("\x86\x1chttp://crl.example.com/1.crl")
#define THERE SUPPORT_BYTES("\x86\x1chttp://crl.example.com/2.crl")

Test(distribution_point, kinds_of_certificates) {
    const struct distribution_scope all = {.only_user_certificates = false};
    const struct distribution_scope users = {.only_user_certificates = true};
    const struct distribution_scope cas = {.only_ca_certificates = true};
    read("unlisted.pem");
    cr_assert(distribution_scope_covers(&all, &certificate) && distribution_scope_covers(&users, &certificate));
    cr_assert(!distribution_scope_covers(&cas, &certificate));
    const char *why;
    cr_assert(certificate_read(&certificate, chain[1], &why));
    cr_assert(distribution_scope_covers(&all, &certificate) && distribution_scope_covers(&cas, &certificate));
    cr_assert(!distribution_scope_covers(&users, &certificate));
}

Test(distribution_point, names_of_points) {
    struct distribution_scope scope = {.names = HERE};
    read("point-fits.pem");
    cr_assert(distribution_scope_covers(&scope, &certificate));
    scope.names = THERE;
    cr_assert(!distribution_scope_covers(&scope, &certificate));
    /* Another letter, another length, another kind of name. */
    scope.names = SUPPORT_BYTES("\x86\x1chttp://crl.example.com/1.CRL");
    cr_assert(!distribution_scope_covers(&scope, &certificate));
    scope.names = SUPPORT_BYTES("\x86\x1bhttp://crl.example.com/1.cr");
    cr_assert(!distribution_scope_covers(&scope, &certificate));
    scope.names = SUPPORT_BYTES("\x82\x1chttp://crl.example.com/1.crl");
    cr_assert(!distribution_scope_covers(&scope, &certificate));
    scope = (struct distribution_scope){.name = certificate.subject};
    cr_assert(!distribution_scope_covers(&scope, &certificate));
    scope.name = certificate.issuer;
    cr_assert(distribution_scope_covers(&scope, &certificate), "the issuer's own name is always a point");
}

Test(distribution_point, the_second_of_two) {
    const struct distribution_scope scope = {.names = THERE};
    read("point-of-two.pem");
    cr_assert(distribution_scope_covers(&scope, &certificate));
}

Test(distribution_point, points_that_match_nothing) {
    static const char *const files[] = {"point-absent.pem", "point-for-some-reasons.pem", "point-of-another-issuer.pem",
                                        "point-broken.pem"};
    const struct distribution_scope scope = {.names = HERE};
    const struct distribution_scope whole = {.only_user_certificates = true};
    for (size_t i = 0; i < 4; i++) {
        read(files[i]);
        cr_expect(!distribution_scope_covers(&scope, &certificate), "%s", files[i]);
        cr_expect(distribution_scope_covers(&whole, &certificate), "%s", files[i]);
        teardown();
    }
    count = 0;
}

Test(distribution_point, joins_a_relative_name) {
    static const uint8_t rdn[] = {0x30, 0x08, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x01, 'x'};
    char buffer[64];
    struct text text = text_over(buffer, sizeof buffer);
    read("unlisted.pem");
    uint8_t out[256];
    size_t size = distribution_point_join(certificate.issuer, bytes_of(rdn, sizeof rdn), out, sizeof out);
    cr_assert_eq(size, certificate.issuer.size + sizeof rdn + 2);
    name_append_text(&text, bytes_of(out, size));
    cr_assert(bytes_equal(text_bytes(&text), bytes_of_string("CN=x,CN=Middle,O=Corpus")));
    cr_assert_eq(distribution_point_join(certificate.issuer, bytes_of(rdn, sizeof rdn), out, size), size);
    cr_assert_eq(distribution_point_join(certificate.issuer, bytes_of(rdn, sizeof rdn), out, size - 1), 0);
    cr_assert_eq(distribution_point_join(certificate.issuer, bytes_of(rdn, sizeof rdn - 1), out, sizeof out), 0);
}

/* Lengths of two and of three octets. */
Test(distribution_point, joins_long_names) {
    read("unlisted.pem");
    for (size_t length = 100; length <= 1000; length += 150) {
        struct bytes issuer = certificate.issuer;
        size_t at = 0;
        /* SEQUENCE, OID 2.5.4.3, UTF8String, each with lengths in two octets behind their first. */
        size_t inner = length + 5 + 4;
        const uint8_t head[] = {0x30, 0x82, (uint8_t)(inner >> 8),  (uint8_t)inner, 0x06, 0x03, 0x55, 0x04, 0x03,
                                0x0c, 0x82, (uint8_t)(length >> 8), (uint8_t)length};
        uint8_t rdn[1024];
        memcpy(rdn, head, sizeof head);
        at = sizeof head;
        memset(rdn + at, 'a', length);
        uint8_t out[2048];
        size_t size = distribution_point_join(issuer, bytes_of(rdn, at + length), out, sizeof out);
        /* Below 256 these lengths are not in their shortest form, so that it is no name. */
        cr_expect((size > 0) == (length >= 256), "%zu", length);
        struct bytes content;
        cr_expect(size == 0 || der_only(bytes_of(out, size), DER_SEQUENCE, &content), "%zu", length);
    }
}
