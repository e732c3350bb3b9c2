#include "builder.h"
#include "guard/offer_rules.h"

#include <criterion/criterion.h>

/* Reads and judges a spec from memory of exactly its size. */
static bool judge(const struct hello_spec *spec, struct hello *hello) {
    static struct builder body;
    struct offer offer;

    build_body(&body, spec);
    uint8_t *copy = malloc(body.size);
    cr_assert_not_null(copy);
    memcpy(copy, body.data, body.size);
    *hello = (struct hello){0};
    cr_assert(offer_read(bytes_of(copy, body.size), &offer, hello), "%s", hello->fault);
    bool usable = offer_rules_check(&offer, hello);
    free(copy);
    return usable;
}

static void expect_usable(const struct hello_spec *spec, bool tls13) {
    struct hello hello;
    cr_expect(judge(spec, &hello), "%s", hello.fault);
    cr_expect_eq(hello.tls13, tls13);
}

static void expect_rejected(const struct hello_spec *spec, enum tls_alert alert, const char *what) {
    struct hello hello;
    cr_expect_not(judge(spec, &hello), "%s", what);
    cr_expect_eq(hello.alert, alert, "%s: %d %s", what, hello.alert, hello.fault);
}

struct change {
    const char *name;
    unsigned type;
    const char *content; /* NULL: the extension is dropped */
    enum tls_alert alert;
};

static void expect_all_rejected(struct hello_spec base, const struct change *changes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct hello_spec spec = base;
        if (changes[i].content == NULL) {
            spec_drop(&spec, changes[i].type);
        } else {
            spec_set(&spec, changes[i].type, changes[i].content);
        }
        expect_rejected(&spec, changes[i].alert, changes[i].name);
    }
}

Test(offer_rules, each_version_is_taken) {
    struct hello_spec spec = spec_tls13();
    expect_usable(&spec, true);
    spec_set(&spec, 43, "06 7a7a 0304 0302");
    expect_usable(&spec, true);
    spec = spec_tls12();
    expect_usable(&spec, false);
    spec_set(&spec, 43, "04 0303 0302");
    expect_usable(&spec, false);
    spec = spec_tls13();
    spec_set(&spec, 43, "04 0304 0303");
    expect_usable(&spec, true); /* no suite of TLS 1.2 */
    spec.suites = "1301 c02b";
    expect_usable(&spec, true);
}

Test(offer_rules, other_versions_are_refused) {
    static const char *const versions[] = {"02 0302", "04 0302 0301", "02 0305", "04 7f1c 0a0a", "02 fefc"};

    for (size_t i = 0; i < ARRAY_LENGTH(versions); i++) {
        struct hello_spec spec = spec_tls13();
        spec_set(&spec, 43, versions[i]);
        expect_rejected(&spec, TLS_ALERT_PROTOCOL_VERSION, versions[i]);
    }
}

/* To a client that has offered TLS 1.3 an answer in 1.2 would be a downgrade. */
Test(offer_rules, tls12_does_not_stand_in_for_an_unusable_tls13) {
    struct hello_spec spec = spec_tls12();
    spec_set(&spec, 43, "04 0304 0303");
    spec_set(&spec, 51, KEY_SHARE_X25519);
    expect_rejected(&spec, TLS_ALERT_HANDSHAKE_FAILURE, "no suite of TLS 1.3");
}

Test(offer_rules, fallback_is_refused) {
    struct hello_spec spec = spec_tls12();
    spec.suites = "c02b 5600";
    expect_rejected(&spec, TLS_ALERT_INAPPROPRIATE_FALLBACK, "fallback");
    spec_set(&spec, 43, "02 0303");
    expect_rejected(&spec, TLS_ALERT_INAPPROPRIATE_FALLBACK, "fallback");
    spec = spec_tls13();
    spec.suites = "1301 5600";
    expect_usable(&spec, true);
}

Test(offer_rules, compression) {
    struct hello_spec spec = spec_tls13();
    spec.compression = "01";
    expect_rejected(&spec, TLS_ALERT_ILLEGAL_PARAMETER, "deflate only");
    spec.compression = "01 00";
    expect_rejected(&spec, TLS_ALERT_ILLEGAL_PARAMETER, "TLS 1.3 offers null alone");
    spec.compression = "00 00";
    expect_rejected(&spec, TLS_ALERT_ILLEGAL_PARAMETER, "TLS 1.3 offers null once");
    spec = spec_tls12();
    spec.compression = "01 00";
    expect_usable(&spec, false);
    spec.compression = "01 40";
    expect_rejected(&spec, TLS_ALERT_ILLEGAL_PARAMETER, "without null");
}

