"""Upgrades byte by byte, by an origin and a client that do what no library does: offers, 101s, halves, and bytes in haste."""

import ssl
import threading
import time

import pytest

import origins
from bio import Client
from conftest import seen, wait_for

ASK = b"GET /t HTTP/1.1\r\nHost: u.test\r\nConnection: Upgrade\r\nUpgrade: %s\r\n%s\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n%s\r\n"
GET = b"GET /next HTTP/1.1\r\nHost: u.test\r\n\r\n"


def ask(protocol=b"test/1", more=b""):
    return ASK % (protocol, more)


def switch(protocol=b"test/1", more=b""):
    return SWITCH % (protocol, more)


def answer(body=b"ok", more=b""):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), more, body)


SHARDS_OWN_KIB = 5000  # receive buffers and more, which are touched for the first time: some 2,700


class Origin(origins.Scripted):
    """Reads a head, sends `switch`, and leaves the rest to `talk(connection)`. Whatever comes before the 101 is in `early`."""

    def __init__(self, talk=None, head=None, wait=0.3):
        super().__init__(self.run)
        self.talk, self.head, self.wait = talk or (lambda connection: None), head or switch(), wait
        self.early = b""

    def run(self, connection, number):
        if not self.read_head(connection):
            return
        self.early = self.heads[-1].partition(b"\r\n\r\n")[2]
        connection.settimeout(self.wait)
        try:
            self.early += connection.recv(65536)
        except TimeoutError:
            pass
        connection.settimeout(20)
        connection.sendall(self.head)
        self.talk(connection)


def echo(connection):
    while piece := connection.recv(65536):
        connection.sendall(piece)


@pytest.fixture
def tunnel(serve, host):
    """tunnel(origin, ...): a server before an origin, which is ended with the test."""
    running = []

    def start(origin, mode="off", **entry):
        origin.__enter__()
        running.append(origin)
        return serve([{**host("u.test", mode, origin=origin.address), **entry}], shards=1)

    yield start
    for origin in running:
        origin.__exit__()


def read_head(connection):
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        assert piece, received
        received += piece
    head, _, rest = received.partition(b"\r\n\r\n")
    return head, rest


def read(connection, size, received=b""):
    while len(received) < size:
        piece = connection.recv(65536)
        assert piece, received
        received += piece
    return received


# Offers


@pytest.mark.parametrize("offer", [
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n", b"Connection: Upgrade\r\nUpgrade: TLS/1.2\r\n",
    b"Upgrade: h2c\r\n", b"Connection: Upgrade\r\n", b"Upgrade: websocket\r\n", b"Connection: Upgrade\r\nUpgrade: HTTP/2.0, h2c, H2C-14\r\n",
    b"Connection: Upgrade\r\nUpgrade: \"h2c\"\r\n", b"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n"])
def test_an_offer_that_is_not_passed_on_is_ignored(serve, host, offer):
    """The request is answered in HTTP/1.1, and so is the next one on the connection."""
    server = serve([host("u.test")], shards=1)
    request = b"GET / HTTP/1.1\r\nHost: u.test\r\n" + offer + b"\r\n" + (b"{}" if b"Content-Length" in offer else b"")
    received = server.raw("u.test", request + b"GET / HTTP/1.1\r\nHost: u.test\r\nConnection: close\r\n\r\n").decode("latin-1")
    assert received.count("HTTP/1.1 200") == 2
    for name in ("Upgrade", "HTTP2-Settings"):
        assert seen(received, name) == []


def test_of_several_protocols_those_that_may_be_are_passed_on(tunnel):
    origin = Origin(echo, switch(b"WebSocket"))
    server = tunnel(origin)
    with server.connect("u.test") as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: u.test\r\nConnection: x-hop, Upgrade\r\nX-Hop: 1\r\nTE: trailers\r\n"
                       b"Upgrade: h2c, websocket\r\nUpgrade: test/1, TLS/1.3\r\n\r\n")
        head, _ = read_head(client)
        assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n") and b"\r\nUpgrade: WebSocket" in head
        assert b"\r\nConnection: Upgrade" in head and b"\r\nDate: " in head and b"\r\nX-Request-Id: " in head
    head = origin.heads[0].decode()
    assert seen(head, "Upgrade") == ["websocket, test/1"] and seen(head, "Connection") == ["Upgrade"]
    assert seen(head, "X-Hop") == [] and seen(head, "TE") == []


def test_an_offer_of_http_1_0_is_ignored(serve, host):
    server = serve([host("u.test")], shards=1)
    received = server.raw("u.test", ask(b"websocket").replace(b"HTTP/1.1", b"HTTP/1.0")).decode("latin-1")
    assert received.startswith("HTTP/1.1 200") and seen(received, "Upgrade") == []


