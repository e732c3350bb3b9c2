"""Names of origins at the start and at reloads: looked up together, with the old addresses to fall back on, and no signal waits."""

import signal
import subprocess
import time

import pytest
import yaml

from conftest import BINARY, wait_for
from test_names import APP, FIRST, NAME, SECOND, answering, app, serve_names, server_of_names  # noqa: F401 (fixtures)


@pytest.mark.parametrize("mode", ["nxdomain", "servfail", "silent"])
def test_a_reload_keeps_the_addresses_of_a_name_that_fails(serve_names, server_of_names, host, pki, mode):  # noqa: F811
    """And what else the file says is served from then on: here a list that revokes a client."""
    revoked = pki.client(cache="revoked-at-load", subject="revoked")
    lists = [str(pki.crl(pki.root)), str(pki.crl(pki.intermediate))]
    server = serve_names(client_auth={"mode": "enforce", "ca": [str(pki.root.cert)], "crl": lists})
    assert server.curl(NAME, cert=revoked.bundle).text == FIRST
    server_of_names.mode = mode
    entry = server.config["hosts"][0]
    entry["client_auth"]["crl"] = [lists[0], str(pki.crl(pki.intermediate, [revoked]))]
    assert server.reload([entry]), server.stderr()
    assert server.curl(NAME, cert=revoked.bundle).status == 403
    assert server.curl(NAME, cert=pki.valid().bundle).text == FIRST
    assert f'address "{entry["origin"][0]["address"]}": does not resolve: ' in server.stderr()
    assert "; the addresses that it had are kept\n" in server.stderr()
    # The addresses that were found last are kept, and not those of the start.
    server_of_names.mode = "answer"
    server_of_names.says(APP, [SECOND])
    wait_for(lambda: answering_valid(server, pki) == SECOND, within=15)
    server_of_names.mode = mode
    assert server.reload()
    assert answering_valid(server, pki) == SECOND


def answering_valid(server, pki):
    return server.curl(NAME, cert=pki.valid().bundle).text


def test_a_reload_with_a_new_name_needs_it(serve_names, server_of_names, host):  # noqa: F811
    server = serve_names()
    assert not server.reload([server.config["hosts"][0], host("b.test", origin="new.internal:80")])
    assert 'address "new.internal:80": does not resolve: there is no such name' in server.stderr()
    assert answering(server, 2) == {FIRST}


def test_silent_names_are_waited_for_together(serve_names, server_of_names, host):  # noqa: F811
    server = serve_names()
    server_of_names.mode = "silent"
    before = len(server_of_names.asked)
    begin = time.monotonic()
    assert not server.reload([server.config["hosts"][0], *(host(f"h{i}.test", origin=f"n{i}.internal:80") for i in range(30))])
    assert time.monotonic() - begin < 19, "as long as one name takes"
    assert "waiting for DNS: " in server.stderr() and " and others, for 15 s at most\n" in server.stderr()
    assert {name for name, _, _ in server_of_names.asked[before:]} >= {f"n{i}.internal" for i in range(30)}
    assert server.stderr().count("does not resolve: ") >= 30


def test_a_name_of_many_hosts_is_asked_for_once(serve_names, server_of_names, host, app):  # noqa: F811
    server = serve_names(ttl=600)
    before = server_of_names.count(APP)
    assert server.reload([server.config["hosts"][0], *(host(f"h{i}.test", origin=f"{APP}:{app.port}") for i in range(20))])
    assert server_of_names.count(APP) == before + 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_the_wait_of_a_reload(serve_names, server_of_names, host, number):  # noqa: F811
    server = serve_names()
    server_of_names.mode = "silent"
    (entry,) = server.config["hosts"]
    server.config["hosts"] = [entry, host("b.test", origin="new.internal:80")]
    server.path.write_text(yaml.safe_dump(server.config))
    asked = server_of_names.count("new.internal")
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: server_of_names.count("new.internal") > asked)
    begin = time.monotonic()
    server.process.send_signal(number)
    assert server.process.wait(30) == 0
    assert time.monotonic() - begin < 5
    assert 'address "new.internal:80": was not looked up: the load was ended before' in server.stderr()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_the_wait_of_a_start(serve, host, server_of_names, number):  # noqa: F811
    server_of_names.mode = "silent"
    server = serve([host(NAME, origin="slow.internal:80")], ready=False, resolver={"servers": [server_of_names.address]})
    wait_for(lambda: server_of_names.count("slow.internal") > 0)
    begin = time.monotonic()
    server.process.send_signal(number)
    assert server.process.wait(30) == 0
    assert time.monotonic() - begin < 5
    assert "ended before anything was served" in server.stderr()


def test_more_addresses_than_a_host_may_have(serve_names, server_of_names, app):  # noqa: F811
    server = serve_names(addresses=[FIRST, *(f"127.9.{i // 200}.{1 + i % 200}" for i in range(1400))], ttl=600)
    assert f'address "{APP}:{app.port}": has more than 1024 addresses; the rest is not used\n' in server.stderr()


def test_a_dot_at_the_end_of_a_name(serve_names, server_of_names, app):  # noqa: F811
    assert answering(serve_names(origin=f"{APP}.:{app.port}"), 2) == {FIRST}


def test_check_says_what_it_waits_for(host, server_of_names, tmp_path):  # noqa: F811
    server_of_names.mode = "silent"
    path = tmp_path / "s.yaml"
    path.write_text(yaml.safe_dump({"listen": [{"address": "127.0.0.1:8443"}], "resolver": {"servers": [server_of_names.address]},
                                    "hosts": [host(f"h{i}.test", origin=f"n{i}.internal:80") for i in range(5)]}))
    begin = time.monotonic()
    result = subprocess.run([str(BINARY), "check", "-c", str(path)], capture_output=True, text=True, timeout=60)
    assert result.returncode == 1 and time.monotonic() - begin < 19
    assert "waiting for DNS: n0.internal:80 and others" in result.stderr
    assert result.stderr.count("does not resolve: ") == 5
