#include "allocator.h"
#include "pair.h"
#include "tls/context_parts.h"
#include "tls/wolfssl.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/sha512.h>

/* With a key that is not ECDSA on the server's side, each ECDSA check of a handshake is one of the client's signatures. */
static struct tls_credentials *credentials;
static struct tls_context *context;

/* Every ECDSA verification of this program, wolfSSL's own included (linked with --wrap). */
static unsigned ecdsa_checks;
int __real_wc_ecc_verify_hash(const byte *signature, word32 size, const byte *hash, word32 hash_size, int *verified,
                              ecc_key *key);
int __wrap_wc_ecc_verify_hash(const byte *signature, word32 size, const byte *hash, word32 hash_size, int *verified,
                              ecc_key *key);
int __wrap_wc_ecc_verify_hash(const byte *signature, word32 size, const byte *hash, word32 hash_size, int *verified,
                              ecc_key *key) {
    ecdsa_checks++;
    return __real_wc_ecc_verify_hash(signature, size, hash, hash_size, verified, key);
}

static void set_up(void) {
    allocator_install();
    cr_assert_eq(tls_library_init(), 0);
    credentials = server_credentials("ed25519");
    context = server_context(credentials, true);
    ecdsa_checks = 0;
}

static void tear_down(void) {
    tls_context_free(context);
    tls_credentials_free(credentials);
    tls_library_cleanup();
}

TestSuite(peer, .init = set_up, .fini = tear_down);

/* The certificates of data/client-NAME.pem, by way of the loader for servers, which takes any that parse. */
static size_t read_chain(const char *name, struct bytes certificates[TLS_PEER_CHAIN_MAX]) {
    char file[128];
    snprintf(file, sizeof file, "client-%s.pem", name);
    struct bytes pem = data_read(file);
    size_t count = 0;
    for (const char *text = (const char *)pem.data; (text = strstr(text, "-----BEGIN CERT")) != NULL; text++) {
        DerBuffer *der = NULL;
        cr_assert_eq(wc_PemToDer((const unsigned char *)text, (long)strlen(text), CERT_TYPE, &der, NULL, NULL, NULL), 0);
        uint8_t *copy = malloc(der->length);
        memcpy(copy, der->buffer, der->length);
        certificates[count++] = bytes_of(copy, der->length);
        wc_FreeDer(&der);
    }
    data_free(pem);
    return count;
}

static void free_chain(struct bytes certificates[TLS_PEER_CHAIN_MAX], size_t count) {
    for (size_t i = 0; i < count; i++) {
        data_free(certificates[i]);
    }
}

Test(peer, every_key_type_completes_with_its_chain) {
    static const char *const names[] = {"p256",    "p384",    "p521",  "rsa1024",   "rsa2048", "rsa8192",
                                        "pss2048", "ed25519", "usage", "agreement", "expired", "v1"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct bytes expected[TLS_PEER_CHAIN_MAX];
        size_t count = read_chain(names[i], expected);
        for (int tls12 = 0; tls12 < 2; tls12++) {
            /* In TLS 1.2 wolfSSL's client signs with a PSS key as with any of RSA: the scheme is not one for it. */
            if (tls12 && strcmp(names[i], "pss2048") == 0) {
                continue;
            }
            struct pair *pair = pair_open(context, &(struct pair_options){.client = names[i], .tls12 = tls12});
            cr_expect(pair_handshake(pair), "%s, TLS 1.%d: %s, client %d", names[i], tls12 ? 2 : 3, pair_result(pair),
                      pair->client_error);
            cr_expect(pair->caught && !pair->chain.too_large);
            cr_expect_eq(pair->chain.count, count);
            cr_expect(tls_session_is_proved(pair->server));
            for (size_t j = 0; j < pair->chain.count && j < count; j++) {
                cr_expect(bytes_equal(pair->chain.certificates[j], expected[j]), "%s: certificate %zu", names[i], j);
            }
            pair_close(pair);
        }
        free_chain(expected, count);
    }
}

Test(peer, only_the_client_s_own_signature_is_checked) {
    for (int tls12 = 0; tls12 < 2; tls12++) {
        ecdsa_checks = 0;
        struct pair *pair = pair_open(context, &(struct pair_options){.client = "p256", .tls12 = tls12});
        cr_assert(pair_handshake(pair));
        cr_assert_eq(pair->chain.count, 2);
        cr_assert_eq(ecdsa_checks, 1);
        pair_close(pair);
    }
}

