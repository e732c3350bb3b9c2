#!/usr/bin/env python3
"""Makes tests/crypto/ecdsa_cases.h: signatures at the edges that no suite of vectors has, since nobody has their private keys.

A signature over a digest that one may choose is made for any point Q: R = a G + b Q, r = R.x, s = r / b, digest = a r / b.
"""
import sys
from pathlib import Path

# Prime, b, order, base point (SP 800-186 section 3.2.1), bytes.
CURVES = {
    "P256": (
        0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF,
        0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
        0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
        (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
         0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5),
        32,
    ),
    "P384": (
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFFFF0000000000000000FFFFFFFF,
        0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
        (0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
         0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F),
        48,
    ),
}


def add(prime, p, q):
    """Affine addition, which knows a = -3 and not b; None is infinity."""
    if p is None or q is None:
        return p or q
    if p[0] == q[0]:
        if (p[1] + q[1]) % prime == 0:
            return None
        slope = (3 * p[0] * p[0] - 3) * pow(2 * p[1], -1, prime) % prime
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, prime) % prime
    x = (slope * slope - p[0] - q[0]) % prime
    return x, (slope * (p[0] - x) - p[1]) % prime


def multiply(prime, k, p):
    result = None
    while k:
        if k & 1:
            result = add(prime, result, p)
        p, k = add(prime, p, p), k >> 1
    return result


def cases(curve):
    """(purpose, key, digest in hex, r, s, good)"""
    prime, b, order, base, size = CURVES[curve]

    def forge(point, of_base, of_point):
        r = add(prime, multiply(prime, of_base, base), multiply(prime, of_point, point))[0] % order
        s = r * pow(of_point, -1, order) % order
        return r, s, of_base * s % order

    def whole(digest):
        return f"{digest:0{2 * size}x}"

    zero = (0, pow(b, (prime + 1) // 4, prime))
    assert zero[1] ** 2 % prime == b
    r, s, digest = forge(zero, 0x1234567, 0x89ABCDEF1)
    yield "the key's x is zero", zero, whole(digest), r, s, True

    private = 0x123456789ABCDEF
    key = multiply(prime, private, base)
    r, s, digest = forge(key, 0, 0x1357)
    yield "the digest is zeros", key, whole(0), r, s, False  # though FIPS 186-5 would have it
    yield "the digest is the order", key, whole(order), r, s, True
    yield "the digest is the order less 1", key, whole(order - 1), r, s, False

    nonce = 0xABCDEF123456789
    r = multiply(prime, nonce, base)[0] % order
    s = pow(nonce, -1, order) * (5 + r * private) % order
    yield "the digest is above the order", key, whole(order + 5), r, s, True

    other = (base[0], base[1] + 1)
    r, s, _ = forge(other, 0, 0x1357)
    yield "the key is on another curve", other, whole(order), r, s, False

    r, s = 0x55, 0x66
    yield "the sum is infinity", key, whole(-r * private % order), r, s, False

    half = 0x31337
    r = multiply(prime, 2 * half, base)[0] % order
    s = r * pow(half * pow(private, -1, order), -1, order) % order
    yield "both halves of the sum are equal", key, whole(half * s % order), r, s, True

    # Where both halves are summed up together by columns of bits, of which each adds up to one multiple of the key and then
    # one of G, what is to be added is at times what the sum is already, or its negative.
    tooth = 2**64
    for name, private, of_base, of_key in (
        ("G", 1, 1, 1), ("G", 1, 3, 1), ("-G", -1, 3, 1), ("-G", -1, 3, 2),
        ("2^64 G", tooth, tooth, 1), ("G / 2^64", pow(tooth, -1, order), 1, tooth),
        ("2 G", 2, 2, 1), ("-2 G", -2, 3, 1), ("-2^64 G", -tooth, 3 * tooth + 1, 2),
    ):
        point = multiply(prime, private % order, base)
        r, s, digest = forge(point, of_base, of_key)
        yield f"{of_base} G and {of_key} times the key, which is {name}", point, whole(digest), r, s, True

    # x is below the order, as nearly all are: only for those above it is r another number than x.
    x = add(prime, multiply(prime, 5, base), multiply(prime, 7, key))[0]
    r = (x + prime - order) % prime
    s = r * pow(7, -1, order) % order
    yield "r and the order are x and the prime", key, whole(5 * s % order), r, s, False


def main():
    lines = [
        "/* Signatures at the edges. make_ecdsa_cases.py has written this file. */",
        "#ifndef TESTS_CRYPTO_ECDSA_CASES_H",
        "#define TESTS_CRYPTO_ECDSA_CASES_H",
        "",
        '#include "crypto/lanes.h"',
        "",
        "/* clang-format off */",
        "static const struct ecdsa_case {",
        "    const char *purpose;",
        "    enum lanes_curve curve;",
        "    const char *point;",
        "    const char *digest;",
        "    const char *r;",
        "    const char *s;",
        "    bool good;",
        "} ecdsa_cases[] = {",
    ]
    for curve in CURVES:
        width = 2 * CURVES[curve][-1]
        for purpose, key, digest, r, s, good in cases(curve):
            lines += [
                f'    {{"{purpose}", LANES_{curve},',
                f'     "04{key[0]:0{width}x}"',
                f'     "{key[1]:0{width}x}",',
                f'     "{digest}",',
                f'     "{r:0{width}x}",',
                f'     "{s:0{width}x}", {"true" if good else "false"}}},',
            ]
    lines += ["};", "/* clang-format on */", "", "#endif"]
    Path(__file__).with_name("ecdsa_cases.h").write_text("\n".join(lines) + "\n", encoding="ascii")


if __name__ == "__main__":
    sys.exit(main())
