/*
 * Public-key operations in lanes beside wolfCrypt's. The first octet of the input says which operation, the second how many
 * jobs, and the third how the jobs' numbers are drawn. The rest spoils them: for each job, octets come in threes that say
 * which of its numbers to change, where, and to what. Whatever the mix of good and bad jobs, each has the result that
 * wolfCrypt has for it alone.
 */
#include "../crypto/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DIGEST_MIN = 20, DIGEST_MAX = 64, MESSAGE_MAX = 96, FIELDS_MAX = 4, FIELD_MAX = 256, RSA_SIZE = 256, PIECE = 3 };

/* The numbers of one job, in the order in which its functions below name them. */
struct numbers {
    uint8_t data[FIELDS_MAX][FIELD_MAX];
    size_t sizes[FIELDS_MAX];
};

static struct numbers jobs_numbers[LANES_MAX];
static struct bytes left;      /* of the input */
static enum lanes_curve curve; /* of this run */
static RsaKey rsa;
static uint8_t rsa_numbers[6][RSA_SIZE];
static struct lanes_rsa_private rsa_job;

static uint64_t state;

static uint8_t draw(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint8_t)(state >> 56);
}

static void draw_field(struct numbers *numbers, unsigned field, size_t size) {
    numbers->sizes[field] = size;
    for (size_t i = 0; i < size; i++) {
        numbers->data[field][i] = draw();
    }
}

/* A private key, or a nonce, that is below the order. */
static void draw_scalar(struct numbers *numbers, unsigned field) {
    draw_field(numbers, field, reference_ec_size(curve));
    numbers->data[field][0] &= 0x7f;
}

static struct bytes field_of(const struct numbers *numbers, unsigned field) {
    return bytes_of(numbers->data[field], numbers->sizes[field]);
}

/* Takes pieces of the input until one says that the next job's turn has come. */
static void spoil(struct numbers *numbers, unsigned fields) {
    while (left.size >= PIECE) {
        const uint8_t *piece = left.data;
        left = bytes_of(left.data + PIECE, left.size - PIECE);
        unsigned field = (piece[0] & 0x0f) % (fields + 1);
        if (field == fields || numbers->sizes[field] == 0) {
            return;
        }
        uint8_t *octets = numbers->data[field];
        size_t size = numbers->sizes[field];
        size_t at = piece[1] % size;
        switch (piece[0] >> 4 & 3) {
        case 0:
            octets[at] ^= piece[2];
            break;
        case 1:
            octets[at] = piece[2];
            break;
        case 2:
            memset(octets + at, piece[2], size - at);
            break;
        default:
            memset(octets, piece[2], at + 1);
        }
    }
}

static void check_result(bool good, struct bytes result, bool expected, const uint8_t *expected_result) {
    CHECK(good == expected);
    for (size_t i = 0; i < result.size; i++) {
        CHECK(result.data[i] == (expected ? expected_result[i] : 0));
    }
}

static void x25519_public(size_t count) {
    struct lanes_x25519_public jobs[LANES_MAX];
    struct lanes_x25519_public *pointers[LANES_MAX] = {NULL};
    for (size_t i = 0; i < count; i++) {
        draw_field(&jobs_numbers[i], 0, 32);
        spoil(&jobs_numbers[i], 1);
        jobs[i].private_key = jobs_numbers[i].data[0];
        pointers[i] = &jobs[i];
    }
    lanes_x25519_public(pointers, count);
    for (size_t i = 0; i < count; i++) {
        uint8_t key[32];
        reference_x25519_public(jobs[i].private_key, key);
        check_result(jobs[i].good, bytes_of(jobs[i].public_key, 32), true, key);
    }
}

/* wolfCrypt 5.9.2 is wrong for 2: see tests/crypto/test_lanes_x25519.c. */
static bool is_two(const uint8_t *key) {
    uint8_t low[32] = {2};
    uint8_t high[32] = {0xef};
    memset(high + 1, 0xff, 30);
    high[31] = 0x7f;
    return (memcmp(key, low, 31) == 0 && (key[31] & 0x7f) == low[31]) ||
           (memcmp(key, high, 31) == 0 && (key[31] & 0x7f) == high[31]);
}

