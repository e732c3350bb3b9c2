"""Each metric moves when its event happens, and only then: what changed after one event is compared with all that should."""

import calendar
import json
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.request

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from conftest import free_port, wait_for
from pki import DAY, NOW

# Times, sizes and pools, which no event decides alone: tests of their own are below.
DURATIONS = re.compile(r"_seconds_(sum|bucket)\b|_work_seconds_total|sallyport_connections\b|not_after_seconds|_timestamp_seconds|_bytes_total|^process_|_origin_connections_total")


def series(server):
    """Every series and its value."""
    lines = server.admin("/metrics")[1].splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
            if not DURATIONS.search(name)}


class Watch:
    """The metrics that change within the `with` block: they must be `expected` at its end."""

    def __init__(self, server, expected):
        self.server = server
        self.expected = {"sallyport_" + name.replace("PROTOCOL", server.protocol): change for name, change in expected.items()}
        for name, change in list(self.expected.items()):
            if server.protocol == "http2" and (of_host := re.match(r'sallyport_requests_total\{(host="[^"]*")', name)):
                self.expected[f"sallyport_streams_total{{{of_host[1]}}}"] = change

    def changes(self):
        now = series(self.server)
        return {name: value - self.before.get(name, 0) for name, value in now.items() if value != self.before.get(name, 0)}

    def __enter__(self):
        self.before = series(self.server)

    def __exit__(self, kind, *_):
        if kind is not None:
            return
        deadline = time.monotonic() + 20
        while self.changes() != self.expected and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.1)
        assert self.changes() == self.expected


CONNECTION = {'connections_total{shard="0"}': 1}
HELLO = {**CONNECTION, "hello_seconds_count": 1, "admission_wait_seconds_count": 1}


def full(version="TLSv1.3"):
    return {**HELLO, f'handshakes_total{{result="ok",kind="full",version="{version}",group="x25519"}}': 1, 'handshake_seconds_count{kind="full"}': 1}


def verdict(host, status, reason):
    return {f'client_certs_total{{host="{host}",status="{status}",reason="{reason}"}}': 1}


def answered(host, code, by_origin=True):
    counts = {f'requests_total{{host="{host}",code="{code}",protocol="PROTOCOL"}}': 1, f'request_seconds_count{{host="{host}"}}': 1}
    of_origin = {f'origin_seconds_count{{host="{host}"}}': 1, f'origin_requests_total{{host="{host}",result="completed"}}': 1}
    return {**counts, **(of_origin if by_origin else {})}


JUDGED = {"cert_cache_misses_total": 1, 'cert_verify_seconds_count{path="full"}': 1}
KNOWN = {"cert_cache_hits_total": 1, 'cert_verify_seconds_count{path="cached"}': 1}


def rejected(stage, reason):
    return {f'rejected_total{{stage="{stage}",reason="{reason}"}}': 1}


FAILED = {'handshakes_total{result="failed",kind="full",version="none",group="none"}': 1}


def wait_for_rest(server):
    """Until no connection is open, so that nothing is counted any more."""
    wait_for(lambda: server.metric("sallyport_connections") == 0)


@pytest.fixture
def server(serve, host):
    return serve([host("e.test", "enforce"), host("r.test", "report"), host("off.test")], shards=1, tickets={"lifetime": "1h"})


def test_nothing_moves_by_itself(server):
    with Watch(server, {}):
        time.sleep(1)


@pytest.mark.both_protocols
def test_a_first_client_and_the_same_again(server, pki):
    client = pki.valid().bundle
    with Watch(server, {**full(), **verdict("e.test", "valid", "ok"), **JUDGED, "cert_cache_entries": 1, **answered("e.test", 200)}):
        server.curl("e.test", cert=client)
    with Watch(server, {**full(), **verdict("e.test", "valid", "ok"), **KNOWN, **answered("e.test", 200)}):
        server.curl("e.test", cert=client)
    with Watch(server, {**full("TLSv1.2"), **verdict("e.test", "valid", "ok"), **KNOWN, **answered("e.test", 200)}):
        server.curl("e.test", cert=client, version="1.2")


