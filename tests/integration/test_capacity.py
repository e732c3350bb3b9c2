"""How many connections there are, by the file descriptors that the process may have."""

import ctypes
import os
import re
import resource
import subprocess
import threading

import pytest

import origins
from conftest import BINARY, SANITIZED, wait_for

PR_CAPBSET_DROP = 24
CAP_SYS_RESOURCE = 24


def few(soft=1024, hard=None):
    """Sets both limits, for good: root could raise them again."""
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard or soft))
        if os.geteuid() == 0:
            assert ctypes.CDLL(None, use_errno=True).prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE, 0, 0, 0) == 0
    return limit


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="takes root, who alone may look into the process")


def run(*arguments, preexec=None, environment=None, timeout=120):
    return subprocess.run([str(BINARY), *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                          preexec_fn=preexec, env={**os.environ, **(environment or {})})


def effective(log):
    found = re.findall(r"limits\.connections is not set, and is (\d+) instead of 65536", log)
    assert len(found) == 1, log
    return int(found[0])


@needs_root
def test_1024_descriptors_run_a_server(serve, host, pki):
    server = serve([host("r.test", "report")], preexec=few(), limits={"idle_timeout": "10m"}, shards=1,
                   admission={"certificate_connections": 0})
    count = effective(server.stderr())
    assert count >= 300
    assert re.search(r"1024 file descriptors; `ulimit -n \d+` as root", server.stderr())
    # All places are taken, each with a request that its own connection to the origin has answered.
    context = server.tls_client(pki.valid().bundle)
    held = []
    for _ in range(count):
        connection = server.open(context, "r.test")
        assert connection.get()[0] == 200
        held.append(connection)
    assert len(os.listdir(f"/proc/{server.process.pid}/fd")) < 1024
    assert server.admin("/readyz")[0] == 200
    assert sum(connection.get()[0] == 200 for connection in held) == count
    for connection in held:
        connection.close()
    assert server.metric("sallyport_requests_total", host="r.test", code="502") == 0


@needs_root
def test_a_connection_to_the_origin_for_each_client_fits(serve, host):
    """Requests on all connections at the same time, at an origin that makes them wait."""
    release = threading.Event()

    def script(connection, number):
        origin.read_head(connection)
        release.wait(60)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with origins.Scripted(script) as origin:
        server = serve([host("s.test", origin=origin.address)], preexec=few(), limits={"request_header_timeout": "10m"}, shards=1)
        count = effective(server.stderr()) * 63 // 64 - 1  # a place in 64 is for known clients alone
        context = server.tls_client()
        held = [server.open(context, "s.test") for _ in range(count)]
        for connection in held:
            connection.tls.sendall(b"GET / HTTP/1.1\r\nHost: s.test\r\n\r\n")
        wait_for(lambda: len(os.listdir(f"/proc/{server.process.pid}/fd")) >= count)
        release.set()
        for connection in held:
            connection.tls.settimeout(30)
            assert connection.tls.recv(65536).startswith(b"HTTP/1.1 200")
            connection.close()


def test_a_soft_limit_is_raised(serve, host):
    server = serve([host("r.test")], preexec=few(1024, 3000), limits={"idle_timeout": "60s"}, shards=1)
    count = effective(server.stderr())
    assert 1300 < count < 3000 and "may have 3000 file descriptors" in server.stderr()
    # Another number for a while, and the old one again.
    assert server.reload(limits={"connections": 100})
    assert server.reload(limits={"idle_timeout": "60s"})
    assert not server.reload(limits={"connections": count + 1})


def test_enough_descriptors_are_no_news(serve, host):
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 200000:
        pytest.skip("the hard limit of file descriptors here is below 200000")
    server = serve([host("r.test")], preexec=few(1024, 200000), limits={"idle_timeout": "60s"}, shards=2)
    assert "limits.connections" not in server.stderr()


def test_advice_for_a_unit(serve, host, tmp_path):
    server = serve([host("r.test")], preexec=few(), limits={"idle_timeout": "60s"},
                   environment={"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    assert re.search(r"1024 file descriptors; LimitNOFILE=\d+ in the systemd unit", server.stderr())
    assert "ulimit" not in server.stderr()


def test_a_reload_keeps_what_is_not_set(serve, host):
    server = serve([host("r.test")], preexec=few(), limits={"idle_timeout": "60s"}, shards=1)
    count = effective(server.stderr())
    assert server.reload(limits={"idle_timeout": "30s"})
    assert server.reload(limits={"connections": count})
    assert not server.reload(limits={"connections": count + 1})
    assert f"limits.connections has been raised to {count + 1}: without a restart it can be {count} at most" in server.stderr()
    assert server.reload(limits={"idle_timeout": "30s"})
    effective(server.stderr())


@pytest.mark.skipif(SANITIZED, reason="the sanitizers need descriptors of their own")
def test_what_does_not_fit_names_what_does(serve, host):
    server = serve([host("r.test")], preexec=few(), ready=False, limits={"connections": 100000}, shards=2)
    assert server.process.wait(20) == 1
    server.stopped = True
    log = server.stderr()
    line = next(number for number, text in enumerate(server.path.read_text().splitlines(), 1) if "connections:" in text)
    assert f"{server.path}:{line}: limits.connections: 100000 needs " in log
    fits = int(re.search(r"this process may have 1024, enough for (\d+): set that, or `ulimit -n \d+`", log)[1])
    server = serve([host("r.test")], preexec=few(), limits={"connections": fits}, shards=2)
    assert server.curl("r.test").status == 200
    more = serve([host("r.test")], preexec=few(), ready=False, limits={"connections": fits + 2}, shards=2)
    assert more.process.wait(20) == 1
    more.stopped = True


def test_more_shards_than_fit(serve, host):
    server = serve([host("r.test")], preexec=few(), ready=False, limits={"idle_timeout": "60s"}, shards=1000)
    assert server.process.wait(20) == 1
    server.stopped = True
    assert re.search(r"1000 shards need \d+ file descriptors at least, and this process may have 1024: set `shards` lower",
                     server.stderr())


def test_advice_beyond_what_the_kernel_allows(serve, host):
    with open("/proc/sys/fs/nr_open") as file:
        if int(file.read()) > 1100000:
            pytest.skip("fs.nr_open is larger than any configuration needs")
    server = serve([host("r.test")], preexec=few(), ready=False, limits={"connections": 1000000}, shards=64)
    assert server.process.wait(20) == 1
    server.stopped = True
    assert re.search(r"sysctl fs\.nr_open=(\d+), and then `ulimit -n \1`", server.stderr())


def test_check_warns_of_both(serve, host):
    server = serve([host("r.test")], limits={"idle_timeout": "60s"})
    result = run("check", "-c", server.path, preexec=few())
    assert result.returncode == 0
    warning = next(line for line in result.stderr.splitlines() if "limits.connections" in line)
    assert warning.startswith(f"{server.path}: warning: limits.connections is not set, and is ")
    assert "1024 file descriptors" in warning and "A server that is started otherwise may have another limit" in warning
    server = serve([host("r.test")], limits={"connections": 4096})
    result = run("check", "-c", server.path, preexec=few())
    assert result.returncode == 0
    assert re.search(r":\d+: warning: limits\.connections: 4096 needs \d+ file descriptors", result.stderr), result.stderr
    assert "limits.connections" not in run("check", "-c", server.path, preexec=few(20000, 20000)).stderr


def test_1024_descriptors_run_the_demo():
    result = run("demo", "--once", preexec=few())
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stderr == ""
