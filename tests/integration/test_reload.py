"""SIGHUP: what changes, from when on, and that nothing is lost on the way."""

import re
import subprocess
import time

import pytest

from conftest import ROOT, SANITIZED, ask_as_invalid, free_port, full_and_resumed, seen, wait_for

pytestmark = pytest.mark.both_protocols

LOAD = ROOT / "build" / "bench" / "sallyport-load"
VERSIONS = ["1.2", "1.3"]


def test_certificate_bodies_origins_and_limits(serve, host, pki, tmp_path):
    body = tmp_path / "deny.json"
    body.write_text('{"say": "one"}')
    entry = host("r.test", "enforce", deny={"json": str(body)})
    server = serve([entry], limits={"connections": 64, "request_header_size": "4KiB"})
    client = pki.valid()
    held = server.open(server.tls_client(client.bundle), "r.test")
    serial = held.tls.getpeercert()["serialNumber"]
    assert held.get()[0] == 200
    assert server.curl("r.test").text == '{"say": "one"}'
    long = ("-H", "X-Long: " + "x" * 6000)
    assert server.curl("r.test", "/", *long, cert=client.bundle).status == 431

    body.write_text('{"say": "two"}')
    renewed = pki.server("rsa-2048", "r.test")
    changed = host("r.test", "enforce", deny={"json": str(body)}, server=renewed, forward={"headers": {"X-New": "subject.cn"}})
    assert server.reload([changed], limits={"connections": 128, "request_header_size": "16KiB"}), server.stderr()
    status, _, seen_by_origin = held.get()
    assert status == 200 and seen(seen_by_origin, "X-New") != [], "an open connection has the new headers"
    assert held.tls.getpeercert()["serialNumber"] == serial
    with server.open(server.tls_client(client.bundle), "r.test") as fresh:
        assert fresh.tls.getpeercert()["serialNumber"] != serial
    assert server.curl("r.test").text == '{"say": "two"}'
    assert server.curl("r.test", "/", *long, cert=client.bundle).status == 200
    held.close()


def test_origin_changes_for_open_connections_too(serve, host, nginx, tmp_path_factory):
    import origins
    with origins.Nginx(tmp_path_factory.mktemp("other"), free_port()) as other:
        (other.files / "small.txt").write_text("the other\n")
        server = serve([host("r.test")])
        with server.open(server.tls_client(), "r.test") as connection:
            assert connection.get("/files/small.txt")[2] == "small\n"
            assert server.reload([host("r.test", origin=f"127.0.0.1:{other.port}")])
            assert connection.get("/files/small.txt")[2] == "the other\n"


def test_hosts_come_and_go(serve, host, pki):
    server = serve([host("a.test"), host("b.test")])
    context = server.tls_client()
    a, b = server.open(context, "a.test"), server.open(context, "b.test")
    assert a.get()[0] == 200 and b.get()[0] == 200
    assert server.metric("sallyport_requests_total", host="a.test", code="200") == 1
    assert server.reload([host("c.test"), host("a.test")])
    assert a.get()[0] == 200
    assert b.is_closed(), "nobody serves that name any more"
    assert server.curl("c.test").status == 200
    assert server.curl("b.test", check=False).returncode != 0
    assert server.metric("sallyport_requests_total", host="a.test", code="200") == 2, "it goes on counting"
    assert server.metric("sallyport_requests_total", host="c.test", code="200") == 1
    assert 'host="b.test"' not in server.admin("/metrics")[1]
    a.close()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("mode", ["enforce", "report"])
