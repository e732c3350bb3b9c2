"""ClientHellos of all kinds: each that the RFCs allow is served, each that they forbid gets its alert.
The client is made by hand: see tls_client.py."""

import os
import signal
import socket
import struct
import subprocess
import time

import pytest

from conftest import NO_SUSPECTS, free_port
from tls_client import Client12, Client13, Closed
from tls_hello import (ALPN, COOKIE, EARLY_DATA, GROUPS, KEY_SHARE, MAX_FRAGMENT, NAME, P256, P384, PADDING, PRE_SHARED_KEY,
                       PSK_MODES, RECORD_SIZE_LIMIT, SCHEMES, SESSION_TICKET, VERSIONS, X25519, X448, Hello, Key, share)
from tls_wire import APPLICATION, CHANGE_CIPHER_SPEC, HANDSHAKE, record, u16s, vector

MODES = ["off", "report", "enforce"]
DUMMY = record(CHANGE_CIPHER_SPEC, b"\1")  # which middleboxes want to see (RFC 8446 section D.4)


@pytest.fixture
def server(serve, host):
    return serve([{**host("h.test", "report"), "default": True}, host("other.test", "report")], admission=NO_SUSPECTS)


def alert_of(server, hello, kind=Client13):
    """The alert that a lone hello leads to."""
    with kind(server) as client:
        client.send_hello(hello)
        with pytest.raises(Closed) as raised:
            client.server_hello()
        return raised.value.alert


def served(client, hello):
    """A whole conversation; the extensions of the server's answer."""
    client.establish(hello)
    assert client.answer().startswith("HTTP/1.1 200")
    return client.extensions


# Many of everything.

def unknown_numbers(count):
    """That no one has, nor is reserved."""
    return [0x6000 + i for i in range(count)]


@pytest.mark.parametrize("tls12", [False, True])
@pytest.mark.parametrize("count", [151, 1000, 7900])
def test_many_suites(server, tls12, count):
    hello = Hello(tls12=tls12)
    hello.suites = unknown_numbers(count) + hello.suites
    with (Client12 if tls12 else Client13)(server) as client:
        served(client, hello)


@pytest.mark.parametrize("tls12", [False, True])
@pytest.mark.parametrize("count", [65, 1000, 7800])
def test_many_schemes(server, tls12, count):
    hello = Hello(tls12=tls12)
    hello.extensions[SCHEMES] = vector(2, u16s(*unknown_numbers(count), 0x0804, 0x0401, 0x0403))
    with (Client12 if tls12 else Client13)(server) as client:
        served(client, hello)


def test_many_key_shares(server):
    for count in (32, 500):
        hello = Hello()
        groups = unknown_numbers(count)
        hello.extensions[GROUPS] = vector(2, u16s(*groups, X25519, P256))
        hello.extensions[KEY_SHARE] = vector(2, b"".join(share(group, b"x" * 8) for group in groups)
                                             + share(X25519, hello.keys[X25519].public))
        with Client13(server) as client:
            served(client, hello)


def test_many_groups_and_extensions(server):
    for tls12 in (False, True):
        hello = Hello(tls12=tls12)
        hello.extensions[GROUPS] = vector(2, u16s(*unknown_numbers(3000), X25519, P256))
        hello.extensions |= {number: b"" for number in unknown_numbers(2000)}
        with (Client12 if tls12 else Client13)(server) as client:
            served(client, hello)


def test_known_ones_many_times_over(server):
    """Repetition is of no use, and forbidden nowhere."""
    for tls12 in (False, True):
        hello = Hello(tls12=tls12)
        hello.suites = [0x1302, 0x1303, 0xC02F, 0xC030] * 500 + hello.suites
        if not tls12:
            hello.suites = [0x1301] * 1000
        hello.extensions[SCHEMES] = vector(2, u16s(*[0x0804, 0x0401, 0x0503] * 500, 0x0403))
        with (Client12 if tls12 else Client13)(server) as client:
            served(client, hello)


def test_nothing_in_common_among_many(server):
    for tls12 in (False, True):
        hello = Hello(tls12=tls12)
        hello.suites = unknown_numbers(200)
        assert alert_of(server, hello) == "handshake_failure"


