"""The benchmarks' own logic, without a load: what they do where a busy machine makes a server's guard act."""

import importlib.machinery
import importlib.util
import sys
import types

import pytest

from conftest import ROOT, SANITIZED

sys.path.insert(0, str(ROOT / "bench"))

from harness import flood_report, flooding, floods, h2load, job, measure, modes, picture, report  # noqa: E402

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


def test_a_mode_that_cannot_be_measured_is_left_out_and_the_others_go_on(no_pause, capsys):
    program = load_program("run")
    chosen = types.SimpleNamespace(repeats=2, seconds=1, connections=8, servers=["sallyport", "nginx"],
                                   turns=[modes.BY_NAME[name] for name in ("handshake", "uncached", "request")])

    class Bench:
        def measure(self, mode, server, *_):
            if mode.name == "handshake" and server == "sallyport":
                raise measure.GuardActed("sallyport turned clients away for its own protection (accept suspect 12)")
            # Where misses are wanted there are hits.
            cache = {"hits": 20, "misses": 10} if mode.name == "uncached" else None
            return {"server": server, "cache": cache, "load": {"whole_run": {"answers": 30}},
                    "per_second": 1.0, "server_cpu_us": 1.0, "server_busy": 1.0}

    running = {(kind, mode.setup): kind for kind in chosen.servers for mode in chosen.turns}
    left_out = []
    results = program.take_turns(chosen, Bench(), running, left_out)
    assert list(results) == ["request"] and len(results["request"]) == 4
    assert len(left_out) == 2 and "handshake is LEFT OUT" in left_out[0] and "accept suspect 12" in left_out[0]
    assert "uncached is LEFT OUT" in left_out[1] and "should have been misses" in left_out[1]
    assert "attempt 3 of 3" in capsys.readouterr().err


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
    requests, bulk = modes.BY_NAME["h2-request"], modes.BY_NAME["h2-bulk"]
    assert h2load.result(requests, h2load_output()) == {"answers": 63680, "answers_per_second": 31840}
    assert h2load.result(bulk, h2load_output(time="500.00ms")) == {"answers": 1024, "answers_per_second": 2048}
    for bad in (h2load_output(failed=1), h2load_output(refused=1), h2load_output(succeeded=0), h2load_output().replace(": h2", ": http/1.1"), ""):
        assert h2load.result(requests, bad) is None


def test_how_h2load_is_started():
    server = types.SimpleNamespace(address="127.0.0.1:1")
    assert h2load.command(modes.BY_NAME["h2-request"], server, "a.test", 4, 64) == [
        "h2load", "-D", "4", "-c", "64", "-m", "16", "-t", "1", "--connect-to=127.0.0.1:1", "https://a.test/"]
    assert h2load.command(modes.BY_NAME["h2-bulk"], server, "a.test", 4, 64)[1:7] == ["-n", "1", "-c", "1", "-m", "1"]


def run_of(server, cpu, rate):
    return {"server": server, "per_second": rate, "server_cpu_us": cpu, "server_busy": 1.0, "generator_busy": 0.5, "latency_us": {}}


def test_rows_of_http2_compare_by_cpu_and_have_no_latency():
    kinds = ["sallyport", "nginx", "haproxy"]
    runs = [run_of("sallyport", 10.0, 90000), run_of("nginx", 30.0, 30000), run_of("haproxy", 14.0, 40000)]
    rows = {row[0]: row[1:] for row in report.rows({"h2-request": runs, "h2-bulk": runs}, kinds)}
    assert rows["h2-request: server CPU for each, us"][3:] == [
        "0.33x (0.33 to 0.33), 3.00x as many by CPU, reaches 1.5x", "0.71x (0.71 to 0.71), 1.40x as many by CPU, MISSES 1.5x"]
    assert rows["h2-bulk: MiB a second"][3:] == ["3.00x (3.00 to 3.00), reaches 1x", "2.25x (2.25 to 2.25), reaches 1x"]
    assert "h2-bulk: server CPU for each MiB, us" in rows and not any("latency" in row for row in rows)


def test_a_held_client_over_http2_may_cost_less():
    runs = [{"server": "sallyport", "connections": 10, "bytes_per_connection": 12 * 1024, "rss_before": 0, "rss_held": 0, "rss_after": 0}]
    rows = {row[0]: row[1:] for row in report.rows({"idle": runs, "h2-idle": runs}, ["sallyport"])}
    assert rows["idle: KiB for each of 10"] == ["12.0", "within 24 KiB"] and rows["h2-idle: KiB for each of 10"] == ["12.0", "BEYOND 10 KiB"]


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
    monkeypatch.setattr(job, "curl", lambda *_, tell="http_code": ("1.1", "") if tell == "http_version" else (200, ""))
    with pytest.raises(SystemExit, match="nghttpd does not choose HTTP/2"):
        job.verify(types.SimpleNamespace(kind="nghttpd", setup="plain"), made, http2=True)
    monkeypatch.setattr(job, "curl", lambda *_, tell="http_code": ("2", "") if tell == "http_version" else (200, ""))
    job.verify(types.SimpleNamespace(kind="nghttpd", setup="plain"), made, http2=True)


def test_a_calm_run_without_an_answer_is_no_measurement(monkeypatch):
    load = flooding.Flooding(types.SimpleNamespace(server_core=0), 1, 1)
    monkeypatch.setattr(load, "rest", lambda: None)
    monkeypatch.setattr(load, "start_known", lambda *_: None)
    monkeypatch.setattr(load, "finish", lambda *_, **__: {"answers_per_second": 0.0})
    server = types.SimpleNamespace(kind="nginx", cpu_seconds=lambda: 0.0, rejected=lambda: None)
    with pytest.raises(measure.NotMeasured, match="nginx answered no known client"):
        load.calm(floods.BY_NAME["random"], server)
