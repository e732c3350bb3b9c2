"""
Frames that break RFC 9113, at the real server: each is answered by the error that the RFC prescribes, for the stream or for the
connection, and no other connection notices. tests/http2 has a longer table for the codec alone.
"""

import random
import time

import pytest

import origins
from conftest import wait_for
from http2_raw import (ACK, CANCEL, COMPRESSION_ERROR, CONTINUATION, DATA, ENABLE_PUSH, END_HEADERS, END_STREAM, FLOW_CONTROL_ERROR,
                       FRAME_SIZE_ERROR, GOAWAY, HEADER_TABLE_SIZE, HEADERS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, NO_ERROR, PADDED, PING, PREFACE,
                       PRIORITIZED, PRIORITY, PROTOCOL_ERROR, PUSH_PROMISE, RST_STREAM, SETTINGS, STREAM_CLOSED, WINDOW_UPDATE, Raw,
                       frame, number, rst_stream, settings, window_update)


MIB = 1024 * 1024


@pytest.fixture
def server(serve, host):
    return serve([host("h.test")], shards=1)


def connection(*codes):
    """The connection ends with one of these."""
    return {("goaway", code) for code in codes}


def stream(*codes):
    """The stream ends with one of these; a server may make more of it (RFC 9113 section 5.4)."""
    return {("reset", code) for code in codes} | connection(*codes)


def post(raw, end=0, number_=1, *more):
    return raw.head(number_, raw.request("/body", *more, method="POST"), END_HEADERS | end)


def with_block(raw, more):
    """A request with these bytes behind its block of fields."""
    return frame(HEADERS, END_STREAM | END_HEADERS, 1, raw.encoder.encode(raw.request()) + more)