Test(peer, a_client_without_the_key_fails) {
    static const char *const cases[][2] = {
        {"p256", "usage"}, {"rsa2048", "rsa1024"}, {"p384", "p256"}, {"v1", "p256"}, {"ed25519", "p256"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int tls12 = 0; tls12 < 2; tls12++) {
            struct pair_options options = {.client = cases[i][0], .client_key = cases[i][1], .tls12 = tls12};
            struct pair *pair = pair_open(context, &options);
            pair_handshake(pair);
            cr_assert_neq(pair->result, TLS_DONE, "%s with the key of %s, TLS 1.%d", cases[i][0], cases[i][1],
                          tls12 ? 2 : 3);
            pair_close(pair);
        }
    }
}

Test(peer, a_wrong_signature_gets_an_alert) {
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct pair *pair =
            pair_open(context, &(struct pair_options){.client = "p256", .client_key = "usage", .tls12 = tls12});
        pair_handshake(pair);
        cr_assert_eq(pair->result, TLS_FAILED);
        char text[16];
        if (pair->client_done) {
            pair_client_read(pair, text, sizeof text);
        }
        cr_assert_eq(pair_alert(pair), 51, "TLS 1.%d: %d", tls12 ? 2 : 3, pair_alert(pair));
        pair_close(pair);
    }
}

/* Signs for a P-256 key, but as ecdsa_secp384r1_sha384: wolfSSL writes the scheme 4 bytes before the signature. */
static int sign_with_sha384(WOLFSSL *wolfssl, const unsigned char *hash, unsigned int hash_size, unsigned char *signature,
                            unsigned int *signature_size, const unsigned char *key_der, unsigned int key_size,
                            void *unused) {
    cr_assert_eq(signature[-4], 4);
    cr_assert_eq(signature[-3], 3);
    signature[-4] = 5;
    /* The hash has taken the place of the first of the 64 blanks that begin what is signed (RFC 8446 section 4.4.3). */
    uint8_t content[64 + 34 + 32];
    memset(content, ' ', 64);
    memcpy(content + 64, hash + 64, sizeof content - 64);
    cr_assert_eq(memcmp(content + 64, "TLS 1.3, client CertificateVerify", 34), 0);
    uint8_t digest[WC_SHA384_DIGEST_SIZE];
    wc_Sha384Hash(content, sizeof content, digest);
    word32 index = 0;
    word32 size = *signature_size;
    ecc_key key;
    wc_ecc_init(&key);
    WC_RNG generator;
    wc_InitRng(&generator);
    cr_assert_eq(wc_EccPrivateKeyDecode(key_der, &index, &key, key_size), 0);
    int error = wc_ecc_sign_hash(digest, sizeof digest, signature, &size, &generator, &key);
    wc_ecc_free(&key);
    wc_FreeRng(&generator);
    *signature_size = size;
    return error;
}

Test(peer, tls13_holds_the_scheme_against_the_curve) {
    struct pair_options options = {.client = "p256"};
    options.client_wolfssl = client_context(&options);
    wolfSSL_CTX_SetEccSignCb(options.client_wolfssl, sign_with_sha384);
    struct pair *pair = pair_open(context, &options);
    pair_handshake(pair);
    cr_assert_eq(pair->result, TLS_FAILED);
    cr_assert_eq(ecdsa_checks, 0);
    pair_close(pair);
    wolfSSL_CTX_free(options.client_wolfssl);
}

Test(peer, a_chain_over_the_limit_keeps_its_beginning) {
    struct bytes expected[TLS_PEER_CHAIN_MAX];
    cr_assert_eq(read_chain("p256", expected), 2);
    size_t both = expected[0].size + expected[1].size;
    const struct {
        size_t size_max, count;
        bool too_large;
    } cases[] = {
        {both, 2, false}, {both - 1, 1, true}, {expected[0].size, 1, true}, {expected[0].size - 1, 0, true}, {1, 0, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int tls12 = 0; tls12 < 2; tls12++) {
            struct pair *pair = pair_open(
                context, &(struct pair_options){.client = "p256", .tls12 = tls12, .chain_size_max = cases[i].size_max});
            cr_assert(pair_handshake(pair));
            cr_assert(pair->caught);
            cr_assert_eq(pair->chain.too_large, cases[i].too_large);
            cr_assert_eq(pair->chain.count, cases[i].count, "%zu: %zu", i, pair->chain.count);
            for (size_t j = 0; j < pair->chain.count; j++) {
                cr_assert(bytes_equal(pair->chain.certificates[j], expected[j]));
            }
            pair_close(pair);
        }
    }
    free_chain(expected, 2);
}

