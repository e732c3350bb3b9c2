/*
 * Public keys and signatures of certificates: which are accepted, and whether one holds. The arithmetic is wolfCrypt's; it
 * gets only numbers within the limits below.
 */
#ifndef X509_SIGNATURE_H
#define X509_SIGNATURE_H

#include "base/reason.h"
#include "x509/certificate.h"

enum {
    SIGNATURE_RSA_BITS_MIN = 2048,
    SIGNATURE_RSA_BITS_VERIFIED_MIN = 1024, /* of a key that is not accepted; with less, PSS has no room for its salt */
    SIGNATURE_RSA_BITS_MAX = 8192, /* the cost of a check grows with the cube: 16,384 bits would be a flood by themselves */
    SIGNATURE_RSA_EXPONENT_BITS_MAX = 64, /* likewise; 65537 has 17 */
    SIGNATURE_DIGEST_MAX = 64,
};

enum signature_kind {
    SIGNATURE_RSA,     /* PKCS#1 v1.5; as a key: any RSA signature */
    SIGNATURE_RSA_PSS, /* as a key: only PSS, with the parameters given there, if any */
    SIGNATURE_ECDSA,
    SIGNATURE_ED25519,   /* this and the next: of the data themselves, not of a digest */
    SIGNATURE_ML_DSA_44, /* FIPS 204, pure and with an empty context (RFC 9881) */
    SIGNATURE_ML_DSA_65,
    SIGNATURE_ML_DSA_87,
};

enum signature_hash { SIGNATURE_HASH_NONE, SIGNATURE_SHA256, SIGNATURE_SHA384, SIGNATURE_SHA512 };

struct signature_algorithm {
    enum signature_kind kind;
    enum signature_hash hash; /* NONE for Ed25519 and ML-DSA, and for a PSS key without parameters */
    uint32_t salt_size;       /* PSS: bytes; for a key the least that it allows */
};

/* A key, by views of its certificate. */
struct signature_key {
    struct signature_algorithm algorithm;
    int curve;            /* ECDSA: wolfCrypt's curve number; 0: not one that is accepted */
    unsigned bits;        /* RSA: of the modulus */
    struct bytes point;   /* ECDSA: uncompressed point; Ed25519: 32 bytes; ML-DSA: 1312, 1952 or 2592 bytes */
    struct bytes modulus; /* RSA */
    struct bytes exponent;
};

/* Returns REASON_OK, REASON_WEAK_SIGNATURE (an algorithm that is not accepted) or REASON_MALFORMED. */
enum reason signature_judge_algorithm(const struct algorithm *algorithm, struct signature_algorithm *result);

/*
 * Returns REASON_OK, REASON_WEAK_KEY (RSA below 2048 bits, or a kind of key or curve that is not accepted), REASON_TOO_LARGE
 * (RSA above 8192 bits) or REASON_MALFORMED, without any arithmetic: signature_verify refuses a point that is not on its
 * curve.
 */
enum reason signature_judge_key(const struct certificate *certificate, struct signature_key *key);

/*
 * Tells whether signatures can be checked with a key of which signature_judge_key has said `reason`: with a key that is
 * accepted, and with an RSA key that is only too short, so that its owner can be told from somebody else. No other key
 * causes any arithmetic.
 */
bool signature_key_can_verify(const struct signature_key *key, enum reason reason);

/* Tells whether the key is one of ML-DSA, of any size. */
bool signature_is_ml_dsa(const struct signature_key *key);

/* Tells whether the owner of `key` has made `signature` over `data`. False also when key or signature are malformed. */
bool signature_verify(const struct signature_key *key, const struct signature_algorithm *algorithm, struct bytes data,
                      struct bytes signature);

/*
 * Does the first half of signature_verify, for data that are read now and checked later: writes the digest that `algorithm`
 * signs, and returns its size. 0 for Ed25519 and ML-DSA, which sign the data themselves and have no such halves.
 */
size_t signature_digest(const struct signature_algorithm *algorithm, struct bytes data,
                        uint8_t digest[static SIGNATURE_DIGEST_MAX]);
/* Returns the bytes of that digest; 0 where there is none. */
size_t signature_digest_size(const struct signature_algorithm *algorithm);
/* Does the second half. */
bool signature_verify_digest(const struct signature_key *key, const struct signature_algorithm *algorithm,
                             struct bytes digest, struct bytes signature);

enum { SIGNATURE_SHA1_SIZE = 20, SIGNATURE_SHA256_SIZE = 32 };
void signature_sha1(struct bytes data, uint8_t digest[static SIGNATURE_SHA1_SIZE]);
void signature_sha256(struct bytes data, uint8_t digest[static SIGNATURE_SHA256_SIZE]);

#endif
