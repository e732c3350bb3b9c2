"""Hosts with protocol: tcp: bytes pass both ways between clients and origins, which a PROXY header tells who the client is."""

import contextlib
import os
import signal
import socket
import ssl
import threading
import time

import pytest

import balancers
import daemons
import pki as pki_module
from bio import Client
from conftest import SANITIZED, free_port, wait_for
from test_access_log import lines_of, wait_for_lines
from test_origin_proxy import ssl_facts
from test_tunnels import Revocation, ended, open_tunnels

ENDS = {"FIN": (False, True), "close_notify": (True, False), "both": (True, True)}
ACCESS_DENIED = "ALERT_ACCESS_DENIED"


class Peer:
    """The origin's side: notes the headers that it gets, and talks by `talk(connection, first bytes)`."""

    def __init__(self, scripted, talk, header="v2"):
        self.headers = []  # (client's address and port, vectors) of each connection
        self.ended = []  # how each connection has ended, as the origin sees it: "end" or "reset"
        self.header = header
        self.talk = talk
        self.address = scripted(self).address

    def __call__(self, connection, number):
        first = b""
        if self.header == "v2":
            client, vectors, first = balancers.read_header(connection)
            self.headers.append((client, vectors))
        try:
            self.talk(connection, first)
            self.ended.append("end")
        except OSError:
            self.ended.append("reset")


def echo(connection, first):
    connection.sendall(first)
    while piece := connection.recv(65536):
        connection.sendall(piece)


@pytest.fixture
def tcp(host):
    """tcp(origin, mode, **more): an entry of `hosts` with protocol: tcp."""

    def make(origin, mode="enforce", name="t.test", proxy=None, **more):
        entry = {**host(name, mode, origin=origin), "protocol": "tcp", **more}
        return entry if proxy is None else {**entry, "origin_proxy_protocol": proxy}

    return make


def connect(server, cert=None, version="1.3", name="t.test", session=None, context=None):
    context = context or server.tls_client(cert, version)
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    raw = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    return context.wrap_socket(raw, server_hostname=name, session=session, suppress_ragged_eofs=False)


def exactly(tls, size):
    received = b""
    while len(received) < size:
        piece = tls.recv(min(65536, size - len(received)))
        assert piece, f"ends after {len(received)} of {size} bytes"
        received += piece
    return received


def ask(tls, message):
    tls.sendall(message)
    return exactly(tls, len(message)) == message


def how_it_ends(tls):
    """"end" by close_notify, "cut" without it, or the name of the alert."""
    try:
        while tls.recv(65536):
            pass
        return "end"
    except ssl.SSLError as error:
        return "cut" if error.reason == "UNEXPECTED_EOF_WHILE_READING" else error.reason
    except ConnectionResetError:
        return "reset"


# Bytes


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_bytes_pass_both_ways(serve, tcp, scripted, pki, version):
    peer = Peer(scripted, echo)
    server = serve([tcp(peer.address)], shards=1)
    with connect(server, pki.valid().bundle, version) as tls:
        for size in (1, 2, 100, 16384, 16385, 100_000):
            assert ask(tls, os.urandom(size))
        assert open_tunnels(server, "t.test") == 1
        tls.unwrap().close()
    wait_for(lambda: peer.ended == ["end"])
    wait_for(lambda: ended(server, "t.test", "closed") == 1)
    assert open_tunnels(server, "t.test") == 0
    for direction in ("in", "out"):
        assert server.metric("sallyport_tcp_bytes_total", host="t.test", direction=direction) == 132872
    assert server.metric("sallyport_requests_total") == 0, "it is no request"
    assert server.metric("sallyport_origin_requests_total", result="completed") == 1