@pytest.mark.both_protocols
def test_a_resumed_one(server, pki):
    context = server.tls_client(pki.valid().bundle)
    with server.open(context, "e.test") as first:
        first.get()
        session = first.tls.session
    wait_for_rest(server)
    resumed = {'handshakes_total{result="ok",kind="resumed",version="TLSv1.3",group="x25519"}': 1, 'handshake_seconds_count{kind="resumed"}': 1}
    with Watch(server, {**HELLO, **resumed, **verdict("e.test", "valid", "ok"), **KNOWN, **answered("e.test", 200)}):
        with server.open(context, "e.test", session) as second:
            assert second.tls.session_reused
            second.get()


@pytest.mark.both_protocols
def test_one_without_certificate_is_denied(server):
    with Watch(server, {**full(), **verdict("e.test", "none", "absent"), **answered("e.test", 403, by_origin=False), **rejected("certificate", "denied")}):
        server.curl("e.test")


@pytest.mark.both_protocols
def test_what_report_lets_through(server, pki):
    with Watch(server, {**full(), **verdict("r.test", "none", "absent"), **answered("r.test", 200), 'would_block_total{host="r.test",reason="absent"}': 1}):
        server.curl("r.test")
    expired = {**full(), **verdict("r.test", "invalid", "expired"), **JUDGED, **answered("r.test", 200), 'would_block_total{host="r.test",reason="expired"}': 1}
    with Watch(server, expired):
        server.curl("r.test", cert=pki.expired().bundle)


