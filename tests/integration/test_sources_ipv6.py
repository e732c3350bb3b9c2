"""Sources of IPv6: a /64 is one, in a network namespace of the test's own, whose loopback has addresses of several."""

import contextlib
import ctypes
import os
import subprocess
import time

import pytest

from conftest import free_port, wait_for
from sources import connect, is_refused, is_turned_away, wait_for_the_end

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
LOADED = 1


@pytest.fixture
def network():
    """This thread, and what it starts, in a network of its own; `network(net, address)` is an address there."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    if LIBC.unshare(CLONE_NEWNET) != 0:
        os.close(home)
        pytest.skip(f"needs a network namespace: {os.strerror(ctypes.get_errno())}")
    try:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for net in range(1, 9):
            for address in range(1, 10):
                subprocess.run(["ip", "address", "add", f"2001:db8:0:{net}::{address}/128", "dev", "lo", "nodad"], check=True)
        yield lambda net, address: f"2001:db8:0:{net}::{address}"
    finally:
        assert LIBC.setns(home, CLONE_NEWNET) == 0
        os.close(home)


@pytest.fixture
def server6(network, serve, host):
    """A server on IPv6. No request reaches its origin, which is in another network."""

    def start(**top):
        port = free_port()
        # For those who hold connections without a word: how long the test takes depends on the machine.
        top["limits"] = {"connections": 4096, "handshake_timeout": "60s", **top.get("limits", {})}
        return serve([host("s.test", "report")], shards=1, listen=[{"address": f"127.0.0.1:{port}"}, {"address": f"[::]:{port}"}], **top)

    return start


def refused(server, reason):
    return server.metric("sallyport_rejected_total", stage="accept", reason=reason)


def test_addresses_of_a_64_have_their_connections_in_common(network, server6):
    server = server6(admission={"source_connections": 3})
    held = [connect(server, network(1, i)) for i in (1, 2, 3)]
    wait_for(lambda: server.metric("sallyport_connections") == 3)
    assert is_refused(server, network(1, 4))
    assert refused(server, "source_limit") == 1
    other = connect(server, network(2, 1))
    wait_for(lambda: server.metric("sallyport_connections") == 4)
    assert not is_turned_away(other, within=0.3) and refused(server, "source_limit") == 1
    for connection in [*held, other]:
        connection.close()


def test_addresses_of_a_64_have_their_rate_in_common(network, server6):
    server = server6(admission={"source_rate": 1, "source_burst": 4})
    for i in (1, 2, 3, 4):
        connect(server, network(1, i)).close()
    assert is_refused(server, network(1, 5))
    assert refused(server, "source_rate") == 1
    for i in (1, 2, 3):
        assert not is_turned_away(connect(server, network(2, i)), within=0.2)
    assert refused(server, "source_rate") == 1


def test_those_on_the_list_have_no_bounds(network, server6):
    server = server6(admission={"source_connections": 1, "allow": ["2001:db8:0:1::/64"]})
    held = [connect(server, network(1, i)) for i in (1, 2, 3, 3)]
    wait_for(lambda: server.metric("sallyport_connections") == 4)
    held.append(connect(server, network(2, 1)))
    wait_for(lambda: server.metric("sallyport_connections") == 5)
    assert is_refused(server, network(2, 2))
    assert refused(server, "source_limit") == 1
    for connection in held:
        connection.close()


def test_a_64_is_suspect_as_a_whole(network, server6):
    """While all places are taken, which is load, by silent ones of the same network."""
    server = server6(limits={"connections": 16})
    held = []

    def crowd_and_fail(i):
        try:
            held.append(connect(server, network(2, 1)))  # for which an older one goes
            with connect(server, network(1, 1 + i % 8)) as garbage:
                garbage.sendall(b"\x00" * 64)
                wait_for_the_end(garbage)
        except ConnectionResetError:
            pass
        return refused(server, "suspect") > 0 and server.metric("sallyport_admission_state") >= LOADED

    for i in range(400):
        if crowd_and_fail(i):
            break
        time.sleep(0.02)
    before = refused(server, "suspect")
    assert before > 0, "nobody was"
    assert is_refused(server, network(1, 9)), "an address of it that has done nothing"
    assert refused(server, "suspect") > before
    for connection in held:
        connection.close()


def test_the_kernel_drops_what_a_suspect_64_sends(network, server6):
    """Its SYNs get no answer at all, from whichever of its addresses, until it is calm."""
    server = server6(limits={"connections": 16})
    held, dropped = [], set()

    def is_dropped(i):
        """While an older connection has to go for a new one, which is load, and others of the /64 fail."""
        with contextlib.suppress(ConnectionResetError, TimeoutError):
            held.append(connect(server, network(2 + i % 7, 1), timeout=0.3))
        for source in (network(1, 1 + i % 8), network(1, 9)):
            try:
                with connect(server, source, timeout=0.3) as garbage:
                    garbage.sendall(b"\x00" * 64)
                    wait_for_the_end(garbage, within=0.3)
            except TimeoutError:
                dropped.add(source)
            except ConnectionResetError:
                pass
        return network(1, 9) in dropped and refused(server, "blocked") > 0

    deadline = time.monotonic() + 30
    i = 0
    while not is_dropped(i):
        assert time.monotonic() < deadline, "nobody's SYN was dropped"
        i += 1
    for connection in held:
        connection.close()
    wait_for(lambda: server.metric("sallyport_admission_state") == 0, within=40)
    wait_for(lambda: server.metric("sallyport_connections") == 0)
    connect(server, network(1, 9)).close()