Test(offer_rules, tls13_needs_its_extensions) {
    static const struct change changes[] = {
        {"no supported_groups", 10, NULL, TLS_ALERT_MISSING_EXTENSION},
        {"no signature_algorithms", 13, NULL, TLS_ALERT_MISSING_EXTENSION},
        {"no key_share", 51, NULL, TLS_ALERT_MISSING_EXTENSION},
        {"cookie without a HelloRetryRequest", 44, "0001 00", TLS_ALERT_ILLEGAL_PARAMETER},
        {"groups that we do not have", 10, "0004 001e 0100", TLS_ALERT_ILLEGAL_PARAMETER},
        {"SHA-1 schemes", 13, "0004 0201 0203", TLS_ALERT_HANDSHAKE_FAILURE},
        {"PKCS#1 schemes, which TLS 1.3 has not", 13, "0006 0401 0501 0601", TLS_ALERT_HANDSHAKE_FAILURE},
        {"schemes that we do not have", 13, "0006 0808 1a1a 0420", TLS_ALERT_HANDSHAKE_FAILURE},
    };

    expect_all_rejected(spec_tls13(), changes, ARRAY_LENGTH(changes));

    struct hello_spec spec = spec_tls13();
    spec_drop(&spec, 10);
    spec_drop(&spec, 51);
    expect_rejected(&spec, TLS_ALERT_MISSING_EXTENSION, "neither groups nor shares");
    spec = spec_tls13();
    spec_set(&spec, 10, "0004 001e 0100");
    spec_set(&spec, 51, "0000");
    expect_rejected(&spec, TLS_ALERT_HANDSHAKE_FAILURE, "groups that we do not have");
    spec = spec_tls13();
    spec.suites = "c02b 1304 1305";
    expect_rejected(&spec, TLS_ALERT_HANDSHAKE_FAILURE, "suites that we do not have");
}

Test(offer_rules, key_shares) {
    static const struct change changes[] = {
        {"empty", 51, "", TLS_ALERT_DECODE_ERROR},
        {"list longer", 51, "0025 001d 0020" HEX_32, TLS_ALERT_DECODE_ERROR},
        {"list shorter", 51, "0023 001d 0020" HEX_32, TLS_ALERT_DECODE_ERROR},
        {"share longer than the list", 51, "0024 001d 0021" HEX_32, TLS_ALERT_DECODE_ERROR},
        {"share of nothing", 51, "0004 001d 0000", TLS_ALERT_DECODE_ERROR},
        {"half a share", 51, "0003 001d 00", TLS_ALERT_DECODE_ERROR},
        {"group that was not offered", 51, "0005 001e 0001 00", TLS_ALERT_ILLEGAL_PARAMETER},
        {"X25519 too short", 51, "0005 001d 0001 00", TLS_ALERT_ILLEGAL_PARAMETER},
        {"X25519 too long", 51, "0025 001d 0021 00" HEX_32, TLS_ALERT_ILLEGAL_PARAMETER},
        {"P-256 compressed", 51, "0025 0017 0021 02" HEX_32, TLS_ALERT_ILLEGAL_PARAMETER},
        {"P-256 in another form", 51, "0045 0017 0041 06" HEX_64, TLS_ALERT_ILLEGAL_PARAMETER},
        {"the same group twice", 51, "0048 001d 0020" HEX_32 "001d 0020" HEX_32, TLS_ALERT_ILLEGAL_PARAMETER},
        {"in another order than the groups", 51, "0069 0017 0041 04" HEX_64 "001d 0020" HEX_32, TLS_ALERT_ILLEGAL_PARAMETER},
    };

    expect_all_rejected(spec_tls13(), changes, ARRAY_LENGTH(changes));

    struct hello_spec spec = spec_tls13();
    spec_set(&spec, 51, "0000"); /* asks for a HelloRetryRequest */
    expect_usable(&spec, true);
    spec_set(&spec, 51, "0069 001d 0020" HEX_32 "0017 0041 04" HEX_64);
    expect_usable(&spec, true);
    spec_set(&spec, 51, "0045 0017 0041 04" HEX_64);
    expect_usable(&spec, true);
    spec_set(&spec, 10, "000a dada 11ee 001d 0100 0017");
    spec_set(&spec, 51, "0010 dada 0001 00 11ee 0002 abcd 0100 0001 00");
    expect_usable(&spec, true);
}

