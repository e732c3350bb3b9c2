"""HTTP/2 with clients that nobody here wrote: nghttp, h2load, curl, Node, httpx and Chromium."""

import json
import re
import ssl
import subprocess
import threading
import time

import httpx
import pytest

import origins
from browser import Browser, driver, needs_browser  # noqa: F401 (driver is a fixture)
from conftest import NO_SUSPECTS, seen

MIB = 1024 * 1024
NAME = "localhost"  # which no client needs a resolver for


@pytest.fixture
def server(serve, host):
    server = serve([host(NAME, "report"), host("e.test", "enforce")], shards=1, admission=NO_SUSPECTS)
    server.protocol = "http2"
    return server


def run(*command, timeout=60, check=True):
    result = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=timeout)
    assert not check or result.returncode == 0, result.stdout + result.stderr
    return result


def requests(server, **labels):
    return server.metric("sallyport_requests_total", protocol="http2", **labels)


# nghttp and h2load


def test_nghttp(server, pki):
    client = pki.valid()
    shown = run("nghttp", "-v", "--cert", client.chain, "--key", client.key, f"https://{NAME}:{server.port}/", f"https://{NAME}:{server.port}/files/small.txt").stdout
    assert "The negotiated protocol: h2" in shown
    assert shown.count(":status: 200") == 2 and "small\n" in shown
    assert "X-Client-Cert-Status: valid" in shown
    assert "error_code=NO_ERROR" in shown and "PROTOCOL_ERROR" not in shown
    assert requests(server, code="200") == 2


@pytest.mark.parametrize("options", [[], ["--no-dep"], ["-w", "30", "-W", "30"], ["-w", "10"], ["--padding", "200"], ["-c", "0"], ["--continuation"], ["--expect-continue"],
                                     ["--max-concurrent-streams=1"], ["--encoder-header-table-size=0"]], ids=" ".join)
def test_nghttp_in_its_manners(server, tmp_path, options):
    body = tmp_path / "body"
    body.write_bytes(bytes(range(256)) * 4096)
    result = subprocess.run(["nghttp", *options, "-d", str(body), f"https://{NAME}:{server.port}/body"], capture_output=True, timeout=60)
    assert result.returncode == 0 and result.stdout == body.read_bytes(), result.stderr
    assert server.metric("sallyport_rejected_total", stage="request") == 0


def test_nghttp_uploads_and_its_trailers_pass(serve, host):
    received = []

    def script(connection, number):
        data = b""
        while b"\r\n0\r\n" not in data or not data.endswith(b"\r\n\r\n"):
            data += connection.recv(65536)
        received.append(data)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTrailer: X-Back\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Back: yes\r\n\r\n")

    with origins.Scripted(script) as origin:
        server = serve([host(NAME, origin=origin.address)], shards=1)
        shown = run("nghttp", "-v", "-H", "trailer: x-sum", "-H", "te: trailers", "--trailer", "x-sum: 42", "-d", "/etc/hostname", "--no-content-length",
                    f"https://{NAME}:{server.port}/").stdout
    assert ":status: 200" in shown and "x-back: yes" in shown
    assert received[0].lower().endswith(b"0\r\nx-sum: 42\r\n\r\n")


def h2load(server, *options, path="/files/small.txt", timeout=120):
    shown = run("h2load", *options, f"https://{NAME}:{server.port}{path}", timeout=timeout).stdout
    counts = re.search(r"requests: (\d+) total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", shown)
    return [int(count) for count in counts.groups()], shown


@pytest.mark.parametrize("clients, streams", [(1, 1), (1, 100), (20, 10), (64, 16)])
def test_h2load(server, clients, streams):
    counts, shown = h2load(server, "-n", 6400, "-c", clients, "-m", streams)
    assert counts == [6400, 6400, 6400, 0, 0, 0], shown
    assert "Application protocol: h2" in shown
    deadline = time.monotonic() + 5
    while requests(server, code="200") < 6400 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert requests(server, code="200") == 6400 and requests(server) == 6400
    assert server.metric("sallyport_streams_total") == 6400
    assert server.metric("sallyport_rejected_total", stage="request") == 0


