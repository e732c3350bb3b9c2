"""Large bodies stream: 2 GiB each way with the memory watched, slow readers and slow writers."""

import os
import socket
import ssl
import subprocess
import threading
import time

import pytest

import origins
from conftest import settled

pytestmark = pytest.mark.both_protocols

GIB = 1024 ** 3


def watch(server, peak, done):
    while not done.is_set():
        peak[0] = max(peak[0], server.rss_kib())
        time.sleep(0.05)


def with_memory_watched(server, action):
    """The growth in KiB while action() runs, after one small request has warmed up."""
    peak, done = [0], threading.Event()
    before = server.rss_kib()
    watcher = threading.Thread(target=watch, args=(server, peak, done))
    watcher.start()
    try:
        action()
    finally:
        done.set()
        watcher.join()
    return peak[0] - before


@pytest.mark.slow
@pytest.mark.measured
def test_2_gib_download(serve, host, nginx):
    large = nginx.files / "large"
    with open(large, "wb") as file:
        os.truncate(file.fileno(), 2 * GIB)
    server = serve([host("big.test")])
    server.curl("big.test")

    def download():
        result = subprocess.run(
            server.curl_command("big.test", "/files/large", "-o", "/dev/null", "-w", "%{size_download} %{http_code}"),
            capture_output=True, text=True, timeout=300)
        assert result.stdout == f"{2 * GIB} 200", result.stderr

    try:
        assert with_memory_watched(server, download) < 4 * 1024
    finally:
        large.unlink()


@pytest.mark.slow
@pytest.mark.measured
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_2_gib_upload(serve, host, framing, tmp_path):
    received = []

    def script(connection, number):
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(65536)
        head, _, rest = head.partition(b"\r\n\r\n")
        total, buffer = len(rest), bytearray(1 << 20)
        tail = rest[-5:]
        chunked = b"chunked" in head.lower()
        while (not tail.endswith(b"0\r\n\r\n")) if chunked else total < 2 * GIB:
            size = connection.recv_into(buffer)
            if size == 0:
                return
            total += size
            tail = (tail + bytes(buffer[max(0, size - 5):size]))[-5:]
        received.append(total)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    source = tmp_path / "large"
    with open(source, "wb") as file:
        os.truncate(file.fileno(), 2 * GIB)

    def upload():
        extra = ["-H", "Transfer-Encoding: chunked"] if framing == "chunked" else []
        response = server.curl("big.test", "/", "-T", str(source), *extra, timeout=300)
        assert response.status == 200 and response.body == b"ok"

    with origins.Scripted(script) as origin:
        server = serve([host("big.test", origin=origin.address)])
        assert with_memory_watched(server, upload) < 4 * 1024
    assert received[0] == 2 * GIB if framing == "length" else received[0] > 2 * GIB


@pytest.mark.measured
def test_slow_reader_and_slow_origin_hold_little(serve, host):
    """A client that stops reading stops the origin; an origin that stops reading stops the client."""
    sent, taken = [0], threading.Event()

    def script(connection, number):
        head = origin.read_head(connection)
        connection.settimeout(10)
        if head.startswith(b"POST"):
            taken.wait(20)
            return
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        piece = b"x" * 65536
        try:
            while True:
                sent[0] += connection.send(piece)
        except socket.timeout:
            pass

    with origins.Scripted(script) as origin:
        server = serve([host("slow.test", origin=origin.address)])
        server.admin("/metrics")
        before = server.rss_kib()
        # 64 KiB a direction, and once for each shard its 2 MiB of receive buffers.
        allowed = 1024 + 2 * 2200
        with server.connect("slow.test") as reader:
            reader.sendall(b"GET / HTTP/1.1\r\nHost: slow.test\r\n\r\n")
            reader.recv(10)
            settled(lambda: sent[0])
            # Kernel buffers of two loopback connections hold the most of it.
            assert sent[0] < 64 * 1024 * 1024
            assert server.rss_kib() - before < allowed
        with server.connect("slow.test") as writer:
            writer.settimeout(2)
            written = 0
            writer.sendall(b"POST / HTTP/1.1\r\nHost: slow.test\r\nContent-Length: 1000000000\r\n\r\n")
            try:
                while True:
                    written += writer.send(b"x" * 65536)
            except (socket.timeout, ssl.SSLWantWriteError):
                pass
            assert written < 64 * 1024 * 1024
            assert server.rss_kib() - before < allowed
        taken.set()