# What is sent after the preface, and the outcome of stream 1.
CASES = {
    "DATA on stream 0": (lambda raw: frame(DATA, 0, 0, b"x"), connection(PROTOCOL_ERROR)),
    "DATA on an idle stream": (lambda raw: frame(DATA, END_STREAM, 1, b"x"), connection(PROTOCOL_ERROR, STREAM_CLOSED)),
    "DATA padded beyond its end": (lambda raw: post(raw) + frame(DATA, PADDED, 1, b"\x09abc"), connection(PROTOCOL_ERROR)),
    "DATA behind the end": (lambda raw: post(raw, END_STREAM) + frame(DATA, END_STREAM, 1, b"x"), stream(STREAM_CLOSED)),
    "DATA behind RST_STREAM": (lambda raw: post(raw) + rst_stream(1) + frame(DATA, 0, 1, b"x") + raw.head(3), stream(STREAM_CLOSED)),
    "HEADERS on stream 0": (lambda raw: raw.head(0), connection(PROTOCOL_ERROR)),
    "HEADERS on an even stream": (lambda raw: raw.head(2), connection(PROTOCOL_ERROR)),
    "HEADERS on a stream with a lower number": (lambda raw: raw.head(5) + raw.head(3), connection(PROTOCOL_ERROR, STREAM_CLOSED)),
    "HEADERS behind the end": (lambda raw: post(raw, END_STREAM) + raw.head(1), stream(STREAM_CLOSED, PROTOCOL_ERROR)),
    "HEADERS behind RST_STREAM": (lambda raw: post(raw) + rst_stream(1) + raw.head(1), stream(STREAM_CLOSED)),
    "CONTINUATION behind RST_STREAM": (lambda raw: post(raw) + rst_stream(1) + frame(CONTINUATION, END_HEADERS, 1, b"\x82"),
                                       connection(PROTOCOL_ERROR, STREAM_CLOSED)),
    "HEADERS padded beyond their end": (lambda raw: frame(HEADERS, PADDED | END_HEADERS | END_STREAM, 1, b"\xff\x82"),
                                        connection(PROTOCOL_ERROR)),
    "HEADERS that depend on themselves": (lambda raw: raw.head(1, None, END_STREAM | END_HEADERS | PRIORITIZED, number(1) + b"\x10"),
                                          connection(PROTOCOL_ERROR)),
    "HEADERS too short for a priority": (lambda raw: frame(HEADERS, PRIORITIZED | END_HEADERS | END_STREAM, 1, b"\0\0"),
                                         connection(FRAME_SIZE_ERROR, PROTOCOL_ERROR)),
    "a frame between HEADERS and CONTINUATION": (lambda raw: raw.head(1, None, END_STREAM) + frame(PING, 0, 0, bytes(8)),
                                                 connection(PROTOCOL_ERROR)),
    "CONTINUATION of another stream": (lambda raw: raw.head(1, None, END_STREAM) + frame(CONTINUATION, END_HEADERS, 3, b""),
                                       connection(PROTOCOL_ERROR)),
    "CONTINUATION of nothing": (lambda raw: frame(CONTINUATION, END_HEADERS, 1, b"\x82"), connection(PROTOCOL_ERROR)),
    "CONTINUATION behind a whole head": (lambda raw: raw.head(1) + frame(CONTINUATION, END_HEADERS, 1, b"\x82"),
                                         connection(PROTOCOL_ERROR)),
    "a header block that is none": (lambda raw: frame(HEADERS, END_STREAM | END_HEADERS, 1, b"\xff\xff\xff\xff\xff\xff"),
                                    connection(COMPRESSION_ERROR)),
    "an index that is not there": (lambda raw: frame(HEADERS, END_STREAM | END_HEADERS, 1, b"\xfe"), connection(COMPRESSION_ERROR)),
    "index 0": (lambda raw: frame(HEADERS, END_STREAM | END_HEADERS, 1, b"\x80"), connection(COMPRESSION_ERROR)),
    "a table larger than allowed": (lambda raw: frame(HEADERS, END_STREAM | END_HEADERS, 1, b"\x3f\xe1\xff\x7f\x82"),
                                    connection(COMPRESSION_ERROR)),
    "Huffman code with EOS in it": (lambda raw: frame(HEADERS, END_STREAM | END_HEADERS, 1, b"\x00\x84\xff\xff\xff\xff\x00"),
                                    connection(COMPRESSION_ERROR)),
    "Huffman code padded with 8 bits": (lambda raw: with_block(raw, b"\x00\x85\xf2\xb2\x4a\x84\xff\x84\x49\x50\x9f\xff"),
                                        connection(COMPRESSION_ERROR)),
    "Huffman code padded with zeros": (lambda raw: with_block(raw, b"\x00\x85\xf2\xb2\x4a\x87\xff\x83\x49\x50\x90"),
                                       connection(COMPRESSION_ERROR)),
    "a table size behind a field": (lambda raw: with_block(raw, b"\x3f\x01"), connection(COMPRESSION_ERROR)),
    "an unknown frame between HEADERS and CONTINUATION": (lambda raw: raw.head(1, None, END_STREAM) + frame(0xfa, 0, 1, b"x"),
                                                          connection(PROTOCOL_ERROR)),
    "PRIORITY on stream 0": (lambda raw: frame(PRIORITY, 0, 0, bytes(5)), connection(PROTOCOL_ERROR)),
    "PRIORITY of 4 bytes": (lambda raw: frame(PRIORITY, 0, 1, bytes(4)), stream(FRAME_SIZE_ERROR)),
    "RST_STREAM on stream 0": (lambda raw: rst_stream(0), connection(PROTOCOL_ERROR)),
    "RST_STREAM on an idle stream": (lambda raw: rst_stream(1), connection(PROTOCOL_ERROR)),
    "RST_STREAM of 3 bytes": (lambda raw: post(raw) + frame(RST_STREAM, 0, 1, bytes(3)), connection(FRAME_SIZE_ERROR)),
    "SETTINGS on a stream": (lambda raw: settings(stream=1), connection(PROTOCOL_ERROR)),
    "SETTINGS of 5 bytes": (lambda raw: frame(SETTINGS, 0, 0, bytes(5)), connection(FRAME_SIZE_ERROR)),
    "SETTINGS that acknowledge and set": (lambda raw: frame(SETTINGS, ACK, 0, bytes(6)), connection(FRAME_SIZE_ERROR)),
    "ENABLE_PUSH 2": (lambda raw: settings((ENABLE_PUSH, 2)), connection(PROTOCOL_ERROR)),
    "INITIAL_WINDOW_SIZE of 2^31": (lambda raw: settings((INITIAL_WINDOW_SIZE, 2 ** 31)), connection(FLOW_CONTROL_ERROR)),
    "MAX_FRAME_SIZE too small": (lambda raw: settings((MAX_FRAME_SIZE, 16383)), connection(PROTOCOL_ERROR)),
    "MAX_FRAME_SIZE too large": (lambda raw: settings((MAX_FRAME_SIZE, 2 ** 24)), connection(PROTOCOL_ERROR)),
    "PUSH_PROMISE of a client": (lambda raw: post(raw) + frame(PUSH_PROMISE, END_HEADERS, 1, number(2) + b"\x82"),
                                 connection(PROTOCOL_ERROR)),
    "PING on a stream": (lambda raw: frame(PING, 0, 1, bytes(8)), connection(PROTOCOL_ERROR)),
    "PING of 6 bytes": (lambda raw: frame(PING, 0, 0, bytes(6)), connection(FRAME_SIZE_ERROR)),
    "GOAWAY on a stream": (lambda raw: frame(GOAWAY, 0, 1, bytes(8)), connection(PROTOCOL_ERROR)),
    "WINDOW_UPDATE of 3 bytes": (lambda raw: frame(WINDOW_UPDATE, 0, 0, bytes(3)), connection(FRAME_SIZE_ERROR)),
    "WINDOW_UPDATE by 0": (lambda raw: window_update(0, 0), connection(PROTOCOL_ERROR)),
    "WINDOW_UPDATE of a stream by 0": (lambda raw: post(raw) + window_update(1, 0), {("reset", PROTOCOL_ERROR)}),
    "WINDOW_UPDATE on an idle stream": (lambda raw: window_update(1, 1), connection(PROTOCOL_ERROR)),
    "a window beyond 2^31-1": (lambda raw: window_update(0, 2 ** 31 - 1), connection(FLOW_CONTROL_ERROR)),
    "a stream's window beyond 2^31-1": (lambda raw: post(raw) + window_update(1, 2 ** 31 - 1), {("reset", FLOW_CONTROL_ERROR)}),
    "windows beyond 2^31-1 by SETTINGS": (lambda raw: post(raw) + window_update(1, 2 ** 31 - 1 - 65535) + settings((INITIAL_WINDOW_SIZE, 65536)),
                                          connection(FLOW_CONTROL_ERROR)),
    "a frame that is too large": (lambda raw: post(raw) + frame(DATA, 0, 1, bytes(16385)), stream(FRAME_SIZE_ERROR)),
    "HEADERS that are too large": (lambda raw: frame(HEADERS, END_STREAM | END_HEADERS, 1, bytes(16385)), connection(FRAME_SIZE_ERROR)),
}


