"""Servers that people have behind a proxy, over TLS and in both versions of HTTP: nginx, Apache httpd, Node and HAProxy."""

import hashlib
import os
import threading

import pytest

from conftest import wait_for
from test_tunnels import Socket, ended
from tls_origins import (NAME, ORIGIN, Apache, Haproxy, Nginx, Node, authority, connections, entry, facts, handshakes,  # noqa: F401
                         requests, run)

SIZES = [0, 1, 2, 255, 16383, 16384, 16385, 40000, 65536, 1 << 20, (3 << 20) + 1]
CLIENTS = pytest.mark.parametrize("version", ["http1", "http2"])
KINDS = ["nginx", "apache", "node", "haproxy"]
HUGE = 100 << 20


class Kinds:
    """
    Starts a server of one kind, which is asked in `protocol`. `tls`: the version that it speaks alone; `ca`: a root, by which
    it demands certificates of clients; unless `keep`, each answer is the last one of its connection.
    """

    def __init__(self, run, authority):  # noqa: F811
        self.run, self.authority = run, authority
        self.behind = None  # what HAProxy is to have behind it

    def start(self, kind, protocol, tls=None, ca=None, keep=True):
        entity = self.authority.leaf(ORIGIN)
        return getattr(self, kind)(entity, protocol == "http2", tls, ca, keep)

    def nginx(self, entity, http2, tls, ca, keep):
        lines = "" if tls is None else f"ssl_protocols {tls};"
        lines += "" if ca is None else f"ssl_verify_client on; ssl_verify_depth 3; ssl_client_certificate {ca};"
        lines += "ssl_session_cache shared:a:1m;" + ("" if keep else "keepalive_requests 1;")
        return self.run(Nginx, entity, lines, "http2" if http2 else "")

    def apache(self, entity, http2, tls, ca, keep):
        lines = "" if tls is None else f"SSLProtocol -all +{tls}\n"
        lines += "" if ca is None else f"SSLVerifyClient require\nSSLVerifyDepth 3\nSSLCACertificateFile {ca}\n"
        lines += "" if keep else "KeepAlive Off\n"
        return self.run(Apache, entity, self.run(Nginx, entity), lines)

    def node(self, entity, http2, tls, ca, keep):
        options = {} if tls is None else {"minVersion": tls, "maxVersion": tls}
        if ca is not None:
            options.update(ca=str(ca), requestCert=True, rejectUnauthorized=True)
        return self.run(Node, entity, http2, **options)

    def haproxy(self, entity, http2, tls, ca, keep):
        bind = "" if tls is None else f"ssl-min-ver {tls} ssl-max-ver {tls}"
        bind += "" if ca is None else f" verify required ca-file {ca}"
        return self.run(Haproxy, entity, self.behind or self.run(Nginx, entity), bind, "" if keep else "option httpclose")


@pytest.fixture
def kinds(run, authority):  # noqa: F811
    return Kinds(run, authority)


@pytest.fixture(params=[(kind, protocol) for kind in KINDS for protocol in ("http1", "http2")], ids="-".join)
def kind(request):
    return request.param


def is_resumed(answer):
    return facts(answer)["reused"] in ("r", "Resumed", "true", "1")


@pytest.mark.parametrize("tls", ["TLSv1.2", "TLSv1.3"])
def test_our_certificate_is_demanded(serve, entry, kinds, kind, pki, tls):  # noqa: F811
    name, protocol = kind
    client = pki.client(cache="edge", subject="edge-1")
    origin = kinds.start(name, protocol, tls, pki.root.cert)
    server = serve([entry(origin, protocol=protocol, certificate=str(client.chain), key=str(client.key))], shards=1)
    answer = server.curl(NAME, "/")
    assert answer.status == 200
    told = facts(answer)
    assert told["version"] == tls and told["name"] == ORIGIN and told["client"].lstrip("/") == "CN=edge-1"
    assert told["alpn"] in {"http1": ["http/1.1", "HTTP/1.1"], "http2": ["h2", "HTTP/2.0"]}[protocol]
    assert server.reload([entry(origin, protocol=protocol)])
    wait_for(lambda: server.curl(NAME, "/").status in (400, 502))  # nginx answers those that have none


@pytest.mark.parametrize("tls", ["TLSv1.2", "TLSv1.3"])
@pytest.mark.parametrize("name", KINDS)
def test_sessions_are_resumed_with_our_certificate(serve, entry, kinds, name, pki, tls):  # noqa: F811
    client = pki.client(cache="edge", subject="edge-1")
    origin = kinds.start(name, "http1", tls, pki.root.cert, keep=False)
    server = serve([entry(origin, certificate=str(client.chain), key=str(client.key))], shards=1)
    answers = [server.curl(NAME, "/last" if name == "node" else "/") for _ in range(5)]
    assert [is_resumed(answer) for answer in answers] == [False] + 4 * [True], [answer.text for answer in answers]
    assert all(facts(answer)["client"].lstrip("/") == "CN=edge-1" for answer in answers)
    assert handshakes(server, "full") == 1 and handshakes(server, "resumed") == 4


