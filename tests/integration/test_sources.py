"""The bounds on one source; and no trace is left of a connection that was turned away."""

import pathlib
import time

import pytest

from conftest import wait_for
from sources import burst, connect, is_refused, is_turned_away


# For those who hold connections without a word: how long the test takes depends on the machine.
PATIENT = {"limits": {"connections": 4096, "handshake_timeout": "60s"}}


def test_connections_of_one_source_are_bounded(serve, host):
    server = serve([host("s.test")], admission={"source_connections": 3}, **PATIENT)
    held = [connect(server) for _ in range(3)]
    wait_for(lambda: server.metric("sallyport_connections") == 3)
    assert is_refused(server)
    assert server.metric("sallyport_rejected_total", stage="accept", reason="source_limit") == 1
    other = connect(server, "127.0.0.2")
    assert not is_turned_away(other, within=0.3)
    held.pop().close()
    wait_for(lambda: server.metric("sallyport_connections") == 3)
    assert server.curl("s.test").status == 200
    assert server.reload(admission={"source_connections": 3, "allow": ["127.0.0.0/24"]})
    assert server.curl("s.test").status == 200 and server.curl("s.test").status == 200
    for connection in [*held, other]:
        connection.close()


def test_the_rate_of_one_source_is_bounded_until_it_is_known(serve, host, pki):
    server = serve([host("s.test", "report")], admission={"source_rate": 1, "source_burst": 5})
    unknown = ("--interface", "127.0.0.8")
    refused = lambda: server.metric("sallyport_rejected_total", stage="accept", reason="source_rate")
    for _ in range(5):
        assert server.curl("s.test", "/", *unknown).status == 200
    assert refused() == 0
    begun = time.monotonic()
    burst(server, "127.0.0.8", 30)
    wait_for(lambda: server.metric("sallyport_connections") == 0)
    assert 30 - 5 - (time.monotonic() - begun) - 1 <= refused() <= 30
    before = refused()
    for i in range(8):
        assert server.curl("s.test", "/", "--interface", "127.0.0.9", cert=pki.valid().bundle).status == 200, i
    burst(server, "127.0.0.9", 30)
    assert refused() == before, "it is known"
    wait_for(lambda: server.curl("s.test", "/", *unknown, check=False).status == 200)


def over(server, bound):
    return server.metric("sallyport_over_budget_total", bound=bound)


def hold(server, certificate, count=1):
    """Connections of a client that has answered a request."""
    held = [server.open(server.tls_client(certificate), "s.test") for _ in range(count)]
    assert all(one.get()[0] == 200 for one in held)
    return held


def test_many_clients_behind_one_address_are_not_one(serve, host, pki):
    """Connections with valid certificates do not count; those that have shown none do, and one more for each client."""
    server = serve([host("s.test", "enforce")], shards=1, admission={"source_connections": 3}, **PATIENT)
    held = []
    for i in range(12):
        held += hold(server, pki.client(subject=f"device-{i}").bundle)
    wait_for(lambda: server.metric("sallyport_connections") == 12)
    silent = [connect(server) for _ in range(15)]
    wait_for(lambda: server.metric("sallyport_connections") == 27)
    assert is_refused(server)
    assert server.metric("sallyport_rejected_total", stage="accept", reason="source_limit") == 1
    for connection in [*held, *silent]:
        connection.close()
    # And again, before any of them has shown anything: they were there a moment ago.
    wait_for(lambda: server.metric("sallyport_connections") == 0)
    silent = [connect(server) for _ in range(15)]
    wait_for(lambda: server.metric("sallyport_connections") == 15)
    assert is_refused(server)
    for connection in silent:
        connection.close()


@pytest.mark.parametrize("resumed", [False, True], ids=["full", "resumed"])
def test_one_certificate_does_not_open_connections_without_end(serve, host, pki, resumed):
    server = serve([host("s.test", "enforce")], shards=1, admission={"source_connections": 4, "certificate_connections": 2})
    certificate = pki.valid().bundle
    held = hold(server, certificate, 2)
    assert over(server, "certificate_connections") == 0
    context = server.tls_client(certificate)
    session = None
    if resumed:
        with server.open(context, "s.test") as first:
            assert first.get()[0] == 200
            session = first.tls.session
        wait_for(lambda: server.metric("sallyport_connections") == 2)
    before = over(server, "certificate_connections")
    # Two count for nothing, and as one client allow one more; of those that are over it, each counts.
    for _ in range(5):
        held.append(server.open(context, "s.test", session))
        assert held[-1].get()[0] == 200
    assert over(server, "certificate_connections") == before + 5
    if resumed:
        assert server.metric("sallyport_handshakes_total", result="ok", kind="resumed") > 0
    assert is_refused(server)
    assert server.curl("s.test", "/", "--interface", "127.0.0.2", cert=certificate).status == 200, "its verdict is what it was"
    for connection in held:
        connection.close()


def test_one_certificate_makes_few_sources_known(serve, host, pki):
    """A source that is not known has a rate, and one that is has none."""
    server = serve([host("s.test", "report")], shards=1,
                   admission={"certificate_sources": 2, "source_rate": 1, "source_burst": 4})
    certificate = pki.valid().bundle

    def visits(source):
        return [server.curl("s.test", "/", "--interface", source, cert=certificate, check=False).status == 200 for _ in range(8)]

    assert all(visits("127.0.0.11")) and all(visits("127.0.0.12"))
    assert over(server, "certificate_sources") == 0
    visits("127.0.0.13")
    assert over(server, "certificate_sources") >= 4
    assert server.metric("sallyport_rejected_total", stage="accept", reason="source_rate") < 8
    burst(server, "127.0.0.13", 30)
    wait_for(lambda: server.metric("sallyport_rejected_total", stage="accept", reason="source_rate") >= 15)
    assert server.stderr().count("is over admission.certificate_sources") == 1
    assert all(visits("127.0.0.11")), "what it has made known stays known"
    other = pki.client(subject="device-2").bundle
    assert server.curl("s.test", "/", "--interface", "127.0.0.14", cert=other).status == 200
    certificate = other
    assert all(visits("127.0.0.14"))