/* A client's context with `count` certificates in all: the leaf, and the intermediate as often as it takes. */
static WOLFSSL_CTX *client_of_length(size_t count, const struct pair_options *options) {
    WOLFSSL_CTX *wolfssl = client_context(options);
    struct bytes key = data_read("client-p256.key");
    cr_assert_eq(wolfSSL_CTX_use_PrivateKey_buffer(wolfssl, key.data, (long)key.size, WOLFSSL_FILETYPE_PEM),
                 WOLFSSL_SUCCESS);
    data_free(key);
    struct bytes chain[TLS_PEER_CHAIN_MAX];
    cr_assert_eq(read_chain("p256", chain), 2);
    uint8_t *all = malloc(chain[0].size + count * chain[1].size);
    memcpy(all, chain[0].data, chain[0].size);
    size_t size = chain[0].size;
    for (size_t i = 1; i < count; i++) {
        memcpy(all + size, chain[1].data, chain[1].size);
        size += chain[1].size;
    }
    cr_assert_eq(wolfSSL_CTX_use_certificate_chain_buffer_format(wolfssl, all, (long)size, WOLFSSL_FILETYPE_ASN1),
                 WOLFSSL_SUCCESS);
    free(all);
    free_chain(chain, 2);
    return wolfssl;
}

Test(peer, of_too_many_certificates_one_is_kept) {
    static const size_t counts[] = {1, 15, 16, 17};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        for (int tls12 = 0; tls12 < 2; tls12++) {
            struct pair_options options = {.tls12 = tls12, .chain_size_max = TLS_PEER_CHAIN_SIZE_MAX};
            options.client_wolfssl = client_of_length(counts[i], &options);
            struct pair *pair = pair_open(context, &options);
            cr_assert(pair_handshake(pair), "%zu: %s", counts[i], pair_result(pair));
            cr_assert_eq(pair->chain.count, counts[i] < TLS_PEER_CHAIN_MAX ? counts[i] : TLS_PEER_CHAIN_MAX);
            cr_assert(!pair->chain.too_large && tls_session_is_proved(pair->server));
            pair_close(pair);
            wolfSSL_CTX_free(options.client_wolfssl);
        }
    }
}

/* Finds `size` bytes of `certificate` from `offset` in the client's memory, which holds them once. */
static uint8_t *in_client(struct bytes certificate) {
    uint8_t *place = allocator_find(certificate, 0);
    cr_assert(place != NULL);
    cr_assert(allocator_find(certificate, 1) == NULL);
    return place;
}

static size_t offset_of(struct bytes certificate, const void *wanted, size_t size) {
    const uint8_t *found = memmem(certificate.data, certificate.size, wanted, size);
    cr_assert(found != NULL);
    return (size_t)(found - certificate.data);
}

/* Of another curve, by its name: the client signs with what it has, and the server has nothing to check that with. */
static void name_another_curve(struct bytes certificate, uint8_t *place) {
    place[offset_of(certificate, "\x2a\x86\x48\xce\x3d\x03\x01\x07", 8) + 7] = 6;
}

Test(peer, without_proof_there_is_no_ticket_whatever_its_owner_says) {
    struct error error = {""};
    struct tls_tickets *tickets = tls_tickets_create();
    struct tls_context_options with = {
        .credentials = credentials, .request_certificate = true, .tickets = tickets, .ticket_lifetime_s = 60};
    struct tls_context *of_tickets = tls_context_create(&with, &error);
    cr_assert(of_tickets != NULL, "%s", error.text);
    struct bytes chain[TLS_PEER_CHAIN_MAX];
    cr_assert_eq(read_chain("p256", chain), 2);
    for (int odd = 0; odd < 2; odd++) {
        for (int tls12 = 0; tls12 < 2; tls12++) {
            struct pair_options options = {.client = "p256", .tls12 = tls12};
            options.client_wolfssl = client_context(&options);
            if (odd) {
                name_another_curve(chain[0], in_client(chain[0]));
            }
            ecdsa_checks = 0;
            struct pair *pair = pair_open(of_tickets, &options);
            cr_assert(pair_handshake(pair), "%s, client %d", pair_result(pair), pair->client_error);
            cr_assert_eq(ecdsa_checks, odd ? 0 : 1);
            cr_assert(pair->caught);
            cr_assert_eq(tls_session_is_proved(pair->server), !odd);
            cr_assert_eq(pair->binds, odd ? 0 : 1);
            pair_close(pair);
            wolfSSL_CTX_free(options.client_wolfssl);
        }
    }
    free_chain(chain, 2);
    tls_context_free(of_tickets);
    tls_tickets_free(tickets);
}

/* Writes `number` as 8 digits. */
static void number_at(uint8_t *place, unsigned number) {
    char digits[9];
    snprintf(digits, sizeof digits, "%08u", number);
    memcpy(place, digits, 8);
}

