"""Scenarios, one after the other: their servers are started, seen to do the job, and measured in turn."""

import contextlib
import itertools
import pathlib
import sys

from . import job, machine, measure, scenarios, servers, wrk

ROOT = pathlib.Path(__file__).resolve().parents[2]  # is not told: figures are read elsewhere
BASE = scenarios.BY_NAME[scenarios.BASE]
SPARE = 2048  # connections that a server has room for beside those of the load: to origins for 16 streams on each of 64


class Broken(measure.NotMeasured):
    """The load has failed, and not because of a guard."""


class Turns:
    """The run as a whole. `left_out` has a line for all that was not measured, `failed` whether that is somebody's fault."""

    def __init__(self, chosen, bench, folder, values):
        self.chosen = chosen
        self.bench = bench
        self.folder = folder
        self.values = values
        self.results = {}
        self.left_out = []
        self.failed = False
        self.broken = False
        self.patience = {"attempts": 2, "pause": 1.0} if chosen.quick else {}
        self.numbers = itertools.count(1)

    def leave_out(self, what, why):
        self.left_out.append(f"{what} is LEFT OUT: {why}".replace(f"{ROOT}/", ""))
        print(f"run: {self.left_out[-1]}", file=sys.stderr)

    def values_for(self, scenario):
        """What the templates of servers.py get for it."""
        made, values = self.bench.pki, dict(self.values)
        if scenario.server_key == "rsa2048":
            values |= {"certificate": made.server_rsa, "key": made.server_rsa_key, "bundle": made.server_rsa_bundle}
        if scenario.key_group:
            values["curves"] = f"{scenario.key_group}:{servers.DEFAULTS['curves']}"
        if scenario.load == "wrk":
            values["name"] = wrk.NAME
        if scenario.identities:
            # Some room beside, since the parts of a cache do not fill alike.
            values["cache"] = max(servers.DEFAULTS["cache"], scenario.identities * 5 // 4)
        return values | {"shards": scenario.shards, "hosts": scenario.hosts,
                         "connections": max(scenario.largest(), self.chosen.connections) + SPARE}

    def start(self, stack, kind, scenario):
        """A server that does the job, or None, which has been said then."""
        values = self.values_for(scenario)
        cores = self.chosen.server_core if scenario.shards == 1 else self.chosen.more_cores
        try:
            server = stack.enter_context(servers.START[kind](
                scenario.setup, self.folder / f"{scenario.name}-{kind}-{next(self.numbers)}", cores, values))
            job.verify(server, self.bench.pki, http2=scenario.load == "h2load", name=servers.host_names(values)[0])
            why = self.bench.lacks(scenario, server)
        except SystemExit as failed:
            # A peer that was not built for it refuses the configuration.
            if not scenario.key_group or server_is_own(kind):
                raise
            why = cause(str(failed))
        if why is not None:
            self.leave_out(f"{scenario.name} with {kind}", why)
            return None
        return server

    def prepare(self, stack, scenario, server):
        """What has to be there before the first run."""
        if scenario.identities:
            print(f"{scenario.name:25} filling the cache with {scenario.identities:,}", file=sys.stderr)
            self.bench.fill(scenario, server)
        if scenario.standing:
            stack.enter_context(self.bench.standing(server, scenario.standing))

    def rate_for(self, scenario, server, running):
        """
        Of an open loop: a share of what saturates that server, in this run where it is known; or, where the rate is to be alike, what
        saturates the single path, which is among those that are `running`.
        """
        if not scenario.share:
            return None
        if scenario.alike:
            if servers.SINGLE not in running:
                raise measure.NotMeasured("the single path, whose rate it needs, was not measured")
            server = running[servers.SINGLE]
        base = self.results.get(scenarios.BASE)
        own = measure.of(base, server.kind) if base else []
        if not own:
            own = [self.bench.measure(BASE, server, self.chosen.seconds, self.chosen.connections)]
            self.results.setdefault(scenarios.BASE, []).extend(own)
        return scenario.share * measure.summary(own, server.kind)["per_second"]

    def measure_once(self, scenario, server, running):
        rate = self.rate_for(scenario, server, running)
        run = self.bench.measure(scenario, server, self.chosen.seconds, self.chosen.connections, rate)
        tell(scenario, run)
        if self.chosen.results and run["others_busy"] > machine.DISTURBED_MIN:
            raise measure.NotMeasured(f"others took {run['others_busy']:.0%} of the server's core")
        return run

    def measure_fresh(self, scenario, kind):
        """With a server of its own, which has seen nobody."""
        with contextlib.ExitStack() as stack:
            server = self.start(stack, kind, scenario)
            return self.measure_once(scenario, server, {kind: server})

    def hold(self, scenario, kind):
        with contextlib.ExitStack() as stack:
            run = self.bench.hold(scenario, self.start(stack, kind, scenario))
        print(f"{scenario.name:25} {kind:16} {run['bytes_per_connection'] / 1024:8.1f} KiB a connection", file=sys.stderr)
        return run

    def unless_broken(self, measure_one, kind):
        """One run. That its load fails is no reason to end, but is remembered when it was the last attempt."""
        self.broken = False
        try:
            return measure_one(kind)
        except measure.LoadFailed as failed:
            self.broken = True
            print(failed, file=sys.stderr)
            raise Broken(why_broken(str(failed))) from failed

    def in_turn(self, scenario, kinds, repeats, measure_one):
        """[run, ...]. A server that a busy machine does not let us measure is left out, and the scenario with it if it is ours."""
        runs, kinds = [], list(kinds)
        for _ in range(repeats):
            for kind in list(kinds):
                run, why = measure.attempt(f"{scenario.name}, {kind}", lambda: self.unless_broken(measure_one, kind), **self.patience)
                if run is not None:
                    runs.append(run)
                    continue
                self.leave_out(f"{scenario.name} with {kind}", why.removeprefix(f"{scenario.name}, {kind}: "))
                self.failed = self.failed or self.broken
                kinds.remove(kind)
                runs = [run for run in runs if run["server"] != kind]
                if kind == servers.OWN:
                    return []
        return runs

    def run(self, scenario, kinds):
        """Measures one scenario. What fails there is said, and the others go on."""
        try:
            if scenario.held:
                runs = self.in_turn(scenario, kinds, 1, lambda kind: self.hold(scenario, kind))
            elif scenario.fresh:
                runs = self.in_turn(scenario, kinds, self.chosen.repeats, lambda kind: self.measure_fresh(scenario, kind))
            else:
                runs = self.run_together(scenario, kinds)
        except (SystemExit, measure.NotMeasured) as failed:
            self.leave_out(scenario.name, str(failed).removeprefix("run: "))
            self.failed = self.failed or isinstance(failed, SystemExit)
            return
        if runs:
            self.results.setdefault(scenario.name, []).extend(runs)

    def run_together(self, scenario, kinds):
        with contextlib.ExitStack() as stack:
            running = {kind: self.start(stack, kind, scenario) for kind in kinds}
            running = {kind: server for kind, server in running.items() if server is not None}
            for server in running.values():
                self.prepare(stack, scenario, server)
            return self.in_turn(scenario, running, self.chosen.repeats, lambda kind: self.measure_once(scenario, running[kind], running))


def why_broken(text):
    """What a load says at the end; of h2load's summary what counts."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("requests:", "status codes:", "Socket errors:", "Non-2xx"))] or lines[1:][-1:] or lines
    return f"the load failed: {'; '.join(told)}"


def cause(text):
    """The one line of what a server says as it refuses to start that tells why."""
    lines = text.removeprefix("run: ").splitlines()
    return next((line for line in lines if "[emerg]" in line or "[ALERT]" in line), lines[0]).strip()


def server_is_own(kind):
    return kind in (servers.OWN, servers.SINGLE)


def tell(scenario, run):
    print(f"{scenario.name:25} {run['server']:16} {run['per_second']:10,.0f} /s  {run['server_cpu_us']:9.1f} us"
          f"  server {run['server_busy']:4.0%}  generator {run['generator_busy']:4.0%}", file=sys.stderr)
