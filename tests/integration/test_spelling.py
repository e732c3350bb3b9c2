"""Origins that make variables of headers: no spelling of a name of ours may reach one, whatever the rule it maps names by."""

import json
import re
import threading
import wsgiref.simple_server

import pytest

import origins
from conftest import spelled

pytestmark = pytest.mark.both_protocols

SEPARATORS = "!#$%&'*+-.^_`|~"  # the token characters of RFC 9110 section 5.6.2 that are no letter or digit
ALWAYS = ["X-Client-Cert-Status", "X-Client-Cert-SKI", "Client-Cert", "Client-Cert-Chain", "X-Forwarded-Client-Cert", "X-Forwarded-For",
          "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "Proxy"]
CONFIGURED = ["X-Device", "X-Device-Too-Large", "X-Other-Host", "X-Renamed.Status", "X-Client-Cert-Status-Too-Large"]
FRAMING = ["Content-Length", "Transfer-Encoding", "Host", "Connection", "Upgrade", "TE", "Trailer", "Keep-Alive", "Proxy-Connection",
           "X-Request-Id", "Expect"]

# How a name becomes a variable behind "HTTP_": each a rule that servers have.
RULES = {
    "lighttpd, haproxy and others": lambda name: re.sub(r"[^A-Z0-9]", "_", name.upper()),
    "nginx, gunicorn, uwsgi": lambda name: name.upper().replace("-", "_"),
    "php": lambda name: re.sub(r"[-. ]", "_", name.upper()),
    "a prefix taken off again": lambda name: re.sub(r"^(HTTP_)+", "", re.sub(r"[^A-Z0-9]", "_", name.upper())),
}


def variables(head, rule):
    """The variables of a request head; several headers that become one are joined, as CGI says."""
    found = {}
    for line in head.decode("latin-1").split("\r\n")[1:]:
        if line:
            name, _, value = line.partition(":")
            key = "HTTP_" + rule(name)
            found[key] = f"{found[key]}, {value.strip()}" if key in found else value.strip()
    return found


def spellings(name):
    """`name` with every separator in each of its places, with all at once, in other letter case, and behind HTTP_."""
    words = re.split(r"[^A-Za-z0-9]", name)
    for separator in SEPARATORS:
        joined = separator.join(words)
        yield from (joined, joined.lower(), joined.swapcase(), "HTTP_" + joined, f"http{separator}HTTP-{joined}")
        for place in range(1, len(words)):
            yield "-".join(words[:place]) + separator + "-".join(words[place:])


@pytest.fixture(scope="module")
def cgi_origin():
    """Answers with the head that came, as JSON."""

    def script(connection, number):
        while head := origin.read_head(connection):
            body = json.dumps(head.decode("latin-1")).encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    with origins.Scripted(script) as origin:
        yield origin


@pytest.fixture
def server(serve, host, cgi_origin):
    def at(name, mode, forward):
        return {**host(name, mode, forward=forward), "origin": [{"address": cgi_origin.address}]}
    return serve([at("a.test", "report", {"headers": {"X-Device": "subject.cn"}}),
                  at("b.test", "off", {"status": "X-Renamed.Status", "headers": {"X-Other-Host": "reason"}})])


def ask(connection, name, headers):
    connection.tls.sendall(b"GET / HTTP/1.1\r\nHost: " + name.encode() + b"\r\n" + headers + b"\r\n")
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.read()
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), received
    length = int(re.search(rb"Content-Length: (\d+)", head)[1])
    while len(body) < length:
        body += connection.read()
    return json.loads(body).encode("latin-1")


