#!/usr/bin/env python3
"""Makes tests/path/corpus/revocation: chains and CRLs, each pair with the verdict that it must get, and files that must not load.

Run it only to add a case: the keys are drawn anew, so every file changes. Needs python3-cryptography.

  roots/NAME.pem    trust anchors
  chains/NAME.pem   what a client presents, the leaf first
  crls/NAME.pem     or .der: a CRL file
  cases.csv         name,roots,crls,chain,at,scope,stale,reason,detail: `roots` and `crls` separated by spaces, `at` in seconds
                    since the epoch, `scope` chain or leaf, `stale` reject or accept, `detail` a part of the text for people
  files.csv         name,roots,error: a file that does not load or, with `roots`, does not pass the check against them, and a
                    part of the message; with no message it loads
"""
import os

import make_corpus
from make_corpus import Issuer, ca_extensions, leaf_extensions, p256, rsa_key, write
from make_der import *

HERE = "revocation/"
AT = "20260601120000"
THIS, NEXT = "20260501000000", "20260701000000"
cases, files = [], []


def entry(serial, *extensions, date="20260415103000", tail=b""):
    serial = serial if isinstance(serial, bytes) else integer(serial)
    return seq(serial, time(date), seq(*extensions) if extensions else b"", tail)


def reason(number):
    return ext("2.5.29.21", tlv(0x0A, bytes([number])))


def idp(*parts, critical=True):
    return ext("2.5.29.28", seq(*parts), critical)


def full_name(*names):
    return tlv(0xA0, tlv(0xA0, *[general(*one) for one in names]))


ONLY_USER, ONLY_CA, INDIRECT, ONLY_ATTRIBUTES = (tlv(tag, b"\xff") for tag in (0x81, 0x82, 0x84, 0x85))


def crl(signer, *entries, this=THIS, until=NEXT, extensions=(), version=1, issuer=None, inner=None, tail=b"", numbered=True,
        break_signature=None, entries_der=None, plain=False):
    """A CRL in the signer's name. `plain`: version 1, without extensions. Everything else has a good default."""
    outer = algorithm(signer.key, signer.digest, signer.pss)
    listed = seq(*entries) if entries else b""
    if entries_der is not None:
        listed = entries_der
    added = ([aki(signer.id), ext("2.5.29.20", integer(7))] if numbered else []) + list(extensions)
    tbs = seq(
        b"" if plain else version if isinstance(version, bytes) else integer(version), inner or outer, issuer or signer.subject,
        time(this), time(until) if until else b"", listed,
        tlv(0xA0, seq(*added)) if added and not plain else b"", tail)
    signature = sign(signer.key, signer.digest, signer.pss, tbs)
    return seq(tbs, outer, bits(break_signature(signature) if break_signature else signature))


def armour(label, der):
    text = make_corpus.pem(der)
    return text.replace("CERTIFICATE", label)


def add_file(label, *crls, delegates=(), der=False):
    path = f"{HERE}crls/{label}.{'der' if der else 'pem'}"
    if der:
        with open(os.path.join(make_corpus.OUT, path), "wb") as file:
            file.write(crls[0])
    else:
        write(path, "".join([make_corpus.pem(one) for one in delegates] + [armour("X509 CRL", one) for one in crls]))


def add_root(label, der):
    write(f"{HERE}roots/{label}.pem", make_corpus.pem(der))


def case(label, expected, chain, *crls, roots="root", at=AT, scope="chain", stale="reject", detail="", delegates=()):
    """`crls`: names of files, or CRLs, which get a file of the case's name."""
    names = [one for one in crls if isinstance(one, str)]
    own = [one for one in crls if not isinstance(one, str)]
    if own:
        add_file(label, *own, delegates=delegates)
        names.append(label + ".pem")
    write(f"{HERE}chains/{label}.pem", make_corpus.pem(*chain))
    cases.append((label, roots, " ".join(names) or "-", label, int(stamp(at).timestamp()), scope, stale, expected, detail))


def bad(label, der, error, roots="", delegates=(), as_der=False):
    add_file("bad-" + label, der, delegates=delegates, der=as_der)
    files.append((f"bad-{label}.{'der' if as_der else 'pem'}", roots, error))


def flip(signature):
    return signature[:-1] + bytes([signature[-1] ^ 1])


