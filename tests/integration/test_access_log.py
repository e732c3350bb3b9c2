"""The access log: what a line says, that it is one for each, and that nobody waits for it."""

import json
import os
import re
import signal
import socket
import time

import pytest

from conftest import NO_SUSPECTS, free_port, wait_for

pytestmark = pytest.mark.both_protocols


def lines_of(path):
    """Those that are whole: another one may just be written."""
    whole, _, _ = path.read_text().rpartition("\n")
    return [json.loads(line) for line in whole.splitlines()]


def wait_for_lines(path, count, within=20):
    """At least so many; and no more when it is looked at again."""
    deadline = time.monotonic() + within
    while not path.exists() or len(lines_of(path)) < count:
        assert time.monotonic() < deadline, path.read_text() if path.exists() else "there is no file"
        time.sleep(0.02)
    time.sleep(0.2)
    return lines_of(path)


@pytest.fixture
def logged(serve, host, tmp_path):
    def start(*hosts, **top):
        path = tmp_path / "access.log"
        # One shard: lines of several come in any order.
        server = serve(list(hosts) or [host("a.test", "report")], **{"shards": 1, "access_log": str(path), **top})
        return server, path

    return start


# A request that is answered 400. HTTP/2 has no line that cannot be read: there a field has no meaning.
UNREADABLE = {"http1": b"GET / HTTP/1.1\r\nHost: gone.test\r\nBad Name: x\r\nConnection: close\r\n\r\n",
              "http2": b"OPTIONS / HTTP/1.1\r\nHost: gone.test\r\nMax-Forwards: x\r\nConnection: close\r\n\r\n"}


