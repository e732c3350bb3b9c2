"""
Floods of frames that cost a client little: each ends with GOAWAY and ENHANCE_YOUR_CALM, is counted by its reason, and the other
clients of the same shard do not notice. And what a client can hold open at no cost: each ends when its time is over.
"""

import threading
import time

import pytest

import origins
from conftest import SANITIZED
from http2_raw import (ACK, CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, HEADERS,
                       INITIAL_WINDOW_SIZE, NO_ERROR, PADDED, PING, PRIORITY, PRIORITY_UPDATE, PROTOCOL_ERROR,
                       STREAM_CLOSED, Raw, frame, number, rst_stream, settings, window_update)

MIB = 1024 * 1024


@pytest.fixture
def server(serve, host):
    return serve([host("h.test"), host("r.test", "report")], shards=1)


class Bystander:
    """A client that asks all the while, one request after another; `calm` tells how it fared."""

    def __init__(self, server, host="h.test"):
        self.client, self.host = server.http2(host), host
        self.stop, self.slowest, self.count, self.failure = threading.Event(), 0, 0, None
        self.thread = threading.Thread(target=self.run)

    def run(self):
        try:
            while not self.stop.is_set():
                began = time.monotonic()
                assert self.client.ask(self.host).status == 200
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.count += 1
                time.sleep(0.002)
        except BaseException as error:  # the test is told of it, by `calm`
            self.failure = error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        deadline = time.monotonic() + 5
        while self.count <= 10 and self.failure is None and time.monotonic() < deadline:
            time.sleep(0.01)
        self.stop.set()
        self.thread.join()
        self.client.tls.close()
        assert self.failure is None, repr(self.failure)
        assert self.count > 10 and self.slowest < 2, (self.count, self.slowest)


def numbers():
    """Of streams."""
    return iter(range(1, 2 ** 31, 2))


def rapid_reset(raw, streams):
    stream = next(streams)
    return raw.head(stream) + rst_stream(stream)


def reset_of_uploads(raw, streams):
    stream = next(streams)
    return raw.head(stream, raw.request("/body", method="POST"), END_HEADERS) + frame(DATA, 0, stream, b"x") + rst_stream(stream)


def made_by_window_update(raw, streams):
    """MadeYouReset: the request is complete, and a frame that breaks the rules has the server reset it."""
    stream = next(streams)
    return raw.head(stream) + window_update(stream, 0)


def made_by_overflow(raw, streams):
    stream = next(streams)
    return raw.head(stream) + window_update(stream, 2 ** 31 - 1)


def made_by_data(raw, streams):
    stream = next(streams)
    return raw.head(stream) + frame(DATA, END_STREAM, stream, b"x")


def made_by_length(raw, streams):
    stream = next(streams)
    return raw.head(stream, raw.request("/", ("content-length", "5"), method="POST"), END_HEADERS) + frame(DATA, END_STREAM, stream, b"x")


def made_by_upper_case(raw, streams):
    return raw.head(next(streams), raw.request("/", (b"X-Upper", b"a")))


