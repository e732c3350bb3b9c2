"""The client's side of TLS 1.2 (RFC 5246) by hand, for messages that no well-behaved client sends, in any order.

ECDHE on X25519, AES-128-GCM with SHA-256, the extended master secret. The server's signature is not looked at.
"""

import contextlib
import hashlib
import hmac
import os
import socket
import struct

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION = 20, 21, 22, 23
(HELLO_REQUEST, CLIENT_HELLO, SERVER_HELLO, NEW_SESSION_TICKET, CERTIFICATE, SERVER_KEY_EXCHANGE, CERTIFICATE_REQUEST,
 SERVER_HELLO_DONE, CERTIFICATE_VERIFY, CLIENT_KEY_EXCHANGE, FINISHED) = 0, 1, 2, 4, 11, 12, 13, 14, 15, 16, 20
SUITES = b"\xc0\x2b\xc0\x2f"  # ECDHE with ECDSA or RSA, AES-128-GCM


def prf(secret, label, seed, size):
    """P_SHA256, section 5."""
    seed, out = label + seed, b""
    step = seed
    while len(out) < size:
        step = hmac.new(secret, step, "sha256").digest()
        out += hmac.new(secret, step + seed, "sha256").digest()
    return out[:size]


def extension(kind, content):
    return struct.pack(">HH", kind, len(content)) + content


def vector(size, content):
    return len(content).to_bytes(size, "big") + content


def message(kind, body=b""):
    return bytes([kind]) + vector(3, body)


def certificate(ders):
    return message(CERTIFICATE, vector(3, b"".join(vector(3, der) for der in ders)))


def certificate_verify(scheme, signature):
    return message(CERTIFICATE_VERIFY, struct.pack(">H", scheme) + vector(2, signature))


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
        self.write_key = self.read_key = None
        self.ticket, self.master, self.resumed = None, master, False
        schemes = b"".join(struct.pack(">H", one) for one in (0x0403, 0x0503, 0x0807, 0x0804, 0x0401))
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
        if self.write_key is None:
            return bytes([kind]) + b"\3\3" + vector(2, content)
        key, iv, count = self.write_key
        self.write_key = (key, iv, count + 1)
        number = struct.pack(">Q", count)
        sealed = AESGCM(key).encrypt(iv + number, content, number + bytes([kind]) + b"\3\3" + struct.pack(">H", len(content)))
        return bytes([kind]) + b"\3\3" + vector(2, number + sealed)

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
        if self.read_key is not None:
            key, iv, count = self.read_key
            self.read_key = (key, iv, count + 1)
            data = struct.pack(">Q", count) + head[:3] + struct.pack(">H", len(content) - 24)
            content = AESGCM(key).decrypt(iv + content[:8], content[8:], data)
        if head[0] == ALERT:
            raise Closed(content[1])
        if head[0] == CHANGE_CIPHER_SPEC:
            if self.resumed and self.master and self.read_key is None and self.write_key is None:
                self.pending_keys()
            self.read_key = self.server_key
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
            for at in range(0, len(one), 16384):
                records += self.seal(HANDSHAKE, one[at:at + 16384])
        self.socket.sendall(records)

    def key_exchange(self):
        """The message, and from now on the keys are known."""
        server = next(body for kind, body in self.flight if kind == SERVER_KEY_EXCHANGE)
        assert server[:3] == b"\3\0\x1d"
        key = x25519.X25519PrivateKey.generate()
        self.secret = key.exchange(x25519.X25519PublicKey.from_public_bytes(server[4:4 + server[3]]))
        raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return message(CLIENT_KEY_EXCHANGE, vector(1, raw))

    def make_master(self):
        """After the ClientKeyExchange was sent (RFC 7627)."""
        self.master = prf(self.secret, b"extended master secret", hashlib.sha256(self.transcript).digest(), 48)
        self.pending_keys()

    def pending_keys(self):
        block = prf(self.master, b"key expansion", self.server_random + self.random, 40)
        self.client_key, self.server_key = (block[:16], block[32:36], 0), (block[16:32], block[36:40], 0)

    def make_keys_of_master(self):
        if self.read_key is None:
            self.pending_keys()

    def change_cipher_spec(self):
        self.put(CHANGE_CIPHER_SPEC, b"\1")
        self.write_key = self.client_key

    def finished(self):
        data = prf(self.master, b"client finished", hashlib.sha256(self.transcript).digest(), 12)
        return message(FINISHED, data)

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
        """What the server says before it closes: the description of its alert, or None."""
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
