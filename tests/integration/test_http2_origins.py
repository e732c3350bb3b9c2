"""Origins that speak HTTP/2: nghttpd, asked by clients of either version."""

import hashlib
import os
import re
import ssl
import subprocess
import threading
import time

import pytest

import origins
from conftest import SANITIZED, free_port, wait_for
from test_access_log import logged, requests_of, wait_for_lines  # noqa: F401 (a fixture)

NAME = "a.test"
VERSIONS = ["http1", "http2"]  # of the client
LARGE = 20 << 20


@pytest.fixture
def nghttpd(tmp_path):
    running = []

    def start(*options):
        origin = origins.Nghttpd(tmp_path / f"nghttpd{len(running)}", free_port(), "--verbose", *options)
        running.append(origin.__enter__())
        return origin

    yield start
    for origin in running:
        origin.__exit__()


@pytest.fixture
def entry(host):
    def make(origin, mode="off", protocol="http2"):
        addresses = [one.address for one in (origin if isinstance(origin, list) else [origin])]
        return {**host(NAME, mode, origin=addresses), "origin_protocol": protocol}

    return make


def opened(server):
    return server.metric("sallyport_origin_connections_total", event="opened")


def results(server, result):
    return server.metric("sallyport_origin_requests_total", result=result)


@pytest.mark.parametrize("version", VERSIONS)
def test_requests_and_answers(serve, entry, nghttpd, pki, version):
    origin = nghttpd()
    large = os.urandom(LARGE)
    (origin.folder / "large").write_bytes(large)
    server = serve([entry(origin, "report")], shards=1)
    server.protocol = version
    client = pki.valid()
    response = server.curl(NAME, "/small.txt?a=b", cert=client.bundle)
    assert response.status == 200 and response.text == "small\n"
    response = server.curl(NAME, "/large")
    assert hashlib.sha256(response.body).digest() == hashlib.sha256(large).digest()
    response = server.curl(NAME, "/small.txt", "-I")
    assert response.status == 200 and response.headers["content-length"] == "6" and response.body == b""
    assert server.curl(NAME, "/none").status == 404
    assert server.curl(NAME, "/small.txt", "-H", "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT").status == 304
    fields = origin.received()
    paths = [value for name, value in fields if name == ":path"]
    assert paths == ["/small.txt?a=b", "/large", "/small.txt", "/none", "/small.txt"]
    assert {value for name, value in fields if name == ":authority"} == {f"{NAME}:{server.port}"}
    assert {value for name, value in fields if name == ":scheme"} == {"http"}
    assert [value for name, value in fields if name == "x-client-cert-status"] == ["valid"] + 4 * ["none"]
    assert ("x-forwarded-proto", "https") in fields
    names = {name for name, _ in fields}
    assert not names & {"connection", "transfer-encoding", "host", "keep-alive", "te"}
    assert opened(server) == 1 and results(server, "completed") == 5
    assert server.metric("sallyport_origin_connections_total", event="reused") == 4


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("framing", [[], ["-H", "Transfer-Encoding: chunked"]])
def test_uploads(serve, entry, nghttpd, tmp_path, version, framing):
    if version == "http2" and framing:
        framing = ["-H", "Content-Length:"]
    server = serve([entry(nghttpd("--echo-upload"))])
    server.protocol = version
    for size in (0, 1, 16384, LARGE):
        body = os.urandom(size)
        (tmp_path / "body").write_bytes(body)
        response = server.curl(NAME, "/", "--data-binary", f"@{tmp_path}/body", *framing, timeout=60)
        assert response.status == 200
        assert hashlib.sha256(response.body).digest() == hashlib.sha256(body).digest(), size


def test_many_streams_on_few_connections(serve, entry, nghttpd):
    """
    An origin that takes ten at once gets as many connections as that takes; requests that find none wait. It takes ten of them
    where a hundred are on their way, and fewer where a slow server has answered some before it reads the others.
    """
    origin = nghttpd("--max-concurrent-streams=10")
    server = serve([entry(origin)], shards=1)
    result = subprocess.run(
        ["h2load", "-n", "3000", "-c", "2", "-m", "50", f"--connect-to=127.0.0.1:{server.port}", f"https://{NAME}/small.txt"],
        capture_output=True, text=True, timeout=60)
    assert "3000 succeeded, 0 failed" in result.stdout, result.stdout
    assert "status codes: 3000 2xx" in result.stdout, result.stdout
    assert 5 <= opened(server) <= 20