def requests_of(lines):
    return [line for line in lines if line["event"] == "request"]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_request_says_who_and_what(logged, pki, version):
    server, path = logged()
    client = pki.valid()
    response = server.curl("a.test", "/v1/things?token=secret", "-d", "12345", "-H", "Authorization: Bearer secret", "-H",
                           "X-Request-Id: my-id", cert=client.bundle, version=version)
    assert response.status == 200
    line = requests_of(wait_for_lines(path, 1))[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert line["source"] == "127.0.0.1" and line["port"] > 0 and line["host"] == "a.test"
    assert line["method"] == "POST" and line["path"] == "/v1/things" and line["code"] == 200
    assert (line["http"], line.get("stream")) == ((1.1, None) if server.protocol == "http1" else (2, 1))
    assert line["body_in"] == 5 and line["body_out"] == len(response.body)
    assert line["tls_version"] == f"TLSv{version}" and line["tls_cipher"].startswith("TLS_") and line["resumed"] is False
    assert line["key_exchange_group"] == "x25519"
    assert line["status"] == "valid" and line["reason"] == "ok"
    assert line["request_id"] == "my-id" == response.seen("X-Request-Id")[0]
    assert [line["ski"]] == response.seen("X-Client-Cert-SKI")
    assert 0 < line["origin"] <= line["total"] < 10 and 0 < line["handshake"] < 10
    assert "secret" not in path.read_text()


def test_certificates_are_named(logged, host, pki):
    forward = {"headers": {"X-Serial": "serial", "X-Issuer": "issuer.dn", "X-Print": "fingerprint.sha256"}}
    server, path = logged(host("a.test", "report", forward=forward))
    seen = [server.curl("a.test", cert=client.bundle) for client in (pki.valid(), pki.expired())]
    lines = requests_of(wait_for_lines(path, 2))
    assert [line["reason"] for line in lines] == ["ok", "expired"]
    for response, line in zip(seen, lines):
        assert [line["serial"]] == response.seen("X-Serial")
        assert [line["issuer"]] == response.seen("X-Issuer")
        assert [line["fingerprint"]] == response.seen("X-Print")
    server.curl("a.test")
    line = requests_of(wait_for_lines(path, 3))[2]
    assert line["status"] == "none" and line["reason"] == "absent"
    assert not {"serial", "issuer", "ski", "fingerprint"} & set(line)


def test_answers_of_our_own_have_a_line_too(logged, host, pki):
    gone = free_port()
    server, path = logged(host("a.test", "enforce"), host("gone.test", origin=f"127.0.0.1:{gone}"))
    assert server.curl("a.test").status == 403
    assert server.curl("gone.test").status == 502
    assert server.raw("gone.test", UNREADABLE[server.protocol]).startswith(b"HTTP/1.1 400 ")
    old = ["--http1.0"] if server.protocol == "http1" else []
    assert server.curl("gone.test", "/", *old, "-H", "Host: a.test").status == 421
    lines = requests_of(wait_for_lines(path, 4))
    assert [line["code"] for line in lines] == [403, 502, 400, 421]
    versions = [1.1, 1.1, None, 1.0] if server.protocol == "http1" else [2, 2, 2, 2]
    assert [line.get("http") for line in lines] == versions, "a head that cannot be read has no version"
    assert [line["host"] for line in lines] == ["a.test", "gone.test", "gone.test", "gone.test"]
    assert all("origin" not in line for line in lines)


@pytest.mark.http1_only
def test_the_path_is_the_one_that_the_origin_gets(logged):
    """Also of a target in absolute form that has none of its own (RFC 9112 sections 3.2.1 and 3.2.4)."""
    server, path = logged()
    targets = {"GET https://a.test": "/", "GET https://a.test?secret": "/", "GET https://a.test/x?secret": "/x",
               "OPTIONS https://a.test": "*", "OPTIONS https://a.test?secret": "/"}
    for target in targets:
        server.raw("a.test", f"{target} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n".encode())
    assert [line.get("path") for line in requests_of(wait_for_lines(path, len(targets)))] == list(targets.values())


def test_a_resumed_session_has_its_client(logged, pki):
    server, path = logged()
    context = server.tls_client(pki.valid().bundle)
    with server.open(context, "a.test") as first:
        first.get()
        session = first.tls.session
    with server.open(context, "a.test", session) as second:
        assert second.tls.session_reused
        second.get()
    first, second = requests_of(wait_for_lines(path, 2))
    assert (first["resumed"], second["resumed"]) == (False, True)
    assert first["fingerprint"] == second["fingerprint"] and second["status"] == "valid"


@pytest.mark.http1_only
def test_failed_handshakes_have_a_line_but_a_hundred_a_second(logged):
    server, path = logged(admission=NO_SUSPECTS)
    server.curl("no.test", "/", "-k", check=False)
    lines = [line for line in wait_for_lines(path, 1) if line.get("reason") == "unknown_host"]
    assert len(lines) == 1 and lines[0]["event"] == "handshake_failed" and lines[0]["stage"] == "hello"
    assert lines[0]["source"] == "127.0.0.1" and "host" not in lines[0]
    begin = time.monotonic()
    for _ in range(500):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as garbage:
            garbage.sendall(b"\x00" * 20)
    total = lambda: sum(line.get("count", line["event"] == "handshake_failed") for line in lines_of(path))
    counted = lambda: server.metric("sallyport_rejected_total", stage="hello")
    wait_for(lambda: counted() >= 500 and total() == counted())
    elapsed = time.monotonic() - begin
    assert len(lines_of(path)) <= 101 * (elapsed + 3)


def test_it_is_opened_again_after_it_was_moved(logged):
    server, path = logged()
    server.curl("a.test", "/before")
    wait_for_lines(path, 1)
    moved = path.with_suffix(".1")
    os.rename(path, moved)
    server.curl("a.test", "/still")
    server.process.send_signal(signal.SIGUSR1)
    deadline = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    server.curl("a.test", "/after")
    wait_for_lines(path, 1)
    assert [line["path"] for line in requests_of(lines_of(moved))] == ["/before", "/still"]
    assert [line["path"] for line in requests_of(lines_of(path))] == ["/after"]
    assert path.stat().st_mode & 0o777 & ~0o640 == 0


def test_what_was_done_is_written_at_the_end(logged):
    server, path = logged()
    for i in range(20):
        server.curl("a.test", f"/{i}")
    server.stop()
    assert [line["path"] for line in requests_of(lines_of(path))] == [f"/{i}" for i in range(20)]


def test_standard_output(serve, host):
    server = serve([host("a.test")], access_log="-")
    server.curl("a.test", "/x")
    server.stop()
    lines = [json.loads(line) for line in server.process.stdout.read().decode().splitlines() if line.startswith("{")]
    assert [line["path"] for line in requests_of(lines)] == ["/x"]


def test_a_full_disk_costs_lines_and_nothing_else(serve, host):
    server = serve([host("a.test")], access_log="/dev/full")
    with server.open(server.tls_client(), "a.test") as connection:
        for _ in range(500):
            assert connection.get()[0] == 200
    deadline = time.monotonic() + 10
    while server.metric("sallyport_access_log_lines_total", result="dropped") < 500:
        assert time.monotonic() < deadline, server.stderr()
        time.sleep(0.05)
    assert server.metric("sallyport_access_log_lines_total", result="written") == 0
    assert server.stderr().count("/dev/full") == 1 and "No space left" in server.stderr()


@pytest.mark.http1_only
def test_where_it_cannot_be_the_start_fails_and_says_why(serve, host, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for path, why in [(tmp_path / "fifo", "nobody reads"), (tmp_path / "none" / "x.log", "no directory")]:
        server = serve([host("a.test")], ready=False, access_log=str(path))
        assert server.process.wait(20) == 1
        server.stopped = True
        assert "access_log" in server.stderr() and why in server.stderr()


def test_a_reload_does_not_move_it(logged, tmp_path):
    server, path = logged()
    assert not server.reload(access_log=str(tmp_path / "other.log"))
    assert "access_log" in server.stderr()
    server.curl("a.test", "/x")
    assert requests_of(wait_for_lines(path, 1))[0]["path"] == "/x"
