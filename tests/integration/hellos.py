"""ClientHellos made by hand, and as much of a TLS client as it takes to go on with them: RFC 8446 and RFC 5246, one suite
each (TLS_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256). It checks what it decrypts and no signature."""

import contextlib
import hashlib
import os
import socket
import struct

from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tls_wire import (ALERT, APPLICATION, CERTIFICATE_REQUEST, CHANGE_CIPHER_SPEC, CLIENT_HELLO, CLIENT_KEY_EXCHANGE,
                      ENCRYPTED_EXTENSIONS, FINISHED, HANDSHAKE, MESSAGE_HASH, NEW_SESSION_TICKET, RETRY_RANDOM, SERVER_HELLO,
                      SERVER_HELLO_DONE, SERVER_KEY_EXCHANGE, Records13, certificate_message, certificate_message12, derive,
                      extended_master_secret, extension, extract, key_block, message, raw_public, record, u16s, vector,
                      verify_data12, verify_data13)

NAME, MAX_FRAGMENT, GROUPS, POINT_FORMATS, SCHEMES, ALPN, PADDING = 0, 1, 10, 11, 13, 16, 21
EXTENDED_MASTER_SECRET, RECORD_SIZE_LIMIT, SESSION_TICKET = 23, 28, 35
PRE_SHARED_KEY, EARLY_DATA, VERSIONS, COOKIE, PSK_MODES, KEY_SHARE = 41, 42, 43, 44, 45, 51

UNEXPECTED_MESSAGE, BAD_RECORD_MAC, RECORD_OVERFLOW, HANDSHAKE_FAILURE, ILLEGAL_PARAMETER = 10, 20, 22, 40, 47
DECODE_ERROR, DECRYPT_ERROR, PROTOCOL_VERSION, MISSING_EXTENSION = 50, 51, 70, 109

X25519, P256, P384, X448 = 0x1D, 0x17, 0x18, 0x1E
DUMMY = b"\x14\x03\x03\x00\x01\x01"


class Key:
    """A key pair of a group, and what goes into a key share."""

    def __init__(self, group):
        self.group = group
        if group == X25519:
            self.private = x25519.X25519PrivateKey.generate()
            self.public = raw_public(self.private)
        else:
            self.private = ec.generate_private_key({P256: ec.SECP256R1, P384: ec.SECP384R1}[group]())
            self.public = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def agree(self, public):
        if self.group == X25519:
            return self.private.exchange(x25519.X25519PublicKey.from_public_bytes(public))
        return self.private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(self.private.curve, public))


def share(group, public):
    return u16s(group) + vector(2, public)


class Hello:
    """A ClientHello in parts. `extensions` is a dictionary: what a test changes keeps its place."""

    def __init__(self, name="h.test", tls12=False, groups=(X25519, P256), shares=(X25519,)):
        self.version, self.random, self.session_id = 0x0303, os.urandom(32), b"" if tls12 else os.urandom(32)
        self.suites, self.compression = [0xC02B if tls12 else 0x1301], b"\0"
        self.keys = {} if tls12 else {group: Key(group) for group in shares}
        self.extensions = {
            NAME: vector(2, b"\0" + vector(2, name.encode())),
            GROUPS: vector(2, u16s(*groups)),
            SCHEMES: vector(2, u16s(0x0403, 0x0804, 0x0401)),
        }
        if tls12:
            self.extensions |= {POINT_FORMATS: b"\1\0", EXTENDED_MASTER_SECRET: b""}
        else:
            self.extensions |= {VERSIONS: vector(1, u16s(0x0304)),
                                KEY_SHARE: vector(2, b"".join(share(group, key.public) for group, key in self.keys.items()))}

    def copy(self):
        other = object.__new__(Hello)
        other.__dict__ = {**self.__dict__, "keys": dict(self.keys), "extensions": dict(self.extensions)}
        return other

    def again(self, group):
        """The hello that answers a HelloRetryRequest for this group, as RFC 8446 section 4.1.2 has it."""
        second = self.copy()
        second.keys = {group: Key(group)}
        second.extensions[KEY_SHARE] = vector(2, share(group, second.keys[group].public))
        second.extensions.pop(EARLY_DATA, None)
        return second

    def offer_foreign_ticket(self, identity, binder=bytes(32)):
        """Must be the last extension that is set."""
        self.extensions[PSK_MODES] = b"\1\1"
        self.extensions[PRE_SHARED_KEY] = vector(2, vector(2, identity) + os.urandom(4)) + vector(2, vector(1, binder))

    def encode(self):
        body = u16s(self.version) + self.random + vector(1, self.session_id) + vector(2, u16s(*self.suites))
        body += vector(1, self.compression)
        if self.extensions is not None:
            body += vector(2, b"".join(extension(kind, content) for kind, content in self.extensions.items()))
        return message(CLIENT_HELLO, body)


