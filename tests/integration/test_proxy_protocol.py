"""Listeners for balancers: the address in a PROXY header is the client's for everything."""

import contextlib
import json
import socket
import ssl
import struct
import time

import pytest

import balancers
from balancers import LOCAL, v1, v2, vector
from conftest import KeepAlive, free_port, wait_for
from sources import connect, is_refused, is_turned_away

CLIENT = "192.0.2.7"


@pytest.fixture
def serve_behind(serve):
    """serve_behind(hosts, proxies, **top): a server whose listener takes headers from these networks."""

    def start(hosts, proxies=("127.0.0.1",), **top):
        return serve(hosts, listen=[{"address": f"127.0.0.1:{free_port()}", "proxy_protocol": list(proxies)}], **top)

    return start


class Behind(KeepAlive):
    """A connection that begins with a header, in pieces of `size` bytes with the client's first ones behind it."""

    def __init__(self, server, header, host="s.test", cert=None, size=None):
        self.host = host
        self.left = b""
        raw = connect(server)
        pieces = [header] if size is None else [header[i:i + size] for i in range(0, len(header), size)]
        for piece in pieces:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            raw.sendall(piece)
            if size is not None:
                server.wait_until_read()
        self.tls = server.tls_client(cert).wrap_socket(raw, server_hostname=host)


def forwarded_for(connection):
    status, _, body = connection.get()
    assert status == 200
    lines = [line.partition(": ") for line in body.split("\r\n")]
    return [value for name, _, value in lines if name.lower() == "x-forwarded-for"]


def rejected(server, reason, stage="accept"):
    return server.metric("sallyport_rejected_total", stage=stage, reason=reason)


HEADERS = [
    (v1(CLIENT), CLIENT),
    (v1("2001:db8::7"), "2001:db8::7"),
    (v1("::ffff:192.0.2.7"), CLIENT),
    (v2(CLIENT), CLIENT),
    (v2("2001:db8::7"), "2001:db8::7"),
    (v2("::ffff:192.0.2.7"), CLIENT),
    (v2(CLIENT, vectors=vector(2, b"s.test") + vector(4, bytes(3000)) + vector(0xEA, b"\1vpce")), CLIENT),
    (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    (v2(), "127.0.0.1"),
    (LOCAL, "127.0.0.1"),
]


@pytest.mark.parametrize("header,address", HEADERS, ids=range(len(HEADERS)))
def test_the_address_is_the_clients(serve_behind, host, tmp_path, header, address):
    log = tmp_path / "access.log"
    server = serve_behind([host("s.test")], access_log=str(log))
    with Behind(server, header) as whole, Behind(server, header, size=len(header) // 3 + 1) as in_pieces:
        assert forwarded_for(whole) == forwarded_for(in_pieces) == [address]
    wait_for(lambda: log.exists() and len(log.read_text().splitlines()) >= 2)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["source"] for line in lines} == {address}
    if address != "127.0.0.1":
        assert {line["port"] for line in lines} == {56324}


def test_a_hello_may_come_with_its_header(serve_behind, host):
    """In one segment, and with the end of a header that came in two."""
    server = serve_behind([host("s.test")])
    context = server.tls_client()
    for cut in (0, 1, 20):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_hostname="s.test")
        with contextlib.suppress(ssl.SSLWantReadError):
            tls.do_handshake()
        with connect(server) as raw:
            whole = v2(CLIENT) + outgoing.read()
            raw.sendall(whole[:cut])
            server.wait_until_read()
            raw.sendall(whole[cut:])
            assert raw.recv(1) == b"\x16", "a ServerHello"


def test_other_peers_are_refused(serve_behind, host):
    server = serve_behind([host("s.test")], proxies=["127.0.0.1", "127.0.1.0/24"])
    assert is_refused(server, "127.0.0.2")
    assert rejected(server, "proxy_peer") == 1
    assert "refused 127.0.0.2, which is not in proxy_protocol" in server.stderr()
    with connect(server, "127.0.1.9") as other:
        other.sendall(v1(CLIENT))
        assert not is_turned_away(other, within=0.3)


