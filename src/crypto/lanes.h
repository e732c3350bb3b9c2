/*
 * Public-key operations up to eight at a time, in the eight lanes of a vector register, by crypto_mb (AVX-512 IFMA). A call
 * takes 1 to LANES_MAX jobs of one kind, and costs the same for one as for eight: lanes_worth says from how many jobs on it
 * is cheaper than wolfCrypt's single operations.
 *
 * A job holds views of its inputs, as the wire has them, and has room for its results. `good` tells whether there are any;
 * where there are none, they are zeros. Jobs do not affect each other. A job may lie on any stack, and may share inputs with
 * others. The caller wipes its secrets in the job; copies of them that a call makes are wiped before it returns.
 *
 * A call allocates nothing and waits for nothing. Its own needs on the stack are below LANES_STACK_SIZE. Any thread may
 * call, where lanes_supported says so. For valid private keys, time and addresses do not depend on them: of crypto_mb this
 * is what its makers say, and no test here shows it.
 */
#ifndef CRYPTO_LANES_H
#define CRYPTO_LANES_H

#include "base/bytes.h"

enum {
    LANES_MAX = 8,
    LANES_STACK_SIZE = 512 * 1024,
    LANES_X25519_SIZE = 32,
    LANES_EC_SIZE_MAX = 48,                         /* a coordinate or a number modulo the order, of P-384 */
    LANES_EC_POINT_MAX = 1 + 2 * LANES_EC_SIZE_MAX, /* uncompressed (SEC 1 section 2.3.3) */
    LANES_RSA_SIZE_MAX = 512,
    LANES_ED25519_SIZE = 32,
};

/* Each has a function and a struct of jobs below. */
enum lanes_operation {
    LANES_OPERATION_X25519_PUBLIC,
    LANES_OPERATION_X25519_SHARED,
    LANES_OPERATION_ECDH_PUBLIC,
    LANES_OPERATION_ECDH_SHARED,
    LANES_OPERATION_ECDSA_PREPARE,
    LANES_OPERATION_ECDSA_VERIFY,
    LANES_OPERATION_RSA_PRIVATE,
    LANES_OPERATION_RSA_PUBLIC,
    LANES_OPERATION_ED25519_SIGN,
    LANES_OPERATION_ED25519_VERIFY,
};

enum lanes_curve { LANES_P256, LANES_P384 };

/*
 * A kind is an operation with one curve or one size, so that its jobs can share a call. Each row: its names, its operation,
 * the operation's first argument where that has one (the curve, or the bytes of the modulus), and from how many jobs on a
 * call is cheaper than as many single operations of wolfCrypt. bench/micro measures the latter; the numbers are for an AMD
 * EPYC, and bench/RESULTS.md has the figures. The order is that in which a handshake needs the operations.
 */
#define LANES_TABLE(ROW)                                                                                                    \
    ROW(X25519_PUBLIC, "x25519_public", X25519_PUBLIC, 0, 4)                                                                \
    ROW(P256_PUBLIC, "p256_public", ECDH_PUBLIC, LANES_P256, 3)                                                             \
    ROW(P384_PUBLIC, "p384_public", ECDH_PUBLIC, LANES_P384, 4)                                                             \
    ROW(P256_PREPARE, "p256_sign", ECDSA_PREPARE, LANES_P256, 3)                                                            \
    ROW(P384_PREPARE, "p384_sign", ECDSA_PREPARE, LANES_P384, 3)                                                            \
    ROW(X25519_SHARED, "x25519_shared", X25519_SHARED, 0, 2)                                                                \
    ROW(P256_SHARED, "p256_shared", ECDH_SHARED, LANES_P256, 3)                                                             \
    ROW(P384_SHARED, "p384_shared", ECDH_SHARED, LANES_P384, 3)                                                             \
    ROW(RSA2048_PRIVATE, "rsa2048_private", RSA_PRIVATE, 256, 3)                                                            \
    ROW(RSA3072_PRIVATE, "rsa3072_private", RSA_PRIVATE, 384, 3)                                                            \
    ROW(RSA4096_PRIVATE, "rsa4096_private", RSA_PRIVATE, 512, 3)                                                            \
    ROW(ED25519_SIGN, "ed25519_sign", ED25519_SIGN, 0, 3)                                                                   \
    ROW(P256_VERIFY, "p256_verify", ECDSA_VERIFY, LANES_P256, 3)                                                            \
    ROW(P384_VERIFY, "p384_verify", ECDSA_VERIFY, LANES_P384, 4)                                                            \
    ROW(RSA2048_PUBLIC, "rsa2048_public", RSA_PUBLIC, 256, 3)                                                               \
    ROW(RSA3072_PUBLIC, "rsa3072_public", RSA_PUBLIC, 384, 4)                                                               \
    ROW(RSA4096_PUBLIC, "rsa4096_public", RSA_PUBLIC, 512, 4)                                                               \
    ROW(ED25519_VERIFY, "ed25519_verify", ED25519_VERIFY, 0, 3)

