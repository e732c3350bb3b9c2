"""The dashboard in a real browser: headless Chromium, driven through WebDriver."""

import http.server
import json
import re
import subprocess
import threading
import time
import urllib.request

import pytest

from browser import SIZES, Browser, driver, needs_browser  # noqa: F401 (driver is a fixture)
from conftest import BINARY, NO_SUSPECTS, SANITIZED, free_port, wait_for
from pki import DAY

LOAD = BINARY.parent / "bench" / "sallyport-load"
CALM = "Nothing is wrong that this server can see."

pytestmark = needs_browser


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
    browser.resize("wide")
    browser.open(address(server))
    browser.wait_for("#sentence", CALM)
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
    browser.wait_for("#rollout-hosts", "would have blocked 1 requests in the last hour")
    labels = browser.run("return [...document.querySelectorAll('svg')].map(drawing => drawing.getAttribute('aria-label'))")
    assert len(labels) == 9 and all(label for label in labels)
    browser.wait_for("#hosts", "days left")
    assert "up" in hosts
    # And on.
    assert "unknown_issuer" not in browser.text("#verdicts")
    server.curl("o.test", cert=pki.stranger().bundle)
    browser.wait_for("#verdicts", "unknown_issuer")
    assert browser.complaints() == []


def test_a_server_that_is_gone_is_said_to_be(server, browse):
    browser = browse()
    browser.open(address(server))
    browser.wait_for("#sentence", CALM)
    assert browser.run("return document.getElementById('lost').hidden") and browser.title() == "Sallyport"
    server.stop()
    browser.wait_for("#lost", "has not answered for")
    since = re.search(r"The figures below are those of (\d\d:\d\d:\d\d)\.", browser.text("#lost")).group(1)
    assert browser.title() == f"No answer since {since} · Sallyport"
    assert browser.run("return document.getElementById('state').hidden"), "nobody knows how things stand"
    browser.shoot("lost")


def test_a_server_that_never_answered_is_said_to_be_silent(scripted, browse):
    scripted.document = None
    browser = browse()
    browser.open(scripted.address)
    browser.wait_for("#lost", "No figures have come yet.")
    assert browser.title() == "No answer · Sallyport"


def look(browser, name, sentence, title, colour, within=30):
    """Waits until the page says so in words, in its title and in colour, and takes pictures of it in both colour schemes and two widths."""
    browser.open(browser.page)
    browser.wait_for("#sentence", sentence, within)
    assert browser.title() == title
    assert browser.run("return document.getElementById('state').className") == colour
    words = {"bad": "Critical", "warn": "Warning", "good": "Nothing found"}
    assert browser.text("#level") == words[colour]
    for scheme in ("light", "dark"):
        browser.prefer(scheme)
        for size in ("wide", "tablet"):
            browser.resize(size)
            browser.shoot(f"{name}-{size}-{scheme}")
            assert browser.run("return document.documentElement.scrollWidth <= document.documentElement.clientWidth"), "the page itself scrolls sideways"
    assert browser.complaints() == []


def test_calm_is_said_of_admission_and_nothing_else(server, browse, pki):
    browser = browse(page=address(server))
    for _ in range(5):
        assert server.curl("m.test", cert=pki.valid().bundle).status == 200
    look(browser, "calm", CALM, "Sallyport", "good")
    assert browser.text("#sentence") == CALM
    assert browser.text("#admission") == "Admission: calm; each client gets its handshake at once."
    assert "handshakes and" in browser.text("#figures") and browser.run("return document.getElementById('more').hidden")
    assert "alm" not in browser.text("#sentence")


def test_all_valid_clients_refused_by_an_ended_list(serve, host, pki, browse):
    lists = [pki.crl(pki.root), pki.crl(pki.intermediate, start=-3 * DAY, end=-DAY / 24)]
    server = serve([host("m.test", "enforce", crl=[str(path) for path in lists]), host("o.test", "report")], admission=NO_SUSPECTS)
    for _ in range(8):
        assert server.curl("m.test", cert=pki.valid().bundle).status == 403
        assert server.curl("o.test", cert=pki.valid().bundle).status == 200
    figures = lambda: json.loads(server.admin("/stats.json")[1])
    wait_for(lambda: any(" 8 of 8 handshakes " in finding["text"] for finding in figures()["findings"]))
    document = figures()
    first = document["findings"][0]
    assert (first["level"], first["what"], first["host"]) == ("critical", "clients_refused", "m.test")
    assert "8 of 8 handshakes in the last minute, most as crl_stale. The revocation list of CN=Client Intermediate ended at " in first["text"]
    assert [finding["host"] for finding in document["findings"]] == ["m.test"], "it is told once, and of that host"
    hosts = {entry["name"]: entry for entry in document["hosts"]}
    assert hosts["m.test"]["denied"] == {"crl_stale": 8} and hosts["o.test"]["denied"] == {}
    assert hosts["m.test"]["last_minute"]["invalid"] == 8 and hosts["m.test"]["last_minute"]["refused"] == 8
    look(browse(page=address(server)), "ended-list", "Nearly all clients of m.test are refused: ", "Critical: clients refused, m.test · Sallyport", "bad")