@pytest.mark.parametrize("window", [16, 20])
def test_h2load_with_large_answers(server, nginx, window):
    (nginx.files / "of-1").write_bytes(bytes(MIB))
    counts, shown = h2load(server, "-n", 200, "-c", 4, "-m", 8, "-w", window, "-W", window, path="/files/of-1")
    assert counts == [200, 200, 200, 0, 0, 0], shown


def test_h2load_with_bodies(server, tmp_path):
    body = tmp_path / "body"
    body.write_bytes(bytes(100_000))
    counts, shown = h2load(server, "-n", 400, "-c", 4, "-m", 8, "-d", body, path="/body")
    assert counts == [400, 400, 400, 0, 0, 0], shown


def test_a_reload_under_h2load_fails_no_request(server):
    results = []
    thread = threading.Thread(target=lambda: results.append(h2load(server, "-n", 20000, "-c", 8, "-m", 10)))
    thread.start()
    while thread.is_alive():
        assert server.hang_up()
        time.sleep(0.1)
    thread.join()
    assert results[0][0] == [20000, 20000, 20000, 0, 0, 0], results[0][1]


# curl


def test_curl_asks_for_many_at_once_on_one_connection(server):
    before = server.metric("sallyport_connections_total")
    shown = run(*server.curl_command(NAME, "/[1-100]", "-Z", "--parallel-max", "50", "-o", "/dev/null", "-w", "%{http_code} %{http_version}\n")).stdout
    assert shown.splitlines() == ["200 2"] * 100
    assert server.metric("sallyport_connections_total") - before <= 2


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_curl_and_certificates(server, pki, version):
    assert server.curl("e.test", version=version).status == 403
    assert server.curl("e.test", cert=pki.valid().bundle, version=version).seen("X-Client-Cert-Status") == ["valid"]
    assert server.curl(NAME, cert=pki.expired().bundle, version=version).seen("X-Client-Cert-Status") == ["invalid"]


@pytest.mark.parametrize("options", [[], ["-H", "Expect: 100-continue"]], ids=["at once", "asking first"])
@pytest.mark.parametrize("size", [5, 10_000, 3_000_000])
def test_curl_hears_why_its_upload_is_refused(server, tmp_path, size, options):
    """The answer is there before the body is. This curl takes no RST_STREAM for less than a fault, even one with NO_ERROR."""
    body = tmp_path / "body"
    body.write_bytes(bytes(size))
    for _ in range(3):
        assert server.curl("e.test", "/", "--data-binary", f"@{body}", *options).status == 403


# Node


NODE = """
const http2 = require('http2'), tls = require('tls'), fs = require('fs'), crypto = require('crypto');
const [port, ca, cert, key] = process.argv.slice(2);
const session = http2.connect('https://localhost:' + port, {createConnection: () => tls.connect({host: '127.0.0.1', port, servername: 'localhost',
    ALPNProtocols: ['h2'], ca: fs.readFileSync(ca), cert: fs.readFileSync(cert), key: fs.readFileSync(key)})});
const ask = (headers, body) => new Promise((resolve, reject) => {
    const stream = session.request(headers), parts = [];
    let head;
    stream.on('response', got => head = got).on('data', part => parts.push(part)).on('error', reject)
        .on('end', () => resolve([head[':status'], Buffer.concat(parts)]));
    stream.end(body);
});
const large = crypto.randomBytes(3000000);
(async () => {
    const results = {};
    const answers = await Promise.all([...Array(300).keys()].map(i => ask({':path': '/' + i})));
    results.parallel = answers.filter(([status, body], i) => status === 200 && body.toString().startsWith(`GET /${i} HTTP/1.1`)).length;
    results.verdict = /X-Client-Cert-Status: (\\w+)/.exec(answers[0][1])[1];
    const [status, body] = await ask({':path': '/body', ':method': 'POST'}, large);
    results.echo = status === 200 && body.equals(large);
    results.head = (await ask({':path': '/files/small.txt', ':method': 'HEAD'}))[0];
    results.empty = (await ask({':path': '/empty'}))[0];
    results.ping = await new Promise(resolve => session.ping(error => resolve(error === null)));
    results.reset = await new Promise(resolve => {
        const stream = session.request({':path': '/files/small.txt'});
        stream.on('close', () => resolve(stream.rstCode)).on('error', () => {}).close(http2.constants.NGHTTP2_CANCEL);
    });
    results.after = (await ask({':path': '/files/small.txt'}))[1].toString();
    console.log(JSON.stringify(results));
    session.on('goaway', (code, last) => console.log(JSON.stringify({goaway: code})));
    session.on('close', () => console.log(JSON.stringify({closed: true})));
    console.log('ready');
})().catch(error => { console.error(error); process.exit(1); });
"""


