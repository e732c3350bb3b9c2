"""Clients' certificates with keys and signatures of ML-DSA (FIPS 204, RFC 9881), made by tools/pki with OpenSSL 3.5."""

import os
import re
import subprocess

import pytest

from conftest import BINARY, ROOT
from openssl35 import OPENSSL, needs_openssl35, openssl
from tls_client import Client12, Client13, Closed
from tls_hello import read_extensions
from tls_wire import CERTIFICATE_REQUEST, certificate_verify

pytestmark = needs_openssl35

SCHEMES = {44: 0x0904, 65: 0x0905, 87: 0x0906}
SIGNATURES = {44: 2420, 65: 3309, 87: 4627}
BLOCK = "-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n"
REQUEST = b"GET / HTTP/1.1\r\nHost: h.test\r\nConnection: close\r\n\r\n"


class Hierarchy:
    """A root, an intermediate and clients, with keys of these kinds."""

    def __init__(self, folder, root, intermediate):
        self.folder = folder
        self.make("root", "--key", root)
        self.make("intermediate", "--key", intermediate)
        self.root, self.crls = folder / "root.pem", [folder / "root.crl", folder / "intermediate.crl"]

    def make(self, command, *arguments):
        environment = {**os.environ, "PATH": f"{OPENSSL.parent}:{os.environ['PATH']}"}
        result = subprocess.run([str(ROOT / "tools" / "pki"), command, "--dir", str(self.folder), *map(str, arguments)],
                                env=environment, capture_output=True, text=True, timeout=60)
        assert result.returncode == 0, result.stderr

    def client(self, name, kind):
        self.make("client", name, "--key", kind, "--san", "dns:oven.example")
        return self.folder / "clients" / f"{name}.pem", self.folder / "clients" / f"{name}.key"

    def verify(self, chain, *more):
        result = subprocess.run([str(BINARY), "verify", "--ca", str(self.root), *(f"--crl={crl}" for crl in self.crls), str(chain), *more],
                                capture_output=True, text=True, timeout=20)
        return dict(line.split(": ", 1) for line in result.stdout.splitlines() if ": " in line)


@pytest.fixture(scope="module", params=[44, 65, 87])
def level(request):
    return request.param


@pytest.fixture(scope="module")
def hierarchy(level, tmp_path_factory):
    kind = f"ml-dsa-{level}"
    made = Hierarchy(tmp_path_factory.mktemp("pki"), kind, kind)
    made.good = made.client("oven-1", kind)
    made.revoked = made.client("oven-2", kind)
    made.make("revoke", "oven-2")
    return made


@pytest.fixture
def start(serve, host):
    def start(hierarchy, mode="enforce", crl=True, **top):
        lists = {"crl": [str(path) for path in hierarchy.crls]} if crl else {}
        forward = {"headers": {"X-Reason": "reason", "X-Subject": "subject.cn", "X-San": "san.dns", "X-Print": "spki.sha256"}}
        return serve([{**host("h.test", mode, ca=[str(hierarchy.root)], forward=forward, **lists), "default": True}], shards=1, **top)

    return start


def ask(server, pair, *more):
    """The answer that OpenSSL's client gets with a certificate and its chain."""
    chain, key = pair
    rest = chain.with_suffix(".rest")
    rest.write_text("".join(re.findall(BLOCK, chain.read_text(), re.S)[1:]))
    return openssl("s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", "h.test", "-cert", chain, "-cert_chain", rest,
                   "-key", key, "-ign_eof", *more, stdin=REQUEST, check=False)


def header(answer, name):
    found = re.search(rf"^{name}: (.*?)\r?$", answer, re.M | re.I)
    return found and found[1]


def test_a_good_one(start, hierarchy, level):
    server = start(hierarchy)
    for _ in range(2):  # judged, then known
        answer = ask(server, hierarchy.good)
        assert "HTTP/1.1 200" in answer, answer
        assert header(answer, "X-Client-Cert-Status") == "valid" and header(answer, "X-Reason") == "ok"
        assert header(answer, "X-Subject") == "oven-1" and header(answer, "X-San") == "oven.example"
    assert server.metric("sallyport_client_certs_total", status="valid", reason="ok") == 2
    fields = hierarchy.verify(hierarchy.good[0])
    assert fields["status"] == "valid" and fields["spki.sha256"] == header(answer, "X-Print")


def test_a_revoked_one(start, hierarchy):
    answer = ask(start(hierarchy, "report"), hierarchy.revoked)
    assert header(answer, "X-Client-Cert-Status") == "invalid" and header(answer, "X-Reason") == "revoked"
    assert "HTTP/1.1 403" in ask(start(hierarchy), hierarchy.revoked)
    assert hierarchy.verify(hierarchy.revoked[0])["reason"] == "revoked"


