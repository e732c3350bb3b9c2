"""The process: start, end, drain, limits, churn, the admin listener."""

import os
import random
import resource
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

import origins
from conftest import BINARY, SANITIZED, wait_for


def failing(serve, *arguments, **options):
    server = serve(*arguments, ready=False, **options)
    code = server.process.wait(20)
    server.stopped = True
    return code, server.stderr()


def test_ready_line(serve, host):
    server = serve([host("r.test")])
    server.stop()
    assert len(server.process.stdout.read().splitlines()) + len(server.stderr().splitlines()) >= 1


@pytest.mark.parametrize("word", ["double", "Single", "batch "])
def test_crypto_of_another_word(serve, host, word):
    code, log = failing(serve, [host("r.test")], environment={"SALLYPORT_CRYPTO": word})
    assert code == 1
    assert "SALLYPORT_CRYPTO" in log and "'single' or 'batch'" in log


def test_crypto_that_this_processor_may_not_have(serve, host):
    with open("/proc/cpuinfo") as info:
        has_batches = "avx512ifma" in info.read()
    server = serve([host("r.test")], environment={"SALLYPORT_CRYPTO": "batch"})
    assert ("SALLYPORT_CRYPTO is 'batch'" in server.stderr()) == (not has_batches)
    assert ("accelerated-batch crypto" in server.stderr()) == has_batches
    for word in ("single", ""):
        server = serve([host("r.test")], environment={"SALLYPORT_CRYPTO": word})
        assert "SALLYPORT_CRYPTO" not in server.stderr()
        assert ("accelerated-batch crypto" in server.stderr()) == (has_batches and word == "")


def test_address_in_use(serve, host):
    first = serve([host("r.test")])
    code, log = failing(serve, [host("r.test")], listen=[{"address": f"127.0.0.1:{first.port}"}])
    assert code == 1
    assert str(first.port) in log and "another process" in log
    code, log = failing(serve, [host("r.test")], admin={"address": f"127.0.0.1:{first.admin_port}"})
    assert code == 1
    assert str(first.admin_port) in log


@pytest.mark.skipif(SANITIZED, reason="the sanitizers need address space of their own")
def test_too_few_descriptors(serve, host):
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, 300))
        # Without the capability to raise it again.
        subprocess_uid = 65534
        os.setgroups([])
        os.setresuid(subprocess_uid, subprocess_uid, subprocess_uid)

    if os.geteuid() != 0:
        pytest.skip("needs root to become somebody else")
    server = serve([host("r.test")], ready=False, limits={"connections": 4096})
    server.process.kill()
    server.process.wait()
    server.stopped = True
    # The files of the test are root's: read the configuration as root, then run with few descriptors and capabilities.
    result = subprocess.run(["setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource", "prlimit", "--nofile=300:300",
                             str(BINARY), "run", "-c", str(server.path)], capture_output=True, text=True, timeout=20)
    assert result.returncode == 1
    assert "file descriptors" in result.stderr and "ulimit -n" in result.stderr


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGINT])
def test_ends_clean_with_idle_connections(serve, host, pki, with_signal):
    server = serve([host("r.test", "report")])
    connections = [server.connect("r.test", pki.valid().bundle) for _ in range(20)]
    for connection in connections:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: r.test\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    begin = time.monotonic()
    server.stop(with_signal)
    assert time.monotonic() - begin < 15, "nobody waits for them to ask again"


def nobody_listens(server):
    try:
        socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
        return False
    except OSError:
        return True


@pytest.mark.both_protocols
def test_drain_lets_a_request_end(serve, host):
    asked, release = threading.Event(), threading.Event()

    def script(connection, number):
        origin.read_head(connection)
        asked.set()
        release.wait(20)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")

    with origins.Scripted(script) as origin:
        server = serve([host("d.test", origin=origin.address)])
        with server.connect("d.test") as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: d.test\r\n\r\n")
            assert asked.wait(20)
            server.process.send_signal(signal.SIGTERM)
            wait_for(lambda: nobody_listens(server))
            release.set()
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
        assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"done")
        assert b"connection: close" in answer.lower()
        server.stop()


