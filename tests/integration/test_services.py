"""Origins that are services: SRV records, whose priorities, weights, ports and targets change while the server serves."""

import collections
import subprocess
import time

import pytest
import yaml

import dns
from conftest import BINARY, wait_for
from test_names import FIRST, SECOND, THIRD, Numbered, answering, looked_up, wait_for_answers
from tls_origins import Nginx, authority, entry, facts, run  # noqa: F401 (fixtures)

NAME = "a.test"
SERVICE = "_http._tcp.app.internal"
ORIGIN = f"srv:{SERVICE}"


@pytest.fixture
def server_of_names():
    with dns.Server() as running:
        for number, address in enumerate((FIRST, SECOND, THIRD), 1):
            running.says(f"n{number}.internal", [address])
        yield running


@pytest.fixture
def app():
    with Numbered(FIRST, SECOND, THIRD) as running:
        yield running


@pytest.fixture
def records(server_of_names, app):
    """records((priority, weight, host), ...): the service has these, at the application's port."""
    def say(*lines, ttl=1):
        server_of_names.says_service(SERVICE, [(priority, weight, app.port, f"n{host}.internal") for priority, weight, host in lines], ttl)
    return say


@pytest.fixture
def serve_service(serve, host, server_of_names):
    def start(shards=1, **more):
        return serve([{**host(NAME, origin=ORIGIN), **more}], shards=shards, resolver={"servers": [server_of_names.address]})
    return start


def test_levels_fail_over_and_come_back(serve_service, records, app):
    """As many levels as there are: each serves only while nothing below it is up."""
    records((30, 1, 3), (10, 1, 1), (20, 1, 2))
    server = serve_service(health={"path": "/up", "interval": "100ms", "fall": 1, "rise": 1})
    assert answering(server) == {FIRST}
    for failing, next_one in ((FIRST, SECOND), (SECOND, THIRD)):
        app.failing.add(failing)
        wait_for(lambda: f"origin {failing}:{app.port} of {NAME} is down: status 503" in server.stderr())
        wait_for_answers(server, next_one)
    app.failing.discard(FIRST)
    wait_for_answers(server, FIRST)
    assert server.metric("sallyport_origin_up", host=NAME, origin=ORIGIN) == 1


def test_priorities_change(serve_service, records):
    records((1, 1, 1), (2, 1, 2))
    server = serve_service(shards=2)
    assert answering(server) == {FIRST}
    records((2, 1, 1), (1, 1, 2))
    wait_for_answers(server, SECOND)
    records((5, 1, 1), (5, 1, 2), (6, 1, 3))
    wait_for_answers(server, FIRST, SECOND)


def test_weights_are_followed(serve_service, records):
    records((0, 30, 1), (0, 10, 2), (0, 0, 3))
    server = serve_service()
    answers = collections.Counter(server.curl(NAME).text for _ in range(81))
    assert answers[FIRST] in (60, 61) and answers[SECOND] in (20, 21) and answers[THIRD] <= 1
    records((0, 10, 1), (0, 10, 2), ttl=3600)
    time.sleep(3)
    answers = collections.Counter(server.curl(NAME).text for _ in range(40))
    assert abs(answers[FIRST] - 20) <= 2 and abs(answers[SECOND] - 20) <= 2


def test_a_port_that_changes(serve_service, records, server_of_names, app):
    records((0, 1, 1))
    server = serve_service()
    assert answering(server) == {FIRST}
    with Numbered(FIRST) as other:
        server_of_names.says_service(SERVICE, [(0, 1, other.port, "n1.internal")])
        wait_for(lambda: f"1 addresses; new: {FIRST}:{other.port}; gone: {FIRST}:{app.port}\n" in server.stderr(), within=15)
        before = app.asked[FIRST]
        assert answering(server) == {FIRST}
        assert app.asked[FIRST] == before and other.asked[FIRST] == 8


@pytest.mark.parametrize("health", [None, {"interval": "100ms"}])
def test_a_service_that_is_not_offered_any_more(serve_service, records, server_of_names, health):
    """The target "." (RFC 2782): no addresses, until there are some again."""
    records((0, 1, 1), (1, 1, 2))
    server = serve_service(shards=2, required=True, **({"health": health} if health else {}))
    assert server.admin("/readyz")[0] == 200
    server_of_names.says_service(SERVICE, [(0, 0, 0, ".")])
    wait_for(lambda: f"origin {ORIGIN}: 0 addresses; gone: " in server.stderr(), within=15)
    wait_for(lambda: server.admin("/readyz")[0] == 503)
    assert server.curl(NAME).status == 502
    assert f"host {NAME}: origin none: no_address" in server.stderr()
    assert server.metric("sallyport_origin_up", host=NAME, origin=ORIGIN) == 0
    assert server.reload(), "whatever else there is in the file, as a revocation, must not wait for the service"
    assert f'address "{ORIGIN}": its domain says that it does not offer the service; it has no addresses' in server.stderr()
    assert server.curl(NAME).status == 502
    server_of_names.mode = "servfail"
    assert server.reload(), "a failure changes nothing"
    assert server.curl(NAME).status == 502
    server_of_names.mode = "answer"
    records((0, 1, 3))
    wait_for(lambda: server.curl(NAME).status == 200, within=15)
    assert answering(server) == {THIRD}
    wait_for(lambda: server.admin("/readyz")[0] == 200)


