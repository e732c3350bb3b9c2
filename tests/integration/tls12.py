"""The client's side of TLS 1.2 (RFC 5246) by hand, for messages that no well-behaved client sends, in any order.

ECDHE on X25519, AES-128-GCM with SHA-256, the extended master secret. The server's signature is not looked at.
"""

import contextlib
import os
import socket

from cryptography.hazmat.primitives.asymmetric import x25519

from tls_wire import (ALERT, APPLICATION, CERTIFICATE_REQUEST, CHANGE_CIPHER_SPEC, CLIENT_HELLO, CLIENT_KEY_EXCHANGE, FINISHED, HANDSHAKE,
                      NEW_SESSION_TICKET, SERVER_HELLO, SERVER_HELLO_DONE, SERVER_KEY_EXCHANGE, cut, extended_master_secret, extension,
                      key_block, message, raw_public, record, u16s, vector, verify_data12)

SUITES = b"\xc0\x2b\xc0\x2f"  # ECDHE with ECDSA or RSA, AES-128-GCM


class Closed(Exception):
    """The server has ended the connection; `alert` is what it said, if it did."""

    def __init__(self, alert):
        super().__init__(f"closed, alert {alert}")
        self.alert = alert


class Client:
    """A connection on which the hello was answered: `flight` has the server's messages as (type, body)."""

    def __init__(self, port, host, ticket=None, master=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.random, self.transcript, self.left, self.messages = os.urandom(32), b"", b"", b""
        self.writer = self.reader = None  # of protected records
        self.ticket, self.master, self.resumed = None, master, False
        schemes = u16s(0x0403, 0x0503, 0x0807, 0x0804, 0x0401)
        extensions = (extension(0, vector(2, b"\0" + vector(2, host.encode()))) + extension(10, vector(2, b"\0\x1d")) +
                      extension(11, b"\1\0") + extension(13, vector(2, schemes)) + extension(23, b"") +
                      extension(35, ticket or b"") + extension(0xff01, b"\0"))
        session = os.urandom(32) if ticket else b""
        self.send(message(CLIENT_HELLO, b"\3\3" + self.random + vector(1, session) + vector(2, SUITES) + b"\1\0" +
                          vector(2, extensions)))
        self.flight = []
        while not self.flight or self.flight[-1][0] not in (SERVER_HELLO_DONE, FINISHED):
            self.flight.append(self.next_message())
            kind, body = self.flight[-1]
            if kind == SERVER_HELLO:
                self.server_random = body[2:34]
                self.resumed = bool(ticket) and body[35:35 + body[34]] == session
            if kind == NEW_SESSION_TICKET:
                self.ticket = body[6:]
        if self.resumed:
            self.make_keys_of_master()

    @property
    def is_asked(self):
        return any(kind == CERTIFICATE_REQUEST for kind, _ in self.flight)

    def schemes_offered(self):
        body = next(body for kind, body in self.flight if kind == CERTIFICATE_REQUEST)
        types = body[0]
        size = int.from_bytes(body[1 + types:3 + types], "big")
        return [int.from_bytes(body[at:at + 2], "big") for at in range(3 + types, 3 + types + size, 2)]

    # Records

    def seal(self, kind, content):
        return record(kind, content) if self.writer is None else self.writer.seal(kind, content)

    def put(self, kind, content):
        self.socket.sendall(self.seal(kind, content))

    def read_exactly(self, size):
        while len(self.left) < size:
            try:
                piece = self.socket.recv(65536)
            except ConnectionError:
                piece = b""
            if not piece:
                raise Closed(None)
            self.left += piece
        out, self.left = self.left[:size], self.left[size:]
        return out

    def record(self):
        """The next record's type and content; an alert that ends the connection is raised."""
        head = self.read_exactly(5)
        content = self.read_exactly(int.from_bytes(head[3:], "big"))
        if self.reader is not None:
            _, content = self.reader.open(head + content)
        if head[0] == ALERT:
            raise Closed(content[1])
        if head[0] == CHANGE_CIPHER_SPEC:
            if self.resumed and self.master and self.reader is None and self.writer is None:
                self.pending_keys()
            self.reader = self.server_records
        return head[0], content

    def next_message(self):
        while len(self.messages) < 4 or len(self.messages) < 4 + int.from_bytes(self.messages[1:4], "big"):
            kind, content = self.record()
            if kind == HANDSHAKE:
                self.messages += content
        size = 4 + int.from_bytes(self.messages[1:4], "big")
        whole, self.messages = self.messages[:size], self.messages[size:]
        self.transcript += whole
        return whole[0], whole[4:]

    # Messages

    def send(self, *messages):
        """Each in records of its own, all at once; they count for what is signed and finished."""
        records = b""
        for one in messages:
            self.transcript += one
            for part in cut(one, 16384):
                records += self.seal(HANDSHAKE, part)
        self.socket.sendall(records)

    def key_exchange(self):
        """The message, and from now on the keys are known."""
        server = next(body for kind, body in self.flight if kind == SERVER_KEY_EXCHANGE)
        assert server[:3] == b"\3\0\x1d"
        key = x25519.X25519PrivateKey.generate()
        self.secret = key.exchange(x25519.X25519PublicKey.from_public_bytes(server[4:4 + server[3]]))
        return message(CLIENT_KEY_EXCHANGE, vector(1, raw_public(key)))

    def make_master(self):
        """After the ClientKeyExchange was sent (RFC 7627)."""
        self.master = extended_master_secret(self.secret, self.transcript)
        self.pending_keys()

    def pending_keys(self):
        self.client_records, self.server_records = key_block(self.master, self.server_random, self.random)

    def make_keys_of_master(self):
        if self.reader is None:
            self.pending_keys()

    def change_cipher_spec(self):
        self.put(CHANGE_CIPHER_SPEC, b"\1")
        self.writer = self.client_records

    def finished(self):
        return message(FINISHED, verify_data12(self.master, b"client finished", self.transcript))

    def complete(self):
        """From ChangeCipherSpec to the server's Finished."""
        self.change_cipher_spec()
        self.send(self.finished())
        while True:
            kind, body = self.next_message()
            if kind == NEW_SESSION_TICKET:
                self.ticket = body[6:]
            if kind == FINISHED:
                return self

    def get(self, host):
        """All of the answer to a request, until the server closes."""
        self.put(APPLICATION, f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        text = b""
        with contextlib.suppress(Closed):
            while True:
                kind, content = self.record()
                text += content if kind == APPLICATION else b""
        return text.decode("latin-1")

    def alert(self):
        """The description of the alert that the server sends before it closes, or None."""
        try:
            while True:
                self.record()
        except Closed as closed:
            return closed.alert

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
