#include "reference.h"
#include "vectors.h"
#include "x509/der.h"
#include "x509/oid.h"

static enum lanes_curve curve; /* of the test that runs */

/* Reads a SubjectPublicKeyInfo as strictly as x509 does. An empty view, which is no point, where it is not of this curve. */
static struct bytes point_of(const struct vector *vector) {
    struct bytes content;
    struct bytes algorithm;
    struct bytes type;
    struct bytes parameters;
    struct bytes point;
    unsigned unused;
    bool good = der_only(vector->fields[0], DER_SEQUENCE, &content) && der_read(&content, DER_SEQUENCE, &algorithm) &&
                der_read_oid(&algorithm, &type) && der_read_oid(&algorithm, &parameters) && algorithm.size == 0 &&
                der_read_bits(&content, &point, &unused) && unused == 0 && content.size == 0;
    good = good && bytes_equal(type, OID_EC_PUBLIC_KEY) &&
           bytes_equal(parameters, curve == LANES_P256 ? OID_SECP256R1 : OID_SECP384R1);
    return good ? point : bytes_of(NULL, 0);
}

static void agree(struct vector *const group[], size_t count) {
    struct lanes_ecdh_shared jobs[LANES_MAX];
    struct lanes_ecdh_shared *pointers[LANES_MAX] = {NULL};
    for (size_t i = 0; i < count; i++) {
        jobs[i] = (struct lanes_ecdh_shared){.private_key = group[i]->fields[1].data, .peer = point_of(group[i])};
        pointers[i] = &jobs[i];
    }
    lanes_ecdh_shared(curve, pointers, count);
    for (size_t i = 0; i < count; i++) {
        static const uint8_t zeros[LANES_EC_SIZE_MAX];
        struct bytes x = bytes_of(jobs[i].x, reference_ec_size(curve));
        cr_assert_eq(jobs[i].good, group[i]->good, "%u", group[i]->number);
        cr_assert(bytes_equal(x, group[i]->good ? group[i]->fields[2] : bytes_of(zeros, x.size)), "%u", group[i]->number);
    }
}

static struct vectors *read_checked(const char *name, enum lanes_curve of) {
    struct vectors *vectors = vectors_read(name);
    size_t good_count = 0;
    curve = of;
    for (size_t i = 0; i < vectors->count; i++) {
        struct vector *vector = &vectors->all[i];
        uint8_t x[LANES_EC_SIZE_MAX];
        bool good = reference_ecdh_shared(curve, vector->fields[1].data, point_of(vector), x);
        vectors_note(vector, good);
        cr_assert(!good || bytes_equal(bytes_of(x, reference_ec_size(curve)), vector->fields[2]), "%u", vector->number);
        good_count += good;
    }
    cr_assert_gt(good_count, 300);
    return vectors;
}

static void check_file(const char *name, enum lanes_curve of) {
    VECTORS_NEED_LANES();
    struct vectors *vectors = read_checked(name, of);
    vectors_in_groups(vectors, agree);
    vectors_free(vectors);
}

Test(lanes_ecdh, wolfcrypt_agrees_with_wycheproof) {
    vectors_free(read_checked("ecdh_secp256r1_test", LANES_P256));
    vectors_free(read_checked("ecdh_secp384r1_test", LANES_P384));
}

Test(lanes_ecdh, shared_secrets_of_wycheproof_p256) {
    check_file("ecdh_secp256r1_test", LANES_P256);
}

Test(lanes_ecdh, shared_secrets_of_wycheproof_p384) {
    check_file("ecdh_secp384r1_test", LANES_P384);
}

static void make_public(struct vector *const group[], size_t count) {
    struct lanes_ecdh_public jobs[LANES_MAX];
    struct lanes_ecdh_public *pointers[LANES_MAX] = {NULL};
    for (size_t i = 0; i < count; i++) {
        jobs[i].private_key = group[i]->fields[1].data;
        pointers[i] = &jobs[i];
    }
    lanes_ecdh_public(curve, pointers, count);
    for (size_t i = 0; i < count; i++) {
        uint8_t expected[LANES_EC_POINT_MAX] = {0};
        bool good = reference_ecdh_public(curve, group[i]->fields[1].data, expected);
        cr_assert_eq(jobs[i].good, good, "%u", group[i]->number);
        cr_assert_arr_eq(jobs[i].point, expected, sizeof expected);
    }
}