static void x25519_shared(size_t count) {
    struct lanes_x25519_shared jobs[LANES_MAX];
    struct lanes_x25519_shared *pointers[LANES_MAX] = {NULL};
    for (size_t i = 0; i < count; i++) {
        draw_field(&jobs_numbers[i], 0, 32);
        draw_field(&jobs_numbers[i], 1, 32);
        spoil(&jobs_numbers[i], 2);
        jobs[i].private_key = jobs_numbers[i].data[0];
        jobs[i].peer = jobs_numbers[i].data[1];
        pointers[i] = &jobs[i];
    }
    lanes_x25519_shared(pointers, count);
    for (size_t i = 0; i < count; i++) {
        uint8_t secret[32];
        bool good = reference_x25519_shared(jobs[i].private_key, jobs[i].peer, secret);
        if (!is_two(jobs[i].peer)) {
            check_result(jobs[i].good, bytes_of(jobs[i].secret, 32), good, secret);
        }
    }
}

static void ecdh_public(size_t count) {
    struct lanes_ecdh_public jobs[LANES_MAX];
    struct lanes_ecdh_public *pointers[LANES_MAX] = {NULL};
    for (size_t i = 0; i < count; i++) {
        draw_scalar(&jobs_numbers[i], 0);
        spoil(&jobs_numbers[i], 1);
        jobs[i].private_key = jobs_numbers[i].data[0];
        pointers[i] = &jobs[i];
    }
    lanes_ecdh_public(curve, pointers, count);
    for (size_t i = 0; i < count; i++) {
        uint8_t point[LANES_EC_POINT_MAX] = {0};
        bool good = reference_ecdh_public(curve, jobs[i].private_key, point);
        check_result(jobs[i].good, bytes_of(jobs[i].point, sizeof point), good, point);
    }
}

/* The point of a private key that is drawn. */
static void draw_point(struct numbers *numbers, unsigned field) {
    draw_scalar(numbers, field);
    uint8_t key[LANES_EC_SIZE_MAX];
    memcpy(key, numbers->data[field], sizeof key);
    CHECK(reference_ecdh_public(curve, key, numbers->data[field]));
    numbers->sizes[field] = 1 + 2 * reference_ec_size(curve);
}

static void ecdh_shared(size_t count) {
    struct lanes_ecdh_shared jobs[LANES_MAX];
    struct lanes_ecdh_shared *pointers[LANES_MAX] = {NULL};
    for (size_t i = 0; i < count; i++) {
        draw_scalar(&jobs_numbers[i], 0);
        draw_point(&jobs_numbers[i], 1);
        spoil(&jobs_numbers[i], 2);
        jobs[i].private_key = jobs_numbers[i].data[0];
        jobs[i].peer = field_of(&jobs_numbers[i], 1);
        pointers[i] = &jobs[i];
    }
    lanes_ecdh_shared(curve, pointers, count);
    for (size_t i = 0; i < count; i++) {
        uint8_t x[LANES_EC_SIZE_MAX];
        uint8_t own[LANES_EC_POINT_MAX];
        /* Here wolfCrypt does not look whether the private key is one. */
        bool good = reference_ecdh_public(curve, jobs[i].private_key, own) &&
                    reference_ecdh_shared(curve, jobs[i].private_key, jobs[i].peer, x);
        check_result(jobs[i].good, bytes_of(jobs[i].x, reference_ec_size(curve)), good, x);
    }
}

static bool is_zero(struct bytes bytes) {
    for (size_t i = 0; i < bytes.size; i++) {
        if (bytes.data[i] != 0) {
            return false;
        }
    }
    return true;
}

static void ecdsa_sign(size_t count) {
    struct lanes_ecdsa_prepare jobs[LANES_MAX];
    struct lanes_ecdsa_prepare *pointers[LANES_MAX] = {NULL};
    size_t size = reference_ec_size(curve);
    for (size_t i = 0; i < count; i++) {
        struct numbers *numbers = &jobs_numbers[i];
        draw_field(numbers, 0, DIGEST_MIN + draw() % (DIGEST_MAX - DIGEST_MIN + 1));
        draw_scalar(numbers, 1);
        draw_scalar(numbers, 2);
        spoil(numbers, 3);
        jobs[i].nonce = numbers->data[2];
        pointers[i] = &jobs[i];
    }
    lanes_ecdsa_prepare(curve, pointers, count);
    for (size_t i = 0; i < count; i++) {
        struct lanes_ecdsa_finish rest = {
            .digest = field_of(&jobs_numbers[i], 0), .private_key = jobs_numbers[i].data[1], .prepared = &jobs[i].prepared};
        uint8_t point[LANES_EC_POINT_MAX];
        uint8_t nonce_point[LANES_EC_POINT_MAX];
        lanes_ecdsa_finish(curve, &rest);
        CHECK(jobs[i].good == reference_ecdh_public(curve, jobs[i].nonce, nonce_point));
        bool sound = jobs[i].good && !is_zero(rest.digest) && reference_ecdh_public(curve, rest.private_key, point);
        struct bytes r = bytes_of(rest.signature, size);
        struct bytes s = bytes_of(rest.signature + size, size);
        CHECK(rest.good == sound);
        CHECK(sound ? reference_ecdsa_verify(curve, rest.digest, bytes_of(point, 1 + 2 * size), r, s)
                    : is_zero(bytes_of(rest.signature, sizeof rest.signature)));
    }
}

