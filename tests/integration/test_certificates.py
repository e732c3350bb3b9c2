"""Hosts with certificates of several kinds. The clients are OpenSSL's (s_client, curl, Python's ssl) and GnuTLS's."""

import re
import subprocess
import threading

import pytest
from cryptography import x509

import pki as pki_module
from pki import NOW
from test_expiry import in_seconds, iso, until, warnings

EC, RSA, ED = "ecdsa-p256", "rsa-2048", "ed25519"
SHOWN = {EC: "id-ecPublicKey", "ecdsa-p384": "id-ecPublicKey", RSA: "rsaEncryption", ED: "ED25519"}


@pytest.fixture
def several(pki, host):
    """several(name, *kinds): one entry of `hosts` with a certificate of each kind, in this order."""

    def make(name, *kinds, mode="off", **options):
        entry = host(name, mode, **options)
        del entry["certificate"], entry["key"]
        made = [pki.server(kind, name) for kind in kinds]
        entry["certificates"] = [{"certificate": str(one.chain), "key": str(one.key)} for one in made]
        return entry

    return make


def s_client(server, name, *options):
    """(kind of the server's key, output) of a handshake by openssl s_client; the kind is None when the handshake failed."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", *(["-servername", name] if name else ["-noservername"]), *options]
    result = subprocess.run(command, input="", capture_output=True, text=True, timeout=20)
    certificate = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", result.stdout, re.S)
    if certificate is None:
        return None, result.stdout + result.stderr
    text = subprocess.run(["openssl", "x509", "-noout", "-text"], input=certificate[0], capture_output=True, text=True, check=True).stdout
    return re.search(r"Public Key Algorithm: (\S+)", text)[1], result.stdout + result.stderr


SCHEMES = "ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256"


@pytest.mark.parametrize("options, kind", [
    ([], EC),
    (["-tls1_3", "-sigalgs", SCHEMES], EC),
    (["-tls1_3", "-sigalgs", "RSA-PSS+SHA256"], RSA),
    (["-tls1_3", "-sigalgs", "RSA-PSS+SHA256:ECDSA+SHA384"], RSA),  # P-384's scheme is none for a key on P-256
    (["-tls1_3", "-sigalgs", "RSA-PSS+SHA256:ECDSA+SHA256"], EC),   # the server's order counts
    (["-tls1_3", "-sigalgs", "ed25519"], ED),
    (["-tls1_3", "-sigalgs", "RSA-PSS+SHA384:ed25519", "-groups", "X448:P-256"], RSA),  # with a HelloRetryRequest
    (["-tls1_3", "-groups", "X448:P-384"], EC),
    (["-tls1_2"], EC),
    (["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"], RSA),
    (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"], EC),
    (["-tls1_2", "-sigalgs", "RSA+SHA256"], RSA),
    (["-tls1_2", "-sigalgs", "RSA-PSS+SHA512"], RSA),
    (["-tls1_2", "-sigalgs", "ECDSA+SHA384:RSA+SHA256"], EC),       # any hash with any curve
    (["-tls1_2", "-sigalgs", "ed25519:ECDSA+SHA256:RSA+SHA256", "-curves", "X25519"], RSA),  # the key's curve is not on offer
    (["-tls1_2", "-sigalgs", "ed25519"], ED),
])
def test_openssl_gets_the_first_that_it_can_verify(serve, several, options, kind):
    server = serve([several("s.test", EC, RSA, ED)])
    assert s_client(server, "s.test", *options)[0] == SHOWN[kind], options


def test_the_order_is_that_of_the_file(serve, several):
    server = serve([several("s.test", ED, RSA, EC), {**several("d.test", RSA, EC), "default": True}])
    assert s_client(server, "s.test")[0] == SHOWN[ED]
    assert s_client(server, "s.test", "-sigalgs", SCHEMES)[0] == SHOWN[RSA]
    assert s_client(server, "d.test")[0] == SHOWN[RSA]
    assert s_client(server, None)[0] == SHOWN[RSA], "the default host has its own order"
    assert s_client(server, None, "-sigalgs", "ECDSA+SHA256")[0] == SHOWN[EC]


@pytest.mark.parametrize("options", [
    ["-tls1_3", "-sigalgs", "ed25519"],
    ["-tls1_3", "-sigalgs", "ECDSA+SHA512"],
    ["-tls1_2", "-sigalgs", "ed25519"],
])
def test_who_can_verify_none_is_refused_as_with_one_certificate(serve, several, options):
    """Both hosts answer alike, and the server goes on."""
    server = serve([several("two.test", EC, RSA), several("one.test", EC)])
    for name in ("two.test", "one.test"):
        kind, output = s_client(server, name, *options)
        assert kind is None and "alert handshake failure" in output, output
    assert s_client(server, "two.test")[0] == SHOWN[EC]


@pytest.mark.parametrize("priority, kind", [
    ("NORMAL", EC),
    ("NORMAL:-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA256", RSA),
    ("NORMAL:-SIGN-ALL:+SIGN-ECDSA-SECP256R1-SHA256", EC),
    ("NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-RSA", RSA),
    ("NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA", EC),
])
def test_gnutls(serve, several, priority, kind):
    server = serve([several("s.test", EC, RSA)])
    command = ["gnutls-cli", "--insecure", "--sni-hostname", "s.test", "--priority", priority, "-p", str(server.port), "127.0.0.1"]
    result = subprocess.run(command, input=b"GET / HTTP/1.1\r\nHost: s.test\r\nConnection: close\r\n\r\n", capture_output=True, timeout=20)
    shown = re.search(r"(\S+) key \d+ bits", result.stdout.decode(errors="replace"))
    assert b"HTTP/1.1 200" in result.stdout, result.stdout + result.stderr
    assert shown[1] == ("RSA" if kind == RSA else "EC/ECDSA"), shown[0]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_curl_verifies_each(serve, several, version):
    server = serve([several("s.test", EC, RSA)])
    for suites in (["--ciphers", "ECDHE-RSA-AES128-GCM-SHA256"], ["--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256"], []):
        assert server.curl("s.test", "/", *suites, version=version).status == 200


def test_a_chain_that_the_client_can_verify_goes_before_one_that_it_cannot(serve, several, host, pki):
    """An ECDSA key certified by an RSA authority: its chain's signatures count as far as there is a choice."""
    authority = pki.authority("RSA Issuing", issuer=pki.server_root, kind="rsa-2048")
    key = pki_module.new_key(EC)
    san = x509.SubjectAlternativeName([x509.DNSName("s.test")])
    mixed = pki.entity("mixed", pki.build("s.test", key, authority, extensions=[(san, False)]), key, [authority.certificate])
    entry = several("s.test", ED)
    entry["certificates"].insert(0, {"certificate": str(mixed.chain), "key": str(mixed.key)})
    server = serve([entry, host("one.test", server=mixed)])
    assert s_client(server, "s.test", "-tls1_3", "-sigalgs", "ECDSA+SHA256:ed25519:RSA+SHA256")[0] == SHOWN[EC]
    assert s_client(server, "s.test", "-tls1_3", "-sigalgs", "ECDSA+SHA256:ed25519")[0] == SHOWN[ED]
    assert s_client(server, "s.test", "-tls1_3", "-sigalgs", "ECDSA+SHA256")[0] == SHOWN[EC], "it is better than none"


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
@pytest.mark.parametrize("first, then", [("RSA-PSS+SHA256", SCHEMES), (SCHEMES, "RSA-PSS+SHA256:ECDSA+SHA384")])
def test_a_ticket_is_good_with_either_certificate(serve, several, tmp_path, version, first, then):
    """Ticket and choice have nothing to do with each other: the client resumes where it would now get the other certificate."""
    server = serve([several("s.test", EC, RSA)])
    session = tmp_path / "session.pem"
    script = "GET / HTTP/1.1\r\nHost: s.test\r\nConnection: close\r\n\r\n"

    def run(*options):
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", "s.test", f"-{version}", "-ign_eof", *options]
        return subprocess.run(command, input=script, capture_output=True, text=True, timeout=20).stdout

    full = run("-sess_out", str(session), "-sigalgs", first)
    assert "New, TLS" in full and "HTTP/1.1 200" in full
    again = run("-sess_in", str(session), "-sigalgs", then)
    assert "Reused, TLS" in again and "HTTP/1.1 200" in again, again
    assert server.metric("sallyport_handshakes_total", result="ok", kind="resumed") == 1


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_ticket_outlives_a_reload_that_changes_the_certificates(serve, several, version):
    server = serve([several("s.test", RSA)])
    context = server.tls_client(version=version)
    with server.open(context, "s.test") as connection:
        assert connection.get()[0] == 200
        session = connection.tls.session
    for kinds in [(EC, RSA), (EC,), (RSA, ED)]:
        assert server.reload([several("s.test", *kinds)]), server.stderr()
        with server.open(context, "s.test", session) as connection:
            assert connection.tls.session_reused and connection.get()[0] == 200, kinds


