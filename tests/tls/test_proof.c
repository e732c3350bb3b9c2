#include "pair.h"
#include "tls/proof.h"
#include "tls/wolfssl.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/sha256.h>

/* The message that is signed in TLS 1.3, and its digest for TLS 1.2. */
static const char message[] = "a handshake";
static uint8_t digest[WC_SHA256_DIGEST_SIZE];
static uint8_t signature[ECC_MAX_SIG_SIZE];
static struct bytes signature_bytes;
static struct bytes leaf;
static struct tls_proof proof;

static DerBuffer *read_der(const char *file, int type) {
    struct bytes pem = data_read(file);
    DerBuffer *der = NULL;
    int eccKey = 0;
    cr_assert_eq(wc_PemToDer(pem.data, (long)pem.size, type, &der, NULL, NULL, &eccKey), 0);
    data_free(pem);
    return der;
}

static struct bytes read_leaf(const char *file) {
    DerBuffer *der = read_der(file, CERT_TYPE);
    uint8_t *copy = malloc(der->length);
    memcpy(copy, der->buffer, der->length);
    struct bytes bytes = bytes_of(copy, der->length);
    wc_FreeDer(&der);
    return bytes;
}

static void set_up(void) {
    cr_assert_eq(tls_library_init(), 0);
    wc_Sha256Hash((const byte *)message, sizeof message, digest);
    leaf = read_leaf("client-p256.pem");
    DerBuffer *der = read_der("client-p256.key", PRIVATEKEY_TYPE);
    ecc_key key;
    WC_RNG generator;
    word32 index = 0;
    word32 size = sizeof signature;
    cr_assert_eq(wc_ecc_init(&key), 0);
    cr_assert_eq(wc_InitRng(&generator), 0);
    cr_assert_eq(wc_EccPrivateKeyDecode(der->buffer, &index, &key, der->length), 0);
    cr_assert_eq(wc_ecc_sign_hash(digest, sizeof digest, signature, &size, &generator, &key), 0);
    signature_bytes = bytes_of(signature, size);
    wc_ecc_free(&key);
    wc_FreeRng(&generator);
    wc_FreeDer(&der);
    proof = (struct tls_proof){.state = TLS_PROOF_NONE};
}

static void tear_down(void) {
    tls_proof_free(&proof);
    data_free(leaf);
    tls_library_cleanup();
}

TestSuite(proof, .init = set_up, .fini = tear_down);

static struct tls_proof_claim claim_13(uint16_t scheme) {
    return (struct tls_proof_claim){
        .is_tls13 = true,
        .scheme = scheme,
        .message = bytes_of(message, sizeof message),
        .signature = signature_bytes,
    };
}

static struct tls_proof_claim claim_12(uint16_t scheme) {
    return (struct tls_proof_claim){
        .scheme = scheme, .digest = bytes_of(digest, sizeof digest), .signature = signature_bytes};
}

Test(proof, is_given_once) {
    struct tls_proof_claim claim = claim_13(0x0403);
    cr_assert_eq(tls_proof_check(&proof, &claim), TLS_PROOF_WRONG, "nothing was presented");
    cr_assert(tls_proof_demand(&proof, leaf));
    cr_assert_eq(proof.state, TLS_PROOF_OWED);
    cr_assert_eq(tls_proof_check(&proof, &claim), TLS_PROOF_ACCEPTED);
    cr_assert_eq(proof.state, TLS_PROOF_GIVEN);
    cr_assert_null(proof.key);
    cr_assert_eq(tls_proof_check(&proof, &claim), TLS_PROOF_WRONG);
}

Test(proof, is_of_the_digest_in_tls12) {
    struct tls_proof_claim claim = claim_12(0x0403);
    cr_assert(tls_proof_demand(&proof, leaf));
    cr_assert_eq(tls_proof_check(&proof, &claim), TLS_PROOF_ACCEPTED);
    cr_assert_eq(proof.state, TLS_PROOF_GIVEN);
}

/* wolfSSL has no digest for a scheme that it does not know, and never one of another size. */
Test(proof, needs_a_digest_that_fits) {
    static const size_t sizes[] = {0, 1, 20, 31};
    cr_assert(tls_proof_demand(&proof, leaf));
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct tls_proof_claim claim = claim_12(0x0403);
        claim.digest.size = sizes[i];
        cr_assert_eq(tls_proof_check(&proof, &claim), TLS_PROOF_WRONG);
    }
    cr_assert_eq(proof.state, TLS_PROOF_OWED);
}

