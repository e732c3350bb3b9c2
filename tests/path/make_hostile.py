#!/usr/bin/env python3
"""Makes the chains of corpus/hostile.csv: made to deceive, or at the very edge of what is allowed.

As make_corpus.py, whose tools it uses, and beside whose files it puts its own: run it only to add a case, since all of its
files change. A chain of more than 16 KiB counts as too large, as with the server's default limit.
"""
import hashlib
import sys

import make_corpus
from make_corpus import Issuer, ca_extensions, case, leaf_extensions, p256, pem, rsa_key, write
from make_der import *

fort = Issuer("Fort", p256())
gate, gate_der = fort.issue_ca("Gate")
victim_key = p256()
victim_id = hashlib.sha1(spki(victim_key)).digest()
guest = gate.leaf("guest")
CHAIN_SIZE_MAX = 16 * 1024


def fort_case(label, reason, chain, **more):
    case(label, reason, chain, roots="fort", **more)


def padding_of(size):
    """An extension that nobody knows, of so many bytes in its value."""
    return ext("1.3.6.1.4.1.99999.2", b"\0" * size)


def parts(certificate):
    """The three parts of a certificate, as DER."""
    def split(data):
        out = []
        while data:
            head = 2 if data[1] < 0x80 else 2 + (data[1] & 0x7F)
            size = data[1] if data[1] < 0x80 else int.from_bytes(data[2:head], "big")
            out.append(data[:head + size])
            data = data[head + size:]
        return out
    head = 2 if certificate[1] < 0x80 else 2 + (certificate[1] & 0x7F)
    return split(certificate[head:])


def make_root():
    global fort_der
    fort_der = fort.root(end="20600101000000")
    make_corpus.add_root("fort", fort_der)
    fort_case("guest", "ok", [guest, gate_der])


def make_copies():
    """The attacker has every byte of the real certificates, but none of their keys."""
    thief = Issuer("Fort", p256())
    tbs, outer, signature = parts(fort_der)
    swapped = seq(tbs.replace(spki(fort.key), spki(thief.key)), outer, signature)
    fort_case("root-with-another-key", "bad_signature", [thief.leaf(extensions=leaf_extensions(aki(fort.id)), issuer_id=False), swapped])
    fort_case("root-with-another-key-as-leaf", "bad_signature", [swapped], detail="though it names that key")
    tbs, outer, signature = parts(gate_der)
    swapped = seq(tbs.replace(spki(gate.key), spki(thief.key)), outer, signature)
    gate_thief = Issuer("Gate", thief.key)
    stolen = gate_thief.leaf("guest", extensions=leaf_extensions(aki(gate.id)), issuer_id=False)
    fort_case("intermediate-with-another-key", "bad_signature", [stolen, swapped], detail="the root")
    fort_case("intermediate-with-another-key-and-the-real-one", "bad_signature", [stolen, swapped, gate_der], detail="CN=guest")
    claimed = leaf_extensions(ski(victim_id), aki(fort.id))
    fort_case("leaf-claims-a-victims-key", "bad_signature", [thief.leaf("guest", extensions=claimed, issuer_id=False)])
    stranger = Issuer("Stranger", p256())
    fort_case("leaf-claims-a-victims-key-elsewhere", "unknown_issuer", [stranger.leaf("guest", extensions=leaf_extensions(ski(victim_id)))])
    tbs, outer, signature = parts(guest)
    fort_case("leaf-with-another-key", "bad_signature", [seq(tbs.replace(parts_key(guest), spki(thief.key)), outer, signature), gate_der])
    fort_case("leaf-with-the-issuers-signature", "bad_signature", [seq(tbs, outer, parts(gate_der)[2]), gate_der])
    fort_case("leaf-signed-by-itself-as-the-root", "bad_signature", [thief.root(leaf_extensions(ski(fort.id)))])


def parts_key(certificate):
    """The SubjectPublicKeyInfo of a P-256 certificate: fixed in size."""
    start = certificate.index(oid("1.2.840.10045.2.1")) - 4
    return certificate[start:start + 91]


