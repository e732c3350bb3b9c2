"""Which of several origins a request goes to, and where to when that one fails: `balance`, `retry`, and the keys of origins."""

import collections
import contextlib
import json
import threading
import time

import pytest

import origins
from conftest import free_port, wait_for

NAME = "b.test"


def say(connection, text, status="200 OK"):
    connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())


@pytest.fixture
def named(scripted):
    """named(count): so many origins, each of which answers with its number. They have `address`, and `heads` of requests."""

    def start(count, answer=say):
        def make(number):
            def script(connection, _):
                while origin.read_head(connection):
                    answer(connection, str(number))
            origin = scripted(script)
            return origin
        return [make(number) for number in range(count)]

    return start


def entry(host, targets, name=NAME, mode="off", **keys):
    """A host whose origins are these: addresses, or mappings."""
    made = host(name, mode)
    made["origin"] = [target if isinstance(target, dict) else {"address": target} for target in targets]
    return {**made, **keys}


def ask(server, times, **options):
    return collections.Counter(server.curl(NAME, "/", **options).body.decode() for _ in range(times))


@pytest.mark.both_protocols
def test_requests_are_spread_by_weight(serve, host, named):
    running = named(3)
    weights = [3, 2, 1]
    server = serve([entry(host, [{"address": origin.address, "weight": weight}
                                 for origin, weight in zip(running, weights)])], shards=1)
    assert ask(server, 24) == {"0": 12, "1": 8, "2": 4}


def test_the_least_loaded_gets_the_next(serve, host, named):
    release = threading.Event()

    def hold(connection, text):
        if text == "0":
            release.wait(20)
        say(connection, text)

    running = named(2, hold)
    server = serve([entry(host, [origin.address for origin in running], balance="least_connections")], shards=1)
    with server.connect(NAME) as waiting:
        waiting.sendall(f"GET / HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        wait_for(lambda: len(running[0].heads) == 1)
        assert ask(server, 6) == {"1": 6}
        release.set()
        assert b"200 OK" in waiting.recv(4096)


@pytest.mark.both_protocols
def test_a_device_stays_at_its_origin(serve, host, named, pki):
    """By its key, over all shards and new connections, with tickets or not; those of a lost origin move alone."""
    running = named(4)
    devices = [pki.client("ecdsa-p256", f"device-{number}") for number in range(8)]
    made = entry(host, [origin.address for origin in running], mode="enforce", balance="hash")
    server = serve([made], shards=2)
    homes = {}
    for device in devices:
        answers = ask(server, 4, cert=device.bundle)
        assert len(answers) == 1
        homes[device] = next(iter(answers))
    assert len(set(homes.values())) > 1
    again = serve([made], shards=1)
    for device in devices:
        assert ask(again, 1, cert=device.bundle) == {homes[device]: 1}, "in another process too"
    lost = homes[devices[0]]
    fewer = {**made, "origin": [{"address": origin.address} for number, origin in enumerate(running) if str(number) != lost]}
    server.reload([fewer])
    for device in devices:
        answers = ask(server, 2, cert=device.bundle)
        assert len(answers) == 1 and lost not in answers
        assert homes[device] == lost or answers == {homes[device]: 2}


def test_clients_without_certificate_stay_by_address(serve, host, named):
    running = named(5)
    server = serve([entry(host, [origin.address for origin in running], balance="hash")], shards=2)
    assert len(ask(server, 10)) == 1


@pytest.mark.both_protocols
def test_backups_serve_when_no_other_does(serve, host, tmp_path, named):
    (backup,) = named(1)
    port = free_port()
    server = serve([entry(host, [f"127.0.0.1:{port}", {"address": backup.address, "backup": True}])], shards=1)
    assert ask(server, 3) == {"0": 3}
    with origins.Nginx(tmp_path / "nginx", port):
        wait_for(lambda: b"GET" in server.curl(NAME, "/").body, within=20)
        before = len(backup.heads)
        for _ in range(5):
            assert b"GET" in server.curl(NAME, "/").body
        assert len(backup.heads) == before
    assert ask(server, 3) == {"0": 3}


@pytest.mark.both_protocols
def test_a_request_that_came_to_nothing_goes_to_another(serve, host, scripted, named, tmp_path):
    dying = scripted(lambda connection, number: dying.read_head(connection))
    (good,) = named(1)
    log = tmp_path / "access.log"
    server = serve([entry(host, [dying.address, good.address], retry={"on": ["refused"]})], shards=1, access_log=str(log))
    assert ask(server, 4) == {"0": 4}
    assert server.curl(NAME, "/", "-X", "POST", check=False).status == 502, "a POST is not repeated"
    assert server.metric("sallyport_origin_retries_total", reason="refused") == 4
    server.stop()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line.get("tries") for line in lines] == [2, 2, 2, 2, None]
    assert "gets requests again" not in server.stderr()


@pytest.mark.both_protocols
@pytest.mark.parametrize("status", ["502 Bad Gateway", "503 Service Unavailable"])
def test_a_status_goes_to_another(serve, host, named, status):
    def answer(connection, text):
        say(connection, text, status if text == "0" else "200 OK")

    running = named(2, answer)
    server = serve([entry(host, [origin.address for origin in running], retry={"on": [int(status[:3])]})], shards=1)
    for _ in range(3):
        result = server.curl(NAME, "/")
        assert (result.status, result.body) == (200, b"1")
    assert server.metric("sallyport_origin_retries_total", reason=status[:3]) == 3


