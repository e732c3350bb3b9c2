"""Requests over HTTP/2 that would be two, or another, once they are HTTP/1.1: none reaches an origin, and none costs the connection."""

import pytest

import origins
from conftest import seen
from http2_raw import END_HEADERS, END_STREAM, PROTOCOL_ERROR, DATA, Raw, frame

GET = [(":method", "GET"), (":scheme", "https"), (":authority", "h.test"), (":path", "/")]
POST = [(":method", "POST"), *GET[1:]]


@pytest.fixture
def origin():
    """Answers each head, whatever it is."""
    def script(connection, number):
        while script.origin.read_head(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with origins.Scripted(script) as origin:
        script.origin = origin
        yield origin


@pytest.fixture
def server(serve, host, origin):
    return serve([host("h.test", "report", origin=origin.address), host("e.test", "enforce", origin=origin.address)], shards=1)


def but(name, *values):
    """GET with other values of one pseudo-header field, none or several."""
    return [pair for pair in GET if pair[0] != name][:1] + [(name, value) for value in values] + [pair for pair in GET if pair[0] != name][1:]


def path(value):
    return but(":path", value)


def method(value):
    return but(":method", value)


def authority(value):
    return but(":authority", value)


def with_field(name, value, start=None):
    return [*(start or GET), (name, value)]


# RFC 9113 section 8.1.1: malformed. The stream has a fault, or the answer is 400.
MALFORMED = {
    "no method": but(":method"), "two methods": but(":method", "GET", "POST"), "empty method": method(""),
    "no scheme": but(":scheme"), "two schemes": but(":scheme", "https", "http"), "empty scheme": but(":scheme", ""),
    "no path": but(":path"), "two paths": but(":path", "/", "/x"), "empty path": path(""),
    "two authorities": but(":authority", "h.test", "e.test"),
    "unknown pseudo-header": [(":foo", "bar"), *GET], "a response's": [(":status", "200"), *GET],
    "protocol without CONNECT": [*GET, (":protocol", "websocket")],
    "pseudo-header behind a field": [*GET[:3], ("x-a", "b"), GET[3]], "pseudo-header at the end": [*GET, ("x-a", "b"), (":path", "/x")],
    "space in the path": path("/a b"), "CRLF in the path": path("/ HTTP/1.1\r\nHost: e.test\r\n\r\nGET /"), "LF in the path": path("/\nx"),
    "CR in the path": path("/\rx"), "NUL in the path": path("/\0"), "tab in the path": path("/\tx"), "DEL in the path": path("/\x7f"),
    "fragment": path("/#a"), "no slash": path("a"), "asterisk for GET": path("*"), "UTF-8 in the path": path("/é"),
    "space before the path": path(" /"), "a version behind the path": path("/ HTTP/1.0"),
    "space in the method": method("GET /admin HTTP/1.1\r\nX: y\r\n\r\nGET"), "LF in the method": method("GET\n"), "no token": method("G(T"),
    "space in the scheme": but(":scheme", "https x"), "CRLF in the scheme": but(":scheme", "http\r\nx: y"),
    "CRLF in the authority": authority("h.test\r\nX-Client-Cert-Status: valid"), "space in the authority": authority("h.test x"),
    "user in the authority": authority("u@h.test"), "path in the authority": authority("h.test/x"), "NUL in the authority": authority("h.test\0"),
    "comma in the authority": authority("h.test,e.test"), "bad port": authority("h.test:x"), "two ports": authority("h.test:1:2"),
    "two hosts": [GET[0], GET[1], GET[3], ("host", "h.test"), ("host", "h.test")],
    "Host with a path": [GET[0], GET[1], GET[3], ("host", "h.test/x")],
    "upper case": with_field("X-Upper", "a"), "upper case in the middle": with_field("x-uPper", "a"), "upper-case Host": with_field("Host", "e.test"),
    "upper-case own header": with_field("X-Client-Cert-Status", "valid"),
    "connection": with_field("connection", "close"), "connection names ours": with_field("connection", "x-client-cert-status"),
    "keep-alive": with_field("keep-alive", "timeout=5"), "proxy-connection": with_field("proxy-connection", "close"),
    "transfer-encoding": with_field("transfer-encoding", "chunked", POST), "transfer-encoding: identity": with_field("transfer-encoding", "identity"),
    "upgrade": with_field("upgrade", "h2c"), "te: gzip": with_field("te", "gzip"), "te: trailers, gzip": with_field("te", "trailers, gzip"),
    "empty name": with_field("", "a"), "space in a name": with_field("x a", "b"), "space behind a name": with_field("x-client-cert-status ", "valid"),
    "space before a name": with_field(" x-client-cert-status", "valid"), "colon in a name": with_field("x:y", "b"),
    "colon at the end": with_field("x-client-cert-status:", "valid"), "CRLF in a name": with_field("x\r\ny", "b"), "LF in a name": with_field("x\ny", "b"),
    "NUL in a name": with_field("x\0", "b"), "no ASCII in a name": with_field("x\xad", "b"), "quote in a name": with_field('"x"', "b"),
    "CRLF in a value": with_field("x", "a\r\nX-Client-Cert-Status: valid"), "LF in a value": with_field("x", "a\nb"), "CR in a value": with_field("x", "a\rb"),
    "NUL in a value": with_field("x", "a\0b"), "two requests in a value": with_field("x", "a\r\n\r\nGET /admin HTTP/1.1\r\nHost: e.test\r\n\r\n"),
    "control in a value": with_field("x", "a\x0bb"), "DEL in a value": with_field("x", "a\x7f"),
    "two lengths": [*POST, ("content-length", "3"), ("content-length", "4")], "two equal lengths": [*POST, ("content-length", "3"), ("content-length", "3")],
    "lengths in a list": with_field("content-length", "3, 3", POST), "signed length": with_field("content-length", "+3", POST),
    "negative length": with_field("content-length", "-3", POST), "length in hex": with_field("content-length", "0x3", POST),
    "empty length": with_field("content-length", "", POST), "length with a space": with_field("content-length", "3 ", POST),
    "huge length": with_field("content-length", "99999999999999999999999", POST),
}


def sent(raw, stream, fields, body=None):
    """The head as it is given, without the library's own idea of letter case."""
    block = raw.encoder.encode([(name.encode("latin-1"), value.encode("utf-8")) for name, value in fields])
    head = frame(1, END_HEADERS | (END_STREAM if body is None else 0), stream, block)
    return head + (b"" if body is None else frame(DATA, END_STREAM, stream, body))


@pytest.mark.parametrize("what", MALFORMED)
def test_what_is_malformed_reaches_no_origin_and_costs_its_stream_alone(server, origin, what):
    fields = MALFORMED[what]
    has_body = fields[0][1] == "POST"
    with Raw(server, "h.test") as raw:
        raw.settle()
        raw.send(sent(raw, 1, fields, b"abc" if has_body else None))
        outcome = raw.outcome(1)
        assert outcome in (("reset", PROTOCOL_ERROR), 400) or (outcome == 421 and "authority" in what.lower()), outcome
        raw.send(raw.head(3))
        assert raw.outcome(3) == 200 and not raw.goaways
    assert len(origin.heads) == 1
    assert server.metric("sallyport_rejected_total", stage="request") == 1, "and is counted"


# Well-formed, but not for this server.
REFUSED = {
    "scheme http": (but(":scheme", "http"), {400, 421, 200}),
    "CONNECT": ([(":method", "CONNECT"), (":authority", "h.test:443")], {405, 501}),
    "TRACE": (method("TRACE"), {405}),
    "authority and another Host": ([*GET, ("host", "e.test")], {400, 421, ("reset", PROTOCOL_ERROR)}),
    "authority of another host": (authority("e.test"), {421}),
    "expectation": (with_field("expect", "wonders"), {417}),
    "long path": (path("/" + "a" * 40000), {414}),
    "long field": (with_field("x", "a" * 40000), {431}),
    "many fields": ([*GET, *[(f"x-{i}", "a") for i in range(150)]], {431}),
    "long method": (method("M" * 129), {501, 400}),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_is_told_why(server, origin, what):
    fields, statuses = REFUSED[what]
    with Raw(server, "h.test") as raw:
        raw.settle()
        block = raw.encoder.encode(fields)
        pieces = [block[at:at + 16000] for at in range(0, len(block), 16000)]
        flags = [END_HEADERS if at == len(pieces) - 1 else 0 for at in range(len(pieces))]
        raw.send(frame(1, END_STREAM | flags[0], 1, pieces[0]), *(frame(9, flag, 1, piece) for flag, piece in zip(flags[1:], pieces[1:])))
        assert raw.outcome(1) in statuses
        raw.send(raw.head(3))
        assert raw.outcome(3) == 200 and not raw.goaways


LIES = {
    "less than it says": ([*POST, ("content-length", "5")], b"abc"),
    "more than it says": ([*POST, ("content-length", "2")], b"abc"),
    "nothing at all": ([*POST, ("content-length", "5")], b""),
    "content of a request that says none": ([*POST, ("content-length", "0")], b"abc"),
}


@pytest.mark.parametrize("what", LIES)
def test_a_length_that_lies_completes_no_request(serve, host, what):
    """RFC 9113 section 8.1.1; the origin may have seen the head, but never a whole request, and nothing behind it."""
    received = []

    def script(connection, number):
        data = b""
        received.append(data)
        while piece := connection.recv(65536):
            received[number] += piece
            if received[number].startswith(b"GET"):
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with origins.Scripted(script) as origin:
        server = serve([host("h.test", origin=origin.address)], shards=1)
        fields, body = LIES[what]
        with Raw(server, "h.test") as raw:
            raw.settle()
            raw.send(sent(raw, 1, fields, body))
            assert raw.outcome(1) in (("reset", PROTOCOL_ERROR), 400)
            raw.send(raw.head(3))
            assert raw.outcome(3) == 200 and not raw.goaways
    posts = [data for data in received if data.startswith(b"POST")]
    for data in posts:
        head, _, rest = data.partition(b"\r\n\r\n")
        assert len(rest) < int(seen(head.decode(), "Content-Length")[0])


@pytest.mark.parametrize("trailers", [
    [("x-client-cert-status", "valid")], [("x_client_cert_status", "valid")], [("content-length", "3")], [("transfer-encoding", "chunked")],
    [(":path", "/admin")], [(":status", "200")], [("host", "e.test")], [("connection", "close")], [("X-Upper", "a")], [("x\r\ny", "a")],
    [("x", "a\r\n\r\nGET /admin HTTP/1.1\r\n\r\n")],
])
def test_trailers_smuggle_nothing(serve, host, trailers):
    received = []

    def script(connection, number):
        data = b""
        while not data.endswith(b"\r\n\r\n") or (data.startswith(b"POST") and b"\r\n0\r\n" not in data):
            piece = connection.recv(65536)
            if not piece:
                break
            data += piece
        received.append(data)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with origins.Scripted(script) as origin:
        server = serve([host("h.test", "report", origin=origin.address)], shards=1)
        with Raw(server, "h.test") as raw:
            raw.settle()
            announced = ("trailer", trailers[0][0].lower().strip(":"))
            start = [*POST, ("te", "trailers")] + ([announced] if "\r" not in announced[1] else [])
            raw.send(sent(raw, 1, start, b"abc").replace(frame(DATA, END_STREAM, 1, b"abc"), frame(DATA, 0, 1, b"abc")), sent(raw, 1, trailers))
            assert raw.outcome(1) in (("reset", PROTOCOL_ERROR), 400, 200)
            raw.send(raw.head(3))
            assert raw.outcome(3) == 200
    for data in received:
        text = data.lower()
        assert b"cert-status: valid" not in text and b"cert_status: valid" not in text and b"/admin" not in text and b"e.test" not in text
        assert text.count(b"\r\ncontent-length:") == 0 and text.count(b"\r\ntransfer-encoding:") <= 1


def test_a_second_head_is_no_request(server, origin):
    """HEADERS without END_STREAM in the midst of a body (RFC 9113 section 8.1)."""
    with Raw(server, "h.test") as raw:
        raw.settle()
        raw.send(sent(raw, 1, POST, b"").replace(frame(DATA, END_STREAM, 1), b""), raw.head(1, [("x", "y")], END_HEADERS))
        assert raw.outcome(1) in (("reset", PROTOCOL_ERROR), ("goaway", PROTOCOL_ERROR), 400)
