#include "pair.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/coding.h>

static struct error error;
static bool at_key;

static struct tls_credentials *load(const char *chain, const char *key) {
    struct bytes chain_pem = data_read(chain);
    struct bytes key_pem = data_read(key);
    error = (struct error){""};
    struct tls_credentials *credentials = tls_credentials_load(chain_pem, key_pem, &at_key, &error);
    data_free(chain_pem);
    data_free(key_pem);
    return credentials;
}

static void refuses_text(struct bytes chain, struct bytes key, bool expected_at_key, const char *text) {
    error = (struct error){""};
    struct tls_credentials *credentials = tls_credentials_load(chain, key, &at_key, &error);
    cr_assert(credentials == NULL, "loaded, instead of: %s", text);
    cr_assert(strstr(error.text, text) != NULL, "'%s' is not in '%s'", text, error.text);
    cr_assert(at_key == expected_at_key, "wrong file blamed: %s", error.text);
}

static void refuses(const char *chain, const char *key, bool expected_at_key, const char *text) {
    struct bytes chain_pem = data_read(chain);
    struct bytes key_pem = data_read(key);
    refuses_text(chain_pem, key_pem, expected_at_key, text);
    data_free(chain_pem);
    data_free(key_pem);
}

static struct bytes join(const char *const *files, size_t count) {
    char *text = calloc(1, 256 * 1024);
    for (size_t i = 0; i < count; i++) {
        struct bytes file = data_read(files[i]);
        strcat(text, (const char *)file.data);
        data_free(file);
    }
    return bytes_of_string(text);
}

TestSuite(credentials, .init = (void (*)(void))tls_library_init, .fini = tls_library_cleanup);

