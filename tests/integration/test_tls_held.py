"""Handshake messages that come in part: a server keeps no more of them than has come, and no more than is allowed."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from conftest import settled, wait_for
from tls_client import Client12, Client13, Closed
from tls_wire import APPLICATION, CERTIFICATE, HANDSHAKE, cut, message, record, vector

HOST = "held.test"
CLIENTS = pytest.mark.parametrize("client", [Client12, Client13])
MEASURED = pytest.mark.measured


@pytest.fixture
def serving(serve, host):
    def start(**limits):
        return serve([host(HOST, "report", forward={"headers": {"X-Client-Cert-Reason": "reason"}})],
                     limits={"connections": 4096, "handshake_timeout": "5m", **limits}, shards=1,
                     admission={"allow": ["127.0.0.1/32"]})

    return start


def certificates(hand, sizes):
    """A Certificate message of so many bytes each, none of them a certificate."""
    return hand.certificate([bytes(size) for size in sizes])


@pytest.fixture
def begin():
    """begin(server, client, count): so many connections on which the server's flight has come; closed at the end."""
    begun = []

    def start(server, client, count):
        hands = [client(server, HOST).open() for _ in range(count)]
        begun.extend(hands)
        return hands

    yield start
    for hand in begun:
        hand.close()


def send(hand, data):
    """In records of a kilobyte."""
    hand.send(*(hand.sealed(HANDSHAKE, part) for part in cut(data, 1024)))


def growth_kib(server, hands, data):
    """By how much the server grows while each of them has sent what `data` gives, and nothing else."""
    received = lambda: server.metric("sallyport_received_bytes_total")
    settled(received)
    before = server.rss_kib()
    for hand in hands:
        send(hand, data(hand))
    server.wait_until_read()
    settled(received)
    return server.rss_kib() - before


def least_growth_kib(server, begin, client, data):
    """
    Of a hundred clients, while they are there: each time a hundred more, until the server grows by little. It uses receive
    buffers too, for the first time, more of them the busier the machine is; what it keeps of clients it keeps each time.
    """
    growths = []
    while len(growths) < 5 and (not growths or min(growths) > 100 * 12):
        growths.append(growth_kib(server, begin(server, client, 100), data))
        assert server.metric("sallyport_connections") == 100 * len(growths)
    return min(growths), growths


@MEASURED
@CLIENTS
def test_a_chain_is_kept_up_to_its_limit(serving, begin, client):
    """66 KB each, whatever the limit was: with two, so much less."""
    server = serving(certificate_chain_size="2KiB")
    least, growths = least_growth_kib(server, begin, client, lambda hand: certificates(hand, [500] + 40 * [1500])[:-10])
    assert least < 100 * 12, growths
    assert server.metric("sallyport_rejected_total", stage="handshake") == 0


@MEASURED
def test_what_is_dropped_of_a_chain_is_not_kept_for_a_proof(serving, begin):
    """In TLS 1.2 a proof by Ed25519 needs the whole handshake: but not of a chain that is too large in any case."""
    server = serving(certificate_chain_size="2KiB")
    oid = b"\x06\x03\x2b\x65\x70"
    least, growths = least_growth_kib(server, begin, Client12, lambda hand: hand.certificate([oid * 100] + 40 * [bytes(1500)])[:-10])
    assert least < 100 * 12, growths


@MEASURED
@CLIENTS
def test_what_all_of_them_hold_is_bounded(serving, begin, client):
    """A leaf is kept in any case; then the oldest have to go, and are counted."""
    growths = []
    while len(growths) < 4 and (not growths or min(growths) > 26 * 1024):
        server = serving()
        hands = begin(server, client, 600)
        growths.append(growth_kib(server, hands, lambda hand: certificates(hand, [60000])[:-10]))
        # Those that say too much while the machine is busy have gone before they held as much.
        gone = settled(lambda: sum(server.metric("sallyport_rejected_total", stage="handshake", reason=reason)  # noqa: B023
                                   for reason in ("evicted", "too_large")))
        assert 400 < gone <= 600
        wait_for(lambda: server.metric("sallyport_connections") == 600 - gone)  # noqa: B023
        with pytest.raises(Closed):
            hands[0].next_record()
        assert hands[0].ended == "reset"
    # 36 MB. Copies on the way leave holes in the 8 that are allowed, and receive buffers are used: how many depends on how busy
    # the machine is (8 to 28 MB in ten runs of one binary), so the lowest growth tells what is held.
    assert min(growths) < 26 * 1024, growths


@pytest.fixture(scope="module")
def wordy(pki, tmp_path_factory):
    """A file of 48 roots, whose names take almost as much as a CertificateRequest may."""
    path = tmp_path_factory.mktemp("wordy") / "roots.pem"
    units = [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, letter * 60) for letter in "abcd"]
    names = [x509.Name([*units, x509.NameAttribute(NameOID.COMMON_NAME, f"root {i}")]) for i in range(48)]
    extensions = [(x509.BasicConstraints(ca=True, path_length=None), True)]
    roots = [pki.build(name, pki.root.private, extensions=extensions) for name in names]
    path.write_bytes(b"".join(root.public_bytes(Encoding.PEM) for root in roots))
    return path


