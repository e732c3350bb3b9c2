"""Sessions that are resumed, and those that never may be. The clients are OpenSSL's: Python's ssl and s_client. One made by
hand (tls_client.py) sends what OpenSSL never would."""

import re
import subprocess
import time

import pytest

import pki as pki_module
from conftest import seen, wait_for
from tls_client import Client13
from tls_hello import PSK_MODES
from tls_wire import APPLICATION, HANDSHAKE, certificate_message, chain_of

pytestmark = pytest.mark.both_protocols

VERSIONS = ["1.2", "1.3"]
FORWARD = {"headers": {"X-Reason": "reason", "X-Subject": "subject.dn", "X-Serial": "serial", "X-Until": "not_after",
                       "X-Certificate": "rfc9440.cert", "X-Chain": "rfc9440.chain", "X-Version": "tls.version",
                       "X-Cipher": "tls.cipher", "X-Name": "sni"}}


def first(server, context, host):
    """A full handshake and a request; gives the session and what the origin saw."""
    with server.open(context, host) as connection:
        assert not connection.tls.session_reused
        status, _, body = connection.get()
        return connection.tls.session, status, body


def without_request_id(body):
    return re.sub(r"(?mi)^X-Request-Id: .*$", "", body)


def resumed(server):
    return server.metric("sallyport_handshakes_total", result="ok", kind="resumed")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["ecdsa-p256", "rsa-2048", "ed25519"])
def test_headers_are_those_of_the_full_handshake(serve, host, pki, kind, version):
    server = serve([host("r.test", "enforce", forward=FORWARD)])
    context = server.tls_client(pki.valid(kind).bundle, version)
    session, status, full = first(server, context, "r.test")
    assert status == 200 and seen(full, "X-Client-Cert-Status") == ["valid"]
    for count in range(1, 4):
        with server.open(context, "r.test", session) as connection:
            assert connection.tls.session_reused
            for _ in range(2):
                status, _, body = connection.get()
                assert status == 200
                assert without_request_id(body) == without_request_id(full)
        assert resumed(server) == count
    assert server.metric("sallyport_handshakes_total", result="ok", kind="full") == 1
    assert server.metric("sallyport_client_certs_total", host="r.test", reason="ok") == 4
    assert server.metric("sallyport_handshake_seconds_count", kind="resumed") == 3
    assert server.metric("sallyport_cert_verify_seconds_count", path="full") == 1
    assert server.metric("sallyport_cert_verify_seconds_count", path="cached") == 3


@pytest.mark.parametrize("version", VERSIONS)
def test_clients_without_certificate(serve, host, version):
    server = serve([host("off.test"), host("report.test", "report"), host("enforce.test", "enforce")])
    context = server.tls_client(None, version)
    for name, again in [("off.test", True), ("report.test", True), ("enforce.test", False)]:
        session, status, _ = first(server, context, name)
        assert status == (403 if name == "enforce.test" else 200)
        with server.open(context, name, session) as connection:
            # A client that was turned away is asked for a certificate each time.
            assert connection.tls.session_reused == again
            assert connection.get()[0] == status


@pytest.mark.parametrize("version", VERSIONS)
def test_invalid_clients_are_judged_each_time(serve, host, pki, version):
    server = serve([host("r.test", "report")])
    context = server.tls_client(pki.stranger().bundle, version)
    session, status, body = first(server, context, "r.test")
    assert status == 200 and seen(body, "X-Client-Cert-Status") == ["invalid"]
    with server.open(context, "r.test", session) as connection:
        assert not connection.tls.session_reused
        assert seen(connection.get()[2], "X-Client-Cert-Status") == ["invalid"]


@pytest.mark.parametrize("version", VERSIONS)
def test_not_at_another_host(serve, host, pki, version):
    """Hosts of the same roots and mode, and two names under one wildcard."""
    wild = host("*.wild.test", "enforce", server=pki.server("ecdsa-p256", "*.wild.test"))
    server = serve([host("a.test", "enforce"), host("b.test", "enforce"), host("c.test", "report"), wild])
    context = server.tls_client(pki.valid().bundle, version)
    for here, there in [("a.test", "b.test"), ("c.test", "a.test"), ("one.wild.test", "two.wild.test")]:
        session, _, _ = first(server, context, here)
        with server.open(context, there, session) as connection:
            assert not connection.tls.session_reused
            assert connection.get()[0] == 200
        with server.open(context, here, session) as connection:
            assert connection.tls.session_reused


