"""Each mode x none, valid, invalid x TLS 1.2 and 1.3 x key types: the verdict and how the client is told."""

import json
import re
import subprocess

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from conftest import NO_SUSPECTS

pytestmark = pytest.mark.both_protocols

VERSIONS = ["1.2", "1.3"]
CLIENT_KINDS = ["ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa-2048", "rsa-4096", "ed25519"]
SERVER_KINDS = ["ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-3072", "rsa-4096", "ed25519"]

FORWARD = {"headers": {"X-Client-Cert-Reason": "reason", "X-Subject": "subject.dn"}}


@pytest.fixture
def server(serve, host):
    return serve([host("off.test", "off", forward=FORWARD), host("report.test", "report", forward=FORWARD),
                  host("enforce.test", "enforce", forward=FORWARD)], admission=NO_SUSPECTS)


def ski_of(entity):
    shown = subprocess.run(["openssl", "x509", "-in", str(entity.cert), "-noout", "-ext", "subjectKeyIdentifier"],
                           capture_output=True, text=True, check=True).stdout
    return shown.splitlines()[1].strip().replace(":", "").lower()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("mode", ["off", "report", "enforce"])
def test_no_certificate(server, mode, version):
    response = server.curl(f"{mode}.test", version=version)
    if mode == "enforce":
        assert response.status == 403
        assert response.headers["content-type"].startswith("application/json")
        assert response.headers["cache-control"] == "no-store"
        json.loads(response.text)
    else:
        assert response.status == 200
        assert response.seen("X-Client-Cert-Status") == ["none"]
        assert response.seen("X-Client-Cert-Reason") == ["absent"]
        assert response.seen("X-Client-Cert-SKI") == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", CLIENT_KINDS)
def test_valid_certificate(server, pki, kind, version):
    client = pki.valid(kind)
    for mode in ["report", "enforce"]:
        response = server.curl(f"{mode}.test", cert=client.bundle, version=version)
        assert response.status == 200
        assert response.seen("X-Client-Cert-Status") == ["valid"]
        assert response.seen("X-Client-Cert-Reason") == ["ok"]
        assert response.seen("X-Client-Cert-SKI") == [ski_of(client)]
    response = server.curl("off.test", cert=client.bundle, version=version)
    assert response.status == 200
    assert response.seen("X-Client-Cert-Status") == ["none"]


def invalid_clients(pki):
    leaf = pki.valid()
    return {
        "expired": (pki.expired(), "expired"),
        "not yet valid": (pki.not_yet_valid(), "not_yet_valid"),
        "of another root": (pki.stranger(), "unknown_issuer"),
        "for servers": (pki.client(usage=ExtendedKeyUsageOID.SERVER_AUTH, cache="for-servers"), "wrong_usage"),
        "signed by a leaf": (pki.client(issuer=leaf, cache="by-leaf"), "not_a_ca"),
        "self-signed": (pki.authority("Nobody"), "unknown_issuer"),
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_invalid_certificates(server, pki, version):
    for what, (client, reason) in invalid_clients(pki).items():
        if what == "signed by a leaf":
            # The leaf's own chain has to come with it.
            client.bundle.write_bytes(client.cert.read_bytes() + pki.valid().chain.read_bytes() + client.key.read_bytes())
        response = server.curl("report.test", cert=client.bundle, version=version)
        assert response.status == 200, what
        assert response.seen("X-Client-Cert-Status") == ["invalid"], what
        assert response.seen("X-Client-Cert-Reason") == [reason], what
        response = server.curl("enforce.test", cert=client.bundle, version=version)
        assert response.status == 403, what


@pytest.mark.http1_only
def test_weak_key(server, pki):
    """curl refuses to load such a key; OpenSSL can be talked into it."""
    client = pki.client("rsa-1024", cache="rsa-1024")
    for version in ["-tls1_2", "-tls1_3"]:
        result = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", "report.test", "-quiet", version,
             "-cipher", "DEFAULT:@SECLEVEL=0", "-cert", str(client.cert), "-key", str(client.key), "-cert_chain", str(client.chain)],
            input=b"GET / HTTP/1.0\r\nHost: report.test\r\n\r\n", capture_output=True, timeout=20)
        assert b"X-Client-Cert-Reason: weak_key" in result.stdout, result.stderr