root = Issuer("Root", p256())
middle, middle_der = root.issue_ca("Middle", serial=0x100)
leaf = middle.leaf(serial=0x1234)
middle_crl = crl(middle, entry(0x77), entry(0x78, reason(1)))


def make_basics():
    add_root("root", root.root())
    os.makedirs(os.path.join(make_corpus.OUT, HERE, "crls"), exist_ok=True)
    root_crl = crl(root, entry(0x99))
    add_file("root", root_crl)
    add_file("middle", middle_crl)
    add_file("middle-der", middle_crl, der=True)
    add_file("both", root_crl, middle_crl)
    chain = [leaf, middle_der]
    case("unlisted", "ok", chain, "root.pem", "middle.pem")
    case("unlisted-der", "ok", chain, "root.pem", "middle-der.der")
    case("unlisted-one-file", "ok", chain, "both.pem")
    case("twice", "ok", chain, "both.pem", "middle.pem", "middle-der.der")
    case("root-only", "crl_missing", chain, "root.pem", detail='CN=leaf,O=Corpus": none was given')
    case("middle-only", "crl_missing", chain, "middle.pem", detail='a CRL of "CN=Root,O=Corpus" is missing for "CN=Middle')
    case("leaf-scope", "ok", chain, "middle.pem", scope="leaf")
    case("leaf-scope-root-only", "crl_missing", chain, "root.pem", scope="leaf", detail='a CRL of "CN=Middle')
    case("leaf-under-root", "ok", [root.leaf(serial=5)], "root.pem")
    case("leaf-under-root-revoked", "revoked", [root.leaf(serial=0x99)], "root.pem", detail="was revoked at 2026-04-15T10:30:00Z by \"CN=Root")
    low, low_der = middle.issue_ca("Low", serial=0x200)
    case("three", "ok", [low.leaf(), low_der, middle_der], "both.pem", crl(low))
    case("three-missing-in-the-middle", "crl_missing", [low.leaf(), low_der, middle_der], "root.pem", crl(low), detail="CN=Middle")
    pinned = Issuer("Pinned", p256())
    pinned_der = pinned.root([basic(True), key_usage("digitalSignature", "keyCertSign", "cRLSign"), ski(pinned.id)], serial=3)
    add_root("pinned", pinned_der)
    case("leaf-is-the-root", "ok", [pinned_der], crl(pinned), roots="pinned")
    case("leaf-is-the-root-revoked", "revoked", [pinned_der], crl(pinned, entry(3)), roots="pinned")


def make_revoked():
    chain = [leaf, middle_der]
    case("leaf-revoked", "revoked", chain, "root.pem", crl(middle, entry(1), entry(0x1234, reason(1))), detail='by "CN=Middle,O=Corpus": key compromise')
    case("intermediate-revoked", "revoked", chain, "middle.pem", crl(root, entry(0x100, reason(2))), detail='"CN=Middle,O=Corpus" was revoked')
    case("both-revoked", "revoked", chain, crl(middle, entry(0x1234)), crl(root, entry(0x100)), detail='"CN=Middle,O=Corpus" was revoked')
    case("intermediate-revoked-leaf-scope", "ok", chain, "middle.pem", crl(root, entry(0x100)), scope="leaf")
    case("leaf-revoked-leaf-scope", "revoked", chain, crl(middle, entry(0x1234)), scope="leaf")
    case("entry-twice", "revoked", chain, "root.pem", crl(middle, entry(0x1234, reason(6)), entry(0x1234, reason(1))), detail="on hold")
    case("serial-of-another-issuer", "ok", chain, "middle.pem", crl(root, entry(0x1234)))
    case("version-1", "revoked", chain, "root.pem", crl(middle, entry(0x1234), plain=True))
    case("empty-list", "ok", chain, "root.pem", crl(middle, entries_der=seq()))
    case("other-entry-extensions", "revoked", chain, "root.pem", crl(middle, entry(0x1234, ext("2.5.29.24", tlv(0x18, b"20260101000000Z")), ext("1.2.3", b"x"))))
    case("old-date", "revoked", chain, "root.pem", crl(middle, entry(0x1234, date="19991231235959")), detail="1999-12-31T23:59:59Z")
    case("far-date", "revoked", chain, "root.pem", crl(middle, entry(0x1234, date="99991231235959")), detail="9999-12-31T23:59:59Z")
    serials = {"20-octets": (1 << 160) - 1, "negative": -129, "zero": 0, "minus-one": -1, "sign-octet": 0xFF7F}
    for label, serial in serials.items():
        one = middle.leaf(serial=serial)
        case("serial-" + label, "revoked", [one, middle_der], "root.pem", crl(middle, entry(3), entry(serial)))
        others = [entry(value) for value in (*serials.values(), 0x7F, 0xFF, 0x100, -0x80) if value != serial]
        case("serial-" + label + "-unlisted", "ok", [one, middle_der], "root.pem", crl(middle, *others))