@CLIENTS
def test_bodies_of_many_sizes(serve, entry, kinds, kind, tmp_path, version):  # noqa: F811
    name, protocol = kind
    origin = kinds.start(name, protocol)
    server = serve([entry(origin, protocol=protocol)], shards=1)
    server.protocol = version
    for size in SIZES:
        body = os.urandom(size)
        sent = tmp_path / "body"
        sent.write_bytes(body)
        (origin.files / "some").write_bytes(body)
        for framing in ([], ["-H", "Transfer-Encoding: chunked" if version == "http1" else "Content-Length:"]):
            answer = server.curl(NAME, "/body", "-H", "Expect:", "--data-binary", f"@{sent}", *framing)
            assert answer.status == 200 and answer.body == body, (size, framing)
        answer = server.curl(NAME, "/files/some")
        assert answer.status == 200 and answer.body == body
        head = server.curl(NAME, "/files/some", "--head")
        assert head.status == 200 and head.headers.get("content-length", "0") == str(size) and head.body == b""
    assert server.curl(NAME, "/empty").status == 204
    assert connections(server, "connect_failed") == 0 and requests(server, "completed") == 4 * len(SIZES) + 1


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@CLIENTS
def test_what_node_can_say(serve, entry, kinds, protocol, version):  # noqa: F811
    """Informational answers, trailers, and bodies in pieces from one byte on."""
    server = serve([entry(kinds.start("node", protocol), protocol=protocol)], shards=1)
    server.protocol = version
    early = server.curl(NAME, "/early")
    assert early.status == 200 and early.text == "late"
    trailers = server.curl(NAME, "/trailers", "-H", "TE: trailers", "-v")
    assert trailers.status == 200 and trailers.text == "with trailersx-sum: 42\r\n"
    for count in (1, 1000, 300000):
        for framing in ("", "&chunked"):
            assert server.curl(NAME, f"/pieces?count={count}{framing}").text == "x" * count
    assert connections(server, "opened") == 1


@pytest.mark.parametrize("before", [None, "haproxy"])
def test_websockets(serve, entry, kinds, before):  # noqa: F811
    """Of Node, with HAProxy before it or without."""
    origin = kinds.start("node", "http1")
    if before is not None:
        kinds.behind = origin
        origin = kinds.start(before, "http1")
    server = serve([entry(origin)], shards=1)
    with Socket(server, NAME) as client:
        for size in (0, 1, 125, 126, 16383, 16384, 65536, 1 << 20):
            data = os.urandom(size)
            assert client.ask(data) == data and client.ask("x" * size) == "x" * size
    wait_for(lambda: ended(server, NAME, "closed") == 1)


@pytest.mark.slow
@pytest.mark.parametrize("name, protocol, version", [("nginx", "http2", "http1"), ("node", "http1", "http2")])
def test_100_mb_up_and_down(serve, entry, kinds, tmp_path, name, protocol, version):  # noqa: F811
    origin = kinds.start(name, protocol)
    large = tmp_path / "large"
    large.write_bytes(os.urandom(1 << 20) * (HUGE >> 20))
    wanted = hashlib.sha256(large.read_bytes()).digest()
    os.link(large, origin.files / "large")
    server = serve([entry(origin, protocol=protocol)], shards=1)
    server.protocol = version
    for options in (["/files/large"], ["/body", "-H", "Expect:", "-X", "POST", "-T", large]):
        answer = server.curl(NAME, *options, timeout=120)
        assert answer.status == 200 and hashlib.sha256(answer.body).digest() == wanted, options


def test_connections_that_end_between_requests_lose_none(serve, entry, kinds, kind):  # noqa: F811
    """Clients ask on without pause, and some of the answers are the last ones of their connections."""
    name, protocol = kind
    if protocol == "http2" and name in ("apache", "haproxy"):
        pytest.skip("has no setting for it")
    server = serve([entry(kinds.start(name, protocol, keep=False), protocol=protocol)], shards=1)
    path = "/last" if name == "node" else "/files/small.txt"
    codes = []

    def ask():
        with server.open(server.tls_client(), NAME) as client:
            codes.extend(client.get(path)[0] for _ in range(40))

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    for client in clients:
        client.join(60)
    assert codes == 160 * [200]
    assert requests(server, "completed") == 160 and connections(server, "opened") > 4
    assert handshakes(server, "resumed") > 0