@pytest.mark.both_protocols
def test_a_drain_may_be_delayed(serve, host):
    """Balancers are told at once, and clients are served until the delay is over."""
    server = serve([host("d.test")], drain={"delay": "5s", "timeout": "5s"})
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    wait_for(lambda: server.admin("/readyz")[0] == 503)
    assert time.monotonic() - began < 4
    with server.connect("d.test") as connection:
        assert server.curl("d.test").status == 200
        server.process.send_signal(signal.SIGTERM)
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "leaving: nothing is reloaded any more" in server.stderr())
        assert server.curl("d.test").status == 200 and not nobody_listens(server)
        assert connection.fileno() >= 0
        wait_for(lambda: nobody_listens(server))
        assert 4.9 < time.monotonic() - began < 9
    server.stop(timeout=15)
    assert "not ready any more; serving for 5 s as before, then draining" in server.stderr()


def test_an_end_at_once_needs_no_delay(serve, host):
    server = serve([host("d.test")], drain={"delay": "10m"})
    server.process.send_signal(signal.SIGTERM)
    wait_for(lambda: server.admin("/readyz")[0] == 503)
    server.stop(signal.SIGINT, timeout=10)


def test_a_drain_has_the_time_that_it_is_given(serve, host, scripted):
    """As the configuration says that was loaded last."""
    asked = threading.Event()

    def script(connection, number):
        asked.set()
        while connection.recv(65536):
            pass

    server = serve([host("d.test", origin=scripted(script).address)], drain={"timeout": "10m"})
    assert server.reload(drain={"timeout": "3s"})
    with server.connect("d.test") as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: d.test\r\n\r\n")
        assert asked.wait(20)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(20)
        assert 2 < time.monotonic() - began < 15
    server.stop()


def test_admin(serve, host, pki):
    server = serve([host("m.test", "enforce"), host("o.test", "report")])
    assert server.admin("/healthz")[0] == 200
    assert server.admin("/readyz")[0] == 200
    assert server.admin("/nothing")[0] == 404
    assert server.admin("/healthz?x=y")[0] == 200
    posted = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-d", "x",
                             f"http://127.0.0.1:{server.admin_port}/metrics"], capture_output=True, text=True)
    assert posted.stdout == "405"


@pytest.mark.both_protocols
def test_metrics_move(serve, host, pki):
    server = serve([host("m.test", "enforce"), host("o.test", "report")])
    page = server.admin("/metrics")[1]
    assert 'sallyport_client_certs_total{host="m.test",status="valid",reason="ok"} 0' in page
    server.curl("m.test")
    server.curl("m.test", cert=pki.valid().bundle)
    server.curl("o.test", cert=pki.expired().bundle, version="1.2")
    server.curl("no.test", "/", "-k", check=False)
    assert server.metric("sallyport_client_certs_total", host="m.test", status="none", reason="absent") == 1
    assert server.metric("sallyport_client_certs_total", host="m.test", status="valid", reason="ok") == 1
    assert server.metric("sallyport_client_certs_total", host="o.test", status="invalid", reason="expired") == 1
    assert server.metric("sallyport_requests_total", host="m.test", code="403") == 1
    assert server.metric("sallyport_requests_total", host="m.test", code="200") == 1
    assert server.metric("sallyport_handshakes_total", result="ok", kind="full", version="TLSv1.2") == 1
    assert server.metric("sallyport_handshakes_total", result="ok", kind="full", version="TLSv1.3") == 2
    assert server.metric("sallyport_handshake_seconds_count", kind="full") == 3
    assert server.metric("sallyport_rejected_total", stage="hello") >= 1
    assert server.metric("sallyport_rejected_total", stage="certificate") == 1
    assert server.metric("sallyport_connections_total") >= 4
    assert server.metric("sallyport_build_info") == 1