def test_much_passes_both_ways_at_once(serve, tcp, scripted, pki):
    peer = Peer(scripted, echo)
    server = serve([tcp(peer.address)], shards=1)
    piece = os.urandom(1_000_000)
    with Client(server, "t.test", pki.valid().bundle) as client:
        sending = threading.Thread(target=lambda: client.raw.sendall(client.seal(piece * 30, True)))
        sending.start()
        assert client.read(60) == piece * 30 and client.notified
        sending.join()


def test_many_small_messages_are_no_flood(serve, tcp, scripted, pki):
    peer = Peer(scripted, echo)
    server = serve([tcp(peer.address)], shards=1)
    with connect(server, pki.valid().bundle) as tls:
        for _ in range(200):
            for _ in range(100):
                tls.sendall(b"x")
            assert exactly(tls, 100) == b"x" * 100
    assert server.metric("sallyport_rejected_total", stage="request") == 0


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_the_origin_may_speak_first(serve, tcp, scripted, pki, version):
    def greet(connection, first):
        connection.sendall(b"220 ready\r\n")
        echo(connection, first)

    for header in ("v2", None):
        peer = Peer(scripted, greet, header)
        server = serve([tcp(peer.address, proxy=header or "off")], shards=1)
        with connect(server, pki.valid().bundle, version) as tls:
            assert exactly(tls, 11) == b"220 ready\r\n", "the client has said nothing"
            assert ask(tls, b"HELO x\r\n")


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("end", sorted(ENDS))
def test_the_client_ends_its_half_first(serve, tcp, scripted, pki, end, version):
    """What it has sent is answered in peace, also where its end comes before the origin's connection is made."""

    def answer_at_end(connection, first):
        received = first
        while piece := connection.recv(65536):
            received += piece
        time.sleep(0.3)
        connection.sendall(b"%d bytes" % len(received))

    peer = Peer(scripted, answer_at_end)
    server = serve([tcp(peer.address)], shards=1)
    with Client(server, "t.test", pki.valid().bundle, version) as client:
        client.send(b"y" * 300_000, *ENDS[end])
        assert client.read() == b"300000 bytes" and client.notified
    wait_for(lambda: peer.ended == ["end"])


def test_the_origin_ends_its_half_first(serve, tcp, scripted, pki):
    heard = []

    def end_and_listen(connection, first):
        connection.sendall(b"that is all")
        connection.shutdown(socket.SHUT_WR)
        heard.append(first)
        while piece := connection.recv(65536):
            heard.append(piece)

    peer = Peer(scripted, end_and_listen)
    server = serve([tcp(peer.address)], shards=1)
    with connect(server, pki.valid().bundle) as tls:
        assert exactly(tls, 11) == b"that is all"
        assert how_it_ends(tls) == "end"
        for _ in range(5):
            tls.sendall(b"still talking ")
            time.sleep(0.1)
        tls.shutdown(socket.SHUT_WR)
        wait_for(lambda: peer.ended == ["end"])
    assert b"".join(heard) == b"still talking " * 5


def test_a_client_that_is_reset_is_no_end_for_the_origin(serve, tcp, scripted, pki):
    peer = Peer(scripted, echo)
    server = serve([tcp(peer.address)], shards=1)
    with Client(server, "t.test", pki.valid().bundle) as client:
        client.send(b"half of a mess")
        wait_for(lambda: server.metric("sallyport_tcp_bytes_total", direction="out") == 14)
        client.reset()
    wait_for(lambda: peer.ended == ["reset"])


