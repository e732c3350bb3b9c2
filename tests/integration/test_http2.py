"""HTTP/2 to clients: streams side by side, windows in both directions, and how many streams there may be."""

import hashlib
import os
import subprocess
import threading
import time

import pytest

from conftest import SANITIZED, wait_for
from http2_raw import ENHANCE_YOUR_CALM, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS, REFUSED_STREAM, Raw, frame, rst_stream, window_update

MIB = 1024 * 1024
# Of bodies. Sanitizers look at what the code does with each piece, and 256 MiB have as many kinds of pieces as a gigabyte.
SIZES = [256 * MIB, pytest.param(1024 * MIB, marks=[
    pytest.mark.slow, pytest.mark.skipif(SANITIZED, reason="a quarter of it has all that sanitizers could find")])]


@pytest.fixture
def server(serve, host):
    return serve([host("h.test"), host("e.test", "enforce"), host("r.test", "report")], shards=1)


def ok(body=b"ok"):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


# Streams side by side


def test_streams_are_answered_side_by_side(serve, host, scripted):
    """The origin answers none of a hundred before all are there, and then the last one first."""
    waiting, all_there = [], threading.Event()

    def script(connection, number):
        head = script.origin.read_head(connection)
        waiting.append(number)
        if len(waiting) == 100:
            all_there.set()
        assert all_there.wait(10)
        connection.sendall(ok(head.split(b" ")[1]))

    origin = scripted(script)
    server = serve([host("h.test", origin=origin.address)], shards=1)
    with server.http2("h.test") as client:
        streams = {client.get("h.test", f"/{i}"): i for i in range(100)}
        for stream, i in reversed(streams.items()):
            answer = client.answer(stream)
            assert (answer.status, answer.body) == (200, b"/%d" % i)
    assert origin.accepted == 100


def test_connections_to_origins_are_shared_by_streams(serve, host, scripted):
    def script(connection, number):
        while script.origin.read_head(connection):
            connection.sendall(ok())

    origin = scripted(script)
    server = serve([host("h.test", origin=origin.address)], shards=1)
    before = server.metric("sallyport_connections_total")
    with server.http2("h.test") as client:
        for _ in range(50):
            assert client.ask("h.test").status == 200
    assert origin.accepted == 1
    assert server.metric("sallyport_connections_total") == before + 1


def test_a_slow_answer_holds_up_no_other(serve, host, scripted):
    release = threading.Event()

    def script(connection, number):
        while head := script.origin.read_head(connection):
            if head.startswith(b"GET /slow"):
                release.wait(10)
            connection.sendall(ok())

    server = serve([host("h.test", origin=scripted(script).address)], shards=1)
    with server.http2("h.test") as client:
        slow = client.get("h.test", "/slow")
        for _ in range(20):
            assert client.ask("h.test").status == 200
        assert not client.answers[slow].over
        release.set()
        assert client.answer(slow).status == 200


def test_a_big_download_starves_no_small_request(server, nginx):
    big = nginx.files / "big-of-64"
    with open(big, "wb") as file:
        os.truncate(file.fileno(), 64 * MIB)
    with server.http2("h.test") as client:
        download = client.get("h.test", "/files/big-of-64")
        client.wait(lambda: len(client.answers[download].pieces) > 0)
        for _ in range(30):
            assert client.ask("h.test", "/files/small.txt").text == "small\n"
        behind = sum(map(len, client.answers[download].pieces))
        assert behind < 64 * MIB, "they came in between"
        answer = client.answer(download, within=60)
        assert len(answer.body) == 64 * MIB
    big.unlink()


def test_several_downloads_go_on_together(server, nginx):
    (nginx.files / "of-8").write_bytes(bytes(8 * MIB))
    with Raw(server, "h.test") as raw:
        raw.settle()
        raw.send(*(raw.head(stream, raw.request("/files/of-8")) for stream in (1, 3, 5, 7)))
        assert raw.wait(lambda: len(raw.done) == 4, within=60)
        assert set(raw.bodies.values()) == {8 * MIB}
        half, taken = sum(size for _, size in raw.order) // 2, {1: 0, 3: 0, 5: 0, 7: 0}
        for stream, size in raw.order:
            taken[stream] += size
            half -= size
            if half <= 0:
                break
        assert min(taken.values()) > MIB, f"at half time each has had a good part: {taken}"