def test_forged_copy_of_the_root(server, pki):
    """An attacker's own root under the real root's name: its clients are of nobody we know."""
    forged = pki.authority("Client Root")
    client = pki.client(issuer=forged)
    client.bundle.write_bytes(client.cert.read_bytes() + forged.cert.read_bytes() + client.key.read_bytes())
    for mode in ["report", "enforce"]:
        response = server.curl(f"{mode}.test", cert=client.bundle)
        assert response.status == (200 if mode == "report" else 403)
        if mode == "report":
            assert response.seen("X-Client-Cert-Status") == ["invalid"]
            assert response.seen("X-Client-Cert-Reason") == ["bad_signature"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", SERVER_KINDS)
def test_server_keys(serve, host, pki, kind, version):
    server = serve([host("key.test", "enforce", server=pki.server(kind, "key.test"))])
    assert server.curl("key.test", cert=pki.valid().bundle, version=version).status == 200


def test_chain_in_any_order_with_superfluous_members(serve, host, pki):
    second = pki.authority("Second Intermediate", issuer=pki.authority("First Intermediate", issuer=pki.root))
    first = [entity for entity in [second]][0]
    server = serve([host("deep.test", "enforce", max_depth=4)])
    client = pki.client(issuer=first)
    parts = [pki.other_root.cert.read_bytes()] + [path.read_bytes() for path in
             sorted(pki.folder.glob("*-first-intermediate.pem")) + sorted(pki.folder.glob("*-second-intermediate.pem"))]
    client.bundle.write_bytes(client.cert.read_bytes() + b"".join(parts) + client.key.read_bytes())
    assert server.curl("deep.test", cert=client.bundle).status == 200


def test_max_depth(serve, host, pki):
    server = serve([host("flat.test", "report", max_depth=1, forward=FORWARD)])
    response = server.curl("flat.test", cert=pki.valid().bundle)
    assert response.seen("X-Client-Cert-Reason") == ["chain_too_long"]
    direct = pki.client(issuer=pki.root, cache="direct")
    assert server.curl("flat.test", cert=direct.bundle).seen("X-Client-Cert-Status") == ["valid"]


def test_path_length(server, pki):
    below = pki.authority("Below Path Length", issuer=pki.intermediate)
    client = pki.client(issuer=below)
    client.bundle.write_bytes(client.cert.read_bytes() + below.cert.read_bytes() + pki.intermediate.cert.read_bytes()
                              + client.key.read_bytes())
    assert server.curl("report.test", cert=client.bundle).seen("X-Client-Cert-Reason") == ["path_length"]


def client_with_chain_of(pki, total):
    """A client whose certificates have so many bytes together; the size of an ECDSA signature varies, so it takes some tries."""
    size = total - 1200
    for _ in range(200):
        padding = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.2"), bytes(size))
        client = pki.client(extra=[(padding, False)], key=pki.valid().private)
        found = len(client.der) + len(pki.intermediate.der)
        if found == total:
            return client
        size += total - found
    raise AssertionError(f"no chain of {total} bytes")


@pytest.mark.parametrize("version", VERSIONS)
def test_chain_size(server, pki, version):
    for size, reason in [(16 * 1024, "ok"), (16 * 1024 + 1, "too_large"), (17 * 1024, "too_large")]:
        client = client_with_chain_of(pki, size)
        assert server.curl("report.test", cert=client.bundle, version=version).seen("X-Client-Cert-Reason") == [reason], size


@pytest.mark.parametrize("version", VERSIONS)
def test_certificate_count(server, pki, version):
    """Superfluous certificates do not count as depth. More than 16 are too many, whatever they are."""
    client = pki.client()
    strangers = [pki.authority(f"Stranger {number}").cert.read_bytes() for number in range(15)]
    for count in (9, 14, 15):
        client.bundle.write_bytes(client.cert.read_bytes() + b"".join(strangers[:count]) + pki.intermediate.cert.read_bytes()
                                  + client.key.read_bytes())
        response = server.curl("report.test", cert=client.bundle, version=version)
        assert response.seen("X-Client-Cert-Reason") == ["ok" if count < 15 else "chain_too_long"], count


@pytest.mark.parametrize("version", VERSIONS)
def test_authority_as_client(server, pki, version):
    """It may sign certificates and nothing else, CertificateVerify included."""
    authority = pki.authority("Client Of Itself", issuer=pki.root)
    assert server.curl("report.test", cert=authority.bundle, version=version).seen("X-Client-Cert-Reason") == ["wrong_usage"]


def test_several_roots(serve, host, pki):
    server = serve([host("both.test", "enforce", ca=[str(pki.root.cert), str(pki.other_root.cert)])])
    assert server.curl("both.test", cert=pki.valid().bundle).status == 200
    assert server.curl("both.test", cert=pki.stranger().bundle).status == 200


@pytest.mark.http1_only
def test_possession_must_be_proved(server, pki, tmp_path):
    """A certificate without its key: no client here would send it, so openssl is given a key that does not match."""
    victim = pki.valid()
    thief = pki.client()
    result = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", "enforce.test", "-quiet",
         "-cert", str(victim.cert), "-key", str(thief.key)], input=b"GET / HTTP/1.0\r\nHost: enforce.test\r\n\r\n",
        capture_output=True, timeout=20)
    assert b"200" not in result.stdout
    assert result.returncode != 0


