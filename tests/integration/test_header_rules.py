"""Rules for headers by host: request_headers, response_headers, strict_transport_security."""

import re

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from test_headers import spellings

pytestmark = pytest.mark.both_protocols

REQUESTS = {
    "set": {"X-Env": "prod", "X-Who": "{subject.cn}/{serial}", "X-How": "{tls.version};{status};{sni}"},
    "add": {"X-Tag": ["one", "two"], "X-Also": "{reason}", "Accept-Language": "en"},
    "remove": ["X-Debug", "X-SSL-*"],
}
ANSWERS = {
    "set": {"X-Frame-Options": "DENY", "Cache-Control": "private", "X-You": "{subject.cn}", "X-TLS": "{tls.version}"},
    "add": {"Link": ["</a>; rel=preload", "</b>; rel=preload"]},
    "remove": ["Server", "X-Powered-By", "X-Debug-*"],
}


def lines(response, name):
    """All values of a header of an answer, in order."""
    pairs = (line.partition(":") for line in response.head.decode("latin-1").split("\r\n")[1:])
    return [value.strip() for key, _, value in pairs if key.lower() == name.lower()]


@pytest.fixture
def server(serve, host):
    first = {**host("a.test", "report"), "request_headers": REQUESTS, "response_headers": ANSWERS,
             "strict_transport_security": {"max_age": "365d", "include_subdomains": True}}
    return serve([first, host("b.test", "off")])


def test_requests(server, pki):
    response = server.curl("a.test", "/", "-H", "X-Debug: 1", "-H", "x_ssl_client: 1", "-H", "X-Tag: zero", "-H", "X-Kept: k",
                           cert=pki.valid().bundle)
    assert response.seen("X-Env") == ["prod"]
    assert re.fullmatch(r"device-1/[0-9a-f]+", response.seen("X-Who")[0])
    assert response.seen("X-How") == ["TLSv1.3;valid;a.test"]
    assert response.seen("X-Tag") == ["zero", "one", "two"]
    assert response.seen("X-Also") == ["ok"]
    assert response.seen("Accept-Language") == ["en"]
    assert response.seen("X-Kept") == ["k"]
    assert response.seen("X-Debug") == response.seen("x_ssl_client") == []
    with_none = server.curl("a.test")
    assert with_none.seen("X-Who") == [], "a field of it is absent"
    assert with_none.seen("X-How") == ["TLSv1.3;none;a.test"]
    elsewhere = server.curl("b.test", "/", "-H", "X-Tag: mine", "-H", "X-Debug: 1")
    assert elsewhere.seen("X-Tag") == ["mine"] and elsewhere.seen("X-Debug") == ["1"]
    assert elsewhere.seen("X-Env") == []


@pytest.mark.parametrize("name", ["X-Env", "X-Who", "X-Who-Too-Large", "X-Also", "X-How"])
@pytest.mark.parametrize("where", ["a.test", "b.test"])
def test_forged_copies_never_reach_an_origin(server, where, name):
    options = [f"-H{spelling}: forged" for spelling in sorted(set(spellings(name)) | {f"HTTP_{name}", name.replace("-", ".")})]
    response = server.curl(where, "/", *options, "-H", "X-Harmless: kept")
    assert response.status == 200 and "forged" not in response.text
    assert response.seen("X-Harmless") == ["kept"]


def test_forged_trailers_never_reach_an_origin(server):
    answer = server.raw("b.test", b"POST /body HTTP/1.1\r\nHost: b.test\r\nTransfer-Encoding: chunked\r\nTrailer: X-Env, X-Who\r\n"
                                  b"Connection: close\r\n\r\n3\r\nabc\r\n0\r\nX-Env: forged\r\nX_Who: forged\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200") and b"forged" not in answer


@pytest.mark.http1_only
def test_connection_takes_nothing_away(server, pki):
    response = server.curl("a.test", "/", "-H", "Connection: keep-alive, X-Env, X-Who, X-Tag", cert=pki.valid().bundle)
    assert response.seen("X-Env") == ["prod"] and len(response.seen("X-Who")) == 1
    assert response.seen("X-Tag") == ["one", "two"]


