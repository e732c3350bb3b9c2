"""`verify`, `--help` and `--version` as an operator runs them; test_check.py has `check`."""

import json
import subprocess

from conftest import BINARY


def run(*arguments):
    return subprocess.run([str(BINARY), *map(str, arguments)], capture_output=True, text=True, timeout=60)


def test_verify(pki):
    root = pki.root.cert
    good = run("verify", "--ca", root, pki.valid().chain)
    assert good.returncode == 0
    assert "status: valid" in good.stdout and "reason: ok" in good.stdout
    for entity, reason in [(pki.expired(), "expired"), (pki.stranger(), "unknown_issuer"), (pki.not_yet_valid(), "not_yet_valid")]:
        bad = run("verify", "--ca", root, entity.chain)
        assert bad.returncode == 1
        assert "status: invalid" in bad.stdout and f"reason: {reason}" in bad.stdout
    both = run("verify", "--ca", root, "--ca", pki.other_root.cert, "--json", pki.stranger().chain)
    assert both.returncode == 0
    assert json.loads(both.stdout)["status"] == "valid"
    then = pki.expired().certificate.not_valid_before.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert run("verify", "--ca", root, "--at", then, pki.expired().chain).returncode == 0
    for arguments in [[], ["--ca", root], ["--ca", "/nowhere", pki.valid().chain], ["--ca", root, "/nowhere"],
                      ["--ca", root, "--at", "yesterday", pki.valid().chain], ["--ca", root, "--max-depth", "0", pki.valid().chain]]:
        result = run("verify", *arguments)
        assert result.returncode == 2, arguments
        assert result.stderr


def test_help_and_version():
    assert run("--version").stdout.startswith("sallyport ")
    for arguments in [["--help"], ["run", "--help"], ["check", "--help"], ["verify", "--help"], ["demo", "--help"]]:
        result = run(*arguments)
        assert result.returncode == 0 and result.stdout
    for arguments in [[], ["fly"], ["run"], ["check", "--colour"], ["demo", "--port", "x"]]:
        result = run(*arguments)
        assert result.returncode == 2 and result.stderr, arguments
