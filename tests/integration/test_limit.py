"""sallyport-limit, the program that times the least that a server's work can cost: that it does what its scripts say."""

import json
import subprocess

import pytest

from conftest import BINARY, SANITIZED
from generator import servers  # noqa: F401 -- makes bench/harness importable

from harness import limit, scenarios

LIMIT = BINARY.parent / "bench" / "sallyport-limit"
SHAPES = {one.echo: one for one in reversed(scenarios.ALL) if one.echo}

pytestmark = [
    pytest.mark.skipif(SANITIZED, reason="measures, and is tested with the optimised binary"),
    pytest.mark.skipif(not LIMIT.exists(), reason="it is not built"),
]


def run(*arguments):
    return subprocess.run([LIMIT, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("scenario", SHAPES.values(), ids=SHAPES)
def test_each_exchange_is_played_to_its_end(scenario):
    made = limit.scripts(scenario, {"in": 1460.0, "out": 1180.0})
    result = run("echo", *(f"--{side}={script}" for side, script in made.items()), "--ms", 300, "--connections", 4)
    seen = json.loads(result.stdout)
    assert (result.returncode, seen["failures"]) == (0, 0) and seen["exchanges"] > 0 and seen["ns"] > 0


def test_sides_that_do_not_fit_are_an_error():
    """The client goes before it has all."""
    result = run("echo", "--server", "r100 s100 r100 w", "--client", "s100 r100 c", "--ms", 100, "--connections", 4)
    assert result.returncode == 1 and json.loads(result.stdout)["failures"] > 0


@pytest.mark.parametrize("script", ["", "r100", "r100 x", "q100 l", "r0 l", "r100s100 l", "l", "r-1 l", "r100 l ", "r1 " * 17 + "l"])
def test_texts_that_are_no_script(script):
    result = run("echo", "--server", script, "--client", "s100 l")
    assert result.returncode == 2 and result.stderr.startswith("usage:")


def test_all_operations_of_the_scenarios_have_a_price():
    result = run("crypto", "--rounds", 1)
    told = json.loads(result.stdout)
    wanted = {name for one in scenarios.ALL for name, _ in one.operations} | {"aes_gcm_16k", "aes_gcm_256"}
    assert result.returncode == 0 and wanted == set(told) and min(told.values()) > 0


def test_it_must_be_told_what_to_do():
    for arguments in ((), ("echo",), ("crypto", "--rounds", "0"), ("crypto", "more")):
        assert run(*arguments).returncode == 2
    assert run("--help").stdout.startswith("usage:")
