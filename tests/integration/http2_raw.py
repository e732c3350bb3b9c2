"""
HTTP/2 frame by frame, by the libraries hyperframe and hpack of Debian: for frames, and orders of frames, that no client sends.
Nothing is sent but what the test asks for, and acknowledgements of SETTINGS and PING where `polite`.
"""

import socket
import ssl
import time

import hpack
from hyperframe.frame import (ContinuationFrame, DataFrame, Frame, GoAwayFrame, HeadersFrame, PingFrame, RstStreamFrame,
                              SettingsFrame)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR = range(7)
REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM = range(7, 12)
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
PRIORITY_UPDATE = 16
END_STREAM, END_HEADERS, PADDED, PRIORITIZED, ACK = 1, 4, 8, 32, 1
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = range(1, 7)


def frame(kind, flags=0, stream=0, payload=b"", size=None):
    """The bytes of any frame; `size`: another length than it has."""
    return (len(payload) if size is None else size).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def number(value):
    return value.to_bytes(4, "big")


def settings(*pairs, flags=0, stream=0):
    return frame(SETTINGS, flags, stream, b"".join(key.to_bytes(2, "big") + number(value) for key, value in pairs))


def window_update(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, number(increment))


def rst_stream(stream, code=CANCEL):
    return frame(RST_STREAM, 0, stream, number(code))


class Raw:
    """A connection. What comes is kept by stream: `statuses`, `resets` (codes), `bodies` (sizes), `done`."""

    def __init__(self, server, host, cert=None, start=None, polite=True, windows=True, initial=()):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(server.server_root)
        context.set_alpn_protocols(["h2"])
        if cert is not None:
            context.load_cert_chain(cert)
        self.host = host
        self.polite, self.windows = polite, windows
        raw = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tls = context.wrap_socket(raw, server_hostname=host)
        assert self.tls.selected_alpn_protocol() == "h2"
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.buffer = b""
        self.statuses, self.resets, self.bodies, self.done = {}, {}, {}, set()
        self.fields = {}
        self.settings = {}
        self.goaways = []  # (last stream, code)
        self.pongs = self.acknowledged = 0
        self.pings = []  # the contents of the server's
        self.ended = False
        self.block = None  # of a head that goes on in CONTINUATION frames
        self.order = []  # of DATA: (stream, size)
        self.send(PREFACE + settings(*initial) if start is None else start)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tls.close()

    def send(self, *pieces):
        """False when the server has gone."""
        try:
            self.tls.sendall(b"".join(pieces))
            return True
        except (ConnectionError, ssl.SSLError):
            return False

    def request(self, path="/", *more, method="GET", authority=None):
        """The fields of one."""
        return [(":method", method), (":scheme", "https"), (":authority", authority or self.host), (":path", path), *more]

    def head(self, stream, fields=None, flags=END_STREAM | END_HEADERS, prefix=b""):
        """A HEADERS frame; its block changes the table of this connection, so it must be sent."""
        return frame(HEADERS, flags, stream, prefix + self.encoder.encode(self.request() if fields is None else fields))

    def read(self, within):
        """Takes what comes next; False at the end of the connection or of the time."""
        self.tls.settimeout(max(0.01, within))
        try:
            data = self.tls.recv(65536)
        except socket.timeout:
            return False
        except (ConnectionError, ssl.SSLError):
            data = b""
        if not data:
            self.ended = True
            return False
        self.buffer += data
        while len(self.buffer) >= 9:
            parsed, size = Frame.parse_frame_header(memoryview(self.buffer[:9]))
            if len(self.buffer) < 9 + size:
                break
            parsed.parse_body(memoryview(self.buffer[9:9 + size]))
            self.buffer = self.buffer[9 + size:]
            self.take(parsed)
        return True

    def take(self, parsed):
        stream = parsed.stream_id
        if isinstance(parsed, SettingsFrame):
            if "ACK" in parsed.flags:
                self.acknowledged += 1
                return
            self.settings.update(parsed.settings)
            if self.polite:
                self.send(settings(flags=ACK))
        elif isinstance(parsed, PingFrame):
            if "ACK" in parsed.flags:
                self.pongs += 1
                return
            self.pings.append(parsed.opaque_data)
            if self.polite:
                self.send(frame(PING, ACK, 0, parsed.opaque_data))
        elif isinstance(parsed, GoAwayFrame):
            self.goaways.append((parsed.last_stream_id, parsed.error_code))
        elif isinstance(parsed, RstStreamFrame):
            self.resets[stream] = parsed.error_code
        elif isinstance(parsed, (HeadersFrame, ContinuationFrame)):
            self.block = (self.block or b"") + parsed.data
            if "END_HEADERS" in parsed.flags:
                fields, self.block = self.decoder.decode(self.block), None
                if dict(fields).get(":status"):
                    self.statuses[stream], self.fields[stream] = int(dict(fields)[":status"]), dict(fields)
        elif isinstance(parsed, DataFrame):
            self.bodies[stream] = self.bodies.get(stream, 0) + len(parsed.data)
            self.order.append((stream, len(parsed.data)))
            if self.windows and parsed.flow_controlled_length:
                self.send(window_update(0, parsed.flow_controlled_length))
                if "END_STREAM" not in parsed.flags:
                    self.send(window_update(stream, parsed.flow_controlled_length))
        if "END_STREAM" in parsed.flags:
            self.done.add(stream)

    def wait(self, check, within=10):
        """Reads until check() is true: whether that happened before the end of the connection and in time."""
        deadline = time.monotonic() + within
        while not check():
            left = deadline - time.monotonic()
            if left <= 0 or not self.read(left):
                return check()
        return True

    def settle(self):
        """Waits until the server has said what it expects, and has taken what this side expects."""
        assert self.wait(lambda: self.settings and self.acknowledged)
        return self

    def outcome(self, stream, within=5):
        """What became of a stream: ("goaway", code), ("reset", code), an HTTP status, "closed", or None when the time is over."""
        self.wait(lambda: stream in self.resets or stream in self.done or any(code for _, code in self.goaways) or self.ended, within)
        errors = [code for _, code in self.goaways if code != NO_ERROR]
        if errors:
            return "goaway", errors[0]
        if stream in self.statuses and (stream in self.done or self.resets.get(stream) == NO_ERROR):
            return self.statuses[stream]
        if stream in self.resets:
            return "reset", self.resets[stream]
        return "closed" if self.ended else None

    def error(self, within=10):
        """Reads to the end: the code of the last GOAWAY, None without one; fails where the server goes on."""
        self.wait(lambda: self.ended, within)
        assert self.ended, f"the server goes on: {self.statuses} {self.resets} {self.goaways}"
        return self.goaways[-1][1] if self.goaways else None
