"""Origins in each state: they die, stall, lie, flap and come back, in both protocols on both sides, in clear and over TLS."""

import itertools

import pytest

import origins
from conftest import free_port, wait_for
from peers import PEERS, Http2, reset
from test_access_log import logged, requests_of, wait_for_lines  # noqa: F401 (a fixture)
from tls_origins import NAME, ORIGIN, authority, connections, entry, requests, run, secure  # noqa: F401 (fixtures)

CLIENTS = pytest.mark.parametrize("client", ["http1", "http2"])
SPOKEN = pytest.mark.parametrize("spoken", ["http1", "http2"])
# Whether the origin speaks TLS, its protocol and that of clients: each pair of two of them is in it.
PAIRS = [(False, "http1", "http1"), (False, "http2", "http2"), (True, "http1", "http2"), (True, "http2", "http1")]
TIMEOUTS = {"connect": "500ms", "response": "500ms", "body": "500ms"}


@pytest.fixture
def origin_of(scripted, secure, authority):  # noqa: F811
    """origin_of(spoken, script, tls): hands the origin's end of each connection, and its number, to the script."""

    def make(spoken, script, tls=False, **options):
        def talk(connection, number):
            script(PEERS[spoken](connection, **options), number)

        if not tls:
            return scripted(talk)
        return secure(authority.leaf(ORIGIN), talk, "h2" if spoken == "http2" else None)

    return make


@pytest.fixture
def host_of(host, entry):  # noqa: F811
    """host_of(origins, spoken, tls): the host with them."""

    def make(running, spoken, tls=False, **keys):
        running = running if isinstance(running, list) else [running]
        made = entry(running) if tls else host(NAME, origin=[origin.address for origin in running])
        return {**made, "origin_protocol": spoken, **keys}

    return make


def stays(peer, number):
    peer.wait()


def after_request(then):
    def script(peer, number):
        if peer.take():
            then(peer)

    return script


def within_head(then):
    """Some bytes of the answer's head, or of its frame."""

    def script(peer):
        peer.connection.sendall(b"\0\0\x10\1" if isinstance(peer, Http2) else b"HTTP/1.1 200")
        then(peer)

    return after_request(script)


def within_body(then):
    def script(peer):
        peer.begin(10)
        peer.piece(b"hello")
        then(peer)

    return after_request(script)


def end(peer):
    pass


def cut(peer):
    reset(peer.connection)


def stall(peer):
    peer.wait()


CUT = "the answer is cut, or 502 if it is before anything of it has left"

# The script, the status (None: the answer is cut), and what the log calls it.
STATES = {
    "dies at once": (lambda peer, number: None, 502, {"closed_early", "reset", "tls_broken"}),
    "dies at once by a reset": (lambda peer, number: reset(peer.connection), 502, {"closed_early", "reset", "tls_broken"}),
    # A close with something unread, as frames of ours may be, is a reset (RFC 1122 section 4.2.2.13).
    "dies in the answer's place": (after_request(end), 502, {"closed_early", "reset"}),
    "resets in the answer's place": (after_request(cut), 502, {"reset", "closed_early"}),
    "dies within the head": (within_head(end), 502, {"closed_early", "reset"}),
    "dies within the body": (within_body(end), CUT, {"truncated", "reset"}),
    "resets within the body": (within_body(cut), CUT, {"truncated", "reset"}),
    "stalls from the start": (stays, 504, {"timed_out"}),
    "stalls within the head": (within_head(stall), 504, {"timed_out"}),
    "stalls within the body": (within_body(stall), None, {"timed_out"}),
    "lies": (after_request(lambda peer: peer.garbage()), 502, {"malformed_status_line", "malformed_http2"}),
    "says too little": (after_request(lambda peer: (peer.begin(10), peer.piece(b"short", True))), CUT,
                        {"truncated", "malformed_http2", "reset"}),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("tls, spoken, client", PAIRS)
def test_one_request(logged, host_of, origin_of, state, tls, spoken, client):  # noqa: F811
    script, status, faults = STATES[state]
    keys = {"timeouts": TIMEOUTS} if "stalls" in state else {}
    server, path = logged(host_of(origin_of(spoken, script, tls), spoken, tls, **keys))
    server.protocol = client
    answer = server.curl(NAME, "/", check=isinstance(status, int))
    line = requests_of(wait_for_lines(path, 1))[0]
    assert line["origin_error"] in faults, line
    if status is CUT:
        assert answer.was_cut or answer.status == 502
    elif status is None:
        assert answer.was_cut, (answer.returncode, answer.status)
    else:
        assert answer.status == status
    assert requests(server, "completed") == 0


@CLIENTS
@SPOKEN
def test_flapping_loses_no_get(serve, host_of, origin_of, spoken, client):
    """Two origins, of which one dies on each second request, and the other says 503 to each second: GETs go to another."""

    def dies(peer, number):
        while peer.take():
            if next(first) % 2 == 0:
                return
            peer.answer()

    def fails(peer, number):
        while peer.take():
            peer.answer(status=503 if next(second) % 2 == 0 else 200)

    first, second = itertools.count(), itertools.count()
    running = [origin_of(spoken, script) for script in (dies, fails)]
    server = serve([host_of(running, spoken, retry={"on": ["refused", 503], "attempts": 4, "budget": "100%"})], shards=1)
    server.protocol = client
    assert [server.curl(NAME, "/").text for _ in range(30)] == 30 * ["ok"]
    assert requests(server, "completed") == 30


@pytest.mark.parametrize("tls, spoken, client", PAIRS)
def test_the_last_request_of_a_connection(serve, host_of, origin_of, tls, spoken, client):
    """Each connection takes three and says so with the third answer, or right after: by FIN, close_notify, GOAWAY."""

    def script(peer, number):
        for _ in range(3):
            if not peer.take():
                return
            peer.answer()
        if number % 2 == 0:
            peer.last()
            peer.wait()

    server = serve([host_of(origin_of(spoken, script, tls), spoken, tls)], shards=1)
    server.protocol = client
    with server.open(server.tls_client(), NAME) as held:
        assert [held.get()[0] for _ in range(40)] == 40 * [200]
    assert requests(server, "completed") == 40 and connections(server, "opened") >= 13


def answers(text):
    def script(peer, number):
        while peer.take():
            peer.answer(text)

    return script


@CLIENTS
@SPOKEN
def test_it_comes_back(serve, host_of, origin_of, spoken, client):
    """The address refuses connections, and is asked again while the backup serves."""
    backup = origin_of(spoken, answers(b"backup"))
    port = free_port()
    made = host_of(backup, spoken)
    made["origin"] = [{"address": f"127.0.0.1:{port}"}, {"address": backup.address, "backup": True}]
    server = serve([made], shards=1)
    server.protocol = client
    assert server.curl(NAME, "/").text == "backup"
    assert f"origin 127.0.0.1:{port}: refused: Connection refused; passed over" in server.stderr()
    with origins.Scripted(lambda connection, number: answers(b"ok")(PEERS[spoken](connection), number), port=port):
        wait_for(lambda: server.curl(NAME, "/").text == "ok")
    assert "accepts connections again" in server.stderr()