def test_an_origin_that_is_down(serve, host, pki, browse):
    gone = f"127.0.0.1:{free_port()}"
    server = serve([host("m.test", "enforce", origin=gone)])
    for _ in range(3):
        assert server.curl("m.test", cert=pki.valid().bundle).status == 502
    browser = browse(page=address(server))
    look(browser, "origin-down", f"The origin of m.test is down: the last connection to {gone} failed. 3 requests were answered 502 or 504 in the last minute.",
         "Critical: origin down, m.test · Sallyport", "bad")
    assert f"{gone} is down" in browser.text("#hosts")


@pytest.mark.slow
@pytest.mark.skipif(not LOAD.exists(), reason="build/bench/sallyport-load is not built")
def test_a_flood(serve, host, pki, browse):
    server = serve([host("m.test", "enforce")], shards=1)
    assert server.curl("m.test", cert=pki.valid().bundle).status == 200
    command = [str(LOAD), "rogue", "--connect", f"127.0.0.1:{server.port}", "--sni", "m.test", "--connections", "512", "--duration", "60", "--source-addresses", "2000",
               "--source-first", "127.64.0.1", "--cert", str(pki.valid().bundle)]
    flood = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        browser = browse(page=address(server))
        look(browser, "flood", "The server is flooded: known clients are served first", "Critical: flooded · Sallyport", "bad")
        assert server.curl("m.test", cert=pki.valid().bundle).status == 200
        findings = json.loads(server.admin("/stats.json")[1])["findings"]
        assert "connections and requests a second are refused." in findings[0]["text"] and "host" not in findings[0]
        assert "yours" not in findings[0]["text"], "these are strangers"
        assert all(finding["level"] == "warning" for finding in findings[1:]), "nobody that is valid is refused"
    finally:
        flood.terminate()
        flood.wait(20)
    browser.wait_for("#admission", "Admission: calm", 60)


class Scripted:
    """A server with the real page and figures that a test makes up."""

    def __init__(self, page, policy):
        self.document = {}
        scripted = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps(scripted.document).encode() if self.path.endswith("stats.json") else page
                self.send_response(500 if body == b"null" else 200)
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
def scripted(request):
    if SANITIZED:
        pytest.skip("the browser works alone, beside a page of the server that others look at too")
    server = request.getfixturevalue("server")
    with urllib.request.urlopen(address(server), timeout=10) as answer:
        made = Scripted(answer.read(), answer.headers["Content-Security-Policy"])
    made.document = json.loads(server.admin("/stats.json")[1])
    made.document["findings"] = []
    yield made
    made.server.shutdown()


