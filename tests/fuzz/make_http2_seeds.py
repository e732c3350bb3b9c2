#!/usr/bin/env python3
"""Writes the seeds of fuzz_http2_session: choices of the owner, then frames of the peer, for both roles.

And those of fuzz_http2_connection: choices of the world around the connection, then frames of the client."""

import struct
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus" / "http2_session"
CONNECTION_CORPUS = CORPUS.parent / "http2_connection"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION, PRIORITY_UPDATE = [*range(10), 16]
END_STREAM = ACK = 1
END_HEADERS, PADDED, PRIORITIZED = 4, 8, 32
SERVER, CLIENT = 0, 1


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def field(name, value, form=0):
    return bytes([form, len(name)]) + name + bytes([len(value)]) + value


def word(*numbers):
    return b"".join(struct.pack(">I", number) for number in numbers)


GET = b"\x82\x87\x84\x01\x01a"
POST = b"\x83\x87\x84\x01\x01a"
OPEN = END_HEADERS
WHOLE = END_HEADERS | END_STREAM
REPLY = frame(SETTINGS) + frame(SETTINGS, ACK)

SEEDS = {
    "get": (SERVER, frame(HEADERS, WHOLE, 1, GET)),
    "post": (SERVER, frame(HEADERS, OPEN, 1, POST) + frame(DATA, END_STREAM, 1, b"hello")),
    "length": (SERVER, frame(HEADERS, OPEN, 1, POST + field(b"content-length", b"5")) + frame(DATA, 0, 1, b"hel") +
               frame(DATA, END_STREAM, 1, b"lo")),
    "padded": (SERVER, frame(HEADERS, OPEN | PADDED, 1, b"\x02" + POST + b"\0\0") +
               frame(DATA, END_STREAM | PADDED, 1, b"\x03hello\0\0\0")),
    "trailers": (SERVER, frame(HEADERS, OPEN, 1, POST) + frame(DATA, 0, 1, b"hello") +
                 frame(HEADERS, WHOLE, 1, field(b"x-sum", b"1"))),
    "continuation": (SERVER, frame(HEADERS, END_STREAM, 1, GET) + frame(CONTINUATION, 0, 1, field(b"a", b"b")) +
                     frame(CONTINUATION, END_HEADERS, 1, field(b"c", b"d"))),
    "table": (SERVER, frame(HEADERS, WHOLE, 1, GET + field(b"x-a", b"1", 0x40)) + frame(HEADERS, WHOLE, 3, GET + b"\xbe") +
              frame(HEADERS, WHOLE, 5, b"\x20\x3f\xe1\x1f" + GET)),
    "cookies": (SERVER, frame(HEADERS, WHOLE, 1, GET + field(b"cookie", b"a=b") + field(b"x", b"y") +
                              field(b"cookie", b"c=d") + field(b"expect", b"100-continue") + field(b"te", b"trailers"))),
    "authority": (SERVER, frame(HEADERS, WHOLE, 1, GET + field(b"host", b"A:443")) +
                  frame(HEADERS, WHOLE, 3, GET + field(b"host", b"b"))),
    "options": (SERVER, frame(HEADERS, WHOLE, 1, field(b":method", b"OPTIONS") + b"\x87" + field(b":path", b"*") +
                              field(b":authority", b"a"))),
    "connect": (SERVER, frame(HEADERS, OPEN, 1, field(b":method", b"CONNECT") + field(b":authority", b"a:443"))),
    "large": (SERVER, frame(HEADERS, END_STREAM, 1, GET) + frame(CONTINUATION, END_HEADERS, 1, field(b"a", b"b" * 120) * 60)),
    "bomb": (SERVER, frame(HEADERS, WHOLE, 1, GET + field(b"x-a", b"1" * 120, 0x40) + b"\xbe" * 1000)),
    "many": (SERVER, frame(HEADERS, WHOLE, 1, GET + field(b"a", b"") * 120)),
    "reset": (SERVER, frame(HEADERS, OPEN, 1, POST) + frame(RST, 0, 1, word(8)) + frame(DATA, 0, 1, b"x")),
    "closed": (SERVER, frame(HEADERS, WHOLE, 5, GET) + frame(HEADERS, WHOLE, 3, GET)),
    "windows": (SERVER, frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 1)) + frame(HEADERS, WHOLE, 1, GET) +
                frame(WINDOW, 0, 1, word(1)) * 5 + frame(WINDOW, 0, 0, word(1000))),
    "settings": (SERVER, frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", i, v) for i, v in
                                                        ((1, 0), (2, 0), (3, 1), (5, 16384), (6, 10), (9, 1)))) +
                 frame(HEADERS, WHOLE, 1, GET)),
    "pings": (SERVER, frame(PING, 0, 0, b"12345678") + frame(PING, ACK, 0, b"shutdown")),
    "goaway": (SERVER, frame(HEADERS, OPEN, 1, POST) + frame(GOAWAY, 0, 0, word(0, 0) + b"why")),
    "priorities": (SERVER, frame(PRIORITY_UPDATE, 0, 0, word(1) + b"u=1, i") +
                   frame(HEADERS, WHOLE | PRIORITIZED, 1, word(0) + b"\x10" + GET + field(b"priority", b"u=5")) +
                   frame(PRIORITY, 0, 3, word(1) + b"\x20") + frame(PRIORITY_UPDATE, 0, 0, word(1) + b"u=7")),
    "unknown": (SERVER, frame(0x16, 0xFF, 7, b"grease") + frame(12, 0, 0, b"") + frame(HEADERS, WHOLE, 1, GET)),
    "empty": (SERVER, frame(HEADERS, OPEN, 1, POST) + frame(DATA, 0, 1) * 20),
    "streams": (SERVER, b"".join(frame(HEADERS, OPEN, 2 * i + 1, POST) for i in range(20)) +
                b"".join(frame(DATA, END_STREAM, 2 * i + 1, b"x" * 100) for i in range(20))),
    "answer": (CLIENT, REPLY + frame(HEADERS, OPEN, 1, b"\x88" + field(b"content-length", b"5")) +
               frame(DATA, END_STREAM, 1, b"hello") + frame(HEADERS, WHOLE, 3, b"\x89")),
    "interim": (CLIENT, REPLY + frame(HEADERS, OPEN, 1, field(b":status", b"103") + field(b"link", b"a")) +
                frame(HEADERS, OPEN, 1, b"\x88") + frame(DATA, 0, 1, b"hello") +
                frame(HEADERS, WHOLE, 1, field(b"grpc-status", b"0"))),
    "refusing": (CLIENT, REPLY + frame(RST, 0, 1, word(7)) + frame(RST, 0, 3, word(0)) + frame(GOAWAY, 0, 0, word(3, 0))),
    "push": (CLIENT, REPLY + frame(PUSH, END_HEADERS, 1, word(2) + GET)),
    "large-answer": (CLIENT, REPLY + frame(HEADERS, OPEN, 1, b"\x88" + field(b"a", b"b" * 120) * 60)),
}

