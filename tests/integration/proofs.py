"""CertificateVerify by hand, for both versions, and handshakes of a client with any certificate whatever."""

import contextlib
import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding

import tls12
import tls13
import tls_wire

HASHES = {4: hashes.SHA256, 5: hashes.SHA384, 6: hashes.SHA512}
PSS = {0x0804: hashes.SHA256, 0x0805: hashes.SHA384, 0x0806: hashes.SHA512,
       0x0809: hashes.SHA256, 0x080A: hashes.SHA384, 0x080B: hashes.SHA512}
CURVES = {"secp256r1": 0x0403, "secp384r1": 0x0503, "secp521r1": 0x0603}
ILLEGAL_PARAMETER, DECODE_ERROR, DECRYPT_ERROR, UNEXPECTED_MESSAGE = 47, 50, 51, 10


def sign(key, scheme, data, salt=None):
    """The signature of a client that has the key, with that scheme, fitting or not; `salt`: another length than the digest's."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(HASHES.get(scheme >> 8, hashes.SHA256)()))
    if scheme in PSS:
        digest = PSS[scheme]()
        size = digest.digest_size if salt is None else salt
        return key.sign(data, padding.PSS(padding.MGF1(digest), size), digest)
    return key.sign(data, padding.PKCS1v15(), HASHES.get(scheme >> 8, hashes.SHA256)())


def scheme_for(key, is_pss=False):
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return 0x0807
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return CURVES.get(key.curve.name, 0x0403)
    return 0x0809 if is_pss else 0x0804


class Outcome:
    """The outcome of a handshake: the `alert` that ended it, or the `text` that answered the request."""

    def __init__(self, alert=None, text=""):
        self.alert, self.text = alert, text

    def seen(self, name):
        pairs = (line.partition(":") for line in self.text.split("\r\n"))
        return [value.strip() for key, _, value in pairs if key.lower() == name.lower()]

    @property
    def verdict(self):
        if not self.text:
            return f"alert {self.alert}"
        return f"{''.join(self.seen('X-Client-Cert-Status'))} {''.join(self.seen('X-Reason'))}"


def ending_of_13(client):
    """Alert and application data until the server closes."""
    data, text, alert = b"", b"", None
    with contextlib.suppress(OSError):
        while piece := client.socket.recv(65536):
            data += piece
    reader = tls_wire.Records13(client.secrets["SERVER_TRAFFIC_SECRET_0"])
    for record in tls_wire.split_records(data):
        kind, content = reader.open(record)
        if kind == 21 and alert is None and content[1] != 0:
            alert = content[1]
        text += content if kind == tls_wire.APPLICATION else b""
    return Outcome(alert, text.decode("latin-1"))


def content_of_13(client):
    return b" " * 64 + b"TLS 1.3, client CertificateVerify\0" + hashlib.sha256(client.transcript).digest()


def present_12(server, host, ders, key, scheme, **how):
    with tls12.Client(server.port, host) as client:
        try:
            client.send(tls_wire.certificate_message12(ders), client.key_exchange())
            client.make_master()
            signature = how.get("signature")
            if signature is None:
                signature = sign(key, how.get("sign_as", scheme), client.transcript, how.get("salt"))
            client.send(how.get("message") or tls_wire.certificate_verify(scheme, signature))
            client.complete()
            return Outcome(None, client.get(host))
        except tls12.Closed as closed:
            return Outcome(closed.alert)
        except ConnectionError:
            return Outcome(client.alert())


def present_13(server, host, ders, key, scheme, log, **how):
    client = tls13.Client(server, server.tls_client(), host, log)
    try:
        certificate = tls_wire.certificate_message(ders)
        client.transcript += certificate
        records = b"".join(client.handshake.seal(tls_wire.HANDSHAKE, certificate[at:at + 16384])
                           for at in range(0, len(certificate), 16384))
        signature = how.get("signature")
        if signature is None:
            signature = sign(key, how.get("sign_as", scheme), content_of_13(client), how.get("salt"))
        records += client.message(how.get("message") or tls_wire.certificate_verify(scheme, signature))
        with contextlib.suppress(ConnectionError):
            client.socket.sendall(records + client.finished() + client.request(host))
        return ending_of_13(client)
    finally:
        client.close()


def present(version, server, host, ders, key, scheme, log, **how):
    """
    A handshake with these certificates, signed as `scheme`, and a request. `how`: `sign_as` another scheme than is said, a
    `salt` of that length, this `signature`, or this `message` for the whole CertificateVerify.
    """
    if version == "1.2":
        return present_12(server, host, ders, key, scheme, **how)
    return present_13(server, host, ders, key, scheme, log, **how)