@pytest.mark.parametrize("sent, why", [(b"\x00" * 30, "not_tls"), (b"GET / HTTP/1.1\r\n\r\n", "plain_http"), (b"", "closed"),
                                       (b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", "malformed")], ids=lambda value: str(value)[:12])
def test_what_is_no_hello(server, sent, why):
    # Bytes that never were a hello are no handshake that failed.
    with Watch(server, {**CONNECTION, **(FAILED if why == "malformed" else {}), **rejected("hello", why)}):
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            if sent:
                connection.sendall(sent)
                connection.settimeout(20)
                try:
                    connection.recv(1000)
                except ConnectionResetError:
                    pass


def test_a_host_that_is_not_served(server):
    with Watch(server, {**HELLO, **FAILED, **rejected("hello", "unknown_host")}):
        server.curl("no.test", "/", "-k", check=False)


@pytest.mark.both_protocols
def test_requests_that_are_refused(server):
    base = {**full(), **verdict("off.test", "none", "absent")}
    with Watch(server, {**base, **answered("off.test", 421, by_origin=False), **rejected("request", "misdirected")}):
        server.curl("off.test", "/", "-H", "Host: e.test")
    with Watch(server, {**base, **answered("off.test", 400, by_origin=False), **rejected("request", "malformed")}):
        server.curl("off.test", "/", "-X", "OPTIONS", "-H", "Max-Forwards: x")


def test_reloads(server):
    with Watch(server, {'config_reloads_total{result="ok"}': 1}):
        server.process.send_signal(signal.SIGHUP)
    good = server.path.read_text()
    server.path.write_text("nonsense: [")
    with Watch(server, {'config_reloads_total{result="failed"}': 1, "config_last_reload_successful": -1}):
        server.process.send_signal(signal.SIGHUP)
    server.path.write_text(good)
    with Watch(server, {'config_reloads_total{result="ok"}': 1, "config_last_reload_successful": 1}):
        server.process.send_signal(signal.SIGHUP)


def test_evictions(serve, host, pki):
    server = serve([host("e.test", "enforce")], shards=1, cert_cache={"entries": 1}, tickets={"lifetime": "0s"})
    server.curl("e.test", cert=pki.valid().bundle)
    wait_for_rest(server)
    with Watch(server, {**full(), **verdict("e.test", "valid", "ok"), **JUDGED, "cert_cache_evictions_total": 1, **answered("e.test", 200)}):
        server.curl("e.test", cert=pki.valid("rsa-2048").bundle)


@pytest.mark.both_protocols
def test_the_access_log(serve, host, tmp_path):
    server = serve([host("off.test")], shards=1, access_log=str(tmp_path / "access.log"))
    with Watch(server, {**full(), **verdict("off.test", "none", "absent"), **answered("off.test", 200), 'access_log_lines_total{result="written"}': 1}):
        server.curl("off.test")


@pytest.mark.both_protocols
def test_connections_are_a_gauge(server):
    with server.open(server.tls_client(), "off.test") as connection:
        connection.get()
        assert server.metric("sallyport_connections") == 1
    wait_for(lambda: server.metric("sallyport_connections") == 0)


def test_the_end_of_a_certificate_is_its_own(serve, host, pki):
    server = serve([host("off.test")])
    certificate = host("off.test")["certificate"]
    end = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-enddate", "-dateopt", "iso_8601"], capture_output=True, text=True, check=True)
    seconds = server.metric("sallyport_certificate_not_after_seconds", host="off.test", file=certificate)
    assert time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(seconds)) == end.stdout.strip().partition("=")[2]


def test_many_scrapers_slow_ones_and_half_closed_ones(server):
    """There are 64 places, and the oldest of those who hold one makes room: see test_admin.py."""
    address = ("127.0.0.1", server.admin_port)
    half = socket.create_connection(address, timeout=10)
    half.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    half.shutdown(socket.SHUT_WR)
    received = b""
    while piece := half.recv(65536):
        received += piece
    assert received.startswith(b"HTTP/1.1 200 ") and b"sallyport_build_info" in received
    answers = []

    def scrape():
        for _ in range(38):
            with urllib.request.urlopen(f"http://127.0.0.1:{server.admin_port}/stats.json", timeout=30) as answer:
                answers.append(answer.status)

    before = server.rss_kib()
    # Each may have three places: it opens one while it closes another, and a slow server has not let go of the one before.
    threads = [threading.Thread(target=scrape) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 760
    slow = []
    for _ in range(64):
        connection = socket.create_connection(address, timeout=5)
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        slow.append(connection)
    assert server.curl("off.test").status == 200, "shards do not wait for scrapers"
    assert server.admin("/healthz")[0] == 200, "those who do not read keep nobody out"
    assert server.rss_kib() - before < 64 * 1024
    for connection in slow:
        connection.close()


def samples(server, name):
    """Lines of a metric, as they stand on the page."""
    return [line for line in server.admin("/metrics")[1].splitlines() if re.match(name + r"[{ ]", line)]


def ends(path, kind, field):
    shown = subprocess.run(["openssl", kind, "-in", str(path), "-noout", f"-{field}", "-dateopt", "iso_8601"], capture_output=True, text=True, check=True)
    return calendar.timegm(time.strptime(shown.stdout.strip().partition("=")[2], "%Y-%m-%d %H:%M:%SZ"))


def test_lists_end_by_their_issuer_and_the_first_one_counts(serve, host, pki):
    users, cas = (pki.crl(pki.root, end=days * DAY, scope=f"only_contains_{kind}_certs") for days, kind in ((30, "user"), (20, "ca")))
    replaced, newest = pki.crl(pki.intermediate, start=-5 * DAY, end=-2 * DAY), pki.crl(pki.intermediate, start=-3 * DAY, end=40 * DAY)
    server = serve([host("m.test", "report", crl=[str(path) for path in (users, cas, replaced, newest)]), host("o.test", "report"), host("off.test")])
    assert sorted(samples(server, "sallyport_crl_next_update_seconds")) == [
        f'sallyport_crl_next_update_seconds{{host="m.test",issuer="CN=Client Intermediate"}} {ends(newest, "crl", "nextupdate")}',
        f'sallyport_crl_next_update_seconds{{host="m.test",issuer="CN=Client Root"}} {ends(cas, "crl", "nextupdate")}']
    document = json.loads(server.admin("/stats.json")[1])
    assert document["hosts"][0]["crls"] == [{"issuer": "CN=Client Root", "next_update": ends(cas, "crl", "nextupdate")},
                                            {"issuer": "CN=Client Intermediate", "next_update": ends(newest, "crl", "nextupdate")}]
    assert [entry["crls"] for entry in document["hosts"][1:]] == [[], []]


def test_roots_end_by_their_subject_and_of_one_name_the_first(serve, host, pki):
    later, first = pki.authority("Twice"), pki.authority("Twice", end=NOW + 100 * DAY)
    odd = pki.authority(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, 'Söhne "A\\B", Inc.')]))
    server = serve([host("m.test", "report", ca=[str(later.cert), str(first.cert), str(odd.cert)]), host("off.test")])
    assert sorted(samples(server, "sallyport_client_ca_not_after_seconds")) == [
        f'sallyport_client_ca_not_after_seconds{{host="m.test",subject="CN=Twice"}} {ends(first.cert, "x509", "enddate")}',
        'sallyport_client_ca_not_after_seconds{host="m.test",subject="O=Söhne \\\\\\"A\\\\\\\\B\\\\\\"\\\\, Inc."} '
        f'{ends(odd.cert, "x509", "enddate")}']
    roots = json.loads(server.admin("/stats.json")[1])["hosts"][0]["client_cas"]
    assert [root["subject"] for root in roots][0] == "CN=Twice" and len(roots) == 3
    assert [root["not_after"] for root in roots] == sorted(ends(root.cert, "x509", "enddate") for root in (later, first, odd))
    assert 'O=Söhne \\"A\\\\B\\"\\, Inc.' in [root["subject"] for root in roots]