@pytest.mark.parametrize("version", VERSIONS)
def test_origins_that_are_no_use(logged, host, version):  # noqa: F811
    dead = free_port()

    def script(connection, number):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        connection.recv(65536)

    http1 = origins.Scripted(script)
    http1.__enter__()
    entries = [{**host("http1.test", origin=http1.address), "origin_protocol": "http2"},
               {**host("dead.test", origin=f"127.0.0.1:{dead}"), "origin_protocol": "http2"}]
    server, path = logged(*entries)
    server.protocol = version
    assert server.curl("http1.test", "/").status == 502
    assert server.curl("dead.test", "/").status == 502
    lines = requests_of(wait_for_lines(path, 2))
    assert [line["origin_error"] for line in lines] == ["malformed_http2", "refused"]
    assert results(server, "bad_response") == 1 and results(server, "unreachable") == 1


def test_dead_addresses_are_passed_over(serve, host, nghttpd):
    origin = nghttpd()
    entry = {**host(NAME, origin=[f"127.0.0.1:{free_port()}", origin.address]), "origin_protocol": "http2"}
    server = serve([entry], shards=1)
    for _ in range(4):
        assert server.curl(NAME, "/small.txt").status == 200
    assert server.metric("sallyport_origin_connections_total", event="connect_failed") == 1


def test_an_origin_that_comes_back(serve, entry, nghttpd):
    origin = nghttpd()
    server = serve([entry(origin)], shards=1)
    assert server.curl(NAME, "/small.txt").status == 200
    origin.kill()
    assert server.curl(NAME, "/small.txt").status == 502
    origin.start()
    assert server.curl(NAME, "/small.txt").status == 200


def test_a_client_that_does_not_read_holds_nobody_back(serve, entry, nghttpd):
    """All of them share one connection to the origin."""
    origin = nghttpd()
    (origin.folder / "large").write_bytes(bytes(64 << 20))
    server = serve([entry(origin)], shards=1)
    server.curl(NAME, "/small.txt")
    before = server.rss_kib()
    lazy = [server.connect(NAME) for _ in range(20)]
    for connection in lazy:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: %s\r\n\r\n" % NAME.encode())
    time.sleep(1)
    begin = time.monotonic()
    assert len(server.curl(NAME, "/large").body) == 64 << 20
    assert time.monotonic() - begin < 15
    assert opened(server) == 1
    if not SANITIZED:  # which keeps what was freed
        # 128 KiB of window and 64 KiB of output each, and not the 1,280 MiB that they have asked for.
        assert server.rss_kib() - before < 40 << 10
    # They get all of it when they read at last.
    left = 64 << 20
    reader = lazy[0].makefile("rb")
    while reader.readline() != b"\r\n":
        pass
    while left > 0:
        piece = reader.read(min(left, 1 << 20))
        assert piece
        left -= len(piece)
    for connection in lazy:
        connection.close()
    wait_for(lambda: results(server, "aborted") == 19)


def test_a_client_that_goes_ends_only_its_own_stream(serve, entry, nghttpd):
    origin = nghttpd()
    (origin.folder / "large").write_bytes(bytes(32 << 20))
    server = serve([entry(origin)], shards=1)
    for _ in range(5):
        connection = server.connect(NAME)
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: %s\r\n\r\n" % NAME.encode())
        connection.recv(1000)
        connection.close()
    wait_for(lambda: results(server, "aborted") == 5)
    assert server.curl(NAME, "/small.txt").status == 200
    assert opened(server) == 1


