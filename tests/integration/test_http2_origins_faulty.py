"""Origins of HTTP/2 that stall, flap, end, begin again and move, under load: no GET is lost."""

import contextlib
import signal
import threading

import pytest

import daemons
import http2_raw as raw
import origins
from conftest import free_port, wait_for
from peers import Http2
from test_access_log import logged, requests_of, wait_for_lines  # noqa: F401 (a fixture)
from test_names import APP, FIRST, SECOND, THIRD, server_of_names  # noqa: F401 (a fixture)
from tls_origins import NAME, ORIGIN, Nginx, authority, connections, entry, requests, run  # noqa: F401 (fixtures)

CLIENTS = pytest.mark.parametrize("version", ["http1", "http2"])


@contextlib.contextmanager
def load(server, path="/", count=4):
    """So many clients ask without pause in the block; each on one connection, half of them over HTTP/2. Gives all statuses."""
    statuses, ending = [], threading.Event()

    def ask(protocol):
        with server.http2(NAME) if protocol == "http2" else server.open(server.tls_client(), NAME) as client:
            while not ending.is_set():
                statuses.append(client.ask(NAME, path).status if protocol == "http2" else client.get(path)[0])

    clients = [threading.Thread(target=ask, args=("http2" if number % 2 else "http1",)) for number in range(count)]
    for client in clients:
        client.start()
    try:
        yield statuses
    finally:
        ending.set()
        for client in clients:
            client.join(30)


def wait_for_more(statuses, count=50):
    target = len(statuses) + count
    wait_for(lambda: len(statuses) >= target)


@pytest.fixture
def peers(scripted):
    """peers(script, ...): an origin that hands its end of each connection, and the number, to the script."""
    return lambda script, **options: scripted(lambda connection, number: script(Http2(connection, **options), number))


@pytest.fixture
def host_of(host):
    def make(running, **keys):
        running = running if isinstance(running, list) else [running]
        return {**host(NAME, origin=[one.address for one in running]), "origin_protocol": "http2", **keys}

    return make


# A rolling restart

ROLLING = [("nginx", signal.SIGQUIT), ("nginx", signal.SIGTERM), ("nginx", signal.SIGKILL), ("nghttpd", signal.SIGTERM), ("nghttpd", signal.SIGKILL)]


@pytest.mark.parametrize("kind,how", ROLLING, ids=[f"{how.name}-{kind}" for kind, how in ROLLING])
def test_a_rolling_restart_loses_nothing(serve, entry, authority, run, kind, how):  # noqa: F811
    """nginx ends gracefully by SIGQUIT: GOAWAY, and what it has taken is answered. By the others all is cut."""
    entity = authority.leaf(ORIGIN)
    if kind == "nginx":
        running = [run(Nginx, entity, more="http2") for _ in range(3)]
    else:
        running = [run(origins.Nghttpd, free_port(), entity=entity) for _ in range(3)]
    made = entry(running, protocol="http2")
    server = serve([{**made, "balance": "least_connections", "retry": {"on": ["refused", "timeout"], "budget": "100%"}}], shards=2)
    with load(server, "/files/small.txt" if kind == "nginx" else "/small.txt") as statuses:
        for origin in running:
            wait_for_more(statuses)
            origin.process.send_signal(how)
            origin.process.wait(20)
            wait_for_more(statuses)
            origin.start()
        wait_for_more(statuses)
    assert set(statuses) == {200} and len(statuses) > 350
    assert requests(server, "completed") == len(statuses)


# An origin behind a name

class Moving(daemons.Nginx):
    """nginx in HTTP/2 at some loopback addresses; it answers with the address."""

    def __init__(self, folder, *addresses):
        port = free_port()
        listens = "".join(f"listen {address}:{port} http2;" for address in ("127.0.0.1", *addresses))
        super().__init__(folder, self.http(folder, f'server {{ {listens} location / {{ return 200 "$server_addr"; }} }}'), port)


def test_no_request_is_lost_while_addresses_change(serve, host, run, server_of_names):  # noqa: F811
    origin = run(Moving, FIRST, SECOND, THIRD)
    server_of_names.says(APP, [FIRST], 1)
    server = serve([{**host(NAME, origin=f"{APP}:{origin.port}"), "origin_protocol": "http2"}], shards=2,
                   resolver={"servers": [server_of_names.address]})
    with load(server) as statuses:
        for number, addresses in enumerate([[SECOND], [SECOND, THIRD], [FIRST], [THIRD, FIRST]]):
            wait_for_more(statuses)
            server_of_names.says(APP, addresses, 1)
            wait_for(lambda: server.stderr().count("addresses; ") > number)
        wait_for_more(statuses)
        server_of_names.says(APP, [SECOND], 1)
        wait_for(lambda: {server.curl(NAME, "/").text for _ in range(8)} == {SECOND})
    assert set(statuses) == {200} and requests(server, "completed") >= len(statuses)


# Those that stall

TIMEOUTS = {"connect": "500ms", "response": "500ms", "body": "500ms"}


def answer_all(peer, number=0):
    while peer.take():
        peer.answer()