def test_a_removed_root_counts_for_open_and_resumed_connections(serve, host, pki, mode, version):
    reasons = {"headers": {"X-Reason": "reason"}}
    both = [str(pki.root.cert), str(pki.other_root.cert)]
    server = serve([host("r.test", mode, ca=both, forward=reasons)])
    context = server.tls_client(pki.valid().bundle, version)
    full, resumed, session = full_and_resumed(server, context, "r.test")

    assert server.reload([host("r.test", mode, ca=[str(pki.other_root.cert)], forward=reasons)])
    fresh = server.open(context, "r.test", session)
    assert not fresh.tls.session_reused, "it is judged afresh"
    for connection in [full, resumed, fresh]:
        ask_as_invalid(connection, mode, "unknown_issuer", "X-Reason")
    if mode == "enforce":
        assert full.is_closed() and resumed.is_closed()

    assert server.reload([host("r.test", mode, ca=both, forward=reasons)])
    with server.open(context, "r.test") as again:
        assert again.get()[0] == 200
    if mode == "report":
        for connection in [full, resumed]:
            assert seen(connection.get()[2], "X-Client-Cert-Status") == ["valid"], "the root is back"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_lowered_limit_of_chains(serve, host, pki, version):
    server = serve([host("r.test", "enforce")])
    context = server.tls_client(pki.rich().bundle, version)
    held = server.open(context, "r.test")
    assert held.get()[0] == 200
    session = held.tls.session
    assert server.reload(limits={"connections": 4096, "certificate_chain_size": "1KiB"}), server.stderr()
    with server.open(context, "r.test", session) as fresh:
        assert not fresh.tls.session_reused and fresh.get()[0] == 403
    assert held.get()[0] == 403 and held.is_closed()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_mode_that_is_tightened(serve, host, pki, version):
    server = serve([host("r.test", "off"), host("s.test", "report")])
    context = server.tls_client(pki.valid().bundle, version)
    nobody = server.tls_client(None, version)
    never_asked = server.open(context, "r.test")
    assert never_asked.get()[0] == 200
    without = server.open(nobody, "s.test")
    assert without.get()[0] == 200
    known = server.open(context, "s.test")
    assert known.get()[0] == 200
    assert server.reload([host("r.test", "enforce"), host("s.test", "enforce")])
    for session, client, name in [(never_asked.tls.session, context, "r.test"), (without.tls.session, nobody, "s.test"),
                                  (known.tls.session, context, "s.test")]:
        with server.open(client, name, session) as connection:
            assert not connection.tls.session_reused
            assert connection.get()[0] == (403 if client is nobody else 200)
    status, headers, _ = never_asked.get()
    assert status == 403 and headers["connection"] == "close" and never_asked.is_closed()
    assert without.get()[0] == 403 and without.is_closed()
    assert known.get()[0] == 200, "its certificate is as good as before"


def test_what_does_not_change_is_not_judged_again(serve, host, pki):
    server = serve([host("r.test", "enforce")])
    context = server.tls_client(pki.valid().bundle)
    with server.open(context, "r.test") as connection:
        assert connection.get()[0] == 200
        session = connection.tls.session
        for _ in range(3):
            assert server.hang_up()
            assert connection.get()[0] == 200
    with server.open(context, "r.test", session) as connection:
        assert connection.tls.session_reused and connection.get()[0] == 200
    with server.open(server.tls_client(pki.valid().bundle), "r.test") as connection:
        assert connection.get()[0] == 200
    assert server.metric("sallyport_cert_verify_seconds_count", path="full") == 1
    assert server.metric("sallyport_config_reloads_total", result="ok") == 3


@pytest.mark.http1_only
def test_a_bad_configuration_changes_nothing(serve, host, pki, tmp_path):
    server = serve([host("r.test", "enforce")])
    context = server.tls_client(pki.valid().bundle)
    held = server.open(context, "r.test")
    assert held.get()[0] == 200
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    good = server.path.read_text()
    bad = host("r.test", "enforce", ca=[str(empty)])
    bad["key"] = str(tmp_path / "absent.key")
    assert not server.reload([bad, host("new.test")], limits={"connections": 0})
    log = server.stderr()
    for expected in ["limits.connections", str(empty), "absent.key", "the old configuration goes on serving"]:
        assert expected in log, log
    assert len(re.findall(r"(?<!WARNING )" + re.escape(str(server.path)) + r":\d+: ", log)) == 3
    assert held.get()[0] == 200
    assert server.curl("r.test", cert=pki.valid().bundle).status == 200
    assert server.curl("new.test", check=False).returncode != 0

    server.path.write_text("hosts: [")
    assert not server.hang_up()
    server.path.unlink()
    assert not server.hang_up()
    assert held.get()[0] == 200
    server.path.write_text(good)
    assert server.hang_up()
    assert held.get()[0] == 200
    assert server.metric("sallyport_config_reloads_total", result="failed") == 3
    held.close()