def test_what_is_no_header_is_refused(serve_behind, host):
    server = serve_behind([host("s.test")], limits={"connections": 4096, "handshake_timeout": "1s"})
    wrong = [b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\n", b"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", v2(CLIENT)[:12] + b"\x31",
             v2(CLIENT, vectors=b"\4\xff\xff"), v2(CLIENT, vectors=vector(3, bytes(4))), v1(CLIENT)[:-2] + b"\n"]
    for count, header in enumerate(wrong, 1):
        with connect(server) as raw:
            raw.sendall(header)
            assert is_turned_away(raw, within=5), header
        assert rejected(server, "proxy_header") == count, header
    assert "the PROXY header of 127.0.0.1 is malformed: no header of the PROXY protocol" in server.stderr()
    for begin in (b"", v1(CLIENT)[:-1], v2(CLIENT)[:20]):
        with connect(server) as raw:
            raw.sendall(begin)
            assert is_turned_away(raw, within=5)
    assert rejected(server, "timeout") == 3
    with connect(server) as raw:
        raw.sendall(v1(CLIENT)[:-1])
    wait_for(lambda: rejected(server, "closed") == 1)
    assert server.metric("sallyport_handshakes_total") == 0, "no handshake has begun"
    with Behind(server, v1(CLIENT)) as good:
        assert forwarded_for(good) == [CLIENT], "the balancer is not to blame"


def test_a_check_by_the_balancer_is_no_failure(serve_behind, host, tmp_path):
    """Of TCP alone: a header, and the end. Those of clients still count, and so does a hello that breaks off."""
    log = tmp_path / "access.log"
    server = serve_behind([host("s.test")], shards=1, access_log=str(log))
    for reset in (False, True):
        for header in (LOCAL, v1("127.0.0.1"), v2("127.0.0.1")):
            with connect(server) as raw:
                raw.sendall(header)
                server.wait_until_read()
                if reset:
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    for first in (v1(CLIENT), LOCAL + b"\x16\x03\x01"):
        with connect(server) as raw:
            raw.sendall(first)
            server.wait_until_read()
    wait_for(lambda: rejected(server, "closed", "hello") == 2)
    wait_for(lambda: log.exists() and len(log.read_text().splitlines()) >= 2)
    assert len(log.read_text().splitlines()) == 2 and rejected(server, "closed") == 0


def test_the_header_and_the_handshake_have_one_deadline(serve_behind, host):
    server = serve_behind([host("s.test")], limits={"connections": 4096, "handshake_timeout": "3s"})
    begun = time.monotonic()
    with connect(server) as raw:
        time.sleep(2)
        raw.sendall(v1(CLIENT))
        assert is_turned_away(raw, within=5)
        assert 2.7 < time.monotonic() - begun < 4.9, "else the handshake would have begun a deadline of its own"
    assert rejected(server, "timeout", "hello") == 1


def test_bounds_on_sources_are_the_clients(serve_behind, host):
    server = serve_behind([host("s.test")], shards=1, admission={"source_connections": 3, "allow": ["198.51.100.0/24"]},
                          limits={"connections": 4096, "handshake_timeout": "60s"})

    def hold(header):
        raw = connect(server)
        raw.sendall(header)
        return raw

    held = [hold(v2(CLIENT)) for _ in range(3)]
    wait_for(lambda: server.metric("sallyport_connections") == 3)
    assert is_turned_away(hold(v1(CLIENT)))
    assert rejected(server, "source_limit") == 1
    # Others, an allowed network, and the balancer itself, whichever way it says so, are not that source.
    for header in [v1("192.0.2.8")] + 5 * [v1("198.51.100.1")] + 5 * [LOCAL] + 5 * [v1("127.0.0.1")] + 5 * [b"PROXY UNKNOWN\r\n"]:
        held.append(hold(header))
        assert not is_turned_away(held[-1], within=0.02)
    wait_for(lambda: server.metric("sallyport_connections") == 24)
    assert rejected(server, "source_limit") == 1
    held.pop(0).close()
    wait_for(lambda: server.metric("sallyport_connections") == 23)
    assert not is_turned_away(hold(v1(CLIENT)), within=0.2)
    for raw in held:
        raw.close()


