"""The place that a newcomer takes when all are taken: strangers that hold theirs, idle, slow or dripping, keep no known client out."""

import contextlib
import ctypes
import os
import resource
import socket
import ssl
import time

import pytest

from conftest import wait_for

import origins

LIMIT = 64
KNOWN = "127.0.0.1"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Client:
    """A TLS connection from a loopback address of our own."""

    def __init__(self, server, host, source, cert=None, version="1.3", session=None, context=None, window=None):
        self.host = host
        context = context or server.tls_client(cert, version)
        raw = socket.socket()
        raw.settimeout(15)
        if window is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        try:
            raw.bind((source, 0))
            raw.connect(("127.0.0.1", server.port))
            self.tls = context.wrap_socket(raw, server_hostname=host, session=session)
        except OSError:
            raw.close()
            raise

    def ask(self, path="/", method="GET", more=""):
        self.tls.sendall(f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\n{more}\r\n".encode())

    def answer(self):
        """Status and head of an answer, whose body has come too."""
        received = b""
        while b"\r\n\r\n" not in received:
            received += self.read()
        head, _, body = received.partition(b"\r\n\r\n")
        lines = head.decode().lower().split("\r\n")
        length = next((int(line.split(":")[1]) for line in lines if line.startswith("content-length:")), None)
        while len(body) < length if length is not None else not body.endswith(b"0\r\n\r\n"):
            body += self.read()
        return int(lines[0].split()[1]), lines[1:]

    def read(self):
        piece = self.tls.recv(65536)
        if not piece:
            raise ConnectionError("the server has closed")
        return piece

    def get(self):
        self.ask()
        return self.answer()

    def close(self):
        self.tls.close()


@pytest.fixture
def scripted():
    """scripted(script): an origin (origins.Scripted) for the time of a test."""
    with contextlib.ExitStack() as stack:
        yield lambda script: stack.enter_context(origins.Scripted(script))


@pytest.fixture
def crowd():
    """crowd(server, host, count, do, **options): strangers of 16 addresses, each of whom shakes hands and then does something."""
    held = []

    def gather(server, host, count=2 * LIMIT, do=lambda client: None, **options):
        for i in range(count):
            with contextlib.suppress(OSError):
                held.append(Client(server, host, f"127.64.0.{1 + i % 16}", **options))
                do(held[-1])
        return held

    yield gather
    for client in held:
        client.close()


@pytest.fixture
def site(serve, host, pki):
    """A server of one shard and few places, to which 127.0.0.1 is known, with a host of each mode."""

    def start(origin=None, preexec=None, **limits):
        server = serve([host(f"{mode}.test", mode, origin=origin) for mode in ("enforce", "report", "off")], shards=1, preexec=preexec,
                       limits={"connections": LIMIT, **limits})
        Client(server, "enforce.test", KNOWN, pki.valid().bundle).close()
        wait_for(lambda: server.metric("sallyport_client_certs_total", reason="ok") == 1)
        wait_for(lambda: server.metric("sallyport_connections") == 0)
        return server

    return start


def evicted(server, stage="request"):
    reasons = ("evicted", "evicted_idle", "evicted_ending")
    return {reason: server.metric("sallyport_rejected_total", stage=stage, reason=reason) for reason in reasons}


def refused(server):
    return server.metric("sallyport_rejected_total", stage="accept", reason="limit")


def is_open(client, within=0.3):
    client.tls.settimeout(within)
    try:
        client.tls.recv(1)
    except (TimeoutError, ssl.SSLWantReadError):
        return True
    except OSError:
        pass
    return False


def ask_and_hear(client):
    client.get()


STRANGERS = [
    ("enforce.test", ask_and_hear),
    ("enforce.test", lambda client: None),
    ("report.test", ask_and_hear),
    ("off.test", ask_and_hear),
    ("off.test", lambda client: None),
]


@pytest.mark.parametrize("host_name, do", STRANGERS, ids=["denied", "enforce-mute", "report", "off", "off-mute"])
def test_strangers_who_sit_idle_keep_nobody_out(site, crowd, pki, host_name, do):
    server = site()
    returning = server.tls_client(pki.valid().bundle)
    first = Client(server, "report.test", "127.9.0.1", context=returning)
    assert first.get()[0] == 200
    held = crowd(server, host_name, do=do)
    wait_for(lambda: server.metric("sallyport_connections") >= LIMIT * 3 / 4)
    before = refused(server)
    stay = [first]
    for i in range(6):
        stay.append(Client(server, "enforce.test", KNOWN, pki.valid().bundle))
        assert stay[-1].get()[0] == 200
        stay.append(Client(server, "report.test", f"127.9.0.{10 + i}", context=returning, session=first.tls.session))
        assert stay[-1].get()[0] == 200 and stay[-1].tls.session_reused
        stay.append(Client(server, "enforce.test", f"127.9.1.{10 + i}", pki.valid().bundle, version="1.2"))
        assert stay[-1].get()[0] == 200
    crowd(server, host_name, do=do)
    for client in stay:
        assert client.get()[0] == 200, "a valid client's place is its own"
        client.close()
    assert refused(server) == before == 0
    assert server.metric("sallyport_connections") <= LIMIT + 16
    assert evicted(server)["evicted_idle"] > 0
    assert not any(is_open(client, 5) for client in held[:8]), "the oldest are gone first"


BOUNDS = [{"certificate_connections": 4}, {"certificate_rate": 1}]


@pytest.mark.parametrize("bounds", BOUNDS, ids=lambda bounds: next(iter(bounds)))
def test_one_certificate_does_not_hold_all_places(site, crowd, pki, bounds):
    """From many sources, and without a word: over its bounds it keeps its verdict, but has a stranger's place."""
    server = site()
    assert server.reload(admission=bounds)
    within = Client(server, "enforce.test", "127.9.0.1", pki.client(subject="another").bundle)
    assert within.get()[0] == 200
    held = crowd(server, "enforce.test", cert=pki.client(subject="taken").bundle, do=ask_and_hear)
    assert server.metric("sallyport_over_budget_total", bound=next(iter(bounds))) > LIMIT / 2
    wait_for(lambda: server.metric("sallyport_connections") >= LIMIT * 3 / 4)
    for i in range(8):
        known = Client(server, "enforce.test", KNOWN, pki.client(subject=f"known-{i}").bundle)
        assert known.get()[0] == 200
        unknown = Client(server, "enforce.test", f"127.9.1.{1 + i}", pki.client(subject=f"new-{i}").bundle)
        assert unknown.get()[0] == 200
        known.close()
        unknown.close()
    assert within.get()[0] == 200, "its place is its own"
    within.close()
    assert refused(server) == 0 and evicted(server)["evicted_idle"] > 0
    assert any(is_open(client, 0.001) for client in held)
    assert all(server.metric("sallyport_client_certs_total", host="enforce.test", reason=reason) == 0 for reason in ("none", "unknown_issuer"))


def test_the_state_says_that_places_are_taken(site, crowd, pki):
    server = site()
    assert server.metric("sallyport_admission_state") == 0
    crowd(server, "off.test", do=ask_and_hear)
    wait_for(lambda: server.metric("sallyport_admission_state") >= 1)
    for _ in range(20):
        assert server.curl("enforce.test", cert=pki.valid().bundle).status == 200
    # A shard is calm again a second after the last connection that had to make room: so there is one with each look.
    wait_for(lambda: crowd(server, "off.test", count=1, do=ask_and_hear) and server.metric("sallyport_admission_state") >= 1)


def test_a_crowded_server_closes_after_a_403(site, crowd):
    server = site()
    calm = Client(server, "enforce.test", "127.9.0.1")
    status, head = calm.get()
    assert status == 403 and "connection: close" not in head
    crowd(server, "report.test", count=LIMIT - LIMIT // 8, do=ask_and_hear)
    status, head = calm.get()
    assert status == 403 and "connection: close" in head
    assert not is_open(calm, 15)
    for _ in range(LIMIT):
        client = Client(server, "enforce.test", "127.9.0.2")
        assert client.get()[0] == 403
        client.close()
    calm.close()
    assert refused(server) == 0


def test_a_share_stays_free_of_strangers(site, crowd):
    server = site()
    crowd(server, "off.test", do=ask_and_hear)
    wait_for(lambda: server.metric("sallyport_connections") == LIMIT - LIMIT // 64)


def test_strangers_in_exchanges_that_do_not_end_keep_nobody_out(site, crowd, pki, scripted):
    """A slow origin, a body that drips, a head that drips, an answer that nobody takes."""
    def script(connection, number):
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(65536) or b"\r\n\r\n"
        if b" /slow " in head:
            connection.settimeout(20)
            connection.recv(1)
        elif b"GET /large" in head:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
            with contextlib.suppress(OSError):
                for _ in range(1000):
                    connection.sendall(bytes(100000))
        else:
            connection.sendall(OK)
            connection.settimeout(20)
            connection.recv(1)

    ways = [
        lambda client: client.ask("/slow"),
        lambda client: client.ask("/slow", "POST", "Content-Length: 100000\r\n"),
        lambda client: client.tls.sendall(b"GET / HTTP/1.1\r\nHost: off.test\r\nX-Pad: " + b"a" * 2000),
        lambda client: client.ask("/large"),
    ]
    server = site(origin=scripted(script).address)
    for number, way in enumerate(ways):
        crowd(server, "off.test" if number < 3 else "report.test", do=way)
        wait_for(lambda: server.metric("sallyport_connections") >= LIMIT * 3 / 4)
        before = evicted(server)["evicted"]
        known = []
        for _ in range(6):
            known.append(Client(server, "enforce.test", KNOWN, pki.valid().bundle))
            assert known[-1].get()[0] == 200
        assert evicted(server)["evicted"] > before
        for client in known:
            assert client.get()[0] == 200
            client.close()


@pytest.mark.slow
def test_the_oldest_request_of_a_stranger_makes_room_in_time(site, crowd, pki, scripted):
    """For another stranger: who may be a valid client that nobody knows yet."""
    def script(connection, number):
        connection.settimeout(60)
        while connection.recv(65536):
            pass

    server = site(origin=scripted(script).address)
    crowd(server, "off.test", count=LIMIT + 16, do=lambda client: client.ask())
    begun = time.monotonic()
    with pytest.raises(OSError):
        Client(server, "enforce.test", "127.9.0.1", pki.valid().bundle).read()
    assert refused(server) > 0 and evicted(server)["evicted"] == 0
    time.sleep(max(0, begun + 30 - time.monotonic()))
    client = Client(server, "enforce.test", "127.9.0.1", pki.valid().bundle)
    assert is_open(client)
    assert evicted(server)["evicted"] == 1
    wait_for(lambda: server.metric("sallyport_client_certs_total", host="enforce.test", reason="ok") == 2)
    client.close()


def test_memory_of_requests_is_bounded(site, crowd):
    """Heads that are never finished, of strangers, more than a shard keeps for them."""
    server = site(connections=4096, request_header_size="64KiB", request_header_timeout="10m")
    head = b"GET / HTTP/1.1\r\nHost: off.test\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"a" * 1000) for i in range(50))
    held = crowd(server, "off.test", count=600, do=lambda client: client.tls.sendall(head))
    wait_for(lambda: evicted(server)["evicted"] >= 600 - 32 * 1024 // 64 - 1)
    assert not is_open(held[0], 15) and is_open(held[-1])
    assert server.curl("off.test").status == 200


def keep_descriptors_few():
    """So that there are no more buffers than for limits.connections: without CAP_SYS_RESOURCE."""
    assert ctypes.CDLL(None, use_errno=True).prctl(24, 24, 0, 0, 0) == 0  # PR_CAPBSET_DROP, see capabilities(7)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1700, 1700))


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root, to have less than it")
def test_answers_that_nobody_takes_do_not_take_all_buffers(site, crowd, pki, nginx):
    (nginx.files / "long.bin").write_bytes(bytes(8 << 20))
    server = site(preexec=keep_descriptors_few, connections=256)
    client = Client(server, "enforce.test", KNOWN, pki.valid().bundle)
    assert client.get()[0] == 200
    crowd(server, "off.test", count=250, do=lambda client: client.ask("/files/long.bin"), window=4096)
    begun = time.monotonic()
    while time.monotonic() < begun + 3 or evicted(server)["evicted"] == 0:
        assert client.get()[0] == 200
        assert time.monotonic() < begun + 60, "nobody has made room"
    client.close()
