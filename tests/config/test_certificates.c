#include "changes.h"
#include "config/certificates.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PAIR "    certificate: server.pem\n    key: server.key\n"

enum { LINE = 15 }; /* of the first line of PAIR in changes_good */

TestSuite(certificates, .init = changes_set_up, .fini = changes_tear_down);

static struct config *load(const char *replacement, struct config_problems *problems) {
    char *yaml = scene_replace(changes_good, PAIR, replacement);
    struct config *config = scene_load(&changes_scene, yaml, problems);
    free(yaml);
    return config;
}

Test(certificates, of_each_kind_in_the_order_of_the_file) {
    static const char *const kinds[] = {"Ed25519", "RSA", "ECDSA"};
    struct config_problems problems = {0};
    struct config *config = load("    certificates: [{certificate: ed25519.pem, key: ed25519.key},\n"
                                 "      {key: rsa.key, certificate: rsa.pem}, {certificate: server.pem, key: server.key}]\n",
                                 &problems);
    cr_assert_not_null(config, "%s", problems.count > 0 ? problems.items[0].message : "");
    const struct config_host *host = &config->hosts[0];
    cr_assert_eq(host->certificate_count, 3);
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        cr_expect_str_eq(tls_credentials_kind(host->certificates[i].credentials), kinds[i]);
    }
    cr_expect_str_eq(strrchr(host->certificates[1].path, '/'), "/rsa.pem");
    cr_expect_eq(host->certificates[2].credentials->chain_count, 2);
    cr_expect_eq(config->hosts[1].certificate_count, 1);
    config_release(config);
}

Test(certificates, a_list_of_one_is_as_good_as_the_pair) {
    struct config_problems problems = {0};
    struct config *config = load("    certificates: [{certificate: rsa.pem, key: rsa.key}]\n", &problems);
    cr_assert_not_null(config, "%s", problems.count > 0 ? problems.items[0].message : "");
    cr_expect_eq(config->hosts[0].certificate_count, 1);
    config_release(config);
}

Test(certificates, the_first_to_end_is_found) {
    struct tls_credentials ends[] = {{.not_after = 7}, {.not_after = 5}, {.not_after = 6}};
    struct config_host host = {.certificates = {{&ends[0], NULL}, {&ends[1], NULL}, {&ends[2], NULL}}};
    for (size_t count = 1; count <= 3; count++) {
        host.certificate_count = count;
        cr_expect_eq(config_first_to_end(&host)->credentials->not_after, count == 1 ? 7 : 5);
    }
}

#define ECDSA "{certificate: server.pem, key: server.key}"
#define RSA   "{certificate: rsa.pem, key: rsa.key}"

/* Exactly one problem for each, at its line. */
Test(certificates, what_is_wrong_with_a_list) {
    static const struct change changes[] = {
        {PAIR, "    certificates: []\n", LINE, "certificates must have at least one item"},
        {PAIR, "    certificates:\n", LINE, "certificates must be a list, not nothing"},
        {PAIR, "    certificates: server.pem\n", LINE, "certificates must be a list, not server.pem"},
        {PAIR, "    certificates: " ECDSA "\n", LINE, "certificates must be a list, not a mapping; begin each item with"},
        {PAIR, "    certificates: [server.pem]\n", LINE, "an item of certificates must be a mapping"},
        {PAIR, "    certificates:\n      - " RSA "\n      - {certificate: server.pem}\n", LINE + 2,
         "key \"key\" is missing in an item of certificates"},
        {PAIR, "    certificates:\n      - " RSA "\n      - {key: server.key}\n", LINE + 2,
         "key \"certificate\" is missing in an item of certificates"},
        {PAIR, "    certificates:\n      - {certificate: rsa.pem, key: rsa.key, keys: rsa.key}\n", LINE + 1,
         "unknown key \"keys\" in an item of certificates; did you mean \"key\"?"},
        {PAIR, "    certificates:\n      - " RSA "\n      - " ECDSA "\n      - {certificate: missing.pem, key: rsa.key}\n",
         LINE + 3, "missing.pem cannot be opened"},
        {PAIR, "    certificates:\n      - " RSA "\n      - {certificate: server.pem,\n         key: rsa.key}\n", LINE + 3,
         "key: /tmp/"},
        {PAIR, "    certificates:\n      - " RSA "\n      - {certificate: server.key, key: server.pem}\n", LINE + 2,
         "certificate and key are swapped: "},
        {PAIR, "    certificates: [" RSA ", " RSA ", " RSA ", " RSA "]\n", LINE,
         "certificates has 4 items, and a host serves three at most: one with an ECDSA key, one with an"},
    };
    ASSERT_PROBLEMS(changes);
}