def flooded(document):
    """Five minutes of which the last three are a flood."""
    now = document["server"]["now"]
    series = document["history"]["series"]
    shape = lambda calm, flood: [calm + (i * 7919 % 13 - 6) * calm / 90 for i in range(120)] + [flood + (i * 104729 % 17 - 8) * flood / 120 for i in range(180)]
    for name in series:
        series[name] = [0] * 300
    series.update(handshakes_full=shape(900, 880), handshakes_resumed=shape(300, 310), handshakes_failed=shape(2, 400), requests=shape(5200, 5100), requests_2xx=shape(5100, 3900), requests_3xx=shape(40, 40),
                  requests_4xx=shape(60, 160), requests_5xx=shape(0, 1000), received_bytes=shape(3e6, 9e6), sent_bytes=shape(2e7, 2e7),
                  rejected_accept=shape(1, 24000), rejected_hello=shape(2, 3100), rejected_admission=shape(0, 800), rejected_handshake=shape(0, 420),
                  certs_valid=shape(900, 870), certs_invalid=shape(4, 90), connections=shape(1500, 8100), admission_state=[0] * 120 + [2] * 180,
                  work_known=shape(0.11, 0.11), work_others=shape(0.01, 0.06), handshake_full_p50=shape(0.0011, 0.0013),
                  handshake_full_p99=shape(0.0032, 0.0041), request_p50=shape(0.0004, 0.0004), request_p99=shape(0.0018, 0.0021))
    document["shards"] = [{"connections": 4050, "connections_total": 9e6, "admission_state": "flooded"}, {"connections": 4060, "connections_total": 9e6, "admission_state": "loaded"}]
    document["rejected"]["accept"]["suspect"] = int(now * 24000) % 10**9
    document["rejected"]["hello"]["not_tls"] = int(now * 3100) % 10**9
    document["latencies"]["request"]["last_10s"] = {"count": 51000, "p50": 0.0004, "p90": 0.0009, "p99": 0.0021, "p99.9": 0.0043, "max": 0.0121}
    document["hosts"][0]["origins"] = [{"address": "10.0.0.7:9000", "up": False}, {"address": "10.0.0.8:9000", "up": True}]
    document["hosts"][0]["certificates"][0]["not_after"] = now + 5 * 86400
    document["hosts"][0]["crls"] = [{"issuer": "CN=Devices", "next_update": now + 4 * 86400}, {"issuer": "CN=Root", "next_update": None}]
    document["findings"] = [
        {"level": "critical", "what": "origin_down", "host": "m.test", "text": "All 2 origins of m.test are down."},
        {"level": "critical", "what": "flooded", "text": "The server is flooded."},
        {"level": "warning", "what": "crl_ends", "host": "m.test", "text": "The revocation list of CN=Devices ends in 4 days."}]
    document["findings_left_out"] = 2
    document["hosts"][0]["last_minute"] = {"none": 12, "valid": 51000, "invalid": 5400, "requests": 306000, "refused": 5400, "2xx": 234000, "3xx": 2400, "4xx": 9600, "5xx": 60000}
    document["hosts"][0]["requests_by_code"] = {"200": 41234567, "304": 123456, "403": 54321, "502": 987654}
    return document


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_a_flood_is_understood(scripted, browse, dark, size):
    browser = browse(dark=dark)
    browser.resize(size)
    scripted.document = flooded(scripted.document)
    browser.open(scripted.address)
    browser.wait_for("#sentence", "All 2 origins of m.test are down.")
    assert browser.title() == "Critical: origin down, m.test · Sallyport"
    document = json.loads(json.dumps(scripted.document))
    document["server"]["now"] += 1
    document["rejected"]["accept"]["suspect"] += 24000
    document["rejected"]["hello"]["not_tls"] += 3100
    scripted.document = document
    browser.wait_for("#figures", "suspect at accept 24,000")
    assert "Most are refused as suspect at accept 24,000, not_tls at hello 3,100, a second." in browser.text("#figures")
    assert "Admission: flooded at 1 of 2 shards" in browser.text("#admission")
    others = browser.run("return [...document.querySelectorAll('#findings li')].map(line => line.innerText)")
    assert others == ["Critical The server is flooded.", "Warning The revocation list of CN=Devices ends in 4 days.", "2 more, none of which is worse"]
    hosts = browser.text("#hosts")
    assert "10.0.0.7:9000 is down, 1 up" in hosts and "list of CN=Devices: 4 days left" in hosts
    assert browser.run("return getComputedStyle(document.body).backgroundColor") == ("rgb(14, 17, 22)" if dark else "rgb(246, 247, 249)")
    assert browser.run("return document.documentElement.scrollWidth <= document.documentElement.clientWidth"), "the page itself scrolls sideways"
    browser.shoot(f"scripted-{size}-{'dark' if dark else 'light'}")
    assert browser.complaints() == []


def test_hostile_texts_are_texts_and_what_is_missing_is_not_available(scripted, browse):
    browser = browse()
    hostile = "<img src=x onerror=document.title='owned'>\u202e"
    document = scripted.document
    document["hosts"][0]["name"] = hostile
    document["hosts"][1]["report"]["top_issuers"] = [{"value": hostile, "count": 5, "error": 1}]
    browser.open(scripted.address)
    document["findings"] = [{"level": hostile, "what": hostile, "text": hostile}]
    browser.wait_for("#hosts", "onerror")
    browser.wait_for("#rollout-hosts", "onerror")
    browser.wait_for("#sentence", "onerror")
    assert browser.run("return document.querySelectorAll('img').length") == 0 and browser.title().endswith(" · Sallyport")
    scripted.document = {"server": {**document["server"], "now": document["server"]["now"] + 2}}
    browser.wait_for("#latencies", "not available")
    browser.wait_for("#chart-requests", "not available")
    browser.wait_for("#sentence", "does not say whether something is wrong")
    assert browser.complaints() == []


