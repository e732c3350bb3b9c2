"""
Clients of HTTP/2 that end their side of the connection once they have asked: what was asked whole is answered, what was not is
reset, and the connection ends behind the last answer. test_half_close.py has the same of HTTP/1.
"""

import json
import time

import hpack
import pytest

from bio import Client
from conftest import wait_for
from http2_raw import (CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, NO_ERROR, PREFACE, RST_STREAM,
                       frame, settings, window_update)
from test_half_close import ENDS, slow  # noqa: F401

MIB = 1024 * 1024


def head(stream, path="/", method="GET", flags=END_STREAM | END_HEADERS, *more):
    """A HEADERS frame that leaves no traces in the table."""
    fields = [(":method", method), (":scheme", "https"), (":authority", "h.test"), (":path", path), *more]
    return frame(HEADERS, flags, stream, hpack.Encoder().encode([hpack.NeverIndexedHeaderTuple(*field) for field in fields]))


class Answers:
    """What a server has said until its end."""

    def __init__(self, plaintext):
        self.statuses, self.bodies, self.resets, self.done, self.goaways = {}, {}, {}, set(), []
        decoder = hpack.Decoder()
        while plaintext:
            size, kind, flags = int.from_bytes(plaintext[:3], "big"), plaintext[3], plaintext[4]
            stream, payload = int.from_bytes(plaintext[5:9], "big"), plaintext[9:9 + size]
            assert len(payload) == size, "the last frame is cut off"
            plaintext = plaintext[9 + size:]
            if kind == HEADERS:
                self.statuses[stream] = int(dict(decoder.decode(payload))[":status"])
            elif kind == DATA:
                self.bodies[stream] = self.bodies.get(stream, b"") + payload
            elif kind == RST_STREAM:
                self.resets[stream] = int.from_bytes(payload, "big")
            elif kind == GOAWAY:
                self.goaways.append(int.from_bytes(payload[4:8], "big"))
            if kind in (HEADERS, DATA) and flags & END_STREAM:
                self.done.add(stream)


def talk(server, frames, end, version=None, initial=(), within=10):
    """Sends the frames and ends the client's side in that way: the answers."""
    with Client(server, "h.test", version=version, alpn="h2") as client:
        client.send(PREFACE + settings(*initial) + frames, *ENDS[end])
        answers = Answers(client.read(within))
        assert client.notified and answers.goaways == [NO_ERROR]
        return answers


@pytest.fixture
def server(serve, host):
    return serve([host("h.test")], shards=1)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("end", sorted(ENDS))
def test_what_was_asked_is_answered(server, version, end):
    post = head(7, "/body", "POST", END_HEADERS) + frame(DATA, 0, 7, b"hel") + frame(DATA, END_STREAM, 7, b"lo")
    answers = talk(server, head(1) + head(3) + head(5, "/teapot") + post, end, version)
    assert answers.statuses == {1: 200, 3: 200, 5: 418, 7: 200} and answers.done == {1, 3, 5, 7}
    assert answers.bodies[7] == b"hello" and not answers.resets
    assert server.metric("sallyport_rejected_total", stage="request") == 0


@pytest.mark.parametrize("end", sorted(ENDS))
def test_late_answers_reach_a_client_that_listens(serve, host, slow, end):  # noqa: F811
    origin = slow(1.0)
    server = serve([host("h.test", origin=origin.address)], shards=1)
    answers = talk(server, head(1) + head(3), end)
    assert answers.bodies == {1: b"late", 3: b"late"} and answers.done == {1, 3}
    assert not origin.left.is_set()


def test_a_long_answer_passes_as_far_as_the_windows_let_it(serve, host, slow):  # noqa: F811
    """What is behind them waits in vain, for no longer than for any client that does not read."""
    origin = slow(0.2, b"x" * 3_000_000)
    server = serve([host("h.test", origin=origin.address)], shards=1, limits={"connections": 64, "idle_timeout": "1s"})
    answers = talk(server, window_update(0, 4 * MIB) + head(1), "FIN", initial=[(INITIAL_WINDOW_SIZE, 4 * MIB)])
    assert len(answers.bodies[1]) == 3_000_000 and answers.done == {1}
    answers = talk(server, head(1), "FIN", within=20)
    assert len(answers.bodies[1]) == 65535 and not answers.done and 1 in answers.resets


