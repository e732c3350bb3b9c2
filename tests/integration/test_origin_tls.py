"""TLS to origins: nginx, nghttpd, openssl s_server and Python's ssl, good ones and those that are not to be believed."""

import datetime
import os
import socket
import ssl
import struct
import threading
import time

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

import grpcs
import origins
import pki as pki_module
from conftest import free_port, wait_for
from test_access_log import logged, requests_of, wait_for_lines  # noqa: F401 (a fixture)
from test_tcp import connect
from tls_origins import (NAME, ORIGIN, Nginx, SServer, authority, connections, context_of, entry, facts,  # noqa: F401 (fixtures)
                         handshakes, read_head, requests, run, secure)

LARGE = 20 << 20
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
DAY = datetime.timedelta(days=1)


@pytest.fixture
def nginx(run):
    return lambda *arguments, **options: run(Nginx, *arguments, **options)


def test_requests_and_bodies_over_tls(serve, entry, nginx, authority):
    origin = nginx(authority.leaf(ORIGIN))
    large = os.urandom(LARGE)
    (origin.files / "large").write_bytes(large)
    server = serve([entry(origin)], shards=1)
    for version in ("http1", "http2"):
        server.protocol = version
        answer = server.curl(NAME, "/")
        assert answer.status == 200 and facts(answer)["name"] == ORIGIN and facts(answer)["version"] == "TLSv1.3"
        assert facts(answer)["alpn"] == "http/1.1"
        assert server.curl(NAME, "/files/large").body == large
        sent = origin.folder / "sent"
        sent.write_bytes(large[: 8 << 20])
        assert server.curl(NAME, "/body", "-X", "POST", "--data-binary", f"@{sent}").body == large[: 8 << 20]
    assert handshakes(server, "full") >= 1


def test_many_requests_take_one_connection(serve, entry, nginx, authority):
    server = serve([entry(nginx(authority.leaf(ORIGIN)))], shards=1)
    for _ in range(10):
        assert server.curl(NAME, "/").status == 200
    assert connections(server, "opened") == 1
    assert connections(server, "dropped") == 0  # by no ticket


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
@pytest.mark.parametrize("kind", ["ecdsa-p256", "ecdsa-p384", "rsa-2048", "ed25519"])
def test_versions_and_keys(serve, entry, nginx, authority, version, kind):
    server = serve([entry(nginx(authority.leaf(ORIGIN, kind=kind), f"ssl_protocols {version};"))], shards=1)
    answer = server.curl(NAME, "/")
    assert answer.status == 200 and facts(answer)["version"] == version


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
@pytest.mark.parametrize("tickets", ["on", "off"])
def test_sessions_are_resumed(serve, entry, nginx, authority, version, tickets):
    lines = f"ssl_protocols {version}; ssl_session_tickets {tickets}; ssl_session_cache shared:a:1m; keepalive_timeout 0;"
    server = serve([entry(nginx(authority.leaf(ORIGIN), lines))], shards=1)
    reused = [facts(server.curl(NAME, "/"))["reused"] for _ in range(6)]
    assert reused == ["."] + ["r"] * 5
    assert handshakes(server, "full") == 1 and handshakes(server, "resumed") == 5


def test_no_session_outlives_a_reload(serve, entry, nginx, authority):
    origin = nginx(authority.leaf(ORIGIN), "keepalive_timeout 0;")
    server = serve([entry(origin)], shards=1)
    assert [facts(server.curl(NAME, "/"))["reused"] for _ in range(2)] == [".", "r"]
    assert server.reload([entry(origin, ca=[str(authority.other.cert)])])
    wait_for(lambda: server.curl(NAME, "/").status == 502)
    assert "unknown_issuer" in server.stderr()


def test_a_second_hello(serve, entry, nginx, authority):
    """The origin has neither X25519 nor a hybrid."""
    server = serve([entry(nginx(authority.leaf(ORIGIN), "ssl_ecdh_curve secp384r1; ssl_protocols TLSv1.3;"))], shards=1)
    answer = server.curl(NAME, "/")
    assert answer.status == 200 and facts(answer)["group"] == "secp384r1"


