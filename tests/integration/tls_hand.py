"""
The origin's end of a TLS connection, from the handshake on by hand: OpenSSL shakes hands, and then the test makes each record
with the keys that OpenSSL tells, so that it may send what no server sends.
"""

import ssl
import tempfile

from tls_wire import ALERT, APPLICATION, HANDSHAKE, KEY_UPDATE, Records13, key_block, message

WARNING, FATAL = 1, 2
CLOSE_NOTIFY, HANDSHAKE_FAILURE, INTERNAL_ERROR, USER_CANCELED, NO_RENEGOTIATION = 0, 40, 80, 90, 100


class Hand:
    """One connection. `version`: "1.2" or "1.3"; the suite is AES-128-GCM in either."""

    def __init__(self, connection, entity, version):
        self.socket = connection
        self.is_13 = version == "1.3"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(entity.chain, entity.key)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_3 if self.is_13 else ssl.TLSVersion.TLSv1_2
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
        context.num_tickets = 0
        context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
        with tempfile.NamedTemporaryFile("r") as log:
            context.keylog_filename = log.name
            said = self.shake_hands(context)
            secrets = {name: (random, secret) for name, random, secret in
                       ([line.split()[0], *map(bytes.fromhex, line.split()[1:])] for line in log if not line.startswith("#"))}
        if self.is_13:
            assert self.suite == "TLS_AES_128_GCM_SHA256", self.suite
            self.reader, self.writer = (Records13(secrets[f"{side}_TRAFFIC_SECRET_0"][1]) for side in ("CLIENT", "SERVER"))
        else:
            random, master = secrets["CLIENT_RANDOM"]
            self.reader, self.writer = key_block(master, said[11:43], random)
            self.reader.count = self.writer.count = 1  # behind Finished
        self.text = b""  # application data that has come

    def shake_hands(self, context):
        """Gives all that was said; what has come behind the handshake is left in `received`."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_side=True)
        said = b""
        self.received = b""
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                said += self.pass_on(outgoing)
                self.fill(5)
                size = 5 + int.from_bytes(self.received[3:5], "big")
                self.fill(size)
                incoming.write(self.received[:size])
                self.received = self.received[size:]
        self.suite = tls.cipher()[0]
        return said + self.pass_on(outgoing)

    def pass_on(self, outgoing):
        data = outgoing.read()
        self.socket.sendall(data)
        return data

    def fill(self, size):
        while len(self.received) < size:
            piece = self.socket.recv(65536)
            if not piece:
                raise ConnectionError("the server has closed")
            self.received += piece

    def next_record(self):
        """Type and content of the next record from the server."""
        self.fill(5)
        size = 5 + int.from_bytes(self.received[3:5], "big")
        self.fill(size)
        whole, self.received = self.received[:size], self.received[size:]
        kind, content = self.reader.open(whole)
        if (kind, content[:1]) == (HANDSHAKE, bytes([KEY_UPDATE])):
            self.reader.update()
        return kind, content

    def read_head(self):
        """Reads a request; other records that come with it are in the list that is given."""
        others = []
        self.text = b""
        while b"\r\n\r\n" not in self.text:
            kind, content = self.next_record()
            if kind == APPLICATION:
                self.text += content
            else:
                others.append((kind, content))
        return others

    def read_rest(self):
        """All records until the server closes, as (type, content)."""
        records = []
        try:
            while True:
                records.append(self.next_record())
        except OSError:
            return records

    def send(self, *records):
        self.socket.sendall(b"".join(records))

    def record(self, kind, content=b""):
        return self.writer.seal(kind, content)

    def say(self, text, size=16384):
        """Sends text in records of this size."""
        self.send(*(self.record(APPLICATION, text[at:at + size]) for at in range(0, len(text), size)))

    def answer(self, body=b"ok", size=16384):
        self.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body), size)

    def alert(self, level, description):
        return self.record(ALERT, bytes([level, description]))

    def key_update(self, asks=False):
        """The record of a KeyUpdate, behind which its keys are used."""
        whole = self.record(HANDSHAKE, message(KEY_UPDATE, bytes([asks])))
        self.writer.update()
        return whole


def alerts_of(records):
    """The descriptions of the alerts among records."""
    return [content[1] for kind, content in records if kind == ALERT]
