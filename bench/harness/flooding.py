"""
Known clients with and without a flood, against one server: what they kept, and what the flood cost.

The flood is a second generator on the core that the known clients have, which it has while they rest (SCHED_IDLE).
"""

import dataclasses
import json
import statistics
import subprocess
import time

from . import floods
from .measure import WARMUP, LoadFailed, NotMeasured, difference, looking_at_the_guard
from .processes import core_busy_seconds, pin

SLACK = 40


@dataclasses.dataclass(frozen=True)
class Times:
    """In seconds, beside those that are measured."""
    warmup: float = WARMUP      # of the known clients
    settle: float = 1.0         # from the flood's begin to that of the known clients
    settle_alone: float = 2.0   # from its begin until it costs what it will go on to cost
    recover: float = 5.0        # from its end until the server has what it keeps
    resting: float = 0.4        # so long without work is rest
    recover_max: float = 20.0   # before a run, for what is left of the one before
    after: float = 0.5          # from the end of the known clients to that of the flood


WHOLE = Times()
QUICK = Times(warmup=0.2, settle=0.3, settle_alone=0.4, recover=0.5, resting=0.2, recover_max=1.0, after=0.2)


def known_options(flood):
    """The generator's options for the known clients."""
    return ("--connections", floods.KNOWN_CONNECTIONS, *floods.KNOWN_SOURCES, *(("--http2",) if flood.http2 else ()))


class Flooding:
    """`bench` has the generator, the cores and the certificates; floods come from `sources` addresses."""

    def __init__(self, bench, seconds, sources, times=WHOLE):
        self.bench = bench
        self.seconds = seconds
        self.sources = sources
        self.times = times

    def start(self, mode, server, *options, clients="", idle=False):
        command = [str(part) for part in (self.bench.load, mode, "--connect", server.address, "--sni", self.bench.pki.name, "--json",
                                          *(("--cert", getattr(self.bench.pki, clients)) if clients else ()), *options)]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                preexec_fn=pin(self.bench.load_core, idle))

    def finish(self, process, timeout, failures=True):
        """Its result. Under a flood failures are what is measured; a generator that had to give up is none."""
        try:
            output, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise LoadFailed(f"run: the load did not end within {timeout:.0f} s: {' '.join(process.args)}")
        if not output.startswith("{") or (process.returncode != 0 and not failures):
            raise LoadFailed(f"run: the load failed: {' '.join(process.args)}\n{errors}{output}")
        return {**json.loads(output), "command": process.args}

    def start_flood(self, flood, server, seconds, *options):
        return self.start(flood.mode or flood.name, server, "--duration", seconds, "--source-addresses", self.sources, *floods.HOSTILE,
                          *flood.options, *options, clients=flood.clients, idle=True)

    def start_known(self, flood, server, seconds):
        return self.start("handshake", server, *known_options(flood), "--duration", seconds, "--warmup", self.times.warmup, clients="clients")

    def introduce(self, flood, server):
        """The known clients become known, and the server gets what it makes once."""
        with looking_at_the_guard(server):
            self.finish(self.start("handshake", server, *known_options(flood), "--count", 512, clients="clients"), SLACK, failures=False)
        time.sleep(0.2)

    def rest(self):
        """Until the servers' core rests: a server that a flood has overrun goes on for a while, and would disturb the next run."""
        deadline = time.monotonic() + self.times.recover_max
        while time.monotonic() < deadline:
            busy = core_busy_seconds(self.bench.server_core)
            time.sleep(self.times.resting)
            if core_busy_seconds(self.bench.server_core) - busy < 0.05 * self.times.resting:
                return

    def calm(self, flood, server):
        self.rest()
        cpu, busy, begin = server.cpu_seconds(), core_busy_seconds(self.bench.server_core), time.monotonic()
        with looking_at_the_guard(server):
            known = self.finish(self.start_known(flood, server, self.seconds), self.seconds + SLACK, failures=False)
        if known["answers_per_second"] == 0:
            raise NotMeasured(f"{server.kind} answered no known client in a calm run")
        return {**self.account(server, cpu, busy, begin), "known": known}

    def flooded(self, flood, server, seconds=None, sample_rss=False):
        """The same with a flood that begins before and ends after."""
        seconds = seconds or self.seconds
        rejected = server.rejected()
        cpu, busy, begin = server.cpu_seconds(), core_busy_seconds(self.bench.server_core), time.monotonic()
        hostile = self.start_flood(flood, server, self.times.settle + self.times.warmup + seconds + self.times.after)
        time.sleep(self.times.settle)
        known = self.finish(self.start_known(flood, server, seconds), seconds + SLACK)
        run = {"rss_flooded": server.rss_bytes()} if sample_rss else {}
        hostile = self.finish(hostile, SLACK)
        if hostile["given_up"]:
            raise SystemExit(f"run: {flood.name} against {server.kind}: {hostile['given_up']}")
        return {**run, **self.account(server, cpu, busy, begin), "known": known, "flood": hostile,
                "rejected": difference(rejected, server.rejected())}

    def account(self, server, cpu, busy, begin):
        server.check_alive()
        elapsed = time.monotonic() - begin
        cpu = server.cpu_seconds() - cpu
        return {"server": server.kind, "cpu_seconds": cpu, "server_busy": cpu / elapsed,
                "others_busy": (core_busy_seconds(self.bench.server_core) - busy - cpu) / elapsed}

    def alone(self, flood, server, number):
        """
        The flood and nobody else, from addresses that no other run has: what the server spends is spent on it. Measured when
        it has had the time to know them. `number` tells this run's addresses.
        """
        hostile = self.start_flood(flood, server, self.seconds, "--warmup", self.times.settle_alone,
                                   "--source-first", f"127.{160 + number}.0.1")
        time.sleep(self.times.settle_alone)
        work, cpu = server.handshake_work(), server.cpu_seconds()
        time.sleep(self.seconds)
        work, cpu = difference(work, server.handshake_work()), server.cpu_seconds() - cpu
        hostile = self.finish(hostile, SLACK)
        server.check_alive()
        return {"cpu_seconds": cpu, "flood": hostile, "handshake_work": work}

    def round(self, flood, server, number):
        """A calm run, a flooded one, and the flood alone."""
        calm, flooded, alone = self.calm(flood, server), self.flooded(flood, server), self.alone(flood, server, number)
        return {"server": server.kind, "calm": calm, "flooded": flooded, "alone": alone,
                "known_cpu_us": 1e6 * calm["cpu_seconds"] / calm["known"]["whole_run"]["answers"], **cost(alone)}

    def memory(self, flood, server, seconds):
        """Resident memory before a long flood, at its end, and when the server had its time to recover."""
        before = server.rss_bytes()
        run = self.flooded(flood, server, seconds, sample_rss=True)
        time.sleep(self.times.recover)
        return {"server": server.kind, "seconds": seconds, "rss_before": before, "rss_flooded": run["rss_flooded"],
                "rss_after": server.rss_bytes(), "run": run}

    def new_clients(self, flood, server, number):
        """Valid clients from sources that nobody has seen, beside known ones and a flood. `number` tells this run's sources."""
        first = f"127.{112 + number // 64}.{number % 64 * 4}.1"
        hostile = self.start_flood(flood, server, self.times.settle + self.times.warmup + self.seconds + self.times.after)
        time.sleep(self.times.settle)
        known = self.start_known(flood, server, self.seconds)
        new = self.start("handshake", server, "--connections", floods.NEW_CONNECTIONS, "--source-addresses", floods.NEW_SOURCES,
                         "--source-first", first, "--duration", self.seconds, "--warmup", self.times.warmup, clients="clients")
        new, known, hostile = (self.finish(process, self.seconds + SLACK) for process in (new, known, hostile))
        served = hostile["connections_per_second"] * share_served(hostile)
        share = new["answers_per_second"] / max(1e-9, new["answers_per_second"] + served)
        return {"server": server.kind, "new": new, "known": known, "flood": hostile, "share": share, "sources": self.sources,
                "fair_share": floods.NEW_SOURCES / (floods.NEW_SOURCES + self.sources)}


