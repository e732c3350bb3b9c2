"""A client's side of TLS 1.2 (RFC 5246) and 1.3 (RFC 8446), all of it by hand, so that each byte can be another than it should.

One suite with each version's AEAD, X25519, and ECDSA on P-256 for client certificates. Nothing that the server says is
verified but what decrypting proves: it is the server's answer to faults that is looked at here.
"""

import hashlib
import os
import socket

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, x25519

import tls_wire
from tls_wire import (AES, ALERT, APPLICATION, CERTIFICATE_REQUEST, CHANGE_CIPHER_SPEC, CLIENT_HELLO, CLIENT_KEY_EXCHANGE, FINISHED,
                      HANDSHAKE, KEY_UPDATE, RETRY_RANDOM, SERVER_HELLO, SERVER_HELLO_DONE, SERVER_KEY_EXCHANGE, Records13, extension,
                      message, record, vector)

WARNING, FATAL = 1, 2

ALERTS = {0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow", 40: "handshake_failure",
          42: "bad_certificate", 47: "illegal_parameter", 50: "decode_error", 51: "decrypt_error", 70: "protocol_version",
          80: "internal_error", 90: "user_canceled", 100: "no_renegotiation", 109: "missing_extension",
          112: "unrecognized_name", 120: "no_application_protocol"}


class Wire:
    """A connection's records, in both directions; what comes is kept in `seen` as (type, content), alerts as their names."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.reader = self.writer = None  # of protected records; None while there are no keys
        self.seen = []
        self.ended = None  # "eof" or "reset"

    def send(self, *pieces):
        self.socket.sendall(b"".join(pieces))

    def plain(self, kind, content, version=b"\x03\x03"):
        return record(kind, content, version)

    def sealed(self, kind, content):
        return self.writer.seal(kind, content)

    def next(self):
        """(type, content) of the next record, or None at the end."""
        while len(self.buffer) < 5 or len(self.buffer) < 5 + int.from_bytes(self.buffer[3:5], "big"):
            try:
                piece = self.socket.recv(65536)
            except ConnectionError:
                self.ended = "reset"
                return None
            if not piece:
                self.ended = "eof"
                return None
            self.buffer += piece
        size = 5 + int.from_bytes(self.buffer[3:5], "big")
        whole, self.buffer = self.buffer[:size], self.buffer[size:]
        kind, content = whole[0], whole[5:]
        if self.reader is not None and self.reader.protects(whole):
            kind, content = self.reader.open(whole)
        self.seen.append((kind, content))
        return kind, content

    def alerts(self):
        """Reads to the end: the names of all alerts that came, in order."""
        while self.next() is not None:
            pass
        return [("" if content[0] == FATAL or content[1] == 0 else "warning ") + ALERTS.get(content[1], str(content[1]))
                for kind, content in self.seen if kind == ALERT]

    def text(self):
        return b"".join(content for kind, content in self.seen if kind == APPLICATION).decode("latin-1")

    def close(self):
        self.socket.close()


class Client(Wire):
    """The part of both versions: the hello, the transcript, the client's certificate."""

    def __init__(self, server, host, entity=None, suite=AES):
        super().__init__(server.port)
        self.host, self.entity, self.suite = host, entity, suite
        self.key = x25519.X25519PrivateKey.generate()
        self.random = os.urandom(32)
        self.transcript = b""

    def share(self):
        return tls_wire.raw_public(self.key)

    def common_extensions(self):
        return (extension(0, vector(2, b"\0" + vector(2, self.host.encode()))) + extension(10, vector(2, b"\x00\x1d\x00\x17"))
                + extension(11, b"\x01\x00") + extension(13, vector(2, b"\x04\x03\x08\x04\x08\x07\x04\x01")))

    def hello_body(self, suites, extensions):
        return b"\x03\x03" + self.random + b"\0" + vector(2, suites) + b"\x01\x00" + vector(2, extensions)

    def takes(self, *messages):
        """Counts messages into the transcript, and gives their bytes."""
        for each in messages:
            self.transcript += each
        return b"".join(messages)

    def digest(self):
        return hashlib.sha256(self.transcript).digest()

    def sign(self, data):
        return self.entity.private.sign(data, ec.ECDSA(hashes.SHA256()))

    def messages(self, until):
        """Reads handshake messages, into the transcript, up to one of kind `until`; None when the server ends it."""
        data, found = b"", []
        while True:
            while len(data) < 4 or len(data) < 4 + int.from_bytes(data[1:4], "big"):
                got = self.next()
                if got is None:
                    return None
                if got[0] == HANDSHAKE:
                    data += got[1]
            size = 4 + int.from_bytes(data[1:4], "big")
            whole, data = data[:size], data[size:]
            found.append(whole)
            self.takes(whole)
            self.received(whole)
            if whole[0] == until:
                assert not data
                return found

    def received(self, whole):
        pass

    def request(self, path="/"):
        return f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\nConnection: close\r\n\r\n".encode()

    def answer(self):
        """Asks, and gives what the server says until it closes."""
        self.send(self.sealed(APPLICATION, self.request()))
        self.alerts()
        return self.text()