@pytest.mark.parametrize("how", ["header", "frame"])
def test_the_more_urgent_stream_goes_first(server, nginx, how):
    """RFC 9218: with the connection's window shut while both answers wait, the bytes that it lets through are the urgent one's."""
    (nginx.files / "of-2").write_bytes(bytes(2 * MIB))
    with Raw(server, "h.test", windows=False, initial=[(INITIAL_WINDOW_SIZE, 16 * MIB)]) as raw:
        raw.settle()

        def ask(stream, urgency):
            priority = ("priority", f"u={urgency}")
            raw.send(raw.head(stream, raw.request("/files/of-2", *([priority] if how == "header" else []))))
            if how == "frame":
                raw.send(frame(16, 0, 0, stream.to_bytes(4, "big") + f"u={urgency}".encode()))

        ask(1, 7)
        assert raw.wait(lambda: raw.bodies.get(1, 0) == 65535)
        ask(3, 0)
        assert raw.wait(lambda: 3 in raw.statuses)
        time.sleep(0.3)
        raw.order.clear()
        for _ in range(32):
            before = sum(raw.bodies.values())
            time.sleep(0.01)  # until the next piece has come from the origin
            raw.send(window_update(0, 16384))
            assert raw.wait(lambda: sum(raw.bodies.values()) == before + 16384)
        urgent = sum(size for stream, size in raw.order if stream == 3)
        assert urgent > 0.9 * 32 * 16384, f"{urgent} of {32 * 16384}"
        assert raw.wait(lambda: True) and 1 not in raw.resets


# Backpressure


def rss_of(server, after=0.0):
    time.sleep(after)
    return server.rss_kib()


@pytest.mark.measured
def test_a_stream_that_is_not_read_stops_its_origin_and_nothing_else(serve, host, scripted):
    sent = {}

    def script(connection, number):
        while head := script.origin.read_head(connection):
            if head.startswith(b"GET /big"):
                connection.settimeout(4)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
                sent[number] = 0
                try:
                    while True:
                        sent[number] += connection.send(bytes(65536))
                except TimeoutError:
                    return
            connection.sendall(ok())

    server = serve([host("h.test", origin=scripted(script).address)], shards=1)
    with server.http2("h.test") as client:
        assert client.ask("h.test").status == 200
        before = rss_of(server)
        streams = [client.get("h.test", f"/big{i}") for i in range(20)]
        client.unread.update(streams)
        # The connection's window is not to be what stops them.
        client.h2.increment_flow_control_window(512 * MIB)
        client.flush()
        client.wait(lambda: all(sum(map(len, client.answers[stream].pieces)) >= 65535 for stream in streams))
        time.sleep(1)
        now = dict(sent)
        for _ in range(20):
            assert client.ask("h.test").status == 200
        assert rss_of(server) - before < 8 * 1024, "of some 64 KiB each, and buffers"
        assert len(now) == 20 and all(size < 32 * MIB for size in now.values()), "the buffers of the kernel have the most of it"
        assert sent == now, "they stand still"
        client.unread.clear()
        stream = streams[0]
        client.h2.acknowledge_received_data(sum(map(len, client.answers[stream].pieces)), stream)
        client.flush()
        client.wait(lambda: sum(map(len, client.answers[stream].pieces)) > 4 * MIB)


