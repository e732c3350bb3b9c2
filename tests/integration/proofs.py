"""Signatures of CertificateVerify for each scheme, and handshakes of a client with any certificate and signature."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding

from tls_client import CLIENTS, Closed
from tls_wire import APPLICATION

HASHES = {4: hashes.SHA256, 5: hashes.SHA384, 6: hashes.SHA512}
PSS = {0x0804: hashes.SHA256, 0x0805: hashes.SHA384, 0x0806: hashes.SHA512,
       0x0809: hashes.SHA256, 0x080A: hashes.SHA384, 0x080B: hashes.SHA512}
CURVES = {"secp256r1": 0x0403, "secp384r1": 0x0503, "secp521r1": 0x0603}


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


def present(version, server, host, ders, key, scheme, **how):
    """
    A handshake with these certificates, signed as `scheme`, and a request. `how`: `sign_as` another scheme than is said, a
    `salt` of that length, this `signature`, or this `message` for the whole CertificateVerify.
    """
    with CLIENTS[version](server, host) as client:
        try:
            client.open()
            client.send_messages(client.certificate(ders))
            if version == "1.2":
                client.send_messages(client.key_exchange())
                client.make_master()
            signature = how.get("signature")
            if signature is None:
                signature = sign(key, how.get("sign_as", scheme), client.signed_content(), how.get("salt"))
            client.send_messages(how.get("message") or client.certificate_verify(signature, scheme))
            client.complete()
            client.send(client.sealed(APPLICATION, client.request()))
        except Closed as closed:
            return Outcome(closed.alert)
        client.alerts()
        return Outcome(client.alert, client.text())
