"""What origins may say over TLS behind the handshake, and what none may: KeyUpdate, tickets, renegotiation, alerts, odd records."""

import os
import threading

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from conftest import wait_for
from test_access_log import logged, requests_of, wait_for_lines  # noqa: F401 (a fixture)
from tls_hand import CLOSE_NOTIFY, FATAL, INTERNAL_ERROR, NO_RENEGOTIATION, USER_CANCELED, WARNING, Hand, alerts_of
from tls_origins import (NAME, ORIGIN, Apache, Nginx, SServer, authority, connections, context_of, entry, handshakes,  # noqa: F401
                         requests, run, secure)
from tls_wire import (APPLICATION, CERTIFICATE_REQUEST, HANDSHAKE, HELLO_REQUEST, KEY_UPDATE, NEW_SESSION_TICKET, cut,
                      extension, message, record, u16s, vector)

VERSIONS = pytest.mark.parametrize("version", ["1.2", "1.3"])
UNEXPECTED_MESSAGE, BAD_RECORD_MAC, RECORD_OVERFLOW = 10, 20, 22


@pytest.fixture
def by_hand(scripted, authority):  # noqa: F811
    """by_hand(script, version): an origin that hands each connection, with its number, to the script, as a Hand."""

    def make(script, version="1.3"):
        entity = authority.leaf(ORIGIN)
        return scripted(lambda connection, number: script(Hand(connection, entity, version), number))

    return make


def ticket(number=0):
    """A NewSessionTicket of TLS 1.3 that nothing can be done with."""
    return message(NEW_SESSION_TICKET, bytes.fromhex("00000e10") + bytes(4) + vector(1, bytes([number % 256])) + vector(2, os.urandom(32)) + u16s(0))


def certificate_request():
    """A CertificateRequest of TLS 1.3 as it comes behind a handshake."""
    return message(CERTIFICATE_REQUEST, vector(1, b"context") + vector(2, extension(13, vector(2, u16s(0x0403)))))


# What does no harm: the answer comes through, and the next request goes on the same connection.

HARMLESS = {
    "KeyUpdate": ("1.3", lambda hand: hand.send(hand.key_update())),
    "KeyUpdate that asks for ours": ("1.3", lambda hand: hand.send(hand.key_update(True))),
    "many KeyUpdates": ("1.3", lambda hand: hand.send(*(hand.key_update(number % 2 == 0) for number in range(50)))),
    "KeyUpdate in pieces": ("1.3", lambda hand: (hand.send(*(hand.record(HANDSHAKE, part) for part in cut(message(KEY_UPDATE, b"\1"), 1))),
                                                 hand.writer.update())),
    "a ticket": ("1.3", lambda hand: hand.send(hand.record(HANDSHAKE, ticket()))),
    "some tickets": ("1.3", lambda hand: hand.send(*(hand.record(HANDSHAKE, ticket(number)) for number in range(49)))),
    "a ticket in pieces": ("1.3", lambda hand: hand.send(*(hand.record(HANDSHAKE, part) for part in cut(ticket(), 1)))),
    "empty records": ("both", lambda hand: hand.send(*(hand.record(APPLICATION) for _ in range(49)))),
    "a warning": ("both", lambda hand: hand.send(hand.alert(WARNING, USER_CANCELED))),
    "HelloRequest": ("1.2", lambda hand: hand.send(hand.record(HANDSHAKE, message(HELLO_REQUEST)))),
    "some HelloRequests": ("1.2", lambda hand: hand.send(*(hand.record(HANDSHAKE, message(HELLO_REQUEST)) for _ in range(10)))),
}


# Those that get an answer, which a connection is not kept for at the end of the origin's answer.
ANSWERED = {
    "KeyUpdate that asks for ours": lambda records: (HANDSHAKE, message(KEY_UPDATE, b"\0")) in records,
    "many KeyUpdates": lambda records: (HANDSHAKE, message(KEY_UPDATE, b"\0")) in records,
    "KeyUpdate in pieces": lambda records: (HANDSHAKE, message(KEY_UPDATE, b"\0")) in records,
    "HelloRequest": lambda records: NO_RENEGOTIATION in alerts_of(records),  # so that the origin does not wait (RFC 5246 7.4.1.1)
    "some HelloRequests": lambda records: alerts_of(records).count(NO_RENEGOTIATION) >= 10,
}