@pytest.mark.http1_only
def test_what_takes_a_restart_is_said(serve, host):
    server = serve([host("r.test")], cert_cache={"entries": 1000}, limits={"connections": 100})
    before = dict(server.config)
    assert not server.reload(listen=[{"address": f"127.0.0.1:{free_port()}"}], admin={"address": f"127.0.0.1:{free_port()}"},
                             shards=1, cert_cache={"entries": 2000}, limits={"connections": 201})
    log = server.stderr()
    for key in ["listen", "admin", "shards", "cert_cache.entries"]:
        assert f"{server.path}: {key} has changed: that takes a restart" in log, log
    assert "limits.connections has been raised to 201: without a restart it can be 200 at most" in log
    assert server.curl("r.test").status == 200
    server.config = before
    assert server.reload(limits={"connections": 200})


def test_connections_above_a_lowered_limit(serve, host):
    server = serve([host("r.test")], shards=1, limits={"connections": 8})
    context = server.tls_client()
    held = [server.open(context, "r.test") for _ in range(6)]
    assert server.reload(limits={"connections": 4})
    for connection in held:
        assert connection.get()[0] == 200
    assert server.curl("r.test", check=False).returncode != 0
    for connection in held[2:]:
        connection.close()
    wait_for(lambda: server.curl("r.test", check=False).returncode == 0)
    for connection in held[:2]:
        connection.close()


def test_answers_under_way_are_not_cut(serve, host, nginx):
    (nginx.files / "big.bin").write_bytes(b"0123456789abcdef" * 65536 * 4)
    server = serve([host("r.test")])
    command = server.curl_command("r.test", "/files/big.bin", "--limit-rate", "2M", "-o", "/dev/null", "-w",
                                  "%{http_code} %{size_download}")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as slow:
        time.sleep(0.3)
        for _ in range(5):
            assert server.hang_up()
        output, _ = slow.communicate(timeout=30)
    assert output == f"200 {16 * 65536 * 4}"


def load(server, mode, seconds, *options):
    return subprocess.Popen([str(LOAD), mode, "--connect", f"127.0.0.1:{server.port}", "--sni", "r.test", "--connections", "16",
                             "--duration", str(seconds), "--warmup", "0", *map(str, options)],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.slow
@pytest.mark.http1_only
def test_a_hundred_reloads_under_load(serve, host, pki, tmp_path):
    """Keep-alive requests and new handshakes all the while; the configuration alternates, the policy with it."""
    if not LOAD.exists():
        pytest.skip("build/bench/sallyport-load is not built")
    count = 20 if SANITIZED else 100
    client = pki.valid()
    one = host("r.test", "enforce", ca=[str(pki.root.cert)])
    two = host("r.test", "enforce", ca=[str(pki.root.cert), str(pki.other_root.cert)],
               crl=[str(pki.crl(pki.root)), str(pki.crl(pki.intermediate, [pki.expired()]))],
               server=pki.server("rsa-2048", "r.test"), forward={"headers": {"X-Device": "subject.cn"}})
    server = serve([one, host("other.test", "report")])
    for _ in range(10):
        assert server.hang_up()
    before = server.rss_kib()
    # They go on until they are told to stop: how long the reloads take depends on what else the machine does.
    loads = [load(server, mode, 3600, "--cert", client.bundle) for mode in ["request", "handshake"]]
    try:
        for i in range(count):
            assert server.reload([two] if i % 2 == 0 else [one, host("other.test", "report")]), server.stderr()
        assert all(process.poll() is None for process in loads), "all reloads were under load"
        for process in loads:
            process.terminate()
            output, _ = process.communicate(timeout=60)
            assert process.returncode == 0, output
    finally:
        for process in loads:
            process.kill()
    assert server.metric("sallyport_config_reloads_total", result="ok") == count + 10
    assert server.metric("sallyport_requests_total", host="r.test", code="403") == 0
    if not SANITIZED:
        assert server.rss_kib() - before < 32 * 1024