def test_reload_changes_the_protocol(serve, entry, host, nghttpd, nginx):
    origin = nghttpd()
    server = serve([host(NAME)])
    assert server.curl(NAME).status == 200
    assert server.reload([entry(origin)])
    assert server.curl(NAME, "/small.txt").text == "small\n"
    assert server.reload([host(NAME)])
    assert server.curl(NAME).status == 200
    # Nothing of the old site stays.
    wait_for(lambda: not established(origin.port))


def test_an_answer_without_body_costs_no_connection(serve, host):
    """An HTTP/2 stream ends with its head, before the origin's side of the exchange has been brought to its end."""
    server = serve([host(NAME)], shards=1)
    server.protocol = "http2"
    for _ in range(5):
        assert server.curl(NAME, "/empty").status == 204
    assert results(server, "completed") == 5 and opened(server) == 1


def established(port):
    output = subprocess.run(["ss", "-Htn", "state", "established", f"( dport = :{port} )"], capture_output=True, text=True)
    return output.stdout.strip()


def test_idle_connections_close(serve, entry, nghttpd):
    origin = nghttpd()
    server = serve([entry(origin)], shards=1)
    server.curl(NAME, "/small.txt")
    assert established(origin.port)
    wait_for(lambda: not established(origin.port))
    assert server.metric("sallyport_origin_connections_total", event="pooled") == 1
    assert server.metric("sallyport_origin_connections_total", event="expired") == 1


def test_drain_lets_answers_end(serve, entry, nghttpd):
    origin = nghttpd()
    (origin.folder / "large").write_bytes(bytes(8 << 20))
    server = serve([entry(origin)])
    connection = server.connect(NAME)
    connection.sendall(b"GET /large HTTP/1.1\r\nHost: %s\r\n\r\n" % NAME.encode())
    received = len(connection.recv(100))
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    time.sleep(0.5)
    try:
        while piece := connection.recv(1 << 20):
            received += len(piece)
    except (ssl.SSLError, ConnectionError):
        pass
    assert received > 8 << 20
    stopping.join()


# Trailers. A name of a verdict never comes from them, however it is spelt, whichever versions both sides speak.

FORGED = ["x-client-cert-status", "X-Client-Cert-Status", "x-client-cert.status", "x_client_cert_status",
          "http-x-client-cert-status", "x-client-cert-ski", "x-device"]
FORWARD = {"headers": {"X-Device": "subject.cn"}}


@pytest.fixture
def with_names(entry):
    """An entry whose verdict has one name more."""
    return lambda origin, protocol="http2": {**entry(origin, "report", protocol), "forward": FORWARD, "default": True}


def chunked(server, trailers, headers=b""):
    names = b", ".join(trailer.partition(b":")[0] for trailer in trailers)
    return server.raw(NAME, b"POST / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
                            b"Trailer: %s\r\n%s\r\n2\r\nhi\r\n0\r\n%s\r\n\r\n"
                            % (NAME.encode(), names, headers, b"\r\n".join(trailers)))


def nghttp(server, *options, path="/small.txt"):
    """Everything that nghttp has to say; it takes no name for the address, so the host must be the default one."""
    command = ["nghttp", "--no-verify-peer", "--verbose", *options, f"--header=:authority: {NAME}",
               f"https://127.0.0.1:{server.port}{path}"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=20)
    text = re.sub(r"\x1b\[[0-9;]*m", "", result.stdout)
    assert ":status: 200" in text, text + result.stderr
    return text


@pytest.fixture
def small_file(tmp_path):
    path = tmp_path / "data"
    path.write_bytes(b"hi")
    return path


def test_trailers_of_requests_from_http1_to_http2(serve, with_names, nghttpd):
    origin = nghttpd()
    server = serve([with_names(origin)])
    chunked(server, [b"X-Sum: 1", b"Grpc-Status: 2"] + [name.encode() + b": forged" for name in FORGED])
    fields = origin.received()
    assert ("x-sum", "1") in fields and ("grpc-status", "2") in fields
    assert not [value for _, value in fields if value == "forged"]


