"""Records as a client may send them, and how many: fragments at any byte, and bounds on what moves nothing forward."""

import contextlib
import time

import pytest

from conftest import NO_SUSPECTS, wait_for
from tls_client import Client12, Client13, Closed
from tls_hello import X25519
from tls_wire import ALERT, APPLICATION, CHANGE_CIPHER_SPEC, HANDSHAKE, KEY_UPDATE, cut, message, record

HOST = "records.test"
CLIENTS = pytest.mark.parametrize("client", [Client12, Client13])


@pytest.fixture
def server(serve, host):
    return serve([host(HOST, "report", forward={"headers": {"X-Client-Cert-Reason": "reason"}})], admission=NO_SUSPECTS)


def send_all(client, pieces):
    """Sends each piece by itself, whether or not the server has closed by then."""
    for piece in pieces:
        client.send(piece)


# ---- Fragments

@CLIENTS
@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
def test_a_hello_may_be_cut_within_its_header(server, pki, client, at):
    hand = client(server, HOST, pki.valid())
    hand.send_hello(sizes=[at])
    hand.server_flight()
    hand.finish()
    assert "X-Client-Cert-Reason: ok" in hand.answer()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64, 300, 16000])
def test_a_flight_may_be_cut_anywhere_in_tls13(server, pki, size):
    client = Client13(server, HOST, pki.valid()).open()
    flight = b"".join(client.before_finished()) + client.takes(client.finished())
    # Finished ends a record; what is before it may share records with it.
    client.send(*(client.sealed(HANDSHAKE, part) for part in cut(flight, size)))
    client.writer = client.application
    assert "X-Client-Cert-Reason: ok" in client.answer()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64, 300, 16000])
def test_a_flight_may_be_cut_anywhere_in_tls12(server, pki, size):
    client = Client12(server, HOST, pki.valid()).open()
    client.send(*(record(HANDSHAKE, part) for part in cut(b"".join(client.before_finished()), size)), client.change_cipher_spec())
    client.send(*(client.sealed(HANDSHAKE, part) for part in cut(client.takes(client.finished()), size)))
    client.server_finished()
    assert "X-Client-Cert-Reason: ok" in client.answer()


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_a_key_update_may_be_cut(server, size):
    client = Client13(server, HOST).establish()
    client.send(*(client.sealed(HANDSHAKE, part) for part in cut(message(KEY_UPDATE, b"\x01"), size)))
    client.writer.update()
    assert "200 OK" in client.answer()
    assert (HANDSHAKE, message(KEY_UPDATE, b"\0")) in client.seen


@CLIENTS
def test_a_request_may_come_a_byte_a_record(server, client):
    hand = client(server, HOST).establish()
    hand.send(*(hand.sealed(APPLICATION, part) for part in cut(hand.request(), 1)))
    hand.alerts()
    assert "200 OK" in hand.text()


@pytest.mark.parametrize("version", [b"\x03\x00", b"\x03\x04", b"\x01\x01", b"\xff\xff"])
def test_the_version_of_a_tls13_record_says_nothing(server, version):
    """RFC 8446 section 5.1: it must be ignored for all purposes."""
    client = Client13(server, HOST).open()
    client.send(record(CHANGE_CIPHER_SPEC, b"\x01", version),
                *(client.writer.seal(HANDSHAKE, part, version=version) for part in client.before_finished()),
                client.writer.seal(HANDSHAKE, client.finished(), version=version))
    client.writer = client.application
    client.send(client.writer.seal(APPLICATION, client.request(), version=version))
    client.alerts()
    assert "200 OK" in client.text(), client.seen


@CLIENTS
def test_the_highest_bit_of_a_share_says_nothing(server, client):
    """RFC 7748 section 5."""
    hand = client(server, HOST)
    key = hand.hello.keys[X25519]
    key.public = key.public[:31] + bytes([key.public[31] | 0x80])
    if client is Client13:
        hand.hello.offer_shares((X25519, key.public))
    assert "200 OK" in hand.establish().answer()


# ---- Bounds: as many as are allowed do no harm, and one more ends it, and is counted.

def judge(server, client, pieces, most, stage, reason):
    """`pieces(n)` gives the records of n of them."""
    assert server.metric("sallyport_rejected_total", stage=stage, reason=reason) == 0
    hand = client()
    hand.send(*pieces(hand, most))
    assert "200 OK" in hand.answer(), (hand.seen, reason)
    hand = client()
    send_all(hand, pieces(hand, most + 1))
    assert hand.alerts()[-1:] == ["unexpected_message"], hand.seen
    assert "200 OK" not in hand.text()
    assert server.metric("sallyport_rejected_total", stage=stage, reason=reason) == 1


