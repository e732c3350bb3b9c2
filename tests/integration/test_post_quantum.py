"""Key exchange by hybrids with ML-KEM-768: which group is agreed on, with OpenSSL 3.5, Chromium and hellos made by hand."""

import json
import re
import time

import pytest

from browser import Browser, driver, needs_browser  # noqa: F401 (driver is a fixture)
from conftest import seen, wait_for
from openssl35 import SECP256R1MLKEM768, X25519MLKEM768, HybridKey, needs_openssl35, openssl
from tls_client import Client12, Client13, Closed
from tls_hello import GROUPS, P256, P384, X25519, X448, Hello
from tls_wire import HANDSHAKE, record, u16s, vector

NAMES = {X25519: "x25519", P256: "secp256r1", P384: "secp384r1", X25519MLKEM768: "X25519MLKEM768", SECP256R1MLKEM768: "SecP256r1MLKEM768"}
GROUP = "X-Key-Exchange-Group"
REQUEST = b"GET / HTTP/1.1\r\nHost: h.test\r\nConnection: close\r\n\r\n"
SPOILT = {  # parts of a key share that are none: of ML-KEM, and of the curve
    "coefficients of 4,095": (lambda mlkem: b"\xff" * 3 + mlkem[3:], None),
    "a coefficient of q": (lambda mlkem: b"\x01\x0d" + bytes([mlkem[2]]) + mlkem[3:], None),
    "the last coefficient": (lambda mlkem: mlkem[:1150] + b"\xf0\xff" + mlkem[1152:], None),
    "all zeros on the curve": (None, lambda curve: bytes(len(curve))),
    "a point off the curve, or of small order": (None, lambda curve: b"\1" + bytes(31) if len(curve) == 32 else curve[:-1] + bytes([curve[-1] ^ 1])),
}


@pytest.fixture
def start(serve, host):
    def start(prefer=None, **more):
        forward = {"headers": {GROUP: "key_exchange_group", "X-Version": "tls.version"}}
        tls = None if prefer is None else {"prefer_post_quantum": prefer}
        return serve([{**host("h.test", "report", forward=forward), "default": True}], tls=tls, shards=1, **more)

    return start


def handshakes(server, group):
    return server.metric("sallyport_handshakes_total", group=group, result="ok")


# OpenSSL. "*" marks a group of which it sends a key share.

def client(server, groups, *more):
    return openssl("s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", "h.test", "-groups", groups, "-ign_eof", *more,
                   stdin=REQUEST, check=False)


@needs_openssl35
@pytest.mark.parametrize("prefer, groups, agreed, retried", [
    ("auto", "*X25519MLKEM768", "X25519MLKEM768", False),
    ("auto", "*SecP256r1MLKEM768", "SecP256r1MLKEM768", False),
    ("auto", "*X25519:*X25519MLKEM768", "X25519MLKEM768", False),
    ("auto", "*SecP256r1MLKEM768:*X25519MLKEM768", "X25519MLKEM768", False),
    ("auto", "*P-256:SecP256r1MLKEM768:X25519MLKEM768", "secp256r1", False),
    ("auto", "*X25519:X25519MLKEM768", "x25519", False),
    ("auto", "*P-384:X25519MLKEM768", "secp384r1", False),
    ("auto", "*X448:X25519MLKEM768:X25519", "X25519MLKEM768", True),
    ("auto", "*X448:X25519:SecP256r1MLKEM768", "SecP256r1MLKEM768", True),
    ("auto", "*MLKEM768:X25519", "x25519", True),
    ("strict", "*X25519MLKEM768:X25519", "X25519MLKEM768", False),
    ("strict", "*SecP256r1MLKEM768:X25519MLKEM768", "SecP256r1MLKEM768", False),
    ("strict", "*X25519:X25519MLKEM768", "X25519MLKEM768", True),
    ("strict", "*P-256:SecP256r1MLKEM768", "SecP256r1MLKEM768", True),
    ("strict", "*X448:P-256:X25519MLKEM768", "X25519MLKEM768", True),
    ("strict", "*X25519", "x25519", False),
    ("strict", "*X448:P-521", "secp521r1", True),
    ("off", "*X25519MLKEM768:*X25519", "x25519", False),
    ("off", "*X25519MLKEM768:P-384", "secp384r1", True),
])
def test_which_group_openssl_gets(start, prefer, groups, agreed, retried):
    server = start(None if prefer == "auto" else prefer)
    printed = client(server, groups, "-msg")
    assert "HTTP/1.1 200" in printed, printed
    assert re.search(rf"^{GROUP}: {agreed}\r?$", printed, re.M | re.I), printed
    assert len(re.findall(r">>> .*ClientHello", printed)) == 1 + retried
    assert handshakes(server, agreed) == 1


