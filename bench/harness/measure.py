"""One run of the load against one server: what the load saw, what it cost the server."""

import contextlib
import json
import statistics
import subprocess
import sys
import time

from . import h2load, scenarios, wrk
from .processes import core_busy_seconds, pin, waited_seconds

WARMUP = 0.5
ATTEMPTS = 3
CACHE_SHARE_MIN = 0.9  # of the look-ups that have to be hits, or misses
FILL_RATE_MIN = 500  # handshakes a second that fill a cache, on a bad day
CALM_AGAIN = 6.0  # seconds without load, after which a server's guard stands down


class LoadFailed(SystemExit):
    """A run in which anything failed is no measurement: this ends the program, unless the server's guard was the reason."""


class NotMeasured(Exception):
    """The run went well, but it is no measurement of what it was meant to measure: on a busy machine, another may be one."""


class GuardActed(NotMeasured):
    """
    The server turned clients away that it is meant to serve, because it was not calm: others use its core. It does what it is
    for, and nothing was measured.
    """


def what_the_guard_did(before, after):
    """
    What a server has turned away for its own protection between two of its `rejected()`: "accept suspect 12, hello evicted 3".
    Empty when that was nothing, or when the server does not tell.
    """
    rejected = difference(before, after) or {}
    by_guard = {what: count for what, count in rejected.items()
                if count and (what.split()[0] in ("accept", "admission") or what.split()[-1].startswith("evicted"))}
    return ", ".join(f"{what} {count:,.0f}" for what, count in sorted(by_guard.items(), key=lambda item: -item[1]))


@contextlib.contextmanager
def looking_at_the_guard(server):
    """Within it a load that fails because the server's guard acted is GuardActed."""
    before = server.rejected()
    try:
        yield
    except LoadFailed as failed:
        did = what_the_guard_did(before, server.rejected())
        if not did:
            raise
        raise GuardActed(f"{server.kind} turned clients away for its own protection ({did})") from failed


def attempt(what, run, say=lambda text: print(text, file=sys.stderr), attempts=ATTEMPTS, pause=CALM_AGAIN):
    """(what `run` returns, None), or (None, why) when it was NotMeasured each time: a busy machine is no reason to end."""
    for number in range(1, attempts + 1):
        try:
            return run(), None
        except NotMeasured as reason:
            why = f"{what}: {reason}: this machine may be too busy to measure it"
            say(f"run: {why}; attempt {number} of {attempts}")
            time.sleep(pause)
    return None, why


