"""Certificates for the tests, made with python3-cryptography once for each session."""

import datetime
import functools
import ipaddress
import itertools
import pathlib
import re

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)
NOW = datetime.datetime.utcnow().replace(microsecond=0)


KEYS = pathlib.Path(__file__).parent / "keys"


@functools.cache
def rsa_keys(size):
    """The keys of this size that were made once and for all, in turn: to make one takes up to seconds, to load one a third of it."""
    pems = re.findall(rb"-----BEGIN .*?-----END [A-Z ]+-----\n", (KEYS / f"rsa-{size}.pem").read_bytes(), re.DOTALL)
    load = functools.cache(lambda pem: serialization.load_pem_private_key(pem, None))
    return map(load, itertools.cycle(pems))


def rsa_key(size):
    """One of four, and never the same one as the three before. A test that needs a key that nobody else has makes it."""
    return next(rsa_keys(size))


def new_key(kind):
    if kind.startswith("ecdsa-"):
        curve = {"ecdsa-p256": ec.SECP256R1, "ecdsa-p384": ec.SECP384R1, "ecdsa-p521": ec.SECP521R1}[kind]
        return ec.generate_private_key(curve())
    if kind.startswith("rsa-"):
        size = int(kind[4:])
        return rsa_key(size) if (KEYS / f"rsa-{size}.pem").exists() else rsa.generate_private_key(65537, size)
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    raise ValueError(kind)


def hash_for(key):
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}[key.curve.key_size]
    return hashes.SHA256()


class Entity:
    """A certificate with its key, on disk: `cert` alone, `chain` leaf first without the root, `key`, `bundle` all of it."""

    def __init__(self, folder, name, certificate, key, issuers=()):
        self.name = name
        self.certificate = certificate
        self.private = key
        self.issuers = list(issuers)
        self.cert = folder / f"{name}.pem"
        self.chain = folder / f"{name}.chain.pem"
        self.key = folder / f"{name}.key"
        self.bundle = folder / f"{name}.bundle.pem"
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        chain = pem + b"".join(issuer.public_bytes(serialization.Encoding.PEM) for issuer in self.issuers)
        secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                   serialization.NoEncryption())
        self.cert.write_bytes(pem)
        self.chain.write_bytes(chain)
        self.key.write_bytes(secret)
        self.key.chmod(0o600)
        self.bundle.write_bytes(chain + secret)

    @property
    def der(self):
        return self.certificate.public_bytes(serialization.Encoding.DER)


