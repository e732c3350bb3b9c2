"""The bytes of the TLS client made by hand: messages and records (RFC 5246, RFC 8446), the key schedules, and the
protection of records. The client's hello is in tls_hello.py, and the client in tls_client.py.
"""

import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION = 20, 21, 22, 23
HELLO_REQUEST, CLIENT_HELLO, SERVER_HELLO, NEW_SESSION_TICKET, ENCRYPTED_EXTENSIONS = 0, 1, 2, 4, 8
CERTIFICATE, SERVER_KEY_EXCHANGE, CERTIFICATE_REQUEST, SERVER_HELLO_DONE = 11, 12, 13, 14
CERTIFICATE_VERIFY, CLIENT_KEY_EXCHANGE, FINISHED, KEY_UPDATE, MESSAGE_HASH = 15, 16, 20, 24, 254

AES, CHACHA = "AES_128_GCM", "CHACHA20_POLY1305"
RETRY_RANDOM = hashlib.sha256(b"HelloRetryRequest").digest()


def u16s(*numbers):
    return b"".join(struct.pack(">H", number) for number in numbers)


def vector(width, content):
    """Content behind its length of `width` bytes."""
    return len(content).to_bytes(width, "big") + content


def extension(number, content):
    return u16s(number) + vector(2, content)


def message(kind, body=b"", size=None):
    """A handshake message; `size` is what its header claims, if that is not the truth."""
    return bytes([kind]) + (len(body) if size is None else size).to_bytes(3, "big") + body


def record(kind, content, version=b"\x03\x03"):
    return bytes([kind]) + version + vector(2, content)


def cut(content, size):
    return [content[at:at + size] for at in range(0, len(content), size)]


def raw_public(key):
    """The key share of an X25519 key."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def chain_of(entity):
    return [entity.der, *(issuer.public_bytes(Encoding.DER) for issuer in entity.issuers)]


def certificate_message(ders):
    """Certificate of TLS 1.3, section 4.4.2."""
    return message(CERTIFICATE, b"\0" + vector(3, b"".join(vector(3, der) + b"\0\0" for der in ders)))


def certificate_message12(ders):
    return message(CERTIFICATE, vector(3, b"".join(vector(3, der) for der in ders)))


def certificate_verify(scheme, signature):
    return message(CERTIFICATE_VERIFY, u16s(scheme) + vector(2, signature))


# The key schedule of TLS 1.3, section 7.1.


def extract(salt, value):
    return hmac.new(salt, value, "sha256").digest()


def expand(secret, label, size, context=b""):
    """HKDF-Expand-Label; `size` is at most that of a hash."""
    info = struct.pack(">H", size) + vector(1, b"tls13 " + label) + vector(1, context)
    return hmac.new(secret, info + b"\x01", "sha256").digest()[:size]


def derive(secret, label, transcript):
    """Derive-Secret."""
    return expand(secret, label, 32, hashlib.sha256(transcript).digest())


def verify_data13(secret, transcript):
    """Of Finished, section 4.4.4."""
    return hmac.new(expand(secret, b"finished", 32), hashlib.sha256(transcript).digest(), "sha256").digest()


# That of TLS 1.2, RFC 5246 section 5.


def prf(secret, label, seed, size):
    seed, output, step = label + seed, b"", label + seed
    while len(output) < size:
        step = hmac.new(secret, step, "sha256").digest()
        output += hmac.new(secret, step + seed, "sha256").digest()
    return output[:size]


def extended_master_secret(secret, transcript):
    """RFC 7627 section 4: the transcript ends with ClientKeyExchange."""
    return prf(secret, b"extended master secret", hashlib.sha256(transcript).digest(), 48)


def verify_data12(master, label, transcript):
    return prf(master, label, hashlib.sha256(transcript).digest(), 12)


class Records13:
    """The protected records of one side of TLS 1.3, in order. `opened` is the size of the last plaintext, with type and padding."""

    def __init__(self, secret, suite=AES):
        self.suite = suite
        self.rekey(secret)

    def rekey(self, secret):
        self.secret = secret
        key = expand(secret, b"key", 16 if self.suite == AES else 32)
        self.aead = AESGCM(key) if self.suite == AES else ChaCha20Poly1305(key)
        self.iv, self.count = expand(secret, b"iv", 12), 0

    def update(self):
        """Takes the next secret, as after a KeyUpdate (section 7.2)."""
        self.rekey(expand(self.secret, b"traffic upd", 32))

    def nonce(self):
        number = struct.pack(">Q", self.count).rjust(12, b"\0")
        self.count += 1
        return bytes(a ^ b for a, b in zip(self.iv, number))

    def seal(self, kind, content, padding=0, version=b"\x03\x03"):
        return self.seal_inner(content + bytes([kind]) + bytes(padding), version)

    def seal_inner(self, inner, version=b"\x03\x03"):
        head = b"\x17" + version + struct.pack(">H", len(inner) + 16)
        return head + self.aead.encrypt(self.nonce(), inner, head)

    def open(self, whole):
        """Returns the type inside a record, and the content."""
        plain = self.aead.decrypt(self.nonce(), whole[5:], whole[:5])
        self.opened = len(plain)
        content = plain.rstrip(b"\0")
        return content[-1], content[:-1]


class Records12:
    """The protected records of one side of TLS 1.2 (RFC 5288, RFC 7905), in order. `opened` is the size of the last plaintext."""

    def __init__(self, key, iv, suite=AES):
        self.suite, self.iv, self.count = suite, iv, 0
        self.aead = AESGCM(key) if suite == AES else ChaCha20Poly1305(key)

    def nonce(self, explicit):
        if self.suite == AES:
            return self.iv + explicit
        return bytes(a ^ b for a, b in zip(self.iv, struct.pack(">Q", self.count).rjust(12, b"\0")))

    def seal(self, kind, content, version=b"\x03\x03"):
        explicit = struct.pack(">Q", self.count) if self.suite == AES else b""
        head = struct.pack(">Q", self.count) + bytes([kind]) + version + struct.pack(">H", len(content))
        sealed = explicit + self.aead.encrypt(self.nonce(explicit), content, head)
        self.count += 1
        return record(kind, sealed, version)

    def open(self, whole):
        """Returns the type of a record, and the content."""
        body = whole[5:]
        explicit, body = (body[:8], body[8:]) if self.suite == AES else (b"", body)
        head = struct.pack(">Q", self.count) + whole[:3] + struct.pack(">H", len(body) - 16)
        plain = self.aead.decrypt(self.nonce(explicit), body, head)
        self.count += 1
        self.opened = len(plain)
        return whole[0], plain


def key_block(master, server_random, client_random, suite=AES):
    """The records of the client, and those of the server, under a master secret of TLS 1.2."""
    key, iv = (16, 4) if suite == AES else (32, 12)
    block = prf(master, b"key expansion", server_random + client_random, 2 * (key + iv))
    return (Records12(block[:key], block[2 * key:2 * key + iv], suite),
            Records12(block[key:2 * key], block[2 * key + iv:], suite))