# Of a host that exists, so that requests reach origins.
OURS_GET = b"\x82\x87\x84\x01\x06s.test"
OURS_POST = b"\x83\x87\x84\x01\x06s.test"
TUNNEL = field(b":method", b"CONNECT") + field(b":protocol", b"websocket") + b"\x87\x84\x01\x06s.test"

CONNECTION_SEEDS = {
    "get": frame(HEADERS, WHOLE, 1, OURS_GET),
    "gets": b"".join(frame(HEADERS, WHOLE, 2 * i + 1, OURS_GET) for i in range(12)),
    "post": frame(HEADERS, OPEN, 1, OURS_POST) + frame(DATA, 0, 1, b"a" * 300) + frame(DATA, END_STREAM, 1, b"b" * 300),
    "trailers": frame(HEADERS, OPEN, 1, OURS_POST + field(b"te", b"trailers") + field(b"trailer", b"x-sum")) +
                frame(DATA, 0, 1, b"hello") + frame(HEADERS, WHOLE, 1, field(b"x-sum", b"1")),
    "expect": frame(HEADERS, OPEN, 1, OURS_POST + field(b"expect", b"100-continue")) + frame(DATA, END_STREAM, 1, b"hello"),
    "reset": frame(HEADERS, OPEN, 1, OURS_POST) + frame(DATA, 0, 1, b"x") + frame(RST, 0, 1, word(8)) +
             frame(HEADERS, WHOLE, 3, OURS_GET),
    "head": frame(HEADERS, WHOLE, 1, field(b":method", b"HEAD") + b"\x87\x84\x01\x06s.test"),
    "split": frame(HEADERS, END_STREAM, 1, OURS_GET[:3]) + frame(CONTINUATION, END_HEADERS, 1, OURS_GET[3:]),
    "elsewhere": frame(HEADERS, WHOLE, 1, GET),
    "windows": frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 10)) + frame(HEADERS, WHOLE, 1, OURS_GET) +
               frame(WINDOW, 0, 1, word(7)) * 5 + frame(WINDOW, 0, 0, word(1000)),
    "goaway": frame(HEADERS, OPEN, 1, OURS_POST) + frame(GOAWAY, 0, 0, word(0, 0)) + frame(DATA, END_STREAM, 1, b"x"),
    "shutdown": frame(HEADERS, WHOLE, 1, OURS_GET) + frame(PING, ACK, 0, b"shutdown") + frame(HEADERS, WHOLE, 3, OURS_GET),
    "fault": frame(HEADERS, OPEN, 1, OURS_POST) + frame(DATA, 0, 0, b"x"),
    "malformed": frame(HEADERS, WHOLE, 1, OURS_GET + field(b"connection", b"close")) + frame(HEADERS, WHOLE, 3, OURS_GET),
    "tunnel": frame(HEADERS, OPEN, 1, TUNNEL) + frame(DATA, 0, 1, b"hello") * 3 + frame(DATA, END_STREAM, 1, b""),
    "priorities": b"".join(frame(HEADERS, WHOLE, 2 * i + 1, OURS_GET + field(b"priority", b"u=%d" % i)) for i in range(4)) +
                  frame(PRIORITY_UPDATE, 0, 0, word(1) + b"u=7"),
}


def main():
    CONNECTION_CORPUS.mkdir(parents=True, exist_ok=True)
    for number, (name, frames) in enumerate(sorted(CONNECTION_SEEDS.items())):
        for allowed, client in ((0, 2), (31, 2), (31, 1)):
            choices = word(0x12345 * (number + 1) + allowed) + bytes([allowed, client])
            (CONNECTION_CORPUS / f"{name}-{allowed}-{client}").write_bytes(choices + frames)
    CORPUS.mkdir(parents=True, exist_ok=True)
    for number, (name, (role, frames)) in enumerate(sorted(SEEDS.items())):
        for piece in (0, 7):
            choices = bytes([role, 0 if piece == 0 else 37 * number % 256, 0 if piece == 0 else number % 16, piece])
            (CORPUS / f"{name}-{piece}").write_bytes(choices + frames)


if __name__ == "__main__":
    main()