def make_search():
    """The real issuer must be found among false ones, wherever they stand."""
    same_id = [basic(True), key_usage("keyCertSign"), ski(gate.id)]
    fake = Issuer("Fort", p256()).certify("Gate", p256(), same_id)
    fort_case("false-intermediate-first", "ok", [guest, fake, gate_der])
    fort_case("false-intermediate-last", "ok", [guest, gate_der, fake])
    lied, lied_der = fort.issue_ca("Gate", extensions=same_id)
    fort_case("intermediates-share-a-key-identifier", "ok", [guest, lied_der, gate_der])
    fort_case("intermediates-share-a-key-identifier-2", "ok", [lied.leaf(extensions=leaf_extensions(aki(gate.id)), issuer_id=False), gate_der, lied_der])
    other, other_der = fort.issue_ca("Other Gate", extensions=same_id)
    fort_case("other-name-same-key-identifier", "ok", [guest, other_der, gate_der])
    fort_case("other-name-same-key-identifier-alone", "unknown_issuer", [guest, other_der], detail="CN=Gate")
    renamed = Issuer("Castle", fort.key)
    fort_case("issuer-renamed", "unknown_issuer", [renamed.leaf()], detail="has the key that it names")
    nobody = Issuer(name(), p256())
    nobody_der = fort.certify(name(), nobody.key, ca_extensions(nobody.key))
    fort_case("issuer-missing-with-a-long-key-identifier", "unknown_issuer", [
        Issuer("Nowhere", p256()).leaf(extensions=leaf_extensions(aki(bytes(range(24)))), issuer_id=False)], detail="10111213...)")
    old = Issuer("Fort", p256())
    fort_case("issuer-has-a-new-key", "bad_signature", [old.leaf(extensions=leaf_extensions(aki(b"\x0a\x0b")), issuer_id=False)],
              detail="it names key 0a0b")
    fort_case("issuer-without-a-name", "malformed", [nobody.leaf(), nobody_der], detail="issuer")
    strangers = [Issuer(f"Stranger {i}", p256()).root() for i in range(13)]
    fort_case("nine-superfluous", "ok", [guest, *strangers[:9], gate_der])
    fort_case("fourteen-superfluous", "ok", [guest, *strangers, fort_der, gate_der])
    between, between_der = gate.issue_ca("Between", extensions=leaf_extensions())
    below, below_der = between.issue_ca("Below")
    fort_case("leaf-signs-a-ca", "not_a_ca", [below.leaf(), below_der, between_der, gate_der], detail="CN=Between")


def make_ca_clients():
    """A CA certificate in the client's place signs CertificateVerify, for which keyUsage must allow it."""
    def ca(*usage):
        key = p256()
        return fort.certify("ca", key, [basic(True), *([key_usage(*usage)] if usage else []), ski(b"ca")])
    fort_case("ca-client-signs-certificates-only", "wrong_usage", [ca("keyCertSign", "cRLSign")], detail="digitalSignature")
    fort_case("ca-client-signs-all", "ok", [ca("digitalSignature", "keyCertSign")])
    fort_case("ca-client-without-usage", "ok", [ca()])
    fort_case("root-as-client", "wrong_usage", [fort_der], detail="digitalSignature")
    fort_case("usage-of-nothing", "wrong_usage", [fort.leaf(extensions=[ext("2.5.29.15", bits(b""), True)])])
    serving = Issuer("Serving Root", p256())
    make_corpus.add_root("serving", serving.root(ca_extensions(serving.key, purposes("serverAuth"))))
    case("root-for-servers", "wrong_usage", [serving.leaf()], roots="serving", detail="the root")
    critical = ext("2.5.29.37", seq(oid(PURPOSES["serverAuth"])), True)
    fort_case("server-certificate-critical", "wrong_usage", [fort.leaf(extensions=[key_usage("digitalSignature"), critical])])
    signing = ext("2.5.29.37", seq(oid("1.3.6.1.5.5.7.3.3"), oid("1.3.6.1.5.5.7.3.9")))
    fort_case("code-and-ocsp-signing", "wrong_usage", [fort.leaf(extensions=[key_usage("digitalSignature"), signing])])
    any_ca, any_der = fort.issue_ca("Any", also=[purposes("any")])
    fort_case("any-purpose-in-intermediate", "ok", [any_ca.leaf(), any_der])
    mail_ca, mail_der = fort.issue_ca("Mail", also=[purposes("emailProtection")])
    fort_case("intermediate-for-mail", "wrong_usage", [mail_ca.leaf(), mail_der], detail="CN=Mail")


