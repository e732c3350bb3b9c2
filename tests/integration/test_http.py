"""HTTP/1.x towards the client: framing, limits, pipelining, methods, and requests that nobody should send."""

import re
import subprocess

import pytest

pytestmark = pytest.mark.both_protocols


@pytest.fixture
def server(serve, host):
    return serve([host("h.test", "off"), host("e.test", "enforce")])


def statuses(answer):
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


BAD = {
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: h.test\r\nHost: h.test\r\n\r\n", 400),
    "bare LF": (b"GET / HTTP/1.1\nHost: h.test\n\n", 400),
    "LF in a header": (b"GET / HTTP/1.1\r\nHost: h.test\nX: y\r\n\r\n", 400),
    "space before colon": (b"GET / HTTP/1.1\r\nHost : h.test\r\n\r\n", 400),
    "folded line": (b"GET / HTTP/1.1\r\nHost: h.test\r\nX: a\r\n b\r\n\r\n", 400),
    "empty name": (b"GET / HTTP/1.1\r\nHost: h.test\r\n: x\r\n\r\n", 400),
    "NUL in a value": (b"GET / HTTP/1.1\r\nHost: h.test\r\nX: a\0b\r\n\r\n", 400),
    "length and chunked": (b"POST / HTTP/1.1\r\nHost: h.test\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "two lengths": (b"POST / HTTP/1.1\r\nHost: h.test\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
    "signed length": (b"POST / HTTP/1.1\r\nHost: h.test\r\nContent-Length: +3\r\n\r\nabc", 400),
    "negative length": (b"POST / HTTP/1.1\r\nHost: h.test\r\nContent-Length: -3\r\n\r\nabc", 400),
    "empty length": (b"POST / HTTP/1.1\r\nHost: h.test\r\nContent-Length:\r\n\r\nabc", 400),
    "huge length": (b"POST / HTTP/1.1\r\nHost: h.test\r\nContent-Length: 99999999999999999999999\r\n\r\nabc", 400),
    "chunked, then a tab, and a length": (
        b"POST / HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked\t\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400),
    "length, then chunked": (
        b"POST / HTTP/1.1\r\nHost: h.test\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked twice": (b"POST / HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked not last": (b"POST / HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400),
    "chunked in two lines": (
        b"POST / HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked on a folded line": (b"POST / HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked behind a vertical tab": (b"POST / HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400),
    "chunked in HTTP/1.0": (b"POST / HTTP/1.0\r\nHost: h.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "space before the colon of a coding": (
        b"POST / HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400),
    "two equal lengths": (b"POST / HTTP/1.1\r\nHost: h.test\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
    "lengths in a list": (b"POST / HTTP/1.1\r\nHost: h.test\r\nContent-Length: 3, 3\r\n\r\nabc", 400),
    "a length in hex": (b"POST / HTTP/1.1\r\nHost: h.test\r\nContent-Length: 0x3\r\n\r\nabc", 400),
    "bare CR in a value": (b"GET / HTTP/1.1\r\nHost: h.test\r\nX: a\rb\r\n\r\n", 400),
    "bare CR ends a line": (b"GET / HTTP/1.1\rHost: h.test\r\n\r\n", 400),
    "white space before the first header": (b"GET / HTTP/1.1\r\n X: a\r\nHost: h.test\r\n\r\n", 400),
    "no colon": (b"GET / HTTP/1.1\r\nHost: h.test\r\nX\r\n\r\n", 400),
    "tab in the request line": (b"GET\t/ HTTP/1.1\r\nHost: h.test\r\n\r\n", 400),
    "two spaces": (b"GET  / HTTP/1.1\r\nHost: h.test\r\n\r\n", 400),
    "space behind the version": (b"GET / HTTP/1.1 \r\nHost: h.test\r\n\r\n", 400),
    "space in the target": (b"GET /a b HTTP/1.1\r\nHost: h.test\r\n\r\n", 400),
    "fragment": (b"GET /#a HTTP/1.1\r\nHost: h.test\r\n\r\n", 400),
    "UTF-8 in the target": (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: h.test\r\n\r\n", 400),
    "no version": (b"GET /\r\n\r\n", 400),
    "two digits in the version": (b"GET / HTTP/1.10\r\nHost: h.test\r\n\r\n", 400),
    "asterisk for GET": (b"GET * HTTP/1.1\r\nHost: h.test\r\n\r\n", 400),
    "empty host": (b"GET / HTTP/1.1\r\nHost: \r\n\r\n", 400),
    "user in the host": (b"GET / HTTP/1.1\r\nHost: u@h.test\r\n\r\n", 400),
    "path in the host": (b"GET / HTTP/1.1\r\nHost: h.test/x\r\n\r\n", 400),
    "a method that is no token": (b"G(T / HTTP/1.1\r\nHost: h.test\r\n\r\n", 400),
    "a long method": (b"M" * 40000 + b" / HTTP/1.1\r\nHost: h.test\r\n\r\n", 501),
    "space before a chunk's size": (b"POST /body HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked\r\n\r\n 5\r\nhello\r\n0\r\n\r\n", 400),
    "space behind a chunk's size": (b"POST /body HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n", 400),
    "a chunk's size in 0x": (b"POST /body HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", 400),
    "a chunk that is longer": (b"POST /body HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n", 400),
    "bare LF behind a chunk": (b"POST /body HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n", 400),
    "bare LF in an extension": (b"POST /body HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked\r\n\r\n5;a\nhello\r\n0\r\n\r\n", 400),
    "nothing in an extension": (b"POST /body HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked\r\n\r\n5;\r\nhello\r\n0\r\n\r\n", 400),
    "bare LF ends the trailers": (b"POST /body HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\n", 400),
    "bad chunk": (b"POST /body HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
    "unknown coding": (b"POST / HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
    "connect": (b"CONNECT h.test:443 HTTP/1.1\r\nHost: h.test:443\r\n\r\n", 405),
    "garbage": (b"\x00\x01\x02\x03\r\n\r\n", 400),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", None),
    "head too large": (b"GET / HTTP/1.1\r\nHost: h.test\r\nX: " + b"a" * 40000 + b"\r\n\r\n", 431),
    "too many headers": (b"GET / HTTP/1.1\r\nHost: h.test\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
    "target too long": (b"GET /" + b"a" * 40000 + b" HTTP/1.1\r\nHost: h.test\r\n\r\n", 414),
}


@pytest.mark.parametrize("what", sorted(BAD))
@pytest.mark.http1_only
def test_what_is_refused(server, what):
    request, status = BAD[what]
    answer = server.raw("h.test", request)
    if status is None:
        assert statuses(answer)[0] in (400, 505), answer[:200]
    else:
        assert statuses(answer) == [status], answer[:200]
    assert server.curl("h.test").status == 200


@pytest.mark.parametrize("what", sorted(what for what in BAD if what != "connect"))
@pytest.mark.http1_only
def test_nothing_behind_what_is_refused_is_a_request(server, what):
    """Two readers may see its end in two places: so nothing that follows on this connection is read."""
    answer = server.raw("h.test", BAD[what][0] + b"GET /behind HTTP/1.1\r\nHost: h.test\r\n\r\n" * 3)
    assert len(statuses(answer)) == 1 and b"behind" not in answer


def test_pipelining(server):
    request = b"GET /one HTTP/1.1\r\nHost: h.test\r\n\r\n" * 50
    last = b"GET /two HTTP/1.1\r\nHost: h.test\r\nConnection: close\r\n\r\n"
    answer = server.raw("h.test", request + last)
    assert statuses(answer) == [200] * 51
    assert answer.count(b"GET /one") == 50 and answer.count(b"GET /two") == 1


@pytest.mark.http1_only
@pytest.mark.parametrize("size", [10_000, 100_000, 1_000_000])
def test_pipelining_behind_a_chunked_body(server, size):
    chunk = b"%x\r\n%b\r\n" % (10_000, 10_000 * b"b")
    body = b"POST /first HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * (size // 10_000) + b"0\r\n\r\n"
    behind = b"GET /one HTTP/1.1\r\nHost: h.test\r\nX-Padding: %b\r\n\r\n" % (900 * b"p") * 70
    last = b"GET /two HTTP/1.1\r\nHost: h.test\r\nConnection: close\r\n\r\n"
    answer = server.raw("h.test", body + behind + last)
    assert statuses(answer) == [200] * 72
    assert [answer.count(line) for line in (b"POST /first", b"GET /one", b"GET /two")] == [1, 70, 1]


def test_pipelined_denials(server):
    answer = server.raw("e.test", b"GET / HTTP/1.1\r\nHost: e.test\r\n\r\n" * 200 +
                        b"GET / HTTP/1.1\r\nHost: e.test\r\nConnection: close\r\n\r\n")
    assert statuses(answer) == [403] * 201


@pytest.mark.http1_only
def test_a_request_a_byte_at_a_time(server):
    request = b"POST /body HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    with server.connect("h.test") as connection:
        for byte in request:
            connection.send(bytes([byte]))
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert statuses(answer) == [200]
    assert b"hello" in answer


@pytest.mark.http1_only
def test_http10(server):
    answer = server.raw("h.test", b"GET / HTTP/1.0\r\nHost: h.test\r\n\r\n")
    assert statuses(answer) == [200]
    assert b"Transfer-Encoding" not in answer.split(b"\r\n\r\n")[0]
    answer = server.raw("h.test", b"GET / HTTP/1.0\r\nHost: h.test\r\nConnection: keep-alive\r\n\r\n"
                                  b"GET / HTTP/1.0\r\nHost: h.test\r\n\r\n")
    assert answer.count(b" 200 OK") in (1, 2)


def test_methods(server):
    assert server.curl("h.test", "/", "-I").status == 200
    assert server.curl("h.test", "/", "-I").body == b""
    assert server.curl("h.test", "/empty").status == 204
    assert server.curl("h.test", "/teapot").status == 418
    assert server.curl("h.test", "/files/small.txt").text == "small\n"
    assert server.curl("h.test", "/files/small.txt", "-H", "Range: bytes=1-2").text == "ma"
    assert server.curl("h.test", "/", "-X", "DELETE").text.startswith("DELETE / HTTP/1.1")


def test_bodies(server, tmp_path):
    body = tmp_path / "body"
    body.write_bytes(bytes(range(256)) * 4000)
    length = server.curl("h.test", "/body", "--data-binary", f"@{body}")
    assert length.status == 200 and length.body == body.read_bytes()
    chunked = server.curl("h.test", "/body", "--data-binary", f"@{body}", "-H", "Transfer-Encoding: chunked")
    assert chunked.status == 200 and chunked.body == body.read_bytes()


def test_expect_continue(server, tmp_path):
    body = tmp_path / "body"
    body.write_bytes(b"x" * 3_000_000)
    response = server.curl("h.test", "/body", "--data-binary", f"@{body}", "-H", "Expect: 100-continue")
    assert response.status == 200 and len(response.body) == 3_000_000
    # Denied before the body is sent: curl must not have to send it.
    response = server.curl("e.test", "/body", "--data-binary", f"@{body}", "-H", "Expect: 100-continue", "-v")
    assert response.status == 403
    assert "100 Continue" not in response.error


def test_keep_alive_with_a_denied_small_body(server):
    answer = server.raw("e.test", b"POST / HTTP/1.1\r\nHost: e.test\r\nContent-Length: 5\r\n\r\nhello"
                                  b"GET / HTTP/1.1\r\nHost: e.test\r\nConnection: close\r\n\r\n")
    assert statuses(answer) == [403, 403]


@pytest.mark.http1_only
def test_head_timeout(serve, host):
    server = serve([host("slow.test")], limits={"connections": 64, "request_header_timeout": "1s", "idle_timeout": "1s"})
    with server.connect("slow.test") as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: slow.test\r\nX: ")
        assert connection.recv(1000).startswith(b"HTTP/1.1 408")
    with server.connect("slow.test") as connection:
        assert connection.recv(1000) == b"", "an idle connection is closed"
    with server.connect("slow.test") as connection:
        connection.sendall(b"POST /body HTTP/1.1\r\nHost: slow.test\r\nContent-Length: 10\r\n\r\nabc")
        assert connection.recv(1000).startswith(b"HTTP/1.1 408")


@pytest.mark.http1_only
def test_h2load_and_wrk_speak_to_it(server):
    result = subprocess.run(["h2load", "--h1", "-n", "2000", "-c", "20", f"https://127.0.0.1:{server.port}/",
                             "--sni", "h.test", "-H", "Host: h.test"], capture_output=True, text=True, timeout=60)
    if "unrecognized option" in result.stderr or "unknown option" in result.stderr.lower():
        pytest.skip("this h2load has no --sni")
    assert "2000 succeeded" in result.stdout, result.stdout + result.stderr


@pytest.mark.measured
@pytest.mark.http1_only
def test_a_client_that_never_reads_holds_little(serve, host):
    """Pipelined requests, whose answers nobody takes, must not fill our memory with answers."""
    server = serve([host("e.test", "enforce"), host("h.test", "off")], shards=1)
    server.curl("h.test")
    for name in ["e.test", "h.test"]:
        before = server.rss_kib()
        with server.connect(name) as connection:
            connection.settimeout(1)
            request = f"GET / HTTP/1.1\r\nHost: {name}\r\n\r\n".encode() * 300
            sent = 0
            try:
                while sent < 60_000_000:
                    sent += connection.send(request)
            except (TimeoutError, OSError):
                pass
            assert server.rss_kib() - before < 4 * 1024, name
            assert server.curl("h.test").status == 200


@pytest.mark.http1_only
def test_close_notify_still_gets_its_answers(server):
    """The end of the client's side is not the end of ours (RFC 8446, section 6.1)."""
    import socket
    import ssl
    for requests in [1, 3]:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        tls = context.wrap_bio(incoming, outgoing, server_hostname="h.test")
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    raw.sendall(outgoing.read())
                    incoming.write(raw.recv(65536))
            tls.write(b"GET / HTTP/1.1\r\nHost: h.test\r\n\r\n" * requests)
            try:
                tls.unwrap()
            except ssl.SSLWantReadError:
                pass
            raw.sendall(outgoing.read())
            received = b""
            while piece := raw.recv(65536):
                received += piece
            # OpenSSL gives no plaintext once it has sent close_notify: the volume must speak.
            assert len(received) > 250 * requests


def test_a_denied_upload_still_gets_its_403(server):
    """The client writes megabytes before it reads: no reset may destroy the answer."""
    for _ in range(5):
        with server.connect("e.test") as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: e.test\r\nContent-Length: 5000000\r\n\r\n")
            for _ in range(50):
                connection.sendall(b"x" * 100_000)
            assert connection.recv(1000).startswith(b"HTTP/1.1 403")