def make_dates():
    chain = [leaf, middle_der]
    old = dict(this="20260101000000", until="20260201000000")
    add_file("middle-stale", crl(middle, entry(0x77), **old))
    add_file("root-stale", crl(root, **old))
    case("stale", "crl_stale", chain, "root.pem", "middle-stale.pem", detail='the CRL of "CN=Middle,O=Corpus" was to be replaced by 2026-02-01T00:00:00Z')
    case("stale-accepted", "ok", chain, "root.pem", "middle-stale.pem", stale="accept")
    case("stale-above", "crl_stale", chain, "root-stale.pem", "middle.pem", detail='CN=Root')
    case("stale-above-leaf-scope", "ok", chain, "root-stale.pem", "middle.pem", scope="leaf")
    case("stale-revoked", "revoked", chain, "root.pem", crl(middle, entry(0x1234), **old))
    case("stale-revoked-accepted", "revoked", chain, "root.pem", crl(middle, entry(0x1234), **old), stale="accept")
    case("last-second", "ok", chain, "both.pem", at="20260701000000")
    case("past-the-last-second", "crl_stale", chain, "both.pem", at="20260701000001")
    case("first-second", "ok", chain, "both.pem", at="20260501000000")
    case("before-the-first-second", "crl_missing", chain, "both.pem", at="20260430235959", detail="none is usable yet")
    case("before-the-first-second-stale-accepted", "crl_missing", chain, "both.pem", at="20260430235959", stale="accept")
    case("no-next-update", "ok", chain, crl(middle, until=None), crl(root, until=None), at="20391231235959")
    case("generalized-time", "ok", chain, "root.pem", crl(middle, until="20500101000000"))
    case("newest-lists-it-no-more", "ok", chain, "root.pem", "middle.pem", crl(middle, entry(0x1234), this="20260401000000"))
    case("newest-lists-it", "revoked", chain, "root.pem", "middle.pem", crl(middle, entry(0x1234), this="20260520000000"))
    case("equally-new", "revoked", chain, "root.pem", "middle.pem", crl(middle, entry(0x1234), until="20260601120001"))
    case("newest-is-to-come", "ok", chain, "root.pem", "middle.pem", crl(middle, entry(0x1234), this="20260610000000"))
    case("newest-is-stale", "crl_stale", chain, "root.pem", "middle.pem", crl(middle, this="20260520000000", until="20260521000000"))
    case("newest-is-forged", "ok", chain, "root.pem", "middle.pem", crl(middle, entry(0x1234), this="20260520000000", break_signature=flip))


def make_signatures():
    chain = [leaf, middle_der]
    case("signature-flipped", "crl_missing", chain, "root.pem", crl(middle, break_signature=flip), detail="none is signed by one who may")
    impostor = Issuer("Middle", p256())
    forged = crl(impostor, this="20260520000000")
    case("attacker-of-the-same-name", "crl_missing", chain, "root.pem", forged)
    case("attacker-beside-the-issuer", "revoked", chain, "root.pem", forged, crl(middle, entry(0x1234)))
    case("attacker-presents-itself", "crl_missing", chain + [impostor.root()], "root.pem", forged)
    stranger = Issuer("Root", p256())
    case("attacker-with-a-root", "crl_missing", chain + [stranger.certify("Middle", impostor.key, ca_extensions(impostor.key)), stranger.root()], "root.pem", forged)
    case("attacker-revokes", "ok", chain, "root.pem", "middle.pem", crl(impostor, entry(0x1234), this="20260520000000"))
    case("by-another-ca", "crl_missing", chain, "root.pem", crl(root, issuer=middle.subject))
    for label, key, pss in (("ed25519", ed25519.Ed25519PrivateKey.generate(), None), ("p384", ec.generate_private_key(ec.SECP384R1()), None),
                            ("rsa", rsa_key(2048), None), ("pss", rsa_key(2048), 32)):
        above, above_der = root.issue_ca("Signs with " + label, key, pss=pss, serial=0x300)
        one = [above.leaf(serial=0x42), above_der]
        case(label, "ok", one, "root.pem", crl(above, entry(1)))
        case(label + "-revoked", "revoked", one, "root.pem", crl(above, entry(0x42)))
        case(label + "-flipped", "crl_missing", one, "root.pem", crl(above, break_signature=flip))
    edwards = Issuer("Edwards Root", ed25519.Ed25519PrivateKey.generate())
    add_root("edwards", edwards.root())
    case("ed25519-root", "ok", [edwards.leaf()], crl(edwards, entry(1)), roots="edwards")
    case("ed25519-root-revoked", "revoked", [edwards.leaf(serial=1)], crl(edwards, entry(1)), roots="edwards")