def make_dates():
    begin, end = "20260601115959", "20260601120001"
    hour, hour_der = fort.issue_ca("Hour", begin=begin, end=end)
    write("chains/hour.pem", pem(hour.leaf(), hour_der))
    brief = Issuer("Brief Root", p256())
    make_corpus.add_root("brief", brief.root(begin=begin, end=end))
    write("chains/brief.pem", pem(brief.leaf()))
    for at, reason in {"20260601115958": "not_yet_valid", begin: "ok", end: "ok", "20260601120002": "expired"}.items():
        fort_case("intermediate-at-" + at, reason, None, at=at, file="hour")
        case("root-at-" + at, reason, None, at=at, roots="brief", file="brief")

    def dated(label, reason, begin, end, at=make_corpus.AT):
        make_corpus.case(label, reason, [raw_dates(begin, end)], roots="fort", at=at)
    utc, general_time = 0x17, 0x18
    dated("generalized-time-before-2050", "ok", (general_time, b"20200101000000Z"), (general_time, b"20400101000000Z"))
    dated("utc-time-1950", "expired", (utc, b"500101000000Z"), (utc, b"500102000000Z"))
    dated("utc-time-2049", "ok", (utc, b"200101000000Z"), (utc, b"491231235959Z"), at="20491231235959")
    dated("past-the-last-utc-time", "expired", (utc, b"200101000000Z"), (utc, b"491231235959Z"), at="20500101000000")
    dated("first-generalized-time", "ok", (utc, b"200101000000Z"), (general_time, b"20500101000000Z"))
    dated("ends-before-it-begins", "not_yet_valid", (utc, b"270101000000Z"), (utc, b"250101000000Z"))
    dated("leap-day", "ok", (utc, b"240229000000Z"), (general_time, b"20960229000000Z"))
    dated("malformed-no-leap-day", "malformed", (utc, b"200101000000Z"), (general_time, b"21000229000000Z"))
    dated("malformed-utc-without-seconds", "malformed", (utc, b"2001010000Z"), (utc, b"400101000000Z"))
    dated("malformed-utc-offset", "malformed", (utc, b"200101000000+0000"), (utc, b"400101000000Z"))
    dated("malformed-utc-in-generalized-form", "malformed", (utc, b"20200101000000Z"), (utc, b"400101000000Z"))
    dated("malformed-midnight-24", "malformed", (utc, b"200101240000Z"), (utc, b"400101000000Z"))


def raw_dates(begin, end):
    outer = algorithm(fort.key, "sha256", None)
    tbs = seq(tlv(0xA0, integer(2)), integer(4711), outer, fort.subject, seq(tlv(*begin), tlv(*end)), make_corpus.cn("dated"),
              spki(p256()), tlv(0xA3, seq(*leaf_extensions())))
    return seq(tbs, outer, bits(sign(fort.key, "sha256", None, tbs)))


def make_sizes():
    def sized(label, total, reason, detail=""):
        plain = len(fort.leaf(extensions=leaf_extensions(padding_of(8000)))) - 8000
        room = total - len(gate_der) - plain
        for size in range(room - 40, room + 40):
            chain = [gate.leaf(extensions=leaf_extensions(padding_of(size))), gate_der]
            if sum(map(len, chain)) == total:
                fort_case(label, reason, chain, detail=detail)
                return
            while abs(sum(map(len, chain)) - total) <= 2:  # the size of an ECDSA signature varies
                chain[0] = gate.leaf(extensions=leaf_extensions(padding_of(size)))
                if sum(map(len, chain)) == total:
                    fort_case(label, reason, chain, detail=detail)
                    return
        sys.exit(f"no chain of {total} bytes")
    sized("chain-of-16-kib", CHAIN_SIZE_MAX, "ok")
    sized("chain-of-16-kib-and-1", CHAIN_SIZE_MAX + 1, "too_large", "limit")
    sized("chain-of-17-kib", 17 * 1024, "too_large", "limit")
    many = san(*[("dns", f"n{i}.example.com") for i in range(700)])
    fort_case("seven-hundred-names", "ok", [fort.leaf(extensions=leaf_extensions(many))])
    deep = b""
    for _ in range(2000):
        deep = tlv(0x30, deep)
    fort_case("extension-of-2000-levels", "ok", [fort.leaf(extensions=leaf_extensions(ext("1.3.6.1.4.1.99999.3", deep)))])
    fort_case("path-length-beyond-31-bits", "malformed", [guest, fort.certify("Gate", gate.key, [basic(True, 1 << 31)])], detail="basicConstraints")
    fort_case("path-length-of-31-bits", "ok", [guest, fort.certify("Gate", gate.key, ca_extensions(gate.key, path_length=(1 << 31) - 1))])