/* Writes an extension of key shares: GREASE, one of a hybrid with so many bytes, which begin with `first`, then X25519. */
static const char *hybrid_shares(char text[static 8192], const char *group, unsigned first, unsigned size) {
    int at = snprintf(text, 8192, "%04x 4a4a 0001 00 %s %04x %02x", 5 + 4 + size + 4 + 32, group, size, first);
    for (unsigned i = 1; i < size; i++) {
        at += snprintf(text + at, 8192 - (size_t)at, "00");
    }
    snprintf(text + at, 8192 - (size_t)at, "001d 0020 %s", HEX_32);
    return text;
}

/* As browsers send it. */
Test(offer_rules, hybrid_shares) {
    static char text[8192];
    struct hello_spec spec = spec_tls13();
    struct hello hello;

    spec_set(&spec, 10, "000c 4a4a 11ec 11eb 001d 0017 0018");
    spec_set(&spec, 51, hybrid_shares(text, "11ec", 0, 1216));
    expect_usable(&spec, true);
    spec_set(&spec, 51, hybrid_shares(text, "11eb", 4, 1249));
    cr_expect(judge(&spec, &hello));
    cr_expect_not(hello.could_be_hybrid, "one hybrid is as good as the other");

    static const struct {
        const char *group;
        unsigned first;
        unsigned size;
        const char *what;
    } bad[] = {
        {"11ec", 0, 1215, "too short"},        {"11ec", 0, 1217, "too long"},
        {"11ec", 0, 32, "without ML-KEM"},     {"11ec", 0, 1184, "without X25519"},
        {"11eb", 4, 1216, "of another group"}, {"11eb", 2, 1249, "with a compressed point"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        spec_set(&spec, 51, hybrid_shares(text, bad[i].group, bad[i].first, bad[i].size));
        expect_rejected(&spec, TLS_ALERT_ILLEGAL_PARAMETER, bad[i].what);
    }
}

Test(offer_rules, facts_about_hybrids) {
    static const struct {
        const char *groups;
        bool lacks_curve;
        bool could_be_hybrid;
    } cases[] = {
        {"0004 001d 0017", false, false},
        {"0004 11ec 001d", false, true},
        {"0004 001d 11eb", false, true},
        {"0004 001d 11ed", false, false},
    };
    struct hello hello;

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct hello_spec spec = spec_tls13();
        spec_set(&spec, 10, cases[i].groups);
        cr_assert(judge(&spec, &hello), "%s", hello.fault);
        cr_expect_eq(hello.lacks_curve, cases[i].lacks_curve, "%s", cases[i].groups);
        cr_expect_eq(hello.could_be_hybrid, cases[i].could_be_hybrid, "%s", cases[i].groups);
    }
    struct hello_spec spec = spec_tls13();
    spec_set(&spec, 10, "0002 11eb");
    spec_set(&spec, 51, "0000");
    cr_assert(judge(&spec, &hello), "%s", hello.fault);
    cr_expect(hello.lacks_curve && hello.could_be_hybrid);
}

Test(offer_rules, hybrids_are_none_of_tls12) {
    struct hello_spec spec = spec_tls12();
    spec_set(&spec, 10, "0004 11ec 11eb");
    expect_rejected(&spec, TLS_ALERT_HANDSHAKE_FAILURE, "hybrids alone");
    spec_set(&spec, 10, "0004 11ec 0017");
    expect_usable(&spec, false);
}

#define PSK_MODES      45
#define PRE_SHARED_KEY 41

