"""WebSockets and other tunnels in streams of HTTP/2 (RFC 8441), by Node's HTTP/2 with its library ws. Chromium's: test_tunnels."""

import json
import os
import signal
import subprocess
import threading
import time

import pytest

from conftest import wait_for
from echo import Echo
from test_tunnel_bytes import SHARDS_OWN_KIB, Origin, switch
from test_tunnels import NODE_LIBRARIES, Revocation, ended, open_tunnels

# A client, whose steps are the rest of the script. `say` prints; `connect` opens a tunnel and gives its stream, `socket` a
# WebSocket in it. Each has the status of its answer.
NODE = """
const fs = require("fs"), http2 = require("http2"), WebSocket = require("ws");
const [port, ca, bundle] = process.argv.slice(1);
const pem = bundle ? fs.readFileSync(bundle) : undefined;
const session = http2.connect(`https://w.test:${port}`, {ca: fs.readFileSync(ca), cert: pem, key: pem, servername: "w.test",
    lookup: (name, options, done) => options.all ? done(null, [{address: "127.0.0.1", family: 4}]) : done(null, "127.0.0.1", 4)});
const say = (...words) => console.log(JSON.stringify(words));
session.on("error", error => say("session error", error.code));
session.on("goaway", code => say("goaway", code));
const settings = new Promise(done => session.once("remoteSettings", done));
const wait = ms => new Promise(done => setTimeout(done, ms));
const connect = async (headers, options) => {
    await settings;
    const stream = session.request({":method": "CONNECT", ":protocol": "websocket", ":scheme": "https", ":path": "/chat",
        ":authority": `w.test:${port}`, "sec-websocket-version": "13", ...headers}, options);
    stream.on("error", error => say("stream error", error.code));
    stream.answer = new Promise(done => stream.once("response", answer => done(answer)));
    return stream;
};
const socket = async headers => {
    const stream = await connect(headers), answer = await stream.answer;
    const it = new WebSocket(null);
    stream.setNoDelay = () => {};
    it._isServer = false;
    it.setSocket(stream, Buffer.alloc(0), {maxPayload: 0, skipUTF8Validation: false});
    it.status = answer[":status"];
    it.answer = answer;
    const heard = [], waiting = [];
    it.on("message", (data, binary) => {
        const message = binary ? data : data.toString();
        waiting.length ? waiting.shift()(message) : heard.push(message);
    });
    it.hear = () => heard.length ? Promise.resolve(heard.shift()) : new Promise(done => waiting.push(done));
    it.ask = message => { it.send(message); return it.hear(); };
    it.closed = new Promise(done => it.on("close", done));
    return it;
};
(async () => {
"""


