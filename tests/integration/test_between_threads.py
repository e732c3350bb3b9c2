"""
What the threads of the server share, all of it in use at once: verdicts, tickets, sources and replays, configurations that come
and go, names, health checks, counters, pages and the access log. A run under ThreadSanitizer sees who touches what without the
other's leave (docs/hacking.md); in any build no client may notice, and the counts must add up.
"""

import collections
import contextlib
import itertools
import json
import signal
import subprocess
import threading

import pytest

import dns
from conftest import NO_SUSPECTS, ROOT, wait_for
from test_names import APP, FIRST, SECOND, THIRD, Numbered
from tls_origins import ORIGIN, Nginx, authority, entry  # noqa: F401 (fixtures)

LOAD = ROOT / "build" / "bench" / "sallyport-load"
SHARDS = 4
ROUNDS = 8
VERDICTS, ROLLOUT, NAMES, TLS = "v.test", "r.test", "n.test", "a.test"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not LOAD.exists(), reason="build/bench/sallyport-load is not built")]


class Clients:
    """Loads that go on until the end of the test."""

    def __init__(self, server):
        self.server = server
        self.loads = []

    def come(self, mode, name, *options, connections=4):
        command = [LOAD, mode, "--connect", f"127.0.0.1:{self.server.port}", "--sni", name, "--connections", connections,
                   "--duration", 3600, "--json", *options]
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.loads.append(process)
        return process

    def leave(self, process):
        """Ends one of them, whose answers must all have been good."""
        process.terminate()
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0, output

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.loads:
            process.kill()
            process.communicate()


@contextlib.contextmanager
def repeated(function):
    """Has a thread call the function again and again. An exception of it is one of the test."""
    ending, failures = threading.Event(), []

    def run():
        try:
            while not ending.is_set():
                function()
        except Exception as failure:
            failures.append(failure)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(60)
    assert not failures, failures


@pytest.fixture
def site(serve, host, entry, authority, pki, tmp_path):  # noqa: F811
    """Gives a server, a function that reloads it with the other one of two configurations, and the DNS and origin of its names."""
    crls = [pki.crl(pki.root), pki.crl(pki.intermediate, [pki.expired()])]
    with dns.Server() as names, Numbered(FIRST, SECOND, THIRD) as app, \
            Nginx(tmp_path / "tls", authority.leaf(ORIGIN)) as secure, \
            Nginx(tmp_path / "tls2", authority.leaf(ORIGIN), more="http2") as secure2:
        names.says(APP, [FIRST])
        health = {"path": "/up", "interval": "100ms", "timeout": "100ms"}
        configurations = itertools.cycle([[
            host(VERDICTS, "enforce", crl=list(map(str, crls)),
                 forward={"headers": {"X-Device": "subject.cn"}} if other else None),
            host(ROLLOUT, "report"),
            {**host(NAMES, origin=f"{APP}:{app.port}"), "health": health},
            {**(entry(secure2, protocol="http2") if other else entry(secure)), "health": {**health, "path": "/"}},
        ] for other in (False, True)])
        log = tmp_path / "access.log"
        server = serve(next(configurations), shards=SHARDS, access_log=str(log), admission=NO_SUSPECTS,
                       resolver={"servers": [names.address]})
        yield server, lambda: server.reload(next(configurations)), names, app, log


def statuses(log):
    """What the access log says of clients' certificates, by host and by the first three numbers of the source."""
    found = collections.defaultdict(set)
    for path in log.parent.glob("access.log*"):
        for line in map(json.loads, path.read_text().splitlines()):
            if line["event"] == "request":
                found[line["host"], line["source"].rpartition(".")[0]].add(line["status"])
    return found


def test_all_at_once(site, pki):
    server, reload, names, app, log = site
    good = ["--cert", pki.valid().bundle]
    floods = {  # with the status of those of them that get as far as a request
        "handshake": (None, {"none"}), "hello": (None, set()), "rogue": (good, {"invalid"}),
        "certificate": (["--cert", pki.expired().bundle], {"invalid"}), "replayed-ticket": (good, {"valid"}),
        "issued": ([*good, "--issuer-key", pki.intermediate.key], {"valid"})}
    pages = itertools.cycle(["/metrics", "/stats.json", "/readyz", "/"])
    assert server.curl(VERDICTS, cert=pki.valid().bundle).status == 200, "it is a known client when the floods begin"
    with Clients(server) as clients, contextlib.ExitStack() as at_once:
        kept = [clients.come(mode, host, *good, *more) for mode, host, *more in [
            ("request", VERDICTS), ("request", VERDICTS, "--http2"), ("handshake", VERDICTS), ("resumed", ROLLOUT), ("request", TLS)]]
        clients.come("request", NAMES, *good)  # it gets 503, until the checks have found the origin to be down
        for number, (mode, (options, _)) in enumerate(floods.items()):
            clients.come(mode, ROLLOUT, *(options or []), "--source-addresses", 100, "--source-first", f"127.64.{number}.1")
        for _ in range(2):
            at_once.enter_context(repeated(lambda: server.admin(next(pages))))
        for round_ in range(ROUNDS):
            names.says(APP, [[FIRST, SECOND], [THIRD], [SECOND, THIRD]][round_ % 3])
            app.failing ^= {SECOND}
            assert reload(), server.stderr()
            log.rename(log.with_suffix(f".log.{round_}"))
            server.process.send_signal(signal.SIGUSR1)
            wait_for(log.exists)
        for process in kept:
            clients.leave(process)
        at_once.close()
        server.stop()  # while the floods go on
    found = statuses(log)
    assert found[VERDICTS, "127.0.0"] == found[ROLLOUT, "127.0.0"] == {"valid"}
    for number, (mode, (_, expected)) in enumerate(floods.items()):
        assert found[ROLLOUT, f"127.64.{number}"] <= expected, mode