static void ecdsa_verify(size_t count) {
    struct lanes_ecdsa_verify jobs[LANES_MAX];
    struct lanes_ecdsa_verify *pointers[LANES_MAX] = {NULL};
    for (size_t i = 0; i < count; i++) {
        struct numbers *numbers = &jobs_numbers[i];
        uint8_t key[LANES_EC_SIZE_MAX];
        draw_field(numbers, 0, DIGEST_MIN + draw() % (DIGEST_MAX - DIGEST_MIN + 1));
        draw_scalar(numbers, 1);
        memcpy(key, numbers->data[1], sizeof key);
        CHECK(reference_ecdh_public(curve, key, numbers->data[1]));
        CHECK(reference_ecdsa_sign(curve, field_of(numbers, 0), key, numbers->data[2], numbers->data[3]));
        numbers->sizes[1] = 1 + 2 * reference_ec_size(curve);
        numbers->sizes[2] = numbers->sizes[3] = reference_ec_size(curve);
        spoil(numbers, 4);
        jobs[i] = (struct lanes_ecdsa_verify){.digest = field_of(numbers, 0),
                                              .point = field_of(numbers, 1),
                                              .r = field_of(numbers, 2),
                                              .s = field_of(numbers, 3)};
        pointers[i] = &jobs[i];
    }
    lanes_ecdsa_verify(curve, pointers, count);
    for (size_t i = 0; i < count; i++) {
        CHECK(jobs[i].good == reference_ecdsa_verify(curve, jobs[i].digest, jobs[i].point, jobs[i].r, jobs[i].s));
    }
}

static void rsa_public(size_t count) {
    struct lanes_rsa_public jobs[LANES_MAX];
    struct lanes_rsa_public *pointers[LANES_MAX] = {NULL};
    for (size_t i = 0; i < count; i++) {
        draw_field(&jobs_numbers[i], 0, RSA_SIZE);
        jobs_numbers[i].data[0][0] &= 0x7f;
        spoil(&jobs_numbers[i], 1);
        jobs[i] = (struct lanes_rsa_public){.modulus = rsa_job.modulus, .input = field_of(&jobs_numbers[i], 0)};
        pointers[i] = &jobs[i];
    }
    lanes_rsa_public(RSA_SIZE, pointers, count);
    for (size_t i = 0; i < count; i++) {
        uint8_t output[RSA_SIZE];
        bool good = reference_rsa_public(rsa_job.modulus, jobs[i].input, output);
        check_result(jobs[i].good, bytes_of(jobs[i].output, RSA_SIZE), good, output);
    }
}

/* A private operation with spoiled numbers has no result, or the right one. */
static void rsa_private(size_t count) {
    struct lanes_rsa_private jobs[LANES_MAX];
    struct lanes_rsa_private *pointers[LANES_MAX] = {NULL};
    for (size_t i = 0; i < count; i++) {
        struct numbers *numbers = &jobs_numbers[i];
        draw_field(numbers, 0, RSA_SIZE);
        numbers->data[0][0] &= 0x7f;
        struct bytes from[] = {rsa_job.p, rsa_job.dp, rsa_job.qinv};
        for (unsigned j = 0; j < ARRAY_LENGTH(from); j++) {
            memcpy(numbers->data[1 + j], from[j].data, from[j].size);
            numbers->sizes[1 + j] = from[j].size;
        }
        spoil(numbers, 4);
        jobs[i] = rsa_job;
        jobs[i].input = field_of(numbers, 0);
        jobs[i].p = field_of(numbers, 1);
        jobs[i].dp = field_of(numbers, 2);
        jobs[i].qinv = field_of(numbers, 3);
        pointers[i] = &jobs[i];
    }
    lanes_rsa_private(RSA_SIZE, pointers, count);
    for (size_t i = 0; i < count; i++) {
        uint8_t expected[RSA_SIZE];
        word32 size = sizeof expected;
        bool untouched = bytes_equal(jobs[i].p, rsa_job.p) && bytes_equal(jobs[i].dp, rsa_job.dp) &&
                         bytes_equal(jobs[i].qinv, rsa_job.qinv);
        bool sound =
            memcmp(jobs[i].input.data, rsa_job.modulus.data, RSA_SIZE) < 0 &&
            wc_RsaFunction(jobs[i].input.data, RSA_SIZE, expected, &size, RSA_PRIVATE_ENCRYPT, &rsa, reference_rng()) == 0;
        CHECK(!untouched || !sound || jobs[i].good);
        if (sound) {
            check_result(jobs[i].good, bytes_of(jobs[i].output, RSA_SIZE), jobs[i].good, expected);
        }
    }
}