@needs_openssl35
def test_a_client_with_hybrids_alone_where_they_are_off(start):
    server = start("off")
    assert "handshake failure" in client(server, "*X25519MLKEM768:SecP256r1MLKEM768")
    assert server.metric("sallyport_rejected_total", stage="hello", reason="no_common_algorithm") == 1


@needs_openssl35
@pytest.mark.parametrize("prefer, groups, resumed_with", [
    ("auto", "*X25519MLKEM768", "X25519MLKEM768"), ("strict", "*X25519:X25519MLKEM768", "X25519MLKEM768"), ("off", "*P-256", "secp256r1")])
def test_a_resumed_session_exchanges_keys_too(start, tmp_path, prefer, groups, resumed_with):
    server, session = start(prefer, access_log=str(tmp_path / "log")), tmp_path / "session.pem"
    client(server, groups, "-sess_out", session)
    printed = client(server, groups, "-sess_in", session)
    assert "Reused, TLSv1.3" in printed and f"{GROUP}: {resumed_with}".lower() in printed.lower(), printed
    assert server.metric("sallyport_handshakes_total", group=resumed_with, kind="resumed") == 1
    wait_for(lambda: (tmp_path / "log").read_text().count('"request"') == 2)
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [(line["resumed"], line["key_exchange_group"]) for line in lines if line["event"] == "request"] == [
        (False, resumed_with), (True, resumed_with)]


def test_a_reload_changes_the_preference(start):
    server = start("strict")
    hello = Hello(groups=(X25519, X25519MLKEM768))
    with Client13(server) as one:
        one.send_hello(hello)
        assert one.retry_request() == X25519MLKEM768
    server.reload(tls={"prefer_post_quantum": "auto"})
    with Client13(server) as one:
        one.establish(Hello(groups=(X25519, X25519MLKEM768)))
        assert seen(one.answer(), GROUP) == ["x25519"]


# Hellos made by hand.

def hello_of(key, groups=None):
    """A hello with a key share of this hybrid group alone."""
    hello = Hello(shares=())
    hello.extensions[GROUPS] = vector(2, u16s(*(groups or (key.group, X25519))))
    hello.keys[key.group] = key
    hello.offer_shares((key.group, key.public))
    hello.session_id = b""
    return hello


def alert_of(server, hello):
    with Client13(server) as one:
        one.send_hello(hello)
        with pytest.raises(Closed) as raised:
            one.server_hello()
        return raised.value.alert


@pytest.fixture(params=[X25519MLKEM768, SECP256R1MLKEM768], ids=NAMES.get)
def key(request, tmp_path):
    return HybridKey(request.param, tmp_path)


@needs_openssl35
def test_one_made_by_hand(start, key):
    server = start()
    with Client13(server) as one:
        one.establish(hello_of(key))
        assert seen(one.answer(), GROUP) == [NAMES[key.group]]


@needs_openssl35
@pytest.mark.parametrize("sizes", [(1000,), (4, 1200), (100, 200, 300, 400)])
def test_in_several_records(start, key, sizes):
    server = start()
    with Client13(server) as one:
        one.send_hello(hello_of(key), sizes=sizes)
        one.server_flight()
        one.finish()
        assert seen(one.answer(), GROUP) == [NAMES[key.group]]


@needs_openssl35
@pytest.mark.parametrize("first", [1, 700, 1448])
def test_in_several_segments(start, key, first):
    server = start()
    with Client13(server) as one:
        one.hello = hello_of(key)
        whole = record(HANDSHAKE, one.takes(one.hello.encode()), b"\x03\x01")
        one.send(whole[:first])
        time.sleep(0.2)
        one.send(whole[first:])
        one.server_flight()
        one.finish()
        assert seen(one.answer(), GROUP) == [NAMES[key.group]]


