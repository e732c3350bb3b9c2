"""How connections of HTTP/2 end: GOAWAY in two steps, and no stream is lost."""

import signal
import threading
import time

import pytest

import origins
from conftest import seen, wait_for
from http2_raw import NO_ERROR, PING, ACK, Raw, frame

LAST = 2 ** 31 - 1  # of streams: a GOAWAY that names it takes all that are on their way


class Holding:
    """An origin that answers /hold when it is released, and all else at once."""

    def __init__(self):
        self.release = threading.Event()
        self.asked = 0

    def __call__(self, connection, number):
        while head := self.origin.read_head(connection):
            if head.startswith(b"GET /hold"):
                self.asked += 1
                self.release.wait(20)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")


@pytest.fixture
def holding():
    script = Holding()
    with origins.Scripted(script) as origin:
        script.origin = origin
        yield script
        script.release.set()


def asleep(raw, holding, *streams):
    raw.send(*(raw.head(stream, raw.request("/hold")) for stream in streams))
    wait_for(lambda: holding.asked >= len(streams))


def end_by_signal(server, host, holding):
    server.process.send_signal(signal.SIGTERM)


def end_by_http2_off(server, host, holding):
    assert server.reload([{**host("d.test", origin=holding.origin.address), "http2": False}])


def end_by_host_gone(server, host, holding):
    assert server.reload([host("other.test", origin=holding.origin.address)])


@pytest.mark.parametrize("end", [end_by_signal, end_by_http2_off, end_by_host_gone])
def test_goaway_comes_in_two_steps_and_no_stream_is_lost(serve, host, holding, end):
    server = serve([host("d.test", origin=holding.origin.address)], shards=1)
    with Raw(server, "d.test", polite=False) as raw:
        raw.settle()
        asleep(raw, holding, 1, 3)
        end(server, host, holding)
        assert raw.wait(lambda: raw.goaways), "at once, not with the last answer"
        assert raw.goaways == [(LAST, NO_ERROR)]
        # On its way when the server said so: the client has not acknowledged anything yet.
        raw.send(raw.head(5))
        assert raw.outcome(5) == (200 if end is not end_by_host_gone else 421)
        assert raw.goaways == [(LAST, NO_ERROR)]
        assert raw.wait(lambda: raw.pings)
        raw.send(frame(PING, ACK, 0, raw.pings[-1]))
        assert raw.wait(lambda: len(raw.goaways) == 2)
        assert raw.goaways[1] == (5, NO_ERROR), "the last stream that was taken"
        assert not raw.ended
        raw.send(raw.head(7))
        assert not raw.wait(lambda: 7 in raw.statuses, within=0.5), "it is the client's to ask again elsewhere"
        holding.release.set()
        assert raw.outcome(1) == raw.outcome(3) == 200
        assert raw.bodies == {1: 4, 3: 4, 5: raw.bodies[5]}
        assert raw.error() == NO_ERROR


def test_a_client_that_does_not_answer_the_ping_is_left_in_time(serve, host):
    server = serve([host("d.test")], shards=1)
    with Raw(server, "d.test", polite=False) as raw:
        raw.settle()
        raw.send(raw.head(1))
        assert raw.outcome(1) == 200
        server.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert raw.error(within=15) == NO_ERROR
        assert time.monotonic() - began < 10
    server.stop()


def test_an_idle_client_that_is_polite_is_gone_at_once(serve, host):
    server = serve([host("d.test")], shards=1)
    with server.http2("d.test") as client:
        assert client.ask("d.test").status == 200
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert client.wait_for_end() == NO_ERROR
        assert time.monotonic() - began < 3 and client.goaways[0] == (LAST, NO_ERROR) and client.goaways[-1] == (1, NO_ERROR)
    server.stop()


def test_an_upload_under_way_is_taken_to_its_end(serve, host):
    got = []

    def script(connection, number):
        data = b""
        while not data.endswith(b"0\r\n\r\n"):
            data += connection.recv(65536)
        got.append(data.count(b"x" * 100))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with origins.Scripted(script) as origin:
        server = serve([host("d.test", origin=origin.address)], shards=1)
        with server.http2("d.test") as client:
            stream = client.get("d.test", method="POST", end=False)
            client.send(stream, b"x" * 100)
            server.process.send_signal(signal.SIGTERM)
            client.wait(lambda: client.goaways)
            for _ in range(20):
                client.send(stream, b"x" * 100)
                time.sleep(0.02)
            client.send(stream, b"", end=True)
            assert client.answer(stream).status == 200
            assert client.wait_for_end() == NO_ERROR
        assert got == [21]
        server.stop()


