/*
 * ECDSA on P-256 by crypto/p256, with multiples of the key and without, beside wolfCrypt's. The input begins with a private
 * key, a digest's size and the digest; r and s follow, or, where the octet before them says so, are made by the key. The
 * rest spoils the numbers: octets come in threes that say which number to change, where, and by what. All three must find
 * the same.
 */
#include "../crypto/reference.h"
#include "crypto/p256.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIZE = 32, POINT_SIZE = 65, DIGEST_MIN = 20, DIGEST_MAX = 64, PIECE = 3 };

struct numbers {
    uint8_t point[LANES_EC_POINT_MAX];
    uint8_t digest[DIGEST_MAX];
    uint8_t r[LANES_EC_SIZE_MAX];
    uint8_t s[LANES_EC_SIZE_MAX];
};

static struct bytes left; /* of the input */

/* Takes octets of the input; zeros where it has ended. */
static void take(uint8_t *to, size_t size) {
    size_t there = size < left.size ? size : left.size;
    memset(to, 0, size);
    memcpy(to, left.data, there);
    left = bytes_of(left.data + there, left.size - there);
}

static void spoil(struct numbers *numbers, size_t digest_size) {
    struct {
        uint8_t *octets;
        size_t size;
    } fields[] = {{numbers->point, POINT_SIZE}, {numbers->digest, digest_size}, {numbers->r, SIZE}, {numbers->s, SIZE}};
    while (left.size >= PIECE) {
        uint8_t piece[PIECE];
        take(piece, PIECE);
        unsigned field = piece[0] % ARRAY_LENGTH(fields);
        fields[field].octets[piece[1] % fields[field].size] ^= piece[2];
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct numbers numbers;
    struct p256_multiples multiples;
    struct p256_affine key;
    uint8_t private_key[SIZE];
    uint8_t octet;
    left = bytes_of(data, size);
    take(private_key, SIZE);
    take(&octet, 1);
    size_t digest_size = DIGEST_MIN + octet % (DIGEST_MAX - DIGEST_MIN + 1);
    struct bytes digest = bytes_of(numbers.digest, digest_size);
    take(numbers.digest, digest_size);
    if (!p256_supported() || !reference_ecdh_public(LANES_P256, private_key, numbers.point)) {
        return 0;
    }
    take(&octet, 1);
    if (octet % 2 == 0 || !reference_ecdsa_sign(LANES_P256, digest, private_key, numbers.r, numbers.s)) {
        take(numbers.r, SIZE);
        take(numbers.s, SIZE);
    }
    spoil(&numbers, digest_size);
    struct bytes point = bytes_of(numbers.point, POINT_SIZE);
    struct bytes r = bytes_of(numbers.r, SIZE);
    struct bytes s = bytes_of(numbers.s, SIZE);
    bool expected = reference_ecdsa_verify(LANES_P256, digest, point, r, s);
    if (!p256_read_key(&key, point)) {
        CHECK(!expected);
        return 0;
    }
    p256_make_multiples(&multiples, &key);
    CHECK(p256_verify(&multiples, digest, r, s) == expected);
    CHECK(p256_verify_once(&key, digest, r, s) == expected);
    return 0;
}
