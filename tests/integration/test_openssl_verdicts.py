"""The corpus as `openssl verify` judges it: valid for both or for neither, but for the rows below, each with its reason.

OpenSSL shares no code with what is tested, so a chain that only we take, or only it takes, has to be explained here."""

import csv
import re
import subprocess

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from conftest import BINARY, ROOT
from pki import new_key

CORPUS = ROOT / "tests" / "path" / "corpus"

# Certificates that OpenSSL takes and Sallyport does not: whole names of rows, as patterns.
STRICTER = {
    r"malformed-.*|issuer-without-a-name|path-length-beyond-31-bits":
        "OpenSSL reads more than DER, and does not look at what it does not need",
    r"chain-of-1[67]-kib.*|seventeen-certificates|names-too-many": "limits of ours",
    r"rsa1024-.*|rsa2047-leaf|rsa8193-leaf|rsa16384-leaf|rsa-exponent-.*|weak-key-of-2048-bits|p224-leaf|secp256k1-leaf|unknown-key|point-compressed":
        "kinds and sizes of keys that we do not accept; at its default level the command does",
    r"rsa-(md5|sha1|sha224)|ecdsa-sha1|ecdsa-digest-sha1-named|pss-mask-sha1":
        "algorithms of signatures that we do not accept; at its default level the command does",
    r"decipher-only": "keyAgreement is enough for OpenSSL; no client authenticates by static Diffie-Hellman in TLS 1.3",
    r"explicit-policy-required": "OpenSSL processes policies; we refuse a critical extension that could forbid the path",
    r"names-dns-excluded-2": "we compare names without their final dot, so that it is no way around an exclusion",
    r"names-uri-(excluded-1|excluded-backslash|with-address|port|ports)":
        "OpenSSL takes what is before the colon for the host, userinfo included, whatever it is and whatever comes behind",
    r"names-wildcard-over-excluded": "a wildcard stands for names that are excluded, so we refuse it",
}
# Certificates that Sallyport takes and OpenSSL does not.
LOOSER = {
    r"any-purpose.*": "anyExtendedKeyUsage is good for every purpose (RFC 5280 section 4.2.1.12); OpenSSL wants clientAuth by name",
    r".*-20260601120001|utc-time-2049": "a certificate is valid in its last second too (RFC 5280 section 4.1.2.5); OpenSSL ends it there",
    r"misleading-key-identifiers": "key identifiers help to find issuers and prove nothing (RFC 5280 section 4.2.1.1); the signature holds",
    r"false-intermediate-first|intermediates-share-a-key-identifier.*":
        "we try each certificate of the issuer's name, OpenSSL the first that seems to fit",
    r"names-dns-permitted-2": "a final dot does not make it another name",
    r"names-uri-permitted-1|names-uri-whole": "OpenSSL takes the userinfo of a URI for its host",
}


def rows():
    for name in ("cases.csv", "hostile.csv"):
        with open(CORPUS / name, newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file)


def blocks(path):
    return re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", path.read_text(), re.DOTALL)


def openssl_takes(row, folder):
    leaf, *others = blocks(CORPUS / "chains" / f"{row['chain']}.pem")
    (folder / "leaf.pem").write_text(leaf)
    (folder / "others.pem").write_text("".join(others))
    roots = "".join((CORPUS / "roots" / f"{name}.pem").read_text() for name in row["roots"].split())
    (folder / "roots.pem").write_text(roots)
    command = ["openssl", "verify", "-purpose", "sslclient", "-no-CApath", "-no-CAstore", "-CAfile", folder / "roots.pem",
               "-attime", row["at"], "-verify_depth", str(int(row["depth"]) - 1)]
    command += ["-untrusted", folder / "others.pem"] if others else []
    result = subprocess.run([*map(str, command), str(folder / "leaf.pem")], capture_output=True, text=True, timeout=20)
    return result.returncode == 0, (result.stderr + result.stdout).replace("\n", " | ")


def is_explained(name, table):
    return any(re.fullmatch(pattern, name) for pattern in table)


def test_openssl_comes_to_the_same_verdict(tmp_path):
    alike, stricter, looser, unexplained = 0, 0, 0, []
    for row in rows():
        taken, said = openssl_takes(row, tmp_path)
        ours = row["reason"] == "ok"
        if ours == taken:
            alike += 1
        elif not is_explained(row["name"], LOOSER if ours else STRICTER):
            unexplained.append(f"{row['name']}: {row['reason']} here, {'valid' if taken else 'invalid'} there: {said}")
        elif ours:
            looser += 1
        else:
            stricter += 1
    print(f"openssl: {alike} chains alike, {stricter} that only openssl takes, {looser} that only we take, all explained")
    assert not unexplained, "\n".join(unexplained)
    assert alike >= 330


@pytest.mark.parametrize("permitted, subject, taken", [
    (["x", "y"], ["x", "y"], True), (["x", "y"], ["Y", "X"], True), (["x", "y"], ["x", "X"], False), (["x", "X"], ["x", "y"], False),
    (["x", "X"], ["X", "x"], True), (["x", "y", "z"], ["x", "X", "y"], False), (["x", "y"], ["x", "y", "Y"], False), (["x"], ["x", "y"], False),
])
@pytest.mark.parametrize("excluded", [False, True])
def test_an_attribute_of_an_rdn_stands_for_one(tmp_path, pki, permitted, subject, taken, excluded):
    """A name constraint's RDN is a set in which each attribute has its own counterpart, for OpenSSL too."""
    def name(units, *others):
        rdn = x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit) for unit in units])
        return x509.Name([rdn, *others])

    tree = [x509.DirectoryName(name(permitted))]
    constraints = x509.NameConstraints(None, tree) if excluded else x509.NameConstraints(tree, None)
    key = new_key("ecdsa-p256")
    ca = pki.entity("constrained", pki.build("Constrained CA", key, pki.root, extensions=[
        (x509.BasicConstraints(ca=True, path_length=None), True), (constraints, True)]), key)
    leaf = pki.client(subject=name(subject, x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, "leaf")])), issuer=ca)
    theirs = subprocess.run(["openssl", "verify", "-CAfile", pki.root.cert, "-untrusted", ca.cert, leaf.cert], capture_output=True, text=True)
    ours = subprocess.run([BINARY, "verify", "--ca", pki.root.cert, leaf.chain], capture_output=True, text=True)
    assert (theirs.returncode == 0) == (taken != excluded), theirs.stderr
    assert (ours.returncode == 0) == (taken != excluded), ours.stdout
    assert taken != excluded or "reason: name_constraint" in ours.stdout