def test_an_origin_that_is_reset_is_no_end_for_the_client(serve, tcp, scripted, pki, tmp_path):
    def reset(connection, first):
        connection.sendall(b"half of a mess")
        connection.recv(1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    peer = Peer(scripted, reset)
    log = tmp_path / "access.log"
    server = serve([tcp(peer.address)], shards=1, access_log=str(log))
    with connect(server, pki.valid().bundle) as tls:
        assert exactly(tls, 14) == b"half of a mess"
        tls.sendall(b"x")
        assert how_it_ends(tls) == "cut"
    line = wait_for_lines(log, 1)[0]
    assert line["end"] == "origin" and line["origin_error"] == "reset" and line["origin_address"] == peer.address


# Backpressure


def fill(send, within=3):
    """Sends until nothing is taken for a while; gives how many bytes were."""
    total, last = 0, time.monotonic()
    while time.monotonic() < last + within and total < 200_000_000:
        with contextlib.suppress(BlockingIOError, ssl.SSLWantWriteError):
            total += send(b"z" * 65536)
            last = time.monotonic()
            continue
        time.sleep(0.02)
    return total


def test_an_origin_that_does_not_read_holds_the_client_back(serve, tcp, scripted, pki):
    go_on = threading.Event()

    def read_late(connection, first):
        go_on.wait(60)
        received = len(first)
        while piece := connection.recv(1 << 20):
            received += len(piece)
        connection.sendall(b"%d" % received)

    peer = Peer(scripted, read_late)
    server = serve([tcp(peer.address)], shards=1)
    with connect(server, pki.valid().bundle) as tls:
        before = server.rss_kib()
        tls.setblocking(False)
        sent = fill(tls.send)
        assert 100_000 < sent < 100_000_000 and (SANITIZED or server.rss_kib() - before < 4096)
        go_on.set()
        tls.settimeout(20)
        tls.sendall(b"z" * 65536)  # as the write that is still under way
        socket.socket.shutdown(tls, socket.SHUT_WR)  # SSLSocket's would end TLS
        wait_for(lambda: peer.ended == ["end"])
        assert exactly(tls, len(str(sent + 65536))) == b"%d" % (sent + 65536)


def test_a_client_that_does_not_read_holds_the_origin_back(serve, tcp, scripted, pki):
    sent = []

    def pour(connection, first):
        connection.setblocking(False)
        sent.append(fill(connection.send))
        connection.setblocking(True)
        connection.sendall(b"end")

    peer = Peer(scripted, pour)
    server = serve([tcp(peer.address)], shards=1)
    with connect(server, pki.valid().bundle) as tls:
        before = server.rss_kib()
        wait_for(lambda: sent, 30)
        assert 100_000 < sent[0] < 100_000_000 and (SANITIZED or server.rss_kib() - before < 4096)
        assert exactly(tls, sent[0] + 3).endswith(b"zend")
        assert how_it_ends(tls) == "end"


# Policy


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_enforce_turns_clients_away_by_an_alert(serve, tcp, scripted, pki, tmp_path, version):
    peer = Peer(scripted, echo)
    log = tmp_path / "access.log"
    server = serve([tcp(peer.address)], shards=1, access_log=str(log))
    denied = {"absent": None, "expired": pki.expired().bundle, "unknown_issuer": pki.stranger().bundle}
    for cert in denied.values():
        with connect(server, cert, version) as tls:
            assert how_it_ends(tls).endswith(ACCESS_DENIED)
    lines = wait_for_lines(log, 3)
    assert [(line["event"], line["host"], line["end"], line["reason"]) for line in lines] == [
        ("connection", "t.test", "denied", reason) for reason in denied]
    assert [line["status"] for line in lines] == ["none", "invalid", "invalid"]
    assert all("origin_address" not in line and line["bytes_in"] == line["bytes_out"] == 0 for line in lines)
    for reason in denied:
        assert server.metric("sallyport_client_certs_total", host="t.test", reason=reason) == 1
    assert server.metric("sallyport_rejected_total", stage="certificate", reason="denied") == 3
    assert server.metric("sallyport_handshakes_total", result="ok") == 3 and server.metric("sallyport_tunnels_ended_total") == 0
    assert peer.headers == [], "no origin hears of them"
    with connect(server, pki.valid().bundle, version) as tls:
        assert ask(tls, b"hello")


def test_what_a_client_sends_before_the_alert_goes_nowhere(serve, tcp, scripted, pki):
    """It may have been sent with the end of the handshake."""
    peer = Peer(scripted, echo)
    server = serve([tcp(peer.address)], shards=1)
    with Client(server, "t.test") as client:
        client.send(b"CONNECT" * 1000)
        with pytest.raises(AssertionError, match=ACCESS_DENIED.replace("_", ".")):
            client.read()
    assert peer.headers == []


@pytest.mark.parametrize("mode", ["report", "off"])
def test_report_lets_everybody_in(serve, tcp, scripted, pki, mode):
    peer = Peer(scripted, echo)
    server = serve([tcp(peer.address, mode)], shards=1)
    for cert in (None, pki.expired().bundle, pki.valid().bundle):
        with connect(server, cert) as tls:
            assert ask(tls, b"hello")
    verified = [ssl_facts(vectors)[1] == 0 for _, vectors in peer.headers]
    assert verified == [False, False, mode == "report"]
    assert server.metric("sallyport_would_block_total", host="t.test") == (2 if mode == "report" else 0)
    assert server.metric("sallyport_would_block_total", reason="expired") == (1 if mode == "report" else 0)


def test_the_header_tells_of_the_certificate(serve, tcp, scripted, pki):
    peer = Peer(scripted, echo)
    server = serve([tcp(peer.address, "report")], shards=1, tickets={"lifetime": "1h"})
    context = server.tls_client(pki.client(subject="device-1").bundle)
    with connect(server, context=context) as full:
        assert ask(full, b"x")
        session, cipher, port = full.session, full.cipher()[0], full.getsockname()[1]
    client, vectors = peer.headers[-1]
    bits, verify, subs = ssl_facts(vectors)
    assert client == ("127.0.0.1", port) and vectors[0x02] == b"t.test"
    assert 0x01 not in vectors, "no protocol was agreed on"
    assert bits == 7 and verify == 0 and subs == {0x21: b"TLSv1.3", 0x22: b"device-1", 0x23: cipher.encode()}
    with connect(server, context=context, session=session) as resumed:
        assert ask(resumed, b"x") and resumed.session_reused
    assert ssl_facts(peer.headers[-1][1])[:2] == (5, 0), "the session's, not the connection's"


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_session_that_is_resumed_has_a_verdict_of_today(serve, tcp, scripted, tmp_path, version):
    peer = Peer(scripted, echo)
    scene = Revocation(tmp_path)

    def entry(leaf):
        return {**tcp(peer.address), "client_auth": {"mode": "enforce", "ca": [str(scene.pki.root.cert)],
                                                     "crl": [str(scene.root), str(leaf)]}}

    server = serve([entry(scene.before)], shards=1, tickets={"lifetime": "1h"})
    context = server.tls_client(scene.bad.bundle, version)
    with connect(server, context=context) as tls:
        assert ask(tls, b"x")
        session = tls.session
    with connect(server, context=context, session=session) as tls:
        assert tls.session_reused and ask(tls, b"x")
    assert server.reload([entry(scene.after)])
    with connect(server, context=context, session=session) as tls:
        assert how_it_ends(tls).endswith(ACCESS_DENIED)
    assert len(peer.headers) == 2


@pytest.mark.parametrize("mode", ["enforce", "report"])
def test_the_connection_of_a_revoked_client_is_ended(serve, tcp, scripted, tmp_path, mode):
    peer = Peer(scripted, echo)
    scene = Revocation(tmp_path)

    def entry(leaf):
        return {**tcp(peer.address), "client_auth": {"mode": mode, "ca": [str(scene.pki.root.cert)],
                                                     "crl": [str(scene.root), str(leaf)]}}

    server = serve([entry(scene.before)], shards=1)
    with connect(server, scene.good.bundle) as good, connect(server, scene.bad.bundle) as bad:
        assert ask(good, b"x") and ask(bad, b"x")
        assert server.reload([entry(scene.after)])
        assert how_it_ends(bad).endswith(ACCESS_DENIED)
        assert ask(good, b"x")
        assert open_tunnels(server, "t.test") == 1 and ended(server, "t.test", "verdict") == 1
    wait_for(lambda: "reset" in peer.ended)


def test_a_connection_ends_with_its_certificate(serve, tcp, scripted, pki):
    peer = Peer(scripted, echo)
    server = serve([tcp(peer.address)], shards=1)
    end = pki_module.datetime.datetime.now(pki_module.datetime.timezone.utc).replace(tzinfo=None) + pki_module.datetime.timedelta(seconds=5)
    with connect(server, pki.client(end=end).bundle) as tls:
        assert ask(tls, b"x")
        assert how_it_ends(tls).endswith(ACCESS_DENIED)


# Reloads and ends


def test_a_reload_moves_new_connections_and_keeps_the_others(serve, tcp, host, scripted, pki):
    first, second = Peer(scripted, echo), Peer(scripted, echo)
    server = serve([tcp(first.address)], shards=1)
    cert = pki.valid().bundle
    with connect(server, cert) as tls:
        assert ask(tls, b"x")
        assert server.reload([tcp(second.address)])
        with connect(server, cert) as other:
            assert ask(other, b"y") and len(first.headers) == len(second.headers) == 1
        time.sleep(1.2)
        assert ask(tls, b"x"), "it stays at its origin"
        assert server.reload([tcp(second.address, name="other.test")])
        assert how_it_ends(tls).endswith(ACCESS_DENIED), "there is no such host any more"
    with connect(server, cert, name="other.test") as tls:
        assert ask(tls, b"x")
        assert server.reload([host("other.test", "enforce")])
        assert how_it_ends(tls).endswith(ACCESS_DENIED), "nor one for its protocol"
    assert server.curl("other.test", cert=cert).status == 200


def test_a_connection_of_http_does_not_become_one_of_tcp(serve, tcp, host, scripted):
    peer = Peer(scripted, echo)
    server = serve([host("t.test")], shards=1)
    with server.open(server.tls_client(), "t.test") as idle, server.connect("t.test") as asking:
        assert idle.get()[0] == 200
        asking.sendall(b"GET / HTTP/1.1\r\n")
        server.wait_until_read()
        assert server.reload([tcp(peer.address, "off")])
        assert idle.is_closed()
        asking.sendall(b"Host: t.test\r\n\r\n")
        assert asking.recv(65536).startswith(b"HTTP/1.1 421")
    assert peer.headers == []


def test_idle_connections_end_and_busy_ones_do_not(serve, tcp, scripted, pki, tmp_path):
    log = tmp_path / "access.log"
    peer = Peer(scripted, echo)
    server = serve([tcp(peer.address, timeouts={"tunnel_idle": "2s"})], shards=1, access_log=str(log),
                   limits={"connections": 64, "idle_timeout": "500ms", "request_header_timeout": "500ms"})
    cert = pki.valid().bundle
    with connect(server, cert) as idle, connect(server, cert) as busy:
        began = time.monotonic()
        while time.monotonic() < began + 4:
            assert ask(busy, b"x")
            time.sleep(0.3)
        assert how_it_ends(idle) == "cut"
        wait_for(lambda: ended(server, "t.test", "idle") == 1)
    assert wait_for_lines(log, 1)[0]["end"] == "idle"


def test_half_a_connection_has_less_time(serve, tcp, scripted, pki):
    def end_and_wait(connection, first):
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)

    peer = Peer(scripted, end_and_wait)
    server = serve([tcp(peer.address)], shards=1, limits={"connections": 64, "idle_timeout": "1s"})
    with connect(server, pki.valid().bundle) as tls:
        assert how_it_ends(tls) == "end"
        wait_for(lambda: ended(server, "t.test", "idle") == 1)


