"""A thousand origins in one host: each balance, health checks, and reloads that change hundreds of them."""

import asyncio
import collections
import threading
import time

import pytest

from conftest import wait_for

NAME = "many.test"
COUNT = 1000


def at(number):
    """The loopback address of an origin."""
    return f"127.3.{number // 250}.{number % 250 + 1}"


class Crowd:
    """One server at all loopback addresses: an answer is the address that was asked, with 503 at those in `failing`."""

    def __init__(self):
        self.failing = set()
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        self.ready.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    def addresses(self, numbers):
        return [f"{at(number)}:{self.port}" for number in numbers]

    def _run(self):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self._talk, "0.0.0.0", 0, backlog=4096))
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        self.loop.run_forever()
        server.close()

    async def _talk(self, reader, writer):
        address = writer.get_extra_info("sockname")[0]
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                status = b"503 Service Unavailable" if address in self.failing else b"200 OK"
                writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(address), address.encode()))
        except (OSError, asyncio.IncompleteReadError):
            writer.close()


@pytest.fixture
def crowd():
    with Crowd() as running:
        yield running


@pytest.fixture
def entry(host, crowd):
    def make(numbers, **keys):
        made = host(NAME, "off")
        made["origin"] = [{"address": address} for address in crowd.addresses(numbers)]
        return {**made, **keys}

    return make


def ask(server, times):
    """The addresses that answer so many requests on one connection."""
    answers = collections.Counter()
    with server.connect(NAME) as connection, connection.makefile("rb") as reader:
        for _ in range(times):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % NAME.encode())
            status, size = reader.readline(), 0
            while (line := reader.readline()) != b"\r\n":
                name, _, value = line.partition(b":")
                size = int(value) if name.lower() == b"content-length" else size
            body = reader.read(size).decode()
            assert status.split()[1] == b"200", (status, body)
            answers[body] += 1
    return answers


@pytest.mark.parametrize("balance", ["round_robin", "least_connections"])
def test_each_has_its_turn(serve, entry, balance):
    server = serve([entry(range(COUNT), balance=balance)], shards=1)
    assert ask(server, 2 * COUNT) == {at(number): 2 for number in range(COUNT)}
    assert server.metric("sallyport_origin_up", host=NAME) == COUNT


def test_a_client_stays_at_its_origin_among_all(serve, entry, pki):
    server = serve([entry(range(COUNT), balance="hash")], shards=2)
    first, = ask(server, 50)
    assert set(ask(server, 50)) == {first}
    kept = [number for number in range(COUNT) if number % 3 == 0 or at(number) == first]
    assert server.reload([entry(kept, balance="hash")])
    assert set(ask(server, 50)) == {first}, "the loss of others moves no client"
    assert server.reload([entry([number for number in range(COUNT) if at(number) != first], balance="hash")])
    assert first not in ask(server, 50)


def test_health_of_all(serve, entry, crowd):
    """One that is up has all requests; when none is, all have them; and each state is on the pages."""
    health = {"path": "/up", "interval": "1s", "timeout": "1s", "fall": 1, "rise": 1}
    server = serve([entry(range(COUNT), health=health, required=True)], shards=2)
    up = at(777)
    crowd.failing = {at(number) for number in range(COUNT)} - {up}
    wait_for(lambda: server.metric("sallyport_origin_up", host=NAME) == 1, within=90)
    assert server.metric("sallyport_origin_up", host=NAME, origin=f"{up}:{crowd.port}") == 1
    wait_for(lambda: set(ask(server, 20)) == {up})
    assert server.admin("/readyz")[0] == 200
    crowd.failing.clear()
    wait_for(lambda: server.metric("sallyport_origin_up", host=NAME) == COUNT, within=90)
    wait_for(lambda: len(ask(server, COUNT)) > COUNT * 9 // 10)


def test_a_host_without_any_that_is_up(serve, entry, crowd):
    health = {"path": "/up", "interval": "1s", "timeout": "1s", "fall": 1, "rise": 1, "status": [503]}
    server = serve([entry(range(COUNT), health=health, required=True)], shards=1)
    wait_for(lambda: server.metric("sallyport_origin_up", host=NAME) == 0, within=90)
    assert server.admin("/readyz")[0] == 503
    assert len(ask(server, COUNT)) == COUNT, "the checks may be wrong"
    wait_for(lambda: "All 1000 origins of many.test are down" in server.admin("/stats.json")[1])


def test_reloads_add_and_remove_hundreds(serve, entry):
    """While requests go on, of which none fails."""
    server = serve([entry(range(COUNT))], shards=2)
    answered, failures, ending = collections.Counter(), [], threading.Event()

    def load():
        while not ending.is_set():
            try:
                answered.update(ask(server, 100))
            except (AssertionError, OSError) as error:
                failures.append(error)

    client = threading.Thread(target=load)
    client.start()
    for numbers in (range(300), range(200, 1024), range(700), range(500, 1000)):
        assert server.reload([entry(numbers)])
        time.sleep(0.5)
    ending.set()
    client.join(60)
    assert failures == [] and answered.total() > 0
    # The connection of a client takes the new configuration between two requests.
    answers = ask(server, 500 * 2)
    assert set(answers) <= {at(number) for number in range(500, 1000)}
    assert len(answers) == 500
    assert server.metric("sallyport_origin_up", host=NAME) == 500