@pytest.mark.measured
def test_an_origin_that_does_not_read_stops_one_upload_alone(serve, host, scripted):
    stop = threading.Event()

    def script(connection, number):
        while head := script.origin.read_head(connection):
            if head.startswith(b"POST /hangs"):
                stop.wait(20)
                return
            connection.sendall(ok())

    server = serve([host("h.test", origin=scripted(script).address)], shards=1)
    with server.http2("h.test") as client:
        assert client.ask("h.test").status == 200
        before = rss_of(server)
        upload = client.get("h.test", "/hangs", ("content-length", "1000000000"), method="POST", end=False)
        sent = 0
        client.tls.settimeout(1)
        while sent < 200 * MIB:
            room = min(client.room(upload), 16384)
            if room == 0:
                try:
                    client.receive()
                except TimeoutError:
                    break
                continue
            client.h2.send_data(upload, bytes(room))
            client.flush()
            sent += room
        assert MIB / 8 < sent < 64 * MIB
        for _ in range(20):
            assert client.ask("h.test").status == 200
        other = client.get("h.test", "/takes", ("content-length", "10"), method="POST", end=False)
        client.send(other, b"0123456789", end=True)
        assert client.answer(other).status == 200
        assert rss_of(server) - before < 8 * 1024
        stop.set()
        assert client.answer(upload).status == 502


def test_uploads_that_hang_leave_room_for_others(serve, host, scripted):
    """What one connection may have in flight is shared: uploads that nobody takes must not use it up for the others."""
    stop = threading.Event()

    def script(connection, number):
        # An origin that closes without a word of it may meet the next request, and a POST is not sent twice: so it stays.
        while head := script.origin.read_head(connection):
            if head.startswith(b"POST /hangs"):
                stop.wait(20)
                return
            body = head.partition(b"\r\n\r\n")[2]
            while len(body) < 100_000:
                body += connection.recv(65536)
            connection.sendall(ok())

    server = serve([host("h.test", origin=scripted(script).address)], shards=1)
    with server.http2("h.test") as client:
        uploads = [client.get("h.test", "/hangs", ("content-length", "100000000"), method="POST", end=False) for _ in range(8)]
        client.tls.settimeout(0.5)
        for upload in uploads:
            try:
                while client.room(upload) > 0 or client.receive():
                    room = client.room(upload)
                    if room:
                        client.h2.send_data(upload, bytes(room))
                        client.flush()
            except TimeoutError:
                continue
        for _ in range(20):
            other = client.get("h.test", "/takes", ("content-length", "100000"), method="POST", end=False)
            client.tls.settimeout(5)
            client.send(other, bytes(100_000), end=True)
            assert client.answer(other).status == 200
        stop.set()


