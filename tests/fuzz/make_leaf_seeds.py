#!/usr/bin/env python3
"""Writes inputs of fuzz_leaf: make_leaf_seeds.py FOLDER

The leaves of tests/path's corpus, whole or with what is to be signed alone, for both versions, with their keys or the
client's. Merge what comes out into the corpus: build-fuzz/fuzz_leaf -merge=1 tests/fuzz/corpus/leaf FOLDER"""

import base64
import pathlib
import re
import sys

TLS12, OWN_KEY, SIGNED = 1, 2, 4
ROOT = pathlib.Path(__file__).resolve().parents[2]


def length(data, at):
    """Octets of the DER header at `at`, and of what follows it."""
    size = data[at + 1]
    if size < 0x80:
        return 2, size
    count = size & 0x7F
    return 2 + count, int.from_bytes(data[at + 2:at + 2 + count], "big")


def first_certificate(path):
    text = re.search(r"-----BEGIN CERTIFICATE-----(.*?)-----END", path.read_text(), re.DOTALL).group(1)
    return base64.b64decode(text)


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    sources = [*(ROOT / "tests/path/corpus/chains").iterdir(), *(ROOT / "tests/tls/data").glob("client-*.pem")]
    for number, path in enumerate(sorted(sources)):
        der = first_certificate(path)
        try:
            head, _ = length(der, 0)
            tbs_head, tbs_size = length(der, head)
            tbs = der[head:head + tbs_head + tbs_size]
        except IndexError:
            tbs = der
        version = number % 2
        for how, data in ((0, der), (OWN_KEY, der), (SIGNED | OWN_KEY, tbs), (SIGNED, tbs)):
            if len(data) < 8 * 1024:
                (out / f"{path.stem}-{how}").write_bytes(bytes([how | version]) + data)


if __name__ == "__main__":
    main()