def signer_extensions(key, *usage, ca=False):
    return [*([basic(True)] if ca else []), *([key_usage(*usage)] if usage else []), ski(make_corpus.hashlib.sha1(spki(key)).digest())]


def make_delegates():
    """CRLs by another key of the CA's name."""
    mute_key = p256()
    mute, mute_der = root.issue_ca("Mute", mute_key, extensions=signer_extensions(mute_key, "keyCertSign", ca=True), serial=0x400)
    chain = [mute.leaf(serial=9), mute_der]
    case("no-crl-sign", "crl_missing", chain, "root.pem", crl(mute), detail="none is signed by one who may")
    voice = Issuer("Mute", p256())
    by_root = root.certify(voice.subject, voice.key, signer_extensions(voice.key, "cRLSign"), serial=0x401)
    by_ca = mute.certify(voice.subject, voice.key, signer_extensions(voice.key, "cRLSign"), serial=0x402)
    good, listing = crl(voice), crl(voice, entry(9, reason(4)))
    case("delegate-in-file", "ok", chain, "root.pem", good, delegates=[by_root])
    case("delegate-in-file-revoked", "revoked", chain, "root.pem", listing, delegates=[by_root], detail="superseded")
    case("delegate-by-the-ca-in-file", "ok", chain, "root.pem", good, delegates=[by_ca])
    case("delegate-in-chain", "ok", chain + [by_root], "root.pem", good)
    case("delegate-by-the-ca-in-chain", "ok", chain + [by_ca], "root.pem", good)
    case("delegate-in-chain-revoked", "revoked", chain + [by_root], "root.pem", listing)
    case("delegate-unknown", "crl_missing", chain, "root.pem", good)
    case("delegate-itself-revoked", "crl_missing", chain, crl(root, entry(0x401)), good, delegates=[by_root])
    case("delegate-itself-revoked-in-chain", "crl_missing", chain + [by_root], crl(root, entry(0x401)), good)
    clears = crl(root, entry(0x401), this="20260401000000")
    case("delegate-once-revoked", "crl_missing", chain, "root.pem", clears, good, delegates=[by_root])
    ended = root.certify(voice.subject, voice.key, signer_extensions(voice.key, "cRLSign"), end="20260531000000")
    case("delegate-expired", "crl_missing", chain, "root.pem", good, delegates=[ended])
    case("delegate-expired-in-chain", "crl_missing", chain + [ended], "root.pem", good)
    silent = root.certify(voice.subject, voice.key, signer_extensions(voice.key, "digitalSignature"))
    case("delegate-without-crl-sign", "crl_missing", chain + [silent], "root.pem", good)
    plain = root.certify(voice.subject, voice.key, signer_extensions(voice.key))
    case("delegate-without-key-usage", "crl_missing", chain + [plain], "root.pem", good)
    ca = root.certify(voice.subject, voice.key, signer_extensions(voice.key, ca=True))
    case("delegate-that-is-a-ca", "ok", chain + [ca], "root.pem", good)
    stranger = Issuer("Root", p256())
    fake = stranger.certify(voice.subject, voice.key, signer_extensions(voice.key, "cRLSign"))
    case("delegate-by-a-stranger", "crl_missing", chain, "root.pem", good, delegates=[fake])
    case("delegate-by-a-stranger-in-chain", "crl_missing", chain + [fake], "root.pem", good)
    critical = root.certify(voice.subject, voice.key, signer_extensions(voice.key, "cRLSign") + [ext("1.2.3", b"", True)])
    case("delegate-with-critical-extension", "crl_missing", chain + [critical], "root.pem", good)
    weak = Issuer("Root", root.key, "sha1").certify(voice.subject, voice.key, signer_extensions(voice.key, "cRLSign"))
    case("delegate-signed-weakly", "crl_missing", chain + [weak], "root.pem", good)
    named = root.certify("Other", voice.key, signer_extensions(voice.key, "cRLSign"))
    case("delegate-of-another-name", "crl_missing", chain + [named], "root.pem", good)
    twin = Issuer("Middle", voice.key)
    twin_der = root.certify(twin.subject, twin.key, signer_extensions(twin.key, "cRLSign"))
    case("delegate-revokes-beside-the-ca", "revoked", [leaf, middle_der, twin_der], "root.pem", "middle.pem", crl(twin, entry(0x1234)))


