"""WebSockets by real clients (Python, Node, Chromium) to a real server: what passes, what ends them, and what is counted."""

import asyncio
import contextlib
import http
import os
import signal
import subprocess
import threading
import time

import pytest

import pki as pki_module
from browser import Browser, driver, needs_browser  # noqa: F401 (driver is a fixture)
from conftest import wait_for
from echo import Echo, websockets
from test_access_log import lines_of, requests_of

NODE_LIBRARIES = "/usr/share/nodejs"


@pytest.fixture
def echo():
    with Echo() as running:
        yield running


class Socket:
    """A client's WebSocket, which another thread may use as well."""

    def __init__(self, server, name, cert=None, version="1.3", path="/chat", **options):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.connection = self.run(self.open(server, name, cert, version, path, options))

    async def open(self, server, name, cert, version, path, options):
        return await websockets.connect(
            f"wss://{name}:{server.port}{path}", host="127.0.0.1", server_hostname=name, ssl=server.tls_client(cert, version),
            max_size=None, ping_interval=None, **options)

    def run(self, coroutine, within=30):
        return asyncio.run_coroutine_threadsafe(asyncio.wait_for(coroutine, within), self.loop).result()

    def say(self, message):
        self.run(self.connection.send(message))

    def hear(self, within=30):
        return self.run(self.connection.recv(), within)

    def ask(self, message):
        self.say(message)
        return self.hear()

    def closed_with(self, within=15):
        """The code and reason of the server's close frame; 1006: there was none."""
        self.run(self.connection.wait_closed(), within)
        return self.connection.close_code

    def is_open(self):
        return self.ask("still there?") == "still there?"

    def close(self):
        self.run(self.connection.close())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(Exception):
            self.close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)


def open_tunnels(server, host):
    return server.metric("sallyport_tunnels", host=host)


def ended(server, host, end):
    return server.metric("sallyport_tunnels_ended_total", host=host, end=end)


def seen_of(headers):
    return {name.lower(): value for name, value in headers.raw_items()}


# Messages


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_messages_of_all_kinds_and_sizes(serve, host, pki, echo, version):
    server = serve([host("w.test", "enforce", origin=echo.address)], shards=1)
    with Socket(server, "w.test", pki.valid().bundle, version, subprotocols=["chat"]) as client:
        assert client.connection.subprotocol == "chat"
        assert any(type(e).__name__ == "PerMessageDeflate" for e in client.connection.extensions)
        for message in ("", "hello", "ü" * 70000, b"", b"\0" * 125, b"\1" * 126, os.urandom(65535), os.urandom(65536), os.urandom(8_000_000)):
            assert client.ask(message) == message
        client.run(client.connection.ping("ping"))
    wait_for(lambda: echo.closed == [1000])
    headers = seen_of(echo.opened[0])
    assert headers["upgrade"] == "websocket" and headers["connection"] == "Upgrade"
    assert headers["x-client-cert-status"] == "valid" and headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["sec-websocket-version"] == "13" and "x-request-id" in headers
    wait_for(lambda: ended(server, "w.test", "closed") == 1)
    assert open_tunnels(server, "w.test") == 0


def test_many_small_messages_are_no_flood(serve, host, echo):
    """Each is a record of a few bytes: beyond what a request may be cut into."""
    server = serve([host("w.test", origin=echo.address)], shards=1)

    async def talk(client):
        for number in range(20000):
            await client.connection.send(str(number))
            if number % 500 == 499:
                for expected in range(number - 499, number + 1):
                    assert await client.connection.recv() == str(expected)

    with Socket(server, "w.test", compression=None) as client:
        client.run(talk(client), 60)
    assert server.metric("sallyport_rejected_total", stage="request") == 0


def test_both_sides_send_at_once(serve, host, echo):
    server = serve([host("w.test", origin=echo.address)], shards=1)
    piece = os.urandom(1_000_000)

    async def talk(client):
        async def send():
            for _ in range(40):
                await client.connection.send(piece)

        sending = asyncio.ensure_future(send())
        for _ in range(40):
            assert await client.connection.recv() == piece
        await sending

    with Socket(server, "w.test", compression=None) as client:
        client.run(talk(client), 60)


def test_tunnels_side_by_side(serve, host, pki, echo):
    server = serve([host("w.test", "enforce", origin=echo.address), host("o.test", origin=echo.address)], shards=2)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Socket(server, "w.test", pki.valid().bundle)) for _ in range(20)]
        assert open_tunnels(server, "w.test") == 20 and open_tunnels(server, "o.test") == 0
        for number, client in enumerate(clients):
            assert client.ask(f"mine {number}") == f"mine {number}"
        assert server.curl("w.test", cert=pki.valid().bundle).status == 426, "an ordinary request to the same server"
    wait_for(lambda: open_tunnels(server, "w.test") == 0)


