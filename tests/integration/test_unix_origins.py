"""Unix sockets as origins: nginx and scripted origins, over HTTP/1.1, HTTP/2 and tunnels."""

import hashlib
import os
import socket
import subprocess
import threading
import time

import pytest
import yaml

import balancers
import origins
from conftest import BINARY, wait_for

NAME = "a.test"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LARGE = 20 << 20


@pytest.fixture
def short(tmp_path_factory):
    """A folder whose path is short enough for a socket in it."""
    folder = tmp_path_factory.mktemp("s")
    assert len(str(folder)) < 90
    return folder


@pytest.fixture
def nginx_at(short):
    running = []

    def start(name="app.sock", options=""):
        path = short / name
        path.unlink(missing_ok=True)
        origin = origins.Nginx(short / f"nginx{len(running)}", path=path, options=options)
        running.append(origin)
        return origin.__enter__()

    yield start
    for origin in running:
        if origin.process.poll() is None:
            origin.__exit__()


def serve_ok(connection, origin):
    while origin.read_head(connection):
        connection.sendall(ANSWER)


@pytest.fixture
def answering(short):
    """answering(name): an origin that answers each request."""
    running = []

    def start(name="app.sock", backlog=1024):
        origin = origins.Scripted(lambda connection, _: serve_ok(connection, origin), short / name, backlog)
        running.append(origin)
        return origin.__enter__()

    yield start
    for origin in running:
        origin.__exit__()


@pytest.mark.parametrize("versions", ["http1", "http2"])
@pytest.mark.both_protocols
def test_requests_and_large_bodies(serve, host, nginx_at, tmp_path, protocol, versions):
    origin = nginx_at(options="http2" if versions == "http2" else "")
    large = os.urandom(LARGE)
    (origin.files / "large").write_bytes(large)
    (tmp_path / "body").write_bytes(large)
    server = serve([{**host(NAME, origin=f"unix:{origin.path}"), "origin_protocol": versions}], shards=1)
    for _ in range(3):
        answer = server.curl(NAME, "/files/small.txt")
        assert answer.status == 200 and answer.text == "small\n"
    assert hashlib.sha256(server.curl(NAME, "/files/large").body).digest() == hashlib.sha256(large).digest()
    answer = server.curl(NAME, "/body", "--data-binary", f"@{tmp_path}/body", timeout=60)
    assert answer.status == 200 and hashlib.sha256(answer.body).digest() == hashlib.sha256(large).digest()
    assert server.metric("sallyport_origin_connections_total", event="opened") <= 2
    assert server.metric("sallyport_origin_up", origin=f"unix:{origin.path}") == 1


def test_the_origin_sees_what_it_would_see_over_tcp(serve, host, nginx_at):
    server = serve([host(NAME, origin=f"unix:{nginx_at().path}")])
    answer = server.curl(NAME, "/")
    assert answer.seen("Host") == [f"{NAME}:{server.port}"]
    assert answer.seen("X-Forwarded-For") == ["127.0.0.1"] and answer.seen("X-Forwarded-Proto") == ["https"]