Test(proof, is_not_given_by_anything_else) {
    cr_assert(tls_proof_demand(&proof, leaf));
    for (unsigned scheme = 0; scheme <= UINT16_MAX; scheme++) {
        for (int tls13 = 0; tls13 < 2; tls13++) {
            struct tls_proof_claim claim = tls13 ? claim_13((uint16_t)scheme) : claim_12((uint16_t)scheme);
            bool wrong_digest = !tls13 && (scheme == 0x0503 || scheme == 0x0603);
            if (scheme != 0x0403) {
                cr_assert_eq(tls_proof_check(&proof, &claim), wrong_digest ? TLS_PROOF_WRONG : TLS_PROOF_UNSUITABLE, "%x",
                             scheme);
            }
        }
    }
    for (size_t bit = 0; bit < 8 * signature_bytes.size; bit++) {
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        struct tls_proof_claim claim = claim_13(0x0403);
        cr_assert_eq(tls_proof_check(&proof, &claim), TLS_PROOF_WRONG, "bit %zu", bit);
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    cr_assert_eq(proof.state, TLS_PROOF_OWED);
    struct tls_proof_claim claim = claim_13(0x0403);
    cr_assert_eq(tls_proof_check(&proof, &claim), TLS_PROOF_ACCEPTED);
}

/* Ed25519 signs in TLS 1.2 what is not kept for such a chain; nothing else is let off. */
Test(proof, by_ed25519_of_a_chain_that_was_cut_is_impossible_in_tls12) {
    enum { ED25519 = 0x0807 };
    struct bytes other = read_leaf("client-ed25519.pem");
    const struct {
        struct bytes leaf;
        uint16_t scheme;
        bool is_tls13, is_cut;
        enum tls_proof_answer answer;
    } cases[] = {
        {other, ED25519, false, true, TLS_PROOF_ACCEPTED},  {other, ED25519, false, false, TLS_PROOF_WRONG},
        {other, ED25519, true, true, TLS_PROOF_WRONG},      {other, 0x0403, false, true, TLS_PROOF_UNSUITABLE},
        {leaf, ED25519, false, true, TLS_PROOF_UNSUITABLE}, {leaf, 0x0403, false, true, TLS_PROOF_WRONG},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool accepted = cases[i].answer == TLS_PROOF_ACCEPTED;
        struct tls_proof_claim claim = {.is_tls13 = cases[i].is_tls13,
                                        .is_cut = cases[i].is_cut,
                                        .scheme = cases[i].scheme,
                                        .message = bytes_of(message, cases[i].is_tls13 ? sizeof message : 0),
                                        .signature = bytes_of(signature, 64)};
        proof = (struct tls_proof){.state = TLS_PROOF_NONE};
        cr_assert(tls_proof_demand(&proof, cases[i].leaf));
        cr_expect_eq(tls_proof_check(&proof, &claim), cases[i].answer, "%zu", i);
        cr_expect_eq(proof.state, accepted ? TLS_PROOF_IMPOSSIBLE : TLS_PROOF_OWED, "%zu", i);
        tls_proof_free(&proof);
    }
    data_free(other);
}

/* Each scheme of ML-DSA is for keys of its own size, in TLS 1.3 alone. */
Test(proof, by_ml_dsa) {
    enum { ML_DSA_65 = 0x0905 };
    struct bytes other = read_leaf("client-mldsa65.pem");
    struct bytes of_other = data_read("client-mldsa65.signature");
    cr_assert(tls_proof_demand(&proof, other));
    cr_assert_eq(proof.state, TLS_PROOF_OWED);
    for (unsigned scheme = 0; scheme <= UINT16_MAX; scheme++) {
        for (int tls13 = 0; tls13 < 2; tls13++) {
            struct tls_proof_claim claim = tls13 ? claim_13((uint16_t)scheme) : claim_12((uint16_t)scheme);
            claim.message = bytes_of(message, sizeof message);
            claim.signature = of_other;
            if (scheme != ML_DSA_65 || !tls13) {
                cr_assert_eq(tls_proof_check(&proof, &claim), TLS_PROOF_UNSUITABLE, "%x", scheme);
            }
        }
    }
    struct tls_proof_claim claim = claim_13(ML_DSA_65);
    cr_assert_eq(tls_proof_check(&proof, &claim), TLS_PROOF_WRONG, "a signature of ECDSA");
    claim.signature = of_other;
    claim.message.size--;
    cr_assert_eq(tls_proof_check(&proof, &claim), TLS_PROOF_WRONG, "of another message");
    claim.message.size++;
    cr_assert_eq(tls_proof_check(&proof, &claim), TLS_PROOF_ACCEPTED);
    cr_assert_eq(proof.state, TLS_PROOF_GIVEN);
    data_free(of_other);
    data_free(other);
}

Test(proof, schemes_of_tls12_are_the_last_ones) {
    for (size_t i = 0; i < TLS_PROOF_SCHEMES_SIZE; i += 2) {
        bool is_ml_dsa = tls_proof_schemes[i] == 9;
        cr_expect_eq(is_ml_dsa, i < TLS_PROOF_SCHEMES_SIZE - TLS_PROOF_SCHEMES_TLS12_SIZE, "%zu", i);
    }
}

Test(proof, cannot_be_given_with_a_key_that_is_not_accepted) {
    struct bytes exponent = read_leaf("client-exponent.pem");
    const struct bytes leaves[] = {exponent, bytes_of("0", 1), bytes_of(leaf.data, leaf.size - 400), bytes_of(NULL, 0)};
    for (size_t i = 0; i < sizeof leaves / sizeof leaves[0]; i++) {
        struct tls_proof other = {.state = TLS_PROOF_NONE};
        cr_assert(tls_proof_demand(&other, leaves[i]));
        cr_assert_eq(other.state, TLS_PROOF_IMPOSSIBLE, "leaf %zu", i);
        cr_assert_null(other.key);
        struct tls_proof_claim claim = claim_13(0x0403);
        cr_assert_eq(tls_proof_check(&other, &claim), TLS_PROOF_ACCEPTED);
        cr_assert_eq(other.state, TLS_PROOF_IMPOSSIBLE);
        tls_proof_free(&other);
    }
    data_free(exponent);
}
