"""A client of TLS 1.2 (RFC 5246) and 1.3 (RFC 8446) made by hand: each step is a method, so that a test can send another
message, or none, at any of them.

    client = Client13(server, "h.test", pki.valid())
    client.open()                                   # send_hello, and server_flight
    client.send_messages(client.certificate())      # before_finished makes all messages that are due
    client.send_messages(client.certificate_verify())
    client.complete()                               # Finished
    client.answer()                                 # sends a request

`establish` takes all steps but the request. The client checks the server's Finished, the server's choices, and that nothing
follows a fatal alert. It checks no signature.
"""

import contextlib
import hashlib
import socket
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tls_hello import KEY_SHARE, PRE_SHARED_KEY, SUITES12, SUITES13, VERSIONS, Hello, Key, Session, read_extensions
from tls_wire import (AES, ALERT, APPLICATION, CERTIFICATE_REQUEST, CHANGE_CIPHER_SPEC, CLIENT_KEY_EXCHANGE,
                      ENCRYPTED_EXTENSIONS, FINISHED, HANDSHAKE, KEY_UPDATE, MESSAGE_HASH, NEW_SESSION_TICKET, RETRY_RANDOM,
                      SERVER_HELLO, SERVER_HELLO_DONE, SERVER_KEY_EXCHANGE, Records13, certificate_message,
                      certificate_message12, certificate_verify, chain_of, cut, derive, expand, extended_master_secret, extract,
                      key_block, message, record, vector, verify_data12, verify_data13)

FATAL = 2
ALERTS = {0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow", 40: "handshake_failure",
          42: "bad_certificate", 47: "illegal_parameter", 50: "decode_error", 51: "decrypt_error", 70: "protocol_version",
          80: "internal_error", 90: "user_canceled", 100: "no_renegotiation", 109: "missing_extension",
          112: "unrecognized_name", 120: "no_application_protocol"}


def is_fatal(alert):
    return alert[0] == FATAL and alert[1] != 0


def name_of(alert):
    """The name of an alert's description; that of a warning, which ends nothing, is marked as one."""
    is_warning = alert[0] != FATAL and alert[1] != 0
    return ("warning " if is_warning else "") + ALERTS.get(alert[1], str(alert[1]))


class Closed(Exception):
    """The server has ended the connection: `alert` is the name of the fatal alert that it sent before, or None."""

    def __init__(self, alert):
        super().__init__(f"closed, alert {alert}")
        self.alert = alert


