"""Listeners that send plain HTTP on to https: where to, hostile requests, other protocols, floods."""

import contextlib
import json
import signal
import socket
import ssl
import subprocess
import time

import pytest

from conftest import NO_SUSPECTS, free_port, wait_for


@pytest.fixture
def plain(serve, host):
    """plain(keys, **top): a server with a listener that redirects, whose port is server.plain."""
    def start(keys=None, hosts=None, **top):
        port = free_port()
        listen = [{"address": f"127.0.0.1:{free_port()}"},
                  {"address": f"127.0.0.1:{port}", "redirect": "https", **({"redirect_port": 443} if keys is None else keys)}]
        server = serve(hosts or [host("a.test", "enforce"), host("*.w.test")], listen=listen, **top)
        server.plain = port
        return server
    return start


@pytest.fixture
def server(plain):
    return plain(admission=NO_SUSPECTS)


def raw(server, request, end=True, within=10):
    """All that comes back for these bytes, until the server closes; with `end` the client ends its half."""
    received = b""
    with socket.create_connection(("127.0.0.1", server.plain), timeout=within) as connection:
        try:
            connection.sendall(request)
            if end:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it is closed already
        try:
            while piece := connection.recv(65536):
                received += piece
        except ConnectionError:
            pass
    return received


def ask(server, target, *lines, method="GET", version="1.1"):
    """Status and Location of the answer to one request."""
    head = "\r\n".join([f"{method} {target} HTTP/{version}", *lines, "", ""]).encode("latin-1")
    answer = raw(server, head)
    assert answer.count(b"HTTP/1.1 ") == 1 or answer.startswith(b"HTTP/1.1 505"), answer
    locations = [line[10:] for line in answer.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n") if line.startswith("Location: ")]
    return int(answer.split()[1]), locations[0] if locations else None


@pytest.mark.parametrize("target, authority, location", [
    ("/", "a.test", "https://a.test/"),
    ("/x/y?z=1&q=%0d%0a", "A.Test:8080", "https://a.test/x/y?z=1&q=%0d%0a"),
    ("/", "a.test.", "https://a.test/"),
    ("/", "b.w.test:80", "https://b.w.test/"),
    ("//evil.example/", "a.test", "https://a.test//evil.example/"),
    ("/\\evil.example", "a.test", "https://a.test/\\evil.example"),
    ("/@evil.example", "a.test", "https://a.test/@evil.example"),
    ("/../..", "a.test", "https://a.test/../.."),
    ("http://a.test/abs", "a.test", "https://a.test/abs"),
    ("http://a.test?q", "a.test", "https://a.test/?q"),
    ("http://b.w.test", "a.test", "https://b.w.test/"),
])
def test_where_to(server, target, authority, location):
    assert ask(server, target, f"Host: {authority}") == (308, location)


@pytest.mark.parametrize("authority", ["evil.example", "xa.test", "a.test.evil", "a.b.w.test", "w.test", "127.0.0.1", "[::1]",
                                  "[::1%25lo]", "a.test@evil.example", "evil.example@a.test", "a.test/evil", "a.test:x",
                                  "a.test:99999", "a.test\\evil", "a.test#", "a..test", "*.w.test", "a.test, evil.example", "a%2etest"])
def test_hosts_that_are_not_served(server, authority):
    status, location = ask(server, "/", f"Host: {authority}")
    assert status in (400, 421) and location is None


@pytest.mark.parametrize("target, lines, statuses", [
    ("/", [], {400}),
    ("/", ["Host: a.test", "Host: a.test"], {400}),
    ("/", ["Host:"], {400}),
    ("/", ["Host: a.test\r\n folded"], {400}),
    ("/", ["Host : a.test"], {400}),
    ("/a\x00b", ["Host: a.test"], {400}),
    ("/a\x7f", ["Host: a.test"], {400}),
    ("/caf\xe9", ["Host: a.test"], {400}),
    ("/#x", ["Host: a.test"], {400}),
    ("/a b", ["Host: a.test"], {400}),
    ("a.test", ["Host: a.test"], {400}),
    ("http://a.test@evil.example/", ["Host: a.test"], {400, 421}),
    ("http://evil.example/", ["Host: a.test"], {421}),
    ("http://a.test\\@evil.example/", ["Host: a.test"], {400, 421}),
    ("/", ["Host: a.test", "Content-Length: 1", "Transfer-Encoding: chunked"], {400}),
    ("/" + "x" * 40000, ["Host: a.test"], {414}),
    ("/", ["Host: a.test", "X: " + "x" * 40000], {431}),
])
def test_requests_that_are_refused(server, target, lines, statuses):
    status, location = ask(server, target, *lines)
    assert status in statuses and location is None


def test_nothing_is_injected(server):
    for target in ["/%0d%0aX-Admin:1", "/\r\nX-Admin: 1", "/\nX-Admin: 1", "/\rX-Admin: 1"]:
        assert b"\r\nX-Admin" not in raw(server, f"GET {target} HTTP/1.1\r\nHost: a.test\r\n\r\n".encode())


def test_a_long_target(server):
    path = "/" + "x" * 8000
    assert ask(server, path, "Host: a.test") == (308, f"https://a.test{path}")


def test_methods(server):
    assert ask(server, "*", "Host: a.test", method="OPTIONS") == (308, "https://a.test")
    assert ask(server, "/x", "Host: a.test", method="DELETE") == (308, "https://a.test/x")
    assert ask(server, "a.test:443", "Host: a.test", method="CONNECT")[0] in (400, 501)
    assert ask(server, "/", "Host: a.test", version="1.0") == (308, "https://a.test/")
    assert ask(server, "/", version="1.0") == (400, None)
    assert ask(server, "/", "Host: a.test", version="2.0")[0] in (400, 505)
    head = raw(server, b"HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 308 ") and head.endswith(b"\r\n\r\n") and head.count(b"\r\n\r\n") == 1


def test_an_answer(server):
    answer = raw(server, b"GET /x HTTP/1.1\r\nHost: a.test\r\nX-Request-Id: abc-1\r\n\r\n")
    head = answer.split(b"\r\n\r\n")[0].split(b"\r\n")
    names = [line.split(b":")[0] for line in head[1:]]
    assert head[0] == b"HTTP/1.1 308 Permanent Redirect"
    assert {b"Date", b"Content-Length", b"X-Request-Id", b"Location"} <= set(names) and b"X-Request-Id: abc-1" in head
    assert b"Strict-Transport-Security" not in names, "browsers ignore it there (RFC 6797 section 7.2)"


def test_curl_follows(plain, host, pki):
    server = plain({})
    assert server.process.poll() is None
    assert "redirect: clients are sent to port 443" in server.stderr()
    server = plain(hosts=[host("a.test")], keys={"redirect_port": 443})
    port = server.port
    command = ["curl", "-s", "-S", "-L", "-m", "20", "--cacert", str(server.server_root),
               "--connect-to", f"a.test:443:127.0.0.1:{port}", "--connect-to", f"a.test:80:127.0.0.1:{server.plain}"]
    got = subprocess.run([*command, "http://a.test/x?y", "-d", "body"], capture_output=True, check=True, text=True).stdout
    assert got.startswith("POST /x?y HTTP/1.1"), "308 keeps the method"


def test_the_port_is_configured(plain):
    server = plain({"redirect_port": 8443})
    assert ask(server, "/", "Host: a.test:8080") == (308, "https://a.test:8443/")


def test_addresses_lead_to_the_default_host(plain, host):
    server = plain(hosts=[{**host("a.test"), "default": True}])
    assert ask(server, "/x", "Host: 192.0.2.1:8080") == (308, "https://192.0.2.1/x")
    assert ask(server, "/x", "Host: [2001:db8::1]") == (308, "https://[2001:db8::1]/x")
    assert ask(server, "/x", "Host: evil.example")[0] == 421


def test_requests_on_one_connection(server):
    one = b"GET /%d HTTP/1.1\r\nHost: a.test\r\n\r\n"
    answers = raw(server, b"".join(one % i for i in range(20)))
    assert [line for line in answers.split(b"\r\n") if line.startswith(b"Location")] == \
        [b"Location: https://a.test/%d" % i for i in range(20)]
    assert b"Connection: keep-alive" in answers
    with socket.create_connection(("127.0.0.1", server.plain), timeout=10) as connection:
        for piece in [b"\r\n\r\nGET /a HT", b"TP/1.1\r", b"\nHost: a.test\r\n", b"\r", b"\nGET /b HTTP/1.1\r\nHost: a.test\r\n\r\n"]:
            connection.sendall(piece)
            server.wait_until_read(server.plain)
        received = b""
        while received.count(b"\r\n\r\n") < 2:
            received += connection.recv(65536)
        assert b"https://a.test/a\r\n" in received and b"https://a.test/b\r\n" in received
    closed = raw(server, b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n" + one % 1, end=False)
    assert closed.count(b"HTTP/1.1 308") == 1 and b"Connection: close" in closed
    many = raw(server, (one % 1) * 150, end=False)
    assert many.count(b"HTTP/1.1 308") == 100, "so many on one connection"


def test_a_request_with_a_body_ends_the_connection(server):
    body = raw(server, b"POST /x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 40\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n", end=False)
    assert body.count(b"HTTP/1.1 ") == 1 and b"https://a.test/x" in body and b"smuggled" not in body
    expects = raw(server, b"POST /x HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n", end=False)
    assert expects.startswith(b"HTTP/1.1 308")


def test_other_protocols(server):
    context = ssl.create_default_context()
    with socket.create_connection(("127.0.0.1", server.plain), timeout=10) as connection:
        with pytest.raises(ssl.SSLError, match="(?i)alert protocol version"):
            context.wrap_socket(connection, server_hostname="a.test")
    frames = raw(server, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
    assert frames[:9] == bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]) and frames[12] == 7 and frames[-4:] == bytes([0, 0, 0, 13])
    assert raw(server, b"\x00\x01\x02garbage") == b""
    assert raw(server, b"SSH-2.0-OpenSSH_9.6\r\n") == b""
    curl = subprocess.run(["curl", "-s", "-S", "-m", "10", "--http2-prior-knowledge", f"http://127.0.0.1:{server.plain}/"],
                          capture_output=True)
    assert curl.returncode != 0 and server.process.poll() is None


def test_plain_http_on_the_tls_port_is_told(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 400 ")


def test_counters_and_log(plain):
    server = plain(access_log="log", admission=NO_SUSPECTS, shards=1)
    ask(server, "/x?secret", "Host: a.test", "X-Request-Id: me")
    ask(server, "/", "Host: evil.example")
    raw(server, b"GET / HTTP/9\r\n\r\n")
    raw(server, b"\x16\x03\x01")
    assert server.metric("sallyport_redirects_total") == 1
    assert server.metric("sallyport_rejected_total", stage="request", reason="misdirected") == 1
    assert server.metric("sallyport_rejected_total", stage="request", reason="malformed") == 2
    assert server.metric("sallyport_handshakes_total") == 0
    path = server.folder / "log"
    wait_for(lambda: path.exists() and len(path.read_text().splitlines()) >= 3)
    first, second, third = (json.loads(line) for line in path.read_text().splitlines())
    assert first["code"] == 308 and first["host"] == "a.test" and first["path"] == "/x" and first["method"] == "GET"
    assert first["request_id"] == "me" and "tls_version" not in first and "status" not in first
    assert second["code"] == 421 and "host" not in second
    assert third["code"] in (400, 505)
    assert not any(member in line for line in (first, second, third) for member in ("handshake", "resumed"))


@pytest.mark.parametrize("line", [b"GET /\r\n", b"GET /\n", b"GET / \r\n", b"GET / HTTP/1.1x\r\n"])
@pytest.mark.parametrize("pieces", [False, True])
def test_a_first_line_that_is_none_is_refused_at_once(server, line, pieces):
    """One of HTTP/0.9 is all that its client says, and no empty line follows."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.plain), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in [line[:3], line[3:-1], line[-1:]] if pieces else [line]:
            connection.sendall(piece)
            server.wait_until_read(server.plain)
        assert connection.recv(4096).startswith(b"HTTP/1.1 400 ")
    assert time.monotonic() - began < 5


def test_a_head_behind_its_first_line(server):
    for rest in (b"Host: a.test\r\n\r\n", b"Host: a.test\r\nX: " + b"y" * 2000 + b"\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.plain), timeout=10) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in (b"GET /x HTTP/1.1\r", b"\n", rest[:9], rest[9:-1], rest[-1:]):
                connection.sendall(piece)
                server.wait_until_read(server.plain)
            assert b"Location: https://a.test/x" in connection.recv(4096)


def test_time_and_pieces(plain):
    server = plain(limits={"request_header_timeout": "500ms", "idle_timeout": "1s", "connections": 4096}, admission=NO_SUSPECTS)
    began = time.monotonic()
    assert raw(server, b"", end=False) == b""
    assert raw(server, b"GET / HTTP/1.1\r\n", end=False).startswith(b"HTTP/1.1 408")
    answered = raw(server, b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", end=False)
    assert answered.startswith(b"HTTP/1.1 308") and time.monotonic() - began < 10
    assert server.metric("sallyport_rejected_total", stage="request", reason="timeout") == 2
    with socket.create_connection(("127.0.0.1", server.plain), timeout=10) as slow:
        for byte in b"GET /" + b"x" * 100:
            slow.sendall(bytes([byte]))
            time.sleep(0.01)
        assert slow.recv(4096).startswith(b"HTTP/1.1 408")


def test_behind_a_balancer(plain):
    server = plain({"redirect_port": 443, "proxy_protocol": ["127.0.0.1"]}, access_log="log")
    request = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"
    answer = raw(server, b"PROXY TCP4 192.0.2.7 192.0.2.1 4000 80\r\n" + request)
    assert b"Location: https://a.test/" in answer
    assert raw(server, request) == b"", "without a header"
    path = server.folder / "log"
    wait_for(lambda: path.exists() and "308" in path.read_text())
    assert [line["source"] for line in map(json.loads, path.read_text().splitlines()) if line.get("code") == 308] == ["192.0.2.7"]
    alert = raw(server, b"PROXY TCP4 192.0.2.7 192.0.2.1 4000 80\r\n\x16\x03\x01\x00\x05")
    assert alert[:1] == b"\x15"


def test_drain(server):
    with socket.create_connection(("127.0.0.1", server.plain), timeout=10) as idle, \
            socket.create_connection(("127.0.0.1", server.plain), timeout=10) as asking:
        idle.sendall(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
        assert idle.recv(65536).startswith(b"HTTP/1.1 308")
        asking.sendall(b"GET / HTTP/1.1\r\n")
        server.wait_until_read(server.plain)
        server.process.send_signal(signal.SIGTERM)
        assert idle.recv(1) == b""
        asking.sendall(b"Host: a.test\r\n\r\n")
        assert b"Connection: close" in asking.recv(65536)
    server.stop()


def test_reload(server, host):
    assert ask(server, "/", "Host: new.test")[0] == 421
    with socket.create_connection(("127.0.0.1", server.plain), timeout=10) as kept:
        kept.sendall(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
        assert kept.recv(65536).startswith(b"HTTP/1.1 308")
        assert server.reload([host("new.test")])
        kept.sendall(b"GET / HTTP/1.1\r\nHost: new.test\r\n\r\n")
        assert b"Location: https://new.test/" in kept.recv(65536)
    changed = [server.config["listen"][0], {**server.config["listen"][1], "redirect_port": 8443}]
    assert not server.reload(listen=changed), "listeners change at a start"


@pytest.mark.slow
def test_floods_are_bounded(plain):
    """Silent clients, heads that never end, and clients that do not read: places and bytes are those of all strangers."""
    server = plain(limits={"connections": 256, "request_header_timeout": "10m", "idle_timeout": "10m"}, admission=NO_SUSPECTS)
    before = server.rss_kib()
    held = []
    kinds = [b"", b"GET /" + b"x" * 20000, b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n" * 2000]
    for i in range(1200):
        connection = socket.socket()
        connection.settimeout(10)
        held.append(connection)
        with contextlib.suppress(OSError):  # it may be turned away
            connection.connect(("127.0.0.1", server.plain))
            connection.setblocking(False)
            connection.send(kinds[i % len(kinds)])
    wait_for(lambda: sum(server.metric("sallyport_rejected_total", **which) for which in
                         ({"reason": "evicted"}, {"stage": "accept"}, {"reason": "evicted_ending"})) > 500, within=60)
    assert server.metric("sallyport_connections") <= 256 + 64
    assert server.rss_kib() - before < 64 * 1024
    for connection in held:
        connection.close()
    wait_for(lambda: server.metric("sallyport_connections") == 0)
    assert ask(server, "/", "Host: a.test")[0] == 308


def test_check_says_what_redirects(plain, pki):
    server = plain({"redirect_port": 8443})
    binary = server.process.args[0]
    table = subprocess.run([binary, "check", "-c", str(server.path)], capture_output=True, text=True, check=True).stdout
    assert "redirects to https, port 8443" in table
    found = json.loads(subprocess.run([binary, "check", "--json", "-c", str(server.path)], capture_output=True, check=True).stdout)
    assert [listener.get("redirect_port") for listener in found["listeners"]] == [None, 8443]


def test_a_tcp_host_is_no_place_for_a_browser(plain, host):
    server = plain(hosts=[host("a.test"), {**host("t.test"), "protocol": "tcp", "default": True}])
    for name, status in (("a.test", b"308"), ("t.test", b"421"), ("127.0.0.1", b"421")):
        assert raw(server, b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % name.encode()).split()[1] == status