class Client13(Client):
    """The server's flight has come when `open` returns; `flight` is the client's answer."""

    def hello(self, share=None, group=b"\x00\x1d"):
        suites = b"\x13\x01" if self.suite == AES else b"\x13\x03"
        share = self.share() if share is None else share
        shares = group + vector(2, share) if group is not None else b""
        return message(CLIENT_HELLO, self.hello_body(suites, self.common_extensions() + extension(43, b"\x02\x03\x04")
                                                     + extension(51, vector(2, shares))))

    def open(self):
        self.send(self.plain(HANDSHAKE, self.takes(self.hello()), b"\x03\x01"))
        return self.server_flight()

    def server_flight(self):
        assert self.messages(FINISHED) is not None, self.seen
        self.writer = self.handshake = Records13(self.client_handshake, self.suite)
        master = tls_wire.extract(tls_wire.derive(self.secret, b"derived", b""), bytes(32))
        self.client_application = tls_wire.derive(master, b"c ap traffic", self.transcript)
        self.server_application = tls_wire.derive(master, b"s ap traffic", self.transcript)
        self.reader = Records13(self.server_application, self.suite)
        return self

    def received(self, whole):
        if whole[0] == SERVER_HELLO and whole[6:38] != RETRY_RANDOM:
            shared = self.key.exchange(x25519.X25519PublicKey.from_public_bytes(self.share_of(whole)))
            early = tls_wire.extract(bytes(32), bytes(32))
            self.secret = tls_wire.extract(tls_wire.derive(early, b"derived", b""), shared)
            self.client_handshake = tls_wire.derive(self.secret, b"c hs traffic", self.transcript)
            self.server_handshake = tls_wire.derive(self.secret, b"s hs traffic", self.transcript)
            self.reader = Records13(self.server_handshake, self.suite)

    @staticmethod
    def share_of(hello):
        at = hello.index(b"\x00\x33\x00\x24\x00\x1d\x00\x20")
        return hello[at + 8:at + 40]

    def certificate(self, ders=None):
        ders = tls_wire.chain_of(self.entity) if ders is None and self.entity is not None else ders or []
        return tls_wire.certificate_message(ders)

    def certificate_verify(self, signature=None):
        data = b" " * 64 + b"TLS 1.3, client CertificateVerify\0" + self.digest()
        return tls_wire.certificate_verify(0x0403, self.sign(data) if signature is None else signature)

    def finished(self):
        return message(FINISHED, tls_wire.verify_data13(self.client_handshake, self.transcript))

    def flight(self):
        """The client's messages; in the transcript."""
        parts = [self.takes(self.certificate())]
        if self.entity is not None:
            parts.append(self.takes(self.certificate_verify()))
        return [*parts, self.takes(self.finished())]

    def establish(self):
        self.open()
        self.send(*(self.sealed(HANDSHAKE, part) for part in self.flight()))
        self.writer = Records13(self.client_application, self.suite)
        return self

    def key_update(self, asks=False):
        """The record of one, after which its keys are used."""
        whole = self.sealed(HANDSHAKE, message(KEY_UPDATE, bytes([asks])))
        self.writer.update()
        return whole

    def next(self):
        got = super().next()
        if got is not None and got[0] == HANDSHAKE and got[1][:1] == bytes([KEY_UPDATE]):
            self.reader.update()
        return got


class Client12(Client):
    """The server's flight has come when `open` returns."""

    def hello(self):
        suites = b"\xc0\x2b" if self.suite == AES else b"\xcc\xa9"
        return message(CLIENT_HELLO, self.hello_body(suites + b"\x00\xff", self.common_extensions() + extension(23, b"")))

    def open(self):
        self.send(self.plain(HANDSHAKE, self.takes(self.hello()), b"\x03\x01"))
        assert self.messages(SERVER_HELLO_DONE) is not None, self.seen
        return self

    def received(self, whole):
        if whole[0] == SERVER_HELLO:
            self.server_random = whole[6:38]
        elif whole[0] == SERVER_KEY_EXCHANGE:
            assert whole[4:8] == b"\x03\x00\x1d\x20"
            self.server_share = whole[8:40]
        elif whole[0] == CERTIFICATE_REQUEST:
            self.asked = True

    asked = False

    def certificate(self, ders=None):
        ders = tls_wire.chain_of(self.entity) if ders is None and self.entity is not None else ders or []
        return tls_wire.certificate_message12(ders)

    def key_exchange(self, share=None):
        return message(CLIENT_KEY_EXCHANGE, vector(1, self.share() if share is None else share))

    def certificate_verify(self, signature=None):
        return tls_wire.certificate_verify(0x0403, self.sign(self.transcript) if signature is None else signature)

    def make_keys(self):
        """When the transcript ends with ClientKeyExchange (RFC 7627 section 4)."""
        shared = self.key.exchange(x25519.X25519PublicKey.from_public_bytes(self.server_share))
        self.master = tls_wire.extended_master_secret(shared, self.transcript)
        self.client_records, self.server_records = tls_wire.key_block(self.master, self.server_random, self.random, self.suite)

    def before_finished(self):
        """Certificate, ClientKeyExchange and CertificateVerify, as far as they are due; in the transcript."""
        parts = [self.takes(self.certificate())] if self.asked else []
        parts.append(self.takes(self.key_exchange()))
        self.make_keys()
        if self.entity is not None:
            parts.append(self.takes(self.certificate_verify()))
        return parts

    def finished(self):
        return message(FINISHED, tls_wire.verify_data12(self.master, b"client finished", self.transcript))

    def protect(self):
        """Protects all records that are sent from here on."""
        self.writer = self.client_records

    def next(self):
        got = super().next()
        if got is not None and got[0] == CHANGE_CIPHER_SPEC and self.reader is None:
            self.reader = self.server_records
        return got

    def establish(self):
        self.open()
        self.send(*(self.plain(HANDSHAKE, part) for part in self.before_finished()), self.plain(CHANGE_CIPHER_SPEC, b"\x01"))
        self.protect()
        self.send(self.sealed(HANDSHAKE, self.takes(self.finished())))
        assert self.messages(FINISHED) is not None, self.seen
        return self
