"""Unusual answers of origins: which client may see them, which parts pass, and what a client is told of a useless one."""

import http.server
import json
import socket
import threading
import time

import pytest

from conftest import free_port, spelled
from test_access_log import logged, requests_of, wait_for_lines  # noqa: F401 (a fixture)

pytestmark = pytest.mark.both_protocols

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def numbering(extra=b"", reply=None):
    """Answers with the number of the connection; `reply(head)` may give another answer."""
    def script(connection, number):
        while head := script.origin.read_head(connection):
            body = b"%d" % number
            answer = reply(head) if reply else None
            connection.sendall(answer or b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (extra, len(body), body))
    return script


def always(answer, close=False):
    def script(connection, number):
        while script.origin.read_head(connection):
            connection.sendall(answer)
            if close:
                return
    return script


def exchange(connection, request, until=None):
    """Sends; reads to the end, or until the answer ends with `until`."""
    connection.sendall(request)
    received = b""
    while until is None or not received.endswith(until):
        piece = connection.recv(65536)
        if not piece:
            break
        received += piece
    return received


EVIL = b"HTTP/1.1 200 OK\r\nSet-Cookie: theirs=1\r\nContent-Length: 4\r\n\r\nevil"


@pytest.mark.parametrize("request_line, answer", [
    (b"HEAD / HTTP/1.1", b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(EVIL)),
    (b"HEAD / HTTP/1.1", b"HTTP/1.1 200 OK\r\n\r\n"),
    (b"HEAD / HTTP/1.1", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    (b"GET / HTTP/1.1", b"HTTP/1.1 304 Not Modified\r\nContent-Length: %d\r\n\r\n" % len(EVIL)),
    (b"GET / HTTP/1.1", b"HTTP/1.1 204 No Content\r\nContent-Length: %d\r\n\r\n" % len(EVIL)),
    (b"GET / HTTP/1.1", b"HTTP/1.1 103 Hints\r\nContent-Length: %d\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n" % len(EVIL)),
])
@pytest.mark.parametrize("late", [False, True])
def test_a_body_that_must_not_be_reaches_nobody(serve, host, scripted, request_line, answer, late):
    """Some origins send it all the same, at once or when the next client's request is there."""
    def script(connection, number):
        if number > 0:
            while script.origin.read_head(connection):
                connection.sendall(OK)
            return
        script.origin.read_head(connection)
        connection.sendall(answer)
        if late:
            script.origin.read_head(connection)
        connection.sendall(EVIL)
        time.sleep(0.5)

    origin = scripted(script)
    server = serve([host("body.test", origin=origin.address)], shards=1)
    with server.connect("body.test") as attacker:
        attacker.sendall(request_line + b"\r\nHost: body.test\r\n\r\n")
        assert attacker.recv(65536).startswith(b"HTTP/1.1 ")
        for _ in range(3):
            response = server.curl("body.test")
            assert (response.status, response.text) == (200, "ok")


class Undrained(http.server.ThreadingHTTPServer):
    """An origin that never reads the content of a request: it takes that for the next one, unless the connection ends first."""

    def __init__(self):
        self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                self.server.seen.append((self.command, self.path, self.headers.get("X-Client-Cert-Status")))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

            do_GET = do_HEAD = do_DELETE = do_OPTIONS = answer

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("te", ["", "TE: trailers\r\nConnection: TE\r\n"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_content_that_no_origin_expects_is_no_request(serve, host, method, te, framing):
    content = b"GET /admin HTTP/1.1\r\nHost: a\r\nX-Client-Cert-Status: valid\r\n\r\n"
    request = f"{method} / HTTP/1.1\r\nHost: left.test\r\n{te}".encode()
    if framing == "length":
        request += b"Content-Length: %d\r\n\r\n%s" % (len(content), content)
    else:  # the size line is a bad request by itself, unless it reads like one of HTTP/0.9
        request += b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)
    with Undrained() as origin:
        server = serve([host("left.test", "report", origin=f"127.0.0.1:{origin.server_port}")], shards=1)
        with server.connect("left.test") as client:
            for _ in range(3):
                client.sendall(request)
                assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert server.curl("left.test", "/after").status == 200
        time.sleep(0.3)
        origin.shutdown()
    assert origin.seen == [(method, "/", "none")] * 3 + [("GET", "/after", "none")]


@pytest.mark.parametrize("credentials", ["Authorization: NTLM abc", "authorization: nEGOTIATE abc",
                                         "Proxy-Authorization: Negotiate abc"])
@pytest.mark.http1_only
def test_who_has_signed_in_keeps_the_connection(serve, host, scripted, credentials):
    origin = scripted(numbering())
    server = serve([host("ntlm.test", origin=origin.address)], shards=1)
    with server.connect("ntlm.test") as client:
        request = f"GET / HTTP/1.1\r\nHost: ntlm.test\r\n{credentials}\r\n\r\n".encode()
        plain = b"GET / HTTP/1.1\r\nHost: ntlm.test\r\n\r\n"
        assert exchange(client, request, b"0").endswith(b"\r\n\r\n0")
        assert server.curl("ntlm.test").text == "1"
        assert exchange(client, plain, b"0").endswith(b"\r\n\r\n0")
        assert server.curl("ntlm.test").text == "1"
        assert exchange(client, request, b"0").endswith(b"\r\n\r\n0")
    # With the client goes the connection.
    time.sleep(0.2)
    assert server.curl("ntlm.test").text == "1"


@pytest.mark.parametrize("challenges", [
    b"WWW-Authenticate: NTLM\r\n", b"www-authenticate: Basic realm=\"a, b\", negotiate\r\n",
    b"WWW-Authenticate: Basic realm=\"a\"\r\nWWW-Authenticate: Negotiate\r\n", b"Proxy-Authenticate: NTLM\r\n"])
@pytest.mark.http1_only
def test_who_is_asked_to_sign_in_keeps_the_connection(serve, host, scripted, challenges):
    def reply(head):
        if b"/secret" in head:
            return b"HTTP/1.1 401 No\r\n" + challenges + b"Content-Length: 2\r\n\r\nno"
        return None

    origin = scripted(numbering(reply=reply))
    server = serve([host("ntlm.test", origin=origin.address)], shards=1)
    with server.connect("ntlm.test") as client:
        assert b" 401 " in exchange(client, b"GET /secret HTTP/1.1\r\nHost: ntlm.test\r\n\r\n", b"no")
        assert server.curl("ntlm.test").text == "1"
        assert exchange(client, b"GET / HTTP/1.1\r\nHost: ntlm.test\r\n\r\n", b"0").endswith(b"\r\n\r\n0")


@pytest.mark.http1_only
def test_ntlm_by_head(serve, host, scripted):
    """Its three messages must come on one connection; each answer to HEAD announces a body."""
    def script(connection, number):
        for answer in (b"401 No\r\nWWW-Authenticate: NTLM", b"401 No\r\nWWW-Authenticate: NTLM TlRMTVNTUAAC", b"200 OK"):
            if not script.origin.read_head(connection):
                return
            connection.sendall(b"HTTP/1.1 %s\r\nX-Number: %d\r\nContent-Length: 5\r\n\r\n" % (answer, number))
        script.origin.read_head(connection)

    origin = scripted(script)
    server = serve([host("ntlm.test", origin=origin.address)], shards=1)
    with server.connect("ntlm.test") as client:
        for credentials, status in ((b"", b"401"), (b"Authorization: NTLM TlRMTVNTUAAB\r\n", b"401"),
                                    (b"Authorization: NTLM TlRMTVNTUAAD\r\n", b"200")):
            request = b"HEAD / HTTP/1.1\r\nHost: ntlm.test\r\n" + credentials + b"\r\n"
            answer = exchange(client, request, b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 " + status) and b"X-Number: 0\r\n" in answer
    assert origin.accepted == 1


def test_other_schemes_share(serve, host, scripted):
    origin = scripted(numbering(b"WWW-Authenticate: Basic realm=\"NTLM\"\r\n"))
    server = serve([host("basic.test", origin=origin.address)], shards=1)
    assert server.curl("basic.test", "/", "-H", "Authorization: Basic eDp5").text == "0"
    assert server.curl("basic.test").text == "0"


@pytest.mark.http1_only
def test_a_pool_that_is_off(serve, host, scripted):
    origin = scripted(numbering())
    entry = {**host("off.test", origin=origin.address), "origin_pool": "off"}
    server = serve([entry], shards=1)
    with server.connect("off.test") as first, server.connect("off.test") as second:
        for _ in range(3):
            request = b"GET / HTTP/1.1\r\nHost: off.test\r\n\r\n"
            assert exchange(first, request, b"\r\n\r\n0").endswith(b"0")
            assert exchange(second, request, b"\r\n\r\n1").endswith(b"1")
    assert server.curl("off.test").text == "2"


def test_posts_do_not_meet_a_connection_that_closes(serve, host, scripted):
    """An origin that closes after two seconds, as gunicorn does, and clients that come just then."""
    def script(connection, number):
        connection.settimeout(2)
        while script.origin.read_head(connection):
            connection.sendall(OK)

    origin = scripted(script)
    server = serve([host("race.test", origin=origin.address)], shards=1)
    failures = []

    def client(offset):
        with server.connect("race.test") as connection:
            for _ in range(2):
                answer = exchange(connection, b"POST / HTTP/1.1\r\nHost: race.test\r\nContent-Length: 0\r\n\r\n", b"ok")
                if not answer.startswith(b"HTTP/1.1 200"):
                    failures.append(answer)
                    return
                time.sleep(1.99 + offset * 0.001)

    threads = [threading.Thread(target=client, args=(offset,)) for offset in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_an_origin_that_says_when_it_closes_is_left_before(serve, host, scripted):
    ends = []

    def script(connection, number):
        connection.settimeout(2)
        began = None
        try:
            while script.origin.read_head(connection):
                connection.sendall(b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=2\r\nContent-Length: 2\r\n\r\nok")
                began = time.monotonic()
            ends.append(time.monotonic() - began)
        except TimeoutError:
            ends.append(None)

    origin = scripted(script)
    server = serve([host("said.test", origin=origin.address)], shards=1)
    assert server.curl("said.test").text == "ok"
    time.sleep(2.5)
    assert len(ends) == 1 and ends[0] is not None and 0.5 < ends[0] < 1.9


HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"


def test_informational_answers_pass(serve, host, scripted):
    processing = b"HTTP/1.1 102 Processing\r\n\r\n"
    answer = b"HTTP/1.1 100 Continue\r\n\r\n" + processing + HINTS + OK
    origin = scripted(always(answer))
    server = serve([host("hints.test", origin=origin.address)], shards=1)
    received = server.raw("hints.test", b"GET / HTTP/1.1\r\nHost: hints.test\r\nConnection: close\r\n\r\n")
    heads = [part.split(b"\r\n")[0] for part in received.split(b"\r\n\r\n")]
    assert heads[:3] == [b"HTTP/1.1 102 Processing", b"HTTP/1.1 103 Early Hints", b"HTTP/1.1 200 OK"]
    assert b"Link: </a.css>; rel=preload\r\n" in received
    assert received.count(b"Connection: close") == 1
    if server.protocol == "http1":
        old = server.raw("hints.test", b"GET / HTTP/1.0\r\nHost: hints.test\r\n\r\n")
        assert old.startswith(b"HTTP/1.1 200 OK") and b"Hints" not in old


def test_hints_come_at_once_and_may_be_all(serve, host, scripted):
    more = threading.Event()

    def script(connection, number):
        script.origin.read_head(connection)
        connection.sendall(HINTS)
        more.wait(10)

    origin = scripted(script)
    server = serve([host("hints.test", origin=origin.address)], shards=1)
    with server.connect("hints.test") as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: hints.test\r\nConnection: close\r\n\r\n")
        first = connection.recv(65536)
        assert first.startswith(b"HTTP/1.1 103 Early Hints\r\n")
        more.set()
        assert exchange(connection, b"").startswith(b"HTTP/1.1 502 ")


def test_hints_without_end_are_too_many(serve, host, scripted):
    def script(connection, number):
        script.origin.read_head(connection)
        while True:
            connection.sendall(HINTS)

    origin = scripted(script)
    server = serve([host("hints.test", origin=origin.address)], shards=1)
    received = server.raw("hints.test", b"GET / HTTP/1.1\r\nHost: hints.test\r\nConnection: close\r\n\r\n")
    assert received.count(b"HTTP/1.1 103") == 32
    assert b"HTTP/1.1 502 " in received


TRAILED = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n"
           b"Set-Cookie: a=b\r\nContent-Length: 9\r\nX-Client-Cert-Status: valid\r\n\r\n")


@pytest.mark.parametrize("te, version, passes", [("TE: trailers\r\n", "1.1", True), ("te: deflate;q=0.5, Trailers\r\n", "1.1", True),
                                                 ("", "1.1", False), ("TE: gzip\r\n", "1.1", False),
                                                 ("TE: trailers\r\n", "1.0", False)])
def test_trailers_pass_to_those_who_take_them(serve, host, scripted, te, version, passes):
    origin = scripted(always(TRAILED))
    server = serve([host("trail.test", origin=origin.address)], shards=1)
    if version == "1.0" and server.protocol == "http2":
        return
    received = server.raw("trail.test", f"GET / HTTP/{version}\r\nHost: trail.test\r\nConnection: close\r\n{te}\r\n".encode())
    assert b"ok" in received and b"Set-Cookie" not in received and b"X-Client-Cert" not in received
    assert received.endswith(b"0\r\nX-Sum: 1\r\n\r\n") == passes
    assert (b"Trailer: X-Sum\r\n" in received) == passes
    assert (b"\r\nTE: trailers\r\n" in origin.heads[0]) == passes
    assert server.curl("trail.test").text == "ok"
    assert origin.accepted == 1


def test_trailers_that_connection_names_end_here(serve, host, scripted):
    head = b"HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nTransfer-Encoding: chunked\r\nTrailer: X-Hop, X-Sum\r\n\r\n"
    origin = scripted(always(head + b"2\r\nok\r\n0\r\nX-Hop: 1\r\nX-Sum: 1\r\nx_hop: 2\r\n\r\n"))
    server = serve([host("trail.test", origin=origin.address)], shards=1)
    received = server.raw("trail.test", b"GET / HTTP/1.1\r\nHost: trail.test\r\nConnection: close\r\nTE: trailers\r\n\r\n")
    assert received.endswith(b"\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n")


def read_chunked(connection, received):
    while not received.endswith(b"\r\n\r\n") or b"\r\n0\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            break
        received += piece
    return received


def test_trailers_of_a_request_pass_when_they_are_announced(serve, host, scripted):
    seen = []

    def script(connection, number):
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(65536)
        seen.append(read_chunked(connection, received))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    origin = scripted(script)
    server = serve([host("trail.test", "report", origin=origin.address)], shards=1)
    start = b"POST / HTTP/1.1\r\nHost: trail.test\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n"
    body = (b"\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\nX-Other: 2\r\nX-Client-Cert-Status: valid\r\nx_client_cert_ski: 00\r\n"
            b"Authorization: x\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n")
    announced = b"Trailer: x-sum, X-Client-Cert-Status, x_client_cert_ski, Authorization\r\nTrailer: X-Forwarded-For\r\n"
    assert server.raw("trail.test", start + announced + body).startswith(b"HTTP/1.1 200 ")
    assert server.raw("trail.test", start + body).startswith(b"HTTP/1.1 200 ")
    assert server.raw("trail.test", start + b"Trailer: " + b"a" * 2000 + b", X-Sum\r\n" + body).startswith(b"HTTP/1.1 200 ")
    assert seen[0].endswith(spelled(server, b"\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n"))
    assert spelled(server, b"\r\nTrailer: x-sum,") in seen[0]
    if server.protocol == "http2":  # which has no Connection
        return
    named = b"Trailer: X-Other, X-Sum\r\nConnection: close, x_sum\r\n"
    assert server.raw("trail.test", start.replace(b"Connection: close\r\n", named) + body).startswith(b"HTTP/1.1 200 ")
    assert seen.pop().endswith(b"\r\n\r\n2\r\nhi\r\n0\r\nX-Other: 2\r\n\r\n")
    for other in seen[1:]:
        assert other.endswith(b"\r\n\r\n2\r\nhi\r\n0\r\n\r\n") and b"\r\nTrailer:" not in other


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5   \r\nhello\r\n0  \r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5 ; a = \"b c\"\t;d\r\nhello\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked \t\r\n\r\n00000005\r\nhello\r\n000\r\n\r\n",
    b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 \r\nX-A: b\r\n c\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nContent-Length :5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    b"HTTP/1.0 200 OK\n\nhello",
    b"HTTP/1.2 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 5\r\n\r\nhello",
])
def test_old_origins_are_understood(serve, host, scripted, answer):
    origin = scripted(always(answer, close=True))
    server = serve([host("old.test", origin=origin.address)], shards=1)
    for _ in range(2):
        response = server.curl("old.test")
        assert (response.status, response.text) == (200, "hello")
        assert b"\n " not in response.head


def test_an_answer_may_have_as_many_headers_as_is_set(serve, host, scripted):
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + b"".join(b"X-%d: x\r\n" % i for i in range(499)) + b"\r\nok"
    origin = scripted(always(answer))
    for limit, status in [(500, 200), (499, 502), (None, 502)]:
        limits = {"connections": 64, **({} if limit is None else {"response_headers": limit})}
        server = serve([host("many.test", origin=origin.address)], shards=1, limits=limits)
        assert server.curl("many.test").status == status


FAULTS = {
    "closed_early": (b"", 502), "malformed_status_line": (b"garbage\r\n\r\n", 502),
    "malformed_header": (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", 502),
    "malformed_length": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", 502),
    "malformed_transfer_encoding": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok", 502),
    "unasked_upgrade": (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", 502),
    "too_large": (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100000 + b"\r\n\r\n", 502),
    "too_many_headers": (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 120 + b"\r\n", 502),
    "too_many_interim": (HINTS * 40, 502),
    "truncated": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this", 200),
    "malformed_chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 200),
    "malformed_trailers": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nno colon\r\n\r\n", 200),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_origins_is_named(logged, host, scripted, fault):
    answer, status = FAULTS[fault]
    origin = scripted(always(answer, close=True))
    server, path = logged(host("a.test", origin=origin.address))
    response = server.curl("a.test", check=False)
    assert response.status == status or (server.protocol == "http2" and status == 200 and response.was_cut)
    line = requests_of(wait_for_lines(path, 1))[0]
    assert (line["code"], line["origin_error"]) == (status, fault)
    assert f"WARNING host a.test: origin {origin.address}: {fault}" in server.stderr()


def test_an_origin_that_refuses_is_named(logged, host):
    address = f"127.0.0.1:{free_port()}"
    server, path = logged(host("a.test", origin=address))
    assert server.curl("a.test").status == 502
    assert requests_of(wait_for_lines(path, 1))[0]["origin_error"] == "refused"
    assert f"host a.test: origin {address}: refused" in server.stderr()


def test_an_origin_that_resets_is_named(logged, host, scripted):
    def script(connection, number):
        script.origin.read_head(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    origin = scripted(script)
    server, path = logged(host("a.test", origin=origin.address))
    assert server.curl("a.test").status == 502
    assert requests_of(wait_for_lines(path, 1))[0]["origin_error"] == "reset"


def test_an_origin_that_speaks_first_is_named(logged, host, scripted):
    def script(connection, number):
        connection.sendall(b"220 mail.example.com ESMTP\r\n")
        time.sleep(1)

    origin = scripted(script)
    server, path = logged(host("a.test", origin=origin.address))
    assert server.curl("a.test").status == 502
    error = requests_of(wait_for_lines(path, 1))[0]["origin_error"]
    assert error in ("spoke_first", "malformed_status_line")


def test_a_good_answer_has_no_fault(logged, host, scripted):
    origin = scripted(always(OK))
    server, path = logged(host("a.test", origin=origin.address))
    assert server.curl("a.test").status == 200
    assert "origin_error" not in requests_of(wait_for_lines(path, 1))[0]


def test_faults_do_not_flood_the_log(logged, host, scripted):
    origin = scripted(always(b"garbage\r\n\r\n", close=True))
    server, path = logged(host("a.test", origin=origin.address))
    for _ in range(20):
        assert server.curl("a.test").status == 502
    assert len(json.dumps(wait_for_lines(path, 20))) > 0
    # The origin's first line of the minute, and the five of the fault.
    assert server.stderr().count("malformed_status_line") == 1 + 5


def test_an_answer_that_comes_after_its_client_has_gone_reaches_nobody(serve, host, scripted):
    asked, left = threading.Event(), threading.Event()

    def script(connection, number):
        if script.origin.read_head(connection) and number == 0:
            asked.set()
            left.wait(20)
            connection.sendall(EVIL)
            time.sleep(0.3)
            return
        connection.sendall(OK)
        script.origin.read_head(connection)

    origin = scripted(script)
    server = serve([host("gone.test", origin=origin.address)], shards=1)
    connection = server.connect("gone.test")
    connection.sendall(b"GET / HTTP/1.1\r\nHost: gone.test\r\n\r\n")
    assert asked.wait(20)
    connection.close()
    left.set()
    for _ in range(5):
        assert server.curl("gone.test").text == "ok"


@pytest.mark.parametrize("behind", [EVIL, b"x", b"\r\n"])
def test_what_follows_an_answer_reaches_nobody(serve, host, scripted, behind):
    def script(connection, number):
        if script.origin.read_head(connection):
            connection.sendall(OK + (behind if number == 0 else b""))
        script.origin.read_head(connection)

    origin = scripted(script)
    server = serve([host("split.test", origin=origin.address)], shards=1)
    for _ in range(4):
        assert server.curl("split.test").text == "ok"


def test_an_early_answer_costs_the_connection(serve, host, scripted):
    """The rest of the request would be the start of the next one."""
    def script(connection, number):
        script.origin.read_head(connection)
        connection.sendall(OK)
        script.origin.read_head(connection)

    origin = scripted(script)
    server = serve([host("early.test", origin=origin.address)], shards=1)
    with server.connect("early.test") as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: early.test\r\nContent-Length: 1000\r\n\r\nstart")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        assert server.curl("early.test").text == "ok"
    assert origin.accepted == 2
