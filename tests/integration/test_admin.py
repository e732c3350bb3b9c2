"""The admin listener: by which names it answers, and what slow readers can hold."""

import http.client
import json
import re
import select
import signal
import socket
import time

import pytest

from conftest import SANITIZED, free_port


def ask(port, request):
    """All that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    return received


def status(port, path, host, version="1.1"):
    lines = f"GET {path} HTTP/{version}\r\n" + ("" if host is None else f"Host: {host}\r\n") + "\r\n"
    return int(ask(port, lines.encode("latin-1")).split(b" ")[1])


@pytest.mark.parametrize("path", ["/", "/metrics", "/stats.json", "/healthz", "/readyz", "/nothing"])
def test_only_addresses_and_own_names(serve, host, path):
    server = serve([host("m.test")])
    usual = 404 if path == "/nothing" else 200
    port = server.admin_port
    for own in ["127.0.0.1", f"127.0.0.1:{port}", "10.1.2.3", "[::1]", f"[2001:db8::1]:{port}", "localhost", f"LocalHost.:{port}", "m.test",
                f"M.test:{port}"]:
        assert status(port, path, own) == usual, own
    for other in ["evil.example", f"evil.example:{port}", "n.test", "a.m.test", "127.0.0.1.evil.example", "localhost.evil.example", "1.2.3", "127.1",
                  "2130706433", "0x7f.1", "127.0.0.1.example.", "xlocalhost", "rebind.localhost.attacker"]:
        assert status(port, path, other) == 421, other
    for bad in ["127.0.0.1@evil.example", "[::1", "evil.example/", "a b", ""]:
        assert status(port, path, bad) in (400, 421), bad
    assert status(port, path, None, "1.0") == usual, "no browser leaves Host out"
    assert status(port, path, "evil.example", "1.0") == 421
    assert b" 421 " in ask(port, f"GET http://evil.example{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())


def test_hosts_that_a_reload_brings_and_takes(serve, host):
    server = serve([host("m.test"), host("*.w.test")])
    assert status(server.admin_port, "/metrics", "a.w.test") == 421, "anybody may have a name below a wildcard"
    assert server.reload(hosts=[host("n.test")])
    assert status(server.admin_port, "/metrics", "n.test") == 200
    assert status(server.admin_port, "/metrics", "m.test") == 421


def test_refused_answers_say_nothing(serve, host):
    server = serve([host("m.test")])
    answer = ask(server.admin_port, b"GET /stats.json HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    assert b"admin.names" in answer and b"m.test" not in answer and b"connections" not in answer


def test_configured_names(serve, host):
    names = ["edge-1", "Metrics.Example.NET"]
    server = serve([host("m.test")], admin={"address": f"127.0.0.1:{free_port()}", "names": names})
    for own in ["edge-1", "EDGE-1:9443", "metrics.example.net", "metrics.example.net.", "localhost"]:
        assert status(server.admin_port, "/metrics", own) == 200, own
    for other in ["edge-2", "x.metrics.example.net", "example.net", "n.test"]:
        assert status(server.admin_port, "/metrics", other) == 421, other
    before = dict(server.config["admin"])
    assert not server.reload(admin={**before, "names": ["edge-1"]}), "what only a start can change"
    assert "admin has changed" in server.stderr()
    assert server.reload(admin=before)
    assert status(server.admin_port, "/metrics", "edge-1") == 200


@pytest.fixture
def large(serve, host):
    """A server whose pages are far larger than what sockets hold."""
    return serve([host(f"host-{i}.test") for i in range(150)])


def slow_reader(port, path):
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(10)
    connection.connect(("127.0.0.1", port))
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return connection


@pytest.mark.parametrize("path, least", [("/metrics", 500_000), ("/stats.json", 20_000)])
def test_slow_readers_hold_few_pages_and_no_place(large, path, least):
    size = len(large.admin(path)[1])
    assert size > least
    for _ in range(3):
        large.admin(path)
    before = large.rss_kib()
    readers = []
    for i in range(200):
        readers.append(slow_reader(large.admin_port, path))
        if i % 20 == 0:
            began = time.monotonic()
            assert large.admin("/readyz")[0] == 200
            assert time.monotonic() - began < 5
    if not SANITIZED:  # which keeps what was freed
        assert (large.rss_kib() - before) * 1024 < 8 * size + 16_000_000, "not a page for each"
    for _ in range(3):
        assert large.admin("/readyz")[0] == 200
        code, page = large.admin(path)
        assert code == 200 and len(page) > size * 0.9
        if path == "/stats.json":
            json.loads(page)
    assert all(is_gone(reader) for reader in readers[:100]), "the oldest have made room"
    for reader in readers:
        reader.close()


def is_gone(connection):
    """Whether the peer has closed or reset it, with or without bytes before that."""
    try:
        while piece := connection.recv(65536):
            pass
        return piece == b""
    except ConnectionError:
        return True
    except socket.timeout:
        return False


def test_one_who_reads_at_leisure_gets_all_of_it(large):
    reader = slow_reader(large.admin_port, "/metrics")
    received = b""
    for _ in range(20):
        time.sleep(0.02)
        received += reader.recv(20000)
        large.admin("/healthz")
    while piece := reader.recv(65536):
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    assert int(re.search(rb"Content-Length: (\d+)", head)[1]) == len(body) and body.endswith(b"\n")
    reader.close()


def test_silent_ones_keep_nobody_out(serve, host):
    server = serve([host("m.test")])
    silent = [socket.create_connection(("127.0.0.1", server.admin_port), timeout=5) for _ in range(150)]
    for connection in silent[-30::2]:
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHo")
    for _ in range(10):
        assert server.admin("/readyz")[0] == 200
    for connection in silent:
        connection.close()
    assert server.admin("/readyz")[0] == 200


def test_the_last_who_has_come_while_the_server_was_held_up_is_served(serve, host):
    """They come all at once then, more than there are places, and it may be a probe of readiness."""
    server = serve([host("m.test")])
    server.process.send_signal(signal.SIGSTOP)
    silent = [socket.create_connection(("127.0.0.1", server.admin_port), timeout=5) for _ in range(200)]
    with socket.create_connection(("127.0.0.1", server.admin_port), timeout=20) as probe:
        probe.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        server.process.send_signal(signal.SIGCONT)
        assert probe.recv(15) == b"HTTP/1.1 200 OK"
    for connection in silent:
        connection.close()


@pytest.mark.slow
def test_deadlines_are_absolute(large):
    """A byte now and then moves neither the deadline of the request (10 s) nor that of the answer (30 s)."""
    began = time.monotonic()
    dripping = socket.create_connection(("127.0.0.1", large.admin_port), timeout=5)
    sipping = slow_reader(large.admin_port, "/metrics")
    dripping_end = sipping_end = None
    dripping.sendall(b"GET / HTTP/1.1\r\nX: ")
    while time.monotonic() - began < 40 and (dripping_end is None or sipping_end is None):
        time.sleep(0.5)
        passed = time.monotonic() - began
        if dripping_end is None:
            try:
                dripping.sendall(b"x")
                if select.select([dripping], [], [], 0)[0] and dripping.recv(1) == b"":
                    dripping_end = passed
            except ConnectionError:
                dripping_end = passed
        if sipping_end is None:
            try:
                if sipping.recv(4000) == b"":
                    sipping_end = passed
            except ConnectionError:
                sipping_end = passed
    assert dripping_end is not None and 9 < dripping_end < 15
    assert sipping_end is not None and 29 < sipping_end < 36


def test_many_at_once_read_whole_pages(large):
    connections = [http.client.HTTPConnection("127.0.0.1", large.admin_port, timeout=20) for _ in range(30)]
    for connection in connections:
        connection.request("GET", "/metrics")
    pages = [connection.getresponse().read() for connection in connections]
    assert all(page.startswith(b"# HELP") and page.endswith(b"\n") for page in pages)
    assert large.admin("/readyz")[0] == 200