Test(credentials, loads_every_supported_type) {
    static const struct {
        const char *name;
        int type;
        unsigned needs_key;
        const char *kind;
    } cases[] = {
        {"p256", ECDSAk, SERVER_KEY_P256, "ECDSA"}, {"p384", ECDSAk, SERVER_KEY_P384, "ECDSA"},
        {"rsa2048", RSAk, SERVER_KEY_RSA, "RSA"},   {"rsa3072", RSAk, SERVER_KEY_RSA, "RSA"},
        {"rsa4096", RSAk, SERVER_KEY_RSA, "RSA"},   {"ed25519", ED25519k, SERVER_KEY_ED25519, "Ed25519"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tls_credentials *credentials = server_credentials(cases[i].name);
        cr_assert_eq(credentials->key_type, cases[i].type, "%s", cases[i].name);
        cr_assert_eq(credentials->needs_key, cases[i].needs_key, "%s", cases[i].name);
        cr_assert_eq(credentials->needs_chain, 0, "%s has signed itself", cases[i].name);
        cr_assert_str_eq(tls_credentials_kind(credentials), cases[i].kind);
        cr_assert_eq(credentials->chain_count, 1);
        cr_assert_gt(credentials->not_after, 4000000000); /* a hundred years from when they were made */
        cr_assert_gt(credentials->key.size, 0);
        tls_credentials_free(credentials);
    }
}

Test(credentials, takes_traditional_keys_and_longer_chains) {
    struct tls_credentials *credentials = load("server-p256.pem", "traditional-p256.key");
    cr_assert(credentials != NULL, "%s", error.text);
    tls_credentials_free(credentials);
    credentials = load("server-rsa2048.pem", "traditional-rsa2048.key");
    cr_assert(credentials != NULL, "%s", error.text);
    tls_credentials_free(credentials);
    credentials = load("client-p256.pem", "client-p256.key");
    cr_assert(credentials != NULL, "%s", error.text);
    cr_assert_eq(credentials->chain_count, 2);
    tls_credentials_free(credentials);
}

Test(credentials, takes_chain_and_key_from_one_file) {
    struct bytes both = join((const char *[]){"client-p256.pem", "client-p256.key"}, 2);
    struct tls_credentials *credentials = tls_credentials_load(both, both, &at_key, &error);
    cr_assert(credentials != NULL, "%s", error.text);
    cr_assert_eq(credentials->chain_count, 2);
    tls_credentials_free(credentials);
    data_free(both);
}

Test(credentials, reads_the_dates_of_the_leaf) {
    struct tls_credentials *credentials = load("client-expired.pem", "client-expired.key");
    cr_assert(credentials != NULL, "%s", error.text);
    cr_assert_eq(credentials->not_after, 1609459200);
    cr_assert_lt(credentials->not_before, credentials->not_after);
    cr_assert_gt(credentials->not_before, 0);
    tls_credentials_free(credentials);
}

Test(credentials, refuses_what_it_cannot_serve) {
    refuses("server-rsa1024.pem", "server-rsa1024.key", false, "RSA keys of 1024 bits");
    refuses("client-rsa8192.pem", "client-rsa8192.key", false, "RSA keys of 8192 bits");
    refuses("server-p521.pem", "server-p521.key", false, "P-256 and P-384 only");
    refuses("client-pss2048.pem", "client-pss2048.key", false, "key type is not supported");
    refuses("server-p256.pem", "encrypted.key", true, "encrypted");
    refuses("server-p256.pem", "encrypted-traditional.key", true, "encrypted");
}

Test(credentials, refuses_a_key_of_another_certificate) {
    refuses("server-p256.pem", "client-p256.key", true, "does not belong");
    refuses("server-p256.pem", "server-p384.key", true, "private key");
    refuses("server-p256.pem", "server-rsa2048.key", true, "private key");
    refuses("server-rsa2048.pem", "client-rsa2048.key", true, "does not belong");
    refuses("server-rsa2048.pem", "server-p256.key", true, "private key");
    refuses("server-ed25519.pem", "client-ed25519.key", true, "does not belong");
}

Test(credentials, refuses_files_without_their_block) {
    refuses("server-p256.key", "server-p256.key", false, "no certificate in PEM");
    refuses("server-p256.pem", "server-p256.pem", true, "no private key in PEM");
    struct bytes key = data_read("server-p256.key");
    refuses_text(bytes_of(NULL, 0), key, false, "no certificate in PEM");
    refuses_text(bytes_of_string("-----BEGIN "), key, false, "line 1: ");
    refuses_text(bytes_of_string("-----BEGIN CERTIFICATE-----\n"), key, false, "line 1: ");
    refuses_text(bytes_of_string("-----BEGIN CERTIFICATE-----\nMAA=\n-----END PRIVATE KEY-----"), key, false, "line 3: ");
    refuses_text(bytes_of_string("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----"), key, false, "line 1: ");
    refuses_text(bytes_of_string("-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----"), key, false, "not base64");
    refuses_text(bytes_of_string("\n-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----"), key, false,
                 "line 2: certificate 1 does not parse");
    struct bytes chain = data_read("server-p256.pem");
    refuses_text(chain, bytes_of(NULL, 0), true, "no private key in PEM");
    refuses_text(chain, bytes_of(key.data, key.size - 10), true, "line ");
    refuses_text(chain, bytes_of_string("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----"), true,
                 "private key");
    data_free(chain);
    data_free(key);
}

Test(credentials, parses_every_block_of_the_chain) {
    struct bytes key = data_read("client-p256.key");
    struct bytes pem = data_read("client-p256.pem");
    char *text = (char *)(uintptr_t)pem.data;
    /* The length in the second certificate's outermost header. */
    char *second = strstr(strstr(text, "-----END ") + 9, "-----BEGIN ");
    strchr(second, '\n')[3] ^= 1;
    refuses_text(bytes_of_string(text), key, false, "certificate 2 does not parse");
    data_free(pem);
    data_free(key);
}

Test(credentials, bounds_the_chain_and_the_keys) {
    struct bytes key = data_read("server-p256.key");
    const char *files[TLS_CHAIN_MAX + 1];
    for (size_t i = 0; i <= TLS_CHAIN_MAX; i++) {
        files[i] = "server-p256.pem";
    }
    struct bytes chain = join(files, TLS_CHAIN_MAX);
    struct tls_credentials *credentials = tls_credentials_load(chain, key, &at_key, &error);
    cr_assert(credentials != NULL, "%s", error.text);
    cr_assert_eq(credentials->chain_count, TLS_CHAIN_MAX);
    tls_credentials_free(credentials);
    data_free(chain);
    chain = join(files, TLS_CHAIN_MAX + 1);
    refuses_text(chain, key, false, "more than 8 certificates");
    data_free(chain);
    struct bytes two = join((const char *[]){"server-p256.key", "server-p256.key"}, 2);
    chain = data_read("server-p256.pem");
    refuses_text(chain, two, true, "line 6: a second private key");
    data_free(two);
    data_free(chain);
    data_free(key);
}

Test(credentials, refuses_a_chain_whose_leaf_is_not_first) {
    struct bytes key = data_read("server-p256.key");
    struct bytes turned = join((const char *[]){"intermediate.pem", "server-p256.pem"}, 2);
    refuses_text(turned, key, false, "the private key belongs to certificate 2 of the chain: put that first");
    data_free(turned);
    turned = join((const char *[]){"server-rsa2048.pem", "root.pem", "server-p256.pem"}, 3);
    refuses_text(turned, key, false, "the private key belongs to certificate 3 of the chain");
    data_free(turned);
    turned = join((const char *[]){"server-rsa2048.pem", "root.pem"}, 2);
    refuses_text(turned, key, true, "the private key does not belong to the certificate");
    data_free(turned);
    data_free(key);
}

/* The text of a PEM block around `der`. Malloc'd. */
static struct bytes pem_of(const char *label, const uint8_t *der, size_t size) {
    char *text = malloc(size * 2 + 256);
    int begin = sprintf(text, "-----BEGIN %s-----\n", label);
    word32 length = (word32)(size * 2);
    cr_assert_eq(Base64_Encode(der, (word32)size, (byte *)text + begin, &length), 0);
    sprintf(text + begin + length, "-----END %s-----\n", label);
    return bytes_of_string(text);
}

Test(credentials, refuses_bytes_behind_the_certificate) {
    struct tls_credentials *good = server_credentials("p256");
    uint8_t der[2048] = {0};
    memcpy(der, good->chain[0].data, good->chain[0].size);
    struct bytes pem = pem_of("CERTIFICATE", der, good->chain[0].size + 1);
    struct bytes key = data_read("server-p256.key");
    refuses_text(pem, key, false, "certificate 1 does not parse");
    data_free(pem);
    data_free(key);
    tls_credentials_free(good);
}

Test(credentials, refuses_an_rsa_key_whose_parts_do_not_fit) {
    struct tls_credentials *good = load("server-rsa2048.pem", "traditional-rsa2048.key");
    cr_assert(good != NULL, "%s", error.text);
    uint8_t der[2048];
    memcpy(der, good->key.data, good->key.size);
    der[good->key.size - 1] ^= 4; /* the coefficient, by which signatures are put together */
    struct bytes key = pem_of("RSA PRIVATE KEY", der, good->key.size);
    struct bytes chain = data_read("server-rsa2048.pem");
    refuses_text(chain, key, true, "do not fit");
    data_free(chain);
    data_free(key);
    tls_credentials_free(good);
}

/* Replaces the algorithm of the first certificate's signature in both places; the signature itself is not looked at. */
static void expect_chain(uint8_t last_of_oid, unsigned needs_chain) {
    static const uint8_t ecdsa_sha256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
    struct tls_credentials *good = load("client-rsa2048.pem", "client-rsa2048.key");
    cr_assert(good != NULL, "%s", error.text);
    cr_assert_eq(good->needs_key, SERVER_KEY_RSA);
    cr_assert_eq(good->needs_chain, SCHEME_ECDSA_SHA256, "by the CAs, whatever the key");
    uint8_t der[2048];
    memcpy(der, good->chain[0].data, good->chain[0].size);
    uint8_t *end = der + good->chain[0].size;
    uint8_t *at = der;
    while ((at = memmem(at, (size_t)(end - at), ecdsa_sha256, sizeof ecdsa_sha256)) != NULL) {
        at += sizeof ecdsa_sha256;
        at[-1] = last_of_oid;
    }
    struct bytes chain = pem_of("CERTIFICATE", der, good->chain[0].size);
    struct bytes key = data_read("client-rsa2048.key");
    struct tls_credentials *changed = tls_credentials_load(chain, key, &at_key, &error);
    cr_assert(changed != NULL, "%s", error.text);
    cr_expect_eq(changed->needs_chain, needs_chain, "%x", changed->needs_chain);
    tls_credentials_free(changed);
    tls_credentials_free(good);
    data_free(chain);
    data_free(key);
}

Test(credentials, know_by_which_schemes_their_chain_is_signed) {
    expect_chain(2, SCHEME_ECDSA_SHA256);
    expect_chain(3, SCHEME_ECDSA_SHA384);
    expect_chain(4, SCHEME_ECDSA_SHA512);
    expect_chain(1, SCHEME_OTHER); /* SHA-224 */
}
