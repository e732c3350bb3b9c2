#!/usr/bin/env python3
"""Makes tests/path/corpus: chains, each with the verdict that it must get, and certificates whose fields openssl has read.

Run it only to add a case: the keys are drawn anew, so every file changes. Needs python3-cryptography and openssl.

  corpus/roots/NAME.pem     trust anchors
  corpus/chains/NAME.pem    what a client presents, the leaf first
  corpus/cases.csv          name,roots,chain,at,depth,reason,detail: `roots` separated by spaces, `at` in seconds since the
                            epoch, `detail` a part of the text for people that must be in it
  corpus/fields/NAME.pem    a certificate, and NAME.txt beside it: "field: value" lines
"""
import base64
import hashlib
import os
import subprocess
import sys
import urllib.parse

from make_der import *

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "corpus")
AT = "20260601120000"
BEGIN, END = "20200101000000", "20400101000000"
cases = []


def p256():
    return ec.generate_private_key(ec.SECP256R1())


def rsa_key(size):
    return rsa.generate_private_key(65537, size)


class Issuer:
    """A key and the name that it signs under."""

    def __init__(self, subject, key, digest="sha256", pss=None):
        self.subject = subject if isinstance(subject, bytes) else cn(subject)
        self.key, self.digest, self.pss = key, digest, pss
        self.id = hashlib.sha1(spki(key)).digest()

    def certify(self, subject, public, extensions=None, serial=None, begin=BEGIN, end=END, version=2, issuer=None,
                inner=None, tail=b"", break_signature=None, unique_id=b"", issuer_id=True):
        """`public`: a private key, or a finished SubjectPublicKeyInfo. Everything else has a good default."""
        public = public if isinstance(public, bytes) else spki(public)
        subject = subject if isinstance(subject, bytes) else cn(subject)
        serial = int.from_bytes(os.urandom(8), "big") | 1 << 62 if serial is None else serial
        serial = serial if isinstance(serial, bytes) else integer(serial)
        outer = algorithm(self.key, self.digest, self.pss)
        extensions = leaf_extensions() if extensions is None else extensions
        if issuer_id and extensions:
            extensions = extensions + [aki(self.id)]
        tbs = seq(
            tlv(0xA0, integer(version)) if version else b"", serial, inner or outer, issuer or self.subject,
            seq(time(begin), time(end)), subject, public, unique_id,
            tlv(0xA3, seq(*extensions)) if extensions else b"", tail)
        signature = sign(self.key, self.digest, self.pss, tbs)
        if break_signature:
            signature = break_signature(signature)
        return seq(tbs, outer, bits(signature))

    def root(self, extensions=None, **more):
        return self.certify(self.subject, self.key, ca_extensions(self.key) if extensions is None else extensions, **more)

    def issue_ca(self, subject, key=None, extensions=None, digest="sha256", pss=None, also=(), path_length=None, **more):
        """An intermediate: its Issuer and its certificate. `also`: extensions beside those that a CA has."""
        below = Issuer(subject, key or p256(), digest, pss)
        extensions = ca_extensions(below.key, *also, path_length=path_length) if extensions is None else extensions
        return below, self.certify(below.subject, below.key, extensions, **more)

    def leaf(self, subject="leaf", key=None, extensions=None, **more):
        return self.certify(subject, key or p256(), extensions, **more)


def ca_extensions(key, *more, path_length=None):
    return [basic(True, path_length), key_usage("keyCertSign", "cRLSign"), ski(hashlib.sha1(spki(key)).digest()), *more]


def leaf_extensions(*more, purpose=("clientAuth",), usage=("digitalSignature",)):
    return [*([key_usage(*usage)] if usage else []), *([purposes(*purpose)] if purpose else []), *more]


def pem(*ders):
    lines = []
    for der in ders:
        text = base64.b64encode(der).decode()
        lines += ["-----BEGIN CERTIFICATE-----", *[text[i:i + 64] for i in range(0, len(text), 64)], "-----END CERTIFICATE-----"]
    return "\n".join(lines) + "\n"


