"""The load generator of the benchmarks, with the certificates and servers of bench/harness. For tests of it: `marks` says when."""

import shutil
import sys

import pytest

from conftest import BINARY, ROOT, SANITIZED, free_port

sys.path.insert(0, str(ROOT / "bench"))

from harness import pki as bench_pki, servers  # noqa: E402, F401

LOAD = BINARY.parent / "bench" / "sallyport-load"
ORIGIN = BINARY.parent / "bench" / "sallyport-origin"
NAME = "bench.example"

# Tests run side by side: each process has ports of its own.
servers.free_port = free_port
servers.free_ports = lambda count: [free_port() for _ in range(count)]

marks = [
    pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is missing"),
    pytest.mark.skipif(SANITIZED, reason="measures, and is tested with the optimised binary"),
    pytest.mark.skipif(not LOAD.exists(), reason="the generator is not built"),
]


def make_pki(folder, rogues):
    """Certificates of two clients and of some rogues, in a folder that nginx's workers may read."""
    folder.chmod(0o755)
    return bench_pki.Pki(folder / "pki", NAME, 2, rogues)


def values_of(made):
    """The values for the templates of bench/harness/servers.py, but the origin."""
    return {"origin_binary": ORIGIN, "name": NAME, "connections": 512, "certificate": made.server, "key": made.server_key,
            "client_roots": made.client_root}
