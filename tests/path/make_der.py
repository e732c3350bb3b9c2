"""DER, spelled out: certificates with whatever is wrong in them that a test wants. For make_corpus.py."""
from datetime import datetime, timezone

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils


def tlv(tag, *parts):
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def seq(*parts):
    return tlv(0x30, *parts)


def integer(value):
    size = max(1, (value if value >= 0 else ~value).bit_length() // 8 + 1)
    return tlv(2, value.to_bytes(size, "big", signed=True))


def oid_content(dotted):
    arcs = [int(arc) for arc in dotted.split(".")]
    out = b""
    for arc in [arcs[0] * 40 + arcs[1]] + arcs[2:]:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.insert(0, arc & 0x7F | 0x80)
        out += bytes(groups)
    return out


def oid(dotted):
    return tlv(6, oid_content(dotted))


def bits(content, unused=0):
    return tlv(3, bytes([unused]), content)


NULL = tlv(5)
UTF8, PRINTABLE, TELETEX, IA5, BMP, UNIVERSAL = 0x0C, 0x13, 0x14, 0x16, 0x1E, 0x1C
ATTRIBUTES = {
    "CN": "2.5.4.3", "C": "2.5.4.6", "L": "2.5.4.7", "ST": "2.5.4.8", "O": "2.5.4.10", "OU": "2.5.4.11",
    "serialNumber": "2.5.4.5", "emailAddress": "1.2.840.113549.1.9.1", "UID": "0.9.2342.19200300.100.1.1",
    "DC": "0.9.2342.19200300.100.1.25", "title": "2.5.4.12",
}


def attribute(kind, value, tag=UTF8):
    encoded = value if isinstance(value, bytes) else value.encode({BMP: "utf-16-be", UNIVERSAL: "utf-32-be"}.get(tag, "utf-8"))
    return seq(oid(ATTRIBUTES.get(kind, kind)), tlv(tag, encoded))


def name(*attributes):
    """Each of (kind, value), (kind, value, tag), or a list of those for one multi-valued RDN."""
    rdns = [rdn if isinstance(rdn, list) else [rdn] for rdn in attributes]
    return seq(*[tlv(0x31, *sorted(attribute(*one) for one in rdn)) for rdn in rdns])


def cn(text):
    return name(("O", "Corpus"), ("CN", text))


def time(text):
    """YYYYMMDDHHMMSS as RFC 5280 wants it; anything else as a GeneralizedTime with that content."""
    if len(text) == 14 and text.isdigit() and 1950 <= int(text[:4]) < 2050:
        return tlv(0x17, (text[2:] + "Z").encode())
    return tlv(0x18, (text + "Z").encode() if text.isdigit() else text.encode())


def stamp(text):
    return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=timezone.utc)


def spki(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def fake_rsa_spki(modulus_bits, exponent=65537):
    """A key that nobody holds: good enough where no signature is made with it."""
    modulus = (1 << modulus_bits - 1) | (0x5A5A5A5A << 40) | 1
    return seq(seq(oid("1.2.840.113549.1.1.1"), NULL), bits(seq(integer(modulus), integer(exponent))))


HASHES = {"md5": hashes.MD5, "sha1": hashes.SHA1, "sha224": hashes.SHA224, "sha256": hashes.SHA256,
          "sha384": hashes.SHA384, "sha512": hashes.SHA512}
RSA_OIDS = {"md5": 4, "sha1": 5, "sha224": 14, "sha256": 11, "sha384": 12, "sha512": 13}
ECDSA_OIDS = {"sha1": "1.2.840.10045.4.1", "sha224": "1.2.840.10045.4.3.1", "sha256": "1.2.840.10045.4.3.2",
              "sha384": "1.2.840.10045.4.3.3", "sha512": "1.2.840.10045.4.3.4"}
HASH_OIDS = {"sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1", "sha384": "2.16.840.1.101.3.4.2.2",
             "sha512": "2.16.840.1.101.3.4.2.3"}


def pss_parameters(digest, salt, mask_digest=None):
    def hash_id(which):
        return seq(oid(HASH_OIDS[which]), NULL)
    mask = seq(oid("1.2.840.113549.1.1.8"), hash_id(mask_digest or digest))
    return seq(tlv(0xA0, hash_id(digest)), tlv(0xA1, mask), tlv(0xA2, integer(salt)))


def pss_spki(key, parameters=b""):
    numbers = key.public_key().public_numbers()
    return seq(seq(oid("1.2.840.113549.1.1.10"), parameters), bits(seq(integer(numbers.n), integer(numbers.e))))


def algorithm(key, digest, pss):
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return seq(oid("1.3.101.112"))
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return seq(oid(ECDSA_OIDS[digest]))
    if pss is not None:
        return seq(oid("1.2.840.113549.1.1.10"), pss_parameters(digest, pss))
    return seq(oid("1.2.840.113549.1.1.%d" % RSA_OIDS[digest]), NULL)


def sign(key, digest, pss, data):
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    chosen = HASHES[digest]()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(chosen))
    if pss is not None:
        return key.sign(data, padding.PSS(padding.MGF1(chosen), pss), chosen)
    return key.sign(data, padding.PKCS1v15(), chosen)


def ext(dotted, value, critical=False):
    return seq(oid(dotted), tlv(1, b"\xff") if critical else b"", tlv(4, value))


def basic(ca, path_length=None, critical=True):
    return ext("2.5.29.19", seq(tlv(1, b"\xff") if ca else b"", b"" if path_length is None else integer(path_length)), critical)


USAGES = ["digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign",
          "cRLSign", "encipherOnly", "decipherOnly"]


def key_usage(*names):
    value = 0
    for one in names:
        value |= 0x8000 >> USAGES.index(one)
    unused = 15 - max(USAGES.index(one) for one in names)
    content = value.to_bytes(2, "big")
    return ext("2.5.29.15", bits(content[:1], unused - 8) if unused >= 8 else bits(content, unused), True)


PURPOSES = {"clientAuth": "1.3.6.1.5.5.7.3.2", "serverAuth": "1.3.6.1.5.5.7.3.1", "emailProtection": "1.3.6.1.5.5.7.3.4",
            "any": "2.5.29.37.0"}


def purposes(*names):
    return ext("2.5.29.37", seq(*[oid(PURPOSES[one]) for one in names]))


def ski(identifier):
    return ext("2.5.29.14", tlv(4, identifier))


def aki(identifier):
    return ext("2.5.29.35", seq(tlv(0x80, identifier)))


def general(kind, value):
    tags = {"email": 0x81, "dns": 0x82, "uri": 0x86, "ip": 0x87, "id": 0x88}
    if kind == "dir":
        return tlv(0xA4, value)
    if kind == "other":
        return tlv(0xA0, oid("1.3.6.1.4.1.311.20.2.3"), tlv(0xA0, tlv(UTF8, value.encode())))
    return tlv(tags[kind], value if isinstance(value, bytes) else value.encode())


def san(*names, critical=False):
    return ext("2.5.29.17", seq(*[general(*one) for one in names]), critical)


def constraints(permitted=(), excluded=()):
    def subtrees(names):
        return [seq(general(*one)) for one in names]
    return ext("2.5.29.30", seq(tlv(0xA0, *subtrees(permitted)) if permitted else b"",
                                tlv(0xA1, *subtrees(excluded)) if excluded else b""), True)


__all__ = [entry for entry in dir() if not entry.startswith("_")]