def test_messages_leave_as_they_come(serve, host, echo):
    server = serve([host("w.test", origin=echo.address)], shards=1)
    with Socket(server, "w.test") as client:
        client.say("/push 20 0.1")
        heard = []
        for number in range(20):
            assert client.hear() == str(number)
            heard.append(time.monotonic())
        # Messages that waited for others would come in heaps. The machine may be busy.
        pauses = sorted(late - early for early, late in zip(heard, heard[1:]))
        assert 0.05 < pauses[9] < 0.15, pauses
        times = []
        for _ in range(50):
            began = time.monotonic()
            client.ask("x")
            times.append(time.monotonic() - began)
        assert sorted(times)[10] < 0.02, sorted(times)


def test_node(serve, host, pki, echo):
    server = serve([host("w.test", "enforce", origin=echo.address)], shards=1)
    client = pki.valid()
    script = """
        const fs = require("fs"), WebSocket = require("ws");
        const [url, ca, bundle] = process.argv.slice(1), pem = fs.readFileSync(bundle);
        const socket = new WebSocket(url, {ca: fs.readFileSync(ca), cert: pem, key: pem, servername: "w.test", lookup: (name, options, done) =>
            options.all ? done(null, [{address: "127.0.0.1", family: 4}]) : done(null, "127.0.0.1", 4)});
        let heard = 0;
        socket.on("open", () => { socket.send("hello"); socket.send(Buffer.alloc(300000, 7)); });
        socket.on("message", (data, binary) => {
            console.log(binary, data.length, binary ? data.every(byte => byte == 7) : data.toString());
            if (++heard == 2) socket.send("/close 4321");
        });
        socket.on("close", code => console.log("closed", code));
        socket.on("error", error => console.log(error));
    """
    result = subprocess.run(["node", "-e", script, f"wss://w.test:{server.port}/chat", str(server.server_root), str(client.bundle)],
                            env={**os.environ, "NODE_PATH": NODE_LIBRARIES}, capture_output=True, text=True, timeout=60)
    assert result.stdout.split("\n") == ["false 5 hello", "true 300000 true", "closed 4321", ""], result


PAGE = b"""<!doctype html><title>tunnels</title><pre id="heard"></pre><script>
const say = text => document.querySelector("#heard").textContent += text + "\\n";
const socket = new WebSocket("wss://" + location.host + "/chat");
socket.onopen = () => { say("open"); socket.send("hello"); socket.send("x".repeat(200000)); };
socket.onmessage = event => say("heard " + event.data.length);
socket.onclose = event => say("closed " + event.code);
</script>"""


@needs_browser
@pytest.mark.parametrize("http2", [False, True])
def test_chromium(serve, host, driver, http2):  # noqa: F811
    """
    The page and its WebSocket are from one server, which answers as Node's library does. Over HTTP/2 Chromium asks for the
    WebSocket on the connection that the page came by.
    """
    script = """
        const server = require("http").createServer((request, response) => {
            response.writeHead(200, {"Content-Type": "text/html"}); response.end(process.argv[1]); });
        new (require("ws").Server)({server}).on("connection", socket => socket.on("message", (data, binary) => socket.send(data, {binary})));
        server.listen(0, "127.0.0.1", () => console.log(server.address().port));
    """
    with subprocess.Popen(["node", "-e", script, PAGE.decode()], env={**os.environ, "NODE_PATH": NODE_LIBRARIES},
                          stdout=subprocess.PIPE, text=True) as node:
        try:
            address = f"127.0.0.1:{int(node.stdout.readline())}"
            server = serve([{**host("w.test", "report", origin=address), "http2": http2, "timeouts": {"tunnel_idle": "5s"}}], shards=1)
            browser = Browser(driver, more=["--ignore-certificate-errors", "--host-resolver-rules=MAP w.test 127.0.0.1"])
            try:
                browser.open(f"https://w.test:{server.port}/")
                browser.wait_for("#heard", "open\nheard 5\nheard 200000")
                assert open_tunnels(server, "w.test") == 1
                browser.wait_for("#heard", "closed 1001")
            finally:
                browser.close()
        finally:
            node.terminate()
    assert ended(server, "w.test", "idle") == 1
    assert server.metric("sallyport_requests_total", code="101", protocol="http2" if http2 else "http1") == 1


# Policy