def make_rollover():
    """A root gets a new key."""
    new = Issuer("Root", p256())
    add_root("new", new.root())
    cross = root.certify(new.subject, new.key, ca_extensions(new.key))
    add_root("cross", cross)
    add_file("new", crl(new, this="20260520000000"))
    add_file("new-lists-5", crl(new, entry(5), this="20260520000000"))
    old_leaf, new_leaf = root.leaf(serial=5), new.leaf(serial=6)
    case("rollover-both", "ok", [old_leaf], "root.pem", "new.pem", roots="root new")
    case("rollover-both-new", "ok", [new_leaf], "root.pem", "new.pem", roots="root new")
    case("rollover-each-its-own", "revoked", [root.leaf(serial=0x99)], "root.pem", "new.pem", roots="root new")
    case("rollover-new-root-is-another-root", "crl_missing", [old_leaf], "new.pem", roots="root new")
    case("rollover-cross-certified", "ok", [old_leaf], "new.pem", roots="root new cross")
    case("rollover-cross-certified-revoked", "revoked", [old_leaf], "root.pem", "new-lists-5.pem", roots="root new cross")
    case("rollover-cross-presented", "ok", [old_leaf, cross], "new.pem", roots="root new")
    case("rollover-old-with-new", "ok", [old_leaf, new.certify(root.subject, root.key, ca_extensions(root.key), serial=0x500)], "new.pem", roots="new")
    case("rollover-old-with-new-revoked", "revoked", [old_leaf, new.certify(root.subject, root.key, ca_extensions(root.key), serial=0x500)], "new-lists-5.pem", roots="new")
    case("rollover-new-with-old", "ok", [new_leaf, cross], "root.pem", "new.pem", roots="root new")
    renewed = root.certify(middle.subject, middle.key, ca_extensions(middle.key), serial=0x101)
    case("renewed-of-the-same-key", "ok", [leaf, middle_der, renewed], "root.pem", "middle.pem", crl(middle, entry(0x1234), this="20260401000000"))