Test(offer_rules, pre_shared_keys) {
    static const struct change changes[] = {
        {"empty", PRE_SHARED_KEY, "", TLS_ALERT_DECODE_ERROR},
        {"as a server sends it", PRE_SHARED_KEY, "0000", TLS_ALERT_DECODE_ERROR},
        {"no identities", PRE_SHARED_KEY, "0000 0021 20" HEX_32, TLS_ALERT_DECODE_ERROR},
        {"no binders", PRE_SHARED_KEY, "0007 0001 aa 00000000 0000", TLS_ALERT_DECODE_ERROR},
        {"binders left out", PRE_SHARED_KEY, "0007 0001 aa 00000000", TLS_ALERT_DECODE_ERROR},
        {"empty identity", PRE_SHARED_KEY, "0006 0000 00000000 0021 20" HEX_32, TLS_ALERT_DECODE_ERROR},
        {"identity without its age", PRE_SHARED_KEY, "0006 0001 aa 000000 0021 20" HEX_32, TLS_ALERT_DECODE_ERROR},
        {"short binder", PRE_SHARED_KEY, "0007 0001 aa 00000000 0002 01 00", TLS_ALERT_DECODE_ERROR},
        {"binder longer than the list", PRE_SHARED_KEY, "0007 0001 aa 00000000 0021 21" HEX_32, TLS_ALERT_DECODE_ERROR},
        {"bytes behind the binders", PRE_SHARED_KEY, "0007 0001 aa 00000000 0021 20" HEX_32 "00", TLS_ALERT_DECODE_ERROR},
        {"two identities, one binder", PRE_SHARED_KEY, "000e 0001 aa 00000000 0001 bb 00000000 0021 20" HEX_32,
         TLS_ALERT_ILLEGAL_PARAMETER},
        {"one identity, two binders", PRE_SHARED_KEY, "0007 0001 aa 00000000 0042 20" HEX_32 "20" HEX_32,
         TLS_ALERT_ILLEGAL_PARAMETER},
        {"no modes", PSK_MODES, NULL, TLS_ALERT_MISSING_EXTENSION},
    };
    struct hello_spec spec = spec_tls13();
    struct hello hello;

    spec_append(&spec, PSK_MODES, "01 01");
    spec_append(&spec, PRE_SHARED_KEY, ONE_PSK);
    cr_assert(judge(&spec, &hello), "%s", hello.fault);
    cr_expect_eq(hello.first_ticket.size, 32);
    expect_all_rejected(spec, changes, ARRAY_LENGTH(changes));

    spec_set(&spec, PRE_SHARED_KEY,
             "000e 0001 aa 00000000 0001 bb 00000000 0052 20" HEX_32 "30" HEX_32 "00112233445566778899aabbccddeeff");
    expect_usable(&spec, true);
    spec_drop(&spec, 13);
    expect_rejected(&spec, TLS_ALERT_HANDSHAKE_FAILURE, "a ticket alone does not do");
}

Test(offer_rules, tls12_needs_a_matching_pair) {
    static const struct {
        const char *suites;
        const char *signatures;
        bool usable;
    } cases[] = {
        {"c02b", "0002 0403", true},      {"c02c", "0002 0503", true},  {"cca9", "0002 0807", true},
        {"c02f", "0002 0401", true},      {"c030", "0002 0804", true},  {"cca8", "0002 0806", true},
        {"c02b", "0002 0401", false},     {"c02f", "0002 080b", false}, {"c02f", "0002 0403", false},
        {"c02b", "0002 0203", false},     {"c02f", "0002 0201", false}, {"c013", "0002 0401", false},
        {"009c", "0002 0401", false},     {"009e", "0002 0401", false}, {"1301", "0002 0403", false},
        {"c02b c02f", "0002 0401", true},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct hello_spec spec = spec_tls12();
        spec.suites = cases[i].suites;
        spec_set(&spec, 13, cases[i].signatures);
        if (cases[i].usable) {
            expect_usable(&spec, false);
        } else {
            expect_rejected(&spec, TLS_ALERT_HANDSHAKE_FAILURE, cases[i].suites);
        }
    }
}

Test(offer_rules, tls12_extensions) {
    struct hello_spec spec = spec_tls12();
    spec_drop(&spec, 10);
    spec_drop(&spec, 11);
    expect_usable(&spec, false);
    spec_set(&spec, 10, "0004 001e 0100");
    expect_rejected(&spec, TLS_ALERT_HANDSHAKE_FAILURE, "groups that we do not have");
    spec = spec_tls12();
    spec_drop(&spec, 13);
    expect_rejected(&spec, TLS_ALERT_HANDSHAKE_FAILURE, "SHA-1 by default");
    spec.without_extensions = true;
    expect_rejected(&spec, TLS_ALERT_HANDSHAKE_FAILURE, "no extensions");
    spec = spec_tls12();
    spec_append(&spec, 22, "");
    spec_append(&spec, 23, "");
    spec_append(&spec, 0xff01, "00");
    spec_append(&spec, 5, "01 0000 0000");
    expect_usable(&spec, false);
}