def test_node(server, pki, tmp_path):
    client = pki.valid()
    (tmp_path / "client.js").write_text(NODE)
    with subprocess.Popen(["node", str(tmp_path / "client.js"), str(server.port), str(server.server_root), str(client.chain), str(client.key)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as node:
        try:
            line = node.stdout.readline()
            assert line, node.stderr.read()
            assert json.loads(line) == {"parallel": 300, "verdict": "valid", "echo": True, "head": 200, "empty": 204, "ping": True, "reset": 8, "after": "small\n"}
            assert node.stdout.readline() == "ready\n"
            server.stop()
            rest, _ = node.communicate(timeout=20)
        finally:
            node.kill()
    assert [json.loads(line) for line in rest.splitlines()][-1] == {"closed": True} and '{"goaway":0}' in rest


# httpx


def test_httpx(server, pki, tmp_path):
    context = ssl.create_default_context(cafile=str(server.server_root))
    context.load_cert_chain(pki.valid().bundle)
    with httpx.Client(http2=True, verify=context) as client:
        url = f"https://{NAME}:{server.port}"
        for i in range(50):
            answer = client.get(f"{url}/{i}", headers={"X-Mine": str(i)})
            assert (answer.status_code, answer.http_version) == (200, "HTTP/2")
            assert seen(answer.text, "X-Mine") == [str(i)] and seen(answer.text, "X-Client-Cert-Status") == ["valid"]
        body = bytes(range(256)) * 8192
        assert client.post(f"{url}/body", content=body).content == body
        assert client.post(f"{url}/body", content=(body[at:at + 1000] for at in range(0, len(body), 1000))).content == body
        assert client.head(f"{url}/files/small.txt").headers["content-length"] == "6"
    assert requests(server) == 53


# Chromium


PARALLEL = """
window.result = null;
const ask = i => fetch('/number-' + i, {headers: {'X-Mine': String(i)}}).then(answer => answer.text()).then(text => text.startsWith(`GET /number-${i} HTTP/1.1`));
const body = new Uint8Array(2000000).map((_, i) => i % 251);
const echo = fetch('/body', {method: 'POST', body}).then(answer => answer.arrayBuffer()).then(back => {
    const got = new Uint8Array(back);
    return got.length === body.length && got.every((byte, i) => byte === body[i]);
});
Promise.all([echo, ...[...Array(200).keys()].map(ask)]).then(all => {
    const protocols = new Set(performance.getEntriesByType('resource').map(entry => entry.nextHopProtocol));
    window.result = {good: all.filter(Boolean).length, protocols: [...protocols]};
}, error => window.result = {error: String(error)});
"""


@needs_browser
def test_chromium(server, driver):  # noqa: F811
    browser = Browser(driver, more=["--ignore-certificate-errors"])
    try:
        ask_by_chromium(server, browser)
    finally:
        browser.close()


def ask_by_chromium(server, browser):
    before = server.metric("sallyport_connections_total")
    browser.open(f"https://{NAME}:{server.port}/page")
    assert browser.run("return performance.getEntriesByType('navigation')[0].nextHopProtocol") == "h2"
    assert "GET /page HTTP/1.1" in browser.text("body")
    browser.run(PARALLEL)
    deadline = time.monotonic() + 20
    while (result := browser.run("return window.result")) is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert result == {"good": 201, "protocols": ["h2"]}
    # Chromium tries another connection while a handshake takes long, and has six at most: two hundred requests share them.
    assert server.metric("sallyport_connections_total") - before <= 6
    assert requests(server, code="200") >= 202 and server.metric("sallyport_requests_total", protocol="http1") == 0