def cases(table):
    return [(name, version) for name, (where, *_) in table.items() for version in (["1.2", "1.3"] if where == "both" else [where])]


@pytest.mark.parametrize("case, version", cases(HARMLESS))
@pytest.mark.parametrize("when", ["before the answer", "in the answer", "between requests"])
def test_harmless(serve, entry, by_hand, case, version, when):  # noqa: F811
    harmless = HARMLESS[case][1]
    idle, others = threading.Event(), []

    def script(hand, number):
        try:
            while True:
                others.extend(hand.read_head())
                if when == "before the answer":
                    harmless(hand)
                    replies = []
                    while case in ANSWERED and not ANSWERED[case](replies):
                        replies.append(hand.next_record())
                    others.extend(replies)
                hand.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
                if when == "in the answer":
                    harmless(hand)
                hand.say(b"-half")
                if when == "between requests":
                    idle.wait(20)
                    idle.clear()
                    harmless(hand)
        finally:
            others.extend(hand.read_rest())

    server = serve([entry(by_hand(script, version))], shards=1)
    for number in range(2):
        assert server.curl(NAME, "/").text == "first-half"
        if when == "between requests":
            wait_for(lambda: connections(server, "pooled") == number + 1)
            idle.set()
            wait_for(lambda: not idle.is_set())
    assert handshakes(server, "failed") == 0
    if case not in ANSWERED:
        assert connections(server, "opened") == 1
    server.stop()
    if case in ANSWERED and when != "in the answer":
        wait_for(lambda: ANSWERED[case](others))


# What ends the connection: the answer is cut, the log names why, and the origin gets an alert.

def flood(kind, make, count):
    return lambda hand: hand.send(*(hand.record(kind, make(number)) for number in range(count)))


def garble(hand):
    whole = bytearray(hand.record(APPLICATION, b"x" * 50))
    whole[-1] ^= 1
    hand.send(bytes(whole))


FAULTS = {
    "too many KeyUpdates": ("1.3", lambda hand: hand.send(*(hand.key_update() for _ in range(101))), UNEXPECTED_MESSAGE),
    "too many tickets": ("1.3", flood(HANDSHAKE, ticket, 101), UNEXPECTED_MESSAGE),
    "too many empty records": ("both", flood(APPLICATION, lambda _: b"", 101), UNEXPECTED_MESSAGE),
    "too many warnings": ("both", lambda hand: hand.send(*(hand.alert(WARNING, USER_CANCELED) for _ in range(5))), UNEXPECTED_MESSAGE),
    "too many HelloRequests": ("1.2", flood(HANDSHAKE, lambda _: message(HELLO_REQUEST), 101), UNEXPECTED_MESSAGE),
    "CertificateRequest": ("1.3", flood(HANDSHAKE, lambda _: certificate_request(), 1), UNEXPECTED_MESSAGE),
    "a record that is not true": ("both", garble, BAD_RECORD_MAC),
    "plain HTTP": ("both", lambda hand: hand.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), None),
    "plain records": ("both", lambda hand: hand.send(record(APPLICATION, b"plain")), None),
    "a record that is too long": ("both", lambda hand: hand.send(b"\x17\x03\x03\x48\x01", bytes(0x4801)), RECORD_OVERFLOW),
    "a fatal alert": ("both", lambda hand: hand.send(hand.alert(FATAL, INTERNAL_ERROR)), None),
}


