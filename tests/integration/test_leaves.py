"""
Every leaf gets the same verdict from `verify` and from the running server, TLS 1.2 and 1.3: wolfSSL looks at none of it.

The corpus of tests/path gives the leaves. Their keys are nobody's, so each is certified anew: its key is exchanged for
one that signs here, and this root, of the same name, signs what is otherwise the same bytes. Clients are made by hand, since
OpenSSL refuses to present much of it.
"""

import json
import re
import subprocess


import pytest

import make_corpus
import make_der
import proofs
from conftest import BINARY, NO_SUSPECTS, ROOT
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from make_der import NULL, bits, integer, name, oid, seq, tlv
from pki import rsa_key

VERSIONS = ["1.2", "1.3"]
CORPUS = ROOT / "tests" / "path" / "corpus" / "chains"
FORWARD = {"headers": {"X-Reason": "reason"}}



def element(data, at):
    """Where the content of the DER element at `at` begins and where it ends; None when there is none."""
    if at + 2 > len(data):
        return None
    size, begin = data[at + 1], at + 2
    if size >= 0x80:
        count = size & 0x7F
        size, begin = int.from_bytes(data[begin:begin + count], "big"), begin + count
    return (begin, begin + size) if begin + size <= len(data) else None


def key_place(der):
    """Where a certificate's SubjectPublicKeyInfo begins and ends, and where its TBSCertificate does; None: nowhere."""
    outer = element(der, 0)
    tbs = outer and element(der, outer[0])
    if not tbs:
        return None
    at = tbs[0]
    for _ in range(6 if der[at:at + 1] == b"\xa0" else 5):
        one = element(der, at)
        if not one or one[1] > tbs[1]:
            return None
        at = one[1]
    key = element(der, at)
    return (at, key[1], tbs) if key and key[1] <= tbs[1] and der[at] == 0x30 else None


def certify_anew(root, der, public):
    """The same certificate with another key, signed by `root`; as it is when it is too broken for that."""
    place = key_place(der)
    if place is None:
        return None
    begin, end, tbs = place
    body = tlv(0x30, der[tbs[0]:begin], public, der[end:tbs[1]])
    outer = element(der, 0)
    algorithm = element(der, tbs[1])
    if not algorithm or algorithm[1] > outer[1]:
        return None
    signature = make_der.sign(root.key, root.digest, root.pss, body)
    return tlv(0x30, body, der[tbs[1]:algorithm[1]], bits(signature)) + der[outer[1]:]


