"""Clients that end their side once they have asked: what was asked whole is answered, what was not is no request."""

import threading
import time

import pytest

import origins
from bio import Client
from conftest import wait_for
from test_http import statuses

GET = b"GET / HTTP/1.1\r\nHost: h.test\r\n\r\n"
ENDS = {"FIN": (False, True), "close_notify": (True, False), "both": (True, True)}


@pytest.fixture
def server(serve, host):
    return serve([host("h.test", "off"), host("e.test", "enforce")], shards=1)


class Slow:
    """Answers after `delay` seconds, and tells when a request was complete and when its connection ended before that."""

    def __init__(self, delay, body=b"late"):
        self.delay = delay
        self.body = body
        self.asked = threading.Event()
        self.left = threading.Event()  # the edge has dropped the connection without having got the answer

    def __call__(self, connection, number):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(65536)
            if not piece:
                return
            head += piece
        self.asked.set()
        connection.settimeout(self.delay)
        try:
            if connection.recv(1) == b"":
                self.left.set()
                return
        except TimeoutError:
            pass
        connection.settimeout(None)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(self.body) + self.body)


@pytest.fixture
def slow():
    running = []

    def start(*arguments):
        script = Slow(*arguments)
        origin = origins.Scripted(script)
        origin.__enter__()
        running.append(origin)
        script.address = origin.address
        return script

    yield start
    for origin in running:
        origin.__exit__()


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("end", sorted(ENDS))
@pytest.mark.parametrize("count", [1, 3])
def test_what_was_asked_is_answered(server, version, end, count):
    notify, fin = ENDS[end]
    with Client(server, "h.test", version=version) as client:
        client.send(GET * count, notify, fin)
        assert statuses(client.read()) == [200] * count
        assert client.notified, "the end of the answers is no truncation"


@pytest.mark.parametrize("end", sorted(ENDS))
def test_a_late_answer_reaches_a_client_that_listens(serve, host, slow, end):
    origin = slow(1.0)
    server = serve([host("h.test", origin=origin.address)])
    with Client(server, "h.test") as client:
        client.send(GET, *ENDS[end])
        answer = client.read()
        assert statuses(answer) == [200] and answer.endswith(b"late")
    assert not origin.left.is_set()


def test_a_long_answer_reaches_a_client_that_has_ended_its_side(serve, host, slow):
    origin = slow(0.2, b"x" * 3_000_000)
    server = serve([host("h.test", origin=origin.address)])
    with Client(server, "h.test") as client:
        client.send(GET, fin=True)
        time.sleep(0.5)
        assert client.read().endswith(b"\r\n\r\n" + b"x" * 3_000_000)
        assert client.notified


def test_the_end_after_the_answer_is_an_end_in_peace(server):
    with Client(server, "h.test") as client:
        client.send(GET)
        time.sleep(0.3)
        client.send(b"", fin=True)
        assert statuses(client.read()) == [200]
        assert client.notified


@pytest.mark.parametrize("end", sorted(ENDS))
def test_bodies_and_denials(server, end):
    post = b"POST /body HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    with Client(server, "h.test") as client:
        client.send(post, *ENDS[end])
        answer = client.read()
        assert statuses(answer) == [200] and b"hello" in answer
    denied = b"POST / HTTP/1.1\r\nHost: e.test\r\nContent-Length: 5\r\n\r\nhello"
    with Client(server, "e.test") as client:
        client.send(denied * 3, *ENDS[end])
        assert statuses(client.read()) == [403] * 3


CUT = {
    "in a request line": b"GET / HT",
    "in a header": GET[:-5],
    "before the last LF": GET[:-1],
    "before a body": b"POST /body HTTP/1.1\r\nHost: h.test\r\nContent-Length: 5\r\n\r\n",
    "in a body": b"POST /body HTTP/1.1\r\nHost: h.test\r\nContent-Length: 5\r\n\r\nhell",
    "in a chunk": b"POST /body HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    "before the last chunk": b"POST /body HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "in the trailers": b"POST /body HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n",
}


@pytest.mark.parametrize("end", sorted(ENDS))
@pytest.mark.parametrize("before", [0, 2])
@pytest.mark.parametrize("where", sorted(CUT))
def test_what_is_cut_off_is_no_request(server, where, before, end):
    """And it is noticed now: not when a deadline of ten or sixty seconds has passed."""
    with Client(server, "h.test") as client:
        began = time.monotonic()
        client.send(GET * before + CUT[where], *ENDS[end])
        assert statuses(client.read()) == [200] * before
        assert time.monotonic() - began < 5


def test_an_origin_takes_no_body_that_is_cut_off_for_whole(serve, host):
    seen = []

    def script(connection, number):
        received = b""
        while piece := connection.recv(65536):
            received += piece
        seen.append(received)

    with origins.Scripted(script) as origin:
        server = serve([host("h.test", origin=origin.address)])
        for cut in ("in a body", "in a chunk", "before the last chunk", "in the trailers"):
            with Client(server, "h.test") as client:
                client.send(CUT[cut], fin=True)
                assert client.read() == b""
    wait_for(lambda: len(seen) == origin.accepted)
    for received in seen:
        head, _, body = received.partition(b"\r\n\r\n")
        assert b"Content-Length: 5" not in head or len(body) < 5
        assert b"chunked" not in head or b"0\r\n\r\n" not in body


def test_who_asks_nothing_gets_nothing(server):
    with Client(server, "h.test") as client:
        client.send(b"", fin=True)
        assert client.read() == b""


@pytest.mark.parametrize("half_closed", [False, True])
def test_a_client_that_goes_while_the_origin_works_is_noticed(serve, host, slow, half_closed):
    origin = slow(20.0)
    server = serve([host("h.test", origin=origin.address)], shards=1)
    client = Client(server, "h.test")
    client.send(GET, fin=half_closed)
    assert origin.asked.wait(20)
    time.sleep(0.3)
    assert not origin.left.is_set(), "half-closed is not gone"
    client.reset()
    assert origin.left.wait(20), "the origin works for nobody"
    wait_for(lambda: server.metric("sallyport_connections") == 0)


def test_a_client_that_is_gone_costs_no_more_than_its_answer(serve, host, slow):
    """After close() without a reset nothing tells that nobody listens, until something is sent."""
    origin = slow(1.0, b"x" * 1_000_000)
    server = serve([host("h.test", origin=origin.address)], shards=1)
    clients = [Client(server, "h.test") for _ in range(20)]
    for client in clients:
        client.send(GET)
        client.raw.close()
    wait_for(lambda: server.metric("sallyport_connections") == 0)


def test_a_half_closed_client_that_does_not_read_is_given_up(serve, host, slow):
    origin = slow(0.1, b"x" * 20_000_000)
    server = serve([host("h.test", origin=origin.address)], shards=1,
                   limits={"connections": 64, "idle_timeout": "1s"})
    with Client(server, "h.test") as client:
        client.send(GET, fin=True)
        wait_for(lambda: server.metric("sallyport_connections") == 0)