def test_a_certificate_that_is_used_too_often_speaks_for_nobody(serve, host, pki):
    server = serve([host("s.test", "enforce")], shards=1, admission={"certificate_rate": 1, "source_rate": 1, "source_burst": 20})
    certificate = pki.valid().bundle
    for i in range(10):
        assert server.curl("s.test", "/", "--interface", f"127.0.0.{20 + i}", cert=certificate).status == 200
    assert over(server, "certificate_rate") >= 2
    lines = [line for line in server.stderr().splitlines() if "is over admission.certificate_rate" in line]
    assert len(lines) == 1 and " WARNING s.test: the certificate with serial " in lines[0], lines
    assert server.reload(admission={"certificate_rate": 0})
    before = over(server, "certificate_rate")
    for i in range(10):
        assert server.curl("s.test", "/", "--interface", f"127.0.0.{20 + i}", cert=certificate).status == 200
    assert over(server, "certificate_rate") == before


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_work_counts_for_the_class_that_it_was_begun_under(serve, host, pki, version):
    """A certificate over its rate loses its class in the midst of a handshake: what that took is not a stranger's."""
    server = serve([host("s.test", "enforce")], shards=1, admission={"certificate_rate": 1})
    certificate = pki.valid().bundle

    def work(name):
        return server.metric("sallyport_handshake_work_seconds_total", **{"class": name})

    def visit():
        with server.open(server.tls_client(certificate, version), "s.test") as client:
            assert client.get()[0] == 200

    visit()
    before = {name: work(name) for name in ("known", "unknown")}
    for _ in range(12):
        visit()
    assert over(server, "certificate_rate") >= 4
    assert work("known") > before["known"] and work("unknown") == before["unknown"]


@pytest.mark.parametrize("first", [b"SSH-2.0-x\r\n", b"\x80\x2e\x01\x00\x02", b"\x00" * 100])
def test_nothing_is_left_of_garbage(serve, host, first):
    server = serve([host("s.test")])
    for _ in range(50):
        connection = connect(server)
        connection.sendall(first)
        assert is_turned_away(connection)
        connection.close()
    assert server.metric("sallyport_rejected_total", stage="hello", reason="not_tls") == 50
    local = f"0100007F:{server.port:04X}"
    rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    states = [row[3] for row in rows if row[1] == local and row[3] != "0A"]
    assert states == [], "not even in TIME_WAIT"


def test_admission_is_calm_and_says_so(serve, host):
    server = serve([host("s.test")], shards=2)
    _, page = server.admin("/metrics")
    for shard in range(2):
        assert f'sallyport_admission_state{{shard="{shard}"}} 0' in page
    for reason in ["suspect", "source_limit", "overload", "timeout", "closed", "malformed"]:
        assert f'sallyport_rejected_total{{stage="admission",reason="{reason}"}} 0' in page, reason


def test_the_oldest_silent_connection_makes_room(serve, host):
    server = serve([host("s.test")], shards=1, limits={"connections": 8, "handshake_timeout": "60s"})
    speaking = server.open(server.tls_client(), "s.test")
    silent = [connect(server) for _ in range(7)]
    wait_for(lambda: server.metric("sallyport_connections") == 8)
    time.sleep(0.3)  # what everybody may take for the first bytes
    assert server.curl("s.test").status == 200
    assert is_turned_away(silent[0]) and not is_turned_away(silent[1], within=0.2)
    assert server.metric("sallyport_rejected_total", stage="hello", reason="evicted") == 1
    for connection in silent[1:]:
        connection.sendall(b"\x16\x03\x01")
    server.wait_until_read()
    again = connect(server)
    wait_for(lambda: server.metric("sallyport_connections") == 8)
    time.sleep(0.3)
    # Nobody is silent but the last one: it goes, and those that have begun to speak stay.
    assert server.curl("s.test").status == 200
    assert is_turned_away(again)
    assert speaking.get()[0] == 200
    for connection in silent:
        connection.close()
    speaking.close()


@pytest.mark.slow
def test_a_body_that_drips_is_cut_off(serve, host):
    server = serve([host("s.test")])
    with server.connect("s.test") as dripping, server.connect("s.test") as slow:
        for connection in [dripping, slow]:
            connection.sendall(b"POST /body HTTP/1.1\r\nHost: s.test\r\nContent-Length: 1000000\r\n\r\n")
        begun = time.monotonic()
        answer = b""
        dripping.settimeout(0.001)
        while not answer and time.monotonic() < begun + 25:
            dripping.sendall(b"x")
            slow.sendall(b"x" * 400)
            time.sleep(0.5)
            try:
                answer = dripping.recv(65536)
            except TimeoutError:
                pass
        assert answer.startswith(b"HTTP/1.1 408 "), answer
        assert 9 < time.monotonic() - begun < 15
        slow.settimeout(0.2)
        with pytest.raises(TimeoutError):
            slow.recv(1)  # 800 bytes a second are slow, but they will do
    assert server.metric("sallyport_rejected_total", stage="request", reason="timeout") == 1