class Client:
    """
    The part of both versions: the connection, its records, the transcript, and the order of the steps. The versions add
    make_hello, server_flight, certificate, signed_content, before_finished, finished and complete.
    """

    def __init__(self, server, host="h.test", entity=None, suite=AES):
        """`entity` has the chain that the client presents, as `ders`, and its ECDSA key. None presents no certificate."""
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host, self.entity, self.suite = host, entity, suite
        self.ders = [] if entity is None else chain_of(entity)
        self.hello = self.make_hello()
        self.transcript = b""
        self.reader = self.writer = None  # for protected records; None as long as there are no keys
        self.received = b""  # the bytes that are not yet read as records
        self.left = b""  # the bytes that are not yet read as handshake messages
        self.server_messages = []  # (type, body) of each handshake message that was read
        self.seen = []  # (type, content) of each record that was read
        self.kinds = []  # the type that the header of each record names
        self.sizes = {HANDSHAKE: [], APPLICATION: []}  # the sizes of protected contents; in TLS 1.3 with the type's byte
        self.clear_sizes = []  # the sizes of handshake records that were not protected
        self.ended = None  # how the connection has ended: "eof" or "reset"
        self.resumed = False  # whether the server has resumed the session that the hello offers

    # Records

    def send(self, *records):
        with contextlib.suppress(ConnectionError):  # the server may have closed: what it said before is still to be read
            self.socket.sendall(b"".join(records))

    def sealed(self, kind, content):
        """Gives the record of a content, protected from the moment that there are keys."""
        return record(kind, content) if self.writer is None else self.writer.seal(kind, content)

    def fill(self, size):
        """Receives until there are so many bytes."""
        while len(self.received) < size:
            try:
                piece = self.socket.recv(65536)
            except ConnectionError as error:
                self.ended = "reset"
                raise Closed(self.alert) from error
            if not piece:
                self.ended = "eof"
                raise Closed(self.alert)
            self.received += piece

    @property
    def alert(self):
        """The name of the fatal alert that has come, or None."""
        return next((name_of(content) for kind, content in self.seen if kind == ALERT and is_fatal(content)), None)

    def next_record(self):
        """
        Gives type and content of the next record, decrypted. The end of the connection raises Closed. So does a fatal alert,
        once it is known that nothing follows it.
        """
        self.fill(5)
        size = 5 + int.from_bytes(self.received[3:5], "big")
        self.fill(size)
        whole, self.received = self.received[:size], self.received[size:]
        kind, content = whole[0], whole[5:]
        self.kinds.append(kind)
        if self.reader is not None and kind != CHANGE_CIPHER_SPEC:
            kind, content = self.reader.open(whole)
            if kind in self.sizes:
                self.sizes[kind].append(self.reader.opened)
        elif kind == HANDSHAKE:
            self.clear_sizes.append(len(content))
        self.seen.append((kind, content))
        if kind == ALERT and is_fatal(content):
            self.fill(len(self.received) + 1)
            raise AssertionError("something follows the alert")
        return kind, content

    def alerts(self):
        """Reads to the end, and gives the names of all alerts that came, in order."""
        with contextlib.suppress(Closed):
            while True:
                self.next_record()
        return [name_of(content) for kind, content in self.seen if kind == ALERT]

    def text(self):
        """Gives the application data that has come."""
        return b"".join(content for kind, content in self.seen if kind == APPLICATION).decode("latin-1")

    def request(self, path="/"):
        return f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\nConnection: close\r\n\r\n".encode()

    def answer(self, path="/"):
        """Sends a request, and gives what the server says until it closes, which it must do without an alert of a fault."""
        self.send(self.sealed(APPLICATION, self.request(path)))
        alerts = self.alerts()
        assert alerts in ([], ["close_notify"]), alerts
        return self.text()

    # Messages

    def takes(self, *messages):
        """Counts messages into the transcript, and gives their bytes."""
        self.transcript += b"".join(messages)
        return b"".join(messages)

    def send_messages(self, *messages):
        """Sends handshake messages, each in records of its own, all at once, and counts them into the transcript."""
        self.send(*(self.sealed(HANDSHAKE, part) for one in messages for part in cut(self.takes(one), 16384)))

    def next_message(self):
        """Gives type and body of the next handshake message, which counts for the transcript."""
        while len(self.left) < 4 or len(self.left) < 4 + int.from_bytes(self.left[1:4], "big"):
            kind, content = self.next_record()
            if kind == HANDSHAKE:
                self.left += content
            else:
                assert kind == CHANGE_CIPHER_SPEC, kind
        size = 4 + int.from_bytes(self.left[1:4], "big")
        whole, self.left = self.left[:size], self.left[size:]
        self.takes(whole)
        self.server_messages.append((whole[0], whole[4:]))
        return self.server_messages[-1]

    def server_hello(self):
        """Reads a ServerHello or a HelloRetryRequest, and gives random, session ID, suite and extensions."""
        kind, body = self.next_message()
        assert kind == SERVER_HELLO and body[:2] == b"\x03\x03"
        size = body[34]
        rest = body[35 + size:]
        self.server_random = body[2:34]
        return self.server_random, body[35:35 + size], int.from_bytes(rest[:2], "big"), read_extensions(rest[3:])

    @property
    def asked(self):
        """Whether the server has asked for a certificate."""
        return any(kind == CERTIFICATE_REQUEST for kind, _ in self.server_messages)

    def certificate_verify(self, signature=None, scheme=0x0403):
        """Makes the message: with this signature, or with a true one of the client's key."""
        if signature is None:
            signature = self.entity.private.sign(self.signed_content(), ec.ECDSA(hashes.SHA256()))
        return certificate_verify(scheme, signature)

    # Steps

    def send_hello(self, hello=None, behind=b"", sizes=()):
        """Sends a hello in records of these sizes and one with the rest; the records `behind` in the same segment."""
        self.hello = hello or self.hello
        encoded, version = self.hello.encode(), b"\x03\x03" if self.transcript else b"\x03\x01"
        self.takes(encoded)
        parts = []
        for size in sizes:
            parts.append(encoded[:size])
            encoded = encoded[size:]
        self.send(*(record(HANDSHAKE, part, version) for part in [*parts, encoded] if part), behind)

    def open(self, hello=None):
        """Sends a hello, and reads the server's flight."""
        self.send_hello(hello)
        self.server_flight()
        return self

    def finish(self, before=b""):
        """Sends the client's flight, behind the records `before`."""
        self.complete(before, *(self.sealed(HANDSHAKE, part) for part in self.before_finished()))

    def establish(self, hello=None):
        """Takes all steps of the handshake."""
        self.open(hello)
        self.finish()
        return self

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Client13(Client):
    """TLS 1.3. `application` has the keys of what the client sends after its Finished."""

    def make_hello(self):
        hello = Hello(self.host, suite=self.suite)
        hello.session_id = b""  # the server then sends no ChangeCipherSpec
        return hello

    def retry_request(self):
        """Reads a HelloRetryRequest, and gives the group that it asks for."""
        first = hashlib.sha256(self.transcript).digest()
        random, session_id, _, extensions = self.server_hello()
        assert random == RETRY_RANDOM and session_id == self.hello.session_id
        assert set(extensions) == {VERSIONS, KEY_SHARE}
        retry = self.transcript[len(self.hello.encode()):]
        self.transcript = message(MESSAGE_HASH, first) + retry
        return int.from_bytes(extensions[KEY_SHARE], "big")

    def server_flight(self):
        """Reads ServerHello to Finished, and gives the extensions of EncryptedExtensions."""
        random, session_id, suite, extensions = self.server_hello()
        assert random != RETRY_RANDOM and session_id == self.hello.session_id and suite == SUITES13[self.suite]
        self.resumed = PRE_SHARED_KEY in extensions
        early = extract(bytes(32), self.hello.session.secret if self.resumed else bytes(32))
        group = int.from_bytes(extensions[KEY_SHARE][:2], "big")
        shared = self.hello.keys[group].agree(extensions[KEY_SHARE][4:])
        handshake = extract(derive(early, b"derived", b""), shared)
        self.client_secret, server_secret = (derive(handshake, label, self.transcript)
                                             for label in (b"c hs traffic", b"s hs traffic"))
        self.reader, self.writer = Records13(server_secret, self.suite), Records13(self.client_secret, self.suite)
        kind, body = self.next_message()
        assert kind == ENCRYPTED_EXTENSIONS
        self.extensions = read_extensions(body)
        while kind != FINISHED:
            before = self.transcript
            kind, body = self.next_message()
        assert body == verify_data13(server_secret, before), "the server's Finished"
        assert not self.left
        self.master = extract(derive(handshake, b"derived", b""), bytes(32))
        self.application, self.reader = (Records13(derive(self.master, label, self.transcript), self.suite)
                                         for label in (b"c ap traffic", b"s ap traffic"))
        return self.extensions

    def certificate(self, ders=None):
        return certificate_message(self.ders if ders is None else ders)

    def signed_content(self):
        """Gives what CertificateVerify signs, section 4.4.3."""
        return b" " * 64 + b"TLS 1.3, client CertificateVerify\0" + hashlib.sha256(self.transcript).digest()

    def before_finished(self):
        """Makes Certificate and CertificateVerify, as far as they are due, and counts them."""
        parts = [self.takes(self.certificate())] if self.asked else []
        if self.asked and self.entity is not None:
            parts.append(self.takes(self.certificate_verify()))
        return parts

    def finished(self):
        return message(FINISHED, verify_data13(self.client_secret, self.transcript))

    def complete(self, *before):
        """Sends these records and Finished. From here on the client's records are under the keys for application data."""
        self.send(*before, self.sealed(HANDSHAKE, self.takes(self.finished())))
        self.writer = self.application
        self.resumption = derive(self.master, b"res master", self.transcript)

    def key_update(self, asks=False):
        """Gives the record of a KeyUpdate, after which its keys are used."""
        whole = self.sealed(HANDSHAKE, message(KEY_UPDATE, bytes([asks])))
        self.writer.update()
        return whole

    def next_record(self):
        kind, content = super().next_record()
        if kind == HANDSHAKE and content[:1] == bytes([KEY_UPDATE]):
            self.reader.update()
        return kind, content

    def session(self):
        """Reads the next ticket, and gives its session. The hello must have had PSK_MODES (section 4.6.1)."""
        kind, body = self.next_message()
        assert kind == NEW_SESSION_TICKET
        nonce, rest = body[9:9 + body[8]], body[9 + body[8]:]
        ticket = rest[2:2 + int.from_bytes(rest[:2], "big")]
        secret = expand(self.resumption, b"resumption", 32, nonce)
        return Session(ticket, secret, age_add=int.from_bytes(body[4:8], "big"), begun=time.monotonic())


