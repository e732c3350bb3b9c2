#include "micro/lanes.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/curve25519.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/rsa.h>

enum {
    CURVES = 2,
    RSA_SIZES = 3,
    RSA_NUMBERS = 6,
    HASH_SIZE = 48,
    MESSAGE_SIZE = 130, /* as of a CertificateVerify of TLS 1.3 */
    EXPONENT = 65537,
    SLOWNESS = 16, /* operations with RSA keys are repeated less often by this */
};

static const int ec_ids[CURVES] = {ECC_SECP256R1, ECC_SECP384R1};
static const size_t ec_sizes[CURVES] = {32, 48};
static const size_t rsa_sizes[RSA_SIZES] = {256, 384, 512};

/* A key, a signature by it and its numbers. */
struct ec {
    ecc_key key;
    byte signature[ECC_MAX_SIG_SIZE];
    word32 signature_size;
    byte private_key[LANES_EC_SIZE_MAX];
    byte nonce[LANES_EC_SIZE_MAX];
    byte point[LANES_EC_POINT_MAX];
    byte r[LANES_EC_SIZE_MAX];
    byte s[LANES_EC_SIZE_MAX];
    word32 r_size;
    word32 s_size;
};

struct rsa {
    RsaKey key;
    byte numbers[RSA_NUMBERS][LANES_RSA_SIZE_MAX];
    struct lanes_rsa_private job;
    byte input[LANES_RSA_SIZE_MAX];
};

struct lanes_bench {
    WC_RNG rng;
    curve25519_key x25519;
    byte x25519_private[LANES_X25519_SIZE];
    byte x25519_public[LANES_X25519_SIZE];
    struct ec ec[CURVES];
    struct rsa rsa[RSA_SIZES];
    ed25519_key ed25519;
    byte ed25519_private[LANES_ED25519_SIZE];
    byte ed25519_public[LANES_ED25519_SIZE];
    byte ed25519_signature[2 * LANES_ED25519_SIZE];
    byte hash[HASH_SIZE];
    byte message[MESSAGE_SIZE];
};

/* Single operations. The last argument: the curve, or the bytes of the modulus, as in lanes_variant. */

static void x25519_public(struct lanes_bench *bench, unsigned variant) {
    byte key[LANES_X25519_SIZE];
    CHECK(wc_curve25519_make_pub(sizeof key, key, sizeof bench->x25519_private, bench->x25519_private) == 0);
}

static void x25519_shared(struct lanes_bench *bench, unsigned variant) {
    byte secret[LANES_X25519_SIZE];
    word32 size = sizeof secret;
    CHECK(wc_curve25519_shared_secret_ex(&bench->x25519, &bench->x25519, secret, &size, EC25519_LITTLE_ENDIAN) == 0);
}

static void ecdh_public(struct lanes_bench *bench, unsigned variant) {
    CHECK(wc_ecc_make_pub_ex(&bench->ec[variant].key, NULL, &bench->rng) == 0);
}

static void ecdh_shared(struct lanes_bench *bench, unsigned variant) {
    byte x[LANES_EC_SIZE_MAX];
    word32 size = sizeof x;
    ecc_key *key = &bench->ec[variant].key;
    CHECK(wc_ecc_shared_secret(key, key, x, &size) == 0);
}

static void ecdsa_sign(struct lanes_bench *bench, unsigned variant) {
    struct ec *ec = &bench->ec[variant];
    ec->signature_size = sizeof ec->signature;
    CHECK(wc_ecc_sign_hash(bench->hash, (word32)ec_sizes[variant], ec->signature, &ec->signature_size, &bench->rng,
                           &ec->key) == 0);
}

static void ecdsa_verify(struct lanes_bench *bench, unsigned variant) {
    struct ec *ec = &bench->ec[variant];
    int verified = 0;
    CHECK(wc_ecc_verify_hash(ec->signature, ec->signature_size, bench->hash, (word32)ec_sizes[variant], &verified,
                             &ec->key) == 0 &&
          verified == 1);
}

static struct rsa *rsa_of(struct lanes_bench *bench, unsigned size) {
    unsigned which = 0;
    while (rsa_sizes[which] != size) {
        which++;
    }
    return &bench->rsa[which];
}

static void rsa_function(struct lanes_bench *bench, unsigned variant, int type) {
    struct rsa *rsa = rsa_of(bench, variant);
    byte output[LANES_RSA_SIZE_MAX];
    word32 size = sizeof output;
    CHECK(wc_RsaFunction(rsa->input, variant, output, &size, type, &rsa->key, &bench->rng) == 0);
}