@pytest.mark.parametrize("tls12", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 20, 127, 200])
def test_many_records(server, tls12, size):
    hello = Hello(tls12=tls12)
    hello.extensions[PADDING] = bytes(1000)
    with (Client12 if tls12 else Client13)(server) as client:
        client.send_hello(hello, DUMMY if not tls12 else b"", sizes=[size] * (len(hello.encode()) // size))
        client.server_flight()
        client.finish()
        assert client.answer().startswith("HTTP/1.1 200")


# The second hello of a handshake.

def test_second_hello(server):
    for hello in (Hello(shares=()), Hello(groups=(X448, P256), shares=()), Hello(groups=(P384,), shares=())):
        with Client13(server) as client:
            client.send_hello(hello)
            group = client.retry_request()
            client.send_hello(hello.again(group))
            client.server_flight()
            # One dummy ChangeCipherSpec, right behind the HelloRetryRequest (RFC 8446 section D.4).
            assert client.kinds[:3] == [HANDSHAKE, CHANGE_CIPHER_SPEC, HANDSHAKE]
            assert client.kinds.count(CHANGE_CIPHER_SPEC) == 1
            client.finish()
            assert client.answer().startswith("HTTP/1.1 200")


def second_hello_alert(server, first, second, before=b""):
    with Client13(server) as client:
        client.send_hello(first)
        client.retry_request()
        assert client.next_record() == (CHANGE_CIPHER_SPEC, b"\1")
        client.send(before)
        client.send_hello(second)
        with pytest.raises(Closed) as raised:
            client.server_hello()
        return raised.value.alert


def with_random(hello):
    hello.random = os.urandom(32)


def with_session_id(hello):
    hello.session_id = os.urandom(32)


def without_session_id(hello):
    hello.session_id = b""


def with_suites(hello):
    hello.suites = [0x1302, 0x1301]


def setting(kind, content):
    def change(hello):
        hello.extensions[kind] = content
    return change


def dropping(*kinds):
    def change(hello):
        for kind in kinds:
            del hello.extensions[kind]
    return change


def without_extensions(hello):
    hello.extensions = None


def with_no_extensions(hello):
    hello.extensions = {}


def with_foreign_ticket(hello):
    hello.offer_foreign_ticket(os.urandom(200))


WRONG_SECOND_HELLOS = {
    "random": (with_random, "illegal_parameter"),
    "session ID": (with_session_id, "illegal_parameter"),
    "no session ID": (without_session_id, "illegal_parameter"),
    "suites": (with_suites, "illegal_parameter"),
    "another host": (setting(NAME, vector(2, b"\0" + vector(2, b"other.test"))), "illegal_parameter"),
    "no name": (dropping(NAME), "illegal_parameter"),
    "groups": (setting(GROUPS, vector(2, u16s(P256))), "illegal_parameter"),
    "schemes": (setting(SCHEMES, vector(2, u16s(0x0403))), "illegal_parameter"),
    "TLS 1.2 too": (setting(VERSIONS, vector(1, u16s(0x0304, 0x0303))), "illegal_parameter"),
    "TLS 1.2 instead": (setting(VERSIONS, vector(1, u16s(0x0303))), "illegal_parameter"),
    "a protocol": (setting(ALPN, vector(2, vector(1, b"http/1.1"))), "illegal_parameter"),
    "a cookie": (setting(COOKIE, vector(2, b"cookie")), "illegal_parameter"),
    "early data": (setting(EARLY_DATA, b""), "illegal_parameter"),
    "a pre-shared key": (with_foreign_ticket, "illegal_parameter"),
    "an unknown extension": (setting(0x4321, b""), "illegal_parameter"),
    "no share": (setting(KEY_SHARE, b"\0\0"), "illegal_parameter"),
    "a share of another group": (setting(KEY_SHARE, vector(2, share(P256, Key(P256).public))), "illegal_parameter"),
    "a malformed share": (setting(KEY_SHARE, b"\0\1"), "decode_error"),
    "a share that is no point": (setting(KEY_SHARE, vector(2, share(X25519, bytes(31)))), "illegal_parameter"),
    "no versions": (dropping(VERSIONS), "missing_extension"),
    "no key_share": (dropping(KEY_SHARE), "missing_extension"),
    "no groups": (dropping(GROUPS), "missing_extension"),
    "no schemes": (dropping(SCHEMES), "missing_extension"),
    "no extensions": (with_no_extensions, "missing_extension"),
    "not even an empty list": (without_extensions, "missing_extension"),
}


@pytest.mark.parametrize("what", WRONG_SECOND_HELLOS)
def test_wrong_second_hello(server, what):
    change, alert = WRONG_SECOND_HELLOS[what]
    first = Hello(shares=())
    second = first.again(X25519)
    change(second)
    assert second_hello_alert(server, first, second) == alert
    with Client13(server) as client:  # the server goes on
        served(client, Hello())


def test_second_hello_may_differ(server):
    """As RFC 8446 section 4.1.2 has it."""
    first = Hello(shares=())
    first.extensions[PADDING] = bytes(10)
    first.extensions[EARLY_DATA] = b""
    first.offer_foreign_ticket(os.urandom(900))
    for padding in (None, bytes(20)):
        for keep_ticket in (True, False):
            second = first.again(X25519)
            second.offer_foreign_ticket(b"")
            second.extensions[PRE_SHARED_KEY] = first.extensions[PRE_SHARED_KEY]
            if padding is None:
                del second.extensions[PADDING]
            else:
                second.extensions[PADDING] = padding
            if not keep_ticket:
                del second.extensions[PRE_SHARED_KEY]
            with Client13(server) as client:
                client.send_hello(first)
                assert client.retry_request() == X25519
                client.send_hello(second)
                client.server_flight()
                client.finish()
                assert client.answer().startswith("HTTP/1.1 200")


def test_third_hello(server):
    first = Hello(shares=())
    with Client13(server) as client:
        client.send_hello(first)
        client.retry_request()
        client.send_hello(first.again(X25519))
        client.server_flight()
        client.send(client.writer.seal(HANDSHAKE, first.again(X25519).encode()))
        with pytest.raises(Closed) as raised:
            client.next_record()
        assert raised.value.alert == "unexpected_message"


# Dummies for middleboxes.

def test_dummy_change_cipher_spec_for_a_session_id_alone(server):
    with Client13(server) as client:
        served(client, Hello())
        assert client.kinds[:2] == [HANDSHAKE, CHANGE_CIPHER_SPEC] and client.kinds.count(CHANGE_CIPHER_SPEC) == 1
    hello = Hello()
    hello.session_id = b""
    with Client13(server) as client:
        served(client, hello)
        assert CHANGE_CIPHER_SPEC not in client.kinds


def test_client_may_send_one_change_cipher_spec(server):
    for early in (True, False):
        with Client13(server) as client:
            client.send_hello(Hello(), DUMMY if early else b"")
            client.server_flight()
            client.finish(b"" if early else DUMMY)
            assert client.answer().startswith("HTTP/1.1 200")
    first = Hello(shares=())
    with Client13(server) as client:
        client.send_hello(first)
        client.retry_request()
        client.send(DUMMY)
        client.send_hello(first.again(X25519))
        client.server_flight()
        client.finish()
        assert client.answer().startswith("HTTP/1.1 200")


@pytest.mark.parametrize("behind", [DUMMY * 2, record(CHANGE_CIPHER_SPEC, b"\1\1"), record(CHANGE_CIPHER_SPEC, b"\2")])
def test_client_may_send_no_other_change_cipher_spec(server, behind):
    with Client13(server) as client:
        client.send_hello(Hello(), behind)
        with pytest.raises(Closed) as raised:
            client.server_flight()
            client.next_record()
        assert raised.value.alert == "unexpected_message"


def test_no_change_cipher_spec_after_the_handshake(server):
    with Client13(server) as client:
        client.establish(Hello())
        client.send(DUMMY)
        with pytest.raises(Closed) as raised:
            while True:
                client.next_record()
        assert raised.value.alert == "unexpected_message"


# Early data, which is refused, and skipped.

def early_hello(**options):
    hello = Hello(**options)
    hello.extensions[EARLY_DATA] = b""
    hello.offer_foreign_ticket(os.urandom(200))
    return hello


EARLY = {
    "one record": record(APPLICATION, os.urandom(100)),
    "a full record": record(APPLICATION, os.urandom(16384 + 17)),
    "several": record(APPLICATION, os.urandom(1000)) * 16,
    "none": b"",
    "a dummy before": DUMMY + record(APPLICATION, os.urandom(1000)),
    "a dummy between": record(APPLICATION, os.urandom(1000)) + DUMMY + record(APPLICATION, os.urandom(1000)),
    "tiny ones": b"".join(record(APPLICATION, os.urandom(size)) for size in (1, 16, 17, 18)),
}


@pytest.mark.parametrize("what", EARLY)
def test_early_data_is_skipped(server, what):
    with Client13(server) as client:
        client.send_hello(early_hello(), EARLY[what])
        found = client.server_flight()
        assert EARLY_DATA not in found
        client.finish()
        assert client.answer().startswith("HTTP/1.1 200")


@pytest.mark.parametrize("what", EARLY)
def test_early_data_before_a_second_hello_is_skipped(server, what):
    first = early_hello(shares=())
    with Client13(server) as client:
        client.send_hello(first, EARLY[what])
        second = first.again(client.retry_request())
        client.send_hello(second)
        client.server_flight()
        client.finish()
        assert client.answer().startswith("HTTP/1.1 200")


def test_early_data_in_segments_of_its_own(server):
    with Client13(server) as client:
        client.send_hello(early_hello())
        for _ in range(3):
            client.send(record(APPLICATION, os.urandom(2000)))
        client.server_flight()
        client.send(record(APPLICATION, os.urandom(2000)))
        client.finish()
        assert client.answer().startswith("HTTP/1.1 200")


def test_early_data_while_the_hello_waits(serve, host):
    """More hellos than one turn takes up, and more behind each than one receive brings."""
    server = serve([host("h.test", "off")], shards=1)
    clients = []
    server.process.send_signal(signal.SIGSTOP)
    try:
        for count in range(60):
            clients.append(Client13(server))
            clients[-1].send_hello(early_hello(), (DUMMY if count % 2 else b"") + record(APPLICATION, os.urandom(12000)) * 2)
    finally:
        server.process.send_signal(signal.SIGCONT)
    for client in clients:
        client.server_flight()
        client.finish()
        assert client.answer().startswith("HTTP/1.1 200")
        client.close()


def ends_with(client, alert, early=b""):
    with pytest.raises(Closed) as raised:
        client.server_flight()
        client.send(early)
        while True:
            client.next_record()
    assert raised.value.alert == alert


def test_too_much_early_data(server):
    for shares in ((X25519,), ()):
        with Client13(server) as client:
            client.send_hello(early_hello(shares=shares), record(APPLICATION, os.urandom(16384)) * 3)
            if not shares:
                client.retry_request()
            with pytest.raises(Closed) as raised:
                if shares:
                    client.server_flight()
                while True:
                    client.next_record()
            assert raised.value.alert == "unexpected_message"


@pytest.mark.parametrize("shares", [(X25519,), ()])
def test_empty_early_data(server, shares):
    """It is protected, and so no record of it is empty."""
    with Client13(server) as client:
        client.send_hello(early_hello(shares=shares), record(APPLICATION, b""))
        if not shares:
            client.retry_request()
        with pytest.raises(Closed) as raised:
            if shares:
                client.server_flight()
            while True:
                client.next_record()
        assert raised.value.alert == "unexpected_message"


def test_headers_of_early_data_count(server):
    with Client13(server) as client:
        client.send_hello(early_hello())
        client.server_flight()
        client.send(record(APPLICATION, b"x") * (32768 // 6))
        client.finish()
        assert client.answer().startswith("HTTP/1.1 200")
    with Client13(server) as client:
        client.send_hello(early_hello())
        ends_with(client, "unexpected_message", record(APPLICATION, b"x") * (32768 // 6 + 1))


def test_early_data_in_tls12(server):
    """A client that offers early data and gets an older version has failed (RFC 8446 section D.3)."""
    hello = Hello(tls12=True)
    hello.extensions |= {VERSIONS: vector(1, u16s(0x0305, 0x0303)), EARLY_DATA: b""}
    with Client12(server) as client:
        client.send_hello(hello, record(APPLICATION, os.urandom(100)))
        with pytest.raises(Closed) as raised:
            client.server_flight()
            client.next_record()
        assert raised.value.alert == "unexpected_message"


def test_early_data_where_none_was_announced(server):
    with Client13(server) as client:
        client.send_hello(Hello(), record(APPLICATION, os.urandom(100)))
        ends_with(client, "bad_record_mac")
    with Client13(server) as client:
        client.send_hello(Hello(shares=()), record(APPLICATION, os.urandom(100)))
        client.retry_request()
        with pytest.raises(Closed) as raised:
            while True:
                client.next_record()
        assert raised.value.alert == "unexpected_message"


def test_early_data_ends_with_what_can_be_decrypted(server):
    with Client13(server) as client:
        client.send_hello(early_hello(), record(APPLICATION, os.urandom(100)))
        client.server_flight()
        client.send(client.writer.seal(HANDSHAKE, b"\x0b\0\0\x10\0\0") + record(APPLICATION, os.urandom(100)))
        with pytest.raises(Closed) as raised:
            client.next_record()
        assert raised.value.alert == "bad_record_mac"


def test_early_data_ends_with_the_second_hello(server):
    first = early_hello(shares=())
    with Client13(server) as client:
        client.send_hello(first, record(APPLICATION, os.urandom(100)))
        client.send_hello(first.again(client.retry_request()))
        ends_with(client, "bad_record_mac", record(APPLICATION, os.urandom(100)))


# The server's name.

@pytest.mark.parametrize("tls12", [False, True])
def test_server_name_is_acknowledged(server, tls12):
    kind = Client12 if tls12 else Client13
    with kind(server) as client:
        assert served(client, Hello(tls12=tls12))[NAME] == b""
    hello = Hello(tls12=tls12)
    del hello.extensions[NAME]
    with kind(server) as client:
        assert NAME not in served(client, hello)


# Limits of records.

@pytest.mark.parametrize("limit", [64, 65, 511, 512, 1024, 16383, 16384, 16385, 65535])
@pytest.mark.parametrize("tls12", [False, True])
def test_record_size_limit(serve, host, pki, tls12, limit):
    server = serve([host("h.test", "report", server=pki.server("ecdsa-p256", "h.test"))])
    hello = Hello(tls12=tls12)
    hello.extensions[RECORD_SIZE_LIMIT] = u16s(limit)
    hello.extensions[MAX_FRAGMENT] = b"\1"  # which does not count beside it
    with (Client12 if tls12 else Client13)(server) as client:
        found = client.establish(hello).extensions
        assert found[RECORD_SIZE_LIMIT] == u16s(16384 if tls12 else 16385)
        assert MAX_FRAGMENT not in found
        text = client.answer("/large")
        assert text.startswith("HTTP/1.1 ")
        sizes = client.sizes[HANDSHAKE] + client.sizes[APPLICATION]
        assert max(sizes) <= limit
        if limit == 64:
            assert client.sizes[APPLICATION].count(64) > 1
            assert tls12 or client.sizes[HANDSHAKE].count(64) > 5


@pytest.mark.parametrize("code", [1, 2, 3, 4])
@pytest.mark.parametrize("tls12", [False, True])
def test_max_fragment_length(serve, host, pki, tls12, code):
    server = serve([host("h.test", "report", server=pki.server("rsa-4096", "h.test") if not tls12 else None)])
    hello = Hello(tls12=tls12)
    hello.extensions[MAX_FRAGMENT] = bytes([code])
    with (Client12 if tls12 else Client13)(server) as client:
        found = client.establish(hello).extensions
        assert found[MAX_FRAGMENT] == bytes([code]) and RECORD_SIZE_LIMIT not in found
        assert client.answer().startswith("HTTP/1.1 200")
        inner = 0 if tls12 else 1  # the byte of the content's type
        assert max(client.sizes[HANDSHAKE] + client.sizes[APPLICATION]) <= (256 << code) + inner
        assert max(client.clear_sizes) <= 256 << code


def test_limits_after_a_second_hello(server):
    first = Hello(shares=())
    first.extensions[RECORD_SIZE_LIMIT] = u16s(100)
    with Client13(server) as client:
        client.send_hello(first)
        client.send_hello(first.again(client.retry_request()))
        assert client.server_flight()[RECORD_SIZE_LIMIT] == u16s(16385)
        client.finish()
        assert client.answer().startswith("HTTP/1.1 200")
        assert max(client.sizes[HANDSHAKE] + client.sizes[APPLICATION]) <= 100


@pytest.mark.parametrize("tls12", [False, True])
@pytest.mark.parametrize("kind,content,alert", [
    (RECORD_SIZE_LIMIT, u16s(63), "illegal_parameter"), (RECORD_SIZE_LIMIT, u16s(0), "illegal_parameter"),
    (RECORD_SIZE_LIMIT, b"", "decode_error"), (RECORD_SIZE_LIMIT, b"\1", "decode_error"), (RECORD_SIZE_LIMIT, bytes(3), "decode_error"),
    (MAX_FRAGMENT, b"\0", "illegal_parameter"), (MAX_FRAGMENT, b"\5", "illegal_parameter"),
    (MAX_FRAGMENT, b"", "decode_error"), (MAX_FRAGMENT, b"\1\1", "decode_error")])
def test_limits_that_are_none(server, tls12, kind, content, alert):
    hello = Hello(tls12=tls12)
    hello.extensions[kind] = content
    assert alert_of(server, hello) == alert


# Tickets of other servers.

@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("lifetime", ["1h", "0s"])
def test_ticket_of_another_server(serve, host, mode, lifetime):
    server = serve([host("h.test", mode)], tickets={"lifetime": lifetime})
    expected = "HTTP/1.1 403" if mode == "enforce" else "HTTP/1.1 200"
    for size in (1, 31, 32, 33, 200, 334, 335, 900, 4000, 15000):
        hello = Hello()
        hello.extensions[SESSION_TICKET] = b""
        hello.offer_foreign_ticket(os.urandom(size))
        with Client13(server) as client:
            client.establish(hello)
            assert client.answer().startswith(expected), size
        hello = Hello(tls12=True)
        hello.extensions[SESSION_TICKET] = os.urandom(size)
        hello.session_id = os.urandom(32)
        with Client12(server) as client:
            client.establish(hello)
            assert client.answer().startswith(expected), size


def test_ticket_of_another_version_beside_tls13(server):
    hello = Hello()
    hello.extensions[SESSION_TICKET] = os.urandom(900)
    hello.extensions[VERSIONS] = vector(1, u16s(0x0304, 0x0303))
    with Client13(server) as client:
        served(client, hello)


@pytest.mark.parametrize("size", [32, 48, 64, 65, 255])
def test_binder_of_any_size(server, size):
    hello = Hello()
    hello.offer_foreign_ticket(os.urandom(100), os.urandom(size))
    with Client13(server) as client:
        served(client, hello)


def test_many_foreign_tickets(server):
    hello = Hello()
    hello.offer_foreign_ticket(b"")
    count = 100
    hello.extensions[PRE_SHARED_KEY] = (vector(2, b"".join(vector(2, os.urandom(60)) + bytes(4) for _ in range(count)))
                                        + vector(2, vector(1, bytes(32)) * count))
    with Client13(server) as client:
        served(client, hello)


def test_a_false_binder_for_a_ticket_of_ours(off_server):
    """RFC 8446 section 6.2: a PSK binder that does not hold is decrypt_error. Having seen a ticket is not enough to make one."""
    hello = Hello()
    hello.extensions[PSK_MODES] = vector(1, b"\1")
    with Client13(off_server) as client:
        client.establish(hello)
        session = client.session()
    resuming = Hello()
    resuming.extensions[PSK_MODES] = vector(1, b"\1")
    ticket, age = session.ticket, struct.pack(">I", (session.age_add + 100) % 2**32)
    for binder, alert in ((os.urandom(32), "decrypt_error"), (bytes(32), "decrypt_error")):
        resuming.extensions[PRE_SHARED_KEY] = vector(2, vector(2, ticket) + age) + vector(2, vector(1, binder))
        with Client13(off_server) as client:
            client.send_hello(resuming)
            with pytest.raises(Closed) as raised:
                client.server_flight()
            assert raised.value.alert == alert
    # With the ticket it is that the binder does not hold: any other is passed over.
    resuming.extensions[PRE_SHARED_KEY] = vector(2, vector(2, ticket[:-1]) + age) + vector(2, vector(1, bytes(32)))
    with Client13(off_server) as client:
        served(client, resuming)


# Resumption in TLS 1.2.

def resumable_hello(**changes):
    hello = Hello(tls12=True)
    hello.extensions[SESSION_TICKET] = b""
    hello.extensions |= changes.pop("extensions", {})
    return hello


@pytest.fixture
def off_server(serve, host):
    return serve([host("h.test", "off")])


def test_ticket_whose_suite_is_not_offered_any_more(off_server, pki):
    context = off_server.tls_client(None, "1.2")
    context.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
    with off_server.open(context, "h.test") as connection:
        connection.get()
        session = connection.tls.session
    context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    with off_server.open(context, "h.test", session) as connection:
        assert not connection.tls.session_reused
        assert connection.get()[0] == 200


def test_server_name_is_not_acknowledged_in_resumption_of_tls12(off_server):
    with Client12(off_server) as client:
        assert NAME in client.establish(resumable_hello()).extensions
        session = client.session()
    hello = resumable_hello()
    hello.offer(session)
    with Client12(off_server) as client:
        assert NAME not in client.establish(hello).extensions
        assert client.resumed
        assert client.answer().startswith("HTTP/1.1 200")


def test_max_fragment_length_holds_for_resumptions(off_server):
    """RFC 6066 section 4: it has to be offered again, or there is no resumption."""
    limited = {MAX_FRAGMENT: b"\1"}
    with Client12(off_server) as client:
        client.establish(resumable_hello(extensions=limited))
        session = client.session()
    for extensions, resumes in ((limited, True), ({}, False), ({MAX_FRAGMENT: b"\2"}, False)):
        hello = resumable_hello(extensions=extensions)
        hello.offer(session)
        with Client12(off_server) as client:
            client.establish(hello)
            assert client.resumed == resumes
            if resumes:
                assert client.extensions[MAX_FRAGMENT] == b"\1"
            assert client.answer().startswith("HTTP/1.1 200")
            if extensions:
                assert max(client.sizes[APPLICATION]) <= 256 << extensions[MAX_FRAGMENT][0]


# Clients that others wrote.

REQUEST = b"GET / HTTP/1.1\r\nHost: h.test\r\nConnection: close\r\n\r\n"


def s_client(server, *options):
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", "h.test", "-ign_eof",
               *map(str, options)]
    return subprocess.run(command, input=REQUEST, capture_output=True, timeout=20).stdout.decode("latin-1")


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_with_max_fragment_length(server, version):
    for length in (512, 1024, 2048, 4096):
        said = s_client(server, version, "-maxfraglen", length)
        assert "HTTP/1.1 200" in said, said


@pytest.mark.parametrize("version", ["VERS-TLS1.2", "VERS-TLS1.3"])
def test_gnutls_with_record_size_limit(server, version):
    for size in (512, 1000, 4096):
        command = ["gnutls-cli", "--insecure", "--sni-hostname", "h.test", "--recordsize", str(size), "--priority",
                   f"NORMAL:-VERS-ALL:+{version}", "-p", str(server.port), "127.0.0.1"]
        result = subprocess.run(command, input=REQUEST, capture_output=True, timeout=20)
        assert b"HTTP/1.1 200" in result.stdout, result


@pytest.fixture
def other_server(pki, tmp_path):
    """openssl s_server, whose tickets allow early data."""
    identity, port = pki.server("ecdsa-p256", "h.test"), free_port()
    command = ["openssl", "s_server", "-accept", str(port), "-cert", str(identity.chain), "-key", str(identity.key),
               "-early_data", "-max_early_data", "16384", "-num_tickets", "1"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.05)
    yield port
    process.kill()
    process.wait()


@pytest.mark.parametrize("retry", [False, True])
def test_openssl_moves_over_with_early_data(server, other_server, tmp_path, retry):
    """It comes with another server's ticket, and says its request at once, on the word of that ticket."""
    session, early = tmp_path / "session", tmp_path / "early"
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{other_server}", "-servername", "h.test", "-sess_out", session]
    first = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while not session.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    first.stdin.close()  # which ends it
    first.wait(10)
    assert session.exists()
    early.write_bytes(b"GET /early HTTP/1.1\r\nHost: h.test\r\n\r\n" + bytes(8000))
    groups = ["-groups", "X448:P-256"] if retry else []
    said = s_client(server, "-tls1_3", "-sess_in", session, "-early_data", early, *groups)
    assert "Early data was rejected" in said and "HTTP/1.1 200" in said, said