@pytest.mark.both_protocols
def test_an_origin_that_cannot_be_reached_is_down_and_each_has_one_sample(serve, host, nginx):
    gone, there = f"127.0.0.1:{free_port()}", f"127.0.0.1:{nginx.port}"
    server = serve([host("m.test", origin=[gone, there, gone])], shards=2)
    assert sorted(samples(server, "sallyport_origin_up")) == sorted(f'sallyport_origin_up{{host="m.test",origin="{origin}"}} 1' for origin in (gone, there))
    for _ in range(6):
        assert server.curl("m.test").status == 200
    assert server.metric("sallyport_origin_up", origin=gone) == 0
    assert server.metric("sallyport_origin_up", origin=there) == 1
    assert len(samples(server, "sallyport_origin_up")) == 2


@pytest.mark.both_protocols
def test_connections_and_requests_to_origins_are_counted_by_what_became_of_them(serve, host, nginx):
    server = serve([host("m.test", origin=[f"127.0.0.1:{free_port()}", f"127.0.0.1:{nginx.port}"]), host("off.test")], shards=1)
    for _ in range(3):
        assert server.curl("m.test").status == 200
    counted = {event: server.metric("sallyport_origin_connections_total", host="m.test", event=event)
               for event in ("opened", "connect_failed", "reused", "pooled", "owned")}
    assert counted["opened"] + counted["reused"] == 4, "three requests, and one connection that came to nothing"
    assert (counted["connect_failed"], counted["pooled"], counted["owned"]) == (1, 3, 0)
    assert server.metric("sallyport_origin_requests_total", host="m.test", result="completed") == 3
    assert server.metric("sallyport_origin_requests_total", host="m.test", result="unreachable") == 0
    assert len(samples(server, "sallyport_origin_connections_total")) == 2 * 8 and len(samples(server, "sallyport_origin_requests_total")) == 2 * 7