@pytest.mark.parametrize("version", VERSIONS)
def test_not_after_the_certificate_has_expired(serve, host, pki, version):
    server = serve([host("r.test", "enforce")])
    end = pki_module.datetime.datetime.utcnow().replace(microsecond=0) + pki_module.datetime.timedelta(seconds=5)
    client = pki.client(subject="short-lived", end=end)
    context = server.tls_client(client.bundle, version)
    session, status, _ = first(server, context, "r.test")
    assert status == 200
    open_before = server.open(context, "r.test", session)
    assert open_before.tls.session_reused and open_before.get()[0] == 200
    time.sleep(max(0, (end - pki_module.datetime.datetime.utcnow()).total_seconds()) + 1.2)
    with server.open(context, "r.test", session) as connection:
        assert not connection.tls.session_reused
        assert connection.get()[0] == 403
    status, headers, _ = open_before.get()
    assert status == 403 and headers["connection"] == "close" and open_before.is_closed()


@pytest.mark.parametrize("version", VERSIONS)
def test_not_after_its_lifetime_however_often_it_is_renewed(serve, host, pki, version):
    server = serve([host("r.test", "enforce")], tickets={"lifetime": "3s"})
    context = server.tls_client(pki.valid().bundle, version)
    session, _, _ = first(server, context, "r.test")
    begun = time.monotonic()
    outcomes = [(0, True)]
    while outcomes[-1][1]:
        asked = time.monotonic() - begun
        with server.open(context, "r.test", session) as connection:
            outcomes.append((asked, connection.tls.session_reused))
            assert connection.get()[0] == 200
            session = connection.tls.session
        assert asked < 10, outcomes
        time.sleep(0.3)
    assert len(outcomes) > 2, outcomes
    assert outcomes[-2][0] <= 4.2, outcomes


@pytest.mark.parametrize("version", VERSIONS)
def test_lifetime_0_turns_it_off(serve, host, pki, version):
    server = serve([host("r.test", "enforce")], tickets={"lifetime": 0})
    context = server.tls_client(pki.valid().bundle, version)
    session, _, _ = first(server, context, "r.test")
    with server.open(context, "r.test", session) as connection:
        assert not connection.tls.session_reused and connection.get()[0] == 200


@pytest.mark.parametrize("version", VERSIONS)
def test_not_with_a_ticket_of_another_process(serve, host, pki, version):
    hosts = [host("r.test", "enforce")]
    server = serve(hosts)
    context = server.tls_client(pki.valid().bundle, version)
    session, _, _ = first(server, context, "r.test")
    server.stop()
    again = serve(hosts, listen=server.config["listen"])
    with again.open(context, "r.test", session) as connection:
        assert not connection.tls.session_reused and connection.get()[0] == 200
    assert resumed(again) == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_evicted_clients_do_a_full_handshake(serve, host, pki, version):
    server = serve([host("r.test", "enforce")], cert_cache={"entries": 1})
    clients = [server.tls_client(pki.client(subject=f"many-{i}").bundle, version) for i in range(3)]
    sessions = [first(server, context, "r.test")[0] for context in clients]
    with server.open(clients[0], "r.test", sessions[0]) as connection:
        assert not connection.tls.session_reused and connection.get()[0] == 200
    assert server.metric("sallyport_cert_cache_evictions_total") >= 2
    assert server.metric("sallyport_cert_cache_entries") == 1


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.http1_only
def test_s_client_resumes(serve, host, pki, tmp_path, version):
    server = serve([host("r.test", "enforce")])
    client = pki.valid()
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", "r.test", "-cert", str(client.cert),
               "-cert_chain", str(client.chain), "-key", str(client.key), "-CAfile", str(server.server_root),
               f"-tls1_{version[-1]}", "-ign_eof"]
    request = b"GET / HTTP/1.1\r\nHost: r.test\r\nConnection: close\r\n\r\n"
    store = tmp_path / "session.pem"
    shown = subprocess.run([*command, "-sess_out", str(store)], input=request, capture_output=True, timeout=20).stdout
    assert b"New, TLS" in shown and b"200 OK" in shown
    shown = subprocess.run([*command, "-sess_in", str(store)], input=request, capture_output=True, timeout=20).stdout
    assert b"Reused, TLS" in shown and b"200 OK" in shown
    assert resumed(server) == 1


