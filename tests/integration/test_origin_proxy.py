"""PROXY headers towards origins: each connection is one client's, and says whose."""

import datetime
import socket
import time

import pytest

import balancers
from conftest import free_port

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CLIENT = "192.0.2.7"


@pytest.fixture
def proxied(host):
    """proxied(address, version, mode): a host whose origin gets a header."""

    def make(address, version="v2", mode="report", **more):
        return {**host("s.test", mode, origin=address), "origin_proxy_protocol": version, **more}

    return make


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("behind", ["haproxy", "nginx"])
@pytest.mark.both_protocols
def test_origins_that_take_headers(serve, proxied, tmp_path, protocol, version, behind):
    start = balancers.haproxy_behind if behind == "haproxy" else balancers.nginx_behind
    with start(tmp_path / "origin", free_port()) as origin:
        server = serve([proxied(f"127.0.0.1:{origin.port}", version)])
        for source in ("127.0.0.5", "127.0.0.6", "127.0.0.5"):
            answer = server.curl("s.test", "/", "--interface", source, "--local-port", "40000-45000")
            assert answer.status == 200
            address, port, *authority = answer.text.split()
            assert address == source and 40000 <= int(port) <= 45000
            assert authority == (["s.test"] if behind == "haproxy" and version == "v2" else [])


def serve_scripted(scripted, headers):
    """An origin that reads a header of version 2 and then answers requests."""

    def script(connection, number):
        client, vectors, received = balancers.read_header(connection)
        headers.append((number, client, vectors))
        while True:
            while b"\r\n\r\n" not in received:
                piece = connection.recv(65536)
                if not piece:
                    return
                received += piece
            received = received.partition(b"\r\n\r\n")[2]
            connection.sendall(ANSWER)

    return scripted(script)


def ssl_facts(vectors):
    value = vectors[0x20]
    return value[0], int.from_bytes(value[1:5], "big"), balancers.vectors_of(value[5:])


def test_the_header_tells_of_the_certificate(serve, proxied, scripted, pki):
    headers = []
    origin = serve_scripted(scripted, headers)
    server = serve([proxied(origin.address)], tickets={"lifetime": "1h"})
    assert server.curl("s.test").status == 200
    bits, verify, subs = ssl_facts(headers[-1][2])
    assert bits == 1 and verify != 0 and set(subs) == {0x21, 0x23}, "no certificate"
    assert headers[-1][2][0x02] == b"s.test" and headers[-1][2][0x01] == b"http/1.1"
    context = server.tls_client(pki.client(subject="device-1").bundle)
    with server.open(context, "s.test") as full:
        assert full.get()[0] == 200
        session = full.tls.session
        cipher = full.tls.cipher()[0]
    bits, verify, subs = ssl_facts(headers[-1][2])
    assert bits == 7 and verify == 0
    assert subs == {0x21: b"TLSv1.3", 0x22: b"device-1", 0x23: cipher.encode()}
    with server.open(context, "s.test", session) as resumed:
        assert resumed.get()[0] == 200 and resumed.tls.session_reused
    assert ssl_facts(headers[-1][2])[:2] == (5, 0), "the session's, not the connection's"
    with server.open(server.tls_client(pki.stranger().bundle), "s.test") as other:
        assert other.get()[0] == 200
    bits, verify, subs = ssl_facts(headers[-1][2])
    assert bits == 7 and verify != 0 and 0x22 not in subs, "nobody vouches for its name"


def test_a_verdict_that_is_reached_anew_has_a_header_anew(serve, proxied, scripted, pki):
    """The certificate ends between two requests of one connection, which keep the origin's connection from being idle."""
    headers = []
    origin = serve_scripted(scripted, headers)
    server = serve([proxied(origin.address)], shards=1)
    end = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None, microsecond=0) + datetime.timedelta(seconds=6)
    with server.open(server.tls_client(pki.client(end=end).bundle), "s.test") as client:
        while datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) <= end + datetime.timedelta(seconds=2):
            assert client.get()[0] == 200
            time.sleep(0.2)
    assert [ssl_facts(vectors)[1] == 0 for _, _, vectors in headers] == [True, False]


def test_connections_are_their_clients_alone(serve, proxied, scripted):
    headers = []
    origin = serve_scripted(scripted, headers)
    server = serve([proxied(origin.address)], shards=1)
    with server.open(server.tls_client(), "s.test") as one, server.open(server.tls_client(), "s.test") as other:
        for _ in range(3):
            assert one.get()[0] == 200 and other.get()[0] == 200
        assert len(headers) == 2, "each has one, and keeps it"
        assert [client[1] for _, client, _ in headers] == [one.tls.getsockname()[1], other.tls.getsockname()[1]]
    assert server.metric("sallyport_origin_connections_total", event="pooled") == 0
    assert server.metric("sallyport_origin_connections_total", event="owned") == 6


def test_a_header_passes_the_address_of_another(serve, proxied, scripted):
    """From a balancer in front to an origin behind."""
    headers = []
    origin = serve_scripted(scripted, headers)
    server = serve([proxied(origin.address)], listen=[{"address": f"127.0.0.1:{free_port()}", "proxy_protocol": ["127.0.0.1"]}])
    for address in (CLIENT, "2001:db8::7"):
        raw = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        raw.sendall(balancers.v2(address, 4711))
        with server.tls_client().wrap_socket(raw, server_hostname="s.test") as tls:
            tls.sendall(b"GET / HTTP/1.1\r\nHost: s.test\r\nConnection: close\r\n\r\n")
            assert b"200 OK" in tls.recv(65536)
        assert headers[-1][1] == (address, 4711)


def test_a_connection_that_is_lost_is_replaced_with_its_header(serve, proxied, scripted):
    """The origin closes after its first answer; the next request goes on a connection with a header too."""
    headers = []

    def script(connection, number):
        _, _, received = balancers.read_header(connection)
        headers.append(number)
        while b"\r\n\r\n" not in received:
            received += connection.recv(65536)
        connection.sendall(ANSWER)

    origin = scripted(script)
    server = serve([proxied(origin.address)], shards=1)
    with server.open(server.tls_client(), "s.test") as client:
        for _ in range(4):
            assert client.get()[0] == 200
    assert headers == [0, 1, 2, 3]


def test_a_reload_changes_the_header(serve, proxied, host, scripted):
    headers = []
    origin = serve_scripted(scripted, headers)
    entry = proxied(origin.address)
    server = serve([entry], shards=1)
    with server.open(server.tls_client(), "s.test") as client:
        assert client.get()[0] == 200
        assert server.reload([{**entry, "methods": ["GET"]}])
        assert client.get()[0] == 200 and client.get()[0] == 200
    assert [number for number, _, _ in headers] == [0, 1], "an origin's connection belongs to a configuration"