class Pki:
    def __init__(self, folder):
        self.folder = folder
        self.count = 0
        self.made = {}
        self.server_root = self.authority("Server Root")
        self.root = self.authority("Client Root")
        self.intermediate = self.authority("Client Intermediate", issuer=self.root, path_length=0)
        self.other_root = self.authority("Other Root")

    def build(self, subject, key, issuer=None, issuer_key=None, start=None, end=None, extensions=(), serial=None):
        """A signed certificate. `extensions` are (extension, critical)."""
        subject = subject if isinstance(subject, x509.Name) else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
        builder = (x509.CertificateBuilder()
                   .subject_name(subject)
                   .issuer_name(issuer.certificate.subject if issuer else subject)
                   .public_key(key.public_key())
                   .serial_number(serial or x509.random_serial_number())
                   .not_valid_before(start or NOW - DAY)
                   .not_valid_after(end or NOW + 3650 * DAY))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        signer = issuer_key or (issuer.private if issuer else key)
        return builder.sign(signer, hash_for(signer))

    def entity(self, name, certificate, key, issuers=()):
        self.count += 1
        return Entity(self.folder, f"{self.count:03d}-{name.lower().replace(' ', '-').replace('*', 'any')}", certificate, key, issuers)

    def authority(self, name, issuer=None, path_length=None, kind="ecdsa-p256", **options):
        options = {"start": NOW - 400 * DAY, **options}
        key = new_key(kind)
        usage = x509.KeyUsage(digital_signature=False, content_commitment=False, key_encipherment=False,
                              data_encipherment=False, key_agreement=False, key_cert_sign=True, crl_sign=True,
                              encipher_only=False, decipher_only=False)
        extensions = [
            (x509.BasicConstraints(ca=True, path_length=path_length), True),
            (usage, True),
            (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        ]
        certificate = self.build(name, key, issuer, extensions=extensions, **options)
        name = name if isinstance(name, str) else "authority"
        return self.entity(name, certificate, key, [issuer.certificate] if issuer and issuer.issuers else [])

    def server(self, kind, *names):
        """A server certificate for these names, of the server root."""
        if ("server", kind, names) not in self.made:
            key = new_key(kind)
            extensions = [
                (x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False),
                (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
            ]
            certificate = self.build(names[0], key, self.server_root, extensions=extensions)
            self.made["server", kind, names] = self.entity(f"server-{kind}", certificate, key)
        return self.made["server", kind, names]

    def client(self, kind="ecdsa-p256", subject="device-1", issuer=None, usage=ExtendedKeyUsageOID.CLIENT_AUTH, extra=(),
               key=None, cache=None, with_ski=True, **options):
        """A client certificate of the intermediate unless told otherwise. `cache`: a name under which to keep it."""
        if cache is not None and cache in self.made:
            return self.made[cache]
        issuer = issuer or self.intermediate
        key = key or new_key(kind)
        extensions = [(x509.BasicConstraints(ca=False, path_length=None), True)]
        if with_ski:
            extensions.append((x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False))
        extensions.append((x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.private.public_key()), False))
        if usage is not None:
            extensions.append((x509.ExtendedKeyUsage([usage]), False))
        extensions += list(extra)
        certificate = self.build(subject, key, issuer, extensions=extensions, **options)
        chain = [issuer.certificate] if issuer is not self.root and issuer is not self.other_root else []
        entity = self.entity(f"client-{kind}", certificate, key, chain)
        if cache is not None:
            self.made[cache] = entity
        return entity

    def crl(self, issuer, revoked=(), start=None, end=DAY, key=None, der=False, scope=None):
        """
        A revocation list of `issuer` with these entities in it, on disk. `start`, `end`: of its dates, counted from now.
        `scope`: "only_contains_user_certs" or "only_contains_ca_certs".
        """
        builder = (x509.CertificateRevocationListBuilder()
                   .issuer_name(issuer.certificate.subject)
                   .last_update(NOW + (start if start is not None else -DAY))
                   .next_update(NOW + end)
                   .add_extension(x509.CRLNumber(self.count), False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.private.public_key()), False))
        if scope is not None:
            point = dict.fromkeys(["full_name", "relative_name", "only_some_reasons"])
            point |= dict.fromkeys(["only_contains_user_certs", "only_contains_ca_certs", "indirect_crl", "only_contains_attribute_certs"], False)
            builder = builder.add_extension(x509.IssuingDistributionPoint(**{**point, scope: True}), True)
        for entity in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(entity.certificate.serial_number)
                .revocation_date(NOW - DAY).add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), False).build())
        key = key or issuer.private
        self.count += 1
        path = self.folder / f"{self.count:03d}-{issuer.cert.stem[4:]}.crl"
        path.write_bytes(builder.sign(key, hash_for(key)).public_bytes(
            serialization.Encoding.DER if der else serialization.Encoding.PEM))
        return path

    # The usual suspects, each made once.

    def valid(self, kind="ecdsa-p256"):
        return self.client(kind, cache=("valid", kind))

    def expired(self):
        return self.client(start=NOW - 20 * DAY, end=NOW - 10 * DAY, cache="expired")

    def not_yet_valid(self):
        return self.client(start=NOW + 10 * DAY, end=NOW + 20 * DAY, cache="not-yet-valid")

    def stranger(self):
        return self.client(issuer=self.other_root, cache="stranger")

    def rich(self):
        """A certificate with all that a header can carry."""
        subject = x509.Name([
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, "Hamburg"),
            x509.NameAttribute(NameOID.LOCALITY_NAME, "Altona"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Pizza, Pasta & \"Söhne\""),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Ovens + Grills"),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, "SN-4711"),
            x509.NameAttribute(NameOID.USER_ID, "oven7"),
            x509.NameAttribute(NameOID.DOMAIN_COMPONENT, "example"),
            x509.NameAttribute(NameOID.EMAIL_ADDRESS, "oven@example.com"),
            x509.NameAttribute(NameOID.COMMON_NAME, "oven-7.example.com"),
        ])
        extra = [
            (x509.SubjectAlternativeName([
                x509.DNSName("oven-7.example.com"), x509.DNSName("oven.example.org"),
                x509.RFC822Name("oven@example.com"),
                x509.UniformResourceIdentifier("spiffe://example.com/oven/7"),
                x509.IPAddress(ipaddress.ip_address("192.0.2.7")), x509.IPAddress(ipaddress.ip_address("2001:db8::7")),
            ]), False),
            (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x0c\x05hello"), False),
        ]
        return self.client(subject=subject, extra=extra, cache="rich")