@pytest.mark.parametrize("where", ["a.test", "b.test"])
@pytest.mark.parametrize("name", ALWAYS + CONFIGURED)
def test_no_spelling_reaches_an_origin(server, where, name):
    todo = sorted(set(spellings(name)))
    with server.open(server.tls_client(), where) as connection:
        for start in range(0, len(todo), 40):
            some = todo[start:start + 40]
            head = ask(connection, where, b"".join(f"{spelling}: forged\r\n".encode() for spelling in some) + b"X-Harmless: kept\r\n")
            assert b"forged" not in head, head
            for rule in RULES.values():
                seen = variables(head, rule)
                assert seen["HTTP_X_HARMLESS"] == "kept"
                verdict = "HTTP_X_CLIENT_CERT_STATUS" if where == "a.test" else "HTTP_" + rule("X-Renamed.Status")
                assert seen[verdict] == "none", seen


@pytest.mark.parametrize("name", FRAMING)
def test_no_lookalike_of_framing_reaches_an_origin(server, name):
    todo = [spelling for spelling in sorted(set(spellings(name))) if spelling.lower() != name.lower()]
    todo += [shape.format(c=c, name=name) for c in SEPARATORS for shape in ("{name}{c}", "{c}{name}", "{c}{name}{c}{c}")]
    with server.open(server.tls_client(), "a.test") as connection:
        for start in range(0, len(todo), 40):
            head = ask(connection, "a.test", b"".join(f"{spelling}: 31337\r\n".encode() for spelling in todo[start:start + 40]))
            assert b"31337" not in head, head


@pytest.mark.http1_only
def test_what_connection_names_goes_in_every_spelling(server):
    with server.open(server.tls_client(), "a.test") as connection:
        head = ask(connection, "a.test", b"Connection: x-mine, X.Client.Cert.Status, x~device\r\nX_Mine: gone\r\nX~MINE: gone\r\nX-Minex: kept\r\n")
    assert b"gone" not in head and b"X-Minex: kept" in head
    assert variables(head, RULES["php"])["HTTP_X_CLIENT_CERT_STATUS"] == "none"


