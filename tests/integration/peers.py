"""The origin's end of a connection in either protocol, request by request, for scripts that stop, lie or end at any step."""

import socket
import struct

import hpack

import http2_raw as raw

PREFACE_SIZE = len(raw.PREFACE)


def reset(connection):
    """Ends a TCP connection by RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Http1:
    """`take` waits for a request; the answer to it is begun, and goes on by pieces."""

    def __init__(self, connection):
        self.connection = connection
        self.received = b""

    def take(self):
        """Reads the head of a request without body. False: the server has closed."""
        while b"\r\n\r\n" not in self.received:
            piece = self.connection.recv(65536)
            if not piece:
                return False
            self.received += piece
        self.received = self.received.partition(b"\r\n\r\n")[2]
        return True

    def begin(self, length, status=200):
        self.connection.sendall(b"HTTP/1.1 %d Some\r\nContent-Length: %d\r\n\r\n" % (status, length))

    def piece(self, data, end=False):
        self.connection.sendall(data)

    def garbage(self):
        self.connection.sendall(b"\0\1\2 what is this?\r\n\r\n")

    def last(self):
        """Says that the connection takes no more requests."""
        self.connection.shutdown(socket.SHUT_WR)

    def answer(self, body=b"ok", status=200):
        self.begin(len(body), status)
        self.piece(body, True)

    def wait(self):
        """Reads until the server ends the connection."""
        while self.connection.recv(65536):
            pass


class Http2(Http1):
    """Likewise, one stream after the other. `settings`: what the origin says of itself; None: nothing at all."""

    def __init__(self, connection, settings=(), acknowledges=True):
        super().__init__(connection)
        self.acknowledges = acknowledges
        self.encoder = hpack.Encoder()
        self.stream = 0
        self.requests = []  # streams whose requests are complete and not taken
        if settings is not None:
            self.send(raw.settings(*settings))
        self.preface = False

    def send(self, *frames):
        self.connection.sendall(b"".join(frames))

    def next_frame(self):
        """Type, flags, stream and payload of the next one; None: the server has closed."""
        wanted = 9 if self.preface else PREFACE_SIZE
        while True:
            if len(self.received) >= wanted:
                if not self.preface:
                    assert self.received[:PREFACE_SIZE] == raw.PREFACE
                    self.received = self.received[PREFACE_SIZE:]
                    self.preface, wanted = True, 9
                    continue
                wanted = 9 + int.from_bytes(self.received[:3], "big")
                if len(self.received) >= wanted:
                    break
            piece = self.connection.recv(65536)
            if not piece:
                return None
            self.received += piece
        head, payload, self.received = self.received[:9], self.received[9:wanted], self.received[wanted:]
        return head[3], head[4], int.from_bytes(head[5:9], "big"), payload

    def frame(self):
        """Reads one more, answers what needs an answer, and notes requests. False: the server has closed."""
        found = self.next_frame()
        if found is None:
            return False
        kind, flags, stream, payload = found
        if kind == raw.SETTINGS and not flags & raw.ACK and self.acknowledges:
            self.send(raw.settings(flags=raw.ACK))
        elif kind == raw.PING and not flags & raw.ACK:
            self.send(raw.frame(raw.PING, raw.ACK, 0, payload))
        elif kind in (raw.HEADERS, raw.DATA) and flags & raw.END_STREAM:
            self.requests.append(stream)
        return True

    def take(self):
        while not self.requests:
            if not self.frame():
                return False
        self.stream = self.requests.pop(0)
        return True

    def begin(self, length, status=200):
        block = self.encoder.encode([(":status", str(status)), ("content-length", str(length))])
        self.send(raw.frame(raw.HEADERS, raw.END_HEADERS, self.stream, block))

    def piece(self, data, end=False):
        self.send(raw.frame(raw.DATA, raw.END_STREAM if end else 0, self.stream, data))

    def garbage(self):
        self.send(raw.frame(raw.DATA, 0, 0, b"what is this?"))

    def last(self):
        self.go_away(self.stream)

    def go_away(self, last, code=raw.NO_ERROR):
        self.send(raw.frame(raw.GOAWAY, 0, 0, raw.number(last) + raw.number(code)))

    def refuse(self, code=raw.REFUSED_STREAM):
        self.send(raw.rst_stream(self.stream, code))


PEERS = {"http1": Http1, "http2": Http2}
