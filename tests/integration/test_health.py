"""Health checks: origins that refuse, stall, lie, flap and come back, and what follows for requests, pages and /readyz."""

import collections
import contextlib
import json
import re
import socket
import threading
import time

import pytest

import balancers
import origins
from conftest import SANITIZED, free_port, wait_for
from tls_origins import ORIGIN, Nginx, authority, entry  # noqa: F401 (fixtures)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
DOWN = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
CHECK = {"path": "/healthz", "interval": "100ms", "timeout": "1s", "rise": 2, "fall": 3}


class Checked(origins.Scripted):
    """
    An origin that answers probes by `self.health`, which may be changed at any time (bytes, or a function of the connection),
    and requests with 200. It notes the times of its probes.
    """

    def __init__(self, health=OK):
        super().__init__(self.answer)
        self.health = health
        self.probes = []
        self.served = 0

    def answer(self, connection, number):
        while head := self.read_head(connection):
            if b"User-Agent: sallyport-health\r\n" not in head:
                self.served += 1
                connection.sendall(OK)
                continue
            self.probes.append(time.monotonic())
            if callable(self.health):
                self.health(connection)
            else:
                connection.sendall(self.health)
            return


@pytest.fixture
def checked():
    with contextlib.ExitStack() as stack:
        yield lambda *arguments: stack.enter_context(Checked(*arguments))


def with_health(entry, health=None, **more):
    return {**entry, "health": {**CHECK, **(health or {})}, **more}


def changes(server):
    """The lines of the log about origins, without their times."""
    return re.findall(r"(?:WARNING|INFO) (origin .* (?:is down: .*|is up again))", server.stderr())


def is_up(server, name, origin=None):
    labels = {"host": name} if origin is None else {"host": name, "origin": origin}
    return server.metric("sallyport_origin_up", **labels) == 1


def probes(server, name, result):
    return server.metric("sallyport_health_probes_total", host=name, result=result)


def host_stats(server, name):
    return next(host for host in json.loads(server.admin("/stats.json")[1])["hosts"] if host["name"] == name)


def test_a_probe_says_who_asks_for_what(serve, host, checked):
    origin = checked()
    server = serve([with_health(host("a.test", origin=origin.address)), with_health(host("*.b.test", origin=origin.address))])
    wait_for(lambda: len(origin.heads) >= 6)
    for name in (b"a.test", b"b.test"):
        assert (b"GET /healthz HTTP/1.1\r\nHost: " + name + b"\r\nUser-Agent: sallyport-health\r\nAccept: */*\r\n"
                b"Connection: close\r\n\r\n") in origin.heads
    assert is_up(server, "a.test") and changes(server) == []
    assert probes(server, "a.test", "ok") >= 2 and probes(server, "a.test", "status") == 0


def closing(connection):
    connection.shutdown(socket.SHUT_WR)