@pytest.mark.parametrize("what", CASES)
def test_what_breaks_the_rules_has_the_right_error(server, what):
    make, expected = CASES[what]
    with Raw(server, "h.test") as raw:
        raw.settle()
        raw.send(make(raw))
        assert raw.outcome(1) in expected
        if raw.goaways:
            assert raw.error() == raw.goaways[-1][1], "the connection ends behind its GOAWAY"
    assert server.http2("h.test").ask("h.test").status == 200


def test_one_source_may_break_all_the_rules(serve, host):
    """A suite of such frames is run from one address, a connection for each: the last one has its answer like the first."""
    server = serve([host("r.test", "report")], shards=1)
    for what in [*CASES] * 4:
        make, expected = CASES[what]
        with Raw(server, "r.test") as raw:
            raw.settle()
            raw.send(make(raw))
            assert raw.outcome(1) in expected, what
            assert not raw.goaways or raw.error() is not None, what
    with Raw(server, "r.test") as raw:
        raw.send(raw.settle().head(1))
        assert raw.outcome(1) == 200


def test_data_beyond_the_windows(serve, host):
    """The origin reads nothing, so no window opens."""
    with origins.Scripted(lambda connection, number_: time.sleep(10)) as origin:
        server = serve([host("h.test", origin=origin.address)], shards=1)
        with Raw(server, "h.test") as raw:
            raw.settle()
            raw.send(post(raw))
            sent = 0
            while sent < 256 * MIB and not raw.resets and not raw.goaways and raw.send(frame(DATA, 0, 1, bytes(16384))):
                sent += 16384
                raw.read(0.0001)
            assert raw.outcome(1) in stream(FLOW_CONTROL_ERROR) | {"closed"}
            assert sent < 64 * MIB