def test_trailers_of_requests_from_http2_to_http2(serve, with_names, nghttpd, small_file):
    """They need no announcement."""
    origin = nghttpd()
    server = serve([with_names(origin)])
    forged = [f"--trailer={name.lower()}: forged" for name in FORGED]
    nghttp(server, f"--data={small_file}", "--no-content-length", "--trailer=x-sum: 1", "--trailer=grpc-status: 2", *forged)
    fields = origin.received()
    assert ("x-sum", "1") in fields and ("grpc-status", "2") in fields
    assert not [value for _, value in fields if value == "forged"]


def test_trailers_of_requests_from_http2_to_http1(serve, with_names, small_file):
    """As far as they are announced; nghttp announces all of them."""
    requests = []

    def script(connection, number):
        received = b""
        while not received.endswith(b"\r\n\r\n") or b"\r\n0\r\n" not in received:
            piece = connection.recv(65536)
            if not piece:
                return
            received += piece
        requests.append(received)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with origins.Scripted(script) as origin:
        server = serve([with_names(origin, "http1")])
        forged = [f"--trailer={name.lower()}: forged" for name in FORGED]
        nghttp(server, f"--data={small_file}", "--no-content-length", "--trailer=x-sum: 1", *forged)
    assert b"x-sum: 1\r\n" in requests[0]
    assert b"forged" not in requests[0]


def test_unannounced_trailers_do_not_pass_to_http1(serve, with_names):
    bodies = []

    def script(connection, number):
        received = b""
        while b"\r\n0\r\n" not in received or not received.endswith(b"\r\n\r\n"):
            received += connection.recv(65536)
        bodies.append(received)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with origins.Scripted(script) as origin:
        server = serve([with_names(origin, "http1")])
        with server.http2(NAME) as client:
            stream = client.get(NAME, "/", ("trailer", "x-sum"), method="POST", end=False)
            client.send(stream, b"hi")
            client.trailers(stream, [("x-sum", "1"), ("x-other", "2")])
            assert client.answer(stream).status == 200
    assert b"x-sum: 1\r\n" in bodies[0] and b"x-other" not in bodies[0]


def test_trailers_of_answers_from_http2_to_http2(serve, with_names, nghttpd):
    forged = [f"--trailer={name.lower()}: forged" for name in FORGED]
    origin = nghttpd("--trailer=x-sum: 1", "--trailer=grpc-status: 2", *forged)
    server = serve([with_names(origin)])
    wanted = nghttp(server, "--header=te: trailers")
    assert "x-sum: 1" in wanted and "grpc-status: 2" in wanted and "forged" not in wanted
    assert ("te", "trailers") in origin.received()
    plain = nghttp(server)
    assert "x-sum" not in plain and "forged" not in plain


def test_trailers_of_answers_from_http1_to_http2(serve, with_names):
    trailers = b"".join(b"%s: forged\r\n" % name.encode() for name in FORGED)

    def script(connection, number):
        while origin.read_head(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n"
                               b"6\r\nsmall\n\r\n0\r\nX-Sum: 1\r\nGrpc-Status: 2\r\n" + trailers + b"\r\n")

    with origins.Scripted(script) as origin:
        server = serve([with_names(origin, "http1")])
        wanted = nghttp(server, "--header=te: trailers")
        assert "x-sum: 1" in wanted and "grpc-status: 2" in wanted and "forged" not in wanted
        plain = nghttp(server)
        assert "x-sum: 1" not in plain and "forged" not in plain


def test_trailers_of_answers_from_http2_to_http1(serve, with_names, nghttpd):
    forged = [f"--trailer={name}: forged" for name in FORGED]
    origin = nghttpd("--no-content-length", "--trailer=x-sum: 1", "--trailer=grpc-status: 2", *forged)
    server = serve([with_names(origin)])
    request = b"GET /small.txt HTTP/1.1\r\nHost: %s\r\nConnection: close%s\r\n\r\n"
    wanted = server.raw(NAME, request % (NAME.encode(), b", TE\r\nTE: trailers"))
    assert b"x-sum: 1\r\n" in wanted and b"grpc-status: 2\r\n" in wanted
    assert b"forged" not in wanted
    plain = server.raw(NAME, request % (NAME.encode(), b""))
    assert b"small\n" in plain and b"x-sum" not in plain and b"forged" not in plain