def resetting(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def silent(connection):
    connection.settimeout(10)
    connection.recv(1)


def dripping(connection):
    for byte in b"HTTP/1.1 200 OK\r\nX: " + b"a" * 1000:
        connection.sendall(bytes([byte]))
        time.sleep(0.02)


def endless(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        connection.sendall(b"a" * 4096)


@pytest.mark.parametrize("health, result, why", [
    (DOWN, "status", "status 503"),
    (b"HTTP/1.1 404 Not Found\r\n\r\n", "status", "status 404"),
    (b"SSH-2.0-OpenSSH_9.2\r\n", "malformed", "its answer is not HTTP: no status line of HTTP/1.1 or HTTP/1.0"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "malformed", "no HTTP answer: .*"),
    (endless, "malformed", "no HTTP answer: .*"),
    (b"HTTP/1.1 200 OK\r\n", "closed", "the connection was closed before an answer"),
    (closing, "closed", "the connection was closed before an answer"),
    (resetting, "closed", "the connection broke before an answer: Connection reset by peer"),
    (silent, "timed_out", "no answer within 300ms"),
    (dripping, "timed_out", "no answer within 300ms"),
])
def test_an_origin_is_down_by_what_it_answers(serve, host, checked, health, result, why):
    good, bad = checked(), checked(health)
    server = serve([with_health(host("a.test", origin=[good.address, bad.address]), {"timeout": "300ms"})], shards=1)
    wait_for(lambda: not is_up(server, "a.test", bad.address))
    assert is_up(server, "a.test", good.address)
    [line] = changes(server)
    assert re.fullmatch(f"origin {bad.address} of a.test is down: {why}", line)
    assert probes(server, "a.test", result) >= 3
    before = bad.served
    assert [server.curl("a.test").status for _ in range(8)] == [200] * 8
    assert bad.served == before and good.served >= 8
    [one] = [origin for origin in host_stats(server, "a.test")["origins"] if not origin["up"]]
    assert one["address"] == bad.address and re.fullmatch(why, one["why"])
    bad.health = OK
    wait_for(lambda: is_up(server, "a.test", bad.address))
    assert changes(server)[1:] == [f"origin {bad.address} of a.test is up again"]
    wait_for(lambda: server.curl("a.test").status == 200 and bad.served > before)


def test_an_origin_is_down_when_it_refuses(serve, host, checked):
    good, port = checked(), free_port()
    server = serve([with_health(host("a.test", origin=[good.address, f"127.0.0.1:{port}"]))])
    wait_for(lambda: not is_up(server, "a.test", f"127.0.0.1:{port}"))
    assert changes(server) == [f"origin 127.0.0.1:{port} of a.test is down: connection refused"]
    assert probes(server, "a.test", "refused") >= 3
    finding = f"1 of 2 origins of a.test is down: the health checks of 127.0.0.1:{port} fail: connection refused."
    wait_for(lambda: finding in server.admin("/stats.json")[1])


def test_without_a_path_a_connection_is_enough(serve, host, scripted):
    """Also one on which nothing but its end comes, as far as the origin sees."""
    seen = []
    origin = scripted(lambda connection, number: seen.append(connection.recv(10)))
    port = free_port()
    entry = host("a.test", origin=[origin.address, f"127.0.0.1:{port}"])
    server = serve([{**entry, "health": {"interval": "100ms", "fall": 2}}])
    wait_for(lambda: len(seen) >= 3 and not is_up(server, "a.test", f"127.0.0.1:{port}"))
    assert set(seen) == {b""} and is_up(server, "a.test", origin.address)


@pytest.mark.parametrize("statuses, good", [([204], False), (["500-599"], False), ([200], True), ([404, "200-299"], True)])
def test_the_file_says_which_statuses_are_good(serve, host, checked, statuses, good):
    origin = checked()
    server = serve([with_health(host("a.test", origin=origin.address), {"status": statuses})])
    wait_for(lambda: len(origin.probes) >= 6)
    wait_for(lambda: is_up(server, "a.test") == good)


def test_rise_and_fall_are_exact(serve, host, checked):
    """Each probe takes the next answer of a script; the state changes with the probe that completes a row, and no other."""
    script = collections.deque()
    taken = []

    def next_answer(connection):
        good = script.popleft() if script else taken[-1]
        taken.append(good)
        connection.sendall(OK if good else DOWN)

    origin = checked(next_answer)
    #               two failures are none  three are; one good one is none, nor two with a failure between; then three
    script.extend([1, 0, 0, 1, 0, 0, 1] + [0, 0, 0] + [1, 1, 0, 1, 1] + [1])
    rows = len(script)
    server = serve([with_health(host("a.test", origin=origin.address), {"rise": 3, "fall": 3})], shards=1)
    lines = {}
    while len(taken) < rows + 3:
        lines.setdefault(len(changes(server)), len(taken))
        time.sleep(0.002)
    assert [line.split()[-1] for line in changes(server)] == ["503", "again"]
    # Between an answer that the origin has sent and its line there is a moment, and a probe may have begun meanwhile.
    assert 10 <= lines[1] <= 11 and 16 <= lines[2] <= 17


def test_one_that_flaps_stays_as_it_is(serve, host, checked):
    turns = []

    def flap(connection):
        turns.append(0)
        connection.sendall(OK if len(turns) % 2 else DOWN)

    origin = checked(flap)
    server = serve([with_health(host("a.test", origin=origin.address), {"rise": 2, "fall": 2})])
    wait_for(lambda: len(turns) >= 20)
    assert is_up(server, "a.test") and changes(server) == []


def test_requests_are_tried_at_all_origins_when_all_checks_fail(serve, host, checked):
    """A check that is wrong must be no outage."""
    first, second = checked(DOWN), checked(DOWN)
    server = serve([with_health(host("a.test", origin=[first.address, second.address]))], shards=1)
    wait_for(lambda: not is_up(server, "a.test", first.address) and not is_up(server, "a.test", second.address))
    assert [server.curl("a.test").status for _ in range(6)] == [200] * 6
    assert first.served + second.served == 6
    assert server.metric("sallyport_unhealthy_origins_used_total", host="a.test") >= 2
    assert server.admin("/readyz")[0] == 200


def test_kept_connections_of_an_origin_that_is_down_are_not_used(serve, host, checked):
    """Neither those of the pool nor one that a client has to itself, when others are up."""
    first, second = checked(), checked()
    entry = with_health(host("a.test", origin=[first.address, second.address]), origin_pool="off")
    server = serve([entry], shards=1)
    with server.open(server.tls_client(), "a.test") as client:
        assert client.get()[0] == 200 and client.get()[0] == 200
        [one] = [origin for origin in (first, second) if origin.served == 2]
        one.health = DOWN
        wait_for(lambda: not is_up(server, "a.test", one.address))
        assert client.get()[0] == 200 and client.get()[0] == 200
        assert one.served == 2 and first.served + second.served == 4


def test_readyz_tells_of_required_hosts(serve, host, checked):
    first, second, other = checked(DOWN), checked(DOWN), checked(DOWN)
    server = serve([with_health(host("a.test", origin=[first.address, second.address]), required=True),
                    with_health(host("b.test", origin=other.address))])
    wait_for(lambda: not is_up(server, "b.test") and server.admin("/readyz")[0] == 503)
    assert server.admin("/readyz")[1] == "host a.test has no origin that is up\n"
    assert server.admin("/healthz")[0] == 200
    second.health = OK
    wait_for(lambda: server.admin("/readyz") == (200, "ready\n"))
    second.__exit__()
    wait_for(lambda: server.admin("/readyz")[0] == 503)
    assert server.reload(hosts=[with_health(host("b.test", origin=other.address))])
    assert server.admin("/readyz")[0] == 200


def test_a_required_host_is_probed_in_any_case(serve, host):
    port = free_port()
    server = serve([{**host("a.test", origin=f"127.0.0.1:{port}"), "required": True}])
    assert server.admin("/readyz")[0] == 200
    wait_for(lambda: server.admin("/readyz")[0] == 503)
    with socket.create_server(("127.0.0.1", port)):
        wait_for(lambda: server.admin("/readyz")[0] == 200, within=40)


def test_a_reload_keeps_what_is_known_under_the_same_check(serve, host, checked):
    down, up = checked(DOWN), checked()
    entry = with_health(host("a.test", origin=[up.address, down.address]))
    server = serve([entry], shards=1)
    wait_for(lambda: not is_up(server, "a.test", down.address))
    assert server.reload(hosts=[{**entry, "health": {**CHECK, "interval": "300ms", "fall": 100}}, host("b.test")])
    assert not is_up(server, "a.test", down.address)
    assert "status 503" in server.admin("/stats.json")[1]
    for _ in range(4):
        assert server.curl("a.test").status == 200
    assert down.served == 0 and len(changes(server)) == 1
    # Another question: what was known counts no more.
    assert server.reload(hosts=[{**entry, "health": {**CHECK, "path": "/else", "fall": 100}}])
    assert is_up(server, "a.test", down.address)


def test_a_reload_ends_the_probes_of_what_is_gone(serve, host, checked):
    first, second, third = checked(), checked(silent), checked()
    server = serve([with_health(host("a.test", origin=[first.address, second.address])),
                    with_health(host("b.test", origin=third.address))])
    wait_for(lambda: first.probes and second.probes and third.probes)
    assert server.reload(hosts=[with_health(host("a.test", origin=first.address)), host("b.test", origin=third.address)])
    counts = len(second.probes), len(third.probes)
    before = len(first.probes)
    wait_for(lambda: len(first.probes) >= before + 5)
    assert (len(second.probes), len(third.probes)) == counts
    assert server.reload(hosts=[host("b.test", origin=third.address)])


def test_the_server_ends_with_probes_in_flight(serve, host, checked):
    origin = checked(silent)
    server = serve([with_health(host("a.test", origin=origin.address), {"timeout": "1m"})])
    wait_for(lambda: origin.probes)
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_probes_have_a_proxy_header_that_names_nobody(serve, host, scripted, version):
    headers = []

    def script(connection, number):
        wanted = b"PROXY UNKNOWN\r\n" if version == "v1" else balancers.v2(command=0x20)
        received = b""
        while b"\r\n\r\n" not in received[len(wanted):]:
            received += connection.recv(4096)
        headers.append(received[:len(wanted)] == wanted)
        connection.sendall(OK)

    origin = scripted(script)
    server = serve([with_health(host("a.test", origin=origin.address), origin_proxy_protocol=version)])
    wait_for(lambda: len(headers) >= 4)
    assert all(headers) and is_up(server, "a.test") and changes(server) == []


def test_nginx_and_nghttpd_are_up_until_they_end(serve, host, nginx, tmp_path):
    """Over HTTP/2 the status counts too, and an origin that is killed and comes back is seen to."""
    with origins.Nghttpd(tmp_path / "h2", free_port(), "--verbose") as http2:
        server = serve([with_health(host("one.test"), {"path": "/empty"}),
                        with_health(host("two.test", origin=http2.address), {"path": "/small.txt"}, origin_protocol="http2"),
                        with_health(host("gone.test", origin=http2.address), {"path": "/gone"}, origin_protocol="http2"),
                        with_health(host("old.test", origin=f"127.0.0.1:{nginx.port}"), origin_protocol="http2")])
        wait_for(lambda: probes(server, "one.test", "ok") >= 4 and probes(server, "two.test", "ok") >= 4)
        wait_for(lambda: len(changes(server)) == 2)
        lines = dict(re.fullmatch(r"origin \S+ of (\S+) is down: (.*)", line).groups() for line in changes(server))
        assert lines["gone.test"] == "status 404" and "HTTP/2" in lines["old.test"] + "no HTTP/2 answer"
        assert is_up(server, "one.test") and is_up(server, "two.test")
        assert (":authority", "two.test") in http2.received() and ("user-agent", "sallyport-health") in http2.received()
        http2.kill()
        wait_for(lambda: not is_up(server, "two.test"))
        http2.start()
        wait_for(lambda: is_up(server, "two.test"))


class Crowd:
    """Many addresses that are one origin: 127.0.0.0/8 on one port. Notes when each has had its probes."""

    def __init__(self, count):
        self.listener = socket.create_server(("0.0.0.0", 0), backlog=4096)
        port = self.listener.getsockname()[1]
        self.addresses = [f"127.1.{i // 250}.{i % 250 + 1}:{port}" for i in range(count)]
        self.times = []
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(5)
                connection.recv(4096)
                connection.sendall(OK)
                self.times.append(time.monotonic())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.close()


@pytest.mark.slow
def test_a_thousand_origins_are_not_probed_at_once(serve, host):
    with Crowd(1000) as crowd:
        names = [f"h{i}.test" for i in range(16)]
        parts = [crowd.addresses[i::16] for i in range(16)]
        server = serve([with_health(host(name, origin=part), {"interval": "5s", "timeout": "5s"})
                        for name, part in zip(names, parts)])
        wait_for(lambda: len(crowd.times) >= 1000, within=30)  # the first ones, as soon as can be
        time.sleep(10)  # the second ones
        begin, cpu = time.monotonic(), server.cpu_seconds()
        time.sleep(10)
        cpu = (server.cpu_seconds() - cpu) / 10
        times = [at - begin for at in crowd.times if begin <= at < begin + 10]
        busiest = max(collections.Counter(int(at * 10) for at in times).values())
        print(f"{len(times)} probes in 10 s, {busiest} in the busiest tenth of a second, {cpu:.3f} of a core")
        assert changes(server) == []
        assert 1600 <= len(times) <= 2200
        assert busiest <= 70  # 20 on the average: chance alone
        assert cpu < (0.5 if SANITIZED else 0.1)


def test_silent_origins_do_not_hold_up_the_others(serve, host, checked):
    """More origins that answer nothing than probes may be in flight: one that answers is probed in its time all the same."""
    with socket.create_server(("0.0.0.0", 0), backlog=4096) as silent_ones:
        port = silent_ones.getsockname()[1]
        good = checked()
        crowds = [[f"127.2.{i}.{j}:{port}" for j in range(1, 61)] for i in range(3)]
        server = serve([with_health(host(f"h{i}.test", origin=crowd), {"timeout": "2s", "fall": 1})
                        for i, crowd in enumerate(crowds)] + [with_health(host("good.test", origin=good.address))])
        wait_for(lambda: all(server.metric("sallyport_origin_up", host=f"h{i}.test") == 0 for i in range(3)), within=60)
        before = len(good.probes)
        time.sleep(3)
        assert len(good.probes) - before >= 15  # 30 where nothing else runs
        assert is_up(server, "good.test")


def test_probes_over_tls_believe_no_other_origin(serve, entry, authority, tmp_path):
    """By a request and by the handshake alone, over HTTP/1.1 and HTTP/2: the name and the chain have to be right."""
    good, other = authority.leaf(ORIGIN), authority.leaf("other.test")
    with Nginx(tmp_path / "good", good) as one, Nginx(tmp_path / "other", other) as two, \
            Nginx(tmp_path / "h2", good, more="http2") as three:
        server = serve([
            {**with_health(entry([one, two]), {"path": "/"}), "name": "a.test"},
            {**entry([one, two]), "name": "*.b.test", "health": {"interval": "100ms"}},
            {**with_health(entry(three, protocol="http2"), {"path": "/files/small.txt"}), "name": "*.c.test"}])
        wait_for(lambda: len(changes(server)) == 2)
        assert all(re.fullmatch(rf"origin {two.address} of (a.test|\*.b.test) is down: tls_name: .*", line)
                   for line in changes(server))
        wait_for(lambda: probes(server, "*.c.test", "ok") >= 3 and probes(server, "*.b.test", "ok") >= 3)
        assert is_up(server, "a.test", one.address) and is_up(server, "*.b.test", one.address) and is_up(server, "*.c.test")
        assert probes(server, "a.test", "tls") >= 3
        assert server.reload(hosts=[{**entry(one), "name": "a.test"}])


def test_a_probe_whose_handshake_stalls(serve, entry, scripted):
    origin = scripted(lambda connection, number: (connection.recv(4096), time.sleep(20)))
    made = entry(origin)
    server = serve([{**made, "health": {"interval": "100ms", "timeout": "200ms", "fall": 1}}])
    wait_for(lambda: changes(server))
    assert changes(server)[0] == f"origin {origin.address} of {made['name']} is down: no TLS handshake within 200ms"
