#include "reference.h"
#include "vectors.h"

static struct bytes peer_of(const struct vector *vector) {
    return vector->fields[0];
}

static struct bytes key_of(const struct vector *vector) {
    return vector->fields[1];
}

static void agree(struct vector *const group[], size_t count) {
    struct lanes_x25519_shared jobs[LANES_MAX];
    struct lanes_x25519_shared *pointers[LANES_MAX] = {NULL};
    for (size_t i = 0; i < count; i++) {
        jobs[i] = (struct lanes_x25519_shared){.private_key = key_of(group[i]).data, .peer = peer_of(group[i]).data};
        pointers[i] = &jobs[i];
    }
    lanes_x25519_shared(pointers, count);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(jobs[i].good, group[i]->good, "%u", group[i]->number);
        cr_assert(bytes_equal(bytes_of(jobs[i].secret, sizeof jobs[i].secret), group[i]->fields[2]), "%u", group[i]->number);
    }
}

static bool is_zero(struct bytes bytes) {
    static const uint8_t zeros[64];
    return memcmp(bytes.data, zeros, bytes.size) == 0;
}

/* wolfCrypt 5.9.2 computes another secret than everybody else with a peer whose key is 2, a point that no honest peer has.
 */
static bool is_wrong_in_wolfcrypt(const struct vector *vector) {
    static const uint8_t two[31] = {2};
    return memcmp(peer_of(vector).data, two, sizeof two) == 0 && (peer_of(vector).data[31] & 0x7f) == 0;
}

static struct vectors *read_checked(void) {
    struct vectors *vectors = vectors_read("x25519_test");
    cr_assert_gt(vectors->count, 500);
    for (size_t i = 0; i < vectors->count; i++) {
        struct vector *vector = &vectors->all[i];
        uint8_t secret[32];
        bool good = reference_x25519_shared(key_of(vector).data, peer_of(vector).data, secret);
        vectors_note(vector, good);
        /* RFC 7748 section 6.1 */
        cr_assert_eq(good, !is_zero(vector->fields[2]), "%u", vector->number);
        cr_assert(!good || is_wrong_in_wolfcrypt(vector) || bytes_equal(bytes_of(secret, sizeof secret), vector->fields[2]),
                  "%u", vector->number);
    }
    return vectors;
}

Test(lanes_x25519, wolfcrypt_agrees_with_wycheproof) {
    vectors_free(read_checked());
}

Test(lanes_x25519, shared_secrets_of_wycheproof) {
    VECTORS_NEED_LANES();
    struct vectors *vectors = read_checked();
    vectors_in_groups(vectors, agree);
    vectors_free(vectors);
}

static void make_public(struct vector *const group[], size_t count) {
    struct lanes_x25519_public jobs[LANES_MAX];
    struct lanes_x25519_public *pointers[LANES_MAX] = {NULL};
    for (size_t i = 0; i < count; i++) {
        jobs[i].private_key = key_of(group[i]).data;
        pointers[i] = &jobs[i];
    }
    lanes_x25519_public(pointers, count);
    for (size_t i = 0; i < count; i++) {
        uint8_t expected[32];
        reference_x25519_public(key_of(group[i]).data, expected);
        cr_assert(jobs[i].good && memcmp(jobs[i].public_key, expected, sizeof expected) == 0, "%u", group[i]->number);
    }
}

Test(lanes_x25519, public_keys) {
    VECTORS_NEED_LANES();
    struct vectors *vectors = vectors_read("x25519_test");
    vectors_in_groups(vectors, make_public);
    vectors_free(vectors);
}