# 101


@pytest.mark.parametrize("asks, says", [
    (GET, switch()), (ask(b"h2c"), switch(b"h2c")), (ask(), switch(b"h2c")), (ask(), switch(b"test/2")), (ask(), switch(b"test/1, h2c")),
    (ask(), b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n"),
    (b"POST /t HTTP/1.1\r\nHost: u.test\r\nConnection: Upgrade\r\nUpgrade: test/1\r\nContent-Length: 10\r\n\r\nhal", switch()),
])
def test_a_switch_that_nobody_asked_for_is_a_fault(tunnel, asks, says):
    """Also one before the request is complete."""
    server = tunnel(Origin(echo, says))
    with server.connect("u.test") as client:
        client.sendall(asks)
        head, _ = read_head(client)
        assert head.startswith(b"HTTP/1.1 502 ")
    assert "unasked_upgrade" in server.stderr()
    assert server.metric("sallyport_tunnels_ended_total") == 0


@pytest.mark.parametrize("framing", [b"Content-Length: 5\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"])
def test_a_request_may_have_a_body(tunnel, framing):
    """As those have by which Docker's clients begin a session."""
    origin = Origin(echo, switch(b"tcp"))
    server = tunnel(origin)
    with server.connect("u.test") as client:
        client.sendall(b"POST /exec HTTP/1.1\r\nHost: u.test\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n" + framing)
        head, rest = read_head(client)
        assert head.startswith(b"HTTP/1.1 101 ")
        client.sendall(b"talk")
        assert read(client, 4, rest) == b"talk"
    assert (origin.early).endswith(framing.partition(b"\r\n\r\n")[2])


def test_bytes_in_haste_wait_for_the_switch(tunnel):
    """An origin that answers otherwise must not take them for anything: they were for a tunnel, or are the next request."""
    origin = Origin(echo, switch() + b"first ")
    server = tunnel(origin)
    with server.connect("u.test") as client:
        client.sendall(ask() + b"haste ")
        time.sleep(0.1)
        client.sendall(b"and more")
        head, rest = read_head(client)
        assert head.startswith(b"HTTP/1.1 101 ")
        assert read(client, 20, rest) == b"first haste and more"
    assert origin.early == b""


def test_behind_another_answer_they_are_the_next_request(tunnel):
    origin = Origin(head=answer(b"no upgrade"))
    server = tunnel(origin)
    with server.connect("u.test") as client:
        client.sendall(ask() + GET)
        received = b""
        while received.count(b"no upgrade") < 2:
            received += client.recv(65536)
    assert origin.early == b"" and origin.accepted == 2, "a connection on which an upgrade was offered carries nothing else"
    assert [head.split(b"\r\n")[0] for head in origin.heads] == [b"GET /t HTTP/1.1", b"GET /next HTTP/1.1"]
    assert b"Upgrade" not in origin.heads[1]


def test_a_tunnel_gets_into_no_pool(tunnel):
    first = threading.Event()

    def script(connection, number):
        origin.read_head(connection)
        connection.sendall(switch() if number == 0 else answer())
        if number == 0:
            first.set()
            echo(connection)

    origin = origins.Scripted(script)
    server = tunnel(origin)
    with server.connect("u.test") as client:
        client.sendall(ask())
        read_head(client)
    assert first.wait(10)
    assert server.curl("u.test").status == 200
    assert origin.accepted == 2


# Halves


@pytest.mark.parametrize("end", ["close_notify", "FIN", "both"])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_the_end_of_the_client_is_that_of_a_half(tunnel, end, version):
    heard = []

    def talk(connection):
        while piece := connection.recv(65536):
            heard.append(piece)
        time.sleep(0.3)
        connection.sendall(b"all of " + b"".join(heard))

    server = tunnel(Origin(talk))
    with Client(server, "u.test", version=version) as client:
        client.send(ask())
        wait_for(lambda: server.metric("sallyport_tunnels") == 1)
        client.send(b"x" * 100_000, end != "FIN", end != "close_notify")
        received = client.read()
        assert received.partition(b"\r\n\r\n")[2] == b"all of " + b"x" * 100_000
        assert client.notified
    wait_for(lambda: server.metric("sallyport_tunnels") == 0)


def test_the_end_of_the_origin_is_that_of_a_half(tunnel):
    """Its FIN becomes a close_notify; what the client says then still gets there."""
    heard = []
    done = threading.Event()

    def talk(connection):
        connection.sendall(b"that is all")
        connection.shutdown(1)
        while piece := connection.recv(65536):
            heard.append(piece)
        done.set()

    server = tunnel(Origin(talk))
    with server.connect("u.test") as client:
        client.sendall(ask())
        _, rest = read_head(client)
        assert read(client, 11, rest) == b"that is all"
        assert client.recv(1) == b"", "close_notify"
        client.sendall(b"y" * 100_000)
        client.unwrap().close()
    assert done.wait(10) and b"".join(heard) == b"y" * 100_000
    wait_for(lambda: server.metric("sallyport_tunnels_ended_total", end="closed") == 1)


def test_half_a_tunnel_has_the_limit_of_a_connection(serve, host):
    released = threading.Event()

    def talk(connection):
        connection.shutdown(1)
        released.wait(20)

    with Origin(talk) as origin:
        server = serve([host("u.test", origin=origin.address)], shards=1, limits={"connections": 64, "idle_timeout": "1s"})
        with server.connect("u.test") as client:
            client.sendall(ask())
            read_head(client)
            wait_for(lambda: server.metric("sallyport_tunnels_ended_total", end="idle") == 1)
        released.set()


@pytest.mark.parametrize("who", ["client", "origin"])
def test_a_reset_is_passed_on(tunnel, who):
    ended = threading.Event()

    def talk(connection):
        if who == "origin":
            connection.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER: close() resets
            return
        try:
            while connection.recv(65536):
                pass
        except ConnectionError:
            pass
        ended.set()

    server = tunnel(Origin(talk))
    client = Client(server, "u.test")
    client.send(ask())
    wait_for(lambda: server.metric("sallyport_requests_total") == 1 or server.metric("sallyport_tunnels") == 1)
    if who == "client":
        client.reset()
        assert ended.wait(15)
    else:
        client.read()
        assert not client.notified, "cut off is not ended"
        client.raw.close()
    wait_for(lambda: server.metric("sallyport_tunnels") == 0)


# Ends by the server


def frames(payload_size):
    return bytes([0x82, 126]) + payload_size.to_bytes(2, "big")


@pytest.mark.parametrize("protocol, sent, last", [
    (b"websocket", b"\x81\x02hi", b"\x88\x02\x03\xe9"),  # at the end of a frame
    (b"websocket", b"", b"\x88\x02\x03\xe9"),
    (b"websocket", b"\x81\x02h", None),  # within one
    (b"websocket", b"\x81", None),
    (b"websocket", frames(300) + b"x" * 299, None),
    (b"websocket", frames(300) + b"x" * 300, b"\x88\x02\x03\xe9"),
    (b"websocket", b"\x88\x02\x03\xe8", None),  # behind a close, which is the last
    (b"test/1", b"\x81\x02hi", None),
])
def test_a_close_frame_comes_where_the_bytes_allow_it(tunnel, protocol, sent, last):
    released = threading.Event()

    def talk(connection):
        connection.sendall(sent)
        released.wait(20)

    server = tunnel(Origin(talk, switch(protocol)), timeouts={"tunnel_idle": "500ms"})
    with Client(server, "u.test") as client:
        client.send(ask(protocol))
        received = client.read()
        assert received.partition(b"\r\n\r\n")[2] == sent + (last or b"")
        assert client.notified == (last is not None)
    released.set()


# Backpressure


@pytest.mark.measured
def test_bytes_wait_for_an_origin_that_does_not_read(tunnel):
    released = threading.Event()
    total = []

    def talk(connection):
        released.wait(30)
        size = 0
        while piece := connection.recv(1 << 20):
            size += len(piece)
        total.append(size)

    server = tunnel(Origin(talk))
    before = server.rss_kib()
    with server.connect("u.test") as client:
        client.sendall(ask())
        read_head(client)
        client.settimeout(2)
        sent = 0
        with pytest.raises((ssl.SSLError, TimeoutError)):
            while True:
                sent += client.send(b"z" * 16384)
        assert 100_000 < sent < 30_000_000, "what sockets hold"
        assert server.rss_kib() - before < SHARDS_OWN_KIB
    released.set()


@pytest.mark.measured
def test_bytes_wait_for_a_client_that_does_not_read(tunnel):
    sent = []
    size = 30_000_000

    def talk(connection):
        connection.settimeout(2)
        data = memoryview(b"w" * size)
        try:
            while data:
                data = data[connection.send(data):]
        except TimeoutError:
            sent.append(size - len(data))
        connection.settimeout(30)
        connection.sendall(data)

    server = tunnel(Origin(talk))
    before = server.rss_kib()
    with server.connect("u.test") as client:
        client.sendall(ask())
        _, rest = read_head(client)
        wait_for(lambda: sent)
        assert server.rss_kib() - before < SHARDS_OWN_KIB
        received = len(rest)
        while piece := client.recv(1 << 20):
            received += len(piece)
        assert received == size