def test_custom_bodies_chosen_by_accept(serve, host, tmp_path):
    (tmp_path / "deny.json").write_text('{"error": "no pizza"}')
    (tmp_path / "deny.html").write_text("<h1>No pizza</h1>")
    server = serve([host("deny.test", "enforce", deny={"json": str(tmp_path / "deny.json"), "html": str(tmp_path / "deny.html")})])
    for accept, kind, body in [("*/*", "application/json", '{"error": "no pizza"}'),
                               ("application/json", "application/json", '{"error": "no pizza"}'),
                               ("text/html", "text/html", "<h1>No pizza</h1>"),
                               ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html", "<h1>No pizza</h1>"),
                               ("text/html;q=0.1, application/json", "application/json", '{"error": "no pizza"}')]:
        response = server.curl("deny.test", "/", "-H", f"Accept: {accept}")
        assert response.status == 403
        assert response.headers["content-type"].startswith(kind), accept
        assert response.text == body
        assert "x-client-cert-reason" not in response.headers


def test_hosts_by_name(serve, host):
    server = serve([host("one.test"), host("*.two.test"), {**host("three.test"), "default": True}])
    assert server.curl("one.test").status == 200
    assert server.curl("ONE.test").status == 200
    assert server.curl("any.two.test").status == 200
    for name in ["two.test", "a.b.two.test", "four.test"]:
        response = server.curl(name, "/", "-k", check=False)
        assert response.returncode == 35, name
        assert "unrecognized name" in response.error
    with server.connect("three.test", sni=False) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: three.test\r\nConnection: close\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


@pytest.mark.http1_only
def test_no_name_and_no_default_host(server):
    response = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-noservername"],
                              input=b"", capture_output=True, timeout=20)
    assert b"unrecognized name" in response.stderr


def agreed(server, name, version, offer):
    """What s_client is told of its application protocols: the one that was chosen, "none", or "alert"."""
    result = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", name,
                             f"-tls1_{version[-1]}", *(["-alpn", offer] if offer else [])],
                            input="", capture_output=True, text=True, timeout=20)
    if "no application protocol" in result.stderr:
        return "alert"
    assert result.returncode == 0, result.stderr
    chosen = re.search("^ALPN protocol: (.*)$", result.stdout, re.MULTILINE)
    assert chosen or "No ALPN negotiated" in result.stdout
    return chosen.group(1) if chosen else "none"


@pytest.mark.http1_only
@pytest.mark.parametrize("version", VERSIONS)
def test_http2_goes_before_http1(serve, host, version):
    server = serve([host("h.test"), {**host("old.test"), "http2": False}])
    for offer, expected in [("h2", "h2"), ("h2,http/1.1", "h2"), ("http/1.1,http/1.0,spdy/3,h2", "h2"), ("http/1.1", "http/1.1"),
                            ("http/1.0", "http/1.0"), ("h2c,http/1.1", "http/1.1"), (None, "none"), ("h2c", "alert"), ("H2", "alert")]:
        assert agreed(server, "h.test", version, offer) == expected, offer
    assert server.reload(hosts=[{**host("h.test"), "http2": False}, host("old.test")])
    assert agreed(server, "h.test", version, "http/1.1,h2") == "http/1.1"
    assert agreed(server, "old.test", version, "http/1.1,h2") == "h2"


@pytest.mark.http1_only
@pytest.mark.parametrize("version", VERSIONS)
def test_a_host_without_http2(serve, host, version):
    server = serve([{**host("h.test"), "http2": False}])
    for offer, expected in [("http/1.1", "http/1.1"), ("h2,http/1.1", "http/1.1"), ("http/1.0,http/1.1", "http/1.0"),
                            (None, "none"), ("h2", "alert"), ("spdy/3", "alert")]:
        assert agreed(server, "h.test", version, offer) == expected, offer
    assert server.metric("sallyport_rejected_total", stage="hello", reason="no_application_protocol") == 2
    response = server.curl("h.test", "/", "--http2", "--write-out", "%{stderr}version %{http_version}", version=version)
    assert response.status == 200 and "version 1.1" in response.error


@pytest.mark.http1_only
def test_certificate_authorities_are_advertised(serve, host):
    server = serve([host("shown.test", "report"), host("hidden.test", "report", advertise_ca_names=False)])
    for name, shown in [("shown.test", True), ("hidden.test", False)]:
        for version in ["-tls1_2", "-tls1_3"]:
            result = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", name,
                                     version], input=b"", capture_output=True, timeout=20)
            assert (b"CN = Client Root" in result.stdout) == shown, (name, version)


@pytest.mark.http1_only
def test_old_versions_are_refused(server):
    for version in ["-tls1", "-tls1_1"]:
        result = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", "off.test",
                                 version, "-cipher", "DEFAULT:@SECLEVEL=0"], input=b"", capture_output=True, timeout=20)
        assert result.returncode != 0
        assert b"protocol version" in result.stderr or b"no protocols available" in result.stderr