static void rsa_private(struct lanes_bench *bench, unsigned variant) {
    rsa_function(bench, variant, RSA_PRIVATE_ENCRYPT);
}

static void rsa_public(struct lanes_bench *bench, unsigned variant) {
    rsa_function(bench, variant, RSA_PUBLIC_DECRYPT);
}

static void ed25519_sign(struct lanes_bench *bench, unsigned variant) {
    word32 size = sizeof bench->ed25519_signature;
    CHECK(wc_ed25519_sign_msg(bench->message, sizeof bench->message, bench->ed25519_signature, &size, &bench->ed25519) == 0);
}

static void ed25519_verify(struct lanes_bench *bench, unsigned variant) {
    int verified = 0;
    CHECK(wc_ed25519_verify_msg(bench->ed25519_signature, sizeof bench->ed25519_signature, bench->message,
                                sizeof bench->message, &verified, &bench->ed25519) == 0 &&
          verified == 1);
}

/* Calls. Each computes LANES_MAX copies of one job, and looks at all results. */
#define CALL(type, call, ...)                                                                                               \
    do {                                                                                                                    \
        struct type jobs[LANES_MAX];                                                                                        \
        struct type *pointers[LANES_MAX];                                                                                   \
        for (size_t i = 0; i < LANES_MAX; i++) {                                                                            \
            jobs[i] = (struct type)__VA_ARGS__;                                                                             \
            pointers[i] = &jobs[i];                                                                                         \
        }                                                                                                                   \
        call;                                                                                                               \
        for (size_t i = 0; i < LANES_MAX; i++) {                                                                            \
            CHECK(jobs[i].good);                                                                                            \
        }                                                                                                                   \
    } while (0)

static void call_x25519_public(struct lanes_bench *bench, unsigned variant) {
    CALL(lanes_x25519_public, lanes_x25519_public(pointers, LANES_MAX), {.private_key = bench->x25519_private});
}

static void call_x25519_shared(struct lanes_bench *bench, unsigned variant) {
    CALL(lanes_x25519_shared, lanes_x25519_shared(pointers, LANES_MAX),
         {.private_key = bench->x25519_private, .peer = bench->x25519_public});
}

static void call_ecdh_public(struct lanes_bench *bench, unsigned variant) {
    CALL(lanes_ecdh_public, lanes_ecdh_public((enum lanes_curve)variant, pointers, LANES_MAX),
         {.private_key = bench->ec[variant].private_key});
}

static void call_ecdh_shared(struct lanes_bench *bench, unsigned variant) {
    const struct ec *ec = &bench->ec[variant];
    CALL(lanes_ecdh_shared, lanes_ecdh_shared((enum lanes_curve)variant, pointers, LANES_MAX),
         {.private_key = ec->private_key, .peer = bytes_of(ec->point, 1 + 2 * ec_sizes[variant])});
}

static void finish_signatures(struct lanes_bench *bench, unsigned variant, const struct lanes_ecdsa_prepare *jobs) {
    for (size_t i = 0; i < LANES_MAX; i++) {
        struct lanes_ecdsa_finish rest = {.digest = bytes_of(bench->hash, ec_sizes[variant]),
                                          .private_key = bench->ec[variant].private_key,
                                          .prepared = &jobs[i].prepared};
        lanes_ecdsa_finish((enum lanes_curve)variant, &rest);
        CHECK(rest.good);
    }
}

/* Both steps of as many signatures, so that they can be compared with wolfCrypt's. */
static void call_ecdsa_sign(struct lanes_bench *bench, unsigned variant) {
    CALL(lanes_ecdsa_prepare,
         {
             lanes_ecdsa_prepare((enum lanes_curve)variant, pointers, LANES_MAX);
             finish_signatures(bench, variant, jobs);
         },
         {.nonce = bench->ec[variant].nonce});
}

static void call_ecdsa_verify(struct lanes_bench *bench, unsigned variant) {
    const struct ec *ec = &bench->ec[variant];
    CALL(lanes_ecdsa_verify, lanes_ecdsa_verify((enum lanes_curve)variant, pointers, LANES_MAX),
         {.digest = bytes_of(bench->hash, ec_sizes[variant]),
          .point = bytes_of(ec->point, 1 + 2 * ec_sizes[variant]),
          .r = bytes_of(ec->r, ec->r_size),
          .s = bytes_of(ec->s, ec->s_size)});
}