def write(path, text):
    path = os.path.join(OUT, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def add_root(label, der):
    write(f"roots/{label}.pem", pem(der))


def case(label, reason, chain, roots="root", at=AT, depth=4, detail="", file=None):
    if file is None:
        write(f"chains/{label}.pem", pem(*chain))
    cases.append((label, roots, file or label, int(stamp(at).timestamp()), depth, reason, detail))


root = Issuer("Root", p256())
other = Issuer("Other Root", p256())
middle, middle_der = root.issue_ca("Middle")
good = middle.leaf()


def make_roots():
    add_root("root", root.root())
    add_root("other", other.root())


def make_valid_paths():
    case("leaf-under-root", "ok", [root.leaf()])
    case("one-intermediate", "ok", [good, middle_der])
    low, low_der = middle.issue_ca("Low")
    case("unordered", "ok", [low.leaf(), middle_der, low_der])
    case("root-sent-along", "ok", [good, root.root(serial=77), middle_der])
    case("superfluous", "ok", [good, other.root(), other.leaf("stranger"), middle_der])
    case("presented-twice", "ok", [good, middle_der, middle_der])
    case("any-purpose", "ok", [root.leaf(extensions=leaf_extensions(purpose=("any",)))])
    case("no-purpose", "ok", [root.leaf(extensions=leaf_extensions(purpose=()))])
    case("no-usage", "ok", [root.leaf(extensions=leaf_extensions(usage=()))])
    case("no-extensions", "ok", [root.leaf(extensions=[])])
    fit, fit_der = root.issue_ca("Fit", also=[purposes("serverAuth", "clientAuth")])
    case("purpose-in-intermediate", "ok", [fit.leaf(), fit_der])
    case("misleading-key-identifiers", "ok", [middle.leaf(extensions=leaf_extensions(aki(b"wrong")), issuer_id=False), middle_der])
    case("negative-serial", "ok", [root.leaf(serial=-129)])
    case("zero-serial", "ok", [root.leaf(serial=0)])
    case("serial-of-20-octets", "ok", [root.leaf(serial=(1 << 160) - 1)])
    case("version-1-leaf", "ok", [root.leaf(extensions=[], version=0)])
    case("unique-identifiers", "ok", [root.leaf(unique_id=tlv(0x81, b"\0abc") + tlv(0x82, b"\0def"))])
    case("policies-are-not-asked-for", "ok", [root.leaf(extensions=leaf_extensions(
        ext("2.5.29.32", seq(seq(oid("1.3.6.1.4.1.1"))), True), ext("2.5.29.54", integer(0), True)))])
    case("ca-as-leaf", "wrong_usage", [middle_der], detail="digitalSignature")
    pinned = Issuer("Pinned", p256())
    pinned_der = pinned.root()
    add_root("pinned", pinned_der)
    case("leaf-is-the-root", "wrong_usage", [pinned_der], roots="pinned")
    able = Issuer("Able", p256())
    able_der = able.root([basic(True), key_usage("digitalSignature", "keyCertSign"), ski(able.id)])
    add_root("able", able_der)
    case("leaf-is-the-root-and-signs", "ok", [able_der], roots="able")


def make_search():
    """More than one certificate answers to a name."""
    twin, twin_der = root.issue_ca("Middle")
    case("two-intermediates-of-one-name", "ok", [good, twin_der, middle_der])
    case("two-intermediates-of-one-name-2", "ok", [twin.leaf(), middle_der, twin_der])
    same = Issuer("Root", p256())
    add_root("same-name", same.root())
    case("two-roots-of-one-name", "ok", [good, middle_der], roots="same-name root")
    case("two-roots-of-one-name-2", "ok", [same.leaf()], roots="root same-name")
    crossed = other.certify(root.subject, root.key, ca_extensions(root.key))
    case("cross-signed", "ok", [good, middle_der, crossed], roots="other")
    case("cross-signed-both-roots", "ok", [good, middle_der, crossed], roots="other root")
    late = root.certify(middle.subject, middle.key, ca_extensions(middle.key), end="20210101000000")
    case("renewed-intermediate", "ok", [good, late, middle_der])
    new = Issuer("Root", p256())
    case("self-issued-rollover", "ok", [new.leaf(), root.certify(new.subject, new.key, ca_extensions(new.key))])
    folded = name(("O", "  corpus", PRINTABLE), ("CN", "MIDDLE ", TELETEX))
    case("names-fold", "ok", [middle.leaf(issuer=folded), middle_der])
    wide = name(("O", "Corpus", BMP), ("CN", "Middle", UNIVERSAL))
    case("names-in-wide-characters", "ok", [middle.leaf(issuer=wide), middle_der])
    loop_a, loop_b = Issuer("Loop A", p256()), Issuer("Loop B", p256())
    case("loop", "unknown_issuer", [loop_a.leaf(), loop_b.certify(loop_a.subject, loop_a.key, ca_extensions(loop_a.key)),
                                    loop_a.certify(loop_b.subject, loop_b.key, ca_extensions(loop_b.key))], depth=16)
    knot = [Issuer("Knot", p256()) for _ in range(15)]
    case("all-of-one-name", "unknown_issuer", [knot[0].leaf(), *[one.root() for one in knot]], depth=16)
    fakes = [Issuer("Root", p256()) for _ in range(15)]
    case("all-named-as-the-root", "bad_signature", [fakes[0].leaf(), *[one.root() for one in fakes]], depth=16)


def make_algorithms():
    keys = {
        "p384": ec.generate_private_key(ec.SECP384R1()), "p521": ec.generate_private_key(ec.SECP521R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate(), "rsa2048": rsa_key(2048), "rsa3072": rsa_key(3072),
        "rsa4096": rsa_key(4096), "rsa8192": rsa_key(8192),
    }
    for label, key in keys.items():
        above, above_der = root.issue_ca("Signs with " + label, key)
        case("signed-with-" + label, "ok", [above.leaf(key=key), above_der])
    for digest in ("sha256", "sha384", "sha512"):
        for label in ("p384", "p521", "rsa2048"):
            above, above_der = root.issue_ca("Signs with " + label, keys[label], digest=digest)
            case(f"{label}-{digest}", "ok", [above.leaf(), above_der])
        above, above_der = root.issue_ca("PSS", keys["rsa2048"], digest=digest, pss=HASHES[digest].digest_size)
        case(f"pss-{digest}", "ok", [above.leaf(), above_der])
    case("p256-sha512", "ok", [Issuer("Root", root.key, "sha512").leaf()])
    make_pss(keys["rsa2048"])
    make_weak(keys["rsa2048"])


def make_pss(key):
    for salt in (0, 20, 190):
        above, above_der = root.issue_ca("PSS", key, pss=salt)
        case(f"pss-salt-{salt}", "ok", [above.leaf(), above_der])
    for label, parameters in {"open": b"", "bound": pss_parameters("sha256", 32)}.items():
        above = Issuer("PSS key", key, pss=32)
        above_der = root.certify(above.subject, pss_spki(key, parameters), ca_extensions(key))
        case(f"pss-key-{label}", "ok", [above.leaf(), above_der])
        plain = Issuer("PSS key", key)
        case(f"pss-key-{label}-signs-pkcs1", "bad_signature", [plain.leaf(), above_der])
    other_hash = Issuer("PSS key", key, digest="sha512", pss=64)
    case("pss-key-bound-to-another-hash", "bad_signature", [other_hash.leaf(), above_der])
    short = Issuer("PSS key", key, pss=20)
    case("pss-key-wants-more-salt", "bad_signature", [short.leaf(), above_der])
    weak = Issuer("PSS key", key, digest="sha1", pss=20)
    case("pss-sha1", "weak_signature", [weak.leaf(), above_der])


def make_weak(key):
    for digest in ("md5", "sha1", "sha224"):
        above, above_der = root.issue_ca("Weak", key, digest=digest)
        case(f"rsa-{digest}", "weak_signature", [above.leaf(), above_der], detail="1.2.840.113549.1.1.%d" % RSA_OIDS[digest])
    case("ecdsa-sha1", "weak_signature", [Issuer("Root", root.key, "sha1").leaf()])
    case("rsa1024-leaf", "weak_key", [root.leaf(key=rsa_key(1024))], detail="RSA of 1024 bits")
    case("rsa2047-leaf", "weak_key", [root.leaf(key=fake_rsa_spki(2047))], detail="RSA of 2047 bits")
    above, above_der = root.issue_ca("Small", rsa_key(1024))
    case("rsa1024-intermediate", "weak_key", [above.leaf(), above_der], detail="Small")
    case("rsa-exponent-1", "weak_key", [root.leaf(key=fake_rsa_spki(2048, 1))])
    case("rsa-exponent-even", "weak_key", [root.leaf(key=fake_rsa_spki(2048, 65538))])
    case("rsa-exponent-huge", "weak_key", [root.leaf(key=fake_rsa_spki(2048, (1 << 65) | 1))])
    case("rsa-exponent-64-bits", "ok", [root.leaf(key=fake_rsa_spki(2048, (1 << 63) | 1))])
    case("rsa8193-leaf", "too_large", [root.leaf(key=fake_rsa_spki(8193))])
    case("rsa16384-leaf", "too_large", [root.leaf(key=fake_rsa_spki(16384))], detail="RSA of 16384 bits")
    huge = root.certify("Huge", fake_rsa_spki(16384), ca_extensions(key))
    case("rsa16384-intermediate", "too_large", [Issuer("Huge", key).leaf(), huge], detail="Huge")
    case("p224-leaf", "weak_key", [root.leaf(key=ec.generate_private_key(ec.SECP224R1()))], detail="its curve")
    case("point-compressed", "weak_key", [root.leaf(key=seq(seq(oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")), bits(b"\2" + bytes(32))))], detail="its point is compressed")
    case("secp256k1-leaf", "weak_key", [root.leaf(key=ec.generate_private_key(ec.SECP256K1()))])
    case("unknown-key", "weak_key", [root.leaf(key=seq(seq(oid("1.3.101.113")), bits(b"x" * 57)))], detail="1.3.101.113")


def make_signatures():
    def flip(signature):
        return signature[:-1] + bytes([signature[-1] ^ 1])

    def ecdsa(r, s, tail=b""):
        return lambda signature: seq(integer(r), integer(s)) + tail
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    case("leaf-signature-flipped", "bad_signature", [middle.leaf(break_signature=flip), middle_der], detail="CN=leaf")
    case("intermediate-signature-flipped", "bad_signature",
         [middle.leaf(), root.certify(middle.subject, middle.key, ca_extensions(middle.key), break_signature=flip)], detail="CN=Middle")
    for label, broken in {"zeros": ecdsa(0, 0), "r-zero": ecdsa(0, 1), "s-order": ecdsa(1, order), "one-order": ecdsa(order, 1),
                          "negative": ecdsa(-1, 5), "tail": lambda signature: signature + b"\0", "empty": lambda signature: b"",
                          "zero-padded": lambda signature: b"\0" + signature}.items():
        case("ecdsa-" + label, "bad_signature", [root.leaf(break_signature=broken)])
    for label, key, pss in (("rsa", rsa_key(2048), None), ("pss", rsa_key(2048), 32), ("p384", ec.generate_private_key(ec.SECP384R1()), None),
                            ("ed25519", ed25519.Ed25519PrivateKey.generate(), None)):
        above, above_der = root.issue_ca("Signs", key, pss=pss)
        case(label + "-of-other-data", "bad_signature",
             [above.leaf(break_signature=lambda signature: sign(key, "sha256", pss, b"other data")), above_der])
    for label, key in {"rsa": rsa_key(2048), "ed25519": ed25519.Ed25519PrivateKey.generate()}.items():
        above, above_der = root.issue_ca("Flips", key)
        case(label + "-flipped", "bad_signature", [above.leaf(break_signature=flip), above_der])
        case(label + "-longer", "bad_signature", [above.leaf(break_signature=lambda signature: signature + b"\0"), above_der])
        case(label + "-shorter", "bad_signature", [above.leaf(break_signature=lambda signature: signature[1:]), above_der])
        mixed = Issuer("Flips", p256())
        case(label + "-key-ecdsa-signature", "bad_signature", [mixed.leaf(), above_der])
    make_forged_blocks()
    point = bytearray(spki(p256()))
    point[-1] ^= 1
    case("issuer-key-off-the-curve", "bad_signature", [Issuer("Off", p256()).leaf(), root.certify("Off", bytes(point), ca_extensions(root.key))])
    make_impostors()


def make_forged_blocks():
    """PKCS#1 blocks that a lenient reader would take: made with the key itself, so that only the block is wrong."""
    key = rsa_key(2048)
    numbers = key.private_numbers()
    above, above_der = root.issue_ca("Blocks", key)

    def block(make):
        def broken(signature):
            value = pow(int.from_bytes(signature, "big"), 65537, numbers.public_numbers.n).to_bytes(256, "big")
            digest = value[-32:]
            forged = make(digest)
            return pow(int.from_bytes(forged.ljust(256, b"\xaa"), "big"), numbers.d, numbers.public_numbers.n).to_bytes(256, "big")
        return broken

    def info(digest, null=NULL):
        return seq(seq(oid(HASH_OIDS["sha256"]), null), tlv(4, digest))
    for label, make in {
        "as-it-should-be": lambda digest: b"\0\1" + b"\xff" * 202 + b"\0" + info(digest),
        "garbage-behind": lambda digest: b"\0\1" + b"\xff" * 8 + b"\0" + info(digest),
        "without-null": lambda digest: b"\0\1" + b"\xff" * 204 + b"\0" + info(digest, b""),
        "garbage-in-parameters": lambda digest: b"\0\1" + b"\xff" * 182 + b"\0" + info(digest, tlv(4, b"x" * 20)),
        "other-type": lambda digest: b"\0\2" + b"\xff" * 202 + b"\0" + info(digest),
        "bare-digest": lambda digest: b"\0\1" + b"\xff" * 221 + b"\0" + digest,
    }.items():
        case("pkcs1-" + label, "ok" if label == "as-it-should-be" else "bad_signature", [above.leaf(break_signature=block(make)), above_der])


def make_impostors():
    copy = Issuer("Root", p256())
    same_ids = [basic(True), key_usage("keyCertSign", "cRLSign"), ski(root.id)]
    copied_root = copy.certify("Root", copy.key, same_ids + [aki(root.id)], issuer_id=False)
    copied_leaf = copy.certify("leaf", p256(), leaf_extensions(aki(root.id)), issuer_id=False)
    case("copied-root", "bad_signature", [copied_leaf, copied_root], detail="CN=leaf")
    case("copied-root-not-sent", "bad_signature", [copied_leaf])
    case("copied-root-as-leaf", "bad_signature", [copied_root])
    case("stranger", "unknown_issuer", [other.leaf()], detail="Other Root")
    stranger = Issuer("Stranger", p256())
    case("self-signed", "unknown_issuer", [stranger.root()], detail="CN=Stranger")
    case("victims-key-identifier", "unknown_issuer", [stranger.leaf(extensions=leaf_extensions(ski(root.id)))])
    case("intermediate-missing", "unknown_issuer", [good], detail="CN=Middle")
    case("no-roots-match", "unknown_issuer", [good, middle_der], roots="other", detail="CN=Root")


def make_dates():
    exact = dict(begin="20260601115959", end="20260601120001")
    dated = [root.leaf(**exact)]
    write("chains/dated.pem", pem(*dated))
    for at, reason in {"20260601115958": "not_yet_valid", "20260601115959": "ok", "20260601120001": "ok", "20260601120002": "expired"}.items():
        case("dated-" + at, reason, None, at=at, file="dated")
    case("expired", "expired", [root.leaf(end="20250101000000")], detail="2025-01-01T00:00:00Z")
    case("not-yet-valid", "not_yet_valid", [root.leaf(begin="20270101000000")], detail="2027-01-01T00:00:00Z")
    old, old_der = root.issue_ca("Old", end="20250101000000")
    case("expired-intermediate", "expired", [old.leaf(), old_der], detail="CN=Old")
    ancient = Issuer("Ancient", p256())
    add_root("expired", ancient.root(end="20250101000000"))
    case("expired-root", "expired", [ancient.leaf()], roots="expired", detail="CN=Ancient")
    case("expired-root-in-its-time", "ok", None, roots="expired", at="20241231235959", file="expired-root")
    case("end-of-time", "ok", [root.leaf(end="99991231235959")])
    case("past-2050", "ok", [root.leaf(end="20500101000000")])
    case("past-2050-begin", "not_yet_valid", [root.leaf(begin="20510101000000", end="20520101000000")])
    case("century-old", "expired", [root.leaf(begin="18500101000000", end="19491231235959")])


def make_usage():
    case("server-certificate", "wrong_usage", [root.leaf(extensions=leaf_extensions(purpose=("serverAuth",)))], detail="clientAuth")
    case("email-certificate", "wrong_usage", [root.leaf(extensions=leaf_extensions(purpose=("emailProtection",)))])
    case("key-encipherment-only", "wrong_usage", [root.leaf(extensions=leaf_extensions(usage=("keyEncipherment",)))], detail="digitalSignature")
    case("decipher-only", "wrong_usage", [root.leaf(extensions=leaf_extensions(usage=("keyAgreement", "decipherOnly")))])
    served, served_der = root.issue_ca("Serves", also=[purposes("serverAuth")])
    case("intermediate-for-servers", "wrong_usage", [served.leaf(), served_der], detail="CN=Serves")
    idle, idle_der = root.issue_ca("Idle", extensions=[basic(True), key_usage("cRLSign")])
    case("intermediate-signs-crls-only", "wrong_usage", [idle.leaf(), idle_der], detail="keyCertSign")
    for label, extensions in {"leaf-signs-leaf": leaf_extensions(), "ca-false": [basic(False), key_usage("keyCertSign")],
                              "no-basic-constraints": [key_usage("keyCertSign")]}.items():
        above, above_der = root.issue_ca("Not a CA", extensions=extensions)
        case(label, "not_a_ca", [above.leaf(), above_der], detail="Not a CA")
    old, old_der = root.issue_ca("Version 1", extensions=[], version=0)
    case("version-1-intermediate", "not_a_ca", [old.leaf(), old_der])
    explicit, explicit_der = root.issue_ca("Explicit", extensions=[ext("2.5.29.19", seq(tlv(1, b"\0")), True)])
    case("explicit-ca-false", "not_a_ca", [explicit.leaf(), explicit_der])
    unknown = ext("1.3.6.1.4.1.99999.1", b"?", True)
    case("critical-in-leaf", "unsupported_critical_extension", [root.leaf(extensions=leaf_extensions(unknown))], detail="1.3.6.1.4.1.99999.1")
    above, above_der = root.issue_ca("Critical", also=[unknown])
    case("critical-in-intermediate", "unsupported_critical_extension", [above.leaf(), above_der], detail="CN=Critical")
    case("unknown-not-critical", "ok", [root.leaf(extensions=leaf_extensions(ext("1.3.6.1.4.1.99999.1", b"?")))])
    above, above_der = root.issue_ca("Policies", also=[ext("2.5.29.36", seq(tlv(0x80, b"\0")), True)])
    case("explicit-policy-required", "unsupported_critical_extension", [above.leaf(), above_der])


def make_lengths():
    none, none_der = root.issue_ca("None below", path_length=0)
    below, below_der = none.issue_ca("Below")
    case("path-length-0", "ok", [none.leaf(), none_der])
    case("path-length-exceeded", "path_length", [below.leaf(), below_der, none_der], detail="CN=Below")
    renewed = none.certify(none.subject, below.key, ca_extensions(below.key))
    case("path-length-self-issued", "ok", [Issuer("None below", below.key).leaf(), renewed, none_der])
    tight = Issuer("Tight Root", p256())
    add_root("tight", tight.root(ca_extensions(tight.key, path_length=0)))
    under, under_der = tight.issue_ca("Under")
    case("path-length-of-root", "path_length", [under.leaf(), under_der], roots="tight")
    chain, last = [], root
    for level in range(1, 16):
        last, der = last.issue_ca(f"Level {level}")
        chain.insert(0, der)
        if level == 3:
            case("four-deep", "ok", [last.leaf(), *chain])
        if level == 4:
            case("five-deep", "chain_too_long", [last.leaf(), *chain], detail="5 certificates")
            case("five-deep-allowed", "ok", None, depth=5, file="five-deep")
        if level == 10:
            case("eleven-certificates", "chain_too_long", [last.leaf(), *chain])
    case("sixteen-deep", "ok", [last.leaf(), *chain], depth=16)
    case("sixteen-deep-backwards", "ok", [last.leaf(), *reversed(chain)], depth=16)
    case("seventeen-certificates", "chain_too_long", [last.leaf(), *chain, other.root()], depth=16)


def make_constraints():
    subject = name(("C", "DE"), ("O", "Works"), ("CN", "device"))
    kinds = {
        "dns": ("example.com", [("device.example.com", 1), ("example.com", 1), ("EXAMPLE.com.", 1), ("badexample.com", 0), ("example.org", 0)]),
        "dns-below": (".example.com", [("a.example.com", 1), ("example.com", 0)]),
        "email-host": ("example.com", [("a@example.com", 1), ("a@EXAMPLE.COM", 1), ("a@b.example.com", 0)]),
        "email-below": (".example.com", [("a@b.example.com", 1), ("a@example.com", 0)]),
        "email-one": ("a@example.com", [("a@Example.com", 1), ("A@example.com", 0), ("b@example.com", 0)]),
        "uri": ("example.com", [("https://example.com/x", 1), ("https://u:p@Example.com:8443?x", 1), ("https://a.example.com", 0)]),
        "uri-below": (".example.com", [("spiffe://a.example.com/x", 1), ("spiffe://example.com/x", 0)]),
        "ip": (bytes([10, 1, 0, 0, 255, 255, 0, 0]), [(bytes([10, 1, 2, 3]), 1), (bytes([10, 2, 2, 3]), 0)]),
        "ip6": (bytes([0x20, 1]) + bytes(14) + bytes([255, 255]) + bytes(14), [(bytes([0x20, 1]) + bytes(14), 1), (bytes([0x20, 2]) + bytes(14), 0)]),
        "dir": (name(("C", "DE"), ("O", "WORKS", PRINTABLE)), [(name(("C", "DE"), ("O", "Works"), ("OU", "x")), 1), (name(("C", "DE")), 0)]),
    }
    for label, (base, values) in kinds.items():
        kind = label.split("-")[0].rstrip("6")
        for word, allowed in (("permitted", 1), ("excluded", 0)):
            if label == "dir" and word == "excluded":
                base = name(("C", "DE"), ("O", "WORKS"), ("OU", "X"))
                values = [(name(("C", "DE"), ("O", "Works"), ("OU", "x")), 1), (name(("C", "DE"), ("O", "Works")), 0)]
            above, above_der = root.issue_ca("Limits", also=[constraints(**{word: [(kind, base)]})])
            for index, (value, inside) in enumerate(values):
                leaf = above.leaf(subject, extensions=leaf_extensions(san((kind, value))))
                case(f"names-{label}-{word}-{index}", "ok" if inside == allowed else "name_constraint", [leaf, above_der])
    make_odd_constraints(subject)


def make_odd_constraints(subject):
    def under(constraint, *names, subject=subject, label, reason):
        above, above_der = root.issue_ca("Limits", also=[constraint])
        case(label, reason, [above.leaf(subject, extensions=leaf_extensions(*([san(*names)] if names else []))), above_der])
    mail = name(("C", "DE"), ("CN", "x"), ("emailAddress", "a@example.org", IA5))
    under(constraints([("email", "example.com")]), subject=mail, label="names-email-in-subject", reason="name_constraint")
    under(constraints([("email", "example.org")]), subject=mail, label="names-email-in-subject-fits", reason="ok")
    wide = name(("CN", "x"), ("emailAddress", "a@example.org", BMP))
    under(constraints((), [("email", "example.org")]), subject=wide, label="names-email-in-wide-characters", reason="name_constraint")
    under(constraints([("uri", "example.com")]), ("uri", "urn:device:1"), label="names-uri-without-host", reason="name_constraint")
    under(constraints((), [("uri", "example.com")]), ("uri", "https://10.0.0.1/"), label="names-uri-with-address", reason="name_constraint")
    under(constraints([("dns", "example.com")]), ("uri", "urn:device:1"), label="names-of-another-form", reason="ok")
    under(constraints((), [("dns", "a.example.com")]), ("dns", "*.example.com"), label="names-wildcard-over-excluded", reason="name_constraint")
    under(constraints((), [("other", "x")]), ("other", "y"), label="names-of-unknown-form", reason="name_constraint")
    under(constraints([("ip", bytes([10, 0, 0, 0, 255, 0, 0, 0]))]), ("ip", bytes(16)), label="names-ip-of-other-family", reason="name_constraint")
    under(constraints([("dir", name(("C", "FR")))]), label="names-subject-outside", reason="name_constraint")
    under(constraints([("dir", name())]), label="names-all-subjects", reason="ok")
    under(constraints([("dir", name(("C", "FR")))]), ("dns", "a.example.com"), subject=name(), label="names-empty-subject", reason="ok")
    high, high_der = root.issue_ca("High", also=[constraints([("dns", "example.com")])])
    low, low_der = high.issue_ca("Low", also=[constraints([("dns", "com")])])
    case("names-add-up", "name_constraint", [low.leaf(extensions=leaf_extensions(san(("dns", "a.com")))), low_der, high_der], detail="CN=High")
    many = [("dns", f"n{i}.example.com") for i in range(300)]
    above, above_der = root.issue_ca("Many", also=[constraints((), [("dns", f"x{i}.example.org") for i in range(300)])])
    case("names-too-many", "name_constraint", [above.leaf(extensions=leaf_extensions(san(*many))), above_der], detail="too many")
    limited = Issuer("Limited Root", p256())
    add_root("limited", limited.root(ca_extensions(limited.key, constraints([("dns", "example.com")]))))
    case("names-of-root", "name_constraint", [limited.leaf(extensions=leaf_extensions(san(("dns", "a.org"))))], roots="limited")


def make_malformed():
    leaf = root.leaf()

    def bad(label, der, detail=""):
        case("malformed-" + label, "malformed", [der], detail=detail)
    bad("tail", leaf + b"\0", "DER")
    bad("cut", leaf[:-1], "DER")
    bad("one-byte", b"\x30")
    bad("indefinite", b"\x30\x80" + leaf[4:] + b"\0\0")
    bad("long-length", b"\x30\x83\0" + leaf[2:])
    bad("no-sequence", b"\x31" + leaf[1:])
    bad("tbs-tail", root.leaf(tail=tlv(0xA4, NULL)), "more fields")
    bad("serial-of-21-octets", root.leaf(serial=1 << 160), "serial")
    bad("serial-padded", root.leaf(serial=tlv(2, b"\0\1")), "serial")
    bad("serial-empty", root.leaf(serial=tlv(2, b"")), "serial")
    bad("version-4", root.leaf(version=3), "version")
    bad("version-1-with-extensions", root.leaf(version=0), "extensions")
    bad("algorithms-differ", root.leaf(inner=seq(oid(ECDSA_OIDS["sha384"]))), "differ")
    bad("no-issuer", root.leaf(issuer=name()), "issuer")
    for label, when in {"second": "20260101000060", "month": "20261301000000", "day": "20260230000000", "offset": "20260101000000+0100",
                        "fraction": "20260101000000.5Z", "letter": "2026010100000xZ"}.items():
        bad("time-" + label, root.certify("leaf", p256(), begin=when), "validity")
    for label, names in {"nul": ("dns", "victim.example.com\0.evil.com"), "line": ("email", "a@b\r\nX: y"), "latin": ("uri", b"https://\xe9"),
                         "ip": ("ip", b"12345"), "empty": ("dns", "")}.items():
        bad("san-" + label, root.leaf(extensions=leaf_extensions(san(names))), "subjectAltName")
    bad("san-none", root.leaf(extensions=leaf_extensions(ext("2.5.29.17", seq()))), "subjectAltName")
    for label, subject in {"nul": name(("CN", "a\0b")), "utf8": name(("CN", b"\xff")), "overlong": name(("CN", b"\xc0\xaf")),
                           "surrogate": name(("CN", b"\xd8\0", BMP)), "half": name(("CN", b"\0", BMP)), "empty-rdn": seq(tlv(0x31)),
                           "wide-rdn": name([("CN", f"{i}") for i in range(17)])}.items():
        bad("subject-" + label, root.leaf(subject), "subject")
    extensions = leaf_extensions()
    bad("extension-twice", root.leaf(extensions=extensions + extensions[:1]), "twice")
    bad("extension-boolean", root.leaf(extensions=[seq(oid("1.2.3"), tlv(1, b"\1"), tlv(4, b""))]), "extensions")
    bad("extensions-65", root.leaf(extensions=[ext(f"1.2.3.{i}", b"") for i in range(65)]), "64")
    bad("key-usage", root.leaf(extensions=[ext("2.5.29.15", bits(b"\xff", 3))]), "keyUsage")
    bad("purposes", root.leaf(extensions=[ext("2.5.29.37", seq())]), "extendedKeyUsage")
    bad("basic-constraints", root.leaf(extensions=[ext("2.5.29.19", seq(integer(-1)))]), "basicConstraints")
    bad("key-identifier", root.leaf(extensions=[ext("2.5.29.14", b"abc")]), "subjectKeyIdentifier")
    bad("authority-identifier", root.leaf(extensions=[ext("2.5.29.35", tlv(0x80, b"x"))], issuer_id=False), "authorityKeyIdentifier")
    bad("constraints-empty", root.leaf(extensions=[ext("2.5.29.30", seq())]), "nameConstraints")
    bad("constraints-minimum", root.leaf(extensions=[ext("2.5.29.30", seq(tlv(0xA0, seq(general("dns", "x"), tlv(0x80, b"\1")))))]), "nameConstraints")
    bad("rsa-key-tail", root.leaf(key=seq(seq(oid("1.2.840.113549.1.1.1"), NULL), bits(seq(integer(1 << 2047 | 1), integer(3)) + b"\0"))), "public key")
    bad("ed25519-short", root.leaf(key=seq(seq(oid("1.3.101.112")), bits(bytes(31)))), "public key")
    bad("unused-bits", seq(seq(), seq(oid("1.2.3")), bits(b"\x80", 1)))
    case("malformed-superfluous", "malformed", [good, middle_der, leaf + b"\0"], detail="certificate 3")
    case("malformed-intermediate", "malformed", [good, middle_der[:-1]], detail="certificate 2")


def make_order():
    """Where several faults hold: from the root down; in one certificate signature, dates, usage."""
    def flip(signature):
        return signature[:-1] + bytes([signature[-1] ^ 1])
    ended = dict(end="20250101000000")
    server = leaf_extensions(purpose=("serverAuth",))
    case("order-signature-before-dates", "bad_signature", [root.leaf(break_signature=flip, **ended)])
    case("order-dates-before-usage", "expired", [root.leaf(extensions=server, **ended)])
    case("order-algorithm-before-dates", "weak_signature", [Issuer("Root", root.key, "sha1").leaf(**ended)])
    case("order-key-before-dates", "weak_key", [root.leaf(key=fake_rsa_spki(1024), **ended)])
    case("order-signature-before-key", "bad_signature", [root.leaf(key=fake_rsa_spki(1024), break_signature=flip)])
    old, old_der = root.issue_ca("Old", **ended)
    case("order-intermediate-before-leaf", "expired", [old.leaf(break_signature=flip), old_der], detail="CN=Old")
    served, served_der = root.issue_ca("Serves", also=[purposes("serverAuth")])
    case("order-intermediate-usage-before-leaf-signature", "wrong_usage", [served.leaf(break_signature=flip, **ended), served_der])
    forged = Issuer("Root", p256())
    low, low_der = forged.issue_ca("Forged", **ended)
    case("order-forged-intermediate", "bad_signature", [low.leaf(**ended), low_der], detail="CN=Forged")
    limits, limits_der = root.issue_ca("Limits", also=[constraints([("dns", "example.com")])])
    outside = leaf_extensions(san(("dns", "a.org")))
    case("order-dates-before-names", "expired", [limits.leaf(extensions=outside, **ended), limits_der])
    case("order-signature-before-names", "bad_signature", [limits.leaf(extensions=outside, break_signature=flip), limits_der])
    low, low_der = limits.issue_ca("Low", also=[san(("dns", "a.org"))])
    case("order-intermediate-names-before-leaf", "name_constraint", [low.leaf(**ended), low_der, limits_der], detail="CN=Low")
    late = root.certify(middle.subject, middle.key, ca_extensions(middle.key), **ended)
    case("furthest-path", "wrong_usage", [middle.leaf(extensions=server), late, middle_der], detail="CN=leaf")
    case("furthest-path-2", "wrong_usage", [middle.leaf(extensions=server), middle_der, late], detail="CN=leaf")


def openssl(der, *arguments):
    command = ["openssl", "x509", "-inform", "DER", "-noout", "-nameopt", "RFC2253,utf8,-esc_msb", *arguments]
    return subprocess.run(command, input=der, capture_output=True, check=True).stdout.decode().strip().partition("=")[2]


def header_value(text):
    return "".join(f"%{ord(c):02X}" if c == "%" or ord(c) < 0x20 or ord(c) == 0x7F else c for c in text)


def rfc3339(text):
    return datetime.strptime(text, "%b %d %H:%M:%S %Y GMT").strftime("%Y-%m-%dT%H:%M:%SZ")


def fields(label, der, above=None, **more):
    """What openssl says of the certificate, and in `more` (__ for .) what it has no option for."""
    text = pem(der)
    public = subprocess.run(["openssl", "x509", "-inform", "DER", "-pubkey", "-noout"], input=der, capture_output=True, check=True).stdout
    public = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=public, capture_output=True, check=True).stdout
    values = {
        "serial": openssl(der, "-serial").lower(),
        "subject.dn": header_value(openssl(der, "-subject")),
        "issuer.dn": header_value(openssl(der, "-issuer")),
        "not_before": rfc3339(openssl(der, "-startdate")),
        "not_after": rfc3339(openssl(der, "-enddate")),
        "fingerprint.sha256": openssl(der, "-fingerprint", "-sha256").replace(":", "").lower(),
        "fingerprint.sha1": openssl(der, "-fingerprint", "-sha1").replace(":", "").lower(),
        "spki.sha256": hashlib.sha256(public).hexdigest(),
        "der.base64": base64.b64encode(der).decode(),
        "pem.urlencoded": urllib.parse.quote(text, safe="-._~"),
        "rfc9440.cert": ":" + base64.b64encode(der).decode() + ":",
    }
    if above:
        values["rfc9440.chain"] = ", ".join(":" + base64.b64encode(one).decode() + ":" for one in above)
    values.update({key.replace("__", "."): value for key, value in more.items()})
    xfcc = f'Hash={values["fingerprint.sha256"]};Cert="{values["pem.urlencoded"]}";Subject="{values["subject.dn"]}"'
    values.setdefault("xfcc", xfcc + values.pop("xfcc.tail", ""))
    write(f"fields/{label}.pem", pem(der, *(above or [])))
    write(f"fields/{label}.txt", "".join(f"{key}: {value}\n" for key, value in values.items() if value != ""))


def make_fields():
    full = name(("C", "DE", PRINTABLE), ("ST", "Hamburg"), ("L", "Altona"), ("O", "Pizza, Pasta + Söhne"), [("OU", "Ofen"), ("serialNumber", "4711", PRINTABLE)],
                ("OU", "second"), ("UID", "u1"), ("DC", "org", IA5), ("DC", "example", IA5), ("CN", "#1 \"Bäcker\" <\\;=> "), ("emailAddress", "a@example.org", IA5))
    extensions = leaf_extensions(
        ski(bytes.fromhex("00ff10abcdef")), ext("1.3.6.1.4.1.99999.7", b"\0\1\2private"),
        san(("dns", "a.example.org"), ("email", "a@example.org"), ("uri", "spiffe://example.org/a,b;c"), ("ip", bytes([192, 0, 2, 1])),
            ("dns", "b.example.org"), ("uri", "urn:x%2Cy"), ("ip", bytes.fromhex("20010db8000000000000000000000001")), ("other", "upn@x")))
    fields("full", middle.leaf(full, extensions=extensions, serial=0x0A00FF), [middle_der],
           ski="00ff10abcdef", aki=middle.id.hex(), subject__cn="#1 \"Bäcker\" <\\;=>%20", subject__o="Pizza, Pasta + Söhne", subject__ou="Ofen",
           subject__l="Altona", subject__st="Hamburg", subject__c="DE", subject__emailaddress="a@example.org", subject__serialnumber="4711",
           subject__uid="u1", subject__dc="org", issuer__cn="Middle", issuer__o="Corpus", san__dns="a.example.org,b.example.org",
           san__email="a@example.org", san__uri="spiffe://example.org/a%2Cb;c,urn:x%252Cy", san__ip="192.0.2.1,2001:db8::1",
           **{"ext:1.3.6.1.4.1.99999.7": base64.b64encode(b"\0\1\2private").decode(),
              "xfcc.tail": ';URI="spiffe://example.org/a,b;c";URI=urn:x%252Cy;DNS=a.example.org;DNS=b.example.org'})
    fields("plain", root.leaf("plain", extensions=[]), subject__cn="plain", subject__o="Corpus", issuer__cn="Root", issuer__o="Corpus")
    fields("negative", root.leaf("n", serial=-128, extensions=[]), subject__cn="n", subject__o="Corpus", issuer__cn="Root", issuer__o="Corpus")
    fields("zero", root.leaf("z", serial=0, extensions=[]), subject__cn="z", subject__o="Corpus", issuer__cn="Root", issuer__o="Corpus")
    fields("long-serial", root.leaf("l", serial=(1 << 160) - 2, extensions=[]), subject__cn="l", subject__o="Corpus", issuer__cn="Root", issuer__o="Corpus")
    odd = name(("CN", "tab\there 100%"), ("1.2.3.4.5", "unknown"), ("title", "Größe", BMP), ("L", "L\xe9".encode("latin-1"), TELETEX),
               ("ST", "\U0001F355", UNIVERSAL), ("O", "\x7f"), ("OU", b"\x00\x02", 0x03), ("OU", ""))
    fields("odd", root.leaf(odd, extensions=leaf_extensions()), aki=root.id.hex(), subject__cn="tab%09here 100%25", subject__l="Lé",
           subject__st="\U0001F355", subject__o="%7F", subject__ou="#03020002", issuer__cn="Root", issuer__o="Corpus")
    fields("nameless", root.leaf(name(), extensions=leaf_extensions(san(("uri", "urn:a"), critical=True))), aki=root.id.hex(), san__uri="urn:a",
           issuer__cn="Root", issuer__o="Corpus", **{"xfcc.tail": ";URI=urn:a"})


def main():
    if "x509" not in subprocess.run(["openssl", "help"], capture_output=True, text=True).stderr:
        sys.exit("openssl is missing")
    for make in (make_roots, make_valid_paths, make_search, make_algorithms, make_signatures, make_dates, make_usage, make_lengths,
                 make_constraints, make_malformed, make_order, make_fields):
        make()
    lines = ["name,roots,chain,at,depth,reason,detail"] + [",".join(str(part) for part in one) for one in cases]
    write("cases.csv", "\n".join(lines) + "\n")
    print(f"{len(cases)} chains, {len(set(one[0] for one in cases))} names")


if __name__ == "__main__":
    main()