def read_extensions(data):
    found, size = {}, int.from_bytes(data[:2], "big")
    data = data[2:2 + size]
    while data:
        kind, size = struct.unpack(">HH", data[:4])
        assert kind not in found
        found[kind] = data[4:4 + size]
        data = data[4 + size:]
    return found


class Alert(Exception):
    """The server has ended the connection with an alert; that it was the last thing is checked."""


class Closed(Exception):
    """The server has ended the connection without one."""


class Conversation:
    """A connection, from its first hello on."""

    def __init__(self, server):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        self.received, self.transcript, self.messages = b"", b"", b""
        self.reader = self.writer = None
        self.kinds = []  # of all records that have come, by their header
        self.sizes = {HANDSHAKE: [], APPLICATION: []}  # of their contents, by what was in them; in TLS 1.3 with the type's byte
        self.clear_sizes = []  # of handshake records in the clear

    def send(self, data):
        with contextlib.suppress(ConnectionError):  # what the server has said before is still to be read
            self.socket.sendall(data)

    def send_hello(self, hello, behind=b"", sizes=None):
        """In one record, or in records of these sizes and one with the rest; `behind` in the same segment."""
        self.hello = hello
        encoded, at, records = hello.encode(), 0, b""
        version = b"\x03\x03" if self.transcript else b"\x03\x01"
        self.transcript += encoded
        for size in [*(sizes or []), len(encoded)]:
            if encoded[at:at + size]:
                records += record(HANDSHAKE, encoded[at:at + size], version)
            at += size
        self.send(records + behind)

    def fill(self, size):
        while len(self.received) < size:
            try:
                piece = self.socket.recv(65536)
            except ConnectionError as error:
                raise Closed from error
            if not piece:
                raise Closed
            self.received += piece

    def next_record(self):
        """Kind and content, decrypted; an alert raises, once it is known that nothing follows it."""
        self.fill(5)
        size = 5 + int.from_bytes(self.received[3:5], "big")
        self.fill(size)
        whole, self.received = self.received[:size], self.received[size:]
        kind, content = whole[0], whole[5:]
        self.kinds.append(kind)
        if self.reader is None or kind == CHANGE_CIPHER_SPEC:
            if kind == HANDSHAKE:
                self.clear_sizes.append(len(content))
        else:
            kind, content = self.reader.open(whole)
            if kind in self.sizes:
                self.sizes[kind].append(self.reader.opened)
        if kind == ALERT and content[1] != 0:
            with contextlib.suppress(Closed):
                self.fill(len(self.received) + 1)
                raise AssertionError("something follows the alert")
            raise Alert(content[1])
        return kind, content

    def next_message(self):
        """Type and body of the next handshake message, which counts for the transcript."""
        while len(self.messages) < 4 or len(self.messages) < 4 + int.from_bytes(self.messages[1:4], "big"):
            kind, content = self.next_record()
            if kind == HANDSHAKE:
                self.messages += content
            else:
                assert kind == CHANGE_CIPHER_SPEC, kind
        size = 4 + int.from_bytes(self.messages[1:4], "big")
        whole, self.messages = self.messages[:size], self.messages[size:]
        self.transcript += whole
        return whole[0], whole[4:]

    def server_hello(self):
        """Random, session ID, suite and extensions."""
        kind, body = self.next_message()
        assert kind == SERVER_HELLO and body[:2] == b"\x03\x03"
        size = body[34]
        rest = body[35 + size:]
        self.server_random = body[2:34]
        return self.server_random, body[35:35 + size], int.from_bytes(rest[:2], "big"), read_extensions(rest[3:])

    def request(self, text=None):
        """Sends a request, and gives what comes back until the server closes."""
        self.send(self.writer.seal(APPLICATION, text or b"GET / HTTP/1.1\r\nHost: h.test\r\nConnection: close\r\n\r\n"))
        return self.answer()

    def answer(self):
        text = b""
        with contextlib.suppress(Closed):
            while True:
                kind, content = self.next_record()
                if kind == APPLICATION:
                    text += content
                elif kind == ALERT:
                    break
        return text.decode("latin-1")

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Tls13(Conversation):
    def retry_request(self):
        """A HelloRetryRequest: the group that it asks for."""
        first = hashlib.sha256(self.transcript).digest()
        random, session_id, _, extensions = self.server_hello()
        assert random == RETRY_RANDOM and session_id == self.hello.session_id
        assert set(extensions) == {VERSIONS, KEY_SHARE}
        retry = self.transcript[len(self.hello.encode()):]
        self.transcript = message(MESSAGE_HASH, first) + retry
        return int.from_bytes(extensions[KEY_SHARE], "big")

    def flight(self):
        """The server's flight: what is in EncryptedExtensions, and the types of the messages behind it."""
        random, session_id, suite, extensions = self.server_hello()
        assert random != RETRY_RANDOM and session_id == self.hello.session_id and suite == 0x1301
        group = int.from_bytes(extensions[KEY_SHARE][:2], "big")
        shared = self.hello.keys[group].agree(extensions[KEY_SHARE][4:])
        early = extract(bytes(32), bytes(32))
        self.secret = extract(derive(early, b"derived", b""), shared)
        self.client_secret, self.server_secret = (derive(self.secret, label, self.transcript)
                                                  for label in (b"c hs traffic", b"s hs traffic"))
        self.reader, self.writer = Records13(self.server_secret), Records13(self.client_secret)
        kind, body = self.next_message()
        assert kind == ENCRYPTED_EXTENSIONS
        found, seen = read_extensions(body), []
        while kind != FINISHED:
            before = self.transcript
            kind, body = self.next_message()
            seen.append(kind)
        assert body == verify_data13(self.server_secret, before), "the server's Finished"
        master = extract(derive(self.secret, b"derived", b""), bytes(32))
        self.traffic, server_traffic = (derive(master, label, self.transcript) for label in (b"c ap traffic", b"s ap traffic"))
        self.reader, self.seen = Records13(server_traffic), seen
        return found

    def own_flight(self):
        """Its messages, sealed: an empty Certificate where one was asked for, and Finished."""
        flight = b""
        if CERTIFICATE_REQUEST in self.seen:
            empty = certificate_message([])
            self.transcript += empty
            flight += self.writer.seal(HANDSHAKE, empty)
        finished = message(FINISHED, verify_data13(self.client_secret, self.transcript))
        return flight + self.writer.seal(HANDSHAKE, finished)

    def finish(self, before=b""):
        self.send(before + self.own_flight())
        self.writer = Records13(self.traffic)

    def handshake(self, hello):
        """To the end; the extensions of EncryptedExtensions."""
        self.send_hello(hello)
        found = self.flight()
        self.finish()
        return found


