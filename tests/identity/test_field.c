#include "identity/field.h"
#include "support.h"

static const struct {
    const char *name;
    enum field_kind kind;
} plain[] = {
    {"status", FIELD_STATUS},
    {"reason", FIELD_REASON},
    {"ski", FIELD_SKI},
    {"aki", FIELD_AKI},
    {"serial", FIELD_SERIAL},
    {"subject.dn", FIELD_SUBJECT_DN},
    {"issuer.dn", FIELD_ISSUER_DN},
    {"san.dns", FIELD_SAN_DNS},
    {"san.email", FIELD_SAN_EMAIL},
    {"san.uri", FIELD_SAN_URI},
    {"san.ip", FIELD_SAN_IP},
    {"not_before", FIELD_NOT_BEFORE},
    {"not_after", FIELD_NOT_AFTER},
    {"fingerprint.sha256", FIELD_FINGERPRINT_SHA256},
    {"fingerprint.sha1", FIELD_FINGERPRINT_SHA1},
    {"spki.sha256", FIELD_SPKI_SHA256},
    {"pem.urlencoded", FIELD_PEM_URLENCODED},
    {"der.base64", FIELD_DER_BASE64},
    {"rfc9440.cert", FIELD_RFC9440_CERT},
    {"rfc9440.chain", FIELD_RFC9440_CHAIN},
    {"xfcc", FIELD_XFCC},
    {"tls.version", FIELD_TLS_VERSION},
    {"tls.cipher", FIELD_TLS_CIPHER},
    {"key_exchange_group", FIELD_KEY_EXCHANGE_GROUP},
    {"sni", FIELD_SNI},
};

Test(field, knows_the_contracts_names) {
    struct field field;
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        cr_assert(field_parse(plain[i].name, &field) && field.kind == plain[i].kind, "%s", plain[i].name);
    }
}

Test(field, knows_the_attributes_of_both_names) {
    static const char *const attributes[] = {"cn", "o", "ou", "l", "st", "c", "emailaddress", "serialnumber", "uid", "dc"};
    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
        char name[64];
        struct field subject;
        struct field issuer;
        snprintf(name, sizeof name, "subject.%s", attributes[i]);
        cr_assert(field_parse(name, &subject) && subject.kind == FIELD_SUBJECT_ATTRIBUTE, "%s", name);
        snprintf(name, sizeof name, "issuer.%s", attributes[i]);
        cr_assert(field_parse(name, &issuer) && issuer.kind == FIELD_ISSUER_ATTRIBUTE, "%s", name);
        cr_assert(subject.oid_size > 0 && subject.oid_size == issuer.oid_size &&
                  memcmp(subject.oid, issuer.oid, subject.oid_size) == 0);
    }
}

Test(field, takes_any_extension) {
    struct field field;
    cr_assert(field_parse("ext:2.5.29.17", &field));
    cr_assert(field.kind == FIELD_EXTENSION && field.oid_size == 3 && memcmp(field.oid, "\x55\x1d\x11", 3) == 0);
}

Test(field, refuses_what_does_not_exist) {
    static const char *const bad[] = {
        "",
        "Status",
        "subject",
        "subject.",
        "subject.DN",
        "subject.x",
        "issuer.",
        "san",
        "san.",
        "ext",
        "ext:",
        "ext:1",
        "ext:1.2.x",
        "ext:1.2.3.",
        "fingerprint.md5",
        "ski ",
        " ski",
        "xfcc.by",
        "ext:1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.21.22.23.24.25.26.27.28.29.30.31.32.33.34",
    };
    struct field field;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert(!field_parse(bad[i], &field), "%s", bad[i]);
    }
}

Test(field, names_are_those_that_are_read) {
    size_t count = 0;
    bool has_subject_cn = false;
    char name[FIELD_NAME_SIZE];
    struct field field;
    while (field_name_at(count, name)) {
        cr_assert(field_parse(name, &field), "%s", name);
        has_subject_cn = has_subject_cn || strcmp(name, "subject.cn") == 0;
        count++;
    }
    cr_assert(count == 25 + 2 * 10 && has_subject_cn);
    cr_assert_not(field_name_at(SIZE_MAX, name));
}

/* The order is that in which verify prints them. */
Test(field, attributes_stand_behind_their_name) {
    static const char *const first[] = {"status", "reason", "ski", "aki", "serial", "subject.dn", "subject.cn", "subject.o"};
    char name[FIELD_NAME_SIZE];
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
        cr_assert(field_name_at(i, name));
        cr_expect_str_eq(name, first[i]);
    }
    cr_assert(field_name_at(5 + 1 + 10, name));
    cr_expect_str_eq(name, "issuer.dn");
    cr_assert(field_name_at(5 + 1 + 10 + 1, name));
    cr_expect_str_eq(name, "issuer.cn");
    cr_assert(field_name_at(5 + 1 + 10 + 1 + 10, name));
    cr_expect_str_eq(name, "san.dns");
}

Test(field, each_has_a_source) {
    static const struct {
        const char *name;
        enum field_source source;
    } cases[] = {
        {"status", FIELD_OF_VERDICT},         {"reason", FIELD_OF_VERDICT},
        {"ski", FIELD_OF_CERTIFICATE},        {"xfcc", FIELD_OF_CERTIFICATE},
        {"issuer.cn", FIELD_OF_CERTIFICATE},  {"ext:1.2.3", FIELD_OF_CERTIFICATE},
        {"tls.version", FIELD_OF_CONNECTION}, {"tls.cipher", FIELD_OF_CONNECTION},
        {"sni", FIELD_OF_CONNECTION},         {"key_exchange_group", FIELD_OF_CONNECTION},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct field field;
        cr_assert(field_parse(cases[i].name, &field));
        cr_expect_eq(field_source(&field), cases[i].source, "%s", cases[i].name);
    }
}
