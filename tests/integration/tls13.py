"""The client's side of TLS 1.3 (RFC 8446) after the server's flight, by hand: what no well-behaved client sends.

OpenSSL makes the hello and the key schedule, whose secrets come from its key log; what follows is encrypted here.
TLS_AES_128_GCM_SHA256 only.
"""

import contextlib
import hashlib
import hmac
import pathlib
import socket
import ssl
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding

HANDSHAKE, APPLICATION = 22, 23


def expand(secret, label, size):
    """HKDF-Expand-Label without context, section 7.1."""
    label = b"tls13 " + label
    info = struct.pack(">HB", size, len(label)) + label + b"\0"
    return HKDFExpand(hashes.SHA256(), size, info).derive(secret)


class Direction:
    """One side's records under one traffic secret, in order."""

    def __init__(self, secret):
        self.aead, self.iv, self.count = AESGCM(expand(secret, b"key", 16)), expand(secret, b"iv", 12), 0

    def nonce(self):
        number = struct.pack(">Q", self.count).rjust(12, b"\0")
        self.count += 1
        return bytes(a ^ b for a, b in zip(self.iv, number))

    def seal(self, content, kind):
        head = b"\x17\x03\x03" + struct.pack(">H", len(content) + 1 + 16)
        return head + self.aead.encrypt(self.nonce(), content + bytes([kind]), head)

    def open(self, record):
        plain = self.aead.decrypt(self.nonce(), record[5:], record[:5]).rstrip(b"\0")
        return plain[-1], plain[:-1]


def split_records(data):
    while len(data) >= 5:
        size = 5 + int.from_bytes(data[3:5], "big")
        yield data[:size]
        data = data[size:]


def certificate_message(ders):
    entries = b"".join(len(der).to_bytes(3, "big") + der + b"\0\0" for der in ders)
    body = b"\0" + len(entries).to_bytes(3, "big") + entries
    return b"\x0b" + len(body).to_bytes(3, "big") + body


def chain_of(entity):
    return [entity.der, *(issuer.public_bytes(Encoding.DER) for issuer in entity.issuers)]


class Client:
    """A connection on which the server's flight has come and nothing was answered yet."""

    def __init__(self, server, context, host, log, session=None):
        log = pathlib.Path(log)
        log.unlink(missing_ok=True)
        context.keylog_filename = str(log)
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(incoming, outgoing, server_hostname=host, session=session)
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()
        hello = outgoing.read()
        self.socket.sendall(hello)
        flight = b""
        while True:
            piece = self.socket.recv(65536)
            assert piece, "the server has closed"
            flight += piece
            incoming.write(piece)
            with contextlib.suppress(ssl.SSLWantReadError):
                self.tls.do_handshake()
                break
        assert self.tls.cipher()[0] == "TLS_AES_128_GCM_SHA256"
        lines = (line.split() for line in log.read_text().splitlines())
        self.secrets = {parts[0]: bytes.fromhex(parts[2]) for parts in lines if len(parts) == 3}
        self.transcript = hello[5:]
        reader = Direction(self.secrets["SERVER_HANDSHAKE_TRAFFIC_SECRET"])
        for record in split_records(flight):
            if record[0] == HANDSHAKE:
                self.transcript += record[5:]
            elif record[0] == APPLICATION:
                self.transcript += reader.open(record)[1]
        self.handshake = Direction(self.secrets["CLIENT_HANDSHAKE_TRAFFIC_SECRET"])
        self.application = Direction(self.secrets["CLIENT_TRAFFIC_SECRET_0"])

    def message(self, message):
        """The record of a handshake message, which counts for Finished."""
        self.transcript += message
        return self.handshake.seal(message, HANDSHAKE)

    def finished(self):
        """That of Finished, section 4.4.4."""
        key = expand(self.secrets["CLIENT_HANDSHAKE_TRAFFIC_SECRET"], b"finished", 32)
        return self.message(b"\x14\x00\x00\x20" + hmac.new(key, hashlib.sha256(self.transcript).digest(), "sha256").digest())

    def request(self, host):
        return self.application.seal(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode(), APPLICATION)

    def answer(self):
        """What the server says in application data until it closes."""
        data = b""
        with contextlib.suppress(OSError):
            while piece := self.socket.recv(65536):
                data += piece
        reader, text = Direction(self.secrets["SERVER_TRAFFIC_SECRET_0"]), b""
        for record in split_records(data):
            with contextlib.suppress(Exception):  # an alert under other keys ends it
                kind, content = reader.open(record)
                text += content if kind == APPLICATION else b""
        return text.decode("latin-1")

    def close(self):
        self.socket.close()
