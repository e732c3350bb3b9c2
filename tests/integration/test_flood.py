"""Sallyport under small floods: who is refused, that known clients are served, and that it is over when it is over.

On what is counted, not on how fast: a busy machine floods sooner, and that is all.
"""

import contextlib
import json
import re
import socket
import subprocess
import time

import pytest

from conftest import ROOT, SANITIZED, wait_for

LOAD = ROOT / "build" / "bench" / "sallyport-load"
CALM, LOADED = 0, 1

pytestmark = pytest.mark.skipif(not LOAD.exists(), reason="build/bench/sallyport-load is not built")


@contextlib.contextmanager
def flood(server, mode, *options, connections=256, seconds=60, sources=200):
    """From addresses that no client of ours has, for as long as the test needs it."""
    command = [str(LOAD), mode, "--connect", f"127.0.0.1:{server.port}", "--sni", "f.test", "--connections", str(connections), "--duration",
               str(seconds), "--source-addresses", str(sources), "--source-first", "127.64.0.1", *map(str, options)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=20)


def state(server):
    return server.metric("sallyport_admission_state")


def rejected(server, **labels):
    return server.metric("sallyport_rejected_total", **labels)


def credentials(pki, mode):
    """The certificate that the forgers begin with."""
    return ["--cert", pki.valid().bundle] if mode in ("rogue", "forged") else []


@pytest.fixture
def site(serve, host, pki):
    """A server of one shard to which 127.0.0.1 is a known client."""

    def start(**top):
        server = serve([host("f.test", "enforce")], shards=1, **top)
        assert server.curl("f.test", cert=pki.valid().bundle).status == 200
        return server

    return start


# The reason by which each flood is refused, before suspects are not heard any more.
FLOODS = [
    ("random", {"stage": "hello", "reason": "not_tls"}),
    ("http", {"stage": "hello", "reason": "plain_http"}),
    ("hello", {"stage": "handshake"}),
    ("hello-away", {"stage": "handshake"}),
    ("fragments", {"stage": "hello"}),  # malformed while the shard is loaded, else too slow
    ("silent", {"stage": "hello", "reason": "timeout"}),
    ("slow", {"stage": "hello", "reason": "timeout"}),
    ("rogue", {"stage": "certificate", "reason": "denied"}),
    ("forged", {"stage": "certificate", "reason": "denied"}),
    ("churn", {"stage": "hello", "reason": "closed"}),
    ("junk-ticket", {"stage": "handshake"}),
]


@pytest.mark.parametrize("mode, seen_as", FLOODS, ids=[one[0] for one in FLOODS])
def test_known_clients_are_served_beside_it(site, pki, mode, seen_as):
    server = site(limits={"handshake_timeout": "1s", "connections": 4096})
    with flood(server, mode, *credentials(pki, mode)):
        wait_for(lambda: rejected(server, **seen_as) > 50)
        for _ in range(10):
            assert server.curl("f.test", cert=pki.valid().bundle).status == 200
    wait_for(lambda: server.metric("sallyport_connections") == 0)
    assert server.metric("sallyport_requests_total", host="f.test", code="200") == 11
    assert server.metric("sallyport_client_certs_total", host="f.test", reason="ok") == 11


@pytest.mark.parametrize("mode", ["hello", "rogue"])
def test_suspects_are_not_heard_and_calm_returns(site, pki, mode):
    """Floods that cost the server more than those who make them, so that it is loaded on any machine."""
    server = site()
    with flood(server, mode, *credentials(pki, mode)):
        wait_for(lambda: state(server) >= LOADED)
        wait_for(lambda: rejected(server, stage="accept", reason="suspect") > 0)
        wait_for(lambda: rejected(server, stage="accept", reason="blocked") > 0)
        for _ in range(10):
            assert server.curl("f.test", cert=pki.valid().bundle).status == 200
    wait_for(lambda: state(server) == CALM, within=40)
    assert server.curl("f.test", cert=pki.valid().bundle).status == 200
    assert server.curl("f.test").status == 403, "nobody else is known for it"


