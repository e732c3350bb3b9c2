"""Requests of real clients and health checks, and the answers to them: hosts, methods, versions, dates, ids, HEAD."""

import email.utils
import re
import socket
import ssl
import time

import pytest

import daemons
import origins
from conftest import free_port, seen
from test_access_log import lines_of, requests_of
from test_http import BAD, statuses

pytestmark = pytest.mark.both_protocols


@pytest.fixture
def server(serve, host):
    return serve([host("h.test"), {**host("d.test"), "default": True}, host("e.test", "enforce")], shards=1)


def is_whole(answer, request):
    """Connections that stay open after an answer with a length. An answer that should have no body is read to the connection's end."""
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"\r\nContent-Length: (\d+)", head)
    return end and length and len(body) >= int(length.group(1)) and not request.startswith(b"HEAD ")


def ask(server, name, request, sni=True):
    """Status, headers (lower case, each with its values) and body of the one answer on a connection of its own."""
    with server.connect(name, sni=sni) as connection:
        connection.sendall(request)
        received = b""
        while not is_whole(received, request) and (piece := connection.recv(65536)):
            received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines[1:]:
        key, _, value = line.partition(": ")
        headers.setdefault(key.lower(), []).append(value)
    if headers.get("transfer-encoding") == ["chunked"]:
        text = b""
        while body:
            size, _, rest = body.partition(b"\r\n")
            text, body = text + rest[:int(size, 16)], rest[int(size, 16) + 2:]
        body = text
    return int(lines[0].split()[1]), headers, body.decode("latin-1")


