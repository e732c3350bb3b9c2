"""CertificateVerify: which schemes are for which keys, and that nothing but a true signature of the right form counts."""

import pytest

import make_der
from conftest import NO_SUSPECTS
import proofs
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from pki import rsa_key
from proofs import present
from tls_client import Client12
from tls_wire import CERTIFICATE_REQUEST, message

VERSIONS = ["1.2", "1.3"]
FORWARD = {"headers": {"X-Reason": "reason"}}
OFFERED = [0x0603, 0x0503, 0x0403, 0x0807, 0x0806, 0x080B, 0x0805, 0x080A, 0x0804, 0x0809, 0x0601, 0x0501, 0x0401]
UNKNOWN = [0x0301, 0x0303, 0x0201, 0x0203, 0x0808, 0x0101, 0x0904, 0x081A, 0xFFFF]

KEYS = {
    "p256": (lambda: ec.generate_private_key(ec.SECP256R1()), None),
    "p384": (lambda: ec.generate_private_key(ec.SECP384R1()), None),
    "p521": (lambda: ec.generate_private_key(ec.SECP521R1()), None),
    "ed25519": (ed25519.Ed25519PrivateKey.generate, None),
    "rsa": (lambda: rsa_key(2048), None),
    "pss": (lambda: rsa_key(2048), b""),
    "pss-sha256": (lambda: rsa_key(2048), make_der.pss_parameters("sha256", 32)),
    "pss-sha384-salt-20": (lambda: rsa_key(2048), make_der.pss_parameters("sha384", 20)),
    "pss-sha256-salt-33": (lambda: rsa_key(2048), make_der.pss_parameters("sha256", 33)),
}
# The schemes that each key may sign with, in TLS 1.2 and in TLS 1.3.
ECDSA_ALL = {0x0403, 0x0503, 0x0603}
FITTING = {
    "p256": (ECDSA_ALL, {0x0403}), "p384": (ECDSA_ALL, {0x0503}), "p521": (ECDSA_ALL, {0x0603}),
    "ed25519": ({0x0807}, {0x0807}),
    "rsa": ({0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806}, {0x0804, 0x0805, 0x0806}),
    "pss": ({0x0809, 0x080A, 0x080B},) * 2, "pss-sha256": ({0x0809},) * 2, "pss-sha384-salt-20": ({0x080A},) * 2,
    "pss-sha256-salt-33": (set(),) * 2,
}


@pytest.fixture(scope="module")
def clients(corpus_root):
    """NAME: (key, certificates) for each of KEYS."""
    made = {}
    for name, (make, parameters) in KEYS.items():
        key = make()
        public = make_der.spki(key) if parameters is None else make_der.pss_spki(key, parameters)
        made[name] = (key, [corpus_root.leaf(name, public)])
    return made


@pytest.fixture
def server(serve, host, corpus_root_file):
    return serve([host("r.test", "report", ca=[corpus_root_file], forward=FORWARD)], admission=NO_SUSPECTS)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", KEYS)
def test_every_scheme_with_every_key(server, clients, version, name):
    key, ders = clients[name]
    fitting = FITTING[name][version == "1.3"]
    for scheme in OFFERED + UNKNOWN:
        # In the right form for the key, so that it is the scheme that is refused and not the signature.
        outcome = present(version, server, "r.test", ders, key, scheme)
        if scheme in fitting:
            assert outcome.verdict == "valid ok", hex(scheme)
        else:
            assert outcome.alert == "illegal_parameter", (hex(scheme), outcome.verdict)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name, scheme, size", [("rsa", 0x0804, 32), ("rsa", 0x0806, 64), ("pss", 0x0809, 32), ("pss", 0x080A, 48)])
def test_the_salt_is_as_long_as_the_digest(server, clients, version, name, scheme, size):
    key, ders = clients[name]
    for salt in (0, 1, 20, size - 1, size + 1, 100):
        outcome = present(version, server, "r.test", ders, key, scheme, salt=salt)
        assert outcome.alert == "decrypt_error", (salt, outcome.verdict)
    assert present(version, server, "r.test", ders, key, scheme, salt=size).verdict == "valid ok"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_signature_of_another_form_or_none(server, clients, version):
    def outcome(name, scheme, **how):
        key, ders = clients[name]
        return present(version, server, "r.test", ders, key, scheme, **how)

    assert outcome("rsa", 0x0804, sign_as=0x0401).alert == "decrypt_error"
    assert outcome("rsa", 0x0804, sign_as=0x0805).alert == "decrypt_error"
    assert outcome("p256", 0x0403, sign_as=0x0503).alert == "decrypt_error"
    for name, scheme in [("p256", 0x0403), ("ed25519", 0x0807), ("rsa", 0x0804), ("pss", 0x0809)]:
        for signature in (b"", b"\0", bytes(64), bytes(256), b"\x30\x06\2\1\1\2\1\1", b"\x30\0"):
            assert outcome(name, scheme, signature=signature).alert == "decrypt_error", (name, signature)


@pytest.mark.parametrize("version", VERSIONS)
def test_somebody_elses_key(server, clients, version):
    for name, other in [("p256", KEYS["p256"][0]()), ("ed25519", KEYS["ed25519"][0]()), ("rsa", rsa.generate_private_key(65537, 2048))]:
        ders = clients[name][1]
        outcome = present(version, server, "r.test", ders, other, proofs.scheme_for(other))
        assert outcome.alert == "decrypt_error", name


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("body", [b"", b"\4", b"\4\3", b"\4\3\0", b"\4\3\0\1", b"\4\3\0\0\0", b"\4\3\xff\xff" + bytes(100)])
def test_malformed_messages(server, clients, version, body):
    key, ders = clients["p256"]
    outcome = present(version, server, "r.test", ders, key, 0x0403, message=message(15, body))
    assert outcome.alert == "decode_error"


@pytest.mark.parametrize("version", VERSIONS)
def test_an_rsa_key_that_is_too_short_must_prove_itself_all_the_same(server, corpus_root, version):
    key = rsa.generate_private_key(65537, 1024)
    ders = [corpus_root.leaf("short", key)]
    assert present(version, server, "r.test", ders, key, 0x0804).verdict == "invalid weak_key"
    other = rsa.generate_private_key(65537, 1024)
    assert present(version, server, "r.test", ders, other, 0x0804).alert == "decrypt_error"


def test_what_is_offered_is_what_is_taken(server):
    """TLS 1.2 here; the two versions' lists are one."""
    with Client12(server, "r.test") as client:
        client.open()
        body = next(body for kind, body in client.server_messages if kind == CERTIFICATE_REQUEST)
    types = body[0]
    size = int.from_bytes(body[1 + types:3 + types], "big")
    assert [int.from_bytes(body[at:at + 2], "big") for at in range(3 + types, 3 + types + size, 2)] == OFFERED