STRICT = "max-age=31536000; includeSubDomains"


def assert_rules(response, you=()):
    """The rules that hold for every answer."""
    assert lines(response, "X-Frame-Options") == ["DENY"]
    assert lines(response, "X-TLS") == ["TLSv1.3"]
    assert lines(response, "X-You") == list(you)
    assert lines(response, "Link") == ["</a>; rel=preload", "</b>; rel=preload"]
    assert lines(response, "Strict-Transport-Security") == [STRICT]


ANSWER = (b"HTTP/1.1 200 OK\r\nServer: s/1\r\nX-Powered-By: php\r\nX-Debug-Time: 5\r\nX-Debug: 6\r\nCache-Control: public\r\n"
          b"x_frame_options: ALLOW\r\nX-You: nobody\r\nLink: </o>\r\nstrict-transport-security: max-age=1\r\n"
          b"Strict-Transport-Security: max-age=2\r\n")


def test_answers_of_origins(serve, host, scripted, pki):
    def script(connection, number):
        while script.origin.read_head(connection):
            connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </early>\r\n\r\n" + ANSWER + b"Content-Length: 2\r\n\r\nok")

    origin = scripted(script)
    server = serve([{**host("a.test", "report", origin=origin.address), "response_headers": ANSWERS,
                     "strict_transport_security": {"max_age": "365d", "include_subdomains": True}}])
    response = server.curl("a.test", cert=pki.valid().bundle)
    assert response.status == 200 and response.text == "ok"
    assert lines(response, "Server") == lines(response, "X-Powered-By") == lines(response, "X-Debug-Time") == []
    assert lines(response, "X-Debug") == ["6"]
    assert lines(response, "x_frame_options") == []
    assert lines(response, "Cache-Control") == ["private"]
    assert lines(response, "Link") == ["</o>", "</a>; rel=preload", "</b>; rel=preload"]
    assert lines(response, "X-You") == ["device-1"] and lines(response, "X-TLS") == ["TLSv1.3"]
    assert lines(response, "Strict-Transport-Security") == [STRICT]
    assert lines(server.curl("a.test"), "X-You") == [], "neither the origin's nor one without a certificate"


def test_trailers_of_answers(serve, host, scripted):
    def script(connection, number):
        while script.origin.read_head(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, X-Debug-Sum\r\n\r\n"
                               b"2\r\nok\r\n0\r\nX-Sum: 1\r\nX-Debug-Sum: 2\r\nX_You: 3\r\n\r\n")

    origin = scripted(script)
    server = serve([{**host("a.test", origin=origin.address), "response_headers": ANSWERS}])
    answer = server.raw("a.test", b"GET / HTTP/1.1\r\nHost: a.test\r\nTE: trailers\r\nConnection: close, TE\r\n\r\n").lower()
    assert b"x-sum: 1" in answer and b"x-debug-sum: 2" not in answer and b"x_you" not in answer


def test_answers_of_our_own(serve, host, scripted):
    origin = scripted(lambda connection, number: None)
    rules = {"response_headers": ANSWERS, "strict_transport_security": {"max_age": "365d", "include_subdomains": True}}
    server = serve([{**host("a.test", "enforce"), **rules},
                    {**host("b.test", origin=origin.address, server=None), **rules, "methods": ["GET"]}])
    denied = server.curl("a.test")
    assert denied.status == 403
    assert_rules(denied)
    assert lines(denied, "Cache-Control") == ["no-store"], "a refusal is not for caches, whatever pages are"
    failed = server.curl("b.test")
    assert failed.status == 502
    assert_rules(failed)
    refused = server.curl("b.test", "/", "-X", "DELETE")
    assert refused.status == 405 and lines(refused, "Allow") == ["GET"]
    assert_rules(refused)


def test_a_misdirected_request_gets_no_rules_of_another_host(server):
    answer = server.raw("a.test", b"GET / HTTP/1.1\r\nHost: b.test\r\nConnection: close\r\n\r\n").lower()
    assert answer.startswith(b"http/1.1 421")
    assert b"strict-transport-security" not in answer and b"x-frame-options" not in answer