class Bench:
    """Shared by all runs: the generator, its core, the certificates."""

    def __init__(self, load, load_core, server_core, pki):
        self.load = load
        self.load_core = load_core
        self.server_core = server_core
        self.pki = pki

    def command(self, mode, server, *options, clients="clients"):
        return [str(part) for part in (self.load, mode, "--connect", server.address, "--sni", self.pki.name,
                                       "--cert", getattr(self.pki, clients), "--json", *options)]

    def start(self, command):
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, preexec_fn=pin(self.load_core))

    def finish(self, process, command, timeout):
        """Its result. A run in which anything failed is no measurement."""
        try:
            output, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise LoadFailed(f"run: the load did not end within {timeout} s: {' '.join(command)}")
        if process.returncode != 0:
            failure = json.loads(output)["first_failure"] if output.startswith("{") else ""
            raise LoadFailed(f"run: the load failed: {' '.join(command)}\n{errors}{failure or ''}")
        return json.loads(output)

    def options(self, scenario):
        """The generator's options that say who its clients are, and what they ask for."""
        options = [*scenario.options, "--path", scenario.path]
        options += ("--group", scenario.key_group) if scenario.key_group else ()
        options += ("--hosts", scenario.hosts) if scenario.hosts else ()
        options += ("--issuer-key", self.pki.issuer_key) if scenario.load == "issued" else ()
        options += ("--identities", scenario.identities) if scenario.identities else ()
        return options

    def lacks(self, scenario, server):
        """None, or why a server cannot do what the scenario is about."""
        if not scenario.load.startswith("resumed") and not scenario.key_group:
            return None
        command = self.command(scenario.load, server, "--count", 64, *self.options(scenario), clients=scenario.clients)
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        return None if result.returncode == 0 else result.stderr.strip() or json.loads(result.stdout)["first_failure"]

    def fill(self, scenario, server):
        """Has the server see each of the scenario's identities once."""
        command = self.command("issued", server, "--count", scenario.identities, "--duration", 60 + scenario.identities // FILL_RATE_MIN,
                               "--connections", 64, *self.options(scenario), clients=scenario.clients)
        with looking_at_the_guard(server):
            self.finish(self.start(command), command, 120 + scenario.identities / FILL_RATE_MIN)

    def run_other(self, scenario, server, seconds, connections):
        """(the command, its result) of one run of a generator that is not ours."""
        tool = {"h2load": h2load, "wrk": wrk}[scenario.load]
        command = (h2load.command(scenario, server, self.pki.name, seconds, connections) if tool is h2load
                   else wrk.command(server, scenario.path, seconds, connections))
        load_cpu, begin = waited_seconds(), time.monotonic()
        process = self.start(command)
        try:
            output, errors = process.communicate(timeout=seconds + 60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise LoadFailed(f"run: the load did not end within {seconds + 60} s: {' '.join(command)}")
        result = None
        if process.returncode == 0:
            result = h2load.result(scenario, output) if tool is h2load else wrk.result(output)
        if result is None:
            raise LoadFailed(f"run: the load failed: {' '.join(command)}\n{errors}{output}")
        busy = (waited_seconds() - load_cpu) / (time.monotonic() - begin)
        return command, {"latency_us": {}, **result, "units": result["answers"], "generator_busy": busy}

    def run_own(self, scenario, server, seconds, connections, rate):
        """The same of ours. `rate`: of an open loop, or None."""
        options = self.options(scenario)
        if scenario.fresh:
            options += ["--count", scenario.fresh, "--source-addresses", scenario.fresh, "--duration", 60]
        else:
            options += ["--duration", seconds, "--warmup", WARMUP]
        options += ("--rate", max(1, round(rate)), "--connections", scenarios.OPEN_MAX) if rate else ("--connections", connections)
        command = self.command(scenario.load, server, *options, clients=scenario.clients)
        result = self.finish(self.start(command), command, seconds + WARMUP + 90)
        return command, result | counted(result, scenario.mib)

    def measure(self, scenario, server, seconds, connections, rate=None):
        connections = scenario.connections or connections
        cache = server.cache_counts()
        cpu, busy, begin = server.cpu_seconds(), core_busy_seconds(self.server_core), time.monotonic()
        with looking_at_the_guard(server):
            if scenario.load in ("h2load", "wrk"):
                command, result = self.run_other(scenario, server, seconds, connections)
            else:
                command, result = self.run_own(scenario, server, seconds, connections, rate)
        elapsed = time.monotonic() - begin
        cpu = server.cpu_seconds() - cpu
        if not result["units"] or not cpu:
            raise NotMeasured(f"{server.kind} has done so little in {elapsed:.1f} s that it cannot be told")
        busy = core_busy_seconds(self.server_core) - busy
        run = {
            "server": server.kind,
            "crypto": server.crypto(),
            "cache": difference(cache, server.cache_counts()),
            "per_second": result["answers_per_second"],
            "server_cpu_us": 1e6 * cpu / result["units"],
            "server_busy": cpu / elapsed,
            "others_busy": max(0.0, (busy - cpu) / elapsed),
            "generator_busy": result["generator_busy"],
            "latency_us": result["latency_us"],
            "bytes": result.get("bytes"),
            "rate": rate,
            "rss": server.rss_bytes(),
            "command": command,
            "load": result,
        }
        return check_cache(scenario, run)

    @contextlib.contextmanager
    def standing(self, server, count, *options):
        """Within it so many connections with client certificates stand and do nothing."""
        command = self.command("idle", server, "--connections", count, "--duration", 3000, *scenarios.SOURCES, *options)
        with looking_at_the_guard(server):
            process = self.start(command)
            try:
                # Until they stand there is a line of progress each second.
                line = next((line for line in process.stderr if not line.startswith(" ")), "")
                if line != f"standing {count} of {count}\n":
                    process.kill()
                    raise LoadFailed(f"run: {server.kind} does not hold {count} connections: {line}{process.stderr.read()}"
                                     f"{process.stdout.read()}")
                yield
                # The signal ends the time, and the load tells whether all stood to the end.
                process.terminate()
                self.finish(process, command, 60)
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()

    def hold(self, scenario, server, seconds=0.5):
        """Resident memory of the server before, with the scenario's idle connections, and after."""
        # Whatever is made once, at the first connections, is not a connection's cost.
        command = self.command("handshake", server, "--count", 256, *scenario.options)
        with looking_at_the_guard(server):
            self.finish(self.start(command), command, 60)
        time.sleep(0.2)
        before = server.rss_bytes()
        with self.standing(server, scenario.standing, *scenario.options):
            time.sleep(seconds)
            held = server.rss_bytes()
        time.sleep(0.5)
        return {"server": server.kind, "connections": scenario.standing, "rss_before": before, "rss_held": held,
                "rss_after": server.rss_bytes(), "bytes_per_connection": (held - before) / scenario.standing}


def counted(result, mib):
    """What one run of our generator has done: units, their rate, and the bytes of each as the server gets and gives them."""
    whole = result["whole_run"]
    hostile = whole["outcomes"] > 0
    answers = whole["outcomes"] if hostile else whole["answers"]
    rate = result["measured"]["outcomes"] / result["seconds"] if hostile else result["answers_per_second"]
    # Bytes count when a connection is closed, and then whole: those that are closed one after the other are so many themselves.
    each = max(answers, whole["connections"], 1)
    told = {"bytes": {"in": whole["bytes_sent"] / each, "out": whole["bytes_received"] / each}}
    if not mib:
        return told | {"units": answers, "answers_per_second": rate}
    # Of bodies that are under way at the end much may have come: all bytes count, and all the time.
    moved = max(whole["bytes_sent"], whole["bytes_received"]) / 2**20
    return told | {"units": moved, "answers_per_second": moved / (result["seconds"] + WARMUP)}


def check_cache(scenario, run):
    """The run, unless it is one of known clients in which they were not known, or the other way round: that is no measurement."""
    if not scenario.cache or run["cache"] is None:
        return run
    total = sum(run["cache"].values())
    if run["cache"][scenario.cache] < CACHE_SHARE_MIN * total or total < run["load"]["units"]:
        raise NotMeasured(f"nearly all look-ups of {run['load']['units']} handshakes in the cache "
                          f"of chains should have been {scenario.cache}: {run['cache']}")
    return run


def difference(before, after):
    return None if before is None else {what: after[what] - before[what] for what in after}


def of(runs, server):
    return [run for run in runs if run["server"] == server]


def summary(runs, server):
    """Medians over one server's runs. No latencies where the load tells none."""
    own = of(runs, server)
    figures = {key: statistics.median(run[key] for run in own)
               for key in ("per_second", "server_cpu_us", "server_busy", "generator_busy", "rss")}
    latency = next((name for name in ("exchange", "request") if name in own[0]["latency_us"]), None)
    for percentile in ("p50", "p99", "p99.9") if latency else ():
        if percentile in own[0]["latency_us"][latency]:
            figures[f"{percentile}_us"] = statistics.median(run["latency_us"][latency][percentile] for run in own)
    return figures


def ratio(ours, theirs, key):
    """Our runs to theirs: of the medians, and the lowest and highest of neighbouring runs."""
    pairs = [(one[key], other[key]) for one, other in zip(ours, theirs)]
    ratios = [a / b for a, b in pairs]
    medians = [statistics.median(column) for column in zip(*pairs)]
    return {"median": medians[0] / medians[1], "low": min(ratios), "high": max(ratios)}
