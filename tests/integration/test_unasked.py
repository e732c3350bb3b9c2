"""Messages that a server has not asked for, or not yet, or not any more: each gets unexpected_message and the end."""

import os
import time

import pytest

from conftest import NO_SUSPECTS
import proofs
from cryptography.hazmat.primitives.asymmetric import rsa
from make_der import NULL, bits, integer, oid, seq
from pki import rsa_key
from tls_client import CLIENTS, Client12, Client13
from tls_hello import PSK_MODES, SESSION_TICKET
from tls_wire import (CHANGE_CIPHER_SPEC, CLIENT_HELLO, CLIENT_KEY_EXCHANGE, FINISHED, HELLO_REQUEST, certificate_message,
                      certificate_message12, certificate_verify, message, record)

EMPTY = object()


@pytest.fixture
def server(serve, host):
    return serve([host("off.test"), host("r.test", "report")], admission=NO_SUSPECTS)


@pytest.fixture(scope="module")
def dear(corpus_root):
    """A certificate whose key would take a quarter of a second: 8,192 bits, and an exponent as long."""
    modulus, exponent = (int.from_bytes(os.urandom(1024), "big") | 1 << 8191 | 1 for _ in range(2))
    public = seq(seq(oid("1.2.840.113549.1.1.1"), NULL), bits(seq(integer(modulus), integer(exponent >> 1 | 1))))
    return corpus_root.leaf("dear", public)


def signed(scheme=0x0403, size=72):
    return certificate_verify(scheme, bytes(size))


# Messages that a server never gets, in either version.
NEVER = {
    "HelloRequest": message(HELLO_REQUEST), "ServerHello": message(2, bytes(70)), "NewSessionTicket": message(4, bytes(20)),
    "EndOfEarlyData": message(5), "HelloRetryRequest": message(6, bytes(40)), "EncryptedExtensions": message(8, b"\0\0"),
    "ServerKeyExchange": message(12, bytes(40)), "CertificateRequest": message(13, bytes(8)), "ServerHelloDone": message(14),
    "CertificateStatus": message(22, b"\1\0\0\1\0"), "KeyUpdate": message(24, b"\0"), "message_hash": message(254, bytes(32)),
    "unknown": message(99, b"x"),
}


@pytest.mark.parametrize("name", NEVER)
@pytest.mark.parametrize("host_name", ["off.test", "r.test"])
def test_what_no_client_sends_13(server, host_name, name):
    with Client13(server, host_name) as client:
        client.open()
        client.send_messages(NEVER[name])
        assert client.alerts() == ["unexpected_message"]


@pytest.mark.parametrize("name", NEVER)
@pytest.mark.parametrize("host_name", ["off.test", "r.test"])
def test_what_no_client_sends_12(server, host_name, name):
    with Client12(server, host_name) as client:
        client.open()
        client.send_messages(NEVER[name])
        assert client.alerts() == ["unexpected_message"]


def cases_13(ders):
    some, none = certificate_message(ders), certificate_message([])
    return {
        "off.test": {"certificate": [some], "no certificates": [none], "proof": [signed()], "both": [some, signed(0x0804, 1024)]},
        "r.test": {
            "proof first": [signed()], "proof of nothing": [none, signed()], "two": [some, some], "two without": [none, none],
            "a second after none": [none, some], "ClientHello": [message(CLIENT_HELLO, bytes(40))],
            "ClientHello after Certificate": [none, message(CLIENT_HELLO, bytes(40))],
            "ClientKeyExchange": [message(CLIENT_KEY_EXCHANGE, bytes(33))],
        },
    }


@pytest.mark.parametrize("host_name, name", [(h, n) for h, of in cases_13([b"x"]).items() for n in of])
def test_nobody_asked_13(server, dear, host_name, name):
    with Client13(server, host_name) as client:
        client.open()
        client.send_messages(*cases_13([dear])[host_name][name])
        assert client.alerts() == ["unexpected_message"]


@pytest.mark.parametrize("host_name", ["off.test", "r.test"])
@pytest.mark.parametrize("name", ["certificate", "proof", "finished", "ClientHello"])
def test_after_the_handshake_13(server, dear, host_name, name):
    with Client13(server, host_name) as client:
        client.establish()
        assert client.asked == (host_name == "r.test")
        client.send_messages({"certificate": certificate_message([dear]), "proof": signed(), "finished": message(FINISHED, bytes(32)),
                              "ClientHello": message(CLIENT_HELLO, bytes(40))}[name])
        assert client.alerts() == ["unexpected_message"]


@pytest.mark.parametrize("mode", ["off", "report", "enforce"])
@pytest.mark.parametrize("name", ["certificate", "no certificates", "proof"])
def test_in_a_session_that_resumes_13(serve, host, pki, dear, mode, name):
    server = serve([host("x.test", mode)], admission=NO_SUSPECTS)
    with Client13(server, "x.test", pki.valid() if mode == "enforce" else None) as first:
        first.hello.extensions[PSK_MODES] = b"\1\1"
        session = first.establish().session()
        assert "200 OK" in first.answer()
    with Client13(server, "x.test") as client:
        client.hello.offer(session)
        assert client.open().resumed
        client.send_messages({"certificate": certificate_message([dear]), "proof": signed(),
                              "no certificates": certificate_message([])}[name])
        assert client.alerts() == ["unexpected_message"]


