"""Origins that die, lie and dawdle: at connect, between requests, in the midst of an answer."""

import contextlib
import socket
import threading
import time

import pytest

from conftest import free_port

pytestmark = pytest.mark.both_protocols

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answering(answer, then_close=False, requests=1000):
    def script(connection, number):
        for _ in range(requests):
            if not script.origin.read_head(connection):
                return
            connection.sendall(answer)
            if then_close:
                return
    return script


def test_connections_to_the_origin_are_kept(serve, host, scripted):
    origin = scripted(answering(OK))
    server = serve([host("keep.test", origin=origin.address)], shards=1)
    for _ in range(20):
        assert server.curl("keep.test").text == "ok"
    assert origin.accepted == 1


def test_nobody_listens(serve, host):
    server = serve([host("dead.test", origin=f"127.0.0.1:{free_port()}")])
    for _ in range(3):
        assert server.curl("dead.test").status == 502


def test_one_of_several_is_dead(serve, host, scripted):
    origin = scripted(answering(OK))
    server = serve([host("some.test", origin=[f"127.0.0.1:{free_port()}", origin.address])], shards=1)
    assert [server.curl("some.test").status for _ in range(10)] == [200] * 10


def test_several_are_used_in_turn(serve, host, scripted):
    last = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")  # or the next request may be tried on the same connection
    first, second = scripted(answering(last, True)), scripted(answering(last, True))
    server = serve([host("turn.test", origin=[first.address, second.address])], shards=1)
    for _ in range(10):
        assert server.curl("turn.test").status == 200
    assert first.accepted == 5 and second.accepted == 5


def test_closed_between_requests_is_retried(serve, host, scripted):
    """The origin answers once on each connection, waits until the pool believes in it, and closes at the next request."""
    def script(connection, number):
        script.origin.read_head(connection)
        connection.sendall(OK)
        script.origin.read_head(connection)

    origin = scripted(script)
    server = serve([host("stale.test", origin=origin.address)], shards=1)
    assert [server.curl("stale.test").status for _ in range(6)] == [200] * 6


def test_a_post_is_not_retried(serve, host, scripted):
    def script(connection, number):
        script.origin.read_head(connection)
        connection.sendall(OK)
        script.origin.read_head(connection)

    origin = scripted(script)
    server = serve([host("stale.test", origin=origin.address)], shards=1)
    assert server.curl("stale.test").status == 200
    assert server.curl("stale.test", "/", "-d", "pay").status == 502
    posts = [head for head in origin.heads if head.startswith(b"POST")]
    assert len(posts) == 1


@pytest.mark.parametrize("answer, status", [
    (b"", 502), (b"HTTP/1.1 20", 502), (b"garbage\r\n\r\n", 502), (b"\x16\x03\x01\x00", 502),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 502),
    (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100000 + b"\r\n\r\n", 502),
    (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", 502),
])
def test_bad_answers(serve, host, scripted, answer, status):
    origin = scripted(answering(answer, True))
    server = serve([host("bad.test", origin=origin.address)])
    assert server.curl("bad.test").status == status
    assert server.curl("bad.test").status == status


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nonly this",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nonly this",
])
def test_dying_mid_response_is_seen_by_the_client(serve, host, scripted, answer):
    origin = scripted(answering(answer, True))
    server = serve([host("cut.test", origin=origin.address)])
    response = server.curl("cut.test", check=False)
    assert response.was_cut, response.error


def test_answers_of_every_framing(serve, host, scripted):
    answers = {
        b"/length": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nA: b\r\n\r\n",
        b"/close": b"HTTP/1.1 200 OK\r\n\r\nhello",
        b"/old": b"HTTP/1.0 200 OK\r\n\r\nhello",
        b"/early": b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    }

    def script(connection, number):
        while head := script.origin.read_head(connection):
            path = head.split(b" ")[1]
            connection.sendall(answers[path])
            if path in (b"/close", b"/old"):
                return

    origin = scripted(script)
    server = serve([host("frame.test", origin=origin.address)])
    for path in answers:
        for options in [[], ["--http1.0"]] if server.protocol == "http1" else [[]]:
            response = server.curl("frame.test", path.decode(), *options)
            assert (response.status, response.text) == (200, "hello"), (path, options)