def make_scopes():
    chain = [leaf, middle_der]
    for label, part in {"users": ONLY_USER, "cas": ONLY_CA}.items():
        add_file("middle-" + label, crl(middle, extensions=[idp(part)]))
        add_file("root-" + label, crl(root, extensions=[idp(part)]))
    case("scope-fits", "ok", chain, "root-cas.pem", "middle-users.pem")
    case("scope-leaf-in-cas", "crl_missing", chain, "root.pem", "middle-cas.pem", detail="none covers it")
    case("scope-ca-in-users", "crl_missing", chain, "root-users.pem", "middle.pem", detail="none covers it")
    case("scope-split", "ok", chain, "root-users.pem", "root-cas.pem", "middle-users.pem", "middle-cas.pem")
    case("scope-split-revoked", "revoked", chain, "root.pem", "middle-cas.pem", crl(middle, entry(0x1234), extensions=[idp(ONLY_USER)]))
    case("scope-split-other-half", "ok", chain, "root.pem", "middle-users.pem", crl(middle, entry(0x1234), extensions=[idp(ONLY_CA)]))
    here, there = ("uri", "http://crl.example.com/1.crl"), ("uri", "http://crl.example.com/2.crl")

    def points(*names, reasons=b"", issuer=b""):
        return leaf_extensions(ext("2.5.29.31", seq(*[seq(full_name(one), reasons, issuer) for one in names])))
    one = middle.leaf(extensions=points(here), serial=0x1234)
    add_file("middle-here", crl(middle, extensions=[idp(full_name(here))]))
    add_file("middle-there", crl(middle, entry(0x1234), extensions=[idp(full_name(there))], this="20260520000000"))
    case("point-fits", "ok", [one, middle_der], "root.pem", "middle-here.pem", "middle-there.pem")
    case("point-does-not-fit", "crl_missing", [one, middle_der], "root.pem", "middle-there.pem", detail="none covers it")
    case("point-of-two", "revoked", [middle.leaf(extensions=points(here, there), serial=0x1234), middle_der], "root.pem", "middle-here.pem", "middle-there.pem")
    case("point-absent", "crl_missing", [leaf, middle_der], "root.pem", "middle-here.pem")
    case("point-is-the-issuer", "ok", [leaf, middle_der], "root.pem", crl(middle, extensions=[idp(full_name(("dir", middle.subject)))]))
    some = middle.leaf(extensions=points(here, reasons=tlv(0x81, b"\x05\x60")))
    case("point-for-some-reasons", "crl_missing", [some, middle_der], "root.pem", "middle-here.pem")
    foreign = middle.leaf(extensions=points(here, issuer=tlv(0xA2, general("dir", root.subject))))
    case("point-of-another-issuer", "crl_missing", [foreign, middle_der], "root.pem", "middle-here.pem")
    case("point-of-another-issuer-whole-crl", "ok", [foreign, middle_der], "root.pem", "middle.pem")
    broken = middle.leaf(extensions=leaf_extensions(ext("2.5.29.31", b"broken")))
    case("point-broken", "crl_missing", [broken, middle_der], "root.pem", "middle-here.pem")
    case("point-broken-whole-crl", "ok", [broken, middle_der], "root.pem", "middle.pem")


def make_order():
    """In one certificate: signature, dates, revocation, usage."""
    listing = crl(middle, entry(0x1234))
    server = leaf_extensions(purpose=("serverAuth",))
    case("order-signature-first", "bad_signature", [middle.leaf(serial=0x1234, break_signature=flip), middle_der], "root.pem", listing)
    case("order-dates-first", "expired", [middle.leaf(serial=0x1234, end="20250101000000"), middle_der], "root.pem", listing)
    case("order-usage-last", "revoked", [middle.leaf(serial=0x1234, extensions=server), middle_der], "root.pem", listing)
    case("order-usage-after-missing", "crl_missing", [middle.leaf(extensions=server), middle_der], "root.pem")
    case("order-usage-of-unrevoked", "wrong_usage", [middle.leaf(extensions=server), middle_der], "both.pem")
    case("order-revoked-above", "revoked", [middle.leaf(break_signature=flip), middle_der], crl(root, entry(0x100)), detail="CN=Middle")
    old = root.certify(middle.subject, middle.key, ca_extensions(middle.key), serial=0x100)
    new = root.certify(middle.subject, middle.key, ca_extensions(middle.key), serial=0x102)
    case("another-path-is-not-revoked", "ok", [leaf, old, new], "middle.pem", crl(root, entry(0x100)))


