"""
Bodies of long records, both ways: on most processors other code computes them than the short ones (src/crypto/gcm.c). All
bytes come back from an origin that echoes them.
"""

import hashlib

import pytest

import origins
from conftest import NO_SUSPECTS
from tls_client import Client12, Client13
from tls_wire import APPLICATION, cut

HOST = "long.test"
CRYPTO = pytest.mark.parametrize("crypto", ["", "single"])
CLIENTS = pytest.mark.parametrize("client", [Client12, Client13])
# Around the size from which on records are long, around a record's largest, and many records.
SIZES = [1, 900, *range(1005, 1045), 16383, 16384, 16385, 100_001, 1_000_003]
SUITES = {
    "1.2": [("--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256"), ("--ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384")],
    "1.3": [("--tls13-ciphers", "TLS_AES_128_GCM_SHA256"), ("--tls13-ciphers", "TLS_AES_256_GCM_SHA384")],
}
RECORD = 16384


def octets(size):
    return hashlib.shake_128(str(size).encode()).digest(size)


def length_of(head):
    lines = (line.partition(b":") for line in head.split(b"\r\n"))
    return next(int(value) for name, _, value in lines if name.lower() == b"content-length")


@pytest.fixture
def origin():
    def script(connection, number):
        while True:
            head, _, body = origin.read_head(connection).partition(b"\r\n\r\n")
            if not head:
                return
            while len(body) < length_of(head):
                body += connection.recv(1 << 20)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    with origins.Scripted(script) as origin:
        yield origin


@pytest.fixture
def start(serve, host, origin):
    def start(crypto):
        return serve([host(HOST, "report", origin=origin.address)], admission=NO_SUSPECTS,
                     environment={"SALLYPORT_CRYPTO": crypto})
    return start


def post(body):
    return b"POST / HTTP/1.1\r\nHost: %b\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % (HOST.encode(), len(body)) + body


@CRYPTO
@pytest.mark.parametrize("version, option, suite", [(version, *suite) for version, suites in SUITES.items() for suite in suites])
def test_curl_gets_back_what_it_has_sent(start, tmp_path, crypto, version, option, suite):
    server = start(crypto)
    source = tmp_path / "body"
    for size in SIZES:
        source.write_bytes(octets(size))
        response = server.curl(HOST, "/", "--data-binary", f"@{source}", "-H", "Expect:", option, suite, version=version)
        assert response.status == 200 and response.body == octets(size), size


@CRYPTO
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_resumed_session(start, crypto, version):
    server = start(crypto)
    context = server.tls_client(version=version)
    with server.open(context, HOST) as connection:
        connection.tls.sendall(post(b"x"))
        while connection.tls.recv(65536):
            pass
        session = connection.tls.session
    with server.open(context, HOST, session) as connection:
        assert connection.tls.session_reused
        connection.tls.sendall(post(octets(100_001)))
        received = b""
        while piece := connection.tls.recv(65536):
            received += piece
    assert received.endswith(b"\r\n\r\n" + octets(100_001))


@CRYPTO
@pytest.mark.parametrize("asks", [False, True])
def test_key_updates_between_long_records(start, crypto, asks):
    server = start(crypto)
    client = Client13(server, HOST).establish()
    for piece in cut(post(octets(100_001)), RECORD):
        client.send(client.sealed(APPLICATION, piece), client.key_update(asks))
    assert client.alerts() in ([], ["close_notify"])
    assert client.text().encode("latin-1").endswith(b"\r\n\r\n" + octets(100_001))


@CRYPTO
@CLIENTS
@pytest.mark.parametrize("at", [5, 30, 9000, -17, -1])
def test_a_long_record_that_was_changed(start, origin, crypto, client, at):
    """In its ciphertext, or in its tag: nothing of it reaches the origin."""
    server = start(crypto)
    hand = client(server, HOST).establish()
    changed = bytearray(hand.sealed(APPLICATION, post(octets(RECORD - 200))))
    changed[at] ^= 1
    hand.send(bytes(changed))
    assert hand.alerts() == ["bad_record_mac"]
    assert hand.text() == "" and origin.heads == []
