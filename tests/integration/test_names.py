"""Origins that are names: the addresses change while the server serves, and what becomes of look-ups that fail."""

import collections
import contextlib
import socket
import subprocess
import threading
import time

import pytest
import yaml

import dns
from conftest import BINARY, wait_for

NAME = "a.test"
APP = "app.internal"


class Numbered:
    """
    An origin at each of several loopback addresses, all at one port: an answer is the address that has answered. At those in
    `failing` the status is 503.
    """

    def __init__(self, *hosts):
        self.listeners = {}
        self.delay = 0
        self.failing = set()
        self.asked = collections.Counter()
        for host in hosts:
            listener = socket.create_server((host, self.listeners and self.port or 0), backlog=1024)
            self.port = listener.getsockname()[1]
            self.listeners[host] = listener
            threading.Thread(target=self._accept, args=(host, listener), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for listener in self.listeners.values():
            listener.close()

    def _accept(self, host, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(host, connection), daemon=True).start()

    def _talk(self, host, connection):
        with contextlib.suppress(OSError), connection:
            received = b""
            while True:
                while b"\r\n\r\n" not in received:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    received += piece
                received = received.partition(b"\r\n\r\n")[2]
                self.asked[host] += 1
                time.sleep(self.delay)
                status = b"503 Service Unavailable" if host in self.failing else b"200 OK"
                connection.sendall(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(host), host.encode()))


FIRST, SECOND, THIRD = "127.0.0.11", "127.0.0.12", "127.0.0.13"


@pytest.fixture
def server_of_names():
    with dns.Server() as running:
        yield running


@pytest.fixture
def app():
    with Numbered(FIRST, SECOND, THIRD) as running:
        yield running


@pytest.fixture
def serve_names(serve, host, server_of_names, app):
    def start(addresses=(FIRST,), ttl=1, shards=2, origin=None, **more):
        server_of_names.says(APP, addresses, ttl)
        return serve([{**host(NAME, origin=origin or f"{APP}:{app.port}"), **more}], shards=shards,
                     resolver={"servers": [server_of_names.address]})

    return start


def answering(server, times=8):
    """The addresses that answer."""
    answers = [server.curl(NAME) for _ in range(times)]
    assert [answer.status for answer in answers] == times * [200]
    return {answer.text for answer in answers}


def looked_up(server, result):
    return server.metric("sallyport_fetch_total", kind="dns", result=result)


def wait_for_answers(server, *expected):
    wait_for(lambda: answering(server) == set(expected), within=15)


def test_addresses_come_and_go(serve_names, server_of_names, app):
    server = serve_names()
    assert answering(server) == {FIRST}
    server_of_names.says(APP, [SECOND, FIRST])
    wait_for_answers(server, FIRST, SECOND)
    server_of_names.says(APP, [THIRD])
    wait_for_answers(server, THIRD)
    log = server.stderr()
    assert f"host {NAME}: origin {APP}:{app.port}: 2 addresses; new: {SECOND}:{app.port}\n" in log
    assert f"1 addresses; new: {THIRD}:{app.port}; gone: {FIRST}:{app.port}, {SECOND}:{app.port}\n" in log
    assert looked_up(server, "ok") >= 2 and looked_up(server, "failed") == 0
    assert server.metric("sallyport_origin_up", origin=f"{APP}:{app.port}") == 1


def test_health_checks_follow_the_addresses(serve_names, server_of_names, app):
    server = serve_names(health={"path": "/up", "interval": "100ms"})
    app.failing.add(SECOND)
    server_of_names.says(APP, [FIRST, SECOND])
    wait_for(lambda: f"origin {SECOND}:{app.port} of {NAME} is down: status 503\n" in server.stderr(), within=15)
    assert answering(server) == {FIRST}
    assert server.metric("sallyport_origin_up", host=NAME) == 1, "at its other address"
    app.failing.clear()
    wait_for_answers(server, FIRST, SECOND)
    assert f"origin {SECOND}:{app.port} of {NAME} is up again\n" in server.stderr()
    server_of_names.says(APP, [FIRST])
    wait_for(lambda: f"gone: {SECOND}:{app.port}\n" in server.stderr(), within=15)
    time.sleep(0.3)
    before = app.asked.copy()
    time.sleep(0.5)
    assert app.asked[SECOND] == before[SECOND] and app.asked[FIRST] > before[FIRST]