class Node:
    def __init__(self, server, cert, steps):
        self.process = subprocess.Popen(
            ["node", "-e", NODE + steps + "\nsession.close(); })().catch(error => say('failed', String(error)));",
             str(server.port), str(server.server_root), *([str(cert)] if cert else [])],
            env={**os.environ, "NODE_PATH": NODE_LIBRARIES}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def hear(self):
        """The next line that it says."""
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        return json.loads(line)

    def end(self):
        out, error = self.process.communicate(timeout=60)
        return [json.loads(line) for line in out.splitlines()]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def echo():
    with Echo() as running:
        yield running


def test_messages_of_many_sockets_on_one_connection(serve, host, pki, echo):
    server = serve([host("w.test", "enforce", origin=echo.address)], shards=1)
    steps = """
        const sockets = await Promise.all([...Array(50).keys()].map(() => socket({"sec-websocket-protocol": "chat"})));
        say(sockets.map(it => it.status).every(status => status == 200), sockets[0].answer["sec-websocket-protocol"]);
        for (const size of [0, 1, 125, 126, 65536, 1000000]) {
            const data = Buffer.alloc(size, size % 251);
            say((await Promise.all(sockets.map(it => it.ask(data)))).every(heard => heard.equals(data)));
        }
        say("open"); await wait(1500);
        sockets.forEach(it => it.close(1000));
        say(await Promise.all(sockets.map(it => it.closed)).then(codes => codes.every(code => code == 1000)));
    """
    with Node(server, pki.valid().bundle, steps) as node:
        assert node.hear() == [True, "chat"]
        assert [node.hear() for _ in range(6)] == [[True]] * 6
        assert node.hear() == ["open"]
        assert open_tunnels(server, "w.test") == 50 and server.metric("sallyport_connections") == 1
        assert node.hear() == [True]
    wait_for(lambda: ended(server, "w.test", "closed") == 50)
    assert server.metric("sallyport_requests_total", host="w.test", code="101", protocol="http2") == 50
    headers = {name.lower(): value for name, value in echo.opened[0].raw_items()}
    assert headers["upgrade"] == "websocket" and headers["connection"] == "Upgrade" and headers["x-client-cert-status"] == "valid"
    assert len({headers["sec-websocket-key"] for headers in echo.opened}) == 50


def test_many_small_messages(serve, host, echo):
    server = serve([host("w.test", origin=echo.address)], shards=1)
    steps = """
        const it = await socket();
        for (let round = 0; round < 40; round++) {
            for (let number = 0; number < 500; number++) it.send(String(number));
            for (let number = 0; number < 500; number++) if (await it.hear() != String(number)) say("wrong");
        }
        say("done"); it.close();
    """
    with Node(server, None, steps) as node:
        assert node.hear() == ["done"]
    assert server.metric("sallyport_rejected_total", stage="request") == 0


def test_other_requests_go_on_beside_a_tunnel(serve, host, echo):
    server = serve([host("w.test", origin=echo.address)], shards=1)
    steps = """
        const it = await socket(); await it.ask("hello");
        for (let count = 0; count < 3; count++) {
            const stream = session.request({":path": "/"}); stream.resume();
            say(await new Promise(done => stream.on("response", answer => done(answer[":status"]))));
        }
        say(await it.ask("still there")); it.close();
    """
    with Node(server, None, steps) as node:
        assert [node.hear() for _ in range(4)] == [[426], [426], [426], ["still there"]]


@pytest.mark.parametrize("mode, headers, status", [
    ("enforce", {}, 403), ("off", {":protocol": "h2c"}, 501), ("off", {":protocol": "HTTP"}, 501), ("off", {":authority": "x.test"}, 421),
    ("off", {":path": "/", ":protocol": "x" * 65}, 501)])
def test_requests_that_become_no_tunnel(serve, host, echo, mode, headers, status):
    server = serve([host("w.test", mode, origin=echo.address)], shards=1)
    steps = f"const stream = await connect({json.dumps(headers)}); stream.write('in haste'); say((await stream.answer)[':status']);"
    with Node(server, None, steps) as node:
        assert node.hear() == [status]
    assert echo.opened == [] and server.metric("sallyport_tunnels_ended_total") == 0


def test_methods_of_a_host_count_as_for_get(serve, host, echo):
    server = serve([{**host("w.test", origin=echo.address), "methods": ["POST"]}], shards=1)
    with Node(server, None, "const stream = await connect(); say((await stream.answer)[':status']);") as node:
        assert node.hear() == [405]


@pytest.mark.parametrize("more", [b"", b"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n"])
def test_an_origin_that_knows_no_websocket_is_found_out(serve, host, more):
    """It says 101, but without the answer to the key, which the client has none of."""
    with Origin(head=switch(b"websocket", more)) as origin:
        server = serve([host("w.test", origin=origin.address)], shards=1)
        with Node(server, None, "const stream = await connect(); say((await stream.answer)[':status']);") as node:
            assert node.hear() == [502]
        assert "unasked_upgrade" in server.stderr()


def test_another_answer_is_an_answer(serve, host):
    with Origin(head=b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone") as origin:
        server = serve([host("w.test", origin=origin.address)], shards=1)
        steps = """
            const stream = await connect(); stream.write("in haste");
            say((await stream.answer)[":status"]);
            let body = ""; for await (const piece of stream) body += piece; say(body);
        """
        with Node(server, None, steps) as node:
            assert [node.hear(), node.hear()] == [[404], ["gone"]]
        assert origin.early == b"", "bytes for a tunnel that is none"
        assert origin.heads[0].startswith(b"GET /chat HTTP/1.1\r\n")


def test_halves_end_one_by_one(serve, host):
    """In a protocol that is no WebSocket. What the client says in haste waits, its end too."""
    heard = []

    def talk(connection):
        if len(origin.heads) == 1:
            while piece := connection.recv(65536):
                heard.append(piece)
            connection.sendall(b"all of " + b"".join(heard))
        else:
            connection.sendall(b"that is all")
            connection.shutdown(1)
            while piece := connection.recv(65536):
                heard.append(piece)

    with Origin(talk) as origin:
        server = serve([host("w.test", origin=origin.address)], shards=1)
        steps = """
            const read = async stream => { let text = ""; for await (const piece of stream) text += piece; return text; };
            const first = await connect({":protocol": "test/1"}); first.end("in haste");
            say((await first.answer)[":status"], await read(first));
            const second = await connect({":protocol": "test/1"}, {endStream: false}); await second.answer;
            say(await read(second)); await wait(300);
            second.write("late "); await wait(300); second.end("words"); await wait(300); say("done");
        """
        with Node(server, None, steps) as node:
            assert node.hear() == [200, "all of in haste"]
            assert node.hear() == ["that is all"]
            assert node.hear() == ["done"]
        assert origin.early == b"" and b"".join(heard) == b"in hastelate words"
        wait_for(lambda: ended(server, "w.test", "closed") == 2)


def test_a_revoked_client_loses_its_tunnels(serve, host, echo, tmp_path):
    scene = Revocation(tmp_path)
    server = serve([scene.host(host, echo, "enforce", scene.before)], shards=1)
    steps = "const it = [await socket(), await socket()]; await it[0].ask('hello'); say('open'); say(await it[0].closed, await it[1].closed);"
    with Node(server, scene.good.bundle, "const it = await socket(); say('open'); say(await it.closed);") as good, \
            Node(server, scene.bad.bundle, steps) as bad:
        assert good.hear() == bad.hear() == ["open"]
        assert server.reload([scene.host(host, echo, "enforce", scene.after)])
        assert bad.hear() == [1008, 1008]
        assert open_tunnels(server, "w.test") == 1
        assert server.reload([host("other.test", origin=echo.address)])
        lines = [good.hear(), good.hear()]
        assert [1008] in lines, lines


def test_idle_tunnels_end(serve, host, echo):
    server = serve([{**host("w.test", origin=echo.address), "timeouts": {"tunnel_idle": "2s"}}], shards=1,
                   limits={"connections": 64, "idle_timeout": "800ms", "request_header_timeout": "800ms"})
    steps = """
        const idle = await socket(), busy = await socket();
        let over; idle.closed.then(code => over = code);
        for (let count = 0; count < 20; count++) { await busy.ask("hello"); await wait(200); }
        say(over, busy.readyState); say(await busy.closed);
    """
    with Node(server, None, steps) as node:
        assert node.hear() == [1001, 1] and node.hear() == [1001]
    assert ended(server, "w.test", "idle") == 2


def test_a_drain_lets_tunnels_go_on_until_its_end(serve, host, echo):
    server = serve([host("w.test", origin=echo.address)], shards=1, drain={"timeout": "8s"})
    steps = "const it = await socket(); say('open'); await wait(4000); say(await it.ask('hello')); say(await it.closed);"
    with Node(server, None, steps) as node:
        assert node.hear() == ["open"]
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        lines = []
        while [1001] not in lines:
            lines.append(node.hear())
        assert lines == [["goaway", 0], ["goaway", 0], ["hello"], [1001]], "in two steps"
        assert 5 < time.monotonic() - began < 8
    server.stop()


@pytest.mark.measured
def test_bytes_wait_for_an_origin_that_does_not_read(serve, host):
    released = threading.Event()

    def talk(connection):
        released.wait(30)
        while connection.recv(1 << 20):
            pass

    with Origin(talk) as origin:
        server = serve([host("w.test", origin=origin.address)], shards=1)
        before = server.rss_kib()
        steps = """
            const stream = await connect({":protocol": "test/1"}); await stream.answer;
            const piece = Buffer.alloc(100000);
            let sent = 0, before = -1;
            while (sent < 60000000 && stream.writableLength != before) {
                for (; stream.writableLength < 1000000; sent += piece.length) stream.write(piece);
                before = stream.writableLength; await wait(1000);
            }
            say(sent, stream.writableLength > 0); stream.close();
        """
        with Node(server, None, steps) as node:
            sent, waits = node.hear()
            assert waits and sent < 30_000_000, sent
            assert server.rss_kib() - before < SHARDS_OWN_KIB
        released.set()