ALLOWED = {
    "an unknown frame": lambda raw: frame(0xfa, 0xff, 0, b"unknown") + raw.head(1),
    "an unknown frame on a stream": lambda raw: frame(0xfa, 0xff, 1, b"unknown") + raw.head(1),
    "an unknown setting": lambda raw: settings((0xfafa, 1)) + raw.head(1),
    "flags without a meaning": lambda raw: frame(PING, 0xfe, 0, bytes(8)) + raw.head(1),
    "the reserved bit of a stream": lambda raw: frame(PING, 0, 0, bytes(8)) + raw.head(1 | 1 << 31),
    "PRIORITY on an idle stream": lambda raw: frame(PRIORITY, 0, 1, number(3) + b"\x10") + raw.head(1),
    "padding": lambda raw: frame(HEADERS, PADDED | END_STREAM | END_HEADERS, 1, b"\x05" + raw.encoder.encode(raw.request()) + bytes(5)),
    "a head in several pieces": lambda raw: in_pieces(raw, 2),
    "a head that ends in an empty piece": lambda raw: raw.head(1, None, END_STREAM) + frame(CONTINUATION, END_HEADERS, 1),
    "PRIORITY of a stream that is closed": lambda raw: raw.head(1) + frame(PRIORITY, 0, 1, number(0) + b"\x10"),
    "a window of the connection that is large": lambda raw: window_update(0, 2 ** 31 - 1 - 65535) + raw.head(1),
    "an error code that nobody knows": lambda raw: raw.head(1) + raw.head(3) + rst_stream(3, 0xffffff),
    "SETTINGS twice": lambda raw: settings((INITIAL_WINDOW_SIZE, 100000)) + settings((INITIAL_WINDOW_SIZE, 65535)) + raw.head(1),
    "RST_STREAM behind the answer": lambda raw: raw.head(1),
    "a body in DATA that is padded": lambda raw: post(raw) + frame(DATA, PADDED, 1, b"\x09x" + bytes(9)) + frame(DATA, END_STREAM, 1),
}


def in_pieces(raw, size):
    """Few fields, of which each CONTINUATION has that many bytes."""
    block = raw.encoder.encode(raw.request())
    pieces = [block[at:at + size] for at in range(0, len(block), size)]
    assert len(pieces) > 1
    return frame(HEADERS, END_STREAM, 1, pieces[0]) + b"".join(frame(CONTINUATION, 0, 1, piece) for piece in pieces[1:-1]) + \
        frame(CONTINUATION, END_HEADERS, 1, pieces[-1])


@pytest.mark.parametrize("what", ALLOWED)
def test_what_the_rules_allow_is_answered(server, what):
    with Raw(server, "h.test") as raw:
        raw.settle()
        raw.send(ALLOWED[what](raw))
        assert raw.outcome(1) == 200, (raw.goaways, raw.resets)
        raw.send(rst_stream(1, CANCEL), frame(PING, 0, 0, b"12345678"))
        assert raw.wait(lambda: raw.pongs > 0 and not any(code for _, code in raw.goaways))


@pytest.mark.parametrize("start", [b"GET / HTTP/1.1\r\nHost: h.test\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n" + settings(), PREFACE + frame(PING, 0, 0, bytes(8)),
                                   PREFACE + b"GET / HTTP/1.1\r\n\r\n", b"\0" * 100])
def test_what_is_no_preface(server, start):
    with Raw(server, "h.test", start=start) as raw:
        assert raw.error() in (PROTOCOL_ERROR, FRAME_SIZE_ERROR, None)
    assert server.metric("sallyport_rejected_total", stage="request") == 1
    assert server.http2("h.test").ask("h.test").status == 200


def test_settings_and_pings_are_answered(server):
    with Raw(server, "h.test") as raw:
        raw.settle()
        assert raw.settings.get(MAX_FRAME_SIZE, 16384) == 16384
        raw.send(settings((INITIAL_WINDOW_SIZE, 1000)), frame(PING, 0, 0, b"abcdefgh"))
        assert raw.wait(lambda: raw.acknowledged == 2 and raw.pongs == 1)


