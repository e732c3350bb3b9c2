"""
Should TLS ever let a client through that has not proved its certificate to be its own, nothing comes of it: no answer, no
place in the cache, no ticket, no credit for its source. The server here is built to believe that nobody has proved anything.
"""

import contextlib
import socket
import ssl

import pytest

import conftest

UNPROVED = conftest.BINARY.parent / "tests" / "edge" / "sallyport_unproved"


@pytest.fixture
def unproved(monkeypatch):
    if not UNPROVED.exists():
        pytest.skip("built with the tests, beside the server")
    monkeypatch.setattr(conftest, "BINARY", UNPROVED)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("mode", ["report", "enforce"])
def test_a_valid_certificate_counts_for_nothing(unproved, serve, host, pki, mode, version):
    server = serve([host("r.test", mode)])
    context = server.tls_client(pki.valid().bundle, version)
    for _ in range(3):
        raw = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        received, session = b"", None
        with contextlib.suppress(ssl.SSLError, OSError):
            tls = context.wrap_socket(raw, server_hostname="r.test")
            tls.sendall(b"GET / HTTP/1.1\r\nHost: r.test\r\nConnection: close\r\n\r\n")
            while piece := tls.recv(65536):
                received += piece
        with contextlib.suppress(UnboundLocalError):
            session = tls.session
        assert received == b""
        assert session is None or not session.has_ticket
        raw.close()
    assert server.metric("sallyport_cert_cache_entries") == 0
    assert server.metric("sallyport_client_certs_total", status="valid") == 0
    assert server.metric("sallyport_handshakes_total", result="ok") == 0
    assert server.metric("sallyport_rejected_total", stage="handshake", reason="tls_error") == 3
    assert server.metric("sallyport_requests_total") == 0


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.both_protocols
def test_all_others_are_told_what_is_wrong(unproved, serve, host, pki, version):
    server = serve([host("r.test", "report")])
    assert server.curl("r.test", version=version).seen("X-Client-Cert-Status") == ["none"]
    for client in (pki.stranger(), pki.expired()):
        assert server.curl("r.test", cert=client.bundle, version=version).seen("X-Client-Cert-Status") == ["invalid"]