def test_the_last_reload_and_the_limit_of_connections(serve, host):
    server = serve([host("off.test")], limits={"connections": 4096})
    started = server.metric("sallyport_config_last_reload_timestamp_seconds")
    assert abs(started - time.time()) < 20 and server.metric("sallyport_config_last_reload_successful") == 1
    assert server.metric("sallyport_connections_limit") == 4096
    time.sleep(1.1)
    assert not server.reload(limits={"connections": 0})
    assert server.metric("sallyport_config_last_reload_successful") == 0
    assert server.metric("sallyport_config_last_reload_timestamp_seconds") == started
    assert server.reload(limits={"connections": 1000})
    assert server.metric("sallyport_config_last_reload_successful") == 1
    assert server.metric("sallyport_config_last_reload_timestamp_seconds") > started
    assert server.metric("sallyport_connections_limit") == 1000


class Tap:
    """A TCP relay in front of the server that counts what goes up and down."""

    def __init__(self, port):
        self.server_port = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.up = self.down = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.server_port))
            threading.Thread(target=self.pump, args=(client, server, "up"), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, client, "down"), daemon=True).start()

    def pump(self, source, sink, direction):
        try:
            while piece := source.recv(65536):
                setattr(self, direction, getattr(self, direction) + len(piece))
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


@pytest.mark.both_protocols
def test_bytes_of_clients_are_counted_to_the_last_one(server, tmp_path, pki):
    big = tmp_path / "big"
    big.write_bytes(b"x" * 10000)  # that goes out with the head: the origin answers before it has read more
    before = {name: server.metric(f"sallyport_{name}_bytes_total") for name in ("received", "sent")}
    tap = Tap(server.port)
    via = ["--connect-to", f"::127.0.0.1:{tap.port}"]
    assert server.curl("e.test", "/", *via, cert=pki.valid().bundle).status == 200
    assert server.curl("off.test", "/", "--data-binary", f"@{big}", *via).status == 200
    server.curl("no.test", "/", "-k", *via, check=False)
    expected = {}
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        now = {name: server.metric(f"sallyport_{name}_bytes_total") - before[name] for name in before}
        expected = {"received": tap.up, "sent": tap.down}
        if now == expected:
            break
        time.sleep(0.05)
    assert now == expected and tap.up > 10000 and tap.down > 3000
    counted = json.loads(server.admin("/stats.json")[1])["bytes"]
    assert counted == {name: server.metric(f"sallyport_{name}_bytes_total") for name in before}


def test_the_process_is_as_the_kernel_says(server, pki):
    process = pathlib.Path(f"/proc/{server.process.pid}")
    with server.open(server.tls_client(), "off.test") as connection:
        connection.get()
        assert server.metric("process_open_fds") == pytest.approx(len(list((process / "fd").iterdir())), abs=2)
    limit = re.search(r"Max open files\s+(\d+)", (process / "limits").read_text()).group(1)
    assert server.metric("process_max_fds") == int(limit)
    assert server.metric("process_resident_memory_bytes") == pytest.approx(server.rss_kib() * 1024, rel=0.2)
    assert server.metric("process_virtual_memory_bytes") > server.metric("process_resident_memory_bytes")
    started = server.metric("process_start_time_seconds")
    assert time.time() - 120 < started <= server.metric("sallyport_config_last_reload_timestamp_seconds") + 1
    spent = server.metric("process_cpu_seconds_total")
    for _ in range(20):
        server.curl("e.test", cert=pki.valid().bundle)
    assert spent < server.metric("process_cpu_seconds_total") < spent + 60
    document = json.loads(server.admin("/stats.json")[1])
    assert document["process"]["started"] == pytest.approx(started, abs=0.001)
    assert document["process"]["max_descriptors"] == int(limit)
    assert document["process"]["open_descriptors"] > 3 and document["process"]["resident_bytes"] > 1e6
    assert document["process"]["cpu_seconds"] > spent
    assert document["limits"] == {"connections": 4096} and document["config"]["last_reload_successful"] is True
    assert document["config"]["last_reload"] == server.metric("sallyport_config_last_reload_timestamp_seconds")