def test_a_client_without_certificate_gets_no_further(serve, host, pki, echo):
    server = serve([host("w.test", "enforce", origin=echo.address)], shards=1)
    for cert in (None, pki.expired().bundle, pki.stranger().bundle):
        with pytest.raises(websockets.InvalidStatusCode) as refusal:
            Socket(server, "w.test", cert)
        assert refusal.value.status_code == http.HTTPStatus.FORBIDDEN
    assert echo.opened == [] and server.metric("sallyport_tunnels_ended_total") == 0


def test_the_origin_is_told_who_it_is(serve, host, pki, echo):
    server = serve([host("w.test", "report", origin=echo.address)], shards=1)
    for cert, status in ((None, "none"), (pki.expired().bundle, "invalid"), (pki.valid().bundle, "valid")):
        with Socket(server, "w.test", cert, extra_headers={"X-Client-Cert-Status": "valid", "X_Client_Cert_Status": "valid"}) as client:
            assert client.is_open()
        assert seen_of(echo.opened[-1])["x-client-cert-status"] == status
        assert "x_client_cert_status" not in seen_of(echo.opened[-1])


class Revocation:
    def __init__(self, folder):
        self.pki = pki_module.Pki(folder)
        self.good, self.bad = self.pki.client(subject="good"), self.pki.client(subject="bad")
        self.root = self.pki.crl(self.pki.root)
        self.before = self.pki.crl(self.pki.intermediate)
        self.after = self.pki.crl(self.pki.intermediate, [self.bad])

    def host(self, host, echo, mode, leaf):
        return host("w.test", mode, origin=echo.address, ca=[str(self.pki.root.cert)], crl=[str(self.root), str(leaf)])


@pytest.mark.parametrize("mode", ["enforce", "report"])
def test_the_tunnels_of_a_revoked_client_are_closed(serve, host, echo, tmp_path, mode):
    """In mode report too: the origin was told that the client is valid, and nothing else could tell it otherwise."""
    scene = Revocation(tmp_path)
    server = serve([scene.host(host, echo, mode, scene.before)], shards=1)
    with Socket(server, "w.test", scene.good.bundle) as good, Socket(server, "w.test", scene.bad.bundle) as bad:
        assert good.is_open() and bad.is_open()
        assert server.reload([scene.host(host, echo, mode, scene.after)])
        assert bad.closed_with() == 1008
        assert good.is_open()
        assert open_tunnels(server, "w.test") == 1 and ended(server, "w.test", "verdict") == 1
    wait_for(lambda: 1006 in echo.closed)


def test_a_change_of_policy_ends_tunnels_that_it_would_not_let_in(serve, host, pki, echo):
    server = serve([host("w.test", "report", origin=echo.address)], shards=1)
    with Socket(server, "w.test") as without, Socket(server, "w.test", pki.valid().bundle) as valid:
        assert server.reload([host("w.test", "report", origin=echo.address, forward={"headers": {"X-New": "subject.cn"}})])
        time.sleep(1.5)
        assert without.is_open() and valid.is_open()
        assert server.reload([host("w.test", "enforce", origin=echo.address)])
        assert without.closed_with() == 1008
        assert valid.is_open()
        assert server.reload([host("w.test", "off", origin=echo.address)])
        time.sleep(1.5)
        assert valid.is_open(), "everybody is let in"
        assert server.reload([host("other.test", origin=echo.address)])
        assert valid.closed_with() == 1008, "there is no such host any more"


def test_a_tunnel_ends_with_its_certificate(serve, host, pki, echo):
    """Neither a reload nor a byte is needed for that."""
    server = serve([host("w.test", "enforce", origin=echo.address)], shards=1)
    end = pki_module.datetime.datetime.now(pki_module.datetime.timezone.utc).replace(tzinfo=None) + pki_module.datetime.timedelta(seconds=6)
    with Socket(server, "w.test", pki.client(end=end).bundle) as client, Socket(server, "w.test", pki.valid().bundle) as lasting:
        assert client.is_open()
        assert client.closed_with() == 1008
        assert lasting.is_open()
    assert ended(server, "w.test", "verdict") == 1


# Ends


def test_idle_tunnels_end_and_busy_ones_do_not(serve, host, echo):
    entry = {**host("w.test", origin=echo.address), "timeouts": {"tunnel_idle": "3s"}}
    server = serve([entry], shards=1, limits={"connections": 64, "idle_timeout": "800ms", "request_header_timeout": "800ms"})
    with Socket(server, "w.test") as idle, Socket(server, "w.test") as speaks, Socket(server, "w.test") as hears:
        began = time.monotonic()
        hears.say("/push 6 1.0")
        for _ in range(6):
            assert speaks.is_open()
            assert hears.hear()
        assert idle.connection.close_code == 1001 and time.monotonic() - began > 4.5
        assert ended(server, "w.test", "idle") == 1 and open_tunnels(server, "w.test") == 2
        assert speaks.closed_with() == 1001