@needs_openssl35
@pytest.mark.parametrize("shares", [(), (X448,)])
def test_a_second_hello_brings_the_share(start, key, shares):
    server = start()
    hello = Hello(shares=())
    hello.session_id = b""
    hello.extensions[GROUPS] = vector(2, u16s(X448, X25519, key.group))
    hello.offer_shares(*((group, b"x" * 56) for group in shares))
    with Client13(server) as one:
        one.send_hello(hello)
        assert one.retry_request() == key.group
        second = hello.with_share(key.public, key.group)
        second.keys = {key.group: key}
        one.establish(second)
        assert seen(one.answer(), GROUP) == [NAMES[key.group]]


@pytest.mark.parametrize("change", ["length", "group", "two shares"])
def test_a_second_hello_without_the_share(start, change):
    server = start("strict")
    first = Hello(groups=(X25519, X25519MLKEM768))
    with Client13(server) as one:
        one.send_hello(first)
        assert one.retry_request() == X25519MLKEM768
        second = first.copy()
        if change == "length":
            second.offer_shares((X25519MLKEM768, bytes(1215)))
        elif change == "two shares":
            second.offer_shares((X25519, first.keys[X25519].public), (X25519MLKEM768, bytes(1216)))
        one.send_hello(second)
        with pytest.raises(Closed) as raised:
            one.server_hello()
        assert raised.value.alert == "illegal_parameter"


@needs_openssl35
def test_shares_of_another_length(start, key):
    server = start()
    for public in (key.public[:-1], key.public + b"\0", key.mlkem, key.curve.public, b"\0"):
        assert alert_of(server, hello_of(key).with_share(public, key.group)) == "illegal_parameter", len(public)


@needs_openssl35
@pytest.mark.parametrize("retried", [False, True])
@pytest.mark.parametrize("what", SPOILT)
def test_shares_that_are_no_keys(start, key, what, retried):
    """FIPS 203 section 7.2 (the modulus check) and RFC 8446 section 7.4.2."""
    server = start()
    of_mlkem, of_curve = SPOILT[what]
    mlkem = of_mlkem(key.mlkem) if of_mlkem else key.mlkem
    curve = of_curve(key.curve.public) if of_curve else key.curve.public
    assert len(mlkem) == len(key.mlkem) and len(curve) == len(key.curve.public)
    hello = hello_of(key)
    bad = hello.with_share(key.joined(mlkem, curve), key.group)
    if not retried:
        assert alert_of(server, bad) == "illegal_parameter"
        return
    hello.offer_shares()
    with Client13(server) as one:
        one.send_hello(hello)
        assert one.retry_request() == key.group
        one.send_hello(bad)
        with pytest.raises(Closed) as raised:
            one.server_hello()
        assert raised.value.alert == "illegal_parameter"


@pytest.mark.parametrize("prefer", ["auto", "strict", "off"])
def test_tls12_has_no_hybrids(start, prefer):
    server = start(prefer)
    with Client12(server) as one:
        one.establish(Hello(tls12=True, groups=(X25519MLKEM768, SECP256R1MLKEM768, X25519)))
        assert seen(one.answer(), GROUP) == ["x25519"]
    hello = Hello(tls12=True, groups=(X25519MLKEM768, SECP256R1MLKEM768))
    with Client12(server) as one:
        one.send_hello(hello)
        with pytest.raises(Closed) as raised:
            one.server_hello()
        assert raised.value.alert == "handshake_failure"


def test_a_resumed_session_of_tls12_exchanges_no_keys(start, pki, tmp_path):
    server = start(access_log=str(tmp_path / "log"))
    context = server.tls_client(pki.valid().bundle, "1.2")
    with server.open(context, "h.test") as first:
        assert seen(first.get()[2], GROUP) == ["x25519"]
        session = first.tls.session
    with server.open(context, "h.test", session) as second:
        assert second.tls.session_reused
        assert seen(second.get()[2], GROUP) == []
    assert server.metric("sallyport_handshakes_total", kind="resumed", version="TLSv1.2", group="none") == 1
    wait_for(lambda: (tmp_path / "log").read_text().count('"request"') == 2)
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines() if '"request"' in line]
    assert [line.get("key_exchange_group") for line in lines] == ["x25519", None]


@needs_browser
def test_chromium(start, driver):  # noqa: F811
    server = start()
    browser = Browser(driver, more=["--ignore-certificate-errors", "--host-resolver-rules=MAP h.test 127.0.0.1"])
    try:
        browser.open(f"https://h.test:{server.port}/")
        assert seen(browser.text("body").replace("\n", "\r\n"), GROUP) == ["X25519MLKEM768"]
    finally:
        browser.close()
    assert handshakes(server, "X25519MLKEM768") >= 1