def cases_12(ders):
    some, none = certificate_message12(ders), certificate_message12([])
    exchange = EMPTY  # the client's own
    return {
        "off.test": {
            "certificate": [some], "no certificates": [none], "proof": [signed()], "proof after the exchange": [exchange, signed()],
            "two exchanges": [exchange, exchange], "certificate after the exchange": [exchange, some],
            "ClientHello": [message(CLIENT_HELLO, bytes(40))], "finished": [exchange, message(FINISHED, bytes(12))],
        },
        "r.test": {
            "proof first": [signed()], "proof before the exchange": [some, signed()], "proof of nothing": [none, exchange, signed()],
            "two": [some, some], "a second after none": [none, some], "two exchanges": [none, exchange, exchange],
            "no certificate": [exchange], "certificate after the exchange": [none, exchange, some],
            "exchange after the proof": [some, exchange, signed(0x0401, 1024), exchange],
        },
    }


@pytest.mark.parametrize("host_name, name", [(h, n) for h, of in cases_12([b"x"]).items() for n in of])
def test_nobody_asked_12(server, dear, host_name, name):
    with Client12(server, host_name) as client:
        client.open()
        assert client.asked == (host_name == "r.test")
        client.send_messages(*[client.key_exchange() if one is EMPTY else one for one in cases_12([dear])[host_name][name]])
        assert client.alerts() == ["unexpected_message"]


@pytest.mark.parametrize("host_name", ["off.test", "r.test"])
@pytest.mark.parametrize("name", ["certificate", "proof", "exchange", "finished"])
def test_after_the_handshake_12(server, dear, host_name, name):
    with Client12(server, host_name) as client:
        client.establish()
        client.send_messages({"certificate": certificate_message12([dear]), "proof": signed(), "exchange": client.key_exchange(),
                              "finished": message(FINISHED, bytes(12))}[name])
        assert client.alerts() == ["unexpected_message"]


@pytest.mark.parametrize("mode", ["off", "report"])
@pytest.mark.parametrize("name", ["certificate", "proof", "exchange"])
def test_in_a_session_that_resumes_12(serve, host, dear, mode, name):
    server = serve([host("x.test", mode)], admission=NO_SUSPECTS)
    with Client12(server, "x.test") as first:
        first.hello.extensions[SESSION_TICKET] = b""
        session = first.establish().session()
    with Client12(server, "x.test") as client:
        client.hello.offer(session)
        assert client.open().resumed
        point = message(CLIENT_KEY_EXCHANGE, b"\x20" + os.urandom(32))
        client.send_messages({"certificate": certificate_message12([dear]), "proof": signed(), "exchange": point}[name])
        assert client.alerts() == ["unexpected_message"]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_certificate_without_its_proof(server, corpus_root, dear, version):
    """Whether anything could be proved with its key or not."""
    for leaf in (corpus_root.leaf("one"), dear):
        with CLIENTS[version](server, "r.test") as client:
            client.open()
            client.send_messages(client.certificate([leaf]))
            if version == "1.3":
                client.send_messages(client.finished())
            else:
                client.send_messages(client.key_exchange())
                client.send(record(CHANGE_CIPHER_SPEC, b"\1"))
            assert client.alerts() == ["unexpected_message"]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("after", [False, True])
def test_a_certificate_of_no_bytes(server, corpus_root, version, after):
    key = rsa_key(2048)
    ders = [corpus_root.leaf("one", key), b""] if after else [b""]
    outcome = proofs.present(version, server, "r.test", ders, key, 0x0804)
    assert outcome.alert == "decode_error"


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_key_that_would_be_dear_costs_nothing(server, dear, version):
    """Asked for or not: no arithmetic with a number that a stranger has chosen at will."""
    key = rsa.generate_private_key(65537, 1024)
    before = server.metric("sallyport_handshake_work_seconds_total")
    begun = time.monotonic()
    for _ in range(20):
        outcome = proofs.present(version, server, "r.test", [dear], key, 0x0401, signature=bytes(1024))
        assert outcome.seen("X-Client-Cert-Status") == ["invalid"]
    work = server.metric("sallyport_handshake_work_seconds_total") - before
    assert work < 20 * 0.02 or time.monotonic() - begun > 10, f"{work / 20 * 1000:.1f} ms each"


# The first bytes of a message: its type and a size that could be right.
HEADERS = {"certificate": b"\x0b\x01\x03\xf8", "proof": b"\x0f\x00\x3f\xf0", "ClientHello": b"\x01\x00\x3f\xf0",
           "exchange": b"\x10\x00\x03\xf0", "KeyUpdate": b"\x18\x00\x00\x01"}


@pytest.mark.parametrize("host_name, name", [(h, n) for h in ("off.test", "r.test") for n in HEADERS
                                             if (h, n) != ("r.test", "certificate")])
def test_a_header_is_enough_13(server, host_name, name):
    with Client13(server, host_name) as client:
        client.open()
        client.send_messages(HEADERS[name])
        assert client.alerts() == ["unexpected_message"]


@pytest.mark.parametrize("host_name, name", [(h, n) for h in ("off.test", "r.test") for n in HEADERS
                                             if n != "exchange" and (h, n) != ("r.test", "certificate")])
def test_a_header_is_enough_12(server, host_name, name):
    with Client12(server, host_name) as client:
        client.open()
        client.send_messages(HEADERS[name])
        assert client.alerts() == ["unexpected_message"]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_header_of_a_second_certificate_is_enough(server, version):
    with CLIENTS[version](server, "r.test") as client:
        client.open()
        client.send_messages(client.certificate([]), HEADERS["certificate"])
        assert client.alerts() == ["unexpected_message"]