@pytest.mark.parametrize("records", ["one-read", "two-reads"])
@pytest.mark.parametrize("mode", ["report", "enforce"])
@pytest.mark.http1_only
def test_no_certificate_may_come_in_a_resumed_handshake(serve, host, pki, mode, records):
    """A client that resumes would have to prove nothing for a certificate: any other client's would do."""
    server = serve([host("r.test", mode, forward=FORWARD)])
    victim = pki.client(subject="the-victim")
    owner = pki.client(subject="the-owner") if mode == "enforce" else None
    with Client13(server, "r.test", owner) as client:
        client.hello.extensions[PSK_MODES] = b"\1\1"
        session = client.establish().session()
        assert "200 OK" in client.answer()

    client = Client13(server, "r.test")
    client.hello.offer(session)
    client.open()
    assert client.resumed
    certificate = client.takes(certificate_message(chain_of(victim)))
    if records == "one-read":
        client.complete(client.sealed(HANDSHAKE, certificate))
    else:
        client.send(client.sealed(HANDSHAKE, certificate))
        time.sleep(0.2)
        client.complete()  # the server has closed already, and rightly so
    client.send(client.sealed(APPLICATION, client.request()))
    client.alerts()
    answer = client.text()
    assert "the-victim" not in answer and "200 OK" not in answer, answer
    assert server.metric("sallyport_requests_total", host="r.test") == 1
    assert server.metric("sallyport_rejected_total", stage="handshake", reason="tls_error") == 1
    # By hand, but as it should be: so the refusal was of the certificate, and of nothing else.
    client = Client13(server, "r.test")
    client.hello.offer(session)
    assert client.establish().resumed
    assert "200 OK" in client.answer()


@pytest.mark.http1_only
def test_a_chain_is_remembered_when_its_key_was_shown(serve, host, pki):
    """Valid chains are no secret, and with something added each is a new one: they must not fill the cache."""
    server = serve([host("r.test", "enforce")], cert_cache={"entries": 8}, shards=1)
    victim = pki.client(subject="the-victim")
    known = server.tls_client(pki.client(subject="known").bundle)
    first(server, known, "r.test")
    for i in range(20):
        superfluous = pki.authority(f"Superfluous {i}").der
        with Client13(server, "r.test") as client:
            client.open()
            client.send_messages(certificate_message([*chain_of(victim), superfluous]))
    wait_for(lambda: server.metric("sallyport_cert_verify_seconds_count", path="full") >= 21)
    assert server.metric("sallyport_cert_cache_entries") == 1
    assert server.metric("sallyport_cert_cache_evictions_total") == 0
    with server.open(known, "r.test") as connection:
        assert connection.get()[0] == 200
    assert server.metric("sallyport_cert_verify_seconds_count", path="full") == 21


def s_client(server, client, *options):
    """The line that says whether it was resumed, and what the origin saw of the client: its common name, or None."""
    request = b"GET / HTTP/1.1\r\nHost: r.test\r\nConnection: close\r\n\r\n"
    shown = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", "r.test", "-CAfile", str(server.server_root),
         "-cert", str(client.cert), "-cert_chain", str(client.chain), "-key", str(client.key), "-ign_eof", *map(str, options)],
        input=request, capture_output=True, timeout=20).stdout.decode("latin-1")
    subject = re.search(r"^X-Subject: CN=(.*?)\r?$", shown, re.MULTILINE)
    return "Reused, TLS" in shown, subject and subject.group(1)


@pytest.mark.http1_only
def test_tickets_in_hellos_of_other_kinds(serve, host, pki, tmp_path):
    """Retried hellos, other suites, a key exchange that is not fresh, the other version. The client that resumes is the one that got the ticket."""
    server = serve([host("r.test", "report", forward=FORWARD)])
    owner, other = pki.client(subject="the-owner"), pki.client(subject="another")
    ticket13, ticket12 = tmp_path / "ticket13", tmp_path / "ticket12"
    assert s_client(server, owner, "-tls1_3", "-sess_out", ticket13) == (False, "the-owner")
    assert s_client(server, owner, "-tls1_2", "-sess_out", ticket12) == (False, "the-owner")
    for options in [["-groups", "X448:P-256"], ["-allow_no_dhe_kex"], ["-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"]]:
        resumed, subject = s_client(server, other, "-tls1_3", "-sess_in", ticket13, *options)
        assert subject == ("the-owner" if resumed else "another"), options
    # Of another hash than the ticket's suite: it cannot be taken.
    assert s_client(server, other, "-tls1_3", "-sess_in", ticket13, "-ciphersuites", "TLS_AES_256_GCM_SHA384") == (False, "another")
    # No ticket of one application protocol, or of none, resumes under another. (h2 is agreed on, with no request that it could read.)
    for version, ticket in ("-tls1_3", ticket13), ("-tls1_2", ticket12):
        assert s_client(server, other, version, "-sess_in", ticket, "-alpn", "h2")[0] is False
    assert s_client(server, other, "-tls1_3", "-sess_in", ticket13, "-alpn", "http/1.1") == (False, "another")
    assert s_client(server, other, "-tls1_2", "-sess_in", ticket12, "-alpn", "http/1.1") == (False, "another")
    # No ticket of one version resumes in the other.
    assert s_client(server, other, "-tls1_2", "-sess_in", ticket13) == (False, "another")
    assert s_client(server, other, "-tls1_3", "-sess_in", ticket12) == (False, "another")
    assert s_client(server, other, "-tls1_2", "-sess_in", ticket12) == (True, "the-owner")
