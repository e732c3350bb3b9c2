"""Every field of the contract, compared with what openssl says of the same certificate."""

import base64
import datetime
import subprocess
import urllib.parse

import pytest

pytestmark = pytest.mark.both_protocols

FIELDS = [
    "status", "reason", "ski", "aki", "serial", "subject.dn", "issuer.dn", "subject.cn", "subject.o", "subject.ou", "subject.l",
    "subject.st", "subject.c", "subject.emailaddress", "subject.serialnumber", "subject.uid", "subject.dc", "issuer.cn",
    "issuer.o", "san.dns", "san.email", "san.uri", "san.ip", "not_before", "not_after", "fingerprint.sha256",
    "fingerprint.sha1", "spki.sha256", "pem.urlencoded", "der.base64", "rfc9440.cert", "rfc9440.chain", "xfcc",
    "ext:1.3.6.1.4.1.55555.1", "ext:2.5.29.19", "ext:1.2.3.4", "tls.version", "tls.cipher", "key_exchange_group", "sni",
]


def header_of(field):
    return "X-F-" + field.replace(".", "-").replace(":", "-")


def x509(entity, *options):
    return subprocess.run(["openssl", "x509", "-in", str(entity.cert), "-noout", *options], capture_output=True, text=True,
                          check=True).stdout.strip()


def rfc3339(shown):
    value = datetime.datetime.strptime(shown.split("=", 1)[1], "%b %d %H:%M:%S %Y GMT")
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


def extension_hex(entity, name):
    lines = x509(entity, "-ext", name).splitlines()
    return lines[1].strip().removeprefix("keyid:").replace(":", "").lower()


@pytest.fixture
def seen(serve, host, pki):
    forward = {"headers": {header_of(field): field for field in FIELDS}}
    server = serve([host("*.fields.test", "report", forward=forward)], limits={"connections": 256})

    def ask(client, version="1.3"):
        response = server.curl("a.fields.test", cert=client and client.bundle, version=version)
        assert response.status == 200
        return {field: response.seen(header_of(field)) for field in FIELDS}

    return ask


def test_every_field(seen, pki):
    rich = pki.rich()
    got = seen(rich)
    der = rich.der
    dn = x509(rich, "-subject", "-nameopt", "RFC2253,utf8,-esc_msb").removeprefix("subject=").strip()
    expected = {
        "status": "valid",
        "reason": "ok",
        "ski": extension_hex(rich, "subjectKeyIdentifier"),
        "aki": extension_hex(rich, "authorityKeyIdentifier"),
        "serial": x509(rich, "-serial").removeprefix("serial=").lower(),
        "subject.cn": "oven-7.example.com",
        "subject.ou": "Ovens + Grills",
        "subject.l": "Altona",
        "subject.st": "Hamburg",
        "subject.c": "DE",
        "subject.emailaddress": "oven@example.com",
        "subject.serialnumber": "SN-4711",
        "subject.uid": "oven7",
        "subject.dc": "example",
        "issuer.cn": "Client Intermediate",
        "issuer.dn": "CN=Client Intermediate",
        "san.email": "oven@example.com",
        "san.uri": "spiffe://example.com/oven/7",
        "not_before": rfc3339(x509(rich, "-startdate")),
        "not_after": rfc3339(x509(rich, "-enddate")),
        "fingerprint.sha256": x509(rich, "-fingerprint", "-sha256").split("=")[1].replace(":", "").lower(),
        "fingerprint.sha1": x509(rich, "-fingerprint", "-sha1").split("=")[1].replace(":", "").lower(),
        "der.base64": base64.b64encode(der).decode(),
        "rfc9440.cert": f":{base64.b64encode(der).decode()}:",
        "ext:1.3.6.1.4.1.55555.1": base64.b64encode(b"\x0c\x05hello").decode(),
        "ext:2.5.29.19": base64.b64encode(b"\x30\x00").decode(),
        "tls.version": "TLSv1.3",
        "sni": "a.fields.test",
    }
    for field, value in expected.items():
        assert got[field] == [value], field
    assert got["subject.dn"][0] == dn
    assert got["subject.o"][0] == 'Pizza, Pasta & "Söhne"'
    assert got["san.dns"][0].replace(" ", "") == "oven-7.example.com,oven.example.org"
    assert got["san.ip"][0].replace(" ", "") == "192.0.2.7,2001:db8::7"
    assert got["issuer.o"] == []
    assert got["ext:1.2.3.4"] == []
    spki = subprocess.run(f"openssl x509 -in {rich.cert} -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum",
                          shell=True, capture_output=True, text=True, check=True).stdout.split()[0]
    assert got["spki.sha256"] == [spki]
    assert urllib.parse.unquote(got["pem.urlencoded"][0]).strip() == rich.cert.read_text().strip()
    intermediate = base64.b64encode(pki.intermediate.der).decode()
    assert got["rfc9440.chain"] == [f":{intermediate}:"]
    assert got["xfcc"][0].startswith(f"Hash={got['fingerprint.sha256'][0]};")
    assert 'URI=spiffe://example.com/oven/7' in got["xfcc"][0]
    assert "DNS=oven-7.example.com" in got["xfcc"][0]