def blocks(path):
    text = path.read_text()
    found = re.findall(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", text, re.DOTALL)
    return [__import__("base64").b64decode(one) for one in found]


def by_verify(path, root_file, depth=4):
    command = [str(BINARY), "verify", "--ca", root_file, "--max-depth", str(depth), "--json", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert result.returncode in (0, 1), result.stderr
    told = json.loads(result.stdout)
    return f"{told['status']} {told['reason']}"


@pytest.fixture
def server(serve, host, corpus_root_file):
    return serve([host("r.test", "report", ca=[corpus_root_file], forward=FORWARD)], admission=NO_SUSPECTS)


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_the_corpus(server, corpus_root, corpus_root_file, tmp_path, version):
    key, differ, verdicts = make_corpus.p256(), [], {}
    path = tmp_path / "chain.pem"
    for file in sorted(CORPUS.iterdir()):
        leaf, *others = blocks(file)
        anew = certify_anew(corpus_root, leaf, make_der.spki(key))
        ders = [anew or leaf, *others]
        path.write_text(make_corpus.pem(*ders))
        wanted = by_verify(path, corpus_root_file)
        outcome = proofs.present(version, server, "r.test", ders, key, 0x0403)
        verdicts[wanted] = verdicts.get(wanted, 0) + 1
        if outcome.verdict != wanted:
            differ.append(f"{file.stem}: {wanted} by verify, {outcome.verdict} by the server")
    assert not differ, "\n".join(differ)
    assert verdicts["valid ok"] > 40 and verdicts["invalid malformed"] > 30 and len(verdicts) > 5, verdicts


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_the_corpus_with_its_own_keys(server, corpus_root_file, tmp_path, version):
    """Nobody has them: with a key that could prove itself the handshake ends, and only for that; else the verdict is told."""
    key, wrong, ended, path = make_corpus.p256(), [], 0, tmp_path / "chain.pem"
    for file in sorted(CORPUS.iterdir()):
        ders = blocks(file)
        path.write_text(file.read_text())
        wanted = by_verify(path, corpus_root_file)
        outcome = proofs.present(version, server, "r.test", ders, key, 0x0403)
        is_proof = outcome.alert in ("decrypt_error", "illegal_parameter")
        ended += is_proof
        if not is_proof and (outcome.verdict != wanted or not wanted.startswith("invalid")):
            wrong.append(f"{file.stem}: {wanted} by verify, {outcome.verdict} by the server")
    assert not wrong, "\n".join(wrong)
    assert ended > 200


def raw_spki(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def point_spki(key, form):
    point = key.public_key().public_bytes(serialization.Encoding.X962, form)
    return seq(seq(oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")), bits(point))


def explicit_spki(key):
    """RFC 3279 section 2.3.5: P-256 with all its numbers instead of its name."""
    prime = 2**256 - 2**224 + 2**192 + 2**96 - 1
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    base = bytes.fromhex("046B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C2964FE342E2FE1A7F9B8EE7EB4A7C0F9E162"
                         "BCE33576B315ECECBB6406837BF51F5")
    curve = seq(tlv(4, (prime - 3).to_bytes(32, "big")), tlv(4, b.to_bytes(32, "big")))
    parameters = seq(integer(1), seq(oid("1.2.840.10045.1.1"), integer(prime)), curve, tlv(4, base), integer(order), integer(1))
    point = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return seq(seq(oid("1.2.840.10045.2.1"), parameters), bits(point))


def odd_keys():
    """Keys that nothing can be proved with: (key that signs, SubjectPublicKeyInfo, reason)."""
    p256 = make_corpus.p256()
    uncompressed = p256.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    rsa2048 = rsa_key(2048)
    numbers = rsa2048.public_key().public_numbers()

    def rsa_spki(*values, head=None):
        return seq(head or seq(oid("1.2.840.113549.1.1.1"), NULL), bits(seq(*map(integer, values))))

    yield "secp256k1", ec.generate_private_key(ec.SECP256K1()), None, "weak_key"
    yield "brainpool", ec.generate_private_key(ec.BrainpoolP256R1()), None, "weak_key"
    yield "p224", ec.generate_private_key(ec.SECP224R1()), None, "weak_key"
    yield "compressed", p256, point_spki(p256, serialization.PublicFormat.CompressedPoint), "weak_key"
    yield "explicit", p256, explicit_spki(p256), "weak_key"
    yield "hybrid", p256, seq(seq(oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")), bits(b"\6" + uncompressed[1:])), "malformed"
    yield "no point", p256, seq(seq(oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")), bits(b"")), "malformed"
    yield "no curve", p256, seq(seq(oid("1.2.840.10045.2.1")), bits(uncompressed)), "weak_key"
    yield "ed448", p256, raw_spki(ed448.Ed448PrivateKey.generate()), "weak_key"
    yield "x25519", p256, raw_spki(x25519.X25519PrivateKey.generate()), "weak_key"
    yield "dsa", p256, raw_spki(dsa.generate_private_key(1024)), "weak_key"
    yield "short ed25519", p256, seq(seq(oid("1.3.101.112")), bits(bytes(31))), "malformed"
    yield "ed25519 with parameters", p256, seq(seq(oid("1.3.101.112"), NULL), bits(bytes(32))), "malformed"
    yield "rsa of 8193 bits", rsa2048, make_der.fake_rsa_spki(8193), "too_large"
    yield "rsa of 16384 bits", rsa2048, make_der.fake_rsa_spki(16384), "too_large"
    yield "rsa of 512 bits", rsa2048, make_der.fake_rsa_spki(512), "weak_key"
    yield "huge exponent", rsa2048, rsa_spki(numbers.n, numbers.n - 2), "weak_key"
    yield "exponent 1", rsa2048, rsa_spki(numbers.n, 1), "weak_key"
    yield "even modulus", rsa2048, rsa_spki(numbers.n - 1, 65537), "weak_key"
    yield "modulus 0", rsa2048, rsa_spki(0, 65537), "weak_key"
    yield "negative modulus", rsa2048, rsa_spki(-numbers.n, 65537), "malformed"
    yield "three numbers", rsa2048, rsa_spki(numbers.n, 65537, 3), "malformed"
    yield "rsa without numbers", rsa2048, seq(seq(oid("1.2.840.113549.1.1.1"), NULL), bits(b"\x30\0")), "malformed"
    yield "pss of sha1", rsa2048, make_der.pss_spki(rsa2048, seq()), "weak_key"
    yield "pss with odd parameters", rsa2048, make_der.pss_spki(rsa2048, NULL), "malformed"
    yield "unknown", p256, seq(seq(oid("1.2.3.4.5")), bits(b"x")), "weak_key"
    yield "no bits", p256, seq(seq(oid("1.2.3.4.5")), tlv(4, b"x")), "malformed"
    yield "nothing", p256, seq(), "malformed"


@pytest.mark.parametrize("version", VERSIONS)
def test_keys_that_nothing_can_be_proved_with(server, corpus_root, corpus_root_file, tmp_path, version):
    """Answered by HTTP, whatever was signed with whatever scheme; and no such client is remembered as anybody."""
    path = tmp_path / "chain.pem"
    for label, key, public, reason in odd_keys():
        leaf = corpus_root.leaf("odd", public or make_der.spki(key))
        path.write_text(make_corpus.pem(leaf))
        assert by_verify(path, corpus_root_file) == f"invalid {reason}", label
        for scheme, signature in [(proofs.scheme_for(key), None), (0x0807, bytes(64)), (0x0904, bytes(2420)), (0x0403, b"")]:
            outcome = proofs.present(version, server, "r.test", [leaf], key, scheme, signature=signature)
            assert outcome.verdict == f"invalid {reason}", (label, hex(scheme))
    assert server.metric("sallyport_cert_cache_entries") == 0
    assert server.metric("sallyport_rejected_total", stage="handshake") == 0


# Certificates that are as they should be, which other parsers have stumbled over: a key to sign with and what is odd.
def odd_names():
    multi = name(("C", "SE"), ("O", "Example"), [("CN", "Anna"), ("serialNumber", "4711")])
    yield "several attributes in one", {"subject": multi}
    yield "five in one", {"subject": name([("CN", "a"), ("OU", "b"), ("O", "c"), ("UID", "d"), ("serialNumber", "e")])}
    yield "BIT STRING", {"subject": name(("O", "x"), ("2.5.4.45", b"\0abc", 3))}
    yield "NumericString", {"subject": name(("serialNumber", "123 456", 0x12))}
    yield "BMPString and UniversalString", {"subject": name(("CN", "\u00e5", make_der.BMP), ("O", "\u00f6", make_der.UNIVERSAL))}
    yield "an empty value", {"subject": name(("CN", ""))}
    yield "an unknown attribute", {"subject": name(("1.2.3.4", "x"))}
    yield "an attribute that is a structure", {"subject": name(("CN", "x"), ("1.2.3.4", b"", 0x30))}
    yield "no name at all", {"subject": seq()}
    yield "a name of 50 attributes", {"subject": name(*[("OU", f"unit {i}") for i in range(50)])}
    yield "a long value", {"subject": name(("CN", "x" * 3000))}
    yield "negative serial", {"serial": integer(-5)}
    yield "serial 0", {"serial": integer(0)}
    yield "20 octets of serial", {"serial": integer((1 << 158) | 1)}
    yield "version 1", {"version": 0, "extensions": []}
    yield "unique identifiers", {"unique_id": tlv(0x81, b"\0x") + tlv(0x82, b"\0y")}
    yield "years from now", {"end": "99991231235959"}


def odd_shapes():
    """Malformed certificates that once were answered by an alert, and are to be answered by HTTP."""
    yield "40 octets of serial", {"serial": integer(1 << 318)}
    yield "version -1", {"version": -1}
    yield "version 4", {"version": 3}
    yield "an empty RDN", {"subject": seq(tlv(0x31))}
    yield "another algorithm inside", {"inner": seq(oid("1.2.840.113549.1.1.11"), NULL)}
    yield "a field too many", {"tail": tlv(0xA4, NULL)}
    yield "a serial that is no number", {"serial": tlv(4, b"1")}
    yield "dates that are none", {"begin": "never", "end": "ever"}


KEYS = {"p256": make_corpus.p256, "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate, "rsa": lambda: rsa_key(2048)}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", KEYS)
def test_odd_certificates_with_keys_that_sign(server, corpus_root, corpus_root_file, tmp_path, version, kind):
    key, other, path = KEYS[kind](), KEYS[kind](), tmp_path / "chain.pem"
    for wanted, oddities in [("valid ok", odd_names()), ("invalid malformed", odd_shapes())]:
        for label, odd in oddities:
            odd = dict(odd)
            leaf = corpus_root.certify(odd.pop("subject", "odd"), key, odd.pop("extensions", None), **odd)
            path.write_text(make_corpus.pem(leaf))
            assert by_verify(path, corpus_root_file) == wanted, label
            outcome = proofs.present(version, server, "r.test", [leaf], key, proofs.scheme_for(key))
            assert outcome.verdict == wanted, label
            # A key that can prove itself must, however odd the certificate around it.
            outcome = proofs.present(version, server, "r.test", [leaf], other, proofs.scheme_for(key))
            assert outcome.alert == "decrypt_error", label


@pytest.mark.parametrize("version", VERSIONS)
def test_more_certificates_than_anybody_looks_at(server, corpus_root, corpus_root_file, tmp_path, version):
    key, path = make_corpus.p256(), tmp_path / "chain.pem"
    leaf = corpus_root.leaf("many", key)
    other = make_corpus.other.leaf("filler")
    for count, wanted in [(16, "valid ok"), (17, "invalid chain_too_long"), (18, "invalid chain_too_long"), (30, "invalid chain_too_long")]:
        ders = [leaf] + [other] * (count - 1)
        path.write_text(make_corpus.pem(*ders))
        assert by_verify(path, corpus_root_file) == wanted
        assert proofs.present(version, server, "r.test", ders, key, 0x0403).verdict == wanted, count


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_no_certificate(server, version):
    key = make_corpus.p256()
    for der in (b"\0", b"\x30\0", b"x" * 500, b"\x30\x80\0\0", b"\x30\x84\xff\xff\xff\xff", bytes(16000)):
        outcome = proofs.present(version, server, "r.test", [der], key, 0x0403)
        assert outcome.verdict == "invalid malformed", der[:8]
