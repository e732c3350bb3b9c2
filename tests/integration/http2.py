"""
HTTP/2 (RFC 9113) from the client's side, by the library h2 of Debian's python3-h2; and HTTP/1.1 text on top of it, so that a
test asks for the same thing in both protocols, and judges the answer by the same words.
"""

import contextlib
import http
import re
import socket
import ssl
import time

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

WINDOW = 65535  # of each stream, and of the connection, until a WINDOW_UPDATE


class Graceful(h2.connection.H2Connection):
    """The library takes each GOAWAY for the end; but the streams that the server has taken go on (RFC 9113 section 6.8)."""

    def _receive_goaway_frame(self, frame):
        event = h2.events.ConnectionTerminated()
        event.error_code, event.last_stream_id, event.additional_data = frame.error_code, frame.last_stream_id, frame.additional_data
        return [], [event]


class Answer:
    """The frames that have come on one stream, put together."""

    def __init__(self):
        self.interim = []  # heads before the final one: (status, fields)
        self.status = 0
        self.fields = []
        self.pieces = []
        self.trailers = []
        self.reset = None  # the code of the server's RST_STREAM
        self.whole = False

    @property
    def headers(self):
        return dict(self.fields)

    @property
    def body(self):
        return b"".join(self.pieces)

    @property
    def text(self):
        return self.body.decode("latin-1")

    @property
    def over(self):
        return self.whole or self.reset is not None


class Connection:
    """A connection over TLS that was agreed to be HTTP/2. Fields go out as they are given, right or wrong."""

    def __init__(self, tls, settings=None):
        assert tls.selected_alpn_protocol() == "h2", tls.selected_alpn_protocol()
        self.tls = tls
        tls.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.h2 = Graceful(h2.config.H2Configuration(header_encoding="latin-1", validate_outbound_headers=False,
                                                     normalize_outbound_headers=False))
        if settings:
            self.h2.local_settings.update(settings)
            self.h2.local_settings.acknowledge()
        self.answers = {}
        self.goaways = []  # (last stream, code)
        self.pongs = 0
        self.settings_came = False
        self.unread = set()  # streams whose windows are not opened again
        self.ended = False  # by the server
        self.h2.initiate_connection()
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tls.close()

    def flush(self):
        with contextlib.suppress(ConnectionError, ssl.SSLEOFError):  # what the server has said before comes all the same
            self.tls.sendall(self.h2.data_to_send())

    def request(self, fields, end=True):
        """Sends a head, the pseudo-header fields included; the number of its stream."""
        stream = self.h2.get_next_available_stream_id()
        self.answers[stream] = Answer()
        self.h2.send_headers(stream, fields, end_stream=end)
        self.flush()
        return stream

    def get(self, authority, path="/", *fields, method="GET", end=True):
        """As `request`; `fields` are pairs."""
        return self.request([(":method", method), (":scheme", "https"), (":authority", authority), (":path", path), *fields], end)

    def room(self, stream):
        """How much of a body may leave now."""
        return min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)

    def send(self, stream, data, end=False):
        """A piece of a body, when the windows let it leave. It goes nowhere when the server has had enough."""
        view = memoryview(data)
        while view and not self.answers[stream].over:
            room = self.room(stream)
            if room == 0:
                if not self.receive():
                    return
                continue
            self.h2.send_data(stream, bytes(view[:room]))
            view = view[room:]
            self.flush()
        if end and not self.answers[stream].over:
            self.h2.end_stream(stream)
            self.flush()

    def trailers(self, stream, fields):
        self.h2.send_headers(stream, fields, end_stream=True)
        self.flush()

    def reset(self, stream, code=h2.errors.ErrorCodes.CANCEL):
        self.h2.reset_stream(stream, code)
        self.flush()

    def receive(self):
        """Waits for bytes and takes them; False at the end."""
        try:
            data = self.tls.recv(65536)
        except (ConnectionError, ssl.SSLEOFError):
            data = b""
        if not data:
            self.ended = True
            return False
        for event in self.h2.receive_data(data):
            self.happened(event)
        self.flush()
        return True

    def happened(self, event):
        answer = self.answers.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.ConnectionTerminated):
            self.goaways.append((event.last_stream_id, int(event.error_code)))
        elif isinstance(event, h2.events.RemoteSettingsChanged):
            self.settings_came = True
        elif isinstance(event, h2.events.PingAckReceived):
            self.pongs += 1
        elif answer is None:
            return
        elif isinstance(event, (h2.events.ResponseReceived, h2.events.InformationalResponseReceived)):
            status = int(dict(event.headers)[":status"])
            fields = [(name, value) for name, value in event.headers if not name.startswith(":")]
            if isinstance(event, h2.events.InformationalResponseReceived):
                answer.interim.append((status, fields))
            else:
                answer.status, answer.fields = status, fields
        elif isinstance(event, h2.events.DataReceived):
            answer.pieces.append(event.data)
            if event.stream_id not in self.unread:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            answer.trailers = event.headers
        elif isinstance(event, h2.events.StreamEnded):
            answer.whole = True
        elif isinstance(event, h2.events.StreamReset) and event.remote_reset:
            answer.reset = int(event.error_code)

    def wait(self, check, within=10):
        """Receives until check() is true, and fails if that takes longer or the server ends the connection before."""
        deadline = time.monotonic() + within
        while not check():
            left = deadline - time.monotonic()
            assert left > 0, "what the test waits for does not come"
            self.tls.settimeout(left)
            assert self.receive() or check(), f"the server has ended the connection: {self.goaways}"

    def answer(self, stream, within=10):
        """The answer, when it is whole or reset."""
        self.wait(lambda: self.answers[stream].over, within)
        return self.answers[stream]

    def ask(self, authority, path="/", *fields, **options):
        return self.answer(self.get(authority, path, *fields, **options))

    def wait_for_end(self, within=10):
        """Reads until the server ends the connection; the code of the last GOAWAY, None without one."""
        deadline = time.monotonic() + within
        while not self.ended:
            left = deadline - time.monotonic()
            assert left > 0, "the server goes on"
            self.tls.settimeout(left)
            self.receive()
        return self.goaways[-1][1] if self.goaways else None


