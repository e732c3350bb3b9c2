#!/usr/bin/env python3
"""Writes test vectors of Project Wycheproof as lines, which test_signature_ml_dsa.c reads.

  ml_dsa_vectors.py FILE.json OUT    each line: number, result (valid or invalid), key, message, context and signature in hex;
                                     an empty one is -

The files in tests/data/wycheproof are those of C2SP/wycheproof, testvectors_v1 (Apache-2.0), thinned out: without the keys in
DER, and of each set of flags that more than 30 tests have with every third of its tests, the first one included.
"""
import json
import sys


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        data = json.load(file)
    with open(sys.argv[2], "w", encoding="ascii") as file:
        for group in data["testGroups"]:
            for test in group["tests"]:
                values = group["publicKey"], test["msg"], test.get("ctx", ""), test["sig"]
                file.write(" ".join([str(test["tcId"]), test["result"], *(value or "-" for value in values)]) + "\n")


if __name__ == "__main__":
    main()
