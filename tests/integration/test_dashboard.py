"""The dashboard in a real browser: headless Chromium, driven through WebDriver. Screenshots go to build/check/dashboard/."""

import base64
import contextlib
import http.server
import json
import shutil
import subprocess
import threading
import time
import urllib.request

import pytest

from conftest import ROOT, free_port

SHOTS = ROOT / "build" / "check" / "dashboard"
SIZES = {"desktop": (1280, 1500), "phone": (360, 2600)}

pytestmark = pytest.mark.skipif(shutil.which("chromedriver") is None, reason="chromedriver is not installed: tools/deps --check installs it")


class Browser:
    """As much of WebDriver (W3C) as is needed."""

    def __init__(self, driver, dark=False):
        arguments = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"]
        if dark:
            arguments.append("--blink-settings=preferredColorScheme=0")
        self.base = f"http://127.0.0.1:{driver}"
        session = self.send("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL"}, "goog:chromeOptions": {"args": arguments}}}})
        self.session = f"/session/{session['sessionId']}"

    def send(self, method, path, body=None):
        request = urllib.request.Request(self.base + path, method=method, headers={"Content-Type": "application/json"},
                                         data=json.dumps(body).encode() if body is not None else None)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode())

    def open(self, url):
        self.send("POST", self.session + "/url", {"url": url})

    def run(self, script):
        return self.send("POST", self.session + "/execute/sync", {"script": script, "args": []})

    def text(self, what):
        return self.run(f"return document.querySelector({json.dumps(what)}).innerText")

    def wait_for(self, what, text, within=20):
        deadline = time.monotonic() + within
        while text not in self.text(what):
            assert time.monotonic() < deadline, f"{what}: {self.text(what)}"
            time.sleep(0.1)

    def resize(self, size):
        width, height = SIZES[size]
        self.send("POST", self.session + "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"}})

    def shoot(self, name):
        SHOTS.mkdir(parents=True, exist_ok=True)
        (SHOTS / f"{name}.png").write_bytes(base64.b64decode(self.send("GET", self.session + "/screenshot")))

    def complaints(self):
        """Of the console, but for figures that did not come, which the browser itself says."""
        entries = self.send("POST", self.session + "/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] in ("SEVERE", "WARNING") and "ERR_CONNECTION_REFUSED" not in entry["message"]]

    def close(self):
        self.send("DELETE", self.session)


@pytest.fixture(scope="module")
def driver():
    port = free_port()
    process = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while True:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=2).close()
            break
        assert time.monotonic() < deadline
        time.sleep(0.1)
    yield port
    process.terminate()
    process.wait(20)


@pytest.fixture
def browse(driver):
    browsers = []

    def start(**options):
        browsers.append(Browser(driver, **options))
        return browsers[-1]

    yield start
    for browser in browsers:
        browser.close()


@pytest.fixture
def server(serve, host):
    return serve([host("m.test", "enforce"), host("o.test", "report")], shards=2)


def address(server):
    return f"http://127.0.0.1:{server.admin_port}/"


def test_it_may_run_nothing_but_itself(server):
    with urllib.request.urlopen(address(server), timeout=10) as answer:
        page, headers = answer.read().decode(), answer.headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy and "http" not in policy
    assert headers["Content-Type"] == "text/html; charset=utf-8" and headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store" and headers["Referrer-Policy"] == "no-referrer"
    assert "src=" not in page and "@import" not in page and "innerHTML" not in page
    assert len(page) < 60 * 1024


def test_it_shows_what_the_figures_say_and_follows_them(server, browse, pki):
    browser = browse()
    browser.resize("desktop")
    browser.open(address(server))
    browser.wait_for("#sentence", "Calm")
    server.curl("m.test", cert=pki.valid().bundle)
    for _ in range(3):
        server.curl("m.test")
    server.curl("o.test", cert=pki.expired().bundle)
    browser.wait_for("#verdicts", "absent")
    browser.wait_for("#verdicts", "expired")
    stats = json.loads(server.admin("/stats.json")[1])
    rows = {cells[0]: cells[-1] for cells in browser.run(
        "return [...document.querySelectorAll('#verdicts tbody tr')].map(row => [...row.cells].map(cell => cell.innerText))")}
    assert rows == {reason: str(count) for reason, count in stats["client_certs"]["by_reason"].items() if count}
    hosts = browser.text("#hosts")
    assert "m.test" in hosts and "enforce" in hosts and "403: 3" in hosts and "o.test" in hosts
    browser.wait_for("#rejected", "denied")
    browser.wait_for("#road-hosts", "would have blocked 1 requests in the last hour")
    labels = browser.run("return [...document.querySelectorAll('svg')].map(drawing => drawing.getAttribute('aria-label'))")
    assert len(labels) == 8 and all(label for label in labels)
    # And on.
    assert "unknown_issuer" not in browser.text("#verdicts")
    server.curl("o.test", cert=pki.stranger().bundle)
    browser.wait_for("#verdicts", "unknown_issuer")
    browser.shoot("calm-light")
    assert browser.complaints() == []


def test_a_server_that_is_gone_is_said_to_be(server, browse):
    browser = browse()
    browser.open(address(server))
    browser.wait_for("#sentence", "Calm")
    assert browser.run("return document.getElementById('lost').hidden")
    server.stop()
    browser.wait_for("#lost", "has not answered for")
    browser.shoot("lost")


