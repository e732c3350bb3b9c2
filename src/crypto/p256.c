#include "crypto/p256.h"

#include "crypto/lanes_curve.h"

#ifdef __x86_64__

#include <cpuid.h>
#include <pthread.h>

/*
 * The comb of the curve's base point has twice as many teeth, so that it goes through half of the columns. For both, column
 * i is worth 2^i, and tooth j adds 2^(i + spacing * j).
 */
enum {
    BITS = 64 * P256_WORDS,
    COLUMNS = BITS / P256_TEETH,
    BASE_TEETH = 8,
    BASE_SUMS = (1 << BASE_TEETH) - 1,
    BASE_COLUMNS = BITS / BASE_TEETH,
    WINDOW = 4, /* bits of an exponent, or of a number that is multiplied by, which are taken at once */
    WINDOWS_OF_WORD = 64 / WINDOW,
    POWERS = 1 << WINDOW,
};

typedef lanes_word number[P256_WORDS];

/* x / z^2 and y / z^3; infinity where z is zero. */
struct jacobian {
    number x;
    number y;
    number z;
};

/*
 * There is no header for these, which are in pregenerated/p256-x86_64-asm-elf.S of ring. Coordinates are in Montgomery's
 * form, and below the prime; those of "ord" are modulo the order. Results may be where arguments are.
 */
void ecp_nistz256_mul_mont_adx(number product, const number a, const number b);
void ecp_nistz256_sqr_mont_adx(number square, const number a);
void ecp_nistz256_ord_mul_mont_adx(number product, const number a, const number b);
void ecp_nistz256_ord_sqr_mont_adx(number result, const number a, lanes_word times);
void ecp_nistz256_point_double_adx(struct jacobian *twice, const struct jacobian *a);
void ecp_nistz256_point_add_adx(struct jacobian *sum, const struct jacobian *a, const struct jacobian *b);
/* Not for two that are the same point: the sum is infinity then, which is wrong. */
void ecp_nistz256_point_add_affine_adx(struct jacobian *sum, const struct jacobian *a, const struct p256_affine *b);

/* SP 800-186 section 3.2.1: the base point, and b in Montgomery's form, times 2^256. */
static const number base_x = {0xf4a13945d898c296, 0x77037d812deb33a0, 0xf8bce6e563a440f2, 0x6b17d1f2e12c4247};
static const number base_y = {0xcbb6406837bf51f5, 0x2bce33576b315ece, 0x8ee7eb4a7c0f9e16, 0x4fe342e2fe1a7f9b};
static const number curve_b = {0xd89cdf6229c4bddf, 0xacf005cd78843090, 0xe5a220abf7212ed6, 0xdc30061d04874834};

static const number one = {1}; /* as it is, by which a product leaves Montgomery's form */
static const number montgomery_one = {0x0000000000000001, 0xffffffff00000000, 0xffffffffffffffff, 0x00000000fffffffe};
/* 2^512, by which a product comes into it: modulo the prime, and modulo the order. */
static const number to_montgomery = {0x0000000000000003, 0xfffffffbffffffff, 0xfffffffffffffffe, 0x00000004fffffffd};
static const number order_to_montgomery = {0x83244c95be79eea2, 0x4699799c49bd6fa6, 0x2845b2392b6bec59, 0x66e12d94f3d95620};
/* By these exponents a power is the inverse (Fermat): the moduli less 2. The third is the difference of the two. */
static const number prime_less_2 = {0xfffffffffffffffd, 0x00000000ffffffff, 0x0000000000000000, 0xffffffff00000001};
static const number order_less_2 = {0xf3b9cac2fc63254f, 0xbce6faada7179e84, 0xffffffffffffffff, 0xffffffff00000000};
static const number prime_less_order = {0x0c46353d039cdaae, 0x4319055358e8617b};

static struct p256_affine base_sums[BASE_SUMS];
static pthread_once_t base_once = PTHREAD_ONCE_INIT;

bool p256_supported(void) {
    unsigned a;
    unsigned b;
    unsigned c;
    unsigned d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_BMI2) != 0 && (b & bit_ADX) != 0;
}