@pytest.mark.parametrize("asks", [False, True])
def test_key_updates_are_bounded(server, asks):
    judge(server, lambda: Client13(server, HOST).establish(),
          lambda hand, count: [hand.key_update(asks) for _ in range(count)], 100, "request", "key_updates")


def test_pieces_of_key_updates_are_bounded(server):
    """Each is a record that moves nothing forward."""
    client = Client13(server, HOST).establish()
    pieces = []
    for _ in range(26):
        pieces += [client.sealed(HANDSHAKE, part) for part in cut(message(KEY_UPDATE, b"\0"), 1)][:5]
        client.writer.update()
    send_all(client, pieces)
    assert client.alerts()[-1:] == ["unexpected_message"]
    assert server.metric("sallyport_rejected_total", stage="request", reason="key_updates") == 1


@CLIENTS
def test_empty_records_are_bounded(server, client):
    judge(server, lambda: client(server, HOST).establish(),
          lambda hand, count: [hand.sealed(APPLICATION, b"") for _ in range(count)], 100, "request", "empty_records")


def test_padding_does_not_make_a_record_less_empty(server):
    judge(server, lambda: Client13(server, HOST).establish(),
          lambda hand, count: [hand.writer.seal(APPLICATION, b"", padding=500) for _ in range(count)], 100, "request", "empty_records")


@CLIENTS
def test_small_records_are_bounded(server, client):
    head = (f"POST /body HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 4096\r\nConnection: close\r\n"
            f"X-Long: {'x' * 64}\r\n\r\n").encode()
    first = client(server, HOST).establish()
    first.send(first.sealed(APPLICATION, head), *(first.sealed(APPLICATION, b"x") for _ in range(4096)))
    first.alerts()
    assert "200 OK" in first.text() and first.text().count("x") >= 4096
    assert server.metric("sallyport_rejected_total", stage="request", reason="small_records") == 0
    second = client(server, HOST).establish()
    send_all(second, [second.sealed(APPLICATION, head[:30])] + [second.sealed(APPLICATION, b"y") for _ in range(4096)])
    assert second.alerts()[-1:] == ["unexpected_message"]
    assert server.metric("sallyport_rejected_total", stage="request", reason="small_records") == 1


@CLIENTS
def test_small_records_of_a_chunked_body_are_not_too_many(server, client):
    """Some HTTP libraries write a chunk's size, its end of line, its data and another in a record each."""
    hand = client(server, HOST).establish()
    hand.send(hand.sealed(APPLICATION, (f"POST /body HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n"
                                        "Connection: close\r\n\r\n").encode()))
    chunk = bytes(1024)
    for _ in range(2500):
        hand.send(*(hand.sealed(APPLICATION, part) for part in (b"400", b"\r\n", chunk, b"\r\n")))
    hand.send(hand.sealed(APPLICATION, b"0\r\n\r\n"))
    hand.alerts()
    assert "200 OK" in hand.text()
    assert server.metric("sallyport_rejected_total", stage="request", reason="small_records") == 0


@CLIENTS
def test_short_requests_are_not_too_many(server, client):
    """Each fits into a small record."""
    hand = client(server, HOST).establish()
    request = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    assert len(request) < 64
    for _ in range(90):
        hand.send(*(hand.sealed(APPLICATION, request) for _ in range(50)))
        while hand.text().count("200 OK") < 50:
            hand.next_record()
        hand.seen.clear()
    assert "200 OK" in hand.answer()


@pytest.mark.parametrize("client, alert", [(Client12, b"\x01\x29"), (Client12, b"\x01\x5a"), (Client13, b"\x01\x5a")])
def test_warnings_are_bounded(server, client, alert):
    judge(server, lambda: client(server, HOST).establish(),
          lambda hand, count: [hand.sealed(ALERT, alert) for _ in range(count)], 4, "request", "warning_alerts")


@pytest.mark.parametrize("count", [4, 5])
@pytest.mark.parametrize("client", [Client12, Client13])
def test_warnings_are_bounded_in_the_handshake(server, client, count):
    hand = client(server, HOST).open()
    hand.send(*(hand.sealed(ALERT, b"\x01\x5a") for _ in range(count)))
    with contextlib.suppress(Closed):
        hand.finish()
    if count == 4:
        assert "200 OK" in hand.answer()
    else:
        assert hand.alerts() == ["unexpected_message"]
    assert server.metric("sallyport_rejected_total", stage="handshake", reason="warning_alerts") == (count == 5)


