"""Faults in TLS records and handshake messages: each gets the alert that its RFC names, once, before the connection ends."""

import pytest

from conftest import NO_SUSPECTS
from tls_client import Client12, Client13
from tls_hello import P256
from tls_wire import (AES, ALERT, APPLICATION, CERTIFICATE_REQUEST, CERTIFICATE_VERIFY, CHACHA, CHANGE_CIPHER_SPEC, CLIENT_KEY_EXCHANGE,
                      FINISHED, HANDSHAKE, KEY_UPDATE, message, record, vector)

HOST = "faults.test"


@pytest.fixture
def server(serve, host):
    return serve([host(HOST, "report"), host("off.test")], admission=NO_SUSPECTS)


@pytest.mark.parametrize("suite", [AES, CHACHA])
@pytest.mark.parametrize("client", [Client12, Client13])
def test_clients_by_hand_are_served(server, pki, client, suite):
    for entity in (None, pki.valid()):
        hand = client(server, HOST, entity, suite).establish()
        assert "200 OK" in hand.answer(), hand.seen


def flip(sealed, at=-1):
    changed = bytearray(sealed)
    changed[at] ^= 1
    return bytes(changed)


# ---- TLS 1.3. Each function gets a client and gives what it sends; the second is the alert.

# In place of the hello, with no keys: the guard's and wolfSSL's answers.
HELLOS13 = {
    "another type of record": (lambda c: record(APPLICATION, b"x"), None),
    "unknown type of record amid the hello": (lambda c: record(HANDSHAKE, c.hello.encode()[:20]) + record(24, b"x"), "unexpected_message"),
    "application data amid the hello": (lambda c: record(HANDSHAKE, c.hello.encode()[:20]) + record(23, b"x"), "unexpected_message"),
    "an empty record amid the hello": (lambda c: record(HANDSHAKE, c.hello.encode()[:20]) + record(HANDSHAKE, b""), "unexpected_message"),
    "a record of 16385 bytes": (lambda c: record(HANDSHAKE, c.hello.encode()[:1] + bytes(16384)), "record_overflow"),
    "a share of zeros": (lambda c: record(HANDSHAKE, c.hello.with_share(bytes(32)).encode()), "illegal_parameter"),
    "a share of one": (lambda c: record(HANDSHAKE, c.hello.with_share(b"\x01" + bytes(31)).encode()), "illegal_parameter"),
    "a share of low order": (lambda c: record(HANDSHAKE, c.hello.with_share(bytes.fromhex(
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")).encode()), "illegal_parameter"),
    "a point that is on no curve": (lambda c: record(HANDSHAKE, c.hello.with_share(b"\x04" + bytes(63) + b"\x01", P256).encode()),
                                    "illegal_parameter"),
    "a point of zeros": (lambda c: record(HANDSHAKE, c.hello.with_share(b"\x04" + bytes(64), P256).encode()), "illegal_parameter"),
    "a share too short": (lambda c: record(HANDSHAKE, c.hello.with_share(bytes(31)).encode()), "illegal_parameter"),
}


def test_tls13_hellos(server):
    for name, (send, alert) in HELLOS13.items():
        client = Client13(server, HOST)
        client.send(send(client))
        assert client.alerts() == ([alert] if alert else []), name
        assert all(kind == ALERT for kind, _ in client.seen), name


def plain13(kind, content):
    return lambda c: record(kind, content)


def sealed13(kind, content):
    return lambda c: c.sealed(kind, content)


# After the server's flight, with the keys of the handshake, in place of the client's flight.
FLIGHT13 = {
    "an unknown type of record": (plain13(24, b"x"), "unexpected_message"),
    "a type of record that is zero": (plain13(0, b"x"), "unexpected_message"),
    "a handshake message without protection": (plain13(HANDSHAKE, message(FINISHED, bytes(32))), "unexpected_message"),
    "an unknown type inside": (sealed13(24, b"x"), "unexpected_message"),
    "no type inside": (lambda c: c.writer.seal_inner(bytes(42)), "unexpected_message"),
    "nothing inside": (lambda c: c.writer.seal_inner(b""), "unexpected_message"),
    "less than a tag": (lambda c: record(APPLICATION, bytes(15)), "bad_record_mac"),
    "an empty protected record": (lambda c: record(APPLICATION, b""), "bad_record_mac"),
    "a wrong tag": (lambda c: flip(c.sealed(HANDSHAKE, c.certificate())), "bad_record_mac"),
    "a ciphertext of 16641 bytes": (lambda c: record(APPLICATION, bytes(16641)), "record_overflow"),
    "a ciphertext of 65535 bytes": (lambda c: record(APPLICATION, bytes(65535)), "record_overflow"),
    "a plaintext of 16385 bytes": (lambda c: c.sealed(HANDSHAKE, bytes(16385)), "record_overflow"),
    "padding to 16385 bytes": (lambda c: c.writer.seal(HANDSHAKE, c.certificate(), 16386 - 1 - len(c.certificate())),
                               "record_overflow"),
    "an empty handshake record": (sealed13(HANDSHAKE, b""), "unexpected_message"),
    "an empty alert": (sealed13(ALERT, b""), "unexpected_message"),
    "an alert of three bytes": (sealed13(ALERT, b"\x02\x00\x00"), "unexpected_message"),
    "application data": (sealed13(APPLICATION, b"GET / HTTP/1.1\r\n\r\n"), "unexpected_message"),
    "empty application data": (sealed13(APPLICATION, b""), "unexpected_message"),
    "a ChangeCipherSpec that is protected": (sealed13(CHANGE_CIPHER_SPEC, b"\x01"), "unexpected_message"),
    "a ChangeCipherSpec of two": (plain13(CHANGE_CIPHER_SPEC, b"\x02"), "unexpected_message"),
    "a ChangeCipherSpec of two bytes": (plain13(CHANGE_CIPHER_SPEC, b"\x01\x01"), "unexpected_message"),
    "an empty ChangeCipherSpec": (plain13(CHANGE_CIPHER_SPEC, b""), "unexpected_message"),
    "a second ChangeCipherSpec": (lambda c: record(CHANGE_CIPHER_SPEC, b"\x01") * 2, "unexpected_message"),
    "a ChangeCipherSpec amid a message": (lambda c: c.sealed(HANDSHAKE, c.certificate()[:9]) + record(CHANGE_CIPHER_SPEC, b"\x01"),
                                          "unexpected_message"),
    "application data amid a message": (lambda c: c.sealed(HANDSHAKE, c.certificate()[:9]) + c.sealed(APPLICATION, b"x"),
                                        "unexpected_message"),
    "a second hello": (lambda c: c.sealed(HANDSHAKE, c.hello.encode()), "unexpected_message"),
    "an unknown message": (sealed13(HANDSHAKE, message(99, b"x")), "unexpected_message"),
    "the server's message": (sealed13(HANDSHAKE, message(CERTIFICATE_REQUEST, bytes(3))), "unexpected_message"),
    "HelloRequest": (sealed13(HANDSHAKE, message(0, b"")), "unexpected_message"),
    "KeyUpdate": (sealed13(HANDSHAKE, message(KEY_UPDATE, b"\0")), "unexpected_message"),
    "Finished instead of Certificate": (lambda c: c.sealed(HANDSHAKE, c.finished()), "unexpected_message"),
    "CertificateVerify instead of Certificate": (lambda c: c.sealed(HANDSHAKE, c.certificate_verify()), "unexpected_message"),
    "Finished instead of CertificateVerify": (lambda c: c.sealed(HANDSHAKE, c.takes(c.certificate()) + c.finished()),
                                              "unexpected_message"),
    "two Certificates": (lambda c: c.sealed(HANDSHAKE, 2 * c.certificate()), "unexpected_message"),
    "a Certificate of 16 MiB": (sealed13(HANDSHAKE, message(11, b"\0" + b"\xff\xff\xf0" + b"x" * 40, 0xffffff)),
                                "illegal_parameter"),
    "a Certificate whose list is too long": (sealed13(HANDSHAKE, message(11, b"\0\0\0\x05abc")), "decode_error"),
    "a Certificate with bytes behind": (lambda c: c.sealed(HANDSHAKE, message(11, c.certificate()[4:] + b"x")), "decode_error"),
    "an empty Certificate": (sealed13(HANDSHAKE, message(11, b"")), "decode_error"),
    "a Certificate for another request": (sealed13(HANDSHAKE, message(11, b"\x01x\0\0\0")), "illegal_parameter"),
    "Finished of 16 MiB": (lambda c: c.sealed(HANDSHAKE, message(FINISHED, bytes(64), 0xffffff)), "decode_error"),
}


def verify13(change):
    """A flight up to CertificateVerify, whose body is changed."""

    def send(c):
        before = c.takes(c.certificate())
        return c.sealed(HANDSHAKE, before) + c.sealed(HANDSHAKE, message(CERTIFICATE_VERIFY, change(c.certificate_verify()[4:])))

    return send


def finish13(change):
    """A flight whose Finished is changed."""

    def send(c):
        parts = [c.takes(c.certificate()), c.takes(c.certificate_verify())]
        return c.sealed(HANDSHAKE, b"".join(parts)) + c.sealed(HANDSHAKE, change(c.finished()))

    return send


FLIGHT13 |= {
    "CertificateVerify without anything": (verify13(lambda body: b""), "decode_error"),
    "CertificateVerify of a scheme": (verify13(lambda body: body[:2]), "decode_error"),
    "CertificateVerify of a scheme and half a length": (verify13(lambda body: body[:3]), "decode_error"),
    "CertificateVerify that is cut": (verify13(lambda body: body[:-1]), "decode_error"),
    "CertificateVerify with a byte behind": (verify13(lambda body: body + b"x"), "decode_error"),
    "CertificateVerify with a wrong signature": (verify13(flip), "decrypt_error"),
    "CertificateVerify with an empty signature": (verify13(lambda body: body[:2] + b"\0\0"), "decrypt_error"),
    "CertificateVerify by a scheme that was not offered": (verify13(lambda body: b"\x02\x01" + body[2:]), "illegal_parameter"),
    "Finished that is wrong": (finish13(flip), "decrypt_error"),
    "Finished that is empty": (finish13(lambda whole: message(FINISHED, b"")), "decode_error"),
    "Finished that is cut": (finish13(lambda whole: message(FINISHED, whole[4:-1])), "decode_error"),
    "Finished that is longer": (finish13(lambda whole: message(FINISHED, whole[4:] + b"\0")), "decode_error"),
    "Finished that is much longer": (finish13(lambda whole: message(FINISHED, whole[4:] + bytes(16000))), "decode_error"),
    "Finished with another message in its record": (finish13(lambda whole: whole + message(KEY_UPDATE, b"\0")), "unexpected_message"),
}


def judge(cases, connect):
    wrong = {}
    for name, (send, alert) in cases.items():
        client = connect()
        client.seen.clear()
        client.send(send(client))
        got = client.alerts()
        if got != [alert]:
            wrong[name] = (got, alert, client.ended)
        client.close()
    assert wrong == {}


@pytest.mark.parametrize("suite", [AES, CHACHA])
def test_tls13_flights(server, pki, suite):
    judge(FLIGHT13, lambda: Client13(server, HOST, pki.valid(), suite).open())


# With the handshake complete.
AFTER13 = {
    "an unknown type of record": (plain13(24, b"x"), "unexpected_message"),
    "a handshake record without protection": (plain13(HANDSHAKE, message(KEY_UPDATE, b"\0")), "unexpected_message"),
    "an alert without protection": (plain13(ALERT, b"\x02\x28"), "unexpected_message"),
    "ChangeCipherSpec": (plain13(CHANGE_CIPHER_SPEC, b"\x01"), "unexpected_message"),
    "a wrong tag": (lambda c: flip(c.sealed(APPLICATION, b"x")), "bad_record_mac"),
    "a ciphertext of 16641 bytes": (lambda c: record(APPLICATION, bytes(16641)), "record_overflow"),
    "a plaintext of 16385 bytes": (lambda c: c.sealed(APPLICATION, bytes(16385)), "record_overflow"),
    "no type inside": (lambda c: c.writer.seal_inner(bytes(42)), "unexpected_message"),
    "nothing inside": (lambda c: c.writer.seal_inner(b""), "unexpected_message"),
    "an unknown type inside": (sealed13(24, b"x"), "unexpected_message"),
    "an empty alert": (sealed13(ALERT, b""), "unexpected_message"),
    "an empty handshake record": (sealed13(HANDSHAKE, b""), "unexpected_message"),
    "an empty KeyUpdate": (sealed13(HANDSHAKE, message(KEY_UPDATE, b"")), "decode_error"),
    "a KeyUpdate of two bytes": (sealed13(HANDSHAKE, message(KEY_UPDATE, b"\0\0")), "decode_error"),
    "a KeyUpdate of 16 MiB": (sealed13(HANDSHAKE, message(KEY_UPDATE, b"\0", 0xffffff)), "decode_error"),
    "a KeyUpdate of two": (sealed13(HANDSHAKE, message(KEY_UPDATE, b"\x02")), "illegal_parameter"),
    "a KeyUpdate of 255": (sealed13(HANDSHAKE, message(KEY_UPDATE, b"\xff")), "illegal_parameter"),
    "two KeyUpdates in one record": (sealed13(HANDSHAKE, 2 * message(KEY_UPDATE, b"\0")), "unexpected_message"),
    "a KeyUpdate and a byte of another": (sealed13(HANDSHAKE, message(KEY_UPDATE, b"\0") + b"\x18"), "unexpected_message"),
    "a KeyUpdate whose end has another behind it": (
        lambda c: c.sealed(HANDSHAKE, b"\x18\0") + c.sealed(HANDSHAKE, b"\0\x01\0" + message(KEY_UPDATE, b"\0")), "unexpected_message"),
    "application data amid a KeyUpdate": (lambda c: c.sealed(HANDSHAKE, b"\x18\0\0") + c.sealed(APPLICATION, b"GET"),
                                          "unexpected_message"),
    "a hello": (lambda c: c.sealed(HANDSHAKE, c.hello.encode()), "unexpected_message"),
    "Finished": (lambda c: c.sealed(HANDSHAKE, c.finished()), "unexpected_message"),
    "a Certificate": (lambda c: c.sealed(HANDSHAKE, c.certificate()), "unexpected_message"),
    "a session ticket": (sealed13(HANDSHAKE, message(4, bytes(20))), "unexpected_message"),
}


def test_tls13_after_the_handshake(server, pki):
    judge(AFTER13, lambda: Client13(server, HOST, pki.valid()).establish())


# ---- TLS 1.2

def verify12(change):
    def send(c):
        parts = [c.takes(c.certificate()), c.takes(c.key_exchange())]
        return record(HANDSHAKE, b"".join(parts)) + record(HANDSHAKE, message(CERTIFICATE_VERIFY, change(c.certificate_verify()[4:])))

    return send


def exchange12(change):
    return lambda c: record(HANDSHAKE, c.takes(c.certificate())) + record(HANDSHAKE, change(c.key.public))


def finish12(send_in_place):
    """A flight up to ChangeCipherSpec, and then something else than Finished."""

    def send(c):
        before = b"".join(record(HANDSHAKE, part) for part in c.before_finished()) + c.change_cipher_spec()
        return before + send_in_place(c)

    return send


FLIGHT12 = {
    "an unknown type of record": (plain13(24, b"x"), "unexpected_message"),
    "an empty handshake record": (plain13(HANDSHAKE, b""), "unexpected_message"),
    "an empty alert": (plain13(ALERT, b""), "unexpected_message"),
    "an alert of another level": (plain13(ALERT, b"\x03\x5a"), "illegal_parameter"),
    "application data": (plain13(APPLICATION, b"hello"), "unexpected_message"),
    "empty application data": (plain13(APPLICATION, b""), "unexpected_message"),
    "a record of TLS 1.1": (lambda c: record(HANDSHAKE, c.certificate(), b"\x03\x02"), "protocol_version"),
    "a record of 16385 bytes": (lambda c: record(HANDSHAKE, message(11, bytes(16381))), "record_overflow"),
    "a record of 20000 bytes": (lambda c: record(HANDSHAKE, message(11, bytes(19996))), "record_overflow"),
    "ChangeCipherSpec first": (plain13(CHANGE_CIPHER_SPEC, b"\x01"), "unexpected_message"),
    "a ChangeCipherSpec of two": (plain13(CHANGE_CIPHER_SPEC, b"\x02"), "unexpected_message"),
    "a ChangeCipherSpec of two bytes": (plain13(CHANGE_CIPHER_SPEC, b"\x01\x01"), "unexpected_message"),
    "an empty ChangeCipherSpec": (plain13(CHANGE_CIPHER_SPEC, b""), "unexpected_message"),
    "ChangeCipherSpec before CertificateVerify": (
        lambda c: record(HANDSHAKE, c.certificate() + c.key_exchange()) + record(CHANGE_CIPHER_SPEC, b"\x01"), "unexpected_message"),
    "ChangeCipherSpec amid a message": (lambda c: record(HANDSHAKE, c.certificate()[:7]) + record(CHANGE_CIPHER_SPEC, b"\x01"), "unexpected_message"),
    "a second hello": (lambda c: record(HANDSHAKE, c.hello.encode()), "unexpected_message"),
    "an unknown message": (plain13(HANDSHAKE, message(99, b"x")), "unexpected_message"),
    "KeyUpdate": (plain13(HANDSHAKE, message(KEY_UPDATE, b"\0")), "unexpected_message"),
    "HelloRequest": (plain13(HANDSHAKE, message(0, b"")), "unexpected_message"),
    "the server's message": (plain13(HANDSHAKE, message(14, b"")), "unexpected_message"),
    "key exchange instead of Certificate": (lambda c: record(HANDSHAKE, c.key_exchange()), "unexpected_message"),
    "CertificateVerify before the key exchange": (lambda c: record(HANDSHAKE, c.takes(c.certificate()) + c.certificate_verify()),
                                                  "unexpected_message"),
    "two Certificates": (lambda c: record(HANDSHAKE, 2 * c.certificate()), "unexpected_message"),
    "two key exchanges": (lambda c: record(HANDSHAKE, c.certificate() + 2 * c.key_exchange()), "unexpected_message"),
    "Finished without protection": (lambda c: record(HANDSHAKE, c.certificate() + c.key_exchange() + message(FINISHED, bytes(12))),
                                    "unexpected_message"),
    "a Certificate of 16 MiB": (plain13(HANDSHAKE, message(11, b"\xff\xff\xf0" + b"x" * 40, 0xffffff)), "illegal_parameter"),
    "a Certificate whose list is too long": (plain13(HANDSHAKE, message(11, b"\0\0\x05abc")), "decode_error"),
    "a Certificate whose list is too short": (plain13(HANDSHAKE, message(11, b"\0\0\x00abc")), "decode_error"),
    "a Certificate without a list": (plain13(HANDSHAKE, message(11, b"\0\0")), "decode_error"),
    "an empty key exchange": (exchange12(lambda share: message(CLIENT_KEY_EXCHANGE, b"")), "decode_error"),
    "a key exchange with an empty share": (exchange12(lambda share: message(CLIENT_KEY_EXCHANGE, b"\0")), "decode_error"),
    "a key exchange that is cut": (exchange12(lambda share: message(CLIENT_KEY_EXCHANGE, vector(1, share)[:-1])), "decode_error"),
    "a key exchange with a byte behind": (exchange12(lambda share: message(CLIENT_KEY_EXCHANGE, vector(1, share) + b"x")),
                                          "decode_error"),
    "a key exchange of 16 MiB": (exchange12(lambda share: message(CLIENT_KEY_EXCHANGE, vector(1, share), 0xffffff)), "decode_error"),
    "a share too short": (exchange12(lambda share: message(CLIENT_KEY_EXCHANGE, vector(1, share[:-1]))), "illegal_parameter"),
    "a share too long": (exchange12(lambda share: message(CLIENT_KEY_EXCHANGE, vector(1, share + b"x"))), "illegal_parameter"),
    "a share of zeros": (exchange12(lambda share: message(CLIENT_KEY_EXCHANGE, vector(1, bytes(32)))), "illegal_parameter"),
    "a share of one": (exchange12(lambda share: message(CLIENT_KEY_EXCHANGE, vector(1, b"\x01" + bytes(31)))), "illegal_parameter"),
    "CertificateVerify without anything": (verify12(lambda body: b""), "decode_error"),
    "CertificateVerify of a scheme": (verify12(lambda body: body[:2]), "decode_error"),
    "CertificateVerify of a scheme and half a length": (verify12(lambda body: body[:3]), "decode_error"),
    "CertificateVerify that is cut": (verify12(lambda body: body[:-1]), "decode_error"),
    "CertificateVerify with a byte behind": (verify12(lambda body: body + b"x"), "decode_error"),
    "CertificateVerify with a wrong signature": (verify12(flip), "decrypt_error"),
    "CertificateVerify with an empty signature": (verify12(lambda body: body[:2] + b"\0\0"), "decrypt_error"),
    "CertificateVerify with a signature of one byte": (verify12(lambda body: body[:2] + b"\0\x01\xac"), "decrypt_error"),
    "CertificateVerify by a scheme that was not offered": (verify12(lambda body: b"\x01\x01" + body[2:]), "illegal_parameter"),
    "application data instead of Finished": (finish12(lambda c: c.sealed(APPLICATION, b"GET / HTTP/1.1\r\n\r\n")), "unexpected_message"),
    "an unprotected Finished": (finish12(lambda c: record(HANDSHAKE, c.finished())), "bad_record_mac"),
    "a second ChangeCipherSpec": (finish12(lambda c: c.sealed(CHANGE_CIPHER_SPEC, b"\x01")), "unexpected_message"),
    "a wrong tag": (finish12(lambda c: flip(c.sealed(HANDSHAKE, c.finished()))), "bad_record_mac"),
    "less than a tag": (finish12(lambda c: record(HANDSHAKE, bytes(15))), "bad_record_mac"),
    "Finished that is wrong": (finish12(lambda c: c.sealed(HANDSHAKE, flip(c.finished()))), "decrypt_error"),
    "Finished that is cut": (finish12(lambda c: c.sealed(HANDSHAKE, message(FINISHED, bytes(11)))), "decode_error"),
    "Finished that is longer": (finish12(lambda c: c.sealed(HANDSHAKE, message(FINISHED, bytes(13)))), "decode_error"),
    "Finished of 16 MiB": (finish12(lambda c: c.sealed(HANDSHAKE, message(FINISHED, bytes(12), 0xffffff))), "decode_error"),
    "a hello instead of Finished": (finish12(lambda c: c.sealed(HANDSHAKE, c.hello.encode())), "unexpected_message"),
    "a key exchange instead of Finished": (finish12(lambda c: c.sealed(HANDSHAKE, c.key_exchange())), "unexpected_message"),
}


@pytest.mark.parametrize("suite", [AES, CHACHA])
def test_tls12_flights(server, pki, suite):
    judge(FLIGHT12, lambda: Client12(server, HOST, pki.valid(), suite).open())


AFTER12 = {
    "an unknown type of record": (plain13(24, b"x"), "unexpected_message"),
    "ChangeCipherSpec": (sealed13(CHANGE_CIPHER_SPEC, b"\x01"), "unexpected_message"),
    "a key exchange": (lambda c: c.sealed(HANDSHAKE, c.key_exchange()), "unexpected_message"),
    "a hello": (lambda c: c.sealed(HANDSHAKE, c.hello.encode()), "unexpected_message"),
    "Finished": (lambda c: c.sealed(HANDSHAKE, message(FINISHED, bytes(12))), "unexpected_message"),
    "a wrong tag": (lambda c: flip(c.sealed(APPLICATION, b"GET /")), "bad_record_mac"),
    "an empty ciphertext": (plain13(APPLICATION, b""), "bad_record_mac"),
    "less than a tag": (plain13(APPLICATION, bytes(15)), "bad_record_mac"),
    "a plaintext of 16385 bytes": (lambda c: c.sealed(APPLICATION, bytes(16385)), "record_overflow"),
    "a plaintext of 17409 bytes": (lambda c: c.sealed(APPLICATION, bytes(17409)), "record_overflow"),
    "a ciphertext of 65535 bytes": (plain13(APPLICATION, bytes(65535)), "record_overflow"),
    "an alert of one byte": (sealed13(ALERT, b"\x01"), "unexpected_message"),
    "a record of TLS 1.1": (lambda c: c.writer.seal(APPLICATION, b"GET /", b"\x03\x02"), "protocol_version"),
}


@pytest.mark.parametrize("suite", [AES, CHACHA])
def test_tls12_after_the_handshake(server, pki, suite):
    judge(AFTER12, lambda: Client12(server, HOST, pki.valid(), suite).establish())