# What HTTP/1.1 says of a connection, HTTP/2 does not say (RFC 9113 section 8.2.2).
OF_CONNECTIONS = {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"}


class Exchange:
    """A request that was sent, and how much of its answer has been given to the test."""

    def __init__(self, stream, answer, method, closes):
        self.stream, self.answer, self.method, self.closes = stream, answer, method, closes
        self.interim_given = self.pieces_given = 0
        self.head_given = self.chunked = False


class TextSocket:
    """
    A TLS socket for HTTP/1.1 text, which goes to the server and comes from it as HTTP/2: as a gateway of one client would do
    it. A request that HTTP/2 has no words for is an error of the test. The answers come in the order of the requests; one
    whose stream is reset is cut off, as it is in HTTP/1.1 by the end of the connection.
    """

    def __init__(self, tls):
        self.tls = tls
        self.http2 = Connection(tls)
        self.typed = b""  # by the test, and not yet a whole head or piece
        self.upload = None  # the exchange whose body is typed, with `left`, a number of bytes or None in chunks
        self.left = None
        self.exchanges = []
        self.text = b""
        self.over = False
        self.http2.wait(lambda: self.http2.settings_came)

    def __getattr__(self, name):
        return getattr(self.tls, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tls.close()

    def sendall(self, data):
        self.typed += data
        while self.typed and (self.take_body() if self.upload else self.take_head()):
            pass

    def send(self, data):
        self.sendall(data)
        return len(data)

    def take_head(self):
        head, end, rest = self.typed.partition(b"\r\n\r\n")
        if not end:
            return False
        self.typed = rest
        lines = head.split(b"\r\n")
        method, target, version = lines[0].split(b" ")
        assert version == b"HTTP/1.1", f"HTTP/2 has no words for {lines[0]}"
        fields = [(name.lower(), value.strip(b" \t")) for name, _, value in (line.partition(b":") for line in lines[1:])]
        values = {name.decode(): value.lower() for name, value in fields}
        if b"trailers" in [option.strip() for option in values.pop("te", b"").split(b",")]:  # the one option that HTTP/2 has
            fields = [pair for pair in fields if pair[0] != b"te"] + [(b"te", b"trailers")]
        else:
            fields = [pair for pair in fields if pair[0] != b"te"]
        pseudo = [(b":method", method), (b":scheme", b"https")]
        absolute = re.fullmatch(rb"https?://([^/]*)(/?.*)", target)
        if absolute:  # Host counts for nothing then (RFC 9112 section 3.2.2)
            pseudo += [(b":authority", absolute[1])]
            target = absolute[2] or b"/"
        else:
            pseudo += [(b":authority", value) for name, value in fields if name == b"host"]
        pseudo += [(b":path", target)]
        if method == b"CONNECT":  # RFC 9113 section 8.5
            pseudo = [(b":method", method), (b":authority", target)]
        kept = [(name, value) for name, value in fields if name != b"host" and name.decode() not in OF_CONNECTIONS]
        chunked = values.get("transfer-encoding") == b"chunked"
        self.left = None if chunked else int(values.get("content-length", b"0"))
        while self.http2.h2.open_outbound_streams >= self.http2.h2.remote_settings.max_concurrent_streams and self.http2.receive():
            pass
        stream = self.http2.request(pseudo + kept, end=self.left == 0)
        closes = b"close" in [option.strip() for option in values.get("connection", b"").split(b",")]
        self.exchanges.append(Exchange(stream, self.http2.answers[stream], method, closes))
        self.upload = self.exchanges[-1] if self.left != 0 else None
        return True

    def take_body(self):
        stream = self.upload.stream
        if self.left is not None:
            piece, self.typed = self.typed[:self.left], self.typed[self.left:]
            self.left -= len(piece)
            if self.left == 0:
                self.upload = None
            self.http2.send(stream, piece, end=self.left == 0)
            return True
        line, end, rest = self.typed.partition(b"\r\n")
        size = int(line.split(b";")[0], 16) if end else 0
        if size > 0 and len(rest) >= size + 2:
            self.typed = rest[size + 2:]
            self.http2.send(stream, rest[:size])
            return True
        if end and size == 0 and (rest.startswith(b"\r\n") or b"\r\n\r\n" in rest):
            self.upload = None
            section, _, self.typed = (b"", b"", rest[2:]) if rest.startswith(b"\r\n") else rest.partition(b"\r\n\r\n")
            fields = [(name.lower(), value.strip()) for name, _, value in (line.partition(b":") for line in section.splitlines())]
            if self.http2.answers[stream].over:
                return True
            if fields:
                self.http2.trailers(stream, fields)
            else:
                self.http2.send(stream, b"", end=True)
            return True
        return False

    def recv(self, size):
        while True:
            self.render()
            if self.text:
                given, self.text = self.text[:size], self.text[size:]
                return given
            # With no request under way a GOAWAY is the end of a connection, at which a client of HTTP/1.1 looks like this one.
            if self.over or self.http2.ended or (not self.exchanges and self.http2.goaways):
                return b""
            self.http2.receive()

    def render(self):
        """Makes text of all that has come and is due."""
        while self.exchanges and not self.over:
            exchange = self.exchanges[0]
            answer = exchange.answer
            for status, fields in answer.interim[exchange.interim_given:]:
                self.text += self.head(status, fields)
                exchange.interim_given += 1
            if answer.status and not exchange.head_given:
                self.render_final_head(exchange)
            for piece in answer.pieces[exchange.pieces_given:]:
                if piece:
                    self.text += b"%x\r\n%s\r\n" % (len(piece), piece) if exchange.chunked else piece
                exchange.pieces_given += 1
            if not answer.over and not self.http2.ended:
                return
            if not answer.whole:
                self.over = True
                return
            if exchange.chunked:
                self.text += b"0\r\n" + self.lines(answer.trailers) + b"\r\n"
            self.exchanges.pop(0)
            self.over = exchange.closes

    def render_final_head(self, exchange):
        answer = exchange.answer
        exchange.head_given = True
        bodiless = exchange.method == b"HEAD" or answer.status in (204, 304)
        exchange.chunked = not bodiless and "content-length" not in answer.headers
        fields = list(answer.fields)
        if exchange.chunked:
            fields.append(("transfer-encoding", "chunked"))
        if exchange.closes or self.http2.goaways:
            fields.append(("connection", "close"))
        self.text += self.head(answer.status, fields)

    def head(self, status, fields):
        try:
            phrase = http.HTTPStatus(status).phrase
        except ValueError:
            phrase = "Unknown"
        return f"HTTP/1.1 {status} {phrase}\r\n".encode() + self.lines(fields) + b"\r\n"

    @staticmethod
    def lines(fields):
        """Names as HTTP/1.1 spells them by custom."""
        return b"".join(f"{'-'.join(word.capitalize() for word in name.split('-'))}: {value}\r\n".encode("latin-1")
                        for name, value in fields)
