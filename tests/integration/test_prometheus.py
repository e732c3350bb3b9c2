"""Prometheus and its promtool, from Debian, read the metrics."""

import contextlib
import json
import re
import shutil
import subprocess
import threading
import time
import urllib.parse
import urllib.request

import pytest

from conftest import ROOT, SANITIZED, free_port
from pki import DAY

TOOLS = ROOT / "tools" / "prometheus"
DASHBOARD = ROOT / "tools" / "grafana" / "sallyport.json"

pytestmark = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed: tools/deps --check installs it")


def promtool(*arguments, **options):
    return subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=60, **options)


def traffic(server, pki):
    server.curl("m.test", cert=pki.valid().bundle)
    server.curl("m.test")
    server.curl("o.test", cert=pki.expired().bundle)
    server.curl("no.test", "/", "-k", check=False)


@pytest.fixture
def server(serve, host, pki):
    odd = pki.authority('Odd "name" \\ ü')
    lists = [str(pki.crl(pki.root)), str(pki.crl(pki.intermediate, end=30 * DAY))]
    return serve([host("m.test", "enforce", ca=[str(pki.root.cert), str(odd.cert)], crl=lists), host("o.test", "report"), host("off.test")], shards=2)


def test_promtool_finds_nothing_to_say(server, pki):
    traffic(server, pki)
    _, page = server.admin("/metrics")
    result = promtool("check", "metrics", input=page)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout + result.stderr == ""
    for name in ("crl_next_update_seconds", "client_ca_not_after_seconds", "origin_up"):
        assert f"\nsallyport_{name}{{" in page


@pytest.mark.skipif(SANITIZED, reason="does not run the server")
def test_alert_rules():
    checked = promtool("check", "rules", TOOLS / "alerts.yml")
    assert checked.returncode == 0 and "SUCCESS" in checked.stdout, checked.stdout + checked.stderr
    tested = promtool("test", "rules", TOOLS / "alerts_test.yml")
    assert tested.returncode == 0 and "SUCCESS" in tested.stdout, tested.stdout + tested.stderr


def test_each_alert_has_a_test():
    names = re.findall(r"- alert: (\w+)", (TOOLS / "alerts.yml").read_text())
    tests = (TOOLS / "alerts_test.yml").read_text()
    assert names
    for name in names:
        assert re.search(rf"alertname: {name}\n\s+exp_alerts:", tests), name


def test_each_alert_is_in_the_runbook():
    names = re.findall(r"- alert: (\w+)", (TOOLS / "alerts.yml").read_text())
    items = re.findall(r"^- (`Sallyport[^:]*):", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(items))) == sorted(names)


class Prometheus:
    def __init__(self, folder, server):
        self.port = free_port()
        config = folder / "prometheus.yml"
        config.write_text(
            "global: {scrape_interval: 500ms}\n"
            f"scrape_configs: [{{job_name: sallyport, static_configs: [{{targets: ['127.0.0.1:{server.admin_port}']}}]}}]\n")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{self.port}"],
            stdout=subprocess.DEVNULL, stderr=open(folder / "prometheus.log", "wb"))

    def query(self, expression):
        url = f"http://127.0.0.1:{self.port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def wait_for(self, expression, value, within=30):
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            # Not there yet, or there and not ready, which it says in plain text.
            with contextlib.suppress(OSError, ValueError, KeyError):
                result = self.query(expression)["data"]["result"]
                if result and float(result[0]["value"][1]) == value:
                    return
            time.sleep(0.2)
        raise AssertionError(f"{expression} is not {value}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture
def prometheus(server, tmp_path):
    with Prometheus(tmp_path, server) as running:
        yield running


def expressions(panels):
    for panel in panels:
        yield from (target["expr"] for target in panel.get("targets", []))
        yield from expressions(panel.get("panels", []))


def test_prometheus_scrapes_it_and_can_answer_what_the_dashboard_and_the_alerts_ask(server, pki, prometheus):
    traffic(server, pki)
    prometheus.wait_for('up{job="sallyport"}', 1)
    prometheus.wait_for('sum(sallyport_client_certs_total{host="m.test",reason="ok"})', 1)
    prometheus.wait_for('sum(sallyport_would_block_total{host="o.test",reason="expired"})', 1)
    exposed = set(re.findall(r"^# TYPE (\S+)", server.admin("/metrics")[1], re.MULTILINE))
    asked = [expression.replace("$__rate_interval", "1m").replace("$instance", ".*").replace("$host", ".*")
             for expression in expressions(json.loads(DASHBOARD.read_text())["panels"])]
    assert len(asked) > 20
    rules = re.findall(r"expr: (?:>\n)?((?:.+\n)(?:          .+\n)*?)(?=        (?:for|labels):)", (TOOLS / "alerts.yml").read_text())
    assert len(rules) == (TOOLS / "alerts.yml").read_text().count("- alert:")
    for expression in asked + rules:
        answer = prometheus.query(expression)
        assert answer["status"] == "success", (expression, answer)
        for name in re.findall(r"\b((?:sallyport|process)_\w+)", expression):
            assert name in exposed or re.sub(r"_(bucket|sum|count)$", "", name) in exposed, name
    shown = set(re.findall(r"\b(?:sallyport|process)_\w+", " ".join(asked)))
    for name in exposed:
        assert any(found == name or found == name + "_bucket" for found in shown), f"the dashboard shows no {name}: see tools/grafana/generate"


def test_each_metric_is_in_the_contract(server):
    exposed = re.findall(r"^# TYPE (\S+)", server.admin("/metrics")[1], re.MULTILINE)
    rows = " ".join(re.findall(r"^\| (`(?:sallyport|process)_[^|]*)", (ROOT / "docs" / "contract.md").read_text(), re.MULTILINE))
    assert sorted(re.findall(r"`(\w+)`", rows)) == sorted(exposed)


@pytest.mark.slow
def test_a_thousand_hosts_take_little_time_and_nobody_waits_for_them(serve, host):
    server = serve([{**host("h0.test"), "name": f"h{i}.test"} for i in range(1000)], shards=1)
    url = f"http://127.0.0.1:{server.admin_port}/metrics"
    spent, stop = [], threading.Event()

    def scrape():
        while not stop.is_set():
            begin = time.monotonic()
            with urllib.request.urlopen(url, timeout=20) as answer:
                size = len(answer.read())
            spent.append(time.monotonic() - begin)
            assert size > 1e6

    thread = threading.Thread(target=scrape)
    with server.open(server.tls_client(), "h1.test") as connection:
        connection.get()
        thread.start()
        waits, before = [], server.cpu_seconds()
        while len(spent) < 10:
            begin = time.monotonic()
            assert connection.get()[0] == 200
            waits.append(time.monotonic() - begin)
        stop.set()
        thread.join()
        work = server.cpu_seconds() - before
    waits.sort()
    assert len(waits) > 10
    if not SANITIZED:
        # Those of the requests beside it count too; bench/RESULTS.md has what it takes.
        assert work / len(spent) < 0.2, (work, spent)
        # Who waits for a scrape does so often. The machine may be busy.
        assert waits[len(waits) // 4] < 0.05, waits[len(waits) // 4]
