#include "base/check.h"
#include "config/lookup.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct config_host hosts[] = {
    {.name = "www.example.com"},
    {.name = "*.example.com"},
    {.name = "api.example.com"},
    {.name = "*.a.example.com"},
    {.name = "localhost"},
    {.name = "example.com"},
    {.name = "*.test", .is_default = true},
    {.name = NULL},
};

static struct config make(void) {
    struct config config = {.hosts = hosts, .host_count = ARRAY_LENGTH(hosts)};
    for (size_t i = 0; i < ARRAY_LENGTH(hosts); i++) {
        hosts[i].index = (uint32_t)i;
    }
    lookup_build(&config);
    return config;
}

static void discard(struct config *config) {
    free(config->exact);
    free(config->wildcards);
}

static void assert_found(const struct config *config, const char *name, const char *expected) {
    const struct config_host *host = config_find_host(config, name);
    if (expected == NULL) {
        cr_assert_null(host, "%s gave %s", name, host->name);
    } else {
        cr_assert(host != NULL && strcmp(host->name, expected) == 0, "%s", name);
    }
}

Test(lookup, exact_first_then_one_label) {
    struct config config = make();
    assert_found(&config, "www.example.com", "www.example.com");
    assert_found(&config, "api.example.com", "api.example.com");
    assert_found(&config, "other.example.com", "*.example.com");
    assert_found(&config, "a.example.com", "*.example.com");
    assert_found(&config, "x.a.example.com", "*.a.example.com");
    assert_found(&config, "example.com", "example.com");
    assert_found(&config, "localhost", "localhost");
    assert_found(&config, "x.test", "*.test");
    discard(&config);
}

Test(lookup, nothing_else) {
    struct config config = make();
    static const char *const names[] = {"x.y.example.com", "x.y.a.example.com", "test",         ".example.com",
                                        "example.co",      "*.example.org",     "xexample.com", ".",
                                        ".test",           "api.example.com.",  "localhos",     "localhostx"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        assert_found(&config, names[i], NULL);
    }
    discard(&config);
}

Test(lookup, no_name_is_the_default_host) {
    struct config config = make();
    assert_found(&config, "", "*.test");
    hosts[6].is_default = false;
    discard(&config);
    config = make();
    assert_found(&config, "", NULL);
    discard(&config);
}

Test(lookup, nothing_is_found_among_none) {
    struct config config = {0};
    lookup_build(&config);
    assert_found(&config, "", NULL);
    assert_found(&config, "a.b", NULL);
    discard(&config);
}

enum {
    ALL_KEYS = SERVER_KEY_P256 | SERVER_KEY_P384 | SERVER_KEY_ED25519 | SERVER_KEY_RSA,
    ALL_SCHEMES = SCHEMES_ECDSA | SCHEME_ED25519 | SCHEMES_PSS | SCHEMES_PKCS1,
};

static void assert_chosen(const struct config_host *host, unsigned keys, unsigned chain_schemes, size_t expected) {
    struct hello hello = {.keys = (uint8_t)keys, .chain_schemes = (uint16_t)chain_schemes};
    cr_expect_eq(config_choose_certificate(host, &hello), expected, "keys %x, schemes %x", keys, chain_schemes);
}

Test(lookup, the_first_certificate_that_the_client_can_verify) {
    struct tls_credentials p384 = {.needs_key = SERVER_KEY_P384, .needs_chain = SCHEME_ECDSA_SHA384};
    struct tls_credentials rsa = {.needs_key = SERVER_KEY_RSA, .needs_chain = SCHEME_PKCS1_SHA256};
    struct tls_credentials ed25519 = {.needs_key = SERVER_KEY_ED25519};
    struct config_host host = {.certificates = {{&p384, NULL}, {&rsa, NULL}, {&ed25519, NULL}}, .certificate_count = 3};
    assert_chosen(&host, ALL_KEYS, ALL_SCHEMES, 0);
    assert_chosen(&host, ALL_KEYS & ~SERVER_KEY_P384, ALL_SCHEMES, 1);
    assert_chosen(&host, SERVER_KEY_RSA, ALL_SCHEMES, 1);
    assert_chosen(&host, SERVER_KEY_ED25519 | SERVER_KEY_P256, ALL_SCHEMES, 2);
    assert_chosen(&host, SERVER_KEY_P256, ALL_SCHEMES, 0);
    assert_chosen(&host, 0, 0, 0);
    host.certificate_count = 1;
    assert_chosen(&host, SERVER_KEY_RSA, ALL_SCHEMES, 0);
}

/* RFC 8446 section 4.4.2.2: the chain's signatures count where there is a choice, and the key counts more. */
Test(lookup, a_chain_that_the_client_can_verify_goes_first) {
    struct tls_credentials p256 = {.needs_key = SERVER_KEY_P256, .needs_chain = SCHEME_PKCS1_SHA256 | SCHEME_ECDSA_SHA256};
    struct tls_credentials rsa = {.needs_key = SERVER_KEY_RSA, .needs_chain = SCHEME_PKCS1_SHA256};
    struct tls_credentials odd = {.needs_key = SERVER_KEY_ED25519, .needs_chain = SCHEME_OTHER};
    struct config_host host = {.certificates = {{&odd, NULL}, {&p256, NULL}, {&rsa, NULL}}, .certificate_count = 3};
    assert_chosen(&host, ALL_KEYS, ALL_SCHEMES, 1);
    assert_chosen(&host, ALL_KEYS, SCHEMES_PKCS1, 2);
    assert_chosen(&host, ALL_KEYS, SCHEMES_ECDSA, 0);
    assert_chosen(&host, SERVER_KEY_P256 | SERVER_KEY_RSA, SCHEMES_ECDSA, 1);
    assert_chosen(&host, SERVER_KEY_RSA, SCHEMES_ECDSA, 2);
}