def make_bad_lists():
    bad("tail", middle_crl + b"\0", "one DER structure")
    bad("tail-der", middle_crl + b"\0", "the DER CRL is not usable", as_der=True)
    bad("cut", middle_crl[:-1], "one DER structure")
    bad("certificate", leaf, "it begins as a certificate does")
    bad("no-signature", seq(seq()), "signature of whole octets")
    bad("unused-bits", seq(seq(), seq(oid("1.2.3")), bits(b"\x80", 1)), "signature of whole octets")
    bad("algorithms-differ", crl(middle, inner=seq(oid(ECDSA_OIDS["sha384"]))), "differ")
    bad("version-3", crl(middle, version=2), "version")
    bad("version-0", crl(middle, version=0), "version")
    bad("version-padded", crl(middle, version=tlv(2, b"\0\1")), "version")
    bad("no-issuer", crl(middle, issuer=name()), "issuer")
    bad("issuer-with-nul", crl(middle, issuer=name(("CN", "a\0b"))), "issuer")
    bad("this-update", crl(middle, this="20260230000000"), "thisUpdate")
    bad("next-update", crl(middle, until="20261301000000"), "nextUpdate")
    bad("next-before-this", crl(middle, until="20260430235959"), "nextUpdate")
    bad("more-fields", crl(middle, tail=tlv(0xA1, NULL)), "more fields")
    bad("version-1-with-extensions", crl(middle, version=b""), "extensions cannot be read")
    bad("extensions-empty", crl(middle, numbered=False, tail=tlv(0xA0, seq())), "extensions cannot be read")
    bad("extension-twice", crl(middle, extensions=[ext("2.5.29.20", integer(8))]), "twice")
    bad("extensions-33", crl(middle, extensions=[ext(f"1.2.3.{i}", b"") for i in range(31)]), "more than 32")
    bad("extension-boolean", crl(middle, extensions=[seq(oid("1.2.3"), tlv(1, b"\1"), tlv(4, b""))]), "extensions cannot be read")
    bad("critical", crl(middle, extensions=[ext("1.2.3", b"", True)]), "critical extension")
    bad("delta", crl(middle, extensions=[ext("2.5.29.27", integer(1), True)]), "delta CRL")
    bad("delta-not-critical", crl(middle, extensions=[ext("2.5.29.27", integer(1))]), "delta CRL")
    bad("number-negative", crl(middle, numbered=False, extensions=[ext("2.5.29.20", integer(-1))]), "cRLNumber")
    bad("number-tail", crl(middle, numbered=False, extensions=[ext("2.5.29.20", integer(1) + b"\0")]), "cRLNumber")
    bad("authority", crl(middle, numbered=False, extensions=[ext("2.5.29.35", seq(tlv(0x80, b"")))]), "authorityKeyIdentifier")
    weak = Issuer("Middle", middle.key, "sha1")
    bad("sha1", crl(weak), "not accepted: 1.2.840.10045.4.1")
    bad("parameters", crl(middle, inner=seq(oid(ECDSA_OIDS["sha256"]), NULL)), "differ")
    points = {
        "idp-empty": (idp(), "cannot be read"), "idp-both": (idp(ONLY_USER, ONLY_CA), "cannot be read"),
        "idp-indirect": (idp(INDIRECT), "indirect"), "idp-attributes": (idp(ONLY_ATTRIBUTES), "attribute certificates"),
        "idp-some-reasons": (idp(tlv(0x83, b"\x01\x60")), "some reasons"), "idp-order": (idp(ONLY_CA, ONLY_USER), "cannot be read"),
        "idp-boolean": (idp(tlv(0x81, b"\1")), "cannot be read"), "idp-name-empty": (idp(tlv(0xA0, tlv(0xA0))), "cannot be read"),
        "idp-name-tag": (idp(tlv(0xA0, tlv(0xA2, b"\0"))), "cannot be read"), "idp-name-nul": (idp(full_name(("uri", "a\0b"))), "cannot be read"),
        "idp-names-65": (idp(full_name(*[("uri", "a")] * 65)), "cannot be read"),
        "idp-relative": (idp(tlv(0xA0, tlv(0xA1, b"broken"))), "cannot be read"), "idp-tail": (idp(ONLY_USER, NULL), "cannot be read"),
    }
    for label, (extension, error) in points.items():
        bad(label, crl(middle, extensions=[extension]), error)


def make_bad_entries():
    entries = {
        "serial-21-octets": (entry(1 << 160), "serial"), "serial-padded": (entry(tlv(2, b"\0\1")), "serial"),
        "serial-empty": (entry(tlv(2, b"")), "serial"), "serial-type": (entry(tlv(4, b"\1")), "serial"),
        "date": (entry(1, date="20260101000060"), "date"), "tail": (entry(1, tail=NULL), "extensions cannot be read"),
        "extensions-empty": (entry(1, tail=seq()), "extensions cannot be read"), "extensions-9": (entry(1, *[ext(f"1.2.3.{i}", b"") for i in range(9)]), "extensions cannot be read"),
        "reason-7": (entry(1, reason(7)), "reason"), "reason-11": (entry(1, reason(11)), "reason"),
        "reason-type": (entry(1, ext("2.5.29.21", integer(1))), "reason"), "reason-long": (entry(1, ext("2.5.29.21", tlv(0x0A, b"\0\1"))), "reason"),
        "removed": (entry(1, reason(8)), "delta CRL"), "issuer": (entry(1, ext("2.5.29.29", seq(general("dir", root.subject)), True)), "indirect"),
        "critical": (entry(1, ext("1.2.3", b"", True)), "critical"), "twice": (entry(1, reason(1), reason(1)), "twice"),
        "no-sequence": (tlv(0x31), "it cannot be read"),
    }
    for label, (broken, error) in entries.items():
        bad("entry-" + label, crl(middle, entry(5), broken), error)
    bad("entry-version-1-with-extensions", crl(middle, entry(1, reason(1)), plain=True), "entry 1: its extensions cannot be read")