static void call_rsa_private(struct lanes_bench *bench, unsigned variant) {
    const struct rsa *rsa = rsa_of(bench, variant);
    CALL(lanes_rsa_private, lanes_rsa_private(variant, pointers, LANES_MAX),
         {.modulus = rsa->job.modulus,
          .p = rsa->job.p,
          .q = rsa->job.q,
          .dp = rsa->job.dp,
          .dq = rsa->job.dq,
          .qinv = rsa->job.qinv,
          .input = rsa->job.input});
}

static void call_rsa_public(struct lanes_bench *bench, unsigned variant) {
    const struct rsa *rsa = rsa_of(bench, variant);
    CALL(lanes_rsa_public, lanes_rsa_public(variant, pointers, LANES_MAX),
         {.modulus = rsa->job.modulus, .input = rsa->job.input});
}

static void call_ed25519_sign(struct lanes_bench *bench, unsigned variant) {
    CALL(lanes_ed25519_sign, lanes_ed25519_sign(pointers, LANES_MAX),
         {.private_key = bench->ed25519_private,
          .public_key = bench->ed25519_public,
          .message = bytes_of(bench->message, MESSAGE_SIZE)});
}

static void call_ed25519_verify(struct lanes_bench *bench, unsigned variant) {
    CALL(lanes_ed25519_verify, lanes_ed25519_verify(pointers, LANES_MAX),
         {.public_key = bench->ed25519_public,
          .signature = bench->ed25519_signature,
          .message = bytes_of(bench->message, MESSAGE_SIZE)});
}

static const struct {
    void (*single)(struct lanes_bench *bench, unsigned variant);
    void (*call)(struct lanes_bench *bench, unsigned variant);
    bool slow;
} table[] = {
    [LANES_OPERATION_X25519_PUBLIC] = {x25519_public, call_x25519_public, false},
    [LANES_OPERATION_X25519_SHARED] = {x25519_shared, call_x25519_shared, false},
    [LANES_OPERATION_ECDH_PUBLIC] = {ecdh_public, call_ecdh_public, false},
    [LANES_OPERATION_ECDH_SHARED] = {ecdh_shared, call_ecdh_shared, false},
    [LANES_OPERATION_ECDSA_PREPARE] = {ecdsa_sign, call_ecdsa_sign, false},
    [LANES_OPERATION_ECDSA_VERIFY] = {ecdsa_verify, call_ecdsa_verify, false},
    [LANES_OPERATION_RSA_PRIVATE] = {rsa_private, call_rsa_private, true},
    [LANES_OPERATION_RSA_PUBLIC] = {rsa_public, call_rsa_public, false},
    [LANES_OPERATION_ED25519_SIGN] = {ed25519_sign, call_ed25519_sign, false},
    [LANES_OPERATION_ED25519_VERIFY] = {ed25519_verify, call_ed25519_verify, false},
};

static void create_x25519(struct lanes_bench *bench) {
    word32 size = sizeof bench->x25519_private;
    word32 public_size = sizeof bench->x25519_public;
    CHECK(wc_curve25519_init(&bench->x25519) == 0);
    CHECK(wc_curve25519_make_key(&bench->rng, CURVE25519_KEYSIZE, &bench->x25519) == 0);
    CHECK(wc_curve25519_export_key_raw_ex(&bench->x25519, bench->x25519_private, &size, bench->x25519_public, &public_size,
                                          EC25519_LITTLE_ENDIAN) == 0);
}

static void create_ec(struct lanes_bench *bench, unsigned which) {
    struct ec *ec = &bench->ec[which];
    word32 size = sizeof ec->private_key;
    word32 point_size = sizeof ec->point;
    CHECK(wc_ecc_init(&ec->key) == 0 && wc_ecc_make_key_ex(&bench->rng, 0, &ec->key, ec_ids[which]) == 0);
    CHECK(wc_ecc_set_rng(&ec->key, &bench->rng) == 0);
    CHECK(wc_ecc_export_private_only(&ec->key, ec->private_key, &size) == 0 && size == ec_sizes[which]);
    CHECK(wc_ecc_export_x963(&ec->key, ec->point, &point_size) == 0);
    CHECK(wc_RNG_GenerateBlock(&bench->rng, ec->nonce, sizeof ec->nonce) == 0);
    ec->nonce[0] = 0x7f; /* below the order */
    ecdsa_sign(bench, which);
    ec->r_size = ec->s_size = LANES_EC_SIZE_MAX;
    CHECK(wc_ecc_sig_to_rs(ec->signature, ec->signature_size, ec->r, &ec->r_size, ec->s, &ec->s_size) == 0);
}