class Tls12(Conversation):
    def flight(self):
        """The server's first flight: the extensions of its ServerHello."""
        _, _, suite, found = self.server_hello()
        assert suite == 0xC02B
        self.seen, kind = [], None
        while kind != SERVER_HELLO_DONE:
            kind, body = self.next_message()
            self.seen.append(kind)
            if kind == SERVER_KEY_EXCHANGE:
                self.key = Key(int.from_bytes(body[1:3], "big"))
                self.shared = self.key.agree(body[4:4 + body[3]])
        return found

    def finish(self):
        """Both Finished, with a ticket before the server's where one was asked for: which is given."""
        flight = b""
        if CERTIFICATE_REQUEST in self.seen:
            flight += certificate_message12([])
        flight += message(CLIENT_KEY_EXCHANGE, vector(1, self.key.public))
        self.transcript += flight
        self.master = extended_master_secret(self.shared, self.transcript)
        self.make_keys()
        own = self.verify_data(b"client finished")
        self.transcript += own
        self.send(record(HANDSHAKE, flight) + DUMMY + self.writer.seal(HANDSHAKE, own))
        return self.server_finished()

    def make_keys(self):
        self.writer, self.next_reader = key_block(self.master, self.server_random, self.hello.random)

    def verify_data(self, label):
        return message(FINISHED, verify_data12(self.master, label, self.transcript))

    def server_finished(self):
        """Up to the server's Finished: the ticket that came before it, or None."""
        ticket = None
        while True:
            if self.reader is None and self.kinds[-1:] == [CHANGE_CIPHER_SPEC]:
                self.reader = self.next_reader
            if len(self.messages) < 4:
                kind, content = self.next_record()
                if kind == CHANGE_CIPHER_SPEC:
                    self.reader = self.next_reader
                    continue
                self.messages += content
                continue
            expected = self.verify_data(b"server finished")
            kind, body = self.next_message()
            if kind == FINISHED:
                assert message(kind, body) == expected, "the server's Finished"
                return ticket
            assert kind == NEW_SESSION_TICKET
            ticket = body[6:]

    def handshake(self, hello):
        self.send_hello(hello)
        found = self.flight()
        self.ticket = self.finish()
        return found

    def resume(self, hello, master):
        """With a ticket in the hello, to the end: the extensions of the ServerHello."""
        self.send_hello(hello)
        self.master = master
        _, _, _, found = self.server_hello()
        self.make_keys()
        self.ticket = self.server_finished()
        own = self.verify_data(b"client finished")
        self.send(DUMMY + self.writer.seal(HANDSHAKE, own))
        return found