def test_version_1_3_alone(serve, entry, nginx, authority, logged):  # noqa: F811
    server, path = logged(entry(nginx(authority.leaf(ORIGIN), "ssl_protocols TLSv1.2;"), min_version="1.3"))
    assert server.curl(NAME, "/").status == 502
    assert requests_of(wait_for_lines(path, 1))[0]["origin_error"] == "tls_handshake"


def refused(server, path, fault, *words):
    assert server.curl(NAME, "/").status == 502
    assert requests_of(wait_for_lines(path, 1))[-1]["origin_error"] == fault
    for word in words:
        assert word in server.stderr(), server.stderr()


CERTIFICATES = {
    "another name": (lambda a, p: a.leaf("other.test"), "tls_name", ["the certificate is not for", "other.test"]),
    "no name but in the subject": (lambda a, p: a.leaf(subject=ORIGIN), "tls_name", ["no name"]),
    "a wildcard of two labels": (lambda a, p: a.leaf("*.origin.test"), "tls_name", []),
    "another root": (lambda a, p: a.leaf(ORIGIN, issuer=a.other), "tls_certificate", ["unknown_issuer"]),
    "itself": (lambda a, p: self_signed(p), "tls_certificate", ["unknown_issuer"]),
    "expired": (lambda a, p: a.leaf(ORIGIN, start=pki_module.NOW - 20 * DAY, end=pki_module.NOW - 10 * DAY), "tls_certificate", ["expired"]),
    "not yet valid": (lambda a, p: a.leaf(ORIGIN, start=pki_module.NOW + 10 * DAY), "tls_certificate", ["not_yet_valid"]),
    "a client": (lambda a, p: a.leaf(ORIGIN, usage=ExtendedKeyUsageOID.CLIENT_AUTH), "tls_certificate", ["wrong_usage", "serverAuth"]),
    "no intermediate": (lambda a, p: a.leaf(ORIGIN, issuer=a.issuing), "tls_certificate", ["unknown_issuer"]),
}


def self_signed(pki):
    key = pki_module.new_key("ecdsa-p256")
    certificate = pki.build(ORIGIN, key, extensions=[(x509.SubjectAlternativeName([x509.DNSName(ORIGIN)]), False)])
    return pki.entity("self", certificate, key)


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
@pytest.mark.parametrize("case", CERTIFICATES)
def test_certificates_that_are_refused(serve, entry, nginx, authority, pki, logged, case, version):  # noqa: F811
    make, fault, words = CERTIFICATES[case]
    server, path = logged(entry(nginx(make(authority, pki), f"ssl_protocols {version};")))
    refused(server, path, fault, *words)
    assert handshakes(server, "name" if fault == "tls_name" else "certificate") == 1
    assert server.metric("sallyport_origin_up") == 0


@pytest.mark.parametrize("name", [ORIGIN, "*.test"])
def test_names_that_are_covered(serve, entry, nginx, authority, name):
    issuing = authority.issuing
    server = serve([entry(nginx(authority.leaf(name, issuer=issuing, chain=[issuing.certificate])))], shards=1)
    assert server.curl(NAME, "/").status == 200


def test_an_address_is_proved_by_an_address(serve, entry, nginx, authority):
    good, bad = nginx(authority.leaf("127.0.0.1")), nginx(authority.leaf("127.0.0.2"))
    server = serve([entry(good, name=None)], shards=1)
    answer = server.curl(NAME, "/")
    assert answer.status == 200 and facts(answer)["name"] == ""  # no SNI
    assert server.reload([entry(bad, name=None)])
    wait_for(lambda: server.curl(NAME, "/").status == 502)
    assert 'not for "127.0.0.1", but for "127.0.0.2"' in server.stderr()