def test_a_drain_lets_connections_go_on_until_its_end(serve, tcp, scripted, pki):
    peer = Peer(scripted, echo)
    server = serve([tcp(peer.address)], shards=1, drain={"timeout": "4s"})
    cert = pki.valid().bundle
    with connect(server, cert) as stays, connect(server, cert) as goes:
        assert ask(stays, b"x") and ask(goes, b"x")
        server.process.send_signal(signal.SIGTERM)
        time.sleep(1)
        assert ask(stays, b"x")
        goes.unwrap().close()
        assert ask(stays, b"x")
        assert how_it_ends(stays) == "cut"
    server.stop()


def test_a_stop_waits_for_nobody(serve, tcp, scripted, pki):
    peer = Peer(scripted, echo)
    server = serve([tcp(peer.address)], shards=1)
    with connect(server, pki.valid().bundle) as tls:
        assert ask(tls, b"x")
        server.stop(signal.SIGINT, timeout=15)


# Origins


def test_an_origin_that_is_down(serve, tcp, scripted, pki, tmp_path):
    log = tmp_path / "access.log"
    dead = f"127.0.0.1:{free_port()}"
    peer = Peer(scripted, echo)
    server = serve([tcp(dead), tcp([dead, peer.address], name="two.test")], shards=1, access_log=str(log))
    cert = pki.valid().bundle
    with connect(server, cert) as tls:
        assert how_it_ends(tls) == "end"
    line = wait_for_lines(log, 1)[0]
    assert line["end"] == "origin" and line["origin_error"] == "refused" and "origin" not in line
    assert f"origin {dead}: refused" in server.stderr()
    for _ in range(3):
        with connect(server, cert, name="two.test") as tls:
            assert ask(tls, b"x")
    assert server.metric("sallyport_origin_up", host="two.test") == 1
    assert server.metric("sallyport_origin_requests_total", host="t.test", result="unreachable") == 1
    assert server.metric("sallyport_tunnels") == 0