@pytest.mark.parametrize("size", SIZES)
def test_a_large_download_over_one_stream_is_whole(server, nginx, size, tmp_path):
    large, block = nginx.files / f"large-{size}", os.urandom(MIB)
    with open(large, "wb") as file:
        for i in range(size // MIB):
            file.write(i.to_bytes(8, "big") + block[8:])
    server.protocol = "http2"
    download = subprocess.Popen(server.curl_command("h.test", f"/files/large-{size}"), stdout=subprocess.PIPE)
    got = subprocess.run(["sha256sum"], stdin=download.stdout, capture_output=True, text=True, timeout=300, check=True)
    assert download.wait(10) == 0
    with open(large, "rb") as file:
        assert got.stdout.split()[0] == hashlib.file_digest(file, "sha256").hexdigest()
    large.unlink()


@pytest.mark.parametrize("size", SIZES)
def test_a_large_upload_over_one_stream_is_whole(serve, host, scripted, size, tmp_path):
    got = hashlib.sha256()

    def script(connection, number):
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(1)
        left, buffer = size, bytearray(1 << 20)
        while left > 0 and (count := connection.recv_into(buffer)):
            got.update(memoryview(buffer)[:count])
            left -= count
        connection.sendall(ok())
        time.sleep(0.2)

    source, block = tmp_path / "large", os.urandom(MIB)
    with open(source, "wb") as file:
        for i in range(size // MIB):
            file.write(i.to_bytes(8, "big") + block[8:])
    server = serve([host("h.test", origin=scripted(script).address)], shards=1)
    server.protocol = "http2"
    response = server.curl("h.test", "/", "-T", str(source), timeout=300)
    assert (response.status, response.body) == (200, b"ok")
    with open(source, "rb") as file:
        assert got.hexdigest() == hashlib.file_digest(file, "sha256").hexdigest()
    source.unlink()


# Clients that change their mind


@pytest.mark.parametrize("how", ["reset", "close"])
def test_an_origin_notices_that_nobody_waits_any_more(serve, host, scripted, how):
    """By the stream for one request, by the connection for all; and the other streams go on."""
    asked, left, release = [], [], threading.Event()

    def script(connection, number):
        head = script.origin.read_head(connection)
        if head.startswith(b"GET /goes"):
            release.wait(60)
            connection.sendall(ok())
            return
        asked.append(number)
        connection.settimeout(60)
        if connection.recv(1) == b"":
            left.append(number)

    server = serve([host("h.test", origin=scripted(script).address)], shards=1)
    client = server.http2("h.test")
    streams = [client.get("h.test", "/waits") for _ in range(20)]
    stays = client.get("h.test", "/goes")
    wait_for(lambda: len(asked) == 20)
    assert left == []
    if how == "reset":
        for stream in streams:
            client.reset(stream)
        wait_for(lambda: len(left) == 20)
        release.set()
        assert client.answer(stays).status == 200
    client.tls.close()
    wait_for(lambda: len(left) == 20)
    release.set()
    wait_for(lambda: server.metric("sallyport_connections") == 0)


# How many streams


@pytest.mark.parametrize("valid", [False, True])
def test_streams_beyond_the_limit_are_refused_and_the_others_go_on(serve, host, scripted, pki, valid):
    """So it tells a client that has not read its limit yet; each may be asked again."""
    release = threading.Event()

    def script(connection, number):
        while script.origin.read_head(connection):
            release.wait(20)
            connection.sendall(ok())

    origin = scripted(script)
    server = serve([host("r.test", "report", origin=origin.address)], shards=1)
    with Raw(server, "r.test", pki.valid().bundle if valid else None, polite=False) as raw:
        assert raw.wait(lambda: raw.settings)
        limit = raw.settings[MAX_CONCURRENT_STREAMS]
        assert limit == (1000 if valid else 100)
        for stream in range(1, 2 * limit + 20, 2):
            raw.send(raw.head(stream))
        assert raw.wait(lambda: len(raw.resets) == 10)
        assert set(raw.resets) == set(range(2 * limit + 1, 2 * limit + 20, 2)), "the last ones"
        assert set(raw.resets.values()) == {REFUSED_STREAM} and not raw.goaways
        release.set()
        assert raw.wait(lambda: len(raw.done) == limit, within=20)
        assert set(raw.statuses.values()) == {200}
        raw.send(raw.head(2 * limit + 21))
        assert raw.outcome(2 * limit + 21) == 200


def test_a_client_that_knows_the_limit_and_does_not_keep_it(serve, host, scripted):
    """RFC 9113 section 5.1.2: an error of the stream; the others are answered, and one more may begin when one has ended."""
    release = threading.Event()

    def script(connection, number):
        while script.origin.read_head(connection):
            release.wait(20)
            connection.sendall(ok())

    server = serve([host("h.test", origin=scripted(script).address)], shards=1)
    with Raw(server, "h.test") as raw:
        raw.settle()
        raw.send(*(raw.head(stream) for stream in range(1, 221, 2)))
        assert raw.wait(lambda: len(raw.resets) == 10)
        assert raw.resets == {stream: REFUSED_STREAM for stream in range(201, 221, 2)} and not raw.goaways
        raw.send(rst_stream(1), raw.head(221))
        release.set()
        assert raw.wait(lambda: len(raw.done) == 100, within=20)
        assert set(raw.statuses) == {*range(3, 201, 2), 221} and set(raw.statuses.values()) == {200}


def test_a_flood_of_streams_beyond_the_limit_ends(serve, host, scripted):
    def script(connection, number):
        script.origin.read_head(connection)
        time.sleep(20)

    server = serve([host("h.test", origin=scripted(script).address)], shards=1)
    with Raw(server, "h.test") as raw:
        raw.settle()
        raw.send(*(raw.head(stream) for stream in range(1, 2001, 2)))
        assert raw.error() == ENHANCE_YOUR_CALM
        assert set(raw.resets.values()) <= {REFUSED_STREAM} and len(raw.resets) <= 400
    assert server.metric("sallyport_rejected_total", stage="request", reason="http2_resets") == 1
