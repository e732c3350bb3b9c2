"""
Handshakes that come together, with every kind of key: whether they are computed together or each alone, each ends as it
should, and one with a wrong signature concerns no other.
"""

import contextlib
import functools
import os
import signal
import socket
import ssl

import pytest

import make_der
import proofs
from conftest import NO_SUSPECTS
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from pki import rsa_key
from tls_client import CLIENTS, Closed
from tls_wire import APPLICATION

TOGETHER = 9  # one more than are computed at once
WRONG = 4  # the client whose signature is wrong
FORWARD = {"headers": {"X-Reason": "reason"}}
CRYPTO = ["batch", "single"]

# Of clients: the key, and the schemes of TLS 1.2 and TLS 1.3 by which it signs.
KEYS = {
    "p256": (lambda: ec.generate_private_key(ec.SECP256R1()), [0x0403], [0x0403]),
    "p384": (lambda: ec.generate_private_key(ec.SECP384R1()), [0x0503], [0x0503]),
    "p521": (lambda: ec.generate_private_key(ec.SECP521R1()), [0x0603], [0x0603]),
    "ed25519": (ed25519.Ed25519PrivateKey.generate, [0x0807], [0x0807]),
    "rsa2048": (lambda: rsa_key(2048), [0x0401, 0x0601, 0x0804], [0x0804, 0x0806]),
    "rsa3072": (lambda: rsa_key(3072), [0x0501, 0x0805], [0x0805]),
    "rsa4096": (lambda: rsa_key(4096), [0x0601, 0x0806], [0x0806]),
    "rsa-exponent-3": (lambda: rsa.generate_private_key(3, 2048), [0x0401, 0x0804], [0x0804]),
}
SERVER_KEYS = ["ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-3072", "rsa-4096", "ed25519"]


@functools.cache
def key_of(name):
    return KEYS[name][0]()


@contextlib.contextmanager
def stopped(server):
    """The server finds all at once that is sent meanwhile."""
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.process.pid, signal.SIGCONT)


def prove(client, version, ders, key, scheme, is_wrong):
    """Sends the flight up to CertificateVerify."""
    client.send_messages(client.certificate(ders))
    if version == "1.2":
        client.send_messages(client.key_exchange())
        client.make_master()
    content = client.signed_content() + (b"!" if is_wrong else b"")
    client.send_messages(client.certificate_verify(proofs.sign(key, scheme, content), scheme))


def outcome(client):
    try:
        client.complete()
        client.send(client.sealed(APPLICATION, client.request()))
    except Closed as closed:
        return proofs.Outcome(closed.alert)
    client.alerts()
    return proofs.Outcome(client.alert, client.text())


@pytest.mark.parametrize("crypto", CRYPTO)
@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("name", KEYS)
def test_clients_with_every_key(serve, host, corpus_root, corpus_root_file, name, version, crypto):
    key, schemes = key_of(name), KEYS[name][1:]
    ders = [corpus_root.leaf(name, make_der.spki(key))]
    server = serve([host("r.test", "report", ca=[corpus_root_file], forward=FORWARD)], admission=NO_SUSPECTS,
                   environment={"SALLYPORT_CRYPTO": crypto}, shards=1)
    for scheme in schemes[version == "1.3"]:
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(CLIENTS[version](server, "r.test")) for _ in range(TOGETHER)]
            with stopped(server):
                for client in clients:
                    client.send_hello()
            for client in clients:
                client.server_flight()
            with stopped(server):
                for index, client in enumerate(clients):
                    prove(client, version, ders, key, scheme, index == WRONG)
            for index, client in enumerate(clients):
                expected = "alert decrypt_error" if index == WRONG else "valid ok"
                assert outcome(client).verdict == expected, (index, hex(scheme))


class Hello:
    """A client of OpenSSL's, whose hello goes out when it is told to."""

    def __init__(self, server, version):
        context = ssl.create_default_context(cafile=server.server_root)
        context.maximum_version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[version]
        context.minimum_version = context.maximum_version
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="r.test")
        self.raw = socket.create_connection(("127.0.0.1", server.port), timeout=10)

    def go_on(self):
        """Takes a step, and tells whether the handshake is done."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        finally:
            self.raw.sendall(self.outgoing.read())
        return True

    def finish(self):
        while not self.go_on():
            piece = self.raw.recv(65536)
            assert piece, "closed in the handshake"
            self.incoming.write(piece)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.raw.close()


@pytest.mark.parametrize("crypto", CRYPTO)
@pytest.mark.parametrize("kind", SERVER_KEYS)
def test_servers_with_every_key(serve, host, pki, kind, crypto):
    server = serve([host("r.test", server=pki.server(kind, "r.test"))], admission=NO_SUSPECTS,
                   environment={"SALLYPORT_CRYPTO": crypto}, shards=1)
    for version in ("1.2", "1.3"):
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(Hello(server, version)) for _ in range(TOGETHER)]
            with stopped(server):
                for client in clients:
                    client.go_on()
            for client in clients:
                client.finish()  # with a signature that OpenSSL finds good
                assert client.tls.version() == f"TLSv{version}"