def test_an_origin_that_does_not_take_the_connection(serve, tcp, pki, tmp_path):
    log = tmp_path / "access.log"
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    waiting = [socket.socket() for _ in range(4)]
    for one in waiting:
        one.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            one.connect(full.getsockname())
    server = serve([tcp(f"127.0.0.1:{full.getsockname()[1]}", timeouts={"connect": "500ms"})], shards=1, access_log=str(log))
    with connect(server, pki.valid().bundle) as tls:
        tls.sendall(b"x" * 50_000)
        assert how_it_ends(tls) in ("end", "reset")
    assert wait_for_lines(log, 1)[0]["origin_error"] == "connect_timed_out"
    for one in (*waiting, full):
        one.close()


def test_a_balancer_in_front_and_a_header_behind(serve, tcp, scripted, pki):
    peer = Peer(scripted, echo)
    server = serve([tcp(peer.address)], listen=[{"address": f"127.0.0.1:{free_port()}", "proxy_protocol": ["127.0.0.1"]}])
    for address in ("192.0.2.7", "2001:db8::7"):
        raw = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        raw.sendall(balancers.v2(address, 4711))
        with server.tls_client(pki.valid().bundle).wrap_socket(raw, server_hostname="t.test") as tls:
            assert ask(tls, b"x")
        assert peer.headers[-1][0] == (address, 4711)


