"""The load generator over HTTP/2: its requests and its attacks, against servers that nobody here wrote, and as frames that hyperframe reads."""

import contextlib
import json
import shutil
import socket
import ssl
import subprocess
import threading

import pytest

from conftest import wait_for
from generator import LOAD, NAME, make_pki, marks, servers, values_of

hpack = pytest.importorskip("hpack")
frames = pytest.importorskip("hyperframe.frame")

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
LAST_PING = b"the last"
ENHANCE_YOUR_CALM = 11

pytestmark = marks
needs_haproxy = pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is missing")
needs_nghttpd = pytest.mark.skipif(shutil.which("nghttpd") is None, reason="nghttpd is missing")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_pki(tmp_path_factory.mktemp("http2"), 1)


@pytest.fixture(scope="module")
def start(made, tmp_path_factory):
    """start(kind, setup): a server that lives as long as the module."""
    folder = tmp_path_factory.mktemp("servers")
    folder.chmod(0o755)
    values = {**values_of(made), "bundle": made.server_bundle}
    with contextlib.ExitStack() as stack:
        values["origin"] = stack.enter_context(servers.origin(folder / "origin", 0, values)).address
        running = {}

        def start(kind, setup="plain"):
            if (kind, setup) not in running:
                running[kind, setup] = stack.enter_context(servers.START[kind](setup, folder / f"{kind}-{setup}", 0, values))
            return running[kind, setup]
        yield start


