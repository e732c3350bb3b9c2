"""ClientHellos of the TLS client made by hand, each in parts that a test can change one by one (RFC 8446, RFC 5246)."""

import collections
import os
import struct
import time

from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tls_wire import AES, CHACHA, CLIENT_HELLO, derive, extension, extract, message, raw_public, u16s, vector, verify_data13

NAME, MAX_FRAGMENT, GROUPS, POINT_FORMATS, SCHEMES, ALPN, PADDING = 0, 1, 10, 11, 13, 16, 21
EXTENDED_MASTER_SECRET, RECORD_SIZE_LIMIT, SESSION_TICKET = 23, 28, 35
PRE_SHARED_KEY, EARLY_DATA, VERSIONS, COOKIE, PSK_MODES, KEY_SHARE = 41, 42, 43, 44, 45, 51

X25519, P256, P384, X448 = 0x1D, 0x17, 0x18, 0x1E
SUITES12, SUITES13 = {AES: 0xC02B, CHACHA: 0xCCA9}, {AES: 0x1301, CHACHA: 0x1303}  # in TLS 1.2 ECDHE with ECDSA
RENEGOTIATION_INFO = 0x00FF  # a suite's number that says that the client knows RFC 5746

# A session that may be resumed. In TLS 1.3 `secret` is the PSK, and `begun` is when the ticket came. In TLS 1.2 `secret` is
# the master secret, and tickets have no age.
Session = collections.namedtuple("Session", "ticket secret age_add begun", defaults=(0, 0))


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
    """
    A ClientHello in parts. `extensions` is a dictionary: an extension that a test changes keeps its place. `keys` has the key
    pairs of the shares; in TLS 1.2, whose hello has no shares, the key exchange takes them.
    """

    session = None  # the session that the hello offers to resume

    def __init__(self, name="h.test", tls12=False, groups=(X25519, P256), shares=(X25519,), suite=AES):
        self.tls12 = tls12
        self.version, self.random, self.session_id = 0x0303, os.urandom(32), b"" if tls12 else os.urandom(32)
        self.suites = [SUITES12[suite], RENEGOTIATION_INFO] if tls12 else [SUITES13[suite]]
        self.compression = b"\0"
        self.keys = {group: Key(group) for group in shares}
        self.extensions = {
            NAME: vector(2, b"\0" + vector(2, name.encode())),
            GROUPS: vector(2, u16s(*groups)),
            SCHEMES: vector(2, u16s(0x0403, 0x0804, 0x0401)),
        }
        if tls12:
            self.extensions |= {POINT_FORMATS: b"\1\0", EXTENDED_MASTER_SECRET: b""}
        else:
            self.extensions[VERSIONS] = vector(1, u16s(0x0304))
            self.offer_shares(*((group, key.public) for group, key in self.keys.items()))

    def copy(self):
        other = object.__new__(Hello)
        other.__dict__ = {**self.__dict__, "keys": dict(self.keys), "extensions": dict(self.extensions)}
        return other

    def offer_shares(self, *shares):
        """Sets the key shares of TLS 1.3: pairs of a group and a public key, true or false."""
        self.extensions[KEY_SHARE] = vector(2, b"".join(share(group, public) for group, public in shares))

    def with_share(self, public, group=X25519):
        """Gives a copy of the hello with this key share alone."""
        other = self.copy()
        other.offer_shares((group, public))
        return other

    def again(self, group):
        """Makes the hello that answers a HelloRetryRequest for this group, as RFC 8446 section 4.1.2 has it."""
        key = Key(group)
        second = self.with_share(key.public, group)
        second.keys = {group: key}
        second.extensions.pop(EARLY_DATA, None)
        return second

    def offer_foreign_ticket(self, identity, binder=bytes(32)):
        """Offers a ticket that this server did not make. It must be the last extension that is set."""
        self.offer_identity(identity, os.urandom(4), binder)

    def offer_identity(self, identity, age, binder):
        self.extensions[PSK_MODES] = b"\1\1"
        self.extensions[PRE_SHARED_KEY] = vector(2, vector(2, identity) + age) + vector(2, vector(1, binder))

    def offer(self, session):
        """Offers to resume a session. In TLS 1.3 nothing of the hello may change afterwards: the binder covers all of it."""
        self.session = session
        if self.tls12:
            self.session_id, self.extensions[SESSION_TICKET] = os.urandom(32), session.ticket
            return
        age = struct.pack(">I", (session.age_add + int((time.monotonic() - session.begun) * 1000)) % 2**32)
        self.offer_identity(session.ticket, age, bytes(32))
        binder_key = derive(extract(bytes(32), session.secret), b"res binder", b"")
        binders = vector(2, vector(1, bytes(32)))
        self.offer_identity(session.ticket, age, verify_data13(binder_key, self.encode()[:-len(binders)]))

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