class Worker(threading.Thread):
    """Keeps ten streams open all the time until it is told to stop opening; no stream may be lost that was opened before."""

    def __init__(self, server, name):
        super().__init__()
        self.server, self.name_, self.lost, self.answered = server, name, [], 0

    def run(self):
        with self.server.http2(self.name_) as client:
            open_ = set()
            while not client.ended:
                if not client.goaways:
                    while len(open_) < 10:
                        open_.add(client.get(self.name_))
                client.receive()
                for stream in [stream for stream in open_ if client.answers[stream].over]:
                    answer = client.answers[stream]
                    open_.remove(stream)
                    if answer.whole and answer.status == 200:
                        self.answered += 1
                    else:
                        self.lost.append((stream, answer.status, answer.reset))
            last = client.goaways[-1][0] if client.goaways else None
            self.lost += [(stream, "open", last) for stream in open_]


@pytest.mark.parametrize("end", [end_by_signal, end_by_http2_off])
def test_no_stream_of_many_is_lost(serve, host, holding, end):
    server = serve([host("d.test", origin=holding.origin.address)], shards=2)
    workers = [Worker(server, "d.test") for _ in range(8)]
    for worker in workers:
        worker.start()
    wait_for(lambda: all(worker.answered > 10 for worker in workers))
    end(server, host, holding)
    for worker in workers:
        worker.join(20)
    assert [worker.lost for worker in workers] == [[]] * 8


def test_reloads_that_keep_the_host_keep_the_connection(serve, host, nginx):
    server = serve([host("d.test")], shards=1)
    with server.http2("d.test") as client:
        assert client.ask("d.test").status == 200
        for _ in range(3):
            assert server.hang_up()
            assert client.ask("d.test").status == 200
        assert not client.goaways


def test_http2_that_is_turned_off_and_on(serve, host):
    server = serve([host("d.test")], shards=1)
    with server.http2("d.test") as client:
        assert client.ask("d.test").status == 200
        assert server.reload([{**host("d.test"), "http2": False}])
        client.wait_for_end()
    server.protocol = "http1"
    assert server.curl("d.test", "/", "--http2").head.startswith(b"HTTP/1.1 200")
    assert server.reload([host("d.test")])
    assert server.http2("d.test").ask("d.test").status == 200


def test_new_headers_and_verdicts_at_the_next_stream(serve, host, pki):
    """The streams of one connection are judged one by one: the one under way by what held when it came."""
    release = threading.Event()

    def script(connection, number):
        while head := origin.read_head(connection):
            if head.startswith(b"GET /hold"):
                release.wait(20)
            body = head.partition(b"\r\n")[2]
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body) + 2, b"\r\n" + body))

    with origins.Scripted(script) as origin:
        both = [str(pki.root.cert), str(pki.other_root.cert)]
        server = serve([host("d.test", "enforce", origin=origin.address, ca=both)], shards=1)
        with server.http2("d.test", pki.valid().bundle) as client:
            held = client.get("d.test", "/hold")
            wait_for(lambda: origin.heads)
            assert client.ask("d.test").status == 200
            assert server.reload([host("d.test", "enforce", origin=origin.address, ca=[str(pki.other_root.cert)])])
            assert client.ask("d.test").status == 403
            release.set()
            answer = client.answer(held)
            assert answer.status == 200 and seen(answer.text, "X-Client-Cert-Status") == ["valid"]
            assert client.wait_for_end() == NO_ERROR, "a client that was let in and is turned away now is disconnected"


def test_sigint_ends_at_once(serve, host, holding):
    server = serve([host("d.test", origin=holding.origin.address)], shards=1)
    with Raw(server, "d.test") as raw:
        raw.settle()
        asleep(raw, holding, 1)
        began = time.monotonic()
        server.stop(signal.SIGINT)
        assert time.monotonic() - began < 5
