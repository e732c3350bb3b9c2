"""The benchmarks' own logic, without a load: what they do where a busy machine makes a server's guard act."""

import importlib.machinery
import importlib.util
import sys
import types

import pytest

from conftest import ROOT, SANITIZED

sys.path.insert(0, str(ROOT / "bench"))

from harness import flooding, floods, measure, modes  # noqa: E402

pytestmark = pytest.mark.skipif(SANITIZED, reason="drives scripts, not the binary")

CALM = {"accept suspect": 0.0, "hello closed": 3.0, "request evicted_idle": 0.0}
GUARDED = {"accept suspect": 12.0, "hello closed": 3.0, "request evicted_idle": 2.0}


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
    assert times == flooding.QUICK and chosen.names == floods.NAMES
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