def get(host, *fields, method="GET", target="/", version="1.1"):
    lines = [f"{method} {target} HTTP/{version}", *([] if host is None else [f"Host: {host}"]), *fields, "Connection: close"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


# Hosts


@pytest.mark.parametrize("fields", [[], ["Host:"], ["Host: "]])
@pytest.mark.parametrize("method, target", [("GET", "/"), ("OPTIONS", "/"), ("OPTIONS", "*"), ("HEAD", "/")])
@pytest.mark.http1_only
def test_http10_without_host_is_for_the_host_of_the_handshake(server, fields, method, target):
    """So HAProxy's `option httpchk` asks, and older devices."""
    status, _, body = ask(server, "h.test", get(None, *fields, method=method, target=target, version="1.0"))
    # nginx knows no OPTIONS *, and says so itself.
    assert status == (400 if target == "*" else 200), body
    if method == "GET":
        assert seen(body, "Host") == seen(body, "X-Forwarded-Host") == ["h.test"]
        assert seen(body, "Via") == ["1.0 sallyport"]
    status, _, body = ask(server, None, get(None, *fields, version="1.0"), sni=False)
    assert status == 200 and seen(body, "Host") == ["d.test"]
    assert ask(server, "e.test", get(None, *fields, version="1.0"))[0] == 403


@pytest.mark.http1_only
def test_http10_without_host_under_a_wildcard_has_the_server_name(serve, host):
    server = serve([{**host("*.w.test"), "default": True}])
    status, _, body = ask(server, "a.w.test", get(None, version="1.0"))
    assert status == 200 and seen(body, "Host") == ["a.w.test"]
    # There is no name at all: Host is empty (RFC 9112, section 3.2), which nginx refuses.
    assert ask(server, None, get(None, version="1.0"), sni=False)[0] == 400


@pytest.mark.parametrize("request_", [get(None), get(""), get(" \t"), get(None, version="1.2"), get("", version="1.5")])
@pytest.mark.http1_only
def test_http11_names_its_host(server, request_):
    assert ask(server, "h.test", request_)[0] == 400


ADDRESSES = ["127.0.0.1", "127.0.0.1:8443", "192.0.2.7", "[::1]", "[::1]:8443", "[2001:DB8::7]"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_default_host_answers_by_address(server, address):
    for name, sni in (("d.test", True), (None, False)):
        status, _, body = ask(server, name, get(address), sni)
        assert status == 200 and seen(body, "Host") == seen(body, "X-Forwarded-Host") == [address]
        assert ask(server, name, get("d.test", target=f"https://{address}/"), sni)[0] == 200
    assert ask(server, "h.test", get(address))[0] == 421, "another host does not"
    assert ask(server, "e.test", get(address))[0] == 421


@pytest.mark.parametrize("host_", ["127.0.0.1.", "127.1", "0x7f.0.0.1", "127.0.0.256", "localhost", "h.test", "e.test"])
def test_the_default_host_answers_to_no_other_name(server, host_):
    assert ask(server, "d.test", get(host_))[0] == 421


def test_without_a_default_host_an_address_is_misdirected(serve, host):
    server = serve([host("h.test")])
    assert ask(server, "h.test", get("127.0.0.1"))[0] == 421


def hello_with(server, name):
    """A handshake with any server name; the alert that it gets, or the first line of an answer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="n" * len(name))
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        # Python makes no server_name of an address: another name of its length gives way to it.
        raw.sendall(outgoing.read().replace(b"n" * len(name), name.encode()))
        answer = raw.recv(65536)
    return answer[:7]


@pytest.mark.parametrize("name", ["127.0.0.1", "203.0.113.255", "::1", "[::1]", "2001:db8:0:1:2:3:4:5", "fe80::1%eth0"])
@pytest.mark.http1_only
def test_a_server_name_that_is_an_address_is_none(server, serve, host, name):
    assert hello_with(server, name)[0] == 22, "the default host begins a handshake"
    strict = serve([host("h.test")])
    assert hello_with(strict, name) == bytes.fromhex("15030300020270"), "unrecognized_name"


# Upgrade, versions, white space


@pytest.mark.parametrize("fields", [
    ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"],
    ["Connection: Upgrade", "Upgrade: TLS/1.2, HTTP/3"],
    ["Upgrade: h2c"],
    ["Connection: Upgrade"],
])
@pytest.mark.http1_only
def test_an_offer_of_another_protocol_is_ignored(server, fields):
    status, headers, body = ask(server, "h.test", get("h.test", *fields))
    assert status == 200 and "upgrade" not in headers
    assert not seen(body, "Upgrade") and not seen(body, "HTTP2-Settings")
    assert not any("upgrade" in value.lower() for value in seen(body, "Connection"))


@pytest.mark.http1_only
def test_an_origin_may_ignore_an_offer_that_is_passed_on(server):
    fields = ["Connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    status, headers, body = ask(server, "h.test", get("h.test", *fields))
    assert status == 200 and "upgrade" not in headers
    assert seen(body, "Upgrade") == ["websocket"] and seen(body, "Connection") == ["Upgrade"]


@pytest.mark.http1_only
def test_an_upgrade_with_a_body_keeps_its_framing(server):
    request = (b"POST /body HTTP/1.1\r\nHost: h.test\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
               b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + get("h.test", target="/next"))
    answer = server.raw("h.test", request)
    assert statuses(answer) == [200, 200] and b"hello" in answer and b"GET /next" in answer


@pytest.mark.parametrize("version, status", [("1.0", 200), ("1.1", 200), ("1.2", 200), ("1.9", 200), ("0.9", 505),
                                             ("2.0", 505), ("3.0", 505), ("1.10", 400), ("1", 400), ("2", 400)])
@pytest.mark.http1_only
def test_versions(server, version, status):
    assert ask(server, "h.test", get("h.test", version=version))[0] == status
    if status == 200 and version > "1.1":
        kept = server.raw("h.test", get("h.test", version=version).replace(b"Connection: close\r\n", b"") + get("h.test"))
        assert statuses(kept) == [200, 200], "it is read as HTTP/1.1, and stays open"


@pytest.mark.parametrize("value", [b"chunked\t", b"\tchunked", b" \t CHUNKED \t ", b"chunked  "])
@pytest.mark.http1_only
def test_white_space_around_chunked(server, value):
    answer = server.raw("h.test", b"POST /body HTTP/1.1\r\nHost: h.test\r\nConnection: close\r\nTransfer-Encoding:" + value +
                        b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
    assert statuses(answer) == [200] and b"hello" in answer


# Methods


@pytest.mark.parametrize("method", ["BREW", "get", "PROPFIND", "VERSION-CONTROL", "PRI", "DESCRIBE", "x!#$%&'*+-.^_`|~9"])
def test_any_token_is_relayed(server, method):
    status, _, body = ask(server, "h.test", get("h.test", method=method))
    # nginx takes upper case, "-" and "_" alone; what it refuses it refuses itself.
    assert status == (200 if re.fullmatch("[A-Z_-]+", method) else 400)
    assert body.startswith(f"{method} / HTTP/1.1") if status == 200 else "nginx" in body


def test_a_method_reaches_the_origin_as_it_is(serve, host):
    def script(connection, number):
        while origin.read_head(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with origins.Scripted(script) as origin:
        server = serve([host("h.test", origin=origin.address)], shards=1)
        methods = ["x!#$%&'*+-.^_`|~9", "M" * 128, "head"]
        for method in methods:
            assert ask(server, "h.test", get("h.test", method=method))[0] == 200
        assert [head.split(b" ")[0].decode() for head in origin.heads] == methods
    assert ask(server, "h.test", get("h.test", method="M" * 129))[0] == 501


def test_a_setting_restricts_methods(serve, host):
    server = serve([{**host("h.test"), "methods": ["GET", "POST"]}, {**host("e.test", "enforce"), "methods": ["GET"]}], shards=1)
    assert ask(server, "h.test", get("h.test"))[0] == 200
    assert server.curl("h.test", "/body", "-d", "x").status == 200
    for method in ["HEAD", "DELETE", "get", "POST1", "OPTIONS", "BREW", "TRACE"]:
        status, headers, body = ask(server, "h.test", get("h.test", method=method))
        assert status == 405 and headers["allow"] == ["GET, POST"]
        assert body == "" if method == "HEAD" else body.startswith("405 ")
    assert server.metric("sallyport_rejected_total", stage="request", reason="method") == 7
    assert ask(server, "e.test", get("e.test", method="PUT"))[0] == 403, "who may not come in learns nothing"
    assert ask(server, "h.test", get("e.test", method="PUT"))[0] == 421
    assert server.reload(hosts=[host("h.test"), host("e.test", "enforce")])
    assert ask(server, "h.test", get("h.test", method="BREW"))[0] == 200


@pytest.mark.parametrize("fields", [[], ["Max-Forwards: 0"], ["Max-Forwards: 5"]])
def test_trace_is_not_relayed(server, fields):
    status, headers, body = ask(server, "h.test", get("h.test", *fields, "Cookie: secret", method="TRACE"))
    assert status == 405 and "GET" in headers["allow"][0] and "TRACE" not in headers["allow"][0]
    assert "secret" not in body


def test_connect_makes_no_tunnel(server):
    status, headers, _ = ask(server, "h.test", get("h.test:443", method="CONNECT", target="h.test:443"))
    assert status == 405 and "GET" in headers["allow"][0] and "CONNECT" not in headers["allow"][0]
    assert ask(server, "h.test", get("other.test:443", method="CONNECT", target="other.test:443"))[0] == 421
    assert ask(server, "e.test", get("e.test:443", method="CONNECT", target="e.test:443"))[0] == 403
    assert server.metric("sallyport_rejected_total", stage="request", reason="method") == 1


@pytest.mark.http1_only
def test_what_follows_a_connect_is_no_request(server):
    """A client may begin its tunnel before it has the answer, with bytes that somebody behind it has chosen."""
    answer = server.raw("h.test", b"CONNECT h.test:443 HTTP/1.1\r\nHost: h.test:443\r\n\r\n" + get("h.test"))
    assert statuses(answer) == [405] and b"Connection: close" in answer
    assert server.metric("sallyport_requests_total") == 1


def test_the_origin_answers_options_for_all_of_it(serve, host):
    def script(connection, number):
        while origin.read_head(connection):
            connection.sendall(b"HTTP/1.1 204 No Content\r\nAllow: GET, BREW\r\n\r\n")

    with origins.Scripted(script) as origin:
        server = serve([host("h.test", origin=origin.address), host("e.test", "enforce", origin=origin.address)], shards=1)
        response = server.curl("h.test", "/", "-X", "OPTIONS", "--request-target", "*")
        assert response.status == 204 and response.headers["allow"] == "GET, BREW"
        assert [head.split(b"\r\n")[0] for head in origin.heads] == [b"OPTIONS * HTTP/1.1"]
        assert server.curl("e.test", "/", "-X", "OPTIONS", "--request-target", "*").status == 403
        assert len(origin.heads) == 1


def test_max_forwards(server, serve, host):
    status, headers, body = ask(server, "h.test", get("h.test", "Max-Forwards: 0", method="OPTIONS"))
    assert status == 200 and "OPTIONS" in headers["allow"][0] and "nginx" not in str(headers)
    status, _, body = ask(server, "h.test", get("h.test", "Max-Forwards: 3", method="OPTIONS"))
    assert status == 200 and seen(body, "Max-Forwards") == ["2"]
    status, _, body = ask(server, "h.test", get("h.test", "Max-Forwards: 0"))
    assert status == 200 and seen(body, "Max-Forwards") == ["0"], "it is for OPTIONS and TRACE alone"
    for fields in (["Max-Forwards: x"], ["Max-Forwards: 1", "Max-Forwards: 0"], ["Max-Forwards:"]):
        assert ask(server, "h.test", get("h.test", *fields, method="OPTIONS"))[0] == 400
    assert ask(server, "e.test", get("e.test", "Max-Forwards: 0", method="OPTIONS"))[0] == 403


def test_via(server):
    _, headers, body = ask(server, "h.test", get("h.test"))
    own = "1.1 sallyport" if server.protocol == "http1" else "2.0 sallyport"
    assert seen(body, "Via") == [own] and "via" not in headers
    _, _, body = ask(server, "h.test", get("h.test", "Via: 1.0 first, 1.1 second", "via: 2 third"))
    assert seen(body, "Via") == ["1.0 first, 1.1 second", "2 third", own]


# The headers of every answer


def own_answers(server, serve, host):
    """One answer of each kind that is made here, as (server, name, request, status)."""
    dead = serve([host("x.test", origin=f"127.0.0.1:{free_port()}")])
    impatient = serve([host("x.test")], limits={"connections": 64, "request_header_timeout": "300ms"})
    if server.protocol == "http1":
        for what, (request, status) in BAD.items():
            if status is not None:
                yield server, "h.test", request, status
        yield server, "h.test", get("h.test", version="2.0"), 505
        yield impatient, "x.test", b"GET / HTTP/1.1\r\nHost: x.test\r\nX: ", 408
    yield server, "e.test", get("e.test"), 403
    yield server, "e.test", get("e.test", "Accept: text/html"), 403
    yield server, "h.test", get("other.test"), 421
    yield server, "h.test", get("h.test", "Expect: wonders"), 417
    yield server, "h.test", get("h.test", method="TRACE"), 405
    yield server, "h.test", get("h.test", "X-Long: " + "x" * 40000), 431
    yield server, "h.test", get("h.test", target="/" + "x" * 40000), 414
    yield server, "h.test", get("h.test", "Max-Forwards: x", method="OPTIONS"), 400
    yield server, "h.test", get("h.test:443", method="CONNECT", target="h.test:443"), 405
    yield server, "h.test", get("h.test", "Max-Forwards: 0", method="OPTIONS"), 200
    yield dead, "x.test", get("x.test"), 502


def test_own_answers_have_date_and_id(server, serve, host):
    before = int(time.time())
    ids = set()
    for where, name, request, status in own_answers(server, serve, host):
        got, headers, body = ask(where, name, request)
        assert got == status, request[:100]
        assert len(headers["date"]) == 1
        date = email.utils.parsedate_to_datetime(headers["date"][0])
        assert before <= date.timestamp() <= time.time()
        assert headers["date"] == [email.utils.format_datetime(date, usegmt=True)]
        assert re.fullmatch("[0-9a-f]{32}", headers["x-request-id"][0]) and len(headers["x-request-id"]) == 1
        ids.add(headers["x-request-id"][0])
        assert body != ""
    assert len(ids) > (25 if server.protocol == "http1" else 10)


def test_no_answer_to_head_has_a_body(server, serve, host):
    """Also when it is refused: what follows would be taken for the next answer."""
    for where, name, request, status in own_answers(server, serve, host):
        method = request.split(b" ")[0]
        if method not in (b"GET", b"POST"):
            continue
        got, headers, body = ask(where, name, b"HEAD" + request[len(method):])
        assert (got, body) == (status, ""), request[:100]
        assert int(headers["content-length"][0]) > 0
    # In one packet with the next request: nothing may stand between the two answers.
    answer = server.raw("e.test", b"HEAD / HTTP/1.1\r\nHost: e.test\r\n\r\n" * 2 + get("e.test"))
    assert statuses(answer) == [403] * 3 and len(re.findall(rb"\r\n\r\n(?=HTTP/1.1 403)", answer)) == 2


@pytest.mark.http1_only
def test_plain_http_gets_a_date_and_for_head_no_body(server):
    for method in (b"GET", b"HEAD"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
            raw.sendall(method + b" / HTTP/1.1\r\nHost: h.test\r\n\r\n")
            answer = b""
            while piece := raw.recv(65536):
                answer += piece
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ") and b"\r\nDate: " in head
        assert (body == b"") == (method == b"HEAD")


@pytest.mark.http1_only
def test_admin_answers_have_a_date(server):
    for path, method, status in (("/healthz", "GET", 200), ("/nothing", "GET", 404), ("/metrics", "POST", 405),
                                 ("/healthz", "HEAD", 200), ("/\x01", "HEAD", 400)):
        with socket.create_connection(("127.0.0.1", server.admin_port), timeout=10) as raw:
            raw.sendall(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            answer = b""
            while piece := raw.recv(65536):
                answer += piece
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status) and b"\r\nDate: " in head
        assert (body == b"") == (method == "HEAD")
        assert (b"\r\nAllow: GET, HEAD" in head) == (status == 405)


def answering(answer):
    def script(connection, number):
        while script.origin.read_head(connection):
            connection.sendall(answer)
    return script


@pytest.mark.parametrize("fields, dates, ids", [
    ("", 1, 1),
    ("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", ["Sun, 06 Nov 1994 08:49:37 GMT"], 1),
    ("date: yesterday\r\nX-REQUEST-ID: theirs\r\n", ["yesterday"], ["theirs"]),
    ("Connection: Date\r\nDate: x\r\n", 1, 1),
])
def test_relayed_answers_get_what_they_lack(serve, host, fields, dates, ids):
    script = answering(f"HTTP/1.1 200 OK\r\n{fields}Content-Length: 0\r\n\r\n".encode())
    with origins.Scripted(script) as origin:
        script.origin = origin
        server = serve([host("h.test", origin=origin.address)], shards=1)
        _, headers, _ = ask(server, "h.test", get("h.test"))
        asked = re.search(rb"\r\nX-Request-Id: (\S+)\r\n", origin.heads[0]).group(1).decode()
    assert headers["x-request-id"] == ([asked] if ids == 1 else ids)
    if dates == 1:
        assert abs(email.utils.parsedate_to_datetime(headers["date"][0]).timestamp() - time.time()) < 5
        assert len(headers["date"]) == 1
    else:
        assert headers["date"] == dates


def test_a_request_id_is_one_everywhere(serve, host, tmp_path):
    """Origin, answer and log, of relayed requests and of those that are refused; and nobody can tell the next one."""
    log = tmp_path / "access.log"
    server = serve([host("h.test"), host("e.test", "enforce")], shards=1, access_log=str(log))
    ids = []
    for _ in range(20):
        _, headers, body = ask(server, "h.test", get("h.test"))
        assert headers["x-request-id"] == seen(body, "X-Request-Id")
        ids += headers["x-request-id"]
    for name, request in (("e.test", get("e.test")), ("h.test", get("x.test")),
                          ("h.test", b"GET\r\n\r\n" if server.protocol == "http1" else get("h.test", method="TRACE")),
                          ("h.test", get("h.test", "X-Request-Id: a\r\nX-Request-Id: b")),
                          ("h.test", get("h.test", "X-Request-Id: not visible"))):
        ids += ask(server, name, request)[1]["x-request-id"]
    assert len(set(ids)) == len(ids) and all(re.fullmatch("[0-9a-f]{32}", id) for id in ids)
    # No half of one tells anything of the next.
    for part in (slice(0, 16), slice(16, 32)):
        numbers = [int(id[part], 16) for id in ids]
        assert len(set(numbers)) == len(numbers)
        assert all(abs(a - b) > 2 ** 32 for a, b in zip(numbers, numbers[1:]))
    for name, request in (("h.test", get("h.test", "X-Request-Id: mine")), ("e.test", get("e.test", "X-Request-Id: mine"))):
        assert ask(server, name, request)[1]["x-request-id"] == ["mine"]
    deadline = time.monotonic() + 10
    lines = []
    while len(lines) < len(ids) + 2 and time.monotonic() < deadline:
        time.sleep(0.05)
        lines = requests_of(lines_of(log))
    assert [line["request_id"] for line in lines] == ids + ["mine", "mine"]


HAPROXY = """
    timeout check 10s
frontend f
    bind 127.0.0.1:{port}
    default_backend by_name
backend by_name
    option httpchk
    server s 127.0.0.1:{server} check inter 1s fall 1 rise 1 ssl verify none check-sni h.test
backend by_default
    option httpchk GET /
    server s 127.0.0.1:{server} check inter 1s fall 1 rise 1 ssl verify none
global
    stats socket {folder}/socket mode 600
"""


@pytest.mark.http1_only
def test_haproxy_does_not_mark_us_down(server, tmp_path):
    """Its health checks as they are by default: HTTP/1.0 without Host, with a server name and without one."""
    port = free_port()
    with daemons.Haproxy(tmp_path, port, HAPROXY.format(folder=tmp_path, port=port, server=server.port)):
        asked = 0
        deadline = time.monotonic() + 20
        while asked < 6:
            assert time.monotonic() < deadline
            time.sleep(0.1)
            asked = server.metric("sallyport_requests_total", code="200")
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(tmp_path / "socket"))
            control.sendall(b"show stat\n")
            table = b""
            while piece := control.recv(65536):
                table += piece
        states = re.findall(r"^(by_\w+),s,.*?,(UP|DOWN[^,]*|no check)[ ,]", table.decode(), re.M)
        assert states == [("by_name", "UP"), ("by_default", "UP")], table
        # In one page: the checks go on.
        _, page = server.admin("/metrics")
        codes = {code for code, count in re.findall(r'^sallyport_requests_total\{.*code="(\w+)".*\} (\d+)$', page, re.M) if int(count)}
        assert codes == {"200"}