static void ed25519_sign(size_t count) {
    struct lanes_ed25519_sign jobs[LANES_MAX];
    struct lanes_ed25519_sign *pointers[LANES_MAX] = {NULL};
    uint8_t keys[LANES_MAX][32];
    for (size_t i = 0; i < count; i++) {
        struct numbers *numbers = &jobs_numbers[i];
        draw_field(numbers, 0, 32);
        draw_field(numbers, 1, draw() % MESSAGE_MAX);
        spoil(numbers, 2);
        reference_ed25519_public(numbers->data[0], keys[i]);
        jobs[i] = (struct lanes_ed25519_sign){
            .private_key = numbers->data[0], .public_key = keys[i], .message = field_of(numbers, 1)};
        pointers[i] = &jobs[i];
    }
    lanes_ed25519_sign(pointers, count);
    for (size_t i = 0; i < count; i++) {
        uint8_t signature[64];
        reference_ed25519_sign(jobs[i].private_key, keys[i], jobs[i].message, signature);
        check_result(jobs[i].good, bytes_of(jobs[i].signature, sizeof signature), true, signature);
    }
}

static void ed25519_verify(size_t count) {
    struct lanes_ed25519_verify jobs[LANES_MAX];
    struct lanes_ed25519_verify *pointers[LANES_MAX] = {NULL};
    for (size_t i = 0; i < count; i++) {
        struct numbers *numbers = &jobs_numbers[i];
        uint8_t seed[32];
        draw_field(numbers, 0, 32);
        draw_field(numbers, 1, draw() % MESSAGE_MAX);
        memcpy(seed, numbers->data[0], sizeof seed);
        reference_ed25519_public(seed, numbers->data[0]);
        reference_ed25519_sign(seed, numbers->data[0], field_of(numbers, 1), numbers->data[2]);
        numbers->sizes[2] = 64;
        spoil(numbers, 3);
        jobs[i] = (struct lanes_ed25519_verify){
            .public_key = numbers->data[0], .signature = numbers->data[2], .message = field_of(numbers, 1)};
        pointers[i] = &jobs[i];
    }
    lanes_ed25519_verify(pointers, count);
    for (size_t i = 0; i < count; i++) {
        CHECK(jobs[i].good == reference_ed25519_verify(jobs[i].public_key, jobs[i].message, jobs[i].signature));
    }
}

static struct bytes export(mp_int *number, uint8_t *to) {
    CHECK(mp_to_unsigned_bin(number, to) == MP_OKAY);
    return bytes_of(to, (size_t)mp_unsigned_bin_size(number));
}

static void set_up(void) {
    CHECK(wc_InitRsaKey(&rsa, NULL) == 0 && wc_MakeRsaKey(&rsa, RSA_SIZE * 8, 65537, reference_rng()) == 0);
    CHECK(wc_RsaSetRNG(&rsa, reference_rng()) == 0);
    rsa_job = (struct lanes_rsa_private){
        .modulus = export(&rsa.n, rsa_numbers[0]),
        .p = export(&rsa.p, rsa_numbers[1]),
        .q = export(&rsa.q, rsa_numbers[2]),
        .dp = export(&rsa.dP, rsa_numbers[3]),
        .dq = export(&rsa.dQ, rsa_numbers[4]),
        .qinv = export(&rsa.u, rsa_numbers[5]),
    };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static void (*const operations[])(size_t count) = {x25519_public, x25519_shared, ecdh_public, ecdh_shared,
                                                       ecdsa_sign,    ecdsa_verify,  rsa_public,  rsa_private,
                                                       ed25519_sign,  ed25519_verify};
    enum { HEAD = 3 };
    if (size < HEAD || !lanes_supported()) {
        return 0;
    }
    if (rsa_job.modulus.size == 0) {
        set_up();
    }
    left = bytes_of(data + HEAD, size - HEAD);
    curve = data[1] >= 128 ? LANES_P384 : LANES_P256;
    state = data[2];
    operations[data[0] % ARRAY_LENGTH(operations)](1 + data[1] % LANES_MAX);
    return 0;
}
