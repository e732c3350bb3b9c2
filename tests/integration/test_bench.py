"""The benchmarks' own logic, without a load: what they do where a busy machine makes a server's guard act."""

import contextlib
import importlib.machinery
import importlib.util
import sys
import types

import pytest

from conftest import ROOT, SANITIZED

sys.path.insert(0, str(ROOT / "bench"))

from harness import chart, flood_report, flooding, floods, h2load, job, limit, measure, picture, report, scenarios, servers, turns, wrk  # noqa: E402

pytestmark = pytest.mark.skipif(SANITIZED, reason="drives scripts, not the binary")

CALM = {"accept suspect": 0.0, "hello closed": 3.0, "request evicted_idle": 0.0}
GUARDED = {"accept suspect": 12.0, "hello closed": 3.0, "request evicted_idle": 2.0}


H2LOAD = """\
TLS Protocol: TLSv1.3
Application protocol: h2

finished in {time}, 31840.00 req/s, 1.94MB/s
requests: 63680 total, 64704 started, 63680 done, {succeeded} succeeded, {failed} failed, 0 errored, 0 timeout
status codes: {ok} 2xx, 0 3xx, {refused} 4xx, 0 5xx
traffic: 3.89MB (4078656) total, 2.61MB (2738240) headers (space savings 52.75%), 1.00GB (1073741824) data
"""


