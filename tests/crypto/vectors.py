#!/usr/bin/env python3
"""Writes the test vectors of a file of Project Wycheproof (tests/data/wycheproof) as lines, which test_*.c read.

  vectors.py FILE.json OUT    each line: number, result (valid, acceptable or invalid), and the fields of its kind, in hex;
                              an empty one is -

  AES-GCM   key nonce additional-data text ciphertext tag
  ECDSA     point digest's-bits message signature
  ECDH      key-in-DER private-key secret
  XDH       public-key private-key secret
  EDDSA     public-key message signature
  RSA       modulus exponent digest's-bits salt's-size message signature
"""
import json
import sys


def number(text, size=None):
    """Hex without leading zeros, or of `size` bytes."""
    value = int(text or "0", 16)
    return value.to_bytes(size or (value.bit_length() + 7) // 8, "big").hex()


def bits(name):
    return f"{int(name.removeprefix('SHA-')):04x}"


def fields(algorithm, group, test):
    if algorithm == "AES-GCM":
        return test["key"], test["iv"], test["aad"], test["msg"], test["ct"], test["tag"]
    if algorithm == "ECDSA":
        return group["publicKey"]["uncompressed"], bits(group["sha"]), test["msg"], test["sig"]
    if algorithm == "ECDH":
        size = {"secp256r1": 32, "secp384r1": 48}[group["curve"]]
        return test["public"], number(test["private"], size), test["shared"]
    if algorithm == "XDH":
        return test["public"], test["private"], test["shared"]
    if algorithm == "EDDSA":
        return group["publicKey"]["pk"], test["msg"], test["sig"]
    key = group["publicKey"]
    salt = f"{group.get('sLen', 0):04x}"
    return (number(key["modulus"]), number(key["publicExponent"]), bits(group["sha"]), salt, test["msg"], test["sig"])


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        data = json.load(file)
    lines = []
    for group in data["testGroups"]:
        for test in group["tests"]:
            values = fields(data["algorithm"], group, test)
            lines.append(" ".join([str(test["tcId"]), test["result"], *(value or "-" for value in values)]))
    assert len(lines) == data["numberOfTests"]
    with open(sys.argv[2], "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