@pytest.mark.parametrize("client", [Client12, Client13])
def test_small_records_are_bounded_in_the_handshake(server, pki, client):
    hand = client(server, HOST, pki.valid()).open()
    send_all(hand, [hand.sealed(HANDSHAKE, part) for part in cut(hand.certificate([bytes(2000)]), 1)[:1025]])
    assert hand.alerts() == ["unexpected_message"]
    assert server.metric("sallyport_rejected_total", stage="handshake", reason="small_records") == 1


def test_change_cipher_specs_are_bounded(server):
    client = Client13(server, HOST).open()
    client.finish(record(CHANGE_CIPHER_SPEC, b"\x01"))
    assert "200 OK" in client.answer()
    for send in (lambda c: record(CHANGE_CIPHER_SPEC, b"\x01") * 2,
                 lambda c: record(CHANGE_CIPHER_SPEC, b"\x01") + c.sealed(HANDSHAKE, c.certificate()) + record(CHANGE_CIPHER_SPEC, b"\x01")):
        client = Client13(server, HOST).open()
        client.send(send(client))
        assert client.alerts() == ["unexpected_message"]
    assert server.metric("sallyport_rejected_total", stage="handshake", reason="change_cipher_specs") == 2
    client = Client13(server, HOST).establish()
    client.send(record(CHANGE_CIPHER_SPEC, b"\x01"))
    assert client.alerts() == ["unexpected_message"]
    assert server.metric("sallyport_rejected_total", stage="request", reason="change_cipher_specs") == 1


def test_a_fault_after_the_handshake_is_counted(server):
    client = Client13(server, HOST).establish()
    client.send(record(24, b"x"))
    assert client.alerts() == ["unexpected_message"]
    assert server.metric("sallyport_rejected_total", stage="request", reason="tls_error") == 1


def test_a_fault_behind_change_cipher_spec_is_one_of_its_own(server):
    client = Client13(server, HOST).open()
    client.send(record(CHANGE_CIPHER_SPEC, b"\x01"), record(24, b"x"))
    assert client.alerts() == ["unexpected_message"]
    assert server.metric("sallyport_rejected_total", stage="handshake", reason="tls_error") == 1


# ---- The alert is read before the reset


@CLIENTS
def test_an_answer_that_was_under_way_does_not_cost_the_alert(server, client):
    """A request that is answered here, at once, and a fault in one piece."""
    hand = client(server, HOST).establish()
    bad = b"GET / HTTP/1.1\r\nHost: other.test\r\n\r\n"
    hand.send(hand.sealed(APPLICATION, bad), record(24, b"x"))
    assert hand.alerts()[-1:] == ["unexpected_message"], hand.seen


@CLIENTS
@pytest.mark.parametrize("when", ["handshake", "request"])
def test_a_client_that_is_still_sending_reads_its_alert(server, client, when):
    """Bytes behind the fault would be answered by a reset, had the server closed at once."""
    hand = client(server, HOST)
    hand.open() if when == "handshake" else hand.establish()
    hand.send(record(24, b"x"))
    for _ in range(10):
        time.sleep(0.02)
        hand.send(record(23, bytes(1000)))
    assert hand.alerts() == ["unexpected_message"]
    assert hand.ended == "eof"


def test_a_hello_that_is_refused_gets_its_alert_though_more_comes(server):
    hand = Client13(server, "unknown.test")
    hand.send(record(HANDSHAKE, hand.hello.encode()))
    for _ in range(10):
        time.sleep(0.02)
        hand.send(record(23, bytes(1000)))
    assert hand.alerts() == ["unrecognized_name"]
    assert hand.ended == "eof"


def test_patience_with_faulty_clients_is_bounded(serve, host):
    """In time, and in number: the places are not theirs."""
    server = serve([host(HOST, "report")], limits={"connections": 64}, shards=1)
    clients = []
    for _ in range(20):
        client = Client13(server, HOST)
        client.send(record(HANDSHAKE, client.hello.encode()[:5]) + record(24, b"x"))
        clients.append(client)
    wait_for(lambda: server.metric("sallyport_rejected_total", stage="hello", reason="malformed") == 20)
    wait_for(lambda: server.metric("sallyport_connections") <= 3, within=1.5)
    began = time.monotonic()
    while server.metric("sallyport_connections") > 0:
        assert time.monotonic() - began < 15
        clients[0].send(b"more")
        time.sleep(0.05)
    for client in clients:
        assert client.alerts() == ["unexpected_message"] or client.ended == "reset"