def drawn(raw, rng):
    """Frames that are right, and what a bad day makes of them."""
    stream = rng.choice([0, 1, 1, 3, 5, 7, 2, 2 ** 31 - 1])
    pieces = [
        lambda: raw.head(rng.choice([1, 3, 5, 7, 9, 11]), raw.request(rng.choice(["/", "/body", "/files/small.txt", "/empty"]), method=rng.choice(["GET", "POST", "HEAD"])),
                         rng.choice([END_HEADERS, END_HEADERS | END_STREAM, END_STREAM, 0])),
        lambda: frame(DATA, rng.choice([0, END_STREAM, PADDED]), stream, rng.randbytes(rng.choice([0, 1, 100, 16384]))),
        lambda: rst_stream(stream, rng.randrange(16)),
        lambda: settings((rng.randrange(1, 10), rng.choice([0, 1, 65535, 2 ** 31 - 1]))),
        lambda: window_update(stream, rng.choice([0, 1, 65535, 2 ** 31 - 1])),
        lambda: frame(rng.randrange(18), rng.randrange(256), stream, rng.randbytes(rng.randrange(40))),
        lambda: frame(CONTINUATION, rng.choice([0, END_HEADERS]), stream, rng.randbytes(rng.randrange(20))),
        lambda: frame(GOAWAY, 0, 0, number(rng.randrange(9)) + number(rng.randrange(16))),
    ]
    data = b"".join(rng.choice(pieces)() for _ in range(rng.randrange(1, 12)))
    if rng.random() < 0.3:
        at = rng.randrange(len(data))
        data = data[:at] + rng.randbytes(1) + data[at + 1:]
    return data


@pytest.mark.parametrize("seed", range(4))
def test_frames_that_are_drawn_leave_the_server_as_it_was(server, seed):
    """Server.stop finds what was left over, and what a sanitizer has to say."""
    rng = random.Random(seed)
    with server.http2("h.test") as other:
        for _ in range(50):
            with Raw(server, "h.test") as raw:
                for _ in range(rng.randrange(1, 6)):
                    if not raw.send(drawn(raw, rng)):
                        break
                    raw.read(rng.choice([0.001, 0.02]))
            assert other.ask("h.test").status == 200
    wait_for(lambda: server.metric("sallyport_connections") == 0)


def sizes(raw, stream):
    return [size for of, size in raw.order if of == stream]


def test_windows_are_kept_to_the_byte(server, nginx):
    """Also one that becomes negative, since a setting changes it behind data that has been sent (RFC 9113 section 6.9.2)."""
    (nginx.files / "of-ten").write_bytes(b"0123456789")
    with Raw(server, "h.test", initial=[(INITIAL_WINDOW_SIZE, 3)], windows=False) as raw:
        raw.settle()
        raw.send(raw.head(1, raw.request("/files/of-ten")))
        assert raw.wait(lambda: raw.bodies.get(1) == 3)
        raw.send(settings((INITIAL_WINDOW_SIZE, 1)), window_update(1, 2))  # -2, and 0
        assert not raw.wait(lambda: raw.bodies[1] > 3, within=0.3)
        raw.send(window_update(1, 1))
        assert raw.wait(lambda: raw.bodies[1] == 4)
        raw.send(settings((INITIAL_WINDOW_SIZE, 3)))
        assert raw.wait(lambda: raw.bodies[1] == 6)
        raw.send(window_update(1, 100))
        assert raw.outcome(1) == 200 and raw.bodies[1] == 10


def test_frames_are_as_large_as_the_client_takes(server, nginx):
    (nginx.files / "of-100000").write_bytes(bytes(100_000))
    with Raw(server, "h.test", initial=[(MAX_FRAME_SIZE, 16384), (INITIAL_WINDOW_SIZE, MIB)]) as raw:
        raw.settle()
        raw.send(raw.head(1, raw.request("/files/of-100000")))
        assert raw.outcome(1) == 200 and max(sizes(raw, 1)) <= 16384 and raw.bodies[1] == 100_000


@pytest.mark.parametrize("size", [0, 64, 4096, 2 ** 32 - 1])
def test_tables_are_as_large_as_the_client_wants(server, size):
    """The decoder here keeps to the size that it has asked for, and would not understand a larger one."""
    with Raw(server, "h.test", initial=[(HEADER_TABLE_SIZE, size)]) as raw:
        raw.decoder.max_allowed_table_size = size
        raw.settle()
        for stream in range(1, 41, 2):
            raw.send(raw.head(stream))
            assert raw.outcome(stream) == 200 and raw.fields[stream]["server"].startswith("nginx")


def test_a_client_says_goodbye(server):
    """Its GOAWAY ends the connection, when the answers under way are through."""
    with Raw(server, "h.test") as raw:
        raw.settle()
        raw.send(raw.head(1), frame(GOAWAY, 0, 0, number(0) + number(NO_ERROR)))
        assert raw.outcome(1) == 200
        assert raw.error() in (NO_ERROR, None)