def test_the_name_of_the_address_is_expected(serve, entry, nginx, authority):
    origin = nginx(authority.leaf("localhost"))
    server = serve([entry(f"localhost:{origin.port}", name=None)], shards=1)
    answer = server.curl(NAME, "/")
    assert answer.status == 200 and facts(answer)["name"] == "localhost"


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_an_origin_that_asks_for_a_certificate(serve, entry, nginx, authority, pki, version):
    client = pki.client(cache="edge", subject="edge-1")
    lines = f"ssl_verify_client on; ssl_verify_depth 3; ssl_client_certificate {pki.root.cert}; ssl_protocols {version};"
    origin = nginx(authority.leaf(ORIGIN), lines)
    server = serve([entry(origin, certificate=str(client.chain), key=str(client.key))], shards=1)
    answer = server.curl(NAME, "/")
    assert answer.status == 200 and facts(answer)["client"] == "CN=edge-1"
    in_seconds = x509.load_pem_x509_certificate(client.chain.read_bytes()).not_valid_after.replace(tzinfo=datetime.timezone.utc).timestamp()
    assert server.metric("sallyport_origin_certificate_not_after_seconds", host=NAME, file=str(client.chain)) == in_seconds
    assert server.metric("sallyport_origin_ca_not_after_seconds", host=NAME) > time.time()
    assert server.reload([entry(origin)])
    assert server.metric("sallyport_origin_certificate_not_after_seconds", host=NAME) == 0, "there is none"
    wait_for(lambda: server.curl(NAME, "/").status == 400)  # nginx asks, and answers those who have none


def test_an_origin_that_ends_without_a_certificate(serve, entry, authority, logged, secure, pki):  # noqa: F811
    context = context_of(authority.leaf(ORIGIN))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(pki.root.cert)
    with origins.Scripted(lambda connection, number: context.wrap_socket(connection, server_side=True)) as origin:
        server, path = logged(entry(origin))
        refused(server, path, "tls_handshake", "certificate_required")


def test_http2_over_tls(serve, entry, authority, run):
    large = os.urandom(LARGE)
    origin = run(origins.Nghttpd, free_port(), entity=authority.leaf(ORIGIN))
    (origin.folder / "large").write_bytes(large)
    server = serve([entry(origin, protocol="http2")], shards=1)
    for version in ("http1", "http2"):
        server.protocol = version
        assert server.curl(NAME, "/small.txt").text == "small\n"
        assert server.curl(NAME, "/large").body == large
    assert connections(server, "opened") == 1


def test_an_origin_that_does_not_agree_on_h2(serve, entry, nginx, authority, logged):  # noqa: F811
    server, path = logged(entry(nginx(authority.leaf(ORIGIN)), protocol="http2"))
    assert server.curl(NAME, "/").status == 502
    # nginx ends the handshake of one that offers h2 alone (RFC 7301 section 3.2)
    assert requests_of(wait_for_lines(path, 1))[0]["origin_error"] == "tls_handshake"
    assert "no_application_protocol" in server.stderr()


def test_an_origin_without_alpn(serve, entry, secure, authority, logged):  # noqa: F811
    origin = secure(authority.leaf(ORIGIN), lambda tls, number: tls.recv(1))
    server, path = logged(entry(origin, protocol="http2"))
    refused(server, path, "tls_alpn", "does not agree on h2")
    assert handshakes(server, "alpn") == 1


def test_the_next_origin_is_tried(serve, entry, nginx, authority):
    bad, good = nginx(authority.leaf("other.test")), nginx(authority.leaf(ORIGIN))
    server = serve([entry([bad, good])], shards=1)
    assert all(server.curl(NAME, "/").status == 200 for _ in range(6))
    assert handshakes(server, "name") == 1  # then it is passed over


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
@pytest.mark.parametrize("protocol", [None, "http2"])
def test_one_that_refuses_our_certificate_is_passed_over(serve, entry, run, nginx, authority, pki, logged, version, protocol):  # noqa: F811
    """In TLS 1.3 it does so when we have sent the request, of which it has read nothing: a POST goes to the next one, too."""
    context = context_of(authority.leaf(ORIGIN))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(pki.root.cert)
    context.set_alpn_protocols(["h2"] if protocol else ["http/1.1"])
    context.minimum_version = context.maximum_version = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}[version]
    good = run(origins.Nghttpd, free_port(), entity=authority.leaf(ORIGIN)) if protocol else nginx(authority.leaf(ORIGIN))
    with origins.Scripted(lambda connection, number: context.wrap_socket(connection, server_side=True)) as bad:
        server, path = logged(entry([bad, good], protocol=protocol))
        for options in (["-d", "x" * 1000], [], ["-d", "x"]):
            assert server.curl(NAME, "/small.txt" if protocol else "/", *options).status == 200
        assert "certificate_required" in server.stderr() or version == "TLSv1.2", server.stderr()
        assert server.stderr().count("tls_handshake: ") == 1, "then it is passed over"