def test_no_spelling_reaches_an_origin_in_trailers(server):
    trailers = b"".join(f"{spelling}: forged\r\n".encode() for spelling in spellings("X-Device"))
    answer = server.raw("a.test", b"POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\nTrailer: X.Device\r\n"
                                  b"Connection: close, TE\r\n\r\n0\r\n" + trailers + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 200") and b"forged" not in answer


@pytest.mark.parametrize("line", [
    b"X-Client-Cert-Status : valid", b"X-Client-Cert-Status\t: valid", b" X-Client-Cert-Status: valid", b"\tX-Client-Cert-Status: valid",
    b"X-A: b\r\n X-Client-Cert-Status: valid", b"X-A: b\rX-Client-Cert-Status: valid", b"X-A: b\nX-Client-Cert-Status: valid",
    b"X-A: b\r\r\nX-Client-Cert-Status: valid", b"X-A: b\0X-Client-Cert-Status: valid", b"X-A: b\x0bX-Client-Cert-Status: valid",
    b"X-A: b\x1cX-Client-Cert-Status: valid", b"X-Client-Cert-Status\xa0: valid", b"X\xadClient-Cert-Status: valid",
    b"\xc2\xa0X-Client-Cert-Status: valid", b"X-Client-Cert-Statu\xc5\xbf: valid", b"X Client Cert Status: valid", b"X-A: b\x7f",
    b"X-Client-Cert-Status\0: valid", b"X-Client-Cert-Status", b": valid", b"X-Client(Cert)Status: valid", b"X-Client-Cert-Status;: valid",
    b"X[Client-Cert-Status: valid", b"X-Client=Cert: valid", b"\"X-Client-Cert-Status\": valid", b"X-Client/Cert: valid",
])
@pytest.mark.http1_only
def test_what_is_no_header_line_is_refused(server, line):
    answer = server.raw("a.test", b"GET / HTTP/1.1\r\nHost: a.test\r\n" + line + b"\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400"), answer


@pytest.mark.parametrize("value", [b"valid, none", b"none, valid", b"  valid\t", b"\xa0valid", b"valid\x85", b"", b"none\t,\tvalid", b"\"valid\""])
def test_no_value_of_ours_is_joined_with_a_clients(server, value):
    with server.open(server.tls_client(), "a.test") as connection:
        head = ask(connection, "a.test", (b"x-client-cert-status: " + value + b"\r\nX.Client.Cert.Status: " + value + b"\r\n") * 3)
    for rule in RULES.values():
        assert variables(head, rule)["HTTP_X_CLIENT_CERT_STATUS"] == "none"


def test_a_wsgi_server_sees_no_forgery(serve, host, pki):
    seen = []

    def application(environment, start_response):
        seen.append({key: value for key, value in environment.items() if key.startswith("HTTP_")})
        start_response("200 OK", [("Content-Length", "0")])
        return []

    class Quiet(wsgiref.simple_server.WSGIRequestHandler):
        def log_message(self, *_):
            pass

    origin = wsgiref.simple_server.make_server("127.0.0.1", 0, application, handler_class=Quiet)
    threading.Thread(target=origin.serve_forever, daemon=True).start()
    try:
        server = serve([{**host("a.test", "report", forward={"headers": {"X-Device": "subject.cn"}}),
                         "origin": [{"address": f"127.0.0.1:{origin.server_port}"}]}])
        options = []
        for spelling in sorted(set(spellings("X-Device")) | set(spellings("X-Client-Cert-Status")))[:90]:
            options += ["-H", f"{spelling}: forged"]
        assert server.curl("a.test", "/", *options).status == 200
        assert server.curl("a.test", "/", *options, cert=pki.valid().bundle).status == 200
    finally:
        origin.shutdown()
        origin.server_close()
    assert "forged" not in str(seen)
    assert [found["HTTP_X_CLIENT_CERT_STATUS"] for found in seen] == ["none", "valid"]
    assert "HTTP_X_DEVICE" not in seen[0] and seen[1]["HTTP_X_DEVICE"] == "device-1"


def test_a_value_keeps_its_ends(server, pki):
    """"CN= admin" must not reach an origin as somebody else's "CN=admin": header values lose spaces at their ends."""
    for common_name, value in [(" admin", "%20admin"), ("admin ", "admin%20"), ("a  b", "a  b")]:
        client = pki.client(subject=common_name)
        with server.open(server.tls_client(cert=client.bundle), "a.test") as connection:
            head = ask(connection, "a.test", b"")
        found = variables(head, RULES["php"])
        assert (found["HTTP_X_CLIENT_CERT_STATUS"], found["HTTP_X_DEVICE"]) == ("valid", value)


def test_a_host_may_strip_more(serve, host, cgi_origin):
    sent = b"X-Real-IP: 6.6.6.6\r\nx_real.ip: 6.6.6.6\r\nX-SSL-Client: 6.6.6.6\r\nX.SSL.Verify: 6.6.6.6\r\nX-SSL: kept\r\nVia: 1.1 kept\r\n"
    origin = [{"address": cgi_origin.address}]
    hosts = [{**host("a.test", forward={"strip": ["X-Real-IP", "X-SSL-*"]}), "origin": origin}, {**host("b.test"), "origin": origin}]
    server = serve(hosts)
    with server.open(server.tls_client(), "a.test") as a, server.open(server.tls_client(), "b.test") as b:
        head = ask(a, "a.test", sent)
        assert b"6.6.6.6" not in head and spelled(server, b"X-SSL: kept\r\n") in head
        assert ask(b, "b.test", sent).count(b"6.6.6.6") == 4, "a host's list is its own"
        hosts = [{**host("a.test"), "origin": origin}, {**host("b.test", forward={"strip": ["x-ssl"]}), "origin": origin}]
        assert server.reload(hosts)
        assert ask(a, "a.test", sent).count(b"6.6.6.6") == 4, "a reload takes it off open connections"
        head = ask(b, "b.test", sent)
        assert b"X-SSL: kept" not in head and head.count(b"6.6.6.6") == 4