Test(certificates, no_two_of_one_kind) {
    static const struct change changes[] = {
        {PAIR, "    certificates:\n      - " RSA "\n      - " RSA "\n", LINE + 2, "/rsa.pem has an RSA key, as /tmp/"},
        {PAIR, "    certificates:\n      - " RSA "\n      - " RSA "\n", LINE + 2,
         "/rsa.pem has at line 16: a host serves one certificate of each kind"},
        {PAIR, "    certificates:\n      - " ECDSA "\n      - " RSA "\n      - {certificate: p384.pem, key: p384.key}\n",
         LINE + 3, "certificates: /tmp/"},
        {PAIR, "    certificates:\n      - " ECDSA "\n      - " RSA "\n      - {certificate: p384.pem, key: p384.key}\n",
         LINE + 3, "/p384.pem has an ECDSA key, as /tmp/"},
        {PAIR,
         "    certificates:\n      - {certificate: ed25519.pem, key: ed25519.key}\n"
         "      - {certificate: ed25519.pem, key: ed25519.key}\n",
         LINE + 2, "/ed25519.pem has an Ed25519 key, as /tmp/"},
    };
    ASSERT_PROBLEMS(changes);
}

Test(certificates, the_list_or_the_pair) {
    static const struct change changes[] = {
        {PAIR, PAIR "    certificates: [" RSA "]\n", LINE + 2,
         "certificates does not go together with certificate: make the pair of certificate and key an item of the list"},
        {PAIR, "    key: server.key\n    certificates: [" RSA "]\n", LINE + 1,
         "certificates does not go together with key: make the pair"},
        {PAIR, "    key: server.key\n", 13, "key \"certificate\" is missing in this host"},
        {PAIR, "    certificate: server.pem\n", 13, "key \"key\" is missing in this host"},
    };
    ASSERT_PROBLEMS(changes);
}

/* A copy that nobody else can read. */
static void copy(const char *from, const char *to) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", changes_scene.folder, from);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    char content[8192];
    size_t size = fread(content, 1, sizeof content, file);
    fclose(file);
    scene_write(&changes_scene, to, content, size);
    snprintf(path, sizeof path, "%s/%s", changes_scene.folder, to);
    cr_assert_eq(chmod(path, 0600), 0);
}

#define OWN_PAIR "    certificate: server.pem\n    key: own.key\n"
#define OWN_RSA  "{certificate: rsa.pem, key: own-rsa.key}"

/* Each pair has the warnings that it would have alone. */
Test(certificates, warnings_of_each_have_its_line) {
    copy("rsa.key", "own-rsa.key");
    copy("rsa.key", "open-rsa.key");
    char path[256];
    snprintf(path, sizeof path, "%s/open-rsa.key", changes_scene.folder);
    cr_assert_eq(chmod(path, 0644), 0);
    static const struct change changes[] = {
        {OWN_PAIR, "    certificates:\n      - {certificate: server.pem, key: own.key}\n      - " OWN_RSA "\n", 0, NULL},
        {OWN_PAIR, "    certificates:\n      - {certificate: leaf.pem, key: own.key}\n      - " OWN_RSA "\n", LINE + 1,
         "leaf.pem has no certificate of its issuer"},
        {OWN_PAIR,
         "    certificates:\n      - {certificate: server.pem, key: own.key}\n"
         "      - {certificate: rsa.pem, key: open-rsa.key}\n",
         LINE + 2, "open-rsa.key can be read by other users"},
        {OWN_PAIR, "    certificates:\n      - " OWN_RSA "\n      - {certificate: server.pem, key: own.key}\n", LINE + 1,
         "rsa.pem has an RSA key, which nearly all clients can verify: what stands behind it is hardly ever served; put it "
         "last"},
        {OWN_PAIR, "    certificates: [" OWN_RSA "]\n", 0, NULL},
    };
    ASSERT_WARNINGS(changes);
}