static void check_public_keys(const char *name, enum lanes_curve of) {
    VECTORS_NEED_LANES();
    struct vectors *vectors = vectors_read(name);
    curve = of;
    vectors_in_groups(vectors, make_public);
    vectors_free(vectors);
}

Test(lanes_ecdh, public_keys_p256) {
    check_public_keys("ecdh_secp256r1_test", LANES_P256);
}

Test(lanes_ecdh, public_keys_p384) {
    check_public_keys("ecdh_secp384r1_test", LANES_P384);
}

/* Private keys at the bounds: 0 and the order are none, 1 and the order less 1 are. */
static void check_bounds(enum lanes_curve of, const char *order_hex) {
    VECTORS_NEED_LANES();
    struct bytes order = vectors_read_hex(order_hex);
    size_t size = order.size;
    uint8_t keys[5][LANES_EC_SIZE_MAX] = {{0}};
    keys[1][size - 1] = 1;
    memcpy(keys[2], order.data, size);
    memcpy(keys[3], order.data, size);
    keys[3][size - 1]--;
    memset(keys[4], 0xff, size);
    struct lanes_ecdh_public public_jobs[5];
    struct lanes_ecdh_shared shared_jobs[5];
    struct lanes_ecdh_public *public_pointers[5];
    struct lanes_ecdh_shared *shared_pointers[5];
    uint8_t base[LANES_EC_POINT_MAX];
    cr_assert(reference_ecdh_public(of, keys[1], base));
    for (size_t i = 0; i < 5; i++) {
        public_jobs[i].private_key = keys[i];
        shared_jobs[i] = (struct lanes_ecdh_shared){.private_key = keys[i], .peer = bytes_of(base, 1 + 2 * size)};
        public_pointers[i] = &public_jobs[i];
        shared_pointers[i] = &shared_jobs[i];
    }
    lanes_ecdh_public(of, public_pointers, 5);
    lanes_ecdh_shared(of, shared_pointers, 5);
    for (size_t i = 0; i < 5; i++) {
        bool expected = i == 1 || i == 3;
        cr_assert(public_jobs[i].good == expected && shared_jobs[i].good == expected, "%zu", i);
        cr_assert(!expected || memcmp(shared_jobs[i].x, base + 1, size) == 0, "%zu", i);
    }
    cr_assert_arr_eq(public_jobs[1].point, base, 1 + 2 * size);
    free((void *)(uintptr_t)order.data);
}

Test(lanes_ecdh, bounds_of_private_keys_p256) {
    check_bounds(LANES_P256, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
}

Test(lanes_ecdh, bounds_of_private_keys_p384) {
    check_bounds(LANES_P384,
                 "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973");
}

/* x + p is the same coordinate modulo p, but no point of the wire. */
Test(lanes_ecdh, coordinates_from_the_prime_on_are_refused) {
    VECTORS_NEED_LANES();
    /* The point of P-256 with x = 5; and p + 5 in its place. */
    struct bytes point = vectors_read_hex("040000000000000000000000000000000000000000000000000000000000000005"
                                          "459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc");
    struct bytes above = vectors_read_hex("04ffffffff00000001000000000000000000000001000000000000000000000004"
                                          "459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc");
    uint8_t key[32] = {[31] = 2};
    struct lanes_ecdh_shared jobs[2] = {{.private_key = key, .peer = point}, {.private_key = key, .peer = above}};
    lanes_ecdh_shared(LANES_P256, (struct lanes_ecdh_shared *[]){&jobs[0], &jobs[1]}, 2);
    cr_assert(jobs[0].good && !jobs[1].good);
    free((void *)(uintptr_t)point.data);
    free((void *)(uintptr_t)above.data);
}