def test_a_certificate_makes_the_client_known(serve_behind, host, pki):
    """And not the balancer: a known source has no rate."""
    server = serve_behind([host("s.test", "report")], shards=1, admission={"source_rate": 1, "source_burst": 4})
    for _ in range(2):
        with Behind(server, v1(CLIENT), cert=pki.valid().bundle) as one:
            assert forwarded_for(one) == [CLIENT]
    for _ in range(12):
        with connect(server) as raw:
            raw.sendall(v1(CLIENT))
    with Behind(server, v1(CLIENT)) as one:
        assert forwarded_for(one) == [CLIENT]
    assert rejected(server, "source_rate") == 0
    for _ in range(12):
        with connect(server) as raw, contextlib.suppress(ConnectionError):
            raw.sendall(v1("192.0.2.8"))
            is_turned_away(raw, within=0.05)
    wait_for(lambda: rejected(server, "source_rate") >= 6)


def test_a_reload_turns_it_on_and_off(serve, host):
    server = serve([host("s.test")], listen=[{"address": f"127.0.0.1:{free_port()}"}])
    address = server.config["listen"][0]["address"]
    with server.open(server.tls_client(), "s.test") as direct:
        assert forwarded_for(direct) == ["127.0.0.1"]
        assert server.reload(listen=[{"address": address, "proxy_protocol": ["127.0.0.1"]}])
        assert forwarded_for(direct) == ["127.0.0.1"], "a connection goes on as it began"
        with Behind(server, v1(CLIENT)) as behind:
            assert forwarded_for(behind) == [CLIENT]
            with connect(server) as raw:
                raw.sendall(b"\x16\x03\x01\x02\x00\x01")
                assert is_turned_away(raw)
            assert server.reload(listen=[{"address": address, "proxy_protocol": ["127.0.0.2"]}])
            assert forwarded_for(behind) == [CLIENT]
            assert is_refused(server)
            assert server.reload(listen=[{"address": address}])
            assert forwarded_for(behind) == [CLIENT]
    assert server.curl("s.test").seen("X-Forwarded-For") == ["127.0.0.1"]
    assert not server.reload(listen=[{"address": f"127.0.0.1:{free_port()}", "proxy_protocol": ["127.0.0.1"]}])


def flood(server, header, payload, count):
    """So many connections, each with a header and something behind it. The server ends one before the next comes: many at
    once would evict each other unread, as soon as it has less of the processor than they."""
    for i in range(count):
        with contextlib.suppress(ConnectionResetError, BrokenPipeError), connect(server) as raw:
            raw.sendall(header(i) + payload)
            while raw.recv(4096):
                pass


@pytest.mark.slow
def test_a_flood_through_a_balancer_blocks_no_balancer(serve_behind, host, pki):
    """Places are short, so the shard is not calm; the clients that fail are suspects; nothing of it is dropped by the kernel."""
    server = serve_behind([host("s.test", "enforce")], shards=1, limits={"connections": 64, "handshake_timeout": "10s"})
    valid = pki.valid().bundle
    with Behind(server, v2(CLIENT), cert=valid) as known:
        assert forwarded_for(known) == [CLIENT]
        silent = []

        def one_more():
            with contextlib.suppress(OSError):
                raw = connect(server)
                silent.append(raw)
                raw.sendall(v2(f"198.51.100.{len(silent) % 250}"))

        def is_pressed():
            """A shard is calm again a second after the last connection that had to make room: so there is one with each look."""
            one_more()
            return server.metric("sallyport_admission_state") > 0

        for _ in range(80):
            one_more()
        wait_for(is_pressed)
        flood(server, lambda i: b"", b"\0" * 100, 300)
        flood(server, lambda i: v1(f"203.0.113.{i % 20}"), b"\0" * 100, 600)
        wait_for(lambda: rejected(server, "proxy_header") >= 250)
        wait_for(lambda: rejected(server, "not_tls", "hello") + rejected(server, "suspect") >= 300)
        assert rejected(server, "blocked") == 0
        assert forwarded_for(known) == [CLIENT], "a valid client keeps its place"
        with Behind(server, v2(CLIENT), cert=valid) as again:
            assert forwarded_for(again) == [CLIENT], "and a known one finds one"
        for raw in silent:
            raw.close()