Test(peer, ten_thousand_chains_leave_nothing_behind, .timeout = 200) {
    enum { CHAINS = 10000 };
    struct bytes chain[TLS_PEER_CHAIN_MAX];
    cr_assert_eq(read_chain("p256", chain), 2);
    struct pair_options options = {.client = "p256"};
    options.client_wolfssl = client_context(&options);
    uint8_t *leaf = in_client(chain[0]);
    uint8_t *intermediate = in_client(chain[1]);
    /* The intermediate's subject, the leaf's issuer, the key identifier by which wolfSSL knows a CA, and a serial number. */
    uint8_t *subject = intermediate + offset_of(chain[1], "intermediate", 12);
    uint8_t *issuer = leaf + offset_of(chain[0], "intermediate", 12);
    uint8_t *key_identifier = intermediate + offset_of(chain[1], "\x55\x1d\x0e", 3) + 8;
    uint8_t *serial = leaf + offset_of(chain[0], "\x02\x01\x02\x02", 4) + 5;
    size_t before = 0;
    for (unsigned i = 0; i <= CHAINS; i++) {
        number_at(subject, i);
        number_at(issuer, i);
        number_at(key_identifier, i);
        number_at(serial, i);
        struct pair *pair = pair_open(context, &options);
        cr_assert(pair_handshake(pair), "%u: %s", i, pair_result(pair));
        cr_assert_eq(pair->chain.count, 2);
        cr_assert_eq(memcmp(pair->chain.certificates[0].data, leaf, chain[0].size), 0);
        cr_assert_eq(memcmp(pair->chain.certificates[1].data, intermediate, chain[1].size), 0);
        pair_close(pair);
        if (i == 0) {
            before = allocator_live_bytes();
        }
    }
    cr_assert_eq(allocator_live_bytes(), before);
    cr_assert_eq(ecdsa_checks, CHAINS + 1);
    /* Nor is the true intermediate known: with it in the list this leaf, which it has signed, would verify. */
    struct pair *pair = pair_open(context, &(struct pair_options){.client = "p256"});
    cr_assert(pair_handshake(pair));
    pair_close(pair);
    cr_assert_eq(wolfSSL_CertManagerVerifyBuffer(wolfSSL_CTX_GetCertManager(context->wolfssl), chain[0].data,
                                                 (long)chain[0].size, WOLFSSL_FILETYPE_ASN1),
                 ASN_NO_SIGNER_E);
    wolfSSL_CTX_free(options.client_wolfssl);
    free_chain(chain, 2);
}

/* Changes some bytes of the chain's certificate `index`, and counts the server's results: complete, or an alert. */
static void mutate(int tls12, size_t index, unsigned rounds, unsigned done_by_result[4]) {
    struct bytes chain[TLS_PEER_CHAIN_MAX];
    cr_assert_eq(read_chain("p256", chain), 2);
    struct pair_options options = {.client = "p256", .tls12 = tls12};
    options.client_wolfssl = client_context(&options);
    uint8_t *place = in_client(chain[index]);
    uint32_t state = 12345 + (uint32_t)index;
    for (unsigned i = 0; i < rounds; i++) {
        memcpy(place, chain[index].data, chain[index].size);
        for (unsigned changes = 1 + i % 3; changes > 0; changes--) {
            state = state * 1664525 + 1013904223;
            place[(state >> 8) % chain[index].size] ^= (uint8_t)(1 + (state >> 24) % 255);
        }
        struct pair *pair = pair_open(context, &options);
        pair_handshake(pair);
        cr_assert(pair->result == TLS_DONE || pair->result == TLS_FAILED, "%d", pair->result);
        done_by_result[pair->result]++;
        if (pair->result == TLS_DONE) {
            cr_assert_eq(pair->chain.count, 2);
            cr_assert_eq(memcmp(pair->chain.certificates[index].data, place, chain[index].size), 0);
        } else {
            char text[8];
            if (pair->client_done) {
                pair_client_read(pair, text, sizeof text);
            }
            cr_assert_geq(pair_alert(pair), 10, "no alert after %s", pair_result(pair));
        }
        pair_close(pair);
    }
    wolfSSL_CTX_free(options.client_wolfssl);
    free_chain(chain, 2);
}

Test(peer, malformed_leaves_complete_or_get_an_alert) {
    for (int tls12 = 0; tls12 < 2; tls12++) {
        unsigned results[4] = {0};
        mutate(tls12, 0, 1000, results);
        cr_assert_gt(results[TLS_DONE], 200);
        cr_assert_gt(results[TLS_FAILED], 100);
    }
}

Test(peer, malformed_intermediates_complete) {
    for (int tls12 = 0; tls12 < 2; tls12++) {
        unsigned results[4] = {0};
        mutate(tls12, 1, 1000, results);
        cr_assert_eq(results[TLS_DONE], 1000);
    }
}