@pytest.mark.parametrize("case, version", cases(FAULTS))
@pytest.mark.parametrize("when", ["before the answer", "in the answer"])
def test_faults(entry, by_hand, logged, case, version, when):  # noqa: F811
    fault, alert = FAULTS[case][1:]
    heard = []

    def script(hand, number):
        hand.read_head()
        if when == "in the answer":
            hand.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nfirst")
        fault(hand)
        heard.append(alerts_of(hand.read_rest()))

    server, path = logged(entry(by_hand(script, version)))
    answer = server.curl(NAME, "/", check=False)
    if when == "in the answer":
        assert answer.was_cut, answer.status
    else:
        assert answer.status == 502
    line = requests_of(wait_for_lines(path, 1))[0]
    assert line["origin_error"] == "tls_broken"
    assert "tls_broken" in server.stderr()
    if case == "a fatal alert":
        assert "internal_error" in server.stderr()
    wait_for(lambda: heard)
    if case == "a fatal alert":
        assert heard == [[]]
    else:
        assert len(heard[0]) >= 1 and alert in (None, heard[0][-1]), heard
    assert requests(server, "broken") == 1


@VERSIONS
@pytest.mark.parametrize("idempotent", [True, False])
def test_a_fault_between_requests_loses_none(serve, entry, by_hand, version, idempotent):  # noqa: F811
    """However the connection ended that the next request would have gone on."""
    faults = [garble, lambda hand: hand.send(hand.alert(FATAL, INTERNAL_ERROR)), lambda hand: hand.send(hand.alert(WARNING, CLOSE_NOTIFY)),
              lambda hand: hand.send(b"HTTP/1.1 408 Request Timeout\r\n\r\n"), lambda hand: hand.send(record(APPLICATION, b"plain")),
              lambda hand: hand.say(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")]

    idle = threading.Semaphore(0)

    def script(hand, number):
        hand.read_head()
        hand.answer()
        if number < len(faults) and idle.acquire(timeout=60):
            faults[number](hand)
        hand.read_rest()

    server = serve([entry(by_hand(script, version))], shards=1)
    options = [] if idempotent else ["-X", "POST"]
    for number in range(len(faults) + 1):
        answer = server.curl(NAME, "/", *options)
        assert answer.text == "ok", (number, answer.head)
        wait_for(lambda: connections(server, "pooled") == number + 1)
        idle.release()
        wait_for(lambda: connections(server, "dropped") == min(number + 1, len(faults)))
    assert requests(server, "completed") == len(faults) + 1


@VERSIONS
@pytest.mark.parametrize("length", [True, False])
def test_close_notify_within_a_body(entry, by_hand, logged, version, length):  # noqa: F811
    """It ends a body that has no other end; what comes behind it does not count."""

    def script(hand, number):
        hand.read_head()
        hand.say(b"HTTP/1.1 200 OK\r\n" + (b"Content-Length: 100\r\n" if length else b"") + b"\r\nhello")
        hand.send(hand.alert(WARNING, CLOSE_NOTIFY))
        hand.say(b"x" * 95)
        hand.read_rest()

    server, path = logged(entry(by_hand(script, version)))
    answer = server.curl(NAME, "/", check=not length)
    assert answer.text == "hello" and answer.was_cut == length
    assert requests_of(wait_for_lines(path, 1))[0].get("origin_error") == ("truncated" if length else None)


@VERSIONS
@pytest.mark.parametrize("size", [1, 2, 255, 16383, 16384])
def test_records_of_each_size(serve, entry, by_hand, version, size):  # noqa: F811
    body = os.urandom(20000 if size < 255 else 1 << 20)

    def script(hand, number):
        while True:
            hand.read_head()
            hand.answer(body, size)

    server = serve([entry(by_hand(script, version))], shards=1)
    for client in ("http1", "http2"):
        server.protocol = client
        assert server.curl(NAME, "/").body == body
    assert connections(server, "opened") == 1


# Real ones

@VERSIONS
@pytest.mark.parametrize("count, fault", [(12, None), (30, "tls_certificate"), (110, "tls_handshake")])
def test_a_long_chain(entry, secure, authority, logged, pki, version, count, fault):  # noqa: F811
    """Certificates that nobody needs are passed over, up to 32 KiB; a message of 100 KB is not even taken."""
    extra = authority.leaf(*(f"host-{number}.of-no-use.test" for number in range(40))).certificate
    assert 1000 < len(extra.public_bytes(Encoding.DER)) < 1500
    chain = [extra] * count
    origin = secure(authority.leaf(ORIGIN, chain=chain), lambda tls, number: (tls.recv(65536), tls.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")))
    server, path = logged(entry(origin))
    assert server.curl(NAME, "/").status == (204 if fault is None else 502)
    assert requests_of(wait_for_lines(path, 1))[0].get("origin_error") == fault


@VERSIONS
@pytest.mark.parametrize("ends", [False, True])
def test_a_session_that_is_lost(serve, entry, authority, run, version, ends):  # noqa: F811
    """The origin begins again, and knows nothing of the session that it is offered: the handshake is a full one (RFC 5077 3.4)."""
    lines = f"ssl_protocols TLSv{version};" + ("keepalive_timeout 0;" if ends else "")
    origin = run(Nginx, authority.leaf(ORIGIN), lines)
    server = serve([entry(origin)], shards=1)
    for _ in range(2):
        assert server.curl(NAME, "/").status == 200
        origin.stop()
        origin.start()
    assert server.curl(NAME, "/").status == 200
    assert handshakes(server, "full") == 3 and handshakes(server, "failed") == 0


def test_an_origin_hears_why_it_is_refused(serve, entry, authority, scripted):  # noqa: F811
    context = context_of(authority.leaf(ORIGIN, issuer=authority.other))
    heard = []

    def script(connection, number):
        try:
            with context.wrap_socket(connection, server_side=True) as tls:
                tls.recv(1)
        except OSError as error:
            heard.append(str(error))

    server = serve([entry(scripted(script))], shards=1)
    assert server.curl(NAME, "/").status == 502
    wait_for(lambda: heard)
    assert "unknown ca" in heard[0].lower().replace("_", " "), heard


@pytest.mark.parametrize("letter, asks", [(b"k", False), (b"K", True)])
def test_a_key_update_of_s_server(serve, entry, authority, run, letter, asks):  # noqa: F811
    """Before the answer, and our own keys change with it where that is asked for."""
    origin = run(SServer, authority.leaf(ORIGIN), "-tls1_3")
    server = serve([entry(origin)], shards=1)
    with server.connect(NAME) as client:
        for number in (1, 2):
            client.sendall(f"GET /{number} HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
            wait_for(lambda: f"GET /{number} " in origin.said())
            origin.order(letter, ">>> TLS 1.3, Handshake [length 0005], KeyUpdate")
            if asks:
                wait_for(lambda: origin.count("<<< TLS 1.3, Handshake [length 0005], KeyUpdate") == number)
            origin.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            received = b""
            while not received.endswith(b"ok"):
                received += client.recv(65536)
    assert connections(server, "opened") == 1


def test_plain_text_of_s_server(entry, authority, run, logged):  # noqa: F811
    origin = run(SServer, authority.leaf(ORIGIN))
    server, path = logged(entry(origin))
    with server.connect(NAME) as client:
        client.sendall(f"GET / HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        wait_for(lambda: "GET / " in origin.said())
        origin.say(b"P\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 502")
    assert requests_of(wait_for_lines(path, 1))[0]["origin_error"] == "tls_broken"


@pytest.mark.parametrize("tls", ["TLSv1.2", "TLSv1.3"])
def test_apache_that_asks_for_a_certificate_at_one_place(serve, entry, authority, run, pki, tls):  # noqa: F811
    """
    By renegotiation, or by authentication behind the handshake: neither is offered, and Apache, which is told so, answers 403.
    In TLS 1.2 OpenSSL ends the session at that alert, and the answer may be lost with it. Its other places serve.
    """
    entity = authority.leaf(ORIGIN)
    lines = f"""
SSLProtocol -all +{tls}
SSLCACertificateFile {pki.root.cert}
<Location /files/small.txt>
    SSLVerifyClient require
</Location>
"""
    server = serve([entry(run(Apache, entity, run(Nginx, entity), lines))], shards=1)
    assert server.curl(NAME, "/").status == 200
    assert server.curl(NAME, "/files/small.txt").status in ([403] if tls == "TLSv1.3" else [403, 502])
    assert server.curl(NAME, "/").status == 200