class Client12(Client):
    """TLS 1.2, with the extended master secret (RFC 7627)."""

    ticket = None

    def make_hello(self):
        return Hello(self.host, tls12=True, suite=self.suite)

    def server_flight(self):
        """Reads ServerHello to ServerHelloDone, or to Finished of a resumed session; gives the extensions of ServerHello."""
        _, session_id, suite, self.extensions = self.server_hello()
        assert suite == SUITES12[self.suite]
        session = self.hello.session
        if session is not None and session_id == self.hello.session_id:
            self.resumed, self.master = True, session.secret
            self.make_keys()
            self.server_finished()
            return self.extensions
        kind = None
        while kind != SERVER_HELLO_DONE:
            kind, body = self.next_message()
            if kind == SERVER_KEY_EXCHANGE:
                group = int.from_bytes(body[1:3], "big")
                self.key = self.hello.keys.get(group) or Key(group)
                self.server_share = body[4:4 + body[3]]
        assert not self.left
        return self.extensions

    def certificate(self, ders=None):
        return certificate_message12(self.ders if ders is None else ders)

    def key_exchange(self):
        return message(CLIENT_KEY_EXCHANGE, vector(1, self.key.public))

    def make_master(self):
        """Makes all keys. The transcript must end with ClientKeyExchange."""
        self.master = extended_master_secret(self.key.agree(self.server_share), self.transcript)
        self.make_keys()

    def make_keys(self):
        self.client_records, self.server_records = key_block(self.master, self.server_random, self.hello.random, self.suite)

    def signed_content(self):
        """Gives what CertificateVerify signs: the handshake until then."""
        return self.transcript

    def before_finished(self):
        """Makes Certificate, ClientKeyExchange and CertificateVerify, as far as they are due, and counts them."""
        if self.resumed:
            return []
        parts = [self.takes(self.certificate())] if self.asked else []
        parts.append(self.takes(self.key_exchange()))
        self.make_master()
        if self.asked and self.entity is not None:
            parts.append(self.takes(self.certificate_verify()))
        return parts

    def change_cipher_spec(self):
        """Gives the record, and protects all that is sealed from here on."""
        self.writer = self.client_records
        return record(CHANGE_CIPHER_SPEC, b"\x01")

    def finished(self, label=b"client finished"):
        return message(FINISHED, verify_data12(self.master, label, self.transcript))

    def complete(self, *before):
        """Sends these records, ChangeCipherSpec and Finished, and reads up to the server's Finished, unless it came first."""
        self.send(*before, self.change_cipher_spec(), self.sealed(HANDSHAKE, self.takes(self.finished())))
        if not self.resumed:
            self.server_finished()

    def next_record(self):
        kind, content = super().next_record()
        if kind == CHANGE_CIPHER_SPEC:
            assert self.reader is None, "a second ChangeCipherSpec"
            self.reader = self.server_records
        return kind, content

    def server_finished(self):
        """Reads up to the server's Finished, and the ticket that may come before it."""
        kind, body = None, None
        while kind != FINISHED:
            expected = self.finished(b"server finished")
            kind, body = self.next_message()
            if kind == NEW_SESSION_TICKET:
                self.ticket = body[6:]
            else:
                assert kind == FINISHED, kind
        assert message(kind, body) == expected, "the server's Finished"
        assert not self.left and self.reader is not None

    def session(self):
        """Gives the session of the server's ticket. The hello must have had SESSION_TICKET."""
        assert self.ticket
        return Session(self.ticket, self.master)


CLIENTS = {"1.2": Client12, "1.3": Client13}