def test_a_new_limit_counts_for_open_tunnels(serve, host, echo):
    server = serve([host("w.test", origin=echo.address)], shards=1)
    with Socket(server, "w.test") as client:
        assert client.is_open()
        assert server.reload([{**host("w.test", origin=echo.address), "timeouts": {"tunnel_idle": "100ms"}}])
        assert client.closed_with() == 1001


def test_a_drain_lets_tunnels_go_on_until_its_end(serve, host, echo):
    server = serve([host("w.test", origin=echo.address)], shards=1, drain={"timeout": "8s"})
    with Socket(server, "w.test") as stays, Socket(server, "w.test") as goes:
        assert stays.is_open() and goes.is_open()
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        time.sleep(1)
        assert stays.is_open()
        goes.close()
        time.sleep(3)
        assert stays.is_open()
        assert stays.closed_with(30) == 1001
        assert 5 < time.monotonic() - began < 8
    server.stop()
    assert time.monotonic() - began < 9


def test_a_drain_ends_with_its_last_tunnel(serve, host, echo):
    server = serve([host("w.test", origin=echo.address)], shards=1)
    with Socket(server, "w.test") as client:
        assert client.is_open()
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
    server.stop(timeout=15)


def test_a_stop_waits_for_nobody(serve, host, echo):
    server = serve([host("w.test", origin=echo.address)], shards=1)
    with Socket(server, "w.test") as client:
        assert client.is_open()
        server.stop(signal.SIGINT, timeout=15)
        assert client.closed_with() == 1006


def test_the_end_of_the_origin_is_the_end(serve, host):
    with Echo() as echo:
        server = serve([host("w.test", origin=echo.address)], shards=1)
        with Socket(server, "w.test") as client, Socket(server, "w.test") as other:
            assert client.is_open()
            client.say("/close 4000")
            assert client.closed_with() == 4000
            assert other.is_open()
        with Socket(server, "w.test") as client:
            assert client.is_open()
            threading.Thread(target=echo.__exit__).start()
            assert client.closed_with() == 1001, "python3-websockets says so when it ends"


def test_a_client_that_vanishes(serve, host, echo):
    server = serve([host("w.test", origin=echo.address)], shards=1)
    with Socket(server, "w.test") as client:
        assert client.is_open()
        client.loop.call_soon_threadsafe(client.connection.transport.abort)
        wait_for(lambda: echo.closed == [1006])
        wait_for(lambda: open_tunnels(server, "w.test") == 0)


def test_tunnels_of_strangers_make_room_for_known_clients(serve, host, pki, echo):
    """As their requests do: a tunnel that stands still is no reason to keep a known client out."""
    server = serve([host("w.test", "report", origin=echo.address)], shards=1, limits={"connections": 16})
    assert server.curl("w.test", cert=pki.valid().bundle).status == 426
    with contextlib.ExitStack() as stack:
        strangers = []
        with contextlib.suppress(OSError):
            for number in range(20):
                strangers.append(stack.enter_context(Socket(server, "w.test", local_addr=(f"127.0.1.{number + 1}", 0))))
        assert len(strangers) >= 14
        held = open_tunnels(server, "w.test")
        for _ in range(3):
            with Socket(server, "w.test", pki.valid().bundle) as known:
                assert known.is_open()
        wait_for(lambda: open_tunnels(server, "w.test") < held)  # the last known client has just left
        assert server.metric("sallyport_rejected_total", reason="evicted") >= 1


# What is written


def test_the_line_of_the_access_log(serve, host, pki, echo, tmp_path):
    log = tmp_path / "access.log"
    server = serve([host("w.test", "enforce", origin=echo.address)], shards=1, access_log=str(log))
    with Socket(server, "w.test", pki.valid().bundle, compression=None) as client:
        assert client.ask("x" * 1000) == "x" * 1000
        time.sleep(1)
        assert requests_of(lines_of(log)) == [], "not before its end"
    wait_for(lambda: requests_of(lines_of(log)))
    line, = requests_of(lines_of(log))
    assert (line["method"], line["path"], line["code"]) == ("GET", "/chat", 101)
    # A header of four bytes for 1,000, one of two for a close; the client's have masks of four bytes.
    assert line["body_in"] == 4 + 4 + 1000 + 2 + 4 + 2 and line["body_out"] == 4 + 1000 + 2 + 2
    assert line["total"] >= 1
    assert server.metric("sallyport_requests_total", host="w.test", code="101") == 1
    assert server.metric("sallyport_request_seconds_count", host="w.test") == 1
    assert server.metric("sallyport_request_seconds_sum", host="w.test") < 0.9, "the time to the 101"