def speak(text):
    def script(connection, number):
        connection.recv(4096)
        connection.sendall(text)
        time.sleep(0.2)

    return script


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


STRANGE = {
    "plain HTTP": (speak(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), "plain HTTP"),
    "garbage": (speak(b"\x99" * 4096), ""),
    "an alert": (speak(b"\x15\x03\x03\x00\x02\x02\x28"), "handshake_failure"),
    "a FIN": (lambda connection, number: connection.recv(4096), "closed the connection in the handshake"),
    "a reset": (lambda connection, number: (connection.recv(4096), reset(connection)), "reset the connection in the handshake"),
    "an empty handshake record": (speak(b"\x16\x03\x03\x00\x00" * 50), ""),
    "half a record": (speak(b"\x16\x03\x03\x40\x00" + b"\x02\x00\x3f\xfc" + bytes(100)), "closed"),
}


@pytest.mark.parametrize("case", STRANGE)
def test_what_is_no_handshake(serve, entry, scripted, logged, case):  # noqa: F811
    script, word = STRANGE[case]
    server, path = logged(entry(scripted(script)))
    refused(server, path, "tls_handshake", word)
    assert handshakes(server, "failed") == 1


def stall(beginning=b""):
    """An origin that takes the hello, says what `beginning` is, and no more."""
    return lambda connection, number: (connection.recv(4096), connection.sendall(beginning), time.sleep(20))


@pytest.mark.parametrize("beginning, words", [
    (b"", "no answer to the TLS hello within 300ms"),
    (b"\x16\x03\x03\x40\x00", "the TLS handshake was not complete within 300ms"),
])
@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_a_handshake_that_stalls(serve, entry, scripted, logged, protocol, beginning, words):  # noqa: F811
    server, path = logged({**entry(scripted(stall(beginning)), protocol=protocol), "timeouts": {"connect": "300ms"}})
    began = time.monotonic()
    refused(server, path, "tls_handshake", words)
    assert time.monotonic() - began < 5
    assert handshakes(server, "failed") == 1 and connections(server, "connect_failed") == 1


def test_a_handshake_that_stalls_in_a_tcp_host(serve, entry, scripted, logged):  # noqa: F811
    server, path = logged({**entry(scripted(stall())), "protocol": "tcp", "timeouts": {"connect": "300ms"}})
    with server.connect(NAME) as tls:
        assert tls.recv(1) == b""
    wait_for(lambda: "tls_handshake" in path.read_text())
    assert "no answer to the TLS hello within 300ms" in server.stderr()
    assert handshakes(server, "failed") == 1


@pytest.mark.parametrize("politely", [True, False])
def test_a_body_that_ends_with_the_connection(serve, entry, secure, authority, logged, politely):  # noqa: F811
    """Without close_notify anybody may have cut the body off."""

    def script(tls, number):
        read_head(tls)
        tls.sendall(b"HTTP/1.1 200 OK\r\n\r\nhello")
        if politely:
            try:
                tls.unwrap()
            except OSError:
                pass
        else:
            socket.socket(fileno=os.dup(tls.fileno())).shutdown(socket.SHUT_WR)
            time.sleep(0.3)

    server, path = logged(entry(secure(authority.leaf(ORIGIN), script)))
    answer = server.curl(NAME, "/", check=politely)
    line = requests_of(wait_for_lines(path, 1))[0]
    if politely:
        assert answer.text == "hello" and line.get("origin_error") is None
    else:
        assert answer.was_cut and line["origin_error"] == "truncated"