def test_the_order_of_an_answer_does_not_matter(serve_names, server_of_names):
    server = serve_names([FIRST, SECOND])
    server_of_names.says(APP, [SECOND, FIRST])
    before = looked_up(server, "ok")
    wait_for(lambda: looked_up(server, "ok") > before + 1)
    assert "addresses; new" not in server.stderr()


def test_no_request_is_lost_while_addresses_change(serve_names, server_of_names, app):
    """Under load, while the set changes all the time: each request is answered."""
    server = serve_names([FIRST])
    app.delay = 0.01
    statuses, ending = [], threading.Event()

    def ask():
        while not ending.is_set():
            statuses.append(server.curl(NAME).status)

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    sets = [[SECOND], [SECOND, THIRD], [FIRST], [THIRD, FIRST], [SECOND]]
    for addresses in sets:
        server_of_names.says(APP, addresses)
        time.sleep(1.5)
    ending.set()
    for client in clients:
        client.join(30)
    assert len(statuses) > 50 and set(statuses) == {200}
    assert server.metric("sallyport_origin_requests_total", result="completed") == len(statuses)
    wait_for_answers(server, SECOND)


def test_a_request_in_flight_goes_on_at_an_address_that_is_gone(serve_names, server_of_names, app):
    server = serve_names([FIRST], shards=1)
    app.delay = 4
    answers = []
    slow = threading.Thread(target=lambda: answers.append(server.curl(NAME)))
    slow.start()
    time.sleep(0.5)
    server_of_names.says(APP, [SECOND])
    wait_for(lambda: "gone: " in server.stderr())
    app.delay = 0
    assert answering(server) == {SECOND}
    slow.join(20)
    assert answers[0].status == 200 and answers[0].text == FIRST


@pytest.mark.parametrize("mode, result", [("servfail", "failed"), ("refused", "failed"), ("nxdomain", "not_found"), ("empty", "not_found"),
                                          ("garbage", "malformed"), ("short", "malformed"), ("loop", "malformed")])
def test_failures_keep_the_old_addresses(serve_names, server_of_names, app, mode, result):
    server = serve_names([FIRST, SECOND])
    server_of_names.mode = mode
    wait_for(lambda: looked_up(server, result) >= 2, within=30)
    assert answering(server) == {FIRST, SECOND}
    server_of_names.mode = "answer"
    server_of_names.says(APP, [THIRD])
    wait_for_answers(server, THIRD)
    log = server.stderr()
    assert log.count(f"origin {APP}:{app.port}: does not resolve any more: ") == 1, "one line for each outage"
    assert "its 2 addresses are kept" in log
    assert log.count(f"origin {APP}:{app.port}: resolves again") == 1


def test_silence_keeps_the_old_addresses(serve_names, server_of_names):
    server = serve_names()
    server_of_names.mode = "silent"
    wait_for(lambda: looked_up(server, "timed_out") >= 1, within=40)
    assert answering(server) == {FIRST}
    assert "no DNS server answers; its 1 addresses are kept" in server.stderr()


def test_one_family_fails_and_keeps_its_addresses(serve_names, server_of_names):
    server = serve_names([FIRST, "::1"])
    server_of_names.failing = {dns.AAAA}
    server_of_names.says(APP, [SECOND])
    wait_for(lambda: "new: " in server.stderr(), within=15)
    assert f"2 addresses; new: {SECOND}" in server.stderr() and "[::1]" not in server.stderr().partition("gone: ")[2]


