"""How long an origin may take for each part of its work: `timeouts` of a host, and of one of its origins."""

import contextlib
import json
import socket
import time

import pytest

pytestmark = pytest.mark.both_protocols

LONG = "10m"


@contextlib.contextmanager
def full():
    """The address of a listener that nobody accepts from, and that takes no more connections: a SYN to it gets no answer."""
    with contextlib.ExitStack() as held:
        listener = held.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            client = held.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def errors(server, log):
    server.stop()
    return [json.loads(line).get("origin_error") for line in log.read_text().splitlines()]


def timed(server, name, *options):
    began = time.monotonic()
    result = server.curl(name, "/", *options, check=False)
    return result, time.monotonic() - began


def test_a_connection_that_is_not_made(serve, host, tmp_path):
    with full() as address:
        log = tmp_path / "access.log"
        server = serve([{**host("t.test", origin=address), "timeouts": {"connect": "300ms", "response": LONG, "body": LONG}}],
                       access_log=str(log))
        result, took = timed(server, "t.test")
        assert result.status == 502 and 0.25 < took < 5
        assert errors(server, log) == ["connect_timed_out"]


def test_an_answer_that_does_not_begin(serve, host, scripted, tmp_path):
    log = tmp_path / "access.log"
    origin = scripted(lambda connection, number: (origin.read_head(connection), connection.recv(1)))
    server = serve([{**host("t.test", origin=origin.address), "timeouts": {"response": "300ms", "body": LONG}}], access_log=str(log))
    result, took = timed(server, "t.test")
    assert result.status == 504 and 0.25 < took < 15
    assert errors(server, log) == ["timed_out"]


def test_an_answer_that_stops(serve, host, scripted, tmp_path):
    def script(connection, number):
        origin.read_head(connection)
        time.sleep(0.6)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n12345")
        connection.recv(1)

    log = tmp_path / "access.log"
    origin = scripted(script)
    server = serve([{**host("t.test", origin=origin.address), "timeouts": {"response": LONG, "body": "300ms"}}], access_log=str(log))
    result, took = timed(server, "t.test")
    assert result.was_cut and 0.85 < took < 15
    assert errors(server, log) == ["timed_out"]


def test_a_request_that_is_not_taken(serve, host, scripted, tmp_path):
    log = tmp_path / "access.log"
    origin = scripted(lambda connection, number: (connection.recv(1), time.sleep(10)))
    server = serve([{**host("t.test", origin=origin.address), "timeouts": {"response": LONG, "body": "300ms"}}], access_log=str(log))
    body = tmp_path / "body"
    body.write_bytes(bytes(32 << 20))
    result, took = timed(server, "t.test", "-T", str(body), "-H", "Expect:")
    assert result.status in (0, 504) and took < 15
    assert errors(server, log) == ["send_timed_out"]


def slow(scripted, unanswered):
    """An origin that takes 0.7 s for each answer, and gives none to a request for which unanswered(head) is true."""
    def script(connection, number):
        while head := origin.read_head(connection):
            if unanswered(head):
                connection.recv(1)
                return
            time.sleep(0.7)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow")

    origin = scripted(script)
    return origin


def test_an_origin_may_have_others_than_its_host(serve, host, scripted):
    origin = slow(scripted, lambda head: b"host: t.test" in head.lower())
    entry = {**host("t.test", origin=[origin.address]), "timeouts": {"response": "300ms"}}
    server = serve([entry, {**entry, **{key: host("u.test")[key] for key in ("name", "certificate", "key")},
                            "origin": [{"address": origin.address, "timeouts": {"response": "20s"}}]}])
    assert server.curl("t.test").status == 504
    assert server.curl("u.test").text == "slow"


def test_a_reload_changes_them(serve, host, scripted):
    origin = slow(scripted, lambda head: len(origin.heads) > 1)
    server = serve([host("t.test", origin=origin.address)])
    assert server.curl("t.test").status == 200
    assert server.reload([{**host("t.test", origin=origin.address), "timeouts": {"response": "200ms"}}])
    assert server.curl("t.test").status == 504