def test_nobody_else_is_strict(server):
    response = server.curl("b.test")
    assert lines(response, "Strict-Transport-Security") == [] and lines(response, "Server") != []


HOSTILE = 'a"b;, {sni}%0D\u00e9\r\nX-Admin: yes\x01\x7f'


def test_values_of_certificates_are_no_lines(serve, host, pki, scripted):
    """What a CA has signed may be anything."""
    def script(connection, number):
        while script.origin.read_head(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    origin = scripted(script)
    server = serve([{**host("a.test", "enforce", origin=origin.address), "request_headers": {"set": {"X-Who": "<{subject.cn}>"}},
                     "response_headers": {"set": {"X-You": "<{subject.cn}>", "X-Both": "{sni} {subject.cn}"}}}])
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOSTILE)])
    response = server.curl("a.test", cert=pki.client(subject=name).bundle)
    assert response.status == 200
    expected = '<a"b;, {sni}%250D\u00e9%0D%0AX-Admin: yes%01%7F>'.encode()
    assert b"\r\nX-Who: " + expected + b"\r\n" in origin.heads[0]
    assert re.search(b"(?i)\r\nX-You: " + re.escape(expected) + b"(\r\n|$)", response.head)
    assert re.search(b"(?i)\r\nX-Both: a.test " + re.escape(expected[1:-1]) + b"(\r\n|$)", response.head)
    assert lines(response, "X-Admin") == [] and b"\r\nX-Admin" not in origin.heads[0]


def test_values_that_are_too_large(serve, host, pki):
    server = serve([{**host("a.test", "enforce"),
                     "request_headers": {"set": {"X-Large": "{pem.urlencoded}" * 16, "X-Small": "{status}"}},
                     "response_headers": {"set": {"X-Large": "{pem.urlencoded}" * 16, "X-Small": "{status}"}}}])
    response = server.curl("a.test", "/", "-H", "X-Large-Too-Large: forged", cert=pki.valid().bundle)
    assert response.seen("X-Large-Too-Large") == ["true"] and response.seen("X-Large") == []
    assert response.seen("X-Small") == ["valid"]
    assert lines(response, "X-Large-Too-Large") == ["true"] and lines(response, "X-Small") == ["valid"]


def test_a_reload_changes_rules_between_two_requests(serve, host, pki):
    entry = host("a.test", "report")
    server = serve([entry])
    with server.open(server.tls_client(pki.valid().bundle), "a.test") as client:
        assert "x-env" not in client.get()[1]
        for value in ["one", "{subject.cn}"]:
            assert server.reload([{**entry, "response_headers": {"set": {"X-Env": value}},
                                   "request_headers": {"set": {"X-Env": value}}}])
            _, headers, body = client.get()
            expected = value.replace("{subject.cn}", "device-1")
            assert headers["x-env"] == expected and f"x-env: {expected}" in body.lower()
        assert server.reload([entry])
        assert "x-env" not in client.get()[1]


def test_check_names_the_line(serve, host):
    entry = {**host("a.test"), "response_headers": {"set": {"X-You": "{subject.nc}"}}}
    server = serve([entry], ready=False)
    assert server.process.wait(20) == 1
    assert 'X-You: "subject.nc" is no field that can be forwarded; did you mean "subject.cn"?' in server.stderr()
    server.stopped = True


@pytest.mark.http1_only
def test_a_switch_of_protocols_is_an_answer(serve, host, scripted):
    def script(connection, number):
        script.origin.read_head(connection)
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat\r\nConnection: Upgrade\r\nServer: s\r\n\r\nhello")

    server = serve([{**host("a.test", origin=scripted(script).address), "response_headers": ANSWERS}])
    answer = server.raw("a.test", b"GET / HTTP/1.1\r\nHost: a.test\r\nUpgrade: chat\r\nConnection: Upgrade\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 101 ") and answer.endswith(b"\r\n\r\nhello")
    assert b"\r\nX-Frame-Options: DENY\r\n" in answer and b"Server" not in answer and b"\r\nUpgrade: chat\r\n" in answer
