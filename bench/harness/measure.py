"""One run of the load against one server: what the load saw, what it cost the server."""

import contextlib
import json
import statistics
import subprocess
import sys
import time

from . import h2load, modes
from .processes import core_busy_seconds, pin, waited_seconds

WARMUP = 0.5
ATTEMPTS = 3
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

    def resumes(self, server):
        """None, or why the server does not."""
        result = subprocess.run(self.command("resumed", server, "--count", 64), stdin=subprocess.DEVNULL, capture_output=True,
                                text=True, timeout=60, check=False)
        return None if result.returncode == 0 else result.stderr.strip() or json.loads(result.stdout)["first_failure"]

    def finish_h2load(self, mode, process, command, timeout):
        """As `finish`."""
        load_cpu, begin = waited_seconds(), time.monotonic()
        try:
            output, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise LoadFailed(f"run: the load did not end within {timeout} s: {' '.join(command)}")
        result = h2load.result(mode, output) if process.returncode == 0 else None
        if result is None:
            raise LoadFailed(f"run: the load failed: {' '.join(command)}\n{errors}{output}")
        return {**result, "whole_run": {"answers": result["answers"]}, "latency_us": {},
                "generator_busy": (waited_seconds() - load_cpu) / (time.monotonic() - begin)}

    def load_for(self, mode, server, seconds, connections):
        """(the command, its result) of one run of the mode's generator."""
        if mode.load == "h2load":
            command = h2load.command(mode, server, self.pki.name, seconds, connections)
            return command, self.finish_h2load(mode, self.start(command), command, seconds + 60)
        command = self.command(mode.load, server, "--duration", seconds, "--warmup", WARMUP, "--connections", connections, *mode.options,
                               clients=mode.clients)
        return command, self.finish(self.start(command), command, seconds + WARMUP + 30)

    def measure(self, mode, server, seconds, connections):
        cache = server.cache_counts()
        cpu, busy, begin = server.cpu_seconds(), core_busy_seconds(self.server_core), time.monotonic()
        with looking_at_the_guard(server):
            command, result = self.load_for(mode, server, seconds, connections)
        elapsed = time.monotonic() - begin
        cpu = server.cpu_seconds() - cpu
        busy = core_busy_seconds(self.server_core) - busy
        return {
            "server": server.kind,
            "cache": difference(cache, server.cache_counts()),
            "per_second": result["answers_per_second"],
            "server_cpu_us": 1e6 * cpu / result["whole_run"]["answers"],
            "server_busy": cpu / elapsed,
            "others_busy": (busy - cpu) / elapsed,
            "generator_busy": result["generator_busy"],
            "latency_us": result["latency_us"],
            "command": command,
            "load": result,
        }

    def hold(self, name, server, count, seconds=2.0):
        """Resident memory of the server before, with `count` idle connections, and after. `name`: of modes.HELD."""
        # Whatever is made once, at the first connections, is not a connection's cost.
        command = self.command("handshake", server, "--count", 256, *modes.HELD[name])
        with looking_at_the_guard(server):
            self.finish(self.start(command), command, 60)
        time.sleep(0.2)
        before = server.rss_bytes()
        command = self.command("idle", server, "--connections", count, "--duration", seconds, *modes.HELD[name])
        with looking_at_the_guard(server):
            process = self.start(command)
            # Until they stand there is a line of progress each second.
            line = next((line for line in process.stderr if not line.startswith(" ")), "")
            if line != f"standing {count} of {count}\n":
                process.kill()
                raise LoadFailed(f"run: {server.kind} does not hold {count} connections: {line}{process.stderr.read()}"
                                 f"{process.stdout.read()}")
            time.sleep(seconds / 4)
            held = server.rss_bytes()
            result = self.finish(process, command, seconds + 30)
        time.sleep(0.5)
        return {"server": server.kind, "connections": count, "rss_before": before, "rss_held": held,
                "rss_after": server.rss_bytes(), "bytes_per_connection": (held - before) / count,
                "command": command, "load": result}


def difference(before, after):
    return None if before is None else {what: after[what] - before[what] for what in after}


def of(runs, server):
    return [run for run in runs if run["server"] == server]


def summary(runs, server):
    """Medians over one server's runs. No latencies where the load tells none."""
    own = of(runs, server)
    figures = {key: statistics.median(run[key] for run in own)
               for key in ("per_second", "server_cpu_us", "server_busy", "generator_busy")}
    latency = next((name for name in ("exchange", "request") if name in own[0]["latency_us"]), None)
    for percentile in ("p50", "p99") if latency else ():
        figures[f"{percentile}_us"] = statistics.median(run["latency_us"][latency][percentile] for run in own)
    return figures


def ratio(ours, theirs, key):
    """Our runs to theirs: of the medians, and the lowest and highest of neighbouring runs."""
    pairs = [(one[key], other[key]) for one, other in zip(ours, theirs)]
    ratios = [a / b for a, b in pairs]
    medians = [statistics.median(column) for column in zip(*pairs)]
    return {"median": medians[0] / medians[1], "low": min(ratios), "high": max(ratios)}
