/* wolfSSL's own headers need its options first. */
#include "tls/proof.h"

#include "base/check.h"
#include "x509/leaf.h"
#include "x509/signature.h"

#include <stdlib.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/ecc.h>

const uint8_t tls_proof_schemes[TLS_PROOF_SCHEMES_SIZE] = {9, 6,  9, 5, 9, 4,  6, 3, 5, 3, 4, 3, 8, 7, 8, 6,
                                                           8, 11, 8, 5, 8, 10, 8, 4, 8, 9, 6, 1, 5, 1, 4, 1};

/* The salt of PSS is as long as the digest (RFC 8446 section 4.2.3). PKCS#1 is in TLS 1.3 for signatures of certificates
 * alone.
 */
static const struct scheme {
    uint16_t number;
    enum signature_kind key_kind;
    struct signature_algorithm algorithm;
    int curve; /* of TLS 1.3, where each scheme is for one curve */
    enum { IN_BOTH, IN_TLS12, IN_TLS13 } versions;
} schemes[] = {
    {0x0906, SIGNATURE_ML_DSA_87, {SIGNATURE_ML_DSA_87, SIGNATURE_HASH_NONE, 0}, 0, IN_TLS13},
    {0x0905, SIGNATURE_ML_DSA_65, {SIGNATURE_ML_DSA_65, SIGNATURE_HASH_NONE, 0}, 0, IN_TLS13},
    {0x0904, SIGNATURE_ML_DSA_44, {SIGNATURE_ML_DSA_44, SIGNATURE_HASH_NONE, 0}, 0, IN_TLS13},
    {0x0603, SIGNATURE_ECDSA, {SIGNATURE_ECDSA, SIGNATURE_SHA512, 0}, ECC_SECP521R1, IN_BOTH},
    {0x0503, SIGNATURE_ECDSA, {SIGNATURE_ECDSA, SIGNATURE_SHA384, 0}, ECC_SECP384R1, IN_BOTH},
    {0x0403, SIGNATURE_ECDSA, {SIGNATURE_ECDSA, SIGNATURE_SHA256, 0}, ECC_SECP256R1, IN_BOTH},
    {0x0807, SIGNATURE_ED25519, {SIGNATURE_ED25519, SIGNATURE_HASH_NONE, 0}, 0, IN_BOTH},
    {0x0806, SIGNATURE_RSA, {SIGNATURE_RSA_PSS, SIGNATURE_SHA512, 64}, 0, IN_BOTH},
    {0x080b, SIGNATURE_RSA_PSS, {SIGNATURE_RSA_PSS, SIGNATURE_SHA512, 64}, 0, IN_BOTH},
    {0x0805, SIGNATURE_RSA, {SIGNATURE_RSA_PSS, SIGNATURE_SHA384, 48}, 0, IN_BOTH},
    {0x080a, SIGNATURE_RSA_PSS, {SIGNATURE_RSA_PSS, SIGNATURE_SHA384, 48}, 0, IN_BOTH},
    {0x0804, SIGNATURE_RSA, {SIGNATURE_RSA_PSS, SIGNATURE_SHA256, 32}, 0, IN_BOTH},
    {0x0809, SIGNATURE_RSA_PSS, {SIGNATURE_RSA_PSS, SIGNATURE_SHA256, 32}, 0, IN_BOTH},
    {0x0601, SIGNATURE_RSA, {SIGNATURE_RSA, SIGNATURE_SHA512, 0}, 0, IN_TLS12},
    {0x0501, SIGNATURE_RSA, {SIGNATURE_RSA, SIGNATURE_SHA384, 0}, 0, IN_TLS12},
    {0x0401, SIGNATURE_RSA, {SIGNATURE_RSA, SIGNATURE_SHA256, 0}, 0, IN_TLS12},
};

_Static_assert(TLS_PROOF_SCHEMES_SIZE == 2 * ARRAY_LENGTH(schemes), "each scheme is offered");