CUT = {
    "before a body": head(3, "/", "POST", END_HEADERS),
    "in a body": head(3, "/", "POST", END_HEADERS, ("content-length", "5")) + frame(DATA, 0, 3, b"hell"),
    "before the end of a body": head(3, "/", "POST", END_HEADERS) + frame(DATA, 0, 3, b"hello"),
    "in a head": head(3, "/", "POST", 0),
    "in a CONTINUATION": head(3, "/", "POST", 0) + frame(CONTINUATION, END_HEADERS, 3, b"\0\1a\1b")[:-2],
    "in a frame": head(3)[:-3],
    "in a frame's first bytes": head(3)[:5],
}


@pytest.mark.parametrize("end", sorted(ENDS))
@pytest.mark.parametrize("where", sorted(CUT))
def test_what_is_cut_off_is_no_request(serve, host, slow, tmp_path, where, end):  # noqa: F811
    """The whole one beside it is answered."""
    origin = slow(1.0)
    server = serve([host("h.test", origin=origin.address)], shards=1, access_log=str(tmp_path / "log"))
    began = time.monotonic()
    answers = talk(server, head(1) + CUT[where], end)
    assert answers.bodies == {1: b"late"} and answers.done == {1}
    assert answers.resets == ({} if where == "in a frame's first bytes" else {3: CANCEL})
    assert time.monotonic() - began < 5
    wait_for(lambda: server.metric("sallyport_connections") == 0)
    assert server.metric("sallyport_rejected_total", stage="request") == 0
    wait_for(lambda: '"stream":1' in (tmp_path / "log").read_text().replace(" ", ""))
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    codes = {line["stream"]: line.get("code") for line in lines if line.get("stream")}
    assert codes.pop(1) == 200 and set(codes) <= {3} and not any(codes.values())


@pytest.mark.parametrize("end", sorted(ENDS))
def test_an_early_answer_leaves_whole(server, end):
    answers = talk(server, head(1, "/teapot", "POST", END_HEADERS, ("expect", "something")) + frame(DATA, 0, 1, b"hell"), end)
    assert answers.statuses == {1: 417} and answers.done == {1} and answers.resets == {1: NO_ERROR}


@pytest.mark.parametrize("end", sorted(ENDS))
def test_the_end_after_the_answers_is_an_end_in_peace(server, end):
    with Client(server, "h.test", alpn="h2") as client:
        client.send(PREFACE + settings() + head(1))
        time.sleep(0.3)
        client.send(b"", *ENDS[end])
        answers = Answers(client.read())
        assert answers.statuses == {1: 200} and answers.goaways == [NO_ERROR] and client.notified
    assert server.metric("sallyport_rejected_total", stage="request") == 0


@pytest.mark.parametrize("end", sorted(ENDS))
def test_a_client_that_asks_nothing_gets_nothing(server, end):
    with Client(server, "h.test", alpn="h2") as client:
        client.send(PREFACE + settings(), *ENDS[end])
        assert not Answers(client.read()).statuses
    wait_for(lambda: server.metric("sallyport_connections") == 0)


@pytest.mark.parametrize("end", [*sorted(ENDS), None])
def test_a_reset_ends_all(serve, host, slow, end):  # noqa: F811
    origin = slow(20.0)
    server = serve([host("h.test", origin=origin.address)], shards=1)
    client = Client(server, "h.test", alpn="h2")
    client.send(PREFACE + settings() + head(1), *ENDS.get(end, ()))
    assert origin.asked.wait(20)
    time.sleep(0.3)
    assert not origin.left.is_set(), "half-closed is not gone"
    client.reset()
    assert origin.left.wait(15), "the origin works for nobody"
    wait_for(lambda: server.metric("sallyport_connections") == 0)