class Scripted:
    """A server with the real page and figures that a test makes up."""

    def __init__(self, page, policy):
        self.document = {}
        scripted = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps(scripted.document).encode() if self.path.endswith("stats.json") else page
                self.send_response(200)
                self.send_header("Content-Type", "application/json" if self.path.endswith("stats.json") else "text/html; charset=utf-8")
                self.send_header("Content-Security-Policy", policy)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def scripted(server):
    with urllib.request.urlopen(address(server), timeout=10) as answer:
        made = Scripted(answer.read(), answer.headers["Content-Security-Policy"])
    made.document = json.loads(server.admin("/stats.json")[1])
    yield made
    made.server.shutdown()


def flooded(document):
    """Five minutes of which the last three are a flood."""
    now = document["server"]["now"]
    series = document["history"]["series"]
    shape = lambda calm, flood: [calm + (i * 7919 % 13 - 6) * calm / 90 for i in range(120)] + [flood + (i * 104729 % 17 - 8) * flood / 120 for i in range(180)]
    for name in series:
        series[name] = [0] * 300
    series.update(handshakes_full=shape(900, 880), handshakes_resumed=shape(300, 310), handshakes_failed=shape(2, 400), requests=shape(5200, 5100),
                  rejected_accept=shape(1, 24000), rejected_hello=shape(2, 3100), rejected_admission=shape(0, 800), rejected_handshake=shape(0, 420),
                  certs_valid=shape(900, 870), certs_invalid=shape(4, 90), connections=shape(1500, 8100), admission_state=[0] * 120 + [2] * 180,
                  work_known=shape(0.11, 0.11), work_others=shape(0.01, 0.06), handshake_full_p50=shape(0.0011, 0.0013),
                  handshake_full_p99=shape(0.0032, 0.0041), request_p50=shape(0.0004, 0.0004), request_p99=shape(0.0018, 0.0021))
    document["shards"] = [{"connections": 4050, "connections_total": 9e6, "admission_state": "flooded"}, {"connections": 4060, "connections_total": 9e6, "admission_state": "loaded"}]
    document["rejected"]["accept"]["suspect"] = int(now * 24000) % 10**9
    document["rejected"]["hello"]["not_tls"] = int(now * 3100) % 10**9
    document["latencies"]["request"]["last_10s"] = {"count": 51000, "p50": 0.0004, "p90": 0.0009, "p99": 0.0021, "p99.9": 0.0043, "max": 0.0121}
    document["hosts"][0]["origins"] = [{"address": "10.0.0.7:9000", "up": False}, {"address": "10.0.0.8:9000", "up": True}]
    document["hosts"][0]["certificate"]["not_after"] = now + 5 * 86400
    return document


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_a_flood_is_understood(scripted, browse, dark, size):
    browser = browse(dark=dark)
    browser.resize(size)
    scripted.document = flooded(scripted.document)
    browser.open(scripted.address)
    browser.wait_for("#sentence", "Flooded")
    document = json.loads(json.dumps(scripted.document))
    document["server"]["now"] += 1
    document["rejected"]["accept"]["suspect"] += 24000
    document["rejected"]["hello"]["not_tls"] += 3100
    scripted.document = document
    browser.wait_for("#sentence", "suspect at accept 24,000")
    sentence = browser.text("#sentence")
    assert "27,100 connections a second are refused" in sentence and "not_tls at hello 3,100" in sentence
    assert "Origin down: 10.0.0.7:9000 of m.test" in sentence and "Certificate near its end: m.test" in sentence
    assert browser.run("return getComputedStyle(document.body).backgroundColor") == ("rgb(14, 17, 22)" if dark else "rgb(246, 247, 249)")
    assert browser.run("return document.documentElement.scrollWidth <= document.documentElement.clientWidth"), "the page itself scrolls sideways"
    browser.shoot(f"flood-{size}-{'dark' if dark else 'light'}")
    assert browser.complaints() == []


def test_hostile_texts_are_texts_and_what_is_missing_is_not_available(scripted, browse):
    browser = browse()
    hostile = "<img src=x onerror=document.title='owned'>\u202e"
    document = scripted.document
    document["hosts"][0]["name"] = hostile
    document["hosts"][1]["report"]["top_issuers"] = [{"value": hostile, "count": 5, "error": 1}]
    browser.open(scripted.address)
    browser.wait_for("#hosts", "onerror")
    browser.wait_for("#road-hosts", "onerror")
    assert browser.run("return document.querySelectorAll('img').length") == 0 and browser.run("return document.title") == "Sallyport"
    scripted.document = {"server": {**document["server"], "now": document["server"]["now"] + 2}}
    browser.wait_for("#latencies", "not available")
    browser.wait_for("#chart-requests", "not available")
    assert browser.complaints() == []


def test_it_is_reached_by_keyboard(scripted, browse):
    browser = browse()
    browser.open(scripted.address)
    browser.wait_for("#sentence", "Calm")
    reached = browser.run("return [...document.querySelectorAll('summary, [tabindex=\"0\"]')].length")
    assert reached >= 6
    assert browser.run("return [...document.querySelectorAll('th')].every(head => head.getAttribute('scope') === 'col')")
    assert browser.run("return document.documentElement.lang") == "en"