def make_bad_files():
    def text(label, content, error):
        write(f"{HERE}crls/bad-{label}.pem", content)
        files.append((f"bad-{label}.pem", "", error))
    text("text", "no CRL\n", "there is no CRL in it")
    text("only-certificates", make_corpus.pem(root.root()), "there is no CRL in it")
    text("label", armour("X509 CRL", middle_crl) + armour("PRIVATE KEY", b"1234"), "block 2 (line ")
    text("base64", armour("X509 CRL", middle_crl).replace("M", "!", 1), "line 2: the line is not base64")
    text("second-block", armour("X509 CRL", middle_crl) + armour("X509 CRL", middle_crl[:-1]), "block 2 (line ")
    voice = p256()
    bad("delegate-without-crl-sign", middle_crl, "block 1 (line 1) is not usable: it may not sign CRLs", delegates=[root.certify("Middle", voice, signer_extensions(voice, "keyCertSign", ca=True))])
    bad("delegate-without-key-usage", middle_crl, "is no CA and has no keyUsage", delegates=[root.certify("Middle", voice, signer_extensions(voice))])
    bad("delegate-malformed", middle_crl, "one DER structure", delegates=[leaf + b"\0"])
    bad("delegate-weak-key", middle_crl, "its key is not accepted", delegates=[root.certify("Middle", fake_rsa_spki(1024), signer_extensions(voice, "cRLSign"))])
    bad("delegate-weak-signature", middle_crl, "not accepted", delegates=[Issuer("Root", root.key, "sha1").certify("Middle", voice, signer_extensions(voice, "cRLSign"))])
    bad("delegate-critical", middle_crl, "critical extension", delegates=[root.certify("Middle", voice, signer_extensions(voice, "cRLSign") + [ext("1.2.3", b"", True)])])
    bad("delegate-nameless", middle_crl, "no subject", delegates=[root.certify(name(), voice, signer_extensions(voice, "cRLSign"))])
    bad("root-forged", crl(Issuer("Root", p256())), "not signed by the root of its issuer CN=Root", roots="root")
    bad("root-flipped", crl(root, break_signature=flip), "block 1 (line 1): not signed", roots="root")
    mute_key = p256()
    mute = Issuer("Mute Root", mute_key)
    add_root("mute", mute.root(signer_extensions(mute_key, "keyCertSign", ca=True)))
    bad("root-without-crl-sign", crl(mute), "not signed by the root", roots="mute")
    bad("root-delegate-by-a-stranger", crl(Issuer("Root", voice)), "not signed by the root", roots="root",
        delegates=[Issuer("Root", p256()).certify("Root", voice, signer_extensions(voice, "cRLSign"))])
    bad("root-delegate", crl(Issuer("Mute Root", voice)), "", roots="mute", delegates=[mute.certify(mute.subject, voice, signer_extensions(voice, "cRLSign"))])
    bad("of-no-root", crl(Issuer("Nobody", p256())), "", roots="root")


def main():
    for make in (make_basics, make_revoked, make_dates, make_signatures, make_delegates, make_rollover, make_scopes, make_order,
                 make_bad_lists, make_bad_entries, make_bad_files):
        make()
    lines = ["name,roots,crls,chain,at,scope,stale,reason,detail"] + [",".join(str(part) for part in one) for one in cases]
    # Names have commas: the detail is the rest of the line.
    write(HERE + "cases.csv", "\n".join(lines) + "\n")
    write(HERE + "files.csv", "\n".join(["name,roots,error"] + [",".join(one) for one in files]) + "\n")
    print(f"{len(cases)} chains, {len(files)} files")


if __name__ == "__main__":
    main()
