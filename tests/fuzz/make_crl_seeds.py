#!/usr/bin/env python3
"""Turns the corpus of CRLs, and those of the configuration's tests, into inputs of fuzz_crl: make_crl_seeds.py FOLDER

Each is put together as split of fuzz_crl.c takes it apart: flags, root, CRL file, chain. A chain is there with all of its
CRLs in one PEM file, and once more with each of them alone in DER, the leaf alone checked. Merge what comes out into the
corpus: build-fuzz/fuzz_crl -merge=1 tests/fuzz/corpus/crl FOLDER

Names relative to the issuer's and delegates given twice are not in the corpus: they are signed here, anew each time, which
needs python3-cryptography."""

import base64
import csv
import pathlib
import re
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "path"))
import make_corpus  # noqa: E402
import make_crls  # noqa: E402
import make_der  # noqa: E402

CORPUS = TESTS / "path" / "corpus" / "revocation"
LEAF_ALONE, STALE_ACCEPTED, SIGNED_BY_TARGET = 1, 2, 4
SIZE_MAX = 4096


def blocks(data, label):
    """DER of each block of that label; of what is DER itself, that."""
    if data[:1] == b"\x30":
        return [data]
    pattern = b"-----BEGIN %s-----(.*?)-----END" % label
    return [base64.b64decode(block) for block in re.findall(pattern, data, re.DOTALL)]


def armour(der):
    return b"-----BEGIN X509 CRL-----\n" + base64.encodebytes(der) + b"-----END X509 CRL-----\n"


def seed(flags, roots, crls, chain):
    """One root is given as DER, several as the PEM that they are."""
    root = blocks(roots[0], b"CERTIFICATE")[0] if len(roots) == 1 else b"".join(roots)
    parts = [root, crls, *chain]
    return bytes([flags]) + b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def of_case(row):
    """(name, input) of a chain of cases.csv."""
    flags = (LEAF_ALONE if row["scope"] == "leaf" else 0) | (STALE_ACCEPTED if row["stale"] == "accept" else 0)
    roots = [(CORPUS / "roots" / f"{name}.pem").read_bytes() for name in row["roots"].split()]
    crls = [(CORPUS / "crls" / name).read_bytes() for name in row["crls"].split() if name != "-"]
    chain = blocks((CORPUS / "chains" / f"{row['chain']}.pem").read_bytes(), b"CERTIFICATE")
    yield row["name"], seed(flags, roots, b"".join(armour(crl) if crl[:1] == b"\x30" else crl for crl in crls), chain)
    for number, der in enumerate(der for crl in crls for der in blocks(crl, b"X509 CRL")):
        yield f"{row['name']}-{number}", seed(flags | LEAF_ALONE, roots, der, chain)


def of_file(row):
    """A file of files.csv, as it is and in DER, before a chain that is in order."""
    chain = blocks((CORPUS / "chains" / "unlisted.pem").read_bytes(), b"CERTIFICATE")
    roots = [(CORPUS / "roots" / f"{name}.pem").read_bytes() for name in (row["roots"] or "root").split()]
    file = (CORPUS / "crls" / row["name"]).read_bytes()
    yield row["name"], seed(0, roots, file, chain)
    try:
        for number, der in enumerate(blocks(file, b"X509 CRL")):
            yield f"{row['name']}-{number}", seed(LEAF_ALONE, roots, der, chain)
    except ValueError:
        pass  # no base64, on purpose


def of_configuration():
    data = TESTS / "config" / "data"
    for path in sorted(data.glob("*.crl")):
        for root in ("root", "root2"):
            leaf = blocks((data / "leaf.pem").read_bytes(), b"CERTIFICATE")
            yield f"config-{root}-{path.name}", seed(0, [(data / f"{root}.pem").read_bytes()], path.read_bytes(), leaf)