def test_a_reload_learns_that_a_service_is_not_offered(serve_service, records, server_of_names):
    records((0, 1, 1), ttl=3600)
    server = serve_service(shards=2)
    assert answering(server) == {FIRST}
    server_of_names.says_service(SERVICE, [(0, 0, 0, ".")])
    assert server.reload()
    wait_for(lambda: server.curl(NAME).status == 502)
    assert f"host {NAME}: origin none: no_address" in server.stderr()


@pytest.mark.parametrize("mode, result", [("servfail", "failed"), ("nxdomain", "not_found"), ("empty", "not_found"),
                                          ("garbage", "malformed"), ("short", "malformed")])
def test_failures_keep_the_old_addresses(serve_service, records, server_of_names, mode, result):
    records((0, 1, 1), (0, 1, 2))
    server = serve_service()
    server_of_names.mode = mode
    wait_for(lambda: looked_up(server, result) >= 2, within=30)
    assert answering(server) == {FIRST, SECOND}
    server_of_names.mode = "answer"
    records((0, 1, 3))
    wait_for_answers(server, THIRD)
    log = server.stderr()
    assert log.count(f"origin {ORIGIN}: does not resolve any more: ") == 1 and "its 2 addresses are kept" in log
    assert log.count(f"origin {ORIGIN}: resolves again") == 1


def test_thousands_of_records(serve_service, records, server_of_names, app):
    """Of those with the lowest priorities 1,024 addresses are used."""
    records((0, 1, 1))
    server = serve_service()
    many = [(10, 1, 20000 + i, "n2.internal") for i in range(2000)]  # a message of DNS has no room for more
    server_of_names.says_service(SERVICE, [*many, (1, 1, app.port, "n1.internal")])
    wait_for(lambda: "1024 addresses, more are not used" in server.stderr(), within=30)
    assert answering(server) == {FIRST}
    records((0, 1, 2))
    wait_for_answers(server, SECOND)


def test_a_ttl_of_0_is_a_second(serve_service, records, server_of_names):
    records((0, 1, 1), ttl=0)
    serve_service()
    before = server_of_names.count(SERVICE, dns.SRV)
    time.sleep(4)
    assert 2 <= server_of_names.count(SERVICE, dns.SRV) - before <= 5


def test_the_shortest_ttl_counts(serve_service, records, server_of_names):
    """That of a target's address, too."""
    records((0, 1, 1), ttl=3600)
    serve_service()
    before = server_of_names.count(SERVICE, dns.SRV)
    time.sleep(4)
    assert server_of_names.count(SERVICE, dns.SRV) - before >= 2


@pytest.mark.parametrize("certified, name, code", [("app.internal", None, 200), ("n9.internal", None, 502), ("n9.internal", "n9.internal", 200)])
def test_tls_proves_the_domain_and_not_the_target(serve, entry, run, authority, server_of_names, certified, name, code):
    """The file says whom to believe; an answer of DNS, which anybody on the way may forge, does not."""
    origin = run(Nginx, authority.leaf(certified))
    server_of_names.says("n9.internal", ["127.0.0.1"])
    server_of_names.says_service(SERVICE, [(0, 1, int(origin.address.rpartition(":")[2]), "n9.internal")])
    server = serve([entry(ORIGIN, name=name)], shards=1, resolver={"servers": [server_of_names.address]})
    answer = server.curl(NAME, "/")
    assert answer.status == code
    if code == 200:
        assert facts(answer)["name"] == (name or "app.internal"), "as the server's name, too"
    else:
        assert "tls_name" in server.stderr()


@pytest.mark.parametrize("origin, fault", [
    ({"address": ORIGIN}, "does not resolve: there is no such name, or it has no address"),
    ({"address": "srv:_none._tcp.app.internal"}, "does not resolve: its domain says that it does not offer the service"),
    ({"address": "srv:app.internal:80"}, "has a port; leave it out"),
    ({"address": "srv:app.internal"}, "must be srv:_SERVICE._tcp.NAME"),
    ({"address": ORIGIN, "weight": 2}, "weight does not go with a service"),
])
def test_a_start_needs_a_good_service(host, server_of_names, tmp_path, origin, fault):
    server_of_names.says_service("_none._tcp.app.internal", [(0, 0, 0, ".")])
    path = tmp_path / "s.yaml"
    path.write_text(yaml.safe_dump({"listen": [{"address": "127.0.0.1:8443"}], "resolver": {"servers": [server_of_names.address]},
                                    "hosts": [{**host(NAME), "origin": [origin]}]}))
    result = subprocess.run([str(BINARY), "check", "-c", str(path)], capture_output=True, text=True, timeout=60)
    assert result.returncode == 1
    assert fault in result.stderr