static const struct scheme *find_scheme(uint16_t number) {
    for (size_t i = 0; i < ARRAY_LENGTH(schemes); i++) {
        if (schemes[i].number == number) {
            return &schemes[i];
        }
    }
    return NULL;
}

/* Tells whether the scheme may be used with that key in that version. */
static bool fits(const struct scheme *scheme, const struct signature_key *key, bool is_tls13) {
    const struct signature_algorithm *of_key = &key->algorithm;
    if (scheme->key_kind != of_key->kind || scheme->versions == (is_tls13 ? IN_TLS12 : IN_TLS13)) {
        return false;
    }
    if (of_key->kind == SIGNATURE_ECDSA && is_tls13) {
        return scheme->curve == key->curve;
    }
    bool is_bound = of_key->kind == SIGNATURE_RSA_PSS && of_key->hash != SIGNATURE_HASH_NONE;
    return !is_bound || (of_key->hash == scheme->algorithm.hash && of_key->salt_size <= scheme->algorithm.salt_size);
}

/* Reads the key, by views of `certificate`, and tells whether it can verify. */
static bool can_verify(const struct certificate *certificate, struct signature_key *key) {
    return signature_key_can_verify(key, signature_judge_key(certificate, key));
}

bool tls_proof_demand(struct tls_proof *proof, struct bytes leaf) {
    CHECK(proof->state == TLS_PROOF_NONE);
    struct certificate certificate;
    struct signature_key key;
    struct bytes validity;
    if (!leaf_read(leaf, &certificate, &validity) || !can_verify(&certificate, &key)) {
        proof->state = TLS_PROOF_IMPOSSIBLE;
        return true;
    }
    proof->key = malloc(certificate.spki.size);
    if (proof->key == NULL) {
        return false;
    }
    proof->key_size = certificate.spki.size;
    memcpy(proof->key, certificate.spki.data, proof->key_size);
    proof->state = TLS_PROOF_OWED;
    return true;
}

static bool holds(const struct signature_key *key, const struct scheme *scheme, const struct tls_proof_claim *claim) {
    const struct signature_algorithm *algorithm = &scheme->algorithm;
    if (claim->is_tls13 || algorithm->kind == SIGNATURE_ED25519) {
        return signature_verify(key, algorithm, claim->message, claim->signature);
    }
    return claim->digest.size == signature_digest_size(algorithm) &&
           signature_verify_digest(key, algorithm, claim->digest, claim->signature);
}

enum tls_proof_answer tls_proof_check(struct tls_proof *proof, const struct tls_proof_claim *claim) {
    if (proof->state == TLS_PROOF_IMPOSSIBLE) {
        return TLS_PROOF_ACCEPTED;
    }
    if (proof->state != TLS_PROOF_OWED) {
        return TLS_PROOF_WRONG;
    }
    struct bytes spki = bytes_of(proof->key, proof->key_size);
    struct certificate certificate;
    struct signature_key key;
    CHECK(certificate_read_key(&spki, &certificate) && can_verify(&certificate, &key));
    const struct scheme *scheme = find_scheme(claim->scheme);
    if (scheme == NULL || !fits(scheme, &key, claim->is_tls13)) {
        return TLS_PROOF_UNSUITABLE;
    }
    bool has_nothing = claim->is_cut && !claim->is_tls13 && scheme->algorithm.kind == SIGNATURE_ED25519;
    if (!has_nothing && !holds(&key, scheme, claim)) {
        return TLS_PROOF_WRONG;
    }
    proof->state = has_nothing ? TLS_PROOF_IMPOSSIBLE : TLS_PROOF_GIVEN;
    tls_proof_free(proof);
    return TLS_PROOF_ACCEPTED;
}

void tls_proof_free(struct tls_proof *proof) {
    free(proof->key);
    proof->key = NULL;
    proof->key_size = 0;
}