static struct bytes export(mp_int *number, byte *to) {
    int size = mp_unsigned_bin_size(number);
    CHECK(size <= LANES_RSA_SIZE_MAX && mp_to_unsigned_bin(number, to) == MP_OKAY);
    return bytes_of(to, (size_t)size);
}

static void create_rsa(struct lanes_bench *bench, unsigned which) {
    struct rsa *rsa = &bench->rsa[which];
    CHECK(wc_InitRsaKey(&rsa->key, NULL) == 0 && wc_RsaSetRNG(&rsa->key, &bench->rng) == 0);
    CHECK(wc_MakeRsaKey(&rsa->key, (int)rsa_sizes[which] * 8, EXPONENT, &bench->rng) == 0);
    CHECK(wc_RNG_GenerateBlock(&bench->rng, rsa->input, sizeof rsa->input) == 0);
    rsa->input[0] = 0x7f; /* below the modulus */
    rsa->job = (struct lanes_rsa_private){
        .modulus = export(&rsa->key.n, rsa->numbers[0]),
        .p = export(&rsa->key.p, rsa->numbers[1]),
        .q = export(&rsa->key.q, rsa->numbers[2]),
        .dp = export(&rsa->key.dP, rsa->numbers[3]),
        .dq = export(&rsa->key.dQ, rsa->numbers[4]),
        .qinv = export(&rsa->key.u, rsa->numbers[5]),
        .input = bytes_of(rsa->input, rsa_sizes[which]),
    };
}

static void create_ed25519(struct lanes_bench *bench) {
    word32 size = sizeof bench->ed25519_private;
    word32 public_size = sizeof bench->ed25519_public;
    CHECK(wc_ed25519_init(&bench->ed25519) == 0);
    CHECK(wc_ed25519_make_key(&bench->rng, ED25519_KEY_SIZE, &bench->ed25519) == 0);
    CHECK(wc_ed25519_export_private_only(&bench->ed25519, bench->ed25519_private, &size) == 0);
    CHECK(wc_ed25519_export_public(&bench->ed25519, bench->ed25519_public, &public_size) == 0);
    ed25519_sign(bench, 0);
}

struct lanes_bench *lanes_bench_create(void) {
    struct lanes_bench *bench = calloc(1, sizeof *bench);
    CHECK(bench != NULL && wc_InitRng(&bench->rng) == 0);
    CHECK(wc_RNG_GenerateBlock(&bench->rng, bench->hash, sizeof bench->hash) == 0);
    CHECK(wc_RNG_GenerateBlock(&bench->rng, bench->message, sizeof bench->message) == 0);
    create_x25519(bench);
    for (unsigned i = 0; i < CURVES; i++) {
        create_ec(bench, i);
    }
    for (unsigned i = 0; i < RSA_SIZES; i++) {
        create_rsa(bench, i);
    }
    create_ed25519(bench);
    return bench;
}

void lanes_bench_free(struct lanes_bench *bench) {
    wc_curve25519_free(&bench->x25519);
    for (unsigned i = 0; i < CURVES; i++) {
        wc_ecc_free(&bench->ec[i].key);
    }
    for (unsigned i = 0; i < RSA_SIZES; i++) {
        wc_FreeRsaKey(&bench->rsa[i].key);
    }
    wc_ed25519_free(&bench->ed25519);
    wc_FreeRng(&bench->rng);
    free(bench);
}

void lanes_bench_measure(struct lanes_bench *bench, unsigned count, struct lanes_series series[static LANES_KINDS]) {
    for (int kind = 0; kind < LANES_KINDS; kind++) {
        enum lanes_operation operation = lanes_operation((enum lanes_kind)kind);
        unsigned variant = lanes_variant((enum lanes_kind)kind);
        unsigned times = table[operation].slow && count > SLOWNESS ? count / SLOWNESS : count;
        uint64_t begin = measure_cpu_ns();

        for (unsigned i = 0; i < times; i++) {
            table[operation].single(bench, variant);
        }
        uint64_t middle = measure_cpu_ns();
        for (unsigned i = 0; i < times; i++) {
            table[operation].call(bench, variant);
        }
        series_add(&series[kind].single, (double)(middle - begin) / times);
        series_add(&series[kind].call, (double)(measure_cpu_ns() - middle) / times);
    }
}

size_t lanes_bench_worth(const struct lanes_series *series) {
    double ratio = series_ratio(&series->call, &series->single);
    size_t jobs = 1;

    while (jobs <= LANES_MAX && (double)jobs < ratio) {
        jobs++;
    }
    return jobs;
}
