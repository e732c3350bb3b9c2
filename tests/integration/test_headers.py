"""Header spoofing in every spelling, forwarding headers, and 421."""

import itertools

import pytest

pytestmark = pytest.mark.both_protocols

NAMES = ["X-Client-Cert-Status", "X-Client-Cert-SKI", "X-Device", "X-Other-Host", "X-Device-Too-Large", "X-Client-Cert-Reason"]


@pytest.fixture
def server(serve, host):
    first = {"headers": {"X-Device": "subject.cn", "X-Client-Cert-Reason": "reason"}}
    second = {"headers": {"X-Other-Host": "subject.cn"}}
    return serve([host("a.test", "report", forward=first), host("b.test", "off", forward=second)])


def spellings(name):
    words = name.split("-")
    for separators in itertools.islice(itertools.product("-_", repeat=len(words) - 1), 8):
        spelled = words[0] + "".join(s + w for s, w in zip(separators, words[1:]))
        yield from (spelled, spelled.lower(), spelled.upper(), spelled.swapcase())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("where", ["a.test", "b.test"])
def test_forged_headers_never_reach_the_origin(server, where, name):
    options = []
    for spelling in sorted(set(spellings(name))):
        options += ["-H", f"{spelling}: forged"]
    response = server.curl(where, "/", *options, "-H", "X-Harmless: kept")
    assert response.status == 200
    assert "forged" not in response.text
    assert response.seen("X-Harmless") == ["kept"]


@pytest.mark.http1_only
def test_connection_cannot_remove_what_we_add(server, pki):
    response = server.curl("a.test", "/", "-H", "Connection: keep-alive, X-Client-Cert-Status, X-Device, X-Mine, x-forwarded-for",
                           "-H", "X-Mine: gone", cert=pki.valid().bundle)
    assert response.seen("X-Client-Cert-Status") == ["valid"]
    assert response.seen("X-Device") == ["device-1"]
    assert response.seen("X-Forwarded-For") == ["127.0.0.1"]
    assert response.seen("X-Mine") == []


def test_forged_trailers_never_reach_the_origin(server):
    answer = server.raw("a.test", b"POST /body HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nTrailer: X-Device\r\n"
                                  b"Connection: close\r\n\r\n3\r\nabc\r\n0\r\nX-Device: forged\r\nX-Client-Cert-Status: valid\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"forged" not in answer


def test_forwarding_headers(server):
    response = server.curl("a.test", "/x?y=z", "-H", "X-Forwarded-For: 6.6.6.6", "-H", "X-Forwarded-Proto: gopher",
                           "-H", "X-Forwarded-Host: evil", "-H", "X_Forwarded_For: 6.6.6.6")
    assert response.seen("X-Forwarded-For") == ["127.0.0.1"]
    assert response.seen("X-Forwarded-Proto") == ["https"]
    assert len(response.seen("X-Forwarded-Host")) == 1
    assert response.seen("X-Forwarded-Host")[0].startswith("a.test")
    assert "6.6.6.6" not in response.text
    assert len(response.seen("X-Request-Id")) == 1 and response.seen("X-Request-Id")[0]
    assert response.text.startswith("GET /x?y=z HTTP/1.1\r\n")


def test_request_ids(server):
    kept = server.curl("a.test", "/", "-H", "X-Request-Id: abc-123")
    assert kept.seen("X-Request-Id") == ["abc-123"]
    made = {server.curl("a.test").seen("X-Request-Id")[0] for _ in range(5)}
    assert len(made) == 5
    replaced = server.curl("a.test", "/", "-H", f"X-Request-Id: {'x' * 200}")
    assert replaced.seen("X-Request-Id") != ["x" * 200]


@pytest.mark.parametrize("authority, status", [
    ("a.test", 200), ("A.TEST", 200), ("a.test.", 200), ("a.test:443", 200), ("a.test:1", 200), ("A.test.:8443", 200),
    ("b.test", 421), ("evil.test", 421), ("xa.test", 421), ("a.test.evil", 421), ("127.0.0.1", 421), ("[::1]", 421),
])
def test_host_must_be_the_one_of_the_handshake(server, authority, status):
    answer = server.raw("a.test", f"GET / HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n".encode())
    assert answer.split(b" ")[1] == str(status).encode()
    answer = server.raw("a.test", f"GET http://{authority}/x HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n".encode())
    assert answer.split(b" ")[1] == str(status).encode()


def test_421_at_every_request_of_a_connection(server):
    answer = server.raw("a.test", b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"
                                  b"GET / HTTP/1.1\r\nHost: b.test\r\n\r\n"
                                  b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n")
    assert [part.split(b" ")[0] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"200", b"421", b"200"]


def test_a_wildcard_is_no_way_into_its_neighbour(serve, host):
    """A name that fits the wildcard but belongs to another host, with another policy, is that host's alone."""
    server = serve([{**host("*.shared.test", "off"), "default": True}, host("secret.shared.test", "enforce")])
    for name in ["a.shared.test", "b.shared.test"]:
        assert server.curl(name).status == 200
    for authority in [b"secret.shared.test", b"SECRET.shared.test.", b"secret.shared.test:443"]:
        answer = server.raw("a.shared.test", b"GET / HTTP/1.1\r\nHost: " + authority + b"\r\nConnection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 421"), authority
        answer = server.raw("a.shared.test", b"GET https://" + authority + b"/ HTTP/1.1\r\nHost: a.shared.test\r\n"
                                             b"Connection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 421"), authority
    answer = server.raw("secret.shared.test", b"GET / HTTP/1.1\r\nHost: a.shared.test\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 421")
    with server.connect("x", sni=False) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: secret.shared.test\r\nConnection: close\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 421")


def test_many_connection_fields(serve, host):
    forward = {"headers": {f"X-Suite-For-Application-Number-{i}": "tls.cipher" for i in range(60)}}
    server = serve([host("f.test", "off", forward=forward)])
    response = server.curl("f.test")
    assert all(len(response.seen(name)) == 1 for name in forward["headers"])
    assert response.seen("X-Forwarded-For") == ["127.0.0.1"]