def test_a_slow_answer_is_asked_of_another(serve, host, scripted, named):
    slow = scripted(lambda connection, number: (slow.read_head(connection), connection.recv(1)))
    (good,) = named(1)
    server = serve([entry(host, [slow.address, good.address], retry={"on": ["timeout"]}, timeouts={"response": "200ms"})],
                   shards=1)
    began = time.monotonic()
    assert ask(server, 1) == {"0": 1}
    assert time.monotonic() - began >= 0.2
    assert server.metric("sallyport_origin_retries_total", reason="timeout") == 1


def test_an_outage_is_no_storm(serve, host, scripted):
    """Each request fails everywhere: no more than the budget is sent again, and clients get the failure."""
    dying = [scripted(lambda connection, number: dying[0].read_head(connection)) for _ in range(2)]
    server = serve([entry(host, [origin.address for origin in dying], retry={"on": ["refused"], "attempts": 3})], shards=1)
    began = time.monotonic()
    with server.open(server.tls_client(), NAME) as client:
        codes = [client.get()[0] for _ in range(60)]
    assert set(codes) == {502}
    retries = server.metric("sallyport_origin_retries_total")
    windows = 1 + (time.monotonic() - began) // 10
    assert 10 <= retries <= 60 * 0.2 + 10 * windows
    assert server.metric("sallyport_origin_retries_denied_total") > 0
    assert sum(origin.accepted for origin in dying) == 60 + retries


@pytest.mark.both_protocols
def test_one_that_fails_in_a_row_is_passed_over(serve, host, scripted, named):
    dying = scripted(lambda connection, number: dying.read_head(connection))
    (good,) = named(1)
    server = serve([entry(host, [dying.address, good.address], retry={"on": ["refused"]})], shards=1)
    assert ask(server, 20) == {"0": 20}
    assert dying.accepted == 5
    assert server.metric("sallyport_origin_ejections_total") == 1
    assert "5 failures in a row; passed over for 10 s" in server.stderr()
    report = json.loads(server.admin("/stats.json")[1])["hosts"][0]
    assert report["origin_ejections"] == 1 and report["origin_retries"]["refused"] == 5


@pytest.mark.both_protocols
def test_beyond_the_bound_requests_wait_and_then_get_503(serve, host, named):
    release = threading.Event()
    at_once = []

    def hold(connection, text):
        at_once.append(1)
        release.wait(20)
        say(connection, text)

    (slow,) = named(1, hold)
    server = serve([entry(host, [{"address": slow.address, "in_flight": 2}])], shards=1)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.connect(NAME)) for _ in range(2)]
        for client in clients:
            client.sendall(f"GET / HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        wait_for(lambda: len(at_once) == 2)
        began = time.monotonic()
        result = server.curl(NAME, "/")
        assert result.status == 503 and 0.9 < time.monotonic() - began < 15
        assert b"retry-after: 1" in result.head.lower()
        assert server.metric("sallyport_origin_waits_total", result="timed_out") == 1
        assert len(at_once) == 2, "the origin has not seen it"
        release.set()
        for client in clients:
            assert b"200" in client.recv(4096)
    assert ask(server, 4) == {"0": 4}


def test_more_than_may_wait_get_503_at_once(serve, host, named):
    release = threading.Event()

    def hold(connection, text):
        release.wait(20)
        say(connection, text)

    (slow,) = named(1, hold)
    server = serve([entry(host, [{"address": slow.address, "in_flight": 1}])], shards=1)
    with contextlib.ExitStack() as stack:
        first, second, third = [stack.enter_context(server.connect(NAME)) for _ in range(3)]
        request = f"GET / HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode()
        first.sendall(request)
        wait_for(lambda: len(slow.heads) == 1)
        for client in (second, third):
            client.sendall(request)
        assert third.recv(4096).startswith(b"HTTP/1.1 503 ")
        release.set()
        assert b"200 OK" in first.recv(4096)
        assert b"200 OK" in second.recv(4096), "the one that waited is served"
    assert server.metric("sallyport_origin_waits_total", result="full") == 1
    assert server.metric("sallyport_origin_waits_total", result="served") == 1


@pytest.mark.both_protocols
def test_a_rolling_restart_loses_nothing(serve, host, tmp_path):
    """All origins are killed and come back, one after the other, while clients ask without pause."""
    ports = [free_port() for _ in range(3)]
    server = serve([entry(host, [f"127.0.0.1:{port}" for port in ports], retry={"on": ["refused", "timeout"], "budget": "50%"})],
                   shards=2)
    running = [origins.Nginx(tmp_path / f"nginx{number}", port) for number, port in enumerate(ports)]
    ending = threading.Event()
    codes = collections.Counter()

    def client():
        while not ending.is_set():
            command = server.curl(NAME, "/empty", check=False)
            codes[command.status] += 1

    def wait_for_answers():
        """For so many that some are to requests made since now, however slow the machine is."""
        before = codes[204]
        wait_for(lambda: codes[204] >= before + 12, within=60)

    with contextlib.ExitStack() as stack:
        for origin in running:
            origin.__enter__()
        threads = [threading.Thread(target=client) for _ in range(3)]
        for thread in threads:
            thread.start()
        for origin in running:
            wait_for_answers()
            origin.__exit__()
            wait_for_answers()
            origin.__enter__()
            stack.callback(origin.__exit__)
        wait_for_answers()
        ending.set()
        for thread in threads:
            thread.join()
    assert set(codes) == {204} and codes[204] > 30