@contextlib.contextmanager
def by(server, balancer):
    """Clients that the server makes connect to the balancer meanwhile."""
    port, server.port = server.port, balancer.port
    try:
        yield
    finally:
        server.port = port


@pytest.mark.parametrize("options", ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id,authority",
                                     "send-proxy-v2 check inter 100", "send-proxy check check-send-proxy inter 100"])
def test_haproxy_in_front(serve_behind, host, pki, tmp_path, options):
    server = serve_behind([host("s.test", "enforce")], limits={"connections": 4096, "handshake_timeout": "60s"},
                          admission={"source_connections": 2})
    with balancers.haproxy(tmp_path / "haproxy", free_port(), server.port, options) as balancer, by(server, balancer):
        answer = server.curl("s.test", "/", "--interface", "127.0.0.5", cert=pki.valid().bundle)
        assert answer.status == 200 and answer.seen("X-Forwarded-For") == ["127.0.0.5"]
        assert server.curl("s.test", "/", "--interface", "127.0.0.6").status == 403
        held = [connect(server, "127.0.0.7") for _ in range(2)]
        wait_for(lambda: server.metric("sallyport_connections") >= 2)
        assert not is_turned_away(held[1], within=0.2)
        with connect(server, "127.0.0.7") as third:
            with contextlib.suppress(ConnectionResetError):
                assert third.recv(1) == b"", "HAProxy closes it when the server does"
        assert rejected(server, "source_limit") == 1
        assert rejected(server, "proxy_header") == 0
        for raw in held:
            raw.close()


def test_haproxy_that_tells_of_its_own_tls(serve_behind, host, pki, tmp_path):
    """PP2_TYPE_SSL with a name: HAProxy ends the client's TLS and speaks TLS of its own behind the header."""
    server = serve_behind([host("s.test")])
    pair = tmp_path / "pair.pem"
    own = pki.server("ecdsa-p256", "s.test")
    pair.write_text(own.chain.read_text() + own.key.read_text())
    bind = f"ssl crt {pair} ca-file {pki.root.cert} verify optional"
    options = "ssl verify none sni str(s.test) send-proxy-v2-ssl-cn"
    with balancers.haproxy(tmp_path / "haproxy", free_port(), server.port, options, bind) as balancer, by(server, balancer):
        answer = server.curl("s.test", "/", "--interface", "127.0.0.5", "--connect-to", f"::127.0.0.1:{balancer.port}",
                             cert=pki.valid().bundle)
        assert answer.status in (200, 421) and rejected(server, "proxy_header") == 0
        if answer.status == 200:
            assert answer.seen("X-Forwarded-For") == ["127.0.0.5"]


def test_nginx_in_front(serve_behind, host, pki, tmp_path):
    server = serve_behind([host("s.test", "enforce")])
    with balancers.nginx(tmp_path / "nginx", free_port(), server.port) as balancer, by(server, balancer):
        answer = server.curl("s.test", "/", "--interface", "127.0.0.5", cert=pki.valid().bundle)
        assert answer.status == 200 and answer.seen("X-Forwarded-For") == ["127.0.0.5"]
        assert rejected(server, "proxy_header") == 0