def test_a_session_resumes(start, hierarchy, tmp_path):
    server, session = start(hierarchy), tmp_path / "session.pem"
    assert "HTTP/1.1 200" in ask(server, hierarchy.good, "-sess_out", session)
    answer = ask(server, hierarchy.good, "-sess_in", session)
    assert "Reused, TLSv1.3" in answer and header(answer, "X-Client-Cert-Status") == "valid"


def test_a_signature_that_was_changed(hierarchy, tmp_path):
    der = tmp_path / "leaf.der"
    openssl("x509", "-in", hierarchy.good[0], "-outform", "DER", "-out", der)
    spoilt = bytearray(der.read_bytes())
    spoilt[-100] ^= 1
    intermediate = (hierarchy.folder / "intermediate.pem").read_text()
    (tmp_path / "spoilt.der").write_bytes(spoilt)
    openssl("x509", "-in", tmp_path / "spoilt.der", "-inform", "DER", "-out", tmp_path / "spoilt.pem")
    (tmp_path / "spoilt.pem").write_text((tmp_path / "spoilt.pem").read_text() + intermediate)
    assert hierarchy.verify(tmp_path / "spoilt.pem")["reason"] == "bad_signature"


def test_a_list_that_was_changed(hierarchy, tmp_path):
    crl = tmp_path / "changed.crl"
    openssl("crl", "-in", hierarchy.crls[1], "-outform", "DER", "-out", crl)
    changed = bytearray(crl.read_bytes())
    changed[-100] ^= 1
    crl.write_bytes(changed)
    result = subprocess.run([str(BINARY), "verify", "--ca", str(hierarchy.root), "--crl", str(hierarchy.crls[0]), "--crl", str(crl),
                             str(hierarchy.good[0])], capture_output=True, text=True, timeout=20)
    assert result.returncode == 1 and "reason: crl_missing" in result.stdout


# Proofs of possession, made by hand.

def ders_of(pair, tmp_path):
    text = pair[0].read_text()
    blocks = re.findall(BLOCK, text, re.S)
    ders = []
    for index, block in enumerate(blocks):
        (tmp_path / f"{index}.pem").write_text(block)
        openssl("x509", "-in", tmp_path / f"{index}.pem", "-outform", "DER", "-out", tmp_path / f"{index}.der")
        ders.append((tmp_path / f"{index}.der").read_bytes())
    return ders


def sign(pair, content, tmp_path, *more):
    (tmp_path / "content").write_bytes(content)
    openssl("pkeyutl", "-sign", "-inkey", pair[1], "-rawin", "-in", tmp_path / "content", "-out", tmp_path / "signature", *more)
    return (tmp_path / "signature").read_bytes()


def prove(server, ders, make_proof):
    """The answer of the server to this chain and this proof, or its alert."""
    with Client13(server) as client:
        client.open()
        client.send_messages(client.certificate(ders))
        client.send_messages(make_proof(client))
        client.complete()
        try:
            return client.answer()
        except Closed as closed:
            return closed.alert
        except AssertionError:
            return client.alert


def test_what_proves_possession(start, hierarchy, level, tmp_path):
    server = start(hierarchy)
    ders = ders_of(hierarchy.good, tmp_path)
    scheme, size = SCHEMES[level], SIGNATURES[level]

    def signed(pair=hierarchy.good, scheme=scheme, change=lambda signature: signature, options=()):
        return lambda client: certificate_verify(scheme, change(sign(pair, client.signed_content(), tmp_path, *options)))

    assert prove(server, ders, signed()).startswith("HTTP/1.1 200")
    assert prove(server, ders, signed(hierarchy.revoked)) == "decrypt_error"
    assert prove(server, ders, signed(options=("-pkeyopt", "context-string:x"))) == "decrypt_error"
    for change in (lambda signature: signature[:-1], lambda signature: signature + b"\0", lambda signature: b"",
                   lambda signature: bytes(size), lambda signature: signature[:-1] + bytes([signature[-1] ^ 1])):
        assert prove(server, ders, signed(change=change)) == "decrypt_error"
    for other in {*SCHEMES.values(), 0x0403, 0x0807, 0x0804, 0x0903} - {scheme}:
        assert prove(server, ders, signed(scheme=other)) == "illegal_parameter", hex(other)