def cost(alone):
    """
    Server CPU for each connection of a flood: all of it, and without what it spent on handshakes, where it counts that. None
    where no connection came to be, since the kernel dropped all of it or the server was full.
    """
    connections = alone["flood"]["measured"]["connections"]
    work = alone["handshake_work"]
    if connections == 0:
        return {"hostile_cpu_us": None, "bare_cpu_us": None}
    return {"hostile_cpu_us": 1e6 * alone["cpu_seconds"] / connections,
            "bare_cpu_us": None if work is None else 1e6 * max(0.0, alone["cpu_seconds"] - sum(work.values())) / connections}


def share_served(hostile):
    """Of hostile connections: those that the server has spent a handshake on."""
    total = sum(hostile["outcomes"].values())
    served = sum(count for outcome, count in hostile["outcomes"].items() if outcome == "hello" or outcome.startswith("status_"))
    return served / total if total else 0.0


def known_figures(run):
    """(answers a second, p99 of an exchange in us) of the known clients; p99 is None when there was no answer."""
    latency = run["known"]["latency_us"].get("exchange")
    return run["known"]["answers_per_second"], latency and latency["p99"]


def median_of_known(figures):
    known = [figure for figure in figures if figure is not None]
    return statistics.median(known) if known else None


def summary(rounds, kind):
    """Medians over one server's rounds of one flood."""
    own = [one for one in rounds if one["server"] == kind]
    calm = [known_figures(one["calm"]) for one in own]
    flooded = [known_figures(one["flooded"]) for one in own]
    calm_p99 = statistics.median(p99 for _, p99 in calm)
    p99s = [p99 for _, p99 in flooded]
    return {
        "calm_per_second": statistics.median(rate for rate, _ in calm),
        "flooded_per_second": statistics.median(rate for rate, _ in flooded),
        "kept": statistics.median(rate for rate, _ in flooded) / statistics.median(rate for rate, _ in calm),
        "kept_low": min(b[0] / a[0] for a, b in zip(calm, flooded)),
        "kept_high": max(b[0] / a[0] for a, b in zip(calm, flooded)),
        "calm_p99_us": calm_p99,
        "p99_ratio": None if None in p99s else statistics.median(p99s) / calm_p99,
        "hostile_cpu_us": median_of_known(one["hostile_cpu_us"] for one in own),
        "bare_cpu_us": median_of_known(one["bare_cpu_us"] for one in own),
        "known_cpu_us": statistics.median(one["known_cpu_us"] for one in own),
        "hostile_per_second": statistics.median(one["alone"]["flood"]["connections_per_second"] for one in own),
        "server_busy": statistics.median(one["flooded"]["server_busy"] for one in own),
        "known_failures": sum(failures(one["flooded"]["known"]) for one in own),
    }


def failures(result):
    counters = result["whole_run"]
    return sum(counters[name] for name in ("connect_failed", "tls_failed", "closed_by_server", "http_failed", "status_failed", "timed_out"))