static bool is_zero(const number a) {
    return lanes_number_is_zero(a, P256_WORDS);
}

static bool is_equal(const number a, const number b) {
    return memcmp(a, b, sizeof(number)) == 0;
}

static void square_times(number result, const number a, lanes_word times) {
    memmove(result, a, sizeof(number));
    for (; times > 0; times--) {
        ecp_nistz256_sqr_mont_adx(result, result);
    }
}

/* The lowest window is the first one. */
static unsigned window_at(const number scalar, unsigned index) {
    return (unsigned)(scalar[index / WINDOWS_OF_WORD] >> index % WINDOWS_OF_WORD * WINDOW) & (POWERS - 1);
}

/* Raises to a power by the functions of either modulus. */
static void raise(number result, const number a, const number exponent,
                  void (*multiply)(number product, const number a, const number b),
                  void (*square)(number result, const number a, lanes_word times)) {
    number powers[POWERS];
    bool has_begun = false;
    memcpy(powers[1], a, sizeof(number));
    for (unsigned i = 2; i < POWERS; i++) {
        multiply(powers[i], powers[i - 1], a);
    }
    for (unsigned i = P256_WORDS * WINDOWS_OF_WORD; i-- > 0;) {
        unsigned window = window_at(exponent, i);
        if (has_begun) {
            square(result, result, WINDOW);
        }
        if (window == 0) {
            continue;
        }
        if (has_begun) {
            multiply(result, result, powers[window]);
        } else {
            memcpy(result, powers[window], sizeof(number));
            has_begun = true;
        }
    }
}

static struct jacobian jacobian_of(const struct p256_affine *point) {
    struct jacobian result;
    memcpy(result.x, point->x, sizeof(number));
    memcpy(result.y, point->y, sizeof(number));
    memcpy(result.z, montgomery_one, sizeof(number));
    return result;
}

/* Adds any point to any other. */
static void add(struct jacobian *sum, const struct p256_affine *point) {
    struct jacobian next;
    ecp_nistz256_point_add_affine_adx(&next, sum, point);
    if (is_zero(next.z) && !is_zero(sum->z)) {
        /* Both have the same x. This function knows what to do when they have the same y. */
        struct jacobian other = jacobian_of(point);
        ecp_nistz256_point_add_adx(&next, sum, &other);
    }
    *sum = next;
}

/*
 * Writes the points with z = 1, none of which is infinity, by one inversion for all (Montgomery, "Speeding the Pollard and
 * Elliptic Curve Methods of Factorization", 1987, section 10.3.1). `count` is BASE_SUMS at most.
 */
static void write_affine(struct p256_affine *results, const struct jacobian *points, size_t count) {
    number products[BASE_SUMS];
    number inverse;
    memcpy(products[0], points[0].z, sizeof(number));
    for (size_t i = 1; i < count; i++) {
        ecp_nistz256_mul_mont_adx(products[i], products[i - 1], points[i].z);
    }
    raise(inverse, products[count - 1], prime_less_2, ecp_nistz256_mul_mont_adx, square_times);
    for (size_t i = count; i-- > 0;) {
        number of_z;
        number squared;
        if (i > 0) {
            ecp_nistz256_mul_mont_adx(of_z, inverse, products[i - 1]);
            ecp_nistz256_mul_mont_adx(inverse, inverse, points[i].z);
        } else {
            memcpy(of_z, inverse, sizeof(number));
        }
        ecp_nistz256_sqr_mont_adx(squared, of_z);
        ecp_nistz256_mul_mont_adx(results[i].x, points[i].x, squared);
        ecp_nistz256_mul_mont_adx(squared, squared, of_z);
        ecp_nistz256_mul_mont_adx(results[i].y, points[i].y, squared);
    }
}

