"""The client's side of TLS 1.3 (RFC 8446) after the server's flight, by hand: what no well-behaved client sends.

OpenSSL makes the hello and the key schedule, whose secrets come from its key log; what follows is encrypted here.
TLS_AES_128_GCM_SHA256 only.
"""

import contextlib
import pathlib
import socket
import ssl

from tls_wire import APPLICATION, FINISHED, HANDSHAKE, Records13, message, split_records, verify_data13


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
        reader = Records13(self.secrets["SERVER_HANDSHAKE_TRAFFIC_SECRET"])
        for record in split_records(flight):
            if record[0] == HANDSHAKE:
                self.transcript += record[5:]
            elif record[0] == APPLICATION:
                self.transcript += reader.open(record)[1]
        self.handshake = Records13(self.secrets["CLIENT_HANDSHAKE_TRAFFIC_SECRET"])
        self.application = Records13(self.secrets["CLIENT_TRAFFIC_SECRET_0"])

    def message(self, message):
        """The record of a handshake message, which counts for Finished."""
        self.transcript += message
        return self.handshake.seal(HANDSHAKE, message)

    def finished(self):
        """That of Finished, section 4.4.4."""
        return self.message(message(FINISHED, verify_data13(self.secrets["CLIENT_HANDSHAKE_TRAFFIC_SECRET"], self.transcript)))

    def request(self, host):
        return self.application.seal(APPLICATION, f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())

    def answer(self):
        """The application data of the server until it closes."""
        data = b""
        with contextlib.suppress(OSError):
            while piece := self.socket.recv(65536):
                data += piece
        reader, text = Records13(self.secrets["SERVER_TRAFFIC_SECRET_0"]), b""
        for record in split_records(data):
            with contextlib.suppress(Exception):  # an alert under other keys ends it
                kind, content = reader.open(record)
                text += content if kind == APPLICATION else b""
        return text.decode("latin-1")

    def close(self):
        self.socket.close()