def test_admin_is_as_hostile_as_any_port(serve, host):
    server = serve([host("m.test")])
    for request in [b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n", b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 3000, b"\r\n" * 50]:
        with socket.create_connection(("127.0.0.1", server.admin_port), timeout=15) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
    silent = [socket.create_connection(("127.0.0.1", server.admin_port), timeout=5) for _ in range(40)]
    assert server.admin("/healthz")[0] == 200
    for connection in silent:
        connection.close()


def random_death(server, bundle, rng):
    """One connection, ended by a reset, a close or silence at a random point of handshake, request or response."""
    raw = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    stage = rng.randrange(7)
    try:
        if stage == 0:
            raw.sendall(rng.randbytes(rng.randrange(1, 300)))
        elif stage in (1, 2):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = context.wrap_bio(incoming, outgoing, server_hostname="c.test")
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                pass
            hello = outgoing.read()
            raw.sendall(hello if stage == 2 else hello[:rng.randrange(1, len(hello))])
            if stage == 2 and rng.random() < 0.5:
                raw.recv(rng.randrange(1, 4000))
        elif stage >= 3:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            if rng.random() < 0.5:
                context.load_cert_chain(bundle)
            raw = context.wrap_socket(raw, server_hostname="c.test", suppress_ragged_eofs=True)
            request = b"GET /files/random HTTP/1.1\r\nHost: c.test\r\n\r\n"
            if stage == 4:
                raw.sendall(request[:rng.randrange(1, len(request))])
            elif stage == 5:
                raw.sendall(request)
            elif stage == 6:
                raw.sendall(request * rng.randrange(1, 4))
                raw.recv(rng.randrange(1, 100000))
        if rng.random() < 0.5:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    except (OSError, ssl.SSLError):
        pass
    raw.close()


@pytest.mark.slow
def test_10_000_connections_dropped_at_random_points(serve, host, pki, nginx):
    """Nothing is left over: the server counts descriptors' slots, slab slots and operations when it ends (Server.stop)."""
    (nginx.files / "random").write_bytes(os.urandom(300_000))
    # Without a bound on the rate of its one source, or most of them die at accept, some before connect() returns.
    server = serve([host("c.test", "report")], admission={"source_rate": 0})
    count = 2_500 if not SANITIZED else 500

    died = []

    def work(seed):
        rng = random.Random(seed)
        for _ in range(count):
            random_death(server, pki.valid().bundle, rng)
            died.append(seed)

    if os.geteuid() != 0:
        pytest.skip("takes root, who alone may look into the process")
    descriptors = lambda: len(os.listdir(f"/proc/{server.process.pid}/fd"))
    server.curl("c.test")
    before = descriptors()
    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(died) == 4 * count, "each of them was connected"
    wait_for(lambda: server.metric("sallyport_connections") == 0)
    assert descriptors() <= before + 8, "pooled connections to the origin may differ"
    assert server.curl("c.test").status == 200
    server.stop()


def test_connection_limit(serve, host):
    server = serve([host("l.test")], limits={"connections": 16}, shards=1)
    held = []
    for _ in range(40):
        try:
            held.append(socket.create_connection(("127.0.0.1", server.port), timeout=5))
            held[-1].sendall(b"\x16\x03\x01")  # who is silent would have to make room instead
        except ConnectionResetError:
            pass
    rejected = lambda: sum(server.metric("sallyport_rejected_total", stage=stage, reason=reason)
                           for stage, reason in [("accept", "limit"), ("hello", "evicted")])
    wait_for(lambda: rejected() >= 24)
    assert server.metric("sallyport_connections") <= 16
    assert server.metric("sallyport_rejected_total", stage="accept", reason="limit") > 0
    for connection in held:
        connection.close()
    wait_for(lambda: server.metric("sallyport_connections") == 0)
    assert server.curl("l.test").status == 200


def test_plain_http_is_told(serve, host):
    server = serve([host("p.test")])
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: p.test\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 400")


def test_handshake_timeout(serve, host):
    server = serve([host("t.test")], limits={"connections": 64, "handshake_timeout": "1s"})
    for start in [b"", b"\x16\x03\x01\x02\x00\x01"]:
        begin = time.monotonic()
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            connection.sendall(start)
            try:
                assert connection.recv(100) == b""
            except ConnectionResetError:
                pass
            assert 0.5 < time.monotonic() - begin < 4.5, "before the default of five seconds"
    assert server.metric("sallyport_rejected_total", stage="hello", reason="timeout") == 2