def test_answers_that_are_cut_come_by_tcp(serve_names, server_of_names):
    server = serve_names()
    server_of_names.mode = "truncated"
    server_of_names.says(APP, [SECOND])
    wait_for_answers(server, SECOND)
    assert any(transport == "tcp" for _, _, transport in server_of_names.asked)


def test_an_answer_of_many_addresses_is_bounded(serve_names, server_of_names):
    server = serve_names()
    server_of_names.says(APP, [f"127.0.{i // 200}.{20 + i % 200}" for i in range(1400)] + [FIRST])
    wait_for(lambda: "1024 addresses, more are not used" in server.stderr(), within=15)
    server_of_names.says(APP, [SECOND])
    wait_for(lambda: f": 1 addresses; new: {SECOND}" in server.stderr(), within=15)
    wait_for_answers(server, SECOND)


def test_hundreds_of_addresses_come_and_go(serve_names, server_of_names, app):
    """Nobody listens at any of them."""
    server = serve_names()
    for base in (20, 21, 22):
        server_of_names.says(APP, [f"127.{base}.{i // 200}.{1 + i % 200}" for i in range(900)])
        wait_for(lambda: f": 900 addresses; new: 127.{base}." in server.stderr(), within=15)
        wait_for(lambda: server.curl(NAME).status == 502)
    server_of_names.says(APP, [SECOND])
    wait_for(lambda: f": 1 addresses; new: {SECOND}" in server.stderr(), within=15)
    wait_for(lambda: server.curl(NAME).status == 200)
    wait_for_answers(server, SECOND)
    assert server.metric("sallyport_origin_up", host=NAME) == 1


def test_ttl(serve_names, server_of_names):
    """A long TTL is waited for, a TTL of 0 counts as one second."""
    serve_names(ttl=3600)
    before = server_of_names.count(APP)
    time.sleep(2.5)
    assert server_of_names.count(APP) == before


def test_a_ttl_of_0_is_a_second(serve_names, server_of_names):
    serve_names(ttl=0)
    before = server_of_names.count(APP)
    time.sleep(4)
    assert 2 <= server_of_names.count(APP) - before <= 5


def test_a_start_needs_all_names(host, server_of_names, tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(yaml.safe_dump({"listen": [{"address": "127.0.0.1:8443"}], "resolver": {"servers": [server_of_names.address]},
                                    "hosts": [host(NAME, origin="nowhere.internal:80")]}))
    result = subprocess.run([str(BINARY), "check", "-c", str(path)], capture_output=True, text=True, timeout=60)
    assert result.returncode == 1
    assert 'address "nowhere.internal:80": does not resolve: there is no such name, or it has no address' in result.stderr


def test_reloads_while_look_ups_are_under_way(serve_names, server_of_names, host, app):
    """What an older configuration has asked for is no business of the newer one, which begins with fresh addresses."""
    server = serve_names()
    for round_ in range(3):
        server_of_names.mode = "silent"
        before = server_of_names.count(APP)
        wait_for(lambda: server_of_names.count(APP) > before, within=30)
        server_of_names.mode = "answer"
        server_of_names.says(APP, [SECOND if round_ % 2 == 0 else THIRD])
        assert server.reload()
        assert answering(server, 4) == {SECOND if round_ % 2 == 0 else THIRD}
    other = host(NAME, origin=f"127.0.0.1:{app.port}")
    other["origin"] = [{"address": f"{FIRST}:{app.port}"}]
    assert server.reload([other])
    assert answering(server) == {FIRST}
    server_of_names.says(APP, [THIRD])
    time.sleep(2)
    assert answering(server) == {FIRST}


def test_two_names_of_a_host(serve_names, server_of_names, app, host, serve):
    server_of_names.says("b.internal", [SECOND])
    server = serve_names(origin=[f"{APP}:{app.port}", f"b.internal:{app.port}"])
    assert answering(server) == {FIRST, SECOND}
    server_of_names.says("b.internal", [THIRD])
    wait_for_answers(server, FIRST, THIRD)
    server_of_names.says("b.internal", [FIRST])
    wait_for_answers(server, FIRST)