@CLIENTS
def test_a_shut_window_stalls_bodies_alone(logged, host_of, peers, version):  # noqa: F811
    server, path = logged(host_of(peers(answer_all, settings=[(raw.INITIAL_WINDOW_SIZE, 0)]), timeouts=TIMEOUTS))
    server.protocol = version
    assert server.curl(NAME, "/").text == "ok"
    assert server.curl(NAME, "/", "-d", "x" * 100000).status == 504
    assert server.curl(NAME, "/").text == "ok"
    assert requests_of(wait_for_lines(path, 3))[1]["origin_error"] == "send_timed_out"


@CLIENTS
def test_settings_that_are_not_acknowledged(serve, host_of, peers, version):
    server = serve([host_of(peers(answer_all, acknowledges=False))], shards=1)
    server.protocol = version
    assert [server.curl(NAME, "/").text for _ in range(3)] == 3 * ["ok"]
    assert connections(server, "opened") == 1


MALFORMED = {
    "a pseudo-header of requests": [(":status", "200"), (":path", "/")],
    "no status": [("x-status", "200")],
    "a name in upper case": [(":status", "200"), ("X-Name", "1")],
    "transfer coding": [(":status", "200"), ("transfer-encoding", "chunked")],
    "two lengths": [(":status", "200"), ("content-length", "2"), ("content-length", "2")],
    "another length": [(":status", "200"), ("content-length", "3")],
    "too large": [(":status", "200"), *(80 * [("x-name", 4000 * "x")])],  # but for the first one each takes a byte (HPACK)
}


@CLIENTS
@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_answer_is_no_reset_of_the_origin(logged, host_of, peers, case, version):  # noqa: F811
    """RFC 9113 section 8.1.1: it is the server that resets the stream. No other origin is asked for a request that was taken."""

    def script(peer, number):
        while peer.take():
            block = peer.encoder.encode(MALFORMED[case])
            peer.send(raw.frame(raw.HEADERS, raw.END_HEADERS, peer.stream, block),
                      raw.frame(raw.DATA, raw.END_STREAM, peer.stream, b"ok"))

    server, path = logged(host_of(peers(script), retry={"on": ["refused"]}))
    server.protocol = version
    response = server.curl(NAME, "/", check=False)
    assert response.was_cut if case == "another length" else response.status == 502
    line, = requests_of(wait_for_lines(path, 1))
    assert line["origin_error"] == ("too_large" if case == "too large" else "malformed_http2")
    assert requests(server, "bad_response") == 1 and requests(server, "broken") == 0


def refuse_all(peer, number):
    while peer.take():
        peer.refuse()


@pytest.mark.parametrize("script, settings, status, fault", [
    (answer_all, None, 502, "malformed_http2"),  # RFC 9113 section 3.4: they come first
    (refuse_all, [(raw.MAX_CONCURRENT_STREAMS, 0)], 503, "busy"),
    (answer_all, [(raw.MAX_FRAME_SIZE, 1)], 502, "malformed_http2"),
], ids=["none", "no streams", "no true ones"])
def test_settings_that_serve_nobody(logged, host_of, peers, script, settings, status, fault):  # noqa: F811
    """A request that has found no stream goes to another origin, where that is wanted."""
    useless = peers(script, settings=settings)
    server, path = logged(host_of(useless, timeouts=TIMEOUTS))
    assert server.curl(NAME, "/").status == status
    assert requests_of(wait_for_lines(path, 1))[0]["origin_error"] == fault
    assert server.reload([host_of([useless, peers(answer_all)], timeouts=TIMEOUTS, retry={"on": ["refused"]})])
    if fault == "busy":
        assert [server.curl(NAME, "/").text for _ in range(4)] == 4 * ["ok"]


# Those that flap

def goes_away_after(count):
    def script(peer, number):
        for _ in range(count):
            if not peer.take():
                return
            peer.answer()
        peer.go_away(peer.stream)
        peer.wait()

    return script


def goes_away_before_its_answers(peer, number):
    """As nginx does."""
    if peer.take():
        peer.go_away(peer.stream)
        peer.answer()
        peer.wait()


def refuses_each_second(peer, number):
    refuses = False
    while peer.take():
        refuses = not refuses
        if refuses:
            peer.refuse()
        else:
            peer.answer()


def ends_without_a_word(peer, number):
    """Behind each third answer."""
    for _ in range(3):
        if not peer.take():
            return
        peer.answer()


@pytest.mark.parametrize("script", [goes_away_after(1), goes_away_after(7), goes_away_before_its_answers],
                         ids=["one of each", "seven of each", "GOAWAY first"])
def test_flapping_loses_none(serve, host_of, peers, script):
    """Even without `retry`: the origin says what it has not begun."""
    server = serve([host_of(peers(script))], shards=1)
    with load(server) as statuses:
        wait_for_more(statuses, 100)
    assert set(statuses) == {200}


@pytest.mark.parametrize("script", [ends_without_a_word, refuses_each_second])
def test_retries_lose_none(serve, host_of, peers, script):
    """Beside an origin that does not fail."""
    running = [peers(script), peers(answer_all)]
    server = serve([host_of(running, retry={"on": ["refused"], "attempts": 5, "budget": "100%"})], shards=1)
    with load(server) as statuses:
        wait_for_more(statuses, 100)
    assert set(statuses) == {200}