#define LANES_KIND_OF_ROW(kind, name, operation, variant, worth) LANES_##kind,
enum lanes_kind { LANES_TABLE(LANES_KIND_OF_ROW) LANES_KINDS };
#undef LANES_KIND_OF_ROW

/* Tells whether this processor and its kernel can do what follows. Costs a few loads. */
bool lanes_supported(void);

/* Returns the kind of an operation with this first argument (0 where it has none); LANES_KINDS where there is none. */
enum lanes_kind lanes_find(enum lanes_operation operation, unsigned variant);

/* Return what the kind's row says. `worth` is 1 to LANES_MAX, or LANES_MAX + 1 where a call is never cheaper. */
const char *lanes_name(enum lanes_kind kind);
enum lanes_operation lanes_operation(enum lanes_kind kind);
unsigned lanes_variant(enum lanes_kind kind);
size_t lanes_worth(enum lanes_kind kind);

/* Computes jobs of a kind, each the struct of the kind's operation, by the operation's function. */
void lanes_compute(enum lanes_kind kind, void *const jobs[], size_t count);

/* X25519 (RFC 7748). Keys and results are 32 bytes, little-endian, and a key is any 32 bytes. */
struct lanes_x25519_public {
    const uint8_t *private_key;
    uint8_t public_key[LANES_X25519_SIZE];
    bool good; /* always */
};

struct lanes_x25519_shared {
    const uint8_t *private_key;
    const uint8_t *peer;
    uint8_t secret[LANES_X25519_SIZE];
    bool good; /* not where the secret is all zeros (section 6.1) */
};

void lanes_x25519_public(struct lanes_x25519_public *const jobs[], size_t count);
void lanes_x25519_shared(struct lanes_x25519_shared *const jobs[], size_t count);

/*
 * ECDH on the NIST curves (SP 800-56A). Numbers are big-endian and have the curve's size, 32 or 48 bytes. A private key that
 * is 0, or not below the order, is not good. Nor is a peer's point unless it is uncompressed and on the curve.
 */
struct lanes_ecdh_public {
    const uint8_t *private_key;
    uint8_t point[LANES_EC_POINT_MAX]; /* uncompressed: 65 or 97 bytes */
    bool good;
};

struct lanes_ecdh_shared {
    const uint8_t *private_key;
    struct bytes peer;
    uint8_t x[LANES_EC_SIZE_MAX]; /* the secret: 32 or 48 bytes */
    bool good;
};

void lanes_ecdh_public(enum lanes_curve curve, struct lanes_ecdh_public *const jobs[], size_t count);
void lanes_ecdh_shared(enum lanes_curve curve, struct lanes_ecdh_shared *const jobs[], size_t count);

/*
 * ECDSA (FIPS 186-5 section 6.4). A digest may have any size: its leftmost bits are taken. One that is empty, or all zeros,
 * is not good, as in wolfCrypt. `private_key` and `nonce` are big-endian and have the curve's size; each is from 1 to the
 * order less 1, or the job is not good. The nonce must be secret, uniform, and never used again: two signatures with one
 * nonce give the private key away.
 */
