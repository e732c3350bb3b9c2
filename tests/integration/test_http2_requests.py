"""Requests over HTTP/2: whose they are, what an origin sees of them, and the line that each has in the access log."""

import json

import pytest

from conftest import seen, wait_for
from http2_raw import PROTOCOL_ERROR


@pytest.fixture
def server(serve, host):
    return serve([host("h.test"), host("e.test", "enforce"), host("r.test", "report")], shards=1)


def ok(body=b"ok"):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def field(head, name):
    return seen(head.decode("latin-1"), name)


def test_each_stream_has_its_line_in_the_access_log(serve, host, tmp_path):
    log = tmp_path / "access.log"
    server = serve([host("h.test")], shards=1, access_log=str(log))
    with server.http2("h.test") as client:
        streams = [client.get("h.test", f"/{i}") for i in range(10)]
        for stream in streams:
            assert client.answer(stream).status == 200
        assert client.ask("e.test").status == 421

    def lines():
        return [line for line in map(json.loads, log.read_text().splitlines()) if line["event"] == "request"]

    wait_for(lambda: len(lines()) >= 11)
    found = {line["stream"]: (line["http"], line["path"], line["code"]) for line in lines()}
    assert found == {**{2 * i + 1: (2, f"/{i}", 200) for i in range(10)}, 21: (2, "/", 421)}
    assert len({line["port"] for line in lines()}) == 1
    assert server.metric("sallyport_streams_total", host="h.test") == 11
    assert server.metric("sallyport_requests_total", host="h.test", protocol="http2") == 11


# Connections to origins that are one client's


@pytest.mark.parametrize("why", ["credentials", "challenge", "pool off"])
def test_a_connection_to_an_origin_that_is_a_clients_own_is_nobody_elses(serve, host, scripted, why):
    """A client may sign in on a connection. Whether its next stream gets the same one is not promised; that no other client does, is."""
    def script(connection, number):
        while script.origin.read_head(connection):
            challenge = b"WWW-Authenticate: NTLM\r\n" if why == "challenge" else b""
            status = b"401 No" if challenge else b"200 OK"
            connection.sendall(b"HTTP/1.1 %s\r\n%sContent-Length: 4\r\n\r\n%04d" % (status, challenge, number))

    entry = host("h.test", origin=scripted(script).address)
    server = serve([{**entry, "origin_pool": "off"} if why == "pool off" else entry], shards=1)
    credentials = [("authorization", "NTLM abc")] if why == "credentials" else []
    with server.http2("h.test") as first, server.http2("h.test") as second:
        used = []
        for client in (first, second):
            streams = [client.get("h.test", "/", *credentials) for _ in range(5)]
            used.append({client.answer(stream).text for stream in streams} | {client.ask("h.test", "/", *credentials).text})
        used[0] |= {first.ask("h.test", "/", *credentials).text for _ in range(3)}
        assert not used[0] & used[1]
    assert server.curl("h.test").text not in used[0] | used[1]


# Whose requests they are


@pytest.mark.parametrize("authority, status", [
    ("h.test", 200), ("H.TEST", 200), ("h.test.", 200), ("h.test:443", 200), ("h.test:1", 200), ("e.test", 421), ("r.test", 421),
    ("evil.test", 421), ("xh.test", 421), ("h.test.evil", 421), ("127.0.0.1", 421), ("[::1]", 421),
])
def test_connections_are_never_coalesced_across_hosts(server, authority, status):
    with server.http2("h.test") as client:
        assert client.ask("h.test").status == 200
        assert client.ask(authority).status == status
        both = client.ask("h.test", "/", ("host", authority))
        assert (both.status or both.reset) in ((200, 400, PROTOCOL_ERROR) if status == 200 else (400, 421, PROTOCOL_ERROR))
        assert client.ask("h.test").status == 200
    assert server.metric("sallyport_rejected_total", stage="request", reason="misdirected") >= (0 if status == 200 else 1)


def test_a_wildcards_neighbour_is_not_reached_either(serve, host, pki):
    server = serve([host("*.w.test"), host("secret.w.test", "enforce")], shards=1)
    with server.http2("a.w.test") as client:
        for authority in ("secret.w.test", "SECRET.w.test.", "secret.w.test:443"):
            assert client.ask(authority).status == 421
        assert client.ask("a.w.test").status == 200 and client.ask("b.w.test").status == 200
    with server.http2("secret.w.test", pki.valid().bundle) as client:
        assert client.ask("secret.w.test").status == 200
        assert client.ask("a.w.test").status == 421


def test_host_stands_in_for_authority(serve, host, scripted):
    """RFC 9113 section 8.3.1: a request that was HTTP/1.1 may have Host alone."""
    def script(connection, number):
        while script.origin.read_head(connection):
            connection.sendall(ok())

    origin = scripted(script)
    server = serve([host("h.test", origin=origin.address)], shards=1)
    start = [(":method", "GET"), (":scheme", "https"), (":path", "/")]
    with server.http2("h.test") as client:
        assert client.answer(client.request([*start, ("host", "h.test")])).status == 200
        assert client.answer(client.request([*start, ("host", "e.test")])).status == 421
        assert client.answer(client.request([*start, (":authority", "h.test"), ("host", "h.test")])).status == 200
        for without in (client.request(start), client.request([*start, (":authority", "")])):
            answer = client.answer(without)
            assert answer.status == 400 or answer.reset == PROTOCOL_ERROR
        answer = client.answer(client.request([*start, (":authority", "h.test"), ("host", "e.test")]))
        assert (answer.status or answer.reset) in (400, 421, PROTOCOL_ERROR)
    assert [field(head, "Host") for head in origin.heads] == [["h.test"], ["h.test"]]


def test_cookies_in_pieces_are_one_again(serve, host, scripted):
    """RFC 9113 section 8.2.3: before they pass into HTTP/1.1."""
    def script(connection, number):
        while script.origin.read_head(connection):
            connection.sendall(ok())

    origin = scripted(script)
    server = serve([host("h.test", origin=origin.address)], shards=1)
    with server.http2("h.test") as client:
        assert client.ask("h.test", "/", ("cookie", "a=b"), ("x-a", "1"), ("cookie", "c=d"), ("cookie", "e=f")).status == 200
    assert field(origin.heads[0], "Cookie") == ["a=b; c=d; e=f"]


def test_the_origin_sees_a_request_of_http11(serve, host, scripted):
    bodies = []

    def script(connection, number):
        received = b""
        while not received.endswith(b"0\r\n\r\n"):
            received += connection.recv(65536)
        bodies.append(received)
        connection.sendall(ok())

    server = serve([host("r.test", "report", origin=scripted(script).address)], shards=1)
    with server.http2("r.test") as client:
        stream = client.get("r.test", "/x?y", ("te", "trailers"), ("x-mine", "yes"), method="POST", end=False)
        client.send(stream, b"hello", end=True)
        assert client.answer(stream).status == 200
    head, _, body = bodies[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /x?y HTTP/1.1\r\n")
    assert field(head, "Host") == field(head, "X-Forwarded-Host") == ["r.test"]
    assert field(head, "Transfer-Encoding") == ["chunked"] and body == b"5\r\nhello\r\n0\r\n\r\n"
    assert field(head, "X-Forwarded-For") == ["127.0.0.1"] and field(head, "X-Client-Cert-Status") == ["none"]
    assert field(head, "X-Mine") == ["yes"] and b"\r\n:" not in head