def test_it_is_reached_by_keyboard(scripted, browse):
    browser = browse()
    browser.open(scripted.address)
    browser.wait_for("#sentence", CALM)
    reached = browser.run("return [...document.querySelectorAll('summary, [tabindex=\"0\"]')].length")
    assert reached >= 6
    assert browser.run("return [...document.querySelectorAll('th')].every(head => head.getAttribute('scope') === 'col')")
    assert browser.run("return document.documentElement.lang") == "en"


def test_the_pointer_and_the_keys_tell_the_values_of_a_moment(scripted, browse):
    document = scripted.document
    names = ["requests_2xx", "requests_3xx", "requests_4xx", "requests_5xx"]
    for i, name in enumerate(names):
        document["history"]["series"][name] = [1000 * (i + 1) + second for second in range(300)]
    end = document["history"]["end"]
    browser = browse()
    browser.resize("wide")
    browser.open(scripted.address)
    browser.wait_for("#chart-requests .now", "1,299")
    values = lambda: browser.run("return [...document.querySelectorAll('#chart-requests .now')].map(node => node.innerText)")
    unit = lambda chart: browser.text(f"#{chart} .unit")
    clock = lambda second: browser.run(f"const date = new Date({(end - 299 + second) * 1000}); return date.toTimeString().slice(0, 8)")
    assert values() == ["1,299", "2,299", "3,299", "4,299"] and unit("chart-requests") == "a second"
    middle = browser.point("#chart-requests .plot", 0.5)
    second = int(values()[0].replace(",", "")) - 1000
    assert 148 <= second <= 151 and values()[3] == f"{4000 + second:,}"
    assert unit("chart-requests") == unit("chart-work") == "at " + clock(second), "all charts have one cursor"
    # The axis has each whole minute, where it belongs.
    labels = browser.run("return [...document.querySelectorAll('#chart-requests .axis span')].map(label => [label.innerText, parseFloat(label.style.left)])")
    minutes = [when for when in range(end - 299, end + 1) if when % 60 == 0]
    assert [text for text, _ in labels] == [clock(when - end + 299)[:5] for when in minutes]
    assert [left for _, left in labels] == pytest.approx([(when - end + 299) / 2.99 for when in minutes], abs=0.01)
    # By keys, from the newest on; what the page draws anew meanwhile does not take the focus away.
    browser.run("document.querySelector('#chart-requests .plot').focus()")
    corner = {"type": "pointerMove", "duration": 0, "x": 1, "y": 1}
    browser.act("mouse", corner)
    for key, second in (("\ue012", 298), ("\ue012", 297), ("\ue014", 298), ("\ue011", 0), ("\ue010", 299)):
        browser.press(key)
        assert values()[0] == f"{1000 + second:,}", key
    browser.press("\ue012")
    time.sleep(1.5)
    assert values()[0] == "1,298" and unit("chart-requests") == "at " + clock(298)
    spoken = browser.run("return document.activeElement.getAttribute('aria-valuetext')")
    assert spoken == f"{clock(298)}: 2xx 1,298, 3xx 2,298, 4xx 3,298, 5xx 4,298"
    browser.press("\ue00c")
    assert unit("chart-requests") == "a second"
    # And by a finger, which leaves the values where they are until it touches another place.
    browser.touch(middle)
    assert unit("chart-work").startswith("at ") and 1148 <= int(values()[0].replace(",", "")) <= 1151
    browser.touch(corner)
    assert unit("chart-work") == "cores"


def test_rows_line_up(scripted, browse):
    browser = browse()
    browser.resize("wide")
    scripted.document = flooded(scripted.document)
    scripted.document["findings"] = []
    browser.open(scripted.address)
    browser.wait_for("#figures", "requests a second")
    tops = lambda what: browser.run(f"return [...document.querySelectorAll('{what}')].map(node => Math.round(node.getBoundingClientRect().top))")
    for what in ("#charts figure", "#charts .plot", "#charts .axis", "#charts .legend"):
        rows = tops(what)
        assert len(rows) == 9 and [len(set(rows[i:i + 3])) for i in (0, 3, 6)] == [1, 1, 1], what
    assert len(set(tops(".tables > div")[1:])) == 1
    assert tops("#hosts") < tops("#latencies")
    document = json.loads(json.dumps(scripted.document))
    document["server"]["now"] += 1
    document["rejected"]["accept"]["suspect"] += 24000
    scripted.document = document
    browser.wait_for("#figures", "24,000 connections and requests a second are refused: suspect at accept 24,000.")