/* Makes a comb's sums. None is infinity: no tooth is, nor a sum of some, each being a multiple by less than the order. */
static void make_sums(struct p256_affine *sums, const struct p256_affine *point, unsigned teeth) {
    struct jacobian all[BASE_SUMS];
    unsigned count = (1u << teeth) - 1;
    all[0] = jacobian_of(point);
    for (unsigned tooth = 1; tooth < teeth; tooth++) {
        unsigned lower = (1u << tooth) - 1; /* how many there are of lower teeth; and where this one goes */
        struct jacobian multiple = all[lower / 2];
        for (unsigned i = 0; i < BITS / teeth; i++) {
            ecp_nistz256_point_double_adx(&multiple, &multiple);
        }
        all[lower] = multiple;
        for (unsigned i = 0; i < lower; i++) {
            ecp_nistz256_point_add_adx(&all[lower + 1 + i], &multiple, &all[i]);
        }
    }
    write_affine(sums, all, count);
}

static void make_base_sums(void) {
    struct p256_affine base;
    ecp_nistz256_mul_mont_adx(base.x, base_x, to_montgomery);
    ecp_nistz256_mul_mont_adx(base.y, base_y, to_montgomery);
    make_sums(base_sums, &base, BASE_TEETH);
}

/* Modulo the prime. */
static void add_numbers(number sum, const number a, const number b) {
    if (lanes_number_add(sum, a, b, P256_WORDS) != 0) {
        /* The carry stands for 2^256, which is this modulo the prime. The sum is below the prime then. */
        lanes_number_add(sum, sum, montgomery_one, P256_WORDS);
    } else {
        lanes_number_reduce_once(sum, lanes_curve_numbers(LANES_P256)->prime, P256_WORDS);
    }
}

/* Tells whether y^2 + 3x = x^3 + b. */
static bool is_on_curve(const struct p256_affine *point) {
    number left;
    number right;
    ecp_nistz256_sqr_mont_adx(left, point->y);
    ecp_nistz256_sqr_mont_adx(right, point->x);
    ecp_nistz256_mul_mont_adx(right, right, point->x);
    add_numbers(right, right, curve_b);
    for (unsigned i = 0; i < 3; i++) {
        add_numbers(left, left, point->x);
    }
    return is_equal(left, right);
}

bool p256_read_key(struct p256_affine *key, struct bytes point) {
    if (!lanes_curve_read_point(lanes_curve_numbers(LANES_P256), key->x, key->y, point)) {
        return false;
    }
    ecp_nistz256_mul_mont_adx(key->x, key->x, to_montgomery);
    ecp_nistz256_mul_mont_adx(key->y, key->y, to_montgomery);
    return is_on_curve(key);
}

void p256_make_multiples(struct p256_multiples *multiples, const struct p256_affine *key) {
    make_sums(multiples->sums, key, P256_TEETH);
}

/* Returns the set of a comb's teeth in one column of a number. */
static unsigned teeth_at(const number scalar, unsigned column, unsigned teeth) {
    unsigned set = 0;
    for (unsigned tooth = 0; tooth < teeth; tooth++) {
        unsigned bit = column + tooth * (BITS / teeth);
        set |= (unsigned)(scalar[bit / 64] >> bit % 64 & 1) << tooth;
    }
    return set;
}

/* Adds what one column of the number by which the base point is multiplied stands for. */
static void add_base(struct jacobian *sum, const number by_base, unsigned column) {
    unsigned of_base = column < BASE_COLUMNS ? teeth_at(by_base, column, BASE_TEETH) : 0;
    if (of_base != 0) {
        add(sum, &base_sums[of_base - 1]);
    }
}

/* by_base times the base point and by_key times the key. */
static void multiply(struct jacobian *sum, const number by_base, const struct p256_multiples *key, const number by_key) {
    memset(sum, 0, sizeof *sum);
    for (unsigned column = COLUMNS; column-- > 0;) {
        unsigned of_key = teeth_at(by_key, column, P256_TEETH);
        ecp_nistz256_point_double_adx(sum, sum);
        if (of_key != 0) {
            add(sum, &key->sums[of_key - 1]);
        }
        add_base(sum, by_base, column);
    }
}