/*
 * A signature is made in two steps. The first needs neither the digest nor the key, and costs nearly all of the time. Its
 * result is as secret as the nonce, and good for one signature only.
 */
struct lanes_ecdsa_prepared {
    uint64_t inverse[LANES_EC_SIZE_MAX / sizeof(uint64_t)]; /* of the nonce, the lowest word first */
    uint64_t r[LANES_EC_SIZE_MAX / sizeof(uint64_t)];
};

struct lanes_ecdsa_prepare {
    const uint8_t *nonce;
    struct lanes_ecdsa_prepared prepared;
    bool good;
};

/* The second step is computed for one job alone. */
struct lanes_ecdsa_finish {
    struct bytes digest;
    const uint8_t *private_key;
    const struct lanes_ecdsa_prepared *prepared;
    uint8_t signature[2 * LANES_EC_SIZE_MAX]; /* r and s, each of the curve's size */
    bool good;                                /* not in the one case in 2^255 in which another nonce must be tried */
};

struct lanes_ecdsa_verify {
    struct bytes digest;
    struct bytes point; /* the public key; good only uncompressed and on the curve */
    struct bytes r;     /* big-endian, of at most the curve's size; good only from 1 to the order less 1 */
    struct bytes s;
    bool good; /* the signature is */
};

void lanes_ecdsa_prepare(enum lanes_curve curve, struct lanes_ecdsa_prepare *const jobs[], size_t count);
void lanes_ecdsa_finish(enum lanes_curve curve, struct lanes_ecdsa_finish *job);
void lanes_ecdsa_verify(enum lanes_curve curve, struct lanes_ecdsa_verify *const jobs[], size_t count);

/*
 * RSA without any padding (RFC 8017 sections 5.1 and 5.2), for moduli of exactly 2048, 3072 or 4096 bits: `size` is 256, 384
 * or 512, the same for all jobs of a call. Numbers are big-endian; `input` has `size` bytes and is below the modulus, or the
 * job is not good. The public exponent is 65537: keys with another one are not for these functions.
 */
struct lanes_rsa_public {
    struct bytes modulus; /* `size` bytes, odd */
    struct bytes input;
    uint8_t output[LANES_RSA_SIZE_MAX];
    bool good;
};

/* By the Chinese remainder theorem. Each of its numbers has at most size / 2 bytes; q may be above p. */
struct lanes_rsa_private {
    struct bytes modulus;
    struct bytes p;
    struct bytes q;
    struct bytes dp;   /* the private exponent modulo p - 1 */
    struct bytes dq;   /* and modulo q - 1 */
    struct bytes qinv; /* 1 / q modulo p */
    struct bytes input;
    uint8_t output[LANES_RSA_SIZE_MAX];
    bool good; /* only where the public operation gives the input back: a faulty result would give p away (Lenstra 1996) */
};

void lanes_rsa_public(size_t size, struct lanes_rsa_public *const jobs[], size_t count);
void lanes_rsa_private(size_t size, struct lanes_rsa_private *const jobs[], size_t count);

/* Ed25519 (RFC 8032 section 5.1), without context. Keys are 32 bytes; a message may have any size below 4 GiB. */
struct lanes_ed25519_sign {
    const uint8_t *private_key; /* the seed */
    const uint8_t *public_key;  /* of this private key and no other: another one would give the private key away */
    struct bytes message;
    uint8_t signature[2 * LANES_ED25519_SIZE];
    bool good;
};

struct lanes_ed25519_verify {
    const uint8_t *public_key;
    const uint8_t *signature; /* 64 bytes */
    struct bytes message;
    bool good; /* the signature is: one without a cofactor, whose numbers are all written in the shortest way */
};

void lanes_ed25519_sign(struct lanes_ed25519_sign *const jobs[], size_t count);
void lanes_ed25519_verify(struct lanes_ed25519_verify *const jobs[], size_t count);

#endif
