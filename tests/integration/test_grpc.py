"""gRPC end to end: a client and a server of grpcio, with the server under test between them."""

import queue
import threading
import time

import grpc
import pytest

import grpcs
import pki as pki_module
from conftest import free_port, wait_for

NAME = "grpc.test"


@pytest.fixture(scope="module")
def origin():
    server = grpcs.Server(free_port()).start()
    yield server
    server.stop()


@pytest.fixture
def client_of(pki):
    opened = []

    def make(server, cert="valid", **options):
        client = grpcs.Client(server, NAME, pki.client(cache="device") if cert == "valid" else cert, **options)
        opened.append(client)
        return client

    yield make
    for client in opened:
        client.channel.close()


@pytest.fixture
def grpc_host(host):
    def make(address, mode="enforce"):
        return {**host(NAME, mode, origin=address), "origin_protocol": "http2"}

    return make


@pytest.fixture
def server(serve, grpc_host, origin):
    return serve([grpc_host(origin.address)])


def test_unary_calls(server, client_of):
    client = client_of(server)
    answer, call = client.unary.with_call(b"hello", timeout=10, metadata=(("x-ask", "this"),))
    assert answer == b"hello" and call.code() == grpc.StatusCode.OK
    trailing = dict(call.trailing_metadata())
    assert trailing["x-echo"] == "this" and trailing["x-verdict"] == "valid"
    for size in (0, 1, 16384, 1 << 20):
        assert client.unary(b"x" * size, timeout=10) == b"x" * size
    assert server.metric("sallyport_origin_connections_total", event="opened") == 1
    assert server.metric("sallyport_origin_requests_total", result="completed") == 5


def test_no_client_forges_a_verdict(server, client_of):
    for name in ("x-client-cert-status", "x-client-cert.status", "http-x-client-cert-status"):
        _, call = client_of(server).unary.with_call(b"", timeout=10, metadata=((name, "forged"),))
        assert dict(call.trailing_metadata())["x-verdict"] == "valid"


def test_the_status_of_the_server_comes_through(server, client_of):
    with grpcs.refused() as errors:
        client_of(server).unary(b"fail because 100% of it", timeout=10)
    assert errors[0].code() == grpc.StatusCode.FAILED_PRECONDITION
    assert errors[0].details() == "because 100% of it"


def test_streams_of_each_kind(server, client_of):
    client = client_of(server)
    messages = list(client.server_stream(b"100 10000 0", timeout=10))
    assert [int(message[:8]) for message in messages] == list(range(100))
    assert client.client_stream((b"y" * 5000 for _ in range(100)), timeout=10) == b"500000"
    assert list(client.bidi((b"%d" % i for i in range(100)), timeout=10)) == [b"echo %d" % i for i in range(100)]


def test_a_conversation(server, client_of):
    """Each question is asked behind the answer to the one before: nothing is held back in either direction."""
    answered = threading.Semaphore(1)

    def ask():
        for i in range(200):
            assert answered.acquire(timeout=10)
            yield b"%d" % i

    for i, answer in enumerate(client_of(server).bidi(ask(), timeout=20)):
        assert answer == b"echo %d" % i
        answered.release()
    assert i == 199


def test_a_deadline(server, client_of):
    begin = time.monotonic()
    with grpcs.refused() as errors:
        client_of(server).unary(b"sleep 5", timeout=0.5)
    assert errors[0].code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - begin < 4
    wait_for(lambda: server.metric("sallyport_origin_requests_total", result="aborted")
             + server.metric("sallyport_origin_requests_total", result="completed")
             + server.metric("sallyport_origin_requests_total", result="broken") == 1)


def test_a_call_that_is_cancelled(server, client_of):
    client = client_of(server)
    call = client.wait_for_cancel(b"", timeout=20)
    assert next(call) == b"waiting"
    call.cancel()
    assert client.was_cancelled(b"", timeout=15) == b"yes"


def test_1000_calls_at_once_on_one_connection(serve, grpc_host, client_of, pki):
    origin = grpcs.Server(free_port(), workers=1050).start()
    try:
        server = serve([grpc_host(origin.address)])
        client = client_of(server)
        client.unary(b"first", timeout=10)
        calls = [client.unary.future(b"gather 1000", timeout=90) for _ in range(1000)]
        assert all(call.result() == b"gather 1000" for call in calls)
        assert server.metric("sallyport_origin_connections_total", event="opened") == 1
        assert server.metric("sallyport_origin_requests_total", result="completed") == 1001
    finally:
        origin.kill()


@pytest.mark.parametrize("seconds", [4, pytest.param(150, marks=pytest.mark.slow)])
def test_streams_stay_open(server, client_of, seconds):
    """Silent ones too, in both directions."""
    client = client_of(server)
    stream = client.server_stream(b"2 10 %d" % seconds, timeout=seconds + 30)
    asked = threading.Event()

    def ask():
        yield b"first"
        asked.wait(seconds + 30)
        yield b"last"

    conversation = client.bidi(ask(), timeout=seconds + 30)
    assert next(conversation) == b"echo first"
    assert [int(message[:8]) for message in stream] == [0, 1]
    asked.set()
    assert list(conversation) == [b"echo last"]
    assert server.metric("sallyport_origin_connections_total", event="opened") == 1


