"""Answers that come bit by bit: server-sent events and long polling. Each piece leaves when it comes."""

import subprocess
import threading
import time

import pytest

import origins
from bio import Client
from conftest import wait_for

EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-store\r\n%s\r\n"
PAUSE = 0.1


def events_of(framing, count=20, pause=PAUSE):
    """An origin that sends an event each `pause` seconds, with the moments at which it did in `moments`."""
    moments = []

    def script(connection, number):
        while origin.read_head(connection):
            connection.sendall(EVENTS % (b"Transfer-Encoding: chunked\r\n" if framing == "chunked" else b""))
            for index in range(count):
                event = b"data: %d\n\n" % index
                moments.append(time.monotonic())
                connection.sendall(b"%x\r\n%s\r\n" % (len(event), event) if framing == "chunked" else event)
                time.sleep(pause)
            if framing != "chunked":
                return
            connection.sendall(b"0\r\n\r\n")

    origin = origins.Scripted(script)
    origin.moments = moments
    return origin


@pytest.mark.parametrize("framing", ["chunked", "until the end"])
@pytest.mark.parametrize("http, version", [("--http1.1", "1.2"), ("--http1.1", "1.3"), ("--http2", "1.3")])
def test_each_event_leaves_when_it_comes(serve, host, framing, http, version):
    with events_of(framing) as origin:
        server = serve([host("e.test", origin=origin.address)], shards=1)
        curl = subprocess.Popen(["curl", "-sN", http, "--cacert", str(server.server_root), "--tls-max", version, "--resolve",
                                 f"e.test:{server.port}:127.0.0.1", f"https://e.test:{server.port}/"], stdout=subprocess.PIPE)
        late = []
        for index in range(20):
            assert curl.stdout.readline() == b"data: %d\n" % index
            late.append(time.monotonic() - origin.moments[index])
            assert curl.stdout.readline() == b"\n"
        assert curl.wait(10) == 0
        # An event that waited for the next one would be late by the pause, and each would be. The machine may be busy.
        assert sorted(late)[4] < 0.01 and sorted(late)[10] < PAUSE, late


def test_a_poll_is_answered_when_the_origin_does(serve, host):
    moment, late = [], []

    def script(connection, number):
        while origin.read_head(connection):
            time.sleep(1.5)
            moment.append(time.monotonic())
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnews")

    with origins.Scripted(script) as origin:
        server = serve([host("e.test", origin=origin.address)], shards=1,
                       limits={"connections": 64, "idle_timeout": "1s", "request_header_timeout": "1s"})
        with server.open(server.tls_client(), "e.test") as client:
            for _ in range(3):
                assert client.get()[2] == "news"
                late.append(time.monotonic() - moment[-1])
        # Whatever waits for a timer would be late each time. The machine may be busy.
        assert min(late) < 0.05 and max(late) < 1, late


def test_a_stream_of_events_may_be_silent_as_long_as_a_tunnel(serve, host):
    """Whatever the limits of connections are. Its client is not to blame."""
    with events_of("chunked", 4, 1.0) as origin:
        server = serve([{**host("e.test", origin=origin.address), "timeouts": {"tunnel_idle": "3s"}}], shards=1,
                       limits={"connections": 64, "idle_timeout": "700ms", "request_header_timeout": "700ms"})
        assert server.curl("e.test").text == "".join(f"data: {index}\n\n" for index in range(4))
    with events_of("chunked", 2, 5.0) as origin:
        server = serve([{**host("e.test", origin=origin.address), "timeouts": {"tunnel_idle": "2s"}}], shards=1)
        began = time.monotonic()
        response = server.curl("e.test", check=False)
        assert response.returncode != 0 and response.text == "data: 0\n\n"
        assert 1.9 < time.monotonic() - began < 4.9, "before the next event"
        assert "timed_out" in server.stderr()


def test_a_client_that_leaves_ends_the_stream(serve, host):
    gone = threading.Event()

    def script(connection, number):
        origin.read_head(connection)
        connection.sendall(EVENTS % b"" + b"data: 0\n\n")
        try:
            connection.recv(1)
        except ConnectionError:
            pass
        gone.set()

    with origins.Scripted(script) as origin:
        server = serve([host("e.test", origin=origin.address)], shards=1)
        client = Client(server, "e.test")
        client.send(b"GET / HTTP/1.1\r\nHost: e.test\r\n\r\n")
        assert client.raw.recv(1)
        client.reset()
        assert gone.wait(15)
        wait_for(lambda: server.metric("sallyport_connections") == 0)