HAPROXY = """
frontend origin
    bind 127.0.0.1:{port} accept-proxy
    tcp-request inspect-delay 5s
    tcp-request content accept if {{ req.len gt 0 }}
    default_backend echo
backend echo
    server echo {echo} send-proxy
"""


def test_haproxy_reads_the_header(serve, tcp, scripted, pki, tmp_path):
    """It passes the address on, in a header of its own, of version 1."""
    lines = []

    def read_line(connection, first):
        received = first
        while b"\n" not in received:
            received += connection.recv(65536)
        line, _, rest = received.partition(b"\n")
        lines.append(line)
        echo(connection, rest)

    peer = Peer(scripted, read_line, header=None)
    port = free_port()
    with daemons.Haproxy(tmp_path, port, HAPROXY.format(port=port, echo=peer.address), mode="tcp"):
        server = serve([tcp(f"127.0.0.1:{port}")], shards=1)
        with connect(server, pki.valid().bundle) as tls:
            assert ask(tls, b"hello")
            assert lines[-1].split()[:3] == [b"PROXY", b"TCP4", b"127.0.0.1"]
            assert int(lines[-1].split()[4]) == tls.getsockname()[1]


# Protocols


@pytest.mark.parametrize("offer", [["mqtt"], ["x-amzn-mqtt-ca", "h2"], ["http/1.1"], None])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_alpn_is_not_answered(serve, tcp, scripted, pki, offer, version):
    peer = Peer(scripted, echo)
    server = serve([tcp(peer.address)], shards=1)
    context = server.tls_client(pki.valid().bundle, version)
    if offer:
        context.set_alpn_protocols(offer)
    with connect(server, context=context) as tls:
        assert tls.selected_alpn_protocol() is None and ask(tls, b"x")