def test_a_reload_swaps_adds_and_removes_kinds_under_load(serve, several):
    """No handshake fails meanwhile, and each new one gets what the newest configuration says."""
    server = serve([several("s.test", EC)])
    failures, done, stop = [], [], threading.Event()

    def load():
        context = server.tls_client()
        while not stop.is_set():
            try:
                with server.open(context, "s.test") as connection:
                    assert connection.get()[0] == 200
                done.append(1)
            except (OSError, AssertionError, ConnectionError) as failure:
                failures.append(failure)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for kinds in [(EC, RSA), (RSA, EC), (RSA,), (ED, RSA), (EC, RSA, ED), (EC,)]:
            assert server.reload([several("s.test", *kinds)]), server.stderr()
            assert s_client(server, "s.test")[0] == SHOWN[kinds[0]]
            assert s_client(server, "s.test", "-tls1_3", "-sigalgs", "RSA-PSS+SHA256")[0] == (SHOWN[RSA] if RSA in kinds else None)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures and len(done) > 20, failures[:3]


def test_a_broken_second_one_keeps_the_old_configuration(serve, several, tmp_path):
    server = serve([several("s.test", EC, RSA)])
    broken = several("s.test", RSA, ED)
    (tmp_path / "half.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    broken["certificates"][1]["certificate"] = str(tmp_path / "half.pem")
    before = server.config["hosts"]
    assert not server.reload([broken])
    assert f"certificate: {tmp_path / 'half.pem'}: " in server.stderr()
    assert s_client(server, "s.test")[0] == SHOWN[EC] and s_client(server, "s.test", "-sigalgs", "RSA-PSS+SHA256")[0] == SHOWN[RSA]
    assert server.reload(before)


def test_the_end_of_one_of_two_is_told_of_by_name(serve, several, pki):
    end = in_seconds(6)
    key = pki_module.new_key(RSA)
    san = x509.SubjectAlternativeName([x509.DNSName("s.test")])
    short = pki.entity("short", pki.build("s.test", key, pki.server_root, end=NOW + end, extensions=[(san, False)]), key)
    entry = several("s.test", EC)
    entry["certificates"].append({"certificate": str(short.chain), "key": str(short.key)})
    server = serve([entry])
    until(server, "ready: ")
    assert warnings(server, f"host s.test: the certificate {short.chain} ends at {iso(end)}, within a day: ")
    seconds = int((NOW + end - NOW.replace(year=1970, month=1, day=1, hour=0, minute=0, second=0)).total_seconds())
    assert server.metric("sallyport_certificate_not_after_seconds", host="s.test", file=str(short.chain)) == seconds
    assert server.metric("sallyport_certificate_not_after_seconds", host="s.test") > seconds
    until(server, f"host s.test: the certificate {short.chain} has ended, at {iso(end)}: clients refuse it")
    assert len(warnings(server)) == 2, server.stderr()


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_clients_with_certificates_are_judged_alike(serve, several, pki, version):
    server = serve([several("s.test", EC, RSA, mode="enforce")])
    for suites in ([], ["--ciphers", "ECDHE-RSA-AES128-GCM-SHA256"]):
        assert server.curl("s.test", "/", *suites, cert=pki.valid().bundle, version=version).status == 200
        assert server.curl("s.test", "/", *suites, version=version).status == 403


def test_ten_hosts_with_two_each(serve, several):
    names = [f"h{number}.test" for number in range(10)]
    server = serve([several(name, *((EC, RSA) if number % 2 else (RSA, EC))) for number, name in enumerate(names)])
    for number, name in enumerate(names):
        assert s_client(server, name)[0] == SHOWN[EC if number % 2 else RSA]
        assert s_client(server, name, "-sigalgs", "RSA-PSS+SHA256")[0] == SHOWN[RSA]
        _, output = s_client(server, name, "-sigalgs", "ECDSA+SHA256")
        assert f"CN = {name}" in output or f"CN={name}" in output
    files = set(re.findall(r'sallyport_certificate_not_after_seconds\{host="(h\d\.test)",file="([^"]+)"', server.admin("/metrics")[1]))
    assert len(files) == 20