@pytest.mark.parametrize("framing", ["Content-Length: 100", "Transfer-Encoding: chunked"])
def test_a_body_that_is_cut(serve, entry, secure, authority, logged, framing):  # noqa: F811
    def script(tls, number):
        read_head(tls)
        tls.sendall(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n5\r\nhello\r\n".encode())

    server, path = logged(entry(secure(authority.leaf(ORIGIN), script)))
    assert server.curl(NAME, "/", check=False).was_cut
    assert requests_of(wait_for_lines(path, 1))[0]["origin_error"] == "truncated"


def test_a_reset_in_each_step(serve, entry, secure, authority, logged):  # noqa: F811
    def script(tls, number):
        if number == 0:
            read_head(tls)
        elif number == 1:
            read_head(tls)
            tls.sendall(b"HTTP/1.1 200")
        elif number == 2:
            read_head(tls)
            tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel")
        time.sleep(0.1)
        tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    server, path = logged(entry(secure(authority.leaf(ORIGIN), script)))
    for _ in range(3):
        server.curl(NAME, "/", "-X", "POST", "-d", "x", check=False)
    lines = requests_of(wait_for_lines(path, 3))
    assert all(line["origin_error"] in ("reset", "closed_early", "truncated") for line in lines), lines


def test_an_answer_in_many_records(serve, entry, secure, authority):
    body = os.urandom(30000)

    def script(tls, number):
        read_head(tls)
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 30000\r\n\r\n":
            tls.sendall(bytes([byte]))
        for at in range(0, len(body), 7):
            tls.sendall(body[at : at + 7])
        tls.recv(1)

    server = serve([entry(secure(authority.leaf(ORIGIN), script))], shards=1)
    assert server.curl(NAME, "/").body == body


def test_an_idle_connection_that_origins_close(serve, entry, secure, authority):
    def script(tls, number):
        read_head(tls)
        tls.sendall(ANSWER)
        tls.unwrap()

    server = serve([entry(secure(authority.leaf(ORIGIN), script))], shards=1)
    for _ in range(5):
        assert server.curl(NAME, "/", "-X", "POST", "-d", "x").text == "ok"
        time.sleep(0.05)


def test_s_server(serve, entry, authority, run):
    server = serve([entry(run(SServer, authority.leaf(ORIGIN, kind="rsa-2048"), "-www"))], shards=1)
    answer = server.curl(NAME, "/")
    assert answer.status == 200 and "TLSv1.3" in answer.text


def test_a_tunnel(serve, entry, secure, authority):
    def script(tls, number):
        read_head(tls)
        tls.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
        while True:
            piece = tls.recv(65536)
            if not piece:
                tls.sendall(b"bye")
                return
            tls.sendall(piece)

    server = serve([entry(secure(authority.leaf(ORIGIN), script))], shards=1)
    with server.connect(NAME) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(65536)
        assert head.startswith(b"HTTP/1.1 101")
        data = os.urandom(1 << 20)
        sender = threading.Thread(target=client.sendall, args=(data,))
        sender.start()
        received = b""
        while len(received) < len(data):
            received += client.recv(65536)
        sender.join()
        assert received == data


def test_a_slow_client_holds_the_origin_back(serve, entry, secure, authority):
    sent = 0

    def script(tls, number):
        nonlocal sent
        read_head(tls)
        tls.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {64 << 20}\r\n\r\n".encode())
        while sent < 64 << 20:
            sent += tls.send(bytes(16384))

    server = serve([entry(secure(authority.leaf(ORIGIN), script))], shards=1)
    with server.connect(NAME) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
        client.recv(100)
        time.sleep(1)
        before = sent
        time.sleep(1)
        assert sent == before < 32 << 20
        total = 0
        while total < 64 << 20:
            total += len(client.recv(1 << 20))


def test_the_proxy_header_comes_before_tls(serve, entry, authority, scripted):
    context = context_of(authority.leaf(ORIGIN))
    lines = []

    def script(connection, number):
        line = b""
        while not line.endswith(b"\r\n"):
            line += connection.recv(1)
        lines.append(line)
        with context.wrap_socket(connection, server_side=True) as tls:
            read_head(tls)
            tls.sendall(ANSWER)
            tls.recv(1)

    server = serve([{**entry(scripted(script)), "origin_proxy_protocol": "v1"}], shards=1)
    assert server.curl(NAME, "/").text == "ok"
    assert lines[0].startswith(b"PROXY TCP4 127.0.0.1 ")


def test_the_bytes_of_a_tcp_host(serve, entry, authority, scripted):
    context = context_of(authority.leaf(ORIGIN))
    offered = []
    context.set_alpn_protocols(["http/1.1"])

    def script(connection, number):
        head = connection.recv(16, socket.MSG_WAITALL)
        connection.recv(int.from_bytes(head[14:16], "big"), socket.MSG_WAITALL)
        with context.wrap_socket(connection, server_side=True) as tls:
            offered.append(tls.selected_alpn_protocol())
            while piece := tls.recv(65536):
                tls.sendall(piece)
            tls.sendall(b"bye")
            tls.unwrap()

    server = serve([{**entry(scripted(script)), "protocol": "tcp"}], shards=1)
    data = os.urandom(1 << 20)
    with server.connect(NAME) as client:
        sender = threading.Thread(target=client.sendall, args=(data,))
        sender.start()
        received = b""
        while len(received) < len(data):
            received += client.recv(65536)
        sender.join()
        assert received == data and offered == [None]


ENDS = {"FIN": lambda tls: socket.socket.shutdown(tls, socket.SHUT_WR), "close_notify": lambda tls: unwrapped(tls),
        "close": lambda tls: tls.close()}


def unwrapped(tls):
    """Ends the client's half by close_notify, which the origin's end does not answer."""
    with pytest.raises(ssl.SSLError, match="EOF"):
        tls.unwrap()


@pytest.mark.parametrize("how", ENDS)
def test_a_tcp_origin_that_ends_behind_its_client(serve, entry, authority, secure, how):
    """It closes without close_notify, as many do: nothing can be missing. A client that reads on is told as much."""
    def script(tls, number):
        while piece := tls.recv(65536):
            tls.sendall(piece)

    server = serve([{**entry(secure(authority.leaf(ORIGIN), script)), "protocol": "tcp", "origin_proxy_protocol": "off"}], shards=1)
    with connect(server, name=NAME) as client:
        client.sendall(b"hello")
        assert client.recv(5) == b"hello"
        ENDS[how](client)
        wait_for(lambda: server.metric("sallyport_tunnels_ended_total", end="closed") == 1)
    assert requests(server, "completed") == 1 and requests(server, "broken") == 0
    assert "truncated" not in server.stderr()


@pytest.mark.parametrize("half_open", [True, False])
def test_a_tcp_origin_that_is_cut(serve, entry, authority, secure, half_open):
    """Within what it says: before the client's end, or in the answer to it."""
    def script(tls, number):
        while tls.recv(65536) and not half_open:
            pass
        tls.sendall(b"half of an ans")

    server = serve([{**entry(secure(authority.leaf(ORIGIN), script)), "protocol": "tcp", "origin_proxy_protocol": "off"}], shards=1)
    with server.connect(NAME) as client:
        client.sendall(b"hello")
        if not half_open:
            socket.socket.shutdown(client, socket.SHUT_WR)
        wait_for(lambda: requests(server, "broken") == 1)
    assert "truncated" in server.stderr() and requests(server, "completed") == 0


def test_grpc_over_tls(serve, entry, authority, pki):
    entity = authority.leaf(ORIGIN)
    origin = grpcs.Server(free_port(), credentials=(entity.key.read_bytes(), entity.chain.read_bytes())).start()
    try:
        server = serve([{**entry(origin.address, "enforce", protocol="http2")}], shards=1)
        client = grpcs.Client(server, NAME, pki.client(cache="device"))
        try:
            for size in (0, 1, 16384, 1 << 20):
                answer, call = client.unary.with_call(b"x" * size, timeout=20, metadata=(("x-ask", "this"),))
                assert answer == b"x" * size
                assert {("x-echo", "this"), ("x-verdict", "valid")} <= set(call.trailing_metadata())
            with grpcs.refused() as errors:
                client.unary(b"fail by itself", timeout=20)
            assert errors[0].code().name == "FAILED_PRECONDITION" and errors[0].details() == "by itself"
            answers = client.server_stream(b"20 30000 0", timeout=20)
            assert [len(answer) for answer in answers] == 20 * [30000] and answers.code().name == "OK"
            assert connections(server, "opened") == 1
        finally:
            client.channel.close()
    finally:
        origin.stop()