def load(mode, address, *options, cert=None):
    """(exit status, result)"""
    command = [str(part) for part in (LOAD, mode, "--connect", address, "--sni", NAME, "--json", *(("--cert", cert) if cert else ()), *options)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.stdout.startswith("{"), result.stderr
    return result.returncode, json.loads(result.stdout)


PEERS = ["nginx", pytest.param("haproxy", marks=needs_haproxy)]


@pytest.mark.parametrize("kind", PEERS)
def test_requests(start, made, kind):
    server = start(kind)
    for mode in ("handshake", "request"):
        status, seen = load(mode, server.address, "--http2", "--count", 200, "--connections", 8, cert=made.clients)
        assert status == 0 and seen["whole_run"]["answers"] >= 200, seen
    status, seen = load("request", server.address, "--http2", "--count", 200, "--connections", 8, "--path", "/bytes/100000", cert=made.clients)
    assert status == 0 and seen["whole_run"]["bytes_received"] > 200 * 100000
    status, seen = load("handshake", server.address, "--http2", "--count", 20, "--expect", 403)
    assert status == 0 and seen["whole_run"]["answers"] >= 20, "a status that the static table does not have"
    status, seen = load("handshake", server.address, "--http2", "--count", 20, "--connections", 2)
    assert status == 1 and seen["first_failure"] == "status_failed: status 403"


@needs_nghttpd
def test_requests_to_nghttpd(start):
    server = start("nghttpd")
    status, seen = load("request", server.address, "--http2", "--count", 200, "--connections", 8)
    assert status == 0 and seen["whole_run"]["answers"] >= 200, seen


def test_resumed_and_idle_ones(start, made):
    status, seen = load("resumed", start("nginx", "tickets").address, "--http2", "--count", 50, "--connections", 4, cert=made.clients)
    assert status == 0 and seen["measured"]["resumed"] == seen["measured"]["handshakes"] > 0
    status, seen = load("idle", start("nginx").address, "--http2", "--duration", 0.5, "--connections", 20, cert=made.clients)
    assert status == 0 and seen["stand"] == 20 and seen["whole_run"]["answers"] == 20


def is_listening(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def test_a_server_without_http2_is_an_error(made):
    port = servers.free_port()
    server = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", made.server, "-key", made.server_key,
                               "-alpn", "http/1.1", "-www"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: is_listening(port))
        for extra in ((), ("-alpn", "h2")):
            status, seen = load("h2-ping", f"127.0.0.1:{port}", "--count", 1, "--connections", 1, "--expect", "http1,alert_120")
            assert status == 0 and sum(seen["outcomes"].values()) == 1
    finally:
        server.kill()
        server.communicate()


@pytest.mark.parametrize("mode, options, error", [
    ("random", ["--http2"], "no meaning for random"), ("h2-ping", ["--http2"], "no meaning for h2-ping"),
    ("h2-ping", ["--repeats", "0"], "--repeats takes"), ("h2-ping", ["--repeats", "x"], "--repeats takes")])
def test_options_that_make_no_sense(mode, options, error):
    result = subprocess.run([LOAD, mode, "--connect", "127.0.0.1:1", *options], capture_output=True, text=True, timeout=10)
    assert result.returncode == 2 and error in result.stderr


@contextlib.contextmanager
def listening(made, behave):
    """A server of TLS with ALPN h2, each of whose connections is given to `behave` in a thread; yields its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.server, made.server_key)
    context.set_alpn_protocols(["h2"])
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        def serve():
            with contextlib.suppress(OSError):
                while True:
                    peer, _ = listener.accept()
                    with contextlib.suppress(OSError), context.wrap_socket(peer, server_side=True) as stream:
                        stream.settimeout(10)
                        behave(stream)
        threading.Thread(target=serve, daemon=True).start()
        yield "127.0.0.1:%d" % listener.getsockname()[1]
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def frames_of(stream):
    """The frames that come behind the preface, as hyperframe reads them, until the client is gone."""
    held = b""
    while len(held) < len(PREFACE):
        held += stream.recv(65536)
    assert held.startswith(PREFACE)
    held = held[len(PREFACE):]
    while True:
        while len(held) >= 9:
            frame, size = frames.Frame.parse_frame_header(memoryview(held[:9]))
            if len(held) < 9 + size:
                break
            frame.parse_body(memoryview(held[9:9 + size]))
            held = held[9 + size:]
            yield frame
        data = stream.recv(65536)
        if not data:
            return
        held += data


def attack(made, mode, *options, repeats=3):
    """(frames of one connection behind its SETTINGS and its WINDOW_UPDATE, those two, result) of an attack that is borne."""
    seen = []

    def bear(stream):
        stream.sendall(frames.SettingsFrame(0).serialize())
        for frame in frames_of(stream):
            seen.append(frame)
            if isinstance(frame, frames.PingFrame) and frame.opaque_data == LAST_PING:
                stream.sendall(frames.PingFrame(0, frame.opaque_data, flags=["ACK"]).serialize())

    with listening(made, bear) as address:
        status, result = load(mode, address, "--count", 1, "--connections", 1, "--repeats", repeats, "--timeout", 0.5, *options)
    assert status == 0, result
    sent = [frame for frame in seen if not (isinstance(frame, frames.SettingsFrame) and "ACK" in frame.flags)
            and not (isinstance(frame, frames.PingFrame) and frame.opaque_data == LAST_PING)]
    assert isinstance(sent[0], frames.SettingsFrame) and isinstance(sent[1], frames.WindowUpdateFrame)
    return sent[2:], sent[:2], result


def names(sent):
    return [type(frame).__name__.removesuffix("Frame") for frame in sent]


def fields_of(decoder, frame):
    return [(name, value) for name, value in decoder.decode(frame.data, raw=False)]


def test_rapid_reset(made):
    sent, _, result = attack(made, "h2-rapid-reset")
    assert names(sent) == ["Headers", "RstStream"] * 3 and [frame.stream_id for frame in sent] == [1, 1, 3, 3, 5, 5]
    assert all("END_STREAM" in frame.flags and "END_HEADERS" in frame.flags for frame in sent[::2])
    assert {frame.error_code for frame in sent[1::2]} == {8}
    assert fields_of(hpack.Decoder(), sent[0]) == [(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", NAME)]
    assert result["outcomes"] == {"left": 1} and result["whole_run"]["repeats"] == 3


def test_made_reset(made):
    sent, _, _ = attack(made, "h2-made-reset")
    assert names(sent) == ["Headers", "WindowUpdate"] * 3
    assert ["END_STREAM" in frame.flags for frame in sent[::2]] == [True, False, True]
    assert {frame.window_increment for frame in sent[1::2]} == {2**31 - 1}, "with any window that there is it is too large"


@pytest.mark.parametrize("mode, fields", [("h2-continuation", 0), ("h2-endless-head", 64)])
def test_a_head_without_end(made, mode, fields):
    sent, _, result = attack(made, mode)
    assert names(sent) == ["Headers"] + ["Continuation"] * 3 and {frame.stream_id for frame in sent} == {1}
    assert not any("END_HEADERS" in frame.flags for frame in sent)
    assert all(len(hpack.Decoder().decode(frame.data)) == fields for frame in sent[1:])
    assert result["outcomes"] == {"timeout": 1}, "it waits, and sends nothing else in between"


def test_hpack_bomb(made):
    sent, _, _ = attack(made, "h2-hpack-bomb", repeats=2)
    assert names(sent) == ["Headers"] * 3
    decoder = hpack.Decoder(max_header_list_size=2**30)
    decoder.decode(sent[0].data)
    assert all(len(frame.data) < 8200 for frame in sent[1:])
    assert all(sum(len(name) + len(value) for name, value in decoder.decode(frame.data)) > 30 * 2**20 for frame in sent[1:])


@pytest.mark.parametrize("mode", ["h2-settings", "h2-settings-deaf"])
def test_settings(made, mode):
    sent, _, _ = attack(made, mode, repeats=4)
    assert names(sent)[:4] == ["Settings"] * 4 and sent[0].settings != sent[1].settings and sent[0].settings == sent[2].settings


def test_ping(made):
    sent, _, result = attack(made, "h2-ping")
    assert names(sent) == ["Ping"] * 3 and len({frame.opaque_data for frame in sent}) == 3
    assert result["outcomes"] == {"left": 1}


def test_priority(made):
    sent, _, _ = attack(made, "h2-priority", repeats=1001)
    assert names(sent) == ["Priority"] * 1001 and len({frame.stream_id for frame in sent}) == 1000
    assert all(frame.exclusive and frame.depends_on not in (0, frame.stream_id) for frame in sent)


def test_empty_data(made):
    sent, _, _ = attack(made, "h2-empty-data")
    assert names(sent) == ["Headers"] + ["Data"] * 3 and {frame.stream_id for frame in sent} == {1}
    assert (":method", "POST") in fields_of(hpack.Decoder(), sent[0])
    assert not any("END_STREAM" in frame.flags or getattr(frame, "data", b"") for frame in sent[1:])


def test_tiny_window(made):
    sent, (settings, window), _ = attack(made, "h2-tiny-window", repeats=100)
    assert settings.settings[4] == 1 and window.window_increment > 2**30
    assert names(sent) == ["Headers"] * 64 + ["WindowUpdate"] * 100 and {frame.window_increment for frame in sent[64:]} == {1}
    assert {frame.stream_id for frame in sent[64:]} == {frame.stream_id for frame in sent[:64]}


@pytest.mark.parametrize("mode, window, ends", [("h2-zero-window", 0, True), ("h2-half-open", 65535, False)])
def test_held_streams(made, mode, window, ends):
    """A hundred, and another for one that the server ends."""
    seen = []

    def reset_one(stream):
        stream.sendall(frames.SettingsFrame(0).serialize())
        for frame in frames_of(stream):
            seen.append(frame)
            if frame.stream_id == 199:
                stream.sendall(frames.RstStreamFrame(7, error_code=7).serialize())
            elif frame.stream_id > 199:
                stream.sendall(frames.GoAwayFrame(0, last_stream_id=1, error_code=ENHANCE_YOUR_CALM).serialize())

    with listening(made, reset_one) as address:
        status, result = load(mode, address, "--count", 1, "--connections", 1, "--interval", 0.05, "--expect", "goaway_11")
    assert status == 0 and result["whole_run"]["streams_reset"] == 1
    heads = [frame for frame in seen if isinstance(frame, frames.HeadersFrame)]
    assert [frame.stream_id for frame in heads] == [*range(1, 200, 2), 201]
    assert {"END_STREAM" in frame.flags for frame in heads} == {ends}
    assert seen[0].settings[4] == window


@pytest.mark.parametrize("mode, outcome", [("h2-ping", "goaway_11"), ("h2-ping-deaf", "timeout"), ("h2-settings-deaf", "timeout")])
def test_the_deaf_do_not_read(made, mode, outcome):
    def turn_away(stream):
        stream.sendall(frames.SettingsFrame(0).serialize())
        for number, _ in enumerate(frames_of(stream)):
            if number == 2:
                stream.sendall(frames.GoAwayFrame(0, last_stream_id=0, error_code=ENHANCE_YOUR_CALM).serialize())

    with listening(made, turn_away) as address:
        status, result = load(mode, address, "--count", 1, "--connections", 1, "--repeats", 5, "--timeout", 0.5, "--expect", outcome)
    assert (status, result["outcomes"]) == (0, {outcome: 1})


@pytest.mark.parametrize("mode, repeats, outcomes", [
    ("h2-endless-head", 10000, "goaway_11"),  # its fields are too large
    ("h2-hpack-bomb", 10000, "goaway_11"),    # and here, once they are decoded
    ("h2-ping", 200000, "fin,reset"),         # "http2 flood detected"
    ("h2-tiny-window", 10000, "left"),        # borne
])
def test_what_nginx_does(start, mode, repeats, outcomes):
    status, seen = load(mode, start("nginx").address, "--count", 8, "--connections", 4, "--repeats", repeats, "--expect", outcomes)
    assert (status, sum(seen["outcomes"].values())) == (0, 8), seen["outcomes"]


def test_a_server_is_made_to_reset(start):
    server = start("nginx")
    _, seen = load("h2-made-reset", server.address, "--count", 4, "--connections", 2, "--repeats", 50)
    assert seen["whole_run"]["streams_reset"] > 50
    status, seen = load("handshake", server.address, "--http2", "--count", 20, "--expect", 403)
    assert status == 0, "and it lives"


@needs_haproxy
def test_held_windows_of_haproxy_are_counted_as_held(start, made):
    """Only a valid client's requests get to the origin, whose answers cannot leave."""
    status, seen = load("h2-zero-window", start("haproxy").address, "--connections", 2, "--duration", 1, "--path", "/bytes/1000000",
                        cert=made.clients)
    assert status == 0 and seen["outcomes"] == {} and seen["whole_run"]["streams_answered"] == 0


def test_the_origin_of_the_benchmarks_answers_any_size(tmp_path, made):
    with servers.origin(tmp_path / "origin", 0, values_of(made)) as origin:
        with socket.create_connection(("127.0.0.1", origin.port)) as client:
            client.sendall(b"GET /bytes/3000000 HTTP/1.1\r\nHost: a\r\n\r\nGET /bytes/5 HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
            answer = client.makefile("rb")
            for size in (3000000, 5, 3):
                head = b"".join(iter(answer.readline, b"\r\n"))
                assert head.startswith(b"HTTP/1.1 200") and b"Content-Length: %d\r\n" % size in head
                assert len(answer.read(size)) == size