def of_relative_points():
    root = make_crls.root
    for length in (1, 60, 200):
        rdn = make_der.attribute("CN", "1" * length)
        relative = make_der.tlv(0xA0, make_der.tlv(0xA1, rdn))
        name = make_der.seq(root.subject[2:], make_der.tlv(0x31, rdn))
        whole = make_crls.full_name(("dir", name))
        for scope_kind, scope in (("relative", relative), ("whole", whole)):
            crl = make_crls.crl(root, make_crls.entry(7), extensions=[make_crls.idp(scope)])
            for kind, point in (("relative", relative), ("whole", whole)):
                points = make_der.ext("2.5.29.31", make_der.seq(make_der.seq(point)))
                leaf = root.leaf(extensions=make_corpus.leaf_extensions(points), serial=6)
                yield f"point-{scope_kind}-{kind}-{length}", seed(0, [root.root()], crl, [leaf])


def of_delegates_given_twice():
    root, key = make_crls.root, make_crls.p256()
    voice = root.certify(root.subject, key, make_crls.signer_extensions(key, "cRLSign"))
    crl = make_crls.crl(make_crls.Issuer("Root", key))
    yield "delegate-twice", seed(0, [root.root()], make_corpus.pem(voice, voice).encode() + armour(crl), [root.leaf()])


def of_one_key():
    """What fuzz_crl signs anew after each change: root, CRL and chain are all by the key that it has."""
    key = make_der.ed25519.Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
    root = make_crls.Issuer("Root", key)
    middle, middle_der = root.issue_ca("Middle", key, serial=0x100)
    here = ("uri", "http://crl.example.com/1.crl")
    points = make_der.ext("2.5.29.31", make_der.seq(make_der.seq(make_crls.full_name(here))))
    entry, reason, crl, idp = make_crls.entry, make_crls.reason, make_crls.crl, make_crls.idp
    serial = 1 << 158
    plain = [root.leaf(serial=serial)]
    pointing = [root.leaf(serial=serial, extensions=make_corpus.leaf_extensions(points))]
    below = [middle.leaf(serial=serial), middle_der]
    for name, flags, list_der, chain in (
        ("empty", 0, crl(root), plain),
        ("listed", 0, crl(root, entry(1), entry(serial, reason(1)), entry(3, reason(6))), plain),
        ("unlisted", 0, crl(root, *[entry(serial + i, reason(4)) for i in range(1, 9)]), plain),
        ("invalidity-date", 0, crl(root, entry(7, make_der.ext("2.5.29.24", make_der.time("20600101000000")))), plain),
        ("version-1", 0, crl(root, entry(serial + 1), plain=True), plain),
        ("generalized-time", 0, crl(root, entry(7, date="20500101000000"), until="20510101000000"), plain),
        ("no-next-update", 0, crl(root, until=None), plain),
        ("stale", STALE_ACCEPTED, crl(root, until="20260502000000"), plain),
        ("users", 0, crl(root, extensions=[idp(make_crls.ONLY_USER)]), plain),
        ("point", 0, crl(root, entry(7), extensions=[idp(make_crls.full_name(here), make_crls.ONLY_USER)]), pointing),
        ("whole-for-a-point", 0, crl(root, entry(7)), pointing),
        ("below", LEAF_ALONE, crl(middle, entry(7)), below),
        ("by-the-root", LEAF_ALONE, crl(root, entry(7)), below),
    ):
        yield f"one-key-{name}", seed(flags | SIGNED_BY_TARGET, [root.root()], list_der, chain)


def rows(name):
    """The detail comes last and has commas."""
    with open(CORPUS / name, newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file, quoting=csv.QUOTE_NONE)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    inputs = [one for row in rows("cases.csv") for one in of_case(row)]
    inputs += [one for row in rows("files.csv") for one in of_file(row)]
    inputs += [*of_configuration(), *of_relative_points(), *of_delegates_given_twice(), *of_one_key()]
    kept = {name: data for name, data in inputs if len(data) <= SIZE_MAX}
    for name, data in kept.items():
        (folder / name).write_bytes(data)
    print(f"{len(kept)} inputs")


if __name__ == "__main__":
    main()