def schemes_of(client):
    """The schemes that the server's CertificateRequest offers."""
    body = next(body for kind, body in client.server_messages if kind == CERTIFICATE_REQUEST)
    if isinstance(client, Client13):
        lists = read_extensions(body[1 + body[0]:])[13]
    else:
        lists = body[1 + body[0]:]
    size = int.from_bytes(lists[:2], "big")
    return [int.from_bytes(lists[at:at + 2], "big") for at in range(2, 2 + size, 2)]


def test_only_tls13_asks_for_them(start, hierarchy):
    server = start(hierarchy)
    with Client13(server) as client:
        client.open()
        assert schemes_of(client)[:3] == [0x0906, 0x0905, 0x0904]
    with Client12(server) as client:
        client.open()
        schemes = schemes_of(client)
        assert schemes[0] == 0x0603 and not set(schemes) & set(SCHEMES.values()) and len(schemes) == 13


def test_none_proves_possession_in_tls12(start, hierarchy, level, tmp_path):
    server = start(hierarchy)
    with Client12(server) as client:
        client.open()
        client.send_messages(client.certificate(ders_of(hierarchy.good, tmp_path)), client.key_exchange())
        client.make_master()
        client.send_messages(certificate_verify(SCHEMES[level], sign(hierarchy.good, client.signed_content(), tmp_path)))
        assert "illegal_parameter" in client.alerts()


@pytest.mark.parametrize("root, intermediate, leaf", [
    ("ml-dsa-87", "ml-dsa-65", "ml-dsa-44"), ("ml-dsa-87", "ml-dsa-65", "ecdsa-p256"), ("ecdsa-p384", "ml-dsa-44", "ed25519"),
    ("rsa-3072", "ecdsa-p256", "ml-dsa-65")])
def test_mixed_chains(start, tmp_path, root, intermediate, leaf):
    made = Hierarchy(tmp_path / "pki", root, intermediate)
    pair = made.client("oven-1", leaf)
    answer = ask(start(made), pair)
    assert "HTTP/1.1 200" in answer and header(answer, "X-Client-Cert-Status") == "valid", answer


def test_a_chain_with_its_root_needs_room(start, tmp_path):
    made = Hierarchy(tmp_path / "pki", "ml-dsa-87", "ml-dsa-87")
    chain, key = made.client("oven-1", "ml-dsa-87")
    whole = tmp_path / "whole.pem"
    whole.write_text(chain.read_text() + made.root.read_text())
    assert header(ask(start(made, "report"), (whole, key)), "X-Reason") == "too_large"
    answer = ask(start(made, limits={"certificate_chain_size": "32KiB"}), (whole, key))
    assert "HTTP/1.1 200" in answer and header(answer, "X-Reason") == "ok"


def test_a_server_has_no_such_key(host, tmp_path):
    openssl("req", "-x509", "-newkey", "ML-DSA-65", "-noenc", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem", "-subj", "/CN=h.test")
    entry = {**host("h.test"), "certificate": str(tmp_path / "cert.pem"), "key": str(tmp_path / "key.pem")}
    import yaml
    path = tmp_path / "sallyport.yaml"
    path.write_text(yaml.dump({"listen": [{"address": "127.0.0.1:8443"}], "hosts": [entry]}))
    result = subprocess.run([str(BINARY), "check", "-c", str(path)], capture_output=True, text=True, timeout=20)
    assert result.returncode == 1 and "the leaf's key type is not supported" in result.stdout + result.stderr


def test_a_request_with_such_a_key(hierarchy, level, tmp_path):
    request, key = tmp_path / "oven.csr", tmp_path / "oven.key"
    openssl("req", "-new", "-newkey", f"ML-DSA-{level}", "-noenc", "-keyout", key, "-out", request, "-subj", "/")
    hierarchy.make("client", f"requested-{level}", "--csr", request)
    assert hierarchy.verify(hierarchy.folder / "clients" / f"requested-{level}.pem")["status"] == "valid"


def test_the_tool_says_what_it_cannot_do(tmp_path):
    environment = {**os.environ, "PATH": f"{OPENSSL.parent}:{os.environ['PATH']}"}

    def run(command, path):
        result = subprocess.run([str(ROOT / "tools" / "pki"), *command, "--dir", str(tmp_path / "pki"), "--key", "ml-dsa-65"],
                                env=path, capture_output=True, text=True, timeout=60)
        return result.returncode, result.stderr

    code, error = run(["server", "h.test"], environment)
    assert code == 2 and "Sallyport serves with no such key" in error
    if "ML-DSA-65" not in subprocess.run(["openssl", "list", "-signature-algorithms"], capture_output=True, text=True).stdout:
        code, error = run(["root"], os.environ)
        assert code == 1 and "OpenSSL 3.5 or newer is needed in PATH" in error
    assert not (tmp_path / "pki").exists()