Test(offer_rules, tls12_ticket) {
    struct hello_spec spec = spec_tls12();
    struct hello hello;

    spec_append(&spec, 35, "");
    cr_expect(judge(&spec, &hello) && hello.first_ticket.size == 0);
    spec_set(&spec, 35, "00");
    cr_expect(judge(&spec, &hello) && hello.first_ticket.size == 1);
    spec = spec_tls13();
    spec_append(&spec, 35, "00");
    cr_expect(judge(&spec, &hello) && hello.first_ticket.size == 0, "TLS 1.3 does not know it");
}

Test(offer_rules, early_data_is_of_tls13_alone) {
    struct hello_spec spec = spec_tls13();
    struct hello hello;

    cr_assert(judge(&spec, &hello));
    cr_expect_not(hello.early_data);
    spec_append(&spec, 42, "");
    cr_assert(judge(&spec, &hello));
    cr_expect(hello.early_data);
    spec = spec_tls12();
    spec_append(&spec, 42, "");
    cr_assert(judge(&spec, &hello));
    cr_expect_not(hello.early_data);
}

struct keys_case {
    const char *suites;     /* NULL: as they are */
    const char *groups;     /* NULL: the extension is dropped */
    const char *signatures; /* of handshakes */
    unsigned keys;
};

static void expect_keys(struct hello_spec spec, const struct keys_case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct hello_spec changed = spec;
        struct hello hello;

        changed.suites = cases[i].suites == NULL ? spec.suites : cases[i].suites;
        if (cases[i].groups == NULL) {
            spec_drop(&changed, 10);
        } else {
            spec_set(&changed, 10, cases[i].groups);
        }
        spec_set(&changed, 13, cases[i].signatures);
        cr_expect(judge(&changed, &hello), "case %zu: %s", i, hello.fault);
        cr_expect_eq(hello.keys, cases[i].keys, "case %zu: %x", i, hello.keys);
    }
}

/* RFC 8446 section 4.2.3: the scheme has the curve, and the groups are for the key exchange. */
Test(offer_rules, keys_that_a_client_of_tls13_can_verify) {
    static const struct keys_case cases[] = {
        {NULL, "0004 001d 0017", "0002 0403", SERVER_KEY_P256},
        {NULL, "0002 001d", "0002 0503", SERVER_KEY_P384},
        {NULL, "0004 001d 0017", "0002 0603", 0}, /* P-521, which no server key is on */
        {NULL, "0004 001d 0017", "0002 0807", SERVER_KEY_ED25519},
        {NULL, "0004 001d 0017", "0002 0804", SERVER_KEY_RSA},
        {NULL, "0004 001d 0017", "0002 0806", SERVER_KEY_RSA},
        {NULL, "0004 001d 0017", "0004 0401 0403", SERVER_KEY_P256},
        {"1301 c02f", "0004 001d 0017", "0004 0401 0503", SERVER_KEY_P384},
        {NULL, "0004 001d 0017", "000a 0403 0503 0807 0805 0809",
         SERVER_KEY_P256 | SERVER_KEY_P384 | SERVER_KEY_ED25519 | SERVER_KEY_RSA},
    };
    expect_keys(spec_tls13(), cases, ARRAY_LENGTH(cases));
}

/* RFC 8422 sections 2.2, 4 and 5.1.1: by the suites, the groups and the schemes together. */
Test(offer_rules, keys_that_a_client_of_tls12_can_verify) {
    static const struct keys_case cases[] = {
        {"c02b c02f", "0004 001d 0017", "0004 0403 0401", SERVER_KEY_P256 | SERVER_KEY_RSA},
        {"c02b", "0004 001d 0017", "0004 0403 0401", SERVER_KEY_P256},
        {"c02f", "0004 001d 0017", "0004 0403 0401", SERVER_KEY_RSA},
        {"c02b c02f", "0004 001d 0017", "0002 0804", SERVER_KEY_RSA},
        {"c02b c02f", "0004 001d 0018", "0004 0403 0401", SERVER_KEY_P384 | SERVER_KEY_RSA},
        {"c02b c02f", "0006 001d 0018 0017", "0002 0603", SERVER_KEY_P256 | SERVER_KEY_P384},
        {"c02b c02f", "0002 001d", "0004 0403 0601", SERVER_KEY_RSA},
        {"c02b c02f", "0002 001d", "0004 0807 0806", SERVER_KEY_ED25519 | SERVER_KEY_RSA},
        {"c02b c02f", NULL, "0002 0503", SERVER_KEY_P256 | SERVER_KEY_P384},
        {"c02b", "0002 001d", "0002 0403", 0},
    };
    expect_keys(spec_tls12(), cases, ARRAY_LENGTH(cases));
}