def make_numbers():
    fort_case("serial-of-20-octets-negative", "ok", [fort.leaf(serial=-(1 << 159))])
    fort_case("malformed-serial-of-21-octets-negative", "malformed", [fort.leaf(serial=-(1 << 159) - 1)], detail="serial")
    fort_case("malformed-serial-padded-negative", "malformed", [fort.leaf(serial=tlv(2, b"\xff\x80"))], detail="serial")
    fort_case("version-2-leaf", "ok", [fort.leaf(extensions=[], version=1)])
    fort_case("malformed-version-2-with-extensions", "malformed", [fort.leaf(version=1)], detail="extensions")
    fort_case("malformed-explicit-version-1", "malformed", [fort.leaf(extensions=[], inner=None, version=0, serial=tlv(0xA0, integer(0)) + integer(1))])


def make_der():
    def bad(label, der, detail=""):
        fort_case("malformed-" + label, "malformed", [der], detail=detail)
    indefinite = b"\x30\x80" + oid(ECDSA_OIDS["sha256"]) + b"\0\0"
    bad("indefinite-algorithm", fort.leaf(inner=indefinite), "signature algorithm")
    bad("indefinite-name", fort.leaf(b"\x30\x80" + make_corpus.cn("x")[2:] + b"\0\0"), "subject")
    bad("indefinite-extension", fort.leaf(extensions=[b"\x30\x80" + key_usage("digitalSignature")[2:] + b"\0\0"]), "extensions")
    bad("indefinite-in-extension", fort.leaf(extensions=[ext("2.5.29.37", b"\x30\x80" + oid(PURPOSES["clientAuth"]) + b"\0\0")]), "extendedKeyUsage")
    bad("constructed-key", fort.leaf(key=seq(seq(oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")), tlv(0x23, bits(b"\4" + bytes(64))))), "public key")
    bad("tail-in-key", fort.leaf(key=seq(*[spki(victim_key)[2:]], b"\5\0")), "public key")
    bad("tail-in-purposes", fort.leaf(extensions=[ext("2.5.29.37", seq(oid(PURPOSES["clientAuth"])) + b"\5\0")]), "extendedKeyUsage")
    bad("tail-in-extension", fort.leaf(extensions=[seq(oid("2.5.29.14"), tlv(4, tlv(4, b"x")), b"\5\0")]), "extensions")
    bad("tail-in-identifier", fort.leaf(extensions=[ext("2.5.29.14", tlv(4, b"x") + b"\0")]), "subjectKeyIdentifier")
    bad("tail-behind-signature", seq(*parts(fort.leaf()), NULL), "signature")
    bad("second-certificate-behind", fort.leaf() + fort.leaf(), "DER")
    bad("ecdsa-with-null", wrong_parameters(NULL), "signature algorithm")
    bad("two-parameters", wrong_parameters(NULL + NULL))
    for kind in ("email", "uri"):
        bad("san-nul-" + kind, fort.leaf(extensions=leaf_extensions(san((kind, "a@b\0.example.com")))), "subjectAltName")
    bad("email-nul-in-subject", fort.leaf(name(("emailAddress", "a@example.com\0.evil.example", IA5))), "subject")
    bad("san-directory", fort.leaf(extensions=leaf_extensions(san(("dir", b"\x30\x03\x31\x01\0")))), "subjectAltName")
    bad("san-registered-id", fort.leaf(extensions=leaf_extensions(san(("id", b"\x80")))), "subjectAltName")
    key = rsa_key(2048)
    above, above_der = fort.issue_ca("Bare RSA", key)
    fort_case("rsa-without-null", "ok", [with_algorithm(above, seq(oid("1.2.840.113549.1.1.11"))), above_der])
    fort_case("malformed-rsa-parameters", "malformed", [with_algorithm(above, seq(oid("1.2.840.113549.1.1.11"), tlv(4, b"x"))), above_der],
              detail="signature algorithm")


def wrong_parameters(parameters):
    return with_algorithm(fort, seq(oid(ECDSA_OIDS["sha256"]), parameters))


def with_algorithm(issuer, identifier, data_signature=None):
    """A leaf whose algorithm is spelled `identifier`; `data_signature` makes the signature of the TBS, else it is right."""
    tbs = seq(tlv(0xA0, integer(2)), integer(4712), identifier, issuer.subject, seq(time(make_corpus.BEGIN), time(make_corpus.END)),
              make_corpus.cn("spelled"), spki(p256()), tlv(0xA3, seq(*leaf_extensions(aki(issuer.id)))))
    signature = data_signature(tbs) if data_signature else sign(issuer.key, issuer.digest, issuer.pss, tbs)
    return seq(tbs, identifier, bits(signature))


def make_digests():
    """Signatures over a digest of another size than the algorithm says, by the right key."""
    def prehashed(digest, size_of):
        return fort.key.sign(digest, ec.ECDSA(utils.Prehashed(size_of)))
    sha256 = seq(oid(ECDSA_OIDS["sha256"]))
    for label, make in {
        "truncated-to-16": lambda tbs: prehashed(hashlib.sha256(tbs).digest()[:16], hashes.MD5()),
        "truncated-to-20": lambda tbs: prehashed(hashlib.sha256(tbs).digest()[:20], hashes.SHA1()),
        "sha1": lambda tbs: prehashed(hashlib.sha1(tbs).digest(), hashes.SHA1()),
        "sha512": lambda tbs: prehashed(hashlib.sha512(tbs).digest(), hashes.SHA512()),
        "sha384": lambda tbs: prehashed(hashlib.sha384(tbs).digest(), hashes.SHA384()),
        "zeros": lambda tbs: prehashed(bytes(32), hashes.SHA256()),
        "of-whole-certificate": lambda tbs: prehashed(hashlib.sha256(tbs[4:]).digest(), hashes.SHA256()),
    }.items():
        fort_case("ecdsa-digest-" + label, "bad_signature", [with_algorithm(fort, sha256, make)])
    fort_case("ecdsa-digest-sha512-named", "ok", [with_algorithm(fort, seq(oid(ECDSA_OIDS["sha512"])), lambda tbs: prehashed(
        hashlib.sha512(tbs).digest(), hashes.SHA512()))])
    fort_case("ecdsa-digest-sha1-named", "weak_signature", [with_algorithm(fort, seq(oid(ECDSA_OIDS["sha1"])), lambda tbs: prehashed(
        hashlib.sha1(tbs).digest(), hashes.SHA1()))], detail="ECDSA with SHA-1")
    key = rsa_key(2048)
    above, above_der = fort.issue_ca("Digests", key)
    rsa256 = algorithm(key, "sha256", None)
    fort_case("rsa-digest-sha1", "bad_signature", [with_algorithm(above, rsa256, lambda tbs: sign(key, "sha1", None, tbs)), above_der])
    fort_case("rsa-digest-sha512", "bad_signature", [with_algorithm(above, rsa256, lambda tbs: sign(key, "sha512", None, tbs)), above_der])
    pss256 = algorithm(key, "sha256", 32)
    fort_case("pss-digest-sha1", "bad_signature", [with_algorithm(above, pss256, lambda tbs: sign(key, "sha1", 32, tbs)), above_der])
    fort_case("pss-longer-salt", "bad_signature", [with_algorithm(above, pss256, lambda tbs: sign(key, "sha256", 40, tbs)), above_der])
    fort_case("pss-named-pkcs1-made", "bad_signature", [with_algorithm(above, pss256, lambda tbs: sign(key, "sha256", None, tbs)), above_der])
    mixed = seq(oid("1.2.840.113549.1.1.10"), pss_parameters("sha256", 32, "sha1"))
    fort_case("pss-mask-sha1", "weak_signature", [with_algorithm(above, mixed, lambda tbs: key.sign(
        tbs, padding.PSS(padding.MGF1(hashes.SHA1()), 32), hashes.SHA256())), above_der], detail="RSA-PSS")


def make_constraints():
    def under(label, reason, constraint, *names, subject="device", detail=""):
        above, above_der = fort.issue_ca("Limits", also=[constraint])
        fort_case("names-" + label, reason, [above.leaf(subject, extensions=leaf_extensions(*([san(*names)] if names else []))), above_der],
                  detail=detail)
    uri = constraints([("uri", "good.example.com")])
    for label, value in {"backslash": "https://evil.example\\@good.example.com/", "port": "https://good.example.com:.evil.example/",
                         "ports": "https://good.example.com:1:2/", "userinfo": "https://good.example.com@evil.example/",
                         "fragment": "https://evil.example#@good.example.com/", "query": "https://evil.example?@good.example.com/",
                         "escaped": "https://good.example.com%2eevil.example/", "no-slashes": "https:good.example.com",
                         "ip6": "https://[2001:db8::1]/", "empty-host": "file:///good.example.com"}.items():
        under("uri-" + label, "name_constraint", uri, ("uri", value))
    under("uri-whole", "ok", uri, ("uri", "https://a:b@good.example.com:8443/x@y?z#t"))
    under("uri-excluded-backslash", "name_constraint", constraints((), [("uri", "evil.example")]), ("uri", "https://evil.example\\@a.example/"))
    under("ip-odd-mask", "ok", constraints([("ip", bytes([10, 0, 5, 0, 255, 0, 255, 0]))]), ("ip", bytes([10, 9, 5, 7])))
    under("ip-odd-mask-outside", "name_constraint", constraints([("ip", bytes([10, 0, 5, 0, 255, 0, 255, 0]))]), ("ip", bytes([10, 9, 6, 7])),
          detail="10.0.5.0/255.0.255.0")
    under("ip-mapped", "name_constraint", constraints([("ip", bytes([10, 0, 0, 0, 255, 0, 0, 0]))]), ("ip", bytes(10) + b"\xff\xff\x0a\0\0\1"),
          detail="10.0.0.0/8")
    under("ip-all-excluded", "name_constraint", constraints((), [("ip", bytes(8))]), ("ip", bytes([192, 0, 2, 1])), detail="0.0.0.0/0")
    under("second-name-outside", "name_constraint", constraints([("dns", "example.com"), ("dns", "example.org")]),
          ("dns", "a.example.com"), ("dns", "a.example.org"), ("dns", "a.example.net"), detail="a.example.net")
    under("excluded-within-permitted", "name_constraint", constraints([("dns", "example.com")], [("dns", "b.example.com")]), ("dns", "a.b.example.com"))
    under("directory-name-in-san", "name_constraint", constraints([("dir", name(("C", "DE")))]), ("dir", name(("C", "FR"))),
          subject=name(("C", "DE"), ("CN", "x")))
    under("email-without-at", "name_constraint", constraints([("email", "example.com")]), ("email", "example.com"))
    under("email-two-ats", "name_constraint", constraints([("email", "example.com")]), ("email", "a@example.com@evil.example"))
    fort_case("names-critical-in-leaf", "ok", [fort.leaf(extensions=leaf_extensions(constraints([("dns", "example.com")]), san(("dns", "a.org"))))])


def make_texts():
    """Names that people read: cut at a character, and nothing in them acts upon a terminal."""
    wild = name(("CN", "\u009b31m\u202eevil\u2028" + "\U0001F355" * 20))
    fort_case("subject-acts-upon-terminals", "unknown_issuer", [Issuer(wild, p256()).root()])
    long_name = name(("CN", "x" * 200), ("OU", "y" * 200))
    above, above_der = fort.issue_ca(long_name, also=[constraints([("dns", "z" * 200), ("dns", "a"), ("dns", "b")])])
    fort_case("names-of-great-length", "name_constraint", [above.leaf(long_name, extensions=leaf_extensions(san(("dns", "w" * 200)))), above_der])
    fort_case("weak-key-of-2048-bits", "weak_key", [fort.leaf(key=fake_rsa_spki(2048, 4))])
    curve = seq(integer(1), seq(oid("1.2.840.10045.1.1"), integer(7)))
    fort_case("curve-spelled-out", "weak_key", [fort.leaf(key=seq(seq(oid("1.2.840.10045.2.1"), curve), bits(b"\4" + bytes(64))))], detail="no name")


def main():
    for make in (make_root, make_copies, make_search, make_ca_clients, make_dates, make_sizes, make_numbers, make_der, make_digests,
                 make_constraints, make_texts):
        make()
    lines = ["name,roots,chain,at,depth,reason,detail"] + [",".join(str(part) for part in one) for one in make_corpus.cases]
    write("hostile.csv", "\n".join(lines) + "\n")
    print(f"{len(make_corpus.cases)} chains")


if __name__ == "__main__":
    main()
