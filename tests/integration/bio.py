"""A TLS client over a socket of its own, so that a test decides what goes out when: FIN, resets, half a record."""

import socket
import ssl
import struct
import time


class Client:
    """Use it as a context. `name` None: no server name. `alpn`: the only protocol, which the server must take."""

    def __init__(self, server, name, cert=None, version=None, alpn=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if version == "1.2":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        if cert is not None:
            context.load_cert_chain(cert)
        if alpn is not None:
            context.set_alpn_protocols([alpn])
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=name)
        self.raw = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        self.notified = False  # the server has sent close_notify
        self.came = b""  # plaintext that was there before the client's close_notify
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.raw.sendall(self.outgoing.read())
                piece = self.raw.recv(65536)
                assert piece, "closed in the handshake"
                self.incoming.write(piece)
        assert self.tls.selected_alpn_protocol() == alpn

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.raw.close()

    def seal(self, plaintext, close_notify=False):
        """The bytes of the records, with what the handshake has left to say."""
        if plaintext:
            self.tls.write(plaintext)
        if close_notify:
            try:
                while True:
                    self.came += self.tls.read(65536)
            except ssl.SSLWantReadError:
                pass
            try:
                self.tls.unwrap()
            except ssl.SSLWantReadError:
                pass
        return self.outgoing.read()

    def send(self, plaintext, close_notify=False, fin=False):
        self.raw.sendall(self.seal(plaintext, close_notify))
        if fin:
            self.raw.shutdown(socket.SHUT_WR)

    def reset(self):
        self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.raw.close()

    def read(self, within=10):
        """All plaintext until the server ends its side."""
        plaintext = self.came
        deadline = time.monotonic() + within
        while True:
            self.raw.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                piece = self.raw.recv(65536)
            except ConnectionResetError:
                return plaintext
            if not piece:
                return plaintext
            self.incoming.write(piece)
            try:
                while True:
                    got = self.tls.read(65536)
                    if not got:
                        self.notified = True
                        break
                    plaintext += got
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLZeroReturnError:
                self.notified = True
            except ssl.SSLError as error:
                raise AssertionError(f"no TLS any more: {error}")