@pytest.mark.parametrize("cert", [None, "stranger"])
def test_a_client_that_is_not_let_in(server, client_of, pki, cert):
    with grpcs.refused() as errors:
        client_of(server, cert and pki.client(issuer=pki.other_root)).unary(b"", timeout=10)
    assert errors[0].code() == grpc.StatusCode.PERMISSION_DENIED
    assert "a valid client certificate is required" in errors[0].details()
    # Counted as the answer that it stands for.
    assert server.metric("sallyport_requests_total", host=NAME, code="403") == 1
    assert server.metric("sallyport_requests_total", host=NAME, code="200") == 0


# Requests that are refused by their heads.
REFUSED = {
    "expectation": ([("expect", "wonders")], 417, "expectation"),
    "large field": ([("x-large", "a" * 40000)], 431, "headers"),
    "many fields": ([(f"x-{i}", "a") for i in range(150)], 431, "headers"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_call_whose_head_is_refused(server, client_of, what):
    metadata, code, said = REFUSED[what]
    with grpcs.refused() as errors:
        client_of(server).unary(b"", timeout=10, metadata=metadata)
    assert errors[0].code() == grpc.StatusCode.UNKNOWN
    assert said in errors[0].details() and "Received http2 header" not in errors[0].details()
    assert server.metric("sallyport_requests_total", host=NAME, code=str(code)) == 1
    assert server.metric("sallyport_requests_total", host=NAME, code="200") == 0


def test_an_origin_that_is_down(serve, grpc_host, client_of):
    server = serve([grpc_host(f"127.0.0.1:{free_port()}")])
    client = client_of(server)
    for _ in range(2):
        with grpcs.refused() as errors:
            client.unary(b"", timeout=10)
        assert errors[0].code() == grpc.StatusCode.UNAVAILABLE
        assert "502" in errors[0].details()
    assert server.metric("sallyport_requests_total", host=NAME, code="502") == 2


def test_an_origin_that_ends_gracefully_loses_no_call(serve, grpc_host, client_of):
    """Its GOAWAY says which calls it has not begun: these go to the next one."""
    origin = grpcs.Server(free_port()).start()
    try:
        server = serve([grpc_host(origin.address)])
        client = client_of(server)
        for _ in range(3):
            assert client.unary(b"one", timeout=10) == b"one"
            origin.stop()
            origin.start()
            assert client.unary(b"two", timeout=10) == b"two"
    finally:
        origin.kill()


def test_an_origin_that_dies_in_a_stream(serve, grpc_host, client_of):
    origin = grpcs.Server(free_port()).start()
    server = serve([grpc_host(origin.address)])
    stream = client_of(server).server_stream(b"100 10 0.2", timeout=20)
    next(stream)
    origin.kill()
    with grpcs.refused() as errors:
        list(stream)
    assert errors[0].code() == grpc.StatusCode.UNAVAILABLE


def test_reload_and_drain_under_open_streams(serve, grpc_host, client_of, origin):
    server = serve([grpc_host(origin.address)])
    asked = threading.Semaphore(0)

    def ask():
        for i in range(3):
            assert asked.acquire(timeout=20)
            yield b"%d" % i

    conversation = client_of(server).bidi(ask(), timeout=20)
    asked.release()
    assert next(conversation) == b"echo 0"
    assert server.reload([grpc_host(origin.address, "report")])
    asked.release()
    assert next(conversation) == b"echo 1"
    # Another client is served by the new configuration meanwhile.
    assert client_of(server, None).unary(b"anybody", timeout=10) == b"anybody"
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    time.sleep(0.5)
    asked.release()
    assert list(conversation) == [b"echo 2"]
    stopping.join()


def test_the_conversation_of_a_revoked_client_ends(serve, grpc_host, client_of, origin, tmp_path):
    """Nothing else would: the next call is refused, but this one could go on for ever."""
    own = pki_module.Pki(tmp_path)
    good, bad = own.client(subject="good"), own.client(subject="bad")
    root, before, after = own.crl(own.root), own.crl(own.intermediate), own.crl(own.intermediate, [bad])

    def entry(leaf):
        made = grpc_host(origin.address)
        made["client_auth"] = {**made["client_auth"], "ca": [str(own.root.cert)], "crl": [str(root), str(leaf)]}
        return made

    server = serve([entry(before)], shards=1)
    questions = {name: queue.Queue() for name in ("good", "bad")}
    calls = {name: client_of(server, cert).bidi(iter(questions[name].get, None), timeout=30) for name, cert in (("good", good), ("bad", bad))}
    for name, call in calls.items():
        questions[name].put(b"one")
        assert next(call) == b"echo one"
    assert server.reload([entry(after)])
    with pytest.raises(grpc.RpcError) as ended:
        next(calls["bad"])
    assert ended.value.code() == grpc.StatusCode.PERMISSION_DENIED
    questions["good"].put(b"two")
    assert next(calls["good"]) == b"echo two"
    for line in questions.values():
        line.put(None)


def test_a_call_of_many_small_messages(server, pki):
    """Each leaves in a TLS record of its own, which is no flood. The client is h2, since that of gRPC joins them."""
    message = b"\0\0\0\0\5hello"
    with server.http2(NAME, pki.client(cache="device").bundle) as client:
        stream = client.get(NAME, f"/{grpcs.SERVICE}/ClientStream", ("content-type", "application/grpc"), ("te", "trailers"), method="POST", end=False)
        for _ in range(6000):
            if client.room(stream) < len(message):
                client.wait(lambda: client.room(stream) > 10000)
            client.h2.send_data(stream, message)
            client.flush()
        client.send(stream, b"", end=True)
        answer = client.answer(stream, 30)
        assert answer.status == 200 and bytes(answer.body)[5:] == b"30000"