def test_a_websocket(serve, host, short):
    """Bytes pass both ways, and the end of one half."""

    def script(connection, _):
        head = origin.read_head(connection)
        assert b"Upgrade: websocket" in head or b"upgrade: websocket" in head
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
        while data := connection.recv(65536):
            connection.sendall(data)
        connection.sendall(b"the end")

    with origins.Scripted(script, short / "app.sock") as origin:
        server = serve([host(NAME, origin=origin.address)])
        with server.connect(NAME) as client:
            client.sendall((f"GET /chat HTTP/1.1\r\nHost: {NAME}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode())
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            assert head.startswith(b"HTTP/1.1 101 ")
            for size in (1, 70000):
                sent = os.urandom(size)
                threading.Thread(target=client.sendall, args=(sent,)).start()
                got = b""
                while len(got) < size:
                    got += client.recv(65536)
                assert got == sent


def test_a_socket_that_is_removed_and_made_again(serve, host, nginx_at):
    origin = nginx_at()
    server = serve([host(NAME, origin=f"unix:{origin.path}")], shards=1)
    assert server.curl(NAME).status == 200
    origin.__exit__()
    assert not origin.path.exists()
    assert server.curl(NAME).status == 502
    assert server.metric("sallyport_origin_up", origin=f"unix:{origin.path}") == 0
    assert f"origin unix:{origin.path}: unreachable: No such file or directory" in server.stderr()
    nginx_at()
    assert server.curl(NAME).status == 200
    assert server.metric("sallyport_origin_up", origin=f"unix:{origin.path}") == 1
    assert f"origin unix:{origin.path}: accepts connections again" in server.stderr()


def test_a_stale_socket_gives_way_to_another_origin(serve, host, answering, short):
    """The file is there, and nobody listens on it."""
    stale = short / "stale.sock"
    with socket.socket(socket.AF_UNIX) as once:
        once.bind(str(stale))
    server = serve([host(NAME, origin=[f"unix:{stale}", answering().address])], shards=1)
    assert [server.curl(NAME).status for _ in range(4)] == 4 * [200]
    assert server.metric("sallyport_origin_up", origin=f"unix:{stale}") == 0


def test_a_full_backlog_is_waited_for(serve, host, short):
    """The origin accepts nothing for a while: requests wait as they do with TCP, and none fails."""
    path = short / "app.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(0)
        server = serve([host(NAME, origin=f"unix:{path}")], shards=1)
        statuses = []
        clients = [threading.Thread(target=lambda: statuses.append(server.curl(NAME).status)) for _ in range(6)]
        for client in clients:
            client.start()
        time.sleep(1)
        assert statuses == []

        def accept():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection):
            with connection:
                while b"\r\n\r\n" in connection.recv(65536):
                    connection.sendall(ANSWER)

        threading.Thread(target=accept, daemon=True).start()
        for client in clients:
            client.join(20)
        assert statuses == 6 * [200]
        assert server.metric("sallyport_origin_connections_total", event="connect_failed") == 0


def test_a_backlog_that_stays_full_times_out(serve, host, short):
    path = short / "app.sock"
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as other:
        listener.bind(str(path))
        listener.listen(0)
        other.connect(str(path))
        server = serve([{**host(NAME, origin=f"unix:{path}"), "timeouts": {"connect": "300ms"}}], shards=1)
        before = time.monotonic()
        assert server.curl(NAME).status == 502
        assert 0.3 <= time.monotonic() - before < 5
        assert "connect_timed_out" in server.stderr()


def test_relative_and_abstract_names(serve, host):
    """A path is relative to the file's folder; a name that begins with @ is in no folder at all."""
    name = f"@sallyport-{os.getpid()}"
    server = serve([host("abstract.test", origin=f"unix:{name}"), host("relative.test", origin="unix:r.sock")])
    relative = socket.socket(socket.AF_UNIX)
    relative.bind(str(server.path.parent / "r.sock"))
    relative.listen()
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind("\0" + name[1:])
    abstract.listen()

    def answer(listener):
        while True:
            connection, _ = listener.accept()
            connection.recv(65536)
            connection.sendall(ANSWER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            connection.close()

    for listener in (relative, abstract):
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
    assert server.curl("abstract.test").status == 200
    assert server.curl("relative.test").status == 200


def test_proxy_headers(serve, host, short):
    """They name the client and the listener, whatever socket they are sent on."""
    headers = []

    def script(connection, _):
        client, _, _ = balancers.read_header(connection)
        headers.append(client)
        connection.sendall(ANSWER)

    with origins.Scripted(script, short / "app.sock") as origin:
        server = serve([{**host(NAME, origin=origin.address), "origin_proxy_protocol": "v2"}])
        assert server.curl(NAME, "/", "--interface", "127.0.0.5").status == 200
    wait_for(lambda: headers)
    assert headers[0][0] == "127.0.0.5"


def test_pooled_connections_that_the_origin_has_closed_are_replaced(serve, host, short):
    def script(connection, _):
        origin.read_head(connection)
        connection.sendall(ANSWER)

    with origins.Scripted(script, short / "app.sock") as origin:
        server = serve([host(NAME, origin=origin.address)], shards=1)
        assert [server.curl(NAME, "/", "-X", method).status for method in ("GET", "POST", "GET", "POST")] == 4 * [200]


def test_check_says_nothing_of_sockets_that_are_not_there(host, tmp_path):
    """An origin that is down is no fault of the file."""
    path = tmp_path / "s.yaml"
    path.write_text(yaml.safe_dump({"listen": [{"address": "127.0.0.1:8443"}], "hosts": [host(NAME, origin="unix:/nowhere/app.sock")]}))
    result = subprocess.run([str(BINARY), "check", "-c", str(path)], capture_output=True, text=True)
    assert result.returncode == 0 and "unix:/nowhere/app.sock" in result.stdout, result.stderr
    path.write_text(path.read_text().replace("/nowhere/", "/" + 120 * "x" + "/"))
    result = subprocess.run([str(BINARY), "check", "-c", str(path)], capture_output=True, text=True)
    assert result.returncode == 1 and "has 130 characters, and the system takes 107 at most" in result.stderr