def load_program(name):
    loader = importlib.machinery.SourceFileLoader(f"bench_{name}", str(ROOT / "bench" / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


class Server:
    """Tells one thing after the other of what it has turned away."""

    kind = "sallyport"

    def __init__(self, *rejected):
        self.told = list(rejected)

    def rejected(self):
        return self.told.pop(0)


@pytest.fixture
def no_pause(monkeypatch):
    monkeypatch.setattr(measure.time, "sleep", lambda seconds: None)


def test_what_the_guard_did():
    assert measure.what_the_guard_did(CALM, CALM) == ""
    assert measure.what_the_guard_did(CALM, {**CALM, "hello closed": 9.0}) == ""
    assert measure.what_the_guard_did(CALM, GUARDED) == "accept suspect 12, request evicted_idle 2"
    assert measure.what_the_guard_did(None, None) == ""


def test_a_load_that_fails_ends_the_program_unless_the_guard_acted():
    with pytest.raises(measure.GuardActed, match="sallyport turned clients away .*accept suspect 12"):
        with measure.looking_at_the_guard(Server(CALM, GUARDED)):
            raise measure.LoadFailed("run: the load failed")
    for server in (Server(CALM, CALM), Server(None, None)):
        with pytest.raises(SystemExit, match="the load failed"):
            with measure.looking_at_the_guard(server):
                raise measure.LoadFailed("run: the load failed")
    with measure.looking_at_the_guard(Server(CALM)):
        pass


def test_what_does_not_work_is_tried_again_and_said(no_pause):
    said, results = [], iter([measure.GuardActed("busy"), measure.GuardActed("busy"), 7])

    def run():
        result = next(results)
        if isinstance(result, Exception):
            raise result
        return result

    assert measure.attempt("mode", run, said.append) == (7, None)
    assert len(said) == 2 and "too busy" in said[0] and "attempt 1 of 3" in said[0]

    def fails():
        raise measure.GuardActed("busy")
    result, why = measure.attempt("mode", fails, said.append)
    assert result is None and "busy" in why and len(said) == 5


class Bench:
    """Measures what `measure` says: a run, or what is raised instead."""

    def __init__(self, measure, lacks=lambda scenario, server: None):
        self.measure = measure
        self.lacks = lacks
        self.pki = None


@pytest.fixture
def start_turns(monkeypatch, tmp_path):
    """start(bench, kinds): Turns whose servers are their kinds."""
    monkeypatch.setattr(turns.Turns, "values_for", lambda self, scenario: {"name": "a.test", "hosts": 0})
    monkeypatch.setattr(turns.job, "verify", lambda *_, **__: None)

    def start(bench, kinds, repeats=2):
        monkeypatch.setattr(turns.servers, "START", {
            kind: lambda setup, folder, core, values, kind=kind: contextlib.nullcontext(types.SimpleNamespace(kind=kind)) for kind in kinds})
        chosen = types.SimpleNamespace(repeats=repeats, seconds=1, connections=8, server_core=0, more_cores={0, 1},
                                       results=False, quick=False)
        return turns.Turns(chosen, bench, tmp_path, {})
    return start


def run_of(server, cpu=1.0, rate=1.0, **more):
    return {"server": server, "per_second": rate, "server_cpu_us": cpu, "server_busy": 1.0, "generator_busy": 0.5, "others_busy": 0.0,
            "latency_us": {}, "bytes": {"in": 1.0, "out": 1.0}, "rate": None, "rss": 2**20, **more}


def test_a_scenario_that_cannot_be_measured_is_left_out_and_the_others_go_on(no_pause, start_turns, capsys):
    def measured(scenario, server, *_):
        if scenario.name == "handshake" and server.kind == "sallyport":
            raise measure.GuardActed("sallyport turned clients away for its own protection (accept suspect 12)")
        if scenario.name == "request" and server.kind == "nginx":
            raise measure.GuardActed("busy")
        if scenario.name == "resumed":
            raise measure.LoadFailed("run: the load failed: alert")
        return run_of(server.kind)

    kinds = ["sallyport", "nginx"]
    all_turns = start_turns(Bench(measured), kinds)
    for name in ("handshake", "request", "resumed", "invalid"):
        all_turns.run(scenarios.BY_NAME[name], kinds)
    assert {name: [run["server"] for run in runs] for name, runs in all_turns.results.items()} == {
        "request": ["sallyport"] * 2, "invalid": ["sallyport", "nginx"] * 2}
    first, second, third = all_turns.left_out
    assert first.startswith("handshake with sallyport is LEFT OUT") and "accept suspect 12" in first
    assert second.startswith("request with nginx is LEFT OUT")
    assert third.startswith("resumed with sallyport is LEFT OUT") and "the load failed: alert" in third
    assert all_turns.failed and "attempt 3 of 3" in capsys.readouterr().err


def test_what_is_published_was_not_disturbed(no_pause, start_turns):
    disturbed = iter([0.5, 0.0, 0.5, 0.5, 0.5])
    all_turns = start_turns(Bench(lambda scenario, server, *_: run_of(server.kind) | {"others_busy": next(disturbed)}), ["sallyport"])
    all_turns.chosen.results = True
    all_turns.run(scenarios.BY_NAME["request"], ["sallyport"])
    assert all_turns.results == {} and "others took 50% of the server's core" in all_turns.left_out[0] and not all_turns.failed


def test_a_peer_that_lacks_what_the_scenario_is_about_is_left_out(start_turns):
    def lacks(scenario, server):
        return "no such group" if server.kind == "nginx" else None
    all_turns = start_turns(Bench(lambda scenario, server, *_: run_of(server.kind), lacks), ["sallyport", "nginx"], repeats=1)
    all_turns.run(scenarios.BY_NAME["handshake-pq"], ["sallyport", "nginx"])
    assert [run["server"] for run in all_turns.results["handshake-pq"]] == ["sallyport"]
    assert all_turns.left_out == ["handshake-pq with nginx is LEFT OUT: no such group"] and not all_turns.failed


def test_why_a_server_does_not_start():
    assert turns.cause("run: nginx ended with 1: 2026 [emerg] no such group\nmore") == "nginx ended with 1: 2026 [emerg] no such group"
    assert turns.cause("run: haproxy ended with 1: [NOTICE] v\n[ALERT] no curves\n") == "[ALERT] no curves"


def test_why_a_load_failed():
    assert turns.why_broken("run: the load failed: cmd\nline\ntls_failed: alert") == "the load failed: tls_failed: alert"
    assert turns.why_broken("run: the load failed: h2load\nrequests: 1 failed\nrest") == "the load failed: requests: 1 failed"
    assert turns.why_broken("run: the load did not end") == "the load failed: run: the load did not end"


def test_an_open_loop_begins_a_share_of_what_saturates_that_server(start_turns):
    asked = []

    def measured(scenario, server, seconds, connections, rate=None):
        asked.append((scenario.name, server.kind, rate))
        return run_of(server.kind, rate=1000.0 if server.kind == "sallyport" else 100.0)
    all_turns = start_turns(Bench(measured), ["sallyport", "nginx"], repeats=1)
    all_turns.run(scenarios.BY_NAME["handshake"], ["sallyport"])
    all_turns.run(scenarios.BY_NAME["latency-80"], ["sallyport", "nginx"])
    assert asked == [("handshake", "sallyport", None), ("latency-80", "sallyport", 800.0),
                     ("handshake", "nginx", None), ("latency-80", "nginx", 80.0)]


def test_both_paths_are_compared_at_one_rate(start_turns):
    asked, kinds = [], ["sallyport", "sallyport-single"]

    def measured(scenario, server, seconds, connections, rate=None):
        asked.append((scenario.name, server.kind, rate))
        return run_of(server.kind, rate=1000.0 if server.kind == "sallyport" else 400.0)
    alike = scenarios.BY_NAME["latency-alike-50"]
    assert scenarios.kinds_of(alike, [*kinds, "nginx"]) == kinds
    assert scenarios.kinds_of(alike, ["sallyport", "nginx"]) == []
    start_turns(Bench(measured), kinds, repeats=1).run(alike, kinds)
    assert asked == [("handshake", "sallyport-single", None), ("latency-alike-50", "sallyport", 200.0),
                     ("latency-alike-50", "sallyport-single", 200.0)]


def test_known_clients_that_are_not_known_are_no_measurement():
    run = run_of("sallyport", cache={"hits": 20, "misses": 10}, load={"units": 30})
    with pytest.raises(measure.NotMeasured, match="should have been misses"):
        measure.check_cache(scenarios.BY_NAME["handshake-new"], run)
    with pytest.raises(measure.NotMeasured, match="should have been hits"):
        measure.check_cache(scenarios.BY_NAME["handshake"], {**run, "cache": {"hits": 20, "misses": 0}})
    assert measure.check_cache(scenarios.BY_NAME["handshake"], {**run, "cache": {"hits": 30, "misses": 1}})["load"] == {"units": 30}
    assert measure.check_cache(scenarios.BY_NAME["request"], run) is run


@pytest.mark.parametrize("units, cpu", [(0, 0.5), (30, 0.0)], ids=["nothing was answered", "no tick of CPU"])
def test_a_server_that_did_nothing_is_not_measured(monkeypatch, units, cpu):
    bench = measure.Bench("load", 1, 0, None)
    spent = iter([1.0, 1.0 + cpu])
    server = types.SimpleNamespace(kind="nginx", cpu_seconds=lambda: next(spent), cache_counts=lambda: None, rejected=lambda: None)
    monkeypatch.setattr(measure, "core_busy_seconds", lambda core: 0.0)
    monkeypatch.setattr(bench, "run_own", lambda *_: (["load"], {"units": units}))
    with pytest.raises(measure.NotMeasured, match="nginx has done so little"):
        bench.measure(scenarios.BY_NAME["request"], server, 1, 8)


def test_a_limit_that_fails_does_not_lose_what_was_measured(monkeypatch):
    program = load_program("run")
    said = []
    run = types.SimpleNamespace(results={}, failed=False, leave_out=lambda what, why: said.append((what, why)))

    def fails(*_):
        raise SystemExit("run: failed: sallyport-limit")
    monkeypatch.setattr(program.limit, "measure", fails)
    assert program.measure_limits(None, None, run) is None
    assert said == [("the limit", "failed: sallyport-limit")] and run.failed


def test_what_the_load_has_done():
    whole = {"outcomes": 0, "answers": 10, "connections": 12, "bytes_sent": 1200, "bytes_received": 2400}
    told = {"whole_run": whole, "answers_per_second": 5.0}
    assert measure.counted(told, 0) == {"units": 10, "answers_per_second": 5.0, "bytes": {"in": 100.0, "out": 200.0}}
    bodies = {"whole_run": {**whole, "bytes_received": 8 * 2**20}, "answers_per_second": 5.0, "seconds": 3.5}
    assert measure.counted(bodies, 1)["units"] == 8 and measure.counted(bodies, 1)["answers_per_second"] == 8 / (3.5 + measure.WARMUP)
    hostile = {"whole_run": {**whole, "outcomes": 12, "answers": 0}, "measured": {"outcomes": 8}, "seconds": 2.0, "answers_per_second": 0.0}
    assert measure.counted(hostile, 0) == {"units": 12, "answers_per_second": 4.0, "bytes": {"in": 100.0, "out": 200.0}}


def test_scenarios_are_chosen_by_name_and_by_group():
    assert scenarios.choose(None) == scenarios.ALL and len(scenarios.BY_NAME) == len(scenarios.ALL)
    assert [one.name for one in scenarios.choose("request,latency")] == ["request", "latency-10", "latency-50", "latency-80",
                                                                                       "latency-alike-50", "latency-alike-80"]
    with pytest.raises(ValueError, match="nothing"):
        scenarios.choose("request,nothing")
    assert {one.group for one in scenarios.ALL} == set(scenarios.GROUPS)
    text = "\n".join(scenarios.listing())
    assert all(f"  {one.name} " in text for one in scenarios.ALL)


def test_the_command_line(monkeypatch, capsys):
    program = load_program("run")

    def parsed(*options):
        monkeypatch.setattr(sys, "argv", ["run", *options])
        return program.arguments()
    assert parsed().servers == ["sallyport", "sallyport-single", "nginx", "haproxy"]
    assert parsed("--no-both-paths", "--peers", "haproxy").servers == ["sallyport", "haproxy"]
    monkeypatch.setattr(measure, "WARMUP", measure.WARMUP)
    assert parsed("--quick", "--peers", "").servers == ["sallyport"]
    assert parsed("--quick", "--peers", "nginx", "--before", "old").servers == ["sallyport", "sallyport-before", "nginx"]
    for wrong, why in ((["--peers", "apache"], "not nginx or haproxy"), (["--only", "nothing"], "neither a scenario nor a group"),
                       (["--quick", "--results"], "publishes figures")):
        with pytest.raises(SystemExit) as ended:
            parsed(*wrong)
        assert ended.value.code == 2 and why in capsys.readouterr().err


def test_what_the_servers_of_a_scenario_are_given(tmp_path):
    made = types.SimpleNamespace(server_rsa="rsa.pem", server_rsa_key="rsa.key", server_rsa_bundle="rsa.bundle")
    chosen = types.SimpleNamespace(connections=64, quick=False)
    plan = turns.Turns(chosen, types.SimpleNamespace(pki=made), tmp_path, {"name": "a.test", "certificate": "p256.pem"})

    def given(name):
        return plan.values_for(scenarios.BY_NAME[name])
    assert given("handshake") == {"name": "a.test", "certificate": "p256.pem", "shards": 1, "hosts": 0, "connections": 64 + turns.SPARE}
    assert given("handshake-server-rsa")["certificate"] == "rsa.pem"
    assert given("handshake-pq")["curves"] == "X25519MLKEM768:X25519:prime256v1"
    assert given("request-wrk")["name"] == "localhost" and given("shards-2")["shards"] == 2 and given("hosts-4096")["hosts"] == 4096
    assert given("identities-1000000")["cache"] == 1250000 and given("idle-50000")["connections"] == 50000 + turns.SPARE
    assert given("latency-10")["connections"] >= scenarios.OPEN_MAX


def test_each_handshake_differs_from_the_base_in_one_thing():
    base = scenarios.BY_NAME[scenarios.BASE]
    told = ("load", "setup", "clients", "options", "server_key", "key_group")
    for one in scenarios.HANDSHAKES:
        if one.name.startswith("handshake-"):
            changed = [name for name in told if getattr(one, name) != getattr(base, name)]
            assert len(changed) == 1 or changed == ["load", "options"] and one.name in ("handshake-new", "handshake-light"), (one.name, changed)


@pytest.mark.parametrize("options, minutes", [(["--quick"], 3), ([], 40)], ids=["quick", "whole"])
def test_runs_are_planned_for_their_time(monkeypatch, options, minutes):
    """By the rates of a quiet machine with two cores, and descriptors for everything."""
    program = load_program("run")
    monkeypatch.setattr(sys, "argv", ["run", *options])
    monkeypatch.setattr(measure, "WARMUP", measure.WARMUP)
    chosen = program.arguments()
    start, between, settling, limits = 0.5, 0.2, 1.0, 10 if "--quick" in options else 60
    rate = {"sallyport": 4000, "sallyport-single": 4000, "nginx": 800, "haproxy": 800}  # of new handshakes
    seconds = 15.0 + limits
    for scenario in chosen.scenarios:
        kinds = scenarios.kinds_of(scenario, chosen.servers)
        once = scenario.fresh / 10000 if scenario.fresh else max(chosen.seconds, 1.0 if scenario.load in ("h2load", "wrk") else 0) + measure.WARMUP
        for kind in kinds:
            if scenario.held:
                seconds += start + settling + (256 + scenario.standing) / rate[kind]
            else:
                starts = chosen.repeats if scenario.fresh else 1
                seconds += starts * start + chosen.repeats * (once + between)
                seconds += (scenario.standing + scenario.identities) / rate[kind] + scenario.hosts / 500
    assert seconds < 60 * minutes, seconds


def test_a_run_ends_in_time_on_the_slowest_machine(monkeypatch):
    program = load_program("run")
    now = iter(range(0, 10000, 100))
    monkeypatch.setattr(program.time, "monotonic", lambda: next(now))
    monkeypatch.setattr(program.processes, "raise_descriptors", lambda need: 20000)
    done, left_out = [], []
    run = types.SimpleNamespace(run=lambda scenario, kinds: done.append(scenario.name), leave_out=lambda name, why: left_out.append((name, why)))
    chosen = types.SimpleNamespace(quick=True, servers=["sallyport"], scenarios=scenarios.choose("handshake,request,resumed,idle-50000"))
    program.measure_all(chosen, run, 0)
    assert done == ["handshake", "resumed"] and [name for name, _ in left_out] == ["request", "idle-50000"]
    assert "no time is left" in left_out[0][1] and "file descriptors" in left_out[1][1]


def test_who_has_a_scenario():
    kinds = ["sallyport", "sallyport-single", "nginx"]
    assert scenarios.kinds_of(scenarios.BY_NAME["handshake"], kinds) == kinds
    assert scenarios.kinds_of(scenarios.BY_NAME["request"], kinds) == ["sallyport", "nginx"]
    assert scenarios.kinds_of(scenarios.BY_NAME["hosts-4096"], kinds) == ["sallyport"]
    kinds = ["sallyport", "sallyport-before"]
    assert scenarios.kinds_of(scenarios.BY_NAME["request"], kinds) == kinds and scenarios.kinds_of(scenarios.BY_NAME["latency-alike-50"], kinds) == []


def test_an_older_build_need_not_tell_its_crypto():
    server = servers.Server.__new__(servers.Server)
    server.is_sallyport = True
    for labels, told in (('version="0.1.0",crypto="accelerated-batch"', "accelerated-batch"), ('version="0.0.1"', None)):
        server.samples = lambda name, labels=labels: {labels: 1.0}
        assert server.crypto() == told


WRK = """\
Running 1s test @ https://localhost:1/
  Latency Distribution
     50%    1.20ms
     75%    1.31ms
     90%    1.44ms
     99%  950.00us
  47000 requests in 1.10s, 5.61MB read
Requests/sec:  42727.27
"""


def test_what_wrk_says():
    assert wrk.result(WRK) == {"answers": 47000, "answers_per_second": 42727.27, "latency_us": {"request": {"p50": 1200.0, "p99": 950.0}}}
    for bad in (WRK + "  Non-2xx or 3xx responses: 3\n", WRK + "  Socket errors: connect 1, read 0, write 0, timeout 0\n", ""):
        assert wrk.result(bad) is None
    assert wrk.command(types.SimpleNamespace(port=7), "/", 0.3, 64)[-3:] == ["1s", "--latency", "https://localhost:7/"]


def test_a_flood_that_cannot_be_measured_is_left_out_and_the_others_go_on(no_pause, monkeypatch, tmp_path):
    program = load_program("flood")
    chosen = types.SimpleNamespace(floods=[floods.BY_NAME["random"], floods.BY_NAME["http"]], names=["random", "http", floods.NEW])

    def take_turns(flood, *_):
        if flood.name == "random":
            raise measure.GuardActed("busy")
        return {"rounds": [], "memory": []}

    monkeypatch.setattr(program, "take_turns", take_turns)
    monkeypatch.setattr(program, "let_new_ones_in", lambda *_: ["run"])
    results, new, left_out = program.measure_all(chosen, None, None, tmp_path, {})
    assert list(results) == ["http"] and new == ["run"]
    assert len(left_out) == 1 and "random is LEFT OUT" in left_out[0]


def test_quick_floods_are_planned_for_less_than_three_minutes(monkeypatch):
    """The seconds of the plan, with two for each start of a server and for the look whether it works."""
    program = load_program("flood")
    monkeypatch.setattr(sys, "argv", ["flood", "--quick"])
    chosen = program.arguments()
    times = chosen.times
    assert times == flooding.QUICK and chosen.names == floods.QUICK_NAMES
    assert set(chosen.names) == {name for name in floods.NAMES if not name.startswith("h2-")} | {"h2-rapid-reset"}
    flooded = times.settle + times.warmup + times.after
    seconds = 0
    for flood in chosen.floods:
        kinds = program.kinds_for(flood.name, chosen)
        assert kinds[0] == "sallyport"
        seconds += len(kinds) * (2 + chosen.repeats * (times.recover_max + times.warmup + flooded + times.settle_alone + 3 * chosen.seconds))
        if flood.name in floods.IN_FULL:
            seconds += flooded + chosen.minute + times.recover
    seconds += len(program.kinds_for(floods.NEW, chosen)) * (2 + flooded + chosen.seconds)
    assert seconds < 180


def h2load_output(time="2.00s", succeeded=63680, failed=0, ok=63680, refused=0):
    return H2LOAD.format(time=time, succeeded=succeeded, failed=failed, ok=ok, refused=refused)


def test_what_h2load_says():
    requests, bulk = scenarios.BY_NAME["h2-request"], scenarios.BY_NAME["h2-bulk"]
    assert h2load.result(requests, h2load_output()) == {"answers": 63680, "answers_per_second": 31840}
    assert h2load.result(bulk, h2load_output(time="500.00ms")) == {"answers": 1024, "answers_per_second": 2048}
    for bad in (h2load_output(failed=1), h2load_output(refused=1), h2load_output(succeeded=0), h2load_output().replace(": h2", ": http/1.1"), ""):
        assert h2load.result(requests, bad) is None


def test_how_h2load_is_started():
    server = types.SimpleNamespace(address="127.0.0.1:1")
    assert h2load.command(scenarios.BY_NAME["h2-request"], server, "a.test", 4, 64) == [
        "h2load", "-D", "4", "-c", "64", "-m", "16", "-t", "1", "--connect-to=127.0.0.1:1", "https://a.test/"]
    assert h2load.command(scenarios.BY_NAME["h2-bulk"], server, "a.test", 4, 64)[1:7] == ["-n", "1", "-c", "1", "-m", "1"]


def test_costs_are_compared_unit_for_unit():
    kinds = ["sallyport", "nginx", "haproxy"]
    runs = [run_of("sallyport", 10.0), run_of("nginx", 30.0), run_of("sallyport", 20.0), run_of("nginx", 90.0)]
    rows = {row[0]: row[1:] for row in report.cost_table({"request": runs, "answer-1m": runs[:1]}, kinds, None)}
    assert rows["request"] == ["15.0", "60.0", "", "4.00x (3.00 to 4.50)", "", ""]
    assert rows["answer-1m (MiB)"] == ["10.0", "", "", "", "", ""]


def test_idle_connections_and_latencies_have_tables_of_their_own():
    late = {"exchange": {"p50": 1000.0, "p99": 2000.0, "p99.9": 30000.0}}
    results = {"idle-10000": [{"server": "sallyport", "bytes_per_connection": 6 * 1024}],
               "latency-50": [run_of("sallyport", latency_us=late) | {"rate": 3000.0}]}
    made = report.tables(results, ["sallyport", "nginx"], None)
    assert made == [[["latency p50 / p99 / p99.9, ms (begun a second)", "sallyport", "nginx"],
                     ["latency-50", "1.00 / 2.00 / 30.00 (3,000)", ""]],
                    [["KiB of an idle connection", "sallyport", "nginx"], ["idle-10000", "6.0", ""]]]


SINGLE = {"x25519_public": 8000.0, "x25519_shared": 24000.0, "p256_sign": 16000.0, "p256_verify": 48000.0, "p256_verify_new": 72000.0,
          "mlkem768_encapsulate": 10000.0, "aes_gcm_16k": 3200.0, "aes_gcm_256": 100.0}
LANES = {"x25519_public": {"call_ns": 32000.0}, "x25519_shared": {"call_ns": 48000.0}, "p256_sign": {"call_ns": 48000.0},
         "p256_verify": {"call_ns": 480000.0}}


def test_a_batched_operation_costs_an_eighth_of_a_batch_where_that_is_less():
    price = limit.prices(SINGLE, LANES)
    assert price["x25519_public"] == {"single": 8.0, "batched": 4.0} and price["p256_verify"] == {"single": 48.0, "batched": 48.0}
    assert price["mlkem768_encapsulate"] == {"single": 10.0, "batched": 10.0}
    full = scenarios.BY_NAME["handshake"].operations
    assert limit.keys(price, full, "single") == 96.0 and limit.keys(price, full, "batched") == 64.0
    new, pq = scenarios.BY_NAME["handshake-new"].operations, scenarios.BY_NAME["handshake-pq"].operations
    assert limit.keys(price, new, "single") == 168.0 and limit.keys(price, new, "batched") == 124.0  # a lane asks not who is known
    assert limit.keys(price, pq, "single") == 106.0
    assert all(one["single"] == one["batched"] for one in limit.prices(SINGLE, None).values())


def test_the_limit_is_the_sum_of_keys_ciphers_and_echo():
    price = limit.prices(SINGLE, LANES)
    def own(kind, cpu, crypto):
        return [run_of(kind, cpu, bytes={"in": 1500.0, "out": 1060.0}) | {"crypto": crypto}]
    found = limit.shares(scenarios.BY_NAME["handshake"], {
        "sallyport": own("sallyport", 100.0, "accelerated-batch"), "sallyport-single": own("sallyport-single", 150.0, "accelerated")},
        price, 15.0)
    assert found["sallyport"]["limit_us"] == pytest.approx(64 + 1 + 15) and found["sallyport"]["share"] == pytest.approx(0.8)
    assert found["sallyport-single"]["limit_us"] == pytest.approx(96 + 1 + 15)
    assert found["sallyport-single"]["share"] == pytest.approx(112 / 150)
    assert limit.shares(scenarios.BY_NAME["handshake"], {"sallyport": own("sallyport", 1.0, "portable")}, price, 1.0)["sallyport"]["path"] == "single"
    body = limit.shares(scenarios.BY_NAME["answer-1m"], {"sallyport": own("sallyport", 1000.0, "accelerated")}, price, 500.0)["sallyport"]
    assert body["parts"]["aes_gcm"] == pytest.approx(64 * 3.2) and body["share"] == pytest.approx((64 * 3.2 + 500) / 1000)
    rows = report.limit_table({"scenarios": {"handshake": found}})
    assert rows[1] == ["handshake", "64.0 (96.0)", "1.0", "15.0", "80.0 (112.0)"]
    assert report.share_text({"scenarios": {"handshake": found}}, "handshake") == "80% (single path 75%)"


def sizes(script, steps):
    return sum(int(step[1:]) for step in script.split() if step[0] in steps)


@pytest.mark.parametrize("scenario", [one for one in scenarios.ALL if one.echo], ids=lambda one: one.name)
def test_an_echo_has_the_bytes_of_its_scenario_and_both_sides_agree(scenario):
    made = limit.scripts(scenario, {"in": 1460.0, "out": 1180.0})
    assert sizes(made["client"], "s") == sizes(made["server"], "rF") and sizes(made["client"], "r") == sizes(made["server"], "sf")
    if "origin" in made:
        assert sizes(made["origin"], "r") == sizes(made["server"], "SF") and sizes(made["origin"], "s") == sizes(made["server"], "Rf")
    if scenario.mib:
        assert max(sizes(made["server"], "f"), sizes(made["server"], "F")) == min(scenario.mib, limit.ECHO_MIB_MAX) * 2**20
    elif scenario.echo != "dropped":
        assert abs(sizes(made["server"], "r") - 1460) <= 64 and abs(sizes(made["server"], "s") - 1180) <= 64


def test_charts_have_a_bar_for_each_figure():
    text = chart.grouped_bars("t", {"a": [1.0, None], "b": [2.0, 4.0]}, ["one", "two"], "{:.0f} us".format, wanted=3.0)
    assert text.count('class="value"') == 3 and "4 us" in text and "<svg" in text
    assert f'width="{chart.PLOT / 4:.1f}"' in text and f'width="{chart.PLOT:.1f}"' in text


def test_charts_without_a_figure_are_not_written(tmp_path):
    results = {"handshake": [run_of("sallyport", 100.0)]}
    assert list(chart.write(tmp_path, results, ["sallyport", "nginx"], None)) == ["run-cpu.svg"]
    assert [path.name for path in tmp_path.iterdir()] == ["run-cpu.svg"]


def test_what_is_published_stands_between_its_marks(tmp_path):
    page = tmp_path / "RESULTS.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    where = {"date": "today", "cpu": "c", "cores": 2, "kernel": "k", "commit": "x", "versions": {"sallyport": "0"}, "command": "bench/run",
             "others_busy": 0.0}
    chosen = types.SimpleNamespace(repeats=1, seconds=1, connections=64)
    report.publish(page, where, chosen, [[["what", "sallyport"], ["handshake", "1.0"]]], ["A remark."], {"run-cpu.svg": "CPU"})
    text = page.read_text()
    assert text.startswith("before") and text.endswith("after\n") and "old" not in text
    assert "| handshake | 1.0 |" in text and "- A remark." in text and "![CPU](run-cpu.svg)" in text


def test_scaling_has_a_table_with_memory():
    results = {"identities-1000": [run_of("sallyport", 100.0, rate=5000.0)]}
    assert report.scaling_table(results)[1][1:] == ["100.0", "5,000", "", "1.0"]


def test_attacks_over_http2_have_nghttpd_too_and_tables_of_their_own(monkeypatch):
    program = load_program("flood")
    monkeypatch.setattr(sys, "argv", ["flood"])
    chosen = program.arguments()
    assert chosen.names == floods.NAMES
    assert program.kinds_for("random", chosen) == program.kinds_for(floods.NEW, chosen) == ["sallyport", "nginx", "haproxy"]
    assert program.kinds_for("h2-ping", chosen) == ["sallyport", "nginx", "haproxy", "nghttpd"]
    results = {name: {"rounds": [], "memory": []} for name in ("random", "h2-ping", "h2-ping-deaf")}
    groups = program.groups(results, ["run"], chosen)
    assert [(list(group), new, kinds) for group, new, kinds in groups] == [
        (["random"], ["run"], ["sallyport", "nginx", "haproxy"]), (["h2-ping", "h2-ping-deaf"], None, ["sallyport", "nginx", "haproxy", "nghttpd"])]
    assert [flood_report.picture_name(group) for group, _, _ in groups] == ["flood.svg", "flood-http2.svg"]


def test_groups_of_floods_can_be_chosen(monkeypatch):
    program = load_program("flood")
    monkeypatch.setattr(sys, "argv", ["flood", "--only", "random,h2"])
    assert program.arguments().names == ["random", *(name for name in floods.NAMES if name.startswith("h2-"))]
    monkeypatch.setattr(sys, "argv", ["flood", "--only", "tls,h2"])
    assert sorted(program.arguments().names) == sorted(floods.NAMES)


def test_what_was_not_measured_stays_published(tmp_path):
    page = tmp_path / "RESULTS.md"
    page.write_text("\n".join(f"{begin}\nold {http2}\n{end}" for http2, (begin, end) in flood_report.MARKS.items()))
    where = {"date": "today", "cpu": "c", "cores": 2, "kernel": "k", "commit": "x", "versions": {"sallyport": "0"}, "command": "bench/flood",
             "others_busy": 0.0}
    chosen = types.SimpleNamespace(repeats=1, seconds=1)
    flood_report.publish(page, where, chosen, [({"h2-ping": {"rounds": [round_of("sallyport", 100, 95)], "memory": []}}, None, ["sallyport"])])
    text = page.read_text()
    assert "old False" in text and "old True" not in text and "| h2-ping | 95% (95% to 95%) | met |" in text and "flood-http2.svg" in text
    assert text.rstrip().endswith(flood_report.MARKS[True][1])


def round_of(server, calm, flooded):
    def run(rate):
        known = {"command": ["known"], "answers_per_second": rate, "latency_us": {"exchange": {"p99": 1.0}}, "whole_run": dict.fromkeys(
            ("connect_failed", "tls_failed", "closed_by_server", "http_failed", "status_failed", "timed_out"), 0)}
        return {"known": known, "server_busy": 1.0, "rejected": None, "flood": {"outcomes": {}, "command": ["hostile"]}}
    return {"server": server, "calm": run(calm), "flooded": run(flooded), "alone": {"flood": {"connections_per_second": 1.0}},
            "known_cpu_us": 1.0, "hostile_cpu_us": 1.0, "bare_cpu_us": 1.0}


def test_more_is_to_be_kept_under_attacks_over_http2():
    for name, met, share in (("random", "met", "70%"), ("h2-ping", "NOT MET", "90%")):
        results = {name: {"rounds": [round_of("sallyport", 100, 80)], "memory": []}}
        head, row = flood_report.kept_rows(results, ["sallyport"])
        assert head[2] == f"at least {share}" and row[2] == met
        assert f"asked for: {share}" in picture.throughput_kept(results, ["sallyport"])


def test_known_clients_speak_as_the_attackers_do():
    assert "--http2" in flooding.known_options(floods.BY_NAME["h2-ping"]) and "--http2" not in flooding.known_options(floods.BY_NAME["random"])


def test_a_server_that_does_not_choose_http2_does_not_do_the_job(monkeypatch):
    made = types.SimpleNamespace(one_client="client", one_rogue="rogue")
    monkeypatch.setattr(job, "curl", lambda *_, tell="http_code", name=None: ("1.1", "") if tell == "http_version" else (200, ""))
    with pytest.raises(SystemExit, match="nghttpd does not choose HTTP/2"):
        job.verify(types.SimpleNamespace(kind="nghttpd", setup="plain", is_sallyport=False), made, http2=True)
    monkeypatch.setattr(job, "curl", lambda *_, tell="http_code", name=None: ("2", "") if tell == "http_version" else (200, ""))
    job.verify(types.SimpleNamespace(kind="nghttpd", setup="plain", is_sallyport=False), made, http2=True)


def test_a_calm_run_without_an_answer_is_no_measurement(monkeypatch):
    load = flooding.Flooding(types.SimpleNamespace(server_core=0), 1, 1)
    monkeypatch.setattr(load, "rest", lambda: None)
    monkeypatch.setattr(load, "start_known", lambda *_: None)
    monkeypatch.setattr(load, "finish", lambda *_, **__: {"answers_per_second": 0.0})
    server = types.SimpleNamespace(kind="nginx", cpu_seconds=lambda: 0.0, rejected=lambda: None)
    with pytest.raises(measure.NotMeasured, match="nginx answered no known client"):
        load.calm(floods.BY_NAME["random"], server)