def test_hosts_of_both_kinds_side_by_side(serve, tcp, host, scripted, pki):
    peer = Peer(scripted, echo)
    server = serve([tcp(peer.address), host("h.test", "enforce")], shards=1)
    cert = pki.valid().bundle
    with connect(server, cert) as tls:
        assert ask(tls, b"x")
        assert server.curl("h.test", cert=cert).status == 200
        assert server.curl("h.test", "/", "-H", "Host: t.test", cert=cert).status == 421
    _, page = server.admin("/metrics")
    assert 'sallyport_tcp_bytes_total{host="h.test"' not in page


def test_the_line_of_the_access_log(serve, tcp, scripted, pki, tmp_path):
    log = tmp_path / "access.log"
    peer = Peer(scripted, echo)
    server = serve([tcp(peer.address)], shards=1, access_log=str(log))
    with connect(server, pki.valid().bundle) as tls:
        assert ask(tls, b"x" * 1000)
        time.sleep(0.5)
        assert lines_of(log) == [], "not before its end"
        tls.unwrap().close()
    line = wait_for_lines(log, 1)[0]
    assert {key: line[key] for key in ("event", "source", "host", "end", "origin_address", "bytes_in", "bytes_out", "status",
                                       "reason", "tls_version", "resumed")} == {
        "event": "connection", "source": "127.0.0.1", "host": "t.test", "end": "closed", "origin_address": peer.address,
        "bytes_in": 1000, "bytes_out": 1000, "status": "valid", "reason": "ok", "tls_version": "TLSv1.3", "resumed": False}
    assert line["total"] >= 0.5 and 0 < line["origin"] < 10 and 0 < line["handshake"] < 10
    assert not {"method", "path", "code", "http", "request_id", "origin_error"} & set(line)


# Places


def test_connections_of_strangers_make_room_for_known_clients(serve, tcp, scripted, pki):
    peer = Peer(scripted, echo)
    server = serve([tcp(peer.address, "report")], shards=1, limits={"connections": 16})
    with connect(server, pki.valid().bundle) as tls:
        assert ask(tls, b"x")
    with contextlib.ExitStack() as stack:
        strangers = 0
        with contextlib.suppress(OSError):
            for number in range(20):
                raw = socket.create_connection(("127.0.0.1", server.port), 10, source_address=(f"127.0.1.{number + 1}", 0))
                tls = stack.enter_context(server.tls_client().wrap_socket(raw, server_hostname="t.test"))
                strangers += ask(tls, b"x")
        assert strangers >= 14
        held = open_tunnels(server, "t.test")
        for _ in range(3):
            with connect(server, pki.valid().bundle) as known:
                assert ask(known, b"x")
        wait_for(lambda: open_tunnels(server, "t.test") < held)
        assert server.metric("sallyport_rejected_total", reason="evicted") >= 1