@pytest.mark.parametrize("mode", ["hello", "rogue"])
def test_a_flood_from_everywhere_is_heard_in_part(site, pki, mode):
    """From so many sources that none fails often: the kernel drops some, never known ones, until it is over."""
    server = site()
    with flood(server, mode, *credentials(pki, mode), connections=512, sources=60000):
        wait_for(lambda: rejected(server, stage="accept", reason="blocked") > 0)
        connecting = 0
        for _ in range(20):
            response = server.curl("f.test", "/", "-w", "%{time_connect}", cert=pki.valid().bundle)
            assert response.status == 200
            connecting += float(re.search(r"\d+\.\d+$", response.text)[0])
        assert connecting < 15, "a SYN that is dropped costs a second"
    wait_for(lambda: state(server) == CALM, within=40)
    blocked = rejected(server, stage="accept", reason="blocked")
    for i in range(20):
        assert server.curl("f.test", "/", "--interface", f"127.9.1.{1 + i}").status == 403
    assert rejected(server, stage="accept", reason="blocked") == blocked


@pytest.mark.slow
def test_one_known_source_does_not_take_all(site, pki):
    """A device that does handshakes as fast as it can, beside fifty others that do one now and then, all of them valid."""
    server = site()
    greedy, others = pki.client(subject="greedy").bundle, pki.client(subject="other").bundle
    load = [str(LOAD), "handshake", "--connect", f"127.0.0.1:{server.port}", "--sni", "f.test", "--json"]
    with subprocess.Popen([*load, "--cert", others, "--connections", "4", "--rate", "100", "--duration", "16", "--source-addresses", "50",
                           "--source-first", "127.33.0.1"], stdout=subprocess.PIPE, text=True) as known:
        wait_for(lambda: server.metric("sallyport_requests_total", host="f.test", code="200") > 100)
        with subprocess.Popen([*load, "--cert", greedy, "--connections", "128", "--duration", "20", "--source-addresses", "1",
                               "--source-first", "127.34.0.1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            wait_for(lambda: server.metric("sallyport_over_budget_total", bound="source_work") > 0, within=14)
            process.terminate()
        result = json.loads(known.communicate(timeout=30)[0])
    assert known.returncode == 0, result
    assert result["measured"]["answers"] > 200


def test_unknown_clients_are_served_beside_known_ones(site, pki):
    """New clients, from addresses that were never seen, in a flood of others: some of them get in, and then they are known."""
    server = site()
    with flood(server, "hello", connections=512, sources=2000, seconds=20):
        wait_for(lambda: state(server) >= LOADED)
        served = 0
        for i in range(40):
            options = ("/", "--interface", f"127.9.0.{1 + i}")
            served += server.curl("f.test", *options, cert=pki.valid().bundle, check=False, timeout=5).status == 200
        assert served >= 4, served


def test_a_table_full_of_slow_clients_makes_room(site, pki):
    server = site(limits={"connections": 256})
    with flood(server, "slow", "--interval", "0.5", "--timeout", "10", connections=400, sources=2):
        wait_for(lambda: server.metric("sallyport_connections") >= 250)
        # More than the places that are kept for known clients alone.
        known = [server.connect("f.test", cert=pki.valid().bundle) for _ in range(20)]
        for connection in known:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: f.test\r\n\r\n")
            assert connection.recv(15) == b"HTTP/1.1 200 OK"
        assert rejected(server, stage="hello", reason="evicted") > 0
        for connection in known:
            connection.close()


@pytest.mark.parametrize("certificate", [True, False], ids=["unknown-issuer", "none"])
def test_a_table_full_of_those_who_hold_makes_room(site, pki, certificate):
    """Clients that complete their handshakes, ask for little and take their 403."""
    server = site(limits={"connections": 256})
    shown = ["--cert", pki.client(issuer=pki.other_root, cache="holder").bundle] if certificate else []
    with flood(server, "hold", "--interval", "5", *shown, connections=400, sources=8):
        wait_for(lambda: rejected(server, stage="certificate", reason="denied") > 200, within=60)
        for i in range(10):
            assert server.curl("f.test", cert=pki.valid().bundle).status == 200
            time.sleep(0.1)
    wait_for(lambda: server.metric("sallyport_connections") == 0)
    assert server.metric("sallyport_requests_total", host="f.test", code="200") == 11


def test_nobody_lingers_behind_an_alert(site, pki):
    """A hello that gets an alert, and bytes behind it for ever, from one address."""
    server = site(limits={"connections": 64})
    false_hello = b"\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00"
    held = []
    for _ in range(100):
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=5, source_address=("127.5.0.9", 0))
        with contextlib.suppress(OSError):
            connection.sendall(false_hello)
            assert connection.recv(100)[:1] == b"\x15"
        held.append(connection)
    wait_for(lambda: server.metric("sallyport_connections") == 0, within=1.5)
    assert rejected(server, stage="hello", reason="malformed") == 100
    for connection in held:
        connection.close()


@pytest.mark.measured
def test_unfinished_hellos_hold_little_memory(site, pki):
    server = site()
    announced = (15300).to_bytes(3, "big")
    hello = b"\x16\x03\x01" + (15304).to_bytes(2, "big") + b"\x01" + announced + b"\x03\x03" + bytes(14000)
    before = server.rss_kib()
    held = []
    for i in range(3000):
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=5, source_address=(f"127.5.{i % 20}.9", 0))
        with contextlib.suppress(OSError):
            connection.sendall(hello)
        held.append(connection)
    wait_for(lambda: rejected(server, stage="hello", reason="evicted") > 2000)
    assert server.rss_kib() - before < 16 * 1024
    assert server.curl("f.test", cert=pki.valid().bundle).status == 200
    for connection in held:
        connection.close()