def test_what_the_server_has_said_is_not_held_against_its_clients(serve, host, wordy):
    """In TLS 1.2 the whole handshake is kept for its proof. With the names of many CAs most of it is the server's own."""
    server = serve([host(HOST, "report", ca=[str(wordy)])], limits={"connections": 4096, "handshake_timeout": "5m"}, shards=1,
                   admission={"allow": ["127.0.0.1/32"]})
    hands = [Client12(server, HOST).open() for _ in range(700)]
    assert sum(len(each) for _, each in hands[0].seen) > 14000
    hands.append(Client12(server, HOST).open())
    assert server.metric("sallyport_rejected_total", stage="handshake", reason="evicted") == 0
    assert "200 OK" in Client12(server, HOST).establish().answer()
    for hand in hands:
        hand.close()


def long_chain(pki, client, strangers):
    """One certificate that leads to the root, and others behind it."""
    return [client.der, pki.intermediate.der, *(each.der for each in strangers)]


@pytest.fixture(scope="module")
def strangers(pki):
    """Five certificates of 10 KB."""
    padding = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.2"), bytes(10000))
    return [pki.client(extra=[(padding, False)], key=pki.valid().private) for _ in range(5)]


@CLIENTS
@pytest.mark.parametrize("limit", ["1KiB", "16KiB"])
@pytest.mark.parametrize("size", [700, 1024, 16000])
def test_a_chain_above_the_limit_gets_its_verdict(serving, pki, strangers, client, limit, size):
    """However it is cut: its client is told by HTTP, as by an alert it would not be."""
    server = serving(certificate_chain_size=limit)
    hand = client(server, HOST, pki.valid()).open()
    hand.ders += [each.der for each in strangers]
    assert len(hand.certificate()) > 50000
    hand.complete(*(hand.sealed(HANDSHAKE, part) for part in cut(b"".join(hand.before_finished()), size)))
    assert "X-Client-Cert-Reason: too_large" in hand.answer(), hand.seen


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("kind", ["ecdsa-p256", "ed25519", "rsa-2048"])
def test_a_leaf_above_the_limit_gets_its_verdict(serving, pki, version, kind):
    server = serving()
    padding = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.2"), bytes(40000))
    client = pki.client(kind, extra=[(padding, False)])
    assert server.curl(HOST, cert=client.bundle, version=version).seen("X-Client-Cert-Reason") == ["too_large"]
    # And one that is cut behind its leaf, which in TLS 1.2 may need the whole handshake for its proof.
    client = pki.client(kind)
    client.bundle.write_bytes(client.cert.read_bytes() + pki.intermediate.cert.read_bytes()
                              + pki.client(extra=[(padding, False)], key=pki.valid().private).cert.read_bytes()
                              + client.key.read_bytes())
    assert server.curl(HOST, cert=client.bundle, version=version).seen("X-Client-Cert-Reason") == ["too_large"]


@CLIENTS
def test_a_chain_above_the_limit_without_a_leaf_is_malformed(serving, client):
    """The first certificate is longer than its message."""
    server = serving()
    hand = client(server, HOST).open()
    body = (b"\0" if client is Client13 else b"") + vector(3, b"\x00\xff\xff" + bytes(40000))
    send(hand, message(CERTIFICATE, body))
    assert hand.alerts() == ["decode_error"]


# ---- After the handshake

# Of 66,552 bytes, and of the 16 KB that others may have: what a client sends in its handshake alone.
HEADERS = {"Certificate": b"\x0b\x01\x03\xf8", "ClientHello": b"\x01\x00\x3f\xf0", "CertificateVerify": b"\x0f\x00\x3f\xf0",
           "ClientKeyExchange": b"\x10\x00\x03\xf0", "Finished": b"\x14\x00\x00\x20"}


@CLIENTS
@pytest.mark.parametrize("name", HEADERS)
def test_nothing_is_collected_after_the_handshake(serving, client, name):
    """A message that cannot become a good one is refused by its header."""
    hand = client(serving(), HOST).establish()
    hand.send(hand.sealed(HANDSHAKE, HEADERS[name]))
    assert hand.alerts()[-1:] == ["unexpected_message"]


@MEASURED
def test_what_established_connections_hold_of_records_is_bounded(serving):
    """32 MiB for those that are not valid: then the oldest have to go, and are counted."""
    server = serving(request_header_timeout="10m")
    hands = [Client13(server, HOST).establish() for _ in range(2300)]
    for hand in hands:
        hand.send(record(APPLICATION, bytes(16400))[:-10])
    server.wait_until_read()
    gone = settled(lambda: server.metric("sallyport_rejected_total", stage="request", reason="evicted"))
    assert 200 < gone < 500
    wait_for(lambda: server.metric("sallyport_connections") == 2300 - gone)
    for hand in hands:
        hand.close()


@CLIENTS
def test_what_is_held_of_a_record_is_given_back(serving, client):
    """Records in part that are completed hold nothing, however many there are."""
    server = serving()
    hand = client(server, HOST).establish()
    body = bytes(16000)
    hand.send(hand.sealed(APPLICATION, f"POST /body HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {200 * len(body)}\r\n"
                                       "Connection: close\r\n\r\n".encode()))
    for _ in range(200):
        for part in cut(hand.sealed(APPLICATION, body), 10000):
            hand.send(part)
    hand.alerts()
    assert "200 OK" in hand.text()
    assert server.metric("sallyport_rejected_total", stage="request", reason="evicted") == 0