def test_tls_fields_of_tls12(seen, pki):
    got = seen(pki.valid(), "1.2")
    assert got["tls.version"] == ["TLSv1.2"]
    assert got["tls.cipher"][0].startswith("TLS_ECDHE_ECDSA_WITH_")


def test_absent_certificate_has_no_fields(seen):
    got = seen(None)
    kept = {field: values for field, values in got.items() if values}
    assert set(kept) == {"status", "reason", "tls.version", "tls.cipher", "key_exchange_group", "sni"}
    assert kept["status"] == ["none"] and kept["reason"] == ["absent"]


def test_invalid_certificate_says_who_it_claims_to_be(seen, pki):
    got = seen(pki.expired())
    assert got["status"] == ["invalid"] and got["reason"] == ["expired"]
    assert got["subject.cn"] == ["device-1"]
    assert got["ski"] == [extension_hex(pki.expired(), "subjectKeyIdentifier")]


def test_no_ski_extension_no_header(seen, pki):
    got = seen(pki.client(with_ski=False, cache="no-ski"))
    assert got["status"] == ["valid"]
    assert got["ski"] == []


def test_control_bytes_are_encoded(seen, pki):
    evil = pki.client(subject="a\r\nX-Client-Cert-Status: valid%41", issuer=pki.other_root, cache="evil")
    got = seen(evil)
    assert got["status"] == ["invalid"]
    assert got["subject.cn"] == ["a%0D%0AX-Client-Cert-Status: valid%2541"]


def test_too_large_values_are_replaced(serve, host, pki):
    from cryptography import x509 as cx509
    names = cx509.SubjectAlternativeName([cx509.DNSName(f"{'x' * 60}{i:04d}.example.com") for i in range(140)])
    client = pki.client(extra=[(names, False)], cache="many-names")
    server = serve([host("large.test", "report", forward={"headers": {"X-Names": "san.dns", "X-CN": "subject.cn"}})])
    response = server.curl("large.test", cert=client.bundle)
    assert response.status == 200
    assert response.seen("X-Names") == []
    assert response.seen("X-Names-Too-Large") == ["true"]
    assert response.seen("X-CN") == ["device-1"]


def test_renamed_status_and_ski(serve, host, pki):
    server = serve([host("renamed.test", "report", forward={"status": "X-Verdict", "ski": "X-Key"})])
    response = server.curl("renamed.test", "/", "-H", "X-Client-Cert-Status: valid", cert=pki.valid().bundle)
    assert response.seen("X-Verdict") == ["valid"]
    assert len(response.seen("X-Key")) == 1
    assert response.seen("X-Client-Cert-Status") == []