/* The same by windows of the second number, for which few multiples of the key are needed. */
static void multiply_once(struct jacobian *sum, const number by_base, const struct p256_affine *key, const number by_key) {
    struct jacobian multiples[POWERS]; /* the key, times the index */
    multiples[1] = jacobian_of(key);
    for (unsigned i = 2; i < POWERS; i++) {
        if (i % 2 == 0) {
            ecp_nistz256_point_double_adx(&multiples[i], &multiples[i / 2]);
        } else {
            ecp_nistz256_point_add_adx(&multiples[i], &multiples[i - 1], &multiples[1]);
        }
    }
    memset(sum, 0, sizeof *sum);
    for (unsigned bit = BITS; bit-- > 0;) {
        ecp_nistz256_point_double_adx(sum, sum);
        if (bit % WINDOW == 0) {
            unsigned of_key = window_at(by_key, bit / WINDOW);
            if (of_key != 0) {
                ecp_nistz256_point_add_adx(sum, sum, &multiples[of_key]);
            }
        }
        add_base(sum, by_base, bit);
    }
}

/* Tells whether the point's x modulo the order is r: x is r, or r and the order. */
static bool has_x(const struct jacobian *point, const number r) {
    number x;
    number z_squared;
    number expected;
    ecp_nistz256_mul_mont_adx(x, point->x, one);
    ecp_nistz256_sqr_mont_adx(z_squared, point->z);
    ecp_nistz256_mul_mont_adx(expected, r, z_squared);
    if (is_equal(x, expected)) {
        return true;
    }
    if (!lanes_number_is_less(r, prime_less_order, P256_WORDS)) {
        return false;
    }
    number more;
    add_numbers(more, r, lanes_curve_numbers(LANES_P256)->order);
    ecp_nistz256_mul_mont_adx(expected, more, z_squared);
    return is_equal(x, expected);
}

/* The numbers of a signature, and by what the base point and the key are multiplied to find the point that it tells of. */
struct signature {
    number r;
    number by_base;
    number by_key;
};

static bool read_signature(struct signature *signature, struct bytes digest, struct bytes r, struct bytes s) {
    const struct lanes_curve_numbers *numbers = lanes_curve_numbers(LANES_P256);
    number inverse;
    if (!lanes_curve_read_digest(numbers, signature->by_base, digest) ||
        !lanes_curve_read_scalar(numbers, signature->r, r) || !lanes_curve_read_scalar(numbers, inverse, s)) {
        return false;
    }
    ecp_nistz256_ord_mul_mont_adx(inverse, inverse, order_to_montgomery);
    raise(inverse, inverse, order_less_2, ecp_nistz256_ord_mul_mont_adx, ecp_nistz256_ord_sqr_mont_adx);
    ecp_nistz256_ord_mul_mont_adx(signature->by_base, signature->by_base, inverse);
    ecp_nistz256_ord_mul_mont_adx(signature->by_key, signature->r, inverse);
    pthread_once(&base_once, make_base_sums);
    return true;
}

static bool is_told(const struct signature *signature, const struct jacobian *point) {
    return !is_zero(point->z) && has_x(point, signature->r);
}

bool p256_verify(const struct p256_multiples *multiples, struct bytes digest, struct bytes r, struct bytes s) {
    struct signature signature;
    struct jacobian sum;
    if (!read_signature(&signature, digest, r, s)) {
        return false;
    }
    multiply(&sum, signature.by_base, multiples, signature.by_key);
    return is_told(&signature, &sum);
}

bool p256_verify_once(const struct p256_affine *key, struct bytes digest, struct bytes r, struct bytes s) {
    struct signature signature;
    struct jacobian sum;
    if (!read_signature(&signature, digest, r, s)) {
        return false;
    }
    multiply_once(&sum, signature.by_base, key, signature.by_key);
    return is_told(&signature, &sum);
}

#else /* BoringSSL's functions are for x86-64 */

bool p256_supported(void) {
    return false;
}

bool p256_read_key(struct p256_affine *key, struct bytes point) {
    return false;
}

void p256_make_multiples(struct p256_multiples *multiples, const struct p256_affine *key) {}

bool p256_verify(const struct p256_multiples *multiples, struct bytes digest, struct bytes r, struct bytes s) {
    return false;
}

bool p256_verify_once(const struct p256_affine *key, struct bytes digest, struct bytes r, struct bytes s) {
    return false;
}

#endif