def bomb(raw, streams):
    """A field of 4,000 bytes that is put into the table once, and then named by one byte again and again."""
    stream = next(streams)
    block = b"\x82\x87\x84\x01\x06h.test"  # which puts nothing into the table
    if stream == 1:
        value = 3800
        entry = b"\x40\x01x\x7f" + bytes([(value - 127) % 128 | 128, (value - 127) // 128]) + b"a" * value
        return frame(HEADERS, END_HEADERS | END_STREAM, stream, block + entry)
    return frame(HEADERS, END_HEADERS | END_STREAM, stream, block + b"\xbe" * 10000)


# What is sent over and over, the reason that it is counted by, and the code where it is not ENHANCE_YOUR_CALM: some faults of a
# stream end the connection at once, which leaves nothing to flood with.
FLOODS = {
    "rapid reset": (rapid_reset, "http2_resets"),
    "reset of uploads": (reset_of_uploads, "http2_resets"),
    "made by WINDOW_UPDATE": (made_by_window_update, "http2_faults"),
    "made by a window that overflows": (made_by_overflow, "http2_faults"),
    "made by DATA behind the end": (made_by_data, "http2_error", STREAM_CLOSED),
    "made by a length that lies": (made_by_length, "http2_faults"),
    "made by upper case": (made_by_upper_case, "http2_faults"),
    "HPACK bomb": (bomb, "http2_heads"),
    "SETTINGS": (lambda raw, streams: settings((INITIAL_WINDOW_SIZE, 65535)), "http2_settings"),
    "empty SETTINGS": (lambda raw, streams: settings(), "http2_settings"),
    "PING": (lambda raw, streams: frame(PING, 0, 0, bytes(8)), "http2_pings"),
    "PING that acknowledges": (lambda raw, streams: frame(PING, ACK, 0, bytes(8)), "http2_pings"),
    "PRIORITY": (lambda raw, streams: frame(PRIORITY, 0, next(streams), number(0) + b"\x10"), "http2_priorities"),
    "PRIORITY_UPDATE": (lambda raw, streams: frame(PRIORITY_UPDATE, 0, 0, number(1) + b"u=1"), "http2_priorities"),
    "WINDOW_UPDATE": (lambda raw, streams: window_update(0, 1), "http2_window_updates"),
    "unknown frames": (lambda raw, streams: frame(0xfa, 0, 0, b""), "http2_unknown_frames"),
}


def flood(raw, pieces, within=20):
    """Sends until the server ends it; in batches, and reads what comes all the while."""
    deadline = time.monotonic() + within
    for piece in pieces:
        if raw.goaways or raw.ended or not raw.send(piece):
            break
        raw.read(0.0001)
        assert time.monotonic() < deadline, f"the server goes on: {len(raw.statuses)} {len(raw.resets)}"


def batches(make, raw, size=20):
    streams = numbers()
    while True:
        yield b"".join(make(raw, streams) for _ in range(size))


@pytest.mark.parametrize("what", FLOODS)
def test_a_flood_ends_and_is_counted_and_others_go_on(server, what):
    make, reason, *code = FLOODS[what]
    before = server.rss_kib()
    with Bystander(server), Raw(server, "h.test") as raw:
        raw.settle()
        flood(raw, batches(make, raw, 1 if make is bomb else 20))
        assert raw.error() == (code[0] if code else ENHANCE_YOUR_CALM)
    assert server.metric("sallyport_rejected_total", stage="request", reason=reason) == 1
    assert SANITIZED or server.rss_kib() - before < 16 * 1024
    assert server.http2("h.test").ask("h.test").status == 200


@pytest.mark.parametrize("filling", [b"", b"\x00\x01x\x7f\x00" + b"a" * 127], ids=["empty", "full"])
def test_continuations_without_end(server, filling):
    before = server.rss_kib()
    with Bystander(server), Raw(server, "h.test") as raw:
        raw.settle()
        raw.send(raw.head(1, None, END_STREAM))
        piece = frame(CONTINUATION, 0, 1, filling * (100 if filling else 1))
        flood(raw, (piece for _ in range(100_000)))
        assert raw.error() == ENHANCE_YOUR_CALM
    assert server.metric("sallyport_rejected_total", stage="request", reason="http2_continuations") == 1
    assert SANITIZED or server.rss_kib() - before < 4 * 1024


@pytest.mark.parametrize("data", [frame(DATA, 0, 1), frame(DATA, PADDED, 1, b"\x00"), frame(DATA, PADDED, 1, b"\xff" + bytes(255)),
                                  frame(DATA, 0, 1, b"x")], ids=["empty", "padded", "padding alone", "of one byte"])
def test_data_that_brings_next_to_nothing(serve, host, data):
    def script(connection, number_):
        while connection.recv(65536):
            pass

    with origins.Scripted(script) as origin:
        server = serve([host("u.test", origin=origin.address), host("h.test")], shards=1)
        with Bystander(server), Raw(server, "u.test") as raw:
            raw.settle()
            raw.send(raw.head(1, raw.request(method="POST"), END_HEADERS))
            flood(raw, (data * 20 for _ in range(100_000)))
            assert raw.error() == ENHANCE_YOUR_CALM
        assert server.metric("sallyport_rejected_total", stage="request", reason="http2_empty_frames") == 1


def test_tiny_windows(serve, host, nginx):
    """A window of one byte, opened byte by byte: each DATA frame carries next to nothing."""
    (nginx.files / "tiny").write_bytes(bytes(MIB))
    server = serve([host("h.test")], shards=1)
    with Bystander(server), Raw(server, "h.test", initial=[(INITIAL_WINDOW_SIZE, 1)], windows=False) as raw:
        raw.settle()
        raw.send(raw.head(1, raw.request("/files/tiny")))
        flood(raw, (window_update(1, 1) * 10 for _ in range(100_000)), within=60)
        assert raw.error() == ENHANCE_YOUR_CALM
        assert sum(raw.bodies.values()) < 64 * 1024
    assert server.metric("sallyport_rejected_total", stage="request", reason="http2_window_updates") == 1


# What is held open


LIMITS = {"connections": 4096, "idle_timeout": "1s", "request_header_timeout": "1s"}


@pytest.fixture
def impatient(serve, host):
    return serve([host("h.test")], shards=1, limits=LIMITS)


def test_a_window_that_is_held_shut(impatient, nginx):
    (nginx.files / "of-1").write_bytes(bytes(MIB))
    with Bystander(impatient), Raw(impatient, "h.test", initial=[(INITIAL_WINDOW_SIZE, 0)]) as raw:
        raw.settle()
        raw.send(*(raw.head(stream, raw.request("/files/of-1")) for stream in range(1, 101, 2)))
        assert raw.wait(lambda: len(raw.resets) == 50)
        assert set(raw.resets.values()) <= {CANCEL, ENHANCE_YOUR_CALM} and raw.bodies == {}
    assert impatient.metric("sallyport_rejected_total", stage="request", reason="timeout") == 50


def test_the_windows_of_the_connection_that_are_held_shut(impatient, nginx):
    (nginx.files / "of-1").write_bytes(bytes(MIB))
    with Bystander(impatient), Raw(impatient, "h.test", windows=False, initial=[(INITIAL_WINDOW_SIZE, 2 ** 31 - 1)]) as raw:
        raw.settle()
        raw.send(*(raw.head(stream, raw.request("/files/of-1")) for stream in range(1, 21, 2)))
        assert raw.wait(lambda: len(raw.resets) == 10 or raw.ended)
        assert sum(raw.bodies.values()) <= 65535
    assert impatient.metric("sallyport_rejected_total", stage="request", reason="timeout") == 10


def test_pings_keep_no_stream_alive(serve, host, nginx):
    (nginx.files / "of-1").write_bytes(bytes(MIB))
    server = serve([host("h.test")], shards=1, limits=LIMITS)
    with Raw(server, "h.test", windows=False, initial=[(INITIAL_WINDOW_SIZE, 0)]) as raw:
        raw.settle()
        raw.send(raw.head(1, raw.request("/files/of-1")))
        deadline = time.monotonic() + 30
        while not raw.resets and not raw.ended and time.monotonic() < deadline:
            raw.send(frame(PING, 0, 0, bytes(8)))  # of no stream
            raw.wait(lambda: raw.resets, within=0.3)
        assert raw.resets.get(1) in (CANCEL, ENHANCE_YOUR_CALM)


@pytest.mark.parametrize("start", ["nothing", "a piece"])
def test_a_body_that_never_ends(serve, host, start):
    with origins.Scripted(lambda connection, number_: (connection.recv(65536), time.sleep(20))) as origin:
        server = serve([host("u.test", origin=origin.address), host("h.test")], shards=1, limits=LIMITS)
        with Bystander(server), Raw(server, "u.test") as raw:
            raw.settle()
            for stream in range(1, 101, 2):
                raw.send(raw.head(stream, raw.request(method="POST"), END_HEADERS), frame(DATA, 0, stream, b"x" * 1000) if start == "a piece" else b"")
            assert raw.wait(lambda: len(raw.done | set(raw.resets)) == 50)
            assert set(raw.statuses.values()) == {408}
            assert set(raw.resets.values()) <= {NO_ERROR, CANCEL}
        assert server.metric("sallyport_rejected_total", stage="request", reason="timeout") == 50


def test_a_head_that_never_ends(impatient):
    """In a CONTINUATION that does not come; and in a frame that does not."""
    with Bystander(impatient):
        for half in (lambda raw: raw.head(1, None, END_STREAM), lambda raw: raw.head(1)[:12], lambda raw: b"\0"):
            with Raw(impatient, "h.test", windows=False) as raw:  # no other frame may come in between
                raw.settle()
                raw.send(half(raw))
                began = time.monotonic()
                assert raw.error() in (NO_ERROR, PROTOCOL_ERROR, ENHANCE_YOUR_CALM, None)
                assert 0.5 < time.monotonic() - began < 4
    assert impatient.metric("sallyport_rejected_total", stage="request", reason="timeout") == 3


@pytest.mark.parametrize("start", ["no preface", "half a preface", "preface", "a request"])
def test_a_connection_without_requests(impatient, start):
    bytes_ = {"no preface": b"", "half a preface": b"PRI * HT"}.get(start)
    with Raw(impatient, "h.test", start=bytes_, polite=bytes_ is None) as raw:
        if start == "a request":
            raw.settle()
            raw.send(raw.head(1))
            assert raw.outcome(1) == 200
        began = time.monotonic()
        assert raw.error() in (NO_ERROR, None)
        assert 0.3 < time.monotonic() - began < 4
    assert impatient.metric("sallyport_rejected_total", stage="request") <= 1


@pytest.mark.parametrize("sent", ["ping", "settings", "window_update"])
def test_frames_without_requests_keep_no_connection(impatient, sent):
    piece = {"ping": frame(PING, 0, 0, bytes(8)), "settings": settings(), "window_update": window_update(0, 1)}[sent]
    with Raw(impatient, "h.test") as raw:
        raw.settle()
        deadline = time.monotonic() + 8
        while raw.send(piece) and not raw.ended and not raw.goaways:
            assert time.monotonic() < deadline, "held open for ever"
            raw.read(0.2)


@pytest.mark.measured
def test_connections_that_hold_all_they_may_are_bounded(serve, host, nginx):
    """A hundred streams each, of which none is read."""
    (nginx.files / "of-1").write_bytes(bytes(MIB))
    server = serve([host("h.test")], shards=1)
    raws = [Raw(server, "h.test", windows=False, initial=[(INITIAL_WINDOW_SIZE, 0)]) for _ in range(10)]
    for raw in raws:
        raw.settle()
    before = server.rss_kib()
    for raw in raws:
        raw.send(*(raw.head(stream, raw.request("/files/of-1")) for stream in range(1, 201, 2)))
    for raw in raws:
        assert raw.wait(lambda: len(raw.statuses) + len(raw.resets) == 100, within=20)
    time.sleep(1)
    assert server.rss_kib() - before < 1000 * 128, "KiB: 128 for each stream at most"
    assert server.curl("h.test").status == 200
    for raw in raws:
        raw.tls.close()