@pytest.mark.slow
def test_small_bodies_do_not_add_up(site, pki):
    """Each comes a second after its head, on one connection."""
    server = site()
    with server.connect("f.test", cert=pki.valid().bundle) as connection:
        for i in range(13):
            connection.sendall(b"POST /body HTTP/1.1\r\nHost: f.test\r\nContent-Length: 5\r\n\r\n")
            time.sleep(1)
            connection.sendall(b"hello")
            received = b""
            while b"\r\n\r\n" not in received or not received.endswith(b"hello") and not received.endswith(b"0\r\n\r\n"):
                piece = connection.recv(65536)
                assert piece, received
                received += piece
            assert received.startswith(b"HTTP/1.1 200"), (i, received)


def test_a_reload_and_a_drain_with_hellos_that_wait(site, host):
    server = site()
    with flood(server, "hello", connections=1024, sources=500):
        wait_for(lambda: state(server) >= LOADED)
        for _ in range(3 if SANITIZED else 10):
            assert server.hang_up()
        assert server.reload([host("f.test", "enforce"), host("g.test")])
        server.stop()


def test_a_flood_does_not_fill_the_log(site, pki):
    """Thousands of bad connections of each kind, and not a line for any of them."""
    server = site(limits={"handshake_timeout": "1s", "connections": 4096})
    lines = len(server.stderr().splitlines())
    total = 0
    begin = time.monotonic()
    for mode in ("random", "http", "hello", "fragments", "rogue", "churn"):
        before = rejected(server)
        with flood(server, mode, *credentials(pki, mode), sources=2000):
            wait_for(lambda: rejected(server) - before > 1000)
        total += rejected(server) - before
    assert total > 6000
    assert len(server.stderr().splitlines()) - lines <= 1 + time.monotonic() - begin, server.stderr()
