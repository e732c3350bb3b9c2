"""The log tells ahead of what ends: lists, roots and server certificates that end within seconds."""

import datetime
import time

import pytest

import pki as pki_module
from pki import DAY, NOW

SECOND = datetime.timedelta(seconds=1)


def in_seconds(seconds):
    """So many seconds from now, counted from the session's begin as all dates of the PKI are."""
    return datetime.datetime.utcnow().replace(microsecond=0) - NOW + seconds * SECOND


def iso(since_now):
    return (NOW + since_now).strftime("%Y-%m-%dT%H:%M:%SZ")


def warnings(server, about=""):
    return [line for line in server.stderr().splitlines() if "WARNING" in line and (" ends at " in line or " has ended, " in line) and about in line]


def until(server, text, seconds=15):
    deadline = time.monotonic() + seconds
    while text not in server.stderr():
        assert time.monotonic() < deadline, server.stderr()
        time.sleep(0.05)
    return datetime.datetime.utcnow()


@pytest.fixture
def own(tmp_path):
    """A PKI of the test's own."""
    folder = tmp_path / "pki"
    folder.mkdir()
    return pki_module.Pki(folder)


def server_certificate(own, name, end):
    key = pki_module.new_key("ecdsa-p256")
    return own.entity("server", own.build(name, key, own.server_root, end=NOW + end), key)


def test_a_list_is_told_of_a_day_before_and_at_its_end_without_an_admin_listener(serve, host, own):
    end = in_seconds(6)
    server = serve([host("m.test", "report", ca=[str(own.root.cert)], crl=[str(own.crl(own.root, end=end))])], admin=None)
    until(server, "ready: ")
    before = f"host m.test: the list of client_auth.crl of CN=Client Root ends at {iso(end)}, within a day: "
    assert [before in line for line in warnings(server)] == [True], server.stderr()
    after = f"host m.test: the list of client_auth.crl of CN=Client Root has ended, at {iso(end)}: clients of this issuer are not valid"
    told = until(server, after)
    assert SECOND / 2 < told - (NOW + end) < 3 * SECOND
    time.sleep(2.5)
    assert len(warnings(server)) == 2, server.stderr()


def test_a_root_and_a_server_certificate_are_told_of_once_for_all_hosts(serve, host, own):
    end = in_seconds(6)
    root = own.authority("Short Root", end=NOW + end)
    certificate = server_certificate(own, "a.test", end)
    hosts = [host(name, "report", server=certificate, ca=[str(root.cert)]) for name in ("a.test", "b.test", "c.test")]
    server = serve(hosts, ready=False)
    until(server, "ready: ")
    things = ["the root of client_auth.ca CN=Short Root", f"the certificate {certificate.chain}"]
    for thing in things:
        assert warnings(server, f"host a.test and 2 others: {thing} ends at {iso(end)}, within a day: "), server.stderr()
    for thing in things:
        until(server, f"host a.test and 2 others: {thing} has ended, at {iso(end)}: ")
    assert len(warnings(server)) == 4, server.stderr()


def test_what_is_within_a_week_is_told_at_the_start_and_what_is_not_is_not(serve, host, own):
    far, week = own.crl(own.root, end=8 * DAY), own.crl(own.intermediate, end=6 * DAY)
    server = serve([host("m.test", "report", ca=[str(own.root.cert)], crl=[str(far), str(week)])])
    until(server, "ready: ")
    assert len(warnings(server)) == 1
    assert f"of CN=Client Intermediate ends at {iso(6 * DAY)}, within 7 days: " in warnings(server)[0]


def test_reloads_tell_what_is_new_and_what_has_not_been_mended(serve, host, own):
    def with_list(path):
        return [host("m.test", "report", ca=[str(own.root.cert)], crl=[str(path)])]

    week, ended, far = own.crl(own.root, end=5 * DAY), own.crl(own.root, start=-9 * DAY, end=-DAY), own.crl(own.root, end=90 * DAY)
    server = serve(with_list(week))
    until(server, "ready: ")
    assert len(warnings(server, "within 7 days")) == 1
    assert server.hang_up() and server.hang_up()
    assert len(warnings(server)) == 1, "the same again"
    assert server.reload(with_list(ended))
    until(server, "has ended, ")
    assert server.hang_up()
    deadline = time.monotonic() + 5
    while len(warnings(server, "has ended")) < 2:
        assert time.monotonic() < deadline, "the reload has not helped, and does not say so"
        time.sleep(0.05)
    assert server.reload(with_list(far))
    assert server.hang_up()
    assert len(warnings(server)) == 3
    assert server.reload(with_list(week))
    deadline = time.monotonic() + 5
    while len(warnings(server, "within 7 days")) < 2:
        assert time.monotonic() < deadline, "it was longer, and is shorter again"
        time.sleep(0.05)


def test_a_list_that_was_replaced_is_not_told_of(serve, host, own):
    old, new = own.crl(own.root, start=-9 * DAY, end=-DAY), own.crl(own.root, start=-2 * DAY, end=90 * DAY)
    server = serve([host("m.test", "report", ca=[str(own.root.cert)], crl=[str(old), str(new)])])
    until(server, "ready: ")
    assert warnings(server) == []