def test_answer_before_the_request_is_complete(serve, host, scripted):
    def script(connection, number):
        script.origin.read_head(connection)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n")
        while connection.recv(65536):  # a close with unread bytes would be a reset, which may overtake the answer
            pass

    origin = scripted(script)
    server = serve([host("early.test", origin=origin.address)])
    answer = server.raw("early.test", b"POST / HTTP/1.1\r\nHost: early.test\r\nContent-Length: 1000000\r\n"
                        b"Connection: close\r\n\r\nstart")
    assert answer.startswith(b"HTTP/1.1 413")
    assert answer.endswith(b"no\n")


def test_client_goes_away_and_the_origin_notices(serve, host, scripted):
    asked, gone = threading.Event(), threading.Event()

    def script(connection, number):
        script.origin.read_head(connection)
        asked.set()
        connection.settimeout(20)
        with contextlib.suppress(ConnectionResetError):  # as good as an end
            assert connection.recv(1) == b""
        gone.set()

    origin = scripted(script)
    server = serve([host("gone.test", origin=origin.address)])
    connection = server.connect("gone.test")
    connection.sendall(b"GET / HTTP/1.1\r\nHost: gone.test\r\n\r\n")
    assert asked.wait(20)
    # By a reset: an end alone may be that of one half, by a client that still listens.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()
    assert gone.wait(15)


def test_host_name_as_origin(serve, host, scripted):
    origin = scripted(answering(OK))
    server = serve([host("named.test", origin=f"localhost:{origin.port}")])
    assert [server.curl("named.test").status for _ in range(4)] == [200] * 4


def test_ipv6(serve, host, scripted):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 loopback here")
    port = free_port()
    origin = scripted(answering(OK))
    server = serve([host("six.test", origin=origin.address)],
                   listen=[{"address": f"127.0.0.1:{port}"}, {"address": f"[::1]:{port}"}])
    assert server.curl("six.test", "/", "--connect-to", f"::[::1]:{port}").text == "ok"
    assert any(b"X-Forwarded-For: ::1\r\n" in head for head in origin.heads)


def test_a_stalled_origin_is_not_the_clients_fault(serve, host, scripted):
    done = threading.Event()

    def script(connection, number):
        head = script.origin.read_head(connection)
        done.wait(20)
        connection.settimeout(20)
        left = 3_000_000 - len(head.partition(b"\r\n\r\n")[2])
        while left > 0 and (piece := connection.recv(min(left, 1 << 20))):
            left -= len(piece)
        connection.sendall(OK)

    origin = scripted(script)
    server = serve([host("stall.test", origin=origin.address)],
                   limits={"connections": 64, "idle_timeout": "1s", "request_header_timeout": "1s"})
    threading.Timer(3, done.set).start()
    with server.connect("stall.test") as connection:
        connection.settimeout(20)
        connection.sendall(b"POST / HTTP/1.1\r\nHost: stall.test\r\nContent-Length: 3000000\r\nConnection: close\r\n\r\n")
        body = b"x" * 3_000_000
        connection.sendall(body)
        answer = connection.recv(1000)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert server.metric("sallyport_rejected_total", stage="request", reason="timeout") == 0


def test_the_log_tells_of_each_origin_that_is_down(serve, host):
    """Also of many that fail at once, each in a host of its own, and of those that come back."""
    ports = [free_port() for _ in range(12)]
    server = serve([host(f"h{i}.test", origin=[f"127.0.0.1:{port}"]) for i, port in enumerate(ports)], shards=1)
    for _ in range(2):
        assert all(server.curl(f"h{i}.test").status == 502 for i in range(12))
    lines = [line for line in server.stderr().splitlines() if "passed over for" in line]
    assert len(lines) == 12
    for i, port in enumerate(ports):
        assert any(f"host h{i}.test: origin 127.0.0.1:{port}: refused: Connection refused; passed over for 10 s" in line for line in lines)
    assert len([line for line in server.stderr().splitlines() if "no origin takes a connection; the last one, " in line]) == 5
